package trust

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"countersign/signing/ca"
)

// Source is a list of authorities by who answers for them.
type Source string

// The sources.
const (
	Public     Source = "public"     // licensed public authorities
	Government Source = "government" // those of the state's own service (chuyên dùng công vụ)
	Banks      Source = "banks"      // those of banks, for their customers
	Own        Source = "own"        // the house's
)

// Sources are all of them, in the order in which a certificate is looked for.
func Sources() []Source { return []Source{Own, Public, Government, Banks} }

// Lists are the authorities that are trusted, by source. Every certificate in a list is an anchor: one that is listed
// needs nobody above it.
type Lists map[Source][]*x509.Certificate

// All returns the certificates of every list, each once.
func (l Lists) All() []*x509.Certificate {
	var out []*x509.Certificate
	for _, s := range Sources() {
		for _, c := range l[s] {
			if !slices.ContainsFunc(out, c.Equal) {
				out = append(out, c)
			}
		}
	}
	return out
}

// Read reads a list from files in PEM or DER and from folders of them; files of other kinds in a folder are passed over.
func Read(paths []string) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for _, path := range paths {
		files := []string{path}
		info, err := os.Stat(path)
		if err == nil && info.IsDir() {
			files, err = inFolder(path)
		}
		if err != nil {
			return nil, fmt.Errorf("read a trust list: %w", err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("read a trust list: %w", err)
			}
			certs, err := ca.Certificates(data)
			if err != nil {
				return nil, fmt.Errorf("read the trust list %s: %w", file, err)
			}
			for _, c := range certs {
				if !c.IsCA {
					return nil, fmt.Errorf("read the trust list %s: %q is no authority's certificate", file, c.Subject.CommonName)
				}
			}
			out = append(out, certs...)
		}
	}
	return out, nil
}

func inFolder(dir string) ([]string, error) {
	var out []string
	for _, suffix := range []string{".pem", ".crt", ".cer", ".der"} {
		found, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no file that ends in .pem, .crt, .cer or .der", dir)
	}
	slices.Sort(out)
	return out, nil
}

// Licence says when an authority was allowed to issue for the public, and by which paper.
type Licence struct {
	SHA256 string    `json:"sha256"` // of the authority's certificate, hex
	Name   string    `json:"name"`
	Paper  string    `json:"paper"`
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"` // zero: not ended
}

// Licences are a dated list of licensed authorities. Nil asks for no licence.
type Licences []Licence

// ReadLicences reads the list from JSON: an array of Licence. An entry without certificate, paper or beginning is refused.
func ReadLicences(data []byte) (Licences, error) {
	l := Licences{}
	if err := json.Unmarshal(data, &l); err != nil {
		return nil, fmt.Errorf("read the list of licensed authorities: %w", err)
	}
	for i, e := range l {
		if digest, err := hex.DecodeString(e.SHA256); err != nil || len(digest) != sha256.Size || e.Paper == "" || e.From.IsZero() {
			return nil, fmt.Errorf("read the list of licensed authorities: entry %d has no certificate's SHA-256, paper or beginning", i+1)
		}
	}
	return l, nil
}

// covers returns the licence of one of the authorities that held when the certificate was issued.
func (l Licences) covers(chain []*x509.Certificate) (Licence, bool) {
	issued := chain[0].NotBefore
	for _, c := range chain[1:] {
		digest := sha256.Sum256(c.Raw)
		for _, e := range l {
			if e.SHA256 == hex.EncodeToString(digest[:]) && !issued.Before(e.From) && (e.Until.IsZero() || issued.Before(e.Until)) {
				return e, true
			}
		}
	}
	return Licence{}, false
}
