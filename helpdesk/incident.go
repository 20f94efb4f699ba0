package helpdesk

import (
	"context"
	"fmt"
	"time"

	"countersign/internal/fault"
)

// Incident is one cause with many tickets (T-F35).
type Incident struct {
	Key    string    `json:"key"` // SC-0013
	Rev    int64     `json:"rev"`
	Title  string    `json:"title"`
	Owner  string    `json:"owner"`
	Opened time.Time `json:"opened"`
	Closed time.Time `json:"closed"`
	Cause  string    `json:"cause"`

	Drafts []Circular `json:"drafts"` // what was or will be sent to many
}

func (i *Incident) entry() entry { return entry{"incident", i.Key, "", i.Opened, &i.Rev} }

// Circular is one text for many receivers. Writer and approver are different people, and the approver types how many mails
// it will be.
type Circular struct {
	Subject   string    `json:"subject"`
	Text      string    `json:"text"`
	Tickets   bool      `json:"tickets"`   // to the tickets of the incident
	Provinces []string  `json:"provinces"` // and to the units of these
	Writer    string    `json:"writer"`
	Written   time.Time `json:"written"`
	Approver  string    `json:"approver"`
	Approved  time.Time `json:"approved"`
	Mails     int       `json:"mails"`
	Stopped   bool      `json:"stopped"`
}

// OpenIncident makes an incident and links tickets to it.
func (tm *Team) OpenIncident(ctx context.Context, a Actor, title string, tickets []string) (*Incident, error) {
	if err := reason(title); err != nil {
		return nil, err
	}
	i := &Incident{Title: title, Owner: a.Agent.Name, Opened: tm.Clock.Now()}
	err := tm.book(ctx, a, RightAnswer, "incident.opened", "", func(tx Tx) (facts, error) {
		i.Rev = 0
		n, err := tx.NextEntry("incident")
		if err != nil {
			return nil, err
		}
		i.Key = fmt.Sprintf("SC-%04d", n)
		for _, key := range tickets {
			t, err := tm.load(tx, a, key)
			if err != nil {
				return nil, err
			}
			t.Incident = i.Key
			if err := tm.keep(tx, a, t, "ticket.set", facts{"incident": i.Key}); err != nil {
				return nil, err
			}
		}
		return facts{"incident": i.Key, "tickets": count(len(tickets))}, Put(tx, i)
	})
	if err != nil {
		return nil, err
	}
	return i, nil
}

// Incidents lists the incidents that are open, newest first, or all.
func (tm *Team) Incidents(ctx context.Context, a Actor, closed bool) (list []*Incident, err error) {
	if err := a.May(RightSee); err != nil {
		return nil, err
	}
	err = tm.Store.View(ctx, func(tx Tx) error {
		all, err := List[Incident](tx, "", time.Time{}, time.Time{}, 0)
		for _, i := range all {
			if closed || i.Closed.IsZero() {
				list = append(list, i)
			}
		}
		return err
	})
	return list, err
}

// CloseIncident ends an incident; its tickets are resolved when done is true.
func (tm *Team) CloseIncident(ctx context.Context, a Actor, key, cause string, done bool) error {
	var touched []string
	err := tm.book(ctx, a, RightAnswer, "incident.closed", "", func(tx Tx) (facts, error) {
		touched = nil
		i, err := Get[Incident](tx, key)
		if err != nil {
			return nil, err
		}
		now := tm.Clock.Now()
		i.Closed, i.Cause = now, cause
		if done {
			list, err := tx.Queue(Queue{Incident: key, Limit: circularMax}, now)
			if err != nil {
				return nil, err
			}
			for _, t := range list {
				if err := t.Resolve(tm.Working, now); err != nil {
					return nil, err
				}
				if err := tm.keep(tx, a, t, "ticket.resolve", facts{"incident": key}); err != nil {
					return nil, err
				}
				touched = append(touched, t.Key)
			}
		}
		return facts{"incident": key}, Put(tx, i)
	})
	if err == nil {
		tm.tell(touched...)
	}
	return err
}

// circularMax is how many mails one circular may be.
const circularMax = 20_000

// receiver is one mail of a circular: on a ticket, or to a unit without one.
type receiver struct {
	ticket  *Ticket
	address string
	unit    string
}

// receivers are who gets a circular, each address once: tickets of the incident first.
func (tm *Team) receivers(tx Tx, incident string, c Circular) ([]receiver, error) {
	var out []receiver
	have := map[string]bool{}
	if c.Tickets {
		list, err := tx.Queue(Queue{Incident: incident, Limit: circularMax}, tm.Clock.Now())
		if err != nil {
			return nil, err
		}
		for _, t := range list {
			if to := FoldAddress(t.Customer); to != "" && t.Proven {
				out = append(out, receiver{ticket: t, address: t.Customer})
				have[to] = true
			}
		}
	}
	for _, province := range c.Provinces {
		units, err := List[Unit](tx, province, time.Time{}, time.Time{}, 0)
		if err != nil {
			return nil, err
		}
		for _, u := range units {
			if len(u.Addresses) > 0 && !have[FoldAddress(u.Addresses[0])] {
				out = append(out, receiver{address: u.Addresses[0], unit: u.Code})
				have[FoldAddress(u.Addresses[0])] = true
			}
		}
	}
	return out, nil
}

// CircularSize returns how many mails a circular would be now.
func (tm *Team) CircularSize(ctx context.Context, a Actor, incident string, c Circular) (n int, err error) {
	if err := a.May(RightSee); err != nil {
		return 0, err
	}
	err = tm.Store.View(ctx, func(tx Tx) error {
		list, err := tm.receivers(tx, incident, c)
		n = len(list)
		return err
	})
	return n, err
}

// DraftCircular writes a circular; it returns its place among the incident's drafts.
func (tm *Team) DraftCircular(ctx context.Context, a Actor, incident string, c Circular) (at int, err error) {
	if tm.Lint == nil {
		return 0, fault.New(fault.Unavailable, "ticket.no_linter", nil)
	}
	if err := tm.Lint(c.Subject + "\n" + c.Text); err != nil {
		return 0, err
	}
	err = tm.book(ctx, a, RightAnswer, "circular.written", "", func(tx Tx) (facts, error) {
		i, err := Get[Incident](tx, incident)
		if err != nil {
			return nil, err
		}
		c.Writer, c.Written, c.Approver, c.Approved = a.Agent.Name, tm.Clock.Now(), "", time.Time{}
		i.Drafts = append(i.Drafts, c)
		at = len(i.Drafts) - 1
		return facts{"incident": incident}, Put(tx, i)
	})
	return at, err
}

// SendCircular approves a circular and queues its mails. The approver is not the writer, and mails is what the approver
// typed: another number than there are receivers is refused.
func (tm *Team) SendCircular(ctx context.Context, a Actor, incident string, at, mails int) error {
	var touched []string
	err := tm.book(ctx, a, RightNotice, "circular.sent", "", func(tx Tx) (facts, error) {
		touched = nil
		i, err := Get[Incident](tx, incident)
		if err != nil {
			return nil, err
		}
		if at < 0 || at >= len(i.Drafts) || !i.Drafts[at].Approved.IsZero() {
			return nil, fault.New(fault.Conflict, "circular.gone", nil)
		}
		c := &i.Drafts[at]
		if c.Writer == a.Agent.Name {
			return nil, fault.New(fault.Forbidden, "ticket.second_person", nil)
		}
		list, err := tm.receivers(tx, incident, *c)
		if err != nil {
			return nil, err
		}
		if len(list) != mails || mails == 0 {
			return nil, fault.New(fault.Conflict, "circular.count", fault.Args{"have": count(len(list)), "typed": count(mails)})
		}
		c.Approver, c.Approved, c.Mails = a.Agent.Name, tm.Clock.Now(), mails
		for _, r := range list {
			key, err := tm.sendOne(tx, a, incident, *c, r)
			if err != nil {
				return nil, err
			}
			touched = append(touched, key)
		}
		return facts{"incident": incident, "mails": count(mails), "writer": c.Writer}, Put(tx, i)
	})
	if err != nil {
		return err
	}
	tm.tell(touched...)
	if tm.Queued != nil {
		tm.Queued()
	}
	return nil
}

// sendOne queues one mail of a circular; a unit without a ticket gets one, so that its answer has a place.
func (tm *Team) sendOne(tx Tx, a Actor, incident string, c Circular, r receiver) (string, error) {
	now := tm.Clock.Now()
	t := r.ticket
	if t == nil {
		serial, err := tm.Numbering.Draw(tx, now)
		if err != nil {
			return "", err
		}
		u, err := Get[Unit](tx, r.unit)
		if err != nil {
			return "", err
		}
		t = &Ticket{Key: tm.Numbering.Format(serial), Channel: ByMail, Priority: Normal, Rank: RankMail, Category: OtherCategory,
			Route: Route{Province: u.Province}, Subject: c.Subject, Unit: u.Code, Customer: r.address, Proven: true, Incident: incident,
			Participants: []Participant{{Address: r.address, Name: u.Name, Since: now, By: a.Agent.Name}}}
		t.Begin(tm.Working, now, tm.Categories.Category(OtherCategory).Term, nil)
		if err := t.Resolve(tm.Working, now); err != nil {
			return "", err
		}
	}
	msg := t.Next(FromUs, now)
	msg.Author = c.Writer
	o := &Outgoing{Form: Broadcast, To: Address{Address: r.address}, Author: c.Writer, Approve: c.Approver, Subject: c.Subject, Text: c.Text}
	var err error
	if o.Parents, err = parents(tx, t.Key); err != nil {
		return "", err
	}
	if err := tm.queue(tx, t, msg, o); err != nil {
		return "", err
	}
	return t.Key, tm.keep(tx, a, t, "ticket.circular", facts{"incident": incident})
}

// StopCircular stops the mails of a circular that have not left, and returns how many that were.
func (tm *Team) StopCircular(ctx context.Context, a Actor, incident string, at int) (stopped int, err error) {
	err = tm.book(ctx, a, RightNotice, "circular.stopped", "", func(tx Tx) (facts, error) {
		stopped = 0
		i, err := Get[Incident](tx, incident)
		if err != nil {
			return nil, err
		}
		if at < 0 || at >= len(i.Drafts) {
			return nil, fault.New(fault.Conflict, "circular.gone", nil)
		}
		i.Drafts[at].Stopped = true
		waiting, err := tx.OutgoingsIn(Queued, circularMax)
		if err != nil {
			return nil, err
		}
		for _, o := range waiting {
			t, err := tx.Ticket(o.Ticket)
			if err != nil {
				return nil, err
			}
			if o.Form != Broadcast || t.Incident != incident || o.Text != i.Drafts[at].Text {
				continue
			}
			o.State = Stopped
			if err := tx.PutOutgoing(o); err != nil {
				return nil, err
			}
			stopped++
		}
		return facts{"incident": incident, "stopped": count(stopped)}, Put(tx, i)
	})
	return stopped, err
}
