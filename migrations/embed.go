// Package migrations holds the database's schema as numbered steps, one folder a database engine.
//
// A step that has been released is never changed and never taken back: a mistake is mended by the next number. Every
// folder has the same numbers. internal/store runs them when it opens a database.
package migrations

import "embed"

// SQLite are the steps for the built-in database.
//
//go:embed sqlite/*.sql
var SQLite embed.FS
