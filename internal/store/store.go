// Package store keeps the counter's records in one SQLite database under the data directory.
//
// Store implements kiosk.Store, and by Helpdesk helpdesk.Store. Its promises, in the order in which they are easy to break:
//
//   - What Update acknowledged has survived a power cut; what it refused has left no trace. All updates pass one
//     writer (writer.go), which carries out every waiting one in a savepoint of its own and commits them together,
//     so that fifty counters share one fsync.
//   - After a failed write or fsync nothing more is written by this process (store.readonly): the kernel may have
//     dropped the pages, and a second fsync would report a success that never was. A full disk is another matter;
//     nothing was acknowledged and the next update may succeed (store.full).
//   - Nobody reads a customer's data without the vault's key: bodies are sealed under table, key and revision, names
//     and numbers are found by blind indexes (names.go). What lies in clear is said in migrations/sqlite.
//   - What was opened stays opened only in this process's memory, and is used for the very bytes in the row and no
//     others (memory.go).
//   - The journal is appended in the transaction of the act that it tells (journal.go).
//   - A mail that came is stored once, however often it is brought (arrival.go), and is found by its words without one of
//     them lying on the disk (words.go).
//   - One process at a time uses a data directory (lock.go).
//
// Start reading at Open, then writer.go and tx.go; after that there is one file a noun.
package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/signing/seal"
)

// Vault seals what is stored; *vault.Vault is one. The id is bound to what it seals.
type Vault interface {
	Seal(id string, plain []byte) ([]byte, error)
	Open(id string, sealed []byte) ([]byte, error)
	Rewrap(id string, sealed []byte) (again []byte, changed bool, err error)
	Index(kind, value string) []byte
	Fingerprint() string
}

// Options say where the database lies and what opens it.
type Options struct {
	Dir   string      // the data directory; made when it is missing
	Vault Vault       // needed; a database remembers its vault and opens with no other
	Clock clock.Clock // nil is the machine's own
}

// Store is an open database. It is safe for use by many goroutines.
type Store struct {
	dir   string
	vault Vault
	clock clock.Clock
	lock  *os.File

	writer  *writer
	readers chan *session
	pools   []closer
	seals   kept[seal.Seal]
	grants  kept[seal.Grant]
	memory  memory
	wordKey sync.Once
	words   []byte // from which the keys of searched words are made

	signatories kept[seal.Signatory]
	rules       kept[seal.Rule]

	broken   atomic.Pointer[fault.Error] // set once, when a write has failed for good
	enqueued [2]chan struct{}            // the counter's runner hears the first, the helpdesk's the second
	closing  chan struct{}
	once     sync.Once
}

// closer is a pool of connections.
type closer interface{ Close() error }

// readerCount is how many views run at the same time; more wait.
const readerCount = 6

// file is the database's name in the data directory.
const file = "countersign.db"

// Open opens the database in o.Dir, makes it when there is none, and brings its schema up to date. It refuses with a
// fault: store.no_key, store.wrong_key, store.locked (another server), store.foreign (a file of something else),
// store.damaged (with SQLite's finding), store.newer (made by a newer version).
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Vault == nil {
		return nil, fault.New(fault.Unavailable, "store.no_key", fault.Args{"dir": o.Dir})
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	lock, err := lockDir(o.Dir)
	if err != nil {
		return nil, err
	}
	s := &Store{
		dir: o.Dir, vault: o.Vault, clock: o.Clock, lock: lock,
		readers:  make(chan *session, readerCount),
		enqueued: [2]chan struct{}{make(chan struct{}, 1), make(chan struct{}, 1)},
		closing:  make(chan struct{}),
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.release())
	}
	go s.writer.run()
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	if err := s.sweep(); err != nil {
		return err
	}
	path := filepath.Join(s.dir, file)
	db := openPool(path, writerPool())
	s.pools = append(s.pools, db)
	if err := prepare(ctx, db, path, s.vault); err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return told(err)
	}
	s.writer = newWriter(s, &session{conn: conn})
	reading := openPool(path, readerPool())
	s.pools = append(s.pools, reading)
	for range readerCount {
		conn, err := reading.Conn(ctx)
		if err != nil {
			return told(err)
		}
		s.readers <- &session{conn: conn}
	}
	return nil
}

// sweep removes what a backup left behind when its process was killed.
func (s *Store) sweep() error {
	left, err := filepath.Glob(filepath.Join(s.dir, backupWork+"*"))
	if err != nil {
		return fmt.Errorf("look for left-over backups: %w", err)
	}
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("remove a left-over backup: %w", err)
		}
	}
	return nil
}

// Close waits for what runs, puts the whole database into its one file and frees the data directory. Updates and
// views that come later are refused.
func (s *Store) Close() error {
	err := error(nil)
	s.once.Do(func() {
		close(s.closing)
		<-s.writer.stopped
		for range readerCount {
			<-s.readers
		}
		if s.broken.Load() == nil {
			// Without space for it the write-ahead log simply stays, and nothing is lost.
			if err = s.writer.on.exec("PRAGMA wal_checkpoint(TRUNCATE)"); fault.Is(err, "store.full") {
				err = nil
			}
		}
		err = errors.Join(err, s.release())
	})
	return err
}

// release closes what is open; the lock goes last.
func (s *Store) release() error {
	var errs []error
	for _, pool := range s.pools {
		errs = append(errs, pool.Close())
	}
	return errors.Join(append(errs, s.lock.Close())...)
}

// Enqueued tells that a committed transaction has added a job. One signal may stand for many.
func (s *Store) Enqueued() <-chan struct{} { return s.enqueued[0] }

func closedFault() error { return fault.New(fault.Unavailable, "store.closed", nil) }
