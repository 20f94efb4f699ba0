package sealer_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"countersign/internal/sealer"
	"countersign/signing/seal"
)

// silent is a keeper whose service is suspended: what passes the parser ends there.
type silent struct{ *seal.Local }

func (silent) Confirm(context.Context, string, [32]byte) error { return nil }
func (silent) Discard(context.Context, string, string) error   { return nil }
func (silent) Open(context.Context) ([]seal.Use, error)        { return nil, nil }
func (s silent) Release(ctx context.Context, o seal.Order) (seal.Result, error) {
	return seal.Result{}, s.State(ctx)
}
func (silent) Uses(context.Context, time.Time, time.Time) ([]seal.Use, error) { return nil, nil }

// FuzzHandler sends the sealer what no counter sends.
func FuzzHandler(f *testing.F) {
	for _, s := range []string{`{}`, `{"order":"a","digest":"00"}`, `[]`, `{"document":"////","signed":"zz"}`, `null`, `{"asked":{"at":"x"}}`, "\x00"} {
		for _, name := range []string{"release", "confirm", "uses", "seals"} {
			f.Add(name, []byte(s))
		}
	}
	local := &seal.Local{}
	local.Suspend()
	handler := sealer.Handler(silent{local}, slog.New(slog.DiscardHandler))
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		r := &http.Request{Method: http.MethodPost, URL: &url.URL{Path: "/1/" + name}, Body: io.NopCloser(bytes.NewReader(body))}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code == 0 {
			t.Error("no answer")
		}
	})
}
