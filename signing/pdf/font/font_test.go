package font

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"

	"github.com/go-fonts/liberation/liberationserifregular"
)

// Fonts of Debian's fonts-dejavu-core and fonts-droid-fallback. DejaVu builds Vietnamese letters from parts of parts.
const (
	dejavu = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
	droid  = "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"
)

func read(t testing.TB, path string) *Font {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("a font of Debian is needed: %v", err)
	}
	f, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func all(b *Builtin) []*Font { return []*Font{b.Serif, b.SerifBold, b.SerifItalic, b.Sans, b.SansBold} }

func TestVietnameseAlphabetIsCompleteAndComposed(t *testing.T) {
	letters := []rune(Vietnamese)
	if len(letters) != 134 {
		t.Fatalf("%d letters, want 134", len(letters))
	}
	if !norm.NFC.IsNormalString(Vietnamese) {
		t.Error("letters are not in NFC")
	}
	// Twelve vowels with five tones each, less the ASCII ones, and đ; in both cases.
	want := map[rune]bool{'đ': true, 'Đ': true}
	for _, vowel := range "aăâeêioôơuưy" {
		for _, tone := range []string{"", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"} {
			for _, s := range []string{string(vowel), strings.ToUpper(string(vowel))} {
				if r := []rune(norm.NFC.String(s + tone)); len(r) == 1 && r[0] > 127 {
					want[r[0]] = true
				}
			}
		}
	}
	for _, r := range letters {
		if !want[r] {
			t.Errorf("%q is twice there or no letter", r)
		}
		delete(want, r)
	}
	for r := range want {
		t.Errorf("%q is missing", r)
	}
}

func TestBuiltinFontsDrawEveryVietnameseLetter(t *testing.T) {
	for _, f := range all(Fonts()) {
		if err := f.Missing(baseText); err != nil {
			t.Errorf("%v", err)
		}
	}
}

func TestOutlinesAndAdvancesAreThoseThatAnotherReaderFinds(t *testing.T) {
	f := Fonts().Serif
	other, err := sfnt.Parse(liberationserifregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	var buf sfnt.Buffer
	em := fixed.I(f.UnitsPerEm())
	for _, r := range baseText {
		g, _ := f.Glyph(r)
		index, err := other.GlyphIndex(&buf, r)
		if err != nil || uint16(index) != g {
			t.Fatalf("%q: glyph %d, want %d (%v)", r, g, index, err)
		}
		segments, err := other.LoadGlyph(&buf, index, em, nil)
		if err != nil {
			t.Fatal(err)
		}
		steps, err := f.Outline(g)
		if err != nil {
			t.Fatal(err)
		}
		steps = slices.DeleteFunc(steps, func(s Step) bool { return s.Verb == Close })
		ours, theirs := box(steps), sfntBox(segments)
		for i := range ours {
			if math.Abs(ours[i]-theirs[i]) > 1 {
				t.Errorf("%q: outline spans %v, want %v", r, ours, theirs)
				break
			}
		}
	}
}

func box(steps []Step) [4]float64 {
	b := [4]float64{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, s := range steps {
		b = [4]float64{min(b[0], s.X), min(b[1], s.Y), max(b[2], s.X), max(b[3], s.Y)}
	}
	return b
}

func sfntBox(segments sfnt.Segments) [4]float64 {
	b := [4]float64{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, s := range segments {
		p := s.Args[0]
		if s.Op == sfnt.SegmentOpQuadTo {
			p = s.Args[1]
		}
		x, y := float64(p.X)/64, -float64(p.Y)/64
		b = [4]float64{min(b[0], x), min(b[1], y), max(b[2], x), max(b[3], y)}
	}
	return b
}

func TestMissingGlyphNamesCharacterAndFont(t *testing.T) {
	_, err := Fonts().Serif.Use().Append(nil, "Tên 赵试")
	var missing *MissingGlyphError
	if !errors.As(err, &missing) || missing.Rune != '赵' || missing.Font != "LiberationSerif" {
		t.Fatalf("got %v", err)
	}
	if want := `character '赵' (U+8D75) has no glyph in font LiberationSerif`; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestEachCharacterHasItsOwnCode(t *testing.T) {
	// The no-break space and the blank share a glyph; copied text must keep them apart.
	u := Fonts().Serif.Use()
	codes, err := u.Append(nil, " \u00a0Đđ\u00d0\u03a9\u2126")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for ; len(codes) > 0; codes = codes[2:] {
		if seen[string(codes[:2])] {
			t.Errorf("code %x is given twice", codes[:2])
		}
		seen[string(codes[:2])] = true
	}
}

func TestSubsetKeepsPartsOfPartsOnce(t *testing.T) {
	f := read(t, dejavu)
	deep := 0
	slots, place, err := f.closure([]uint16{0, glyphOf(t, f, 'ế'), glyphOf(t, f, 'Ộ')})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range slots {
		parts, err := f.parts(g)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parts {
			if _, ok := place[p.glyph]; !ok {
				t.Errorf("glyph %d lacks its part %d", g, p.glyph)
			}
			inner, err := f.parts(p.glyph)
			if err != nil {
				t.Fatal(err)
			}
			deep += len(inner)
		}
	}
	if deep == 0 {
		t.Error("the font has no nested parts here, so this test proves nothing")
	}
	if got := len(slots); got != len(place) {
		t.Errorf("%d places for %d glyphs", got, len(place))
	}
}

func glyphOf(t *testing.T, f *Font, r rune) uint16 {
	t.Helper()
	g, ok := f.Glyph(r)
	if !ok {
		t.Fatalf("no glyph for %q", r)
	}
	return g
}

func TestEqualSetsGiveEqualProgramsWhateverWasCutBefore(t *testing.T) {
	first, err := Parse(liberationserifregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Parse(liberationserifregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	cut := func(f *Font, s string) *Program {
		u := f.Use()
		if _, err := u.Append(nil, s); err != nil {
			t.Fatal(err)
		}
		p, err := u.Program()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for i := range 2 * maxCached {
		cut(first, string(rune('α'+i%20))+string(rune('а'+i%30)))
	}
	a, b := cut(first, "Điện αβγ"), cut(second, "Điện αβγ")
	if !bytes.Equal(a.TrueType, b.TrueType) || a.Digest != b.Digest || a.Name != b.Name {
		t.Error("programs differ")
	}
	if n := len(first.cache.order); n > maxCached {
		t.Errorf("%d programs are remembered, at most %d may be", n, maxCached)
	}
	if plain := cut(first, "Điện lực"); plain.Digest == a.Digest || plain != cut(first, "Nguyễn") {
		t.Error("ordinary documents do not share the base set")
	}
}

func TestSubsetChecksumsHold(t *testing.T) {
	p, err := Fonts().SerifItalic.Use().Program()
	if err != nil {
		t.Fatal(err)
	}
	if sum := checksum(p.TrueType); sum != 0xB1B0AFBA {
		t.Errorf("font file sums to %08X, want B1B0AFBA", sum)
	}
	if len(p.Name) != 7+len("LiberationSerif-Italic") || p.Name[6] != '+' {
		t.Errorf("name %q has no subset tag", p.Name)
	}
}

func TestBrokenAndForeignFilesAreRefused(t *testing.T) {
	good := small(t)
	cut := func(tag string) []byte {
		b := bytes.Clone(good)
		copy(b[bytes.Index(b, []byte(tag)):], "zzzz")
		return b
	}
	for name, data := range map[string][]byte{
		"empty":             {},
		"text":              []byte("not a font, but long enough"),
		"PostScript":        append([]byte("OTTO"), make([]byte, 60)...),
		"collection":        append([]byte("ttcf"), make([]byte, 60)...),
		"cut in the tables": good[:200],
		"without glyf":      cut("glyf"),
		"without cmap":      cut("cmap"),
		"without loca":      cut("loca"),
	} {
		if _, err := Parse(data); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := Parse(good); err != nil {
		t.Errorf("the small font itself: %v", err)
	}
}

// small makes a font of a few letters that can be read again: a subset with a character table.
func small(t testing.TB) []byte {
	t.Helper()
	f := Fonts().Serif
	runes := []rune("Aeế")
	slots := []uint16{0}
	for _, r := range runes {
		g, _ := f.Glyph(r)
		slots = append(slots, g)
	}
	slots, place, err := f.closure(slots)
	if err != nil {
		t.Fatal(err)
	}
	file, err := f.assemble(slots, place)
	if err != nil {
		t.Fatal(err)
	}
	cmap := []byte{0, 0, 0, 1, 0, 3, 0, 10, 0, 0, 0, 12, 0, 12, 0, 0}
	cmap = binary.BigEndian.AppendUint32(cmap, uint32(16+12*len(runes)))
	cmap = binary.BigEndian.AppendUint32(cmap, 0)
	cmap = binary.BigEndian.AppendUint32(cmap, uint32(len(runes)))
	for i, r := range runes {
		for _, v := range []uint32{uint32(r), uint32(r), uint32(i + 1)} {
			cmap = binary.BigEndian.AppendUint32(cmap, v)
		}
	}
	tables := map[string][]byte{"cmap": cmap}
	for i := range int(binary.BigEndian.Uint16(file[4:])) {
		rec := file[12+16*i:]
		off, size := binary.BigEndian.Uint32(rec[8:]), binary.BigEndian.Uint32(rec[12:])
		if tag := string(rec[:4]); tag != "fpgm" && tag != "cvt " && tag != "prep" {
			tables[tag] = file[off : off+size]
		}
	}
	return sfntFile(tables)
}

func sfntFile(tables map[string][]byte) []byte {
	copied := make(map[string][]byte, len(tables))
	for tag, data := range tables {
		copied[tag] = bytes.Clone(data)
	}
	binary.BigEndian.PutUint32(copied["head"][8:], 0)
	return fontFile(copied)
}

func FuzzParse(f *testing.F) {
	good := small(f)
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		font, err := Parse(data)
		if err != nil {
			return
		}
		for g := range min(font.glyphs, 64) {
			_, _ = font.Outline(uint16(g))
		}
		u := font.Use()
		_, _ = u.Append(nil, "Aeế赵")
		_, _ = u.Program()
	})
}

func BenchmarkCutBase(b *testing.B) {
	f := Fonts().Serif
	for b.Loop() {
		if _, err := f.cut(nil); err != nil {
			b.Fatal(err)
		}
	}
}
