// Package portrait takes a customer's picture from a file or a watched folder, says in figures whether it is good
// enough, and makes the small JPEG that goes into the work order.
//
// Invariants: nothing is decoded before its size in bytes and in pixels is known to be within the limits; what a
// picture is, is told by its content and never by its name; the JPEG that Normalise makes carries no metadata of the
// camera and is the same bytes for the same picture; a Folder never gives out a picture of another visit.
// The figures judge the picture, not the person: whether it is the right face is for people.
//
// Start reading at Inspect and Normalise; Folder is where pictures come from; Blocks and Kitty show them.
package portrait

import (
	"crypto/sha256"
	"encoding/hex"
	"image"
	"slices"
	"strconv"
	"strings"

	"countersign/internal/fault"
	"countersign/internal/locale"
)

// Limits say what is accepted.
type Limits struct {
	MaxBytes      int // size of the file
	MaxPixels     int // width times height
	MinSide       int // shorter side, in pixels
	MinSharpness  int // see Facts.Sharpness
	MinBrightness int // see Facts.Brightness
	MaxBrightness int
}

// DefaultLimits returns the limits of a counter: 8 MB, 25 million pixels, sides of 320, sharpness 100, brightness 60
// to 230.
func DefaultLimits() Limits {
	return Limits{
		MaxBytes: 8 << 20, MaxPixels: 25_000_000, MinSide: 320,
		MinSharpness: 100, MinBrightness: 60, MaxBrightness: 230,
	}
}

// Facts is what can be said of a picture.
type Facts struct {
	Format     string `json:"format"` // "jpeg" or "png"
	Width      int    `json:"width"`  // as seen, after the camera's orientation
	Height     int    `json:"height"`
	Bytes      int    `json:"bytes"`
	Sharpness  int    `json:"sharpness"`  // variance of the Laplacian of the crop, grey, 256 wide, contrast stretched
	Brightness int    `json:"brightness"` // mean grey of the crop, 0 to 255
	SHA256     string `json:"sha256"`     // hex, of the file
	Facts      []Fact `json:"facts"`
}

// Fact is one figure against its limit.
type Fact struct {
	Name  string            `json:"name"` // "sharpness", "brightness", "size", "file"
	OK    bool              `json:"ok"`
	Args  map[string]string `json:"args"`
	Fault string            `json:"fault,omitempty"` // code of the failure, when it is not OK
}

// Inspect measures a picture. A picture that is unfit to be kept is no error: its Facts say so, and Facts.Err.
//
// The error, when there is no picture to speak of, is a *fault.Error of code portrait.too_big, portrait.not_image,
// portrait.too_many_pixels or portrait.damaged.
func Inspect(data []byte, limits Limits) (Facts, error) {
	p, err := decode(data, limits)
	if err != nil {
		return Facts{}, err
	}
	return p.inspect(data, limits), nil
}

// Take is Inspect and Normalise in one, for a picture that is decoded once.
func Take(data []byte, limits Limits) (Facts, []byte, error) {
	p, err := decode(data, limits)
	if err != nil {
		return Facts{}, nil, err
	}
	out, err := p.normalise()
	return p.inspect(data, limits), out, err
}

func (p picture) inspect(data []byte, limits Limits) Facts {
	sum := sha256.Sum256(data)
	f := Facts{
		Format: p.format, Width: p.width, Height: p.height, Bytes: len(data), SHA256: hex.EncodeToString(sum[:]),
	}
	grey, w := p.grey()
	f.Brightness = mean(grey)
	f.Sharpness = sharpness(grey, w)
	f.judge(limits)
	return f
}

// judge holds the figures against the limits, in the order of the screen.
func (f *Facts) judge(l Limits) {
	blurred, light, small := "", "", ""
	if f.Sharpness < l.MinSharpness {
		blurred = "portrait.blurred"
	}
	switch {
	case f.Brightness < l.MinBrightness:
		light = "portrait.dark"
	case f.Brightness > l.MaxBrightness:
		light = "portrait.bright"
	}
	if min(f.Width, f.Height) < l.MinSide {
		small = "portrait.too_small"
	}
	f.add("sharpness", blurred, map[string]string{
		"have": strconv.Itoa(f.Sharpness), "need": strconv.Itoa(l.MinSharpness),
	})
	f.add("brightness", light, map[string]string{
		"have": strconv.Itoa(f.Brightness), "need": strconv.Itoa(l.MinBrightness), "limit": strconv.Itoa(l.MaxBrightness),
	})
	f.add("size", small, map[string]string{
		"width": strconv.Itoa(f.Width), "height": strconv.Itoa(f.Height), "need": strconv.Itoa(l.MinSide),
	})
	f.add("file", "", map[string]string{"hash": f.Short()})
}

// add notes a fact; an empty code means that it is in order.
func (f *Facts) add(name, code string, args map[string]string) {
	f.Facts = append(f.Facts, Fact{Name: name, OK: code == "", Args: args, Fault: code})
}

// Short returns the beginning of the file's hash as screens show it: "8C1D 40AA".
func (f Facts) Short() string {
	if len(f.SHA256) < 8 {
		return ""
	}
	s := strings.ToUpper(f.SHA256[:8])
	return s[:4] + " " + s[4:]
}

// Err returns what is wrong with the picture as a *fault.Error (portrait.too_small, portrait.dark, portrait.bright,
// portrait.blurred: the first of these that holds, since it may cause the next), nil when it may be kept.
func (f Facts) Err() error {
	for _, fact := range slices.Backward(f.Facts) {
		if !fact.OK {
			return fault.New(fault.Invalid, fact.Fault, fact.Args)
		}
	}
	return nil
}

// Label returns the fact's name for people.
func (f Fact) Label(l locale.Lang) string { return locale.Text(l, "portrait.fact."+f.Name, nil) }

// Text returns the figure and its limit for people, without the mark.
func (f Fact) Text(l locale.Lang) string {
	args := make(locale.Args, len(f.Args))
	for name, value := range f.Args {
		args[name] = value
	}
	return locale.Text(l, "portrait.figure."+f.Name, args)
}

// Lines says the facts in words, one a line, for a terminal that can't show the picture.
func (f Facts) Lines(l locale.Lang) []string {
	out := make([]string, 0, len(f.Facts))
	for _, fact := range f.Facts {
		mark := "✓"
		if !fact.OK {
			mark = "✗"
		}
		out = append(out, fact.Label(l)+" "+mark+" "+fact.Text(l))
	}
	return out
}

// measureWidth is the width at which sharpness is measured, so that it does not depend on the camera.
const measureWidth = 256

// grey returns the crop in grey, at most measureWidth wide, row by row, with its width. A JPEG's own grey is taken as it
// lies, turned or not: no figure depends on that.
func (p picture) grey() ([]uint8, int) {
	if y, ok := p.img.(*image.YCbCr); ok {
		part, w, h := p.part(measureWidth, measureWidth*4/3)
		return shrinkGrey(y.Y[y.YOffset(part.Min.X, part.Min.Y):], y.YStride, part.Dx(), part.Dy(), w, h), w
	}
	img := p.crop(measureWidth, measureWidth*4/3)
	b := img.Bounds()
	out := make([]uint8, 0, b.Dx()*b.Dy())
	for y := range b.Dy() {
		row := img.Pix[y*img.Stride:]
		for x := range b.Dx() {
			out = append(out, luma(row[4*x], row[4*x+1], row[4*x+2]))
		}
	}
	return out, b.Dx()
}

// luma returns the grey of a colour (ITU-R BT.601).
func luma(r, g, b uint8) uint8 {
	return uint8((299*int(r) + 587*int(g) + 114*int(b) + 500) / 1000)
}

// mean returns the mean of grey values.
func mean(grey []uint8) int {
	sum := 0
	for _, v := range grey {
		sum += int(v)
	}
	return sum / max(1, len(grey))
}

// minSpread keeps a flat picture's noise from being stretched into detail.
const minSpread = 64

// sharpness returns the variance of the Laplacian after stretching the contrast, so that a dark picture is not called
// a blurred one.
func sharpness(grey []uint8, w int) int {
	h := len(grey) / max(1, w)
	if w < 3 || h < 3 {
		return 0
	}
	lo, hi := spread(grey)
	scale := max(minSpread, hi-lo)
	var stretched [256]int
	for v := range stretched {
		stretched[v] = min(255, max(0, v-lo)*255/scale)
	}
	level := make([]int, len(grey))
	for i, v := range grey {
		level[i] = stretched[v]
	}
	sum, squares, n := 0, 0, (w-2)*(h-2)
	for y := 1; y < h-1; y++ {
		above, row, below := level[(y-1)*w:][:w], level[y*w:][:w], level[(y+1)*w:][:w]
		for x := 1; x < w-1; x++ {
			d := above[x] + below[x] + row[x-1] + row[x+1] - 4*row[x]
			sum += d
			squares += d * d
		}
	}
	return squares/n - (sum/n)*(sum/n)
}

// spread returns the grey values below and above which a hundredth of the picture lies.
func spread(grey []uint8) (lo, hi int) {
	var count [256]int
	for _, v := range grey {
		count[v]++
	}
	tail := len(grey) / 100
	for sum := count[0]; sum <= tail && lo < 255; sum += count[lo] {
		lo++
	}
	hi = 255
	for sum := count[255]; sum <= tail && hi > lo; sum += count[hi] {
		hi--
	}
	return lo, hi
}
