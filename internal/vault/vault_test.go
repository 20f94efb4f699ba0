package vault_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"countersign/internal/fault"
	"countersign/internal/vault"
)

var passphrase = []byte("cầu giấy mưa phùn 0042")

func create(t testing.TB) (*vault.Vault, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.vault")
	v, err := vault.Create(path, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	return v, path
}

func reopen(t testing.TB, path string) *vault.Vault {
	t.Helper()
	v, err := vault.Open(path, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func seal(t testing.TB, v *vault.Vault, id, plain string) []byte {
	t.Helper()
	sealed, err := v.Seal(id, []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func opens(t testing.TB, v *vault.Vault, id string, sealed []byte, want string) {
	t.Helper()
	got, err := v.Open(id, sealed)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Fatalf("opened to %q, want %q", got, want)
	}
}

func TestARecordOpensAfterARestartAndShowsNothingBefore(t *testing.T) {
	v, path := create(t)
	sealed := seal(t, v, "order/000042", "NGUYỄN VĂN THỬ 001085000017")
	if bytes.Contains(sealed, []byte("NGUY")) || bytes.Contains(sealed, []byte("001085")) {
		t.Error("the sealed record shows its text")
	}
	opens(t, reopen(t, path), "order/000042", sealed, "NGUYỄN VĂN THỬ 001085000017")
	if again := seal(t, v, "order/000042", "NGUYỄN VĂN THỬ 001085000017"); bytes.Equal(again, sealed) {
		t.Error("equal records are sealed to equal bytes")
	}
}

func TestARecordOpensUnderNoOtherIdAndAfterNoChange(t *testing.T) {
	v, _ := create(t)
	sealed := seal(t, v, "order/1", "x")
	if _, err := v.Open("order/2", sealed); !fault.Is(err, "vault.record") {
		t.Errorf("under another id: %v", err)
	}
	for i := range sealed {
		for bit := range 8 {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1 << bit
			if _, err := v.Open("order/1", bad); err == nil {
				t.Fatalf("bit %d of byte %d changed and it still opens", bit, i)
			}
		}
		if _, err := v.Open("order/1", sealed[:i]); err == nil {
			t.Fatalf("cut to %d bytes it still opens", i)
		}
	}
	if _, err := v.Seal("", nil); err == nil {
		t.Error("sealed a record without an id")
	}
}

// TestAKeyOfOneRecordCannotBePutBesideTheDataOfAnother: the wrapped key is bound to the id as well as the data.
func TestAKeyOfOneRecordCannotBePutBesideTheDataOfAnother(t *testing.T) {
	v, path := create(t)
	sealed := seal(t, v, "a", "x")
	if err := v.Rotate(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := v.Rewrap("b", sealed); !fault.Is(err, "vault.record") {
		t.Errorf("rewrapped under another id: %v", err)
	}
	other, err := vault.Create(path+"2", passphrase)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := other.Rewrap("a", sealed); !fault.Is(err, "vault.key") {
		t.Errorf("rewrapped in another vault: %v", err)
	}
	if _, err := other.Open("a", sealed); !fault.Is(err, "vault.key") {
		t.Errorf("opened in another vault: %v", err)
	}
}

func TestRotationKeepsOldRecordsReadableAndRewrapMovesOnlyTheirKey(t *testing.T) {
	v, path := create(t)
	fp, index, secret := v.Fingerprint(), v.Index("phone", "0900000018"), v.Secret("otp")
	plain := strings.Repeat("dữ liệu ", 1000)
	old := seal(t, v, "d/1", plain)
	for range 3 {
		if err := v.Rotate(); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range []*vault.Vault{v, reopen(t, path)} {
		if v.Keys() != 4 {
			t.Errorf("%d data keys, want 4", v.Keys())
		}
		if v.Fingerprint() != fp || !bytes.Equal(v.Index("phone", "0900000018"), index) || !bytes.Equal(v.Secret("otp"), secret) {
			t.Error("rotation changed the fingerprint, an index or a secret")
		}
		opens(t, v, "d/1", old, plain)
	}
	moved, changed, err := v.Rewrap("d/1", old)
	if err != nil || !changed {
		t.Fatalf("rewrap: changed %v, %v", changed, err)
	}
	if tail := len(plain); !bytes.Equal(moved[len(moved)-tail:], old[len(old)-tail:]) {
		t.Error("rewrap touched the data")
	}
	opens(t, reopen(t, path), "d/1", moved, plain)
	if same, changed, err := v.Rewrap("d/1", moved); err != nil || changed || !bytes.Equal(same, moved) {
		t.Errorf("a second rewrap changed something (%v, %v)", changed, err)
	}
}

func TestTwoHoldersOfOneFileCannotBothRotate(t *testing.T) {
	v, path := create(t)
	w := reopen(t, path)
	if err := v.Rotate(); err != nil {
		t.Fatal(err)
	}
	sealed := seal(t, v, "a", "x")
	if err := w.Rotate(); !fault.Is(err, "vault.changed") {
		t.Fatalf("the second rotation would lose the first's key: %v", err)
	}
	opens(t, reopen(t, path), "a", sealed, "x")
}

func TestIndexesDifferByKindValueAndVault(t *testing.T) {
	v, path := create(t)
	seen := map[string]string{}
	for _, p := range [][2]string{{"phone", "0900000018"}, {"phone", "0900000019"}, {"id", "0900000018"}, {"phone0", "900000018"}, {"", ""}} {
		key := string(v.Index(p[0], p[1]))
		if before, ok := seen[key]; ok {
			t.Errorf("%v and %s share an index", p, before)
		}
		seen[key] = fmt.Sprint(p)
	}
	other, err := vault.Create(path+"2", passphrase)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(other.Index("phone", "0900000018"), v.Index("phone", "0900000018")) || other.Fingerprint() == v.Fingerprint() {
		t.Error("two vaults share an index or a fingerprint")
	}
	if bytes.Equal(v.Secret("a"), v.Secret("b")) || len(v.Secret("a")) != 32 {
		t.Error("secrets of two purposes are equal or short")
	}
}

func TestEachWrongKeyFileIsRefusedByName(t *testing.T) {
	_, path := create(t)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file's mode is %v, %v", info.Mode(), err)
	}
	flip := bytes.Clone(good)
	flip[len(flip)/2] ^= 1
	dear := bytes.Replace(good, []byte(`"memory_kib": 65536`), []byte(`"memory_kib": 99999999`), 1)
	for _, c := range []struct {
		name    string
		content []byte
		pass    []byte
		want    string
	}{
		{"the passphrase is wrong", good, []byte("another passphrase"), "vault.passphrase"},
		{"the passphrase is empty", good, nil, "vault.passphrase"},
		{"cut short", good[:len(good)-40], passphrase, "vault.damaged"},
		{"cut in half", good[:len(good)/2], passphrase, "vault.damaged"},
		{"one bit flipped", flip, passphrase, "vault.damaged"},
		{"more behind", append(bytes.Clone(good), good...), passphrase, "vault.damaged"},
		{"a guess made dear", dear, passphrase, "vault.damaged"},
		{"empty", nil, passphrase, "vault.damaged"},
		{"a PEM file", []byte("-----BEGIN PRIVATE KEY-----\n"), passphrase, "vault.foreign"},
		{"a later version", bytes.Replace(good, []byte(`"version": 1`), []byte(`"version": 2`), 1), passphrase, "vault.foreign"},
		{"two megabytes", bytes.Repeat([]byte("a"), 2<<20), passphrase, "vault.foreign"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := filepath.Join(t.TempDir(), "k")
			if err := os.WriteFile(p, c.content, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := vault.Open(p, c.pass); !fault.Is(err, c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	if _, err := vault.Open(path+"x", passphrase); !fault.Is(err, "vault.missing") {
		t.Errorf("no file: %v", err)
	}
	if _, err := vault.Create(path, passphrase); !fault.Is(err, "vault.exists") {
		t.Errorf("over an existing file: %v", err)
	}
	if _, err := vault.Create(path+"y", []byte("short")); !fault.Is(err, "vault.short") {
		t.Errorf("a short passphrase: %v", err)
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, good) {
		t.Error("the good file was touched")
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.new"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestAFailedRotationLeavesTheOldKeys: the folder is gone, so nothing can be written.
func TestAFailedRotationLeavesTheOldKeys(t *testing.T) {
	v, path := create(t)
	sealed := seal(t, v, "a", "x")
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	if err := v.Rotate(); err == nil {
		t.Fatal("rotated without a file")
	}
	if v.Keys() != 1 {
		t.Errorf("%d keys after a failed rotation", v.Keys())
	}
	opens(t, v, "a", sealed, "x")
}

func TestManySealAndOpenWhileTheKeyRotates(t *testing.T) {
	v, _ := create(t)
	done := make(chan error)
	for g := range 8 {
		go func() {
			for i := range 200 {
				id := fmt.Sprintf("%d/%d", g, i)
				sealed, err := v.Seal(id, []byte(id))
				if err == nil {
					_, err = v.Open(id, sealed)
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 5 {
		if err := v.Rotate(); err != nil {
			t.Error(err)
		}
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func FuzzOpenRecord(f *testing.F) {
	v, _ := create(f)
	f.Add(seal(f, v, "a", "x"))
	f.Add([]byte{})
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		plain, err := v.Open("a", sealed)
		if err == nil && string(plain) != "x" {
			t.Errorf("a forged record opened to %q", plain)
		}
		if _, _, err := v.Rewrap("a", sealed); err != nil && fault.CodeOf(err) == "internal" {
			t.Errorf("no fault of ours: %v", err)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	v, _ := create(b)
	plain := []byte(strings.Repeat("a", 200))
	for b.Loop() {
		if _, err := v.Seal("order/000042/draft", plain); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	v, _ := create(b)
	sealed := seal(b, v, "order/000042/draft", strings.Repeat("a", 200))
	for b.Loop() {
		if _, err := v.Open("order/000042/draft", sealed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIndex(b *testing.B) {
	v, _ := create(b)
	for b.Loop() {
		v.Index("phone", "0900000018")
	}
}

func BenchmarkSeal256KiB(b *testing.B) {
	v, _ := create(b)
	plain := make([]byte, 256<<10)
	b.SetBytes(int64(len(plain)))
	for b.Loop() {
		if _, err := v.Seal("document/000042", plain); err != nil {
			b.Fatal(err)
		}
	}
}
