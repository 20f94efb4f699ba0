package desk

import (
	"strconv"
	"strings"

	"countersign/helpdesk"
	"countersign/internal/locale"
	"countersign/internal/tui"
)

// queueColumns are where the columns of the list begin, and how wide those are that give way on a narrow screen.
type queueColumns struct{ sender, senderWidth, trust, subject, subjectWidth int }

func columnsOf(w int) queueColumns {
	if w < design {
		return queueColumns{37, 7, 45, 50, w - 50}
	}
	return queueColumns{37, 15, 53, 58, w - 58}
}

func (p *queuePage) hint(a *App) string {
	if p.digit != "" {
		return a.t("desk.hint.digit", locale.Args{"digit": p.digit})
	}
	return a.t("desk.hint.order", nil)
}

// alert tells of what came while the list kept its places.
func (p *queuePage) alert(a *App) (mark, string) {
	if p.told > 0 && p.digit == "" {
		return noteMark, a.t("desk.msg.more_tickets", locale.Args{"n": p.told})
	}
	return "", ""
}

// seam says who is on duty.
func (p *queuePage) seam(a *App) string {
	var out []string
	for _, g := range a.team {
		if g.Name != a.me.Name && g.OnDuty(a.now()) {
			out = append(out, strings.TrimSpace(a.nameOf(g.Name)+" "+g.Extension))
		}
	}
	if len(out) == 0 {
		return a.t("desk.seam.alone", nil)
	}
	return a.t("desk.seam.duty", locale.Args{"names": strings.Join(out, ", ")})
}

func (p *queuePage) draw(a *App, c *tui.Canvas) {
	w, end := width(c), bottom(c)
	title := a.t("desk.title.queue", nil)
	if len(a.me.Provinces) > 0 {
		title += "  [" + strings.Join(a.me.Provinces, ", ") + "]"
	}
	a.head(c, title, "")
	p.drawCounts(a, c, w)
	cols := columnsOf(w)
	for _, h := range []struct {
		x  int
		id string
	}{{3, "no"}, {6, "ticket"}, {23, "left"}, {28, "province"}, {33, "kind"}, {cols.sender, "sender"}, {cols.trust, "trust"}, {cols.subject, "what"}} {
		room := w - h.x
		if h.id == "sender" {
			room = cols.senderWidth
		}
		c.PutMax(h.x, 3, room, a.t("desk.col."+h.id, nil), tui.Muted)
	}
	if !p.loaded {
		return
	}
	if len(p.rows) == 0 {
		c.PutMax(3, 5, w-4, a.t("desk.queue.empty", nil), tui.Muted)
		return
	}
	p.drawRows(a, c, 4, end-1)
	p.drawPane(a, c)
}

func (p *queuePage) drawCounts(a *App, c *tui.Canvas, w int) {
	x := 1
	for _, one := range []struct {
		id string
		n  int
		st tui.Style
	}{{"free", p.counts.Free, tui.Text}, {"mine", p.counts.Mine, tui.Text}, {"waiting", p.counts.Waiting, tui.Text}, {"overdue", p.counts.Overdue, tui.Danger},
		{"fake", p.counts.Fake, tui.Danger}, {"quarantined", p.counts.Quarantined, tui.Wait}, {"held", p.counts.Held, tui.Wait}} {
		if one.id == "held" && one.n == 0 {
			continue
		}
		label := a.t("desk.count."+one.id, nil)
		n := strconv.Itoa(one.n)
		if x+tui.Width(label)+1+len(n) > w {
			return
		}
		x = c.Put(x, 1, label, tui.Muted)
		st := tui.Text
		if one.n > 0 {
			st = one.st
		}
		x = c.Put(x+1, 1, n, st|tui.Bold) + 3
	}
}

// drawRows draws the list so that the marked row is in sight; the head of what is mine stands above its first row.
func (p *queuePage) drawRows(a *App, c *tui.Canvas, from, to int) {
	type line struct{ row int } // -1 is the head
	var lines []line
	at := 0
	for i, r := range p.rows {
		if r.mine && (i == 0 || !p.rows[i-1].mine) {
			if i > 0 {
				lines = append(lines, line{-2})
			}
			lines = append(lines, line{-1})
		}
		if i == p.pick {
			at = len(lines)
		}
		lines = append(lines, line{i})
	}
	room := to - from
	if room <= 0 {
		return
	}
	p.shown = room
	p.top = min(max(p.top, at-room+1), at)
	p.top = max(0, min(p.top, len(lines)-room))
	for i := 0; i < room && p.top+i < len(lines); i++ {
		switch l := lines[p.top+i]; l.row {
		case -2:
		case -1:
			c.Put(1, from+i, a.t("desk.queue.mine", nil), tui.Bold)
		default:
			p.drawRow(a, c, from+i, l.row)
		}
	}
	if p.top+room < len(lines) {
		c.PutRight(width(c)-1, to, a.t("desk.more_below", locale.Args{"n": len(lines) - p.top - room}), tui.Muted)
	}
}

func (p *queuePage) drawRow(a *App, c *tui.Canvas, y, i int) {
	r, w := p.rows[i], width(c)
	cols := columnsOf(w)
	base := tui.Text
	if i == p.pick {
		base |= tui.OnRow
		c.Fill(0, y, w, 1, base)
		c.Put(0, y, string(focusMark), focusMark.style()|tui.Bold|base)
	}
	if r.fake != nil {
		c.Put(1, y, string(failMark), tui.Danger|tui.Bold|base)
		c.Put(3, y, "--", base)
		field(c, 6, y, 15, a.t("desk.queue.no_serial", nil), base)
		field(c, cols.sender, y, cols.senderWidth, domainOf(r.fake.From.Address), base)
		word, st := a.trust(r.fake.Trust)
		c.PutMax(cols.trust, y, 4, word, st|base&tui.OnRow)
		field(c, cols.subject, y, cols.subjectWidth, a.asideReason(r.fake), base)
		return
	}
	t := r.ticket
	m, st := rowMark(a, t)
	subject := t.Subject
	switch {
	case r.gone:
		m, st = doneMark, tui.Muted
		subject = a.t("desk.queue.gone", locale.Args{"subject": subject})
	case t.State == helpdesk.Missing:
		subject = a.t("ticket.state.missing", nil) + ", " + subject
	case t.Agent != "" && !r.mine:
		subject = a.nameOf(t.Agent) + ": " + subject
	}
	c.Put(1, y, string(m), st|tui.Bold|base&tui.OnRow)
	c.Put(3, y, pad2(p.number(i)), base)
	field(c, 6, y, 15, t.Key, base)
	left, leftStyle := a.left(t), base
	if t.Overdue(a.now()) {
		leftStyle = tui.Danger | base&tui.OnRow
	}
	c.PutRight(26, y, tui.Cut(left, 6), leftStyle)
	field(c, 28, y, 4, t.Route.Province, base)
	field(c, 33, y, 3, t.Category, base)
	field(c, cols.sender, y, cols.senderWidth, a.sender(t), base)
	if t.Channel == helpdesk.ByMail {
		word, ts := a.trust(t.Trust)
		c.PutMax(cols.trust, y, 4, word, ts|base&tui.OnRow)
	} else {
		c.PutMax(cols.trust, y, 4, a.t("desk.channel."+string(t.Channel), nil), tui.Muted|base&tui.OnRow)
	}
	field(c, cols.subject, y, cols.subjectWidth, subject, base)
}

// rowMark is the state of a ticket as a sign: overdue, waiting, unread, missing something.
func rowMark(a *App, t *helpdesk.Ticket) (mark, tui.Style) {
	switch {
	case t.Overdue(a.now()):
		return errorMark, tui.Danger
	case t.State == helpdesk.Missing:
		return "?", tui.Wait
	case t.Unread > 0:
		return noteMark, tui.Text
	case t.State == helpdesk.Waiting:
		return waitMark, tui.Wait
	}
	return " ", tui.Text
}

// sender names the unit and the person; never an address in full nor a phone number.
func (a *App) sender(t *helpdesk.Ticket) string {
	unit := t.Unit
	if unit == "" {
		unit = t.Contact.Unit
	}
	who := strings.TrimSpace(unit + " " + t.Contact.Name)
	if who == "" {
		who = domainOf(t.Customer)
	}
	return who
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// asideReason says in words why a mail became no ticket.
func (a *App) asideReason(in *helpdesk.Intake) string {
	for _, code := range []string{"fake", "size", "unread", "loop"} {
		if in.Reason == code {
			return a.t("desk.aside."+code, nil)
		}
	}
	return a.t("desk.aside.other", nil)
}

func pad2(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// drawPane shows the marked ticket beside the list on a wide screen.
func (p *queuePage) drawPane(a *App, c *tui.Canvas) {
	x, w, ok := divide(c)
	r, on := p.picked()
	if !ok || !on || r.ticket == nil {
		return
	}
	t, y := r.ticket, 1
	c.PutMax(x, y, w, t.Key, tui.Bold)
	for _, line := range tui.Wrap(t.Subject, w) {
		if y++; y >= bottom(c)-1 {
			return
		}
		c.PutMax(x, y, w, line, tui.Text)
	}
	y++
	for _, f := range [][2]string{{"state", a.t("ticket.state."+string(t.State), nil)}, {"unit", t.Unit}, {"agent", a.nameOf(t.Agent)},
		{"came", a.stamp(t.Created)}, {"due", a.stamp(t.Due)}, {"count", strconv.Itoa(t.Count)}} {
		if y++; y >= bottom(c)-1 {
			return
		}
		if f[1] != "" {
			next := c.PutMax(x, y, w, a.t("desk.pane."+f[0], nil), tui.Muted)
			c.PutMax(max(x+min(14, w/2), next+1), y, x+w-max(x+min(14, w/2), next+1), f[1], tui.Text)
		}
	}
	y += 2
	if y < bottom(c)-1 && len(t.Trust.Reasons) > 0 {
		c.PutMax(x, y, w, a.t("desk.pane.why", nil), tui.Bold)
		a.drawReasons(c, x, y+1, w, bottom(c)-1, t.Trust.Reasons)
	}
}
