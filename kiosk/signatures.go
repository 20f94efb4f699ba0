package kiosk

import (
	"context"
	"slices"
	"time"

	"countersign/internal/fault"
	"countersign/signing"
	"countersign/signing/verify"
)

// SignatureState answers for one party of an order: signed or not, by whom, with which certificate, when, and whether it holds.
type SignatureState struct {
	Field       string    `json:"field"` // of the document: customer, clerk, business_seal, unit_seal
	Party       string    `json:"party"` // who is to sign, as the order names them
	Signed      bool      `json:"signed"`
	Signer      string    `json:"signer"`      // distinguished name in the certificate
	Issuer      string    `json:"issuer"`      // of that certificate
	Certificate string    `json:"certificate"` // what kind it is: otp, witness, token, clerk, seal, other
	Rank        string    `json:"rank"`        // of the customer's confirmation: "4/4"
	Method      string    `json:"method"`      // of the customer's confirmation
	Time        time.Time `json:"time"`
	Proven      bool      `json:"proven"` // the time comes from a timestamp
	Valid       bool      `json:"valid"`  // intact, and by a certificate that is trusted here
}

// Signatures verifies the newest file of an order and answers for every party that is to sign it. The look is journalled.
func (h *Hall) Signatures(ctx context.Context, a Actor, name string) ([]SignatureState, error) {
	o, err := h.Lookup(ctx, a, name)
	if err != nil {
		return nil, err
	}
	s, err := h.service(o)
	if err != nil {
		return nil, err
	}
	out := []SignatureState{}
	for _, g := range h.signers(o, s, s.Language) {
		out = append(out, SignatureState{Field: g.Field, Party: g.Name})
	}
	file, err := h.newestSigned(ctx, a, o)
	if err != nil || file == nil {
		return out, err
	}
	report := verify.Verify(file, verify.Policy{Roots: h.Roots, At: h.Clock.Now()})
	for _, found := range report.Signatures {
		i := slices.IndexFunc(out, func(x SignatureState) bool { return x.Field == found.Field })
		if i < 0 {
			continue // a document timestamp
		}
		x := &out[i]
		x.Signed, x.Signer, x.Certificate = true, found.Signer, found.Kind
		x.Time, x.Proven = proven(found), !found.ProvenTime.Time.IsZero()
		if len(found.Chain) > 0 {
			x.Issuer = found.Chain[0].Issuer
		}
		x.Valid = found.Integrity == "intact" && found.Problem == "" && report.Verdict != verify.Failed && leads(found.Chain)
		if x.Field == signing.CustomerField && o.Confirm != nil {
			x.Rank, x.Method = o.Confirm.Rank().String(), o.Confirm.Method
		}
	}
	return out, nil
}

// leads reports whether a chain ends at an authority that is trusted here, with nothing wrong on the way.
func leads(chain []verify.Link) bool {
	return len(chain) > 0 && chain[len(chain)-1].Status == "root" &&
		!slices.ContainsFunc(chain, func(l verify.Link) bool { return l.Status != "root" && l.Status != "valid" })
}

// newestSigned reads the newest file of an order that somebody may have signed, nil when there is none yet.
func (h *Hall) newestSigned(ctx context.Context, a Actor, o *Order) (file []byte, err error) {
	id := o.Document.FinalID
	if id == "" && o.Confirm != nil {
		id = o.Confirm.SignedID
	}
	if id == "" {
		return nil, nil
	}
	err = h.Store.Update(ctx, func(tx Tx) error {
		if file, err = tx.Document(id); fault.KindOf(err) == fault.NotFound {
			file, err = nil, nil // given up since
			return nil
		}
		if err != nil {
			return err
		}
		_, err := tx.Append(h.entry(a, "signatures.read", o.subject(), nil))
		return err
	})
	return file, err
}
