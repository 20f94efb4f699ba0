package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/service"
	"countersign/kiosk"
	"countersign/signing/seal"
)

type within = func(*cobra.Command, []string, administrator) error

func (a *app) adminUser(with within) *cobra.Command {
	c := &cobra.Command{Use: "user", Short: a.text("cli.user", nil)}
	var u kiosk.User
	var roles []string
	add := &cobra.Command{Use: "add NAME", Short: a.text("cli.user.add", nil), Args: cobra.ExactArgs(1), Annotations: map[string]string{"stdin": "password"}}
	add.Flags().StringVar(&u.FullName, "full-name", "", a.text("cli.flag.full_name", nil))
	add.Flags().StringVar(&u.StaffID, "staff-id", "", a.text("cli.flag.staff_id", nil))
	add.Flags().StringVar(&u.Unit, "unit", "", a.text("cli.flag.unit", nil))
	add.Flags().StringSliceVar(&roles, "role", []string{"clerk"}, a.text("cli.flag.role", nil))
	add.RunE = func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, args []string) error {
			u.Name = args[0]
			for _, r := range roles {
				if kiosk.Role(r).Rights() == nil {
					return fault.New(fault.Invalid, "cli.role", fault.Args{"role": r})
				}
				u.Roles = append(u.Roles, kiosk.Role(r))
			}
			password, err := a.password()
			if err != nil {
				return err
			}
			u.MustChange = true // whoever types it here is somebody else
			return s.AddUser(ctx, u, password, "")
		})
	}
	list := &cobra.Command{Use: "list", Short: a.text("cli.user.list", nil), Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, a.listUsers)
	}}
	roleList := &cobra.Command{Use: "roles", Short: a.text("cli.user.roles", nil), Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		for _, r := range kiosk.Roles {
			words := []string{}
			for _, right := range r.Rights() {
				words = append(words, a.text("right."+string(right), nil))
			}
			fmt.Fprintf(a.out, "%-12s %s\n", r, strings.Join(words, ", "))
		}
		return nil
	}}
	c.AddCommand(add, list, roleList, a.ownKey(with), a.lockUser(with, "lock", true), a.lockUser(with, "unlock", false))
	return c
}

func (a *app) listUsers(ctx context.Context, s *service.Service, _ []string) error {
	return s.Store.View(ctx, func(tx kiosk.Tx) error {
		users, err := tx.Users()
		if err != nil {
			return err
		}
		for _, u := range users {
			state := a.text("cli.user.open", nil)
			if u.Locked {
				state = a.text("cli.user.locked", nil)
			}
			roles := []string{}
			for _, r := range u.Roles {
				roles = append(roles, string(r))
			}
			fmt.Fprintf(a.out, "%-16s %-8s %-8s %-24s %s\n", u.Name, u.Unit, u.StaffID, strings.Join(roles, ","), state)
		}
		return nil
	})
}

func (a *app) lockUser(with within, name string, locked bool) *cobra.Command {
	return &cobra.Command{Use: name + " NAME", Short: a.text("cli.user."+name, nil), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, args []string) error {
			return s.LockUser(ctx, args[0], locked)
		})
	}}
}

func (a *app) adminDisplay(with within) *cobra.Command {
	c := &cobra.Command{Use: "display", Short: a.text("cli.admin.display", nil)}
	var unit, counter string
	var mobile bool
	add := &cobra.Command{Use: "pair", Short: a.text("cli.admin.pair", nil), Args: cobra.NoArgs}
	add.Flags().StringVar(&unit, "unit", "", a.text("cli.flag.unit", nil))
	add.Flags().StringVar(&counter, "counter", "1", a.text("cli.flag.counter", nil))
	add.Flags().BoolVar(&mobile, "mobile", false, a.text("cli.flag.mobile", nil))
	add.RunE = func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, _ []string) error {
			pair := s.Hall.PairDisplay
			if mobile {
				pair = s.Hall.PairMobile
			}
			token, err := pair(ctx, kiosk.Actor{User: kiosk.User{Name: "admin"}, Unit: unit, Counter: counter}, unit, counter)
			if err != nil {
				return err
			}
			fmt.Fprintln(a.out, token)
			return nil
		})
	}
	c.AddCommand(add)
	return c
}

func (a *app) adminSeal(with within) *cobra.Command {
	c := &cobra.Command{Use: "seal", Short: a.text("cli.seal", nil)}
	var n service.NewSeal
	var kind string
	add := &cobra.Command{Use: "add ID", Short: a.text("cli.seal.add", nil), Args: cobra.ExactArgs(1)}
	a.sealFlags(add, &kind, &n.Seal)
	add.Flags().StringVar(&n.OrganisationID, "organisation-id", "", a.text("cli.flag.organisation_id", nil))
	add.Flags().BoolVar(&n.RSA, "rsa", false, a.text("cli.flag.rsa", nil))
	add.RunE = func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, args []string) error {
			n.ID, n.Kind = args[0], seal.Kind(kind)
			return s.AddSeal(ctx, n)
		})
	}
	list := &cobra.Command{Use: "list", Short: a.text("cli.seal.list", nil), Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, a.listSeals)
	}}
	grant := &cobra.Command{Use: "grant SEAL STAFF-ID SERVICE PAPER", Short: a.text("cli.seal.grant", nil), Args: cobra.ExactArgs(4), RunE: func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, args []string) error {
			return s.Grant(ctx, seal.Grant{Seal: args[0], Clerk: args[1], Service: args[2], Paper: args[3], From: s.Options.Clock.Now()})
		})
	}}
	for name, held := range map[string]bool{"suspend": true, "resume": false} {
		c.AddCommand(&cobra.Command{Use: name, Short: a.text("cli.seal."+name, nil), Args: cobra.NoArgs, Annotations: map[string]string{needsRunning: "true"}, RunE: func(cmd *cobra.Command, args []string) error {
			return with(cmd, args, func(ctx context.Context, s *service.Service, _ []string) error {
				return s.HoldSeals(ctx, held)
			})
		}})
	}
	c.AddCommand(add, list, grant, a.certifySeal(with), a.sealReport(with))
	return c
}

func (a *app) listSeals(ctx context.Context, s *service.Service, _ []string) error {
	seals, err := s.Store.Register().Seals(ctx)
	if err != nil {
		return err
	}
	grants, err := s.Store.Register().Grants(ctx)
	if err != nil {
		return err
	}
	a.listOfSeals(seals, grants)
	return nil
}

// listOfSeals prints seals and who holds them.
func (a *app) listOfSeals(seals []seal.Seal, grants []seal.Grant) {
	for _, x := range seals {
		fmt.Fprintf(a.out, "%-20s %-9s %s, %s\n", x.ID, x.Kind, x.Name, a.text("cli.seal.until", locale.Args{"day": x.ValidUntil.Format(time.DateOnly)}))
		for _, g := range grants {
			if g.Seal == x.ID {
				fmt.Fprintf(a.out, "    %-8s %-4s %s\n", g.Clerk, g.Service, g.Paper)
			}
		}
	}
}
