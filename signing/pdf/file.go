package pdf

import (
	"bytes"
	"slices"
	"sort"
)

// Span is a range of bytes: Start is in it, End is not.
type Span struct{ Start, End int }

// Entry is a line of a cross-reference section.
type Entry struct {
	Num, Gen int
	Free     bool
	Offset   int // where the object begins, for one that is in no object stream
	Holder   int // the number of the object stream that holds it, 0 for none
	Index    int // its place in Holder
}

// Object is an indirect object. Span is empty for one in an object stream.
type Object struct {
	Num, Gen int
	Span     Span
	Value    Value
}

// Revision is what one update added to a file.
type Revision struct {
	Span    Span    // ends after %%EOF and the line end behind it
	Marker  int     // where %%EOF ends
	Xref    int     // where the cross-reference section begins
	Trailer Value   // the trailer's dictionary, or that of the cross-reference stream
	Entries []Entry // by number
	Stray   []Span  // bytes that are neither space, comment, object nor cross-reference; filled by Parse
	Streams bool    // the section is a cross-reference stream
	Linear  bool    // it came as the first page's and the main section of a linearized file
	Hybrid  bool    // a cross-reference stream beside the table lists more objects (ISO 32000-1 §7.5.8.4)
	Odd     []Oddity

	objects []Object // of Entries, once Parse has read them
}

// Oddity is an object that the grammar does not allow, so that readers mend it each in its own way. It reads as Null.
type Oddity struct {
	Num int
	Err error
}

// File is a parsed file. It is not safe for use by several goroutines at once.
type File struct {
	Revisions []Revision // oldest first
	Shift     int        // bytes before the first line, when the file's offsets, and so all of ours, count from there

	data    []byte
	budget  int
	decoded int // bytes that compressed streams have given so far
	holders map[int]*holder
	store   store
	loading map[int]bool // offsets of objects that are being read, against circles
	cipher  *cipher      // nil when the file is not encrypted
}

// Parse reads a whole file strictly: every revision, every object that a cross-reference section names, and what
// lies between them. The data must not change while the File is used.
func Parse(data []byte) (*File, error) {
	f, err := open(data)
	if err != nil {
		return nil, err
	}
	for i := range f.Revisions {
		if err := f.checkRevision(i); err != nil {
			return nil, err
		}
	}
	if root := f.Catalog(); root.Kind != Dict || !root.Get("Type").Is("Catalog") {
		return nil, malformed(f.last().Trailer.Start, "the trailer's root is not a catalog")
	}
	return f, nil
}

// open reads the cross-reference sections only; objects are read when they are asked for.
func open(data []byte) (*File, error) {
	if len(data) > maxFile {
		return nil, tooLarge(-1, "it is longer than %d MiB", maxFile>>20)
	}
	first, err := header(data)
	if err != nil {
		return nil, err
	}
	at, err := lastSection(data)
	if err != nil {
		return nil, err
	}
	if first > 0 && !section(data, at) && section(data[first:], at) {
		data = data[first:]
	} else {
		first = 0
	}
	f := &File{data: data, budget: maxValues, Shift: first, store: newStore()}
	for {
		if len(f.Revisions) == maxRevisions {
			return nil, tooLarge(at, "it has more than %d revisions", maxRevisions)
		}
		r, err := f.section(at, at)
		if err != nil {
			return nil, err
		}
		prev := r.Trailer.Get("Prev")
		if r.Linear {
			if err := f.linearized(&r, int(prev.Int)); err != nil {
				return nil, err
			}
			prev = Value{}
		}
		// White space between two revisions belongs to neither update. Anything else is the later one's, and stray there.
		for r.Span.End < len(data) && isSpace(data[r.Span.End]) {
			r.Span.End++
		}
		if len(f.Revisions) == 0 {
			if bytes.Contains(data[r.Marker:], []byte("startxref")) {
				return nil, malformed(r.Marker, "startxref gives an earlier section, and hides what follows that")
			}
			r.Span.End = len(data)
		}
		f.Revisions = append(f.Revisions, r)
		if prev.Kind == Null {
			break
		}
		if prev.Kind != Integer || prev.Int <= 0 || prev.Int >= int64(at) {
			return nil, malformed(prev.Start, "/Prev is not the offset of an earlier section")
		}
		at = int(prev.Int)
	}
	for i, j := 0, len(f.Revisions)-1; i < j; i, j = i+1, j-1 {
		f.Revisions[i], f.Revisions[j] = f.Revisions[j], f.Revisions[i]
	}
	if err := f.checkSpans(); err != nil {
		return nil, err
	}
	return f, f.unlock()
}

// hybrid adds the objects that the cross-reference stream of a hybrid file lists and its table hides.
func (f *File) hybrid(r *Revision, more Value) error {
	if more.Kind != Integer || more.Int <= 0 || more.Int >= int64(len(f.data)) {
		return malformed(more.Start, "/XRefStm is not the offset of a cross-reference stream")
	}
	hidden := Revision{Xref: int(more.Int)}
	l := lexer{buf: f.data, pos: hidden.Xref, budget: &f.budget, store: &f.store}
	if err := f.xrefStream(&l, &hidden); err != nil {
		return err
	}
	r.Hybrid = true
	listed := make(map[int]int, len(r.Entries))
	for i, e := range r.Entries {
		listed[e.Num] = i
	}
	for _, e := range hidden.Entries {
		i, ok := listed[e.Num]
		switch {
		case !ok:
			r.Entries = append(r.Entries, e)
		case r.Entries[i].Free:
			r.Entries[i] = e
		case r.Entries[i] != e && !e.Free:
			return malformed(more.Start, "the table and the stream disagree about object %d", e.Num)
		}
	}
	return nil
}

// window is how far from its ends a file's first line and its last %%EOF may lie (ISO 32000-1, implementation notes of
// its predecessor): some programs put a few bytes before or behind a PDF file.
const window = 1024

// section reports whether a cross-reference section can begin at an offset.
func section(data []byte, at int) bool {
	return at < len(data) && (data[at] == 'x' || isDigit(data[at]))
}

// header returns where the first line is.
func header(data []byte) (int, error) {
	i := bytes.Index(data[:min(len(data), window)], []byte("%PDF-"))
	if i < 0 || len(data) < i+9 {
		return 0, malformed(0, "it does not begin with %%PDF- and a version")
	}
	if v := data[i+5:]; v[0] != '1' && v[0] != '2' || v[1] != '.' || !isDigit(v[2]) || isRegular(v[3]) {
		return 0, malformed(0, "it does not begin with %%PDF- and a version")
	}
	return i, nil
}

// lastSection returns the offset that the last startxref gives. %%EOF must stand behind it, and near the file's end.
func lastSection(data []byte) (int, error) {
	start := max(len(data)-window, 0)
	mark := bytes.LastIndex(data[start:], []byte("%%EOF"))
	if mark < 0 {
		return 0, malformed(len(data), "it does not end with %%%%EOF")
	}
	mark += start
	start = max(mark-window, 0)
	i := bytes.LastIndex(data[start:], []byte("startxref"))
	if i < 0 || start+i > mark {
		return 0, malformed(mark, "startxref does not stand before the last %%%%EOF")
	}
	budget := 1
	l := lexer{buf: data[:mark], pos: start + i + len("startxref"), budget: &budget}
	at, ok := l.number()
	if l.space(); !ok || l.pos != mark || at >= start+i {
		return 0, malformed(start+i, "startxref gives no offset before it")
	}
	return at, nil
}

// section reads the cross-reference section at an offset and the revision's end behind it, whose startxref must
// give the offset named.
func (f *File) section(at, named int) (Revision, error) {
	r := Revision{Xref: at}
	if at <= 0 || at >= len(f.data) {
		return r, malformed(at, "a cross-reference section lies outside the file")
	}
	l := lexer{buf: f.data, pos: at, budget: &f.budget, store: &f.store}
	var err error
	if beginsTable(f.data, at) {
		err = f.table(&l, &r)
	} else {
		err = f.xrefStream(&l, &r)
	}
	if err != nil {
		return r, err
	}
	if more := r.Trailer.Get("XRefStm"); more.Kind != Null && !r.Streams {
		if err := f.hybrid(&r, more); err != nil {
			return r, err
		}
	}
	// An entry takes as much memory as a value.
	if f.budget -= len(r.Entries); f.budget < 0 {
		return r, tooLarge(at, "it has more than %d values", maxValues)
	}
	r.sort()
	for i := 1; i < len(r.Entries); i++ {
		if r.Entries[i].Num == r.Entries[i-1].Num {
			return r, malformed(at, "object %d is listed twice", r.Entries[i].Num)
		}
	}
	// The first section of a linearized file names a later one, and its own startxref gives 0.
	if prev := r.Trailer.Get("Prev"); prev.Kind == Integer && prev.Int > int64(at) {
		if at != named {
			return r, malformed(prev.Start, "/Prev is not the offset of an earlier section")
		}
		r.Linear, named = true, 0
		if l.space(); r.Streams && !bytes.HasPrefix(f.data[l.pos:], []byte("startxref")) {
			return r, nil // it may also go without
		}
	}
	return r, f.tail(&l, &r, named)
}

// maxBlank is how many white-space characters may lie between the offset that startxref gives and its table: some
// programs count the line end in front of the table to it.
const maxBlank = 8

// beginsTable reports whether a table, and no cross-reference stream, begins at an offset or right behind it.
func beginsTable(data []byte, at int) bool {
	end := min(at+maxBlank, len(data)-1)
	for at < end && isSpace(data[at]) {
		at++
	}
	return data[at] == 'x'
}

// sort orders the entries by number; most tables are in order.
func (r *Revision) sort() {
	byNumber := func(a, b Entry) int { return a.Num - b.Num }
	if !slices.IsSortedFunc(r.Entries, byNumber) {
		slices.SortStableFunc(r.Entries, byNumber)
	}
}

// tail reads startxref, the offset that it must give, %%EOF and one line end.
func (f *File) tail(l *lexer, r *Revision, named int) error {
	if !l.keyword("startxref") {
		return malformed(l.pos, "startxref is missing")
	}
	at, ok := l.number()
	if !ok || at != named {
		return malformed(l.pos, "startxref gives another section's offset")
	}
	for l.pos < len(l.buf) && isSpace(l.buf[l.pos]) {
		l.pos++
	}
	if !bytes.HasPrefix(l.buf[l.pos:], []byte("%%EOF")) {
		return malformed(l.pos, "%%%%EOF is missing")
	}
	l.pos += 5
	r.Marker = l.pos
	if l.pos < len(l.buf) && l.buf[l.pos] == '\r' {
		l.pos++
	}
	if l.pos < len(l.buf) && l.buf[l.pos] == '\n' {
		l.pos++
	}
	r.Span.End = l.pos
	return nil
}

// table reads a classic cross-reference table and its trailer.
func (f *File) table(l *lexer, r *Revision) error {
	if !l.keyword("xref") {
		return malformed(l.pos, "a cross-reference section is missing")
	}
	for {
		if l.keyword("trailer") {
			break
		}
		first, ok1 := l.number()
		count, ok2 := l.number()
		if !ok1 || !ok2 || first+count > maxObjects {
			return malformed(l.pos, "a cross-reference subsection's head is wrong")
		}
		for l.pos < len(l.buf) && l.buf[l.pos] == ' ' {
			l.pos++
		}
		if l.pos < len(l.buf) && l.buf[l.pos] == '\r' {
			l.pos++
		}
		if l.pos < len(l.buf) && l.buf[l.pos] == '\n' {
			l.pos++
		}
		if count*19 > len(l.buf)-l.pos {
			return malformed(l.pos, "the cross-reference table is cut short")
		}
		r.Entries = slices.Grow(r.Entries, count)
		for i := range count {
			e, err := l.entry()
			if err != nil {
				return err
			}
			e.Num = first + i
			r.Entries = append(r.Entries, e)
		}
		if len(r.Entries) > maxObjects {
			return tooLarge(l.pos, "a revision has more than %d objects", maxObjects)
		}
	}
	var err error
	if r.Trailer, err = l.value(0); err != nil {
		return err
	}
	if r.Trailer.Kind != Dict {
		return malformed(r.Trailer.Start, "the trailer is not a dictionary")
	}
	return nil
}

// entry reads one line: nnnnnnnnnn ggggg n and a line end, which is of two bytes but for careless writers. One that is
// in use at offset 0, where no object can be, is nothing.
func (l *lexer) entry() (Entry, error) {
	var e Entry
	at, b := l.pos, l.buf[l.pos:]
	if len(b) < 19 || b[10] != ' ' || b[16] != ' ' || b[17] != 'n' && b[17] != 'f' {
		return e, malformed(at, "a cross-reference entry is wrong")
	}
	for i, c := range b[:16] {
		switch {
		case i == 10:
		case !isDigit(c):
			return e, malformed(at, "a cross-reference entry is wrong")
		case i < 10:
			e.Offset = e.Offset*10 + int(c-'0')
		default:
			e.Gen = e.Gen*10 + int(c-'0')
		}
	}
	end := 18
	for end < len(b) && end < 20 && (b[end] == ' ' || b[end] == '\r' || b[end] == '\n') {
		end++
	}
	if end == 18 || end == 19 && b[18] == ' ' {
		return e, malformed(at, "a cross-reference entry is wrong")
	}
	l.pos += end
	e.Free = b[17] == 'f' || e.Offset == 0
	return e, nil
}

// linearized joins the main section of a linearized file, which its first-page section names, to that one.
func (f *File) linearized(r *Revision, at int) error {
	main, err := f.section(at, r.Xref)
	if err != nil {
		return err
	}
	if p := main.Trailer.Get("Prev"); p.Kind != Null {
		return unsupported(p.Start, "it is linearized and was updated before")
	}
	r.Entries = append(r.Entries, main.Entries...)
	r.sort()
	for i := 1; i < len(r.Entries); i++ {
		if r.Entries[i].Num == r.Entries[i-1].Num {
			return malformed(at, "object %d is listed twice", r.Entries[i].Num)
		}
	}
	r.Span, r.Marker = main.Span, main.Marker
	return nil
}

// checkSpans gives each revision its start and requires that its section and objects lie in it.
func (f *File) checkSpans() error {
	start := 0
	for i := range f.Revisions {
		r := &f.Revisions[i]
		r.Span.Start = start
		if r.Xref < start || r.Xref >= r.Span.End {
			return malformed(r.Xref, "a cross-reference section lies in another revision")
		}
		kept := r.Entries[:0]
		for _, e := range r.Entries {
			// Some writers list again what they leave as it is.
			if before, _, ok := f.Find(e.Num, i-1); ok && before == e {
				continue
			}
			kept = append(kept, e)
			if !e.Free && e.Holder == 0 && (e.Offset < start && !r.Hybrid || e.Offset >= r.Span.End) {
				return malformed(r.Xref, "object %d lies in another revision", e.Num)
			}
		}
		r.Entries = kept
		start = r.Span.End
	}
	return nil
}

func (f *File) last() *Revision { return &f.Revisions[len(f.Revisions)-1] }

// Whole reports whether nothing stands before the file's first line, nor behind its end but line ends.
func (f *File) Whole() bool {
	return f.Shift == 0 && len(bytes.Trim(f.data[f.last().Marker:], "\r\n")) == 0
}

// Size returns the file's length in bytes.
func (f *File) Size() int { return len(f.data) }

// Find returns the cross-reference entry of an object as of a revision, and the revision that holds it.
func (f *File) Find(num, revision int) (Entry, int, bool) {
	at, k, ok := f.find(num, revision)
	if !ok {
		return Entry{}, 0, false
	}
	e := f.Revisions[at].Entries[k]
	return e, at, !e.Free
}

// find returns the revision, up to the given one, that last listed an object, and where.
func (f *File) find(num, revision int) (at, k int, ok bool) {
	for i := revision; i >= 0; i-- {
		es := f.Revisions[i].Entries
		k := sort.Search(len(es), func(k int) bool { return es[k].Num >= num })
		if k < len(es) && es[k].Num == num {
			return i, k, true
		}
	}
	return 0, 0, false
}

// Object reads an object as of a revision. An object that is not there has a Null value, as the standard wants.
func (f *File) Object(num, revision int) (Object, error) {
	at, k, ok := f.find(num, revision)
	if !ok || f.Revisions[at].Entries[k].Free {
		return Object{Num: num}, nil
	}
	r := &f.Revisions[at]
	if k < len(r.objects) {
		return r.objects[k], nil
	}
	if r.Entries[k].Holder != 0 {
		return f.held(r.Entries[k], at)
	}
	return f.read(r.Entries[k], at)
}

// Resolve follows a reference as of a revision; other values come back as they are.
func (f *File) Resolve(v Value, revision int) (Value, error) {
	for range maxDepth {
		if v.Kind != Reference {
			return v, nil
		}
		e, _, ok := f.Find(int(v.Int), revision)
		if !ok || e.Gen != int(v.Gen) {
			return Value{}, nil
		}
		o, err := f.Object(int(v.Int), revision)
		if err != nil {
			return Value{}, err
		}
		v = o.Value
	}
	return Value{}, malformed(v.Start, "references go in a circle")
}

// Catalog returns the document's root dictionary as of the last revision, Null when it can't be read.
func (f *File) Catalog() Value {
	v, err := f.Resolve(f.last().Trailer.Get("Root"), len(f.Revisions)-1)
	if err != nil {
		return Value{}
	}
	return v
}
