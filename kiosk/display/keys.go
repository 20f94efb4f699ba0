package display

import (
	"slices"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk/mirror"
)

// binding is one key, or a run of them, that acts now. The last row and what keys do are both made from it.
type binding struct {
	names []string
	show  string // "" is not listed on the last row
	label string
	args  locale.Args
	do    func(key string) tui.Cmd
	whole bool // only when the rows were shown to the end
	once  bool // a decision: not while one is on its way
}

// digits are the names of the keys from one digit to another.
func digits(from, to byte) []string {
	var out []string
	for d := from; d <= to; d++ {
		out = append(out, string(d))
	}
	return out
}

// keys are the keys that act now, in the order of the last row.
func (a *App) keys() []binding {
	if a.stage == mirror.Curtain || a.small() {
		return nil
	}
	all := a.stageKeys()
	v := a.view()
	if !v.scrolls() {
		return all
	}
	var out []binding
	if v.below > 0 {
		out = append(out, binding{names: []string{"+"}, show: "+", label: a.moreLabel("display.key.more"), do: func(string) tui.Cmd { return a.scrollBy(1) }})
	}
	if v.first > 0 {
		out = append(out, binding{names: []string{"-"}, show: "-", label: a.moreLabel("display.key.less"), do: func(string) tui.Cmd { return a.scrollBy(-1) }})
	}
	taken := len(out)
	for _, b := range all {
		if !slices.ContainsFunc(out[:taken], func(o binding) bool { return o.names[0] == b.names[0] }) {
			out = append(out, b)
		}
	}
	return out
}

// moreLabel keeps the reading page's own words for its keys.
func (a *App) moreLabel(id string) string {
	if a.stage == mirror.Reading && a.asking.phase == notAsking {
		if id == "display.key.more" {
			return "display.key.on"
		}
		return "display.key.back"
	}
	return id
}

func (a *App) stageKeys() []binding {
	if a.asking.phase != notAsking {
		return a.askingKeys()
	}
	switch a.stage {
	case mirror.Welcome:
		return []binding{a.language("1", locale.Vietnamese), a.language("2", locale.English), a.language("3", locale.Chinese)}
	case mirror.Form, mirror.Invite:
		return a.formKeys()
	case mirror.Reading:
		return a.readingKeys()
	case mirror.Agree:
		return a.agreeKeys()
	case mirror.Card:
		return a.cardKeys()
	case mirror.Channel:
		return a.channelKeys()
	case mirror.Enrol:
		return a.enrolKeys()
	case mirror.Code:
		return a.codeKeys()
	case mirror.Ink:
		return a.inkKeys()
	case mirror.Token:
		return a.tokenKeys()
	case mirror.Remote:
		return a.remoteKeys()
	case mirror.Receipt:
		return a.receiptKeys()
	case mirror.Rating:
		return a.ratingKeys()
	case mirror.Thanks:
		return []binding{{names: []string{"enter"}, show: "Enter", label: "display.key.done", do: func(string) tui.Cmd { return a.clear() }}}
	case mirror.Stopped:
		if !a.stopped.IsZero() {
			return []binding{{names: []string{"enter"}, show: "Enter", label: "display.key.close", do: func(string) tui.Cmd {
				a.stopped = a.now()
				return a.tick()
			}}}
		}
	}
	return nil
}

// keyName is the name by which the table knows a key.
func keyName(k tui.Key) string {
	switch {
	case k.Name == "rune" && k.Text == ",":
		return "." // The keypad's decimal key, whatever the layout makes of it.
	case k.Name == "rune":
		return k.Text
	case k.Name == "backspace":
		return "."
	}
	return k.Name
}

// key runs what a key means now. Whatever it is, the service learns that somebody is there.
func (a *App) key(k tui.Key) tui.Cmd {
	if a.stage == mirror.Curtain || a.small() {
		return a.touch()
	}
	name := keyName(k)
	a.since = a.now()
	a.notice = notice{}
	below := a.view().below
	for _, b := range a.keys() {
		if !slices.Contains(b.names, name) {
			continue
		}
		if b.whole && below > 0 {
			a.say(noteMark, "display.why.not_whole", locale.Args{"n": below})
			return a.touch()
		}
		if b.once && !a.undecided() {
			return a.touch()
		}
		cmd := b.do(name)
		a.settle()
		if cmd == nil {
			return a.touch()
		}
		return cmd
	}
	return a.touch()
}

// scrollBy moves the rows by a screen less one line, up or down.
func (a *App) scrollBy(dir int) tui.Cmd {
	v := a.view()
	a.scroll = min(max(v.first+dir*max(v.room-1, 1), 0), v.first+v.below)
	a.held = true
	return nil
}
