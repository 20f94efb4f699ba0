package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Identity is who signs: a certificate with its issuers, and every part of a message that is the same in all of its
// signatures, encoded once. It holds no key. Several goroutines may use it at once.
type Identity struct {
	leaf *x509.Certificate
	// The message in the order of its parts; the signer's info begins in opening and goes on after the attributes.
	contentType []byte
	version     []byte // the version and the digest algorithms
	certs       []byte
	info        []byte // version, identifier and digest algorithm of the signer
	attributes  []byte // the set that is signed, with zeros for the message digest
	digestAt    int    // where in attributes the message digest stands
	algorithm   []byte

	made  atomic.Int64             // signatures
	known atomic.Pointer[knownKey] // nil until it is worth its making
}

// worthKnowing is how many signatures a P-256 key makes before its table is computed, which then has paid off. A one-off
// key never gets there.
const worthKnowing = 32

// NewIdentity prepares signatures over documents. chain is the signer's certificate first, then its issuers;
// self-issued roots are left out. The certificate's key is P-256 or RSA of 2048 bits and more.
func NewIdentity(chain []*x509.Certificate) (*Identity, error) { return newIdentity(Data, chain) }

func newIdentity(contentType asn1.ObjectIdentifier, chain []*x509.Certificate) (*Identity, error) {
	if len(chain) == 0 {
		return nil, errors.New("sign: no certificate given")
	}
	leaf := chain[0]
	m := Message{ContentType: contentType, sidVersion: 1}
	for i, c := range chain {
		if i == 0 || !bytes.Equal(c.RawIssuer, c.RawSubject) {
			m.Certificates = append(m.Certificates, c)
		}
	}
	algorithm, err := signatureAlgorithm(leaf)
	if err != nil {
		return nil, err
	}
	digestAlgorithm := tlv(tagSequence, objectID(oidSHA256))
	var none [sha256.Size]byte
	attributes := tlv(tagSet, signedAttributes(contentType, none[:], leaf, m.Certificates))
	m.sortCertificates()
	raw := make([][]byte, len(m.Certificates))
	for i, c := range m.Certificates {
		raw[i] = c.Raw
	}
	return &Identity{
		leaf:        leaf,
		contentType: objectID(contentType),
		version:     append(integer(m.version()), tlv(tagSet, digestAlgorithm)...),
		certs:       tlv(tagContext0, raw...),
		info:        slices.Concat(integer(1), issuerAndSerial(leaf), digestAlgorithm),
		attributes:  attributes,
		digestAt:    bytes.Index(attributes, tlv(tagOctets, none[:])) + 2,
		algorithm:   algorithm,
	}, nil
}

// signatureAlgorithm encodes the algorithm with which the certificate's key signs.
func signatureAlgorithm(leaf *x509.Certificate) ([]byte, error) {
	switch pub := leaf.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if pub.Curve != elliptic.P256() {
			return nil, fmt.Errorf("sign as %q: curve %s is not P-256", leaf.Subject.CommonName, pub.Curve.Params().Name)
		}
		return tlv(tagSequence, objectID(oidECDSASHA256)), nil
	case *rsa.PublicKey:
		if pub.Size() < 2048/8 {
			return nil, fmt.Errorf("sign as %q: the RSA key has fewer than 2048 bits", leaf.Subject.CommonName)
		}
		return tlv(tagSequence, objectID(oidRSASHA256), []byte{tagNull, 0}), nil
	default:
		return nil, fmt.Errorf("sign as %q: keys of type %T are not supported", leaf.Subject.CommonName, pub)
	}
}

// Sign returns a detached CAdES-B SignedData over content whose SHA-256 is digest. What the key returned was checked with
// the certificate's public key: a message with a signature that does not hold is never returned.
//
// stamp, when not nil, is called once with the signature value; the token that it returns makes the result B-T, and a
// nil token without an error leaves it B-B, so that a timestamp authority that is away need not cost the signature.
func (w *Identity) Sign(digest [32]byte, key crypto.Signer, stamp func(sig []byte) (token []byte, err error)) ([]byte, error) {
	return w.sign(nil, digest, key, stamp)
}

func (w *Identity) sign(content []byte, digest [32]byte, key crypto.Signer, stamp func([]byte) ([]byte, error)) ([]byte, error) {
	name := w.leaf.Subject.CommonName
	if pub, ok := w.leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || !pub.Equal(key.Public()) {
		return nil, fmt.Errorf("sign as %q: the key is not the certificate's", name)
	}
	attributes := bytes.Clone(w.attributes)
	copy(attributes[w.digestAt:], digest[:])
	signed := sha256.Sum256(attributes)
	sig, err := key.Sign(rand.Reader, signed[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("sign as %q: %w", name, err)
	}
	if sig, err = w.checked(sig, signed); err != nil {
		return nil, fmt.Errorf("sign as %q: %w", name, err)
	}
	var token []byte
	if stamp != nil {
		if token, err = stamp(sig); err != nil {
			return nil, fmt.Errorf("timestamp the signature of %q: %w", name, err)
		}
		if token != nil && !oneSequence(token) {
			return nil, fmt.Errorf("timestamp the signature of %q: what came back is not one DER sequence", name)
		}
	}
	// The set that was signed stands in the message under another tag (RFC 5652 §5.4).
	attributes[0] = tagContext0
	return w.message(content, attributes, sig, token), nil
}

// checked returns a signature in its one form, after the public key said that it holds.
func (w *Identity) checked(sig []byte, signed [32]byte) ([]byte, error) {
	switch pub := w.leaf.PublicKey.(type) {
	case *ecdsa.PublicKey:
		sig, err := lowS(sig)
		if err != nil {
			return nil, err
		}
		holds, err := w.holds(pub, signed, sig)
		if err == nil && !holds {
			err = ErrSignature
		}
		return sig, err
	case *rsa.PublicKey:
		if rsa.VerifyPKCS1v15(pub, crypto.SHA256, signed[:], sig) != nil {
			return nil, ErrSignature
		}
		return sig, nil
	}
	return nil, ErrAlgorithm
}

// holds checks an ECDSA signature of the leaf's key.
func (w *Identity) holds(pub *ecdsa.PublicKey, signed [32]byte, sig []byte) (bool, error) {
	if w.made.Add(1) == worthKnowing {
		known, err := newKnownKey(pub)
		if err != nil {
			return false, fmt.Errorf("prepare the checks of signatures: %w", err)
		}
		w.known.Store(known)
	}
	if known := w.known.Load(); known != nil {
		return known.verify(signed, sig), nil
	}
	return ecdsa.VerifyASN1(pub, signed[:], sig), nil
}

func oneSequence(der []byte) bool {
	in := cryptobyte.String(der)
	var element cryptobyte.String
	return in.ReadASN1Element(&element, cbasn1.SEQUENCE) && in.Empty()
}

// signatureRoom is what a message needs beside the identity's own parts and the signature value: heads and identifiers.
const signatureRoom = 96

// Size returns how many bytes a signature of this identity over a document has at most, without a timestamp.
func (w *Identity) Size() int {
	value := 72 // an ECDSA signature with P-256
	if pub, ok := w.leaf.PublicKey.(*rsa.PublicKey); ok {
		value = pub.Size()
	}
	return len(w.certs) + len(w.info) + len(w.attributes) + len(w.algorithm) + value + signatureRoom
}

// message puts the parts together.
func (w *Identity) message(content, attributes, sig, token []byte) []byte {
	encap := w.contentType
	if content != nil {
		encap = slices.Concat(encap, tlv(tagContext0, tlv(tagOctets, content)))
	}
	value, unsigned := tlv(tagOctets, sig), []byte(nil)
	if token != nil {
		unsigned = tlv(tagContext1, attribute(oidTimestamp, token))
	}
	info := tlv(tagSequence, w.info, attributes, w.algorithm, value, unsigned)
	encap, infos := tlv(tagSequence, encap), head(tagSet, len(info))
	id := objectID(oidSignedData)
	size := len(w.version) + len(encap) + len(w.certs) + len(infos) + len(info)
	inner := head(tagSequence, size)
	middle := head(tagContext0, len(inner)+size)
	outer := head(tagSequence, len(id)+len(middle)+len(inner)+size)
	return slices.Concat(outer, id, middle, inner, w.version, encap, w.certs, infos, info)
}
