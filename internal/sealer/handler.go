package sealer

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"time"

	"countersign/internal/fault"
	"countersign/signing/seal"
)

// Keeper is the seal service behind the connection; *Office is one.
type Keeper interface {
	State(ctx context.Context) error
	Seals(ctx context.Context, c seal.Clerk) ([]seal.Seal, error)
	Grants(ctx context.Context, seal, service string) ([]seal.Grant, error)
	Release(ctx context.Context, o seal.Order) (seal.Result, error)
	Confirm(ctx context.Context, order string, digest [32]byte) error
	Discard(ctx context.Context, order, reason string) error
	Open(ctx context.Context) ([]seal.Use, error)
	Uses(ctx context.Context, from, to time.Time) ([]seal.Use, error)
}

// Handler answers the counters' service. Who may speak to it is decided by the listener: see Guard and Server.
func Handler(k Keeper, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	answer(mux, log, "state", func(ctx context.Context, _ nothing) (nothing, error) { return nothing{}, k.State(ctx) })
	answer(mux, log, "seals", func(ctx context.Context, c seal.Clerk) ([]wireSeal, error) {
		list, err := k.Seals(ctx, c)
		out := []wireSeal{}
		for _, s := range list {
			out = append(out, toWire(s))
		}
		return out, err
	})
	answer(mux, log, "grants", func(ctx context.Context, in askGrants) ([]seal.Grant, error) {
		return k.Grants(ctx, in.Seal, in.Service)
	})
	answer(mux, log, "release", func(ctx context.Context, in askRelease) (released, error) {
		r, err := k.Release(ctx, seal.Order{
			ID: in.Order, Service: in.Service, Clerk: in.Clerk, Document: in.Document, Seals: in.Seals, Reason: in.Reason, Location: in.Location,
			Consent: seal.Consent{Base: in.Base, Signed: in.Signed, Evidence: in.Evidence}, Asked: in.Asked, Second: in.Second,
		})
		return released{r.Document, r.Level, r.Untimed != nil, usesToWire(r.Uses)}, err
	})
	answer(mux, log, "confirm", func(ctx context.Context, in askConfirm) (nothing, error) {
		return nothing{}, k.Confirm(ctx, in.Order, in.Digest)
	})
	answer(mux, log, "discard", func(ctx context.Context, in askDiscard) (nothing, error) {
		return nothing{}, k.Discard(ctx, in.Order, in.Reason)
	})
	answer(mux, log, "open", func(ctx context.Context, _ nothing) ([]wireUse, error) {
		list, err := k.Open(ctx)
		return usesToWire(list), err
	})
	answer(mux, log, "uses", func(ctx context.Context, in askUses) ([]wireUse, error) {
		list, err := k.Uses(ctx, in.From, in.To)
		return usesToWire(list), err
	})
	return mux
}

// answer puts one question on the mux.
func answer[In, Out any](mux *http.ServeMux, log *slog.Logger, name string, do func(context.Context, In) (Out, error)) {
	mux.HandleFunc("POST /1/"+name, func(w http.ResponseWriter, r *http.Request) {
		var in In
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
		if err == nil {
			err = json.Unmarshal(body, &in)
		}
		if err != nil {
			reply(w, http.StatusBadRequest, failure{Kind: fault.Invalid, Code: "seal.request"})
			return
		}
		out, err := do(r.Context(), in)
		if err != nil {
			f := told(err)
			if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
				log.Error("a request for seals failed", "what", name, "err", err)
			}
			reply(w, statusOf(f.Kind), f)
			return
		}
		reply(w, http.StatusOK, out)
	})
}

func reply(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"kind":"internal","code":"internal"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A client that has gone settles what it did not hear of.
	_, _ = w.Write(body)
}
