package helpdesk

import (
	"context"

	"countersign/internal/fault"
)

// Preview is the mail that a draft would become, word for word. Its check code is drawn when it is queued, and stands here
// as a row of signs.
type Preview struct {
	From    string `json:"from"`
	To      string `json:"to"`
	Subject string `json:"subject"`
	Body    string `json:"body"`
}

// Preview composes the mail that a draft would become; nothing is kept.
func (tm *Team) Preview(ctx context.Context, a Actor, key string, d Draft) (out Preview, err error) {
	if err := a.May(RightAnswer); err != nil {
		return out, err
	}
	if tm.Lint == nil || tm.Compose == nil {
		return out, fault.New(fault.Unavailable, "ticket.no_linter", nil)
	}
	if err := reason(d.Text); err != nil {
		return out, err
	}
	if err := tm.Lint(d.Text); err != nil {
		return out, err
	}
	err = tm.Store.View(ctx, func(tx Tx) error {
		t, err := tm.load(tx, a, key)
		if err != nil {
			return err
		}
		if FoldAddress(t.Customer) == "" {
			return fault.New(fault.Invalid, "ticket.no_address", fault.Args{"ticket": key})
		}
		earlier, err := tx.OutgoingsOf(key)
		first := true
		for _, e := range earlier {
			first = first && (e.State == Queued || e.State == Stopped)
		}
		out = tm.Compose(&Outgoing{Ticket: key, Form: Reply, To: Address{Address: t.Customer}, Author: a.Agent.Name, Subject: t.Subject, Text: d.Text}, &a.Agent, first)
		return err
	})
	return out, err
}
