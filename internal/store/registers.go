package store

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"countersign/helpdesk"
	"countersign/internal/fault"
)

func registerKey(register, name string) string { return register + "/" + name }

// Entry reads a record of one of the desk's registers.
func (t *tx) Entry(register, name string, v any) (int64, error) {
	return t.record("registers", v, "key = ?", registerKey(register, name))
}

// PutEntry stores a record of a register; see helpdesk.Registers.
func (t *tx) PutEntry(register, name, group string, at time.Time, rev int64, v any) (int64, error) {
	if register == "" || name == "" {
		return rev, errors.New("put a record: register and name are needed")
	}
	return t.putRow("registers", registerKey(register, name), rev, v, []string{"register", "group_ix", "at"},
		register, t.indexOrNull("register "+register, group), nanos(at))
}

// Entries visits the records of a register; see helpdesk.Registers.
func (t *tx) Entries(register, group string, from, to time.Time,
	visit func(name string, rev int64, read func(v any) error) (bool, error)) error {
	where, args := "register = ?", []any{register}
	if group != "" {
		where, args = where+" AND group_ix = ?", append(args, t.index("register "+register, group))
	}
	if !from.IsZero() {
		where, args = where+" AND at >= ?", append(args, nanos(from))
	}
	if !to.IsZero() {
		where, args = where+" AND at < ?", append(args, nanos(to))
	}
	err := t.each(func(scan func(...any) error) error {
		var key string
		var rev int64
		var body []byte
		if err := scan(&key, &rev, &body); err != nil {
			return err
		}
		more, err := visit(key[len(register)+1:], rev, func(v any) error { return t.unseal("registers", key, rev, body, v) })
		if err == nil && !more {
			err = errEnough
		}
		return err
	}, "SELECT key, rev, body FROM registers WHERE "+where+" ORDER BY at DESC, key DESC", args...)
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// errEnough ends a list whose reader has what it wanted.
var errEnough = errors.New("enough")

// CountEntries counts the records of a register's group.
func (t *tx) CountEntries(register, group string) (n int, err error) {
	if group == "" {
		err = t.one([]any{&n}, "SELECT count(*) FROM registers WHERE register = ?", register)
		return n, err
	}
	err = t.one([]any{&n}, "SELECT count(*) FROM registers WHERE register = ? AND group_ix = ?", register, t.index("register "+register, group))
	return n, err
}

// DeleteEntry removes a record; one that is not there is no failure.
func (t *tx) DeleteEntry(register, name string) error {
	_, err := t.exec("DELETE FROM registers WHERE key = ?", registerKey(register, name))
	return err
}

// NextEntry counts a register's numbers up by one.
func (t *tx) NextEntry(register string) (int64, error) {
	n, err := t.draw("register "+register, "", "")
	return int64(n), err
}

// mailboxRegister is the register of the sources of mail.
const mailboxRegister = "mailbox"

// Mailbox returns how far a source was read.
func (t *tx) Mailbox(name string) (*helpdesk.Mailbox, error) {
	m := &helpdesk.Mailbox{Name: name}
	rev, err := t.Entry(mailboxRegister, name, m)
	if fault.Is(err, "store.not_found") {
		return m, nil
	}
	m.Rev = rev
	return m, err
}

// PutMailbox stores how far a source was read.
func (t *tx) PutMailbox(m *helpdesk.Mailbox) error {
	rev, err := t.PutEntry(mailboxRegister, m.Name, "", m.Good, m.Rev, m)
	if err == nil {
		m.Rev = rev
	}
	return err
}

// Mailboxes lists the sources of mail.
func (t *tx) Mailboxes() ([]*helpdesk.Mailbox, error) {
	var list []*helpdesk.Mailbox
	err := t.Entries(mailboxRegister, "", time.Time{}, time.Time{}, func(_ string, rev int64, read func(any) error) (bool, error) {
		m := new(helpdesk.Mailbox)
		if err := read(m); err != nil {
			return false, fmt.Errorf("read a source of mail: %w", err)
		}
		m.Rev = rev
		list = append(list, m)
		return true, nil
	})
	return list, err
}

// mailPlace reads one row of mail_ids.
func (t *tx) mailPlace(mailID string) (p helpdesk.MailPlace, err error) {
	err = t.one([]any{&p.Ticket, &p.Message, &p.Outgoing}, "SELECT ticket, message, outgoing FROM mail_ids WHERE ix = ?",
		t.index("message id", mailID))
	if errors.Is(err, sql.ErrNoRows) {
		return p, notFound("mail_ids")
	}
	return p, err
}
