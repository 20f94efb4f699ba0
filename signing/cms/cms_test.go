package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/signing/ca"
)

type signer struct {
	key   crypto.Signer
	chain []*x509.Certificate
}

func newAuthority(tb testing.TB) *ca.Authority {
	tb.Helper()
	at := clock.At(time.Date(2026, 11, 21, 12, 0, 0, 0, clock.Vietnam))
	root, err := ca.NewRoot(pkix.Name{CommonName: "Root"}, at, rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	issuing, err := root.NewIssuing(pkix.Name{CommonName: "Issuing"})
	if err != nil {
		tb.Fatal(err)
	}
	return issuing
}

func newSigner(tb testing.TB, a *ca.Authority, key crypto.Signer, err error) signer {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	chain, err := a.IssueSeal(key.Public(), ca.Seal{Name: "Seal", Organisation: "Org", OrganisationID: "1", Life: time.Hour})
	if err != nil {
		tb.Fatal(err)
	}
	return signer{key, chain}
}

func p256(tb testing.TB, a *ca.Authority) signer {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return newSigner(tb, a, k, err)
}

var digest = sha256.Sum256([]byte("document"))

func TestWhatIsSignedVerifiesAndIsCanonical(t *testing.T) {
	a := newAuthority(t)
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	for name, s := range map[string]signer{"P-256": p256(t, a), "RSA": newSigner(t, a, r, err)} {
		// Many, so that both halves of s and all lengths of r and s occur.
		for range 50 {
			der, err := Sign(digest, s.key, s.chain, nil)
			if err != nil {
				t.Fatal(err)
			}
			m, err := Parse(der)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Verify(digest[:]); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !m.Canonical || !m.Sorted || !m.LowS() || !m.NamesAll() || m.Token != nil || m.Content != nil || !m.SigningTime.IsZero() {
				t.Errorf("%s: canonical %v, sorted %v, low s %v, all named %v", name, m.Canonical, m.Sorted, m.LowS(), m.NamesAll())
			}
			if !m.Signer.Equal(s.chain[0]) || len(m.Certificates) != 2 {
				t.Errorf("%s: signer %s of %d certificates", name, m.Signer.Subject, len(m.Certificates))
			}
			other := sha256.Sum256([]byte("another"))
			if err := m.Verify(other[:]); !errors.Is(err, ErrDigest) {
				t.Errorf("%s: another document: %v", name, err)
			}
		}
	}
}

func TestTheRootIsNotEmbedded(t *testing.T) {
	at := clock.At(time.Date(2026, 11, 21, 12, 0, 0, 0, clock.Vietnam))
	root, err := ca.NewRoot(pkix.Name{CommonName: "Root"}, at, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := p256(t, root)
	der, err := Sign(digest, s.key, append(s.chain, root.Certificate), nil)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(der, root.Certificate.Raw) {
		t.Error("the root is in the message")
	}
}

func TestSignRefuses(t *testing.T) {
	a := newAuthority(t)
	s, other := p256(t, a), p256(t, a)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	wide := newSigner(t, a, p384, err)
	for name, f := range map[string]func() ([]byte, error){
		"a key that is not the certificate's": func() ([]byte, error) { return Sign(digest, other.key, s.chain, nil) },
		"no certificate":                      func() ([]byte, error) { return Sign(digest, s.key, nil, nil) },
		"another curve":                       func() ([]byte, error) { return Sign(digest, wide.key, wide.chain, nil) },
		"a stamp that fails": func() ([]byte, error) {
			return Sign(digest, s.key, s.chain, func([]byte) ([]byte, error) { return nil, io.ErrUnexpectedEOF })
		},
		"content that is missing": func() ([]byte, error) { return SignContent(TSTInfo, nil, s.key, s.chain) },
	} {
		if der, err := f(); err == nil || der != nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if der, err := Sign(digest, s.key, s.chain, func([]byte) ([]byte, error) { return nil, nil }); err != nil || len(der) == 0 {
		t.Errorf("a timestamp authority that is away costs the signature: %v", err)
	}
}

func TestEveryFlippedBitIsNoticed(t *testing.T) {
	a := newAuthority(t)
	s := p256(t, a)
	der, err := Sign(digest, s.key, s.chain, func(sig []byte) ([]byte, error) { return SignContent(TSTInfo, sig, s.key, s.chain) })
	if err != nil {
		t.Fatal(err)
	}
	good := func(der []byte) bool {
		m, err := Parse(der)
		if err != nil || m.Verify(digest[:]) != nil || !m.Canonical || !m.Sorted || !m.NamesAll() || !m.LowS() {
			return false
		}
		// The token here is a message over the signature value, standing in for a timestamp.
		token, err := Parse(m.Token)
		return err == nil && token.VerifyContent() == nil && bytes.Equal(token.Content, m.Signature) && token.Canonical && token.Sorted && token.NamesAll() && token.LowS()
	}
	if !good(der) {
		t.Fatal("the message itself does not hold")
	}
	for bit := range 8 * len(der) {
		der[bit/8] ^= 1 << (bit % 8)
		if good(der) {
			t.Errorf("bit %d of byte %d goes unnoticed", bit%8, bit/8)
		}
		der[bit/8] ^= 1 << (bit % 8)
	}
}

func TestAChangedContentIsNoticed(t *testing.T) {
	s := p256(t, newAuthority(t))
	der, err := SignContent(TSTInfo, []byte("content"), s.key, s.chain)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(bytes.Replace(der, []byte("content"), []byte("contend"), 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.VerifyContent(); !errors.Is(err, ErrDigest) {
		t.Errorf("%v", err)
	}
}

func FuzzParse(f *testing.F) {
	s := p256(f, newAuthority(f))
	der, err := Sign(digest, s.key, s.chain, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	stamped, err := Sign(digest, s.key, s.chain, func(sig []byte) ([]byte, error) { return SignContent(TSTInfo, sig, s.key, s.chain) })
	if err != nil {
		f.Fatal(err)
	}
	f.Add(stamped)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			return
		}
		m.Verify(digest[:])
		m.LowS()
		m.NamesAll()
		m.Algorithm()
	})
}
