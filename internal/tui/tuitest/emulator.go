package tuitest

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// Emulator is a terminal without a window: it understands what our programs write, answers nothing, and treats
// everything else as an error of ours. It is not safe for use by several goroutines at once.
type Emulator struct {
	w, h      int
	main, alt []Cell
	onAlt     bool
	x, y      int
	wrap      bool // the last column was written; the next character goes to the next line
	pen       Cell
	hidden    bool
	sync      bool
	pasteMode bool
	rest      []byte // a sequence or character that is not complete yet
	unknown   []string
	width     *runewidth.Condition
	bells     int
	written   int
	savedX    int
	savedY    int
	focusMode bool
}

// NewEmulator returns a blank terminal of w×h cells.
func NewEmulator(w, h int) *Emulator {
	e := &Emulator{w: w, h: h, width: runewidth.NewCondition()}
	e.width.EastAsianWidth = false
	e.width.StrictEmojiNeutral = true
	e.main, e.alt = blank(w*h, Cell{}), blank(w*h, Cell{})
	return e
}

func blank(n int, like Cell) []Cell {
	out := make([]Cell, n)
	for i := range out {
		out[i] = Cell{Text: " ", Back: like.Back, Reverse: like.Reverse}
	}
	return out
}

// Resize changes the size and keeps the upper left part.
func (e *Emulator) Resize(w, h int) {
	for _, page := range []*[]Cell{&e.main, &e.alt} {
		next := blank(w*h, Cell{})
		for y := range min(h, e.h) {
			copy(next[y*w:(y+1)*w], (*page)[y*e.w:y*e.w+min(w, e.w)])
		}
		*page = next
	}
	e.w, e.h = w, h
	e.x, e.y, e.wrap = min(e.x, w-1), min(e.y, h-1), false
}

// Unknown lists what was written that the emulator does not understand.
func (e *Emulator) Unknown() []string { return e.unknown }

// Written returns how many bytes came so far.
func (e *Emulator) Written() int { return e.written }

// Bells returns how often the bell rang.
func (e *Emulator) Bells() int { return e.bells }

// InUpdate reports whether a synchronised update has begun and not ended.
func (e *Emulator) InUpdate() bool { return e.sync || len(e.rest) > 0 }

// Modes names the modes that a program must switch off before it ends and has not.
func (e *Emulator) Modes() []string {
	var out []string
	for _, m := range []struct {
		name string
		on   bool
	}{
		{"alternate screen", e.onAlt}, {"hidden cursor", e.hidden}, {"bracketed paste", e.pasteMode}, {"focus reports", e.focusMode},
	} {
		if m.on {
			out = append(out, m.name)
		}
	}
	return out
}

// Shot returns what is shown now.
func (e *Emulator) Shot() Shot {
	return Shot{
		W: e.w, H: e.h, Cells: append([]Cell(nil), e.page()...),
		CaretX: e.x, CaretY: e.y, CaretShown: !e.hidden,
	}
}

func (e *Emulator) page() []Cell {
	if e.onAlt {
		return e.alt
	}
	return e.main
}

// Write shows what a program wrote.
func (e *Emulator) Write(p []byte) (int, error) {
	e.written += len(p)
	b := append(e.rest, p...)
	e.rest = nil
	for len(b) > 0 {
		n := e.step(b)
		if n == 0 {
			e.rest = append([]byte(nil), b...)
			break
		}
		b = b[n:]
	}
	return len(p), nil
}

// step handles one character or sequence and returns its length, 0 when its end has not come yet.
func (e *Emulator) step(b []byte) int {
	switch {
	case b[0] == 0x1b:
		return e.escape(b)
	case b[0] < 0x20:
		e.control(b[0])
		return 1
	case !utf8.FullRune(b):
		return 0
	}
	r, n := utf8.DecodeRune(b)
	e.print(r)
	return n
}

func (e *Emulator) control(b byte) {
	switch b {
	case '\r':
		e.x, e.wrap = 0, false
	case '\n':
		e.wrap = false
		if e.y++; e.y == e.h {
			copy(e.page(), e.page()[e.w:])
			copy(e.page()[(e.h-1)*e.w:], blank(e.w, e.pen))
			e.y--
		}
	case '\b':
		e.x, e.wrap = max(e.x-1, 0), false
	case '\t':
		e.x = min((e.x/8+1)*8, e.w-1)
	case '\a':
		e.bells++
	default:
		e.unknown = append(e.unknown, fmt.Sprintf("control %#02x", b))
	}
}

// print shows one character at the cursor.
func (e *Emulator) print(r rune) {
	w := e.width.RuneWidth(r)
	page := e.page()
	if w == 0 {
		at := e.y*e.w + e.x - 1
		if e.wrap {
			at++
		}
		for at > 0 && page[at].Text == "" {
			at--
		}
		if at >= 0 {
			page[at].Text += string(r)
		}
		return
	}
	if e.wrap || e.x+w > e.w {
		e.x, e.wrap = 0, false
		e.control('\n')
		page = e.page()
	}
	row := page[e.y*e.w : (e.y+1)*e.w]
	for i := e.x; i < e.x+w; i++ {
		if row[i].Text == "" && i > 0 {
			row[i-1].Text = " "
		}
		if i+1 < e.w && row[i+1].Text == "" {
			row[i+1].Text = " "
		}
	}
	row[e.x] = e.pen
	row[e.x].Text = string(r)
	if w == 2 {
		row[e.x+1] = e.pen
		row[e.x+1].Text = ""
	}
	e.x += w
	if e.x == e.w {
		e.x, e.wrap = e.w-1, true
	}
}

// escape handles a sequence that begins with Esc.
func (e *Emulator) escape(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '[':
		for i := 2; i < len(b); i++ {
			if b[i] >= 0x40 && b[i] <= 0x7e {
				e.csi(b[i], string(b[2:i]))
				return i + 1
			}
		}
		return 0
	case ']', '_', 'P', '^', 'X':
		s := string(b[2:])
		bel, st := strings.IndexByte(s, '\a'), strings.Index(s, "\x1b\\")
		switch {
		case st >= 0 && (bel < 0 || st < bel):
			return 2 + st + 2
		case bel >= 0:
			return 2 + bel + 1
		}
		return 0
	case '7':
		e.savedX, e.savedY = e.x, e.y
	case '8':
		e.x, e.y = e.savedX, e.savedY
	default:
		e.unknown = append(e.unknown, fmt.Sprintf("escape %q", b[1]))
	}
	return 2
}

// csi handles a control sequence.
func (e *Emulator) csi(final byte, params string) {
	if strings.HasPrefix(params, "?") {
		e.mode(final, params[1:])
		return
	}
	var n []int
	for _, p := range strings.Split(params, ";") {
		v, _ := strconv.Atoi(p)
		n = append(n, v)
	}
	first := max(n[0], 1)
	e.wrap = e.wrap && final == 'm'
	switch final {
	case 'H', 'f':
		col := 1
		if len(n) > 1 {
			col = max(n[1], 1)
		}
		e.y, e.x = min(first, e.h)-1, min(col, e.w)-1
	case 'A':
		e.y = max(e.y-first, 0)
	case 'B':
		e.y = min(e.y+first, e.h-1)
	case 'C':
		e.x = min(e.x+first, e.w-1)
	case 'D':
		e.x = max(e.x-first, 0)
	case 'G':
		e.x = min(first, e.w) - 1
	case 'J':
		e.erase(n[0], e.y*e.w+e.x, len(e.page()), 0)
	case 'K':
		e.erase(n[0], e.y*e.w+e.x, (e.y+1)*e.w, e.y*e.w)
	case 'm':
		e.pen.sgr(n)
	case 'n', 'c': // A question; this terminal does not answer.
	default:
		e.unknown = append(e.unknown, fmt.Sprintf("sequence %q %q", params, final))
	}
}

// erase blanks from at to the end (0), from the start to at (1) or all (2) of a part of the page.
func (e *Emulator) erase(how, at, end, start int) {
	switch how {
	case 1:
		end = at + 1
	case 2:
		at = start
	}
	if how == 1 {
		at = start
	}
	copy(e.page()[at:end], blank(end-at, e.pen))
}

// mode switches a private mode.
func (e *Emulator) mode(final byte, params string) {
	on := final == 'h'
	if final != 'h' && final != 'l' {
		e.unknown = append(e.unknown, fmt.Sprintf("sequence ?%q %q", params, final))
		return
	}
	switch params {
	case "25":
		e.hidden = !on
	case "1049":
		if on && !e.onAlt {
			copy(e.alt, blank(len(e.alt), Cell{}))
		}
		e.onAlt = on
	case "2026":
		e.sync = on
	case "2004":
		e.pasteMode = on
	case "1004":
		e.focusMode = on
	case "1000", "1002", "1003", "1006":
		if on {
			e.unknown = append(e.unknown, "mouse mode "+params)
		}
	default:
		e.unknown = append(e.unknown, "mode "+params)
	}
}

// sgr applies colours and attributes.
func (c *Cell) sgr(n []int) {
	for i := 0; i < len(n); i++ {
		switch v := n[i]; {
		case v == 0:
			*c = Cell{}
		case v == 1:
			c.Bold = true
		case v == 22:
			c.Bold = false
		case v == 7:
			c.Reverse = true
		case v == 27:
			c.Reverse = false
		case v >= 30 && v <= 37, v >= 90 && v <= 97:
			c.Fore = indexed(v%10 + v/90*8)
		case v >= 40 && v <= 47, v >= 100 && v <= 107:
			c.Back = indexed(v%10 + v/100*8)
		case v == 39:
			c.Fore = ""
		case v == 49:
			c.Back = ""
		case (v == 38 || v == 48) && i+2 < len(n) && n[i+1] == 5:
			c.colour(v, indexed(n[i+2]))
			i += 2
		case (v == 38 || v == 48) && i+4 < len(n) && n[i+1] == 2:
			c.colour(v, fmt.Sprintf("#%02x%02x%02x", n[i+2], n[i+3], n[i+4]))
			i += 4
		}
	}
}

func (c *Cell) colour(which int, hex string) {
	if which == 38 {
		c.Fore = hex
		return
	}
	c.Back = hex
}

// indexed returns one of the 256 colours, the first sixteen as xterm has them.
func indexed(i int) string {
	basic := [16]string{
		"#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5",
		"#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff",
	}
	switch {
	case i < 0 || i > 255:
		return ""
	case i < 16:
		return basic[i]
	case i >= 232:
		v := 8 + 10*(i-232)
		return fmt.Sprintf("#%02x%02x%02x", v, v, v)
	}
	level := [6]int{0, 95, 135, 175, 215, 255}
	i -= 16
	return fmt.Sprintf("#%02x%02x%02x", level[i/36], level[i/6%6], level[i%6])
}
