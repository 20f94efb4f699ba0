package tuitest

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Tmux is a program that runs in a tmux of its own.
type Tmux struct {
	socket string
	tty    string // the pane's: /dev/pts/…
	w, h   int
	pace   pace
}

var tmuxCount atomic.Int64

// StartTmux runs a command line in a private tmux of w×h cells, without the user's configuration.
func StartTmux(name, command string, w, h int) (*Tmux, error) {
	if _, err := exec.LookPath("tmux"); err != nil {
		return nil, fmt.Errorf("tmux is needed (Debian: apt-get install tmux): %w", err)
	}
	t := &Tmux{socket: fmt.Sprintf("countersign-%s-%d-%d", name, time.Now().UnixNano(), tmuxCount.Add(1)), w: w, h: h}
	_, err := t.run("start-server", ";", "set", "-g", "status", "off", ";", "set", "-s", "escape-time", "10", ";",
		"set", "-g", "remain-on-exit", "on", ";",
		"new-session", "-d", "-x", strconv.Itoa(w), "-y", strconv.Itoa(h),
		"env LANG=C.UTF-8 COLORTERM=truecolor NO_COLOR= "+command)
	if err != nil {
		return nil, err
	}
	if t.tty, err = t.run("display-message", "-p", "#{pane_tty}"); err != nil {
		return nil, err
	}
	t.tty = strings.TrimSpace(t.tty)
	return t, nil
}

// run gives tmux a command.
func (t *Tmux) run(args ...string) (string, error) {
	cmd := exec.Command("tmux", append([]string{"-u", "-L", t.socket, "-f", "/dev/null"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("tmux %s: %w: %s", args[0], err, out)
	}
	return string(out), nil
}

// Type presses one key that makes text.
func (t *Tmux) Type(grapheme string) error {
	t.pace.wait(t.tty)
	defer t.pace.pressed("")
	if grapheme == ";" {
		grapheme = "\\;" // tmux would take it for the end of the command.
	}
	_, err := t.run("send-keys", "-l", "--", grapheme)
	return err
}

// Press presses a named key.
func (t *Tmux) Press(name string) error {
	key, ok := map[string]string{
		"enter": "Enter", "tab": "Tab", "shift+tab": "BTab", "up": "Up", "down": "Down", "left": "Left", "right": "Right",
		"home": "Home", "end": "End", "pgup": "PPage", "pgdn": "NPage", "esc": "Escape", "backspace": "BSpace",
		"delete": "DC", "insert": "IC", "space": "Space",
	}[name]
	switch {
	case ok:
	case strings.HasPrefix(name, "ctrl+"):
		key = "C-" + name[5:]
	case strings.HasPrefix(name, "alt+"):
		key = "M-" + name[4:]
	case strings.HasPrefix(name, "f"):
		key = "F" + name[1:]
	default:
		return fmt.Errorf("no key is named %q", name)
	}
	t.pace.wait(t.tty)
	defer t.pace.pressed(name)
	_, err := t.run("send-keys", key)
	return err
}

// Scan sends a scanner's burst.
func (t *Tmux) Scan(text string) error {
	t.pace.wait(t.tty)
	defer t.pace.pressed("")
	_, err := t.run("send-keys", "-l", "--", text, ";", "send-keys", "Enter")
	return err
}

// Paste pastes a text.
func (t *Tmux) Paste(text string) error {
	t.pace.wait(t.tty)
	defer t.pace.pressed("")
	_, err := t.run("set-buffer", "--", text, ";", "paste-buffer", "-p")
	return err
}

// Resize changes the size of the window.
func (t *Tmux) Resize(w, h int) error {
	t.w, t.h = w, h
	_, err := t.run("resize-window", "-x", strconv.Itoa(w), "-y", strconv.Itoa(h))
	return err
}

// Wait looks every few milliseconds: tmux does not tell when something changes.
func (t *Tmux) Wait(ctx context.Context, until func(Shot) bool) (Shot, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		shot, err := t.shot()
		if err != nil || until(shot) {
			return shot, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return shot, ctx.Err()
		}
	}
}

// shot captures the pane and where its cursor is, at the same moment.
func (t *Tmux) shot() (Shot, error) {
	out, err := t.run("display-message", "-p", "#{cursor_x} #{cursor_y} #{cursor_flag}", ";", "capture-pane", "-e", "-p")
	if err != nil {
		return Shot{}, err
	}
	where, page, _ := strings.Cut(out, "\n")
	e := NewEmulator(t.w, t.h)
	page = strings.TrimSuffix(page, "\n")
	if _, err := e.Write([]byte(strings.ReplaceAll(page, "\n", "\r\n"))); err != nil {
		return Shot{}, err
	}
	s := e.Shot()
	var shown int
	if _, err := fmt.Sscan(where, &s.CaretX, &s.CaretY, &shown); err != nil {
		return s, fmt.Errorf("read cursor from tmux %q: %w", where, err)
	}
	s.CaretShown = shown == 1
	return s, nil
}

// Close ends the tmux server and with it the program.
func (t *Tmux) Close() error {
	_, err := t.run("kill-server")
	return err
}
