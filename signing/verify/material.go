package verify

import (
	"bytes"
	"encoding/xml"
	"io"
	"slices"
	"strings"

	"countersign/signing/cms"
	"countersign/signing/pdf"
)

// store judges the document security store that others wrote: dictionaries and lists whose leaves are certificates, OCSP
// responses and revocation lists, and nothing else. It may be written anew as a whole, and its parts in their place where
// nothing else uses them.
func (f *foreign) store(was, is pdf.Value) bool {
	if is.Kind == pdf.Null {
		return was.Kind == pdf.Null // a store is never taken away
	}
	parts := make(map[int]bool)
	if !f.part(is, 0, parts) {
		return false
	}
	root := int(f.file.Revisions[f.k].Trailer.Get("Root").Int)
	written := !was.Equal(is)
	for num := range parts {
		if !f.wrote(num) {
			continue
		}
		written = true
		mine := func(user int) bool { return parts[user] || user == root || f.wasPart(user) }
		if !f.fresh(num) && !f.references().onlyUsedBy(num, mine) {
			return false
		}
		f.allowed[num] = good(classValidation, reasonValidation)
	}
	f.meaning = f.meaning || written
	return true
}

// wasPart reports whether an object was a part of the store before: a dictionary or list of nothing but references.
func (f *foreign) wasPart(num int) bool {
	v := f.then(pdf.Value{Kind: pdf.Reference, Int: int64(num)})
	return v.Get("Certs").Kind != pdf.Null || v.Get("OCSPs").Kind != pdf.Null || v.Get("CRLs").Kind != pdf.Null ||
		v.Get("Type").Is("DSS") || v.Get("Type").Is("VRI") || v.Get("Cert").Kind != pdf.Null
}

// part looks at a part of the store: 0 the store, 1 its related information or a list, 2 one signature's, 3 a list of that.
func (f *foreign) part(ref pdf.Value, depth int, parts map[int]bool) bool {
	v := f.now(ref)
	if ref.Kind == pdf.Reference {
		parts[int(ref.Int)] = true
	}
	switch {
	case depth > 3:
		return false
	case v.Kind == pdf.Dict:
		for _, p := range v.Pairs {
			switch string(p.Key) {
			case "Type", "TU":
				continue
			}
			if !f.part(p.Value, depth+1, parts) {
				return false
			}
		}
		return true
	case v.Kind == pdf.Array:
		for _, item := range v.Items {
			if item.Kind != pdf.Reference || !f.leaf(item, parts) {
				return false
			}
		}
		return true
	case v.Kind == pdf.Stream:
		return f.leaf(ref, parts)
	}
	return v.Kind == pdf.Null
}

// leaf reports whether a stream is one piece of DER, or nothing. What was there before is not looked at again.
func (f *foreign) leaf(ref pdf.Value, parts map[int]bool) bool {
	num := int(ref.Int)
	if !f.wrote(num) {
		return true
	}
	o, err := f.file.Object(num, f.k)
	if err != nil || o.Value.Kind != pdf.Stream {
		return false
	}
	if old, err := f.file.Object(num, f.k-1); err == nil && old.Value.Kind != pdf.Null {
		return old.Value.Equal(o.Value)
	}
	data, err := f.file.Decode(o.Value, f.k)
	if err != nil {
		return false
	}
	data = bytes.TrimRight(data, "\r\n")
	size, ok := cms.Element(data)
	parts[num] = true
	return ok && size == len(data) && data[0] == 0x30
}

// metadata compares the metadata: programs note in it when they wrote. What it says of the document stays.
func (f *foreign) metadata(was, is pdf.Value) bool {
	if was.Equal(is) && !f.changed(is) {
		return true
	}
	before, now := f.then(was), f.now(is)
	if before.Kind != pdf.Stream || now.Kind != pdf.Stream || is.Kind != pdf.Reference || !now.Get("Type").Is("Metadata") {
		return false
	}
	root := int(f.file.Revisions[f.k].Trailer.Get("Root").Int)
	if !f.fresh(int(is.Int)) && !f.references().onlyUsedBy(int(is.Int), func(user int) bool { return user == root }) {
		return false
	}
	old, err1 := f.file.Decode(before, f.k-1)
	new, err2 := f.file.Decode(now, f.k)
	if err1 != nil || err2 != nil {
		return false
	}
	said, ok1 := statements(old)
	says, ok2 := statements(new)
	if !ok1 || !ok2 || !slices.Equal(said, says) {
		return false
	}
	f.allow(is, good(classInfo, reasonInfo))
	return true
}

// statements returns what XMP metadata says of the document itself: everything but who wrote the file and when.
func statements(xmp []byte) (out []string, ok bool) {
	clerical := []string{"ModifyDate", "MetadataDate", "CreateDate", "CreatorTool", "Producer", "DocumentID", "InstanceID", "VersionID", "RenditionClass",
		"History", "DerivedFrom", "about", "xmptk", "xmlns", "Thumbnails"}
	d := xml.NewDecoder(bytes.NewReader(xmp))
	var path []string
	for {
		t, err := d.Token()
		if err == io.EOF {
			slices.Sort(out)
			return out, len(path) == 0
		}
		if err != nil || len(path) > 64 {
			return nil, false
		}
		switch t := t.(type) {
		case xml.Directive:
			return nil, false
		case xml.StartElement:
			path = append(path, t.Name.Local)
			for _, a := range t.Attr {
				if a.Name.Space != "xmlns" && !slices.Contains(clerical, a.Name.Local) && !skips(path, clerical) {
					out = append(out, a.Name.Local+"="+a.Value)
				}
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if text := strings.TrimSpace(string(t)); text != "" && !skips(path, clerical) {
				out = append(out, path[len(path)-1]+"="+text)
			}
		}
	}
}

func skips(path, clerical []string) bool {
	return len(path) == 0 || slices.ContainsFunc(path, func(name string) bool { return slices.Contains(clerical, name) })
}
