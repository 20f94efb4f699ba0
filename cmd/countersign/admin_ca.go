package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/service"
	"countersign/kiosk"
	"countersign/signing/ca"
)

// adminCA is the house's certificate authority: its register, what was taken back, and the root's key.
func (a *app) adminCA(with within) *cobra.Command {
	c := &cobra.Command{Use: "ca", Short: a.text("cli.ca.tree", nil)}
	c.AddCommand(a.caList(with), a.caShow(with), a.caReport(with), a.caRevoke(with), a.caLift(with), a.caLoss(with), a.caStaff(with), a.caRoot(with))
	return c
}

// line is a certificate of the register for scripts: without what proves the holder's identity.
type line struct {
	Serial   string    `json:"serial"`
	SHA256   string    `json:"sha256"`
	Class    ca.Kind   `json:"class"`
	Issuer   string    `json:"issuer"`
	Unit     string    `json:"unit"`
	Order    string    `json:"order,omitempty"`
	User     string    `json:"user,omitempty"`
	Customer string    `json:"customer,omitempty"`
	From     time.Time `json:"from"`
	Until    time.Time `json:"until"`
	State    string    `json:"state"`
	TakenAt  time.Time `json:"taken_at,omitzero"`
	Reason   string    `json:"reason,omitempty"`
	Why      string    `json:"why,omitempty"`
	TakenBy  string    `json:"taken_by,omitempty"`
	LiftBy   string    `json:"lift_by,omitempty"`
}

func newLine(c *kiosk.Certificate) line {
	l := line{Serial: c.Serial, SHA256: c.SHA256, Class: c.Class, Issuer: c.Issuer, Unit: c.Unit, Order: c.Order, User: c.User, Customer: c.Customer,
		From: c.From, Until: c.Until, State: string(c.State), TakenAt: c.TakenAt, Why: c.Why, TakenBy: c.TakenBy, LiftBy: c.LiftBy}
	for name, number := range ca.Reasons() {
		if number == c.Reason && !c.TakenAt.IsZero() {
			l.Reason = name
		}
	}
	return l
}

func (a *app) tellLine(c *kiosk.Certificate) {
	fmt.Fprintf(a.out, "%-34s %-10s %-10s %s  %s\n", c.Serial, c.Class, a.text("certificate.state."+string(c.State), nil), c.Until.In(clock.Vietnam).Format(time.DateOnly), c.Issuer)
}

func (a *app) caList(with within) *cobra.Command {
	var asJSON bool
	var class, state string
	var q kiosk.CertificateQuery
	var days int
	c := &cobra.Command{Use: "list", Short: a.text("cli.ca.list", nil), Args: cobra.NoArgs}
	c.Flags().BoolVar(&asJSON, "json", false, a.text("cli.flag.json", nil))
	c.Flags().StringVar(&class, "class", "", a.text("cli.flag.class", nil))
	c.Flags().StringVar(&q.Issuer, "issuer", "", a.text("cli.flag.issuer", nil))
	c.Flags().StringVar(&state, "state", "", a.text("cli.flag.state", nil))
	c.Flags().IntVar(&days, "expires-in", 0, a.text("cli.flag.expires_in", nil))
	c.Flags().IntVar(&q.Limit, "limit", 1000, a.text("cli.flag.limit", nil))
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, _ []string) error {
			q.Class, q.State = ca.Kind(class), kiosk.CertificateState(state)
			if days > 0 {
				q.EndsBy = s.Options.Clock.Now().AddDate(0, 0, days)
			}
			all, err := s.Hall.Certificates(ctx, kiosk.Actor{}, q)
			if err != nil {
				return err
			}
			lines := []line{}
			for _, x := range all {
				if lines = append(lines, newLine(x)); !asJSON {
					a.tellLine(x)
				}
			}
			if asJSON {
				return a.json(lines)
			}
			return nil
		})
	}
	return c
}

func (a *app) caShow(with within) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "show SERIAL", Short: a.text("cli.ca.show", nil), Args: cobra.ExactArgs(1)}
	c.Flags().BoolVar(&asJSON, "json", false, a.text("cli.flag.json", nil))
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, args []string) error {
			x, err := s.FindCertificate(ctx, args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return a.json(newLine(x))
			}
			a.tellLine(x)
			if l := newLine(x); l.Reason != "" {
				fmt.Fprintln(a.out, a.text("cli.ca.taken", locale.Args{"at": l.TakenAt.In(clock.Vietnam).Format(time.RFC3339), "by": l.TakenBy, "reason": l.Reason, "why": l.Why}))
			}
			return nil
		})
	}
	return c
}

func (a *app) caReport(with within) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "report", Short: a.text("cli.ca.report", nil), Args: cobra.NoArgs}
	c.Flags().BoolVar(&asJSON, "json", false, a.text("cli.flag.json", nil))
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, _ []string) error {
			counts, err := s.CertificateReport(ctx)
			if err != nil {
				return err
			}
			if asJSON {
				return a.json(counts)
			}
			for _, n := range counts {
				fmt.Fprintln(a.out, a.text("cli.ca.count", locale.Args{"class": string(n.Class), "state": a.text("certificate.state."+string(n.State), nil),
					"total": n.Total(), "ended": n.Ended, "soon": n.Soon, "quarter": n.Quarter, "issuer": n.Issuer}))
			}
			return nil
		})
	}
	return c
}

func (a *app) caRevoke(with within) *cobra.Command {
	var t kiosk.TakeBack
	var by string
	c := &cobra.Command{Use: "revoke SERIAL", Short: a.text("cli.ca.revoke", nil), Args: cobra.ExactArgs(1)}
	c.Flags().StringVar(&t.Reason, "reason", "unspecified", a.text("cli.flag.revoke_reason", nil))
	c.Flags().StringVar(&t.Why, "why", "", a.text("cli.flag.why", nil))
	c.Flags().StringVar(&by, "operator", "", a.text("cli.flag.operator", nil))
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, args []string) error {
			x, err := s.TakeBackCertificate(ctx, args[0], by, t)
			if err == nil {
				a.tellLine(x)
			}
			return err
		})
	}
	return c
}

func (a *app) caLift(with within) *cobra.Command {
	var by string
	c := &cobra.Command{Use: "lift SERIAL", Short: a.text("cli.ca.lift", nil), Args: cobra.ExactArgs(1), Annotations: map[string]string{"stdin": "password"}}
	c.Flags().StringVar(&by, "operator", "", a.text("cli.flag.operator", nil))
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, args []string) error {
			password, err := a.password()
			if err != nil {
				return err
			}
			x, err := s.LiftCertificate(ctx, args[0], by, password)
			if err != nil {
				return err
			}
			if x.State == kiosk.CertificateSuspended {
				fmt.Fprintln(a.out, a.text("cli.ca.second", locale.Args{"operator": x.LiftBy}))
			}
			a.tellLine(x)
			return nil
		})
	}
	return c
}

func (a *app) caLoss(with within) *cobra.Command {
	var by, why string
	c := &cobra.Command{Use: "loss CUSTOMER", Short: a.text("cli.ca.loss", nil), Args: cobra.ExactArgs(1)}
	c.Flags().StringVar(&why, "why", "", a.text("cli.flag.why", nil))
	c.Flags().StringVar(&by, "operator", "", a.text("cli.flag.operator", nil))
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, args []string) error {
			n, err := s.ReportLoss(ctx, args[0], by, why)
			if err == nil {
				fmt.Fprintln(a.out, a.text("cli.ca.lost", locale.Args{"n": n}))
			}
			return err
		})
	}
	return c
}

func (a *app) caStaff(with within) *cobra.Command {
	var request, to string
	c := &cobra.Command{Use: "staff USER", Short: a.text("cli.ca.staff", nil), Args: cobra.ExactArgs(1), Annotations: map[string]string{"stdin": "passphrase"}}
	c.Flags().StringVar(&request, "request", "", a.text("cli.flag.request", nil))
	c.Flags().StringVar(&to, "to", "", a.text("cli.flag.to", nil))
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, args []string) error {
			if to == "" {
				return fault.New(fault.Invalid, "cli.to", nil)
			}
			var csr []byte
			var passphrase string
			var err error
			if request != "" {
				csr, err = os.ReadFile(request)
			} else {
				passphrase, err = a.password()
			}
			if err != nil {
				return fmt.Errorf("read the request or passphrase: %w", err)
			}
			chain, file, err := s.IssueStaff(ctx, args[0], csr, passphrase)
			if err != nil {
				return err
			}
			if file == nil {
				file = chain
			}
			return os.WriteFile(to, file, 0o600)
		})
	}
	return c
}

// caRoot are the acts about the root's key, which may lie in a safe between them.
func (a *app) caRoot(with within) *cobra.Command {
	c := &cobra.Command{Use: "root", Short: a.text("cli.ca.root", nil)}
	var to, from string
	secret := func(use, text string, do func(ctx context.Context, s *service.Service, passphrase string) error) *cobra.Command {
		return &cobra.Command{Use: use, Short: a.text(text, nil), Args: cobra.NoArgs, Annotations: map[string]string{"stdin": "passphrase"}, RunE: func(cmd *cobra.Command, args []string) error {
			return with(cmd, args, func(ctx context.Context, s *service.Service, _ []string) error {
				passphrase, err := a.password()
				if err != nil {
					return err
				}
				return do(ctx, s, passphrase)
			})
		}}
	}
	export := secret("export", "cli.ca.root.export", func(ctx context.Context, s *service.Service, passphrase string) error {
		if to == "" {
			return fault.New(fault.Invalid, "cli.to", nil)
		}
		file, err := s.ExportRoot(ctx, passphrase)
		if err != nil {
			return err
		}
		return replaceFile(to, file)
	})
	export.Flags().StringVar(&to, "to", "", a.text("cli.flag.to", nil))
	read := func(do func(ctx context.Context, s *service.Service, file []byte, passphrase string) error) func(context.Context, *service.Service, string) error {
		return func(ctx context.Context, s *service.Service, passphrase string) error {
			file, err := readFile(from, 1<<20)
			if err != nil {
				return err
			}
			return do(ctx, s, file, passphrase)
		}
	}
	remove := secret("remove", "cli.ca.root.remove", read(func(ctx context.Context, s *service.Service, file []byte, passphrase string) error {
		return s.RemoveRoot(ctx, file, passphrase)
	}))
	bring := secret("import", "cli.ca.root.import", read(func(ctx context.Context, s *service.Service, file []byte, passphrase string) error {
		return s.ImportRoot(ctx, file, passphrase)
	}))
	for _, x := range []*cobra.Command{remove, bring} {
		x.Flags().StringVar(&from, "from", "", a.text("cli.flag.from_file", nil))
	}
	list := &cobra.Command{Use: "list", Short: a.text("cli.ca.root.list", nil), Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, _ []string) error { return s.PublishRoot(ctx) })
	}}
	issuing := &cobra.Command{Use: "issuing", Short: a.text("cli.ca.root.issuing", nil), Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, _ []string) error {
			name, err := s.NewIssuing(ctx)
			if err == nil {
				fmt.Fprintln(a.out, a.text("cli.ca.issuing", locale.Args{"name": strings.TrimSpace(name)}))
			}
			return err
		})
	}}
	c.AddCommand(export, remove, bring, list, issuing)
	return c
}
