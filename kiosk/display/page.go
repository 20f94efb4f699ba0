package display

import (
	"strings"

	"countersign/internal/tui"
)

// The columns of every screen, counted from 0. They hold at every size.
const (
	colObject  = 1
	colNumber  = 3 // last cell of a number
	colLabel   = 6
	colValue   = 27
	colNote    = 58
	colWelcome = 10
	colFact    = 13
	design     = 80

	widthLabel = 20
	widthValue = 30
	widthNote  = 22

	minWidth, minHeight = 60, 20
	firstRow            = 2 // of the screen, below title and steps
)

// span is a piece of text on a row.
type span struct {
	x  int
	s  string
	st tui.Style
}

// row is one row of a page.
type row struct {
	spans   []span
	gap     bool // blank only for looks: the first to go when there is no room
	follow  bool // the rows are scrolled so that this one is seen
	pic     []tui.Cell
	surface int // row of the surface that is written on, from 1; 0 is none
	picX    int
	caretX  int // 0 is none
}

// page is what a stage shows between the step line and the seam.
type page struct {
	title string
	steps bool
	rows  []row
	tail  []row // fixed above the seam
}

// text is a row with one text.
func text(x int, s string, st tui.Style) row { return row{spans: []span{{x, s, st}}} }

// and adds a text to a row.
func (r row) and(x int, s string, st tui.Style) row {
	r.spans = append(r.spans, span{x, s, st})
	return r
}

// gaps are n blank rows.
func gaps(n int) []row {
	out := make([]row, n)
	for i := range out {
		out[i].gap = true
	}
	return out
}

// add appends rows to a page.
func (p *page) add(rows ...row) { p.rows = append(p.rows, rows...) }

// skip appends n blank rows.
func (p *page) skip(n int) { p.rows = append(p.rows, gaps(n)...) }

// para appends a text that is wrapped at the right edge.
func (p *page) para(w, x int, s string, st tui.Style) {
	for _, l := range tui.Wrap(s, w-x) {
		p.add(text(x, l, st))
	}
}

// fact appends a label and a value, which is wrapped and never cut.
func (p *page) fact(w, x, col int, label, value string) {
	for i, l := range tui.Wrap(value, w-col) {
		r := text(col, l, tui.Text)
		if i == 0 {
			r.spans = append([]span{{x, label, tui.Muted}}, r.spans...)
		}
		p.add(r)
	}
}

// numbered appends an item that begins with a sign of its own; later lines stand under the first.
func (p *page) numbered(w, x int, sign, s string) {
	col := x + tui.Width(sign) + 2
	for i, l := range tui.Wrap(s, w-col) {
		r := text(col, l, tui.Text)
		if i == 0 {
			r = text(x, sign, tui.Text).and(col, l, tui.Text)
		}
		p.add(r)
	}
}

// view is the part of a page that fits the screen.
type view struct {
	page
	room         int
	first, below int // rows above and below those that are shown
}

func (v view) scrolls() bool { return v.first > 0 || v.below > 0 }

// visible are the rows that are shown.
func (v view) visible() []row { return v.rows[v.first : len(v.rows)-v.below] }

// view lays the page out on the screen as it is now.
func (a *App) view() view {
	v := view{page: a.page()}
	v.room = max(a.h-5-len(v.tail), 1)
	v.rows = squeeze(v.rows, v.room)
	if len(v.rows) <= v.room {
		return v
	}
	last := len(v.rows) - v.room
	v.first = min(max(a.scroll, 0), last)
	if !a.held {
		for i, r := range v.rows {
			if r.follow && (i < v.first || i >= v.first+v.room-2) {
				v.first = min(max(i-v.room/2, 0), last)
				break
			}
		}
	}
	v.below = last - v.first
	return v
}

// squeeze takes blank rows away, the last ones first, until the rows fit.
func squeeze(rows []row, room int) []row {
	over := len(rows) - room
	if over <= 0 {
		return rows
	}
	out := make([]row, 0, len(rows))
	blank := 0
	for _, r := range rows {
		if r.gap {
			blank++
		}
	}
	keep := max(blank-over, 0)
	for _, r := range rows {
		if r.gap {
			if keep == 0 {
				continue
			}
			keep--
		}
		out = append(out, r)
	}
	return out
}

// width is the width of the page; wider terminals leave the rest blank.
func (a *App) width() int { return min(a.w, design) }

// bar is the amount read, n of all, in cells.
func bar(cells, n, all int) string {
	full := 0
	if all > 0 {
		full = min((n*cells+all-1)/all, cells)
	}
	full = max(full, 0)
	return strings.Repeat("█", full) + strings.Repeat("░", max(cells-full, 0))
}
