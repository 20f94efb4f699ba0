// Package signtest makes what tests of signing need: a small base document with the four empty fields, and a world with a
// certificate authority, a timestamp authority and a clock. Only tests import it.
package signtest

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/signing"
	"countersign/signing/ca"
	"countersign/signing/ink"
	"countersign/signing/key"
	"countersign/signing/otp"
	"countersign/signing/tsa"
)

// Content is the attached order.json of Base.
var Content = []byte(`{"amount":"7,5 kW","fee":{"amount":"1.250.000 đ"},"order_id":"WO-PA0505-20261121-000042","service":{"number":"11"}}`)

// Order is the order that Confirm is about.
const Order = "WO-PA0505-20261121-000042"

// Secret is the server's secret for sent codes.
var Secret = []byte("a server secret of thirty-two byt")

// Base returns a one-page document with the empty fields customer, clerk, business_seal and unit_seal and content attached
// as order.json. mark stands in the page, so that two documents can differ.
func Base(content []byte, mark string) []byte {
	page := "BT /F1 12 Tf 72 770 Td (" + mark + ") Tj ET"
	fields := []string{"customer", "clerk", "business_seal", "unit_seal"}
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[8 0 R 9 0 R 10 0 R 11 0 R]/SigFlags 3>>/Names<</EmbeddedFiles<</Names[(order.json)6 0 R]>>>>/AF[6 0 R]>>",
		"<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R/Annots[8 0 R 9 0 R 10 0 R 11 0 R]>>",
		fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(page), page),
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
		"<</Type/Filespec/F(order.json)/UF(order.json)/AFRelationship/Data/EF<</F 7 0 R/UF 7 0 R>>>>",
		fmt.Sprintf("<</Type/EmbeddedFile/Subtype/application#2Fjson/Length %d>>\nstream\n%s\nendstream", len(content), content),
	}
	for i, name := range fields {
		x := 40 + 130*i
		objects = append(objects, fmt.Sprintf("<</Type/Annot/Subtype/Widget/FT/Sig/T(%s)/P 3 0 R/F 132/Rect[%d 100 %d 202]>>", name, x, x+102))
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	id := sha256.Sum256([]byte(mark))
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R/ID[<%x><%x>]>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, id[:16], id[:16], start)
	return b.Bytes()
}

// World is an organisation's authorities.
type World struct {
	Now     time.Time  // the real time at the start, because other programs judge certificates by it
	Clock   *clock.Set // stands at Now
	Root    *ca.Authority
	Issuing *ca.Authority
	TSA     tsa.Authority
	Keys    Witnesses // one, for counter 3
}

// New makes a world.
func New(t testing.TB) *World {
	t.Helper()
	now := clock.System{}.Now().Truncate(time.Second)
	w := &World{Now: now, Clock: clock.At(now)}
	var err error
	if w.Root, err = ca.NewRoot(pkix.Name{CommonName: "CS Root", Organization: []string{"Đơn vị Thử"}}, w.Clock, rand.Reader); err != nil {
		t.Fatal(err)
	}
	if w.Issuing, err = w.Root.NewIssuing(pkix.Name{CommonName: "CS Issuing"}); err != nil {
		t.Fatal(err)
	}
	witness, _, err := key.OneOff()
	if err != nil {
		t.Fatal(err)
	}
	w.Keys = Witnesses{signing.WitnessKey + "3": witness}
	stamper, _, err := key.OneOff()
	if err != nil {
		t.Fatal(err)
	}
	chain, err := w.Issuing.IssueTimestamp(stamper.Public(), pkix.Name{CommonName: "CS Time"}, 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if w.TSA, err = tsa.NewLocal(stamper, chain, w.Clock, rand.Reader); err != nil {
		t.Fatal(err)
	}
	return w
}

// Roots are the certificates to trust.
func (w *World) Roots() []*x509.Certificate { return []*x509.Certificate{w.Root.Certificate} }

// Ceremony signs in this world, with timestamps.
func (w *World) Ceremony() *signing.Ceremony {
	return &signing.Ceremony{Issuer: w.Issuing, Authority: w.TSA, Clock: w.Clock, Keys: w.Keys}
}

// Confirm returns a confirmation of the document in which all is as it must be.
func (w *World) Confirm(t testing.TB, document []byte) signing.Confirm {
	t.Helper()
	digest, content := sha256.Sum256(document), sha256.Sum256(Content)
	issued := w.Now.Add(-30 * time.Second)
	c, code, err := otp.Issue(otp.Terms{
		ID: "c1", Account: "PA05050000017", Order: Order, Purpose: "ký phiếu 000042", Channel: otp.Mail,
		Address: otp.Mask("thu@mau.example"), Document: digest, Content: content,
	}, Secret, rand.Reader, issued)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(code, digest, Secret, w.Now.Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	return signing.Confirm{
		Order: Order, Document: document, Displayed: digest, Content: content, Challenge: c, Needed: 2,
		Person: signing.Person{Name: "NGUYỄN VĂN THỬ", Document: "cccd_qr", Number: "001*****0017", Assurance: 2, JudgedBy: "gdv.lananh", At: issued.Add(-time.Hour)},
		Reading: signing.Reading{
			Agreement: "2026-06", Lines: 104,
			Shown: issued.Add(-5 * time.Minute), Finished: issued.Add(-2 * time.Minute), Agreed: issued.Add(-time.Minute),
		},
		Reason: "Đồng ý nội dung phiếu", Location: "Quầy 3",
	}
}

// Handwriting returns a made-up signature as a pad of 96 by 54 mm feels it: a looping line, a bar and a dot.
func Handwriting() ink.Drawing {
	d := ink.Drawing{Source: ink.Pad, Width: 9600, Height: 5400, Step: 10, Force: 1023}
	var loops, bar []ink.Point
	for i := range 180 {
		turn := float64(i) * 0.21
		loops = append(loops, ink.Point{
			X: 1500 + 24*i + int(520*math.Cos(turn)), Y: 2700 + int((700-2*float64(i))*math.Sin(turn)), At: 8 * i, Force: 500 + int(400*math.Sin(turn/2)),
		})
	}
	for i := range 40 {
		bar = append(bar, ink.Point{X: 2000 + 100*i, Y: 3800 - i*i/8, At: 1700 + 8*i, Force: 300 + 15*i})
	}
	d.Strokes = [][]ink.Point{loops, bar, {{X: 6300, Y: 1900, At: 2300, Force: 700}}}
	return d
}

// Handwritten returns a witnessed handwriting on the document in which all is as it must be.
func (w *World) Handwritten(t testing.TB, document []byte) signing.Handwritten {
	t.Helper()
	c := w.Confirm(t, document)
	return signing.Handwritten{
		Order: Order, Document: document, Displayed: c.Displayed, Content: c.Content, Person: c.Person, Needed: 2, Reading: c.Reading,
		Writing: signing.Writing{
			Order: Order, Document: c.Displayed, Content: c.Content, Drawing: Handwriting(), Began: w.Now.Add(-30 * time.Second), Ended: w.Now.Add(-time.Second),
		},
		Witness:  signing.Witness{StaffID: "gdv.lananh", Name: "TRẦN THỊ LAN ANH", Counter: "3", Organisation: "Đơn vị Thử", Key: signing.WitnessKey + "3"},
		Language: locale.Vietnamese, Location: "Quầy 3",
	}
}

// Witnesses are witness keys by name.
type Witnesses map[string]crypto.Signer

// Signer returns a key, and what signing/key's store says where there is none.
func (k Witnesses) Signer(name string) (crypto.Signer, error) {
	if s, ok := k[name]; ok {
		return s, nil
	}
	return nil, fault.New(fault.NotFound, "key.missing", fault.Args{"name": name})
}

// Accepted checks a signed document with pdfsig, which must find every signature valid and trusted and the last to cover
// the whole document, and with qpdf. Both are Debian programs (poppler-utils, libnss3-tools, qpdf) and must be there.
func (w *World) Accepted(t testing.TB, document []byte, signatures int) {
	t.Helper()
	dir := t.TempDir()
	file, root, db := filepath.Join(dir, "signed.pdf"), filepath.Join(dir, "root.pem"), filepath.Join(dir, "nss")
	for _, err := range []error{os.WriteFile(file, document, 0o600), os.WriteFile(root, ca.PEM(w.Roots()...), 0o600), os.Mkdir(db, 0o700)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	run(t, "certutil", "-N", "-d", "sql:"+db, "--empty-password")
	run(t, "certutil", "-A", "-d", "sql:"+db, "-n", "root", "-t", "C,C,C", "-i", root)
	out := run(t, "pdfsig", "-nssdir", "sql:"+db, file)
	for what, want := range map[string]int{"Signature is Valid.": signatures, "Certificate is Trusted.": signatures, "Total document signed": 1} {
		if got := strings.Count(out, what); got != want {
			t.Errorf("pdfsig says %q %d times, want %d:\n%s", what, got, want, out)
		}
	}
	run(t, "qpdf", "--check", file)
}

func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}
