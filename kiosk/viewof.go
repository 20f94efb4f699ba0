package kiosk

import (
	"context"
	"time"

	"countersign/kiosk/catalog"
	"countersign/signing/otp"
)

// OrderView returns everything that the clerk's screens show of an order.
func (h *Hall) OrderView(ctx context.Context, a Actor, key string) (OrderView, error) {
	st := Station{Unit: h.Units[a.Unit], Counter: a.Counter}
	err := h.Store.View(ctx, func(tx Tx) error {
		var err error
		if st.Order, err = h.load(tx, a, key); err != nil {
			return err
		}
		return h.dress(tx, &st)
	})
	if err != nil {
		return OrderView{}, err
	}
	return h.View(ctx, st)
}

// Changed returns the view of an order that an act has just changed and returned, without reading it again.
func (h *Hall) Changed(ctx context.Context, a Actor, o *Order) (OrderView, error) {
	if o.State == Confirming {
		return h.OrderView(ctx, a, o.Key) // the challenge and the customer belong to it
	}
	st := Station{Unit: h.Units[a.Unit], Counter: a.Counter, Order: o}
	if err := h.dress(nil, &st); err != nil {
		return OrderView{}, err
	}
	return h.View(ctx, st)
}

// View builds the clerk's view of a station's order. The rating is taken out: a clerk never sees it.
func (h *Hall) View(ctx context.Context, st Station) (OrderView, error) {
	o := *st.Order
	rated := o.State == Closed
	o.Rating = 0
	problems, err := h.Problems(&o)
	if err != nil {
		return OrderView{}, err
	}
	amount := st.Service.Amount(o.Values)
	v := OrderView{Order: o, Problems: problems, Hash: ShortHash(o.Document.ContentSHA256), Amount: int64(amount),
		Words: catalog.AmountInWords(amount, st.Service.Language), HasApp: st.HasApp, Offers: st.Offers, Pad: st.Pad, Entries: []int64{o.FirstEntry, o.LastEntry}}
	if o.State == Draft || o.State == Invited {
		v.Order.TermDays, v.Order.Due, _ = st.Service.Due(o.Values, h.Clock.Now())
	}
	if st.Challenge != nil {
		v.Challenge = challengeView(st.Challenge, o.CodeSent)
	}
	end := h.Clock.Now()
	if rated {
		end = o.Times.Closed
	}
	v.Elapsed = end.Sub(o.Created).Truncate(time.Second)
	if v.Plan, err = h.plan(ctx, &o, st.Service); err != nil {
		return OrderView{}, err
	}
	if o.State == Sealed || o.State == Closed {
		v.Median, err = h.median(ctx, &o)
	}
	return v, err
}

func challengeView(c *otp.Challenge, sent Delivery) *ChallengeView {
	return &ChallengeView{Method: "otp_" + string(c.Channel), To: c.Address, Asked: c.Issued, Sent: sent.State, SentNote: sent.Note, SentAt: sent.At,
		Expires: c.Expires, Try: otp.Tries - c.Left + 1, Tries: otp.Tries, State: string(c.State), Again: otp.NextAt(*c)}
}

// plan lists who will sign and with what, or when they did.
func (h *Hall) plan(ctx context.Context, o *Order, s *catalog.Service) ([]SealPlan, error) {
	out := []SealPlan{{Role: "customer", Name: o.Confirmee, By: o.Way.Record()}}
	if o.Confirm != nil {
		out[0].Done, out[0].By = o.Confirm.At, o.Confirm.Method
	}
	if o.State == Draft || o.State == Reading || o.State == Agreed || o.State == Confirming {
		out = append(out, SealPlan{Role: "clerk", Name: o.Clerk.Name, By: "counter_key"})
		for _, kind := range s.Seals {
			out = append(out, SealPlan{Role: kind, Name: h.Units[o.Unit].Name, By: "seal_service"})
		}
		return out, nil
	}
	return h.sealPlan(ctx, o, s, out)
}
