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
	if file, err = EncodeFile(private, chain, []byte(passphrase), rand.Reader); err != nil {
		return nil, nil, nil, fmt.Errorf("write a customer's key into a file: %w", err)
	}
	again, err := FromFile(file, chain[0], passphrase)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("open a customer's key file again: %w", err)
	}
	signature, err = again.Sign(rand.Reader, proof, crypto.SHA256)
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
	file, err := EncodeFile(private, []*x509.Certificate{cert}, []byte(passphrase), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("write key %s into a file: %w", name, err)
	}
	return file, nil
}

// FromFile opens a file that Export wrote. The key must be the certificate's. Its fault is key.file.
func FromFile(file []byte, cert *x509.Certificate, passphrase string) (crypto.Signer, error) {
	found, err := readKeyFile(file, &lock{[]byte(passphrase), mostRounds})
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "key.file", nil)
	}
	signer, _ := found.choose([]*x509.Certificate{cert})
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
