package verify

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"countersign/internal/locale"
	"countersign/signing/ca"
)

func TestWhatOtherProgramsMayDoAfterASignatureIsPermitted(t *testing.T) {
	w := newWorld(t)
	s := w.stranger(t)
	one := w.first(t, form(), s, "")
	two := w.first(t, form(), s, certification(2))
	der := hex.EncodeToString(w.root.Certificate.Raw)
	dss := []object{
		changedIn(t, one, formCatalog, "/Type/Catalog", "/Type/Catalog/DSS 14 0 R/Extensions<</ESIC<</BaseVersion/1.7/ExtensionLevel 5>>>>"),
		{14, "<</Type/DSS/Certs[15 0 R]/VRI<</00<</Cert[15 0 R]/TU(D:2026)>>>>>>"},
		{15, fmt.Sprintf("<</Filter/ASCIIHexDecode/Length %d>>\nstream\n%s>\nendstream", len(der)+1, der)},
	}
	dss[2] = restreamed(15, "", string(w.root.Certificate.Raw))
	later := next(t, one, seenWidget, "")
	for name, doc := range map[string][]byte{
		"one signature":                        one,
		"a later signature that is seen":       w.signed(t, one, s, later...),
		"a later signature that is not seen":   w.signed(t, two, s, next(t, two, "/Rect[0 0 0 0]", "")...),
		"a later signature and a note of time": w.signed(t, one, s, append(later, changedIn(t, one, formInfo, "D:20260101", "D:20270101"), restreamed(formMeta, "/Type/Metadata/Subtype/XML", meta("Order", "2027-01-01")))...),
		"validation data":                      appended(t, one, "", dss...),
		"a filled text field":                  appended(t, two, "", changedIn(t, two, formText, "(100)", "(250)"), object{formLook, look("250")}),
		"a text field with a new look":         appended(t, two, "", object{formText, "<</Type/Annot/Subtype/Widget/FT/Tx/T(amount)/V(2 50)/Rect[50 500 250 520]/P 3 0 R/AP<</N 14 0 R>>>>"}, object{14, look("2 50")}),
		"a checked box":                        appended(t, two, "", object{formCheck, strings.Replace(strings.Replace(body(t, two, formCheck), "/V/Off", "/V/Yes", 1), "/AS/Off", "/AS/Yes", 1)}),
	} {
		r := Verify(doc, w.policy())
		want := "permitted"
		if name == "one signature" {
			want = "none"
		}
		if r.Verdict != Passed || r.Changes != want || r.Integrity != "intact" {
			t.Errorf("%s: %s %s, changes %s\n%s", name, r.Verdict, r.Sub, r.Changes, Text(r, locale.English))
		}
		if r := Verify(doc, Policy{At: noon}); r.Verdict != Indeterminate || r.Sub != "NO_CERTIFICATE_CHAIN_FOUND" || r.Integrity != "intact" || r.Changes != want {
			t.Errorf("%s, nobody trusted: %s %s, %s, changes %s", name, r.Verdict, r.Sub, r.Integrity, r.Changes)
		}
	}
}

func TestAttacksOnDocumentsOfOthersAreNamed(t *testing.T) {
	w := newWorld(t)
	s := w.stranger(t)
	one := w.first(t, form(), s, "")
	locked := w.first(t, form(), s, strings.Replace(certification(2), "]", "<</TransformMethod/FieldMDP/TransformParams<</Action/Include/Fields[(amount)]>>>>]", 1))
	cert := [4][]byte{1: w.first(t, form(), s, certification(1)), 2: w.first(t, form(), s, certification(2)), 3: w.first(t, form(), s, certification(3))}
	root := func(doc []byte, add string) object {
		return changedIn(t, doc, formCatalog, "/Type/Catalog", "/Type/Catalog"+add)
	}
	// Each attack comes by itself, and under the cover of a second signature of the attacker's.
	covered := func(doc []byte, objects ...object) []byte {
		all := next(t, doc, "/Rect[0 0 0 0]", "")
		for _, o := range objects {
			if i := slices.IndexFunc(all, func(a object) bool { return a.num == o.num }); i >= 0 && o.num == formCatalog {
				o.body = strings.Replace(o.body, "12 0 R]", "12 0 R 14 0 R]", 1)
				all[i] = o
			} else if i >= 0 && o.num == formPage {
				o.body = strings.Replace(o.body, "12 0 R", "12 0 R 14 0 R", 1)
				all[i] = o
			} else {
				all = append(all, o)
			}
		}
		return w.signed(t, doc, s, all...)
	}
	for _, c := range []struct {
		name    string
		doc     []byte
		objects []object
		reason  string // "" when any will do
	}{
		{"the page's text is replaced", one, []object{restreamed(formContent, "", "BT (Pay to Eve) Tj ET")}, reasonChanged},
		{"the font is replaced", one, []object{changedIn(t, one, formFont, "Helvetica", "Symbol")}, reasonChanged},
		{"the page's resources are replaced", one, []object{changedIn(t, one, formPage, "/F1 5 0 R", "/F1 30 0 R"), {30, "<</Type/Font/Subtype/Type1/BaseFont/Symbol>>"}}, reasonChanged},
		{"an inherited attribute changes", one, []object{changedIn(t, one, formPages, "595", "300")}, reasonChanged},
		{"a page is added", one, []object{changedIn(t, one, formPages, "[3 0 R]/Count 1", "[3 0 R 30 0 R]/Count 2"), {30, "<</Type/Page/Parent 2 0 R>>"}}, reasonChanged},
		{"a page is removed", one, []object{changedIn(t, one, formPages, "[3 0 R]/Count 1", "[]/Count 0")}, reasonChanged},
		{"an annotation is added", cert[3], []object{changedIn(t, cert[3], formPage, "12 0 R]", "12 0 R 30 0 R]"), {30, "<</Type/Annot/Subtype/FreeText/Rect[0 0 500 800]/Contents(Eve)>>"}}, reasonChanged},
		{"a prepared hidden object comes alive", one, []object{restreamed(90, "", "BT (and Eve) Tj ET")}, reasonAdded},
		{"an action is added", one, []object{root(one, "/OpenAction<</S/JavaScript/JS(app.alert(1))>>")}, reasonCatalog},
		{"additional actions are added", one, []object{root(one, "/AA<</WC<</S/JavaScript/JS(1)>>>>")}, reasonCatalog},
		{"names are added", one, []object{root(one, "/Names<</JavaScript<</Names[(a)<</S/JavaScript/JS(1)>>]>>>>")}, reasonCatalog},
		{"optional content is added", one, []object{root(one, "/OCProperties<</OCGs[30 0 R]/D<<>>>>"), {30, "<</Type/OCG/Name(x)>>"}}, reasonCatalog},
		{"permissions are added", one, []object{root(one, "/Perms<</DocMDP 13 0 R>>")}, reasonCatalog},
		{"the form's look changes", one, []object{changedIn(t, one, formCatalog, "/DA(/F1 10 Tf)", "/DA(/F1 90 Tf)")}, reasonCatalog},
		{"readers are told to draw the form anew", one, []object{changedIn(t, one, formCatalog, "/AcroForm<<", "/AcroForm<</NeedAppearances true")}, reasonCatalog},
		{"the form's font is replaced", one, []object{changedIn(t, one, formCatalog, "/F1 5 0 R", "/F1 30 0 R"), {30, "<</Type/Font>>"}}, reasonCatalog},
		{"an XFA form is added", one, []object{changedIn(t, one, formCatalog, "/AcroForm<<", "/AcroForm<</XFA(x)")}, reasonCatalog},
		{"the title changes", one, []object{changedIn(t, one, formInfo, "(Order)", "(Other)")}, reasonChanged},
		{"the metadata's title changes", one, []object{restreamed(formMeta, "/Type/Metadata/Subtype/XML", meta("Other", "2026-01-01"))}, reasonChanged},
		{"the reason for signing changes", one, []object{{13, strings.Replace(body(t, one, 13), "/Type/Sig", "/Type/Sig/Reason(I agree)", 1)}}, ""},
		{"the signed widget moves", one, []object{changedIn(t, one, 12, "/Rect[0 0 0 0]", "/Rect[0 0 9 9]")}, reasonWidget},
		{"the signed widget gets a look", one, []object{changedIn(t, one, 12, "/F 132", "/F 132/AP<</N 8 0 R>>")}, reasonWidget},
		{"the signed field gets another name", one, []object{changedIn(t, one, 12, "(one)", "(uno)")}, reasonWidget},
		{"the signed field gets a second widget", one, []object{changedIn(t, one, 12, "/F 132", "/F 132/Kids[30 0 R]"), {30, "<</Type/Annot/Subtype/Widget/Parent 12 0 R/Rect[0 0 500 500]/AP<</N 8 0 R>>>>"}}, reasonWidget},
		{"a field of the signed name is added", one, []object{changedIn(t, one, formCatalog, "12 0 R]", "12 0 R 30 0 R]"), {30, "<</FT/Sig/T(one)/V 13 0 R>>"}}, ""},
		{"an object gets another generation", one, nil, ""},
		{"a text field is filled without a certification", one, []object{changedIn(t, one, formText, "(100)", "(250)"), {formLook, look("250")}}, reasonWidget},
		{"a text field is filled though nothing may change", cert[1], []object{changedIn(t, cert[1], formText, "(100)", "(250)"), {formLook, look("250")}}, reasonWidget},
		{"a locked field is filled", locked, []object{changedIn(t, locked, formText, "(100)", "(250)"), {formLook, look("250")}}, reasonWidget},
		{"a text field keeps its value and shows another", cert[2], []object{{formLook, look("900")}}, reasonChanged},
		{"a text field gets a value and shows another", cert[2], []object{changedIn(t, cert[2], formText, "(100)", "(250)"), {formLook, look("900")}}, reasonShows},
		{"a text field gets a value and shows the old one", cert[2], []object{changedIn(t, cert[2], formText, "(100)", "(250)")}, reasonShows},
		{"a text field shows a picture", cert[2], []object{changedIn(t, cert[2], formText, "(100)", "(250)"), restreamed(formLook, "/Subtype/Form/Resources<</XObject<</X 30 0 R>>>>", "BT (250) Tj ET /X Do")}, ""},
		{"a text field grows", cert[2], []object{changedIn(t, cert[2], formText, "/Rect[50 500 250 520]", "/Rect[0 0 595 842]")}, reasonWidget},
		{"a check box is drawn anew", cert[2], []object{restreamed(formOn, "/Subtype/Form/BBox[0 0 900 900]", "BT (Eve) Tj ET")}, reasonChanged},
		{"validation data holds no certificates", one, []object{root(one, "/DSS 30 0 R"), {30, "<</Certs[31 0 R]>>"}, restreamed(31, "", "not DER")}, reasonCatalog},
		{"validation data takes the place of a page's text", one, []object{root(one, "/DSS 30 0 R"), {30, "<</Certs[4 0 R]>>"}, restreamed(formContent, "", string(w.root.Certificate.Raw))}, ""},
		{"validation data takes the place of a font", one, []object{root(one, "/DSS 5 0 R"), {formFont, "<</Type/DSS>>"}}, ""},
		{"an extension holds more than a version", one, []object{root(one, "/Extensions<</X<</JS 30 0 R>>>>"), {30, "<</S/JavaScript>>"}}, reasonCatalog},
	} {
		if c.name == "an object gets another generation" {
			out := appended(t, one, "", restreamed(formContent, "", "BT (Pay to Eve) Tj ET"))
			out = []byte(strings.Replace(string(out), "4 0 obj\n<</Length 21>>", "4 1 obj\n<</Length 21>>", 1))
			out = []byte(strings.Replace(string(out), " 00000 n \ntrailer\n<</Size 14/Root 1 0 R/ID[<00112233445566778899aabbccddeeff><00>]/Prev", " 00001 n \ntrailer\n<</Size 14/Root 1 0 R/ID[<00112233445566778899aabbccddeeff><00>]/Prev", 1))
			refused(t, w, c.name, out, c.reason)
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			refused(t, w, c.name, appended(t, c.doc, "", c.objects...), c.reason)
			refused(t, w, c.name+", signed again", covered(c.doc, c.objects...), "")
		})
	}
}

// refused demands that a document is not passed and not called unchanged, under whatever trust.
func refused(t *testing.T, w *world, name string, doc []byte, reason string) {
	t.Helper()
	for _, p := range []Policy{w.policy(), {At: noon}} {
		r := Verify(doc, p)
		if r.Verdict != Failed || r.Integrity == "intact" && r.Changes != "forbidden" {
			t.Errorf("%s: %s %s, %s, changes %s\n%s", name, r.Verdict, r.Sub, r.Integrity, r.Changes, Text(r, locale.English))
		}
		if reason != "" && !slices.ContainsFunc(r.ChangeList, func(c Change) bool { return !c.Permitted && c.Reason == reason }) {
			t.Errorf("%s: no change for the reason %s: %+v", name, reason, r.ChangeList)
		}
	}
}

func TestLaterSignaturesOfOthersMustNotHideAnything(t *testing.T) {
	w := newWorld(t)
	s := w.stranger(t)
	one, certified := w.first(t, form(), s, ""), w.first(t, form(), s, certification(2))
	with := func(doc []byte, widget string, more ...object) []byte {
		return w.signed(t, doc, s, append(next(t, doc, widget, ""), more...)...)
	}
	for name, c := range map[string]struct {
		doc    []byte
		reason string
	}{
		"seen in a certified document":       {with(certified, seenWidget), reasonCovers},
		"over a field":                       {with(one, "/Rect[60 490 300 530]/AP<</N 16 0 R>>"), reasonCovers},
		"over most of the page":              {with(one, "/Rect[0 0 595 400]/AP<</N 16 0 R>>"), reasonCovers},
		"with an action":                     {with(one, seenWidget+"/A<</S/JavaScript/JS(1)>>"), reasonNoField},
		"of a certified document's signer":   {with(w.first(t, form(), s, certification(1)), "/Rect[0 0 0 0]"), reasonCertified},
		"with the value of the one before":   {with(one, "/Rect[0 0 0 0]", object{13, dictionary("")}), ""},
		"with a look that was prepared":      {w.signed(t, one, s, append(next(t, one, "/Rect[300 700 400 750]/AP<</N 90 0 R>>", "")[:4], restreamed(90, "/Subtype/Form/BBox[0 0 9 9]", "BT (and Eve) Tj ET"))...), ""},
		"as a cross-reference's counterpart": {appended(t, one, plainTrailer+"/XRefStm 9"), ""},
	} {
		t.Run(name, func(t *testing.T) { refused(t, w, name, c.doc, c.reason) })
	}
	overlap := with(one, seenWidget)
	doc := w.signed(t, overlap, s,
		changedIn(t, overlap, formCatalog, "14 0 R]", "14 0 R 17 0 R]"), changedIn(t, overlap, formPage, "14 0 R]", "14 0 R 17 0 R]"),
		object{17, "<</Type/Annot/Subtype/Widget/FT/Sig/T(three)/F 132/P 3 0 R/V 18 0 R/Rect[310 700 390 740]/AP<</N 16 0 R>>>>"}, object{18, dictionary("")})
	refused(t, w, "over the signature before", doc, reasonCovers)
}

func TestForeignMessagesAreJudgedByWhatTheyProve(t *testing.T) {
	w := newWorldAt(t, noon)
	doc := form()
	objects := []object{
		changedIn(t, doc, formCatalog, "7 0 R]", "7 0 R 12 0 R]"),
		{12, "<</FT/Sig/T(one)/V 13 0 R>>"}, {13, dictionary("")},
	}
	s := w.stranger(t)
	dir := t.TempDir()
	cert := write(t, dir, "cert.pem", ca.PEM(s.chain[0]))
	key := write(t, dir, "key.pem", keyPEM(t, s.key))
	sign := func(subfilter string, args ...string) []byte {
		list := slices.Clone(objects)
		list[2].body = strings.Replace(list[2].body, "adbe.pkcs7.detached", subfilter, 1)
		return closeHole(t, appended(t, doc, "", list...), func(content []byte) []byte {
			file, out := write(t, dir, "content", content), dir+"/out.der"
			run(t, "openssl", append([]string{"cms", "-sign", "-binary", "-signer", cert, "-inkey", key, "-certfile", write(t, dir, "chain.pem", ca.PEM(w.issuing.Certificate)), "-in", file, "-outform", "DER", "-out", out}, args...)...)
			return must[[]byte](t)(os.ReadFile(out))
		})
	}
	for name, c := range map[string]struct {
		doc       []byte
		verdict   Verdict
		sub       string
		integrity string
	}{
		"as openssl writes it":            {sign("adbe.pkcs7.detached"), Passed, "", "intact"},
		"of indefinite length":            {indefinite(t, sign("adbe.pkcs7.detached")), Passed, "", "intact"},
		"of indefinite length, changed":   {flipped(indefinite(t, sign("adbe.pkcs7.detached"))), Failed, "HASH_FAILURE", "broken"},
		"of indefinite length, padded":    {padded(indefinite(t, sign("adbe.pkcs7.detached"))), Failed, "FORMAT_FAILURE", "broken"},
		"with content in pieces":          {sign("adbe.pkcs7.detached", "-stream"), Failed, "FORMAT_FAILURE", "broken"},
		"with SHA-384":                    {sign("adbe.pkcs7.detached", "-md", "sha384"), Passed, "", "intact"},
		"with SHA-512":                    {sign("adbe.pkcs7.detached", "-md", "sha512"), Passed, "", "intact"},
		"with the key's identifier":       {sign("adbe.pkcs7.detached", "-noattr"), Passed, "", "intact"},
		"PAdES with the certificate":      {sign("ETSI.CAdES.detached", "-cades"), Passed, "", "intact"},
		"PAdES without the certificate":   {sign("ETSI.CAdES.detached"), Indeterminate, "SIG_CONSTRAINTS_FAILURE", "intact"},
		"with SHA-1":                      {sign("adbe.pkcs7.detached", "-md", "sha1"), Indeterminate, "CRYPTO_CONSTRAINTS_FAILURE", "intact"},
		"with a hash that is not read":    {sign("adbe.pkcs7.detached", "-md", "sha224"), Indeterminate, "CRYPTO_CONSTRAINTS_FAILURE", "none"},
		"with its content":                {sign("adbe.pkcs7.detached", "-nodetach"), Failed, "FORMAT_FAILURE", "broken"},
		"of a kind that is not read":      {sign("Somebodys.own"), Indeterminate, "SIG_CONSTRAINTS_FAILURE", "none"},
		"changed, of a kind not read":     {flipped(sign("Somebodys.own")), Failed, "HASH_FAILURE", "broken"},
		"changed, by an unread hash":      {flipped(sign("adbe.pkcs7.detached", "-md", "sha224")), Indeterminate, "CRYPTO_CONSTRAINTS_FAILURE", "none"},
		"changed":                         {flipped(sign("adbe.pkcs7.detached")), Failed, "HASH_FAILURE", "broken"},
		"with a padding that is not zero": {padded(sign("adbe.pkcs7.detached")), Failed, "FORMAT_FAILURE", "broken"},
		"in capitals in part":             {caseOf(sign("adbe.pkcs7.detached"), 3), Failed, "FORMAT_FAILURE", "broken"},
		"in capitals":                     {caseOf(sign("adbe.pkcs7.detached"), 9999), Passed, "", "intact"},
	} {
		r := Verify(c.doc, w.policy())
		if r.Verdict != c.verdict || r.Sub != c.sub || r.Integrity != c.integrity {
			t.Errorf("%s: %s %s %s, want %s %s %s\n%s", name, r.Verdict, r.Sub, r.Integrity, c.verdict, c.sub, c.integrity, Text(r, locale.English))
		}
	}
}

// indefinite writes the message's outer elements with indefinite lengths, as PDFBox and others do.
func indefinite(t *testing.T, doc []byte) []byte {
	t.Helper()
	i := bytes.LastIndex(doc, []byte("/Contents<")) + len("/Contents<")
	hole := doc[i : i+bytes.IndexByte(doc[i:], '>')]
	der := must[[]byte](t)(hex.DecodeString(string(hole)))
	var outer, wrapped, data asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		t.Fatal(err)
	}
	id := must[[]byte](t)(asn1.Unmarshal(outer.Bytes, new(asn1.ObjectIdentifier)))
	head := outer.Bytes[:len(outer.Bytes)-len(id)]
	if _, err := asn1.Unmarshal(id, &wrapped); err != nil {
		t.Fatal(err)
	}
	if _, err := asn1.Unmarshal(wrapped.Bytes, &data); err != nil {
		t.Fatal(err)
	}
	ber := slices.Concat([]byte{0x30, 0x80}, head, []byte{0xa0, 0x80, 0x30, 0x80}, data.Bytes, make([]byte, 6))
	copy(hole, hex.EncodeToString(ber)+strings.Repeat("0", 64))
	return doc
}

// flipped changes one bit of the page's text.
func flipped(doc []byte) []byte {
	doc[bytes.Index(doc, []byte("Anna"))] ^= 1
	return doc
}

func TestTheReportSaysWhichListTheAuthorityWasIn(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	doc := w.first(t, form(), w.stranger(t), "")
	list := func(name string, w *world) List { return List{Name: name, Roots: w.policy().Roots} }
	for name, c := range map[string]struct {
		lists   []List
		only    string
		verdict Verdict
		list    string
	}{
		"no list":                     {nil, "", Indeterminate, ""},
		"in the second list":          {[]List{list("gov", other), list("banks", w)}, "", Passed, "banks"},
		"in the list that was asked":  {[]List{list("gov", w), list("banks", other)}, "gov", Passed, "gov"},
		"in another list than asked":  {[]List{list("gov", other), list("banks", w)}, "gov", Indeterminate, "banks"},
		"in no list, but trusted too": {[]List{list("gov", other)}, "gov", Indeterminate, ""},
	} {
		p := Policy{At: noon, Lists: c.lists, Only: c.only}
		if name == "in no list, but trusted too" {
			p.Roots = w.policy().Roots
		}
		r := Verify(doc, p)
		if r.Verdict != c.verdict || r.Signatures[0].List != c.list || r.Trusted != (c.verdict == Passed) {
			t.Errorf("%s: %s %s, list %q, trusted %v", name, r.Verdict, r.Sub, r.Signatures[0].List, r.Trusted)
		}
	}
}
