package kiosk

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"strconv"
	"time"

	"countersign/internal/fault"
	"countersign/signing/seal"
)

const (
	maxFailures = 5
	lockOut     = 15 * time.Minute
)

// SignedIn is what a clerk learns on signing in.
type SignedIn struct {
	Clerk     Person `json:"clerk"`
	Unit      Unit   `json:"unit"`
	NeedsCode bool   `json:"needs_code"` // no unlock code was set yet
	// MustChange tells that somebody else chose the password: the session may do nothing but replace it.
	MustChange bool      `json:"must_change"`
	Last       time.Time `json:"last"` // last sign-in, before this one
	LastPlace  string    `json:"last_place"`
	Failures   int       `json:"failures"` // wrong passwords since then
	FailedAt   time.Time `json:"failed_at"`
	FailPlace  string    `json:"fail_place"`
	Drafts     int       `json:"drafts"`
	Order      string    `json:"order"` // in hand at this counter before, to return to
}

// TokenSHA256 is the name under which a token's session is stored.
func TokenSHA256(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// SignIn opens a clerk's session at a counter and returns its token. A wrong name and a wrong password are the same
// failure; each one counts, and after five the name is closed for 15 minutes.
func (h *Hall) SignIn(ctx context.Context, unit, counter, name, password string) (string, SignedIn, error) {
	if _, ok := h.Units[unit]; !ok {
		return "", SignedIn{}, fault.New(fault.NotFound, "signin.unit", fault.Args{"unit": unit})
	}
	u, done, err := h.oneTry(ctx, name)
	if err != nil {
		return "", SignedIn{}, err
	}
	defer done()
	right, err := h.matches(ctx, u.Password, password)
	if err != nil {
		return "", SignedIn{}, err
	}
	if !right || !u.mayWork(unit, h.Clock.Now()) {
		return "", SignedIn{}, h.failed(ctx, name, unit, counter, "signin.wrong")
	}
	own, err := h.ownKey(ctx, &u, password, password)
	if err != nil {
		return "", SignedIn{}, err
	}
	return h.open(ctx, u, own, unit, counter)
}

// oneTry lets one guess at a time be made for a name, so that the next one already finds this one counted. The user is
// empty when there is none of that name.
func (h *Hall) oneTry(ctx context.Context, name string) (u User, done func(), err error) {
	done, ok := h.busy.try("sign in " + name)
	if !ok {
		return u, nil, fault.New(fault.TooMany, "signin.wait", fault.Args{"seconds": "1"})
	}
	err = h.Store.View(ctx, func(tx Tx) error {
		got, err := tx.User(name)
		if err == nil {
			u = *got
		}
		if fault.KindOf(err) == fault.NotFound {
			u = h.strangers.recall(name)
			return nil
		}
		return err
	})
	if err == nil {
		err = h.mayTry(u, h.Clock.Now())
	}
	if err != nil {
		done()
		return u, nil, err
	}
	return u, done, nil
}

// matches compares a secret with its hash, which takes a quarter of a second and 64 MiB on purpose: never inside a
// transaction, and not more at a time than there are cores.
func (h *Hall) matches(ctx context.Context, hash, secret string) (bool, error) {
	leave, err := h.hashing.enter(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	return h.Cost.Matches(hash, secret), nil
}

// mayWork reports whether the user is one who may open a session in a unit.
func (u User) mayWork(unit string, now time.Time) bool {
	return u.Name != "" && !u.Locked && u.Unit == unit && (u.Expires.IsZero() || now.Before(u.Expires)) && len(u.Roles) > 0
}

// serves reports whether a session still holds: within its shift, and of somebody who may work and was not sent away.
func (h *Hall) serves(s *Session, u *User, now time.Time) bool {
	return now.Sub(s.Opened) <= h.Limits.Shift && s.Opened.After(u.EndedAt) && u.mayWork(s.Unit, now)
}

// mayTry refuses a try during the lock-out, or within 1, 2, 4 and 8 seconds of the failures before it.
func (h *Hall) mayTry(u User, now time.Time) error {
	if u.Failures == 0 {
		return nil
	}
	if u.Failures%maxFailures == 0 {
		if left := u.LastFailure.Add(lockOut).Sub(now); left > 0 {
			return fault.New(fault.TooMany, "signin.closed", fault.Args{"minutes": strconv.Itoa(int(left/time.Minute) + 1)})
		}
		return nil
	}
	wait := time.Second << (u.Failures%maxFailures - 1)
	if left := u.LastFailure.Add(wait).Sub(now); left > 0 {
		return fault.New(fault.TooMany, "signin.wait", fault.Args{"seconds": strconv.Itoa(int((left + time.Second - 1) / time.Second))})
	}
	return nil
}

// failed counts a failure, so that it survives, and returns what the person is told: the given code with the tries left.
// The journal is not told a name that nobody has: people type their password there.
func (h *Hall) failed(ctx context.Context, name, unit, counter, code string) error {
	var failures int
	err := h.Store.Update(ctx, func(tx Tx) error {
		a := Actor{User: User{Name: "unknown"}, Unit: unit, Counter: counter}
		got, err := tx.User(name)
		switch {
		case err == nil:
			got.Failures++
			got.LastFailure, got.FailurePlace = h.Clock.Now(), counter
			failures, a.User.Name = got.Failures, got.Name
			if err := tx.PutUser(got); err != nil {
				return err
			}
		case fault.KindOf(err) != fault.NotFound:
			return err
		}
		_, err = tx.Append(h.entry(a, "signin.failed", unit+"/"+counter, nil))
		return err
	})
	if err != nil {
		return err
	}
	if failures == 0 {
		failures = h.strangers.failed(name, h.Clock.Now())
	}
	left := maxFailures - (failures-1)%maxFailures - 1
	return fault.New(fault.Unauthenticated, code, fault.Args{"left": strconv.Itoa(left)})
}

// open stores the session and tells the clerk what happened since the last one.
func (h *Hall) open(ctx context.Context, u User, own *seal.Hand, unit, counter string) (string, SignedIn, error) {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(h.random(), raw); err != nil {
		return "", SignedIn{}, err
	}
	token := base64.RawURLEncoding.EncodeToString(raw)
	locked, err := underToken(own, token)
	if err != nil {
		return "", SignedIn{}, err
	}
	var out SignedIn
	err = h.Store.Update(ctx, func(tx Tx) error {
		now := h.Clock.Now()
		got, err := tx.User(u.Name)
		if err != nil {
			return err
		}
		out = SignedIn{Clerk: Person{User: u.Name, Name: u.FullName, StaffID: u.StaffID, Counter: counter}, Unit: h.Units[unit],
			NeedsCode: got.UnlockCode == "", MustChange: got.MustChange, Last: got.LastSignIn, LastPlace: got.LastPlace,
			Failures: got.Failures, FailedAt: got.LastFailure, FailPlace: got.FailurePlace}
		got.Failures, got.LastSignIn, got.LastPlace = 0, now, counter
		got.OwnKey, got.OwnPublic = u.OwnKey, u.OwnPublic
		if err := tx.PutUser(got); err != nil {
			return err
		}
		s := &Session{TokenSHA256: TokenSHA256(token), Kind: "clerk", User: u.Name, Unit: unit, Counter: counter, Opened: now, Seen: now, OwnKey: locked}
		if before, err := tx.CounterSession(unit, counter); err == nil {
			if before.User == u.Name {
				s.Visit, s.Order, out.Order = before.Visit, before.Order, before.Order
			}
			if err := tx.DeleteSession(before.TokenSHA256); err != nil {
				return err
			}
		} else if fault.KindOf(err) != fault.NotFound {
			return err
		}
		if err := tx.PutSession(s); err != nil {
			return err
		}
		open, err := tx.OpenOrders(unit)
		if err != nil {
			return err
		}
		for _, o := range open {
			if o.Clerk.User == u.Name && (o.State == Draft || o.State == Invited) {
				out.Drafts++
			}
		}
		_, err = tx.Append(h.entry(Actor{User: u, Unit: unit, Counter: counter}, "signin", unit+"/"+counter, nil))
		return err
	})
	if err != nil {
		return "", SignedIn{}, err
	}
	h.Watch.CounterChanged(unit, counter)
	return token, out, nil
}

// Actor returns who a token belongs to. A locked session is an actor too; it may only unlock.
func (h *Hall) Actor(ctx context.Context, token string) (Actor, error) {
	var a Actor
	err := h.Store.View(ctx, func(tx Tx) error {
		s, err := tx.Session(TokenSHA256(token))
		if err != nil {
			return fault.Wrap(err, fault.Unauthenticated, "signin.session", nil)
		}
		u, err := tx.User(s.User)
		if err != nil {
			return fault.Wrap(err, fault.Unauthenticated, "signin.session", nil)
		}
		now := h.Clock.Now()
		if !h.serves(s, u, now) {
			return fault.New(fault.Unauthenticated, "signin.session", nil)
		}
		a = Actor{User: *u, Unit: s.Unit, Counter: s.Counter, Token: s.TokenSHA256, Visit: s.Visit, Order: s.Order, Locked: s.Locked, token: token}
		return nil
	})
	return a, err
}

// SetUnlockCode sets the six digits by which the same clerk unlocks the counter during a shift.
func (h *Hall) SetUnlockCode(ctx context.Context, a Actor, code string) error {
	if err := CheckUnlockCode(code); err != nil {
		return err
	}
	hash, err := h.Cost.Hash(code, h.random())
	if err != nil {
		return err
	}
	return h.Store.Update(ctx, func(tx Tx) error {
		u, err := tx.User(a.User.Name)
		if err != nil {
			return err
		}
		u.UnlockCode = hash
		if err := tx.PutUser(u); err != nil {
			return err
		}
		_, err = tx.Append(h.entry(a, "unlock_code.set", a.User.Name, nil))
		return err
	})
}

// SetPassword replaces a user's password by another one; the old one must be known.
func (h *Hall) SetPassword(ctx context.Context, a Actor, old, password string) error {
	if err := CheckPassword(password); err != nil {
		return err
	}
	if password == old {
		return fault.New(fault.Invalid, "password.same", nil)
	}
	u, done, err := h.oneTry(ctx, a.User.Name)
	if err != nil {
		return err
	}
	defer done()
	right, err := h.matches(ctx, u.Password, old)
	if err != nil {
		return err
	}
	if !right {
		return h.failed(ctx, a.User.Name, a.Unit, a.Counter, "signin.wrong")
	}
	hash, err := h.Cost.Hash(password, h.random())
	if err != nil {
		return err
	}
	own, err := h.ownKey(ctx, &u, old, password)
	if err != nil {
		return err
	}
	locked, err := underToken(own, a.token)
	if err != nil {
		return err
	}
	key, public := u.OwnKey, u.OwnPublic
	return h.Store.Update(ctx, func(tx Tx) error {
		u, err := tx.User(a.User.Name)
		if err != nil {
			return err
		}
		u.Password, u.PasswordAt, u.MustChange = hash, h.Clock.Now(), false
		u.OwnKey, u.OwnPublic = key, public
		if locked != nil {
			if err := keepOwn(tx, a.Token, locked); err != nil {
				return err
			}
		}
		if err := tx.PutUser(u); err != nil {
			return err
		}
		_, err = tx.Append(h.entry(a, "password.set", a.User.Name, nil))
		return err
	})
}

// Lock covers both screens of the counter; the order in hand stays as it is.
func (h *Hall) Lock(ctx context.Context, a Actor) error {
	return h.session(ctx, a, "lock", func(s *Session) { s.Locked = true })
}

// LockIdle covers the screens of a counter at which nobody has pressed a key for too long. The terminal does that by
// itself much sooner; this is for one that has died or was tampered with.
func (h *Hall) LockIdle(ctx context.Context, unit, counter string) error {
	err := h.Store.Update(ctx, func(tx Tx) error {
		s, err := tx.CounterSession(unit, counter)
		if err != nil || s.Locked {
			return err
		}
		s.Locked = true
		if err := tx.PutSession(s); err != nil {
			return err
		}
		_, err = tx.Append(h.entry(Actor{User: User{Name: "system"}, Unit: unit, Counter: counter}, "lock.idle", unit+"/"+counter, nil))
		return err
	})
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err == nil {
		h.Watch.CounterChanged(unit, counter)
	}
	return err
}

// Unlock opens the counter again for the clerk who locked it.
func (h *Hall) Unlock(ctx context.Context, a Actor, code string) error {
	u, done, err := h.oneTry(ctx, a.User.Name)
	if err != nil {
		return err
	}
	defer done()
	right, err := h.matches(ctx, u.UnlockCode, code)
	if err != nil {
		return err
	}
	if u.UnlockCode == "" || !right {
		return h.failed(ctx, a.User.Name, a.Unit, a.Counter, "signin.code")
	}
	err = h.Store.Update(ctx, func(tx Tx) error {
		u, err := tx.User(a.User.Name)
		if err != nil {
			return err
		}
		u.Failures = 0
		return tx.PutUser(u)
	})
	if err != nil {
		return err
	}
	return h.session(ctx, a, "unlock", func(s *Session) { s.Locked = false })
}

// SignOut ends the session.
func (h *Hall) SignOut(ctx context.Context, a Actor) error {
	err := h.Store.Update(ctx, func(tx Tx) error {
		if err := tx.DeleteSession(a.Token); err != nil {
			return err
		}
		_, err := tx.Append(h.entry(a, "signout", a.Unit+"/"+a.Counter, nil))
		return err
	})
	if err == nil {
		h.Watch.CounterChanged(a.Unit, a.Counter)
	}
	return err
}

// session changes the actor's session and tells both screens.
func (h *Hall) session(ctx context.Context, a Actor, act string, fn func(*Session)) error {
	err := h.Store.Update(ctx, func(tx Tx) error {
		s, err := tx.Session(a.Token)
		if err != nil {
			return err
		}
		fn(s)
		s.Seen = h.Clock.Now()
		if err := tx.PutSession(s); err != nil || act == "" {
			return err
		}
		_, err = tx.Append(h.entry(a, act, a.Unit+"/"+a.Counter, nil))
		return err
	})
	if err == nil {
		h.Watch.CounterChanged(a.Unit, a.Counter)
	}
	return err
}
