package helpdesk

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"countersign/internal/fault"
)

// The methods in this file are the only ones that change a ticket's state.

// maxAutomatic is how many automatic mails one ticket ever gets, so that no loop lasts (reliability T6).
const maxAutomatic = 10

// begin starts the term of a fresh ticket.
func (t *Ticket) begin(w Working, now time.Time, term time.Duration) {
	t.Term = term
	t.Created, t.Updated = now, now
	t.Due = w.Add(now, term)
}

// Begin makes a fresh ticket: New, or Missing when something was asked for.
func (t *Ticket) Begin(w Working, now time.Time, term time.Duration, asked []string) {
	t.begin(w, now, term)
	t.State, t.Asked = New, asked
	if len(asked) > 0 {
		t.State = Missing
		t.pause(w, now)
	}
}

// pause stops the term: what is left of it is kept.
func (t *Ticket) pause(w Working, now time.Time) {
	if !t.Due.IsZero() {
		t.Left, t.Due = w.Between(now, t.Due), time.Time{}
	}
}

// resume lets the term go on with what is left; an overdue ticket stays overdue.
func (t *Ticket) resume(w Working, now time.Time) {
	if !t.Due.IsZero() {
		return
	}
	if t.Left < 0 {
		t.Due = now.Add(t.Left)
	} else {
		t.Due = w.Add(now, t.Left)
	}
	t.Left = 0
}

// Heard notes a message of a participant: who waited for it works again, and what was resolved or closed opens again.
func (t *Ticket) Heard(w Working, now time.Time) {
	t.Unread++
	t.Updated = now
	switch t.State {
	case Missing, Waiting:
		t.resume(w, now)
		t.State = t.working()
	case Resolved, Closed:
		t.Left, t.Due = t.Term, time.Time{}
		t.resume(w, now)
		t.State = t.working()
		t.ResolvedAt, t.ClosedAt = time.Time{}, time.Time{}
	}
}

func (t *Ticket) working() State {
	if t.Agent == "" {
		return New
	}
	return Open
}

// wrong is the refusal of a step that the state does not allow.
func (t *Ticket) wrong(step string) error {
	return fault.New(fault.Conflict, "ticket.state", fault.Args{"ticket": t.Key, "state": "@ticket.state." + string(t.State), "step": "@ticket.step." + step})
}

// Give lets an agent work on the ticket; "" gives it back to the queue.
func (t *Ticket) Give(agent string, w Working, now time.Time) error {
	if t.State.Ended() {
		return t.wrong("give")
	}
	t.Agent, t.Updated = agent, now
	if t.State == New || t.State == Open {
		t.State = t.working()
	}
	return nil
}

// Answered notes a mail of an agent to the customer; wait stops the term until the customer answers.
func (t *Ticket) Answered(wait bool, w Working, now time.Time) error {
	if t.State == Merged || t.State == Closed {
		return t.wrong("reply")
	}
	if t.FirstReply.IsZero() {
		t.FirstReply = now
	}
	t.Updated, t.Unread = now, 0
	switch {
	case wait:
		t.pause(w, now)
		t.State = Waiting
	case t.State != Resolved:
		t.resume(w, now)
		t.State = t.working()
	}
	return nil
}

// Wait stops the term until the customer answers, without a mail.
func (t *Ticket) Wait(w Working, now time.Time) error {
	if t.State.Ended() {
		return t.wrong("wait")
	}
	t.pause(w, now)
	t.State, t.Updated = Waiting, now
	return nil
}

// Reopen lets somebody work on the ticket again.
func (t *Ticket) Reopen(w Working, now time.Time) error {
	if t.State == Merged {
		return t.wrong("open")
	}
	if t.State.Ended() {
		t.Left, t.Due = t.Term, time.Time{}
	}
	t.resume(w, now)
	t.State, t.Updated = t.working(), now
	t.ResolvedAt, t.ClosedAt = time.Time{}, time.Time{}
	return nil
}

// Resolve says that the request is done, as the agent thinks.
func (t *Ticket) Resolve(w Working, now time.Time) error {
	if t.State.Ended() {
		return t.wrong("resolve")
	}
	t.pause(w, now)
	t.State, t.ResolvedAt, t.Updated, t.Unread = Resolved, now, now, 0
	return nil
}

// Close ends the ticket.
func (t *Ticket) Close(w Working, now time.Time) error {
	if t.State == Closed || t.State == Merged {
		return t.wrong("close")
	}
	t.pause(w, now)
	if t.ResolvedAt.IsZero() {
		t.ResolvedAt = now
	}
	t.State, t.ClosedAt, t.Updated = Closed, now, now
	return nil
}

// MayAutomatic reports whether the ticket may get another automatic mail.
func (t *Ticket) MayAutomatic() bool { return t.Automatic < maxAutomatic }

// Next makes the ticket's next message; the caller fills it in and stores both.
func (t *Ticket) Next(kind Kind, at time.Time) *Message {
	t.Count++
	return &Message{Key: MessageKey(t.Key, t.Count), Ticket: t.Key, Number: t.Count, Kind: kind, At: at}
}

// MessageKey is a message's key.
func MessageKey(ticket string, number int) string { return fmt.Sprintf("%s/%04d", ticket, number) }

// Tag adds a tag, Untag takes it away.
func (t *Ticket) Tag(tag string) {
	if tag = strings.TrimSpace(tag); tag != "" && !slices.Contains(t.Tags, tag) {
		t.Tags = append(t.Tags, tag)
	}
}

// Untag takes a tag away.
func (t *Ticket) Untag(tag string) {
	t.Tags = slices.DeleteFunc(t.Tags, func(have string) bool { return have == tag })
}
