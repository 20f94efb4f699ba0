package portrait

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestHalfBlocksKeepTheShapeWithinTheBox(t *testing.T) {
	tests := []struct {
		name                string
		img                 image.Image
		w, h, columns, rows int
	}{
		{"a portrait in K12's frame", Synthetic(1), 26, 14, 21, 14},
		{"a portrait in a narrow box", Synthetic(1), 9, 30, 9, 6},
		{"a line", flatPicture(500, 1, color.White), 20, 5, 20, 1},
		{"a picture smaller than the box", flatPicture(3, 4, color.White), 26, 14, 3, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cells := Blocks(tt.img, tt.w, tt.h)
			if len(cells) != tt.rows || len(cells[0]) != tt.columns {
				t.Fatalf("%d by %d cells, want %d by %d", len(cells[0]), len(cells), tt.columns, tt.rows)
			}
		})
	}
	if Blocks(Synthetic(1), 0, 5) != nil || Blocks(image.NewRGBA(image.Rectangle{}), 5, 5) != nil {
		t.Error("cells without room or picture")
	}
}

func TestTheUpperHalfIsThePixelAbove(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 2, 4))
	for y, c := range []color.RGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {9, 9, 9, 255}} {
		img.SetRGBA(0, y, c)
		img.SetRGBA(1, y, c)
	}
	got := Blocks(img, 2, 2)
	if got[0][1].Upper != (color.RGBA{255, 0, 0, 255}) || got[0][1].Lower != (color.RGBA{0, 255, 0, 255}) ||
		got[1][0].Upper != (color.RGBA{0, 0, 255, 255}) || got[1][0].Lower != (color.RGBA{9, 9, 9, 255}) {
		t.Errorf("%v", got)
	}
}

func TestAKittyPlacementCarriesThePictureAndNumbersEveryCell(t *testing.T) {
	p, err := Kitty(Synthetic(1), 0x010203, 26, 14)
	if err != nil {
		t.Fatal(err)
	}
	var payload strings.Builder
	for i, s := range p.Transmit {
		body, ok := strings.CutPrefix(s, "\x1b_G")
		body, ok2 := strings.CutSuffix(body, "\x1b\\")
		keys, data, ok3 := strings.Cut(body, ";")
		if !ok || !ok2 || !ok3 || len(data) > 4096 {
			t.Fatalf("chunk %d is malformed", i)
		}
		want := "m=1"
		if i == len(p.Transmit)-1 {
			want = "m=0"
		}
		if i == 0 {
			want = "a=T,U=1,f=100,t=d,q=2,i=66051,c=21,r=14," + want
		}
		if keys != want {
			t.Errorf("chunk %d has keys %q, want %q", i, keys, want)
		}
		payload.WriteString(data)
	}
	file, err := base64.StdEncoding.DecodeString(payload.String())
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != 210 || b.Dy() != 280 {
		t.Errorf("picture of %v", b)
	}
	if len(p.Rows) != 14 || p.Columns != 21 {
		t.Fatalf("%d rows of %d", len(p.Rows), p.Columns)
	}
	// The protocol's first four marks: U+0305, U+030D, U+030E, U+0310.
	start := "\x1b[38;2;1;2;3m\U0010EEEE\u030e\u0305\U0010EEEE\u030e\u030d\U0010EEEE\u030e\u030e\U0010EEEE\u030e\u0310"
	if !strings.HasPrefix(p.Rows[2], start) || !strings.HasSuffix(p.Rows[2], "\x1b[39m") {
		t.Errorf("row 2 is %q", p.Rows[2])
	}
	if n := utf8.RuneCountInString(strings.TrimSuffix(p.Rows[2][len("\x1b[38;2;1;2;3m"):], "\x1b[39m")); n != 3*21 {
		t.Errorf("row of %d characters", n)
	}
	if p.Delete != "\x1b_Ga=d,d=I,i=66051,q=2\x1b\\" {
		t.Errorf("delete is %q", p.Delete)
	}
	if got, want := Tmux(p.Delete), "\x1bPtmux;\x1b\x1b_Ga=d,d=I,i=66051,q=2\x1b\x1b\\\x1b\\"; got != want {
		t.Errorf("through tmux %q, want %q", got, want)
	}
	for _, id := range []uint32{0, 1 << 24} {
		if _, err := Kitty(Synthetic(1), id, 5, 5); err == nil {
			t.Errorf("picture %d was placed", id)
		}
	}
}
