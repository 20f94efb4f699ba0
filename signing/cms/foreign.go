package cms

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// What others write into their messages, and Sign never does.
var (
	oidSigningCert = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidRevocation  = asn1.ObjectIdentifier{1, 2, 840, 113583, 1, 1, 8} // adbe-revocationInfoArchival, ISO 32000-1 §12.8.3.3.2
	oidSHA1        = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidRSASHA1     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}
	oidECDSASHA1   = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}
	oidECPublicKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidRSAPSS      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidMGF1        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}
	oidEd25519     = asn1.ObjectIdentifier{1, 3, 101, 112}
)

// readRevocation reads the revocation lists that came along.
func (m *Message) readRevocation(data *cryptobyte.String) error {
	var set cryptobyte.String
	var present bool
	if !data.ReadOptionalASN1(&set, &present, cbasn1.Tag(tagContext1)) {
		return malformed("revocation information can't be read")
	}
	m.loose = m.loose || present
	for !set.Empty() {
		var raw cryptobyte.String
		var tag cbasn1.Tag
		if !set.ReadAnyASN1Element(&raw, &tag) || len(m.CRLs) == maxCertificates {
			return malformed("revocation information can't be read")
		}
		if tag == cbasn1.SEQUENCE {
			m.CRLs = append(m.CRLs, raw)
		}
	}
	return nil
}

// readArchivedRevocation reads RevocationInfoArchival: lists, OCSP responses, others. It is data for later; what can't
// be read of it is left out.
func (m *Message) readArchivedRevocation(values cryptobyte.String) error {
	var seq cryptobyte.String
	if !values.ReadASN1(&seq, cbasn1.SEQUENCE) {
		return nil
	}
	for i, to := range []*[][]byte{&m.CRLs, &m.OCSPs} {
		var explicit, list cryptobyte.String
		var present bool
		if !seq.ReadOptionalASN1(&explicit, &present, cbasn1.Tag(tagContext0+i)) {
			return nil
		}
		if !present || !explicit.ReadASN1(&list, cbasn1.SEQUENCE) {
			continue
		}
		for !list.Empty() && len(*to) < maxCertificates {
			var raw cryptobyte.String
			if !list.ReadASN1Element(&raw, cbasn1.SEQUENCE) {
				return nil
			}
			*to = append(*to, raw)
		}
	}
	return nil
}

// findSigner picks the embedded certificate that the signer identifier names. Where it names none exactly, which happens
// when a name is encoded otherwise than in the certificate, the one with the serial number will do if it is alone.
func (m *Message) findSigner(tag cbasn1.Tag) error {
	for _, c := range m.Certificates {
		if m.sidVersion == 1 && tag == cbasn1.SEQUENCE && bytes.Equal(m.sid, issuerAndSerial(c)) ||
			m.sidVersion == 3 && tag == tagPrimitive && len(c.SubjectKeyId) > 0 && bytes.Equal(m.sid, tlv(tagPrimitive, c.SubjectKeyId)) {
			m.Signer = c
			return nil
		}
	}
	m.loose = true
	var sid, issuer, serial cryptobyte.String
	in := cryptobyte.String(m.sid)
	if tag == cbasn1.SEQUENCE && in.ReadASN1(&sid, cbasn1.SEQUENCE) && sid.ReadASN1Element(&issuer, cbasn1.SEQUENCE) && sid.ReadASN1Element(&serial, cbasn1.INTEGER) {
		var same []*x509.Certificate
		for _, c := range m.Certificates {
			if id := issuerAndSerial(c); bytes.HasSuffix(id, serial) && bytes.Equal(id, tlv(tagSequence, c.RawIssuer, serial)) {
				same = append(same, c)
			}
		}
		if len(same) == 1 {
			m.Signer = same[0]
			return nil
		}
		for _, raw := range m.unread {
			if bytes.Contains(raw, serial) {
				return nil
			}
		}
	}
	if tag == tagPrimitive && len(m.unread) > 0 {
		return nil
	}
	return malformed("the signer's certificate is not embedded")
}

// algorithm reads an AlgorithmIdentifier whose parameters are absent or NULL.
func algorithm(element []byte) (asn1.ObjectIdentifier, bool) {
	id, params, ok := algorithmOf(element)
	return id, ok && (len(params) == 0 || bytes.Equal(params, []byte{tagNull, 0}))
}

func algorithmOf(element []byte) (id asn1.ObjectIdentifier, params []byte, ok bool) {
	in := cryptobyte.String(element)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1ObjectIdentifier(&id) {
		return nil, nil, false
	}
	return id, seq, true
}

// hashOf returns the hash of an identifier, 0 for one that is not read.
func hashOf(id asn1.ObjectIdentifier) crypto.Hash {
	switch {
	case id.Equal(oidSHA256):
		return crypto.SHA256
	case id.Equal(oidSHA384):
		return crypto.SHA384
	case id.Equal(oidSHA512):
		return crypto.SHA512
	case id.Equal(oidSHA1):
		return crypto.SHA1
	}
	return 0
}

func (m *Message) readAlgorithms() error {
	id, ok := algorithm(m.digestAlgorithm)
	if !ok {
		return malformed("the digest algorithm can't be read")
	}
	m.Hash = hashOf(id)
	id, params, ok := algorithmOf(m.signatureAlgorithm)
	if !ok {
		return malformed("the signature algorithm can't be read")
	}
	m.signatureOID = id
	if id.Equal(oidRSAPSS) {
		m.pss, ok = readPSS(params)
	} else {
		ok = len(params) == 0 || bytes.Equal(params, []byte{tagNull, 0})
	}
	if !ok {
		m.signatureOID, m.loose = nil, true // Verify calls it an algorithm that is not accepted
	}
	return nil
}

// pss is the parameters of RSASSA-PSS (RFC 4055 §3.1).
type pss struct {
	hash crypto.Hash
	salt int
}

func readPSS(params []byte) (*pss, bool) {
	p := &pss{hash: crypto.SHA1, salt: 20}
	in := cryptobyte.String(params)
	var seq, field, element, inner cryptobyte.String
	var present bool
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, false
	}
	if !seq.ReadOptionalASN1(&field, &present, cbasn1.Tag(tagContext0)) {
		return nil, false
	}
	if present {
		id, ok := algorithm(field)
		if p.hash = hashOf(id); !ok || p.hash == 0 {
			return nil, false
		}
	}
	mask := crypto.SHA1
	if !seq.ReadOptionalASN1(&field, &present, cbasn1.Tag(tagContext1)) {
		return nil, false
	}
	if present {
		id, rest, ok := algorithmOf(field)
		if !ok || !id.Equal(oidMGF1) {
			return nil, false
		}
		if inner = rest; !inner.ReadASN1Element(&element, cbasn1.SEQUENCE) || !inner.Empty() {
			return nil, false
		}
		name, ok := algorithm(element)
		if mask = hashOf(name); !ok {
			return nil, false
		}
	}
	if !seq.ReadOptionalASN1(&field, &present, cbasn1.Tag(tagContext0+2)) || present && (!field.ReadASN1Integer(&p.salt) || p.salt < 0 || p.salt > 512) {
		return nil, false
	}
	if !seq.ReadOptionalASN1(&field, &present, cbasn1.Tag(tagContext0+3)) || !seq.Empty() || mask != p.hash {
		return nil, false
	}
	return p, true
}

// readSigningCertificate reads the ESSCertIDv2s, the first of which names the signer's certificate (RFC 5035 §3).
func (m *Message) readSigningCertificate(values cryptobyte.String) error {
	ids, ok := readCertIDs(values, crypto.SHA256)
	if !ok {
		return malformed("the signing-certificate attribute can't be read")
	}
	m.certIDs = ids
	return nil
}

// readOldSigningCertificate reads ESSCertIDs, whose hash is SHA-1 (RFC 2634 §5.4).
func (m *Message) readOldSigningCertificate(values cryptobyte.String) error {
	ids, ok := readCertIDs(values, crypto.SHA1)
	if !ok {
		return malformed("the signing-certificate attribute can't be read")
	}
	m.oldIDs, m.loose = ids, true
	return nil
}

func readCertIDs(values cryptobyte.String, hash crypto.Hash) (out []certID, ok bool) {
	var outer, certs cryptobyte.String
	if !values.ReadASN1(&outer, cbasn1.SEQUENCE) || !values.Empty() || !outer.ReadASN1(&certs, cbasn1.SEQUENCE) || certs.Empty() {
		return nil, false
	}
	for !certs.Empty() {
		var id, alg, hashed cryptobyte.String
		if !certs.ReadASN1(&id, cbasn1.SEQUENCE) || len(out) == maxCertificates {
			return nil, false
		}
		c := certID{algorithm: hash}
		if hash != crypto.SHA1 && id.PeekASN1Tag(cbasn1.SEQUENCE) {
			if !id.ReadASN1Element(&alg, cbasn1.SEQUENCE) {
				return nil, false
			}
			name, ok := algorithm(alg)
			if c.algorithm = hashOf(name); !ok || c.algorithm == 0 {
				return nil, false
			}
		}
		if !id.ReadASN1(&hashed, cbasn1.OCTET_STRING) {
			return nil, false
		}
		c.hash = hashed
		out = append(out, c)
	}
	return out, true
}
