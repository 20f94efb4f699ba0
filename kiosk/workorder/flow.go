package workorder

import (
	"countersign/internal/fault"
	"countersign/signing/pdf/font"
	"countersign/signing/pdf/page"
)

// The sheet, after Decree 30/2020/ND-CP, appendix I: A4, margins 20 mm above and below, 30 mm left, 17 mm right.
const (
	left     = 30 * page.MM
	right    = page.A4Width - 17*page.MM
	top      = 20 * page.MM
	bottom   = page.A4Height - 22*page.MM
	textWide = right - left

	bodySize = 13.0
	leading  = 17.0
)

var (
	hairline = page.Color{R: 0.72, G: 0.72, B: 0.72}
	shade    = page.Color{R: 0.945, G: 0.945, B: 0.945}
)

// Fonts draw a document: for each style, the fonts that are tried in order.
type Fonts struct {
	Regular, Bold, Italic []*font.Font
}

// NewFonts returns the built-in serif fonts followed by the given TrueType files, for what the built-in ones can't
// draw, such as Chinese.
func NewFonts(trueType ...[]byte) (Fonts, error) {
	b := font.Fonts()
	f := Fonts{Regular: []*font.Font{b.Serif}, Bold: []*font.Font{b.SerifBold}, Italic: []*font.Font{b.SerifItalic}}
	for _, data := range trueType {
		extra, err := font.Parse(data)
		if err != nil {
			return Fonts{}, err
		}
		f.Regular, f.Bold, f.Italic = append(f.Regular, extra), append(f.Bold, extra), append(f.Italic, extra)
	}
	return f, nil
}

func (f Fonts) regular(size float64) page.Style { return page.Style{Fonts: f.Regular, Size: size} }
func (f Fonts) bold(size float64) page.Style {
	return page.Style{Fonts: f.Bold, Size: size, Heavy: true}
}
func (f Fonts) italic(size float64) page.Style { return page.Style{Fonts: f.Italic, Size: size} }

// flow puts blocks one below the other and begins a new page when one is full.
type flow struct {
	doc   *page.Document
	page  *page.Page
	fonts Fonts
	words *words
	y     float64 // the upper edge of what comes next
	// A heading waits here until the first line below it is placed, so that it never ends a page.
	heading func()
	above   float64 // height that the waiting heading takes
}

func (f *flow) newPage() {
	f.page = f.doc.AddPage(page.A4Width, page.A4Height)
	f.y = top
	if f.doc.Pages() > 1 {
		f.y += 8 // below the page number
	}
}

// room makes sure that h fits on this page, with the heading that waits above it.
func (f *flow) room(h float64) {
	if f.y+f.above+h > bottom {
		f.newPage()
	}
	if f.heading != nil {
		draw := f.heading
		f.heading, f.above = nil, 0
		draw()
	}
}

// paragraph sets text between two edges, the first line with a hanging number when there is one.
func (f *flow) paragraph(number, text string, st page.Style, x, indent, lead float64) {
	lines := page.Wrap(text, right-x-indent, st.Measure)
	for i, s := range lines {
		// The first two and the last two lines stay together.
		switch {
		case i == 0 && len(lines) > 1, i == len(lines)-2 && i > 1:
			f.room(2 * lead)
		default:
			f.room(lead)
		}
		base := f.y + st.Size*0.95
		if i == 0 && number != "" {
			f.page.Text(x, base, st, number)
		}
		f.page.Text(x+indent, base, st, s)
		f.y += lead
	}
}

// centred sets text line by line in the middle.
func (f *flow) centred(text string, st page.Style, lead float64) {
	for _, s := range page.Balance(text, textWide, st.Measure) {
		f.room(lead)
		f.page.TextCentre((left+right)/2, f.y+st.Size*0.95, st, s)
		f.y += lead
	}
}

// head sets a section's heading, which waits for its first line.
func (f *flow) head(text string, st page.Style, before float64) {
	lines := page.Wrap(text, textWide, st.Measure)
	lead := st.Size * 1.3
	f.flushHeading()
	f.above = before + lead*float64(len(lines)) + 2
	f.heading = func() {
		if f.y > top+10 {
			f.y += before
		}
		for _, s := range lines {
			f.page.Text(left, f.y+st.Size*0.95, st, s)
			f.y += lead
		}
		f.y += 2
	}
}

// flushHeading places a heading that got nothing below it.
func (f *flow) flushHeading() {
	if f.heading != nil {
		f.room(leading)
	}
}

// cell is one column of a grid's row.
type cell struct {
	text  string
	style page.Style
	width float64
	pad   float64 // blank at both sides
	right bool
	lines []string
}

// grid is a row of cells that wraps and, when it is taller than the page has room, goes on on the next page.
type grid struct {
	cells  []cell
	lead   float64
	vpad   float64
	frame  bool // a full frame around each cell, else a hairline below the row
	shaded bool
	size   float64 // of its largest text; the whole row stands on one baseline
	again  func()  // draws the table's head again on a new page
}

func (f *flow) grid(g grid) {
	height := 0
	for i := range g.cells {
		c := &g.cells[i]
		g.size = max(g.size, c.style.Size)
		c.lines = page.Wrap(c.text, c.width-2*c.pad, c.style.Measure)
		height = max(height, len(c.lines))
	}
	full := float64(height)*g.lead + 2*g.vpad
	if f.y+f.above+full > bottom && full < (bottom-top)/3 {
		f.turn(g)
	}
	for done := 0; done < height; {
		f.room(g.lead + 2*g.vpad)
		n := min(height-done, int((bottom-f.y-2*g.vpad+0.01)/g.lead))
		f.gridPart(g, done, n)
		if done += n; done < height {
			f.turn(g)
		}
	}
}

func (f *flow) turn(g grid) {
	f.newPage()
	if f.heading == nil && g.again != nil {
		g.again()
	}
}

// gridPart draws n lines of a row, beginning with line from.
func (f *flow) gridPart(g grid, from, n int) {
	h := float64(n)*g.lead + 2*g.vpad
	wide := 0.0
	for _, c := range g.cells {
		wide += c.width
	}
	if g.shaded {
		f.page.Fill(page.Rect{X: left, Y: f.y, W: wide, H: h}, shade)
	}
	x := left
	for _, c := range g.cells {
		for i := from; i < min(from+n, len(c.lines)); i++ {
			base := f.y + g.vpad + float64(i-from)*g.lead + g.lead*0.5 + g.size*0.34
			if c.right {
				f.page.TextRight(x+c.width-c.pad, base, c.style, c.lines[i])
			} else {
				f.page.Text(x+c.pad, base, c.style, c.lines[i])
			}
		}
		if g.frame {
			f.page.Frame(page.Rect{X: x, Y: f.y, W: c.width, H: h}, 0.5, hairline)
		}
		x += c.width
	}
	if !g.frame {
		f.page.Line(left, f.y+h, left+wide, f.y+h, 0.4, hairline)
	}
	f.y += h
}

// table draws a table with its head row, which is repeated on each page.
func (f *flow) table(t Table, size float64) {
	if len(t.Columns) == 0 {
		return
	}
	regular, bold := f.fonts.regular(size), f.fonts.bold(size)
	widths := tableWidths(t, regular, bold)
	lead, vpad := size*1.28, size*0.2
	row := func(texts []string, st page.Style, shaded bool) grid {
		g := grid{lead: lead, vpad: vpad, frame: true, shaded: shaded}
		for i, s := range texts {
			g.cells = append(g.cells, cell{text: s, style: st, width: widths[i], pad: 4, right: i > 0 && figures(columnOf(t, i))})
		}
		return g
	}
	head := func() { f.grid(row(t.Columns, bold, true)) }
	f.room(2 * (lead + 2*vpad))
	head()
	for _, r := range t.Rows {
		g := row(r, regular, false)
		g.again = head
		f.grid(g)
	}
	f.y += 4
}

// tableWidths gives each column its natural width and shares what is left; the widest give way when all do not fit.
func tableWidths(t Table, regular, bold page.Style) []float64 {
	const pad = 9
	widths := make([]float64, len(t.Columns))
	sum := 0.0
	for i, s := range t.Columns {
		widths[i] = bold.Measure(s) + pad
		for _, r := range t.Rows {
			widths[i] = max(widths[i], regular.Measure(r[i])+pad)
		}
		sum += widths[i]
	}
	if sum <= textWide {
		for i := range widths {
			widths[i] += (textWide - sum) * widths[i] / sum
		}
		return widths
	}
	// Lower one limit until the columns fit below it.
	low, high := 24.0, textWide
	for range 30 {
		limit, total := (low+high)/2, 0.0
		for _, w := range widths {
			total += min(w, limit)
		}
		if total > textWide {
			high = limit
		} else {
			low = limit
		}
	}
	total := 0.0
	for i := range widths {
		widths[i] = min(widths[i], low)
		total += widths[i]
	}
	for i := range widths {
		widths[i] *= textWide / total
	}
	return widths
}

// glyphFault turns a missing glyph into a sentence for people.
func glyphFault(err error, e *font.MissingGlyphError) error {
	return fault.Wrap(err, fault.Invalid, "workorder.glyph", fault.Args{
		"char": string(e.Rune), "code": "U+" + hex4(e.Rune), "font": e.Font,
	})
}
