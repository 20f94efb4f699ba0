package idcard

import (
	"encoding/hex"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"countersign/internal/fault"
)

// qrLayout says where each item of the card's QR stands. Readers differ in whether they keep the old number.
type qrLayout struct{ old, name, birth, sex, address, issued int }

// qr reads `number|old number|name|birth|sex|address|issued`, without the second item (6), or with more behind (the
// card of 2024). More items are counted and not kept: they are about other people.
func (r *reading) qr(text string) error {
	items := strings.Split(norm.NFC.String(text), "|")
	for i := range items {
		items[i] = strings.Join(strings.Fields(items[i]), " ")
	}
	if isInsurance(items) {
		return healthInsurance()
	}
	lay := qrLayout{old: -1, name: 1, birth: 2, sex: 3, address: 4, issued: 5}
	if items[1] == "" || allDigits(items[1]) {
		lay = qrLayout{old: 1, name: 2, birth: 3, sex: 4, address: 5, issued: 6}
	}
	missing := lay.issued + 1 - len(items)
	if missing <= 0 && cutDate(items[lay.issued]) && lay.issued == len(items)-1 {
		missing = 1
	}
	switch {
	case missing > 0 && digits(items[0], 12):
		return fault.New(fault.Invalid, "card.truncated", fault.Args{"missing": strconv.Itoa(missing)})
	case missing > 0 || !allDigits(items[0]) || (isoDate(items[lay.birth]) == "" && qrSex(items[lay.sex]) == ""):
		return unrecognised()
	}
	r.card.Kind, r.card.Assurance = CCCDQR, 2
	r.set(Sex, qrSex(items[lay.sex]))
	r.set(Name, items[lay.name])
	r.set(Address, items[lay.address])
	birth := isoDate(items[lay.birth])
	r.set(Birth, birth)
	r.personalNumber(items[0])
	if lay.old > 0 && items[lay.old] != "" {
		r.set(OldNumber, items[lay.old])
		n := strconv.Itoa(len(items[lay.old]))
		r.check("old_number", n == "9" || n == "12", "old_number", map[string]string{"have": n})
	}
	r.check("name_letters", isName(items[lay.name]), "name_letters", nil)
	r.birthDate(birth)
	r.issuedDate(isoDate(items[lay.issued]))
	if more := len(items) - lay.issued - 1; more > 0 {
		r.note("more_fields", "more_fields", map[string]string{"count": strconv.Itoa(more)})
	}
	r.note("source", "source_qr", nil)
	r.note("expiry", "expiry_unsaid", nil)
	return nil
}

// cutDate tells whether s is a date of issue that ends too early, as a scan does that was broken off. Four digits are
// a day and a month then, since no card is issued in a year alone.
func cutDate(s string) bool {
	n := 0
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			n++
		case c != '/' && c != '-' && c != '.':
			return false
		}
	}
	return n < 8 && (isoDate(s) == "" || allDigits(s))
}

// qrSex reads the sex as the card words it.
func qrSex(s string) string {
	switch strings.ToLower(norm.NFC.String(s)) {
	case "nam", "m", "male", "男":
		return "M"
	case "nữ", "nu", "f", "female", "女":
		return "F"
	}
	return ""
}

// isName tells whether s can be a person's name: letters and their accents, spaces, hyphens, apostrophes and dots.
// A name read with the wrong character set is not.
func isName(s string) bool {
	letters := 0
	for _, c := range s {
		switch {
		case unicode.IsLetter(c):
			letters++
		case unicode.Is(unicode.Mn, c), strings.ContainsRune(" -'.’·", c):
		default:
			return false
		}
	}
	return letters > 0
}

// isInsurance tells whether the items are those of a health-insurance card:
// `number|name in hex|birth|1 or 2|address in hex|hospital|from|to`.
func isInsurance(items []string) bool {
	if isInsuranceNumber(items[0]) {
		return true
	}
	return len(items) > 1 && len(items[1]) >= 8 && (digits(items[0], 10) || digits(items[0], 15)) && isHexText(items[1])
}

// isInsuranceNumber tells whether s is the 15-character number of a health-insurance card: two letters, 13 digits.
func isInsuranceNumber(s string) bool {
	return len(s) == 15 && letter(s[0]) && letter(s[1]) && allDigits(s[2:])
}

func letter(c byte) bool { return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' }

// isHexText tells whether s is UTF-8 text written in hexadecimal.
func isHexText(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && utf8.Valid(b)
}

// healthInsurance is the error for the card that customers hand over most often by mistake.
func healthInsurance() error { return fault.New(fault.Invalid, "card.health_insurance", nil) }
