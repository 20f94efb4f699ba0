package service

import (
	"context"
	"countersign/kiosk"
	"countersign/kiosk/catalog"
	"countersign/signing"
	"crypto/x509"
	"time"

	"countersign/internal/fault"
	"countersign/kiosk/workorder"
	"countersign/signing/seal"
	"countersign/signing/tsa"
)

// Sealing is the seal service as an installation needs it: the one in this process, or the client of another.
type Sealing interface {
	seal.Service
	// Settle decides what a stop left open.
	Settle(ctx context.Context) (seal.Settled, error)
}

// openSeals takes the seal service that the options name. In a process of its own it believes nobody who has not signed,
// so staff get keys of their own.
func (s *Service) openSeals(ctx context.Context, roots []*x509.Certificate, authority tsa.Authority, fonts workorder.Fonts) error {
	if c := s.Options.Sealer; c != nil {
		c.Kept, c.Waits = s.Hall.Kept, s.Hall.Waits
		s.Sealing, s.Hall.Seals, s.Hall.OwnKeys = c, c, true
		return nil
	}
	r := s.Store.Register()
	s.Seals = &seal.Local{Register: heldSeals{r, s}, Policy: r, Book: s.Store.Book(), Keys: s.Keys, Clock: s.Options.Clock, Authority: authority,
		Judge: seal.Verified(roots, s.Options.Clock), Kept: s.Hall.Kept, Look: seal.Drawn(clerkLines, fonts.Regular...), Least: leastRank(s.Hall.Catalog)}
	s.Sealing, s.Hall.Seals = s.Seals, s.Seals
	held, err := r.Held(ctx)
	if held {
		s.Seals.Suspend()
	}
	return err
}

// settleSeals settles with a sealer that was away or could not be told.
func (s *Service) settleSeals(ctx context.Context) {
	if s.Options.Sealer == nil {
		return
	}
	if err := s.Options.Sealer.Ready(ctx); err != nil {
		s.Options.Log.Warn("the seal service has not heard yet what became of its documents", "err", err)
	}
}

// ownSeals refuses what the keeper of another process's seals does there.
func (s *Service) ownSeals() error {
	if s.Seals == nil {
		return fault.New(fault.Conflict, "service.sealer_apart", nil)
	}
	return nil
}

// uses reads the book of the seals, wherever it is.
func (s *Service) uses(ctx context.Context, from, to time.Time) ([]seal.Use, error) {
	if s.Options.Sealer != nil {
		return s.Options.Sealer.Uses(ctx, from, to)
	}
	return s.Store.Book().Uses(ctx, from, to)
}

// leastRank tells the rank of a customer's confirmation that a service asks for.
func leastRank(cat *catalog.Catalog) func(string) signing.Rank {
	return func(number string) signing.Rank {
		service, ok := cat.Service(number)
		if !ok {
			return signing.OwnKey // nobody says that less will do
		}
		return kiosk.LeastRank(service)
	}
}
