package tui

import (
	"image/color"
	"strings"
)

// Canvas is a page of w×h cells, the only thing that screens draw on. Column 0, row 0 is the upper left corner.
// Drawing outside is cut off, never an error.
type Canvas struct {
	w, h           int
	cells          []cell
	caretX, caretY int // -1 when the cursor is hidden
	ascii          bool
	kitty          bool
	pointer        bool
}

// cell is one place on the canvas: a grapheme cluster, or the right half of the wide one beside it.
type cell struct {
	text  string // "" is the right half of a wide cluster
	style Style
	wide  bool
	paint paint
}

// paint colours a cell by numbers instead of by meaning: for pictures only.
type paint struct {
	on     bool
	kitty  bool // fg is an image number of the kitty protocol, bg is not used
	fg, bg [3]uint8
}

// Cell is one cell of a picture: two pixels, one above the other.
type Cell struct{ Upper, Lower color.RGBA }

// NewCanvas returns a blank canvas of w×h cells.
func NewCanvas(w, h int) *Canvas {
	c := &Canvas{w: max(w, 0), h: max(h, 0)}
	c.cells = make([]cell, c.w*c.h)
	c.Clear()
	return c
}

// Size returns the width and height in cells.
func (c *Canvas) Size() (w, h int) { return c.w, c.h }

// Clear makes every cell blank and hides the cursor.
func (c *Canvas) Clear() {
	for i := range c.cells {
		c.cells[i] = cell{text: " "}
	}
	c.caretX, c.caretY = -1, -1
	c.pointer = false
}

// Glyphs returns the set of signs that this terminal shows right.
func (c *Canvas) Glyphs() Glyphs {
	if c.ascii {
		return ASCIIGlyphs()
	}
	return FullGlyphs()
}

// UseASCII chooses between the full and the ASCII set of signs.
func (c *Canvas) UseASCII(yes bool) { c.ascii = yes }

// Kitty reports whether the terminal shows pictures by the kitty protocol (see Transmit and Placeholder).
func (c *Canvas) Kitty() bool { return c.kitty }

// Put writes s from column x on and returns the column after it. What passes the right edge is cut off.
func (c *Canvas) Put(x, y int, s string, st Style) int {
	return c.put(x, y, c.w, s, st)
}

// put writes s from x on, in cells before limit.
func (c *Canvas) put(x, y, limit int, s string, st Style) int {
	limit = min(limit, c.w)
	clusters(Sanitize(s), func(text string, w int) bool {
		if w == 0 {
			return true // A mark without a letter has no cell of its own.
		}
		if y < 0 || y >= c.h || x >= limit || x+w > limit {
			return false
		}
		if x >= 0 {
			if c.ascii {
				text = asciiTwin(text)
			}
			c.set(x, y, text, w, st)
		}
		x += w
		return true
	})
	return x
}

// set writes one cluster and blanks what is left of a wide cluster that it cuts in two.
func (c *Canvas) set(x, y int, text string, w int, st Style) {
	row := c.cells[y*c.w : (y+1)*c.w]
	c.detach(row, x)
	row[x] = cell{text: text, style: st, wide: w == 2}
	if w == 2 {
		c.detach(row, x+1)
		row[x+1] = cell{style: st}
	}
}

// detach blanks the other half of the wide cluster to which the cell at x belongs.
func (c *Canvas) detach(row []cell, x int) {
	if row[x].text == "" && x > 0 {
		row[x-1] = cell{text: " ", style: row[x-1].style}
	}
	if row[x].wide && x+1 < len(row) {
		row[x+1] = cell{text: " ", style: row[x+1].style}
	}
}

// PutMax writes s from column x on in at most max cells, ending in ".." when it is longer, and returns the column
// after what was written.
func (c *Canvas) PutMax(x, y, max int, s string, st Style) int {
	return c.Put(x, y, Cut(s, max), st)
}

// PutRight writes s so that its last cell is column x; an x beyond the right edge means the last column.
func (c *Canvas) PutRight(x, y int, s string, st Style) {
	x = min(x, c.w-1)
	c.Put(x+1-Width(s), y, s, st)
}

// Fill blanks a rectangle in the given style.
func (c *Canvas) Fill(x, y, w, h int, st Style) {
	for j := max(y, 0); j < min(y+h, c.h); j++ {
		for i := max(x, 0); i < min(x+w, c.w); i++ {
			c.set(i, j, " ", 1, st)
		}
	}
}

// Rule draws a horizontal line of w cells.
func (c *Canvas) Rule(x, y, w int) {
	if w > 0 {
		c.put(x, y, x+w, strings.Repeat("─", w), Rule)
	}
}

// Box draws a frame of w×h cells with a title in its upper edge and blanks what is inside.
func (c *Canvas) Box(x, y, w, h int, title string) {
	if w < 2 || h < 2 {
		return
	}
	c.Fill(x, y, w, h, Text)
	c.Rule(x+1, y, w-2)
	c.Rule(x+1, y+h-1, w-2)
	for j := y + 1; j < y+h-1; j++ {
		c.Put(x, j, "│", Rule)
		c.Put(x+w-1, j, "│", Rule)
	}
	c.Put(x, y, "┌", Rule)
	c.Put(x+w-1, y, "┐", Rule)
	c.Put(x, y+h-1, "└", Rule)
	c.Put(x+w-1, y+h-1, "┘", Rule)
	if title != "" && w > 6 {
		c.Put(x+1, y, " "+Cut(title, w-4)+" ", Text|Bold)
	}
}

// SetCaret shows the real cursor at column x, row y; outside the canvas it is hidden.
func (c *Canvas) SetCaret(x, y int) {
	if x < 0 || y < 0 || x >= c.w || y >= c.h {
		x, y = -1, -1
	}
	c.caretX, c.caretY = x, y
}

// UsePointer asks the terminal for Pointer events as long as this canvas is shown. Without it a mouse selects text as
// people are used to.
func (c *Canvas) UsePointer() { c.pointer = true }

// Caret returns where the cursor stands, and whether it is shown.
func (c *Canvas) Caret() (x, y int, shown bool) { return c.caretX, c.caretY, c.caretX >= 0 }

// Plain returns the text alone, one line a row, without trailing blanks. Pictures come out as shades.
func (c *Canvas) Plain() string {
	var b strings.Builder
	for y := range c.h {
		b.WriteString(c.row(y))
		b.WriteByte('\n')
	}
	return b.String()
}

// row returns the text of row y without trailing blanks.
func (c *Canvas) row(y int) string {
	var b strings.Builder
	for _, cl := range c.cells[y*c.w : (y+1)*c.w] {
		switch {
		case cl.paint.kitty:
			b.WriteByte('#')
		case cl.paint.on:
			b.WriteString(cl.paint.shade(c.ascii))
		default:
			b.WriteString(cl.text)
		}
	}
	return strings.TrimRight(b.String(), " ")
}
