package clerk

import (
	"strings"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk/catalog"
)

func helpKeys() []binding {
	return []binding{
		{names: []string{"f1"}, show: "F1", label: "clerk.key.all_keys", rank: 1, do: func(a *App, _ tui.Key) tui.Cmd { return a.help() }},
		{names: []string{"f4"}, show: "F4", label: "clerk.key.list", rank: 3, on: when((*formPage).hasList, "clerk.why.no_list"), do: act((*formPage).openList)},
		{names: []string{"enter"}, label: "clerk.key.next_field", do: act((*formPage).helpEnter)},
		{names: []string{"up"}, label: "clerk.key.previous_field", do: act((*formPage).backward)},
		{names: []string{"down"}, label: "clerk.key.next_field", do: act((*formPage).forward)},
		{names: []string{"ctrl+z"}, label: "clerk.key.undo", do: act((*formPage).undo)},
		{names: []string{"ctrl+u"}, label: "clerk.key.clear", do: actKey((*formPage).edit)},
		{names: []string{"esc"}, show: "Esc", label: "clerk.key.close_help", rank: 1, do: act((*formPage).closeHelp)},
		keyLock().wider(),
	}
}

func (f *formPage) openHelp(*App) tui.Cmd {
	f.help = true
	return nil
}

func (f *formPage) closeHelp(*App) tui.Cmd {
	f.help = false
	return nil
}

func (f *formPage) helpEnter(a *App) tui.Cmd {
	f.help = false
	return f.enter(a)
}

// drawHelp is K7: it covers the lower rows; the field stays visible and keeps its caret.
func (f *formPage) drawHelp(a *App, c *tui.Canvas, y int) {
	w, end := width(c), bottom(c)
	c.Fill(0, y, w, end-y, tui.Text)
	if f.at.field == nil {
		return
	}
	def := f.at.column()
	head := a.t("clerk.help.head", locale.Args{"n": f.number(a), "label": strings.ToUpper(def.Label.In(a.lang))})
	x := c.Put(1, y, "F1 ", tui.Bold)
	x = c.Put(x, y, head+" ", tui.Bold)
	c.Rule(x, y, w-1-x)
	y++
	put := func(label, text string, st tui.Style) {
		if text == "" {
			return
		}
		c.Put(3, y, label, tui.Muted)
		for _, line := range tui.Wrap(text, w-16) {
			if y < end {
				c.Put(14, y, line, st)
				y++
			}
		}
	}
	for _, part := range []struct {
		id   string
		text catalog.Text
	}{{"meaning", def.Help.Meaning}, {"ask", def.Help.Ask}, {"typing", def.Help.Typing}, {"accept", def.Help.Accept},
		{"hint", def.Help.Hint}, {"basis", def.Help.Basis}} {
		text := a.service().Expand(part.text, catalog.Context{Unit: a.me.Unit.Name, Customer: a.customer(), Day: a.now()}, a.order().Values, a.lang)
		if part.id == "ask" && text != "" && !strings.HasPrefix(text, `"`) && !strings.HasPrefix(text, "「") {
			text = a.t("clerk.quoted", locale.Args{"text": text})
		}
		put(a.t("clerk.help."+part.id, nil), text, tui.Text)
	}
	if def.Help.Meaning.In(a.lang) == "" {
		put("", a.t("clerk.help.none", nil), tui.Muted)
	}
	if err := f.trouble(a, f.at); err != nil && y+2 < end {
		y++
		c.Put(3, y, a.t("clerk.help.error", locale.Args{"code": fault.CodeOf(err)}), tui.Bold)
		y++
		for _, line := range tui.Wrap(a.sentence(err), w-5) {
			if y < end {
				c.Put(3, y, line, tui.Danger)
				y++
			}
		}
	}
	if y+1 < end {
		y = end - 1
		x := c.Put(1, y, a.t("clerk.help.keys", nil)+"  ", tui.Bold)
		for i, b := range formKeys() {
			if i > 0 && (b.show == "Enter" || len(b.names) > 0 && (b.names[0] == "shift+tab" || b.names[0] == "ctrl+z" || b.names[0] == "ctrl+u")) || b.show == "Enter" {
				s := b.shown() + " " + a.t(b.label, nil) + "   "
				if x+tui.Width(s) <= w {
					x = c.Put(x, y, s, tui.Muted)
				}
			}
		}
	}
}

// keysPage is all keys of the page below it, made from the key table, and the messages that wait.
type keysPage struct {
	quiet
	of  []binding
	say []message
}

// help shows every key of the page, and every message in full.
func (a *App) help() tui.Cmd {
	if _, ok := a.page.(*keysPage); ok {
		return nil
	}
	p := &keysPage{of: a.page.keys(), say: a.messages}
	if f, ok := a.formPage(); ok {
		f.help = false
		p.of = f.keys()
	}
	a.under, a.page = a.page, p
	return nil
}

func (p *keysPage) keys() []binding {
	return []binding{
		{names: []string{"esc", "f1", "enter"}, show: "Esc", label: "clerk.key.back", do: act((*keysPage).close)},
		keyLock(),
	}
}

func (p *keysPage) close(a *App) tui.Cmd {
	a.page, a.under = a.under, nil
	return a.follow()
}

func (p *keysPage) hint(a *App) string { return a.t("clerk.hint.keys", nil) }

func (p *keysPage) draw(a *App, c *tui.Canvas) {
	a.head(c, a.t("clerk.title.help", nil))
	w, y := width(c), 2
	for _, m := range p.say {
		for i, line := range tui.Wrap(m.text, w-4) {
			if i == 0 {
				putMark(c, 1, y, m.mark)
			}
			c.Put(3, y, line, tui.Text)
			y++
		}
		if m.code != "" {
			c.Put(3, y, a.t("clerk.help.code", locale.Args{"code": m.code}), tui.Muted)
			y++
		}
	}
	if y > 2 {
		y++
	}
	col, top := 1, y
	seen := map[string]bool{}
	for _, b := range p.of {
		if id := b.shown() + b.label; seen[id] {
			continue
		} else {
			seen[id] = true
		}
		if y >= bottom(c) {
			col, y = col+w/2, top
			if col >= w {
				return
			}
		}
		c.PutMax(col, y, 14, b.shown(), tui.Bold)
		c.PutMax(col+15, y, w/2-16, a.t(b.label, nil), tui.Text)
		y++
	}
}
