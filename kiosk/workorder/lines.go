package workorder

import (
	"strconv"
	"strings"

	"countersign/signing/pdf/page"
	"github.com/rivo/uniseg"
)

// PageLines is how many lines a page of the reading screen has.
const PageLines = 15

// Line is one line of the reading screen; Page counts from 1.
type Line struct {
	Text string
	Bold bool
	Head bool
	Page int
}

// Lines returns the document's text for a screen of the given width in cells. It is the same text, block by
// block, that Build prints before the signatures.
func (c Content) Lines(width int) []Line {
	w, err := wordsFor(c.Language)
	if err != nil {
		return nil
	}
	r := &reading{width: max(width, 20)}
	for _, s := range []string{c.Unit.Parent, c.Unit.Name, w.fill("number", "id", c.OrderID), w.placeDate(c.Unit.Place, c.Created)} {
		r.put(nfc(s), 0, Line{})
	}
	for _, b := range compose(c, w) {
		r.block(b)
	}
	r.blank()
	for _, s := range c.Signers {
		r.put(nfc(s.Role+": "+s.Name), 0, Line{})
	}
	if c.VerifyCode != "" {
		r.put(w.fill("verify_code", "code", c.VerifyCode), 0, Line{})
	}
	if c.RetainUntil != "" {
		r.put(w.fill("retain", "date", c.RetainUntil), 0, Line{})
	}
	for i := range r.lines {
		r.lines[i].Page = i/PageLines + 1
	}
	return r.lines
}

// reading collects the lines.
type reading struct {
	width int
	lines []Line
}

func cells(s string) float64 { return float64(uniseg.StringWidth(s)) }

func (r *reading) blank() {
	if n := len(r.lines); n > 0 && r.lines[n-1].Text != "" {
		r.lines = append(r.lines, Line{})
	}
}

// put adds a text, wrapped, its later lines indented.
func (r *reading) put(text string, indent int, like Line) {
	first := true
	for _, s := range page.Wrap(text, float64(r.width-indent), cells) {
		like.Text = s
		if !first {
			like.Text = strings.Repeat(" ", indent) + s
		}
		r.lines = append(r.lines, like)
		first = false
	}
}

func (r *reading) block(b block) {
	switch b.kind {
	case kindTitle:
		r.blank()
		r.put(b.text, 0, Line{Bold: true, Head: true})
	case kindSubject:
		r.put(b.text, 0, Line{Bold: true})
	case kindNote:
		r.put(b.text, 0, Line{})
	case kindHead:
		r.blank()
		r.put(b.text, 0, Line{Bold: true, Head: true})
	case kindClause:
		r.blank()
		r.put(b.text, 0, Line{Bold: true})
	case kindParagraph:
		r.columns(Line{}, []column{{b.number, len(b.number) + 1, false}, {b.text, 0, false}})
	case kindClosing:
		r.blank()
		r.put(b.text, 0, Line{})
	case kindRow:
		text := b.text
		if b.source != "" {
			text += "  [" + b.source + "]"
		}
		r.columns(Line{}, []column{{b.number, 5, true}, {b.label, r.width / 3, false}, {text, 0, false}})
	case kindTable:
		r.table(b.table)
	}
}

// column is a text in a column of so many cells, a blank included; 0 takes the rest of the line.
type column struct {
	text  string
	cells int
	right bool
}

// columns puts texts side by side, each wrapped in its own column.
func (r *reading) columns(like Line, cols []column) {
	left := r.width
	var wrapped [][]string
	height := 0
	for i := range cols {
		if cols[i].cells == 0 {
			cols[i].cells = left + 1
		}
		left -= cols[i].cells
		lines := page.Wrap(cols[i].text, float64(max(cols[i].cells-1, 2)), cells)
		wrapped = append(wrapped, lines)
		height = max(height, len(lines))
	}
	for row := range height {
		var line strings.Builder
		for i, c := range cols {
			s := ""
			if row < len(wrapped[i]) {
				s = wrapped[i][row]
			}
			pad := strings.Repeat(" ", max(c.cells-1-int(cells(s)), 0))
			if c.right {
				line.WriteString(pad + s + " ")
			} else {
				line.WriteString(s + pad + " ")
			}
		}
		like.Text = strings.TrimRight(line.String(), " ")
		r.lines = append(r.lines, like)
	}
}

// table gives each column what it needs; the first, which names things, gives way when all do not fit.
func (r *reading) table(t Table) {
	if len(t.Columns) == 0 {
		return
	}
	widths := make([]int, len(t.Columns))
	for _, row := range append([][]string{t.Columns}, t.Rows...) {
		for i, s := range row {
			widths[i] = max(widths[i], int(cells(s))+2)
		}
	}
	sum := 0
	for i := range widths {
		sum += widths[i]
	}
	for sum > r.width {
		wide := 0
		for i := range widths {
			if widths[i] > widths[wide] {
				wide = i
			}
		}
		if widths[wide] <= 4 {
			break
		}
		widths[wide]--
		sum--
	}
	for n, row := range append([][]string{t.Columns}, t.Rows...) {
		cols := make([]column, len(row))
		for i, s := range row {
			cols[i] = column{s, widths[i], i > 0 && figures(columnOf(t, i))}
		}
		r.columns(Line{Bold: n == 0}, cols)
	}
}

func columnOf(t Table, i int) []string {
	out := make([]string, 0, len(t.Rows))
	for _, r := range t.Rows {
		out = append(out, r[i])
	}
	return out
}

// figures reports whether all texts of a column are amounts, which stand at the right.
func figures(texts []string) bool {
	some := false
	for _, s := range texts {
		for _, r := range s {
			if (r < '0' || r > '9') && !strings.ContainsRune(".,-+% ", r) {
				return false
			}
			some = true
		}
	}
	return some
}

func itoa(n int) string { return strconv.Itoa(n) }
