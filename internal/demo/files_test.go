package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
)

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// attached is the digest of the order.json in a file.
func attached(t *testing.T, file []byte) string {
	t.Helper()
	dir := t.TempDir()
	path, out := filepath.Join(dir, "order.pdf"), filepath.Join(dir, "order.json")
	write(t, path, file)
	program(t, "pdfdetach", "-savefile", "order.json", "-o", out, path)
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
