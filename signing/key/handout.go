package key

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"unicode/utf8"

	"software.sslmate.com/src/go-pkcs12"

	"countersign/internal/fault"
)

// MinPassphrase is how many characters protect a key that leaves the house in a file.
const MinPassphrase = 10

// HandOut makes a P-256 key for a customer, has it certified, and returns it as a PKCS#12 file under the customer's
// passphrase (AES-256, PBKDF2). The file is opened again, and its key signs the proof, before anybody gets it; of the key
// itself nothing stays here. Its faults are key.passphrase and whatever certify returns.
func HandOut(passphrase string, proof []byte, certify func(crypto.PublicKey) ([]*x509.Certificate, error)) (file []byte, chain []*x509.Certificate, signature []byte, err error) {
	if utf8.RuneCountInString(passphrase) < MinPassphrase {
		return nil, nil, nil, fault.New(fault.Invalid, "key.passphrase", fault.Args{"min": fmt.Sprint(MinPassphrase)})
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("make a key for a customer: %w", err)
	}
	if chain, err = certify(private.Public()); err != nil {
		return nil, nil, nil, err
	}
	if file, err = pkcs12.Modern2023.Encode(private, chain[0], chain[1:], passphrase); err != nil {
		return nil, nil, nil, fmt.Errorf("write a customer's key into a file: %w", err)
	}
	again, _, _, err := pkcs12.DecodeChain(file, passphrase)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("open a customer's key file again: %w", err)
	}
	signer, ok := again.(crypto.Signer)
	if !ok {
		return nil, nil, nil, fmt.Errorf("open a customer's key file again: a %T signs nothing", again)
	}
	signature, err = signer.Sign(rand.Reader, proof, crypto.SHA256)
	return file, chain, signature, err
}

// Export returns a kept key with its certificate as a PKCS#12 file under a passphrase, for a safe outside the machine.
func (s *Store) Export(name string, cert *x509.Certificate, passphrase string) ([]byte, error) {
	if utf8.RuneCountInString(passphrase) < MinPassphrase {
		return nil, fault.New(fault.Invalid, "key.passphrase", fault.Args{"min": fmt.Sprint(MinPassphrase)})
	}
	private, err := s.Signer(name)
	if err != nil {
		return nil, err
	}
	file, err := pkcs12.Modern2023.Encode(private, cert, nil, passphrase)
	if err != nil {
		return nil, fmt.Errorf("write key %s into a file: %w", name, err)
	}
	return file, nil
}

// FromFile opens a file that Export wrote. The key must be the certificate's. Its fault is key.file.
func FromFile(file []byte, cert *x509.Certificate, passphrase string) (crypto.Signer, error) {
	private, _, _, err := pkcs12.DecodeChain(file, passphrase)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "key.file", nil)
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, fault.Wrap(fmt.Errorf("a %T signs nothing", private), fault.Invalid, "key.file", nil)
	}
	if public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(cert.PublicKey) {
		return nil, fault.Wrap(errors.New("the key is not the certificate's"), fault.Invalid, "key.file", nil)
	}
	return signer, nil
}

// Remove takes a key out of the store. Whoever calls it has made sure that it is elsewhere, or not needed any more.
func (s *Store) Remove(name string) error {
	path, err := s.path(name)
	if err != nil {
		return err
	}
	if err := os.Remove(path); errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(err, fault.NotFound, "key.missing", fault.Args{"name": name})
	} else if err != nil {
		return fmt.Errorf("remove key %s: %w", name, err)
	}
	return s.sync()
}
