package tuitest

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"countersign/internal/tui"
)

// Headless is a screen without a terminal, in this process. Commands run as they do under tui.Run.
type Headless struct {
	root   tui.Screen
	theme  *tui.Theme
	ctx    context.Context
	cancel context.CancelFunc
	watch  watch
	ended  chan struct{}

	mu     sync.Mutex
	canvas *tui.Canvas
	quit   bool

	clock struct {
		sync.Mutex
		held    bool
		now     time.Time
		waiting []waiter
	}
}

type waiter struct {
	at   time.Time
	done chan time.Time
}

// NewHeadless starts a screen on w×h cells.
func NewHeadless(root tui.Screen, w, h int) (*Headless, error) {
	theme, err := tui.ThemeByName(tui.ThemeNames()[0])
	if err != nil {
		return nil, err
	}
	s := &Headless{root: root, theme: theme, canvas: tui.NewCanvas(w, h), ended: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.ctx = tui.WithPause(s.ctx, s.pause)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start(root.Init())
	s.start(root.Handle(tui.Resize{W: w, H: h}))
	s.draw()
	return s, nil
}

// Send hands an event to the screen; it is handled and drawn when Send returns.
func (s *Headless) Send(ev tui.Event) {
	s.mu.Lock()
	if !s.quit {
		s.start(s.root.Handle(ev))
		s.draw()
	}
	s.mu.Unlock()
	s.watch.changed()
}

// start runs a command; its result comes back as an event.
func (s *Headless) start(cmd tui.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		switch ev := cmd(s.ctx).(type) {
		case nil:
		case tui.Quitting:
			s.mu.Lock()
			if !s.quit {
				s.quit = true
				close(s.ended)
			}
			s.mu.Unlock()
		case tui.Batched:
			for _, c := range ev {
				s.start(c)
			}
		default:
			if s.ctx.Err() == nil {
				s.Send(ev)
			}
		}
	}()
}

func (s *Headless) draw() {
	s.canvas.Clear()
	s.root.Draw(s.canvas)
}

// Plain returns the text of the screen.
func (s *Headless) Plain() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.canvas.Plain()
}

// Quit reports whether the screen has ended.
func (s *Headless) Quit() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.quit
}

// HoldTime stops the clock by which tui.After waits; from now on only Advance moves it.
func (s *Headless) HoldTime(now time.Time) {
	s.clock.Lock()
	defer s.clock.Unlock()
	s.clock.held, s.clock.now = true, now
}

// Advance moves the held clock and wakes what was waiting for that long.
func (s *Headless) Advance(d time.Duration) {
	s.clock.Lock()
	defer s.clock.Unlock()
	s.clock.now = s.clock.now.Add(d)
	sort.SliceStable(s.clock.waiting, func(i, j int) bool { return s.clock.waiting[i].at.Before(s.clock.waiting[j].at) })
	for len(s.clock.waiting) > 0 && !s.clock.waiting[0].at.After(s.clock.now) {
		s.clock.waiting[0].done <- s.clock.now
		s.clock.waiting = s.clock.waiting[1:]
	}
}

// Waiting returns how many commands wait for the held clock.
func (s *Headless) Waiting() int {
	s.clock.Lock()
	defer s.clock.Unlock()
	return len(s.clock.waiting)
}

// pause is how tui.After waits here.
func (s *Headless) pause(ctx context.Context, d time.Duration) (time.Time, error) {
	s.clock.Lock()
	if !s.clock.held {
		s.clock.Unlock()
		select {
		case at := <-time.After(d):
			return at, nil
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		}
	}
	w := waiter{at: s.clock.now.Add(d), done: make(chan time.Time, 1)}
	s.clock.waiting = append(s.clock.waiting, w)
	s.clock.Unlock()
	s.watch.changed()
	select {
	case at := <-w.done:
		return at, nil
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
}

// Type presses one key that makes text.
func (s *Headless) Type(grapheme string) error {
	s.Send(tui.Key{Name: "rune", Text: grapheme})
	return nil
}

// Press presses a named key.
func (s *Headless) Press(name string) error {
	if name == "space" {
		return s.Type(" ")
	}
	b, err := bytesOf(name)
	if err != nil {
		return err
	}
	for _, ev := range tui.Decode([]byte(b)) {
		s.Send(ev)
	}
	return nil
}

// Scan sends a scanner's burst.
func (s *Headless) Scan(text string) error {
	s.Send(tui.Scan{Text: tui.Sanitize(text)})
	return nil
}

// Paste pastes a text.
func (s *Headless) Paste(text string) error {
	s.Send(tui.Paste{Text: tui.Sanitize(strings.ReplaceAll(text, "\r\n", "\n"))})
	return nil
}

// Resize changes the canvas.
func (s *Headless) Resize(w, h int) error {
	s.mu.Lock()
	s.canvas = tui.NewCanvas(w, h)
	s.mu.Unlock()
	s.Send(tui.Resize{W: w, H: h})
	return nil
}

// Wait looks at each event that is handled.
func (s *Headless) Wait(ctx context.Context, until func(Shot) bool) (Shot, error) {
	shot, err := s.watch.waitFor(ctx, s.ended, func() (Shot, bool) {
		shot := s.Shot()
		return shot, until(shot)
	})
	if err != nil {
		return shot, fmt.Errorf("wait for screen: %w", err)
	}
	return shot, nil
}

// Shot paints the canvas on an emulator, so that what is judged is what a terminal would show.
func (s *Headless) Shot() Shot {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, h := s.canvas.Size()
	e := NewEmulator(w, h)
	_, _ = e.Write([]byte(s.canvas.Render(s.theme)))
	return e.Shot()
}

// Close ends the screen's commands.
func (s *Headless) Close() error {
	s.cancel()
	return nil
}
