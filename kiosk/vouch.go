package kiosk

import (
	"context"
	"slices"

	"countersign/internal/fault"
)

// Vouch checks the name and password of somebody who agrees to what another person does, and that one of their roles may.
// It counts wrong passwords as SignIn does and opens no session.
func (h *Hall) Vouch(ctx context.Context, name, password string, roles ...Role) (User, error) {
	u, done, err := h.oneTry(ctx, name)
	if err != nil {
		return User{}, err
	}
	defer done()
	right, err := h.matches(ctx, u.Password, password)
	if err != nil {
		return User{}, err
	}
	if !right || !u.mayWork(u.Unit, h.Clock.Now()) {
		return User{}, h.failed(ctx, name, u.Unit, "", "signin.wrong")
	}
	if !slices.ContainsFunc(roles, u.Has) {
		return User{}, fault.New(fault.Forbidden, "certificate.role", nil)
	}
	return u, h.Store.Update(ctx, func(tx Tx) error {
		got, err := tx.User(name)
		if err != nil || got.Failures == 0 {
			return err
		}
		got.Failures = 0
		return tx.PutUser(got)
	})
}
