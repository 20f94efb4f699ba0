package helpdesk

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"countersign/internal/fault"
)

func count(n int) string     { return strconv.Itoa(n) }
func arrival(n int64) string { return strconv.FormatInt(n, 10) }

// Request is one that did not come by mail: at the counter or on the phone.
type Request struct {
	Channel  Channel `json:"channel"`
	Reason   string  `json:"reason"` // why it is not a mail; needed for the phone (T-F05)
	Subject  string  `json:"subject"`
	Text     string  `json:"text"`
	Category string  `json:"category"`
	Province string  `json:"province"`
	Unit     string  `json:"unit"`
	Contact  Contact `json:"contact"`
	Customer string  `json:"customer"` // address for answers; "" when there is none
	Claims   string  `json:"claims"`   // the ticket that it has to do with
}

// Open makes a ticket by hand.
func (tm *Team) Open(ctx context.Context, a Actor, r Request) (*Ticket, error) {
	if err := a.May(RightAnswer); err != nil {
		return nil, err
	}
	if r.Channel == ByPhone || r.Channel == "" {
		r.Channel = ByPhone
		if err := reason(r.Reason); err != nil {
			return nil, err
		}
	}
	if err := reason(r.Subject); err != nil {
		return nil, err
	}
	if !tm.Categories.has(r.Category) {
		r.Category = tm.Categories.Guess(Words(r.Subject + " " + r.Text))
	}
	var out *Ticket
	err := tm.Store.Update(ctx, func(tx Tx) error {
		now := tm.Clock.Now()
		serial, err := tm.Numbering.Draw(tx, now)
		if err != nil {
			return err
		}
		t := &Ticket{Key: tm.Numbering.Format(serial), Channel: r.Channel, Priority: Normal, Rank: RankMail, Category: r.Category,
			Route: Route{Province: r.Province}, Subject: r.Subject, Unit: r.Unit, Contact: r.Contact, Customer: r.Customer, Claims: r.Claims}
		if r.Channel == ByPhone {
			t.Rank = RankPhone
		}
		if r.Unit != "" {
			u, err := Get[Unit](tx, r.Unit)
			if err != nil {
				return err
			}
			// A registered address is one that the unit has given us on paper.
			t.Proven = slices.ContainsFunc(u.Addresses, func(x string) bool { return FoldAddress(x) == FoldAddress(r.Customer) })
			if t.Route.Province == "" {
				t.Route.Province = u.Province
			}
		}
		if r.Customer != "" {
			t.Participants = []Participant{{Address: r.Customer, Name: r.Contact.Name, Since: now, By: a.Agent.Name}}
		}
		if r.Claims != "" {
			if _, err := tm.load(tx, a, r.Claims); err != nil {
				return err
			}
			t.Links = []string{r.Claims}
		}
		t.Begin(tm.Working, now, tm.Categories.Category(r.Category).Term, nil)
		m, err := note(tx, t, CallNote, a.Agent.Name, r.Text, now)
		if err != nil {
			return err
		}
		if err := tx.PutWords(m.Key, now, Terms(r.Subject, r.Text, r.Contact.Name, r.Contact.Phone)); err != nil {
			return err
		}
		out = t
		return tm.keep(tx, a, t, "ticket.made", facts{"channel": string(r.Channel), "category": r.Category, "province": t.Route.Province})
	})
	if err != nil {
		return nil, err
	}
	tm.tell(out.Key)
	return out, nil
}

// Call is one entry of the call log. An outgoing one is written before the number may be dialled: a call that is not here
// was not ours.
type Call struct {
	Key       string    `json:"key"` // C-000123
	Rev       int64     `json:"rev"`
	Out       bool      `json:"out"`
	At        time.Time `json:"at"`
	Ended     time.Time `json:"ended"`
	Agent     string    `json:"agent"`
	Extension string    `json:"extension"`
	Unit      string    `json:"unit"`
	Phone     string    `json:"phone"`
	Ticket    string    `json:"ticket"`
	Reason    string    `json:"reason"`
	Result    string    `json:"result"`
	Check     bool      `json:"check"` // the caller asked whether a call was ours
}

func (c *Call) entry() entry { return entry{"call", c.Key, c.Unit, c.At, &c.Rev} }

// LogCall writes a call into the log. An outgoing call goes to a number that the unit has registered or the ticket's
// customer gave, from an extension of ours.
func (tm *Team) LogCall(ctx context.Context, a Actor, c Call) (*Call, error) {
	if err := reason(c.Reason); err != nil {
		return nil, err
	}
	c.Agent, c.At, c.Extension = a.Agent.Name, tm.Clock.Now(), a.Agent.Extension
	err := tm.book(ctx, a, RightAnswer, "call.logged", c.Ticket, func(tx Tx) (facts, error) {
		c.Rev = 0
		if c.Out {
			if !slices.Contains(tm.Extensions, c.Extension) {
				return nil, fault.New(fault.Forbidden, "call.extension", fault.Args{"extension": c.Extension})
			}
			if err := tm.mayDial(tx, a, &c); err != nil {
				return nil, err
			}
		}
		n, err := tx.NextEntry("call")
		if err != nil {
			return nil, err
		}
		c.Key = fmt.Sprintf("C-%06d", n)
		if c.Ticket != "" {
			t, err := tm.load(tx, a, c.Ticket)
			if err != nil {
				return nil, err
			}
			m, err := note(tx, t, CallNote, a.Agent.Name, c.Reason, c.At)
			if err != nil {
				return nil, err
			}
			m.Call = c.Key
			if err := tx.PutMessage(m); err != nil {
				return nil, err
			}
			if err := tx.PutTicket(t); err != nil {
				return nil, err
			}
		}
		return facts{"call": c.Key, "out": strconv.FormatBool(c.Out), "extension": c.Extension}, Put(tx, &c)
	})
	if err != nil {
		return nil, err
	}
	return &c, nil
}

func (tm *Team) mayDial(tx Tx, a Actor, c *Call) error {
	number := digits(c.Phone)
	if c.Unit != "" {
		u, err := Get[Unit](tx, c.Unit)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(u.Phones, func(p string) bool { return digits(p) == number }) {
			return nil
		}
	}
	if c.Ticket != "" {
		t, err := tm.load(tx, a, c.Ticket)
		if err != nil {
			return err
		}
		if number != "" && digits(t.Contact.Phone) == number {
			return nil
		}
	}
	return fault.New(fault.Forbidden, "call.number", nil)
}

func digits(s string) string {
	out := []byte{}
	for i := range len(s) {
		if '0' <= s[i] && s[i] <= '9' {
			out = append(out, s[i])
		}
	}
	if len(out) > 2 && out[0] == '8' && out[1] == '4' {
		out = append([]byte{'0'}, out[2:]...)
	}
	return string(out)
}

// EndCall notes how a call went.
func (tm *Team) EndCall(ctx context.Context, a Actor, key, result string) error {
	return tm.book(ctx, a, RightAnswer, "call.ended", "", func(tx Tx) (facts, error) {
		c, err := Get[Call](tx, key)
		if err != nil {
			return nil, err
		}
		c.Ended, c.Result = tm.Clock.Now(), result
		return facts{"call": key}, Put(tx, c)
	})
}

// Calls lists the call log, newest first.
func (tm *Team) Calls(ctx context.Context, a Actor, from, to time.Time) (list []*Call, err error) {
	if err := a.May(RightSee); err != nil {
		return nil, err
	}
	err = tm.Store.View(ctx, func(tx Tx) error {
		list, err = List[Call](tx, "", from, to, asideMax)
		return err
	})
	return list, err
}

// SamePhone compares two numbers by their digits, with 84 and 0 as the same beginning. Empty ones are not the same.
func SamePhone(a, b string) bool { return digits(a) != "" && digits(a) == digits(b) }

// Suspicion is a report of somebody who passed for our staff (T-S10, T-F12, T-F13).
type Suspicion struct {
	Key      string    `json:"key"` // G-000012
	Rev      int64     `json:"rev"`
	At       time.Time `json:"at"`
	Channel  string    `json:"channel"` // phone, message, zalo, mail, visit, other
	Unit     string    `json:"unit"`
	Claimed  string    `json:"claimed"` // who they said they were
	Number   string    `json:"number"`  // of the caller; can be forged, serves to link reports
	Wanted   []string  `json:"wanted"`  // remote, pin, password, otp, link, money, information
	Lost     string    `json:"lost"`
	Story    string    `json:"story"`
	Ticket   string    `json:"ticket"` // that they named
	Intake   int64     `json:"intake"` // the suspicious mail
	Grade    string    `json:"grade"`  // urgent, high, medium
	Verdict  string    `json:"verdict"`
	By       string    `json:"by"`
	Told     time.Time `json:"told"` // when the security officer was told
	Closed   time.Time `json:"closed"`
	Incident string    `json:"incident"`
}

func (s *Suspicion) entry() entry { return entry{"suspicion", s.Key, s.Unit, s.At, &s.Rev} }

// SuspicionJob is the kind of the jobs by which the security officer is told; their payload is the Suspicion's key.
const SuspicionJob = "helpdesk_suspicion"
