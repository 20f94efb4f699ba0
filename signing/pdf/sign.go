package pdf

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
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

// Appearance is what a signature looks like: a content stream without resources, in a box of the given size in
// points whose lower left corner is the origin. Readers scale it into the field's rectangle.
type Appearance struct {
	Width, Height float64
	Stream        []byte
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

// Prepared is a document with an update that lacks only the signature's value.
type Prepared struct {
	buf    []byte
	open   int // where the hole's < is
	shut   int // after the hole's >
	digest [32]byte
	done   bool
}

// Prepare appends an update to base that fills a signature field which is there and empty; it changes no byte of base
// and adds no field. The base must have classic cross-reference tables.
func Prepare(base []byte, r Request) (*Prepared, error) {
	if r.Room == 0 {
		r.Room = DefaultRoom
	}
	if r.Room < 512 || r.Room > maxRoom {
		return nil, fmt.Errorf("prepare field %q: room for %d bytes is not between 512 and %d", r.Field, r.Room, maxRoom)
	}
	if r.At.IsZero() {
		return nil, fmt.Errorf("prepare field %q: the time of signing is not given", r.Field)
	}
	u, err := begin(base, 2*r.Room+2048+appearanceSize(r.Appearance))
	if err != nil {
		return nil, fmt.Errorf("prepare field %q: %w", r.Field, err)
	}
	field, err := u.file.emptyField(r.Field)
	if err != nil {
		return nil, fmt.Errorf("prepare field %q: %w", r.Field, err)
	}
	p, err := u.write(field, r)
	if err != nil {
		return nil, fmt.Errorf("prepare field %q: %w", r.Field, err)
	}
	return p, nil
}

func appearanceSize(a *Appearance) int {
	if a == nil {
		return 0
	}
	return len(a.Stream)
}

// emptyField finds the field and makes sure that it can be filled.
func (f *File) emptyField(name string) (Field, error) {
	fields, err := f.Fields(len(f.Revisions) - 1)
	if err != nil {
		return Field{}, err
	}
	for _, field := range fields {
		if field.Name != name {
			continue
		}
		o := field.Object
		switch {
		case field.Type != "Sig":
			return field, ErrNoField
		case o.Value.Get("V").Kind != Null:
			return field, ErrFieldFilled
		case !o.Value.Get("Subtype").Is("Widget") || o.Value.Get("Kids").Kind != Null || o.Span.End == 0:
			return field, unsupported(o.Span.Start, "the field is not its own widget")
		}
		return field, nil
	}
	return Field{}, ErrNoField
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
	file    *File
	base    int
	next    int // the next free object number
	out     []byte
	entries []Entry
}

// begin starts an update of a document that has classic cross-reference tables; room is how many bytes it will add.
func begin(base []byte, room int) (*update, error) {
	f, err := open(base)
	if err != nil {
		return nil, err
	}
	if f.last().Streams || f.last().Linear || f.last().Hybrid || f.cipher != nil {
		return nil, unsupported(f.last().Xref, "the base has no classic cross-reference table")
	}
	if f.Shift != 0 || len(bytes.Trim(base[f.last().Marker:], "\r\n")) != 0 {
		return nil, malformed(f.last().Marker, "there is something before or behind the base")
	}
	next, err := f.nextNumber()
	if err != nil {
		return nil, err
	}
	u := &update{file: f, base: len(base), next: next}
	u.out = make([]byte, len(base), len(base)+room)
	copy(u.out, base)
	if last := u.out[u.base-1]; last != '\n' && last != '\r' {
		u.out = append(u.out, '\n')
	}
	return u, nil
}

// number takes the next free object number.
func (u *update) number() int {
	u.next++
	return u.next - 1
}

func (u *update) begin(num, gen int) {
	u.entries = append(u.entries, Entry{Num: num, Gen: gen, Offset: len(u.out)})
	u.out = strconv.AppendInt(u.out, int64(num), 10)
	u.out = append(u.out, ' ')
	u.out = strconv.AppendInt(u.out, int64(gen), 10)
	u.out = append(u.out, " obj\n"...)
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
	if err := u.xref(fmt.Sprintf("%s\n%d", field.Name, r.At.UnixNano())); err != nil {
		return nil, err
	}
	return p, u.close(p, ranges)
}

// close puts the byte range in its place and hashes what is to be signed.
func (u *update) close(p *Prepared, ranges int) error {
	text := fmt.Appendf(nil, "[0 %d %d %d]", p.open, p.shut, len(u.out)-p.shut)
	if len(text) > byteRangeRoom {
		return tooLarge(-1, "the document is too long to sign")
	}
	copy(u.out[ranges:], text)
	p.buf = u.out
	p.digest = p.sum()
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
	u.out = fmt.Appendf(u.out, "/V %d 0 R", value)
	if looks != 0 {
		u.out = fmt.Appendf(u.out, "/AP<</N %d 0 R>>", looks)
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
	u.out = append(u.out, bytes.Repeat([]byte{' '}, byteRangeRoom)...)
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
	u.out = fmt.Appendf(u.out, ">>/Data %d %d R>>]", root.Int, root.Gen)
	return nil
}

func (u *update) appearance(num int, a *Appearance) {
	u.begin(num, 0)
	u.out = append(u.out, "<</Type/XObject/Subtype/Form/BBox[0 0 "...)
	u.out = strconv.AppendFloat(u.out, a.Width, 'f', -1, 64)
	u.out = append(u.out, ' ')
	u.out = strconv.AppendFloat(u.out, a.Height, 'f', -1, 64)
	u.out = append(u.out, "]/Resources<<>>/Length "...)
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
		u.out = fmt.Appendf(u.out, "%d %d\n", u.entries[i].Num, n-i)
		for ; i < n; i++ {
			u.out = appendEntry(u.out, u.entries[i])
		}
	}
	old := u.file.last().Trailer
	root := old.Get("Root")
	if root.Kind != Reference {
		return malformed(old.Start, "the trailer's root is not a reference")
	}
	u.out = fmt.Appendf(u.out, "trailer\n<</Size %d/Root %d %d R", u.next, root.Int, root.Gen)
	if info := old.Get("Info"); info.Kind == Reference {
		u.out = fmt.Appendf(u.out, "/Info %d %d R", info.Int, info.Gen)
	}
	if id := old.Get("ID"); id.Kind == Array && len(id.Items) == 2 {
		h := sha256.New()
		h.Write(id.Items[1].Bytes())
		fmt.Fprintf(h, "%s\n%d", seed, u.base)
		u.out = fmt.Appendf(u.out, "/ID[<%x><%x>]", id.Items[0].Bytes(), h.Sum(nil)[:16])
	}
	u.out = fmt.Appendf(u.out, "/Prev %d>>\nstartxref\n%d\n%%%%EOF\n", u.file.last().Xref, start)
	return nil
}

func appendEntry(out []byte, e Entry) []byte {
	return fmt.Appendf(out, "%010d %05d n \n", e.Offset, e.Gen)
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

// Finish puts the CMS signature into the hole, in lower-case hexadecimal digits padded with zeros, and returns the
// document. It refuses when the prepared bytes are not what Digest spoke of any more, and can be called once.
func (p *Prepared) Finish(cms []byte) ([]byte, error) {
	hole := p.buf[p.open+1 : p.shut-1]
	switch {
	case p.done:
		return nil, errors.New("finish the signature: it was finished before")
	case len(cms) == 0:
		return nil, errors.New("finish the signature: it is empty")
	case 2*len(cms) > len(hole):
		return nil, fmt.Errorf("finish the signature: it has %d bytes, the document has room for %d", len(cms), len(hole)/2)
	case p.sum() != p.digest:
		return nil, errors.New("finish the signature: the prepared document was changed meanwhile")
	}
	p.done = true
	hex.Encode(hole, cms)
	return p.buf, nil
}
