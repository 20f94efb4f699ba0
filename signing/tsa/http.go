package tsa

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"time"

	"countersign/internal/fault"
)

// maxBody bounds requests and responses over HTTP.
const maxBody = 1 << 20

// Client is an Authority that asks others over HTTP, one after the other until one answers rightly.
type Client struct {
	urls    []string
	timeout time.Duration
	rand    io.Reader
	http    *http.Client
	roots   *x509.CertPool // nil: whoever stands at the addresses is believed
}

// Trust makes the client refuse tokens whose authority does not lead to one of the certificates, so that the next
// authority is asked instead of a document being spoiled by a stamp that nobody will believe.
func (c *Client) Trust(roots []*x509.Certificate) {
	c.roots = x509.NewCertPool()
	for _, r := range roots {
		c.roots.AddCert(r)
	}
}

// NewClient returns a client for the given URLs, tried in order; timeout is for each of them.
func NewClient(urls []string, timeout time.Duration, rand io.Reader) (*Client, error) {
	if len(urls) == 0 || timeout <= 0 {
		return nil, errors.New("make a timestamp client: no address or no timeout is given")
	}
	// A redirect would lead to an authority that nobody chose.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{urls: urls, timeout: timeout, rand: rand, http: &http.Client{CheckRedirect: stay}}, nil
}

// Stamp asks the authorities in order. A token with another nonce or imprint, signed wrongly, or by an authority whose
// certificate does not hold at the token's time, counts as no answer.
// When none answers rightly the failure is tsa.away.
func (c *Client) Stamp(ctx context.Context, message []byte) ([]byte, error) {
	var failures []error
	for _, url := range c.urls {
		token, err := c.ask(ctx, url, message)
		if err == nil {
			return token, nil
		}
		failures = append(failures, fmt.Errorf("%s: %w", url, err))
		if ctx.Err() != nil {
			break
		}
	}
	return nil, fault.Wrap(errors.Join(failures...), fault.Unavailable, "tsa.away", nil)
}

func (c *Client) ask(ctx context.Context, url string, message []byte) ([]byte, error) {
	random := make([]byte, 8)
	if _, err := io.ReadFull(c.rand, random); err != nil {
		return nil, fmt.Errorf("draw a nonce: %w", err)
	}
	digest := sha256.Sum256(message)
	r := request{algorithm: oidSHA256, imprint: digest[:], nonce: new(big.Int).SetBytes(random), certificates: true}
	query, err := r.encode()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(query))
	if err != nil {
		return nil, err
	}
	post.Header.Set("Content-Type", "application/timestamp-query")
	response, err := c.http.Do(post)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer has the status %s", response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return nil, err
	}
	der, err := readResponse(body)
	if err != nil {
		return nil, err
	}
	t, err := Parse(der)
	if err != nil {
		return nil, err
	}
	if t.Nonce == nil || t.Nonce.Cmp(r.nonce) != 0 {
		return nil, badToken("it has another nonce")
	}
	if err := t.Verify(message); err != nil {
		return nil, err
	}
	return der, c.believe(t)
}

// believe judges the authority's certificate at the token's own time.
func (c *Client) believe(t *Token) error {
	signer := t.Message.Signer
	if t.Time.Before(signer.NotBefore) || t.Time.After(signer.NotAfter) {
		return badToken("its authority's certificate does not hold at its time")
	}
	if c.roots == nil {
		return nil
	}
	above := x509.NewCertPool()
	for _, a := range t.Message.Certificates {
		above.AddCert(a)
	}
	_, err := signer.Verify(x509.VerifyOptions{Roots: c.roots, Intermediates: above, CurrentTime: t.Time, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}})
	if err != nil {
		return fmt.Errorf("%w: its authority is not trusted: %w", ErrToken, err)
	}
	return nil
}

// ServeHTTP answers timestamp queries (RFC 3161 §3.4).
func (l *Local) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/timestamp-query" {
		http.Error(w, "post an application/timestamp-query", http.StatusBadRequest)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the query can't be read", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/timestamp-reply")
	w.Write(l.answer(body))
}

// answer returns the response to a query. Our tokens always carry their certificates.
func (l *Local) answer(query []byte) []byte {
	req, failed := readRequest(query)
	if failed != accepted {
		return encodeResponse(nil, failed)
	}
	token, err := l.token(req)
	if err != nil {
		return encodeResponse(nil, broken)
	}
	return encodeResponse(token, accepted)
}
