package ink

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"

	"countersign/internal/fault"
)

// members are the names in a stroke file, each of which must be there once.
var members = [...]string{"version", "source", "width", "height", "step", "force", "strokes"}

// Parse reads a stroke file:
//
//	{"version": 1, "source": "pad", "width": 9600, "height": 5400, "step": 10, "force": 1023,
//	 "strokes": [[[x, y, t, f], …], …]}
//
// width, height, x and y count steps from the upper left corner, step is in micrometres, t in milliseconds from the start,
// never going back; f is the pressure up to force, which is 0 on what feels none. All numbers are whole. Names may stand in
// any order, but each once and none else. Its faults are ink.large (over MaxFile) and ink.file (anything else).
func Parse(data []byte) (Drawing, error) {
	if len(data) > MaxFile {
		return Drawing{}, fault.New(fault.Invalid, "ink.large", fault.Args{"max": strconv.Itoa(MaxFile >> 10)})
	}
	r := reader{json: json.NewDecoder(bytes.NewReader(data))}
	r.json.UseNumber()
	var d Drawing
	if !utf8.Valid(data) {
		r.fail("it is not UTF-8")
	}
	r.drawing(&d)
	if _, err := r.json.Token(); r.err == nil && err != io.EOF {
		r.fail("something stands behind the drawing")
	}
	if r.err == nil {
		r.err = d.Valid()
	}
	if r.err != nil {
		return Drawing{}, fault.Wrap(r.err, fault.Invalid, "ink.file", nil)
	}
	return d, nil
}

// reader reads a file token by token, because decoding into Go values takes names twice, in other case, and lists of
// other length. After the first failure it reads nothing more.
type reader struct {
	json   *json.Decoder
	points int
	err    error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("stroke file at byte %d: %s", r.json.InputOffset(), fmt.Sprintf(format, args...))
	}
}

func (r *reader) token() json.Token {
	if r.err != nil {
		return nil
	}
	t, err := r.json.Token()
	if err != nil {
		r.fail("%v", err)
	}
	return t
}

func (r *reader) expect(want json.Delim) {
	if t := r.token(); t != want {
		r.fail("%q is missing", want)
	}
}

// more reports whether the list or object goes on.
func (r *reader) more() bool { return r.err == nil && r.json.More() }

func (r *reader) text() string {
	s, ok := r.token().(string)
	if !ok {
		r.fail("a text is missing")
	}
	return s
}

// number reads a whole number as it is written in only one way; every limit lies far below what fits.
func (r *reader) number() int {
	n, ok := r.token().(json.Number)
	v, err := strconv.ParseInt(n.String(), 10, 32)
	if !ok || err != nil || n == "-0" {
		r.fail("a whole number is missing")
	}
	return int(v)
}

func (r *reader) drawing(d *Drawing) {
	r.expect('{')
	var seen []string
	for r.more() {
		name := r.text()
		if !slices.Contains(members[:], name) || slices.Contains(seen, name) {
			r.fail("%.40q is unknown or there twice", name)
		}
		seen = append(seen, name)
		switch name {
		case "version":
			if v := r.number(); v != Version {
				r.fail("version %d is not %d", v, Version)
			}
		case "source":
			d.Source = Source(r.text())
		case "width":
			d.Width = r.number()
		case "height":
			d.Height = r.number()
		case "step":
			d.Step = r.number()
		case "force":
			d.Force = r.number()
		case "strokes":
			d.Strokes = r.strokes()
		}
	}
	r.expect('}')
	if len(seen) != len(members) {
		r.fail("it has %d of %d members", len(seen), len(members))
	}
}

func (r *reader) strokes() [][]Point {
	strokes := [][]Point{}
	r.expect('[')
	for r.more() {
		if len(strokes) == maxStrokes {
			r.fail("more than %d strokes", maxStrokes)
		}
		strokes = append(strokes, r.stroke())
	}
	r.expect(']')
	return strokes
}

func (r *reader) stroke() (stroke []Point) {
	r.expect('[')
	for r.more() {
		if r.points++; r.points > maxPoints {
			r.fail("more than %d points", maxPoints)
		}
		r.expect('[')
		stroke = append(stroke, Point{X: r.number(), Y: r.number(), At: r.number(), Force: r.number()})
		r.expect(']')
	}
	r.expect(']')
	return stroke
}
