package clerk

import (
	"context"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
)

// healthPage is K17: the connected systems, worst first, and what waits to leave.
type healthPage struct {
	quiet
	links []kiosk.Link
	rows  []kiosk.OutboxRow
	pick  int
	asked bool
	after int // seconds until it looks again
}

// outbox is what waits to leave, with the systems it leaves for.
type outbox struct {
	links []kiosk.Link
	rows  []kiosk.OutboxRow
}

// lookAgain is how often the page is brought up to date, in seconds.
const lookAgain = 5

func (p *healthPage) open(a *App) tui.Cmd {
	return call(a, func(ctx context.Context) (outbox, error) {
		links, rows, err := a.svc.Links(ctx)
		return outbox{links, rows}, err
	}, func(o outbox, err error) tui.Cmd {
		if err != nil {
			return a.failed(err)
		}
		p.asked, p.after = true, lookAgain
		p.links, p.rows = worstFirst(o.links), o.rows
		p.pick = min(p.pick, max(len(p.rows)-1, 0))
		a.links = o.links
		return nil
	})
}

// worstFirst sorts the systems by what a person should look at.
func worstFirst(links []kiosk.Link) []kiosk.Link {
	var out []kiosk.Link
	for _, state := range []string{"down", "slow", "ok", "unused"} {
		for _, l := range links {
			if l.State == state {
				out = append(out, l)
			}
		}
	}
	return out
}

func (p *healthPage) tick(a *App) tui.Cmd {
	if !p.asked {
		return nil
	}
	if p.after--; p.after > 0 {
		return nil
	}
	p.asked = false
	return p.open(a)
}

func (p *healthPage) keys() []binding {
	return []binding{
		{names: []string{"f5"}, show: "F5", label: "clerk.key.send_now", rank: 2, on: when((*healthPage).any, "clerk.why.outbox_empty"), do: act((*healthPage).retry)},
		{names: []string{"up"}, show: "▴▾", label: "clerk.key.choose", rank: 3, do: act((*healthPage).up)},
		{names: []string{"down"}, label: "clerk.key.choose", do: act((*healthPage).down)},
		{names: []string{"esc"}, show: "Esc", label: "clerk.key.back", rank: 1, do: func(a *App, _ tui.Key) tui.Cmd { return a.home() }},
		keyHelp(),
		keyLock().wider(),
	}
}

func (p *healthPage) any(*App) bool { return len(p.rows) > 0 }

func (p *healthPage) up(*App) tui.Cmd {
	p.pick = max(p.pick-1, 0)
	return nil
}

func (p *healthPage) down(*App) tui.Cmd {
	p.pick = min(p.pick+1, max(len(p.rows)-1, 0))
	return nil
}

// retry sends the marked item now, under the same stable key.
func (p *healthPage) retry(a *App) tui.Cmd {
	id := p.rows[p.pick].ID
	return do(a, func(ctx context.Context) error { return a.svc.RetryOutbox(ctx, id) }, func(err error) tui.Cmd {
		if err != nil {
			return a.failed(err)
		}
		a.say(doneMark, "clerk.msg.sent_now", nil)
		return p.open(a)
	})
}

func (p *healthPage) hint(a *App) string { return a.t("clerk.hint.health", nil) }

func (p *healthPage) alert(a *App) (mark, string) {
	for _, l := range p.links {
		if l.State == "down" {
			return errorMark, a.t("clerk.health.down", locale.Args{"system": linkName(a, l), "since": a.minutes(a.now().Sub(l.Last))})
		}
	}
	return "", ""
}

func (p *healthPage) draw(a *App, c *tui.Canvas) {
	a.head(c, a.t("clerk.health.title", nil))
	w, end := width(c), bottom(c)
	for _, h := range []homeColumn{{4, 16, "clerk.health.system"}, {21, 12, "clerk.health.state"}, {34, 18, "clerk.health.last"},
		{54, 5, "clerk.health.waiting"}, {60, 20, "clerk.health.note"}} {
		if h.x < w {
			c.PutMax(h.x, 1, min(h.w, w-h.x), a.t(h.label, nil), tui.Muted)
		}
	}
	y := 2
	for _, l := range p.links {
		if y >= end-6 {
			break
		}
		p.drawLink(a, c, y, l)
		y++
	}
	y++
	section(c, 1, y, a.t("clerk.health.outbox", nil))
	c.PutRight(w-6, y, a.t("clerk.health.items", locale.Args{"n": len(p.rows)}), tui.Muted)
	y++
	if len(p.rows) == 0 {
		if p.asked {
			c.Put(4, y, a.t("clerk.health.empty", nil), tui.Muted)
		}
		return
	}
	cols := []homeColumn{{4, 3, "clerk.home.number"}, {8, 7, "clerk.health.order"}, {16, 16, "clerk.health.what"},
		{34, 6, "clerk.health.since"}, {41, 4, "clerk.health.tries"}, {46, 8, "clerk.health.next"}, {55, 25, "clerk.health.error"}}
	for _, h := range cols {
		if h.x < w {
			c.PutMax(h.x, y, min(h.w, w-h.x), a.t(h.label, nil), tui.Muted)
		}
	}
	y++
	room := max(end-y-3, 1)
	from := max(min(p.pick-room/2, len(p.rows)-room), 0)
	for i := from; i < len(p.rows) && i < from+room; i++ {
		p.drawItem(a, c, y, i, cols)
		y++
	}
	if y+1 < end {
		c.PutMax(1, y+1, w-2, a.t("clerk.health.harmless1", nil), tui.Text)
	}
	if y+2 < end {
		c.PutMax(1, y+2, w-2, a.t("clerk.health.harmless2", nil), tui.Text)
	}
}

func (p *healthPage) drawLink(a *App, c *tui.Canvas, y int, l kiosk.Link) {
	m := doneMark
	switch l.State {
	case "down":
		m = errorMark
	case "slow":
		m = waitMark
	case "unused":
		m = " "
	}
	name := linkName(a, l)
	if l.StandIn {
		name += "  " + a.t("clerk.stand_in", nil)
	}
	last := a.clock(l.Last)
	if l.State == "down" && !l.Last.IsZero() {
		last += "  " + a.minutes(a.now().Sub(l.Last))
	}
	putMark(c, 2, y, m)
	c.PutMax(4, y, 16, name, tui.Text)
	c.PutMax(21, y, 12, a.t("clerk.link."+l.State, nil), m.style())
	c.PutMax(34, y, 18, last, tui.Text)
	c.PutRight(56, y, itoa(l.Waiting), tui.Text)
	c.PutMax(60, y, width(c)-60, l.Note, tui.Muted)
}

// linkName is what people call a connected system.
func linkName(a *App, l kiosk.Link) string {
	if l.Label != "" {
		return l.Label
	}
	return a.t("clerk.link_name."+l.Name, nil)
}

func (p *healthPage) drawItem(a *App, c *tui.Canvas, y, i int, cols []homeColumn) {
	r := p.rows[i]
	var st tui.Style
	if i == p.pick {
		st = tui.OnRow
		c.Fill(0, y, width(c), 1, st)
		c.Put(2, y, "▸", tui.Accent|tui.Bold|st)
	}
	next, last := a.minute(r.Next), r.Err
	if r.Tries == 0 && r.Next.Before(a.now()) {
		next = a.t("clerk.health.sending", nil)
	}
	if r.Dead {
		next, last = "-", a.t("clerk.health.dead", locale.Args{"why": r.Err})
	}
	for j, s := range []string{itoa(i + 1), r.Serial, a.t("clerk.job."+r.Kind, nil), a.minute(r.Since), itoa(r.Tries), next, last} {
		if cols[j].x < width(c) {
			c.PutMax(cols[j].x, y, min(cols[j].w, width(c)-cols[j].x), s, tui.Text|st)
		}
	}
}
