package cms

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // the hashes of the allow-list
	_ "crypto/sha512"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
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
	// ErrAlgorithm says that the algorithm or key is not on the allow-list.
	ErrAlgorithm = errors.New("the algorithm is not accepted")
)

// Verify checks that digest is the signed one, that the signer's key made the signature, and that the signed
// attributes name the signer's certificate. It says nothing about trust or time.
func (m *Message) Verify(digest []byte) error {
	if subtle.ConstantTimeCompare(digest, m.MessageDigest) != 1 {
		return ErrDigest
	}
	if len(m.certIDs) > 0 && !m.certIDs[0].names(m.Signer) {
		return ErrCertificate
	}
	h := m.Hash.New()
	h.Write(tlv(tagSet, m.signedAttributes))
	if err := m.verifySignature(h.Sum(nil)); err != nil {
		return err
	}
	if len(m.certIDs) == 0 {
		return ErrUnnamed
	}
	return nil
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
	h := m.Hash.New()
	h.Write(m.Content)
	return m.Verify(h.Sum(nil))
}

func (m *Message) verifySignature(hashed []byte) error {
	switch pub := m.Signer.PublicKey.(type) {
	case *ecdsa.PublicKey:
		want := map[crypto.Hash]string{
			crypto.SHA256: oidECDSASHA256.String(), crypto.SHA384: oidECDSASHA384.String(), crypto.SHA512: oidECDSASHA512.String(),
		}[m.Hash]
		if m.signatureOID.String() != want || pub.Curve == elliptic.P224() {
			return ErrAlgorithm
		}
		if !ecdsa.VerifyASN1(pub, hashed, m.Signature) {
			return ErrSignature
		}
	case *rsa.PublicKey:
		want := map[crypto.Hash]string{
			crypto.SHA256: oidRSASHA256.String(), crypto.SHA384: oidRSASHA384.String(), crypto.SHA512: oidRSASHA512.String(),
		}[m.Hash]
		if id := m.signatureOID.String(); id != want && id != oidRSA.String() || pub.Size() < 2048/8 {
			return ErrAlgorithm
		}
		if rsa.VerifyPKCS1v15(pub, m.Hash, hashed, m.Signature) != nil {
			return ErrSignature
		}
	default:
		return ErrAlgorithm
	}
	return nil
}

// LowS reports whether an ECDSA signature is the smaller of its two forms, as Sign makes it; true for RSA.
func (m *Message) LowS() bool {
	pub, ok := m.Signer.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return true
	}
	_, s, ok := readECDSA(m.Signature)
	return ok && !highS(s, pub.Curve.Params().N)
}

// Algorithm names the signature algorithm and key for people: "ECDSA P-256 SHA-256".
func (m *Message) Algorithm() string {
	switch pub := m.Signer.PublicKey.(type) {
	case *ecdsa.PublicKey:
		return "ECDSA " + pub.Curve.Params().Name + " " + m.Hash.String()
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d %s", pub.N.BitLen(), m.Hash)
	}
	return m.signatureOID.String()
}
