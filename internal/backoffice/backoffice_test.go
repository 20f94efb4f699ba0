package backoffice

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const number = "WO-PA0505-20261121-000042"

func delivery() Delivery {
	return Delivery{Number: number, Data: []byte(`{"type":"work_order","values":{"name":"NGUYỄN VĂN THỬ"}}`), File: []byte("%PDF-1.7\n\x00\xff\r\n--giữa")}
}

// overSocket serves h on a Unix socket and returns a client of it.
func overSocket(t *testing.T, h http.Handler) *Client {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cmis.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	transport := &http.Transport{DialContext: dial}
	t.Cleanup(transport.CloseIdleConnections)
	return &Client{URL: "http://cmis/orders", HTTP: &http.Client{Transport: transport, Timeout: 10 * time.Second}}
}

func TestWhatIsHandedOverArrivesWhole(t *testing.T) {
	s := &StandIn{}
	d := delivery()
	ack, err := overSocket(t, s).HandOver(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	got := s.Received()[number]
	sum := sha256.Sum256(d.File)
	if ack == "" || got.Ack != ack || string(got.Data) != string(d.Data) || got.SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("acknowledged as %q, received %+v", ack, got)
	}
}

func TestEachPartCarriesItsDigest(t *testing.T) {
	d := delivery()
	want := map[string][]byte{"order": d.Data, "file": d.File}
	seen := 0
	c := overSocket(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parts, err := r.MultipartReader()
		if err != nil {
			t.Error(err)
			return
		}
		for {
			p, err := parts.NextPart()
			if err != nil {
				break
			}
			data, err := io.ReadAll(p)
			sum := sha256.Sum256(want[p.FormName()])
			if digest := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"; err != nil || string(data) != string(want[p.FormName()]) || p.Header.Get("Content-Digest") != digest {
				t.Errorf("part %s: %v, %q, digest %s", p.FormName(), err, data, p.Header.Get("Content-Digest"))
			}
			seen++
		}
		if r.Header.Get("Idempotency-Key") != number {
			t.Errorf("the key is %q", r.Header.Get("Idempotency-Key"))
		}
		_, _ = io.WriteString(w, `{"ack":"CM-1"}`)
	}))
	if _, err := c.HandOver(t.Context(), d); err != nil || seen != 2 {
		t.Errorf("%v, %d parts", err, seen)
	}
}

func TestARepeatIsAnsweredWithTheFirstAcknowledgement(t *testing.T) {
	s := &StandIn{}
	c := overSocket(t, s)
	first, err := c.HandOver(t.Context(), delivery())
	if err != nil {
		t.Fatal(err)
	}
	other := delivery()
	other.Number = "WO-PA0505-20261121-000043"
	between, err := c.HandOver(t.Context(), other)
	if err != nil || between == first {
		t.Fatalf("another order: %q, %v", between, err)
	}
	if again, err := c.HandOver(t.Context(), delivery()); err != nil || again != first {
		t.Errorf("the repeat is acknowledged as %q (%v), first %q", again, err, first)
	}
	if n := len(s.Received()); n != 2 {
		t.Errorf("%d orders were received, want 2", n)
	}
	changed := delivery()
	changed.File = append(changed.File, 'x')
	if _, err := c.HandOver(t.Context(), changed); !errors.Is(err, ErrRefused) {
		t.Errorf("another file under the same number: %v", err)
	}
}

func TestABackOfficeThatIsAwayIsNoRefusal(t *testing.T) {
	s := &StandIn{}
	c := overSocket(t, s)
	s.Down(true)
	if _, err := c.HandOver(t.Context(), delivery()); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("while it is down: %v", err)
	}
	s.Down(false)
	if _, err := c.HandOver(t.Context(), delivery()); err != nil {
		t.Errorf("after it came back: %v", err)
	}
	gone := &Client{URL: "http://127.0.0.1:1/orders", HTTP: http.DefaultClient}
	if _, err := gone.HandOver(t.Context(), delivery()); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("nobody listens: %v", err)
	}
}

func TestAWrongTokenIsNoRefusalOfTheOrder(t *testing.T) {
	s := &StandIn{Token: "đúng"}
	c := overSocket(t, s)
	for _, token := range []string{"", "sai", "đún"} {
		c.Token = token
		if _, err := c.HandOver(t.Context(), delivery()); err == nil || errors.Is(err, ErrRefused) {
			t.Errorf("token %q: %v", token, err)
		}
	}
	if n := len(s.Received()); n != 0 {
		t.Errorf("%d orders came in without a token", n)
	}
	c.Token = s.Token
	if _, err := c.HandOver(t.Context(), delivery()); err != nil {
		t.Error(err)
	}
}

func TestOnlyAStatusAboutTheOrderIsARefusal(t *testing.T) {
	for status, refused := range map[int]bool{
		400: true, 404: true, 409: true, 413: true, 422: true,
		201: false, 204: false, 302: false, 307: false, 401: false, 403: false, 407: false, 408: false, 429: false, 500: false, 502: false, 503: false,
	} {
		c := overSocket(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/orders" {
				t.Errorf("%d was followed to %s", status, r.URL)
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}))
		if _, err := c.HandOver(t.Context(), delivery()); err == nil || errors.Is(err, ErrRefused) != refused {
			t.Errorf("status %d: %v", status, err)
		}
	}
}

func TestAnAnswerOf24MBIsNotRead(t *testing.T) {
	written := make(chan int, 1)
	c := overSocket(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Error(err)
		}
		n, _ := io.Copy(w, strings.NewReader(`{"ack":"`+strings.Repeat("A", 24<<20)+`"}`))
		written <- int(n)
	}))
	if _, err := c.HandOver(t.Context(), delivery()); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("an answer without an end: %v", err)
	}
	c.HTTP.CloseIdleConnections()
	if n := <-written; n >= 24<<20 {
		t.Errorf("all %d bytes were taken", n)
	}
}

func TestAnAnswerWithoutAnAcknowledgementIsNone(t *testing.T) {
	for _, body := range []string{"", "{}", `{"ack":""}`, `{"ack":5}`, `<html>`, `{"ack":"` + strings.Repeat("7", 101) + `"}`} {
		c := overSocket(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
		if ack, err := c.HandOver(t.Context(), delivery()); err == nil || errors.Is(err, ErrRefused) || ack != "" {
			t.Errorf("answer %.20q: %q, %v", body, ack, err)
		}
	}
}

func TestTheStandInTakesOnlyWholeDeliveries(t *testing.T) {
	for name, spoil := range map[string]func(*Delivery){
		"no number":      func(d *Delivery) { d.Number = "" },
		"data not JSON":  func(d *Delivery) { d.Data = []byte("{") },
		"file not a PDF": func(d *Delivery) { d.File = []byte("<html>") },
	} {
		s := &StandIn{}
		d := delivery()
		spoil(&d)
		if _, err := overSocket(t, s).HandOver(t.Context(), d); !errors.Is(err, ErrRefused) || len(s.Received()) != 0 {
			t.Errorf("%s: %v, %d received", name, err, len(s.Received()))
		}
	}
}
