package key

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// NewLink makes the key for one end of a connection between two programs, and its PEM form (PKCS#8) for the file that
// the program reads. It signs nothing but handshakes.
func NewLink() (crypto.Signer, []byte, error) {
	private, err := generate(P256)
	if err != nil {
		return nil, nil, fmt.Errorf("make the key of a connection: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, fmt.Errorf("encode the key of a connection: %w", err)
	}
	return private, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
