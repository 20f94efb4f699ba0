package catalog

import (
	"sort"
	"strings"
	"time"

	"countersign/internal/locale"
)

// Text is a text in several languages.
type Text map[locale.Lang]string

// In returns the text in the given language; where it is missing, in Vietnamese, else in any language there is.
func (t Text) In(l locale.Lang) string {
	if s, ok := t[l]; ok {
		return s
	}
	for _, other := range locale.Langs {
		if s, ok := t[other]; ok {
			return s
		}
	}
	return ""
}

// Service is one thing a customer can ask for, as read from one file. It is read-only.
type Service struct {
	File       string // the file it was read from, for messages
	Number     string // two digits, what the clerk types: "11"
	Code       string // the organisation's own code: "TD-CS"
	Version    string // of the file, ordered as text: "2026-06"
	ValidFrom  time.Time
	Language   locale.Lang // of the document
	Group      Text        // the head under which it is listed
	Title      Text        // short: for headings and tables
	FullTitle  Text        // for the service card and the document
	Menu       Text        // the line under its group
	Audience   []string    // person, organisation, agency
	Papers     []Paper
	Term       Term
	Fee        Fee
	Basis      Text // one line: the rule that it rests on
	Sections   []Section
	Rules      []Rule
	Summary    []Line // what the customer is asked to agree to, in a few lines
	Agreement  Agreement
	Confirm    []string // ways in which the customer may confirm, in the words of kiosk.Method
	Assurance  int      // 1 typed, 2 card read and code, 3 chip or token, 4 certified: needed for the customer's signature
	Signers    []Signer
	Seals      []string // kinds of seal in the order of stamping: business, unit
	Retain     int      // years to keep
	BackOffice string   // the system that gets the result: CMIS
	HandOver   []string // fields handed over, all printed ones when the file names none
	Conditions []Condition

	fields []*Field // by number
	byName map[string]*Field
	tables *tables
	words  []string // folded words for Search
}

// Paper is a document that the customer brings.
type Paper struct {
	Name     Text
	Required bool // without it the order can't be accepted; others may follow until the service ends
}

// Section is a headed part of the form.
type Section struct {
	Letter string
	Title  Text
	Fields []*Field
}

// Line is one labelled line with placeholders.
type Line struct{ Label, Text Text }

// Agreement is the text that the customer agrees to, with placeholders for what the form says.
type Agreement struct {
	Version string
	Title   Text
	Clauses []Clause
}

// Clause is a numbered article of an agreement.
type Clause struct {
	Title      Text
	Paragraphs []Text
}

// Signer is a person who signs, and the name of the empty signature field that is theirs.
type Signer struct {
	Role  string // customer, clerk
	Name  Text
	Field string
}

// Condition must hold before the service can be run; it looks at one fact.
type Condition struct {
	Text   Text
	When   When
	Blocks bool
}

// RetainUntil returns the last day on which an order of the given day is kept.
func (s *Service) RetainUntil(from time.Time) time.Time { return from.AddDate(s.Retain, 0, 0) }

// Valid reports whether the service is in force on the given day.
func (s *Service) Valid(day time.Time) bool { return !dateOf(day).Before(s.ValidFrom) }

// Field returns the field with the given name.
func (s *Service) Field(name string) (*Field, bool) {
	f, ok := s.byName[name]
	return f, ok
}

// Fields returns all fields by number.
func (s *Service) Fields() []*Field { return append([]*Field(nil), s.fields...) }

// For reports whether the service is meant for the given audience: person, organisation or agency.
func (s *Service) For(audience string) bool {
	for _, a := range s.Audience {
		if a == audience {
			return true
		}
	}
	return false
}

// index fills what look-ups need.
func (s *Service) index() {
	s.byName = make(map[string]*Field)
	for _, sec := range s.Sections {
		for _, f := range sec.Fields {
			s.fields = append(s.fields, f)
			s.byName[f.Name] = f
		}
	}
	sort.SliceStable(s.fields, func(i, j int) bool { return s.fields[i].Number < s.fields[j].Number })
	seen := make(map[string]bool)
	for _, t := range []Text{s.Group, s.Title, s.FullTitle, s.Menu, {"": s.Number + " " + s.Code}} {
		for _, text := range t {
			for _, w := range strings.FieldsFunc(Fold(text), func(r rune) bool { return strings.ContainsRune(" ,.;:()-/", r) }) {
				if !seen[w] {
					seen[w] = true
					s.words = append(s.words, w)
				}
			}
		}
	}
	s.words = append(s.words, Fold(s.Code))
}

// matches reports whether each wanted word begins one of the service's; Chinese, written without spaces, is found anywhere in a word.
func (s *Service) matches(want []string) bool {
	for _, w := range want {
		found := false
		for _, have := range s.words {
			if strings.HasPrefix(have, w) || (w[0] >= 0x80 && strings.Contains(have, w)) {
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}
