package desk

import (
	"context"
	"strconv"
	"strings"

	"countersign/helpdesk"
	"countersign/internal/locale"
	"countersign/internal/tui"
)

// choice is one row of a list to choose from.
type choice struct{ code, text, note string }

// choosePage is a list to choose from; it goes back to the page below it.
type choosePage struct {
	quiet
	under page
	title string
	rows  []choice
	at    int
	digit string
	pick  func(int) tui.Cmd
}

func (p *choosePage) keys() []binding {
	return []binding{
		{names: []string{"enter"}, show: "Enter", label: "desk.key.choose", rank: 1, do: act((*choosePage).choose)},
		{names: []string{"digit"}, show: "01-99", label: "desk.key.choose", rank: 2, do: actKey((*choosePage).number)},
		{names: []string{"down"}, show: "▾", label: "desk.key.down", rank: 3, do: func(*App, tui.Key) tui.Cmd { p.at = min(p.at+1, max(len(p.rows)-1, 0)); return nil }},
		{names: []string{"up"}, show: "▴", label: "desk.key.up", rank: 3, do: func(*App, tui.Key) tui.Cmd { p.at = max(p.at-1, 0); return nil }},
		keyHelp(), keyLock(),
		{names: []string{"esc"}, show: "Esc", label: "desk.key.back", rank: 1, do: act((*choosePage).back)},
	}
}

func (p *choosePage) back(a *App) tui.Cmd {
	a.page = p.under
	return nil
}

func (p *choosePage) choose(a *App) tui.Cmd {
	if p.at >= len(p.rows) {
		return nil
	}
	a.page = p.under
	return p.pick(p.at)
}

func (p *choosePage) number(a *App, k tui.Key) tui.Cmd {
	if p.digit == "" {
		p.digit = k.Text
		return nil
	}
	n, err := strconv.Atoi(p.digit + k.Text)
	p.digit = ""
	if err != nil || n < 1 || n > len(p.rows) {
		a.sayArgs(noteMark, "desk.why.no_row", locale.Args{"n": n})
		return nil
	}
	p.at = n - 1
	return p.choose(a)
}

func (p *choosePage) seam(a *App) string { return p.under.seam(a) }
func (p *choosePage) hint(a *App) string { return a.t("desk.hint.choose", nil) }

func (p *choosePage) draw(a *App, c *tui.Canvas) {
	a.head(c, a.t(p.title, nil), "")
	w := width(c)
	if len(p.rows) == 0 {
		c.PutMax(3, 3, w-4, a.t("desk.choose.none", nil), tui.Muted)
	}
	room := bottom(c) - 3
	top := max(0, p.at-room+1)
	for i := top; i < len(p.rows) && i < top+room; i++ {
		y, st, r := 2+i-top, tui.Text, p.rows[i]
		if i == p.at {
			st |= tui.OnRow
			c.Fill(0, y, w, 1, st)
			c.Put(0, y, string(focusMark), focusMark.style()|tui.Bold|st)
		}
		c.Put(2, y, pad2(i+1), st|tui.Muted)
		c.PutMax(5, y, 9, r.code, st)
		c.PutMax(15, y, w-17-tui.Width(r.note), r.text, st)
		c.PutRight(w-1, y, r.note, st|tui.Muted)
	}
}

// give asks to whom a ticket goes.
func (a *App) give(key string, under page) tui.Cmd {
	return open(a, a.svc.Agents, func(list []*helpdesk.Agent) tui.Cmd {
		a.team = list
		rows := []choice{{"-", a.t("desk.give.nobody", nil), ""}}
		for _, g := range list {
			note := ""
			if !g.OnDuty(a.now()) {
				note = a.t("desk.give.away", nil)
			}
			name := g.FullName
			if name == "" {
				name = g.Name
			}
			rows = append(rows, choice{g.Extension, name, note})
		}
		return a.turn(&choosePage{under: under, title: "desk.title.give", rows: rows, pick: func(i int) tui.Cmd {
			to, name := "", a.t("desk.give.nobody", nil)
			if i > 0 {
				to, name = list[i-1].Name, rows[i].text
			}
			return open(a, func(ctx context.Context) (*helpdesk.Ticket, error) { return a.svc.Give(ctx, key, to) }, func(*helpdesk.Ticket) tui.Cmd {
				a.sayArgs(doneMark, "desk.msg.given", locale.Args{"ticket": key, "name": name})
				if o, ok := under.(opener); ok {
					return o.open(a)
				}
				return nil
			})
		}})
	})
}

// writePage asks for one text that stays in the house: a note, how a call went.
type writePage struct {
	under   page
	title   string
	subject string
	text    tui.Field
	done    func(text string) tui.Cmd
}

func newWritePage(a *App, under page, title, subject string, done func(string) tui.Cmd) *writePage {
	return &writePage{under: under, title: title, subject: subject, done: done,
		text: tui.Field{Kind: tui.FieldMultiline, Max: 4000, Compose: a.opt.Compose}}
}

func (p *writePage) keys() []binding {
	return []binding{
		{names: []string{"f10"}, show: "F10", label: "desk.key.save", rank: 1, on: when((*writePage).written, "desk.why.empty_text"), do: func(*App, tui.Key) tui.Cmd { return p.done(strings.TrimSpace(p.text.Value())) }},
		keyHelp(), keyLock(),
		{names: []string{"esc"}, show: "Esc", label: "desk.key.back", rank: 1, do: func(a *App, _ tui.Key) tui.Cmd {
			a.page = p.under
			return nil
		}},
	}
}

func (p *writePage) written(*App) bool { return strings.TrimSpace(p.text.Value()) != "" }

func (p *writePage) typed(_ *App, k tui.Key) tui.Cmd {
	p.text.Handle(k)
	return nil
}

func (p *writePage) paste(_ *App, t tui.Paste) tui.Cmd {
	p.text.Paste(t.Text)
	return nil
}

func (p *writePage) seam(a *App) string { return p.under.seam(a) }
func (p *writePage) hint(a *App) string { return a.t("desk.hint.write", nil) }

func (p *writePage) draw(a *App, c *tui.Canvas) {
	a.head(c, a.t(p.title, nil)+"  "+p.subject, "")
	c.Rule(1, 1, width(c)-2)
	p.text.Height = max(bottom(c)-4, 1)
	c.Put(0, 2, string(focusMark), focusMark.style()|tui.Bold)
	p.text.Draw(c, 2, 2, width(c)-4, tui.Text)
}
