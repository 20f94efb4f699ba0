package seal

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"countersign/internal/fault"
)

// Holder keeps sealed documents until the one who asked has stored them. What Hold has taken survives the process.
type Holder interface {
	Hold(ctx context.Context, order string, document [32]byte, r Result) error
	// Held returns what was sealed for an order; document tells before any seal. false: nothing is held.
	Held(ctx context.Context, order string) (r Result, document [32]byte, ok bool, err error)
	Drop(ctx context.Context, order string) error
	// Orders lists the orders for which something is held.
	Orders(ctx context.Context) ([]string, error)
}

// Release seals for another process, which stores the document and then calls Confirm. What it made is held before it
// leaves: whoever asks again for the same document, after a crash on either side, gets the same bytes under the same
// numbers, and nothing is sealed twice. Its faults are those of Apply.
func (l *Local) Release(ctx context.Context, o Order) (Result, error) {
	l.settling.RLock()
	defer l.settling.RUnlock()
	if l.Holder == nil {
		return Result{}, errors.New("release a sealed document: nothing holds it")
	}
	free, err := l.alone(o.ID)
	if err != nil {
		return Result{}, err
	}
	defer free()
	o.Keep = nil
	return l.sealed(ctx, o)
}

// alone lets one call at a time work on an order, so that what is released is never voided under the caller.
func (l *Local) alone(order string) (free func(), err error) {
	if _, taken := l.working.LoadOrStore(order, true); taken {
		return nil, fault.New(fault.Conflict, "seal.busy", nil)
	}
	return func() { l.working.Delete(order) }, nil
}

// held returns what an earlier Release made for the same document and seals.
func (l *Local) held(ctx context.Context, o Order) (Result, bool, error) {
	if l.Holder == nil {
		return Result{}, false, nil
	}
	r, document, ok, err := l.Holder.Held(ctx, o.ID)
	if err != nil {
		return Result{}, false, away(fmt.Errorf("look for what was sealed for order %s: %w", o.ID, err))
	}
	if !ok {
		return Result{}, false, nil
	}
	open, err := l.Book.Open(ctx)
	if err != nil {
		return Result{}, false, away(fmt.Errorf("read the open uses of seals: %w", err))
	}
	if !slices.ContainsFunc(open, func(u Use) bool { return u.Order == o.ID }) {
		// A stop came between booking the uses and dropping the document.
		return Result{}, false, l.Holder.Drop(ctx, o.ID)
	}
	same := document == o.Consent.Signed && slices.EqualFunc(r.Uses, o.Seals, func(u Use, id string) bool { return u.Seal == id })
	if !same {
		return Result{}, false, fault.New(fault.Conflict, "seal.busy", nil)
	}
	return r, true, nil
}

func (l *Local) hold(ctx context.Context, o Order, r Result) error {
	if l.Holder == nil {
		return nil
	}
	if err := l.Holder.Hold(ctx, o.ID, o.Consent.Signed, r); err != nil {
		return away(fmt.Errorf("hold what was sealed for order %s: %w", o.ID, err))
	}
	return nil
}

// Confirm books the uses of an order as done, once the sealed document is stored. The digest must be that of what was
// released, otherwise the fault is seal.other_file and nothing changes. Repeating it does no harm.
func (l *Local) Confirm(ctx context.Context, order string, digest [32]byte) error {
	l.settling.RLock()
	defer l.settling.RUnlock()
	free, err := l.alone(order)
	if err != nil {
		return err
	}
	defer free()
	r, _, ok, err := l.Holder.Held(ctx, order)
	if err != nil {
		return away(err)
	}
	if !ok {
		return nil
	}
	if r.SHA256 != digest {
		return fault.New(fault.Conflict, "seal.other_file", nil)
	}
	ctx = context.WithoutCancel(ctx)
	if err := l.Book.Done(ctx, digest, l.Clock.Now(), r.Uses...); err != nil {
		return fmt.Errorf("book the uses of seals on order %s as done: %w", order, err)
	}
	return l.Holder.Drop(ctx, order)
}

// Discard books the open uses of an order as void, because nobody will store the document, and destroys it.
func (l *Local) Discard(ctx context.Context, order, reason string) error {
	l.settling.RLock()
	defer l.settling.RUnlock()
	free, err := l.alone(order)
	if err != nil {
		return err
	}
	defer free()
	open, err := l.Book.Open(ctx)
	if err != nil {
		return away(err)
	}
	ctx = context.WithoutCancel(ctx)
	for _, u := range open {
		if u.Order != order {
			continue
		}
		if err := l.Book.Failed(ctx, u, reason, l.Clock.Now()); err != nil {
			return fmt.Errorf("book use %d of seal %s as void: %w", u.Number, u.Seal, err)
		}
	}
	return l.Holder.Drop(ctx, order)
}

// Recover decides what a stop of this process left open, before the first Release: a use without a held document is
// void, because nothing had left; one with a document waits for who asked. It returns how many uses became void.
func (l *Local) Recover(ctx context.Context) (int, error) {
	l.settling.Lock()
	defer l.settling.Unlock()
	open, err := l.Book.Open(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the open uses of seals: %w", err)
	}
	void, waiting := 0, map[string]bool{}
	for _, u := range open {
		_, _, ok, err := l.Holder.Held(ctx, u.Order)
		if err != nil {
			return void, fmt.Errorf("look for what was sealed for order %s: %w", u.Order, err)
		}
		if ok {
			waiting[u.Order] = true
			continue
		}
		if err := l.Book.Failed(ctx, u, "stopped before the document was released", l.Clock.Now()); err != nil {
			return void, fmt.Errorf("book use %d of seal %s as void: %w", u.Number, u.Seal, err)
		}
		void++
	}
	return void, l.sweep(ctx, waiting)
}

// sweep drops what is held for nobody: its uses are in the book, and a stop came before the document was dropped.
func (l *Local) sweep(ctx context.Context, waiting map[string]bool) error {
	held, err := l.Holder.Orders(ctx)
	if err != nil {
		return fmt.Errorf("list what is held: %w", err)
	}
	for _, order := range held {
		if !waiting[order] {
			if err := l.Holder.Drop(ctx, order); err != nil {
				return fmt.Errorf("drop what was held for order %s: %w", order, err)
			}
		}
	}
	return nil
}
