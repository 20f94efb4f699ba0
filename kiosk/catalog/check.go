package catalog

import (
	"math/big"
	"strconv"
	"strings"
	"time"

	"countersign/internal/fault"
	"countersign/internal/locale"
)

// Problem is one thing that is wrong, or only worth a look, about a form.
type Problem struct {
	Field  string // the field to go to; a table's cell is told in Err
	Number int
	Err    *fault.Error
	Note   bool // attention only: does not stop the order
}

// Check looks at a whole form and returns what is wrong, by field number. Labels and amounts in the refusals are
// in the service's language.
func (s *Service) Check(v Values, today time.Time) []Problem { return s.CheckIn(v, today, s.Language) }

// CheckIn is Check with labels and amounts in the given language.
func (s *Service) CheckIn(v Values, today time.Time, lang locale.Lang) []Problem {
	var out []Problem
	broken := make(map[string]bool)
	for _, f := range s.fields {
		if err := s.checkField(f, v, today, lang); err != nil {
			broken[f.Name] = true
			out = append(out, Problem{Field: f.Name, Number: f.Number, Err: err})
		}
	}
	for _, r := range s.Rules {
		last := s.byName[r.Fields[len(r.Fields)-1]]
		skip := false
		for _, name := range r.Fields {
			skip = skip || broken[name] || v[name].Empty()
		}
		if skip {
			continue
		}
		if err := s.checkRule(r, v, lang); err != nil {
			out = append(out, Problem{Field: last.Name, Number: last.Number, Err: err, Note: r.Note})
		}
	}
	// Insertion keeps rules behind their field's own problem.
	for i := 1; i < len(out); i++ {
		for j := i; j > 0 && out[j].Number < out[j-1].Number; j-- {
			out[j], out[j-1] = out[j-1], out[j]
		}
	}
	return out
}

// Stops reports whether any of the problems stops the order.
func Stops(problems []Problem) bool {
	for _, p := range problems {
		if !p.Note {
			return true
		}
	}
	return false
}

// required reports whether a field must hold something, given the other values.
func (f *Field) required(v Values) bool {
	return f.Required || (len(f.RequiredIf) > 0 && all(f.RequiredIf, v))
}

// checkField checks one value by itself.
func (s *Service) checkField(f *Field, v Values, today time.Time, lang locale.Lang) *fault.Error {
	value := v[f.Name]
	if value.Empty() {
		if !f.required(v) {
			return nil
		}
		if f.Type == ChoiceOf {
			_, err := f.accept("?", today, lang)
			return asFault(err)
		}
		return f.fault("field.required", lang, nil)
	}
	switch f.Type {
	case Rows:
		return f.checkRows(value.Rows, today, lang)
	case File:
		if value.File == nil || value.File.Name == "" || len(value.File.SHA256) != 64 {
			return f.fault("field.file", lang, nil)
		}
		return nil
	}
	return f.checkText(value.Text, today, lang)
}

// checkText refuses what Accept would refuse, and what is not canonical: then somebody went round Accept.
func (f *Field) checkText(text string, today time.Time, lang locale.Lang) *fault.Error {
	canonical, err := f.accept(text, today, lang)
	if err != nil {
		return asFault(err)
	}
	if canonical != text {
		return f.fault("field.form", lang, nil)
	}
	return nil
}

func asFault(err error) *fault.Error {
	e, _ := err.(*fault.Error)
	return e
}

// checkRows checks every cell, the number of rows, and that computed cells hold what the formula gives.
func (f *Field) checkRows(rows [][]string, today time.Time, lang locale.Lang) *fault.Error {
	if len(rows) < f.MinRows {
		return f.fault("field.rows_few", lang, fault.Args{"min": strconv.Itoa(f.MinRows)})
	}
	if len(rows) > f.MaxRows {
		return f.fault("field.rows_many", lang, fault.Args{"max": strconv.Itoa(f.MaxRows)})
	}
	computed := f.Compute(rows)
	for i, row := range rows {
		for j, c := range f.Columns {
			cell := ""
			if j < len(row) {
				cell = row[j]
			}
			var err *fault.Error
			switch {
			case c.formula != nil && cell != computed[i][j]:
				err = c.fault("field.form", lang, nil)
			case c.formula != nil:
			case cell == "" && c.Required:
				err = c.fault("field.required", lang, nil)
			case cell != "":
				err = c.checkText(cell, today, lang)
			}
			if err != nil {
				return asFault(f.inRow(err, i+1))
			}
		}
	}
	return nil
}

// checkRule checks one rule; its fields are all filled and right by themselves.
func (s *Service) checkRule(r Rule, v Values, lang locale.Lang) *fault.Error {
	first, second := s.byName[r.Fields[0]], s.byName[r.Fields[1]]
	a, b := v[first.Name], v[second.Name]
	ok, args := true, fault.Args{"other": strconv.Itoa(first.Number), "other_label": lowerFirst(first.Label.In(lang))}
	switch r.Kind {
	case "id_birth":
		year, _, known := personal(a.Text)
		ok = !known || strings.HasPrefix(b.Text, strconv.Itoa(year))
		if known && len(a.Text) == 18 {
			ok = strings.ReplaceAll(b.Text, "-", "") == a.Text[6:14]
		}
	case "id_sex":
		_, sex, known := personal(a.Text)
		choice, _ := second.Choice(b.Text)
		ok = !known || choice.Value == sex
	case "differ":
		ok = a.Text != b.Text
	case "not_before":
		ok = b.Text >= a.Text
	case "greater":
		ok = compare(number(b.Text), a.Text) > 0
	case "account_unit":
		unit := strings.Split(a.Text, ".")
		ok = len(unit) == 4 && unit[2] == b.Text
	case "total_least", "total_equal":
		total, _ := first.Total(r.Total, a.Rows)
		c := compare(number(total), b.Text)
		ok = c == 0 || (c > 0 && r.Kind == "total_least")
		args["total"] = first.ShowTotal(r.Total, a, lang)
		args["value"] = second.Show(b, lang)
	}
	if ok {
		return nil
	}
	return second.fault("rule."+r.Kind, lang, args)
}

// number reads a canonical number; what is none reads as zero.
func number(canonical string) *big.Rat {
	if n, ok := new(big.Rat).SetString(canonical); ok && len(canonical) <= 24 {
		return n
	}
	return new(big.Rat)
}

// Note returns the few words that stand beside a field, at most 22 cells where the arguments are short.
func Note(lang locale.Lang, err error) string {
	e := asFault(err)
	if e == nil {
		return locale.Fault(lang, err)
	}
	args := make(locale.Args, len(e.Args))
	for k, v := range e.Args {
		args[k] = v
	}
	return locale.Text(lang, "note."+e.Code, args)
}

// Sentence returns the sentence of a refusal without the field's number in front, for a summary that has a column
// for numbers.
func Sentence(lang locale.Lang, err error) string {
	full := locale.Fault(lang, err)
	if e := asFault(err); e != nil {
		full = strings.TrimPrefix(full, locale.Text(lang, "catalog.prefix", locale.Args{"n": e.Args["n"]}))
	}
	return upperFirst(strings.TrimSpace(full))
}
