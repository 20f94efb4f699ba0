package tuitest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Terminal is something that a journey can type into and look at.
type Terminal interface {
	// Type presses one key that makes text.
	Type(grapheme string) error
	// Press presses a key by the name that tui.Key has for it, or by its twin: "f10", "alt+0".
	Press(name string) error
	// Scan sends a text as a scanner in keyboard mode does, with Enter at its end.
	Scan(text string) error
	// Paste sends a text as a terminal does when somebody pastes.
	Paste(text string) error
	// Drag presses a mouse's first button at the first of these columns and rows, from 0, moves through the others and lets
	// go at the last.
	Drag(path [][2]int) error
	Resize(w, h int) error
	// Wait returns the first shot for which until is true, or the last one with an error when ctx ends before.
	Wait(ctx context.Context, until func(Shot) bool) (Shot, error)
	Close() error
}

// How far apart keys are pressed, so that no program takes them for a scanner's, or Esc for Alt.
const (
	keyGap    = 12 * time.Millisecond
	escapeGap = 40 * time.Millisecond
)

// pace keeps keys apart.
type pace struct{ next time.Time }

// wait waits until the last key is long enough ago and the program has read all that was typed: a program that was
// held up would otherwise find many keys at once and take them for a scanner's.
func (p *pace) wait(tty string) {
	for range 1000 {
		if waiting, err := unread(tty); err != nil || waiting == 0 {
			break
		}
		<-time.After(keyGap)
		p.next = time.Now().Add(keyGap)
	}
	if d := time.Until(p.next); d > 0 {
		<-time.After(d)
	}
}

// unread returns how many bytes a terminal holds that its program has not read.
func unread(tty string) (int, error) {
	fd, err := unix.Open(tty, unix.O_RDONLY|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("open %s: %w", tty, err)
	}
	defer unix.Close(fd)
	return unix.IoctlGetInt(fd, unix.TIOCINQ)
}

func (p *pace) pressed(name string) {
	gap := keyGap
	if name == "esc" {
		gap = escapeGap
	}
	p.next = time.Now().Add(gap)
}

// watch wakes those who wait for a change.
type watch struct {
	mu sync.Mutex
	ch chan struct{}
}

// next returns a channel that is closed at the next change.
func (w *watch) next() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ch == nil {
		w.ch = make(chan struct{})
	}
	return w.ch
}

func (w *watch) changed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ch != nil {
		close(w.ch)
		w.ch = nil
	}
}

// waitFor calls look at each change until it says yes.
func (w *watch) waitFor(ctx context.Context, ended <-chan struct{}, look func() (Shot, bool)) (Shot, error) {
	for {
		changed := w.next()
		shot, ok := look()
		if ok {
			return shot, nil
		}
		select {
		case <-changed:
		case <-ended:
			if shot, ok = look(); ok {
				return shot, nil
			}
			return shot, fmt.Errorf("program ended")
		case <-ctx.Done():
			return shot, ctx.Err()
		}
	}
}

// bytesOf returns what a keyboard sends for a named key.
func bytesOf(name string) (string, error) {
	switch name {
	case "enter":
		return "\r", nil
	case "tab":
		return "\t", nil
	case "shift+tab":
		return "\x1b[Z", nil
	case "esc":
		return "\x1b", nil
	case "backspace":
		return "\x7f", nil
	case "space":
		return " ", nil
	}
	sequences := map[string]string{
		"up": "[A", "down": "[B", "right": "[C", "left": "[D", "home": "[H", "end": "[F", "insert": "[2~", "delete": "[3~",
		"pgup": "[5~", "pgdn": "[6~", "f1": "OP", "f2": "OQ", "f3": "OR", "f4": "OS", "f5": "[15~", "f6": "[17~",
		"f7": "[18~", "f8": "[19~", "f9": "[20~", "f10": "[21~", "f11": "[23~", "f12": "[24~",
	}
	if s, ok := sequences[name]; ok {
		return "\x1b" + s, nil
	}
	if c, ok := strings.CutPrefix(name, "ctrl+"); ok && len(c) == 1 && c[0] >= 'a' && c[0] <= 'z' {
		return string(c[0] - 'a' + 1), nil
	}
	if c, ok := strings.CutPrefix(name, "alt+"); ok && len(c) == 1 {
		return "\x1b" + c, nil
	}
	return "", fmt.Errorf("no key is named %q", name)
}
