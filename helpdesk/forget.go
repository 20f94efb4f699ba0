package helpdesk

import (
	"context"
	"fmt"
	"time"

	"countersign/internal/job"
)

// Escalate looks at what is overdue and tells of every further step once. It returns how many were told.
func (tm *Team) Escalate(ctx context.Context) (told int, err error) {
	var touched []string
	err = tm.Store.Update(ctx, func(tx Tx) error {
		told, touched = 0, nil
		now := tm.Clock.Now()
		late, err := tx.Queue(Queue{Overdue: true, Limit: 1000}, now)
		if err != nil {
			return err
		}
		for _, t := range late {
			step := t.Escalated
			for step < len(escalations) && tm.Working.Between(t.Due, now) >= escalations[step] {
				step++
			}
			if step == t.Escalated {
				continue
			}
			t.Escalated = step
			payload := fmt.Sprintf("%s %d", t.Key, step)
			if err := tx.Enqueue(job.Job{Key: "escalation " + payload, Kind: EscalationJob, Order: t.Key, Payload: []byte(payload), Created: now}); err != nil {
				return err
			}
			if err := tm.keep(tx, Actor{}, t, "ticket.escalated", facts{"step": count(step)}); err != nil {
				return err
			}
			told++
			touched = append(touched, t.Key)
		}
		return nil
	})
	tm.tell(touched...)
	return told, err
}

// Original returns the bytes of a mail that came. One that holds a secret is only for the security officer; either way the
// journal says who looked and why.
func (tm *Team) Original(ctx context.Context, a Actor, id int64, purpose string) (raw []byte, err error) {
	if err := reason(purpose); err != nil {
		return nil, err
	}
	err = tm.book(ctx, a, RightSee, "mail.original", "", func(tx Tx) (facts, error) {
		in, err := tx.Intake(id)
		if err != nil {
			return nil, err
		}
		if in.Secret {
			if err := a.May(RightSecurity); err != nil {
				return nil, err
			}
		}
		if in.Ticket != "" {
			if _, err := tm.load(tx, a, in.Ticket); err != nil {
				return nil, err
			}
		}
		raw, err = tx.Raw(id)
		return facts{"arrival": arrival(id), "purpose": purpose}, err
	})
	return raw, err
}

// gone stands in the place of what was erased.
const gone = "-"

// Forget erases one person: subjects, texts, names, addresses and numbers of their tickets, the originals of their mails
// and of ours to them, and what they were found by. Serials, times and states stay, and so does the journal, which holds
// nothing personal. It returns how many tickets it was.
func (tm *Team) Forget(ctx context.Context, a Actor, address, why string) (n int, err error) {
	if err := reason(why); err != nil {
		return 0, err
	}
	err = tm.book(ctx, a, RightKeep, "person.erased", "", func(tx Tx) (facts, error) {
		n = 0
		list, err := tx.TicketsOf(address, 10_000)
		if err != nil {
			return nil, err
		}
		for _, t := range list {
			if FoldAddress(t.Customer) != FoldAddress(address) {
				t.dropParticipant(address)
				if err := tx.PutTicket(t); err != nil {
					return nil, err
				}
				if err := forgetThread(tx, t.Key, address); err != nil {
					return nil, err
				}
				continue
			}
			if err := forgetThread(tx, t.Key, ""); err != nil {
				return nil, err
			}
			t.Subject, t.Customer, t.Contact, t.Unit, t.Participants, t.Tags = gone, "", Contact{}, "", nil, nil
			t.Trust.Reasons = nil
			if !t.State.Ended() {
				if err := t.Close(tm.Working, tm.Clock.Now()); err != nil {
					return nil, err
				}
			}
			if err := tx.PutTicket(t); err != nil {
				return nil, err
			}
			n++
		}
		return facts{"tickets": count(n), "why": why}, tx.ForgetPerson(address)
	})
	return n, err
}

func (t *Ticket) dropParticipant(address string) {
	kept := t.Participants[:0:0]
	for _, p := range t.Participants {
		if FoldAddress(p.Address) != FoldAddress(address) {
			kept = append(kept, p)
		}
	}
	t.Participants = kept
}

// forgetThread empties the messages of a ticket, only those from an address when it is given.
func forgetThread(tx Tx, key, from string) error {
	thread, err := tx.Thread(key)
	if err != nil {
		return err
	}
	for _, m := range thread {
		if from != "" && FoldAddress(m.From.Address) != FoldAddress(from) {
			continue
		}
		if err := forgetMessage(tx, m); err != nil {
			return err
		}
	}
	return nil
}

func forgetMessage(tx Tx, m *Message) error {
	if m.Intake != 0 {
		in, err := tx.Intake(m.Intake)
		if err != nil {
			return err
		}
		in.From, in.Subject, in.Envelope, in.Trust, in.MailID, in.Erased = Address{}, gone, Envelope{}, Trust{Level: in.Trust.Level}, "", true
		if err := tx.PutIntake(in); err != nil {
			return err
		}
		if err := tx.EraseRaw(m.Intake); err != nil {
			return err
		}
	}
	if m.Outgoing != "" {
		o, err := tx.Outgoing(m.Outgoing)
		if err != nil {
			return err
		}
		o.To, o.Text, o.Subject, o.Answer = Address{}, gone, gone, ""
		if o.State == Queued {
			o.State = Stopped
		}
		if err := tx.PutOutgoing(o); err != nil {
			return err
		}
		if err := tx.EraseBytes(o.Key); err != nil {
			return err
		}
	}
	m.From, m.To, m.Subject, m.Text, m.Quoted, m.Masks, m.Files, m.Bounce = Address{}, nil, gone, gone, len(gone), nil, nil, nil
	m.Trust.Reasons = nil
	if err := tx.PutMessage(m); err != nil {
		return err
	}
	return tx.PutWords(m.Key, m.At, nil)
}

// EraseOriginals removes the originals of mails that held a secret and came before a moment, as the house's rule for
// keeping them says, and returns how many.
func (tm *Team) EraseOriginals(ctx context.Context, a Actor, before time.Time) (n int, err error) {
	err = tm.book(ctx, a, RightSecurity, "mail.originals_erased", "", func(tx Tx) (facts, error) {
		n = 0
		for _, fate := range []Fate{ToTicket, ToMessage} {
			list, err := tx.IntakesOf(fate, 100_000)
			if err != nil {
				return nil, err
			}
			for _, in := range list {
				if !in.Secret || in.Erased || !in.At.Before(before) {
					continue
				}
				in.Erased = true
				if err := tx.PutIntake(in); err != nil {
					return nil, err
				}
				if err := tx.EraseRaw(in.ID); err != nil {
					return nil, err
				}
				n++
			}
		}
		return facts{"mails": count(n)}, nil
	})
	return n, err
}
