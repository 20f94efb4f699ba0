package sealer_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"countersign/internal/fault"
	"countersign/internal/sealer"
	"countersign/signing/ca"
	"countersign/signing/key"
	"countersign/signing/seal"
	"countersign/signing/signtest"
)

// end issues one end of the connection into a folder.
func end(t *testing.T, w *signtest.World, dir, name, role string) sealer.Link {
	t.Helper()
	private, text, err := key.NewLink()
	must(t, err)
	chain, err := w.Issuing.IssueLink(private.Public(), role, nil, time.Hour)
	must(t, err)
	l := sealer.Link{Cert: filepath.Join(dir, name+".pem"), Key: filepath.Join(dir, name+".key"), Root: filepath.Join(dir, name+"-root.pem")}
	must(t, os.WriteFile(l.Cert, ca.PEM(chain...), 0o600))
	must(t, os.WriteFile(l.Key, text, 0o600))
	must(t, os.WriteFile(l.Root, ca.PEM(w.Roots()...), 0o600))
	return l
}

// started opens a house's sealer and answers on a listener.
func started(t *testing.T, h *house, l net.Listener) *sealer.Office {
	t.Helper()
	f, err := sealer.Start(context.Background(), h.options)
	must(t, err)
	s := &http.Server{Handler: sealer.Handler(f, slog.New(slog.DiscardHandler)), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0), ReadHeaderTimeout: time.Minute}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() {
		must(t, s.Close())
		must(t, f.Close())
	})
	return f
}

func TestOverTheNetworkBothEndsProveThemselvesAndNobodyElseOfTheHouseIsHeard(t *testing.T) {
	h, other := found(t), signtest.New(t)
	dir := t.TempDir()
	server, err := end(t, h.world, dir, "sealer", sealer.RoleSealer).Server()
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	started(t, h, tls.NewListener(l, server))
	dial := func(link sealer.Link) *sealer.Client {
		t.Helper()
		config, err := link.Client()
		must(t, err)
		return sealer.Dial(l.Addr().String(), config)
	}
	right := end(t, h.world, dir, "counter", sealer.RoleCounter)
	c := dial(right)
	c.Waits = func(context.Context, string) (bool, error) { return true, nil }
	r, err := c.Apply(context.Background(), h.order)
	must(t, err)
	h.world.Accepted(t, r.Document, 4)
	if list, err := c.Seals(context.Background(), clerk); err != nil || len(list) != 3 || len(list[0].Chain) < 2 {
		t.Errorf("the clerk's seals are %v, %v", list, err)
	}
	if list, err := c.Grants(context.Background(), "unit", "11"); err != nil || len(list) != 2 {
		t.Errorf("the grants are %v, %v", list, err)
	}
	stranger := end(t, other, dir, "stranger", sealer.RoleCounter)
	stranger.Root = right.Root
	nobody := end(t, h.world, dir, "another", "another.countersign.internal")
	for name, link := range map[string]sealer.Link{"another house's certificate": stranger, "another of the house's certificates": nobody,
		"the sealer's own": end(t, h.world, dir, "twin", sealer.RoleSealer)} {
		if err := dial(link).State(context.Background()); !fault.Is(err, "seal.away") {
			t.Errorf("%s is heard: %v", name, err)
		}
	}
	config, err := right.Client()
	must(t, err)
	config.Certificates = nil
	if err := sealer.Dial(l.Addr().String(), config).State(context.Background()); !fault.Is(err, "seal.away") {
		t.Errorf("without a certificate: %v", err)
	}
	// The counters speak to nobody but the sealer either.
	false1, err := end(t, h.world, dir, "false", "false.countersign.internal").Server()
	must(t, err)
	fl, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	impostor := &http.Server{Handler: http.NotFoundHandler(), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0), ReadHeaderTimeout: time.Minute}
	go func() { _ = impostor.Serve(tls.NewListener(fl, false1)) }()
	t.Cleanup(func() { must(t, impostor.Close()) })
	config, err = right.Client()
	must(t, err)
	if err := sealer.Dial(fl.Addr().String(), config).State(context.Background()); !fault.Is(err, "seal.away") {
		t.Errorf("an impostor is believed: %v", err)
	}
}

func TestOnAUnixSocketOnlyKnownUsersAreHeard(t *testing.T) {
	h := found(t)
	path := filepath.Join(t.TempDir(), "seals.sock")
	l, err := net.Listen("unix", path)
	must(t, err)
	var said bytes.Buffer
	f := started(t, h, sealer.Guard(l, []int{os.Getuid() + 1}, slog.New(slog.NewTextHandler(&said, nil))))
	if err := sealer.Dial("unix:"+path, nil).State(context.Background()); !fault.Is(err, "seal.away") {
		t.Errorf("another user's process is heard: %v", err)
	}
	if !bytes.Contains(said.Bytes(), []byte("turned away")) {
		t.Error("the operator is not told")
	}
	second := filepath.Join(t.TempDir(), "seals.sock")
	l, err = net.Listen("unix", second)
	must(t, err)
	s := &http.Server{Handler: sealer.Handler(f, slog.New(slog.DiscardHandler)), ReadHeaderTimeout: time.Minute}
	go func() { _ = s.Serve(sealer.Guard(l, []int{os.Getuid()}, slog.New(slog.DiscardHandler))) }()
	t.Cleanup(func() { must(t, s.Close()) })
	if err := sealer.Dial("unix:"+second, nil).State(context.Background()); err != nil {
		t.Errorf("a known user's process is not heard: %v", err)
	}
}

func TestWhatAKeeperEntersWronglyIsRefused(t *testing.T) {
	h := found(t)
	ctx := context.Background()
	f, err := sealer.Start(ctx, h.options)
	must(t, err)
	defer func() { must(t, f.Close()) }()
	request, err := f.Request(ctx, "khac", false)
	must(t, err)
	s := seal.Seal{ID: "khac", Name: "KHÁC", Kind: seal.Business, Geometry: "vn-company"}
	s.Chain = certify(t, h.world, s, request)
	strange := s
	strange.Chain = certify(t, signtest.New(t), s, request)
	swapped := s
	swapped.ID = "unit" // whose key is another
	starred := s
	starred.Geometry, starred.Star = "cn-business", true
	for code, add := range map[string]seal.Seal{"sealer.certificate": strange, "service.seal_geometry": starred} {
		if err := f.Add(ctx, add, false); !fault.Is(err, code) {
			t.Errorf("got %v, want %s", err, code)
		}
	}
	if err := f.Add(ctx, swapped, false); !fault.Is(err, "sealer.certificate") {
		t.Errorf("another key's certificate: %v", err)
	}
	must(t, f.Add(ctx, s, false))
	if err := f.Enroll(ctx, seal.Signatory{Staff: "x", Public: []byte("short"), Paper: "1"}); !fault.Is(err, "sealer.public") {
		t.Errorf("no key: %v", err)
	}
	if err := f.Withdraw(ctx, "nobody"); !fault.Is(err, "sealer.no_staff") {
		t.Errorf("nobody: %v", err)
	}
	must(t, f.Withdraw(ctx, clerk.StaffID))
	if _, err := f.Release(ctx, h.order); !fault.Is(err, "seal.unsigned") {
		t.Errorf("a clerk whose key was withdrawn: %v", err)
	}
	must(t, f.Suspended(ctx, true))
	must(t, f.Close())
	f, err = sealer.Start(ctx, h.options)
	must(t, err)
	if err := f.State(ctx); !fault.Is(err, "seal.away") {
		t.Errorf("after a restart: %v", err)
	}
	must(t, f.Suspended(ctx, false))
	must(t, f.State(ctx))
}
