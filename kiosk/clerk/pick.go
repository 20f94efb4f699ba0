package clerk

import (
	"context"
	"strings"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
	"countersign/kiosk/catalog"
)

// serviceDef is a service of the catalogue.
type serviceDef = catalog.Service

// audiences are what Tab steps through; "" shows every service.
var audiences = [...]string{"person", "organisation", "agency", ""}

// pickPage is K4: the second digit of a service's number opens its form.
type pickPage struct {
	query    tui.Field
	audience int
	pick     int
	told     string // the service whose card the customer was shown last
}

func newPickPage() *pickPage { return &pickPage{query: tui.Field{Max: 20, Line: true}} }

// open chooses the audience of the customer, when one is known.
func (p *pickPage) open(a *App) tui.Cmd {
	if a.visit != nil && a.visit.Customer != nil {
		for i, s := range audiences {
			if s == a.visit.Customer.Kind {
				p.audience = i
			}
		}
	}
	return tui.Batch(a.loadServices(), p.show(a))
}

func (p *pickPage) keys() []binding {
	return []binding{
		{names: nil, show: "00-99", label: "clerk.key.run", rank: 1},
		{names: []string{"up"}, show: "▴▾", label: "clerk.key.see_card", rank: 3, do: act((*pickPage).up)},
		{names: []string{"down"}, label: "clerk.key.see_card", do: act((*pickPage).down)},
		{names: []string{"tab"}, show: "Tab", label: "clerk.key.audience", rank: 4, do: act((*pickPage).next)},
		{names: []string{"enter"}, label: "clerk.key.run_marked", do: act((*pickPage).enter)},
		{names: []string{"f1"}, show: "F1", label: "clerk.key.basis", rank: 5, do: act((*pickPage).basis)},
		{names: []string{"f9"}, show: "F9", label: "clerk.key.as_last", rank: 2, on: when((*pickPage).hasLast, "clerk.why.no_last"), do: act((*pickPage).again)},
		{names: []string{"esc"}, show: "Esc", label: "clerk.key.leave", rank: 1, do: func(a *App, _ tui.Key) tui.Cmd { return a.home() }},
		keyLock().wider(),
	}
}

// list are the services that the audience and the typed letters leave.
func (p *pickPage) list(a *App) []*catalog.Service {
	text := p.query.Value()
	letters := text != "" && !isDigit(text[:1])
	var out []*catalog.Service
	for _, s := range a.services {
		if who := audiences[p.audience]; who != "" && !s.For(who) && !letters {
			continue
		}
		if letters && !matchesAll(serviceWords(s), strings.Fields(catalog.Fold(text))) {
			continue
		}
		out = append(out, s)
	}
	return out
}

func serviceWords(s *catalog.Service) []string {
	var words []string
	for _, t := range []catalog.Text{s.Group, s.Title, s.FullTitle, s.Menu} {
		for _, text := range t {
			words = append(words, strings.Fields(catalog.Fold(text))...)
		}
	}
	return words
}

// marked is the service whose card is shown: the one whose number begins as typed, else the marked one.
func (p *pickPage) marked(a *App) *catalog.Service {
	list := p.list(a)
	if p.pick < len(list) {
		return list[p.pick]
	}
	return nil
}

func (p *pickPage) typed(a *App, k tui.Key) tui.Cmd {
	if !p.query.Handle(k) {
		return nil
	}
	p.pick = 0
	text := p.query.Value()
	if len(text) == 2 && isDigit(text[:1]) && isDigit(text[1:]) {
		p.query.Reset()
		for _, s := range a.services {
			if s.Number == text {
				return p.run(a, s)
			}
		}
		if a.services == nil {
			return p.runNumber(a, text)
		}
		a.sayArgs(noteMark, "clerk.msg.no_service", locale.Args{"n": text})
		return nil
	}
	for i, s := range p.list(a) {
		if text != "" && isDigit(text[:1]) && strings.HasPrefix(s.Number, text) {
			p.pick = i
			break
		}
	}
	return p.show(a)
}

func (p *pickPage) input(a *App, ev tui.Event) tui.Cmd {
	if s, ok := ev.(tui.Scan); ok && a.visit != nil {
		return a.scanVisit(a.visit.Visit.Key, s.Text)
	}
	return nil
}

func (p *pickPage) run(a *App, s *catalog.Service) tui.Cmd { return p.runNumber(a, s.Number) }

func (p *pickPage) runNumber(a *App, number string) tui.Cmd {
	return p.start(a, number, false)
}

func (p *pickPage) start(a *App, number string, again bool) tui.Cmd {
	if a.visit == nil {
		return a.home()
	}
	if why, stops := kiosk.Stops(a.visit.Findings[number]); stops {
		return p.explain(a, number, why)
	}
	visit := a.visit.Visit.Key
	return open(a, "clerk.wait.form", func(ctx context.Context) (kiosk.OrderView, error) {
		return a.svc.StartOrder(ctx, visit, number, again)
	}, a.begin)
}

// explain says why a service can't be opened for this customer, and shows its card.
func (p *pickPage) explain(a *App, number string, why kiosk.Finding) tui.Cmd {
	for i, s := range p.list(a) {
		if s.Number == number {
			p.pick = i
		}
	}
	a.say(errorMark, "", fault.New(fault.Conflict, "order.not_eligible", fault.Args{"reason": why.Text.In(a.lang)}))
	return p.show(a)
}

func (p *pickPage) enter(a *App) tui.Cmd {
	if s := p.marked(a); s != nil {
		return p.run(a, s)
	}
	return nil
}

func (p *pickPage) hasLast(a *App) bool {
	return a.visit != nil && a.visit.Customer != nil && len(a.visit.Customer.Last) > 0
}

func (p *pickPage) again(a *App) tui.Cmd { return p.start(a, a.visit.Customer.Last[0].Service, true) }

func (p *pickPage) up(a *App) tui.Cmd {
	p.pick = max(p.pick-1, 0)
	return p.show(a)
}

func (p *pickPage) down(a *App) tui.Cmd {
	p.pick = min(p.pick+1, max(len(p.list(a))-1, 0))
	return p.show(a)
}

func (p *pickPage) next(a *App) tui.Cmd {
	p.audience = (p.audience + 1) % len(audiences)
	p.pick = 0
	return p.show(a)
}

// basis tells what the marked service rests on.
func (p *pickPage) basis(a *App) tui.Cmd {
	if s := p.marked(a); s != nil {
		a.queue(message{mark: noteMark, text: s.Basis.In(a.lang)})
		return nil
	}
	return a.help()
}

// show lets the customer see the card of the marked service. It is lossy.
func (p *pickPage) show(a *App) tui.Cmd {
	s := p.marked(a)
	if s == nil || a.visit == nil || s.Number == p.told {
		return nil
	}
	p.told = s.Number
	visit, number := a.visit.Visit.Key, s.Number
	return do(a, func(ctx context.Context) error { return a.svc.ShowService(ctx, visit, number) }, func(error) tui.Cmd { return nil })
}

func (p *pickPage) hint(a *App) string { return a.t("clerk.hint.pick", nil) }

func (p *pickPage) draw(a *App, c *tui.Canvas) {
	name := ""
	if a.visit != nil {
		name = a.visit.Visit.Name
	}
	a.head(c, strings.Join(nonEmpty(a.t("clerk.pick.title", nil), name), "  "))
	w, end := width(c), bottom(c)
	putMark(c, colMark, 1, "▸")
	x := c.Put(2, 1, a.t("clerk.pick.label", nil), tui.Text) + 2
	p.query.Draw(c, x, 1, 22, tui.Text)
	who, then := audiences[p.audience], audiences[(p.audience+1)%len(audiences)]
	c.PutMax(x+24, 1, w-x-24, a.t("clerk.pick.filter", locale.Args{"who": a.audience(who), "next": a.audience(then)}), tui.Muted)

	list := p.list(a)
	rows := make([]func(y int), 0, len(list)+8)
	at := 0
	group := ""
	for i, s := range list {
		if g := s.Group.In(a.lang); g != group {
			group = g
			rows = append(rows, func(y int) { c.PutMax(1, y, 36, strings.ToUpper(g), tui.Bold) })
		}
		if i == p.pick {
			at = len(rows)
		}
		rows = append(rows, func(y int) {
			var st tui.Style
			if i == p.pick {
				st = tui.OnRow
				c.Fill(0, y, 38, 1, st)
				c.Put(1, y, "▸", tui.Accent|tui.Bold|st)
			}
			c.Put(3, y, s.Number, tui.Bold|st)
			c.PutMax(6, y, 30, s.Menu.In(a.lang), tui.Text|st)
			if _, stops := kiosk.Stops(a.findings(s)); stops {
				putMark(c, 37, y, "✗")
			}
		})
	}
	room := end - 3
	from := max(min(at-room/2, len(rows)-room), 0)
	for i := from; i < len(rows) && i < from+room; i++ {
		rows[i](3 + i - from)
	}
	if s := p.marked(a); s != nil {
		p.drawCard(a, c, s)
	}
}

func (a *App) audience(who string) string {
	if who == "" {
		who = "all"
	}
	return a.t("clerk.audience."+who, nil)
}

// drawCard is the published card of a service: term, fee, papers, who signs.
func (p *pickPage) drawCard(a *App, c *tui.Canvas, s *catalog.Service) {
	w, end, y := width(c), bottom(c), 3
	const x, col = 39, 48
	for _, l := range tui.Wrap(s.Number+" "+strings.ToUpper(s.FullTitle.In(a.lang)), w-x) {
		c.Put(x, y, l, tui.Bold)
		y++
	}
	put := func(label string, lines ...string) {
		c.Put(x, y, label, tui.Muted)
		for _, text := range lines {
			for _, l := range tui.Wrap(text, w-col) {
				if y < end {
					c.Put(col, y, l, tui.Text)
					y++
				}
			}
		}
	}
	days, due, _ := s.Due(catalog.Values{}, a.now())
	put(a.t("clerk.pick.term", nil), a.t("clerk.pick.days", locale.Args{"days": a.workingDays(days), "date": a.date(due)}))
	fee := s.Fee.Note.In(a.lang)
	if s.Fee.Amount > 0 {
		fee = strings.Join(nonEmpty(a.money(int64(s.Fee.Amount), ""), fee), ", ")
	}
	if fee == "" {
		fee = a.t("clerk.pick.free", nil)
	}
	put(a.t("clerk.pick.fee", nil), fee)
	var papers []string
	for _, paper := range s.Papers {
		papers = append(papers, "- "+paper.Name.In(a.lang))
	}
	if len(papers) > 0 {
		put(a.t("clerk.pick.papers", nil), papers...)
	}
	put(a.t("clerk.pick.level", nil), a.t("clerk.level."+itoa(s.Assurance), nil))
	var signers []string
	for _, g := range s.Signers {
		signers = append(signers, lowerFirst(g.Name.In(a.lang)))
	}
	for _, seal := range s.Seals {
		signers = append(signers, a.t("clerk.seal."+seal, nil))
	}
	put(a.t("clerk.pick.signers", nil), strings.Join(signers, ", "))
	if len(s.Conditions) > 0 && y+1 < end {
		y++
		c.Put(x, y, a.t("clerk.pick.conditions", nil), tui.Bold)
		y++
		for _, f := range a.findings(s) {
			for i, l := range tui.Wrap(f.Text.In(a.lang), w-x-2) {
				if y >= end {
					return
				}
				if i == 0 {
					putMark(c, x, y, findingMark(f))
				}
				c.Put(x+2, y, l, tui.Text)
				y++
			}
		}
	}
}

// findings are how a service's conditions stand for the customer of the visit; unknown, when nobody has looked.
func (a *App) findings(s *catalog.Service) []kiosk.Finding {
	if a.visit != nil && a.visit.Findings[s.Number] != nil {
		return a.visit.Findings[s.Number]
	}
	var out []kiosk.Finding
	for _, c := range s.Conditions {
		out = append(out, kiosk.Finding{Text: c.Text, State: "unknown", Blocks: c.Blocks})
	}
	return out
}

// findingMark is the sign before a condition: only a failed one that stops the service is a cross.
func findingMark(f kiosk.Finding) mark {
	switch {
	case f.State == "met":
		return doneMark
	case f.State == "failed" && f.Blocks:
		return "✗"
	}
	return noteMark
}
