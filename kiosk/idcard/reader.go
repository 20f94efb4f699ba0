package idcard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"countersign/internal/fault"
)

// Reader gives the strings of a card reader, one a call. What the clerk's keyboard brings is not read here: the
// terminal tells a scan from typing by itself.
type Reader interface {
	// Read waits for the next string. A reader that is away is a fault of code card.reader_away.
	Read(ctx context.Context) (string, error)
}

// Lines reads a scanner that writes lines: a serial port or pseudo-terminal, a named pipe, or a plain file that a
// vendor's program appends to. The three lines of a card's machine-readable zone (two of a passport) are given
// together. It is for one caller at a time.
type Lines struct {
	f    *os.File
	tick <-chan time.Time // when to look again, for a plain file; nil for the others
	buf  []byte
	skip bool // the rest of an over-long line is still to come
}

// Open opens the scanner's device, pipe or file. Lines that a plain file already holds belong to earlier customers and
// are passed over; it is looked at again at each tick.
func Open(path string, tick <-chan time.Time) (*Lines, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, away(err)
	}
	flags := os.O_RDONLY
	switch mode := info.Mode(); {
	case mode.IsRegular():
		if tick == nil {
			return nil, away(fmt.Errorf("open %s: a plain file needs a tick to be looked at again", path))
		}
	case mode&fs.ModeNamedPipe != 0:
		// Our own writing end keeps the pipe from ending when the scanner's program restarts.
		flags, tick = os.O_RDWR|syscall.O_NONBLOCK, nil
	case mode&fs.ModeCharDevice != 0:
		flags, tick = os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, nil
	default:
		return nil, away(fmt.Errorf("open %s: not a device, pipe or file", path))
	}
	f, err := os.OpenFile(path, flags, 0)
	if err != nil {
		return nil, away(err)
	}
	l := &Lines{f: f, tick: tick}
	if err := l.prepare(); err != nil {
		return nil, away(errors.Join(err, f.Close()))
	}
	return l, nil
}

// prepare goes to the end of a plain file and switches a serial line to raw bytes without echo.
func (l *Lines) prepare() error {
	if l.tick != nil {
		_, err := l.f.Seek(0, io.SeekEnd)
		return err
	}
	conn, err := l.f.SyscallConn()
	if err != nil {
		return err
	}
	var raw error
	err = conn.Control(func(fd uintptr) {
		if term.IsTerminal(int(fd)) {
			_, raw = term.MakeRaw(int(fd))
		}
	})
	return errors.Join(err, raw)
}

// Close closes the device.
func (l *Lines) Close() error { return l.f.Close() }

// Read implements Reader. A line longer than MaxLength is dropped and told as card.too_long.
func (l *Lines) Read(ctx context.Context) (string, error) {
	line, err := l.line(ctx)
	if err != nil {
		return "", err
	}
	lines := []string{line}
	for want := zoneLines(line); len(lines) < want; {
		next, err := l.line(ctx)
		if err != nil {
			return "", err
		}
		if len(next) != len(line) || strings.Trim(next, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<") != "" {
			// The zone was broken off and this is another card.
			return next, nil
		}
		lines = append(lines, next)
	}
	return strings.Join(lines, "\n"), nil
}

// zoneLines returns how many lines the machine-readable zone has that starts with this line, 1 if it is none.
func zoneLines(s string) int {
	switch {
	case !isMRZ(s):
		return 1
	case len(s) == 30 && s[0] != 'P':
		return 3
	case len(s) == 44 && s[0] == 'P':
		return 2
	}
	return 1
}

// line returns the next line that is not blank, without its end.
func (l *Lines) line(ctx context.Context) (string, error) {
	for {
		for {
			i := bytes.IndexAny(l.buf, "\r\n")
			if i < 0 {
				break
			}
			line, skip := strings.TrimSpace(string(l.buf[:i])), l.skip
			l.buf, l.skip = l.buf[i+1:], false
			if skip || len(line) > MaxLength {
				return "", tooLong()
			}
			if line != "" {
				return line, nil
			}
		}
		if len(l.buf) > MaxLength {
			l.buf, l.skip = nil, true
		}
		if err := l.more(ctx); err != nil {
			return "", err
		}
	}
}

// more adds what the scanner sends next, waiting for it until ctx is done.
func (l *Lines) more(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if l.tick == nil {
		if err := l.f.SetReadDeadline(time.Time{}); err != nil {
			return away(err)
		}
		// A deadline long past wakes the reading below.
		stop := context.AfterFunc(ctx, func() { _ = l.f.SetReadDeadline(time.Unix(1, 0)) })
		defer stop()
	}
	chunk := make([]byte, 512)
	n, err := l.f.Read(chunk)
	l.buf = append(l.buf, chunk[:n]...)
	switch {
	case n > 0:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ctx.Err() // Nil when the deadline was a last echo of the call before.
	case errors.Is(err, io.EOF) && l.tick != nil:
		return l.wait(ctx)
	default:
		return away(err)
	}
}

// wait waits for the next look at a plain file, and starts it anew when it has become shorter.
func (l *Lines) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-l.tick:
	}
	info, err := os.Stat(l.f.Name())
	if err != nil {
		return away(err)
	}
	at, err := l.f.Seek(0, io.SeekCurrent)
	if err != nil {
		return away(err)
	}
	if info.Size() < at {
		l.buf = nil
		if _, err := l.f.Seek(0, io.SeekStart); err != nil {
			return away(err)
		}
	}
	return nil
}

// away is the error for a reader that does not answer.
func away(err error) error { return fault.Wrap(err, fault.Unavailable, "card.reader_away", nil) }
