package verify

import (
	"slices"

	"countersign/signing/pdf"
)

// invisible reports whether a field that a document timestamp fills looks as it did before. Anybody can get a timestamp,
// so one must not bring a picture: it would look like a seal.
func invisible(before, now pdf.Value) bool {
	return now.Get("AP").Equal(before.Get("AP")) || emptyRect(now.Get("Rect"))
}

// emptyRect reports whether a rectangle has neither width nor height.
func emptyRect(v pdf.Value) bool {
	if v.Kind != pdf.Array || len(v.Items) != 4 {
		return false
	}
	var n [4]float64
	for i, item := range v.Items {
		f, ok := item.Float()
		if !ok {
			return false
		}
		n[i] = f
	}
	return n[0] == n[2] && n[1] == n[3]
}

// newFieldKeys is what the field of a document timestamp may have.
var newFieldKeys = []string{"Type", "Subtype", "FT", "T", "F", "Ff", "Rect", "V", "P", "AP", "Border", "MK"}

// allowNewField lists what a revision may write that adds a document timestamp with a field of its own (EN 319 142-1
// §5.4.3): the field, without a place on any page; its value; one more reference in the form's list of fields; and one
// more in a page's list of annotations.
func (d *diff) allowNewField(s *found) {
	num := s.field.Object.Num
	now, err := d.file.Object(num, d.k)
	if err != nil || !d.fresh(num) || !d.plainField(now.Value) {
		d.allowed[num] = Change{Class: classForbidden, Reason: reasonNoField}
		return
	}
	if s.object != num && d.fresh(s.object) {
		c := Change{Class: classValue, Permitted: true, Reason: reasonValue}
		d.allowed[s.object] = c
		d.allowReachable(s.dict, c, 0)
	}
	c := Change{Class: classNewField, Permitted: true, Reason: reasonNewField}
	d.allowed[num] = c
	d.allowReachable(now.Value.Get("AP"), c, 0)
	for _, e := range d.file.Revisions[d.k].Entries {
		if e.Free || e.Num == num {
			continue
		}
		if _, done := d.allowed[e.Num]; done {
			continue
		}
		if d.growsBy(e.Num, int64(num)) {
			d.allowed[e.Num] = c
		}
	}
}

// plainField reports whether a field is one for a signature that nobody can see.
func (d *diff) plainField(v pdf.Value) bool {
	for _, p := range v.Pairs {
		if !slices.Contains(newFieldKeys, string(p.Key)) {
			return false
		}
	}
	rect, err := d.file.Resolve(v.Get("Rect"), d.k)
	hidden := v.Get("Subtype").Kind == pdf.Null && v.Get("AP").Kind == pdf.Null || v.Get("Subtype").Is("Widget") && err == nil && emptyRect(rect)
	return v.Kind == pdf.Dict && v.Get("FT").Is("Sig") && v.Get("T").Kind == pdf.String && hidden
}

// growsBy reports whether an object differs from what it was before only by one reference more at the end of the
// form's list of fields or of a page's list of annotations. The catalog is compared without validation data, which
// allowValidation judges.
func (d *diff) growsBy(num int, added int64) bool {
	before, err1 := d.file.Object(num, d.k-1)
	now, err2 := d.file.Object(num, d.k)
	if err1 != nil || err2 != nil || before.Gen != now.Gen || before.Value.Kind != now.Value.Kind {
		return false
	}
	root, form := d.file.Revisions[d.k].Trailer.Get("Root"), d.catalogBefore().Get("AcroForm")
	fields := form.Get("Fields")
	if form.Kind == pdf.Reference {
		if v, err := d.file.Resolve(form, d.k-1); err == nil {
			fields = v.Get("Fields")
		}
	}
	is := func(ref pdf.Value) bool { return ref.Kind == pdf.Reference && ref.Int == int64(num) }
	switch {
	case is(root):
		return equalBut(before.Value, now.Value, "AcroForm", "DSS", "Extensions") && formGrows(before.Value.Get("AcroForm"), now.Value.Get("AcroForm"), added)
	case is(form):
		return formGrows(before.Value, now.Value, added)
	case is(fields):
		return grown(before.Value, now.Value, added)
	case before.Value.Get("Type").Is("Page"):
		return equalBut(before.Value, now.Value, "Annots") && grown(before.Value.Get("Annots"), now.Value.Get("Annots"), added)
	case before.Value.Kind == pdf.Array:
		return d.annotations(num) && grown(before.Value, now.Value, added)
	}
	return false
}

func formGrows(before, now pdf.Value, added int64) bool {
	return before.Kind == pdf.Dict && now.Kind == pdf.Dict && equalBut(before, now, "SigFlags", "Fields") && grown(before.Get("Fields"), now.Get("Fields"), added)
}

// grown reports whether a list has become longer by one reference at its end. A page may have had no list.
func grown(before, now pdf.Value, added int64) bool {
	n := len(before.Items)
	if now.Kind != pdf.Array || before.Kind != pdf.Array && before.Kind != pdf.Null || len(now.Items) != n+1 {
		return false
	}
	return slices.EqualFunc(before.Items, now.Items[:n], pdf.Value.Equal) && now.Items[n].Kind == pdf.Reference && now.Items[n].Int == added
}

// annotations reports whether an object is a list of annotations, and nothing but that: an annotation has no meaning
// anywhere else, so every item must be one.
func (d *diff) annotations(num int) bool {
	v, err := d.file.Object(num, d.k-1)
	if err != nil || v.Value.Kind != pdf.Array {
		return false
	}
	for _, item := range v.Value.Items {
		a, err := d.file.Resolve(item, d.k-1)
		if err != nil || a.Get("Subtype").Kind != pdf.Name || a.Get("Rect").Kind != pdf.Array || a.Kind != pdf.Dict {
			return false
		}
	}
	return len(v.Value.Items) > 0
}

// allowValidation recognises an update that adds validation data: the document security store in the catalog and new
// objects below it (EN 319 142-1 §5.4.2). A store that was there before may be written again in its place where nothing
// else uses that.
func (d *diff) allowValidation(stamp *found) bool {
	root := d.file.Revisions[d.k].Trailer.Get("Root")
	now, err := d.file.Resolve(root, d.k)
	if err != nil || now.Get("DSS").Kind == pdf.Null {
		return false
	}
	before := d.catalogBefore()
	c := Change{Class: classValidation, Permitted: true, Reason: reasonValidation}
	if _, at, _ := d.file.Find(int(root.Int), d.k); at == d.k {
		grew := stamp != nil && d.growsBy(int(root.Int), int64(stamp.field.Object.Num))
		if !equalBut(before, now, "DSS", "Extensions") && !grew {
			return false
		}
		if !before.Get("DSS").Equal(now.Get("DSS")) || stamp == nil {
			d.allowed[int(root.Int)] = c
		}
	}
	again, written := d.store(now.Get("DSS"))
	if !written && before.Get("DSS").Equal(now.Get("DSS")) {
		return false
	}
	d.allowReachable(now.Get("DSS"), c, 0)
	for num := range again {
		d.allowed[num] = c
		if o, err := d.file.Object(num, d.k); err == nil {
			for _, p := range o.Value.Pairs {
				d.allowReachable(p.Value, c, 0)
			}
			for _, item := range o.Value.Items {
				d.allowReachable(item, c, 0)
			}
		}
	}
	return true
}

// store returns which objects of a document security store the revision wrote again in their place, and whether it
// wrote any part of it. The parts are dictionaries and lists of references, no data. When anything else refers to one of
// them, none may be written again: it may be part of what a reader shows.
func (d *diff) store(ref pdf.Value) (again map[int]bool, written bool) {
	parts := make(map[int]bool)
	var add func(ref pdf.Value, depth int)
	add = func(ref pdf.Value, depth int) {
		v := ref
		if ref.Kind == pdf.Reference {
			o, err := d.file.Object(int(ref.Int), d.k)
			if err != nil || o.Value.Kind != pdf.Dict && o.Value.Kind != pdf.Array || parts[o.Num] {
				return
			}
			parts[o.Num] = true
			v = o.Value
		}
		for _, p := range v.Pairs {
			if depth < 3 { // store, related information, one signature's, a list
				add(p.Value, depth+1)
			}
		}
	}
	add(ref, 0)
	again = make(map[int]bool)
	for num := range parts {
		if _, at, ok := d.file.Find(num, d.k); ok && at == d.k {
			written = true
			if !d.fresh(num) {
				again[num] = true
			}
		}
	}
	if len(again) > 0 && d.usedElsewhere(parts) {
		return nil, written
	}
	return again, written
}

// usedElsewhere reports whether, before or now, an object that is none of the parts refers to one of them other than as
// the catalog's /DSS.
func (d *diff) usedElsewhere(parts map[int]bool) bool {
	root := int(d.file.Revisions[d.k].Trailer.Get("Root").Int)
	for num := range parts {
		if !d.references().onlyUsedBy(num, func(user int) bool { return parts[user] || user == root }) {
			return true
		}
	}
	for k := range d.k + 1 {
		if _, at, _ := d.file.Find(root, k); at != k {
			continue
		}
		o, err := d.file.Object(root, k)
		if err != nil || refersTo(without(o.Value, []string{"DSS"}), parts) {
			return true
		}
	}
	return false
}

func refersTo(v pdf.Value, parts map[int]bool) bool {
	if v.Kind == pdf.Reference {
		return parts[int(v.Int)]
	}
	return slices.ContainsFunc(v.Items, func(i pdf.Value) bool { return refersTo(i, parts) }) ||
		slices.ContainsFunc(v.Pairs, func(p pdf.Pair) bool { return refersTo(p.Value, parts) })
}
