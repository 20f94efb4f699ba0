// Package seal is the seal service: the organisation's seals, who may use them, and the book of their use.
//
// A terminal never holds a seal's key. It sends the document that the customer has signed; the service itself checks the
// customer's consent for this very document and the clerk's right, writes the intent to use each seal into the book, and
// only then signs: the clerk's counter key first, then the business seal, then the unit's.
//
// Invariants: policy is checked here and not in any screen; no key is opened before its use stands in the book; all seals
// of an order are applied or none; every signature is checked with the public key before the document is released; a use
// whose document was not kept is void, and a crash leaves intents that Settle decides. Start reading at Service and Local.
package seal

import (
	"context"
	"crypto/x509"
	"slices"
	"time"

	"countersign/signing"
)

// Kind is what a seal stands for; it decides the field that is filled.
type Kind string

// The kinds, in the order in which they are applied.
const (
	Counter  Kind = "counter"  // the clerk's signature by the counter's key
	Business Kind = "business" // the seal for a kind of business
	Unit     Kind = "unit"     // the official seal of the unit
)

// Field returns the signature field of the base document that this kind of seal fills, "" for an unknown kind.
func (k Kind) Field() string {
	switch k {
	case Counter:
		return "clerk"
	case Business:
		return "business_seal"
	case Unit:
		return "unit_seal"
	}
	return ""
}

// rank is the place of a kind in the order of sealing, 0 for an unknown one.
func (k Kind) rank() int {
	switch k {
	case Counter:
		return 1
	case Business:
		return 2
	case Unit:
		return 3
	}
	return 0
}

// Seal is one seal, without its key.
type Seal struct {
	ID           string              `json:"id"`
	Name         string              `json:"name"` // on the arc
	Line         string              `json:"line"` // below or in the centre
	Arc          string              `json:"arc"`  // on the lower arc, may be empty
	Star         bool                `json:"star"`
	Organisation string              `json:"organisation"`
	Geometry     string              `json:"geometry"` // "vn-company", "vn-agency", "cn-company", "cn-business"
	Kind         Kind                `json:"kind"`
	KeyName      string              `json:"key_name"`
	Chain        []*x509.Certificate `json:"-"` // the seal's certificate first
	ValidUntil   time.Time           `json:"valid_until"`
	Services     []string            `json:"services,omitempty"` // numbers of the services it is for; empty: every one
}

// serves reports whether the seal is for a service.
func (s Seal) serves(service string) bool {
	return len(s.Services) == 0 || slices.Contains(s.Services, service)
}

// Clerk is who asks for seals.
type Clerk struct {
	StaffID string `json:"staff_id"`
	Name    string `json:"name"`
	Counter string `json:"counter"`
}

// Grant is a clerk's right to use a seal for a service, and the paper that gives it.
type Grant struct {
	Seal    string    `json:"seal"`
	Clerk   string    `json:"clerk"`   // staff id
	Service string    `json:"service"` // number, "*" for every service
	Paper   string    `json:"paper"`   // "118/QĐ-PCBG"
	From    time.Time `json:"from"`
	Until   time.Time `json:"until"` // zero: until it is withdrawn
}

// covers reports whether the grant gives the right at this moment. A grant without a paper gives none.
func (g Grant) covers(clerk, seal, service string, now time.Time) bool {
	return g.Clerk == clerk && g.Seal == seal && (g.Service == service || g.Service == "*") && g.Paper != "" &&
		!now.Before(g.From) && (g.Until.IsZero() || now.Before(g.Until))
}

// Consent says which customer's confirmation the seals stand on. The service believes none of it: it compares each digest
// with the document and the certificate in it.
type Consent struct {
	Base     [32]byte // SHA-256 of the base document that the customer confirmed
	Signed   [32]byte // SHA-256 of the document with the customer's signature
	Evidence [32]byte // SHA-256 of the evidence, as in the customer's certificate
}

// Order asks for seals on a document.
type Order struct {
	ID       string
	Service  string // number
	Clerk    Clerk
	Document []byte // signed by the customer
	Consent  Consent
	Seals    []string // ids: one counter key first, then the seals in the order of their kinds

	Reason, Location string // for PDF readers

	Asked  *Approval // the clerk's own signature for this use
	Second *Approval // another person's, where a rule asks for two

	// Keep stores the sealed document. It is called once every signature is made and checked, before the uses are booked as
	// done. When it fails, the uses are settled by what was really kept. It may be nil.
	Keep func(ctx context.Context, r Result) error
}

// Result is the sealed document.
type Result struct {
	Document []byte
	SHA256   [32]byte
	Uses     []Use
	Level    signing.Level // the lowest of the signatures made
	Untimed  error         // why there is no timestamp although one was wanted
}

// State is where a use stands.
type State string

// The states of a use.
const (
	Intended State = "intended"
	Done     State = "done"
	Void     State = "void"
)

// Use is one line of the book.
type Use struct {
	Number   int64     `json:"number"` // of this seal in this year, given by the book
	Seal     string    `json:"seal"`
	Order    string    `json:"order"`
	Service  string    `json:"service"`
	Clerk    string    `json:"clerk"`
	Counter  string    `json:"counter"`
	Paper    string    `json:"paper"`
	Document [32]byte  `json:"-"` // before any seal: Consent.Signed
	At       time.Time `json:"at"`
	State    State     `json:"state"`
	Result   [32]byte  `json:"-"` // of the sealed document, once done
	Ended    time.Time `json:"ended"`
	Reason   string    `json:"reason"` // why it is void
}

// Service is the seal service as the rest of the program sees it.
type Service interface {
	// Seals returns the seals that the clerk may use for some service now.
	Seals(ctx context.Context, c Clerk) ([]Seal, error)
	// Grants returns who may use a seal for a service now.
	Grants(ctx context.Context, seal, service string) ([]Grant, error)
	// Apply puts all the seals on the document or none.
	Apply(ctx context.Context, o Order) (Result, error)
	// State returns nil when Apply can be called, otherwise seal.away.
	State(ctx context.Context) error
}

// Register holds the seals and the grants.
type Register interface {
	Seals(ctx context.Context) ([]Seal, error)
	Grants(ctx context.Context) ([]Grant, error)
}

// Book is the use log. It outlives the process: an Intent is on the disk before it returns.
type Book interface {
	// Intent writes the uses of one order down, all or none, and returns their numbers: one more than the seal's last in the
	// year of u.At (business time), void ones counted. A seal is used once on an order: while another use of it there is
	// intended the fault is seal.busy, and when one is done seal.done. Of parallel calls exactly one gets through.
	Intent(ctx context.Context, uses ...Use) ([]int64, error)
	// Done closes intended uses (found by seal, order and number), all or none, with the sealed document's digest. Once done,
	// the same call changes nothing.
	Done(ctx context.Context, result [32]byte, at time.Time, uses ...Use) error
	// Failed closes an intended use as void.
	Failed(ctx context.Context, u Use, reason string, at time.Time) error
	// Open returns the uses that are intended.
	Open(ctx context.Context) ([]Use, error)
}
