package store

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"countersign/internal/fault"
)

// Health is how the database fares, for the operator and the clerk's health screen.
type Health struct {
	Size       int64     // bytes of the database and its write-ahead log
	Free       uint64    // bytes left on the disk
	Capacity   uint64    // bytes of the disk
	Journal    int64     // entries
	Signed     int64     // entries under the newest checkpoint
	SignedAt   time.Time // when that was made
	Waiting    int       // jobs that are not done
	Dead       int       // of these, jobs that wait for a person
	OldestJob  time.Time // when the oldest job that is not done was added
	Broken     string    // fault code when nothing can be written any more
	BrokenText string    // its cause, for the operator
}

// Health measures the store.
func (s *Store) Health(ctx context.Context) (Health, error) {
	var h Health
	if f := s.broken.Load(); f != nil {
		h.Broken, h.BrokenText = f.Code, f.Error()
	}
	for _, name := range []string{file, file + "-wal"} {
		if info, err := os.Stat(filepath.Join(s.dir, name)); err == nil {
			h.Size += info.Size()
		}
	}
	var disk syscall.Statfs_t
	if err := syscall.Statfs(s.dir, &disk); err != nil {
		return h, fmt.Errorf("measure the disk of %s: %w", s.dir, err)
	}
	h.Free, h.Capacity = disk.Bavail*uint64(disk.Bsize), disk.Blocks*uint64(disk.Bsize)
	err := s.view(ctx, func(t *tx) error {
		var err error
		if h.Journal, err = (log{t}).Size(); err != nil {
			return err
		}
		var signed, signedAt, oldest, dead sql.NullInt64
		if err := t.one([]any{&signed, &signedAt}, "SELECT max(size), max(created) FROM checkpoints"); err != nil {
			return err
		}
		h.Signed, h.SignedAt = signed.Int64, moment(signedAt.Int64)
		err = t.one([]any{&h.Waiting, &oldest, &dead},
			"SELECT count(*), min(created), sum(CASE state WHEN 'dead' THEN 1 ELSE 0 END) FROM jobs WHERE state <> 'done'")
		h.OldestJob, h.Dead = moment(oldest.Int64), int(dead.Int64)
		return err
	})
	return h, err
}

// Broken returns the fault that stopped all writing, nil while there is none.
func (s *Store) Broken() error {
	if f := s.broken.Load(); f != nil {
		return fault.Wrap(f, f.Kind, f.Code, f.Args)
	}
	return nil
}

// Check runs SQLite's complete integrity check while the counters work on. It reads every page, so it takes a while.
func (s *Store) Check(ctx context.Context) error {
	path := filepath.Join(s.dir, file)
	return s.view(ctx, func(t *tx) error {
		var finding string
		if err := t.one([]any{&finding}, "PRAGMA integrity_check(1)"); err != nil {
			return err
		}
		if finding != "ok" {
			return fault.New(fault.Unavailable, "store.damaged", fault.Args{"file": path, "finding": finding})
		}
		return t.each(func(func(...any) error) error {
			return fault.New(fault.Unavailable, "store.damaged", fault.Args{"file": path, "finding": "foreign_key_check"})
		}, "PRAGMA foreign_key_check")
	})
}
