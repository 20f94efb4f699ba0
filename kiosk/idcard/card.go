// Package idcard turns what a reader or a clerk gives (the QR of a Vietnamese ID card, a machine-readable zone, a
// Chinese citizen number, a bare personal number, a tax code) into a Card with named checks.
//
// Invariants: a check that fails is a value on the card, never an error; an error means that the string is no card at
// all, and it never repeats the string. A field never holds a control character, so it may be shown. Nothing here
// proves that a card is genuine: QR and MRZ carry no signature, which is why Assurance stops at 2.
//
// Start reading at ParseOn; Compare holds a card against a form; Open gives the strings of a scanner.
package idcard

import (
	"encoding/json"
	"fmt"
	"strings"

	"countersign/internal/locale"
)

// Kind says what the string was.
type Kind string

// The kinds of string that Parse knows.
const (
	CCCDQR     Kind = "cccd_qr"     // QR of the Vietnamese card: number, name, birth, sex, address, issue date
	TD1        Kind = "mrz_td1"     // machine-readable zone of a card, three lines of 30 (ICAO 9303-5)
	TD3        Kind = "mrz_td3"     // machine-readable zone of a passport, two lines of 44 (ICAO 9303-4)
	CNID       Kind = "cn_id"       // Chinese citizen number, 18 characters (GB 11643)
	CCCDNumber Kind = "cccd_number" // Vietnamese personal number alone, 12 digits
	MST        Kind = "mst"         // Vietnamese tax code, 10 digits, or 13 with a branch
)

// The names of fields. A field that the string does not hold is absent from the map. Dates are ISO (2006-01-02), or
// only a year or a year and month where the card says no more.
const (
	Number         = "number"
	OldNumber      = "old_number"      // nine-digit number of the earlier card
	PersonalNumber = "personal_number" // personal number printed in a passport
	Name           = "name"            // as printed; from an MRZ without diacritics, family name first
	Birth          = "birth"
	BirthYear      = "birth_year" // from the number alone
	Sex            = "sex"        // "M" (nam), "F" (nữ) or "X" (not stated)
	Address        = "address"
	Issued         = "issued"
	Expires        = "expires"
	Nationality    = "nationality" // three letters, ISO 3166-1 as in ICAO 9303
	IssuingState   = "issuing_state"
	Province       = "province" // of birth, by name
	Region         = "region"   // of first registration, by name
	Branch         = "branch"   // of a tax code
)

// Card is what one string says, and what can be said about it.
type Card struct {
	Kind      Kind              `json:"kind"`
	Fields    map[string]string `json:"fields"`
	Checks    []Check           `json:"checks"`
	RawSHA256 string            `json:"raw_sha256"` // hex; personal data still, since a number can be guessed from it
	Assurance int               `json:"assurance"`  // 1 typed number, 2 QR or MRZ
	Valid     bool              `json:"valid"`      // every check holds
}

// Check is one thing that was looked at.
type Check struct {
	Name   string            `json:"name"` // stable: "structure", "mrz_birth"
	OK     bool              `json:"ok"`
	Note   bool              `json:"note,omitempty"` // holds, but a person should know of it
	Detail string            `json:"detail"`         // the finding in English, for scripts
	Why    string            `json:"why"`            // the finding's key in the catalogue, for people
	Args   map[string]string `json:"args,omitempty"`
}

// Label returns the name of the check for people.
func (c Check) Label(l locale.Lang) string { return locale.Text(l, "idcard.check."+c.Name, nil) }

// Text returns the finding for people.
func (c Check) Text(l locale.Lang) string {
	return c.sentence(l, func(iso string) string { return written(iso, l) })
}

// sentence fills the catalogue's text for the finding, with dates written by date.
func (c Check) sentence(l locale.Lang, date func(iso string) string) string {
	args := make(locale.Args, len(c.Args))
	for name, value := range c.Args {
		switch {
		case strings.HasSuffix(name, "sex") && value != "":
			args[name] = locale.Text(l, "idcard.sex."+value, nil)
		case strings.HasSuffix(name, "date"):
			args[name] = date(value)
		default:
			args[name] = value
		}
	}
	return locale.Text(l, "idcard.why."+c.Why, args)
}

// Failed returns the checks that do not hold.
func (c Card) Failed() []Check {
	var out []Check
	for _, check := range c.Checks {
		if !check.OK {
			out = append(out, check)
		}
	}
	return out
}

// JSON renders the card as `card parse --json` prints it: kind, fields, checks, valid.
func (c Card) JSON() ([]byte, error) {
	type check struct {
		Name   string `json:"name"`
		OK     bool   `json:"ok"`
		Detail string `json:"detail"`
	}
	view := struct {
		Kind   Kind              `json:"kind"`
		Fields map[string]string `json:"fields"`
		Checks []check           `json:"checks"`
		Valid  bool              `json:"valid"`
	}{Kind: c.Kind, Fields: c.Fields, Checks: make([]check, 0, len(c.Checks)), Valid: c.Valid}
	for _, k := range c.Checks {
		view.Checks = append(view.Checks, check{k.Name, k.OK, k.Detail})
	}
	out, err := json.Marshal(view)
	if err != nil {
		return nil, fmt.Errorf("write card as json: %w", err)
	}
	return out, nil
}

// The exit codes of `card parse`.
const (
	ExitValid        = 0
	ExitChecksFail   = 1
	ExitUnrecognised = 3
)

// ExitCode returns the exit code of `card parse` for what ParseOn returned.
func ExitCode(c Card, err error) int {
	switch {
	case err != nil:
		return ExitUnrecognised
	case c.Valid:
		return ExitValid
	default:
		return ExitChecksFail
	}
}

// written renders an ISO date, perhaps partial, as people of language l write it.
func written(iso string, l locale.Lang) string {
	parts := strings.Split(iso, "-")
	if l == locale.Chinese || len(parts) < 2 {
		return iso
	}
	for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
		parts[i], parts[j] = parts[j], parts[i]
	}
	return strings.Join(parts, "/")
}
