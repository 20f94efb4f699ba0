package store

import (
	"context"
)

// sealedTables are the tables with a sealed body beside key and rev.
var sealedTables = []string{"orders", "visits", "customers", "users", "sessions", "documents", "challenges", "jobs", "seals", "seal_grants", "seal_uses", "certificates",
	"seal_signatories", "seal_rules", "seal_held",
	"arrivals", "mail_bytes", "tickets", "messages", "outgoings", "registers"}

// rewrapBatch is how many records change hands in one transaction; a document of several megabytes is one of them.
const rewrapBatch = 32

// Rewrap brings every record to the vault's newest key and returns how many were not there yet. It works in small
// transactions beside the counters' own. After a kill or an error it is simply called again: what has been done is
// passed over. progress, which may be nil, hears of each batch.
func (s *Store) Rewrap(ctx context.Context, progress func(table string, changed int)) (int, error) {
	total := 0
	for _, table := range sealedTables {
		for last := ""; ; {
			if err := ctx.Err(); err != nil {
				return total, err
			}
			next, changed, err := s.rewrapSome(ctx, table, last)
			if err != nil {
				return total, err
			}
			total += changed
			if progress != nil {
				progress(table, changed)
			}
			if next == "" {
				break
			}
			last = next
		}
	}
	return total, nil
}

// rewrapSome does one batch of the records whose keys come after last, and returns the last key it met.
func (s *Store) rewrapSome(ctx context.Context, table, last string) (next string, changed int, err error) {
	type row struct {
		key  string
		rev  int64
		body []byte
	}
	err = s.update(ctx, func(t *tx) error {
		next, changed = "", 0
		var rows []row
		err := t.each(func(scan func(...any) error) error {
			var r row
			err := scan(&r.key, &r.rev, &r.body)
			rows = append(rows, r)
			return err
		}, "SELECT key, rev, body FROM "+table+" WHERE key > ? ORDER BY key LIMIT ?", last, rewrapBatch)
		if err != nil {
			return err
		}
		for _, r := range rows {
			next = r.key
			body, moved, err := s.vault.Rewrap(recordID(table, r.key, r.rev), r.body)
			if err != nil {
				return err
			}
			if !moved {
				continue
			}
			changed++
			if _, err := t.exec("UPDATE "+table+" SET body = ? WHERE key = ?", body, r.key); err != nil {
				return err
			}
		}
		return nil
	})
	return next, changed, err
}
