package catalog

import (
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode"

	"countersign/internal/fault"
	"countersign/internal/locale"
)

// maxTyped bounds what Accept looks at, in bytes.
const maxTyped = 8000

// Accept turns what was typed (or scanned, or shown by Show) into the canonical value. Nothing typed clears the
// field and is no error: what is required is Service.Check's matter. A refusal is a *fault.Error whose arguments
// hold the field's number, name and label.
func (f *Field) Accept(typed string, today time.Time, lang locale.Lang) (canonical string, err error) {
	if f.ReadOnly {
		return "", f.fault("field.read_only", lang, nil)
	}
	return f.accept(typed, today, lang)
}

// AcceptCell is Accept for one cell of a table; row counts from 1 and is named in a refusal: 14.1.
func (f *Field) AcceptCell(row, column int, typed string, today time.Time, lang locale.Lang) (string, error) {
	if f.Type != Rows || column < 0 || column >= len(f.Columns) {
		return "", f.fault("field.rows", lang, nil)
	}
	canonical, err := f.Columns[column].Accept(typed, today, lang)
	return canonical, f.inRow(err, row)
}

// inRow names the row in a column's refusal.
func (f *Field) inRow(err error, row int) error {
	var e *fault.Error
	if !errors.As(err, &e) {
		return err
	}
	e.Args["n"] = strconv.Itoa(f.Number) + "." + strconv.Itoa(row)
	e.Args["field"] = f.Name + "." + e.Args["field"]
	return e
}

// fault makes a refusal of this field.
func (f *Field) fault(code string, lang locale.Lang, args fault.Args) *fault.Error {
	all := fault.Args{"n": strconv.Itoa(f.Number), "field": f.Name, "label": lowerFirst(f.Label.In(lang))}
	for k, v := range args {
		all[k] = v
	}
	return fault.New(fault.Invalid, code, all)
}

// lowerFirst writes a label as it stands inside a sentence; an abbreviation stays as it is.
func lowerFirst(s string) string {
	r := []rune(s)
	if len(r) > 1 && unicode.IsUpper(r[0]) && !unicode.IsUpper(r[1]) {
		r[0] = unicode.ToLower(r[0])
	}
	return string(r)
}

// accept is Accept for values from anywhere, read-only fields included.
func (f *Field) accept(typed string, today time.Time, lang locale.Lang) (string, error) {
	if len(typed) > maxTyped {
		return "", f.fault("field.long", lang, fault.Args{"max": strconv.Itoa(f.maxLength()), "got": strconv.Itoa(len(typed))})
	}
	s, bad := normal(typed, f.Type == Multiline)
	if bad {
		return "", f.fault("field.control", lang, nil)
	}
	if s == "" {
		return "", nil
	}
	switch f.Type {
	case Digits:
		return f.acceptDigits(s, lang)
	case Number:
		return f.acceptNumber(s, lang)
	case MoneyType:
		return f.acceptNumber(stripMoney(s), lang)
	case Date:
		return f.acceptDate(s, today, lang)
	case ChoiceOf:
		return f.acceptChoice(s, lang)
	case YesNo:
		return f.acceptYesNo(s, lang)
	case Phone:
		return f.acceptPhone(s, lang)
	case Email:
		return f.acceptEmail(s, lang)
	case IDNumber:
		return f.acceptID(s, today, lang)
	case TaxCode:
		return f.acceptTaxCode(s, today, lang)
	case Code:
		return f.acceptCode(s, lang)
	case File:
		return "", f.fault("field.file", lang, nil)
	case Rows:
		return "", f.fault("field.rows", lang, nil)
	}
	return f.acceptText(s, lang)
}

// Full reports whether what is typed is complete, so that a field that leaves by itself may leave.
func (f *Field) Full(typed string) bool {
	if !f.AutoLeave {
		return false
	}
	switch f.Type {
	case ChoiceOf:
		_, ok := f.Choice(typed)
		return ok
	case YesNo:
		return typed == "1" || typed == "2"
	case Phone:
		return fullPhone(typed, f.Check)
	}
	digits, ok := onlyDigits(typed)
	if !ok {
		return f.Check == "cn_id" && len(typed) == 18 && strings.HasSuffix(strings.ToUpper(typed), "X")
	}
	switch f.Type {
	case Date:
		return len(digits) == 8
	case Digits:
		return len(digits) == f.Length
	case TaxCode:
		return len(digits) == 10 && taxCheck(digits)
	case IDNumber:
		if f.Check == "cn_id" {
			return len(digits) == 18
		}
		return len(digits) == 12
	case Code:
		return len(digits) == codeLength[f.Check]
	}
	return false
}

// leaves reports whether the field has a known last character.
func (f *Field) leaves() bool {
	if f.ReadOnly {
		return false
	}
	switch f.Type {
	case ChoiceOf, YesNo, Date, Phone, IDNumber, TaxCode:
		return true
	case Digits:
		return f.Length > 0
	case Code:
		return codeLength[f.Check] > 0
	}
	return false
}

func (f *Field) maxLength() int {
	switch {
	case f.MaxLength > 0:
		return f.MaxLength
	case f.Type == Multiline:
		return 2000
	}
	return 200
}

func (f *Field) acceptText(s string, lang locale.Lang) (string, error) {
	if f.Check == "person_name" {
		for _, c := range s {
			if !unicode.IsLetter(c) && !unicode.Is(unicode.Mn, c) && !strings.ContainsRune(" .'-·", c) {
				return "", f.fault("field.name", lang, nil)
			}
		}
		s, _ = normal(strings.ToUpper(s), false)
	}
	n := graphemes(s)
	if n > f.maxLength() {
		return "", f.fault("field.long", lang, fault.Args{"max": strconv.Itoa(f.maxLength()), "got": strconv.Itoa(n)})
	}
	if n < f.MinLength {
		return "", f.fault("field.short", lang, fault.Args{"min": strconv.Itoa(f.MinLength), "got": strconv.Itoa(n)})
	}
	return s, nil
}

func (f *Field) acceptDigits(s string, lang locale.Lang) (string, error) {
	digits, ok := onlyDigits(s)
	if !ok {
		return "", f.fault("field.not_digits", lang, nil)
	}
	if f.Length > 0 && len(digits) != f.Length {
		return "", f.wrongLength(len(digits), f.Length, lang)
	}
	if n := len(digits); n > f.maxLength() {
		return "", f.fault("field.long", lang, fault.Args{"max": strconv.Itoa(f.maxLength()), "got": strconv.Itoa(n)})
	} else if n < f.MinLength {
		return "", f.fault("field.short", lang, fault.Args{"min": strconv.Itoa(f.MinLength), "got": strconv.Itoa(n)})
	}
	return digits, nil
}

func (f *Field) wrongLength(got, want int, lang locale.Lang) error {
	return f.fault("field.digits", lang, fault.Args{"want": strconv.Itoa(want), "got": strconv.Itoa(got)})
}

func (f *Field) acceptChoice(s string, lang locale.Lang) (string, error) {
	if _, ok := f.Choice(s); ok {
		return s, nil
	}
	folded := Fold(s)
	for _, c := range f.Choices {
		if s == c.Value {
			return c.Key, nil
		}
		for _, l := range c.Label {
			if folded == Fold(l) || folded == Fold(c.Key+" "+l) {
				return c.Key, nil
			}
		}
	}
	var labels, keys []string
	for _, c := range f.Choices {
		labels = append(labels, c.Key+" "+lowerFirst(c.Label.In(lang)))
		keys = append(keys, c.Key)
	}
	return "", f.fault("field.choice", lang, fault.Args{"choices": strings.Join(labels, ", "), "keys": strings.Join(keys, " ")})
}

func (f *Field) acceptYesNo(s string, lang locale.Lang) (string, error) {
	switch Fold(s) {
	case "1", "yes", "y", "co", "c", "是", "1 co", "1 yes", "1 是":
		return "yes", nil
	case "2", "no", "n", "khong", "k", "否", "2 khong", "2 no", "2 否":
		return "no", nil
	}
	return "", f.fault("field.yesno", lang, nil)
}
