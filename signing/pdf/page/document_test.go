package page

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/signing/pdf/font"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, clock.Vietnam)

func serif(size float64) Style { return Style{Fonts: []*font.Font{font.Fonts().Serif}, Size: size} }

// everything makes a document that uses all that the package can draw.
func everything(t testing.TB) *Document {
	t.Helper()
	d := New(Info{Title: "Phiếu (thử)", Author: "Điện lực", Subject: `a\b`, Language: "vi", Created: noon})
	p := d.AddPage(A4Width, A4Height)
	p.Text(60, 60, serif(13), "Nguyễn Văn Thử (1) \\ 3,0 kW")
	heavy := serif(13)
	heavy.Fonts = []*font.Font{font.Fonts().SerifBold, font.Fonts().Sans}
	heavy.Heavy = true
	p.TextCentre(300, 80, heavy, "Đậm")
	p.TextRight(500, 80, Style{Fonts: heavy.Fonts, Size: 11, Color: Color{R: 1}}, "phải αβ")
	p.Line(60, 100, 500, 100, 0.5, Color{})
	p.Fill(Rect{60, 110, 50, 20}, Color{0.9, 0.9, 0.9})
	p.Frame(Rect{60, 110, 50, 20}, 1, Color{B: 1})
	img, err := JPEG(photo(t))
	if err != nil {
		t.Fatal(err)
	}
	p.Image(Rect{60, 140, 30, 40}, img)
	p.Image(Rect{100, 140, 30, 40}, img)
	raw, err := RGB(2, 1, []byte{255, 0, 0, 0, 0, 255})
	if err != nil {
		t.Fatal(err)
	}
	p.QR(200, 140, 60, "K7QF-2M9X-84TD")
	q := d.AddPage(A4Width, A4Height)
	q.Image(Rect{60, 140, 30, 40}, raw)
	q.Text(60, 60, serif(13), "trang hai")
	p.Field(Field{Name: "customer", Label: "Khách hàng", Rect: Rect{60, 200, 180, 60}})
	q.Field(Field{Name: "unit_seal", Rect: Rect{60, 200, 102, 102}, Lock: []string{"customer", "clerk"}})
	d.Attach(Attachment{Name: "z.txt", MIME: "text/plain", Data: []byte("z"), Modified: noon})
	d.Attach(Attachment{Name: "order.json", Description: "Nội dung", MIME: "application/json", Data: []byte(`{"a":"ế"}`), Modified: noon})
	return d
}

func photo(t testing.TB) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 30, 40))
	m.SetRGBA(3, 3, color.RGBA{200, 10, 10, 255})
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func write(t testing.TB, d *Document) []byte {
	t.Helper()
	b, err := d.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// run runs a Debian program on a document (poppler-utils, qpdf) and returns what it says.
func run(t *testing.T, document []byte, name string, args ...string) string {
	t.Helper()
	in := filepath.Join(t.TempDir(), "in.pdf")
	if err := os.WriteFile(in, document, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "IN", in)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

func TestEqualContentGivesEqualBytes(t *testing.T) {
	a, b := write(t, everything(t)), write(t, everything(t))
	if !bytes.Equal(a, b) {
		t.Error("two documents of the same content differ")
	}
	d := everything(t)
	d.Page(0).Text(60, 300, serif(13), "x")
	id := regexp.MustCompile(`/ID \[<(\w+)>`)
	if c := write(t, d); string(id.Find(a)) == string(id.Find(c)) {
		t.Error("documents of different content have the same /ID")
	}
}

func TestQpdfFindsNothingWrong(t *testing.T) {
	out := run(t, write(t, everything(t)), "qpdf", "--check", "IN")
	if !strings.Contains(out, "No syntax or stream encoding errors found") || strings.Contains(out, "WARNING") {
		t.Error(out)
	}
}

func TestEveryObjectIsReachableAndInOrder(t *testing.T) {
	b := string(write(t, everything(t)))
	refs := map[string][]string{}
	last := 0
	for _, m := range regexp.MustCompile(`(?ms)^(\d+) 0 obj\n(.*?)\nendobj\n`).FindAllStringSubmatchIndex(b, -1) {
		number, body := b[m[2]:m[3]], b[m[4]:m[5]]
		if i := strings.Index(body, "stream\n"); i >= 0 {
			body = body[:i]
		}
		n := 0
		for _, c := range number {
			n = 10*n + int(c-'0')
		}
		if n != last+1 {
			t.Errorf("object %d follows %d", n, last)
		}
		last = n
		for _, r := range regexp.MustCompile(`(\d+) 0 R`).FindAllStringSubmatch(body, -1) {
			refs[number] = append(refs[number], r[1])
		}
	}
	seen := map[string]bool{"3": true} // the Info dictionary hangs on the trailer
	var visit func(string)
	visit = func(n string) {
		if !seen[n] {
			seen[n] = true
			for _, r := range refs[n] {
				visit(r)
			}
		}
	}
	visit("1")
	if len(seen) != last || last < 20 {
		t.Errorf("%d of %d objects are reachable", len(seen), last)
	}
	for _, no := range []string{"/OCProperties", "/JavaScript", "/JS", "/OpenAction", "/DocMDP"} {
		if strings.Contains(b, no) {
			t.Errorf("document holds %s", no)
		}
	}
	for _, want := range []string{
		"%PDF-1.7\n", "/ESIC << /BaseVersion /1.7", "/SigFlags 3", "/FT /Sig /T (customer)", "/F 132", "/AFRelationship /Data",
		"/Lock << /Type /SigFieldLock /Action /Include /Fields [ (clerk) (customer) ] >>", "/CreationDate (D:20261121120000+07'00')",
	} {
		if !strings.Contains(b, want) {
			t.Errorf("document lacks %s", want)
		}
	}
}

func TestTextIsCopiedOutAsItWasPutIn(t *testing.T) {
	const hard = `!"#$%&'()*+,-./0123456789:;<=>?@[\]^_{|}~`
	d := New(Info{Title: "t", Created: noon})
	p := d.AddPage(A4Width, A4Height)
	lines := []string{hard, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "“Điều 3” – 1.500.000 ₫ αβγ"}
	letters := []rune(font.Vietnamese)
	for len(letters) > 0 {
		n := min(34, len(letters))
		lines = append(lines, string(letters[:n]))
		letters = letters[n:]
	}
	for i, s := range lines {
		p.Text(40, 60+30*float64(i), serif(12), s)
	}
	got := run(t, write(t, d), "pdftotext", "-enc", "UTF-8", "-layout", "IN", "-")
	for _, s := range lines {
		if !strings.Contains(got, s) {
			t.Errorf("%q is not in\n%s", s, got)
		}
	}
}

func TestWhatCannotBeDrawnIsReported(t *testing.T) {
	cases := map[string]func(d *Document, p *Page){
		"a character without a glyph": func(_ *Document, p *Page) { p.Text(0, 20, serif(12), "Tên 赵") },
		"a QR code of a long text":    func(_ *Document, p *Page) { p.QR(0, 0, 50, strings.Repeat("x", 300)) },
		"two fields of one name": func(_ *Document, p *Page) {
			p.Field(Field{Name: "a"})
			p.Field(Field{Name: "a"})
		},
		"two attachments of one name": func(d *Document, _ *Page) {
			d.Attach(Attachment{Name: "a"})
			d.Attach(Attachment{Name: "a"})
		},
	}
	for name, spoil := range cases {
		d := New(Info{Created: noon})
		spoil(d, d.AddPage(100, 100))
		if _, err := d.Bytes(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	d := New(Info{Created: noon})
	two := serif(12)
	two.Fonts = append(two.Fonts, font.Fonts().Sans)
	d.AddPage(100, 100).Text(0, 20, two, "赵")
	var missing *font.MissingGlyphError
	if _, err := d.Bytes(); !errors.As(err, &missing) || missing.Font != "LiberationSerif, LiberationSans" {
		t.Errorf("got %v", err)
	}
	if _, err := New(Info{}).Bytes(); err == nil {
		t.Error("a document without pages was written")
	}
}

func TestOnlyWholePicturesAreTaken(t *testing.T) {
	good := photo(t)
	if _, err := JPEG(good); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"empty": {}, "text": []byte("GIF89a"), "cut off": good[:10]} {
		if _, err := JPEG(data); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := RGB(2, 2, make([]byte, 11)); err == nil {
		t.Error("a picture with a byte missing was accepted")
	}
}

func cellsOf(s string) float64 { return float64(len([]rune(s))) }

func TestLinesBreakWherePeopleBreakThem(t *testing.T) {
	for _, c := range []struct {
		text  string
		width float64
		want  string
	}{
		{"một hai ba", 7, "một hai|ba"},
		{"một  hai", 20, "một  hai"},
		{"một\nhai", 20, "một|hai"},
		{"một\n\nhai", 20, "một||hai"},
		{"dàiquáđấythật ngắn", 6, "dàiquá|đấythậ|t ngắn"},
		{"業務專用章，模擬", 5, "業務專用|章，模擬"},
		{"業務（專用）章", 3, "業務|（專|用）章"},
		{"", 5, ""},
	} {
		if got := strings.Join(Wrap(c.text, c.width, cellsOf), "|"); got != c.want {
			t.Errorf("%q in %g: %q, want %q", c.text, c.width, got, c.want)
		}
	}
	if got := strings.Join(Balance("TỔNG CÔNG TY ĐIỆN LỰC MIỀN BẮC", 27, cellsOf), "|"); got != "TỔNG CÔNG TY ĐIỆN|LỰC MIỀN BẮC" {
		t.Errorf("balanced: %q", got)
	}
}

func TestWrappingLosesNothingAndStaysInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("abcđế  ,.（業務），\n")), 0, 60, -1).Draw(t, "text")
		width := rapid.IntRange(1, 20).Draw(t, "width")
		lines := Wrap(text, float64(width), cellsOf)
		solid := func(s string) string { return strings.NewReplacer(" ", "", "\n", "").Replace(s) }
		if solid(strings.Join(lines, "")) != solid(text) {
			t.Fatalf("%q became %q", text, lines)
		}
		for _, l := range lines {
			if cellsOf(l) > float64(width) {
				t.Fatalf("%q is wider than %d", l, width)
			}
		}
	})
}

func TestNumbersAreShortAndRight(t *testing.T) {
	for v, want := range map[float64]string{0: "0 ", 1: "1 ", -1.5: "-1.5 ", 0.004: "0 ", 85.039: "85.04 ", 12.30: "12.3 ", -0.05: "-0.05 "} {
		if got := string(appendNum(nil, v, 100)); got != want {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
}
