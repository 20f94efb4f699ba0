package helpdesk

import (
	"fmt"
	"strings"
	"time"
)

// Issued leads from the check code of a mail of ours to that mail. It is written with the mail's bytes, before they leave.
type Issued struct {
	Key   string    `json:"key"` // of the Outgoing
	Rev   int64     `json:"rev"`
	Code  string    `json:"code"`
	Words string    `json:"words"` // SHA-256 of the text that the code stands for
	At    time.Time `json:"at"`
}

func (i *Issued) entry() entry {
	serial, _, _ := strings.Cut(i.Key, "/")
	return entry{"issued", i.Key, serial + " " + i.Code, i.At, &i.Rev}
}

// Issue keeps the code of a mail that is about to leave.
func Issue(tx Registers, o *Outgoing, code, words string, at time.Time) error {
	return Put(tx, &Issued{Key: o.Key, Code: bare(code), Words: words, At: at})
}

// IssuedUnder finds the mail with a code on a ticket. Where there is none it returns an empty one: who asks goes on as with
// any other, so that every question costs the same.
func IssuedUnder(tx Registers, serial, code string) (*Issued, error) {
	found, err := List[Issued](tx, serial+" "+bare(code), time.Time{}, time.Time{}, 1)
	if err != nil || len(found) == 0 {
		return &Issued{}, err
	}
	return found[0], nil
}

// Asked is that somebody had a claim held against our records (helpdesk/genuine), for the figures: without what was claimed.
type Asked struct {
	Key   string    `json:"key"`
	Rev   int64     `json:"rev"`
	At    time.Time `json:"at"`
	Holds bool      `json:"holds"`
}

func (a *Asked) entry() entry { return entry{"asked", a.Key, "", a.At, &a.Rev} }

// CountClaim keeps one.
func CountClaim(tx Registers, holds bool, at time.Time) error {
	n, err := tx.NextEntry("asked")
	if err != nil {
		return err
	}
	return Put(tx, &Asked{Key: fmt.Sprintf("K-%06d", n), At: at, Holds: holds})
}
