package service

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"strconv"
	"strings"
	"time"

	"countersign/helpdesk"
	"countersign/helpdesk/genuine"
	"countersign/helpdesk/intake"
	"countersign/helpdesk/reply"
	"countersign/internal/api"
	"countersign/internal/fault"
	"countersign/kiosk/catalog"
	"countersign/mail/auth"
	"countersign/mail/message"
	"countersign/mail/smime"
	"countersign/services"
)

// DeskOptions are what an organisation chooses about its helpdesk.
type DeskOptions struct {
	Address    string   // the official mailbox; "" is the one of helpdesk/house.yaml
	Name       string   // of the team, in mails; "" is the first of house.yaml's names
	Hotline    string   // "" is house.yaml's switchboard
	Domains    []string // from which staff write; none are house.yaml's
	AuthServID string   // under which our border writes what it has checked; "" believes nobody
	Hops       int      // how many of our servers stand above that; 0 is 1
	Resolver   auth.Resolver
	Limits     intake.Limits // zero is intake.DefaultLimits
	Security   string        // address of the security officer; "" leaves reports of impostors to the log
	Lead       string        // address that hears of overdue requests; "" leaves them to the log
	Mail       MailOptions
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
	_, host, ok := strings.Cut(o.Address, "@")
	if !ok {
		return fault.New(fault.Invalid, "config.value", fault.Args{"key": "helpdesk.mailbox", "have": o.Address, "want": "hotro@kbnn.example"})
	}
	if len(o.Domains) > 0 {
		house.Domains = o.Domains
	} else if o.Address != house.Mailbox {
		house.Domains = []string{host}
	}
	secrets := &helpdesk.Secrets{Address: o.Address, Host: host, Rand: rand.Reader, Keys: s.deskSecrets()}
	working := helpdesk.Working{Days: cat.Calendar(), Hours: helpdesk.OfficeHours}
	roots := x509.NewCertPool()
	roots.AddCert(s.Root)
	s.Desk = &helpdesk.Team{Store: s.Store.Helpdesk(), Secrets: secrets, Categories: categories, Working: working,
		Numbering: helpdesk.DefaultNumbering, Clock: s.Options.Clock, Rand: rand.Reader, Lint: reply.Refuse, Changed: server.DeskChanged,
		Switchboard: helpdesk.Switchboard{Number: house.Switchboard, Extensions: house.Extensions}}
	s.Reception = &intake.Reception{Store: s.Store.Helpdesk(), Secrets: secrets, Categories: categories, Working: working,
		Numbering: helpdesk.DefaultNumbering, Clock: s.Options.Clock, Limits: o.Limits, Log: s.Options.Log, Changed: server.DeskChanged,
		Reader: &intake.Inspector{Limits: message.Default(), Offices: offices, Queues: house.Queues, SMIME: smime.Policy{Roots: roots},
			Auth: auth.Policy{AuthServID: o.AuthServID, Hops: max(1, o.Hops), Resolver: o.Resolver, Own: house.Domains, Names: house.Names}}}
	s.Genuine = &genuine.Office{Store: s.Store.Helpdesk(), Secrets: secrets, Roots: roots, Limits: genuine.DefaultLimits, Clock: s.Options.Clock,
		Rand: rand.Reader, Switchboard: s.Desk.Switchboard}
	s.Reception.Checks = s.Genuine
	server.Desk, server.Reception, server.Genuine = s.Desk, s.Reception, s.Genuine
	if err := s.Reception.Check(); err != nil {
		return err
	}
	return s.openMailroom(reply.House{Name: orElse(o.Name, house.Names[0]), Mailbox: o.Address, Hotline: orElse(o.Hotline, house.Switchboard)})
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// deskSecrets are the keys of check codes and reply addresses: one a year, this year's and the last one's.
func (s *Service) deskSecrets() []helpdesk.SecretKey {
	year := s.Options.Clock.Now().Year()
	var out []helpdesk.SecretKey
	for _, y := range []int{year, year - 1} {
		out = append(out, helpdesk.SecretKey{ID: helpdesk.KeyLetter(y), Bytes: s.Vault.Secret("helpdesk codes " + strconv.Itoa(y))})
	}
	return out
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
	s.Mailroom.alarm()
}

// heldAtOnce is how many held mails are let in a minute.
const heldAtOnce = 50
