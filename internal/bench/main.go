// Command bench measures what the project promises about speed and prints one tab-separated line a figure:
//
//	name  median  p95  unit  limit or peer  its median  ratio
//
// The last three are what the figure is held against in the same run: the raw operation that the machine allows, or
// the goal in its unit. For rates p95 is the one that 95 % of the repetitions reach; for times the one that 95 % stay
// below. Rates per CPU-second are taken with one processor from the time that the process really used, so that a busy
// machine does not change them. Nothing is asserted: a figure is for people to read. Lines that begin with # say what
// was measured.
//
// "bench PREFIX" measures only what begins with PREFIX. BENCH_PROFILE names a file for a processor profile of the
// run. Start reading at figures.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) > 2 && os.Args[1] == worldCommand {
		if err := runWorld(ctx, os.Args[2], len(os.Args) > 3, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "bench: world:", err)
			os.Exit(1)
		}
		return
	}
	prefix := ""
	if len(os.Args) > 1 {
		prefix = strings.TrimPrefix(os.Args[1], "ONLY=")
	}
	if err := profiled(os.Getenv("BENCH_PROFILE"), func() error { return run(ctx, prefix, os.Stdout) }); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// profiled runs do and writes a processor profile of it when a file is named.
func profiled(name string, do func() error) error {
	if name == "" {
		return do()
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return errors.Join(err, f.Close())
	}
	err = do()
	pprof.StopCPUProfile()
	return errors.Join(err, f.Close())
}

// group is measurements that share their preparation.
type group struct {
	names   []string // beginnings of the names of its figures
	measure func(ctx context.Context, b *bench) error
}

// figures are all measurements in the order in which they are printed.
func figures() []group {
	return []group{
		{[]string{"build.pdf", "sign.p256.bb", "sign.p256.bt", "sign.rsa2048.bb", "verify.p256.bb"}, documents},
		{[]string{"sign.p256.blta", "verify.blta"}, lasting},
		{[]string{"journal.append", "vault.seal"}, records},
		{[]string{"mail.file", "serial.draw"}, filing},
		{[]string{"orders.complete", "orders.limit", "orders.cpu", "orders.step"}, orders},
		{[]string{"mail.intake", "mail.cpu", "mail.memory"}, mails},
		{[]string{"mail.backlog"}, longBacklog},
		{[]string{"restart.ready"}, restart},
		{[]string{"kiosk.update_view"}, updateView},
		{[]string{"version.start", "kiosk.first_frame", "kiosk.key_to_frame", "display.key_to_customer"}, terminals},
	}
}

// bench is one run of the program.
type bench struct {
	prefix string
	out    io.Writer
	dir    string // for everything that is written
}

// wants reports whether a figure was asked for.
func (b *bench) wants(name string) bool { return strings.HasPrefix(name, b.prefix) }

// say tells what is measured.
func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.out, "# "+format+"\n", args...) }

func run(ctx context.Context, prefix string, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "countersign-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{prefix: prefix, out: out, dir: dir}
	for _, g := range figures() {
		wanted := false
		for _, name := range g.names {
			wanted = wanted || b.wants(name) || strings.HasPrefix(prefix, name)
		}
		if !wanted {
			continue
		}
		if err := g.measure(ctx, b); err != nil {
			return fmt.Errorf("measure %s: %w", g.names[0], err)
		}
	}
	return nil
}
