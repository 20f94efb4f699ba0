package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
)

// session is one signed-in connection with the folder open.
type session struct {
	name     string
	conn     net.Conn
	client   *imapclient.Client
	limbo    time.Duration
	validity uint32
	keywords bool          // the folder takes new keywords
	changed  chan struct{} // the server said that there are mails
}

// open connects, signs in and opens the folder.
func (m *IMAP) open(ctx context.Context) (*session, error) {
	s := &session{name: m.Name, limbo: orElse(m.Limbo, DefaultLimbo), changed: make(chan struct{}, 1)}
	if err := s.enter(ctx, m); err != nil {
		s.close()
		return nil, fmt.Errorf("mailbox %s at %s: %w", m.Name, m.Addr, err)
	}
	return s, nil
}

func (s *session) enter(ctx context.Context, m *IMAP) error {
	if err := s.connect(ctx, m); err != nil {
		return err
	}
	secret, err := m.Secret(ctx)
	if err != nil {
		return fmt.Errorf("read the password: %w", err)
	}
	err = s.within(ctx, func() error {
		if m.OAuth {
			return s.client.Authenticate(&bearer{user: m.User, token: secret})
		}
		return s.client.Login(m.User, secret).Wait()
	})
	if refusal := (*imap.Error)(nil); errors.As(err, &refusal) {
		return fmt.Errorf("%w: %s", ErrLogin, refusal.Text)
	}
	if err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	var folder *imap.SelectData
	err = s.within(ctx, func() error {
		folder, err = s.client.Select(orElse(m.Folder, "INBOX"), &imap.SelectOptions{ReadOnly: orElse(m.After, Leave) == Leave}).Wait()
		return err
	})
	if refusal := (*imap.Error)(nil); errors.As(err, &refusal) {
		return fmt.Errorf("%w %s: %s", ErrMailbox, orElse(m.Folder, "INBOX"), refusal.Text)
	}
	if err != nil {
		return fmt.Errorf("open the folder: %w", err)
	}
	s.validity = folder.UIDValidity
	s.keywords = slices.Contains(folder.PermanentFlags, imap.FlagWildcard)
	return nil
}

// connect makes the connection and reads the greeting. It falls back to nothing: where TLS is asked for and not offered,
// the password stays here.
func (s *session) connect(ctx context.Context, m *IMAP) error {
	host, _, err := net.SplitHostPort(m.Addr)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); m.TLS == "none" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return ErrInClear
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if m.Config != nil {
		config = m.Config.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = host
	}
	if s.conn, err = (&net.Dialer{Timeout: s.limbo}).DialContext(ctx, "tcp", m.Addr); err != nil {
		return err
	}
	options := &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{Mailbox: s.heard}}
	return s.within(ctx, func() error {
		switch m.TLS {
		case "tls":
			safe := tls.Client(s.conn, config)
			if err := safe.HandshakeContext(ctx); err != nil {
				return err
			}
			s.client = imapclient.New(safe, options)
		case "starttls":
			options.TLSConfig = config
			s.client, err = imapclient.NewStartTLS(s.conn, options)
			return err
		case "none":
			s.client = imapclient.New(s.conn, options)
		default:
			return fmt.Errorf("tls is %q; it is tls, starttls or none", m.TLS)
		}
		return s.client.WaitGreeting()
	})
}

// heard runs in the library's reader and must not wait.
func (s *session) heard(d *imapclient.UnilateralDataMailbox) {
	if d.NumMessages == nil {
		return
	}
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *session) close() {
	if s.client != nil {
		s.client.Close()
	}
	if s.conn != nil {
		s.conn.Close()
	}
}

// within runs a command and cuts the connection when the context ends or the server stays silent: the library itself
// would wait for ever for the first byte of an answer.
func (s *session) within(ctx context.Context, command func() error) error {
	limited, cancel := context.WithTimeout(ctx, s.limbo)
	defer cancel()
	stop := context.AfterFunc(limited, func() { s.conn.Close() })
	defer stop()
	err := command()
	if err != nil && limited.Err() != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("the server took more than %s: %w", s.limbo, err)
	}
	return err
}

// above returns the UIDs above the last one kept, ascending.
func (s *session) above(ctx context.Context, last uint32) ([]imap.UID, error) {
	var set imap.UIDSet
	set.AddRange(imap.UID(last)+1, 0) // 0 is "*"
	var found []imap.UID
	err := s.within(ctx, func() error {
		data, err := s.client.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{set}}, nil).Wait()
		if err == nil {
			found = data.AllUIDs()
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the mails of %s: %w", s.name, err)
	}
	// "5:*" means the last mail too when there is none above 4 (RFC 9051, 9: seq-range has no order).
	found = slices.DeleteFunc(found, func(u imap.UID) bool { return uint32(u) <= last })
	slices.Sort(found)
	return slices.Compact(found), nil
}

// sized is a mail that is to be brought.
type sized struct {
	uid     uint32
	size    int64
	arrived time.Time
}

// sizes asks how large the mails are; those that are gone by now are left out.
func (s *session) sizes(ctx context.Context, uids []imap.UID) ([]sized, error) {
	var out []sized
	err := s.within(ctx, func() error {
		command := s.client.Fetch(imap.UIDSetNum(uids...), &imap.FetchOptions{UID: true, RFC822Size: true, InternalDate: true})
		defer command.Close()
		for data := command.Next(); data != nil; data = command.Next() {
			one, err := data.Collect()
			if err != nil {
				return err
			}
			out = append(out, sized{uid: uint32(one.UID), size: one.RFC822Size, arrived: one.InternalDate})
		}
		return command.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("ask for the sizes of the mails of %s: %w", s.name, err)
	}
	// The server may also tell of mails that nobody asked for, as another program changes their flags.
	out = slices.DeleteFunc(out, func(m sized) bool { return !slices.Contains(uids, imap.UID(m.uid)) })
	slices.SortFunc(out, func(a, b sized) int { return int(int64(a.uid) - int64(b.uid)) })
	return slices.CompactFunc(out, func(a, b sized) bool { return a.uid == b.uid }), nil
}

// groups cuts the list so that what is brought at once stays small, whatever the backlog.
func groups(mails []sized, limit int64, most int) [][]sized {
	var out [][]sized
	var bytes int64
	from := 0
	for i, m := range mails {
		size := m.size
		if size > limit {
			size = headOnly
		}
		if i > from && (bytes+size > atOnce || i-from >= most) {
			out, from, bytes = append(out, mails[from:i]), i, 0
		}
		bytes += size
	}
	if from < len(mails) {
		out = append(out, mails[from:])
	}
	return out
}

// bring fetches the mails of a group whole, and the beginning of those above the limit. Where the connection broke on this
// group, which is one mail then, again and again, it asks for less: for the beginning at first, and for nothing at last, so
// that the mail is seen at least and holds up no other.
func (s *session) bring(ctx context.Context, group []sized, limit int64, less int) ([]Mail, error) {
	var whole, long imap.UIDSet
	mails := make([]Mail, 0, len(group))
	place := map[uint32]int{}
	for _, g := range group {
		switch {
		case less > 1:
			mails = append(mails, Mail{UID: g.uid, Arrived: g.arrived, Raw: []byte{}, Size: max(g.size, 1)})
			continue
		case less > 0 || g.size > limit:
			long.AddNum(imap.UID(g.uid))
		default:
			whole.AddNum(imap.UID(g.uid))
		}
		place[g.uid] = len(mails)
		mails = append(mails, Mail{UID: g.uid, Arrived: g.arrived, Size: g.size})
	}
	for _, ask := range []struct {
		set     imap.UIDSet
		section imap.FetchItemBodySection
	}{{whole, imap.FetchItemBodySection{Peek: true}}, {long, imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Size: headOnly}}}} {
		if len(ask.set) == 0 {
			continue
		}
		if err := s.read(ctx, ask.set, &ask.section, mails, place); err != nil {
			return nil, fmt.Errorf("bring mails of %s: %w", s.name, err)
		}
	}
	// Who was asked for and not brought was removed by another program meanwhile.
	return slices.DeleteFunc(mails, func(m Mail) bool { return m.Raw == nil }), nil
}

// read fetches one section of several mails into their places.
func (s *session) read(ctx context.Context, set imap.UIDSet, section *imap.FetchItemBodySection, mails []Mail, place map[uint32]int) error {
	return s.within(ctx, func() error {
		command := s.client.Fetch(set, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
		defer command.Close()
		for data := command.Next(); data != nil; data = command.Next() {
			var uid imap.UID
			var raw []byte
			for item := data.Next(); item != nil; item = data.Next() {
				switch item := item.(type) {
				case imapclient.FetchItemDataUID:
					uid = item.UID
				case imapclient.FetchItemDataBodySection:
					if item.Literal == nil {
						continue
					}
					raw = make([]byte, item.Literal.Size())
					if _, err := io.ReadFull(item.Literal, raw); err != nil {
						return err
					}
				}
			}
			i, asked := place[uint32(uid)]
			if !asked || raw == nil {
				continue
			}
			mails[i].Raw = raw
			if section.Partial == nil {
				// What the server says of sizes is at times wrong; what it sent is what there is.
				mails[i].Size = int64(len(raw))
			}
		}
		return command.Close()
	})
}

// tell marks or moves mails that are kept.
func (s *session) tell(ctx context.Context, mails []Mail, after After, folder string) error {
	if orElse(after, Leave) == Leave || len(mails) == 0 {
		return nil
	}
	var set imap.UIDSet
	for _, m := range mails {
		set.AddNum(imap.UID(m.UID))
	}
	err := s.within(ctx, func() error {
		if after == Move {
			_, err := s.client.Move(set, folder).Wait()
			return err
		}
		flags := []imap.Flag{imap.FlagSeen}
		if s.keywords {
			flags = append(flags, Keyword)
		}
		return s.client.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: flags}, nil).Close()
	})
	if err != nil {
		return fmt.Errorf("%s kept mails of %s on the server: %w", after, s.name, err)
	}
	return nil
}

// news returns when the server says that there are mails, and after the poll in any case: some servers push nothing, and a
// connection may be dead without either side knowing.
func (s *session) news(ctx context.Context, poll time.Duration) error {
	select {
	case <-s.changed:
		return nil
	default:
	}
	idling := func() error { return nil }
	if s.client.Caps().Has(imap.CapIdle) {
		var command *imapclient.IdleCommand
		err := s.within(ctx, func() (err error) {
			command, err = s.client.Idle()
			return err
		})
		if err != nil {
			return fmt.Errorf("wait for mails of %s: %w", s.name, err)
		}
		idling = func() error {
			return s.within(ctx, func() error {
				if err := command.Close(); err != nil {
					return err
				}
				return command.Wait()
			})
		}
	}
	t := time.NewTimer(poll)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.client.Closed():
		return fmt.Errorf("wait for mails of %s: the server hung up", s.name)
	case <-s.changed:
	case <-t.C:
	}
	if err := idling(); err != nil {
		return fmt.Errorf("wait for mails of %s: %w", s.name, err)
	}
	return nil
}

// bearer is SASL XOAUTH2, which Google's and Microsoft's mailboxes ask for.
type bearer struct{ user, token string }

func (b *bearer) Start() (mech string, ir []byte, err error) {
	if strings.ContainsAny(b.user+b.token, "\x01") {
		return "", nil, errors.New("user and token may not hold a control character")
	}
	return "XOAUTH2", []byte("user=" + b.user + "\x01auth=Bearer " + b.token + "\x01\x01"), nil
}

// Next answers the server's description of what it does not like with nothing, so that it ends with its refusal.
func (b *bearer) Next([]byte) ([]byte, error) { return []byte{}, nil }

var _ sasl.Client = (*bearer)(nil)
