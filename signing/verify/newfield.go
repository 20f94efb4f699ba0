package verify

import (
	"fmt"
	"math"
	"slices"

	"countersign/signing/pdf"
)

// What a signing program may write into a field: into one that it makes, and into an empty one besides its value.
var (
	madeKeys   = append([]string{"AS", "BS", "DA", "Lock", "SV", "TU", "TM", "DR", "H", "M", "NM", "Kids", "Parent", "StructParent"}, newFieldKeys...)
	filledKeys = []string{"V", "AP", "F", "M", "P", "Type", "MK", "DA", "DR", "NM"}
)

// signature allows what belongs to a signature of this revision: its value, and its field with its appearance.
func (f *foreign) signature(s *found) {
	num := s.field.Object.Num
	name := fmt.Sprintf("%d %d", num, s.field.Object.Gen)
	if !s.intact {
		if s.unchecked {
			f.unknown = true
		}
		f.forbid(name, reasonUnsigned)
		return
	}
	f.meaning = true
	if f.level == 1 && !s.document {
		f.forbid(name, reasonCertified)
	}
	before, err := f.file.Fields(f.k - 1)
	if err != nil {
		f.forbid(name, reasonForm)
		return
	}
	i := slices.IndexFunc(before, func(old pdf.Field) bool { return old.Name == s.field.Name || old.Object.Num == num })
	ok := false
	if i < 0 {
		ok = f.made(s)
	} else {
		ok = f.filled(before[i], s)
	}
	if !ok {
		return
	}
	if s.object != num && f.fresh(s.object) {
		c := good(classValue, reasonValue)
		f.allowed[s.object] = c
		f.allowReachable(s.dict, c, 0)
	}
}

// filled judges a field that stood empty.
func (f *foreign) filled(old pdf.Field, s *found) bool {
	num := s.field.Object.Num
	refuse := func(reason string) bool {
		f.allowed[num] = Change{Class: classForbidden, Reason: reason}
		if !f.wrote(num) {
			f.forbid(fmt.Sprintf("%d %d", num, s.field.Object.Gen), reason)
		}
		return false
	}
	now := s.field.Object.Value
	switch {
	case f.lockedField(old.Name, f.k):
		return refuse(reasonLocked)
	case old.Name != s.field.Name || old.Object.Num != num || old.Type != "Sig" || old.Object.Value.Get("V").Kind != pdf.Null || !f.wrote(num):
		return refuse(reasonNoField)
	case !equalBut(old.Object.Value, now, filledKeys...), s.document && !invisible(old.Object.Value, now):
		return refuse(reasonWidget)
	}
	f.allowed[num] = good(classFilled, reasonFilled)
	look := good(classAppearance, reasonAppearance)
	f.allowReachable(without(now, []string{"V", "P", "Parent", "Kids"}), look, 0)
	for _, kid := range f.now(now.Get("Kids")).Items {
		if !f.changed(kid) {
			continue
		}
		was, is := f.then(kid), f.now(kid)
		if !equalBut(was, is, "AP", "F", "M", "P", "MK") || s.document && !invisible(was, is) {
			return refuse(reasonWidget)
		}
		f.allow(kid, look)
		f.allowReachable(is.Get("AP"), look, 0)
	}
	return true
}

// made judges a field that came with its signature. One that is seen must not lie on anything that was there, and none
// may be seen in a certified document: there it could repaint what was certified.
func (f *foreign) made(s *found) bool {
	num, v := s.field.Object.Num, s.field.Object.Value
	refuse := func(num int, reason string) bool {
		f.allowed[num] = Change{Class: classForbidden, Reason: reason}
		return false
	}
	if !f.fresh(num) || !v.Get("FT").Is("Sig") || v.Get("T").Kind != pdf.String || v.Get("Parent").Kind != pdf.Null || !only(v, madeKeys) {
		return refuse(num, reasonNoField)
	}
	widgets := make(map[int]pdf.Value)
	c := good(classSigField, reasonSigField)
	if v.Get("Subtype").Is("Widget") {
		widgets[num] = v
		f.widgets[num] = true
	}
	for _, kid := range f.now(v.Get("Kids")).Items {
		w := f.now(kid)
		if kid.Kind != pdf.Reference || !f.fresh(int(kid.Int)) || !w.Get("Subtype").Is("Widget") || !only(w, madeKeys) {
			return refuse(num, reasonNoField)
		}
		widgets[int(kid.Int)] = w
		f.widgets[int(kid.Int)] = true
		f.allow(kid, c)
	}
	for at, w := range widgets {
		rect, seen := f.seen(w)
		switch {
		case !seen:
		case s.document || f.level > 0:
			return refuse(num, reasonCovers)
		case f.covers(at, rect):
			return refuse(num, reasonCovers)
		}
		f.allowReachable(without(w, []string{"V", "P", "Parent", "Kids"}), good(classAppearance, reasonAppearance), 0)
	}
	f.allowReachable(without(v, []string{"V", "P", "Parent", "Kids"}), c, 0)
	f.allow(v.Get("Kids"), c)
	f.allowed[num] = c
	f.fields[num] = true
	return true
}

func only(v pdf.Value, keys []string) bool {
	for _, p := range v.Pairs {
		if !slices.Contains(keys, string(p.Key)) {
			return false
		}
	}
	return v.Kind == pdf.Dict
}

// box is a rectangle: left, bottom, right, top.
type box [4]float64

func (b box) area() float64 { return max(b[2]-b[0], 0) * max(b[3]-b[1], 0) }

func (b box) with(c box) box {
	return box{max(b[0], c[0]), max(b[1], c[1]), min(b[2], c[2]), min(b[3], c[3])}
}

func (f *foreign) box(v pdf.Value, k int) (b box, ok bool) {
	r := f.resolved(v, k)
	if r.Kind != pdf.Array || len(r.Items) != 4 {
		return b, false
	}
	var n [4]float64
	for i, item := range r.Items {
		if n[i], ok = f.resolved(item, k).Float(); !ok {
			return b, false
		}
	}
	return box{min(n[0], n[2]), min(n[1], n[3]), max(n[0], n[2]), max(n[1], n[3])}, true
}

// seen reports whether a widget shows anything: it has an appearance, and room for it.
func (f *foreign) seen(w pdf.Value) (box, bool) {
	rect, ok := f.box(w.Get("Rect"), f.k)
	if !ok && w.Get("Rect").Kind != pdf.Null {
		return rect, true // nobody knows where
	}
	return rect, w.Get("AP").Kind != pdf.Null && rect.area() > 0
}

// maxShare is how much of a page the appearance of a new signature may take.
const maxShare = 1.0 / 3

// covers reports whether a new widget lies over an annotation or field that was there, or over much of its page.
func (f *foreign) covers(num int, rect box) bool {
	if math.IsNaN(rect.area()) || math.IsInf(rect.area(), 0) {
		return true
	}
	for _, page := range f.pagesOf(num) {
		media := page
		for range 32 {
			if media.Get("MediaBox").Kind != pdf.Null || media.Get("Parent").Kind == pdf.Null {
				break
			}
			media = f.then(media.Get("Parent"))
		}
		if size, ok := f.box(media.Get("MediaBox"), f.k-1); ok && rect.with(size).area() > size.area()*maxShare {
			return true
		}
		for _, ref := range f.then(page.Get("Annots")).Items {
			other := f.then(ref)
			if b, ok := f.box(other.Get("Rect"), f.k-1); ok && rect.with(b).area() > 1 && other.Get("AP").Kind != pdf.Null {
				return true
			}
		}
	}
	return false
}

// pagesOf returns the pages, as they were, whose lists of annotations now hold an object.
func (f *foreign) pagesOf(num int) []pdf.Value {
	var out []pdf.Value
	add := func(user int) {
		if v := f.then(pdf.Value{Kind: pdf.Reference, Int: int64(user)}); v.Get("Type").Is("Page") {
			out = append(out, v)
		}
	}
	for _, user := range f.references().users[num] {
		add(user)
		if o, err := f.file.Object(user, f.k); err == nil && o.Value.Kind == pdf.Array {
			for _, above := range f.references().users[user] {
				add(above)
			}
		}
	}
	return out
}
