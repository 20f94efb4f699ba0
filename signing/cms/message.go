// Package cms makes and reads the CMS part of a PAdES signature: CAdES-B with ESS signing-certificate-v2.
//
// What Sign makes has one possible encoding, and Parse says whether a message has it: Canonical holds when the
// bytes equal the re-encoding of exactly the fields that Verify looks at. A flipped bit in a field that nobody
// reads thus can't hide. Messages by others are read as they come (BER, unsorted attributes, RSA-PSS, SHA-1): those are
// not canonical, and Verify says ErrWeak where the algorithm no longer proves much. Whether each embedded certificate is needed, and who is trusted, is signing/verify's to
// judge. The package knows nothing of PDF and opens no keys. Start reading at Identity and Parse.
package cms

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"sort"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Limits of what Parse accepts; a signature of ours has about 2 KiB and three certificates.
const (
	maxMessage      = 1 << 20
	maxCertificates = 32
)

// ErrFormat says that bytes are not a SignedData that this package reads.
var ErrFormat = errors.New("malformed CMS signature")

// Message is one SignedData with one signer.
type Message struct {
	ContentType   asn1.ObjectIdentifier
	Content       []byte // nil when detached
	Certificates  []*x509.Certificate
	Signer        *x509.Certificate // one of Certificates; nil when it is there but Go can't read it
	Hash          crypto.Hash       // 0 when it is none that is read
	MessageDigest []byte
	Signature     []byte
	Token         []byte    // the signature timestamp, nil in B-B
	SigningTime   time.Time // zero in PAdES, which forbids it
	CRLs, OCSPs   [][]byte  // revocation data that came along, in DER; none in PAdES

	// Canonical holds when the message equals its own re-encoding from the fields that are checked.
	Canonical bool
	// Sorted holds when the embedded certificates are in DER order, as Sign leaves them.
	Sorted bool

	sidVersion         int
	sid                []byte
	digestAlgorithm    []byte
	signatureAlgorithm []byte
	signedAttributes   []byte
	signatureOID       asn1.ObjectIdentifier
	pss                *pss
	certIDs, oldIDs    []certID
	loose              bool     // something was read that Sign writes otherwise
	bare               bool     // it has no signed attributes: the content itself was signed
	unread             [][]byte // embedded certificates that Go can't read
}

// certID names a certificate by its hash, in the signed attribute signing-certificate-v2.
type certID struct {
	algorithm crypto.Hash
	hash      []byte
}

func (id certID) names(c *x509.Certificate) bool {
	h := id.algorithm.New()
	h.Write(c.Raw)
	return bytes.Equal(h.Sum(nil), id.hash)
}

func (m *Message) sortCertificates() {
	sort.Slice(m.Certificates, func(i, j int) bool {
		return bytes.Compare(m.Certificates[i].Raw, m.Certificates[j].Raw) < 0
	})
}

// encode returns the one encoding of the fields. The heads are made first, so that certificates and token, which are the
// most of it, are copied once.
func (m *Message) encode() []byte {
	encap := [][]byte{objectID(m.ContentType)}
	if m.Content != nil {
		encap = append(encap, tlv(tagContext0, tlv(tagOctets, m.Content)))
	}
	certs := make([][]byte, len(m.Certificates))
	for i, c := range m.Certificates {
		certs[i] = c.Raw
	}
	info := [][]byte{
		integer(byte(m.sidVersion)), m.sid, m.digestAlgorithm, head(tagContext0, len(m.signedAttributes)), m.signedAttributes,
		m.signatureAlgorithm, tlv(tagOctets, m.Signature),
	}
	if m.Token != nil {
		id := objectID(oidTimestamp)
		set := head(tagSet, len(m.Token))
		attr := head(tagSequence, len(id)+len(set)+len(m.Token))
		info = append(info, head(tagContext1, len(attr)+len(id)+len(set)+len(m.Token)), attr, id, set, m.Token)
	}
	signer := within(tagSet, within(tagSequence, info))
	data := [][]byte{integer(m.version()), tlv(tagSet, m.digestAlgorithm), tlv(tagSequence, encap...)}
	data = append(append(data, within(tagContext0, certs)...), signer...)
	content := within(tagContext0, within(tagSequence, data))
	return tlv(tagSequence, append([][]byte{objectID(oidSignedData)}, content...)...)
}

// version is that of RFC 5652 §5.1.
func (m *Message) version() byte {
	if !m.ContentType.Equal(Data) || m.sidVersion == 3 {
		return 3
	}
	return 1
}

func malformed(what string) error { return fmt.Errorf("%w: %s", ErrFormat, what) }

// Parse reads one SignedData with exactly one signer, whose certificate is embedded. What is in BER, as others write
// it, is read too, but is not canonical.
func Parse(der []byte) (*Message, error) {
	if len(der) > maxMessage {
		return nil, malformed("it is longer than 1 MiB")
	}
	m, err := parse(der)
	if err == nil {
		return m, nil
	}
	again, ok := definite(der)
	if !ok || bytes.Equal(again, der) {
		return nil, err
	}
	if m, err = parse(again); err != nil {
		return nil, err
	}
	m.Canonical = false
	return m, nil
}

func parse(der []byte) (*Message, error) {
	m := &Message{Sorted: true}
	in := cryptobyte.String(der)
	var outer, wrapped, data cryptobyte.String
	var id asn1.ObjectIdentifier
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, malformed("it is not one DER sequence")
	}
	if !outer.ReadASN1ObjectIdentifier(&id) || !id.Equal(oidSignedData) {
		return nil, malformed("it is not SignedData")
	}
	if !outer.ReadASN1(&wrapped, tagContext0) || !outer.Empty() || !wrapped.ReadASN1(&data, cbasn1.SEQUENCE) || !wrapped.Empty() {
		return nil, malformed("its content is not one sequence")
	}
	var version int
	var algorithms cryptobyte.String
	if !data.ReadASN1Integer(&version) || !data.ReadASN1(&algorithms, cbasn1.SET) {
		return nil, malformed("version or digest algorithms are missing")
	}
	if err := m.readContent(&data); err != nil {
		return nil, err
	}
	if err := m.readCertificates(&data); err != nil {
		return nil, err
	}
	if err := m.readRevocation(&data); err != nil {
		return nil, err
	}
	var infos, info cryptobyte.String
	if !data.ReadASN1(&infos, cbasn1.SET) || !data.Empty() {
		return nil, malformed("signer information is missing")
	}
	if !infos.ReadASN1(&info, cbasn1.SEQUENCE) {
		return nil, malformed("it has no signer")
	}
	if !infos.Empty() {
		return nil, malformed("it has more than one signer")
	}
	if err := m.readSigner(info); err != nil {
		return nil, err
	}
	m.Canonical = !m.loose && bytes.Equal(m.encode(), der)
	return m, nil
}

func (m *Message) readContent(data *cryptobyte.String) error {
	var encap cryptobyte.String
	if !data.ReadASN1(&encap, cbasn1.SEQUENCE) || !encap.ReadASN1ObjectIdentifier(&m.ContentType) {
		return malformed("the content's type is missing")
	}
	if len(m.ContentType) < 3 {
		return malformed("the content's type is not an object identifier")
	}
	if encap.Empty() {
		return nil
	}
	var explicit, octets cryptobyte.String
	if !encap.ReadASN1(&explicit, tagContext0) || !encap.Empty() || !explicit.ReadASN1(&octets, cbasn1.OCTET_STRING) || !explicit.Empty() {
		return malformed("the content is not one octet string")
	}
	m.Content = append([]byte{}, octets...)
	return nil
}

func (m *Message) readCertificates(data *cryptobyte.String) error {
	var set cryptobyte.String
	var present bool
	if !data.ReadOptionalASN1(&set, &present, cbasn1.Tag(tagContext0)) || !present {
		return malformed("it has no certificates")
	}
	for !set.Empty() {
		var raw cryptobyte.String
		var tag cbasn1.Tag
		if !set.ReadAnyASN1Element(&raw, &tag) {
			return malformed("a certificate can't be read")
		}
		if tag != cbasn1.SEQUENCE {
			m.loose = true // an attribute certificate, which says nothing about the key
			continue
		}
		if len(m.Certificates)+len(m.unread) == maxCertificates {
			return malformed("it has more than 32 certificates")
		}
		c, err := x509.ParseCertificate(raw)
		if err != nil {
			m.unread, m.loose = append(m.unread, raw), true
			continue
		}
		if n := len(m.Certificates); n > 0 && bytes.Compare(m.Certificates[n-1].Raw, c.Raw) >= 0 {
			m.Sorted = false
		}
		m.Certificates = append(m.Certificates, c)
	}
	return nil
}

func (m *Message) readSigner(info cryptobyte.String) error {
	if !info.ReadASN1Integer(&m.sidVersion) {
		return malformed("the signer's version is missing")
	}
	var sid cryptobyte.String
	var tag cbasn1.Tag
	if !info.ReadAnyASN1Element(&sid, &tag) {
		return malformed("the signer's identifier is missing")
	}
	m.sid = sid
	if err := m.findSigner(tag); err != nil {
		return err
	}
	var attrs, sigAlg cryptobyte.String
	var element cryptobyte.String
	if !info.ReadASN1Element(&element, cbasn1.SEQUENCE) {
		return malformed("the signer's digest algorithm is missing")
	}
	m.digestAlgorithm = element
	if !info.PeekASN1Tag(tagContext0) {
		m.bare, m.loose = true, true
	} else if !info.ReadASN1(&attrs, tagContext0) {
		return malformed("the signed attributes can't be read")
	}
	m.signedAttributes = attrs
	if !info.ReadASN1Element(&sigAlg, cbasn1.SEQUENCE) {
		return malformed("the signature algorithm is missing")
	}
	m.signatureAlgorithm = sigAlg
	var sig cryptobyte.String
	if !info.ReadASN1(&sig, cbasn1.OCTET_STRING) {
		return malformed("the signature value is missing")
	}
	m.Signature = sig
	if err := m.readAlgorithms(); err != nil {
		return err
	}
	if err := m.readSignedAttributes(); err != nil {
		return err
	}
	var unsigned cryptobyte.String
	var present bool
	if !info.ReadOptionalASN1(&unsigned, &present, cbasn1.Tag(tagContext1)) || !info.Empty() {
		return malformed("there is something after the signature value")
	}
	return m.readUnsigned(unsigned)
}

// readSignedAttributes reads what the signature covers. Attributes that it does not know are accepted: they are signed.
func (m *Message) readSignedAttributes() error {
	if m.bare {
		if !m.ContentType.Equal(Data) {
			return malformed("it has no signed attributes")
		}
		return nil
	}
	seen := make(map[string]bool) // by encoded identifier: each has one encoding
	typed, digested := false, false
	rest := cryptobyte.String(m.signedAttributes)
	var last []byte
	for !rest.Empty() {
		var element cryptobyte.String
		if !rest.ReadASN1Element(&element, cbasn1.SEQUENCE) {
			return malformed("a signed attribute can't be read")
		}
		m.loose = m.loose || last != nil && bytes.Compare(last, element) >= 0
		last = element
		var attr, name, values cryptobyte.String
		var id asn1.ObjectIdentifier
		if !element.ReadASN1(&attr, cbasn1.SEQUENCE) || !attr.ReadASN1Element(&name, cbasn1.OBJECT_IDENTIFIER) || !attr.ReadASN1(&values, cbasn1.SET) || !attr.Empty() {
			return malformed("a signed attribute can't be read")
		}
		if encoded := name; !encoded.ReadASN1ObjectIdentifier(&id) {
			return malformed("a signed attribute can't be read")
		}
		if seen[string(name)] {
			return malformed("a signed attribute is given twice")
		}
		seen[string(name)] = true
		typed, digested = typed || id.Equal(oidContentType), digested || id.Equal(oidMessageDigest)
		if err := m.readSignedAttribute(id, values); err != nil {
			return err
		}
	}
	if !typed || !digested {
		return malformed("content type or message digest is not signed")
	}
	return nil
}

func (m *Message) readSignedAttribute(id asn1.ObjectIdentifier, values cryptobyte.String) error {
	switch {
	case id.Equal(oidContentType):
		var typ asn1.ObjectIdentifier
		if !values.ReadASN1ObjectIdentifier(&typ) || !values.Empty() || !typ.Equal(m.ContentType) {
			return malformed("the signed content type is another one")
		}
	case id.Equal(oidMessageDigest):
		var digest cryptobyte.String
		if !values.ReadASN1(&digest, cbasn1.OCTET_STRING) || !values.Empty() || m.Hash != 0 && len(digest) != m.Hash.Size() {
			return malformed("the message digest can't be read")
		}
		m.MessageDigest = digest
	case id.Equal(oidSigningTime):
		if !values.ReadASN1UTCTime(&m.SigningTime) && !values.ReadASN1GeneralizedTime(&m.SigningTime) || !values.Empty() {
			return malformed("the signing time can't be read")
		}
	case id.Equal(oidSigningCertV2):
		return m.readSigningCertificate(values)
	case id.Equal(oidSigningCert):
		return m.readOldSigningCertificate(values)
	case id.Equal(oidRevocation):
		return m.readArchivedRevocation(values)
	}
	return nil
}

// readUnsigned takes the signature timestamp; anything else makes the message not canonical.
func (m *Message) readUnsigned(rest cryptobyte.String) error {
	for !rest.Empty() {
		var attr, values, token cryptobyte.String
		var id asn1.ObjectIdentifier
		if !rest.ReadASN1(&attr, cbasn1.SEQUENCE) || !attr.ReadASN1ObjectIdentifier(&id) || !attr.ReadASN1(&values, cbasn1.SET) || !attr.Empty() {
			return malformed("an unsigned attribute can't be read")
		}
		if !id.Equal(oidTimestamp) {
			continue
		}
		if m.Token != nil || !values.ReadASN1Element(&token, cbasn1.SEQUENCE) || !values.Empty() {
			return malformed("the timestamp attribute does not hold one token")
		}
		m.Token = token
	}
	return nil
}
