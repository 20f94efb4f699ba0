package clerk

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
	wide  bool     // only where row 24 has more than 80 cells
	// on tells whether the key acts now, and otherwise why not, as a catalogue id; nil = always. A key that is off
	// without a reason is passed over as if the table did not have it.
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
		if b.on == nil {
			return b.do(a, k)
		}
		yes, reason := b.on(a)
		if yes {
			return b.do(a, k)
		}
		if reason != "" {
			why = reason
		}
	}
	if why != "" {
		a.say(noteMark, why, nil)
		return nil
	}
	switch k.Name {
	case "f1":
		return a.help()
	case "f2":
		return a.leaveFor(&findPage{})
	}
	return a.page.typed(a, k)
}

// leaveFor goes to a page that is not about the order in hand. The order stays as it is; it is found on the home page.
func (a *App) leaveFor(p page) tui.Cmd {
	if a.view != nil {
		a.say(noteMark, "clerk.msg.aside_first", nil)
		return nil
	}
	return a.turn(p)
}

// row24 chooses what the last row shows in w cells: in the table's order, the least needed left out.
func (a *App) row24(w int) []binding {
	var live []binding
	for _, b := range a.page.keys() {
		if b.show != "" && (!b.wide || w > 80) && b.live(a) {
			live = append(live, b)
		}
	}
	for {
		need := 0
		drop, worst := -1, -1
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

// The keys of nearly every page.
func keyHelp() binding {
	return binding{names: []string{"f1"}, show: "F1", label: "clerk.key.help", rank: 6, do: func(a *App, _ tui.Key) tui.Cmd { return a.help() }}
}

func keyLock() binding {
	return binding{names: []string{"ctrl+l"}, show: "Ctrl+L", label: "clerk.key.lock", rank: 7, do: func(a *App, _ tui.Key) tui.Cmd { return a.lock() }}
}

func keyAside() binding {
	return binding{names: []string{"f3"}, show: "F3", label: "clerk.key.aside", rank: 4, do: func(a *App, _ tui.Key) tui.Cmd { return a.aside() }}
}

func keyReopen() binding {
	return binding{names: []string{"esc"}, show: "Esc", label: "clerk.key.reopen", rank: 1, do: func(a *App, _ tui.Key) tui.Cmd { return a.reopen() }}
}

// wider returns the binding for wide rows only, labelled returns it with other words.
func (b binding) wider() binding                { b.wide = true; return b }
func (b binding) labelled(label string) binding { b.label = label; return b }

// tables lists every page with its keys: for the cheat sheet.
func tables() []keyTable {
	return []keyTable{
		{"K2", "clerk.title.home", (&homePage{}).keys()},
		{"K3", "clerk.title.find", (&findPage{}).keys()},
		{"K4", "clerk.title.pick", (&pickPage{}).keys()},
		{"K5", "clerk.title.form", formKeys()},
		{"K6", "clerk.title.list", listKeys()},
		{"K7", "clerk.title.help", helpKeys()},
		{"K8", "clerk.title.errors", errorKeys()},
		{"K9", "clerk.title.check", (&checkPage{}).keys()},
		{"K10", "clerk.title.reading", (&readingPage{}).keys()},
		{"F11", "clerk.title.together", (&togetherPage{}).keys()},
		{"K11", "clerk.title.card", (&cardPage{}).keys()},
		{"K12", "clerk.title.portrait", (&portraitPage{}).keys()},
		{"F11", "clerk.title.picture", (&picturePage{}).keys()},
		{"K13", "clerk.title.code", (&codePage{}).keys()},
		{"K14", "clerk.title.seal", (&sealPage{}).keys()},
		{"K15", "clerk.title.done", (&donePage{}).keys()},
		{"K16", "clerk.title.evidence", (&evidencePage{}).keys()},
		{"K17", "clerk.title.health", (&healthPage{}).keys()},
	}
}

type keyTable struct {
	id, title string
	keys      []binding
}

// twins are what to press where the terminal or the laptop eats the key.
var twins = map[string]string{
	"f1": "Alt+1", "f2": "Alt+2", "f3": "Alt+3", "f4": "Alt+4", "f5": "Alt+5", "f6": "Alt+6", "f7": "Alt+7",
	"f8": "Alt+8", "f9": "Alt+9", "f10": "Alt+0, Ctrl+S", "f11": "Alt+=", "esc": "F12, Alt+-",
	"ctrl+z": "Alt+z", "ctrl+y": "Alt+y",
}

// shown writes the keys of a binding: as row 24 does, else by their names.
func (b binding) shown() string {
	if b.show != "" {
		return b.show
	}
	var out []string
	for _, n := range b.names {
		switch {
		case n == "up":
			n = "▴"
		case n == "down":
			n = "▾"
		case n == "digit":
			n = "0-9"
		case n == "pgup":
			n = "PgUp"
		case n == "pgdn":
			n = "PgDn"
		case len(n) > 1:
			parts := strings.Split(n, "+")
			for i, p := range parts {
				parts[i] = strings.ToUpper(p[:1]) + p[1:]
			}
			n = strings.Join(parts, "+")
		}
		out = append(out, n)
	}
	return strings.Join(out, " ")
}

// twin names the other keys that do the same.
func (b binding) twin() string {
	var out []string
	for _, n := range b.names {
		if t, ok := twins[n]; ok {
			out = append(out, t)
		}
	}
	return strings.Join(out, "; ")
}
