package kiosk

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"time"

	"countersign/internal/fault"
)

// PairDisplay makes the token of a counter's customer screen and ends the pairing of any screen before it. The token is
// shown once; only its hash is stored.
func (h *Hall) PairDisplay(ctx context.Context, by Actor, unit, counter string) (string, error) {
	return h.pair(ctx, by, unit, counter, false)
}

// PairMobile is PairDisplay for an application on the customer's own telephone. No token can be plugged into one, so it
// never offers that, and its attempts are refused with confirm.mobile.
func (h *Hall) PairMobile(ctx context.Context, by Actor, unit, counter string) (string, error) {
	return h.pair(ctx, by, unit, counter, true)
}

func (h *Hall) pair(ctx context.Context, by Actor, unit, counter string, mobile bool) (string, error) {
	if _, ok := h.Units[unit]; !ok {
		return "", fault.New(fault.NotFound, "signin.unit", fault.Args{"unit": unit})
	}
	raw := make([]byte, 32)
	if _, err := io.ReadFull(h.random(), raw); err != nil {
		return "", err
	}
	token := base64.RawURLEncoding.EncodeToString(raw)
	now := h.Clock.Now()
	err := h.Store.Update(ctx, func(tx Tx) error {
		if err := tx.DeleteDisplays(unit, counter); err != nil {
			return err
		}
		s := &Session{TokenSHA256: TokenSHA256(token), Kind: "display", Mobile: mobile, Unit: unit, Counter: counter, Opened: now, Seen: now}
		if err := tx.PutSession(s); err != nil {
			return err
		}
		_, err := tx.Append(h.entry(by, "display.pair", unit+"/"+counter, nil))
		return err
	})
	return token, err
}

// DisplayActor returns the customer at the counter that a display's token belongs to, with the order in hand there.
// While the counter is locked or nobody serves, there is no order.
func (h *Hall) DisplayActor(ctx context.Context, token string) (Actor, error) {
	var a Actor
	err := h.Store.View(ctx, func(tx Tx) error {
		d, err := tx.Session(TokenSHA256(token))
		if err != nil || d.Kind != "display" {
			return fault.New(fault.Unauthenticated, "signin.display", nil)
		}
		a = Actor{Unit: d.Unit, Counter: d.Counter, Mobile: d.Mobile}
		s, err := tx.CounterSession(d.Unit, d.Counter)
		if fault.KindOf(err) == fault.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		u, err := tx.User(s.User)
		if err != nil {
			return err
		}
		if !s.Locked && h.serves(s, u, h.Clock.Now()) {
			a.Visit, a.Order = s.Visit, s.Order
		}
		return nil
	})
	return a, err
}

// StopByCustomer sets the order aside at the customer's wish; nothing is signed and nothing is lost.
func (h *Hall) StopByCustomer(ctx context.Context, a Actor, key string) (*Order, error) {
	h.waits.stop(key)
	return h.change(ctx, a, key, "order.stop", func(tx Tx, o *Order) (facts, error) {
		if err := o.in(Draft, Invited, Reading, Agreed, Confirming); err != nil {
			return nil, err
		}
		o.Aside = true
		s, err := tx.CounterSession(a.Unit, a.Counter)
		if err != nil {
			return nil, err
		}
		s.Visit, s.Order = "", ""
		return nil, tx.PutSession(s)
	})
}

// List lists the unit's orders, newest first.
func (h *Hall) List(ctx context.Context, a Actor, from, to time.Time, limit int) ([]*Order, error) {
	now := h.Clock.Now()
	if to.IsZero() {
		to = now.Add(time.Second)
	}
	if from.IsZero() {
		from = to.AddDate(0, 0, -30)
	}
	var out []*Order
	err := h.Store.View(ctx, func(tx Tx) error {
		var err error
		out, err = tx.ListOrders(a.Unit, from, to, limit)
		return err
	})
	return out, err
}

// Lookup finds an order of the unit by its key, its number or the verify code on a receipt.
func (h *Hall) Lookup(ctx context.Context, a Actor, name string) (*Order, error) {
	var out *Order
	err := h.Store.View(ctx, func(tx Tx) error {
		for _, find := range []func(string) (*Order, error){tx.Order, tx.OrderByNumber, tx.OrderByVerifyCode} {
			o, err := find(name)
			if fault.KindOf(err) == fault.NotFound {
				continue
			}
			if err != nil {
				return err
			}
			if o.Unit == a.Unit {
				out = o
				return nil
			}
		}
		return fault.New(fault.NotFound, "order.not_found", nil)
	})
	return out, err
}

// File returns the newest file of an order: the sealed one, else the one to be signed, else the one that is read. A sealed
// one that does not hold any more is shown to nobody (file.damaged, and an alarm); LastGood finds what still does.
func (h *Hall) File(ctx context.Context, a Actor, name string) ([]byte, error) {
	o, err := h.Lookup(ctx, a, name)
	if err != nil {
		return nil, err
	}
	id := o.Document.FinalID
	for _, older := range []string{o.Document.BaseID, o.Document.ReadID} {
		if id == "" {
			id = older
		}
	}
	if id == "" {
		return nil, fault.New(fault.NotFound, "order.no_file", nil)
	}
	var out []byte
	if o.Document.FinalID != "" {
		if out, err = h.opened(ctx, o); fault.Is(err, "file.damaged") {
			return nil, errors.Join(err, h.Alarm(ctx, a, o.Key))
		} else if err != nil {
			return nil, err
		}
	}
	err = h.Store.Update(ctx, func(tx Tx) error {
		if out == nil {
			if out, err = tx.Document(id); err != nil {
				return err
			}
		}
		_, err := tx.Append(h.entry(a, "file.read", o.subject(), nil))
		return err
	})
	return out, err
}
