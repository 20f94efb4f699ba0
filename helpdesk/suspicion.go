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
	s.At, s.By = tm.Clock.Now(), a.Agent.Name
	var kept *Suspicion
	err := tm.book(ctx, a, RightAnswer, "suspicion.reported", "", func(tx Tx) (f facts, err error) {
		if kept, err = ReportFake(tx, s); err != nil {
			return nil, err
		}
		return facts{"report": kept.Key, "channel": kept.Channel, "grade": kept.Grade}, nil
	})
	if err != nil {
		return nil, err
	}
	return kept, nil
}

// SuspicionChannels are the ways by which impostors come; SuspicionAims are what they are after (T-S10, T-F13). Reports know
// no others.
var (
	SuspicionChannels = []string{"phone", "message", "zalo", "mail", "visit", "other"}
	SuspicionAims     = []string{"remote", "pin", "password", "otp", "link", "money", "information"}
)

// ReportFake keeps a report and lets the security officer be told; helpdesk/genuine calls it for mails that customers have
// shown us.
func ReportFake(tx Tx, s Suspicion) (*Suspicion, error) {
	n, err := tx.NextEntry("suspicion")
	if err != nil {
		return nil, err
	}
	if !slices.Contains(SuspicionChannels, s.Channel) {
		s.Channel = "other"
	}
	s.Wanted = slices.DeleteFunc(slices.Clone(s.Wanted), func(what string) bool { return !slices.Contains(SuspicionAims, what) })
	s.Key, s.Rev, s.Grade = fmt.Sprintf("G-%06d", n), 0, grade(s)
	if err := tx.Enqueue(job.Job{Key: "suspicion " + s.Key, Kind: SuspicionJob, Order: s.Key, Payload: []byte(s.Key), Created: s.At}); err != nil {
		return nil, err
	}
	return &s, Put(tx, &s)
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
