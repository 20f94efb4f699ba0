package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"countersign/internal/api"
	"countersign/internal/clock"
	"countersign/internal/demo"
	"countersign/internal/fault"
	"countersign/internal/service"
	"countersign/internal/tui"
	"countersign/kiosk"
	"countersign/kiosk/clerk"
	"countersign/kiosk/display"
	"countersign/kiosk/portrait"
)

// Both terminals speak through the same client as any script.
var (
	_ clerk.Service   = (*api.Clerk)(nil)
	_ display.Service = (*api.Display)(nil)
)

// kioskFlags are what a clerk's terminal is started with.
type kioskFlags struct {
	link
	unit, counter, camera, papers, theme string
	idle                                 time.Duration
}

// link is where the service is, whom it must lead to, and who we are where it asks for a staff certificate.
type link struct {
	server, ca, cert, key string
}

func (l *link) register(a *app, f *pflag.FlagSet) {
	f.StringVar(&l.server, "server", "http://127.0.0.1:8780", a.text("cli.flag.server", nil))
	f.StringVar(&l.ca, "ca", "", a.text("cli.flag.ca", nil))
	f.StringVar(&l.cert, "cert", "", a.text("cli.flag.staff_cert", nil))
	f.StringVar(&l.key, "cert-key", "", a.text("cli.flag.cert_key", nil))
}

func (a *app) kiosk() *cobra.Command {
	var f kioskFlags
	c := &cobra.Command{Use: "kiosk", Short: a.text("cli.kiosk", nil), Args: cobra.NoArgs}
	f.register(a, c.Flags())
	c.Flags().StringVar(&f.unit, "unit", "", a.text("cli.flag.unit", nil))
	c.Flags().StringVar(&f.counter, "counter", "1", a.text("cli.flag.counter", nil))
	c.Flags().StringVar(&f.camera, "camera", "", a.text("cli.flag.camera", nil))
	c.Flags().StringVar(&f.papers, "papers", "", a.text("cli.flag.papers", nil))
	c.Flags().StringVar(&f.theme, "theme", os.Getenv("COUNTERSIGN_THEME"), a.text("cli.flag.theme", nil))
	c.Flags().DurationVar(&f.idle, "idle", 3*time.Minute, a.text("cli.flag.idle", nil))
	c.RunE = func(cmd *cobra.Command, _ []string) error { return a.runKiosk(cmd.Context(), f) }
	return c
}

func (a *app) runKiosk(ctx context.Context, f kioskFlags) error {
	client, err := dial(f.link)
	if err != nil {
		return err
	}
	service := &api.Clerk{Client: client, Unit: f.unit, Counter: f.counter}
	o := clerk.Options{Lang: a.lang, Unit: kiosk.Unit{Code: f.unit, Name: f.unit}, Counter: f.counter, Idle: f.idle}
	if u, err := service.UnitName(ctx); err == nil {
		o.Unit = u
	}
	if f.camera != "" {
		o.Portraits = camera(f.camera)
	}
	if f.papers != "" {
		o.Papers = clerk.PapersIn(f.papers)
	}
	lock := func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		// The terminal is gone: nobody is left to tell when this fails, and the service locks an idle counter itself.
		_ = service.Lock(ctx)
	}
	return tui.Run(ctx, clerk.New(service, o), tui.Options{Theme: f.theme, OnHangup: lock})
}

// camera takes pictures out of a folder: the newest that was put there since the order in hand began, each once.
func camera(dir string) func(context.Context, time.Time) ([]byte, error) {
	tick := time.NewTicker(200 * time.Millisecond)
	folder := portrait.Watch(dir, portrait.DefaultLimits(), clock.System{}, tick.C)
	var mu sync.Mutex
	var begun time.Time
	return func(ctx context.Context, since time.Time) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		if !since.Equal(begun) {
			if err := folder.Begin(since); err != nil {
				return nil, err
			}
			begun = since
		}
		p, err := folder.Take(ctx)
		return p.Data, err
	}
}

func (a *app) display() *cobra.Command {
	var l link
	var tokenFile, pad, theme string
	var modules []string
	c := &cobra.Command{Use: "display", Short: a.text("cli.display", nil), Args: cobra.NoArgs}
	l.register(a, c.Flags())
	c.Flags().StringVar(&tokenFile, "token-file", "", a.text("cli.flag.token", nil))
	c.Flags().StringArrayVar(&modules, "token-module", nil, a.text("cli.flag.token_module", nil))
	c.Flags().StringVar(&pad, "pad", "", a.text("cli.flag.pad", nil))
	c.Flags().StringVar(&theme, "theme", os.Getenv("COUNTERSIGN_THEME"), a.text("cli.flag.theme", nil))
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		token, err := os.ReadFile(tokenFile)
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "cli.token", fault.Args{"file": tokenFile})
		}
		client, err := dial(l)
		if err != nil {
			return err
		}
		client.SetToken(strings.TrimSpace(string(token)))
		o := display.Options{Lang: a.lang}
		if pad != "" {
			o.Pad = display.PadIn(pad, time.NewTicker(200*time.Millisecond).C)
		}
		if len(modules) > 0 {
			agent, err := service.OpenTokenAgent(modules, false)
			if err != nil {
				return err
			}
			defer func() { _ = agent.Close() }() // The program ends, and the modules' processes with it.
			o.Agent = agent
		}
		return tui.Run(cmd.Context(), display.New(&api.Display{Client: client}, o), tui.Options{Theme: theme})
	}
	return c
}

// dial returns a client of the service at "unix:/path", "https://host:port", or "http://" on this machine only: links
// between machines are encrypted, and a plain one is refused here already.
func dial(l link) (*api.Client, error) {
	server, ca := l.server, l.ca
	if path, ok := strings.CutPrefix(server, "unix:"); ok {
		return demo.SocketClient(path), nil
	}
	u, err := url.Parse(server)
	if err != nil || u.Host == "" {
		return nil, fault.New(fault.Invalid, "cli.server", fault.Args{"server": server})
	}
	config := &tls.Config{MinVersion: tls.VersionTLS13}
	switch {
	case u.Scheme == "https" && ca != "":
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, fmt.Errorf("read the service's root certificate: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fault.New(fault.Invalid, "cli.ca", fault.Args{"file": ca})
		}
	case u.Scheme == "https":
	case u.Scheme == "http" && (u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost" || u.Hostname() == "::1"):
	default:
		return nil, fault.New(fault.Invalid, "cli.plain", fault.Args{"server": server})
	}
	if l.cert != "" {
		pair, err := tls.LoadX509KeyPair(l.cert, l.key)
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "cli.tls", fault.Args{"cert": l.cert, "key": l.key})
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return &api.Client{Base: strings.TrimSuffix(server, "/"), HTTP: &http.Client{Transport: &http.Transport{TLSClientConfig: config, MaxIdleConnsPerHost: 8}}}, nil
}

// logTo returns a log into a file, or into nothing when it can't be opened.
func logTo(path string) *slog.Logger {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return slog.New(slog.NewJSONHandler(io.Discard, nil))
	}
	return slog.New(slog.NewJSONHandler(f, nil))
}
