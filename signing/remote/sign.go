package remote

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"
	"slices"
	"sync"

	"countersign/internal/fault"
)

// Consent is what the customer agreed with. PIN and OTP are empty where the app asks for them.
type Consent struct {
	PIN, OTP string
	Code     string // see Ask
	Order    string // the code that is shown at the counter and in the provider's app
	Title    string // what the document is, for the app
}

// Signer makes one signature with a credential. It is a crypto.Signer, so that it fits where a local key does.
type Signer struct {
	provider   Provider
	ctx        context.Context
	credential Credential
	consent    Consent
	patience   Patience

	mu   sync.Mutex
	used bool
}

// Signer returns what signs once with the customer's consent; ctx ends the waiting. Its faults, here and in Sign:
//
//	remote.mode         the credential wants a browser
//	remote.consent      the PIN or code that it needs was not given
//	remote.pin          the PIN is wrong; remote.otp: the code is
//	remote.cancelled    the customer declined in the app, or ctx was cancelled
//	remote.late         nobody confirmed in time
//	remote.signature    what came back is no signature of this key over this digest
//	remote.answer       what came back makes no sense, or is about another document
//	remote.account      the provider does not know this house; remote.refused: it refuses otherwise
//	remote.away         it is away
func (c *Client) Signer(ctx context.Context, credential Credential, consent Consent, p Patience) (*Signer, error) {
	if err := c.ready(credential, consent.ask([32]byte{})); err != nil {
		return nil, err
	}
	return NewSigner(ctx, c, credential, consent, p)
}

// NewSigner is Client.Signer for any provider. Its faults are those, as far as the provider has them.
func NewSigner(ctx context.Context, provider Provider, credential Credential, consent Consent, p Patience) (*Signer, error) {
	if len(credential.Chain) == 0 {
		return nil, fault.New(fault.Forbidden, "remote.certificate", nil)
	}
	if consent.Order == "" || p.Whole <= 0 || p.Every <= 0 {
		return nil, errors.New("sign remotely: no order or no patience is given")
	}
	return &Signer{provider: provider, ctx: ctx, credential: credential, consent: consent, patience: p}, nil
}

func (c Consent) ask(digest [32]byte) Ask {
	return Ask{Digest: digest, Document: c.Order, Text: c.Title, PIN: c.PIN, OTP: c.OTP, Code: c.Code}
}

// Public returns the certificate's key.
func (s *Signer) Public() crypto.PublicKey { return s.credential.Chain[0].PublicKey }

// Chain returns the customer's certificate and its issuers, as the provider tells them.
func (s *Signer) Chain() []*x509.Certificate { return slices.Clone(s.credential.Chain) }

// Sign has a SHA-256 digest signed: ECDSA in ASN.1, or RSA by PKCS#1 v1.5. A second call is refused, because the consent was
// for one signature.
func (s *Signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if _, pss := opts.(*rsa.PSSOptions); pss || opts.HashFunc() != crypto.SHA256 || len(digest) != crypto.SHA256.Size() {
		return nil, errors.New("sign remotely: it is no SHA-256 digest, or the padding is not PKCS#1 v1.5")
	}
	s.mu.Lock()
	again := s.used
	s.used = true
	s.mu.Unlock()
	if again {
		return nil, errors.New("sign remotely: the consent was used")
	}
	// The provider's first answer takes its part of the time, too.
	ctx, cancel := context.WithTimeout(s.ctx, s.patience.Whole)
	defer cancel()
	pending, err := s.provider.Begin(ctx, s.credential, s.consent.ask([32]byte(digest)))
	if err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, late(err)
		}
		return nil, err
	}
	return Wait(ctx, pending, s.patience)
}
