// Package clock is where the program learns what time it is, so that tests can say so themselves.
//
// Every package that needs the time takes a Clock; nothing but System calls time.Now.
package clock

import (
	"sync"
	"time"
)

// Vietnam is the business time zone: UTC+7, without daylight saving.
var Vietnam = time.FixedZone("+07", 7*60*60)

// Clock tells the time.
type Clock interface {
	Now() time.Time
}

// System is the machine's own clock, in business time.
type System struct{}

// Now returns the present moment in business time.
func (System) Now() time.Time { return time.Now().In(Vietnam) }

// Set is a clock that stands still until it is moved; the zero value stands at the zero time.
type Set struct {
	mu  sync.Mutex
	now time.Time
}

// At returns a clock that stands at t.
func At(t time.Time) *Set { return &Set{now: t} }

// Now returns the moment at which the clock stands.
func (s *Set) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// Advance moves the clock by d, backwards too.
func (s *Set) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}
