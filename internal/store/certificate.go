package store

import (
	"strings"

	"countersign/kiosk"
)

// Certificate returns the line of the register for a certificate's SHA-256 in hex.
func (t *tx) Certificate(sha256 string) (*kiosk.Certificate, error) {
	c := new(kiosk.Certificate)
	rev, err := t.record("certificates", c, "key = ?", sha256)
	if err != nil {
		return nil, err
	}
	c.Rev = rev
	return c, nil
}

// PutCertificate inserts a line whose Rev is 0, or replaces the one whose Rev is still c.Rev.
func (t *tx) PutCertificate(c *kiosk.Certificate) error {
	stored := *c
	stored.Rev = c.Rev + 1
	body, err := t.seal("certificates", c.SHA256, stored.Rev, &stored)
	if err != nil {
		return err
	}
	customer := t.indexOrNull("customer code", c.Customer)
	if c.Rev == 0 {
		_, err = t.exec(`INSERT INTO certificates (key, rev, serial, issuer, class, unit, state, issued, ends, customer_ix, body)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, c.SHA256, stored.Rev, c.Serial, c.Issuer, string(c.Class), c.Unit, string(c.State),
			nanos(c.From), nanos(c.Until), customer, body)
		if isUnique(err) {
			return conflict("certificates")
		}
	} else {
		var n int64
		n, err = t.exec("UPDATE certificates SET rev = ?, state = ?, customer_ix = ?, body = ? WHERE key = ? AND rev = ?",
			stored.Rev, string(c.State), customer, body, c.SHA256, c.Rev)
		err = guarded("certificates", n, err)
	}
	if err != nil {
		return err
	}
	c.Rev = stored.Rev
	return nil
}

// Certificates lists lines of the register, those that were issued first before the others.
func (t *tx) Certificates(q kiosk.CertificateQuery) ([]*kiosk.Certificate, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(condition string, value any) {
		where, args = append(where, condition), append(args, value)
	}
	for _, c := range []struct{ column, value string }{{"serial", q.Serial}, {"class", string(q.Class)}, {"issuer", q.Issuer}, {"state", string(q.State)}} {
		if c.value != "" {
			add(c.column+" = ?", c.value)
		}
	}
	if q.Customer != "" {
		add("customer_ix = ?", t.index("customer code", q.Customer))
	}
	if !q.EndsBy.IsZero() {
		add("ends < ?", nanos(q.EndsBy))
	}
	order := strings.Join(where, " AND ") + " ORDER BY issued, key"
	if q.Limit > 0 {
		order += " LIMIT ?"
		args = append(args, q.Limit)
	}
	return records(t, "certificates", func(c *kiosk.Certificate, rev int64) { c.Rev = rev }, order, args...)
}

// TakenBack lists the lines of an authority that are suspended or revoked.
func (t *tx) TakenBack(issuer string) ([]*kiosk.Certificate, error) {
	return records(t, "certificates", func(c *kiosk.Certificate, rev int64) { c.Rev = rev },
		"issuer = ? AND state IN ('suspended', 'revoked') ORDER BY issued, key", issuer)
}
