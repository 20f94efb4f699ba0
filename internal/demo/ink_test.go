package demo

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"countersign/kiosk"
	"countersign/kiosk/mirror"
	"countersign/signing"
	"countersign/signing/ink"
	"countersign/signing/signtest"
)

// hand is somebody's handwriting: the same shape for the same turn, another one for another.
func hand(turn int) ink.Drawing {
	d := signtest.Handwriting()
	for _, stroke := range d.Strokes {
		for i := range stroke {
			stroke[i].Y += (i * turn * 7) % 90
		}
	}
	return d
}

// writes lets the customer choose to write by hand and hand the strokes in.
func (d *desk) writes(strokes ink.Drawing) error {
	d.t.Helper()
	d.must(d.Display.Channel(d.ctx, d.key(), "ink"))
	d.office.clock.Advance(20 * time.Second)
	return d.Display.Write(d.ctx, d.key(), strokes.Canonical())
}

func TestHandwritingIsWitnessedByTheClerkAndSealedAtRankOne(t *testing.T) {
	d := ownOffice(t).sit(t)
	d.to("show")
	s := d.screen(mirror.Channel)
	if i := slices.IndexFunc(s.Confirm.Offers, func(o kiosk.Offer) bool { return o.Method == kiosk.ByInk }); i < 0 || s.Confirm.Offers[i].Why != "" || s.Confirm.Offers[i].Rank != signing.Witnessed {
		t.Fatalf("offered are %+v", s.Confirm.Offers)
	}
	strokes := hand(1)
	d.must(d.writes(strokes))
	if s := d.screen(mirror.Ink); s.Confirm.Rank != "1/4" {
		t.Errorf("the customer's screen says rank %q", s.Confirm.Rank)
	}
	v := d.look()
	if v.Order.State != kiosk.Confirming || v.Pad == nil || len(v.Pad.Preview) == 0 || v.Pad.Strokes != 3 {
		t.Fatalf("before the clerk's word the order is %s, the pad %+v", v.Order.State, v.Pad)
	}
	var err error
	d.Order, err = d.Clerk.Attest(d.ctx, d.key())
	d.must(err)
	if c := d.Order.Order.Confirm; c == nil || c.Method != "ink" || c.Rank() != signing.Witnessed || c.Witness.StaffID != v.Order.Clerk.StaffID || c.StrokesID == "" {
		t.Fatalf("the order was confirmed by %+v", c)
	}
	var kept []byte
	d.must(d.office.Service.Store.View(d.ctx, func(tx kiosk.Tx) error {
		kept, err = tx.Document(d.Order.Order.Confirm.StrokesID)
		return err
	}))
	if !bytes.Equal(kept, strokes.Canonical()) {
		t.Error("the strokes beside the evidence are not those that were written")
	}
	d.done = append(d.done, "confirm")
	d.to("seal")
	r := d.passed()
	if r.Signatures[0].Kind != "witness" {
		t.Errorf("the customer's field is said to be signed by %s", r.Signatures[0].Kind)
	}
	page := d.text()
	for _, must := range []string{"Cách xác nhận", "trong ô chữ ký của khách hàng"} {
		if !strings.Contains(page, must) {
			t.Errorf("the evidence page lacks %q", must)
		}
	}
	if strings.Contains(page, "2/4: ") {
		t.Error("the page claims a rank that nobody had chosen when it was made")
	}
	e, err := d.Clerk.Evidence(d.ctx, d.key())
	d.must(err)
	if e.Signatures[0].Rank != "witness" || !e.Signatures[0].OK {
		t.Errorf("the evidence says %+v", e.Signatures[0])
	}
}

// text is what a stranger's program reads out of the newest file.
func (d *desk) text() string {
	d.t.Helper()
	file, err := d.Clerk.Document(d.ctx, d.key())
	d.must(err)
	path := filepath.Join(d.t.TempDir(), "order.pdf")
	d.must(os.WriteFile(path, file, 0o600))
	out, err := exec.Command("pdftotext", "-layout", path, "-").CombinedOutput()
	if err != nil {
		d.t.Fatalf("pdftotext (Debian's poppler-utils): %v\n%s", err, out)
	}
	return strings.Join(strings.Fields(string(out)), " ")
}

func TestStrokesServeOneOrderOnly(t *testing.T) {
	o := ownOffice(t)
	first := o.sit(t)
	first.to("show")
	strokes := hand(2)
	first.must(first.writes(strokes))
	// The same order may hand the same strokes in again: the clerk asked, the pad still had them.
	var err error
	first.Order, err = first.Clerk.Rewrite(first.ctx, first.key())
	first.must(err)
	o.clock.Advance(20 * time.Second)
	first.must(first.Display.Write(first.ctx, first.key(), strokes.Canonical()))
	_, err = first.Clerk.Attest(first.ctx, first.key())
	first.must(err)
	first.must(first.Clerk.Cancel(first.ctx, first.key()))

	second := o.sit(t)
	second.to("show")
	refused(t, second.writes(strokes), "ink.replayed")
	moved := strokes.Clone()
	for _, stroke := range moved.Strokes {
		for i := range stroke {
			stroke[i].X, stroke[i].At, stroke[i].Force = stroke[i].X+100, stroke[i].At+stroke[i].At/9, 5
		}
	}
	refused(t, second.Display.Write(second.ctx, second.key(), moved.Canonical()), "ink.replayed")
	second.must(second.Display.Write(second.ctx, second.key(), hand(3).Canonical()))
}

func TestNobodyAttestsWhatTheyCannotHaveSeen(t *testing.T) {
	o := ownOffice(t)
	d := o.sit(t)
	d.to("show")
	_, err := d.Clerk.Attest(d.ctx, d.key())
	refused(t, err, "ink.unwritten")
	refused(t, d.Display.Write(d.ctx, d.key(), hand(4).Canonical()), "ink.no_pen")
	d.must(d.Display.Channel(d.ctx, d.key(), "ink"))
	_, err = d.Clerk.Attest(d.ctx, d.key())
	refused(t, err, "ink.unwritten")
	o.clock.Advance(20 * time.Second)
	d.must(d.Display.Write(d.ctx, d.key(), hand(4).Canonical()))
	refused(t, d.Display.Write(d.ctx, d.key(), hand(5).Canonical()), "ink.no_pen")
	// Whoever takes the order up at another counter has seen nothing.
	d.must(d.Clerk.Aside(d.ctx, d.key()))
	other := o.sit(t)
	_, err = other.Clerk.Resume(d.ctx, d.key())
	d.must(err)
	_, err = other.Clerk.Attest(d.ctx, d.key())
	refused(t, err, "ink.elsewhere")
	d.must(other.Clerk.Aside(d.ctx, d.key()))
	_, err = d.Clerk.Resume(d.ctx, d.key())
	d.must(err)
	// Six minutes later the word would be about something else.
	o.clock.Advance(6 * time.Minute)
	_, err = d.Clerk.Attest(d.ctx, d.key())
	refused(t, err, "sign.ink_stale")
	// A code that is asked for meanwhile ends the handwriting.
	from := d.Inbox.Count()
	d.must(d.Display.Channel(d.ctx, d.key(), "mail"))
	_, err = d.Clerk.Attest(d.ctx, d.key())
	refused(t, err, "ink.unwritten")
	code, err := d.Inbox.Code(d.ctx, d.Mail, from)
	d.must(err)
	// And the pen that is taken up again ends the code.
	d.must(d.writes(hand(4)))
	if err := d.Display.Code(d.ctx, d.key(), code); err == nil {
		t.Error("a code that was given up confirms")
	}
}
