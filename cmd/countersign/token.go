package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"countersign/internal/clock"
	"countersign/internal/config"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/service"
)

// adminToken shows tokens, without a PIN and without an installation: those of the modules that are named, or else of the
// configuration's.
func (a *app) adminToken(file *string) *cobra.Command {
	c := &cobra.Command{Use: "token", Short: a.text("cli.token", nil)}
	list := &cobra.Command{Use: "list", Short: a.text("cli.token.list", nil), Args: cobra.NoArgs}
	var modules []string
	list.Flags().StringArrayVar(&modules, "module", nil, a.text("cli.flag.module", nil))
	list.RunE = func(*cobra.Command, []string) error {
		inside := false
		if cfg, err := config.Load(*file, os.Environ(), nil); len(modules) == 0 && err == nil {
			modules, inside = cfg.Tokens.Modules, cfg.Tokens.Process == "inside"
		}
		if len(modules) == 0 {
			return fault.New(fault.Invalid, "cli.module", nil)
		}
		tokens, err := service.Tokens(modules, inside)
		for _, t := range tokens {
			fmt.Fprintf(a.out, "%s  %s  %s\n", t.Serial, t.Label, a.text("cli.token.pin_"+string(t.PIN), nil))
			for _, held := range t.Certificates {
				fmt.Fprintln(a.out, "  "+a.text("cli.token.certificate", locale.Args{
					"holder": held.Holder, "issuer": held.Issuer, "serial": held.Serial,
					"ends": held.Ends.In(clock.Vietnam).Format("02/01/2006"),
				}))
			}
		}
		if err == nil && len(tokens) == 0 {
			fmt.Fprintln(a.out, a.text("cli.token.none", nil))
		}
		return err
	}
	c.AddCommand(list)
	return c
}

// tokenModule is the process of one PKCS#11 module, started by this program only.
func (a *app) tokenModule() *cobra.Command {
	return &cobra.Command{Use: service.ModuleCommand + " FILE", Short: a.text("cli.token.module", nil), Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return service.ServeModule(args[0]) }}
}
