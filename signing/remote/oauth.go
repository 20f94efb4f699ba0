package remote

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
)

// early is how long before its end a token is not used any more, so that it does not end on the way.
const early = 30 * time.Second

// Account is this house's account at a provider that gives out tokens (RFC 6749): instead of one that never changes, a client
// fetches a token for itself and a new one before it runs out.
type Account struct {
	TokenURL     string // the token endpoint
	AuthorizeURL string // where customers confirm in a browser; empty where no credential wants it
	ID, Secret   string
	RedirectURL  string // where their browser comes back to
	Scope        string // of our own token; the provider's documents name it, usually service
}

// NewOAuth is New for a provider that gives out tokens.
func NewOAuth(base string, account Account, timeout time.Duration, now clock.Clock) (*Client, error) {
	w, err := newWire(base, timeout)
	if err != nil {
		return nil, err
	}
	for _, address := range []string{account.TokenURL, account.AuthorizeURL} {
		if address == "" && address != account.TokenURL {
			continue
		}
		if _, err := newWire(address, timeout); err != nil {
			return nil, err
		}
	}
	t := &tokens{wire: w, account: account, clock: now}
	return &Client{wire: w, bearer: t.bearer, renew: t.forget, oauth: &account}, nil
}

// tokens keeps the house's token while it is good.
type tokens struct {
	wire    *wire
	account Account
	clock   clock.Clock

	mu    sync.Mutex
	token string
	until time.Time // zero: the provider did not say
}

// bearer returns the token, fetched anew when it is about to run out. Whoever comes meanwhile waits for the same one.
func (t *tokens) bearer(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	if t.token != "" && (t.until.IsZero() || now.Before(t.until)) {
		return t.token, nil
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	if t.account.Scope != "" {
		form.Set("scope", t.account.Scope)
	}
	granted, err := t.account.token(ctx, t.wire, form)
	if err != nil {
		return "", err
	}
	t.token, t.until = granted.Token, time.Time{}
	if granted.ExpiresIn > 0 {
		t.until = now.Add(time.Duration(granted.ExpiresIn)*time.Second - early)
	}
	return t.token, nil
}

// forget drops a token that the provider refused; the next question fetches another. The refused question is not put again.
func (t *tokens) forget(bad string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == bad {
		t.token = ""
	}
}

// granted is what a token endpoint says.
type granted struct {
	Token     string `json:"access_token"`
	ExpiresIn int64  `json:"expires_in"`
}

func (o *Account) token(ctx context.Context, w *wire, form url.Values) (granted, error) {
	user := url.QueryEscape(o.ID) + ":" + url.QueryEscape(o.Secret)
	status, data, err := w.postTo(ctx, o.TokenURL, "application/x-www-form-urlencoded",
		"Basic "+base64.StdEncoding.EncodeToString([]byte(user)), []byte(form.Encode()))
	if err != nil {
		return granted{}, fmt.Errorf("fetch a token: %w", err)
	}
	if status != http.StatusOK {
		if status >= 500 {
			return granted{}, fault.Wrap(fmt.Errorf("the token endpoint answers %d", status), fault.Unavailable, "remote.away", nil)
		}
		var said struct {
			Error string `json:"error"`
		}
		// What is no error object leaves it empty.
		_ = json.Unmarshal(data, &said)
		err := fmt.Errorf("the token endpoint answers %d, %.40q", status, said.Error)
		if said.Error == "invalid_grant" {
			return granted{}, fault.Wrap(err, fault.Conflict, "remote.late", nil)
		}
		return granted{}, fault.Wrap(err, fault.Unavailable, "remote.account", nil)
	}
	var g granted
	if err := json.Unmarshal(data, &g); err != nil || g.Token == "" || g.ExpiresIn < 0 || g.ExpiresIn > 1<<31 {
		return granted{}, nonsense(errors.New("the token endpoint gives no token"))
	}
	return g, nil
}

// AuthorizeURL is where the customer's own browser confirms one signature with a credential of the mode OAuth (CSC v2
// §8.4.2): as a QR code on the screen, for one. state comes back beside the code to Account.RedirectURL, and whoever receives
// it has to compare it.
func (c *Client) AuthorizeURL(credential Credential, ask Ask, state string) (string, error) {
	if c.oauth == nil || c.oauth.AuthorizeURL == "" || credential.Mode != OAuth {
		return "", fault.New(fault.Invalid, "remote.mode", nil)
	}
	u, err := url.Parse(c.oauth.AuthorizeURL)
	if err != nil {
		return "", fmt.Errorf("make the address to confirm at: %w", err)
	}
	q := u.Query()
	for name, value := range map[string]string{
		"response_type": "code", "client_id": c.oauth.ID, "redirect_uri": c.oauth.RedirectURL, "scope": "credential", "state": state,
		"credentialID": credential.ID, "numSignatures": strconv.Itoa(1), "hashAlgorithmOID": oidSHA256, "description": ask.Document + " " + ask.Text,
		"hashes": base64.RawURLEncoding.EncodeToString(ask.Digest[:]),
	} {
		q.Set(name, value)
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// exchange turns what the browser brought back into the authorization to sign. A code is good once.
func (c *Client) exchange(ctx context.Context, code string) (string, error) {
	g, err := c.oauth.token(ctx, c.wire, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {c.oauth.RedirectURL},
	})
	return g.Token, err
}
