package kiosk

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/kiosk/catalog"
)

// SetField saves a field exit; it returns when the value is durable. base is the canonical text that the clerk saw.
func (h *Hall) SetField(ctx context.Context, a Actor, key, field, base, typed string) (*Order, error) {
	return h.change(ctx, a, key, "form.field", func(tx Tx, o *Order) (facts, error) {
		s, f, err := h.field(o, field)
		if err != nil {
			return nil, err
		}
		now := h.Clock.Now()
		v := catalog.Value{}
		if strings.TrimSpace(typed) != "" {
			if v.Text, err = f.Accept(typed, now, s.Language); err != nil {
				return nil, err
			}
		}
		if err := o.SetField(a.User.Name, field, base, v, now); err != nil {
			return nil, err
		}
		o.Prefill(a.User.Name, s.Derive(field, o.Values), now)
		return facts{"field": field}, nil
	})
}

// SetSame copies into a field what the key "=" copies there, and remembers which field it came from. base is the Base
// of the value that the clerk saw.
func (h *Hall) SetSame(ctx context.Context, a Actor, key, field, base string) (*Order, error) {
	return h.change(ctx, a, key, "form.same", func(tx Tx, o *Order) (facts, error) {
		s, f, err := h.field(o, field)
		if err != nil {
			return nil, err
		}
		fill, ok := s.Same(field, o.Values)
		if !ok {
			return nil, fault.New(fault.Invalid, "order.nothing_same", fault.Args{"number": strconv.Itoa(f.Number)})
		}
		now := h.Clock.Now()
		text, err := f.Accept(fill.Value, now, s.Language)
		if err != nil {
			return nil, err
		}
		if err := o.SetField(a.User.Name, field, base, catalog.Value{Text: text, Source: fill.Source}, now); err != nil {
			return nil, err
		}
		o.Prefill(a.User.Name, s.Derive(field, o.Values), now)
		return facts{"field": field, "source": fill.Source}, nil
	})
}

// SetRows saves the rows of a table as a whole.
func (h *Hall) SetRows(ctx context.Context, a Actor, key, field string, rows [][]string) (*Order, error) {
	return h.change(ctx, a, key, "form.rows", func(tx Tx, o *Order) (facts, error) {
		s, f, err := h.field(o, field)
		if err != nil {
			return nil, err
		}
		now := h.Clock.Now()
		accepted, err := h.acceptRows(f, rows, now, s.Language)
		if err != nil {
			return nil, err
		}
		return facts{"field": field}, o.SetField(a.User.Name, field, o.Values[field].Text, catalog.Value{Rows: accepted}, now)
	})
}

// acceptRows brings every cell into its canonical form and computes the columns that follow from others.
func (h *Hall) acceptRows(f *catalog.Field, rows [][]string, now time.Time, l locale.Lang) ([][]string, error) {
	if f.Type != catalog.Rows {
		return nil, fault.New(fault.Invalid, "order.no_table", fault.Args{"number": strconv.Itoa(f.Number)})
	}
	out := make([][]string, len(rows))
	for i, row := range rows {
		cells := make([]string, len(f.Columns))
		for j := range f.Columns {
			if j >= len(row) || strings.TrimSpace(row[j]) == "" || f.Columns[j].Formula != "" {
				continue
			}
			text, err := f.AcceptCell(i+1, j, row[j], now, l)
			if err != nil {
				return nil, err
			}
			cells[j] = text
		}
		out[i] = cells
	}
	return f.Compute(out), nil
}

// field returns the definition of a field that a person may change.
func (h *Hall) field(o *Order, name string) (*catalog.Service, *catalog.Field, error) {
	s, err := h.service(o)
	if err != nil {
		return nil, nil, err
	}
	f, ok := s.Field(name)
	if !ok {
		return nil, nil, noField(name)
	}
	if f.ReadOnly {
		return nil, nil, fault.New(fault.Forbidden, "order.read_only", fault.Args{"number": strconv.Itoa(f.Number)})
	}
	return s, f, nil
}

// noField repeats what was asked for only when it has the form of a field's name: it may be somebody's data.
func noField(name string) error {
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" {
		name = "?"
	}
	return fault.New(fault.NotFound, "order.no_field", fault.Args{"field": name})
}

// Undo takes the last field exit back.
func (h *Hall) Undo(ctx context.Context, a Actor, key string) (*Order, error) {
	return h.change(ctx, a, key, "form.undo", func(tx Tx, o *Order) (facts, error) {
		field, err := o.Undo(a.User.Name, h.Clock.Now())
		return facts{"field": field}, err
	})
}

// Redo brings back what Undo took.
func (h *Hall) Redo(ctx context.Context, a Actor, key string) (*Order, error) {
	return h.change(ctx, a, key, "form.redo", func(tx Tx, o *Order) (facts, error) {
		field, err := o.Redo(a.User.Name, h.Clock.Now())
		return facts{"field": field}, err
	})
}

// Answer records that the clerk explained an objected field which stays as it is.
func (h *Hall) Answer(ctx context.Context, a Actor, key, field string) (*Order, error) {
	return h.change(ctx, a, key, "form.answer", func(tx Tx, o *Order) (facts, error) {
		return facts{"field": field}, o.Answer(field, h.Clock.Now())
	})
}

// Object records the customer's objection to a field that the customer can see.
func (h *Hall) Object(ctx context.Context, a Actor, key, field string, reason int) (*Order, error) {
	return h.change(ctx, a, key, "form.object", func(tx Tx, o *Order) (facts, error) {
		s, err := h.service(o)
		if err != nil {
			return nil, err
		}
		f, ok := s.Field(field)
		if !ok || !f.Visible {
			return nil, noField(field)
		}
		if err := h.void(tx, o); err != nil {
			return nil, err
		}
		return facts{"field": field, "reason": strconv.Itoa(reason)}, o.Object(field, reason, h.Clock.Now())
	})
}

// Accept records that the customer finds an objected field right now.
func (h *Hall) Accept(ctx context.Context, a Actor, key, field string) (*Order, error) {
	return h.change(ctx, a, key, "form.accept", func(tx Tx, o *Order) (facts, error) {
		return facts{"field": field}, o.Accept(field, h.Clock.Now())
	})
}

// Reopen leads back to the form; the work order that was made is void.
func (h *Hall) Reopen(ctx context.Context, a Actor, key string) (*Order, error) {
	return h.change(ctx, a, key, "form.reopen", func(tx Tx, o *Order) (facts, error) {
		if err := o.in(Invited, Reading, Agreed, Confirming); err != nil {
			return nil, err
		}
		if err := h.void(tx, o); err != nil {
			return nil, err
		}
		o.Reopen(h.Clock.Now())
		return nil, nil
	})
}

// Problems are what stops the order, in the order of the fields.
func (h *Hall) Problems(o *Order) ([]Problem, error) {
	s, err := h.service(o)
	if err != nil {
		return nil, err
	}
	out := []Problem{}
	for _, p := range s.Check(o.Values, h.Clock.Now()) {
		out = append(out, Problem{Field: p.Field, Number: p.Number, Code: p.Err.Code, Args: p.Err.Args, Note: p.Note})
	}
	for _, ob := range o.Objections {
		if !ob.Closed.IsZero() {
			continue
		}
		number := 0
		if f, ok := s.Field(ob.Field); ok {
			number = f.Number
		}
		code := "order.objected"
		if !ob.Answered.IsZero() {
			code = "order.objection_waits"
		}
		out = append(out, Problem{Field: ob.Field, Number: number, Code: code,
			Args: fault.Args{"number": strconv.Itoa(number), "reason": "@objection." + strconv.Itoa(ob.Reason)}})
	}
	return out, nil
}

// stopping counts the problems that stop an order; the others only ask for attention.
func stopping(problems []Problem) int {
	n := 0
	for _, p := range problems {
		if !p.Note {
			n++
		}
	}
	return n
}

// fieldFrom returns the field of a form that is filled from a customer's name, phone and so on, whichever source
// names it: "customer.name" or "card.name".
func fieldFrom(s *catalog.Service, name string) *catalog.Field {
	for _, kind := range []string{"customer.", "card."} {
		for _, f := range s.Fields() {
			for _, source := range f.Source {
				if source == kind+name {
					return f
				}
			}
		}
	}
	return nil
}

// textFrom is the canonical value of the field that fieldFrom returns.
func textFrom(s *catalog.Service, v catalog.Values, name string) string {
	f := fieldFrom(s, name)
	if f == nil {
		return ""
	}
	text := v[f.Name].Text
	if c, ok := f.Choice(text); ok && c.Value != "" {
		return c.Value
	}
	return text
}

// Invite arms the clerk's submission and asks the customer to agree. It is refused while a field stops the order.
func (h *Hall) Invite(ctx context.Context, a Actor, key string) (*Order, error) {
	return h.change(ctx, a, key, "form.invite", func(tx Tx, o *Order) (facts, error) {
		problems, err := h.Problems(o)
		if err != nil {
			return nil, err
		}
		if n := stopping(problems); n > 0 {
			return nil, fault.New(fault.Invalid, "order.problems", fault.Args{"count": strconv.Itoa(n)})
		}
		s, err := h.service(o)
		if err != nil {
			return nil, err
		}
		o.Confirmee = textFrom(s, o.Values, "name")
		o.TermDays, o.Due, _ = s.Due(o.Values, h.Clock.Now())
		number, err := h.number(tx, o)
		if err != nil {
			return nil, err
		}
		return nil, o.Invite(number, h.Clock.Now())
	})
}

// number is the order's number: drawn once, on the day of the first submission.
func (h *Hall) number(tx Tx, o *Order) (string, error) {
	if o.Number != "" {
		return o.Number, nil
	}
	now := h.Clock.Now().In(clock.Vietnam)
	n, err := tx.NextNumber(o.Unit, day(now))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("WO-%s-%s-%06d", o.Unit, now.Format("20060102"), n), nil
}

// lang is the language in which texts about the order are written.
func (o *Order) lang() locale.Lang {
	if l, err := locale.Parse(o.Language); err == nil {
		return l
	}
	return locale.Vietnamese
}
