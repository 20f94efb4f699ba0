package outbox

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

const (
	sender   = "quay@dienluc.example"
	receiver = "thu@mau.example"
)

var letter = []byte("From: quay@dienluc.example\r\nTo: thu@mau.example\r\nSubject: thu\r\n\r\nTiếng Việt.\r\n.dot\r\n")

// office is a real mail server that takes, or answers with what the test says at one verb.
type office struct {
	answer map[string]*smtp.SMTPError

	mu    sync.Mutex
	verbs []string
	mails [][]byte
}

func (o *office) NewSession(*smtp.Conn) (smtp.Session, error) { return &visit{o}, nil }

func (o *office) note(verb string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.verbs = append(o.verbs, verb)
	if e := o.answer[verb]; e != nil {
		return e
	}
	return nil
}

func (o *office) got() ([]string, [][]byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string{}, o.verbs...), append([][]byte{}, o.mails...)
}

type visit struct{ o *office }

func (v *visit) AuthMechanisms() []string { return []string{sasl.Plain} }

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if err := v.o.note("AUTH"); err != nil {
			return err
		}
		if user != "quay" || password != "bí mật" {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (v *visit) Mail(string, *smtp.MailOptions) error { return v.o.note("MAIL") }
func (v *visit) Rcpt(string, *smtp.RcptOptions) error { return v.o.note("RCPT") }

func (v *visit) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := v.o.note("DATA"); err != nil {
		return err
	}
	v.o.mu.Lock()
	defer v.o.mu.Unlock()
	v.o.mails = append(v.o.mails, raw)
	return nil
}

func (v *visit) Reset()        {}
func (v *visit) Logout() error { return nil }

// open starts the office on a port of this machine; with a certificate it offers TLS.
func (o *office) open(t *testing.T, cert *tls.Certificate, wrapped bool) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &Server{Addr: l.Addr().String(), TLS: "none", Hello: "counter.demo.example", Timeout: 10 * time.Second}
	s := smtp.NewServer(o)
	s.Domain, s.AllowInsecureAuth, s.ErrorLog = "mail.demo.example", true, log.New(io.Discard, "", 0)
	if cert != nil {
		config := &tls.Config{Certificates: []tls.Certificate{*cert}}
		if wrapped {
			l = tls.NewListener(l, config)
		} else {
			s.TLSConfig = config
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		s.Close()
		<-done
	})
	return server
}

// certificate is one for an address, and the roots that trust it.
func certificate(t *testing.T, ip string) (*tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.demo.example"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.ParseIP(ip)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func (s *Server) deliver(t *testing.T) error {
	t.Helper()
	return s.Send(t.Context(), sender, receiver, letter)
}

func TestAMailArrivesAsItWasWritten(t *testing.T) {
	o := &office{}
	if err := o.open(t, nil, false).deliver(t); err != nil {
		t.Fatal(err)
	}
	if _, mails := o.got(); len(mails) != 1 || !bytes.Equal(mails[0], letter) {
		t.Errorf("the server has %q", mails)
	}
}

func TestAnAnswerOf5xxIsARefusalAnd4xxIsNot(t *testing.T) {
	for _, verb := range []string{"MAIL", "RCPT", "DATA"} {
		for code, refused := range map[int]bool{421: false, 451: false, 550: true, 554: true} {
			o := &office{answer: map[string]*smtp.SMTPError{verb: {Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "as the test says"}}}
			err := o.open(t, nil, false).deliver(t)
			if err == nil || errors.Is(err, ErrRefused) != refused {
				t.Errorf("%d at %s: %v", code, verb, err)
				continue
			}
			if !strings.Contains(err.Error(), "as the test says") {
				t.Errorf("%d at %s: the server's own words are missing in %v", code, verb, err)
			}
			if _, mails := o.got(); len(mails) != 0 {
				t.Errorf("%d at %s: a mail was taken", code, verb)
			}
		}
	}
}

func TestAWrongPasswordIsNoRefusalOfTheMail(t *testing.T) {
	o := &office{}
	s := o.open(t, nil, false)
	s.User, s.Password = "quay", "bí mật"
	if err := s.deliver(t); err != nil {
		t.Fatal(err)
	}
	s.Password = "falsch"
	err := s.deliver(t)
	if err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("a wrong password: %v", err)
	}
	if verbs, mails := o.got(); len(mails) != 1 || strings.Join(verbs, " ") != "AUTH MAIL RCPT DATA AUTH" {
		t.Errorf("the server saw %v", verbs)
	}
}

func TestAPasswordDoesNotTravelInTheClear(t *testing.T) {
	s := &Server{Addr: "mail.demo.example:25", TLS: "none", User: "quay", Password: "bí mật"}
	if err := s.deliver(t); !errors.Is(err, errInClear) {
		t.Errorf("a password without TLS to another machine: %v", err)
	}
}

func TestTLSIsKeptToOrNothingIsSent(t *testing.T) {
	right, roots := certificate(t, "127.0.0.1")
	elsewhere, elsewhereRoots := certificate(t, "127.9.9.9")
	for _, c := range []struct {
		name    string
		cert    *tls.Certificate
		wrapped bool
		mode    string
		roots   *x509.CertPool
		ok      bool
	}{
		{"starttls", right, false, "starttls", roots, true},
		{"tls", right, true, "tls", roots, true},
		{"starttls that is not offered", nil, false, "starttls", roots, false},
		{"starttls with a certificate of nobody we know", right, false, "starttls", elsewhereRoots, false},
		{"starttls with a certificate for another host", elsewhere, false, "starttls", elsewhereRoots, false},
		{"tls with a certificate of nobody we know", right, true, "tls", elsewhereRoots, false},
		{"tls with a certificate for another host", elsewhere, true, "tls", elsewhereRoots, false},
		{"tls with the system's roots", right, true, "tls", nil, false},
	} {
		o := &office{}
		s := o.open(t, c.cert, c.wrapped)
		s.TLS, s.User, s.Password = c.mode, "quay", "bí mật"
		if c.roots != nil {
			s.Roots = &tls.Config{RootCAs: c.roots, MinVersion: tls.VersionTLS12}
		}
		err := s.deliver(t)
		verbs, mails := o.got()
		if c.ok && (err != nil || len(mails) != 1) {
			t.Errorf("%s: %v, %d mails", c.name, err, len(mails))
		}
		if !c.ok && (err == nil || errors.Is(err, ErrRefused) || len(verbs) != 0) {
			t.Errorf("%s: %v, the server saw %v", c.name, err, verbs)
		}
	}
}

// script is a server that answers line by line and then does what end says.
func script(t *testing.T, answers []string, end func(net.Conn, *bufio.Reader)) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		r := bufio.NewReader(c)
		for i, a := range answers {
			if i > 0 {
				if _, err := r.ReadString('\n'); err != nil {
					return
				}
			}
			if _, err := io.WriteString(c, a+"\r\n"); err != nil {
				return
			}
		}
		end(c, r)
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return &Server{Addr: l.Addr().String(), TLS: "none", Hello: "counter.demo.example", Timeout: 10 * time.Second}
}

// wholeLetter reads up to the lonely dot.
func wholeLetter(r *bufio.Reader) {
	for {
		if line, err := r.ReadString('\n'); err != nil || line == ".\r\n" {
			return
		}
	}
}

// away waits until the other side has gone.
func away(_ net.Conn, r *bufio.Reader) {
	_, _ = io.Copy(io.Discard, r)
}

var untilData = []string{"220 here", "250 hello", "250 from", "250 to", "354 go on"}

func TestWhateverMayPassIsTriedAgain(t *testing.T) {
	for name, s := range map[string]*Server{
		"a cut after DATA before the answer": script(t, untilData, func(_ net.Conn, r *bufio.Reader) { wholeLetter(r) }),
		"a cut in the middle of DATA":        script(t, untilData, func(net.Conn, *bufio.Reader) {}),
		"a cut before the greeting":          script(t, nil, func(net.Conn, *bufio.Reader) {}),
		"a server that lets nobody in":       script(t, []string{"554 no"}, away),
		"a server that wants no EHLO of us":  script(t, []string{"220 here", "550 you not"}, away),
		"no server":                          {Addr: "127.0.0.1:1", TLS: "none"},
		"an address without a port":          {Addr: "127.0.0.1", TLS: "none"},
	} {
		if err := s.deliver(t); err == nil || errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAServerThatHangsIsLeft(t *testing.T) {
	for name, s := range map[string]*Server{
		"before the greeting":          script(t, nil, away),
		"before it answers EHLO":       script(t, []string{"220 here"}, away),
		"at MAIL":                      script(t, []string{"220 here", "250 hello"}, away),
		"after the mail":               script(t, untilData, away),
		"without reading what we send": script(t, untilData, func(c net.Conn, _ *bufio.Reader) { waitForEnd(t, c) }),
	} {
		for _, mode := range []string{"none", "starttls", "tls"} {
			if mode != "none" && name != "before the greeting" {
				continue
			}
			if mode != "none" {
				s = script(t, nil, away)
			}
			s.TLS, s.Timeout = mode, 40*time.Millisecond
			err := s.Send(t.Context(), sender, receiver, bytes.Repeat(letter, 200_000))
			if err == nil || errors.Is(err, ErrRefused) {
				t.Errorf("%s, %s: %v", name, mode, err)
			}
		}
	}
}

// waitForEnd holds a connection without reading until the test is over.
func waitForEnd(t *testing.T, _ net.Conn) { <-t.Context().Done() }

func TestTheCallersEndIsTheMailsEnd(t *testing.T) {
	for name, answers := range map[string][]string{"before the greeting": nil, "after the mail": untilData} {
		ctx, cancel := context.WithCancel(t.Context())
		reached := make(chan struct{})
		s := script(t, answers, func(c net.Conn, r *bufio.Reader) {
			close(reached)
			away(c, r)
		})
		ended := make(chan error, 1)
		go func() { ended <- s.Send(ctx, sender, receiver, letter) }()
		<-reached
		cancel()
		if err := <-ended; err == nil || errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
