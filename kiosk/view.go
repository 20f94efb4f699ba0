package kiosk

import (
	"time"

	"countersign/internal/fault"
	"countersign/kiosk/catalog"
	"countersign/kiosk/idcard"
)

// HomeView is the clerk's home screen: what waits for somebody, and today's visits.
type HomeView struct {
	Unit    Unit       `json:"unit"`
	Clerk   Person     `json:"clerk"`
	Now     time.Time  `json:"now"`
	Tasks   []Task     `json:"tasks"`
	Visits  []VisitRow `json:"visits"`
	Working int        `json:"working"`
	Done    int        `json:"done"`
	Links   []Link     `json:"links"`
}

// Task is one thing that waits for a person, most urgent first. Number is what the clerk types to open it.
type Task struct {
	Number  int       `json:"number"` // 71, 72, ...
	Kind    string    `json:"kind"`   // overdue, outbox, seal
	Order   string    `json:"order"`  // key, when it is about one order
	Serial  string    `json:"serial"` // last six digits of the order's number
	Service string    `json:"service"`
	System  string    `json:"system"`
	Count   int       `json:"count"`
	Since   time.Time `json:"since"`
	Next    time.Time `json:"next"`
}

// VisitRow is one line of today's visits: the latest order of the visit and its step.
type VisitRow struct {
	Visit   string    `json:"visit"`
	Serial  int       `json:"serial"`
	At      time.Time `json:"at"`
	Name    string    `json:"name"`
	Order   string    `json:"order"`
	Service string    `json:"service"`
	State   State     `json:"state"`
	Aside   bool      `json:"aside"`
	Object  bool      `json:"object"` // the customer objects to a field
	Step    int       `json:"step"`
	Due     time.Time `json:"due"`
	Mine    bool      `json:"mine"` // the clerk who asks works on it
}

// Link is the state of one connected system.
type Link struct {
	Name     string    `json:"name"`  // mail, handover, print, seal, tsa
	Label    string    `json:"label"` // CMIS
	State    string    `json:"state"` // ok, slow, down, unused
	Last     time.Time `json:"last"`
	Waiting  int       `json:"waiting"`
	Note     string    `json:"note"`
	StandIn  bool      `json:"stand_in"` // MÔ PHỎNG
	LastFail time.Time `json:"last_fail"`
}

// OutboxRow is one item that waits to leave, for the hand-over screen.
type OutboxRow struct {
	ID     int64     `json:"id"`
	Number int       `json:"number"`
	Order  string    `json:"order"`
	Serial string    `json:"serial"`
	Kind   string    `json:"kind"`
	Since  time.Time `json:"since"`
	Tries  int       `json:"tries"`
	Next   time.Time `json:"next"`
	Err    string    `json:"err"`
	Dead   bool      `json:"dead"`
}

// CustomerCard is what a clerk may see of a customer who was found: personal numbers are masked.
type CustomerCard struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind"`
	Name      string    `json:"name"`
	BirthYear string    `json:"birth_year"`
	IDMasked  string    `json:"id_masked"`
	Phone     string    `json:"phone"` // masked
	Address   string    `json:"address"`
	Contract  string    `json:"contract"`
	Debt      string    `json:"debt"`
	FactsAt   time.Time `json:"facts_at"`
	Last      []LastRow `json:"last"`
	Open      []LastRow `json:"open"`
}

// LastRow is one earlier order of a customer.
type LastRow struct {
	Order   string    `json:"order"`
	Number  string    `json:"number"`
	Service string    `json:"service"`
	At      time.Time `json:"at"`
	State   State     `json:"state"`
	OnTime  bool      `json:"on_time"`
}

// VisitView is an open visit with what is known of the customer.
type VisitView struct {
	Visit    Visit         `json:"visit"`
	Customer *CustomerCard `json:"customer,omitempty"`
	// Findings tell, by the number of the service, how its conditions stand for the customer of the visit.
	Findings map[string][]Finding `json:"findings"`
}

// Finding is one condition of a service with how it stands.
type Finding struct {
	Text   catalog.Text `json:"text"`
	State  string       `json:"state"`  // met, failed, unknown: nobody knows the fact
	Blocks bool         `json:"blocks"` // when it failed, the service can't be opened
}

// Stops returns the first condition that keeps a service from being opened.
func Stops(findings []Finding) (Finding, bool) {
	for _, f := range findings {
		if f.State == "failed" && f.Blocks {
			return f, true
		}
	}
	return Finding{}, false
}

// OrderView is everything that the clerk's screens show of an order. The rating is never in it.
type OrderView struct {
	Order     Order            `json:"order"`
	Service   *catalog.Service `json:"service"`
	Problems  []Problem        `json:"problems"`
	Hash      string           `json:"hash"` // short form of the content digest: "3F9A 71C2 8E04 D5B6"
	Amount    int64            `json:"amount"`
	Words     string           `json:"words"` // the amount in words
	Challenge *ChallengeView   `json:"challenge,omitempty"`
	Plan      []SealPlan       `json:"plan"` // who and what will sign, screens K9 and K14
	Seam      Seam             `json:"seam"`
	Median    time.Duration    `json:"median"` // time at the counter, median of this service
	Elapsed   time.Duration    `json:"elapsed"`
	HasApp    bool             `json:"has_app"`
	Offers    []Offer          `json:"offers"`        // ways to confirm, while the order waits for it
	Pad       *Pad             `json:"pad,omitempty"` // the handwriting under way
	Entries   []int64          `json:"entries"`       // journal index of the first and the last entry
}

// Problem is one field that stops the order, with the sentence's code and arguments.
type Problem struct {
	Field  string            `json:"field"`
	Number int               `json:"number"`
	Code   string            `json:"code"`
	Args   map[string]string `json:"args"`
	Note   bool              `json:"note"` // asks for attention only; does not stop the order
}

// Err returns the problem as a failure that the catalogues can put into words.
func (p Problem) Err() error { return fault.New(fault.Invalid, p.Code, p.Args) }

// ChallengeView is what the clerk may know of a running confirmation: no code, no secret, no full address.
type ChallengeView struct {
	Method   string    `json:"method"` // otp_mail, otp_app
	To       string    `json:"to"`     // masked
	Asked    time.Time `json:"asked"`
	Sent     string    `json:"sent"` // waiting, done, failed
	SentNote string    `json:"sent_note"`
	SentAt   time.Time `json:"sent_at"`
	Expires  time.Time `json:"expires"`
	Try      int       `json:"try"`
	Tries    int       `json:"tries"`
	Digits   int       `json:"digits"` // how many digits the customer has typed
	State    string    `json:"state"`
	Again    time.Time `json:"again"` // when another code may be asked for
}

// SealPlan is one signature to come or made.
type SealPlan struct {
	Role  string    `json:"role"` // customer, clerk, business, unit, timestamp
	Name  string    `json:"name"`
	By    string    `json:"by"`    // a customer's method as recorded ("" before it is chosen), counter_key, seal_service, tsa
	Size  int       `json:"size"`  // mm of a round seal
	Until time.Time `json:"until"` // certificate's end
	Grant string    `json:"grant"` // paper under which the clerk may
	Use   int64     `json:"use"`   // number in the seal book
	Done  time.Time `json:"done"`
	Away  bool      `json:"away"`
}

// Seam says what the other person is doing now (row 22 of both screens), as a catalogue id with arguments.
type Seam struct {
	ID   string            `json:"id"` // "seam.customer.reading"
	Args map[string]string `json:"args"`
	At   time.Time         `json:"at"`
	Bell bool              `json:"bell"` // rings once on the clerk's terminal
}

// CardView is the outcome of a scan within a visit.
type CardView struct {
	Card    idcard.Card    `json:"card"`
	Matches []idcard.Match `json:"matches"`
	OK      bool           `json:"ok"`
}

// ClerkEvent tells the clerk's terminal that something changed; it carries the full state, never a difference.
type ClerkEvent struct {
	Seq    int64      `json:"seq"`
	Order  *OrderView `json:"order,omitempty"` // the order in hand, when there is one
	Home   bool       `json:"home"`            // the home screen's data may have changed
	Locked bool       `json:"locked"`
	Seam   Seam       `json:"seam"`
	Active time.Time  `json:"active"` // last key of the customer: counts against the idle lock
	Lang   string     `json:"lang"`   // language that the customer chose
}

// ClerkUpdate is one event as a clerk's terminal gets it.
type ClerkUpdate struct {
	Event ClerkEvent
	Lost  bool // the service does not answer since At
	At    time.Time
}

// Evidence is the verified account of a finished order (K16).
type Evidence struct {
	Verdict     string            `json:"verdict"` // PASSED, FAILED, INDETERMINATE
	Summary     map[string]string `json:"summary"` // one sentence a language
	Size        int64             `json:"size"`
	Revisions   int               `json:"revisions"`
	At          time.Time         `json:"at"`
	Signatures  []EvidenceSigner  `json:"signatures"`
	Order       OrderView         `json:"order"`
	JournalOK   bool              `json:"journal_ok"`
	JournalRoot string            `json:"journal_root"`
}

// EvidenceSigner is one signature as the verifier judged it.
type EvidenceSigner struct {
	Field  string    `json:"field"`
	Name   string    `json:"name"`
	Rank   string    `json:"rank"` // otp, counter_key, seal
	At     time.Time `json:"at"`
	Proven bool      `json:"proven"` // the time comes from a timestamp
	OK     bool      `json:"ok"`
}
