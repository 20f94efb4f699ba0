package ink

import (
	"fmt"
	"math"
	"strconv"

	"countersign/signing/pdf"
	"countersign/signing/pdf/stamp"
)

// The size of a signature on paper in points, about 56 by 22 mm: a pad's is drawn in its real size where it fits, a
// terminal's, whose size nobody knows, as large as fits.
const (
	mostWide = 160.0
	mostHigh = 62.0
	margin   = 2.0  // around the lines, for the width of the pen
	grain    = 0.35 // points: nearer ones are left out of the picture, which no eye can tell
)

// spot is a point of the picture; y grows upwards.
type spot struct{ x, y, force float64 }

// Appearance draws a valid drawing as lines in blue: the image of a personal signature (Decree 30/2020/ND-CP, appendix I,
// II.7.d). Its lines go through the points that were felt, moved by less than one step of the surface to take its
// stairs away; the pen's width follows the pressure. It needs no font, picture or other resource.
func (d Drawing) Appearance() (pdf.Appearance, error) {
	b := d.bounds()
	wide, high := float64(b.right-b.left), float64(b.low-b.top)
	if len(d.Strokes) == 0 || wide == 0 && high == 0 {
		return pdf.Appearance{}, fmt.Errorf("draw the handwriting: it has no line")
	}
	scale := min(mostWide/max(wide, 1), mostHigh/max(high, 1))
	if d.Source == Pad {
		scale = min(scale, float64(d.Step)/1000*72/25.4)
	}
	out := fmt.Appendf(nil, "%s RG\n1 J\n1 j\n", stamp.Blue)
	pen := 0.0
	for _, stroke := range d.Strokes {
		spots := make([]spot, 0, len(stroke))
		for _, p := range smooth(stroke) {
			s := spot{margin + (p.x-float64(b.left))*scale, margin + (float64(b.low)-p.y)*scale, p.force}
			if n := len(spots); n > 0 && math.Hypot(s.x-spots[n-1].x, s.y-spots[n-1].y) < grain {
				continue
			}
			spots = append(spots, s)
		}
		out = d.line(out, spots, &pen)
	}
	return pdf.Appearance{Width: wide*scale + 2*margin, Height: high*scale + 2*margin, Stream: out}, nil
}

// smooth takes the stairs out of a stroke: each inner point goes towards the mean of its neighbours, by half a step at the
// most each way, so that the line stays where it was felt.
func smooth(stroke []Point) []spot {
	out := make([]spot, len(stroke))
	for i, p := range stroke {
		out[i] = spot{float64(p.X), float64(p.Y), float64(p.Force)}
		if i == 0 || i == len(stroke)-1 {
			continue
		}
		a, z := stroke[i-1], stroke[i+1]
		dx := float64(a.X+z.X-2*p.X) / 4
		dy := float64(a.Y+z.Y-2*p.Y) / 4
		out[i].x += max(-0.5, min(0.5, dx))
		out[i].y += max(-0.5, min(0.5, dy))
	}
	return out
}

// line draws a stroke as curves through its points (Catmull-Rom, as cubic Bézier curves).
func (d Drawing) line(out []byte, s []spot, pen *float64) []byte {
	if len(s) == 1 {
		// A dot is a line of no length with round ends.
		out = d.width(out, s[0].force, pen)
		return operate(operate(out, "m", s[0].x, s[0].y), "l S", s[0].x, s[0].y)
	}
	open := false
	for i := 1; i < len(s); i++ {
		before, from, to, after := s[max(i-2, 0)], s[i-1], s[i], s[min(i+1, len(s)-1)]
		if was, next := *pen, d.pen((from.force+to.force)/2); !open || next != was {
			if open {
				out = append(out, "S\n"...)
			}
			out = d.width(out, (from.force+to.force)/2, pen)
			out = operate(out, "m", from.x, from.y)
			open = true
		}
		out = operate(out, "c", from.x+(to.x-before.x)/6, from.y+(to.y-before.y)/6, to.x-(after.x-from.x)/6, to.y-(after.y-from.y)/6, to.x, to.y)
	}
	return append(out, "S\n"...)
}

// pen is how wide a pressure is drawn, in points, in steps that the eye just tells apart.
func (d Drawing) pen(force float64) float64 {
	if d.Force == 0 {
		return 1.2
	}
	return 0.8 + math.Round(force/float64(d.Force)*6)*0.2
}

func (d Drawing) width(out []byte, force float64, pen *float64) []byte {
	next := d.pen(force)
	if next == *pen {
		return out
	}
	*pen = next
	return operate(out, "w", next)
}

func operate(out []byte, operator string, values ...float64) []byte {
	for _, v := range values {
		out = strconv.AppendFloat(out, round(v, 100)+0, 'f', -1, 64)
		out = append(out, ' ')
	}
	out = append(out, operator...)
	return append(out, '\n')
}

// braille is the cell without dots; each dot is one bit above it. A cell without dots is drawn as a space, because
// terminals differ about the empty one.
const braille = '\u2800'

// Preview draws a valid drawing into so many braille cells of a terminal, two dots wide and four high each, as large as
// fits with its proportions kept. An empty drawing gives empty cells, no room gives nothing.
func (d Drawing) Preview(columns, rows int) []string {
	if !roomy(columns, rows) {
		return nil
	}
	b := d.bounds()
	wide, high := max(b.right-b.left, 1), max(b.low-b.top, 1)
	scale := min(float64(2*columns-1)/float64(wide), float64(4*rows-1)/float64(high))
	return d.dots(columns, rows, frame{
		x:      (float64(2*columns-1)-scale*float64(b.right-b.left))/2 - scale*float64(b.left),
		y:      (float64(4*rows-1)-scale*float64(b.low-b.top))/2 - scale*float64(b.top),
		across: scale, down: scale,
	})
}

// Surface draws a drawing into so many braille cells, each point where it lies on the surface: what the person who
// writes sees under their hand.
func (d Drawing) Surface(columns, rows int) []string {
	if !roomy(columns, rows) || d.Width < 1 || d.Height < 1 {
		return nil
	}
	f := frame{across: float64(2*columns) / float64(d.Width), down: float64(4*rows) / float64(d.Height)}
	f.x, f.y = max(f.across-1, 0)/2, max(f.down-1, 0)/2 // the middle of a step that is wider than a dot
	return d.dots(columns, rows, f)
}

func roomy(columns, rows int) bool {
	return columns >= 1 && rows >= 1 && columns <= 1000 && rows <= 1000
}

// frame says where a surface's points come to lie among the dots.
type frame struct{ x, y, across, down float64 }

// dots draws the strokes' lines into braille cells; what lies outside them is drawn at their edge.
func (d Drawing) dots(columns, rows int, f frame) []string {
	bits := [4][2]rune{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}
	cells := make([]rune, columns*rows)
	dot := func(x, y float64) {
		i := int(math.Round(min(max(x, 0), float64(2*columns-1))))
		j := int(math.Round(min(max(y, 0), float64(4*rows-1))))
		cells[j/4*columns+i/2] |= bits[j%4][i%2]
	}
	for _, stroke := range d.Strokes {
		for i, p := range stroke {
			q := stroke[max(i-1, 0)]
			x, y := f.x+float64(q.X)*f.across, f.y+float64(q.Y)*f.down
			dx, dy := float64(p.X-q.X)*f.across, float64(p.Y-q.Y)*f.down
			n := math.Ceil(max(math.Abs(dx), math.Abs(dy), 1))
			for k := range int(n) + 1 {
				dot(x+dx*float64(k)/n, y+dy*float64(k)/n)
			}
		}
	}
	out := make([]string, rows)
	for r := range out {
		line := make([]rune, columns)
		for c := range line {
			line[c] = ' '
			if dots := cells[r*columns+c]; dots != 0 {
				line[c] = braille + dots
			}
		}
		out[r] = string(line)
	}
	return out
}
