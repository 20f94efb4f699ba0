package main

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/kiosk/idcard"
	"countersign/signing/ca"
	"countersign/signing/verify"
)

// maxFile bounds what verify reads; signing/pdf reads no more either. memory is where the collector begins to hurry.
const (
	maxFile = 128 << 20
	memory  = 400 << 20
)

func (a *app) verify() *cobra.Command {
	var asJSON bool
	var trust []string
	c := &cobra.Command{Use: "verify FILE", Short: a.text("cli.verify", nil), Args: cobra.ExactArgs(1)}
	c.Flags().BoolVar(&asJSON, "json", false, a.text("cli.flag.json", nil))
	c.Flags().StringArrayVar(&trust, "trust", nil, a.text("cli.flag.trust", nil))
	var only string
	c.Flags().StringVar(&only, "only", "", a.text("cli.flag.only", nil))
	var dns, mailbox string
	c.Flags().StringVar(&dns, "dns", "", a.text("cli.flag.dns", nil))
	c.Flags().StringVar(&mailbox, "mailbox", "", a.text("cli.flag.official", nil))
	c.RunE = func(c *cobra.Command, args []string) error {
		debug.SetMemoryLimit(memory)
		if strings.EqualFold(filepath.Ext(args[0]), ".eml") {
			return a.verifyMail(c.Context(), args[0], inspectFlags{json: asJSON, trust: trust, dns: dns}, mailbox)
		}
		p := verify.Policy{At: clock.System{}.Now(), Only: only}
		for _, path := range trust {
			if err := addRoots(&p, path); err != nil {
				return errors.Join(a.say(err), exit(3))
			}
		}
		if only != "" && !slices.ContainsFunc(p.Lists, func(l verify.List) bool { return l.Name == only }) {
			return errors.Join(a.say(fault.New(fault.Invalid, "cli.only", fault.Args{"list": only})), exit(3))
		}
		data, err := readFile(args[0], maxFile)
		if err != nil {
			if err := a.say(err); err != nil || !asJSON {
				return errors.Join(err, exit(3))
			}
			data = nil // a script gets its object all the same
		}
		r := verify.Verify(data, p)
		if asJSON {
			enc := json.NewEncoder(a.out)
			enc.SetIndent("", "  ")
			enc.SetEscapeHTML(false)
			if err := enc.Encode(r); err != nil {
				return err
			}
		} else {
			fmt.Fprint(a.out, verify.Text(r, a.lang))
		}
		if code := r.ExitCode(); code != 0 {
			return exit(code)
		}
		return nil
	}
	return c
}

// say tells a failure and returns nil, for commands whose exit code means something.
func (a *app) say(err error) error {
	fmt.Fprintf(a.err, "countersign: %s\n", a.sentence(err))
	return nil
}

// namedList parts NAME=PATH. A path that holds = is none where what stands before it is no plain word.
func namedList(value string) (name, path string) {
	before, after, found := strings.Cut(value, "=")
	if !found || before == "" || strings.Trim(before, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return "", value
	}
	return before, after
}

// addRoots trusts the certificates of a file, or of every certificate file of a directory; with NAME= before its path, as
// a list of that name.
func addRoots(p *verify.Policy, value string) error {
	name, path := namedList(value)
	files := []string{path}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		files = nil
		for _, kind := range []string{"*.pem", "*.crt", "*.cer", "*.der"} {
			found, err := filepath.Glob(filepath.Join(path, kind))
			if err != nil {
				return err
			}
			files = append(files, found...)
		}
		if len(files) == 0 {
			return fault.New(fault.Invalid, "cli.ca", fault.Args{"file": path})
		}
	}
	var roots []*x509.Certificate
	for _, file := range files {
		data, err := readFile(file, 1<<20)
		if err != nil {
			return err
		}
		certs, err := ca.Certificates(data)
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "cli.ca", fault.Args{"file": file})
		}
		roots = append(roots, certs...)
	}
	if name == "" {
		p.Roots = append(p.Roots, roots...)
		return nil
	}
	for i := range p.Lists {
		if p.Lists[i].Name == name {
			p.Lists[i].Roots = append(p.Lists[i].Roots, roots...)
			return nil
		}
	}
	p.Lists = append(p.Lists, verify.List{Name: name, Roots: roots})
	return nil
}

func readFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if info.Size() > limit {
		return nil, fmt.Errorf("read %s: it has more than %d MB", name, limit>>20)
	}
	if info.Mode().IsRegular() {
		b.Grow(int(info.Size()) + bytes.MinRead) // in one piece: files are large
	}
	if _, err := b.ReadFrom(io.LimitReader(f, limit+1)); err != nil {
		return nil, err
	}
	if int64(b.Len()) > limit {
		return nil, fmt.Errorf("read %s: it has more than %d MB", name, limit>>20)
	}
	return b.Bytes(), nil
}

func (a *app) card() *cobra.Command {
	c := &cobra.Command{Use: "card", Short: a.text("cli.card", nil)}
	var asJSON bool
	parse := &cobra.Command{Use: "parse STRING|-", Short: a.text("cli.card.parse", nil), Args: cobra.ExactArgs(1)}
	parse.Flags().BoolVar(&asJSON, "json", false, a.text("cli.flag.json", nil))
	parse.RunE = func(_ *cobra.Command, args []string) error {
		text := args[0]
		if text == "-" {
			data, err := io.ReadAll(io.LimitReader(a.in, 64<<10))
			if err != nil {
				return err
			}
			text = strings.TrimRight(string(data), "\r\n")
		}
		card, err := idcard.ParseOn(text, time.Now().In(clock.Vietnam))
		if err != nil {
			if asJSON {
				if err := a.showCard(idcard.Card{Fields: map[string]string{}}, true); err != nil {
					return err
				}
			}
			return errors.Join(a.say(err), exit(idcard.ExitCode(card, err)))
		}
		if err := a.showCard(card, asJSON); err != nil {
			return err
		}
		if code := idcard.ExitCode(card, nil); code != 0 {
			return exit(code)
		}
		return nil
	}
	c.AddCommand(parse)
	return c
}

func (a *app) showCard(card idcard.Card, asJSON bool) error {
	if asJSON {
		data, err := card.JSON()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.out, "%s\n", data)
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(card.Fields)) {
		fmt.Fprintf(a.out, "%-16s %s\n", name, card.Fields[name])
	}
	for _, check := range card.Checks {
		mark := "✓"
		if !check.OK {
			mark = "✗"
		}
		fmt.Fprintf(a.out, "%s %s: %s\n", mark, check.Label(a.lang), check.Text(a.lang))
	}
	return nil
}
