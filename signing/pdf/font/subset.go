package font

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"sync"
	"unicode/utf16"
)

// Vietnamese holds the letters of the Vietnamese alphabet that are not plain ASCII, in NFC, both cases: 134.
const Vietnamese = "ÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝàáâãèéêìíòóôõùúýĂăĐđĨĩŨũƠơƯư" +
	"ẠạẢảẤấẦầẨẩẪẫẬậẮắẰằẲẳẴẵẶặẸẹẺẻẼẽẾếỀềỂểỄễỆệỈỉỊịỌọỎỏỐốỒồỔổỖỗỘộỚớỜờỞởỠỡỢợỤụỦủỨứỪừỬửỮữỰựỲỳỴỵỶỷỸỹ"

// baseText is what an ordinary document may use; the subset with exactly these characters is cut once per font.
const baseText = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~" +
	"\u00a0§©«°±²³·»×–—‘’“”•…₫" + Vietnamese

// maxCached bounds how many cut subsets a font remembers.
const maxCached = 64

// baseSet gives the characters of baseText that the font has their fixed codes.
type baseSet struct {
	runes []rune
	codes []uint16 // by character, 0 for none; short because the base lies low in Unicode
}

func newBaseSet(f *Font) baseSet {
	b := baseSet{codes: make([]uint16, 0x2100)}
	runes := []rune(baseText)
	slices.Sort(runes)
	for _, r := range slices.Compact(runes) {
		if _, ok := f.Glyph(r); ok {
			b.runes = append(b.runes, r)
			b.codes[r] = uint16(len(b.runes))
		}
	}
	return b
}

// Use records which characters one document draws with a font and gives each its code in the document.
type Use struct {
	font  *Font
	extra []rune
	codes map[rune]uint16
}

// Use begins a document's use of the font.
func (f *Font) Use() *Use { return &Use{font: f} }

// Append appends the two-byte codes of s to dst. A character without a glyph is a *MissingGlyphError.
func (u *Use) Append(dst []byte, s string) ([]byte, error) {
	for _, r := range s {
		c, err := u.code(r)
		if err != nil {
			return dst, err
		}
		dst = append(dst, byte(c>>8), byte(c))
	}
	return dst, nil
}

func (u *Use) code(r rune) (uint16, error) {
	if r >= 0 && int(r) < len(u.font.base.codes) {
		if c := u.font.base.codes[r]; c != 0 {
			return c, nil
		}
	}
	if c, ok := u.codes[r]; ok {
		return c, nil
	}
	if _, ok := u.font.Glyph(r); !ok {
		return 0, &MissingGlyphError{Rune: r, Font: u.font.name}
	}
	if u.codes == nil {
		u.codes = make(map[rune]uint16)
	}
	u.extra = append(u.extra, r)
	c := len(u.font.base.runes) + len(u.extra)
	if c > math.MaxUint16 {
		return 0, fmt.Errorf("document draws more than %d different characters with font %s", math.MaxUint16, u.font.name)
	}
	u.codes[r] = uint16(c)
	return uint16(c), nil
}

// Program is a subset font as a document embeds it. It is shared between documents: do not change it.
type Program struct {
	Name       string   // with its subset tag: "KQXWBA+LiberationSerif"
	TrueType   []byte   // the font file
	Deflated   []byte   // the font file, zlib
	Widths     string   // the /W array of the CIDFont
	ToUnicode  []byte   // the /ToUnicode CMap, zlib
	Digest     [32]byte // of everything above, for document ids
	Descriptor Descriptor
}

// Descriptor holds what a PDF font descriptor says, in thousandths of an em.
type Descriptor struct {
	BBox                       [4]int
	Ascent, Descent, CapHeight int
	ItalicAngle, StemV, Flags  int
}

// Program cuts the subset that the document needs: the base set with what was used beyond it. Equal sets give
// equal bytes, and are cut only once while they stay in the font's cache.
func (u *Use) Program() (*Program, error) {
	return u.font.cache.program(string(u.extra), func() (*Program, error) { return u.font.cut(u.extra) })
}

// programCache remembers cut subsets by the characters beyond the base set; the oldest goes first.
type programCache struct {
	mu    sync.Mutex
	known map[string]*Program
	order []string
}

func (c *programCache) program(key string, cut func() (*Program, error)) (*Program, error) {
	c.mu.Lock()
	p, ok := c.known[key]
	c.mu.Unlock()
	if ok {
		return p, nil
	}
	p, err := cut()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = make(map[string]*Program)
	}
	if q, ok := c.known[key]; ok {
		return q, nil
	}
	// The base set alone (empty key) is what nearly every document needs; it stays.
	if key != "" {
		if len(c.order) == maxCached {
			delete(c.known, c.order[0])
			c.order = c.order[1:]
		}
		c.order = append(c.order, key)
	}
	c.known[key] = p
	return p, nil
}

// cut makes the subset of the base characters, then extra in their order, then the parts of composite glyphs.
func (f *Font) cut(extra []rune) (*Program, error) {
	runes := append(slices.Clone(f.base.runes), extra...)
	slots := []uint16{0} // the font's glyph in each place of the subset; place 0 is .notdef
	for _, r := range runes {
		g, _ := f.Glyph(r)
		slots = append(slots, g)
	}
	slots, place, err := f.closure(slots)
	if err != nil {
		return nil, err
	}
	file, err := f.assemble(slots, place)
	if err != nil {
		return nil, err
	}
	p := &Program{TrueType: file, Descriptor: f.descriptor()}
	sum := sha256.Sum256(file)
	p.Name = subsetTag(sum) + "+" + f.name
	p.Widths = f.widthArray(slots[:len(runes)+1])
	level := zlib.BestCompression
	if len(extra) > 0 {
		level = zlib.BestSpeed
	}
	if p.Deflated, err = deflate(file, level); err != nil {
		return nil, err
	}
	if p.ToUnicode, err = deflate(toUnicode(runes), level); err != nil {
		return nil, err
	}
	h := sha256.New()
	for _, b := range [][]byte{[]byte(p.Name), p.Deflated, []byte(p.Widths), p.ToUnicode} {
		_ = binary.Write(h, binary.BigEndian, int64(len(b)))
		h.Write(b)
	}
	h.Sum(p.Digest[:0])
	return p, nil
}

// closure appends every glyph that the slots' composite glyphs need, and what those need, and so on. It returns
// the slots and the place of each glyph in them.
func (f *Font) closure(slots []uint16) ([]uint16, map[uint16]uint16, error) {
	place := make(map[uint16]uint16, len(slots))
	for i, g := range slots {
		if _, ok := place[g]; !ok {
			place[g] = uint16(i)
		}
	}
	for i := 0; i < len(slots); i++ {
		parts, err := f.parts(slots[i])
		if err != nil {
			return nil, nil, err
		}
		for _, p := range parts {
			if _, ok := place[p.glyph]; ok {
				continue
			}
			if int(p.glyph) >= f.glyphs || len(slots) > math.MaxUint16 {
				return nil, nil, fmt.Errorf("font %s: glyph %d has a part %d that can't be kept", f.name, slots[i], p.glyph)
			}
			place[p.glyph] = uint16(len(slots))
			slots = append(slots, p.glyph)
		}
	}
	return slots, place, nil
}

// assemble writes a TrueType file with the given glyphs, parts renumbered.
func (f *Font) assemble(slots []uint16, place map[uint16]uint16) ([]byte, error) {
	var glyf, loca, hmtx []byte
	for _, g := range slots {
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
		data, err := f.span(g)
		if err != nil {
			return nil, err
		}
		// Glyphs of a broken font may share their bytes; what is cut out must not grow beyond what fonts have.
		if len(glyf)+len(data) > maxFile {
			return nil, fmt.Errorf("font %s: its glyphs take more than %d bytes", f.name, maxFile)
		}
		from := len(glyf)
		glyf = append(glyf, data...)
		parts, err := f.parts(g)
		if err != nil {
			return nil, err
		}
		for _, p := range parts {
			binary.BigEndian.PutUint16(glyf[from+p.at:], place[p.glyph])
		}
		for len(glyf)%4 != 0 {
			glyf = append(glyf, 0)
		}
		hmtx = append(hmtx, f.metric(g)...)
	}
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))

	head := slices.Clone(f.tables["head"])
	binary.BigEndian.PutUint32(head[8:], 0)
	binary.BigEndian.PutUint16(head[50:], 1)
	hhea := slices.Clone(f.tables["hhea"])
	binary.BigEndian.PutUint16(hhea[34:], uint16(len(slots)))
	maxp := slices.Clone(f.tables["maxp"])
	binary.BigEndian.PutUint16(maxp[4:], uint16(len(slots)))
	tables := map[string][]byte{"head": head, "hhea": hhea, "maxp": maxp, "hmtx": hmtx, "loca": loca, "glyf": glyf}
	for _, tag := range []string{"cvt ", "fpgm", "prep"} {
		if t := f.tables[tag]; len(t) > 0 {
			tables[tag] = t
		}
	}
	return fontFile(tables), nil
}

// metric returns the advance and left bearing of a glyph.
func (f *Font) metric(g uint16) []byte {
	hmtx := f.tables["hmtx"]
	if int(g) < f.metrics {
		return hmtx[4*int(g) : 4*int(g)+4]
	}
	last := hmtx[4*(f.metrics-1):]
	side := hmtx[4*f.metrics+2*(int(g)-f.metrics):]
	return []byte{last[0], last[1], side[0], side[1]}
}

// fontFile puts tables into a font file with its checksums.
func fontFile(tables map[string][]byte) []byte {
	tags := make([]string, 0, len(tables))
	for tag := range tables {
		tags = append(tags, tag)
	}
	sort.Strings(tags)
	n := len(tags)
	log := 0
	for 2<<log <= n {
		log++
	}
	out := []byte{0, 1, 0, 0}
	out = binary.BigEndian.AppendUint16(out, uint16(n))
	out = binary.BigEndian.AppendUint16(out, uint16(16<<log))
	out = binary.BigEndian.AppendUint16(out, uint16(log))
	out = binary.BigEndian.AppendUint16(out, uint16(16*n-16<<log))
	off, headAt := 12+16*n, 0
	for _, tag := range tags {
		t := tables[tag]
		if tag == "head" {
			headAt = off
		}
		out = append(out, tag...)
		out = binary.BigEndian.AppendUint32(out, checksum(t))
		out = binary.BigEndian.AppendUint32(out, uint32(off))
		out = binary.BigEndian.AppendUint32(out, uint32(len(t)))
		off += (len(t) + 3) &^ 3
	}
	for _, tag := range tags {
		out = append(out, tables[tag]...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
	}
	binary.BigEndian.PutUint32(out[headAt+8:], 0xB1B0AFBA-checksum(out))
	return out
}

func checksum(b []byte) uint32 {
	var sum uint32
	for ; len(b) >= 4; b = b[4:] {
		sum += binary.BigEndian.Uint32(b)
	}
	if len(b) > 0 {
		var last [4]byte
		copy(last[:], b)
		sum += binary.BigEndian.Uint32(last[:])
	}
	return sum
}

// subsetTag makes the six capitals that mark a subset's name, from its content.
func subsetTag(sum [32]byte) string {
	tag := make([]byte, 6)
	for i := range tag {
		tag[i] = 'A' + sum[i]%26
	}
	return string(tag)
}

func (f *Font) widthArray(slots []uint16) string {
	b := []byte("[0 [")
	for i, g := range slots {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, int64(f.widths[g]), 10)
	}
	return string(append(b, "]]"...))
}

func (f *Font) descriptor() Descriptor {
	scale := func(v int) int { return int(math.Round(float64(v) * 1000 / float64(f.unitsPer))) }
	word := func(b []byte, at int) int { return int(int16(binary.BigEndian.Uint16(b[at:]))) }
	head, hhea := f.tables["head"], f.tables["hhea"]
	d := Descriptor{
		BBox:   [4]int{scale(word(head, 36)), scale(word(head, 38)), scale(word(head, 40)), scale(word(head, 42))},
		Ascent: scale(word(hhea, 4)), Descent: scale(word(hhea, 6)),
		StemV: 80, Flags: 4,
	}
	d.CapHeight = d.Ascent
	if os2 := f.tables["OS/2"]; len(os2) >= 90 && binary.BigEndian.Uint16(os2) >= 2 {
		d.CapHeight = scale(word(os2, 88))
		if weight := word(os2, 4); weight >= 600 {
			d.StemV = 140
		}
	}
	if post := f.tables["post"]; len(post) >= 8 {
		if d.ItalicAngle = word(post, 4); d.ItalicAngle != 0 {
			d.Flags |= 1 << 6
		}
	}
	return d
}

// toUnicode writes the CMap from codes (1, 2, 3, … in the order of runes) to characters.
func toUnicode(runes []rune) []byte {
	var b bytes.Buffer
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n" +
		"/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n" +
		"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n" +
		"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	for from := 0; from < len(runes); from += 100 {
		to := min(from+100, len(runes))
		fmt.Fprintf(&b, "%d beginbfchar\n", to-from)
		for i := from; i < to; i++ {
			fmt.Fprintf(&b, "<%04X> <", i+1)
			for _, u := range utf16.Encode(runes[i : i+1]) {
				fmt.Fprintf(&b, "%04X", u)
			}
			b.WriteString(">\n")
		}
		b.WriteString("endbfchar\n")
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return b.Bytes()
}

func deflate(data []byte, level int) ([]byte, error) {
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, level)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
