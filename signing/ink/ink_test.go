package ink_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"countersign/internal/fault"
	"countersign/signing/ink"
	"countersign/signing/signtest"
)

// file is a stroke file in which one part can be exchanged.
func file(old, new string) []byte {
	const good = `{"version":1,"source":"pad","width":100,"height":50,"step":100,"force":9,"strokes":[[[1,2,0,3],[4,5,6,7]],[[0,0,6,0]]]}`
	return []byte(strings.Replace(good, old, new, 1))
}

func TestAStrokeFileIsReadStrictly(t *testing.T) {
	many := strings.Repeat("[[1,1,0,0]],", 400) + "[[1,1,0,0]]"
	long := strings.Repeat("[1,1,0,0],", 16_000) + "[1,1,0,0]"
	for _, c := range []struct {
		name, old, new, want string
	}{
		{"as it must be", "", "", ""},
		{"another order of names and white space", `"version":1,"source":"pad",`, "\n \"source\" : \"pad\",\t\"version\": 1 ,", ""},
		{"no strokes at all", `[[[1,2,0,3],[4,5,6,7]],[[0,0,6,0]]]`, `[]`, ""},
		{"a later version", `"version":1`, `"version":2`, "ink.file"},
		{"a name missing", `"step":100,`, ``, "ink.file"},
		{"a name twice", `"step":100`, `"step":100,"step":100`, "ink.file"},
		{"a name in other case", `"step"`, `"Step"`, "ink.file"},
		{"an unknown name", `"step":100`, `"step":100,"name":"A"`, "ink.file"},
		{"an unknown source", `"pad"`, `"fax"`, "ink.file"},
		{"a source that is a number", `"pad"`, `1`, "ink.file"},
		{"something behind it", `]]]}`, `]]]}{}`, "ink.file"},
		{"cut short", `]]]}`, `]]]`, "ink.file"},
		{"a fraction", `[1,2,0,3]`, `[1.0,2,0,3]`, "ink.file"},
		{"an exponent", `[1,2,0,3]`, `[1e1,2,0,3]`, "ink.file"},
		{"minus nothing", `[0,0,6,0]`, `[-0,0,6,0]`, "ink.file"},
		{"a number too large for any machine", `[1,2,0,3]`, `[1,2,99999999999999999999,3]`, "ink.file"},
		{"a point of three numbers", `[1,2,0,3]`, `[1,2,0]`, "ink.file"},
		{"a point of five numbers", `[1,2,0,3]`, `[1,2,0,3,4]`, "ink.file"},
		{"null instead of a stroke", `[[0,0,6,0]]`, `null`, "ink.file"},
		{"lists in lists", `[[0,0,6,0]]`, strings.Repeat("[", 10_000), "ink.file"},
		{"a stroke without a point", `[[0,0,6,0]]`, `[]`, "ink.file"},
		{"a point left of the surface", `[1,2,0,3]`, `[-1,2,0,3]`, "ink.file"},
		{"a point below the surface", `[1,2,0,3]`, `[1,51,0,3]`, "ink.file"},
		{"more pressure than there is", `[1,2,0,3]`, `[1,2,0,10]`, "ink.file"},
		{"time going back", `[0,0,6,0]`, `[0,0,5,0]`, "ink.file"},
		{"more than ten minutes", `[0,0,6,0]`, `[0,0,600001,0]`, "ink.file"},
		{"no surface", `"width":100`, `"width":0`, "ink.file"},
		{"steps of no size", `"step":100`, `"step":0`, "ink.file"},
		{"negative pressure", `"force":9`, `"force":-1`, "ink.file"},
		{"too many strokes", `[[0,0,6,0]]`, many, "ink.file"},
		{"too many points", `[0,0,6,0]`, long, "ink.file"},
		{"a text that is not UTF-8", `"pad"`, "\"p\xffd\"", "ink.file"},
		{"a file too large", `[[1,2`, strings.Repeat(" ", ink.MaxFile) + `[[1,2`, "ink.large"},
		{"an empty file", string(file("", "")), "", "ink.file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := ink.Parse(file(c.old, c.new))
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				again, err := ink.Parse(d.Canonical())
				if err != nil || again.Digest() != d.Digest() {
					t.Errorf("the canonical bytes do not parse to themselves: %v", err)
				}
				return
			}
			if !fault.Is(err, c.want) || d.Strokes != nil {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestTheDigestIsThatOfEveryPointAndNotOfItsSpelling(t *testing.T) {
	read := func(old, new string) ink.Drawing {
		d, err := ink.Parse(file(old, new))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	good := read("", "")
	if !bytes.Equal(good.Canonical(), file("", "")) {
		t.Errorf("canonical is %s", good.Canonical())
	}
	// Kept as it was first written: a digest in old evidence must be found again.
	const kept = "47fe62aaf029d7195e1ce8b557d0b65f"
	if d := good.Digest(); !strings.HasPrefix(hex.EncodeToString(d[:]), kept) {
		t.Errorf("the digest is %x", d)
	}
	if read(`"version":1,"source":"pad"`, ` "source":"pad", "version":1`).Digest() != good.Digest() {
		t.Error("the same strokes written otherwise have another digest")
	}
	for _, c := range [][2]string{{"[4,5,6,7]", "[3,5,6,7]"}, {"[4,5,6,7]", "[4,4,6,7]"}, {"[4,5,6,7]", "[4,5,5,7]"}, {"[4,5,6,7]", "[4,5,6,6]"}, {`"pad"`, `"terminal"`}, {"]],[[", "],["}} {
		if read(c[0], c[1]).Digest() == good.Digest() {
			t.Errorf("%s instead of %s has the same digest", c[1], c[0])
		}
	}
}

func TestACloneSharesNothing(t *testing.T) {
	d := signtest.Handwriting()
	c := d.Clone()
	before := c.Digest()
	d.Strokes[0][5].X++
	d.Strokes[1] = nil
	if c.Digest() != before {
		t.Error("it changed with the other")
	}
}

// path makes a drawing of one stroke, 10 ms from point to point, on steps of a millimetre.
func path(xy ...int) ink.Drawing {
	d := ink.Drawing{Source: ink.Terminal, Width: 1000, Height: 1000, Step: 1000, Strokes: [][]ink.Point{{}}}
	for i := 0; i < len(xy); i += 2 {
		d.Strokes[0] = append(d.Strokes[0], ink.Point{X: xy[i], Y: xy[i+1], At: 50 * i})
	}
	return d
}

func TestWhatCantBeHandwritingIsRefusedWithItsReason(t *testing.T) {
	still := path(0, 0, 10, 10, 20, 0)
	for i := range still.Strokes[0] {
		still.Strokes[0][i].At = 7
	}
	dashes := path(0, 0, 30, 0)
	dashes.Strokes = append(dashes.Strokes, []ink.Point{{X: 40, At: 500}, {X: 60, At: 900}})
	for _, c := range []struct {
		name string
		d    ink.Drawing
		want string
	}{
		{"a signature", signtest.Handwriting(), ""},
		{"initials", path(0, 10, 5, 0, 10, 10, 3, 6), ""},
		{"a cross of two strokes", ink.Drawing{Width: 99, Height: 99, Step: 1000, Strokes: [][]ink.Point{{{X: 0, Y: 0}, {X: 9, Y: 9, At: 200}}, {{X: 9, Y: 0, At: 300}, {X: 0, Y: 9, At: 400}}}}, ""},
		{"nothing", ink.Drawing{Width: 1, Height: 1, Step: 1}, "ink.empty"},
		{"a dot", path(5, 5), "ink.empty"},
		{"a pen at rest", path(5, 5, 5, 5, 5, 5, 5, 5), "ink.empty"},
		{"a comma", path(5, 5, 5, 7, 4, 8), "ink.empty"},
		{"a level line", path(0, 5, 30, 5, 60, 5), "ink.straight"},
		{"a slanting line with a shake", path(0, 0, 50, 26, 100, 50, 200, 101), "ink.straight"},
		{"to and fro on one line", path(0, 0, 50, 50, 10, 10, 60, 60), "ink.straight"},
		{"two dashes in a row", dashes, "ink.straight"},
		{"all at one moment", still, "ink.instant"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.d.Facts().Refuse()
			if got := fault.CodeOf(err); c.want == "" && err != nil || c.want != "" && got != c.want {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestFactsAreMeasured(t *testing.T) {
	d := path(10, 10, 40, 50, 40, 60)
	d.Strokes = append(d.Strokes, []ink.Point{{X: 100, Y: 20, At: 900}})
	got := d.Facts()
	want := ink.Facts{Strokes: 2, Points: 4, Duration: 900 * time.Millisecond, Length: 60, Width: 90, Height: 50, Bend: got.Bend}
	if got != want || got.Bend <= 0 || got.Bend > 1 {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if !signtest.Handwriting().Facts().Pressure {
		t.Error("the pad's pressure is not seen")
	}
}

func TestThePreviewShowsTheStrokes(t *testing.T) {
	for _, c := range []struct {
		name          string
		d             ink.Drawing
		columns, rows int
		want          []string
	}{
		{"a frame fills its cells", path(0, 0, 3, 0, 3, 3, 0, 3, 0, 0), 2, 1, []string{"⣏⣹"}},
		{"a stroke downwards is one dot wide", path(0, 0, 0, 7), 1, 2, []string{"⢸", "⢸"}},
		{"wide in high room is in the middle", path(0, 0, 3, 0), 2, 1, []string{"⠤⠤"}},
		{"nothing leaves empty cells", ink.Drawing{Width: 5, Height: 5}, 3, 2, []string{"   ", "   "}},
		{"a dot is seen", path(9, 9), 1, 1, []string{"⠠"}},
		{"no room", path(0, 0, 3, 3), 0, 4, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.d.Preview(c.columns, c.rows); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	rows := signtest.Handwriting().Preview(60, 12)
	drawn := 0
	for _, row := range rows {
		cells := []rune(row)
		if len(cells) != 60 {
			t.Fatalf("a row has %d cells", len(cells))
		}
		for _, r := range cells {
			if (r < 0x2800 || r > 0x28ff) && r != ' ' {
				t.Fatalf("%q is no braille", r)
			}
			if r > 0x2800 {
				drawn++
			}
		}
	}
	if len(rows) != 12 || drawn < 60 || drawn > 500 {
		t.Errorf("%d rows, %d cells with dots:\n%s", len(rows), drawn, strings.Join(rows, "\n"))
	}
}

func TestTheAppearanceIsPlainDrawingInBlueAndOfTheRightSize(t *testing.T) {
	line := regexp.MustCompile(`^(?:-?[0-9.]+ ){0,6}(?:RG|J|j|w|m|c|l S|S)$`)
	mm := 72 / 25.4
	tiny := path(0, 0, 5, 9, 9, 0)
	for name, c := range map[string]struct {
		d          ink.Drawing
		wide, high float64 // the most, in points
	}{
		"a pad's has its real size":        {signtest.Handwriting(), 62*mm + 4, 30*mm + 4},
		"a terminal's is as large as fits": {tiny, 164, 66},
		"a wide one is made smaller":       {path(0, 0, 900, 10, 1000, 30), 164, 66},
	} {
		a, err := c.d.Appearance()
		if err != nil {
			t.Fatal(err)
		}
		if a.Width > c.wide || a.Height > c.high || a.Width < 60 {
			t.Errorf("%s: %.1f by %.1f points", name, a.Width, a.Height)
		}
		if !bytes.HasPrefix(a.Stream, []byte("0.05 0.16 0.56 RG\n")) {
			t.Errorf("%s: it is not blue", name)
		}
		for _, s := range strings.Split(strings.TrimSpace(string(a.Stream)), "\n") {
			if !line.MatchString(s) {
				t.Fatalf("%s: %q is no plain drawing", name, s)
			}
		}
	}
	if _, err := path(3, 3).Appearance(); err == nil {
		t.Error("a dot was drawn")
	}
}

// TestSmoothingTakesStairsAwayAndStaysWithinAStep reads the curves' ends back out of the picture.
func TestSmoothingTakesStairsAwayAndStaysWithinAStep(t *testing.T) {
	var stairs []int
	for i := range 40 {
		stairs = append(stairs, (i+1)/2, i/2+i*i/40)
	}
	d := path(stairs...)
	raw := d.Digest()
	a, err := d.Appearance()
	if err != nil {
		t.Fatal(err)
	}
	if d.Digest() != raw {
		t.Fatal("the strokes themselves were smoothed")
	}
	high := float64(d.Strokes[0][39].Y)
	scale := (a.Height - 4) / high
	smoothed, felt := 0.0, 0.0
	var x, y float64
	n := 0
	for _, line := range strings.Split(string(a.Stream), "\n") {
		f := strings.Fields(line)
		if len(f) < 3 || f[len(f)-1] != "m" && f[len(f)-1] != "c" {
			continue
		}
		var px, py float64
		if _, err := fmt.Sscan(f[len(f)-3]+" "+f[len(f)-2], &px, &py); err != nil {
			t.Fatal(err)
		}
		px, py = (px-2)/scale, high-(py-2)/scale
		p := d.Strokes[0][n]
		if away := math.Hypot(px-float64(p.X), py-float64(p.Y)); away > 0.72 {
			t.Errorf("point %d was moved by %.2f steps", n, away)
		}
		if n > 0 {
			q := d.Strokes[0][n-1]
			smoothed += math.Hypot(px-x, py-y)
			felt += math.Hypot(float64(p.X-q.X), float64(p.Y-q.Y))
		}
		x, y = px, py
		n++
	}
	if n != 40 || smoothed > 0.97*felt {
		t.Errorf("%d points; the line is %.1f steps long, felt were %.1f", n, smoothed, felt)
	}
}

// TestThePictureGoesThroughWhatWasFelt renders the appearance and looks for ink at every raw point, and for none
// far from all of them.
func TestThePictureGoesThroughWhatWasFelt(t *testing.T) {
	d := signtest.Handwriting()
	a, err := d.Appearance()
	if err != nil {
		t.Fatal(err)
	}
	const dots = 5 // pixels to a point
	rows := render(t, a.Width, a.Height, a.Stream, 72*dots)
	left, low := d.Width, 0
	for _, stroke := range d.Strokes {
		for _, p := range stroke {
			left, low = min(left, p.X), max(low, p.Y)
		}
	}
	const scale = 0.01 * 72 / 25.4
	near := make([][]bool, len(rows))
	for y := range near {
		near[y] = make([]bool, len(rows[y]))
	}
	for _, stroke := range d.Strokes {
		for _, p := range stroke {
			x, y := (2+float64(p.X-left)*scale)*dots, (a.Height-2-float64(low-p.Y)*scale)*dots
			i, j := int(x), int(y)
			if rows[j][i] > 200 {
				t.Fatalf("no ink at point %+v", p)
			}
			for dy := -20; dy <= 20; dy++ {
				for dx := -20; dx <= 20; dx++ {
					if v, u := j+dy, i+dx; v >= 0 && v < len(near) && u >= 0 && u < len(near[v]) {
						near[v][u] = true
					}
				}
			}
		}
	}
	for y, row := range rows {
		for x, v := range row {
			if v < 200 && !near[y][x] {
				t.Fatalf("ink at %d, %d, where nobody wrote", x, y)
			}
		}
	}
}

// render draws a content stream on a page of its own and returns its grey rows.
func render(t *testing.T, w, h float64, stream []byte, resolution int) (rows [][]byte) {
	t.Helper()
	b := []byte("%PDF-1.7\n")
	var offsets []int
	for i, o := range []string{
		"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 1/Kids[3 0 R]>>",
		fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 %f %f]/Contents 4 0 R/Resources<<>>>>", w, h),
		fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(stream), stream),
	} {
		offsets = append(offsets, len(b))
		b = fmt.Appendf(b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := len(b)
	b = append(b, "xref\n0 5\n0000000000 65535 f \n"...)
	for _, o := range offsets {
		b = fmt.Appendf(b, "%010d 00000 n \n", o)
	}
	b = fmt.Appendf(b, "trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", start)
	in := filepath.Join(t.TempDir(), "in.pdf")
	if err := os.WriteFile(in, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out := strings.TrimSuffix(in, ".pdf")
	if said, err := exec.Command("pdftoppm", "-gray", "-r", fmt.Sprint(resolution), "-singlefile", in, out).CombinedOutput(); err != nil {
		t.Fatalf("pdftoppm (Debian's poppler-utils): %v\n%s", err, said)
	}
	data, err := os.ReadFile(out + ".pgm")
	if err != nil {
		t.Fatal(err)
	}
	var wide, high int
	if _, err := fmt.Sscanf(string(data[:24]), "P5\n%d %d\n255\n", &wide, &high); err != nil {
		t.Fatal(err)
	}
	for data = data[len(data)-wide*high:]; len(data) > 0; data = data[wide:] {
		rows = append(rows, data[:wide])
	}
	return rows
}

func FuzzParse(f *testing.F) {
	f.Add(file("", ""))
	f.Add(signtest.Handwriting().Canonical())
	f.Add(file(`"pad"`, `"terminal"`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ink.Parse(data)
		if err != nil {
			if code := fault.CodeOf(err); code != "ink.file" && code != "ink.large" {
				t.Errorf("refused without a reason: %v", err)
			}
			return
		}
		again, err := ink.Parse(d.Canonical())
		if err != nil || again.Digest() != d.Digest() {
			t.Fatalf("what was read does not parse to itself: %v", err)
		}
		facts := d.Facts()
		for _, row := range d.Preview(20, 5) {
			if len([]rune(row)) != 20 {
				t.Error("a row of the preview has another width")
			}
		}
		a, err := d.Appearance()
		if facts.Refuse() == nil && err != nil {
			t.Errorf("what is let through can't be drawn: %v", err)
		}
		if err == nil && (a.Width > 165 || a.Height > 67 || bytes.Contains(a.Stream, []byte("NaN"))) {
			t.Errorf("the picture is %g by %g points", a.Width, a.Height)
		}
	})
}

func TestTheSurfaceShowsEachPointWhereItWasWritten(t *testing.T) {
	d := ink.Drawing{Source: ink.Terminal, Width: 4, Height: 4, Step: 1000, Strokes: [][]ink.Point{{{X: 0, Y: 0}}, {{X: 3, Y: 2}}}}
	if got := d.Surface(4, 2); !slices.Equal(got, []string{"⠐   ", "   ⠐"}) {
		t.Errorf("the surface shows %q", got)
	}
	if got := (ink.Drawing{}).Surface(4, 2); got != nil {
		t.Errorf("a surface without a size shows %q", got)
	}
}

func TestACopyThatWasMovedRetimedOrEnlargedHasTheSameShape(t *testing.T) {
	shape := func(change func(*ink.Point)) [32]byte {
		d := signtest.Handwriting()
		d.Width, d.Height = 3*d.Width, 3*d.Height // room for what is changed
		for _, stroke := range d.Strokes {
			for i := range stroke {
				change(&stroke[i])
			}
		}
		s, ok := d.Shape()
		if !ok {
			t.Fatal("it has no shape")
		}
		return s
	}
	same := shape(func(*ink.Point) {})
	for name, change := range map[string]func(*ink.Point){
		"moved":    func(p *ink.Point) { p.X, p.Y = p.X+70, p.Y+11 },
		"retimed":  func(p *ink.Point) { p.At *= 2 },
		"pressed":  func(p *ink.Point) { p.Force = 3 },
		"enlarged": func(p *ink.Point) { p.X, p.Y = 3*p.X, 3*p.Y },
	} {
		if shape(change) != same {
			t.Errorf("%s, it has another shape", name)
		}
	}
	if shape(func(p *ink.Point) { p.Y += p.X % 7 }) == same {
		t.Error("another hand has the same shape")
	}
	if _, ok := path(0, 0, 10, 10, 20, 0).Shape(); ok {
		t.Error("a hook that anybody may draw has a shape")
	}
}
