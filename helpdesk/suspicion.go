package helpdesk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"countersign/internal/job"
)

// Suspect writes a report about an impostor, and lets the security officer be told in the same transaction.
func (tm *Team) Suspect(ctx context.Context, a Actor, s Suspicion) (*Suspicion, error) {
	if err := reason(s.Story + " " + s.Claimed); err != nil {
		return nil, err
	}
	s.At, s.By, s.Grade = tm.Clock.Now(), a.Agent.Name, grade(s)
	err := tm.book(ctx, a, RightAnswer, "suspicion.reported", "", func(tx Tx) (facts, error) {
		s.Rev = 0
		n, err := tx.NextEntry("suspicion")
		if err != nil {
			return nil, err
		}
		s.Key = fmt.Sprintf("G-%06d", n)
		if err := tx.Enqueue(job.Job{Key: "suspicion " + s.Key, Kind: SuspicionJob, Order: s.Key, Payload: []byte(s.Key), Created: s.At}); err != nil {
			return nil, err
		}
		return facts{"report": s.Key, "channel": s.Channel, "grade": s.Grade}, Put(tx, &s)
	})
	if err != nil {
		return nil, err
	}
	return &s, nil
}

// grade is urgent when something was lost or a machine may be in other hands, high when a secret was wanted.
func grade(s Suspicion) string {
	switch {
	case s.Lost != "" || slices.Contains(s.Wanted, "remote"):
		return "urgent"
	case slices.Contains(s.Wanted, "pin"), slices.Contains(s.Wanted, "password"), slices.Contains(s.Wanted, "otp"), slices.Contains(s.Wanted, "money"):
		return "high"
	}
	return "medium"
}

// CloseSuspicion notes the verdict of the security officer.
func (tm *Team) CloseSuspicion(ctx context.Context, a Actor, key, verdict string) error {
	return tm.book(ctx, a, RightSecurity, "suspicion.closed", "", func(tx Tx) (facts, error) {
		s, err := Get[Suspicion](tx, key)
		if err != nil {
			return nil, err
		}
		s.Verdict, s.Closed = verdict, tm.Clock.Now()
		return facts{"report": key}, Put(tx, s)
	})
}

// Suspicions lists the reports, newest first.
func (tm *Team) Suspicions(ctx context.Context, a Actor, from, to time.Time) (list []*Suspicion, err error) {
	if err := a.May(RightSee); err != nil {
		return nil, err
	}
	err = tm.Store.View(ctx, func(tx Tx) error {
		list, err = List[Suspicion](tx, "", from, to, asideMax)
		return err
	})
	return list, err
}
