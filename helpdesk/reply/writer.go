package reply

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"strings"
	"time"

	"countersign/helpdesk"
	"countersign/internal/clock"
	"countersign/mail/message"
	"countersign/mail/smime"
)

// Identities gives the key and certificates with which an agent signs; "" is the desk itself, for automatic mails. The
// certificate names the official mailbox as its address and the agent as its holder: who sees a valid signature sees which
// of us wrote.
type Identities interface {
	Identity(agent string) (smime.Identity, error)
}

// Sealer signs a finished mail for its domain (DKIM) and checks that signature as a receiver would.
type Sealer interface {
	Seal(raw []byte) ([]byte, error)
	Check(raw []byte) error
}

// Writer makes the bytes of our mails.
type Writer struct {
	House      House
	Secrets    *helpdesk.Secrets
	Identities Identities
	Roots      *x509.CertPool // of the house's CA: what the mails are verified with before they leave
	Sealer     Sealer         // nil: no DKIM signature, where the border's own server makes it
	Clock      clock.Clock
	Rand       io.Reader
}

// Write makes a mail and reads it back. What it returns was parsed, its signature verified, and its sender, receiver,
// Message-ID and check code compared; otherwise nothing leaves. With the bytes come the words that were composed.
func (w *Writer) Write(o *helpdesk.Outgoing, author *helpdesk.Agent, first bool) (raw []byte, text Text, err error) {
	if !o.Auto() {
		if err := Refuse(o.Subject + "\n" + o.Text); err != nil {
			return nil, text, err
		}
	}
	text = Compose(w.House, w.Secrets, o, author, first)
	raw, err = w.build(o, author, text)
	return raw, text, err
}

func (w *Writer) build(o *helpdesk.Outgoing, author *helpdesk.Agent, text Text) ([]byte, error) {
	raw, err := message.Build(message.Mail{
		From: mail.Address{Name: w.sender(author), Address: w.House.Mailbox}, To: mail.Address{Address: o.To.Address},
		Subject: text.Subject, Date: o.Created, MessageID: o.MailID, Text: text.Body,
		Auto: o.Auto(), Answer: o.Form == helpdesk.Receipt || o.Form == helpdesk.Answer, ReplyTo: o.ReplyTo, Parents: usable(o.Parents),
	})
	if err != nil {
		return nil, fmt.Errorf("write mail %s: %w", o.Key, err)
	}
	id, err := w.Identities.Identity(o.Author)
	if err != nil {
		return nil, fmt.Errorf("open the signing key for mail %s: %w", o.Key, err)
	}
	now := w.Clock.Now()
	if raw, err = smime.Sign(raw, id, w.Rand, now); err != nil {
		return nil, fmt.Errorf("sign mail %s: %w", o.Key, err)
	}
	if w.Sealer != nil {
		if raw, err = w.Sealer.Seal(raw); err != nil {
			return nil, fmt.Errorf("sign mail %s for the domain: %w", o.Key, err)
		}
	}
	if err := w.check(raw, o, text.Code, now); err != nil {
		return nil, fmt.Errorf("mail %s does not hold when it is read back: %w", o.Key, err)
	}
	return raw, nil
}

// sender is the name beside the official mailbox: the agent's, so that a reader sees a person and the house.
func (w *Writer) sender(author *helpdesk.Agent) string {
	if author == nil {
		return w.House.Name
	}
	return author.FullName + ", " + w.House.Name
}

// usable leaves out ids of foreign mails that can't stand in a header; threads hold without them.
func usable(ids []string) (out []string) {
	for _, id := range ids {
		ok := id != "" && len(id) < 250 && !strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '<' || r == '>' })
		if ok {
			out = append(out, id)
		}
	}
	return out
}

// check reads a mail as its receiver would.
func (w *Writer) check(raw []byte, o *helpdesk.Outgoing, code string, now time.Time) error {
	m := message.Parse(raw, message.Limits{})
	from, ok := m.Sole()
	switch {
	case m.Unreadable != "":
		return fmt.Errorf("it is unreadable: %s", m.Unreadable)
	case !ok || from.Addr != w.House.Mailbox:
		return errors.New("its sender is not the official mailbox")
	case len(m.To) != 1 || m.To[0].Addr != o.To.Address || len(m.Cc) > 0:
		return errors.New("its receiver is another one")
	case m.MessageID != o.MailID:
		return errors.New("its Message-ID is another one")
	case !strings.Contains(m.Text, code):
		return errors.New("its check code is missing")
	case o.Auto() != m.Automatic():
		return errors.New("it does not say rightly whether a program made it")
	}
	if s := smime.Inspect(m, smime.Policy{Roots: w.Roots, At: now}); !s.Proves() {
		return fmt.Errorf("its S/MIME signature is %s (%v)", s.Status, s.Reasons)
	}
	if w.Sealer != nil {
		return w.Sealer.Check(raw)
	}
	return nil
}

// From is the return path of a mail: an automatic mail has none, so that nothing can bounce it back and forth.
func (w *Writer) From(o *helpdesk.Outgoing) string {
	if o.Auto() {
		return ""
	}
	return w.House.Mailbox
}
