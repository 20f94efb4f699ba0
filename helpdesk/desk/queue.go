package desk

import (
	"context"
	"slices"
	"strconv"

	"countersign/helpdesk"
	"countersign/internal/locale"
	"countersign/internal/tui"
)

// queuePage is D1. Its rows keep their places until F5: what changed meanwhile is changed in its row, what is new is told.
type queuePage struct {
	quiet
	rows   []row
	counts helpdesk.Counts
	next   *queueState // the newest answer
	loaded bool
	busy   bool
	again  bool

	pick  int
	top   int
	digit string // the first digit of a row's number
	told  int    // new tickets of which row 23 speaks
	shown int    // rows that were drawn, for paging
}

// queueState is one answer of the service.
type queueState struct {
	queue Queue
	aside []*helpdesk.Intake
}

// row is one line of the list: a ticket, or a mail that got no number because something speaks against its sender.
type row struct {
	ticket *helpdesk.Ticket
	fake   *helpdesk.Intake
	mine   bool
	gone   bool // it is no longer in the queue; its place stays until F5
}

func (r row) key() string {
	if r.fake != nil {
		return "arrival " + strconv.FormatInt(r.fake.ID, 10)
	}
	return r.ticket.Key
}

func (p *queuePage) open(a *App) tui.Cmd {
	p.digit = ""
	return p.load(a)
}

func (p *queuePage) hear(a *App, _ string) tui.Cmd { return p.load(a) }

// load asks for the queue; one question is on its way at most.
func (p *queuePage) load(a *App) tui.Cmd {
	if p.busy {
		p.again = true
		return nil
	}
	p.busy, p.again = true, false
	return call(a, func(ctx context.Context) (queueState, error) {
		q, err := a.svc.Queue(ctx, helpdesk.Queue{Limit: 200})
		if err != nil {
			return queueState{}, err
		}
		aside, err := a.svc.Aside(ctx, helpdesk.Quarantined)
		return queueState{q, aside}, err
	}, func(s queueState, err error) tui.Cmd {
		p.busy = false
		if err != nil {
			return a.failed(err)
		}
		a.me = s.queue.Me
		p.take(&s)
		if p.again {
			return p.load(a)
		}
		return nil
	})
}

// take lets an answer be seen: as a whole when nothing was there, or the list was empty, else without moving a row.
func (p *queuePage) take(s *queueState) {
	p.next, p.counts = s, s.queue.Counts
	if !p.loaded || len(p.rows) == 0 {
		p.sort()
		return
	}
	fresh := map[string]row{}
	for _, r := range s.rows() {
		fresh[r.key()] = r
	}
	for i := range p.rows {
		r, still := fresh[p.rows[i].key()]
		p.rows[i].gone = !still
		if still {
			p.rows[i].ticket, p.rows[i].fake = r.ticket, r.fake
			delete(fresh, r.key())
		}
	}
	p.told = len(fresh)
}

// sort takes the newest answer over with its order, and keeps the marked ticket marked.
func (p *queuePage) sort() {
	if p.next == nil {
		return
	}
	marked := ""
	if r, ok := p.picked(); ok {
		marked = r.key()
	}
	p.rows, p.loaded, p.told = p.next.rows(), true, 0
	p.pick = max(0, slices.IndexFunc(p.rows, func(r row) bool { return r.key() == marked }))
}

// rows are the lines of an answer: what is not mine, mails against whose sender something speaks, then what is mine.
func (s *queueState) rows() (out []row) {
	var mine []row
	for _, t := range s.queue.Tickets {
		if t.Agent != "" && t.Agent == s.queue.Me.Name {
			mine = append(mine, row{ticket: t, mine: true})
		} else {
			out = append(out, row{ticket: t})
		}
	}
	for _, in := range s.aside {
		out = append(out, row{fake: in})
	}
	return append(out, mine...)
}

func (p *queuePage) picked() (row, bool) {
	if p.pick < 0 || p.pick >= len(p.rows) {
		return row{}, false
	}
	return p.rows[p.pick], true
}

// numbers are the row numbers: tickets are counted, mails without a number are not.
func (p *queuePage) number(at int) int {
	n := 0
	for i := range p.rows[:at+1] {
		if p.rows[i].ticket != nil {
			n++
		}
	}
	return n
}

func (p *queuePage) keys() []binding {
	onTicket := when((*queuePage).onTicket, "desk.why.no_ticket")
	return []binding{
		{names: []string{"enter"}, show: "Enter", label: "desk.key.open", rank: 1, on: when((*queuePage).onRow, "desk.why.empty"), do: act((*queuePage).enter)},
		{names: []string{"digit"}, show: "01-99", label: "desk.key.open", rank: 3, do: actKey((*queuePage).number2)},
		{names: []string{"f5"}, show: "F5", label: "desk.key.sort", rank: 4, do: act((*queuePage).again5)},
		{names: []string{"t"}, show: "t", label: "desk.key.take", rank: 2, on: onTicket, do: act((*queuePage).takeIt)},
		{names: []string{"g"}, show: "g", label: "desk.key.give", rank: 5, on: onTicket, do: act((*queuePage).giveIt)},
		{names: []string{"r"}, label: "desk.key.reply", on: onTicket, do: act((*queuePage).replyTo)},
		{names: []string{"b"}, show: "b", label: "desk.key.evidence", rank: 6, on: onTicket, do: act((*queuePage).evidence)},
		{names: []string{"/"}, show: "/", label: "desk.key.find", rank: 3, do: func(a *App, _ tui.Key) tui.Cmd { return a.turn(newFindPage(a)) }},
		{names: []string{"c"}, show: "c", label: "desk.key.calls", rank: 7, do: func(a *App, _ tui.Key) tui.Cmd { return a.turn(newCallsPage(nil)) }},
		{names: []string{"x"}, show: "x", label: "desk.key.impostors", rank: 7, do: func(a *App, _ tui.Key) tui.Cmd { return a.turn(newSuspicionPage()) }},
		{names: []string{"down"}, label: "desk.key.down", do: func(a *App, _ tui.Key) tui.Cmd { return a.queue.move(1) }},
		{names: []string{"up"}, label: "desk.key.up", do: func(a *App, _ tui.Key) tui.Cmd { return a.queue.move(-1) }},
		{names: []string{"pgdn"}, label: "desk.key.page_down", do: func(a *App, _ tui.Key) tui.Cmd { return a.queue.move(max(1, a.queue.shown)) }},
		{names: []string{"pgup"}, label: "desk.key.page_up", do: func(a *App, _ tui.Key) tui.Cmd { return a.queue.move(-max(1, a.queue.shown)) }},
		{names: []string{"home"}, label: "desk.key.first", do: func(a *App, _ tui.Key) tui.Cmd { return a.queue.move(-len(a.queue.rows)) }},
		{names: []string{"end"}, label: "desk.key.last", do: func(a *App, _ tui.Key) tui.Cmd { return a.queue.move(len(a.queue.rows)) }},
		keyHelp(), keyLock(),
	}
}

func (p *queuePage) onRow(*App) bool {
	_, ok := p.picked()
	return ok
}

func (p *queuePage) onTicket(*App) bool {
	r, ok := p.picked()
	return ok && r.ticket != nil
}

func (p *queuePage) move(by int) tui.Cmd {
	p.digit = ""
	p.pick = min(max(p.pick+by, 0), max(len(p.rows)-1, 0))
	return nil
}

// again5 sorts anew.
func (p *queuePage) again5(a *App) tui.Cmd {
	p.digit = ""
	p.sort()
	return p.load(a)
}

// enter opens the marked row.
func (p *queuePage) enter(a *App) tui.Cmd {
	r, _ := p.picked()
	if r.fake != nil {
		return a.turn(&asidePage{mail: r.fake})
	}
	return a.openTicket(r.ticket.Key, nil)
}

// number2 opens a row at the second digit of its number.
func (p *queuePage) number2(a *App, k tui.Key) tui.Cmd {
	if p.digit == "" {
		p.digit = k.Text
		return nil
	}
	n, err := strconv.Atoi(p.digit + k.Text)
	p.digit = ""
	for i := range p.rows {
		if err == nil && p.rows[i].ticket != nil && p.number(i) == n {
			p.pick = i
			return p.enter(a)
		}
	}
	a.sayArgs(noteMark, "desk.why.no_row", locale.Args{"n": n})
	return nil
}

func (p *queuePage) takeIt(a *App) tui.Cmd {
	r, _ := p.picked()
	return a.takeTicket(r.ticket.Key, p.load)
}

func (p *queuePage) giveIt(a *App) tui.Cmd {
	r, _ := p.picked()
	return a.give(r.ticket.Key, p)
}

func (p *queuePage) replyTo(a *App) tui.Cmd {
	r, _ := p.picked()
	return a.openTicket(r.ticket.Key, func(t *threadPage) tui.Cmd { return t.reply(a) })
}

func (p *queuePage) evidence(a *App) tui.Cmd {
	r, _ := p.picked()
	return a.openTicket(r.ticket.Key, func(t *threadPage) tui.Cmd { return t.evidence(a) })
}

// takeTicket takes a ticket and looks again.
func (a *App) takeTicket(key string, then func(*App) tui.Cmd) tui.Cmd {
	return open(a, func(ctx context.Context) (*helpdesk.Ticket, error) { return a.svc.Take(ctx, key) }, func(*helpdesk.Ticket) tui.Cmd {
		a.sayArgs(doneMark, "desk.msg.taken", locale.Args{"ticket": key})
		return then(a)
	})
}
