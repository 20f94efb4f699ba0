package page

import (
	"fmt"
	"math"
	"strconv"

	"countersign/signing/pdf/font"
)

// Page is one page being drawn.
type Page struct {
	doc     *Document
	index   int
	w, h    float64
	content []byte
	images  []*Image

	inText bool // a text object is open
	x, y   float64
	font   *fontUse
	size   float64
	fill   Color
	stroke Color
	width  float64
	thick  bool // text is filled and its edge drawn
}

// Size returns the page's width and height.
func (p *Page) Size() (w, h float64) { return p.w, p.h }

// Text draws s with its baseline at y, starting at x, and returns where it ends.
func (p *Page) Text(x, y float64, st Style, s string) float64 {
	for len(s) > 0 {
		f, n := st.run(s)
		if f == nil {
			p.doc.fail(st.missing(s))
			return x
		}
		p.setFill(st.Color)
		p.thicken(st, f)
		p.show(x, y, f, st.Size, s[:n])
		x += f.Measure(s[:n], st.Size)
		s = s[n:]
	}
	return x
}

// TextRight draws s so that it ends at x.
func (p *Page) TextRight(x, y float64, st Style, s string) { p.Text(x-st.Measure(s), y, st, s) }

// TextCentre draws s with its middle at x.
func (p *Page) TextCentre(x, y float64, st Style, s string) { p.Text(x-st.Measure(s)/2, y, st, s) }

// run returns the font of the first character of s and how many bytes it can draw in one go.
func (s Style) run(text string) (*font.Font, int) {
	var first *font.Font
	for i, r := range text {
		f := s.fontOf(r)
		if i == 0 {
			first = f
		}
		if f == nil || f != first {
			return first, i
		}
	}
	return first, len(text)
}

func (s Style) fontOf(r rune) *font.Font {
	for _, f := range s.Fonts {
		if _, ok := f.Glyph(r); ok {
			return f
		}
	}
	return nil
}

// missing names the first character of text and all fonts that were asked for it.
func (s Style) missing(text string) error {
	e := &font.MissingGlyphError{}
	for _, r := range text {
		e.Rune = r
		break
	}
	for i, f := range s.Fonts {
		if i > 0 {
			e.Font += ", "
		}
		e.Font += f.Name()
	}
	return e
}

// thicken switches between plain and thickened letters.
func (p *Page) thicken(st Style, f *font.Font) {
	thick := st.Heavy && f != st.Fonts[0]
	if thick {
		p.setStroke(st.Color)
		p.setWidth(st.Size / 30)
	}
	switch {
	case thick && !p.thick:
		p.content = append(p.content, "2 Tr\n"...)
	case !thick && p.thick:
		p.content = append(p.content, "0 Tr\n"...)
	}
	p.thick = thick
}

func (p *Page) show(x, y float64, f *font.Font, size float64, s string) {
	if !p.inText {
		p.content = append(p.content, "BT\n"...)
		p.inText, p.x, p.y = true, 0, 0
	}
	if p.font == nil || p.font.font != f || p.size != size {
		p.font, p.size = p.doc.fontUse(f), size
		p.content = append(p.content, '/')
		p.content = append(p.content, p.font.name...)
		p.content = append(p.content, ' ')
		p.num(size)
		p.content = append(p.content, "Tf\n"...)
	}
	// Positions are rounded before the difference is taken, so that errors don't add up.
	x, y = round(x), round(p.h-y)
	p.num(x - p.x)
	p.num(y - p.y)
	p.x, p.y = x, y
	p.content = append(p.content, "Td("...)
	from := len(p.content)
	codes, err := p.font.use.Append(p.content, s)
	if err != nil {
		p.doc.fail(err)
	}
	p.content = escape(codes, from)
	p.content = append(p.content, ")Tj\n"...)
}

// escape puts backslashes before the bytes of b[from:] that mean something inside a string.
func escape(b []byte, from int) []byte {
	n := 0
	for _, c := range b[from:] {
		if special(c) {
			n++
		}
	}
	if n == 0 {
		return b
	}
	end := len(b)
	for range n {
		b = append(b, 0)
	}
	for i, j := end-1, len(b)-1; i < j; i-- {
		c := b[i]
		if special(c) {
			if c == '\r' {
				c = 'r'
			}
			b[j], b[j-1] = c, '\\'
			j -= 2
			continue
		}
		b[j] = c
		j--
	}
	return b
}

// A carriage return must be written as \r: readers take a bare one for a line feed.
func special(c byte) bool { return c == '(' || c == ')' || c == '\\' || c == '\r' }

func (p *Page) endText() {
	if p.inText {
		p.content = append(p.content, "ET\n"...)
		p.inText = false
	}
}

func (p *Page) setFill(c Color) {
	if c != p.fill {
		p.fill = c
		p.color(c, "rg\n")
	}
}

func (p *Page) setStroke(c Color) {
	if c != p.stroke {
		p.stroke = c
		p.color(c, "RG\n")
	}
}

func (p *Page) color(c Color, op string) {
	for _, v := range [3]float64{c.R, c.G, c.B} {
		p.num3(v)
	}
	p.content = append(p.content, op...)
}

func (p *Page) setWidth(w float64) {
	if w != p.width {
		p.width = w
		p.num(w)
		p.content = append(p.content, "w\n"...)
	}
}

// Line draws a straight line.
func (p *Page) Line(x1, y1, x2, y2, width float64, c Color) {
	p.endText()
	p.setStroke(c)
	p.setWidth(width)
	p.num(x1)
	p.num(p.h - y1)
	p.content = append(p.content, "m "...)
	p.num(x2)
	p.num(p.h - y2)
	p.content = append(p.content, "l S\n"...)
}

// Fill paints a rectangle.
func (p *Page) Fill(r Rect, c Color) {
	p.endText()
	p.setFill(c)
	p.rect(r)
	p.content = append(p.content, "f\n"...)
}

// Frame draws a rectangle's edge.
func (p *Page) Frame(r Rect, width float64, c Color) {
	p.endText()
	p.setStroke(c)
	p.setWidth(width)
	p.rect(r)
	p.content = append(p.content, "S\n"...)
}

func (p *Page) rect(r Rect) {
	p.num(r.X)
	p.num(p.h - r.Y - r.H)
	p.num(r.W)
	p.num(r.H)
	p.content = append(p.content, "re\n"...)
}

// Image draws a picture into a rectangle.
func (p *Page) Image(r Rect, img *Image) {
	p.endText()
	k := -1
	for i, known := range p.doc.images {
		if known == img {
			k = i
		}
	}
	if k < 0 {
		k = len(p.doc.images)
		p.doc.images = append(p.doc.images, img)
	}
	known := false
	for _, i := range p.images {
		known = known || i == img
	}
	if !known {
		p.images = append(p.images, img)
	}
	p.content = append(p.content, "q "...)
	p.num(r.W)
	p.content = append(p.content, "0 0 "...)
	p.num(r.H)
	p.num(r.X)
	p.num(p.h - r.Y - r.H)
	p.content = append(p.content, "cm /I"...)
	p.content = strconv.AppendInt(p.content, int64(k+1), 10)
	p.content = append(p.content, " Do Q\n"...)
}

// QR draws text as a QR code (error correction M) of the given size, as vector squares without a quiet zone: the
// caller leaves four modules of white around it.
func (p *Page) QR(x, y, size float64, text string) {
	code, err := encodeQR(text)
	if err != nil {
		p.doc.fail(err)
		return
	}
	p.endText()
	p.setFill(Color{})
	// In a grid of modules, all numbers are small and whole.
	n := code.n
	module := size / float64(n)
	p.content = fmt.Appendf(p.content, "q %.6f 0 0 %.6f ", module, module)
	p.num(x)
	p.num(p.h - y - size)
	p.content = append(p.content, "cm\n"...)
	for row := range n {
		for col := 0; col < n; col++ {
			from := col
			for col < n && code.is(col, row) {
				col++
			}
			if col > from {
				for _, v := range [3]int{from, n - 1 - row, col - from} {
					p.content = strconv.AppendInt(p.content, int64(v), 10)
					p.content = append(p.content, ' ')
				}
				p.content = append(p.content, "1 re\n"...)
			}
		}
	}
	p.content = append(p.content, "f Q\n"...)
}

// num appends a number with at most two decimals and a blank.
func (p *Page) num(v float64) { p.content = appendNum(p.content, v, 100) }

func (p *Page) num3(v float64) { p.content = appendNum(p.content, v, 1000) }

func round(v float64) float64 { return math.Round(v*100) / 100 }

// appendNum appends v to 1/scale, scale being a power of ten, without needless zeros, and a blank.
func appendNum(b []byte, v float64, scale int64) []byte {
	n := int64(math.Round(v * float64(scale)))
	if n < 0 {
		b = append(b, '-')
		n = -n
	}
	b = strconv.AppendInt(b, n/scale, 10)
	if n %= scale; n != 0 {
		b = append(b, '.')
		for scale /= 10; n > 0; scale /= 10 {
			b = append(b, byte('0'+n/scale))
			n %= scale
		}
	}
	return append(b, ' ')
}
