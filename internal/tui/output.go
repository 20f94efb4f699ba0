package tui

import (
	"context"
	"os"
	"strings"
	"sync"
	"time"
)

// output is the terminal as bubbletea and the painter write to it. Bubbletea enters and leaves the alternate screen
// through it; the frames are ours: the newest canvas waits in a place for one, and paint writes it when the last frame
// is long enough ago. Nobody who offers a canvas ever waits for the terminal.
type output struct {
	file  *os.File
	dumb  bool // a terminal without a cursor: only changed lines of text are written
	frame time.Duration

	mu      sync.Mutex // guards the terminal
	pointer bool       // the terminal reports its pointer
	left    bool       // bubbletea has left the alternate screen: no more frames
	shown   *Canvas    // what the terminal shows, nil when that is not known
	last    time.Time
	buf     []byte
	pending struct {
		sync.Mutex
		canvas *Canvas
		theme  *Theme
		fresh  bool // what the terminal shows is not to be trusted
		free   *Canvas
	}
	wake chan struct{}
}

func newOutput(file *os.File, fps int, dumb bool) *output {
	return &output{file: file, dumb: dumb, frame: time.Second / time.Duration(fps), wake: make(chan struct{}, 1)}
}

// offer takes the newest canvas and returns another to draw the next one on.
func (o *output) offer(c *Canvas, t *Theme) *Canvas {
	o.pending.Lock()
	free := o.pending.canvas
	if free == nil {
		free, o.pending.free = o.pending.free, nil
	}
	o.pending.canvas, o.pending.theme = c, t
	o.pending.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
	if free == nil || free.w != c.w || free.h != c.h {
		free = NewCanvas(c.w, c.h)
	}
	return free
}

// distrust makes the next frame a whole one.
func (o *output) distrust() {
	o.pending.Lock()
	o.pending.fresh = true
	o.pending.Unlock()
}

// paint writes offered canvases until the context ends.
func (o *output) paint(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.wake:
		}
		if early := o.frame - time.Since(o.last); early > 0 {
			if _, err := realWait(ctx, early); err != nil {
				return
			}
		}
		o.flush()
		o.last = time.Now()
	}
}

// flush writes the newest canvas.
func (o *output) flush() {
	o.pending.Lock()
	c, theme, fresh := o.pending.canvas, o.pending.theme, o.pending.fresh
	o.pending.canvas, o.pending.fresh = nil, false
	o.pending.Unlock()
	if c == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.left {
		return
	}
	if fresh {
		o.shown = nil
	}
	if o.dumb {
		o.buf = appendLines(o.buf[:0], o.shown, c)
	} else {
		o.buf = appendFrame(o.buf[:0], o.shown, c, theme)
		if c.pointer != o.pointer {
			o.buf = append(o.buf, reporting(c.pointer)...)
			o.pointer = c.pointer
		}
	}
	if len(o.buf) > 0 {
		_, _ = o.file.Write(o.buf) // A terminal that is gone is noticed by the reader.
	}
	old := o.shown
	o.shown = c
	o.pending.Lock()
	o.pending.free = old
	o.pending.Unlock()
}

// appendLines appends the lines that changed, for terminals that can't move the cursor and for their readers.
func appendLines(dst []byte, from, to *Canvas) []byte {
	for y := range to.h {
		row := to.row(y)
		if from != nil && from.w == to.w && y < from.h && from.row(y) == row || from == nil && row == "" {
			continue
		}
		dst = append(append(dst, row...), '\r', '\n')
	}
	return dst
}

// Write is how bubbletea reaches the terminal. Its own frames, which begin with a cursor movement and hold more than
// that, are not wanted.
func (o *output) Write(b []byte) (int, error) {
	s := string(b)
	if o.dumb || len(s) > len(home) && strings.HasPrefix(s, home) {
		return len(b), nil
	}
	return len(b), o.raw(s)
}

// WriteString is Write; without it, io.WriteString would pass us by.
func (o *output) WriteString(s string) (int, error) { return o.Write([]byte(s)) }

// raw writes a sequence between two frames.
func (o *output) raw(s string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if s == leave {
		o.left = true
		if o.pointer {
			s = reporting(false) + s
		}
	}
	_, err := o.file.WriteString(s)
	return err
}

// Read, Close and Fd make bubbletea see a terminal whose size it can ask for.
func (o *output) Read(b []byte) (int, error) { return o.file.Read(b) }

// Close does nothing: whoever opened the terminal closes it.
func (o *output) Close() error { return nil }

// Fd returns the terminal's descriptor.
func (o *output) Fd() uintptr { return o.file.Fd() }

// What bubbletea begins a frame with, and what it ends its stay with.
const (
	home  = "\x1b[H"
	leave = "\x1b[?1049l"
)

// reporting turns the reports of a pressed pointer on or off: button events with movement, in SGR form.
func reporting(on bool) string {
	if on {
		return "\x1b[?1002h\x1b[?1006h"
	}
	return "\x1b[?1002l\x1b[?1006l"
}

type outputKey struct{}

// sendRaw writes one of our own sequences from a command; without a terminal it does nothing.
func sendRaw(ctx context.Context, s string) {
	if o, ok := ctx.Value(outputKey{}).(*output); ok && !o.dumb {
		_ = o.raw(s)
	}
}
