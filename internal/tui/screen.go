package tui

import (
	"context"
	"time"
)

// Screen is what a person sees and what answers their keys. Its methods are never called at the same time and do no
// I/O: whatever takes time is returned as a Cmd, whose result comes back through Handle.
type Screen interface {
	Init() Cmd
	Handle(Event) Cmd
	Draw(*Canvas)
}

// Event is Key, Scan, Paste, Pointer, Resize, Focus, Tick, or whatever a Cmd returned.
type Event interface{}

// Key is one key press. Name is "rune" when it makes text, which is then in Text as one grapheme in NFC. Otherwise
// Name is one of "enter", "tab", "shift+tab", "up", "down", "left", "right", "home", "end", "pgup", "pgdn",
// "insert", "delete", "backspace", "esc", "f1".."f11", "ctrl+l" and the like, "alt+x" and the like.
//
// Twins have already become the key that they stand for: Alt+1..9 are f1..f9, Alt+0 and Ctrl+S are f10, Alt+= is f11,
// Alt+z and Alt+y are ctrl+z and ctrl+y; F12 and Alt+- are "esc".
type Key struct{ Name, Text string }

// Scan is a burst of more than eight graphemes at more than eight in 30 ms, ended by Enter: no hand types like that.
type Scan struct{ Text string }

// Paste is a text that came by bracketed paste, sanitised, line breaks turned into spaces. Cut says that it was
// longer than 64 KiB and lost its end.
type Paste struct {
	Text string
	Cut  bool
}

// Pointer is a mouse, pen or finger whose only button, or whose tip, is down, moves while it is down, or goes up: at
// column X, row Y. It comes only while the canvas that was last drawn asked for it (Canvas.UsePointer).
type Pointer struct {
	X, Y int
	Act  PointerAct
}

// PointerAct is what a pointer does.
type PointerAct int

// What pointers do.
const (
	PointerDown PointerAct = iota
	PointerMove
	PointerUp
)

// Resize tells the size of the terminal in cells: once after Init, before the first Draw, and when it changes.
type Resize struct{ W, H int }

// Focus tells that the terminal's window gained or lost the keyboard, where terminals say so.
type Focus struct{ In bool }

// Tick is for screens that count time: return After(d, Tick{}) and again on each Tick.
type Tick struct{ At time.Time }

// Cmd is work to be done outside Handle; its result goes to Handle, nil goes nowhere. The context ends with Run.
type Cmd func(ctx context.Context) Event

// Batched is the result of Batch, for those who run screens: each of them is to be started by itself.
type Batched []Cmd

// Quitting is the result of Quit, for those who run screens.
type Quitting struct{}

// Batch runs several commands at the same time.
func Batch(cmds ...Cmd) Cmd {
	var some Batched
	for _, c := range cmds {
		if c != nil {
			some = append(some, c)
		}
	}
	switch len(some) {
	case 0:
		return nil
	case 1:
		return some[0]
	}
	return func(context.Context) Event { return some }
}

// Quit ends Run.
func Quit() Cmd {
	return func(context.Context) Event { return Quitting{} }
}

// After returns ev when d has passed. A Tick without a time gets the moment.
func After(d time.Duration, ev Event) Cmd {
	return func(ctx context.Context) Event {
		wait, ok := ctx.Value(pauseKey{}).(Pause)
		if !ok {
			wait = realWait
		}
		at, err := wait(ctx, d)
		if err != nil {
			return nil
		}
		if t, ok := ev.(Tick); ok && t.At.IsZero() {
			return Tick{At: at}
		}
		return ev
	}
}

// Pause returns the moment d from now, when it has come, or an error when the context ended before.
type Pause func(ctx context.Context, d time.Duration) (time.Time, error)

type pauseKey struct{}

// WithPause returns a context whose After commands wait by p: for tests that hold the time in their hands.
func WithPause(ctx context.Context, p Pause) context.Context {
	return context.WithValue(ctx, pauseKey{}, p)
}

func realWait(ctx context.Context, d time.Duration) (time.Time, error) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case at := <-t.C:
		return at, nil
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
}
