package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/internal/job"
	"countersign/internal/store/storetest"
	"countersign/internal/vault"
	"countersign/kiosk"
)

// passphrase opens the tests' vaults.
var passphrase = []byte("synthetic passphrase")

// sharedVault is one key file for all tests, because making one takes a while by design.
var sharedVault = sync.OnceValues(func() (*vault.Vault, error) {
	dir, err := os.MkdirTemp("", "countersign-vault-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	return vault.Create(filepath.Join(dir, "keys"), passphrase)
})

func testVault(t testing.TB) *vault.Vault {
	t.Helper()
	v, err := sharedVault()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(context.Background(), Options{Dir: dir, Vault: testVault(t), Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSQLiteKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) kiosk.Store { return open(t, t.TempDir()) })
}

func TestEveryConnectionHasItsSettings(t *testing.T) {
	s := open(t, t.TempDir())
	ask := func(on *session, pragma string) (value string) {
		t.Helper()
		if err := on.conn.QueryRowContext(context.Background(), "PRAGMA "+pragma).Scan(&value); err != nil {
			t.Fatal(err)
		}
		return value
	}
	reader := <-s.readers
	defer func() { s.readers <- reader }()
	for name, on := range map[string]*session{"the writer": s.writer.on, "a reader": reader} {
		for pragma, want := range map[string]string{"journal_mode": "wal", "trusted_schema": "0", "temp_store": "2", "busy_timeout": "4000"} {
			if got := ask(on, pragma); got != want {
				t.Errorf("%s has %s = %s, want %s", name, pragma, got, want)
			}
		}
	}
	if ask(s.writer.on, "synchronous") != "2" || ask(s.writer.on, "foreign_keys") != "1" || ask(reader, "query_only") != "1" {
		t.Error("the writer must sync fully and check foreign keys, a reader must not write")
	}
	var loose int
	err := s.writer.on.conn.QueryRowContext(context.Background(),
		"SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT strict AND name NOT LIKE 'sqlite_%' AND name <> 'goose_db_version'").Scan(&loose)
	if err != nil || loose != 0 {
		t.Errorf("%d tables are not strict, %v", loose, err)
	}
}

func TestHealthCountsWhatWaitsAndWhatIsSigned(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := context.Background()
	for i := range 3 {
		if err := s.Update(ctx, func(tx kiosk.Tx) error { return act(tx, fmt.Sprint(i), 100) }); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			if _, err := s.Checkpoint(ctx, logSigner(t)); err != nil {
				t.Fatal(err)
			}
		}
	}
	jobs, err := s.Claim(ctx, job.Scope{Kind: "handover"}, s.clock.Now(), time.Minute, 1)
	if err != nil || len(jobs) != 1 {
		t.Fatal(jobs, err)
	}
	jobs[0].State = job.Dead
	if err := s.Settle(ctx, jobs[0], nil); err != nil {
		t.Fatal(err)
	}
	h, err := s.Health(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if h.Journal != 3 || h.Signed != 2 || h.SignedAt.IsZero() || h.Waiting != 3 || h.Dead != 1 || !h.OldestJob.Equal(jobs[0].Created) ||
		h.Size < 50_000 || h.Free == 0 || h.Free > h.Capacity || h.Broken != "" {
		t.Errorf("health %+v", h)
	}
	if err := s.Check(ctx); err != nil {
		t.Error(err)
	}
	if err := s.Broken(); err != nil {
		t.Error(err)
	}
}
