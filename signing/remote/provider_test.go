package remote_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/signing/ca"
	"countersign/signing/remote"
	"countersign/signing/remote/standin"
	"countersign/signing/revoke"
)

const document = "HN-26-0042"

var digest = sha256.Sum256([]byte("phiếu"))

// office is a telephone whose provider answers over a socket, and the authority that certified its key.
type office struct {
	phone *standin.Phone
	url   string
	now   *clock.Set
	root  *ca.Authority
	issue *ca.Authority

	mu    sync.Mutex
	asked map[string]int // questions by path
}

func newOffice(t *testing.T, user string) *office {
	t.Helper()
	o := &office{now: clock.At(time.Now().Truncate(time.Second)), asked: map[string]int{}}
	var err error
	if o.root, err = ca.NewRoot(pkix.Name{CommonName: "CA mô phỏng"}, o.now, rand.Reader); err != nil {
		t.Fatal(err)
	}
	if o.issue, err = o.root.NewIssuing(pkix.Name{CommonName: "CA cấp mô phỏng"}); err != nil {
		t.Fatal(err)
	}
	o.phone, err = standin.New(user, func(public crypto.PublicKey) ([]*x509.Certificate, error) {
		return o.issue.IssueSeal(public, ca.Seal{Name: "NGUYỄN THỊ LAN", Life: 24 * time.Hour})
	})
	if err != nil {
		t.Fatal(err)
	}
	o.phone.Clock = o.now
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		o.asked[r.URL.Path]++
		o.mu.Unlock()
		o.phone.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	o.url = server.URL
	return o
}

func (o *office) count(path string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked[path]
}

func (o *office) smartCA(t *testing.T, password string, integrated bool) *remote.SmartCA {
	t.Helper()
	s, err := remote.NewSmartCA(o.url+"/sca/sp769/", standin.Account, password, integrated, time.Minute, o.now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// providers are the telephone's three ways, with the house's right password and a wrong one.
var providers = map[string]struct {
	user string
	make func(t *testing.T, o *office, password string) remote.Provider
}{
	"CSC": {"CCCD_001190000001", func(t *testing.T, o *office, password string) remote.Provider {
		c, err := remote.NewOAuth(o.url+"/csc/v1/", remote.Account{TokenURL: o.url + "/oauth2/token", ID: standin.Account, Secret: password}, time.Minute, o.now)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}},
	"SmartCA": {"001190000001", func(t *testing.T, o *office, password string) remote.Provider { return o.smartCA(t, password, false) }},
	"SIM": {"+84900000001", func(t *testing.T, o *office, password string) remote.Provider {
		directory := func(_ context.Context, number string) ([]*x509.Certificate, error) {
			if number != o.phone.User {
				return nil, nil
			}
			return o.phone.Chain(), nil
		}
		account := remote.SIMAccount{ID: standin.Account, Password: password, Profile: "http://mo-phong.example/sha256", Seconds: 180}
		s, err := remote.NewSIM(o.url+"/mss", account, directory, time.Minute, o.now)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}},
}

// each runs a test with every provider, the customer's credential and an office of their own.
func each(t *testing.T, test func(t *testing.T, o *office, p remote.Provider, c remote.Credential)) {
	for name, how := range providers {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, how.user)
			p := how.make(t, o, standin.Password)
			test(t, o, p, listed(t, p, how.user))
		})
	}
}

func listed(t *testing.T, p remote.Provider, user string) remote.Credential {
	t.Helper()
	list, err := p.List(t.Context(), user)
	if err != nil || len(list) != 1 || len(list[0].Chain) == 0 {
		t.Fatalf("credentials %+v, %v", list, err)
	}
	return list[0]
}

func begun(t *testing.T, p remote.Provider, c remote.Credential) remote.Pending {
	t.Helper()
	pending, err := p.Begin(t.Context(), c, remote.Ask{Digest: digest, Document: document, Text: "Phiếu yêu cầu"})
	if err != nil {
		t.Fatal(err)
	}
	return pending
}

func TestTheCustomerConfirmsWhatTheirOwnTelephoneShows(t *testing.T) {
	each(t, func(t *testing.T, o *office, p remote.Provider, c remote.Credential) {
		pending := begun(t, p, c)
		if sig, err := pending.Poll(t.Context()); sig != nil || err != nil {
			t.Fatalf("before the customer did anything: %x, %v", sig, err)
		}
		shown := o.phone.Shown()
		if len(shown) != 1 || shown[0].Document != document || shown[0].Text != "Phiếu yêu cầu" {
			t.Errorf("the telephone shows %+v", shown)
		}
		o.phone.Press(document, standin.Approve)
		sig, err := remote.Wait(t.Context(), pending, patience)
		if err != nil || !ecdsa.VerifyASN1(c.Chain[0].PublicKey.(*ecdsa.PublicKey), digest[:], sig) {
			t.Errorf("confirmed: %v", err)
		}
		// The same through what other packages sign with.
		o.phone.Always(standin.Approve)
		k, err := remote.NewSigner(t.Context(), p, c, remote.Consent{Order: document}, patience)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Sign(nil, digest[:], crypto.SHA256); err != nil {
			t.Error(err)
		}
	})
}

func TestWithoutTheCustomersYesThereIsNoSignature(t *testing.T) {
	for name, c := range map[string]struct {
		want string
		harm func(o *office)
	}{
		"they refuse":                  {"remote.cancelled", func(o *office) { o.phone.Always(standin.Refuse) }},
		"the telephone asked too long": {"remote.late", func(o *office) { o.phone.Life = time.Minute }},
		"the provider signs another way": {"remote.signature", func(o *office) {
			o.phone.Always(standin.Approve)
			o.phone.Tamper = func(b []byte) []byte { b[9] ^= 1; return b }
		}},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, o *office, p remote.Provider, credential remote.Credential) {
				c.harm(o)
				pending := begun(t, p, credential)
				o.now.Advance(2 * time.Minute)
				if sig, err := remote.Wait(t.Context(), pending, patience); !fault.Is(err, c.want) || sig != nil {
					t.Errorf("%x, %v, want %s", sig, err, c.want)
				}
			})
		})
	}
}

func TestWhoGaveUpFetchesNothingAnyMore(t *testing.T) {
	each(t, func(t *testing.T, o *office, p remote.Provider, c remote.Credential) {
		over := make(chan time.Time, 1)
		over <- time.Time{}
		impatient := remote.Patience{Whole: time.Hour, Every: time.Minute, After: func(d time.Duration) <-chan time.Time {
			if d == time.Hour {
				return over
			}
			return nil
		}}
		late := begun(t, p, c)
		if sig, err := remote.Wait(t.Context(), late, impatient); !fault.Is(err, "remote.late") || sig != nil {
			t.Errorf("nobody pressed anything: %x, %v", sig, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancelled := begun(t, p, c)
		waits := remote.Patience{Whole: time.Hour, Every: time.Minute, After: func(time.Duration) <-chan time.Time {
			cancel()
			return nil
		}}
		if sig, err := remote.Wait(ctx, cancelled, waits); !fault.Is(err, "remote.cancelled") || sig != nil {
			t.Errorf("the counter gave up: %x, %v", sig, err)
		}
		for o.phone.Press(document, standin.Approve) {
		}
		for _, pending := range []remote.Pending{late, cancelled} {
			if sig, err := pending.Poll(t.Context()); !fault.Is(err, "remote.cancelled") || sig != nil {
				t.Errorf("confirmed after all: %x, %v", sig, err)
			}
		}
	})
}

func TestAStrangeHouseOrPersonIsRefused(t *testing.T) {
	for name, how := range providers {
		o := newOffice(t, how.user)
		right := how.make(t, o, standin.Password)
		if list, err := right.List(t.Context(), "nobody"); err != nil || len(list) != 0 {
			t.Errorf("%s: nobody's credentials: %v, %v", name, list, err)
		}
		c := listed(t, right, how.user)
		if _, err := how.make(t, o, "sai").Begin(t.Context(), c, remote.Ask{Digest: digest, Document: document}); !fault.Is(err, "remote.account") {
			t.Errorf("%s: a wrong password of the house: %v", name, err)
		}
		if _, err := right.Begin(t.Context(), remote.Credential{}, remote.Ask{Digest: digest, Document: document}); !fault.Is(err, "remote.certificate") {
			t.Errorf("%s: no certificate: %v", name, err)
		}
		if _, err := right.Begin(t.Context(), c, remote.Ask{Digest: digest}); err == nil {
			t.Errorf("%s: a document without a code was sent", name)
		}
		if n := len(o.phone.Shown()); n != 0 {
			t.Errorf("%s: the telephone rang %d times", name, n)
		}
	}
}

func TestAnIntegratedAccountSignsWithPasswordAndCode(t *testing.T) {
	o := newOffice(t, "001190000001")
	s := o.smartCA(t, standin.Password, true)
	c := listed(t, s, "001190000001")
	if c.Mode != remote.Explicit || !c.PIN || !c.OTP {
		t.Errorf("credential %+v", c)
	}
	ask := remote.Ask{Digest: digest, Document: document, PIN: standin.PIN, OTP: standin.OTP}
	p, err := s.Begin(t.Context(), c, ask)
	if err != nil {
		t.Fatal(err)
	}
	if sig, err := p.Poll(t.Context()); err != nil || sig == nil {
		t.Errorf("%x, %v", sig, err)
	}
	before := o.count("/sca/sp769/v2/signatures/sign")
	for want, with := range map[string]remote.Ask{
		"remote.pin": {Digest: digest, Document: document, PIN: "000000", OTP: standin.OTP},
		"remote.otp": {Digest: digest, Document: document, PIN: standin.PIN, OTP: "000000"},
	} {
		if _, err := s.Begin(t.Context(), c, with); !fault.Is(err, want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if n := o.count("/sca/sp769/v2/signatures/sign") - before; n != 2 {
		t.Errorf("two wrong tries were sent %d times", n)
	}
	if _, err := s.Begin(t.Context(), c, remote.Ask{Digest: digest, Document: document, PIN: standin.PIN}); !fault.Is(err, "remote.consent") {
		t.Errorf("without a code: %v", err)
	}
}

func TestAWebhookIsAHintToLookAndNothingMore(t *testing.T) {
	o := newOffice(t, "001190000001")
	hooks, err := remote.NewHooks(standin.Account, "0123456789abcdef")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(hooks)
	defer server.Close()
	s := o.smartCA(t, standin.Password, false)
	pending := begun(t, s, listed(t, s, "001190000001"))
	hint, done := hooks.Await(pending)
	post := func(key, body string) int {
		answer, err := http.Post(server.URL+"/?key="+key, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil {
			t.Error(err)
		}
		return answer.StatusCode
	}
	claim := `{"sp_id":"` + standin.Account + `","status_code":200,"transaction_id":"` + pending.ID() + `","signed_files":[{"doc_id":"HN-26-0042","signature_value":"AAAA"}]}`
	for name, c := range map[string]struct {
		key, body string
		status    int
	}{
		"a stranger":              {"", claim, http.StatusNotFound},
		"who guesses the key":     {"0123456789abcdee", claim, http.StatusNotFound},
		"another house":           {"0123456789abcdef", strings.Replace(claim, standin.Account, "khac", 1), http.StatusOK},
		"an unknown transaction":  {"0123456789abcdef", strings.Replace(claim, pending.ID(), "x", 1), http.StatusOK},
		"something without sense": {"0123456789abcdef", "{", http.StatusBadRequest},
	} {
		if status := post(c.key, c.body); status != c.status {
			t.Errorf("%s: %d, want %d", name, status, c.status)
		}
		if len(hint) != 0 {
			t.Errorf("%s: somebody was woken", name)
		}
	}
	// A claim that comes rightly, but too early: the provider is asked, and says that nothing is signed.
	if status := post("0123456789abcdef", claim); status != http.StatusOK || len(hint) != 1 {
		t.Fatalf("%d, %d hints", status, len(hint))
	}
	looked := make(chan struct{})
	waits := remote.Patience{Whole: time.Hour, Every: time.Minute, Hint: hint, After: func(d time.Duration) <-chan time.Time {
		if d == time.Minute && len(hint) == 0 {
			select {
			case looked <- struct{}{}:
			default:
			}
		}
		return nil
	}}
	o.phone.Webhook = server.URL + "/?key=0123456789abcdef"
	go func() {
		<-looked
		o.phone.Press(document, standin.Approve)
	}()
	if sig, err := remote.Wait(t.Context(), pending, waits); err != nil || sig == nil {
		t.Errorf("after the webhook: %x, %v", sig, err)
	}
	done()
	if status := post("0123456789abcdef", claim); status != http.StatusOK || len(hint) != 0 {
		t.Errorf("after it is over: %d, %d hints", status, len(hint))
	}
	if _, err := remote.NewHooks(standin.Account, "short"); err == nil {
		t.Error("a short key was taken")
	}
}

func TestATokenIsFetchedOnceAndAgainBeforeItRunsOut(t *testing.T) {
	o := newOffice(t, "CCCD_001190000001")
	p := providers["CSC"].make(t, o, standin.Password)
	list := func() error {
		_, err := p.List(t.Context(), o.phone.User)
		return err
	}
	for range 2 {
		if err := list(); err != nil {
			t.Fatal(err)
		}
	}
	if n := o.count("/oauth2/token"); n != 1 {
		t.Errorf("%d tokens for two lists", n)
	}
	o.now.Advance(time.Hour - time.Second)
	if err := list(); err != nil || o.count("/oauth2/token") != 2 {
		t.Errorf("before its end: %d tokens, %v", o.count("/oauth2/token"), err)
	}
	o.phone.Expire()
	if err := list(); !fault.Is(err, "remote.account") {
		t.Errorf("a token that was taken back: %v", err)
	}
	if err := list(); err != nil || o.count("/oauth2/token") != 3 {
		t.Errorf("after it: %d tokens, %v", o.count("/oauth2/token"), err)
	}
}

func TestACustomersBrowserBringsTheAuthorizationForOneDigest(t *testing.T) {
	o := newOffice(t, "CCCD_001190000001")
	o.phone.Browser = true
	c, err := remote.NewOAuth(o.url+"/csc/v1/", remote.Account{
		TokenURL: o.url + "/oauth2/token", AuthorizeURL: o.url + "/oauth2/authorize", ID: standin.Account, Secret: standin.Password, RedirectURL: "https://quay.example/ve",
	}, time.Minute, o.now)
	if err != nil {
		t.Fatal(err)
	}
	credential := listed(t, c, o.phone.User)
	ask := remote.Ask{Digest: digest, Document: document, Text: "Phiếu yêu cầu"}
	if _, err := c.Begin(t.Context(), credential, ask); !fault.Is(err, "remote.mode") {
		t.Errorf("without a browser: %v", err)
	}
	browse := func(ask remote.Ask) string {
		address, err := c.AuthorizeURL(credential, ask, "trang-thai-1")
		if err != nil {
			t.Fatal(err)
		}
		stay := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		answer, err := stay.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil {
			t.Error(err)
		}
		back, err := answer.Location()
		if err != nil || back.Host != "quay.example" || back.Query().Get("state") != "trang-thai-1" {
			t.Fatalf("the browser comes back to %v, %v", back, err)
		}
		return back.Query().Get("code")
	}
	ask.Code = browse(ask)
	p, err := c.Begin(t.Context(), credential, ask)
	if err != nil {
		t.Fatal(err)
	}
	if sig, err := p.Poll(t.Context()); err != nil || sig == nil {
		t.Errorf("%x, %v", sig, err)
	}
	if _, err := c.Begin(t.Context(), credential, ask); !fault.Is(err, "remote.late") {
		t.Errorf("a code twice: %v", err)
	}
	other := ask
	other.Digest[0] ^= 1
	other.Code = browse(ask)
	if _, err := c.Begin(t.Context(), credential, other); !fault.Is(err, "remote.refused") {
		t.Errorf("the code for another digest: %v", err)
	}
}

func TestACertificateThatShouldNotSignIsRefusedBeforeTheTelephoneRings(t *testing.T) {
	o := newOffice(t, "001190000001")
	s := o.smartCA(t, standin.Password, false)
	c := listed(t, s, "001190000001")
	other, err := ca.NewRoot(pkix.Name{CommonName: "CA khác"}, o.now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	status := revoke.Lists{Clock: o.now}
	for _, a := range []*ca.Authority{o.root, o.issue} {
		list, err := a.RevocationList(nil, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		status.DER = append(status.DER, list)
	}
	roots := []*x509.Certificate{o.root.Certificate}
	begin := func(v remote.Validity) error {
		_, err := remote.Checked(s, v).Begin(t.Context(), c, remote.Ask{Digest: digest, Document: document})
		return err
	}
	later := clock.At(o.now.Now().Add(48 * time.Hour))
	for want, v := range map[string]remote.Validity{
		"remote.expired":   {Clock: later, Roots: roots},
		"remote.untrusted": {Clock: o.now, Roots: []*x509.Certificate{other.Certificate}},
		"remote.status":    {Clock: o.now, Roots: roots, Status: revoke.InOrder{}},
	} {
		if err := begin(v); !fault.Is(err, want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if n := len(o.phone.Shown()); n != 0 {
		t.Errorf("the telephone rang %d times", n)
	}
	if err := begin(remote.Validity{Clock: o.now, Roots: roots, Status: status}); err != nil {
		t.Errorf("a good one: %v", err)
	}
	if status.DER[1], err = o.issue.RevocationList([]ca.Revocation{{Serial: c.Chain[0].SerialNumber, At: o.now.Now()}}, time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := begin(remote.Validity{Clock: o.now, Roots: roots, Status: status}); !fault.Is(err, "remote.revoked") {
		t.Errorf("a revoked one: %v", err)
	}
}
