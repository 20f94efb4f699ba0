package catalog

import (
	"strconv"
	"time"

	"countersign/internal/fault"
)

// Term is the time limit of a service in working days.
type Term struct {
	Days  int
	Note  Text // what the plain limit stands for
	Rules []TermRule
}

// TermRule gives another limit when all its tests hold; the longest of those that hold counts.
type TermRule struct {
	When []When
	Days int
	Why  Text
}

// Money is an amount in đồng.
type Money int64

// Fee is what the service costs, in đồng, VAT included.
type Fee struct {
	Amount Money
	Note   Text
	Rules  []FeeRule
}

// FeeRule gives another amount when all its tests hold; the first that holds counts.
type FeeRule struct {
	When   []When
	Amount Money
	Why    Text
}

// maxFee bounds an amount.
const maxFee = 1_000_000_000_000

// readTerm reads the time limit.
func readTerm(m *mapping, s *Service) Term {
	var t Term
	if m == nil {
		return t
	}
	m.need("working_days")
	t.Days = m.whole("working_days", 0, 365)
	t.Note = m.words("note", s.Language)
	for _, rule := range m.mappings("rules") {
		rule.need("when")
		rule.need("working_days")
		rule.need("why")
		r := TermRule{Days: rule.whole("working_days", 0, 365), Why: rule.words("why", s.Language)}
		for _, w := range rule.mappings("when") {
			r.When = append(r.When, readWhen(w, s))
		}
		rule.done()
		t.Rules = append(t.Rules, r)
	}
	m.done()
	return t
}

// readFee reads the fee; a service without one is free.
func readFee(m *mapping, s *Service) Fee {
	var f Fee
	if m == nil {
		return f
	}
	m.need("amount")
	f.Amount = m.money("amount")
	f.Note = m.words("note", s.Language)
	for _, rule := range m.mappings("rules") {
		rule.need("when")
		rule.need("amount")
		rule.need("why")
		r := FeeRule{Amount: rule.money("amount"), Why: rule.words("why", s.Language)}
		for _, w := range rule.mappings("when") {
			r.When = append(r.When, readWhen(w, s))
		}
		rule.done()
		f.Rules = append(f.Rules, r)
	}
	m.done()
	return f
}

func (m *mapping) money(key string) Money {
	s, ok := m.scalar(key, "whole number", "!!int")
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > maxFee {
		m.refuse("catalog.bad_range", key, fault.Args{"got": s, "low": "0", "high": strconv.Itoa(maxFee)})
		return 0
	}
	return Money(n)
}

// Due returns the term for the given values and the day on which it ends, counted from the day of receipt, with
// the reason when a rule made it another than the plain one.
func (s *Service) Due(v Values, from time.Time) (days int, due time.Time, rule Text) {
	days, rule = s.Term.Days, s.Term.Note
	longest := -1
	for _, r := range s.Term.Rules {
		if r.Days > longest && all(r.When, v) {
			longest, days, rule = r.Days, r.Days, r.Why
		}
	}
	return days, s.tables.calendar.Add(from, days), rule
}

// Amount returns the fee for the given values.
func (s *Service) Amount(v Values) Money {
	for _, r := range s.Fee.Rules {
		if all(r.When, v) {
			return r.Amount
		}
	}
	return s.Fee.Amount
}
