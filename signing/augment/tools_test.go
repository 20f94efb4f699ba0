package augment

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/signing"
	"countersign/signing/ca"
	"countersign/signing/pdf"
)

// noteIn returns where the last revision of validation data begins.
func noteIn(doc []byte) int { return bytes.LastIndex(doc, []byte(pdf.MaterialNote)) }

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

func TestOtherProgramsAcceptWhatIsRaised(t *testing.T) {
	w := newWorld(t, time.Now().Add(-time.Minute).Truncate(time.Second))
	dir := t.TempDir()
	root := write(t, dir, "root.pem", ca.PEM(w.root.Certificate))
	above := write(t, dir, "above.pem", ca.PEM(w.issuing.Certificate))
	db := filepath.Join(dir, "nss")
	if err := os.Mkdir(db, 0o700); err != nil {
		t.Fatal(err)
	}
	run(t, "certutil", "-N", "-d", "sql:"+db, "--empty-password")
	run(t, "certutil", "-A", "-d", "sql:"+db, "-n", "root", "-t", "CT,C,C", "-i", root)
	doc := w.signed(3, w.tsa)
	for _, to := range []signing.Level{signing.BLT, signing.BLTA} {
		doc = w.raised(doc, to)
		path := write(t, dir, string(to)+".pdf", doc)
		if out := run(t, "qpdf", "--check", path); !strings.Contains(out, "No syntax or stream encoding errors found") {
			t.Errorf("qpdf at %s: %s", to, out)
		}
		out := run(t, "pdfsig", "-nssdir", "sql:"+db, path)
		// Document timestamps it only lists; openssl judges ours below.
		if n, trusted := strings.Count(out, "Signature is Valid."), strings.Count(out, "Certificate is Trusted."); n != 3 || trusted != 3 {
			t.Errorf("pdfsig at %s calls %d signatures valid and %d certificates trusted, of 3:\n%s", to, n, trusted, out)
		}
		if n := strings.Count(out, "Total document signed"); to == signing.BLTA && n != 1 {
			t.Errorf("pdfsig at %s says %d times that the total document is signed:\n%s", to, n, out)
		}
	}
	f := must[*pdf.File](t)(pdf.Parse(doc))
	last := len(f.Revisions) - 1
	store := must[pdf.DSS](t)(f.DSS(last))
	if len(store.OCSPs) != 4 || len(store.CRLs) != 1 { // customer, clerk, seal, timestamp authority; the issuing authority
		t.Errorf("%d responses, %d lists", len(store.OCSPs), len(store.CRLs))
	}
	for _, b := range store.OCSPs {
		response := write(t, dir, "ocsp.der", b.Data)
		out := run(t, "openssl", "ocsp", "-respin", response, "-CAfile", root, "-verify_other", above, "-issuer", above, "-no_nonce", "-text")
		if !strings.Contains(out, "Response verify OK") || !strings.Contains(out, "Cert Status: good") {
			t.Errorf("openssl ocsp: %s", out)
		}
	}
	list := write(t, dir, "list.der", store.CRLs[0].Data)
	if out := run(t, "openssl", "crl", "-inform", "DER", "-in", list, "-CAfile", root, "-noout", "-text"); !strings.Contains(out, "verify OK") {
		t.Errorf("openssl crl: %s", out)
	}
	t.Run("the document timestamp", func(t *testing.T) {
		fields := must[[]pdf.Field](t)(f.Fields(last))
		value := fields[len(fields)-1].Value
		contents := value.Get("Contents")
		token := write(t, dir, "token.tst", bytes.TrimRight(contents.Bytes(), "\x00"))
		data := write(t, dir, "covered.bin", append(bytes.Clone(doc[:contents.Start]), doc[contents.End:]...))
		if out := run(t, "openssl", "ts", "-verify", "-token_in", "-in", token, "-data", data, "-CAfile", root, "-untrusted", above); !strings.Contains(out, "Verification: OK") {
			t.Errorf("openssl ts: %s", out)
		}
	})
	// The first three were updated since, each as its field allows; nothing but that.
	out := run(t, "mutool", "sign", "-v", filepath.Join(dir, "B-LTA.pdf"))
	if n := strings.Count(out, "The signature is valid"); n != 3 || strings.Contains(out, "invalid") {
		t.Errorf("mutool calls %d of 3 signatures valid: %s", n, out)
	}
}
