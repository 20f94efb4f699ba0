package intake

import (
	"time"

	"countersign/helpdesk"
)

// Limits are the budgets; 0 is no limit. They are counted in the transaction of what they count, so they survive restarts.
type Limits struct {
	SenderHour   int // mails of one proven sender that get a ticket or join one
	UnprovenHour int // mails of all senders who are not proven, together
	AllHour      int // all mails

	AnswerHour int           // automatic mails to one address in an hour
	AnswerDay  int           // and in a day
	AnswerAll  int           // automatic mails to everybody in a minute
	Correction time.Duration // a sender is told of the right subject once in this time

	Reopen time.Duration // an answer opens a closed ticket again for this long, and makes a new one after it
}

// DefaultLimits are enough for honest customers, little for a flood.
var DefaultLimits = Limits{
	SenderHour: 30, UnprovenHour: 300, AllHour: 20_000,
	AnswerHour: 1, AnswerDay: 3, AnswerAll: 60, Correction: 30 * 24 * time.Hour,
	Reopen: 14 * 24 * time.Hour,
}

// budget is one counted limit.
type budget struct {
	name   string
	window time.Duration
	max    int
	reason string
}

func (l Limits) arriving(proven bool, sender string) []budget {
	list := []budget{{"in all", time.Hour, l.AllHour, "budget.all"}}
	if proven {
		return append(list, budget{"in from " + helpdesk.FoldAddress(sender), time.Hour, l.SenderHour, "budget.sender"})
	}
	return append(list, budget{"in unproven", time.Hour, l.UnprovenHour, "budget.unproven"})
}

func (l Limits) answering(to string) []budget {
	to = helpdesk.FoldAddress(to)
	return []budget{
		{"out all", time.Minute, l.AnswerAll, "budget.all"},
		{"out hour " + to, time.Hour, l.AnswerHour, "budget.hour"},
		{"out day " + to, 24 * time.Hour, l.AnswerDay, "budget.day"},
	}
}

// left reports whether another mail of this sender would be let in now.
func (l Limits) left(tx helpdesk.Intakes, proven bool, sender string, now time.Time) (bool, error) {
	reason, err := full(tx, l.arriving(proven, sender), now)
	return reason == "", err
}

// full returns the reason of the first budget that is used up, "" when none is.
func full(tx helpdesk.Intakes, list []budget, now time.Time) (string, error) {
	for _, b := range list {
		if b.max == 0 {
			continue
		}
		used, err := tx.Spent(b.name, b.window, now)
		if err != nil || used >= b.max {
			return b.reason, err
		}
	}
	return "", nil
}

// spend counts one use of every budget, or none when one of them is used up, and returns that one's reason.
func spend(tx helpdesk.Intakes, list []budget, now time.Time) (string, error) {
	reason, err := full(tx, list, now)
	if err != nil || reason != "" {
		return reason, err
	}
	for _, b := range list {
		if b.max == 0 {
			continue
		}
		if _, err := tx.Spend(b.name, b.window, now); err != nil {
			return "", err
		}
	}
	return "", nil
}
