package config

import (
	"net"
	"strconv"
	"strings"

	"countersign/internal/fault"
)

// Helpdesk is how the support team is known.
type Helpdesk struct {
	Mailbox      string   `koanf:"mailbox" doc:"The official address: the only one that our support mails come from. Empty: there is no helpdesk."`
	Name         string   `koanf:"name" doc:"Name of the team, as its mails show it."`
	Hotline      string   `koanf:"hotline" doc:"The switchboard's number, as every mail shows it."`
	Domains      []string `koanf:"domains" doc:"Domains from which staff write. Empty: the mailbox's own."`
	AuthServID   string   `koanf:"authserv_id" doc:"Name by which our own border signs its Authentication-Results; results under other names are not believed. Empty: SPF, DKIM and DMARC are checked here."`
	DNS          string   `koanf:"dns" doc:"Name server (host:port) for checks of our own; system is the machine's. Empty: nothing is asked, and what the border does not vouch for is unproven."`
	DKIMSelector string   `koanf:"dkim_selector" doc:"Selector of our DKIM key, which the server makes; admin helpdesk dns prints the record to publish. Empty: the border's server signs."`
	LMTPListen   string   `koanf:"lmtp_listen" doc:"Address and port on which our own mail server may hand mails over by LMTP. Empty: none."`
	SecurityMail string   `koanf:"security_mail" doc:"Address of the security officer, who is told of every report of an impostor. Empty: only the log tells."`
	LeadMail     string   `koanf:"lead_mail" doc:"Address that is told of overdue requests. Empty: only the log tells."`
	SMTPListen   string   `koanf:"smtp_listen" doc:"The same by SMTP."`
}

// Mailbox is one source of support mail.
type Mailbox struct {
	Name         string `koanf:"name" doc:"Name in the records; it must stay the same, or all mails are looked at again."`
	Kind         string `koanf:"kind" doc:"imap, or directory for a Maildir or a spool of one file a mail."`
	Addr         string `koanf:"addr" doc:"Host and port of the IMAP server."`
	TLS          string `koanf:"tls" doc:"starttls, tls, or none for a server on this machine."`
	User         string `koanf:"user" doc:"Name at the IMAP server."`
	PasswordFile string `koanf:"password_file" is:"path" doc:"File with the password, or with the access token that another program renews; no other user may read it."`
	OAuth        bool   `koanf:"oauth" doc:"The file holds an access token (XOAUTH2)."`
	CAFile       string `koanf:"ca_file" is:"path" doc:"Certificates in PEM that vouch for the server. Empty: the machine's."`
	Folder       string `koanf:"folder" doc:"Folder of the mailbox. Empty: INBOX."`
	After        string `koanf:"after" doc:"What is done on the server to a mail that is kept here: leave, flag, or move."`
	MoveTo       string `koanf:"move_to" doc:"Folder to move to."`
	Path         string `koanf:"path" is:"path" doc:"The directory."`
	Remove       bool   `koanf:"remove" doc:"Kept mails of a spool are removed instead of moved into its folder kept."`
}

// checkHelpdesk refuses a helpdesk that could fetch but not answer, and mailboxes that can't be read.
func (c *Config) checkHelpdesk() error {
	h := &c.Helpdesk
	if h.Mailbox == "" {
		if len(c.Mailboxes) > 0 || h.LMTPListen != "" || h.SMTPListen != "" {
			return wrong("helpdesk.mailbox", "", "hotro@kbnn.example")
		}
		return nil
	}
	switch {
	case strings.Count(h.Mailbox, "@") != 1:
		return wrong("helpdesk.mailbox", h.Mailbox, "hotro@kbnn.example")
	case h.Name == "":
		return wrong("helpdesk.name", "", "Tổ hỗ trợ")
	case h.Hotline == "":
		return wrong("helpdesk.hotline", "", "024 0000 0000")
	case c.Mail.Addr == "":
		return wrong("mail.addr", "", "mail.kbnn.example:587")
	}
	for key, listen := range map[string]string{"helpdesk.lmtp_listen": h.LMTPListen, "helpdesk.smtp_listen": h.SMTPListen} {
		if _, _, err := net.SplitHostPort(listen); listen != "" && err != nil {
			return wrong(key, listen, "127.0.0.1:8724")
		}
	}
	for key, address := range map[string]string{"helpdesk.security_mail": h.SecurityMail, "helpdesk.lead_mail": h.LeadMail} {
		if address != "" && strings.Count(address, "@") != 1 {
			return wrong(key, address, "anninh@kbnn.example")
		}
	}
	seen := map[string]bool{}
	for i, m := range c.Mailboxes {
		key := "mailboxes[" + strconv.Itoa(i+1) + "]."
		if m.Name == "" {
			return wrong(key+"name", "", "hotro")
		}
		if seen[m.Name] {
			return fault.New(fault.Invalid, "config.twice", fault.Args{"key": key + "name", "value": m.Name})
		}
		seen[m.Name] = true
		if err := m.check(key); err != nil {
			return err
		}
	}
	return nil
}

func (m *Mailbox) check(key string) error {
	_, _, badAddr := net.SplitHostPort(m.Addr)
	switch {
	case m.Kind == "directory" && m.Path == "":
		return wrong(key+"path", "", "/var/mail/hotro")
	case m.Kind == "directory":
		return nil
	case m.Kind != "imap":
		return wrong(key+"kind", m.Kind, "imap")
	case badAddr != nil:
		return wrong(key+"addr", m.Addr, "mail.kbnn.example:993")
	case m.TLS != "tls" && m.TLS != "starttls" && m.TLS != "none":
		return wrong(key+"tls", m.TLS, "tls")
	case m.User == "" || m.PasswordFile == "":
		return wrong(key+"password_file", m.PasswordFile, "hotro.password")
	case m.After != "" && m.After != "leave" && m.After != "flag" && m.After != "move":
		return wrong(key+"after", m.After, "flag")
	case m.After == "move" && m.MoveTo == "":
		return wrong(key+"move_to", "", "Done")
	}
	return nil
}
