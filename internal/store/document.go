package store

import (
	"database/sql"
	"errors"
)

// Document returns a stored file.
func (t *tx) Document(id string) ([]byte, error) {
	var rev int64
	var body []byte
	err := t.one([]any{&rev, &body}, "SELECT rev, body FROM documents WHERE key = ?", id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, notFound("documents")
	}
	if err != nil {
		return nil, err
	}
	return t.store.vault.Open(recordID("documents", id, rev), body)
}

// PutDocument stores a file, in the place of an earlier one with the same id.
func (t *tx) PutDocument(id, order, kind string, data []byte) error {
	rev, err := t.revOf("documents", id)
	if err != nil {
		return err
	}
	body, err := t.store.vault.Seal(recordID("documents", id, rev+1), data)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO documents (key, rev, order_key, kind, body) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET rev = excluded.rev, order_key = excluded.order_key, kind = excluded.kind,
		body = excluded.body`, id, rev+1, order, kind, body)
	return err
}

// DeleteDocument removes a file; one that is not there is no failure.
func (t *tx) DeleteDocument(id string) error {
	_, err := t.exec("DELETE FROM documents WHERE key = ?", id)
	return err
}
