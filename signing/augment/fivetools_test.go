package augment

import (
	"bytes"
	"encoding/asn1"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/signing"
	"countersign/signing/ca"
	"countersign/signing/cms"
	"countersign/signing/pdf"
	"countersign/signing/tsa"
)

// TestFiveProgramsAcceptEachOfTheFourLevels holds pdfsig, qpdf, mutool, openssl cms and openssl ts at B-B, B-T, B-LT and
// B-LTA, with two signatures.
func TestFiveProgramsAcceptEachOfTheFourLevels(t *testing.T) {
	w := newWorld(t, time.Now().Add(-time.Minute).Truncate(time.Second))
	dir := t.TempDir()
	root, above := write(t, dir, "root.pem", ca.PEM(w.root.Certificate)), write(t, dir, "above.pem", ca.PEM(w.issuing.Certificate))
	db := filepath.Join(dir, "nss")
	if err := os.Mkdir(db, 0o700); err != nil {
		t.Fatal(err)
	}
	run(t, "certutil", "-N", "-d", "sql:"+db, "--empty-password")
	run(t, "certutil", "-A", "-d", "sql:"+db, "-n", "root", "-t", "CT,C,C", "-i", root)
	stamped := w.signed(2, w.tsa)
	long := w.raised(stamped, signing.BLT)
	for level, doc := range map[signing.Level][]byte{signing.BB: w.signed(2, nil), signing.BT: stamped, signing.BLT: long, signing.BLTA: w.raised(long, signing.BLTA)} {
		t.Run(string(level), func(t *testing.T) {
			path := write(t, t.TempDir(), "file.pdf", doc)
			if out := run(t, "qpdf", "--check", path); !strings.Contains(out, "No syntax or stream encoding errors found") {
				t.Errorf("qpdf: %s", out)
			}
			out := run(t, "pdfsig", "-nssdir", "sql:"+db, path)
			if strings.Count(out, "Signature is Valid.") != 2 || strings.Count(out, "Certificate is Trusted.") != 2 {
				t.Errorf("pdfsig: %s", out)
			}
			out = run(t, "mutool", "sign", "-v", path)
			// It says it in two ways: of the last one that nothing came after it.
			if strings.Count(out, "The signature is valid")+strings.Count(out, "unchanged since signing") != 2 || strings.Contains(out, "invalid") {
				t.Errorf("mutool: %s", out)
			}
			byOpenSSL(t, doc, level, root, above)
		})
	}
}

// byOpenSSL gives openssl each signature and each timestamp of a document.
func byOpenSSL(t *testing.T, doc []byte, level signing.Level, root, above string) {
	t.Helper()
	f := must[*pdf.File](t)(pdf.Parse(doc))
	dir := t.TempDir()
	signatures, stamps := 0, 0
	for _, field := range must[[]pdf.Field](t)(f.Fields(len(f.Revisions) - 1)) {
		contents := field.Value.Get("Contents")
		if contents.Kind != pdf.String {
			continue
		}
		span := field.Value.Get("ByteRange").Items
		a, b := span[1].Int, span[2].Int
		covered := write(t, dir, "covered", append(bytes.Clone(doc[:a]), doc[b:b+span[3].Int]...))
		der := padded(t, contents.Bytes())
		if field.Value.Get("SubFilter").Is("ETSI.RFC3161") {
			stamps++
			stamp(t, write(t, dir, "token", der), covered, root, above)
			continue
		}
		signatures++
		message := must[*cms.Message](t)(cms.Parse(der))
		signed := write(t, dir, "signature", der)
		out := run(t, "openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", signed, "-content", covered, "-CAfile", root, "-out", os.DevNull)
		if !strings.Contains(out, "CAdES Verification successful") {
			t.Errorf("openssl cms: %s", out)
		}
		if (message.Token != nil) != (level != signing.BB) {
			t.Errorf("%s: a signature has a timestamp: %t", level, message.Token != nil)
		}
		if message.Token != nil {
			stamps++
			must[*tsa.Token](t)(tsa.Parse(message.Token))
			stamp(t, write(t, dir, "token", message.Token), write(t, dir, "value", message.Signature), root, above)
		}
	}
	want := map[signing.Level]int{signing.BB: 0, signing.BT: 2, signing.BLT: 2, signing.BLTA: 3}[level]
	if signatures != 2 || stamps != want {
		t.Errorf("%s: %d signatures and %d timestamps, want 2 and %d", level, signatures, stamps, want)
	}
}

// padded takes the zeros behind the message away; its own last byte may be one.
func padded(t *testing.T, hole []byte) []byte {
	t.Helper()
	var message asn1.RawValue
	must[[]byte](t)(asn1.Unmarshal(hole, &message))
	return message.FullBytes
}

func stamp(t *testing.T, token, data, root, above string) {
	t.Helper()
	if out := run(t, "openssl", "ts", "-verify", "-token_in", "-in", token, "-data", data, "-CAfile", root, "-untrusted", above); !strings.Contains(out, "Verification: OK") {
		t.Errorf("openssl ts: %s", out)
	}
}
