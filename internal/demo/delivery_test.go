package demo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"countersign/internal/backoffice"
	"countersign/internal/fault"
	"countersign/kiosk"
	"countersign/kiosk/mirror"
)

func (d *desk) outbox(kind string) []kiosk.OutboxRow {
	d.t.Helper()
	_, rows, err := d.Clerk.Links(d.ctx)
	d.must(err)
	return slices.DeleteFunc(rows, func(r kiosk.OutboxRow) bool { return r.Kind != kind })
}

func (d *desk) link(name string) kiosk.Link {
	d.t.Helper()
	links, _, err := d.Clerk.Links(d.ctx)
	d.must(err)
	i := slices.IndexFunc(links, func(l kiosk.Link) bool { return l.Name == name })
	if i < 0 {
		d.t.Fatalf("there is no link %s", name)
	}
	return links[i]
}

func TestOrdersWaitInSightWhileTheBackOfficeIsDownAndLeaveOnceEach(t *testing.T) {
	o := ownOffice(t)
	o.BackOffice.Down(true)
	desks := []*desk{o.sit(t), o.sit(t), o.sit(t)}
	for _, d := range desks {
		d.to("seal")
		d.await("a first try", func(x kiosk.Order) bool { return x.HandOver.Tries > 0 })
		d.done = append(d.done, "handOver")
		d.to("receive") // the customer goes home with the receipt
	}
	d := desks[0]
	if rows := d.outbox(kiosk.JobHandOver); len(rows) != 3 || rows[0].Err == "" || rows[0].Tries != 1 || !rows[0].Next.After(o.clock.Now()) {
		t.Errorf("the outbox has %+v", rows)
	}
	if l := d.link(kiosk.JobHandOver); l.State != "down" || l.Waiting != 3 || !l.StandIn {
		t.Errorf("the link is %+v", l)
	}
	home, err := d.Clerk.Home(d.ctx)
	d.must(err)
	if i := slices.IndexFunc(home.Tasks, func(x kiosk.Task) bool { return x.Kind == "outbox" && x.Count == 3 }); i < 0 {
		t.Errorf("three hand-overs wait and the home screen's tasks are %+v", home.Tasks)
	} else if task := home.Tasks[i]; task.System != "CMIS" || task.Next.IsZero() || task.Since.IsZero() {
		t.Errorf("the task is %+v", task)
	}
	o.BackOffice.Down(false)
	d.must(d.Clerk.RetryOutbox(d.ctx, d.outbox(kiosk.JobHandOver)[0].ID))
	d.await("the acknowledgement", func(x kiosk.Order) bool { return x.HandOver.State == "done" })
	o.clock.Advance(time.Minute)
	o.sit(t).to("handOver") // any new work wakes what is due
	for _, d := range desks {
		v := d.await("the acknowledgement", func(x kiosk.Order) bool { return x.HandOver.State == "done" })
		got, ok := o.BackOffice.Received()[v.Order.Number]
		if !ok || got.Ack != v.Order.HandOver.Ack || got.SHA256 != v.Order.Document.FinalSHA256 {
			t.Errorf("order %s has ack %q, the back office %+v", v.Order.Number, v.Order.HandOver.Ack, got.Ack)
		}
		if n := strings.Count(strings.Join(d.acts(), "\n"), kiosk.JobHandOver+".done"); n != 1 {
			t.Errorf("the journal tells of %d hand-overs", n)
		}
	}
	if n := len(o.BackOffice.Received()); n != 4 {
		t.Errorf("the back office has %d orders, want 4", n)
	}
	if rows := d.outbox(kiosk.JobHandOver); len(rows) != 0 {
		t.Errorf("the outbox still has %+v", rows)
	}
}

func TestARefusedHandOverStaysInSightUntilItIsSettled(t *testing.T) {
	d := theOffice(t).sit(t)
	d.to("confirm")
	// Somebody has handed over another file under this number: the back office will refuse ours.
	other := backoffice.Delivery{Number: d.look().Order.Number, Data: []byte("{}"), File: []byte("%PDF-1.7 another")}
	if _, err := d.office.Service.Options.BackOffice.HandOver(d.ctx, other); err != nil {
		t.Fatal(err)
	}
	d.to("seal")
	v := d.await("the refusal", func(x kiosk.Order) bool { return x.HandOver.Tries > 0 })
	if h := v.Order.HandOver; h.State != "refused" || h.LastErr != "service.refused" || h.Ack != "" {
		t.Errorf("the hand-over is %+v", h)
	}
	told(t, fault.New(fault.Invalid, v.Order.HandOver.LastErr, nil))
	rows := slices.DeleteFunc(d.outbox(kiosk.JobHandOver), func(r kiosk.OutboxRow) bool { return r.Order != d.key() })
	if len(rows) != 1 || !rows[0].Dead {
		t.Fatalf("the outbox has %+v", rows)
	}
	d.must(d.Clerk.RetryOutbox(d.ctx, rows[0].ID))
	d.await("the second refusal", func(x kiosk.Order) bool { return x.HandOver.Tries == 2 })
	d.passed()
}

func TestAMailThatCannotBeDeliveredIsSeenCorrectedAndDelivered(t *testing.T) {
	for _, again := range []string{"by the clerk's correction", "by the clerk's correction after the rating"} {
		t.Run(again, func(t *testing.T) {
			o := theOffice(t)
			d := o.sit(t)
			d.to("handOver")
			bounce := fmt.Sprintf("bounce%s@mau.example", d.counter)
			_, err := d.Clerk.FixMail(d.ctx, d.key(), bounce)
			d.must(err)
			before := o.Inbox.Count()
			if o.mailsTo(d.Mail) != 1 { // the code
				t.Errorf("%d mails came to the customer before the choice", o.mailsTo(d.Mail))
			}
			d.must(d.Display.Receipt(d.ctx, d.key(), "mail"))
			if strings.HasSuffix(again, "rating") {
				d.must(d.Display.Rate(d.ctx, d.key(), 4))
			}
			v := d.await("the bounce", func(x kiosk.Order) bool { return x.Receipt.Mail.State == "failed" })
			if note := v.Order.Receipt.Mail.Note; !strings.Contains(note, "550") || strings.Contains(note, "@") {
				t.Errorf("the clerk is told %q", note)
			}
			if o.Inbox.Count() != before {
				t.Error("a mail came though it was refused")
			}
			if !strings.HasSuffix(again, "rating") {
				if s := d.screen(mirror.Receipt); s.Delivery == nil || s.Delivery.MailState != "failed" || s.Delivery.MailNote == "" {
					t.Errorf("the customer sees %+v", s.Delivery)
				}
			}
			_, err = d.Clerk.FixMail(d.ctx, d.key(), "khong phai thu")
			if err == nil {
				t.Error("an address without @ was taken")
			} else {
				told(t, err)
			}
			_, err = d.Clerk.FixMail(d.ctx, d.key(), d.Mail)
			d.must(err)
			if _, err := o.Inbox.Receipt(d.ctx, d.Mail, v.Order.Number); err != nil {
				t.Fatal(err)
			}
			d.await("the delivery", func(x kiosk.Order) bool { return x.Receipt.Mail.State == "done" })
			if got := d.stored().Values["email"].Text; got != d.Mail {
				t.Errorf("the signed order's address became %q", got)
			}
		})
	}
}

// mailsTo counts the mails that came to an address.
func (o *office) mailsTo(to string) int {
	o.Inbox.mu.Lock()
	defer o.Inbox.mu.Unlock()
	return len(o.Inbox.boxes[to])
}

func TestAMailThatWaitsGoesToTheAddressThatWasCorrectedMeanwhile(t *testing.T) {
	o := ownOffice(t)
	d := o.sit(t)
	d.to("handOver")
	server := o.Service.Options.Mail
	addr := server.Addr
	server.Addr = "127.0.0.1:1" // nobody listens there
	d.must(d.Display.Receipt(d.ctx, d.key(), "mail"))
	d.await("a first try", func(kiosk.Order) bool {
		rows := d.outbox(kiosk.JobMail)
		return len(rows) == 1 && rows[0].Tries == 1 && rows[0].Err != ""
	})
	_, err := d.Clerk.FixMail(d.ctx, d.key(), "dung@mau.example")
	d.must(err)
	server.Addr = addr
	d.must(d.Clerk.RetryOutbox(d.ctx, d.outbox(kiosk.JobMail)[0].ID))
	if _, err := o.Inbox.Receipt(d.ctx, "dung@mau.example", d.Order.Order.Number); err != nil {
		t.Fatal(err)
	}
	if n := o.mailsTo(d.Mail); n != 1 {
		t.Errorf("%d mails came to the old address, want the code alone", n)
	}
}

func TestTheCustomerChoosesAnotherMediumWhenOneFails(t *testing.T) {
	o := ownOffice(t)
	d := o.sit(t)
	d.to("handOver")
	// The printer's folder is gone.
	if err := os.Rename(filepath.Join(o.Dir, "print"), filepath.Join(o.Dir, "gone")); err != nil {
		t.Fatal(err)
	}
	d.must(d.Display.Receipt(d.ctx, d.key(), "print"))
	d.await("the printer's error", func(x kiosk.Order) bool { return x.Receipt.Print.State == "failed" })
	if s := d.screen(mirror.Receipt); s.Delivery.Print != "failed" || s.Delivery.PrintNote == "" {
		t.Errorf("the customer sees %+v", s.Delivery)
	}
	d.must(d.Display.Receipt(d.ctx, d.key(), "both")) // and once more on paper
	if _, err := o.Inbox.Receipt(d.ctx, d.Mail, d.Order.Order.Number); err != nil {
		t.Fatal(err)
	}
	d.await("the second printer's error", func(x kiosk.Order) bool {
		return x.Receipt.Print.State == "failed" && x.Receipt.Mail.State == "done"
	})
	if err := os.Rename(filepath.Join(o.Dir, "gone"), filepath.Join(o.Dir, "print")); err != nil {
		t.Fatal(err)
	}
	_, err := d.Clerk.Reprint(d.ctx, d.key())
	d.must(err)
	d.await("the paper", func(x kiosk.Order) bool { return x.Receipt.Print.State == "done" })
	data, err := os.ReadFile(filepath.Join(o.Dir, "print", "receipt-"+d.Order.Order.Number+".pdf"))
	d.must(err)
	if !strings.HasPrefix(string(data), "%PDF-") {
		t.Error("what was printed is no PDF")
	}
}

func TestNothingLeavesBeforeTheCustomerChoosesAndNothingTwice(t *testing.T) {
	o := theOffice(t)
	d := o.sit(t)
	d.to("handOver")
	v := d.look()
	if r := v.Order.Receipt; r.Medium != "" || r.Mail.State != "" || r.Print.State != "" {
		t.Errorf("before the choice the receipt is %+v", r)
	}
	for _, kind := range []string{kiosk.JobMail, kiosk.JobPrint} {
		if rows := d.outbox(kind); slices.ContainsFunc(rows, func(r kiosk.OutboxRow) bool { return r.Order == d.key() }) {
			t.Errorf("before the choice the outbox has %+v", rows)
		}
	}
	refused(t, d.Display.Rate(d.ctx, d.key(), 5), "order.medium")
	d.must(d.Display.Receipt(d.ctx, d.key(), "mail"))
	if _, err := o.Inbox.Receipt(d.ctx, d.Mail, v.Order.Number); err != nil {
		t.Fatal(err)
	}
	d.await("the delivery", func(x kiosk.Order) bool { return x.Receipt.Mail.State == "done" })
	// A second press of the same key sends nothing and takes nothing back.
	if err := d.Display.Receipt(d.ctx, d.key(), "mail"); err != nil && !fault.Is(err, "order.receipt_chosen") {
		t.Error(err)
	}
	if got := d.stored().Receipt.Mail.State; got != "done" {
		t.Errorf("after a second press the mail is %q", got)
	}
	refused(t, d.Display.Receipt(d.ctx, d.key(), "print"), "order.receipt_chosen")
	if n := o.mailsTo(d.Mail); n != 2 {
		t.Errorf("%d mails came to the customer, want the code and the receipt", n)
	}
}

func TestACustomerMayWantNoReceipt(t *testing.T) {
	o := theOffice(t)
	d := o.sit(t)
	d.to("handOver")
	d.must(d.Display.Receipt(d.ctx, d.key(), "none"))
	d.must(d.Display.Rate(d.ctx, d.key(), 0))
	if got := d.stored(); got.State != kiosk.Closed || got.Receipt.Mail.State != "" || got.Receipt.Print.State != "" || got.Rating != 0 {
		t.Errorf("the order is %s, receipt %+v, rating %d", got.State, got.Receipt, got.Rating)
	}
	if n := o.mailsTo(d.Mail); n != 1 {
		t.Errorf("%d mails came to the customer, want the code alone", n)
	}
}

func TestNoClerkEverSeesTheRating(t *testing.T) {
	o := theOffice(t)
	d := o.sit(t)
	d.to("handOver")
	d.must(d.Display.Receipt(d.ctx, d.key(), "none"))
	d.must(d.Display.Rate(d.ctx, d.key(), 3))
	refused(t, d.Display.Rate(d.ctx, d.key(), 5), "order.step")
	if got := d.stored().Rating; got != 3 {
		t.Fatalf("the stored rating is %d", got)
	}
	var wire []string
	for _, path := range []string{"/v1/home", "/v1/orders", "/v1/orders/" + d.key(), "/v1/orders/" + d.key() + "/evidence", "/v1/links", "/v1/customers?q=" + d.customer.ID} {
		status, body := o.raw(t, d.token, http.MethodGet, path, "")
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, status, body)
		}
		wire = append(wire, body)
	}
	wire = append(wire, asJSON(t, (<-d.Clerk.Events(d.ctx)).Event))
	if _, err := d.Clerk.Resume(d.ctx, d.key()); err != nil {
		t.Fatal(err)
	}
	for _, body := range wire {
		var v any
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			t.Fatal(err)
		}
		if found := ratings(v); len(found) > 0 {
			t.Errorf("a clerk can read the rating %v", found)
		}
	}
}

// ratings are the values of every member called rating that are not 0.
func ratings(v any) (found []any) {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			if name == "rating" && x != float64(0) {
				found = append(found, x)
			}
			found = append(found, ratings(x)...)
		}
	case []any:
		for _, x := range v {
			found = append(found, ratings(x)...)
		}
	}
	return found
}
