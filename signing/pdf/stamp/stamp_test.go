package stamp

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/signing/pdf"
	"countersign/signing/pdf/font"
	"countersign/signing/pdf/page"
)

// droid is Debian's fonts-droid-fallback.
const droid = "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"

func chinese(t *testing.T) *font.Font {
	t.Helper()
	data, err := os.ReadFile(droid)
	if err != nil {
		t.Fatalf("a font of Debian is needed: %v", err)
	}
	f, err := font.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func seals(t *testing.T) map[string]pdf.Appearance {
	t.Helper()
	out := map[string]pdf.Appearance{}
	for name, s := range map[string]Seal{
		"company":      {Geometry: "vn-company", Name: "Tổng công ty Điện lực miền Bắc", Line: "Điện lực Bắc Giang"},
		"agency":       {Geometry: "vn-agency", Name: "Kho bạc Nhà nước khu vực I", Arc: "Bộ Tài chính", Star: true},
		"business":     {Geometry: "vn-business", Name: "Quầy giao dịch Bắc Giang", Line: "Dấu nghiệp vụ 2", Arc: "T. Bắc Giang"},
		"long":         {Geometry: "vn-company", Name: strings.Repeat("Công ty trách nhiệm hữu hạn một thành viên ", 4), Line: strings.Repeat("chi nhánh số một ", 8)},
		"cn company":   {Geometry: "cn-company", Name: "模擬電信有限公司", Star: true},
		"cn limited":   {Geometry: "cn-limited", Name: "北京市模擬電信工程技術服務有限責任公司", Star: true, Arc: "1101080012345"},
		"cn business":  {Geometry: "cn-business", Name: "模擬電信第一營業廳", Line: "業務專用章"},
		"cn special":   {Geometry: "cn-business-38", Name: "模擬電信第二營業廳", Line: "收費專用章"},
		"cn contract":  {Geometry: "cn-contract", Name: "模擬電信有限公司", Line: "合同專用章"},
		"cn private":   {Geometry: "cn-private", Name: "模擬電信服務社", Star: true},
		"cn long line": {Geometry: "cn-private", Name: "模擬", Line: strings.Repeat("業務專用章", 6)},
	} {
		a, err := Round(s, chinese(t))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = a
	}
	return out
}

// draw renders a content stream on a page of its own, at 10 pixels a point, as grey rows.
func draw(t *testing.T, w, h float64, stream []byte) (rows [][]byte) {
	t.Helper()
	dir := t.TempDir()
	in := filepath.Join(dir, "in.pdf")
	b := []byte("%PDF-1.7\n")
	var offsets []int
	for i, o := range []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
		fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.2f %.2f] /Contents 4 0 R /Resources << >> >>", w, h),
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(stream), stream),
	} {
		offsets = append(offsets, len(b))
		b = fmt.Appendf(b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := len(b)
	b = fmt.Appendf(b, "xref\n0 5\n0000000000 65535 f \n")
	for _, o := range offsets {
		b = fmt.Appendf(b, "%010d 00000 n \n", o)
	}
	b = fmt.Appendf(b, "trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", start)
	if err := os.WriteFile(in, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return rendered(t, in)
}

func rendered(t *testing.T, in string) (rows [][]byte) {
	t.Helper()
	out := strings.TrimSuffix(in, ".pdf")
	if said, err := exec.Command("pdftoppm", "-gray", "-r", "720", "-singlefile", in, out).CombinedOutput(); err != nil {
		t.Fatalf("pdftoppm (Debian's poppler-utils): %v\n%s", err, said)
	}
	data, err := os.ReadFile(out + ".pgm")
	if err != nil {
		t.Fatal(err)
	}
	var wide, high int
	if _, err := fmt.Sscanf(string(data[:24]), "P5\n%d %d\n255\n", &wide, &high); err != nil {
		t.Fatal(err)
	}
	data = data[len(data)-wide*high:]
	for ; len(data) > 0; data = data[wide:] {
		rows = append(rows, data[:wide])
	}
	return rows
}

func TestSealsHaveTheirRealSizeAndStayInside(t *testing.T) {
	for name, a := range seals(t) {
		across := map[string]float64{"company": 36, "agency": 36, "business": 36, "long": 36, "cn company": 42, "cn limited": 40, "cn business": 40, "cn long line": 38, "cn special": 38, "cn contract": 58, "cn private": 38}[name]
		if got := a.Width / 72 * 25.4; math.Abs(got-across) > 0.01 || a.Width != a.Height {
			t.Errorf("%s: %.2f mm across, want %g", name, got, across)
		}
		rows := draw(t, a.Width, a.Height, a.Stream)
		middle, dark := float64(len(rows))/2, 0
		for y, row := range rows {
			for x, v := range row {
				if v > 200 {
					continue
				}
				dark++
				if math.Hypot(float64(x)+0.5-middle, float64(y)+0.5-middle) > middle+1.5 {
					t.Fatalf("%s: ink outside the edge at %d, %d", name, x, y)
				}
			}
		}
		if share := float64(dark) / (middle * middle * 4); share < 0.08 || share > 0.5 {
			t.Errorf("%s: %.0f %% of the square is inked", name, 100*share)
		}
	}
}

func TestAppearancesNeedNoResources(t *testing.T) {
	block, err := Block([]string{"Đã xác nhận", "NGUYỄN VĂN THỬ"}, 9, Blue)
	if err != nil {
		t.Fatal(err)
	}
	all := seals(t)
	all["block"], all["fitted"] = block, Fit(block, 40, 20)
	line := regexp.MustCompile(`^(?:q )?(?:-?[0-9.]+ ){0,6}(?:h )?(?:cm|m|l|c|h|re|w|rg|RG|f|S|q|f Q|Q)$`)
	for name, a := range all {
		for _, s := range strings.Split(strings.TrimSpace(string(a.Stream)), "\n") {
			if !line.MatchString(strings.TrimLeft(s, " ")) {
				t.Fatalf("%s: %q is no plain drawing", name, s)
			}
		}
		if open, shut := bytes.Count(a.Stream, []byte("q ")), bytes.Count(a.Stream, []byte("Q\n")); open != shut {
			t.Errorf("%s: %d q for %d Q", name, open, shut)
		}
	}
}

// TestOutlinesLookLikeTheFont draws the whole alphabet from outlines and with the font itself.
func TestOutlinesLookLikeTheFont(t *testing.T) {
	sans := font.Fonts().Sans
	const wide, high, size = 400.0, 220.0, 18.0
	outlines := func(text string) [][]byte {
		c := newCanvas(Black, []*font.Font{sans})
		for i, r := range []rune(text) {
			c.glyph(r, 10+float64(i%16)*24, high-24-float64(i/16)*24, size, 1, 0)
		}
		a, err := c.appearance(wide, high)
		if err != nil {
			t.Fatal(err)
		}
		return draw(t, wide, high, a.Stream)
	}
	d := page.New(page.Info{Created: time.Date(2026, 11, 21, 0, 0, 0, 0, clock.Vietnam)})
	p := d.AddPage(wide, high)
	for i, r := range []rune(font.Vietnamese) {
		p.Text(10+float64(i%16)*24, 24+float64(i/16)*24, page.Style{Fonts: []*font.Font{sans}, Size: size}, string(r))
	}
	b, err := d.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	in := filepath.Join(t.TempDir(), "text.pdf")
	if err := os.WriteFile(in, b, 0o600); err != nil {
		t.Fatal(err)
	}
	want := rendered(t, in)
	// A rounded edge may differ by a shade; a lost accent is hundreds of black pixels.
	if n := different(outlines(font.Vietnamese), want); n > 60 {
		t.Errorf("%d pixels differ", n)
	}
	lost := strings.NewReplacer("ế", "ê").Replace(font.Vietnamese)
	if n := different(outlines(lost), want); n < 200 {
		t.Errorf("one lost accent changes only %d pixels", n)
	}
}

func different(a, b [][]byte) int {
	n := 0
	for y := range a {
		for x := range a[y] {
			if d := int(a[y][x]) - int(b[y][x]); d > 128 || d < -128 {
				n++
			}
		}
	}
	return n
}

func TestSealNamesTheCharacterThatItCannotDraw(t *testing.T) {
	_, err := Round(Seal{Geometry: "cn-company", Name: "模擬公司"})
	var missing *font.MissingGlyphError
	if !errors.As(err, &missing) || missing.Rune != '模' || missing.Font != "LiberationSans-Bold" {
		t.Errorf("got %v", err)
	}
	if _, err := Block([]string{"赵试"}, 9, Blue); !errors.As(err, &missing) {
		t.Errorf("got %v", err)
	}
}

func TestUnknownShapesAreRefused(t *testing.T) {
	if _, err := Round(Seal{Geometry: "square", Name: "A"}); err == nil {
		t.Error("an unknown geometry was drawn")
	}
	if KnownLook("square", false) || !KnownLook("vn-company", true) {
		t.Error("KnownLook is wrong")
	}
	if _, err := Block(nil, 9, Blue); err == nil {
		t.Error("an empty block was drawn")
	}
}

func TestDecomposedNamesAreDrawnLikeComposedOnes(t *testing.T) {
	a, err := Block([]string{"Nguyễn"}, 9, Blue)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Block([]string{"Nguye\u0302\u0303n"}, 9, Blue)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Stream, b.Stream) {
		t.Error("they differ")
	}
}

func TestFitMakesSmallerButNeverLarger(t *testing.T) {
	a, err := Round(Seal{Geometry: "vn-company", Name: "A", Line: "B"})
	if err != nil {
		t.Fatal(err)
	}
	large := Fit(a, 300, 200)
	if large.Width != 300 || large.Height != 200 {
		t.Errorf("field is %g × %g", large.Width, large.Height)
	}
	if !strings.HasPrefix(string(large.Stream), "q 1 0 0 1 98.976 48.976 cm\n") {
		t.Errorf("not centred in its own size: %q", large.Stream[:40])
	}
	small := Fit(a, 51.0236, 60)
	if !strings.HasPrefix(string(small.Stream), "q 0.5 0 0 0.5 0 4.488 cm\n") {
		t.Errorf("not made smaller: %q", small.Stream[:40])
	}
}

func BenchmarkRound(b *testing.B) {
	for b.Loop() {
		if _, err := Round(Seal{Geometry: "vn-company", Name: "Tổng công ty Điện lực miền Bắc", Line: "Điện lực Bắc Giang"}); err != nil {
			b.Fatal(err)
		}
	}
}

// radii finds where a seal's edge ends and begins, and whether its middle is inked, in millimetres from the middle.
func radii(t *testing.T, a pdf.Appearance) (outer, inner float64, middle bool) {
	t.Helper()
	rows := draw(t, a.Width, a.Height, a.Stream)
	at := len(rows) / 2
	row := rows[at]
	mid := len(row) / 2
	dot := 25.4 / 720
	left := slices.IndexFunc(row, func(v byte) bool { return v < 200 })
	end := left
	for end < mid && row[end] < 200 {
		end++
	}
	return float64(mid-left) * dot, float64(mid-end) * dot, row[mid] < 200
}

func TestRoundSealsHaveTheEdgesAndStarsOfTheirKind(t *testing.T) {
	all := seals(t)
	for name, want := range map[string]struct {
		across, edge float64
		star         bool
	}{
		"cn company": {42, 1.2, true}, "cn limited": {40, 1.0, true}, "cn private": {38, 1.0, true},
		"cn business": {40, 1.0, false}, "cn special": {38, 1.0, false}, "cn contract": {58, 1.0, false},
	} {
		outer, inner, middle := radii(t, all[name])
		if math.Abs(2*outer-want.across) > 0.15 || math.Abs(outer-inner-want.edge) > 0.12 || middle != want.star {
			t.Errorf("%s: %.2f mm across, edge %.2f mm, star %v", name, 2*outer, outer-inner, middle)
		}
	}
	for _, geometry := range []string{"cn-business", "cn-business-38", "cn-contract"} {
		if _, err := Round(Seal{Geometry: geometry, Name: "模擬", Star: true}, chinese(t)); err == nil || KnownLook(geometry, true) {
			t.Errorf("%s is drawn with a star", geometry)
		}
	}
}

func TestAnAttachmentBearsOneBlackLineTopRight(t *testing.T) {
	at := time.Date(2026, 11, 21, 13, 23, 30, 0, time.UTC)
	const wide, high = 595.28, 841.89
	a, x, y, err := Attachment("123/TB-ĐLBG", at, wide, high)
	if err != nil {
		t.Fatal(err)
	}
	if right := (wide - x - a.Width) / mm; math.Abs(right-15) > 0.01 || y+a.Height > high-15*mm || y < high-25*mm {
		t.Errorf("it ends %.1f mm from the right, %.1f mm from the top", right, (high-y)/mm)
	}
	if !bytes.Contains(a.Stream, []byte(Black+" rg")) {
		t.Error("it is not black")
	}
	// The line is as wide as Times sets it at 10 points.
	want := font.Fonts().Serif.Measure("123/TB-ĐLBG; 2026-11-21T20:23:30+07:00", 10)
	if math.Abs(a.Width-want) > 0.5 {
		t.Errorf("it is %.1f points long, want %.1f", a.Width, want)
	}
	if _, _, _, err := Attachment("", at, wide, high); err == nil {
		t.Error("a line without a number is drawn")
	}
	if _, _, _, err := Attachment(strings.Repeat("123/TB-", 30), at, wide, high); err == nil {
		t.Error("a line that is wider than the page is drawn")
	}
}
