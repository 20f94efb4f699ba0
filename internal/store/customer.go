package store

import (
	"encoding/hex"
	"sort"
	"strings"

	"countersign/kiosk"
)

// candidatesMax bounds how many records one search opens. The names that the counter searches are longer than one
// letter, so a hall of a hundred thousand customers stays far below it.
const candidatesMax = 500

// customerKey is the primary key: not even the customer code lies in clear.
func (t *tx) customerKey(id string) string { return hex.EncodeToString(t.index("customer code", id)) }

// Customer returns the customer with this code.
func (t *tx) Customer(id string) (*kiosk.Customer, error) {
	c := new(kiosk.Customer)
	rev, err := t.record("customers", c, "key = ?", t.customerKey(id))
	if err != nil {
		return nil, err
	}
	c.Rev = rev
	return c, nil
}

// FindCustomers answers a query; see kiosk.Customers. The result is in the order of the folded names.
func (t *tx) FindCustomers(q kiosk.Query) ([]*kiosk.Customer, error) {
	text := strings.TrimSpace(q.Text)
	if text == "" || q.Limit <= 0 {
		return nil, nil
	}
	unit := q.Unit + "\x00"
	number := [][]byte{t.index("exact", unit+exact(text))}
	if strings.Contains(text, "@") {
		number[0] = t.index("mail", unit+exactMail(text))
	}
	list, err := t.customersBy(q.Unit, number)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		query := words(text)
		if len(query) == 0 {
			return nil, nil
		}
		var names [][]byte
		for _, w := range query {
			names = append(names, t.index("name", unit+head(w, prefixMax)))
		}
		found, err := t.customersBy(q.Unit, names)
		if err != nil {
			return nil, err
		}
		for _, c := range found {
			if begins(c.Name, query) {
				list = append(list, c)
			}
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return fold(list[i].Name) < fold(list[j].Name) })
	return list[:min(len(list), q.Limit)], nil
}

// customersBy returns a unit's customers who have every one of the terms.
func (t *tx) customersBy(unit string, terms [][]byte) ([]*kiosk.Customer, error) {
	var where strings.Builder
	where.WriteString("unit = ?")
	args := []any{unit}
	for _, term := range terms {
		where.WriteString(" AND id IN (SELECT customer FROM customer_terms WHERE term_ix = ?)")
		args = append(args, term)
	}
	where.WriteString(" ORDER BY id LIMIT ?")
	return records(t, "customers", func(c *kiosk.Customer, rev int64) { c.Rev = rev },
		where.String(), append(args, candidatesMax)...)
}

// PutCustomer stores a customer and what it is found by; see kiosk.Customers.
func (t *tx) PutCustomer(c *kiosk.Customer) error {
	key := t.customerKey(c.ID)
	stored := *c
	stored.Rev = c.Rev + 1
	body, err := t.seal("customers", key, stored.Rev, &stored)
	if err != nil {
		return err
	}
	had := map[string]bool{}
	if c.Rev == 0 {
		_, err = t.exec("INSERT INTO customers (key, rev, unit, body) VALUES (?, ?, ?, ?)", key, stored.Rev, c.Unit, body)
		if isUnique(err) {
			return conflict("customers")
		}
	} else {
		old, failed := t.Customer(c.ID)
		if failed != nil {
			return failed
		}
		had = t.terms(old)
		var n int64
		n, err = t.exec("UPDATE customers SET rev = ?, unit = ?, body = ? WHERE key = ? AND rev = ?",
			stored.Rev, c.Unit, body, key, c.Rev)
		err = guarded("customers", n, err)
	}
	if err != nil {
		return err
	}
	if err := t.putTerms(key, had, t.terms(c)); err != nil {
		return err
	}
	c.Rev = stored.Rev
	return nil
}

// putTerms changes what a customer is found by from had to want.
func (t *tx) putTerms(key string, had, want map[string]bool) error {
	var id int64
	if err := t.one([]any{&id}, "SELECT id FROM customers WHERE key = ?", key); err != nil {
		return err
	}
	for term := range had {
		if want[term] {
			continue
		}
		if _, err := t.exec("DELETE FROM customer_terms WHERE term_ix = ? AND customer = ?", []byte(term), id); err != nil {
			return err
		}
	}
	for term := range want {
		if had[term] {
			continue
		}
		if _, err := t.exec("INSERT INTO customer_terms (term_ix, customer) VALUES (?, ?)", []byte(term), id); err != nil {
			return err
		}
	}
	return nil
}
