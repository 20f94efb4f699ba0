package pdf

import (
	"bytes"
	"compress/zlib"
	"io"
	"sort"
)

// holder is a decoded object stream.
type holder struct {
	body    []byte
	numbers []int
	offsets []int
}

// Decode returns a stream's data without its filters. Flate with PNG predictors is read; others are unsupported.
func (f *File) Decode(v Value, revision int) ([]byte, error) {
	if v.Kind != Stream {
		return nil, malformed(v.Start, "a stream is missing")
	}
	filters, err := f.list(v.Get("Filter"), revision)
	if err != nil {
		return nil, err
	}
	params, err := f.list(v.Get("DecodeParms"), revision)
	if err != nil {
		return nil, err
	}
	data := v.Raw
	if len(filters) > 2 {
		return nil, unsupported(v.Start, "a stream has more than two filters")
	}
	for i, filter := range filters {
		if !filter.Is("FlateDecode") {
			return nil, unsupported(v.Start, "filter /%s is not read", filter.Raw)
		}
		if data, err = f.inflate(data, v.Start); err != nil {
			return nil, err
		}
		if i < len(params) {
			if data, err = unpredict(data, params[i], v.Start); err != nil {
				return nil, err
			}
		}
	}
	return data, nil
}

// list returns the items of an array, or the one value that stands for it; Null is an empty list.
func (f *File) list(v Value, revision int) ([]Value, error) {
	v, err := f.Resolve(v, revision)
	if err != nil || v.Kind == Null {
		return nil, err
	}
	if v.Kind != Array {
		return []Value{v}, nil
	}
	out := make([]Value, len(v.Items))
	for i, item := range v.Items {
		if out[i], err = f.Resolve(item, revision); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (f *File) inflate(data []byte, at int) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, malformed(at, "compressed data can't be read: %v", err)
	}
	room := maxDecoded - f.decoded
	out, err := io.ReadAll(io.LimitReader(z, int64(room)+1))
	f.decoded += min(len(out), room) // also what is of no use: a stream may be asked for many times
	if err != nil {
		return nil, malformed(at, "compressed data can't be read: %v", err)
	}
	if len(out) > room {
		return nil, tooLarge(at, "its streams give more than %d MiB", maxDecoded>>20)
	}
	return out, nil
}

// unpredict undoes the PNG predictors (ISO 32000-1 §7.4.4.4).
func unpredict(data []byte, params Value, at int) ([]byte, error) {
	predictor := params.Get("Predictor")
	if params.Kind != Dict || predictor.Kind == Null || predictor.Int == 1 {
		return data, nil
	}
	number := func(key string, otherwise int64) int64 {
		if v := params.Get(key); v.Kind == Integer {
			return v.Int
		}
		return otherwise
	}
	columns, colors, bits := number("Columns", 1), number("Colors", 1), number("BitsPerComponent", 8)
	if predictor.Kind != Integer || predictor.Int < 10 || predictor.Int > 15 || bits != 8 || colors < 1 || colors > 4 || columns < 1 || columns > 1<<16 {
		return nil, unsupported(at, "the predictor of a stream is not read")
	}
	size, step := int(columns*colors), int(colors)
	if len(data)%(size+1) != 0 {
		return nil, malformed(at, "predicted data has a broken row")
	}
	out := make([]byte, 0, len(data)/(size+1)*size)
	above := make([]byte, size)
	for ; len(data) > 0; data = data[size+1:] {
		row := append([]byte{}, data[1:size+1]...)
		if data[0] > 4 {
			return nil, malformed(at, "predicted data has an unknown row type")
		}
		for i := range row {
			var left, corner byte
			if i >= step {
				left, corner = row[i-step], above[i-step]
			}
			switch data[0] {
			case 1:
				row[i] += left
			case 2:
				row[i] += above[i]
			case 3:
				row[i] += byte((int(left) + int(above[i])) / 2)
			case 4:
				row[i] += paeth(left, above[i], corner)
			}
		}
		out = append(out, row...)
		above = row
	}
	return out, nil
}

func paeth(left, up, corner byte) byte {
	p := int(left) + int(up) - int(corner)
	dl, du, dc := abs(p-int(left)), abs(p-int(up)), abs(p-int(corner))
	if dl <= du && dl <= dc {
		return left
	}
	if du <= dc {
		return up
	}
	return corner
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// xrefStream reads a cross-reference stream (ISO 32000-1 §7.5.8).
func (f *File) xrefStream(l *lexer, r *Revision) error {
	num, ok1 := l.number()
	gen, ok2 := l.number()
	if !ok1 || !ok2 || gen != 0 || num <= 0 || !l.keyword("obj") {
		return malformed(r.Xref, "a cross-reference section is missing")
	}
	var err error
	o := Object{Num: num, Span: Span{Start: r.Xref}}
	if o.Value, err = l.value(0); err != nil {
		return err
	}
	if o.Value.Get("Length").Kind != Integer || !o.Value.Get("Type").Is("XRef") || !l.keyword("stream") {
		return malformed(r.Xref, "a cross-reference section is missing")
	}
	if err := f.stream(l, &o, 0); err != nil {
		return err
	}
	if !l.keyword("endobj") {
		return malformed(l.pos, "object %d does not end with endobj", num)
	}
	r.Trailer, r.Streams = o.Value, true
	data, err := f.decodeDirect(o.Value)
	if err != nil {
		return err
	}
	return xrefRows(data, r)
}

// decodeDirect decodes a stream whose filters are direct, as a cross-reference stream's must be.
func (f *File) decodeDirect(v Value) ([]byte, error) {
	for _, key := range []string{"Filter", "DecodeParms"} {
		if p := v.Get(key); p.Kind == Reference {
			return nil, malformed(p.Start, "a cross-reference stream's /%s is not direct", key)
		}
	}
	return f.Decode(v, -1)
}

func xrefRows(data []byte, r *Revision) error {
	at := r.Xref
	w := r.Trailer.Get("W").Items
	if len(w) != 3 {
		return malformed(at, "a cross-reference stream's /W is wrong")
	}
	var widths [3]int
	for i := range w {
		if w[i].Kind != Integer || w[i].Int < 0 || w[i].Int > 7 {
			return malformed(at, "a cross-reference stream's /W is wrong")
		}
		widths[i] = int(w[i].Int)
	}
	size := widths[0] + widths[1] + widths[2]
	index := r.Trailer.Get("Index").Items
	if index == nil {
		index = []Value{{Kind: Integer}, r.Trailer.Get("Size")}
	}
	if len(index)%2 != 0 || size == 0 {
		return malformed(at, "a cross-reference stream's /Index is wrong")
	}
	for i := 0; i < len(index); i += 2 {
		first, count := index[i], index[i+1]
		if first.Kind != Integer || count.Kind != Integer || first.Int < 0 || count.Int < 0 || first.Int > maxObjects || count.Int > maxObjects || int(count.Int)*size > len(data) {
			return malformed(at, "a cross-reference stream's /Index is wrong")
		}
		if len(r.Entries)+int(count.Int) > maxObjects {
			return tooLarge(at, "a revision has more than %d objects", maxObjects)
		}
		for k := range int(count.Int) {
			e, err := xrefRow(data[:size], widths, at)
			if err != nil {
				return err
			}
			e.Num = int(first.Int) + k
			data = data[size:]
			r.Entries = append(r.Entries, e)
		}
	}
	if len(data) != 0 {
		return malformed(at, "a cross-reference stream has data behind its last row")
	}
	return nil
}

func xrefRow(row []byte, widths [3]int, at int) (Entry, error) {
	fields := [3]int{1, 0, 0}
	for i, n := range widths {
		if n > 0 {
			fields[i] = 0
		}
		for range n {
			fields[i] = fields[i]<<8 | int(row[0])
			row = row[1:]
		}
	}
	switch fields[0] {
	case 0:
		return Entry{Free: true, Gen: fields[2]}, nil
	case 1:
		return Entry{Offset: fields[1], Gen: fields[2]}, nil
	case 2:
		if fields[1] == 0 || fields[1] > maxObjects {
			return Entry{}, malformed(at, "a cross-reference row names no object stream")
		}
		return Entry{Holder: fields[1], Index: fields[2]}, nil
	}
	return Entry{}, malformed(at, "a cross-reference row has the unknown type %d", fields[0])
}

// held reads an object from its object stream (ISO 32000-1 §7.5.7).
func (f *File) held(e Entry, revision int) (Object, error) {
	c, at, ok := f.Find(e.Holder, revision)
	if !ok || c.Holder != 0 {
		return Object{}, malformed(-1, "object stream %d of object %d is missing", e.Holder, e.Num)
	}
	h, ok := f.holders[c.Offset]
	if !ok {
		o, err := f.read(c, at)
		if err != nil {
			return Object{}, err
		}
		if h, err = f.unpack(o, at); err != nil {
			return Object{}, err
		}
		if f.holders == nil {
			f.holders = make(map[int]*holder)
		}
		f.holders[c.Offset] = h
	}
	if e.Index >= len(h.numbers) || h.numbers[e.Index] != e.Num {
		return Object{}, malformed(c.Offset, "object stream %d does not hold object %d", e.Holder, e.Num)
	}
	l := lexer{buf: h.body, pos: h.offsets[e.Index], budget: &f.budget}
	v, err := l.value(0)
	if err != nil {
		return Object{}, malformed(c.Offset, "object %d in stream %d: %v", e.Num, e.Holder, err)
	}
	f.charge(v.End - v.Start)
	return Object{Num: e.Num, Value: v}, nil
}

func (f *File) unpack(o Object, revision int) (*holder, error) {
	n, first := o.Value.Get("N"), o.Value.Get("First")
	if !o.Value.Get("Type").Is("ObjStm") || n.Kind != Integer || first.Kind != Integer || n.Int < 0 || n.Int > maxObjects || first.Int < 0 {
		return nil, malformed(o.Span.Start, "object %d is not an object stream", o.Num)
	}
	body, err := f.Decode(o.Value, revision)
	if err != nil {
		return nil, err
	}
	if first.Int > int64(len(body)) {
		return nil, malformed(o.Span.Start, "object stream %d is cut short", o.Num)
	}
	h := &holder{body: body}
	budget := 0
	l := lexer{buf: body[:first.Int], budget: &budget}
	for range n.Int {
		num, ok1 := l.number()
		offset, ok2 := l.number()
		if !ok1 || !ok2 || int(first.Int)+offset >= len(body) {
			return nil, malformed(o.Span.Start, "the head of object stream %d is wrong", o.Num)
		}
		h.numbers = append(h.numbers, num)
		h.offsets = append(h.offsets, int(first.Int)+offset)
	}
	if !sort.IntsAreSorted(h.offsets) {
		return nil, malformed(o.Span.Start, "the objects in stream %d are out of order", o.Num)
	}
	return h, nil
}
