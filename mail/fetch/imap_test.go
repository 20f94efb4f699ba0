package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/mail/mailtest"
)

const user = "desk@example.test"

// box is a keeper in memory that knows a mail by its bytes, as the helpdesk's does.
type box struct {
	mu    sync.Mutex
	at    map[string]Position
	mails [][]byte
	known map[[32]byte]bool
	kept  []Mail
	fail  func() error
	news  chan struct{}
}

func newBox() *box {
	return &box{at: map[string]Position{}, known: map[[32]byte]bool{}, news: make(chan struct{}, 1)}
}

func (b *box) Position(_ context.Context, mailbox string) (Position, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at[mailbox], nil
}

func (b *box) Keep(_ context.Context, batch Batch) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		if err := b.fail(); err != nil {
			return err
		}
	}
	for _, m := range batch.Mails {
		if id := sha256.Sum256(m.Raw); !b.known[id] {
			b.known[id] = true
			b.mails, b.kept = append(b.mails, m.Raw), append(b.kept, m)
		}
	}
	if batch.Position.Validity != 0 {
		b.at[batch.Mailbox] = batch.Position
	}
	select {
	case b.news <- struct{}{}:
	default:
	}
	return nil
}

func (b *box) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.mails)
}

// until waits for the box to hold n mails, each time something is kept.
func (b *box) until(t *testing.T, n int, failed <-chan error) {
	t.Helper()
	for b.count() < n {
		select {
		case <-b.news:
		case err := <-failed:
			t.Fatalf("the reader ended with %d of %d mails: %v", b.count(), n, err)
		}
	}
}

func letter(n int, more string) []byte {
	return fmt.Appendf(nil, "From: khach%d@mau.example\r\nTo: %s\r\nSubject: [0010#DVC] =?utf-8?q?th=C6=B0?= %d\r\nMessage-ID: <%d@mau.example>\r\n\r\nKính gửi %d.\r\n%s", n, user, n, n, n, more)
}

func letters(from, to int) (out [][]byte) {
	for n := from; n < to; n++ {
		out = append(out, letter(n, ""))
	}
	return out
}

// reader reads the user's INBOX of the server into the box.
func reader(d *mailtest.Dovecot, b *box) *IMAP {
	return &IMAP{Name: "desk", Addr: d.IMAP, TLS: "starttls", User: user, Config: d.TLS(), Keeper: b, Clock: clock.System{},
		Secret: func(context.Context) (string, error) { return mailtest.Password, nil }}
}

// holds says whether each letter arrived once and byte for byte; Dovecot puts its own lines in front.
func (b *box) holds(t *testing.T, want [][]byte) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.mails) != len(want) {
		t.Errorf("%d mails were kept, %d were sent", len(b.mails), len(want))
	}
	for i, w := range want {
		n := 0
		for _, m := range b.mails {
			if bytes.HasSuffix(m, w) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("letter %d was kept %d times", i, n)
		}
	}
}

func TestEveryWayInBringsEveryMailByteForByte(t *testing.T) {
	d := mailtest.StartDovecot(t, user)
	sent := append(letters(0, 20), letter(20, strings.Repeat("Một dòng dài của thư lớn.\r\n", 100_000)))
	d.Deliver(user, sent...)
	for _, way := range []string{"tls", "starttls", "none"} {
		b := newBox()
		m := reader(d, b)
		m.TLS = way
		if way == "tls" {
			m.Addr = d.IMAPS
		}
		if n, err := m.Drain(t.Context()); err != nil || n != len(sent) {
			t.Errorf("%s: %d of %d mails: %v", way, n, len(sent), err)
		}
		b.holds(t, sent)
		if n, err := m.Drain(t.Context()); err != nil || n != 0 {
			t.Errorf("%s: the second look brought %d mails: %v", way, n, err)
		}
	}
}

func TestAMailIsSeenAsSoonAsTheServerTells(t *testing.T) {
	d := mailtest.StartDovecot(t, user)
	b := newBox()
	m := reader(d, b)
	m.Poll = time.Hour
	var heard sync.Once
	ready := make(chan struct{})
	m.Report = func(h Health) {
		if h.Err != nil {
			t.Log(h.Err)
		}
		if h.Err == nil {
			heard.Do(func() { close(ready) })
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	<-ready
	d.Deliver(user, letters(0, 3)...)
	b.until(t, 3, ended)
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Run ended with %v", err)
	}
	b.holds(t, letters(0, 3))
}

func TestKeptMailsAreMarkedOrMovedAndOthersAreNot(t *testing.T) {
	d := mailtest.StartDovecot(t, user)
	d.Admin("mailbox", "create", "-u", user, "Done")
	d.Deliver(user, letters(0, 2)...)
	b := newBox()
	m := reader(d, b)
	m.After = Flag
	b.fail = func() error { return errors.New("the disk is full") }
	if _, err := m.Drain(t.Context()); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("a full disk was answered with %v", err)
	}
	if got := d.Admin("search", "-u", user, "mailbox", "INBOX", "seen"); got != "" {
		t.Errorf("mails that were not kept are marked: %s", got)
	}
	b.fail = nil
	if n, err := m.Drain(t.Context()); n != 2 || err != nil {
		t.Fatalf("%d mails: %v", n, err)
	}
	if got := d.Admin("search", "-u", user, "mailbox", "INBOX", "keyword", Keyword, "seen"); strings.Count(got, "\n") != 2 {
		t.Errorf("marked: %q", got)
	}
	m.After, m.MoveTo = Move, "Done"
	d.Deliver(user, letters(2, 4)...)
	if n, err := m.Drain(t.Context()); n != 2 || err != nil {
		t.Fatalf("%d mails: %v", n, err)
	}
	if got := d.Admin("search", "-u", user, "mailbox", "Done", "all"); strings.Count(got, "\n") != 2 {
		t.Errorf("moved: %q", got)
	}
	b.holds(t, letters(0, 4))
}

func TestAMailboxMadeAnewBringsNothingTwiceAndLosesNothing(t *testing.T) {
	d := mailtest.StartDovecot(t, user)
	d.Deliver(user, letters(0, 5)...)
	b := newBox()
	m := reader(d, b)
	if _, err := m.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := b.at["desk"]
	// As after a restored backup: another UIDVALIDITY, the same mails.
	d.Admin("mailbox", "update", "-u", user, "--uid-validity", "4242", "INBOX")
	d.Deliver(user, letters(5, 7)...)
	if _, err := m.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := b.at["desk"]; after.Validity == before.Validity {
		t.Fatalf("the mailbox is the old one: %v", after)
	}
	b.holds(t, letters(0, 7))
}

func TestAMailThatIsRemovedMeanwhileHoldsUpNoOther(t *testing.T) {
	d := mailtest.StartDovecot(t, user)
	d.Deliver(user, letters(0, 6)...)
	b := newBox()
	m := reader(d, b)
	s, err := m.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	uids, err := s.above(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.sizes(t.Context(), uids)
	if err != nil {
		t.Fatal(err)
	}
	d.Admin("expunge", "-u", user, "mailbox", "INBOX", "uid", "2:3")
	at := Position{Validity: s.validity}
	if err := m.take(t.Context(), s, &at, list); err != nil {
		t.Fatal(err)
	}
	if b.count() != 4 || at.Last != 6 {
		t.Errorf("%d mails kept, position %v", b.count(), at)
	}
}

func TestAMailAboveTheLimitIsCutAndSaysSo(t *testing.T) {
	d := mailtest.StartDovecot(t, user)
	d.Deliver(user, letter(1, ""), letter(2, strings.Repeat("đầy ", 1<<20)), letter(3, ""))
	b := newBox()
	m := reader(d, b)
	m.Limit = 2 << 20
	if n, err := m.Drain(t.Context()); n != 3 || err != nil {
		t.Fatalf("%d mails: %v", n, err)
	}
	long := b.kept[slices.IndexFunc(b.kept, func(m Mail) bool { return m.UID == 2 })]
	if !long.Cut() || len(long.Raw) != headOnly || long.Size < 4<<20 {
		t.Errorf("cut %t, %d of %d bytes", long.Cut(), len(long.Raw), long.Size)
	}
}

func TestWhatTheServerRefusesIsNamed(t *testing.T) {
	d := mailtest.StartDovecot(t, user)
	m := reader(d, newBox())
	m.Secret = func(context.Context) (string, error) { return "wrong", nil }
	if _, err := m.Drain(t.Context()); !errors.Is(err, ErrLogin) {
		t.Errorf("a wrong password: %v", err)
	}
	m = reader(d, newBox())
	m.Folder = "Nowhere"
	if _, err := m.Drain(t.Context()); !errors.Is(err, ErrMailbox) {
		t.Errorf("a folder that is not there: %v", err)
	}
	m = reader(d, newBox())
	m.Config = nil
	if _, err := m.Drain(t.Context()); err == nil {
		t.Error("a certificate that nobody vouches for was taken")
	}
	m.TLS, m.Addr = "none", "192.0.2.1:143"
	if _, err := m.Drain(t.Context()); !errors.Is(err, ErrInClear) {
		t.Errorf("a password in the clear over the network: %v", err)
	}
}

// wire is a way to a server that breaks after some bytes, each time after the next number of them.
type wire struct {
	net.Listener
	to     string
	breaks []int64
	n      int
	mu     sync.Mutex
}

func (w *wire) serve() {
	for {
		c, err := w.Accept()
		if err != nil {
			return
		}
		w.mu.Lock()
		most := int64(-1)
		if w.n < len(w.breaks) {
			most = w.breaks[w.n]
		}
		w.n++
		w.mu.Unlock()
		go pass(c, w.to, most)
	}
}

func pass(c net.Conn, to string, most int64) {
	defer c.Close()
	s, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer s.Close()
	go func() {
		_, _ = io.Copy(s, c)
		s.Close()
	}()
	if most < 0 {
		_, _ = io.Copy(c, s)
		return
	}
	_, _ = io.CopyN(c, s, most)
}

func TestAConnectionThatBreaksAtAnyByteLosesNothing(t *testing.T) {
	d := mailtest.StartDovecot(t, user)
	sent := letters(0, 40)
	d.Deliver(user, sent...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w := &wire{Listener: l, to: d.IMAP}
	for n := int64(1); n < 24_000; n += 311 {
		w.breaks = append(w.breaks, n)
	}
	go w.serve()
	b := newBox()
	m := reader(d, b)
	m.Addr, m.TLS, m.After = l.Addr().String(), "none", Flag
	m.Poll = time.Hour
	m.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	b.until(t, len(sent), ended)
	stop()
	<-ended
	b.holds(t, sent)
}

func TestAMailOnWhichTheConnectionAlwaysBreaksHoldsUpNoOther(t *testing.T) {
	d := mailtest.StartDovecot(t, user)
	sent := letters(0, 9)
	d.Deliver(user, sent...)
	// The server can't read the file of one mail any more and hangs up each time.
	files, err := filepath.Glob(filepath.Join(d.Maildir(user), "new", "*"))
	if err != nil || len(files) != 9 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	if err := os.Truncate(files[4], 60); err != nil {
		t.Fatal(err)
	}
	b := newBox()
	m := reader(d, b)
	m.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	m.Poll, m.Limbo = time.Hour, 300*time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	b.until(t, len(sent), ended)
	stop()
	<-ended
	b.mu.Lock()
	defer b.mu.Unlock()
	empty := 0
	for _, k := range b.kept {
		if len(k.Raw) == 0 && k.Cut() {
			empty++
		}
	}
	if empty != 1 {
		t.Errorf("%d mails were kept without their bytes, one can't be read", empty)
	}
}
