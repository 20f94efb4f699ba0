package page

import (
	"bytes"
	"fmt"
	"image/color"
	"image/jpeg"
)

// maxSide bounds the sides of a picture, in pixels.
const maxSide = 1 << 14

// Image is a picture that a document can draw, any number of times.
type Image struct {
	Width, Height int
	filter        string
	space         string
	data          []byte
}

// JPEG returns a picture that is embedded exactly as given. Only grey and colour (YCbCr) pictures are taken.
func JPEG(data []byte) (*Image, error) {
	c, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("picture of %d bytes is not a JPEG: %w", len(data), err)
	}
	if c.Width < 1 || c.Height < 1 || c.Width > maxSide || c.Height > maxSide {
		return nil, fmt.Errorf("picture is %d×%d pixels, more than %d", c.Width, c.Height, maxSide)
	}
	space := "/DeviceRGB"
	switch c.ColorModel {
	case color.GrayModel:
		space = "/DeviceGray"
	case color.YCbCrModel, color.RGBAModel:
	default:
		return nil, fmt.Errorf("picture's colours are neither grey nor RGB")
	}
	return &Image{Width: c.Width, Height: c.Height, filter: "/DCTDecode", space: space, data: data}, nil
}

// RGB returns a picture of three bytes a pixel, row by row.
func RGB(width, height int, pixels []byte) (*Image, error) {
	if width < 1 || height < 1 || width > maxSide || height > maxSide || len(pixels) != 3*width*height {
		return nil, fmt.Errorf("picture of %d×%d pixels has %d bytes", width, height, len(pixels))
	}
	return &Image{
		Width: width, Height: height, filter: "/FlateDecode", space: "/DeviceRGB",
		data: appendDeflate(nil, pixels),
	}, nil
}
