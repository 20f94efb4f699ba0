package store

import (
	"errors"
	"time"

	"countersign/kiosk"
)

func setOrderRev(o *kiosk.Order, rev int64) { o.Rev = rev }

func (t *tx) order(where string, args ...any) (*kiosk.Order, error) {
	o := new(kiosk.Order)
	rev, err := t.record("orders", o, where, args...)
	if err != nil {
		return nil, err
	}
	o.Rev = rev
	return o, nil
}

// Order returns the order with this key.
func (t *tx) Order(key string) (*kiosk.Order, error) { return t.order("key = ?", key) }

// OrderByNumber returns the order with this number.
func (t *tx) OrderByNumber(number string) (*kiosk.Order, error) {
	return t.order("number = ?", number)
}

// OrderByVerifyCode returns the order whose document carries this code.
func (t *tx) OrderByVerifyCode(code string) (*kiosk.Order, error) {
	return t.order("verify_ix = ?", t.index("verify code", code))
}

// PutOrder stores an order; see kiosk.Orders.
func (t *tx) PutOrder(o *kiosk.Order) error {
	stored := *o
	stored.Rev = o.Rev + 1
	body, err := t.seal("orders", o.Key, stored.Rev, &stored)
	if err != nil {
		return err
	}
	number, customer := textOrNull(o.Number), t.indexOrNull("customer code", o.Customer)
	verify := t.indexOrNull("verify code", o.Document.VerifyCode)
	if o.Rev == 0 {
		_, err = t.exec(`INSERT INTO orders (key, rev, number, unit, counter, service, state, customer_ix, verify_ix, created, body)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, o.Key, stored.Rev, number, o.Unit, o.Counter, o.Service,
			string(o.State), customer, verify, nanos(o.Created), body)
		if isUnique(err) {
			return conflict("orders")
		}
	} else {
		var n int64
		n, err = t.exec(`UPDATE orders SET rev = ?, number = ?, unit = ?, counter = ?, service = ?, state = ?,
			customer_ix = ?, verify_ix = ?, created = ?, body = ? WHERE key = ? AND rev = ?`, stored.Rev, number, o.Unit,
			o.Counter, o.Service, string(o.State), customer, verify, nanos(o.Created), body, o.Key, o.Rev)
		if isUnique(err) {
			return conflict("orders")
		}
		err = guarded("orders", n, err)
	}
	if err != nil {
		return err
	}
	o.Rev = stored.Rev
	return nil
}

// draw counts a series of one unit and day up by one.
func (t *tx) draw(series, unit, day string) (int, error) {
	var n int
	if err := t.check(true); err != nil {
		return 0, err
	}
	err := t.one([]any{&n}, `INSERT INTO series (name, unit, day, last) VALUES (?, ?, ?, 1)
		ON CONFLICT (name, unit, day) DO UPDATE SET last = series.last + 1 RETURNING last`, series, unit, day)
	return n, err
}

// NextNumber draws the next order number of a unit's day.
func (t *tx) NextNumber(unit, day string) (int, error) { return t.draw("order", unit, day) }

// OpenOrders lists a unit's orders that are neither closed nor cancelled, oldest first.
func (t *tx) OpenOrders(unit string) ([]*kiosk.Order, error) {
	return records(t, "orders", setOrderRev,
		"unit = ? AND state NOT IN ('closed', 'cancelled') ORDER BY created, key", unit)
}

// OpenOrdersOf lists a customer's orders that are neither closed nor cancelled, oldest first.
func (t *tx) OpenOrdersOf(customer string) ([]*kiosk.Order, error) {
	return records(t, "orders", setOrderRev,
		"customer_ix = ? AND state NOT IN ('closed', 'cancelled') ORDER BY created, key", t.index("customer code", customer))
}

// ListOrders lists a unit's orders created in [from, to), newest first.
func (t *tx) ListOrders(unit string, from, to time.Time, limit int) ([]*kiosk.Order, error) {
	if limit <= 0 {
		return nil, errors.New("list orders: a limit is needed")
	}
	return records(t, "orders", setOrderRev,
		"unit = ? AND created >= ? AND created < ? ORDER BY created DESC, key DESC LIMIT ?", unit, nanos(from), nanos(to), limit)
}

// LastOrder returns the customer's latest finished order of a service, of any service when it is "".
func (t *tx) LastOrder(customer, service string) (*kiosk.Order, error) {
	return t.order(`customer_ix = ? AND state IN ('sealed', 'closed') AND (service = ? OR ? = '')
		ORDER BY created DESC, key DESC LIMIT 1`, t.index("customer code", customer), service, service)
}
