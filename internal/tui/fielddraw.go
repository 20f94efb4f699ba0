package tui

import "strings"

// Draw shows the field in w cells from x on and puts the cursor where the next character goes. A value that is wider
// scrolls so that the caret stays in sight; the last cell is kept for the caret.
func (f *Field) Draw(c *Canvas, x, y, w int, st Style) {
	if w <= 0 {
		return
	}
	if f.Kind == FieldMultiline {
		f.drawLines(c, x, y, w, st, true)
		return
	}
	at := 0
	for i := range f.caret {
		at += f.cells(i)
	}
	total := at
	for i := f.caret; i < len(f.text); i++ {
		total += f.cells(i)
	}
	// Keep the caret inside, and no more blank behind the value than needed.
	f.scroll = max(min(f.scroll, at, max(total-w+1, 0)), at-w+1)
	f.line(c, x, y, w, st, f.scroll)
	c.SetCaret(x+at-f.scroll, y)
}

// Show draws the field without the cursor, from its beginning, cut when it is wider.
func (f *Field) Show(c *Canvas, x, y, w int, st Style) {
	if f.Kind == FieldMultiline {
		f.drawLines(c, x, y, w, st, false)
		return
	}
	f.line(c, x, y, w, st, 0)
}

// cells returns the width of the grapheme at i as it is shown.
func (f *Field) cells(i int) int {
	if f.Kind == FieldSecret {
		return 1
	}
	return Width(f.text[i])
}

// line draws one line whose first visible cell is scroll.
func (f *Field) line(c *Canvas, x, y, w int, st Style, scroll int) {
	fill := " "
	if f.Line {
		fill = "_"
	}
	c.put(x, y, x+w, strings.Repeat(fill, w), st&^tokenMask|Muted)
	col := x - scroll
	for i, g := range f.text {
		n := f.cells(i)
		if f.Kind == FieldSecret {
			g = "*"
		}
		if col >= x && col+n <= x+w {
			c.Put(col, y, g, st)
		}
		col += n
	}
}

// drawLines shows a field of several lines, wrapped at w cells.
func (f *Field) drawLines(c *Canvas, x, y, w int, st Style, caret bool) {
	h := f.Height
	if h <= 0 {
		h = 3
	}
	type place struct{ row, col int }
	places := make([]place, len(f.text)+1)
	row, col := 0, 0
	for i, g := range f.text {
		n := Width(g)
		if g != "\n" && col+n > w-1 {
			row, col = row+1, 0
		}
		places[i] = place{row, col}
		if g == "\n" {
			row, col = row+1, 0
			continue
		}
		col += n
	}
	places[len(f.text)] = place{row, col}
	at := places[f.caret]
	f.scroll = min(max(f.scroll, at.row-h+1), at.row)
	c.Fill(x, y, w, h, st)
	for i, g := range f.text {
		if r := places[i].row - f.scroll; g != "\n" && r >= 0 && r < h {
			c.Put(x+places[i].col, y+r, g, st)
		}
	}
	if caret {
		c.SetCaret(x+at.col, y+at.row-f.scroll)
	}
}
