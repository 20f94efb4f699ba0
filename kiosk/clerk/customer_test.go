package clerk

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/kiosk"
	"countersign/kiosk/catalog"
	"countersign/kiosk/idcard"
)

// push tells the terminal what an order looks like now.
func (h *hall) push(key string) {
	v, err := h.with(key, nil)
	if err != nil {
		panic(err)
	}
	h.events <- Update{Event: kiosk.ClerkEvent{Order: &v, Seam: v.Seam}, At: h.clock.Now()}
}

// customer lets the customer act on the newest order, and tells the terminal.
func (h *hall) customer(t testing.TB, fn func(o *kiosk.Order) error) {
	t.Helper()
	key := h.newest()
	if _, err := h.with(key, func(o *kiosk.Order, _ *catalog.Service) error { return fn(o) }); err != nil {
		t.Fatal(err)
	}
	h.push(key)
}

func (h *hall) newest() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return "order" + strconv.Itoa(h.next)
}

// generated makes the work order, as the service does when the customer agrees to the form.
func (h *hall) generated(o *kiosk.Order) error {
	now := h.clock.Now()
	pages := []kiosk.PageRead{{LastLine: 36}, {LastLine: 66}, {LastLine: 104}}
	return o.Generated(kiosk.DocumentFacts{ContentSHA256: "3f9a", Agreement: "2026-06", Lines: 104, Pages: pages,
		Retain: time.Date(2036, 11, 21, 0, 0, 0, 0, clock.Vietnam)}, now)
}

// matched holds the visit's card against the form.
func (h *hall) matched(o *kiosk.Order, s *catalog.Service) {
	if o.Card == nil {
		return
	}
	form := map[string]string{}
	for _, f := range s.Fields() {
		for _, src := range f.Source {
			if name, ok := strings.CutPrefix(src, "card."); ok {
				form[name] = o.Values[f.Name].Text
				if c, ok := f.Choice(form[name]); ok {
					form[name] = c.Value
				}
			}
		}
	}
	o.Card.Matches = idcard.Compare(o.Card.Card, form)
}
