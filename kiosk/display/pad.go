package display

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"countersign/internal/fault"
	"countersign/signing/ink"
)

// maxPadFiles bounds what is looked at in a signature pad's folder.
const maxPadFiles = 10_000

// PadIn is a signature pad whose program leaves stroke files (*.json, see signing/ink) in a folder. At each tick the folder
// is looked at; the newest file that was written since the customer was given the pen and lay still between two looks is
// taken, each once.
func PadIn(dir string, tick <-chan time.Time) Pad {
	var mu sync.Mutex
	var given padFile
	return func(ctx context.Context, since time.Time) (ink.Drawing, error) {
		mu.Lock()
		defer mu.Unlock()
		var before padFile
		for {
			select {
			case <-ctx.Done():
				return ink.Drawing{}, ctx.Err()
			case <-tick:
			}
			now, err := newest(dir, since)
			switch {
			case err != nil:
				return ink.Drawing{}, fault.Wrap(err, fault.Unavailable, "ink.pad", nil)
			case now == given || now.path == "":
				continue
			case now != before:
				before = now
				continue
			}
			given = now
			data, err := readStrokes(now.path)
			if err != nil {
				return ink.Drawing{}, fault.Wrap(err, fault.Unavailable, "ink.pad", nil)
			}
			return ink.Parse(data)
		}
	}
}

// padFile tells one writing of a file from another.
type padFile struct {
	path string
	at   time.Time
	size int64
}

// newest finds the stroke file that was written last, and not before a moment.
func newest(dir string, since time.Time) (padFile, error) {
	folder, err := os.Open(dir)
	if err != nil {
		return padFile{}, err
	}
	defer func() { _ = folder.Close() }()
	entries, err := folder.ReadDir(maxPadFiles)
	if err != nil && !errors.Is(err, io.EOF) {
		return padFile{}, err
	}
	var out padFile
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || strings.HasPrefix(e.Name(), ".") || !strings.HasSuffix(e.Name(), ".json") {
			continue // It went away meanwhile, or is no stroke file.
		}
		if at := info.ModTime(); !at.Before(since) && at.After(out.at) {
			out = padFile{filepath.Join(dir, e.Name()), at, info.Size()}
		}
	}
	return out, nil
}

func readStrokes(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, ink.MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the stroke file: %w", err)
	}
	return data, nil
}
