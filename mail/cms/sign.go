package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// Sign makes a detached signature over content with SHA-256: RSA PKCS #1 v1.5 or ECDSA by the key's kind. chain is the
// signer's certificate followed by all above it; a root may be left out or in.
func Sign(rand io.Reader, key crypto.Signer, chain []*x509.Certificate, content []byte, at time.Time) ([]byte, error) {
	if len(chain) == 0 {
		return nil, errors.New("sign a mail: there is no certificate")
	}
	sha := tlv(tagSeq, objectID(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}))
	var algorithm []byte
	switch key.Public().(type) {
	case *rsa.PublicKey:
		algorithm = tlv(tagSeq, objectID(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}), []byte{5, 0})
	case *ecdsa.PublicKey:
		algorithm = tlv(tagSeq, objectID(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}))
	default:
		return nil, fmt.Errorf("sign a mail: keys of kind %T are not supported; use RSA or ECDSA", key.Public())
	}
	if pub, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !pub.Equal(chain[0].PublicKey) {
		return nil, errors.New("sign a mail: the first certificate is not that of the key")
	}
	attributes := signedAttributes(chain[0], content, at)
	hashed := sha256.Sum256(tlv(tagSet, attributes))
	signature, err := key.Sign(rand, hashed[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("sign a mail: %w", err)
	}
	var certs [][]byte
	for _, c := range chain {
		certs = append(certs, c.Raw)
	}
	slices.SortFunc(certs, bytes.Compare)
	serial := cryptobyte.NewBuilder(nil)
	serial.AddASN1BigInt(chain[0].SerialNumber)
	one := []byte{2, 1, 1}
	info := tlv(tagSeq, one, tlv(tagSeq, chain[0].RawIssuer, serial.BytesOrPanic()), sha,
		tlv(tagClass0, attributes), algorithm, tlv(tagOctets, signature))
	return tlv(tagSeq, objectID(signedData), tlv(tagClass0, tlv(tagSeq,
		one, tlv(tagSet, sha), tlv(tagSeq, objectID(Data)), tlv(tagClass0, certs...), tlv(tagSet, info)))), nil
}

// signedAttributes are what the signature is over: content type, time, digest, and the certificate's own hash, so that
// no other certificate with the same key can be put in its place (RFC 5035).
func signedAttributes(c *x509.Certificate, content []byte, at time.Time) []byte {
	digest, cert := sha256.Sum256(content), sha256.Sum256(c.Raw)
	when := cryptobyte.NewBuilder(nil)
	when.AddASN1UTCTime(at.UTC())
	attribute := func(id asn1.ObjectIdentifier, value []byte) []byte {
		return tlv(tagSeq, objectID(id), tlv(tagSet, value))
	}
	all := [][]byte{
		attribute(attrContentType, objectID(Data)),
		attribute(attrSigningTime, when.BytesOrPanic()),
		attribute(attrMessageDigest, tlv(tagOctets, digest[:])),
		attribute(attrSigningCert, tlv(tagSeq, tlv(tagSeq, tlv(tagSeq, tlv(tagOctets, cert[:]))))),
	}
	slices.SortFunc(all, bytes.Compare)
	return bytes.Join(all, nil)
}
