package store

import (
	"time"

	"countersign/signing/otp"
)

// Challenge returns the confirmation with this id.
func (t *tx) Challenge(id string) (*otp.Challenge, error) {
	c := new(otp.Challenge)
	if _, err := t.record("challenges", c, "key = ?", id); err != nil {
		return nil, err
	}
	return c, nil
}

// PutChallenge stores a new challenge, or one that the domain has changed once since it was read. The domain counts
// c.Rev up by one with every change, so of two parallel answers the second no longer finds what it was read from and is
// refused (store.conflict), also when both are the same right answer.
func (t *tx) PutChallenge(c *otp.Challenge) error {
	body, err := t.seal("challenges", c.ID, c.Rev, c)
	if err != nil {
		return err
	}
	account := t.index("account", c.Account)
	n, err := t.exec("UPDATE challenges SET rev = ?, account_ix = ?, issued = ?, body = ? WHERE key = ? AND rev = ?",
		c.Rev, account, nanos(c.Issued), body, c.ID, c.Rev-1)
	if err != nil || n > 0 {
		return err
	}
	_, err = t.exec("INSERT INTO challenges (key, rev, account_ix, issued, body) VALUES (?, ?, ?, ?, ?)",
		c.ID, c.Rev, account, nanos(c.Issued), body)
	if isUnique(err) {
		return conflict("challenges")
	}
	return err
}

// ChallengesOf lists an account's challenges issued since a moment, oldest first.
func (t *tx) ChallengesOf(account string, since time.Time) ([]*otp.Challenge, error) {
	return records(t, "challenges", func(*otp.Challenge, int64) {},
		"account_ix = ? AND issued >= ? ORDER BY issued, key", t.index("account", account), nanos(since))
}
