package store

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"sync"

	"countersign/signing/seal"
)

// Register is the seals and the grants in this database; it implements seal.Register. They are asked for with every
// order and change rarely, so the store keeps both lists until one is put anew; nobody else writes the database.
type Register struct{ store *Store }

// kept is a list that was read once and is good until it is dropped. Whoever gets it has a slice of their own.
type kept[T any] struct {
	mu    sync.Mutex
	list  []T
	good  bool
	drops int
}

// read returns the list, from load when there is none. What was loaded while the list was dropped is not kept.
func (k *kept[T]) read(load func() ([]T, error)) ([]T, error) {
	k.mu.Lock()
	if k.good {
		defer k.mu.Unlock()
		return slices.Clone(k.list), nil
	}
	drops := k.drops
	k.mu.Unlock()
	list, err := load()
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.drops == drops {
		k.list, k.good = list, true
	}
	return slices.Clone(list), nil
}

func (k *kept[T]) drop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.list, k.good = nil, false
	k.drops++
}

// Register returns the register of seals.
func (s *Store) Register() Register { return Register{s} }

// sealBody is a seal with its certificates, which its own JSON leaves out.
type sealBody struct {
	seal.Seal
	Chain [][]byte `json:"chain"` // DER
}

func (b sealBody) seal() (seal.Seal, error) {
	s := b.Seal
	s.Chain = nil
	for _, der := range b.Chain {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return s, fmt.Errorf("read a certificate of seal %s: %w", s.ID, err)
		}
		s.Chain = append(s.Chain, c)
	}
	return s, nil
}

// put stores a record under a key, in the place of an earlier one.
func (t *tx) put(table, key string, v any) error {
	rev, err := t.revOf(table, key)
	if err != nil {
		return err
	}
	body, err := t.seal(table, key, rev+1, v)
	if err != nil {
		return err
	}
	_, err = t.exec("INSERT INTO "+table+` (key, rev, body) VALUES (?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET rev = excluded.rev, body = excluded.body`, key, rev+1, body)
	return err
}

// Seals lists the seals by id.
func (r Register) Seals(ctx context.Context) ([]seal.Seal, error) {
	return r.store.seals.read(func() ([]seal.Seal, error) { return r.readSeals(ctx) })
}

func (r Register) readSeals(ctx context.Context) (list []seal.Seal, err error) {
	err = r.store.view(ctx, func(t *tx) error {
		list = nil
		stored, err := records(t, "seals", func(*sealBody, int64) {}, "1 = 1 ORDER BY key")
		if err != nil {
			return err
		}
		for _, b := range stored {
			s, err := b.seal()
			if err != nil {
				return err
			}
			list = append(list, s)
		}
		return nil
	})
	return list, err
}

// PutSeal stores a seal, in the place of an earlier one with the same id.
func (r Register) PutSeal(ctx context.Context, s seal.Seal) error {
	if s.ID == "" {
		return errNoID
	}
	b := sealBody{Seal: s}
	for _, c := range s.Chain {
		b.Chain = append(b.Chain, c.Raw)
	}
	defer r.store.seals.drop()
	return r.store.update(ctx, func(t *tx) error { return t.put("seals", s.ID, b) })
}

// Grants lists every grant, the ended ones too.
func (r Register) Grants(ctx context.Context) ([]seal.Grant, error) {
	return r.store.grants.read(func() ([]seal.Grant, error) { return r.readGrants(ctx) })
}

func (r Register) readGrants(ctx context.Context) (list []seal.Grant, err error) {
	err = r.store.view(ctx, func(t *tx) error {
		stored, err := records(t, "seal_grants", func(*seal.Grant, int64) {}, "1 = 1 ORDER BY key")
		list = nil
		for _, g := range stored {
			list = append(list, *g)
		}
		return err
	})
	return list, err
}

// PutGrant stores a clerk's right to use a seal for a service, in the place of an earlier one. A right is withdrawn by
// putting it with its end.
func (r Register) PutGrant(ctx context.Context, g seal.Grant) error {
	if g.Seal == "" || g.Clerk == "" || g.Service == "" {
		return errNoID
	}
	defer r.store.grants.drop()
	return r.store.update(ctx, func(t *tx) error {
		return t.put("seal_grants", g.Seal+"/"+g.Clerk+"/"+g.Service, g)
	})
}

// Held tells whether sealing was suspended and not yet resumed.
func (r Register) Held(ctx context.Context) (held bool, err error) {
	err = r.store.view(ctx, func(t *tx) error {
		return t.one([]any{&held}, "SELECT EXISTS (SELECT 1 FROM meta WHERE name = 'seals_held')")
	})
	return held, err
}

// Hold notes that sealing is suspended, or that it goes on, so that the next start keeps to it.
func (r Register) Hold(ctx context.Context, held bool) error {
	statement := "DELETE FROM meta WHERE name = 'seals_held'"
	if held {
		statement = "INSERT INTO meta (name, value) VALUES ('seals_held', x'01') ON CONFLICT DO NOTHING"
	}
	return r.store.update(ctx, func(t *tx) error {
		_, err := t.exec(statement)
		return err
	})
}
