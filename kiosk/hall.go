package kiosk

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/base32"
	"encoding/hex"
	"io"
	"runtime"
	"sync"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/kiosk/catalog"
	"countersign/kiosk/workorder"
	"countersign/signing"
	"countersign/signing/journal"
	"countersign/signing/seal"
	"countersign/signing/trust"
)

// Hall carries out what people do at the counters of one organisation. Every act is one transaction: the order
// changes, the journal tells of it, and work for outside systems is queued, or none of it happened.
type Hall struct {
	Store    Store
	Catalog  *catalog.Catalog
	Units    map[string]Unit
	Fonts    workorder.Fonts
	Ceremony *signing.Ceremony
	Registry *signing.Registry // issues customers' own certificates; nil where that is not offered
	Trust    *trust.Judge      // whose certificates are accepted
	Seals    seal.Service
	Remotes  []Remote        // providers of customers' keys, in the order in which they are offered
	Owners   OwnCertificates // judges the certificates of customers' own keys; nil: none is accepted
	OwnKeys  bool            // staff sign their requests for seals with keys of their own
	OTP      []byte          // server secret from which the codes that we send are derived
	Clock    clock.Clock
	Rand     io.Reader
	Cost     PasswordCost
	Watch    Watcher
	Limits   Limits
	Roots    []*x509.Certificate // whom the verifier trusts
	// Head tells the journal's root, and whether what is stored still leads to it.
	Head func(ctx context.Context) (root string, ok bool, err error)
	// OnTakeBack hears after a certificate was taken back or given back; it must not block.
	OnTakeBack func()

	// OnErr is told of failures of what goes on by itself; it may be nil.
	OnErr func(error)

	waits     remotes
	busy      keyed // one confirmation or sealing at a time for each order, one sign-in for each name
	hashing   gate
	medians   medians
	strangers strangers
}

// Limits are the durations that the organisation may choose.
type Limits struct {
	CodeLife time.Duration // how long a code that we sent is good; at most 5 minutes
	AppDrift int           // time steps that an authenticator's clock may be off
	Shift    time.Duration // after this a session ends
	Idle     time.Duration // after this without a key on either side a session is locked
}

// DefaultLimits are the limits of reference practice: 5 minutes a code, 10 hours a shift.
var DefaultLimits = Limits{CodeLife: 5 * time.Minute, AppDrift: 1, Shift: 10 * time.Hour, Idle: 15 * time.Minute}

// Watcher hears of every change after it is durable; it must not block.
type Watcher interface {
	OrderChanged(o *Order)
	CounterChanged(unit, counter string)
}

// facts are what a journal entry tells beside who, where and what; personal values are salted hashes.
type facts map[string]string

// entry makes the journal entry for an act.
func (h *Hall) entry(a Actor, act, subject string, f facts) journal.Entry {
	role := "clerk"
	who := a.User.Name
	switch who {
	case "":
		role, who = "customer", "customer"
	case "system":
		role = "system"
	}
	return journal.Entry{At: h.Clock.Now(), Actor: who, Role: role, Place: a.Unit + "/" + a.Counter, Act: act, Subject: subject, Facts: f}
}

// system is the actor of what happens by itself.
func system(o *Order) Actor {
	return Actor{User: User{Name: "system"}, Unit: o.Unit, Counter: o.Counter}
}

// change loads an order, lets fn change it, stores it and writes the journal, in one transaction.
func (h *Hall) change(ctx context.Context, a Actor, key, act string, fn func(tx Tx, o *Order) (facts, error)) (*Order, error) {
	var out *Order
	err := h.Store.Update(ctx, func(tx Tx) error {
		o, err := h.load(tx, a, key)
		if err != nil {
			return err
		}
		before := o.files()
		f, err := fn(tx, o)
		if err != nil {
			return err
		}
		if err := dropFiles(tx, before, o.files()); err != nil {
			return err
		}
		if err := h.log(tx, a, o, act, f); err != nil {
			return err
		}
		out = o
		return tx.PutOrder(o)
	})
	if err != nil {
		return nil, err
	}
	h.Watch.OrderChanged(out)
	return out, nil
}

// log writes the journal entry of an act and notes its number on the order.
func (h *Hall) log(tx Tx, a Actor, o *Order, act string, f facts) error {
	if act == "" {
		return nil
	}
	n, err := tx.Append(h.entry(a, act, o.subject(), f))
	if err != nil {
		return err
	}
	if o.LastEntry == 0 {
		o.FirstEntry = n
	}
	o.LastEntry = n
	return nil
}

// load returns an order of the actor's unit; another unit's does not exist for the actor.
func (h *Hall) load(tx Tx, a Actor, key string) (*Order, error) {
	o, err := tx.Order(key)
	if err != nil {
		return nil, err
	}
	if o.Unit != a.Unit {
		return nil, fault.New(fault.NotFound, "store.not_found", nil)
	}
	return o, nil
}

// Order returns an order of the actor's unit.
func (h *Hall) Order(ctx context.Context, a Actor, key string) (*Order, error) {
	var out *Order
	err := h.Store.View(ctx, func(tx Tx) error {
		var err error
		out, err = h.load(tx, a, key)
		return err
	})
	return out, err
}

// subject is the name under which the journal knows the order.
func (o *Order) subject() string {
	if o.Number != "" {
		return o.Number
	}
	return "draft " + o.Key
}

// service returns the definition that the order was started with.
func (h *Hall) service(o *Order) (*catalog.Service, error) {
	s, ok := h.Catalog.Service(o.Service)
	if !ok {
		return nil, fault.New(fault.NotFound, "order.service_gone", fault.Args{"service": o.Service})
	}
	return s, nil
}

// key draws a random name for an order, visit or document.
func (h *Hall) key() (string, error) {
	b := make([]byte, 10)
	if _, err := io.ReadFull(h.random(), b); err != nil {
		return "", err
	}
	return hex.EncodeToString(b), nil
}

// codeAlphabet has no letters that are mistaken for digits when a code is read aloud.
var codeAlphabet = base32.NewEncoding("23456789ABCDEFGHJKLMNPQRSTUVWXYZ").WithPadding(base32.NoPadding)

// verifyCode draws the code by which a finished order is found again: "7KQ2-M9XA".
func (h *Hall) verifyCode() (string, error) {
	b := make([]byte, 5)
	if _, err := io.ReadFull(h.random(), b); err != nil {
		return "", err
	}
	s := codeAlphabet.EncodeToString(b)
	return s[:4] + "-" + s[4:], nil
}

func (h *Hall) random() io.Reader {
	if h.Rand != nil {
		return h.Rand
	}
	return rand.Reader
}

// day is the business day of a moment: "2026-11-21".
func day(t time.Time) string { return t.In(clock.Vietnam).Format("2006-01-02") }

// gate lets as many in at a time as there are cores.
type gate struct {
	once  sync.Once
	slots chan struct{}
}

// enter waits for a place, until ctx ends.
func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	g.once.Do(func() { g.slots = make(chan struct{}, runtime.GOMAXPROCS(0)) })
	select {
	case g.slots <- struct{}{}:
		return func() { <-g.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// keyed lets one caller at a time work on each key.
type keyed struct {
	mu   sync.Mutex
	held map[string]bool
}

// try takes the key, or reports that somebody else holds it.
func (k *keyed) try(key string) (release func(), ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held == nil {
		k.held = map[string]bool{}
	}
	if k.held[key] {
		return nil, false
	}
	k.held[key] = true
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.held, key)
	}, true
}
