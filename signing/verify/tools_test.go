package verify

import (
	"bytes"
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/signing/ca"
	"countersign/signing/cms"
	"countersign/signing/pdf"
)

// run runs a Debian program, which must be there.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// trustStore makes an NSS database in dir that trusts the world's root.
func trustStore(t *testing.T, dir string, w *world) string {
	t.Helper()
	db := filepath.Join(dir, "nss")
	if err := os.Mkdir(db, 0o700); err != nil {
		t.Fatal(err)
	}
	root := write(t, dir, "root.pem", ca.PEM(w.root.Certificate))
	run(t, "certutil", "-N", "-d", db, "--empty-password")
	run(t, "certutil", "-A", "-d", db, "-n", "root", "-t", "CT,C,C", "-i", root)
	return db
}

func TestOtherReadersAcceptWhatWeSign(t *testing.T) {
	w := newWorldAt(t, time.Now())
	dir := t.TempDir()
	db := trustStore(t, dir, w)
	oneBB := w.sign(t, base(), "customer", w.customer, nil)
	oneBT := w.sign(t, base(), "customer", w.customer, w.stamp)
	two := w.sign(t, oneBT, "clerk", w.clerk, w.stamp)
	for _, c := range []struct {
		name  string
		doc   []byte
		count int
	}{
		{"one_bb", oneBB, 1}, {"one_bt", oneBT, 1}, {"two", two, 2},
		{"three", w.sign(t, two, "seal", w.seal, w.stamp), 3},
		{"three_rsa", w.sign(t, two, "seal", w.rsaSeal, nil), 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, dir, c.name+".pdf", c.doc)
			if out := run(t, "qpdf", "--check", path); !strings.Contains(out, "No syntax or stream encoding errors found") {
				t.Errorf("qpdf: %s", out)
			}
			out := run(t, "pdfsig", "-nssdir", "sql:"+db, path)
			if n := strings.Count(out, "Signature is Valid."); n != c.count {
				t.Errorf("pdfsig calls %d of %d signatures valid:\n%s", n, c.count, out)
			}
			if n := strings.Count(out, "Certificate is Trusted."); n != c.count {
				t.Errorf("pdfsig calls %d of %d certificates trusted:\n%s", n, c.count, out)
			}
			if n := strings.Count(out, "Total document signed"); n != 1 {
				t.Errorf("pdfsig says %d times that the total document is signed:\n%s", n, out)
			}
		})
	}
}

func TestOpenSSLAcceptsSignatureAndToken(t *testing.T) {
	w := newWorldAt(t, time.Now())
	dir := t.TempDir()
	root := write(t, dir, "root.pem", ca.PEM(w.root.Certificate))
	above := write(t, dir, "above.pem", ca.PEM(w.issuing.Certificate))
	for name, s := range map[string]signer{"p256": w.seal, "rsa": w.rsaSeal} {
		t.Run(name, func(t *testing.T) {
			p := must[*pdf.Prepared](t)(pdf.Prepare(base(), pdf.Request{Field: "seal", At: noon}))
			der := must[[]byte](t)(cms.Sign(p.Digest(), s.key, s.chain, w.stamp))
			content := write(t, dir, name+".bin", p.Signed())
			file := write(t, dir, name+".der", der)
			out := run(t, "openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", file, "-content", content, "-CAfile", root, "-out", os.DevNull)
			if !strings.Contains(out, "CAdES Verification successful") {
				t.Errorf("openssl cms: %s", out)
			}
			m := must[*cms.Message](t)(cms.Parse(der))
			message := write(t, dir, name+".sig", m.Signature)
			token := write(t, dir, name+".tst", m.Token)
			out = run(t, "openssl", "ts", "-verify", "-token_in", "-in", token, "-data", message, "-CAfile", root, "-untrusted", above)
			if !strings.Contains(out, "Verification: OK") {
				t.Errorf("openssl ts: %s", out)
			}
		})
	}
}

func TestPreparedDigestIsOverEverythingButTheHole(t *testing.T) {
	w := newWorld(t)
	p := must[*pdf.Prepared](t)(pdf.Prepare(base(), pdf.Request{Field: "customer", At: noon}))
	signed := p.Signed()
	if sha256.Sum256(signed) != p.Digest() {
		t.Error("the digest is not that of the signed bytes")
	}
	der := must[[]byte](t)(cms.Sign(p.Digest(), w.seal.key, w.seal.chain, nil))
	doc := must[[]byte](t)(p.Finish(der))
	open := bytes.LastIndex(doc, []byte("/Contents<")) + len("/Contents")
	shut := open + bytes.IndexByte(doc[open:], '>') + 1
	if !bytes.Equal(signed, append(append([]byte{}, doc[:open]...), doc[shut:]...)) {
		t.Error("the signed bytes are not the document without its hole")
	}
}
