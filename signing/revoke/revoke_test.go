package revoke_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/signing/ca"
	"countersign/signing/revoke"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, clock.Vietnam)

const day = 24 * time.Hour

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// office is an authority with a responder behind a web address that a test may put something else into.
type office struct {
	clock     *clock.Set
	root      *ca.Authority
	issuing   *ca.Authority
	register  *ca.Register
	responder *ca.Responder
	handler   http.Handler
	asked     atomic.Int32
	url       string
	key       *ecdsa.PrivateKey
	leaf      *x509.Certificate
}

func newOffice(t testing.TB, at time.Time) *office {
	t.Helper()
	o := &office{clock: clock.At(at), register: &ca.Register{Strict: true}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.asked.Add(1)
		o.handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	o.url = server.URL
	o.root = must[*ca.Authority](t)(ca.NewRoot(pkix.Name{CommonName: "Root"}, o.clock, rand.Reader))
	o.issuing = must[*ca.Authority](t)(o.root.NewIssuing(pkix.Name{CommonName: "Issuing"}))
	o.issuing.Publish(ca.Points{OCSP: []string{o.url + "/ocsp"}, CRL: []string{o.url + "/issuing.crl"}})
	o.key = must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	o.leaf = o.issue(t)
	o.responder = ca.NewResponder(o.issuing, o.register, day)
	o.handler = revoke.Serve(o.responder)
	return o
}

func (o *office) issue(t testing.TB) *x509.Certificate {
	t.Helper()
	chain := must[[]*x509.Certificate](t)(o.issuing.IssueSeal(o.key.Public(), ca.Seal{Name: "Điện lực Mẫu", Life: 365 * day}))
	o.register.Issued(chain[0])
	return chain[0]
}

func (o *office) question() revoke.Question {
	return revoke.Question{Certificate: o.leaf, Issuer: o.issuing.Certificate, Since: o.clock.Now()}
}

func (o *office) client() *revoke.Client {
	return revoke.NewClient(5*time.Second, o.clock, rand.Reader)
}

func TestTheAddressesInACertificateAnswer(t *testing.T) {
	o := newOffice(t, noon)
	a := must[revoke.Answer](t)(o.client().Status(t.Context(), o.question()))
	s := must[revoke.Status](t)(a.Check(o.question(), o.clock.Now()))
	if s.State != revoke.Good || !s.This.Equal(noon) || !s.Next.Equal(noon.Add(day)) || a.OCSP == nil {
		t.Errorf("%+v", s)
	}
	o.clock.Advance(time.Hour)
	o.register.Revoke(ca.Revocation{Serial: o.leaf.SerialNumber, At: o.clock.Now(), Reason: 1})
	a = must[revoke.Answer](t)(o.client().Status(t.Context(), o.question()))
	s = must[revoke.Status](t)(a.Check(o.question(), o.clock.Now()))
	if s.State != revoke.Revoked || !s.Revoked.Equal(noon.Add(time.Hour)) || s.Reason != 1 || s.Benign() {
		t.Errorf("%+v", s)
	}
	der := must[[]byte](t)(o.responder.CRL(t.Context()))
	s = must[revoke.Status](t)(revoke.Answer{CRL: der}.Check(o.question(), o.clock.Now()))
	if s.State != revoke.Revoked || !s.Revoked.Equal(noon.Add(time.Hour)) || s.Reason != 1 {
		t.Errorf("list: %+v", s)
	}
}

func TestARequestMayComeByGet(t *testing.T) {
	o := newOffice(t, noon)
	r := must[revoke.Request](t)(revoke.NewRequest(o.leaf, o.issuing.Certificate, []byte{1, 2, 3, 0xfb, 0xff}))
	der := must[[]byte](t)(r.Encode())
	response := must[*http.Response](t)(http.Get(o.url + "/ocsp/" + url.PathEscape(base64.StdEncoding.EncodeToString(der))))
	defer response.Body.Close()
	body := must[[]byte](t)(io.ReadAll(response.Body))
	if p, err := revoke.ParseOCSP(body); err != nil || string(p.Nonce) != "\x01\x02\x03\xfb\xff" {
		t.Errorf("%v", err)
	}
}

// answer serves fixed bytes for OCSP and nothing for lists.
func answer(der []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".crl") {
			http.NotFound(w, r)
			return
		}
		w.Write(der)
	})
}

func TestWhoAnswersWronglyIsAway(t *testing.T) {
	o := newOffice(t, noon)
	other := newOffice(t, noon)
	request := must[revoke.Request](t)(revoke.NewRequest(o.leaf, o.issuing.Certificate, []byte("another nonce")))
	bare := must[revoke.Request](t)(revoke.NewRequest(o.leaf, o.issuing.Certificate, nil))
	good := revoke.Word{State: revoke.Good, Reason: revoke.NoReason, This: noon, Next: noon.Add(day)}
	word := func(r revoke.Request, change func(*revoke.Word), by *office) http.Handler {
		w := good
		change(&w)
		return answer(must[[]byte](t)(r.Answer(w, by.issuing.Key(), by.issuing.Certificate, false)))
	}
	same := func(*revoke.Word) {}
	for _, c := range []struct {
		name    string
		handler http.Handler
		ok      bool
	}{
		{"a stock answer without a nonce", word(bare, same, o), true},
		{"another nonce", word(request, same, o), false},
		{"another authority of the same name", word(bare, same, other), false},
		{"about another certificate", answer(must[revoke.Answer](t)(o.responder.Status(t.Context(), revoke.Question{Certificate: o.issue(t), Issuer: o.issuing.Certificate})).OCSP), false},
		{"one that has run out", word(bare, func(w *revoke.Word) { w.This, w.Next = noon.Add(-2*day), noon.Add(-day) }, o), false},
		{"one from the future", word(bare, func(w *revoke.Word) { w.This, w.Next = noon.Add(day), noon.Add(2*day) }, o), false},
		{"one that knows nothing", word(bare, func(w *revoke.Word) { w.State = revoke.Unknown }, o), false},
		{"a refusal", answer(revoke.Refusal(6)), false},
		{"a web page", answer([]byte("<html>")), false},
		{"an endless answer", answer(make([]byte, 300<<10)), false},
		{"an error", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }), false},
		{"a connection that is cut", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o.handler = c.handler
			_, err := o.client().Status(t.Context(), o.question())
			if c.ok != (err == nil) || !c.ok && !fault.Is(err, "revoke.away") {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("the list stands in for the responder", func(t *testing.T) {
		list := revoke.Serve(o.responder)
		o.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, ".crl") {
				w.WriteHeader(503)
				return
			}
			list.ServeHTTP(w, r)
		})
		if a, err := o.client().Status(t.Context(), o.question()); err != nil || a.CRL == nil {
			t.Errorf("%v", err)
		}
	})
	t.Run("a slow one is given up", func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		o.handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-release:
			}
		})
		c := revoke.NewClient(50*time.Millisecond, o.clock, rand.Reader)
		if _, err := c.Status(t.Context(), o.question()); !fault.Is(err, "revoke.away") {
			t.Errorf("%v", err)
		}
	})
}

func TestTheCacheAsksOnlyWhenItMust(t *testing.T) {
	o := newOffice(t, noon)
	c := revoke.NewCache(o.client(), o.clock)
	ask := func(q revoke.Question, want int32) {
		t.Helper()
		must[revoke.Answer](t)(c.Status(t.Context(), q))
		if n := o.asked.Load(); n != want {
			t.Errorf("asked %d times, want %d", n, want)
		}
	}
	q := o.question()
	ask(q, 1)
	ask(q, 1)
	o.clock.Advance(time.Hour)
	ask(q, 1)
	ask(o.question(), 2) // about a later moment
	o.clock.Advance(2 * day)
	ask(q, 3) // the old answer has run out
	o.handler = answer(revoke.Refusal(2))
	ask(q, 3)
	o.clock.Advance(2 * day)
	if _, err := c.Status(t.Context(), q); !fault.Is(err, "revoke.away") {
		t.Errorf("an answer that has run out is given: %v", err)
	}
}

func TestExpiredCertificatesNeedAnAuthorityThatRemembers(t *testing.T) {
	o := newOffice(t, noon)
	o.clock.Advance(400 * day)
	q := o.question()
	bare := must[revoke.Request](t)(revoke.NewRequest(o.leaf, o.issuing.Certificate, nil))
	w := revoke.Word{State: revoke.Good, Reason: revoke.NoReason, This: o.clock.Now(), Next: o.clock.Now().Add(day)}
	for _, c := range []struct {
		name   string
		cutoff time.Time
		ok     bool
	}{
		{"one that forgets", time.Time{}, false},
		{"one that remembers from later on", o.leaf.NotAfter.Add(time.Hour), false},
		{"one that remembers", o.issuing.Certificate.NotBefore, true},
	} {
		w.Cutoff = c.cutoff
		a := revoke.Answer{OCSP: must[[]byte](t)(bare.Answer(w, o.issuing.Key(), o.issuing.Certificate, false))}
		if _, err := a.Check(q, o.clock.Now()); c.ok != (err == nil) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	list := revoke.Answer{CRL: must[[]byte](t)(o.responder.CRL(t.Context()))}
	if _, err := list.Check(q, o.clock.Now()); err != nil {
		t.Errorf("our lists remember: %v", err)
	}
}

func TestPartialListsAreRefused(t *testing.T) {
	o := newOffice(t, noon)
	make := func(e ...pkix.Extension) []byte {
		return must[[]byte](t)(x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: o.leaf.SerialNumber, ThisUpdate: noon, NextUpdate: noon.Add(day), ExtraExtensions: e}, o.issuing.Certificate, o.issuing.Key()))
	}
	id := func(last int) []int { return []int{2, 5, 29, last} }
	for _, c := range []struct {
		name string
		der  []byte
		ok   bool
	}{
		{"a whole list", make(), true},
		{"for end certificates only", make(pkix.Extension{Id: id(28), Critical: true, Value: []byte{0x30, 3, 0x81, 1, 0xff}}), true},
		{"for authorities only", make(pkix.Extension{Id: id(28), Critical: true, Value: []byte{0x30, 3, 0x82, 1, 0xff}}), false},
		{"for some reasons only", make(pkix.Extension{Id: id(28), Critical: true, Value: []byte{0x30, 4, 0x83, 2, 6, 0x40}}), false},
		{"an indirect one", make(pkix.Extension{Id: id(28), Critical: true, Value: []byte{0x30, 3, 0x84, 1, 0xff}}), false},
		{"a delta", make(pkix.Extension{Id: id(27), Critical: true, Value: []byte{2, 1, 1}}), false},
		{"with something critical that nobody knows", make(pkix.Extension{Id: id(99), Critical: true, Value: []byte{5, 0}}), false},
		{"with a byte behind it", append(make(), 0), false},
	} {
		if _, err := (revoke.Answer{CRL: c.der}).Check(o.question(), noon.Add(time.Hour)); c.ok != (err == nil) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestEveryFlippedBitOfAStatementIsFound(t *testing.T) {
	o := newOffice(t, noon)
	a := must[revoke.Answer](t)(o.responder.Status(t.Context(), o.question()))
	for name, make := range map[string]func([]byte) revoke.Answer{
		"response": func(b []byte) revoke.Answer { return revoke.Answer{OCSP: b} },
		"list":     func(b []byte) revoke.Answer { return revoke.Answer{CRL: b} },
	} {
		der := a.OCSP
		if name == "list" {
			der = must[[]byte](t)(o.responder.CRL(t.Context()))
		}
		for bit := range 8 * len(der) {
			der[bit/8] ^= 1 << (bit % 8)
			if s, err := make(der).Check(o.question(), noon); err == nil {
				t.Errorf("%s: bit %d of byte %d: %s", name, bit%8, bit/8, s.State)
			}
			der[bit/8] ^= 1 << (bit % 8)
		}
	}
}

func run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("openssl", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestOpenSSLAndWeUnderstandEachOther(t *testing.T) {
	o := newOffice(t, clock.System{}.Now())
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	root, issuer, leaf := file("root.pem", ca.PEM(o.root.Certificate)), file("issuer.pem", ca.PEM(o.issuing.Certificate)), file("leaf.pem", ca.PEM(o.leaf))
	t.Run("openssl asks us", func(t *testing.T) {
		for _, hash := range []string{"-sha1", "-sha256"} {
			out := run(t, "ocsp", hash, "-issuer", issuer, "-cert", leaf, "-url", o.url+"/ocsp", "-CAfile", root, "-nonce")
			if !strings.Contains(out, "Response verify OK") || !strings.Contains(out, ": good") || strings.Contains(out, "WARNING") {
				t.Errorf("%s: %s", hash, out)
			}
		}
	})
	t.Run("we ask openssl", func(t *testing.T) {
		k := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
		chain := must[[]*x509.Certificate](t)(o.issuing.IssueResponder(k.Public(), pkix.Name{CommonName: "Responder"}, day))
		signer := file("responder.pem", ca.PEM(chain[0]))
		key := file("responder.key", keyPEM(t, k))
		for state, line := range map[revoke.State]string{
			revoke.Good:    "V\t361121000000Z\t\t%s\tunknown\t/CN=x\n",
			revoke.Revoked: "R\t361121000000Z\t261120000000Z,keyCompromise\t%s\tunknown\t/CN=x\n",
			revoke.Unknown: "V\t361121000000Z\t\t01%s\tunknown\t/CN=x\n",
		} {
			serial := strings.ToUpper(o.leaf.SerialNumber.Text(16))
			index := file("index.txt", []byte(strings.Replace(line, "%s", serial, 1)))
			request := must[revoke.Request](t)(revoke.NewRequest(o.leaf, o.issuing.Certificate, []byte("0123456789abcdef")))
			in, out := file("request.der", must[[]byte](t)(request.Encode())), filepath.Join(dir, "response.der")
			run(t, "ocsp", "-index", index, "-rsigner", signer, "-rkey", key, "-CA", issuer, "-ndays", "1", "-reqin", in, "-respout", out)
			der := must[[]byte](t)(os.ReadFile(out))
			s, err := revoke.Answer{OCSP: der}.Check(o.question(), time.Now().Add(time.Minute))
			if err != nil || s.State != state {
				t.Errorf("%s: %+v, %v", state, s, err)
			}
			if r := must[*revoke.Response](t)(revoke.ParseOCSP(der)); string(r.Nonce) != "0123456789abcdef" {
				t.Errorf("the nonce is %q", r.Nonce)
			}
		}
	})
	t.Run("openssl reads our list", func(t *testing.T) {
		o.register.Revoke(ca.Revocation{Serial: o.leaf.SerialNumber, At: o.clock.Now(), Reason: 1})
		list := file("list.der", must[[]byte](t)(o.responder.CRL(t.Context())))
		out := run(t, "crl", "-inform", "DER", "-in", list, "-CAfile", issuer, "-noout", "-text")
		if !strings.Contains(out, "Key Compromise") {
			t.Errorf("%s", out)
		}
		pem := filepath.Join(dir, "list.pem")
		run(t, "crl", "-inform", "DER", "-in", list, "-out", pem)
		verdict, err := exec.Command("openssl", "verify", "-CAfile", root, "-untrusted", issuer, "-crl_check", "-CRLfile", pem, leaf).CombinedOutput()
		if err == nil || !strings.Contains(string(verdict), "certificate revoked") {
			t.Errorf("%s", verdict)
		}
	})
}

func TestARegisterIsKept(t *testing.T) {
	r := &ca.Register{}
	r.Revoke(ca.Revocation{Serial: newOffice(t, noon).leaf.SerialNumber, At: noon, Reason: 4})
	data := must[[]byte](t)(r.Encode())
	again := must[*ca.Register](t)(ca.ReadRegister(data))
	a, b := must[[]ca.Revocation](t)(r.Revoked(context.Background())), must[[]ca.Revocation](t)(again.Revoked(context.Background()))
	if len(b) != 1 || a[0].Serial.Cmp(b[0].Serial) != 0 || !a[0].At.Equal(b[0].At) || b[0].Reason != 4 {
		t.Errorf("%+v", b)
	}
	for _, bad := range []string{"", "{}", "[{}]", `[{"serial":1}]`} {
		if _, err := ca.ReadRegister([]byte(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
	if _, err := revoke.ParseOCSP(nil); !errors.Is(err, revoke.ErrFormat) {
		t.Errorf("%v", err)
	}
}
