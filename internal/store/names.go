package store

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"countersign/kiosk"
)

// prefixMax is how many letters of a word an index tells apart; more letters are compared after opening the record.
const prefixMax = 8

// fold brings a name to the form in which it is compared: lower case, without diacritics, đ as d.
func fold(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'đ' || r == 'Đ':
			b.WriteByte('d')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// words splits a folded name; every Chinese character is a word of its own, because nothing separates them.
func words(s string) []string {
	var out []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			out = append(out, word.String())
			word.Reset()
		}
	}
	for _, r := range fold(s) {
		switch {
		case unicode.Is(unicode.Han, r):
			flush()
			out = append(out, string(r))
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			word.WriteRune(r)
		default:
			flush()
		}
	}
	flush()
	return out
}

// head returns the first n letters of a word.
func head(word string, n int) string {
	for i := range word {
		if n == 0 {
			return word[:i]
		}
		n--
	}
	return word
}

// begins reports whether every word of the query is the beginning of some word of the name.
func begins(name string, query []string) bool {
	have := words(name)
	for _, q := range query {
		found := false
		for _, w := range have {
			found = found || strings.HasPrefix(w, q)
		}
		if !found {
			return false
		}
	}
	return true
}

// exact brings a number, code or address to the form in which it is indexed: without spaces and points, a Vietnamese
// phone number with its leading 0.
func exact(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), strings.ContainsRune(".-()/", r):
			return -1
		}
		return unicode.ToUpper(r)
	}, s)
	if rest, ok := strings.CutPrefix(s, "+84"); ok {
		return "0" + rest
	}
	return s
}

// exactMail is the form of a mail address, whose points and dashes count.
func exactMail(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// terms are the blind indexes by which a customer of a unit is found. The unit is part of each, so that one unit's
// indexes say nothing about another's.
func (t *tx) terms(c *kiosk.Customer) map[string]bool {
	out := map[string]bool{}
	put := func(kind, value string) {
		if value != "" {
			out[string(t.index(kind, c.Unit+"\x00"+value))] = true
		}
	}
	for _, number := range []string{c.ID, c.IDNumber, c.TaxCode, c.Phone} {
		put("exact", exact(number))
	}
	put("mail", exactMail(c.Email))
	for _, word := range words(c.Name) {
		for n := 1; n <= min(prefixMax, utf8.RuneCountInString(word)); n++ {
			put("name", head(word, n))
		}
	}
	return out
}
