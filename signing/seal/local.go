package seal

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/signing"
	"countersign/signing/pdf"
	"countersign/signing/tsa"
)

// Keys opens the seals' keys; *key.Store is one.
type Keys interface {
	Signer(name string) (crypto.Signer, error)
}

// Local is the seal service in this process. Make one with all fields set, then call Settle before the first Apply.
type Local struct {
	Register Register
	Book     Book
	Keys     Keys
	Clock    clock.Clock
	// Judge returns nil when every signature in the document is valid and trusted and nothing but signatures was added.
	Judge func(document []byte) error
	// Look draws a seal, or the clerk's confirmation for a counter key. Nil leaves the fields blank.
	Look func(s Seal, c Clerk, at time.Time) (*pdf.Appearance, error)
	// Kept tells the digest of the sealed document that was stored for a use, if one was. Nil: none ever is.
	Kept func(ctx context.Context, u Use) (digest [32]byte, ok bool, err error)
	// Least is the rank that a customer's confirmation must have for a service; nil asks for a code. Handwriting is worth no
	// more than the word of the clerk who witnessed it, so it must be allowed on purpose.
	Least func(service string) signing.Rank
	// Policy is what is asked of people beside grants; nil asks nothing.
	Policy Policy
	// Strict demands every clerk's own signature; otherwise only of those whose key is enrolled.
	Strict bool
	// Holder keeps what was sealed for somebody else until they have it (Release); Apply needs none.
	Holder Holder
	// Authority stamps the signatures; nil makes them B-B.
	Authority tsa.Authority

	suspended atomic.Bool
	judged    sync.Map     // SHA-256 of the seals' chains whose first document was judged good
	working   sync.Map     // orders that Release, Confirm or Discard is at
	settling  sync.RWMutex // Apply reads, Settle writes: no intent of a running Apply is ever settled under it
}

// Suspend takes the service away until Resume: orders wait, nothing is half-sealed.
func (l *Local) Suspend() { l.suspended.Store(true) }

// Resume brings it back.
func (l *Local) Resume() { l.suspended.Store(false) }

// State is nil when the service answers.
func (l *Local) State(context.Context) error {
	if l.suspended.Load() {
		return fault.New(fault.Unavailable, "seal.away", nil)
	}
	return nil
}

// Seals returns the seals that the clerk may use for some service now, in the order of their kinds.
func (l *Local) Seals(ctx context.Context, c Clerk) ([]Seal, error) {
	seals, grants, err := l.register(ctx)
	if err != nil {
		return nil, err
	}
	now := l.Clock.Now()
	mine := map[string]bool{} // by id; a hall has hundreds of grants and a clerk a few
	for _, g := range grants {
		if g.covers(c.StaffID, g.Seal, g.Service, now) {
			mine[g.Seal] = true
		}
	}
	out := []Seal{}
	for _, s := range seals {
		if mine[s.ID] {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b Seal) int { return cmp.Compare(a.Kind.rank(), b.Kind.rank()) })
	return out, nil
}

// Grants returns who may use a seal for a service now.
func (l *Local) Grants(ctx context.Context, seal, service string) ([]Grant, error) {
	_, grants, err := l.register(ctx)
	if err != nil {
		return nil, err
	}
	now := l.Clock.Now()
	return slices.DeleteFunc(slices.Clone(grants), func(g Grant) bool { return !g.covers(g.Clerk, seal, service, now) }), nil
}

func (l *Local) register(ctx context.Context) ([]Seal, []Grant, error) {
	if err := l.State(ctx); err != nil {
		return nil, nil, err
	}
	seals, err := l.Register.Seals(ctx)
	if err != nil {
		return nil, nil, away(fmt.Errorf("read the seals: %w", err))
	}
	grants, err := l.Register.Grants(ctx)
	if err != nil {
		return nil, nil, away(fmt.Errorf("read the grants: %w", err))
	}
	return seals, grants, nil
}

// Apply checks and seals. Besides seal.away and the book's seal.busy and seal.done its faults are:
//
//	seal.order     no seal is asked for, a kind comes twice or out of order, or the first is not the counter's key
//	seal.unknown   there is no such seal
//	seal.grant     the clerk may not use this seal for this service
//	seal.service   the seal is not for this service
//	seal.expired   the seal or its certificate is not valid today
//	seal.consent   the customer's confirmation is not that of this very document and order, or not valid
//	seal.rank      the confirmation ranks lower than the service asks (Least)
//	seal.unsigned  the clerk's own signature for this use is missing, too old or of a key that nobody enrolled
//	seal.second    the same of a second person, where a rule asks for one
//	seal.field     the document has no empty field for this seal
//	seal.faulty    a signature did not hold when it was checked; nothing was released
func (l *Local) Apply(ctx context.Context, o Order) (Result, error) {
	l.settling.RLock()
	defer l.settling.RUnlock()
	r, err := l.sealed(ctx, o)
	if err != nil {
		return Result{}, err
	}
	return l.keep(ctx, o, r)
}

// sealed does all of Apply but the keeping: the uses of its result are intended.
func (l *Local) sealed(ctx context.Context, o Order) (Result, error) {
	now := l.Clock.Now()
	// A copy of our own: what was judged can't be exchanged before it is sealed.
	o.Document = bytes.Clone(o.Document)
	plan, err := l.plan(ctx, o, now)
	if err != nil {
		return Result{}, err
	}
	fields, facts, err := l.consent(o)
	if err != nil {
		return Result{}, err
	}
	if err := l.allowed(ctx, o, plan, facts, now); err != nil {
		return Result{}, err
	}
	for _, s := range plan {
		if _, ok := fields[s.seal.Kind.Field()]; !ok {
			return Result{}, fault.New(fault.Invalid, "seal.field", fault.Args{"seal": s.seal.Name})
		}
	}
	if r, ok, err := l.held(ctx, o); ok || err != nil {
		return r, err
	}
	if err := l.intend(ctx, plan); err != nil {
		return Result{}, err
	}
	r, err := l.seal(ctx, o, plan, fields, now)
	if err == nil {
		err = l.hold(ctx, o, r)
	}
	if err != nil {
		return Result{}, errors.Join(err, l.fail(ctx, plan, fault.CodeOf(err)))
	}
	return r, nil
}

// step is one seal to be applied.
type step struct {
	seal Seal
	use  Use
}

// plan checks the policy and makes the list of what will be done.
func (l *Local) plan(ctx context.Context, o Order, now time.Time) ([]step, error) {
	seals, grants, err := l.register(ctx)
	if err != nil {
		return nil, err
	}
	if o.ID == "" || o.Service == "" || o.Clerk.StaffID == "" || len(o.Seals) == 0 {
		return nil, fault.New(fault.Invalid, "seal.order", nil)
	}
	var plan []step
	last := 0
	for _, id := range o.Seals {
		i := slices.IndexFunc(seals, func(s Seal) bool { return s.ID == id })
		if i < 0 {
			return nil, fault.New(fault.NotFound, "seal.unknown", fault.Args{"seal": id})
		}
		s := seals[i]
		if s.Kind.rank() <= last || last == 0 && s.Kind != Counter {
			return nil, fault.New(fault.Invalid, "seal.order", nil)
		}
		last = s.Kind.rank()
		g := slices.IndexFunc(grants, func(g Grant) bool { return g.covers(o.Clerk.StaffID, s.ID, o.Service, now) })
		if g < 0 {
			return nil, fault.New(fault.Forbidden, "seal.grant", fault.Args{"seal": s.Name, "service": o.Service})
		}
		if !s.serves(o.Service) {
			return nil, fault.New(fault.Forbidden, "seal.service", fault.Args{"seal": s.Name, "service": o.Service})
		}
		if !valid(s, now) {
			return nil, fault.New(fault.Forbidden, "seal.expired", fault.Args{"seal": s.Name})
		}
		plan = append(plan, step{seal: s, use: Use{
			Seal: s.ID, Order: o.ID, Service: o.Service, Clerk: o.Clerk.StaffID, Counter: o.Clerk.Counter, Paper: grants[g].Paper,
			Document: o.Consent.Signed, At: now, State: Intended,
		}})
	}
	return plan, nil
}

func valid(s Seal, now time.Time) bool {
	for _, c := range s.Chain {
		if now.After(c.NotAfter) || now.Before(c.NotBefore) {
			return false
		}
	}
	return len(s.Chain) > 0 && now.Before(s.ValidUntil)
}

// intend writes every use down before any key is opened.
func (l *Local) intend(ctx context.Context, plan []step) error {
	uses := make([]Use, len(plan))
	for i, s := range plan {
		uses[i] = s.use
	}
	numbers, err := l.Book.Intent(ctx, uses...)
	if err != nil {
		var f *fault.Error
		if !errors.As(err, &f) {
			err = away(fmt.Errorf("write the uses of seals on order %s into the book: %w", uses[0].Order, err))
		}
		return err
	}
	for i, n := range numbers {
		plan[i].use.Number = n
	}
	return nil
}

// seal makes the signatures in memory, one upon the other. Each is checked with its public key over the finished bytes.
func (l *Local) seal(ctx context.Context, o Order, plan []step, fields map[string]pdf.Field, now time.Time) (Result, error) {
	r := Result{Document: o.Document, Level: signing.BB}
	if l.Authority != nil {
		r.Level = signing.BT
	}
	for _, s := range plan {
		private, err := l.Keys.Signer(s.seal.KeyName)
		if err != nil {
			return Result{}, away(fmt.Errorf("open the key of seal %s: %w", s.seal.ID, err))
		}
		request, err := l.request(o, s.seal, fields, now)
		if err != nil {
			return Result{}, err
		}
		filled, err := signing.Fill(ctx, r.Document, request, private, s.seal.Chain, l.Authority)
		if fault.KindOf(err) == fault.Unavailable {
			return Result{}, away(fmt.Errorf("use the key of seal %s: %w", s.seal.ID, err))
		}
		if err != nil {
			return Result{}, fault.Wrap(err, fault.Internal, "seal.faulty", fault.Args{"seal": s.seal.Name})
		}
		r.Document = filled.Document
		if filled.Level == signing.BB {
			r.Level = signing.BB
		}
		if filled.Untimed != nil {
			r.Untimed = filled.Untimed
		}
		r.Uses = append(r.Uses, s.use)
	}
	if err := l.judge(r.Document, plan); err != nil {
		return Result{}, fault.Wrap(err, fault.Internal, "seal.faulty", fault.Args{"seal": plan[len(plan)-1].seal.Name})
	}
	if err := l.State(ctx); err != nil {
		return Result{}, err
	}
	r.SHA256 = sha256.Sum256(r.Document)
	return r, nil
}

// request says how a seal fills its field.
func (l *Local) request(o Order, s Seal, fields map[string]pdf.Field, now time.Time) (pdf.Request, error) {
	r := pdf.Request{Field: s.Kind.Field(), Name: s.Name, Reason: o.Reason, Location: o.Location, At: now}
	if s.Kind == Counter {
		r.Name = o.Clerk.Name
	}
	if l.Look == nil {
		return r, nil
	}
	looks, err := l.Look(s, o.Clerk, now)
	if err == nil && looks != nil {
		r.Appearance, err = signing.Fitted(looks, fields[r.Field])
	}
	if err != nil {
		return r, fmt.Errorf("draw seal %s: %w", s.ID, err)
	}
	return r, nil
}

// judge gives the first document under each set of certificates the whole judgement: it is the chains that could be at
// fault, and they don't change. That the bytes are signed right was checked seal by seal, the customer's part before.
func (l *Local) judge(document []byte, plan []step) error {
	h := sha256.New()
	for _, s := range plan {
		for _, c := range s.seal.Chain {
			h.Write(c.Raw)
		}
	}
	set := [32]byte(h.Sum(nil))
	if _, ok := l.judged.Load(set); ok {
		return nil
	}
	if err := l.Judge(document); err != nil {
		return err
	}
	l.judged.Store(set, true)
	return nil
}

// keep stores the document and books the uses as done. From here on only what was kept counts.
func (l *Local) keep(ctx context.Context, o Order, r Result) (Result, error) {
	if o.Keep != nil {
		if err := o.Keep(ctx, r); err != nil {
			_, unsettled := l.settle(ctx, r.Uses)
			return Result{}, errors.Join(fmt.Errorf("keep the sealed order %s: %w", o.ID, err), unsettled)
		}
	}
	// The document is kept: a caller who goes away now must not leave its uses open.
	ctx = context.WithoutCancel(ctx)
	now := l.Clock.Now()
	if err := l.Book.Done(ctx, r.SHA256, now, r.Uses...); err != nil {
		return Result{}, fmt.Errorf("book the uses of seals on order %s as done: %w", o.ID, err)
	}
	for i := range r.Uses {
		u := &r.Uses[i]
		u.State, u.Result, u.Ended = Done, r.SHA256, now
	}
	return r, nil
}

// fail books the uses of a plan as void. What can't be written now is found open by Settle.
func (l *Local) fail(ctx context.Context, plan []step, reason string) error {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	for _, s := range plan {
		if err := l.Book.Failed(ctx, s.use, reason, l.Clock.Now()); err != nil {
			errs = append(errs, fmt.Errorf("book use %d of seal %s as void: %w", s.use.Number, s.use.Seal, err))
		}
	}
	return errors.Join(errs...)
}

// Settled counts what Settle decided.
type Settled struct {
	Done, Void int
}

// Settle decides the uses that a crash left open, before the service is opened: done when a sealed document was kept for
// them, otherwise void, because a document that was not kept was in memory only and is gone. The order then still waits
// for its seals.
func (l *Local) Settle(ctx context.Context) (Settled, error) {
	l.settling.Lock()
	defer l.settling.Unlock()
	open, err := l.Book.Open(ctx)
	if err != nil {
		return Settled{}, fmt.Errorf("read the open uses of seals: %w", err)
	}
	return l.settle(ctx, open)
}

func (l *Local) settle(ctx context.Context, open []Use) (count Settled, err error) {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	for _, u := range open {
		digest, kept, err := [32]byte{}, false, error(nil)
		if l.Kept != nil {
			digest, kept, err = l.Kept(ctx, u)
		}
		switch {
		case err != nil:
		case kept:
			if err = l.Book.Done(ctx, digest, l.Clock.Now(), u); err == nil {
				count.Done++
			}
		default:
			if err = l.Book.Failed(ctx, u, "not kept", l.Clock.Now()); err == nil {
				count.Void++
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("settle use %d of seal %s: %w", u.Number, u.Seal, err))
		}
	}
	return count, errors.Join(errs...)
}

func away(err error) error { return fault.Wrap(err, fault.Unavailable, "seal.away", nil) }
