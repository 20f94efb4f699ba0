package display_test

import (
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"countersign/internal/tui"
	"countersign/internal/tui/tuitest"
)

// photo takes the picture that a phone sees: each cell's two halves in the colours that the terminal was told.
func photo(t *testing.T, c *tui.Canvas) image.Image {
	t.Helper()
	theme, err := tui.ThemeByName("dark")
	if err != nil {
		t.Fatal(err)
	}
	w, h := c.Size()
	const side = 4
	img := image.NewGray(image.Rect(0, 0, w*side, h*2*side))
	fore, back := color.Gray{}, color.Gray{}
	x, y := 0, 0
	rows := strings.Split(c.Render(theme), "\x1b[")
	for _, part := range rows {
		end := strings.IndexFunc(part, func(r rune) bool { return r >= 'A' && r <= 'z' })
		if end < 0 {
			continue
		}
		args, final, text := part[:end], part[end], part[end+1:]
		switch final {
		case 'H':
			y, x = position(args)
		case 'm':
			fore, back = colours(args)
		}
		for _, g := range tui.Graphemes(text) {
			for i := range 2 * side * side {
				px := back
				if i < side*side && g == "▀" {
					px = fore
				}
				img.SetGray(x*side+i%side, y*2*side+i/side, px)
			}
			x += tui.Width(g)
		}
	}
	return img
}

func position(args string) (y, x int) {
	a, b, _ := strings.Cut(args, ";")
	return number(a) - 1, number(b) - 1
}

func number(s string) int {
	n := 0
	for _, r := range s {
		n = n*10 + int(r-'0')
	}
	return max(n, 1)
}

// colours reads the 24-bit colours; what has none is the dark canvas.
func colours(args string) (fore, back color.Gray) {
	f := strings.Split(args, ";")
	for i := 0; i+4 < len(f); i++ {
		if f[i+1] == "2" && f[i] == "38" {
			fore = color.Gray{uint8(number(f[i+2]) * min(number0(f[i+2]), 1))}
		}
		if f[i+1] == "2" && f[i] == "48" {
			back = color.Gray{uint8(number(f[i+2]) * min(number0(f[i+2]), 1))}
		}
	}
	return fore, back
}

func number0(s string) int {
	if s == "0" {
		return 0
	}
	return number(s)
}

func TestEnrolmentCodeIsReadByAPhone(t *testing.T) {
	long := "otpauth://totp/CS:" + strings.Repeat("a", 36) + "?secret=JBSWY3DPEHPK3PXP"
	if len(long) != 78 {
		t.Fatalf("the longest address has %d bytes", len(long))
	}
	for _, uri := range []string{enrolURI, long} {
		s := enrol()
		s.Confirm.Enrol = uri
		d := newDesk(t, s)
		c := d.canvas()
		bmp, err := gozxing.NewBinaryBitmapFromImage(photo(t, c))
		if err != nil {
			t.Fatal(err)
		}
		got, err := qrcode.NewQRCodeReader().Decode(bmp, nil)
		if err != nil {
			t.Fatalf("%v; the screen:\n%s", err, c.Plain())
		}
		if got.GetText() != uri {
			t.Errorf("the phone reads %q, want %q", got.GetText(), uri)
		}
		if strings.Contains(c.Plain(), "JBSW") {
			t.Error("the secret is on the screen in letters")
		}
	}
	d := newDesk(t, enrol())
	d.size(60, 20)
	tuitest.Golden(t, "c6-enrol-60x20.txt", d.plain())
	s := enrol()
	s.Confirm.Enrol = strings.Repeat("x", 400)
	newDesk(t, s).shows("QR")
}
