package workorder

import (
	"bytes"
	"encoding/json"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/rivo/uniseg"
	"golang.org/x/text/unicode/norm"
)

func canon(t testing.TB, c Content) []byte {
	t.Helper()
	b, err := c.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCanonicalHasSortedKeysAndNothingEscapedForTheWeb(t *testing.T) {
	c := capacityChange()
	c.Service.Title = `<a> & "b" \ ` + "\n\t\x01"
	b := canon(t, c)
	if !bytes.Contains(b, []byte(`"title":"<a> & \"b\" \\ \n\t\u0001"`)) {
		t.Errorf("title is not written plainly: %s", b)
	}
	var walk func(d *json.Decoder)
	walk = func(d *json.Decoder) {
		tok, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch tok {
		case json.Delim('{'):
			var keys []string
			for d.More() {
				k, err := d.Token()
				if err != nil {
					t.Fatal(err)
				}
				keys = append(keys, k.(string))
				walk(d)
			}
			if !sort.StringsAreSorted(keys) {
				t.Errorf("keys are not sorted: %q", keys)
			}
			_, _ = d.Token()
		case json.Delim('['):
			for d.More() {
				walk(d)
			}
			_, _ = d.Token()
		}
	}
	walk(json.NewDecoder(bytes.NewReader(b)))
}

func TestCanonicalIsWhatTheStandardLibraryReadsBack(t *testing.T) {
	for _, c := range []Content{capacityChange(), transfer(), {}} {
		b := canon(t, c)
		var back Content
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		if err := d.Decode(&back); err != nil {
			t.Fatal(err)
		}
		if again := canon(t, back); !bytes.Equal(again, b) {
			t.Errorf("read back and written again:\n%s\nwas\n%s", again, b)
		}
	}
}

func TestSameTextInAnotherFormOrZoneHasTheSameDigest(t *testing.T) {
	a, b := capacityChange(), capacityChange()
	b.Customer = norm.NFD.String(b.Customer)
	b.Created = b.Created.UTC().Add(300 * time.Millisecond)
	if b.Customer == a.Customer {
		t.Fatal("the name has no accents to take apart")
	}
	if Digest(canon(t, a)) != Digest(canon(t, b)) {
		t.Error("digests differ")
	}
	b.Fee.Amount = "1 đ"
	if Digest(canon(t, a)) == Digest(canon(t, b)) {
		t.Error("another fee has the same digest")
	}
}

func TestTextThatIsNotUTF8IsRefused(t *testing.T) {
	c := capacityChange()
	c.Customer = "\xff"
	if _, err := c.Canonical(); err == nil {
		t.Error("accepted")
	}
}

func TestShortHashIsTheFirst64BitsInGroups(t *testing.T) {
	d := [32]byte{0x3F, 0x9A, 0x71, 0xC2, 0x8E, 0x04, 0xD5, 0xB6, 0xFF}
	if got := ShortHash(d); got != "3F9A 71C2 8E04 D5B6" {
		t.Errorf("got %q", got)
	}
	if got := Digest([]byte("abc")); ShortHash(got) != "BA78 16BF 8F01 CFEA" {
		t.Errorf("SHA-256 of abc begins %s", ShortHash(got))
	}
}

func solid(s string) string { return strings.Join(strings.Fields(s), "") }

func TestReadingLinesHoldTheWholeContentInsideTheWidth(t *testing.T) {
	for _, c := range []Content{capacityChange(), transfer()} {
		w, err := wordsFor(c.Language)
		if err != nil {
			t.Fatal(err)
		}
		for _, width := range []int{60, 78, 120, 200} {
			var all strings.Builder
			last := 1
			for i, l := range c.Lines(width) {
				if n := uniseg.StringWidth(l.Text); n > width {
					t.Errorf("width %d: line %d has %d cells: %q", width, i, n, l.Text)
				}
				if l.Page != i/PageLines+1 || l.Page < last {
					t.Errorf("line %d is on page %d", i, l.Page)
				}
				last = l.Page
				all.WriteString(l.Text)
			}
			// Wrapped columns stand side by side; every word of every block must be there.
			text := solid(all.String())
			for _, b := range compose(c, w) {
				words := strings.Fields(b.text + " " + b.label + " " + b.number + " " + b.source + " " + strings.Join(b.table.Columns, " "))
				for _, r := range b.table.Rows {
					words = append(words, strings.Fields(strings.Join(r, " "))...)
				}
				for _, word := range words {
					if !strings.Contains(text, word) && uniseg.StringWidth(word) < width/3 {
						t.Errorf("width %d: %q is not on the screen", width, word)
					}
				}
			}
		}
	}
}

func TestHeadsAreMarkedAndRowsAligned(t *testing.T) {
	var heads []string
	for _, l := range capacityChange().Lines(80) {
		if l.Head {
			heads = append(heads, l.Text)
		}
		if strings.Contains(l.Text, "Công suất đề nghị") && l.Text != "  10 Công suất đề nghị         7,5 kW" {
			t.Errorf("row is %q", l.Text)
		}
	}
	want := "PHIẾU CÔNG VIỆC|A. NGƯỜI YÊU CẦU|B. ĐIỂM DÙNG ĐIỆN|C. THIẾT BỊ (ô 14)|D. GIẤY TỜ KÈM VÀ THÔNG BÁO|PHÍ VÀ THỜI HẠN|" +
		"THỎA THUẬN: Thỏa thuận thay đổi công suất, bản 2026-06"
	if got := strings.Join(heads, "|"); got != want {
		t.Errorf("heads are %q", got)
	}
}

func TestParagraphsAreNumberedOnce(t *testing.T) {
	for _, c := range []struct{ clause, text, number, rest string }{
		{"3", "Phí dịch vụ", "3.2", "Phí dịch vụ"},
		{"3", "3.2 Phí dịch vụ", "3.2", "Phí dịch vụ"},
		{"3", "3.2. Phí dịch vụ", "3.2", "Phí dịch vụ"},
		{"3", "30 ngày", "3.2", "30 ngày"},
		{"III", "Phí", "", "Phí"},
	} {
		if n, s := paragraph(c.clause, 2, c.text); n != c.number || s != c.rest {
			t.Errorf("%q in %s: %q %q", c.text, c.clause, n, s)
		}
	}
}

func TestQuickCheckAgreesWithTheStandard(t *testing.T) {
	for r := rune(0); r < 0x20000; r++ {
		if r >= 0xD800 && r < 0xE000 {
			continue
		}
		if s := "a" + string(r); composed(s) && !norm.NFC.IsNormalString(s) {
			t.Fatalf("U+%04X passes as composed", r)
		}
	}
}

func TestMaskedTextsAreToldFromWholeOnes(t *testing.T) {
	for s, want := range map[string]bool{
		"001*****0017": false, "": false, "******0018": false,
		"001090000017": true, "001 090 000 017": true, "0900.000.018": true,
	} {
		if exposed(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}

func TestWhatIsEmptyIsNotAnnounced(t *testing.T) {
	c := capacityChange()
	c.Clerk.Counter, c.Term, c.Fee.Words, c.VerifyCode, c.RetainUntil = "3", Term{Due: "ngay tại quầy"}, "", "", ""
	c.Sections = append(c.Sections, Section{Title: "E. KHÔNG CÓ GÌ"})
	var text strings.Builder
	for _, l := range c.Lines(80) {
		text.WriteString(l.Text + "\n")
	}
	for _, no := range []string{"KHÔNG CÓ GÌ", "0 ngày", "()", "Mã kiểm tra", "Lưu mã hóa"} {
		if strings.Contains(text.String(), no) {
			t.Errorf("%q is announced", no)
		}
	}
	for _, want := range []string{"NV0117), quầy 3", "Thời hạn                  ngay tại quầy"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in\n%s", want, text.String())
		}
	}
}
