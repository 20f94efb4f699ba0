// Package standin plays the providers of remote signatures where there are none: MÔ PHỎNG. One Phone is a customer's
// telephone with the provider behind it, and speaks the protocols of signing/remote over HTTP: the Cloud Signature
// Consortium's under /csc/v1/ with tokens from /oauth2/token, SmartCA's under /sca/sp769/, a mobile signature service's
// at /mss. Its keys are made when it starts and are worth nothing; every answer says what it is.
//
// What a person would do is told by Press, by the address /phone, or beforehand by Always. Demonstrations and tests use it.
// It keeps the providers' rules (accounts, passwords, one use of an authorization), so that a client that breaks them fails
// here too. Start reading at Phone.
package standin

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"countersign/internal/clock"
)

// Label stands in whatever the stand-in says of itself.
const Label = "MÔ PHỎNG: nhà cung cấp ký số từ xa để thử, không có thật"

// What the stand-in wants to be given. None of it is a secret.
const (
	Account  = "mo-phong"          // sp_id, client_id, AP_ID
	Password = "mo-phong-mat-khau" // sp_password, client_secret, AP_PWD
	Bearer   = "mo-phong-the"      // for /csc/v1/, beside tokens from /oauth2/token
	PIN      = "246810"            // the customer's, and the password of an integrated SmartCA account
	OTP      = "135791"
)

const (
	maxQuestion = 1 << 20
	// hookTime is how long a webhook may take.
	hookTime = 10 * time.Second
)

// Press is what the customer does when the telephone asks.
type Press string

// What a customer may do.
const (
	Nothing Press = ""        // let it ring
	Approve Press = "approve" // and enter the right PIN
	Refuse  Press = "refuse"
)

// Phone is one customer's telephone and the provider behind it. Several goroutines may use it at once.
type Phone struct {
	// User is how the provider knows the customer: a card's number, a telephone number.
	User string
	// Browser lets the CSC provider want the customer's browser at /oauth2/authorize in place of the app.
	Browser bool
	// Webhook, when not empty, is told as SmartCA does when the customer pressed something.
	Webhook string
	// Life is how long the telephone asks; 0 means for ever.
	Life time.Duration
	// Clock says how long it has been asking.
	Clock clock.Clock
	// Tamper, when not nil, changes signatures before they are handed out, as no provider should.
	Tamper func([]byte) []byte

	key   crypto.Signer
	chain []*x509.Certificate

	mu       sync.Mutex
	always   Press
	requests []*request
	sads     map[string]*request
	tokens   map[string]bool
	grants   map[string]string // digest in base64, by authorization
	codes    map[string]string // digest in base64, by what a browser brings back
	changed  chan struct{}
}

// request is one signature that was asked for.
type request struct {
	id, document, text string
	digest             []byte
	asked              time.Time
	pressed            Press
}

// Shown is what the telephone shows.
type Shown struct {
	Document string `json:"document"`
	Text     string `json:"text"`
	Pressed  Press  `json:"pressed"`
}

// New makes a telephone with a new key, which certify turns into a certificate with its chain.
func New(user string, certify func(crypto.PublicKey) ([]*x509.Certificate, error)) (*Phone, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the stand-in's key: %w", err)
	}
	chain, err := certify(private.Public())
	if err == nil && len(chain) == 0 {
		err = errors.New("there is no certificate")
	}
	if err != nil {
		return nil, fmt.Errorf("certify the stand-in's key: %w", err)
	}
	return &Phone{User: user, Clock: clock.System{}, key: private, chain: chain, sads: map[string]*request{}, tokens: map[string]bool{}, grants: map[string]string{}, codes: map[string]string{}, changed: make(chan struct{})}, nil
}

// Chain is the customer's certificate and its issuers.
func (p *Phone) Chain() []*x509.Certificate { return slices.Clone(p.chain) }

// Always tells what the customer does with all that comes.
func (p *Phone) Always(what Press) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.always = what
}

// Shown lists what the telephone has shown, the latest last.
func (p *Phone) Shown() []Shown {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := []Shown{}
	for _, r := range p.requests {
		out = append(out, Shown{r.document, r.text, r.pressed})
	}
	return out
}

// Ring waits until the telephone shows a document.
func (p *Phone) Ring(ctx context.Context, document string) error {
	for {
		p.mu.Lock()
		_, there := p.waiting(document)
		changed := p.changed
		p.mu.Unlock()
		if there {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the telephone: %w", ctx.Err())
		case <-changed:
		}
	}
}

// waiting finds the last request about a document at which nothing was pressed; any document's when it is empty.
func (p *Phone) waiting(document string) (*request, bool) {
	for _, r := range slices.Backward(p.requests) {
		if (document == "" || r.document == document) && r.pressed == Nothing {
			return r, true
		}
	}
	return nil, false
}

// Press does what a customer does with the last request about a document. It reports whether there was one.
func (p *Phone) Press(document string, what Press) bool {
	p.mu.Lock()
	r, ok := p.waiting(document)
	if ok {
		r.pressed = what
	}
	p.mu.Unlock()
	if ok {
		p.tell(r.id)
	}
	return ok
}

// tell posts the webhook. That it gets lost is as in life: who waits polls too.
func (p *Phone) tell(transaction string) {
	if p.Webhook == "" {
		return
	}
	body, err := json.Marshal(object{"sp_id": Account, "status_code": 200, "message": Label, "transaction_id": transaction, "signed_files": []object{}})
	if err != nil {
		return
	}
	answer, err := (&http.Client{Timeout: hookTime}).Post(p.Webhook, "application/json", bytes.NewReader(body))
	if err == nil {
		_ = answer.Body.Close()
	}
}

// ask puts a request on the telephone.
func (p *Phone) ask(id, document, text string, digest []byte) *request {
	r := &request{id: id, document: document, text: text, digest: digest, asked: p.Clock.Now(), pressed: p.always}
	p.requests = append(p.requests, r)
	close(p.changed)
	p.changed = make(chan struct{})
	return r
}

func (p *Phone) find(id string) *request {
	for _, r := range p.requests {
		if r.id == id {
			return r
		}
	}
	return nil
}

func (p *Phone) late(r *request) bool { return p.Life > 0 && p.Clock.Now().Sub(r.asked) > p.Life }

// sign makes the signature in base64.
func (p *Phone) sign(r *request) string {
	sig, err := p.key.Sign(rand.Reader, r.digest, crypto.SHA256)
	if err != nil {
		return ""
	}
	if p.Tamper != nil {
		sig = p.Tamper(sig)
	}
	return base64.StdEncoding.EncodeToString(sig)
}

type object map[string]any

// ServeHTTP plays all providers, and the telephone's own page.
func (p *Phone) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if document, ok := strings.CutPrefix(r.URL.Path, "/phone"); ok {
		p.page(w, r, strings.Trim(document, "/"))
		return
	}
	if r.URL.Path == "/oauth2/authorize" {
		p.authorize(w, r)
		return
	}
	if r.Method != http.MethodPost {
		http.Error(w, Label, http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxQuestion))
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch path := r.URL.Path; {
	case path == "/oauth2/token":
		p.token(w, r, body)
	case strings.HasPrefix(path, "/csc/v1/"):
		p.csc(w, r, strings.TrimPrefix(path, "/csc/v1/"), body)
	case strings.HasPrefix(path, "/sca/sp769/"):
		p.smartCA(w, strings.TrimPrefix(path, "/sca/sp769/"), body)
	case path == "/mss":
		p.mss(w, body)
	default:
		http.Error(w, Label, http.StatusNotFound)
	}
}

// page shows what the telephone shows (GET /phone) and presses (POST /phone/approve?document=…, /phone/refuse?document=…).
func (p *Phone) page(w http.ResponseWriter, r *http.Request, press string) {
	if r.Method == http.MethodPost && (Press(press) == Approve || Press(press) == Refuse) {
		if !p.Press(r.URL.Query().Get("document"), Press(press)) {
			http.Error(w, Label, http.StatusNotFound)
			return
		}
	}
	say(w, http.StatusOK, object{"label": Label, "shown": p.Shown()})
}

func say(w http.ResponseWriter, status int, o any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A client that has gone hears nothing.
	_ = json.NewEncoder(w).Encode(o)
}
