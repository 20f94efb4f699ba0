package api

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"countersign/internal/fault"
	"countersign/kiosk"
	"countersign/kiosk/catalog"
)

// Client speaks the API for one terminal. It is safe for use from several goroutines.
type Client struct {
	Base string // https://host:port
	HTTP *http.Client

	mu    sync.Mutex
	token string

	reading sync.Mutex // held while the catalogue is fetched: there is one, or two would have different fields
	catalog *catalog.Catalog
}

// SetToken sets the token that goes with every request: a session's, or a display's.
func (c *Client) SetToken(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = token
}

func (c *Client) bearer() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return "Bearer " + c.token
}

// lost is the failure of a service that does not answer.
func lost(err error) error { return fault.Wrap(err, fault.Unavailable, "service.lost", nil) }

// do sends a request and returns the answer's body; a problem document becomes the failure that it tells.
func (c *Client) do(ctx context.Context, method, path, contentType string, in []byte) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, bytes.NewReader(in))
	if err != nil {
		return nil, fmt.Errorf("ask the service for %s: %w", path, err)
	}
	req.Header.Set("Authorization", c.bearer())
	if len(in) > 0 {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return nil, lost(err)
	}
	if resp.StatusCode < 300 {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	var p Problem
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, lost(err)
	}
	if err := json.Unmarshal(body, &p); err != nil || p.Code == "" {
		return nil, fault.Wrap(fmt.Errorf("%s %s: status %d", method, path, resp.StatusCode), fault.Internal, "service.answer", fault.Args{"status": resp.Status})
	}
	return nil, fault.New(p.Kind, p.Code, p.Args)
}

// call sends JSON and reads JSON.
func call[O any](ctx context.Context, c *Client, method, path string, in any) (O, error) {
	var out O
	var payload []byte
	if in != nil {
		var err error
		if payload, err = json.Marshal(in); err != nil {
			return out, fmt.Errorf("write the request for %s: %w", path, err)
		}
	}
	body, err := c.do(ctx, method, path, "application/json", payload)
	if err != nil {
		return out, err
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(&out); err != nil {
		return out, lost(err)
	}
	return out, nil
}

// bytes fetches a file.
func (c *Client) bytes(ctx context.Context, path string) ([]byte, error) {
	body, err := c.do(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, 64<<20))
	if err != nil {
		return nil, lost(err)
	}
	return data, nil
}

// orderPath is the path of an order's act.
func orderPath(key string, parts ...string) string {
	p := "/v1/orders/" + url.PathEscape(key)
	for _, part := range parts {
		p += "/" + url.PathEscape(part)
	}
	return p
}

// Catalog fetches the service files once and reads them with the service's own code.
func (c *Client) Catalog(ctx context.Context) (*catalog.Catalog, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if c.catalog != nil {
		return c.catalog, nil
	}
	data, err := c.bytes(ctx, "/v1/catalog")
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "service.answer", fault.Args{"status": "catalog"})
	}
	builtin, err := fs.Sub(z, builtinDir)
	if err != nil {
		return nil, err
	}
	var own fs.FS
	if _, err := fs.Stat(z, ownDir); err == nil {
		if own, err = fs.Sub(z, ownDir); err != nil {
			return nil, err
		}
	}
	if c.catalog, err = catalog.Load(builtin, own); err != nil {
		return nil, err
	}
	return c.catalog, nil
}

// view completes an order's view with the definition of its service, which does not travel each time.
func (c *Client) view(ctx context.Context, v kiosk.OrderView, err error) (kiosk.OrderView, error) {
	if err != nil {
		return v, err
	}
	cat, err := c.Catalog(ctx)
	if err != nil {
		return v, err
	}
	s, ok := cat.Service(v.Order.Service)
	if !ok {
		return v, fault.New(fault.NotFound, "order.service_gone", fault.Args{"service": v.Order.Service})
	}
	v.Service = s
	return v, nil
}

// orderCall is an act on an order that answers with its view.
func (c *Client) orderCall(ctx context.Context, method, path string, in any) (kiosk.OrderView, error) {
	v, err := call[kiosk.OrderView](ctx, c, method, path, in)
	return c.view(ctx, v, err)
}

// pause is how long a terminal waits before it connects again.
const pause = 300 * time.Millisecond

// listen keeps a stream of events open until ctx ends, connecting again when it breaks. each gets every event; down is
// told when the service is lost, and whether to try again is its answer.
func listen[T any](ctx context.Context, c *Client, path string, each func(T), down func(error) (again bool)) {
	for ctx.Err() == nil {
		err := listenOnce(ctx, c, path, each)
		if ctx.Err() != nil {
			return
		}
		if !down(err) {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func listenOnce[T any](ctx context.Context, c *Client, path string, each func(T)) error {
	body, err := c.do(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	defer body.Close()
	lines := bufio.NewReaderSize(body, 64<<10)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return lost(err)
		}
		data, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "data: ")
		if !ok {
			continue
		}
		var v T
		if err := json.Unmarshal([]byte(data), &v); err != nil {
			return lost(err)
		}
		each(v)
	}
}
