package stamp

import (
	"fmt"

	"countersign/signing/pdf"
	"countersign/signing/pdf/font"
)

// Block draws lines of text in a thin frame: how a person confirmed, their name, the time. The first line is bold.
// Size is the text's size in points; the appearance is as large as its text needs, and Fit puts it into a field.
// Characters that the built-in fonts lack are taken from the others, in order.
func Block(lines []string, size float64, ink Ink, others ...*font.Font) (pdf.Appearance, error) {
	if len(lines) == 0 || size <= 0 {
		return pdf.Appearance{}, fmt.Errorf("block has %d lines of %g points", len(lines), size)
	}
	b := font.Fonts()
	bold, regular := append([]*font.Font{b.SansBold}, others...), append([]*font.Font{b.Sans}, others...)
	c := newCanvas(ink, bold)
	pad, lead := size*0.7, size*1.42
	wide := 0.0
	texts := make([]string, len(lines))
	for i, s := range lines {
		if i > 0 {
			c.fonts = regular
		}
		texts[i] = nfc(s)
		wide = max(wide, c.measure(texts[i])*size)
	}
	w, h := wide+2*pad, lead*float64(len(lines))+2*pad-0.35*size
	c.nums("w", 0.7)
	c.nums("re", 0.5, 0.5, w-1, h-1)
	c.op("", "S")
	c.fonts = bold
	y := h - pad - 0.82*size
	for i, s := range texts {
		if i > 0 {
			c.fonts = regular
		}
		c.text(s, pad, y, size, 1)
		y -= lead
	}
	return c.appearance(w, h)
}

// Stack puts one appearance above another, both in the middle.
func Stack(above, below pdf.Appearance) pdf.Appearance {
	out := pdf.Appearance{Width: max(above.Width, below.Width), Height: above.Height + below.Height}
	for _, part := range []struct {
		pdf.Appearance
		y float64
	}{{above, below.Height}, {below, 0}} {
		out.Stream = fmt.Appendf(out.Stream, "q 1 0 0 1 %.2f %.2f cm\n%s\nQ\n", (out.Width-part.Width)/2, part.y, part.Stream)
	}
	return out
}
