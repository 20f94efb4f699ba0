package tuitest

import (
	"fmt"
	"html"
	"strings"

	"countersign/internal/tui"
)

// The size of a cell in a picture, and of the frame around the screen.
const (
	cellW, cellH = 9.0, 20.0
	margin       = 14.0
	titleH       = 30.0
)

// SVG draws a captured screen as a picture with a title bar. Every character stands at its own column, so that no
// font can shift the grid; Latin letters, lines and blocks are drawn, the rest is text in whatever font the viewer has.
// The colours are the program's own; where it chose none they are those of the dark theme.
func SVG(s Shot, title string) []byte {
	g := newGlyphs()
	fore, back := "#e4e7ea", "#11151a"
	var page strings.Builder
	w, h := float64(s.W)*cellW+2*margin, float64(s.H)*cellH+2*margin+titleH
	fmt.Fprintf(&page, `<rect width="%g" height="%g" rx="8" fill="#2a3038"/>`+"\n", w, h)
	name := tui.Graphemes(title)
	for i, c := range name {
		letter(&page, g, c, w/2+(float64(i)-float64(len(name))/2)*cellW, 20, "#c8ced4", false)
	}
	fmt.Fprintf(&page, `<rect x="%g" y="%g" width="%g" height="%g" fill="%s"/>`+"\n",
		margin/2, titleH, w-margin, h-titleH-margin/2, screenColour(s, back))
	for y := range s.H {
		row := s.Cells[y*s.W : (y+1)*s.W]
		backgrounds(&page, row, y, fore, back)
		texts(&page, g, row, y, fore, back)
	}
	if s.CaretShown {
		x, y := corner(s.CaretX, s.CaretY)
		colour, _ := s.Cells[s.CaretY*s.W+s.CaretX].colours(fore, back)
		fmt.Fprintf(&page, `<rect x="%g" y="%g" width="2" height="%g" fill="%s"/>`+"\n", x, y+1, cellH-2, colour)
	}

	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%g" height="%g" viewBox="0 0 %g %g">`+"\n", w, h, w, h)
	fmt.Fprintf(&b, "<title>%s</title>\n", html.EscapeString(tui.Sanitize(title)))
	b.WriteString(`<style>text{font-family:"Liberation Mono","Noto Sans Mono CJK TC","Noto Sans CJK TC","Droid Sans Fallback",` +
		`"PingFang TC","Microsoft JhengHei","DejaVu Sans Mono",monospace;font-size:15px;white-space:pre}</style>` + "\n")
	b.WriteString("<defs>\n" + g.defs.String() + "</defs>\n" + page.String() + "</svg>\n")
	return []byte(b.String())
}

// screenColour returns the background that most of the screen has, for the rim around it.
func screenColour(s Shot, back string) string {
	count := map[string]int{}
	best := back
	for _, c := range s.Cells {
		_, bg := c.colours("", back)
		if count[bg]++; count[bg] > count[best] {
			best = bg
		}
	}
	return best
}

func corner(x, y int) (float64, float64) {
	return margin + float64(x)*cellW, titleH + margin/2 + float64(y)*cellH
}

// colours returns a cell's colours as they are shown.
func (c Cell) colours(fore, back string) (string, string) {
	if c.Fore != "" {
		fore = c.Fore
	}
	if c.Back != "" {
		back = c.Back
	}
	if c.Reverse {
		return back, fore
	}
	return fore, back
}

// backgrounds draws one rectangle a run of cells with the same background.
func backgrounds(b *strings.Builder, row []Cell, y int, fore, back string) {
	for x := 0; x < len(row); {
		_, bg := row[x].colours(fore, back)
		n := 1
		for x+n < len(row) {
			if _, next := row[x+n].colours(fore, back); next != bg {
				break
			}
			n++
		}
		px, py := corner(x, y)
		fmt.Fprintf(b, `<rect x="%g" y="%g" width="%g" height="%g" fill="%s"/>`+"\n", px, py, float64(n)*cellW+0.3, cellH+0.3, bg)
		x += n
	}
}

// texts draws the characters of a row, each at its own column.
func texts(b *strings.Builder, g *glyphs, row []Cell, y int, fore, back string) {
	for x, c := range row {
		if c.Text == "" || c.Text == " " {
			continue
		}
		fg, _ := c.colours(fore, back)
		if drawn(b, c.Text, x, y, fg) {
			continue
		}
		px, py := corner(x, y)
		letter(b, g, c.Text, px, py+cellH-5, fg, c.Bold)
	}
}

// letter draws one character with its origin at x, y.
func letter(b *strings.Builder, g *glyphs, text string, x, y float64, colour string, bold bool) {
	if text == " " {
		return
	}
	if id, ok := g.id(text, bold); ok {
		fmt.Fprintf(b, `<use href="#%s" x="%g" y="%g" fill="%s"/>`+"\n", id, x, y, colour)
		return
	}
	weight := ""
	if bold {
		weight = ` font-weight="bold"`
	}
	fmt.Fprintf(b, `<text x="%g" y="%g" fill="%s"%s>%s</text>`+"\n", x, y, colour, weight, html.EscapeString(text))
}

func isDrawn(text string) bool { return strings.ContainsAny(text, "─│┌┐└┘█▓▒░▀") }

// drawn draws lines and blocks, so that they meet whatever the font.
func drawn(b *strings.Builder, text string, x, y int, colour string) bool {
	if !isDrawn(text) {
		return false
	}
	px, py := corner(x, y)
	midX, midY := px+cellW/2, py+cellH/2
	line := func(x1, y1, x2, y2 float64) {
		fmt.Fprintf(b, `<line x1="%g" y1="%g" x2="%g" y2="%g" stroke="%s"/>`+"\n", x1, y1, x2, y2, colour)
	}
	block := func(h, opacity float64) {
		fmt.Fprintf(b, `<rect x="%g" y="%g" width="%g" height="%g" fill="%s" fill-opacity="%g" shape-rendering="crispEdges"/>`+"\n",
			px, py, cellW, h, colour, opacity)
	}
	switch text {
	case "─":
		line(px, midY, px+cellW, midY)
	case "│":
		line(midX, py, midX, py+cellH)
	case "┌":
		line(midX, midY, px+cellW, midY)
		line(midX, midY, midX, py+cellH)
	case "┐":
		line(px, midY, midX, midY)
		line(midX, midY, midX, py+cellH)
	case "└":
		line(midX, midY, px+cellW, midY)
		line(midX, py, midX, midY)
	case "┘":
		line(px, midY, midX, midY)
		line(midX, py, midX, midY)
	case "█":
		block(cellH, 1)
	case "▓":
		block(cellH, 0.75)
	case "▒":
		block(cellH, 0.5)
	case "░":
		block(cellH, 0.25)
	case "▀":
		block(cellH/2, 1)
	}
	return true
}
