package idcard

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Verdict says how a field of the form stands to the same field of the card.
type Verdict string

// The verdicts. Only Differs stops an order.
const (
	Same    Verdict = "match"
	Differs Verdict = "differs"
	New     Verdict = "new"    // the card says it, the form is blank
	Absent  Verdict = "absent" // the form says it, the card does not
)

// Match is one field of a form held against the card.
type Match struct {
	Field   string  `json:"field"`
	Form    string  `json:"form"`
	Card    string  `json:"card"`
	Verdict Verdict `json:"verdict"`
}

// Compare holds a form against a card: number, name, birth, sex and address, in that order, keyed by the names of the
// card's fields. A field that neither has is left out.
//
// Names and addresses are equal in any case, spacing, Unicode form and placing of the tone mark (HÒA, HOÀ). An MRZ has
// no diacritics, so there they are folded, and a name that filled its line may go on in the form. A passport's
// personal number is as good as its own. A card that gives only the year of birth agrees with any day of it.
func Compare(c Card, form map[string]string) []Match {
	var out []Match
	for _, field := range []string{Number, Name, Birth, Sex, Address} {
		m := Match{Field: field, Form: strings.TrimSpace(form[field]), Card: c.Fields[field]}
		switch {
		case m.Form == "" && m.Card == "":
			continue
		case m.Form == "":
			m.Verdict = New
		case m.Card == "":
			m.Verdict = Absent
		case c.agrees(field, m.Form, m.Card):
			m.Verdict = Same
		default:
			m.Verdict = Differs
		}
		out = append(out, m)
	}
	return out
}

// Stops tells whether any field differs.
func Stops(matches []Match) bool {
	return slices.ContainsFunc(matches, func(m Match) bool { return m.Verdict == Differs })
}

// agrees tells whether the form's value of a field means the card's.
func (c Card) agrees(field, form, card string) bool {
	switch field {
	case Number:
		n := plainNumber(form)
		return n == plainNumber(card) || n == plainNumber(c.Fields[PersonalNumber])
	case Name:
		return c.sameName(form, card)
	case Birth:
		iso := isoDate(form)
		return iso != "" && (iso == card || strings.HasPrefix(iso, card+"-"))
	case Sex:
		return qrSex(form) == card || strings.EqualFold(form, card)
	default:
		return canonical(form) == canonical(card)
	}
}

// sameName compares names by what the card's kind can show.
func (c Card) sameName(form, card string) bool {
	if c.Kind != TD1 && c.Kind != TD3 {
		return canonical(form) == canonical(card)
	}
	a, b := plainWords(form), plainWords(card)
	if slices.Equal(a, b) {
		return true
	}
	cut := slices.ContainsFunc(c.Checks, func(k Check) bool { return k.Why == "name_cut" })
	if cut && strings.HasPrefix(strings.Join(a, ""), strings.Join(b, "")) {
		return true
	}
	if c.Fields[Nationality] == "VNM" {
		return false
	}
	// Elsewhere people also write the given names first.
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// plainNumber takes out what people write between digits.
func plainNumber(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) || c == '.' || c == '-' {
			return -1
		}
		return unicode.ToUpper(c)
	}, norm.NFKC.String(s))
}

// canonical makes equal what differs only in case, spacing, Unicode form or the letter that carries the tone.
func canonical(s string) string {
	words := strings.Fields(strings.ToLower(norm.NFC.String(s)))
	for i, w := range words {
		var letters, tones []rune
		for _, c := range norm.NFD.String(w) {
			switch c {
			case '\u0300', '\u0301', '\u0303', '\u0309', '\u0323':
				tones = append(tones, c)
			default:
				letters = append(letters, c)
			}
		}
		words[i] = string(letters) + string(tones)
	}
	return strings.Join(words, " ")
}

// plainWords returns the words of a name as an MRZ would print them: capitals without diacritics.
func plainWords(s string) []string {
	return strings.FieldsFunc(latin(s), func(c rune) bool { return c == ' ' || c == '-' || c == '.' })
}

// latin folds a name to the capitals of an MRZ; apostrophes are left out (ICAO 9303-3, 4.6).
func latin(s string) string {
	var b strings.Builder
	for _, c := range norm.NFD.String(strings.ToUpper(s)) {
		switch {
		case c == 'Đ':
			b.WriteByte('D')
		case unicode.Is(unicode.Mn, c), c == '\'', c == '’':
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}
