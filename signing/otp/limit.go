package otp

import (
	"strconv"
	"time"

	"countersign/internal/fault"
)

// Limits of an account.
const (
	PerDay     = 10               // challenges within 24 hours
	ResendWait = 30 * time.Second // between two challenges
	DeadWait   = 15 * time.Minute // after a challenge died of wrong tries
)

// NextAt is when a new challenge may be asked for after this one.
func NextAt(c Challenge) time.Time {
	switch c.State {
	case Dead:
		return c.Ended.Add(DeadWait)
	case Used:
		return c.Ended // It has done its work; the next order's code is another matter.
	}
	return c.Issued.Add(ResendWait)
}

// Allow says whether an account may have another challenge now. past are its challenges of the last 24 hours or more, in
// any order. The day is the 24 hours before now, so midnight brings no second portion; a clock set back frees nobody.
// Faults: otp.locked (with the time from when), otp.soon (with seconds), otp.many.
func Allow(past []Challenge, now time.Time) error {
	count := 0
	var locked, soon time.Time
	for _, c := range past {
		next := NextAt(c)
		if c.State == Dead && next.After(locked) {
			locked = next
		}
		if c.State != Dead && next.After(soon) {
			soon = next
		}
		if c.Issued.After(now.Add(-24 * time.Hour)) {
			count++
		}
	}
	switch {
	case now.Before(locked):
		return fault.New(fault.TooMany, "otp.locked", fault.Args{"at": hour(locked)})
	case count >= PerDay:
		return fault.New(fault.TooMany, "otp.many", fault.Args{"count": strconv.Itoa(PerDay)})
	case now.Before(soon):
		seconds := int64((soon.Sub(now) + time.Second - 1) / time.Second)
		return fault.New(fault.TooMany, "otp.soon", fault.Args{"seconds": strconv.FormatInt(seconds, 10)})
	}
	return nil
}
