package stamp

import (
	"fmt"
	"math"
	"strings"

	"countersign/signing/pdf"
	"countersign/signing/pdf/font"
	"countersign/signing/pdf/page"
)

// Seal is what a round seal shows.
type Seal struct {
	Geometry string // one of Geometries
	Name     string // the organisation, on the upper arc
	Line     string // Vietnamese: in the middle; Chinese: level, below the middle
	Arc      string // on the lower arc; may be empty
	Star     bool   // a five-pointed star: in the middle where nothing else stands there
}

// geometry is the size of a kind of seal, in millimetres.
type geometry struct {
	across, edge float64 // outer diameter, width of the edge
	star         float64 // across the star in the middle
	vietnamese   bool    // double edge and an inner ring around the middle
	blank        bool    // no star: the middle is empty
}

// Chinese measures are those that police rules give for companies: 42 mm with an edge of 1.2 mm and a star of
// 14 mm; 40 mm for limited companies; seals for one business (專用章) of 40 or 38 mm and contract seals of 58 mm
// without a star. Seals of state organs bear the national emblem, and foreign-invested companies' are oval: neither is
// drawn here. Vietnamese seals of companies and offices have about 36 mm.
func geometries() map[string]geometry {
	return map[string]geometry{
		"vn-company":  {across: 36, edge: 1.0, star: 11, vietnamese: true},
		"vn-agency":   {across: 36, edge: 1.2, star: 13, vietnamese: true},
		"vn-business": {across: 36, edge: 0.8, star: 9, vietnamese: true},
		"cn-company":  {across: 42, edge: 1.2, star: 14},
		"cn-limited":  {across: 40, edge: 1.0, star: 14},
		"cn-private":  {across: 38, edge: 1.0, star: 14},

		"cn-business":    {across: 40, edge: 1.0, blank: true},
		"cn-business-38": {across: 38, edge: 1.0, blank: true},
		"cn-contract":    {across: 58, edge: 1.0, blank: true},
	}
}

// KnownLook reports whether a seal of that geometry, with or without a star, can be drawn.
func KnownLook(geometry string, star bool) bool {
	g, ok := geometries()[geometry]
	return ok && (!star || !g.blank)
}

// Round draws a red round seal in its real size. Characters that the built-in bold font lacks are taken from the
// other fonts, in order; one that no font has is a *font.MissingGlyphError.
func Round(s Seal, others ...*font.Font) (pdf.Appearance, error) {
	g, ok := geometries()[s.Geometry]
	if !ok {
		return pdf.Appearance{}, fmt.Errorf("seal has unknown geometry %q", s.Geometry)
	}
	if g.blank && s.Star {
		return pdf.Appearance{}, fmt.Errorf("seal of geometry %q has no star", s.Geometry)
	}
	s.Name, s.Line, s.Arc = nfc(s.Name), nfc(s.Line), nfc(s.Arc)
	c := newCanvas(Red, append([]*font.Font{font.Fonts().SansBold}, others...))
	side := g.across * mm
	if g.vietnamese {
		c.vietnamese(g, s, side)
	} else {
		c.chinese(g, s, side)
	}
	return c.appearance(side, side)
}

func (c *canvas) vietnamese(g geometry, s Seal, side float64) {
	s.Name, s.Line, s.Arc = strings.ToUpper(s.Name), strings.ToUpper(s.Line), strings.ToUpper(s.Arc)
	m, r := side/2, side/2-g.edge*mm/2
	c.ring(m, m, r, g.edge*mm)
	c.ring(m, m, r-(g.edge/2+0.75)*mm, 0.3*mm)
	inner := 10.6 * mm
	c.ring(m, m, inner, 0.35*mm)
	// Between the rings: capitals of up to 2.6 mm with room for two accents above and a dot below.
	const size = 3.7 * mm
	base := inner + 1.15*mm
	span := 1.18 * math.Pi
	if s.Arc == "" {
		span = 1.55 * math.Pi
	}
	used := c.arc(s.Name, m, m, base, size, span)
	if s.Arc != "" {
		top := base + 0.69*size
		low := c.lowerArc(s.Arc, m, m, top, size*0.92, 1.9*math.Pi-used-0.5)
		// Two small stars part the arcs.
		mid := (used/2 + math.Pi - low/2) / 2
		for _, a := range []float64{mid, -mid} {
			sin, cos := math.Sincos(a)
			d := (base + top) / 2
			c.star(m+d*sin, m+d*cos, 1.0*mm)
		}
	} else {
		c.star(m, m-(base+0.35*size), 1.2*mm)
	}
	switch {
	case s.Line != "":
		c.inCircle(s.Line, m, m, inner-1.0*mm, 4.2*mm)
	case s.Star:
		c.star(m, m, g.star*mm/2)
	}
}

func (c *canvas) chinese(g geometry, s Seal, side float64) {
	m, r := side/2, side/2-g.edge*mm/2
	c.ring(m, m, r, g.edge*mm)
	// The letters' tops stay about one edge's width inside the edge.
	size := 5.6 * mm
	inside := side/2 - (g.edge+1.1)*mm
	span := 1.36 * math.Pi
	if s.Line != "" {
		span = 1.2 * math.Pi // the name's ends stay clear of the line
	}
	c.arc(s.Name, m, m, inside-0.86*size, size, span)
	if s.Star {
		c.star(m, m, g.star*mm/2)
	}
	if s.Line != "" {
		y := m - 0.22*side
		wide := 2*math.Sqrt(math.Max(0, inside*inside-math.Pow(m-y+0.3*size, 2))) - 2*mm
		c.level(s.Line, m, y, 4.4*mm, wide)
	}
	if s.Arc != "" {
		c.lowerArc(s.Arc, m, m, inside-0.1*mm, 2.0*mm, 0.6*math.Pi)
	}
}

// arc sets text clockwise along a circle, its middle at the top, letters standing outwards on a baseline of radius
// r. Text that is longer than span (radians) is narrowed, then made smaller. It returns the angle that it takes.
func (c *canvas) arc(s string, x, y, r, size, span float64) float64 {
	// Angles are measured at the letters' middle height, which stays where it is when they are made smaller.
	middle := r + 0.35*size
	size, narrow, gap := c.fitArc(s, middle, size, span)
	r = middle - 0.35*size
	total := (c.measure(s)*size*narrow + gap*float64(runes(s))) / middle
	at := -total / 2
	for _, letter := range s {
		w := c.advance(letter) * size * narrow
		half := (w + gap) / 2 / middle
		at += half
		sin, cos := math.Sincos(at)
		c.glyph(letter, x+r*sin-w/2*cos, y+r*cos+w/2*sin, size, narrow, -at)
		at += half
	}
	return total
}

// lowerArc sets text counter-clockwise along the bottom, letters standing inwards, their feet on radius r.
func (c *canvas) lowerArc(s string, x, y, r, size, span float64) float64 {
	middle := r - 0.35*size
	size, narrow, gap := c.fitArc(s, middle, size, span)
	r = middle + 0.35*size
	total := (c.measure(s)*size*narrow + gap*float64(runes(s))) / middle
	at := -total / 2
	for _, letter := range s {
		w := c.advance(letter) * size * narrow
		half := (w + gap) / 2 / middle
		at += half
		sin, cos := math.Sincos(at)
		c.glyph(letter, x+r*sin-w/2*cos, y-r*cos-w/2*sin, size, narrow, at)
		at += half
	}
	return total
}

// fitArc returns size, narrowing and letter gap with which text fits a span on radius r: short text is spread,
// long text narrowed to 60 % and then made smaller.
func (c *canvas) fitArc(s string, r, size, span float64) (float64, float64, float64) {
	const least = 0.6
	wide := c.measure(s) * size
	room := r * span
	switch {
	case wide == 0:
		return size, 1, 0
	case wide <= room:
		return size, 1, min((room-wide)/float64(runes(s)), 0.32*size)
	case wide*least <= room:
		return size, room / wide, 0
	}
	return size * room / (wide * least), least, 0
}

// level sets one line around x, narrowed when it is wider than wide.
func (c *canvas) level(s string, x, y, size, wide float64) {
	w := c.measure(s) * size
	narrow := 1.0
	if w > wide {
		narrow = wide / w
	}
	if narrow < 0.6 {
		size *= narrow / 0.6
		narrow = 0.6
	}
	c.text(s, x-c.measure(s)*size*narrow/2, y-0.36*size, size, narrow)
}

// inCircle sets text in lines inside a circle, large but at most size. Fewer lines are better as long as they stay
// nearly as large: Vietnamese words come in pairs that should not be torn apart.
func (c *canvas) inCircle(s string, x, y, r, size float64) {
	const least, nearly, most = 0.8 * mm, 0.72, 6
	type setting struct {
		size  float64
		lines []string
	}
	var found []setting
	best := 0.0
	for n := 1; n <= min(most, max(len(strings.Fields(s)), runes(s)/2)); n++ {
		for z := size; z > max(least, nearly*best); z *= 0.97 {
			if lines := c.lines(s, n, r, z, z*1.3); lines != nil {
				found = append(found, setting{z, lines})
				best = max(best, z)
				break
			}
		}
	}
	for _, f := range found {
		if f.size < nearly*best {
			continue
		}
		top := y + float64(len(f.lines)-1)*f.size*1.3/2 - 0.36*f.size
		for i, line := range f.lines {
			c.text(line, x-c.measure(line)*f.size/2, top-float64(i)*f.size*1.3, f.size, 1)
		}
		return
	}
	c.level(s, x, y, least, 2*r)
}

// lines breaks text into exactly n lines that stay inside the circle; nil when that can't be.
func (c *canvas) lines(s string, n int, r, size, lead float64) []string {
	var out []string
	rest := s
	for i := range n {
		// The chord at the line's farther edge.
		far := math.Abs(float64(n-1)/2-float64(i))*lead + 0.5*size
		if far >= r {
			return nil
		}
		chord := 2 * math.Sqrt(r*r-far*far)
		measure := func(t string) float64 { return c.measure(t) * size }
		line := page.Wrap(rest, chord, measure)[0]
		if line == "" || measure(line) > chord || !wordEnd(rest, line) {
			return nil
		}
		out = append(out, line)
		rest = strings.TrimSpace(strings.TrimPrefix(rest, line))
	}
	if rest != "" {
		return nil
	}
	return out
}

// wordEnd reports whether breaking after line breaks no word.
func wordEnd(text, line string) bool {
	after := strings.TrimPrefix(text, line)
	last := []rune(line)[len([]rune(line))-1]
	return after == "" || after[0] == ' ' || last > 0x2E80
}

func runes(s string) int { return len([]rune(s)) }
