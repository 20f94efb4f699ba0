package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"countersign/helpdesk"
	"countersign/internal/api"
	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/tui"
)

// ticket is the helpdesk's acts for scripts.
func (a *app) ticket() *cobra.Command {
	var f scriptFlags
	c := &cobra.Command{Use: "ticket", Short: a.text("cli.ticket", nil)}
	f.register(a, c)
	var q helpdesk.Queue
	list := a.deskScript("list", cobra.NoArgs, &f, func(ctx context.Context, desk *api.Agent, _ []string) error {
		out, err := desk.Queue(ctx, q)
		if err != nil {
			return err
		}
		if f.asJSON {
			return a.json(out)
		}
		for _, t := range out.Tickets {
			fmt.Fprintf(a.out, "%s  %-16s %-4s %-4s %-10s %s\n", t.Created.In(clock.Vietnam).Format("2006-01-02 15:04"), t.Key, t.Route.Province, t.Category, t.State, t.Agent)
		}
		return nil
	})
	list.Flags().StringVar(&q.Province, "province", "", a.text("cli.flag.province", nil))
	list.Flags().StringVar(&q.Agent, "agent", "", a.text("cli.flag.agent", nil))
	list.Flags().BoolVar(&q.Overdue, "overdue", false, a.text("cli.flag.overdue", nil))
	list.Flags().IntVar(&q.Limit, "limit", 100, a.text("cli.flag.ticket_limit", nil))
	show := a.deskScript("show TICKET", cobra.ExactArgs(1), &f, func(ctx context.Context, desk *api.Agent, args []string) error {
		s, err := desk.Ticket(ctx, args[0])
		if err != nil {
			return err
		}
		return a.showTicket(s, f.asJSON)
	})
	c.AddCommand(list, show, a.ticketExport(&f), a.ticketNew(&f), a.ticketCheck(&f), a.ticketFigures(&f))
	return c
}

func (a *app) ticketExport(f *scriptFlags) *cobra.Command {
	var purpose, from, to, file string
	c := a.deskScript("export", cobra.NoArgs, f, func(ctx context.Context, desk *api.Agent, _ []string) error {
		days, err := period(from, to)
		if err != nil {
			return err
		}
		csv, err := desk.Export(ctx, purpose, days[0], days[1])
		if err != nil {
			return err
		}
		if file == "" || file == "-" {
			_, err = fmt.Fprint(a.out, csv)
			return err
		}
		return os.WriteFile(file, []byte(csv), 0o600)
	})
	c.Flags().StringVar(&purpose, "purpose", "", a.text("cli.flag.purpose", nil))
	c.Flags().StringVar(&from, "from-day", "", a.text("cli.flag.from_day", nil))
	c.Flags().StringVar(&to, "to-day", "", a.text("cli.flag.to_day", nil))
	c.Flags().StringVar(&file, "to", "", a.text("cli.flag.to", nil))
	return c
}

// period reads the first and the last day of one; what is not said stays zero.
func period(from, to string) (days [2]time.Time, err error) {
	for i, text := range []string{from, to} {
		if text == "" {
			continue
		}
		if days[i], err = time.ParseInLocation(time.DateOnly, text, clock.Vietnam); err != nil {
			return days, fault.Wrap(err, fault.Invalid, "cli.value", fault.Args{"value": text})
		}
	}
	return days, nil
}

func (a *app) ticketNew(f *scriptFlags) *cobra.Command {
	var r helpdesk.Request
	var channel string
	c := a.deskScript("new", cobra.NoArgs, f, func(ctx context.Context, desk *api.Agent, _ []string) error {
		r.Channel = helpdesk.Channel(channel)
		t, err := desk.Open(ctx, r)
		if err != nil {
			return err
		}
		if f.asJSON {
			return a.json(t)
		}
		fmt.Fprintln(a.out, t.Key)
		return nil
	})
	c.Flags().StringVar(&channel, "channel", string(helpdesk.ByPhone), a.text("cli.flag.channel", nil))
	c.Flags().StringVar(&r.Reason, "reason", "", a.text("cli.flag.call_reason", nil))
	c.Flags().StringVar(&r.Subject, "subject", "", a.text("cli.flag.subject", nil))
	c.Flags().StringVar(&r.Text, "text", "", a.text("cli.flag.text", nil))
	c.Flags().StringVar(&r.Category, "category", "", a.text("cli.flag.category", nil))
	c.Flags().StringVar(&r.Province, "province", "", a.text("cli.flag.province", nil))
	c.Flags().StringVar(&r.Customer, "customer", "", a.text("cli.flag.ticket_customer", nil))
	return c
}

// deskScript is a subcommand that signs in to the helpdesk, works and signs out.
func (a *app) deskScript(use string, args cobra.PositionalArgs, f *scriptFlags, do func(context.Context, *api.Agent, []string) error) *cobra.Command {
	c := a.script(use, args, f, func(ctx context.Context, clerk *api.Clerk, args []string) error {
		return do(ctx, &api.Agent{Clerk: clerk}, args)
	})
	name, _, _ := strings.Cut(use, " ")
	c.Short = a.text("cli.ticket."+name, nil)
	return c
}

func (a *app) showTicket(s *helpdesk.Sheet, asJSON bool) error {
	if asJSON {
		return a.json(s)
	}
	t := s.Ticket
	fmt.Fprintf(a.out, "%s  %s  %s %s  %s\n%s\n", t.Key, a.text("ticket.state."+string(t.State), nil), t.Route.Province, t.Category, t.Agent, tui.Sanitize(t.Subject))
	for _, m := range s.Thread {
		fmt.Fprintf(a.out, "\n%d  %s  %s  %s\n", m.Number, m.At.In(clock.Vietnam).Format("2006-01-02 15:04"), m.Kind, tui.Sanitize(m.From.Address+m.Author))
		for line := range strings.Lines(m.Text) {
			fmt.Fprintln(a.out, tui.Sanitize(strings.TrimRight(line, "\n")))
		}
		for _, file := range m.Files {
			fmt.Fprintf(a.out, "  %s  %d  %s\n", tui.Sanitize(file.Name), file.Size, file.Blocked)
		}
	}
	return nil
}
