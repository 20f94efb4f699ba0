package augment

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"countersign/internal/locale"
	"countersign/signing"
	"countersign/signing/pdf"
	"countersign/signing/pdf/pdftest"
	"countersign/signing/verify"
)

// object is one object of an update.
type object struct {
	num  int
	body string
}

// appended adds a well-formed revision with the given objects.
func appended(t *testing.T, doc []byte, objects ...object) []byte {
	t.Helper()
	f := must[*pdf.File](t)(pdf.Parse(doc))
	last := f.Revisions[len(f.Revisions)-1]
	out, top := slices.Clone(doc), int(last.Trailer.Get("Size").Int)
	var lines string
	for _, o := range objects {
		lines += fmt.Sprintf("%d 1\n%010d 00000 n \n", o.num, len(out))
		out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", o.num, o.body)
		top = max(top, o.num+1)
	}
	xref := len(out)
	return fmt.Appendf(out, "xref\n%strailer\n<</Size %d/Root 1 0 R/ID[<00112233445566778899aabbccddeeff><00>]/Prev %d>>\nstartxref\n%d\n%%%%EOF\n", lines, top, last.Xref, xref)
}

// body returns an object's text as it stands.
func body(t *testing.T, doc []byte, num int) string {
	t.Helper()
	f := must[*pdf.File](t)(pdf.Parse(doc))
	o := must[pdf.Object](t)(f.Object(num, len(f.Revisions)-1))
	return string(doc[o.Value.Start : o.Span.End-len("\nendobj")])
}

// stampWith appends a revision with the given objects and a document timestamp over it, as anybody may do who can ask an
// authority. value is the number of its signature dictionary.
func (w *world) stampWith(t *testing.T, doc []byte, value int, objects ...object) []byte {
	t.Helper()
	const room = 4096
	dict := "<</Type/DocTimeStamp/Filter/Adobe.PPKLite/SubFilter/ETSI.RFC3161/ByteRange" + strings.Repeat(" ", 40) + "/Contents<" + strings.Repeat("0", 2*room) + ">>>"
	out := appended(t, doc, append(objects, object{value, dict})...)
	open := bytes.LastIndex(out, []byte("/Contents<")) + len("/Contents")
	shut := open + 2*room + 2
	copy(out[bytes.LastIndex(out, []byte("/ByteRange"))+len("/ByteRange"):], fmt.Sprintf("[0 %d %d %d]", open, shut, len(out)-shut))
	token := must[[]byte](t)(w.tsa.Stamp(context.Background(), append(slices.Clone(out[:open]), out[shut:]...)))
	hex.Encode(out[open+1:], token)
	return out
}

// The object numbers of pdftest.Base("customer", "seal") with the customer's signature on top.
const (
	catalogObject = 1
	pageObject    = 3
	contentObject = 4
	sealObject    = 9
	newField      = 12
	newValue      = 13
	newOther      = 14
)

const hidden = "<</Type/Annot/Subtype/Widget/FT/Sig/T(ts)/F 132/Rect[0 0 0 0]/V 13 0 R>>"

func TestADocumentTimestampBringsNothingButItself(t *testing.T) {
	w := newWorld(t, noon)
	doc := w.sign(pdftest.Base("customer", "seal"), "customer", w.customer, w.tsa)
	swap := func(num int, old, new string) object {
		b := body(t, doc, num)
		if !strings.Contains(b, old) {
			t.Fatalf("object %d lacks %q: %s", num, old, b)
		}
		return object{num, strings.Replace(b, old, new, 1)}
	}
	catalog := swap(catalogObject, "9 0 R ]", "9 0 R 12 0 R]")
	page := swap(pageObject, "9 0 R ]", "9 0 R 12 0 R]")
	field := object{newField, hidden}
	picture := object{newOther, "<</Type/XObject/Subtype/Form/BBox[0 0 1 1]/Resources<<>>/Length 0>>\nstream\n\nendstream"}
	for _, c := range []struct {
		name    string
		objects []object
		want    verify.Verdict
	}{
		{"a field of its own", []object{catalog, field}, verify.Passed},
		{"a field of its own among the page's annotations", []object{catalog, page, field}, verify.Passed},
		{"an empty field that was there, as it looked", []object{swap(sealObject, "/P 3 0 R", "/P 3 0 R/V 13 0 R")}, verify.Passed},
		{"an empty field that was there, with a picture of a seal", []object{swap(sealObject, "/P 3 0 R", "/P 3 0 R/V 13 0 R/AP<</N 14 0 R>>"), picture}, verify.Failed},
		{"a field with a place on the page", []object{catalog, page, {newField, strings.Replace(hidden, "[0 0 0 0]", "[0 0 99 99]", 1)}}, verify.Failed},
		{"a field with a place and a picture", []object{catalog, page, {newField, strings.Replace(hidden, "[0 0 0 0]", "[0 0 99 99]/AP<</N 14 0 R>>", 1)}, picture}, verify.Failed},
		{"a field with an action", []object{catalog, {newField, strings.Replace(hidden, "/F 132", "/F 132/A<</S/JavaScript/JS(x)>>", 1)}}, verify.Failed},
		{"a field that is a text", []object{catalog, {newField, strings.Replace(hidden, "/FT/Sig", "/FT/Tx", 1)}}, verify.Failed},
		{"a field and another", []object{swap(catalogObject, "9 0 R ]", "9 0 R 12 0 R 14 0 R]"), field, {newOther, strings.Replace(hidden, "(ts)", "(t2)", 1)}}, verify.Failed},
		{"a field before the others", []object{swap(catalogObject, "/Fields[", "/Fields[12 0 R "), field}, verify.Failed},
		{"a field in the place of another", []object{swap(catalogObject, "9 0 R ]", "12 0 R]"), field}, verify.Failed},
		{"a field, and the catalog gets an action", []object{{catalogObject, strings.Replace(catalog.body, "/Type/Catalog", "/Type/Catalog/OpenAction[3 0 R/Fit]", 1)}, field}, verify.Failed},
		{"a field, and the form gets a flag", []object{{catalogObject, strings.Replace(catalog.body, "/Fields", "/NeedAppearances true/Fields", 1)}, field}, verify.Failed},
		{"a field, and the page's content is replaced", []object{catalog, field, swap(contentObject, "Work", "Play")}, verify.Failed},
		{"a field, and the page is turned", []object{catalog, {pageObject, strings.Replace(page.body, "/Type/Page", "/Type/Page/Rotate 180", 1)}, field}, verify.Failed},
		{"a field, and an annotation of another kind", []object{catalog, swap(pageObject, "9 0 R ]", "9 0 R 14 0 R]"), field, {newOther, "<</Type/Annot/Subtype/FreeText/Rect[0 0 9 9]/Contents(no)>>"}}, verify.Failed},
		{"a field, and something that nothing uses", []object{catalog, field, {newOther, "(hello)"}}, verify.Failed},
		{"a field, and the other empty field is moved", []object{catalog, field, swap(sealObject, "/Rect[182 ", "/Rect[10 ")}, verify.Failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := w.stampWith(t, doc, newValue, c.objects...)
			if r := verify.Verify(out, w.policy()); r.Verdict != c.want {
				t.Errorf("%s %s\n%s", r.Verdict, r.Sub, verify.Text(r, locale.English))
			}
		})
	}
	t.Run("the right to add a field is the document timestamp's alone", func(t *testing.T) {
		out := appended(t, doc, catalog, object{newField, strings.Replace(hidden, "/V 13 0 R", "", 1)})
		if r := verify.Verify(out, w.policy()); r.Verdict != verify.Failed {
			t.Errorf("an empty field: %s", r.Verdict)
		}
		other := newWorld(t, noon)
		if r := verify.Verify(other.stampWith(t, doc, newValue, catalog, field), w.policy()); r.Verdict == verify.Passed {
			t.Error("a timestamp of an authority that nobody trusts passes")
		}
	})
}

func TestValidationDataBringsNothingButItself(t *testing.T) {
	w := newWorld(t, noon)
	// The page's content and the store share an object: a trap that was laid before signing.
	base := pdftest.File(
		"<</Type/Catalog/Pages 2 0 R/AcroForm<</SigFlags 3/Fields[8 0 R]>>/DSS 6 0 R>>",
		"<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>/Contents 7 0 R/Annots[8 0 R]>>",
		"<</Length 5>>\nstream\n0 0 m\nendstream", "<</Length 5>>\nstream\n1 1 m\nendstream",
		"<</Type/DSS/Certs 7 0 R/OCSPs 9 0 R>>", "[4 0 R]",
		"<</Type/Annot/Subtype/Widget/FT/Sig/T(seal)/F 132/Rect[72 100 172 200]/P 3 0 R>>", "[]")
	doc := w.sign(base, "seal", w.seal, w.tsa)
	cert := "<</Length 1>>\nstream\nx\nendstream"
	for _, c := range []struct {
		name    string
		objects []object
		want    verify.Verdict
	}{
		{"the list that is also the page's content", []object{{7, "[5 0 R]"}}, verify.Failed},
		{"the store with another list", []object{{6, "<</Type/DSS/Certs 7 0 R/OCSPs[12 0 R]>>"}, {12, cert}}, verify.Failed}, // the store is tied to the trap
		{"the page's content", []object{{4, "<</Length 5>>\nstream\n2 2 m\nendstream"}}, verify.Failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := w.stampOver(appended(t, doc, c.objects...), "t")
			if r := verify.Verify(out, w.policy()); r.Verdict != c.want {
				t.Errorf("%s %s\n%s", r.Verdict, r.Sub, verify.Text(r, locale.English))
			}
		})
	}
	t.Run("a store that others write again in its place", func(t *testing.T) {
		doc := w.sign(pdftest.Base("seal"), "seal", w.seal, w.tsa)
		catalog := strings.Replace(body(t, doc, 1), "/Type/Catalog", "/Type/Catalog/DSS 11 0 R", 1)
		doc = w.stampOver(appended(t, doc, object{1, catalog}, object{11, "<</Type/DSS/Certs 12 0 R>>"}, object{12, "[13 0 R]"}, object{13, cert}), "t")
		doc = appended(t, doc, object{11, "<</Type/DSS/Certs 12 0 R/OCSPs[20 0 R]>>"}, object{12, "[13 0 R 21 0 R]"}, object{20, cert}, object{21, cert})
		if r := verify.Verify(doc, w.policy()); r.Verdict != verify.Indeterminate || r.Changes != "unknown" {
			t.Errorf("uncovered: %s %s\n%s", r.Verdict, r.Sub, verify.Text(r, locale.English))
		}
		if r := verify.Verify(w.stampOver(doc, "t2"), w.policy()); r.Verdict != verify.Passed {
			t.Errorf("covered: %s %s\n%s", r.Verdict, r.Sub, verify.Text(r, locale.English))
		}
	})
}

func TestOurValidationDataHasOneForm(t *testing.T) {
	w := newWorld(t, noon)
	doc := w.raised(w.signed(1, w.tsa), signing.BLT)
	note := noteIn(doc)
	for name, change := range map[string]func([]byte) []byte{
		"a space more": func(d []byte) []byte { return bytes.Replace(d, []byte("<</Type/DSS"), []byte("<< Type/DSS"), 1) },
		"the identifier": func(d []byte) []byte {
			i := bytes.LastIndex(d, []byte("/ID[<")) + 40
			d[i] ^= 1
			return d
		},
		"a comment": func(d []byte) []byte { return bytes.Replace(d, []byte("data\n"), []byte("date\n"), 1) },
	} {
		changed := append(slices.Clone(doc[:note]), change(slices.Clone(doc[note:]))...)
		if bytes.Equal(changed, doc) {
			t.Fatalf("%s: nothing was changed", name)
		}
		if r := verify.Verify(changed, w.policy()); r.Verdict == verify.Passed {
			t.Errorf("%s: %s", name, verify.Text(r, locale.English))
		}
	}
}
