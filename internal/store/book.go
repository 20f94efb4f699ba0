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

// Intent writes an intended use down; see seal.Book.
func (b Book) Intent(ctx context.Context, u seal.Use) (number int64, err error) {
	err = b.store.update(ctx, func(t *tx) error {
		earlier, err := t.uses("seal = ? AND order_key = ? AND state <> 'void'", u.Seal, u.Order)
		if err != nil {
			return err
		}
		if len(earlier) > 0 && earlier[0].State == seal.Done {
			return fault.New(fault.Conflict, "seal.done", nil)
		}
		if len(earlier) > 0 {
			return fault.New(fault.Conflict, "seal.busy", nil)
		}
		n, err := t.draw("seal", u.Seal, useYear(u))
		if err != nil {
			return err
		}
		number = int64(n)
		intended := u
		intended.Number, intended.State = number, seal.Intended
		intended.Result, intended.Ended, intended.Reason = [32]byte{}, time.Time{}, ""
		return t.putUse(intended, 1)
	})
	return number, err
}

// end closes an intended use. A use that already ended in the same way is left as it is.
func (b Book) end(ctx context.Context, u seal.Use, as seal.State, change func(*seal.Use)) error {
	return b.store.update(ctx, func(t *tx) error {
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
	})
}

// Done closes an intended use with the sealed document's digest.
func (b Book) Done(ctx context.Context, u seal.Use, result [32]byte, at time.Time) error {
	return b.end(ctx, u, seal.Done, func(s *seal.Use) { s.Result, s.Ended = result, at })
}

// Failed closes an intended use as void.
func (b Book) Failed(ctx context.Context, u seal.Use, reason string, at time.Time) error {
	return b.end(ctx, u, seal.Void, func(s *seal.Use) { s.Reason, s.Ended = reason, at })
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
