package kiosk

import (
	"bytes"
	"context"
	"strings"
	"time"

	"countersign/internal/fault"
	"countersign/signing/seal"
)

// ownKey opens the user's own key with the old password and locks it under the new one, or makes one where there is none
// that opens; then the keeper of the seals has to enroll it. A key whose password somebody else chose would be theirs
// too, so there is none before the user has replaced it. It is nil where staff have no keys of their own.
func (h *Hall) ownKey(ctx context.Context, u *User, old, password string) (*seal.Hand, error) {
	if !h.OwnKeys || u.MustChange && old == password {
		return nil, nil
	}
	leave, err := h.hashing.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	own, err := seal.OpenHand(u.StaffID, u.OwnKey, []byte(old))
	if err == nil && old == password {
		return &own, nil
	}
	if err != nil {
		if own, err = seal.NewHand(u.StaffID); err != nil {
			return nil, err
		}
	}
	u.OwnPublic = own.Public()
	u.OwnKey, err = own.UnderPassword(password, seal.Cost(h.Cost))
	return &own, err
}

// underToken locks an open key for the record of a session.
func underToken(own *seal.Hand, token string) ([]byte, error) {
	if own == nil || token == "" {
		return nil, nil
	}
	return own.UnderToken(token)
}

// keepOwn puts a locked key on a session.
func keepOwn(tx Tx, token string, locked []byte) error {
	s, err := tx.Session(token)
	if err != nil {
		return err
	}
	s.OwnKey = locked
	return tx.PutSession(s)
}

// hand opens the key of the session that the actor works in.
func (h *Hall) hand(ctx context.Context, a Actor) (seal.Hand, error) {
	var locked []byte
	err := h.Store.View(ctx, func(tx Tx) error {
		s, err := tx.Session(a.Token)
		if err == nil {
			locked = bytes.Clone(s.OwnKey)
		}
		return err
	})
	if err != nil {
		return seal.Hand{}, err
	}
	return seal.OpenHand(a.User.StaffID, locked, []byte(a.token))
}

// signFor signs the actor's statement about seals.
func (h *Hall) signFor(ctx context.Context, a Actor, act seal.Act, ask seal.Order, seals []string) (*seal.Approval, error) {
	own, err := h.hand(ctx, a)
	if err != nil {
		return nil, err
	}
	f, err := seal.FactsOf(ask.Document)
	if err != nil {
		return nil, err
	}
	return own.Approve(seal.Statement{Act: act, Order: ask.ID, Service: ask.Service, Document: ask.Consent.Signed, Amount: f.Amount,
		Seals: seals, At: h.Clock.Now().Truncate(time.Second)})
}

// ApproveSeals lets a second person, who may use the seals too, sign for them, where the seal service asks for two. The
// clerk of the order then has it sealed within a day. lastFour is typed as for sealing.
func (h *Hall) ApproveSeals(ctx context.Context, a Actor, key, lastFour string) (*Order, error) {
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
	if !h.OwnKeys {
		return nil, fault.New(fault.Conflict, "order.no_own_keys", nil)
	}
	if o.Clerk.StaffID == a.User.StaffID {
		return nil, fault.New(fault.Forbidden, "order.same_person", nil)
	}
	clerk := Actor{User: User{StaffID: o.Clerk.StaffID, FullName: o.Clerk.Name}, Counter: o.Counter}
	ask, err := h.askForSeals(ctx, clerk, o, signed)
	if err != nil {
		return nil, err
	}
	approval, err := h.signFor(ctx, a, seal.Second, ask, ask.Seals[1:])
	if err != nil {
		return nil, err
	}
	before := o.Confirm.SignedID
	return h.change(ctx, a, key, "order.approve", func(_ Tx, o *Order) (facts, error) {
		if err := o.MaySeal(lastFour); err != nil {
			return nil, err
		}
		if o.Confirm.SignedID != before {
			return nil, fault.New(fault.Conflict, "store.conflict", nil)
		}
		o.Second, o.Updated = approval, h.Clock.Now()
		return facts{"seals": strings.Join(ask.Seals[1:], ",")}, nil
	})
}

// Waits tells the seal service whether an order still waits for its seals.
func (h *Hall) Waits(ctx context.Context, number string) (waits bool, err error) {
	err = h.Store.View(ctx, func(tx Tx) error {
		o, err := tx.OrderByNumber(number)
		if fault.KindOf(err) == fault.NotFound {
			return nil
		}
		waits = err == nil && o.State == Confirmed
		return err
	})
	return waits, err
}
