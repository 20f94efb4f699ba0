// Package services carries the built-in services of the counter: one YAML file each, and in data/ the dated tables
// that their checks need. They are data; the rules for reading them are in kiosk/catalog, and docs/services.md
// tells how to add one.
package services

import "embed"

// Files are the built-in service files and tables.
//
//go:embed *.yaml data/*.yaml
var Files embed.FS

// Helpdesk are the helpdesk's tables: categories of requests with their terms.
//
//go:embed helpdesk/*.yaml
var Helpdesk embed.FS
