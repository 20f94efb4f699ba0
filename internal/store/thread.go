package store

import (
	"countersign/helpdesk"
)

func setMessageRev(v *helpdesk.Message, rev int64) { v.Rev = rev }

// Message returns one entry of a thread.
func (t *tx) Message(key string) (*helpdesk.Message, error) {
	v := new(helpdesk.Message)
	rev, err := t.record("messages", v, "key = ?", key)
	if err != nil {
		return nil, err
	}
	v.Rev = rev
	return v, nil
}

// PutMessage stores an entry of a thread; see helpdesk.Messages.
func (t *tx) PutMessage(v *helpdesk.Message) error {
	stored := *v
	stored.Rev++
	rev, err := t.putRow("messages", v.Key, v.Rev, &stored, []string{"at"}, nanos(v.At))
	if err != nil {
		return err
	}
	if v.MailID != "" {
		if _, err := t.exec("INSERT INTO mail_ids (ix, ticket, message, outgoing) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
			t.index("message id", v.MailID), v.Ticket, v.Key, v.Outgoing); err != nil {
			return err
		}
	}
	v.Rev = rev
	return nil
}

// Thread lists a ticket's entries in order. Keys with more than four digits sort behind by their length.
func (t *tx) Thread(ticket string) ([]*helpdesk.Message, error) {
	return records(t, "messages", setMessageRev, "key >= ? AND key < ? ORDER BY length(key), key", ticket+"/", ticket+"0")
}

// MailAt returns where a Message-ID leads.
func (t *tx) MailAt(mailID string) (helpdesk.MailPlace, error) { return t.mailPlace(mailID) }

// Move lets a Message-ID lead to another place.
func (t *tx) Move(mailID string, to helpdesk.MailPlace) error {
	n, err := t.exec("UPDATE mail_ids SET ticket = ?, message = ?, outgoing = ? WHERE ix = ?", to.Ticket, to.Message, to.Outgoing,
		t.index("message id", mailID))
	if err == nil && n == 0 {
		err = notFound("mail_ids")
	}
	return err
}

// Await remembers that a ticket refers to a Message-ID that has not come.
func (t *tx) Await(mailID, ticket string) error {
	_, err := t.exec("INSERT INTO mail_ids_awaited (ix, ticket) VALUES (?, ?) ON CONFLICT DO NOTHING", t.index("message id", mailID), ticket)
	return err
}

// Awaited lists the tickets that refer to a Message-ID.
func (t *tx) Awaited(mailID string) (tickets []string, err error) {
	err = t.each(func(scan func(...any) error) error {
		var key string
		err := scan(&key)
		tickets = append(tickets, key)
		return err
	}, "SELECT ticket FROM mail_ids_awaited WHERE ix = ? ORDER BY ticket LIMIT 20", t.index("message id", mailID))
	return tickets, err
}
