package helpdesk

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold brings a text to the form in which it is searched: lower case, without diacritics, đ as d.
func Fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		foldRune(&b, r)
	}
	return b.String()
}

// plain holds the folded forms of the Latin letters beyond ASCII, made when the first one is met.
var plain = sync.OnceValue(func() *[0x1F00]rune {
	var table [0x1F00]rune
	for r := range rune(len(table)) {
		table[r] = foldSlow(r)
	}
	return &table
})

// foldRune writes the folded letter; marks have none, full-width forms become plain ones.
func foldRune(b *strings.Builder, r rune) {
	switch {
	case r < utf8.RuneSelf:
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		b.WriteByte(byte(r))
		return
	case r < 0x1F00:
		r = plain()[r]
	default:
		r = foldSlow(r)
	}
	if r >= 0 {
		b.WriteRune(r)
	}
}

// foldSlow folds one letter; -1 is none.
func foldSlow(r rune) rune {
	switch {
	case r == 'đ' || r == 'Đ':
		return 'd'
	case unicode.Is(unicode.Mn, r):
		return -1
	case r >= 0xFF01 && r <= 0xFF5E:
		return unicode.ToLower(r - 0xFEE0)
	}
	var buf [utf8.UTFMax]byte
	n := utf8.EncodeRune(buf[:], r)
	if d := norm.NFD.Properties(buf[:n]).Decomposition(); len(d) > 0 && !unicode.Is(unicode.Hangul, r) {
		first, _ := utf8.DecodeRune(d)
		return unicode.ToLower(first)
	}
	return unicode.ToLower(r)
}

// Word is a folded word and where it stood.
type Word struct {
	Text     string
	From, To int // bytes of the text
}

// Words splits a text into folded words: letters and digits together, every Chinese character by itself.
func Words(s string) []Word {
	var out []Word
	var b strings.Builder
	from := -1
	flush := func(to int) {
		if from >= 0 && b.Len() > 0 {
			out = append(out, Word{Text: b.String(), From: from, To: to})
		}
		from = -1
		b.Reset()
	}
	for i, r := range s {
		switch {
		case r >= utf8.RuneSelf && unicode.Is(unicode.Mn, r):
		case r >= utf8.RuneSelf && unicode.Is(unicode.Han, r):
			flush(i)
			out = append(out, Word{Text: string(r), From: i, To: i + utf8.RuneLen(r)})
		case isWordRune(r):
			if from < 0 {
				from = i
			}
			foldRune(&b, r)
		default:
			flush(i)
		}
	}
	flush(len(s))
	return out
}

func isWordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

// maxTerms is how many different words of one message are searched for.
const maxTerms = 600

// Terms returns the different folded words of texts, for Search.
func Terms(texts ...string) []string {
	var all []Word
	for _, text := range texts {
		all = append(all, Words(text)...)
	}
	return TermsOf(all)
}

// TermsOf returns the different ones of words.
func TermsOf(words []Word) []string {
	seen := make(map[string]bool, len(words))
	var out []string
	for _, w := range words {
		if len(w.Text) > 40 || seen[w.Text] {
			continue
		}
		if len(out) == maxTerms {
			return out
		}
		seen[w.Text] = true
		out = append(out, w.Text)
	}
	return out
}

// Contains reports whether a text has every one of the words; it is how a found message is judged after it was opened.
func Contains(terms, words []string) bool {
	for _, w := range words {
		if !slices.Contains(terms, w) {
			return false
		}
	}
	return true
}
