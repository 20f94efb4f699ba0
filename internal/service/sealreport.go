package service

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/kiosk"
	"countersign/signing/seal"
)

// SealLine is one use in a report.
type SealLine struct {
	Seal   string     `json:"seal"`
	Number int64      `json:"number"`
	Order  string     `json:"order"`
	Clerk  string     `json:"clerk,omitempty"`
	At     time.Time  `json:"at"`
	State  seal.State `json:"state,omitempty"`
	Why    string     `json:"why"`
}

// SealReport holds a day's seals against its orders. Every list but Void is empty on a good day.
type SealReport struct {
	Day          string     `json:"day"`
	Uses         int        `json:"uses"`   // lines of the book on the day
	Done         int        `json:"done"`   // of them booked as done
	Orders       int        `json:"orders"` // orders that were sealed on the day
	WithoutOrder []SealLine `json:"without_order"`
	WithoutSeal  []SealLine `json:"without_seal"`
	Open         []SealLine `json:"open"`
	Void         []SealLine `json:"void"`
}

// OK reports whether seals and orders agree.
func (r SealReport) OK() bool {
	return len(r.WithoutOrder)+len(r.WithoutSeal)+len(r.Open) == 0
}

// longestWait is how long before its sealing an order may have been started and still be found by the report.
const longestWait = 92 * 24 * time.Hour

// SealReport compares the book of the seals with the orders of a day (2026-11-21, business time). The book is the seal
// service's own, wherever it is; the orders are ours.
func (s *Service) SealReport(ctx context.Context, day string) (SealReport, error) {
	from, err := time.ParseInLocation(time.DateOnly, day, clock.Vietnam)
	if err != nil {
		return SealReport{}, fault.Wrap(err, fault.Invalid, "service.day", fault.Args{"day": day})
	}
	to := from.AddDate(0, 0, 1)
	// A use is written before its order is sealed: over midnight the two have different days.
	uses, err := s.uses(ctx, from.AddDate(0, 0, -1), to)
	if err != nil {
		return SealReport{}, err
	}
	r := SealReport{Day: day, WithoutOrder: []SealLine{}, WithoutSeal: []SealLine{}, Open: []SealLine{}, Void: []SealLine{}}
	err = s.Store.View(ctx, func(tx kiosk.Tx) error {
		for _, u := range uses {
			if u.At.Before(from) {
				continue
			}
			if err := r.count(tx, u); err != nil {
				return err
			}
		}
		for unit := range s.Hall.Units {
			orders, err := tx.ListOrders(unit, from.Add(-longestWait), to, 1<<20)
			if err != nil {
				return err
			}
			for _, o := range orders {
				if at := o.Times.Sealed; !at.Before(from) && at.Before(to) {
					r.hold(o, uses)
				}
			}
		}
		return nil
	})
	return r, err
}

func line(u seal.Use, why string) SealLine {
	return SealLine{Seal: u.Seal, Number: u.Number, Order: u.Order, Clerk: u.Clerk, At: u.At, State: u.State, Why: why}
}

// count puts a line of the book where it belongs.
func (r *SealReport) count(tx kiosk.Tx, u seal.Use) error {
	r.Uses++
	switch u.State {
	case seal.Void:
		r.Void = append(r.Void, line(u, u.Reason))
		return nil
	case seal.Intended:
		r.Open = append(r.Open, line(u, "the order has not fetched its sealed file, or the book has not heard of it"))
		return nil
	}
	r.Done++
	o, err := tx.OrderByNumber(u.Order)
	if fault.KindOf(err) == fault.NotFound && err != nil {
		r.WithoutOrder = append(r.WithoutOrder, line(u, "there is no such order"))
		return nil
	}
	if err != nil {
		return err
	}
	stands := slices.ContainsFunc(o.Seals, func(x kiosk.SealUse) bool { return x.Seal == u.Seal && x.Number == u.Number })
	switch {
	case !stands:
		r.WithoutOrder = append(r.WithoutOrder, line(u, "the order does not bear this use"))
	case o.Document.FinalSHA256 != hex.EncodeToString(u.Result[:]):
		r.WithoutOrder = append(r.WithoutOrder, line(u, "the order's file is another one than the book's"))
	}
	return nil
}

// hold looks for each seal of a sealed order in the book.
func (r *SealReport) hold(o *kiosk.Order, uses []seal.Use) {
	r.Orders++
	for _, x := range o.Seals {
		i := slices.IndexFunc(uses, func(u seal.Use) bool { return u.Seal == x.Seal && u.Number == x.Number && u.Order == o.Number })
		l := SealLine{Seal: x.Seal, Number: x.Number, Order: o.Number, Clerk: o.Clerk.StaffID, At: x.At}
		switch {
		case i < 0:
			l.Why = "the book has no such use"
		case uses[i].State != seal.Done:
			l.State, l.Why = uses[i].State, fmt.Sprintf("the book has it as %s", uses[i].State)
		default:
			continue
		}
		r.WithoutSeal = append(r.WithoutSeal, l)
	}
}
