package store

import "countersign/kiosk"

// User returns the member of staff with this login name.
func (t *tx) User(name string) (*kiosk.User, error) {
	u := new(kiosk.User)
	rev, err := t.record("users", u, "key = ?", name)
	if err != nil {
		return nil, err
	}
	u.Rev = rev
	return u, nil
}

// Users lists the staff by login name.
func (t *tx) Users() ([]*kiosk.User, error) {
	return records(t, "users", func(u *kiosk.User, rev int64) { u.Rev = rev }, "1 = 1 ORDER BY key")
}

// PutUser inserts a user whose Rev is 0, or replaces the one whose Rev is still u.Rev.
func (t *tx) PutUser(u *kiosk.User) error {
	stored := *u
	stored.Rev = u.Rev + 1
	body, err := t.seal("users", u.Name, stored.Rev, &stored)
	if err != nil {
		return err
	}
	if u.Rev == 0 {
		_, err = t.exec("INSERT INTO users (key, rev, body) VALUES (?, ?, ?)", u.Name, stored.Rev, body)
		if isUnique(err) {
			return conflict("users")
		}
	} else {
		var n int64
		n, err = t.exec("UPDATE users SET rev = ?, body = ? WHERE key = ? AND rev = ?", stored.Rev, body, u.Name, u.Rev)
		err = guarded("users", n, err)
	}
	if err != nil {
		return err
	}
	u.Rev = stored.Rev
	return nil
}

func (t *tx) session(where string, args ...any) (*kiosk.Session, error) {
	s := new(kiosk.Session)
	if _, err := t.record("sessions", s, where, args...); err != nil {
		return nil, err
	}
	return s, nil
}

// Session returns the session whose token has this hash.
func (t *tx) Session(tokenSHA256 string) (*kiosk.Session, error) {
	return t.session("key = ?", tokenSHA256)
}

// CounterSession returns the clerk's newest session at a counter.
func (t *tx) CounterSession(unit, counter string) (*kiosk.Session, error) {
	return t.session("unit = ? AND counter = ? AND kind = 'clerk' ORDER BY opened DESC, key DESC LIMIT 1", unit, counter)
}

// PutSession inserts or replaces a session.
func (t *tx) PutSession(s *kiosk.Session) error {
	rev, err := t.revOf("sessions", s.TokenSHA256)
	if err != nil {
		return err
	}
	body, err := t.seal("sessions", s.TokenSHA256, rev+1, s)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO sessions (key, rev, kind, unit, counter, opened, body) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET rev = excluded.rev, kind = excluded.kind, unit = excluded.unit,
		counter = excluded.counter, opened = excluded.opened, body = excluded.body`,
		s.TokenSHA256, rev+1, s.Kind, s.Unit, s.Counter, nanos(s.Opened), body)
	return err
}

// DeleteDisplays ends the pairing of a counter's screens.
func (t *tx) DeleteDisplays(unit, counter string) error {
	_, err := t.exec("DELETE FROM sessions WHERE unit = ? AND counter = ? AND kind = 'display'", unit, counter)
	return err
}

// DeleteSession ends a session; one that is not there is no failure.
func (t *tx) DeleteSession(tokenSHA256 string) error {
	_, err := t.exec("DELETE FROM sessions WHERE key = ?", tokenSHA256)
	return err
}
