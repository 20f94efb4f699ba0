// Package augment raises signed documents to levels that outlive their certificates: from B-B or B-T to B-LT, which
// holds the proof that nothing was revoked, and to B-LTA, which holds a timestamp over that proof; and it renews an
// ageing timestamp before its certificate ends.
//
// Invariants: not one byte of the given document is changed, only updates are appended; a document that is not in order
// is refused; after each step the result is verified, and one that is not better is not released. What is away costs a
// level and never the document: the result then holds what was reached, and says why it is no more. Start reading at
// Augmenter.Raise.
package augment

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/signing"
	"countersign/signing/pdf"
	"countersign/signing/revoke"
	"countersign/signing/tsa"
	"countersign/signing/verify"
)

// DefaultRenew is how long before its end a document timestamp is renewed unless the Augmenter says otherwise.
const DefaultRenew = 180 * 24 * time.Hour

// maxTimestamps bounds the document timestamps of one document; one every two years for a hundred years are fifty.
const maxTimestamps = 100

// Augmenter raises levels. Several goroutines may use it at once when its parts allow that.
type Augmenter struct {
	Roots     []*x509.Certificate
	Authority tsa.Authority
	Status    revoke.Source
	Clock     clock.Clock
	Renew     time.Duration  // 0 means DefaultRenew
	Chains    *verify.Chains // remembers the chains of who signs often; may be nil
}

// Result is a document and the level that it has.
type Result struct {
	Document []byte
	Before   signing.Level
	Level    signing.Level // the lowest of all signatures
	Added    int           // revisions
	Until    time.Time     // when the last document timestamp ceases to prove; zero without one
	Short    error         // why the wanted level was not reached or the timestamp not renewed; nil when it was
}

// levels in rising order.
var levels = []signing.Level{"", signing.BB, signing.BT, signing.BLT, signing.BLTA}

func below(a, b signing.Level) bool { return slices.Index(levels, a) < slices.Index(levels, b) }

// Known reports whether a level is one that Raise can be asked for.
func Known(l signing.Level) bool { return slices.Contains(levels[2:], l) }

// Raise brings a document to a level, and renews its last document timestamp when it is at B-LTA and ageing. The error
// is for documents that can't be raised at all: unsigned, changed, or not to be trusted.
func (a *Augmenter) Raise(ctx context.Context, document []byte, to signing.Level) (Result, error) {
	if !Known(to) {
		return Result{}, fault.New(fault.Invalid, "augment.level", fault.Args{"level": string(to)})
	}
	if a.Chains == nil {
		again := *a
		again.Chains = &verify.Chains{}
		a = &again
	}
	s, err := a.examine(document)
	if err != nil {
		return Result{}, err
	}
	r := &raising{Augmenter: a, standing: s, out: Result{Document: document, Before: signing.Level(s.Level), Level: signing.Level(s.Level), Until: s.Until}}
	if r.out.Short = r.raise(ctx, to); r.out.Short == nil && to == signing.BLTA {
		r.out.Short = r.renew(ctx)
	}
	return r.out, nil
}

// examine verifies a document and refuses one that is not in order. That a status is not known yet is in order: to find
// it out is what Raise is for.
func (a *Augmenter) examine(document []byte) (verify.Standing, error) {
	s := verify.Examine(document, verify.Policy{Roots: a.Roots, At: a.Clock.Now(), Chains: a.Chains})
	r := s.Report
	if r.Verdict != verify.Passed && r.Sub != "TRY_LATER" || s.Level == "" {
		return s, fault.Wrap(fmt.Errorf("verdict %s %s: %s %s", r.Verdict, r.Sub, r.Problem, r.Detail), fault.Conflict, "augment.document", nil)
	}
	return s, nil
}

// raising is one run of Raise.
type raising struct {
	*Augmenter
	standing verify.Standing
	out      Result
}

func (r *raising) raise(ctx context.Context, to signing.Level) error {
	if r.out.Level == signing.BB {
		if err := r.stamp(ctx); err != nil {
			return err
		}
	}
	if below(signing.BT, to) && (below(r.out.Level, signing.BLT) || r.out.Level == signing.BLT && len(r.standing.Lacks) > 0) {
		if err := r.prove(ctx, r.standing.Lacks); err != nil {
			return err
		}
	}
	if below(r.out.Level, to) && to == signing.BLTA {
		if err := r.stamp(ctx); err != nil {
			return err
		}
	}
	if below(r.out.Level, to) {
		return fmt.Errorf("raise to %s: the document stays at %s", to, r.out.Level)
	}
	return nil
}

// renew puts a new document timestamp over one whose certificate ends soon, after the proof of that one's status.
func (r *raising) renew(ctx context.Context) error {
	margin := r.Renew
	if margin == 0 {
		margin = DefaultRenew
	}
	if r.out.Until.IsZero() || r.out.Until.Sub(r.Clock.Now()) > margin {
		return nil
	}
	before, standing := r.out, r.standing
	var err error
	if len(r.standing.Ageing) > 0 {
		err = r.prove(ctx, r.standing.Ageing)
	}
	if err == nil {
		err = r.stamp(ctx)
	}
	if err != nil || !r.out.Until.After(before.Until) {
		// An authority whose certificate ends no later adds nothing but length.
		r.out, r.standing = before, standing
	}
	return err
}

// stamp appends a document timestamp.
func (r *raising) stamp(ctx context.Context) error {
	if r.Authority == nil {
		return fault.New(fault.Unavailable, "augment.no_authority", nil)
	}
	var p *pdf.Prepared
	err := error(pdf.ErrFieldFilled)
	for n := 1; n <= maxTimestamps && errors.Is(err, pdf.ErrFieldFilled); n++ {
		p, err = pdf.PrepareTimestamp(r.out.Document, fmt.Sprintf("timestamp-%d", n), 0)
	}
	if err != nil {
		return err
	}
	signed := p.Signed()
	token, err := r.Authority.Stamp(ctx, signed)
	if err != nil {
		return err
	}
	t, err := tsa.Parse(token)
	if err != nil {
		return err
	}
	if err := t.Verify(signed); err != nil {
		return err
	}
	document, err := p.Finish(token)
	if err != nil {
		return err
	}
	return r.accept(document)
}

// prove gets a statement about each certificate and appends them all, or none.
func (r *raising) prove(ctx context.Context, lacks []verify.Lack) error {
	if r.Status == nil {
		return fault.New(fault.Unavailable, "augment.no_source", nil)
	}
	var m pdf.Material
	for _, c := range r.standing.Apart {
		m.Certificates = append(m.Certificates, c.Raw)
	}
	var failures []error
	for _, l := range lacks {
		q := revoke.Question{Certificate: l.Certificate, Issuer: l.Issuer, Since: l.Since}
		a, err := r.Status.Status(ctx, q)
		if err == nil {
			err = r.fits(a, q)
		}
		if err != nil {
			failures = append(failures, err)
			continue
		}
		if a.OCSP != nil {
			m.OCSPs = append(m.OCSPs, a.OCSP)
		} else {
			m.CRLs = append(m.CRLs, a.CRL)
		}
	}
	if len(failures) > 0 {
		return errors.Join(failures...)
	}
	if m.Empty() {
		return nil
	}
	document, err := pdf.AppendMaterial(r.out.Document, m)
	if err != nil {
		return err
	}
	return r.accept(document)
}

// fits requires of a statement about an end certificate that it was made after the signature: an older one, although it
// has not run out, would not know of a key that was lost the day before.
func (r *raising) fits(a revoke.Answer, q revoke.Question) error {
	name := fault.Args{"certificate": q.Certificate.Subject.CommonName}
	s, err := a.Check(q, r.Clock.Now())
	switch {
	case err != nil:
		return fault.Wrap(err, fault.Unavailable, "revoke.away", name)
	case s.State == revoke.Unknown:
		return fault.New(fault.Unavailable, "augment.unknown", name)
	case s.State == revoke.Good && !q.Certificate.IsCA && s.This.Before(q.Since):
		return fault.New(fault.Unavailable, "augment.early", name)
	}
	return nil
}

// accept takes a longer document when it verifies.
func (r *raising) accept(document []byte) error {
	if !bytes.HasPrefix(document, r.out.Document) {
		return errors.New("raise a document: the update changed what was there")
	}
	s, err := r.examine(document)
	if err != nil {
		return err
	}
	if below(signing.Level(s.Level), r.out.Level) {
		return fmt.Errorf("raise a document: the update lowers it from %s to %s", r.out.Level, s.Level)
	}
	r.standing = s
	r.out.Document, r.out.Level, r.out.Until = document, signing.Level(s.Level), s.Until
	r.out.Added++
	return nil
}
