package cms

import (
	"bytes"
	"compress/zlib"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"io"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Limits of one message; a mail has one signer and three or four certificates.
const (
	maxCertificates = 50
	maxSigners      = 10
)

// SignedData is a message with any number of signatures.
type SignedData struct {
	ContentType  asn1.ObjectIdentifier
	Content      []byte // nil when detached
	Certificates []*x509.Certificate
	Signers      []*Signer
}

// Signer is one signature, not yet checked.
type Signer struct {
	Certificate *x509.Certificate // nil when it is not in the message
	SigningTime time.Time         // as the signer says; zero when they don't

	hash        crypto.Hash
	hashName    asn1.ObjectIdentifier
	algorithm   asn1.ObjectIdentifier
	parameters  []byte // of the signature algorithm
	attributes  []byte // content of the signed attributes; nil when there are none
	contentType asn1.ObjectIdentifier
	digest      []byte
	certHash    []byte // from signing-certificate-v2; nil when absent
	certHashBy  crypto.Hash
	signature   []byte
}

// Parse reads a SignedData in BER or DER. Certificates that can't be read are left out: they can't sign either.
func Parse(b []byte) (*SignedData, error) {
	id, data, err := open(b)
	if err != nil {
		return nil, err
	}
	if !id.Equal(signedData) {
		return nil, malformed("it is not SignedData")
	}
	s := &SignedData{}
	var version int
	var algorithms, encap, set cryptobyte.String
	if !data.ReadASN1Integer(&version) || !data.ReadASN1(&algorithms, cbasn1.SET) || !data.ReadASN1(&encap, cbasn1.SEQUENCE) {
		return nil, malformed("version, digest algorithms or content are missing")
	}
	if s.ContentType, s.Content, err = content(encap); err != nil {
		return nil, err
	}
	var present bool
	if !data.ReadOptionalASN1(&set, &present, cbasn1.Tag(tagClass0)) {
		return nil, malformed("the certificates can't be read")
	}
	for !set.Empty() && len(s.Certificates) < maxCertificates {
		var raw cryptobyte.String
		var tag cbasn1.Tag
		if !set.ReadAnyASN1Element(&raw, &tag) {
			return nil, malformed("a certificate can't be read")
		}
		if c, err := x509.ParseCertificate(raw); err == nil {
			s.Certificates = append(s.Certificates, c)
		}
	}
	var crls, infos cryptobyte.String
	if !data.ReadOptionalASN1(&crls, &present, cbasn1.Tag(tagClass1)) || !data.ReadASN1(&infos, cbasn1.SET) {
		return nil, malformed("signers are missing")
	}
	for !infos.Empty() {
		var info cryptobyte.String
		if !infos.ReadASN1(&info, cbasn1.SEQUENCE) || len(s.Signers) == maxSigners {
			return nil, malformed("a signer can't be read, or there are too many")
		}
		signer, err := s.signer(info)
		if err != nil {
			return nil, err
		}
		s.Signers = append(s.Signers, signer)
	}
	return s, nil
}

// content reads EncapsulatedContentInfo. PKCS #7 messages hold an octet string too when the type is data.
func content(encap cryptobyte.String) (id asn1.ObjectIdentifier, out []byte, err error) {
	if !encap.ReadASN1ObjectIdentifier(&id) {
		return nil, nil, malformed("the content's type is missing")
	}
	if encap.Empty() {
		return id, nil, nil
	}
	var explicit, octets cryptobyte.String
	if !encap.ReadASN1(&explicit, cbasn1.Tag(tagClass0)) || !explicit.ReadASN1(&octets, cbasn1.OCTET_STRING) {
		return nil, nil, malformed("the content is not one octet string")
	}
	if octets == nil {
		octets = cryptobyte.String{}
	}
	return id, octets, nil
}

func (s *SignedData) signer(info cryptobyte.String) (*Signer, error) {
	g := &Signer{}
	var version int
	var sid, digest, sigAlg, sig cryptobyte.String
	var tag cbasn1.Tag
	if !info.ReadASN1Integer(&version) || !info.ReadAnyASN1Element(&sid, &tag) || !info.ReadASN1(&digest, cbasn1.SEQUENCE) || !digest.ReadASN1ObjectIdentifier(&g.hashName) {
		return nil, malformed("a signer's name or digest algorithm is missing")
	}
	g.hash = hashOf(g.hashName)
	g.Certificate = s.find(sid, tag)
	var attrs cryptobyte.String
	var present bool
	if !info.ReadOptionalASN1(&attrs, &present, cbasn1.Tag(tagClass0)) {
		return nil, malformed("signed attributes can't be read")
	}
	if present {
		g.attributes = append([]byte{}, attrs...)
		if err := g.readAttributes(attrs); err != nil {
			return nil, err
		}
	}
	if !info.ReadASN1(&sigAlg, cbasn1.SEQUENCE) || !sigAlg.ReadASN1ObjectIdentifier(&g.algorithm) || !info.ReadASN1(&sig, cbasn1.OCTET_STRING) {
		return nil, malformed("the signature is missing")
	}
	g.parameters, g.signature = sigAlg, sig
	return g, nil
}

// find picks the embedded certificate that a signer identifier names.
func (s *SignedData) find(sid cryptobyte.String, tag cbasn1.Tag) *x509.Certificate {
	for _, c := range s.Certificates {
		if tag == cbasn1.SEQUENCE {
			serial := cryptobyte.NewBuilder(nil)
			serial.AddASN1BigInt(c.SerialNumber)
			if bytes.Equal(sid, tlv(tagSeq, c.RawIssuer, serial.BytesOrPanic())) {
				return c
			}
		} else if len(c.SubjectKeyId) > 0 && (bytes.Equal(sid, tlv(0x80, c.SubjectKeyId)) || bytes.Equal(sid, tlv(tagClass0, tlv(tagOctets, c.SubjectKeyId)))) {
			return c
		}
	}
	return nil
}

func (g *Signer) readAttributes(attrs cryptobyte.String) error {
	seen := map[string]bool{}
	for !attrs.Empty() {
		var attr, values cryptobyte.String
		var id asn1.ObjectIdentifier
		if !attrs.ReadASN1(&attr, cbasn1.SEQUENCE) || !attr.ReadASN1ObjectIdentifier(&id) || !attr.ReadASN1(&values, cbasn1.SET) {
			return malformed("a signed attribute can't be read")
		}
		if seen[id.String()] {
			return malformed("a signed attribute is given twice")
		}
		seen[id.String()] = true
		switch {
		case id.Equal(attrContentType):
			if !values.ReadASN1ObjectIdentifier(&g.contentType) || !values.Empty() {
				return malformed("the signed content type can't be read")
			}
		case id.Equal(attrMessageDigest):
			var d cryptobyte.String
			if !values.ReadASN1(&d, cbasn1.OCTET_STRING) || !values.Empty() {
				return malformed("the message digest can't be read")
			}
			g.digest = d
		case id.Equal(attrSigningTime):
			if !values.ReadASN1UTCTime(&g.SigningTime) && !values.ReadASN1GeneralizedTime(&g.SigningTime) {
				g.SigningTime = time.Time{}
			}
		case id.Equal(attrSigningCert):
			g.readCertID(values)
		}
	}
	if g.digest == nil || g.contentType == nil {
		return malformed("content type or message digest is not signed")
	}
	return nil
}

// readCertID reads the first ESSCertIDv2 (RFC 5035 §4), which names the signer's certificate. One that can't be read
// names nothing.
func (g *Signer) readCertID(values cryptobyte.String) {
	var outer, certs, id, alg, hash cryptobyte.String
	var name asn1.ObjectIdentifier
	if !values.ReadASN1(&outer, cbasn1.SEQUENCE) || !outer.ReadASN1(&certs, cbasn1.SEQUENCE) || !certs.ReadASN1(&id, cbasn1.SEQUENCE) {
		return
	}
	g.certHashBy = crypto.SHA256
	if id.PeekASN1Tag(cbasn1.SEQUENCE) {
		if !id.ReadASN1(&alg, cbasn1.SEQUENCE) || !alg.ReadASN1ObjectIdentifier(&name) {
			return
		}
		g.certHashBy = hashOf(name)
	}
	if id.ReadASN1(&hash, cbasn1.OCTET_STRING) {
		g.certHash = hash
	}
}

// Open returns what a signed or compressed message carries, without asking whether its signature holds: a mail has to
// be readable in any case. Compressed content is unpacked up to limit bytes. Detached and encrypted messages carry
// nothing that can be read; that is not an error.
func Open(b []byte, limit int) ([]byte, error) {
	switch KindOf(b) {
	case Signed:
		_, data, err := open(b)
		if err != nil {
			return nil, err
		}
		var version int
		var algorithms, encap cryptobyte.String
		if !data.ReadASN1Integer(&version) || !data.ReadASN1(&algorithms, cbasn1.SET) || !data.ReadASN1(&encap, cbasn1.SEQUENCE) {
			return nil, malformed("version, digest algorithms or content are missing")
		}
		id, out, err := content(encap)
		if err != nil || !id.Equal(Data) {
			return nil, err
		}
		return out, nil
	case Compressed:
		return inflate(b, limit)
	}
	return nil, nil
}

func inflate(b []byte, limit int) ([]byte, error) {
	_, data, err := open(b)
	if err != nil {
		return nil, err
	}
	var version int
	var algorithm, encap cryptobyte.String
	if !data.ReadASN1Integer(&version) || !data.ReadASN1(&algorithm, cbasn1.SEQUENCE) || !data.ReadASN1(&encap, cbasn1.SEQUENCE) {
		return nil, malformed("the compressed content is missing")
	}
	_, packed, err := content(encap)
	if err != nil {
		return nil, err
	}
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, malformed("the compressed content can't be unpacked")
	}
	out, err := io.ReadAll(io.LimitReader(r, int64(limit)))
	if err != nil {
		return nil, malformed("the compressed content can't be unpacked")
	}
	return out, nil
}
