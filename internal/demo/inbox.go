package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"countersign/mail/message"
)

// Inbox is the mail server of the demonstration (MÔ PHỎNG): it takes every mail over SMTP, keeps it as a file, and refuses
// what is sent to an address that begins with "bounce". The people in Accounts also read theirs over IMAP.
type Inbox struct {
	Dir      string
	Accounts map[string]string // passwords, by address

	mu    sync.Mutex
	mails int
	boxes map[string][]Letter // by address
	fresh chan struct{}       // closed when the next mail has come
	smtp  *smtp.Server
	addr  string
	imap  *imapHouse
}

// Letter is one mail as it came.
type Letter struct {
	To   string
	Raw  []byte
	File string
	n    int // how many mails had come before
}

// Start listens on a free port of this machine.
func (in *Inbox) Start() error {
	if err := os.MkdirAll(in.Dir, 0o700); err != nil {
		return fmt.Errorf("make the inbox: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start the mail server: %w", err)
	}
	old, err := filepath.Glob(filepath.Join(in.Dir, "*.eml"))
	if err != nil {
		return errors.Join(err, l.Close())
	}
	in.mails = len(old)
	in.fresh, in.boxes = make(chan struct{}), map[string][]Letter{}
	if in.imap, err = openIMAP(in.Accounts, in.mails); err != nil {
		return errors.Join(err, l.Close())
	}
	in.addr = l.Addr().String()
	in.smtp = smtp.NewServer(in)
	in.smtp.Domain = "mail.demo.example"
	in.smtp.AllowInsecureAuth = true
	in.smtp.MaxMessageBytes = 32 << 20
	in.smtp.ErrorLog = log.New(io.Discard, "", 0)
	go func() {
		// Serve ends with an error when the listener is closed, which is how it is stopped.
		_ = in.smtp.Serve(l)
	}()
	return nil
}

// Addr is host:port.
func (in *Inbox) Addr() string { return in.addr }

// IMAP is host:port of where the accounts' mails are read.
func (in *Inbox) IMAP() string { return in.imap.addr }

// Close stops the server.
func (in *Inbox) Close() error { return errors.Join(in.smtp.Close(), in.imap.close()) }

// NewSession begins a conversation; the name is the library's.
func (in *Inbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &letterbox{inbox: in}, nil }

// letterbox takes the mails of one connection.
type letterbox struct {
	inbox *Inbox
	user  string // who signed in; "" for another house's server
	to    []string
}

// AuthMechanisms and Auth let the accounts' owners hand in mails; the names are the library's.
func (l *letterbox) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth begins a sign-in.
func (l *letterbox) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if want, ok := l.inbox.Accounts[user]; !ok || want != password {
			return smtp.ErrAuthFailed
		}
		l.user = user
		return nil
	}), nil
}

func (l *letterbox) Mail(string, *smtp.MailOptions) error { l.to = nil; return nil }

func (l *letterbox) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "bounce") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user here"}
	}
	l.to = append(l.to, to)
	return nil
}

func (l *letterbox) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	for _, to := range l.to {
		if err := l.inbox.imap.deliver(to, l.user, raw); err != nil {
			return err
		}
		if err := l.inbox.keep(to, raw); err != nil {
			return err
		}
	}
	return nil
}

func (l *letterbox) Reset()        { l.to = nil }
func (l *letterbox) Logout() error { return nil }

func (in *Inbox) keep(to string, raw []byte) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	name := filepath.Join(in.Dir, fmt.Sprintf("%04d.eml", in.mails+1))
	if err := os.WriteFile(name, raw, 0o600); err != nil {
		return err
	}
	in.boxes[to] = append(in.boxes[to], Letter{To: to, Raw: raw, File: name, n: in.mails})
	in.mails++
	close(in.fresh)
	in.fresh = make(chan struct{})
	return nil
}

var codeLine = regexp.MustCompile(`(?:Mã xác nhận|Confirmation code|驗證碼)[:：] ?(\d{6})`)

// find waits for a mail to an address whose text matches, from the n-th mail on, and returns the first group. Many may
// wait at a time.
func (in *Inbox) find(ctx context.Context, to string, from int, match *regexp.Regexp) (string, Letter, error) {
	seen := 0
	for {
		in.mu.Lock()
		mails, fresh := in.boxes[to], in.fresh
		in.mu.Unlock()
		for _, m := range mails[seen:] {
			if m.n < from {
				continue
			}
			if found := match.FindStringSubmatch(message.Parse(m.Raw, message.Limits{}).Text); found != nil {
				return found[1], m, nil
			}
		}
		seen = len(mails)
		select {
		case <-ctx.Done():
			return "", Letter{}, fmt.Errorf("no such mail has come to %s: %w", to, ctx.Err())
		case <-fresh:
		}
	}
}

// Count is how many mails have come.
func (in *Inbox) Count() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.mails
}

// Code waits for the mail with a one-time code, as the customer would look into the own mailbox; from is how many mails
// had come before.
func (in *Inbox) Code(ctx context.Context, to string, from int) (string, error) {
	code, _, err := in.find(ctx, to, from, codeLine)
	return code, err
}

// Receipt waits for the mail with the signed file of an order.
func (in *Inbox) Receipt(ctx context.Context, to, number string) (Letter, error) {
	_, letter, err := in.find(ctx, to, 0, regexp.MustCompile(`(`+regexp.QuoteMeta(number)+`)[\s\S]*PDF`))
	return letter, err
}
