package helpdesk

import (
	"context"
	"slices"
	"strings"
	"time"

	"countersign/internal/fault"
)

// Counts are the figures above the queue.
type Counts struct {
	Free        int `json:"free"` // nobody has taken them
	Mine        int `json:"mine"`
	Waiting     int `json:"waiting"` // for customers
	Overdue     int `json:"overdue"`
	Fake        int `json:"fake"`        // quarantined because something speaks against the sender
	Quarantined int `json:"quarantined"` // all that are quarantined
	Held        int `json:"held"`
}

// Queue lists tickets in the order of the queue with the figures above it.
func (tm *Team) Queue(ctx context.Context, a Actor, q Queue) (list []*Ticket, c Counts, err error) {
	if err := a.May(RightSee); err != nil {
		return nil, c, err
	}
	now := tm.Clock.Now()
	err = tm.Store.View(ctx, func(tx Tx) error {
		all, err := tx.Queue(q, now)
		if err != nil {
			return err
		}
		for _, t := range all {
			if a.Sees(t) {
				list = append(list, t)
			}
		}
		for _, one := range []struct {
			into *int
			q    Queue
		}{
			{&c.Free, Queue{States: []State{New}, Agent: "-", Province: q.Province}},
			{&c.Mine, Queue{Agent: a.Agent.Name, Province: q.Province}},
			{&c.Waiting, Queue{States: []State{Missing, Waiting}, Province: q.Province}},
			{&c.Overdue, Queue{Overdue: true, Province: q.Province}},
		} {
			if *one.into, err = tx.CountQueue(one.q, now); err != nil {
				return err
			}
		}
		aside, err := tx.IntakesOf(Quarantined, asideMax)
		if err != nil {
			return err
		}
		for _, in := range aside {
			if in.Reason == "fake" {
				c.Fake++
			}
		}
		c.Quarantined = len(aside)
		fates, err := tx.Fates(time.Time{})
		c.Held = fates[Held]
		return err
	})
	return list, c, err
}

// asideMax is how many mails that were set aside are listed and counted.
const asideMax = 200

// Aside lists the mails of a fate that waits for people: quarantined, held, automatic.
func (tm *Team) Aside(ctx context.Context, a Actor, fate Fate) (list []*Intake, err error) {
	if err := a.May(RightSee); err != nil {
		return nil, err
	}
	err = tm.Store.View(ctx, func(tx Tx) error {
		list, err = tx.IntakesOf(fate, asideMax)
		return err
	})
	return list, err
}

// Drop puts a mail that was set aside away; its record stays.
func (tm *Team) Drop(ctx context.Context, a Actor, id int64) error {
	return tm.book(ctx, a, RightAnswer, "mail.dropped", "", func(tx Tx) (facts, error) {
		in, err := tx.Intake(id)
		if err != nil {
			return nil, err
		}
		if in.Fate != Quarantined && in.Fate != Held && in.Fate != ToAutomatic {
			return nil, fault.New(fault.Conflict, "intake.settled", fault.Args{"fate": "@intake.fate." + string(in.Fate)})
		}
		f := facts{"arrival": arrival(id), "was": string(in.Fate)}
		in.Fate = Dropped
		return f, tx.PutIntake(in)
	})
}

// Sheet is a ticket with everything that the screen of one ticket shows.
type Sheet struct {
	Ticket    *Ticket     `json:"ticket"`
	Thread    []*Message  `json:"thread"` // of merged tickets too, in the order of time
	Outgoings []*Outgoing `json:"outgoings"`
	Unit      *Unit       `json:"unit,omitempty"`
	Others    []*Ticket   `json:"others"` // of the same unit or person, newest first
	Incident  *Incident   `json:"incident,omitempty"`
	Present   []Present   `json:"present"`
	Code      string      `json:"code"` // the check code's first letters, which an agent may read out
}

// othersMax is how many other tickets of a customer are shown.
const othersMax = 8

// Sheet opens a ticket. The actor is seen by the others from now on.
func (tm *Team) Sheet(ctx context.Context, a Actor, key string) (*Sheet, error) {
	if err := a.May(RightSee); err != nil {
		return nil, err
	}
	s := &Sheet{}
	err := tm.Store.View(ctx, func(tx Tx) error {
		t, err := tm.load(tx, a, key)
		if err != nil {
			return err
		}
		s.Ticket = t
		for _, k := range append([]string{key}, t.Merged...) {
			part, err := tx.Thread(k)
			if err != nil {
				return err
			}
			s.Thread = append(s.Thread, part...)
		}
		if len(t.Merged) > 0 {
			slices.SortStableFunc(s.Thread, func(x, y *Message) int { return x.At.Compare(y.At) })
		}
		if s.Outgoings, err = tx.OutgoingsOf(key); err != nil {
			return err
		}
		if t.Unit != "" {
			if s.Unit, err = Get[Unit](tx, t.Unit); err != nil && fault.KindOf(err) != fault.NotFound {
				return err
			}
		}
		if t.Incident != "" {
			if s.Incident, err = Get[Incident](tx, t.Incident); err != nil && fault.KindOf(err) != fault.NotFound {
				return err
			}
		}
		others, err := tx.TicketsOf(t.Customer, othersMax+1)
		for _, o := range others {
			if o.Key != key && a.Sees(o) {
				s.Others = append(s.Others, o)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	s.Code = tm.Secrets.TicketCode(key)[1:4]
	tm.presence.see(key, a.Agent.Name, tm.Clock.Now())
	s.Present = tm.Present(key)
	return s, nil
}

// Take lets the actor work on a ticket that nobody works on.
func (tm *Team) Take(ctx context.Context, a Actor, key string) (*Ticket, error) {
	return tm.change(ctx, a, RightAnswer, key, 0, "ticket.taken", func(_ Tx, t *Ticket) (facts, error) {
		if t.Agent != "" && t.Agent != a.Agent.Name {
			return nil, fault.New(fault.Conflict, "ticket.taken", fault.Args{"ticket": key, "agent": t.Agent})
		}
		return nil, t.Give(a.Agent.Name, tm.Working, tm.Clock.Now())
	})
}

// Give hands a ticket to somebody; "" gives it back. Only a lead gives away what another works on.
func (tm *Team) Give(ctx context.Context, a Actor, key, to string) (*Ticket, error) {
	return tm.change(ctx, a, RightAnswer, key, 0, "ticket.given", func(tx Tx, t *Ticket) (facts, error) {
		if t.Agent != "" && t.Agent != a.Agent.Name {
			if err := a.May(RightAssign); err != nil {
				return nil, err
			}
		}
		if to != "" {
			if _, err := Get[Agent](tx, to); err != nil {
				return nil, err
			}
		}
		return facts{"to": to}, t.Give(to, tm.Working, tm.Clock.Now())
	})
}

// GiveAuto gives a ticket to the agent on duty who knows its category, serves its province and has the least to do; it
// leaves the ticket alone when there is none.
func (tm *Team) GiveAuto(ctx context.Context, a Actor, key string) (*Ticket, error) {
	return tm.change(ctx, a, RightAssign, key, 0, "ticket.given", func(tx Tx, t *Ticket) (facts, error) {
		agents, err := List[Agent](tx, "", time.Time{}, time.Time{}, 0)
		if err != nil {
			return nil, err
		}
		now, best, least := tm.Clock.Now(), "", 0
		skill := tm.Categories.Category(t.Category).Skill
		for _, g := range agents {
			if !g.OnDuty(now) || !slices.Contains(g.Roles, RoleAgent) ||
				len(g.Skills) > 0 && !slices.Contains(g.Skills, skill) || len(g.Provinces) > 0 && !slices.Contains(g.Provinces, t.Route.Province) {
				continue
			}
			n, err := tx.CountQueue(Queue{States: []State{Open}, Agent: g.Name}, now)
			if err != nil {
				return nil, err
			}
			if best == "" || n < least || n == least && g.Name < best {
				best, least = g.Name, n
			}
		}
		if best == "" {
			return nil, fault.New(fault.NotFound, "ticket.nobody", fault.Args{"ticket": key})
		}
		return facts{"to": best, "by": "rule"}, t.Give(best, tm.Working, now)
	})
}

// Properties are what an agent may set on a ticket; nil leaves a value as it is.
type Properties struct {
	Priority *Priority `json:"priority,omitempty"`
	Category *string   `json:"category,omitempty"`
	Province *string   `json:"province,omitempty"`
	Unit     *string   `json:"unit,omitempty"`
	Contact  *Contact  `json:"contact,omitempty"`
	Incident *string   `json:"incident,omitempty"`
	Tags     *[]string `json:"tags,omitempty"`
}

// Set changes properties. Another category brings its own term, counted from when the ticket was made.
func (tm *Team) Set(ctx context.Context, a Actor, key string, p Properties) (*Ticket, error) {
	return tm.change(ctx, a, RightAnswer, key, 0, "ticket.set", func(tx Tx, t *Ticket) (facts, error) {
		f := facts{}
		if p.Priority != nil {
			t.Priority, f["priority"] = *p.Priority, string(*p.Priority)
		}
		if p.Category != nil && *p.Category != t.Category {
			if !tm.Categories.has(*p.Category) {
				return nil, fault.New(fault.Invalid, "ticket.category", fault.Args{"category": *p.Category})
			}
			t.Category, f["category"] = *p.Category, *p.Category
			t.retime(tm.Working, tm.Categories.Category(t.Category).Term)
		}
		if p.Province != nil {
			t.Route.Province, f["province"] = *p.Province, *p.Province
		}
		if p.Unit != nil && *p.Unit != "" {
			if _, err := Get[Unit](tx, *p.Unit); err != nil {
				return nil, err
			}
		}
		if p.Unit != nil {
			t.Unit, f["unit"] = *p.Unit, *p.Unit
		}
		if p.Contact != nil {
			t.Contact = *p.Contact
		}
		if p.Incident != nil {
			t.Incident, f["incident"] = *p.Incident, *p.Incident
		}
		if p.Tags != nil {
			t.Tags = nil
			for _, tag := range *p.Tags {
				t.Tag(tag)
			}
			f["tags"] = strings.Join(t.Tags, " ")
		}
		return f, nil
	})
}

// retime gives the ticket another term.
func (t *Ticket) retime(w Working, term time.Duration) {
	if t.Due.IsZero() {
		t.Left += term - t.Term
	} else {
		t.Due = w.Add(t.Created, term)
	}
	t.Term = term
}

// Step is what an agent may do to a ticket's state without writing to the customer.
type Step string

// The steps.
const (
	StepWait    Step = "wait"
	StepReopen  Step = "open"
	StepResolve Step = "resolve"
	StepClose   Step = "close"
)

// Do takes a step.
func (tm *Team) Do(ctx context.Context, a Actor, key string, step Step) (*Ticket, error) {
	return tm.change(ctx, a, RightAnswer, key, 0, "ticket."+string(step), func(_ Tx, t *Ticket) (facts, error) {
		now := tm.Clock.Now()
		switch step {
		case StepWait:
			return nil, t.Wait(tm.Working, now)
		case StepReopen:
			return nil, t.Reopen(tm.Working, now)
		case StepResolve:
			return nil, t.Resolve(tm.Working, now)
		case StepClose:
			return nil, t.Close(tm.Working, now)
		}
		return nil, fault.New(fault.Invalid, "ticket.step", fault.Args{"step": string(step)})
	})
}

// Note writes an internal note, which never leaves the house. Names with an @ before them are told by the screen.
func (tm *Team) Note(ctx context.Context, a Actor, key, text string) (*Ticket, error) {
	if err := reason(text); err != nil {
		return nil, err
	}
	return tm.change(ctx, a, RightAnswer, key, 0, "ticket.note", func(tx Tx, t *Ticket) (facts, error) {
		_, err := note(tx, t, Note, a.Agent.Name, text, tm.Clock.Now())
		return nil, err
	})
}

// Draft is an answer that an agent has written.
type Draft struct {
	Text   string `json:"text"`
	Rev    int64  `json:"rev"`  // of the ticket as the agent saw it
	Wait   bool   `json:"wait"` // the customer's turn
	Done   bool   `json:"done"` // resolve the ticket
	Canned string `json:"canned"`
}

// Reply queues an answer to the recorded customer, who can't be changed here. It refuses what the linter refuses, and when
// a message came that the agent has not seen.
func (tm *Team) Reply(ctx context.Context, a Actor, key string, d Draft) (out *Outgoing, err error) {
	if tm.Lint == nil {
		return nil, fault.New(fault.Unavailable, "ticket.no_linter", nil)
	}
	if err := reason(d.Text); err != nil {
		return nil, err
	}
	if err := tm.Lint(d.Text); err != nil {
		return nil, err
	}
	_, err = tm.change(ctx, a, RightAnswer, key, d.Rev, "ticket.reply", func(tx Tx, t *Ticket) (facts, error) {
		if FoldAddress(t.Customer) == "" {
			return nil, fault.New(fault.Invalid, "ticket.no_address", fault.Args{"ticket": key})
		}
		now := tm.Clock.Now()
		if err := t.Answered(d.Wait, tm.Working, now); err != nil {
			return nil, err
		}
		out = &Outgoing{Form: Reply, To: Address{Address: t.Customer}, Author: a.Agent.Name, Subject: t.Subject, Text: d.Text}
		if out.Parents, err = parents(tx, key); err != nil {
			return nil, err
		}
		msg := t.Next(FromUs, now)
		msg.Author = a.Agent.Name
		if err := tm.queue(tx, t, msg, out); err != nil {
			return nil, err
		}
		if err := tx.PutWords(msg.Key, now, Terms(d.Text)); err != nil {
			return nil, err
		}
		if d.Done {
			if err := t.Resolve(tm.Working, now); err != nil {
				return nil, err
			}
		}
		return facts{"mail": out.Key, "canned": d.Canned}, nil
	})
	if err != nil {
		return nil, err
	}
	tm.presence.leave(key, a.Agent.Name)
	if tm.Queued != nil {
		tm.Queued()
	}
	return out, nil
}

// parentsMax is how many Message-IDs a reply refers to.
const parentsMax = 10

// parents are the Message-IDs of the thread's mails, the newest last.
func parents(tx Tx, key string) (ids []string, err error) {
	thread, err := tx.Thread(key)
	for _, m := range thread {
		if m.MailID != "" {
			ids = append(ids, m.MailID)
		}
	}
	return ids[max(0, len(ids)-parentsMax):], err
}
