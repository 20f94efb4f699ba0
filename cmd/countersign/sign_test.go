package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/signing"
	"countersign/signing/ca"
	"countersign/signing/pdf"
	"countersign/signing/pdf/pdftest"
	"countersign/signing/revoke"
	"countersign/signing/tsa"
)

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// house is an organisation whose responder and timestamp authority answer on the web, and a document that it sealed.
type house struct {
	dir, root, list, file string
	url                   string
}

func newHouse(t *testing.T) house {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	now := clock.At(time.Now().Add(-time.Minute).Truncate(time.Second))
	root := must[*ca.Authority](t)(ca.NewRoot(pkix.Name{CommonName: "Root"}, now, rand.Reader))
	issuing := must[*ca.Authority](t)(root.NewIssuing(pkix.Name{CommonName: "Issuing"}))
	issuing.Publish(ca.Points{OCSP: []string{server.URL + "/ocsp"}})
	key := func() crypto.Signer {
		return must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	}
	chain := must[[]*x509.Certificate](t)
	k := key()
	stamp := must[*tsa.Local](t)(tsa.NewLocal(k, chain(issuing.IssueTimestamp(k.Public(), pkix.Name{CommonName: "TSA"}, 365*24*time.Hour)), now, rand.Reader))
	k = key()
	filled := must[signing.Filled](t)(signing.Fill(context.Background(), pdftest.Base("seal"), pdf.Request{Field: "seal", At: now.Now()}, k,
		chain(issuing.IssueSeal(k.Public(), ca.Seal{Name: "Điện lực Mẫu", Life: 365 * 24 * time.Hour})), stamp))
	mux.Handle("/ocsp", revoke.Serve(ca.NewResponder(issuing, &ca.Register{}, time.Hour)))
	mux.Handle("/tsa", stamp)
	dir := t.TempDir()
	h := house{dir: dir, url: server.URL}
	for _, f := range []struct {
		to   *string
		name string
		data []byte
	}{{&h.root, "root.pem", ca.PEM(root.Certificate)}, {&h.list, "root.crl", must[[]byte](t)(root.RevocationList(nil, time.Hour))}, {&h.file, "order.pdf", filled.Document}} {
		*f.to = filepath.Join(dir, f.name)
		if err := os.WriteFile(*f.to, f.data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// cli runs the program and returns its exit code and what it said.
func cli(args ...string) (int, string, string) {
	var out, errOut bytes.Buffer
	code := run(context.Background(), append([]string{"--lang", "en"}, args...), strings.NewReader(""), &out, &errOut)
	return code, out.String(), errOut.String()
}

func TestAFileIsRaisedByCommand(t *testing.T) {
	h := newHouse(t)
	before := must[[]byte](t)(os.ReadFile(h.file))
	out := filepath.Join(h.dir, "lasting.pdf")
	code, said, complaint := cli("sign", "augment", h.file, "--to", "B-LTA", "--trust", h.root, "--crl", h.list, "--tsa", h.url+"/tsa", "--out", out)
	if code != 0 || !strings.Contains(said, "B-T → B-LTA") || !strings.Contains(said, "the last timestamp proves until") {
		t.Fatalf("%d %s %s", code, said, complaint)
	}
	if after := must[[]byte](t)(os.ReadFile(out)); !bytes.HasPrefix(after, before) {
		t.Error("the raised file does not begin with the given one")
	}
	if code, said, _ = cli("verify", "--trust", h.root, out); code != 0 || !strings.Contains(said, "B-LTA") {
		t.Errorf("%d %s", code, said)
	}
	// Without the list of the root the authority's own status is not to be had: the level stays, in the file's place too.
	code, said, complaint = cli("sign", "augment", h.file, "--trust", h.root, "--tsa", h.url+"/tsa")
	if code != 2 || !strings.Contains(said, "B-T → B-T") || !strings.Contains(complaint, "Issuing") {
		t.Errorf("%d %s %s", code, said, complaint)
	}
	if again := must[[]byte](t)(os.ReadFile(h.file)); !bytes.Equal(again, before) {
		t.Error("the given file was changed although nothing was added")
	}
	// In its place, with the timestamp authority away: B-LT.
	code, said, _ = cli("sign", "augment", h.file, "--trust", h.root, "--crl", h.list, "--tsa", h.url+"/nowhere")
	if code != 2 || !strings.Contains(said, "B-T → B-LT") {
		t.Errorf("%d %s", code, said)
	}
	if code, said, _ = cli("verify", "--trust", h.root, h.file); code != 0 || !strings.Contains(said, "B-LT") {
		t.Errorf("%d %s", code, said)
	}
	for name, args := range map[string][]string{
		"a level that does not exist": {h.file, "--to", "B-X", "--trust", h.root},
		"nobody is trusted":           {h.file},
		"no file":                     {filepath.Join(h.dir, "none.pdf"), "--trust", h.root},
	} {
		if code, _, complaint := cli(append([]string{"sign", "augment"}, args...)...); code != 1 || complaint == "" {
			t.Errorf("%s: %d %q", name, code, complaint)
		}
	}
}
