package store

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"filippo.io/age"
	"github.com/mattn/go-sqlite3"
	"golang.org/x/mod/sumdb/tlog"
)

// Manifest is the first file of a backup: what is in it, so that a restore can tell whether it got all of it.
type Manifest struct {
	Format  string    `json:"format"` // backupFormat
	Made    time.Time `json:"made"`
	Schema  int64     `json:"schema"`
	Vault   string    `json:"vault"`   // fingerprint of the key file, which is not in the backup
	Entries int64     `json:"entries"` // of the journal
	Root    string    `json:"root"`    // of the journal's tree
	Files   []Copied  `json:"files"`
}

// Copied is one file of a backup.
type Copied struct {
	Name   string `json:"name"` // slash-separated, below the data directory
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

const (
	backupFormat   = "countersign-backup-1"
	backupManifest = "manifest.json"
	backupWork     = "backup-work-" // folder for the copy, below the data directory
)

// Backup writes a copy of the database as it stands, encrypted to the recipients, while the counters work on. also
// names files and folders below the data directory that go with it, such as the sealed private keys. The vault's key
// file is not part of it: it is kept elsewhere, or a thief of the backup would have both.
func (s *Store) Backup(ctx context.Context, w io.Writer, recipients []age.Recipient, also ...string) (Manifest, error) {
	if len(recipients) == 0 {
		return Manifest{}, errors.New("back up: a recipient is needed")
	}
	work, err := os.MkdirTemp(s.dir, backupWork)
	if err != nil {
		return Manifest{}, fmt.Errorf("back up: %w", err)
	}
	defer os.RemoveAll(work)
	dbCopy := filepath.Join(work, file)
	if err := s.copyTo(ctx, dbCopy); err != nil {
		return Manifest{}, fmt.Errorf("back up: copy the database: %w", told(err))
	}
	m, err := examine(ctx, dbCopy)
	if err != nil {
		return Manifest{}, fmt.Errorf("back up: examine the copy: %w", err)
	}
	m.Format, m.Made = backupFormat, s.clock.Now()
	sources := map[string]string{file: dbCopy}
	if err := s.collect(also, sources, &m); err != nil {
		return Manifest{}, fmt.Errorf("back up: %w", err)
	}
	sealed, err := age.Encrypt(w, recipients...)
	if err != nil {
		return Manifest{}, fmt.Errorf("back up: %w", err)
	}
	if err := writeArchive(sealed, m, sources); err != nil {
		return Manifest{}, fmt.Errorf("back up: %w", err)
	}
	return m, sealed.Close()
}

// copyTo makes a consistent copy with SQLite's own online backup, in one file without a write-ahead log.
func (s *Store) copyTo(ctx context.Context, path string) (err error) {
	target, err := (&sqlite3.SQLiteDriver{}).Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	return s.view(ctx, func(t *tx) error {
		return t.on.conn.Raw(func(source any) error {
			b, err := target.(*sqlite3.SQLiteConn).Backup("main", source.(*sqlite3.SQLiteConn), "main")
			if err != nil {
				return err
			}
			if _, err := b.Step(-1); err != nil {
				return errors.Join(err, b.Finish())
			}
			if err := b.Finish(); err != nil {
				return err
			}
			_, err = target.(*sqlite3.SQLiteConn).Exec("PRAGMA journal_mode = DELETE", nil)
			return err
		})
	})
}

// collect adds the other files to the manifest, with their digests, after the database.
func (s *Store) collect(also []string, sources map[string]string, m *Manifest) error {
	add := func(name, source string) error {
		sum, size, err := digest(source)
		if err != nil {
			return err
		}
		sources[name] = source
		m.Files = append(m.Files, Copied{Name: name, Size: size, SHA256: sum})
		return nil
	}
	if err := add(file, sources[file]); err != nil {
		return err
	}
	for _, item := range also {
		if !filepath.IsLocal(item) {
			return fmt.Errorf("%s is not below the data directory", item)
		}
		err := filepath.WalkDir(filepath.Join(s.dir, item), func(source string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			name, err := filepath.Rel(s.dir, source)
			if err != nil {
				return err
			}
			return add(filepath.ToSlash(name), source)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func digest(source string) (sum string, size int64, err error) {
	f, err := os.Open(source)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

func writeArchive(w io.Writer, m Manifest, sources map[string]string) error {
	head, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the manifest: %w", err)
	}
	archive := tar.NewWriter(w)
	if err := archive.WriteHeader(&tar.Header{Name: backupManifest, Mode: 0o600, Size: int64(len(head)), ModTime: m.Made}); err != nil {
		return err
	}
	if _, err := archive.Write(head); err != nil {
		return err
	}
	for _, f := range m.Files {
		if err := archive.WriteHeader(&tar.Header{Name: path.Clean(f.Name), Mode: 0o600, Size: f.Size, ModTime: m.Made}); err != nil {
			return err
		}
		source, err := os.Open(sources[f.Name])
		if err != nil {
			return err
		}
		// A file that grew or shrank since it was digested does not fit its header and fails here.
		_, err = io.Copy(archive, source)
		if err = errors.Join(err, source.Close()); err != nil {
			return fmt.Errorf("copy %s: %w", f.Name, err)
		}
	}
	return archive.Close()
}

// examine reads what a manifest says of a copy that no server uses.
func examine(ctx context.Context, dbCopy string) (Manifest, error) {
	var m Manifest
	err := readCopy(ctx, dbCopy, func(t *tx) error {
		if err := t.one([]any{&m.Schema}, "SELECT max(version_id) FROM goose_db_version WHERE is_applied"); err != nil {
			return err
		}
		var vault []byte
		if err := t.one([]any{&vault}, "SELECT value FROM meta WHERE name = 'vault'"); err != nil {
			return err
		}
		m.Vault = string(vault)
		var err error
		if m.Entries, err = (log{t}).Size(); err != nil {
			return err
		}
		root, err := tlog.TreeHash(m.Entries, log{t})
		m.Root = root.String()
		return err
	})
	return m, err
}

// readCopy opens a database file that no server uses and lets fn read it.
func readCopy(ctx context.Context, dbCopy string, fn func(*tx) error) error {
	db := openPool(dbCopy, readerPool())
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return told(err)
	}
	defer conn.Close()
	return fn(&tx{on: &session{conn: conn}})
}
