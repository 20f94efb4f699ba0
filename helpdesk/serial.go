package helpdesk

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"countersign/internal/clock"
)

// Serial is a ticket's name: "SD261121-000001". It is sequential and known to many, so it is never a secret.
type Serial struct {
	Prefix string
	Day    string // business day, 2026-11-21
	Number int64  // 1, 2, ...; its seventh digit appears after 999,999
}

// Numbering is the organisation's rule for serials.
type Numbering struct {
	Prefix   string // SD
	Digits   int    // the number is filled up to this width, and grows beyond it
	Lifelong bool   // the number goes on over days instead of beginning at 1 each day
}

// DefaultNumbering is the rule of the Treasury's notice: SDyymmdd-xxxxxx, from 1 each day.
var DefaultNumbering = Numbering{Prefix: "SD", Digits: 6}

// Alarm shares of a day's numbers without widening, of which the operator is told.
const (
	alarmHalf = 50
	alarmMost = 80
)

// Serials draws numbers; it is a part of Tx.
type Serials interface {
	// NextSerial counts the series up by one in this transaction: one that is rolled back gives the number back, so
	// numbers are dense. It returns the day under which it counted, which is day or, when the clock was set back, the
	// latest day ever drawn on.
	NextSerial(series, day string) (on string, number int64, err error)
}

// Draw takes the next serial. It must be called in the transaction that makes the ticket.
func (n Numbering) Draw(tx Serials, now time.Time) (Serial, error) {
	today := now.In(clock.Vietnam).Format(time.DateOnly)
	series, day := "ticket", today
	if n.Lifelong {
		series, day = "ticket for life", ""
	}
	on, number, err := tx.NextSerial(series, day)
	if err != nil {
		return Serial{}, fmt.Errorf("draw a serial: %w", err)
	}
	if n.Lifelong {
		on = today
	}
	return Serial{Prefix: n.Prefix, Day: on, Number: number}, nil
}

// Used returns how much of the numbers of a day without widening are drawn, in percent, and whether that is to be told.
func (n Numbering) Used(number int64) (percent int, alarm bool) {
	full := int64(1)
	for range n.Digits {
		full *= 10
	}
	percent = int(number * 100 / (full - 1))
	return percent, percent >= alarmHalf && number == (full-1)*alarmHalf/100+1 || percent >= alarmMost
}

// Format writes the serial as people see it; one without a day is "".
func (n Numbering) Format(s Serial) string {
	if len(s.Day) != len(time.DateOnly) {
		return ""
	}
	return fmt.Sprintf("%s%s%s%s-%0*d", s.Prefix, s.Day[2:4], s.Day[5:7], s.Day[8:10], n.Digits, s.Number)
}

// String writes the serial with six digits or more.
func (s Serial) String() string { return DefaultNumbering.Format(s) }

var errSerial = errors.New("a ticket id is SDyymmdd-xxxxxx, with a date of the calendar and 6 to 9 digits")

// ParseSerial reads "SD211208-123456", in capitals or not. It takes 6 to 9 digits of number, no more than six of them with
// leading zeros, and refuses days that the calendar does not have.
func ParseSerial(text string) (Serial, error) {
	text = strings.ToUpper(strings.TrimSpace(text))
	head, number, ok := strings.Cut(text, "-")
	if !ok || len(head) < 7 || len(number) < 6 || len(number) > 9 || len(number) > 6 && number[0] == '0' {
		return Serial{}, errSerial
	}
	prefix, date := head[:len(head)-6], head[len(head)-6:]
	if len(prefix) > 4 || strings.Trim(prefix, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || strings.Trim(date+number, "0123456789") != "" {
		return Serial{}, errSerial
	}
	day, err := time.ParseInLocation("060102", date, clock.Vietnam)
	if err != nil {
		return Serial{}, errSerial
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n == 0 {
		return Serial{}, errSerial
	}
	// Two digits of a year from 69 on are read as the last century, which has no tickets.
	if day.Year() < 2000 {
		return Serial{}, errSerial
	}
	return Serial{Prefix: prefix, Day: day.Format(time.DateOnly), Number: n}, nil
}
