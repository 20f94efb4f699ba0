package helpdesk

import (
	"context"
	"io"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/job"
	"countersign/signing/journal"
)

// Team carries out what the members of the support team do. Every act is one transaction: the ticket changes, the journal
// tells of it and mails are queued, or none of it happened. It is safe for use by many goroutines.
type Team struct {
	Store      Store
	Secrets    *Secrets
	Categories *Categories
	Working    Working
	Numbering  Numbering
	Clock      clock.Clock
	Rand       io.Reader
	Switchboard
	// Lint refuses what genuine staff never write; helpdesk/reply has the rules. A team without it can't write mails.
	Lint func(text string) error
	// Compose writes what an outgoing mail will say, for its author to look at; a team without it shows no previews.
	Compose func(o *Outgoing, author *Agent, first bool) Preview
	// Changed hears of a ticket that changed ("" for the desk's registers), after the commit. It may be nil and must not block.
	Changed func(ticket string)
	// Queued hears that mails wait to be built and sent. It may be nil and must not block.
	Queued func()
	// Handbook is the knowledge base; nil is an empty one.
	Handbook *Handbook

	presence presence
}

// Switchboard is the one number from which the team calls (T-S04), and its extensions (T-S05).
type Switchboard struct {
	Number     string
	Extensions []string
}

// facts are what a journal entry tells beside who, what and on which ticket.
type facts map[string]string

func (tm *Team) entry(a Actor, act, subject string, f facts) journal.Entry {
	role := Role("system")
	if len(a.Agent.Roles) > 0 {
		role = a.Agent.Roles[0]
	}
	who := a.Agent.Name
	if who == "" {
		who = "system"
	}
	return journal.Entry{At: tm.Clock.Now(), Actor: who, Role: string(role), Place: a.Place, Act: act, Subject: subject, Facts: f}
}

// tell lets others know after a commit.
func (tm *Team) tell(tickets ...string) {
	if tm.Changed == nil {
		return
	}
	for _, t := range tickets {
		tm.Changed(t)
	}
}

// load returns a ticket that the actor may see; another's does not exist.
func (tm *Team) load(tx Tx, a Actor, key string) (*Ticket, error) {
	t, err := tx.Ticket(key)
	if err == nil && !a.Sees(t) {
		err = fault.New(fault.NotFound, "store.not_found", fault.Args{"what": "tickets"})
	}
	return t, err
}

// keep writes a ticket with the journal entry of the act.
func (tm *Team) keep(tx Tx, a Actor, t *Ticket, act string, f facts) error {
	n, err := tx.Append(tm.entry(a, act, t.Key, f))
	if err != nil {
		return err
	}
	if t.Rev == 0 {
		t.FirstEntry = n
	}
	t.LastEntry = n
	return tx.PutTicket(t)
}

// change loads a ticket, lets fn change it, and stores it with the journal entry. With rev above 0 it refuses when the
// ticket is not as the agent saw it ("ticket.changed"), so that nobody answers what was answered.
func (tm *Team) change(ctx context.Context, a Actor, right Right, key string, rev int64, act string, fn func(tx Tx, t *Ticket) (facts, error)) (*Ticket, error) {
	if err := a.May(right); err != nil {
		return nil, err
	}
	var out *Ticket
	err := tm.Store.Update(ctx, func(tx Tx) error {
		t, err := tm.load(tx, a, key)
		if err != nil {
			return err
		}
		if rev > 0 && t.Rev != rev {
			return fault.New(fault.Conflict, "ticket.changed", fault.Args{"ticket": key})
		}
		f, err := fn(tx, t)
		if err != nil {
			return err
		}
		out = t
		return tm.keep(tx, a, t, act, f)
	})
	if err != nil {
		return nil, err
	}
	tm.tell(key)
	return out, nil
}

// book does an act on the desk's registers with its journal entry.
func (tm *Team) book(ctx context.Context, a Actor, right Right, act, subject string, fn func(tx Tx) (facts, error)) error {
	if err := a.May(right); err != nil {
		return err
	}
	err := tm.Store.Update(ctx, func(tx Tx) error {
		f, err := fn(tx)
		if err != nil {
			return err
		}
		_, err = tx.Append(tm.entry(a, act, subject, f))
		return err
	})
	if err == nil {
		tm.tell("")
	}
	return err
}

// queue writes a mail of ours: its message on the ticket, its record and the job that builds and sends it.
func (tm *Team) queue(tx Tx, t *Ticket, msg *Message, o *Outgoing) error {
	id, err := tm.Secrets.NewMailID()
	if err != nil {
		return err
	}
	o.Key, o.Ticket, o.Message, o.State, o.Created = msg.Key, t.Key, msg.Key, Queued, tm.Clock.Now()
	o.MailID, o.ReplyTo = id, tm.Secrets.ReplyAddress(t.Key)
	msg.To, msg.MailID, msg.Outgoing, msg.Subject, msg.Text, msg.Quoted = []Address{o.To}, id, o.Key, o.Subject, o.Text, len(o.Text)
	if err := tx.PutOutgoing(o); err != nil {
		return err
	}
	if err := tx.PutMessage(msg); err != nil {
		return err
	}
	return tx.Enqueue(job.Job{Key: "desk mail " + o.Key, Kind: MailJob, Order: t.Key, Payload: []byte(o.Key), Created: o.Created})
}

// note adds an internal message.
func note(tx Tx, t *Ticket, kind Kind, author, text string, at time.Time) (*Message, error) {
	msg := t.Next(kind, at)
	msg.Author, msg.Text, msg.Quoted = author, text, len(text)
	if err := tx.PutMessage(msg); err != nil {
		return nil, err
	}
	return msg, tx.PutWords(msg.Key, at, Terms(text))
}

// reason refuses an empty reason.
func reason(text string) error {
	if len(Words(text)) == 0 {
		return fault.New(fault.Invalid, "ticket.reason", nil)
	}
	return nil
}
