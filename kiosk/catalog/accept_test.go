package catalog_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"
	"pgregory.net/rapid"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/kiosk/catalog"
)

func TestWhatIsTypedBecomesCanonical(t *testing.T) {
	cases := []struct{ service, field, typed, want string }{
		{"11", "id_number", "001090000017", "001090000017"},
		{"11", "id_number", " 001 090 000 017 ", "001090000017"},
		{"11", "id_number", "b1234567", "B1234567"},
		{"51", "id_number", "110000 19900102 1230", "110000199001021230"},
		{"51", "id_number", "34052419800101001x", "34052419800101001X"},
		{"11", "full_name", "nguyễn  văn thử", "NGUYỄN VĂN THỬ"},
		{"11", "full_name", "Nguye\u0302\u0303n", "NGUYỄN"},
		{"51", "full_name", "赵试", "赵试"},
		{"11", "birth", "01011990", "1990-01-01"},
		{"11", "birth", "1/1/1990", "1990-01-01"},
		{"11", "birth", "1990-01-01", "1990-01-01"},
		{"11", "birth", "2011", "2026-11-20"},
		{"11", "birth", "29022024", "2024-02-29"},
		{"22", "end_day", "+3", "2026-11-25"},
		{"22", "end_day", "+0", "2026-11-21"},
		{"11", "phone", "0900000018", "0900000018"},
		{"11", "phone", "+84 900 000 018", "0900000018"},
		{"11", "phone", "01690000018", "0390000018"},
		{"11", "phone", "024.62764300", "02462764300"},
		{"51", "phone", "+86 138 0000 0000", "13800000000"},
		{"11", "email", "Thu@MAU.example", "Thu@mau.example"},
		{"41", "unit_code", "1999001", "1999001"},
		{"41", "office", "0012", "0012"},
		{"41", "account", "9527.2.1999001.00000", "9527.2.1999001.00000"},
		{"41", "account", "95272199900100000", "9527.2.1999001.00000"},
		{"02", "tax_code", "0199990011", "0199990011"},
		{"02", "tax_code", "0199990004-001", "0199990004-001"},
		{"02", "tax_code", "0199990029001", "0199990029-001"},
		{"02", "tax_code", "001090000017", "001090000017"},
		{"11", "capacity", "7,5", "7.5"},
		{"11", "capacity", "7.5", "7.5"},
		{"11", "capacity", "7,50 kW", "7.5"},
		{"11", "capacity", "39.9", "39.9"},
		{"11", "capacity", "8", "8"},
		{"42", "balance", "1.234.567", "1234567"},
		{"42", "balance", "1,234,567", "1234567"},
		{"42", "balance", "1.500.000 đ (một triệu năm trăm nghìn đồng)", "1500000"},
		{"42", "balance", "VND 1,500,000", "1500000"},
		{"12", "reading", "1.234", "1234"},
		{"11", "phases", "2", "2"},
		{"11", "phases", "Ba pha", "2"},
		{"11", "phases", "three phases", "2"},
		{"11", "phases", "3P", "2"},
		{"31", "present", "1", "yes"},
		{"31", "present", "Không", "no"},
		{"31", "details", "dòng một\r\ndòng  hai ", "dòng một\ndòng hai"},
		{"11", "phone", "  ", ""},
	}
	for _, c := range cases {
		got, err := field(t, service(t, c.service), c.field).Accept(c.typed, today, locale.Vietnamese)
		if err != nil || got != c.want {
			t.Errorf("%s %s: Accept(%q) = %q, %v, want %q", c.service, c.field, c.typed, got, err, c.want)
		}
	}
	if got, err := field(t, service(t, "51"), "birth").Accept("19900102", today, locale.Chinese); err != nil || got != "1990-01-02" {
		t.Errorf("a Chinese day puts the year first: %q, %v", got, err)
	}
}

func TestWhatIsWrongIsSaidInOneSentence(t *testing.T) {
	cases := []struct{ service, field, typed, code, sentence string }{
		{"11", "id_number", "00109000001", "field.digits", "Ô 2: số định danh có 12 số, mới gõ 11."},
		{"11", "birth", "30/02/1990", "field.date", "Ô 4: ngày 30/02/1990 không có trong lịch."},
		{"11", "birth", "30021990", "field.date", "Ô 4: ngày 30/02/1990 không có trong lịch."},
		{"11", "birth", "22112026", "field.date_late", "Ô 4: ngày sinh không sau 21/11/2026."},
		{"11", "birth", "010190", "field.date_shape", ""},
		{"11", "capacity", "75", "field.over_guess", "Ô 10: 75,0 kW vượt mức 40 kW của dịch vụ này. Có phải 7,5 kW?"},
		{"11", "capacity", "40", "field.over_guess", ""},
		{"11", "capacity", "75,0", "field.over", "Ô 10: 75,0 kW vượt mức 40 kW của dịch vụ này. Xem dịch vụ 02."},
		{"11", "capacity", "0,5", "field.under", "Ô 10: 0,5 kW dưới mức thấp nhất 1,0 kW."},
		{"11", "capacity", "7,55", "field.decimals", ""},
		{"11", "capacity", "1.234", "field.ambiguous", "Ô 10: 1.234 đọc được hai cách: 1.234 hoặc 1,234. Gõ lại cho rõ."},
		{"12", "reading", "12,50", "field.ambiguous", "Ô 15: 12,50 đọc được hai cách: 1.250 hoặc 12,50. Gõ lại cho rõ."},
		{"12", "reading", "1.23.456", "field.number", ""},
		{"12", "reading", "abc", "field.number", ""},
		{"12", "reading", "1e5", "field.number", ""},
		{"11", "id_number", "003090000017", "field.id_province", "Ô 2: số định danh bắt đầu bằng 003, không phải mã nơi sinh."},
		{"11", "id_number", "001290000017", "field.id_year", ""},
		{"11", "id_number", "00109000001x", "field.not_digits", ""},
		{"51", "id_number", "340524198001010013", "field.check_digit", ""},
		{"51", "id_number", "110000199013021230", "field.id_birth", ""},
		{"02", "tax_code", "0199990012", "field.check_digit", ""},
		{"02", "tax_code", "0199990011-000", "field.taxcode_branch", ""},
		{"02", "tax_code", "01999", "field.taxcode", ""},
		{"11", "phone", "0600000018", "field.phone", ""},
		{"11", "phone", "090000001", "field.digits", "Ô 5: điện thoại có 10 số, mới gõ 9."},
		{"11", "phone", "0246276430", "field.digits", "Ô 5: điện thoại có 11 số, mới gõ 10."},
		{"11", "email", "thu@mau", "field.email", ""},
		{"11", "email", "thử@mau.example", "field.email", ""},
		{"41", "unit_code", "199900", "field.digits", ""},
		{"41", "office", "9999", "field.shkb", "Ô 9: không có kho bạc mã 9999."},
		{"41", "account", "9527.9.1999001.00000", "field.account", ""},
		{"11", "phases", "3", "field.choice", "Ô 11: chọn số pha: 1 một pha, 2 ba pha."},
		{"31", "present", "maybe", "field.yesno", ""},
		{"11", "full_name", "NGUYỄN 123", "field.name", ""},
		{"11", "full_name", "A", "field.short", ""},
		{"11", "use_address", strings.Repeat("phố ", 60), "field.long", ""},
		{"11", "use_address", "12 phố\x1b[2J Mẫu", "field.control", ""},
		{"11", "use_address", "12 phố\u202e Mẫu", "field.control", ""},
		{"11", "use_address", "12 phố\nMẫu", "field.control", ""},
		{"11", "use_address", "\xff\xfe", "field.control", ""},
		{"11", "current", "3", "field.read_only", ""},
		{"11", "appliances", "x", "field.rows", ""},
		{"31", "photo", "x", "field.file", ""},
	}
	for _, c := range cases {
		f := field(t, service(t, c.service), c.field)
		got, err := f.Accept(c.typed, today, locale.Vietnamese)
		if got != "" && !fault.Is(err, c.code) || !fault.Is(err, c.code) {
			t.Errorf("%s %s: Accept(%q) = %q, %v, want %s", c.service, c.field, c.typed, got, err, c.code)
			continue
		}
		if text := locale.Fault(locale.Vietnamese, err); c.sentence != "" && text != c.sentence {
			t.Errorf("%s says %q, want %q", c.code, text, c.sentence)
		}
		for _, l := range locale.Langs {
			if text := locale.Fault(l, err); strings.ContainsAny(text, "‹<") {
				t.Errorf("%s in %s is not whole: %s", c.code, l, text)
			}
			if note := catalog.Note(l, err); strings.ContainsAny(note, "‹<") || runewidth.StringWidth(note) > 22 {
				t.Errorf("the note of %s in %s does not fit: %q", c.code, l, note)
			}
		}
	}
}

func TestASummarySentenceDropsTheNumberInFront(t *testing.T) {
	_, err := field(t, service(t, "11"), "capacity").Accept("75", today, locale.Vietnamese)
	if got, want := catalog.Sentence(locale.Vietnamese, err), "75,0 kW vượt mức 40 kW của dịch vụ này. Có phải 7,5 kW?"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := catalog.Note(locale.Vietnamese, err), "quá 40 kW: xem 02"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEveryCodeInTheSourceHasItsSentence(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`"((?:field|rule|catalog)\.[a-z_]+)"`)
	seen := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range code.FindAllStringSubmatch(string(src), -1) {
			text := locale.Fault(locale.Vietnamese, fault.New(fault.Invalid, m[1], nil))
			plain := locale.Text(locale.Vietnamese, m[1], nil)
			if strings.Contains(text, "‹") && strings.Contains(plain, "‹") {
				t.Errorf("%s: no text for %s", name, m[1])
			}
			seen++
		}
	}
	if seen < 60 {
		t.Errorf("only %d codes found", seen)
	}
}

func TestValuesAreShownAsTheLanguageWritesThem(t *testing.T) {
	cases := []struct {
		service, field, value string
		want                  [3]string
	}{
		{"11", "id_number", "001090000017", [3]string{"001 090 000 017", "001 090 000 017", "001 090 000 017"}},
		{"51", "id_number", "110000199001021230", [3]string{"110000 19900102 1230", "110000 19900102 1230", "110000 19900102 1230"}},
		{"11", "phone", "0900000018", [3]string{"0900 000 018", "0900 000 018", "0900 000 018"}},
		{"11", "birth", "1990-01-01", [3]string{"01/01/1990", "1 Jan 1990", "1990年1月1日"}},
		{"11", "capacity", "7.5", [3]string{"7,5 kW", "7.5 kW", "7.5 kW"}},
		{"11", "capacity", "3", [3]string{"3,0 kW", "3.0 kW", "3.0 kW"}},
		{"42", "balance", "1500000", [3]string{"1.500.000 đ", "VND 1,500,000", "1,500,000 越南盾"}},
		{"12", "reading", "1234567", [3]string{"1.234.567 kWh", "1,234,567 kWh", "1,234,567 kWh"}},
		{"11", "phases", "1", [3]string{"một pha", "one phase", "單相"}},
		{"31", "present", "yes", [3]string{"Có", "Yes", "是"}},
		{"11", "phone", "", [3]string{"", "", ""}},
	}
	for _, c := range cases {
		for i, l := range locale.Langs {
			if got := field(t, service(t, c.service), c.field).Show(catalog.Value{Text: c.value}, l); got != c.want[i] {
				t.Errorf("%s %s %q in %s is shown %q, want %q", c.service, c.field, c.value, l, got, c.want[i])
			}
		}
	}
	id := field(t, service(t, "11"), "id_number")
	if got := id.Mask(catalog.Value{Text: "001090000017"}, locale.Vietnamese); got != "001*****0017" {
		t.Errorf("the customer's screen shows %q", got)
	}
}

func TestAFieldLeavesAtItsLastCharacter(t *testing.T) {
	for _, c := range []struct {
		service, field, typed string
		want                  bool
	}{
		{"11", "id_number", "00109000001", false}, {"11", "id_number", "001090000017", true},
		{"51", "id_number", "34052419800101001X", true}, {"51", "id_number", "001090000017", false},
		{"11", "birth", "0101199", false}, {"11", "birth", "01011990", true}, {"11", "birth", "1/1/1990", false},
		{"11", "phone", "0900000018", true}, {"11", "phone", "+84900000018", true}, {"11", "phone", "0246276430", false},
		{"11", "phases", "1", true}, {"11", "phases", "9", false}, {"31", "present", "2", true},
		{"02", "tax_code", "0199990011", true}, {"02", "tax_code", "0199990012", false},
		{"41", "unit_code", "1999001", true}, {"41", "account", "95272199900100000", true}, {"11", "capacity", "7,5", false},
	} {
		if got := field(t, service(t, c.service), c.field).Full(c.typed); got != c.want {
			t.Errorf("%s %s: Full(%q) = %v", c.service, c.field, c.typed, got)
		}
	}
}

// fieldsOf lists every field and column that takes typed text.
func fieldsOf(t testing.TB) []*catalog.Field {
	var out []*catalog.Field
	for _, s := range builtin(t).Services() {
		for _, f := range s.Fields() {
			out = append(out, f)
			out = append(out, f.Columns...)
		}
	}
	return out
}

// stable fails when what Accept gives, shown and accepted again, is something else.
func stable(t interface{ Fatalf(string, ...any) }, f *catalog.Field, typed string, l locale.Lang) {
	canonical, err := f.Accept(typed, today, l)
	if err != nil || canonical == "" {
		return
	}
	again, err := f.Accept(canonical, today, l)
	if err != nil || again != canonical {
		t.Fatalf("%s: %q is canonical but becomes %q, %v", f.Name, canonical, again, err)
	}
	shown := f.Show(catalog.Value{Text: canonical}, l)
	back, err := f.Accept(shown, today, l)
	if err != nil || back != canonical {
		t.Fatalf("%s in %s: %q, shown %q, comes back as %q, %v", f.Name, l, canonical, shown, back, err)
	}
}

func TestWhatIsShownIsAcceptedAgain(t *testing.T) {
	fields := fieldsOf(t)
	typed := rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9]{1,18}`), rapid.StringMatching(`[0-9]{1,4}([.,][0-9]{1,3}){0,3}`),
		rapid.StringMatching(`[0-3]?[0-9]/[01]?[0-9]/(19|20)[0-9]{2}`), rapid.StringMatching(`[1-9]`), rapid.StringMatching(`0[0-9]{9,11}`),
		rapid.StringMatching(`[a-zà-ỹ ]{1,30}`), rapid.StringMatching(`[a-z.]{1,9}@[a-z]{1,9}\.[a-z]{2,4}`))
	rapid.Check(t, func(r *rapid.T) {
		f := rapid.SampledFrom(fields).Draw(r, "field")
		stable(r, f, typed.Draw(r, "typed"), rapid.SampledFrom(locale.Langs).Draw(r, "lang"))
	})
}

func FuzzAccept(f *testing.F) {
	fields := fieldsOf(f)
	for i, s := range []string{"001090000017", "30/02/1990", "+3", "7,5", "1.234.567", "thu@mau.example", "\x1b[2J", "21 Nov 2026", "2026年11月21日", "1.500.000 đ (x)", "０１２"} {
		f.Add(uint16(i), s)
	}
	f.Fuzz(func(t *testing.T, which uint16, typed string) {
		stable(t, fields[int(which)%len(fields)], typed, locale.Langs[int(which)/len(fields)%3])
	})
}
