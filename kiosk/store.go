package kiosk

import (
	"context"
	"time"

	"countersign/internal/job"
	"countersign/signing/journal"
	"countersign/signing/otp"
)

// Store keeps what the counter must not forget. Update runs fn in one durable transaction: when it returns nil,
// everything that fn did has survived a power cut, and otherwise nothing of it has happened. fn may run again
// after a conflict of the database's own, so it must have no effect outside tx.
type Store interface {
	View(ctx context.Context, fn func(Tx) error) error
	Update(ctx context.Context, fn func(Tx) error) error
}

// Tx is what one transaction can see and do. Things that are not there are faults of kind NotFound with the code
// "store.not_found"; a stale Rev is a fault of kind Conflict with the code "store.conflict".
type Tx interface {
	Orders
	Visits
	Customers
	Staff
	Documents
	Challenges
	Writings
	Register

	// Append writes a journal entry into the Merkle log and returns its index.
	Append(e journal.Entry) (int64, error)
	// Enqueue adds work for outside systems; a job whose key exists already is not added again.
	Enqueue(j job.Job) error
}

// Orders are the work orders. Values are encrypted; Key, Number, State, Unit, Service and times are not.
type Orders interface {
	Order(key string) (*Order, error)
	OrderByNumber(number string) (*Order, error)
	OrderByVerifyCode(code string) (*Order, error)
	// PutOrder inserts an order whose Rev is 0, or replaces the one whose Rev is still o.Rev; then o.Rev is one higher.
	PutOrder(o *Order) error
	// NextNumber draws the next number of a unit's day, without gaps: a rolled-back transaction gives it back.
	NextNumber(unit, day string) (int, error)
	// OpenOrders lists the orders of a unit that are neither closed nor cancelled, oldest first.
	OpenOrders(unit string) ([]*Order, error)
	// OpenOrdersOf lists a customer's orders that are neither closed nor cancelled, oldest first.
	OpenOrdersOf(customer string) ([]*Order, error)
	// ListOrders lists a unit's orders created in [from, to), newest first, limit at most.
	ListOrders(unit string, from, to time.Time, limit int) ([]*Order, error)
	// LastOrder returns the customer's latest finished order of a service (any service when it is "").
	LastOrder(customer, service string) (*Order, error)
}

// Visits are the customers' stays at the counters.
type Visits interface {
	Visit(key string) (*Visit, error)
	PutVisit(v *Visit) error
	// VisitsOfDay lists a unit's visits of one day, newest first.
	VisitsOfDay(unit, day string) ([]*Visit, error)
	// NextVisit draws the next visit number of a unit's day.
	NextVisit(unit, day string) (int, error)
}

// Customers are found by blind indexes: the store never holds a name or a number in clear.
type Customers interface {
	Customer(id string) (*Customer, error)
	// FindCustomers answers a query: a full phone, ID number, tax code or customer code exactly; otherwise every
	// word of the text is the beginning of a word of the name, diacritics folded.
	FindCustomers(q Query) ([]*Customer, error)
	// PutCustomer inserts (Rev 0) or replaces a customer and its index.
	PutCustomer(c *Customer) error
}

// Staff are the users and their sessions.
type Staff interface {
	User(name string) (*User, error)
	Users() ([]*User, error)
	PutUser(u *User) error
	Session(tokenSHA256 string) (*Session, error)
	PutSession(s *Session) error
	DeleteSession(tokenSHA256 string) error
	// DeleteDisplays ends the pairing of a counter's customer screens.
	DeleteDisplays(unit, counter string) error
	// CounterSession returns the clerk's session at a counter, the newest one.
	CounterSession(unit, counter string) (*Session, error)
}

// Documents are files, encrypted each under its own key with the id as associated data.
type Documents interface {
	Document(id string) ([]byte, error)
	PutDocument(id, order, kind string, data []byte) error
	DeleteDocument(id string) error
}

// Writings remember handwriting by its prints, which are digests, so that it is never taken twice.
type Writings interface {
	// PutWriting remembers that handwriting with this print was taken for an order. What was taken for another order before
	// is a fault of kind Conflict with the code "store.conflict".
	PutWriting(print, order string) error
}

// Challenges are the confirmations that run or ran.
type Challenges interface {
	Challenge(id string) (*otp.Challenge, error)
	// PutChallenge inserts a fresh challenge (Rev 1), or replaces the one whose Rev was one lower; parallel submits of
	// one code therefore have one winner.
	PutChallenge(c *otp.Challenge) error
	// ChallengesOf lists a customer account's challenges since a moment, for the daily limit.
	ChallengesOf(account string, since time.Time) ([]*otp.Challenge, error)
}

// Register is the register of certificates. Holders are encrypted; serial numbers, authorities, classes and times are not.
type Register interface {
	// Certificate returns the line for a certificate's SHA-256 in hex.
	Certificate(sha256 string) (*Certificate, error)
	// PutCertificate inserts a line whose Rev is 0, or replaces the one whose Rev is still c.Rev.
	PutCertificate(c *Certificate) error
	Certificates(q CertificateQuery) ([]*Certificate, error)
	// TakenBack lists an authority's certificates that are suspended or revoked.
	TakenBack(issuer string) ([]*Certificate, error)
}
