// Package revoke finds out whether a certificate was revoked, and keeps the proof: OCSP responses (RFC 6960) and
// certificate revocation lists (RFC 5280 §5).
//
// Two halves. A Source gets statements: Client asks the addresses that stand in a certificate, Cache remembers answers
// while they are fresh, and ca.Responder answers for our own certificates in this process. A Pool judges statements
// that lie in a document: which of them speak of a certificate, whether the right authority signed them, and what they
// prove about a moment. The readers have one grammar and refuse what they don't understand; no statement counts before
// its signature was checked. Start reading at Pool.Status and Source.
package revoke

import (
	"context"
	"crypto"
	_ "crypto/sha1" // the hash with which most responders name an issuer; it protects nothing
	_ "crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Limits of what is read.
const (
	maxOCSP      = 256 << 10
	maxCRL       = 16 << 20
	maxResponses = 64 // single responses in one OCSP response
)

// The ways in which a statement can be of no use.
var (
	// ErrFormat says that bytes are not a statement that this package reads.
	ErrFormat = errors.New("malformed revocation data")
	// ErrSigner says that a statement was not signed by an authority that may speak of the certificate.
	ErrSigner = errors.New("the revocation data is signed by somebody else")
	// ErrOther says that a statement is not about the certificate.
	ErrOther = errors.New("the revocation data is about other certificates")
)

func malformed(what string) error { return fmt.Errorf("%w: %s", ErrFormat, what) }

// State is what is known of a certificate at a moment.
type State string

// The states.
const (
	None    State = "none"    // nobody said anything
	Good    State = "good"    // it was not revoked
	Revoked State = "revoked" // it was, at Status.Revoked
	Unknown State = "unknown" // the authority does not know it
	Stale   State = "stale"   // what was said does not reach the moment
)

// The reasons for which an authority takes a certificate back without anything being wrong with its key (RFC 5280 §5.3.1).
const (
	NoReason             = -1 // none is given
	AffiliationChanged   = 3
	Superseded           = 4
	CessationOfOperation = 5
)

// Status is what the statements prove.
type Status struct {
	State   State
	Revoked time.Time // since when, in the state Revoked
	Reason  int       // CRLReason, NoReason when none is given
	This    time.Time // thisUpdate of the statement that decided
	Next    time.Time // nextUpdate, zero when there is none
	Proofs  []Proof   // all statements that say so
}

// Proof is one statement that shows a state.
type Proof struct {
	Index int       // its place in its pool, as AddOCSP and AddCRL return it
	This  time.Time // its thisUpdate
}

// Benign reports whether the certificate was taken back although its key was not compromised: what it stamped before
// still counts (RFC 3161 §4).
func (s Status) Benign() bool {
	return s.Reason == AffiliationChanged || s.Reason == Superseded || s.Reason == CessationOfOperation
}

// Question asks for a statement about a certificate.
type Question struct {
	Certificate, Issuer *x509.Certificate
	Since               time.Time // what the statement must reach: its thisUpdate is not before, if that can be had
}

// Answer is a statement in DER; one of the two is set.
type Answer struct {
	OCSP []byte
	CRL  []byte
}

// Source gets statements. An answer is signed by the right authority, about the certificate, and fresh.
type Source interface {
	Status(ctx context.Context, q Question) (Answer, error)
}

// statement is what one response or list says about one certificate.
type statement struct {
	state   State
	revoked time.Time
	reason  int
	this    time.Time
	next    time.Time
	cutoff  time.Time // since when the authority keeps the status of expired certificates; zero when it does not
}

// reaches reports whether a good word counts for a moment. It does when it was given later, or while it had not run
// out (EN 319 102-1 §5.2.5.4); and when it was given after the certificate's end, only of an authority that remembers
// expired certificates.
func (s statement) reaches(at time.Time, cert *x509.Certificate) bool {
	if s.this.After(cert.NotAfter) && (s.cutoff.IsZero() || s.cutoff.After(cert.NotAfter)) {
		return false
	}
	return !s.this.Before(at) || !s.next.IsZero() && !s.next.Before(at)
}

// The signature algorithms of statements, by their whole identifier.
var algorithms = map[string]x509.SignatureAlgorithm{
	identifier(true, 1, 2, 840, 113549, 1, 1, 11): x509.SHA256WithRSA,
	identifier(true, 1, 2, 840, 113549, 1, 1, 12): x509.SHA384WithRSA,
	identifier(true, 1, 2, 840, 113549, 1, 1, 13): x509.SHA512WithRSA,
	identifier(false, 1, 2, 840, 10045, 4, 3, 2):  x509.ECDSAWithSHA256,
	identifier(false, 1, 2, 840, 10045, 4, 3, 3):  x509.ECDSAWithSHA384,
	identifier(false, 1, 2, 840, 10045, 4, 3, 4):  x509.ECDSAWithSHA512,
	identifier(false, 1, 3, 101, 112):             x509.PureEd25519,
}

func identifier(null bool, id ...int) string {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier(id))
		if null {
			b.AddASN1NULL()
		}
	})
	return string(b.BytesOrPanic())
}

// hashOf reads the AlgorithmIdentifier of a hash that names an issuer.
func hashOf(element cryptobyte.String) (crypto.Hash, bool) {
	var seq cryptobyte.String
	var id asn1.ObjectIdentifier
	if !element.ReadASN1(&seq, cbasn1.SEQUENCE) || !element.Empty() || !seq.ReadASN1ObjectIdentifier(&id) {
		return 0, false
	}
	if !seq.Empty() && string(seq) != "\x05\x00" {
		return 0, false
	}
	switch {
	case id.Equal(oidSHA1):
		return crypto.SHA1, true
	case id.Equal(oidSHA256):
		return crypto.SHA256, true
	}
	return 0, false
}

var (
	oidSHA1   = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
)
