package catalog

import (
	"regexp"
	"strconv"
	"strings"
	"time"

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
		// A paragraph is one line; the lines of a value are told apart by semicolons.
		return strings.ReplaceAll(f.Show(v, lang), "\n", "; ")
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
