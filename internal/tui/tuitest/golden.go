package tuitest

import (
	"os"
	"path/filepath"
	"testing"
)

// Golden compares a screen with the one kept in testdata/name of the package under test. With TEST_UPDATE=1
// the kept one is replaced; look at the difference before it is committed.
func Golden(t testing.TB, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("TEST_UPDATE") == "1" {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("no kept screen (make one with TEST_UPDATE=1): %v", err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got\n%s\nwant\n%s", path, got, want)
	}
}
