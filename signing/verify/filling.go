package verify

import (
	"bytes"
	"slices"
	"strings"
	"unicode"

	"countersign/signing/pdf"
)

// fillings allows what a revision of a certified document may write to fill its form (DocMDP 2 and 3, ISO 32000-1
// §12.8.2.2): the values of fields that were there and that no signature locked, and appearances that show these values.
func (f *foreign) fillings() {
	before, err := f.file.Fields(f.k - 1)
	if err != nil {
		return
	}
	for _, old := range before {
		if old.Type != "Tx" && old.Type != "Btn" && old.Type != "Ch" {
			continue
		}
		if f.rewrote(old) && !f.lockedField(old.Name, f.k) {
			f.filling(old)
		}
	}
}

// rewrote reports whether the revision wrote a field or one of its widgets.
func (f *foreign) rewrote(old pdf.Field) bool {
	return f.wrote(old.Object.Num) || slices.ContainsFunc(f.now(old.Object.Value.Get("Kids")).Items, f.changed)
}

// fillingKeys is what filling may change in a field or its widget.
var fillingKeys = []string{"V", "AP", "AS", "M", "I", "TI", "RV"}

func (f *foreign) filling(old pdf.Field) {
	num := old.Object.Num
	now, err := f.file.Object(num, f.k)
	if err != nil || !equalBut(old.Object.Value, now.Value, fillingKeys...) {
		return
	}
	value := f.now(now.Value.Get("V"))
	change := good(classFilling, reasonFormFilled)
	if f.wrote(num) {
		f.allowed[num] = f.shows(old.Type, old.Object.Value, now.Value, value)
		f.meaning = true
	}
	if value.Kind == pdf.Stream || value.Kind == pdf.String {
		f.allow(now.Value.Get("V"), change)
	}
	for _, kid := range f.now(now.Value.Get("Kids")).Items {
		was, is := f.then(kid), f.now(kid)
		if f.changed(kid) && equalBut(was, is, fillingKeys...) && is.Get("V").Equal(was.Get("V")) {
			f.allow(kid, f.shows(old.Type, was, is, value))
			f.meaning = true
		}
	}
}

// shows judges a widget whose field got a value.
func (f *foreign) shows(typ string, was, is, value pdf.Value) Change {
	change := good(classFilling, reasonFormFilled)
	refused := Change{Class: classForbidden, Reason: reasonShows}
	look := is.Get("AP")
	if typ == "Btn" {
		if f.button(was, is) {
			return change
		}
		return refused
	}
	if look.Kind == pdf.Null || look.Equal(was.Get("AP")) && !f.touches(look, 0) {
		if value.Equal(f.then(was.Get("V"))) || look.Kind == pdf.Null {
			return change
		}
		return refused // it still shows the value that it had
	}
	face := f.now(look)
	for _, p := range face.Pairs {
		if string(p.Key) != "N" {
			return refused
		}
	}
	if face.Kind != pdf.Dict || !f.same(face.Get("N"), value) {
		return refused
	}
	f.allow(look, change)
	if n := face.Get("N"); f.fresh(int(n.Int)) || f.ownLook(int(n.Int), look, was) {
		f.allow(n, change)
		f.allowReachable(without(f.now(n), []string{"Parent"}), change, 0)
	}
	return change
}

// button reports whether a button only switches among the states that it had. Some programs draw the states again: then
// each is one mark.
func (f *foreign) button(was, is pdf.Value) bool {
	look, state := is.Get("AP"), is.Get("AS")
	before, now := f.then(f.then(was.Get("AP")).Get("N")), f.now(f.now(look).Get("N"))
	if state.Kind != pdf.Null && !state.Is("Off") && now.Get(string(state.Raw)).Kind == pdf.Null {
		return false
	}
	if look.Equal(was.Get("AP")) && !f.touches(look, 0) {
		return true
	}
	if before.Kind != pdf.Dict || now.Kind != pdf.Dict || f.now(look).Get("D").Kind != pdf.Null && !f.now(look).Get("D").Equal(f.then(was.Get("AP")).Get("D")) {
		return false
	}
	change := good(classFilling, reasonFormFilled)
	for _, key := range keys(before, now) {
		old, new := before.Get(key), now.Get(key)
		if old.Kind == pdf.Null || new.Kind != pdf.Reference {
			return false
		}
		if old.Equal(new) && !f.touches(new, 0) {
			continue
		}
		if !f.fresh(int(new.Int)) || !f.mark(new) {
			return false
		}
		f.allow(new, change)
		f.allowReachable(without(f.now(new), []string{"Parent"}), change, 0)
	}
	f.allow(look, change)
	return true
}

// mark reports whether an appearance shows one character at most.
func (f *foreign) mark(ref pdf.Value) bool {
	shown, ok := f.shown(ref)
	return ok && len([]rune(shown)) <= 1
}

// ownLook reports whether an appearance belongs to this one widget, so that it may be drawn again in its place.
func (f *foreign) ownLook(num int, look, was pdf.Value) bool {
	users := f.references().users[num]
	if n := f.then(f.then(was.Get("AP")).Get("N")); n.Kind != pdf.Stream || !n.Get("Subtype").Is("Form") {
		return false
	}
	if len(users) != 1 || look.Kind != pdf.Reference && !f.then(pdf.Value{Kind: pdf.Reference, Int: int64(users[0])}).Equal(was) {
		return false
	}
	return look.Kind != pdf.Reference || users[0] == int(look.Int) && len(f.references().users[int(look.Int)]) == 1
}

// touches reports whether the revision wrote anything that a value leads to.
func (f *foreign) touches(v pdf.Value, depth int) bool {
	if depth > 8 {
		return true
	}
	for _, item := range v.Items {
		if f.touches(item, depth+1) {
			return true
		}
	}
	for _, p := range v.Pairs {
		if key := string(p.Key); key != "Parent" && key != "P" && f.touches(p.Value, depth+1) {
			return true
		}
	}
	return v.Kind == pdf.Reference && (f.wrote(int(v.Int)) || f.touches(f.then(v), depth+1))
}

// same reports whether an appearance shows a value and nothing else, but for white space.
func (f *foreign) same(ref, value pdf.Value) bool {
	var want string
	if value.Kind == pdf.String {
		want = value.Text()
	} else {
		for _, item := range value.Items {
			want += item.Text()
		}
	}
	shown, ok := f.shown(ref)
	return ok && shown == squeeze(want)
}

// shown returns the text of an appearance that paints no image, no pattern and no other form.
func (f *foreign) shown(ref pdf.Value) (string, bool) {
	v := f.now(ref)
	if v.Kind != pdf.Stream || ref.Kind != pdf.Reference {
		return "", false
	}
	resources := f.now(v.Get("Resources"))
	for _, key := range []string{"XObject", "Pattern", "Shading"} {
		if len(f.now(resources.Get(key)).Pairs) > 0 {
			return "", false
		}
	}
	body, err := f.file.Decode(v, f.k)
	if err != nil || v.Get("Group").Kind != pdf.Null {
		return "", false
	}
	text, ok := pdf.ShownText(body)
	return squeeze(text), ok
}

func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == 0 {
			return -1
		}
		return r
	}, string(bytes.ToValidUTF8([]byte(s), nil)))
}
