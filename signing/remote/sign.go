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
	"io"
	"slices"
	"sync"
	"time"

	"countersign/internal/fault"
)

// Object identifiers that name digests and signatures to the provider.
const (
	oidSHA256      = "2.16.840.1.101.3.4.2.1"
	oidRSA         = "1.2.840.113549.1.1.1"
	oidRSASHA256   = "1.2.840.113549.1.1.11"
	oidECDSASHA256 = "1.2.840.10045.4.3.2"
)

// Consent is what the customer agreed with. PIN and OTP are empty where the app asks for them.
type Consent struct {
	PIN, OTP string
	Order    string // the code that is shown at the counter and in the provider's app
	Title    string // what the document is, for the app
}

// Patience is how long the customer has to confirm in the app, and how often we look.
type Patience struct{ Whole, Every time.Duration }

// Signer makes one signature with a credential. It is a crypto.Signer, so that it fits where a local key does.
type Signer struct {
	client     *Client
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
	switch {
	case len(credential.Chain) == 0:
		return nil, fault.New(fault.Forbidden, "remote.certificate", nil)
	case credential.Mode != Explicit && credential.Mode != Implicit:
		return nil, fault.New(fault.Invalid, "remote.mode", nil)
	case credential.Mode == Explicit && (credential.PIN && consent.PIN == "" || credential.OTP && consent.OTP == ""):
		return nil, fault.New(fault.Invalid, "remote.consent", nil)
	case consent.Order == "" || p.Whole <= 0 || p.Every <= 0:
		return nil, errors.New("sign remotely: no order or no patience is given")
	}
	return &Signer{client: c, ctx: ctx, credential: credential, consent: consent, patience: p}, nil
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
	algorithm, err := s.algorithm()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	again := s.used
	s.used = true
	s.mu.Unlock()
	if again {
		return nil, errors.New("sign remotely: the consent was used")
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.patience.Whole)
	defer cancel()
	request := signHash{
		CredentialID: s.credential.ID, Hash: []string{base64.StdEncoding.EncodeToString(digest)}, HashAlgo: oidSHA256,
		SignAlgo: algorithm, NumSignatures: 1, Documents: []document{{s.consent.Order, s.consent.Title}},
	}
	var made answer
	if s.credential.Mode == Implicit {
		request.OperationMode = "A"
		made, err = s.confirmed(ctx, request)
	} else {
		made, err = s.authorized(ctx, request)
	}
	if err != nil {
		return nil, late(ctx, err)
	}
	return s.release(digest, made)
}

// late tells that the time for the whole was over from a provider that was away.
func late(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fault.Wrap(err, fault.Conflict, "remote.late", nil)
	}
	return err
}

type document struct {
	ID   string `json:"document_id"`
	Name string `json:"document_name"`
}

type signHash struct {
	CredentialID  string     `json:"credentialID"`
	SAD           string     `json:"SAD,omitempty"`
	Hash          []string   `json:"hash"`
	HashAlgo      string     `json:"hashAlgo"`
	SignAlgo      string     `json:"signAlgo"`
	NumSignatures int        `json:"numSignatures"`
	Documents     []document `json:"documents"`
	OperationMode string     `json:"operationMode,omitempty"`
}

type answer struct {
	Signatures []string   `json:"signatures"`
	ResponseID string     `json:"responseID"`
	Documents  []document `json:"documents"`
}

// authorized gets the authorization for this digest and uses it.
func (s *Signer) authorized(ctx context.Context, request signHash) (answer, error) {
	var grant struct {
		SAD string `json:"SAD"`
	}
	err := s.client.ask(ctx, "credentials/authorize", struct {
		CredentialID  string   `json:"credentialID"`
		NumSignatures int      `json:"numSignatures"`
		Hash          []string `json:"hash"`
		PIN           string   `json:"PIN,omitempty"`
		OTP           string   `json:"OTP,omitempty"`
	}{s.credential.ID, 1, request.Hash, s.consent.PIN, s.consent.OTP}, &grant)
	if err != nil {
		return answer{}, err
	}
	if grant.SAD == "" {
		return answer{}, nonsense(errors.New("credentials/authorize: there is no SAD"))
	}
	request.SAD = grant.SAD
	var made answer
	err = s.client.ask(ctx, "signatures/signHash", request, &made)
	return made, err
}

// confirmed leaves the request with the provider and asks until the customer has confirmed in the app.
func (s *Signer) confirmed(ctx context.Context, request signHash) (answer, error) {
	var left answer
	if err := s.client.ask(ctx, "signatures/signHash", request, &left); err != nil {
		return answer{}, err
	}
	if len(left.Signatures) > 0 {
		return left, nil
	}
	if left.ResponseID == "" {
		return answer{}, nonsense(errors.New("signatures/signHash: neither signatures nor a responseID"))
	}
	tick := time.NewTicker(s.patience.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return answer{}, away(ctx, fmt.Errorf("wait for the customer: %w", ctx.Err()))
		case <-tick.C:
		}
		var made answer
		err := s.client.ask(ctx, "signatures/signPolling", struct {
			ResponseID string `json:"responseID"`
		}{left.ResponseID}, &made)
		// To look again does no harm, so a provider that stumbles does not cost the customer's confirmation.
		if err != nil && !fault.Is(err, "remote.away") {
			return answer{}, err
		}
		if err == nil && len(made.Signatures) > 0 {
			return made, nil
		}
	}
}

// release verifies what came back.
func (s *Signer) release(digest []byte, made answer) ([]byte, error) {
	if len(made.Signatures) != 1 {
		return nil, nonsense(fmt.Errorf("%d signatures for one digest", len(made.Signatures)))
	}
	for _, d := range made.Documents {
		if d.ID != s.consent.Order {
			return nil, nonsense(fmt.Errorf("the answer is about document %.40q", d.ID))
		}
	}
	signature, err := base64.StdEncoding.DecodeString(made.Signatures[0])
	if err != nil {
		return nil, nonsense(fmt.Errorf("the signature: %w", err))
	}
	good := false
	switch public := s.Public().(type) {
	case *ecdsa.PublicKey:
		good = ecdsa.VerifyASN1(public, digest, signature)
	case *rsa.PublicKey:
		good = rsa.VerifyPKCS1v15(public, crypto.SHA256, digest, signature) == nil
	}
	if !good {
		return nil, fault.New(fault.Internal, "remote.signature", nil)
	}
	return signature, nil
}

// algorithm names the signature in the provider's words: the first of ours that the credential has.
func (s *Signer) algorithm() (string, error) {
	var ours []string
	switch s.Public().(type) {
	case *rsa.PublicKey:
		ours = []string{oidRSASHA256, oidRSA}
	case *ecdsa.PublicKey:
		ours = []string{oidECDSASHA256}
	}
	for _, oid := range ours {
		if slices.Contains(s.credential.Algorithms, oid) {
			return oid, nil
		}
	}
	err := fmt.Errorf("a %T with the algorithms %.200q", s.Public(), s.credential.Algorithms)
	return "", fault.Wrap(err, fault.Forbidden, "remote.certificate", nil)
}
