package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"countersign/internal/demo"
)

// worldCommand is the argument by which this program runs a demonstration for itself in another process.
const worldCommand = "world"

// runWorld opens the demonstration in a folder, or makes it, says so on standard output, and serves until standard
// input ends. With load two counters serve customers all the time.
func runWorld(ctx context.Context, dir string, load bool, in io.Reader, out io.Writer) (err error) {
	c := demo.Choices{Cost: cheap, Counters: loaded}
	open := demo.Reopen
	if _, err := os.Stat(filepath.Join(dir, "data")); err != nil {
		open = demo.Build
	}
	w, err := open(ctx, dir, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	fmt.Fprintln(out, "ready")
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, in) // ends with the parent
		cancel()
	}()
	if !load {
		<-ctx.Done()
		return nil
	}
	desks, err := openCounters(ctx, w, loaded)
	if err != nil {
		return err
	}
	face, err := picture()
	if err != nil {
		return err
	}
	h := &hall{world: w, desks: desks, face: face, served: rand.IntN(800_000)}
	for ctx.Err() == nil {
		if _, err := h.round(ctx, 1, &timings{}); err != nil && ctx.Err() == nil {
			return err
		}
		fmt.Fprintln(out, "served")
	}
	return nil
}

// loaded is how many counters a world with load has.
const loaded = 4

// child is a world in another process.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	lines *bufio.Scanner
	ready time.Duration // from the start of the process until it served
}

// startWorld starts a world and waits until it serves.
func startWorld(ctx context.Context, dir string, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.CommandContext(ctx, self, append([]string{worldCommand, dir}, args...)...)}
	c.cmd.Stderr = os.Stderr
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	c.lines = bufio.NewScanner(out)
	err = c.hear("ready")
	c.ready = time.Since(start)
	return c, err
}

// hear waits for a line of the child's.
func (c *child) hear(line string) error {
	for c.lines.Scan() {
		if c.lines.Text() == line {
			return nil
		}
	}
	return errors.Join(fmt.Errorf("the world ended before it said %q", line), c.lines.Err())
}

// kill ends the child as a power cut would.
func (c *child) kill() error {
	if err := c.cmd.Process.Kill(); err != nil {
		return err
	}
	// It was killed: how it ended is known.
	_ = c.cmd.Wait()
	return nil
}

// end ends the child in peace.
func (c *child) end() error {
	return errors.Join(c.stdin.Close(), c.cmd.Wait())
}

// restarts is how often the service is killed at work.
const restarts = 7

// restart measures how long a service needs from its start until it answers, after it was killed while counters worked.
func restart(ctx context.Context, b *bench) error {
	dir := filepath.Join(b.dir, "restart")
	var took []float64
	for i := range restarts {
		c, err := startWorld(ctx, dir, "load")
		if err != nil {
			return err
		}
		if i > 0 {
			took = append(took, milliseconds(c.ready))
		}
		for range 3 {
			if err := c.hear("served"); err != nil {
				return err
			}
		}
		if err := c.kill(); err != nil {
			return err
		}
	}
	c, err := startWorld(ctx, dir)
	if err != nil {
		return err
	}
	took = append(took, milliseconds(c.ready))
	b.say("restart: kill -9 while %d counters work, %d orders between two kills; until the API answers", loaded, 3*loaded)
	b.print(figure{name: "restart.ready", values: took, unit: "ms", beside: "goal", besides: []float64{2000}})
	return c.end()
}
