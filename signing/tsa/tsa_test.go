package tsa

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/signing/ca"
	"countersign/signing/cms"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, clock.Vietnam)

type pki struct {
	root, issuing *ca.Authority
	local         *Local
	key           crypto.Signer
	chain         []*x509.Certificate
}

func newPKI(tb testing.TB, at time.Time) pki {
	tb.Helper()
	check := func(err error) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	var p pki
	var err error
	now := clock.At(at)
	p.root, err = ca.NewRoot(pkix.Name{CommonName: "Root"}, now, rand.Reader)
	check(err)
	p.issuing, err = p.root.NewIssuing(pkix.Name{CommonName: "Issuing"})
	check(err)
	p.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	p.chain, err = p.issuing.IssueTimestamp(p.key.Public(), pkix.Name{CommonName: "TSA"}, time.Hour)
	check(err)
	p.local, err = NewLocal(p.key, p.chain, now, rand.Reader)
	check(err)
	return p
}

var message = []byte("a signature value")

func TestALocalTokenSaysWhenAndAboutWhat(t *testing.T) {
	p := newPKI(t, noon)
	der, err := p.local.Stamp(context.Background(), message)
	if err != nil {
		t.Fatal(err)
	}
	token, err := Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := token.Verify(message); err != nil {
		t.Error(err)
	}
	if !token.Time.Equal(noon) || !token.Policy.Equal(ca.TimestampPolicy) || token.Nonce != nil || !token.Message.Canonical {
		t.Errorf("time %v, policy %v, nonce %v, canonical %v", token.Time, token.Policy, token.Nonce, token.Message.Canonical)
	}
	if err := token.Verify([]byte("another")); !errors.Is(err, ErrToken) {
		t.Errorf("about another message: %v", err)
	}
}

func TestTheSerialNumberComesFromTheGivenSource(t *testing.T) {
	p := newPKI(t, noon)
	local, err := NewLocal(p.key, p.chain, clock.At(noon), bytes.NewReader(bytes.Repeat([]byte{0xff}, 16)))
	if err != nil {
		t.Fatal(err)
	}
	der, err := local.Stamp(context.Background(), message)
	if err != nil {
		t.Fatal(err)
	}
	token, err := Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	want := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 127), big.NewInt(1))
	if token.Serial.Cmp(want) != 0 {
		t.Errorf("serial %x, want %x", token.Serial, want)
	}
	if _, err := local.Stamp(context.Background(), message); err == nil {
		t.Error("it stamps without randomness")
	}
}

func TestOnlyACertificateForTimestampingStamps(t *testing.T) {
	p := newPKI(t, noon)
	seal, err := p.issuing.IssueSeal(p.key.Public(), ca.Seal{Name: "Seal", Life: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewLocal(p.key, seal, clock.At(noon), rand.Reader); err == nil {
		t.Error("a seal may stamp")
	}
	der, err := p.local.Stamp(context.Background(), message)
	if err != nil {
		t.Fatal(err)
	}
	m, err := cms.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := cms.SignContent(cms.TSTInfo, m.Content, p.key, seal)
	if err != nil {
		t.Fatal(err)
	}
	token, err := Parse(forged)
	if err != nil {
		t.Fatal(err)
	}
	if err := token.Verify(message); !errors.Is(err, ErrToken) {
		t.Errorf("a token signed by a seal: %v", err)
	}
}

func TestOpenSSLAsksOurAuthorityAndBelievesIt(t *testing.T) {
	p := newPKI(t, time.Now())
	server := httptest.NewServer(p.local)
	defer server.Close()
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if data != nil {
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	run := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("openssl", args...).CombinedOutput()
		if err != nil {
			t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	data, query, reply := file("data", message), file("query.tsq", nil), file("reply.tsr", nil)
	root, above := file("root.pem", ca.PEM(p.root.Certificate)), file("above.pem", ca.PEM(p.issuing.Certificate))
	for _, hash := range []string{"-sha256", "-sha512"} {
		run("ts", "-query", "-data", data, hash, "-cert", "-out", query)
		q, err := os.ReadFile(query)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.Post(server.URL, "application/timestamp-query", bytes.NewReader(q))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		file("reply.tsr", body)
		if out := run("ts", "-verify", "-queryfile", query, "-in", reply, "-CAfile", root, "-untrusted", above); !strings.Contains(out, "Verification: OK") {
			t.Errorf("%s: %s", hash, out)
		}
	}
	run("ts", "-query", "-data", data, "-sha1", "-cert", "-out", query)
	q, err := os.ReadFile(query)
	if err != nil {
		t.Fatal(err)
	}
	file("reply.tsr", p.local.answer(q))
	if out := run("ts", "-reply", "-in", reply, "-text"); !strings.Contains(out, "Rejected") || !strings.Contains(out, "unrecognized or unsupported algorithm") {
		t.Errorf("SHA-1: %s", out)
	}
}

// handler answers like a local authority, after a change to what was asked or answered.
func handler(l *Local, request, response func([]byte) []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Write(response(l.answer(request(body))))
	})
}

func TestTheClientTakesTheFirstRightAnswer(t *testing.T) {
	p := newPKI(t, noon)
	same := func(b []byte) []byte { return b }
	hang := make(chan struct{})
	defer close(hang)
	// The nonce is the last thing before the wish for certificates: 02 len … 01 01 ff.
	otherNonce := func(b []byte) []byte { b[len(b)-4] ^= 1; return b }
	for name, h := range map[string]http.Handler{
		"an error":          http.NotFoundHandler(),
		"a redirect":        http.RedirectHandler("/elsewhere", http.StatusFound),
		"nonsense":          handler(p.local, same, func([]byte) []byte { return []byte("hello") }),
		"a cut answer":      handler(p.local, same, func(b []byte) []byte { return b[:len(b)-1] }),
		"another nonce":     handler(p.local, otherNonce, same),
		"another imprint":   handler(p.local, func(b []byte) []byte { b[30] ^= 1; return b }, same),
		"a refusal":         handler(p.local, func([]byte) []byte { return nil }, same),
		"a wrong signature": handler(p.local, same, func(b []byte) []byte { b[len(b)-1] ^= 1; return b }),
		"no answer in time": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-hang }),
	} {
		t.Run(name, func(t *testing.T) {
			bad, good := httptest.NewServer(h), httptest.NewServer(p.local)
			defer good.Close()
			// A server that hangs can't be closed before it is let go.
			if name != "no answer in time" {
				defer bad.Close()
			}
			timeout := 5 * time.Second
			if name == "no answer in time" {
				timeout = 200 * time.Millisecond
			}
			alone, err := NewClient([]string{bad.URL}, timeout, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := alone.Stamp(context.Background(), message); !fault.Is(err, "tsa.away") || fault.KindOf(err) != fault.Unavailable {
				t.Errorf("alone: %v", err)
			}
			both, err := NewClient([]string{bad.URL, good.URL}, timeout, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			der, err := both.Stamp(context.Background(), message)
			if err != nil {
				t.Fatal(err)
			}
			token, err := Parse(der)
			if err != nil {
				t.Fatal(err)
			}
			if err := token.Verify(message); err != nil || token.Nonce == nil {
				t.Errorf("with another behind it: %v, nonce %v", err, token.Nonce)
			}
		})
	}
}

func TestAnAuthorityThatEndedOrIsNotTrustedIsPassedOver(t *testing.T) {
	p, stranger := newPKI(t, noon), newPKI(t, noon)
	ended, err := NewLocal(p.key, p.chain, clock.At(noon.Add(2*time.Hour)), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	early, err := NewLocal(p.key, p.chain, clock.At(noon.Add(-2*time.Hour)), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := httptest.NewServer(p.local)
	defer good.Close()
	for name, l := range map[string]*Local{"ended": ended, "not begun": early, "a stranger's": stranger.local} {
		bad := httptest.NewServer(l)
		defer bad.Close()
		client, err := NewClient([]string{bad.URL, good.URL}, 5*time.Second, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		client.Trust([]*x509.Certificate{p.root.Certificate})
		der, err := client.Stamp(t.Context(), message)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if token, err := Parse(der); err != nil || !token.Time.Equal(noon) || !token.Message.Signer.Equal(p.chain[0]) {
			t.Errorf("%s: its token was taken, %v", name, err)
		}
		alone, err := NewClient([]string{bad.URL}, 5*time.Second, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		alone.Trust([]*x509.Certificate{p.root.Certificate})
		if _, err := alone.Stamp(t.Context(), message); !fault.Is(err, "tsa.away") {
			t.Errorf("%s, alone: %v", name, err)
		}
	}
}

func TestOpenSSLAsAnAuthorityIsBelievedOverASocketWhileItsCertificateHolds(t *testing.T) {
	p := newPKI(t, time.Now())
	dir := opensslTSA(t, p)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "asked.tsq"), body, 0o600)
		}
		cmd := exec.Command("openssl", "ts", "-reply", "-queryfile", "asked.tsq", "-config", "tsa.cnf", "-section", "tc", "-out", "reply.tsr")
		cmd.Dir = dir
		if out, failed := cmd.CombinedOutput(); err != nil || failed != nil {
			t.Errorf("%v %v\n%s", err, failed, out)
		}
		reply, err := os.ReadFile(filepath.Join(dir, "reply.tsr"))
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/timestamp-reply")
		w.Write(reply)
	}))
	defer server.Close()
	client, err := NewClient([]string{server.URL}, 10*time.Second, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	client.Trust([]*x509.Certificate{p.root.Certificate})
	der, err := client.Stamp(t.Context(), message)
	if err != nil {
		t.Fatal(err)
	}
	token, err := Parse(der)
	if err != nil || token.Policy.String() != "1.2.3.4" || token.Nonce == nil {
		t.Errorf("%+v, %v", token, err)
	}
	// The same authority after its certificate's end: openssl itself goes on stamping.
	late := newPKI(t, time.Now().Add(-2*time.Hour))
	dir = opensslTSA(t, late)
	client.Trust([]*x509.Certificate{late.root.Certificate})
	if _, err := client.Stamp(t.Context(), message); !fault.Is(err, "tsa.away") || !strings.Contains(err.Error(), "does not hold") {
		t.Errorf("after the certificate's end: %v", err)
	}
}

// opensslTSA makes a folder in which openssl stamps with the authority's key.
func opensslTSA(t *testing.T, p pki) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	key, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	write("key.der", key)
	write("cert.pem", ca.PEM(p.chain[0]))
	write("chain.pem", ca.PEM(p.chain[1:]...))
	write("serial", []byte("01\n"))
	write("data", message)
	write("tsa.cnf", []byte("[tsa]\ndefault_tsa=tc\n[tc]\nserial="+dir+"/serial\nsigner_cert="+dir+"/cert.pem\nsigner_key="+dir+"/key.pem\ncerts="+dir+"/chain.pem\nsigner_digest=sha256\ndefault_policy=1.2.3.4\ndigests=sha256\ness_cert_id_alg=sha256\naccuracy=secs:1\n"))
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("openssl", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	run("pkey", "-inform", "DER", "-in", "key.der", "-out", "key.pem")
	return dir
}

func TestTokensByOpenSSLAreRead(t *testing.T) {
	dir := opensslTSA(t, newPKI(t, time.Now()))
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("openssl", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	run("ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "query.tsq")
	run("ts", "-reply", "-queryfile", "query.tsq", "-config", "tsa.cnf", "-section", "tc", "-token_out", "-out", "token.der")
	der, err := os.ReadFile(filepath.Join(dir, "token.der"))
	if err != nil {
		t.Fatal(err)
	}
	token, err := Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := token.Verify(message); err != nil || !token.Message.Canonical {
		t.Errorf("%v, canonical %v", err, token.Message.Canonical)
	}
}

func FuzzParse(f *testing.F) {
	p := newPKI(f, noon)
	der, err := p.local.Stamp(context.Background(), message)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	query, err := request{algorithm: oidSHA256, imprint: make([]byte, 32), nonce: big.NewInt(7), certificates: true}.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(query)
	f.Add(p.local.answer(query))
	f.Fuzz(func(t *testing.T, data []byte) {
		if token, err := Parse(data); err == nil {
			token.Verify(message)
		}
		readRequest(data)
		readResponse(data)
	})
}
