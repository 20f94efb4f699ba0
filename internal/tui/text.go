package tui

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"golang.org/x/text/unicode/norm"
)

// maxMarks is how many combining marks one grapheme may carry: enough for every living script, too few to smear
// over the rows above and below.
const maxMarks = 4

// simple reports the display width of a rune that stands for itself: printable, in NFC whatever stands beside it
// unless that is a mark, never joined with its neighbours. Zero means that the slow path has to look.
func simple(r rune) int {
	switch {
	case r < 0x20:
		return 0
	case r < 0x7f:
		return 1
	case r < 0xa1:
		return 0
	case r == 0xad:
		return 0
	case r < 0x300, r >= 0x1ea0 && r < 0x1efa:
		return 1
	case r >= 0x2500 && r < 0x25ff && r != 0x25fd && r != 0x25fe:
		return 1
	case r == 0x2713, r == 0x2717:
		return 1
	case r >= 0x4e00 && r < 0x9ff0, r >= 0x3001 && r < 0x3030 && r != 0x302a:
		if r >= 0x302a && r <= 0x302f {
			return 0
		}
		return 2
	}
	return 0
}

// isSimple reports whether every rune of s is simple.
func isSimple(s string) bool {
	for _, r := range s {
		if simple(r) == 0 {
			return false
		}
	}
	return true
}

// Sanitize returns s as it may reach a terminal: NFC, printable characters only. Line breaks and tabs become spaces;
// control characters, reading-order overrides, invisible characters and private ones are dropped; bytes that are not
// UTF-8 become U+FFFD.
func Sanitize(s string) string {
	if isSimple(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	marks := 0
	for _, r := range norm.NFC.String(strings.ToValidUTF8(s, "\uFFFD")) {
		r, ok := allowed(r)
		if !ok {
			continue
		}
		if unicode.In(r, unicode.Mn, unicode.Me) {
			if marks++; marks > maxMarks {
				continue
			}
		} else {
			marks = 0
		}
		b.WriteRune(r)
	}
	// Dropping a character between two others can bring together what NFC joins.
	return norm.NFC.String(b.String())
}

// allowed says what becomes of one rune on its way to the terminal.
func allowed(r rune) (rune, bool) {
	switch r {
	case '\n', '\r', '\t', '\v', '\f', 0x85, 0x2028, 0x2029:
		return ' ', true
	case 0x3000:
		return r, true
	case 0x115f, 0x1160, 0x3164, 0xffa0, 0x2800:
		return 0, false // Fillers that look like nothing.
	}
	switch {
	case unicode.Is(unicode.Zs, r):
		return ' ', true
	case unicode.Is(unicode.Variation_Selector, r):
		return 0, false
	case unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S):
		return r, true
	}
	return 0, false
}

// clusters calls f with every grapheme cluster of s, which has passed Sanitize, and its width in cells.
func clusters(s string, f func(cluster string, width int) bool) {
	if isSimple(s) {
		for i := 0; i < len(s); {
			r, n := utf8.DecodeRuneInString(s[i:])
			if !f(s[i:i+n], simple(r)) {
				return
			}
			i += n
		}
		return
	}
	state := -1
	for s != "" {
		var c string
		var w int
		c, s, w, state = uniseg.FirstGraphemeClusterInString(s, state)
		if !f(c, min(w, 2)) {
			return
		}
	}
}

// Graphemes returns the grapheme clusters of s after Sanitize.
func Graphemes(s string) []string {
	var out []string
	clusters(Sanitize(s), func(c string, _ int) bool {
		out = append(out, c)
		return true
	})
	return out
}

// Width returns how many cells s takes on the screen.
func Width(s string) int {
	n := 0
	clusters(Sanitize(s), func(_ string, w int) bool {
		n += w
		return true
	})
	return n
}

// Cut returns s in at most max cells, ending in ".." when something had to go.
func Cut(s string, max int) string {
	s = Sanitize(s)
	if max <= 0 {
		return ""
	}
	if Width(s) <= max {
		return s
	}
	if max <= 2 {
		return ".."[:max]
	}
	x, end := 0, 0
	clusters(s, func(c string, w int) bool {
		if x+w > max-2 {
			return false
		}
		x, end = x+w, end+len(c)
		return true
	})
	return s[:end] + ".."
}

// Wrap breaks s into lines of at most width cells, at the places where the script allows it (UAX 14), inside a word
// only when the word alone is too long. A line break in s is kept.
func Wrap(s string, width int) []string {
	if width < 2 {
		width = 2
	}
	var out []string
	for _, line := range strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n") {
		out = append(out, wrapLine(Sanitize(line), width)...)
	}
	return out
}

func wrapLine(s string, width int) []string {
	var out []string
	var line strings.Builder
	x, state := 0, -1
	flush := func() {
		out = append(out, strings.TrimRight(line.String(), " "))
		line.Reset()
		x = 0
	}
	for s != "" {
		var seg string
		seg, s, _, state = uniseg.FirstLineSegmentInString(s, state)
		if x > 0 && x+Width(strings.TrimRight(seg, " ")) > width {
			flush()
		}
		clusters(seg, func(c string, w int) bool {
			if x+w > width {
				if c == " " {
					return true
				}
				flush()
			}
			line.WriteString(c)
			x += w
			return true
		})
	}
	if line.Len() > 0 || len(out) == 0 {
		flush()
	}
	return out
}
