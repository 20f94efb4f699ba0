package key_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"countersign/internal/fault"
	"countersign/internal/vault"
	"countersign/signing/key"
)

func open(t *testing.T) (*key.Store, *vault.Vault, string) {
	t.Helper()
	dir := t.TempDir()
	v, err := vault.Create(filepath.Join(dir, "vault"), []byte("cầu giấy mưa phùn 0042"))
	if err != nil {
		t.Fatal(err)
	}
	keys := filepath.Join(dir, "keys")
	s, err := key.New(keys, v)
	if err != nil {
		t.Fatal(err)
	}
	return s, v, keys
}

// works signs with k and checks the signature with the public key that was got before.
func works(t *testing.T, k crypto.Signer, pub crypto.PublicKey) {
	t.Helper()
	digest := sha256.Sum256([]byte("x"))
	switch pub := pub.(type) {
	case ed25519.PublicKey:
		sig, err := k.Sign(nil, digest[:], crypto.Hash(0))
		if err != nil || !ed25519.Verify(pub, digest[:], sig) {
			t.Errorf("Ed25519: %v", err)
		}
	case *ecdsa.PublicKey:
		sig, err := k.Sign(rand.Reader, digest[:], crypto.SHA256)
		if err != nil || !ecdsa.VerifyASN1(pub, digest[:], sig) {
			t.Errorf("P-256: %v", err)
		}
	case *rsa.PublicKey:
		sig, err := k.Sign(rand.Reader, digest[:], crypto.SHA256)
		if err != nil || rsa.VerifyPKCS1v15(pub, crypto.SHA256, digest[:], sig) != nil {
			t.Errorf("RSA: %v", err)
		}
	default:
		t.Errorf("a public key of type %T", pub)
	}
}

func TestAKeyOfEachKindSignsAfterARestart(t *testing.T) {
	s, v, dir := open(t)
	for name, kind := range map[string]key.Kind{"seal-business": key.P256, "seal-unit": key.RSA2048, "journal": key.Ed25519} {
		made, err := s.Create(name, kind)
		if err != nil {
			t.Fatal(err)
		}
		again, err := key.New(dir, v)
		if err != nil {
			t.Fatal(err)
		}
		k, err := again.Signer(name)
		if err != nil {
			t.Fatal(err)
		}
		works(t, k, made.Public())
		info, err := os.Stat(filepath.Join(dir, name+".key"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
		content, err := os.ReadFile(filepath.Join(dir, name+".key"))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := x509.MarshalPKCS8PrivateKey(made)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, plain[len(plain)-16:]) {
			t.Errorf("%s lies open on the disk", name)
		}
	}
	names, err := s.Names()
	if err != nil || !slices.Equal(names, []string{"journal", "seal-business", "seal-unit"}) {
		t.Errorf("names %v, %v", names, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.new")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestEachWrongKeyIsRefusedByName(t *testing.T) {
	s, _, dir := open(t)
	first, err := s.Create("a", key.P256)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create("b", key.P256); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create("a", key.P256); !fault.Is(err, "key.exists") {
		t.Errorf("a second key a: %v", err)
	}
	k, err := s.Signer("a")
	if err != nil {
		t.Fatal(err)
	}
	works(t, k, first.Public())
	if _, err := s.Signer("c"); !fault.Is(err, "key.missing") {
		t.Errorf("no key c: %v", err)
	}
	for _, name := range []string{"", "..", "../a", "A", "a/b", ".a", "-a", "a\x00", "ê", strings.Repeat("a", 65)} {
		if _, err := s.Signer(name); !fault.Is(err, "key.name") {
			t.Errorf("name %q: %v", name, err)
		}
		if _, err := s.Create(name, key.P256); !fault.Is(err, "key.name") {
			t.Errorf("name %q: %v", name, err)
		}
	}
	if _, err := s.Create("d", "SM2"); err == nil {
		t.Error("made a key of an unknown kind")
	}
	content, err := os.ReadFile(filepath.Join(dir, "a.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "b.key"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Signer("b"); !fault.Is(err, "key.broken") {
		t.Errorf("key a's file under the name b: %v", err)
	}
	content[len(content)/2] ^= 1
	if err := os.WriteFile(filepath.Join(dir, "a.key"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Signer("a"); !fault.Is(err, "key.broken") {
		t.Errorf("one bit flipped: %v", err)
	}
}

func TestKeysFollowTheVaultsRotation(t *testing.T) {
	s, v, _ := open(t)
	made, err := s.Create("a", key.P256)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Rotate(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{1, 0} {
		if moved, err := s.Rewrap(); err != nil || moved != want {
			t.Errorf("moved %d, want %d, %v", moved, want, err)
		}
		k, err := s.Signer("a")
		if err != nil {
			t.Fatal(err)
		}
		works(t, k, made.Public())
	}
}

func TestAOneOffKeySignsUntilItIsDestroyed(t *testing.T) {
	k, destroy, err := key.OneOff()
	if err != nil {
		t.Fatal(err)
	}
	works(t, k, k.Public())
	other, destroyOther, err := key.OneOff()
	if err != nil {
		t.Fatal(err)
	}
	defer destroyOther()
	if other.Public().(*ecdsa.PublicKey).Equal(k.Public()) {
		t.Error("two one-off keys are one")
	}
	destroy()
	destroy()
	digest := sha256.Sum256([]byte("x"))
	if _, err := k.Sign(rand.Reader, digest[:], crypto.SHA256); !errors.Is(err, key.ErrDestroyed) {
		t.Errorf("after its end: %v", err)
	}
	works(t, other, other.Public())
}
