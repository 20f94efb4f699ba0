package service

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"net"
	"strings"
	"sync"
	"time"

	"countersign/helpdesk"
	"countersign/helpdesk/reply"
	"countersign/internal/fault"
	"countersign/internal/job"
	"countersign/mail/dkim"
	"countersign/mail/fetch"
	"countersign/mail/outbox"
	"countersign/signing/key"
)

// MailOptions are where support mail comes from and how ours leaves. The zero value neither fetches nor sends: what is
// written waits in the outbox.
type MailOptions struct {
	Server   *outbox.Server
	Selector string        // of the DKIM key; "" leaves that signature to the border's own server
	Stale    time.Duration // after which a mailbox that could not be read is an alarm; 0 is five minutes

	IMAP      []fetch.IMAP // Keeper, Clock and Report are filled in
	Dirs      []fetch.Dir
	Listeners []MailListener
}

// MailListener is an address on which the house's own mail server hands mail over.
type MailListener struct {
	fetch.Listener
	On net.Listener
}

// Mailroom fetches the helpdesk's mail and sends its answers.
type Mailroom struct {
	Postman *reply.Postman
	DKIM    *dkim.Key // nil when the border signs

	options MailOptions
	service *Service
	runner  *job.Runner[helpdesk.Tx]
	woken   chan struct{}
	began   time.Time

	mu     sync.Mutex
	health map[string]fetch.Health
}

const (
	keyDKIM    = "dkim"
	staleAfter = 5 * time.Minute
	// mailWorkers is how many mails are on their way at once: enough to share each fsync.
	mailWorkers = 16
)

// openMailroom puts together what the helpdesk's mails pass.
func (s *Service) openMailroom(house reply.House) error {
	o := s.Options.Desk.Mail
	m := &Mailroom{options: o, service: s, woken: make(chan struct{}, 1), began: s.Options.Clock.Now(), health: map[string]fetch.Health{}}
	writer := &reply.Writer{House: house, Secrets: s.Desk.Secrets, Identities: &mailKeys{service: s, house: house}, Roots: x509.NewCertPool(),
		Clock: s.Options.Clock, Rand: rand.Reader}
	writer.Roots.AddCert(s.Root)
	if o.Selector != "" {
		private, err := s.Keys.Signer(keyDKIM)
		if fault.KindOf(err) == fault.NotFound {
			private, err = s.Keys.Create(keyDKIM, key.RSA2048)
		}
		if err != nil {
			return err
		}
		m.DKIM = &dkim.Key{Domain: s.Desk.Secrets.Host, Selector: o.Selector, Signer: private}
		writer.Sealer = m.DKIM
	}
	s.Desk.Compose = writer.Preview
	m.Postman = &reply.Postman{Store: s.Store.Helpdesk(), Writer: writer, Refused: outbox.ErrRefused, Clock: s.Options.Clock, Log: s.Options.Log,
		Changed: s.Desk.Changed}
	kinds := map[string]job.Kind[helpdesk.Tx]{
		helpdesk.SuspicionJob:  {Handle: m.tellOfSuspicion},
		helpdesk.EscalationJob: {Handle: m.tellOfOverdue},
	}
	if o.Server != nil {
		m.Postman.Server = o.Server
		kinds[helpdesk.MailJob] = job.Kind[helpdesk.Tx]{Handle: m.Postman.Handle, Workers: mailWorkers}
	}
	options := s.Options.Jobs
	options.Clock = s.Options.Clock
	options.Failed = func(kind string, id int64, err error) {
		s.Options.Log.Warn("a mail of the helpdesk did not leave", "kind", kind, "id", id, "code", fault.CodeOf(err))
	}
	m.runner = job.NewRunner(s.Store.Helpdesk(), kinds, options)
	s.Mailroom = m
	return nil
}

// keeper makes what was fetched durable, and wakes the reading of it.
type keeper struct{ m *Mailroom }

// Position tells the fetcher where the mailbox stands.
func (k keeper) Position(ctx context.Context, mailbox string) (at fetch.Position, err error) {
	err = k.m.service.Store.Helpdesk().View(ctx, func(tx helpdesk.Tx) error {
		box, err := tx.Mailbox(mailbox)
		if err == nil {
			at = fetch.Position{Validity: box.UIDValidity, Last: box.UID}
		}
		return err
	})
	return at, err
}

// Keep stores a batch.
func (k keeper) Keep(ctx context.Context, b fetch.Batch) error {
	list := make([]helpdesk.Arrival, len(b.Mails))
	for i, one := range b.Mails {
		list[i] = helpdesk.Arrival{Mailbox: b.Mailbox, UIDValidity: b.Position.Validity, UID: one.UID, At: one.Arrived, Raw: one.Raw, Whole: one.Size}
		if p := one.Path; p != nil {
			list[i].Envelope = helpdesk.Envelope{From: orNull(p.From), To: strings.Join(p.To, ","), Client: p.Client.String(), Hello: p.Hello}
		}
	}
	if _, err := k.m.service.Reception.Arrive(ctx, list); err != nil {
		return err
	}
	k.m.wake()
	return nil
}

// orNull writes the empty return path as it stands on the wire.
func orNull(from string) string {
	if from == "" {
		return "<>"
	}
	return from
}

func (m *Mailroom) wake() {
	select {
	case m.woken <- struct{}{}:
	default:
	}
}

// run fetches, files and sends mails until the context ends.
func (m *Mailroom) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { m.runner.Run(ctx) })
	log, clock := m.service.Options.Log, m.service.Options.Clock
	ends := func(what, name string, err error) {
		if ctx.Err() == nil {
			log.Error("a way in for mail ended", "way", what, "name", name, "err", err)
		}
	}
	for _, box := range m.options.IMAP {
		box.Keeper, box.Clock, box.Report = keeper{m}, clock, m.report
		wg.Go(func() { ends("imap", box.Name, box.Run(ctx)) })
	}
	for _, dir := range m.options.Dirs {
		dir.Keeper, dir.Clock, dir.Report = keeper{m}, clock, m.report
		wg.Go(func() { ends("directory", dir.Name, dir.Run(ctx)) })
	}
	for _, l := range m.options.Listeners {
		l.Keeper, l.Clock, l.Log = keeper{m}, clock, log
		wg.Go(func() { ends("listener", l.On.Addr().String(), l.Serve(ctx, l.On)) })
	}
	for m.wake(); ctx.Err() == nil; {
		select {
		case <-ctx.Done():
		case <-m.woken:
			if _, err := m.service.Reception.Drain(ctx); err != nil && ctx.Err() == nil {
				log.Error("mails can't be filed", "err", err)
			}
		}
	}
}

func (m *Mailroom) report(h fetch.Health) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.health[h.Mailbox] = h
}

// Health tells of every mailbox whether it is read: what the desk's screens and the alarm go by.
func (m *Mailroom) Health() []fetch.Health {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []fetch.Health
	for _, h := range m.health {
		out = append(out, h)
	}
	return out
}

// alarm tells the log, which is not mail, of each mailbox that was not read for too long: the operator's monitoring goes
// by it.
func (m *Mailroom) alarm() {
	patience := m.options.Stale
	if patience == 0 {
		patience = staleAfter
	}
	now := m.service.Options.Clock.Now()
	for _, h := range m.Health() {
		if h.Stale(now, m.began, patience) {
			m.service.Options.Log.Error("a mailbox is not read", "mailbox", h.Mailbox, "since", h.Good, "err", h.Err)
		}
	}
}
