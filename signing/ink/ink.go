// Package ink keeps handwriting: what a pad or a terminal felt while a person wrote, as evidence and as a picture.
//
// A Drawing is the raw strokes and stays what it was: its canonical bytes, and so its digest, hold every point with its
// time and pressure. Everything else is drawn from it and thrown away: the vector appearance in blue for the PDF page
// (Appearance), the cells for a terminal (Preview), the plain facts that a clerk reads (Facts).
//
// Invariants: a Drawing that Parse returned, or that Valid accepts, is within the limits below; what is canonical parses
// to itself. Handwriting proves little by itself: no one is recognised by it here, and Facts.Refuse only turns away what
// can't be handwriting at all. Start reading at Drawing and Parse.
package ink

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Version is that of the file format.
const Version = 1

// Limits of a drawing.
const (
	MaxFile    = 1 << 20 // bytes of a file
	maxStrokes = 400
	maxPoints  = 16_000
	maxSide    = 1<<16 - 1 // steps of a surface
	maxStep    = 5_000     // micrometres
	maxForce   = 1<<16 - 1
	maxTime    = 10 * time.Minute
)

// Source says what felt the strokes.
type Source string

// The sources.
const (
	Pad      Source = "pad"      // a signature pad, whose steps are known in micrometres
	Terminal Source = "terminal" // mouse or finger on a terminal, whose steps are a guess
)

// Point is where the pen was.
type Point struct {
	X, Y  int // steps from the upper left corner
	At    int // milliseconds from the drawing's start
	Force int // 0 to the drawing's Force; 0 where none is felt
}

// Drawing is handwriting as it was felt.
type Drawing struct {
	Source        Source
	Width, Height int // of the surface, in steps
	Step          int // micrometres
	Force         int // the greatest pressure that the surface can tell, in its own unit; 0: it feels none
	Strokes       [][]Point
}

// Valid returns what is wrong with a drawing's form, nil when it is within the limits.
func (d Drawing) Valid() error {
	switch {
	case d.Source != Pad && d.Source != Terminal:
		return fmt.Errorf("drawing: source %q is not pad or terminal", d.Source)
	case d.Width < 1 || d.Width > maxSide || d.Height < 1 || d.Height > maxSide:
		return fmt.Errorf("drawing: a surface of %d by %d steps is not between 1 and %d", d.Width, d.Height, maxSide)
	case d.Step < 1 || d.Step > maxStep:
		return fmt.Errorf("drawing: a step of %d micrometres is not between 1 and %d", d.Step, maxStep)
	case d.Force < 0 || d.Force > maxForce:
		return fmt.Errorf("drawing: a greatest pressure of %d is not between 0 and %d", d.Force, maxForce)
	case len(d.Strokes) > maxStrokes:
		return fmt.Errorf("drawing: more than %d strokes", maxStrokes)
	}
	points, last := 0, 0
	for i, stroke := range d.Strokes {
		if points += len(stroke); points > maxPoints {
			return fmt.Errorf("drawing: more than %d points", maxPoints)
		}
		if len(stroke) == 0 {
			return fmt.Errorf("drawing: stroke %d has no point", i+1)
		}
		for _, p := range stroke {
			if p.X < 0 || p.X > d.Width || p.Y < 0 || p.Y > d.Height || p.Force < 0 || p.Force > d.Force {
				return fmt.Errorf("drawing: a point of stroke %d is outside the surface or its pressure", i+1)
			}
			if p.At < last || p.At > int(maxTime/time.Millisecond) {
				return fmt.Errorf("drawing: stroke %d goes back in time or lasts longer than %s", i+1, maxTime)
			}
			last = p.At
		}
	}
	return nil
}

// Clone returns a drawing that shares nothing with d.
func (d Drawing) Clone() Drawing {
	d.Strokes = slices.Clone(d.Strokes)
	for i := range d.Strokes {
		d.Strokes[i] = slices.Clone(d.Strokes[i])
	}
	return d
}

// Canonical returns the drawing's one encoding: the file format of Parse in one line, its members in fixed order.
func (d Drawing) Canonical() []byte {
	b := fmt.Appendf(nil, `{"version":%d,"source":%q,"width":%d,"height":%d,"step":%d,"force":%d,"strokes":[`,
		Version, d.Source, d.Width, d.Height, d.Step, d.Force)
	for i, stroke := range d.Strokes {
		b = separate(b, i, '[')
		for j, p := range stroke {
			b = separate(b, j, '[')
			for k, v := range [4]int{p.X, p.Y, p.At, p.Force} {
				if k > 0 {
					b = append(b, ',')
				}
				b = strconv.AppendInt(b, int64(v), 10)
			}
			b = append(b, ']')
		}
		b = append(b, ']')
	}
	return append(b, "]}"...)
}

func separate(b []byte, i int, open byte) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return append(b, open)
}

// Digest returns the SHA-256 of the canonical bytes: every point, time and pressure.
func (d Drawing) Digest() [32]byte { return sha256.Sum256(d.Canonical()) }
