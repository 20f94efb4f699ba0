package ca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/internal/clock"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, clock.Vietnam)

func authorities(t *testing.T, at time.Time) (root, issuing *Authority) {
	t.Helper()
	root, err := NewRoot(pkix.Name{CommonName: "Root"}, clock.At(at), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if issuing, err = root.NewIssuing(pkix.Name{CommonName: "Issuing"}); err != nil {
		t.Fatal(err)
	}
	return root, issuing
}

func key(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestAOneOffCertificateNamesItsTransactionAndEvidence(t *testing.T) {
	root, issuing := authorities(t, noon)
	evidence := [32]byte{1, 2, 3}
	chain, err := issuing.IssueOneOff(key(t).Public(), OneOff{Holder: "Nguyễn Văn Ế", HolderID: "0010****0018", TransactionID: "PYC-1", EvidenceSHA256: evidence, Life: 10 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	leaf := chain[0]
	m, ok := ReadMark(leaf)
	if !ok || m.Kind != KindOTP || m.TransactionID != "PYC-1" || !bytes.Equal(m.EvidenceSHA256, evidence[:]) {
		t.Errorf("mark %+v, %v", m, ok)
	}
	if len(chain) != 2 || chain[1] != issuing.Certificate || leaf.Subject.CommonName != "Nguyễn Văn Ế" || leaf.Subject.SerialNumber != "0010****0018" {
		t.Errorf("chain of %d for %s", len(chain), leaf.Subject)
	}
	if !leaf.NotBefore.Equal(noon.Add(-Skew)) || !leaf.NotAfter.Equal(noon.Add(10*time.Minute)) {
		t.Errorf("valid from %v to %v", leaf.NotBefore, leaf.NotAfter)
	}
	pool, above := x509.NewCertPool(), x509.NewCertPool()
	pool.AddCert(root.Certificate)
	above.AddCert(chain[1])
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: pool, Intermediates: above, CurrentTime: noon, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		t.Error(err)
	}
}

func TestAWitnesssCertificateNamesTheWitnessAndOneTransaction(t *testing.T) {
	_, issuing := authorities(t, noon)
	evidence := [32]byte{1, 2, 3}
	good := Witness{Name: "Trần Thị B", StaffID: "GDV-07", Organisation: "Đơn vị Thử", Counter: "3", TransactionID: "PYC-1", EvidenceSHA256: evidence, Life: time.Hour}
	chain, err := issuing.IssueWitness(key(t).Public(), good)
	if err != nil {
		t.Fatal(err)
	}
	m, ok := ReadMark(chain[0])
	if !ok || m.Kind != KindWitness || m.TransactionID != "PYC-1" || !bytes.Equal(m.EvidenceSHA256, evidence[:]) {
		t.Errorf("mark %+v, %v", m, ok)
	}
	if s := chain[0].Subject; s.CommonName != "Trần Thị B" || s.SerialNumber != "GDV-07" || s.OrganizationalUnit[0] != "Witness, counter 3" {
		t.Errorf("issued to %s", s)
	}
	for _, spoil := range []func(*Witness){
		func(r *Witness) { r.Name = "" }, func(r *Witness) { r.StaffID = "" }, func(r *Witness) { r.TransactionID = "" },
	} {
		bad := good
		spoil(&bad)
		if _, err := issuing.IssueWitness(key(t).Public(), bad); err == nil {
			t.Errorf("issued for %+v", bad)
		}
	}
}

func TestEachKindIsMarked(t *testing.T) {
	_, a := authorities(t, noon)
	pub := key(t).Public()
	for want, issue := range map[Kind]func() ([]*x509.Certificate, error){
		KindToken: func() ([]*x509.Certificate, error) { return a.IssueToken(pub, "A", "1", time.Hour) },
		KindSeal:  func() ([]*x509.Certificate, error) { return a.IssueSeal(pub, Seal{Name: "A", Life: time.Hour}) },
		KindClerk: func() ([]*x509.Certificate, error) { return a.IssueClerk(pub, Clerk{Name: "A", Life: time.Hour}) },
		KindTimestamp: func() ([]*x509.Certificate, error) {
			return a.IssueTimestamp(pub, pkix.Name{CommonName: "A"}, time.Hour)
		},
		KindServer: func() ([]*x509.Certificate, error) {
			return a.IssueServer(pub, []string{"a.example", "127.0.0.1"}, time.Hour)
		},
	} {
		chain, err := issue()
		if err != nil {
			t.Fatal(err)
		}
		m, ok := ReadMark(chain[0])
		if !ok || m.Kind != want || m.TransactionID != "" || m.EvidenceSHA256 != nil {
			t.Errorf("%s: mark %+v, %v", want, m, ok)
		}
		if chain[0].IsCA {
			t.Errorf("%s is an authority", want)
		}
	}
	if _, ok := ReadMark(a.Certificate); ok {
		t.Error("the authority is marked")
	}
}

func TestIssuingRefuses(t *testing.T) {
	root, a := authorities(t, noon)
	pub := key(t).Public()
	for name, issue := range map[string]func() ([]*x509.Certificate, error){
		"no holder": func() ([]*x509.Certificate, error) {
			return a.IssueOneOff(pub, OneOff{TransactionID: "1", Life: time.Hour})
		},
		"no transaction":                func() ([]*x509.Certificate, error) { return a.IssueOneOff(pub, OneOff{Holder: "A", Life: time.Hour}) },
		"no life":                       func() ([]*x509.Certificate, error) { return a.IssueSeal(pub, Seal{Name: "A"}) },
		"a life beyond the authority's": func() ([]*x509.Certificate, error) { return a.IssueSeal(pub, Seal{Name: "A", Life: 2 * issuingLife}) },
		"a server without a name":       func() ([]*x509.Certificate, error) { return a.IssueServer(pub, nil, time.Hour) },
	} {
		if chain, err := issue(); err == nil || chain != nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := Open(root.Certificate, nil, key(t), clock.At(noon), rand.Reader); err == nil {
		t.Error("an authority opens with another's key")
	}
	below, err := a.NewIssuing(pkix.Name{CommonName: "Below"})
	if err != nil {
		t.Fatal(err)
	}
	pool, above := x509.NewCertPool(), x509.NewCertPool()
	pool.AddCert(root.Certificate)
	above.AddCert(a.Certificate)
	above.AddCert(below.Certificate)
	chain, err := below.IssueSeal(pub, Seal{Name: "A", Life: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chain[0].Verify(x509.VerifyOptions{Roots: pool, Intermediates: above, CurrentTime: noon, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err == nil {
		t.Error("an issuing authority's authority is believed")
	}
}

func TestAKeptAuthorityIssuesAgain(t *testing.T) {
	_, a := authorities(t, noon)
	b, err := Open(a.Certificate, a.Above, a.Key(), clock.At(noon), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := b.IssueSeal(key(t).Public(), Seal{Name: "A", Life: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if err := chain[0].CheckSignatureFrom(a.Certificate); err != nil {
		t.Error(err)
	}
}

func TestCertificatesAreReadFromPEMAndDER(t *testing.T) {
	root, a := authorities(t, noon)
	for name, data := range map[string][]byte{
		"PEM": PEM(root.Certificate, a.Certificate),
		"DER": append(bytes.Clone(root.Certificate.Raw), a.Certificate.Raw...),
	} {
		certs, err := Certificates(data)
		if err != nil || len(certs) != 2 || !certs[0].Equal(root.Certificate) || !certs[1].Equal(a.Certificate) {
			t.Errorf("%s: %d certificates, %v", name, len(certs), err)
		}
	}
	for name, data := range map[string][]byte{
		"nothing": nil, "a text": []byte("hello"), "a key": []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
		"a broken certificate": []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
	} {
		if _, err := Certificates(data); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

func TestOpenSSLBelievesEachCertificateForItsPurpose(t *testing.T) {
	root, a := authorities(t, time.Now())
	dir := t.TempDir()
	file := func(name string, certs ...*x509.Certificate) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, PEM(certs...), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	anchor, above := file("root.pem", root.Certificate), file("above.pem", a.Certificate)
	pub := key(t).Public()
	for purpose, issue := range map[string]func() ([]*x509.Certificate, error){
		"smimesign": func() ([]*x509.Certificate, error) { return a.IssueSeal(pub, Seal{Name: "A", Life: time.Hour}) },
		"timestampsign": func() ([]*x509.Certificate, error) {
			return a.IssueTimestamp(pub, pkix.Name{CommonName: "A"}, time.Hour)
		},
		"sslserver": func() ([]*x509.Certificate, error) { return a.IssueServer(pub, []string{"a.example"}, time.Hour) },
	} {
		chain, err := issue()
		if err != nil {
			t.Fatal(err)
		}
		leaf := file(purpose+".pem", chain[0])
		for _, asked := range []string{"smimesign", "timestampsign", "sslserver"} {
			out, err := exec.Command("openssl", "verify", "-x509_strict", "-purpose", asked, "-CAfile", anchor, "-untrusted", above, leaf).CombinedOutput()
			if ok := err == nil && strings.Contains(string(out), "OK"); ok != (asked == purpose) {
				t.Errorf("a certificate for %s used for %s: %s", purpose, asked, out)
			}
		}
	}
}
