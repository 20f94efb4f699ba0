package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"countersign/internal/fault"
	"countersign/signing"
	"countersign/signing/seal"
)

// Signatories lists the members of staff whose own keys are enrolled, the withdrawn ones too.
func (r Register) Signatories(ctx context.Context) ([]seal.Signatory, error) {
	return r.store.signatories.read(func() ([]seal.Signatory, error) {
		return listed[seal.Signatory](ctx, r.store, "seal_signatories")
	})
}

// PutSignatory enrolls a key, in the place of the same key of the same person; it is withdrawn by putting it with its
// end.
func (r Register) PutSignatory(ctx context.Context, p seal.Signatory) error {
	if p.Staff == "" || len(p.Public) == 0 {
		return errNoID
	}
	defer r.store.signatories.drop()
	sum := sha256.Sum256(p.Public)
	return r.store.update(ctx, func(t *tx) error {
		return t.put("seal_signatories", p.Staff+"/"+hex.EncodeToString(sum[:8]), p)
	})
}

// Rules lists when two people are needed, the withdrawn rules too.
func (r Register) Rules(ctx context.Context) ([]seal.Rule, error) {
	return r.store.rules.read(func() ([]seal.Rule, error) { return listed[seal.Rule](ctx, r.store, "seal_rules") })
}

// PutRule stores a rule, in the place of the one for the same seal and service.
func (r Register) PutRule(ctx context.Context, rule seal.Rule) error {
	if rule.Seal == "" || rule.Service == "" {
		return errNoID
	}
	defer r.store.rules.drop()
	return r.store.update(ctx, func(t *tx) error { return t.put("seal_rules", rule.Seal+"/"+rule.Service, rule) })
}

// listed reads a whole table in the order of its keys.
func listed[T any](ctx context.Context, s *Store, table string) (list []T, err error) {
	err = s.view(ctx, func(t *tx) error {
		list = nil
		stored, err := records(t, table, func(*T, int64) {}, "1 = 1 ORDER BY key")
		for _, v := range stored {
			list = append(list, *v)
		}
		return err
	})
	return list, err
}

// Holder keeps what was sealed until who asked has stored it; it implements seal.Holder.
type Holder struct{ store *Store }

// Holder returns the holder of sealed documents.
func (s *Store) Holder() Holder { return Holder{s} }

// heldBody is a released document.
type heldBody struct {
	Before   [32]byte      `json:"before"` // SHA-256 before any seal
	Document []byte        `json:"document"`
	Level    signing.Level `json:"level"`
	Uses     []useBody     `json:"uses"`
}

// Hold keeps a sealed document under its order.
func (h Holder) Hold(ctx context.Context, order string, document [32]byte, r seal.Result) error {
	if order == "" {
		return errNoID
	}
	b := heldBody{Before: document, Document: r.Document, Level: r.Level}
	for _, u := range r.Uses {
		b.Uses = append(b.Uses, useBody{Use: u, Document: u.Document, Result: u.Result})
	}
	return h.store.update(ctx, func(t *tx) error { return t.put("seal_held", order, b) })
}

// Held returns what is kept for an order.
func (h Holder) Held(ctx context.Context, order string) (r seal.Result, document [32]byte, ok bool, err error) {
	var b heldBody
	err = h.store.view(ctx, func(t *tx) error {
		_, err := t.record("seal_held", &b, "key = ?", order)
		return err
	})
	if fault.KindOf(err) == fault.NotFound {
		return r, document, false, nil
	}
	if err != nil {
		return r, document, false, err
	}
	r = seal.Result{Document: b.Document, SHA256: sha256.Sum256(b.Document), Level: b.Level}
	for _, u := range b.Uses {
		r.Uses = append(r.Uses, *u.use())
	}
	return r, b.Before, true, nil
}

// Drop forgets what is kept for an order.
func (h Holder) Drop(ctx context.Context, order string) error {
	return h.store.update(ctx, func(t *tx) error {
		_, err := t.exec("DELETE FROM seal_held WHERE key = ?", order)
		return err
	})
}

// Orders lists the orders for which something is kept.
func (h Holder) Orders(ctx context.Context) (list []string, err error) {
	err = h.store.view(ctx, func(t *tx) error {
		list = nil
		return t.each(func(scan func(...any) error) error {
			var order string
			err := scan(&order)
			list = append(list, order)
			return err
		}, "SELECT key FROM seal_held ORDER BY key")
	})
	return list, err
}
