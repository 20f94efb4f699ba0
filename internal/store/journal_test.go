package store

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"testing"

	"countersign/internal/clock"
	"countersign/kiosk"
	"countersign/signing/journal"
)

func logSigner(t *testing.T) *journal.Signer {
	t.Helper()
	s, err := journal.NewSigner("thu.example/journal", ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func appendOne(tx kiosk.Tx, subject string) error {
	_, err := tx.Append(journal.Entry{At: clock.System{}.Now(), Actor: "lan", Act: "order.put", Subject: subject})
	return err
}

// verified checks the whole log with its stored checkpoints and returns its size.
func verified(t *testing.T, s *Store) int64 {
	t.Helper()
	report, err := s.VerifyJournal(context.Background(), logSigner(t).Verifier(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !report.OK() {
		t.Fatalf("the journal is wrong: %+v", report.Problems)
	}
	return report.Size
}

func TestTheTreeInMemoryIsTheStoredOneAfterEveryKindOfRollback(t *testing.T) {
	dir := t.TempDir()
	s, err := openQuick(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, broken := context.Background(), errors.New("rolled back")
	want := int64(0)
	for i := range 70 {
		err := s.Update(ctx, func(tx kiosk.Tx) error { return appendOne(tx, fmt.Sprint("kept ", i)) })
		if err != nil {
			t.Fatal(err)
		}
		want++
		err = s.Update(ctx, func(tx kiosk.Tx) error {
			for range i%5 + 1 {
				if err := appendOne(tx, "dropped"); err != nil {
					return err
				}
			}
			return broken
		})
		if !errors.Is(err, broken) {
			t.Fatal(err)
		}
		if i%9 == 0 {
			dropCommit(t, s)
		}
		if i%7 == 0 {
			if _, err := s.Checkpoint(ctx, logSigner(t)); err != nil {
				t.Fatal(err)
			}
		}
		if got := verified(t, s); got != want {
			t.Fatalf("after %d: %d entries, want %d", i, got, want)
		}
	}
	if again, err := s.Checkpoint(ctx, logSigner(t)); err != nil || again == nil {
		t.Error(again, err)
	}
	if again, err := s.Checkpoint(ctx, logSigner(t)); err != nil || again != nil {
		t.Errorf("a second checkpoint of the same log: %s, %v", again, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = openQuick(dir); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Update(ctx, func(tx kiosk.Tx) error { return appendOne(tx, "opened again") }); err != nil {
		t.Fatal(err)
	}
	if got := verified(t, s); got != want+1 {
		t.Errorf("opened again: %d entries, want %d", got, want+1)
	}
}

// dropCommit appends two entries in one savepoint that succeeds and then lets the commit fail: a deferred foreign key is
// only checked there.
func dropCommit(t *testing.T, s *Store) {
	t.Helper()
	err := s.update(context.Background(), func(tx *tx) error {
		if _, err := tx.exec("PRAGMA defer_foreign_keys = ON"); err != nil {
			return err
		}
		if _, err := tx.exec("INSERT INTO customer_terms (term_ix, customer) VALUES (x'00', 999999)"); err != nil {
			return err
		}
		return errors.Join(appendOne(tx, "lost"), appendOne(tx, "lost too"))
	})
	if err == nil {
		t.Fatal("the commit succeeded")
	}
	// Such a failure is none that this program can bring about; it is taken for a broken disk. Here it was made.
	s.broken.Store(nil)
}

func TestADeletedOrEditedEntryIsNoticed(t *testing.T) {
	for name, change := range map[string]string{
		"edited":              "UPDATE journal SET record = CAST(replace(CAST(record AS TEXT), 'lan', 'hoa') AS BLOB) WHERE id = 7",
		"deleted":             "DELETE FROM journal WHERE id = 7",
		"cut off at its end":  "DELETE FROM journal WHERE id >= 25",
		"cut off with hashes": "DELETE FROM journal WHERE id >= 16; DELETE FROM journal_hashes WHERE id >= 31",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, err := openQuick(dir)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 30 {
				if err := s.Update(context.Background(), func(tx kiosk.Tx) error { return appendOne(tx, fmt.Sprint(i)) }); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := s.Checkpoint(context.Background(), logSigner(t)); err != nil {
				t.Fatal(err)
			}
			verified(t, s)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			other(t, dir, change)
			if s, err = openQuick(dir); err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			report, err := s.VerifyJournal(context.Background(), logSigner(t).Verifier(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if report.OK() {
				t.Error("it was not noticed")
			}
		})
	}
}
