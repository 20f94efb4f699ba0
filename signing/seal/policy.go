package seal

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"countersign/internal/fault"
	"countersign/signing"
	"countersign/signing/pdf"
)

// Policy is what the house asks for beside grants: whose signatures are known, and when two people are needed.
type Policy interface {
	Signatories(ctx context.Context) ([]Signatory, error)
	Rules(ctx context.Context) ([]Rule, error)
}

// Signatory is a member of staff whose own key the keeper of the seals has enrolled.
type Signatory struct {
	Staff  string    `json:"staff"`  // staff id
	Public []byte    `json:"public"` // Ed25519
	Paper  string    `json:"paper"`
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"` // zero: until it is withdrawn
}

func (s Signatory) holds(staff string, now time.Time) bool {
	return s.Staff == staff && len(s.Public) == ed25519.PublicKeySize && !now.Before(s.From) && (s.Until.IsZero() || now.Before(s.Until))
}

// Rule asks for a second person where a seal is used for a service, from an amount on. Services that correct what was
// sealed before have a rule from 0.
type Rule struct {
	Seal    string `json:"seal"`    // id, "*" for every seal
	Service string `json:"service"` // number, "*" for every service
	From    int64  `json:"from"`    // đồng; 0: always
	Paper   string `json:"paper"`
	Ended   bool   `json:"ended"` // withdrawn
}

func (r Rule) asks(seal, service string, f Facts) bool {
	return !r.Ended && (r.Seal == "*" || r.Seal == seal) && (r.Service == "*" || r.Service == service) && (!f.Priced || f.Amount >= r.From)
}

// Facts are what the sealed content itself says. Policy goes by them and never by what a caller says.
type Facts struct {
	Order, Service string
	Amount         int64 // đồng
	Priced         bool  // an amount could be read; what can't be read counts as above every threshold
}

// FactsOf reads the content that is attached to a document.
func FactsOf(document []byte) (Facts, error) {
	f, err := pdf.Parse(document)
	if err != nil {
		return Facts{}, err
	}
	return factsOf(f)
}

func factsOf(f *pdf.File) (Facts, error) {
	content, err := pdf.EmbeddedFile(f, signing.ContentName)
	if err != nil {
		return Facts{}, err
	}
	var c struct {
		Order   string `json:"order_id"`
		Service struct {
			Number string `json:"number"`
		} `json:"service"`
		Fee struct {
			Amount string `json:"amount"`
		} `json:"fee"`
	}
	if err := json.Unmarshal(content, &c); err != nil {
		return Facts{}, fmt.Errorf("read %s: %w", signing.ContentName, err)
	}
	out := Facts{Order: c.Order, Service: c.Service.Number}
	out.Amount, out.Priced = amount(c.Fee.Amount)
	return out, nil
}

// amount reads a sum in đồng as the documents print it: whole, with marks between the thousands.
func amount(s string) (int64, bool) {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil
}

// Act is as what somebody signs for a use of seals.
type Act string

// The acts.
const (
	Ask    Act = "ask"    // the clerk at the counter asks
	Second Act = "second" // another person looked at it and agrees
)

// Statement is what a member of staff signs: these seals on this very document, and the sum that stands in it.
type Statement struct {
	Act      Act
	Staff    string
	Order    string
	Service  string
	Document [32]byte // with the customer's signature and no seal yet
	Amount   int64
	Seals    []string // ids; a second person leaves out the counter's key, which is the clerk's own
	At       time.Time
}

// Bytes are the signed form.
func (s Statement) Bytes() []byte {
	b := []byte("countersign/seal/1\n")
	for _, part := range append([]string{
		string(s.Act), s.Staff, s.Order, s.Service, hex.EncodeToString(s.Document[:]), strconv.FormatInt(s.Amount, 10),
		s.At.UTC().Format(time.RFC3339),
	}, s.Seals...) {
		b = append(strconv.AppendQuoteToASCII(b, part), '\n')
	}
	return b
}

// Approval is a signature on a Statement.
type Approval struct {
	Staff     string    `json:"staff"`
	At        time.Time `json:"at"`
	Signature []byte    `json:"signature"`
}

// How old a signature may be. A second person may have looked at the order the day before; the clerk asks now.
const (
	askLife    = 10 * time.Minute
	secondLife = 24 * time.Hour
	clockApart = 5 * time.Minute
)

// allowed refuses what the people have not signed for: the clerk, whose key is enrolled or has to be (Strict), and a
// second person where a rule asks for one.
func (l *Local) allowed(ctx context.Context, o Order, plan []step, f Facts, now time.Time) error {
	if l.Policy == nil {
		return nil
	}
	people, err := l.Policy.Signatories(ctx)
	if err != nil {
		return away(fmt.Errorf("read whose signatures are known: %w", err))
	}
	rules, err := l.Policy.Rules(ctx)
	if err != nil {
		return away(fmt.Errorf("read the rules of the seals: %w", err))
	}
	known := slices.ContainsFunc(people, func(p Signatory) bool { return p.Staff == o.Clerk.StaffID })
	s := Statement{Act: Ask, Staff: o.Clerk.StaffID, Order: o.ID, Service: o.Service, Document: sha256.Sum256(o.Document), Amount: f.Amount, Seals: o.Seals}
	if l.Strict || known {
		if err := s.signed(people, o.Asked, askLife, now); err != nil {
			return fault.Wrap(err, fault.Forbidden, "seal.unsigned", nil)
		}
	}
	if !slices.ContainsFunc(plan, func(p step) bool {
		return slices.ContainsFunc(rules, func(r Rule) bool { return r.asks(p.seal.ID, o.Service, f) })
	}) {
		return nil
	}
	return l.second(ctx, o, plan, s, people, now)
}

// second checks that another person, who may use these seals too, has signed for them.
func (l *Local) second(ctx context.Context, o Order, plan []step, s Statement, people []Signatory, now time.Time) error {
	refuse := func(err error) error { return fault.Wrap(err, fault.Forbidden, "seal.second", nil) }
	if o.Second == nil {
		return refuse(errors.New("nobody else has signed for the seals"))
	}
	if o.Second.Staff == o.Clerk.StaffID {
		return refuse(errors.New("the second person is the clerk"))
	}
	s.Act, s.Staff, s.Seals = Second, o.Second.Staff, nil
	for _, p := range plan {
		if p.seal.Kind != Counter {
			s.Seals = append(s.Seals, p.seal.ID)
		}
	}
	if err := s.signed(people, o.Second, secondLife, now); err != nil {
		return refuse(err)
	}
	if sameKey(people, o.Clerk.StaffID, o.Second.Staff, now) {
		return refuse(errors.New("one key is enrolled for both people"))
	}
	grants, err := l.Register.Grants(ctx)
	if err != nil {
		return away(fmt.Errorf("read the grants: %w", err))
	}
	for _, id := range s.Seals {
		if !slices.ContainsFunc(grants, func(g Grant) bool { return g.covers(o.Second.Staff, id, o.Service, now) }) {
			return refuse(fmt.Errorf("the second person may not use seal %s", id))
		}
	}
	return nil
}

// signed checks the statement's signature with the keys that are enrolled for its person.
func (s Statement) signed(people []Signatory, a *Approval, life time.Duration, now time.Time) error {
	if a == nil || a.Staff != s.Staff {
		return fmt.Errorf("%s has not signed", s.Staff)
	}
	if now.Sub(a.At) > life || a.At.Sub(now) > clockApart {
		return fmt.Errorf("%s signed at %s, which does not hold now", s.Staff, a.At.Format(time.RFC3339))
	}
	s.At = a.At
	said := s.Bytes()
	for _, p := range people {
		if p.holds(s.Staff, now) && ed25519.Verify(p.Public, said, a.Signature) {
			return nil
		}
	}
	return fmt.Errorf("no key that is enrolled for %s verifies the signature", s.Staff)
}

// sameKey reports whether two people share a key: then one of them could play both.
func sameKey(people []Signatory, one, other string, now time.Time) bool {
	for _, a := range people {
		for _, b := range people {
			if a.holds(one, now) && b.holds(other, now) && string(a.Public) == string(b.Public) {
				return true
			}
		}
	}
	return false
}
