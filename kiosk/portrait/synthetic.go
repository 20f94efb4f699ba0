package portrait

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
)

// Look is how a synthetic picture came out.
type Look int

// The looks of a synthetic picture: one that may be kept, and two that may not.
const (
	Sharp Look = iota
	Blurred
	Dark
)

const (
	drawnWidth, drawnHeight = 720, 960
	drawnQuality            = 90
	blurring                = 12 // pixels that become one, as of a camera out of focus
)

// Synthetic draws a face that belongs to nobody and looks drawn, for the demo and for tests. The same seed gives the
// same face.
func Synthetic(seed uint64) *image.RGBA {
	random := rand.New(rand.NewPCG(seed, 7))
	img := image.NewRGBA(image.Rect(0, 0, drawnWidth, drawnHeight))
	skin := []color.RGBA{{236, 202, 172, 255}, {214, 170, 130, 255}, {178, 128, 92, 255}}[random.IntN(3)]
	hair := []color.RGBA{{38, 30, 28, 255}, {70, 48, 34, 255}, {120, 118, 116, 255}}[random.IntN(3)]
	shirt := []color.RGBA{{46, 92, 150, 255}, {150, 60, 66, 255}, {58, 122, 84, 255}}[random.IntN(3)]
	fill(img, img.Bounds(), func(x, y int) color.RGBA { return shade(color.RGBA{196, 208, 214, 255}, -y/24) })
	const cx, cy = drawnWidth / 2, 420
	rx, ry := 168+random.IntN(30), 226+random.IntN(30)
	// Shoulders in a striped shirt, the neck, hair behind, the face, hair above the brow.
	oval(img, cx, 960, 320, 240, func(x, y int) color.RGBA {
		if (x+y)/14%2 == 0 {
			return shade(shirt, 40)
		}
		return shirt
	})
	oval(img, cx, cy+ry, 74, 130, func(int, int) color.RGBA { return shade(skin, -18) })
	strands := func(x, y int) color.RGBA { return shade(hair, (x*7+y*3)/5%23*3-20) }
	oval(img, cx, cy-34, rx+30, ry+22, strands)
	oval(img, cx, cy+18, rx, ry, func(x, y int) color.RGBA { return shade(skin, (cx-x)/14-(y-cy)/30) })
	fringe := 96 + random.IntN(40)
	oval(img, cx, cy-ry+fringe/2, rx-8, fringe, strands)
	eye := 74 + random.IntN(16)
	for _, side := range []int{-1, 1} {
		x := cx + side*eye
		oval(img, x, cy-4, 36, 19, plain(250, 250, 248))
		oval(img, x, cy-4, 17, 17, plain(62, 44, 34))
		oval(img, x, cy-4, 8, 8, plain(12, 10, 10))
		oval(img, x-5, cy-9, 4, 4, plain(255, 255, 255))
		oval(img, x, cy-46, 44, 8, func(int, int) color.RGBA { return hair })
		oval(img, x+side*18, cy+92, 34, 22, func(int, int) color.RGBA { return color.RGBA{226, 158, 138, 255} })
	}
	oval(img, cx, cy+64, 16, 46, func(int, int) color.RGBA { return shade(skin, -34) })
	oval(img, cx, cy+138, 62+random.IntN(20), 16, plain(168, 72, 72))
	oval(img, cx, cy+137, 56, 4, plain(96, 34, 38))
	return img
}

// SyntheticJPEG returns the face of a seed as a camera's file, in the given look.
func SyntheticJPEG(seed uint64, look Look) ([]byte, error) {
	img := Synthetic(seed)
	switch look {
	case Blurred:
		small := shrink(img, drawnWidth/blurring, drawnHeight/blurring)
		img = enlarge(small, drawnWidth, drawnHeight)
	case Dark:
		b := img.Bounds()
		fill(img, b, func(x, y int) color.RGBA {
			c := img.RGBAAt(x, y)
			return color.RGBA{c.R / 5, c.G / 5, c.B / 5, 255}
		})
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: drawnQuality}); err != nil {
		return nil, fmt.Errorf("encode synthetic portrait: %w", err)
	}
	return out.Bytes(), nil
}

// enlarge makes a picture larger with straight lines between its pixels.
func enlarge(img *image.RGBA, w, h int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	sw, sh := img.Rect.Dx()-1, img.Rect.Dy()-1
	fill(out, out.Rect, func(x, y int) color.RGBA {
		px, py := x*sw*256/w, y*sh*256/h
		a, b := img.RGBAAt(px>>8, py>>8), img.RGBAAt(px>>8+1, py>>8)
		c, d := img.RGBAAt(px>>8, py>>8+1), img.RGBAAt(px>>8+1, py>>8+1)
		mix := func(a, b, c, d uint8) uint8 {
			fx, fy := px&255, py&255
			top := int(a)*(256-fx) + int(b)*fx
			return uint8((top*(256-fy) + (int(c)*(256-fx)+int(d)*fx)*fy) >> 16)
		}
		return color.RGBA{mix(a.R, b.R, c.R, d.R), mix(a.G, b.G, c.G, d.G), mix(a.B, b.B, c.B, d.B), 255}
	})
	return out
}

// fill paints a rectangle.
func fill(img *image.RGBA, r image.Rectangle, paint func(x, y int) color.RGBA) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			img.SetRGBA(x, y, paint(x, y))
		}
	}
}

// oval paints an ellipse around cx, cy.
func oval(img *image.RGBA, cx, cy, rx, ry int, paint func(x, y int) color.RGBA) {
	box := image.Rect(cx-rx, cy-ry, cx+rx+1, cy+ry+1).Intersect(img.Bounds())
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			dx, dy := (x-cx)*ry, (y-cy)*rx
			if dx*dx+dy*dy <= rx*rx*ry*ry {
				img.SetRGBA(x, y, paint(x, y))
			}
		}
	}
}

// plain paints one colour.
func plain(r, g, b uint8) func(int, int) color.RGBA {
	return func(int, int) color.RGBA { return color.RGBA{r, g, b, 255} }
}

// shade makes a colour lighter or darker.
func shade(c color.RGBA, by int) color.RGBA {
	step := func(v uint8) uint8 { return uint8(min(255, max(0, int(v)+by))) }
	return color.RGBA{step(c.R), step(c.G), step(c.B), c.A}
}
