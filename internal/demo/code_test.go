package demo

import (
	"bytes"
	"context"
	"database/sql"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"countersign/internal/fault"
	"countersign/kiosk"
	"countersign/kiosk/mirror"
)

// otherThan is a code that is not the right one.
func otherThan(code string) string {
	last := byte('0' + (code[5]-'0'+1)%10)
	return code[:5] + string(last)
}

func TestFiveWrongCodesAreTheEndAndAnotherComesAfterFifteenMinutes(t *testing.T) {
	d := theOffice(t).sit(t)
	d.to("show")
	right := d.askCode()
	for i := range 4 {
		err := d.Display.Code(d.ctx, d.key(), otherThan(right))
		refused(t, err, "otp.wrong")
		if v := d.look(); v.Challenge == nil || v.Challenge.Try != i+2 {
			t.Errorf("after %d wrong codes the clerk sees %+v", i+1, v.Challenge)
		}
	}
	refused(t, d.Display.Code(d.ctx, d.key(), "12345"), "otp.form") // costs nothing
	refused(t, d.Display.Code(d.ctx, d.key(), otherThan(right)), "otp.dead")
	refused(t, d.Display.Code(d.ctx, d.key(), right), "otp.dead")
	d.unsigned()
	d.office.clock.Advance(14 * time.Minute)
	refused(t, d.Display.Channel(d.ctx, d.key(), "mail"), "otp.locked")
	d.office.clock.Advance(time.Minute)
	if err := d.confirm(d.ctx); err != nil {
		t.Fatal(err)
	}
	d.done = append(d.done, "confirm")
	d.to("seal")
	d.passed()
	if tries := d.stored().Confirm.Tries; tries != 1 {
		t.Errorf("the confirmation tells of %d tries, want 1 of the second code", tries)
	}
}

func TestACodeRunsOut(t *testing.T) {
	d := theOffice(t).sit(t)
	d.to("show")
	right := d.askCode()
	d.office.clock.Advance(5 * time.Minute)
	refused(t, d.Display.Code(d.ctx, d.key(), right), "otp.expired")
	d.office.clock.Advance(-time.Minute)
	refused(t, d.Display.Code(d.ctx, d.key(), right), "otp.expired")
	d.office.clock.Advance(time.Minute)
	d.unsigned()
	d.must(d.Display.Code(d.ctx, d.key(), d.askCode()))
}

func TestAnotherCodeKillsTheFirstAndComesNotTooSoon(t *testing.T) {
	d := theOffice(t).sit(t)
	d.to("show")
	first := d.askCode()
	refused(t, d.Display.Resend(d.ctx, d.key()), "otp.soon")
	second := d.askCode()
	if first == second {
		t.Skip("one time in a million two codes are the same")
	}
	refused(t, d.Display.Code(d.ctx, d.key(), first), "otp.wrong")
	d.must(d.Display.Code(d.ctx, d.key(), second))
}

func TestACodeIsTakenOnce(t *testing.T) {
	d := theOffice(t).sit(t)
	d.to("show")
	right := d.askCode()
	d.must(d.Display.Code(d.ctx, d.key(), right))
	before := d.stored().Confirm.Evidence
	refused(t, d.Display.Code(d.ctx, d.key(), right), "order.step")
	if after := d.stored().Confirm.Evidence; after != before {
		t.Error("the second answer changed the confirmation")
	}
}

func TestOfFiftyRightAnswersAtOnceExactlyOneSigns(t *testing.T) {
	d := theOffice(t).sit(t)
	d.to("show")
	right := d.askCode()
	var taken atomic.Int32
	var wait sync.WaitGroup
	start := make(chan struct{})
	for range 50 {
		wait.Go(func() {
			<-start
			switch err := d.Display.Code(d.ctx, d.key(), right); {
			case err == nil:
				taken.Add(1)
			case fault.Is(err, "otp.busy"), fault.Is(err, "order.step"), fault.Is(err, "otp.used"):
			default:
				t.Error(err)
			}
		})
	}
	close(start)
	wait.Wait()
	signed := strings.Count(strings.Join(d.acts(), "\n"), "confirm.signed")
	if taken.Load() != 1 || signed != 1 {
		t.Errorf("%d answers were taken and %d signatures made, want one", taken.Load(), signed)
	}
	d.done = append(d.done, "confirm")
	d.to("seal")
	if r := d.passed(); len(r.Signatures) != 4 {
		t.Errorf("the work order has %d signatures", len(r.Signatures))
	}
}

func TestAChangedDocumentVoidsTheCodeThatWasSent(t *testing.T) {
	for _, change := range []struct{ field, typed string }{{"capacity", "8,5"}, {"phone", "0987000123"}, {"notice", "1"}} {
		t.Run(change.field, func(t *testing.T) {
			d := theOffice(t).sit(t)
			d.to("show")
			old := d.askCode()
			_, err := d.Clerk.SetField(d.ctx, d.key(), change.field, d.look().Order.Values[change.field].Text, change.typed)
			refused(t, err, "order.step") // the form must be opened first, and that voids the code
			_, err = d.Clerk.Reopen(d.ctx, d.key())
			d.must(err)
			refused(t, d.Display.Code(d.ctx, d.key(), old), "order.step")
			v := d.look()
			_, err = d.Clerk.SetField(d.ctx, d.key(), change.field, v.Order.Values[change.field].Text, change.typed)
			d.must(err)
			d.Order, err = d.Clerk.Invite(d.ctx, d.key())
			d.must(err)
			d.done = []string{"open", "fill"}
			d.to("show")
			refused(t, d.Display.Code(d.ctx, d.key(), old), "otp.void")
			fresh := d.askCode()
			if old != fresh {
				refused(t, d.Display.Code(d.ctx, d.key(), old), "otp.wrong")
			}
			d.unsigned()
			d.must(d.Display.Code(d.ctx, d.key(), fresh))
		})
	}
}

// rows opens the office's database beside the running service, as a thief of the machine could.
func rows(t *testing.T, o *office) *sql.DB {
	t.Helper()
	dsn := url.URL{Scheme: "file", Path: filepath.Join(o.Dir, "data", "countersign.db"), RawQuery: "_busy_timeout=4000&_txlock=immediate"}
	db, err := sql.Open("sqlite3", dsn.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestOneByteChangedInTheStoreBetweenAnyTwoStepsAndNothingIsSigned(t *testing.T) {
	o := theOffice(t)
	db := rows(t, o)
	// A thief without the vault's key flips a bit of what lies on the disk; an insider with it writes whole new bytes.
	flip := func(d *desk, id string) {
		var body []byte
		if err := db.QueryRowContext(d.ctx, "SELECT body FROM documents WHERE key = ?", id).Scan(&body); err != nil {
			t.Fatal(err)
		}
		body[len(body)/2] ^= 1
		if _, err := db.ExecContext(d.ctx, "UPDATE documents SET body = ? WHERE key = ?", body, id); err != nil {
			t.Fatal(err)
		}
	}
	rewrite := func(d *desk, id string) {
		err := o.Service.Store.Update(d.ctx, func(tx kiosk.Tx) error {
			data, err := tx.Document(id)
			if err != nil {
				return err
			}
			old := []byte("7,5 kW")
			if !bytes.Contains(data, old) {
				old = data[len(data)/2 : len(data)/2+1]
			}
			fresh := bytes.Clone(old)
			fresh[0] ^= 1
			return tx.PutDocument(id, d.key(), "content", bytes.Replace(data, old, fresh, 1))
		})
		d.must(err)
	}
	names := []string{"agree", "read", "show", "ask"}
	for _, how := range []struct {
		name  string
		touch func(*desk, string)
	}{{"bit on the disk", flip}, {"bytes under the right key", rewrite}} {
		for i, after := range names {
			for _, which := range []string{"content", "base"} {
				if which == "base" && i < 2 {
					continue // there is none yet
				}
				t.Run(how.name+" of the "+which+" after "+after, func(t *testing.T) {
					d := o.sit(t)
					code := ""
					if after == "ask" {
						d.to("show")
						code = d.askCode()
					} else {
						d.to(after)
					}
					doc := d.stored().Document
					id := doc.ContentID
					if which == "base" {
						id = doc.BaseID
					}
					how.touch(d, id)
					if _, err := o.Service.Hall.Station(d.ctx, Unit, d.counter); after == "agree" && err == nil {
						t.Error("the customer's screen shows a text that is not the one whose hash it shows")
					}
					err := d.onward(after, code)
					if which == "content" && (after == "show" || after == "ask") {
						// The document to be signed exists already and holds the content that was read.
						if err == nil {
							d.passedAs(doc.ContentSHA256)
						}
						return
					}
					if err == nil {
						t.Error("the order went on to its signature")
					}
					d.unsigned()
				})
			}
		}
	}
}

// onward tries to get the customer's signature from where the order stands.
func (d *desk) onward(after, code string) error {
	steps := map[string][]func(context.Context) error{"agree": {d.read, d.show}, "read": {d.show}}[after]
	for _, step := range steps {
		if err := step(d.ctx); err != nil {
			return err
		}
	}
	if code == "" {
		d.office.clock.Advance(time.Minute)
		return d.confirm(d.ctx)
	}
	return d.Display.Code(d.ctx, d.key(), code)
}

// passedAs wants a file that passes and whose attached order has the digest that was agreed to.
func (d *desk) passedAs(content string) {
	d.t.Helper()
	d.done = append(d.done, "show", "confirm")
	d.Order = d.look()
	if err := d.seal(d.ctx); err != nil {
		d.t.Fatal(err)
	}
	d.passed()
	file, err := d.Clerk.Document(d.ctx, d.key())
	d.must(err)
	if got := attached(d.t, file); got != content {
		d.t.Errorf("the signed file has content %s, agreed was %s", got, content)
	}
}

func TestAnAppIsEnrolledByItsURIAndServesASecondTime(t *testing.T) {
	o := theOffice(t)
	d := o.sit(t)
	d.to("show")
	o.clock.Advance(time.Minute)
	d.must(d.Display.Channel(d.ctx, d.key(), "app"))
	s := d.screen(mirror.Code)
	uri := s.Confirm.Enrol
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "otpauth" || len(uri) > 78 {
		t.Fatalf("the QR code's text is %q", uri)
	}
	secret := u.Query().Get("secret")
	if wire := asJSON(t, d.look()); strings.Contains(wire, secret) {
		t.Error("the clerk's view holds the app's secret")
	}
	code := func() string {
		c, err := totp.GenerateCode(secret, o.clock.Now())
		d.must(err)
		return c
	}
	first := code()
	refused(t, d.Display.Code(d.ctx, d.key(), otherThan(first)), "otp.wrong")
	d.must(d.Display.Code(d.ctx, d.key(), first))
	if m := d.stored().Confirm.Method; m != "otp_app" {
		t.Errorf("the confirmation's method is %s", m)
	}
	d.done = append(d.done, "confirm")
	d.to("seal")
	d.passed()
	d.must(d.Display.Receipt(d.ctx, d.key(), "none"))
	d.must(d.Display.Rate(d.ctx, d.key(), 0))
	d.must(d.Clerk.Release(d.ctx))

	again := o.sitAt(t, d.counter, d.customer)
	again.to("show")
	o.clock.Advance(time.Minute)
	again.must(again.Display.Channel(again.ctx, again.key(), "app"))
	if s := again.screen(mirror.Code); s.Confirm.Enrol != "" || !s.Confirm.HasApp {
		t.Errorf("the second time the screen shows %+v", s.Confirm)
	}
	refused(t, again.Display.Code(again.ctx, again.key(), first), "otp.wrong")
	last := code()
	again.must(again.Display.Code(again.ctx, again.key(), last))
	again.done = append(again.done, "confirm")
	again.to("seal")
	again.passed()

	replay := o.sitAt(t, d.counter, d.customer)
	replay.to("show")
	o.clock.Advance(31 * time.Second)
	replay.must(replay.Display.Channel(replay.ctx, replay.key(), "app"))
	o.clock.Advance(-2 * time.Second)
	refused(t, replay.Display.Code(replay.ctx, replay.key(), last), "otp.replayed")
}
