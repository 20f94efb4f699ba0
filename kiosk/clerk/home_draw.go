package clerk

import (
	"strconv"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
)

func (p *homePage) draw(a *App, c *tui.Canvas) {
	a.head(c, a.t("clerk.home.title", locale.Args{"date": a.date(a.now())}))
	p.drawFind(a, c)
	if p.view == nil {
		return
	}
	w, end := width(c), bottom(c)
	y := 3
	if n := len(p.view.Tasks); n > 0 {
		section(c, 0, y, a.t("clerk.home.tasks", nil))
		c.PutMax(w-10, y, 10, a.t("clerk.home.tasks_n", locale.Args{"n": n}), tui.Muted)
		y++
		for i, t := range p.tasks() {
			p.drawTask(a, c, y, t, i == p.pick)
			y++
		}
		y++
	}
	section(c, 0, y, a.t("clerk.home.visits", nil))
	c.PutMax(w-30, y, 30, a.t("clerk.home.counts", locale.Args{"working": p.view.Working, "done": p.view.Done}), tui.Muted)
	y++
	for _, h := range homeColumns(w) {
		if h.label != "" {
			c.PutMax(h.x, y, h.w, a.t(h.label, nil), tui.Muted)
		}
	}
	y++
	if len(p.view.Visits) == 0 {
		c.PutMax(3, y, w-3, a.t("clerk.home.none", nil), tui.Muted)
		return
	}
	p.shown = max(end-y-1, 1)
	tasks := len(p.tasks())
	if p.pick >= tasks {
		p.top = min(max(p.top, p.pick-tasks-p.shown+1), p.pick-tasks)
	}
	p.top = max(min(p.top, len(p.view.Visits)-1), 0)
	for i := p.top; i < len(p.view.Visits) && i < p.top+p.shown; i++ {
		p.drawVisit(a, c, y, p.view.Visits[i], tasks+i == p.pick)
		y++
	}
	if left := len(p.view.Visits) - p.top - p.shown; left > 0 {
		c.PutMax(3, y, w-3, a.t("clerk.home.more", locale.Args{"n": left}), tui.Muted)
	}
}

func (p *homePage) drawFind(a *App, c *tui.Canvas) {
	x := c.Put(2, 1, a.t("clerk.find.label", nil), tui.Text) + 2
	if p.pick < 0 {
		putMark(c, colMark, 1, "▸")
		p.find.Draw(c, x, 1, 30, tui.Text)
	} else {
		p.find.Show(c, x, 1, 30, tui.Text)
	}
	c.PutMax(x+32, 1, width(c)-x-32, a.t("clerk.find.by", nil), tui.Muted)
}

// homeColumn is one column of the day's visits.
type homeColumn struct {
	x, w  int
	label string
}

// homeColumns are the columns at a width; a narrow terminal shows the service's number only, and no term.
func homeColumns(w int) []homeColumn {
	if w < design {
		return []homeColumn{{3, 3, "clerk.home.number"}, {7, 5, "clerk.home.time"}, {14, 24, "clerk.home.customer"},
			{39, 3, ""}, {43, w - 43, "clerk.home.step"}}
	}
	return []homeColumn{{3, 3, "clerk.home.number"}, {7, 5, "clerk.home.time"}, {14, 24, "clerk.home.customer"},
		{40, 22, "clerk.home.service"}, {63, 11, "clerk.home.step"}, {75, 6, "clerk.home.due"}}
}

func (p *homePage) drawTask(a *App, c *tui.Canvas, y int, t kiosk.Task, picked bool) {
	var st tui.Style
	if picked {
		st = tui.OnRow
		c.Fill(0, y, width(c), 1, st)
		c.Put(0, y, "▸", tui.Accent|tui.Bold|st)
	}
	m, what := noteMark, ""
	args := locale.Args{"serial": t.Serial, "service": a.serviceName(t.Service), "system": t.System, "n": t.Count,
		"since": a.minute(t.Since), "next": a.minute(t.Next), "date": a.day(t.Since),
		"days": max(int(a.now().Sub(t.Since).Hours()/24), 1)}
	switch t.Kind {
	case "overdue":
		m, what = errorMark, a.t("clerk.task.overdue", args)
	case "outbox":
		m, what = waitMark, a.t("clerk.task.outbox", args)
	case "seal":
		m, what = waitMark, a.t("clerk.task.seal", args)
	default:
		what = a.t("clerk.task.other", args)
	}
	c.Put(1, y, string(m), m.style()|tui.Bold|st)
	c.Put(3, y, strconv.Itoa(t.Number), tui.Bold|st)
	c.PutMax(7, y, width(c)-7, what, m.style()|st)
}

func (p *homePage) drawVisit(a *App, c *tui.Canvas, y int, v kiosk.VisitRow, picked bool) {
	var st tui.Style
	if picked {
		st = tui.OnRow
		c.Fill(0, y, width(c), 1, st)
		c.Put(0, y, "▸", tui.Accent|tui.Bold|st)
	}
	m, step := a.visitStep(v)
	service := a.serviceName(v.Service)
	cells := []string{pad2(v.Serial), a.minute(v.At), v.Name, service, step, a.day(v.Due)}
	if width(c) < design {
		cells = []string{pad2(v.Serial), a.minute(v.At), v.Name, v.Service, step}
	}
	c.Put(1, y, string(m), m.style()|tui.Bold|st)
	for i, col := range homeColumns(width(c)) {
		if i < len(cells) {
			c.PutMax(col.x, y, min(col.w, width(c)-col.x), cells[i], tui.Text|st)
		}
	}
}

// visitStep tells where a visit stands: the sign and the words of its step.
func (a *App) visitStep(v kiosk.VisitRow) (mark, string) {
	switch {
	case v.Order == "":
		return "▸", a.t("clerk.step.new", nil)
	case v.Object:
		return "?", a.t("clerk.step.objects", nil)
	case v.Aside:
		return waitMark, strconv.Itoa(v.Step) + " " + a.t("clerk.step.aside", nil)
	}
	m := mark("▸")
	switch v.State {
	case kiosk.Closed, kiosk.Sealed:
		m = doneMark
	case kiosk.Cancelled:
		m = "✗"
	case kiosk.Reading, kiosk.Invited, kiosk.Confirming, kiosk.Confirmed:
		m = waitMark
	case kiosk.Draft, kiosk.Agreed:
		if !v.Mine {
			m = waitMark
		}
	}
	return m, a.t("clerk.home."+string(v.State), nil)
}
