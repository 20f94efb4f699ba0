package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"countersign/internal/clock"
	"countersign/internal/locale"
	"countersign/internal/service"
	"countersign/signing/ca"
	"countersign/signing/seal"
)

// sealFlags are what a seal is: the same for one that is made here and one that is certified for a sealer.
func (a *app) sealFlags(c *cobra.Command, kind *string, s *seal.Seal) {
	c.Flags().StringVar(kind, "kind", "business", a.text("cli.flag.kind", nil))
	c.Flags().StringVar(&s.Name, "name", "", a.text("cli.flag.seal_name", nil))
	c.Flags().StringVar(&s.Line, "line", "", a.text("cli.flag.seal_line", nil))
	c.Flags().StringVar(&s.Arc, "arc", "", a.text("cli.flag.seal_arc", nil))
	c.Flags().BoolVar(&s.Star, "star", false, a.text("cli.flag.seal_star", nil))
	c.Flags().StringVar(&s.Organisation, "organisation", "", a.text("cli.flag.organisation", nil))
	c.Flags().StringVar(&s.Geometry, "geometry", "vn-company", a.text("cli.flag.geometry", nil))
	c.Flags().StringSliceVar(&s.Services, "service", nil, a.text("cli.flag.seal_service", nil))
}

// certifySeal issues a certificate for a seal whose key the sealer has made.
func (a *app) certifySeal(with within) *cobra.Command {
	var n service.NewSeal
	var kind string
	c := &cobra.Command{Use: "certify ID", Short: a.text("cli.seal.certify", nil), Args: cobra.ExactArgs(1), Annotations: map[string]string{"stdin": "request"}}
	a.sealFlags(c, &kind, &n.Seal)
	c.Flags().StringVar(&n.OrganisationID, "organisation-id", "", a.text("cli.flag.organisation_id", nil))
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, args []string) error {
			request, err := io.ReadAll(io.LimitReader(a.in, 64<<10))
			if err != nil {
				return fmt.Errorf("read the request from standard input: %w", err)
			}
			n.ID, n.Kind = args[0], seal.Kind(kind)
			chain, err := s.CertifySeal(ctx, n, request)
			if err != nil {
				return err
			}
			_, err = a.out.Write(ca.PEM(chain...))
			return err
		})
	}
	return c
}

// sealReport holds a day's seals against its orders: exit code 1 when they differ.
func (a *app) sealReport(with within) *cobra.Command {
	var day string
	var asJSON bool
	c := &cobra.Command{Use: "report", Short: a.text("cli.seal.report", nil), Args: cobra.NoArgs}
	c.Flags().StringVar(&day, "day", "", a.text("cli.flag.day", nil))
	c.Flags().BoolVar(&asJSON, "json", false, a.text("cli.flag.json", nil))
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, _ []string) error {
			if day == "" {
				day = s.Options.Clock.Now().In(clock.Vietnam).Format(time.DateOnly)
			}
			r, err := s.SealReport(ctx, day)
			if err != nil {
				return err
			}
			if asJSON {
				err = a.json(r)
			} else {
				a.printReport(r)
			}
			if err == nil && !r.OK() {
				return exit(1)
			}
			return err
		})
	}
	return c
}

func (a *app) printReport(r service.SealReport) {
	fmt.Fprintln(a.out, a.text("cli.seal.report.head", locale.Args{"day": r.Day, "orders": r.Orders, "done": r.Done, "uses": r.Uses}))
	for _, part := range []struct {
		title string
		lines []service.SealLine
	}{
		{a.text("cli.seal.report.without_order", nil), r.WithoutOrder}, {a.text("cli.seal.report.without_seal", nil), r.WithoutSeal},
		{a.text("cli.seal.report.open", nil), r.Open}, {a.text("cli.seal.report.void", nil), r.Void},
	} {
		fmt.Fprintf(a.out, "%s: %d\n", part.title, len(part.lines))
		for _, l := range part.lines {
			fmt.Fprintf(a.out, "    %-16s %5d  %-28s %-8s %s  %s\n", l.Seal, l.Number, l.Order, l.Clerk, l.At.In(clock.Vietnam).Format("15:04:05"), l.Why)
		}
	}
}

// ownKey prints what the keeper of the seals enrolls for a member of staff.
func (a *app) ownKey(with within) *cobra.Command {
	return &cobra.Command{Use: "key NAME", Short: a.text("cli.user.key", nil), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, args []string) error {
			staff, public, err := s.OwnKey(ctx, args[0])
			if err != nil {
				return err
			}
			fmt.Fprintln(a.out, staff, base64.RawStdEncoding.EncodeToString(public))
			return nil
		})
	}}
}

// adminLink issues the certificates of the connection between counters and sealer.
func (a *app) adminLink(with within) *cobra.Command {
	var names []string
	var to string
	c := &cobra.Command{Use: "link counter|sealer", Short: a.text("cli.link", nil), Args: cobra.ExactArgs(1)}
	c.Flags().StringSliceVar(&names, "host", nil, a.text("cli.flag.link_host", nil))
	c.Flags().StringVar(&to, "to", "", a.text("cli.flag.link_to", nil))
	// A running service stands in another folder than who asks.
	if err := c.MarkFlagRequired("to"); err != nil {
		panic("link: " + err.Error())
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, args []string) error {
			return s.Link(ctx, args[0], names, to)
		})
	}
	return c
}
