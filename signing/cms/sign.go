package cms

import (
	"crypto"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Object identifiers of RFC 5652, RFC 5035, RFC 3161, RFC 5754 and RFC 5758.
var (
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningTime   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	oidSigningCertV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidTimestamp     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	oidSHA256        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
	oidRSA           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidRSASHA256     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	oidRSASHA384     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}
	oidRSASHA512     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}
	oidECDSASHA256   = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidECDSASHA384   = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}
	oidECDSASHA512   = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}
)

// Data is the content type of a signature over a document (RFC 5652 §4).
var Data = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}

// TSTInfo is the content type of a timestamp token (RFC 3161 §2.4.2).
var TSTInfo = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}

// Sign returns a detached CAdES-B SignedData over content whose SHA-256 is digest. It is NewIdentity and Identity.Sign
// in one, for a key that signs once.
func Sign(digest [32]byte, key crypto.Signer, chain []*x509.Certificate, stamp func(sig []byte) (token []byte, err error)) ([]byte, error) {
	who, err := NewIdentity(chain)
	if err != nil {
		return nil, err
	}
	return who.Sign(digest, key, stamp)
}

// SignContent returns a SignedData that carries content of the given type, for timestamp tokens.
func SignContent(contentType asn1.ObjectIdentifier, content []byte, key crypto.Signer, chain []*x509.Certificate) ([]byte, error) {
	if content == nil {
		return nil, errors.New("sign content: there is none")
	}
	who, err := newIdentity(contentType, chain)
	if err != nil {
		return nil, err
	}
	return who.sign(content, sha256.Sum256(content), key, nil)
}

// signedAttributes returns the sorted contents of the set that is signed: content type, message digest and the
// hashes of all embedded certificates, the signer's first. Signing time is absent on purpose: PAdES has it in the
// signature dictionary.
func signedAttributes(contentType asn1.ObjectIdentifier, digest []byte, leaf *x509.Certificate, embedded []*x509.Certificate) []byte {
	// SHA-256 is the default algorithm of ESSCertIDv2, so DER leaves it out (RFC 5035 §4).
	name := func(c *x509.Certificate) []byte {
		hash := sha256.Sum256(c.Raw)
		return tlv(tagSequence, tlv(tagOctets, hash[:]))
	}
	ids := [][]byte{name(leaf)}
	for _, c := range embedded {
		if c != leaf {
			ids = append(ids, name(c))
		}
	}
	ess := tlv(tagSequence, tlv(tagSequence, ids...))
	set := setOf(tagSet,
		attribute(oidContentType, objectID(contentType)),
		attribute(oidMessageDigest, tlv(tagOctets, digest)),
		attribute(oidSigningCertV2, ess))
	return inside(set)
}

func attribute(id asn1.ObjectIdentifier, value []byte) []byte {
	return tlv(tagSequence, objectID(id), tlv(tagSet, value))
}

// inside returns the contents of one DER element that we have just built.
func inside(element []byte) []byte {
	s := cryptobyte.String(element)
	var in cryptobyte.String
	var tag cbasn1.Tag
	s.ReadAnyASN1(&in, &tag)
	return in
}

func issuerAndSerial(c *x509.Certificate) []byte {
	var b cryptobyte.Builder
	b.AddASN1BigInt(c.SerialNumber)
	return tlv(tagSequence, c.RawIssuer, b.BytesOrPanic())
}

// lowS replaces (r, s) by (r, n-s) when s is in the upper half, so that one signature has one encoding.
func lowS(sig []byte) ([]byte, error) {
	r, s, ok := readECDSA(sig)
	if !ok {
		return nil, errors.New("the key returned a malformed ECDSA signature")
	}
	n := elliptic.P256().Params().N
	if !highS(s, n) {
		return sig, nil
	}
	s.Sub(n, s)
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(r)
		b.AddASN1BigInt(s)
	})
	return b.Bytes()
}

func readECDSA(sig []byte) (r, s *big.Int, ok bool) {
	r, s = new(big.Int), new(big.Int)
	in := cryptobyte.String(sig)
	var seq cryptobyte.String
	ok = in.ReadASN1(&seq, cbasn1.SEQUENCE) && in.Empty() && seq.ReadASN1Integer(r) && seq.ReadASN1Integer(s) && seq.Empty()
	return r, s, ok
}

func highS(s, n *big.Int) bool { return s.Cmp(new(big.Int).Rsh(n, 1)) > 0 }
