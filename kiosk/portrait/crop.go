package portrait

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
)

// The size and quality of the portrait in a work order.
const (
	keptWidth   = 480
	keptHeight  = 640
	keptQuality = 85
)

// Normalise makes the portrait that is kept: upright, cut to 3:4, at most 480 × 640, baseline JPEG without metadata.
// The same picture gives the same bytes on every machine. Errors are those of Inspect; a picture whose facts fail is
// normalised all the same.
func Normalise(data []byte, limits Limits) ([]byte, error) {
	p, err := decode(data, limits)
	if err != nil {
		return nil, err
	}
	return p.normalise()
}

func (p picture) normalise() ([]byte, error) {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, p.kept(), &jpeg.Options{Quality: keptQuality}); err != nil {
		return nil, fmt.Errorf("encode portrait: %w", err)
	}
	return out.Bytes(), nil
}

// kept returns the picture that is kept. One that is small and upright already is cut without leaving its own colours.
func (p picture) kept() image.Image {
	part, w, h := p.part(keptWidth, keptHeight)
	if y, ok := p.img.(*image.YCbCr); ok && p.turn == 1 && part.Dx() == w && part.Dy() == h {
		return y.SubImage(part)
	}
	return p.crop(keptWidth, keptHeight)
}

// crop returns the 3:4 part of the upright picture, shrunk to fit w × h and never enlarged.
func (p picture) crop(w, h int) *image.RGBA {
	source, w, h := p.part(w, h)
	return upright(shrink(flat(p.img, source), w, h), p.turn)
}

// part returns where the 3:4 part lies in the picture as the camera wrote it, and the size to which it shrinks there to
// fit w × h when it is upright.
func (p picture) part(w, h int) (image.Rectangle, int, int) {
	part := portraitPart(p.width, p.height)
	if part.Dx() < w || part.Dy() < h {
		w, h = part.Dx(), part.Dy()
	}
	if p.turn >= 5 {
		w, h = h, w
	}
	return p.lying(part), w, h
}

// portraitPart returns the 3:4 part of a w × h picture: from the middle, and a third from the top, where heads are.
func portraitPart(w, h int) image.Rectangle {
	if w*4 > h*3 {
		cw := max(1, h*3/4)
		x := (w - cw) / 2
		return image.Rect(x, 0, x+cw, h)
	}
	ch := max(1, w*4/3)
	y := (h - ch) / 3
	return image.Rect(0, y, w, y+ch)
}

// lying returns where a part of the upright picture lies in the picture as the camera wrote it.
func (p picture) lying(part image.Rectangle) image.Rectangle {
	b := p.img.Bounds()
	x0, y0 := turned(p.turn, part.Min.X, part.Min.Y, b.Dx(), b.Dy())
	x1, y1 := turned(p.turn, part.Max.X-1, part.Max.Y-1, b.Dx(), b.Dy())
	return image.Rect(min(x0, x1), min(y0, y1), max(x0, x1)+1, max(y0, y1)+1).Add(b.Min)
}

// turned returns the pixel, in a picture of w × h with the given EXIF orientation, that is seen at x, y.
func turned(turn, x, y, w, h int) (int, int) {
	switch turn {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return y, h - 1 - x
	case 7:
		return w - 1 - y, h - 1 - x
	case 8:
		return w - 1 - y, x
	}
	return x, y
}

// upright turns a picture by its EXIF orientation.
func upright(img *image.RGBA, turn int) *image.RGBA {
	if turn == 1 {
		return img
	}
	b := img.Bounds()
	out := image.NewRGBA(b)
	if turn >= 5 {
		out = image.NewRGBA(image.Rect(0, 0, b.Dy(), b.Dx()))
	}
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			sx, sy := turned(turn, x, y, b.Dx(), b.Dy())
			copy(out.Pix[out.PixOffset(x, y):][:4], img.Pix[img.PixOffset(sx, sy):][:4])
		}
	}
	return out
}

// shrink makes a picture smaller by averaging the area under each new pixel. It counts in whole numbers, because
// floating point would make other bytes on another processor. The picture must start at 0,0.
func shrink(img *image.RGBA, w, h int) *image.RGBA {
	sw, sh := img.Rect.Dx(), img.Rect.Dy()
	w, h = max(1, min(w, sw)), max(1, min(h, sh))
	if w == sw && h == sh {
		return img
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	sum := make([]uint64, w*3)
	row := make([]uint64, w*3)
	y := 0 // The new row that is being summed. Each old row covers h units, each new one sh.
	for sy := range sh {
		shrinkRow(row, img.Pix[sy*img.Stride:][:sw*4], w, sw)
		first := min(h, (y+1)*sh-sy*h)
		for i, v := range row {
			sum[i] += v * uint64(first)
		}
		if (sy+1)*h < (y+1)*sh {
			continue
		}
		for i, v := range sum {
			out.Pix[y*out.Stride+i/3*4+i%3] = uint8((v/uint64(sh) + 128) >> 8)
			sum[i] = row[i] * uint64(h-first)
		}
		for x := range w {
			out.Pix[y*out.Stride+x*4+3] = 255
		}
		y++
	}
	return out
}

// shrinkRow averages a row of sw pixels into w, each colour times 256.
func shrinkRow(row []uint64, pix []uint8, w, sw int) {
	for x := range w {
		from, to := x*sw, (x+1)*sw // Each old pixel covers w units.
		var r, g, b uint64
		for i := from / w; i*w < to; i++ {
			weight := uint64(min(to, (i+1)*w) - max(from, i*w))
			r += weight * uint64(pix[i*4])
			g += weight * uint64(pix[i*4+1])
			b += weight * uint64(pix[i*4+2])
		}
		row[x*3], row[x*3+1], row[x*3+2] = r*256/uint64(sw), g*256/uint64(sw), b*256/uint64(sw)
	}
}

// shrinkGrey is shrink for one plane of grey, whose rows of sw pixels are stride apart.
func shrinkGrey(pix []uint8, stride, sw, sh, w, h int) []uint8 {
	columns := spansOf(sw, w)
	out := make([]uint8, 0, w*h)
	sum, row := make([]uint64, w), make([]uint64, w)
	area := uint64(sw) * uint64(sh)
	y := 0 // The new row that is being summed, as in shrink.
	for sy := range sh {
		from := pix[sy*stride:][:sw]
		for x, c := range columns {
			inner := uint64(0)
			for i := c.first + 1; i < c.last; i++ {
				inner += uint64(from[i])
			}
			row[x] = c.head*uint64(from[c.first]) + uint64(w)*inner + c.tail*uint64(from[c.last])
		}
		first := uint64(min(h, (y+1)*sh-sy*h))
		for i, v := range row {
			sum[i] += v * first
		}
		if (sy+1)*h < (y+1)*sh {
			continue
		}
		for i, v := range sum {
			out = append(out, uint8((v+area/2)/area))
			sum[i] = row[i] * (uint64(h) - first)
		}
		y++
	}
	return out
}

// span is which old pixels a new one covers: the first and the last of them in part, those between them whole.
type span struct {
	first, last int
	head, tail  uint64 // units of the first and of the last; a whole pixel has as many as there are new ones
}

// spansOf divides a row of old pixels among fewer, or as many, new ones.
func spansOf(old, fewer int) []span {
	out := make([]span, fewer)
	for x := range out {
		from, to := x*old, (x+1)*old
		s := span{first: from / fewer, last: (to - 1) / fewer}
		s.head = uint64((s.first+1)*fewer - from)
		s.tail = uint64(to - s.last*fewer)
		if s.first == s.last { // Only when nothing shrinks.
			s.tail = 0
		}
		out[x] = s
	}
	return out
}
