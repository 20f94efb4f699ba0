package portrait

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
)

// Source gives pictures of the customer who is at the counter.
type Source interface {
	// Take waits for the next picture. A source that is away is a fault of code portrait.source_away; a file that is
	// no picture is one of Inspect's faults, and the next call waits for another file.
	Take(ctx context.Context) (Picture, error)
}

// Picture is a file that a source gave.
type Picture struct {
	Data     []byte
	Modified time.Time // when the file was last written, by the file system's clock
}

// File is a source that reads one file whenever it is asked.
type File struct {
	Path   string
	Limits Limits
}

// Take implements Source. A file that is no picture is given as it is: Inspect says so.
func (f File) Take(ctx context.Context) (Picture, error) {
	if err := ctx.Err(); err != nil {
		return Picture{}, err
	}
	info, err := os.Stat(f.Path)
	if err != nil {
		return Picture{}, away(err)
	}
	if !info.Mode().IsRegular() {
		return Picture{}, away(fmt.Errorf("read portrait: %s is no plain file", f.Path))
	}
	file, err := os.Open(f.Path)
	if err != nil {
		return Picture{}, away(err)
	}
	defer func() { _ = file.Close() }()
	return read(file, f.Limits)
}

// read reads a whole file within the limits.
func read(file *os.File, l Limits) (Picture, error) {
	info, err := file.Stat()
	if err != nil {
		return Picture{}, away(err)
	}
	if err := l.checkSize(info.Size()); err != nil {
		return Picture{}, err
	}
	data, err := io.ReadAll(io.LimitReader(file, int64(l.MaxBytes)+1))
	if err != nil {
		return Picture{}, away(err)
	}
	if err := l.checkSize(int64(len(data))); err != nil {
		return Picture{}, err
	}
	return Picture{Data: data, Modified: info.ModTime()}, nil
}

// patience is for how many looks a file that stays the same and is no whole picture is taken to be still on its way.
const patience = 10

// Folder is a source that watches the folder into which a camera's program writes. It looks at each tick and takes
// the newest file that was written since the visit began, lay still between two looks, and is a whole picture.
//
// One Folder serves a counter for all its visits, so that it knows whose files have been there before. It is for one
// caller at a time.
type Folder struct {
	dir    string
	limits Limits
	clock  clock.Clock
	tick   <-chan time.Time

	start time.Time         // of the visit
	past  map[string]stamp  // files that are not to be taken: of earlier visits, or given out already
	seen  map[string]*watch // files that may be taken, as they were at the last look
}

// stamp tells one writing of a file from another.
type stamp struct {
	size     int64
	modified time.Time
}

// watch is a file that may become the picture.
type watch struct {
	stamp
	looks int // for how many looks it has been the same
}

// Watch returns a folder that gives nothing until a visit begins.
func Watch(dir string, limits Limits, c clock.Clock, tick <-chan time.Time) *Folder {
	return &Folder{dir: dir, limits: limits, clock: c, tick: tick, past: map[string]stamp{}, seen: map[string]*watch{}}
}

// Begin tells that a visit began at start; a visit taken up again after a restart keeps its own start. Files that were
// written before it, that an earlier visit saw, or that claim to come from the future belong to other people.
func (f *Folder) Begin(start time.Time) error {
	files, err := f.list()
	if err != nil {
		return err
	}
	now := f.clock.Now()
	past := make(map[string]stamp)
	for name, s := range files {
		w := f.seen[name]
		if s == f.past[name] || w != nil && w.stamp == s || s.modified.Before(start) || s.modified.After(now) {
			past[name] = s
		}
	}
	f.start, f.past, f.seen = start, past, make(map[string]*watch)
	return nil
}

// Take implements Source.
func (f *Folder) Take(ctx context.Context) (Picture, error) {
	if f.start.IsZero() {
		return Picture{}, away(errors.New("watch portraits: no visit has begun"))
	}
	for {
		select {
		case <-ctx.Done():
			return Picture{}, ctx.Err()
		case <-f.tick:
		}
		files, err := f.list()
		if err != nil {
			return Picture{}, err
		}
		name := f.look(files)
		if name == "" {
			continue
		}
		p, err := f.open(name)
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && !p.Modified.Equal(files[name].modified):
			continue // Renamed or written again since it was listed.
		case f.seen[name].looks < patience && (fault.Is(err, "portrait.damaged") || fault.Is(err, "portrait.not_image")):
			continue // Perhaps its writer only paused, or made room for it first.
		}
		f.done(files, name)
		return p, err
	}
}

// look compares the folder with the last look and returns the newest file that lay still, "" if there is none.
func (f *Folder) look(files map[string]stamp) string {
	next := make(map[string]*watch)
	newest := ""
	for name, s := range files {
		if s == f.past[name] || s.modified.Before(f.start) {
			continue
		}
		w := &watch{stamp: s}
		if last, ok := f.seen[name]; ok && last.stamp == s {
			w.looks = last.looks + 1
		}
		next[name] = w
		if w.looks == 0 || s.size == 0 {
			continue
		}
		if newest == "" || s.modified.After(files[newest].modified) ||
			s.modified.Equal(files[newest].modified) && name > newest {
			newest = name
		}
	}
	f.seen = next
	return newest
}

// open reads a file of the folder and makes sure that it is a whole picture.
func (f *Folder) open(name string) (Picture, error) {
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return Picture{}, away(err)
	}
	defer func() { _ = root.Close() }()
	file, err := root.Open(name)
	if err != nil {
		return Picture{}, away(err)
	}
	defer func() { _ = file.Close() }()
	p, err := read(file, f.limits)
	if err != nil {
		return Picture{}, err
	}
	if _, err := decode(p.Data, f.limits); err != nil {
		return Picture{}, err
	}
	return p, nil
}

// done keeps the file that was taken, and any older one, from being taken again.
func (f *Folder) done(files map[string]stamp, taken string) {
	for name, s := range files {
		if name == taken || !s.modified.After(files[taken].modified) {
			f.past[name] = s
			delete(f.seen, name)
		}
	}
}

// list returns the plain files of the folder that are not hidden.
func (f *Folder) list() (map[string]stamp, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, away(err)
	}
	files := make(map[string]stamp, len(entries))
	for _, e := range entries {
		if !e.Type().IsRegular() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // Renamed or removed since it was listed.
		}
		if err != nil {
			return nil, away(err)
		}
		files[e.Name()] = stamp{info.Size(), info.ModTime()}
	}
	return files, nil
}

// away is the error for a camera or folder that does not answer.
func away(err error) error { return fault.Wrap(err, fault.Unavailable, "portrait.source_away", nil) }
