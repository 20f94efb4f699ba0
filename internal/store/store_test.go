package store

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"countersign/internal/clock"
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
