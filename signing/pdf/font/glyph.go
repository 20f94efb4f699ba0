package font

import (
	"encoding/binary"
	"fmt"
)

// Bounds on composite glyphs, far above what real fonts have.
const (
	maxDepth = 8
	maxParts = 256
)

// Flags of a composite glyph's part (OpenType, "glyf" table).
const (
	argsAreWords  = 1 << 0
	argsAreXY     = 1 << 1
	hasScale      = 1 << 3
	moreParts     = 1 << 5
	hasXYScale    = 1 << 6
	hasTwoByTwo   = 1 << 7
	scaledOffsets = 1 << 11
)

// span returns the bytes of a glyph in the glyf table; none for a blank glyph.
func (f *Font) span(glyph uint16) ([]byte, error) {
	if int(glyph) >= f.glyphs {
		return nil, fmt.Errorf("font %s has no glyph %d", f.name, glyph)
	}
	loca, glyf := f.tables["loca"], f.tables["glyf"]
	var from, to uint64
	if f.longLoca {
		from, to = uint64(binary.BigEndian.Uint32(loca[4*int(glyph):])), uint64(binary.BigEndian.Uint32(loca[4*int(glyph)+4:]))
	} else {
		from, to = 2*uint64(binary.BigEndian.Uint16(loca[2*int(glyph):])), 2*uint64(binary.BigEndian.Uint16(loca[2*int(glyph)+2:]))
	}
	if from > to || to > uint64(len(glyf)) {
		return nil, fmt.Errorf("font %s: glyph %d lies outside its table", f.name, glyph)
	}
	if from == to {
		return nil, nil
	}
	if to-from < 10 {
		return nil, fmt.Errorf("font %s: glyph %d is cut off", f.name, glyph)
	}
	return glyf[from:to], nil
}

// part is one glyph inside a composite glyph.
type part struct {
	at             int // where the part's glyph number stands in the composite
	glyph          uint16
	xx, xy, yx, yy float64
	dx, dy         float64
}

// parts lists what a glyph is made of; nil for a simple or blank glyph.
func (f *Font) parts(glyph uint16) ([]part, error) {
	data, err := f.span(glyph)
	if err != nil || data == nil || int16(binary.BigEndian.Uint16(data)) >= 0 {
		return nil, err
	}
	var out []part
	for p := 10; ; {
		if len(data) < p+4 || len(out) == maxParts {
			return nil, fmt.Errorf("font %s: composite glyph %d is cut off", f.name, glyph)
		}
		flags := binary.BigEndian.Uint16(data[p:])
		c := part{at: p + 2, glyph: binary.BigEndian.Uint16(data[p+2:]), xx: 1, yy: 1}
		p += 4
		need := 2
		if flags&argsAreWords != 0 {
			need = 4
		}
		switch {
		case flags&hasScale != 0:
			need += 2
		case flags&hasXYScale != 0:
			need += 4
		case flags&hasTwoByTwo != 0:
			need += 8
		}
		if len(data) < p+need {
			return nil, fmt.Errorf("font %s: composite glyph %d is cut off", f.name, glyph)
		}
		if flags&argsAreXY == 0 {
			return nil, fmt.Errorf("font %s: glyph %d places its parts by points, which is not supported", f.name, glyph)
		}
		if flags&argsAreWords != 0 {
			c.dx, c.dy = float64(int16(binary.BigEndian.Uint16(data[p:]))), float64(int16(binary.BigEndian.Uint16(data[p+2:])))
			p += 4
		} else {
			c.dx, c.dy = float64(int8(data[p])), float64(int8(data[p+1]))
			p += 2
		}
		fixed := func() float64 {
			v := float64(int16(binary.BigEndian.Uint16(data[p:]))) / (1 << 14)
			p += 2
			return v
		}
		switch {
		case flags&hasScale != 0:
			c.xx = fixed()
			c.yy = c.xx
		case flags&hasXYScale != 0:
			c.xx, c.yy = fixed(), fixed()
		case flags&hasTwoByTwo != 0:
			c.xx, c.xy, c.yx, c.yy = fixed(), fixed(), fixed(), fixed()
		}
		if flags&scaledOffsets != 0 {
			c.dx, c.dy = c.dx*c.xx+c.dy*c.yx, c.dx*c.xy+c.dy*c.yy
		}
		out = append(out, c)
		if flags&moreParts == 0 {
			return out, nil
		}
	}
}

// Verb says what a step of an outline does.
type Verb byte

// The verbs of an outline; curves are quadratic, as in the font.
const (
	Move Verb = iota
	Line
	Curve // control point (CX, CY), end (X, Y)
	Close
)

// Step is one step of an outline, in units of the font's design grid, y upwards.
type Step struct {
	Verb   Verb
	CX, CY float64
	X, Y   float64
}

// Outline returns the shape of a glyph, composite glyphs put together.
func (f *Font) Outline(glyph uint16) ([]Step, error) {
	budget := maxParts
	return f.outline(nil, glyph, 0, &budget)
}

func (f *Font) outline(out []Step, glyph uint16, depth int, budget *int) ([]Step, error) {
	if *budget--; depth > maxDepth || *budget < 0 {
		return nil, fmt.Errorf("font %s: glyph %d is nested too deep", f.name, glyph)
	}
	data, err := f.span(glyph)
	if err != nil || data == nil {
		return out, err
	}
	if n := int(int16(binary.BigEndian.Uint16(data))); n >= 0 {
		return f.simple(out, glyph, data, n)
	}
	parts, err := f.parts(glyph)
	if err != nil {
		return nil, err
	}
	for _, p := range parts {
		from := len(out)
		if out, err = f.outline(out, p.glyph, depth+1, budget); err != nil {
			return nil, err
		}
		for i := from; i < len(out); i++ {
			s := &out[i]
			s.CX, s.CY = s.CX*p.xx+s.CY*p.yx+p.dx, s.CX*p.xy+s.CY*p.yy+p.dy
			s.X, s.Y = s.X*p.xx+s.Y*p.yx+p.dx, s.X*p.xy+s.Y*p.yy+p.dy
		}
	}
	return out, nil
}

// point is a point of a simple glyph.
type point struct {
	x, y float64
	on   bool
}

func (f *Font) simple(out []Step, glyph uint16, data []byte, contours int) ([]Step, error) {
	cut := fmt.Errorf("font %s: glyph %d is cut off", f.name, glyph)
	if contours == 0 {
		return out, nil
	}
	p := 10 + 2*contours
	if len(data) < p+2 {
		return nil, cut
	}
	points := int(binary.BigEndian.Uint16(data[p-2:])) + 1
	p += 2 + int(binary.BigEndian.Uint16(data[p:])) // skip the instructions
	flags := make([]byte, 0, points)
	for len(flags) < points {
		if p >= len(data) {
			return nil, cut
		}
		flag := data[p]
		p++
		flags = append(flags, flag)
		if flag&8 == 0 {
			continue
		}
		if p >= len(data) {
			return nil, cut
		}
		for n := int(data[p]); n > 0 && len(flags) < points; n-- {
			flags = append(flags, flag)
		}
		p++
	}
	pts := make([]point, points)
	read := func(short, same byte, set func(i, v int)) bool {
		v := 0
		for i, flag := range flags {
			switch {
			case flag&short != 0:
				if p >= len(data) {
					return false
				}
				d := int(data[p])
				p++
				if flag&same == 0 {
					d = -d
				}
				v += d
			case flag&same == 0:
				if p+2 > len(data) {
					return false
				}
				v += int(int16(binary.BigEndian.Uint16(data[p:])))
				p += 2
			}
			set(i, v)
		}
		return true
	}
	if !read(2, 16, func(i, v int) { pts[i].x, pts[i].on = float64(v), flags[i]&1 != 0 }) ||
		!read(4, 32, func(i, v int) { pts[i].y = float64(v) }) {
		return nil, cut
	}
	start := 0
	for c := range contours {
		end := int(binary.BigEndian.Uint16(data[10+2*c:])) + 1
		if end < start || end > points {
			return nil, cut
		}
		out = contour(out, pts[start:end])
		start = end
	}
	return out, nil
}

// contour turns a ring of on-curve and control points into steps; between two control points lies an unwritten
// on-curve point, half-way.
func contour(out []Step, pts []point) []Step {
	if len(pts) < 2 {
		return out
	}
	half := func(a, b point) point { return point{(a.x + b.x) / 2, (a.y + b.y) / 2, true} }
	first := pts[0]
	rest := pts[1:]
	if !first.on {
		if last := pts[len(pts)-1]; last.on {
			first, rest = last, pts[:len(pts)-1]
		} else {
			first, rest = half(last, first), pts
		}
	}
	out = append(out, Step{Verb: Move, X: first.x, Y: first.y})
	var control *point
	to := func(p point) {
		if control != nil {
			out = append(out, Step{Verb: Curve, CX: control.x, CY: control.y, X: p.x, Y: p.y})
			control = nil
			return
		}
		out = append(out, Step{Verb: Line, X: p.x, Y: p.y})
	}
	for i := range rest {
		p := rest[i]
		if p.on {
			to(p)
			continue
		}
		if control != nil {
			to(half(*control, p))
		}
		control = &rest[i]
	}
	if control != nil {
		to(first)
	}
	return append(out, Step{Verb: Close})
}
