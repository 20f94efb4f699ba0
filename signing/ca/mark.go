package ca

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
)

// Kind says what a certificate issued here is for. It is the Kind of the Mark in the certificate; the report of
// signing/verify repeats it.
type Kind string

// The kinds of certificate.
const (
	// KindOTP: the key was made by the server for one transaction and destroyed after it; consent by one-time code.
	KindOTP Kind = "otp"
	// KindWitness: a member of staff witnessed a customer's handwriting; the key is the counter's, the certificate was made
	// for this one transaction. It says nothing of a key of the customer's.
	KindWitness Kind = "witness"
	// KindToken: the holder keeps the key on a token, card or phone.
	KindToken Kind = "token"
	// KindFile: the house made the key for the holder and gave it away in a file that a passphrase protects.
	KindFile Kind = "file"
	// KindTerminal: the key came with the terminal and is everybody's who stands there; who confirmed is in the evidence.
	KindTerminal Kind = "terminal"
	// KindSeal: the organisation's seal.
	KindSeal Kind = "seal"
	// KindClerk: a member of staff or a counter.
	KindClerk Kind = "clerk"
	// KindTimestamp: a timestamp authority.
	KindTimestamp Kind = "timestamp"
	// KindServer: a TLS server. It signs no documents.
	KindServer Kind = "server"
	// KindResponder: an OCSP responder. It signs no documents.
	KindResponder Kind = "responder"
)

// arc is the root of our object identifiers. It was derived from a random UUID cut into five 16-bit and two
// 24-bit numbers below 1.2.840.113556.1.8000.2554, the arc which everybody may use that way: the other such arc, 2.25,
// needs a number of 128 bits, which Go's certificate parser and others can't read.
var arc = asn1.ObjectIdentifier{1, 2, 840, 113556, 1, 8000, 2554, 56906, 52892, 25786, 19761, 43636, 10631449, 13738264}

var (
	oidMark = append(arc[:len(arc):len(arc)], 1)
	// TimestampPolicy is the policy under which our own timestamp authority stamps.
	TimestampPolicy = append(arc[:len(arc):len(arc)], 2)
)

// Mark is our private certificate extension: what the certificate is for and, for those made for one signature, the
// transaction and the SHA-256 of the evidence that it was issued on.
//
//	Mark ::= SEQUENCE {
//	    kind          UTF8String,
//	    transaction   [0] UTF8String OPTIONAL,
//	    evidence      [1] OCTET STRING OPTIONAL }
type Mark struct {
	Kind           Kind
	TransactionID  string
	EvidenceSHA256 []byte // 32 bytes or none
}

type markASN1 struct {
	Kind        string `asn1:"utf8"`
	Transaction string `asn1:"utf8,optional,tag:0"`
	Evidence    []byte `asn1:"optional,tag:1"`
}

// ReadMark returns the certificate's Mark; ok is false when it has none that can be read.
func ReadMark(cert *x509.Certificate) (m Mark, ok bool) {
	for _, e := range cert.Extensions {
		if !e.Id.Equal(oidMark) {
			continue
		}
		var v markASN1
		if rest, err := asn1.Unmarshal(e.Value, &v); err != nil || len(rest) > 0 {
			return Mark{}, false
		}
		return Mark{Kind: Kind(v.Kind), TransactionID: v.Transaction, EvidenceSHA256: v.Evidence}, true
	}
	return Mark{}, false
}

func (m Mark) extend(template *x509.Certificate) error {
	e, err := extension(oidMark, false, markASN1{Kind: string(m.Kind), Transaction: m.TransactionID, Evidence: m.EvidenceSHA256})
	if err != nil {
		return fmt.Errorf("mark a certificate as %s: %w", m.Kind, err)
	}
	template.ExtraExtensions = append(template.ExtraExtensions, e)
	return nil
}
