package verify

import (
	"fmt"
	"slices"

	"countersign/signing/pdf"
)

// judgeForeign judges a revision of a document that others signed. Besides what a document of ours may get, a later
// signature may bring a field of its own, programs may note when they wrote (document information, metadata), and form
// fields may be filled where a certification permits it. Annotations never come or change, whatever a certification
// says: they can paint over anything.
func (d *diff) judgeForeign() {
	r := d.file.Revisions[d.k]
	if r.Hybrid {
		d.forbid("", reasonHybrid)
	}
	for range r.Stray {
		d.forbid("", reasonStray)
	}
	f := &foreign{diff: d, level: d.certified(d.k), fields: make(map[int]bool), widgets: make(map[int]bool)}
	if !d.sameTrailer() {
		d.forbid("", reasonTrailer)
	}
	for _, s := range d.found {
		if s.revision == d.k {
			f.signature(s)
		}
	}
	f.catalog()
	f.information()
	if f.level >= 2 {
		f.fillings()
	}
	if !f.meaning {
		d.forbid("", reasonUnsigned)
	}
	for _, e := range r.Entries {
		f.entry(e)
	}
}

// foreign is the judgement of one revision.
type foreign struct {
	*diff
	level   int64        // what certifications permit
	fields  map[int]bool // the fields that came with this revision's signatures
	widgets map[int]bool // and their widgets
	meaning bool         // the revision has a purpose: a signature, validation data, a filled form
}

// then and now resolve a value as of the revision before, and of this one.
func (f *foreign) then(v pdf.Value) pdf.Value { return f.resolved(v, f.k-1) }
func (f *foreign) now(v pdf.Value) pdf.Value  { return f.resolved(v, f.k) }

func (f *foreign) resolved(v pdf.Value, k int) pdf.Value {
	out, err := f.file.Resolve(v, k)
	if err != nil {
		return pdf.Value{}
	}
	return out
}

// allow permits what the revision wrote under a reference; other values stand in an object that is judged by itself.
func (f *foreign) allow(ref pdf.Value, c Change) {
	if ref.Kind == pdf.Reference && f.wrote(int(ref.Int)) {
		f.allowed[int(ref.Int)] = c
	}
}

func (f *foreign) wrote(num int) bool {
	_, at, ok := f.file.Find(num, f.k)
	return ok && at == f.k
}

func good(class, reason string) Change { return Change{Class: class, Permitted: true, Reason: reason} }

// keys lists the keys of two dictionaries, each once.
func keys(a, b pdf.Value) []string {
	var out []string
	for _, v := range []pdf.Value{a, b} {
		for _, p := range v.Pairs {
			if key := string(p.Key); !slices.Contains(out, key) {
				out = append(out, key)
			}
		}
	}
	return out
}

// catalog compares the catalogs. Where only what is permitted differs, the objects that hold the difference are allowed.
func (f *foreign) catalog() {
	root := f.file.Revisions[f.k].Trailer.Get("Root")
	before, now := f.catalogBefore(), f.now(root)
	fine := true
	for _, key := range keys(before, now) {
		was, is := before.Get(key), now.Get(key)
		switch key {
		case "AcroForm":
			fine = f.form(was, is) && fine
		case "DSS":
			if !f.store(was, is) {
				fine = false
			}
		case "Extensions":
			fine = (was.Equal(is) && !f.changed(is) || f.extensions(is, 0)) && fine
		case "Metadata":
			fine = f.metadata(was, is) && fine
		case "Version":
			fine = fine && (was.Equal(is) || is.Kind == pdf.Name && string(is.Raw) >= string(was.Raw))
		default:
			fine = fine && was.Equal(is)
		}
	}
	if fine {
		f.allow(root, good(classCatalog, reasonSame))
		return
	}
	if f.wrote(int(root.Int)) {
		f.allowed[int(root.Int)] = Change{Class: classForbidden, Reason: reasonCatalog}
	} else {
		f.forbid("", reasonCatalog)
	}
}

// extensions reports whether a value is nothing but the versions of the standard that a file says it uses (ISO 32000-1
// §7.12). They change nothing that is seen.
func (f *foreign) extensions(is pdf.Value, depth int) bool {
	v := f.now(is)
	for _, p := range v.Pairs {
		switch key := string(p.Key); {
		case key == "Type", key == "BaseVersion", key == "ExtensionLevel", key == "URL", key == "ExtensionRevision":
		case depth > 1 || !f.extensions(p.Value, depth+1):
			return false
		}
	}
	if is.Kind == pdf.Reference && f.wrote(int(is.Int)) && !f.fresh(int(is.Int)) && f.painted(int(is.Int)) {
		return false
	}
	f.allow(is, good(classCatalog, reasonSame))
	if v.Kind == pdf.Array { // ISO 32000-2 allows several of one developer
		return !slices.ContainsFunc(v.Items, func(item pdf.Value) bool { return !f.extensions(item, depth+1) })
	}
	return v.Kind == pdf.Dict
}

// changed reports whether the revision wrote the object that a value refers to.
func (f *foreign) changed(v pdf.Value) bool {
	return v.Kind == pdf.Reference && f.wrote(int(v.Int))
}

// form compares the forms: fields may come that this revision's signatures fill, with the resources that signing programs
// put beside them.
func (f *foreign) form(was, is pdf.Value) bool {
	c := good(classForm, reasonSame)
	before, now := f.then(was), f.now(is)
	if was.Equal(is) && before.Equal(now) && !f.changed(now.Get("Fields")) && !f.changed(now.Get("DR")) {
		return true
	}
	if before.Kind != pdf.Dict || now.Kind != pdf.Dict {
		return false
	}
	for _, key := range keys(before, now) {
		old, new := before.Get(key), now.Get(key)
		ok := old.Equal(new)
		switch key {
		case "Fields":
			ok = f.listGrows(f.then(old), f.now(new), f.fields)
			f.allow(new, c)
		case "SigFlags":
			ok = new.Kind == pdf.Integer || new.Kind == pdf.Null
		case "NeedAppearances":
			ok = ok || new.Kind != pdf.Bool || new.Int == 0
		case "DR":
			ok = ok && !f.changed(new) || f.grows(old, new, 3, c)
		case "DA":
			ok = ok || old.Kind == pdf.Null
		}
		if !ok {
			return false
		}
	}
	f.allow(is, c)
	return true
}

// grows reports whether a dictionary keeps what it had, down to a depth, and only gets more.
func (f *foreign) grows(was, is pdf.Value, depth int, c Change) bool {
	before, now := f.then(was), f.now(is)
	if before.Kind == pdf.Null && now.Kind == pdf.Dict {
		f.allow(is, c)
		f.allowReachable(now, c, 0)
		return true
	}
	if f.changed(is) && !f.fresh(int(is.Int)) && f.painted(int(is.Int)) {
		return false
	}
	if before.Kind != pdf.Dict || now.Kind != pdf.Dict || depth == 0 {
		return was.Equal(is) && before.Equal(now) && !f.changed(is)
	}
	for _, key := range keys(before, now) {
		old, new := before.Get(key), now.Get(key)
		if old.Kind == pdf.Null {
			f.allowReachable(new, c, 0)
			continue
		}
		if old.Equal(new) && !f.changed(new) {
			continue
		}
		if !f.grows(old, new, depth-1, c) {
			return false
		}
	}
	f.allow(is, c)
	return true
}

// painted reports whether a page or a content stream uses an object, so that more in it may be more to see.
func (f *foreign) painted(num int) bool {
	return !f.references().onlyUsedBy(num, func(user int) bool {
		v := f.then(pdf.Value{Kind: pdf.Reference, Int: int64(user)})
		return v.Kind == pdf.Dict && !v.Get("Type").Is("Page") && !v.Get("Type").Is("Pages")
	})
}

// listGrows reports whether a list has what it had, in order, and besides only references to the given objects.
func (f *foreign) listGrows(before, now pdf.Value, added map[int]bool) bool {
	if now.Kind != pdf.Array {
		return before.Equal(now)
	}
	at := 0
	for _, item := range now.Items {
		switch {
		case at < len(before.Items) && item.Equal(before.Items[at]):
			at++
		case item.Kind == pdf.Reference && added[int(item.Int)]:
		default:
			return false
		}
	}
	return at == len(before.Items)
}

// information compares the document information: when and by what the file was written may change.
func (f *foreign) information() {
	was, is := f.file.Revisions[f.k-1].Trailer.Get("Info"), f.file.Revisions[f.k].Trailer.Get("Info")
	before, now := f.then(was), f.now(is)
	if is.Kind == pdf.Null || was.Equal(is) && !f.changed(is) {
		return
	}
	for _, key := range keys(before, now) {
		if key != "ModDate" && key != "Producer" && !(before.Kind == pdf.Null && (key == "Creator" || key == "CreationDate")) && !before.Get(key).Equal(now.Get(key)) {
			f.forbid("", reasonTrailer)
			return
		}
	}
	if is.Kind == pdf.Reference && (f.fresh(int(is.Int)) || f.references().onlyUsedBy(int(is.Int), func(user int) bool { return user == 0 })) {
		f.allow(is, good(classInfo, reasonInfo))
	}
}

// entry judges one object that the revision wrote.
func (f *foreign) entry(e pdf.Entry) {
	name := fmt.Sprintf("%d %d", e.Num, e.Gen)
	if e.Free {
		// A number that was free, or that nothing refers to, may be free again.
		if _, _, there := f.file.Find(e.Num, f.k-1); there && len(f.references().users[e.Num]) > 0 {
			f.forbid(name, reasonFreed)
		}
		return
	}
	before, err1 := f.file.Object(e.Num, f.k-1)
	now, err2 := f.file.Object(e.Num, f.k)
	_, _, there := f.file.Find(e.Num, f.k-1)
	c, ok := f.allowed[e.Num]
	switch {
	case err1 != nil || err2 != nil || there && before.Gen != now.Gen:
		f.forbid(name, reasonChanged)
	case ok:
		f.note(name, c.Class, c.Permitted, c.Reason)
	case f.structure(e, now):
		f.note(name, classStructure, true, reasonStructure)
	case !there && len(f.references().users[e.Num]) == 0 && f.fresh(e.Num):
		f.note(name, classStructure, true, reasonUnused)
	case !there:
		f.forbid(name, reasonAdded)
	case before.Value.Equal(now.Value):
		f.note(name, classStructure, true, reasonSame)
	case before.Value.Get("Type").Is("Page") && f.page(before.Value, now.Value),
		before.Value.Kind == pdf.Array && f.annotations(e.Num) && f.listGrows(before.Value, now.Value, f.widgets):
		f.note(name, classSigField, true, reasonSigField)
	case before.Value.Get("Subtype").Is("Widget"), before.Value.Get("FT").Kind == pdf.Name:
		f.forbid(name, reasonWidget)
	default:
		f.forbid(name, reasonChanged)
	}
}

// page reports whether a page got nothing but the widgets of this revision's signatures.
func (f *foreign) page(before, now pdf.Value) bool {
	if !equalBut(before, now, "Annots") {
		return false
	}
	list := now.Get("Annots")
	if !f.listGrows(f.then(before.Get("Annots")), f.now(list), f.widgets) {
		return false
	}
	// The list may have become an object of its own.
	if list.Kind == pdf.Reference && f.fresh(int(list.Int)) {
		f.allow(list, good(classSigField, reasonSigField))
	}
	return true
}
