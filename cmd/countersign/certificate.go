package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"countersign/internal/api"
	"countersign/internal/config"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/kiosk"
)

// certificate is the registration of customers' certificates at the counter, for scripts and until there is a screen.
func (a *app) certificate() *cobra.Command {
	f := scriptFlags{certificates: true}
	c := &cobra.Command{Use: "certificate", Short: a.text("cli.certificate", nil)}
	f.register(a, c)
	c.AddCommand(a.enrol(&f), a.testCertificate(&f), a.reportLoss(&f))
	var customer string
	list := a.script("list", cobra.NoArgs, &f, func(ctx context.Context, clerk *api.Clerk, _ []string) error {
		rows, err := clerk.Certificates(ctx, customer)
		if err != nil {
			return err
		}
		if f.asJSON {
			return a.json(rows)
		}
		for _, r := range rows {
			fmt.Fprintf(a.out, "%s  %-10s %-10s %s  %s  %s\n", r.SHA256, r.Class, a.text("certificate.state."+string(r.State), nil), r.Until, r.Customer, r.Issuer)
		}
		return nil
	})
	list.Flags().StringVar(&customer, "customer", "", a.text("cli.flag.of_customer", nil))
	c.AddCommand(list)
	return c
}

// enrol scans the customer's card, which stands on standard input, and asks for the certificate. The chain or the key's
// file goes to --to, the challenge to standard output.
func (a *app) enrol(f *scriptFlags) *cobra.Command {
	var request, passphrase, to, approver, approverPassword string
	var compared bool
	c := a.script("enrol", cobra.NoArgs, f, func(ctx context.Context, clerk *api.Clerk, _ []string) error {
		if to == "" {
			return fault.New(fault.Invalid, "cli.to", nil)
		}
		r := kiosk.EnrolRequest{Compared: compared, Approver: approver}
		var err error
		if request != "" {
			if r.Request, err = readFile(request, 64<<10); err != nil {
				return err
			}
		} else if r.Passphrase, err = secretText(passphrase); err != nil {
			return err
		}
		if approver != "" {
			if r.ApproverPassword, err = secretText(approverPassword); err != nil {
				return err
			}
		}
		scan, err := io.ReadAll(io.LimitReader(a.in, 4096))
		if err != nil {
			return fmt.Errorf("read the card: %w", err)
		}
		visit, err := clerk.ScanVisit(ctx, "", strings.TrimSpace(string(scan)))
		if err != nil {
			return err
		}
		r.Visit = visit.Visit.Key
		out, err := clerk.Enrol(ctx, r)
		if err != nil {
			return err
		}
		data := out.File
		if data == nil {
			data = out.Chain
		}
		if err := replaceFile(to, data); err != nil {
			return err
		}
		if f.asJSON {
			out.File = nil // it is in its own file
			return a.json(out)
		}
		fmt.Fprintln(a.out, a.text("cli.certificate.issued", locale.Args{"sha256": out.SHA256, "state": a.text("certificate.state."+string(out.State), nil), "file": to}))
		return nil
	})
	c.Flags().StringVar(&request, "request", "", a.text("cli.flag.request", nil))
	c.Flags().StringVar(&passphrase, "passphrase-file", "", a.text("cli.flag.passphrase_file", nil))
	c.Flags().StringVar(&to, "to", "", a.text("cli.flag.to", nil))
	c.Flags().BoolVar(&compared, "compared", false, a.text("cli.flag.compared", nil))
	c.Flags().StringVar(&approver, "approver", "", a.text("cli.flag.approver", nil))
	c.Flags().StringVar(&approverPassword, "approver-password-file", "", a.text("cli.flag.approver_password", nil))
	return c
}

func secretText(file string) (string, error) {
	secret, err := config.Secret(file)
	return string(secret), err
}

func (a *app) testCertificate(f *scriptFlags) *cobra.Command {
	var signature string
	c := a.script("test SHA256", cobra.ExactArgs(1), f, func(ctx context.Context, clerk *api.Clerk, args []string) error {
		data, err := readFile(signature, 64<<10)
		if err != nil {
			return err
		}
		out, err := clerk.TestCertificate(ctx, args[0], data)
		if err != nil {
			return err
		}
		fmt.Fprintln(a.out, a.text("certificate.state."+string(out.State), nil))
		return nil
	})
	c.Flags().StringVar(&signature, "signature", "", a.text("cli.flag.signature", nil))
	return c
}

func (a *app) reportLoss(f *scriptFlags) *cobra.Command {
	var why string
	c := a.script("loss CUSTOMER", cobra.ExactArgs(1), f, func(ctx context.Context, clerk *api.Clerk, args []string) error {
		n, err := clerk.ReportLoss(ctx, args[0], why)
		if err == nil {
			fmt.Fprintln(a.out, a.text("cli.ca.lost", locale.Args{"n": n}))
		}
		return err
	})
	c.Flags().StringVar(&why, "why", "", a.text("cli.flag.why", nil))
	return c
}
