package portrait

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"strconv"

	"countersign/internal/fault"
)

// picture is a decoded picture and how it is to be turned.
type picture struct {
	img           image.Image
	format        string
	turn          int // EXIF orientation, 1 to 8
	width, height int // after turning
}

// maxScans bounds the work of a JPEG that is sent in many passes: cameras need ten, an attack needs thousands.
const maxScans = 400

// decode decodes a JPEG or PNG within the limits.
func decode(data []byte, l Limits) (picture, error) {
	if err := l.checkSize(int64(len(data))); err != nil {
		return picture{}, err
	}
	p := picture{turn: 1}
	read, size := jpeg.Decode, jpeg.DecodeConfig
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		p.format, p.turn = "jpeg", orientation(data)
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		p.format, read, size = "png", png.Decode, png.DecodeConfig
	default:
		return picture{}, fault.New(fault.Invalid, "portrait.not_image", nil)
	}
	config, err := size(bytes.NewReader(data))
	if err != nil {
		return picture{}, damaged(err)
	}
	if config.Width <= 0 || config.Height <= 0 || config.Width > l.MaxPixels/config.Height {
		return picture{}, fault.New(fault.Invalid, "portrait.too_many_pixels", fault.Args{
			"width": strconv.Itoa(config.Width), "height": strconv.Itoa(config.Height),
			"limit": strconv.Itoa(l.MaxPixels / 1_000_000),
		})
	}
	if p.format == "jpeg" && bytes.Count(data, []byte{0xff, 0xda}) > maxScans {
		return picture{}, damaged(nil)
	}
	if p.img, err = read(bytes.NewReader(data)); err != nil {
		return picture{}, damaged(err)
	}
	p.width, p.height = config.Width, config.Height
	if p.turn >= 5 {
		p.width, p.height = p.height, p.width
	}
	return p, nil
}

// checkSize refuses a file that is too big.
func (l Limits) checkSize(n int64) error {
	if n <= int64(l.MaxBytes) {
		return nil
	}
	return fault.New(fault.Invalid, "portrait.too_big", fault.Args{
		"size": strconv.FormatInt((n+1<<20-1)>>20, 10), "limit": strconv.Itoa(l.MaxBytes >> 20),
	})
}

func damaged(err error) error { return fault.Wrap(err, fault.Invalid, "portrait.damaged", nil) }

// orientation returns the EXIF orientation of a JPEG, 1 when it has none. It looks only at what stands before the
// picture itself.
func orientation(data []byte) int {
	for i := 2; i+4 <= len(data) && data[i] == 0xff; {
		marker := data[i+1]
		if marker == 0xff { // A fill byte.
			i++
			continue
		}
		n := int(binary.BigEndian.Uint16(data[i+2:]))
		if marker == 0xda || n < 2 || i+2+n > len(data) {
			return 1
		}
		segment := data[i+4 : i+2+n]
		if exif, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); marker == 0xe1 && ok {
			return tiffOrientation(exif)
		}
		i += 2 + n
	}
	return 1
}

// tiffOrientation finds tag 0x0112 in the first directory of a TIFF header.
func tiffOrientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if b[0] == 'I' {
		order = binary.LittleEndian
	}
	at := uint64(order.Uint32(b[4:]))
	if at+2 > uint64(len(b)) {
		return 1
	}
	entries := b[at+2:]
	for n := order.Uint16(b[at:]); n > 0 && len(entries) >= 12; n-- {
		if order.Uint16(entries) == 0x0112 {
			if v := int(order.Uint16(entries[8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
}

// flat copies a part of a picture into plain RGBA, on white where it is transparent.
func flat(img image.Image, part image.Rectangle) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, part.Dx(), part.Dy()))
	if o, ok := img.(interface{ Opaque() bool }); ok && o.Opaque() {
		draw.Draw(out, out.Bounds(), img, part.Min, draw.Src)
		return out
	}
	draw.Draw(out, out.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(out, out.Bounds(), img, part.Min, draw.Over)
	return out
}
