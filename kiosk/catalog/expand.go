package catalog

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"countersign/internal/fault"
	"countersign/internal/locale"
)

// Context is what the texts of a service may name besides the fields.
type Context struct {
	Unit     string // the office: Điện lực Bắc Giang
	Customer string
	Day      time.Time // of receipt
}

// reserved are the placeholders that are no fields.
var reserved = map[string]bool{"unit": true, "customer": true, "days": true, "due": true, "day": true, "fee": true,
	"fee_words": true, "version": true, "retain_years": true, "retain_until": true, "rule": true, "count": true}

var placeholder = regexp.MustCompile(`\{([^{}]*)\}`)

// Expand fills the placeholders of a text: {unit} {customer} {days} {due} {day} {fee} {fee_words} {version} {rule}
// {retain_years} {retain_until}, and of a field {NAME} as shown, {NAME:words} in words, {NAME:brief} a table's rows
// in short, {NAME:total.T} a table's total. A field that holds nothing reads as "not stated".
func (s *Service) Expand(t Text, c Context, v Values, lang locale.Lang) string {
	days, due, rule := s.Due(v, c.Day)
	return placeholder.ReplaceAllStringFunc(t.In(lang), func(p string) string {
		name, part, _ := strings.Cut(p[1:len(p)-1], ":")
		switch name {
		case "unit":
			return c.Unit
		case "customer":
			return c.Customer
		case "days":
			return strconv.Itoa(days)
		case "due":
			return FormatDate(due.Format(time.DateOnly), lang)
		case "day":
			return FormatDate(dateOf(c.Day).Format(time.DateOnly), lang)
		case "fee":
			return FormatMoney(s.Amount(v), lang)
		case "fee_words":
			return AmountInWords(s.Amount(v), lang)
		case "version":
			return s.Agreement.Version
		case "rule":
			return rule.In(lang)
		case "retain_years":
			return strconv.Itoa(s.Retain)
		case "retain_until":
			return FormatDate(s.RetainUntil(dateOf(c.Day)).Format(time.DateOnly), lang)
		}
		f, ok := s.byName[name]
		if !ok {
			return p
		}
		if out := f.part(part, v[name], lang); out != "" {
			return out
		}
		return locale.Text(lang, "catalog.not_stated", nil)
	})
}

// part writes the named part of a value.
func (f *Field) part(part string, v Value, lang locale.Lang) string {
	switch {
	case part == "":
		return f.Show(v, lang)
	case part == "brief":
		return f.InShort(v, lang)
	case part == "words" && v.Text != "":
		words := NumberInWords(v.Text, lang)
		if f.Type == MoneyType {
			n, _ := strconv.ParseInt(v.Text, 10, 64)
			words = AmountInWords(Money(n), lang)
		}
		if unit := f.UnitWords.In(lang); unit != "" {
			if lang == locale.Chinese {
				return words + unit
			}
			return words + " " + unit
		}
		return words
	}
	if total, ok := strings.CutPrefix(part, "total."); ok {
		return f.ShowTotal(total, v, lang)
	}
	return ""
}

// Clauses returns the agreement with its placeholders filled.
func (s *Service) Clauses(c Context, v Values, lang locale.Lang) []FilledClause {
	out := make([]FilledClause, len(s.Agreement.Clauses))
	for i, clause := range s.Agreement.Clauses {
		out[i] = FilledClause{Number: i + 1, Title: clause.Title.In(lang)}
		for _, p := range clause.Paragraphs {
			out[i].Paragraphs = append(out[i].Paragraphs, s.Expand(p, c, v, lang))
		}
	}
	return out
}

// FilledClause is an article as the customer reads it.
type FilledClause struct {
	Number     int
	Title      string
	Paragraphs []string
}

// Recap returns the lines that sum up what the customer agrees to: label and text.
func (s *Service) Recap(c Context, v Values, lang locale.Lang) [][2]string {
	var out [][2]string
	for _, line := range s.Summary {
		out = append(out, [2]string{line.Label.In(lang), s.Expand(line.Text, c, v, lang)})
	}
	return out
}

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
