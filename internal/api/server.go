// Package api is the one way in: the HTTP service that every terminal uses, and the client that speaks it.
//
// Data travels as JSON, files as bytes, changes as server-sent events with the full state. A clerk's terminal carries
// the token of its session, a customer's screen the token of its counter; neither can do the other's acts. A failure
// is a problem document (RFC 9457) with a stable code, from which the terminal makes the sentence. The description is
// OpenAPI 3.1 at /openapi.json; a copy is checked in and a test keeps it true. Start reading at New.
package api

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"countersign/helpdesk"
	"countersign/internal/fault"
	"countersign/kiosk"
	"countersign/kiosk/mirror"
)

// Links tells how the connected systems are and what waits to leave.
type Links interface {
	Links(ctx context.Context, unit string) ([]kiosk.Link, []kiosk.OutboxRow, error)
	Retry(ctx context.Context, unit string, id int64) error
}

// Evidence verifies a finished order and gives the account of it.
type Evidence interface {
	Evidence(ctx context.Context, a kiosk.Actor, key string) (kiosk.Evidence, error)
}

// Server answers the API.
type Server struct {
	Hall     *kiosk.Hall
	Hub      *mirror.Hub
	Links    Links
	Evidence Evidence
	Services fs.FS // the service files that the catalogue was read from
	Own      fs.FS // the operator's own; may be nil
	Log      *slog.Logger
	// Desk is the helpdesk; nil where there is none. Reception lets mails in that were set aside.
	Desk      *helpdesk.Team
	Reception Receiver
	// Genuine holds claims to be our staff against the records.
	Genuine Prover
	// Beat makes the ticks at which watchers get the state again; a test hands in its own.
	Beat func() (<-chan time.Time, func())

	changes changes
}

// Version is that of the API's shape, not of the program.
const Version = "1"

// New returns the handler of the whole API and its description.
func New(s *Server) (http.Handler, huma.API) {
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Countersign", Version)
	config.DocsPath = ""
	config.CreateHooks = nil // no $schema links in the bodies
	config.Transformers = append(config.Transformers, ours)
	config.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", named)
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"session": {Type: "http", Scheme: "bearer", Description: "token of a clerk's session"},
		"display": {Type: "http", Scheme: "bearer", Description: "token of a counter's customer screen"},
	}
	api := humago.New(mux, config)
	s.sessionRoutes(api)
	s.counterRoutes(api)
	s.orderRoutes(api)
	s.fileRoutes(api)
	s.certificateRoutes(api)
	s.displayRoutes(api)
	s.deskRoutes(api)
	return limit(mux), api
}

// named names a type in the description. The counter and the helpdesk both have units and sessions of their own.
func named(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if strings.HasSuffix(t.PkgPath(), "/helpdesk") {
		return "Desk" + name
	}
	return name
}

// maxBody is more than the largest picture that a portrait may be (8 MB) and less than what would hurt.
const maxBody = 9 << 20

func tooLarge() *fault.Error {
	return fault.New(fault.Invalid, "api.too_large", fault.Args{"limit": strconv.Itoa(maxBody >> 20)})
}

// limit bounds what one request may send.
func limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// Problem is a failure on the wire.
type Problem struct {
	Status int               `json:"status"`
	Kind   fault.Kind        `json:"kind"`
	Code   string            `json:"code"`
	Args   map[string]string `json:"args,omitempty"`
}

// Error tells the code.
func (p *Problem) Error() string { return p.Code }

// GetStatus returns the HTTP status; the name is the framework's.
func (p *Problem) GetStatus() int { return p.Status }

// ours turns the framework's own refusals of a request into failures that the catalogues can put into words. What was
// sent is not repeated in the answer: it may be somebody's data.
func ours(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := &Problem{Status: m.Status, Kind: fault.Invalid, Code: "api.request", Args: map[string]string{"where": "body"}}
	if m.Status == http.StatusRequestEntityTooLarge {
		p.Code, p.Args = tooLarge().Code, tooLarge().Args
	}
	for _, e := range m.Errors {
		p.Args["where"] = e.Location
	}
	return p, nil
}

var statuses = map[fault.Kind]int{
	fault.Invalid: http.StatusUnprocessableEntity, fault.NotFound: http.StatusNotFound, fault.Conflict: http.StatusConflict,
	fault.Forbidden: http.StatusForbidden, fault.Unauthenticated: http.StatusUnauthorized, fault.TooMany: http.StatusTooManyRequests,
	fault.Unavailable: http.StatusServiceUnavailable, fault.Internal: http.StatusInternalServerError,
}

// problem turns a failure into what the wire carries; what is our own fault goes to the log and says no more.
func (s *Server) problem(op string, err error) error {
	if err == nil {
		return nil
	}
	var f *fault.Error
	if errors.As(err, &f) {
		if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
			s.Log.Warn("request failed", "op", op, "code", f.Code)
		}
		return &Problem{Status: statuses[f.Kind], Kind: f.Kind, Code: f.Code, Args: f.Args}
	}
	if errors.Is(err, context.Canceled) {
		return &Problem{Status: http.StatusServiceUnavailable, Kind: fault.Unavailable, Code: "service.stopping"}
	}
	s.Log.Error("request failed", "op", op, "err", err)
	return &Problem{Status: http.StatusInternalServerError, Kind: fault.Internal, Code: "internal"}
}

// Authed is the part of every request that says who asks.
type Authed struct {
	Authorization string `header:"Authorization" doc:"Bearer token"`
}

func (a Authed) token() string { return strings.TrimPrefix(a.Authorization, "Bearer ") }

// tokened is any request that carries a token.
type tokened interface{ token() string }

// body is a response with JSON.
type body[T any] struct{ Body T }

// clerk registers an act of a clerk that needs a right.
func clerk[I tokened, O any](s *Server, api huma.API, method, path, id, summary string, right kiosk.Right, do func(context.Context, kiosk.Actor, I) (O, error)) {
	op := huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, MaxBodyBytes: maxBody,
		Security: []map[string][]string{{"session": {}}}, Metadata: map[string]any{"right": right}}
	huma.Register(api, op, func(ctx context.Context, in *I) (*body[O], error) {
		a, err := s.Hall.Actor(ctx, (*in).token())
		if err == nil {
			err = a.May(right)
		}
		if err != nil {
			return nil, s.problem(id, err)
		}
		s.Hub.Busy(a.Unit, a.Counter)
		out, err := do(ctx, a, *in)
		if err != nil {
			return nil, s.problem(id, err)
		}
		return &body[O]{out}, nil
	})
}

// customer registers an act of the customer at a counter's own screen.
func customer[I tokened, O any](s *Server, api huma.API, method, path, id, summary string, do func(context.Context, kiosk.Actor, I) (O, error)) {
	op := huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Security: []map[string][]string{{"display": {}}}}
	huma.Register(api, op, func(ctx context.Context, in *I) (*body[O], error) {
		a, err := s.Hall.DisplayActor(ctx, (*in).token())
		if err != nil {
			return nil, s.problem(id, err)
		}
		out, err := do(ctx, a, *in)
		if err != nil {
			return nil, s.problem(id, err)
		}
		s.Hub.Touch(a.Unit, a.Counter)
		return &body[O]{out}, nil
	})
}

// Done is the answer of an act that has nothing to tell.
type Done struct {
	Done bool `json:"done"`
}
