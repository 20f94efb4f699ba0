package verify

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"countersign/internal/locale"
	"countersign/signing/ca"
	"countersign/signing/cms"
	"countersign/signing/pdf"
	"countersign/signing/pdf/pdftest"
)

// object is one object of an update.
type object struct {
	num  int
	body string
}

// appended adds a well-formed revision with the given objects; trailer is added to its dictionary.
func appended(t *testing.T, doc []byte, trailer string, objects ...object) []byte {
	t.Helper()
	out := slices.Clone(doc)
	offsets := make(map[int]int)
	top := 0
	for _, o := range objects {
		offsets[o.num] = len(out)
		out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", o.num, o.body)
		top = max(top, o.num)
	}
	return closed(out, doc, offsets, top, trailer)
}

func closed(out, doc []byte, offsets map[int]int, top int, trailer string) []byte {
	f, err := pdf.Parse(doc)
	if err != nil {
		panic(err)
	}
	last := f.Revisions[len(f.Revisions)-1]
	xref := len(out)
	out = append(out, "xref\n"...)
	for num, at := range offsets {
		out = fmt.Appendf(out, "%d 1\n%010d 00000 n \n", num, at)
	}
	size := max(int(last.Trailer.Get("Size").Int), top+1)
	if trailer == "" {
		trailer = "/Root 1 0 R/ID[<00112233445566778899aabbccddeeff><00>]"
		if info := last.Trailer.Get("Info"); info.Kind == pdf.Reference {
			trailer += fmt.Sprintf("/Info %d 0 R", info.Int)
		}
	}
	return fmt.Appendf(out, "trailer\n<</Size %d%s/Prev %d>>\nstartxref\n%d\n%%%%EOF\n", size, trailer, last.Xref, xref)
}

// body returns an object's text as it stands.
func body(t *testing.T, doc []byte, num int) string {
	t.Helper()
	f := must[*pdf.File](t)(pdf.Parse(doc))
	o := must[pdf.Object](t)(f.Object(num, len(f.Revisions)-1))
	return string(doc[o.Value.Start : o.Span.End-len("\nendobj")])
}

// The object numbers of pdftest.Base with three fields and one signature on top.
const (
	catalogObject  = 1
	pageObject     = 3
	contentObject  = 4
	customerObject = 8
	clerkObject    = 9
	freeObject     = 13
)

func TestWhatIsAddedToASignedDocumentFails(t *testing.T) {
	w := newWorld(t)
	doc := w.sign(t, base(), "customer", w.customer, w.stamp)
	two := w.sign(t, doc, "clerk", w.clerk, nil)
	swap := func(num int, old, new string) object {
		b := body(t, doc, num)
		if !strings.Contains(b, old) {
			t.Fatalf("object %d lacks %q: %s", num, old, b)
		}
		return object{num, strings.Replace(b, old, new, 1)}
	}
	for _, c := range []struct {
		name   string
		doc    []byte
		reason string // of a change; "" when it is not about changes
	}{
		{"one byte is appended", append(slices.Clone(doc), 'x'), ""},
		{"a line end is appended", append(slices.Clone(doc), '\n'), ""},
		{"a comment is appended", append(slices.Clone(doc), "% hello\n"...), ""},
		{"a startxref to the first revision is appended", fmt.Appendf(slices.Clone(doc), "startxref\n%d\n%%%%EOF\n", bytes.Index(doc, []byte("xref\n0 "))), ""},
		{"the first revision's cross-reference is replaced", replacedXref(doc), ""},
		{"a locked field is filled", w.sign(t, w.sign(t, lockedBase(), "customer", w.customer, nil), "clerk", w.clerk, nil), reasonLocked},
		{"a second end is appended", append(slices.Clone(doc), "%%EOF\n"...), ""},
		{"an empty revision is appended", appended(t, doc, ""), reasonUnsigned},
		{"the page's content is replaced", appended(t, doc, "", swap(contentObject, "Work", "Play")), reasonChanged},
		{"a new object is added that nothing uses", appended(t, doc, "", object{freeObject, "(hello)"}), reasonAdded},
		{"the widget is moved", appended(t, doc, "", swap(customerObject, "/Rect[72 ", "/Rect[10 ")), reasonWidget},
		{"the widget gets another appearance", appended(t, doc, "", swap(customerObject, "/AP<</N 12 0 R>>", "/AP<</N 4 0 R>>")), reasonWidget},
		{"the widget is made hidden", appended(t, doc, "", swap(customerObject, "/F 132", "/F 130")), reasonWidget},
		{"the widget is moved to another page", appended(t, doc, "", swap(customerObject, "/P 3 0 R", "/P 2 0 R")), reasonWidget},
		{"the signature is taken out of its field", appended(t, doc, "", swap(customerObject, "/V 11 0 R", "")), ""},
		{"the catalog gets an action", appended(t, doc, "", swap(catalogObject, "/Type/Catalog", "/Type/Catalog/OpenAction[3 0 R/Fit]")), reasonCatalog},
		{"the form gets default resources", appended(t, doc, "", swap(catalogObject, "/SigFlags 3", "/SigFlags 3/NeedAppearances true")), reasonCatalog},
		{"the page gets an annotation", appended(t, doc, "", swap(pageObject, "/Annots[", "/Annots[13 0 R "), object{freeObject, "<</Type/Annot/Subtype/FreeText/Rect[0 0 9 9]/Contents(no)>>"}), reasonChanged},
		{"a field is added", appended(t, doc, "", swap(catalogObject, "/Fields[", "/Fields[13 0 R "), object{freeObject, "<</Type/Annot/Subtype/Widget/FT/Sig/T(new)/Rect[0 0 0 0]/P 3 0 R>>"}), reasonCatalog},
		{"an empty field is renamed", appended(t, doc, "", swap(clerkObject, "(clerk)", "(clirk)")), reasonWidget},
		{"the trailer names another root", appended(t, doc, "/Root 2 0 R"), ""},
		{"the trailer gets information", appended(t, doc, "/Root 1 0 R/ID[<00112233445566778899aabbccddeeff><00>]/Info 13 0 R", object{freeObject, "<</Title(x)>>"}), reasonTrailer},
		{"the first identifier changes", appended(t, doc, "/Root 1 0 R/ID[<01><00>]"), reasonTrailer},
		{"an object is deleted", freed(t, doc, contentObject), reasonFreed},
		{"a byte stands between two objects", stray(t, doc), reasonStray},
		{"a catalog of the same content, but no signature", appended(t, doc, "", object{catalogObject, body(t, doc, catalogObject)}), reasonUnsigned},
		{"the page's content is replaced after two signatures", appended(t, two, "", object{contentObject, "<</Length 0>>\nstream\n\nendstream"}), reasonChanged},
		{"the content is replaced before the second signature", w.sign(t, appended(t, doc, "", swap(contentObject, "Work", "Play")), "clerk", w.clerk, nil), reasonChanged},
		{"an empty field is moved before it is filled", w.sign(t, appended(t, doc, "", swap(clerkObject, "/Rect[182 ", "/Rect[10 ")), "clerk", w.clerk, nil), reasonWidget},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Verify(c.doc, w.policy())
			if r.Verdict != Failed || r.ExitCode() != 1 {
				t.Fatalf("verdict %s %s\n%s", r.Verdict, r.Sub, Text(r, locale.English))
			}
			if c.reason == "" {
				return
			}
			if r.Changes != "forbidden" {
				t.Errorf("changes %s", r.Changes)
			}
			if !slices.ContainsFunc(r.ChangeList, func(ch Change) bool { return ch.Reason == c.reason && !ch.Permitted }) {
				t.Errorf("no change for the reason %s in %+v", c.reason, r.ChangeList)
			}
		})
	}
}

// freed appends a revision that deletes an object.
func freed(t *testing.T, doc []byte, num int) []byte {
	out := appended(t, doc, "", object{num, "null"})
	i := bytes.LastIndex(out, []byte(" 00000 n"))
	out[i+7] = 'f'
	return out
}

// replacedXref points the page's content to another object, in the table itself.
func replacedXref(doc []byte) []byte {
	out := slices.Clone(doc)
	lines := bytes.Index(out, []byte("xref\n0 "))
	line := func(num int) []byte {
		at := lines + bytes.IndexByte(out[lines:], '\n') + 1
		at += bytes.IndexByte(out[at:], '\n') + 1 + 20*num
		return out[at : at+20]
	}
	copy(line(contentObject), line(5))
	return out
}

// lockedBase is a base whose customer field locks the clerk's.
func lockedBase() []byte {
	// The last object may grow without moving any other; only the table behind it moves.
	doc := bytes.Replace(base(), []byte("/FT/Sig/T(seal)"), []byte("/FT/Sig/T(customer)/Lock<</Type/SigFieldLock/Action/Include/Fields[(clerk)]>>"), 1)
	doc = bytes.Replace(doc, []byte("/FT/Sig/T(customer)/F"), []byte("/FT/Sig/T(seal    )/F"), 1)
	xref := bytes.LastIndex(doc, []byte("\nxref\n")) + 1
	i := bytes.LastIndex(doc, []byte("startxref\n"))
	return fmt.Appendf(slices.Clone(doc[:i]), "startxref\n%d\n%%%%EOF\n", xref)
}

// stray appends a revision with a byte that belongs to no object.
func stray(t *testing.T, doc []byte) []byte {
	return closed(append(slices.Clone(doc), "x\n"...), doc, nil, 0, "")
}

func TestBackgroundValidationDataIsNotCalledForbidden(t *testing.T) {
	w := newWorld(t)
	doc := w.sign(t, base(), "customer", w.customer, w.stamp)
	with := strings.Replace(body(t, doc, catalogObject), "/Type/Catalog", "/Type/Catalog/DSS 13 0 R", 1)
	dss := appended(t, doc, "", object{catalogObject, with}, object{13, "<</Type/DSS/Certs[14 0 R]>>"}, object{14, "<</Length 1>>\nstream\nx\nendstream"})
	if r := Verify(dss, w.policy()); r.Verdict != Indeterminate || r.Changes != "unknown" {
		t.Errorf("uncovered: %s, changes %s\n%s", r.Verdict, r.Changes, Text(r, locale.English))
	}
	if r := Verify(w.sign(t, dss, "seal", w.seal, w.stamp), w.policy()); r.Verdict != Passed || r.Changes != "permitted" {
		t.Errorf("covered by a seal: %s, changes %s\n%s", r.Verdict, r.Changes, Text(r, locale.English))
	}
}

// forge fills the field with a message that make returns for the digest, in a document that edit may change first.
func forge(t *testing.T, edit func([]byte) []byte, make func(digest [32]byte) []byte) []byte {
	t.Helper()
	p := must[*pdf.Prepared](t)(pdf.Prepare(base(), pdf.Request{Field: "customer", At: noon, Room: 4096}))
	if edit == nil {
		return must[[]byte](t)(p.Finish(make(p.Digest())))
	}
	// Sign again over the edited bytes, so that only what edit did can make it fail.
	doc := edit(must[[]byte](t)(p.Finish([]byte{0x30, 0})))
	open := bytes.LastIndex(doc, []byte("/Contents<")) + len("/Contents")
	shut := open + bytes.IndexByte(doc[open:], '>') + 1
	der := make(sha256.Sum256(append(slices.Clone(doc[:open]), doc[shut:]...)))
	hex.Encode(doc[open+1:], der)
	return doc
}

func TestForgedSignaturesFail(t *testing.T) {
	w := newWorld(t)
	sign := func(s signer) func([32]byte) []byte {
		return func(d [32]byte) []byte { return must[[]byte](t)(cms.Sign(d, s.key, s.chain, nil)) }
	}
	good := sign(w.customer)
	ranges := func(change func(n []int) []int) func([]byte) []byte {
		return func(doc []byte) []byte { return ranged(t, doc, change) }
	}
	if r := Verify(forge(t, ranges(func(n []int) []int { return n }), good), w.policy()); r.Verdict != Passed {
		t.Fatalf("the forger's unchanged document is %s: %s", r.Verdict, Text(r, locale.English))
	}
	for _, c := range []struct {
		name string
		doc  []byte
		sub  string
	}{
		{"the second range ends early", forge(t, ranges(func(n []int) []int { n[3] -= 10; return n }), good), "FORMAT_FAILURE"},
		{"the second range begins late", forge(t, ranges(func(n []int) []int { n[2] += 5; n[3] -= 5; return n }), good), "FORMAT_FAILURE"},
		{"the first range ends early", forge(t, ranges(func(n []int) []int { n[1] -= 5; return n }), good), "FORMAT_FAILURE"},
		{"the first range does not begin at 0", forge(t, ranges(func(n []int) []int { n[0] = 1; return n }), good), "FORMAT_FAILURE"},
		{"the ranges overlap", forge(t, ranges(func(n []int) []int { n[2] = 100; return n }), good), "FORMAT_FAILURE"},
		{"there is one range", forge(t, ranges(func(n []int) []int { return n[:2] }), good), "FORMAT_FAILURE"},
		{"there are six numbers", forge(t, ranges(func(n []int) []int { return append(n, 1, 1) }), good), "FORMAT_FAILURE"},
		{"a number is negative", forge(t, ranges(func(n []int) []int { n[3] = -1; return n }), good), "FORMAT_FAILURE"},
		{"the numbers are huge", forge(t, ranges(func(n []int) []int { n[2], n[3] = 9999999999, 9999999999; return n }), good), "FORMAT_FAILURE"},
		{"the byte range is missing", forge(t, func(doc []byte) []byte { return bytes.Replace(doc, []byte("/ByteRange["), []byte("/BiteRange["), 1) }, good), "FORMAT_FAILURE"},
		{"the contents are an empty sequence", forge(t, func(d []byte) []byte { return d }, func(d [32]byte) []byte { return nil }), "FORMAT_FAILURE"},
		{"the hole is in upper case in part", caseOf(forge(t, nil, good), 1), "FORMAT_FAILURE"},
		{"the padding is not zero", padded(forge(t, nil, good)), "FORMAT_FAILURE"},
		{"the digest is another's", forge(t, nil, func([32]byte) []byte { return good([32]byte{1}) }), "HASH_FAILURE"},
		{"the certificate is another's with the same issuer and serial", forge(t, nil, func(d [32]byte) []byte {
			other := signer{w.customer.key, slices.Clone(w.customer.chain)}
			twin := *other.chain[0]
			twin.Raw = bytes.Replace(twin.Raw, []byte("0010****0018"), []byte("0010****9999"), 1)
			return bytes.Replace(good(d), w.customer.chain[0].Raw, twin.Raw, 1)
		}), "SIG_CRYPTO_FAILURE"},
		{"the signature value is the other of the two", forge(t, nil, func(d [32]byte) []byte { return highS(good(d)) }), "FORMAT_FAILURE"},
		{"the timestamp is about another signature", forge(t, nil, func(d [32]byte) []byte {
			return must[[]byte](t)(cms.Sign(d, w.customer.key, w.customer.chain, func([]byte) ([]byte, error) { return w.stamp([]byte("other")) }))
		}), "SIG_CRYPTO_FAILURE"},
		{"the timestamp is signed by a seal", forge(t, nil, func(d [32]byte) []byte {
			return must[[]byte](t)(cms.Sign(d, w.customer.key, w.customer.chain, func(sig []byte) ([]byte, error) {
				m := must[*cms.Message](t)(cms.Parse(must[[]byte](t)(w.stamp(sig))))
				return cms.SignContent(cms.TSTInfo, m.Content, w.seal.key, w.seal.chain)
			}))
		}), "SIG_CRYPTO_FAILURE"},
		{"the timestamp's container was changed outside its signature", forge(t, nil, func(d [32]byte) []byte {
			return must[[]byte](t)(cms.Sign(d, w.customer.key, w.customer.chain, func(sig []byte) ([]byte, error) {
				return highS(must[[]byte](t)(w.stamp(sig))), nil
			}))
		}), "FORMAT_FAILURE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if r := Verify(c.doc, w.policy()); r.Verdict != Failed || r.Sub != c.sub {
				t.Errorf("%s %s, want FAILED %s\n%s", r.Verdict, r.Sub, c.sub, Text(r, locale.English))
			}
		})
	}
}

// ranged changes the numbers of the byte range.
func ranged(t *testing.T, doc []byte, change func(n []int) []int) []byte {
	t.Helper()
	i := bytes.LastIndex(doc, []byte("/ByteRange[")) + len("/ByteRange[")
	j := i + bytes.IndexByte(doc[i:], ']')
	var n []int
	for _, f := range strings.Fields(string(doc[i:j])) {
		n = append(n, must[int](t)(strconv.Atoi(f)))
	}
	var text string
	for _, v := range change(n) {
		text += strconv.Itoa(v) + " "
	}
	text = strings.TrimSpace(text) + "]"
	end := bytes.LastIndex(doc, []byte("/Contents<"))
	copy(doc[i:], text+strings.Repeat(" ", end-i-len(text)))
	return doc
}

// caseOf turns the first count letters of the hole into capitals.
func caseOf(doc []byte, count int) []byte {
	i := bytes.LastIndex(doc, []byte("/Contents<")) + len("/Contents<")
	for ; count > 0 && doc[i] != '>'; i++ {
		if doc[i] >= 'a' && doc[i] <= 'f' {
			doc[i] -= 'a' - 'A'
			count--
		}
	}
	return doc
}

func padded(doc []byte) []byte {
	i := bytes.LastIndex(doc, []byte("/Contents<"))
	doc[i+bytes.IndexByte(doc[i:], '>')-1] = '1'
	return doc
}

func TestCertificatesForOtherPurposesDoNotSign(t *testing.T) {
	w := newWorld(t)
	k := newKey(t)
	server := signer{k, must[[]*x509.Certificate](t)(w.issuing.IssueServer(k.Public(), []string{"counter.example"}, time.Hour))}
	if r := Verify(w.sign(t, base(), "customer", server, nil), w.policy()); r.Verdict == Passed || r.Sub != "CHAIN_CONSTRAINTS_FAILURE" {
		t.Errorf("a server's certificate: %s %s", r.Verdict, r.Sub)
	}
	below := signer{w.customer.key, w.customer.chain[:1]}
	if r := Verify(w.sign(t, base(), "customer", below, nil), w.policy()); r.Verdict != Indeterminate || r.Sub != "NO_CERTIFICATE_CHAIN_FOUND" {
		t.Errorf("a missing link: %s %s", r.Verdict, r.Sub)
	}
}

func TestASignatureDictionaryThatNoFieldHoldsFails(t *testing.T) {
	w := newWorld(t)
	doc := w.sign(t, base(), "customer", w.customer, nil)
	f := must[*pdf.File](t)(pdf.Parse(doc))
	value := body(t, doc, 11)
	objects := []string{"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[]/Count 0>>", value}
	if r := Verify(pdftest.File(objects...), w.policy()); r.Verdict != Failed || r.Problem != orphanProblem.code {
		t.Errorf("%s %s", r.Verdict, r.Problem)
	}
	if len(f.Revisions) != 2 {
		t.Errorf("%d revisions", len(f.Revisions))
	}
}

func TestTwoFieldsOfOneNameFail(t *testing.T) {
	w := newWorld(t)
	doc := w.sign(t, base(), "customer", w.customer, nil)
	twin := strings.Replace(body(t, doc, clerkObject), "(clerk)", "(customer)", 1)
	if r := Verify(appended(t, doc, "", object{clerkObject, twin}), w.policy()); r.Verdict != Failed {
		t.Errorf("%s", r.Verdict)
	}
}

// opensslMessage makes a CMS signature as other programs do: with signing time, the root embedded, in upper case if asked.
func opensslMessage(t *testing.T, w *world, signed []byte, args ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	cert := write(t, dir, "cert.pem", ca.PEM(w.seal.chain[0]))
	chain := write(t, dir, "chain.pem", ca.PEM(append(w.seal.chain[1:], w.root.Certificate)...))
	key := write(t, dir, "key.pem", keyPEM(t, w.seal.key))
	content := write(t, dir, "content", signed)
	out := dir + "/out.der"
	args = append([]string{"cms", "-sign", "-binary", "-md", "sha256", "-signer", cert, "-inkey", key, "-certfile", chain, "-in", content, "-outform", "DER", "-out", out}, args...)
	if msg, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
		t.Fatalf("openssl: %v\n%s", err, msg)
	}
	return must[[]byte](t)(os.ReadFile(out))
}

func TestSignaturesByOtherProgramsAreJudged(t *testing.T) {
	w := newWorldAt(t, time.Now())
	policy := Policy{Roots: w.policy().Roots, At: time.Now()}
	finish := func(change func([]byte) []byte, args ...string) []byte {
		p := must[*pdf.Prepared](t)(pdf.Prepare(base(), pdf.Request{Field: "seal", At: w.clock.Now()}))
		return must[[]byte](t)(p.Finish(change(opensslMessage(t, w, p.Signed(), args...))))
	}
	same := func(b []byte) []byte { return b }
	// Our mark in the certificate makes everything strict, so a foreign encoding under it was tampered with.
	if r := Verify(finish(same, "-cades"), policy); r.Verdict != Failed || r.Problem != encodingProblem.code {
		t.Errorf("our certificate in another's message: %s %s", r.Verdict, r.Problem)
	}
	w.seal.chain = append(foreignSeal(t, w), w.seal.chain[1:]...)
	if r := Verify(finish(same, "-cades"), policy); r.Verdict != Passed || r.Integrity != "intact" || !r.Trusted || !slices.Contains(r.Limits, limitBaseline) {
		t.Errorf("another's certificate and message: %s %s %s\n%s", r.Verdict, r.Sub, r.Integrity, Text(r, locale.English))
	}
	if r := Verify(finish(same), policy); r.Verdict != Indeterminate || r.Sub != "SIG_CONSTRAINTS_FAILURE" || r.Integrity != "intact" || r.Signatures[0].Level != "" {
		t.Errorf("plain CMS: %s\n%s", r.Verdict, Text(r, locale.English))
	}
	if r := Verify(finish(same, "-cades", "-md", "sha1"), policy); r.Verdict == Passed {
		t.Errorf("SHA-1 passes")
	}
	if r := Verify(finish(same, "-cades", "-nodetach"), policy); r.Verdict != Failed {
		t.Errorf("content in the message: %s", r.Verdict)
	}
	two := finish(func(der []byte) []byte { return twoSigners(der) }, "-cades")
	if r := Verify(two, policy); r.Verdict != Failed || r.Sub != "FORMAT_FAILURE" {
		t.Errorf("two signers: %s %s", r.Verdict, r.Sub)
	}
}

func TestADocumentTimestampIsJudged(t *testing.T) {
	w := newWorld(t)
	doc := w.sign(t, base(), "customer", w.customer, w.stamp)
	stamped := func(message func(signed []byte) []byte) []byte {
		p := must[*pdf.Prepared](t)(pdf.Prepare(doc, pdf.Request{Field: "seal", At: noon, Room: 4096}))
		out := must[[]byte](t)(p.Finish([]byte{0x30, 0}))
		i := bytes.LastIndex(out, []byte("/SubFilter/ETSI.CAdES.detached"))
		copy(out[i:], "/SubFilter/ETSI.RFC3161       ")
		open := bytes.LastIndex(out, []byte("/Contents<")) + len("/Contents")
		shut := open + bytes.IndexByte(out[open:], '>') + 1
		token := must[[]byte](t)(w.stamp(message(append(slices.Clone(out[:open]), out[shut:]...))))
		hex.Encode(out[open+1:], token)
		return out
	}
	r := Verify(stamped(func(signed []byte) []byte { return signed }), w.policy())
	if s := r.Signatures[1]; r.Verdict != Passed || s.Kind != "timestamp" || s.Timestamp.Status != "valid" || !s.ProvenTime.Equal(noon) || len(s.Chain) != 3 {
		t.Errorf("%+v\n%s", s, Text(r, locale.English))
	}
	if r := Verify(stamped(func(signed []byte) []byte { return signed[1:] }), w.policy()); r.Verdict != Failed {
		t.Errorf("about other bytes: %s", r.Verdict)
	}
}

func TestOtherReadersAcceptALockedField(t *testing.T) {
	w := newWorldAt(t, time.Now())
	dir := t.TempDir()
	doc := w.sign(t, w.sign(t, lockedBase(), "customer", w.customer, nil), "seal    ", w.seal, w.stamp)
	if r := Verify(doc, Policy{Roots: w.policy().Roots, At: time.Now()}); r.Verdict != Passed {
		t.Errorf("%s", Text(r, locale.English))
	}
	path := write(t, dir, "locked.pdf", doc)
	run(t, "qpdf", "--check", path)
	if out := run(t, "pdfsig", "-nssdir", "sql:"+trustStore(t, dir, w), path); strings.Count(out, "Signature is Valid.") != 2 {
		t.Errorf("%s", out)
	}
}
