// Command countersign is a terminal counter for paperless service halls: service, clerk's terminal, customer's screen,
// and the tools of operators and scripts. Each subcommand is one short file: flags, wiring, run.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"countersign/internal/fault"
	"countersign/internal/locale"
)

// version is set when a release is built.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// exit is an error that only carries an exit code; what was to be said has been said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// app is what every subcommand shares.
type app struct {
	lang locale.Lang
	// understood is set when flags and arguments were; a failure before that is a mistake in the command line.
	understood bool
	in         io.Reader
	out        io.Writer
	err        io.Writer
}

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	a := &app{lang: language(args, os.Getenv), in: in, out: out, err: errOut}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	var code exit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	if !a.understood {
		err = fault.Wrap(err, fault.Invalid, "cli.usage", fault.Args{"what": err.Error()})
	}
	fmt.Fprintf(errOut, "countersign: %s\n", a.sentence(err))
	if !a.understood {
		return exitUsage
	}
	return 1
}

// exitUsage is the exit code of a command line that says nothing (sysexits.h); 1 to 3 mean something to scripts.
const exitUsage = 64

// sentence is what a person reads about a failure: ours from the catalogue, others' in their own words.
func (a *app) sentence(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return locale.Fault(a.lang, f)
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		return locale.Fault(a.lang, fault.New(fault.Invalid, "cli.file", fault.Args{"file": p.Path, "why": a.why(p)}))
	}
	return err.Error()
}

// why says in a person's words what the system has against a file.
func (a *app) why(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return a.text("cli.why.missing", nil)
	case errors.Is(err, fs.ErrPermission):
		return a.text("cli.why.permission", nil)
	case errors.Is(err, syscall.EISDIR):
		return a.text("cli.why.directory", nil)
	}
	return errors.Unwrap(err).Error()
}

func (a *app) text(id string, args locale.Args) string { return locale.Text(a.lang, id, args) }

// language is the one that --lang or COUNTERSIGN_LANG names, else that of the environment, else Vietnamese.
func language(args []string, env func(string) string) locale.Lang {
	for i, arg := range args {
		tag, ok := strings.CutPrefix(arg, "--lang=")
		if !ok && arg == "--lang" && i+1 < len(args) {
			tag, ok = args[i+1], true
		}
		if l, err := locale.Parse(tag); ok && err == nil {
			return l
		}
	}
	if l, err := locale.Parse(env("COUNTERSIGN_LANG")); err == nil {
		return l
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		switch tag := env(name); {
		case strings.HasPrefix(tag, "vi"):
			return locale.Vietnamese
		case strings.HasPrefix(tag, "en"):
			return locale.English
		case strings.HasPrefix(tag, "zh"):
			return locale.Chinese
		}
	}
	return locale.Vietnamese
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{Use: "countersign", Short: a.text("cli.root", nil), Version: version, SilenceErrors: true, SilenceUsage: true}
	root.SetVersionTemplate("countersign {{.Version}}\n")
	root.PersistentFlags().String("lang", "", a.text("cli.flag.lang", nil))
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentPreRun = func(*cobra.Command, []string) { a.understood = true }
	root.AddCommand(a.demo(), a.serve(), a.kiosk(), a.display(), a.desk(), a.verify(), a.sign(), a.card(), a.mail(), a.order(), a.certificate(), a.ticket(), a.admin(), a.sealer(), a.tokenModule())
	strict(root)
	return root
}

// strict lets a group of commands refuse a word that is none of them, instead of printing its help as if all were well.
func strict(c *cobra.Command) {
	for _, sub := range c.Commands() {
		strict(sub)
	}
	if c.HasSubCommands() && !c.Runnable() {
		c.Args, c.RunE = cobra.NoArgs, func(c *cobra.Command, _ []string) error { return c.Help() }
	}
}
