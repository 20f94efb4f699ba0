package store

import (
	"context"
	"database/sql"
	"errors"

	"countersign/helpdesk"
	"countersign/internal/job"
)

// Helpdesk is the store as the helpdesk knows it: the same database, writer and journal.
type Helpdesk struct{ *Store }

// Helpdesk returns the helpdesk's side of the store.
func (s *Store) Helpdesk() Helpdesk { return Helpdesk{s} }

// View runs fn on one unchanging picture of the database; see helpdesk.Store.
func (h Helpdesk) View(ctx context.Context, fn func(helpdesk.Tx) error) error {
	return h.view(ctx, func(t *tx) error { return fn(t) })
}

// Update runs fn in a durable transaction; see helpdesk.Store.
func (h Helpdesk) Update(ctx context.Context, fn func(helpdesk.Tx) error) error {
	return h.update(ctx, func(t *tx) error { return fn(t) })
}

// Settle writes what became of a claimed job of the helpdesk; see Store.Settle. With it Helpdesk is a job.Queue whose
// transactions are the helpdesk's.
func (h Helpdesk) Settle(ctx context.Context, j job.Job, then func(helpdesk.Tx) error) error {
	if then == nil {
		return h.settle(ctx, j, nil)
	}
	return h.settle(ctx, j, func(t *tx) error { return then(t) })
}

// Enqueued tells the helpdesk's runner that a job was added.
func (h Helpdesk) Enqueued() <-chan struct{} { return h.enqueued[1] }

// NextSerial counts a series of the helpdesk up by one; see helpdesk.Serials.
func (t *tx) NextSerial(series, day string) (string, int64, error) {
	last, _, err := t.LastSerial(series)
	if err != nil {
		return "", 0, err
	}
	on := max(day, last)
	if err := t.check(true); err != nil {
		return "", 0, err
	}
	var n int64
	err = t.one([]any{&n}, `INSERT INTO series (name, unit, day, last) VALUES (?, '', ?, 1)
		ON CONFLICT (name, unit, day) DO UPDATE SET last = series.last + 1 RETURNING last`, series, on)
	return on, n, err
}

// LastSerial returns the latest day of a series and its last number.
func (t *tx) LastSerial(series string) (day string, number int64, err error) {
	err = t.one([]any{&day, &number}, "SELECT day, last FROM series WHERE name = ? AND unit = '' ORDER BY day DESC LIMIT 1", series)
	if errors.Is(err, sql.ErrNoRows) {
		return "", 0, nil
	}
	return day, number, err
}

// putRow inserts a record whose revision is 0 or replaces the one that still has rev; columns stand beside key, rev and body.
func (t *tx) putRow(table, key string, rev int64, v any, columns []string, values ...any) (int64, error) {
	body, err := t.seal(table, key, rev+1, v)
	if err != nil {
		return rev, err
	}
	if rev == 0 {
		_, err = t.exec(insertInto(table, columns), append([]any{key, rev + 1, body}, values...)...)
		if isUnique(err) {
			return rev, conflict(table)
		}
	} else {
		args := append([]any{rev + 1, body}, values...)
		var n int64
		n, err = t.exec(updateOf(table, columns), append(args, key, rev)...)
		err = guarded(table, n, err)
	}
	if err != nil {
		return rev, err
	}
	return rev + 1, nil
}

func insertInto(table string, columns []string) string {
	names, marks := "key, rev, body", "?, ?, ?"
	for _, c := range columns {
		names, marks = names+", "+c, marks+", ?"
	}
	return "INSERT INTO " + table + " (" + names + ") VALUES (" + marks + ")"
}

func updateOf(table string, columns []string) string {
	set := "rev = ?, body = ?"
	for _, c := range columns {
		set += ", " + c + " = ?"
	}
	return "UPDATE " + table + " SET " + set + " WHERE key = ? AND rev = ?"
}
