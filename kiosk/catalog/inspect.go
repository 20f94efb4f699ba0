package catalog

import (
	"strings"
	"time"

	"countersign/internal/fault"
	"countersign/internal/locale"
)

// inspectTexts refuses placeholders that nothing fills, and any that puts a field into the signed text that the
// customer cannot see.
func (s *Service) inspectTexts(m *mapping) {
	signed := []Text{}
	for _, l := range s.Summary {
		signed = append(signed, l.Label, l.Text)
	}
	for _, c := range s.Agreement.Clauses {
		signed = append(append(signed, c.Title), c.Paragraphs...)
	}
	for _, t := range signed {
		s.inspectText(m, t, true)
	}
	for _, f := range s.fields {
		s.inspectText(m, f.Help.Hint, false)
	}
}

func (s *Service) inspectText(m *mapping, t Text, signed bool) {
	for _, lang := range locale.Langs {
		for _, found := range placeholder.FindAllStringSubmatch(t[lang], -1) {
			name, part, _ := strings.Cut(found[1], ":")
			if reserved[name] && part == "" {
				continue
			}
			f, ok := s.byName[name]
			if !ok || !f.hasPart(part) {
				m.refuse("catalog.placeholder", "", fault.Args{"key": "{" + found[1] + "}", "name": found[1]})
				continue
			}
			if signed && (!f.Visible || !f.Printed) {
				m.refuseAt("catalog.hidden_signed", f.line, fault.Args{"key": "visible", "field": f.Name, "n": numberText(f.Number)})
			}
		}
	}
}

func (f *Field) hasPart(part string) bool {
	switch part {
	case "":
		return true
	case "words":
		return f.Type == Number || f.Type == MoneyType
	case "brief":
		return f.Type == Rows && len(f.Brief) > 0
	}
	total, ok := strings.CutPrefix(part, "total.")
	if !ok {
		return false
	}
	_, ok = f.Total(total, nil)
	return ok
}

// inspectField refuses what makes no sense about one field by itself.
func (r *reader) inspectField(m *mapping, f *Field) {
	wrong := func(key string) { m.refuse("catalog.not_for_type", key, fault.Args{"got": string(f.Type)}) }
	numeric := f.Type == Number || f.Type == MoneyType
	for _, k := range []struct {
		key string
		ok  bool
	}{
		{"choices", f.Type == ChoiceOf}, {"columns", f.Type == Rows}, {"totals", f.Type == Rows}, {"brief", f.Type == Rows},
		{"row_summary", f.Type == Rows}, {"min_rows", f.Type == Rows}, {"max_rows", f.Type == Rows},
		{"decimals", f.Type == Number}, {"below", numeric}, {"min", numeric || f.Type == Date}, {"max", numeric || f.Type == Date},
		{"unit", f.Type == Number}, {"unit_words", numeric}, {"length", f.Type == Digits}, {"check", checksOf[f.Type] != nil},
		{"min_length", f.Type == TextField || f.Type == Multiline || f.Type == Digits},
		{"max_length", f.Type == TextField || f.Type == Multiline || f.Type == Digits},
		{"formula", f.Formula == "" || numeric}, {"list", f.Type == Number || f.Type == TextField || f.Type == ChoiceOf},
	} {
		if _, there := m.slots[k.key]; there && !k.ok {
			wrong(k.key)
		}
	}
	f.inspectWidths(m)
	if f.Type == ChoiceOf && len(f.Choices) < 2 {
		m.refuse("catalog.choices_few", "choices", nil)
	}
	seen := make(map[string]bool)
	for _, c := range f.Choices {
		words := []string{"key " + c.Key, "value " + c.Value}
		for l, label := range c.Label {
			words = append(words, string(l)+" "+Fold(label))
		}
		for _, w := range words {
			if seen[w] {
				m.refuse("catalog.name_twice", "choices", fault.Args{"name": w})
			}
			seen[w] = true
		}
	}
	if f.Type == Rows && len(f.Columns) == 0 {
		m.need("columns")
	}
	for _, name := range f.Brief {
		found := false
		for _, c := range f.Columns {
			found = found || c.Name == name
		}
		if !found {
			m.refuse("catalog.field_unknown", "brief", fault.Args{"name": name})
		}
	}
	for _, c := range f.Columns {
		if c.Type == Rows || c.Type == File || len(c.Source) > 0 {
			m.refuse("catalog.not_for_type", "columns", fault.Args{"got": c.Name})
		}
	}
	for _, src := range f.Source {
		if !f.tables.sourceKnown(src) {
			m.refuse("catalog.source_unknown", "source", fault.Args{"got": src, "known": f.tables.sourceNames()})
		}
	}
	values := []string{f.Default}
	if f.List != nil {
		for _, row := range f.List.Rows {
			values = append(values, row.Value)
		}
	}
	for _, v := range values {
		if got, err := f.accept(v, time.Time{}, locale.Vietnamese); err != nil || got != v {
			m.refuse("catalog.bad_value", "default", fault.Args{"got": v})
		}
	}
}

// Widths on the terminal: the columns of the form never shift.
const (
	labelCells  = 19
	choiceCells = 28
)

// inspectWidths refuses a label or choice that its column of the form would cut.
func (f *Field) inspectWidths(m *mapping) {
	tooWide := func(key string, t Text, limit int) {
		for l, s := range t {
			if cells(s) > limit {
				m.refuse("catalog.too_wide", key, fault.Args{"got": s, "lang": string(l), "limit": numberText(limit), "have": numberText(cells(s))})
			}
		}
	}
	if f.Number > 0 {
		tooWide("label", f.Label, labelCells)
	}
	for _, c := range f.Choices {
		tooWide("choices", c.Label, choiceCells)
	}
}
