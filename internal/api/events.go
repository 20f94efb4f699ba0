package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"countersign/kiosk"
	"countersign/kiosk/mirror"
)

// beat is how often a watcher gets the state again though nothing changed; a display that hears nothing for more than
// two beats draws its curtain.
const beat = 2 * time.Second

// Ticks makes real beats for a watcher.
func Ticks() (<-chan time.Time, func()) {
	t := time.NewTicker(beat)
	return t.C, t.Stop
}

// stream is an endless answer of server-sent events, each with the full state as JSON.
func stream(api huma.API, path, id, summary, scheme string, open func(ctx context.Context, token string) (<-chan any, error)) {
	op := huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary,
		Security:  []map[string][]string{{scheme: {}}},
		Responses: map[string]*huma.Response{"200": {Description: "server-sent events", Content: map[string]*huma.MediaType{"text/event-stream": {}}}}}
	huma.Register(api, op, func(ctx context.Context, in *empty) (*huma.StreamResponse, error) {
		events, err := open(ctx, in.token())
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			hc.SetHeader("Content-Type", "text/event-stream")
			flusher, _ := hc.BodyWriter().(http.Flusher)
			for v := range events {
				data, err := json.Marshal(v)
				if err != nil {
					return
				}
				if _, err := fmt.Fprintf(hc.BodyWriter(), "data: %s\n\n", data); err != nil {
					return
				}
				if flusher != nil {
					flusher.Flush()
				}
			}
		}}, nil
	})
}

// relay carries values on until ctx ends, so that a stream of any type is one of any. Before each it asks whether the
// watcher may still see it: a session that ended, or was locked for good, hears nothing more.
func relay[T any](ctx context.Context, in <-chan T, stop func(), may func() error) <-chan any {
	out := make(chan any)
	go func() {
		defer close(out)
		defer stop()
		for {
			select {
			case <-ctx.Done():
				return
			case v := <-in:
				if may() != nil {
					return
				}
				select {
				case out <- v:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out
}

func (s *Server) clerkEvents(api huma.API) {
	stream(api, "/v1/events", "events", "The state of the counter for its clerk, after every change", "session", func(ctx context.Context, token string) (<-chan any, error) {
		may := func() (kiosk.Actor, error) {
			a, err := s.Hall.Actor(ctx, token)
			if err == nil && !a.Locked {
				err = a.May(kiosk.RightServe)
			}
			return a, err
		}
		a, err := may()
		if err != nil {
			return nil, s.problem("events", err)
		}
		ctx, leave := context.WithCancel(ctx)
		ticks, stop := s.Beat()
		return relay(ctx, s.Hub.Clerk(ctx, a.Unit, a.Counter, ticks), func() { stop(); leave() }, func() error {
			_, err := may()
			return err
		}), nil
	})
}

func (s *Server) displayEvents(api huma.API) {
	stream(api, "/v1/display/events", "display-events", "What the customer may see, after every change", "display", func(ctx context.Context, token string) (<-chan any, error) {
		a, err := s.Hall.DisplayActor(ctx, token)
		if err != nil {
			return nil, s.problem("display-events", err)
		}
		ctx, leave := context.WithCancel(ctx)
		ticks, stop := s.Beat()
		news := s.Hub.Display(ctx, a.Unit, a.Counter, ticks)
		if a.Mobile {
			news = mirror.Mobile(ctx, news)
		}
		return relay(ctx, news, func() { stop(); leave() }, func() error {
			_, err := s.Hall.DisplayActor(ctx, token)
			return err
		}), nil
	})
}
