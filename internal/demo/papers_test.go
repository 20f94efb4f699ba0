package demo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/kiosk"
	"countersign/kiosk/receipt"
)

// paper is a PDF of about size bytes with a text of its own.
func paper(text string, size int) []byte {
	return append(append([]byte("%PDF-1.7\n% "+text+"\n"), bytes.Repeat([]byte("% filler\n"), size/9)...), "startxref\n9\n%%EOF\n"...)
}

// files counts the stored files of an order's fields.
func (d *desk) files() int {
	d.t.Helper()
	n := 0
	d.must(rows(d.t, d.office).QueryRow("SELECT count(*) FROM documents WHERE kind = 'file' AND order_key = ?", d.key()).Scan(&n))
	return n
}

// move makes the desk's customer ask for service 12 with a copy of a paper.
func (d *desk) move() *desk {
	d.Service = "12"
	d.Values = []FieldValue{{"papers_check", "1"}, {"phone", d.customer.Phone}, {"old_holder", "NGUYỄN THỊ CŨ"}, {"reason", "1"}, {"tenancy", "1"}, {"reading", "1234"}, {"notice", "2"}}
	d.Rows = nil
	return d
}

func TestAPaperGoesIntoItsFieldAndIsSignedWithTheOrder(t *testing.T) {
	d := theOffice(t).sit(t).move()
	d.to("open")
	data := paper("GIẤY TỜ NHÀ MẪU 4711", 300_000)
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	v, err := d.Clerk.SetFile(d.ctx, d.key(), "proof", "", "/home/lan/giấy nhà \x1b[2J😀.pdf", data)
	d.must(err)
	ref := v.Order.Values["proof"].File
	if ref == nil || ref.SHA256 != digest || ref.Size != int64(len(data)) || ref.Name != "giấy nhà __2J_.pdf" {
		t.Fatalf("the field holds %+v", ref)
	}
	got, err := d.Clerk.FieldFile(d.ctx, d.key(), "proof")
	d.must(err)
	if !bytes.Equal(got, data) {
		t.Error("what comes back is another file")
	}
	snapshot := <-d.Display.Snapshots(d.ctx)
	row := ""
	for _, r := range snapshot.Rows {
		if r.Field == "proof" {
			row = r.Value
		}
	}
	if want := "giấy nhà __2J_.pdf, 300 kB"; row != want {
		t.Errorf("the customer sees %q, want %q", row, want)
	}
	d.to("seal")
	d.passed()
	o := d.stored()
	var raw []byte
	d.must(d.office.Service.Store.View(d.ctx, func(tx kiosk.Tx) (err error) {
		raw, err = tx.Document(o.Document.ContentID)
		return err
	}))
	if !bytes.Contains(raw, []byte(digest)) || !bytes.Contains(raw, []byte("SHA-256 "+kiosk.ShortHash(digest))) {
		t.Errorf("the signed content does not name the file: %s", raw)
	}
	file, err := d.Clerk.Document(d.ctx, d.key())
	d.must(err)
	path := filepath.Join(t.TempDir(), "order.pdf")
	write(t, path, file)
	if text := strings.Join(strings.Fields(program(t, "pdftotext", "-layout", path, "-")), " "); !strings.Contains(text, "giấy nhà __2J_.pdf, 300 kB") || !strings.Contains(text, kiosk.ShortHash(digest)) {
		t.Errorf("the work order does not print the file's name, size and digest:\n%s", text)
	}
	s, _ := d.office.Service.Hall.Catalog.Service("12")
	business, err := receipt.Data(receipt.Order{Order: o, Service: s})
	d.must(err)
	var told struct {
		Values map[string]json.RawMessage `json:"values"`
	}
	d.must(json.Unmarshal(business, &told))
	if !bytes.Contains(told.Values["proof"], []byte(digest)) {
		t.Errorf("the back office is told %s", told.Values["proof"])
	}
	d.nowhere("GIẤY TỜ NHÀ MẪU 4711", "giấy nhà")
}

// nowhere wants the texts in no file of the installation.
func (d *desk) nowhere(texts ...string) {
	d.t.Helper()
	d.must(filepath.WalkDir(d.office.Service.Options.Dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, s := range texts {
			if bytes.Contains(data, []byte(s)) {
				d.t.Errorf("%s holds %q in clear", path, s)
			}
		}
		return nil
	}))
}

func TestAFileThatNoFieldTakesIsRefusedInWords(t *testing.T) {
	d := theOffice(t).sit(t).move()
	d.to("open")
	actor, err := d.office.Service.Hall.Actor(d.ctx, d.token)
	d.must(err)
	for name, c := range map[string]struct {
		code string
		data []byte
	}{
		"40 MB":                 {"file.too_big", paper("x", 40<<20)},
		"one byte too many":     {"file.too_big", append(make([]byte, kiosk.MaxFile), 1)},
		"nothing":               {"file.empty", nil},
		"a text called .pdf":    {"file.type", []byte("Thưa quý công ty, tôi xin...\n")},
		"a program called .pdf": {"file.type", []byte("\x7fELF\x02\x01\x01")},
		"a cut PDF":             {"file.cut", paper("x", 90_000)[:80_000]},
		"a cut picture":         {"file.cut", picture()[:len(picture())/3]},
		"a page of HTML":        {"file.type", []byte("<html>%PDF-1.7 %%EOF")},
	} {
		_, err := d.Clerk.SetFile(d.ctx, d.key(), "proof", "", "giay.pdf", c.data)
		refused(t, err, c.code)
		clear(t, name, err)
		// The service says so itself, whatever the terminal thinks.
		_, err = d.office.Service.Hall.SetFile(d.ctx, actor, d.key(), "proof", "", "giay.pdf", c.data)
		refused(t, err, c.code)
	}
	status, body := d.office.send(t, d.token, http.MethodPut, "/v1/orders/"+d.key()+"/files/proof?name=x.pdf", "application/octet-stream", bytes.NewReader(paper("x", kiosk.MaxFile)))
	if status != http.StatusUnprocessableEntity || !strings.Contains(body, "file.too_big") {
		t.Errorf("a little too much, past the client: %d %s", status, body)
	}
	for _, name := range []string{"", "..", "/", "😀", "\x00"} {
		_, err := d.Clerk.SetFile(d.ctx, d.key(), "proof", "", name, paper("x", 100))
		clear(t, fmt.Sprintf("a file called %q", name), err)
	}
	_, err = d.Clerk.SetFile(d.ctx, d.key(), "phone", "", "a.pdf", paper("x", 100))
	refused(t, err, "order.takes_no_file")
	_, err = d.Clerk.SetFile(d.ctx, d.key(), "no_such_field", "", "a.pdf", paper("x", 100))
	refused(t, err, "order.no_field")
	_, err = d.Clerk.FieldFile(d.ctx, d.key(), "proof")
	refused(t, err, "store.not_found")
	_, err = d.Clerk.SetField(d.ctx, d.key(), "proof", "", "giay.pdf")
	refused(t, err, "field.file")
	if n := d.files(); n != 0 {
		t.Errorf("%d files are stored", n)
	}
	if _, err := d.Clerk.SetFile(d.ctx, d.key(), "proof", "", "anh.jpg", picture()); err != nil {
		t.Errorf("a photo is refused: %v", err)
	}
}

func TestAFileIsKeptAsLongAsItsOrderNamesIt(t *testing.T) {
	d := theOffice(t).sit(t).move()
	d.to("open")
	stored := func(what string, want int) {
		t.Helper()
		if n := d.files(); n != want {
			t.Errorf("%s: %d files are stored, want %d", what, n, want)
		}
	}
	base := func() string { return d.look().Order.Values["proof"].Base() }
	set := func(text string) {
		t.Helper()
		_, err := d.Clerk.SetFile(d.ctx, d.key(), "proof", base(), text+".pdf", paper(text, 1000))
		d.must(err)
	}
	holds := func(text string) {
		t.Helper()
		got, err := d.Clerk.FieldFile(d.ctx, d.key(), "proof")
		if text == "" {
			refused(t, err, "store.not_found")
			return
		}
		d.must(err)
		if !bytes.Equal(got, paper(text, 1000)) {
			t.Errorf("the field does not hold %q", text)
		}
	}
	undo := func() { t.Helper(); _, err := d.Clerk.Undo(d.ctx, d.key()); d.must(err) }
	set("một")
	set("hai")
	stored("a replaced one can be brought back", 2)
	undo()
	holds("một")
	_, err := d.Clerk.Redo(d.ctx, d.key())
	d.must(err)
	holds("hai")
	undo()
	undo()
	holds("")
	stored("both can be redone", 2)
	set("ba")
	holds("ba")
	stored("what can't be redone is gone", 1)
	_, err = d.Clerk.SetField(d.ctx, d.key(), "proof", base(), "")
	d.must(err)
	holds("")
	stored("a cleared one can be brought back", 1)
	undo()
	holds("ba")
	set("bốn")
	d.to("seal")
	stored("a sealed order keeps what it names", 1)
	d.passed()
	holds("bốn")

	other := theOffice(t).sit(t).move()
	other.to("open")
	key := other.key()
	_, err = other.Clerk.SetFile(other.ctx, key, "proof", "", "a.pdf", paper("a", 1000))
	other.must(err)
	_, err = other.Clerk.SetFile(other.ctx, key, "proof", other.look().Order.Values["proof"].Base(), "b.pdf", paper("b", 1000))
	other.must(err)
	other.must(other.Clerk.Cancel(other.ctx, key))
	if n := other.files(); n != 1 {
		t.Errorf("a cancelled order keeps %d files, want the one that it names", n)
	}
}

func TestTwoClerksWhoPutAFileIntoOneFieldMeetAConflict(t *testing.T) {
	o := theOffice(t)
	d, second := o.sit(t).move(), o.sit(t)
	d.to("open")
	_, err := d.Clerk.SetFile(d.ctx, d.key(), "proof", "", "a.pdf", paper("a", 1000))
	d.must(err)
	_, err = second.Clerk.SetFile(d.ctx, d.key(), "proof", "", "b.pdf", paper("b", 1000))
	refused(t, err, "order.field_taken")
	_, err = second.Clerk.SetField(d.ctx, d.key(), "proof", "", "")
	refused(t, err, "order.field_taken")
	if n := d.files(); n != 1 {
		t.Errorf("%d files are stored", n)
	}
	_, err = second.Clerk.SetFile(d.ctx, d.key(), "proof", d.look().Order.Values["proof"].Base(), "b.pdf", paper("b", 1000))
	d.must(err)
}

func TestEqualsRemembersWhereItCopiedFrom(t *testing.T) {
	d := theOffice(t).sit(t)
	d.Service = "01"
	d.to("open")
	_, err := d.Clerk.SetField(d.ctx, d.key(), "use_address", d.look().Order.Values["use_address"].Base(), "")
	d.must(err)
	v, err := d.Clerk.SetSame(d.ctx, d.key(), "use_address", "")
	d.must(err)
	got, from := v.Order.Values["use_address"], v.Order.Values["residence"]
	if got.Text != from.Text || got.Text == "" || got.Source != "same:residence" || got.Edited {
		t.Errorf("%+v is not a copy of %+v", got, from)
	}
	_, err = d.Clerk.SetField(d.ctx, d.key(), "residence", from.Base(), "")
	d.must(err)
	_, err = d.Clerk.SetSame(d.ctx, d.key(), "use_address", got.Base())
	refused(t, err, "order.nothing_same")
	_, err = d.Clerk.SetSame(d.ctx, d.key(), "phone", "")
	refused(t, err, "order.nothing_same")
}

func TestAWrongCellIsNamedByTheRowThatTheClerkSees(t *testing.T) {
	d := theOffice(t).sit(t)
	d.to("open")
	_, err := d.Clerk.SetRows(d.ctx, d.key(), "appliances", [][]string{{"Đèn", "1", "60", "5"}, {"Quạt", "x", "40", "8"}})
	if got := locale.Fault(locale.Vietnamese, err); !strings.HasPrefix(got, "Ô 14.2") || fault.KindOf(err) != fault.Invalid {
		t.Errorf("%q", got)
	}
}

func TestAVisitTellsHowTheConditionsOfEachServiceStand(t *testing.T) {
	o := theOffice(t)
	d := o.sit(t)
	state := func(v kiosk.VisitView, service, vi string) string {
		for _, f := range v.Findings[service] {
			if f.Text[locale.Vietnamese] == vi {
				return f.State
			}
		}
		return "none"
	}
	d.to("open")
	visit := d.look().Order.Visit
	v, err := d.Clerk.Visit(d.ctx, visit)
	d.must(err)
	for service, want := range map[string]string{"11": "failed", "13": "met"} {
		if got := state(v, service, "Không có yêu cầu cùng loại đang mở"); got != want {
			t.Errorf("no open order of service %s: %s, want %s", service, got, want)
		}
	}
	if got := state(v, "11", "Hợp đồng còn hiệu lực"); got != "unknown" {
		t.Errorf("what nobody knows is %s", got)
	}
	why, stops := kiosk.Stops(v.Findings["11"])
	_, err = d.Clerk.StartOrder(d.ctx, visit, "11", false)
	refused(t, err, "order.not_eligible")
	if !stops || !strings.Contains(err.Error(), why.Text[locale.Vietnamese]) {
		t.Errorf("the terminal says %v, the service %v", why, err)
	}
	fresh, err := d.Clerk.OpenVisit(d.ctx, "", "")
	d.must(err)
	for service, list := range fresh.Findings {
		for _, f := range list {
			if f.State != "unknown" {
				t.Errorf("service %s for somebody unknown: %+v", service, f)
			}
		}
	}
}

func TestTheDemonstrationsPaperIsOneThatItsServiceTakes(t *testing.T) {
	d := theOffice(t).sit(t).move()
	d.to("open")
	path := filepath.Join(d.office.Dir, "scans", "giay-to-nha-mau.pdf")
	data, err := os.ReadFile(path)
	d.must(err)
	program(t, "qpdf", "--check", path)
	_, err = d.Clerk.SetFile(d.ctx, d.key(), "proof", "", filepath.Base(path), data)
	d.must(err)
}
