package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"countersign/internal/clock"
	"countersign/internal/locale"
	"countersign/signing"
	"countersign/signing/augment"
	"countersign/signing/revoke"
	"countersign/signing/tsa"
	"countersign/signing/verify"
)

// askTimeout is how long a timestamp authority, responder or list may take.
const askTimeout = 15 * time.Second

// raise is `countersign sign augment`: it exits with 0 when the level was reached, and with 2 when the document keeps a
// lower one.
func (a *app) raise() *cobra.Command {
	var to, out string
	var trust, authorities, lists []string
	c := &cobra.Command{Use: "augment FILE.pdf", Short: a.text("cli.sign.augment", nil), Args: cobra.ExactArgs(1)}
	c.Flags().StringVar(&to, "to", string(signing.BLTA), a.text("cli.flag.level", nil))
	c.Flags().StringVar(&out, "out", "", a.text("cli.flag.out", nil))
	c.Flags().StringArrayVar(&trust, "trust", nil, a.text("cli.flag.trust", nil))
	c.Flags().StringArrayVar(&authorities, "tsa", nil, a.text("cli.flag.tsa", nil))
	c.Flags().StringArrayVar(&lists, "crl", nil, a.text("cli.flag.crl", nil))
	c.RunE = func(cmd *cobra.Command, args []string) error {
		var p verify.Policy
		for _, path := range trust {
			if err := addRoots(&p, path); err != nil {
				return err
			}
		}
		raiser := &augment.Augmenter{Roots: p.Trusted(), Clock: clock.System{}}
		if err := reach(raiser, authorities, lists); err != nil {
			return err
		}
		document, err := readFile(args[0], maxFile)
		if err != nil {
			return err
		}
		r, err := raiser.Raise(cmd.Context(), document, signing.Level(to))
		if err != nil {
			return err
		}
		if out == "" {
			out = args[0]
		}
		if r.Added > 0 || out != args[0] {
			if err := replaceFile(out, r.Document); err != nil {
				return err
			}
		}
		fmt.Fprintln(a.out, a.text("cli.sign.raised", locale.Args{"file": out, "before": string(r.Before), "level": string(r.Level)}))
		if !r.Until.IsZero() {
			fmt.Fprintln(a.out, a.text("cli.sign.until", locale.Args{"date": r.Until.In(clock.Vietnam).Format(time.DateOnly)}))
		}
		if r.Short != nil {
			return errors.Join(a.say(r.Short), exit(2))
		}
		return nil
	}
	return c
}

// reach says where timestamps and the status of certificates are to be had: lists that are at hand first, then the
// addresses in the certificates.
func reach(raiser *augment.Augmenter, authorities, lists []string) error {
	if len(authorities) > 0 {
		client, err := tsa.NewClient(authorities, askTimeout, rand.Reader)
		if err != nil {
			return err
		}
		raiser.Authority = client
	}
	kept := revoke.Lists{Clock: raiser.Clock}
	for _, name := range lists {
		der, err := readFile(name, 16<<20)
		if err != nil {
			return err
		}
		kept.DER = append(kept.DER, der)
	}
	raiser.Status = revoke.InOrder{kept, revoke.NewClient(askTimeout, raiser.Clock, rand.Reader)}
	return nil
}

// replaceFile writes a whole file beside the old one and then puts it in its place, so that a full disk or a power cut
// leaves the old one.
func replaceFile(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".countersign-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := io.Copy(f, bytes.NewReader(data)); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	mode := os.FileMode(0o644)
	if old, err := os.Stat(name); err == nil {
		mode = old.Mode().Perm()
	}
	if err := os.Chmod(f.Name(), mode); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
