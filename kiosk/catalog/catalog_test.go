package catalog_test

import (
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/kiosk/catalog"
	"countersign/services"
)

// today is the Saturday on which the screens were drawn.
var today = time.Date(2026, 11, 21, 9, 14, 0, 0, clock.Vietnam)

var loaded = sync.OnceValues(func() (*catalog.Catalog, error) { return catalog.Load(services.Files, nil) })

// builtin returns the services that come with the program.
func builtin(t testing.TB) *catalog.Catalog {
	t.Helper()
	c, err := loaded()
	for _, f := range catalog.Refusals(err) {
		t.Error(locale.Fault(locale.English, f))
	}
	if err != nil {
		t.Fatal("the built-in services don't load")
	}
	return c
}

func service(t testing.TB, number string) *catalog.Service {
	t.Helper()
	s, ok := builtin(t).Service(number)
	if !ok {
		t.Fatalf("no service %s", number)
	}
	return s
}

func field(t testing.TB, s *catalog.Service, name string) *catalog.Field {
	t.Helper()
	f, ok := s.Field(name)
	if !ok {
		t.Fatalf("service %s has no field %s", s.Number, name)
	}
	return f
}

// example is the complete service of docs/services.md.
func example(t testing.TB) string {
	t.Helper()
	doc, err := os.ReadFile("../../docs/services.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(doc), "```yaml\n")
	text, _, ended := strings.Cut(rest, "```\n")
	if !ok || !ended {
		t.Fatal("docs/services.md has no example")
	}
	return text
}

func own(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, text := range files {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

func TestTheBuiltInServicesLoad(t *testing.T) {
	c := builtin(t)
	for number, fields := range map[string]int{"01": 15, "02": 13, "11": 16, "12": 16, "22": 14, "13": 11, "14": 13, "15": 13, "21": 12, "31": 15, "32": 13, "41": 16, "42": 16, "51": 15} {
		s, ok := c.Service(number)
		if !ok {
			t.Errorf("service %s is missing", number)
			continue
		}
		if got := len(s.Fields()); got != fields {
			t.Errorf("service %s has %d fields, want %d", number, got, fields)
		}
	}
}

func TestEveryBuiltInTextIsThereInThreeLanguages(t *testing.T) {
	check := func(where string, text catalog.Text) {
		for _, l := range locale.Langs {
			if strings.TrimSpace(text[l]) == "" {
				t.Errorf("%s lacks %s", where, l)
			}
		}
	}
	for _, s := range builtin(t).Services() {
		for where, text := range map[string]catalog.Text{"group": s.Group, "title": s.Title, "full title": s.FullTitle, "menu": s.Menu, "basis": s.Basis, "agreement": s.Agreement.Title} {
			check(s.Number+" "+where, text)
		}
		for _, sec := range s.Sections {
			check(s.Number+" section "+sec.Letter, sec.Title)
		}
		for _, f := range s.Fields() {
			check(s.Number+" label of "+f.Name, f.Label)
			for _, c := range f.Choices {
				check(s.Number+" choice of "+f.Name, c.Label)
			}
			for _, c := range f.Columns {
				check(s.Number+" column "+c.Name, c.Label)
			}
		}
		for _, c := range s.Agreement.Clauses {
			check(s.Number+" clause", c.Title)
			for _, p := range c.Paragraphs {
				check(s.Number+" paragraph", p)
			}
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := catalog.Load(services.Files, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func TestFormOneIsTheOneThatKeysWereCountedOn(t *testing.T) {
	s := service(t, "01")
	want := []string{"papers_check", "id_number", "full_name", "birth", "sex", "residence", "phone", "email", "use_address",
		"tenancy", "purpose", "households", "phases", "capacity", "notice"}
	leaves := map[string]bool{"papers_check": true, "id_number": true, "birth": true, "phone": true, "tenancy": true,
		"phases": true, "notice": true, "sex": true, "purpose": true}
	for i, f := range s.Fields() {
		if f.Name != want[i] || f.Number != i+1 {
			t.Errorf("field %d is %s (%d), want %s", i+1, f.Name, f.Number, want[i])
		}
		if f.AutoLeave != leaves[f.Name] {
			t.Errorf("field %s leaves by itself: %v, want %v", f.Name, f.AutoLeave, leaves[f.Name])
		}
	}
	fills := make(map[string]string)
	for _, f := range s.Fill(catalog.Facts{}, catalog.Values{"id_number": {Text: "001090000017"}}, today) {
		fills[f.Field] = f.Value
	}
	if fills["sex"] != "1" || fills["purpose"] != "1" || fills["households"] != "1" || len(fills) != 3 {
		t.Errorf("fields 5, 11 and 12 fill by themselves, got %v", fills)
	}
}

func TestServicesAreFoundByWordsWithoutDiacritics(t *testing.T) {
	c := builtin(t)
	for typed, want := range map[string]string{
		"cong suat": "11", "thay doi chu the": "12", "cham dut": "22", "11": "11", "過戶": "12 51", "td-cs": "11",
		"kho bac": "41 42", "kiem dinh": "31", "household": "01 15", "xyz": "", "doi chieu": "42",
	} {
		var got []string
		for _, s := range c.Search(typed) {
			got = append(got, s.Number)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("Search(%q) = %v, want %s", typed, got, want)
		}
	}
	if len(c.Search("")) != len(c.Services()) {
		t.Error("nothing typed does not find all")
	}
}

func TestTheExampleOfTheDocumentationLoads(t *testing.T) {
	c, err := catalog.Load(services.Files, own(map[string]string{"61-e-bill.yaml": example(t)}))
	if err != nil {
		t.Fatal(err)
	}
	s, ok := c.Service("61")
	if !ok || len(s.Fields()) != 9 || s.Title.In(locale.Vietnamese) != "Nhận hóa đơn qua thư" {
		t.Fatalf("service 61 did not load as written: %+v", s)
	}
	v := catalog.Values{"copies": {Text: "3"}}
	if days, due, _ := s.Due(v, today); days != 4 || due.Format(time.DateOnly) != "2026-11-26" || s.Amount(v) != 11000 {
		t.Errorf("three copies: %d days to %s, fee %d", days, due, s.Amount(v))
	}
}

func TestTheDocumentationNamesEveryKey(t *testing.T) {
	doc, err := os.ReadFile("../../docs/services.md")
	if err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile(`\.(?:need|has|text|words|figure|whole|flag|date|items|mappings|sub|texts|word|shaped|formula)\("([a-z_]+)"`)
	// Keys of the tables are told in the tables themselves.
	tables := map[string]bool{"any": true, "customer": true, "instead_of": true, "free": true, "worked": true, "offices": true,
		"mobile": true, "sources": true, "valid_to": true, "keys": true, "date": true, "sum": true}
	for _, name := range []string{"form.go", "rules.go", "term.go", "codes.go", "expand.go", "tables.go", "calendar.go"} {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range key.FindAllStringSubmatch(string(src), -1) {
			if !tables[m[1]] && !regexp.MustCompile("[`{ ,]"+m[1]+"[`:,]").Match(doc) {
				t.Errorf("%s reads the key %s, which docs/services.md does not name", name, m[1])
			}
		}
	}
}

func TestAServiceOfOnesOwnReplacesByAHigherVersion(t *testing.T) {
	text, err := services.Files.ReadFile("31-meter-check.yaml")
	if err != nil {
		t.Fatal(err)
	}
	newer := strings.Replace(string(text), `version: "2026-06"`, `version: "2026-12"`, 1)
	newer = strings.Replace(newer, "retain_years: 5", "retain_years: 7", 1)
	c, err := catalog.Load(services.Files, own(map[string]string{"meter.yaml": newer}))
	if err != nil {
		t.Fatal(err)
	}
	if s, _ := c.Service("31"); s.Retain != 7 || s.Version != "2026-12" {
		t.Errorf("service 31 was not replaced: version %s", s.Version)
	}
	if len(c.Services()) != len(builtin(t).Services()) {
		t.Error("a replacement changed the number of services")
	}
}

func TestATableOfOnesOwnReplacesByAHigherVersion(t *testing.T) {
	text, err := services.Files.ReadFile("data/holidays.yaml")
	if err != nil {
		t.Fatal(err)
	}
	newer := strings.Replace(string(text), `version: "2026-11"`, `version: "2026-12"`, 1)
	newer = strings.Replace(newer, "{date: 2026-11-24, proposed: true,", "{date: 2026-11-24,", 1)
	c, err := catalog.Load(services.Files, own(map[string]string{"data/holidays.yaml": newer}))
	if err != nil {
		t.Fatal(err)
	}
	s, _ := c.Service("12")
	if _, due, _ := s.Due(nil, today); due.Format(time.DateOnly) != "2026-11-26" {
		t.Errorf("with 24/11 free three working days end on %s", due)
	}
}

func TestWhatIsRefusedAtLoading(t *testing.T) {
	good := example(t)
	swap := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the example has no %q", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	cases := []struct {
		name, text, code, line string
		args                   fault.Args
	}{
		{"an unknown key", swap("seals: [business]", "seal: [business]"), "catalog.unknown_key", "", fault.Args{"key": "seal", "known": "seals"}},
		{"an unknown key of a field", swap("        default: \"0\"", "        defualt: \"0\""), "catalog.unknown_key", "", fault.Args{"known": "default"}},
		{"a missing key", swap("retain_years: 10\n", ""), "catalog.missing", "", fault.Args{"key": "retain_years"}},
		{"a number without quotes", swap(`number: "61" `, `number: 61 `), "catalog.bad_type", "1", fault.Args{"key": "number"}},
		{"a number of three digits", swap(`number: "61" `, `number: "611" `), "catalog.bad_shape", "1", nil},
		{"text for a number", swap("working_days: 2", "working_days: two"), "catalog.bad_type", "", fault.Args{"key": "term.working_days"}},
		{"a negative fee", swap("amount: 0 ", "amount: -1 "), "catalog.bad_range", "", nil},
		{"an impossible day", swap("valid_from: 2026-06-01", "valid_from: 2026-02-30"), "catalog.bad_type", "", fault.Args{"key": "valid_from"}},
		{"a language we don't speak", swap("language: vi", "language: fr"), "catalog.not_allowed", "", nil},
		{"a title without Vietnamese", swap("title: {vi: Nhận hóa đơn qua thư, en", "title: {en"), "catalog.language_missing", "", fault.Args{"lang": "vi"}},
		{"an unknown source", swap("        default: \"0\"", "        source: [cmis.shoe_size]"), "catalog.source_unknown", "", fault.Args{"got": "cmis.shoe_size"}},
		{"a doubled field name", swap("        name: copies ", "        name: phone "), "catalog.name_twice", "", fault.Args{"name": "phone"}},
		{"a gap in the numbers", swap("      - number: 8", "      - number: 9"), "catalog.number_order", "", nil},
		{"a doubled key", swap("language: vi", "code: X1\nlanguage: vi"), "catalog.key_twice", "", fault.Args{"key": "code"}},
		{"an unknown shared field", swap("use: phone", "use: telex"), "catalog.template_unknown", "", nil},
		{"a reserved name", swap("        name: copies ", "        name: fee "), "catalog.name_reserved", "", nil},
		{"a default the field refuses", swap("default: \"0\"", "default: \"many\""), "catalog.bad_value", "", nil},
		{"a label that the form would cut", swap("label: {vi: Số bản in thêm,", "label: {vi: Số bản in thêm gửi về nhà,"), "catalog.too_wide", "", fault.Args{"limit": "19"}},
		{"choices on a number", swap("        default: \"0\"", "        choices: []"), "catalog.not_for_type", "", nil},
		{"a rule over a field that is not there", swap("fields: [id_number, birth]", "fields: [id_number, born]"), "catalog.field_unknown", "", nil},
		{"a rule of one field", swap("fields: [id_number, birth]", "fields: [birth]"), "catalog.rule_fields", "", nil},
		{"a placeholder nothing fills", swap("Gửi hóa đơn tới {email}", "Gửi hóa đơn tới {mail}"), "catalog.placeholder", "", fault.Args{"name": "mail"}},
		{"a printed field that is hidden", swap("        default: \"0\"", "        default: \"0\"\n        visible: false"), "catalog.hidden", "", fault.Args{"field": "copies"}},
		{"a hidden field in the agreement", strings.Replace(swap("        default: \"0\"", "        default: \"0\"\n        visible: false\n        printed: false"), "từ ngày {due}", "{copies} bản, từ {due}", 1), "catalog.hidden_signed", "", fault.Args{"field": "copies"}},
		{"a test without a test", swap("when: {name: cmis.contract_state, is: [active]}", "when: {name: cmis.contract_state}"), "catalog.when_empty", "", nil},
		{"a test of an unknown fact", swap("name: cmis.contract_state", "name: cmis.weather"), "catalog.field_unknown", "", nil},
		{"nobody who signs for the customer", swap("  - {role: customer, field: customer, name: {vi: Khách hàng, en: Customer, zh-Hant: 客戶}}\n", ""), "catalog.no_customer", "", nil},
		{"another service that is not there", swap("        default: \"0\"", "        default: \"0\"\n        see: \"98\""), "catalog.see_unknown", "", nil},
		{"an alias", swap("code: DK-HDDT ", "code: &a DK-HDDT "), "catalog.alias", "", nil},
		{"two documents", good + "---\na: b\n", "catalog.many_documents", "", nil},
		{"no YAML", "number: [", "catalog.not_yaml", "", nil},
		{"a list", "- 1\n", "catalog.not_mapping", "", nil},
		{"a control character", swap("Nhận hóa đơn qua thư", `"a\x1b[2J"`), "catalog.bad_text", "", nil},
		{"a file of half a megabyte", good + strings.Repeat("# padding\n", 40000), "catalog.too_big", "", nil},
		{"a built-in number with another code", swap(`number: "61"`, `number: "11"`), "catalog.code_clash", "", nil},
		{"a code that is taken", swap("code: DK-HDDT", "code: TD-CS"), "catalog.code_twice", "", nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cat, err := catalog.Load(services.Files, own(map[string]string{"61-e-bill.yaml": c.text}))
			if cat != nil || err == nil {
				t.Fatal("was not refused")
			}
			for _, f := range catalog.Refusals(err) {
				text := locale.Fault(locale.Vietnamese, f)
				if strings.Contains(text, "‹") || strings.Contains(text, "no value") {
					t.Errorf("%s has no whole sentence: %s", f.Code, text)
				}
				if !strings.Contains(text, "61-e-bill.yaml") {
					t.Errorf("the refusal does not name the file: %s", text)
				}
			}
			for _, f := range catalog.Refusals(err) {
				if f.Code != c.code || (c.line != "" && f.Args["line"] != c.line) {
					continue
				}
				for k, want := range c.args {
					if got := f.Args[k]; got != want {
						t.Errorf("%s: %s = %q, want %q", f.Code, k, got, want)
					}
				}
				return
			}
			t.Errorf("want %s %v, got %v", c.code, c.args, err)
		})
	}
}

func TestClashesBetweenFilesAreRefused(t *testing.T) {
	meter, _ := services.Files.ReadFile("31-meter-check.yaml")
	holidays, _ := services.Files.ReadFile("data/holidays.yaml")
	cases := map[string]struct {
		files map[string]string
		code  string
	}{
		"the same number twice":             {map[string]string{"a.yaml": example(t), "b.yaml": example(t)}, "catalog.number_twice"},
		"the same version as the built-in":  {map[string]string{"31.yaml": string(meter)}, "catalog.version_clash"},
		"a built-in name, another number":   {map[string]string{"31-meter-check.yaml": example(t)}, "catalog.file_clash"},
		"a table that is not newer":         {map[string]string{"data/holidays.yaml": string(holidays)}, "catalog.data_version"},
		"a table that nobody asks for":      {map[string]string{"data/prices.yaml": "version: \"2026-06\"\n"}, "catalog.data_unknown"},
		"a holiday outside the file's time": {map[string]string{"data/holidays.yaml": "version: \"2027-01\"\nvalid_from: 2027-01-01\nvalid_to: 2027-12-31\nfree:\n  - {date: 2028-01-01, name: {vi: Tết}}\n"}, "catalog.day_outside"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := catalog.Load(services.Files, own(c.files))
			for _, f := range catalog.Refusals(err) {
				if f.Code == c.code {
					return
				}
			}
			t.Errorf("want %s, got %v", c.code, err)
		})
	}
}

func TestAFormThatTakesTooManyKeysIsRefusedWithItsFields(t *testing.T) {
	text := example(t)
	from := strings.Index(text, "sections:")
	to := strings.Index(text, "rules:\n  - {kind")
	form := `sections:
  - letter: A
    title: {vi: A}
    fields:
      - {number: 1, use: papers_check}
      - {number: 2, use: id_number}
      - {number: 3, name: one, type: text, label: {vi: Một}}
      - {number: 4, name: two, type: text, label: {vi: Hai}}
      - {number: 5, use: birth}
      - {number: 6, name: copies, type: number, label: {vi: Ba}}
      - {number: 7, use: email, required_if: []}
      - {number: 8, use: notice}
`
	_, err := catalog.Load(services.Files, own(map[string]string{"x.yaml": strings.ReplaceAll(text[:from]+form+text[to:], "{customer_code}", "")}))
	refusals := catalog.Refusals(err)
	if len(refusals) != 1 || refusals[0].Code != "catalog.key_budget" {
		t.Fatalf("want the key budget alone, got %v", err)
	}
	a := refusals[0].Args
	if a["have"] != "4" || a["auto"] != "papers_check, id_number, birth, notice" || a["rest"] != "one, two, copies, email" {
		t.Errorf("the refusal names %v", a)
	}
}

func TestEveryMistakeIsToldAtOnce(t *testing.T) {
	text := strings.Replace(example(t), "language: vi", "language: fr", 1)
	text = strings.Replace(text, "assurance: 2", "assurance: 9", 1)
	_, err := catalog.Load(services.Files, own(map[string]string{"x.yaml": text}))
	if n := len(catalog.Refusals(err)); n < 2 {
		t.Errorf("two mistakes, %d refusals: %v", n, err)
	}
}
