package desk

import (
	"strconv"
	"strings"

	"countersign/helpdesk/reply"
	"countersign/internal/locale"
	"countersign/internal/tui"
)

// textRow is one row of a draft as it is drawn.
type textRow struct {
	from  int // graphemes before it
	cells []string
}

// layout breaks a draft into rows of at most w cells, behind blanks where there are some.
func layout(text string, w int) (rows []textRow) {
	at := 0
	for _, line := range strings.Split(text, "\n") {
		cells := tui.Graphemes(line)
		for {
			n, x, blank := 0, 0, 0
			for n < len(cells) && x+tui.Width(cells[n]) <= w {
				x += tui.Width(cells[n])
				n++
				if cells[n-1] == " " {
					blank = n
				}
			}
			if n < len(cells) && blank > 0 {
				n = blank
			}
			if n == 0 && len(cells) > 0 {
				n = 1
			}
			rows = append(rows, textRow{at, cells[:n]})
			at += n
			cells = cells[n:]
			if len(cells) == 0 {
				break
			}
		}
		at++ // The line break is a grapheme too.
	}
	return rows
}

func (p *composePage) seam(a *App) string {
	if p.stale {
		return a.t("desk.seam.came", nil)
	}
	return a.colleagues(p.thread.sheet.Present)
}

func (p *composePage) hint(a *App) string { return a.t("desk.hint.compose", nil) }

// alert says how many findings stand between the draft and the door.
func (p *composePage) alert(a *App) (mark, string) {
	if n := len(p.found); n > 0 {
		return errorMark, a.t("desk.msg.findings", locale.Args{"n": n})
	}
	if p.stale {
		return waitMark, a.t("desk.msg.read_first", nil)
	}
	return "", ""
}

func (p *composePage) draw(a *App, c *tui.Canvas) {
	t, w, end := p.thread.sheet.Ticket, width(c), bottom(c)
	a.head(c, a.t("desk.title.compose", nil)+" "+t.Key, a.left(t))
	fact(c, 1, 1, 10, a.t("desk.compose.to", nil), t.Customer)
	proven := "desk.compose.unproven"
	if t.Proven {
		proven = "desk.compose.proven"
	}
	c.PutRight(w-1, 1, a.t(proven, nil), tui.Muted)
	fact(c, 1, 2, 10, a.t("desk.compose.from", nil), a.t("desk.compose.signed", locale.Args{"name": shortName(a.fullName())}))
	fact(c, 1, 3, 10, a.t("desk.compose.subject", nil), t.Subject)
	c.Rule(1, 4, w-2)
	foot := end - 1
	if n := len(p.found); n > 0 {
		foot = end - 2 - min(n, 3)
	}
	p.drawText(a, c, 5, foot, w)
	c.Rule(1, foot, w-2)
	c.PutMax(5, foot, w-6, " "+a.t("desk.compose.added", nil)+" ", tui.Muted)
	p.drawFindings(a, c, foot+1, end, w)
	p.thread.drawBeside(a, c)
}

// drawFindings lists what can't leave: the one at the caret first.
func (p *composePage) drawFindings(a *App, c *tui.Canvas, y, end, w int) {
	if len(p.found) == 0 {
		return
	}
	c.PutMax(1, y, w-1, a.t("desk.compose.blocked", locale.Args{"n": len(p.found)}), tui.Danger|tui.Bold)
	here := p.here()
	list := []int{}
	for i, f := range p.found {
		if f == here {
			list = append([]int{i}, list...)
		} else {
			list = append(list, i)
		}
	}
	for _, i := range list {
		if y++; y >= end {
			return
		}
		f := p.found[i]
		x := c.Put(3, y, strconv.Itoa(i+1), tui.Bold)
		x = c.PutMax(x+1, y, 24, tui.Cut(p.of[f.From:f.To], 22), tui.Danger)
		c.PutMax(max(x+1, 30), y, w-max(x+1, 30), a.t("desk.finding."+string(f.Kind), nil), tui.Text)
	}
}

// drawText draws the draft, each finding underlined in a row of its own, with the caret in sight.
func (p *composePage) drawText(_ *App, c *tui.Canvas, from, to, w int) {
	p.width = w - 6
	rows := layout(p.of, p.width)
	caretRow, caretCol := place(rows, p.draft.text.Caret())
	type line struct{ row, under int } // under is a finding's number, -1 for the text itself
	var lines []line
	at := 0
	for i, r := range rows {
		if i == caretRow {
			at = len(lines)
		}
		lines = append(lines, line{i, -1})
		for n := range p.found {
			if a, b := p.within(n, r); a < b {
				lines = append(lines, line{i, n})
			}
		}
	}
	room := to - from
	if room <= 0 {
		return
	}
	top := max(0, min(at-room/2, len(lines)-room))
	for i := 0; i < room && top+i < len(lines); i++ {
		y, l := from+i, lines[top+i]
		r := rows[l.row]
		if l.under >= 0 {
			begin, end := p.within(l.under, r)
			x := 4 + cellsWidth(r.cells[:begin])
			c.Put(x, y, strings.Repeat("~", max(1, cellsWidth(r.cells[begin:end]))), p.findingStyle(l.under))
			continue
		}
		x := 4
		for n, g := range r.cells {
			st := tui.Text
			for k := range p.found {
				if b, e := p.within(k, r); n >= b && n < e {
					st = p.findingStyle(k)
				}
			}
			x = c.Put(x, y, g, st)
		}
		for n := range p.found {
			if b, e := p.within(n, r); b < e {
				m := errorMark
				if p.found[n].Kind == reply.Asks {
					m = "?"
				}
				c.Put(1, y, string(m)+strconv.Itoa(n+1), p.findingStyle(n)|tui.Bold)
				break
			}
		}
		if l.row == caretRow {
			c.Put(0, y, string(focusMark), focusMark.style()|tui.Bold)
			c.SetCaret(4+cellsWidth(r.cells[:min(caretCol, len(r.cells))]), y)
		}
	}
}

func (p *composePage) findingStyle(n int) tui.Style {
	if p.found[n].Kind == reply.Asks {
		return tui.Wait
	}
	return tui.Danger
}

// within is the part of a row that belongs to a finding, as graphemes of the row.
func (p *composePage) within(n int, r textRow) (from, to int) {
	f := p.found[n]
	from = min(max(grapheme(p.of, f.From)-r.from, 0), len(r.cells))
	to = min(max(grapheme(p.of, f.To)-r.from, 0), len(r.cells))
	return from, to
}

func cellsWidth(cells []string) int { return tui.Width(strings.Join(cells, "")) }

// drawBeside shows the newest message of the customer beside the draft.
func (p *threadPage) drawBeside(a *App, c *tui.Canvas) {
	x, w, ok := divide(c)
	m := customers(p.sheet)
	if !ok || m == nil {
		return
	}
	c.PutMax(x, 1, w, m.From.Address, tui.Bold)
	for i, l := range a.body(m, w, false) {
		if 2+i >= bottom(c)-1 {
			return
		}
		c.PutMax(x, 2+i, w, l.text, l.style)
	}
}

func (p *previewPage) seam(a *App) string { return p.compose.seam(a) }

func (p *previewPage) hint(a *App) string {
	return a.t("desk.hint.preview", locale.Args{"then": a.t("desk.then."+strconv.Itoa(p.turn), nil)})
}

func (p *previewPage) draw(a *App, c *tui.Canvas) {
	t, w, end := p.compose.thread.sheet.Ticket, width(c), bottom(c)
	a.head(c, a.t("desk.title.preview", nil)+" "+t.Key, a.left(t))
	fact(c, 1, 1, 10, a.t("desk.compose.from", nil), p.mail.From)
	fact(c, 1, 2, 10, a.t("desk.compose.to", nil), p.mail.To)
	fact(c, 1, 3, 10, a.t("desk.compose.subject", nil), p.mail.Subject)
	c.Rule(1, 4, w-2)
	lines := tui.Wrap(strings.TrimRight(p.mail.Body, "\n"), w-6)
	room := end - 8
	p.page = room
	p.top = max(0, min(p.top, len(lines)-room))
	for i := 0; i < room && p.top+i < len(lines); i++ {
		c.PutMax(4, 5+i, w-4, lines[p.top+i], tui.Text)
	}
	y := end - 3
	c.Rule(1, y, w-2)
	if n := len(lines) - p.top - room; n > 0 {
		c.PutRight(w-3, y, " "+a.t("desk.more_below", locale.Args{"n": n})+" ", tui.Muted)
	}
	c.PutMax(1, y+1, w-1, a.t("desk.preview.signs", nil), tui.Muted)
	x := 1
	for i := 1; i <= 3; i++ {
		st := tui.Text
		if i == p.turn {
			c.Put(x, y+2, string(focusMark), focusMark.style()|tui.Bold)
			st |= tui.Bold
		}
		x = c.PutMax(x+2, y+2, w-x-2, strconv.Itoa(i)+" "+a.t("desk.then."+strconv.Itoa(i), nil), st) + 2
	}
}
