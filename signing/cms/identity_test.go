package cms

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"strings"
	"testing"
)

// slipping is a key that slips: from some signature on it returns what change makes of the right one.
type slipping struct {
	crypto.Signer
	good   int
	change func(sig []byte) []byte
}

func (s *slipping) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	sig, err := s.Signer.Sign(random, digest, opts)
	if s.good--; s.good >= 0 || err != nil {
		return sig, err
	}
	return s.change(sig), nil
}

func TestASignatureThatDoesNotHoldIsNotReleased(t *testing.T) {
	a := newAuthority(t)
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	flipped := func(sig []byte) []byte { sig[len(sig)-1] ^= 1; return sig }
	for name, s := range map[string]signer{"P-256": p256(t, a), "RSA": newSigner(t, a, r, err)} {
		for what, change := range map[string]func([]byte) []byte{
			"a flipped bit": flipped, "nothing": func([]byte) []byte { return nil }, "cut short": func(sig []byte) []byte { return sig[:len(sig)-1] },
		} {
			// By the standard library at first, by the key's table later.
			for _, good := range []int{0, worthKnowing - 2, worthKnowing - 1, worthKnowing, worthKnowing + 1} {
				who, err := NewIdentity(s.chain)
				if err != nil {
					t.Fatal(err)
				}
				key := &slipping{Signer: s.key, good: good, change: change}
				for range good {
					if _, err := who.Sign(digest, key, nil); err != nil {
						t.Fatal(err)
					}
				}
				if der, err := who.Sign(digest, key, nil); err == nil || der != nil {
					t.Errorf("%s, %s after %d good ones: it is released", name, what, good)
				}
			}
		}
	}
}

func TestAnIdentitySignsAsSignDoes(t *testing.T) {
	a := newAuthority(t)
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	for name, s := range map[string]signer{"P-256": p256(t, a), "RSA": newSigner(t, a, r, err)} {
		who, err := NewIdentity(s.chain)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2 * worthKnowing {
			d := digest
			d[0] = byte(i)
			der, err := who.Sign(d, s.key, nil)
			if err != nil {
				t.Fatal(err)
			}
			m, err := Parse(der)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Verify(d[:]); err != nil || !m.Canonical || !m.Sorted || !m.LowS() || !m.NamesAll() || !bytes.Equal(m.encode(), der) {
				t.Fatalf("%s: %v", name, err)
			}
			if spare := who.Size() - len(der); spare < 0 || spare > signatureRoom {
				t.Errorf("%s: the signature has %d bytes, at most %d were announced", name, len(der), who.Size())
			}
		}
		// RSA signatures are the same each time.
		if one, err := Sign(digest, s.key, s.chain, nil); name == "RSA" {
			two, err2 := who.Sign(digest, s.key, nil)
			if err != nil || err2 != nil || !bytes.Equal(one, two) {
				t.Errorf("they differ: %v, %v", err, err2)
			}
		}
	}
}

func TestWhatIsNoTokenIsNotTakenIn(t *testing.T) {
	s := p256(t, newAuthority(t))
	for name, token := range map[string][]byte{"nothing in it": {}, "text": []byte("token"), "two": {0x30, 0, 0x30, 0}, "cut short": {0x30, 2, 5}} {
		der, err := Sign(digest, s.key, s.chain, func([]byte) ([]byte, error) { return token, nil })
		if err == nil || der != nil || !strings.Contains(err.Error(), "timestamp") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewIdentity(nil); err == nil {
		t.Error("an identity without a certificate")
	}
}
