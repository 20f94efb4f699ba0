package catalog

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"countersign/internal/fault"
	"countersign/internal/locale"
)

var (
	numberShape  = regexp.MustCompile(`^[0-9]{2}$`)
	codeShape    = regexp.MustCompile(`^[A-Z0-9]+(-[A-Z0-9]+)*$`)
	versionShape = regexp.MustCompile(`^20[0-9]{2}-[01][0-9](-[0-3][0-9])?(\.[0-9]{1,3})?$`)
	nameShape    = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
	letterShape  = regexp.MustCompile(`^[A-Z]$`)
)

// service reads one service file.
func (r *reader) service(f *yamlFile, t *tables) *Service {
	m := r.mapping(f.label, "", f.root)
	for _, key := range []string{"number", "code", "version", "valid_from", "language", "group", "title", "audience",
		"term", "basis", "sections", "agreement", "assurance", "signers", "retain_years", "back_office"} {
		m.need(key)
	}
	s := &Service{File: f.label, tables: t}
	s.Number = m.shaped("number", numberShape, `"11"`)
	s.Code = m.shaped("code", codeShape, "TD-CS")
	s.Version = m.shaped("version", versionShape, "2026-06")
	s.ValidFrom = m.date("valid_from")
	s.Language = locale.Lang(m.word("language", string(locale.Vietnamese), string(locale.English), string(locale.Chinese)))
	s.Group = m.words("group", s.Language)
	s.Title = m.words("title", s.Language)
	s.FullTitle, s.Menu = s.Title, s.Title
	if m.has("full_title") {
		s.FullTitle = m.words("full_title", s.Language)
	}
	if m.has("menu") {
		s.Menu = m.words("menu", s.Language)
	}
	s.Audience = m.texts("audience")
	for _, a := range s.Audience {
		if a != "person" && a != "organisation" && a != "agency" {
			m.refuse("catalog.not_allowed", "audience", fault.Args{"got": a, "known": "person, organisation, agency"})
		}
	}
	for _, p := range m.mappings("papers") {
		p.need("name")
		s.Papers = append(s.Papers, Paper{Name: p.words("name", s.Language), Required: p.flag("required", false)})
		p.done()
	}
	s.Basis = m.words("basis", s.Language)
	for _, sec := range m.mappings("sections") {
		s.Sections = append(s.Sections, r.section(sec, s))
	}
	s.index()
	s.Term = readTerm(m.sub("term"), s)
	s.Fee = readFee(m.sub("fee"), s)
	for _, rule := range m.mappings("rules") {
		s.Rules = append(s.Rules, readRule(rule, s))
	}
	for _, line := range m.mappings("summary") {
		line.need("label")
		line.need("text")
		s.Summary = append(s.Summary, Line{Label: line.words("label", s.Language), Text: line.words("text", s.Language)})
		line.done()
	}
	s.readAgreement(m.sub("agreement"))
	s.Assurance = m.whole("assurance", 1, 4)
	s.readSigning(m)
	s.Retain = m.whole("retain_years", 1, 100)
	s.readBackOffice(m)
	for _, c := range m.mappings("conditions") {
		c.need("text")
		c.need("when")
		cond := Condition{Text: c.words("text", s.Language), Blocks: c.flag("blocks", true)}
		if w := c.sub("when"); w != nil {
			cond.When = readWhen(w, s)
		}
		c.done()
		s.Conditions = append(s.Conditions, cond)
	}
	m.done()
	s.inspect(m)
	return s
}

// shaped reads a text that must match a shape; sample shows a right one.
func (m *mapping) shaped(key string, shape *regexp.Regexp, sample string) string {
	s := m.text(key)
	if s != "" && !shape.MatchString(s) {
		m.refuse("catalog.bad_shape", key, fault.Args{"got": s, "sample": sample})
		return ""
	}
	return s
}

func (s *Service) readAgreement(m *mapping) {
	if m == nil {
		return
	}
	m.need("version")
	m.need("title")
	m.need("clauses")
	s.Agreement = Agreement{Version: m.shaped("version", versionShape, "2026-06"), Title: m.words("title", s.Language)}
	for _, c := range m.mappings("clauses") {
		c.need("title")
		c.need("paragraphs")
		clause := Clause{Title: c.words("title", s.Language)}
		for _, p := range c.items("paragraphs") {
			clause.Paragraphs = append(clause.Paragraphs, m.r.words(p.file, c.at("paragraphs"), p.node, s.Language))
		}
		c.done()
		s.Agreement.Clauses = append(s.Agreement.Clauses, clause)
	}
	m.done()
}

// ways are those in which customers can confirm anywhere; usual those that a service takes whose file names none.
var (
	ways  = []string{"token", "remote", "mail", "app", "ink"}
	usual = ways[:4]
)

func (s *Service) readSigning(m *mapping) {
	fields := make(map[string]bool)
	for _, g := range m.mappings("signers") {
		g.need("role")
		g.need("name")
		g.need("field")
		sign := Signer{Role: g.word("role", "customer", "clerk"), Name: g.words("name", s.Language),
			Field: g.word("field", "customer", "clerk")}
		if fields[sign.Field] {
			g.refuse("catalog.name_twice", "field", fault.Args{"name": sign.Field})
		}
		fields[sign.Field] = true
		g.done()
		s.Signers = append(s.Signers, sign)
	}
	if m.has("signers") && !fields["customer"] {
		m.refuse("catalog.no_customer", "signers", nil)
	}
	s.Confirm = usual
	if m.has("confirm") {
		s.Confirm = m.texts("confirm")
	}
	for _, way := range s.Confirm {
		if !slices.Contains(ways, way) {
			m.refuse("catalog.not_allowed", "confirm", fault.Args{"got": way, "known": strings.Join(ways, ", ")})
		}
	}
	s.Seals = m.texts("seals")
	for _, seal := range s.Seals {
		if seal != "business" && seal != "unit" {
			m.refuse("catalog.not_allowed", "seals", fault.Args{"got": seal, "known": "business, unit"})
		}
	}
}

func (s *Service) readBackOffice(m *mapping) {
	b := m.sub("back_office")
	if b == nil {
		return
	}
	b.need("system")
	s.BackOffice = b.text("system")
	s.HandOver = b.texts("fields")
	b.done()
	for _, name := range s.HandOver {
		if _, ok := s.byName[name]; !ok {
			b.refuse("catalog.field_unknown", "fields", fault.Args{"name": name})
		}
	}
	if len(s.HandOver) == 0 {
		for _, f := range s.fields {
			if f.Printed {
				s.HandOver = append(s.HandOver, f.Name)
			}
		}
	}
}

// section reads one part of the form.
func (r *reader) section(m *mapping, s *Service) Section {
	m.need("letter")
	m.need("title")
	m.need("fields")
	sec := Section{Letter: m.shaped("letter", letterShape, "A"), Title: m.words("title", s.Language)}
	for _, f := range m.mappings("fields") {
		sec.Fields = append(sec.Fields, r.field(f, s, true))
	}
	m.done()
	return sec
}

// field reads one field, or one column of a table when numbered is false.
func (r *reader) field(m *mapping, s *Service, numbered bool) *Field {
	used := ""
	if m.has("use") {
		used = m.text("use")
		template, ok := s.tables.fields[used]
		if !ok {
			m.refuse("catalog.template_unknown", "use", fault.Args{"name": used})
		} else {
			m.under(template)
		}
	}
	f := &Field{tables: s.tables, line: m.line}
	if m.has("name") || used == "" {
		m.need("name")
		f.Name = m.shaped("name", nameShape, "capacity")
	} else {
		f.Name = used
	}
	if reserved[f.Name] {
		m.refuse("catalog.name_reserved", "name", fault.Args{"name": f.Name})
	}
	if numbered {
		m.need("number")
		f.Number = m.whole("number", 1, 99)
	}
	m.need("type")
	f.Type = Type(m.word("type", string(TextField), string(Multiline), string(Digits), string(Number), string(MoneyType),
		string(Date), string(ChoiceOf), string(YesNo), string(Phone), string(Email), string(IDNumber), string(TaxCode),
		string(Code), string(File), string(Rows)))
	m.need("label")
	f.Label = m.words("label", s.Language)
	if h := m.sub("help"); h != nil {
		f.Help = Help{Meaning: h.words("meaning", s.Language), Ask: h.words("ask", s.Language),
			Typing: h.words("typing", s.Language), Accept: h.words("accept", s.Language),
			Hint: h.words("hint", s.Language), Basis: h.words("basis", s.Language)}
		h.done()
	}
	f.Visible = m.flag("visible", true)
	f.Printed = m.flag("printed", true)
	f.Required = m.flag("required", false)
	f.ReadOnly = m.flag("read_only", false)
	for _, w := range m.mappings("required_if") {
		f.RequiredIf = append(f.RequiredIf, readWhen(w, s))
	}
	r.limits(m, f)
	r.choices(m, f, s)
	r.columns(m, f, s)
	if !numbered && m.has("formula") {
		f.Formula, f.ReadOnly = m.text("formula"), true
	}
	f.Source = m.texts("source")
	f.See = m.text("see")
	if m.has("default") {
		f.Default = m.text("default")
	}
	f.Check = m.check(f)
	f.AutoLeave = f.leaves()
	m.done()
	r.inspectField(m, f)
	return f
}

// limits reads lengths and ranges.
func (r *reader) limits(m *mapping, f *Field) {
	if m.has("length") {
		f.Length = m.whole("length", 1, 64)
	}
	if m.has("min_length") {
		f.MinLength = m.whole("min_length", 0, 2000)
	}
	if m.has("max_length") {
		f.MaxLength = m.whole("max_length", 1, 2000)
	}
	if m.has("decimals") {
		f.Decimals = m.whole("decimals", 0, 6)
	}
	if m.has("unit") {
		f.Unit = m.text("unit")
	}
	f.UnitWords = m.words("unit_words", "")
	limit := func(key string) string {
		if !m.has(key) {
			return ""
		}
		if f.Type == Date {
			return m.dayLimit(key)
		}
		return m.figure(key)
	}
	f.Min, f.Max = limit("min"), limit("max")
	if m.has("below") {
		f.Below = m.figure("below")
	}
}

// dayLimit reads the limit of a date: a day, or the word today.
func (m *mapping) dayLimit(key string) string {
	if s, ok := m.scalar(key, "date 2026-11-21 / today", "!!timestamp", "!!str"); ok {
		if s == "today" {
			return s
		}
		if _, err := time.Parse(time.DateOnly, s); err == nil {
			return s
		}
		m.refuse("catalog.bad_type", key, fault.Args{"want": "date 2026-11-21 / today", "got": s})
	}
	return ""
}

// choices reads the few values of a choice and the longer list of proposals.
func (r *reader) choices(m *mapping, f *Field, s *Service) {
	for _, c := range m.mappings("choices") {
		c.need("key")
		c.need("value")
		c.need("label")
		f.Choices = append(f.Choices, Choice{Key: c.shaped("key", choiceKey, `"1"`), Value: c.text("value"), Label: c.words("label", s.Language)})
		c.done()
	}
	l := m.sub("list")
	if l == nil {
		return
	}
	l.need("title")
	l.need("rows")
	f.List = &List{Title: l.words("title", s.Language), ValidFrom: l.date("valid_from")}
	for _, c := range l.items("columns") {
		f.List.Columns = append(f.List.Columns, r.words(c.file, l.at("columns"), c.node, s.Language))
	}
	for _, row := range l.mappings("rows") {
		row.need("value")
		item := ListRow{Value: row.text("value"), Fills: map[string]string{}}
		for _, c := range row.items("cells") {
			item.Cells = append(item.Cells, r.words(c.file, row.at("cells"), c.node, s.Language))
		}
		if fills := row.sub("fills"); fills != nil {
			for name := range fills.slots {
				item.Fills[name] = fills.text(name)
			}
			fills.done()
		}
		row.done()
		f.List.Rows = append(f.List.Rows, item)
	}
	l.done()
}

var choiceKey = regexp.MustCompile(`^[1-9]$`)

// columns reads what a table of repeating rows has.
func (r *reader) columns(m *mapping, f *Field, s *Service) {
	for _, c := range m.mappings("columns") {
		f.Columns = append(f.Columns, r.field(c, s, false))
	}
	if m.has("min_rows") {
		f.MinRows = m.whole("min_rows", 0, 99)
	}
	f.MaxRows = 20
	if m.has("max_rows") {
		f.MaxRows = m.whole("max_rows", 1, 99)
	}
	f.RowSummary = m.words("row_summary", s.Language)
	f.Brief = m.texts("brief")
	names := make(map[string]bool)
	for _, c := range f.Columns {
		if names[c.Name] {
			m.refuse("catalog.name_twice", "columns", fault.Args{"name": c.Name})
		}
		names[c.Name] = c.Type == Number || c.Type == MoneyType
	}
	for _, c := range f.Columns {
		if c.Formula != "" {
			// A computed column may use typed columns only, so the order of computing does not matter.
			usable := make(map[string]bool)
			for _, other := range f.Columns {
				usable[other.Name] = names[other.Name] && other.Formula == ""
			}
			c.formula = m.formula("columns", c.Formula, usable)
		}
	}
	for _, t := range m.mappings("totals") {
		t.need("name")
		t.need("label")
		t.need("sum")
		total := Total{Name: t.shaped("name", nameShape, "kwh"), Label: t.words("label", s.Language)}
		if t.has("decimals") {
			total.Decimals = t.whole("decimals", 0, 6)
		}
		if t.has("unit") {
			total.Unit = t.text("unit")
		}
		total.formula = t.formula("sum", t.text("sum"), names)
		t.done()
		f.Totals = append(f.Totals, total)
	}
}

func (m *mapping) formula(key, s string, columns map[string]bool) formula {
	f, err := parseFormula(s, columns)
	if err != nil && s != "" {
		m.refuse("catalog.bad_formula", key, fault.Args{"cause": err.Error()})
	}
	return f
}

// numberText writes a small number for the arguments of a fault.
func numberText(n int) string { return strconv.Itoa(n) }
