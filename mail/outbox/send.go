// Package outbox hands mails to the organisation's mail server (SMTP submission, RFC 6409).
//
// It tells a refusal that repeating will not change (5xx) from everything that may pass (4xx, no connection, a cut
// after DATA): the caller repeats those with the same bytes and the same Message-ID. Where TLS is asked for there is no
// fall-back to plain text.
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
	Timeout  time.Duration // for each command; 0 means 20 s
}

// ErrRefused is what a final refusal wraps; its text is the server's own.
var ErrRefused = errors.New("the mail server refused the mail")

// Send hands one mail over and returns when the server has taken it.
func (s *Server) Send(ctx context.Context, from, to string, raw []byte) error {
	c, err := s.connect(ctx)
	if err != nil {
		return fmt.Errorf("send a mail by %s: %w", s.Addr, err)
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	if err := s.transfer(c, from, to, raw); err != nil {
		var answer *smtp.SMTPError
		if errors.As(err, &answer) && answer.Code >= 500 {
			return fmt.Errorf("%w: %d %s", ErrRefused, answer.Code, answer.Message)
		}
		return fmt.Errorf("send a mail by %s: %w", s.Addr, err)
	}
	return nil
}

func (s *Server) connect(ctx context.Context) (*smtp.Client, error) {
	timeout := s.Timeout
	if timeout == 0 {
		timeout = 20 * time.Second
	}
	conn, err := (&net.Dialer{Timeout: timeout}).DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{ServerName: host}
	if s.Roots != nil {
		config = s.Roots.Clone()
		config.ServerName = host
	}
	var c *smtp.Client
	switch s.TLS {
	case "tls":
		c = smtp.NewClient(tls.Client(conn, config))
	case "starttls":
		if c, err = smtp.NewClientStartTLS(conn, config); err != nil {
			return nil, err
		}
	default:
		c = smtp.NewClient(conn)
	}
	c.CommandTimeout, c.SubmissionTimeout = timeout, 3*timeout
	if s.Hello != "" {
		if err := c.Hello(s.Hello); err != nil {
			c.Close()
			return nil, err
		}
	}
	if s.User == "" {
		return c, nil
	}
	if err := c.Auth(sasl.NewPlainClient("", s.User, s.Password)); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (s *Server) transfer(c *smtp.Client, from, to string, raw []byte) error {
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
