package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/signing/seal"
)

// Book is the book of seal uses in this database; it implements seal.Book. Each call is a transaction of its own, so
// that an intent is durable before any key is opened.
type Book struct{ store *Store }

// Book returns the book of seal uses.
func (s *Store) Book() Book { return Book{s} }

// useBody is a use as it is sealed, with the digests that seal.Use leaves out of its JSON.
type useBody struct {
	seal.Use
	Document [32]byte `json:"document"`
	Result   [32]byte `json:"result"`
}

func (b useBody) use() *seal.Use {
	u := b.Use
	u.Document, u.Result = b.Document, b.Result
	return &u
}

// useKey names a line of the book. The year is that of the business day of the use.
func useKey(u seal.Use) string {
	return u.Seal + "/" + useYear(u) + "/" + strconv.FormatInt(u.Number, 10)
}

func useYear(u seal.Use) string { return strconv.Itoa(u.At.In(clock.Vietnam).Year()) }

func (t *tx) putUse(u seal.Use, rev int64) error {
	key := useKey(u)
	body, err := t.seal("seal_uses", key, rev, useBody{Use: u, Document: u.Document, Result: u.Result})
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO seal_uses (key, rev, seal, order_key, state, created, body) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET rev = excluded.rev, state = excluded.state, body = excluded.body`,
		key, rev, u.Seal, u.Order, string(u.State), nanos(u.At), body)
	return err
}

func (t *tx) uses(where string, args ...any) ([]seal.Use, error) {
	list, err := records(t, "seal_uses", func(*useBody, int64) {}, where, args...)
	var out []seal.Use
	for _, b := range list {
		out = append(out, *b.use())
	}
	return out, err
}

// Intent writes intended uses down; see seal.Book.
func (b Book) Intent(ctx context.Context, uses ...seal.Use) (numbers []int64, err error) {
	err = b.store.update(ctx, func(t *tx) error {
		numbers = nil
		for _, u := range uses {
			n, err := t.intend(u)
			if err != nil {
				return err
			}
			numbers = append(numbers, n)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return numbers, nil
}

// intend writes one intended use down and returns its number.
func (t *tx) intend(u seal.Use) (int64, error) {
	earlier, err := t.uses("seal = ? AND order_key = ? AND state <> 'void'", u.Seal, u.Order)
	if err != nil {
		return 0, err
	}
	if len(earlier) > 0 && earlier[0].State == seal.Done {
		return 0, fault.New(fault.Conflict, "seal.done", nil)
	}
	if len(earlier) > 0 {
		return 0, fault.New(fault.Conflict, "seal.busy", nil)
	}
	n, err := t.draw("seal", u.Seal, useYear(u))
	if err != nil {
		return 0, err
	}
	u.Number, u.State = int64(n), seal.Intended
	u.Result, u.Ended, u.Reason = [32]byte{}, time.Time{}, ""
	return u.Number, t.putUse(u, 1)
}

// end closes an intended use. A use that already ended in the same way is left as it is.
func (t *tx) end(u seal.Use, as seal.State, change func(*seal.Use)) error {
	stored := new(useBody)
	rev, err := t.record("seal_uses", stored, "key = ? AND order_key = ?", useKey(u), u.Order)
	if err != nil {
		return fmt.Errorf("close use %d of seal %s: %w", u.Number, u.Seal, err)
	}
	now := stored.use()
	changed := *now
	change(&changed)
	if now.State == as && now.Result == changed.Result {
		return nil
	}
	if now.State != seal.Intended {
		return fmt.Errorf("close use %d of seal %s as %s: it is %s: %w", u.Number, u.Seal, as, now.State, conflict("seal_uses"))
	}
	changed.State = as
	return t.putUse(changed, rev+1)
}

// Done closes intended uses with the sealed document's digest.
func (b Book) Done(ctx context.Context, result [32]byte, at time.Time, uses ...seal.Use) error {
	return b.store.update(ctx, func(t *tx) error {
		for _, u := range uses {
			if err := t.end(u, seal.Done, func(s *seal.Use) { s.Result, s.Ended = result, at }); err != nil {
				return err
			}
		}
		return nil
	})
}

// Failed closes an intended use as void.
func (b Book) Failed(ctx context.Context, u seal.Use, reason string, at time.Time) error {
	return b.store.update(ctx, func(t *tx) error {
		return t.end(u, seal.Void, func(s *seal.Use) { s.Reason, s.Ended = reason, at })
	})
}

// Open returns the uses that are intended, oldest first.
func (b Book) Open(ctx context.Context) ([]seal.Use, error) {
	return b.list(ctx, "state = 'intended' ORDER BY created, key")
}

// Uses returns the uses between two moments, oldest first: the log that is printed for the keeper of the seals.
func (b Book) Uses(ctx context.Context, from, to time.Time) ([]seal.Use, error) {
	return b.list(ctx, "created >= ? AND created < ? ORDER BY created, key", nanos(from), nanos(to))
}

func (b Book) list(ctx context.Context, where string, args ...any) (list []seal.Use, err error) {
	err = b.store.view(ctx, func(t *tx) error {
		list, err = t.uses(where, args...)
		return err
	})
	return list, err
}

// errNoID refuses a seal or grant that nobody could name again.
var errNoID = errors.New("a seal needs an id; a grant needs seal, clerk and service")
