package key

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
)

// mostBags bounds what is read of one PKCS#12 file.
const mostBags = 64

// Object identifiers of RFC 7292 and RFC 2315.
var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidEncryptedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}
	oidKeyBag        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 1}
	oidShroudedBag   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 2}
	oidCertBag       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 3}
	oidX509          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 22, 1}
)

// pfx is a PKCS#12 file (RFC 7292 §4).
type pfx struct {
	Version  int
	AuthSafe contentInfo
	Mac      macData `asn1:"optional"`
}

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"tag:0,explicit,optional"`
}

type macData struct {
	Mac struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
	Salt   []byte
	Rounds int `asn1:"optional,default:1"`
}

type bag struct {
	ID         asn1.ObjectIdentifier
	Value      asn1.RawValue   `asn1:"tag:0,explicit"`
	Attributes []asn1.RawValue `asn1:"set,optional"`
}

// pkcs12 reads the keys and certificates. Its MAC can't tell a wrong passphrase from a damaged file: what tells is whether
// anything decrypts.
func (f *keyFile) pkcs12(p pfx, with *lock) error {
	if !p.AuthSafe.Type.Equal(oidData) {
		return unknownError{"PKCS#12 protected by a public key"}
	}
	var content []byte
	if err := whole(p.AuthSafe.Content.Bytes, &content); err != nil {
		return errAltered
	}
	sealed := p.Mac.Mac.Algorithm.Algorithm != nil
	good := !sealed
	if sealed {
		var err error
		if good, err = with.mac12(p.Mac, content); err != nil {
			return err
		}
	}
	opened, err := f.safes(content, with)
	switch {
	case good && !sealed:
		return err
	case good && errors.Is(err, errPassphrase):
		return errAltered
	case good:
		return err
	case opened > 0:
		return errAltered
	}
	var unknown unknownError
	if errors.As(err, &unknown) {
		return err
	}
	return errPassphrase
}

// safes reads the contents of an authenticated safe and returns how many parts the passphrase decrypted.
func (f *keyFile) safes(content []byte, with *lock) (opened int, err error) {
	var parts []contentInfo
	if err := whole(content, &parts); err != nil || len(parts) > mostBags {
		return 0, errAltered
	}
	var errs []error
	for _, part := range parts {
		n, err := f.safe(part, with)
		opened += n
		errs = append(errs, err)
	}
	return opened, errors.Join(errs...)
}

// safe reads one part, which may be encrypted as a whole.
func (f *keyFile) safe(part contentInfo, with *lock) (opened int, err error) {
	var plain []byte
	switch {
	case part.Type.Equal(oidData):
		if err := whole(part.Content.Bytes, &plain); err != nil {
			return 0, errAltered
		}
	case part.Type.Equal(oidEncryptedData):
		var e struct {
			Version int
			Info    struct {
				Type      asn1.ObjectIdentifier
				Algorithm pkix.AlgorithmIdentifier
				Content   []byte `asn1:"tag:0,optional"`
			}
		}
		if err := whole(part.Content.Bytes, &e); err != nil {
			return 0, errAltered
		}
		if plain, err = with.decrypt(e.Info.Algorithm, e.Info.Content); err != nil {
			return 0, err
		}
		defer clear(plain)
		opened = 1
	default:
		return 0, unknownError{"PKCS#12 content " + part.Type.String()}
	}
	var bags []bag
	if err := whole(plain, &bags); err != nil || len(bags) > mostBags {
		if opened > 0 {
			// With a wrong passphrase the padding was right by chance.
			return 0, errPassphrase
		}
		return 0, errAltered
	}
	var errs []error
	for _, b := range bags {
		n, err := f.bag(b, with)
		opened += n
		errs = append(errs, err)
	}
	return opened, errors.Join(errs...)
}

func (f *keyFile) bag(b bag, with *lock) (opened int, err error) {
	switch {
	case b.ID.Equal(oidKeyBag):
		return 0, errBare
	case b.ID.Equal(oidShroudedBag):
		if err := f.shrouded(b.Value.Bytes, with); err != nil {
			return 0, err
		}
		return 1, nil
	case b.ID.Equal(oidCertBag):
		var c struct {
			Type asn1.ObjectIdentifier
			Data []byte `asn1:"tag:0,explicit"`
		}
		if err := whole(b.Value.Bytes, &c); err != nil {
			return 0, errAltered
		}
		if !c.Type.Equal(oidX509) {
			return 0, nil
		}
		cert, err := x509.ParseCertificate(c.Data)
		if err != nil {
			return 0, errAltered
		}
		f.certs = append(f.certs, cert)
	}
	return 0, nil
}
