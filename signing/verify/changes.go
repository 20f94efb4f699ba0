package verify

import (
	"bytes"
	"fmt"
	"slices"

	"countersign/signing/pdf"
)

// The classes of change, and the codes that give the reason.
const (
	classFilled     = "signature_filled"
	classValue      = "signature_value"
	classAppearance = "appearance"
	classStructure  = "structure"
	classCatalog    = "catalog"
	classForm       = "form"
	classValidation = "validation_data"
	classNewField   = "timestamp_field"
	classForbidden  = "forbidden"
	classSigField   = "signature_field"
	classInfo       = "document_information"
	classFilling    = "form_filling"

	reasonFilled     = "empty_field_filled"
	reasonValue      = "signature_of_this_revision"
	reasonAppearance = "appearance_of_this_signature"
	reasonStructure  = "file_structure"
	reasonSame       = "same_content"
	reasonValidation = "validation_data_added"
	reasonNewField   = "field_for_document_timestamp"
	reasonUnsigned   = "revision_without_signature"
	reasonStray      = "bytes_outside_objects"
	reasonTrailer    = "trailer_changed"
	reasonFreed      = "object_deleted"
	reasonWidget     = "field_changed"
	reasonNoField    = "field_was_not_there_empty"
	reasonLocked     = "field_was_locked"
	reasonCatalog    = "catalog_changed"
	reasonForm       = "form_changed"
	reasonChanged    = "object_changed"
	reasonAdded      = "object_without_use"
	reasonOdd        = "object_breaks_grammar"
	reasonUnused     = "object_nothing_refers_to"
	reasonHybrid     = "second_cross_reference"
	reasonCertified  = "certification_forbids_it"
	reasonSigField   = "field_for_signature"
	reasonCovers     = "new_field_covers_content"
	reasonInfo       = "document_information"
	reasonFormFilled = "form_field_filled"
	reasonShows      = "field_shows_another_value"
)

// judgeChanges looks at every revision after the first signed one.
func (v *verification) judgeChanges() {
	first := -1
	for _, s := range v.found {
		if s.revision >= 0 && (first < 0 || s.revision < first) {
			first = s.revision
		}
	}
	if first < 0 {
		return
	}
	for k := first + 1; k < len(v.file.Revisions); k++ {
		d := diff{verification: v, k: k, allowed: make(map[int]Change)}
		for _, odd := range v.file.Revisions[k].Odd {
			d.forbid(fmt.Sprint(odd.Num), reasonOdd)
		}
		if v.house {
			d.judge()
		} else {
			d.judgeForeign()
		}
	}
	for _, c := range v.changes {
		if !c.Permitted {
			v.worse(forbiddenProblem, "")
			v.detail = fmt.Sprintf("revision %d, object %q: %s", c.Revision, c.Object, c.Reason)
			return
		}
	}
	if v.unknown {
		v.worse(unknownProblem, "")
	}
}

// diff judges one revision against the one before it.
type diff struct {
	*verification
	k       int
	allowed map[int]Change // by object number, what this revision may write
}

func (d *diff) note(object, class string, permitted bool, reason string) {
	d.changes = append(d.changes, Change{Revision: d.k + 1, Object: object, Class: class, Permitted: permitted, Reason: reason})
}

func (d *diff) forbid(object, reason string) { d.note(object, classForbidden, false, reason) }

func (d *diff) judge() {
	r := d.file.Revisions[d.k]
	for range r.Stray {
		d.forbid("", reasonStray)
	}
	if !d.sameTrailer() {
		d.forbid("", reasonTrailer)
	}
	signed, stamp := false, (*found)(nil)
	for _, s := range d.found {
		if s.revision == d.k {
			signed = true
			if s.document && s.intact {
				stamp = s
			}
			d.allowSignature(s)
		}
	}
	// A document timestamp may bring validation data with it; any other signature may not.
	validation := (!signed || stamp != nil) && d.allowValidation(stamp)
	if !signed && !validation {
		d.forbid("", reasonUnsigned)
	}
	for _, e := range r.Entries {
		d.entry(e)
	}
	// Validation data is harmless, but only a signature over it keeps it from being changed, or its only form.
	if validation && !signed && !d.coveredLater() && !d.canonical(d.k) {
		if d.noted() {
			d.worse(materialProblem, "")
		}
		d.unknown = true
	}
}

// noted reports whether the revision says that it is the work of pdf.AppendMaterial.
func (d *diff) noted() bool {
	return bytes.HasPrefix(d.data[d.file.Revisions[d.k].Span.Start:], []byte(pdf.MaterialNote))
}

func (d *diff) coveredLater() bool {
	for _, s := range d.found {
		if s.revision > d.k && s.intact {
			return true
		}
	}
	return false
}

// sameTrailer compares what a trailer says about the document: root, encryption, information, first identifier.
func (d *diff) sameTrailer() bool {
	now, before := d.file.Revisions[d.k].Trailer, d.file.Revisions[d.k-1].Trailer
	for _, p := range now.Pairs {
		switch string(p.Key) {
		case "Size", "Prev", "Type", "W", "Index", "Length", "Filter", "DecodeParms":
		case "ID":
			old := before.Get("ID")
			if old.Kind == pdf.Null && !d.house {
				continue // some programs give a file its first identifier only when they sign it
			}
			if len(p.Value.Items) != 2 || len(old.Items) != 2 || !p.Value.Items[0].Equal(old.Items[0]) {
				return false
			}
		case "Info":
			if d.house && !p.Value.Equal(before.Get("Info")) {
				return false
			}
		case "XRefStm": // hybrid, which is judged by itself
		default:
			if !p.Value.Equal(before.Get(string(p.Key))) {
				return false
			}
		}
	}
	return now.Get("Root").Equal(before.Get("Root")) && now.Get("Encrypt").Equal(before.Get("Encrypt"))
}

// entry judges one object that the revision wrote.
func (d *diff) entry(e pdf.Entry) {
	name := fmt.Sprintf("%d %d", e.Num, e.Gen)
	if e.Free {
		// Number 0 heads the list of free objects in every table.
		if e.Num != 0 {
			d.forbid(name, reasonFreed)
		}
		return
	}
	if c, ok := d.allowed[e.Num]; ok {
		d.note(name, c.Class, c.Permitted, c.Reason)
		return
	}
	o, err := d.file.Object(e.Num, d.k)
	if err != nil {
		d.forbid(name, reasonChanged)
		return
	}
	if d.structure(e, o) {
		d.note(name, classStructure, true, reasonStructure)
		return
	}
	if _, _, there := d.file.Find(e.Num, d.k-1); !there {
		d.forbid(name, reasonAdded)
		return
	}
	before, err := d.file.Object(e.Num, d.k-1)
	if err != nil || before.Gen != o.Gen {
		d.forbid(name, reasonChanged)
		return
	}
	d.rewritten(name, e.Num, before.Value, o.Value)
}

// structure reports whether an object is of the file's structure only: the revision's cross-reference stream, or an
// object stream. It must not take the number of anything else, nor one that something refers to.
func (d *diff) structure(e pdf.Entry, o pdf.Object) bool {
	of := func(v pdf.Value) bool {
		return v.Kind == pdf.Stream && (v.Get("Type").Is("XRef") || v.Get("Type").Is("ObjStm"))
	}
	if !of(o.Value) || o.Value.Get("Type").Is("XRef") && o.Span.Start != d.file.Revisions[d.k].Xref {
		return false
	}
	before, err := d.file.Object(e.Num, d.k-1)
	return err == nil && (of(before.Value) || before.Value.Kind == pdf.Null && d.fresh(e.Num))
}

// rewritten judges an object that was there before.
func (d *diff) rewritten(name string, num int, before, now pdf.Value) {
	root := d.file.Revisions[d.k].Trailer.Get("Root")
	form := d.catalogBefore().Get("AcroForm")
	switch {
	case before.Equal(now):
		d.note(name, classStructure, true, reasonSame)
	case int64(num) == root.Int:
		if equalBut(before, now, "AcroForm") && sameForm(before.Get("AcroForm"), now.Get("AcroForm")) {
			d.note(name, classCatalog, true, reasonSame)
			return
		}
		d.forbid(name, reasonCatalog)
	case form.Kind == pdf.Reference && int64(num) == form.Int:
		if sameForm(before, now) {
			d.note(name, classForm, true, reasonSame)
			return
		}
		d.forbid(name, reasonForm)
	case before.Get("Subtype").Is("Widget"):
		d.forbid(name, reasonWidget)
	default:
		d.forbid(name, reasonChanged)
	}
}

func (d *diff) catalogBefore() pdf.Value {
	root, err := d.file.Resolve(d.file.Revisions[d.k-1].Trailer.Get("Root"), d.k-1)
	if err != nil {
		return pdf.Value{}
	}
	return root
}

// sameForm compares forms; only the flags that announce signatures may differ.
func sameForm(before, now pdf.Value) bool {
	if before.Kind == pdf.Reference {
		return before.Equal(now)
	}
	return before.Kind == pdf.Dict && now.Kind == pdf.Dict && equalBut(before, now, "SigFlags")
}

// equalBut compares dictionaries without the given keys.
func equalBut(before, now pdf.Value, keys ...string) bool {
	return without(before, keys).Equal(without(now, keys))
}

func without(v pdf.Value, keys []string) pdf.Value {
	pairs := make([]pdf.Pair, 0, len(v.Pairs))
next:
	for _, p := range v.Pairs {
		for _, key := range keys {
			if string(p.Key) == key {
				continue next
			}
		}
		pairs = append(pairs, p)
	}
	v.Pairs = pairs
	return v
}

// allowSignature lists what a revision may write that fills one empty field: the field with /V and /AP added, the new
// signature dictionary, and new objects that only these two use.
func (d *diff) allowSignature(s *found) {
	widget := s.field.Object.Num
	before, err := d.file.Fields(d.k - 1)
	if err != nil {
		d.forbid("", reasonForm)
		return
	}
	name := fmt.Sprintf("%d %d", widget, s.field.Object.Gen)
	if s.document && s.intact && !slices.ContainsFunc(before, func(f pdf.Field) bool { return f.Name == s.field.Name || f.Object.Num == widget }) {
		d.allowNewField(s)
		return
	}
	for _, old := range before {
		if old.Name != s.field.Name || old.Object.Num != widget || old.Type != "Sig" || old.Object.Value.Get("V").Kind != pdf.Null {
			continue
		}
		now, err := d.file.Object(widget, d.k)
		if d.lockedField(s.field.Name, s.revision) {
			d.allowed[widget] = Change{Class: classForbidden, Reason: reasonLocked}
			return
		}
		if err != nil || !equalBut(old.Object.Value, now.Value, "V", "AP") || now.Gen != old.Object.Gen || s.document && !invisible(old.Object.Value, now.Value) {
			d.allowed[widget] = Change{Class: classForbidden, Reason: reasonWidget}
			return
		}
		d.allowed[widget] = Change{Class: classFilled, Permitted: true, Reason: reasonFilled}
		if s.object != widget && d.fresh(s.object) {
			c := Change{Class: classValue, Permitted: true, Reason: reasonValue}
			d.allowed[s.object] = c
			d.allowReachable(s.dict, c, 0)
		}
		d.allowReachable(now.Value.Get("AP"), Change{Class: classAppearance, Permitted: true, Reason: reasonAppearance}, 0)
		return
	}
	d.forbid(name, reasonNoField)
}

// fresh reports whether an object number was written first by this revision.
func (d *diff) fresh(num int) bool {
	_, at, ok := d.file.Find(num, d.k)
	if !ok || at != d.k {
		return false
	}
	e, _, _ := d.file.Find(num, d.k-1)
	return (e == pdf.Entry{} || e.Free) && !d.references().prepared(num, d.k)
}

// maxReach bounds how deep references are followed.
const maxReach = 32

// allowReachable allows the new objects to which a value leads.
func (d *diff) allowReachable(v pdf.Value, c Change, depth int) {
	if depth > maxReach {
		return
	}
	for _, item := range v.Items {
		d.allowReachable(item, c, depth+1)
	}
	for _, p := range v.Pairs {
		d.allowReachable(p.Value, c, depth+1)
	}
	if v.Kind != pdf.Reference {
		return
	}
	num := int(v.Int)
	if _, done := d.allowed[num]; done || !d.fresh(num) {
		return
	}
	d.allowed[num] = c
	o, err := d.file.Object(num, d.k)
	if err != nil {
		return
	}
	d.allowReachable(o.Value, c, depth+1)
}
