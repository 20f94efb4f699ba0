// Package backoffice hands finished orders to the organisation's business system (BOSS, CRM, CMIS).
//
// One finished order is one POST: business data as JSON and the signed file as bytes, two parts of a multipart/form-data
// body, under an Idempotency-Key that is the order's number, so that a repeat is answered with the first
// acknowledgement. The answer is 200 with {"ack": "..."}; 4xx is a refusal of this order that a person must look at, but
// 401, 403, 407, 408 and 429 say nothing about the order, and these and anything else are tried again later. A redirect
// is not followed: orders go where the operator said and nowhere else. StandIn is a server of the same protocol for
// demonstrations, labelled MÔ PHỎNG.
// Start reading at Client.HandOver.
package backoffice

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"sync"
	"time"
)

// Client sends to one system.
type Client struct {
	URL   string
	Token string // bearer token of this service at the system
	HTTP  *http.Client
}

// Delivery is one finished order.
type Delivery struct {
	Number string // WO-PA0505-20261121-000042, the key by which repeats are known
	Data   []byte // JSON
	File   []byte // the signed PDF
}

// ErrRefused is what a refusal wraps: sending the same again will not help.
var ErrRefused = errors.New("the back office refused the order")

// Ack is the system's answer.
type Ack struct {
	Ack string `json:"ack"`
}

// The longest answer that is read, and the longest acknowledgement that is believed, in bytes.
const (
	maxAnswer = 64 << 10
	maxAck    = 100
)

// refusal reports whether a status is about the order itself.
func refusal(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	return status >= 400 && status < 500
}

// HandOver sends a delivery and returns the acknowledgement number.
func (c *Client) HandOver(ctx context.Context, d Delivery) (string, error) {
	body, contentType, err := encode(d)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("hand over %s: %w", d.Number, err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Idempotency-Key", d.Number)
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	straight := *c.HTTP
	straight.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := straight.Do(req)
	if err != nil {
		return "", fmt.Errorf("hand over %s: %w", d.Number, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return "", fmt.Errorf("hand over %s: read the answer: %w", d.Number, err)
	}
	if resp.StatusCode != http.StatusOK {
		err := fmt.Errorf("hand over %s: status %d", d.Number, resp.StatusCode)
		if refusal(resp.StatusCode) {
			err = fmt.Errorf("%w: %w", ErrRefused, err)
		}
		return "", err
	}
	var a Ack
	if err := json.Unmarshal(answer, &a); err != nil || a.Ack == "" || len(a.Ack) > maxAck {
		return "", fmt.Errorf("hand over %s: the answer has no acknowledgement", d.Number)
	}
	return a.Ack, nil
}

func encode(d Delivery) ([]byte, string, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, part := range []struct {
		name, file, contentType string
		data                    []byte
	}{{"order", "order.json", "application/json", d.Data}, {"file", d.Number + ".pdf", "application/pdf", d.File}} {
		sum := sha256.Sum256(part.data)
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", fmt.Sprintf(`form-data; name=%q; filename=%q`, part.name, part.file))
		h.Set("Content-Type", part.contentType)
		h.Set("Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":")
		p, err := w.CreatePart(h)
		if err != nil {
			return nil, "", fmt.Errorf("write the delivery of %s: %w", d.Number, err)
		}
		if _, err := p.Write(part.data); err != nil {
			return nil, "", fmt.Errorf("write the delivery of %s: %w", d.Number, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", fmt.Errorf("write the delivery of %s: %w", d.Number, err)
	}
	return b.Bytes(), w.FormDataContentType(), nil
}

// StandIn is a back office for demonstrations and tests (MÔ PHỎNG): it keeps what it gets in memory, answers a repeat
// with the first acknowledgement, and can be stopped and started again.
type StandIn struct {
	Token string // what callers must bear; "" lets everybody in

	mu       sync.Mutex
	down     bool
	received map[string]Received
}

// Received is one order as the stand-in got it.
type Received struct {
	Ack    string
	Data   []byte
	SHA256 string // of the file
	At     time.Time
}

// Down makes the stand-in answer 503, as a system that is being serviced does.
func (s *StandIn) Down(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// Received returns what arrived, by order number.
func (s *StandIn) Received() map[string]Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]Received, len(s.received))
	for k, v := range s.received {
		out[k] = v
	}
	return out
}

// ServeHTTP takes one delivery.
func (s *StandIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		http.Error(w, "down for maintenance", http.StatusServiceUnavailable)
		return
	}
	if s.Token != "" && subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+s.Token)) != 1 {
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	key := r.Header.Get("Idempotency-Key")
	data, _, err1 := part(r, "order")
	file, _, err2 := part(r, "file")
	if key == "" || err1 != nil || err2 != nil || !json.Valid(data) || !bytes.HasPrefix(file, []byte("%PDF-")) {
		http.Error(w, "order and file are both needed, under an Idempotency-Key", http.StatusBadRequest)
		return
	}
	sum := sha256.Sum256(file)
	got, repeat := s.received[key]
	if !repeat {
		if s.received == nil {
			s.received = map[string]Received{}
		}
		got = Received{Ack: fmt.Sprintf("CM-%06d", 778120+len(s.received)), Data: data, SHA256: hex.EncodeToString(sum[:]), At: time.Now()}
		s.received[key] = got
	} else if got.SHA256 != hex.EncodeToString(sum[:]) {
		http.Error(w, "this order was handed over before with another file", http.StatusConflict)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(Ack{Ack: got.Ack}); err != nil {
		return
	}
}

func part(r *http.Request, name string) ([]byte, string, error) {
	f, h, err := r.FormFile(name)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 64<<20))
	return data, h.Filename, err
}
