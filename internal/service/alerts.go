package service

import (
	"context"
	"fmt"
	"strings"

	"countersign/helpdesk"
	"countersign/internal/fault"
	"countersign/internal/job"
)

// tellOfSuspicion tells of a report of an impostor by two ways that don't lead through the desk: the log, which the
// operator's monitoring reads, and a signed mail to the security officer. What people have told stays in the record.
func (m *Mailroom) tellOfSuspicion(ctx context.Context, j job.Job) job.Outcome {
	officer := m.service.Options.Desk.Security
	var s *helpdesk.Suspicion
	err := m.service.Store.Helpdesk().Update(ctx, func(tx helpdesk.Tx) (err error) {
		if s, err = helpdesk.Get[helpdesk.Suspicion](tx, string(j.Payload)); err != nil || officer == "" || !s.Told.IsZero() {
			return err
		}
		err = m.alert(tx, officer, s.Key, 1, helpdesk.Point{Name: helpdesk.PointSuspicion, Args: map[string]string{"report": s.Key,
			"channel": orElse(s.Channel, "other"), "wanted": strings.Join(s.Wanted, " "), "grade": s.Grade, "unit": orElse(s.Unit, "-"), "serial": orElse(s.Ticket, "-")}})
		if err != nil {
			return err
		}
		s.Told = m.service.Options.Clock.Now()
		return helpdesk.Put(tx, s)
	})
	switch {
	case fault.KindOf(err) == fault.NotFound && err != nil:
		return job.Refused(err)
	case err != nil:
		return job.Again(err)
	}
	m.service.Options.Log.Error("somebody passes for our staff", "report", s.Key, "channel", s.Channel, "grade", s.Grade, "mailed", officer != "")
	return job.Taken("")
}

// tellOfOverdue tells who leads the desk of each step that a request is overdue, and the security officer of the last.
func (m *Mailroom) tellOfOverdue(ctx context.Context, j job.Job) job.Outcome {
	var serial string
	var step int
	if _, err := fmt.Sscanf(string(j.Payload), "%s %d", &serial, &step); err != nil {
		return job.Refused(fmt.Errorf("read which request is overdue: %w", err))
	}
	o := m.service.Options.Desk
	err := m.service.Store.Helpdesk().Update(ctx, func(tx helpdesk.Tx) error {
		t, err := tx.Ticket(serial)
		if err != nil {
			return err
		}
		point := helpdesk.Point{Name: helpdesk.PointOverdue, Args: map[string]string{"serial": serial, "step": fmt.Sprint(step)}}
		name := "Q-" + serial
		if o.Lead != "" {
			if err := m.alert(tx, o.Lead, name, step, point); err != nil {
				return err
			}
		}
		if o.Security != "" && step >= lastStep && t.Category == safety {
			return m.alert(tx, o.Security, name, lastStep+step, point)
		}
		return nil
	})
	switch {
	case fault.KindOf(err) == fault.NotFound && err != nil:
		return job.Refused(err)
	case err != nil:
		return job.Again(err)
	}
	m.service.Options.Log.Warn("a request is overdue", "ticket", serial, "step", step)
	return job.Taken("")
}

const (
	lastStep = 3    // of an overdue request
	safety   = "AT" // the category of requests about impostors
)

// alert queues a signed mail that belongs to no ticket. It has a number of its own, so that a repeat adds none.
func (m *Mailroom) alert(tx helpdesk.Tx, to, about string, number int, point helpdesk.Point) error {
	key := helpdesk.MessageKey(about, number)
	if _, err := tx.Outgoing(key); err == nil || fault.KindOf(err) != fault.NotFound {
		return err
	}
	id, err := m.service.Desk.Secrets.NewMailID()
	if err != nil {
		return err
	}
	now := m.service.Options.Clock.Now()
	if err := tx.PutOutgoing(&helpdesk.Outgoing{Key: key, Ticket: about, Form: helpdesk.Alert, State: helpdesk.Queued, Created: now,
		To: helpdesk.Address{Address: to}, Points: []helpdesk.Point{point}, MailID: id}); err != nil {
		return err
	}
	return tx.Enqueue(job.Job{Key: "desk mail " + key, Kind: helpdesk.MailJob, Order: about, Payload: []byte(key), Created: now})
}
