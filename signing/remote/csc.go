package remote

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"countersign/internal/fault"
)

// Object identifiers that name digests and signatures to the provider.
const (
	oidSHA256      = "2.16.840.1.101.3.4.2.1"
	oidRSA         = "1.2.840.113549.1.1.1"
	oidRSASHA256   = "1.2.840.113549.1.1.11"
	oidECDSASHA256 = "1.2.840.10045.4.3.2"
)

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

// ready refuses what the provider would not take, before it is asked.
func (c *Client) ready(credential Credential, ask Ask) error {
	switch {
	case len(credential.Chain) == 0:
		return fault.New(fault.Forbidden, "remote.certificate", nil)
	case credential.Mode == OAuth && (ask.Code == "" || c.oauth == nil):
		return fault.New(fault.Invalid, "remote.mode", nil)
	case credential.Mode != Explicit && credential.Mode != Implicit && credential.Mode != OAuth:
		return fault.New(fault.Invalid, "remote.mode", nil)
	case credential.Mode == Explicit && (credential.PIN && ask.PIN == "" || credential.OTP && ask.OTP == ""):
		return fault.New(fault.Invalid, "remote.consent", nil)
	}
	return nil
}

// Begin signs at once with PIN, code or what a browser brought back, or leaves the request until the customer has confirmed
// in the app. Its faults are those of Signer.
func (c *Client) Begin(ctx context.Context, credential Credential, ask Ask) (Pending, error) {
	if err := c.ready(credential, ask); err != nil {
		return nil, err
	}
	if ask.Document == "" {
		return nil, errors.New("sign remotely: the document has no code")
	}
	algorithm, err := algorithmOf(credential)
	if err != nil {
		return nil, err
	}
	request := signHash{
		CredentialID: credential.ID, Hash: []string{base64.StdEncoding.EncodeToString(ask.Digest[:])}, HashAlgo: oidSHA256,
		SignAlgo: algorithm, NumSignatures: 1, Documents: []document{{ask.Document, ask.Text}},
	}
	switch credential.Mode {
	case Implicit:
		request.OperationMode = "A"
	case OAuth:
		request.SAD, err = c.exchange(ctx, ask.Code)
	default:
		request.SAD, err = c.authorize(ctx, request, ask)
	}
	if err != nil {
		return nil, err
	}
	var made answer
	if err := c.ask(ctx, "signatures/signHash", request, &made); err != nil {
		return nil, err
	}
	p := &pendingCSC{client: c, id: made.ResponseID, chain: credential.Chain, ask: ask}
	if len(made.Signatures) > 0 || credential.Mode != Implicit {
		sig, err := p.release(made)
		return &done{p.id, sig}, err
	}
	if p.id == "" {
		return nil, nonsense(errors.New("signatures/signHash: neither signatures nor a responseID"))
	}
	return p, nil
}

// authorize gets the authorization for this digest.
func (c *Client) authorize(ctx context.Context, request signHash, ask Ask) (string, error) {
	var grant struct {
		SAD string `json:"SAD"`
	}
	err := c.ask(ctx, "credentials/authorize", struct {
		CredentialID  string   `json:"credentialID"`
		NumSignatures int      `json:"numSignatures"`
		Hash          []string `json:"hash"`
		PIN           string   `json:"PIN,omitempty"`
		OTP           string   `json:"OTP,omitempty"`
	}{request.CredentialID, 1, request.Hash, ask.PIN, ask.OTP}, &grant)
	if err == nil && grant.SAD == "" {
		err = nonsense(errors.New("credentials/authorize: there is no SAD"))
	}
	return grant.SAD, err
}

// pendingCSC waits for a confirmation in the provider's app.
type pendingCSC struct {
	client *Client
	id     string
	chain  []*x509.Certificate
	ask    Ask
	over   bool
}

func (p *pendingCSC) ID() string { return p.id }

func (p *pendingCSC) Poll(ctx context.Context) ([]byte, error) {
	if p.over {
		return nil, fault.New(fault.Conflict, "remote.cancelled", nil)
	}
	var made answer
	err := p.client.ask(ctx, "signatures/signPolling", struct {
		ResponseID string `json:"responseID"`
	}{p.id}, &made)
	if err != nil || len(made.Signatures) == 0 {
		return nil, err
	}
	return p.release(made)
}

// Cancel has no word in the API; the answer is not fetched any more.
func (p *pendingCSC) Cancel(context.Context) error {
	p.over = true
	return nil
}

// release verifies what came back.
func (p *pendingCSC) release(made answer) ([]byte, error) {
	if len(made.Signatures) != 1 {
		return nil, nonsense(fmt.Errorf("%d signatures for one digest", len(made.Signatures)))
	}
	for _, d := range made.Documents {
		if d.ID != p.ask.Document {
			return nil, nonsense(fmt.Errorf("the answer is about document %.40q", d.ID))
		}
	}
	return verified(p.chain, p.ask.Digest, made.Signatures[0])
}

// algorithmOf names the signature in the provider's words: the first of ours that the credential has.
func algorithmOf(c Credential) (string, error) {
	var ours []string
	switch c.Chain[0].PublicKey.(type) {
	case *rsa.PublicKey:
		ours = []string{oidRSASHA256, oidRSA}
	case *ecdsa.PublicKey:
		ours = []string{oidECDSASHA256}
	}
	for _, oid := range ours {
		if slices.Contains(c.Algorithms, oid) {
			return oid, nil
		}
	}
	err := fmt.Errorf("a %T with the algorithms %.200q", c.Chain[0].PublicKey, c.Algorithms)
	return "", fault.Wrap(err, fault.Forbidden, "remote.certificate", nil)
}
