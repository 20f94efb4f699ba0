package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"

	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"

	"countersign/internal/fault"
	"countersign/migrations"
)

// applicationID marks the file as ours ("CsgN"); SQLite keeps it at offset 68 of the file.
const applicationID = 0x4373674e

// pool says what a pool's connections may do.
type pool struct {
	size   int
	params url.Values
}

// writerPool is the one connection that writes. It waits four seconds for a lock that another program holds, so that
// nobody at a counter waits five.
func writerPool() pool {
	return pool{1, url.Values{
		"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_foreign_keys": {"on"},
		"_busy_timeout": {"4000"}, "_txlock": {"immediate"}, "_stmt_cache_size": {"160"},
	}}
}

// readerPool is the connections of the views, which in WAL mode never wait for the writer.
func readerPool() pool {
	return pool{readerCount, url.Values{
		"_query_only": {"on"}, "_busy_timeout": {"4000"}, "_txlock": {"deferred"}, "_stmt_cache_size": {"40"},
	}}
}

// connector opens connections without registering a driver for the whole process.
type connector struct {
	driver *sqlite3.SQLiteDriver
	dsn    string
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }
func (c connector) Driver() driver.Driver                        { return c.driver }

func openPool(path string, p pool) *sql.DB {
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: p.params.Encode()}
	if !filepath.IsAbs(path) {
		dsn.Path, dsn.Opaque = "", (&url.URL{Path: path}).EscapedPath()
	}
	// The log is carried into the file every 16 MB instead of 4: fewer flushes in the counters' way, and still read again
	// within a moment after a kill.
	settle := func(c *sqlite3.SQLiteConn) error {
		_, err := c.Exec("PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000", nil)
		return err
	}
	db := sql.OpenDB(connector{&sqlite3.SQLiteDriver{ConnectHook: settle}, dsn.String()})
	db.SetMaxOpenConns(p.size)
	db.SetMaxIdleConns(p.size)
	return db
}

// prepare makes sure that the file is ours, whole, for this vault, and of a schema that this program knows; then it
// takes the steps that the schema still lacks.
func prepare(ctx context.Context, db *sql.DB, path string, v Vault) error {
	if err := inspect(ctx, db, path); err != nil {
		return err
	}
	steps, err := newGoose(db)
	if err != nil {
		return err
	}
	have, err := schemaVersion(ctx, db)
	if err != nil {
		return err
	}
	sources := steps.ListSources()
	know := sources[len(sources)-1].Version
	if have > know {
		return fault.New(fault.Unavailable, "store.newer", fault.Args{
			"file": path, "have": fmt.Sprint(have), "know": fmt.Sprint(know)})
	}
	if have > 0 {
		if err := checkVault(ctx, db, v); err != nil {
			return err
		}
	}
	if _, err := db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
		return told(err)
	}
	if _, err := steps.Up(ctx); err != nil {
		return fmt.Errorf("bring the database's schema from %d to %d: %w", have, know, told(err))
	}
	return checkVault(ctx, db, v)
}

func newGoose(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations.SQLite, "sqlite")
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return p, nil
}

// inspect refuses another program's file and a damaged one.
func inspect(ctx context.Context, db *sql.DB, path string) error {
	var app, tables int
	err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&app)
	if err == nil {
		err = db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&tables)
	}
	var se sqlite3.Error
	if errors.As(err, &se) && se.Code == sqlite3.ErrNotADB {
		return fault.Wrap(err, fault.Unavailable, "store.foreign", fault.Args{"file": path})
	}
	if err != nil {
		return told(err)
	}
	if tables > 0 && app != applicationID {
		return fault.New(fault.Unavailable, "store.foreign", fault.Args{"file": path})
	}
	return sound(ctx, db, path, "quick_check")
}

// sound runs one of SQLite's own checks.
func sound(ctx context.Context, db *sql.DB, path, check string) error {
	var finding string
	if err := db.QueryRowContext(ctx, "PRAGMA "+check+"(1)").Scan(&finding); err != nil {
		return fault.Wrap(err, fault.Unavailable, "store.damaged", fault.Args{"file": path, "finding": err.Error()})
	}
	if finding != "ok" {
		return fault.New(fault.Unavailable, "store.damaged", fault.Args{"file": path, "finding": finding})
	}
	return nil
}

// schemaVersion returns the number of the last step taken, 0 for an empty database.
func schemaVersion(ctx context.Context, db *sql.DB) (int64, error) {
	var tables int
	err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE name = 'goose_db_version'").Scan(&tables)
	if err != nil || tables == 0 {
		return 0, told(err)
	}
	var version sql.NullInt64
	err = db.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version WHERE is_applied").Scan(&version)
	return version.Int64, told(err)
}

// checkVault ties a new database to its vault, and refuses another vault for one that is tied.
func checkVault(ctx context.Context, db *sql.DB, v Vault) error {
	_, err := db.ExecContext(ctx, "INSERT INTO meta (name, value) VALUES ('vault', ?) ON CONFLICT DO NOTHING", []byte(v.Fingerprint()))
	if err != nil {
		return told(err)
	}
	var have []byte
	if err := db.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = 'vault'").Scan(&have); err != nil {
		return told(err)
	}
	if string(have) != v.Fingerprint() {
		return fault.New(fault.Forbidden, "store.wrong_key", fault.Args{"have": v.Fingerprint(), "want": string(have)})
	}
	return nil
}

// told turns SQLite's result codes into failures that a person can act on.
func told(err error) error {
	var se sqlite3.Error
	if !errors.As(err, &se) {
		return err
	}
	switch se.Code {
	case sqlite3.ErrFull:
		return fault.Wrap(err, fault.Unavailable, "store.full", nil)
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return fault.Wrap(err, fault.Unavailable, "store.busy", nil)
	case sqlite3.ErrIoErr, sqlite3.ErrReadonly, sqlite3.ErrCantOpen, sqlite3.ErrNomem, sqlite3.ErrPerm:
		return fault.Wrap(err, fault.Unavailable, "store.readonly", nil)
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return fault.Wrap(err, fault.Unavailable, "store.damaged", fault.Args{"file": file, "finding": se.Error()})
	}
	return err
}

// fatal reports whether a failure leaves the transaction's state, or the file's, in doubt.
func fatal(err error) bool {
	return fault.Is(err, "store.full") || fault.Is(err, "store.readonly") || fault.Is(err, "store.damaged")
}
