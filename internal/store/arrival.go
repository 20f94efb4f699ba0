package store

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"countersign/helpdesk"
)

// pieceMax is the greatest piece of a mail that is sealed at once.
const pieceMax = 1 << 20

func arrivalKey(id int64) string { return fmt.Sprintf("%012d", id) }

// PutArrival stores a mail that came, with its bytes, once; see helpdesk.Intakes.
func (t *tx) PutArrival(a helpdesk.Arrival) (id int64, fresh bool, err error) {
	if a.UIDValidity == 0 && a.UID == 0 {
		// A directory or a listener has no places: each mail gets the next one, and is known by its bytes.
		var last sql.NullInt64
		if err := t.one([]any{&last}, "SELECT max(uid) FROM arrival_places WHERE mailbox = ? AND uidvalidity = 0", a.Mailbox); err != nil {
			return 0, false, err
		}
		a.UID = uint32(last.Int64) + 1
	}
	err = t.one([]any{&id}, "SELECT arrival FROM arrival_places WHERE mailbox = ? AND uidvalidity = ? AND uid = ?",
		a.Mailbox, a.UIDValidity, a.UID)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, false, err
	}
	sum := sha256.Sum256(a.Raw)
	digest := hex.EncodeToString(sum[:])
	content := t.index("mail content", digest)
	err = t.one([]any{&id}, "SELECT id FROM arrivals WHERE content_ix = ?", content)
	again := err == nil
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, false, err
	}
	now := t.store.clock.Now()
	if !again {
		if id, err = t.newArrival(a, digest, content, now); err != nil {
			return 0, false, err
		}
	}
	_, err = t.exec("INSERT INTO arrival_places (mailbox, uidvalidity, uid, arrival, again, at) VALUES (?, ?, ?, ?, ?, ?)",
		a.Mailbox, a.UIDValidity, a.UID, id, again, nanos(now))
	return id, !again, err
}

func (t *tx) newArrival(a helpdesk.Arrival, digest string, content []byte, now time.Time) (int64, error) {
	var last sql.NullInt64
	if err := t.one([]any{&last}, "SELECT max(id) FROM arrivals"); err != nil {
		return 0, err
	}
	in := helpdesk.Intake{ID: last.Int64 + 1, Rev: 1, Fate: helpdesk.Pending, Mailbox: a.Mailbox, At: now,
		Size: max(a.Whole, int64(len(a.Raw))), Cut: a.Whole > int64(len(a.Raw)), SHA256: digest, Envelope: a.Envelope}
	body, err := t.seal("arrivals", arrivalKey(in.ID), 1, &in)
	if err != nil {
		return 0, err
	}
	if _, err := t.exec("INSERT INTO arrivals (id, key, rev, fate, at, content_ix, body) VALUES (?, ?, 1, ?, ?, ?, ?)",
		in.ID, arrivalKey(in.ID), string(in.Fate), nanos(now), content, body); err != nil {
		return 0, err
	}
	return in.ID, t.putBytes(arrivalKey(in.ID), a.Raw)
}

// putBytes stores the bytes of a mail in pieces, each sealed under its own name.
func (t *tx) putBytes(name string, raw []byte) error {
	for i := 0; i == 0 || len(raw) > 0; i++ {
		piece := raw[:min(len(raw), pieceMax)]
		raw = raw[len(piece):]
		key := fmt.Sprintf("%s/%04d", name, i)
		body, err := t.store.vault.Seal(recordID("mail_bytes", key, 1), piece)
		if err != nil {
			return err
		}
		if _, err := t.exec("INSERT INTO mail_bytes (key, rev, body) VALUES (?, 1, ?)", key, body); err != nil {
			if isUnique(err) {
				return conflict("mail_bytes")
			}
			return err
		}
	}
	return nil
}

// bytesOf reads the bytes of a mail back.
func (t *tx) bytesOf(name string) ([]byte, error) {
	var raw []byte
	found := false
	err := t.each(func(scan func(...any) error) error {
		var key string
		var rev int64
		var body sql.RawBytes
		if err := scan(&key, &rev, &body); err != nil {
			return err
		}
		piece, err := t.store.vault.Open(recordID("mail_bytes", key, rev), body)
		if err != nil {
			return err
		}
		if !found {
			raw, found = piece, true
		} else {
			raw = append(raw, piece...)
		}
		return nil
	}, "SELECT key, rev, body FROM mail_bytes WHERE key >= ? AND key < ? ORDER BY key", name+"/", name+"0")
	if err == nil && !found {
		err = notFound("mail_bytes")
	}
	return raw, err
}

// Raw returns the bytes of a mail that came.
func (t *tx) Raw(id int64) ([]byte, error) { return t.bytesOf(arrivalKey(id)) }

// EraseRaw removes the bytes of a mail that came.
func (t *tx) EraseRaw(id int64) error { return t.eraseBytes(arrivalKey(id)) }

func (t *tx) eraseBytes(name string) error {
	_, err := t.exec("DELETE FROM mail_bytes WHERE key >= ? AND key < ?", name+"/", name+"0")
	return err
}

func setIntakeRev(in *helpdesk.Intake, rev int64) { in.Rev = rev }

// Intake returns the record of a mail that came.
func (t *tx) Intake(id int64) (*helpdesk.Intake, error) {
	in := new(helpdesk.Intake)
	rev, err := t.record("arrivals", in, "id = ?", id)
	if err != nil {
		return nil, err
	}
	in.Rev = rev
	return in, nil
}

// PutIntake replaces the record of a mail that came.
func (t *tx) PutIntake(in *helpdesk.Intake) error {
	rev := in.Rev
	if rev == 0 {
		return errors.New("put an arrival: PutArrival makes them")
	}
	stored := *in
	stored.Rev++
	next, err := t.putRow("arrivals", arrivalKey(in.ID), rev, &stored, []string{"fate"}, string(in.Fate))
	if err == nil {
		in.Rev = next
	}
	return err
}

// Pending lists the arrivals that were not read yet.
func (t *tx) Pending(after int64, limit int) ([]*helpdesk.Intake, error) {
	return records(t, "arrivals", setIntakeRev, "fate = ? AND id > ? ORDER BY id LIMIT ?", string(helpdesk.Pending), after, limit)
}

// IntakesOf lists the arrivals of a fate, newest first.
func (t *tx) IntakesOf(fate helpdesk.Fate, limit int) ([]*helpdesk.Intake, error) {
	return records(t, "arrivals", setIntakeRev, "fate = ? ORDER BY id DESC LIMIT ?", string(fate), limit)
}

// Fates counts the arrivals since a moment.
func (t *tx) Fates(since time.Time) (map[helpdesk.Fate]int, error) {
	out := map[helpdesk.Fate]int{}
	count := func(scan func(...any) error) error {
		var fate string
		var n int
		err := scan(&fate, &n)
		out[helpdesk.Fate(fate)] += n
		return err
	}
	if err := t.each(count, "SELECT fate, count(*) FROM arrivals WHERE at >= ? GROUP BY fate", nanos(since)); err != nil {
		return nil, err
	}
	err := t.each(count, "SELECT ?, count(*) FROM arrival_places WHERE again = 1 AND at >= ?", string(helpdesk.Duplicate), nanos(since))
	return out, err
}

// Same remembers what makes a mail that mail.
func (t *tx) Same(identity string, id int64) (int64, error) {
	ix := t.index("mail identity", identity)
	if _, err := t.exec("INSERT INTO mail_identities (ix, arrival) VALUES (?, ?) ON CONFLICT DO NOTHING", ix, id); err != nil {
		return 0, err
	}
	var first int64
	err := t.one([]any{&first}, "SELECT arrival FROM mail_identities WHERE ix = ?", ix)
	return first, err
}

// Spend counts one use of a budget. A clock that was set back does not open a new window.
func (t *tx) Spend(budget string, window time.Duration, now time.Time) (int, error) {
	if err := t.check(true); err != nil {
		return 0, err
	}
	var used int
	err := t.one([]any{&used}, `INSERT INTO budgets (ix, starts, used) VALUES (?, ?, 1) ON CONFLICT (ix) DO UPDATE SET
		used = CASE WHEN excluded.starts > budgets.starts THEN 1 ELSE budgets.used + 1 END,
		starts = max(budgets.starts, excluded.starts) RETURNING used`,
		t.index("budget", budget), nanos(now.Truncate(window)))
	return used, err
}

// Spent returns how much of a budget was used in the present window.
func (t *tx) Spent(budget string, window time.Duration, now time.Time) (int, error) {
	var starts int64
	var used int
	err := t.one([]any{&starts, &used}, "SELECT starts, used FROM budgets WHERE ix = ?", t.index("budget", budget))
	if errors.Is(err, sql.ErrNoRows) || err == nil && starts < nanos(now.Truncate(window)) {
		return 0, nil
	}
	return used, err
}
