package workorder

import (
	"bytes"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"countersign/internal/fault"
	"countersign/signing/pdf"
	"countersign/signing/pdf/page"
	"countersign/signing/pdf/stamp"
)

func build(t testing.TB, c Content, e *Evidence, f Fonts) []byte {
	t.Helper()
	b, err := Build(c, e, f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// tool runs a Debian program (poppler-utils, qpdf) on a document.
func tool(t *testing.T, document []byte, name string, args ...string) string {
	t.Helper()
	in := filepath.Join(t.TempDir(), "in.pdf")
	if err := os.WriteFile(in, document, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "IN", in)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func TestTheSameOrderGivesTheSameBytes(t *testing.T) {
	c := capacityChange()
	a, b := build(t, c, evidenceFor(t, c), builtinFonts(t)), build(t, c, evidenceFor(t, c), builtinFonts(t))
	if !bytes.Equal(a, b) {
		t.Error("two documents of one order differ")
	}
	c = transfer()
	// Another font object must not matter, nor what was made with it before.
	first, second := chineseFonts(t), chineseFonts(t)
	build(t, c, nil, second)
	if !bytes.Equal(build(t, c, evidenceFor(t, c), first), build(t, c, evidenceFor(t, c), second)) {
		t.Error("two Chinese documents of one order differ")
	}
}

func TestReadersFindNothingWrong(t *testing.T) {
	vi, zh := capacityChange(), transfer()
	en := capacityChange()
	en.Language = "en"
	for name, b := range map[string][]byte{
		"to sign": build(t, vi, evidenceFor(t, vi), builtinFonts(t)), "to read": build(t, vi, nil, builtinFonts(t)),
		"Chinese": build(t, zh, evidenceFor(t, zh), chineseFonts(t)), "English": build(t, en, evidenceFor(t, en), builtinFonts(t)),
		"empty": build(t, Content{Language: "vi"}, nil, builtinFonts(t)),
	} {
		if out := tool(t, b, "qpdf", "--check", "IN"); !strings.Contains(out, "No syntax or stream encoding errors found") || strings.Contains(out, "WARNING") {
			t.Errorf("%s: %s", name, out)
		}
		f, err := pdf.Parse(b)
		if err != nil {
			t.Errorf("%s: our own reader: %v", name, err)
			continue
		}
		if len(f.Revisions) != 1 || len(f.Revisions[0].Stray) != 0 {
			t.Errorf("%s: %d revisions", name, len(f.Revisions))
		}
		for _, line := range strings.Split(strings.TrimSpace(tool(t, b, "pdffonts", "IN")), "\n")[2:] {
			if !regexp.MustCompile(`^[A-Z]{6}\+\S+ +CID TrueType +Identity-H +yes yes yes`).MatchString(line) {
				t.Errorf("%s: font is not an embedded subset: %s", name, line)
			}
		}
	}
}

func TestAttachmentsAreTheBytesThatWereAgreedOn(t *testing.T) {
	c := capacityChange()
	e := evidenceFor(t, c)
	b := build(t, c, e, builtinFonts(t))
	dir := t.TempDir()
	tool(t, b, "pdfdetach", "-saveall", "-o", dir, "IN")
	evidence, err := e.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]byte{ContentFile: canon(t, c), EvidenceFile: evidence} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs:\n%s", name, got)
		}
		f, err := pdf.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if ours, err := pdf.EmbeddedFile(f, name); err != nil || !bytes.Equal(ours, want) {
			t.Errorf("%s read by ourselves: %v", name, err)
		}
	}
	for _, whole := range []string{"001090000017", "001 090 000 017", "thu@mau.example"} {
		if bytes.Contains(evidence, []byte(whole)) {
			t.Errorf("evidence holds %s", whole)
		}
	}
}

func TestWhatIsReadIsPrinted(t *testing.T) {
	for _, c := range []Content{capacityChange(), transfer()} {
		w, err := wordsFor(c.Language)
		if err != nil {
			t.Fatal(err)
		}
		b := build(t, c, nil, chineseFonts(t))
		text := solid(tool(t, b, "pdftotext", "-raw", "-enc", "UTF-8", "IN", "-"))
		for _, block := range compose(c, w) {
			parts := []string{block.number + block.label, block.text, block.source, strings.Join(block.table.Columns, "")}
			if block.kind == kindParagraph {
				parts = []string{block.number + block.text}
			}
			for _, r := range block.table.Rows {
				parts = append(parts, strings.Join(r, ""))
			}
			for _, p := range parts {
				if !strings.Contains(text, solid(p)) {
					t.Errorf("%s: %q is not printed", c.Language, p)
				}
			}
		}
	}
}

func TestTheFullNumberStandsOnlyInTheForm(t *testing.T) {
	c := capacityChange()
	b := build(t, c, evidenceFor(t, c), builtinFonts(t))
	if n := strings.Count(tool(t, b, "pdftotext", "IN", "-"), "001 090 000 017"); n != 1 {
		t.Errorf("the number is printed %d times", n)
	}
	pages := strings.Split(tool(t, b, "pdftotext", "-raw", "IN", "-"), "\f")
	last := pages[len(pages)-2]
	for _, want := range []string{"TRANG BẰNG CHỨNG", "001*****0017", "trong ô chữ ký của khách", "NGUYỄN VĂN THỬ", "Ngô Lan Anh", "unit_seal", "đã sửa, khách hàng đồng ý"} {
		if !strings.Contains(last, want) {
			t.Errorf("the evidence page lacks %q", want)
		}
	}
}

func TestEveryPageCarriesTheHashOfTheAttachment(t *testing.T) {
	c := capacityChange()
	want := ShortHash(Digest(canon(t, c)))
	for _, e := range []*Evidence{nil, evidenceFor(t, c)} {
		pages := strings.Split(tool(t, build(t, c, e, builtinFonts(t)), "pdftotext", "-raw", "IN", "-"), "\f")
		for i, p := range pages[:len(pages)-1] {
			if !strings.Contains(p, want) || !strings.Contains(p, "WO-PA0505-20261121-000042") {
				t.Errorf("page %d lacks hash or number:\n%s", i+1, p)
			}
			if strings.Contains(p, "Bản để đọc, chưa ký") != (e == nil) {
				t.Errorf("page %d says the wrong thing about being signed", i+1)
			}
		}
	}
}

// rects returns the signature fields' rectangles.
func rects(t *testing.T, b []byte) map[string][4]float64 {
	t.Helper()
	out := map[string][4]float64{}
	for _, m := range regexp.MustCompile(`/FT /Sig /T \((\w+)\).*?/F 132 /P \d+ 0 R /Rect \[([0-9.]+) ([0-9.]+) ([0-9.]+) ([0-9.]+) \]`).FindAllStringSubmatch(string(b), -1) {
		var r [4]float64
		for i := range r {
			v, err := strconv.ParseFloat(m[2+i], 64)
			if err != nil {
				t.Fatal(err)
			}
			r[i] = v
		}
		out[m[1]] = r
	}
	return out
}

func overlap(a, b [4]float64) (wide, high float64) {
	return min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
}

func TestFieldsArePlacedAsTheDecreeAsks(t *testing.T) {
	for _, c := range []Content{capacityChange(), transfer()} {
		r := rects(t, build(t, c, evidenceFor(t, c), chineseFonts(t)))
		if len(r) != 4 {
			t.Fatalf("fields are %v", r)
		}
		for name, rect := range r {
			w, h := FieldSize(c.Language, name)
			if dw, dh := rect[2]-rect[0]-w, rect[3]-rect[1]-h; dw > 0.02 || dw < -0.02 || dh > 0.02 || dh < -0.02 {
				t.Errorf("%s is %v, want %g × %g", name, rect, w, h)
			}
			if rect[0] < 0 || rect[2] > page.A4Width || rect[1] < 40 {
				t.Errorf("%s leaves the page: %v", name, rect)
			}
		}
		// The unit's seal covers the left third of the clerk's signature and nothing else.
		wide, _ := overlap(r[FieldUnitSeal], r[FieldClerk])
		third := (r[FieldClerk][2] - r[FieldClerk][0]) / 3
		if wide < third-0.1 || wide > third+0.1 || r[FieldUnitSeal][0] > r[FieldClerk][0] {
			t.Errorf("the seal covers %.1f of %.1f points of the clerk's signature", wide, 3*third)
		}
		for _, pair := range [][2]string{{FieldUnitSeal, FieldCustomer}, {FieldUnitSeal, FieldBusinessSeal}, {FieldBusinessSeal, FieldCustomer}, {FieldBusinessSeal, FieldClerk}, {FieldCustomer, FieldClerk}} {
			if w, h := overlap(r[pair[0]], r[pair[1]]); w > 0 && h > 0 {
				t.Errorf("%s covers %s", pair[0], pair[1])
			}
		}
	}
}

func TestFieldsFollowTheSignersAndAreAbsentFromTheReadingCopy(t *testing.T) {
	c := capacityChange()
	if r := rects(t, build(t, c, nil, builtinFonts(t))); len(r) != 0 {
		t.Errorf("the reading copy has fields: %v", r)
	}
	c.Signers = c.Signers[:2]
	if r := rects(t, build(t, c, evidenceFor(t, c), builtinFonts(t))); len(r) != 2 {
		t.Errorf("two signers, fields %v", r)
	}
	c.Signers = nil
	if r := rects(t, build(t, c, evidenceFor(t, c), builtinFonts(t))); len(r) != 4 {
		t.Errorf("no signers named, fields %v", r)
	}
	c.Signers = []Signer{{Role: "Ai đó", Field: "other"}}
	if _, err := Build(c, nil, builtinFonts(t)); !fault.Is(err, "workorder.signer") {
		t.Errorf("an unknown field: %v", err)
	}
}

func TestEveryFieldCanBeFilledWithItsAppearance(t *testing.T) {
	c := capacityChange()
	b := build(t, c, evidenceFor(t, c), builtinFonts(t))
	seal, err := stamp.Round(stamp.Seal{Geometry: "vn-company", Name: c.Unit.Parent, Line: c.Unit.Name})
	if err != nil {
		t.Fatal(err)
	}
	block, err := stamp.Block([]string{"Đã xác nhận bằng mã OTP", c.Customer, "21/11/2026 09:22:31 (UTC+7)"}, 9, stamp.Blue)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{FieldCustomer, FieldClerk, FieldBusinessSeal, FieldUnitSeal} {
		a := block
		if strings.HasSuffix(field, "seal") {
			a = seal
		}
		w, h := FieldSize(c.Language, field)
		a = stamp.Fit(a, w, h)
		p, err := pdf.Prepare(b, pdf.Request{Field: field, Name: "Ngô Lan Anh", At: at(9, 25, 0), Appearance: &a})
		if err != nil {
			t.Fatal(err)
		}
		// The value is no signature; only the structure is looked at here.
		if b, err = p.Finish([]byte{0x30, 0x03, 0x02, 0x01, 0x00}); err != nil {
			t.Fatal(err)
		}
	}
	if out := tool(t, b, "qpdf", "--check", "IN"); strings.Contains(out, "WARNING") {
		t.Error(out)
	}
	if keep := os.Getenv("WORKORDER_KEEP"); keep != "" {
		if err := os.WriteFile(keep, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMissingGlyphIsRefusedByName(t *testing.T) {
	_, err := Build(transfer(), nil, builtinFonts(t))
	if !fault.Is(err, "workorder.glyph") || !strings.Contains(err.Error(), `code="U+`) || !strings.Contains(err.Error(), "LiberationSerif") {
		t.Errorf("Chinese without a Chinese font: %v", err)
	}
	c := capacityChange()
	c.Customer = "THỬ 🙂"
	if _, err := Build(c, nil, chineseFonts(t)); !fault.Is(err, "workorder.glyph") || !strings.Contains(err.Error(), `code="U+1F642"`) {
		t.Errorf("a smiling face: %v", err)
	}
}

func TestWhatDoesNotBelongTogetherIsRefused(t *testing.T) {
	c := capacityChange()
	for name, x := range map[string]struct {
		code  string
		spoil func(c *Content, e *Evidence)
	}{
		"evidence of another content":  {"workorder.evidence_other", func(c *Content, _ *Evidence) { c.Fee.Amount = "1 đ" }},
		"evidence of no content":       {"workorder.evidence_other", func(_ *Content, e *Evidence) { e.ContentSHA256 = "" }},
		"a whole number on the page":   {"workorder.evidence_unmasked", func(_ *Content, e *Evidence) { e.Identity.Number = "001090000017" }},
		"another picture":              {"workorder.portrait", func(_ *Content, e *Evidence) { e.PortraitSHA256 = strings.Repeat("0", 64) }},
		"a picture that is none":       {"workorder.portrait", func(_ *Content, e *Evidence) { setPortrait(e, []byte("no picture")) }},
		"a language that is not known": {"workorder.language", func(c *Content, _ *Evidence) { c.Language = "fr" }},
		"a code that no QR code holds": {"workorder.qr", func(c *Content, e *Evidence) {
			c.VerifyCode = strings.Repeat("X", 300)
			*e = *evidenceFor(t, *c)
		}},
		"an escape sequence":      {"workorder.text", func(c *Content, _ *Evidence) { c.Sections[0].Rows[0].Value = "\x1b[2J" }},
		"a bell in a table":       {"workorder.text", func(c *Content, _ *Evidence) { c.Sections[2].Tables[0].Rows[0][0] = "\a" }},
		"a cell without a column": {"workorder.text", func(c *Content, _ *Evidence) { c.Sections[2].Tables[0].Rows[0] = make([]string, 6) }},
	} {
		c, e := capacityChange(), evidenceFor(t, c)
		x.spoil(&c, e)
		if _, err := Build(c, e, builtinFonts(t)); !fault.Is(err, x.code) {
			t.Errorf("%s: %v, want %s", name, err, x.code)
		}
	}
}

func setPortrait(e *Evidence, data []byte) {
	d := Digest(data)
	e.Portrait, e.PortraitSHA256 = data, hex.EncodeToString(d[:])
}

// TestNothingLeavesTheMargins lays out far too much of everything and asks another program where the words stand.
func TestNothingLeavesTheMargins(t *testing.T) {
	c := capacityChange()
	long := strings.Repeat("Địa chỉ rất dài ở một nơi rất xa ", 90)
	c.Sections[0].Rows = append(c.Sections[0].Rows,
		Row{"17", "note", "Ghi chú " + strings.Repeat("dài ", 30), long, "nguồn có tên rất dài, dài hơn cột của nó"},
		Row{"18", "hash", "Không có chỗ ngắt", strings.Repeat("x", 400), ""})
	table := &c.Sections[2].Tables[0]
	for i := range 120 {
		table.Rows = append(table.Rows, []string{"Thiết bị số " + itoa(i) + strings.Repeat(" phụ", i%9), itoa(i), "1.000", "24", "720"})
	}
	table.Rows = append(table.Rows, []string{long, "1", "1", "1", "1"})
	wide := Table{Columns: strings.Fields("một hai ba bốn năm sáu bảy tám chín mười"), Rows: [][]string{make([]string, 10)}}
	for i := range wide.Rows[0] {
		wide.Rows[0][i] = strings.Repeat("rộng ", 12)
	}
	c.Sections[2].Tables = append(c.Sections[2].Tables, wide)
	c.Agreement.Clauses[0].Paragraphs = append(c.Agreement.Clauses[0].Paragraphs, long)
	c.Clerk.Name, c.Signers[0].Name = strings.Repeat("Ngô Lan Anh ", 6), strings.Repeat("NGUYỄN VĂN THỬ ", 4)
	e := evidenceFor(t, c)
	e.Identity.Address = long
	for i := range 60 {
		e.Identity.Checks = append(e.Identity.Checks, Check{"Phép " + itoa(i), true, long[:200]})
	}
	b := build(t, c, e, builtinFonts(t))
	boxes := tool(t, b, "pdftotext", "-bbox", "IN", "-")
	words, page := 0, 0
	for _, line := range strings.Split(boxes, "\n") {
		if strings.Contains(line, "<page ") {
			page++
			continue
		}
		m := regexp.MustCompile(`<word xMin="([0-9.]+)" yMin="([0-9.]+)" xMax="([0-9.]+)" yMax="([0-9.]+)">(.*)</word>`).FindStringSubmatch(line)
		if m == nil {
			continue
		}
		words++
		var v [4]float64
		for i := range v {
			v[i], _ = strconv.ParseFloat(m[i+1], 64)
		}
		foot := v[1] > bottom+15 && v[3] < bottom+30
		if v[0] < left-0.5 || v[2] > right+0.5 || v[1] < 20 || v[3] > bottom+3 && !foot {
			t.Errorf("page %d: %q stands at %v", page, m[5], v)
		}
	}
	if words < 3000 || page < 8 {
		t.Errorf("%d words on %d pages are too few for this test", words, page)
	}
	text := tool(t, b, "pdftotext", "-raw", "IN", "-")
	if n := strings.Count(text, "Số lượng"); n < 3 {
		t.Errorf("the table's head stands on %d pages only", n)
	}
	for _, want := range []string{"Thiết bị số 0 ", "Thiết bị số 119", "Phép 59"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is lost", want)
		}
	}
}

func TestDatesFollowTheDecree(t *testing.T) {
	w, err := wordsFor("vi")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		month, day int
		want       string
	}{
		{11, 21, "Huế, ngày 21 tháng 11 năm 2026"}, {2, 5, "Huế, ngày 05 tháng 02 năm 2026"}, {3, 9, "Huế, ngày 09 tháng 3 năm 2026"},
	} {
		d := at(9, 0, 0).AddDate(0, x.month-11, x.day-21)
		if got := w.placeDate("Huế", d); got != x.want {
			t.Errorf("got %q, want %q", got, x.want)
		}
	}
}

func TestManyDocumentsCanBeMadeAtOnce(t *testing.T) {
	fonts := chineseFonts(t)
	want := map[string][]byte{}
	for _, c := range []Content{capacityChange(), transfer()} {
		want[c.OrderID] = build(t, c, evidenceFor(t, c), fonts)
	}
	fresh := chineseFonts(t)
	var wait sync.WaitGroup
	for i := range 16 {
		c := capacityChange()
		if i%2 == 1 {
			c = transfer()
		}
		e := evidenceFor(t, c)
		wait.Go(func() {
			b, err := Build(c, e, fresh)
			if err != nil || !bytes.Equal(b, want[c.OrderID]) {
				t.Errorf("%s: another document came out (%v)", c.OrderID, err)
			}
		})
	}
	wait.Wait()
}
