package kiosk

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/kiosk/catalog"
	"countersign/signing"
	"countersign/signing/ca"
	"countersign/signing/seal"
	"countersign/signing/verify"
)

// Seal asks the seal service for the counter's signature and the seals that the service of the order needs, and stores
// the finished file. lastFour are the last digits of the number, which the clerk types instead of answering yes.
// When the seal service is away the order waits where it is: all seals are applied or none.
func (h *Hall) Seal(ctx context.Context, a Actor, key, lastFour string) (*Order, error) {
	release, ok := h.busy.try(key)
	if !ok {
		return nil, fault.New(fault.Conflict, "seal.busy", nil)
	}
	defer release()
	var o *Order
	var signed []byte
	err := h.Store.View(ctx, func(tx Tx) error {
		var err error
		if o, err = h.load(tx, a, key); err != nil {
			return err
		}
		if err := o.MaySeal(lastFour); err != nil {
			return err
		}
		signed, err = tx.Document(o.Confirm.SignedID)
		return err
	})
	if err != nil {
		return nil, err
	}
	ask, err := h.askForSeals(ctx, a, o, signed)
	if err != nil {
		return nil, err
	}
	if h.OwnKeys {
		if ask.Asked, err = h.signFor(ctx, a, seal.Ask, ask, ask.Seals); err != nil {
			return nil, err
		}
	}
	ask.Second = o.Second
	id, err := h.key()
	if err != nil {
		return nil, err
	}
	var out *Order
	ask.Keep = func(ctx context.Context, r seal.Result) error {
		out, err = h.keep(ctx, a, key, id, r)
		return err
	}
	_, err = h.Seals.Apply(ctx, ask)
	if err != nil && out == nil {
		return nil, err
	}
	return out, err
}

// askForSeals names the document, the consent that the seals stand on, and the seals in their order.
func (h *Hall) askForSeals(ctx context.Context, a Actor, o *Order, signed []byte) (seal.Order, error) {
	s, err := h.service(o)
	if err != nil {
		return seal.Order{}, err
	}
	clerk := seal.Clerk{StaffID: a.User.StaffID, Name: a.User.FullName, Counter: a.Counter}
	ask := seal.Order{ID: o.Number, Service: o.Service, Clerk: clerk, Document: signed, Reason: h.purpose(o, s), Location: h.Units[o.Unit].Place}
	ask.Consent.Signed = sha(signed)
	if err := digestOf(o.Document.BaseSHA256, &ask.Consent.Base); err != nil {
		return ask, err
	}
	if err := digestOf(o.Confirm.Evidence, &ask.Consent.Evidence); err != nil {
		return ask, err
	}
	have, err := h.Seals.Seals(ctx, clerk)
	if err != nil {
		return ask, err
	}
	for _, kind := range needed(s) {
		i := slices.IndexFunc(have, func(x seal.Seal) bool { return x.Kind == kind })
		if i < 0 {
			return ask, fault.New(fault.Forbidden, "seal.none", fault.Args{"kind": "@seal.kind." + string(kind)})
		}
		ask.Seals = append(ask.Seals, have[i].ID)
	}
	return ask, nil
}

// needed lists the kinds of seal that a service's file gets: the clerk's counter key, then what the service asks for.
func needed(s *catalog.Service) []seal.Kind {
	out := []seal.Kind{seal.Counter}
	for _, kind := range s.Seals {
		out = append(out, seal.Kind(kind))
	}
	return out
}

// keep stores the finished file with the order, its journal entry and the hand-over, in one transaction.
func (h *Hall) keep(ctx context.Context, a Actor, key, id string, r seal.Result) (*Order, error) {
	sum := hex.EncodeToString(r.SHA256[:])
	return h.change(ctx, a, key, "order.seal", func(tx Tx, o *Order) (facts, error) {
		now := h.Clock.Now()
		uses := make([]SealUse, len(r.Uses))
		signed := []Signed{{Field: "customer", Name: o.Confirmee, Level: o.Confirm.Level, At: o.Confirm.At}}
		for i, u := range r.Uses {
			uses[i] = SealUse{Seal: u.Seal, Number: u.Number, At: u.At}
			signed = append(signed, Signed{Field: u.Seal, Level: string(r.Level), At: u.At})
		}
		if err := tx.PutDocument(id, o.Key, "final", r.Document); err != nil {
			return nil, err
		}
		if err := o.SealedWith(uses, id, sum, signed, now); err != nil {
			return nil, err
		}
		o.HandOver.System = h.Units[o.Unit].BackOffice
		if o.Document.Untimed = h.Ceremony.Authority != nil && untimed(signed); o.Document.Untimed {
			if err := h.queue(tx, o, JobStamp, "stamp/"+o.Number, ""); err != nil {
				return nil, err
			}
		}
		return facts{"document": sum, "seals": fmt.Sprint(len(uses))}, h.queue(tx, o, JobHandOver, "handover/"+o.Number, "")
	})
}

// untimed reports whether a signature was made while no timestamp authority answered.
func untimed(signed []Signed) bool {
	return slices.ContainsFunc(signed, func(s Signed) bool { return s.Level == string(signing.BB) })
}

// Kept tells the seal service, after a crash, whether the sealed file of a use was stored.
func (h *Hall) Kept(ctx context.Context, u seal.Use) (digest [32]byte, kept bool, err error) {
	err = h.Store.View(ctx, func(tx Tx) error {
		o, err := tx.OrderByNumber(u.Order)
		if fault.KindOf(err) == fault.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		for _, s := range o.Seals {
			if s.Seal == u.Seal && s.Number == u.Number {
				kept = true
				return digestOf(o.Document.FinalSHA256, &digest)
			}
		}
		return nil
	})
	return digest, kept, err
}

// Settle finishes what a crash left half done: a customer's right code whose signature was not stored yet. What a telephone
// was asked for is given up: the customer asks again.
func (h *Hall) Settle(ctx context.Context) error {
	var due, asked []*Order
	err := h.Store.View(ctx, func(tx Tx) error {
		for unit := range h.Units {
			open, err := tx.OpenOrders(unit)
			if err != nil {
				return err
			}
			for _, o := range open {
				if o.waitsForPhone() {
					asked = append(asked, o)
				}
				if o.State != Confirming || o.Challenge == "" {
					continue
				}
				c, err := tx.Challenge(o.Challenge)
				if err != nil {
					return err
				}
				if c.State == "used" {
					due = append(due, o)
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, o := range asked {
		if err := h.giveUp(ctx, system(o), o.Key, fault.New(fault.Conflict, "remote.cancelled", nil)); err != nil {
			return fmt.Errorf("give up the remote signature of order %s that a stop left waiting: %w", o.Number, err)
		}
	}
	for _, o := range due {
		if _, err := h.signForCustomer(ctx, system(o), o.Key); err != nil && !fault.Is(err, "sign.stale") {
			return fmt.Errorf("make the signature of order %s that a stop prevented: %w", o.Number, err)
		}
	}
	return nil
}

// sealPlan lists the seals to come, with the clerk's right and the number in the book, or those that were applied.
func (h *Hall) sealPlan(ctx context.Context, o *Order, s *catalog.Service, out []SealPlan) ([]SealPlan, error) {
	clerk := seal.Clerk{StaffID: o.Clerk.StaffID, Name: o.Clerk.Name, Counter: o.Counter}
	have, err := h.Seals.Seals(ctx, clerk)
	away := fault.KindOf(err) == fault.Unavailable
	if err != nil && !away {
		return nil, err
	}
	for n, kind := range needed(s) {
		p := SealPlan{Role: string(kind), By: "seal_service", Away: away, Name: h.Units[o.Unit].Name}
		if kind == seal.Counter {
			p.Role, p.By, p.Name = "clerk", "counter_key", o.Clerk.Name
		} else {
			p.Size = 36
		}
		if i := slices.IndexFunc(have, func(x seal.Seal) bool { return x.Kind == kind }); i >= 0 {
			p.Until = have[i].ValidUntil
			if kind != seal.Counter {
				p.Name = have[i].Name
			}
			grants, err := h.Seals.Grants(ctx, have[i].ID, s.Number)
			if err != nil && fault.KindOf(err) != fault.Unavailable {
				return nil, err
			}
			for _, g := range grants {
				if g.Clerk == o.Clerk.StaffID {
					p.Grant = g.Paper
				}
			}
		}
		if n < len(o.Seals) {
			p.Done, p.Use = o.Seals[n].At, o.Seals[n].Number
		}
		out = append(out, p)
	}
	return out, nil
}

// Evidence verifies a finished order's stored file and tells the account of it. The look is journalled.
func (h *Hall) Evidence(ctx context.Context, a Actor, key string) (Evidence, error) {
	o, err := h.Lookup(ctx, a, key)
	if err != nil {
		return Evidence{}, err
	}
	if o.Document.FinalID == "" {
		return Evidence{}, fault.New(fault.Conflict, "order.no_file", nil)
	}
	now := h.Clock.Now()
	file, err := h.File(ctx, a, o.Key)
	if fault.Is(err, "file.damaged") {
		return h.damagedEvidence(ctx, a, o, err)
	}
	if err != nil {
		return Evidence{}, err
	}
	r := verify.Verify(file, verify.Policy{Roots: h.Roots, At: now})
	out := Evidence{Verdict: string(r.Verdict), Summary: map[string]string{"vi": r.Summary.Vietnamese, "en": r.Summary.English, "zh-Hant": r.Summary.Chinese}, Size: int64(len(file)), Revisions: r.File.Revisions, At: now}
	for _, s := range r.Signatures {
		rank := string(s.Kind)
		if rank == "other" && s.Field == signing.CustomerField && o.Confirm.Rank() == signing.OwnKey {
			rank = string(ca.KindToken) // an outside authority's certificate says nothing of the house's kinds
		}
		out.Signatures = append(out.Signatures, EvidenceSigner{Field: s.Field, Name: s.Signer, Rank: rank, At: proven(s), Proven: !s.ProvenTime.Time.IsZero(), OK: s.Integrity == "intact"})
	}
	return out, h.complete(ctx, a, o, &out)
}

// damagedEvidence is the account of an order whose stored file does not hold: what is wrong, and nothing of the file.
func (h *Hall) damagedEvidence(ctx context.Context, a Actor, o *Order, err error) (Evidence, error) {
	out := Evidence{Verdict: string(verify.Failed), Summary: map[string]string{}, At: h.Clock.Now()}
	for _, l := range locale.Langs {
		out.Summary[string(l)] = locale.Fault(l, err)
	}
	return out, h.complete(ctx, a, o, &out)
}

// complete adds the order and the journal's state to its evidence.
func (h *Hall) complete(ctx context.Context, a Actor, o *Order, out *Evidence) (err error) {
	if out.Order, err = h.OrderView(ctx, a, o.Key); err != nil {
		return err
	}
	out.JournalRoot, out.JournalOK, err = h.Head(ctx)
	return err
}

// proven is the moment that a timestamp proves, else the one that the signer claims.
func proven(s verify.Signature) time.Time {
	if !s.ProvenTime.Time.IsZero() {
		return s.ProvenTime.Time
	}
	return s.ClaimedTime.Time
}
