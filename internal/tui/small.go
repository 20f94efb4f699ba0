package tui

import (
	"strconv"

	"countersign/internal/locale"
)

// The smallest terminal that screens are drawn on.
const (
	MinWidth  = 60
	MinHeight = 20
)

// Small is a screen that says in its own words that the window is too small. Every other root screen gets a general
// sentence. While the window is too small no key but the lock reaches the screen.
type Small interface {
	DrawSmall(*Canvas)
}

func (m *program) small() bool { return m.w < MinWidth || m.h < MinHeight }

func drawSmall(c *Canvas, root Screen, lang locale.Lang) {
	if s, ok := root.(Small); ok {
		s.DrawSmall(c)
		return
	}
	args := locale.Args{"w": strconv.Itoa(c.w), "h": strconv.Itoa(c.h)}
	y := max(0, min(3, c.h-6))
	for i, id := range []string{"keys.small.title", "", "keys.small.now", "keys.small.need", "", "keys.small.kept"} {
		if id == "" {
			continue
		}
		st := Text
		if i == 0 {
			st |= Bold
		}
		c.Put(min(2, c.w/20), y+i, locale.Text(lang, id, args), st)
	}
	c.Put(0, c.h-1, locale.Text(lang, "keys.small.keys", nil), Muted)
}
