package kiosk

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"countersign/internal/fault"
	"countersign/signing/remote"
)

// Remote is a provider that keeps keys for customers: a signing service with an app, a telephone company's SIM.
type Remote struct {
	Name     string
	Phone    bool // it knows its customers by telephone number; otherwise by the number of their identity card
	Provider remote.Provider
	Patience remote.Patience
	Hooks    *remote.Hooks // nil: it has no webhooks
}

// remotes are the signatures that customers' telephones are asked for now. What must survive a restart is in the order:
// what was asked of a provider before it is given up then.
type remotes struct {
	mu    sync.Mutex
	stops map[string]context.CancelFunc // by order key
	all   sync.WaitGroup
	over  bool
}

// begin starts waiting for an order, in the place of an earlier wait.
func (r *remotes) begin(key string, wait func(context.Context)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return
	}
	if stop, ok := r.stops[key]; ok {
		stop()
	}
	ctx, stop := context.WithCancel(context.Background())
	if r.stops == nil {
		r.stops = map[string]context.CancelFunc{}
	}
	r.stops[key] = stop
	r.all.Go(func() {
		defer stop()
		wait(ctx)
	})
}

// stop gives an order's wait up, if there is one.
func (r *remotes) stop(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if stop, ok := r.stops[key]; ok {
		stop()
		delete(r.stops, key)
	}
}

// Close gives up what is asked of customers' telephones, and returns when nobody waits any more.
func (h *Hall) Close() {
	h.waits.mu.Lock()
	h.waits.over = true
	for _, stop := range h.waits.stops {
		stop()
	}
	h.waits.mu.Unlock()
	h.waits.all.Wait()
}

// The states of a remote signature.
const (
	RemoteWaiting = "waiting" // the customer's telephone was asked
	RemoteFailed  = "failed"  // it came to nothing; OwnKey.Failed says why
)

// AskRemote finds the customer's key at a provider (counted from 0) and asks their telephone to sign. Whatever comes of it
// changes the order by itself. Besides the faults of the provider, of OwnCertificates and of signing.Ceremony.Ask:
//
//	own.no_way   the customer did not choose to sign by telephone
//	own.remote   there is no such provider, or it has no key of this customer that is confirmed in an app
func (h *Hall) AskRemote(ctx context.Context, a Actor, key string, n int) (*Order, error) {
	if n < 0 || n >= len(h.Remotes) {
		return nil, fault.New(fault.Invalid, "own.remote", fault.Args{"name": ""})
	}
	r := h.Remotes[n]
	o, err := h.Order(ctx, a, key)
	if err != nil {
		return nil, err
	}
	if err := o.in(Confirming); err != nil {
		return nil, err
	}
	if o.Way != ByRemote || o.Own == nil || o.Own.State == RemoteWaiting {
		return nil, fault.New(fault.Conflict, "own.no_way", nil)
	}
	credential, err := h.credential(ctx, r, o)
	if err != nil {
		return nil, err
	}
	digest, err := h.prepareOwn(ctx, a, key, ByRemote, credential.Chain)
	if err != nil {
		return nil, err
	}
	s, err := h.service(o)
	if err != nil {
		return nil, err
	}
	pending, err := r.Provider.Begin(ctx, credential, remote.Ask{Digest: digest, Document: o.Serial(), Text: h.purpose(o, s)})
	if err != nil {
		return nil, err
	}
	out, err := h.change(ctx, a, key, "confirm.remote", func(_ Tx, o *Order) (facts, error) {
		now := h.Clock.Now()
		return facts{"provider": r.Name}, o.Waits(r.Name, now.Add(r.Patience.Whole), now)
	})
	if err != nil {
		// That the provider can't take it back does no harm: nobody fetches it.
		return nil, errors.Join(err, pending.Cancel(context.WithoutCancel(ctx)))
	}
	h.waits.begin(key, func(ctx context.Context) { h.await(ctx, a, key, r, pending) })
	return out, nil
}

// credential finds the customer's key that they confirm in the provider's own app.
func (h *Hall) credential(ctx context.Context, r Remote, o *Order) (remote.Credential, error) {
	var user string
	err := h.Store.View(ctx, func(tx Tx) error {
		c, err := tx.Customer(o.Customer)
		if err != nil {
			return err
		}
		if user = c.IDNumber; r.Phone {
			user = c.Phone
		}
		return nil
	})
	if err != nil {
		return remote.Credential{}, err
	}
	list, err := r.Provider.List(ctx, user)
	if err != nil {
		return remote.Credential{}, err
	}
	var why error
	for _, c := range list {
		if c.Mode != remote.Implicit {
			continue // It wants a PIN or a browser, which belong on no counter's screen.
		}
		if _, err := h.acceptOwn(ctx, o, c.Chain); err != nil {
			why = err
			continue
		}
		return c, nil
	}
	if why == nil {
		why = fault.New(fault.NotFound, "own.remote", fault.Args{"name": r.Name})
	}
	return remote.Credential{}, why
}

// await waits until the customer has pressed something on their telephone, and writes down what came of it.
func (h *Hall) await(ctx context.Context, a Actor, key string, r Remote, p remote.Pending) {
	patience := r.Patience
	if r.Hooks != nil {
		hint, done := r.Hooks.Await(p)
		defer done()
		patience.Hint = hint
	}
	signature, err := remote.Wait(ctx, p, patience)
	if err == nil {
		_, err = h.finishOwn(context.WithoutCancel(ctx), a, key, ByRemote, signature)
	}
	if err == nil || fault.Is(err, "own.no_way") {
		return // It is done, or the customer has chosen another way.
	}
	err = h.giveUp(context.WithoutCancel(ctx), a, key, err)
	if err != nil && !fault.Is(err, "own.no_way") && h.OnErr != nil {
		h.OnErr(err)
	}
}

// giveUp writes down why a telephone that was asked gave no signature; the customer's screen goes back to the choice.
func (h *Hall) giveUp(ctx context.Context, a Actor, key string, why error) error {
	_, err := h.change(ctx, a, key, "confirm.remote_failed", func(_ Tx, o *Order) (facts, error) {
		if !o.waitsForPhone() {
			return nil, fault.New(fault.Conflict, "own.no_way", nil)
		}
		told := fault.New(fault.Unavailable, "remote.away", nil)
		_ = errors.As(why, &told) // what is no fault is a provider that can't be reached
		o.Own.State, o.Own.Failed, o.Own.FailedArgs, o.Updated = RemoteFailed, told.Code, told.Args, h.Clock.Now()
		return facts{"code": told.Code}, nil
	})
	if err != nil {
		return fmt.Errorf("write down what came of a remote signature: %w", err)
	}
	return nil
}

// waitsForPhone reports whether the customer's telephone was asked and nothing has come of it yet.
func (o *Order) waitsForPhone() bool {
	return o.State == Confirming && o.Way == ByRemote && o.Own != nil && o.Own.State == RemoteWaiting
}
