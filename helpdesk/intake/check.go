package intake

import (
	"time"

	"countersign/helpdesk"
	"countersign/mail"
)

// Question is a mail that asks whether something is really ours.
type Question struct {
	Intake int64 // the arrival
	Mail   *mail.Message
	Check  Check // the number and code that it names; empty when it has the suspicious mail attached
	Proven bool  // its sender is
	Now    time.Time
}

// Checker decides whether a question is answered, and queues the answer; helpdesk/genuine has it. It returns a stable name
// of why it did or didn't, and the ticket on which an answer stands, "" when there is none. It must not write otherwise.
type Checker interface {
	Answer(tx helpdesk.Tx, q Question) (reason, ticket string, err error)
}

// check has a question answered. Whatever is wrong with it, its sender hears nothing, and agents see why.
func (f *filing) check(m *mail.Message, v mail.Verdict) error {
	if f.r.Checks == nil {
		return f.end(helpdesk.ToCheck, "check")
	}
	reason, ticket, err := f.r.Checks.Answer(f.tx, Question{Intake: f.in.ID, Mail: m, Check: f.w.reading.Check, Proven: v.Level.Proven(), Now: f.now})
	if err != nil {
		return err
	}
	if ticket != "" {
		f.in.Ticket = ticket
		f.out.queued = true
		f.out.changed = append(f.out.changed, ticket)
	}
	return f.end(helpdesk.ToCheck, reason)
}
