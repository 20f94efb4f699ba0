package intake

import (
	"context"
	"strings"
	"time"

	"countersign/mail"
	"countersign/mail/auth"
	"countersign/mail/message"
	"countersign/mail/smime"
)

// Inspection is what a mail's bytes say, before any record is asked.
type Inspection struct {
	Mail    *mail.Message
	Verdict mail.Verdict
	Routing Routing
	Check   Check // for kind authenticity_check that names a ticket
}

// Inspector reads mails. It asks no record and changes nothing.
type Inspector struct {
	Limits  message.Limits
	Auth    auth.Policy
	SMIME   smime.Policy // At is set for each mail
	Offices *Offices
	Queues  []string // DVC
}

// Inspect reads one mail that was received at the given time.
func (i *Inspector) Inspect(ctx context.Context, raw []byte, e auth.Envelope, at time.Time) Inspection {
	m := message.Parse(raw, i.Limits)
	policy := i.SMIME
	policy.At = at
	out := Inspection{Mail: m}
	out.Verdict = auth.Judge(ctx, m, i.Auth, e, smime.Inspect(m, policy))
	out.Routing = ParseSubject(m.Subject, i.Offices, i.Queues, at)
	if m.Kind == mail.KindRequest || m.Kind == mail.KindReply {
		if check, ok := AskedCheck(m); ok {
			m.Kind, out.Check = mail.KindAuthenticityCheck, check
		} else if i.forwardedAsOurs(m) {
			m.Kind = mail.KindAuthenticityCheck
		}
	}
	return out
}

// forwardedAsOurs reports whether somebody attached a mail that says that it is from us: a question whether it is.
func (i *Inspector) forwardedAsOurs(m *mail.Message) bool {
	for _, inner := range m.Enclosed {
		for _, a := range append(append([]mail.Address{}, inner.From...), inner.Sender...) {
			for _, own := range i.Auth.Own {
				if auth.Imitates(a.Domain(), own) || strings.EqualFold(a.Domain(), own) || strings.HasSuffix(strings.ToLower(a.Domain()), "."+strings.ToLower(own)) {
					return true
				}
			}
		}
	}
	return false
}
