package page

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Wrap breaks text into lines no wider than width by a measure of any unit. Lines break at blanks, between Chinese
// characters (never before closing or after opening punctuation), and inside a word only when it is wider than a
// line. Line feeds are kept; blanks at a break are dropped.
func Wrap(text string, width float64, measure func(string) float64) []string {
	var out []string
	for _, para := range strings.Split(text, "\n") {
		out = append(out, wrapParagraph(para, width, measure)...)
	}
	return out
}

// Balance breaks text into as few lines as Wrap does, but about equally long: for headings in the middle.
func Balance(text string, width float64, measure func(string) float64) []string {
	lines := Wrap(text, width, measure)
	if len(lines) < 2 || strings.Contains(text, "\n") {
		return lines
	}
	low, high := width/2, width
	for range 7 {
		middle := (low + high) / 2
		if try := Wrap(text, middle, measure); len(try) == len(lines) {
			lines, high = try, middle
		} else {
			low = middle
		}
	}
	return lines
}

func wrapParagraph(text string, width float64, measure func(string) float64) []string {
	text = strings.TrimSpace(text)
	if text == "" {
		return []string{""}
	}
	var out []string
	start, end, used := 0, 0, 0.0 // the line so far is text[start:end], end before trailing blanks
	for pos := 0; pos < len(text); {
		n := piece(text[pos:])
		word := strings.TrimRight(text[pos:pos+n], " \t")
		gap := measure(text[end:pos])
		w := measure(word)
		if used > 0 && used+gap+w > width {
			out = append(out, text[start:end])
			start, end, used, gap = pos, pos, 0, 0
		}
		for used == 0 && w > width {
			k := fit(word, width, measure)
			if k == len(word) {
				break
			}
			out = append(out, word[:k])
			pos, n = pos+k, n-k
			word = word[k:]
			start, end = pos, pos
			w = measure(word)
		}
		used += gap + w
		end = pos + len(word)
		pos += n
	}
	return append(out, text[start:end])
}

// fit returns how many bytes of word go into width, at least one character.
func fit(word string, width float64, measure func(string) float64) int {
	used := 0.0
	for i, r := range word {
		used += measure(string(r))
		if used > width && i > 0 && !unicode.Is(unicode.Mn, r) {
			return i
		}
	}
	return len(word)
}

// piece returns the length of the first part of text that must stay together, with the blanks after it.
func piece(text string) int {
	prev, blank := rune(0), false
	for i, r := range text {
		isBlank := r == ' ' || r == '\t'
		if i > 0 && !isBlank && (blank || breakBetween(prev, r)) {
			return i
		}
		prev, blank = r, isBlank
	}
	return len(text)
}

func breakBetween(a, b rune) bool {
	if !wide(a) && !wide(b) {
		return false
	}
	return !strings.ContainsRune("（《「『〈【“‘(", a) && !strings.ContainsRune("，。、；：？！）》」』〉】”’),.;:?!%", b)
}

// wide reports whether lines may break around a character: Chinese characters and their punctuation.
func wide(r rune) bool {
	return r >= 0x2E80 && r <= 0x9FFF || r >= 0xF900 && r <= 0xFAFF || r >= 0xFF00 && r <= 0xFF60 ||
		r >= 0x20000 && r <= utf8.MaxRune
}
