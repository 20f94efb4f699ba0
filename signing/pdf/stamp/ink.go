// Package stamp draws what a signature looks like: round seals, and blocks of text for personal confirmations.
//
// Everything is drawn from glyph outlines, so that an appearance needs no font, no picture and no other resource,
// and a seal looks the same wherever it is opened. Seals have their real size; Fit puts an appearance into a field
// of another size without changing its proportions. Start reading at Round and Block.
package stamp

import (
	"math"
	"strconv"

	"countersign/signing/pdf"
	"countersign/signing/pdf/font"
	"countersign/signing/pdf/page"
	"golang.org/x/text/unicode/norm"
)

// mm is a millimetre in points.
const mm = 72 / 25.4

// grid is how finely outlines are drawn: steps per em, far below what a printer resolves at these sizes.
const grid = 512

// Ink is the colour of an appearance, as PDF operands.
type Ink string

// Seals are red; personal confirmations are blue (Decree 30/2020/ND-CP, appendix I, II.7 and II.8).
const (
	Red   Ink = "0.8 0.05 0.09"
	Blue  Ink = "0.05 0.16 0.56"
	Black Ink = "0 0 0"
)

// canvas collects a content stream; y grows upwards.
type canvas struct {
	b     []byte
	fonts []*font.Font
	err   error
}

func newCanvas(ink Ink, fonts []*font.Font) *canvas {
	c := &canvas{fonts: fonts}
	c.op(string(ink), "rg")
	c.op(string(ink), "RG")
	return c
}

func (c *canvas) op(operands, operator string) {
	c.b = append(c.b, operands...)
	c.b = append(c.b, ' ')
	c.b = append(c.b, operator...)
	c.b = append(c.b, '\n')
}

func (c *canvas) nums(operator string, values ...float64) {
	for _, v := range values {
		c.b = strconv.AppendFloat(c.b, math.Round(v*1000)/1000+0, 'f', -1, 64)
		c.b = append(c.b, ' ')
	}
	c.b = append(c.b, operator...)
	c.b = append(c.b, '\n')
}

func (c *canvas) appearance(w, h float64) (pdf.Appearance, error) {
	if c.err != nil {
		return pdf.Appearance{}, c.err
	}
	return pdf.Appearance{Width: w, Height: h, Stream: c.b}, nil
}

// font returns the first font that has the character.
func (c *canvas) font(r rune) (*font.Font, uint16) {
	for _, f := range c.fonts {
		if g, ok := f.Glyph(r); ok {
			return f, g
		}
	}
	if c.err == nil {
		names := ""
		for i, f := range c.fonts {
			if i > 0 {
				names += ", "
			}
			names += f.Name()
		}
		c.err = &font.MissingGlyphError{Rune: r, Font: names}
	}
	return nil, 0
}

// advance returns a character's width in ems.
func (c *canvas) advance(r rune) float64 {
	f, g := c.font(r)
	if f == nil {
		return 0
	}
	return float64(f.Advance(g)) / 1000
}

func (c *canvas) measure(s string) float64 {
	sum := 0.0
	for _, r := range s {
		sum += c.advance(r)
	}
	return sum
}

// glyph paints a character whose origin lies at (x, y), turned by angle (radians, counter-clockwise), size points to
// the em, narrowed to so much of its width.
func (c *canvas) glyph(r rune, x, y, size, narrow, angle float64) {
	f, g := c.font(r)
	if f == nil {
		return
	}
	steps, err := f.Outline(g)
	if err != nil && c.err == nil {
		c.err = err
	}
	if len(steps) == 0 {
		return
	}
	sin, cos := math.Sincos(angle)
	s := size / grid
	c.b = append(c.b, "q "...)
	for i, v := range [6]float64{cos * s * narrow, sin * s * narrow, -sin * s, cos * s, x, y} {
		// The scale is small and needs more places than the position.
		unit := 1e6
		if i >= 4 {
			unit = 1e3
		}
		c.b = strconv.AppendFloat(c.b, math.Round(v*unit)/unit+0, 'f', -1, 64)
		c.b = append(c.b, ' ')
	}
	c.b = append(c.b, "cm\n"...)
	c.path(steps, grid/float64(f.UnitsPerEm()))
	c.b = append(c.b, "f Q\n"...)
}

// path writes an outline, its quadratic curves as cubic ones.
func (c *canvas) path(steps []font.Step, k float64) {
	var x, y float64
	put := func(operator string, values ...float64) {
		for _, v := range values {
			c.b = strconv.AppendInt(c.b, int64(math.Round(v*k)), 10)
			c.b = append(c.b, ' ')
		}
		c.b = append(c.b, operator...)
		c.b = append(c.b, '\n')
	}
	for _, s := range steps {
		switch s.Verb {
		case font.Move:
			put("m", s.X, s.Y)
		case font.Line:
			put("l", s.X, s.Y)
		case font.Curve:
			put("c", x+(s.CX-x)*2/3, y+(s.CY-y)*2/3, s.X+(s.CX-s.X)*2/3, s.Y+(s.CY-s.Y)*2/3, s.X, s.Y)
		case font.Close:
			put("h")
			continue
		}
		x, y = s.X, s.Y
	}
}

// text paints a line from x, narrowed to so much of its width.
func (c *canvas) text(s string, x, y, size, narrow float64) {
	for _, r := range s {
		c.glyph(r, x, y, size, narrow, 0)
		x += c.advance(r) * size * narrow
	}
}

// ring draws a circle's edge; r is the radius of its middle line.
func (c *canvas) ring(x, y, r, width float64) {
	k := r * 4 * (math.Sqrt2 - 1) / 3
	c.nums("w", width)
	c.nums("m", x+r, y)
	c.nums("c", x+r, y+k, x+k, y+r, x, y+r)
	c.nums("c", x-k, y+r, x-r, y+k, x-r, y)
	c.nums("c", x-r, y-k, x-k, y-r, x, y-r)
	c.nums("c", x+k, y-r, x+r, y-k, x+r, y)
	c.op("h", "S")
}

// star paints a five-pointed star, a point upwards, r from its middle to a point.
func (c *canvas) star(x, y, r float64) {
	const inner = 0.381966 // of the outer radius, as in a drawn-through pentagram
	for i := range 10 {
		d := r
		if i%2 == 1 {
			d = r * inner
		}
		sin, cos := math.Sincos(float64(i) * math.Pi / 5)
		operator := "l"
		if i == 0 {
			operator = "m"
		}
		c.nums(operator, x+d*sin, y+d*cos)
	}
	c.op("h", "f")
}

// Fit puts an appearance into the middle of a field of the given size in points. It is made smaller where it must
// be, never larger, so that a seal keeps its real size.
func Fit(a pdf.Appearance, width, height float64) pdf.Appearance {
	scale := min(1, width/a.Width, height/a.Height)
	wide, high := width/scale, height/scale
	a.Left -= (wide - a.Width) / 2
	a.Bottom -= (high - a.Height) / 2
	a.Width, a.Height = wide, high
	return a
}

// Packed compresses an appearance that is used many times.
func Packed(a pdf.Appearance) pdf.Appearance {
	if !a.Packed {
		a.Stream, a.Packed = page.Deflate(a.Stream), true
	}
	return a
}

func nfc(s string) string { return norm.NFC.String(s) }
