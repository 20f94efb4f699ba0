package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"countersign/internal/clock"
)

// Listener takes mail that the house's own mail server hands over: LMTP (RFC 2033) or SMTP. It answers 250 after the mail
// was kept, 4xx when it could not be kept now, and 550 for an address that is nobody's here; it relays nothing.
type Listener struct {
	Hello     string                       // our own name
	LMTP      bool                         // one answer a recipient
	Mailboxes map[string]string            // address in lower case, without a +tag: name of the mailbox in the records
	TLS       *tls.Config                  // nil: none is offered
	Trusted   func(client netip.Addr) bool // who may hand over; nil: this machine only
	Limit     int64
	Patience  time.Duration // for a client's next line; 0 means two minutes

	Keeper Keeper
	Clock  clock.Clock
	Log    *slog.Logger
}

// Serve answers on the listener until the context ends.
func (l *Listener) Serve(ctx context.Context, on net.Listener) error {
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return l.greet(ctx, c) }))
	s.Domain, s.LMTP, s.TLSConfig = l.Hello, l.LMTP, l.TLS
	s.MaxMessageBytes, s.MaxRecipients = orElse(l.Limit, DefaultLimit), 100
	s.ReadTimeout, s.WriteTimeout = orElse(l.Patience, 2*time.Minute), orElse(l.Patience, 2*time.Minute)
	s.EnableSMTPUTF8, s.ErrorLog = true, quiet{l.Log}
	// Real mails have longer lines than RFC 5321 allows; what to make of them is for who reads the mail.
	s.MaxLineLength = 1 << 20
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	err := s.Serve(on)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// quiet tells the log that a connection failed, but not what was said in it.
type quiet struct{ log *slog.Logger }

func (q quiet) Printf(string, ...any) { q.log.Warn("a mail connection failed") }
func (q quiet) Println(...any)        { q.log.Warn("a mail connection failed") }

var (
	errStranger = &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "mail is taken from our own mail server only"}
	errNobody   = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox here"}
	errLater    = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "the mail could not be stored, try again"}
)

func (l *Listener) greet(ctx context.Context, c *smtp.Conn) (smtp.Session, error) {
	client, err := netip.ParseAddrPort(c.Conn().RemoteAddr().String())
	addr := client.Addr().Unmap()
	switch {
	case err != nil && c.Conn().RemoteAddr().Network() != "unix":
		return nil, errStranger
	case err == nil && l.Trusted == nil && !addr.IsLoopback(), l.Trusted != nil && !l.Trusted(addr):
		return nil, errStranger
	}
	return &visit{ctx: ctx, l: l, path: Path{Client: addr, Hello: c.Hostname()}}, nil
}

// visit is one connection of the house's mail server.
type visit struct {
	ctx   context.Context
	l     *Listener
	path  Path
	boxes []string // of each accepted recipient
}

func (v *visit) Reset()        { v.path.From, v.path.To, v.boxes = "", nil, nil }
func (v *visit) Logout() error { return nil }

func (v *visit) Mail(from string, _ *smtp.MailOptions) error {
	v.path.From = from
	return nil
}

func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	box, ok := v.l.Mailboxes[plain(to)]
	if !ok {
		return errNobody
	}
	v.path.To, v.boxes = append(v.path.To, to), append(v.boxes, box)
	return nil
}

// plain is an address in lower case without its +tag, which says something about a ticket and nothing about the mailbox.
func plain(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return strings.ToLower(address)
	}
	local, _, _ := strings.Cut(address[:at], "+")
	return strings.ToLower(local + address[at:])
}

func (v *visit) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return tooLarge(err)
	}
	path := v.path
	path.To = slices.Clone(v.path.To)
	mail := Mail{Arrived: v.l.Clock.Now(), Raw: raw, Size: int64(len(raw)), Path: &path}
	for _, box := range slices.Compact(slices.Sorted(slices.Values(v.boxes))) {
		if err := v.l.Keeper.Keep(v.ctx, Batch{Mailbox: box, Mails: []Mail{mail}}); err != nil {
			v.l.Log.Error("a mail that was handed over could not be kept", "mailbox", box, "err", err)
			return errLater
		}
	}
	return nil
}

// tooLarge passes on the library's refusal of a mail above the limit; a client that broke off gets nothing kept.
func tooLarge(err error) error {
	if refusal := (*smtp.SMTPError)(nil); errors.As(err, &refusal) {
		return refusal
	}
	return errLater
}
