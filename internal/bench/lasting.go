package main

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"time"

	"countersign/internal/clock"
	"countersign/signing"
	"countersign/signing/augment"
	"countersign/signing/ca"
	"countersign/signing/pdf"
	"countersign/signing/pdf/pdftest"
	"countersign/signing/revoke"
	"countersign/signing/tsa"
	"countersign/signing/verify"
)

// The signatures in a B-LTA document with one signature: its own, those of the certificates of signer, issuing authority
// (twice) and timestamp authority, two timestamps, two OCSP responses and a list. Who knows the house's chains from the
// documents before checks four fewer.
const (
	lastingChecks = 10
	knownChecks   = 6
	lastingSigns  = 5 // signature, two timestamps, two responses
)

// lasting measures raising a document to B-LTA and verifying it there.
func lasting(ctx context.Context, b *bench) error {
	now := clock.System{}
	root, err := ca.NewRoot(pkix.Name{CommonName: "Bench Root"}, now, rand.Reader)
	if err != nil {
		return err
	}
	issuing, err := root.NewIssuing(pkix.Name{CommonName: "Bench Issuing"})
	if err != nil {
		return err
	}
	list, err := root.RevocationList(nil, time.Hour)
	if err != nil {
		return err
	}
	const life = 24 * time.Hour
	key, err := p256()
	if err != nil {
		return err
	}
	chain, err := issuing.IssueSeal(key.Public(), ca.Seal{Name: "P-256", OrganisationID: "1", Life: life})
	if err != nil {
		return err
	}
	stamper, err := p256()
	if err != nil {
		return err
	}
	stamps, err := issuing.IssueTimestamp(stamper.Public(), pkix.Name{CommonName: "Bench TSA"}, life)
	if err != nil {
		return err
	}
	authority, err := tsa.NewLocal(stamper, stamps, now, rand.Reader)
	if err != nil {
		return err
	}
	roots := []*x509.Certificate{root.Certificate}
	raiser := &augment.Augmenter{Roots: roots, Authority: authority, Clock: now, Renew: time.Minute, Chains: &verify.Chains{},
		Status: revoke.InOrder{ca.NewResponder(issuing, &ca.Register{}, life), revoke.Lists{DER: [][]byte{list}, Clock: now}}}
	base := pdftest.Padded(25<<10, "seal")
	var document []byte
	raise := func() error {
		f, err := signing.Fill(ctx, base, pdf.Request{Field: "seal", At: now.Now()}, key, chain, authority)
		if err != nil {
			return err
		}
		r, err := raiser.Raise(ctx, f.Document, signing.BLTA)
		if err != nil || r.Short != nil {
			return fmt.Errorf("raise the document: %w", errors.Join(err, r.Short))
		}
		document = r.Document
		return nil
	}
	if err := raise(); err != nil {
		return err
	}
	b.say("a document of %d KB with one signature, signed and raised to B-LTA by authorities in this process", len(document)>>10)
	if err := b.rate("sign.p256.blta", raise, fmt.Sprintf("raw P-256 %d signs+checks", lastingSigns), raw(key, lastingSigns)); err != nil {
		return err
	}
	judge := func(known *verify.Chains) act {
		return func() error {
			if r := verify.Verify(document, verify.Policy{Roots: roots, At: now.Now().Add(time.Second), Chains: known}); r.Verdict != verify.Passed {
				return fmt.Errorf("the raised document is %s: %s", r.Verdict, r.Summary.English)
			}
			return nil
		}
	}
	if err := b.rate("verify.blta", judge(&verify.Chains{}), fmt.Sprintf("raw P-256 %d checks", knownChecks), checks(key, knownChecks)); err != nil {
		return err
	}
	return b.rate("verify.blta.unknown_house", judge(nil), fmt.Sprintf("raw P-256 %d checks", lastingChecks), checks(key, lastingChecks))
}
