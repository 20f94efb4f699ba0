package pdf

import (
	"bytes"
	"errors"
	"sort"
)

// read reads the object that an entry of a revision points to.
func (f *File) read(e Entry, revision int) (Object, error) {
	if f.loading[e.Offset] {
		return Object{}, malformed(e.Offset, "object %d needs itself to be read", e.Num)
	}
	l := lexer{buf: f.data[:f.Revisions[revision].Span.End], pos: e.Offset, budget: &f.budget, items: f.items, pairs: f.pairs}
	o := Object{Num: e.Num, Gen: e.Gen, Span: Span{Start: e.Offset}}
	for l.pos < len(l.buf) && l.pos < e.Offset+4 && isSpace(l.buf[l.pos]) {
		l.pos++ // some writers point to the line end before the object
	}
	if o.Span.Start = l.pos; l.pos >= len(l.buf) || !isDigit(l.buf[l.pos]) {
		return o, malformed(e.Offset, "object %d is not where the cross-reference says", e.Num)
	}
	num, ok1 := l.number()
	gen, ok2 := l.number()
	if !ok1 || !ok2 || num != e.Num || gen != e.Gen || !l.keyword("obj") {
		return o, malformed(e.Offset, "object %d is not where the cross-reference says", e.Num)
	}
	var err error
	if o.Value, err = l.value(0); err != nil {
		return o, err
	}
	f.items, f.pairs = l.items[:0], l.pairs[:0] // kept for the next object
	f.charge(l.pos - e.Offset)
	if l.keyword("stream") {
		if f.loading == nil {
			f.loading = make(map[int]bool)
		}
		f.loading[e.Offset] = true
		err = f.stream(&l, &o, revision)
		delete(f.loading, e.Offset)
		if err != nil {
			return o, err
		}
	}
	if !l.keyword("endobj") {
		return o, malformed(l.pos, "object %d does not end with endobj", e.Num)
	}
	o.Span.End = l.pos
	if f.cipher != nil {
		if f.cipher.left -= o.Span.End - o.Span.Start; f.cipher.left < 0 {
			return o, tooLarge(o.Span.Start, "its encrypted objects overlap")
		}
		f.cipher.object(&o)
	}
	return o, nil
}

// charge takes long values from the budget too: an object may be read many times.
func (f *File) charge(size int) { f.budget -= size / 64 }

// stream reads the data of a stream; its length must be exact.
func (f *File) stream(l *lexer, o *Object, revision int) error {
	if o.Value.Kind != Dict {
		return malformed(l.pos, "object %d has stream data without a dictionary", o.Num)
	}
	for l.pos < len(l.buf) && l.buf[l.pos] == ' ' {
		l.pos++
	}
	if !l.lineEnd() {
		return malformed(l.pos, "no line end stands after the keyword stream")
	}
	length, err := f.Resolve(o.Value.Get("Length"), revision)
	if err != nil {
		return err
	}
	if length.Kind != Integer || length.Int < 0 || length.Int > int64(len(l.buf)-l.pos) {
		return malformed(o.Value.Start, "the length of stream %d is wrong", o.Num)
	}
	o.Value.Kind = Stream
	o.Value.Raw = l.buf[l.pos : l.pos+int(length.Int)]
	l.pos += int(length.Int)
	at := l.pos
	if l.pos < len(l.buf) && l.buf[l.pos] == '\r' {
		l.pos++
	}
	if l.pos < len(l.buf) && l.buf[l.pos] == '\n' {
		l.pos++
	}
	if !bytes.HasPrefix(l.buf[l.pos:], []byte("endstream")) || !l.keyword("endstream") {
		return malformed(at, "stream %d does not end where its length says", o.Num)
	}
	return nil
}

// lineEnd steps over one line end: CR LF, LF, or CR alone as some write it.
func (l *lexer) lineEnd() bool {
	at := l.pos
	if l.pos < len(l.buf) && l.buf[l.pos] == '\r' {
		l.pos++
	}
	if l.pos < len(l.buf) && l.buf[l.pos] == '\n' {
		l.pos++
	}
	return l.pos > at
}

// odd notes an object that can't be read, unless the whole file is to be given up.
func (r *Revision) odd(num int, err error) error {
	var e *Error
	if !errors.As(err, &e) || e.Reason == TooLarge || len(r.Odd) == maxOdd {
		return err
	}
	r.Odd = append(r.Odd, Oddity{num, err})
	return nil
}

// checkRevision reads every object of a revision and looks at what lies between them.
func (f *File) checkRevision(i int) error {
	r := &f.Revisions[i]
	spans := make([]Span, 0, len(r.Entries)+2)
	objects := make([]Object, len(r.Entries))
	for k, e := range r.Entries {
		var err error
		switch {
		case e.Free:
			objects[k].Num = e.Num
			continue
		case e.Holder != 0:
			objects[k], err = f.held(e, i)
		default:
			objects[k], err = f.read(e, i)
			if err == nil && e.Offset >= r.Span.Start {
				spans = append(spans, objects[k].Span)
			}
		}
		if err != nil {
			objects[k] = Object{Num: e.Num, Gen: e.Gen}
			if err := r.odd(e.Num, err); err != nil {
				return err
			}
		}
	}
	r.objects = objects
	sort.Slice(spans, func(a, b int) bool { return spans[a].Start < spans[b].Start })
	if r.Linear {
		return nil // the first page's section lies among the objects; such files are never ours
	}
	at := r.Span.Start
	for _, s := range append(spans, Span{Start: max(r.Xref, at), End: r.Span.End}) {
		if r.Streams && s.Start == r.Xref && s.End == r.Span.End && at > r.Xref {
			s.Start = at // the cross-reference stream listed itself
		}
		if s.Start < at {
			if err := r.odd(0, malformed(s.Start, "two objects overlap")); err != nil {
				return err
			}
			at = max(at, s.End)
			continue
		}
		if stray, ok := strayIn(f.data, at, s.Start); ok {
			r.Stray = append(r.Stray, stray)
		}
		at = s.End
	}
	return nil
}

// strayIn returns the first bytes of a gap that are neither space nor comment.
func strayIn(data []byte, start, end int) (Span, bool) {
	budget := 0
	l := lexer{buf: data[:end], pos: start, budget: &budget}
	l.space()
	return Span{l.pos, end}, l.pos < end
}
