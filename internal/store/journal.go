package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"countersign/signing/journal"
)

// edge is what the next entry of the journal needs: the log's size and the hashes of its complete subtrees, at most one a
// level. It is never changed, only replaced: a savepoint that is rolled back drops its own edge and the one before it
// stands, so that memory can't run ahead of the database.
type edge struct {
	size   int64
	hashes map[int64]tlog.Hash // by number of the stored hash
}

// edgeNumbers are the stored hashes that make up a log of n entries: one for each bit of n.
func edgeNumbers(n int64) []int64 {
	var numbers []int64
	for level := 0; n>>level > 0; level++ {
		if n>>level&1 == 1 {
			numbers = append(numbers, tlog.StoredHashIndex(level, n>>level-1))
		}
	}
	return numbers
}

// after returns the edge of the log with one more entry, whose new hashes are stored from number first on.
func (e *edge) after(first int64, added []tlog.Hash) *edge {
	next := &edge{size: e.size + 1, hashes: make(map[int64]tlog.Hash)}
	for _, number := range edgeNumbers(next.size) {
		if number >= first {
			next.hashes[number] = added[number-first]
		} else if h, ok := e.hashes[number]; ok {
			next.hashes[number] = h
		}
	}
	return next
}

// log is a transaction's view of the journal; it implements journal.Storage.
type log struct{ t *tx }

// Size returns the number of entries.
func (l log) Size() (int64, error) {
	if l.t.edge != nil {
		return l.t.edge.size, nil
	}
	var last sql.NullInt64
	if err := l.t.one([]any{&last}, "SELECT max(id) FROM journal"); err != nil || !last.Valid {
		return 0, err
	}
	return last.Int64 + 1, nil
}

// ReadHashes returns stored hashes by their numbers.
func (l log) ReadHashes(numbers []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(numbers))
	for i, number := range numbers {
		if l.t.edge != nil {
			if h, ok := l.t.edge.hashes[number]; ok {
				out[i] = h
				continue
			}
		}
		var h []byte
		err := l.t.one([]any{&h}, "SELECT hash FROM journal_hashes WHERE id = ?", number)
		if errors.Is(err, sql.ErrNoRows) || err == nil && len(h) != tlog.HashSize {
			return nil, fmt.Errorf("read hash %d of the journal: %w", number, journal.ErrMissing)
		}
		if err != nil {
			return nil, err
		}
		copy(out[i][:], h)
	}
	return out, nil
}

// Append stores an entry's record and the hashes that it completes.
func (l log) Append(record []byte, hashes []tlog.Hash) error {
	now := l.t.edge
	first := tlog.StoredHashCount(now.size)
	if _, err := l.t.exec("INSERT INTO journal (id, record) VALUES (?, ?)", now.size, record); err != nil {
		return err
	}
	for i, h := range hashes {
		if _, err := l.t.exec("INSERT INTO journal_hashes (id, hash) VALUES (?, ?)", first+int64(i), h[:]); err != nil {
			return err
		}
	}
	l.t.edge = now.after(first, hashes)
	return nil
}

// Records visits the stored records from entry first on.
func (l log) Records(first int64, visit func(index int64, record []byte) error) error {
	return l.t.each(func(scan func(...any) error) error {
		var id int64
		var record []byte
		if err := scan(&id, &record); err != nil {
			return err
		}
		return visit(id, record)
	}, "SELECT id, record FROM journal WHERE id >= ? ORDER BY id", first)
}

// loadEdge reads the edge, once after the store was opened and after that from the transaction before.
func (l log) loadEdge() error {
	if l.t.edge != nil {
		return nil
	}
	size, err := l.Size()
	if err != nil {
		return err
	}
	e := &edge{size: size, hashes: make(map[int64]tlog.Hash)}
	for _, number := range edgeNumbers(size) {
		h, err := l.ReadHashes([]int64{number})
		if err != nil {
			return err
		}
		e.hashes[number] = h[0]
	}
	l.t.edge = e
	return nil
}

// Append writes a journal entry and returns its index.
func (t *tx) Append(e journal.Entry) (int64, error) {
	if err := t.check(true); err != nil {
		return 0, err
	}
	if err := (log{t}).loadEdge(); err != nil {
		return 0, err
	}
	return journal.Append(log{t}, e)
}

// Checkpoint signs the journal as it stands and keeps the signed note. It returns nil when nothing was appended since
// the newest one.
func (s *Store) Checkpoint(ctx context.Context, signer *journal.Signer) ([]byte, error) {
	var signed []byte
	err := s.update(ctx, func(t *tx) error {
		signed = nil
		size, err := log{t}.Size()
		if err != nil {
			return err
		}
		var last sql.NullInt64
		if err := t.one([]any{&last}, "SELECT max(size) FROM checkpoints"); err != nil {
			return err
		}
		if last.Int64 >= size {
			return nil
		}
		if signed, err = journal.Checkpoint(log{t}, signer); err != nil {
			return err
		}
		_, err = t.exec("INSERT INTO checkpoints (size, created, note) VALUES (?, ?, ?)", size, nanos(s.clock.Now()), signed)
		return err
	})
	return signed, err
}

func (t *tx) checkpoints() ([][]byte, error) {
	var notes [][]byte
	err := t.each(func(scan func(...any) error) error {
		var n []byte
		if err := scan(&n); err != nil {
			return err
		}
		notes = append(notes, n)
		return nil
	}, "SELECT note FROM checkpoints ORDER BY size")
	return notes, err
}

// Checkpoints returns the signed notes, oldest first.
func (s *Store) Checkpoints(ctx context.Context) (notes [][]byte, err error) {
	err = s.view(ctx, func(t *tx) error {
		notes, err = t.checkpoints()
		return err
	})
	return notes, err
}

// verify recomputes the whole journal. Without pub no checkpoint is looked at.
func (t *tx) verify(pub note.Verifier, outside [][]byte) (journal.Report, error) {
	var notes [][]byte
	if pub != nil {
		stored, err := t.checkpoints()
		if err != nil {
			return journal.Report{}, err
		}
		notes = append(stored, outside...)
	}
	return journal.Verify(log{t}, pub, notes)
}

// VerifyJournal recomputes the whole journal and compares it with its stored hashes and, when pub is given, with the
// stored checkpoints and with those that others kept.
func (s *Store) VerifyJournal(ctx context.Context, pub note.Verifier, outside [][]byte) (r journal.Report, err error) {
	err = s.view(ctx, func(t *tx) error {
		r, err = t.verify(pub, outside)
		return err
	})
	return r, err
}

// JournalEntries calls visit with the journal's entries from the given index on, until visit returns an error.
func (s *Store) JournalEntries(ctx context.Context, first int64, visit func(index int64, e journal.Entry) error) error {
	return s.view(ctx, func(t *tx) error {
		return log{t}.Records(first, func(index int64, record []byte) error {
			e, err := journal.Parse(record)
			if err != nil {
				return fmt.Errorf("entry %d of the journal: %w", index, err)
			}
			return visit(index, e)
		})
	})
}
