package idcard

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"countersign/internal/fault"
	"countersign/internal/locale"
)

// MaxLength is the longest string that is looked at, in bytes. A card's QR holds some 250.
const MaxLength = 2048

// Parse reads a string as ParseOn does, without comparing dates to any day: a card from the future or one that has
// run out passes, and a passport's birth year is taken as the latest one before its expiry.
func Parse(s string) (Card, error) { return ParseOn(s, time.Time{}) }

// ParseOn reads a string that a scanner or a clerk gave, as of the given day (the zero time means no day).
//
// The error, when the string is no card, is a *fault.Error of code card.empty, card.too_long, card.encoding,
// card.control, card.truncated, card.mrz_length, card.health_insurance or card.unrecognised.
func ParseOn(s string, today time.Time) (Card, error) {
	text, err := clean(s)
	if err != nil {
		return Card{}, err
	}
	sum := sha256.Sum256([]byte(strings.TrimRight(s, "\r\n")))
	r := &reading{today: today, card: Card{Fields: make(map[string]string), RawSHA256: hex.EncodeToString(sum[:])}}
	compact := strings.ToUpper(strings.Join(strings.Fields(norm.NFKC.String(text)), ""))
	switch {
	case strings.Contains(text, "|"):
		err = r.qr(text)
	case isMRZ(compact):
		err = r.mrz(compact)
	default:
		err = r.typed(compact)
	}
	if err != nil {
		return Card{}, err
	}
	r.card.Valid = len(r.card.Failed()) == 0
	return r.card, nil
}

// clean refuses what no card holds and takes off what a scanner adds around the text.
func clean(s string) (string, error) {
	if len(s) > MaxLength {
		return "", tooLong()
	}
	if !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError) {
		return "", fault.New(fault.Invalid, "card.encoding", nil)
	}
	s = strings.Trim(s, "\uFEFF \t\r\n")
	if len(s) > 3 && s[0] == ']' && s[1] == 'Q' {
		s = s[3:] // The scanner's own name for the symbology, ISO/IEC 15424.
	}
	if s == "" {
		return "", fault.New(fault.Invalid, "card.empty", nil)
	}
	// What is not graphic has no shape of its own, or moves something on a screen. Only a zone has lines.
	strange := func(c rune) bool { return !unicode.IsGraphic(c) && !strings.ContainsRune("\r\n\t", c) }
	if strings.ContainsFunc(s, strange) || strings.Contains(s, "|") && strings.ContainsAny(s, "\r\n\t") {
		return "", fault.New(fault.Invalid, "card.control", nil)
	}
	return s, nil
}

// reading is a card while it is being read.
type reading struct {
	today time.Time
	card  Card
}

// check notes one finding.
func (r *reading) check(name string, ok bool, why string, args map[string]string) {
	c := Check{Name: name, OK: ok, Why: why, Args: args}
	c.Detail = c.sentence(locale.English, func(iso string) string { return iso })
	r.card.Checks = append(r.card.Checks, c)
}

// note records something that holds and that a person should know of.
func (r *reading) note(name, why string, args map[string]string) {
	r.check(name, true, why, args)
	r.card.Checks[len(r.card.Checks)-1].Note = true
}

// set keeps a field unless it is empty.
func (r *reading) set(name, value string) {
	if value != "" {
		r.card.Fields[name] = value
	}
}

// birthDate checks a date of birth and keeps it when it is one.
func (r *reading) birthDate(iso string) {
	switch {
	case iso == "":
		r.check("birth_date", false, "date_unreal", nil)
		return
	case iso < "1850":
		r.check("birth_date", false, "birth_early", map[string]string{"date": iso})
	case r.after(iso):
		r.check("birth_date", false, "date_future", map[string]string{"date": iso})
	case len(iso) < len(time.DateOnly):
		r.note("birth_date", "date_partial", map[string]string{"date": iso})
	default:
		r.check("birth_date", true, "date_real", map[string]string{"date": iso})
	}
	r.set(Birth, iso)
}

// issuedDate checks a date of issue and keeps it when it is one.
func (r *reading) issuedDate(iso string) {
	args := map[string]string{"date": iso}
	switch {
	case iso == "":
		r.check("issued_date", false, "date_unreal", nil)
		return
	case r.after(iso):
		r.check("issued_date", false, "date_future", args)
	case iso < r.card.Fields[Birth]:
		r.check("issued_date", false, "issued_before_birth", args)
	default:
		r.check("issued_date", true, "date_real", args)
	}
	r.set(Issued, iso)
}

// after tells whether an ISO date lies behind today; never when no day is known.
func (r *reading) after(iso string) bool {
	return !r.today.IsZero() && iso > r.today.Format(time.DateOnly)
}

// tooLong is the error for a string that no card gives.
func tooLong() error {
	return fault.New(fault.Invalid, "card.too_long", fault.Args{"limit": strconv.Itoa(MaxLength)})
}

// unrecognised is the error for a string that is no card we know.
func unrecognised() error { return fault.New(fault.Invalid, "card.unrecognised", nil) }

// digits tells whether s is made of n ASCII digits.
func digits(s string, n int) bool { return len(s) == n && allDigits(s) }

// allDigits tells whether s is made of ASCII digits, at least one.
func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// isoDate reads ddMMyyyy, dd/MM/yyyy, d-M-yyyy, yyyy-MM-dd, yyyy-MM or yyyy; a day or month of 00 is not known. It returns ""
// for what is no date of the calendar.
func isoDate(s string) string {
	if digits(s, 4) {
		return s
	}
	if digits(s, 8) {
		return calendar(s[4:], s[2:4], s[:2])
	}
	parts := strings.FieldsFunc(s, func(c rune) bool { return c == '/' || c == '-' || c == '.' })
	switch {
	case len(parts) == 2 && len(parts[0]) == 4:
		return calendar(parts[0], parts[1], "00")
	case len(parts) != 3:
		return ""
	case len(parts[0]) == 4:
		return calendar(parts[0], parts[1], parts[2])
	default:
		return calendar(parts[2], parts[1], parts[0])
	}
}

// calendar returns the ISO form of a date, shorter where the day or the month is 00, "" when there is no such date.
func calendar(year, month, day string) string {
	if !digits(year, 4) || !allDigits(month) || !allDigits(day) || len(month) > 2 || len(day) > 2 {
		return ""
	}
	if len(month) == 1 {
		month = "0" + month
	}
	if len(day) == 1 {
		day = "0" + day
	}
	if day == "00" {
		if month == "00" {
			return year
		}
		if _, err := time.Parse("2006-01", year+"-"+month); err != nil {
			return ""
		}
		return year + "-" + month
	}
	iso := year + "-" + month + "-" + day
	if _, err := time.Parse(time.DateOnly, iso); err != nil {
		return ""
	}
	return iso
}
