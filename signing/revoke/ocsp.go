package revoke

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidBasic   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	oidNonce   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
	oidCutoff  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 6}
	oidNoCheck = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
)

// The tags of OCSP.
const (
	tag0          = cbasn1.Tag(0xa0)
	tag1          = cbasn1.Tag(0xa1)
	tag2          = cbasn1.Tag(0xa2)
	tagGood       = cbasn1.Tag(0x80)
	tagUnknown    = cbasn1.Tag(0x82)
	successful    = 0
	responderName = 1
	responderKey  = 2
)

// Response is a parsed OCSP response.
type Response struct {
	Produced     time.Time
	Nonce        []byte              // nil when there is none
	Certificates []*x509.Certificate // of the responder

	singles   []single
	responder []byte // the responder's name in DER, or the SHA-1 of its key
	byKey     bool
	tbs       []byte
	algorithm []byte
	signature []byte
}

// single is the word about one certificate.
type single struct {
	hash      crypto.Hash
	name, key []byte // hashes of the issuer's name and key
	serial    *big.Int
	statement
}

// ParseOCSP reads one successful basic response in DER. It checks no signature.
func ParseOCSP(der []byte) (*Response, error) {
	if len(der) > maxOCSP {
		return nil, malformed("the OCSP response is longer than 256 KiB")
	}
	in := cryptobyte.String(der)
	var outer, wrapped, bytes0, octets cryptobyte.String
	var status int
	var id asn1.ObjectIdentifier
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1Enum(&status) {
		return nil, malformed("it is no OCSP response")
	}
	if status != successful {
		return nil, malformed("the responder refused to answer")
	}
	if !outer.ReadASN1(&wrapped, tag0) || !outer.Empty() || !wrapped.ReadASN1(&bytes0, cbasn1.SEQUENCE) || !wrapped.Empty() ||
		!bytes0.ReadASN1ObjectIdentifier(&id) || !id.Equal(oidBasic) || !bytes0.ReadASN1(&octets, cbasn1.OCTET_STRING) || !bytes0.Empty() {
		return nil, malformed("the OCSP response is not a basic one")
	}
	r := &Response{}
	var basic, tbs, algorithm cryptobyte.String
	if !octets.ReadASN1(&basic, cbasn1.SEQUENCE) || !octets.Empty() || !basic.ReadASN1Element(&tbs, cbasn1.SEQUENCE) || !basic.ReadASN1Element(&algorithm, cbasn1.SEQUENCE) ||
		!basic.ReadASN1BitStringAsBytes(&r.signature) {
		return nil, malformed("the OCSP response's parts can't be read")
	}
	r.tbs, r.algorithm = tbs, algorithm
	if err := r.readCertificates(&basic); err != nil {
		return nil, err
	}
	return r, r.readData(tbs)
}

func (r *Response) readCertificates(basic *cryptobyte.String) error {
	var certs, seq cryptobyte.String
	var present bool
	if !basic.ReadOptionalASN1(&certs, &present, tag0) || !basic.Empty() {
		return malformed("there is something behind the OCSP response's signature")
	}
	if !present {
		return nil
	}
	if !certs.ReadASN1(&seq, cbasn1.SEQUENCE) || !certs.Empty() {
		return malformed("the responder's certificates can't be read")
	}
	for !seq.Empty() {
		var raw cryptobyte.String
		if !seq.ReadASN1Element(&raw, cbasn1.SEQUENCE) || len(r.Certificates) == 8 {
			return malformed("the responder's certificates can't be read")
		}
		c, err := x509.ParseCertificate(raw)
		if err != nil {
			return malformed("a certificate of the responder can't be read")
		}
		r.Certificates = append(r.Certificates, c)
	}
	return nil
}

// readData reads ResponseData.
func (r *Response) readData(tbs cryptobyte.String) error {
	var data, version, id, list, extensions cryptobyte.String
	var present bool
	var tag cbasn1.Tag
	if !tbs.ReadASN1(&data, cbasn1.SEQUENCE) || !data.ReadOptionalASN1(&version, &present, tag0) || present {
		return malformed("the OCSP response's version is not 1")
	}
	if !data.ReadAnyASN1(&id, &tag) || !data.ReadASN1GeneralizedTime(&r.Produced) || !data.ReadASN1(&list, cbasn1.SEQUENCE) {
		return malformed("the OCSP response's head can't be read")
	}
	switch tag {
	case tag1:
		r.responder = id
	case tag2:
		var key cryptobyte.String
		if !id.ReadASN1(&key, cbasn1.OCTET_STRING) || !id.Empty() {
			return malformed("the responder's id can't be read")
		}
		r.responder, r.byKey = key, true
	default:
		return malformed("the responder's id can't be read")
	}
	for !list.Empty() {
		if len(r.singles) == maxResponses {
			return malformed("the OCSP response speaks of more than 64 certificates")
		}
		s, err := readSingle(&list)
		if err != nil {
			return err
		}
		r.singles = append(r.singles, s)
	}
	if !data.ReadOptionalASN1(&extensions, &present, tag1) || !data.Empty() {
		return malformed("the OCSP response's end can't be read")
	}
	if !present {
		return nil
	}
	return readExtensions(extensions, func(id asn1.ObjectIdentifier, value cryptobyte.String) bool {
		if id.Equal(oidNonce) {
			var nonce cryptobyte.String
			if value.ReadASN1(&nonce, cbasn1.OCTET_STRING) && value.Empty() {
				r.Nonce = nonce
			}
		}
		return id.Equal(oidNonce)
	})
}

// readSingle reads SingleResponse.
func readSingle(list *cryptobyte.String) (single, error) {
	s := single{serial: new(big.Int), statement: statement{reason: NoReason}}
	bad := malformed("the word about a certificate can't be read")
	var seq, id, algorithm, name, key, status, next, extensions cryptobyte.String
	var tag cbasn1.Tag
	var present, ok bool
	if !list.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1(&id, cbasn1.SEQUENCE) || !id.ReadASN1Element(&algorithm, cbasn1.SEQUENCE) ||
		!id.ReadASN1(&name, cbasn1.OCTET_STRING) || !id.ReadASN1(&key, cbasn1.OCTET_STRING) || !id.ReadASN1Integer(s.serial) || !id.Empty() {
		return s, bad
	}
	if s.hash, ok = hashOf(algorithm); !ok {
		return s, malformed("the hash that names the issuer is neither SHA-1 nor SHA-256")
	}
	s.name, s.key = name, key
	if !seq.ReadAnyASN1(&status, &tag) {
		return s, bad
	}
	switch {
	case tag == tagGood && status.Empty():
		s.state = Good
	case tag == tagUnknown && status.Empty():
		s.state = Unknown
	case tag == tag1:
		s.state = Revoked
		var reason cryptobyte.String
		if !status.ReadASN1GeneralizedTime(&s.revoked) || !status.ReadOptionalASN1(&reason, &present, tag0) || !status.Empty() {
			return s, bad
		}
		if present && (!reason.ReadASN1Enum(&s.reason) || !reason.Empty()) {
			return s, bad
		}
	default:
		return s, bad
	}
	if !seq.ReadASN1GeneralizedTime(&s.this) || !seq.ReadOptionalASN1(&next, &present, tag0) {
		return s, bad
	}
	if present && (!next.ReadASN1GeneralizedTime(&s.next) || !next.Empty() || s.next.Before(s.this)) {
		return s, bad
	}
	if !seq.ReadOptionalASN1(&extensions, &present, tag1) || !seq.Empty() {
		return s, bad
	}
	if !present {
		return s, nil
	}
	return s, readExtensions(extensions, func(id asn1.ObjectIdentifier, value cryptobyte.String) bool {
		if id.Equal(oidCutoff) {
			var at time.Time
			if value.ReadASN1GeneralizedTime(&at) && value.Empty() {
				s.cutoff = at
			}
		}
		return id.Equal(oidCutoff)
	})
}

// readExtensions reads Extensions and refuses a critical one that known does not know.
func readExtensions(in cryptobyte.String, known func(id asn1.ObjectIdentifier, value cryptobyte.String) bool) error {
	var list cryptobyte.String
	if !in.ReadASN1(&list, cbasn1.SEQUENCE) || !in.Empty() {
		return malformed("the extensions can't be read")
	}
	for !list.Empty() {
		var e, value cryptobyte.String
		var id asn1.ObjectIdentifier
		critical := false
		if !list.ReadASN1(&e, cbasn1.SEQUENCE) || !e.ReadASN1ObjectIdentifier(&id) {
			return malformed("an extension can't be read")
		}
		if e.PeekASN1Tag(cbasn1.BOOLEAN) && !e.ReadASN1Boolean(&critical) {
			return malformed("an extension can't be read")
		}
		if !e.ReadASN1(&value, cbasn1.OCTET_STRING) || !e.Empty() {
			return malformed("an extension can't be read")
		}
		if !known(id, value) && critical {
			return malformed("a critical extension is not understood")
		}
	}
	return nil
}

// about returns what the response says of a certificate; it does not check who says it.
func (r *Response) about(cert, issuer *x509.Certificate) (statement, bool) {
	hashes := map[crypto.Hash][2][]byte{}
	for _, s := range r.singles {
		if s.serial.Cmp(cert.SerialNumber) != 0 {
			continue
		}
		h, ok := hashes[s.hash]
		if !ok {
			key, err := publicKey(issuer)
			if err != nil {
				return statement{}, false
			}
			h = [2][]byte{sum(s.hash, issuer.RawSubject), sum(s.hash, key)}
			hashes[s.hash] = h
		}
		if bytes.Equal(s.name, h[0]) && bytes.Equal(s.key, h[1]) {
			return s.statement, true
		}
	}
	return statement{}, false
}

func sum(h crypto.Hash, data []byte) []byte {
	w := h.New()
	w.Write(data)
	return w.Sum(nil)
}

// publicKey returns the bits of a certificate's public key, which OCSP hashes (RFC 6960 §4.1.1).
func publicKey(c *x509.Certificate) ([]byte, error) {
	in := cryptobyte.String(c.RawSubjectPublicKeyInfo)
	var seq, algorithm cryptobyte.String
	var bits []byte
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1(&algorithm, cbasn1.SEQUENCE) || !seq.ReadASN1BitStringAsBytes(&bits) {
		return nil, malformed("a public key can't be read")
	}
	return bits, nil
}

// isResponder reports whether the response names the certificate as its signer.
func (r *Response) isResponder(c *x509.Certificate) bool {
	if !r.byKey {
		return bytes.Equal(r.responder, c.RawSubject)
	}
	key, err := publicKey(c)
	if err != nil {
		return false
	}
	h := sha1.Sum(key)
	return bytes.Equal(r.responder, h[:])
}

// signedFor checks that the response was signed by the issuer itself, or by a responder that the issuer made for
// nothing else and whose own status nobody need ask (RFC 6960 §4.2.2.2).
func (r *Response) signedFor(issuer *x509.Certificate) error {
	algorithm, ok := algorithms[string(r.algorithm)]
	if !ok {
		return malformed("the OCSP response's signature algorithm is not accepted")
	}
	if r.isResponder(issuer) && issuer.CheckSignature(algorithm, r.tbs, r.signature) == nil {
		return nil
	}
	for _, c := range r.Certificates {
		if r.isResponder(c) && delegated(c, issuer, r.Produced) && c.CheckSignature(algorithm, r.tbs, r.signature) == nil {
			return nil
		}
	}
	return ErrSigner
}

func delegated(c, issuer *x509.Certificate, at time.Time) bool {
	if !bytes.Equal(c.RawIssuer, issuer.RawSubject) || at.Before(c.NotBefore) || at.After(c.NotAfter) {
		return false
	}
	noCheck := false
	for _, e := range c.Extensions {
		noCheck = noCheck || e.Id.Equal(oidNoCheck)
	}
	return noCheck && slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) && c.CheckSignatureFrom(issuer) == nil
}
