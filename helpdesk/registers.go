package helpdesk

import (
	"strconv"
	"time"

	"countersign/internal/fault"
)

// record is one entry of a register.
type record interface {
	entry() entry
}

// entry says where a record lies.
type entry struct {
	register string
	name     string // in clear: never a name, address or number of a customer
	group    string // what it is listed by; sealed
	at       time.Time
	rev      *int64
}

// Put stores a record of a register: it inserts one whose Rev is 0, or replaces the one whose Rev is still the record's.
func Put(tx Registers, v record) error {
	e := v.entry()
	rev, err := tx.PutEntry(e.register, e.name, e.group, e.at, *e.rev, v)
	if err == nil {
		*e.rev = rev
	}
	return err
}

// pointer is *T with the methods of a record.
type pointer[T any] interface {
	*T
	record
}

// Get returns a record by its name: Get[helpdesk.Agent](tx, "minh").
func Get[T any, P pointer[T]](tx Registers, name string) (P, error) {
	v := P(new(T))
	rev, err := tx.Entry(v.entry().register, name, v)
	if err != nil {
		return nil, err
	}
	*v.entry().rev = rev
	return v, nil
}

// List returns the records of a group ("" is all) in [from, to), newest first, limit at most; zero times exclude nothing.
func List[T any, P pointer[T]](tx Registers, group string, from, to time.Time, limit int) ([]P, error) {
	var out []P
	err := tx.Entries(P(new(T)).entry().register, group, from, to, func(_ string, rev int64, read func(any) error) (bool, error) {
		v := P(new(T))
		if err := read(v); err != nil {
			return false, err
		}
		*v.entry().rev = rev
		out = append(out, v)
		return limit <= 0 || len(out) < limit, nil
	})
	return out, err
}

// Agent is a member of the support team. Sign-in is the house's; Name is the login name.
type Agent struct {
	Name      string    `json:"name"`
	Rev       int64     `json:"rev"`
	FullName  string    `json:"full_name"`
	Extension string    `json:"extension"` // 88610
	Roles     []Role    `json:"roles"`
	Skills    []string  `json:"skills"`    // of categories; none is all
	Provinces []string  `json:"provinces"` // none is all
	Away      bool      `json:"away"`
	Shifts    []Shift   `json:"shifts"`
	Since     time.Time `json:"since"`
}

// Shift is a stretch of time in which an agent is on duty.
type Shift struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// OnDuty reports whether the agent is on a shift. Somebody without shifts is on duty whenever not away.
func (a *Agent) OnDuty(now time.Time) bool {
	if a.Away {
		return false
	}
	for _, s := range a.Shifts {
		if !now.Before(s.From) && now.Before(s.To) {
			return true
		}
	}
	return len(a.Shifts) == 0
}

func (a *Agent) entry() entry { return entry{"agent", a.Name, "", a.Since, &a.Rev} }

// Unit is a unit that uses the budget (ĐVQHNS), with the addresses and numbers that it has registered.
type Unit struct {
	Code      string     `json:"code"` // 1999001
	Rev       int64      `json:"rev"`
	Name      string     `json:"name"`
	Province  string     `json:"province"` // 0010
	Addresses []string   `json:"addresses"`
	Phones    []string   `json:"phones"`
	Since     time.Time  `json:"since"`
	Reminders []Reminder `json:"reminders"`
}

// Reminder is something that a unit confirms from time to time: that a password was changed (T-F14 to T-F16).
type Reminder struct {
	What string    `json:"what"` // dvc, mailbox, computer
	Done time.Time `json:"done"`
}

func (u *Unit) entry() entry { return entry{"unit", u.Code, u.Province, u.Since, &u.Rev} }

// unitMail leads from a registered address to its unit.
type unitMail struct {
	Name string `json:"name"`
	Rev  int64  `json:"rev"`
	Mail string `json:"mail"`
	Unit string `json:"unit"`
}

func (u *unitMail) entry() entry {
	return entry{"unit mail", u.Name, FoldAddress(u.Mail), time.Time{}, &u.Rev}
}

// PutUnit stores a unit and what its mails are known by.
func PutUnit(tx Registers, u *Unit) error {
	if old, err := Get[Unit](tx, u.Code); err == nil {
		for i := range old.Addresses {
			if err := tx.DeleteEntry("unit mail", mailName(u.Code, i)); err != nil {
				return err
			}
		}
	} else if fault.KindOf(err) != fault.NotFound {
		return err
	}
	for i, a := range u.Addresses {
		if err := Put(tx, &unitMail{Name: mailName(u.Code, i), Mail: a, Unit: u.Code}); err != nil {
			return err
		}
	}
	return Put(tx, u)
}

func mailName(unit string, i int) string { return unit + " " + strconv.Itoa(i) }

// UnitOf returns the unit that has registered an address, nil when none has.
func UnitOf(tx Registers, address string) (*Unit, error) {
	found, err := List[unitMail](tx, FoldAddress(address), time.Time{}, time.Time{}, 1)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return Get[Unit](tx, found[0].Unit)
}
