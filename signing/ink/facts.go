package ink

import (
	"crypto/sha256"
	"math"
	"strconv"
	"time"

	"countersign/internal/fault"
)

// What a drawing must at least be. The bounds are wide: initials pass, a resting pen, a ruled line and a pasted
// figure do not.
const (
	leastLength   = 8.0                    // millimetres of line
	leastDuration = 150 * time.Millisecond // from the first point to the last
	leastBend     = 0.04                   // of the greatest distance between two ends: how far it leaves a straight line
)

// Facts are what can be said of a drawing without knowing the hand.
type Facts struct {
	Strokes, Points int
	Duration        time.Duration // from the first point to the last, pauses included
	Length          float64       // millimetres of all lines; on a terminal by its guessed steps
	Width, Height   float64       // millimetres of what was drawn
	Bend            float64       // the farthest point off the line through the drawing's ends, as a share of it
	Pressure        bool          // more than one pressure was felt
}

// Facts measures a valid drawing. Measures are rounded to a tenth of a millimetre and a thousandth.
func (d Drawing) Facts() Facts {
	f := Facts{Strokes: len(d.Strokes)}
	mm := float64(d.Step) / 1000
	all := d.points()
	f.Points = len(all)
	if len(all) == 0 {
		return f
	}
	f.Duration = time.Duration(all[len(all)-1].At-all[0].At) * time.Millisecond
	length := 0.0
	for _, stroke := range d.Strokes {
		for i := 1; i < len(stroke); i++ {
			length += distance(stroke[i-1], stroke[i])
		}
	}
	b := d.bounds()
	for _, p := range all {
		f.Pressure = f.Pressure || p.Force != all[0].Force
	}
	f.Length, f.Bend = round(length*mm, 10), round(bend(all), 1000)
	f.Width, f.Height = round(float64(b.right-b.left)*mm, 10), round(float64(b.low-b.top)*mm, 10)
	return f
}

// Refuse returns why the drawing can't be handwriting, nil when it may be:
//
//	ink.empty    nothing was drawn, or less than 8 mm of line
//	ink.straight it is one straight line
//	ink.instant  it was drawn faster than a hand moves
func (f Facts) Refuse() error {
	switch {
	case f.Points < 2 || f.Length < leastLength:
		return fault.New(fault.Invalid, "ink.empty", nil)
	case f.Bend < leastBend:
		return fault.New(fault.Invalid, "ink.straight", nil)
	case f.Duration < leastDuration:
		return fault.New(fault.Invalid, "ink.instant", fault.Args{"least": strconv.Itoa(int(leastDuration / time.Millisecond))})
	}
	return nil
}

func (d Drawing) points() []Point {
	var all []Point
	for _, stroke := range d.Strokes {
		all = append(all, stroke...)
	}
	return all
}

// bend looks for two points far from each other, and how far others lie off the line through them: 0 for a straight line,
// drawn in one go or to and fro.
func bend(all []Point) float64 {
	farthest := func(from Point) Point {
		best := from
		for _, p := range all {
			if distance(from, p) > distance(from, best) {
				best = p
			}
		}
		return best
	}
	a := farthest(all[0])
	z := farthest(a)
	across := distance(a, z)
	if across == 0 {
		return 0
	}
	off := 0.0
	for _, p := range all {
		cross := float64((z.X-a.X)*(p.Y-a.Y) - (z.Y-a.Y)*(p.X-a.X))
		off = max(off, math.Abs(cross)/across)
	}
	return off / across
}

func distance(a, b Point) float64 { return math.Hypot(float64(a.X-b.X), float64(a.Y-b.Y)) }

func round(v, unit float64) float64 { return math.Round(v*unit) / unit }

// box is the part of the surface that was drawn on.
type box struct{ left, top, right, low int }

func (d Drawing) bounds() box {
	b := box{left: d.Width, top: d.Height}
	for _, stroke := range d.Strokes {
		for _, p := range stroke {
			b.left, b.right = min(b.left, p.X), max(b.right, p.X)
			b.top, b.low = min(b.top, p.Y), max(b.low, p.Y)
		}
	}
	return b
}

// Shape names what was drawn without saying where on the surface, how large, how fast and how hard: strokes that were
// copied and only moved, retimed or pressed otherwise have the same shape. It is for finding repeats, so it has no answer
// for a drawing of fewer points than two people's scrawls could share.
func (d Drawing) Shape() (shape [32]byte, ok bool) {
	const grid, least = 4095, 24
	b := d.bounds()
	side := max(b.right-b.left, b.low-b.top)
	if side <= 0 {
		return shape, false
	}
	var text []byte
	points := 0
	for _, stroke := range d.Strokes {
		last := [2]int{-1, -1}
		for _, p := range stroke {
			at := [2]int{(p.X - b.left) * grid / side, (p.Y - b.top) * grid / side}
			if at == last {
				continue
			}
			last = at
			points++
			text = strconv.AppendInt(text, int64(at[0]), 10)
			text = strconv.AppendInt(append(text, ','), int64(at[1]), 10)
			text = append(text, ';')
		}
		text = append(text, '|')
	}
	return sha256.Sum256(text), points >= least
}
