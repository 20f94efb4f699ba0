package helpdesk

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"
)

// Figures are the numbers of a period (D8, T-F37).
type Figures struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`

	Made       int             `json:"made"`
	Resolved   int             `json:"resolved"`
	FirstReply time.Duration   `json:"first_reply"` // median, working time; -1 when there was none
	InTime     float64         `json:"in_time"`     // share of the resolved tickets that were resolved in their term, 0 to 1; -1 when none was
	OverdueNow int             `json:"overdue_now"`
	Rated      int             `json:"rated"`
	Rating     float64         `json:"rating"` // mean of 1 to 5; 0 when nobody rated
	ByCategory map[string]int  `json:"by_category"`
	ByProvince map[string]int  `json:"by_province"`
	ByChannel  map[Channel]int `json:"by_channel"`

	MailsIn   map[Fate]int     `json:"mails_in"` // with Duplicate; the sum is every mail that was ever seen in the period
	MailsOut  map[OutState]int `json:"mails_out"`
	Suspected int              `json:"suspected"` // reports of impostors
	ByWay     map[string]int   `json:"by_way"`    // those, by channel
	Claims    int              `json:"claims"`    // checks of somebody who said to be our staff
	Failed    int              `json:"failed"`    // those with a proof missing
	Questions map[string]int   `json:"questions"` // mails that asked whether something is ours, by what became of them
	LastDay   string           `json:"last_day"`
	Last      int64            `json:"last"` // the last serial's number on LastDay
}

// Figures counts a period. No figure tells one agent's speed.
func (tm *Team) Figures(ctx context.Context, a Actor, from, to time.Time) (*Figures, error) {
	if err := a.May(RightReport); err != nil {
		return nil, err
	}
	f := &Figures{From: from, To: to, ByCategory: map[string]int{}, ByProvince: map[string]int{}, ByChannel: map[Channel]int{}, FirstReply: -1, InTime: -1}
	err := tm.Store.View(ctx, func(tx Tx) error {
		var replies []time.Duration
		inTime, stars := 0, 0
		err := tx.TicketsBetween(from, to, func(t *Ticket) error {
			f.Made++
			f.ByCategory[t.Category]++
			f.ByProvince[t.Route.Province]++
			f.ByChannel[t.Channel]++
			if !t.FirstReply.IsZero() {
				replies = append(replies, tm.Working.Between(t.Created, t.FirstReply))
			}
			if !t.ResolvedAt.IsZero() {
				f.Resolved++
				if t.Left >= 0 {
					inTime++
				}
			}
			if t.Rating > 0 {
				f.Rated++
				stars += t.Rating
			}
			return nil
		})
		if err != nil {
			return err
		}
		if len(replies) > 0 {
			slices.Sort(replies)
			f.FirstReply = replies[len(replies)/2]
		}
		if f.Resolved > 0 {
			f.InTime = float64(inTime) / float64(f.Resolved)
		}
		if f.Rated > 0 {
			f.Rating = float64(stars) / float64(f.Rated)
		}
		return tm.counts(tx, f)
	})
	return f, err
}

// questionsMax is how many questions by mail are looked at for the figures, the newest first.
const questionsMax = 10_000

func (tm *Team) counts(tx Tx, f *Figures) (err error) {
	if f.OverdueNow, err = tx.CountQueue(Queue{Overdue: true}, tm.Clock.Now()); err != nil {
		return err
	}
	if f.MailsIn, err = tx.Fates(f.From); err != nil {
		return err
	}
	if f.MailsOut, err = tx.CountOutgoings(f.From); err != nil {
		return err
	}
	suspected, err := List[Suspicion](tx, "", f.From, f.To, 0)
	if err != nil {
		return err
	}
	f.Suspected, f.ByWay, f.Questions = len(suspected), map[string]int{}, map[string]int{}
	for _, s := range suspected {
		f.ByWay[s.Channel]++
	}
	asked, err := List[Asked](tx, "", f.From, f.To, 0)
	if err != nil {
		return err
	}
	f.Claims = len(asked)
	for _, a := range asked {
		if !a.Holds {
			f.Failed++
		}
	}
	questions, err := tx.IntakesOf(ToCheck, questionsMax)
	if err != nil {
		return err
	}
	for _, in := range questions {
		if !in.At.Before(f.From) && in.At.Before(f.To) {
			f.Questions[in.Reason]++
		}
	}
	series := "ticket"
	if tm.Numbering.Lifelong {
		series = "ticket for life"
	}
	f.LastDay, f.Last, err = tx.LastSerial(series)
	return err
}

// Export writes the tickets of a period as CSV: no names, addresses, numbers or texts. The purpose stands in the journal.
func (tm *Team) Export(ctx context.Context, a Actor, purpose string, from, to time.Time, out io.Writer) error {
	if err := a.May(RightReport); err != nil {
		return err
	}
	if err := reason(purpose); err != nil {
		return err
	}
	if err := tm.book(ctx, a, RightReport, "ticket.export", "", func(Tx) (facts, error) {
		return facts{"from": from.Format(time.RFC3339), "to": to.Format(time.RFC3339), "purpose": purpose}, nil
	}); err != nil {
		return err
	}
	w := csv.NewWriter(out)
	stamp := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(time.RFC3339)
	}
	if err := w.Write([]string{"ticket", "state", "channel", "province", "category", "unit", "created", "due", "first_reply", "resolved", "rating", "messages"}); err != nil {
		return err
	}
	err := tm.Store.View(ctx, func(tx Tx) error {
		return tx.TicketsBetween(from, to, func(t *Ticket) error {
			return w.Write([]string{t.Key, string(t.State), string(t.Channel), t.Route.Province, t.Category, t.Unit, stamp(t.Created),
				stamp(t.Due), stamp(t.FirstReply), stamp(t.ResolvedAt), strconv.Itoa(t.Rating), strconv.Itoa(t.Count)})
		})
	})
	if err != nil {
		return err
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	return nil
}

// Rate keeps what the customer thought of the help, 1 to 5; helpdesk/reply calls it for an answer with the ticket's code.
func (tm *Team) Rate(ctx context.Context, key string, stars int) error {
	if stars < 1 || stars > 5 {
		return reason("")
	}
	_, err := tm.change(ctx, Actor{Agent: Agent{Roles: []Role{RoleAgent}}, Place: "mail"}, RightAnswer, key, 0, "ticket.rated", func(_ Tx, t *Ticket) (facts, error) {
		t.Rating, t.RatedAt = stars, tm.Clock.Now()
		return facts{"stars": strconv.Itoa(stars)}, nil
	})
	return err
}

// escalations are how far behind its term a ticket is, in working time, when somebody else is told: the agent, the leads,
// the security officer for AT.
var escalations = []time.Duration{0, 2 * time.Hour, 8 * time.Hour}

// EscalationJob is the kind of the jobs by which people are told of an overdue ticket; the payload is the ticket and the
// step: "SD261121-000001 2".
const EscalationJob = "helpdesk_escalation"
