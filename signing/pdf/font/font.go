// Package font reads TrueType fonts, measures text with them, draws their outlines, and cuts out of them what
// one document needs.
//
// A Font is immutable and safe for many readers at once; a Use belongs to one document. Three promises matter:
// a character without a glyph is an error that names it, never a box; a subset holds every glyph that its
// composite glyphs refer to, at any depth (an accent is often a part of a part); and each character has its own
// code in a subset, so that text can be copied out of the document as it was put in.
//
// Start reading at Parse, then Use in subset.go.
package font

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf16"
)

// maxFile bounds the size of a font file; the largest Chinese fonts have some 20 MB.
const maxFile = 64 << 20

// Font is a parsed TrueType font.
type Font struct {
	name     string
	tables   map[string][]byte
	unitsPer int
	glyphs   int
	metrics  int // how many entries of hmtx have an advance of their own
	longLoca bool

	bmp  []uint16 // glyph of each character below U+10000
	high []group  // the others

	widths []uint16 // advance of each glyph in thousandths of an em

	base  baseSet
	cache programCache
}

// group maps a run of characters above U+FFFF to a run of glyphs.
type group struct{ first, last, glyph uint32 }

// MissingGlyphError says that a font can't draw a character.
type MissingGlyphError struct {
	Rune rune
	Font string
}

func (e *MissingGlyphError) Error() string {
	return fmt.Sprintf("character %q (U+%04X) has no glyph in font %s", e.Rune, e.Rune, e.Font)
}

// Parse reads a TrueType font (glyf outlines). Fonts with PostScript outlines and font collections are refused.
func Parse(data []byte) (*Font, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("font file has %d bytes, more than %d", len(data), maxFile)
	}
	f := &Font{}
	if err := f.readTables(data); err != nil {
		return nil, err
	}
	if err := f.readHeads(); err != nil {
		return nil, err
	}
	if err := f.readCmap(); err != nil {
		return nil, err
	}
	f.readWidths()
	f.name = postScriptName(f.tables["name"])
	f.base = newBaseSet(f)
	return f, nil
}

// Name returns the font's PostScript name, such as "LiberationSerif-Bold".
func (f *Font) Name() string { return f.name }

// UnitsPerEm returns the size of the font's design grid.
func (f *Font) UnitsPerEm() int { return f.unitsPer }

// Glyph returns the glyph of a character; false when the font has none for it.
func (f *Font) Glyph(r rune) (uint16, bool) {
	if r >= 0 && int(r) < len(f.bmp) {
		g := f.bmp[r]
		return g, g != 0
	}
	for _, g := range f.high {
		if uint32(r) >= g.first && uint32(r) <= g.last {
			id := g.glyph + uint32(r) - g.first
			if id > 0 && id < uint32(f.glyphs) {
				return uint16(id), true
			}
		}
	}
	return 0, false
}

// Advance returns a glyph's advance in thousandths of an em, as it is written into documents.
func (f *Font) Advance(glyph uint16) int {
	if int(glyph) < len(f.widths) {
		return int(f.widths[glyph])
	}
	return 0
}

// Measure returns the width of s at a size, in the size's unit. Characters without a glyph count nothing.
func (f *Font) Measure(s string, size float64) float64 {
	sum := 0
	for _, r := range s {
		if g, ok := f.Glyph(r); ok {
			sum += int(f.widths[g])
		}
	}
	return float64(sum) * size / 1000
}

// Missing returns the first character of s that the font can't draw, as a *MissingGlyphError.
func (f *Font) Missing(s string) error {
	for _, r := range s {
		if _, ok := f.Glyph(r); !ok {
			return &MissingGlyphError{Rune: r, Font: f.name}
		}
	}
	return nil
}

func (f *Font) readTables(data []byte) error {
	if len(data) < 12 {
		return fmt.Errorf("font file has %d bytes, too few for a font", len(data))
	}
	switch tag := string(data[:4]); tag {
	case "\x00\x01\x00\x00", "true":
	case "OTTO":
		return fmt.Errorf("font has PostScript outlines; a TrueType font (.ttf) is needed")
	case "ttcf":
		return fmt.Errorf("file is a font collection; a single TrueType font (.ttf) is needed")
	default:
		return fmt.Errorf("file does not begin like a TrueType font")
	}
	n := int(binary.BigEndian.Uint16(data[4:]))
	if n > 128 || len(data) < 12+16*n {
		return fmt.Errorf("font's table directory is cut off")
	}
	f.tables = make(map[string][]byte, n)
	for i := range n {
		rec := data[12+16*i:]
		off, size := uint64(binary.BigEndian.Uint32(rec[8:])), uint64(binary.BigEndian.Uint32(rec[12:]))
		if off+size > uint64(len(data)) {
			return fmt.Errorf("font's table %q lies outside the file", rec[:4])
		}
		f.tables[string(rec[:4])] = data[off : off+size : off+size]
	}
	for _, need := range []struct {
		tag string
		min int
	}{{"head", 54}, {"hhea", 36}, {"maxp", 6}, {"hmtx", 4}, {"loca", 4}, {"cmap", 4}} {
		if len(f.tables[need.tag]) < need.min {
			return fmt.Errorf("font's table %q is missing or too short", need.tag)
		}
	}
	if _, ok := f.tables["glyf"]; !ok {
		return fmt.Errorf("font's table \"glyf\" is missing")
	}
	return nil
}

func (f *Font) readHeads() error {
	head := f.tables["head"]
	f.unitsPer = int(binary.BigEndian.Uint16(head[18:]))
	if f.unitsPer < 16 || f.unitsPer > 16384 {
		return fmt.Errorf("font's units per em are %d", f.unitsPer)
	}
	f.longLoca = binary.BigEndian.Uint16(head[50:]) != 0
	f.glyphs = int(binary.BigEndian.Uint16(f.tables["maxp"][4:]))
	step := 2
	if f.longLoca {
		step = 4
	}
	if f.glyphs == 0 || len(f.tables["loca"]) < (f.glyphs+1)*step {
		return fmt.Errorf("font's table \"loca\" is too short for %d glyphs", f.glyphs)
	}
	f.metrics = int(binary.BigEndian.Uint16(f.tables["hhea"][34:]))
	if f.metrics == 0 || f.metrics > f.glyphs || len(f.tables["hmtx"]) < 4*f.metrics+2*(f.glyphs-f.metrics) {
		return fmt.Errorf("font's table \"hmtx\" is too short for %d glyphs", f.glyphs)
	}
	return nil
}

// readCmap takes the widest Unicode table that the font has (formats 12 and 4).
func (f *Font) readCmap() error {
	cmap := f.tables["cmap"]
	n := int(binary.BigEndian.Uint16(cmap[2:]))
	if len(cmap) < 4+8*n {
		return fmt.Errorf("font's table \"cmap\" is cut off")
	}
	var full, basic []byte
	for i := range n {
		rec := cmap[4+8*i:]
		platform, encoding := binary.BigEndian.Uint16(rec), binary.BigEndian.Uint16(rec[2:])
		off := uint64(binary.BigEndian.Uint32(rec[4:]))
		if off+16 > uint64(len(cmap)) || platform != 0 && !(platform == 3 && (encoding == 1 || encoding == 10)) {
			continue
		}
		switch sub := cmap[off:]; binary.BigEndian.Uint16(sub) {
		case 12:
			full = sub
		case 4:
			basic = sub
		}
	}
	f.bmp = make([]uint16, 1<<16)
	switch {
	case full != nil:
		return f.readGroups(full)
	case basic != nil:
		return f.readSegments(basic)
	}
	return fmt.Errorf("font has no Unicode character table")
}

func (f *Font) readGroups(sub []byte) error {
	n := uint64(binary.BigEndian.Uint32(sub[12:]))
	if uint64(len(sub)) < 16+12*n {
		return fmt.Errorf("font's character table is cut off")
	}
	next := uint32(0)
	for i := range n {
		rec := sub[16+12*i:]
		g := group{binary.BigEndian.Uint32(rec), binary.BigEndian.Uint32(rec[4:]), binary.BigEndian.Uint32(rec[8:])}
		// Groups must rise; this also bounds the work by the number of characters.
		if g.first > g.last || g.first < next || g.last > 0x10FFFF {
			return fmt.Errorf("font's character table is out of order")
		}
		next = g.last + 1
		for r := g.first; r <= g.last && r < 1<<16; r++ {
			if id := uint64(g.glyph) + uint64(r-g.first); id < uint64(f.glyphs) {
				f.bmp[r] = uint16(id)
			}
		}
		if g.last >= 1<<16 {
			if g.first < 1<<16 {
				g.glyph += 1<<16 - g.first
				g.first = 1 << 16
			}
			f.high = append(f.high, g)
		}
	}
	return nil
}

func (f *Font) readSegments(sub []byte) error {
	n := int(binary.BigEndian.Uint16(sub[6:])) / 2
	if len(sub) < 16+8*n {
		return fmt.Errorf("font's character table is cut off")
	}
	at := func(part, i int) int {
		pad := 0
		if part > 0 {
			pad = 2
		}
		return 14 + part*2*n + pad + 2*i
	}
	next := 0
	for i := range n {
		last := int(binary.BigEndian.Uint16(sub[at(0, i):]))
		first := int(binary.BigEndian.Uint16(sub[at(1, i):]))
		delta := binary.BigEndian.Uint16(sub[at(2, i):])
		offset := int(binary.BigEndian.Uint16(sub[at(3, i):]))
		if first > last || first < next {
			return fmt.Errorf("font's character table is out of order")
		}
		next = last + 1
		for r := first; r <= last; r++ {
			id := uint16(r)
			if offset != 0 {
				p := at(3, i) + offset + 2*(r-first)
				if p+2 > len(sub) {
					continue
				}
				if id = binary.BigEndian.Uint16(sub[p:]); id == 0 {
					continue
				}
			}
			if id += delta; int(id) < f.glyphs {
				f.bmp[r] = id
			}
		}
	}
	return nil
}

func (f *Font) readWidths() {
	hmtx := f.tables["hmtx"]
	f.widths = make([]uint16, f.glyphs)
	for i := range f.widths {
		w := binary.BigEndian.Uint16(hmtx[4*min(i, f.metrics-1):])
		f.widths[i] = uint16(min(math.Round(float64(w)*1000/float64(f.unitsPer)), math.MaxUint16))
	}
}

// postScriptName returns name id 6, kept to the characters that a document's name may have.
func postScriptName(table []byte) string {
	const unnamed = "Unnamed"
	if len(table) < 6 {
		return unnamed
	}
	n, store := int(binary.BigEndian.Uint16(table[2:])), int(binary.BigEndian.Uint16(table[4:]))
	for i := 0; i < n && len(table) >= 6+12*(i+1); i++ {
		rec := table[6+12*i:]
		if binary.BigEndian.Uint16(rec[6:]) != 6 {
			continue
		}
		size, off := int(binary.BigEndian.Uint16(rec[8:])), store+int(binary.BigEndian.Uint16(rec[10:]))
		if off+size > len(table) {
			continue
		}
		raw := table[off : off+size]
		var text string
		if binary.BigEndian.Uint16(rec) == 1 {
			text = string(raw)
		} else {
			units := make([]uint16, 0, size/2)
			for ; len(raw) >= 2; raw = raw[2:] {
				units = append(units, binary.BigEndian.Uint16(raw))
			}
			text = string(utf16.Decode(units))
		}
		if clean := plainName(text); clean != "" {
			return clean
		}
	}
	return unnamed
}

func plainName(s string) string {
	var out []byte
	for _, r := range s {
		if r == '-' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			out = append(out, byte(r))
		}
	}
	if len(out) > 63 {
		out = out[:63]
	}
	return string(out)
}
