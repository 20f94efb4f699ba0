package cms

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha1"   // old signatures by others, which are checked and called weak
	_ "crypto/sha256" // the hashes of the allow-list
	_ "crypto/sha512"
	"crypto/subtle"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// The ways in which a message can fail to verify, besides ErrFormat.
var (
	// ErrDigest says that the signed digest is not the content's.
	ErrDigest = errors.New("the content is not what was signed")
	// ErrSignature says that the signature value is not the signer's over the signed attributes.
	ErrSignature = errors.New("the signature value is wrong")
	// ErrCertificate says that the signed attributes name another certificate than the signer's.
	ErrCertificate = errors.New("the signing certificate is not the one that was signed")
	// ErrUnnamed says that all holds, but that the signed attributes don't name the signer's certificate at all.
	ErrUnnamed = errors.New("the signing certificate is not signed along")
	// ErrAlgorithm says that the algorithm or key is none that is read, so that nothing but the digest was checked.
	ErrAlgorithm = errors.New("the algorithm is not read")
	// ErrWeak says that all holds, but by an algorithm or key that proves little today: SHA-1, RSA below 2048 bits.
	ErrWeak = errors.New("the algorithm is too weak")
)

// Verify checks that digest is the signed one, that the signer's key made the signature, and that the signed
// attributes name the signer's certificate. It says nothing about trust or time.
func (m *Message) Verify(digest []byte) error {
	if m.Hash == 0 {
		return ErrAlgorithm
	}
	if !m.bare && subtle.ConstantTimeCompare(digest, m.MessageDigest) != 1 {
		return ErrDigest
	}
	if m.Signer == nil {
		return m.verifyUnread()
	}
	for _, ids := range [][]certID{m.certIDs, m.oldIDs} {
		if len(ids) > 0 && !ids[0].names(m.Signer) {
			return ErrCertificate
		}
	}
	if err := m.verifyAttributes(digest); err != nil {
		return err
	}
	if m.weak() {
		return ErrWeak
	}
	if len(m.certIDs)+len(m.oldIDs) == 0 {
		return ErrUnnamed
	}
	return nil
}

// verifyUnread says what can be said where the signer's certificate can't be read: that it is not the one that the signed
// attributes name, which happens when it was damaged.
func (m *Message) verifyUnread() error {
	for _, id := range slices.Concat(m.certIDs[:min(len(m.certIDs), 1)], m.oldIDs[:min(len(m.oldIDs), 1)]) {
		if !slices.ContainsFunc(m.unread, func(raw []byte) bool { return id.names(&x509.Certificate{Raw: raw}) }) {
			return ErrCertificate
		}
	}
	return ErrAlgorithm
}

// verifyAttributes checks the signature over the signed attributes, or over the content where there are none. The
// attributes are signed in DER order; those who write them in another order have signed the one or the other.
func (m *Message) verifyAttributes(digest []byte) error {
	if m.bare {
		return m.verifySignature(nil, digest)
	}
	set := tlv(tagSet, m.signedAttributes)
	err := m.verifySignature(set, m.sum(set))
	if err != ErrSignature || !m.loose {
		return err
	}
	var elements [][]byte
	rest := cryptobyte.String(m.signedAttributes)
	for !rest.Empty() {
		var element cryptobyte.String
		if !rest.ReadASN1Element(&element, cbasn1.SEQUENCE) {
			return ErrSignature
		}
		elements = append(elements, element)
	}
	set = setOf(tagSet, elements...)
	return m.verifySignature(set, m.sum(set))
}

func (m *Message) sum(message []byte) []byte {
	h := m.Hash.New()
	h.Write(message)
	return h.Sum(nil)
}

// weak reports whether the algorithm or the key proves little today.
func (m *Message) weak() bool {
	switch pub := m.Signer.PublicKey.(type) {
	case *ecdsa.PublicKey:
		return m.Hash == crypto.SHA1 || pub.Curve == elliptic.P224()
	case *rsa.PublicKey:
		return m.Hash == crypto.SHA1 || pub.Size() < 2048/8
	}
	return m.Hash == crypto.SHA1
}

// NamesAll reports whether the signed attributes name every embedded certificate, as Sign makes them: then no byte
// of any certificate can change unnoticed.
func (m *Message) NamesAll() bool {
	for _, c := range m.Certificates {
		if !slices.ContainsFunc(m.certIDs, func(id certID) bool { return id.names(c) }) {
			return false
		}
	}
	return true
}

// VerifyContent checks a message that carries its content.
func (m *Message) VerifyContent() error {
	if m.Content == nil {
		return malformed("it carries no content")
	}
	if m.Hash == 0 {
		return ErrAlgorithm
	}
	return m.Verify(m.sum(m.Content))
}

// verifySignature checks the signature value over a message whose hash is given; Ed25519 wants the message itself.
func (m *Message) verifySignature(message, hashed []byte) error {
	switch pub := m.Signer.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if !m.signatureOID.Equal(ecdsaWith(m.Hash)) && !m.signatureOID.Equal(oidECPublicKey) {
			return ErrAlgorithm
		}
		if !ecdsa.VerifyASN1(pub, hashed, m.Signature) {
			return ErrSignature
		}
	case *rsa.PublicKey:
		return m.verifyRSA(pub, hashed)
	case ed25519.PublicKey:
		if !m.signatureOID.Equal(oidEd25519) || m.Hash != crypto.SHA512 || message == nil {
			return ErrAlgorithm // RFC 8419 §3
		}
		if !ed25519.Verify(pub, message, m.Signature) {
			return ErrSignature
		}
	default:
		return ErrAlgorithm
	}
	return nil
}

// ecdsaWith returns the identifier of ECDSA with a hash, nil for a hash that goes with none.
func ecdsaWith(h crypto.Hash) asn1.ObjectIdentifier {
	switch h {
	case crypto.SHA256:
		return oidECDSASHA256
	case crypto.SHA384:
		return oidECDSASHA384
	case crypto.SHA512:
		return oidECDSASHA512
	case crypto.SHA1:
		return oidECDSASHA1
	}
	return nil
}

func (m *Message) verifyRSA(pub *rsa.PublicKey, hashed []byte) error {
	want := map[crypto.Hash]string{
		crypto.SHA256: oidRSASHA256.String(), crypto.SHA384: oidRSASHA384.String(), crypto.SHA512: oidRSASHA512.String(), crypto.SHA1: oidRSASHA1.String(),
	}[m.Hash]
	if pub.Size() < 1024/8 {
		return ErrAlgorithm // crypto/rsa doesn't touch such keys
	}
	var err error
	switch id := m.signatureOID.String(); {
	case m.pss != nil && m.pss.hash == m.Hash:
		err = rsa.VerifyPSS(pub, m.Hash, hashed, m.Signature, &rsa.PSSOptions{SaltLength: m.pss.salt})
	case m.pss == nil && (id == want || id == oidRSA.String()):
		err = rsa.VerifyPKCS1v15(pub, m.Hash, hashed, m.Signature)
	default:
		return ErrAlgorithm
	}
	if err != nil {
		return ErrSignature
	}
	return nil
}

// LowS reports whether an ECDSA signature is the smaller of its two forms, as Sign makes it; true for RSA.
func (m *Message) LowS() bool {
	if m.Signer == nil {
		return false
	}
	pub, ok := m.Signer.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return true
	}
	_, s, ok := readECDSA(m.Signature)
	return ok && !highS(s, pub.Curve.Params().N)
}

// Algorithm names the signature algorithm and key for people: "ECDSA P-256 SHA-256".
func (m *Message) Algorithm() string {
	if m.Signer == nil {
		return m.signatureOID.String()
	}
	switch pub := m.Signer.PublicKey.(type) {
	case *ecdsa.PublicKey:
		return "ECDSA " + pub.Curve.Params().Name + " " + m.Hash.String()
	case *rsa.PublicKey:
		scheme := "RSA"
		if m.pss != nil {
			scheme = "RSA-PSS"
		}
		return fmt.Sprintf("%s %d %s", scheme, pub.N.BitLen(), m.Hash)
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return m.signatureOID.String()
}
