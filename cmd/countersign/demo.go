package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"countersign/internal/demo"
	"countersign/internal/fault"
	"countersign/internal/locale"
)

// sideBySide is the least width at which two screens of 80 columns stand beside each other.
const sideBySide = 161

func (a *app) demo() *cobra.Command {
	var dir string
	var auto bool
	c := &cobra.Command{Use: "demo", Short: a.text("cli.demo", nil), Args: cobra.NoArgs}
	c.Flags().BoolVar(&auto, "auto", false, a.text("cli.flag.auto", nil))
	c.Flags().StringVar(&dir, "dir", "", a.text("cli.flag.dir", nil))
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		at, err := freshDir(dir)
		if err != nil {
			return err
		}
		w, err := demo.Build(cmd.Context(), at, demo.Choices{Log: logTo(filepath.Join(at, "run", "service.log"))})
		if err != nil {
			return err
		}
		if auto || !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stdout.Fd())) {
			return errors.Join(w.Play(cmd.Context(), a.out, a.lang), w.Close())
		}
		return errors.Join(a.openScreens(cmd.Context(), w), w.Close())
	}
	return c
}

// freshDir makes the demo's directory; one that has anything in it is refused.
func freshDir(dir string) (string, error) {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "countersign-demo-")
		if err != nil {
			return "", fmt.Errorf("make a directory for the demo: %w", err)
		}
		return tmp, os.MkdirAll(filepath.Join(tmp, "run"), 0o700)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if entries, err := os.ReadDir(abs); err == nil && len(entries) > 0 {
		return "", fault.New(fault.Conflict, "service.not_empty", fault.Args{"dir": abs})
	}
	return abs, os.MkdirAll(filepath.Join(abs, "run"), 0o700)
}

// openScreens opens the clerk's terminal here, and the customer's beside it or in a second window when this is tmux.
func (a *app) openScreens(ctx context.Context, w *demo.World) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	show := []string{self, "display", "--server", "unix:" + w.Socket(), "--token-file", filepath.Join(w.Dir, "run", "display.token")}
	fmt.Fprint(a.out, a.text("cli.demo.hello", locale.Args{"dir": w.Dir, "user": demo.User, "password": demo.Password, "code": demo.Unlock,
		"card": filepath.Join(w.Dir, "cards", "thu.txt"), "camera": filepath.Join(w.Dir, "camera"), "scans": filepath.Join(w.Dir, "scans"), "inbox": filepath.Join(w.Dir, "inbox"),
		"phone": w.PhoneURL, "agent": demo.Agent, "mailboxes": filepath.Join(w.Dir, "run", "mailboxes.txt")}))
	if os.Getenv("TMUX") == "" {
		fmt.Fprint(a.out, a.text("cli.demo.second", locale.Args{"command": strings.Join(show, " ")}))
	} else if err := a.secondScreen(ctx, show); err != nil {
		return err
	}
	fmt.Fprint(a.out, a.text("cli.demo.enter", nil))
	if _, err := fmt.Fscanln(a.in); err != nil && ctx.Err() != nil {
		return nil
	}
	return a.runKiosk(ctx, kioskFlags{link: link{server: "unix:" + w.Socket()}, unit: demo.Unit, counter: demo.Counter, camera: filepath.Join(w.Dir, "camera"), papers: filepath.Join(w.Dir, "scans")})
}

// secondScreen splits the tmux window when both halves keep 80 columns, and opens a second window otherwise.
func (a *app) secondScreen(ctx context.Context, show []string) error {
	tmux := func(args ...string) (string, error) {
		out, err := exec.CommandContext(ctx, "tmux", args...).CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("ask tmux to %s: %w: %s", args[0], err, out)
		}
		return strings.TrimSpace(string(out)), nil
	}
	// A lone Escape waits half a second under tmux's own setting.
	if _, err := tmux("set-option", "-s", "escape-time", "10"); err != nil {
		return err
	}
	width, err := tmux("display-message", "-p", "#{window_width}")
	if err != nil {
		return err
	}
	columns, err := strconv.Atoi(width)
	if err != nil {
		return fmt.Errorf("read the window's width from tmux: %w", err)
	}
	if columns >= sideBySide {
		_, err = tmux(append([]string{"split-window", "-h", "-d", "-l", strconv.Itoa(80)}, show...)...)
		return err
	}
	if _, err = tmux(append([]string{"new-window", "-d", "-n", "customer"}, show...)...); err != nil {
		return err
	}
	fmt.Fprint(a.out, a.text("cli.demo.window", nil))
	return nil
}
