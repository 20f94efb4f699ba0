package service_test

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/internal/demo"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/service"
	"countersign/kiosk"
	"countersign/kiosk/receipt"
	"countersign/signing/ca"
	"countersign/signing/key"
	"countersign/signing/tsa"
	"countersign/signing/verify"
)

// stamps is a timestamp authority over a socket whose behaviour can be changed.
type stamps struct {
	*httptest.Server
	authority *ca.Authority // a day behind
	root      *x509.Certificate
	right     http.Handler
	handler   atomic.Pointer[http.Handler]
	hang      chan struct{}
}

func newStamps(t *testing.T, now clock.Clock) *stamps {
	t.Helper()
	root, err := ca.NewRoot(pkix.Name{CommonName: "Gốc dấu giờ"}, clock.At(now.Now().Add(-24*time.Hour)), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &stamps{authority: root, root: root.Certificate, right: authority(t, root, now, 1000*time.Hour), hang: make(chan struct{})}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*s.handler.Load()).ServeHTTP(w, r) }))
	s.be(s.right)
	t.Cleanup(func() {
		close(s.hang)
		s.Close()
	})
	return s
}

func authority(t *testing.T, root *ca.Authority, now clock.Clock, life time.Duration) http.Handler {
	t.Helper()
	private, _, err := key.OneOff()
	if err != nil {
		t.Fatal(err)
	}
	chain, err := root.IssueTimestamp(private.Public(), pkix.Name{CommonName: "Dấu giờ"}, life)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tsa.NewLocal(private, chain, now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (s *stamps) be(h http.Handler) { s.handler.Store(&h) }

// spoilt answers rightly to another question: query changes what was asked.
func (s *stamps) spoilt(query func([]byte)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "no", http.StatusBadRequest)
			return
		}
		query(body)
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(strings.NewReader(string(body)))
		s.right.ServeHTTP(w, again)
	})
}

func TestAnOrderWaitsForItsTimestampSaysSoAndGetsItWhenTheAuthorityIsBack(t *testing.T) {
	strangerRoot, err := ca.NewRoot(pkix.Name{CommonName: "Ai đó"}, clock.System{}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]func(*stamps) http.Handler{
		"down": func(*stamps) http.Handler { return http.NotFoundHandler() },
		"slow": func(s *stamps) http.Handler {
			return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-s.hang })
		},
		"another nonce":   func(s *stamps) http.Handler { return s.spoilt(func(b []byte) { b[len(b)-4] ^= 1 }) },
		"another imprint": func(s *stamps) http.Handler { return s.spoilt(func(b []byte) { b[30] ^= 1 }) },
		"junk": func(*stamps) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "junk") })
		},
		"a stranger's":        func(*stamps) http.Handler { return authority(t, strangerRoot, clock.System{}, time.Hour) },
		"expired certificate": func(s *stamps) http.Handler { return authority(t, s.authority, clock.System{}, time.Hour) }, // it ended 23 hours ago
	} {
		t.Run(name, func(t *testing.T) {
			s := newStamps(t, clock.System{})
			s.be(bad(s))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			w, err := demo.Build(ctx, t.TempDir(), demo.Choices{Cost: cheap, With: func(o *service.Options) {
				o.LocalTSA, o.TSA, o.TSATimeout, o.TSARoots = false, []string{s.URL}, 200*time.Millisecond, []*x509.Certificate{s.root}
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			if err := w.Play(ctx, io.Discard, locale.English); err != nil {
				t.Fatal(err)
			}
			before, sent := final(t, w)
			waits(t, w, before, sent)
			if err := w.Service.StampWaiting(ctx); err != nil { // still away: nothing happens
				t.Fatal(err)
			}
			s.be(s.right)
			after, file := before, sent
			for after.Document.FinalID == before.Document.FinalID {
				if ctx.Err() != nil {
					t.Fatal("the file gets no timestamp")
				}
				if err := w.Service.StampWaiting(ctx); err != nil {
					t.Fatal(err)
				}
				after, file = final(t, w)
			}
			if after.Document.Untimed || after.Document.SentID != before.Document.FinalID || after.Document.Signatures[0].Level != "B-T" {
				t.Errorf("the order says %+v", after.Document)
			}
			r := verify.Verify(file, verify.Policy{Roots: w.Service.Hall.Roots, At: time.Now()})
			if r.Verdict != verify.Passed || r.Signatures[0].Level != "B-T" {
				t.Errorf("%s %s, %s", r.Verdict, r.Sub, r.Signatures[0].Level)
			}
			if got := receipt.Text(receiptOf(t, w, after, file)); strings.Contains(got, locale.Text(locale.Vietnamese, "receipt.untimed", nil)) {
				t.Error("the receipt still says that it waits")
			}
		})
	}
}

func receiptOf(t *testing.T, w *demo.World, o *kiosk.Order, file []byte) receipt.Order {
	t.Helper()
	s, ok := w.Service.Hall.Catalog.Service(o.Service)
	if !ok {
		t.Fatal("no service")
	}
	return receipt.Order{Order: o, Unit: w.Service.Hall.Units[o.Unit], Service: s, File: file}
}

// waits wants everything that speaks of the order to say that it waits for its timestamp.
func waits(t *testing.T, w *demo.World, o *kiosk.Order, file []byte) {
	t.Helper()
	if !o.Document.Untimed || o.State != kiosk.Closed {
		t.Fatalf("the order is %s, waiting %t", o.State, o.Document.Untimed)
	}
	for _, g := range o.Document.Signatures {
		if g.Level != "B-B" {
			t.Errorf("%s is shown at %s", g.Field, g.Level)
		}
	}
	r := verify.Verify(file, verify.Policy{Roots: w.Service.Hall.Roots, At: time.Now()})
	for _, g := range r.Signatures {
		if g.Level != "B-B" || g.Integrity != "intact" {
			t.Errorf("%s is at %s, %s", g.Field, g.Level, g.Integrity)
		}
	}
	if got := receipt.Text(receiptOf(t, w, o, file)); !strings.Contains(got, locale.Text(locale.Vietnamese, "receipt.untimed", nil)) {
		t.Errorf("the receipt does not say that it waits:\n%s", got)
	}
	links, _, err := w.Service.Links(t.Context(), demo.Unit)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if l.Name == "tsa" && (l.State != "down" || l.Waiting != 1) {
			t.Errorf("the clerk's health screen says %+v", l)
		}
	}
	data, err := json.Marshal(o)
	if err != nil || !strings.Contains(string(data), `"untimed":true`) {
		t.Errorf("scripts aren't told: %v", err)
	}
}

func TestADamagedFileIsShownToNobodyAndTheLastGoodCopyIsFound(t *testing.T) {
	c := newCounter(t)
	if err := c.Play(t.Context(), io.Discard, locale.English); err != nil {
		t.Fatal(err)
	}
	o, file := final(t, c.World)
	clerk := kiosk.Actor{User: kiosk.User{Name: "lan"}, Unit: demo.Unit, Counter: demo.Counter}
	hall := c.Service.Hall
	if _, err := hall.File(t.Context(), clerk, o.Key); err != nil {
		t.Fatal(err)
	}
	bad := append([]byte{}, file...)
	bad[len(bad)/2] ^= 1 // one bit
	err := c.Service.Store.Update(t.Context(), func(tx kiosk.Tx) error {
		if err := tx.DeleteDocument(o.Document.FinalID); err != nil {
			return err
		}
		return tx.PutDocument(o.Document.FinalID, o.Key, "final", bad)
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := hall.File(t.Context(), clerk, o.Key)
		if got != nil {
			t.Error("the damaged file is shown")
		}
		refused(t, err, "file.damaged")
	}
	e, err := hall.Evidence(t.Context(), clerk, o.Key)
	if err != nil || e.Verdict != "FAILED" || e.Summary["vi"] == "" || len(e.Signatures) != 0 {
		t.Errorf("the evidence is %+v, %v", e, err)
	}
	alarmed, _ := final(t, c.World)
	if alarmed.Document.Damaged.IsZero() {
		t.Error("there is no alarm")
	}
	good, what, err := hall.LastGood(t.Context(), clerk, o.Key)
	if err != nil || what != "confirmed" {
		t.Fatalf("the last good copy is %q, %v", what, err)
	}
	path := filepath.Join(t.TempDir(), "good.pdf")
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("pdfsig", "-nocert", path).CombinedOutput(); err != nil || !strings.Contains(string(out), "Signature is Valid.") {
		t.Errorf("pdfsig: %v\n%s", err, out)
	}
	if err := hall.Whole(o, bad); !fault.Is(err, "file.damaged") {
		t.Errorf("it could be sent: %v", err)
	}
}
