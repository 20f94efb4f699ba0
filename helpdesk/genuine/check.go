package genuine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"countersign/helpdesk"
	"countersign/internal/fault"
	"countersign/signing/journal"
)

// Claim is what somebody said who passes for our staff, as the person who asks has written it down. Number and unit or
// code belong together: a number alone proves nothing, everybody can count.
type Claim struct {
	Serial    string    `json:"serial,omitempty"`    // SD261121-000001
	Unit      string    `json:"unit,omitempty"`      // of the person who asks
	Code      string    `json:"code,omitempty"`      // check code of the ticket or of one of our mails on it
	Mailbox   string    `json:"mailbox,omitempty"`   // from which they have written
	Number    string    `json:"number,omitempty"`    // from which they have called
	Extension string    `json:"extension,omitempty"` // that they named
	At        time.Time `json:"at,omitzero"`         // of the call; zero is now
}

// Proof is one of the three by which genuine staff are known (T-F26 to T-F29).
type Proof string

// The proofs.
const (
	ByTicket  Proof = "ticket"
	ByMailbox Proof = "mailbox"
	ByCall    Proof = "call"
)

// The reasons of a finding. The last is the same whatever does not fit, so that nothing can be tried out.
const (
	Fits       = "fits"
	NeedsUnit  = "needs_unit" // a number without unit and code, known or not
	OtherBox   = "other_mailbox"
	NoSuchCall = "no_call" // KHÔNG CÓ CUỘC GỌI NÀY
	NoFit      = "no_fit"
)

// ProofFinding is the verdict on one proof.
type ProofFinding struct {
	Proof  Proof  `json:"proof"`
	Holds  bool   `json:"holds"`
	Reason string `json:"reason"`
}

// Verdict is the answer to a claim. It says nothing of a ticket beside that it fits.
type Verdict struct {
	At       time.Time      `json:"at"` // it holds for this moment only
	Genuine  bool           `json:"genuine"`
	Findings []ProofFinding `json:"findings"` // always the three, in order
	Missing  []Proof        `json:"missing"`
	Mailbox  string         `json:"mailbox"` // where to write to, and what number to call, to be sure
	Number   string         `json:"number"`
}

// Asker is who asks for a verdict, and where.
type Asker struct {
	Name, Role, Place string
}

const (
	// around is how far the time that somebody names may be from the call's.
	around = 15 * time.Minute
	// perPlace and inAll are how many claims are looked up in a minute; more read as if nothing fitted.
	perPlace, inAll = 10, 1000
)

// Check holds a claim against the records. That it was asked, and with what result, stands in the journal; what was typed
// does not.
func (o *Office) Check(ctx context.Context, who Asker, c Claim) (v Verdict, err error) {
	err = o.Store.Update(ctx, func(tx helpdesk.Tx) error {
		v, err = o.check(tx, who, c)
		return err
	})
	return v, err
}

func (o *Office) check(tx helpdesk.Tx, who Asker, c Claim) (Verdict, error) {
	now := o.Clock.Now()
	if c.At.IsZero() {
		c.At = now
	}
	v := Verdict{At: now, Mailbox: o.Secrets.Address, Number: o.Number}
	over, err := tooMany(tx, who.Place, now)
	if err != nil {
		return v, err
	}
	ticket, known, err := o.ticket(tx, c)
	if err != nil {
		return v, err
	}
	call, err := o.call(tx, c, ticket, known)
	if err != nil {
		return v, err
	}
	v.Findings = []ProofFinding{
		finding(ByTicket, known && !over, either(c.Unit == "" && c.Code == "", NeedsUnit, NoFit)),
		finding(ByMailbox, helpdesk.FoldAddress(c.Mailbox) == helpdesk.FoldAddress(o.Secrets.Address), OtherBox),
		finding(ByCall, call && !over, NoSuchCall),
	}
	for _, f := range v.Findings {
		if !f.Holds {
			v.Missing = append(v.Missing, f.Proof)
		}
	}
	v.Genuine = len(v.Missing) == 0
	return v, o.note(tx, who, &v)
}

func finding(p Proof, holds bool, otherwise string) ProofFinding {
	return ProofFinding{Proof: p, Holds: holds, Reason: either(holds, Fits, otherwise)}
}

func either(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// ticket returns the ticket that a claim names, and whether unit or code belong to it. Every claim costs the same.
func (o *Office) ticket(tx helpdesk.Tx, c Claim) (*helpdesk.Ticket, bool, error) {
	serial := strings.ToUpper(strings.TrimSpace(c.Serial))
	t, err := tx.Ticket(serial)
	exists := err == nil
	if err != nil {
		if fault.KindOf(err) != fault.NotFound {
			return nil, false, err
		}
		t = &helpdesk.Ticket{}
	}
	issued, err := helpdesk.IssuedUnder(tx, serial, c.Code)
	if err != nil {
		return nil, false, err
	}
	code := o.Secrets.CheckTicketCode(serial, c.Code)
	unit := strings.TrimSpace(c.Unit)
	return t, exists && (code || issued.Key != "" || unit != "" && unit == t.Unit), nil
}

// call reports whether we called: the unit that is named or to which the ticket belongs, from the switchboard, with the
// extension of the claim, near the time. A ticket counts only for who has shown that it is theirs.
func (o *Office) call(tx helpdesk.Registers, c Claim, t *helpdesk.Ticket, known bool) (bool, error) {
	list, err := helpdesk.List[helpdesk.Call](tx, "", c.At.Add(-around), c.At.Add(around), 0)
	if err != nil {
		return false, err
	}
	number := helpdesk.SamePhone(c.Number, o.Number)
	unit := strings.TrimSpace(c.Unit)
	ours := slices.ContainsFunc(list, func(one *helpdesk.Call) bool {
		called := unit != "" && one.Unit == unit || known && (one.Ticket == t.Key || t.Unit != "" && one.Unit == t.Unit)
		return one.Out && called && one.Extension == strings.TrimSpace(c.Extension)
	})
	return number && ours, nil
}

func tooMany(tx helpdesk.Intakes, place string, now time.Time) (bool, error) {
	one, err := tx.Spend("claim at "+place, time.Minute, now)
	if err != nil {
		return false, err
	}
	all, err := tx.Spend("claims", time.Minute, now)
	return one > perPlace || all > inAll, err
}

func (o *Office) note(tx helpdesk.Tx, who Asker, v *Verdict) error {
	facts := map[string]string{"holds": fmt.Sprintf("%d/%d", len(v.Findings)-len(v.Missing), len(v.Findings))}
	for _, f := range v.Findings {
		facts[string(f.Proof)] = f.Reason
	}
	if err := helpdesk.CountClaim(tx, v.Genuine, v.At); err != nil {
		return err
	}
	_, err := tx.Append(journal.Entry{At: v.At, Actor: who.Name, Role: who.Role, Place: who.Place, Act: "genuine.checked", Facts: facts})
	return err
}
