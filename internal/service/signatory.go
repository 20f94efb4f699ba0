package service

import (
	"crypto"
	"crypto/x509"
	"errors"
	"strings"

	"countersign/internal/fault"
	"countersign/signing/key"
)

// Signatory is somebody's key that is open, with its certificate and issuers.
type Signatory interface {
	crypto.Signer
	Chain() []*x509.Certificate
	Close() error
}

// KeyFile opens a key file; a file without a certificate, where none beside it is the key's, is key.file_certificate.
func KeyFile(data, passphrase []byte, beside []*x509.Certificate) (Signatory, error) {
	f, err := key.OpenFile(data, passphrase, beside)
	if err != nil {
		return nil, err
	}
	if len(f.Chain()) == 0 {
		return nil, errors.Join(fault.New(fault.Invalid, "key.file_certificate", nil), f.Close())
	}
	return f, nil
}

// TokenKey opens the key of a certificate on a token that is plugged in: the one with the serial number, or the only one
// where that is empty; otherwise it is cli.certificate.
func TokenKey(modules []string, inside bool, serial string, pin []byte) (Signatory, error) {
	tokens, err := OpenTokens(modules, inside)
	if err != nil {
		return nil, err
	}
	list, err := tokens.List()
	var found []key.Held
	for _, t := range list {
		for _, held := range t.Certificates {
			if serial == "" || strings.EqualFold(strings.TrimLeft(serial, "0"), held.Serial) {
				found = append(found, held)
			}
		}
	}
	if len(found) == 0 && err != nil {
		return nil, errors.Join(err, tokens.Close())
	}
	if len(found) != 1 {
		return nil, errors.Join(fault.New(fault.Invalid, "cli.certificate", nil), tokens.Close())
	}
	k, err := tokens.Signer(found[0].Ref, pin)
	if err != nil {
		return nil, errors.Join(err, tokens.Close())
	}
	return &tokenKey{k, tokens}, nil
}

// tokenKey lets the modules go with its key.
type tokenKey struct {
	*key.TokenSigner
	tokens *key.Tokens
}

func (k *tokenKey) Close() error { return errors.Join(k.TokenSigner.Close(), k.tokens.Close()) }

// ImportKey keeps the key of a key file in the installation's key store under a name.
func (s *Service) ImportKey(name string, data, passphrase []byte) error {
	f, err := key.OpenFile(data, passphrase, nil)
	if err != nil {
		return err
	}
	return errors.Join(s.Keys.ImportFile(name, f), f.Close())
}
