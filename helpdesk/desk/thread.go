package desk

import (
	"context"
	"slices"

	"countersign/helpdesk"
	"countersign/internal/locale"
	"countersign/internal/tui"
)

// threadPage is D2: a ticket with its messages, and above them why we believe who wrote them.
type threadPage struct {
	quiet
	sheet   *helpdesk.Sheet
	pick    int             // of the messages
	quotes  map[string]bool // whose quoted part is open
	collide bool            // somebody writes; 1 watches, 2 writes all the same
	busy    bool
	again   bool

	top  int // first row of the thread that is in sight
	move bool
	page int // rows that were drawn
}

// openTicket brings a ticket up; then runs once it is there.
func (a *App) openTicket(key string, then func(*threadPage) tui.Cmd) tui.Cmd {
	return open(a, func(ctx context.Context) (*helpdesk.Sheet, error) { return a.svc.Ticket(ctx, key) }, func(s *helpdesk.Sheet) tui.Cmd {
		p := &threadPage{sheet: s, quotes: map[string]bool{}, move: true}
		p.pick = p.newest()
		cmd := a.turn(p)
		if then != nil {
			return tui.Batch(cmd, then(p))
		}
		return cmd
	})
}

// newest is the newest message of the customer, or the last one.
func (p *threadPage) newest() int {
	for i, m := range slices.Backward(p.sheet.Thread) {
		if m.Kind == helpdesk.FromCustomer {
			return i
		}
	}
	return len(p.sheet.Thread) - 1
}

// customers returns the newest message of the customer, nil when there is none.
func customers(s *helpdesk.Sheet) *helpdesk.Message {
	for _, m := range slices.Backward(s.Thread) {
		if m.Kind == helpdesk.FromCustomer {
			return m
		}
	}
	return nil
}

func (p *threadPage) key() string { return p.sheet.Ticket.Key }

func (p *threadPage) hear(a *App, ticket string) tui.Cmd {
	if ticket != "" && ticket != p.key() {
		return nil
	}
	return p.load(a)
}

// load looks at the ticket again; the marked message stays marked.
func (p *threadPage) load(a *App) tui.Cmd {
	if p.busy {
		p.again = true
		return nil
	}
	p.busy, p.again = true, false
	key, had := p.key(), len(p.sheet.Thread)
	return call(a, func(ctx context.Context) (*helpdesk.Sheet, error) { return a.svc.Ticket(ctx, key) }, func(s *helpdesk.Sheet, err error) tui.Cmd {
		p.busy = false
		if err != nil {
			return a.failed(err)
		}
		p.sheet = s
		p.pick = min(p.pick, len(s.Thread)-1)
		if n := len(s.Thread) - had; n > 0 && a.page == page(p) {
			a.sayArgs(noteMark, "desk.msg.new_messages", locale.Args{"n": n})
		}
		if p.again {
			return p.load(a)
		}
		return nil
	})
}

func (p *threadPage) open(a *App) tui.Cmd { return p.load(a) }

func (p *threadPage) keys() []binding {
	free := when((*threadPage).unasked, "")
	asked := when((*threadPage).asked, "")
	withMail := when((*threadPage).hasMail, "desk.why.no_mail")
	return []binding{
		{names: []string{"1"}, show: "1", label: "desk.key.watch", rank: 1, on: asked, do: act((*threadPage).watch)},
		{names: []string{"2"}, show: "2", label: "desk.key.write_too", rank: 1, on: asked, do: act((*threadPage).write)},
		{names: []string{"r"}, show: "r", label: "desk.key.reply", rank: 1, on: free, do: act((*threadPage).reply)},
		{names: []string{"t"}, show: "t", label: "desk.key.take", rank: 2, on: when((*threadPage).notMine, "desk.why.mine"), do: act((*threadPage).take)},
		{names: []string{"n"}, show: "n", label: "desk.key.note", rank: 3, do: act((*threadPage).note)},
		{names: []string{"b"}, show: "b", label: "desk.key.evidence", rank: 2, on: withMail, do: act((*threadPage).evidence)},
		{names: []string{"c"}, show: "c", label: "desk.key.call", rank: 5, do: act((*threadPage).call)},
		{names: []string{"p"}, show: "p", label: "desk.key.properties", rank: 5, do: act((*threadPage).properties)},
		{names: []string{"g"}, show: "g", label: "desk.key.give", rank: 6, do: act((*threadPage).give)},
		{names: []string{"k"}, show: "k", label: "desk.key.resolve", rank: 4, do: act((*threadPage).resolve)},
		{names: []string{"enter"}, label: "desk.key.quote", do: act((*threadPage).unfold)},
		{names: []string{"x"}, label: "desk.key.report", do: func(a *App, _ tui.Key) tui.Cmd { return a.turn(newReportPage(a, p)) }},
		{names: []string{"down"}, label: "desk.key.down", do: func(*App, tui.Key) tui.Cmd { return p.go1(1) }},
		{names: []string{"up"}, label: "desk.key.up", do: func(*App, tui.Key) tui.Cmd { return p.go1(-1) }},
		{names: []string{"pgdn"}, label: "desk.key.page_down", do: func(*App, tui.Key) tui.Cmd { return p.scroll(p.page - 1) }},
		{names: []string{"pgup"}, label: "desk.key.page_up", do: func(*App, tui.Key) tui.Cmd { return p.scroll(1 - p.page) }},
		keyHelp(), keyLock(),
		{names: []string{"esc"}, show: "Esc", label: "desk.key.back", rank: 1, do: act((*threadPage).leave)},
	}
}

func (p *threadPage) asked(*App) bool     { return p.collide }
func (p *threadPage) unasked(*App) bool   { return !p.collide }
func (p *threadPage) notMine(a *App) bool { return p.sheet.Ticket.Agent != a.me.Name }
func (p *threadPage) hasMail(*App) bool   { return customers(p.sheet) != nil }

func (p *threadPage) go1(by int) tui.Cmd {
	p.pick = min(max(p.pick+by, 0), len(p.sheet.Thread)-1)
	p.move = true
	return nil
}

func (p *threadPage) scroll(by int) tui.Cmd {
	p.top += by
	return nil
}

func (p *threadPage) unfold(*App) tui.Cmd {
	if p.pick >= 0 {
		key := p.sheet.Thread[p.pick].Key
		p.quotes[key] = !p.quotes[key]
		p.move = true
	}
	return nil
}

// leave closes the ticket; colleagues see that.
func (p *threadPage) leave(a *App) tui.Cmd {
	key := p.key()
	return tui.Batch(a.toQueue(), do(a, func(ctx context.Context) error { return a.svc.Leave(ctx, key) }, a.lossy))
}

// lossy takes the outcome of what only colleagues' screens show: a failure is none for this person.
func (a *App) lossy(error) tui.Cmd { return nil }

func (p *threadPage) take(a *App) tui.Cmd { return a.takeTicket(p.key(), p.load) }
func (p *threadPage) give(a *App) tui.Cmd { return a.give(p.key(), p) }

func (p *threadPage) resolve(a *App) tui.Cmd {
	key := p.key()
	return open(a, func(ctx context.Context) (*helpdesk.Ticket, error) { return a.svc.Do(ctx, key, helpdesk.StepResolve) }, func(*helpdesk.Ticket) tui.Cmd {
		a.sayArgs(doneMark, "desk.msg.resolved", locale.Args{"ticket": key})
		return p.load(a)
	})
}

func (p *threadPage) evidence(a *App) tui.Cmd {
	of := customers(p.sheet)
	if p.pick >= 0 && p.sheet.Thread[p.pick].Kind == helpdesk.FromCustomer {
		of = p.sheet.Thread[p.pick]
	}
	if of == nil {
		a.say(noteMark, "desk.why.no_mail", nil)
		return nil
	}
	return a.turn(&evidencePage{thread: p, of: of})
}

func (p *threadPage) call(a *App) tui.Cmd       { return a.turn(newCallsPage(p)) }
func (p *threadPage) properties(a *App) tui.Cmd { return a.turn(newPropsPage(p)) }

func (p *threadPage) note(a *App) tui.Cmd {
	key := p.key()
	return a.turn(newWritePage(a, p, "desk.title.note", key, func(text string) tui.Cmd {
		return open(a, func(ctx context.Context) (*helpdesk.Ticket, error) { return a.svc.Note(ctx, key, text) }, func(*helpdesk.Ticket) tui.Cmd {
			a.say(doneMark, "desk.msg.noted", nil)
			return a.turn(p)
		})
	}))
}

// reply opens the draft, or asks first when a colleague is writing already.
func (p *threadPage) reply(a *App) tui.Cmd {
	for _, o := range p.sheet.Present {
		if o.Agent != a.me.Name && o.Composing {
			p.collide = true
			a.sayArgs(waitMark, "desk.msg.collision", locale.Args{"name": a.nameOf(o.Agent), "at": a.minute(o.Since)})
			return nil
		}
	}
	return p.write(a)
}

func (p *threadPage) watch(*App) tui.Cmd {
	p.collide = false
	return nil
}

func (p *threadPage) write(a *App) tui.Cmd {
	p.collide = false
	return a.turn(newComposePage(a, p))
}
