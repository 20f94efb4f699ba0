package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/mattn/go-sqlite3"

	"countersign/internal/fault"
	"countersign/internal/vault"
	"countersign/kiosk"
)

// other changes the closed database in dir behind the store's back.
func other(t *testing.T, dir string, statements ...string) {
	t.Helper()
	db := sql.OpenDB(connector{&sqlite3.SQLiteDriver{}, filepath.Join(dir, file)})
	for _, q := range statements {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// made returns the directory of a closed database with a hundred orders.
func made(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s, err := openQuick(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if err := s.Update(context.Background(), func(tx kiosk.Tx) error { return act(tx, strconv.Itoa(i), 200) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// refused opens the database in dir and expects a fault.
func refused(t *testing.T, dir, code string) *fault.Error {
	t.Helper()
	s, err := openQuick(dir)
	if err == nil {
		_ = s.Close()
		t.Fatalf("it opened; want %s", code)
	}
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != code {
		t.Fatalf("error %v, want %s", err, code)
	}
	return f
}

func TestASecondServerIsRefusedByTheFirstOnesNumber(t *testing.T) {
	dir := t.TempDir()
	s, err := openQuick(dir)
	if err != nil {
		t.Fatal(err)
	}
	f := refused(t, dir, "store.locked")
	if f.Args["pid"] != strconv.Itoa(os.Getpid()) || f.Args["dir"] != dir {
		t.Errorf("args %v", f.Args)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = openQuick(dir); err != nil {
		t.Fatalf("after the first has closed: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestADatabaseOpensOnlyWithItsVault(t *testing.T) {
	stranger, err := vault.Create(filepath.Join(t.TempDir(), "keys"), passphrase)
	if err != nil {
		t.Fatal(err)
	}
	for code, v := range map[string]Vault{"store.wrong_key": stranger, "store.no_key": nil} {
		again := t.TempDir()
		first := open(t, again)
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		_, err := Open(context.Background(), Options{Dir: again, Vault: v})
		if !fault.Is(err, code) {
			t.Errorf("error %v, want %s", err, code)
		}
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	dir := made(t)
	other(t, dir, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)")
	f := refused(t, dir, "store.newer")
	if f.Args["have"] != "99" || f.Args["know"] == "" {
		t.Errorf("args %v", f.Args)
	}
}

func TestAForeignFileIsRefused(t *testing.T) {
	text := t.TempDir()
	if err := os.WriteFile(filepath.Join(text, file), []byte(strings.Repeat("no database at all\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, text, "store.foreign")
	foreign := t.TempDir()
	other(t, foreign, "CREATE TABLE moz_places (id INTEGER)")
	refused(t, foreign, "store.foreign")
	left, err := os.ReadDir(foreign)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		if f.Name() != file && f.Name() != "lock" {
			t.Errorf("beside the foreign file lies %s", f.Name())
		}
	}
}

func TestADamagedDatabaseIsRefusedOrWhole(t *testing.T) {
	dir := made(t)
	whole, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	noticed := 0
	const pages = 200
	for i := range pages {
		// The first bytes of a page say what is on it, so a change there is never harmless.
		bad := append([]byte(nil), whole...)
		page := i % (len(bad) / 4096)
		from := page * 4096
		if page == 0 {
			from = 100
		}
		for j := range 8 {
			bad[from+j] ^= byte(0x5a + i)
		}
		again := t.TempDir()
		if err := os.WriteFile(filepath.Join(again, file), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := openQuick(again)
		if err != nil {
			noticed++
			if !fault.Is(err, "store.damaged") && !fault.Is(err, "store.foreign") {
				t.Errorf("page %d: %v", page, err)
			}
			continue
		}
		// What quick_check lets pass must be a page that nothing uses.
		if _, err := intact(s, nil); err != nil {
			t.Errorf("page %d: it opened and is not whole: %v", page, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if noticed < pages*3/4 {
		t.Errorf("%d of %d damages were noticed", noticed, pages)
	}
	half := t.TempDir()
	if err := os.WriteFile(filepath.Join(half, file), whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, half, "store.damaged")
}

func TestACutWriteAheadLogLosesOnlyItsTail(t *testing.T) {
	dir := t.TempDir()
	s, err := openQuick(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if err := s.Update(context.Background(), func(tx kiosk.Tx) error { return act(tx, strconv.Itoa(i), 0) }); err != nil {
			t.Fatal(err)
		}
	}
	copied := map[string][]byte{}
	for _, name := range []string{file, file + "-wal"} {
		if copied[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wal := copied[file+"-wal"]
	before := -1
	for cut := len(wal); cut > 0; cut -= len(wal)/15 + 1 {
		again := t.TempDir()
		err1 := os.WriteFile(filepath.Join(again, file), copied[file], 0o600)
		err2 := os.WriteFile(filepath.Join(again, file+"-wal"), wal[:cut], 0o600)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		s, err := openQuick(again)
		if err != nil {
			t.Fatalf("cut to %d of %d bytes: %v", cut, len(wal), err)
		}
		n, err := intact(s, nil)
		if err != nil {
			t.Errorf("cut to %d of %d bytes: %v", cut, len(wal), err)
		}
		if before >= 0 && n > before {
			t.Errorf("cut to %d bytes there are %d orders, more than the %d before", cut, n, before)
		}
		before = n
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestADatabaseThatAnotherProgramHoldsIsBusyAndThenWorks(t *testing.T) {
	dir := t.TempDir()
	s, err := openQuick(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	db := sql.OpenDB(connector{&sqlite3.SQLiteDriver{}, filepath.Join(dir, file)})
	defer db.Close()
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// Waiting four seconds for the lock would only slow the test down.
	if err := s.writer.on.exec("PRAGMA busy_timeout = 10"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(context.Background(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	errs := make(chan error)
	for i := range 3 {
		go func() {
			errs <- s.Update(context.Background(), func(tx kiosk.Tx) error { return act(tx, "held-"+strconv.Itoa(i), 0) })
		}()
	}
	for range 3 {
		if err := <-errs; !fault.Is(err, "store.busy") {
			t.Errorf("error %v", err)
		}
	}
	if _, err := conn.ExecContext(context.Background(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(context.Background(), func(tx kiosk.Tx) error { return act(tx, "free", 0) }); err != nil {
		t.Error(err)
	}
	if n, err := intact(s, []string{"free"}); n != 1 || err != nil {
		t.Errorf("%d orders, %v", n, err)
	}
}

func TestAClosedStoreRefuses(t *testing.T) {
	s, err := openQuick(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	nothing := func(kiosk.Tx) error { return nil }
	if err := s.Update(context.Background(), nothing); !fault.Is(err, "store.closed") {
		t.Errorf("update: %v", err)
	}
	if err := s.View(context.Background(), nothing); !fault.Is(err, "store.closed") {
		t.Errorf("view: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}
