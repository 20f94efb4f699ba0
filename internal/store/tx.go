package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/mattn/go-sqlite3"

	"countersign/internal/fault"
	"countersign/kiosk"
)

// session is one connection. The driver keeps its prepared statements.
type session struct {
	conn *sql.Conn
}

func (s *session) exec(query string, args ...any) error {
	_, err := s.conn.ExecContext(context.Background(), query, args...)
	return told(err)
}

// outside reports whether the connection is in no transaction.
func (s *session) outside() (yes bool, err error) {
	err = s.conn.Raw(func(c any) error {
		yes = c.(*sqlite3.SQLiteConn).AutoCommit()
		return nil
	})
	return yes, err
}

// tx is one transaction, as kiosk.Tx. It is used by one goroutine, and not after its function has returned.
type tx struct {
	store  *Store
	on     *session
	write  bool
	edge   *edge // the journal's tree as this transaction sees it; nil in views
	woke   bool  // a job was added
	over   bool
	failed error // the database's own failure; the whole group is undone
}

// View runs fn on one unchanging picture of the database: what was committed before it began.
func (s *Store) View(ctx context.Context, fn func(kiosk.Tx) error) error {
	return s.view(ctx, func(t *tx) error { return fn(t) })
}

func (s *Store) view(ctx context.Context, fn func(*tx) error) error {
	select {
	case <-s.closing:
		return closedFault()
	default:
	}
	var on *session
	select {
	case on = <-s.readers:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing:
		return closedFault()
	}
	defer func() { s.readers <- on }()
	if err := on.exec("BEGIN"); err != nil {
		return err
	}
	t := &tx{store: s, on: on}
	defer func() {
		t.over = true
		// Nothing was written; a rollback that fails leaves nothing undone.
		_ = on.exec("ROLLBACK")
	}()
	return fn(t)
}

var (
	errOver     = errors.New("the transaction is over")
	errViewOnly = errors.New("a view can't write")
)

// check is asked before each statement.
func (t *tx) check(write bool) error {
	switch {
	case t.over:
		return errOver
	case write && !t.write:
		return errViewOnly
	}
	return t.failed
}

// note remembers a failure after which the transaction can't go on.
func (t *tx) note(err error) error {
	err = told(err)
	if t.write && fatal(err) {
		t.failed = err
	}
	return err
}

// exec runs a statement that writes and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	if err := t.check(true); err != nil {
		return 0, err
	}
	r, err := t.on.conn.ExecContext(context.Background(), query, args...)
	if err != nil {
		return 0, t.note(err)
	}
	return r.RowsAffected()
}

// one reads one row; sql.ErrNoRows says that there is none.
func (t *tx) one(dest []any, query string, args ...any) error {
	if err := t.check(false); err != nil {
		return err
	}
	err := t.on.conn.QueryRowContext(context.Background(), query, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return t.note(err)
}

// each calls read for every row of a query.
func (t *tx) each(read func(scan func(...any) error) error, query string, args ...any) error {
	if err := t.check(false); err != nil {
		return err
	}
	rows, err := t.on.conn.QueryContext(context.Background(), query, args...)
	if err != nil {
		return t.note(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := read(rows.Scan); err != nil {
			return err
		}
	}
	return t.note(rows.Err())
}

// recordID is what a body is sealed under: a row moved to another key, or an old revision put back, does not open.
func recordID(table, key string, rev int64) string {
	return table + "/" + key + "/" + strconv.FormatInt(rev, 10)
}

func (t *tx) seal(table, key string, rev int64, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode a record of %s: %w", table, err)
	}
	body, err := t.store.vault.Seal(recordID(table, key, rev), plain)
	if err == nil {
		t.store.memory.keep(table, key, rev, body, v)
	}
	return body, err
}

func (t *tx) unseal(table, key string, rev int64, body []byte, v any) error {
	plain, err := t.store.vault.Open(recordID(table, key, rev), body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(plain, v); err != nil {
		return fmt.Errorf("decode a record of %s: %w", table, err)
	}
	return nil
}

// record reads the first row that a condition finds and returns its revision. A row that is not there is store.not_found.
func (t *tx) record(table string, v any, where string, args ...any) (rev int64, err error) {
	var key string
	var body []byte
	err = t.one([]any{&key, &rev, &body}, "SELECT key, rev, body FROM "+table+" WHERE "+where, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, notFound(table)
	}
	if err != nil {
		return 0, err
	}
	if t.store.memory.recall(table, key, rev, body, v) {
		return rev, nil
	}
	if err := t.unseal(table, key, rev, body, v); err != nil {
		return rev, err
	}
	t.store.memory.keep(table, key, rev, body, v)
	return rev, nil
}

// records reads every row that a condition finds; setRev takes the row's revision over.
func records[T any](t *tx, table string, setRev func(*T, int64), where string, args ...any) ([]*T, error) {
	var list []*T
	err := t.each(func(scan func(...any) error) error {
		var key string
		var rev int64
		var body []byte
		if err := scan(&key, &rev, &body); err != nil {
			return err
		}
		v := new(T)
		// A long list is not remembered: it would push out what the counters work on.
		if !t.store.memory.recall(table, key, rev, body, v) {
			if err := t.unseal(table, key, rev, body, v); err != nil {
				return err
			}
		}
		setRev(v, rev)
		list = append(list, v)
		return nil
	}, "SELECT key, rev, body FROM "+table+" WHERE "+where, args...)
	return list, err
}

// index is a blind index, cut to 16 bytes: enough that two of a thousand million values never meet.
func (t *tx) index(kind, value string) []byte {
	return t.store.vault.Index(kind, value)[:16]
}

// indexOrNull leaves a column empty for an empty value.
func (t *tx) indexOrNull(kind, value string) any {
	if value == "" {
		return nil
	}
	return t.index(kind, value)
}

func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// nanos is a time as a column has it; the zero time is 0.
func nanos(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixNano()
}

func notFound(table string) error {
	return fault.New(fault.NotFound, "store.not_found", fault.Args{"what": table})
}

func conflict(table string) error {
	return fault.New(fault.Conflict, "store.conflict", fault.Args{"what": table})
}

// guarded turns a statement that met no row of the expected revision into a conflict.
func guarded(table string, changed int64, err error) error {
	if err == nil && changed == 0 {
		return conflict(table)
	}
	return err
}

// isUnique reports whether a key or number was there already.
func isUnique(err error) bool {
	var se sqlite3.Error
	return errors.As(err, &se) && se.Code == sqlite3.ErrConstraint
}
