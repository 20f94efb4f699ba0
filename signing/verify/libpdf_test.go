package verify

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"countersign/internal/locale"
	"countersign/signing/ca"
)

// TestTheLevelsOfAnIndependentProducerAreJudged has @libpdf/core sign at every level.
func TestTheLevelsOfAnIndependentProducerAreJudged(t *testing.T) {
	cache := must[string](t)(os.UserCacheDir())
	modules := filepath.Join(cache, "countersign-test", "node_modules")
	if _, err := os.Stat(filepath.Join(modules, "@libpdf", "core")); err != nil {
		t.Fatalf("@libpdf/core is missing (scripts/install-test-needs installs it): %v", err)
	}
	now := time.Now()
	w := newWorldAt(t, now)
	dir := t.TempDir()
	s := w.stranger(t)
	write(t, dir, "cert.pem", ca.PEM(s.chain[0]))
	write(t, dir, "key.pem", keyPEM(t, s.key))
	write(t, dir, "chain.pem", ca.PEM(w.issuing.Certificate))
	write(t, dir, "issuing.der", w.issuing.Certificate.Raw)
	k := newKey(t)
	critical := must[[]byte](t)(asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}}))
	authority := must[[]byte](t)(x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(79), Subject: pkix.Name{CommonName: "Another's TSA"}, KeyUsage: x509.KeyUsageDigitalSignature,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: critical}},
	}, w.issuing.Certificate, k.Public(), w.issuing.Key()))
	write(t, dir, "tsa.pem", ca.PEM(must[*x509.Certificate](t)(x509.ParseCertificate(authority))))
	write(t, dir, "tsa.key", keyPEM(t, k))
	write(t, dir, "serial", []byte("01\n"))
	write(t, dir, "tsa.cnf", []byte("[tsa]\nserial=serial\ncrypto_device=builtin\nsigner_cert=tsa.pem\ncerts=chain.pem\nsigner_key=tsa.key\nsigner_digest=sha256\ndefault_policy=1.2.3.4.1\ndigests=sha256\ness_cert_id_alg=sha256\n"))
	for name, above := range map[string]*ca.Authority{"root": w.root, "issuing": w.issuing} {
		write(t, dir, name+".crl", must[[]byte](t)(x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
			Number: big.NewInt(1), ThisUpdate: now.Add(-time.Minute), NextUpdate: now.Add(time.Hour),
		}, above.Certificate, above.Key())))
	}
	run(t, "openssl", "pkcs12", "-export", "-inkey", dir+"/key.pem", "-in", dir+"/cert.pem", "-certfile", dir+"/chain.pem", "-passout", "pass:test", "-out", dir+"/key.p12")
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	script := write(t, dir, "libpdf.mjs", must[[]byte](t)(os.ReadFile("testdata/libpdf.mjs")))
	run(t, "node", script, dir)
	policy := Policy{Roots: w.policy().Roots, At: time.Now().Add(time.Second)}
	for name, c := range map[string]struct{ level, changes string }{
		"B-B": {"B-B", "none"}, "B-T": {"B-T", "none"}, "B-LT": {"B-LT", "permitted"}, "B-LTA": {"B-LTA", "permitted"},
		"legacy": {"", "none"}, "two": {"B-LTA", "permitted"},
	} {
		doc := must[[]byte](t)(os.ReadFile(filepath.Join(dir, name+".pdf")))
		r := Verify(doc, policy)
		if r.Verdict != Passed || r.Integrity != "intact" || r.Changes != c.changes || r.Signatures[0].Level != c.level {
			t.Errorf("%s: %s %s, %s, changes %s, level %q\n%s", name, r.Verdict, r.Sub, r.Integrity, r.Changes, r.Signatures[0].Level, Text(r, locale.English))
		}
		doc[len("%PDF-1.7")+40] ^= 1
		if r := Verify(doc, policy); r.Verdict != Failed {
			t.Errorf("%s, changed: %s %s", name, r.Verdict, r.Sub)
		}
	}
}
