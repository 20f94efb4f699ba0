package service

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/internal/config"
	"countersign/internal/fault"
	"countersign/signing/ca"
	"countersign/signing/remote"
	"countersign/signing/remote/standin"
)

func TestEachConfiguredProviderAsksTheCustomersTelephone(t *testing.T) {
	root, err := ca.NewRoot(pkix.Name{CommonName: "CA mô phỏng"}, clock.System{}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	phone, err := standin.New("001190000001", func(public crypto.PublicKey) ([]*x509.Certificate, error) {
		return root.IssueSeal(public, ca.Seal{Name: "LÊ LAN", Life: time.Hour})
	})
	if err != nil {
		t.Fatal(err)
	}
	phone.Always(standin.Approve)
	server := httptest.NewServer(phone)
	defer server.Close()
	dir := t.TempDir()
	secret := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	password, bearer, hook := secret("password", standin.Password), secret("bearer", standin.Bearer), secret("hook", "0123456789abcdef")
	base := config.Remote{Account: standin.Account, SecretFile: password, For: "customers", Minutes: 5}
	with := func(change func(*config.Remote)) config.Remote {
		r := base
		change(&r)
		return r
	}
	list := []config.Remote{
		with(func(r *config.Remote) {
			r.Name, r.Kind, r.URL, r.SecretFile = "token", "csc", server.URL+"/csc/v1/", bearer
		}),
		with(func(r *config.Remote) {
			r.Name, r.Kind, r.URL, r.TokenURL, r.For = "công vụ", "csc", server.URL+"/csc/v1/", server.URL+"/oauth2/token", "staff"
		}),
		with(func(r *config.Remote) {
			r.Name, r.Kind, r.URL, r.HookKeyFile = "SmartCA", "smartca", server.URL+"/sca/sp769/", hook
		}),
		with(func(r *config.Remote) {
			r.Name, r.Kind, r.URL = "SmartCA TH", "smartca-integrated", server.URL+"/sca/sp769/"
		}),
		with(func(r *config.Remote) { r.Name, r.Kind, r.URL, r.Profile = "SIM", "sim", server.URL+"/mss", "p" }),
	}
	sims := func(context.Context, string) ([]*x509.Certificate, error) { return phone.Chain(), nil }
	opened, err := OpenRemotes(list, sims, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range opened {
		found, err := r.List(t.Context(), phone.User)
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %v, %v", r.Name, found, err)
		}
		pending, err := r.Begin(t.Context(), found[0], remote.Ask{Document: "HN-26-0042", PIN: standin.PIN, OTP: standin.OTP})
		if err != nil {
			t.Fatalf("%s: %v", r.Name, err)
		}
		if sig, err := remote.Wait(t.Context(), pending, r.Patience); err != nil || sig == nil {
			t.Errorf("%s: %v", r.Name, err)
		}
		if r.Staff != (r.Name == "công vụ") || (r.Hooks != nil) != (r.Name == "SmartCA") || r.Patience.Whole != 5*time.Minute {
			t.Errorf("%s: %+v", r.Name, r)
		}
	}
	list[0].SecretFile = filepath.Join(dir, "none")
	if _, err := OpenRemotes(list, sims, clock.System{}); !fault.Is(err, "config.secret_file") {
		t.Errorf("without the secret: %v", err)
	}
}
