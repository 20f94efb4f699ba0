// Package outbox hands mails to the organisation's mail server (SMTP submission, RFC 6409).
//
// It tells a refusal of this mail that repeating will not change (5xx) from everything that may pass (4xx, no
// connection, a server that lets nobody in, a cut after DATA): the caller repeats those with the same bytes and the
// same Message-ID. Where TLS is asked for there is no fall-back to plain text, and a password never travels in the
// clear beyond this machine. Start reading at Server.Send.
package outbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Server is the mail server that takes our mails.
type Server struct {
	Addr     string // host:port
	TLS      string // "none", "starttls" or "tls"
	User     string
	Password string
	Hello    string // our own name in EHLO
	Roots    *tls.Config
	Timeout  time.Duration // for the way in, and for each command; 0 means 20 s
}

// ErrRefused is what a final refusal wraps; its text is the server's own.
var ErrRefused = errors.New("the mail server refused the mail")

var errInClear = errors.New("the password would travel in the clear; ask for starttls or tls")

// Send hands one mail over and returns when the server has taken it.
func (s *Server) Send(ctx context.Context, from, to string, raw []byte) error {
	conn, c, err := s.connect(ctx)
	if err != nil {
		return fmt.Errorf("send a mail by %s: %w", s.Addr, err)
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	if err := s.transfer(conn, c, from, to, raw); err != nil {
		var answer *smtp.SMTPError
		if errors.As(err, &answer) && answer.Code >= 500 {
			return fmt.Errorf("%w: %d %s", ErrRefused, answer.Code, answer.Message)
		}
		return fmt.Errorf("send a mail by %s: %w", s.Addr, err)
	}
	return nil
}

func (s *Server) timeout() time.Duration {
	if s.Timeout == 0 {
		return 20 * time.Second
	}
	return s.Timeout
}

// connect comes as far as the server lets us in. What it answers until then is about us and not about a mail.
func (s *Server) connect(ctx context.Context) (net.Conn, *smtp.Client, error) {
	host, _, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return nil, nil, err
	}
	if s.User != "" && s.TLS != "tls" && s.TLS != "starttls" && !thisMachine(host) {
		return nil, nil, errInClear
	}
	way, cancel := context.WithTimeout(ctx, s.timeout())
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(way, "tcp", s.Addr)
	if err != nil {
		return nil, nil, err
	}
	// The library waits five minutes for a server that is silent before it can be told otherwise.
	stop := context.AfterFunc(way, func() { conn.Close() })
	c, err := s.enter(way, conn, host)
	if !stop() && err == nil {
		c.Close()
		err = way.Err()
	}
	if err != nil {
		conn.Close()
		if way.Err() != nil {
			err = fmt.Errorf("no way in: %w", way.Err())
		}
		return nil, nil, err
	}
	return conn, c, nil
}

func thisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// enter sets up TLS, says who we are and signs in.
func (s *Server) enter(ctx context.Context, conn net.Conn, host string) (*smtp.Client, error) {
	config := &tls.Config{}
	if s.Roots != nil {
		config = s.Roots.Clone()
	}
	config.ServerName = host
	var c *smtp.Client
	switch s.TLS {
	case "tls":
		safe := tls.Client(conn, config)
		if err := safe.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		c = smtp.NewClient(safe)
	case "starttls":
		var err error
		if c, err = smtp.NewClientStartTLS(conn, config); err != nil {
			return nil, err
		}
	default:
		c = smtp.NewClient(conn)
	}
	c.CommandTimeout, c.SubmissionTimeout = s.timeout(), 3*s.timeout()
	name := s.Hello
	if name == "" {
		name = "localhost"
	}
	if err := c.Hello(name); err != nil {
		return nil, err
	}
	if s.User == "" {
		return c, nil
	}
	return c, c.Auth(sasl.NewPlainClient("", s.User, s.Password))
}

func (s *Server) transfer(conn net.Conn, c *smtp.Client, from, to string, raw []byte) error {
	if err := c.Mail(from, nil); err != nil {
		return err
	}
	if err := c.Rcpt(to, nil); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	// A server that stops reading would hold the writer for ever; the library bounds only commands and answers.
	if err := conn.SetWriteDeadline(time.Now().Add(3 * s.timeout())); err != nil {
		return err
	}
	if _, err := w.Write(raw); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	// The server has taken the mail; a failed goodbye must not send it again.
	_ = c.Quit()
	return nil
}
