package catalog

import (
	"math/big"
	"sort"
	"strings"

	"countersign/internal/fault"
)

// When is a test of one value: a field of the form, or a fact by its dotted name.
type When struct {
	Name   string   // area, cmis.area
	Is     []string // one of these canonical values
	Not    []string // none of these
	AtMost string   // number
	From   string   // number, inclusive
}

// readWhen reads a test. Field names are checked when the whole form is known.
func readWhen(m *mapping, s *Service) When {
	m.need("name")
	w := When{Name: m.text("name"), Is: m.texts("is"), Not: m.texts("not")}
	if m.has("from") {
		w.From = m.figure("from")
	}
	if m.has("at_most") {
		w.AtMost = m.figure("at_most")
	}
	m.done()
	if len(w.Is) == 0 && len(w.Not) == 0 && w.From == "" && w.AtMost == "" {
		m.refuse("catalog.when_empty", "name", nil)
	}
	return w
}

// holds reports whether the test holds; known is false when there is no value to look at.
func (w When) holds(value string) (ok, known bool) {
	if value == "" {
		return false, false
	}
	if len(w.Is) > 0 && !contains(w.Is, value) {
		return false, true
	}
	if contains(w.Not, value) {
		return false, true
	}
	if w.From == "" && w.AtMost == "" {
		return true, true
	}
	n, good := new(big.Rat).SetString(value)
	if !good || len(value) > 24 {
		return false, true
	}
	if w.From != "" && compare(n, w.From) < 0 {
		return false, true
	}
	if w.AtMost != "" && compare(n, w.AtMost) > 0 {
		return false, true
	}
	return true, true
}

// all reports whether every test holds; none holds of nothing.
func all(tests []When, v Values) bool {
	for _, w := range tests {
		if ok, _ := w.holds(v[w.Name].Text); !ok {
			return false
		}
	}
	return true
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// compare compares a number with a canonical one.
func compare(n *big.Rat, canonical string) int {
	other, ok := new(big.Rat).SetString(canonical)
	if !ok {
		return 0
	}
	return n.Cmp(other)
}

// Rule is a check that looks at several fields.
type Rule struct {
	Kind   string   // see ruleKinds
	Fields []string // as the kind needs
	Total  string   // of the first field, a table
	Note   bool     // attention only: does not stop the order
}

// ruleKinds are the checks over several fields, with how many fields each needs.
var ruleKinds = map[string]int{
	"id_birth":     2, // the year in the personal number is that of the date of birth
	"id_sex":       2, // the sex in the personal number is that of the field (values M and F)
	"differ":       2, // the two values are not the same
	"not_before":   2, // the first day is not before the second
	"account_unit": 2, // the treasury account belongs to the budget unit
	"total_least":  2, // the total of a table is at least the number
	"total_equal":  2, // the total of a table is the number
	"greater":      2, // the first number is greater than the second
}

func readRule(m *mapping, s *Service) Rule {
	m.need("kind")
	m.need("fields")
	kinds := make([]string, 0, len(ruleKinds))
	for k := range ruleKinds {
		kinds = append(kinds, k)
	}
	sort.Strings(kinds)
	r := Rule{Kind: m.word("kind", kinds...), Fields: m.texts("fields"), Note: m.flag("note", false)}
	if m.has("total") {
		r.Total = m.text("total")
	}
	m.done()
	if want := ruleKinds[r.Kind]; want != 0 && len(r.Fields) != want {
		m.refuse("catalog.rule_fields", "fields", fault.Args{"kind": r.Kind, "want": numberText(want)})
		return r
	}
	for i, name := range r.Fields {
		f, ok := s.byName[name]
		if !ok {
			m.refuse("catalog.field_unknown", "fields", fault.Args{"name": name})
			continue
		}
		if strings.HasPrefix(r.Kind, "total_") && i == 0 {
			if _, ok := f.Total(r.Total, nil); !ok {
				m.refuse("catalog.total_unknown", "total", fault.Args{"name": r.Total, "field": name})
			}
		}
	}
	return r
}

// autoNeeded is how many fields of a form must leave or fill by themselves: the fixed keys of an order are ten,
// and the goal is at most five keys more than the form has fields.
const autoNeeded = 5

// inspect holds the rules over a whole form.
func (s *Service) inspect(m *mapping) {
	names, letters := make(map[string]bool), make(map[string]bool)
	next := 1
	for _, sec := range s.Sections {
		if letters[sec.Letter] {
			m.refuse("catalog.name_twice", "sections", fault.Args{"name": sec.Letter})
		}
		letters[sec.Letter] = true
		for _, f := range sec.Fields {
			if names[f.Name] {
				m.refuseAt("catalog.name_twice", f.line, fault.Args{"key": "name", "name": f.Name})
			}
			names[f.Name] = true
			if f.Number != next {
				m.refuseAt("catalog.number_order", f.line, fault.Args{"key": "number", "field": f.Name, "got": numberText(f.Number), "want": numberText(next)})
			}
			next = f.Number + 1
			s.inspectUse(m, f)
		}
	}
	s.inspectTexts(m)
	for _, w := range s.tests() {
		if _, field := s.byName[w.Name]; !field && !s.tables.sourceKnown(w.Name) {
			m.refuseAt("catalog.field_unknown", m.line, fault.Args{"key": "name", "name": w.Name})
		}
	}
	s.inspectBudget(m)
}

// inspectUse checks one field against the rest of the form.
func (s *Service) inspectUse(m *mapping, f *Field) {
	if f.Printed && !f.Visible {
		m.refuseAt("catalog.hidden", f.line, fault.Args{"key": "visible", "field": f.Name, "n": numberText(f.Number)})
	}
	for _, src := range f.Source {
		kind, name := splitSource(src)
		if kind != "same" && kind != "derive" && kind != "list" {
			continue
		}
		other, ok := s.byName[name]
		if !ok || other == f || (kind == "list" && other.List == nil) || (kind == "same" && other.Type != f.Type) ||
			(kind == "derive" && other.Type != IDNumber) {
			m.refuseAt("catalog.field_unknown", f.line, fault.Args{"key": "source", "name": src})
		}
	}
	if f.List == nil {
		return
	}
	for _, row := range f.List.Rows {
		for name, value := range row.Fills {
			other, ok := s.byName[name]
			if !ok {
				m.refuseAt("catalog.field_unknown", f.line, fault.Args{"key": "fills", "name": name})
				continue
			}
			if got, err := other.accept(value, s.ValidFrom, s.Language); err != nil || got != value {
				m.refuseAt("catalog.bad_value", f.line, fault.Args{"key": "fills." + name, "got": value})
			}
		}
	}
}

// tests returns every test in the file, so that their names can be checked at once.
func (s *Service) tests() []When {
	var out []When
	for _, f := range s.fields {
		out = append(out, f.RequiredIf...)
	}
	for _, r := range s.Term.Rules {
		out = append(out, r.When...)
	}
	for _, r := range s.Fee.Rules {
		out = append(out, r.When...)
	}
	for _, c := range s.Conditions {
		out = append(out, c.When)
	}
	return out
}

// inspectBudget refuses a form that takes the clerk too many keys.
func (s *Service) inspectBudget(m *mapping) {
	var auto, rest []string
	for _, f := range s.fields {
		if f.AutoLeave || f.fills() {
			auto = append(auto, f.Name)
		} else {
			rest = append(rest, f.Name)
		}
	}
	if len(auto) < autoNeeded {
		m.refuse("catalog.key_budget", "sections", fault.Args{"have": numberText(len(auto)), "want": numberText(autoNeeded),
			"auto": strings.Join(auto, ", "), "rest": strings.Join(rest, ", ")})
	}
}

// refuseAt notes a refusal at a line of the file.
func (m *mapping) refuseAt(code string, line int, args fault.Args) {
	m.r.refuse(code, m.file, line, args)
}
