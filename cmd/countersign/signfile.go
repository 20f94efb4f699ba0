package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"countersign/internal/clock"
	"countersign/internal/config"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/service"
	"countersign/signing"
	"countersign/signing/augment"
	"countersign/signing/pdf"
	"countersign/signing/verify"
)

// signFlags say who signs what, and how.
type signFlags struct {
	field, reason, location, out, level string
	keyFile, secretFile, serial         string
	certs, modules                      []string
	trust, authorities, lists           []string
}

// sign is work on documents by hand: `countersign sign FILE.pdf` fills an empty signature field with the key of a file or
// of a token. It exits with 0 when the wanted level was reached, and with 2 when the document was signed at a lower one.
func (a *app) sign() *cobra.Command {
	var f signFlags
	c := &cobra.Command{Use: "sign FILE.pdf", Short: a.text("cli.sign", nil), Args: cobra.ExactArgs(1)}
	flag := func(to *string, name string) { c.Flags().StringVar(to, name, "", a.text("cli.flag."+name, nil)) }
	flag(&f.field, "field")
	flag(&f.reason, "reason")
	flag(&f.location, "location")
	flag(&f.serial, "certificate")
	c.Flags().StringVar(&f.keyFile, "key", "", a.text("cli.flag.key_file", nil))
	c.Flags().StringVar(&f.secretFile, "secret-file", "", a.text("cli.flag.secret_file", nil))
	c.Flags().StringVar(&f.level, "level", "", a.text("cli.flag.level", nil))
	c.Flags().StringVar(&f.out, "out", "", a.text("cli.flag.out", nil))
	c.Flags().StringArrayVar(&f.certs, "cert", nil, a.text("cli.flag.cert", nil))
	c.Flags().StringArrayVar(&f.modules, "module", nil, a.text("cli.flag.module", nil))
	c.Flags().StringArrayVar(&f.trust, "trust", nil, a.text("cli.flag.trust", nil))
	c.Flags().StringArrayVar(&f.authorities, "tsa", nil, a.text("cli.flag.tsa", nil))
	c.Flags().StringArrayVar(&f.lists, "crl", nil, a.text("cli.flag.crl", nil))
	c.RunE = func(cmd *cobra.Command, args []string) error { return a.signFile(cmd.Context(), args[0], f) }
	c.AddCommand(a.raise())
	return c
}

func (a *app) signFile(ctx context.Context, name string, f signFlags) error {
	if (f.keyFile == "") == (len(f.modules) == 0) {
		return fault.New(fault.Invalid, "cli.sign_key", nil)
	}
	if f.level == "" {
		f.level = string(signing.BB)
		if len(f.authorities) > 0 {
			f.level = string(signing.BT)
		}
	}
	wanted := signing.Level(f.level)
	if !slices.Contains([]signing.Level{signing.BB, signing.BT, signing.BLT, signing.BLTA}, wanted) || wanted != signing.BB && len(f.authorities) == 0 {
		return fault.New(fault.Invalid, "cli.sign_level", fault.Args{"level": f.level})
	}
	document, err := readFile(name, maxFile)
	if err != nil {
		return err
	}
	if f.field, err = emptyField(document, f.field); err != nil {
		return err
	}
	raiser, err := f.raiser()
	if err != nil {
		return err
	}
	filled, err := a.signOne(ctx, document, f, raiser, wanted)
	if err != nil {
		return err
	}
	reached, short, made := filled.Level, filled.Untimed, filled.Document
	if wanted == signing.BLT || wanted == signing.BLTA {
		raised, err := raiser.Raise(ctx, filled.Document, wanted)
		if err != nil {
			short = err
		} else {
			reached, short, made = raised.Level, raised.Short, raised.Document
		}
	}
	if f.out == "" {
		f.out = name
	}
	if err := replaceFile(f.out, made); err != nil {
		return err
	}
	fmt.Fprintln(a.out, a.text("cli.sign.signed", locale.Args{"file": f.out, "field": f.field, "level": string(reached)}))
	if short != nil {
		return errors.Join(a.say(short), exit(2))
	}
	return nil
}

// raiser reaches timestamp authorities and responders.
func (f *signFlags) raiser() (*augment.Augmenter, error) {
	var p verify.Policy
	for _, path := range f.trust {
		if err := addRoots(&p, path); err != nil {
			return nil, err
		}
	}
	r := &augment.Augmenter{Roots: p.Roots, Clock: clock.System{}}
	return r, reach(r, f.authorities, f.lists)
}

// signOne prepares the signature, has the key sign and finishes it.
func (a *app) signOne(ctx context.Context, document []byte, f signFlags, raiser *augment.Augmenter, wanted signing.Level) (signing.Filled, error) {
	who, err := a.signatory(f)
	if err != nil {
		return signing.Filled{}, err
	}
	filled, err := signAs(ctx, who, document, f, raiser, wanted)
	return filled, errors.Join(err, who.Close())
}

func signAs(ctx context.Context, who service.Signatory, document []byte, f signFlags, raiser *augment.Augmenter, wanted signing.Level) (signing.Filled, error) {
	chain, now := who.Chain(), raiser.Clock.Now()
	if now.Before(chain[0].NotBefore) || now.After(chain[0].NotAfter) {
		return signing.Filled{}, fault.New(fault.Forbidden, "cli.sign_expired", fault.Args{
			"from": chain[0].NotBefore.In(clock.Vietnam).Format(time.DateOnly), "until": chain[0].NotAfter.In(clock.Vietnam).Format(time.DateOnly),
		})
	}
	made, err := signing.Prepare(document, pdf.Request{
		Field: f.field, Name: chain[0].Subject.CommonName, Reason: f.reason, Location: f.location, At: now,
	}, chain)
	if err != nil {
		return signing.Filled{}, err
	}
	sig, err := who.Sign(rand.Reader, made.Digest[:], crypto.SHA256)
	if err != nil {
		return signing.Filled{}, err
	}
	authority := raiser.Authority
	if wanted == signing.BB {
		authority = nil
	}
	return signing.Finish(ctx, document, made, sig, authority)
}

// signatory opens the key that the flags name.
func (a *app) signatory(f signFlags) (service.Signatory, error) {
	secret, err := a.secret(f.secretFile)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	if f.keyFile == "" {
		return service.TokenKey(f.modules, false, f.serial, secret)
	}
	var p verify.Policy
	for _, path := range f.certs {
		if err := addRoots(&p, path); err != nil {
			return nil, err
		}
	}
	data, err := readFile(f.keyFile, 1<<20)
	if err != nil {
		return nil, err
	}
	return service.KeyFile(data, secret, p.Roots)
}

// secret is a passphrase or a PIN: from a file, or the first line of standard input.
func (a *app) secret(file string) ([]byte, error) {
	if file != "" {
		return config.Secret(file)
	}
	line, err := a.password()
	return []byte(line), err
}

// emptyField returns the field that is to be filled: the named one, or the only empty one.
func emptyField(document []byte, name string) (string, error) {
	f, err := pdf.Parse(document)
	if err != nil {
		return "", fault.Wrap(err, fault.Invalid, "cli.sign_unreadable", nil)
	}
	fields, err := f.Fields(len(f.Revisions) - 1)
	if err != nil {
		return "", fault.Wrap(err, fault.Invalid, "cli.sign_unreadable", nil)
	}
	var empty []string
	for _, field := range fields {
		if field.Type == "Sig" && field.Value.Kind == pdf.Null {
			empty = append(empty, field.Name)
		}
	}
	switch {
	case name == "" && len(empty) == 1:
		return empty[0], nil
	case name != "" && slices.Contains(empty, name):
		return name, nil
	case len(empty) == 0:
		return "", fault.New(fault.Invalid, "cli.sign_no_field", nil)
	}
	return "", fault.New(fault.Invalid, "cli.sign_field", fault.Args{"fields": strings.Join(empty, ", ")})
}
