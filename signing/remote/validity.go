package remote

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/signing/revoke"
)

// Validity is a Checker by the certificate alone: its time, its issuers, its status.
type Validity struct {
	Clock clock.Clock
	// Roots are the authorities that are trusted; the provider's word is not taken for its own chain. Empty: nobody is asked
	// for, and the document's verifier judges later.
	Roots []*x509.Certificate
	// Status asks whether a certificate was revoked; nil: nobody is asked.
	Status revoke.Source
}

// Check refuses with remote.expired, remote.untrusted, remote.revoked or remote.status (nobody could say).
func (v Validity) Check(ctx context.Context, chain []*x509.Certificate) error {
	if len(chain) == 0 {
		return fault.New(fault.Forbidden, "remote.certificate", nil)
	}
	now, leaf := v.Clock.Now(), chain[0]
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		err := fmt.Errorf("the certificate is valid from %s to %s", leaf.NotBefore, leaf.NotAfter)
		return fault.Wrap(err, fault.Forbidden, "remote.expired", nil)
	}
	if len(v.Roots) == 0 {
		return nil
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range v.Roots {
		roots.AddCert(c)
	}
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	found, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil || len(found) == 0 {
		return fault.Wrap(err, fault.Forbidden, "remote.untrusted", nil)
	}
	if v.Status == nil {
		return nil
	}
	for i, c := range found[0][:len(found[0])-1] {
		if err := v.status(ctx, c, found[0][i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (v Validity) status(ctx context.Context, c, issuer *x509.Certificate) error {
	now := v.Clock.Now()
	q := revoke.Question{Certificate: c, Issuer: issuer, Since: now}
	a, err := v.Status.Status(ctx, q)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "remote.status", nil)
	}
	s, err := a.Check(q, now)
	switch {
	case s.State == revoke.Revoked:
		return fault.Wrap(fmt.Errorf("revoked on %s", s.Revoked), fault.Forbidden, "remote.revoked", nil)
	case err == nil && s.State != revoke.Good:
		err = errors.New("the authority does not know it")
	}
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "remote.status", nil)
	}
	return nil
}
