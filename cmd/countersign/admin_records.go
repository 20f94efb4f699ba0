package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"countersign/internal/clock"
	"countersign/internal/config"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/service"
	"countersign/internal/store"
	"countersign/signing/journal"
)

func (a *app) adminInit(file *string) *cobra.Command {
	var organisation string
	c := &cobra.Command{Use: "init", Short: a.text("cli.init", nil), Args: cobra.NoArgs}
	c.Flags().StringVar(&organisation, "organisation", "", a.text("cli.flag.organisation", nil))
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, o, err := load(*file)
		if err != nil {
			return err
		}
		if organisation == "" && len(cfg.Units) > 0 {
			organisation = cfg.Units[0].Name
		}
		if err := service.Found(cmd.Context(), o, organisation); err != nil {
			return err
		}
		fmt.Fprintln(a.out, a.text("cli.init.done", locale.Args{"dir": cfg.Data.Dir, "key": cfg.Key.File}))
		return nil
	}
	return c
}

func (a *app) adminJournal(with within) *cobra.Command {
	c := &cobra.Command{Use: "journal", Short: a.text("cli.journal", nil)}
	var kept []string
	check := &cobra.Command{Use: "verify", Short: a.text("cli.journal.verify", nil), Args: cobra.NoArgs}
	check.Flags().StringArrayVar(&kept, "checkpoint", nil, a.text("cli.flag.checkpoint", nil))
	check.RunE = func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, _ []string) error {
			outside := [][]byte{}
			for _, name := range kept {
				data, err := os.ReadFile(name)
				if err != nil {
					return fmt.Errorf("read a checkpoint: %w", err)
				}
				outside = append(outside, data)
			}
			r, err := s.VerifyJournal(ctx, outside)
			if err != nil {
				return err
			}
			return a.tellJournal(r)
		})
	}
	point := &cobra.Command{Use: "checkpoint", Short: a.text("cli.journal.checkpoint", nil), Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, _ []string) error {
			if _, err := s.Checkpoint(ctx); err != nil {
				return err
			}
			all, err := s.Store.Checkpoints(ctx)
			if err != nil || len(all) == 0 {
				return err
			}
			_, err = a.out.Write(all[len(all)-1])
			return err
		})
	}}
	var last int64
	show := &cobra.Command{Use: "show", Short: a.text("cli.journal.show", nil), Args: cobra.NoArgs}
	show.Flags().Int64Var(&last, "last", 50, a.text("cli.flag.last", nil))
	show.RunE = func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, _ []string) error {
			h, err := s.Store.Health(ctx)
			if err != nil {
				return err
			}
			return s.Store.JournalEntries(ctx, max(0, h.Journal-last), func(i int64, e journal.Entry) error {
				_, err := fmt.Fprintf(a.out, "%7d  %s  %-10s %-10s %-20s %s\n", i, e.At.In(clock.Vietnam).Format(time.RFC3339), e.Actor, e.Place, e.Act, e.Subject)
				return err
			})
		})
	}
	c.AddCommand(check, point, show)
	return c
}

// tellJournal says whether the journal holds; one that does not is exit code 1.
func (a *app) tellJournal(r journal.Report) error {
	args := locale.Args{"size": r.Size, "signed": r.Signed, "root": r.Root.String()}
	if r.OK() {
		fmt.Fprintln(a.out, a.text("cli.journal.ok", args))
		return nil
	}
	for _, p := range r.Problems {
		fmt.Fprintln(a.out, a.text("cli.journal.problem", locale.Args{"kind": string(p.Kind), "first": p.First, "last": p.Last, "detail": p.Detail}))
	}
	return exit(1)
}

func (a *app) adminKey(with within) *cobra.Command {
	c := &cobra.Command{Use: "key", Short: a.text("cli.key", nil)}
	rotate := &cobra.Command{Use: "rotate", Short: a.text("cli.key.rotate", nil), Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, _ []string) error {
			n, err := s.RotateKey(ctx)
			if err != nil {
				return err
			}
			fmt.Fprintln(a.out, a.text("cli.key.rotated", locale.Args{"records": n, "keys": s.Vault.Keys()}))
			return nil
		})
	}}
	c.AddCommand(rotate, a.importKey(with))
	return c
}

// importKey brings the key of a key file into the key store, with the passphrase on standard input.
func (a *app) importKey(with within) *cobra.Command {
	var file string
	c := &cobra.Command{Use: "import NAME", Short: a.text("cli.key.import", nil), Args: cobra.ExactArgs(1), Annotations: map[string]string{"stdin": "passphrase"}}
	c.Flags().StringVar(&file, "key", "", a.text("cli.flag.key_file", nil))
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(_ context.Context, s *service.Service, args []string) error {
			data, err := readFile(file, 1<<20)
			if err != nil {
				return err
			}
			passphrase, err := a.password()
			if err != nil {
				return err
			}
			if err := s.ImportKey(args[0], data, []byte(passphrase)); err != nil {
				return err
			}
			fmt.Fprintln(a.out, a.text("cli.key.imported", locale.Args{"name": args[0]}))
			return nil
		})
	}
	return c
}

// backupOf writes a backup of what is open.
type backupOf = func(ctx context.Context, w io.Writer, keys []age.Recipient) (store.Manifest, error)

func (a *app) adminBackup(with within) *cobra.Command {
	return a.backup(func(cmd *cobra.Command, args []string, do func(context.Context, backupOf) error) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, _ []string) error {
			return do(ctx, func(ctx context.Context, w io.Writer, keys []age.Recipient) (store.Manifest, error) {
				return s.Store.Backup(ctx, w, keys, "keys", "ca")
			})
		})
	})
}

// backup is the command that backs up an installation or a sealer.
func (a *app) backup(with func(*cobra.Command, []string, func(context.Context, backupOf) error) error) *cobra.Command {
	var to string
	var recipients []string
	c := &cobra.Command{Use: "backup", Short: a.text("cli.backup", nil), Args: cobra.NoArgs}
	c.Flags().StringVar(&to, "to", "", a.text("cli.flag.to", nil))
	c.Flags().StringArrayVar(&recipients, "recipient", nil, a.text("cli.flag.recipient", nil))
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, do backupOf) error {
			var keys []age.Recipient
			for _, text := range recipients {
				r, err := age.ParseX25519Recipient(text)
				if err != nil {
					return fault.Wrap(err, fault.Invalid, "cli.recipient", fault.Args{"recipient": text})
				}
				keys = append(keys, r)
			}
			if len(keys) == 0 || to == "" {
				return fault.New(fault.Invalid, "cli.backup", nil)
			}
			m, err := writeBackup(ctx, do, to, keys)
			if err != nil {
				return err
			}
			fmt.Fprintln(a.out, a.text("cli.backup.done", locale.Args{"file": to, "entries": m.Entries, "files": len(m.Files)}))
			return nil
		})
	}
	return c
}

// writeBackup writes beside the target and renames, so that a file under its name is a whole backup.
func writeBackup(ctx context.Context, do backupOf, to string, keys []age.Recipient) (store.Manifest, error) {
	tmp, err := os.CreateTemp(filepath.Dir(to), ".backup-")
	if err != nil {
		return store.Manifest{}, fmt.Errorf("write the backup: %w", err)
	}
	defer os.Remove(tmp.Name())
	m, err := do(ctx, tmp, keys)
	if err == nil {
		err = tmp.Sync()
	}
	if err := errors.Join(err, tmp.Close()); err != nil {
		return m, err
	}
	return m, os.Rename(tmp.Name(), to)
}

func (a *app) adminRestore(file *string) *cobra.Command {
	return a.restore(file, func(c *config.Config) string { return c.Data.Dir })
}

// restore is the command that restores what backup wrote into the directory that the configuration names.
func (a *app) restore(file *string, where func(*config.Config) string) *cobra.Command {
	var identity string
	c := &cobra.Command{Use: "restore BACKUP", Short: a.text("cli.restore", nil), Args: cobra.ExactArgs(1)}
	c.Flags().StringVar(&identity, "identity", "", a.text("cli.flag.identity", nil))
	c.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := config.Load(*file, os.Environ(), nil)
		if err != nil {
			return err
		}
		dir := where(cfg)
		keyFile, err := os.Open(identity)
		if err != nil {
			return fmt.Errorf("open the identity that reads backups: %w", err)
		}
		defer keyFile.Close()
		ids, err := age.ParseIdentities(io.LimitReader(keyFile, 1<<20))
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "cli.identity", fault.Args{"file": identity})
		}
		in, err := os.Open(args[0])
		if err != nil {
			return fmt.Errorf("open the backup: %w", err)
		}
		defer in.Close()
		m, err := store.Restore(cmd.Context(), in, dir, ids, nil)
		if err != nil {
			return err
		}
		fmt.Fprintln(a.out, a.text("cli.restore.done", locale.Args{"dir": dir, "entries": m.Entries}))
		return nil
	}
	return c
}

// doctor opens the installation as the service would and says what it finds, point by point; a running service says it
// of itself.
func (a *app) doctor(file *string) *cobra.Command {
	return &cobra.Command{Use: "doctor", Short: a.text("cli.doctor", nil), Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		cfg, o, err := load(*file)
		if err != nil {
			a.finding("config", err)
			return exit(1)
		}
		if running(cfg.Data.Dir) {
			return a.byService(cmd, "admin", adminSocket(cfg.Data.Dir))
		}
		s, err := service.Open(cmd.Context(), o)
		if err != nil {
			a.finding("config", nil)
			a.finding("installation", err)
			return exit(1)
		}
		return errors.Join(a.examine(cmd.Context(), s), s.Close())
	}}
}

// finding prints one point and reports whether it is well.
func (a *app) finding(what string, err error) bool {
	mark, word := "✓", a.text("cli.doctor.ok", nil)
	if err != nil {
		mark, word = "✗", a.sentence(err)
	}
	fmt.Fprintf(a.out, "%s %-14s %s\n", mark, a.text("cli.doctor."+what, nil), word)
	return err == nil
}

// minFree is how much room on the disk is too little, in bytes.
const minFree = 1 << 30

// examine looks at an open installation.
func (a *app) examine(ctx context.Context, s *service.Service) error {
	a.finding("config", nil)
	a.finding("installation", nil)
	r, err := s.VerifyJournal(ctx, nil)
	if err == nil && !r.OK() {
		err = fmt.Errorf("%s: %d", a.text("cli.doctor.journal", nil), r.First())
	}
	well := a.finding("journal", err)
	h, err := s.Store.Health(ctx)
	if err == nil && h.Free < minFree {
		err = fault.New(fault.Unavailable, "cli.disk", fault.Args{"free": fmt.Sprint(h.Free >> 20)})
	}
	well = a.finding("disk", err) && well
	if !a.finding("seals", s.Sealing.State(ctx)) || !well {
		return exit(1)
	}
	return a.facts(s)
}

// facts tells what was chosen here, which is neither well nor ill.
func (a *app) facts(s *service.Service) error {
	words := []string{}
	for _, option := range s.CertificateOptions() {
		words = append(words, a.text("certificate.option."+string(option), nil))
	}
	fmt.Fprintf(a.out, "· %-14s %s\n", a.text("cli.doctor.confirm", nil), strings.Join(words, ", "))
	here, err := s.RootHere()
	if err != nil {
		return err
	}
	root := a.text("cli.doctor.root_away", nil)
	if here {
		root = a.text("cli.doctor.root_here", nil)
	}
	fmt.Fprintf(a.out, "· %-14s %s\n", a.text("cli.doctor.root", nil), root)
	return nil
}
