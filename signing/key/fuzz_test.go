package key

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"os"
	"testing"
)

// FuzzKeyFile: whatever a key file holds, what comes out signs, or there is an error. The files ask for little work, so that
// the fuzzing is not spent on hashing.
func FuzzKeyFile(f *testing.F) {
	for _, name := range []string{"testdata/modern.p12", "testdata/legacy.p12", "testdata/scrypt.der"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if _, err := readKeyFile(data, &lock{[]byte("x"), 1000}); err != nil {
			f.Fatalf("%s: %v", name, err)
		}
		f.Add(data)
	}
	f.Add([]byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n"))
	digest := sha256.Sum256([]byte("x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := readKeyFile(data, &lock{[]byte("x"), 1000})
		if err != nil {
			return
		}
		k, _ := found.choose(nil)
		var opts crypto.SignerOpts = crypto.SHA256
		if _, ok := k.Public().(ed25519.PublicKey); ok {
			opts = crypto.Hash(0)
		}
		if _, err := k.Sign(rand.Reader, digest[:], opts); err != nil {
			t.Error(err)
		}
	})
}
