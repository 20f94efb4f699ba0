package helpdesk

import (
	"time"

	"countersign/internal/clock"
)

// Calendar knows which days are worked; kiosk/catalog's Calendar is one, from the dated table of holidays.
type Calendar interface {
	Works(day time.Time) bool
}

// Span is a stretch of a working day, in hours since midnight: 7:30 to 11:30.
type Span struct{ From, To time.Duration }

// OfficeHours are the hours of a Treasury office.
var OfficeHours = []Span{{7*time.Hour + 30*time.Minute, 11*time.Hour + 30*time.Minute}, {13*time.Hour + 30*time.Minute, 17 * time.Hour}}

// Working counts working time in the business zone.
type Working struct {
	Days  Calendar
	Hours []Span // of every worked day, in order
}

// daysMax bounds a search through the calendar; no term is longer.
const daysMax = 800

// Add returns the moment at which d of working time has passed since from.
func (w Working) Add(from time.Time, d time.Duration) time.Time {
	at := from.In(clock.Vietnam)
	for range daysMax {
		midnight := midnightOf(at)
		if w.Days.Works(midnight) {
			for _, s := range w.Hours {
				begin, end := midnight.Add(s.From), midnight.Add(s.To)
				if begin.Before(at) {
					begin = at
				}
				if left := end.Sub(begin); left > 0 {
					if d <= left {
						return begin.Add(d)
					}
					d -= left
				}
			}
		}
		at = midnight.AddDate(0, 0, 1)
	}
	return at
}

// Between returns the working time from a to b, negative when b is earlier.
func (w Working) Between(a, b time.Time) time.Duration {
	if b.Before(a) {
		return -w.Between(b, a)
	}
	a, b = a.In(clock.Vietnam), b.In(clock.Vietnam)
	sum := time.Duration(0)
	for day, n := midnightOf(a), 0; day.Before(b) && n < daysMax; day, n = day.AddDate(0, 0, 1), n+1 {
		if !w.Days.Works(day) {
			continue
		}
		for _, s := range w.Hours {
			begin, end := day.Add(s.From), day.Add(s.To)
			if begin.Before(a) {
				begin = a
			}
			if end.After(b) {
				end = b
			}
			sum += max(0, end.Sub(begin))
		}
	}
	return sum
}

func midnightOf(t time.Time) time.Time {
	t = t.In(clock.Vietnam)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, clock.Vietnam)
}
