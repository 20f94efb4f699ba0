package revoke

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"

	"countersign/internal/clock"
)

// maxKept bounds how many answers a Cache keeps.
const maxKept = 4096

// Cache is a Source that asks another only when it has no answer that will do: one that has not run out, and that was
// given after the moment asked about, where there is such a moment. Several goroutines may use it at once.
type Cache struct {
	source Source
	clock  clock.Clock

	mu   sync.Mutex
	kept map[[32]byte]Answer
}

// NewCache returns an empty cache before source.
func NewCache(source Source, c clock.Clock) *Cache {
	return &Cache{source: source, clock: c, kept: make(map[[32]byte]Answer)}
}

// Status returns a kept answer, or a new one.
func (c *Cache) Status(ctx context.Context, q Question) (Answer, error) {
	key := sha256.Sum256(q.Certificate.Raw)
	c.mu.Lock()
	a, ok := c.kept[key]
	c.mu.Unlock()
	if ok {
		if s, err := a.Check(q, c.clock.Now()); err == nil && (s.State == Revoked || !s.This.Before(q.Since)) {
			return a, nil
		}
	}
	a, err := c.source.Status(ctx, q)
	if err != nil {
		return a, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) >= maxKept {
		clear(c.kept)
	}
	c.kept[key] = a
	return a, nil
}

// InOrder asks several sources one after the other until one answers.
type InOrder []Source

// Status returns the first answer.
func (s InOrder) Status(ctx context.Context, q Question) (Answer, error) {
	var failures []error
	for _, source := range s {
		a, err := source.Status(ctx, q)
		if err == nil {
			return a, nil
		}
		failures = append(failures, err)
	}
	return Answer{}, away(q.Certificate, errors.Join(failures...))
}

// Lists is a Source that has revocation lists at hand, such as that of a root whose key is offline.
type Lists struct {
	DER   [][]byte
	Clock clock.Clock
}

// Status returns the first list that speaks of the certificate and has not run out.
func (l Lists) Status(_ context.Context, q Question) (Answer, error) {
	var failures []error
	for _, der := range l.DER {
		a := Answer{CRL: der}
		if _, err := a.Check(q, l.Clock.Now()); err != nil {
			failures = append(failures, err)
			continue
		}
		return a, nil
	}
	return Answer{}, away(q.Certificate, errors.Join(failures...))
}
