package store

import (
	"strings"
	"time"

	"countersign/helpdesk"
)

func setTicketRev(v *helpdesk.Ticket, rev int64) { v.Rev = rev }

// ticketColumns are what lists of tickets are made by.
var ticketColumns = []string{"state", "rank", "weight", "channel", "province", "category", "agent", "incident", "unit_ix", "unread", "due", "created"}

// Ticket returns the ticket with this serial.
func (t *tx) Ticket(key string) (*helpdesk.Ticket, error) {
	v := new(helpdesk.Ticket)
	rev, err := t.record("tickets", v, "key = ?", key)
	if err != nil {
		return nil, err
	}
	v.Rev = rev
	return v, nil
}

// PutTicket stores a ticket and who takes part in it; see helpdesk.Tickets.
func (t *tx) PutTicket(v *helpdesk.Ticket) error {
	stored := *v
	stored.Rev++
	rev, err := t.putRow("tickets", v.Key, v.Rev, &stored, ticketColumns, string(v.State), int(v.Rank), v.Priority.Weight(),
		string(v.Channel), v.Route.Province, v.Category, v.Agent, v.Incident, t.indexOrNull("unit", v.Unit), v.Unread,
		nanos(v.Due), nanos(v.Created))
	if err != nil {
		return err
	}
	for _, p := range v.Participants {
		if _, err := t.exec("INSERT INTO ticket_people (address_ix, ticket) VALUES (?, ?) ON CONFLICT DO NOTHING",
			t.person(p.Address), v.Key); err != nil {
			return err
		}
	}
	v.Rev = rev
	return nil
}

// person is the blind index of an address.
func (t *tx) person(address string) []byte {
	return t.index("mail", helpdesk.FoldAddress(address))
}

// condition is the WHERE of a queue without its order. The states are written out, or SQLite would not see that they are
// those of its index.
func (t *tx) condition(q helpdesk.Queue) (string, []any) {
	states := q.States
	if len(states) == 0 {
		states = helpdesk.InWork
	}
	quoted := make([]string, len(states))
	for i, s := range states {
		quoted[i] = "'" + strings.ReplaceAll(string(s), "'", "") + "'"
	}
	where, args := "state IN ("+strings.Join(quoted, ", ")+")", []any{}
	add := func(cond string, value any) {
		where += " AND " + cond
		args = append(args, value)
	}
	if q.Province != "" {
		add("province = ?", q.Province)
	}
	if q.Category != "" {
		add("category = ?", q.Category)
	}
	switch q.Agent {
	case "":
	case "-":
		add("agent = ?", "")
	default:
		add("agent = ?", q.Agent)
	}
	if q.Unit != "" {
		add("unit_ix = ?", t.index("unit", q.Unit))
	}
	if q.Incident != "" {
		add("incident = ?", q.Incident)
	}
	if q.Unread {
		where += " AND unread > 0"
	}
	return where, args
}

const queueOrder = " ORDER BY rank, weight DESC, due = 0, due, created LIMIT ?"

// Queue lists tickets in the order of the queue: what is overdue, then the others.
func (t *tx) Queue(q helpdesk.Queue, now time.Time) ([]*helpdesk.Ticket, error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	where, args := t.condition(q)
	list, err := records(t, "tickets", setTicketRev, where+" AND due > 0 AND due < ?"+queueOrder, append(args, nanos(now), q.Limit)...)
	if err != nil || q.Overdue || len(list) == q.Limit {
		return list, err
	}
	rest, err := records(t, "tickets", setTicketRev, where+" AND (due = 0 OR due >= ?)"+queueOrder,
		append(args, nanos(now), q.Limit-len(list))...)
	return append(list, rest...), err
}

// CountQueue counts what Queue would list.
func (t *tx) CountQueue(q helpdesk.Queue, now time.Time) (n int, err error) {
	where, args := t.condition(q)
	if q.Overdue {
		where, args = where+" AND due > 0 AND due < ?", append(args, nanos(now))
	}
	err = t.one([]any{&n}, "SELECT count(*) FROM tickets WHERE "+where, args...)
	return n, err
}

// TicketsOf lists the tickets of an address, newest first.
func (t *tx) TicketsOf(address string, limit int) ([]*helpdesk.Ticket, error) {
	return records(t, "tickets", setTicketRev,
		"key IN (SELECT ticket FROM ticket_people WHERE address_ix = ?) ORDER BY created DESC, id DESC LIMIT ?", t.person(address), limit)
}

// TicketsBetween visits the tickets made in [from, to), oldest first.
func (t *tx) TicketsBetween(from, to time.Time, visit func(*helpdesk.Ticket) error) error {
	return t.each(func(scan func(...any) error) error {
		var key string
		var rev int64
		var body []byte
		if err := scan(&key, &rev, &body); err != nil {
			return err
		}
		v := new(helpdesk.Ticket)
		if err := t.unseal("tickets", key, rev, body, v); err != nil {
			return err
		}
		v.Rev = rev
		return visit(v)
	}, "SELECT key, rev, body FROM tickets WHERE created >= ? AND created < ? ORDER BY created, id", nanos(from), nanos(to))
}

// ForgetPerson removes an address from what tickets are found by.
func (t *tx) ForgetPerson(address string) error {
	_, err := t.exec("DELETE FROM ticket_people WHERE address_ix = ?", t.person(address))
	return err
}
