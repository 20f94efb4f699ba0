package desk

import (
	"context"

	"countersign/helpdesk"
	"countersign/internal/locale"
	"countersign/internal/tui"
)

// findPage searches tickets by words, serial or address.
type findPage struct {
	text  tui.Field
	hits  []helpdesk.Hit
	asked string
	at    int
}

func newFindPage(a *App) *findPage {
	return &findPage{text: tui.Field{Max: 120, Line: true, Compose: a.opt.Compose}}
}

func (p *findPage) keys() []binding {
	return []binding{
		{names: []string{"enter"}, show: "Enter", label: "desk.key.find_open", rank: 1, do: act((*findPage).enter)},
		{names: []string{"down"}, show: "▾", label: "desk.key.down", rank: 2, do: func(*App, tui.Key) tui.Cmd { p.at = min(p.at+1, max(len(p.hits)-1, 0)); return nil }},
		{names: []string{"up"}, show: "▴", label: "desk.key.up", rank: 2, do: func(*App, tui.Key) tui.Cmd { p.at = max(p.at-1, 0); return nil }},
		keyHelp(), keyLock(), keyQueue(),
	}
}

func (p *findPage) typed(_ *App, k tui.Key) tui.Cmd {
	p.text.Handle(k)
	return nil
}

func (p *findPage) paste(_ *App, t tui.Paste) tui.Cmd {
	p.text.Paste(t.Text)
	return nil
}

// enter searches, and opens the marked hit once the text was searched for.
func (p *findPage) enter(a *App) tui.Cmd {
	text := p.text.Value()
	if text == "" {
		return nil
	}
	if text == p.asked && p.at < len(p.hits) {
		return a.openTicket(p.hits[p.at].Ticket.Key, nil)
	}
	return open(a, func(ctx context.Context) ([]helpdesk.Hit, error) { return a.svc.Find(ctx, text) }, func(hits []helpdesk.Hit) tui.Cmd {
		p.hits, p.asked, p.at = hits, text, 0
		return nil
	})
}

func (p *findPage) seam(a *App) string { return a.queue.seam(a) }
func (p *findPage) hint(a *App) string { return a.t("desk.hint.find", nil) }

func (p *findPage) draw(a *App, c *tui.Canvas) {
	a.head(c, a.t("desk.title.find", nil), "")
	w, end := width(c), bottom(c)
	c.Put(0, 2, string(focusMark), focusMark.style()|tui.Bold)
	p.text.Draw(c, 2, 2, w-4, tui.Text)
	if p.asked != "" {
		c.PutMax(2, 3, w-3, a.t("desk.find.found", locale.Args{"n": len(p.hits)}), tui.Muted)
	}
	room := (end - 5) / 2
	top := max(0, p.at-room+1)
	for i := top; i < len(p.hits) && i < top+room; i++ {
		y, h, st := 5+2*(i-top), p.hits[i], tui.Text
		if i == p.at {
			st |= tui.OnRow
			c.Fill(0, y, w, 1, st)
			c.Put(0, y, string(focusMark), focusMark.style()|tui.Bold|st)
		}
		c.PutMax(2, y, 15, h.Ticket.Key, st)
		c.PutMax(19, y, 16, a.t("ticket.state."+string(h.Ticket.State), nil), st|tui.Muted)
		c.PutMax(36, y, w-36, h.Ticket.Subject, st)
		c.PutMax(19, y+1, w-20, a.inert(h.Snippet, nil), tui.Muted)
	}
}

// asidePage is a mail that became no ticket: who it says it is, why it stands here, and what to do with it.
type asidePage struct {
	quiet
	mail *helpdesk.Intake
}

func (p *asidePage) keys() []binding {
	return []binding{
		{names: []string{"m"}, show: "m", label: "desk.key.release", rank: 2, do: act((*asidePage).release)},
		{names: []string{"k"}, show: "k", label: "desk.key.drop", rank: 2, do: act((*asidePage).drop)},
		keyHelp(), keyLock(), keyQueue(),
	}
}

func (p *asidePage) release(a *App) tui.Cmd {
	id := p.mail.ID
	return openDone(a, func(ctx context.Context) error { return a.svc.Release(ctx, id) }, func() tui.Cmd {
		a.say(doneMark, "desk.msg.released", nil)
		return a.toQueue()
	})
}

func (p *asidePage) drop(a *App) tui.Cmd {
	id := p.mail.ID
	return openDone(a, func(ctx context.Context) error { return a.svc.Drop(ctx, id) }, func() tui.Cmd {
		a.say(doneMark, "desk.msg.dropped", nil)
		return a.toQueue()
	})
}

func (p *asidePage) seam(a *App) string { return a.queue.seam(a) }
func (p *asidePage) hint(a *App) string { return a.t("desk.hint.aside", nil) }

func (p *asidePage) draw(a *App, c *tui.Canvas) {
	m := p.mail
	a.head(c, a.t("desk.title.aside", nil), "")
	word, _ := a.trust(m.Trust)
	y := 2
	for _, f := range [][2]string{{"desk.aside.from", m.From.Name + "  " + m.From.Address}, {"desk.aside.subject", m.Subject}, {"desk.aside.at", a.stamp(m.At)},
		{"desk.aside.size", size(m.Size)}, {"desk.aside.why", a.asideReason(m)}, {"desk.aside.trust", word}} {
		fact(c, 1, y, 16, a.t(f[0], nil), f[1])
		y++
	}
	a.drawReasons(c, 3, y+1, width(c)-4, bottom(c)-1, m.Trust.Reasons)
}
