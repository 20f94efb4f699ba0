package signing_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/signing"
	"countersign/signing/ca"
	"countersign/signing/ink"
	"countersign/signing/pdf"
	"countersign/signing/signtest"
	"countersign/signing/verify"
)

func witness(t testing.TB, w *signtest.World, r signing.Handwritten) signing.Signature {
	t.Helper()
	s, err := w.Ceremony().Witness(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAWitnessedHandwritingIsAcceptedByOthersAndClaimsNoKeyOfTheCustomer(t *testing.T) {
	w := signtest.New(t)
	base := signtest.Base(signtest.Content, "one")
	r := w.Handwritten(t, base)
	s := witness(t, w, r)
	if !bytes.HasPrefix(s.Document, base) || s.Level != signing.BT || s.Untimed != nil {
		t.Errorf("level %s, untimed %v", s.Level, s.Untimed)
	}
	w.Accepted(t, s.Document, 1)

	digest, err := s.Evidence.Digest()
	if err != nil {
		t.Fatal(err)
	}
	mark, ok := ca.ReadMark(s.Certificate)
	if !ok || mark.Kind != ca.KindWitness || mark.TransactionID != signtest.Order || !bytes.Equal(mark.EvidenceSHA256, digest[:]) {
		t.Errorf("the certificate says %+v, want evidence %x", mark, digest)
	}
	public, ok := w.Keys[r.Witness.Key].Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(s.Certificate.PublicKey) {
		t.Error("it was not the counter's witness key that signed")
	}
	if name := s.Certificate.Subject.String(); !strings.Contains(name, r.Witness.Name) || strings.Contains(name, r.Person.Name) {
		t.Errorf("the certificate names %s", name)
	}
	text, err := s.Evidence.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	strokes, document := r.Writing.Drawing.Digest(), sha256.Sum256(base)
	for _, want := range []string{
		`"rank":1`, `"source":"pad"`, `"staff_id":"gdv.lananh"`, `"counter":"3"`, `"strokes":3`, fmt.Sprintf(`"strokes_sha256":"%x"`, strokes),
		fmt.Sprintf("%x", document), "the customer does not", `"2026-06"`, "NGUYỄN VĂN THỬ",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the evidence lacks %s:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), `"code"`) {
		t.Errorf("the evidence speaks of a code:\n%s", text)
	}
	coded, err := sign(t, w, w.Confirm(t, base)).Evidence.Canonical()
	if err != nil || strings.Contains(string(coded), "handwriting") {
		t.Errorf("the evidence of a code speaks of handwriting: %v\n%s", err, coded)
	}
}

func TestTheReportCallsItHandwritingWitnessed(t *testing.T) {
	w := signtest.New(t)
	s := witness(t, w, w.Handwritten(t, signtest.Base(signtest.Content, "one")))
	r := verify.Verify(s.Document, verify.Policy{Roots: w.Roots(), At: w.Now})
	if r.Verdict != verify.Passed || len(r.Signatures) != 1 || r.Signatures[0].Kind != "witness" || r.Signatures[0].SignerName != "TRẦN THỊ LAN ANH" {
		t.Fatalf("%s", verify.Text(r, locale.English))
	}
	for l, words := range map[locale.Lang][]string{
		locale.English:    {"handwriting witnessed", "not the customer's"},
		locale.Vietnamese: {"chữ ký tay có quầy chứng kiến", "không phải của khách", "Chữ ký tay của NGUYỄN VĂN THỬ; TRẦN THỊ LAN ANH chứng kiến tại quầy 3"},
		locale.Chinese:    {"經見證的手寫簽名", "並非客戶所有"},
	} {
		for _, want := range words {
			if text := verify.Text(r, l); !strings.Contains(text, want) {
				t.Errorf("%s: the report lacks %q:\n%s", l, want, text)
			}
		}
	}
}

// TestAWitnesssSignatureWithoutProvenTimeDoesNotOutliveItsCertificate: the key is kept, so it could sign with an old date.
func TestAWitnesssSignatureWithoutProvenTimeDoesNotOutliveItsCertificate(t *testing.T) {
	w := signtest.New(t)
	r := w.Handwritten(t, signtest.Base(signtest.Content, "one"))
	timed := witness(t, w, r)
	untimed, err := (&signing.Ceremony{Issuer: w.Issuing, Clock: w.Clock, Keys: w.Keys}).Witness(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	at := func(s signing.Signature, at time.Time) verify.Verdict {
		return verify.Verify(s.Document, verify.Policy{Roots: w.Roots(), At: at}).Verdict
	}
	later := w.Now.Add(91 * 24 * time.Hour)
	if got := at(timed, later); got != verify.Passed {
		t.Errorf("with a timestamp: %s", got)
	}
	if now, then := at(untimed, w.Now.Add(time.Hour)), at(untimed, later); now != verify.Passed || then != verify.Indeterminate {
		t.Errorf("without: %s now, %s later", now, then)
	}
}

// unwitnessed are the ways in which one precondition fails; each must be refused alone and in company.
var unwitnessed = []struct {
	name  string
	spoil func(*signing.Handwritten)
	code  string
}{
	{"the document is not the displayed one", func(r *signing.Handwritten) { r.Displayed[0] ^= 1 }, "sign.document"},
	{"the pen was given for another document", func(r *signing.Handwritten) { r.Writing.Document[31] ^= 1 }, "sign.ink_other"},
	{"the pen was given for another content", func(r *signing.Handwritten) { r.Writing.Content[5] ^= 1 }, "sign.content"},
	{"the handwriting is six minutes old", func(r *signing.Handwritten) { r.Writing.Ended = r.Writing.Ended.Add(-6 * time.Minute) }, "sign.ink_stale"},
	{"the text was not read to its end", func(r *signing.Handwritten) { r.Reading.Finished = time.Time{} }, "sign.ink_unread"},
	{"nobody watches", func(r *signing.Handwritten) { r.Witness.StaffID = "" }, "sign.witness"},
	{"the identity is too weak", func(r *signing.Handwritten) { r.Person.Assurance = 1 }, "sign.identity"},
	{"nothing was written", func(r *signing.Handwritten) { r.Writing.Drawing.Strokes = nil }, "ink.empty"},
}

// shut are witness keys that must not be opened.
type shut struct{ t *testing.T }

func (s shut) Signer(string) (crypto.Signer, error) {
	s.t.Error("a key was opened although a precondition fails")
	return nil, errors.New("shut")
}

func TestOfAllPreconditionsOnlyTheFullSetIsWitnessed(t *testing.T) {
	w := signtest.New(t)
	good := w.Handwritten(t, signtest.Base(signtest.Content, "one"))
	for set := range 1 << len(unwitnessed) {
		r, c := good, w.Ceremony()
		codes := map[string]bool{}
		for i, m := range unwitnessed {
			if set>>i&1 == 1 {
				m.spoil(&r)
				codes[m.code] = true
				c.Keys = shut{t}
			}
		}
		s, err := c.Witness(context.Background(), r)
		switch {
		case set == 0 && err != nil:
			t.Fatal(err)
		case set == 0:
		case err == nil || s.Document != nil:
			t.Fatalf("signed although %b of the preconditions fail", set)
		case !codes[fault.CodeOf(err)]:
			t.Fatalf("%b: refused for another reason: %v", set, err)
		}
	}
}

func TestEachRefusalToWitnessHasItsReason(t *testing.T) {
	w := signtest.New(t)
	w.Keys["seal-unit"] = w.Keys[signing.WitnessKey+"3"]
	base := signtest.Base(signtest.Content, "one")
	signed := sign(t, w, w.Confirm(t, base)).Document
	appended := append(bytes.Clone(base), "\n% more\n"...)
	noField := bytes.Replace(base, []byte("(customer)"), []byte("(custumer)"), 1)
	for _, c := range []struct {
		name  string
		base  []byte
		spoil func(*signing.Handwritten)
		want  string
	}{
		{"all is well", base, nil, ""},
		{"drawn on a terminal", base, func(r *signing.Handwritten) { r.Writing.Drawing.Source = ink.Terminal }, ""},
		{"one bit of the document changed after it was displayed", base, func(r *signing.Handwritten) {
			r.Document = bytes.Clone(r.Document)
			r.Document[len(r.Document)/2] ^= 1
		}, "sign.document"},
		{"the document grew", base, func(r *signing.Handwritten) { r.Document = appended }, "sign.document"},
		{"no order is named", base, func(r *signing.Handwritten) { r.Order, r.Writing.Order = "", "" }, "sign.ink_other"},
		{"the pen was given for another order", base, func(r *signing.Handwritten) { r.Writing.Order += "1" }, "sign.ink_other"},
		{"the attached content is another", signtest.Base([]byte(`{"order":"another"}`), "one"), nil, "sign.content"},
		{"other content was read", base, func(r *signing.Handwritten) { r.Content[0] ^= 1; r.Writing.Content[0] ^= 1 }, "sign.content"},
		{"handed in an hour ahead", base, func(r *signing.Handwritten) { r.Writing.Ended = r.Writing.Ended.Add(time.Hour) }, "sign.ink_stale"},
		{"never handed in", base, func(r *signing.Handwritten) { r.Writing.Ended = time.Time{} }, "sign.ink_stale"},
		{"agreed after the pen was given", base, func(r *signing.Handwritten) { r.Reading.Agreed = r.Writing.Began.Add(time.Minute) }, "sign.ink_unread"},
		{"no pen was given", base, func(r *signing.Handwritten) { r.Writing.Began = time.Time{} }, "sign.ink_unread"},
		{"no version of the terms", base, func(r *signing.Handwritten) { r.Reading.Agreement = "" }, "sign.ink_unread"},
		{"handed in before it was given", base, func(r *signing.Handwritten) { r.Writing.Began = r.Writing.Ended.Add(time.Minute) }, "sign.ink_unread"},
		{"nobody is named", base, func(r *signing.Handwritten) { r.Person.Name = "" }, "sign.identity"},
		{"the witness has no name", base, func(r *signing.Handwritten) { r.Witness.Name = "" }, "sign.witness"},
		{"the counter is not named", base, func(r *signing.Handwritten) { r.Witness.Counter = "" }, "sign.witness"},
		{"the counter has no witness key", base, func(r *signing.Handwritten) { r.Witness.Key = signing.WitnessKey + "9" }, "sign.witness"},
		{"a seal's key is asked for", base, func(r *signing.Handwritten) { r.Witness.Key = "seal-unit" }, "sign.witness"},
		{"a point outside the pad", base, func(r *signing.Handwritten) { r.Writing.Drawing.Width = 10 }, "ink.file"},
		{"strokes longer than the pad was open", base, func(r *signing.Handwritten) {
			r.Writing.Drawing = signtest.Handwriting()
			r.Writing.Drawing.Strokes[2][0].At += 120_000
		}, "ink.file"},
		{"a straight line", base, func(r *signing.Handwritten) {
			r.Writing.Drawing.Strokes = [][]ink.Point{{{X: 10, Y: 10}, {X: 4000, Y: 20, At: 900}}}
		}, "ink.straight"},
		{"pasted at once", base, func(r *signing.Handwritten) {
			r.Writing.Drawing = signtest.Handwriting()
			for _, stroke := range r.Writing.Drawing.Strokes {
				for i := range stroke {
					stroke[i].At = 5
				}
			}
		}, "ink.instant"},
		{"the customer has signed already", signed, nil, "sign.signed"},
		{"there is no customer field", noField, nil, "sign.base"},
		{"it is no PDF", []byte("hello"), nil, "sign.base"},
		{"something stands behind its end", appended, nil, "sign.base"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := w.Handwritten(t, c.base)
			if c.spoil != nil {
				c.spoil(&r)
			}
			s, err := w.Ceremony().Witness(context.Background(), r)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !fault.Is(err, c.want) || s.Document != nil {
				t.Fatalf("got %v, want %s", err, c.want)
			}
		})
	}
	r := w.Handwritten(t, base)
	if s, err := (&signing.Ceremony{Issuer: w.Issuing, Clock: w.Clock}).Witness(context.Background(), r); !fault.Is(err, "sign.witness") || s.Document != nil {
		t.Errorf("without any keys: %v", err)
	}
}

// meddler is an issuer that exchanges the caller's bytes and strokes after they were checked and before they are signed.
type meddler struct {
	signing.Issuer
	r signing.Handwritten
}

func (m meddler) IssueWitness(pub crypto.PublicKey, r ca.Witness) ([]*x509.Certificate, error) {
	copy(m.r.Document[len(m.r.Document)/3:], "0123456789")
	m.r.Writing.Drawing.Strokes[0][0].X++
	return m.Issuer.IssueWitness(pub, r)
}

func TestWhatIsExchangedAfterTheCheckIsNotWitnessed(t *testing.T) {
	w := signtest.New(t)
	base := signtest.Base(signtest.Content, "one")
	r := w.Handwritten(t, bytes.Clone(base))
	strokes := r.Writing.Drawing.Digest()
	c := w.Ceremony()
	c.Issuer = meddler{w.Issuing, r}
	s, err := c.Witness(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(r.Document, base) || r.Writing.Drawing.Digest() == strokes {
		t.Fatal("nothing was exchanged")
	}
	if !bytes.HasPrefix(s.Document, base) || s.Evidence.Handwriting.SHA256 != fmt.Sprintf("%x", strokes) {
		t.Error("other bytes or strokes were signed than those that were checked")
	}
}

// TestTheSignedPageShowsTheStrokes looks at the page as a reader draws it: blue ink in the customer's field at the points
// that were felt, and outside the field not one pixel other than before.
func TestTheSignedPageShowsTheStrokes(t *testing.T) {
	w := signtest.New(t)
	base := signtest.Base(signtest.Content, "one")
	r := w.Handwritten(t, base)
	s := witness(t, w, r)
	a, err := r.Writing.Drawing.Appearance()
	if err != nil {
		t.Fatal(err)
	}
	before, after := pixels(t, base), pixels(t, s.Document)
	const left, low, side, high = 40, 100, 102, 842 // the field's rectangle and the page's height, in points
	blue := 0
	for y := range after.rows {
		for x := range after.rows[y] {
			p := after.rows[y][x]
			in := x >= left*dots && x <= (left+side)*dots && y >= (high-low-side)*dots && y <= (high-low)*dots
			switch {
			case !in && p != before.rows[y][x]:
				t.Fatalf("pixel %d, %d outside the field changed", x, y)
			case in && isBlue(p):
				blue++
			}
		}
	}
	if blue < 500 {
		t.Errorf("only %d blue pixels", blue)
	}
	// Where each raw point must be: in its real size, made smaller to the field's width, in the middle of it.
	const mm = 72 / 25.4
	fit := min(1, side/a.Width, side/a.Height)
	minX, maxY := 1<<30, 0
	for _, stroke := range r.Writing.Drawing.Strokes {
		for _, p := range stroke {
			minX, maxY = min(minX, p.X), max(maxY, p.Y)
		}
	}
	for _, stroke := range r.Writing.Drawing.Strokes {
		for _, p := range stroke {
			x := left + (side-a.Width*fit)/2 + (2+float64(p.X-minX)*0.01*mm)*fit
			y := low + (side-a.Height*fit)/2 + (2+float64(maxY-p.Y)*0.01*mm)*fit
			if !after.near(int(x*dots), int((high-y)*dots)) {
				t.Fatalf("no ink at the point %+v", p)
			}
		}
	}
}

// dots is the resolution of pixels: to a point.
const dots = 4

type picture struct{ rows [][][3]byte }

// near reports whether there is blue within a pixel of the place.
func (p picture) near(x, y int) bool {
	for j := y - 1; j <= y+1; j++ {
		for i := x - 1; i <= x+1; i++ {
			if isBlue(p.rows[j][i]) {
				return true
			}
		}
	}
	return false
}

func isBlue(p [3]byte) bool { return int(p[2]) > int(p[0])+40 && p[0] < 200 }

// pixels renders the first page with pdftoppm (Debian's poppler-utils), which must be there.
func pixels(t *testing.T, document []byte) picture {
	t.Helper()
	in := filepath.Join(t.TempDir(), "in.pdf")
	if err := os.WriteFile(in, document, 0o600); err != nil {
		t.Fatal(err)
	}
	out := strings.TrimSuffix(in, ".pdf")
	if said, err := exec.Command("pdftoppm", "-r", fmt.Sprint(72*dots), "-singlefile", in, out).CombinedOutput(); err != nil {
		t.Fatalf("pdftoppm: %v\n%s", err, said)
	}
	data, err := os.ReadFile(out + ".ppm")
	if err != nil {
		t.Fatal(err)
	}
	var wide, high int
	if _, err := fmt.Sscanf(string(data[:24]), "P6\n%d %d\n255\n", &wide, &high); err != nil {
		t.Fatal(err)
	}
	data = data[len(data)-3*wide*high:]
	p := picture{rows: make([][][3]byte, high)}
	for y := range p.rows {
		for range wide {
			p.rows[y] = append(p.rows[y], [3]byte(data))
			data = data[3:]
		}
	}
	return p
}

func TestTheHandwritingIsFittedIntoItsField(t *testing.T) {
	w := signtest.New(t)
	s := witness(t, w, w.Handwritten(t, signtest.Base(signtest.Content, "one")))
	f, err := pdf.Parse(s.Document)
	if err != nil {
		t.Fatal(err)
	}
	var box [4]float64
	i := bytes.Index(s.Document, []byte("/BBox["))
	if _, err := fmt.Sscanf(string(s.Document[i:i+80]), "/BBox[%g %g %g %g]", &box[0], &box[1], &box[2], &box[3]); err != nil || len(f.Revisions) != 2 {
		t.Fatalf("%d revisions, box %v, %v", len(f.Revisions), box, err)
	}
	// The field is a square of 102 points: nothing is stretched, nothing made larger.
	if wide, high := box[2]-box[0], box[3]-box[1]; math.Abs(wide-high) > 0.01 || wide < 102-0.01 {
		t.Errorf("the appearance does not have its field's shape: %v", box)
	}
}
