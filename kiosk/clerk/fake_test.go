package clerk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/color"
	"image/jpeg"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/kiosk"
	"countersign/kiosk/catalog"
	"countersign/kiosk/idcard"
	"countersign/kiosk/portrait"
	"countersign/services"
)

// morning is the moment at which the tests' day stands: a Saturday, as in the drawings.
var morning = time.Date(2026, 11, 21, 9, 14, 0, 0, clock.Vietnam)

// hall is a service in memory for the screens: orders by the real state machine, everything else just enough.
type hall struct {
	mu      sync.Mutex
	cat     *catalog.Catalog
	clock   *clock.Set
	orders  map[string]*kiosk.Order
	visits  map[string]*kiosk.Visit
	known   []kiosk.CustomerCard
	facts   map[string]catalog.Facts // by customer
	events  chan Update
	picture []byte
	ch      *kiosk.ChallengeView
	pad     *kiosk.Pad
	seam    kiosk.Seam
	away    bool  // the seal service does not answer
	lost    bool  // nothing answers
	fail    error // the next act fails with this
	taken   string
	typed   []string // what the customer's screen was shown
	rows    []kiosk.OutboxRow
	links   []kiosk.Link
	home    *kiosk.HomeView
	locks   int
	again   bool // the last order's appliances are brought along
	next    int
	// findings are how the conditions of the services stand for the customer of a visit.
	findings map[string][]kiosk.Finding
	files    map[string][]byte // by field, as they were sent last
}

var load = sync.OnceValues(func() (*catalog.Catalog, error) { return catalog.Load(services.Files, nil) })

// thu is the synthetic customer of every test.
var thu = idcard.Person{Number: "001090000017", Name: "NGUYỄN VĂN THỬ", Birth: "1990-01-01", Sex: "M",
	Address: "12 phố Mẫu, phường Thử, Bắc Giang", Issued: "2021-05-10"}

func newHall(t testing.TB) *hall {
	t.Helper()
	cat, err := load()
	if err != nil {
		t.Fatal(err)
	}
	h := &hall{cat: cat, clock: clock.At(morning), orders: map[string]*kiosk.Order{}, visits: map[string]*kiosk.Visit{},
		events: make(chan Update, 64), facts: map[string]catalog.Facts{}}
	at := morning.Add(-2 * time.Minute)
	fact := func(s string) catalog.Fact { return catalog.Fact{Value: s, At: at} }
	h.known = []kiosk.CustomerCard{
		{ID: "PA05050000017", Kind: "person", Name: "NGUYỄN VĂN THỬ", BirthYear: "1990", IDMasked: "001*****0017", Phone: "******0017",
			Address: thu.Address, Contract: "Sinh hoạt, 1 pha, 2 hộ", Debt: "không", FactsAt: at,
			Last: []kiosk.LastRow{{Service: "13", At: time.Date(2026, 3, 18, 9, 0, 0, 0, clock.Vietnam), State: kiosk.Closed, OnTime: true},
				{Service: "11", At: time.Date(2025, 10, 2, 9, 0, 0, 0, clock.Vietnam), State: kiosk.Closed, OnTime: true}}},
		{ID: "PA05050000482", Kind: "person", Name: "NGUYỄN VIỆT THU", BirthYear: "1984", IDMasked: "001*****1203", Phone: "******0921"},
		{ID: "PA05050001093", Kind: "person", Name: "NGÔ VĂN THUẬN", BirthYear: "1971", IDMasked: "024*****7710", Phone: "******4470"},
	}
	h.facts["PA05050000017"] = catalog.Facts{
		Customer: map[string]catalog.Fact{"code": fact("PA05050000017"), "id": fact("PA05050000017"), "name": fact(thu.Name), "birth": fact(thu.Birth),
			"id_number": fact(thu.Number), "number": fact(thu.Number), "phone": fact("0900000017"), "email": fact("thu@mua.example"), "address": fact(thu.Address)},
		CMIS: map[string]catalog.Fact{"customer_code": fact("PA05050000017"), "use_address": fact(thu.Address), "address": fact(thu.Address), "capacity": fact("3.0"), "purpose": fact("1"), "households": fact("2")},
	}
	h.links = []kiosk.Link{{Name: "handover", Label: "CMIS", State: "ok", Last: morning.Add(-time.Second), StandIn: true},
		{Name: "receipt_mail", State: "ok", Last: morning.Add(-2 * time.Second)}, {Name: "seal", State: "ok", Last: morning.Add(-3 * time.Second)},
		{Name: "tsa", State: "ok", Last: morning.Add(-90 * time.Second)}}
	h.picture = drawnPicture(t)
	return h
}

// drawnPicture is a picture of four plain fields, sharp and bright.
func drawnPicture(t testing.TB) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 480, 640))
	for y := range 640 {
		for x := range 480 {
			v := uint8(90 + 60*((x/60+y/80)%2))
			img.Set(x, y, color.RGBA{v, v, v, 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// with runs fn on an order, counts the revision and returns the view.
func (h *hall) with(key string, fn func(o *kiosk.Order, s *catalog.Service) error) (kiosk.OrderView, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lost {
		return kiosk.OrderView{}, fault.New(fault.Unavailable, "service.lost", nil)
	}
	if err := h.fail; err != nil {
		h.fail = nil
		return kiosk.OrderView{}, err
	}
	o := h.orders[key]
	if o == nil {
		return kiosk.OrderView{}, fault.New(fault.NotFound, "store.not_found", nil)
	}
	s, _ := h.cat.Service(o.Service)
	if fn != nil {
		if err := fn(o, s); err != nil {
			return kiosk.OrderView{}, err
		}
		o.Rev++
	}
	return h.view(o, s), nil
}

// view is what the service would show of an order.
func (h *hall) view(o *kiosk.Order, s *catalog.Service) kiosk.OrderView {
	c := *o
	c.Values = catalog.Values{}
	for k, v := range o.Values {
		c.Values[k] = v
	}
	c.Touched = map[string]kiosk.Touch{}
	for k, v := range o.Touched {
		c.Touched[k] = v
	}
	c.Objections = append([]kiosk.Objection(nil), o.Objections...)
	c.Document.Pages = append([]kiosk.PageRead(nil), o.Document.Pages...)
	if o.Portrait != nil {
		p := *o.Portrait
		c.Portrait = &p
	}
	v := kiosk.OrderView{Order: c, Service: s, Hash: "3F9A 71C2 8E04 D5B6", Words: "không đồng", Challenge: h.ch, Pad: h.pad, Seam: h.seam,
		Median: 12*time.Minute + 10*time.Second, Elapsed: 11*time.Minute + 34*time.Second, Entries: []int64{88398, 88412}}
	for _, p := range s.Check(o.Values, h.clock.Now()) {
		v.Problems = append(v.Problems, kiosk.Problem{Field: p.Field, Number: p.Number, Code: p.Err.Code, Args: p.Err.Args, Note: p.Note})
	}
	for _, ob := range o.Objections {
		if ob.Closed.IsZero() {
			f, _ := s.Field(ob.Field)
			v.Problems = append(v.Problems, kiosk.Problem{Field: ob.Field, Number: f.Number, Code: "order.objected",
				Args: fault.Args{"number": strconv.Itoa(f.Number), "reason": "@objection." + strconv.Itoa(ob.Reason)}})
		}
	}
	v.Plan = []kiosk.SealPlan{{Role: "customer", Name: o.Confirmee, By: "otp_mail"}, {Role: "clerk", Name: "Ngô Lan Anh", By: "counter_key", Until: time.Date(2027, 6, 30, 0, 0, 0, 0, clock.Vietnam)},
		{Role: "business", Name: "Dấu nghiệp vụ 2", By: "seal_service", Size: 36, Until: time.Date(2027, 12, 31, 0, 0, 0, 0, clock.Vietnam), Grant: "118/QĐ-PCBG", Use: 218, Away: h.away},
		{Role: "unit", Name: "Điện lực Bắc Giang", By: "seal_service", Size: 36, Until: time.Date(2027, 12, 31, 0, 0, 0, 0, clock.Vietnam), Grant: "118/QĐ-PCBG", Use: 1045, Away: h.away},
		{Role: "timestamp", Name: "Dấu thời gian", By: "tsa"}}
	if o.Confirm != nil {
		v.Plan[0].Done, v.Plan[0].By = o.Confirm.At, o.Confirm.Method
	}
	return v
}

func (h *hall) SignIn(_ context.Context, user, password string) (SignedIn, error) {
	if password != "Quay3@BacGiang" {
		return SignedIn{}, fault.New(fault.Unauthenticated, "signin.wrong", fault.Args{"left": "4"})
	}
	return SignedIn{Clerk: kiosk.Person{User: user, Name: "Ngô Lan Anh", StaffID: "3017", Counter: "3"},
		Unit: kiosk.Unit{Code: "PA0505", Name: "Điện lực Bắc Giang", BackOffice: "CMIS"}, NeedsCode: user == "moi" || user == "vaolam", MustChange: user == "vaolam",
		Last: time.Date(2026, 11, 20, 7, 28, 0, 0, clock.Vietnam), LastPlace: "3"}, nil
}

func (h *hall) SetPassword(_ context.Context, old, password string) error {
	if old != "Quay3@BacGiang" {
		return fault.New(fault.Unauthenticated, "signin.wrong", fault.Args{"left": "4"})
	}
	return kiosk.CheckPassword(password)
}

func (h *hall) SetUnlockCode(_ context.Context, code string) error {
	if code == "111111" {
		return fault.New(fault.Invalid, "signin.weak_code", nil)
	}
	return nil
}

func (h *hall) Unlock(_ context.Context, code string) error {
	if code != "271828" {
		return fault.New(fault.Unauthenticated, "signin.code", fault.Args{"left": "4"})
	}
	return nil
}

func (h *hall) Lock(context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.locks++
	return nil
}

func (h *hall) SignOut(context.Context) error { return nil }

func (h *hall) Home(context.Context) (kiosk.HomeView, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.home != nil {
		return *h.home, nil
	}
	return kiosk.HomeView{Links: h.links, Now: h.clock.Now()}, nil
}

func (h *hall) Services(context.Context) ([]*catalog.Service, error) { return h.cat.Services(), nil }

func (h *hall) Find(_ context.Context, text string) ([]kiosk.CustomerCard, error) {
	if text == "0900000017" || text == thu.Number {
		return h.known[:1], nil
	}
	var out []kiosk.CustomerCard
	for _, c := range h.known {
		ok := true
		words := strings.Fields(catalog.Fold(c.Name))
		for i, w := range strings.Fields(catalog.Fold(text)) {
			ok = ok && i < len(words) && strings.HasPrefix(words[i], w)
		}
		if ok {
			out = append(out, c)
		}
	}
	return out, nil
}

func (h *hall) Links(context.Context) ([]kiosk.Link, []kiosk.OutboxRow, error) {
	return h.links, h.rows, nil
}

func (h *hall) RetryOutbox(context.Context, int64) error { return nil }

func (h *hall) visitView(v *kiosk.Visit) kiosk.VisitView {
	out := kiosk.VisitView{Visit: *v, Findings: h.findings}
	for i := range h.known {
		if h.known[i].ID == v.Customer {
			out.Customer = &h.known[i]
		}
	}
	return out
}

func (h *hall) open(customer string) *kiosk.Visit {
	v := &kiosk.Visit{Key: "visit" + strconv.Itoa(len(h.visits)+1), Serial: len(h.visits) + 1, Customer: customer, Opened: h.clock.Now()}
	for _, c := range h.known {
		if c.ID == customer {
			v.Name = c.Name
		}
	}
	h.visits[v.Key] = v
	return v
}

func (h *hall) OpenVisit(_ context.Context, customer, carried string) (kiosk.VisitView, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := h.open(customer)
	v.Carried = carried
	return h.visitView(v), nil
}

func (h *hall) Visit(_ context.Context, key string) (kiosk.VisitView, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.visitView(h.visits[key]), nil
}

func (h *hall) ShowService(context.Context, string, string) error { return nil }

func (h *hall) ScanVisit(_ context.Context, visit, scan string) (kiosk.VisitView, error) {
	card, err := idcard.ParseOn(scan, h.clock.Now())
	if err != nil {
		return kiosk.VisitView{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	v := h.visits[visit]
	if v == nil {
		customer := ""
		if card.Fields[idcard.Number] == thu.Number {
			for _, c := range h.known {
				if c.ID == "PA05050000017" {
					customer = c.ID
				}
			}
		}
		v = h.open(customer)
	}
	v.Card, v.CardAt = &card, h.clock.Now()
	if v.Name == "" {
		v.Name = card.Fields[idcard.Name]
	}
	return h.visitView(v), nil
}

func (h *hall) StartOrder(_ context.Context, visit, service string, again bool) (kiosk.OrderView, error) {
	h.mu.Lock()
	v := h.visits[visit]
	s, ok := h.cat.Service(service)
	if !ok {
		h.mu.Unlock()
		return kiosk.OrderView{}, fault.New(fault.NotFound, "order.no_service", fault.Args{"service": service})
	}
	h.next++
	now := h.clock.Now()
	o := &kiosk.Order{Key: "order" + strconv.Itoa(h.next), Visit: visit, Customer: v.Customer, Service: service, State: kiosk.Draft, Rev: 1,
		Clerk: kiosk.Person{User: "lananh", Name: "Ngô Lan Anh", Counter: "3"}, Created: now, Language: "vi"}
	f := h.facts[v.Customer]
	if v.Card != nil {
		f.Card = map[string]catalog.Fact{}
		for k, text := range v.Card.Fields {
			f.Card[k] = catalog.Fact{Value: text, At: v.CardAt}
		}
		o.Card = &kiosk.CardFacts{Card: *v.Card, At: v.CardAt}
	}
	if again {
		f.Last = map[string]catalog.Fact{}
		for _, def := range s.Fields() {
			switch def.Type {
			case catalog.ChoiceOf:
				f.Last[def.Name] = catalog.Fact{Value: "1", At: now}
			}
		}
	}
	o.Prefill("lananh", s.Fill(f, o.Values, now), now)
	if again && h.again {
		o.Values["appliances"] = catalog.Value{Rows: [][]string{{"Điều hòa", "2", "1200", "8", "576"}}, Source: "last.appliances", SourceAt: now}
	}
	v.Orders = append(v.Orders, o.Key)
	h.orders[o.Key] = o
	h.mu.Unlock()
	return h.with(o.Key, nil)
}

func (h *hall) Order(_ context.Context, key string) (kiosk.OrderView, error) { return h.with(key, nil) }

func (h *hall) Resume(_ context.Context, key string) (kiosk.OrderView, error) {
	return h.with(key, func(o *kiosk.Order, _ *catalog.Service) error {
		o.Aside = false
		return nil
	})
}

func (h *hall) Aside(_ context.Context, key string) error {
	_, err := h.with(key, func(o *kiosk.Order, _ *catalog.Service) error {
		o.Aside = true
		return nil
	})
	return err
}

func (h *hall) Release(context.Context) error { return nil }

func (h *hall) Cancel(_ context.Context, key string) error {
	_, err := h.with(key, func(o *kiosk.Order, _ *catalog.Service) error { return o.Cancel(h.clock.Now()) })
	return err
}

func (h *hall) SetField(_ context.Context, key, field, base, typed string) (kiosk.OrderView, error) {
	return h.with(key, func(o *kiosk.Order, s *catalog.Service) error {
		if h.taken == field {
			h.taken = ""
			if err := o.SetField("tu", field, o.Values[field].Text, catalog.Value{Text: "0900000019"}, h.clock.Now()); err != nil {
				return err
			}
			o.Rev++
			return fault.New(fault.Conflict, "order.field_taken", fault.Args{"by": "Tú", "field": field})
		}
		f, _ := s.Field(field)
		text, err := f.Accept(typed, h.clock.Now(), s.Language)
		if err != nil {
			return err
		}
		if err := o.SetField("lananh", field, base, catalog.Value{Text: text}, h.clock.Now()); err != nil {
			return err
		}
		o.Prefill("lananh", s.Derive(field, o.Values), h.clock.Now())
		return nil
	})
}

func (h *hall) SetSame(_ context.Context, key, field, base string) (kiosk.OrderView, error) {
	return h.with(key, func(o *kiosk.Order, s *catalog.Service) error {
		fill, ok := s.Same(field, o.Values)
		if !ok {
			return fault.New(fault.Invalid, "order.nothing_same", fault.Args{"number": "9"})
		}
		return o.SetField("lananh", field, base, catalog.Value{Text: fill.Value, Source: fill.Source}, h.clock.Now())
	})
}

func (h *hall) SetFile(_ context.Context, key, field, base, name string, data []byte) (kiosk.OrderView, error) {
	return h.with(key, func(o *kiosk.Order, _ *catalog.Service) error {
		if err := kiosk.CheckFile(data); err != nil {
			return err
		}
		if h.files == nil {
			h.files = map[string][]byte{}
		}
		h.files[field] = data
		sum := sha256.Sum256(data)
		ref := &catalog.FileRef{Document: "d", Name: name, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(data))}
		return o.SetField("lananh", field, base, catalog.Value{File: ref}, h.clock.Now())
	})
}

func (h *hall) SetRows(_ context.Context, key, field string, rows [][]string) (kiosk.OrderView, error) {
	return h.with(key, func(o *kiosk.Order, s *catalog.Service) error {
		f, _ := s.Field(field)
		var ok [][]string
		for i, row := range rows {
			cells := make([]string, len(f.Columns))
			for j := range f.Columns {
				if f.Columns[j].ReadOnly {
					continue
				}
				text, err := f.AcceptCell(i+1, j, row[j], h.clock.Now(), s.Language)
				if err != nil {
					return err
				}
				cells[j] = text
			}
			ok = append(ok, cells)
		}
		return o.SetField("lananh", field, "", catalog.Value{Rows: f.Compute(ok)}, h.clock.Now())
	})
}

func (h *hall) Typing(_ context.Context, _, field, text string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.typed = append(h.typed, field+"="+text)
	return nil
}

func (h *hall) Undo(_ context.Context, key string) (kiosk.OrderView, error) {
	return h.with(key, func(o *kiosk.Order, _ *catalog.Service) error {
		_, err := o.Undo("lananh", h.clock.Now())
		return err
	})
}

func (h *hall) Redo(_ context.Context, key string) (kiosk.OrderView, error) {
	return h.with(key, func(o *kiosk.Order, _ *catalog.Service) error {
		_, err := o.Redo("lananh", h.clock.Now())
		return err
	})
}

func (h *hall) Answer(_ context.Context, key, field string) (kiosk.OrderView, error) {
	return h.with(key, func(o *kiosk.Order, _ *catalog.Service) error { return o.Answer(field, h.clock.Now()) })
}

func (h *hall) Invite(_ context.Context, key string) (kiosk.OrderView, error) {
	return h.with(key, func(o *kiosk.Order, s *catalog.Service) error {
		if p := s.Check(o.Values, h.clock.Now()); catalog.Stops(p) {
			return fault.New(fault.Invalid, "order.problems", fault.Args{"count": strconv.Itoa(len(p))})
		}
		o.Confirmee = thu.Name
		o.TermDays, o.Due, _ = s.Due(o.Values, h.clock.Now())
		return o.Invite("WO-PA0505-20261121-000042", h.clock.Now())
	})
}

func (h *hall) Reopen(_ context.Context, key string) (kiosk.OrderView, error) {
	return h.with(key, func(o *kiosk.Order, _ *catalog.Service) error {
		o.Reopen(h.clock.Now())
		return nil
	})
}

func (h *hall) ScanCard(_ context.Context, key, scan string) (kiosk.OrderView, error) {
	card, err := idcard.ParseOn(scan, h.clock.Now())
	if err != nil {
		return kiosk.OrderView{}, err
	}
	return h.with(key, func(o *kiosk.Order, s *catalog.Service) error {
		facts := catalog.Facts{Card: map[string]catalog.Fact{}}
		for k, text := range card.Fields {
			facts.Card[k] = catalog.Fact{Value: text, At: h.clock.Now()}
		}
		if err := o.TakeCard(kiosk.CardFacts{Card: card, At: h.clock.Now()}, h.clock.Now()); err != nil {
			return err
		}
		if o.State == kiosk.Draft {
			o.Prefill("lananh", s.Fill(facts, o.Values, h.clock.Now()), h.clock.Now())
			return nil
		}
		h.matched(o, s)
		return nil
	})
}

func (h *hall) FollowCard(_ context.Context, key, field string) (kiosk.OrderView, error) {
	return h.with(key, func(o *kiosk.Order, s *catalog.Service) error {
		text := o.Card.Card.Fields[field]
		for _, f := range s.Fields() {
			if has(f.Source, "card."+field) {
				field = f.Name
			}
		}
		o.Reopen(h.clock.Now())
		return o.SetField("lananh", field, o.Values[field].Text, catalog.Value{Text: text, Source: "card." + field, SourceAt: h.clock.Now()}, h.clock.Now())
	})
}

func (h *hall) Portrait(_ context.Context, key string, data []byte) (kiosk.OrderView, error) {
	facts, err := portrait.Inspect(data, portrait.DefaultLimits())
	if err != nil {
		return kiosk.OrderView{}, err
	}
	return h.with(key, func(o *kiosk.Order, _ *catalog.Service) error {
		return o.TakePortrait(kiosk.PortraitFacts{DocumentID: "p1", Facts: facts, At: h.clock.Now()}, h.clock.Now())
	})
}

func (h *hall) PortraitImage(context.Context, string) ([]byte, error) { return h.picture, nil }

func (h *hall) Judge(_ context.Context, key string) (kiosk.OrderView, error) {
	return h.with(key, func(o *kiosk.Order, _ *catalog.Service) error {
		if err := o.Judge(h.clock.Now()); err != nil {
			return err
		}
		return o.Based("base", "3f9a", h.clock.Now())
	})
}

func (h *hall) Retake(_ context.Context, key string) (kiosk.OrderView, error) {
	return h.with(key, func(o *kiosk.Order, _ *catalog.Service) error { return o.Retake(false, h.clock.Now()) })
}

func (h *hall) Resend(_ context.Context, key string) (kiosk.OrderView, error) {
	return h.with(key, nil)
}

func (h *hall) Seal(_ context.Context, key, four string) (kiosk.OrderView, error) {
	return h.with(key, func(o *kiosk.Order, _ *catalog.Service) error {
		if err := o.MaySeal(four); err != nil {
			return err
		}
		if h.away {
			return fault.New(fault.Unavailable, "seal.away", nil)
		}
		now := h.clock.Now()
		if err := o.SealedWith(nil, "final", "ab", []kiosk.Signed{{}, {}, {}, {}}, now); err != nil {
			return err
		}
		o.HandOver.System = "CMIS"
		return nil
	})
}

func (h *hall) Reprint(_ context.Context, key string) (kiosk.OrderView, error) {
	return h.with(key, nil)
}

func (h *hall) FixMail(_ context.Context, key, address string) (kiosk.OrderView, error) {
	return h.with(key, func(o *kiosk.Order, _ *catalog.Service) error {
		o.Receipt.To, o.Receipt.WrongMail = address, false
		return nil
	})
}

func (h *hall) Document(context.Context, string) ([]byte, error) { return nil, nil }

func (h *hall) Page(_ context.Context, _ string, page int) ([]string, error) {
	return []string{"Điều " + strconv.Itoa(page) + ". Công suất và thiết bị",
		"2.1 Công suất đề nghị: 7,5 kW (bảy phẩy năm ki-lô-oát), một pha. Công tơ được thay tại đúng vị trí cũ trong thời hạn đã ghi ở Điều 3."}, nil
}

func (h *hall) Evidence(_ context.Context, key string) (Evidence, error) {
	v, err := h.with(key, nil)
	at := v.Order.Times.Sealed
	return Evidence{Verdict: "PASSED", Summary: map[string]string{"vi": "ĐẠT: nguyên vẹn, phủ hết tệp"}, Size: 214339, Revisions: 5, At: h.clock.Now(), Order: v,
		JournalOK: true, JournalRoot: "a07e55d1ffff",
		Signatures: []EvidenceSigner{{Name: "CN=NGUYỄN VĂN THỬ,O=x", Rank: "otp", At: at, OK: true}, {Name: "Ngô Lan Anh", Rank: "clerk", At: at, OK: true},
			{Name: "Dấu nghiệp vụ 2", Rank: "seal", At: at, OK: true, Proven: true}, {Name: "Điện lực Bắc Giang", Rank: "seal", At: at, OK: true, Proven: true}}}, err
}

func (h *hall) Events(context.Context) <-chan Update { return h.events }
