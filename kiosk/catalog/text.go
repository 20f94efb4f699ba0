package catalog

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
	"golang.org/x/text/unicode/norm"
)

// forbidden reports whether a rune may not stand in a value: controls, bidirectional and other invisible format
// characters, private use, line and paragraph separators, what Unicode has not assigned. Spaces of any kind may.
func forbidden(c rune) bool {
	return c == utf8.RuneError || !unicode.IsPrint(c) && !unicode.Is(unicode.Zs, c)
}

// normal brings a text to NFC with single spaces and trimmed lines. bad tells that it holds what a value may not;
// line ends are allowed only when lines is true.
func normal(s string, lines bool) (out string, bad bool) {
	if !utf8.ValidString(s) {
		return "", true
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	parts := strings.Split(s, "\n")
	if len(parts) > 1 && !lines {
		return "", true
	}
	for i, p := range parts {
		for _, c := range p {
			if forbidden(c) {
				return "", true
			}
		}
		parts[i] = strings.Join(strings.Fields(norm.NFC.String(p)), " ")
	}
	// Composition is stable, but a joined run of marks may only become one after the spaces are gone.
	return norm.NFC.String(strings.Trim(strings.Join(parts, "\n"), "\n")), false
}

// Fold brings a text to lower case without diacritics, đ as d, so that "cong suat" finds "Công suất".
func Fold(s string) string {
	var b strings.Builder
	for _, c := range norm.NFD.String(strings.ToLower(s)) {
		switch {
		case unicode.Is(unicode.Mn, c):
		case c == 'đ':
			b.WriteByte('d')
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// onlyDigits takes spaces, dots and hyphens out; ok when nothing but digits is left.
func onlyDigits(s string) (digits string, ok bool) {
	var b strings.Builder
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			b.WriteRune(c)
		case c == ' ' || c == '.' || c == '-':
		default:
			return "", false
		}
	}
	return b.String(), b.Len() > 0
}

// cells is the width of a text on a terminal.
func cells(s string) int {
	narrow := runewidth.Condition{}
	return narrow.StringWidth(s)
}

// group puts spaces into digits: group("0900000018", 4, 3, 3) is "0900 000 018".
func group(s string, sizes ...int) string {
	var parts []string
	for _, n := range sizes {
		if len(s) <= n {
			break
		}
		parts = append(parts, s[:n])
		s = s[n:]
	}
	return strings.Join(append(parts, s), " ")
}

// graphemes counts what a person would call characters closely enough for a length limit: combining marks don't count.
func graphemes(s string) int {
	n := 0
	for _, c := range s {
		if !unicode.Is(unicode.Mn, c) {
			n++
		}
	}
	return n
}
