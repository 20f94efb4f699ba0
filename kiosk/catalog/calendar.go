package catalog

import (
	"time"

	"countersign/internal/clock"
)

// Calendar knows which days are worked. Saturdays and Sundays are free, so are holidays; a weekend day may be
// worked to make up for a day given free.
type Calendar struct {
	Version  string
	From, To time.Time // the days that the data cover; outside, only weekends are known
	free     map[string]Holiday
	worked   map[string]bool
}

// Holiday is one free day that would have been worked.
type Holiday struct {
	Name     Text
	Expected bool // follows from the law but was not yet announced when the data were written
}

// dateOf returns midnight of the day in business time.
func dateOf(t time.Time) time.Time {
	t = t.In(clock.Vietnam)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, clock.Vietnam)
}

// calendar reads the holidays.
func (r *reader) calendar(m *mapping) *Calendar {
	c := &Calendar{free: map[string]Holiday{}, worked: map[string]bool{}}
	c.Version = m.text("version")
	c.From = m.date("valid_from")
	m.need("valid_to")
	c.To = m.date("valid_to")
	m.need("free")
	for _, d := range m.mappings("free") {
		day := d.date("date")
		key := day.Format(time.DateOnly)
		if _, dup := c.free[key]; dup {
			d.refuse("catalog.day_twice", "date", nil)
		}
		if day.Before(c.From) || day.After(c.To) {
			d.refuse("catalog.day_outside", "date", nil)
		}
		d.need("name")
		h := Holiday{Name: d.words("name", ""), Expected: d.flag("expected", false)}
		// A day that is only proposed is kept in the file for the operator to see, but is worked until decided.
		if !d.flag("proposed", false) {
			c.free[key] = h
		}
		d.done()
	}
	for _, d := range m.mappings("worked") {
		day := d.date("date")
		d.date("instead_of")
		c.worked[day.Format(time.DateOnly)] = true
		d.done()
	}
	return c
}

// Works reports whether the day is worked.
func (c *Calendar) Works(day time.Time) bool {
	key := dateOf(day).Format(time.DateOnly)
	if c.worked[key] {
		return true
	}
	if _, free := c.free[key]; free {
		return false
	}
	w := dateOf(day).Weekday()
	return w != time.Saturday && w != time.Sunday
}

// Holiday returns the holiday of a day.
func (c *Calendar) Holiday(day time.Time) (Holiday, bool) {
	h, ok := c.free[dateOf(day).Format(time.DateOnly)]
	return h, ok
}

// Covers reports whether the data know the holidays of the day.
func (c *Calendar) Covers(day time.Time) bool {
	d := dateOf(day)
	return !d.Before(c.From) && !d.After(c.To)
}

// maxWorkingDays bounds Add; no term is longer.
const maxWorkingDays = 1000

// Add returns the day on which a term of the given working days ends. The day of receipt does not count: the next
// worked day is the first. No days end on the same day.
func (c *Calendar) Add(from time.Time, days int) time.Time {
	d := dateOf(from)
	for days = min(days, maxWorkingDays); days > 0; {
		d = d.AddDate(0, 0, 1)
		if c.Works(d) {
			days--
		}
	}
	return d
}

// Between counts the worked days after one day up to and including another; negative when the other came before.
func (c *Calendar) Between(from, to time.Time) int {
	a, b, sign := dateOf(from), dateOf(to), 1
	if b.Before(a) {
		a, b, sign = b, a, -1
	}
	n := 0
	for d := a.AddDate(0, 0, 1); !d.After(b) && n < 10*maxWorkingDays; d = d.AddDate(0, 0, 1) {
		if c.Works(d) {
			n++
		}
	}
	return sign * n
}
