package demo

import (
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"countersign/internal/api"
	"countersign/internal/fault"
	"countersign/kiosk"
	"countersign/kiosk/mirror"
)

func TestTwoCountersOnTwoAddressesFinishOneOrder(t *testing.T) {
	o := theOffice(t)
	a, other := o.sit(t), o.sit(t)
	address, err := o.serve("tcp", "127.0.0.1:0", o.Service.Handler)
	if err != nil {
		t.Fatal(err)
	}
	b := *other
	far := &api.Clerk{Client: &api.Client{Base: "http://" + address, HTTP: http.DefaultClient}, Unit: Unit, Counter: other.counter}
	if _, err := far.SignIn(a.ctx, "quay"+other.counter, Password); err != nil {
		t.Fatal(err)
	}
	b.Clerk = far

	a.to("open").to("fill").to("agree")
	a.must(a.Clerk.Aside(a.ctx, a.key()))
	if err := a.Display.ShowPage(a.ctx, a.key(), 1); !fault.Is(err, "order.gone") {
		t.Errorf("the first counter's screen still reaches the order: %v", err)
	}
	a.screen(mirror.Welcome)
	v, err := b.Clerk.Resume(a.ctx, a.key())
	a.must(err)
	if v.Order.Aside || v.Order.Counter != other.counter {
		t.Errorf("the order is aside: %t, at counter %s", v.Order.Aside, v.Order.Counter)
	}
	b.Person, b.Mail, b.Order, b.done = a.Person, a.Mail, v, a.done
	b.to("receive")
	b.passed()
	got := b.stored()
	if got.State != kiosk.Closed || len(got.Seals) != 3 || got.Seals[0].Seal != "quay-"+other.counter {
		t.Errorf("the order is %s with the seals %+v, want closed, sealed by counter %s", got.State, got.Seals, other.counter)
	}
	file, err := b.Clerk.Document(a.ctx, a.key())
	a.must(err)
	path := filepath.Join(t.TempDir(), "order.pdf")
	write(t, path, file)
	text := program(t, "pdftotext", "-layout", path, "-")
	if second := "Nhân Viên Quầy " + other.counter; !strings.Contains(text, second) {
		t.Errorf("the work order nowhere names %s, who judged the picture and signed", second)
	}
}

func TestTwoClerksOnOneFieldMeetAConflictAndNeverOverwrite(t *testing.T) {
	o := theOffice(t)
	a, b := o.sit(t), o.sit(t)
	a.to("open")
	key := a.key()
	saw := a.Order.Order.Values["phone"].Text
	if _, err := b.Clerk.Resume(b.ctx, key); err != nil {
		t.Fatal(err)
	}
	_, err := a.Clerk.SetField(a.ctx, key, "phone", saw, "0911000001")
	a.must(err)
	_, err = b.Clerk.SetField(b.ctx, key, "phone", saw, "0911000002")
	refused(t, err, "order.field_taken")
	var f *fault.Error
	if errors.As(err, &f) && f.Args["by"] != "quay"+a.counter {
		t.Errorf("the conflict names %q, want the clerk who was first", f.Args["by"])
	}
	if got := a.look().Order.Values["phone"].Text; got != "0911000001" {
		t.Errorf("the field is %q after the conflict", got)
	}
	_, err = b.Clerk.SetField(b.ctx, key, "phone", "0911000001", "0911000002")
	b.must(err)
	if got := a.look().Order.Values["phone"].Text; got != "0911000002" {
		t.Errorf("the field is %q after the second clerk saw the first one's value", got)
	}
	t.Run("of many at once exactly one is first", func(t *testing.T) {
		const each = 6
		var wait sync.WaitGroup
		var mu sync.Mutex
		won := map[string]bool{}
		for i := range each {
			for _, c := range []*desk{a, b} {
				wait.Go(func() {
					typed := "0911" + c.counter + "10" + string(rune('0'+i))
					if _, err := c.Clerk.SetField(c.ctx, key, "phone", "0911000002", typed); err == nil {
						mu.Lock()
						won[c.counter] = true
						mu.Unlock()
					} else if !fault.Is(err, "order.field_taken") {
						t.Error(err)
					}
				})
			}
		}
		wait.Wait()
		final := a.look().Order.Values["phone"].Text
		if len(won) != 1 || !won[final[4:7]] {
			t.Errorf("the field is %s, and the counters %v were told that theirs was saved", final, won)
		}
	})
}

func TestAnObjectionStopsTheSubmissionUntilTheCustomerClosesIt(t *testing.T) {
	d := theOffice(t).sit(t)
	d.to("fill") // the submission is armed already
	key := d.key()
	d.must(d.Display.Object(d.ctx, key, "phone", 2))
	refused(t, d.Display.AgreeForm(d.ctx, key), "order.step")
	_, err := d.Clerk.Invite(d.ctx, key)
	refused(t, err, "order.problems")
	refused(t, d.Display.Accept(d.ctx, key, "phone"), "order.no_objection")
	problems := d.look().Problems
	if i := slices.IndexFunc(problems, func(p kiosk.Problem) bool { return p.Code == "order.objected" }); i < 0 {
		t.Errorf("the clerk is told %+v", problems)
	} else {
		told(t, problems[i].Err())
	}
	if s := d.screen(mirror.Form); s.Question != nil {
		t.Errorf("the customer is asked before the clerk did anything: %+v", s.Question)
	}
	_, err = d.Clerk.SetField(d.ctx, key, "phone", d.look().Order.Values["phone"].Text, "0912345678")
	d.must(err)
	_, err = d.Clerk.Invite(d.ctx, key)
	refused(t, err, "order.problems")
	for _, p := range d.look().Problems {
		if !p.Note {
			told(t, p.Err())
		}
	}
	if s := d.screen(mirror.Form); s.Question == nil || s.Question.Field != "phone" || !strings.Contains(s.Question.Value, "678") {
		t.Errorf("the customer is asked %+v", s.Question)
	}
	d.must(d.Display.Accept(d.ctx, key, "phone"))
	_, err = d.Clerk.Invite(d.ctx, key)
	d.must(err)
	d.to("agree")
	d.to("seal")
	d.passed()
	acts := d.acts()
	object, accept, invited := slices.Index(acts, "form.object"), slices.Index(acts, "form.accept"), slices.Index(acts, "order.generate")
	if object < 0 || accept < object || invited < accept {
		t.Errorf("the journal tells %v", acts)
	}
}

func TestTheClerkCannotCloseTheCustomersObjectionByExplaining(t *testing.T) {
	d := theOffice(t).sit(t)
	d.to("open")
	key := d.key()
	for _, v := range d.Values {
		_, err := d.Clerk.SetField(d.ctx, key, v.Field, d.look().Order.Values[v.Field].Text, v.Typed)
		d.must(err)
	}
	_, err := d.Clerk.SetRows(d.ctx, key, "appliances", d.Rows["appliances"])
	d.must(err)
	d.must(d.Display.Object(d.ctx, key, "capacity", 3))
	_, err = d.Clerk.Answer(d.ctx, key, "capacity")
	d.must(err)
	_, err = d.Clerk.Invite(d.ctx, key)
	refused(t, err, "order.problems")
	d.must(d.Display.Object(d.ctx, key, "capacity", 1)) // still wrong
	refused(t, d.Display.Accept(d.ctx, key, "capacity"), "order.no_objection")
	_, err = d.Clerk.Answer(d.ctx, key, "capacity")
	d.must(err)
	d.must(d.Display.Accept(d.ctx, key, "capacity"))
	_, err = d.Clerk.Invite(d.ctx, key)
	d.must(err)
}

func TestAnObjectionToTheReadTextVoidsTheWorkOrder(t *testing.T) {
	d := theOffice(t).sit(t)
	d.to("read")
	key, old := d.key(), d.stored().Document
	d.must(d.Display.Object(d.ctx, key, "capacity", 2))
	now := d.stored()
	if now.State != kiosk.Draft || now.Document.ContentSHA256 != "" {
		t.Errorf("the order is %s with content %q", now.State, now.Document.ContentSHA256)
	}
	for name, id := range map[string]string{"content": old.ContentID, "reading text": old.ReadID} {
		err := d.office.Service.Store.View(d.ctx, func(tx kiosk.Tx) error {
			_, err := tx.Document(id)
			return err
		})
		if fault.KindOf(err) != fault.NotFound {
			t.Errorf("the %s of the void work order is still stored: %v", name, err)
		}
	}
	refused(t, d.Display.Agree(d.ctx, key, old.ContentSHA256), "order.step")
}
