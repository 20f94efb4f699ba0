package revoke

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
)

// Client is a Source that asks the addresses which stand in a certificate: first its OCSP responders, then where its
// revocation list lies. Several goroutines may use it at once.
type Client struct {
	timeout time.Duration
	clock   clock.Clock
	rand    io.Reader
	http    *http.Client
}

// NewClient returns a client; timeout is for each address, rand gives the nonces.
func NewClient(timeout time.Duration, c clock.Clock, rand io.Reader) *Client {
	return &Client{timeout: timeout, clock: c, rand: rand, http: &http.Client{}}
}

// Status gets a fresh statement. When no address gives one the failure is revoke.away.
func (c *Client) Status(ctx context.Context, q Question) (Answer, error) {
	var failures []error
	if len(q.Certificate.OCSPServer)+len(q.Certificate.CRLDistributionPoints) == 0 {
		failures = append(failures, errors.New("the certificate names no address"))
	}
	for _, url := range q.Certificate.OCSPServer {
		a, err := c.respond(ctx, url, q)
		if err == nil {
			return a, nil
		}
		failures = append(failures, fmt.Errorf("%s: %w", url, err))
	}
	for _, url := range q.Certificate.CRLDistributionPoints {
		a, err := c.list(ctx, url, q)
		if err == nil {
			return a, nil
		}
		failures = append(failures, fmt.Errorf("%s: %w", url, err))
	}
	return Answer{}, away(q.Certificate, errors.Join(failures...))
}

// away is the failure of every source that has no answer.
func away(cert *x509.Certificate, err error) error {
	return fault.Wrap(err, fault.Unavailable, "revoke.away", fault.Args{"certificate": cert.Subject.CommonName})
}

func (c *Client) respond(ctx context.Context, url string, q Question) (Answer, error) {
	nonce := make([]byte, 16)
	if _, err := io.ReadFull(c.rand, nonce); err != nil {
		return Answer{}, fmt.Errorf("draw a nonce: %w", err)
	}
	r, err := NewRequest(q.Certificate, q.Issuer, nonce)
	if err != nil {
		return Answer{}, err
	}
	der, err := r.Encode()
	if err != nil {
		return Answer{}, err
	}
	body, err := c.fetch(ctx, http.MethodPost, url, der, maxOCSP)
	if err != nil {
		return Answer{}, err
	}
	response, err := ParseOCSP(body)
	if err != nil {
		return Answer{}, err
	}
	// Responders that answer from a stock leave the nonce out; one that sends another answers somebody else.
	if response.Nonce != nil && !bytes.Equal(response.Nonce, nonce) {
		return Answer{}, errors.New("the OCSP response has another nonce")
	}
	a := Answer{OCSP: body}
	s, err := a.Check(q, c.clock.Now())
	if err == nil && s.State == Unknown {
		err = errors.New("the responder does not know the certificate")
	}
	return a, err
}

func (c *Client) list(ctx context.Context, url string, q Question) (Answer, error) {
	body, err := c.fetch(ctx, http.MethodGet, url, nil, maxCRL)
	if err != nil {
		return Answer{}, err
	}
	if block, _ := pem.Decode(body); block != nil && block.Type == "X509 CRL" {
		body = block.Bytes
	}
	a := Answer{CRL: body}
	_, err = a.Check(q, c.clock.Now())
	return a, err
}

func (c *Client) fetch(ctx context.Context, method, url string, body []byte, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if r.URL.Scheme != "http" && r.URL.Scheme != "https" {
		return nil, errors.New("the address is not a web address")
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/ocsp-request")
	}
	response, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer has the status %s", response.Status)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("the answer has more than %d bytes", limit)
	}
	return data, err
}
