package helpdesk

import (
	"context"
	"time"

	"countersign/internal/job"
	"countersign/signing/journal"
)

// Store keeps what the desk must not forget. Update runs fn in one durable transaction: when it returns nil, everything
// that fn did has survived a power cut, and otherwise nothing of it has happened. fn may run again after a conflict of
// the database's own, so it must have no effect outside tx, and it must not call Update.
type Store interface {
	View(ctx context.Context, fn func(Tx) error) error
	Update(ctx context.Context, fn func(Tx) error) error
}

// Tx is what one transaction can see and do. Things that are not there are faults of kind NotFound with the code
// "store.not_found"; a stale Rev is a fault of kind Conflict with the code "store.conflict".
type Tx interface {
	Serials
	Intakes
	Tickets
	Messages
	Outgoings
	Search
	Registers

	// Append writes a journal entry into the Merkle log and returns its index.
	Append(e journal.Entry) (int64, error)
	// Enqueue adds work for outside systems; a job whose key exists already is not added again.
	Enqueue(j job.Job) error
}

// Tickets are found by serial, participant and place in the queue. What is in clear in the database: serial, state,
// rank, priority, channel, province, category, agent, incident and times.
type Tickets interface {
	Ticket(key string) (*Ticket, error)
	// PutTicket inserts a ticket whose Rev is 0, or replaces the one whose Rev is still t.Rev; then t.Rev is one higher.
	PutTicket(t *Ticket) error
	// Queue lists tickets in the order of the queue as it is at a moment: see Before.
	Queue(q Queue, now time.Time) ([]*Ticket, error)
	// CountQueue counts what Queue would list without its limit.
	CountQueue(q Queue, now time.Time) (int, error)
	// TicketsOf lists the tickets in which an address takes part, newest first.
	TicketsOf(address string, limit int) ([]*Ticket, error)
	// TicketsBetween visits the tickets made in [from, to), oldest first, for reports and exports.
	TicketsBetween(from, to time.Time, visit func(*Ticket) error) error
	// ForgetPerson removes an address from what tickets are found by.
	ForgetPerson(address string) error
	// LastSerial returns the latest day of a series and its last number.
	LastSerial(series string) (day string, number int64, err error)
}

// Queue says which tickets are wanted. Empty fields exclude nothing.
type Queue struct {
	States   []State
	Province string
	Category string
	Agent    string // "-" is nobody
	Unit     string
	Incident string
	Overdue  bool
	Unread   bool
	Limit    int // 0 is 100
}

// InWork are the states in which somebody has something to do or waits.
var InWork = []State{New, Missing, Open, Waiting}

// Messages are the entries of the threads.
type Messages interface {
	Message(key string) (*Message, error)
	// PutMessage inserts (Rev 0) or replaces a message. A MailID that it has leads to it from then on; one that leads
	// elsewhere already stays there.
	PutMessage(m *Message) error
	// Thread lists a ticket's messages in order.
	Thread(ticket string) ([]*Message, error)
	// MailAt returns where a Message-ID leads; store.not_found when nowhere.
	MailAt(mailID string) (place MailPlace, err error)
	// Await remembers that a ticket's mail refers to a Message-ID that has not come yet; Awaited returns who waits for one.
	Await(mailID, ticket string) error
	Awaited(mailID string) (tickets []string, err error)
	// Move lets a Message-ID lead to another place, when a thread is split.
	Move(mailID string, to MailPlace) error
}

// MailPlace is where a Message-ID leads.
type MailPlace struct {
	Ticket   string
	Message  string
	Outgoing string // the mail of ours, "" for mails that came
}

// Outgoings are the mails of ours.
type Outgoings interface {
	Outgoing(key string) (*Outgoing, error)
	PutOutgoing(o *Outgoing) error
	OutgoingsOf(ticket string) ([]*Outgoing, error)
	// OutgoingsIn lists the mails in a state, oldest first.
	OutgoingsIn(state OutState, limit int) ([]*Outgoing, error)
	CountOutgoings(since time.Time) (map[OutState]int, error)
	// PutBytes keeps the bytes of an outgoing mail, once: other bytes for the same mail are refused with store.conflict.
	PutBytes(outgoing string, raw []byte) error
	Bytes(outgoing string) ([]byte, error)
	EraseBytes(outgoing string) error
}

// Search finds messages by their words. What is stored beside each message are keyed codes of its words, different in
// every message, which say nothing without the key.
type Search interface {
	// PutWords replaces what a message is found by; no words remove it from the search.
	PutWords(message string, at time.Time, words []string) error
	// FindWords visits the messages that (very probably) have all words, newest first, until visit returns false.
	FindWords(words []string, visit func(message string) (more bool, err error)) error
}

// Registers are the desk's small books, each a list of JSON records by name: agents, units, calls, incidents and so on.
// The typed functions in registers.go are their only callers.
type Registers interface {
	// Entry reads a record into v and returns its revision.
	Entry(register, name string, v any) (rev int64, err error)
	// PutEntry inserts a record (rev 0) or replaces the one that still has rev, and returns the new revision. Group is what
	// records are listed by, kept as a blind index; it may be empty.
	PutEntry(register, name, group string, at time.Time, rev int64, v any) (int64, error)
	// Entries visits the records of a group ("" is all) in [from, to), newest first; zero times exclude nothing.
	Entries(register, group string, from, to time.Time, visit func(name string, rev int64, read func(v any) error) (more bool, err error)) error
	CountEntries(register, group string) (int, error)
	DeleteEntry(register, name string) error
	// NextEntry counts a register's own numbers up by one: SC-0013.
	NextEntry(register string) (int64, error)
}
