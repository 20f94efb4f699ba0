package helpdesk

import (
	"context"
	"slices"
	"time"

	"countersign/internal/fault"
)

// MergeView is what a merge would do, shown before it is done.
type MergeView struct {
	SameUnit   bool `json:"same_unit"`
	SameSender bool `json:"same_sender"`
	SameDomain bool `json:"same_domain"`
	NeedsOther bool `json:"needs_other"` // a second person must agree: the senders differ
}

// Compare says what merging two tickets would mean.
func Compare(keep, gone *Ticket) MergeView {
	v := MergeView{
		SameUnit:   keep.Unit != "" && keep.Unit == gone.Unit,
		SameSender: FoldAddress(keep.Customer) == FoldAddress(gone.Customer),
		SameDomain: domain(keep.Customer) != "" && domain(keep.Customer) == domain(gone.Customer),
	}
	v.NeedsOther = !v.SameSender
	return v
}

func domain(address string) string {
	address = FoldAddress(address)
	for i := len(address) - 1; i >= 0; i-- {
		if address[i] == '@' {
			return address[i+1:]
		}
	}
	return ""
}

// Merge puts the ticket gone into keep. The messages stay where they are and are shown with keep's; both customers' answers
// arrive at keep. Tickets of different senders are merged by a lead, after somebody else has asked for it with AskMerge.
func (tm *Team) Merge(ctx context.Context, a Actor, keep, gone string) (*Ticket, error) {
	if keep == gone {
		return nil, fault.New(fault.Invalid, "ticket.merge_self", nil)
	}
	t, err := tm.change(ctx, a, RightAnswer, keep, 0, "ticket.merged", func(tx Tx, t *Ticket) (facts, error) {
		other, err := tm.load(tx, a, gone)
		if err != nil {
			return nil, err
		}
		if t.State == Merged || other.State == Merged {
			return nil, fault.New(fault.Conflict, "ticket.merged_already", fault.Args{"ticket": gone})
		}
		f := facts{"gone": gone}
		if Compare(t, other).NeedsOther {
			asked, err := tm.askedFor(tx, a, keep, gone)
			if err != nil {
				return nil, err
			}
			f["asked"] = asked
		}
		now := tm.Clock.Now()
		for _, p := range other.Participants {
			if !t.Has(p.Address) {
				p.By = a.Agent.Name
				t.Participants = append(t.Participants, p)
			}
		}
		t.Merged = append(append(t.Merged, gone), other.Merged...)
		t.Unread += other.Unread
		t.Updated = now
		other.pause(tm.Working, now)
		other.State, other.MergedInto, other.Updated, other.Unread = Merged, keep, now, 0
		if _, err := note(tx, t, SystemNote, a.Agent.Name, "< "+gone, now); err != nil {
			return nil, err
		}
		return f, tm.keep(tx, a, other, "ticket.gone", facts{"into": keep})
	})
	if err == nil {
		tm.tell(gone)
	}
	return t, err
}

// wish is somebody's wish that another person agrees to a merge.
type wish struct {
	Name string    `json:"name"` // the tickets
	Rev  int64     `json:"rev"`
	By   string    `json:"by"`
	At   time.Time `json:"at"`
}

func (w *wish) entry() entry { return entry{"merge wish", w.Name, "", w.At, &w.Rev} }

// AskMerge asks for the merge of two tickets of different senders; a lead who agrees calls Merge.
func (tm *Team) AskMerge(ctx context.Context, a Actor, keep, gone string) error {
	_, err := tm.change(ctx, a, RightAnswer, keep, 0, "ticket.merge_asked", func(tx Tx, t *Ticket) (facts, error) {
		if _, err := tm.load(tx, a, gone); err != nil {
			return nil, err
		}
		if err := tx.DeleteEntry("merge wish", keep+" "+gone); err != nil {
			return nil, err
		}
		now := tm.Clock.Now()
		if _, err := note(tx, t, SystemNote, a.Agent.Name, "? "+gone, now); err != nil {
			return nil, err
		}
		return facts{"gone": gone}, Put(tx, &wish{Name: keep + " " + gone, By: a.Agent.Name, At: now})
	})
	return err
}

// askedFor returns who has asked for a merge; it refuses when nobody else has, and when the actor is no lead.
func (tm *Team) askedFor(tx Tx, a Actor, keep, gone string) (string, error) {
	w, err := Get[wish](tx, keep+" "+gone)
	if fault.KindOf(err) == fault.NotFound || err == nil && w.By == a.Agent.Name {
		return "", fault.New(fault.Forbidden, "ticket.second_person", nil)
	}
	if err != nil {
		return "", err
	}
	return w.By, a.May(RightAssign)
}

// Unmerge takes a merge back, until a mail of ours has left from the ticket since.
func (tm *Team) Unmerge(ctx context.Context, a Actor, gone string) (*Ticket, error) {
	t, err := tm.change(ctx, a, RightAnswer, gone, 0, "ticket.unmerged", func(tx Tx, t *Ticket) (facts, error) {
		if t.State != Merged {
			return nil, t.wrong("unmerge")
		}
		keep, err := tm.load(tx, a, t.MergedInto)
		if err != nil {
			return nil, err
		}
		sent, err := tx.OutgoingsOf(keep.Key)
		if err != nil {
			return nil, err
		}
		for _, o := range sent {
			if o.Created.After(t.Updated) {
				return nil, fault.New(fault.Conflict, "ticket.unmerge_late", fault.Args{"ticket": keep.Key})
			}
		}
		keep.Merged = slices.DeleteFunc(keep.Merged, func(k string) bool { return k == gone || slices.Contains(t.Merged, k) })
		keep.Participants = slices.DeleteFunc(keep.Participants, func(p Participant) bool { return p.By != "" && t.Has(p.Address) })
		f := facts{"from": keep.Key}
		t.MergedInto, t.State = "", t.working()
		t.resume(tm.Working, tm.Clock.Now())
		return f, tm.keep(tx, a, keep, "ticket.unmerged", facts{"gone": gone})
	})
	return t, err
}

// Split makes a new ticket of some messages of a ticket: a second matter in the same mails. The messages are copied with
// their origin named, and the Message-IDs of those mails lead to the new ticket from now on.
func (tm *Team) Split(ctx context.Context, a Actor, key string, messages []string, subject string) (made *Ticket, err error) {
	if err := reason(subject); err != nil {
		return nil, err
	}
	_, err = tm.change(ctx, a, RightAnswer, key, 0, "ticket.split", func(tx Tx, t *Ticket) (facts, error) {
		if t.State == Merged || len(messages) == 0 {
			return nil, t.wrong("split")
		}
		now := tm.Clock.Now()
		serial, err := tm.Numbering.Draw(tx, now)
		if err != nil {
			return nil, err
		}
		fresh := *t
		fresh.Key, fresh.Rev, fresh.Count, fresh.Unread, fresh.Automatic = tm.Numbering.Format(serial), 0, 0, 0, 0
		fresh.Subject, fresh.Claims, fresh.Links, fresh.Merged, fresh.Tags = subject, "", []string{key}, nil, slices.Clone(t.Tags)
		fresh.Agent, fresh.Lacks, fresh.Asked, fresh.FirstReply, fresh.Escalated, fresh.Rating = a.Agent.Name, nil, nil, t.FirstReply, 0, 0
		fresh.Participants = slices.Clone(t.Participants)
		fresh.Begin(tm.Working, now, tm.Categories.Category(t.Category).Term, nil)
		fresh.State = Open
		for _, from := range messages {
			if err := copyMessage(tx, t, &fresh, from); err != nil {
				return nil, err
			}
		}
		t.Links = append(t.Links, fresh.Key)
		t.Updated = now
		made = &fresh
		return facts{"new": fresh.Key, "messages": count(len(messages))}, tm.keep(tx, a, &fresh, "ticket.made", facts{"from": key})
	})
	if err == nil {
		tm.tell(made.Key)
	}
	return made, err
}

func copyMessage(tx Tx, t, fresh *Ticket, key string) error {
	m, err := tx.Message(key)
	if err != nil {
		return err
	}
	if m.Ticket != t.Key {
		return fault.New(fault.Invalid, "ticket.not_its_message", fault.Args{"ticket": t.Key})
	}
	next := *m
	place := fresh.Next(m.Kind, m.At)
	next.Key, next.Rev, next.Ticket, next.Number, next.Origin = place.Key, 0, place.Ticket, place.Number, m.Key
	if err := tx.PutMessage(&next); err != nil {
		return err
	}
	if m.MailID != "" && m.Outgoing == "" {
		if err := tx.Move(m.MailID, MailPlace{Ticket: next.Ticket, Message: next.Key}); err != nil {
			return err
		}
	}
	names := []string{}
	for _, f := range next.Files {
		names = append(names, f.Name)
	}
	return tx.PutWords(next.Key, next.At, Terms(append(names, next.Subject, next.Text)...))
}
