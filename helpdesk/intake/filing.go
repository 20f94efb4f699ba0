package intake

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"countersign/helpdesk"
	"countersign/mail"
	"countersign/signing/journal"
)

// filing brings one mail to its fate inside a transaction. What it writes depends on the mail and the records alone, so
// that it may run again.
type filing struct {
	r   *Reception
	tx  helpdesk.Tx
	in  *helpdesk.Intake
	w   *waiting
	now time.Time
	out *outcome
}

// file decides and writes. The order of the questions is the order of trust: what can't be read, what is there already,
// what programs sent, what is forged; then what belongs to a ticket; then new requests, as far as the budgets go.
func (f *filing) file() error {
	if f.w.failed != "" {
		if f.in.Released == "" {
			return f.end(helpdesk.Quarantined, "unread."+f.w.failed)
		}
		// Somebody wants a ticket for it all the same; the original is there to look at.
		f.w.reading = Inspection{Mail: &mail.Message{Kind: mail.KindUnreadable}, Verdict: mail.Verdict{Level: mail.LevelUnproven}}
	}
	m, v := f.w.reading.Mail, f.w.reading.Verdict
	f.take(m, v)
	if m.Kind == mail.KindUnreadable && f.in.Released == "" {
		return f.end(helpdesk.Quarantined, "unread."+m.Unreadable)
	}
	if f.in.Cut && f.in.Released == "" {
		return f.end(helpdesk.Quarantined, "size")
	}
	if f.w.digest.identity != "" {
		first, err := f.tx.Same(f.w.digest.identity, f.in.ID)
		if err != nil {
			return err
		}
		if first != f.in.ID {
			f.in.Of = first
			return f.end(helpdesk.Duplicate, "same")
		}
	}
	if m.Kind == mail.KindBounce {
		return f.bounce(m)
	}
	if own, err := f.ours(m); err != nil {
		return err
	} else if own {
		return f.end(helpdesk.ToAutomatic, "loop")
	}
	if m.Kind == mail.KindFeedbackReport {
		return f.complaint(m)
	}
	if f.in.Trust.Fake() && f.in.Released == "" {
		return f.end(helpdesk.Quarantined, "fake")
	}
	if m.Kind == mail.KindAuthenticityCheck {
		return f.check(m, v)
	}
	place, err := f.join(m, v)
	if err != nil {
		return err
	}
	if m.Automatic() && f.in.Released == "" {
		return f.automatic(m, place)
	}
	if f.in.Released == "" {
		reason, err := spend(f.tx, f.r.Limits.arriving(v.Level.Proven(), f.in.From.Address), f.now)
		if err != nil {
			return err
		}
		if reason != "" {
			return f.end(helpdesk.Held, reason)
		}
	}
	if place.ticket != nil {
		return f.message(m, place.ticket)
	}
	return f.ticket(m, v, place)
}

// take notes on the record what the mail says of itself, with its secrets masked.
func (f *filing) take(m *mail.Message, v mail.Verdict) {
	f.in.From, f.in.Subject, f.in.MailID, f.in.Trust = f.w.digest.from, f.w.digest.subject, m.MessageID, helpdesk.TrustOf(v)
	f.in.Secret = len(f.w.digest.kinds) > 0
}

// end writes the fate.
func (f *filing) end(fate helpdesk.Fate, reason string) error {
	f.in.Fate, f.in.Reason = fate, reason
	return f.tx.PutIntake(f.in)
}

// ours reports whether a mail is one that we sent, or claims to come from our own mailbox.
func (f *filing) ours(m *mail.Message) (bool, error) {
	if m.MessageID != "" {
		place, err := f.tx.MailAt(m.MessageID)
		if err == nil && place.Outgoing != "" {
			return true, nil
		}
		if err != nil && !missingRecord(err) {
			return false, err
		}
	}
	// One that only says so is a fake, which people must see.
	return !f.in.Trust.Fake() && helpdesk.FoldAddress(f.in.From.Address) == helpdesk.FoldAddress(f.r.Secrets.Address), nil
}

// bounce puts a delivery report on the ticket of the mail that it is about. Only our own Message-ID leads there.
func (f *filing) bounce(m *mail.Message) error {
	place, err := f.tx.MailAt(m.OriginalID)
	if missingRecord(err) || err == nil && place.Outgoing == "" {
		return f.end(helpdesk.ToAutomatic, "bounce.unknown")
	}
	if err != nil {
		return err
	}
	out, err := f.tx.Outgoing(place.Outgoing)
	if err != nil {
		return err
	}
	b := &helpdesk.Bounce{Outgoing: out.Key}
	for _, one := range m.Bounces {
		b.Recipients = append(b.Recipients, helpdesk.BounceRecipient{Address: one.Recipient, Status: one.Status, Action: one.Action})
		if one.Failed() && out.State != helpdesk.Bounced {
			out.State, out.Answer = helpdesk.Bounced, strings.TrimSpace(one.Status+" "+one.Diagnostic)
		}
	}
	if out.State == helpdesk.Bounced {
		if err := f.tx.PutOutgoing(out); err != nil {
			return err
		}
	}
	t, err := follow(f.tx, place.Ticket)
	if err != nil {
		return err
	}
	if err := f.add(m, t, helpdesk.BounceNote, b); err != nil {
		return err
	}
	t.Unread++
	return f.store(t, helpdesk.ToBounce, "bounce", "ticket.bounce", facts{"mail": out.Key, "state": string(out.State)})
}

// complaint notes on a ticket that somebody has called a mail of ours unwanted (RFC 5965).
func (f *filing) complaint(m *mail.Message) error {
	if m.Feedback == nil {
		return f.end(helpdesk.ToReport, "complaint")
	}
	place, err := f.tx.MailAt(m.Feedback.MessageID)
	if missingRecord(err) || err == nil && place.Outgoing == "" {
		return f.end(helpdesk.ToReport, "complaint")
	}
	if err != nil {
		return err
	}
	t, err := follow(f.tx, place.Ticket)
	if err != nil {
		return err
	}
	if err := f.add(m, t, helpdesk.SystemNote, nil); err != nil {
		return err
	}
	return f.store(t, helpdesk.ToReport, "complaint", "ticket.complaint", facts{"mail": place.Outgoing})
}

// automatic files what a program sent: on the ticket when it answers one of our mails, else where people can see it. It
// changes no state and is never answered.
func (f *filing) automatic(m *mail.Message, place place) error {
	t := place.ticket
	if t == nil {
		f.in.Ticket = place.claims
		return f.end(helpdesk.ToAutomatic, "automatic")
	}
	if err := f.add(m, t, helpdesk.AutoReply, nil); err != nil {
		return err
	}
	return f.store(t, helpdesk.ToMessage, "auto_reply", "ticket.auto_reply", nil)
}

// message puts a participant's mail on the ticket.
func (f *filing) message(m *mail.Message, t *helpdesk.Ticket) error {
	if err := f.add(m, t, helpdesk.FromCustomer, nil); err != nil {
		return err
	}
	t.Heard(f.r.Working, f.now)
	t.Trust = f.in.Trust
	if t.Contact.Phone == "" {
		t.Contact.Phone = f.w.digest.phone
	}
	if _, err := f.receipt(t, f.secretPoints()); err != nil {
		return err
	}
	return f.store(t, helpdesk.ToMessage, "reply", "ticket.message", f.facts(m))
}

// add writes the mail as the ticket's next message.
func (f *filing) add(m *mail.Message, t *helpdesk.Ticket, kind helpdesk.Kind, b *helpdesk.Bounce) error {
	msg := t.Next(kind, f.now)
	d := &f.w.digest
	msg.From, msg.Subject, msg.Text, msg.Masks = d.from, d.subject, d.text, d.masks
	msg.Quoted, msg.Cut = d.quoted, m.Cut || len(m.Text) > helpdesk.MaxText
	msg.MailID, msg.Intake, msg.Trust, msg.Bounce = m.MessageID, f.in.ID, f.in.Trust, b
	for _, a := range m.To {
		msg.To = append(msg.To, helpdesk.Address{Name: a.Name, Address: a.Addr})
	}
	for _, a := range m.Attachments {
		msg.Files = append(msg.Files, helpdesk.Attachment{Name: a.Name, Type: a.Type, Size: a.Size, SHA256: a.SHA256, Blocked: blocked(a)})
	}
	if err := f.tx.PutMessage(msg); err != nil {
		return err
	}
	f.in.Ticket, f.in.Message = t.Key, msg.Key
	return f.tx.PutWords(msg.Key, f.now, d.terms)
}

// blocked says why a file is never opened here.
func blocked(a mail.Attachment) string {
	for _, trick := range []string{"program", "double_extension", "type_mismatch"} {
		if slices.Contains(a.Tricks, trick) {
			return trick
		}
	}
	return ""
}

type facts map[string]string

func (f *filing) facts(m *mail.Message) facts {
	out := facts{"arrival": strconv.FormatInt(f.in.ID, 10), "trust": string(f.in.Trust.Level), "files": strconv.Itoa(len(m.Attachments))}
	if len(f.w.digest.kinds) > 0 {
		out["masked"] = strings.Join(f.w.digest.kinds, " ")
	}
	return out
}

// store writes the ticket, the journal and the fate, and tells after the commit.
func (f *filing) store(t *helpdesk.Ticket, fate helpdesk.Fate, reason, act string, what facts) error {
	n, err := f.tx.Append(journal.Entry{At: f.now, Actor: "system", Role: "system", Place: "intake", Act: act, Subject: t.Key, Facts: what})
	if err != nil {
		return err
	}
	if t.Rev == 0 {
		t.FirstEntry = n
	}
	t.LastEntry = n
	if err := f.tx.PutTicket(t); err != nil {
		return err
	}
	f.out.changed = append(f.out.changed, t.Key)
	return f.end(fate, reason)
}

// follow returns a ticket, or the one into which it was merged.
func follow(tx helpdesk.Tx, key string) (*helpdesk.Ticket, error) {
	for range 20 {
		t, err := tx.Ticket(key)
		if err != nil || t.State != helpdesk.Merged {
			return t, err
		}
		key = t.MergedInto
	}
	return nil, errors.New("tickets are merged in a circle")
}
