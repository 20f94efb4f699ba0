package verify

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"os"
	"testing"
	"time"

	"countersign/internal/locale"
	"countersign/signing/ca"
)

func TestSignaturesByOpenSSLWithRarerAlgorithmsAreJudged(t *testing.T) {
	w := newWorldAt(t, noon)
	dir := t.TempDir()
	chain := write(t, dir, "chain.pem", ca.PEM(w.issuing.Certificate))
	ec := func(c elliptic.Curve) crypto.Signer {
		return must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(c, rand.Reader))
	}
	pss := []string{"-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:digest"}
	for name, c := range map[string]struct {
		key  crypto.Signer
		md   string
		args []string
	}{
		"RSA-PSS with SHA-256": {must[*rsa.PrivateKey](t)(rsaKey()), "sha256", pss},
		"RSA-PSS with SHA-512": {must[*rsa.PrivateKey](t)(rsaKey()), "sha512", pss},
		"P-384":                {ec(elliptic.P384()), "sha384", nil},
		"P-521":                {ec(elliptic.P521()), "sha512", nil},
	} {
		der := must[[]byte](t)(x509.CreateCertificate(rand.Reader, &x509.Certificate{
			SerialNumber: big.NewInt(79), Subject: pkix.Name{CommonName: name}, KeyUsage: x509.KeyUsageDigitalSignature,
			NotBefore: w.clock.Now().Add(-time.Hour), NotAfter: w.clock.Now().Add(365 * 24 * time.Hour),
		}, w.issuing.Certificate, c.key.Public(), w.issuing.Key()))
		cert := write(t, dir, "cert.pem", ca.PEM(must[*x509.Certificate](t)(x509.ParseCertificate(der))))
		key := write(t, dir, "key.pem", keyPEM(t, c.key))
		doc := form()
		doc = closeHole(t, appended(t, doc, "",
			changedIn(t, doc, formCatalog, "7 0 R]", "7 0 R 12 0 R]"), object{12, "<</FT/Sig/T(one)/V 13 0 R>>"}, object{13, dictionary("")},
		), func(content []byte) []byte {
			file, out := write(t, dir, "content", content), dir+"/out.der"
			run(t, "openssl", append([]string{"cms", "-sign", "-binary", "-signer", cert, "-inkey", key, "-certfile", chain, "-md", c.md, "-in", file, "-outform", "DER", "-out", out}, c.args...)...)
			return must[[]byte](t)(os.ReadFile(out))
		})
		if r := Verify(doc, w.policy()); r.Verdict != Passed || r.Integrity != "intact" {
			t.Errorf("%s: %s %s %s\n%s", name, r.Verdict, r.Sub, r.Integrity, Text(r, locale.English))
		}
		if r := Verify(flipped(doc), w.policy()); r.Verdict != Failed || r.Integrity != "broken" {
			t.Errorf("%s, changed: %s %s %s", name, r.Verdict, r.Sub, r.Integrity)
		}
	}
}

func TestASectionBehindALineEndIsFound(t *testing.T) {
	w := newWorld(t)
	s := w.stranger(t)
	plain := form()
	at := bytes.LastIndex(plain, []byte("\nxref\n"))
	early := bytes.Replace(plain, fmt.Appendf(nil, "startxref\n%d\n", at+1), fmt.Appendf(nil, "startxref\n%d\n", at), 1)
	if bytes.Equal(early, plain) {
		t.Fatal("the offset was not found")
	}
	if r := Verify(w.first(t, early, s, ""), w.policy()); r.Verdict != Passed || r.Changes != "none" {
		t.Errorf("%s", Text(r, locale.English))
	}
	far := bytes.Replace(plain, fmt.Appendf(nil, "startxref\n%d\n", at+1), fmt.Appendf(nil, "startxref\n%d\n", at-1), 1)
	if r := Verify(far, w.policy()); r.Verdict != Unreadable {
		t.Errorf("an offset into the object before: %s", Text(r, locale.English))
	}
}
