package verify

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"countersign/signing/cms"
	"countersign/signing/pdf/pdftest"
)

// stranger returns a signer whose certificate is none of ours: it has no mark, only a root that is trusted.
func (w *world) stranger(tb testing.TB) signer {
	tb.Helper()
	k := newKey(tb)
	der := must[[]byte](tb)(x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(78), Subject: pkix.Name{CommonName: "A stranger"}, KeyUsage: x509.KeyUsageDigitalSignature,
		NotBefore: w.clock.Now().Add(-time.Hour), NotAfter: w.clock.Now().Add(365 * 24 * time.Hour),
	}, w.issuing.Certificate, k.Public(), w.issuing.Key()))
	return signer{k, append([]*x509.Certificate{must[*x509.Certificate](tb)(x509.ParseCertificate(der))}, w.issuing.Certificate)}
}

// dictionary is a signature dictionary without its value.
func dictionary(more string) string {
	return "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/adbe.pkcs7.detached" + more + "/ByteRange[0 0000000000 0000000000 0000000000]/Contents<" + strings.Repeat("0", 8192) + ">>>"
}

// certification is what makes a signature one that certifies.
func certification(p int) string {
	return fmt.Sprintf("/Reference[<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/P %d/V/1.2>>>>]", p)
}

// signed appends a revision as another program would, and signs it: one of the objects is a dictionary.
func (w *world) signed(t *testing.T, doc []byte, s signer, objects ...object) []byte {
	t.Helper()
	return closeHole(t, appended(t, doc, "", objects...), func(content []byte) []byte {
		return must[[]byte](t)(cms.Sign(sha256.Sum256(content), s.key, s.chain, nil))
	})
}

// closeHole fills the last hole of a document.
func closeHole(t *testing.T, out []byte, sign func(content []byte) []byte) []byte {
	t.Helper()
	open := bytes.LastIndex(out, []byte("/Contents<")) + len("/Contents")
	shut := open + bytes.IndexByte(out[open:], '>') + 1
	i := bytes.LastIndex(out, []byte("/ByteRange[")) + len("/ByteRange[")
	copy(out[i:], fmt.Sprintf("0 %010d %010d %010d", open, shut, len(out)-shut))
	der := sign(bytes.Join([][]byte{out[:open], out[shut:]}, nil))
	hex.Encode(out[open+1:], der)
	return out
}

// The object numbers of form.
const (
	formCatalog = 1
	formPages   = 2
	formPage    = 3
	formContent = 4
	formFont    = 5
	formText    = 6
	formCheck   = 7
	formLook    = 8
	formOn      = 9
	formInfo    = 10
	formMeta    = 11
	formNext    = 12
)

// form returns a document by others: a text field, a check box, document information and metadata, and no signature field.
func form() []byte {
	stream := func(dict, data string) string {
		return fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", dict, len(data), data)
	}
	doc := pdftest.File(
		"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R 7 0 R]/DA(/F1 10 Tf)/DR<</Font<</F1 5 0 R>>>>>>/Metadata 11 0 R>>",
		"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 595 842]>>",
		"<</Type/Page/Parent 2 0 R/Resources<</Font<</F1 5 0 R>>>>/Contents[4 0 R 90 0 R]/Annots[6 0 R 7 0 R]>>",
		stream("", "BT /F1 12 Tf 72 760 Td (Pay to Anna) Tj ET"),
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
		"<</Type/Annot/Subtype/Widget/FT/Tx/T(amount)/V(100)/Rect[50 500 250 520]/P 3 0 R/AP<</N 8 0 R>>>>",
		"<</Type/Annot/Subtype/Widget/FT/Btn/T(agreed)/V/Off/AS/Off/Rect[50 400 70 420]/P 3 0 R/AP<</N<</Yes 9 0 R>>>>>>",
		stream("/Type/XObject/Subtype/Form/BBox[0 0 200 20]", "/Tx BMC BT /F1 10 Tf (100) Tj ET EMC"),
		stream("/Type/XObject/Subtype/Form/BBox[0 0 20 20]", "q BT (x) Tj ET Q"),
		"<</Title(Order)/Producer(P)/ModDate(D:20260101000000Z)>>",
		stream("/Type/Metadata/Subtype/XML", meta("Order", "2026-01-01")),
	)
	return bytes.Replace(doc, []byte("/Root 1 0 R"), []byte("/Root 1 0 R/Info 10 0 R"), 1)
}

func meta(title, modified string) string {
	return `<?xpacket begin="" id="x"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="r"><rdf:Description xmlns:dc="d" xmlns:xmp="p" xmp:ModifyDate="` +
		modified + `"><dc:title>` + title + `</dc:title></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`
}

// changedIn returns an object of doc with a part of its text replaced.
func changedIn(t *testing.T, doc []byte, num int, old, new string) object {
	t.Helper()
	b := body(t, doc, num)
	if !strings.Contains(b, old) {
		t.Fatalf("object %d lacks %q: %s", num, old, b)
	}
	return object{num, strings.Replace(b, old, new, 1)}
}

// first signs the form: an invisible field with its value, added as other programs do. more goes into the dictionary.
func (w *world) first(t *testing.T, doc []byte, s signer, more string) []byte {
	t.Helper()
	return w.signed(t, doc, s,
		changedIn(t, doc, formCatalog, "7 0 R]", "7 0 R 12 0 R]"),
		changedIn(t, doc, formPage, "7 0 R]", "7 0 R 12 0 R]"),
		object{12, "<</Type/Annot/Subtype/Widget/FT/Sig/T(one)/F 132/Rect[0 0 0 0]/P 3 0 R/V 13 0 R>>"},
		object{13, dictionary(more)},
	)
}

// next returns the objects of a second signature with the given widget, which begins with its /Rect.
func next(t *testing.T, doc []byte, widget string, more string) []object {
	t.Helper()
	return []object{
		changedIn(t, doc, formCatalog, "12 0 R]", "12 0 R 14 0 R]"),
		changedIn(t, doc, formPage, "12 0 R]", "12 0 R 14 0 R]"),
		{14, "<</Type/Annot/Subtype/Widget/FT/Sig/T(two)/F 132/P 3 0 R/V 15 0 R" + widget + ">>"},
		{15, dictionary(more)},
		{16, "<</Type/XObject/Subtype/Form/BBox[0 0 100 50]/Length 4>>\nstream\n0 0 \nendstream"},
	}
}

const seenWidget = "/Rect[300 700 400 750]/AP<</N 16 0 R>>"

func look(text string) string {
	data := "/Tx BMC BT /F1 10 Tf (" + text + ") Tj ET EMC"
	return fmt.Sprintf("<</Type/XObject/Subtype/Form/BBox[0 0 200 20]/Length %d>>\nstream\n%s\nendstream", len(data), data)
}

func restreamed(num int, dict, data string) object {
	return object{num, fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", dict, len(data), data)}
}

// plainTrailer is what appended writes by itself.
const plainTrailer = "/Root 1 0 R/ID[<00112233445566778899aabbccddeeff><00>]"
