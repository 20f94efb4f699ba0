package desk

import (
	"slices"
	"strings"

	"countersign/helpdesk"
	"countersign/internal/locale"
	"countersign/internal/tui"
)

// reason is why we believe a sender, or not, in words.
func (a *App) reason(r helpdesk.Reason) (mark, string) {
	m := doneMark
	switch {
	case r.Bad:
		m = failMark
	case r.Code == "nothing_proves":
		m = "?"
	}
	text := a.t("mail.reason."+r.Code, nil)
	var args []string
	for k, v := range r.Args {
		if v != "" {
			args = append(args, k+" "+v)
		}
	}
	slices.Sort(args)
	if len(args) > 0 {
		text += " (" + strings.Join(args, ", ") + ")"
	}
	return m, text
}

// drawReasons lists reasons, each with its sign, and returns the row after them.
func (a *App) drawReasons(c *tui.Canvas, x, y, w, end int, reasons []helpdesk.Reason) int {
	for _, r := range reasons {
		m, text := a.reason(r)
		for i, line := range tui.Wrap(text, w-2) {
			if y >= end {
				return y
			}
			if i == 0 {
				c.Put(x, y, string(m), m.style()|tui.Bold)
			}
			c.PutMax(x+2, y, w-2, line, tui.Text)
			y++
		}
	}
	return y
}

// evidencePage is why we believe the sender of one message, or not: every reason, and what our own books say.
type evidencePage struct {
	quiet
	thread *threadPage
	of     *helpdesk.Message
}

func (p *evidencePage) keys() []binding {
	return []binding{
		{names: []string{"esc", "b", "enter"}, show: "Esc", label: "desk.key.back", rank: 1, do: func(a *App, _ tui.Key) tui.Cmd {
			a.page = p.thread
			return nil
		}},
		keyHelp(), keyLock(),
	}
}

func (p *evidencePage) hint(a *App) string { return a.t("desk.hint.evidence", nil) }
func (p *evidencePage) seam(a *App) string { return p.thread.seam(a) }

func (p *evidencePage) draw(a *App, c *tui.Canvas) {
	t, s := p.thread.sheet.Ticket, p.thread.sheet
	a.head(c, t.Key+"  "+a.t("desk.title.evidence", nil), a.left(t))
	w, y := width(c), 2
	word, st := a.trust(p.of.Trust)
	c.PutMax(1, y, 14, a.t("desk.evidence.sender", nil), tui.Muted)
	c.PutMax(16, y, w-16, strings.TrimSpace(p.of.From.Name+"  "+p.of.From.Address), tui.Text)
	c.PutMax(1, y+1, 14, a.t("desk.evidence.verdict", nil), tui.Muted)
	x := c.Put(16, y+1, word, st|tui.Bold)
	c.PutMax(x+2, y+1, w-x-2, a.t("mail.level."+string(p.of.Trust.Level), nil), tui.Text)
	y += 3
	c.Put(1, y, a.t("desk.evidence.mail", nil), tui.Bold)
	y = a.drawReasons(c, 3, y+1, w-4, bottom(c)-1, p.of.Trust.Reasons)
	y++
	if y >= bottom(c)-1 {
		return
	}
	c.Put(1, y, a.t("desk.evidence.books", nil), tui.Bold)
	say := func(good bool, id string, args locale.Args) {
		if y++; y >= bottom(c) {
			return
		}
		m := failMark
		if good {
			m = doneMark
		}
		c.Put(3, y, string(m), m.style()|tui.Bold)
		c.PutMax(5, y, w-5, a.t(id, args), tui.Text)
	}
	known := s.Unit != nil && slices.ContainsFunc(s.Unit.Addresses, func(x string) bool { return helpdesk.FoldAddress(x) == helpdesk.FoldAddress(p.of.From.Address) })
	switch {
	case known:
		say(true, "desk.evidence.registered", locale.Args{"unit": s.Unit.Code, "name": s.Unit.Name})
	case p.of.Trust.Known:
		say(true, "desk.evidence.known", nil)
	default:
		say(false, "desk.evidence.unknown", nil)
	}
	if helpdesk.FoldAddress(t.Customer) == helpdesk.FoldAddress(p.of.From.Address) {
		say(true, "desk.evidence.recorded", nil)
	} else {
		say(false, "desk.evidence.other", locale.Args{"address": t.Customer})
	}
	say(t.Proven, map[bool]string{true: "desk.evidence.proven", false: "desk.evidence.unproven"}[t.Proven], nil)
}
