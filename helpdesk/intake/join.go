package intake

import (
	"slices"

	"countersign/helpdesk"
	"countersign/internal/fault"
	"countersign/mail"
)

// place is where a mail belongs: on a ticket, or nowhere yet with a ticket that it names or refers to.
type place struct {
	ticket *helpdesk.Ticket
	claims string
	awaits []string // Message-IDs to which it refers and that have not come
}

// refsMax is how many references of a mail are looked at, the newest first.
const refsMax = 20

// join finds the ticket of a mail. It joins only when both hold: it refers to something that only the ticket's
// correspondents have (a Message-ID of ours, our keyed reply address, or a Message-ID of the sender's own mail on the
// ticket), and its sender is proven and takes part in the ticket. With less it only claims the ticket.
func (f *filing) join(m *mail.Message, v mail.Verdict) (place, error) {
	var p place
	from, one := m.Sole()
	may := func(t *helpdesk.Ticket) bool { return one && v.Level.Proven() && t.Has(from.Addr) }
	try := func(key string) error {
		if p.ticket != nil {
			return nil
		}
		t, err := follow(f.tx, key)
		if missingRecord(err) {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case may(t) && !f.tooOld(t):
			p.ticket = t
		case p.claims == "":
			p.claims = t.Key
		}
		return nil
	}
	for _, to := range receivers(m, f.in.Envelope) {
		if key, ok := f.r.Secrets.ReplyTicket(to); ok {
			if err := try(key); err != nil {
				return p, err
			}
		}
	}
	for _, ref := range references(m) {
		at, err := f.tx.MailAt(ref)
		if missingRecord(err) {
			p.awaits = append(p.awaits, ref)
			continue
		}
		if err != nil {
			return p, err
		}
		if err := f.refers(at, from, try, &p); err != nil {
			return p, err
		}
	}
	if p.ticket == nil && m.MessageID != "" && v.Level.Proven() {
		waiting, err := f.tx.Awaited(m.MessageID)
		if err != nil {
			return p, err
		}
		for _, key := range waiting {
			if err := try(key); err != nil {
				return p, err
			}
		}
	}
	if p.claims == "" {
		p.claims = f.named(m)
	}
	return p, nil
}

// refers follows a Message-ID that is known. A mail that came counts only for who wrote it: its Message-ID may be known to
// everybody who had a copy.
func (f *filing) refers(at helpdesk.MailPlace, from mail.Address, try func(string) error, p *place) error {
	if at.Outgoing != "" {
		return try(at.Ticket)
	}
	msg, err := f.tx.Message(at.Message)
	if missingRecord(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if helpdesk.FoldAddress(msg.From.Address) == helpdesk.FoldAddress(from.Addr) && msg.Trust.Level.Proven() {
		return try(at.Ticket)
	}
	if p.claims == "" {
		p.claims = at.Ticket
	}
	return nil
}

// tooOld reports whether the ticket was closed so long ago that an answer is a new request.
func (f *filing) tooOld(t *helpdesk.Ticket) bool {
	return t.State == helpdesk.Closed && f.r.Limits.Reopen > 0 && f.now.Sub(t.ClosedAt) > f.r.Limits.Reopen
}

// receivers are the addresses to which a mail came.
func receivers(m *mail.Message, env helpdesk.Envelope) []string {
	var out []string
	for _, list := range [][]mail.Address{m.To, m.Cc} {
		for _, a := range list {
			out = append(out, a.Addr)
		}
	}
	return append(out, env.To)
}

// references are the Message-IDs to which a mail refers, the nearest first, each once.
func references(m *mail.Message) []string {
	var out []string
	add := func(id string) {
		if id != "" && len(out) < refsMax && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	for _, id := range m.InReplyTo {
		add(id)
	}
	for _, id := range slices.Backward(m.References) {
		add(id)
	}
	return out
}

// named returns the ticket whose serial stands in the subject, when there is one. It is only claimed: whoever counts can
// name a ticket.
func (f *filing) named(m *mail.Message) string {
	for _, name := range Serials(m.Subject) {
		s, err := helpdesk.ParseSerial(name)
		if err != nil {
			continue
		}
		key := f.r.Numbering.Format(s)
		if _, err := f.tx.Ticket(key); err == nil {
			return key
		}
	}
	return ""
}

// missingRecord reports whether an error says that something is not there.
func missingRecord(err error) bool { return err != nil && fault.KindOf(err) == fault.NotFound }
