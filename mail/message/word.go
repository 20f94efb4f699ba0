package message

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// words decodes the encoded words of a header's value (RFC 2047), and 8-bit bytes that should not be there. It takes
// what real programs write: words inside quotes, without a space between them, cut inside a letter, with spaces
// inside, or without an end.
func words(value string, fallback string) string {
	if strings.IndexByte(value, '=') < 0 || !strings.Contains(value, "=?") {
		return raw8(value, fallback)
	}
	var out strings.Builder
	var pending []byte // bytes of adjacent words in one character set: a letter may be cut between them
	pendingSet := ""
	flush := func() {
		if len(pending) > 0 {
			s, _ := decode(pending, pendingSet)
			out.WriteString(s)
			pending = pending[:0]
		}
	}
	for rest := value; rest != ""; {
		i := strings.Index(rest, "=?")
		if i < 0 {
			flush()
			out.WriteString(raw8(rest, fallback))
			break
		}
		set, text, n, ok := word(rest[i:])
		if !ok {
			flush()
			out.WriteString(raw8(rest[:i+2], fallback))
			rest = rest[i+2:]
			continue
		}
		// White space between two encoded words does not count (§6.2).
		if between := rest[:i]; len(pending) == 0 || strings.Trim(between, " \t\r\n") != "" {
			flush()
			out.WriteString(raw8(between, fallback))
		}
		if !strings.EqualFold(set, pendingSet) || closed(set) {
			flush()
		}
		pendingSet = set
		pending = append(pending, text...)
		if len(text) == 0 && len(pending) == 0 {
			pendingSet = ""
		}
		rest = rest[i+n:]
	}
	flush()
	return out.String()
}

// closed reports whether each word of a character set starts anew (ISO-2022: back in ASCII).
func closed(set string) bool { return strings.Contains(strings.ToLower(set), "2022") }

// word reads the encoded word at the beginning of s and says how long it is.
func word(s string) (set string, text []byte, n int, ok bool) {
	rest := s[2:]
	a := strings.IndexByte(rest, '?')
	if a <= 0 || a > 60 || a+2 >= len(rest) || rest[a+2] != '?' || strings.ContainsAny(rest[:a], " \t<>\"") {
		return "", nil, 0, false
	}
	set = rest[:a]
	enc := rest[a+1] | 0x20
	if enc != 'q' && enc != 'b' {
		return "", nil, 0, false
	}
	body := rest[a+3:]
	end := strings.Index(body, "?=")
	consumed := 2 + a + 3
	switch {
	case end >= 0:
		// Another word that starts before this one's end: the end was lost.
		if next := strings.Index(body[:end], "=?"); next > 0 && enc == 'b' {
			end = next
			consumed += end
			break
		}
		consumed += end + 2
	default:
		if end = strings.IndexAny(body, "\"<>,;"); end < 0 {
			end = len(body)
		}
		if cut := strings.LastIndexByte(body[:end], '?'); cut >= 0 && cut == end-1 {
			consumed++
			end--
		}
		consumed += end
	}
	if enc == 'b' {
		data, _ := base64Bytes([]byte(body[:end]))
		return set, data, consumed, true
	}
	return set, qWord(body[:end]), consumed, true
}

func qWord(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '_':
			out = append(out, ' ')
		case s[i] == '=' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0:
			out = append(out, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
		default:
			out = append(out, s[i])
		}
	}
	return out
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// raw8 decodes bytes that are not ASCII and not encoded either: UTF-8 (RFC 6532), else the body's set, else a guess.
func raw8(s, fallback string) string {
	shifts := strings.Contains(s, "\x1b$") || strings.Contains(s, "\x1b(")
	switch {
	case shifts && fallback == "":
		fallback = "iso-2022-jp"
	case shifts:
	case asciiString(s):
		return s
	case utf8.ValidString(s):
		fallback = "utf-8"
	}
	out, _ := decode([]byte(s), fallback)
	return out
}

func asciiString(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// line makes one clean line: no control characters, no white space at the ends or in runs of line breaks.
func line(s string) string {
	dirty := false
	for _, r := range s {
		if r == utf8.RuneError || unicode.IsControl(r) {
			dirty = true
			break
		}
	}
	if dirty {
		s = strings.Map(func(r rune) rune {
			switch {
			case r == '\t' || r == '\n' || r == '\r':
				return ' '
			case unicode.IsControl(r):
				return -1
			}
			return r
		}, strings.ToValidUTF8(s, "\uFFFD"))
	}
	return strings.TrimSpace(s)
}

// lines makes clean text of several lines: LF ends, no control characters but tab.
func lines(s string) string {
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.ReplaceAll(s, "\r\n", "\n")
		s = strings.ReplaceAll(s, "\r", "\n")
	}
	dirty := !utf8.ValidString(s)
	if !dirty {
		for _, r := range s {
			if r != '\n' && r != '\t' && unicode.IsControl(r) {
				dirty = true
				break
			}
		}
	}
	if !dirty {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// base64Bytes decodes what is left of damaged base64: foreign characters are stepped over, padding in the middle ends
// one piece and starts another. damaged says that there was more than line ends to step over.
func base64Bytes(in []byte) (out []byte, damaged bool) {
	out = make([]byte, 0, len(in)/4*3+3)
	var acc uint32
	n := 0
	for _, c := range in {
		v := base64Value[c]
		if v < 64 {
			acc = acc<<6 | uint32(v)
			if n++; n == 4 {
				out = append(out, byte(acc>>16), byte(acc>>8), byte(acc))
				acc, n = 0, 0
			}
			continue
		}
		switch {
		case c == '=':
			out = tail(out, acc, n)
			acc, n = 0, 0
		case c == '\r' || c == '\n' || c == ' ' || c == '\t':
		default:
			damaged = true
		}
	}
	if n != 0 {
		damaged = true
	}
	return tail(out, acc, n), damaged
}

func tail(out []byte, acc uint32, n int) []byte {
	switch n {
	case 2:
		return append(out, byte(acc>>4))
	case 3:
		return append(out, byte(acc>>10), byte(acc>>2))
	}
	return out
}

var base64Value = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = byte(i)
	}
	return t
}()

// quotedBytes decodes quoted-printable as far as it is any: a lone "=" stands for itself.
func quotedBytes(in []byte) (out []byte, damaged bool) {
	if bytes.IndexByte(in, '=') < 0 {
		return in, false
	}
	out = make([]byte, 0, len(in))
	for i := 0; i < len(in); i++ {
		c := in[i]
		if c != '=' {
			out = append(out, c)
			continue
		}
		if i+2 < len(in) && unhex(in[i+1]) >= 0 && unhex(in[i+2]) >= 0 {
			out = append(out, byte(unhex(in[i+1])<<4|unhex(in[i+2])))
			i += 2
			continue
		}
		j := i + 1
		for j < len(in) && (in[j] == ' ' || in[j] == '\t' || in[j] == '\r') {
			j++
		}
		switch {
		case j == len(in) || in[j] == '\n':
			i = j
		case in[j-1] == '\r' && j > i+1:
			i = j - 1
		default:
			out = append(out, '=')
			damaged = true
		}
	}
	return out, damaged
}
