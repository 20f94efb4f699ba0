package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// readKeys reads the terminal until the context ends and hands over what was typed, in order, as it becomes certain.
// It returns an error when the terminal is gone.
func readKeys(ctx context.Context, fd int, deliver func([]Event)) error {
	stopped, stop, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("open pipe: %w", err)
	}
	defer stopped.Close()
	defer stop.Close()
	defer context.AfterFunc(ctx, func() { _ = stop.Close() })()

	var d decoder
	buf := make([]byte, 4096)
	for {
		timeout := -1
		if due := d.due(); !due.IsZero() {
			// Rounded up, or the last part of a millisecond would be spent in a busy loop.
			timeout = int(max(0, time.Until(due)+time.Millisecond-1) / time.Millisecond)
		}
		fds := []unix.PollFd{
			{Fd: int32(fd), Events: unix.POLLIN},
			{Fd: int32(stopped.Fd()), Events: unix.POLLIN},
		}
		n, err := unix.Poll(fds, timeout)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("wait for terminal: %w", err)
		case fds[1].Revents != 0:
			return nil
		}
		var events []Event
		if n == 0 {
			events = d.expire(time.Now())
		} else {
			n, err := unix.Read(fd, buf)
			switch {
			case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
				continue
			case err != nil:
				return fmt.Errorf("read terminal: %w", err)
			case n == 0:
				return fmt.Errorf("read terminal: %w", io.EOF)
			}
			events = d.feed(buf[:n], time.Now())
		}
		if len(events) > 0 {
			deliver(events)
		}
	}
}

// question returns what is asked of the terminal together with the first frame. Nothing waits for the answers; a
// terminal that never answers is taken for one that shows everything right, has no pictures and is dark.
func question(env func(string) string, background bool) string {
	// Three characters whose width terminals disagree about; the caret's column tells what this one thinks. The first
	// frame paints over them.
	q := "\x1b[Hđ─✓\x1b[6n"
	term := env("TERM")
	inside := env("TMUX") != "" || strings.HasPrefix(term, "screen") || strings.HasPrefix(term, "tmux")
	if !inside && (strings.HasPrefix(term, "xterm") || term == "wezterm") {
		if background {
			q += "\x1b]11;?\x1b\\"
		}
		q += "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
	}
	return q
}

// isLight reads a colour such as rgb:ffff/fafa/f7f7.
func isLight(colour string) (light, ok bool) {
	_, channels, ok := strings.Cut(colour, ":")
	parts := strings.Split(channels, "/")
	if !ok || len(parts) < 3 {
		return false, false
	}
	sum := 0.0
	for i, weight := range []float64{0.299, 0.587, 0.114} {
		v, err := strconv.ParseUint(parts[i], 16, 32)
		if err != nil || len(parts[i]) > 4 {
			return false, false
		}
		sum += weight * float64(v) / float64(uint64(1)<<(4*len(parts[i]))-1)
	}
	return sum > 0.5, true
}
