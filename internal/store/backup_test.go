package store

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"

	"countersign/internal/fault"
	"countersign/kiosk"
)

func ageKey(t *testing.T) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestABackupTakenUnderLoadIsRestoredWhole(t *testing.T) {
	dir := t.TempDir()
	s, err := openQuick(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := os.MkdirAll(filepath.Join(dir, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "keys", "seal.key"), []byte("sealed"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, id := context.Background(), ageKey(t)
	before := []string{}
	for i := range 50 {
		key := fmt.Sprint("before-", i)
		if err := s.Update(ctx, func(tx kiosk.Tx) error { return act(tx, key, 20_000) }); err != nil {
			t.Fatal(err)
		}
		before = append(before, key)
	}
	if _, err := s.Checkpoint(ctx, logSigner(t)); err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				_ = s.Update(ctx, func(tx kiosk.Tx) error { return act(tx, fmt.Sprint("during-", i), 100) })
			}
		}
	}()
	var sealed bytes.Buffer
	made, err := s.Backup(ctx, &sealed, []age.Recipient{id.Recipient()}, "keys")
	close(stop)
	<-stopped
	if err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, backupWork+"*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	again := filepath.Join(t.TempDir(), "new", "data")
	restored, err := Restore(ctx, bytes.NewReader(sealed.Bytes()), again, []age.Identity{id}, logSigner(t).Verifier())
	if err != nil {
		t.Fatal(err)
	}
	if restored.Entries != made.Entries || restored.Root != made.Root || len(restored.Files) != 2 {
		t.Errorf("restored %+v, made %+v", restored, made)
	}
	if key, err := os.ReadFile(filepath.Join(again, "keys", "seal.key")); string(key) != "sealed" {
		t.Errorf("the key is %q, %v", key, err)
	}
	copied, err := openQuick(again)
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	if n, err := intact(copied, before); err != nil || int64(n) != made.Entries {
		t.Errorf("%d orders, %d entries, %v", n, made.Entries, err)
	}
	_, err = Restore(ctx, bytes.NewReader(sealed.Bytes()), again, []age.Identity{id}, nil)
	if !fault.Is(err, "store.not_empty") {
		t.Errorf("restoring over data: %v", err)
	}
}

func TestABackupThatIsNotWholeOrNotOursRestoresNothing(t *testing.T) {
	dir := made(t)
	s, err := openQuick(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, id := context.Background(), ageKey(t)
	var sealed bytes.Buffer
	if _, err := s.Backup(ctx, &sealed, []age.Recipient{id.Recipient()}); err != nil {
		t.Fatal(err)
	}
	good := sealed.Bytes()
	try := func(name, code string, data []byte, key age.Identity) {
		t.Helper()
		target := filepath.Join(t.TempDir(), "data")
		_, err := Restore(ctx, bytes.NewReader(data), target, []age.Identity{key}, nil)
		if !fault.Is(err, code) {
			t.Errorf("%s: %v, want %s", name, err, code)
		}
		left, err := os.ReadDir(filepath.Dir(target))
		if err != nil || len(left) > 0 {
			t.Errorf("%s left %v, %v", name, left, err)
		}
	}
	try("another key", "store.backup_key", good, ageKey(t))
	var locked bytes.Buffer
	try("a wrong passphrase", "store.backup_key", underPassphrase(t, s, &locked), passphraseKey(t, "another"))
	if _, err := Restore(ctx, &locked, filepath.Join(t.TempDir(), "data"), []age.Identity{passphraseKey(t, "right")}, nil); err != nil {
		t.Errorf("the right passphrase: %v", err)
	}
	try("text", "store.backup_damaged", []byte("no backup"), id)
	for _, part := range []int{2, 3, 10, 100} {
		try(fmt.Sprintf("cut at 1/%d", part), "store.backup_damaged", good[:len(good)/part], id)
		bad := bytes.Clone(good)
		bad[len(bad)-len(bad)/part] ^= 1
		try(fmt.Sprintf("a bit at 1/%d from the end", part), "store.backup_damaged", bad, id)
	}
	// Whoever knows the recipient can make a backup, so its content is not believed either.
	forged := func(change func(plain []byte) []byte) []byte {
		t.Helper()
		r, err := age.Decrypt(bytes.NewReader(good), id)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		w, err := age.Encrypt(&out, id.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(change(plain)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	try("a file outside", "store.backup_damaged", forged(func(p []byte) []byte {
		return bytes.ReplaceAll(p, []byte(file+"\""), []byte("../untersign.db\""))
	}), id)
	try("a changed page", "store.backup_damaged", forged(func(p []byte) []byte {
		p[len(p)-8192] ^= 1
		return p
	}), id)
}

// underPassphrase backs s up under the passphrase "right".
func underPassphrase(t *testing.T, s *Store, out *bytes.Buffer) []byte {
	t.Helper()
	r, err := age.NewScryptRecipient("right")
	if err != nil {
		t.Fatal(err)
	}
	r.SetWorkFactor(10) // a real one takes a second by design
	if _, err := s.Backup(context.Background(), out, []age.Recipient{r}); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(out.Bytes())
}

func passphraseKey(t *testing.T, phrase string) age.Identity {
	t.Helper()
	id, err := age.NewScryptIdentity(phrase)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
