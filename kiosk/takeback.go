package kiosk

import (
	"context"
	"crypto/x509"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"countersign/internal/fault"
	"countersign/signing/ca"
)

// TakeBack says why a certificate is taken back.
type TakeBack struct {
	Reason string // a name of ca.Reasons; "hold" refuses it for the time being only
	Why    string // what was said, for whoever looks at it later
}

// Denied reports whether a certificate may not be used here: it was taken back, or not proved usable yet, or it says that
// it is the house's and nobody issued it. It is asked at every use, and answers from the register itself: what was reported
// a moment ago counts. An error means that nobody knows, and refuses as well.
func (h *Hall) Denied(ctx context.Context, c *x509.Certificate) (bool, error) {
	denied := false
	err := h.Store.View(ctx, func(tx Tx) error {
		line, err := tx.Certificate(fingerprint(c))
		if fault.KindOf(err) == fault.NotFound {
			_, denied = ca.ReadMark(c)
			return nil
		}
		if err != nil {
			return err
		}
		denied = line.State != CertificateActive
		return nil
	})
	return denied || err != nil, err
}

// TakenBack reports whether a certificate is in the register and may not be used. Unlike Denied it says nothing against one
// that the register does not know.
func (h *Hall) TakenBack(ctx context.Context, c *x509.Certificate) (bool, error) {
	taken := false
	err := h.Store.View(ctx, func(tx Tx) error {
		line, err := tx.Certificate(fingerprint(c))
		if fault.KindOf(err) == fault.NotFound {
			return nil
		}
		taken = err == nil && line.State != CertificateActive
		return err
	})
	return taken || err != nil, err
}

// TakeBackCertificate refuses a certificate from now on: revoked for good, or suspended. One of others can only be suspended here;
// its own authority must revoke it. The sessions of the member of staff whose it is end. It may be called again to turn a
// suspension into a revocation. Its faults are certificate.reason, certificate.why, certificate.state.
func (h *Hall) TakeBackCertificate(ctx context.Context, a Actor, sha256 string, t TakeBack) (*Certificate, error) {
	reason, ok := ca.Reasons()[t.Reason]
	if !ok {
		return nil, fault.New(fault.Invalid, "certificate.reason", fault.Args{"reason": t.Reason, "known": strings.Join(slices.Sorted(maps.Keys(ca.Reasons())), ", ")})
	}
	if strings.TrimSpace(t.Why) == "" {
		return nil, fault.New(fault.Invalid, "certificate.why", nil)
	}
	var out *Certificate
	err := h.Store.Update(ctx, func(tx Tx) error {
		c, err := h.ownLine(tx, a, sha256)
		if err != nil {
			return err
		}
		out = c
		return h.takeBack(tx, a, c, reason, t.Why)
	})
	if err != nil {
		return nil, err
	}
	h.tookBack()
	return out, nil
}

func (h *Hall) takeBack(tx Tx, a Actor, c *Certificate, reason int, why string) error {
	state := CertificateRevoked
	if reason == ca.Hold || c.Class == ClassOutside {
		state = CertificateSuspended
	}
	if c.State == CertificateRevoked || c.State == state {
		return fault.New(fault.Conflict, "certificate.state", fault.Args{"state": "@certificate.state." + string(c.State)})
	}
	now := h.Clock.Now()
	if c.State != CertificateSuspended {
		c.TakenAt = now // a suspension that becomes a revocation counts from its beginning
	}
	c.State, c.Reason, c.Why, c.TakenBy, c.LiftBy, c.Proof = state, reason, why, a.User.Name, "", nil
	if err := tx.PutCertificate(c); err != nil {
		return err
	}
	if err := endSessions(tx, c, now); err != nil {
		return err
	}
	_, err := tx.Append(h.entry(a, "certificate."+map[CertificateState]string{CertificateRevoked: "revoke", CertificateSuspended: "suspend"}[state],
		c.Serial, facts{"class": string(c.Class), "reason": strconv.Itoa(reason)}))
	return err
}

// ReportLoss refuses every certificate of a customer at once, because somebody told the counter that key or token is gone:
// those of the house are revoked, those of others suspended here. It returns how many there were.
func (h *Hall) ReportLoss(ctx context.Context, a Actor, customer, why string) (int, error) {
	if strings.TrimSpace(why) == "" {
		return 0, fault.New(fault.Invalid, "certificate.why", nil)
	}
	n := 0
	err := h.Store.Update(ctx, func(tx Tx) error {
		n = 0
		c, err := tx.Customer(customer)
		if err != nil {
			return err
		}
		if a.Unit != "" && c.Unit != a.Unit {
			return fault.New(fault.NotFound, "store.not_found", nil)
		}
		lines, err := tx.Certificates(CertificateQuery{Customer: customer})
		if err != nil {
			return err
		}
		for _, line := range lines {
			if line.State == CertificateRevoked || line.Class == ClassOutside && line.State == CertificateSuspended {
				continue
			}
			if err := h.takeBack(tx, a, line, ca.Reasons()["key_compromise"], why); err != nil {
				return err
			}
			n++
		}
		_, err = tx.Append(h.entry(a, "certificate.loss", "customer", facts{"certificates": strconv.Itoa(n)}))
		return err
	})
	if err == nil && n > 0 {
		h.tookBack()
	}
	return n, err
}

// LiftCertificate ends a suspension. It takes two operators: the first call notes who asks, a second one by somebody else does it.
func (h *Hall) LiftCertificate(ctx context.Context, a Actor, sha256 string) (*Certificate, error) {
	var out *Certificate
	err := h.Store.Update(ctx, func(tx Tx) error {
		c, err := h.ownLine(tx, a, sha256)
		if err != nil {
			return err
		}
		out = c
		act := "certificate.lift_asked"
		switch {
		case c.State != CertificateSuspended:
			return fault.New(fault.Conflict, "certificate.state", fault.Args{"state": "@certificate.state." + string(c.State)})
		case c.LiftBy == a.User.Name:
			return fault.New(fault.Forbidden, "certificate.same_person", nil)
		case c.LiftBy == "":
			c.LiftBy = a.User.Name
		default:
			act = "certificate.lift"
			c.State, c.Reason = CertificateActive, -1
		}
		if err := tx.PutCertificate(c); err != nil {
			return err
		}
		_, err = tx.Append(h.entry(a, act, c.Serial, facts{"class": string(c.Class), "first": c.LiftBy}))
		return err
	})
	if err != nil {
		return nil, err
	}
	if out.State == CertificateActive {
		h.tookBack()
	}
	return out, nil
}

// enterSigner notes in the register with which certificate an order was confirmed: one that was made for it, or one of
// others that the customer uses here. One that was issued at the counter is in the register already.
func (h *Hall) enterSigner(tx Tx, a Actor, o *Order, cert *x509.Certificate) error {
	mark, ours := ca.ReadMark(cert)
	switch {
	case !ours:
		return h.EnterOutside(tx, a, cert, o.Customer)
	case mark.TransactionID != "":
		return tx.PutCertificate(oneOff(cert, o, a.User.Name))
	}
	return nil
}

// EnterOutside notes a certificate of others that a customer uses here, so that its loss can be reported. One that is known
// stays as it is; one that is another customer's is refused with certificate.other_customer.
func (h *Hall) EnterOutside(tx Tx, a Actor, cert *x509.Certificate, customer string) error {
	old, err := tx.Certificate(fingerprint(cert))
	if err == nil && old.Customer != customer {
		return fault.New(fault.Forbidden, "certificate.other_customer", nil)
	}
	if fault.KindOf(err) != fault.NotFound {
		return err
	}
	c := NewCertificate(cert)
	c.Class, c.Unit, c.Customer, c.IssuedBy = ClassOutside, a.Unit, customer, a.User.Name
	return tx.PutCertificate(c)
}

// Certificates lists lines of the register that the actor may see: those of the own unit, or all for the house's operators.
func (h *Hall) Certificates(ctx context.Context, a Actor, q CertificateQuery) ([]*Certificate, error) {
	out := []*Certificate{}
	err := h.Store.View(ctx, func(tx Tx) error {
		all, err := tx.Certificates(q)
		for _, c := range all {
			if a.Unit == "" || c.Unit == a.Unit {
				out = append(out, c)
			}
		}
		return err
	})
	return out, err
}

// ownLine returns a line of the register that the actor may change; another unit's does not exist for a clerk.
func (h *Hall) ownLine(tx Tx, a Actor, sha256 string) (*Certificate, error) {
	c, err := tx.Certificate(sha256)
	if err != nil {
		return nil, err
	}
	if a.Unit != "" && (c.Unit != a.Unit || c.Customer == "") {
		return nil, fault.New(fault.NotFound, "store.not_found", nil)
	}
	return c, nil
}

// endSessions ends what the member of staff whose certificate it was has open.
func endSessions(tx Tx, c *Certificate, now time.Time) error {
	if c.User == "" {
		return nil
	}
	u, err := tx.User(c.User)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	u.EndedAt = now
	return tx.PutUser(u)
}

// tookBack tells who publishes lists that the register changed.
func (h *Hall) tookBack() {
	if h.OnTakeBack != nil {
		h.OnTakeBack()
	}
}
