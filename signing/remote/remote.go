// Package remote signs with keys that a provider keeps for a customer: over the Cloud Signature Consortium's API (Client:
// v1.0.4; what waits for a confirmation in the provider's app has the names of v2), over VNPT SmartCA's (SmartCA), and with a
// key in a telephone's SIM over a mobile signature service (SIM, ETSI TS 102 204). Each is a Provider.
//
// The provider gets the digest only, never the document. Invariants: a PIN, a code and a digest are sent once for each
// time that a person agreed, nothing is tried again; what comes back is verified with the certificate's key before anybody
// gets it; the order's code that we show is the one that the provider's app is told to show. The API has no word for taking a
// request back, nor has SmartCA's: after a cancellation or a timeout the provider may still sign, and that answer is never
// fetched. What a webhook says is a hint to look, never a result. Start reading at Provider, then Wait.
package remote

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"countersign/internal/fault"
)

const (
	maxBody = 1 << 20
	maxPage = 100 // credentials on one page
	maxAll  = 1000
)

// Client speaks to one provider over the Cloud Signature Consortium's API. Several goroutines may use it at once.
type Client struct {
	*wire
	bearer func(context.Context) (string, error)
	renew  func(bad string) // told of a token that the provider did not take; nil for one that never changes
	oauth  *Account
}

// New returns a client of the provider whose API begins at base ("https://…/csc/v1/"). bearer is what the provider gave this
// house to show; timeout is for each request. Only a provider on this machine may be reached without TLS.
func New(base, bearer string, timeout time.Duration) (*Client, error) {
	w, err := newWire(base, timeout)
	if err != nil {
		return nil, err
	}
	return &Client{wire: w, bearer: func(context.Context) (string, error) { return bearer, nil }}, nil
}

// Mode is how the provider makes sure that the customer agrees.
type Mode string

// The modes of authorization that the API knows.
const (
	Explicit Mode = "explicit"   // PIN or code are entered here
	Implicit Mode = "implicit"   // the customer confirms in the provider's app
	OAuth    Mode = "oauth2code" // in the customer's own browser; see Client.AuthorizeURL
)

// Credential is a key of the customer at the provider.
type Credential struct {
	ID         string
	User       string // whose it is, as the provider knows them
	Mode       Mode
	PIN, OTP   bool                // needed for Explicit
	Bound      bool                // the authorization is good for this digest only (SCAL2)
	Algorithms []string            // object identifiers
	Chain      []*x509.Certificate // the customer's certificate first
}

// Credentials lists the ids of a person's credentials.
func (c *Client) Credentials(ctx context.Context, user string) ([]string, error) {
	ids := []string{}
	page := ""
	for len(ids) < maxAll {
		var answer struct {
			CredentialIDs []string `json:"credentialIDs"`
			NextPageToken string   `json:"nextPageToken"`
		}
		err := c.ask(ctx, "credentials/list", struct {
			UserID     string `json:"userID"`
			MaxResults int    `json:"maxResults"`
			PageToken  string `json:"pageToken,omitempty"`
		}{user, maxPage, page}, &answer)
		if err != nil {
			return nil, err
		}
		ids = append(ids, answer.CredentialIDs...)
		page = answer.NextPageToken
		if page == "" || len(answer.CredentialIDs) == 0 {
			break
		}
	}
	return ids[:min(len(ids), maxAll)], nil
}

// Credential reads one. One that is disabled, or whose certificate is not valid or missing, is remote.certificate.
func (c *Client) Credential(ctx context.Context, id string) (Credential, error) {
	var a struct {
		Key struct {
			Status string   `json:"status"`
			Algo   []string `json:"algo"`
		} `json:"key"`
		Cert struct {
			Status       string   `json:"status"`
			Certificates []string `json:"certificates"`
		} `json:"cert"`
		AuthMode Mode   `json:"authMode"`
		SCAL     string `json:"SCAL"`
		PIN      need   `json:"PIN"`
		OTP      need   `json:"OTP"`
	}
	ask := struct {
		CredentialID string `json:"credentialID"`
		Certificates string `json:"certificates"`
		CertInfo     bool   `json:"certInfo"`
		AuthInfo     bool   `json:"authInfo"`
	}{id, "chain", true, true}
	if err := c.ask(ctx, "credentials/info", ask, &a); err != nil {
		return Credential{}, err
	}
	// The certificate's status is optional; the signature's verification asks the authority anyway.
	if a.Key.Status != "enabled" || a.Cert.Status != "" && a.Cert.Status != "valid" || len(a.Cert.Certificates) == 0 {
		err := fmt.Errorf("key %q, certificate %q, %d certificates", a.Key.Status, a.Cert.Status, len(a.Cert.Certificates))
		return Credential{}, fault.Wrap(err, fault.Forbidden, "remote.certificate", nil)
	}
	out := Credential{
		ID: id, Mode: a.AuthMode, PIN: a.PIN.needed(), OTP: a.OTP.needed(), Bound: a.SCAL == "2", Algorithms: a.Key.Algo,
	}
	for _, text := range a.Cert.Certificates {
		cert, err := certificate(text)
		if err != nil {
			return Credential{}, err
		}
		out.Chain = append(out.Chain, cert)
	}
	return out, nil
}

// List reads all credentials of a person and leaves out those that can't sign.
func (c *Client) List(ctx context.Context, user string) ([]Credential, error) {
	ids, err := c.Credentials(ctx, user)
	if err != nil {
		return nil, err
	}
	var out []Credential
	for _, id := range ids {
		credential, err := c.Credential(ctx, id)
		if fault.Is(err, "remote.certificate") {
			continue
		}
		if err != nil {
			return nil, err
		}
		credential.User = user
		out = append(out, credential)
	}
	return out, nil
}

// SendOTP lets the provider send the customer a code.
func (c *Client) SendOTP(ctx context.Context, id string) error {
	return c.ask(ctx, "credentials/sendOTP", struct {
		CredentialID string `json:"credentialID"`
	}{id}, nil)
}

// need is how the API says that something must be entered: "true", "false" or "optional".
type need struct {
	Presence string `json:"presence"`
}

func (n need) needed() bool { return n.Presence == "true" }

// ask posts one request, once. into is left alone when the provider says "not yet" (202).
func (c *Client) ask(ctx context.Context, method string, question, into any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return fmt.Errorf("ask %s: %w", method, err)
	}
	bearer, err := c.bearer(ctx)
	if err != nil {
		return err
	}
	status, data, err := c.post(ctx, method, "application/json", "Bearer "+bearer, body)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	switch {
	case status == http.StatusAccepted || status == http.StatusNoContent:
		return nil
	case status != http.StatusOK:
		if status == http.StatusUnauthorized && c.renew != nil {
			c.renew(bearer)
		}
		return refusal(method, status, data)
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return nonsense(fmt.Errorf("%s: %w", method, err))
	}
	return nil
}

// away tells a provider that is away from a person here who gave up.
func away(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fault.Wrap(err, fault.Conflict, "remote.cancelled", nil)
	}
	return fault.Wrap(err, fault.Unavailable, "remote.away", nil)
}

func nonsense(err error) error { return fault.Wrap(err, fault.Unavailable, "remote.answer", nil) }

// refusal reads the API's error object, but not its description: a provider may write there whom it is about.
func refusal(method string, status int, data []byte) error {
	var said struct {
		Error string `json:"error"`
	}
	// What is no error object leaves it empty: the status speaks.
	_ = json.Unmarshal(data, &said)
	err := fmt.Errorf("%s answers %d, %.40q", method, status, said.Error)
	switch said.Error {
	case "invalid_pin":
		return fault.Wrap(err, fault.Forbidden, "remote.pin", nil)
	case "invalid_otp":
		return fault.Wrap(err, fault.Forbidden, "remote.otp", nil)
	case "access_denied":
		return fault.Wrap(err, fault.Conflict, "remote.cancelled", nil)
	case "expired_request", "timeout":
		return fault.Wrap(err, fault.Conflict, "remote.late", nil)
	}
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fault.Wrap(err, fault.Unavailable, "remote.account", nil)
	case status >= 500:
		return fault.Wrap(err, fault.Unavailable, "remote.away", nil)
	}
	return fault.Wrap(err, fault.Conflict, "remote.refused", fault.Args{"status": strconv.Itoa(status)})
}
