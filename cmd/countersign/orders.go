package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"countersign/internal/api"
	"countersign/internal/clock"
	"countersign/internal/config"
	"countersign/internal/fault"
	"countersign/kiosk"
)

// scriptFlags say as whom a script works, at a counter of its own.
type scriptFlags struct {
	link
	unit, counter, user, password string
	asJSON                        bool
	certificates                  bool // the tree is about certificates, not orders
}

// register adds the flags to a tree of commands.
func (f *scriptFlags) register(a *app, c *cobra.Command) {
	p := c.PersistentFlags()
	f.link.register(a, p)
	p.StringVar(&f.unit, "unit", "", a.text("cli.flag.unit", nil))
	p.StringVar(&f.counter, "counter", "script", a.text("cli.flag.counter", nil))
	p.StringVar(&f.user, "user", "", a.text("cli.flag.user", nil))
	p.StringVar(&f.password, "password-file", "", a.text("cli.flag.password_file", nil))
	p.BoolVar(&f.asJSON, "json", false, a.text("cli.flag.json", nil))
}

// order is the same acts as the screens', for scripts.
func (a *app) order() *cobra.Command {
	var f scriptFlags
	c := &cobra.Command{Use: "order", Short: a.text("cli.order", nil)}
	f.register(a, c)
	var limit int
	list := a.script("list", cobra.NoArgs, &f, func(ctx context.Context, clerk *api.Clerk, _ []string) error {
		rows, err := clerk.List(ctx, limit)
		if err != nil {
			return err
		}
		if f.asJSON {
			return a.json(rows)
		}
		for _, r := range rows {
			fmt.Fprintf(a.out, "%s  %-28s %-3s %-10s %s\n", r.Created.In(clock.Vietnam).Format("2006-01-02 15:04"), r.Number, r.Service, r.State, r.Ack)
		}
		return nil
	})
	list.Flags().IntVar(&limit, "limit", 50, a.text("cli.flag.limit", nil))
	show := a.script("show ORDER", cobra.ExactArgs(1), &f, func(ctx context.Context, clerk *api.Clerk, args []string) error {
		v, err := clerk.Order(ctx, args[0])
		if err != nil {
			return err
		}
		return a.showOrder(v, f.asJSON)
	})
	approve := a.script("approve ORDER LAST-FOUR", cobra.ExactArgs(2), &f, func(ctx context.Context, clerk *api.Clerk, args []string) error {
		v, err := clerk.ApproveSeals(ctx, args[0], args[1])
		if err != nil {
			return err
		}
		return a.showOrder(v, f.asJSON)
	})
	var to string
	export := a.script("export ORDER", cobra.ExactArgs(1), &f, func(ctx context.Context, clerk *api.Clerk, args []string) error {
		data, err := clerk.Document(ctx, args[0])
		if err != nil {
			return err
		}
		if to == "" || to == "-" {
			_, err = a.out.Write(data)
			return err
		}
		return os.WriteFile(to, data, 0o600)
	})
	export.Flags().StringVar(&to, "to", "", a.text("cli.flag.to", nil))
	c.AddCommand(list, show, export, approve, a.orderNew(&f))
	return c
}

// orderNew starts an order with values, as far as a clerk can bring it without the customer: it waits for them.
func (a *app) orderNew(f *scriptFlags) *cobra.Command {
	var service, customer string
	var values []string
	var invite bool
	c := a.script("new", cobra.NoArgs, f, func(ctx context.Context, clerk *api.Clerk, _ []string) error {
		visit, err := clerk.OpenVisit(ctx, customer, "")
		if err != nil {
			return err
		}
		v, err := clerk.StartOrder(ctx, visit.Visit.Key, service, false)
		if err != nil {
			return err
		}
		key := v.Order.Key
		if v, err = fill(ctx, clerk, v, values, invite); err != nil {
			// Half an order would stay in hand at the counter and stop the next one.
			return errors.Join(err, clerk.Cancel(ctx, key))
		}
		if err := clerk.Aside(ctx, v.Order.Key); err != nil {
			return err
		}
		return a.showOrder(v, f.asJSON)
	})
	c.Flags().StringVar(&service, "service", "", a.text("cli.flag.service", nil))
	c.Flags().StringVar(&customer, "customer", "", a.text("cli.flag.customer", nil))
	c.Flags().StringArrayVar(&values, "set", nil, a.text("cli.flag.set", nil))
	c.Flags().BoolVar(&invite, "invite", false, a.text("cli.flag.invite", nil))
	return c
}

// fill types the values, and arms the submission when that is asked for.
func fill(ctx context.Context, clerk *api.Clerk, v kiosk.OrderView, values []string, invite bool) (kiosk.OrderView, error) {
	var err error
	for _, pair := range values {
		field, typed, ok := strings.Cut(pair, "=")
		if !ok {
			return v, fault.New(fault.Invalid, "cli.value", fault.Args{"value": pair})
		}
		if v, err = clerk.SetField(ctx, v.Order.Key, field, v.Order.Values[field].Text, typed); err != nil {
			return v, err
		}
	}
	if !invite {
		return v, nil
	}
	return clerk.Invite(ctx, v.Order.Key)
}

// script is a subcommand that signs in, works and signs out.
func (a *app) script(use string, args cobra.PositionalArgs, f *scriptFlags, do func(context.Context, *api.Clerk, []string) error) *cobra.Command {
	name, _, _ := strings.Cut(use, " ")
	return &cobra.Command{Use: use, Short: f.short(a, name), Args: args, RunE: func(cmd *cobra.Command, args []string) error {
		if f.unit == "" || f.user == "" || f.password == "" {
			return fault.New(fault.Invalid, "cli.sign_in", nil)
		}
		client, err := dial(f.link)
		if err != nil {
			return err
		}
		password, err := config.Secret(f.password)
		if err != nil {
			return err
		}
		clerk := &api.Clerk{Client: client, Unit: f.unit, Counter: f.counter}
		if _, err := clerk.SignIn(cmd.Context(), f.user, string(password)); err != nil {
			return err
		}
		return errors.Join(do(cmd.Context(), clerk, args), clerk.SignOut(cmd.Context()))
	}}
}

// short describes a command of the tree.
func (f *scriptFlags) short(a *app, name string) string {
	if f.certificates {
		return a.text("cli.certificate."+name, nil)
	}
	return a.text("cli.order."+name, nil)
}

func (a *app) json(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func (a *app) showOrder(v kiosk.OrderView, asJSON bool) error {
	service := v.Service
	v.Service = nil
	if asJSON {
		return a.json(v)
	}
	o := v.Order
	fmt.Fprintf(a.out, "%s  %s  %s %s  %s\n", o.Key, o.Number, service.Number, service.Title.In(a.lang), o.State)
	for _, f := range service.Fields() {
		if val, ok := o.Values[f.Name]; ok && !val.Empty() {
			fmt.Fprintf(a.out, "  %2d %-24s %s\n", f.Number, f.Label.In(a.lang), f.Show(val, a.lang))
		}
	}
	for _, p := range v.Problems {
		fmt.Fprintf(a.out, "  ! %s\n", a.sentence(p.Err()))
	}
	return nil
}
