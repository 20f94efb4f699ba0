package kiosk

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"countersign/internal/fault"
	"countersign/signing/verify"
)

// Whole refuses a file that is not the one which was stored for a finished order, byte for byte, or whose signatures don't
// hold. It is asked whenever a file is opened or about to leave; its fault is file.damaged.
func (h *Hall) Whole(o *Order, file []byte) error {
	digest := sha(file)
	if hex.EncodeToString(digest[:]) != o.Document.FinalSHA256 {
		return damaged(o, errors.New("its SHA-256 is another than the stored one"))
	}
	if r := verify.Verify(file, verify.Policy{Roots: h.Roots, At: h.Clock.Now()}); r.Verdict == verify.Failed || r.Integrity == "broken" {
		return damaged(o, fmt.Errorf("the verifier says %s: %s", r.Verdict, r.Problem))
	}
	return nil
}

func damaged(o *Order, err error) error {
	return fault.Wrap(err, fault.Conflict, "file.damaged", fault.Args{"order": o.subject()})
}

// opened reads a finished order's file and checks it. A record that can't be opened is as damaged as one whose bytes changed.
func (h *Hall) opened(ctx context.Context, o *Order) ([]byte, error) {
	var file []byte
	err := h.Store.View(ctx, func(tx Tx) error {
		var err error
		file, err = tx.Document(o.Document.FinalID)
		return err
	})
	switch {
	case err == nil:
		return file, h.Whole(o, file)
	case fault.KindOf(err) == fault.Unavailable || ctx.Err() != nil:
		return nil, err
	}
	return nil, damaged(o, err)
}

// Alarm notes on the order and in the journal that its stored file is damaged, once.
func (h *Hall) Alarm(ctx context.Context, a Actor, key string) error {
	var out *Order
	err := h.Store.Update(ctx, func(tx Tx) error {
		out = nil
		o, err := tx.Order(key)
		if err != nil || !o.Document.Damaged.IsZero() {
			return err
		}
		o.Document.Damaged = h.Clock.Now()
		if _, err := tx.Append(h.entry(a, "file.damaged", o.subject(), facts{"document": o.Document.FinalSHA256})); err != nil {
			return err
		}
		out = o
		return tx.PutOrder(o)
	})
	if err == nil && out != nil {
		h.Watch.OrderChanged(out)
	}
	return err
}

// LastGood returns the newest copy of a finished order's file that still holds: the stored one, the one that was sent
// before it was raised, or the one with the customer's signature alone. what says which: final, sent, confirmed.
func (h *Hall) LastGood(ctx context.Context, a Actor, name string) (file []byte, what string, err error) {
	o, err := h.Lookup(ctx, a, name)
	if err != nil {
		return nil, "", err
	}
	if o.Document.FinalID == "" {
		return nil, "", fault.New(fault.Conflict, "order.no_file", nil)
	}
	if file, err = h.opened(ctx, o); err == nil {
		return file, "final", nil
	}
	if !fault.Is(err, "file.damaged") {
		return nil, "", err
	}
	older := []struct{ what, id string }{{"sent", o.Document.SentID}}
	if o.Confirm != nil {
		older = append(older, struct{ what, id string }{"confirmed", o.Confirm.SignedID})
	}
	for _, c := range older {
		if c.id == "" {
			continue
		}
		var copied []byte
		if h.Store.View(ctx, func(tx Tx) error {
			var err error
			copied, err = tx.Document(c.id)
			return err
		}) != nil {
			continue
		}
		if r := verify.Verify(copied, verify.Policy{Roots: h.Roots, At: h.Clock.Now()}); r.Verdict != verify.Failed && r.Integrity == "intact" {
			return copied, c.what, h.Store.Update(ctx, func(tx Tx) error {
				_, err := tx.Append(h.entry(a, "file.last_good", o.subject(), facts{"copy": c.what}))
				return err
			})
		}
	}
	return nil, "", err
}
