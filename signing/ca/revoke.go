package ca

import (
	"context"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"time"

	"countersign/internal/fault"
	"countersign/signing/revoke"
)

// Revocation says that a certificate was taken back.
type Revocation struct {
	Serial *big.Int  `json:"serial"`
	At     time.Time `json:"at"`
	Reason int       `json:"reason"` // CRLReason (RFC 5280 §5.3.1); revoke.NoReason for none
}

// Ledger keeps what became of an authority's certificates.
type Ledger interface {
	// Look tells whether the authority issued a certificate with this serial number, and its revocation when it was taken back.
	Look(ctx context.Context, serial *big.Int) (known bool, r *Revocation, err error)
	// Revoked lists the certificates that were taken back, the expired ones too.
	Revoked(ctx context.Context) ([]Revocation, error)
}

// Register is a Ledger in memory that takes every serial number for issued unless told otherwise: for an authority whose
// certificates are asked about by who holds them. Several goroutines may use it at once.
type Register struct {
	Strict bool // only what was entered by Issued is known

	mu      sync.Mutex
	issued  map[string]bool
	revoked []Revocation
}

// ReadRegister reads what Encode wrote.
func ReadRegister(data []byte) (*Register, error) {
	r := &Register{}
	if err := json.Unmarshal(data, &r.revoked); err != nil {
		return nil, fmt.Errorf("read the register of revoked certificates: %w", err)
	}
	for i, e := range r.revoked {
		if e.Serial == nil || e.At.IsZero() {
			return nil, fmt.Errorf("read the register of revoked certificates: entry %d has no serial number or time", i+1)
		}
	}
	return r, nil
}

// Encode returns the revoked certificates as JSON.
func (r *Register) Encode() ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return json.MarshalIndent(r.revoked, "", " ")
}

// Issued enters certificates, for a Strict register.
func (r *Register) Issued(certs ...*x509.Certificate) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.issued == nil {
		r.issued = make(map[string]bool)
	}
	for _, c := range certs {
		r.issued[c.SerialNumber.String()] = true
	}
}

// Revoke takes a certificate back. The first time and reason stand.
func (r *Register) Revoke(e Revocation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, old := range r.revoked {
		if old.Serial.Cmp(e.Serial) == 0 {
			return
		}
	}
	r.revoked = append(r.revoked, e)
}

// Look implements Ledger.
func (r *Register) Look(_ context.Context, serial *big.Int) (bool, *Revocation, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.revoked {
		if e.Serial.Cmp(serial) == 0 {
			return true, &e, nil
		}
	}
	return !r.Strict || r.issued[serial.String()], nil, nil
}

// Revoked implements Ledger.
func (r *Register) Revoked(context.Context) ([]Revocation, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.revoked), nil
}

// Reasons are the CRLReasons by the names that operators use.
func Reasons() map[string]int {
	return map[string]int{"unspecified": 0, "key_compromise": 1, "affiliation_changed": revoke.AffiliationChanged, "superseded": revoke.Superseded,
		"cessation": revoke.CessationOfOperation, "hold": Hold}
}

// Hold is the CRLReason of a certificate that is refused for the time being.
const Hold = 6

// Points are the addresses where the status of an authority's certificates can be had. They go into what it issues.
type Points struct {
	OCSP []string
	CRL  []string
}

// Publish sets the addresses for the certificates that the authority issues from now on.
func (a *Authority) Publish(p Points) { a.points = p }

// IssueResponder returns the chain for an OCSP responder: for nothing else, and nobody need ask for its own status.
func (a *Authority) IssueResponder(pub crypto.PublicKey, name pkix.Name, life time.Duration) ([]*x509.Certificate, error) {
	template := &x509.Certificate{
		Subject: name, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
		ExtraExtensions: []pkix.Extension{{Id: oidNoCheck, Value: []byte{5, 0}}},
	}
	if err := (Mark{Kind: KindResponder}).extend(template); err != nil {
		return nil, err
	}
	return a.chain(template, pub, life)
}

var (
	oidNoCheck = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
	// oidExpiredOnCRL says since when a list keeps expired certificates (X.509 §9.5.2.8).
	oidExpiredOnCRL = asn1.ObjectIdentifier{2, 5, 29, 60}
)

// RevocationList signs a complete list of the revoked certificates, good for the given time. It keeps expired
// certificates from the authority's beginning. Its number is the second in which it was made.
func (a *Authority) RevocationList(revoked []Revocation, life time.Duration) ([]byte, error) {
	return a.ListAfter(nil, revoked, life)
}

// ListAfter is RevocationList with a number above the last list's, also where the clock stands or was set back. The last
// list, in DER, may be nil.
func (a *Authority) ListAfter(last []byte, revoked []Revocation, life time.Duration) ([]byte, error) {
	now := a.clock.Now().UTC().Truncate(time.Second)
	number := big.NewInt(now.Unix())
	if last != nil {
		before, err := x509.ParseRevocationList(last)
		if err != nil {
			return nil, fmt.Errorf("make the revocation list of %q: read the last one: %w", a.Certificate.Subject.CommonName, err)
		}
		if before.Number != nil && before.Number.Cmp(number) >= 0 {
			number.Add(before.Number, big.NewInt(1))
		}
	}
	since, err := asn1.MarshalWithParams(a.Certificate.NotBefore.UTC(), "generalized")
	if err != nil {
		return nil, fmt.Errorf("make the revocation list of %q: %w", a.Certificate.Subject.CommonName, err)
	}
	list := &x509.RevocationList{
		Number: number, ThisUpdate: now, NextUpdate: now.Add(life),
		ExtraExtensions: []pkix.Extension{{Id: oidExpiredOnCRL, Value: since}},
	}
	for _, r := range revoked {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: r.Serial, RevocationTime: r.At.UTC().Truncate(time.Second), ReasonCode: max(r.Reason, 0)})
	}
	der, err := x509.CreateRevocationList(a.rand, list, a.Certificate, a.key)
	if err != nil {
		return nil, fmt.Errorf("make the revocation list of %q: %w", a.Certificate.Subject.CommonName, err)
	}
	return der, nil
}

// Responder answers for the certificates of one authority: as a revoke.Source in this process, over HTTP as an OCSP
// responder, and with revocation lists. It signs with the authority's key unless Delegate gave it one of its own.
type Responder struct {
	authority *Authority
	ledger    Ledger
	life      time.Duration
	key       crypto.Signer
	signer    *x509.Certificate
}

// NewResponder returns a responder; life is for how long an answer or list is good.
func NewResponder(a *Authority, l Ledger, life time.Duration) *Responder {
	return &Responder{authority: a, ledger: l, life: life, key: a.key, signer: a.Certificate}
}

// Delegate lets the responder sign with its own key, certified by IssueResponder.
func (r *Responder) Delegate(key crypto.Signer, cert *x509.Certificate) { r.key, r.signer = key, cert }

// word looks a serial number up.
func (r *Responder) word(ctx context.Context, serial *big.Int) (revoke.Word, error) {
	now := r.authority.clock.Now()
	w := revoke.Word{State: revoke.Unknown, Reason: revoke.NoReason, This: now, Next: now.Add(r.life), Cutoff: r.authority.Certificate.NotBefore}
	known, e, err := r.ledger.Look(ctx, serial)
	switch {
	case err != nil:
	case e != nil:
		w.State, w.Revoked, w.Reason = revoke.Revoked, e.At, e.Reason
	case known:
		w.State = revoke.Good
	}
	return w, err
}

// Status answers for a certificate of this authority; for others the failure is revoke.away.
func (r *Responder) Status(ctx context.Context, q revoke.Question) (revoke.Answer, error) {
	if !q.Issuer.Equal(r.authority.Certificate) {
		err := fmt.Errorf("%w: %q is asked about, %q answers", revoke.ErrOther, q.Issuer.Subject.CommonName, r.authority.Certificate.Subject.CommonName)
		return revoke.Answer{}, fault.Wrap(err, fault.Unavailable, "revoke.away", fault.Args{"certificate": q.Certificate.Subject.CommonName})
	}
	request, err := revoke.NewRequest(q.Certificate, q.Issuer, nil)
	if err != nil {
		return revoke.Answer{}, err
	}
	der, err := r.answer(ctx, request)
	return revoke.Answer{OCSP: der}, err
}

func (r *Responder) answer(ctx context.Context, request revoke.Request) ([]byte, error) {
	w, err := r.word(ctx, request.Serial)
	if err != nil {
		return nil, err
	}
	return request.Answer(w, r.key, r.signer, r.signer != r.authority.Certificate)
}

// CRL signs the authority's list as it is now.
func (r *Responder) CRL(ctx context.Context) ([]byte, error) {
	revoked, err := r.ledger.Revoked(ctx)
	if err != nil {
		return nil, err
	}
	return r.authority.RevocationList(revoked, r.life)
}

// ListAfter signs the list as it is now, with a number above the last one's.
func (r *Responder) ListAfter(ctx context.Context, last []byte) ([]byte, error) {
	revoked, err := r.ledger.Revoked(ctx)
	if err != nil {
		return nil, err
	}
	return r.authority.ListAfter(last, revoked, r.life)
}

// The answers without a word.
const (
	malformedRequest = 1
	internalError    = 2
	unauthorized     = 6
)

// Reply answers an OCSP request in DER, with a refusal when it can't (revoke.Serve).
func (r *Responder) Reply(ctx context.Context, query []byte) []byte {
	request, err := revoke.ParseRequest(query)
	if err != nil {
		return revoke.Refusal(malformedRequest)
	}
	if !request.For(r.authority.Certificate) {
		return revoke.Refusal(unauthorized)
	}
	der, err := r.answer(ctx, request)
	if err != nil {
		return revoke.Refusal(internalError)
	}
	return der
}

// Responders answers for several authorities: each request goes to the one that it is about.
type Responders []*Responder

// Reply answers an OCSP request in DER, with a refusal when it is about none of them.
func (all Responders) Reply(ctx context.Context, query []byte) []byte {
	request, err := revoke.ParseRequest(query)
	if err != nil {
		return revoke.Refusal(malformedRequest)
	}
	for _, r := range all {
		if request.For(r.authority.Certificate) {
			return r.Reply(ctx, query)
		}
	}
	return revoke.Refusal(unauthorized)
}

// Status answers for a certificate of one of them.
func (all Responders) Status(ctx context.Context, q revoke.Question) (revoke.Answer, error) {
	sources := revoke.InOrder{}
	for _, r := range all {
		sources = append(sources, r)
	}
	return sources.Status(ctx, q)
}

// CRL signs the first one's list as it is now.
func (all Responders) CRL(ctx context.Context) ([]byte, error) { return all[0].CRL(ctx) }
