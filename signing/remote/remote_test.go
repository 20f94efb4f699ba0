package remote_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http"
	"slices"
	"testing"
	"time"

	"countersign/internal/fault"
	"countersign/signing/cms"
	"countersign/signing/remote"
)

const (
	rsaAlgo = "1.2.840.113549.1.1.11"
	ecAlgo  = "1.2.840.10045.4.3.2"
)

var (
	consent  = remote.Consent{PIN: "246810", OTP: "135791", Order: "HN-26-0042", Title: "Phiếu yêu cầu"}
	patience = remote.Patience{Whole: time.Minute, Every: time.Millisecond}
)

func provider(t *testing.T, mode string, private crypto.Signer, algo ...string) (*tricky, *remote.Client) {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "NGUYỄN THỊ LAN"},
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2029, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s := &tricky{t: t, mode: mode, private: private, chain: []*x509.Certificate{cert}, algo: algo}
	c, err := remote.New(s.serve(), "thử", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

func ec(t *testing.T) crypto.Signer {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return private
}

func credential(t *testing.T, c *remote.Client) remote.Credential {
	t.Helper()
	got, err := c.Credential(t.Context(), "khoa-1")
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func signer(t *testing.T, ctx context.Context, c *remote.Client, with remote.Consent, p remote.Patience) *remote.Signer {
	t.Helper()
	s, err := c.Signer(ctx, credential(t, c), with, p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAPersonsCredentialsAreListedAndRead(t *testing.T) {
	s, c := provider(t, "explicit", ec(t), ecAlgo)
	ids, err := c.Credentials(t.Context(), "CCCD_001190000001")
	if err != nil || !slices.Equal(ids, []string{"khoa-1", "khoa-2"}) {
		t.Errorf("credentials %v, %v", ids, err)
	}
	if ids, err := c.Credentials(t.Context(), "CCCD_001190000002"); err != nil || len(ids) != 0 {
		t.Errorf("a person without: %v, %v", ids, err)
	}
	got := credential(t, c)
	if got.Mode != remote.Explicit || !got.PIN || !got.OTP || !got.Bound || !got.Chain[0].Equal(s.chain[0]) {
		t.Errorf("credential %+v", got)
	}
	if _, err := c.Credential(t.Context(), "khoa-2"); !fault.Is(err, "remote.certificate") {
		t.Errorf("a disabled one: %v", err)
	}
	if err := c.SendOTP(t.Context(), "khoa-1"); err != nil {
		t.Error(err)
	}
	stranger, err := remote.New(s.serve(), "khác", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.Credentials(t.Context(), "CCCD_001190000001"); !fault.Is(err, "remote.account") {
		t.Errorf("a house that the provider does not know: %v", err)
	}
}

func TestPINAndCodeMakeOneSignature(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, private := range map[string]crypto.Signer{rsaAlgo: private, ecAlgo: ec(t)} {
		_, c := provider(t, "explicit", private, name)
		k := signer(t, t.Context(), c, consent, patience)
		digest := sha256.Sum256([]byte("phiếu"))
		if _, err := cms.Sign(digest, k, k.Chain(), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := k.Sign(nil, digest[:], crypto.SHA256); err == nil {
			t.Errorf("%s: one consent made two signatures", name)
		}
	}
}

func TestAWrongPINOrCodeIsSentOnce(t *testing.T) {
	digest := sha256.Sum256([]byte("phiếu"))
	for want, with := range map[string]remote.Consent{
		"remote.pin": {PIN: "000000", OTP: "135791", Order: "x"},
		"remote.otp": {PIN: "246810", OTP: "000000", Order: "x"},
	} {
		s, c := provider(t, "explicit", ec(t), ecAlgo)
		k := signer(t, t.Context(), c, with, patience)
		if _, err := k.Sign(nil, digest[:], crypto.SHA256); !fault.Is(err, want) {
			t.Errorf("%s: %v", want, err)
		}
		if s.count("credentials/authorize") != 1 || s.count("signatures/signHash") != 0 {
			t.Errorf("%s: the provider was asked %v", want, s.calls)
		}
	}
	_, c := provider(t, "explicit", ec(t), ecAlgo)
	if _, err := c.Signer(t.Context(), credential(t, c), remote.Consent{PIN: "246810", Order: "x"}, patience); !fault.Is(err, "remote.consent") {
		t.Errorf("without a code: %v", err)
	}
	_, c = provider(t, "oauth2code", ec(t), ecAlgo)
	if _, err := c.Signer(t.Context(), credential(t, c), consent, patience); !fault.Is(err, "remote.mode") {
		t.Errorf("a credential for browsers: %v", err)
	}
}

func TestTheCustomerConfirmsOrDeclinesInTheApp(t *testing.T) {
	digest := sha256.Sum256([]byte("phiếu"))
	for answer, want := range map[string]string{"yes": "", "no": "remote.cancelled"} {
		s, c := provider(t, "implicit", ec(t), ecAlgo)
		k := signer(t, t.Context(), c, remote.Consent{Order: "HN-26-0042", Title: "Phiếu yêu cầu"}, patience)
		go s.press(answer)
		sig, err := k.Sign(nil, digest[:], crypto.SHA256)
		if want == "" && (err != nil || !ecdsa.VerifyASN1(k.Public().(*ecdsa.PublicKey), digest[:], sig)) {
			t.Errorf("confirmed: %v", err)
		}
		if want != "" && !fault.Is(err, want) {
			t.Errorf("declined: %v", err)
		}
		if shown := s.waiting.Documents[0]; shown.ID != "HN-26-0042" || shown.Name != "Phiếu yêu cầu" {
			t.Errorf("the app shows %+v", shown)
		}
		if s.count("signatures/signHash") != 1 {
			t.Errorf("%s: the digest was left %d times", answer, s.count("signatures/signHash"))
		}
	}
}

func TestNobodyWaitsForEver(t *testing.T) {
	digest := sha256.Sum256([]byte("phiếu"))
	_, c := provider(t, "implicit", ec(t), ecAlgo)
	k := signer(t, t.Context(), c, consent, remote.Patience{Whole: 50 * time.Millisecond, Every: time.Millisecond})
	if _, err := k.Sign(nil, digest[:], crypto.SHA256); !fault.Is(err, "remote.late") {
		t.Errorf("nobody pressed anything: %v", err)
	}
	s, c := provider(t, "implicit", ec(t), ecAlgo)
	ctx, cancel := context.WithCancel(t.Context())
	k = signer(t, ctx, c, consent, patience)
	go func() {
		<-s.polled
		cancel()
	}()
	if _, err := k.Sign(nil, digest[:], crypto.SHA256); !fault.Is(err, "remote.cancelled") {
		t.Errorf("cancelled at the counter: %v", err)
	}
}

func TestAProviderThatStumblesWhileWaitingCostsNoConfirmation(t *testing.T) {
	s, c := provider(t, "implicit", ec(t), ecAlgo)
	k := signer(t, t.Context(), c, consent, patience)
	stumbles := 0
	s.answer = "yes"
	s.tweak = func(method string, w http.ResponseWriter) bool {
		if method != "signatures/signPolling" || stumbles > 2 {
			return false
		}
		stumbles++
		w.WriteHeader(http.StatusBadGateway)
		return true
	}
	digest := sha256.Sum256([]byte("phiếu"))
	if _, err := k.Sign(nil, digest[:], crypto.SHA256); err != nil || stumbles != 3 {
		t.Errorf("after %d: %v", stumbles, err)
	}
}

func TestWhatComesBackWrongIsNotReleased(t *testing.T) {
	digest := sha256.Sum256([]byte("phiếu"))
	body := func(status int, text string) func(string, http.ResponseWriter) bool {
		return func(method string, w http.ResponseWriter) bool {
			if method != "signatures/signHash" {
				return false
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(text))
			return true
		}
	}
	for _, c := range []struct {
		name, want string
		harm       func(*tricky)
	}{
		{"a bit is wrong", "remote.signature", func(s *tricky) { s.release = func(b []byte) []byte { b[len(b)-1] ^= 1; return b } }},
		{"it is empty", "remote.signature", func(s *tricky) { s.release = func([]byte) []byte { return nil } }},
		{"it is about another document", "remote.answer", func(s *tricky) { s.document = "HN-26-0043" }},
		{"there are two", "remote.answer", func(s *tricky) { s.tweak = body(200, `{"signatures":["AA==","AA=="]}`) }},
		{"there is none", "remote.answer", func(s *tricky) { s.tweak = body(200, `{}`) }},
		{"it is no JSON", "remote.answer", func(s *tricky) { s.tweak = body(200, `<html>`) }},
		{"it is no base64", "remote.answer", func(s *tricky) { s.tweak = body(200, `{"signatures":["?"]}`) }},
		{"it leads elsewhere", "remote.refused", func(s *tricky) { s.tweak = body(307, ``) }},
		{"it is an error of its own", "remote.refused", func(s *tricky) { s.tweak = body(400, `{"error":"numSignatures_too_high"}`) }},
		{"it stumbles", "remote.away", func(s *tricky) { s.tweak = body(503, ``) }},
	} {
		s, client := provider(t, "explicit", ec(t), ecAlgo)
		k := signer(t, t.Context(), client, consent, patience)
		c.harm(s)
		if sig, err := k.Sign(nil, digest[:], crypto.SHA256); !fault.Is(err, c.want) || sig != nil {
			t.Errorf("%s: %x, %v, want %s", c.name, sig, err, c.want)
		}
		if s.count("signatures/signHash") != 1 {
			t.Errorf("%s: asked %d times", c.name, s.count("signatures/signHash"))
		}
	}
}

func TestOnlySafeAddressesAreTaken(t *testing.T) {
	for address, good := range map[string]bool{
		"https://ky.example/csc/v1": true, "http://127.0.0.1:8080/csc/v1": true, "http://[::1]:1/": true,
		"http://ky.example/csc/v1": false, "ftp://127.0.0.1/": false, "https://": false, "": false, "%": false,
	} {
		if _, err := remote.New(address, "", time.Second); (err == nil) != good {
			t.Errorf("%q: %v", address, err)
		}
	}
	if _, err := remote.New("https://ky.example/", "", 0); err == nil {
		t.Error("no timeout was taken")
	}
}
