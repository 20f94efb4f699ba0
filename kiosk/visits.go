package kiosk

import (
	"context"
	"maps"
	"sort"
	"strings"
	"time"

	"countersign/internal/fault"
	"countersign/kiosk/catalog"
	"countersign/kiosk/idcard"
)

// Find answers the clerk's search in the clerk's own unit, at most nine customers.
func (h *Hall) Find(ctx context.Context, a Actor, text string) ([]CustomerCard, error) {
	out := []CustomerCard{}
	err := h.Store.View(ctx, func(tx Tx) error {
		found, err := tx.FindCustomers(Query{Unit: a.Unit, Text: text, Limit: 9})
		if err != nil {
			return err
		}
		for _, c := range found {
			card, err := h.card(tx, c)
			if err != nil {
				return err
			}
			out = append(out, card)
		}
		return nil
	})
	return out, err
}

// OpenVisit starts a visit for a customer, or for somebody new when customer is "". carried is what the clerk had
// typed into the search; it fills the form.
func (h *Hall) OpenVisit(ctx context.Context, a Actor, customer, carried string) (VisitView, error) {
	return h.visit(ctx, a, "", func(tx Tx, v *Visit) error {
		v.Carried = strings.TrimSpace(carried)
		return h.bind(tx, a, v, customer)
	})
}

// ScanVisit starts a visit from a scanned card, or adds the card to the visit. The customer is found by the number.
func (h *Hall) ScanVisit(ctx context.Context, a Actor, visit, scan string) (VisitView, error) {
	card, err := idcard.ParseOn(scan, h.Clock.Now())
	if err != nil {
		return VisitView{}, err
	}
	return h.visit(ctx, a, visit, func(tx Tx, v *Visit) error {
		v.Card, v.CardAt = &card, h.Clock.Now()
		if v.Name == "" {
			v.Name = card.Fields[idcard.Name]
		}
		if v.Customer != "" {
			return nil
		}
		found, err := tx.FindCustomers(Query{Unit: a.Unit, Text: card.Fields[idcard.Number], Limit: 1})
		if err != nil || len(found) == 0 {
			return err
		}
		return h.bind(tx, a, v, found[0].ID)
	})
}

// VisitView returns a visit of the actor's unit with what is known of its customer.
func (h *Hall) VisitView(ctx context.Context, a Actor, key string) (VisitView, error) {
	var out VisitView
	err := h.Store.View(ctx, func(tx Tx) error {
		v, err := tx.Visit(key)
		if err != nil {
			return err
		}
		if v.Unit != a.Unit {
			return fault.New(fault.NotFound, "store.not_found", nil)
		}
		out = VisitView{Visit: *v}
		return h.withCustomer(tx, &out)
	})
	return out, err
}

// bind ties a visit to a customer of the actor's unit.
func (h *Hall) bind(tx Tx, a Actor, v *Visit, customer string) error {
	if customer == "" {
		return nil
	}
	c, err := tx.Customer(customer)
	if err != nil {
		return err
	}
	if c.Unit != a.Unit {
		return fault.New(fault.NotFound, "store.not_found", nil)
	}
	v.Customer, v.Name = c.ID, c.Name
	return nil
}

// visit loads or opens a visit, lets fn change it, stores it and puts it in the clerk's hand.
func (h *Hall) visit(ctx context.Context, a Actor, key string, fn func(Tx, *Visit) error) (VisitView, error) {
	fresh, err := h.key()
	if err != nil {
		return VisitView{}, err
	}
	var out VisitView
	err = h.Store.Update(ctx, func(tx Tx) error {
		now := h.Clock.Now()
		v := &Visit{Key: fresh, Unit: a.Unit, Counter: a.Counter, Day: day(now), Opened: now, By: a.User.Name}
		act := "visit.open"
		if key != "" {
			got, err := tx.Visit(key)
			if err != nil {
				return err
			}
			if got.Unit != a.Unit {
				return fault.New(fault.NotFound, "store.not_found", nil)
			}
			v, act = got, "visit.card"
		} else {
			n, err := tx.NextVisit(a.Unit, v.Day)
			if err != nil {
				return err
			}
			v.Serial = n
		}
		if err := fn(tx, v); err != nil {
			return err
		}
		if err := tx.PutVisit(v); err != nil {
			return err
		}
		if err := h.hold(tx, a, v.Key, ""); err != nil {
			return err
		}
		if _, err := tx.Append(h.entry(a, act, "visit "+v.Key, nil)); err != nil {
			return err
		}
		out = VisitView{Visit: *v}
		return h.withCustomer(tx, &out)
	})
	if err == nil {
		h.Watch.CounterChanged(a.Unit, a.Counter)
	}
	return out, err
}

// hold records what the clerk has in hand, so that both screens find it again after a restart.
func (h *Hall) hold(tx Tx, a Actor, visit, order string) error {
	s, err := tx.Session(a.Token)
	if err != nil {
		return err
	}
	s.Visit, s.Order, s.Seen = visit, order, h.Clock.Now()
	return tx.PutSession(s)
}

// withCustomer adds what is known of the visit's customer, and which services that allows.
func (h *Hall) withCustomer(tx Tx, v *VisitView) error {
	f, open, err := h.known(tx, &v.Visit)
	if err != nil {
		return err
	}
	v.Findings = map[string][]Finding{}
	for _, s := range h.Catalog.Services() {
		if list := findings(s, withOpen(f, open, s.Number)); len(list) > 0 {
			v.Findings[s.Number] = list
		}
	}
	if v.Visit.Customer == "" {
		return nil
	}
	c, err := tx.Customer(v.Visit.Customer)
	if err != nil {
		return err
	}
	card, err := h.card(tx, c)
	v.Customer = &card
	return err
}

// StartOrder opens the form of a service in a visit and fills in what is known. again fills it as the customer's
// last order of that service was; service "" then means the service of the customer's last order.
func (h *Hall) StartOrder(ctx context.Context, a Actor, visit, service string, again bool) (*Order, error) {
	key, err := h.key()
	if err != nil {
		return nil, err
	}
	var out *Order
	err = h.Store.Update(ctx, func(tx Tx) error {
		v, err := tx.Visit(visit)
		if err != nil {
			return err
		}
		if v.Unit != a.Unit {
			return fault.New(fault.NotFound, "store.not_found", nil)
		}
		var last *Order
		if again {
			if last, err = tx.LastOrder(v.Customer, service); err != nil {
				return fault.Wrap(err, fault.NotFound, "order.no_last", nil)
			}
			service = last.Service
		}
		s, ok := h.Catalog.Service(service)
		if !ok {
			return fault.New(fault.NotFound, "order.no_service", fault.Args{"service": service})
		}
		now := h.Clock.Now()
		o := &Order{Key: key, Unit: a.Unit, Counter: a.Counter, Visit: v.Key, Customer: v.Customer, Service: s.Number,
			Version: s.Version, State: Draft, Created: now, Updated: now, Values: catalog.Values{}, Touched: map[string]Touch{},
			Clerk: a.person()}
		o.Language = v.Language
		if o.Language == "" {
			o.Language = string(s.Language)
		}
		if err := h.prefill(tx, o, s, v, last); err != nil {
			return err
		}
		v.Orders = append(v.Orders, o.Key)
		if err := tx.PutVisit(v); err != nil {
			return err
		}
		if err := h.log(tx, a, o, "order.start", facts{"service": s.Number, "version": s.Version}); err != nil {
			return err
		}
		if err := h.hold(tx, a, v.Key, o.Key); err != nil {
			return err
		}
		out = o
		return tx.PutOrder(o)
	})
	if err != nil {
		return nil, err
	}
	h.Watch.OrderChanged(out)
	return out, nil
}

// prefill asks the catalogue which fields the card, the customer's record and the last order fill.
func (h *Hall) prefill(tx Tx, o *Order, s *catalog.Service, v *Visit, last *Order) error {
	f, open, err := h.known(tx, v)
	if err != nil {
		return err
	}
	f = withOpen(f, open, s.Number)
	if why, stops := Stops(findings(s, f)); stops {
		return fault.New(fault.Conflict, "order.not_eligible", fault.Args{"reason": why.Text.In(s.Language)})
	}
	if v.Card != nil {
		o.Card = &CardFacts{Card: *v.Card, At: v.CardAt}
	}
	if last != nil {
		f.Last = map[string]catalog.Fact{}
		for name, val := range last.Values {
			f.Last[name] = catalog.Fact{Value: val.Text, At: last.Created}
			if len(val.Rows) > 0 {
				o.put(name, &catalog.Value{Rows: val.Rows, Source: "last." + name, SourceAt: last.Created}, o.Clerk.User, h.Clock.Now())
			}
		}
	}
	o.Prefill(o.Clerk.User, s.Fill(f, o.Values, h.Clock.Now()), h.Clock.Now())
	h.carry(o, s, v.Carried)
	return nil
}

// known gathers what the card and the customer's record say, and for which services our own orders are open.
func (h *Hall) known(tx Tx, v *Visit) (f catalog.Facts, open map[string]time.Time, err error) {
	if v.Card != nil {
		f.Card = factMap(v.Card.Fields, v.CardAt)
	}
	if v.Customer == "" {
		return f, nil, nil
	}
	c, err := tx.Customer(v.Customer)
	if err != nil {
		return f, nil, err
	}
	f.Customer = factMap(c.known(), c.FactsAt)
	f.CMIS = factMap(c.Facts, c.FactsAt)
	orders, err := tx.OpenOrdersOf(c.ID)
	if err != nil {
		return f, nil, err
	}
	open = map[string]time.Time{}
	for _, o := range orders {
		if o.Unit == v.Unit && o.State != Sealed {
			open[o.Service] = o.Created
		}
	}
	return f, open, nil
}

// withOpen adds to what is known that an order of the service is open; the facts that were handed in stay as they are.
func withOpen(f catalog.Facts, open map[string]time.Time, service string) catalog.Facts {
	if at, ok := open[service]; ok {
		f.CMIS = maps.Clone(f.CMIS)
		f.CMIS["same_open"] = catalog.Fact{Value: "yes", At: at}
	}
	return f
}

// findings are how the conditions of a service stand.
func findings(s *catalog.Service, f catalog.Facts) []Finding {
	out := []Finding{}
	list, _ := s.Eligible(f)
	for _, x := range list {
		out = append(out, Finding{Text: x.Condition.Text, State: x.State, Blocks: x.Condition.Blocks})
	}
	return out
}

// carry puts what was typed into the search into the first empty field that accepts it as a whole.
func (h *Hall) carry(o *Order, s *catalog.Service, carried string) {
	if carried == "" {
		return
	}
	for _, f := range s.Fields() {
		if _, filled := o.Values[f.Name]; filled || f.ReadOnly || (f.Type != catalog.Phone && f.Type != catalog.IDNumber && f.Type != catalog.TaxCode) {
			continue
		}
		if text, err := f.Accept(carried, h.Clock.Now(), s.Language); err == nil {
			o.put(f.Name, &catalog.Value{Text: text}, o.Clerk.User, h.Clock.Now())
			return
		}
	}
}

func factMap(m map[string]string, at time.Time) map[string]catalog.Fact {
	out := make(map[string]catalog.Fact, len(m))
	for k, v := range m {
		if v != "" {
			out[k] = catalog.Fact{Value: v, At: at}
		}
	}
	return out
}

// known are the customer's own fields by the names that service files use.
func (c *Customer) known() map[string]string {
	return map[string]string{"id": c.ID, "code": c.ID, "name": c.Name, "birth": c.Birth, "sex": c.Sex, "number": c.IDNumber,
		"id_number": c.IDNumber, "tax_code": c.TaxCode, "phone": c.Phone, "email": c.Email, "address": c.Address}
}

// Resume takes an order into the hand of a clerk at a counter: one that was set aside, or another terminal's. Until the
// seals are applied whoever resumed it last is the order's clerk, whose counter key will sign.
func (h *Hall) Resume(ctx context.Context, a Actor, key string) (*Order, error) {
	return h.change(ctx, a, key, "order.resume", func(tx Tx, o *Order) (facts, error) {
		o.Aside, o.Counter = false, a.Counter
		if o.Times.Sealed.IsZero() {
			o.Clerk = a.person()
		}
		return nil, h.hold(tx, a, o.Visit, o.Key)
	})
}

// Aside sets an order aside; the counter is free and the customer's screen forgets it.
func (h *Hall) Aside(ctx context.Context, a Actor, key string) error {
	_, err := h.change(ctx, a, key, "order.aside", func(tx Tx, o *Order) (facts, error) {
		o.Aside = true
		return nil, h.hold(tx, a, "", "")
	})
	h.Watch.CounterChanged(a.Unit, a.Counter)
	return err
}

// Release empties the clerk's hand when an order is done, so that the customer's screen goes back to its welcome.
func (h *Hall) Release(ctx context.Context, a Actor) error {
	return h.session(ctx, a, "", func(s *Session) { s.Visit, s.Order = "", "" })
}

// Cancel stops an order before its seals.
func (h *Hall) Cancel(ctx context.Context, a Actor, key string) error {
	_, err := h.change(ctx, a, key, "order.cancel", func(tx Tx, o *Order) (facts, error) {
		if err := o.Cancel(h.Clock.Now()); err != nil {
			return nil, err
		}
		if a.Token == "" {
			return nil, nil
		}
		return nil, h.hold(tx, a, "", "")
	})
	return err
}

// card is the masked view of a customer with the last and the open orders.
func (h *Hall) card(tx Tx, c *Customer) (CustomerCard, error) {
	out := CustomerCard{ID: c.ID, Kind: c.Kind, Name: c.Name, IDMasked: MaskNumber(c.IDNumber), Phone: MaskPhone(c.Phone),
		Address: c.Address, Contract: c.Facts["contract"], Debt: c.Facts["debt"], FactsAt: c.FactsAt}
	if len(c.Birth) >= 4 {
		out.BirthYear = c.Birth[:4]
	}
	if last, err := tx.LastOrder(c.ID, ""); err == nil {
		onTime := last.Due.IsZero() || !last.Times.Closed.After(last.Due.AddDate(0, 0, 1))
		out.Last = append(out.Last, LastRow{Order: last.Key, Number: last.Number, Service: last.Service, At: last.Created, State: last.State, OnTime: onTime})
	} else if fault.KindOf(err) != fault.NotFound {
		return out, err
	}
	return out, nil
}

// Home is what waits for a person and today's visits.
func (h *Hall) Home(ctx context.Context, a Actor) (HomeView, error) {
	now := h.Clock.Now()
	out := HomeView{Unit: h.Units[a.Unit], Now: now, Tasks: []Task{}, Visits: []VisitRow{},
		Clerk: a.person()}
	err := h.Store.View(ctx, func(tx Tx) error {
		visits, err := tx.VisitsOfDay(a.Unit, day(now))
		if err != nil {
			return err
		}
		for _, v := range visits {
			row := VisitRow{Visit: v.Key, Serial: v.Serial, At: v.Opened, Name: v.Name, Mine: v.By == a.User.Name}
			if n := len(v.Orders); n > 0 {
				o, err := tx.Order(v.Orders[n-1])
				if err != nil {
					return err
				}
				row.Order, row.Service, row.State, row.Step, row.Due = o.Key, o.Service, o.State, o.Step(), o.Due
				row.Aside, row.Object = o.Aside, o.OpenObjection("") != nil
			}
			switch row.State {
			case Sealed, Closed:
				out.Done++
			case Cancelled:
			default:
				out.Working++
			}
			out.Visits = append(out.Visits, row)
		}
		open, err := tx.OpenOrders(a.Unit)
		if err != nil {
			return err
		}
		out.Tasks = tasks(open, now)
		return nil
	})
	return out, err
}

// tasks lists what waits for a person, most urgent first, numbered from 71.
func tasks(open []*Order, now time.Time) []Task {
	out := []Task{}
	for _, o := range open {
		if !o.Due.IsZero() && now.After(o.Due.AddDate(0, 0, 1)) {
			out = append(out, Task{Kind: "overdue", Order: o.Key, Serial: o.Serial(), Service: o.Service, Since: o.Due, Count: 1})
		}
		if o.State == Confirmed {
			out = append(out, Task{Kind: "seal", Order: o.Key, Serial: o.Serial(), Service: o.Service, Since: o.Times.Confirmed, Count: 1})
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Kind == "overdue" && out[j].Kind != "overdue" })
	for i := range out {
		out[i].Number = 71 + i
	}
	return out
}

// Outbox adds to the tasks the hand-overs that did not get through, those of closed orders too.
func (v *HomeView) Outbox(rows []OutboxRow) {
	waiting := Task{Number: 71 + len(v.Tasks), Kind: "outbox", System: v.Unit.BackOffice}
	for _, r := range rows {
		if r.Kind != JobHandOver || r.Tries == 0 {
			continue
		}
		waiting.Count++
		if waiting.Since.IsZero() || r.Since.Before(waiting.Since) {
			waiting.Since = r.Since
		}
		if !r.Dead && (waiting.Next.IsZero() || r.Next.Before(waiting.Next)) {
			waiting.Next = r.Next
		}
	}
	if waiting.Count > 0 {
		v.Tasks = append(v.Tasks, waiting)
	}
}

// Serial is the last six digits of the number, by which people call an order.
func (o *Order) Serial() string {
	if len(o.Number) < 6 {
		return ""
	}
	return o.Number[len(o.Number)-6:]
}

// MaskNumber hides the middle of a personal number: 001*****0017.
func MaskNumber(n string) string {
	if len(n) < 8 {
		return strings.Repeat("*", len(n))
	}
	return n[:3] + strings.Repeat("*", len(n)-7) + n[len(n)-4:]
}

// MaskPhone leaves the last four digits of a phone number.
func MaskPhone(n string) string {
	if len(n) < 5 {
		return strings.Repeat("*", len(n))
	}
	return strings.Repeat("*", len(n)-4) + n[len(n)-4:]
}
