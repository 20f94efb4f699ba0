package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"strings"
	"time"

	"countersign/internal/config"
	"countersign/internal/fault"
	"countersign/internal/service"
	"countersign/mail/auth"
	"countersign/mail/fetch"
)

// helpdeskOptions turns the configuration into what the helpdesk needs.
func helpdeskOptions(cfg *config.Config, o *service.Options) error {
	h := cfg.Helpdesk
	if h.Mailbox == "" {
		return nil
	}
	o.Desk = service.DeskOptions{Address: h.Mailbox, Name: h.Name, Hotline: h.Hotline, Domains: h.Domains, AuthServID: h.AuthServID,
		Security: h.SecurityMail, Lead: h.LeadMail,
		Mail: service.MailOptions{Server: o.Mail, Selector: h.DKIMSelector}}
	if h.DNS != "" {
		o.Desk.Resolver = auth.NewDNS(strings.TrimPrefix(h.DNS, "system"), 5*time.Second)
	}
	for _, m := range cfg.Mailboxes {
		if m.Kind == "directory" {
			o.Desk.Mail.Dirs = append(o.Desk.Mail.Dirs, fetch.Dir{Name: m.Name, Path: m.Path, Remove: m.Remove})
			continue
		}
		one, err := imapOf(m)
		if err != nil {
			return err
		}
		o.Desk.Mail.IMAP = append(o.Desk.Mail.IMAP, one)
	}
	return nil
}

func imapOf(m config.Mailbox) (fetch.IMAP, error) {
	out := fetch.IMAP{Name: m.Name, Addr: m.Addr, TLS: m.TLS, User: m.User, OAuth: m.OAuth, Folder: m.Folder, After: fetch.After(m.After), MoveTo: m.MoveTo}
	// The file is read for each connection: a token is renewed in it while we run.
	out.Secret = func(context.Context) (string, error) {
		secret, err := config.Secret(m.PasswordFile)
		return string(secret), err
	}
	if _, err := config.Secret(m.PasswordFile); err != nil {
		return out, err
	}
	if m.CAFile != "" {
		pem, err := os.ReadFile(m.CAFile)
		roots := x509.NewCertPool()
		if err != nil || !roots.AppendCertsFromPEM(pem) {
			return out, fault.Wrap(err, fault.Invalid, "config.value", fault.Args{"key": "mailboxes.ca_file", "have": m.CAFile, "want": "ca.pem"})
		}
		out.Config = &tls.Config{RootCAs: roots}
	}
	return out, nil
}

// listenForMail opens the addresses on which our own mail server hands mails over, so that a port that is taken ends the
// start and not a delivery.
func listenForMail(cfg *config.Config, o *service.MailOptions) error {
	_, host, _ := strings.Cut(cfg.Helpdesk.Mailbox, "@")
	for _, at := range []struct {
		addr string
		lmtp bool
	}{{cfg.Helpdesk.LMTPListen, true}, {cfg.Helpdesk.SMTPListen, false}} {
		if at.addr == "" {
			continue
		}
		on, err := net.Listen("tcp", at.addr)
		if err != nil {
			return fault.Wrap(err, fault.Unavailable, "cli.listen", fault.Args{"address": at.addr})
		}
		o.Listeners = append(o.Listeners, service.MailListener{On: on, Listener: fetch.Listener{Hello: host, LMTP: at.lmtp,
			Mailboxes: map[string]string{strings.ToLower(cfg.Helpdesk.Mailbox): "handed"}}})
	}
	return nil
}
