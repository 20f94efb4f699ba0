package pdf

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"slices"
)

// Growing is a document to which signatures are appended, one upon the other. Its bytes are read and hashed once,
// however many signatures follow; only what they fill is read again. It is not safe for use by several
// goroutines at once.
type Growing struct {
	out    []byte
	file   *File       // of all revisions that were read; nil before the first update
	fields []Field     // as of file
	hash   hash.Cloner // SHA-256 of out[:hashed]
	hashed int
}

// Open begins with a document as it is. Its bytes must not change while it is used.
func Open(base []byte) *Growing {
	return &Growing{out: slices.Clip(base), hash: sha256.New().(hash.Cloner)} // every hash of the standard library is one
}

// Bytes returns the document as it is now. The caller must not change it.
func (g *Growing) Bytes() []byte { return slices.Clip(g.out) }

// SHA256 returns the digest of the document as it is now. What was hashed for it is not hashed again for a signature.
func (g *Growing) SHA256() [32]byte {
	g.hash.Write(g.out[g.hashed:])
	g.hashed = len(g.out)
	return [32]byte(g.hash.Sum(nil))
}

// Fill signs the field that r names with what sign makes of the digest. It is Prepare and Finish in one; when it fails
// the document is as it was. Nobody else holds the bytes between the two, so they are hashed once.
func (g *Growing) Fill(r Request, sign func(digest [32]byte) (cms []byte, err error)) error {
	p, err := g.prepare(r)
	if err != nil {
		return err
	}
	message, err := sign(p.digest)
	if err != nil {
		return err
	}
	if err := p.put(message); err != nil {
		return err
	}
	g.out, g.hash, g.hashed = p.buf, p.hash, p.open
	return nil
}

// prepare makes the update without its signature. The document stays as it is.
func (g *Growing) prepare(r Request) (*Prepared, error) {
	if r.Room == 0 {
		r.Room = DefaultRoom
	}
	if r.Room < 512 || r.Room > maxRoom {
		return nil, fmt.Errorf("prepare field %q: room for %d bytes is not between 512 and %d", r.Field, r.Room, maxRoom)
	}
	if r.At.IsZero() {
		return nil, fmt.Errorf("prepare field %q: the time of signing is not given", r.Field)
	}
	p, err := g.write(r)
	if err != nil {
		return nil, fmt.Errorf("prepare field %q: %w", r.Field, err)
	}
	return p, nil
}

func (g *Growing) write(r Request) (*Prepared, error) {
	u, err := g.begin(r.size())
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(g.fields, func(f Field) bool { return f.Name == r.Field })
	if i < 0 {
		return nil, ErrNoField
	}
	if err := g.fields[i].empty(); err != nil {
		return nil, err
	}
	return u.write(g.fields[i], r)
}

// begin starts an update for which so many bytes are kept.
func (g *Growing) begin(room int) (*update, error) {
	if err := g.read(); err != nil {
		return nil, err
	}
	last := g.file.last()
	if last.Streams || last.Linear || last.Hybrid || g.file.cipher != nil {
		return nil, unsupported(last.Xref, "the base has no classic cross-reference table")
	}
	if !g.file.Whole() {
		return nil, malformed(last.Marker, "there is something before or behind the base")
	}
	next, err := g.file.nextNumber()
	if err != nil {
		return nil, err
	}
	u := &update{growing: g, file: g.file, base: len(g.out), next: next, out: slices.Grow(g.out, room)}
	if last := u.out[u.base-1]; last != '\n' && last != '\r' {
		u.out = append(u.out, '\n')
	}
	return u, nil
}

// read reads what was not read yet: the whole document, or the last update.
func (g *Growing) read() error {
	if g.file != nil && g.file.Size() == len(g.out) {
		return nil
	}
	if g.file == nil {
		f, err := open(g.out)
		if err != nil {
			return err
		}
		if g.fields, err = f.Fields(len(f.Revisions) - 1); err != nil {
			return err
		}
		g.file = f
		return nil
	}
	if err := g.follow(); err != nil {
		g.file = nil // what is half read is read anew
		return err
	}
	return nil
}

// follow reads the update that Fill appended.
func (g *Growing) follow() error {
	f := g.file
	at, err := lastSection(g.out)
	if err != nil {
		return err
	}
	start := f.last().Span.End
	f.data = g.out
	r, err := f.section(at, at)
	if err != nil {
		return err
	}
	r.Span.Start = start
	f.Revisions = append(f.Revisions, r)
	for i := range g.fields {
		num := g.fields[i].Object.Num
		if _, at, ok := f.Find(num, len(f.Revisions)-1); !ok || at != len(f.Revisions)-1 {
			continue
		}
		o, err := f.Object(num, len(f.Revisions)-1)
		if err != nil {
			return err
		}
		g.fields[i].Object, g.fields[i].Value = o, o.Value.Get("V")
	}
	return nil
}
