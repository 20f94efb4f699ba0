package sealer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"countersign/internal/fault"
	"countersign/signing/seal"
)

// Patience with the sealer: questions that screens ask are answered at once or not at all.
const (
	askTime  = 3 * time.Second
	sealTime = time.Minute
)

// Client is the counters' end of the connection; it implements seal.Service. Make one with Dial and set Kept and Waits.
type Client struct {
	url  string
	http *http.Client

	// Kept tells the digest of the sealed document that was stored for a use, if one was.
	Kept func(ctx context.Context, u seal.Use) (digest [32]byte, ok bool, err error)
	// Waits tells whether an order still waits for its seals, and so will ask for its document again.
	Waits func(ctx context.Context, order string) (bool, error)

	mu       sync.RWMutex // Apply reads, Settle writes: nothing is settled under a running Apply
	settling sync.Mutex   // guards unsettled
	unclear  bool         // uses may be open that nobody works on
}

// Dial returns a client of the sealer at an address: "unix:/run/seals.sock", or "host:port" with TLS. It connects when
// it is first used, and at each use again if it must.
func Dial(address string, link *tls.Config) *Client {
	t := &http.Transport{TLSClientConfig: link, MaxIdleConnsPerHost: 8, TLSHandshakeTimeout: askTime, ForceAttemptHTTP2: false}
	c := &Client{url: "https://" + address, http: &http.Client{Transport: t}, unclear: true}
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		c.url = "http://sealer"
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}
	}
	return c
}

// ask puts one question. A sealer that can't be reached is seal.away.
func ask[Out any](ctx context.Context, c *Client, name string, patience time.Duration, in any) (out Out, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return out, fmt.Errorf("ask the seal service for %s: %w", name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/1/"+name, bytes.NewReader(body))
	if err != nil {
		return out, fmt.Errorf("ask the seal service for %s: %w", name, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return out, away(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(io.LimitReader(resp.Body, maxMessage))
	if err != nil {
		return out, away(err)
	}
	if resp.StatusCode != http.StatusOK {
		return out, failed(got, resp.StatusCode)
	}
	if err := json.Unmarshal(got, &out); err != nil {
		return out, away(fmt.Errorf("read the seal service's answer to %s: %w", name, err))
	}
	return out, nil
}

// State is nil when the sealer answers and seals.
func (c *Client) State(ctx context.Context) error {
	_, err := ask[nothing](ctx, c, "state", askTime, nothing{})
	return err
}

// Seals returns the seals that the clerk may use now.
func (c *Client) Seals(ctx context.Context, clerk seal.Clerk) ([]seal.Seal, error) {
	list, err := ask[[]wireSeal](ctx, c, "seals", askTime, clerk)
	if err != nil {
		return nil, err
	}
	out := []seal.Seal{}
	for _, w := range list {
		s, err := w.seal()
		if err != nil {
			return nil, away(err)
		}
		out = append(out, s)
	}
	return out, nil
}

// Grants returns who may use a seal for a service now.
func (c *Client) Grants(ctx context.Context, id, service string) ([]seal.Grant, error) {
	return ask[[]seal.Grant](ctx, c, "grants", askTime, askGrants{id, service})
}

// Uses returns the lines of the sealer's book between two moments.
func (c *Client) Uses(ctx context.Context, from, to time.Time) ([]seal.Use, error) {
	list, err := ask[[]wireUse](ctx, c, "uses", sealTime, askUses{from, to})
	return usesFromWire(list), err
}

// Apply has the document sealed, stores it (o.Keep) and tells the sealer so. The sealer holds what it made until then:
// when this process ends in between, the order still waits, and the next Apply gets the same bytes.
func (c *Client) Apply(ctx context.Context, o seal.Order) (seal.Result, error) {
	if err := c.Ready(ctx); err != nil {
		return seal.Result{}, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	got, err := ask[released](ctx, c, "release", sealTime, askRelease{
		Order: o.ID, Service: o.Service, Clerk: o.Clerk, Document: o.Document, Seals: o.Seals, Reason: o.Reason, Location: o.Location,
		Base: o.Consent.Base, Signed: o.Consent.Signed, Evidence: o.Consent.Evidence, Asked: o.Asked, Second: o.Second,
	})
	if err != nil {
		return seal.Result{}, err
	}
	r := seal.Result{Document: got.Document, SHA256: sha256.Sum256(got.Document), Level: got.Level, Uses: usesFromWire(got.Uses)}
	if got.Untimed {
		r.Untimed = errors.New("the seal service had no timestamp")
	}
	if !bytes.HasPrefix(r.Document, o.Document) {
		return seal.Result{}, fault.Wrap(errors.New("it does not begin with the customer's document"), fault.Internal, "seal.other_file", nil)
	}
	// What the sealer holds waits for its word, whatever becomes of the caller.
	after := context.WithoutCancel(ctx)
	if o.Keep != nil {
		if err := o.Keep(ctx, r); err != nil {
			return seal.Result{}, errors.Join(fmt.Errorf("keep the sealed order %s: %w", o.ID, err), c.settleOne(after, o.ID, r.Uses))
		}
	}
	if _, err := ask[nothing](after, c, "confirm", askTime, askConfirm{o.ID, r.SHA256}); err != nil {
		// The order is sealed and stored; only the book has not heard of it yet.
		c.doubt()
	}
	for i := range r.Uses {
		r.Uses[i].State, r.Uses[i].Result = seal.Done, r.SHA256
	}
	return r, nil
}

// doubt notes that something is to be settled.
func (c *Client) doubt() {
	c.settling.Lock()
	defer c.settling.Unlock()
	c.unclear = true
}

// Ready settles what an earlier call or process left; when nothing is left it costs nothing.
func (c *Client) Ready(ctx context.Context) error {
	c.settling.Lock()
	unclear := c.unclear
	c.settling.Unlock()
	if !unclear {
		return nil
	}
	_, err := c.Settle(ctx)
	return err
}

// Settle tells the sealer what became of the documents that it holds: stored, or not wanted any more. What an order still
// waits for stays held. It is called at the start and after each trouble.
func (c *Client) Settle(ctx context.Context) (seal.Settled, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list, err := ask[[]wireUse](ctx, c, "open", askTime, nothing{})
	if err != nil {
		return seal.Settled{}, err
	}
	byOrder := map[string][]seal.Use{}
	var orders []string
	for _, u := range usesFromWire(list) {
		if byOrder[u.Order] == nil {
			orders = append(orders, u.Order)
		}
		byOrder[u.Order] = append(byOrder[u.Order], u)
	}
	var count seal.Settled
	for _, order := range orders {
		done, void, err := c.decide(ctx, order, byOrder[order])
		if err != nil {
			return count, fmt.Errorf("settle the seals of order %s: %w", order, err)
		}
		count.Done += done
		count.Void += void
	}
	c.settling.Lock()
	defer c.settling.Unlock()
	c.unclear = false
	return count, nil
}

// settleOne settles one order, now or, when that can't be, before the next Apply.
func (c *Client) settleOne(ctx context.Context, order string, uses []seal.Use) error {
	_, _, err := c.decide(ctx, order, uses)
	if err != nil {
		c.doubt()
	}
	return err
}

// decide looks at what was kept for an order's uses and tells the sealer.
func (c *Client) decide(ctx context.Context, order string, uses []seal.Use) (done, void int, err error) {
	var kept [32]byte
	found := false
	for _, u := range uses {
		digest, ok, err := c.Kept(ctx, u)
		if err != nil {
			return 0, 0, err
		}
		if ok {
			kept, found = digest, true
		}
	}
	if found {
		_, err := ask[nothing](ctx, c, "confirm", askTime, askConfirm{order, kept})
		return len(uses), 0, err
	}
	waits, err := c.Waits(ctx, order)
	if err != nil || waits {
		return 0, 0, err
	}
	_, err = ask[nothing](ctx, c, "discard", askTime, askDiscard{order, "the order does not wait for seals any more"})
	return 0, len(uses), err
}
