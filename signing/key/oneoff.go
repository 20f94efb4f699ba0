package key

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
)

// ErrDestroyed is what a one-off key's Sign returns after it was destroyed.
var ErrDestroyed = errors.New("the one-off key was destroyed")

// OneOff makes a P-256 key for a single signature, in memory only, and the function that destroys it, which may be called
// more than once. Destroying is best effort: the key's own number is overwritten, but the runtime may have moved or copied
// memory before, and the cryptographic library keeps a prepared form until the garbage collector takes it. What is certain
// is that nothing in this program can sign with it again.
func OneOff() (crypto.Signer, func(), error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make a one-off key: %w", err)
	}
	// The public key is a copy, or whoever keeps it would keep the private one in memory.
	point, err := private.PublicKey.Bytes()
	if err != nil {
		return nil, nil, fmt.Errorf("encode a one-off key: %w", err)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return nil, nil, fmt.Errorf("copy a one-off key's public half: %w", err)
	}
	k := &oneOff{private: private, public: public}
	return k, k.destroy, nil
}

type oneOff struct {
	public *ecdsa.PublicKey

	mu      sync.Mutex
	private *ecdsa.PrivateKey // nil once destroyed
}

func (k *oneOff) Public() crypto.PublicKey { return k.public }

func (k *oneOff) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.private == nil {
		return nil, ErrDestroyed
	}
	return k.private.Sign(rand, digest, opts)
}

func (k *oneOff) destroy() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.private == nil {
		return
	}
	//lint:ignore SA1019 there is no other way to reach the number itself, and the key is not used again.
	clear(k.private.D.Bits())
	k.private = nil
}
