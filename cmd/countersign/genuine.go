package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"countersign/helpdesk/genuine"
	"countersign/internal/api"
	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/tui"
)

// ticketCheck holds what somebody claims who says to be support staff against the records.
func (a *app) ticketCheck(f *scriptFlags) *cobra.Command {
	var claim genuine.Claim
	var at string
	c := a.deskScript("check", cobra.NoArgs, f, func(ctx context.Context, desk *api.Agent, _ []string) error {
		if at != "" {
			when, err := time.Parse(time.RFC3339, at)
			if err != nil {
				return fault.Wrap(err, fault.Invalid, "cli.value", fault.Args{"value": at})
			}
			claim.At = when
		}
		v, err := desk.Genuine(ctx, claim)
		if err != nil {
			return err
		}
		if f.asJSON {
			err = a.json(v)
		} else {
			_, err = fmt.Fprint(a.out, v.Text(a.lang, func(t time.Time) string { return t.In(clock.Vietnam).Format("15:04 02/01/2006") }))
		}
		if err == nil && !v.Genuine {
			err = exit(1)
		}
		return err
	})
	flag := func(into *string, name, text string) { c.Flags().StringVar(into, name, "", a.text(text, nil)) }
	flag(&claim.Serial, "serial", "cli.flag.claim_serial")
	flag(&claim.Unit, "asker-unit", "cli.flag.claim_unit")
	flag(&claim.Code, "code", "cli.flag.claim_code")
	flag(&claim.Mailbox, "mailbox", "cli.flag.claim_mailbox")
	flag(&claim.Number, "number", "cli.flag.claim_number")
	flag(&claim.Extension, "extension", "cli.flag.claim_extension")
	flag(&at, "at", "cli.flag.claim_at")
	return c
}

// ticketFigures prints the figures of a period.
func (a *app) ticketFigures(f *scriptFlags) *cobra.Command {
	var from, to string
	c := a.deskScript("figures", cobra.NoArgs, f, func(ctx context.Context, desk *api.Agent, _ []string) error {
		days, err := period(from, to)
		if err != nil {
			return err
		}
		out, err := desk.Figures(ctx, days[0], days[1])
		if err != nil {
			return err
		}
		return a.json(out)
	})
	c.Flags().StringVar(&from, "from-day", "", a.text("cli.flag.from_day", nil))
	c.Flags().StringVar(&to, "to-day", "", a.text("cli.flag.to_day", nil))
	return c
}

// verifyMail judges a mail in a file by its signatures; no record is asked.
func (a *app) verifyMail(ctx context.Context, name string, f inspectFlags, mailbox string) error {
	raw, err := a.readMail(name)
	if err != nil {
		if err := a.say(err); err != nil || !f.json {
			return errors.Join(err, exit(3))
		}
		raw = nil // a script gets its object all the same
	}
	i, err := inspector(f)
	if err != nil {
		return errors.Join(a.say(err), exit(3))
	}
	policy := genuine.FilePolicy{Mailbox: mailbox, SMIME: i.SMIME, Own: i.Auth.Own, DNS: i.Auth.Resolver}
	policy.SMIME.At = clock.System{}.Now()
	if _, host, ok := strings.Cut(mailbox, "@"); ok {
		policy.Own = []string{host}
	} else {
		if policy.Mailbox, err = officialMailbox(); err != nil {
			return errors.Join(a.say(err), exit(3))
		}
	}
	r := genuine.File(ctx, raw, policy)
	if f.json {
		err = a.json(r)
	} else {
		for line := range strings.Lines(r.Text(a.lang, policy.Mailbox)) {
			fmt.Fprintln(a.out, tui.Sanitize(strings.TrimRight(line, "\n")))
		}
	}
	if code := r.Verdict.ExitCode(); err == nil && code != 0 {
		return exit(code)
	}
	return err
}
