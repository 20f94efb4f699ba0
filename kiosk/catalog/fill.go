package catalog

import (
	"time"

	"countersign/internal/locale"
)

// Fact is one known value and when it was learnt.
type Fact struct {
	Value string
	At    time.Time
}

// Facts are what is known when a form is opened, by the part of a source's name after the dot.
type Facts struct {
	Card     map[string]Fact // card.number, card.name …: as read in this visit
	Customer map[string]Fact // customer.phone …: our own record
	CMIS     map[string]Fact // cmis.capacity, dvc.account …: the service's back office, whichever it is
	Last     map[string]Fact // last.FIELD: canonical values of the last order of this service
}

// Fill is one value offered to a field.
type Fill struct {
	Field    string
	Value    string // canonical
	Source   string // card.number
	At       time.Time
	Conflict bool // the field holds something else that a person put there, or that came from a better source: show, don't apply
}

// Sources of values that are not facts.
const (
	SourcePreset = "preset" // the form's default
	SourceList   = "list"   // followed from a row of a list
	SourceSame   = "same"   // copied by "="
	SourceDerive = "derive" // follows from another field
)

// lookup finds the fact of a source name.
func (f Facts) lookup(source string) (Fact, bool) {
	kind, key := splitSource(source)
	var from map[string]Fact
	switch kind {
	case "card":
		from = f.Card
	case "customer":
		from = f.Customer
	case "last":
		from = f.Last
	case "same", "list", "derive":
		return Fact{}, false
	default:
		from = f.CMIS
	}
	fact, ok := from[key]
	return fact, ok && fact.Value != ""
}

// Fill returns what the facts say about each field, the best source first, by field number. now are the present
// values: an edited or typed value is never replaced; a value of a card that differs from it is offered as a
// conflict. Facts that the field would refuse are passed over.
func (s *Service) Fill(facts Facts, now Values, today time.Time) []Fill {
	var out []Fill
	filled := make(map[string]string)
	for _, f := range s.fields {
		fill, ok := s.best(f, facts, now, filled, today)
		if !ok {
			continue
		}
		have := now[f.Name]
		switch {
		case have.Text == fill.Value:
			continue
		case have.Empty():
		case have.Source != "" && !have.Edited && f.rank(fill.Source) <= f.rank(have.Source):
		default:
			fill.Conflict = true
			if kind, _ := splitSource(fill.Source); kind != "card" {
				continue
			}
		}
		if !fill.Conflict {
			filled[f.Name] = fill.Value
		}
		out = append(out, fill)
	}
	return out
}

// rank is the place of a source among those of a field; a better one is smaller.
func (f *Field) rank(source string) int {
	for i, s := range f.Source {
		if s == source {
			return i
		}
	}
	return len(f.Source)
}

// best finds the first source of a field that has a value the field takes, else its default.
func (s *Service) best(f *Field, facts Facts, now Values, filled map[string]string, today time.Time) (Fill, bool) {
	for _, source := range f.Source {
		var fact Fact
		if kind, name := splitSource(source); kind == SourceDerive {
			from := filled[name]
			if from == "" {
				from = now[name].Text
			}
			fact.Value = f.derived(from)
		} else if found, ok := facts.lookup(source); ok {
			fact = found
		}
		if fact.Value == "" {
			continue
		}
		if canonical, err := f.accept(fact.Value, today, locale.Vietnamese); err == nil && canonical != "" {
			return Fill{Field: f.Name, Value: canonical, Source: source, At: fact.At}, true
		}
	}
	if f.Default != "" {
		return Fill{Field: f.Name, Value: f.Default, Source: SourcePreset}, true
	}
	return Fill{}, false
}

// derived returns the choice whose value is the sex in a personal number.
func (f *Field) derived(number string) string {
	if _, sex, ok := personal(number); ok {
		for _, c := range f.Choices {
			if c.Value == sex {
				return c.Key
			}
		}
	}
	return ""
}

// Derive returns what follows from the value just given to a field: by derivation (the sex from the personal
// number) and from the row of a list that has this value. Edited values are left alone.
func (s *Service) Derive(name string, now Values) []Fill {
	from, ok := s.byName[name]
	if !ok {
		return nil
	}
	var out []Fill
	offer := func(f *Field, value, source string) {
		have := now[f.Name]
		if value != "" && value != have.Text && !have.Edited && (have.Empty() || have.Source != "") {
			out = append(out, Fill{Field: f.Name, Value: value, Source: source})
		}
	}
	for _, f := range s.fields {
		if contains(f.Source, SourceDerive+":"+name) {
			offer(f, f.derived(now[name].Text), SourceDerive+":"+name)
		}
		if from.List == nil {
			continue
		}
		for _, row := range from.List.Rows {
			if value, ok := row.Fills[f.Name]; ok && row.Value == now[name].Text {
				offer(f, value, SourceList+":"+name)
				break
			}
		}
	}
	return out
}

// Same returns what the key "=" puts into a field: the value of the field it may copy.
func (s *Service) Same(name string, now Values) (Fill, bool) {
	f, ok := s.byName[name]
	if !ok || f.SameAs() == "" || now[f.SameAs()].Text == "" {
		return Fill{}, false
	}
	return Fill{Field: name, Value: now[f.SameAs()].Text, Source: SourceSame + ":" + f.SameAs()}, true
}

// Apply returns the values with the fills put in that are no conflicts; now is not changed.
func Apply(now Values, fills []Fill) Values {
	out := make(Values, len(now)+len(fills))
	for name, v := range now {
		out[name] = v
	}
	for _, f := range fills {
		if !f.Conflict {
			out[f.Field] = Value{Text: f.Value, Source: f.Source, SourceAt: f.At}
		}
	}
	return out
}

// Finding is one condition of a service with how it stands.
type Finding struct {
	Condition Condition
	State     string // met, failed, unknown: the fact is not there
}

// Eligible looks at the service's conditions. Only a failed one that blocks stops the service; what nobody knows
// does not.
func (s *Service) Eligible(facts Facts) (findings []Finding, ok bool) {
	ok = true
	for _, c := range s.Conditions {
		fact, _ := facts.lookup(c.When.Name)
		holds, known := c.When.holds(fact.Value)
		state := "met"
		switch {
		case !known:
			state = "unknown"
		case !holds:
			state = "failed"
			ok = ok && !c.Blocks
		}
		findings = append(findings, Finding{Condition: c, State: state})
	}
	return findings, ok
}
