package pdf

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
)

// Material is validation data in DER: what a reader needs in years to come to judge the signatures of a document.
type Material struct {
	Certificates [][]byte
	OCSPs        [][]byte // OCSPResponse, RFC 6960
	CRLs         [][]byte
}

// Empty reports whether there is nothing in it.
func (m Material) Empty() bool { return len(m.Certificates)+len(m.OCSPs)+len(m.CRLs) == 0 }

// MaterialNote begins a revision that AppendMaterial wrote. A revision with this note that is not what AppendMaterial
// writes was changed by somebody.
const MaterialNote = "% countersign: validation data\n"

// AppendMaterial appends a revision that adds validation data to the document security store (DSS, EN 319 142-1
// §5.4.2) and changes no byte of base. What the store has already is not added again. The same base and material give
// the same bytes.
func AppendMaterial(base []byte, m Material) ([]byte, error) {
	size := 0
	for _, list := range [][][]byte{m.Certificates, m.OCSPs, m.CRLs} {
		for _, der := range list {
			size += len(der) + 128
		}
	}
	u, err := begin(base, size+4096)
	if err != nil {
		return nil, fmt.Errorf("add validation data: %w", err)
	}
	last := len(u.file.Revisions) - 1
	store, err := u.file.DSS(last)
	if err != nil {
		return nil, fmt.Errorf("add validation data: %w", err)
	}
	u.out = append(u.out, MaterialNote...)
	h := sha256.New()
	home := u.number()
	body := []byte("<</Type/DSS")
	added := 0
	for _, list := range []struct {
		key string
		old []Blob
		new [][]byte
	}{{"Certs", store.Certificates, m.Certificates}, {"OCSPs", store.OCSPs, m.OCSPs}, {"CRLs", store.CRLs, m.CRLs}} {
		refs, n := u.blobs(list.old, list.new)
		added += n
		if len(refs) > 0 {
			body = fmt.Appendf(body, "/%s[%s]", list.key, refs)
		}
	}
	if added == 0 {
		return nil, errors.New("add validation data: there is nothing new")
	}
	if vri := store.related; vri.Kind == Reference {
		body = fmt.Appendf(body, "/VRI %d %d R", vri.Int, vri.Gen)
	}
	u.begin(home, 0)
	u.out = append(append(u.out, body...), ">>"...)
	u.end()
	if err := u.catalog(home); err != nil {
		return nil, fmt.Errorf("add validation data: %w", err)
	}
	h.Write(u.out[u.base:])
	if err := u.xref(fmt.Sprintf("%x", h.Sum(nil))); err != nil {
		return nil, fmt.Errorf("add validation data: %w", err)
	}
	return u.out, nil
}

// blobs writes what is new and returns the references to old and new, and how many are new.
func (u *update) blobs(old []Blob, add [][]byte) (refs []byte, added int) {
	for _, b := range old {
		refs = fmt.Appendf(refs, "%d %d R ", b.Object, b.gen)
	}
	for i, der := range add {
		same := func(b Blob) bool { return bytes.Equal(b.Data, der) }
		if slices.ContainsFunc(old, same) || slices.ContainsFunc(add[:i], func(d []byte) bool { return bytes.Equal(d, der) }) {
			continue
		}
		num := u.number()
		u.begin(num, 0)
		u.out = fmt.Appendf(u.out, "<</Length %d>>\nstream\n", len(der))
		u.out = append(append(u.out, der...), "\nendstream"...)
		u.end()
		refs = fmt.Appendf(refs, "%d 0 R ", num)
		added++
	}
	return bytes.TrimSuffix(refs, []byte(" ")), added
}

// catalog rewrites the catalog with its /DSS being the given object and every other byte as it was.
func (u *update) catalog(home int) error {
	root, err := u.root()
	if err != nil {
		return err
	}
	v := root.Value
	e := edit{v.End - 2, v.End - 2, fmt.Sprintf("/DSS %d 0 R", home)}
	for _, p := range v.Pairs {
		if string(p.Key) == "DSS" {
			e.at, e.end = p.Start, p.Value.End
		}
	}
	u.rewrite(root, e)
	return nil
}

// root returns the object that is the catalog.
func (u *update) root() (Object, error) {
	ref := u.file.last().Trailer.Get("Root")
	if ref.Kind != Reference {
		return Object{}, malformed(ref.Start, "the trailer's root is not a reference")
	}
	return u.plain(ref)
}

// plain returns the dictionary or array that a reference leads to; it must not be in an object stream.
func (u *update) plain(ref Value) (Object, error) {
	o, err := u.file.Object(int(ref.Int), len(u.file.Revisions)-1)
	if err != nil {
		return o, err
	}
	if o.Span.End == 0 || o.Value.Kind != Dict && o.Value.Kind != Array {
		return o, unsupported(ref.Start, "object %d is not a dictionary or array of its own", ref.Int)
	}
	return o, nil
}

// edit puts a text in the place of the base's bytes from at to end.
type edit struct {
	at, end int
	text    string
}

// rewrite writes an object again with one place changed.
func (u *update) rewrite(o Object, e edit) {
	u.begin(o.Num, o.Gen)
	u.out = append(u.out, u.file.data[o.Value.Start:e.at]...)
	u.out = append(u.out, e.text...)
	u.out = append(u.out, u.file.data[e.end:o.Value.End]...)
	u.end()
}

// PrepareTimestamp appends an update with a document timestamp (EN 319 142-1 §5.4.3) that lacks only its token. The
// timestamp gets a signature field of its own, without a place on any page, so that nothing visible changes. room is
// the space for the token in bytes; 0 means DefaultRoom.
func PrepareTimestamp(base []byte, field string, room int) (*Prepared, error) {
	if room == 0 {
		room = DefaultRoom
	}
	if room < 512 || room > maxRoom {
		return nil, fmt.Errorf("prepare document timestamp %q: room for %d bytes is not between 512 and %d", field, room, maxRoom)
	}
	u, err := begin(base, 2*room+4096)
	if err != nil {
		return nil, fmt.Errorf("prepare document timestamp %q: %w", field, err)
	}
	p, err := u.timestamp(field, room)
	if err != nil {
		return nil, fmt.Errorf("prepare document timestamp %q: %w", field, err)
	}
	return p, nil
}

func (u *update) timestamp(name string, room int) (*Prepared, error) {
	fields, err := u.file.Fields(len(u.file.Revisions) - 1)
	if err != nil {
		return nil, err
	}
	for _, f := range fields {
		if f.Name == name {
			return nil, ErrFieldFilled
		}
	}
	field, value := u.number(), u.number()
	if err := u.addField(field); err != nil {
		return nil, err
	}
	u.begin(field, 0)
	u.out = append(u.out, "<</Type/Annot/Subtype/Widget/FT/Sig/T"...)
	u.out = appendText(u.out, name)
	u.out = fmt.Appendf(u.out, "/F 132/Rect[0 0 0 0]/V %d 0 R>>", value)
	u.end()
	u.begin(value, 0)
	u.out = append(u.out, "<</Type/DocTimeStamp/Filter/Adobe.PPKLite/SubFilter/ETSI.RFC3161"...)
	p, ranges := u.hole(room)
	u.end()
	if err := u.xref(name); err != nil {
		return nil, err
	}
	return p, u.close(p, ranges)
}

// addField appends a reference to the form's list of fields, wherever that stands.
func (u *update) addField(num int) error {
	home, err := u.root()
	if err != nil {
		return err
	}
	form := home.Value.Get("AcroForm")
	if form.Kind == Reference {
		if home, err = u.plain(form); err != nil {
			return err
		}
		form = home.Value
	}
	list := form.Get("Fields")
	if list.Kind == Reference {
		if home, err = u.plain(list); err != nil {
			return err
		}
		list = home.Value
	}
	if list.Kind != Array {
		return unsupported(home.Span.Start, "the document has no form with a list of fields")
	}
	u.rewrite(home, edit{list.End - 1, list.End - 1, fmt.Sprintf(" %d 0 R", num)})
	return nil
}

// Blob is one piece of validation data in a file.
type Blob struct {
	Data     []byte
	Object   int // its number
	Revision int // the revision that wrote it, from 0

	gen int
}

// DSS is a document security store.
type DSS struct {
	Certificates, OCSPs, CRLs []Blob
	Unreadable                int // entries that are no readable streams

	related Value // /VRI
}

// maxMaterial bounds how many pieces of each kind are read.
const maxMaterial = 256

// DSS returns the validation data as of a revision; it is empty when there is none.
func (f *File) DSS(revision int) (DSS, error) {
	var out DSS
	root, err := f.Resolve(f.Revisions[revision].Trailer.Get("Root"), revision)
	if err != nil {
		return out, err
	}
	dict, err := f.Resolve(root.Get("DSS"), revision)
	if err != nil {
		return out, err
	}
	out.related = dict.Get("VRI")
	for _, list := range []struct {
		key string
		to  *[]Blob
	}{{"Certs", &out.Certificates}, {"OCSPs", &out.OCSPs}, {"CRLs", &out.CRLs}} {
		items, err := f.Resolve(dict.Get(list.key), revision)
		if err != nil {
			return out, err
		}
		if len(items.Items) > maxMaterial {
			return out, tooLarge(items.Start, "the document security store has more than %d entries of a kind", maxMaterial)
		}
		for _, ref := range items.Items {
			b, ok := f.blob(ref, revision)
			if !ok {
				out.Unreadable++
				continue
			}
			*list.to = append(*list.to, b)
		}
	}
	return out, nil
}

func (f *File) blob(ref Value, revision int) (Blob, bool) {
	if ref.Kind != Reference {
		return Blob{}, false
	}
	e, at, ok := f.Find(int(ref.Int), revision)
	if !ok || e.Free || e.Gen != int(ref.Gen) {
		return Blob{}, false
	}
	o, err := f.Object(int(ref.Int), revision)
	if err != nil || o.Value.Kind != Stream {
		return Blob{}, false
	}
	data, err := f.Decode(o.Value, revision)
	if err != nil {
		return Blob{}, false
	}
	return Blob{Data: data, Object: o.Num, Revision: at, gen: e.Gen}, true
}
