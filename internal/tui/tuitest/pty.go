package tuitest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// Pty is a program that runs in a pseudo terminal which answers nothing.
type Pty struct {
	cmd  *exec.Cmd
	tty  *os.File
	name string // the program's end of the terminal: /dev/pts/…
	pace pace

	mu     sync.Mutex
	screen *Emulator
	raw    []byte
	watch  watch
	ended  chan struct{}
	err    error
}

// keepRaw is how many of the last bytes of a program's output are kept.
const keepRaw = 1 << 20

// StartPty starts cmd in a terminal of w×h cells. An empty environment becomes a plain truecolor terminal's.
func StartPty(cmd *exec.Cmd, w, h int) (*Pty, error) {
	if cmd.Env == nil {
		cmd.Env = append(os.Environ(), "TERM=xterm-256color", "COLORTERM=truecolor", "LANG=C.UTF-8", "TMUX=", "NO_COLOR=")
	}
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: uint16(h), Cols: uint16(w)})
	if err != nil {
		return nil, fmt.Errorf("start %s in a terminal: %w", cmd.Path, err)
	}
	number, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPTN)
	if err == nil {
		tty, err = interruptible(tty)
	}
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, err
	}
	p := &Pty{cmd: cmd, tty: tty, name: fmt.Sprintf("/dev/pts/%d", number), screen: NewEmulator(w, h), ended: make(chan struct{})}
	go p.read()
	return p, nil
}

// interruptible returns the same terminal as a file whose Close ends a Read that is under way, so that closing it
// hangs the terminal up.
func interruptible(tty *os.File) (*os.File, error) {
	fd, err := unix.Dup(int(tty.Fd()))
	_ = tty.Close()
	if err != nil {
		return nil, fmt.Errorf("duplicate terminal: %w", err)
	}
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("make terminal non-blocking: %w", err)
	}
	return os.NewFile(uintptr(fd), "pty"), nil
}

// read shows the program's output until it ends.
func (p *Pty) read() {
	buf := make([]byte, 32<<10)
	for {
		n, err := p.tty.Read(buf)
		p.mu.Lock()
		_, _ = p.screen.Write(buf[:n])
		p.raw = append(p.raw, buf[:n]...)
		if len(p.raw) > keepRaw {
			p.raw = p.raw[len(p.raw)-keepRaw:]
		}
		p.mu.Unlock()
		p.watch.changed()
		if err != nil {
			break
		}
	}
	p.err = p.cmd.Wait()
	close(p.ended)
}

// Raw returns what the program wrote, at most the last mebibyte.
func (p *Pty) Raw() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]byte(nil), p.raw...)
}

// Ask looks at the emulator while nothing is written to it.
func (p *Pty) Ask(look func(*Emulator)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	look(p.screen)
}

// Send writes bytes to the program as they are.
func (p *Pty) Send(s string) error {
	_, err := p.tty.WriteString(s)
	return err
}

// Type presses one key that makes text.
func (p *Pty) Type(grapheme string) error {
	p.pace.wait(p.name)
	defer p.pace.pressed("")
	return p.Send(grapheme)
}

// Press presses a named key.
func (p *Pty) Press(name string) error {
	s, err := bytesOf(name)
	if err != nil {
		return err
	}
	p.pace.wait(p.name)
	defer p.pace.pressed(name)
	return p.Send(s)
}

// Scan sends a scanner's burst.
func (p *Pty) Scan(text string) error {
	p.pace.wait(p.name)
	defer p.pace.pressed("")
	return p.Send(text + "\r")
}

// Paste sends a bracketed paste.
func (p *Pty) Paste(text string) error {
	p.pace.wait(p.name)
	defer p.pace.pressed("")
	return p.Send("\x1b[200~" + text + "\x1b[201~")
}

// Resize changes the terminal's size; the program is told.
func (p *Pty) Resize(w, h int) error {
	p.mu.Lock()
	p.screen.Resize(w, h)
	p.mu.Unlock()
	conn, err := p.tty.SyscallConn() // Fd would make the file blocking again.
	if err != nil {
		return err
	}
	failed := conn.Control(func(fd uintptr) {
		err = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: uint16(h), Col: uint16(w)})
	})
	return errors.Join(failed, err)
}

// Wait waits for a frame that is complete.
func (p *Pty) Wait(ctx context.Context, until func(Shot) bool) (Shot, error) {
	return p.watch.waitFor(ctx, p.ended, func() (Shot, bool) {
		p.mu.Lock()
		shot, whole := p.screen.Shot(), !p.screen.InUpdate()
		p.mu.Unlock()
		return shot, whole && until(shot)
	})
}

// Signal sends a signal to the program.
func (p *Pty) Signal(s syscall.Signal) error { return p.cmd.Process.Signal(s) }

// End waits for the program's end and returns its exit code.
func (p *Pty) End(ctx context.Context) (code int, err error) {
	select {
	case <-p.ended:
	case <-ctx.Done():
		return 0, fmt.Errorf("program did not end: %w", ctx.Err())
	}
	var exit *exec.ExitError
	if errors.As(p.err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, p.err
}

// Hangup closes the terminal as if its window was closed.
func (p *Pty) Hangup() error { return p.tty.Close() }

// Close ends the program.
func (p *Pty) Close() error {
	select {
	case <-p.ended:
	default:
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
	return p.tty.Close()
}
