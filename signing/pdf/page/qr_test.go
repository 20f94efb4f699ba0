package page

import (
	"image"
	"image/color"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/boombuler/barcode/qr"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// picture draws a code with a quiet zone, four pixels a module.
func picture(q *qrCode) image.Image {
	const scale, quiet = 4, 4
	m := image.NewGray(image.Rect(0, 0, (q.n+2*quiet)*scale, (q.n+2*quiet)*scale))
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			mx, my := x/scale-quiet, y/scale-quiet
			light := mx < 0 || my < 0 || mx >= q.n || my >= q.n || !q.is(mx, my)
			if light {
				m.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	return m
}

func TestAnotherProgramReadsTheQRCodeOfEveryLength(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for n := 1; n <= 213; n++ {
		var b strings.Builder
		for range n {
			b.WriteByte(byte(' ' + rnd.IntN(95)))
		}
		text := b.String()
		q, err := encodeQR(text)
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		bitmap, err := gozxing.NewBinaryBitmapFromImage(picture(q))
		if err != nil {
			t.Fatal(err)
		}
		got, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
		if err != nil {
			t.Fatalf("%d bytes: the code can't be read: %v", n, err)
		}
		if got.GetText() != text {
			t.Fatalf("%d bytes: read %q, want %q", n, got.GetText(), text)
		}
	}
}

func TestQRCodeHasTheSizeThatAnotherEncoderGivesIt(t *testing.T) {
	for _, n := range []int{14, 15, 26, 27, 42, 43, 62, 63, 84, 106, 107, 122, 152, 180, 213} {
		text := strings.Repeat("a", n)
		ours, err := encodeQR(text)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := qr.Encode(text, qr.M, qr.Unicode)
		if err != nil {
			t.Fatal(err)
		}
		if w := theirs.Bounds().Dx(); ours.n != w {
			t.Errorf("%d bytes: %d modules, want %d", n, ours.n, w)
		}
	}
}

func TestTextTooLongForAQRCodeIsRefused(t *testing.T) {
	if _, err := encodeQR(strings.Repeat("a", 214)); err == nil {
		t.Error("214 bytes were accepted")
	}
}

func BenchmarkQR(b *testing.B) {
	for b.Loop() {
		if _, err := encodeQR("K7QF-2M9X-84TD"); err != nil {
			b.Fatal(err)
		}
	}
}
