package idcard

import (
	"strconv"
	"strings"
	"time"

	"countersign/internal/fault"
)

const (
	td1Length = 90 // three lines of 30
	td3Length = 88 // two lines of 44
)

// isMRZ tells whether s, without spaces and line ends, is made as a machine-readable zone is, whole or broken off.
func isMRZ(s string) bool {
	if len(s) < 10 || !strings.ContainsRune("IACP", rune(s[0])) {
		return false
	}
	if !strings.Contains(s, "<") && !strings.HasPrefix(s, "IDVNM") {
		return false
	}
	for i := range len(s) {
		if mrzValue(s[i]) < 0 {
			return false
		}
	}
	return true
}

// mrz reads a zone of either size.
func (r *reading) mrz(s string) error {
	want := td1Length
	if s[0] == 'P' {
		want = td3Length
	}
	if len(s) != want {
		return fault.New(fault.Invalid, "card.mrz_length",
			fault.Args{"have": strconv.Itoa(len(s)), "want": strconv.Itoa(want)})
	}
	r.card.Assurance = 2
	if want == td3Length {
		r.td3(s[:44], s[44:])
	} else {
		r.td1(s[:30], s[30:60], s[60:])
	}
	r.note("source", "source_mrz", nil)
	return nil
}

// td1 reads the back of a card (ICAO 9303-5, 4.2). In Vietnam the document number is the last nine digits of the
// personal number, which stands whole in the optional data with a check digit that ICAO does not ask for.
func (r *reading) td1(l1, l2, l3 string) {
	r.card.Kind = TD1
	r.mrzName(l3)
	r.set(IssuingState, unfilled(l1[2:5]))
	r.set(Nationality, unfilled(l2[15:18]))
	r.mrzDates(l2[0:6], l2[7], l2[8:14], personalCentury(l1[15:27]))
	number, rest := unfilled(l1[5:14]), l1[15:30]
	if l1[14] == '<' {
		// A longer number goes on in the optional data, its check digit last.
		tail, _, _ := strings.Cut(rest, "<")
		if tail != "" {
			number += tail[:len(tail)-1]
			r.digit("mrz_number", tail[len(tail)-1], mrzDigit(l1[5:14]+tail[:len(tail)-1]))
		} else {
			r.digit("mrz_number", '<', mrzDigit(l1[5:14]))
		}
	} else {
		r.digit("mrz_number", l1[14], mrzDigit(l1[5:14]))
	}
	r.digit("mrz_birth", l2[6], mrzDigit(l2[0:6]))
	r.digit("mrz_expiry", l2[14], mrzDigit(l2[8:14]))
	if l1[2:5] == "VNM" {
		if rest[14] == '<' {
			r.note("mrz_vn_optional", "mrz_optional_absent", nil)
		} else {
			r.digit("mrz_vn_optional", rest[14], mrzDigit(rest[:14]))
		}
	}
	r.digit("mrz_composite", l2[29], mrzDigit(l1[5:30]+l2[0:7]+l2[8:15]+l2[18:29]))
	if l1[2:5] != "VNM" {
		r.set(Number, number)
		return
	}
	personal := unfilled(rest[:12])
	r.check("mrz_vn_number", strings.HasSuffix(personal, number) && len(number) == 9, "mrz_vn_number", nil)
	r.personalNumber(personal)
}

// td3 reads the data page of a passport (ICAO 9303-4, 4.2).
func (r *reading) td3(l1, l2 string) {
	r.card.Kind = TD3
	r.mrzName(l1[5:44])
	r.set(IssuingState, unfilled(l1[2:5]))
	r.set(Nationality, unfilled(l2[10:13]))
	r.set(Number, unfilled(l2[0:9]))
	personal := unfilled(l2[28:42])
	r.set(PersonalNumber, personal)
	century := 0
	if l1[2:5] == "VNM" {
		century = personalCentury(personal)
	}
	r.mrzDates(l2[13:19], l2[20], l2[21:27], century)
	r.digit("mrz_number", l2[9], mrzDigit(l2[0:9]))
	r.digit("mrz_birth", l2[19], mrzDigit(l2[13:19]))
	r.digit("mrz_expiry", l2[27], mrzDigit(l2[21:27]))
	if personal == "" && l2[42] == '<' {
		r.note("mrz_optional", "mrz_optional_absent", nil)
	} else {
		r.digit("mrz_optional", l2[42], mrzDigit(l2[28:42]))
	}
	r.digit("mrz_composite", l2[43], mrzDigit(l2[0:10]+l2[13:20]+l2[21:43]))
}

// mrzName splits the family name from the given names.
func (r *reading) mrzName(s string) {
	family, given, _ := strings.Cut(s, "<<")
	r.set(Name, strings.Join(strings.Fields(strings.ReplaceAll(family+" "+given, "<", " ")), " "))
	switch {
	case r.card.Fields[Name] == "" || strings.ContainsAny(s, "0123456789"):
		r.check("name_letters", false, "name_letters", nil)
	case s[len(s)-1] != '<':
		r.note("name_letters", "name_cut", nil)
	default:
		r.check("name_letters", true, "name_letters", nil)
	}
}

// mrzDates reads birth, sex and expiry. The century of the birth is the given one (19, 20, …), or, at 0, the latest
// that lies neither behind today nor behind the expiry.
func (r *reading) mrzDates(birth string, sex byte, expiry string, century int) {
	switch sex {
	case 'M', 'F':
		r.set(Sex, string(rune(sex)))
	default:
		r.set(Sex, "X")
	}
	expires := mrzDate("20", expiry)
	latest := expires
	if today := r.today.Format(time.DateOnly); !r.today.IsZero() && (latest == "" || today < latest) {
		latest = today
	}
	born := ""
	if century > 0 {
		born = mrzDate(strconv.Itoa(century), birth)
	} else if born = mrzDate("20", birth); born == "" || born > latest {
		born = mrzDate("19", birth)
	}
	r.birthDate(born)
	args := map[string]string{"date": expires}
	switch {
	case expiry == "<<<<<<":
		r.note("expiry", "expiry_none", nil)
	case expires == "":
		r.check("expiry", false, "date_unreal", nil)
	case !r.today.IsZero() && expires < r.today.Format(time.DateOnly):
		r.check("expiry", false, "expired", args)
	default:
		r.check("expiry", true, "expiry", args)
	}
	r.set(Expires, expires)
}

// mrzDate returns the ISO form of yyMMdd, in which month or day may be unknown (<<).
func mrzDate(century, s string) string {
	s = strings.ReplaceAll(s, "<<", "00")
	if !digits(s, 6) {
		return ""
	}
	return calendar(century+s[:2], s[2:4], s[4:])
}

// personalCentury returns the first two digits of the birth year in a Vietnamese personal number, 0 if it is none.
func personalCentury(n string) int {
	if !digits(n, 12) {
		return 0
	}
	return 19 + int(n[3]-'0')/2
}

// unfilled takes the filler off.
func unfilled(s string) string {
	return strings.ReplaceAll(strings.TrimRight(s, "<"), "<", " ")
}

// mrzDigit returns the check digit of s: weights 7, 3, 1, modulo 10 (ICAO 9303-3, 4.9).
func mrzDigit(s string) byte {
	sum := 0
	for i := range len(s) {
		sum += mrzValue(s[i]) * [...]int{7, 3, 1}[i%3]
	}
	return byte('0' + sum%10)
}

// mrzValue returns the value of a character in a check digit, -1 when it may not stand there.
func mrzValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10
	case c == '<':
		return 0
	}
	return -1
}
