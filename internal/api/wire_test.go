package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/kiosk"
)

const canary = "NGUYỄN VĂN THỬ 001090000017"

func TestAProblemNeverTellsItsCause(t *testing.T) {
	s := &Server{Log: slog.New(slog.DiscardHandler)}
	cause := errors.New(canary)
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{
		{cause, 500, "internal"},
		{fmt.Errorf("read the order: %w", cause), 500, "internal"},
		{fault.Wrap(cause, fault.Internal, "key.broken", fault.Args{"name": "tsa"}), 500, "key.broken"},
		{fmt.Errorf("seal: %w", fault.Wrap(cause, fault.Conflict, "order.step", nil)), 409, "order.step"},
		{fault.Wrap(cause, fault.Unavailable, "service.away", nil), 503, "service.away"},
		{fault.New(fault.NotFound, "store.not_found", nil), 404, "store.not_found"},
		{fault.New(fault.TooMany, "signin.wait", fault.Args{"seconds": "4"}), 429, "signin.wait"},
		{fault.New(fault.Forbidden, "right.missing", nil), 403, "right.missing"},
		{fault.New(fault.Unauthenticated, "signin.session", nil), 401, "signin.session"},
		{fault.New(fault.Invalid, "otp.form", nil), 422, "otp.form"},
		{fmt.Errorf("ask: %w", context.Canceled), 503, "service.stopping"},
	} {
		p, ok := s.problem("test", c.err).(*Problem)
		if !ok || p.Status != c.status || p.Code != c.code || p.Kind == "" {
			t.Errorf("%v becomes %+v", c.err, p)
			continue
		}
		wire, err := json.Marshal(p)
		if err != nil || strings.Contains(string(wire), "NGUYỄN") {
			t.Errorf("%v goes over the wire as %s (%v)", c.err, wire, err)
		}
	}
	if s.problem("test", nil) != nil {
		t.Error("no failure is a problem")
	}
}

// ask sends a request to the whole API, in front of a hall that is never reached.
func ask(t *testing.T, h http.Handler, method, path string, body io.Reader) (int, Problem, string) {
	t.Helper()
	r := httptest.NewRequest(method, path, body)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer none")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var p Problem
	_ = json.Unmarshal(w.Body.Bytes(), &p)
	return w.Code, p, w.Body.String()
}

func TestAMemberThatTheAPIDoesNotKnowIsRefusedEverywhere(t *testing.T) {
	h, described := New(&Server{Hall: &kiosk.Hall{}, Log: slog.New(slog.DiscardHandler)})
	acts := 0
	for path, item := range described.OpenAPI().Paths {
		for method, op := range map[string]*huma.Operation{http.MethodPost: item.Post, http.MethodPut: item.Put} {
			if op == nil || op.RequestBody == nil || op.RequestBody.Content["application/json"] == nil {
				continue
			}
			acts++
			at := strings.NewReplacer("{key}", "k", "{field}", "f", "{id}", "1", "{page}", "1").Replace(path)
			for _, in := range []string{`{"thừa":"` + canary + `"}`, `{`, `[]`, `"` + canary + `"`} {
				status, p, wire := ask(t, h, method, at, strings.NewReader(in))
				if status < 400 || status >= 500 || p.Code != "api.request" || p.Args["where"] == "" || strings.Contains(wire, "NGUYỄN") {
					t.Errorf("%s %s answers %.20s with %d %s", method, path, in, status, wire)
				}
			}
		}
	}
	if acts < 10 {
		t.Errorf("only %d acts take JSON", acts)
	}
}

// endless is a body of blanks inside a string.
type endless struct{ left int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	for i := range p {
		p[i] = ' '
	}
	e.left -= int64(len(p))
	return len(p), nil
}

func TestABodyOverTheLimitIsRefusedUnread(t *testing.T) {
	h, _ := New(&Server{Hall: &kiosk.Hall{}, Log: slog.New(slog.DiscardHandler)})
	for _, at := range [][2]string{{http.MethodPost, "/v1/session"}, {http.MethodPost, "/v1/display/act"}, {http.MethodPut, "/v1/orders/k/fields/f"}, {http.MethodPut, "/v1/orders/k/portrait"}} {
		const size = 1 << 30
		body := &endless{left: size}
		status, p, wire := ask(t, h, at[0], at[1], body)
		if status != http.StatusRequestEntityTooLarge || p.Code != "api.too_large" || size-body.left > 2*maxBody {
			t.Errorf("%v answers with %d %.80s after %d bytes", at, status, wire, size-body.left)
		}
	}
}

// against returns a client of a handler.
func against(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return &Client{Base: s.URL, HTTP: s.Client()}
}

func TestTheClientMakesAFailureOfWhateverIsAnswered(t *testing.T) {
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"tasks":[`)
		panic(http.ErrAbortHandler)
	}
	for _, c := range []struct {
		name string
		h    http.HandlerFunc
		code string
		kind fault.Kind
	}{
		{"a problem", answer(409, `{"status":409,"kind":"conflict","code":"order.step","args":{"a":"b"}}`), "order.step", fault.Conflict},
		{"a page of some proxy", answer(502, "<html>Bad Gateway</html>"), "service.answer", fault.Internal},
		{"nothing at all", answer(404, ""), "service.answer", fault.Internal},
		{"JSON that is no problem", answer(400, `{"title":"Bad Request"}`), "service.answer", fault.Internal},
		{"a page instead of JSON", answer(200, "<html>"), "service.lost", fault.Unavailable},
		{"half an answer", cut, "service.lost", fault.Unavailable},
		{"nothing, cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "service.lost", fault.Unavailable},
	} {
		clerk := &Clerk{Client: against(t, c.h)}
		_, err := clerk.Home(t.Context())
		if !fault.Is(err, c.code) || fault.KindOf(err) != c.kind {
			t.Errorf("%s: %v", c.name, err)
		}
		for _, l := range locale.Langs {
			if s := locale.Fault(l, err); strings.ContainsAny(s, "‹›") {
				t.Errorf("%s has no sentence in %s: %q", c.name, l, s)
			}
		}
	}
	gone := &Clerk{Client: &Client{Base: "http://127.0.0.1:1", HTTP: http.DefaultClient}}
	for name, do := range map[string]func() error{
		"home":     func() error { _, err := gone.Home(t.Context()); return err },
		"document": func() error { _, err := gone.Document(t.Context(), "k"); return err },
		"field":    func() error { _, err := gone.SetField(t.Context(), "k", "f", "", "x"); return err },
		"catalog":  func() error { _, err := gone.Catalog(t.Context()); return err },
		"act":      func() error { return (&Display{Client: gone.Client}).Help(t.Context(), "k") },
	} {
		if err := do(); !fault.Is(err, "service.lost") {
			t.Errorf("%s of a service that is away: %v", name, err)
		}
	}
}

func TestATerminalConnectsAgainAndSaysThatItWasLost(t *testing.T) {
	var connections atomic.Int64
	c := against(t, func(w http.ResponseWriter, _ *http.Request) {
		n := connections.Add(1)
		if n == 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, ": a comment\n\ndata: {\"seq\":%d,\"stage\":\"welcome\"}\n\n", n)
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	t.Run("the customer's screen", func(t *testing.T) {
		shown := (&Display{Client: c}).Snapshots(ctx)
		for _, want := range []int64{1, 3} {
			if s := <-shown; s.Seq != want || s.Stage != "welcome" {
				t.Errorf("got %s, number %d, want %d", s.Stage, s.Seq, want)
			}
		}
	})
	t.Run("the clerk's terminal", func(t *testing.T) {
		lost, back := false, false
		for u := range (&Clerk{Client: c}).Events(ctx) {
			lost = lost || u.Lost
			if back = lost && !u.Lost; back {
				break
			}
		}
		if !lost || !back {
			t.Errorf("lost %t, back %t", lost, back)
		}
	})
}

func TestAStreamEndsWithItsContext(t *testing.T) {
	c := against(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "data: {}\n\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	shown, events := (&Display{Client: c}).Snapshots(ctx), (&Clerk{Client: c}).Events(ctx)
	<-shown
	<-events
	cancel()
	for range shown {
	}
	for range events {
	}
}
