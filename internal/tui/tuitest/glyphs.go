package tuitest

import (
	"fmt"
	"strings"

	"github.com/go-fonts/liberation/liberationmonobold"
	"github.com/go-fonts/liberation/liberationmonoregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// glyphs draws characters as outlines of Liberation Mono, which has every Vietnamese letter, so that a picture looks
// the same wherever it is seen: many monospaced fonts draw those accents beside their letters.
type glyphs struct {
	fonts [2]*sfnt.Font // regular, bold
	buf   sfnt.Buffer
	ids   map[string]string
	defs  strings.Builder
}

const fontSize = 15

func newGlyphs() *glyphs {
	g := &glyphs{ids: map[string]string{}}
	for i, ttf := range [][]byte{liberationmonoregular.TTF, liberationmonobold.TTF} {
		// A font that can't be read leaves its characters to the viewer's fonts.
		g.fonts[i], _ = sfnt.Parse(ttf)
	}
	return g
}

// id returns the id of the outline of a character; false when the font has none. The definition is kept in defs.
func (g *glyphs) id(text string, bold bool) (string, bool) {
	runes := []rune(text)
	if len(runes) != 1 {
		return "", false
	}
	weight := 0
	if bold {
		weight = 1
	}
	key := fmt.Sprintf("g%d-%x", weight, runes[0])
	if id, ok := g.ids[key]; ok {
		return id, id != ""
	}
	path, ok := g.path(g.fonts[weight], runes[0])
	if !ok {
		g.ids[key] = ""
		return "", false
	}
	g.ids[key] = key
	fmt.Fprintf(&g.defs, `<path id="%s" d="%s"/>`+"\n", key, path)
	return key, true
}

// path returns the outline of a rune at the size of the picture, its origin on the baseline.
func (g *glyphs) path(f *sfnt.Font, r rune) (string, bool) {
	if f == nil {
		return "", false
	}
	index, err := f.GlyphIndex(&g.buf, r)
	if err != nil || index == 0 {
		return "", false
	}
	segments, err := f.LoadGlyph(&g.buf, index, fixed.I(fontSize), nil)
	if err != nil {
		return "", false
	}
	var b strings.Builder
	for _, s := range segments {
		n := 1
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			b.WriteByte('M')
		case sfnt.SegmentOpLineTo:
			b.WriteByte('L')
		case sfnt.SegmentOpQuadTo:
			b.WriteByte('Q')
			n = 2
		case sfnt.SegmentOpCubeTo:
			b.WriteByte('C')
			n = 3
		}
		for i, p := range s.Args[:n] {
			if i > 0 {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, "%.4g %.4g", float64(p.X)/64, float64(p.Y)/64)
		}
	}
	return b.String(), true
}
