package store

import (
	"time"

	"countersign/helpdesk"
)

func setOutgoingRev(v *helpdesk.Outgoing, rev int64) { v.Rev = rev }

// Outgoing returns a mail of ours.
func (t *tx) Outgoing(key string) (*helpdesk.Outgoing, error) {
	v := new(helpdesk.Outgoing)
	rev, err := t.record("outgoings", v, "key = ?", key)
	if err != nil {
		return nil, err
	}
	v.Rev = rev
	return v, nil
}

// PutOutgoing stores a mail of ours; its Message-ID leads to its ticket from the first time on.
func (t *tx) PutOutgoing(v *helpdesk.Outgoing) error {
	stored := *v
	stored.Rev++
	rev, err := t.putRow("outgoings", v.Key, v.Rev, &stored, []string{"ticket", "state", "created"}, v.Ticket, string(v.State), nanos(v.Created))
	if err != nil {
		return err
	}
	if v.Rev == 0 && v.MailID != "" {
		if _, err := t.exec("INSERT INTO mail_ids (ix, ticket, message, outgoing) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
			t.index("message id", v.MailID), v.Ticket, v.Message, v.Key); err != nil {
			return err
		}
	}
	v.Rev = rev
	return nil
}

// OutgoingsOf lists a ticket's mails, oldest first.
func (t *tx) OutgoingsOf(ticket string) ([]*helpdesk.Outgoing, error) {
	return records(t, "outgoings", setOutgoingRev, "ticket = ? ORDER BY id", ticket)
}

// OutgoingsIn lists the mails in a state, oldest first.
func (t *tx) OutgoingsIn(state helpdesk.OutState, limit int) ([]*helpdesk.Outgoing, error) {
	return records(t, "outgoings", setOutgoingRev, "state = ? ORDER BY created, id LIMIT ?", string(state), limit)
}

// CountOutgoings counts the mails made since a moment by state.
func (t *tx) CountOutgoings(since time.Time) (map[helpdesk.OutState]int, error) {
	out := map[helpdesk.OutState]int{}
	err := t.each(func(scan func(...any) error) error {
		var state string
		var n int
		err := scan(&state, &n)
		out[helpdesk.OutState(state)] = n
		return err
	}, "SELECT state, count(*) FROM outgoings WHERE created >= ? GROUP BY state", nanos(since))
	return out, err
}

// PutBytes keeps the bytes of a mail of ours, once.
func (t *tx) PutBytes(outgoing string, raw []byte) error {
	return t.putBytes("out/"+outgoing, raw)
}

// Bytes returns the bytes of a mail of ours.
func (t *tx) Bytes(outgoing string) ([]byte, error) { return t.bytesOf("out/" + outgoing) }

// EraseBytes removes the bytes of a mail of ours.
func (t *tx) EraseBytes(outgoing string) error { return t.eraseBytes("out/" + outgoing) }
