// Package service puts the parts together: database, keys, certificates, hall, hub, jobs and API of one installation.
//
// Found makes a new installation; Open opens one. Nothing here decides anything about orders: it only hands the parts
// to each other. Start reading at Open.
package service

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"countersign/helpdesk"
	"countersign/helpdesk/genuine"
	"countersign/helpdesk/intake"
	"countersign/internal/api"
	"countersign/internal/backoffice"
	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/job"
	"countersign/internal/locale"
	"countersign/internal/sealer"
	"countersign/internal/store"
	"countersign/internal/vault"
	"countersign/kiosk"
	"countersign/kiosk/catalog"
	"countersign/kiosk/mirror"
	"countersign/kiosk/receipt"
	"countersign/kiosk/workorder"
	"countersign/mail/outbox"
	"countersign/services"
	"countersign/signing"
	"countersign/signing/augment"
	"countersign/signing/ca"
	"countersign/signing/journal"
	"countersign/signing/key"
	"countersign/signing/revoke"
	"countersign/signing/seal"
	"countersign/signing/tsa"
)

// Options say where an installation lies and what surrounds it.
type Options struct {
	Dir        string // data directory
	KeyFile    string // the vault, outside the data directory
	Passphrase []byte
	Units      []kiosk.Unit
	Own        fs.FS  // the operator's own services; may be nil
	CJKFont    string // TrueType file for Chinese; "" when no service needs it
	Mail       *outbox.Server
	Sender     receipt.Sender
	TSA        []string            // timestamp authorities in order
	TSATimeout time.Duration       // for each of them; 0 means 5 seconds
	TSARoots   []*x509.Certificate // whom their certificates lead to, beside the lists of trust
	PublicURL  string              // where the status of the house's certificates is served; goes into them
	Trust      TrustOptions
	LocalTSA   bool     // stamp in this process, for demonstrations; says so in the certificate
	Remotes    []Remote // providers of customers' and staff's keys
	BackOffice *backoffice.Client
	StandIn    bool // the back office is a stand-in: MÔ PHỎNG
	Printer    Printer
	Desk       DeskOptions
	Sealer     *sealer.Client // the seal service in a process of its own; nil: it is in this one
	Limits     kiosk.Limits
	Cost       kiosk.PasswordCost
	Clock      clock.Clock
	Log        *slog.Logger
	Beat       func() (<-chan time.Time, func())
	Jobs       job.Options
}

func (o Options) filled() Options {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Limits == (kiosk.Limits{}) {
		o.Limits = kiosk.DefaultLimits
	}
	if o.Cost == (kiosk.PasswordCost{}) {
		o.Cost = kiosk.StaffCost
	}
	if o.Beat == nil {
		o.Beat = api.Ticks
	}
	return o
}

// GCPercent is what a program that serves a hall sets with debug.SetGCPercent. What lives is a few megabytes, and each
// document is rubbish at once: with Go's own 100 a third of an order's time goes into collecting.
const GCPercent = 400

// Service is an open installation.
type Service struct {
	Options Options
	Vault   *vault.Vault
	Store   *store.Store
	Keys    *key.Store
	Hall    *kiosk.Hall
	Hub     *mirror.Hub
	Seals   *seal.Local // nil where another process seals
	Sealing Sealing
	Issuing *ca.Authority
	Root    *x509.Certificate
	Handler http.Handler
	// Desk and Reception are the helpdesk: what its people do, and what brings its mails in.
	Desk      *helpdesk.Team
	Reception *intake.Reception
	// Genuine answers whether something is really ours.
	Genuine  *genuine.Office
	Mailroom *Mailroom

	runner *job.Runner[kiosk.Tx]
	// Status tells whether a certificate was revoked: the house's from its register, others' from their authorities.
	Status revoke.Source

	house      *house
	publishing sync.WaitGroup // lists being written
	live       live
	journal    *journal.Signer
	public     note.Verifier
	augment    *augment.Augmenter
	night      string // the last night whose orders are in the queue to be raised
}

// The names of the keys and files of an installation.
const (
	keyRoot    = "ca-root"
	keyIssuing = "ca-issuing"
	keyTSA     = "tsa"
	keyJournal = "journal"

	fileRoot    = "ca/root.pem"
	fileIssuing = "ca/issuing.pem"
	fileTSA     = "ca/tsa.pem"
	dirKeys     = "keys"

	journalName = "countersign/journal"
)

// Open opens an installation and settles what a stop left half done.
func Open(ctx context.Context, o Options) (*Service, error) {
	o = o.filled()
	s := &Service{Options: o}
	_, err := os.Stat(filepath.Join(o.Dir, filepath.FromSlash(fileRoot)))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fault.Wrap(err, fault.NotFound, "service.not_founded", fault.Args{"dir": o.Dir})
	}
	if s.Vault, err = vault.Open(o.KeyFile, o.Passphrase); err != nil {
		return nil, err
	}
	if s.Store, err = store.Open(ctx, store.Options{Dir: o.Dir, Vault: s.Vault, Clock: o.Clock}); err != nil {
		return nil, err
	}
	if err := s.assemble(ctx); err != nil {
		return nil, errors.Join(err, s.Store.Close())
	}
	return s, nil
}

func (s *Service) assemble(ctx context.Context) error {
	o := s.Options
	if err := s.openKeys(); err != nil {
		return err
	}
	cat, err := catalog.Load(services.Files, o.Own)
	if err != nil {
		return err
	}
	fonts, err := loadFonts(o.CJKFont)
	if err != nil {
		return err
	}
	authority, err := s.authority()
	if err != nil {
		return err
	}
	units := map[string]kiosk.Unit{}
	for _, u := range o.Units {
		units[u.Code] = u
	}
	roots := s.roots()
	s.Hall = &kiosk.Hall{Store: s.Store, Catalog: cat, Units: units, Fonts: fonts, Clock: o.Clock, Rand: rand.Reader, Cost: o.Cost, Limits: o.Limits,
		OTP: s.Vault.Secret("otp"), Roots: roots, Head: s.head,
		Ceremony: &signing.Ceremony{Issuer: s.Issuing, Authority: authority, Clock: o.Clock, Keys: witnesses{s.Keys}}}
	if err := s.openHouse(ctx); err != nil {
		return err
	}
	s.openTrust()
	s.Hall.Owners = accepted{[]*x509.Certificate{s.Root}, []*x509.Certificate{s.Issuing.Certificate}, s.Hall}
	if err := s.openSeals(ctx, roots, authority, fonts); err != nil {
		return err
	}
	s.Hall.Remotes = customersRemotes(o.Remotes)
	s.Hall.OnErr = func(err error) { o.Log.Error("what goes on by itself failed", "err", err) }
	s.Hub = &mirror.Hub{Hall: s.Hall, Clock: o.Clock, Source: cat.SourceForCustomer,
		OnErr: func(err error) { o.Log.Error("a screen can't be drawn", "err", err) }}
	s.Hall.Watch = s.Hub
	if _, err := s.Sealing.Settle(ctx); err != nil && (s.Seals != nil || fault.KindOf(err) != fault.Unavailable) {
		return err
	}
	if err := s.Hall.Settle(ctx); err != nil {
		return err
	}
	if err := s.Store.Reclaim(ctx); err != nil {
		return err
	}
	s.openAugmenter(authority)
	s.runner = s.errands()
	server := &api.Server{Hall: s.Hall, Hub: s.Hub, Links: s, Evidence: s.Hall, Services: services.Files, Own: o.Own, Log: o.Log, Beat: o.Beat}
	if err := s.openHelpdesk(cat, server); err != nil {
		return err
	}
	handler, _ := api.New(server)
	s.Handler = beside(handler, s.PKI())
	return nil
}

// clerkLines are what the clerk's confirmation says in its field.
func clerkLines(c seal.Clerk, at time.Time) []string {
	return []string{locale.Text(locale.Vietnamese, "stamp.clerk", nil), c.Name, c.StaffID, at.In(clock.Vietnam).Format("2006-01-02 15:04:05 -07:00")}
}

// openKeys opens the keys and certificates that Found made.
func (s *Service) openKeys() error {
	o := s.Options
	var err error
	if s.Keys, err = key.New(filepath.Join(o.Dir, dirKeys), s.Vault); err != nil {
		return err
	}
	root, err := s.certificates(fileRoot)
	if err != nil {
		return err
	}
	issuing, err := s.certificates(fileIssuing)
	if err != nil {
		return err
	}
	s.Root = root[0]
	if s.Issuing, err = s.openIssuing(issuing[0], fileIssuing); err != nil {
		return err
	}
	signer, err := s.Keys.Signer(keyJournal)
	if err != nil {
		return err
	}
	if s.journal, err = journal.NewSigner(journalName, signer); err != nil {
		return err
	}
	public, ok := signer.Public().(ed25519.PublicKey)
	if !ok {
		return errors.New("open the journal's key: it is not Ed25519")
	}
	s.public, err = journal.NewVerifier(journalName, public)
	return err
}

func (s *Service) certificates(name string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(filepath.Join(s.Options.Dir, filepath.FromSlash(name)))
	if err != nil {
		return nil, s.badFile(err, name)
	}
	list, err := ca.Certificates(data)
	if err != nil {
		return nil, s.badFile(err, name)
	}
	return list, nil
}

// badFile tells of a file of the installation that only a backup can put right.
func (s *Service) badFile(err error, name string) error {
	return fault.Wrap(err, fault.Internal, "service.certificate", fault.Args{"file": filepath.Join(s.Options.Dir, filepath.FromSlash(name))})
}

// authority is what stamps signatures: others' authorities, the local one, or none.
func (s *Service) authority() (tsa.Authority, error) {
	if len(s.Options.TSA) > 0 {
		client, err := tsa.NewClient(s.Options.TSA, cmp.Or(s.Options.TSATimeout, 5*time.Second), rand.Reader)
		if err == nil && len(s.Options.TSARoots)+len(s.Options.Trust.Lists.All()) > 0 {
			client.Trust(s.roots())
		}
		return client, err
	}
	if !s.Options.LocalTSA {
		return nil, nil
	}
	private, err := s.Keys.Signer(keyTSA)
	if err != nil {
		return nil, err
	}
	chain, err := s.certificates(fileTSA)
	if err != nil {
		return nil, err
	}
	return tsa.NewLocal(private, chain, s.Options.Clock, rand.Reader)
}

func loadFonts(cjk string) (workorder.Fonts, error) {
	if cjk == "" {
		return workorder.NewFonts()
	}
	data, err := os.ReadFile(cjk)
	if err != nil {
		return workorder.Fonts{}, fmt.Errorf("read the font for Chinese: %w", err)
	}
	return workorder.NewFonts(data)
}

// head verifies the journal and tells its root.
func (s *Service) head(ctx context.Context) (string, bool, error) {
	r, err := s.VerifyJournal(ctx, nil)
	return r.Root.String(), r.OK(), err
}

// VerifyJournal recomputes the journal against its checkpoints, and against those that others kept.
func (s *Service) VerifyJournal(ctx context.Context, outside [][]byte) (journal.Report, error) {
	return s.Store.VerifyJournal(ctx, s.public, outside)
}

// Checkpoint signs the journal as it stands.
func (s *Service) Checkpoint(ctx context.Context) ([]byte, error) {
	return s.Store.Checkpoint(ctx, s.journal)
}

// checkpointEvery is how long an entry may stand without a signed checkpoint above it.
const checkpointEvery = time.Minute

// Run carries out jobs and signs checkpoints until ctx ends; then it signs the last one.
func (s *Service) Run(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.runner.Run(ctx)
	}()
	mails := make(chan struct{})
	go func() {
		defer close(mails)
		s.Mailroom.run(ctx)
	}()
	t := time.NewTicker(checkpointEvery)
	defer t.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-t.C:
			s.checkpoint(ctx)
			s.lockIdle(ctx)
			s.nightly(ctx)
			s.tendHelpdesk(ctx)
			s.house.due(ctx)
			if err := s.StampWaiting(ctx); err != nil {
				s.Options.Log.Error("files that wait for a timestamp are not looked at", "err", err)
			}
			s.settleSeals(ctx)
		}
	}
	<-done
	<-mails
	s.checkpoint(context.WithoutCancel(ctx))
}

// lockIdle locks the counters at which nobody has pressed a key for too long.
func (s *Service) lockIdle(ctx context.Context) {
	for _, at := range s.Hub.Idle(s.Options.Limits.Idle) {
		if err := s.Hall.LockIdle(ctx, at[0], at[1]); err != nil {
			s.Options.Log.Error("an idle counter can't be locked", "err", err)
		}
	}
}

func (s *Service) checkpoint(ctx context.Context) {
	if _, err := s.Checkpoint(ctx); err != nil {
		s.Options.Log.Error("the journal has no new checkpoint", "err", err)
	}
}

// Close gives up what customers' telephones are asked, and closes the database after the last list was written.
func (s *Service) Close() error {
	s.Hall.Close()
	s.publishing.Wait()
	return s.Store.Close()
}
