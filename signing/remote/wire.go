package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// wire carries questions to one provider, each once.
type wire struct {
	base    string
	timeout time.Duration
	http    *http.Client
}

// newWire refuses an address without TLS, unless it is on this machine.
func newWire(base string, timeout time.Duration) (*wire, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("make a client for remote signing: %w", err)
	}
	here := net.ParseIP(u.Hostname()).IsLoopback()
	if u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !here) {
		return nil, fmt.Errorf("make a client for remote signing: %s is no https address", u.Redacted())
	}
	if timeout <= 0 {
		return nil, errors.New("make a client for remote signing: no timeout is given")
	}
	// A redirect would carry PIN and code to somebody whom nobody chose.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &wire{base: strings.TrimSuffix(base, "/") + "/", timeout: timeout, http: &http.Client{CheckRedirect: stay}}, nil
}

// post sends one question and returns the answer's status and body, whatever they are.
func (w *wire) post(ctx context.Context, path, contentType, authorization string, body []byte) (int, []byte, error) {
	return w.postTo(ctx, w.base+path, contentType, authorization, body)
}

func (w *wire) postTo(ctx context.Context, address, contentType, authorization string, body []byte) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("ask the provider: %w", err)
	}
	post.Header.Set("Content-Type", contentType)
	if authorization != "" {
		post.Header.Set("Authorization", authorization)
	}
	response, err := w.http.Do(post)
	if err != nil {
		return 0, nil, away(ctx, fmt.Errorf("ask the provider: %w", err))
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return 0, nil, away(ctx, fmt.Errorf("read the provider's answer: %w", err))
	}
	return response.StatusCode, data, nil
}
