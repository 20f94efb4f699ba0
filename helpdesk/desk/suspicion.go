package desk

import (
	"context"
	"strings"

	"countersign/helpdesk"
	"countersign/internal/locale"
	"countersign/internal/tui"
)

// suspicionPage is D6: who passed for our staff.
type suspicionPage struct {
	quiet
	list []*helpdesk.Suspicion
	at   int
}

func newSuspicionPage() *suspicionPage { return &suspicionPage{} }

func (p *suspicionPage) open(a *App) tui.Cmd { return p.load(a) }

func (p *suspicionPage) hear(a *App, _ string) tui.Cmd { return p.load(a) }

func (p *suspicionPage) load(a *App) tui.Cmd {
	now := a.now()
	return call(a, func(ctx context.Context) ([]*helpdesk.Suspicion, error) {
		return a.svc.Suspicions(ctx, now.AddDate(0, -1, 0), now.Add(second))
	}, func(list []*helpdesk.Suspicion, err error) tui.Cmd {
		if err != nil {
			return a.failed(err)
		}
		p.list, p.at = list, min(p.at, max(len(list)-1, 0))
		return nil
	})
}

func (p *suspicionPage) keys() []binding {
	return []binding{
		{names: []string{"f6"}, show: "F6", label: "desk.key.report", rank: 1, do: func(a *App, _ tui.Key) tui.Cmd { return a.turn(newReportPage(a, p)) }},
		{names: []string{"down"}, show: "▾", label: "desk.key.down", rank: 3, do: func(*App, tui.Key) tui.Cmd { p.at = min(p.at+1, max(len(p.list)-1, 0)); return nil }},
		{names: []string{"up"}, show: "▴", label: "desk.key.up", rank: 3, do: func(*App, tui.Key) tui.Cmd { p.at = max(p.at-1, 0); return nil }},
		keyHelp(), keyLock(), keyQueue(),
	}
}

func (p *suspicionPage) seam(a *App) string { return a.queue.seam(a) }
func (p *suspicionPage) hint(a *App) string { return a.t("desk.hint.impostors", nil) }

// wanted are what impostors want, in words.
func (a *App) wanted(list []string) string {
	var out []string
	for _, w := range list {
		for _, known := range wants {
			if w == known {
				out = append(out, a.t("desk.wanted."+w, nil))
			}
		}
	}
	return strings.Join(out, ", ")
}

func (a *App) channelOf(name string) string {
	for _, known := range reportChannels {
		if known == name {
			return a.t("desk.report.by_"+name, nil)
		}
	}
	return name
}

func (p *suspicionPage) draw(a *App, c *tui.Canvas) {
	a.head(c, a.t("desk.title.impostors", locale.Args{"n": len(p.list)}), "")
	w, end := width(c), bottom(c)
	if len(p.list) == 0 {
		c.PutMax(3, 3, w-4, a.t("desk.impostors.none", nil), tui.Muted)
		return
	}
	room := max((end-4)/2, 1)
	top := max(0, p.at-room+1)
	for i := top; i < len(p.list) && i < top+room; i++ {
		y, s, st := 2+i-top, p.list[i], tui.Text
		if i == p.at {
			st |= tui.OnRow
			c.Fill(0, y, w, 1, st)
			c.Put(0, y, string(focusMark), focusMark.style()|tui.Bold|st)
		}
		c.PutMax(3, y, 11, a.stamp(s.At), st)
		c.PutMax(16, y, 10, a.channelOf(s.Channel), st)
		c.PutMax(27, y, 8, s.Unit, st)
		c.PutMax(36, y, 18, s.Claimed, st)
		c.PutMax(55, y, w-55-8, a.wanted(s.Wanted), st)
		grade := tui.Text
		if s.Grade == "urgent" {
			grade = tui.Danger
		}
		c.PutRight(w-1, y, a.grade(s.Grade), grade|st&tui.OnRow)
	}
	s, y := p.list[p.at], 3+min(room, len(p.list))
	told := a.t("desk.impostors.untold", nil)
	if !s.Told.IsZero() {
		told = a.t("desk.impostors.told", locale.Args{"at": a.stamp(s.Told)})
	}
	c.Put(1, y, s.Key, tui.Bold)
	c.PutRight(w-1, y, told, tui.Text)
	for _, f := range [][2]string{{"desk.report.number", masked(s.Number)}, {"desk.report.ticket", s.Ticket}, {"desk.report.wanted", a.wanted(s.Wanted)},
		{"desk.report.lost", s.Lost}, {"desk.report.story", s.Story}, {"desk.report.verdict", s.Verdict}} {
		if f[1] == "" {
			continue
		}
		if y++; y >= end {
			return
		}
		fact(c, 3, y, 21, a.t(f[0], nil), f[1])
	}
}

func (a *App) grade(g string) string {
	switch g {
	case "urgent", "high", "medium":
		return a.t("desk.grade."+g, nil)
	}
	return g
}

// What a report can say; the service grades it.
var (
	reportChannels = []string{"phone", "message", "zalo", "mail", "visit", "other"}
	wants          = []string{"remote", "pin", "password", "otp", "link", "money", "information"}
)

// reportPage is a new report of an impostor.
type reportPage struct {
	formPage
	under page
}

func newReportPage(a *App, under page) *reportPage {
	unit, ticket := "", ""
	if t, ok := under.(*threadPage); ok {
		unit, ticket = t.sheet.Ticket.Unit, t.key()
	}
	wanted := textRowOf(a, "desk.report.wanted", "desk.report.wanted_help", "", len(wants))
	wanted.field.Kind = tui.FieldDigits
	return &reportPage{under: under, formPage: formPage{form{rows: []formRow{
		choiceRow("desk.report.channel", reportChannels, "", a.channelOf),
		textRowOf(a, "desk.report.unit", "", unit, 20),
		textRowOf(a, "desk.report.claimed", "desk.report.claimed_help", "", 120),
		textRowOf(a, "desk.report.number", "desk.report.number_help", "", 24),
		wanted,
		textRowOf(a, "desk.report.lost", "desk.report.lost_help", "", 200),
		textRowOf(a, "desk.report.ticket", "", ticket, 24),
		textRowOf(a, "desk.report.story", "", "", 2000),
	}}}}
}

func (p *reportPage) keys() []binding {
	return saveKeys("desk.key.send_report", p.save, func(a *App) tui.Cmd { return a.turn(p.under) })
}

func (p *reportPage) save(a *App) tui.Cmd {
	s := helpdesk.Suspicion{Channel: p.form.chosen(0, reportChannels), Unit: p.form.value(1), Claimed: p.form.value(2), Number: p.form.value(3),
		Lost: p.form.value(5), Ticket: p.form.value(6), Story: p.form.value(7)}
	for _, d := range p.form.value(4) {
		if i := int(d - '1'); i >= 0 && i < len(wants) {
			s.Wanted = append(s.Wanted, wants[i])
		}
	}
	switch {
	case s.Channel == "":
		return p.form.missing(a, 0)
	case s.Story == "" && s.Claimed == "":
		return p.form.missing(a, 7)
	}
	return open(a, func(ctx context.Context) (*helpdesk.Suspicion, error) { return a.svc.Suspect(ctx, s) }, func(s *helpdesk.Suspicion) tui.Cmd {
		a.sayArgs(doneMark, "desk.msg.reported", locale.Args{"report": s.Key})
		return a.turn(p.under)
	})
}

func (p *reportPage) seam(a *App) string { return p.under.seam(a) }
func (p *reportPage) hint(a *App) string { return a.t("desk.hint.report", nil) }

func (p *reportPage) draw(a *App, c *tui.Canvas) {
	a.head(c, a.t("desk.title.report", nil), "")
	p.form.draw(a, c, 2)
}
