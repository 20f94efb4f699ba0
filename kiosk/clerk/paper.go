package clerk

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"countersign/internal/fault"
	"countersign/kiosk"
)

// Paper is a file on this machine that may go into a field: the copy of a customer's paper.
type Paper struct {
	Path string
	Size int64
	At   time.Time // when it was written last
}

// maxPapers bounds what F4 lists of a folder, maxEntries what is looked at in it.
const (
	maxPapers  = 50
	maxEntries = 10_000
)

// PapersIn lists the newest plain files of a folder, newest first.
func PapersIn(dir string) func(context.Context) ([]Paper, error) {
	return func(ctx context.Context) ([]Paper, error) {
		folder, err := os.Open(dir)
		if err != nil {
			return nil, fault.Wrap(err, fault.Unavailable, "file.folder", nil)
		}
		defer func() { _ = folder.Close() }()
		entries, err := folder.ReadDir(maxEntries)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fault.Wrap(err, fault.Unavailable, "file.folder", nil)
		}
		var out []Paper
		for _, e := range entries {
			info, err := e.Info()
			if err != nil || !info.Mode().IsRegular() || strings.HasPrefix(e.Name(), ".") {
				continue // It went away meanwhile, or is no paper.
			}
			out = append(out, Paper{Path: filepath.Join(dir, e.Name()), Size: info.Size(), At: info.ModTime()})
		}
		slices.SortStableFunc(out, func(a, b Paper) int { return b.At.Compare(a.At) })
		return out[:min(len(out), maxPapers)], ctx.Err()
	}
}

// readPaper reads a file whose path the clerk typed; one that no field takes is not read to its end.
func readPaper(typed string) (name string, data []byte, err error) {
	path := localPath(typed)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil, fault.Wrap(err, fault.Invalid, "file.missing", nil)
	case err != nil:
		return "", nil, fault.Wrap(err, fault.Invalid, "file.unreadable", nil)
	case !info.Mode().IsRegular():
		return "", nil, fault.New(fault.Invalid, "file.unreadable", nil)
	}
	if err := kiosk.CheckFileSize(info.Size()); err != nil {
		return "", nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return "", nil, fault.Wrap(err, fault.Invalid, "file.unreadable", nil)
	}
	defer func() { _ = file.Close() }()
	data, err = io.ReadAll(io.LimitReader(file, kiosk.MaxFile+1))
	if err != nil {
		return "", nil, fault.Wrap(err, fault.Invalid, "file.unreadable", nil)
	}
	return filepath.Base(path), data, kiosk.CheckFile(data)
}

// localPath reads a path as people type or drop it: in quotes, or with ~ for the own home.
func localPath(typed string) string {
	path := strings.TrimSpace(typed)
	if n := len(path); n >= 2 && (path[0] == '"' || path[0] == '\'') && path[n-1] == path[0] {
		path = path[1 : n-1]
	}
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			path = filepath.Join(home, rest)
		}
	}
	return filepath.Clean(path)
}
