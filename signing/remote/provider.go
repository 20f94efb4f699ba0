package remote

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"countersign/internal/fault"
)

// Provider is somebody with whom a customer's key is: at a signing service, in a phone's SIM. All are alike to the counter:
// ask, wait until the customer has confirmed, take the signature.
type Provider interface {
	// List returns a person's credentials that can sign.
	List(ctx context.Context, user string) ([]Credential, error)
	// Begin leaves one digest for the customer to confirm. What the customer gave us for it is sent once.
	Begin(ctx context.Context, c Credential, ask Ask) (Pending, error)
}

// Ask is one signature that is wanted.
type Ask struct {
	Digest   [32]byte // what the key signs: signing.ToBeSigned.Digest, for one
	Document string   // the short code of the work order, shown here and by the provider
	Text     string   // what it is, for the provider to show

	PIN, OTP string // for credentials that want them; for SmartCA the PIN is the account's password
	Code     string // what the customer's browser brought back, for a credential of the mode OAuth
}

// Pending is a signature that was asked for and is not there yet. It is one person's and used by one goroutine at a time.
type Pending interface {
	// ID names it to the provider; webhooks tell it.
	ID() string
	// Poll looks once. A signature comes verified; nil without an error says that the customer has not confirmed yet.
	Poll(ctx context.Context) ([]byte, error)
	// Cancel gives it up: it takes the request back where the provider has a word for that, and nothing is fetched afterwards.
	Cancel(ctx context.Context) error
}

// Patience is how long the customer has to confirm, and how often we look.
type Patience struct {
	Whole, Every time.Duration

	// After waits for a while; nil is time.After.
	After func(time.Duration) <-chan time.Time
	// Hint, when not nil, says that looking now may be worth it; see Hooks.
	Hint <-chan struct{}
}

// Wait polls until the customer has confirmed or declined, the time is over (remote.late) or ctx was cancelled
// (remote.cancelled), and cancels in the last two cases.
func Wait(ctx context.Context, p Pending, patience Patience) ([]byte, error) {
	if patience.Whole <= 0 || patience.Every <= 0 {
		return nil, errors.New("wait for a remote signature: no patience is given")
	}
	after := patience.After
	if after == nil {
		after = time.After
	}
	over := after(patience.Whole)
	for {
		sig, err := p.Poll(ctx)
		if sig == nil && ctx.Err() != nil {
			return nil, giveUp(ctx, p, ended(ctx))
		}
		// To look again does no harm, so a provider that stumbles does not cost the customer's confirmation.
		if sig != nil || err != nil && !fault.Is(err, "remote.away") {
			return sig, err
		}
		select {
		case <-ctx.Done():
			return nil, giveUp(ctx, p, ended(ctx))
		case <-over:
			return nil, giveUp(ctx, p, late(errors.New("nobody confirmed")))
		case <-after(patience.Every):
		case <-patience.Hint:
		}
	}
}

// ended says how a context did: its time was over, or somebody here gave up.
func ended(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return late(ctx.Err())
	}
	return fault.Wrap(fmt.Errorf("wait for the customer: %w", ctx.Err()), fault.Conflict, "remote.cancelled", nil)
}

func late(err error) error { return fault.Wrap(err, fault.Conflict, "remote.late", nil) }

// giveUp cancels although ctx may be over, and returns why.
func giveUp(ctx context.Context, p Pending, why error) error {
	// That the provider can't take it back any more changes nothing here: its answer is never fetched.
	_ = p.Cancel(context.WithoutCancel(ctx))
	return why
}

// Checker refuses certificates with which nobody should sign now.
type Checker interface {
	Check(ctx context.Context, chain []*x509.Certificate) error
}

// Checked lets a checker see a credential's certificates before anything is asked of its provider.
func Checked(p Provider, c Checker) Provider { return checked{p, c} }

type checked struct {
	Provider
	checker Checker
}

func (p checked) Begin(ctx context.Context, c Credential, ask Ask) (Pending, error) {
	if len(c.Chain) == 0 {
		return nil, fault.New(fault.Forbidden, "remote.certificate", nil)
	}
	if err := p.checker.Check(ctx, c.Chain); err != nil {
		return nil, err
	}
	return p.Provider.Begin(ctx, c, ask)
}

// verified decodes a signature and checks that the credential's key made it over the digest.
func verified(chain []*x509.Certificate, digest [32]byte, text string) ([]byte, error) {
	signature, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, nonsense(fmt.Errorf("the signature: %w", err))
	}
	good := false
	switch public := chain[0].PublicKey.(type) {
	case *ecdsa.PublicKey:
		good = ecdsa.VerifyASN1(public, digest[:], signature)
	case *rsa.PublicKey:
		good = rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
	}
	if !good {
		return nil, fault.New(fault.Internal, "remote.signature", nil)
	}
	return signature, nil
}

// done is a Pending whose signature was there at once.
type done struct {
	id  string
	sig []byte
}

func (d *done) ID() string                           { return d.id }
func (d *done) Poll(context.Context) ([]byte, error) { return d.sig, nil }
func (d *done) Cancel(context.Context) error         { return nil }

// certificate reads one in base64, with or without line breaks.
func certificate(text string) (*x509.Certificate, error) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, nonsense(fmt.Errorf("a certificate: %w", err))
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nonsense(fmt.Errorf("a certificate: %w", err))
	}
	return cert, nil
}
