package kiosk

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/kiosk/catalog"
	"countersign/kiosk/workorder"
	"countersign/signing/otp"
)

// Station is what is in hand at a counter now: read anew after every change, so that a restart loses nothing.
type Station struct {
	Unit      Unit
	Counter   string
	Clerk     Person
	Present   bool
	Locked    bool
	Lang      string
	Order     *Order
	Service   *catalog.Service
	Challenge *otp.Challenge
	Enrol     string
	HasApp    bool
	Purpose   string           // of the confirmation, in the customer's words
	Providers []string         // of customers' keys, by name
	Offers    []Offer          // ways to confirm, while the order waits for it
	Pad       *Pad             // the handwriting under way
	Lines     []workorder.Line // of the page that is shown
	Promises  []workorder.Row  // label and value: what agreeing means, in a few lines
	Amount    string
	Sent      Delivery
}

// Station reads what is in hand at a counter.
func (h *Hall) Station(ctx context.Context, unit, counter string) (Station, error) {
	st := Station{Unit: h.Units[unit], Counter: counter}
	err := h.Store.View(ctx, func(tx Tx) error {
		s, err := tx.CounterSession(unit, counter)
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
		st.Present, st.Locked = h.serves(s, u, h.Clock.Now()), s.Locked
		st.Clerk = Person{User: u.Name, Name: u.FullName, StaffID: u.StaffID, Counter: counter}
		if s.Visit != "" {
			v, err := tx.Visit(s.Visit)
			if err != nil {
				return err
			}
			st.Lang = v.Language
		}
		if s.Order == "" {
			return nil
		}
		if st.Order, err = tx.Order(s.Order); err != nil {
			return err
		}
		if err := h.dress(tx, &st); err != nil {
			return err
		}
		return h.page(tx, &st)
	})
	return st, err
}

// dress adds to a station what its order points at, but for the text. Only an order that is Confirming needs tx.
func (h *Hall) dress(tx Tx, st *Station) error {
	o := st.Order
	var err error
	if st.Service, err = h.service(o); err != nil {
		return err
	}
	if st.Lang == "" {
		st.Lang = o.Language
	}
	st.Amount = catalog.FormatMoney(st.Service.Amount(o.Values), langOf(st.Lang))
	st.Sent = o.CodeSent
	if o.State != Confirming {
		return nil
	}
	st.Purpose = h.purpose(o, st.Service)
	if st.Pad, err = o.pad(tx); err != nil {
		return err
	}
	if o.Challenge != "" {
		if st.Challenge, err = tx.Challenge(o.Challenge); err != nil {
			return err
		}
	}
	if o.Customer == "" {
		return nil
	}
	c, err := tx.Customer(o.Customer)
	if err != nil {
		return err
	}
	st.Offers = h.offers(o, st.Service, c)
	for _, r := range h.Remotes {
		st.Providers = append(st.Providers, r.Name)
	}
	st.HasApp = c.App != "" && c.AppStep > 0
	if st.Challenge != nil && st.Challenge.Channel == otp.App && c.App != "" && c.AppStep == 0 {
		secret, err := appText.DecodeString(c.App)
		if err != nil {
			return fmt.Errorf("read the app secret of a customer: %w", err)
		}
		st.Enrol, err = otp.URI(o.Serial(), secret)
		return err
	}
	return nil
}

// page adds the text that the customer reads now.
func (h *Hall) page(tx Tx, st *Station) error {
	o := st.Order
	if o.State != Reading || o.Document.ContentID == "" {
		return nil
	}
	raw, err := tx.Document(o.Document.ContentID)
	if err != nil {
		return err
	}
	c, err := readable(o, raw)
	if err != nil {
		return err
	}
	for _, l := range c.Lines(readingWidth) {
		if l.Page == o.Document.Shown {
			st.Lines = append(st.Lines, l)
		}
	}
	st.Promises = h.promises(o, st.Service, langOf(st.Lang))
	return nil
}

// promises are the lines of the summary before agreeing, made from the order's own values.
func (h *Hall) promises(o *Order, s *catalog.Service, l locale.Lang) []workorder.Row {
	out := []workorder.Row{}
	for _, line := range s.Recap(h.context(o), o.Values, l) {
		out = append(out, workorder.Row{Label: line[0], Value: line[1]})
	}
	return out
}

func langOf(tag string) locale.Lang {
	if l, err := locale.Parse(tag); err == nil {
		return l
	}
	return locale.Vietnamese
}

// ChooseLanguage sets the language of the customer's screen, summary and mails for this visit.
func (h *Hall) ChooseLanguage(ctx context.Context, unit, counter, lang string) error {
	l, err := locale.Parse(lang)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "visit.language", nil)
	}
	err = h.Store.Update(ctx, func(tx Tx) error {
		s, err := tx.CounterSession(unit, counter)
		if err != nil || s.Visit == "" {
			return err
		}
		v, err := tx.Visit(s.Visit)
		if err != nil {
			return err
		}
		v.Language = string(l)
		if err := tx.PutVisit(v); err != nil {
			return err
		}
		if s.Order == "" {
			return nil
		}
		o, err := tx.Order(s.Order)
		if err != nil {
			return err
		}
		o.Language = string(l)
		return tx.PutOrder(o)
	})
	if err == nil {
		h.Watch.CounterChanged(unit, counter)
	}
	return err
}

// medians keeps what median found, for a minute: two hundred orders are opened for it.
type medians struct {
	mu    sync.Mutex
	found map[string]median
}

type median struct {
	time time.Duration
	at   time.Time
}

const medianLife = time.Minute

// median is the middle of the times at the counter of a service's finished orders of the last 30 days, at most a minute
// old.
func (h *Hall) median(ctx context.Context, o *Order) (time.Duration, error) {
	key, now := o.Unit+"/"+o.Service, h.Clock.Now()
	h.medians.mu.Lock()
	defer h.medians.mu.Unlock()
	if m, ok := h.medians.found[key]; ok && now.Sub(m.at) < medianLife && !now.Before(m.at) {
		return m.time, nil
	}
	var m time.Duration
	err := h.Store.View(ctx, func(tx Tx) error {
		var err error
		m, err = h.middle(tx, o, now)
		return err
	})
	if err != nil {
		return 0, err
	}
	if h.medians.found == nil {
		h.medians.found = map[string]median{}
	}
	h.medians.found[key] = median{m, now}
	return m, nil
}

func (h *Hall) middle(tx Tx, o *Order, now time.Time) (time.Duration, error) {
	list, err := tx.ListOrders(o.Unit, now.AddDate(0, 0, -30), now, 200)
	if err != nil {
		return 0, err
	}
	var all []time.Duration
	for _, other := range list {
		if other.Service == o.Service && !other.Times.Sealed.IsZero() {
			all = append(all, other.Times.Sealed.Sub(other.Created))
		}
	}
	if len(all) == 0 {
		return 0, nil
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}
