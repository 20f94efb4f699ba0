package service

import (
	"context"
	"time"

	"countersign/internal/fault"
	"countersign/internal/job"
	"countersign/kiosk"
)

// Links tells how the connected systems are, by what was last sent to them, and what waits to leave.
func (s *Service) Links(ctx context.Context, unit string) ([]kiosk.Link, []kiosk.OutboxRow, error) {
	// The helpdesk's jobs and those of the house itself are nobody's at the counter.
	waiting, err := s.Store.Waiting(ctx, 200, kiosk.JobHandOver, kiosk.JobCodeMail, kiosk.JobMail, kiosk.JobPrint, kiosk.JobStamp)
	if err != nil {
		return nil, nil, err
	}
	links := map[string]*kiosk.Link{}
	order := []string{kiosk.JobHandOver, kiosk.JobMail, kiosk.JobPrint}
	for _, name := range order {
		links[name] = &kiosk.Link{Name: name, State: "ok"}
	}
	links[kiosk.JobHandOver].Label, links[kiosk.JobHandOver].StandIn = s.Hall.Units[unit].BackOffice, s.Options.StandIn
	rows := []kiosk.OutboxRow{}
	untimed := 0 // files that wait for their timestamp
	for _, j := range waiting {
		o, err := s.orderOf(ctx, j)
		if err != nil {
			return nil, nil, err
		}
		if o.Unit != unit {
			continue
		}
		kind := j.Kind
		if kind == kiosk.JobCodeMail {
			kind = kiosk.JobMail
		}
		if kind == kiosk.JobStamp {
			untimed++
			continue
		}
		l, leaves := links[kind]
		if !leaves {
			continue // what the house does for itself
		}
		l.Waiting++
		if j.LastErr != "" {
			l.State, l.Note, l.LastFail = "down", j.LastErr, j.RunAt
		}
		rows = append(rows, kiosk.OutboxRow{ID: j.ID, Number: len(rows) + 1, Order: o.Key, Serial: o.Serial(), Kind: j.Kind, Since: j.Created,
			Tries: j.Tries, Next: j.RunAt, Err: j.LastErr, Dead: j.State == job.Dead})
	}
	if err := s.lastGood(ctx, unit, links); err != nil {
		return nil, nil, err
	}
	out := []kiosk.Link{}
	for _, name := range order {
		out = append(out, *links[name])
	}
	state := kiosk.Link{Name: "seal", State: "ok", Last: s.Options.Clock.Now()}
	if err := s.Sealing.State(ctx); err != nil {
		state.State = "down"
	}
	stamp := kiosk.Link{Name: "tsa", State: "unused"}
	if len(s.Options.TSA) > 0 || s.Options.LocalTSA {
		stamp.State, stamp.StandIn, stamp.Waiting = "ok", s.Options.LocalTSA, untimed
		if untimed > 0 {
			stamp.State = "down"
		}
	}
	return append(out, state, stamp), rows, nil
}

// lastGood finds when each system last took something, from the unit's orders of the last week.
func (s *Service) lastGood(ctx context.Context, unit string, links map[string]*kiosk.Link) error {
	now := s.Options.Clock.Now()
	later := func(l *kiosk.Link, at time.Time) {
		if at.After(l.Last) {
			l.Last = at
		}
	}
	return s.Store.View(ctx, func(tx kiosk.Tx) error {
		orders, err := tx.ListOrders(unit, now.AddDate(0, 0, -7), now.Add(time.Second), 50)
		if err != nil {
			return err
		}
		for _, o := range orders {
			if o.HandOver.State == "done" {
				later(links[kiosk.JobHandOver], o.HandOver.At)
			}
			if o.Receipt.Mail.State == "done" {
				later(links[kiosk.JobMail], o.Receipt.Mail.At)
			}
			if o.CodeSent.State == "done" {
				later(links[kiosk.JobMail], o.CodeSent.At)
			}
			if o.Receipt.Print.State == "done" {
				later(links[kiosk.JobPrint], o.Receipt.Print.At)
			}
		}
		return nil
	})
}

func (s *Service) orderOf(ctx context.Context, j job.Job) (*kiosk.Order, error) {
	var o *kiosk.Order
	err := s.Store.View(ctx, func(tx kiosk.Tx) error {
		var err error
		o, err = tx.Order(j.Order)
		return err
	})
	return o, err
}

// Retry sends a waiting item of the unit now; another unit's does not exist.
func (s *Service) Retry(ctx context.Context, unit string, id int64) error {
	j, err := s.Store.Job(ctx, id)
	if err != nil {
		return err
	}
	o, err := s.orderOf(ctx, j)
	if err != nil {
		return err
	}
	if o.Unit != unit {
		return fault.New(fault.NotFound, "store.not_found", nil)
	}
	return s.Store.Retry(ctx, id)
}
