package desk

import (
	"strings"

	"countersign/internal/tui"
)

// binding is one row of the key table: it makes handling, row 24, F1 and the cheat sheet.
type binding struct {
	names []string // as tui.Key.Name has them; one character stands for itself; "digit" is any digit
	show  string   // the keys as row 24 writes them; "" = it is handled and told by F1's page, but not on row 24
	label string   // catalogue id of what they do
	rank  int      // what stays on a narrow row 24: the lowest
	// on tells whether the key acts now, and otherwise why not, as a catalogue id; nil = always. A key that is off without a
	// reason is passed over as if the table did not have it.
	on func(a *App) (yes bool, why string)
	do func(a *App, k tui.Key) tui.Cmd
}

// act makes a handler of a page's method.
func act[P page](f func(P, *App) tui.Cmd) func(*App, tui.Key) tui.Cmd {
	return func(a *App, _ tui.Key) tui.Cmd {
		if p, ok := a.page.(P); ok {
			return f(p, a)
		}
		return nil
	}
}

// actKey is act for methods that want to know which key it was.
func actKey[P page](f func(P, *App, tui.Key) tui.Cmd) func(*App, tui.Key) tui.Cmd {
	return func(a *App, k tui.Key) tui.Cmd {
		if p, ok := a.page.(P); ok {
			return f(p, a, k)
		}
		return nil
	}
}

// when makes a condition of a page's method; why may be "".
func when[P page](f func(P, *App) bool, why string) func(*App) (bool, string) {
	return func(a *App) (bool, string) {
		p, ok := a.page.(P)
		if ok && f(p, a) {
			return true, ""
		}
		return false, why
	}
}

// takes reports whether the binding names the key.
func (b binding) takes(k tui.Key) bool {
	for _, name := range b.names {
		switch {
		case name == k.Name && name != "rune":
			return true
		case k.Name == "rune" && name == k.Text:
			return true
		case k.Name == "rune" && name == "digit" && isDigit(k.Text):
			return true
		}
	}
	return false
}

func (b binding) live(a *App) bool {
	if b.on == nil {
		return true
	}
	yes, _ := b.on(a)
	return yes
}

func isDigit(s string) bool { return len(s) == 1 && s[0] >= '0' && s[0] <= '9' }

// press looks a key up in the page's table; a key that acts only at other times says why.
func (a *App) press(k tui.Key) tui.Cmd {
	why := ""
	for _, b := range a.page.keys() {
		if !b.takes(k) {
			continue
		}
		yes, reason := true, ""
		if b.on != nil {
			yes, reason = b.on(a)
		}
		if yes {
			return b.do(a, k)
		}
		if reason != "" {
			why = reason
		}
	}
	switch {
	case why != "":
		a.say(noteMark, why, nil)
		return nil
	case k.Name == "f1":
		return a.help()
	}
	return a.page.typed(a, k)
}

// row24 chooses what the last row shows in w cells: in the table's order, the least needed left out.
func (a *App) row24(w int) []binding {
	var live []binding
	for _, b := range a.page.keys() {
		if b.show != "" && b.live(a) {
			live = append(live, b)
		}
	}
	for {
		need, drop, worst := 0, -1, -1
		for i, b := range live {
			if i > 0 {
				need += 3
			}
			need += tui.Width(b.show) + 1 + tui.Width(a.t(b.label, nil))
			if b.rank >= worst {
				drop, worst = i, b.rank
			}
		}
		if need <= w || len(live) <= 1 {
			return live
		}
		live = append(live[:drop:drop], live[drop+1:]...)
	}
}

func keyHelp() binding {
	return binding{names: []string{"f1"}, show: "F1", label: "desk.key.help", rank: 8, do: func(a *App, _ tui.Key) tui.Cmd { return a.help() }}
}

func keyLock() binding {
	return binding{names: []string{"ctrl+l"}, label: "desk.key.lock", do: func(a *App, _ tui.Key) tui.Cmd { return a.lock() }}
}

func keyQueue() binding {
	return binding{names: []string{"esc"}, show: "Esc", label: "desk.key.back", rank: 1, do: func(a *App, _ tui.Key) tui.Cmd { return a.toQueue() }}
}

// shown writes the keys of a binding: as row 24 does, else by their names.
func (b binding) shown() string {
	if b.show != "" {
		return b.show
	}
	words := map[string]string{"up": "▴", "down": "▾", "digit": "0-9", "pgup": "PgUp", "pgdn": "PgDn", "ctrl+l": "Ctrl+L"}
	var out []string
	for _, n := range b.names {
		switch {
		case words[n] != "":
			n = words[n]
		case len(n) > 1:
			n = strings.ToUpper(n[:1]) + n[1:]
		}
		out = append(out, n)
	}
	return strings.Join(out, " ")
}

// keysPage is all keys of the page below it, made from the key table, and the messages that wait.
type keysPage struct {
	quiet
	under page
	say   []message
}

// help shows every key of the page, and every message in full.
func (a *App) help() tui.Cmd {
	if _, ok := a.page.(*keysPage); !ok {
		a.page = &keysPage{under: a.page, say: a.messages}
	}
	return nil
}

func (p *keysPage) keys() []binding {
	return []binding{{names: []string{"esc", "f1", "enter"}, show: "Esc", label: "desk.key.back", do: act((*keysPage).close)}, keyLock()}
}

func (p *keysPage) close(a *App) tui.Cmd {
	a.page = p.under
	return nil
}

func (p *keysPage) hint(a *App) string { return a.t("desk.hint.keys", nil) }
func (p *keysPage) seam(a *App) string { return p.under.seam(a) }

func (p *keysPage) draw(a *App, c *tui.Canvas) {
	a.head(c, a.t("desk.title.help", nil), "")
	w, y := width(c), 2
	for _, m := range p.say {
		for i, line := range tui.Wrap(m.text, w-4) {
			if i == 0 {
				c.Put(1, y, string(m.mark), m.mark.style()|tui.Bold)
			}
			c.Put(3, y, line, tui.Text)
			y++
		}
		if m.code != "" {
			c.Put(3, y, m.code, tui.Muted)
			y++
		}
		y++
	}
	col, top := 1, y
	for _, b := range p.under.keys() {
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
