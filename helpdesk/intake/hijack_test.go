package intake

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"countersign/helpdesk"
	"countersign/mail"
	"countersign/mail/auth"
)

// TestNobodyJoinsATicketWithoutAReferenceOfItsOwnAndProof tries a ticket of ketoan@mau.example in thirty ways.
func TestNobodyJoinsATicketWithoutAReferenceOfItsOwnAndProof(t *testing.T) {
	w := newWorld(t)
	first := w.come(letter{subject: "[0010#DVC] Không nhận USB token", id: "secret-of-customer@mau.example", level: "aligned", picture: true})[0]
	second := w.come(letter{from: "x@other.example", subject: "[0010#DVC] khác", id: "other@other.example", level: "aligned", picture: true})[0]
	v, _, out := w.ticket(first.Ticket)
	_, _, foreign := w.ticket(second.Ticket)
	ours, reply := out[0].MailID, out[0].ReplyTo
	wrongCode := strings.Replace(reply, reply[strings.Index(reply, ".")+3:strings.Index(reply, "@")], "aaaaaaaaaaaaa", 1)
	owner, stranger := "ketoan@mau.example", "evil@attacker.example"
	aligned, none := string(mail.LevelAligned), string(mail.LevelUnproven)
	tries := []letter{
		// a stranger, proven as a stranger
		{from: stranger, subject: "Re: " + v.Key, level: aligned},
		{from: stranger, subject: "[" + v.Key + "] x", level: aligned},
		{from: stranger, subject: strings.ToLower(v.Key), level: aligned},
		{from: stranger, subject: "x", refs: ours, level: aligned},
		{from: stranger, subject: "x", refs: "secret-of-customer@mau.example", level: aligned},
		{from: stranger, subject: "x", to: reply, level: aligned},
		{from: stranger, subject: v.Key, to: reply, refs: ours, level: aligned},
		{from: stranger, subject: "x", extra: "Cc: " + owner + "\r\n", refs: ours, level: aligned},
		{from: stranger, subject: "x", extra: "Reply-To: " + owner + "\r\n", refs: ours, level: aligned},
		{from: stranger, subject: "x", extra: "Sender: " + owner + "\r\n", refs: ours, level: aligned},
		{from: "ketoan@mau.example.attacker.example", subject: v.Key, refs: ours, level: aligned},
		{from: `"ketoan@mau.example" <evil@attacker.example>`, subject: v.Key, refs: ours, level: aligned},
		{from: "ketoan@mau-example.example", subject: v.Key, refs: ours, level: aligned},
		{from: "x@other.example", subject: v.Key, refs: ours, level: aligned},
		{from: "x@other.example", subject: v.Key, refs: "other@other.example " + ours, level: aligned},
		// the owner's address, without proof
		{from: owner, subject: "Re: " + v.Key, level: none},
		{from: owner, subject: "x", refs: ours, level: none},
		{from: owner, subject: "x", to: reply, level: none},
		{from: owner, subject: v.Key, to: reply, refs: ours, level: none},
		{from: owner, subject: "x", refs: "secret-of-customer@mau.example", level: none},
		{from: owner, subject: "x", refs: ours, level: string(mail.LevelSuspect)},
		{from: owner, subject: "x", refs: ours, level: string(mail.LevelForged)},
		{from: owner + ", " + stranger, subject: "x", refs: ours, level: aligned},
		{from: stranger + ", " + owner, subject: "x", to: reply, level: aligned},
		{from: owner, extra: "From: " + stranger + "\r\n", subject: "x", refs: ours, level: aligned},
		// the owner, proven, without a reference of the ticket's own
		{from: owner, subject: "Re: " + v.Key, level: aligned},
		{from: owner, subject: v.Key, refs: "guessed@kbnn.example", level: aligned},
		{from: owner, subject: v.Key, to: wrongCode, level: aligned},
		{from: owner, subject: v.Key, to: strings.Replace(reply, "000001", "000002", 1), level: aligned},
		{from: owner, subject: v.Key, refs: foreign[0].MailID, level: aligned},
	}
	if len(tries) != 30 {
		t.Fatalf("%d tries", len(tries))
	}
	w.Limits.SenderHour = 0
	for i, try := range tries {
		try.id, try.text = fmt.Sprintf("try%d@x.example", i), fmt.Sprint(goodText, i)
		in := w.come(try)[0]
		if in.Fate == helpdesk.ToMessage || in.Ticket == v.Key && in.Fate != helpdesk.ToAutomatic {
			t.Errorf("try %d joined: %s %s", i, in.Fate, in.Ticket)
		}
	}
	if _, thread, _ := w.ticket(v.Key); len(thread) != 2 {
		t.Errorf("the ticket has %d messages, want its own 2", len(thread))
	}
	// With both it works, so that the tries above show something.
	for _, l := range []letter{{refs: ours}, {to: reply}, {refs: "secret-of-customer@mau.example"}} {
		l.level, l.subject, l.id = aligned, "Re: x", "honest"+l.refs+l.to
		l.text = goodText + l.id
		if in := w.come(l)[0]; in.Ticket != v.Key || in.Fate != helpdesk.ToMessage {
			t.Errorf("an honest answer by %q %q became %s %s", l.refs, l.to, in.Fate, in.Ticket)
		}
	}
}

func bounce(of, status, action string) letter {
	return letter{from: "MAILER-DAEMON@mx.mau.example", subject: "Undelivered", level: "unproven", extra: "Return-Path: <>\r\nAuto-Submitted: auto-replied\r\n" +
		"Content-Type: multipart/report; report-type=delivery-status; boundary=r\r\n\r\n--r\r\nContent-Type: text/plain\r\n\r\nno\r\n" +
		"--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.mau.example\r\n\r\nFinal-Recipient: rfc822; ketoan@mau.example\r\n" +
		"Action: " + action + "\r\nStatus: " + status + "\r\n\r\n--r\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <" + of + ">\r\nSubject: x\r\n\r\n--r--\r\n"}
}

func TestABounceLandsOnItsTicketAndAnyOtherIsOnlySeen(t *testing.T) {
	w := newWorld(t)
	first := w.come(letter{subject: "[0010#DVC] a", id: "a@mau.example", level: "aligned", picture: true})[0]
	_, _, out := w.ticket(first.Ticket)
	for _, step := range []struct {
		of, status, action string
		fate               helpdesk.Fate
		state              helpdesk.OutState
	}{
		{"unknown@kbnn.example", "5.1.1", "failed", helpdesk.ToAutomatic, helpdesk.Queued},
		{"a@mau.example", "5.1.1", "failed", helpdesk.ToAutomatic, helpdesk.Queued}, // a customer's own Message-ID
		{out[0].MailID, "4.4.1", "delayed", helpdesk.ToBounce, helpdesk.Queued},
		{out[0].MailID, "5.1.1", "failed", helpdesk.ToBounce, helpdesk.Bounced},
	} {
		in := w.come(bounce(step.of, step.status, step.action))[0]
		_, _, now := w.ticket(first.Ticket)
		if in.Fate != step.fate || now[0].State != step.state {
			t.Errorf("%s of %s became %s, the mail is %s", step.action, step.of, in.Fate, now[0].State)
		}
	}
	_, thread, _ := w.ticket(first.Ticket)
	last := thread[len(thread)-1]
	if last.Kind != helpdesk.BounceNote || last.Bounce == nil || last.Bounce.Recipients[0].Status != "5.1.1" {
		t.Errorf("the last message is %+v", last)
	}
	if w.mailsOut() != 1 {
		t.Errorf("%d mails leave", w.mailsOut())
	}
}

// asSent writes an automatic mail of ours as a mail server would carry it.
func asSent(o *helpdesk.Outgoing, from string) letter {
	l := letter{from: from, to: o.To.Address, subject: "Đã nhận yêu cầu", id: o.MailID, level: "aligned", text: goodText,
		extra: "Auto-Submitted: auto-replied\r\n"}
	if len(o.Parents) > 0 {
		l.refs = o.Parents[len(o.Parents)-1]
	}
	return l
}

func TestTwoDesksThatAnswerEachOtherStopAfterOneMailEach(t *testing.T) {
	for _, marked := range []bool{true, false} {
		a, b := newWorld(t), newWorld(t)
		b.Reception = reception(t, t.TempDir(), b.clock, "desk@other.example")
		// Somebody lets desk B write to desk A, and from then on they have only each other.
		next := letter{from: "desk@other.example", to: "hotro@kbnn.example", subject: "[0010#DVC] x", id: "begin@other.example", level: "aligned", picture: true}
		sentA, sentB := 0, 0
		for range 10 {
			a.come(next)
			out := fresh(a, sentA)
			if out == nil {
				break
			}
			sentA++
			next = asSent(out, "hotro@kbnn.example")
			if !marked {
				next.extra = "" // a gateway on the way has dropped the mark
			}
			b.come(next)
			if out = fresh(b, sentB); out == nil {
				break
			}
			sentB++
			next = asSent(out, "desk@other.example")
			if !marked {
				next.extra = ""
			}
		}
		if sentA > 1 || sentB > 1 {
			t.Errorf("marked %t: %d and %d automatic mails", marked, sentA, sentB)
		}
	}
}

// fresh returns the automatic mail beyond those that were sent, nil when there is none.
func fresh(w *world, sent int) *helpdesk.Outgoing {
	var found *helpdesk.Outgoing
	w.view(func(tx helpdesk.Tx) error {
		list, err := tx.OutgoingsIn(helpdesk.Queued, 100)
		if len(list) > sent {
			found = list[len(list)-1]
		}
		return err
	})
	return found
}

func TestAMailThatBreaksTheReaderIsSetAsideAndTheOthersGoOn(t *testing.T) {
	w := newWorld(t)
	w.Reader = breaking{w.Reader}
	got := w.come(letter{subject: "[0010#DVC] a", id: "a@mau.example", level: "aligned", picture: true},
		letter{subject: "break the reader", id: "b@mau.example", level: "aligned"},
		letter{subject: "[0010#DVC] c", id: "c@mau.example", level: "aligned", picture: true, text: goodText + "c"})
	if got[0].Fate != helpdesk.ToTicket || got[2].Fate != helpdesk.ToTicket || got[1].Fate != helpdesk.Quarantined || got[1].Reason != "unread.parser" {
		t.Errorf("they became %s, %s (%s), %s", got[0].Fate, got[1].Fate, got[1].Reason, got[2].Fate)
	}
	if err := w.Release(context.Background(), got[1].ID, "minh"); err != nil {
		t.Fatal(err)
	}
	if f := w.fates(); f[helpdesk.ToTicket] != 3 {
		t.Errorf("released they are %v", f)
	}
}

type breaking struct{ Reader }

func (b breaking) Inspect(ctx context.Context, raw []byte, e auth.Envelope, at time.Time) Inspection {
	if strings.Contains(string(raw), "break the reader") {
		panic("broken")
	}
	return b.Reader.Inspect(ctx, raw, e, at)
}

func TestAReferenceToAMailThatNobodyHasProvenJoinsNothing(t *testing.T) {
	w := newWorld(t)
	planted := w.come(letter{subject: "[0010#DVC] a", id: "planted@mau.example", level: "unproven", picture: true})[0]
	in := w.come(letter{subject: "[0010#DVC] a", id: "true@mau.example", refs: "planted@mau.example", level: "aligned", picture: true, text: goodText + "!"})[0]
	if in.Fate != helpdesk.ToTicket || in.Ticket == planted.Ticket {
		t.Errorf("it became %s %s", in.Fate, in.Ticket)
	}
	if v, _, _ := w.ticket(in.Ticket); v.Claims != planted.Ticket {
		t.Errorf("it claims %q", v.Claims)
	}
}
