package store

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"filippo.io/age"
	"golang.org/x/mod/sumdb/note"

	"countersign/internal/fault"
	"countersign/signing/journal"
)

// manifestMax bounds the manifest, in bytes.
const manifestMax = 16 << 20

// Restore unpacks a backup into dir, which must be empty or missing, and looks at the result as closely as it can
// without the vault: every file's digest, SQLite's integrity check, and the whole journal recomputed and compared with
// the manifest and, when pub is given, with the stored checkpoints. dir appears only when all of it holds. Faults:
// store.not_empty, store.backup_key (the identities do not open it), store.backup_damaged.
func Restore(ctx context.Context, r io.Reader, dir string, identities []age.Identity, pub note.Verifier) (Manifest, error) {
	if names, err := os.ReadDir(dir); err == nil && len(names) > 0 {
		return Manifest{}, fault.New(fault.Conflict, "store.not_empty", fault.Args{"dir": dir})
	}
	plain, err := age.Decrypt(r, identities...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return Manifest{}, fault.Wrap(err, fault.Forbidden, "store.backup_key", nil)
	}
	if err != nil {
		return Manifest{}, damagedBackup(err)
	}
	if err := os.MkdirAll(filepath.Dir(filepath.Clean(dir)), 0o700); err != nil {
		return Manifest{}, fmt.Errorf("restore: %w", err)
	}
	work, err := os.MkdirTemp(filepath.Dir(filepath.Clean(dir)), "restore-")
	if err != nil {
		return Manifest{}, fmt.Errorf("restore: %w", err)
	}
	defer os.RemoveAll(work)
	m, err := unpack(plain, work)
	if err != nil {
		return m, err
	}
	if err := examineRestored(ctx, filepath.Join(work, file), m, pub); err != nil {
		return m, err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return m, fmt.Errorf("restore: %w", err)
	}
	if err := os.Rename(work, dir); err != nil {
		return m, fmt.Errorf("restore: %w", err)
	}
	return m, syncDir(filepath.Dir(filepath.Clean(dir)))
}

func damagedBackup(err error) error {
	return fault.Wrap(err, fault.Invalid, "store.backup_damaged", nil)
}

// unpack writes the files of the archive below work; each must be the one that the manifest names next.
func unpack(r io.Reader, work string) (Manifest, error) {
	var m Manifest
	archive := tar.NewReader(r)
	head, err := archive.Next()
	if err != nil || head.Name != backupManifest || head.Size > manifestMax {
		return m, damagedBackup(errors.Join(errors.New("the manifest is missing"), err))
	}
	if err := json.NewDecoder(archive).Decode(&m); err != nil {
		return m, damagedBackup(fmt.Errorf("read the manifest: %w", err))
	}
	if m.Format != backupFormat {
		return m, damagedBackup(fmt.Errorf("format %q is not %q", m.Format, backupFormat))
	}
	for _, want := range m.Files {
		head, err := archive.Next()
		if err != nil {
			return m, damagedBackup(fmt.Errorf("find %s: %w", want.Name, err))
		}
		if head.Name != want.Name || head.Typeflag != tar.TypeReg || head.Size != want.Size || !filepath.IsLocal(want.Name) {
			return m, damagedBackup(fmt.Errorf("found %q in the place of %q", head.Name, want.Name))
		}
		if err := unpackFile(archive, filepath.Join(work, filepath.FromSlash(want.Name)), want); err != nil {
			return m, err
		}
	}
	if _, err := archive.Next(); err != io.EOF {
		return m, damagedBackup(errors.Join(errors.New("something follows the last file"), err))
	}
	return m, nil
}

func unpackFile(r io.Reader, target string, want Copied) error {
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return fmt.Errorf("restore %s: %w", want.Name, err)
	}
	f, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("restore %s: %w", want.Name, err)
	}
	if _, err := io.Copy(f, r); err != nil {
		return damagedBackup(errors.Join(fmt.Errorf("restore %s: %w", want.Name, err), f.Close()))
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("restore %s: %w", want.Name, err)
	}
	sum, _, err := digest(target)
	if err != nil {
		return fmt.Errorf("restore %s: %w", want.Name, err)
	}
	if sum != want.SHA256 {
		return damagedBackup(fmt.Errorf("%s has another digest than the manifest says", want.Name))
	}
	return syncDir(filepath.Dir(target))
}

// examineRestored checks the restored database as a whole.
func examineRestored(ctx context.Context, dbCopy string, m Manifest, pub note.Verifier) error {
	if _, err := os.Stat(dbCopy); err != nil {
		return damagedBackup(err)
	}
	db := openPool(dbCopy, readerPool())
	err := errors.Join(sound(ctx, db, dbCopy, "integrity_check"), db.Close())
	if err != nil {
		return err
	}
	have, err := examine(ctx, dbCopy)
	if err != nil {
		return damagedBackup(err)
	}
	if have.Schema != m.Schema || have.Vault != m.Vault || have.Entries != m.Entries || have.Root != m.Root {
		return damagedBackup(errors.New("the database is not the one that the manifest describes"))
	}
	var report journal.Report
	err = readCopy(ctx, dbCopy, func(t *tx) error {
		report, err = t.verify(pub, nil)
		return err
	})
	if err != nil {
		return damagedBackup(err)
	}
	if !report.OK() {
		return damagedBackup(fmt.Errorf("the journal is wrong from entry %d on", report.First()))
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}
