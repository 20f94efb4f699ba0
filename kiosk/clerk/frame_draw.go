package clerk

import (
	"strings"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
)

// The columns of every screen, counted from 0. They hold at every size.
const (
	colMark   = 0
	colState  = 2
	colNumber = 4
	colLabel  = 7
	colValue  = 27
	colNote   = 58
	design    = 80 // cells of the page; panes begin behind it

	widthLabel = 19
	widthValue = 30
	widthNote  = 22

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
	c.Fill(0, h-3, w, 1, tui.Band)
	x := c.Put(0, h-3, a.t("clerk.seam", nil)+"  ", tui.Band|tui.Bold)
	c.PutMax(x, h-3, w-x, a.seamText(), tui.Band)

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

// seamText says what the customer does or sees now.
func (a *App) seamText() string {
	if a.locked {
		return a.t("seam.customer.curtain", nil)
	}
	if p, ok := a.page.(interface{ seam(*App) string }); ok {
		if s := p.seam(a); s != "" {
			return s
		}
	}
	if a.seam.ID == "" {
		return a.t("seam.customer.welcome", nil)
	}
	return a.seamWords(a.seam)
}

func (a *App) seamWords(s kiosk.Seam) string {
	args := make(locale.Args, len(s.Args)+1)
	for k, v := range s.Args {
		args[k] = a.words(v)
	}
	if !s.At.IsZero() {
		args["since"] = a.seconds(a.now().Sub(s.At))
		args["at"] = a.minute(s.At)
	}
	return a.t(s.ID, args)
}

// head draws row 1: what, whom, and who works here at what time.
func (a *App) head(c *tui.Canvas, title string) {
	w, _ := c.Size()
	who := a.t("clerk.head", locale.Args{"counter": a.counter(), "clerk": shortName(a.me.Clerk.Name)}) + "  " + a.minute(a.now())
	c.PutMax(0, 0, w-tui.Width(who)-2, title, tui.Bold)
	c.PutRight(w-1, 0, who, tui.Text)
}

func (a *App) counter() string {
	if a.me.Clerk.Counter != "" {
		return a.me.Clerk.Counter
	}
	return a.opt.Counter
}

// orderTitle is row 1 of the pages from K10 on: the act, the order's serial, the customer.
func (a *App) orderTitle(id string) string {
	o := a.order()
	return strings.Join(nonEmpty(a.t(id, nil), serial(o.Number), a.customer()), "  ")
}

// customer is the name that the screens show for the order in hand.
func (a *App) customer() string {
	o := a.order()
	if o.Confirmee != "" {
		return o.Confirmee
	}
	if a.view != nil && a.view.Service != nil {
		for _, f := range a.view.Service.Fields() {
			for _, s := range f.Source {
				if s == "card.name" || s == "customer.name" {
					if v := o.Values[f.Name].Text; v != "" {
						return v
					}
				}
			}
		}
	}
	if a.visit != nil {
		return a.visit.Visit.Name
	}
	return ""
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

// steps draws row 2, the step line that both screens carry.
func (a *App) steps(c *tui.Canvas) {
	w := width(c)
	marks := a.stepMarks()
	x := 0
	for i, m := range marks {
		label := a.t("clerk.step."+string(rune('1'+i)), nil)
		if w < design && m != "▸" {
			label = ""
		}
		st := m.style()
		if m == "▸" {
			st |= tui.Bold
		}
		x = c.Put(x, 1, strings.TrimRight(string(m)+string(rune('1'+i))+" "+label, " "), st) + 1
	}
}

// stepMarks are the signs of the eight steps of the order in hand.
func (a *App) stepMarks() [8]mark {
	o := a.order()
	var out [8]mark
	at := o.Step()
	for i := range out {
		switch {
		case i+1 < at:
			out[i] = doneMark
		case i+1 == at:
			out[i] = "▸"
		default:
			out[i] = " "
		}
	}
	if o.State == kiosk.Sealed || o.State == kiosk.Closed {
		if o.HandOver.State == "waiting" {
			out[6] = waitMark
		}
		if o.HandOver.State == "refused" {
			out[6] = errorMark
		}
		if o.State == kiosk.Closed {
			out[7] = doneMark
		}
	}
	return out
}

// section draws a head within a page.
func section(c *tui.Canvas, x, y int, text string) int { return c.Put(x, y, text, tui.Bold) }

// fact draws a label and a value on one row.
func fact(c *tui.Canvas, x, y, col int, label, value string) {
	c.Put(x, y, label, tui.Muted)
	c.PutMax(col, y, width(c)-col, value, tui.Text)
}

// rowMark draws the sign of a row and returns its style.
func putMark(c *tui.Canvas, x, y int, m mark) { c.Put(x, y, string(m), m.style()|tui.Bold) }

// drawSmall is K18: one calm sentence with the present size.
func (a *App) drawSmall(c *tui.Canvas) {
	w, h := c.Size()
	args := locale.Args{"w": w, "h": h, "minw": minWidth, "minh": minHeight}
	c.PutMax(0, 0, w, "Countersign", tui.Bold)
	rows := []string{a.t("clerk.small.what", nil), "", a.t("clerk.small.have", args), a.t("clerk.small.need", args), "",
		a.t("clerk.small.kept", nil), a.t("clerk.small.how", nil)}
	if !a.locked {
		if f, ok := a.page.(*formPage); ok {
			if n := f.number(a); n != "" {
				rows[5] = a.t("clerk.small.kept_at", locale.Args{"n": n})
			}
		}
	}
	for i, r := range rows {
		if 3+i < h-1 {
			c.PutMax(2, 3+i, w-3, r, tui.Text)
		}
	}
	if h > 4 && !a.locked {
		x := c.Put(0, h-1, "Ctrl+L", tui.Bold)
		c.Put(x+1, h-1, a.t("clerk.key.lock", nil), tui.Muted)
	}
}
