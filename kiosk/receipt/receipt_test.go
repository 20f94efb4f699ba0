package receipt

import (
	"bytes"
	"encoding/json"
	"image"
	_ "image/png"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"countersign/internal/clock"
	"countersign/internal/locale"
	"countersign/kiosk"
	"countersign/kiosk/catalog"
	"countersign/kiosk/workorder"
	"countersign/services"
)

var (
	from = Sender{Address: "quay@dienluc.example", Host: "counter.example"}
	at   = time.Date(2026, 11, 23, 9, 22, 41, 0, clock.Vietnam)
)

const hash = "3f9a71c28e04d5b63f9a71c28e04d5b63f9a71c28e04d5b63f9a71c28e04d5b6"

func service(t *testing.T, number string) *catalog.Service {
	t.Helper()
	c, err := catalog.Load(services.Files, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, ok := c.Service(number)
	if !ok {
		t.Fatalf("there is no service %s", number)
	}
	return s
}

// finished is an order of the customer who wants more power.
func finished(t *testing.T, l locale.Lang) Order {
	t.Helper()
	o := &kiosk.Order{Key: "0123456789abcdef0123", Number: "WO-PA0505-20261123-000042", Unit: "PA0505", Counter: "3", Customer: "PA05050000017", Service: "11",
		Version: "2026-06", Language: string(l), State: kiosk.Sealed, Created: at.Add(-10 * time.Minute).UTC(), Due: at.AddDate(0, 0, 3).UTC(), TermDays: 3,
		Clerk: kiosk.Person{User: "lananh", Name: "Ngô Lan Anh", StaffID: "3017"}, Confirmee: "NGUYỄN VĂN THỬ", Rating: 2,
		Values: catalog.Values{"id_number": {Text: "001090000017", Source: "card.number"}, "full_name": {Text: "NGUYỄN VĂN THỬ"}, "capacity": {Text: "7.5", Old: "3.0", Edited: true},
			"notice": {Text: "2"}, "appliances": {Rows: [][]string{{"Điều hòa", "2", "1200", "8", "576"}}}, "cmis.debt": {Text: "không"}}}
	o.Document = kiosk.DocumentFacts{ContentSHA256: hash, FinalSHA256: strings.Repeat("ab", 32), VerifyCode: "7KQ2-M9XA"}
	o.Receipt = kiosk.Receipt{Medium: "both", Chosen: at}
	o.Times.Sealed = at.UTC()
	return Order{Order: o, Unit: kiosk.Unit{Code: "PA0505", Name: "Điện lực Bắc Giang", Hotline: "19006769"}, Service: service(t, "11"), File: []byte("%PDF-1.7 đã ký")}
}

func codeMail(l locale.Lang) kiosk.CodeMail {
	return kiosk.CodeMail{To: "thu@mau.example", Code: "483920", Purpose: "ký phiếu 000042, tăng công suất lên 7,5 kW", Amount: "1.234.000 đ", Hash: kiosk.ShortHash(hash),
		Expires: at.Add(5 * time.Minute), Unit: "Điện lực Bắc Giang", Hotline: "19006769", Lang: string(l), Order: "WO-PA0505-20261123-000042", Challenge: "c0ffee"}
}

// letter is what a mail program makes of a message.
type letter struct {
	header mail.Header
	text   string
	files  map[string][]byte
}

func open(t *testing.T, raw []byte) letter {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	out := letter{header: m.Header, files: map[string][]byte{}}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if kind == "text/plain" {
		text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
		if err != nil {
			t.Fatal(err)
		}
		out.text = string(text)
		return out
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextPart()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		if p.FileName() == "" {
			out.text = string(data)
		} else {
			out.files[p.FileName()] = data
		}
	}
}

func subject(t *testing.T, l letter) string {
	t.Helper()
	s, err := new(mime.WordDecoder).DecodeHeader(l.header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// link is anything that a mail program would make into one.
var link = regexp.MustCompile(`(?i)https?|www\.|://|<a |mailto:|\b[a-z0-9-]+\.(com|vn|net|org|example)/`)

// asks is how a mail asks for a secret; the sentence that nobody does so is not meant.
var asks = regexp.MustCompile(`(?i)(gửi lại|trả lời thư|cung cấp|reply with|send us|enter your password|請回覆|請提供)`)

func honest(t *testing.T, l letter) {
	t.Helper()
	for _, text := range []string{subject(t, l), l.text} {
		if found := link.FindString(text); found != "" {
			t.Errorf("the mail has a link (%q):\n%s", found, text)
		}
		if found := asks.FindString(text); found != "" {
			t.Errorf("the mail asks for something (%q):\n%s", found, text)
		}
		if strings.ContainsAny(text, "‹›") || strings.Contains(text, "<no value>") {
			t.Errorf("the mail is not whole:\n%s", text)
		}
	}
	if l.header.Get("Auto-Submitted") != "auto-generated" || l.header.Get("Reply-To") != "" {
		t.Errorf("the header is %v", l.header)
	}
}

func TestTheMailWithACodeSaysWhatForHowMuchAndUntilWhen(t *testing.T) {
	for _, l := range locale.Langs {
		c := codeMail(l)
		raw, err := Code(from, c, at)
		if err != nil {
			t.Fatal(err)
		}
		got := open(t, raw)
		honest(t, got)
		for _, want := range []string{c.Code, c.Purpose, c.Amount, c.Hash, "09:27:41", c.Order, c.Unit, c.Hotline} {
			if !strings.Contains(got.text, want) {
				t.Errorf("%s: the mail does not say %q:\n%s", l, want, got.text)
			}
		}
		if strings.Contains(subject(t, got), c.Code) {
			t.Errorf("%s: the code stands in the subject, which a locked telephone shows", l)
		}
		again, err := Code(from, c, at)
		if err != nil || !bytes.Equal(raw, again) {
			t.Errorf("%s: the repeat is another mail (%v)", l, err)
		}
		if id := got.header.Get("Message-Id"); id != "<code-c0ffee@counter.example>" {
			t.Errorf("%s: the mail is %s", l, id)
		}
	}
}

func TestTheReceiptByMailHasTheSignedFileAndNoLink(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range locale.Langs {
		o := finished(t, l)
		raw, err := Mail(from, o, "thu@mau.example", "1")
		if err != nil {
			t.Fatal(err)
		}
		got := open(t, raw)
		honest(t, got)
		for _, want := range []string{o.Number, "NGUYỄN VĂN THỬ", o.Service.Title.In(l), "7KQ2-M9XA", "3F9A 71C2 8E04 D5B6", "19006769", "26/11/2026", "23/11/2026 09:22"} {
			if !strings.Contains(got.text, want) {
				t.Errorf("%s: the receipt does not say %q:\n%s", l, want, got.text)
			}
		}
		seen[got.text] = true
		if len(got.files) != 1 || got.files[o.Number+".pdf"] == nil {
			t.Errorf("%s: the files are %v", l, got.files)
		}
		again, err := Mail(from, o, "thu@mau.example", "1")
		if err != nil || !bytes.Equal(raw, again) {
			t.Errorf("%s: the repeat is another mail (%v)", l, err)
		}
		asked, err := Mail(from, o, "thu@mau.example", "c1")
		if err != nil || open(t, asked).header.Get("Message-Id") == got.header.Get("Message-Id") {
			t.Errorf("%s: what a person asked for again is not told from the first (%v)", l, err)
		}
	}
	if len(seen) != len(locale.Langs) {
		t.Error("two languages have the same receipt")
	}
}

func TestANameCannotAddAHeader(t *testing.T) {
	c := codeMail(locale.Vietnamese)
	c.Purpose = "ký\r\nBcc: ai@mau.example"
	if raw, err := Code(from, c, at); err == nil {
		t.Errorf("the mail was made:\n%s", raw)
	}
	o := finished(t, locale.Vietnamese)
	if raw, err := Mail(from, o, "thu@mau.example\r\nBcc: ai@mau.example", "1"); err == nil {
		t.Errorf("the mail was made:\n%s", raw)
	}
}

// program runs a Debian program; that it is missing is a failure.
func program(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

const droid = "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"

func fonts(t *testing.T) workorder.Fonts {
	t.Helper()
	data, err := os.ReadFile(droid)
	if err != nil {
		t.Fatal(err)
	}
	f, err := workorder.NewFonts(data)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTheReceiptOnPaperIsReadByOtherPrograms(t *testing.T) {
	for _, c := range []struct {
		lang locale.Lang
		name string
	}{{locale.Vietnamese, "NGUYỄN VĂN THỬ"}, {locale.English, strings.Repeat("CÔNG TY TRÁCH NHIỆM HỮU HẠN MẪU ", 6)}, {locale.Chinese, "赵试"}} {
		o := finished(t, c.lang)
		o.Confirmee = strings.TrimSpace(c.name)
		data, err := Paper(o, fonts(t))
		if err != nil {
			t.Fatal(err)
		}
		again, err := Paper(o, fonts(t))
		if err != nil || !bytes.Equal(data, again) {
			t.Errorf("%s: the second print is another file (%v)", c.lang, err)
		}
		dir := t.TempDir()
		path := filepath.Join(dir, "receipt.pdf")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if out := program(t, "qpdf", "--check", path); !strings.Contains(out, "No syntax or stream encoding errors found") {
			t.Errorf("%s: %s", c.lang, out)
		}
		text := strings.Join(strings.Fields(program(t, "pdftotext", "-layout", path, "-")), " ")
		for _, want := range []string{"Điện lực Bắc Giang", o.Number, o.Confirmee, o.Service.Title.In(c.lang), "7KQ2-M9XA", "3F9A 71C2 8E04 D5B6", "19006769"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the paper does not say %q: %s", c.lang, want, text)
			}
		}
		if code := scanned(t, path); code != "7KQ2-M9XA" {
			t.Errorf("%s: the QR code says %q", c.lang, code)
		}
	}
}

// scanned is what a camera reads from the first page.
func scanned(t *testing.T, path string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "page")
	program(t, "pdftoppm", "-r", "150", "-gray", "-png", "-singlefile", path, to)
	f, err := os.Open(to + ".png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	r, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r.GetText()
}

func TestTheBusinessDataHaveExactlyWhatTheServiceHandsOver(t *testing.T) {
	o := finished(t, locale.Vietnamese)
	for _, f := range o.Service.Fields() {
		if _, ok := o.Values[f.Name]; !ok {
			o.Values[f.Name] = catalog.Value{Text: "1"}
		}
	}
	raw, err := Data(o)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	want := []string{"clerk", "created_at", "customer", "definition", "due", "file", "number", "sealed_at", "service", "type", "unit", "values", "version"}
	if have := keys(got); !slices.Equal(have, want) {
		t.Errorf("the members are %v", have)
	}
	handed := []string{}
	for _, f := range o.Service.Fields() {
		if len(o.Service.HandOver) == 0 && f.Printed || slices.Contains(o.Service.HandOver, f.Name) {
			handed = append(handed, f.Name)
		}
	}
	slices.Sort(handed)
	values, _ := got["values"].(map[string]any)
	if have := keys(values); !slices.Equal(have, handed) || len(handed) == 0 {
		t.Errorf("handed over are %v, want %v", have, handed)
	}
	for name, want := range map[string]string{"service": o.Service.Code, "due": "2026-11-26", "number": o.Number, "clerk": "3017", "customer": "PA05050000017", "sealed_at": "2026-11-23T09:22:41+07:00"} {
		if got[name] != want {
			t.Errorf("%s is %v, want %s", name, got[name], want)
		}
	}
	if f, _ := got["file"].(map[string]any); f["sha256"] != o.Document.FinalSHA256 {
		t.Errorf("the file is %v", got["file"])
	}
	for _, secret := range []string{"lananh", "7KQ2-M9XA", "rating", "không", o.Key} {
		if bytes.Contains(raw, []byte(secret)) {
			t.Errorf("the back office is told %q:\n%s", secret, raw)
		}
	}
	again, err := Data(o)
	if err != nil || !bytes.Equal(raw, again) {
		t.Errorf("the repeat has other data (%v)", err)
	}
}

func TestAServiceThatNamesItsHandOverGivesNothingElse(t *testing.T) {
	o := finished(t, locale.Vietnamese)
	s := *o.Service
	s.HandOver = []string{"capacity", "appliances", "full_name"}
	o.Service = &s
	raw, err := Data(o)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Values map[string]any }
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if have := keys(got.Values); !slices.Equal(have, []string{"appliances", "capacity", "full_name"}) || got.Values["capacity"] != "7.5" {
		t.Errorf("handed over are %v", got.Values)
	}
	if bytes.Contains(raw, []byte("001090000017")) || bytes.Contains(raw, []byte("3.0")) {
		t.Errorf("the data hold more than that:\n%s", raw)
	}
}

func keys(m map[string]any) []string {
	out := []string{}
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
