// Package cms reads the CMS of mails (RFC 5652) as mail programs write it, and makes the detached signatures of ours.
//
// It is not signing/cms, which knows one strict form on purpose: mails come in BER with indefinite lengths, with several
// signers, SHA-1 and RSA-PSS, with certificates missing or too many. Parse takes them apart without believing
// anything; Verify says which of the signatures hold over which bytes. Trust and names are mail/smime's to judge. It
// opens no keys: Sign is given a crypto.Signer. Every input is bounded in size and depth. Start reading at Parse.
package cms

import (
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// ErrFormat says that bytes are not the CMS that they were said to be.
var ErrFormat = errors.New("malformed CMS")

func malformed(what string) error { return fmt.Errorf("%w: %s", ErrFormat, what) }

const (
	maxDepth   = 40
	tagOctets  = 0x04
	tagSeq     = 0x30
	tagSet     = 0x31
	tagClass0  = 0xa0
	tagClass1  = 0xa1
	constructs = 0x20
)

// element is one BER value: where its content begins and ends, and where the next value begins.
type element struct {
	tag              byte
	start, end, next int
	indefinite       bool
}

// header reads tag and length at pos. For an indefinite length end is unknown and -1.
func header(b []byte, pos int) (element, bool) {
	if pos+2 > len(b) {
		return element{}, false
	}
	e := element{tag: b[pos]}
	if e.tag&0x1f == 0x1f {
		return element{}, false
	}
	l := int(b[pos+1])
	e.start = pos + 2
	switch {
	case l == 0x80:
		e.indefinite, e.end = true, -1
		return e, e.tag&constructs != 0
	case l > 0x80:
		n := l & 0x7f
		if n > 4 || e.start+n > len(b) {
			return element{}, false
		}
		l = 0
		for _, c := range b[e.start : e.start+n] {
			l = l<<8 | int(c)
		}
		e.start += n
	}
	if l < 0 || l > len(b)-e.start {
		return element{}, false
	}
	e.end = e.start + l
	e.next = e.end
	return e, true
}

// toDER rewrites BER with definite, shortest lengths and octet strings in one piece. Bytes that are DER already come
// back as they are.
func toDER(b []byte) ([]byte, error) {
	if isDER(b, 0) {
		return b, nil
	}
	out, _, err := rewrite(b, 0, 0)
	return out, err
}

// isDER reports whether b is one value in definite lengths without octet strings in pieces.
func isDER(b []byte, depth int) bool {
	for pos := 0; pos < len(b); {
		e, ok := header(b, pos)
		if !ok || e.indefinite || depth > maxDepth || e.tag == tagOctets|constructs {
			return false
		}
		if e.tag&constructs != 0 && !isDER(b[e.start:e.end], depth+1) {
			return false
		}
		if pos = e.next; depth == 0 {
			return pos == len(b)
		}
	}
	return true
}

func rewrite(b []byte, pos, depth int) (out []byte, next int, err error) {
	e, ok := header(b, pos)
	if !ok || depth > maxDepth {
		return nil, 0, malformed("a length or tag can't be read, or values lie too deep")
	}
	if e.tag&constructs == 0 {
		return tlv(e.tag, b[e.start:e.end]), e.next, nil
	}
	var body []byte
	at := e.start
	for {
		if e.indefinite {
			if at+2 > len(b) {
				return nil, 0, malformed("a value has no end")
			}
			if b[at] == 0 && b[at+1] == 0 {
				e.next = at + 2
				break
			}
		} else if at >= e.end {
			break
		}
		piece, n, err := rewrite(b, at, depth+1)
		if err != nil {
			return nil, 0, err
		}
		if e.tag == tagOctets|constructs {
			p, ok := header(piece, 0)
			if !ok || p.tag != tagOctets {
				return nil, 0, malformed("an octet string in pieces holds something else")
			}
			piece = piece[p.start:p.end]
		}
		body = append(body, piece...)
		at = n
	}
	tag := e.tag
	if tag == tagOctets|constructs {
		tag = tagOctets
	}
	return tlv(tag, body), e.next, nil
}

func tlv(tag byte, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	out := make([]byte, 0, n+6)
	out = append(out, tag)
	switch {
	case n < 0x80:
		out = append(out, byte(n))
	case n < 0x100:
		out = append(out, 0x81, byte(n))
	case n < 0x10000:
		out = append(out, 0x82, byte(n>>8), byte(n))
	case n < 0x1000000:
		out = append(out, 0x83, byte(n>>16), byte(n>>8), byte(n))
	default:
		out = append(out, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func objectID(id asn1.ObjectIdentifier) []byte {
	var b cryptobyte.Builder
	b.AddASN1ObjectIdentifier(id)
	return b.BytesOrPanic()
}

// Names of content types and attributes.
var (
	Data        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	signedData  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	enveloped   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 3}
	encrypted   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}
	authEnvelop = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 23}
	compressed  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 9}

	attrContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	attrMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	attrSigningTime   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	attrSigningCert   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
)

// Kind is what a CMS message holds.
type Kind string

// The kinds.
const (
	Signed     Kind = "signed"
	Encrypted  Kind = "encrypted"
	Compressed Kind = "compressed"
	Other      Kind = "other"
)

// KindOf says what a CMS message holds, by its first bytes only.
func KindOf(b []byte) Kind {
	e, ok := header(b, 0)
	if !ok || e.tag != tagSeq {
		return Other
	}
	id, ok := header(b, e.start)
	if !ok || id.tag != 0x06 || id.indefinite {
		return Other
	}
	in := cryptobyte.String(b[e.start:id.end])
	var name asn1.ObjectIdentifier
	if !in.ReadASN1ObjectIdentifier(&name) {
		return Other
	}
	switch {
	case name.Equal(signedData):
		return Signed
	case name.Equal(enveloped), name.Equal(encrypted), name.Equal(authEnvelop):
		return Encrypted
	case name.Equal(compressed):
		return Compressed
	}
	return Other
}

// open returns the value inside ContentInfo, in DER, and its name.
func open(b []byte) (asn1.ObjectIdentifier, cryptobyte.String, error) {
	der, err := toDER(b)
	if err != nil {
		return nil, nil, err
	}
	in := cryptobyte.String(der)
	var outer, wrapped, value cryptobyte.String
	var id asn1.ObjectIdentifier
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !outer.ReadASN1ObjectIdentifier(&id) ||
		!outer.ReadASN1(&wrapped, cbasn1.Tag(tagClass0)) || !wrapped.ReadASN1(&value, cbasn1.SEQUENCE) {
		return nil, nil, malformed("it is not one ContentInfo")
	}
	return id, value, nil
}
