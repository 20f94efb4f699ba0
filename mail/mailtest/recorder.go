package mailtest

import (
	"bytes"
	"io"
	"log"
	"net"
	"sync"

	"github.com/emersion/go-smtp"
)

// Recorder is a mail server that takes everything and remembers it.
type Recorder struct {
	SMTP string // host:port

	mu    sync.Mutex
	mails []Taken
	hook  func()
	news  chan struct{} // closed at the next mail
}

// Taken is one mail that a Recorder has taken, as often as it was handed over.
type Taken struct {
	From, To string
	Raw      []byte
}

// StartRecorder starts a server.
func StartRecorder(tb TB) *Recorder {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(tb, err)
	r := &Recorder{SMTP: l.Addr().String(), news: make(chan struct{})}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &taking{r: r}, nil }))
	s.Domain = "recorder.example.test"
	s.ErrorLog = log.New(io.Discard, "", 0) // clients are killed on purpose
	go func() { _ = s.Serve(l) }()
	tb.Cleanup(func() { s.Close() })
	return r
}

// Each calls fn, until it is called again, after a mail was taken and before the client hears of it; n counts from 1 since
// then. Nil ends that.
func (r *Recorder) Each(fn func(n int)) {
	n := 0
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hook = nil
	if fn != nil {
		r.hook = func() { n++; fn(n) }
	}
}

// Mails are those that were taken so far, in order; News is closed when there are more.
func (r *Recorder) Mails() (mails []Taken, news <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mails[:len(r.mails):len(r.mails)], r.news
}

func (r *Recorder) take(m Taken) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mails = append(r.mails, m)
	close(r.news)
	r.news = make(chan struct{})
	if r.hook != nil {
		r.hook()
	}
}

// taking is one connection.
type taking struct {
	r        *Recorder
	from, to string
}

func (t *taking) Reset()        {}
func (t *taking) Logout() error { return nil }
func (t *taking) Mail(from string, _ *smtp.MailOptions) error {
	t.from = from
	return nil
}

func (t *taking) Rcpt(to string, _ *smtp.RcptOptions) error {
	t.to = to
	return nil
}

func (t *taking) Data(in io.Reader) error {
	var b bytes.Buffer
	if _, err := io.Copy(&b, in); err != nil {
		return err
	}
	t.r.take(Taken{t.from, t.to, b.Bytes()})
	return nil
}
