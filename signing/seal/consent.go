package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"strconv"

	"countersign/internal/fault"
	"countersign/signing"
	"countersign/signing/ca"
	"countersign/signing/cms"
	"countersign/signing/pdf"
)

// consent makes sure that the customer confirmed this very document for this order. Nothing that the caller says is taken
// for true: the signature in the document must hold (Judge), its certificate must name the order and the evidence, and
// what lies before it must be the base document that was confirmed.
// The fields to be filled are returned by name, with what the confirmed content says.
func (l *Local) consent(o Order, digest [32]byte) (map[string]pdf.Field, Facts, error) {
	empty, facts, err := l.consented(o, digest)
	if err != nil && !fault.Is(err, "seal.rank") {
		return nil, facts, fault.Wrap(err, fault.Forbidden, "seal.consent", nil)
	}
	return empty, facts, err
}

func (l *Local) consented(o Order, digest [32]byte) (map[string]pdf.Field, Facts, error) {
	if digest != o.Consent.Signed {
		return nil, Facts{}, errors.New("the document is not the one with the customer's signature")
	}
	f, err := pdf.Parse(o.Document)
	if err != nil {
		return nil, Facts{}, err
	}
	if len(f.Revisions) != 2 {
		return nil, Facts{}, fmt.Errorf("the document has %d revisions, not the base and the customer's signature", len(f.Revisions))
	}
	base := f.Revisions[0].Span
	if sha256.Sum256(o.Document[base.Start:base.End]) != o.Consent.Base {
		return nil, Facts{}, errors.New("the base is not the document that was confirmed")
	}
	facts, err := factsOf(f)
	if err != nil {
		return nil, facts, err
	}
	if facts.Order != o.ID || facts.Service != o.Service {
		return nil, facts, fmt.Errorf("the content is of order %q, service %q", facts.Order, facts.Service)
	}
	empty, err := l.confirmed(o, f)
	return empty, facts, err
}

// confirmed looks at the customer's signature and returns the fields that are still empty.
func (l *Local) confirmed(o Order, f *pdf.File) (map[string]pdf.Field, error) {
	fields, err := f.Fields(1)
	if err != nil {
		return nil, err
	}
	var value pdf.Value
	empty := map[string]pdf.Field{}
	for _, field := range fields {
		switch {
		case field.Name == signing.CustomerField:
			value = field.Value
		case field.Type == "Sig" && field.Value.Kind != pdf.Null:
			return nil, fmt.Errorf("field %q is filled before its turn", field.Name)
		case field.Type == "Sig":
			empty[field.Name] = field
		}
	}
	if value, err = f.Resolve(value, 1); err != nil {
		return nil, err
	}
	rank, err := o.named(value.Get("Contents").Bytes())
	if err != nil {
		return nil, err
	}
	if rank < l.least(o.Service) {
		return nil, fault.New(fault.Forbidden, "seal.rank", fault.Args{"has": strconv.Itoa(int(rank)), "needed": strconv.Itoa(int(l.least(o.Service)))})
	}
	return empty, l.Judge(o.Document)
}

// least is the least rank of a customer's confirmation on which a service's documents are sealed.
func (l *Local) least(service string) signing.Rank {
	if l.Least == nil {
		return signing.OneTimeCode
	}
	return l.Least(service)
}

// named reads the customer's certificate out of the signature, compares what it says with the order and returns the rank
// of the confirmation.
func (o *Order) named(contents []byte) (signing.Rank, error) {
	var der asn1.RawValue
	if _, err := asn1.Unmarshal(contents, &der); err != nil {
		return 0, fmt.Errorf("the customer has not signed: %w", err)
	}
	m, err := cms.Parse(der.FullBytes)
	if err != nil {
		return 0, err
	}
	if m.Signer == nil {
		return 0, errors.New("the customer's certificate can't be read")
	}
	mark, marked := ca.ReadMark(m.Signer)
	if !marked {
		return signing.OwnKey, nil // of an authority outside the house: Judge asks whether it is trusted
	}
	rank, ok := map[ca.Kind]signing.Rank{ca.KindWitness: signing.Witnessed, ca.KindOTP: signing.OneTimeCode, ca.KindTerminal: signing.OneTimeCode,
		ca.KindToken: signing.OwnKey, ca.KindFile: signing.OwnKey}[mark.Kind]
	if !ok {
		return 0, errors.New("the customer's field was not signed by a customer, nor by a witness of one")
	}
	if rank != signing.OwnKey && (mark.TransactionID != o.ID || !bytes.Equal(mark.EvidenceSHA256, o.Consent.Evidence[:])) {
		return 0, errors.New("the customer's certificate was made for another order or on other evidence")
	}
	return rank, nil
}
