package service

import (
	"context"
	"crypto/rand"
	"time"

	"countersign/helpdesk"
	"countersign/helpdesk/intake"
	"countersign/internal/api"
	"countersign/kiosk/catalog"
	"countersign/mail/auth"
	"countersign/mail/message"
	"countersign/services"
)

// DeskOptions are what an organisation chooses about its helpdesk.
type DeskOptions struct {
	Address    string // the official mailbox; "" is the one of helpdesk/house.yaml
	AuthServID string // under which our border writes what it has checked; "" believes nobody
	Hops       int    // how many of our servers stand above that; 0 is 1
	Resolver   auth.Resolver
	Limits     intake.Limits // zero is intake.DefaultLimits
}

// openHelpdesk puts the helpdesk together: reader, reception, team.
func (s *Service) openHelpdesk(cat *catalog.Catalog, server *api.Server) error {
	o := s.Options.Desk
	categories, err := helpdesk.LoadCategories(services.Helpdesk)
	if err != nil {
		return err
	}
	house, err := intake.LoadHouse(services.Helpdesk)
	if err != nil {
		return err
	}
	offices, err := intake.LoadOffices(services.Files)
	if err != nil {
		return err
	}
	if o.Address == "" {
		o.Address = house.Mailbox
	}
	if o.Limits == (intake.Limits{}) {
		o.Limits = intake.DefaultLimits
	}
	secrets := &helpdesk.Secrets{Address: o.Address, Host: house.Domains[0], Rand: rand.Reader,
		Keys: []helpdesk.SecretKey{{ID: 'A', Bytes: s.Vault.Secret("helpdesk codes A")}}}
	working := helpdesk.Working{Days: cat.Calendar(), Hours: helpdesk.OfficeHours}
	s.Desk = &helpdesk.Team{Store: s.Store.Helpdesk(), Secrets: secrets, Categories: categories, Working: working,
		Numbering: helpdesk.DefaultNumbering, Clock: s.Options.Clock, Rand: rand.Reader, Changed: server.DeskChanged,
		Switchboard: helpdesk.Switchboard{Number: house.Switchboard, Extensions: house.Extensions}}
	s.Reception = &intake.Reception{Store: s.Store.Helpdesk(), Secrets: secrets, Categories: categories, Working: working,
		Numbering: helpdesk.DefaultNumbering, Clock: s.Options.Clock, Limits: o.Limits, Log: s.Options.Log, Changed: server.DeskChanged,
		Reader: &intake.Inspector{Limits: message.Default(), Offices: offices, Queues: house.Queues,
			Auth: auth.Policy{AuthServID: o.AuthServID, Hops: max(1, o.Hops), Resolver: o.Resolver, Own: house.Domains, Names: house.Names}}}
	server.Desk, server.Reception = s.Desk, s.Reception
	return s.Reception.Check()
}

// tendHelpdesk does what the helpdesk does by itself, once a minute: mails that an earlier stop left unread, those that were
// held, and telling of what is overdue.
func (s *Service) tendHelpdesk(ctx context.Context) {
	limit, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if _, err := s.Reception.Drain(limit); err != nil {
		s.Options.Log.Error("mails wait unread", "err", err)
		return
	}
	if _, err := s.Reception.ReleaseHeld(limit, heldAtOnce); err != nil {
		s.Options.Log.Error("held mails can't be let in", "err", err)
	}
	if _, err := s.Desk.Escalate(limit); err != nil {
		s.Options.Log.Error("what is overdue can't be told", "err", err)
	}
}

// heldAtOnce is how many held mails are let in a minute.
const heldAtOnce = 50
