package desk

import (
	"strings"

	"countersign/internal/locale"
	"countersign/internal/tui"
)

const (
	design = 80 // cells of the page; panes begin behind it

	minWidth, minHeight = 60, 20
)

// Draw fills the canvas with the page, the seam, one message and the live keys.
func (a *App) Draw(c *tui.Canvas) {
	a.w, a.h = c.Size()
	a.tooSmall = a.w < minWidth || a.h < minHeight
	switch {
	case a.tooSmall:
		a.drawSmall(c)
		return
	case a.locked:
		a.sign.draw(a, c)
	default:
		a.page.draw(a, c)
	}
	a.drawFoot(c)
}

// bottom is the first row below the page: the seam.
func bottom(c *tui.Canvas) int {
	_, h := c.Size()
	return h - 3
}

// width is the width of the page without the panes beside it.
func width(c *tui.Canvas) int {
	w, _ := c.Size()
	return min(w, design)
}

// drawFoot draws the seam, the message and the keys that act now.
func (a *App) drawFoot(c *tui.Canvas) {
	w, h := c.Size()
	c.Fill(0, h-3, w, 3, tui.Text)
	c.Fill(0, h-3, w, 1, tui.Band)
	x := c.Put(0, h-3, a.t("desk.seam", nil)+"  ", tui.Band|tui.Bold)
	if !a.locked {
		c.PutMax(x, h-3, w-x, a.page.seam(a), tui.Band)
	}
	m, text := a.row23()
	if m != "" {
		c.Put(0, h-2, string(m), m.style()|tui.Bold)
		c.PutMax(2, h-2, w-2, text, m.style())
	} else {
		c.PutMax(0, h-2, w, text, tui.Text)
	}
	keys := a.sign.keys(a)
	if !a.locked {
		keys = a.row24(w)
	}
	x = 0
	for i, b := range keys {
		if i > 0 {
			x += 3
		}
		x = c.Put(x, h-1, b.show, tui.Bold)
		x = c.Put(x+1, h-1, a.t(b.label, nil), tui.Muted)
	}
}

// head draws row 1: what, who works here, what is left, the time.
func (a *App) head(c *tui.Canvas, title, left string) {
	w, _ := c.Size()
	right := strings.Join(nonEmpty(strings.TrimSpace(shortName(a.fullName())+"  "+a.me.Extension), left, a.minute(a.now())), "   ")
	c.PutMax(0, 0, w-tui.Width(right)-2, title, tui.Bold)
	c.PutRight(w-1, 0, right, tui.Text)
}

func (a *App) fullName() string {
	if a.me.FullName != "" {
		return a.me.FullName
	}
	return a.user.Name
}

func nonEmpty(parts ...string) []string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return out
}

// field draws one cell of a table: text cut to its column.
func field(c *tui.Canvas, x, y, w int, text string, st tui.Style) { c.PutMax(x, y, w, text, st) }

// fact draws a label and a value on one row.
func fact(c *tui.Canvas, x, y, col int, label, value string) {
	c.PutMax(x, y, col-x-1, label, tui.Muted)
	c.PutMax(col, y, width(c)-col, value, tui.Text)
}

// drawSmall is one calm sentence with the present size.
func (a *App) drawSmall(c *tui.Canvas) {
	w, h := c.Size()
	args := locale.Args{"w": w, "h": h, "minw": minWidth, "minh": minHeight}
	c.PutMax(0, 0, w, "Countersign", tui.Bold)
	for i, id := range []string{"desk.small.have", "desk.small.need", "desk.small.kept"} {
		if 2+i < h {
			c.PutMax(2, 2+i, w-3, a.t(id, args), tui.Text)
		}
	}
}

// divide draws the line between the page and its pane, and reports whether there is room for one.
func divide(c *tui.Canvas) (x, w int, ok bool) {
	full, _ := c.Size()
	if full < 100 {
		return 0, 0, false
	}
	for y := 1; y < bottom(c)-1; y++ {
		c.Put(design, y, "│", tui.Rule)
	}
	return design + 2, min(full-design-3, 72), true
}
