package key_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"countersign/internal/fault"
	"countersign/signing/key"
)

func (d *desk) standing(pins map[string][]byte) *key.Standing {
	d.t.Helper()
	s := key.NewStanding(func() *key.Tokens { return key.OpenTokens(softHSM) }, pins)
	d.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			d.t.Error(err)
		}
	})
	return s
}

func TestATokenThatIsPutBackSignsAgainWithoutARestart(t *testing.T) {
	d := newDesk(t)
	d.token("dau")
	one, two := d.person("dau", "01", "DẤU MỘT", "MST:0100100417"), d.person("dau", "02", "DẤU HAI", "MST:0100100417")
	s := d.standing(map[string][]byte{"": []byte(pin)})
	digest := sha256.Sum256([]byte("phiếu"))
	sign := func(k crypto.Signer) error {
		made, err := k.Sign(nil, digest[:], crypto.SHA256)
		if err == nil && !ecdsa.VerifyASN1(k.Public().(*ecdsa.PublicKey), digest[:], made) {
			t.Error("a wrong signature was given out")
		}
		return err
	}
	name := func(raw []byte) string {
		sum := sha256.Sum256(raw)
		return hex.EncodeToString(sum[:])
	}
	// Two keys of one token take turns.
	for range 3 {
		for _, cert := range [][]byte{one.Raw, two.Raw} {
			k, err := s.Signer(name(cert))
			if err != nil {
				t.Fatal(err)
			}
			if err := sign(k); err != nil {
				t.Fatal(err)
			}
		}
	}
	k, err := s.Signer(name(one.Raw))
	if err != nil {
		t.Fatal(err)
	}
	in, out := filepath.Join(d.dir, "tokens"), filepath.Join(d.dir, "pulled")
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	move(in, out)
	if err := os.Mkdir(in, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := sign(k); !fault.Is(err, "key.token_gone") {
		t.Errorf("pulled before it signed: %v", err)
	}
	if _, err := s.Signer(name(one.Raw)); !fault.Is(err, "key.token_gone") || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("while it is away: %v", err)
	}
	if err := os.Remove(in); err != nil {
		t.Fatal(err)
	}
	move(out, in)
	if k, err = s.Signer(name(one.Raw)); err != nil {
		t.Fatalf("after it was put back: %v", err)
	}
	if err := sign(k); err != nil {
		t.Errorf("after it was put back: %v", err)
	}
	if _, err := s.Signer("00ff"); !fault.Is(err, "key.name") {
		t.Errorf("a name that is no fingerprint: %v", err)
	}
}

func TestAPINThatATokenRefusedIsNotSentAgain(t *testing.T) {
	d := newDesk(t)
	d.token("dau")
	cert := d.person("dau", "01", "DẤU MỘT", "MST:0100100417")
	sum := sha256.Sum256(cert.Raw)
	s := d.standing(map[string][]byte{"": []byte("135791")})
	if _, err := s.Signer(hex.EncodeToString(sum[:])); !fault.Is(err, "key.pin") {
		t.Fatalf("a wrong PIN: %v", err)
	}
	// Were it sent again, this PIN would be the right one now.
	d.run("pkcs11-tool", "--module", softHSM, "--token-label", "dau", "--login", "--pin", pin, "--change-pin", "--new-pin", "135791")
	if _, err := s.Signer(hex.EncodeToString(sum[:])); !fault.Is(err, "key.pin") {
		t.Errorf("it was sent again: %v", err)
	}
}
