package augment

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"countersign/signing"
	"countersign/signing/ca"
	"countersign/signing/revoke"
	"countersign/signing/verify"
)

// TestAwayOrStaleStatusIsNeverPassedWhereFreshnessIsDemanded asks a responder and a list over a socket that are away, answer
// junk or keep giving an old answer.
func TestAwayOrStaleStatusIsNeverPassedWhereFreshnessIsDemanded(t *testing.T) {
	w := newWorld(t, noon)
	var now atomic.Pointer[http.HandlerFunc]
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { (*now.Load())(rw, r) }))
	defer server.Close()
	be := func(h http.HandlerFunc) { now.Store(&h) }
	w.issuing.Publish(ca.Points{OCSP: []string{server.URL + "/ocsp"}, CRL: []string{server.URL + "/list.crl"}})
	k := newKey(t)
	w.seal = signer{k, must[[]*x509.Certificate](t)(w.issuing.IssueSeal(k.Public(), ca.Seal{Name: "Điện lực Ba Đình", Life: year}))}
	w.newTSA("TSA with addresses", 2*year)
	doc := w.sign(w.signed(0, nil), "seal", w.seal, w.tsa)
	w.clock.Advance(time.Hour)

	right := func() http.HandlerFunc {
		return revoke.Serve(ca.NewResponder(w.issuing, w.register, day)).ServeHTTP
	}
	stale := must[[]byte](t)(w.issuing.RevocationList(nil, time.Minute))
	w.clock.Advance(time.Hour)
	raise := func() Result {
		a := w.augmenter()
		a.Status = revoke.InOrder{revoke.NewClient(time.Second, w.clock, rand.Reader), revoke.Lists{DER: [][]byte{w.rootList}, Clock: w.clock}}
		return must[Result](t)(a.Raise(context.Background(), doc, signing.BLT))
	}
	demanded := func(doc []byte) verify.Report {
		p := w.policy()
		p.Status = true
		return verify.Verify(doc, p)
	}
	for name, h := range map[string]http.HandlerFunc{
		"down": func(rw http.ResponseWriter, _ *http.Request) { http.Error(rw, "away", http.StatusServiceUnavailable) },
		"junk": func(rw http.ResponseWriter, _ *http.Request) { rw.Write([]byte("junk")) },
		"stale list": func(rw http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				http.Error(rw, "no responder", http.StatusNotFound)
				return
			}
			rw.Write(stale)
		},
	} {
		be(h)
		r := raise()
		if r.Level != signing.BT || r.Short == nil {
			t.Errorf("%s: raised to %s, %v", name, r.Level, r.Short)
		}
		if v := demanded(r.Document); v.Verdict != verify.Indeterminate || v.Sub != "TRY_LATER" {
			t.Errorf("%s: %s %s", name, v.Verdict, v.Sub)
		}
	}
	be(right())
	r := raise()
	if r.Level != signing.BLT || r.Short != nil {
		t.Fatalf("with everybody there: %s, %v", r.Level, r.Short)
	}
	if v := demanded(r.Document); v.Verdict != verify.Passed {
		t.Errorf("with everybody there: %s %s", v.Verdict, v.Sub)
	}
}
