package signing

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"countersign/internal/fault"
	"countersign/signing/ca"
	"countersign/signing/pdf"
)

// terminalKey says whose key signs when a customer has none and the house lends the terminal's.
const terminalKey = "the terminal's, the same for every customer; the customer confirmed by one-time code, identity card and picture"

// Terminal signs the customer's field with the key that came with the counter's terminal, for a customer who has no
// certificate: the certificate names the terminal and the organisation, and is made for this one transaction and its
// evidence (identity, reading, code). It ranks as the code does, below a key of the customer's own, and its class says so.
// It refuses what Customer refuses, and with sign.terminal when there is no such key.
func (c *Ceremony) Terminal(ctx context.Context, r Confirm, t Witness) (Signature, error) {
	now := c.Clock.Now()
	r.Document = bytes.Clone(r.Document)
	field, err := r.refuse(now)
	if err != nil {
		return Signature{}, err
	}
	if c.Keys == nil || t.Counter == "" || !strings.HasPrefix(t.Key, WitnessKey) {
		return Signature{}, fault.New(fault.Forbidden, "sign.terminal", nil)
	}
	looks := r.Appearance
	if looks != nil {
		if looks, err = Fitted(looks, field); err != nil {
			return Signature{}, err
		}
	}
	evidence := newEvidence(r)
	evidence.Key = terminalKey
	digest, err := evidence.Digest()
	if err != nil {
		return Signature{}, err
	}
	private, err := c.Keys.Signer(t.Key)
	if fault.KindOf(err) == fault.NotFound {
		return Signature{}, fault.Wrap(err, fault.Forbidden, "sign.terminal", nil)
	}
	if err != nil {
		return Signature{}, fmt.Errorf("open the terminal key of counter %s: %w", t.Counter, err)
	}
	chain, err := c.Issuer.IssueTerminal(private.Public(), ca.Terminal{Counter: t.Counter, Organisation: t.Organisation, TransactionID: r.Order, EvidenceSHA256: digest, Life: witnessLife})
	if err != nil {
		return Signature{}, fmt.Errorf("certify the terminal of order %s: %w", r.Order, err)
	}
	filled, err := Fill(ctx, r.Document, pdf.Request{
		Field: CustomerField, Name: r.Person.Name, Reason: r.Reason, Location: r.Location, At: now, Appearance: looks,
	}, private, chain, c.Authority)
	if err != nil {
		return Signature{}, fmt.Errorf("sign order %s: %w", r.Order, err)
	}
	return Signature{Filled: filled, Evidence: evidence, Certificate: chain[0]}, nil
}
