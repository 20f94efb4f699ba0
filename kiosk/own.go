package kiosk

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/kiosk/idcard"
	"countersign/kiosk/workorder"
	"countersign/signing"
	"countersign/signing/pdf"
	"countersign/signing/pdf/stamp"
)

// OwnCertificates judges the certificates of customers' own keys.
type OwnCertificates interface {
	// Accept returns the certificate that comes first with its issuers, up to one whom the house accepts for customers, or a
	// fault that says why it is not accepted at that moment, or not that person's.
	Accept(ctx context.Context, chain []*x509.Certificate, of Holder, at time.Time) ([]*x509.Certificate, error)
}

// Holder is whom a certificate must belong to, by the number of the card that was read; the others are empty.
type Holder struct {
	CCCD, CMND, Passport string
}

// OwnKey is a confirmation with a key of the customer's own under way.
type OwnKey struct {
	Asked  time.Time `json:"asked"`
	Issuer string    `json:"issuer"` // of the certificate that the customer chose; empty before
	Serial string    `json:"serial"`
	// PreparedID names the stored signing.Asked; empty before the customer has chosen a certificate.
	PreparedID string    `json:"prepared_id"`
	Prepared   time.Time `json:"prepared"`

	// Of a key at a provider: whose provider, how long the telephone is asked, and what came of it.
	Provider string    `json:"provider,omitempty"`
	Until    time.Time `json:"until,omitzero"`
	State    string    `json:"state,omitempty"`
	Failed   string    `json:"failed,omitempty"` // code of the fault

	FailedArgs map[string]string `json:"failed_args,omitempty"`
}

// beginOwn begins a confirmation with the customer's own key.
func (h *Hall) beginOwn(tx Tx, o *Order, m Method) error {
	if err := o.dropOwn(tx); err != nil {
		return err
	}
	return o.TakeOwn(m, OwnKey{Asked: h.Clock.Now()}, h.Clock.Now())
}

// dropOwn forgets what was prepared for the customer's own key.
func (o *Order) dropOwn(tx Tx) error {
	own := o.Own
	o.Own = nil
	if own == nil || own.PreparedID == "" {
		return nil
	}
	return tx.DeleteDocument(own.PreparedID)
}

// PrepareOwn makes the document ready for the key of a certificate that is on the customer's token, and returns the digest
// that the key signs. It takes only a certificate that the house accepts now and whose number is that of the customer's card.
// Besides the faults of OwnCertificates and signing.Ceremony.Ask:
//
//	own.no_way     the customer did not choose to sign with their own token
//	own.chain      what was sent is no certificate
func (h *Hall) PrepareOwn(ctx context.Context, a Actor, key string, ders [][]byte) (digest [32]byte, err error) {
	if a.Mobile {
		return digest, fault.New(fault.Forbidden, "confirm."+WhyMobile, nil)
	}
	chain, err := parseChain(ders)
	if err != nil {
		return digest, err
	}
	return h.prepareOwn(ctx, a, key, ByToken, chain)
}

// prepareOwn prepares an order for a key of the customer's own, wherever it is.
func (h *Hall) prepareOwn(ctx context.Context, a Actor, key string, m Method, chain []*x509.Certificate) (digest [32]byte, err error) {
	id, err := h.key()
	if err != nil {
		return digest, err
	}
	before, base, err := h.toConfirm(ctx, a, key)
	if err != nil {
		return digest, err
	}
	if before.Way != m || before.Own == nil {
		return digest, fault.New(fault.Conflict, "own.no_way", nil)
	}
	if chain, err = h.acceptOwn(ctx, before, chain); err != nil {
		return digest, err
	}
	ask, err := h.owned(before, base, chain)
	if err != nil {
		return digest, err
	}
	asked, err := h.Ceremony.Ask(ask)
	if err != nil {
		return digest, err
	}
	record, err := json.Marshal(asked)
	if err != nil {
		return digest, fmt.Errorf("write what is to be signed of order %s: %w", before.Number, err)
	}
	_, err = h.change(ctx, a, key, "confirm.prepared", func(tx Tx, o *Order) (facts, error) {
		if o.Way != m || o.Own == nil || !o.Own.Asked.Equal(before.Own.Asked) {
			return nil, fault.New(fault.Conflict, "own.no_way", nil)
		}
		if o.Own.PreparedID != "" {
			if err := tx.DeleteDocument(o.Own.PreparedID); err != nil {
				return nil, err
			}
		}
		o.Own.PreparedID, o.Own.Prepared = id, asked.At
		o.Own.Issuer, o.Own.Serial = asked.Evidence.Own.Issuer, asked.Evidence.Own.Serial
		told := facts{"certificate": asked.Evidence.Own.Certificate, "by": string(m)}
		return told, tx.PutDocument(id, o.Key, "prepared", record)
	})
	return asked.ToBeSigned.Digest, err
}

// toConfirm reads an order that waits for its confirmation, with the document to be signed.
func (h *Hall) toConfirm(ctx context.Context, a Actor, key string) (o *Order, base []byte, err error) {
	err = h.Store.View(ctx, func(tx Tx) error {
		if o, err = h.load(tx, a, key); err != nil {
			return err
		}
		if err := o.in(Confirming); err != nil {
			return err
		}
		base, err = tx.Document(o.Document.BaseID)
		return err
	})
	return o, base, err
}

// maxChain is more certificates than any way up has.
const maxChain = 10

func parseChain(ders [][]byte) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	if len(ders) > maxChain {
		return nil, fault.New(fault.Invalid, "own.chain", nil)
	}
	for _, der := range ders {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "own.chain", nil)
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, fault.New(fault.Invalid, "own.chain", nil)
	}
	return out, nil
}

// acceptOwn refuses a certificate that is not acceptable, or not the customer's. The number is that of the card that was
// read at this counter, whole, which only the service knows.
func (h *Hall) acceptOwn(ctx context.Context, o *Order, chain []*x509.Certificate) ([]*x509.Certificate, error) {
	return h.Owners.Accept(ctx, chain, holderOf(o.Card.Card), h.Clock.Now())
}

// holderOf is whom a certificate must belong to, by the card that was read.
func holderOf(c idcard.Card) Holder {
	number := c.Fields[idcard.Number]
	switch {
	case c.Kind == idcard.TD3:
		return Holder{Passport: number}
	case len(number) == 9:
		return Holder{CMND: number}
	}
	return Holder{CCCD: number}
}

// owned puts together what the ceremony checks before the customer's key is asked.
func (h *Hall) owned(o *Order, base []byte, chain []*x509.Certificate) (signing.Owned, error) {
	s, err := h.service(o)
	if err != nil {
		return signing.Owned{}, err
	}
	ask := signing.Owned{Order: o.Number, Document: base, Person: o.person(), Needed: s.Assurance, Reading: o.read(), Asked: o.Own.Asked, By: string(o.Way),
		Chain: chain, Reason: h.purpose(o, s), Location: h.Units[o.Unit].Place}
	if ask.Appearance, err = h.ownStamp(o, s.Language, chain[0]); err != nil {
		return ask, err
	}
	if err := digestOf(o.Document.BaseSHA256, &ask.Displayed); err != nil {
		return ask, err
	}
	return ask, digestOf(o.Document.ContentSHA256, &ask.Content)
}

// ownStamp is what stands in the customer's field: whose key signed, and what that is worth.
func (h *Hall) ownStamp(o *Order, l locale.Lang, leaf *x509.Certificate) (*pdf.Appearance, error) {
	wide, high := workorder.FieldSize(string(l), workorder.FieldCustomer)
	rank := locale.Args{"rank": o.Way.Rank().String()}
	block, err := stamp.Block([]string{locale.Text(l, "stamp.customer", nil), o.Confirmee, locale.Text(l, "stamp."+string(o.Way), rank),
		locale.Text(l, "stamp.issuer", locale.Args{"issuer": leaf.Issuer.CommonName}),
		h.Clock.Now().In(clock.Vietnam).Format(stampTime), ShortHash(o.Document.ContentSHA256)}, 9, stamp.Blue, h.Fonts.Regular...)
	if err != nil {
		return nil, fmt.Errorf("draw the confirmation of order %s: %w", o.Number, err)
	}
	block = stamp.Fit(block, wide, high)
	return &block, nil
}

// FinishOwn takes what the customer's token made. A token that was pulled, a wrong PIN or a wait cost nothing: what was
// prepared stays good for five minutes. Besides the faults of signing.Ceremony.Answer:
//
//	own.no_way  nothing was prepared, or the customer chose another way since
func (h *Hall) FinishOwn(ctx context.Context, a Actor, key string, signature []byte) (*Order, error) {
	return h.finishOwn(ctx, a, key, ByToken, signature)
}

func (h *Hall) finishOwn(ctx context.Context, a Actor, key string, m Method, signature []byte) (*Order, error) {
	release, ok := h.busy.try(key)
	if !ok {
		return nil, fault.New(fault.Conflict, "otp.busy", nil)
	}
	defer release()
	ids, err := h.keys(2)
	if err != nil {
		return nil, err
	}
	before, base, err := h.toConfirm(ctx, a, key)
	if err != nil {
		return nil, err
	}
	if before.Way != m || before.Own == nil || before.Own.PreparedID == "" {
		return nil, fault.New(fault.Conflict, "own.no_way", nil)
	}
	asked, err := h.asked(ctx, before)
	if err != nil {
		return nil, err
	}
	chain, err := parseChain(asked.ToBeSigned.Chain)
	if err != nil {
		return nil, err
	}
	// What was acceptable when it was prepared may have been reported lost meanwhile.
	if _, err := h.acceptOwn(ctx, before, chain); err != nil {
		return nil, err
	}
	signed, err := h.Ceremony.Answer(ctx, base, asked, signature)
	if err != nil {
		return nil, err
	}
	return h.keepSignature(ctx, a, key, ids, signed, Confirmation{Method: m.Record(), Channel: before.Own.Issuer, Serial: before.Own.Serial,
		Prepared: before.Own.PreparedID, Tries: 1, Asked: before.Own.Asked, At: h.Clock.Now()})
}

// asked reads what was prepared.
func (h *Hall) asked(ctx context.Context, o *Order) (out signing.Asked, err error) {
	var record []byte
	err = h.Store.View(ctx, func(tx Tx) error {
		record, err = tx.Document(o.Own.PreparedID)
		return err
	})
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(record, &out); err != nil {
		return out, fmt.Errorf("read what was prepared of order %s: %w", o.Number, err)
	}
	return out, nil
}

// DigestText is a digest as it travels.
func DigestText(d [32]byte) string { return hex.EncodeToString(d[:]) }
