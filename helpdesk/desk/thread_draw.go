package desk

import (
	"strconv"
	"strings"

	"countersign/helpdesk"
	"countersign/internal/locale"
	"countersign/internal/tui"
)

func (p *threadPage) seam(a *App) string { return a.colleagues(p.sheet.Present) }

func (p *threadPage) hint(a *App) string {
	if p.collide {
		return a.t("desk.hint.collision", nil)
	}
	for _, m := range p.sheet.Thread {
		if len(m.Masks) > 0 {
			return a.t("desk.hint.masked", locale.Args{"kind": a.secret(m.Masks[0].Kind)})
		}
	}
	return a.t("desk.hint.thread", nil)
}

func (p *threadPage) draw(a *App, c *tui.Canvas) {
	t, w := p.sheet.Ticket, width(c)
	left := a.left(t)
	if !t.Due.IsZero() && !t.State.Ended() {
		left = a.t("desk.left.left", locale.Args{"left": left})
	}
	a.head(c, t.Key+"  "+t.Subject, left)
	p.drawAbout(a, c, w)
	y := p.drawSender(a, c, 2, w)
	p.drawThread(a, c, y+1, bottom(c)-1, w)
	p.drawPane(a, c)
}

// drawAbout draws row 2: unit, route, kind, whose it is.
func (p *threadPage) drawAbout(a *App, c *tui.Canvas, w int) {
	t := p.sheet.Ticket
	var parts []string
	switch u := p.sheet.Unit; {
	case u != nil:
		parts = append(parts, a.t("desk.thread.unit", locale.Args{"unit": u.Code + "  " + u.Name}))
	case t.Contact.Unit != "":
		parts = append(parts, a.t("desk.thread.unit_says", locale.Args{"unit": t.Contact.Unit}))
	default:
		parts = append(parts, a.t("desk.thread.no_unit", nil))
	}
	route := t.Route.Province
	if t.Route.Code != "" && t.Route.Code != t.Route.Province {
		route = t.Route.Code + " > " + t.Route.Province
	}
	state := a.t("ticket.state."+string(t.State), nil)
	switch t.Agent {
	case "":
	case a.me.Name:
		state = a.t("desk.thread.mine", nil) + ", " + state
	default:
		state = a.nameOf(t.Agent) + ", " + state
	}
	right := strings.Join(nonEmpty(route, t.Category, state), "   ")
	c.PutRight(w-1, 1, right, tui.Text)
	c.PutMax(1, 1, w-3-tui.Width(right), parts[0], tui.Text)
}

// drawSender draws why we believe the sender, above the words, and returns the row after it.
func (p *threadPage) drawSender(a *App, c *tui.Canvas, y, w int) int {
	m := customers(p.sheet)
	if m == nil {
		c.PutMax(1, y, w-1, a.t("desk.thread.no_sender", locale.Args{"channel": a.t("desk.channel."+string(p.sheet.Ticket.Channel), nil)}), tui.Muted)
		return y + 1
	}
	word, st := a.trust(m.Trust)
	x := c.Put(1, y, a.t("desk.thread.sender", nil)+"  ", tui.Bold)
	x = c.PutMax(x, y, w/2-x+6, m.From.Address, tui.Text)
	x = c.Put(x+3, y, a.t("desk.thread.trust", nil)+" ", tui.Muted)
	x = c.Put(x, y, word, st|tui.Bold)
	good := 0
	for _, r := range m.Trust.Reasons {
		if !r.Bad && r.Code != "nothing_proves" {
			good++
		}
	}
	x = c.Put(x+1, y, strconv.Itoa(good)+"/"+strconv.Itoa(len(m.Trust.Reasons)), tui.Text)
	c.PutMax(x+3, y, w-x-3, a.t("desk.thread.why", nil), tui.Muted)
	y++
	shown := p.shownReasons(m)
	for i, r := range shown {
		last := i == len(shown)-1
		col, room := 3, w-4
		if w >= design && (i%2 == 1 || !last) { // two a row; one that is alone has the whole row
			col, room = 3+i%2*39, 36
		}
		mk, text := a.reason(r)
		c.Put(col, y, string(mk), mk.style()|tui.Bold)
		c.PutMax(col+2, y, room-2, text, tui.Text)
		if w < design || i%2 == 1 || last {
			y++
		}
	}
	return y
}

func (p *threadPage) shownReasons(m *helpdesk.Message) []helpdesk.Reason {
	return m.Trust.Reasons[:min(len(m.Trust.Reasons), 4)]
}

// threadLine is one row of the thread.
type threadLine struct {
	message int
	head    bool
	textLine
}

func (p *threadPage) lines(a *App, w int) (out []threadLine) {
	for i, m := range p.sheet.Thread {
		out = append(out, threadLine{i, true, textLine{}})
		for _, l := range a.body(m, w-5, p.quotes[m.Key]) {
			out = append(out, threadLine{i, false, l})
		}
	}
	return out
}

func (p *threadPage) drawThread(a *App, c *tui.Canvas, from, to, w int) {
	lines, room := p.lines(a, w), to-from
	if room <= 0 {
		return
	}
	p.page = room
	if p.move {
		p.move = false
		first, last := 0, 0
		for i, l := range lines {
			if l.message == p.pick {
				if l.head {
					first = i
				}
				last = i
			}
		}
		if last >= p.top+room {
			p.top = last - room + 1
		}
		p.top = min(p.top, first)
	}
	p.top = max(0, min(p.top, len(lines)-room))
	for i := 0; i < room && p.top+i < len(lines); i++ {
		l := lines[p.top+i]
		if l.head {
			p.drawHead(a, c, from+i, w, l.message)
		} else {
			c.PutMax(4, from+i, w-4, l.text, l.style)
		}
	}
	if n := len(lines) - p.top - room; n > 0 {
		c.PutRight(w-1, to, a.t("desk.more_below", locale.Args{"n": n}), tui.Muted)
	}
}

// drawHead draws the row that names a message: number, time, kind, who, and what became of it.
func (p *threadPage) drawHead(a *App, c *tui.Canvas, y, w, i int) {
	m := p.sheet.Thread[i]
	st := tui.Text
	if i == p.pick {
		st |= tui.OnRow
		c.Fill(0, y, w, 1, st)
		c.Put(0, y, string(focusMark), focusMark.style()|tui.Bold|st)
	}
	x := c.Put(1, y, strconv.Itoa(i+1), st) + 1
	x = c.Put(max(x, 4), y, a.stamp(m.At), st|tui.Muted) + 2
	x = c.Put(x, y, a.t("desk.kind."+string(m.Kind), nil), st|tui.Bold) + 2
	right, rs := "", st
	switch m.Kind {
	case helpdesk.FromCustomer:
		word, ts := a.trust(m.Trust)
		right, rs = word, ts|st&tui.OnRow
		if m.Number > 1 && p.sheet.Ticket.Unread > 0 && i == p.newest() {
			right = a.t("desk.thread.new", nil) + "  " + right
		}
	case helpdesk.FromUs, helpdesk.Automatic:
		var mk mark
		mk, right = a.sent(p.sheet.Outgoings, m.Outgoing)
		right, rs = strings.TrimSpace(string(mk)+" "+right), mk.style()|st&tui.OnRow
	}
	who := m.From.Address
	if m.Author != "" {
		who = a.nameOf(m.Author)
	}
	if who == "" && len(m.To) > 0 {
		who = m.To[0].Address
	}
	c.PutMax(x, y, w-x-2-tui.Width(right), who, st)
	c.PutRight(w-1, y, right, rs)
}

// sent is what became of a mail of ours.
func (a *App) sent(all []*helpdesk.Outgoing, key string) (mark, string) {
	for _, o := range all {
		if o.Key != key {
			continue
		}
		text := a.t("desk.out."+string(o.State), nil)
		switch o.State {
		case helpdesk.Sent:
			return doneMark, text
		case helpdesk.Refused, helpdesk.Bounced, helpdesk.Stopped:
			return failMark, text
		}
		if o.Tries > 0 {
			text = a.t("desk.out.tried", locale.Args{"n": o.Tries})
		}
		return waitMark, text
	}
	return "", ""
}

// drawPane lists what else there is of this customer on a wide screen.
func (p *threadPage) drawPane(a *App, c *tui.Canvas) {
	x, w, ok := divide(c)
	if !ok {
		return
	}
	y, end := 1, bottom(c)-1
	put := func(text string, st tui.Style) {
		if y < end {
			c.PutMax(x, y, w, text, st)
			y++
		}
	}
	if m := customers(p.sheet); m != nil {
		put(a.t("desk.pane.why", nil), tui.Bold)
		y = a.drawReasons(c, x, y, w, end, m.Trust.Reasons) + 1
	}
	if p.sheet.Incident != nil {
		put(p.sheet.Incident.Key+"  "+p.sheet.Incident.Title, tui.Wait)
		y++
	}
	if len(p.sheet.Others) > 0 {
		put(a.t("desk.pane.others", nil), tui.Bold)
		for _, t := range p.sheet.Others {
			put(t.Key+"  "+t.Subject, tui.Text)
		}
		y++
	}
	if u := p.sheet.Unit; u != nil && len(u.Phones) > 0 {
		put(a.t("desk.pane.phones", nil), tui.Bold)
		for _, n := range u.Phones {
			put(masked(n), tui.Text)
		}
	}
	for _, o := range p.sheet.Outgoings {
		if o.Answer != "" {
			put(a.t("desk.pane.server", locale.Args{"answer": o.Answer}), tui.Muted)
		}
	}
}
