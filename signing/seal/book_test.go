package seal_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/signing/seal"
)

// book is a use log in memory that keeps the contract of seal.Book.
type book struct {
	mu   sync.Mutex
	uses []seal.Use
	fail func(act string, u seal.Use) error // nil: all goes well
}

func (b *book) check(act string, u seal.Use) error {
	if b.fail == nil {
		return nil
	}
	return b.fail(act, u)
}

func (b *book) Intent(ctx context.Context, uses ...seal.Use) ([]int64, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	before := len(b.uses)
	var numbers []int64
	for _, u := range uses {
		n, err := b.intend(u)
		if err != nil {
			b.uses = b.uses[:before]
			return nil, err
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

func (b *book) intend(u seal.Use) (int64, error) {
	if err := b.check("intent", u); err != nil {
		return 0, err
	}
	n := int64(1)
	for _, other := range b.uses {
		if other.Seal == u.Seal && other.At.In(clock.Vietnam).Year() == u.At.In(clock.Vietnam).Year() {
			n++
		}
		if other.Seal == u.Seal && other.Order == u.Order {
			switch other.State {
			case seal.Intended:
				return 0, fault.New(fault.Conflict, "seal.busy", nil)
			case seal.Done:
				return 0, fault.New(fault.Conflict, "seal.done", nil)
			}
		}
	}
	u.Number, u.State = n, seal.Intended
	b.uses = append(b.uses, u)
	return n, nil
}

// end closes uses, all or none.
func (b *book) end(ctx context.Context, act string, uses []seal.Use, set func(*seal.Use)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	after := slices.Clone(b.uses)
	for _, u := range uses {
		if err := b.check(act, u); err != nil {
			return err
		}
		i := slices.IndexFunc(after, func(o seal.Use) bool { return o.Seal == u.Seal && o.Order == u.Order && o.Number == u.Number })
		if i < 0 {
			return errors.New("no such use")
		}
		if after[i].State == seal.Intended {
			set(&after[i])
		}
	}
	b.uses = after
	return nil
}

func (b *book) Done(ctx context.Context, result [32]byte, at time.Time, uses ...seal.Use) error {
	return b.end(ctx, "done", uses, func(o *seal.Use) { o.State, o.Result, o.Ended = seal.Done, result, at })
}

func (b *book) Failed(ctx context.Context, u seal.Use, reason string, at time.Time) error {
	return b.end(ctx, "failed", []seal.Use{u}, func(o *seal.Use) { o.State, o.Reason, o.Ended = seal.Void, reason, at })
}

func (b *book) Open(context.Context) ([]seal.Use, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(b.uses), func(u seal.Use) bool { return u.State != seal.Intended }), nil
}

// states counts the uses by state.
func (b *book) states() map[seal.State]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := map[seal.State]int{}
	for _, u := range b.uses {
		out[u.State]++
	}
	return out
}

// register is a fixed list of seals and grants.
type register struct {
	seals  []seal.Seal
	grants []seal.Grant
	err    error
}

func (r *register) Seals(context.Context) ([]seal.Seal, error)   { return r.seals, r.err }
func (r *register) Grants(context.Context) ([]seal.Grant, error) { return r.grants, r.err }
