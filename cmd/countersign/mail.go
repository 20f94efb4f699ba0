package main

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"countersign/helpdesk/intake"
	"countersign/internal/clock"
	"countersign/internal/tui"
	"countersign/mail"
	"countersign/mail/auth"
	"countersign/mail/message"
	"countersign/mail/smime"
	"countersign/services"
	"countersign/signing/verify"
)

// maxMail bounds what mail inspect reads; the parser's own gate is lower.
const maxMail = 64 << 20

// inspectFlags are what a stranger's mail can be held against.
type inspectFlags struct {
	json   bool
	trust  []string
	server string
	own    []string
	dns    string
}

func (a *app) mail() *cobra.Command {
	c := &cobra.Command{Use: "mail", Short: a.text("cli.mail", nil)}
	var f inspectFlags
	inspect := &cobra.Command{Use: "inspect FILE.eml|-", Short: a.text("cli.mail.inspect", nil), Args: cobra.ExactArgs(1)}
	inspect.Flags().BoolVar(&f.json, "json", false, a.text("cli.flag.json", nil))
	inspect.Flags().StringArrayVar(&f.trust, "trust", nil, a.text("cli.flag.trust", nil))
	inspect.Flags().StringVar(&f.server, "authserv-id", "", a.text("cli.flag.authserv", nil))
	inspect.Flags().StringArrayVar(&f.own, "own", nil, a.text("cli.flag.own", nil))
	inspect.Flags().StringVar(&f.dns, "dns", "", a.text("cli.flag.dns", nil))
	inspect.RunE = func(c *cobra.Command, args []string) error {
		raw, err := a.readMail(args[0])
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
		in := i.Inspect(c.Context(), raw, auth.Envelope{}, clock.System{}.Now())
		r := reportMail(in, intake.Decide(in, i.Auth.Own))
		if f.json {
			enc := json.NewEncoder(a.out)
			enc.SetIndent("", "  ")
			enc.SetEscapeHTML(false)
			if err := enc.Encode(r); err != nil {
				return err
			}
		} else {
			a.showMail(in, r)
		}
		if in.Mail.Kind == mail.KindUnreadable {
			return exit(3)
		}
		return nil
	}
	c.AddCommand(inspect)
	return c
}

// readMail reads at most a little more than any parser takes, so that a huge file ends as one that is too big.
func (a *app) readMail(name string) ([]byte, error) {
	in := a.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, maxMail))
}

// inspector is set up from the built-in tables and the flags.
func inspector(f inspectFlags) (*intake.Inspector, error) {
	offices, err := intake.LoadOffices(services.Files)
	if err != nil {
		return nil, err
	}
	house, err := intake.LoadHouse(services.Helpdesk)
	if err != nil {
		return nil, err
	}
	i := &intake.Inspector{Limits: message.Default(), Offices: offices, Queues: house.Queues}
	i.Auth = auth.Policy{AuthServID: f.server, Hops: 1, Own: house.Domains, Names: house.Names}
	if len(f.own) > 0 {
		i.Auth.Own = f.own
	}
	if f.dns != "" {
		i.Auth.Resolver = auth.NewDNS(strings.TrimPrefix(f.dns, "system"), 5*time.Second)
	}
	if len(f.trust) > 0 {
		roots := verify.Policy{}
		i.SMIME = smime.Policy{Roots: x509.NewCertPool()}
		for _, name := range f.trust {
			if err := addRoots(&roots, name); err != nil {
				return nil, err
			}
		}
		for _, l := range append(roots.Lists, verify.List{Roots: roots.Roots}) {
			for _, c := range l.Roots {
				i.SMIME.Roots.AddCert(c)
			}
		}
	}
	return i, nil
}

// officialMailbox is the one of the built-in table.
func officialMailbox() (string, error) {
	house, err := intake.LoadHouse(services.Helpdesk)
	if err != nil {
		return "", err
	}
	return house.Mailbox, nil
}

// mailReport is what mail inspect prints for scripts: a stable form.
type mailReport struct {
	Kind        mail.Kind        `json:"kind"`
	From        string           `json:"from"`
	Subject     string           `json:"subject"`
	MessageID   string           `json:"message_id"`
	Date        string           `json:"date"` // RFC 3339, or ""
	Text        string           `json:"text"`
	Attachments []mailAttachment `json:"attachments"`
	Bounce      []mailBounce     `json:"bounce"`
	Routing     mailRouting      `json:"routing"`
	Auth        mailAuth         `json:"auth"`
	SMIME       mailSMIME        `json:"smime"`
	Decision    intake.Decision  `json:"decision"`
	Original    string           `json:"original_message_id,omitempty"` // that a report is about
	Unreadable  string           `json:"unreadable,omitempty"`
	Defects     []string         `json:"defects"`
}

type mailAttachment struct {
	Name   string   `json:"name"`
	Type   string   `json:"type"`
	Size   int64    `json:"size"`
	SHA256 string   `json:"sha256"`
	Tricks []string `json:"tricks,omitempty"`
}

type mailBounce struct {
	Recipient string `json:"recipient"`
	Status    string `json:"status"`
	Action    string `json:"action"`
}

type mailRouting struct {
	Code     string `json:"code"`
	Province string `json:"province"` // its name
	Queue    string `json:"queue"`
	Problem  string `json:"problem"`
}

type mailAuth struct {
	DKIM    mail.Result `json:"dkim"`
	SPF     mail.Result `json:"spf"`
	DMARC   mail.Result `json:"dmarc"`
	Level   mail.Level  `json:"level"`
	Reasons []string    `json:"reasons"`
}

type mailSMIME struct {
	Status      mail.SMIMEStatus `json:"status"`
	Signer      string           `json:"signer"`
	MatchesFrom bool             `json:"matches_from"`
	Trusted     bool             `json:"trusted"`
	Reasons     []string         `json:"reasons"`
}

func reportMail(in intake.Inspection, d intake.Decision) mailReport {
	m, v := in.Mail, in.Verdict
	r := mailReport{Kind: m.Kind, Subject: m.Subject, MessageID: m.MessageID, Text: m.Text, Decision: d, Original: m.OriginalID, Unreadable: m.Unreadable,
		Attachments: []mailAttachment{}, Bounce: []mailBounce{}, Defects: []string{}}
	var from []string
	for _, a := range m.From {
		from = append(from, a.String())
	}
	r.From = strings.Join(from, ", ")
	if !m.Date.IsZero() {
		r.Date = m.Date.Format(time.RFC3339)
	}
	for _, x := range m.Attachments {
		r.Attachments = append(r.Attachments, mailAttachment{x.Name, x.Type, x.Size, x.SHA256, x.Tricks})
	}
	for _, b := range m.Bounces {
		r.Bounce = append(r.Bounce, mailBounce{b.Recipient, b.Status, b.Action})
	}
	for _, x := range m.Defects {
		r.Defects = append(r.Defects, strings.TrimSuffix(x.Word+": "+x.Where, ": "))
	}
	r.Routing = mailRouting{in.Routing.Code, in.Routing.Name, in.Routing.Queue, in.Routing.Problem}
	r.Auth = mailAuth{v.DKIM, v.SPF, v.DMARC, v.Level, codes(v.Reasons)}
	r.SMIME = mailSMIME{v.SMIME.Status, v.SMIME.Signer, v.SMIME.MatchesFrom, v.SMIME.Trusted, codes(v.SMIME.Reasons)}
	return r
}

func codes(list []mail.Reason) []string {
	out := []string{}
	for _, r := range list {
		out = append(out, r.Code)
	}
	return out
}

// showMail prints the report for people. Everything from the mail passes the terminal's sanitiser.
func (a *app) showMail(in intake.Inspection, r mailReport) {
	row := func(label, value string) {
		if value != "" {
			fmt.Fprintf(a.out, "%s: %s\n", a.text("mail.label."+label, nil), tui.Sanitize(value))
		}
	}
	row("kind", a.text("mail.kind."+string(r.Kind), nil))
	row("from", r.From)
	row("subject", r.Subject)
	row("date", r.Date)
	for _, x := range r.Attachments {
		row("attachment", fmt.Sprintf("%s (%s, %d)", x.Name, x.Type, x.Size))
	}
	for _, b := range r.Bounce {
		row("bounce", fmt.Sprintf("%s: %s, %s", b.Recipient, a.text("mail.action."+b.Action, nil), b.Status))
	}
	route := strings.TrimSpace(r.Routing.Code + " " + r.Routing.Province + " " + r.Routing.Queue)
	if r.Routing.Problem != "" {
		route = strings.TrimSpace(route + " (" + a.text("mail.reason.subject_"+r.Routing.Problem, nil) + ")")
	}
	row("routing", route)
	row("sender", a.text("mail.level."+string(r.Auth.Level), nil)+fmt.Sprintf(" (DKIM %s, SPF %s, DMARC %s)", r.Auth.DKIM, r.Auth.SPF, r.Auth.DMARC))
	signature := a.text("mail.smime."+string(r.SMIME.Status), nil)
	if r.SMIME.Signer != "" {
		signature += ": " + r.SMIME.Signer
	}
	row("smime", signature)
	row("decision", a.text("mail.decision."+string(r.Decision.Action), nil))
	said := map[string]bool{}
	for _, list := range [][]string{r.Decision.Reasons, r.Auth.Reasons, r.SMIME.Reasons} {
		for _, code := range list {
			if !said[code] {
				fmt.Fprintf(a.out, "  - %s\n", a.text("mail.reason."+code, nil))
			}
			said[code] = true
		}
	}
	if in.Mail.Text != "" {
		fmt.Fprintln(a.out)
		for l := range strings.SplitSeq(in.Mail.Text, "\n") {
			fmt.Fprintln(a.out, tui.Sanitize(l))
		}
	}
}
