package pdf

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"math"
	"slices"
	"strconv"
	"time"
)

// DefaultRoom is the space for a CMS signature in bytes: ample for a timestamp and three certificates in each chain.
const DefaultRoom = 8 << 10

// maxRoom bounds the space that a Request may ask for.
const maxRoom = 64 << 10

// The ways in which a field can't be signed.
var (
	ErrNoField     = errors.New("the document has no such signature field")
	ErrFieldFilled = errors.New("the signature field is already filled")
)

// Appearance is what a signature looks like: a content stream without resources, and the box of it that is shown, in
// points. Readers scale the box into the field's rectangle.
type Appearance struct {
	Left, Bottom  float64 // where the box has its lower left corner
	Width, Height float64
	Stream        []byte
	Packed        bool // Stream is a zlib stream
}

// Request says which empty field is to be filled, and with what.
type Request struct {
	Field      string
	Name       string // who signs, for readers; the certificate counts
	Reason     string
	Location   string
	At         time.Time   // the claimed time, /M
	Appearance *Appearance // nil leaves the field as it looks
	Room       int         // bytes for the CMS signature; 0 means DefaultRoom
}

// size is about how many bytes the update for a request has.
func (r Request) size() int {
	size := 2*cmp.Or(r.Room, DefaultRoom) + 1024 + 2*(len(r.Name)+len(r.Reason)+len(r.Location))
	if r.Appearance != nil {
		size += len(r.Appearance.Stream)
	}
	return size
}

// Prepared is a document with an update that lacks only the signature's value.
type Prepared struct {
	buf    []byte
	open   int // where the hole's < is
	shut   int // after the hole's >
	digest [32]byte
	hash   hash.Cloner // of buf[:open]
	done   bool
}

// Prepare appends an update to base that fills a signature field which is there and empty; it changes no byte of base
// and adds no field. The base must have classic cross-reference tables.
func Prepare(base []byte, r Request) (*Prepared, error) { return Open(base).prepare(r) }

// empty makes sure that the field can be filled.
func (f Field) empty() error {
	o := f.Object
	switch {
	case f.Type != "Sig":
		return ErrNoField
	case o.Value.Get("V").Kind != Null:
		return ErrFieldFilled
	case !o.Value.Get("Subtype").Is("Widget") || o.Value.Get("Kids").Kind != Null || o.Span.End == 0:
		return unsupported(o.Span.Start, "the field is not its own widget")
	}
	return nil
}

// nextNumber returns the first object number that was never used.
func (f *File) nextNumber() (int, error) {
	size := f.last().Trailer.Get("Size")
	if size.Kind != Integer || size.Int < 1 || size.Int > maxObjects {
		return 0, malformed(f.last().Trailer.Start, "the trailer's /Size is wrong")
	}
	for _, r := range f.Revisions {
		if n := len(r.Entries); n > 0 && r.Entries[n-1].Num >= int(size.Int) {
			return 0, malformed(r.Xref, "object %d is not below the trailer's /Size", r.Entries[n-1].Num)
		}
	}
	return int(size.Int), nil
}

// update is a revision in the making.
type update struct {
	growing *Growing
	file    *File
	base    int
	next    int // the next free object number
	out     []byte
	entries []Entry
}

// begin starts an update of a document that has classic cross-reference tables; room is how many bytes it will add.
func begin(base []byte, room int) (*update, error) { return Open(base).begin(room) }

// number takes the next free object number.
func (u *update) number() int {
	u.next++
	return u.next - 1
}

func (u *update) begin(num, gen int) {
	u.entries = append(u.entries, Entry{Num: num, Gen: gen, Offset: len(u.out)})
	u.out = appendPair(u.out, num, gen)
	u.out = append(u.out, " obj\n"...)
}

func appendReference(out []byte, num, gen int) []byte {
	return append(appendPair(out, num, gen), " R"...)
}

func appendPair(out []byte, a, b int) []byte {
	return strconv.AppendInt(append(strconv.AppendInt(out, int64(a), 10), ' '), int64(b), 10)
}

func (u *update) end() { u.out = append(u.out, "\nendobj\n"...) }

func (u *update) write(field Field, r Request) (*Prepared, error) {
	value, looks := u.number(), 0
	if r.Appearance != nil {
		looks = u.number()
	}
	u.widget(field, value, looks)
	p, ranges, err := u.signature(field, value, r)
	if err != nil {
		return nil, err
	}
	if looks != 0 {
		u.appearance(looks, r.Appearance)
	}
	if err := u.xref(field.Name + "\n" + strconv.FormatInt(r.At.UnixNano(), 10)); err != nil {
		return nil, err
	}
	return p, u.close(p, ranges)
}

// close puts the byte range in its place and hashes what is to be signed.
func (u *update) close(p *Prepared, ranges int) (err error) {
	text := append(make([]byte, 0, byteRangeRoom+8), "[0 "...)
	for i, n := range []int{p.open, p.shut, len(u.out) - p.shut} {
		if i > 0 {
			text = append(text, ' ')
		}
		text = strconv.AppendInt(text, int64(n), 10)
	}
	text = append(text, ']')
	if len(text) > byteRangeRoom {
		return tooLarge(-1, "the document is too long to sign")
	}
	copy(u.out[ranges:], text)
	p.buf = u.out
	if p.hash, err = u.growing.hash.Clone(); err != nil {
		return fmt.Errorf("hash the document: %w", err)
	}
	p.hash.Write(p.buf[u.growing.hashed:p.open])
	whole, err := p.hash.Clone()
	if err != nil {
		return fmt.Errorf("hash the document: %w", err)
	}
	whole.Write(p.buf[p.shut:])
	whole.Sum(p.digest[:0])
	return nil
}

// widget rewrites the field's widget with /V and /AP added and every other byte of its dictionary as it was.
func (u *update) widget(field Field, value, looks int) {
	o := field.Object
	u.begin(o.Num, o.Gen)
	v := o.Value
	src := u.file.data
	at := v.Start
	if looks != 0 {
		for _, p := range v.Pairs {
			if string(p.Key) == "AP" {
				u.out = append(u.out, src[at:p.Start]...)
				at = p.Value.End
			}
		}
	}
	u.out = append(u.out, src[at:v.End-2]...)
	u.out = append(u.out, "/V "...)
	u.out = appendReference(u.out, value, 0)
	if looks != 0 {
		u.out = append(u.out, "/AP<</N "...)
		u.out = appendReference(u.out, looks, 0)
		u.out = append(u.out, ">>"...)
	}
	u.out = append(u.out, ">>"...)
	u.end()
}

// byteRangeRoom is the width kept for the byte range: three numbers of ten digits.
const byteRangeRoom = len("[0 1234567890 1234567890 1234567890]")

// signature writes the signature dictionary with an empty hole; it returns where the byte range stands.
func (u *update) signature(field Field, num int, r Request) (p *Prepared, ranges int, err error) {
	u.begin(num, 0)
	u.out = append(u.out, "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached"...)
	for _, t := range []struct{ key, text string }{{"/Name", r.Name}, {"/Reason", r.Reason}, {"/Location", r.Location}} {
		if t.text != "" {
			u.out = append(u.out, t.key...)
			u.out = appendText(u.out, t.text)
		}
	}
	u.out = append(u.out, "/M"...)
	u.out = appendDate(u.out, r.At)
	if err := u.lock(field); err != nil {
		return nil, 0, err
	}
	p, ranges = u.hole(r.Room)
	u.end()
	return p, ranges, nil
}

// hole ends a signature dictionary with room for the byte range and an empty hole for so many bytes.
func (u *update) hole(room int) (p *Prepared, ranges int) {
	u.out = append(u.out, "/ByteRange"...)
	ranges = len(u.out)
	for range byteRangeRoom {
		u.out = append(u.out, ' ')
	}
	u.out = append(u.out, "/Contents"...)
	p = &Prepared{open: len(u.out)}
	u.out = append(u.out, '<')
	start := len(u.out)
	u.out = slices.Grow(u.out, 2*room)[:start+2*room]
	for i := start; i < len(u.out); i++ {
		u.out[i] = '0'
	}
	u.out = append(u.out, '>')
	p.shut = len(u.out)
	u.out = append(u.out, ">>"...)
	return p, ranges
}

// lock repeats the field's /Lock as a FieldMDP reference, which readers want beside it (ISO 32000-1 §12.8.2.4).
func (u *update) lock(field Field) error {
	last := len(u.file.Revisions) - 1
	lock, err := u.file.Resolve(field.Object.Value.Get("Lock"), last)
	if err != nil || lock.Kind != Dict {
		return err
	}
	root := u.file.last().Trailer.Get("Root")
	u.out = append(u.out, "/Reference[<</Type/SigRef/TransformMethod/FieldMDP/TransformParams<</Type/TransformParams/V/1.2"...)
	for _, key := range []string{"Action", "Fields"} {
		if v := lock.Get(key); v.Kind == Name || v.Kind == Array {
			u.out = append(u.out, '/')
			u.out = append(u.out, key...)
			u.out = append(u.out, u.file.data[v.Start:v.End]...)
		}
	}
	u.out = append(u.out, ">>/Data "...)
	u.out = appendReference(u.out, int(root.Int), int(root.Gen))
	u.out = append(u.out, ">>]"...)
	return nil
}

func (u *update) appearance(num int, a *Appearance) {
	u.begin(num, 0)
	u.out = append(u.out, "<</Type/XObject/Subtype/Form/BBox["...)
	for i, v := range []float64{a.Left, a.Bottom, a.Left + a.Width, a.Bottom + a.Height} {
		if i > 0 {
			u.out = append(u.out, ' ')
		}
		u.out = strconv.AppendFloat(u.out, math.Round(v*1000)/1000, 'f', -1, 64)
	}
	u.out = append(u.out, "]/Resources<<>>"...)
	if a.Packed {
		u.out = append(u.out, "/Filter/FlateDecode"...)
	}
	u.out = append(u.out, "/Length "...)
	u.out = strconv.AppendInt(u.out, int64(len(a.Stream)), 10)
	u.out = append(u.out, ">>\nstream\n"...)
	u.out = append(u.out, a.Stream...)
	u.out = append(u.out, "\nendstream"...)
	u.end()
}

// xref writes the table and the trailer. The second half of /ID changes with each update, as the standard asks.
// It is made from seed and what it was before.
func (u *update) xref(seed string) error {
	start := len(u.out)
	u.out = append(u.out, "xref\n"...)
	for i := 0; i < len(u.entries); {
		n := i + 1
		for n < len(u.entries) && u.entries[n].Num == u.entries[n-1].Num+1 {
			n++
		}
		u.out = append(appendPair(u.out, u.entries[i].Num, n-i), '\n')
		for ; i < n; i++ {
			u.out = appendEntry(u.out, u.entries[i])
		}
	}
	old := u.file.last().Trailer
	root := old.Get("Root")
	if root.Kind != Reference {
		return malformed(old.Start, "the trailer's root is not a reference")
	}
	u.out = strconv.AppendInt(append(u.out, "trailer\n<</Size "...), int64(u.next), 10)
	u.out = appendReference(append(u.out, "/Root "...), int(root.Int), int(root.Gen))
	if info := old.Get("Info"); info.Kind == Reference {
		u.out = appendReference(append(u.out, "/Info "...), int(info.Int), int(info.Gen))
	}
	if id := old.Get("ID"); id.Kind == Array && len(id.Items) == 2 {
		before := id.Items[1].Bytes()
		text := append(make([]byte, 0, len(before)+len(seed)+24), before...)
		text = append(append(text, seed...), '\n')
		sum := sha256.Sum256(strconv.AppendInt(text, int64(u.base), 10))
		u.out = hex.AppendEncode(append(u.out, "/ID[<"...), id.Items[0].Bytes())
		u.out = hex.AppendEncode(append(u.out, "><"...), sum[:16])
		u.out = append(u.out, ">]"...)
	}
	u.out = strconv.AppendInt(append(u.out, "/Prev "...), int64(u.file.last().Xref), 10)
	u.out = strconv.AppendInt(append(u.out, ">>\nstartxref\n"...), int64(start), 10)
	u.out = append(u.out, "\n%%EOF\n"...)
	return nil
}

// appendEntry writes one line of a table: ten digits, five digits, n.
func appendEntry(out []byte, e Entry) []byte {
	out = appendDigits(out, e.Offset, 10)
	out = appendDigits(append(out, ' '), e.Gen, 5)
	return append(out, " n \n"...)
}

// appendDigits writes a number with leading zeros.
func appendDigits(out []byte, n, width int) []byte {
	for range width {
		out = append(out, '0')
	}
	for i := len(out) - 1; n > 0 && i >= len(out)-width; i-- {
		out[i] = byte('0' + n%10)
		n /= 10
	}
	return out
}

// Digest returns the SHA-256 of the bytes to be signed: all but the hole.
func (p *Prepared) Digest() [32]byte { return p.digest }

// Signed returns a copy of the bytes to be signed.
func (p *Prepared) Signed() []byte {
	return append(append([]byte{}, p.buf[:p.open]...), p.buf[p.shut:]...)
}

func (p *Prepared) sum() (out [32]byte) {
	h := sha256.New()
	h.Write(p.buf[:p.open])
	h.Write(p.buf[p.shut:])
	h.Sum(out[:0])
	return out
}

// Finish puts the CMS signature into the hole and returns the document. It refuses when the prepared bytes are not what
// Digest spoke of any more, and can be called once.
func (p *Prepared) Finish(cms []byte) ([]byte, error) {
	if p.sum() != p.digest {
		return nil, errors.New("finish the signature: the prepared document was changed meanwhile")
	}
	if err := p.put(cms); err != nil {
		return nil, err
	}
	return p.buf, nil
}

// put writes a message into the hole, in lower-case hexadecimal digits; the zeros behind it are there.
func (p *Prepared) put(cms []byte) error {
	hole := p.buf[p.open+1 : p.shut-1]
	switch {
	case p.done:
		return errors.New("finish the signature: it was finished before")
	case len(cms) == 0:
		return errors.New("finish the signature: it is empty")
	case 2*len(cms) > len(hole):
		return fmt.Errorf("finish the signature: it has %d bytes, the document has room for %d", len(cms), len(hole)/2)
	}
	p.done = true
	hex.Encode(hole, cms)
	return nil
}
