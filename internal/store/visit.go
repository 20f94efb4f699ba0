package store

import (
	"database/sql"
	"errors"

	"countersign/kiosk"
)

// Visit returns the visit with this key.
func (t *tx) Visit(key string) (*kiosk.Visit, error) {
	v := new(kiosk.Visit)
	if _, err := t.record("visits", v, "key = ?", key); err != nil {
		return nil, err
	}
	return v, nil
}

// revOf returns a row's revision, 0 when there is no row.
func (t *tx) revOf(table, key string) (int64, error) {
	var rev int64
	err := t.one([]any{&rev}, "SELECT rev FROM "+table+" WHERE key = ?", key)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return rev, err
}

// PutVisit inserts or replaces a visit.
func (t *tx) PutVisit(v *kiosk.Visit) error {
	rev, err := t.revOf("visits", v.Key)
	if err != nil {
		return err
	}
	body, err := t.seal("visits", v.Key, rev+1, v)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO visits (key, rev, unit, day, serial, body) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET rev = excluded.rev, unit = excluded.unit, day = excluded.day,
		serial = excluded.serial, body = excluded.body`, v.Key, rev+1, v.Unit, v.Day, v.Serial, body)
	return err
}

// VisitsOfDay lists a unit's visits of one day, newest first.
func (t *tx) VisitsOfDay(unit, day string) ([]*kiosk.Visit, error) {
	return records(t, "visits", func(*kiosk.Visit, int64) {}, "unit = ? AND day = ? ORDER BY serial DESC, key DESC", unit, day)
}

// NextVisit draws the next visit number of a unit's day.
func (t *tx) NextVisit(unit, day string) (int, error) { return t.draw("visit", unit, day) }
