package main

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"countersign/internal/clock"
	"countersign/internal/config"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/sealer"
	"countersign/internal/service"
	"countersign/signing/ca"
	"countersign/signing/seal"
)

// keeper is where a command of the keeper of the seals works: on the open sealer.
type keeper func(context.Context, *sealer.Office, []string) error

// onSealer runs a keeper on the sealer, which this process opens or another one has open.
type onSealer = func(*cobra.Command, []string, keeper) error

// sealer is the seal service as a process of its own, and the tree of its keeper's commands.
func (a *app) sealer() *cobra.Command {
	var file string
	c := &cobra.Command{Use: "sealer", Short: a.text("cli.sealer", nil), Args: cobra.NoArgs}
	c.PersistentFlags().StringVar(&file, "config", "countersign.toml", a.text("cli.flag.config", nil))
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, o, err := a.loadSealer(file, true)
		if err != nil {
			return err
		}
		f, err := sealer.Start(cmd.Context(), o)
		if err != nil {
			return err
		}
		return errors.Join(a.keepSeals(cmd.Context(), cfg, f), f.Close())
	}
	c.AddCommand(&cobra.Command{Use: "init", Short: a.text("cli.sealer.init", nil), Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		_, o, err := a.loadSealer(file, false)
		if err != nil {
			return err
		}
		return sealer.Found(cmd.Context(), o)
	}})
	c.AddCommand(a.restore(&file, func(cfg *config.Config) string { return cfg.Sealer.Dir }))
	a.sealerTree(c, func(cmd *cobra.Command, args []string, do keeper) error {
		cfg, err := config.Load(file, os.Environ(), nil)
		if err != nil {
			return err
		}
		if running(cfg.Sealer.Dir) {
			return a.byService(cmd, "sealer", adminSocket(cfg.Sealer.Dir))
		}
		_, o, err := a.loadSealer(file, cmd.Flags().Changed("token"))
		if err != nil {
			return err
		}
		f, err := sealer.Start(cmd.Context(), o)
		if err != nil {
			return err
		}
		return errors.Join(do(cmd.Context(), f, args), f.Close())
	})
	return c
}

// loadSealer turns the configuration into what the sealer needs; withTokens asks for the PIN where no file has it.
func (a *app) loadSealer(file string, withTokens bool) (*config.Config, sealer.Options, error) {
	cfg, err := config.Load(file, os.Environ(), nil)
	if err != nil {
		return nil, sealer.Options{}, err
	}
	o := sealer.Options{Dir: cfg.Sealer.Dir, KeyFile: cfg.Sealer.KeyFile, Clock: clock.System{}}
	if o.Passphrase, err = config.Secret(cfg.Sealer.PassphraseFile); err != nil {
		return nil, o, err
	}
	data, err := os.ReadFile(cfg.Sealer.Root)
	if err != nil {
		return nil, o, fault.Wrap(err, fault.Invalid, "sealer.link", fault.Args{"file": cfg.Sealer.Root})
	}
	if o.Roots, err = ca.Certificates(data); err != nil {
		return nil, o, fault.Wrap(err, fault.Invalid, "sealer.link", fault.Args{"file": cfg.Sealer.Root})
	}
	modules := cfg.Sealer.Modules
	var pin []byte
	switch {
	case len(modules) == 0:
	case !withTokens:
		modules = nil
	case cfg.Sealer.PINFile != "":
		pin, err = config.Secret(cfg.Sealer.PINFile)
	default:
		fmt.Fprint(a.err, a.text("cli.sealer.pin", nil))
		var typed string
		typed, err = a.password()
		pin = []byte(typed)
	}
	if err != nil {
		return nil, o, err
	}
	o, err = service.SealerParts(o, cfg.Fonts.CJK, cfg.TSA.URLs, modules, pin)
	return cfg, o, err
}

// keepSeals serves the counters and the keeper's commands until ctx ends.
func (a *app) keepSeals(ctx context.Context, cfg *config.Config, f *sealer.Office) error {
	log := slog.New(slog.NewJSONHandler(a.err, nil))
	l, err := listenForCounters(cfg, log)
	if err != nil {
		return err
	}
	defer l.Close()
	al, err := listenUnix(adminSocket(cfg.Sealer.Dir), 0o600)
	if err != nil {
		return err
	}
	commands := treeHandler(log, func(inside *app, root *cobra.Command) {
		inside.sealerTree(root, func(cmd *cobra.Command, args []string, do keeper) error { return do(cmd.Context(), f, args) })
	})
	servers := []*http.Server{{Handler: sealer.Handler(f, log), ReadHeaderTimeout: shutdown}, {Handler: commands, ReadHeaderTimeout: shutdown}}
	failed := make(chan error, len(servers))
	for i, listener := range []net.Listener{l, al} {
		go func() { failed <- servers[i].Serve(listener) }()
	}
	fmt.Fprintln(a.out, a.text("cli.sealer.ready", locale.Args{"address": cfg.Sealer.Listen}))
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdown)
	defer cancel()
	for _, server := range servers {
		if server.Shutdown(end) != nil {
			_ = server.Close()
		}
	}
	return err
}

// listenForCounters opens the way in: a Unix socket for known users, or the network for the counters' certificate.
func listenForCounters(cfg *config.Config, log *slog.Logger) (net.Listener, error) {
	if path, ok := strings.CutPrefix(cfg.Sealer.Listen, "unix:"); ok {
		users := []int{os.Getuid()}
		for _, u := range cfg.Sealer.Users {
			n, err := strconv.Atoi(u)
			if err != nil {
				return nil, err
			}
			users = append(users, n)
		}
		mode := fs.FileMode(0o600)
		if len(users) > 1 {
			mode = 0o666 // the kernel tells who it is that connects, and Guard turns strangers away
		}
		l, err := listenUnix(path, mode)
		if err != nil {
			return nil, err
		}
		return sealer.Guard(l, users, log), nil
	}
	link, err := sealer.Link{Cert: cfg.Sealer.TLSCert, Key: cfg.Sealer.TLSKey, Root: cfg.Sealer.Root}.Server()
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", cfg.Sealer.Listen)
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "cli.listen", fault.Args{"address": cfg.Sealer.Listen})
	}
	return tls.NewListener(l, link), nil
}

// listenUnix opens a Unix socket in the place of one that was left behind.
func listenUnix(path string, mode fs.FileMode) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove the old socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "cli.listen", fault.Args{"address": path})
	}
	if err := os.Chmod(path, mode); err != nil {
		return nil, errors.Join(fmt.Errorf("set who may open the socket: %w", err), l.Close())
	}
	return l, nil
}

// sealerTree adds the commands that work on an open sealer.
func (a *app) sealerTree(c *cobra.Command, with onSealer) {
	seals := &cobra.Command{Use: "seal", Short: a.text("cli.seal", nil)}
	seals.AddCommand(a.requestSeal(with), a.enterSeal(with), a.keeperCommand(with, "grant SEAL STAFF-ID SERVICE PAPER", "cli.seal.grant", 4, func(ctx context.Context, f *sealer.Office, args []string) error {
		return f.Grant(ctx, seal.Grant{Seal: args[0], Clerk: args[1], Service: args[2], Paper: args[3], From: clock.System{}.Now()})
	}), a.keeperCommand(with, "list", "cli.seal.list", 0, func(ctx context.Context, f *sealer.Office, _ []string) error {
		return a.printSeals(ctx, f)
	}))
	staff := &cobra.Command{Use: "staff", Short: a.text("cli.sealer.staff", nil)}
	staff.AddCommand(a.keeperCommand(with, "enroll STAFF-ID PUBLIC-KEY PAPER", "cli.sealer.enroll", 3, func(ctx context.Context, f *sealer.Office, args []string) error {
		public, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(args[1], "="))
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "sealer.public", nil)
		}
		return f.Enroll(ctx, seal.Signatory{Staff: args[0], Public: public, Paper: args[2], From: clock.System{}.Now()})
	}), a.keeperCommand(with, "withdraw STAFF-ID", "cli.sealer.withdraw", 1, func(ctx context.Context, f *sealer.Office, args []string) error {
		return f.Withdraw(ctx, args[0])
	}), a.keeperCommand(with, "list", "cli.sealer.people", 0, func(ctx context.Context, f *sealer.Office, _ []string) error {
		return a.printPeople(ctx, f)
	}))
	rules := &cobra.Command{Use: "rule", Short: a.text("cli.sealer.rule", nil)}
	rules.AddCommand(a.keeperCommand(with, "set SEAL SERVICE FROM PAPER", "cli.sealer.rule_set", 4, func(ctx context.Context, f *sealer.Office, args []string) error {
		return a.setRule(ctx, f, args, false)
	}), a.keeperCommand(with, "end SEAL SERVICE PAPER", "cli.sealer.rule_end", 3, func(ctx context.Context, f *sealer.Office, args []string) error {
		return a.setRule(ctx, f, []string{args[0], args[1], "0", args[2]}, true)
	}), a.keeperCommand(with, "list", "cli.sealer.rules", 0, func(ctx context.Context, f *sealer.Office, _ []string) error {
		return a.printRules(ctx, f)
	}))
	for name, held := range map[string]bool{"suspend": true, "resume": false} {
		c.AddCommand(a.keeperCommand(with, name, "cli.seal."+name, 0, func(ctx context.Context, f *sealer.Office, _ []string) error {
			return f.Suspended(ctx, held)
		}))
	}
	c.AddCommand(seals, staff, rules, a.backup(func(cmd *cobra.Command, args []string, do func(context.Context, backupOf) error) error {
		return with(cmd, args, func(ctx context.Context, f *sealer.Office, _ []string) error { return do(ctx, f.Backup) })
	}))
}

func (a *app) keeperCommand(with onSealer, use, text string, args int, do keeper) *cobra.Command {
	return &cobra.Command{Use: use, Short: a.text(text, nil), Args: cobra.ExactArgs(args), RunE: func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, do)
	}}
}

func (a *app) requestSeal(with onSealer) *cobra.Command {
	var rsa bool
	c := a.keeperCommand(with, "request ID", "cli.sealer.request", 1, func(ctx context.Context, f *sealer.Office, args []string) error {
		request, err := f.Request(ctx, args[0], rsa)
		if err != nil {
			return err
		}
		_, err = a.out.Write(request)
		return err
	})
	c.Flags().BoolVar(&rsa, "rsa", false, a.text("cli.flag.rsa", nil))
	return c
}

// enterSeal takes the seal's certificates from standard input, or from a token.
func (a *app) enterSeal(with onSealer) *cobra.Command {
	var s seal.Seal
	var kind, token string
	c := a.keeperCommand(with, "add ID", "cli.sealer.add", 1, func(ctx context.Context, f *sealer.Office, args []string) error {
		s.ID, s.Kind = args[0], seal.Kind(kind)
		var err error
		if token != "" {
			sum, bad := hex.DecodeString(token)
			if bad != nil || len(sum) != 32 {
				return fault.New(fault.Invalid, "sealer.certificate", fault.Args{"seal": s.ID})
			}
			s.Chain, err = f.Chain([32]byte(sum))
		} else {
			var data []byte
			if data, err = io.ReadAll(io.LimitReader(a.in, 64<<10)); err == nil {
				s.Chain, err = ca.Certificates(data)
			}
		}
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "sealer.certificate", fault.Args{"seal": s.ID})
		}
		return f.Add(ctx, s, token != "")
	})
	c.Annotations = map[string]string{"stdin": "certificates"}
	a.sealFlags(c, &kind, &s)
	c.Flags().StringVar(&token, "token", "", a.text("cli.flag.seal_token", nil))
	return c
}

func (a *app) setRule(ctx context.Context, f *sealer.Office, args []string, ended bool) error {
	from, err := strconv.ParseInt(args[2], 10, 64)
	if err != nil || from < 0 {
		return fault.Wrap(err, fault.Invalid, "cli.value", fault.Args{"value": args[2]})
	}
	return f.Rule(ctx, seal.Rule{Seal: args[0], Service: args[1], From: from, Paper: args[3], Ended: ended})
}

func (a *app) printSeals(ctx context.Context, f *sealer.Office) error {
	seals, err := f.AllSeals(ctx)
	if err != nil {
		return err
	}
	grants, err := f.AllGrants(ctx)
	if err != nil {
		return err
	}
	a.listOfSeals(seals, grants)
	return nil
}

func (a *app) printPeople(ctx context.Context, f *sealer.Office) error {
	people, err := f.People(ctx)
	for _, p := range people {
		until := ""
		if !p.Until.IsZero() {
			until = a.text("cli.seal.until", locale.Args{"day": p.Until.In(clock.Vietnam).Format(time.DateOnly)})
		}
		fmt.Fprintf(a.out, "%-10s %s  %s  %s\n", p.Staff, base64.RawStdEncoding.EncodeToString(p.Public), p.Paper, until)
	}
	return err
}

func (a *app) printRules(ctx context.Context, f *sealer.Office) error {
	rules, err := f.Rules(ctx)
	for _, r := range rules {
		if !r.Ended {
			fmt.Fprintf(a.out, "%-20s %-4s %12d đ  %s\n", r.Seal, r.Service, r.From, r.Paper)
		}
	}
	return err
}
