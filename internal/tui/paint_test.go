package tui_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/color"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"countersign/internal/tui"
	"countersign/internal/tui/tuitest"
)

func theme(t testing.TB, name string, d tui.Depth) *tui.Theme {
	t.Helper()
	th, err := tui.ThemeByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return th.In(d)
}

func TestChangesAloneGiveTheSameScreenAsAWholeFrame(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"Nguyễn Văn Ế", "赵试過戶", "x", " ", "▸ ✓ ─", "e\u0301\u0302", "กำ", "0900 000 018", "👍ok"}
	for _, depth := range []tui.Depth{tui.NoColor, tui.Colors16, tui.Colors256, tui.TrueColor} {
		th := theme(t, "dark", depth)
		shown := tuitest.NewEmulator(40, 8)
		var last *tui.Canvas
		for step := range 200 {
			c := tui.NewCanvas(40, 8)
			if last != nil && step%3 > 0 {
				*c = *last.Clone()
			}
			for range 1 + r.IntN(4) {
				x, y, st := r.IntN(44)-2, r.IntN(9), tui.Style(r.IntN(8))|tui.Style(r.IntN(8))<<4
				switch r.IntN(5) {
				case 0:
					c.Box(x, y, 2+r.IntN(20), 2+r.IntN(4), "Ế")
				case 1:
					c.Fill(x, y, r.IntN(20), 2, st)
				case 2:
					c.Image(x, y, [][]tui.Cell{{{Upper: color.RGBA{R: 200, A: 255}, Lower: color.RGBA{B: 90, A: 255}}}})
				default:
					c.Put(x, y, words[r.IntN(len(words))], st)
				}
			}
			c.SetCaret(r.IntN(44)-2, r.IntN(8))
			_, _ = shown.Write(tui.Frame(last, c, th))
			whole := tuitest.NewEmulator(40, 8)
			_, _ = whole.Write([]byte(c.Render(th)))
			got, want := shown.Shot(), whole.Shot()
			if got.CaretShown != want.CaretShown || got.CaretShown && (got.CaretX != want.CaretX || got.CaretY != want.CaretY) {
				t.Fatalf("step %d: caret at %d,%d %v, want %d,%d %v", step, got.CaretX, got.CaretY, got.CaretShown, want.CaretX, want.CaretY, want.CaretShown)
			}
			for i := range got.Cells {
				if got.Cells[i] != want.Cells[i] {
					t.Fatalf("step %d: cell %d,%d is %+v, want %+v\n%s%s", step, i%40, i/40, got.Cells[i], want.Cells[i], got, want)
				}
			}
			if u := shown.Unknown(); len(u) > 0 {
				t.Fatalf("wrote what no terminal need understand: %v", u)
			}
			if again := tui.Frame(c, c.Clone(), th); len(again) > 0 {
				t.Fatalf("the same screen again writes %q", again)
			}
			last = c
		}
	}
}

func TestOneKeyWritesFewBytes(t *testing.T) {
	f := &form{}
	th := theme(t, "dark", tui.TrueColor)
	before, after := tui.NewCanvas(80, 24), tui.NewCanvas(80, 24)
	f.Draw(before)
	f.Handle(tui.Key{Name: "rune", Text: "Ế"})
	f.Draw(after)
	if b := tui.Frame(before, after, th); len(b) > 100 {
		t.Errorf("%d bytes for one key: %q", len(b), b)
	}
}

func TestDumbTerminalsGetOnlyChangedLines(t *testing.T) {
	a, b := tui.NewCanvas(20, 3), tui.NewCanvas(20, 3)
	a.Put(0, 0, "một", tui.Danger)
	b.Put(0, 0, "một", tui.Danger)
	b.Put(0, 2, "hai", tui.Text)
	if got := tui.Lines(nil, a) + tui.Lines(a, b); got != "một\r\nhai\r\n" {
		t.Errorf("got %q", got)
	}
}

// luminance is WCAG 2's relative luminance of #rrggbb.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		v := float64(n) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}

func TestEveryPairOfColoursHasContrast(t *testing.T) {
	names := map[tui.Style]string{tui.Text: "text", tui.Muted: "muted", tui.Accent: "accent", tui.Danger: "danger",
		tui.Wait: "wait", tui.OK: "ok", tui.Rule: "rule", tui.Seal: "seal"}
	for _, name := range tui.ThemeNames() {
		for _, depth := range []tui.Depth{tui.Colors256, tui.TrueColor} {
			th := theme(t, name, depth)
			for token, word := range names {
				for _, flags := range []tui.Style{0, tui.OnRow, tui.Band, tui.Bold} {
					// Read what a terminal would show, not what the table says.
					c := tui.NewCanvas(1, 1)
					c.Put(0, 0, "x", token|flags)
					e := tuitest.NewEmulator(1, 1)
					_, _ = e.Write([]byte(c.Render(th)))
					cell := e.Shot().Cells[0]
					if cell.Fore == "" || cell.Back == "" {
						t.Fatalf("%s %s has no colours: %+v", name, word, cell)
					}
					a, b := luminance(t, cell.Fore), luminance(t, cell.Back)
					ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05)
					least := 4.5
					if token == tui.Rule && flags&tui.Band == 0 {
						least = 3
					}
					if ratio < least {
						t.Errorf("%s at depth %d, %s with flags %#x: contrast %.2f, want %.1f", name, depth, word, flags, ratio, least)
					}
				}
			}
		}
	}
}

func TestPicturesBecomeColoursOrShades(t *testing.T) {
	white, black := color.RGBA{R: 255, G: 255, B: 255, A: 255}, color.RGBA{A: 255}
	c := tui.NewCanvas(2, 1)
	c.Image(0, 0, [][]tui.Cell{{{Upper: white, Lower: black}, {Upper: black, Lower: black}, {Upper: black, Lower: black}}})
	for depth, want := range map[tui.Depth]string{
		tui.TrueColor: "38;2;255;255;255;48;2;0;0;0m▀", tui.Colors256: "38;5;231;48;5;16m▀", tui.Colors16: "▒█", tui.NoColor: "▒█",
	} {
		if got := c.Render(theme(t, "dark", depth)); !strings.Contains(got, want) {
			t.Errorf("depth %d: %q lacks %q", depth, got, want)
		}
	}
	if c.Plain() != "▒█\n" {
		t.Errorf("plain text is %q", c.Plain())
	}
}

func TestKittyPlaceholdersNameRowColumnAndPicture(t *testing.T) {
	c := tui.NewCanvas(2, 2)
	c.Placeholder(0, 0, 2, 2, 0x010203)
	got := c.Render(theme(t, "dark", tui.TrueColor))
	for _, want := range []string{"\x1b[0;38;2;1;2;3m", "\U0010EEEE\u0305\u0305", "\U0010EEEE\u0305\u030D", "\U0010EEEE\u030D\u0305"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
}

func TestASCIISetHasTheSameGrid(t *testing.T) {
	full, plain := tui.NewCanvas(30, 4), tui.NewCanvas(30, 4)
	plain.UseASCII(true)
	for _, c := range []*tui.Canvas{full, plain} {
		c.Put(0, 0, "▸✓✗▫◦▪▴▾█░│ Đã", tui.Text)
		c.Box(0, 1, 12, 3, "Mức")
	}
	want := ">+x_oi^v#.| Đã\n+ Mức -----+\n|          |\n+----------+\n"
	if plain.Plain() != want {
		t.Errorf("got\n%swant\n%s", plain.Plain(), want)
	}
	f, p := full.Glyphs(), plain.Glyphs()
	if f.Focus != "▸" || p.Focus != ">" {
		t.Errorf("focus is %q and %q", f.Focus, p.Focus)
	}
}

// page draws something as dense as the clerk's form.
func page(c *tui.Canvas, key int) {
	w, h := c.Size()
	c.Put(0, 0, "PHIẾU 11 Thay đổi công suất  NGUYỄN VĂN THỬ", tui.Text|tui.Bold)
	c.PutRight(w-1, 0, "Q3 Lan Anh  09:14", tui.Muted)
	for y := 2; y < h-3; y++ {
		st := tui.Style(0)
		if y == 9 {
			st = tui.OnRow
			c.Fill(0, y, w, 1, st)
		}
		c.Put(2, y, "◦", tui.OK|st)
		c.Put(4, y, fmt.Sprintf("%2d", y), tui.Muted|st)
		c.PutMax(7, y, 19, "Công suất đề nghị", tui.Muted|st)
		c.PutMax(27, y, 30, "12 phố Mẫu, phường Thử, Bắc Giang", tui.Text|st)
		c.PutMax(58, y, 21, "◦ CMIS 21/11 09:12", tui.Muted|st)
		for x := 82; x+30 < w; x += 36 {
			c.PutMax(x, y, 30, "Lượt trước 13 Thay đổi thông tin 过户", tui.Text)
		}
	}
	c.Put(27, 9, strconv.Itoa(key), tui.Accent|tui.OnRow)
	c.Fill(0, h-3, w, 1, tui.Band)
	c.Put(0, h-3, "KHÁCH  đang xem ô 10", tui.Band)
	c.SetCaret(30, 9)
}

func BenchmarkFrame(b *testing.B) {
	for _, size := range [][2]int{{80, 24}, {200, 50}} {
		th := theme(b, "dark", tui.TrueColor)
		b.Run(fmt.Sprintf("whole %dx%d", size[0], size[1]), func(b *testing.B) {
			c := tui.NewCanvas(size[0], size[1])
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c.Clear()
				page(c, i)
				_ = c.Render(th)
			}
		})
		b.Run(fmt.Sprintf("change %dx%d", size[0], size[1]), func(b *testing.B) {
			was, is := tui.NewCanvas(size[0], size[1]), tui.NewCanvas(size[0], size[1])
			page(was, 0)
			b.ReportAllocs()
			n := 0
			for i := 1; b.Loop(); i++ {
				is.Clear()
				page(is, i)
				n += len(tui.Frame(was, is, th))
				was, is = is, was
			}
			b.ReportMetric(float64(n)/float64(b.N), "bytes/key")
		})
	}
}

func TestSVGPlacesEveryGraphemeAtItsColumn(t *testing.T) {
	c := tui.NewCanvas(20, 3)
	c.Put(0, 0, "赵 Ế<", tui.Text|tui.Bold)
	c.Box(0, 1, 6, 2, "")
	e := tuitest.NewEmulator(20, 3)
	_, _ = e.Write([]byte(c.Render(theme(t, "light", tui.TrueColor))))
	svg := tuitest.SVG(e.Shot(), "Màn hình <1>")
	for _, want := range []string{`<text x="14" y="52"`, ">赵</text>", `<path id="g1-1ebe"`, `<use href="#g1-1ebe" x="41" y="52"`, `<use href="#g1-3c" x="50"`,
		"<title>Màn hình &lt;1&gt;</title>", "<line", "#fbfaf7"} {
		if !bytes.Contains(svg, []byte(want)) {
			t.Errorf("lacks %q:\n%s", want, svg)
		}
	}
	if err := xml.Unmarshal(svg, new(struct{ XMLName xml.Name })); err != nil {
		t.Errorf("is not XML: %v", err)
	}
}
