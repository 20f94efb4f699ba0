package portrait

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"reflect"
	"strings"
	"testing"

	"countersign/internal/fault"
	"countersign/internal/locale"
)

func synthetic(t testing.TB, seed uint64, look Look) []byte {
	t.Helper()
	data, err := SyntheticJPEG(seed, look)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func asJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func asPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// withSegment puts an APP or COM segment behind a JPEG's first two bytes.
func withSegment(data []byte, marker byte, body []byte) []byte {
	head := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(body)+2))
	return bytes.Join([][]byte{data[:2], head, body, data[2:]}, nil)
}

// withOrientation gives a JPEG an EXIF orientation.
func withOrientation(data []byte, turn int) []byte {
	exif := "Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(rune(turn)) + "\x00\x00"
	return withSegment(data, 0xe1, []byte(exif))
}

// pngHeader returns a PNG that claims a size and holds nothing.
func pngHeader(w, h uint32) []byte {
	body := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("IHDR"), w), h)
	body = append(body, 8, 2, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body))
}

func flatPicture(w, h int, c color.Color) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, c)
		}
	}
	return img
}

func TestASyntheticFaceComesOutAsItsLook(t *testing.T) {
	for seed := uint64(1); seed <= 6; seed++ {
		for look, code := range map[Look]string{Sharp: "", Blurred: "portrait.blurred", Dark: "portrait.dark"} {
			f, err := Inspect(synthetic(t, seed, look), DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Err(); (err == nil) != (code == "") || err != nil && !fault.Is(err, code) {
				t.Errorf("seed %d look %d: %v, want %q; %v", seed, look, err, code, f.Lines(locale.English))
			}
			bad := 0
			for _, fact := range f.Facts {
				if !fact.OK {
					bad++
				}
			}
			if look != Sharp && bad != 1 {
				t.Errorf("seed %d look %d: one fault shows in %d facts: %v", seed, look, bad, f.Lines(locale.English))
			}
		}
	}
	if !bytes.Equal(synthetic(t, 3, Sharp), synthetic(t, 3, Sharp)) || bytes.Equal(synthetic(t, 3, Sharp), synthetic(t, 4, Sharp)) {
		t.Error("a face does not follow its seed")
	}
}

func TestPicturesThatMayNotBeKept(t *testing.T) {
	tests := []struct {
		name string
		data []byte
		code string
	}{
		{"too small", asPNG(t, shrink(Synthetic(1), 240, 319)), "portrait.too_small"},
		{"all white", asJPEG(t, flatPicture(400, 400, color.White)), "portrait.bright"},
		{"all black", asJPEG(t, flatPicture(400, 400, color.Black)), "portrait.dark"},
		{"all grey", asJPEG(t, flatPicture(400, 400, color.Gray{128})), "portrait.blurred"},
		{"one pixel", asPNG(t, flatPicture(1, 1, color.White)), "portrait.too_small"},
		{"one line", asPNG(t, flatPicture(3000, 1, color.White)), "portrait.too_small"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Inspect(tt.data, DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Err(); !fault.Is(err, tt.code) {
				t.Errorf("got %v, want %s", err, tt.code)
			}
			for _, l := range locale.Langs {
				for _, s := range append(f.Lines(l), locale.Fault(l, f.Err())) {
					if strings.ContainsAny(s, "‹") || strings.Contains(s, "<no value>") {
						t.Errorf("%s: %q", l, s)
					}
				}
			}
		})
	}
}

func TestFilesThatAreNoPicture(t *testing.T) {
	whole := synthetic(t, 1, Sharp)
	tests := []struct {
		name string
		data []byte
		code string
		args fault.Args
	}{
		{"nothing", nil, "portrait.not_image", nil},
		{"a text", []byte("xin chào"), "portrait.not_image", nil},
		{"a GIF", []byte("GIF89a\x01\x00\x01\x00"), "portrait.not_image", nil},
		{"forty megabytes that begin like a JPEG", append([]byte("\xff\xd8\xff\xe0"), make([]byte, 40<<20-4)...), "portrait.too_big",
			fault.Args{"size": "40", "limit": "8"}},
		{"one byte too many", append(bytes.Clone(whole), make([]byte, 8<<20+1-len(whole))...), "portrait.too_big",
			fault.Args{"size": "9", "limit": "8"}},
		{"a PNG that claims 50,000 by 50,000", pngHeader(50_000, 50_000), "portrait.too_many_pixels",
			fault.Args{"width": "50000", "height": "50000", "limit": "25"}},
		{"a PNG whose area overflows", pngHeader(1<<31-1, 1<<31-1), "portrait.damaged", nil},
		{"a PNG without a picture", pngHeader(500, 500), "portrait.damaged", nil},
		{"a JPEG of three bytes", []byte("\xff\xd8\xff"), "portrait.damaged", nil},
		{"half a JPEG", whole[:len(whole)/2], "portrait.damaged", nil},
		{"a JPEG without its last bytes", whole[:len(whole)-40], "portrait.damaged", nil},
		{"a JPEG of a thousand passes", withSegment(whole, 0xfe, bytes.Repeat([]byte{0xff, 0xda}, 1000)), "portrait.damaged", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Inspect(tt.data, DefaultLimits())
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != tt.code {
				t.Fatalf("got %v, want %s", err, tt.code)
			}
			for name, want := range tt.args {
				if f.Args[name] != want {
					t.Errorf("%s = %q, want %q", name, f.Args[name], want)
				}
			}
			if _, err := Normalise(tt.data, DefaultLimits()); !fault.Is(err, tt.code) {
				t.Errorf("Normalise: %v, want %s", err, tt.code)
			}
			for _, l := range locale.Langs {
				if s := locale.Fault(l, err); strings.ContainsAny(s, "‹") || strings.Contains(s, "<no value>") {
					t.Errorf("%s: %q", l, s)
				}
			}
		})
	}
}

func TestFactsAreOfThePictureAsSeen(t *testing.T) {
	data := withOrientation(asJPEG(t, flatPicture(640, 480, color.Gray{120})), 6)
	f, err := Inspect(data, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if f.Format != "jpeg" || f.Width != 480 || f.Height != 640 || f.Bytes != len(data) || f.Brightness != 120 || f.Sharpness != 0 {
		t.Errorf("%+v", f)
	}
	if want := strings.ToUpper(f.SHA256[:4] + " " + f.SHA256[4:8]); f.Short() != want || len(f.SHA256) != 64 {
		t.Errorf("short hash %q", f.Short())
	}
	want := []string{"Độ nét ✗ 0, cần 100", "Sáng ✓ 120, cần 60-230", "Cỡ ✓ 480 x 640, cần 320", "Tệp ✓ " + f.Short()}
	for i, got := range f.Lines(locale.Vietnamese) {
		if got != want[i] {
			t.Errorf("line %d: %q, want %q", i, got, want[i])
		}
	}
}

func TestThePortraitIsCutUprightAndBare(t *testing.T) {
	face := Synthetic(2)
	want, err := jpeg.Decode(bytes.NewReader(normalise(t, asJPEG(t, face))))
	if err != nil {
		t.Fatal(err)
	}
	if b := want.Bounds(); b.Dx() != 480 || b.Dy() != 640 {
		t.Fatalf("size %v", b)
	}
	for turn := 1; turn <= 8; turn++ {
		out := normalise(t, withOrientation(asJPEG(t, stored(face, turn)), turn))
		if bytes.Contains(out, []byte("Exif")) || bytes.Contains(out, []byte{0xff, 0xc2}) {
			t.Errorf("orientation %d: metadata or a progressive picture", turn)
		}
		got, err := jpeg.Decode(bytes.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		if d := distance(got, want); d > 2 {
			t.Errorf("orientation %d: differs from the upright one by %d on average", turn, d)
		}
		if again := normalise(t, withOrientation(asJPEG(t, stored(face, turn)), turn)); !bytes.Equal(out, again) {
			t.Errorf("orientation %d: not the same bytes twice", turn)
		}
	}
}

func TestThePartThatIsKept(t *testing.T) {
	tests := []struct {
		name string
		w, h int
		want image.Rectangle
	}{
		{"3:4 whole", 720, 960, image.Rect(0, 0, 720, 960)},
		{"landscape from its middle", 1280, 960, image.Rect(280, 0, 1000, 960)},
		{"tall from a third", 900, 1600, image.Rect(0, 133, 900, 1333)},
		{"one pixel", 1, 1, image.Rect(0, 0, 1, 1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := portraitPart(tt.w, tt.h); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestASmallPictureIsNotEnlargedAndATransparentOneStandsOnWhite(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 330, 440))
	out, err := jpeg.Decode(bytes.NewReader(normalise(t, asPNG(t, img))))
	if err != nil {
		t.Fatal(err)
	}
	if b := out.Bounds(); b.Dx() != 330 || b.Dy() != 440 {
		t.Errorf("size %v", b)
	}
	if r, g, b, _ := out.At(100, 100).RGBA(); r>>8 < 253 || g>>8 < 253 || b>>8 < 253 {
		t.Errorf("colour %d %d %d", r>>8, g>>8, b>>8)
	}
}

func TestShrinkingKeepsTheMeanOfEveryColour(t *testing.T) {
	img := Synthetic(5)
	for _, size := range [][2]int{{480, 640}, {257, 341}, {1, 1}, {719, 959}} {
		small := shrink(img, size[0], size[1])
		if small.Rect.Dx() != size[0] || small.Rect.Dy() != size[1] {
			t.Fatalf("size %v, want %v", small.Rect, size)
		}
		for i := range 3 {
			a, b := meanOf(img, i), meanOf(small, i)
			if a-b > 1 || b-a > 1 {
				t.Errorf("%v: colour %d has mean %.1f, want %.1f", size, i, b, a)
			}
		}
	}
}

func TestABrokenExifBlockIsNoOrientation(t *testing.T) {
	whole := synthetic(t, 1, Sharp)
	for _, body := range []string{
		"Exif\x00\x00", "Exif\x00\x00II\x2a\x00\xff\xff\xff\xff", "Exif\x00\x00II\x2a\x00\x08\x00\x00\x00\xff\xff",
		"Exif\x00\x00II\x2a\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x09\x00\x00\x00",
	} {
		if got := orientation(withSegment(whole, 0xe1, []byte(body))); got != 1 {
			t.Errorf("%q gives %d", body, got)
		}
	}
	little := "Exif\x00\x00II\x2a\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x08\x00\x00\x00"
	if got := orientation(withSegment(whole, 0xe1, []byte(little))); got != 8 {
		t.Errorf("little-endian orientation is %d", got)
	}
}

func FuzzInspect(f *testing.F) {
	limits := DefaultLimits()
	limits.MaxPixels, limits.MaxBytes = 300_000, 1<<20
	face := shrink(Synthetic(1), 90, 120)
	f.Add(withOrientation(asJPEG(f, face), 6))
	f.Add(asPNG(f, face))
	f.Add(pngHeader(50_000, 50_000))
	f.Add(asJPEG(f, face)[:900])
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x02"))
	f.Fuzz(func(t *testing.T, data []byte) {
		facts, err := Inspect(data, limits)
		out, outErr := Normalise(data, limits)
		if (err == nil) != (outErr == nil) {
			t.Fatalf("Inspect %v, Normalise %v", err, outErr)
		}
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("%v is not a fault of ours", err)
			}
			return
		}
		if facts.Width*facts.Height > limits.MaxPixels || facts.Brightness < 0 || facts.Brightness > 255 || facts.Sharpness < 0 {
			t.Fatalf("%+v", facts)
		}
		config, err := jpeg.DecodeConfig(bytes.NewReader(out))
		if err != nil || config.Width > keptWidth || config.Height > keptHeight {
			t.Fatalf("portrait %+v, %v", config, err)
		}
	})
}

func normalise(t *testing.T, data []byte) []byte {
	t.Helper()
	out, err := Normalise(data, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// stored returns the picture as a camera held in the given orientation writes it.
func stored(img *image.RGBA, turn int) *image.RGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	if turn >= 5 {
		w, h = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			sx, sy := turned(turn, x, y, w, h)
			out.SetRGBA(sx, sy, img.RGBAAt(x, y))
		}
	}
	return out
}

// distance returns the mean difference of two pictures in green.
func distance(a, b image.Image) int {
	if a.Bounds() != b.Bounds() {
		return 255
	}
	sum, r := 0, a.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			_, ga, _, _ := a.At(x, y).RGBA()
			_, gb, _, _ := b.At(x, y).RGBA()
			sum += max(int(ga>>8)-int(gb>>8), int(gb>>8)-int(ga>>8))
		}
	}
	return sum / (r.Dx() * r.Dy())
}

func meanOf(img *image.RGBA, channel int) float64 {
	sum := 0
	for i := channel; i < len(img.Pix); i += 4 {
		sum += int(img.Pix[i])
	}
	return float64(sum) / float64(len(img.Pix)/4)
}

func TestTakeTellsAndKeepsWhatInspectAndNormaliseDo(t *testing.T) {
	for _, look := range []Look{Sharp, Blurred, Dark} {
		data, err := SyntheticJPEG(7, look)
		if err != nil {
			t.Fatal(err)
		}
		facts, err := Inspect(data, DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		kept, err := Normalise(data, DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		gotFacts, gotKept, err := Take(data, DefaultLimits())
		if err != nil || !reflect.DeepEqual(gotFacts, facts) || !bytes.Equal(gotKept, kept) {
			t.Errorf("look %d: Take differs: %v, %+v", look, err, gotFacts)
		}
	}
}
