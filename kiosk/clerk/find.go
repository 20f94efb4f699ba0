package clerk

import (
	"context"
	"strings"
	"unicode"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
)

// findPage is K3: customers by number, phone, code, or the beginnings of a name's words without diacritics.
type findPage struct {
	query tui.Field
	found []kiosk.CustomerCard
	asked string // what the answer that is on its way was asked
	shown string // what the list answers
	busy  bool
	pick  int
	take  bool // Enter was pressed before the answer came
}

func newFindPage(text string) *findPage {
	p := &findPage{query: tui.Field{Max: 60, Line: true}}
	p.query.Set(text)
	return p
}

func (p *findPage) open(a *App) tui.Cmd {
	if p.query.Max == 0 {
		p.query = tui.Field{Max: 60, Line: true}
	}
	return p.search(a)
}

// digits reports whether the query is a number, so that digits belong to it.
func (p *findPage) digits() bool {
	s := strings.ReplaceAll(p.query.Value(), " ", "")
	for _, r := range s {
		if !unicode.IsDigit(r) {
			return isCode(s)
		}
	}
	return s != ""
}

// isCode reports whether the text begins like a customer code: letters, then digits.
func isCode(s string) bool {
	letters := strings.TrimRightFunc(s, unicode.IsDigit)
	if len(letters) < 2 || len(letters) > 4 || len(letters) == len(s) && letters != strings.ToUpper(letters) {
		return false
	}
	for _, r := range letters {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) {
			return false
		}
	}
	return len(letters) < len(s) || letters == strings.ToUpper(letters)
}

// complete reports whether the query is a whole phone, ID number or customer code: its only match opens by itself.
func (p *findPage) complete() bool {
	s := strings.ReplaceAll(p.query.Value(), " ", "")
	return p.digits() && (len(s) == 10 || len(s) == 12 || len(s) == 13)
}

// search asks for what is typed now; one question is on its way at most, the latest wins.
func (p *findPage) search(a *App) tui.Cmd {
	text := strings.TrimSpace(p.query.Value())
	if p.busy || text == p.shown || text == "" {
		return nil
	}
	p.busy, p.asked = true, text
	return call(a, func(ctx context.Context) ([]kiosk.CustomerCard, error) { return a.svc.Find(ctx, text) },
		func(found []kiosk.CustomerCard, err error) tui.Cmd {
			p.busy = false
			if a.page != page(p) {
				return nil
			}
			if err != nil {
				p.take = false
				return a.failed(err)
			}
			p.found, p.shown, p.pick = found[:min(len(found), 9)], text, 0
			if now := strings.TrimSpace(p.query.Value()); now != text {
				return p.search(a)
			}
			if len(p.found) == 1 && p.complete() || p.take && len(p.found) > 0 {
				return a.openVisit(p.found[p.pick].ID, "")
			}
			p.take = false
			return nil
		})
}

func (p *findPage) keys() []binding {
	return []binding{
		{names: []string{"enter"}, show: "Enter", label: "clerk.key.open_visit", rank: 1, do: act((*findPage).enter)},
		{names: []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}, show: "1-9", label: "clerk.key.choose", rank: 2,
			on: when((*findPage).letters, ""), do: actKey((*findPage).choose)},
		{names: []string{"up"}, label: "clerk.key.row", do: act((*findPage).up)},
		{names: []string{"down"}, label: "clerk.key.row", do: act((*findPage).down)},
		{names: []string{"f9"}, show: "F9", label: "clerk.key.as_last", rank: 3, on: when((*findPage).hasLast, "clerk.why.no_last"), do: act((*findPage).again)},
		{names: []string{"f6"}, show: "F6", label: "clerk.key.new_customer", rank: 2, do: act((*findPage).newVisit)},
		{names: []string{"esc"}, show: "Esc", label: "clerk.key.leave", rank: 1, do: func(a *App, _ tui.Key) tui.Cmd { return a.home() }},
		keyLock().wider(),
	}
}

// letters reports whether digits choose a row: the query is a name.
func (p *findPage) letters(*App) bool { return !p.query.Empty() && !p.digits() }

func (p *findPage) typed(a *App, k tui.Key) tui.Cmd {
	if !p.query.Handle(k) {
		return nil
	}
	p.take = false
	if p.query.Empty() {
		p.found, p.shown = nil, ""
	}
	return p.search(a)
}

func (p *findPage) input(a *App, ev tui.Event) tui.Cmd {
	switch ev := ev.(type) {
	case tui.Scan:
		return a.scanVisit("", ev.Text)
	case tui.Paste:
		if p.query.Paste(ev.Text) {
			return p.search(a)
		}
	}
	return nil
}

func (p *findPage) choose(a *App, k tui.Key) tui.Cmd {
	if i := int(k.Text[0] - '1'); i < len(p.found) {
		return a.openVisit(p.found[i].ID, "")
	}
	return nil
}

func (p *findPage) enter(a *App) tui.Cmd {
	if strings.TrimSpace(p.query.Value()) != p.shown {
		p.take = true
		return p.search(a)
	}
	if p.pick < len(p.found) {
		return a.openVisit(p.found[p.pick].ID, "")
	}
	return nil
}

func (p *findPage) up(*App) tui.Cmd {
	p.pick = max(p.pick-1, 0)
	return nil
}

func (p *findPage) down(*App) tui.Cmd {
	p.pick = min(p.pick+1, max(len(p.found)-1, 0))
	return nil
}

func (p *findPage) hasLast(*App) bool {
	return p.pick < len(p.found) && len(p.found[p.pick].Last) > 0
}

// again opens a visit and the form of the customer's last order, filled as that was.
func (p *findPage) again(a *App) tui.Cmd {
	customer := p.found[p.pick]
	return open(a, "clerk.wait.form", func(ctx context.Context) (reopened, error) {
		v, err := a.svc.OpenVisit(ctx, customer.ID, "")
		if err != nil {
			return reopened{}, err
		}
		o, err := a.svc.StartOrder(ctx, v.Visit.Key, customer.Last[0].Service, true)
		return reopened{v, o}, err
	}, a.reopened)
}

// reopened is a visit with the order that was opened in it.
type reopened struct {
	visit kiosk.VisitView
	order kiosk.OrderView
}

func (a *App) reopened(r reopened) tui.Cmd {
	a.visit = &r.visit
	return a.begin(r.order)
}

func (p *findPage) newVisit(a *App) tui.Cmd {
	carried := ""
	if len(p.found) == 0 {
		carried = strings.TrimSpace(p.query.Value())
	}
	return a.openVisit("", carried)
}

func (p *findPage) hint(a *App) string {
	switch {
	case p.busy && p.shown == "":
		return ""
	case len(p.found) == 0 && p.shown != "":
		return a.t("clerk.hint.find_none", nil)
	}
	return a.t("clerk.hint.find", nil)
}

func (p *findPage) draw(a *App, c *tui.Canvas) {
	a.head(c, a.t("clerk.find.title", nil))
	w, end := width(c), bottom(c)
	x := c.Put(2, 1, a.t("clerk.find.label", nil), tui.Text) + 2
	putMark(c, colMark, 1, "▸")
	p.query.Draw(c, x, 1, 30, tui.Text)
	if p.shown != "" {
		c.PutMax(x+32, 1, w-x-32, a.t("clerk.find.count", locale.Args{"n": len(p.found), "unit": a.me.Unit.Code}), tui.Muted)
	}
	if len(p.found) == 0 {
		return
	}
	cols := []homeColumn{{3, 3, "clerk.home.number"}, {7, 22, "clerk.find.name"}, {30, 8, "clerk.find.born"},
		{40, 13, "clerk.find.id"}, {55, 11, "clerk.find.phone"}, {67, 13, "clerk.find.code"}}
	for _, h := range cols {
		if h.x < w {
			c.PutMax(h.x, 3, min(h.w, w-h.x), a.t(h.label, nil), tui.Muted)
		}
	}
	y := 4
	for i, cu := range p.found {
		if y >= end {
			return
		}
		var st tui.Style
		if i == p.pick {
			st = tui.OnRow
			c.Fill(0, y, w, 1, st)
			c.Put(1, y, "▸", tui.Accent|tui.Bold|st)
		}
		for j, s := range []string{itoa(i + 1), cu.Name, cu.BirthYear, cu.IDMasked, cu.Phone, cu.ID} {
			if cols[j].x < w {
				c.PutMax(cols[j].x, y, min(cols[j].w, w-cols[j].x), s, tui.Text|st)
			}
		}
		y++
	}
	if p.pick < len(p.found) {
		p.drawCard(a, c, y+1, p.found[p.pick])
	}
}

// drawCard tells what is known of the marked customer, each line with its source and age.
func (p *findPage) drawCard(a *App, c *tui.Canvas, y int, cu kiosk.CustomerCard) {
	w, end := width(c), bottom(c)
	section(c, 0, y, tui.Cut(cu.Name, 50))
	if p.letters(a) && w >= design {
		words := strings.Fields(p.shown)
		c.PutMax(52, y, w-52, a.t("clerk.find.how", locale.Args{"words": strings.Join(words, "* ") + "*"}), tui.Muted)
	}
	src := ""
	if !cu.FactsAt.IsZero() {
		src = strings.TrimSpace(a.me.Unit.BackOffice + " " + a.dayMinute(cu.FactsAt))
	}
	put := func(label, value, right string) {
		y++
		if y >= end || value == "" {
			if value == "" {
				y--
			}
			return
		}
		c.Put(3, y, label, tui.Muted)
		room := w - 19
		if right != "" {
			room = 35
		}
		c.PutMax(19, y, room, value, tui.Text)
		c.PutMax(55, y, w-55, right, tui.Muted)
	}
	put(a.t("clerk.find.place", nil), cu.Address, "")
	put(a.t("clerk.find.contract", nil), cu.Contract, src)
	put(a.t("clerk.find.debt", nil), cu.Debt, src)
	label := a.t("clerk.find.last", nil)
	for i, l := range cu.Last {
		if i > 0 {
			label = ""
		}
		onTime := ""
		if l.State == kiosk.Closed || l.State == kiosk.Sealed {
			onTime = ", " + a.t(map[bool]string{true: "clerk.find.on_time", false: "clerk.find.late"}[l.OnTime], nil)
		}
		put(label, a.serviceName(l.Service)+"  "+a.date(l.At), a.stateWords(l.State)+onTime)
	}
	if len(cu.Last) == 0 {
		put(label, a.t("clerk.find.nothing", nil), "")
	}
	label = a.t("clerk.find.open", nil)
	for _, l := range cu.Open {
		put(label, strings.TrimSpace(serial(l.Number)+" "+a.serviceName(l.Service)), a.stateWords(l.State))
		label = ""
	}
	if len(cu.Open) == 0 {
		put(label, a.t("clerk.find.nothing", nil), "")
	}
}
