package clerk

import (
	"strings"

	"countersign/internal/locale"
	"countersign/internal/tui"
)

func (p *portraitPage) draw(a *App, c *tui.Canvas) {
	a.kitty = c.Kitty()
	a.head(c, a.orderTitle("clerk.portrait.title"))
	a.steps(c)
	o := a.order()
	head := a.t("clerk.portrait.none", nil)
	if p.has(a) {
		head = a.t("clerk.portrait.taken", locale.Args{"at": a.clock(o.Portrait.At)})
	}
	c.Put(3, 3, head, tui.Bold)
	c.PutMax(34, 3, 17, a.t("clerk.portrait.chip", nil), tui.Bold)
	c.Box(2, 4, pictureW+2, pictureH+2, "")
	c.Box(34, 4, 16, 7, "")
	for i, l := range tui.Wrap(a.t("clerk.portrait.no_chip", nil), 13) {
		if i < 5 {
			c.Put(36, 5+i, l, tui.Muted)
		}
	}
	p.drawPicture(a, c)
	p.drawFacts(a, c)

	c.Put(34, 12, a.t("clerk.portrait.by_eye", nil), tui.Bold)
	c.PutMax(34, 13, width(c)-34, a.t("clerk.portrait.one1", nil), tui.Text)
	c.PutMax(34, 14, width(c)-34, a.t("clerk.portrait.one2", nil), tui.Text)
	y := 15
	if bottom(c) >= 21 {
		y = 16
	}
	if p.good(a) {
		p.choice(a, c, y, "1", "clerk.portrait.accept")
	}
	if p.has(a) {
		p.choice(a, c, y+1, "2", "clerk.key.retake")
	}
	p.choice(a, c, y+2, "3", "clerk.key.wrong_person")
	if bottom(c) > 20 && !o.Document.Retain.IsZero() {
		c.PutMax(3, 19, width(c)-3, a.t("clerk.portrait.kept", locale.Args{"date": a.date(o.Document.Retain)}), tui.Muted)
	}
	a.drawPanes(c)
}

func (p *portraitPage) choice(a *App, c *tui.Canvas, y int, key, label string) {
	x := c.Put(34, y, key, tui.Bold)
	c.PutMax(x+2, y, width(c)-x-2, a.t(label, nil), tui.Text)
}

// drawPicture shows the picture itself, as half blocks, or says that there is none.
func (p *portraitPage) drawPicture(a *App, c *tui.Canvas) {
	switch {
	case p.has(a) && p.kitty && c.Kitty():
		c.Placeholder(3, 5, pictureW, pictureH, pictureID)
	case p.has(a) && p.cells != nil:
		for i, row := range p.cells {
			// A picture that is narrower than its place stands in the middle of it.
			c.Image(3+(pictureW-len(row))/2, 5+(pictureH-len(p.cells))/2+i, [][]tui.Cell{row})
		}
	case p.has(a):
		for i, l := range a.order().Portrait.Facts.Lines(a.lang) {
			if i < pictureH-2 {
				c.PutMax(4, 6+i, pictureW-2, l, tui.Text)
			}
		}
	default:
		for i, l := range tui.Wrap(a.t("clerk.portrait.look", nil), pictureW-4) {
			c.Put(5, 8+i, l, tui.Muted)
		}
	}
}

// drawFacts shows the picture's facts with their limits.
func (p *portraitPage) drawFacts(a *App, c *tui.Canvas) {
	if !p.has(a) {
		return
	}
	f := a.order().Portrait.Facts
	y := 4
	for _, fact := range f.Facts {
		c.PutMax(52, y, 10, strings.ToUpper(fact.Label(a.lang)), tui.Bold)
		m := doneMark
		if !fact.OK {
			m = "✗"
		}
		text := fact.Text(a.lang)
		if fact.Name == "size" && fact.OK {
			text = itoa(f.Width) + " x " + itoa(f.Height)
		}
		putMark(c, 62, y, m)
		c.PutMax(64, y, width(c)-64, text, m.style())
		y++
	}
}

// fingerprint is the beginning of a file's digest as people compare it.
func fingerprint(hex string) string { return groups(upper(hex[:8]), 4) }
