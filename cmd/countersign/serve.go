package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"countersign/internal/backoffice"
	"countersign/internal/clock"
	"countersign/internal/config"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/sealer"
	"countersign/internal/service"
	"countersign/kiosk"
	"countersign/kiosk/receipt"
	"countersign/mail/outbox"
)

// shutdown is how long running requests may take to end.
const shutdown = 10 * time.Second

func (a *app) serve() *cobra.Command {
	var file string
	c := &cobra.Command{Use: "serve", Short: a.text("cli.serve", nil), Args: cobra.NoArgs}
	c.Flags().StringVar(&file, "config", "countersign.toml", a.text("cli.flag.config", nil))
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, o, err := load(file)
		if err != nil {
			return err
		}
		if err := listenForMail(cfg, &o.Desk.Mail); err != nil {
			return err
		}
		debug.SetGCPercent(service.GCPercent)
		o.Log = slog.New(slog.NewJSONHandler(a.err, nil))
		s, err := service.Open(cmd.Context(), o)
		if err != nil {
			return err
		}
		return errors.Join(a.answer(cmd.Context(), cfg, s), s.Close())
	}
	return c
}

// answer serves the API and the administrator's socket until ctx ends.
func (a *app) answer(ctx context.Context, cfg *config.Config, s *service.Service) error {
	l, err := net.Listen("tcp", cfg.Server.Listen)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "cli.listen", fault.Args{"address": cfg.Server.Listen})
	}
	defer l.Close()
	handler := s.Handler
	if cfg.Server.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(cfg.Server.TLSCert, cfg.Server.TLSKey)
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "cli.tls", fault.Args{"cert": cfg.Server.TLSCert, "key": cfg.Server.TLSKey})
		}
		secure := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}}
		if cfg.Server.Certificates == "required" {
			secure, handler = s.StaffTLS(secure), s.StaffOnly(handler)
		}
		l = tls.NewListener(l, secure)
	}
	socket := adminSocket(cfg.Data.Dir)
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the old administrator's socket: %w", err)
	}
	al, err := net.Listen("unix", socket)
	if err != nil {
		return fmt.Errorf("listen for the administrator: %w", err)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		return fmt.Errorf("close the administrator's socket to others: %w", err)
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(run)
	}()
	servers := []*http.Server{{Handler: handler, ReadHeaderTimeout: shutdown}, {Handler: a.adminHandler(s), ReadHeaderTimeout: shutdown}}
	listeners := []net.Listener{l, al}
	if cfg.CA.Listen != "" {
		pl, err := net.Listen("tcp", cfg.CA.Listen)
		if err != nil {
			stop()
			<-done
			return fault.Wrap(err, fault.Unavailable, "cli.listen", fault.Args{"address": cfg.CA.Listen})
		}
		servers, listeners = append(servers, &http.Server{Handler: s.PKI(), ReadHeaderTimeout: shutdown}), append(listeners, pl)
	}
	failed := make(chan error, len(servers))
	for i, listener := range listeners {
		go func() { failed <- servers[i].Serve(listener) }()
	}
	fmt.Fprintln(a.out, a.text("cli.serve.ready", locale.Args{"address": l.Addr().String()}))
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	// Streams of events never end by themselves: requests get a moment, then connections are cut.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	for _, server := range servers {
		if server.Shutdown(end) != nil {
			_ = server.Close()
		}
	}
	stop()
	<-done
	return err
}

// load reads the configuration and turns it into what the service needs.
func load(file string) (*config.Config, service.Options, error) {
	cfg, err := config.Load(file, os.Environ(), nil)
	if err != nil {
		return nil, service.Options{}, err
	}
	o := service.Options{Dir: cfg.Data.Dir, KeyFile: cfg.Key.File, CJKFont: cfg.Fonts.CJK, TSA: cfg.TSA.URLs,
		Printer: service.Printer{Command: cfg.Print.Command, Dir: cfg.Print.Dir}, Limits: kiosk.DefaultLimits}
	if err := trustOptions(cfg, &o); err != nil {
		return nil, o, err
	}
	o.Limits.CodeLife, o.Limits.AppDrift, o.Limits.Idle = cfg.CodeLife(), cfg.OTP.AppDrift, cfg.Idle()
	for _, u := range cfg.Units {
		o.Units = append(o.Units, kiosk.Unit{Code: u.Code, Name: u.Name, Parent: u.Parent, Place: u.Place, Hotline: u.Hotline, BackOffice: u.BackOffice})
	}
	if cfg.Services.Dir != "" {
		o.Own = os.DirFS(cfg.Services.Dir)
	}
	if o.Passphrase, err = config.Secret(cfg.Key.PassphraseFile); err != nil {
		return nil, o, err
	}
	if err := mailOptions(cfg, &o); err != nil {
		return nil, o, err
	}
	if o.Remotes, err = service.OpenRemotes(cfg.Remotes, nil, clock.System{}); err != nil {
		return nil, o, err
	}
	if err := helpdeskOptions(cfg, &o); err != nil {
		return nil, o, err
	}
	if cfg.BackOffice.URL != "" {
		o.BackOffice = &backoffice.Client{URL: cfg.BackOffice.URL, HTTP: &http.Client{Timeout: 30 * time.Second}}
		if cfg.BackOffice.TokenFile != "" {
			token, err := config.Secret(cfg.BackOffice.TokenFile)
			if err != nil {
				return nil, o, err
			}
			o.BackOffice.Token = string(token)
		}
	}
	if cfg.Seals.Address != "" {
		var link *tls.Config
		if !strings.HasPrefix(cfg.Seals.Address, "unix:") {
			if link, err = (sealer.Link{Cert: cfg.Seals.TLSCert, Key: cfg.Seals.TLSKey, Root: cfg.Seals.TLSRoot}).Client(); err != nil {
				return nil, o, err
			}
		}
		o.Sealer = sealer.Dial(cfg.Seals.Address, link)
	}
	return cfg, o, nil
}

func mailOptions(cfg *config.Config, o *service.Options) error {
	if cfg.Mail.Addr == "" {
		return nil
	}
	_, host, _ := strings.Cut(cfg.Mail.From, "@")
	o.Sender = receipt.Sender{Address: cfg.Mail.From, Host: host}
	o.Mail = &outbox.Server{Addr: cfg.Mail.Addr, TLS: cfg.Mail.TLS, User: cfg.Mail.User, Hello: host}
	if cfg.Mail.PasswordFile == "" {
		return nil
	}
	password, err := config.Secret(cfg.Mail.PasswordFile)
	o.Mail.Password = string(password)
	return err
}

// adminSocket is where a running service takes the administrator's commands; only its own user may open it.
func adminSocket(dir string) string { return filepath.Join(dir, "admin.sock") }
