package tui

import (
	"fmt"
	"slices"
	"strings"

	"countersign/internal/locale"
)

// KeyCheck is the screen that shows which keys truly arrive on this terminal; Ctrl+C leaves it. Its zero value speaks
// Vietnamese.
type KeyCheck struct {
	Lang locale.Lang
	came map[string]bool
	last string
}

// checked lists the keys that the screens need, with what else may be pressed in their place.
func checked() [][2]string {
	return [][2]string{
		{"f1", "F1  Alt+1"}, {"f2", "F2  Alt+2"}, {"f3", "F3  Alt+3"}, {"f4", "F4  Alt+4"}, {"f5", "F5  Alt+5"},
		{"f6", "F6  Alt+6"}, {"f7", "F7  Alt+7"}, {"f8", "F8  Alt+8"}, {"f9", "F9  Alt+9"}, {"f10", "F10  Ctrl+S  Alt+0"},
		{"f11", "F11  Alt+="}, {"esc", "Esc  F12  Alt+-"}, {"enter", "Enter"}, {"tab", "Tab"}, {"shift+tab", "Shift+Tab"},
		{"up", "▴"}, {"down", "▾"}, {"home", "Home"}, {"end", "End"}, {"pgup", "PgUp"}, {"pgdn", "PgDn"},
		{"ctrl+z", "Ctrl+Z  Alt+z"}, {"ctrl+y", "Ctrl+Y  Alt+y"}, {"ctrl+u", "Ctrl+U"}, {"ctrl+d", "Ctrl+D"},
		{"ctrl+l", "Ctrl+L"}, {"ctrl+r", "Ctrl+R"}, {"backspace", "Backspace"},
	}
}

// Init starts with nothing pressed.
func (k *KeyCheck) Init() Cmd {
	k.came = map[string]bool{}
	if k.Lang == "" {
		k.Lang = locale.Vietnamese
	}
	return nil
}

// Handle ticks off what arrives.
func (k *KeyCheck) Handle(ev Event) Cmd {
	switch ev := ev.(type) {
	case Key:
		if ev.Name == "ctrl+c" {
			return Quit()
		}
		k.came[ev.Name] = true
		k.last = ev.Name
		if ev.Name == "rune" {
			k.last = fmt.Sprintf("%s  U+%04X", ev.Text, []rune(ev.Text)[0])
		}
	case Scan:
		k.last = "scan  " + ev.Text
	case Paste:
		k.last = "paste  " + ev.Text
	}
	return nil
}

// Draw shows the keys in two columns.
func (k *KeyCheck) Draw(c *Canvas) {
	w, h := c.Size()
	t := func(id string) string { return locale.Text(k.Lang, "keys.check."+id, nil) }
	c.Put(0, 0, t("title"), Text|Bold)
	c.Put(0, 1, t("how"), Muted)
	keys, missing := checked(), []string(nil)
	half := (len(keys) + 1) / 2
	for i, key := range keys {
		sign, st := c.Glyphs().Empty, Muted
		if k.came[key[0]] {
			sign, st = c.Glyphs().Saved, OK
		} else {
			missing = append(missing, strings.Fields(key[1])[0])
		}
		x, y := 1+i/half*(w/2), 3+i%half
		c.Put(x, y, sign, st)
		c.PutMax(x+2, y, w/2-4, key[1], Text)
	}
	y := 3 + half + 1
	if k.last == "" {
		c.PutMax(1, y, w-2, t("try"), Muted)
	} else {
		c.PutMax(1, y, w-2, t("last")+"  "+k.last, Text|Bold)
	}
	letters, pictures := "full", "blocks"
	if c.ascii {
		letters = "ascii"
	}
	if c.kitty {
		pictures = "kitty"
	}
	c.PutMax(1, y+1, w-2, t(letters)+"   "+t(pictures), Muted)
	said := []string{t("all")}
	if len(missing) > 0 {
		list := strings.Join(slices.Compact(missing), " ")
		said = Wrap(locale.Text(k.Lang, "keys.check.gone", locale.Args{"keys": list}), w-2)
	}
	for i, line := range said {
		if y+2+i < h-1 {
			c.Put(1, y+2+i, line, Text)
		}
	}
	c.Put(0, h-1, t("keys"), Muted)
}
