package tui

import (
	"strconv"
	"unicode/utf8"
)

// Render returns the bytes that paint the whole canvas on a terminal of its size.
func (c *Canvas) Render(t *Theme) string {
	return string(appendFrame(nil, nil, c, t))
}

// appendFrame appends to dst what turns a terminal that shows from into one that shows to, from nil being unknown.
// When both look the same nothing is appended. Cells are addressed by row and column wherever the terminal might
// disagree about how wide the text before was, so that an error never spreads.
func appendFrame(dst []byte, from, to *Canvas, t *Theme) []byte {
	if from != nil && (from.w != to.w || from.h != to.h) {
		from = nil
	}
	start := len(dst)
	p := pen{dst: dst, x: -1, theme: t, ascii: to.ascii}
	p.add("\x1b[?2026h")
	if from == nil {
		p.add("\x1b[?25l")
	}
	empty := len(p.dst)
	for y := range to.h {
		row := to.cells[y*to.w : (y+1)*to.w]
		var old []cell
		if from != nil {
			old = from.cells[y*to.w : (y+1)*to.w]
		}
		for x := 0; x < len(row); x++ {
			if row[x].text == "" || old != nil && row[x] == old[x] {
				continue
			}
			p.cell(x, y, &row[x])
		}
	}
	if len(p.dst) > empty {
		p.add("\x1b[0m")
	} else if from != nil && from.caretX == to.caretX && from.caretY == to.caretY {
		return dst[:start]
	}
	switch {
	case to.caretX < 0:
		p.add("\x1b[?25l")
	default:
		p.move(to.caretX, to.caretY)
		if from == nil || from.caretX < 0 {
			p.add("\x1b[?25h")
		}
	}
	p.add("\x1b[?2026l")
	return p.dst
}

// pen writes cells and remembers where the terminal's cursor is and in which style.
type pen struct {
	dst   []byte
	x, y  int // x is -1 when it is not certain
	seq   string
	theme *Theme
	ascii bool
}

func (p *pen) add(s string) { p.dst = append(p.dst, s...) }

func (p *pen) move(x, y int) {
	p.add("\x1b[")
	p.dst = strconv.AppendInt(p.dst, int64(y+1), 10)
	p.dst = append(p.dst, ';')
	p.dst = strconv.AppendInt(p.dst, int64(x+1), 10)
	p.dst = append(p.dst, 'H')
	p.x, p.y = x, y
}

func (p *pen) cell(x, y int, c *cell) {
	if p.x != x || p.y != y {
		p.move(x, y)
	}
	text, seq := c.text, ""
	if c.paint.on {
		var shown string
		seq, shown = c.paint.sgr(p.theme.depth, p.ascii)
		if shown != "" {
			text = shown
		}
	} else {
		seq = p.theme.sgr(c.style)
	}
	if seq != p.seq {
		p.add(seq)
		p.seq = seq
	}
	p.add(text)
	p.x++
	if c.wide {
		p.x++
	}
	if r, n := utf8.DecodeRuneInString(text); n < len(text) || simple(r) == 0 {
		p.x = -1
	}
}
