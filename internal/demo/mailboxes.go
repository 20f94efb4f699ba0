package demo

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// borderName is under which the demonstration's mail server writes what it knows of a sender (RFC 8601).
const borderName = "mail.demo.example"

// imapHouse keeps the accounts' mailboxes in memory and serves them over IMAP.
type imapHouse struct {
	users  map[string]*imapmemserver.User
	server *imapserver.Server
	addr   string
}

// openIMAP makes an empty mailbox for each account and listens on a free port of this machine. Its UIDs begin anew with
// each start, so the mailboxes get another UIDVALIDITY once earlier mails lie about.
func openIMAP(accounts map[string]string, earlier int) (*imapHouse, error) {
	h := &imapHouse{users: map[string]*imapmemserver.User{}}
	memory := imapmemserver.New()
	for address, password := range accounts {
		u := imapmemserver.NewUser(address, password)
		if err := u.Create("INBOX", nil); err != nil {
			return nil, fmt.Errorf("make the mailbox of the demo: %w", err)
		}
		for range earlier {
			if err := errors.Join(u.Delete("INBOX"), u.Create("INBOX", nil)); err != nil {
				return nil, fmt.Errorf("make the mailbox of the demo: %w", err)
			}
		}
		h.users[address] = u
		memory.AddUser(u)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the demo's IMAP server: %w", err)
	}
	h.addr = l.Addr().String()
	h.server = imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return memory.NewSession(), nil, nil
		},
		Caps:         imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIMAP4rev2: {}},
		InsecureAuth: true, Logger: log.New(io.Discard, "", 0),
	})
	go func() {
		// Serve ends when the server is closed, which is how it is stopped.
		_ = h.server.Serve(l)
	}()
	return h, nil
}

func (h *imapHouse) close() error { return h.server.Close() }

// deliver puts a mail into the mailbox of whoever has the address, without its tag; others have none. What the border says
// of the sender stands above the mail: one who signed in may use the own address only, and of all others nothing is known.
func (h *imapHouse) deliver(to, signedIn string, raw []byte) error {
	name, host, _ := strings.Cut(to, "@")
	name, _, _ = strings.Cut(name, "+")
	u := h.users[name+"@"+host]
	if u == nil {
		return nil
	}
	result := "none"
	if _, domain, ok := strings.Cut(signedIn, "@"); ok {
		if from, err := sender(raw); err != nil || from != signedIn {
			result = "auth=pass smtp.auth=" + signedIn + "; dmarc=fail header.from=" + domain
		} else {
			result = "auth=pass smtp.auth=" + signedIn + "; dmarc=pass header.from=" + domain
		}
	}
	head := fmt.Sprintf("Delivered-To: %s\r\nReceived: by %s (MO PHONG); %s\r\nAuthentication-Results: %s; %s\r\n",
		to, borderName, time.Now().Format("Mon, 02 Jan 2006 15:04:05 -0700"), borderName, result)
	_, err := u.Append("INBOX", literal{strings.NewReader(head + string(raw))}, &imap.AppendOptions{})
	if err != nil {
		return fmt.Errorf("deliver a mail of the demo: %w", err)
	}
	return nil
}

// literal is a mail as the library takes it.
type literal struct{ *strings.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }
