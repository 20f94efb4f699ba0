package pdf

import "strings"

// ShownText returns the strings that a content stream shows, as if their font were Latin-1, in order. ok is false where
// the stream can't be read, or paints anything that is no text but a filled or stroked path.
func ShownText(content []byte) (text string, ok bool) {
	budget := maxValues / 16
	l := lexer{buf: content, budget: &budget}
	var operands []Value
	var out strings.Builder
	for {
		l.space()
		if l.pos >= len(l.buf) {
			return out.String(), true
		}
		if c := l.buf[l.pos]; isRegular(c) && !isDigit(c) && c != '+' && c != '-' && c != '.' {
			start := l.pos
			for l.pos < len(l.buf) && isRegular(l.buf[l.pos]) {
				l.pos++
			}
			switch op := string(l.buf[start:l.pos]); op {
			case "Tj", "'", "\"", "TJ":
				if len(operands) == 0 {
					return "", false
				}
				shown(&out, operands[len(operands)-1])
			case "Do", "sh", "BI", "EI", "ID":
				return "", false
			}
			operands = operands[:0]
			continue
		}
		v, err := l.value(0)
		if err != nil || len(operands) > 64 {
			return "", false
		}
		operands = append(operands, v)
	}
}

// shown writes a string, or the strings of an array between which numbers move the pen.
func shown(out *strings.Builder, v Value) {
	for _, item := range append([]Value{v}, v.Items...) {
		for _, c := range item.Bytes() {
			out.WriteRune(rune(c))
		}
	}
}
