package clerk

import (
	"context"
	"strconv"
	"time"

	"countersign/internal/tui"
	"countersign/kiosk"
)

// homePage is K2: the find field has the focus always; two digits and Enter open a row.
type homePage struct {
	find    tui.Field
	view    *kiosk.HomeView
	next    *kiosk.HomeView // newer, waiting until nothing moves under the hand
	pick    int             // row of the list that is marked, -1 while the find field is in hand
	top     int
	shown   int
	pressed time.Time // last key
	busy    bool
	again   bool
}

// settled is how long nothing must have been typed before the list may change.
const settled = 2 * time.Second

// healthNumber opens the state of the connected systems.
const healthNumber = 98

func (p *homePage) open(a *App) tui.Cmd {
	p.pick = -1
	p.find = tui.Field{Max: 60, Line: true}
	a.view = nil
	return tui.Batch(p.load(a), a.loadServices())
}

// load asks for the day's work; one question is on its way at most.
func (p *homePage) load(a *App) tui.Cmd {
	if p.busy {
		p.again = true
		return nil
	}
	p.busy, p.again = true, false
	return call(a, a.svc.Home, func(v kiosk.HomeView, err error) tui.Cmd {
		p.busy = false
		if err != nil {
			return a.failed(err)
		}
		p.next = &v
		a.links = v.Links
		p.settle(a)
		if p.again {
			return p.load(a)
		}
		return nil
	})
}

// settle lets a newer list be seen, unless the clerk is about to choose from the one that is there.
func (p *homePage) settle(a *App) {
	if p.next == nil {
		return
	}
	if p.view == nil || p.find.Empty() && p.pick < 0 && a.now().Sub(p.pressed) >= settled {
		p.view, p.next = p.next, nil
	}
}

func (p *homePage) tick(a *App) tui.Cmd {
	p.settle(a)
	return nil
}

func (p *homePage) keys() []binding {
	return []binding{
		{names: []string{"f6"}, show: "F6", label: "clerk.key.new_visit", rank: 1, do: act((*homePage).newVisit)},
		{names: []string{"enter"}, show: "01-99 Enter", label: "clerk.key.open_row", rank: 2, do: act((*homePage).enter)},
		{names: []string{"down"}, show: "▾", label: "clerk.key.to_list", rank: 3, do: act((*homePage).down)},
		{names: []string{"up"}, label: "clerk.key.row", do: act((*homePage).up)},
		{names: []string{"pgdn"}, label: "clerk.key.page_down", do: act((*homePage).pageDown)},
		{names: []string{"pgup"}, label: "clerk.key.page_up", do: act((*homePage).pageUp)},
		{names: []string{"f5"}, label: "clerk.key.reload", do: act((*homePage).load)},
		{names: []string{"esc"}, label: "clerk.key.clear", do: act((*homePage).clear)},
		keyHelp(),
		keyLock(),
	}
}

func (p *homePage) clear(*App) tui.Cmd {
	p.find.Reset()
	p.pick = -1
	return nil
}

// typed searches; from the third character on, or at the first letter's Enter, K3 takes over.
func (p *homePage) typed(a *App, k tui.Key) tui.Cmd {
	p.pressed = a.now()
	if !p.find.Handle(k) {
		return nil
	}
	p.pick = -1
	if n := len(tui.Graphemes(p.find.Value())); n >= 3 {
		return a.turn(newFindPage(p.find.Value()))
	}
	return nil
}

func (p *homePage) input(a *App, ev tui.Event) tui.Cmd {
	switch ev := ev.(type) {
	case tui.Scan:
		return a.scanVisit("", ev.Text)
	case tui.Paste:
		if p.find.Paste(ev.Text) && len(p.find.Value()) >= 3 {
			return a.turn(newFindPage(p.find.Value()))
		}
	}
	return nil
}

// scanVisit opens a visit by a card, or adds the card to the one that is open.
func (a *App) scanVisit(visit, scan string) tui.Cmd {
	return open(a, "clerk.wait.visit", func(ctx context.Context) (kiosk.VisitView, error) {
		return a.svc.ScanVisit(ctx, visit, scan)
	}, a.visited)
}

// openVisit opens a visit for a customer, or for somebody new.
func (a *App) openVisit(customer, carried string) tui.Cmd {
	return open(a, "clerk.wait.visit", func(ctx context.Context) (kiosk.VisitView, error) {
		return a.svc.OpenVisit(ctx, customer, carried)
	}, a.visited)
}

// visited takes a visit into the hand and asks for the service.
func (a *App) visited(v kiosk.VisitView) tui.Cmd {
	a.visit = &v
	return a.turn(newPickPage())
}

func (p *homePage) newVisit(a *App) tui.Cmd { return a.openVisit("", p.find.Value()) }

// enter opens the marked row, the row whose number was typed, or searches.
func (p *homePage) enter(a *App) tui.Cmd {
	if p.pick >= 0 {
		rows := p.rows()
		if p.pick < len(rows) {
			return rows[p.pick].open(a)
		}
		return nil
	}
	text := p.find.Value()
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return a.turn(newFindPage(text))
	}
	p.find.Reset()
	if n == healthNumber {
		return a.turn(&healthPage{})
	}
	for _, r := range p.rows() {
		if r.number == n {
			return r.open(a)
		}
	}
	a.sayArgs(noteMark, "clerk.msg.no_row", map[string]any{"n": text})
	return nil
}

// homeRow is one row that can be opened.
type homeRow struct {
	number int
	task   *kiosk.Task
	visit  *kiosk.VisitRow
}

func (p *homePage) rows() []homeRow {
	if p.view == nil {
		return nil
	}
	var out []homeRow
	for i := range p.tasks() {
		t := &p.view.Tasks[i]
		out = append(out, homeRow{number: t.Number, task: t})
	}
	for i := range p.view.Visits {
		v := &p.view.Visits[i]
		out = append(out, homeRow{number: v.Serial, visit: v})
	}
	return out
}

// maxTasks is how many alerts K2 shows; the rest are a count.
const maxTasks = 3

func (p *homePage) tasks() []kiosk.Task {
	return p.view.Tasks[:min(len(p.view.Tasks), maxTasks)]
}

func (r homeRow) open(a *App) tui.Cmd {
	if t := r.task; t != nil {
		if t.Order == "" || t.Kind == "outbox" {
			return a.turn(&healthPage{})
		}
		return a.take(t.Order, kiosk.Confirmed)
	}
	v := r.visit
	if v.Order == "" {
		return open(a, "clerk.wait.visit", func(ctx context.Context) (kiosk.VisitView, error) { return a.svc.Visit(ctx, v.Visit) }, a.visited)
	}
	return a.take(v.Order, v.State)
}

// take brings an order into the hand; one that is done or cancelled is only looked at.
func (a *App) take(key string, state kiosk.State) tui.Cmd {
	if state == kiosk.Closed || state == kiosk.Cancelled {
		return a.turn(&evidencePage{key: key})
	}
	return open(a, "clerk.wait.order", func(ctx context.Context) (kiosk.OrderView, error) { return a.svc.Resume(ctx, key) }, a.begin)
}

func (p *homePage) down(*App) tui.Cmd { return p.move(1) }
func (p *homePage) up(*App) tui.Cmd   { return p.move(-1) }

func (p *homePage) move(by int) tui.Cmd {
	p.pick = max(min(p.pick+by, len(p.rows())-1), -1)
	return nil
}

func (p *homePage) pageDown(*App) tui.Cmd {
	if p.view != nil && p.top+p.shown < len(p.view.Visits) {
		p.top += max(p.shown, 1)
	}
	return nil
}

func (p *homePage) pageUp(*App) tui.Cmd {
	p.top = max(p.top-max(p.shown, 1), 0)
	return nil
}

func (p *homePage) hint(a *App) string {
	if p.view == nil {
		return "~ " + a.t("clerk.wait.home", nil)
	}
	down := 0
	for _, l := range p.view.Links {
		if l.State == "down" {
			down++
		}
	}
	return a.t("clerk.hint.home", map[string]any{"ok": len(p.view.Links) - down, "all": len(p.view.Links)})
}

func (a *App) loadServices() tui.Cmd {
	if a.services != nil {
		return nil
	}
	return call(a, a.svc.Services, func(s []*serviceDef, err error) tui.Cmd {
		if err != nil {
			return a.failed(err)
		}
		a.services = s
		if a.view != nil && a.view.Service == nil {
			// An order was taken up again before its form was known.
			a.view.Service = a.serviceOf(a.view.Order.Service)
			return a.turn(a.stepPage())
		}
		return nil
	})
}
