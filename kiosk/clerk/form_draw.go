package clerk

import (
	"strconv"
	"strings"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk/catalog"
)

// line is one row of the form.
type line struct {
	kind  lineKind
	sec   *catalog.Section
	field *catalog.Field
	row   int // of a table
	part  int // of a value that takes several lines
	text  string
	mark  mark
	note  string
}

type lineKind int

const (
	lineSection lineKind = iota
	lineField
	lineMore // a further line of a long value
	lineRow
	lineTotal
)

// maxParts is how many lines a long value may take.
const maxParts = 3

// layout puts the form into lines.
func (f *formPage) layout(a *App) []line {
	var out []line
	secs := a.service().Sections
	for i := range secs {
		sec := &secs[i]
		out = append(out, line{kind: lineSection, sec: sec})
		for j, def := range sec.Fields {
			if def.Type == catalog.Rows {
				if j > 0 {
					out = append(out, line{kind: lineSection, field: def})
				}
				out = append(out, f.rowLines(a, def)...)
				continue
			}
			m, note := f.noteOf(a, def)
			text := f.text(a, cell{def, -1, 0})
			parts := []string{text}
			if tui.Width(text) > widthValue && !(f.typing && f.at.field == def) {
				parts = wrapValue(text, widthValue)
				if len(parts) > maxParts {
					parts = parts[:maxParts]
					parts[maxParts-1] = tui.Cut(parts[maxParts-1]+" ....", widthValue)
				}
			}
			out = append(out, line{kind: lineField, field: def, row: -1, text: parts[0], mark: m, note: note})
			for k, p := range parts[1:] {
				out = append(out, line{kind: lineMore, field: def, row: -1, part: k + 1, text: p})
			}
		}
	}
	return out
}

// wrapValue breaks a value behind its commas where that fits, as addresses are written, else between words.
func wrapValue(s string, w int) []string {
	var out []string
	line := ""
	for _, part := range strings.SplitAfter(s, ", ") {
		if tui.Width(strings.TrimRight(part, " ")) > w {
			return tui.Wrap(s, w)
		}
		if line != "" && tui.Width(line)+tui.Width(strings.TrimRight(part, " ")) > w {
			out = append(out, strings.TrimRight(line, " "))
			line = ""
		}
		line += part
	}
	return append(out, strings.TrimRight(line, " "))
}

// rowLines are the lines of a table: its rows, the row being added, its totals.
func (f *formPage) rowLines(a *App, def *catalog.Field) []line {
	t := f.table(a, def)
	n := len(t.rows)
	if n == 0 || f.at.field == def && f.at.row >= n {
		n++
	}
	var out []line
	for r := range n {
		m := doneMark
		switch {
		case r >= len(t.rows) || blank(t.rows[r]):
			m = "▫"
		case f.rowErr(a, def, r) != nil:
			m = errorMark
		case t.turn > 0 || t.held:
			m = waitMark
		case a.value(def.Name).Source != "" && !a.value(def.Name).Edited:
			m = "◦"
		}
		if ob := a.order().OpenObjection(def.Name); ob != nil && m != errorMark {
			m = "?"
		}
		out = append(out, line{kind: lineRow, field: def, row: r, mark: m})
	}
	if len(t.rows) > 0 && (len(def.Totals) > 0 || len(def.RowSummary) > 0) {
		out = append(out, line{kind: lineTotal, field: def, text: def.Show(catalog.Value{Rows: t.rows}, a.lang)})
	}
	return out
}

// rowErr is the first thing wrong in a row.
func (f *formPage) rowErr(a *App, def *catalog.Field, r int) error {
	t := f.tables[def.Name]
	if t != nil {
		for c := range def.Columns {
			if err := t.errs[[2]int{r, c}]; err != nil {
				return err
			}
		}
		if t.err != nil && r == 0 {
			return t.err
		}
	}
	if a.view == nil {
		return nil
	}
	for _, p := range a.current().Problems {
		if p.Field == def.Name && p.Args["n"] == strconv.Itoa(def.Number)+"."+strconv.Itoa(r+1) {
			return p.Err()
		}
	}
	return nil
}

// draw is K5 with whatever lies over it, and the panes beside it.
func (f *formPage) draw(a *App, c *tui.Canvas) {
	s := a.service()
	a.head(c, strings.Join(nonEmpty(a.t("clerk.form.title", locale.Args{"number": s.Number, "title": s.Title.In(a.lang)}), a.customer()), "  "))
	a.steps(c)
	top, end := 2, bottom(c)
	if w, _ := c.Size(); w > design {
		end-- // A blank row keeps the panes off the seam.
	}
	if f.fixing && !f.help {
		top += f.drawErrors(a, c, top)
	}
	lines := f.layout(a)
	at := f.lineOfCaret(lines)
	room := end - top
	if f.help {
		room = max(min(room, 6), 3)
	}
	f.scroll(lines, at, room)
	f.shown, f.lines = room, len(lines)
	caretY := -1
	headed := false
	for i := f.top; i < len(lines) && i < f.top+room; i++ {
		y := top + i - f.top
		if lines[i].kind == lineSection && !headed {
			headed = true
			f.drawSection(a, c, y, lines[i], f.visible(a, lines, room))
		} else {
			f.drawLine(a, c, y, lines[i], i == at)
		}
		if i == at {
			caretY = y
		}
	}
	if f.help {
		f.drawHelp(a, c, top+room)
	}
	a.drawPanes(c)
	if f.list != nil && caretY >= 0 {
		f.list.draw(a, c, f, caretY)
	}
}

// lineOfCaret is the line in which the caret stands.
func (f *formPage) lineOfCaret(lines []line) int {
	at := f.at
	if f.summary && f.marked != nil {
		at = cell{f.marked, -1, 0}
	}
	for i, l := range lines {
		if l.field == at.field && (l.row == at.row || f.summary) && (l.kind == lineField || l.kind == lineRow) {
			return i
		}
	}
	return 0
}

// scroll keeps the caret's line visible, and the section's head where there is room.
func (f *formPage) scroll(lines []line, at, room int) {
	last := at
	for last+1 < len(lines) && lines[last+1].kind == lineMore {
		last++
	}
	if f.top > at-1 {
		f.top = max(at-1, 0)
	}
	if last >= f.top+room {
		f.top = last - room + 1
	}
	f.top = max(min(f.top, len(lines)-room), 0)
}

// visible says which lines are visible.
func (f *formPage) visible(a *App, lines []line, room int) string {
	if len(lines) <= room && f.top == 0 {
		return a.t("clerk.form.lines", locale.Args{"from": 1, "to": len(lines), "of": len(lines)})
	}
	s := a.t("clerk.form.lines", locale.Args{"from": f.top + 1, "to": min(f.top+room, len(lines)), "of": len(lines)})
	if f.top+room < len(lines) {
		s += "  ▾"
	}
	if f.top > 0 {
		s += " ▴"
	}
	return s
}

// drawSection draws a section's head; that of a table has the columns' names.
func (f *formPage) drawSection(a *App, c *tui.Canvas, y int, l line, lines string) {
	def, title := l.field, ""
	if l.sec != nil {
		title = l.sec.Letter + " " + strings.ToUpper(l.sec.Title.In(a.lang))
		if len(l.sec.Fields) > 0 && l.sec.Fields[0].Type == catalog.Rows {
			def = l.sec.Fields[0]
		}
	}
	if def == nil {
		c.PutMax(1, y, colNote-2, title, tui.Bold)
		if width(c) >= design {
			c.Put(colNote, y, lines, tui.Muted)
		}
		return
	}
	c.PutMax(1, y, colValue-2, title, tui.Bold)
	for i, s := range columns(def, width(c)) {
		c.PutMax(s.x, y, s.w, "", tui.Muted)
		s.put(c, y, heading(a, def.Columns[i]), tui.Muted)
	}
}

// heading is the name of a column with its unit.
func heading(a *App, c *catalog.Field) string {
	return c.Label.In(a.lang)
}

// drawLine draws one row of the form. The row in hand has the mark, the caret and its background.
func (f *formPage) drawLine(a *App, c *tui.Canvas, y int, l line, here bool) {
	switch l.kind {
	case lineSection:
		f.drawSection(a, c, y, l, "")
		return
	case lineMore:
		c.PutMax(colValue, y, widthValue, l.text, tui.Text)
		return
	case lineTotal:
		c.Put(colLabel, y, a.t("clerk.form.total", nil), tui.Muted)
		c.PutMax(colValue, y, width(c)-colValue, l.text, tui.Text)
		return
	}
	var bg tui.Style
	if here && !f.summary {
		bg = tui.OnRow
		c.Fill(0, y, width(c), 1, bg)
		c.Put(colMark, y, "▸", tui.Accent|tui.Bold|bg)
	}
	c.Put(colState, y, string(l.mark), l.mark.style()|tui.Bold|bg)
	if l.kind == lineRow {
		f.drawRow(a, c, y, l, here, bg)
		return
	}
	def := l.field
	n := strconv.Itoa(def.Number)
	c.Put(colNumber+2-len(n), y, n, tui.Text|bg)
	c.PutMax(colLabel, y, widthLabel, def.Label.In(a.lang), tui.Muted|bg)
	if here && !f.summary {
		f.drawInput(a, c, y, colValue, widthValue, l.text, bg)
	} else {
		f.drawValue(a, c, y, l, bg)
	}
	if width(c) >= design {
		c.PutMax(colNote, y, widthNote, l.note, l.mark.style()|bg)
	}
}

// drawValue draws the value of a field that is not in hand; an empty one shows where it will stand.
func (f *formPage) drawValue(a *App, c *tui.Canvas, y int, l line, bg tui.Style) {
	if l.text != "" {
		c.PutMax(colValue, y, widthValue, l.text, tui.Text|bg)
		return
	}
	if l.field.ReadOnly {
		return
	}
	x := c.Put(colValue, y, "_", tui.Muted|bg)
	f.drawChoices(a, c, x+2, y, l.field, bg)
}

// drawChoices offers the values of an empty choice as far as they fit.
func (f *formPage) drawChoices(a *App, c *tui.Canvas, x, y int, def *catalog.Field, bg tui.Style) {
	limit := colValue + widthValue
	for _, s := range choices(a, def) {
		if x+tui.Width(s) > limit {
			return
		}
		x = c.Put(x, y, s, tui.Muted|bg) + 3
	}
}

func choices(a *App, def *catalog.Field) []string {
	var out []string
	for _, ch := range def.Choices {
		out = append(out, ch.Key+" "+lowerFirst(ch.Label.In(a.lang)))
	}
	if def.Type == catalog.YesNo {
		for i, v := range []string{"yes", "no"} {
			out = append(out, strconv.Itoa(i+1)+" "+lowerFirst(def.Show(catalog.Value{Text: v}, a.lang)))
		}
	}
	return out
}

func lowerFirst(s string) string {
	r := []rune(s)
	if len(r) > 1 && strings.ToUpper(string(r[1])) == string(r[1]) && strings.ToLower(string(r[1])) != string(r[1]) {
		return s
	}
	if len(r) > 0 {
		return strings.ToLower(string(r[0])) + string(r[1:])
	}
	return s
}

// drawInput draws the cell in hand with the caret in it.
func (f *formPage) drawInput(a *App, c *tui.Canvas, y, x, w int, text string, bg tui.Style) {
	def := f.at.column()
	if f.typing {
		room := w
		if def.Unit != "" && f.at.row < 0 {
			used := max(tui.Width(f.box.Value())+1, 6)
			if end := x + used + tui.Width(def.Unit); end <= x+w {
				c.Put(x+used, y, def.Unit, tui.Muted|bg)
				room = used
			}
		}
		f.box.Draw(c, x, y, room, tui.Text|bg)
		return
	}
	if text != "" {
		end := c.PutMax(x, y, w, text, tui.Text|bg)
		if replaced(def.Type) || def.ReadOnly {
			end = x
		}
		c.SetCaret(min(end, x+w-1), y)
		return
	}
	c.SetCaret(x, y)
	if def.ReadOnly {
		return
	}
	if len(def.Choices) > 0 || def.Type == catalog.YesNo {
		end := c.Put(x, y, "_", tui.Muted|bg)
		f.drawChoices(a, c, end+2, y, def, bg)
		return
	}
	blanks := min(w, blankWidth(def))
	end := c.Put(x, y, strings.Repeat("_", blanks), tui.Muted|bg)
	if def.Unit != "" && f.at.row < 0 {
		c.PutMax(end+1, y, x+w-end-1, def.Unit, tui.Muted|bg)
	}
}

// blankWidth is how long the line for a value to come is.
func blankWidth(def *catalog.Field) int {
	switch def.Type {
	case catalog.Number, catalog.MoneyType:
		return 5
	case catalog.Date, catalog.Phone, catalog.TaxCode:
		return 10
	case catalog.IDNumber:
		return 12
	case catalog.Digits:
		if def.Length > 0 {
			return def.Length
		}
	}
	return widthValue
}

// drawRow draws one row of a table.
func (f *formPage) drawRow(a *App, c *tui.Canvas, y int, l line, here bool, bg tui.Style) {
	def := l.field
	c.Put(colNumber, y, strconv.Itoa(def.Number)+"."+strconv.Itoa(l.row+1), tui.Text|bg)
	spans := columns(def, width(c))
	t := f.table(a, def)
	for i, s := range spans {
		p := cell{def, l.row, i}
		if here && f.at.col == i && !f.summary {
			continue
		}
		text := t.cellText(a, p)
		st := tui.Text | bg
		if t.errs[[2]int{l.row, i}] != nil {
			st = tui.Danger | bg
		}
		if text == "" && i == firstColumn(def) {
			text, st = "_", tui.Muted|bg
		}
		s.put(c, y, text, st)
	}
	if here && !f.summary && f.at.col < len(spans) {
		s := spans[f.at.col]
		text := t.cellText(a, f.at)
		x, w := s.x, s.w
		if !f.typing && text != "" && s.right {
			s.put(c, y, text, tui.Text|bg)
			c.SetCaret(x+w-min(tui.Width(text), w), y)
			return
		}
		if !f.typing && s.right {
			c.Put(x+w-1, y, "_", tui.Muted|bg)
			c.SetCaret(x+w-1, y)
			return
		}
		if s.right && f.typing {
			n := min(tui.Width(f.box.Value())+1, w)
			f.box.Draw(c, x+w-n, y, n, tui.Text|bg)
			return
		}
		f.drawInput(a, c, y, x, w, text, bg)
	}
}

// span is where a column of a table stands.
type span struct {
	x, w  int
	right bool
}

func (s span) put(c *tui.Canvas, y int, text string, st tui.Style) {
	text = tui.Cut(text, s.w)
	if s.right {
		c.Put(s.x+s.w-tui.Width(text), y, text, st)
		return
	}
	c.Put(s.x, y, text, st)
}

// columns places a table's columns: the first at the values, the last two at the notes where they fit, figures to
// the right.
func columns(def *catalog.Field, w int) []span {
	n := len(def.Columns)
	out := make([]span, n)
	need := func(i int) int {
		f := def.Columns[i]
		if i == 0 {
			return 8
		}
		head := 0
		for _, t := range f.Label {
			head = max(head, tui.Width(t))
		}
		switch f.Type {
		case catalog.Number, catalog.MoneyType:
			return min(max(head, 5), 9)
		}
		return min(max(head, 3), 16)
	}
	right := func(i int) bool {
		switch def.Columns[i].Type {
		case catalog.Number, catalog.MoneyType, catalog.Digits:
			return i > 0
		}
		return false
	}
	edge := w - 1 // The last column ends here.
	for i := n - 1; i > 0; i-- {
		width := need(i)
		if i == n-2 && w >= design && n > 3 {
			// The last but one begins where notes begin, so that it keeps its column on every form.
			edge = max(min(edge, colNote+width), colNote+width)
		}
		out[i] = span{x: edge - width, w: width, right: right(i)}
		edge -= width + 2
	}
	out[0] = span{x: colValue, w: max(edge-colValue, 1)}
	for i := 1; i < n; i++ {
		if out[i].x < colValue+4 {
			// Too many columns for this width: the first ones give way.
			out[i].x, out[i].w = colValue+4, max(out[i].w-4, 1)
		}
	}
	return out
}
