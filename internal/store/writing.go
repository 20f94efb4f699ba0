package store

import (
	"database/sql"
	"errors"
)

// PutWriting remembers that handwriting with this print was taken for an order, and refuses what was taken for another
// one (store.conflict).
func (t *tx) PutWriting(print, order string) error {
	ix := t.index("writing", print)
	var known string
	err := t.one([]any{&known}, "SELECT order_key FROM writings WHERE print_ix = ?", ix)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, err = t.exec("INSERT INTO writings (print_ix, order_key) VALUES (?, ?)", ix, order)
		return err
	case err != nil:
		return err
	case known != order:
		return conflict("writings")
	}
	return nil
}
