package mirror

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"countersign/internal/clock"
	"countersign/internal/locale"
	"countersign/kiosk"
	"countersign/kiosk/catalog"
	"countersign/kiosk/idcard"
	"countersign/kiosk/workorder"
	"countersign/services"
	"countersign/signing/otp"
)

var morning = time.Date(2026, 11, 23, 9, 12, 0, 0, clock.Vietnam)

var realCatalog = func() func(testing.TB) *catalog.Catalog {
	c, err := catalog.Load(services.Files, nil)
	return func(t testing.TB) *catalog.Catalog {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}()

// hidingCatalog is the real one with each third field hidden from the customer, as an operator's own file may have it.
var hidingCatalog = func() func(testing.TB) *catalog.Catalog {
	c, err := catalog.Load(services.Files, nil)
	if err == nil {
		for _, s := range c.Services() {
			for i, f := range s.Fields() {
				f.Visible = i%3 != 0
			}
		}
	}
	return func(t testing.TB) *catalog.Catalog {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}()

const digest = "3f9a71c28e04d5b63f9a71c28e04d5b63f9a71c28e04d5b63f9a71c28e04d5b6"

var states = []kiosk.State{kiosk.Draft, kiosk.Invited, kiosk.Reading, kiosk.Agreed, kiosk.Confirming, kiosk.Confirmed, kiosk.Sealed, kiosk.Closed, kiosk.Cancelled}

// sceneOf is a counter with an order of a service in a state.
func sceneOf(t testing.TB, s *catalog.Service, state kiosk.State) Scene {
	o := &kiosk.Order{Key: "0123456789abcdef0123", Number: "WO-PA0505-20261123-000042", Unit: "PA0505", Counter: "3", Service: s.Number, State: state,
		Confirmee: "NGUYỄN VĂN THỬ", Values: catalog.Values{}}
	o.Document = kiosk.DocumentFacts{ContentSHA256: digest, Agreement: "2026-06", VerifyCode: "7KQ2-M9XA", Lines: 104, Shown: 1,
		Pages: []kiosk.PageRead{{LastLine: 16, Shown: morning}, {LastLine: 32}}}
	return Scene{Unit: kiosk.Unit{Code: "PA0505", Name: "Điện lực Bắc Giang", Hotline: "19006769"}, Counter: "3",
		Clerk: kiosk.Person{User: "lananh", Name: "Ngô Lan Anh", StaffID: "3017"}, Present: true, Lang: "vi", Now: morning,
		Order: o, Service: s, Source: realCatalog(t).SourceForCustomer, Amount: "0 đ"}
}

func wire(t testing.TB, s Snapshot) string {
	t.Helper()
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestEachStateOfAnOrderHasItsStage(t *testing.T) {
	s, _ := realCatalog(t).Service("11")
	challenge := &otp.Challenge{Terms: otp.Terms{Purpose: "ký phiếu 000042", Channel: otp.Mail, Address: "t***@mau.example"}, Left: otp.Tries, State: otp.Open}
	for _, c := range []struct {
		name  string
		state kiosk.State
		with  func(*Scene)
		stage Stage
		step  int
	}{
		{"a form", kiosk.Draft, nil, Form, 2},
		{"an armed form", kiosk.Invited, nil, Invite, 2},
		{"an armed form that was objected to", kiosk.Invited, func(s *Scene) { s.Order.Objections = []kiosk.Objection{{Field: "phone", At: morning}} }, Form, 2},
		{"a text to read", kiosk.Reading, nil, Reading, 4},
		{"card and picture", kiosk.Agreed, nil, Card, 4},
		{"the choice of a channel", kiosk.Confirming, nil, Channel, 5},
		{"a code", kiosk.Confirming, func(s *Scene) { s.Challenge = challenge }, Code, 5},
		{"seals that are due", kiosk.Confirmed, nil, Waiting, 5},
		{"the choice of a receipt", kiosk.Sealed, nil, Receipt, 8},
		{"a receipt that failed", kiosk.Sealed, func(s *Scene) { s.Order.Receipt.Medium, s.Order.Receipt.Mail.State = "mail", "failed" }, Receipt, 8},
		{"a rating", kiosk.Sealed, func(s *Scene) { s.Order.Receipt.Medium = "mail" }, Rating, 8},
		{"thanks", kiosk.Closed, nil, Thanks, 8},
		{"an order that was stopped", kiosk.Cancelled, nil, Stopped, 0},
		{"an order set aside", kiosk.Reading, func(s *Scene) { s.Order.Aside = true }, Welcome, 0},
		{"thanks that are over", kiosk.Closed, func(s *Scene) { s.Cleared = true }, Welcome, 0},
		{"a counter without an order", kiosk.Draft, func(s *Scene) { s.Order, s.Service = nil, nil }, Welcome, 0},
		{"a service's card", kiosk.Draft, func(s *Scene) { s.Order, s.Shown = nil, s.Service }, Visit, 1},
		{"a locked counter", kiosk.Reading, func(s *Scene) { s.Locked = true }, Curtain, 0},
		{"a counter without a clerk", kiosk.Reading, func(s *Scene) { s.Present = false }, Curtain, 0},
	} {
		scene := sceneOf(t, s, c.state)
		if c.with != nil {
			c.with(&scene)
		}
		got := Project(scene)
		if got.Stage != c.stage || c.step != 0 && got.Step != c.step {
			t.Errorf("%s: stage %s, step %d, want %s, %d", c.name, got.Stage, got.Step, c.stage, c.step)
		}
		if seamText := locale.Text(locale.Vietnamese, got.Seam.ID, words(got.Seam)); c.stage != Stopped && strings.ContainsAny(seamText, "‹<") {
			t.Errorf("%s: the seam has no sentence: %q", c.name, seamText)
		}
		for _, l := range locale.Langs {
			seam := CustomerSeam(scene)
			if text := locale.Text(l, seam.ID, words(seam)); strings.ContainsAny(text, "‹<") {
				t.Errorf("%s: the clerk's seam has no sentence in %s: %q", c.name, l, text)
			}
		}
	}
}

func words(s kiosk.Seam) locale.Args {
	out := locale.Args{}
	for k, v := range s.Args {
		out[k] = v
	}
	return out
}

// planted is a scene full of things that each either may or must not be seen; forbidden are the latter.
type planted struct {
	Scene
	forbidden map[string]string // canary, where it was planted
}

func (p *planted) canary(where string) string {
	c := fmt.Sprintf("CANARY%04d", len(p.forbidden)+1000)
	p.forbidden[c] = where
	return c
}

// fullNumber is a number that must nowhere be seen whole, with or without blanks.
func (p *planted) fullNumber(t *rapid.T, where string) string {
	n := rapid.StringMatching(`0[0-9]{11}`).Draw(t, "number")
	p.forbidden[n] = where
	p.forbidden[n[:3]+" "+n[3:6]+" "+n[6:9]+" "+n[9:]] = where
	return n
}

// plant draws a scene from the real catalogue, as it is or with hidden fields.
func plant(t *rapid.T, tb testing.TB) *planted {
	cat := realCatalog(tb)
	if rapid.Bool().Draw(t, "hidden fields") {
		cat = hidingCatalog(tb)
	}
	s := rapid.SampledFrom(cat.Services()).Draw(t, "service")
	p := &planted{Scene: sceneOf(tb, s, rapid.SampledFrom(states).Draw(t, "state")), forbidden: map[string]string{}}
	p.Lang = rapid.SampledFrom([]string{"vi", "en", "zh-Hant", "", "xx"}).Draw(t, "language")
	o := p.Order
	for _, f := range s.Fields() {
		p.value(t, f)
	}
	// What the back office said and rules looked at, but no form has.
	for _, name := range []string{"cmis.debt", "cmis.note", "customer.app", "note"} {
		o.Values[name] = catalog.Value{Text: p.canary(name), Source: "cmis.debt"}
	}
	fields := s.Fields()
	pick := func(what string) string { return fields[rapid.IntRange(0, len(fields)-1).Draw(t, what)].Name }
	for range rapid.IntRange(0, 3).Draw(t, "objections") {
		ob := kiosk.Objection{Field: pick("objected"), Reason: 2, At: morning}
		if rapid.Bool().Draw(t, "answered") {
			ob.Answered = morning
		}
		o.Objections = append(o.Objections, ob)
	}
	if rapid.Bool().Draw(t, "typing") {
		p.typing(t, pick("typed"))
	}
	p.secrets(t)
	return p
}

// value fills one field; what stands in a hidden one is a canary.
func (p *planted) value(t *rapid.T, f *catalog.Field) {
	v := catalog.Value{Text: "1", Source: rapid.SampledFrom([]string{"", "cmis.capacity", "card.number"}).Draw(t, "source")}
	switch {
	case f.Type == catalog.Email:
		// The customer is asked whether the receipt may go there, so it is told even when the form hides it.
		v.Text = "thu@mau.example"
	case !f.Visible:
		v.Text, v.Old, v.Edited = p.canary("the hidden field "+f.Name), p.canary("the old value of "+f.Name), true
	case f.Type == catalog.IDNumber, f.Type == catalog.TaxCode:
		v.Text, v.Old, v.Edited = p.fullNumber(t, f.Name), p.fullNumber(t, "the old value of "+f.Name), true
	case f.Type == catalog.Rows:
		v.Text, v.Rows = "", [][]string{{"Điều hòa", "2", "1200", "8", "576"}}
	case f.Type == catalog.TextField:
		v.Text = rapid.StringMatching(`[A-ZĐÂ ]{1,30}`).Draw(t, "text")
	}
	p.Order.Values[f.Name] = v
}

func (p *planted) typing(t *rapid.T, field string) {
	p.Typing = Typing{Order: p.Order.Key, Field: field, Set: true, Text: "đang gõ"}
	f, ok := p.Service.Field(field)
	switch {
	case !ok || !f.Visible:
		p.Typing.Text = p.canary("typing in the hidden field " + field)
	case f.Type == catalog.IDNumber:
		p.Typing.Text = p.fullNumber(t, "typing in "+field)
	case rapid.Bool().Draw(t, "of another order"):
		p.Typing.Order, p.Typing.Text = "ffffffffffffffffffff", p.canary("typing in another order")
	}
}

// secrets are what an order knows and a screen must not.
func (p *planted) secrets(t *rapid.T) {
	o := p.Order
	n := p.fullNumber(t, "the card")
	o.Card = &kiosk.CardFacts{At: morning, Card: idcard.Card{Fields: map[string]string{idcard.Number: n, "old": p.canary("a card's field")}},
		Matches: []idcard.Match{{Field: idcard.Number, Card: n, Form: n, Verdict: idcard.Same}, {Field: idcard.Birth, Card: "1990-01-02", Form: p.canary("what the form was compared with")}}}
	switch o.State {
	case kiosk.Agreed, kiosk.Confirming, kiosk.Confirmed, kiosk.Closed:
		p.forbidden["thu@"] = "the address, when neither form nor receipt is on the screen"
	}
	p.forbidden["1990-01-02"] = "the day of birth"
	o.Customer, o.Visit = p.canary("the customer's code"), p.canary("the visit's key")
	o.Portrait = &kiosk.PortraitFacts{DocumentID: "picture", JudgedBy: kiosk.Person{Name: p.canary("who judged the picture")}, Retakes: rapid.IntRange(0, 9).Draw(t, "retakes")}
	o.HandOver = kiosk.HandOver{System: p.canary("the back office"), LastErr: p.canary("its answer"), Ack: p.canary("its number")}
	o.Confirm = &kiosk.Confirmation{Evidence: p.canary("evidence"), SignedID: p.canary("a document's name")}
	o.Seals = []kiosk.SealUse{{Seal: p.canary("a seal")}}
	o.Exits = []kiosk.Exit{{Field: "name", Before: &catalog.Value{Text: p.canary("an undone value")}}}
	o.Touched = map[string]kiosk.Touch{"name": {By: p.canary("who typed")}}
	o.Document.ContentID, o.Document.BaseID, o.Document.FinalID = p.canary("a document's name"), p.canary("a document's name"), p.canary("a document's name")
	p.Clerk.User = p.canary("the clerk's login")
	if rapid.Bool().Draw(t, "challenge") {
		p.Challenge = &otp.Challenge{Terms: otp.Terms{ID: p.canary("the challenge's key"), Account: p.canary("the account"), Purpose: "ký phiếu", Channel: otp.Mail, Address: "t***@mau.example"}, State: otp.Open}
		copy(p.Challenge.Nonce[:], p.canary("the nonce"))
	}
	p.Locked, p.Present = rapid.IntRange(0, 4).Draw(t, "locked") == 0, rapid.IntRange(0, 4).Draw(t, "present") != 0
	if p.Locked || !p.Present {
		o.Number, o.Document.VerifyCode, p.Clerk.Name, p.Clerk.StaffID = "WO-CANARY-000042", "7KQ2-M9XA", "CANARY ANH", "CANARY17"
		for _, s := range []string{"CANARY", o.Key, "7KQ2-M9XA", "000042", "\"rows\"", "\"page\"", "\"confirm\""} {
			p.forbidden[s] = "behind the curtain"
		}
	}
}

func TestNothingThatTheCustomerMayNotSeeLeavesTheProjection(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := plant(r, t)
		got := wire(t, Project(p.Scene))
		for canary, where := range p.forbidden {
			if strings.Contains(got, canary) {
				r.Fatalf("%s (%s) is in the snapshot of service %s in state %s:\n%s", canary, where, p.Service.Number, p.Order.State, got)
			}
		}
	})
}

func TestAProjectionDependsOnNothingButTheScene(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := plant(r, t)
		before := wire(t, Project(p.Scene))
		if again := wire(t, Project(p.Scene)); again != before {
			r.Fatal("the same scene gave another snapshot")
		}
	})
}

func TestANumberThatIsTypedIsNeverReadInPieces(t *testing.T) {
	s, _ := realCatalog(t).Service("11")
	const number = "001090000017"
	seen := ""
	for i := range len(number) {
		scene := sceneOf(t, s, kiosk.Draft)
		scene.Typing = Typing{Order: scene.Order.Key, Field: idField(t, s).Name, Text: number[:i+1], Set: true}
		got := Project(scene)
		if got.Marked == 0 {
			t.Fatal("the row is not marked")
		}
		for _, row := range got.Rows {
			if row.Live {
				seen += strings.Trim(row.Value, "*")
			}
		}
	}
	if seen != "" {
		t.Errorf("whoever watched has read %q", seen)
	}
}

func idField(t *testing.T, s *catalog.Service) *catalog.Field {
	t.Helper()
	for _, f := range s.Fields() {
		if f.Type == catalog.IDNumber && f.Visible {
			return f
		}
	}
	t.Fatal("the service asks for no personal number")
	return nil
}

func TestASnapshotOfTheBiggestServiceIsBelow8KiB(t *testing.T) {
	biggest := 0
	for _, s := range realCatalog(t).Services() {
		for _, state := range states {
			scene := sceneOf(t, s, state)
			for _, f := range s.Fields() {
				scene.Order.Values[f.Name] = catalog.Value{Text: "12 phố Mẫu, phường Thử, Bắc Giang", Source: "cmis.capacity", Edited: true, Old: "thôn Mẫu, xã Thử, huyện Ví Dụ"}
			}
			for range 14 { // what a page on the customer's screen holds
				scene.Lines = append(scene.Lines, workorder.Line{Text: strings.Repeat("Điện lực ", 8), Page: 1})
			}
			for range 6 {
				scene.Promises = append(scene.Promises, Promise{Label: "Công suất đề nghị", Value: "từ 3,0 kW lên 7,5 kW, một pha"})
			}
			size := len(wire(t, Project(scene)))
			biggest = max(biggest, size)
			if size >= 8<<10 {
				t.Errorf("service %s, state %s: %d bytes", s.Number, state, size)
			}
		}
	}
	t.Logf("the biggest has %d bytes", biggest)
}
