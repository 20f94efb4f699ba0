package intake

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"countersign/helpdesk"
	"countersign/mail"
	"countersign/mail/auth"
	"countersign/services"
)

func points(o *helpdesk.Outgoing) string {
	var out []string
	for _, p := range o.Points {
		out = append(out, strings.TrimSpace(p.Name+" "+p.Args["what"]+p.Args["kind"]+p.Args["problem"]))
	}
	return strings.Join(out, ", ")
}

func TestAGoodMailBecomesATicketWithANumberATermAndOneReceipt(t *testing.T) {
	w := newWorld(t)
	in := w.come(letter{subject: "[0010#DVC] Không nhận USB token", id: "a@mau.example", level: "aligned", picture: true})[0]
	if in.Fate != helpdesk.ToTicket || in.Ticket != "SD261121-000001" {
		t.Fatalf("the mail became %s %s (%s)", in.Fate, in.Ticket, in.Reason)
	}
	v, thread, out := w.ticket(in.Ticket)
	if v.State != helpdesk.New || v.Route.Province != "0010" || v.Category != "CKS" || v.Rank != helpdesk.RankSubject ||
		v.Contact.Phone != "0900000031" || !v.Proven || !v.Has("KETOAN@mau.example") || len(v.Lacks) != 0 {
		t.Errorf("the ticket is %+v", v)
	}
	// Four working hours from Saturday morning end on Monday: 7:30 to 11:30.
	if want := time.Date(2026, 11, 23, 11, 30, 0, 0, morning.Location()); !v.Due.Equal(want) {
		t.Errorf("it is due at %s, want %s", v.Due, want)
	}
	if len(thread) != 2 || thread[0].Kind != helpdesk.FromCustomer || thread[1].Kind != helpdesk.Automatic ||
		len(thread[0].Files) != 1 || thread[0].Files[0].Name != "man-hinh-loi.png" {
		t.Errorf("the thread has %d messages", len(thread))
	}
	if len(out) != 1 || points(out[0]) != "ticket" || out[0].To.Address != "ketoan@mau.example" || out[0].To.Name != "" ||
		!slices.Equal(out[0].Parents, []string{"a@mau.example"}) {
		t.Errorf("what leaves is %+v", out)
	}
	if key, ok := w.Secrets.ReplyTicket(out[0].ReplyTo); !ok || key != v.Key {
		t.Errorf("the reply address %s leads to %q", out[0].ReplyTo, key)
	}
}

func TestWhatAMailLacksIsAskedForOnce(t *testing.T) {
	w := newWorld(t)
	in := w.come(letter{subject: "Lỗi token", id: "a@mau.example", level: "aligned", text: "Không ký được token."})[0]
	v, _, out := w.ticket(in.Ticket)
	if v.State != helpdesk.Missing || !v.Due.IsZero() || v.Rank != helpdesk.RankMail || len(out) != 1 ||
		points(out[0]) != "ticket, subject missing, missing description, missing screenshot, missing contact, article" {
		t.Fatalf("the ticket is %s, due %s; the mail tells %s", v.State, v.Due, points(out[0]))
	}
	w.clock.Advance(2 * time.Hour)
	in = w.come(letter{subject: "Re: Lỗi token", id: "b@mau.example", level: "aligned", refs: out[0].MailID, picture: true})[0]
	if in.Fate != helpdesk.ToMessage || in.Ticket != v.Key {
		t.Fatalf("the answer became %s %s", in.Fate, in.Ticket)
	}
	v, thread, out := w.ticket(v.Key)
	if v.State != helpdesk.New || v.Due.IsZero() || v.Unread != 2 || len(thread) != 3 || len(out) != 1 || v.Contact.Phone == "" {
		t.Errorf("after the answer the ticket is %s, due %s, %d messages, %d mails", v.State, v.Due, len(thread), len(out))
	}
	// The next wrong subject is not corrected again.
	w.clock.Advance(25 * time.Hour)
	in = w.come(letter{subject: "Lỗi khác", id: "c@mau.example", level: "aligned", picture: true})[0]
	if _, _, out := w.ticket(in.Ticket); len(out) != 1 || points(out[0]) != "ticket" {
		t.Errorf("the second mail tells %s", points(out[0]))
	}
}

func TestASecretIsNotStoredInClearWordsAndTheSenderIsWarned(t *testing.T) {
	w := newWorld(t)
	in := w.come(letter{subject: "[0010#DVC] mã PIN 778899", id: "a@mau.example", level: "aligned", picture: true,
		text: goodText + "\nMã PIN của em là 778899, UltraViewer 123 456 789 mật khẩu Abc@1234."})[0]
	_, thread, out := w.ticket(in.Ticket)
	all := fmt.Sprintf("%+v %+v %+v", thread[0], in, out[0])
	for _, secret := range []string{"778899", "123 456 789", "Abc@1234"} {
		if strings.Contains(all, secret) {
			t.Errorf("%s is in the records", secret)
		}
	}
	if !in.Secret || !strings.Contains(points(out[0]), "secret pin, secret remote, secret password") {
		t.Errorf("the receipt tells %s", points(out[0]))
	}
	w.view(func(tx helpdesk.Tx) error {
		return tx.FindWords([]string{"778899"}, func(string) (bool, error) {
			t.Error("the secret is found by a search")
			return true, nil
		})
	})
}

func TestNothingThatTheSenderWroteStandsInAnAutomaticMail(t *testing.T) {
	w := newWorld(t)
	in := w.come(letter{from: "BUY NOW http://evil.example <x@mau.example>", subject: "evil subject", id: "a@mau.example", level: "aligned", text: "evil body"})[0]
	_, _, out := w.ticket(in.Ticket)
	if all := fmt.Sprintf("%+v", *out[0]); strings.Contains(all, "evil") || strings.Contains(all, "BUY") {
		t.Errorf("what leaves is %s", all)
	}
}

func TestRepliesJoinAlsoInOneBatchAndBeforeTheirParents(t *testing.T) {
	w := newWorld(t)
	ask := letter{subject: "[0010#DVC] a", id: "a@mau.example", level: "aligned", picture: true}
	again := letter{subject: "Re: [0010#DVC] a", id: "b@mau.example", refs: "a@mau.example", level: "aligned"}
	third := letter{subject: "Re: [0010#DVC] a", id: "c@mau.example", refs: "b@mau.example", level: "aligned"}
	got := w.come(ask, again, third)
	if got[1].Ticket != got[0].Ticket || got[2].Ticket != got[0].Ticket || got[2].Fate != helpdesk.ToMessage {
		t.Errorf("in one batch they became %s, %s, %s", got[0].Ticket, got[1].Ticket, got[2].Ticket)
	}
	early := letter{subject: "Re: b", id: "e@mau.example", refs: "d@mau.example", level: "aligned"}
	late := letter{subject: "[0010#DVC] b", id: "d@mau.example", level: "aligned", picture: true}
	got = w.come(early, late)
	if got[1].Fate != helpdesk.ToMessage || got[1].Ticket != got[0].Ticket {
		t.Errorf("a parent that came late became %s %s", got[1].Fate, got[1].Ticket)
	}
	stranger := late
	stranger.from, stranger.id = "x@other.example", "f@other.example"
	w.come(letter{subject: "Re: c", id: "g@mau.example", refs: "f@other.example", level: "aligned"})
	if got := w.come(stranger)[0]; got.Fate != helpdesk.ToTicket {
		t.Errorf("a stranger's mail that was awaited became %s", got.Fate)
	}
}

func TestAClosedTicketOpensAgainForAWhileAndAMergedOneLeadsOn(t *testing.T) {
	w := newWorld(t)
	first := w.come(letter{subject: "[0010#DVC] a", id: "a@mau.example", level: "aligned", picture: true})[0]
	w.view(func(tx helpdesk.Tx) error {
		v, err := tx.Ticket(first.Ticket)
		if err != nil {
			return err
		}
		if err := v.Close(w.Working, w.clock.Now()); err != nil {
			return err
		}
		return tx.PutTicket(v)
	})
	w.clock.Advance(24 * time.Hour)
	if got := w.come(letter{subject: "Re: a", id: "b@mau.example", refs: "a@mau.example", level: "aligned"})[0]; got.Ticket != first.Ticket {
		t.Errorf("the answer became %s %s", got.Fate, got.Ticket)
	}
	if v, _, _ := w.ticket(first.Ticket); v.State != helpdesk.New || v.Due.IsZero() {
		t.Errorf("the ticket is %s", v.State)
	}
	w.view(func(tx helpdesk.Tx) error {
		v, err := tx.Ticket(first.Ticket)
		if err != nil {
			return err
		}
		if err := v.Close(w.Working, w.clock.Now()); err != nil {
			return err
		}
		return tx.PutTicket(v)
	})
	w.clock.Advance(15 * 24 * time.Hour)
	got := w.come(letter{subject: "Re: a", id: "c@mau.example", refs: "a@mau.example", level: "aligned"})[0]
	if got.Fate != helpdesk.ToTicket || got.Ticket == first.Ticket {
		t.Errorf("two weeks later the answer became %s %s", got.Fate, got.Ticket)
	}
	if v, _, _ := w.ticket(got.Ticket); v.Claims != first.Ticket {
		t.Errorf("the new ticket claims %q", v.Claims)
	}
}

func TestTheSameMailByTwoWaysIsOneTicket(t *testing.T) {
	w := newWorld(t)
	l := letter{subject: "[0010#DVC] a", id: "a@mau.example", level: "aligned", picture: true}
	other := l
	other.extra = "Delivered-To: second@kbnn.example\r\n"
	got := w.come(l, other)
	if got[0].Fate != helpdesk.ToTicket || got[1].Fate != helpdesk.Duplicate || got[1].Of != got[0].ID {
		t.Errorf("they became %s and %s of %d", got[0].Fate, got[1].Fate, got[1].Of)
	}
	// Somebody who only knows the Message-ID can't keep the mail out.
	squat := w.come(letter{from: "x@evil.example", subject: "x", id: "b@mau.example"}, letter{subject: "[0010#DVC] b", id: "b@mau.example", level: "aligned"})
	if squat[1].Fate != helpdesk.ToTicket {
		t.Errorf("the honest mail became %s", squat[1].Fate)
	}
}

func TestForgedMailsCauseNoMailAndNoNumber(t *testing.T) {
	w := newWorld(t)
	n := 1000
	if os.Getenv("TEST_FAULTS") != "" {
		n = 10_000
	}
	levels := []mail.Level{mail.LevelForged, mail.LevelSuspect, mail.LevelUnproven}
	for i := 0; i < n; {
		var list []letter
		for ; i < n && len(list) < 200; i++ {
			list = append(list, letter{from: fmt.Sprintf("victim%d@victims.example", i%1000), subject: "[0010#DVC] gửi lại",
				id: fmt.Sprintf("%d@forged.example", i), level: string(levels[i%3])})
		}
		w.come(list...)
	}
	if out := w.mailsOut(); out != 0 {
		t.Errorf("%d mails would leave", out)
	}
	fates := w.fates()
	// Those that nothing speaks against are let in up to the hour's budget; the others get no number.
	if sum := fates[helpdesk.Quarantined] + fates[helpdesk.Held] + fates[helpdesk.ToTicket]; sum != n || fates[helpdesk.ToTicket] > DefaultLimits.UnprovenHour {
		t.Errorf("%d mails became %v", n, fates)
	}
	honest := w.come(letter{subject: "[0010#DVC] thật", id: "honest@mau.example", level: "aligned", picture: true})[0]
	if honest.Fate != helpdesk.ToTicket || w.mailsOut() != 1 {
		t.Errorf("after the flood an honest mail became %s", honest.Fate)
	}
}

func TestOneSenderGetsOneReceiptAnHourAndAFloodIsHeld(t *testing.T) {
	w := newWorld(t)
	var list []letter
	for i := range 200 {
		list = append(list, letter{subject: "[0010#DVC] lặp", id: fmt.Sprintf("%d@mau.example", i), level: "aligned", picture: true})
	}
	w.come(list...)
	if n := w.mailsOut(); n != 1 {
		t.Errorf("%d mails leave", n)
	}
	if f := w.fates(); f[helpdesk.ToTicket] != DefaultLimits.SenderHour || f[helpdesk.Held] != 200-DefaultLimits.SenderHour {
		t.Errorf("they became %v", f)
	}
	w.view(func(tx helpdesk.Tx) error {
		_, last, err := tx.LastSerial("ticket")
		if last != int64(DefaultLimits.SenderHour) {
			t.Errorf("%d numbers were drawn", last)
		}
		return err
	})
	w.clock.Advance(time.Hour)
	if n, err := w.ReleaseHeld(context.Background(), 10); n != 10 || err != nil {
		t.Errorf("an hour later %d were let in, %v", n, err)
	}
	if f := w.fates(); f[helpdesk.ToTicket] != DefaultLimits.SenderHour+10 {
		t.Errorf("then they are %v", f)
	}
}

func TestProgramsAreNotAnswered(t *testing.T) {
	for name, extra := range map[string]string{
		"an absence note": "Auto-Submitted: auto-replied\r\n", "a list": "List-Id: <a.example>\r\nPrecedence: list\r\n",
		"bulk": "Precedence: bulk\r\n", "a null sender": "Return-Path: <>\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			in := w.come(letter{subject: "[0010#DVC] a", id: "a@mau.example", level: "aligned", extra: extra})[0]
			if in.Fate != helpdesk.ToAutomatic || w.mailsOut() != 0 {
				t.Errorf("it became %s, %d mails leave", in.Fate, w.mailsOut())
			}
			if err := w.Release(context.Background(), in.ID, "minh"); err != nil {
				t.Fatal(err)
			}
			if f := w.fates(); f[helpdesk.ToTicket] != 1 || w.mailsOut() != 0 {
				t.Errorf("released it became %v, %d mails leave", f, w.mailsOut())
			}
		})
	}
}

// inspector is the reader of the real program, for a border of that name.
func inspector(t *testing.T) *Inspector {
	t.Helper()
	offices, err := LoadOffices(services.Files)
	if err != nil {
		t.Fatal(err)
	}
	house, err := LoadHouse(services.Helpdesk)
	if err != nil {
		t.Fatal(err)
	}
	return &Inspector{Offices: offices, Queues: house.Queues,
		Auth: auth.Policy{AuthServID: "mx.kbnn.example", Hops: 1, Own: []string{"kbnn.example"}, Names: house.Names}}
}

func TestTheRealReaderFilesWhatTheBorderHasProven(t *testing.T) {
	w := newWorld(t)
	w.Reader = inspector(t)
	const proven = "Authentication-Results: mx.kbnn.example; dkim=pass header.d=mau.example; dmarc=pass header.from=mau.example\r\n"
	for _, c := range []struct {
		name, extra, from, subject string
		fate                       helpdesk.Fate
		province                   string
		mails                      int
	}{
		{"proven", proven, "", "Re: ［0012＃dvc］ Không ký được", helpdesk.ToTicket, "0010", 1},
		{"another server's word", strings.Replace(proven, "mx.kbnn", "mx.evil", 1), "", "[0010#DVC] x", helpdesk.ToTicket, "0010", 0},
		{"our own name", "", "Hỗ trợ <hotro@kbnn.example>", "[0010#DVC] x", helpdesk.ToAutomatic, "", 0},
		{"our own staff", "", "Minh <minh@kbnn.example>", "[0010#DVC] x", helpdesk.Quarantined, "", 0},
		{"a question", proven, "", "XACMINH SD261121-000001", helpdesk.ToCheck, "", 0},
	} {
		before := w.mailsOut()
		l := letter{from: c.from, subject: c.subject, id: c.name + "@mau.example", extra: c.extra, picture: true}
		raw := "Received: from x by mx.kbnn.example; Sat, 21 Nov 2026 09:00:00 +0700\r\n" + string(l.raw())
		w.uid++
		in := w.bring([]helpdesk.Arrival{{Mailbox: "hotro", UIDValidity: 1, UID: w.uid, Raw: []byte(strings.Replace(raw, "Received", c.extra+"Received", 1))}})[0]
		if in.Fate != c.fate || w.mailsOut()-before != c.mails {
			t.Errorf("%s: %s (%s, %s), %d mails, want %s and %d", c.name, in.Fate, in.Reason, in.Trust.Level, w.mailsOut()-before, c.fate, c.mails)
		}
		if c.province != "" {
			if v, _, _ := w.ticket(in.Ticket); v.Route.Province != c.province {
				t.Errorf("%s: the province is %q (%s)", c.name, v.Route.Province, v.Route.Problem)
			}
		}
	}
}
