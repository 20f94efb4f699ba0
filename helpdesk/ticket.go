package helpdesk

import (
	"slices"
	"time"
)

// State is where a ticket stands.
type State string

// The states. A ticket whose State is Merged lives on in the one named by MergedInto.
const (
	New      State = "new"      // nobody has taken it
	Missing  State = "missing"  // thiếu thông tin: the customer was asked, once and automatically
	Open     State = "open"     // an agent works on it
	Waiting  State = "waiting"  // for the customer's answer; the term stands still
	Resolved State = "resolved" // the agent thinks that it is done
	Closed   State = "closed"   // done; an answer opens it again for a while
	Merged   State = "merged"
)

// Ended reports whether nobody works on the ticket any more.
func (s State) Ended() bool { return s == Resolved || s == Closed || s == Merged }

// Channel is how a request came.
type Channel string

// The channels.
const (
	ByMail    Channel = "mail"
	ByPhone   Channel = "phone"
	ByCounter Channel = "counter"
)

// Priority is what an agent has said about the urgency.
type Priority string

// The priorities.
const (
	Normal Priority = "normal"
	High   Priority = "high"
	Urgent Priority = "urgent"
)

// Rank is a ticket's place among those that are not overdue, the lowest first (T-F04).
type Rank int

// The ranks.
const (
	RankSubject Rank = 1 // a mail whose subject is valid
	RankMail    Rank = 2 // another mail, or a request at the counter
	RankPhone   Rank = 3
)

// Route is where a request belongs.
type Route struct {
	Code     string `json:"code"`     // as the subject had it: 0012
	Province string `json:"province"` // 0010, to which an office's code is mapped; "" when unknown
	Name     string `json:"name"`     // of the province's treasury
	Queue    string `json:"queue"`    // DVC
	Problem  string `json:"problem"`  // "", missing, malformed, unknown, office
}

// Valid reports whether the subject was as the notice asks; an office's code counts, it is only mapped.
func (r Route) Valid() bool { return r.Province != "" && (r.Problem == "" || r.Problem == "office") }

// Contact is how the customer is reached beside the mail. Every value may be empty.
type Contact struct {
	Name  string `json:"name"`
	Unit  string `json:"unit"` // ĐVQHNS, 7 digits, or the unit's name
	Phone string `json:"phone"`
}

// Participant is somebody who may write on a ticket. Nobody becomes one by being in copy.
type Participant struct {
	Address string    `json:"address"`
	Name    string    `json:"name"`
	Since   time.Time `json:"since"`
	By      string    `json:"by"` // "" for who opened the ticket, else the agent who let them in
}

// Ticket is one request for help. Only the methods in steps.go change its state.
type Ticket struct {
	Key      string   `json:"key"` // the serial
	Rev      int64    `json:"rev"`
	State    State    `json:"state"`
	Channel  Channel  `json:"channel"`
	Priority Priority `json:"priority"`
	Rank     Rank     `json:"rank"`
	Route    Route    `json:"route"`
	Category string   `json:"category"` // DN, CKS, PLG, CT, DL, BC, HT, AT, KH; "" when not known yet

	Subject      string        `json:"subject"` // masked
	Unit         string        `json:"unit"`    // key of the registered unit, "" when unknown
	Contact      Contact       `json:"contact"`
	Customer     string        `json:"customer"` // the recorded address, to which answers go
	Proven       bool          `json:"proven"`   // the recorded address was proven when it was recorded
	Participants []Participant `json:"participants"`
	Trust        Trust         `json:"trust"` // of the newest mail of the customer

	Agent    string   `json:"agent"` // who works on it
	Claims   string   `json:"claims"`
	Links    []string `json:"links"` // other tickets that it has to do with: claimed, split off
	Incident string   `json:"incident"`
	Tags     []string `json:"tags"`

	MergedInto string   `json:"merged_into"`
	Merged     []string `json:"merged"`

	Created    time.Time     `json:"created"`
	Updated    time.Time     `json:"updated"`
	Term       time.Duration `json:"term"` // working time in which it is to be resolved
	Due        time.Time     `json:"due"`  // zero while the term stands still
	Left       time.Duration `json:"left"` // working time left when the term stood still
	FirstReply time.Time     `json:"first_reply"`
	ResolvedAt time.Time     `json:"resolved_at"`
	ClosedAt   time.Time     `json:"closed_at"`
	Escalated  int           `json:"escalated"` // steps of escalation that were told

	Lacks     []string  `json:"lacks"`     // what the first mail lacked: description, screenshot, contact
	Asked     []string  `json:"asked"`     // for which of it the automatic question asked
	Automatic int       `json:"automatic"` // automatic mails sent so far
	Count     int       `json:"count"`     // messages
	Unread    int       `json:"unread"`    // messages of the customer since an agent looked
	Rating    int       `json:"rating"`    // 1 to 5; 0 is none
	RatedAt   time.Time `json:"rated_at"`

	FirstEntry int64 `json:"first_entry"` // of the journal
	LastEntry  int64 `json:"last_entry"`
}

// Overdue reports whether the term has passed.
func (t *Ticket) Overdue(now time.Time) bool {
	return !t.State.Ended() && !t.Due.IsZero() && now.After(t.Due)
}

// Has reports whether an address takes part.
func (t *Ticket) Has(address string) bool {
	want := FoldAddress(address)
	return want != "" && slices.ContainsFunc(t.Participants, func(p Participant) bool { return FoldAddress(p.Address) == want })
}

// Before is the order of the queue: overdue first, then by rank (mail with a valid subject before other mail before
// phone), then what an agent called urgent, then what is due first, then what came first.
func Before(a, b *Ticket, now time.Time) bool {
	if x, y := a.Overdue(now), b.Overdue(now); x != y {
		return x
	}
	if a.Rank != b.Rank {
		return a.Rank < b.Rank
	}
	if x, y := a.Priority.Weight(), b.Priority.Weight(); x != y {
		return x > y
	}
	if !a.Due.Equal(b.Due) {
		if a.Due.IsZero() || b.Due.IsZero() {
			return b.Due.IsZero()
		}
		return a.Due.Before(b.Due)
	}
	return a.Created.Before(b.Created)
}

// Weight is 0 for normal, more for what is more urgent.
func (p Priority) Weight() int {
	switch p {
	case Urgent:
		return 2
	case High:
		return 1
	}
	return 0
}
