package helpdesk

import "time"

// Arrival is a mail as a mailbox, a spool or a listener gave it. Arrivals of a directory or a listener have
// neither UIDValidity nor UID.
type Arrival struct {
	Mailbox     string
	UIDValidity uint32
	UID         uint32
	At          time.Time // when it came, as the source says
	Raw         []byte
	Whole       int64 // bytes of the whole mail; more than Raw has when the source cut it, 0 when it did not say
	Envelope    Envelope
}

// Envelope is what the border knows of a mail beside its bytes. What is not known is empty.
type Envelope struct {
	From   string `json:"from"` // return path; "<>" is a bounce
	To     string `json:"to"`
	Client string `json:"client"` // IP address
	Hello  string `json:"hello"`
}

// Fate is what has become of an arrival. Every arrival has exactly one, so that counts in equal counts out.
type Fate string

// The fates.
const (
	Pending     Fate = "pending"     // durable, not yet read
	ToTicket    Fate = "ticket"      // a new ticket
	ToMessage   Fate = "message"     // a message on a ticket
	ToBounce    Fate = "bounce"      // a delivery report on a ticket
	ToCheck     Fate = "check"       // "is this really yours?", for helpdesk/genuine
	ToReport    Fate = "report"      // a complaint about a mail of ours
	ToAutomatic Fate = "automatic"   // a program's mail about nothing of ours; seen, not answered
	Quarantined Fate = "quarantined" // an agent must look at it
	Held        Fate = "held"        // over a budget; gets its number when an agent or the next hour lets it
	Duplicate   Fate = "duplicate"   // the same mail as another one
	Dropped     Fate = "dropped"     // an agent has looked at it and put it away
)

// Intake is the record of an arrival.
type Intake struct {
	ID       int64     `json:"id"` // in the order of arrival
	Rev      int64     `json:"rev"`
	Fate     Fate      `json:"fate"`
	Reason   string    `json:"reason"` // stable name of why: "size", "fake", "loop", "unread", "budget.sender", ...
	Reasons  []string  `json:"reasons"`
	Mailbox  string    `json:"mailbox"`
	At       time.Time `json:"at"`
	Size     int64     `json:"size"` // of the whole mail
	Cut      bool      `json:"cut"`  // only its beginning was brought
	SHA256   string    `json:"sha256"`
	Envelope Envelope  `json:"envelope"`

	From     Address `json:"from"`
	Subject  string  `json:"subject"` // masked
	MailID   string  `json:"mail_id"`
	Trust    Trust   `json:"trust"`
	Ticket   string  `json:"ticket"`
	Message  string  `json:"message"`
	Of       int64   `json:"of"`     // the arrival that it is a duplicate of
	Tries    int     `json:"tries"`  // at reading it; a mail that ends the process is not read a third time
	Secret   bool    `json:"secret"` // the original holds a PIN or password; see Team.Original
	Erased   bool    `json:"erased"` // the original was removed
	Released string  `json:"released"`
}

// Mailbox is how far a source was read, and when that last went well.
type Mailbox struct {
	Name        string    `json:"name"`
	Rev         int64     `json:"rev"`
	UIDValidity uint32    `json:"uidvalidity"`
	UID         uint32    `json:"uid"` // every mail up to this one is durable here
	Good        time.Time `json:"good"`
	Fault       string    `json:"fault"` // code of what keeps it from being read now
	FaultAt     time.Time `json:"fault_at"`
}

// Intakes are the arrivals. Raw bytes are sealed in pieces, so that a large mail is never twice in memory for it.
type Intakes interface {
	// PutArrival stores an arrival with its bytes as Pending, once: for a mailbox, validity and UID that are known, or for
	// bytes that are known, it stores nothing but the place and returns the first arrival's ID with fresh false.
	PutArrival(a Arrival) (id int64, fresh bool, err error)
	Intake(id int64) (*Intake, error)
	// PutIntake replaces the record whose Rev is still in.Rev.
	PutIntake(in *Intake) error
	// Pending lists arrivals that were not read yet after an ID, in the order of arrival.
	Pending(after int64, limit int) ([]*Intake, error)
	// IntakesOf lists the arrivals of a fate, newest first.
	IntakesOf(fate Fate, limit int) ([]*Intake, error)
	// Fates counts the arrivals since a moment by fate; what was seen again at another place counts as Duplicate.
	Fates(since time.Time) (map[Fate]int, error)
	// Raw returns an arrival's bytes; store.not_found when they were erased.
	Raw(id int64) ([]byte, error)
	EraseRaw(id int64) error
	// Same remembers a mail by what makes it that mail (MailIdentity) and returns the first arrival that had it, id itself
	// when it is the first.
	Same(identity string, id int64) (first int64, err error)

	// Mailbox returns a source's cursor; an unknown one is empty with Rev 0.
	Mailbox(name string) (*Mailbox, error)
	PutMailbox(m *Mailbox) error
	Mailboxes() ([]*Mailbox, error)

	// Spend counts one use of a budget in its present window, and returns how many were counted in it with this one.
	// Budgets are found by a blind index of the name, which may hold an address.
	Spend(budget string, window time.Duration, now time.Time) (used int, err error)
	// Spent returns how many uses were counted in the present window.
	Spent(budget string, window time.Duration, now time.Time) (used int, err error)
}
