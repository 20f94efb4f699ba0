package service

import (
	"context"
	"crypto/x509"
	"errors"
	"time"

	"countersign/internal/fault"
	"countersign/kiosk"
	"countersign/signing/key"
	"countersign/signing/trust"
)

// accepted are the certificates that customers may sign with: the house's own, and those of the lists by their status.
type accepted struct {
	roots   []*x509.Certificate // the house's
	between []*x509.Certificate // issuers that are known here; a token need not hold them
	hall    *kiosk.Hall         // whose register says what was taken back, and who judges other authorities' certificates
}

// Accept takes a certificate that is valid at a moment, is for signatures and leads to one of the authorities. What follows
// the first certificate helps to find the way up; nothing is believed of it. Its faults are own.dates, own.usage,
// own.unknown, trust.denied for one that was taken back here, those of trust.Judge for one of another authority, and those of
// key.Match for another person's.
func (a accepted) Accept(ctx context.Context, chain []*x509.Certificate, of kiosk.Holder, at time.Time) ([]*x509.Certificate, error) {
	if len(chain) == 0 {
		return nil, fault.New(fault.Invalid, "own.chain", nil)
	}
	leaf := chain[0]
	if at.Before(leaf.NotBefore) || at.After(leaf.NotAfter) {
		const day = "02/01/2006"
		return nil, fault.New(fault.Forbidden, "own.dates", fault.Args{"from": leaf.NotBefore.Format(day), "until": leaf.NotAfter.Format(day)})
	}
	if leaf.IsCA || leaf.KeyUsage != 0 && leaf.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return nil, fault.New(fault.Forbidden, "own.usage", nil)
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range a.roots {
		roots.AddCert(c)
	}
	for _, c := range append(chain[1:len(chain):len(chain)], a.between...) {
		between.AddCert(c)
	}
	ways, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	var unhandled x509.UnhandledCriticalExtension
	switch {
	case errors.As(err, &unhandled):
		return nil, fault.Wrap(err, fault.Forbidden, "own.usage", nil)
	case err != nil:
		return a.outside(ctx, chain, of, at, err)
	}
	taken, err := a.hall.TakenBack(ctx, leaf)
	if err != nil || taken {
		return nil, fault.Wrap(err, fault.Forbidden, "trust.denied", nil)
	}
	if err := key.Match(leaf, key.Person{CCCD: of.CCCD, CMND: of.CMND, Passport: of.Passport}); err != nil {
		return nil, err
	}
	// The authority at the end is in every reader's own list.
	return ways[0][:max(len(ways[0])-1, 1)], nil
}

// outside takes a certificate of an authority in the lists for customers, once its status was asked.
func (a accepted) outside(ctx context.Context, chain []*x509.Certificate, of kiosk.Holder, at time.Time, why error) ([]*x509.Certificate, error) {
	unknown := fault.Wrap(why, fault.Forbidden, "own.unknown", fault.Args{"issuer": chain[0].Issuer.CommonName})
	if a.hall.Trust == nil {
		return nil, unknown
	}
	v, err := a.hall.Trust.Accept(ctx, chain, trust.Customer, at)
	if fault.Is(err, "trust.unknown") || fault.Is(err, "trust.none") {
		return nil, unknown
	}
	if err != nil {
		return nil, err
	}
	if err := key.Match(chain[0], key.Person{CCCD: of.CCCD, CMND: of.CMND, Passport: of.Passport}); err != nil {
		return nil, err
	}
	return v.Chain[:max(len(v.Chain)-1, 1)], nil
}
