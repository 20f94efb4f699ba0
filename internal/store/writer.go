package store

import (
	"context"
	"errors"
	"sync/atomic"

	"countersign/internal/fault"
	"countersign/kiosk"
)

// writer owns the only connection that writes. It takes the waiting updates in turn, each in a savepoint of its own,
// commits them together and then answers all of them. The functions run in their callers' goroutines, so that a panic
// meets its own caller, while the writer waits.
type writer struct {
	store   *Store
	on      *session
	queue   chan *turn // unbuffered: who is received is answered, also while the store closes
	stopped chan struct{}
	edge    *edge // the journal's tree as it is committed
}

// groupMax bounds how many updates share one commit, so that the first does not wait for a long row of others.
const groupMax = 64

// turn is one update that waits, runs or has run.
type turn struct {
	state atomic.Int32
	start chan *tx   // the writer's word: go
	ran   chan error // the caller's word: this is what the function returned
	done  chan error // the writer's word: this is what became of it
	err   error      // what the function returned, between ran and done
}

// The states of a turn. An abandoned one is not run any more.
const (
	waiting int32 = iota
	taken
	abandoned
)

// errPanicked stands for a function that did not return; its caller has gone on unwinding and is not asked again.
var errPanicked = errors.New("the update panicked")

func newWriter(s *Store, on *session) *writer {
	return &writer{store: s, on: on, queue: make(chan *turn), stopped: make(chan struct{})}
}

// Update runs fn in a durable transaction; see kiosk.Store. fn may run a second time when the update that shared its
// commit filled the disk. Faults: store.full, store.busy, store.readonly, store.closed. A context that ends before fn
// has started takes the update back; after that it no longer counts. fn must not call Update.
func (s *Store) Update(ctx context.Context, fn func(kiosk.Tx) error) error {
	return s.update(ctx, func(t *tx) error { return fn(t) })
}

func (s *Store) update(ctx context.Context, fn func(*tx) error) error {
	t := &turn{start: make(chan *tx, 1), ran: make(chan error, 1), done: make(chan error, 1)}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.writer.queue <- t:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing:
		return closedFault()
	}
	cancelled := ctx.Done()
	for {
		select {
		case tx := <-t.start:
			cancelled = nil
			t.carryOut(fn, tx)
		case err := <-t.done:
			return err
		case <-cancelled:
			if t.state.CompareAndSwap(waiting, abandoned) {
				return ctx.Err()
			}
			cancelled = nil
		}
	}
}

// carryOut runs the function and reports even when it panics or ends its goroutine.
func (t *turn) carryOut(fn func(*tx) error, tx *tx) {
	err := errPanicked
	defer func() { t.ran <- err }()
	err = fn(tx)
}

// run is the writer's goroutine.
func (w *writer) run() {
	defer close(w.stopped)
	for {
		select {
		case t := <-w.queue:
			w.group(t)
		case <-w.store.closing:
			return
		}
	}
}

// next returns another update that waits already, nil when there is none.
func (w *writer) next() *turn {
	select {
	case t := <-w.queue:
		return t
	default:
		return nil
	}
}

// group carries out first and whatever waits by then, and answers each.
func (w *writer) group(first *turn) {
	if broken := w.store.broken.Load(); broken != nil {
		first.done <- broken
		return
	}
	turns, err := w.transact(first, w.next)
	switch {
	case err == nil:
		for _, t := range turns {
			t.done <- t.err
		}
	case fault.Is(err, "store.full") && len(turns) > 1:
		// One update may be the big one; the others need not fail with it.
		for _, t := range turns {
			if t.err == errPanicked {
				continue
			}
			if _, err := w.transact(t, func() *turn { return nil }); err != nil {
				t.done <- err
			} else {
				t.done <- t.err
			}
		}
	default:
		for _, t := range turns {
			t.done <- err
		}
		if fault.Is(err, "store.busy") {
			// Who waits has waited as long as the first, and would wait as long again.
			for t := w.next(); t != nil; t = w.next() {
				t.done <- err
			}
		}
	}
}

// transact runs first and what next brings in one transaction, and returns who took part. An error means that the
// whole transaction has left no trace.
func (w *writer) transact(first *turn, next func() *turn) ([]*turn, error) {
	turns := []*turn{}
	if broken := w.store.broken.Load(); broken != nil {
		return []*turn{first}, broken
	}
	if err := w.on.exec("BEGIN IMMEDIATE"); err != nil {
		return []*turn{first}, w.judge(err)
	}
	before, woke := w.edge, false
	for t := first; t != nil; t = next() {
		// A turn that is run alone after a full disk is taken already.
		if !t.state.CompareAndSwap(waiting, taken) && t.state.Load() == abandoned {
			continue
		}
		turns = append(turns, t)
		tx, err := w.savepoint(t)
		if err != nil {
			w.edge = before
			return turns, w.judge(errors.Join(err, w.rollback()))
		}
		woke = woke || tx.woke && t.err == nil
		if len(turns) == groupMax {
			break
		}
	}
	if err := w.on.exec("COMMIT"); err != nil {
		w.edge = before
		return turns, w.judge(errors.Join(err, w.rollback()))
	}
	if woke {
		for _, hears := range w.store.enqueued {
			select {
			case hears <- struct{}{}:
			default:
			}
		}
	}
	return turns, nil
}

// savepoint runs one turn. The error it returns is the database's: the transaction can't go on. What the function
// itself returned is in t.err, and its savepoint is rolled back then.
func (w *writer) savepoint(t *turn) (*tx, error) {
	if err := w.on.exec("SAVEPOINT turn"); err != nil {
		return nil, err
	}
	tx := &tx{store: w.store, on: w.on, edge: w.edge, write: true}
	t.start <- tx
	t.err = <-t.ran
	tx.over = true
	if tx.failed != nil {
		return nil, tx.failed
	}
	if t.err != nil {
		return tx, errors.Join(w.on.exec("ROLLBACK TO turn"), w.on.exec("RELEASE turn"))
	}
	w.edge = tx.edge
	return tx, w.on.exec("RELEASE turn")
}

// rollback ends the transaction; SQLite may have done so itself, which is as good.
func (w *writer) rollback() error {
	over, err := w.on.outside()
	if err != nil || over {
		return err
	}
	return w.on.exec("ROLLBACK")
}

// judge decides whether the store may go on writing after a failed transaction.
func (w *writer) judge(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		// An error of the driver that has no name here says nothing about what is on the disk.
		f = fault.Wrap(err, fault.Unavailable, "store.readonly", nil)
	}
	if f.Code == "store.readonly" || f.Code == "store.damaged" {
		w.store.broken.CompareAndSwap(nil, f)
	}
	return f
}
