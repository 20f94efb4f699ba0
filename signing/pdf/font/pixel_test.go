package font

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A document can hold the right text and draw another: when a subset lacks a part of a letter, its accent is gone
// from the page while the text that is copied out stays right. So pages are compared as pictures, drawn by two
// programs (Debian's poppler-utils and mupdf-tools): the subset's against one with the whole font inside.

// sheet writes a page that shows glyphs, by their numbers in the font file, ten in a row.
func sheet(file []byte, glyphs, widths []int) []byte {
	var content bytes.Buffer
	for i, g := range glyphs {
		fmt.Fprintf(&content, "BT /F 30 Tf %d %d Td <%04X> Tj ET\n", 20+i%12*46, 790-i/12*52, g)
	}
	var w bytes.Buffer
	for i, g := range glyphs {
		fmt.Fprintf(&w, "%d [%d] ", g, widths[i])
	}
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", content.Len(), content.Bytes()),
		"<< /Type /Font /Subtype /Type0 /BaseFont /Test /Encoding /Identity-H /DescendantFonts [6 0 R] >>",
		"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Test /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> " +
			"/FontDescriptor 7 0 R /CIDToGIDMap /Identity /W [" + w.String() + "] >>",
		"<< /Type /FontDescriptor /FontName /Test /Flags 4 /FontBBox [0 0 1000 1000] /ItalicAngle 0 /Ascent 900 /Descent -200 /CapHeight 700 /StemV 80 /FontFile2 8 0 R >>",
		fmt.Sprintf("<< /Length %d /Length1 %d >>\nstream\n%s\nendstream", len(file), len(file), file),
	}
	b := []byte("%PDF-1.7\n")
	var offsets []int
	for i, o := range objects {
		offsets = append(offsets, len(b))
		b = fmt.Appendf(b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := len(b)
	b = fmt.Appendf(b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		b = fmt.Appendf(b, "%010d 00000 n \n", o)
	}
	return fmt.Appendf(b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, start)
}

// pictures draws a one-page document with both programs.
func pictures(t *testing.T, document []byte) [2][]byte {
	t.Helper()
	dir := t.TempDir()
	in := filepath.Join(dir, "in.pdf")
	if err := os.WriteFile(in, document, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"pdftoppm", "-gray", "-r", "110", "-singlefile", in, filepath.Join(dir, "poppler")},
		{"mutool", "draw", "-q", "-F", "pgm", "-r", "110", "-o", filepath.Join(dir, "mupdf.pgm"), in, "1"},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", args[0], err, out)
		}
	}
	var got [2][]byte
	for i, name := range []string{"poppler.pgm", "mupdf.pgm"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got[i] = data
	}
	return got
}

// same reports for each program whether two documents look the same.
func same(t *testing.T, a, b []byte) [2]bool {
	t.Helper()
	pa, pb := pictures(t, a), pictures(t, b)
	return [2]bool{bytes.Equal(pa[0], pb[0]), bytes.Equal(pa[1], pb[1])}
}

// whole shows text with the whole font inside.
func whole(t *testing.T, f *Font, data []byte, text string) []byte {
	t.Helper()
	var glyphs, widths []int
	for _, r := range text {
		g := glyphOf(t, f, r)
		glyphs, widths = append(glyphs, int(g)), append(widths, f.Advance(g))
	}
	return sheet(data, glyphs, widths)
}

// subset shows text with what Use cuts out.
func subset(t *testing.T, f *Font, text string) []byte {
	t.Helper()
	u := f.Use()
	codes, err := u.Append(nil, text)
	if err != nil {
		t.Fatal(err)
	}
	p, err := u.Program()
	if err != nil {
		t.Fatal(err)
	}
	var glyphs, widths []int
	for i, r := range []rune(text) {
		glyphs, widths = append(glyphs, int(codes[2*i])<<8|int(codes[2*i+1])), append(widths, f.Advance(glyphOf(t, f, r)))
	}
	return sheet(p.TrueType, glyphs, widths)
}

// shallow shows text with a subset that holds the letters' parts but not the parts of those.
func shallow(t *testing.T, f *Font, text string, depth int) []byte {
	t.Helper()
	slots := []uint16{0, glyphOf(t, f, ' ')}
	var glyphs, widths []int
	for _, r := range text {
		g := glyphOf(t, f, r)
		glyphs, widths = append(glyphs, len(slots)), append(widths, f.Advance(g))
		slots = append(slots, g)
	}
	place := map[uint16]uint16{}
	for i, g := range slots {
		place[g] = uint16(i)
	}
	from := 0
	for range depth {
		to := len(slots)
		for _, g := range slots[from:to] {
			parts, err := f.parts(g)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range parts {
				if _, ok := place[p.glyph]; !ok {
					place[p.glyph] = uint16(len(slots))
					slots = append(slots, p.glyph)
				}
			}
		}
		from = to
	}
	// What is still missing becomes a blank: the accent vanishes.
	for _, g := range slots[from:] {
		parts, err := f.parts(g)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parts {
			if _, ok := place[p.glyph]; !ok {
				place[p.glyph] = 1
			}
		}
	}
	file, err := f.assemble(slots, place)
	if err != nil {
		t.Fatal(err)
	}
	return sheet(file, glyphs, widths)
}

func TestSubsetDrawsEveryVietnameseLetterLikeTheWholeFont(t *testing.T) {
	for _, f := range append(all(Fonts()), read(t, dejavu)) {
		t.Run(f.Name(), func(t *testing.T) {
			if got := same(t, subset(t, f, Vietnamese), whole(t, f, f.file(), Vietnamese)); got != [2]bool{true, true} {
				t.Errorf("poppler and MuPDF see the same page: %v", got)
			}
		})
	}
}

func TestSubsetDrawsChineseLikeTheWholeFont(t *testing.T) {
	f := read(t, droid)
	const text = "赵试電子工單過戶業務專用章模擬公司壹佰伍拾萬越南盾整，。、：（）「」"
	if got := same(t, subset(t, f, text), whole(t, f, f.file(), text)); got != [2]bool{true, true} {
		t.Errorf("poppler and MuPDF see the same page: %v", got)
	}
}

func TestThePictureShowsAnAccentThatASubsetLost(t *testing.T) {
	f := read(t, dejavu)
	if got := same(t, shallow(t, f, Vietnamese, 1), whole(t, f, f.file(), Vietnamese)); got != [2]bool{false, false} {
		t.Errorf("a subset without parts of parts looks like the whole font: %v", got)
	}
	// With enough depth the same code draws the right page, so it is the missing part that was seen.
	if got := same(t, shallow(t, f, Vietnamese, 3), whole(t, f, f.file(), Vietnamese)); got != [2]bool{true, true} {
		t.Errorf("a deep subset differs from the whole font: %v", got)
	}
	serif := Fonts().Serif
	if got := same(t, shallow(t, serif, Vietnamese, 0), whole(t, serif, serif.file(), Vietnamese)); got != [2]bool{false, false} {
		t.Errorf("a subset without parts looks like the whole font: %v", got)
	}
}

// file puts the font's tables together again.
func (f *Font) file() []byte { return fontFile(f.tablesCopy()) }

func (f *Font) tablesCopy() map[string][]byte {
	out := make(map[string][]byte, len(f.tables))
	for tag, data := range f.tables {
		out[tag] = bytes.Clone(data)
	}
	copy(out["head"][8:12], make([]byte, 4))
	return out
}
