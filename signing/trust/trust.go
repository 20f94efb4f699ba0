// Package trust answers one question: is this person's certificate acceptable here, for this purpose, now?
//
// Invariants: every certificate above the person's is checked like the person's own, up to one that stands in a list of the
// house's; the list says for which purposes it is good, so that a bank's customer can't sign as a civil servant. A
// certificate that was reported lost is refused before anything else is looked at, and where that can't be asked
// everything is refused. A status that nobody will tell is a refusal too, unless the house chose otherwise; then the
// verdict says so and whoever uses it records it. Start reading at Judge.Accept.
package trust

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"countersign/internal/fault"
	"countersign/signing/ca"
	"countersign/signing/revoke"
)

// Purpose is what a certificate is to be used for.
type Purpose string

// The purposes.
const (
	Customer Purpose = "customer" // a customer confirms an order
	Staff    Purpose = "staff"    // a member of staff signs in or signs
)

// Denials is the house's own list of certificates that were reported lost or taken back. It is asked at each use.
type Denials interface {
	// Denied reports whether the certificate may not be used. An error is a refusal as well.
	Denied(ctx context.Context, cert *x509.Certificate) (bool, error)
}

// Judge decides about certificates. Several goroutines may use it at once when its parts allow that.
type Judge struct {
	Lists    Lists
	Allowed  map[Purpose][]Source // which lists are good for what; a purpose without lists is refused
	Licences Licences             // of the public authorities; nil asks for none
	Status   revoke.Source        // put a revoke.Cache before it
	Denials  Denials              // nil: nothing is ever reported lost
	// WithoutStatus accepts a certificate whose status can't be had; the verdict says so.
	WithoutStatus bool
}

// Verdict is why a certificate is acceptable. It holds nothing of the person's.
type Verdict struct {
	Source  Source              `json:"source"`
	Class   ca.Kind             `json:"class,omitempty"`   // of the house's own certificates
	Issuer  string              `json:"issuer"`            // common name of who issued it
	Serial  string              `json:"serial"`            // hex
	SHA256  string              `json:"sha256"`            // of the certificate, hex
	Licence string              `json:"licence,omitempty"` // paper that licensed its authority
	Status  string              `json:"status"`            // ocsp, crl or unavailable
	Checked time.Time           `json:"checked"`           // when the oldest status that was used was stated
	Chain   []*x509.Certificate `json:"-"`                 // up to the anchor, leaf first
}

// Unchecked reports whether the certificate was accepted although its status could not be had.
func (v Verdict) Unchecked() bool { return v.Status == statusAway }

const (
	statusOCSP = "ocsp"
	statusCRL  = "crl"
	statusAway = "unavailable"
)

// Accept returns why the certificate that comes first in the chain is acceptable at a moment, or one of these faults:
//
//	trust.none          there is no certificate, or no list is good for the purpose
//	trust.denied        it was reported lost or taken back here
//	trust.denials_away  whether it was reported lost can't be asked; everything is refused
//	trust.dates         it is not valid yet or any more
//	trust.usage         it is an authority's, or not for signatures
//	trust.class         it is the house's, but made for something else
//	trust.unknown       nobody who issued it is in a list
//	trust.list          who issued it is in a list, but none that is good for the purpose
//	trust.licence       its authority was not licensed when it issued it
//	trust.revoked       it, or an authority above it, was revoked
//	trust.status        whether it was revoked can't be had now
//
// What follows the first certificate helps to find the way up, in any order; nothing is believed of it.
func (j *Judge) Accept(ctx context.Context, chain []*x509.Certificate, p Purpose, at time.Time) (Verdict, error) {
	if len(chain) == 0 || len(j.Allowed[p]) == 0 {
		return Verdict{}, fault.New(fault.Forbidden, "trust.none", nil)
	}
	leaf := chain[0]
	if err := j.denied(ctx, leaf); err != nil {
		return Verdict{}, err
	}
	if at.Before(leaf.NotBefore) || at.After(leaf.NotAfter) {
		return Verdict{}, fault.New(fault.Forbidden, "trust.dates", fault.Args{"from": day(leaf.NotBefore), "until": day(leaf.NotAfter)})
	}
	if leaf.IsCA || !forSigning(leaf) {
		return Verdict{}, fault.New(fault.Forbidden, "trust.usage", nil)
	}
	source, way, err := j.find(chain, p, at)
	if err != nil {
		return Verdict{}, err
	}
	digest := sha256.Sum256(leaf.Raw)
	v := Verdict{Source: source, Issuer: leaf.Issuer.CommonName, Serial: leaf.SerialNumber.Text(16), SHA256: hex.EncodeToString(digest[:]), Chain: way}
	if source == Own {
		mark, _ := ca.ReadMark(leaf)
		if v.Class = mark.Kind; !slices.Contains(classes[p], mark.Kind) {
			return Verdict{}, fault.New(fault.Forbidden, "trust.class", nil)
		}
	}
	if source == Public && j.Licences != nil {
		licence, ok := j.Licences.covers(way)
		if !ok {
			return Verdict{}, fault.New(fault.Forbidden, "trust.licence", fault.Args{"issuer": v.Issuer})
		}
		v.Licence = licence.Paper
	}
	if err := j.ask(ctx, &v, at); err != nil {
		return Verdict{}, err
	}
	return v, nil
}

// classes are the house's own certificates that are good for a purpose: those whose keys their holders keep.
var classes = map[Purpose][]ca.Kind{
	Customer: {ca.KindToken, ca.KindFile},
	Staff:    {ca.KindClerk},
}

func (j *Judge) denied(ctx context.Context, leaf *x509.Certificate) error {
	if j.Denials == nil {
		return nil
	}
	denied, err := j.Denials.Denied(ctx, leaf)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "trust.denials_away", nil)
	}
	if denied {
		return fault.New(fault.Forbidden, "trust.denied", nil)
	}
	return nil
}

// find looks for the way up to a list that is good for the purpose.
func (j *Judge) find(chain []*x509.Certificate, p Purpose, at time.Time) (Source, []*x509.Certificate, error) {
	var elsewhere Source
	for _, source := range Sources() {
		way := climb(chain, j.Lists[source], at)
		if way == nil {
			continue
		}
		if slices.Contains(j.Allowed[p], source) {
			return source, way, nil
		}
		elsewhere = source
	}
	args := fault.Args{"issuer": chain[0].Issuer.CommonName}
	if elsewhere != "" {
		args["list"] = string(elsewhere)
		return "", nil, fault.New(fault.Forbidden, "trust.list", args)
	}
	return "", nil, fault.New(fault.Forbidden, "trust.unknown", args)
}

// climb returns the chain from the first certificate to an anchor, nil when there is none. Of several the longest is
// taken: it asks about the most authorities.
func climb(chain, anchors []*x509.Certificate, at time.Time) []*x509.Certificate {
	if len(anchors) == 0 {
		return nil
	}
	roots, above := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range anchors {
		roots.AddCert(c)
		above.AddCert(c)
	}
	for _, c := range chain[1:] {
		above.AddCert(c)
	}
	// Extended usages are judged by forSigning: most signers' certificates have some that Go has no name for.
	found, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: above, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		return nil
	}
	longest := found[0]
	for _, f := range found {
		if len(f) > len(longest) {
			longest = f
		}
	}
	return longest
}

// ask finds out whether the person's certificate or an authority between it and the anchor was revoked.
func (j *Judge) ask(ctx context.Context, v *Verdict, at time.Time) error {
	for i, c := range v.Chain[:len(v.Chain)-1] {
		s, kind, err := j.status(ctx, revoke.Question{Certificate: c, Issuer: v.Chain[i+1]}, at)
		switch {
		case err == nil && s.State == revoke.Revoked:
			return fault.New(fault.Forbidden, "trust.revoked", fault.Args{"since": day(s.Revoked)})
		case err == nil && s.State == revoke.Good:
			if v.Status != statusAway && (i == 0 || kind == statusCRL) {
				v.Status = kind
			}
			if v.Checked.IsZero() || s.This.Before(v.Checked) {
				v.Checked = s.This
			}
		case j.WithoutStatus && ctx.Err() == nil:
			v.Status = statusAway
		default:
			return fault.Wrap(err, fault.Unavailable, "trust.status", fault.Args{"issuer": v.Issuer})
		}
	}
	return nil
}

// status asks the sources and judges what they say. A statement that doesn't reach the moment is none.
func (j *Judge) status(ctx context.Context, q revoke.Question, at time.Time) (revoke.Status, string, error) {
	if j.Status == nil {
		return revoke.Status{}, "", errors.New("nobody can be asked for the status of certificates")
	}
	a, err := j.Status.Status(ctx, q)
	if err != nil {
		return revoke.Status{}, "", err
	}
	s, err := a.Check(q, at)
	if err == nil && s.State != revoke.Revoked && s.State != revoke.Good {
		err = fmt.Errorf("the status of certificate %s is %s", q.Certificate.SerialNumber.Text(16), s.State)
	}
	if a.OCSP != nil {
		return s, statusOCSP, err
	}
	return s, statusCRL, err
}

// forSigning reports whether a certificate is for signatures: by its key usage and, where it has extended usages, not
// for servers, code, timestamps or responders alone.
func forSigning(c *x509.Certificate) bool {
	if c.KeyUsage != 0 && c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return false
	}
	if len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 || len(c.UnknownExtKeyUsage) > 0 {
		return true
	}
	return slices.ContainsFunc(c.ExtKeyUsage, func(u x509.ExtKeyUsage) bool {
		return u == x509.ExtKeyUsageAny || u == x509.ExtKeyUsageEmailProtection || u == x509.ExtKeyUsageClientAuth
	})
}

func day(at time.Time) string { return at.UTC().Format(time.DateOnly) }
