package desk

import (
	"context"
	"strings"
	"time"

	"countersign/helpdesk"
	"countersign/internal/locale"
	"countersign/internal/tui"
)

// callsPage is D5: the call log, and one new entry. An outgoing call is written before the number may be dialled; only
// numbers that are registered are offered.
type callsPage struct {
	formPage
	thread *threadPage // nil: the log alone
	in     bool        // the new entry is a call that came
	calls  []*helpdesk.Call
	logged *helpdesk.Call // the entry that was just made: now it may be dialled
}

func newCallsPage(t *threadPage) *callsPage { return &callsPage{thread: t, in: t == nil} }

func (p *callsPage) open(a *App) tui.Cmd {
	if p.form.rows == nil {
		p.fill(a)
	}
	return p.load(a)
}

func (p *callsPage) hear(a *App, ticket string) tui.Cmd { return p.load(a) }

// fill makes the new entry ready: ticket and number are there already.
func (p *callsPage) fill(a *App) {
	key, phone := "", ""
	if p.thread != nil {
		key = p.thread.key()
		if n := p.numbers(); len(n) > 0 {
			phone = n[0]
		}
	}
	p.form = form{rows: []formRow{
		textRowOf(a, "desk.call.ticket", "", key, 24),
		textRowOf(a, "desk.call.phone", "desk.call.registered", phone, 24),
		textRowOf(a, "desk.call.reason", "desk.call.reason_help", "", 200),
	}}
	if key != "" {
		p.form.at = 2
	}
}

// numbers are those that may be called: registered by the unit, or given on the ticket.
func (p *callsPage) numbers() (out []string) {
	if p.thread == nil {
		return nil
	}
	if u := p.thread.sheet.Unit; u != nil {
		out = append(out, u.Phones...)
	}
	return nonEmpty(append(out, p.thread.sheet.Ticket.Contact.Phone)...)
}

func (p *callsPage) load(a *App) tui.Cmd {
	now := a.now()
	return call(a, func(ctx context.Context) ([]*helpdesk.Call, error) {
		return a.svc.Calls(ctx, now.Add(-24*time.Hour), now)
	}, func(list []*helpdesk.Call, err error) tui.Cmd {
		if err != nil {
			return a.failed(err)
		}
		p.calls = list
		return nil
	})
}

func (p *callsPage) keys() []binding {
	list := saveKeys("desk.key.log_call", p.save, p.back)
	return append([]binding{
		{names: []string{"f6"}, show: "F6", label: "desk.key.direction", rank: 3, do: func(*App, tui.Key) tui.Cmd { p.in = !p.in; return nil }},
		{names: []string{"f4"}, show: "F4", label: "desk.key.numbers", rank: 3, on: when((*callsPage).canChoose, ""), do: act((*callsPage).choose)},
		{names: []string{"f8"}, show: "F8", label: "desk.key.end_call", rank: 2, on: when((*callsPage).running, ""), do: act((*callsPage).end)},
	}, list...)
}

func (p *callsPage) running(*App) bool   { return p.logged != nil }
func (p *callsPage) canChoose(*App) bool { return !p.in && len(p.numbers()) > 1 }

func (p *callsPage) choose(a *App) tui.Cmd {
	var rows []choice
	for _, n := range p.numbers() {
		rows = append(rows, choice{"", n, ""})
	}
	return a.turn(&choosePage{under: p, title: "desk.title.numbers", rows: rows, pick: func(i int) tui.Cmd {
		p.form.rows[1].field.Set(rows[i].text)
		return nil
	}})
}

func (p *callsPage) back(a *App) tui.Cmd {
	if p.thread != nil {
		return a.turn(p.thread)
	}
	return a.toQueue()
}

// save writes the entry. Only when the service has it, the screen gives the number to dial.
func (p *callsPage) save(a *App) tui.Cmd {
	in := helpdesk.Call{Out: !p.in, Ticket: p.form.value(0), Phone: p.form.value(1), Reason: p.form.value(2)}
	if in.Reason == "" {
		return p.form.missing(a, 2)
	}
	if p.thread != nil && p.thread.sheet.Unit != nil && in.Ticket == p.thread.key() {
		in.Unit = p.thread.sheet.Unit.Code
	}
	return open(a, func(ctx context.Context) (*helpdesk.Call, error) { return a.svc.LogCall(ctx, in) }, func(c *helpdesk.Call) tui.Cmd {
		p.logged = c
		id := "desk.msg.call_came"
		if c.Out {
			id = "desk.msg.may_dial"
		}
		a.sayArgs(doneMark, id, locale.Args{"call": c.Key, "phone": c.Phone})
		p.form.rows[2].field.Reset()
		return p.load(a)
	})
}

func (p *callsPage) end(a *App) tui.Cmd {
	key := p.logged.Key
	return a.turn(newWritePage(a, p, "desk.title.call_end", key, func(text string) tui.Cmd {
		return openDone(a, func(ctx context.Context) error { return a.svc.EndCall(ctx, key, text) }, func() tui.Cmd {
			p.logged = nil
			a.sayArgs(doneMark, "desk.msg.call_ended", locale.Args{"call": key})
			return a.turn(p)
		})
	}))
}

func (p *callsPage) seam(a *App) string { return a.queue.seam(a) }
func (p *callsPage) hint(a *App) string { return a.t("desk.hint.calls", nil) }

func (p *callsPage) draw(a *App, c *tui.Canvas) {
	a.head(c, a.t("desk.title.calls", nil), "")
	w, end := width(c), bottom(c)
	c.PutMax(1, 1, w-1, a.t("desk.call.rule", nil), tui.Text)
	for _, h := range []struct {
		x  int
		id string
	}{{3, "at"}, {9, "way"}, {15, "extension"}, {22, "unit"}, {31, "phone"}, {44, "ticket"}, {60, "reason"}} {
		c.PutMax(h.x, 3, w-h.x, a.t("desk.callcol."+h.id, nil), tui.Muted)
	}
	formAt := end - 9
	y := 4
	for _, one := range p.calls {
		if y >= formAt {
			break
		}
		way := "desk.call.in"
		if one.Out {
			way = "desk.call.out"
		}
		c.Put(3, y, a.minute(one.At), tui.Text)
		c.PutMax(9, y, 5, a.t(way, nil), tui.Text)
		c.PutMax(15, y, 6, one.Extension, tui.Text)
		c.PutMax(22, y, 8, one.Unit, tui.Text)
		c.PutMax(31, y, 12, masked(one.Phone), tui.Text)
		c.PutMax(44, y, 15, one.Ticket, tui.Text)
		c.PutMax(60, y, w-60, one.Reason, tui.Text)
		y++
	}
	title := "desk.call.new_out"
	if p.in {
		title = "desk.call.new_in"
	}
	if formAt > 3 {
		c.Put(1, formAt, a.t(title, nil), tui.Bold)
	}
	y = p.form.draw(a, c, formAt+1)
	if p.thread != nil && !p.in {
		words := a.t("desk.call.say", locale.Args{"name": shortName(a.fullName()), "extension": a.me.Extension, "ticket": p.thread.key(), "code": strings.ToUpper(p.thread.sheet.Code)})
		for _, line := range tui.Wrap(words, w-4) {
			if y < end {
				c.PutMax(2, y, w-3, line, tui.Text)
				y++
			}
		}
	}
}
