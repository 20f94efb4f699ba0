package service

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"countersign/internal/clock"
	"countersign/internal/config"
	"countersign/kiosk"
	"countersign/signing/remote"
)

const (
	// remoteTimeout is how long a provider may take for one answer.
	remoteTimeout = 20 * time.Second
	// remoteEvery is how often a provider is asked whether the customer has confirmed.
	remoteEvery = 2 * time.Second
)

// Remote is a provider of remote signatures as it was configured.
type Remote struct {
	Name  string
	Phone bool // it knows people by their telephone numbers
	Staff bool // its keys are the staff's, for official duty
	remote.Provider
	Patience remote.Patience
	Hooks    *remote.Hooks // where its webhooks are to be received; nil: there are none
}

// SIMDirectory finds the certificate on file for a telephone number, with its issuers.
type SIMDirectory func(ctx context.Context, number string) ([]*x509.Certificate, error)

// OpenRemotes makes the clients of the configured providers. Nothing is asked of them yet. sims may be nil where no provider
// is of the kind sim.
func OpenRemotes(list []config.Remote, sims SIMDirectory, now clock.Clock) ([]Remote, error) {
	var out []Remote
	for _, r := range list {
		opened, err := openRemote(r, sims, now)
		if err != nil {
			return nil, fmt.Errorf("open the provider %q: %w", r.Name, err)
		}
		out = append(out, opened)
	}
	return out, nil
}

func openRemote(r config.Remote, sims SIMDirectory, now clock.Clock) (Remote, error) {
	out := Remote{Name: r.Name, Staff: r.For == "staff", Phone: r.Kind == "sim", Patience: remote.Patience{Whole: time.Duration(r.Minutes) * time.Minute, Every: remoteEvery}}
	secret, err := config.Secret(r.SecretFile)
	if err != nil {
		return Remote{}, err
	}
	switch r.Kind {
	case "smartca", "smartca-integrated":
		out.Provider, err = remote.NewSmartCA(r.URL, r.Account, string(secret), r.Kind == "smartca-integrated", remoteTimeout, now)
		if err == nil && r.HookKeyFile != "" {
			var key []byte
			if key, err = config.Secret(r.HookKeyFile); err == nil {
				out.Hooks, err = remote.NewHooks(r.Account, string(key))
			}
		}
	case "sim":
		out.Provider, err = remote.NewSIM(r.URL, remote.SIMAccount{
			ID: r.Account, Password: string(secret), Service: r.Service, Profile: r.Profile, Seconds: int(out.Patience.Whole.Seconds()),
		}, sims, remoteTimeout, now)
	default:
		if r.TokenURL == "" {
			out.Provider, err = remote.New(r.URL, string(secret), remoteTimeout)
			break
		}
		out.Provider, err = remote.NewOAuth(r.URL, remote.Account{
			TokenURL: r.TokenURL, AuthorizeURL: r.AuthorizeURL, RedirectURL: r.RedirectURL, ID: r.Account, Secret: string(secret),
		}, remoteTimeout, now)
	}
	return out, err
}

// customersRemotes are the providers at which customers have their keys, as the hall offers them.
func customersRemotes(list []Remote) []kiosk.Remote {
	var out []kiosk.Remote
	for _, r := range list {
		if !r.Staff {
			out = append(out, kiosk.Remote{Name: r.Name, Phone: r.Phone, Provider: r.Provider, Patience: r.Patience, Hooks: r.Hooks})
		}
	}
	return out
}
