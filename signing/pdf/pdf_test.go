package pdf

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/signing/pdf/pdftest"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.FixedZone("+07", 7*60*60))

func mustParse(t *testing.T, data []byte) *File {
	t.Helper()
	f, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// filled fills a field with something that is no signature.
func filled(t *testing.T, doc []byte, r Request) []byte {
	t.Helper()
	if r.At.IsZero() {
		r.At = noon
	}
	p, err := Prepare(doc, r)
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Finish([]byte{0x30, 3, 2, 1, 5})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEachUpdateIsARevision(t *testing.T) {
	base := pdftest.Base("a", "b")
	one := filled(t, base, Request{Field: "a"})
	two := filled(t, one, Request{Field: "b", Appearance: &Appearance{Width: 10, Height: 5.5, Stream: []byte("0 0 m")}})
	f := mustParse(t, two)
	if len(f.Revisions) != 3 {
		t.Fatalf("%d revisions", len(f.Revisions))
	}
	for i, end := range []int{len(base), len(one), len(two)} {
		if r := f.Revisions[i]; r.Span.End != end || r.Marker != end-1 || len(r.Stray) != 0 {
			t.Errorf("revision %d ends at %d (marker %d), want %d; stray %v", i, r.Span.End, r.Marker, end, r.Stray)
		}
	}
	if !bytes.HasPrefix(two, one) || !bytes.HasPrefix(one, base) {
		t.Error("an update changed bytes before it")
	}
	for revision, want := range []string{"", "a", "a b"} {
		fields, err := f.Fields(revision)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, field := range fields {
			if field.Value.Kind == Dict {
				names = append(names, field.Name)
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("as of revision %d the filled fields are %q, want %q", revision, got, want)
		}
	}
}

func TestPrepareWritesWhatItWasAsked(t *testing.T) {
	doc := filled(t, pdftest.Base("a"), Request{Field: "a", Name: "Nguyễn Văn Ế 趙", Reason: `with (parens) and \`, Location: "Hà Nội", At: noon})
	fields, err := mustParse(t, doc).Fields(1)
	if err != nil {
		t.Fatal(err)
	}
	v := fields[0].Value
	for key, want := range map[string]string{"Name": "Nguyễn Văn Ế 趙", "Reason": `with (parens) and \`, "Location": "Hà Nội", "M": "D:20261121120000+07'00'"} {
		if got := v.Get(key).Text(); got != want {
			t.Errorf("/%s is %q, want %q", key, got, want)
		}
	}
	if got, ok := ParseDate(v.Get("M").Text()); !ok || !got.Equal(noon) {
		t.Errorf("the time reads as %v", got)
	}
	if !v.Get("SubFilter").Is("ETSI.CAdES.detached") {
		t.Errorf("subfilter %s", v.Get("SubFilter").Raw)
	}
	if hole := v.Get("Contents").Raw; len(hole) != 2*DefaultRoom+2 || !bytes.HasPrefix(hole, []byte("<3003020105000")) {
		t.Errorf("the hole has %d bytes and begins with %.20q", len(hole), hole)
	}
}

func TestPrepareRefuses(t *testing.T) {
	base := pdftest.Base("a", "b")
	one := filled(t, base, Request{Field: "a"})
	text := bytes.Replace(base, []byte("/FT/Sig/T(a)"), []byte("/FT/Tx /T(a)"), 1)
	twins := bytes.Replace(base, []byte("/T(b)"), []byte("/T(a)"), 1)
	for _, c := range []struct {
		name string
		doc  []byte
		r    Request
		want error
	}{
		{"a field that is not there", base, Request{Field: "c", At: noon}, ErrNoField},
		{"a field that is filled", one, Request{Field: "a", At: noon}, ErrFieldFilled},
		{"a field that is not for signatures", text, Request{Field: "a", At: noon}, ErrNoField},
		{"two fields of one name", twins, Request{Field: "a", At: noon}, nil},
		{"a time that is not given", base, Request{Field: "a"}, nil},
		{"room for nothing", base, Request{Field: "a", At: noon, Room: 10}, nil},
		{"too much room", base, Request{Field: "a", At: noon, Room: 1 << 20}, nil},
		{"no document", nil, Request{Field: "a", At: noon}, nil},
		{"a document that is cut off", base[:len(base)-10], Request{Field: "a", At: noon}, nil},
		{"a document with something behind it", append(bytes.Clone(base), "junk"...), Request{Field: "a", At: noon}, nil},
	} {
		p, err := Prepare(c.doc, c.r)
		if err == nil || p != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestFinishRefuses(t *testing.T) {
	prepared := func() *Prepared {
		p, err := Prepare(pdftest.Base("a"), Request{Field: "a", At: noon, Room: 600})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := prepared()
	if _, err := p.Finish(make([]byte, 601)); err == nil {
		t.Error("a signature that does not fit is taken")
	}
	if _, err := p.Finish(nil); err == nil {
		t.Error("no signature is taken")
	}
	if _, err := p.Finish(make([]byte, 600)); err != nil {
		t.Errorf("a signature that just fits: %v", err)
	}
	if _, err := p.Finish(make([]byte, 600)); err == nil {
		t.Error("a second signature is taken")
	}
	for _, at := range []int{0, 100, len(p.buf) - 1} {
		p := prepared()
		p.buf[at] ^= 1
		if _, err := p.Finish(make([]byte, 600)); err == nil {
			t.Errorf("byte %d was changed between preparing and finishing, unnoticed", at)
		}
	}
}

func TestTheSameRequestGivesTheSameBytes(t *testing.T) {
	r := Request{Field: "a", Name: "Nguyễn", At: noon, Appearance: &Appearance{Width: 1, Height: 2, Stream: []byte("q Q")}}
	if !bytes.Equal(filled(t, pdftest.Base("a"), r), filled(t, pdftest.Base("a"), r)) {
		t.Error("the bytes differ")
	}
}

func TestALockIsRepeatedInTheSignature(t *testing.T) {
	base := bytes.Replace(pdftest.Base("a"), []byte("/T(a)"), []byte("/T(a)/Lock<</Action/Include/Fields[(x)]>>"), 1)
	doc := filled(t, moved(base), Request{Field: "a"})
	fields, err := mustParse(t, doc).Fields(1)
	if err != nil {
		t.Fatal(err)
	}
	refs := fields[0].Value.Get("Reference").Items
	if len(refs) != 1 || !refs[0].Get("TransformMethod").Is("FieldMDP") || !refs[0].Get("TransformParams").Get("Action").Is("Include") {
		t.Errorf("references %+v", refs)
	}
}

// moved gives the offset of the cross-reference anew, after the last object of a file grew.
func moved(doc []byte) []byte {
	at := bytes.LastIndex(doc, []byte("\nxref\n")) + 1
	i := bytes.LastIndex(doc, []byte("startxref\n"))
	return fmt.Appendf(bytes.Clone(doc[:i]), "startxref\n%d\n%%%%EOF\n", at)
}

func TestAttachmentsAreRead(t *testing.T) {
	f := mustParse(t, filled(t, pdftest.Base("a"), Request{Field: "a"}))
	got, err := EmbeddedFile(f, "order.json")
	if err != nil || string(got) != pdftest.Attachment {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := EmbeddedFile(f, "other.json"); !errors.Is(err, ErrNoAttachment) {
		t.Errorf("an attachment that is not there: %v", err)
	}
}

func TestACompressedAttachmentThatExplodesIsRefused(t *testing.T) {
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	zeros := make([]byte, 1<<20)
	for range maxDecoded>>20 + 1 {
		z.Write(zeros)
	}
	z.Close()
	doc := pdftest.File(
		"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[(bomb) 3 0 R]>>>>>>",
		"<</Type/Pages/Kids[]/Count 0>>", "<</Type/Filespec/F(bomb)/EF<</F 4 0 R>>>>",
		fmt.Sprintf("<</Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream", packed.Len(), packed.String()))
	_, err := EmbeddedFile(mustParse(t, doc), "bomb")
	var e *Error
	if !errors.As(err, &e) || e.Reason != TooLarge {
		t.Errorf("%v", err)
	}
}

func TestMalformedFilesAreRefusedWithAPlace(t *testing.T) {
	base := string(pdftest.Base("a"))
	swap := func(old, new string) string {
		if !strings.Contains(base, old) {
			t.Fatalf("%q is not in the base", old)
		}
		return strings.Replace(base, old, new, 1)
	}
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	for _, c := range []struct {
		name, doc string
		reason    Reason
	}{
		{"nothing", "", Malformed},
		{"another kind of file", "PK\x03\x04 and more bytes", Malformed},
		{"much junk before the header", strings.Repeat("\n", 2000) + base, Malformed},
		{"no end", strings.TrimSuffix(base, "%%EOF\n"), Malformed},
		{"startxref is wrong", swap("startxref\n", "startxref\n1"), Malformed},
		{"startxref is beyond the file", strings.Replace(base, "startxref\n", "startxref\n99999999", 1), Malformed},
		{"an entry points elsewhere", swap("0000000015 00000 n", "0000000016 00000 n"), Malformed},
		{"an entry has another generation", swap("0000000015 00000 n", "0000000015 00001 n"), Malformed},
		{"an entry is too short", swap("00000 n \n", "0000 n\n"), Malformed},
		{"encryption", swap("/Root 1 0 R", "/Root 1 0 R/Encrypt 2 0 R"), Unsupported},
		{"a table and a stream that is none", swap("/Root 1 0 R", "/Root 1 0 R/XRefStm 2"), Malformed},
		{"a circle of sections", swap("/Root 1 0 R", "/Root 1 0 R/Prev 9999"), Malformed},
		{"deep nesting", string(pdftest.File("<</Type/Catalog/X " + deep + ">>")), TooLarge},
		{"a catalog that is none", string(pdftest.File("<</Type/Pages>>")), Malformed},
		{"more values than allowed", string(pdftest.File("<</Type/Catalog/X[" + strings.Repeat("0 ", maxValues) + "]>>")), TooLarge},
		{"an unknown word", string(pdftest.File("<</Type/Catalog/X nul>>")), Malformed},
		{"a broken number", string(pdftest.File("<</Type/Catalog/X 1-2>>")), Malformed},
		{"a string without end", string(pdftest.File("<</Type/Catalog/X (abc>>")), Malformed},
		{"a broken hexadecimal string", string(pdftest.File("<</Type/Catalog/X <0g>>>")), Malformed},
		{"a broken name", string(pdftest.File("<</Type/Catalog/X/a#0g>>")), Malformed},
		{"a null byte in a name", string(pdftest.File("<</Type/Catalog/X/a#00>>")), Malformed},
	} {
		_, err := Parse([]byte(c.doc))
		var e *Error
		if !errors.As(err, &e) || e.Reason != c.reason {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestObjectsThatBreakTheGrammarAreNoted(t *testing.T) {
	base := string(pdftest.Base("a"))
	for name, doc := range map[string]string{
		"a key is given twice":          strings.Replace(base, "/Type/Pages/Kids[3 0 R]/Count 1", "/Type/Pages/Type [3 0 R]/Kids 1", 1),
		"a stream's length is wrong":    strings.Replace(base, "/Length 41", "/Length 40", 1),
		"a stream's length is negative": strings.Replace(base, "/Length 41", "/Length -2", 1),
		"a stream's length is itself":   string(pdftest.File("<</Type/Catalog>>", "<</Length 2 0 R>>\nstream\nx\nendstream")),
	} {
		f := mustParse(t, []byte(doc))
		if n := len(f.Revisions[0].Odd); n == 0 {
			t.Errorf("%s: nothing is noted", name)
			continue
		}
		odd := f.Revisions[0].Odd[0]
		if o, err := f.Object(odd.Num, 0); err != nil || o.Value.Kind != Null {
			t.Errorf("%s: object %d reads as %v, %v", name, odd.Num, o.Value.Kind, err)
		}
	}
}

func TestWhatLiesOutsideObjectsIsSeen(t *testing.T) {
	doc := string(pdftest.Base("a"))
	f := mustParse(t, []byte(doc))
	if len(f.Revisions[0].Stray) != 0 {
		t.Errorf("stray %v", f.Revisions[0].Stray)
	}
	// The last object is listed as free, so its bytes belong to nothing.
	i := strings.LastIndex(doc, " 00000 n")
	f = mustParse(t, []byte(doc[:i]+" 00000 f"+doc[i+8:]))
	if len(f.Revisions[0].Stray) != 1 {
		t.Errorf("stray %v", f.Revisions[0].Stray)
	}
}

func TestFilesByOtherProgramsAreRead(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in.pdf")
	if err := os.WriteFile(in, pdftest.Base("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"object streams": {"--object-streams=generate"},
		"linearized":     {"--linearize"},
		"both":           {"--object-streams=generate", "--linearize"},
		"as it was":      {"--preserve-unreferenced"},
	} {
		out := filepath.Join(dir, "out.pdf")
		if msg, err := exec.Command("qpdf", append(args, in, out)...).CombinedOutput(); err != nil {
			t.Fatalf("qpdf: %v\n%s", err, msg)
		}
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Parse(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := EmbeddedFile(f, "order.json")
		if err != nil || string(got) != pdftest.Attachment {
			t.Errorf("%s: attachment %q, %v", name, got, err)
		}
		fields, err := f.Fields(len(f.Revisions) - 1)
		if err != nil || len(fields) != 1 || fields[0].Name != "a" {
			t.Errorf("%s: fields %v, %v", name, fields, err)
		}
		if f.Revisions[0].Streams || f.Revisions[0].Linear {
			if _, err := Prepare(data, Request{Field: "a", At: noon}); err == nil {
				t.Errorf("%s: it is signed without classic tables", name)
			}
		}
	}
}

func TestDatesAreRead(t *testing.T) {
	for s, want := range map[string]string{
		"D:20261121120000+07'00'": "2026-11-21T12:00:00+07:00",
		"D:20261121120000+07'00":  "2026-11-21T12:00:00+07:00",
		"D:20261121120000-0330":   "",
		"D:20261121120000-03'30'": "2026-11-21T12:00:00-03:30",
		"D:20261121120000Z":       "2026-11-21T12:00:00Z",
		"D:20261121":              "2026-11-21T00:00:00Z",
		"2026":                    "2026-01-01T00:00:00Z",
		"D:20261321120000Z":       "",
		"D:2026112":               "",
		"yesterday":               "",
		"":                        "",
	} {
		got := ""
		if v, ok := ParseDate(s); ok {
			got = v.Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%q reads as %q, want %q", s, got, want)
		}
	}
}

func TestStringsAreRead(t *testing.T) {
	for token, want := range map[string]string{
		`(a\(b\)c)`:       "a(b)c",
		`(a(b)c)`:         "a(b)c",
		`(\101\7z\\)`:     "A\az\\",
		"(a\\\nb\r\nc)":   "ab\nc",
		"<48 65 6c6C6f7>": "Hellop",
		"<feff1ebe>":      "Ế",
		"(\xef\xbb\xbfẾ)": "Ế",
		`(\n\r\t\b\f)`:    "\n\r\t\b\f",
		"(caf\xe9)":       "café",
		"<feffd83ddE00>":  "😀",
	} {
		budget := 10
		l := lexer{buf: []byte(token), budget: &budget}
		v, err := l.value(0)
		if err != nil || v.Text() != want || v.End != len(token) {
			t.Errorf("%s reads as %q to %d, %v", token, v.Text(), v.End, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	base := pdftest.Base("a")
	f.Add(base)
	p, err := Prepare(base, Request{Field: "a", At: noon, Room: 512})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.buf)
	f.Add([]byte("%PDF-1.5\n1 0 obj<</Type/XRef/W[1 2 1]/Size 2/Root 1 0 R/Length 8>>stream\n\x00\x00\x00\x00\x01\x00\x09\x00\nendstream endobj startxref\n9\n%%EOF"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data)
		if err != nil {
			return
		}
		for i := range file.Revisions {
			file.Fields(i)
		}
		EmbeddedFile(file, "order.json")
		Prepare(data, Request{Field: "a", At: noon, Room: 512})
	})
}
