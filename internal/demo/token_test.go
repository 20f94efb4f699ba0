package demo

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/internal/api"
	"countersign/internal/fault"
	"countersign/internal/service"
	"countersign/kiosk"
	"countersign/kiosk/display"
	"countersign/kiosk/mirror"
	"countersign/signing"
	"countersign/signing/ca"
	"countersign/signing/signtest"
)

// owns is a customer's token that is plugged in at the screen, and the agent that reaches it.
type owns struct {
	*desk
	hsm   *signtest.SoftHSM
	agent *service.TokenAgent
}

// withToken brings an order to where the customer confirms, and plugs a token in whose certificate has this number and life.
func withToken(t *testing.T, number func(kiosk.Customer) string, life time.Duration) *owns {
	t.Helper()
	d := ownOffice(t).sit(t)
	d.to("show")
	o := &owns{desk: d, hsm: signtest.NewSoftHSM(t)}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	d.must(err)
	chain, err := d.office.Service.Issuing.IssueToken(private.Public(), d.customer.Name, number(d.customer), life)
	d.must(err)
	o.hsm.Plug("khach", private, chain[0])
	o.agent, err = service.OpenTokenAgent([]string{signtest.Module}, true)
	d.must(err)
	t.Cleanup(func() {
		if err := o.agent.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

func ownNumber(c kiosk.Customer) string { return c.IDNumber }

// chooses lets the customer choose their token; only there is what the screen does for them here done by hand.
func (o *owns) chooses() display.Certificate {
	o.t.Helper()
	o.must(o.Display.Channel(o.ctx, o.key(), "token"))
	if s := o.screen(mirror.Token); s.Confirm.Rank != "4/4" {
		o.t.Errorf("the customer's screen says rank %q", s.Confirm.Rank)
	}
	list, err := o.agent.Certificates()
	if err != nil || len(list) != 1 {
		o.t.Fatalf("plugged in are %+v, %v", list, err)
	}
	return list[0]
}

func TestACustomersOwnTokenSignsAndTheOrderIsSealedAtRankFour(t *testing.T) {
	o := withToken(t, ownNumber, 24*time.Hour*365)
	c := o.chooses()
	if c.Holder != o.customer.Name || c.Serial == "" || c.Issuer == "" || c.Ends.IsZero() || c.PIN != "ready" {
		t.Errorf("the certificate is listed as %+v", c)
	}
	digest, err := o.Display.PrepareOwn(o.ctx, o.key(), c.Chain)
	o.must(err)
	signature, err := o.agent.Sign(c.Ref, []byte(signtest.PIN), digest)
	o.must(err)
	flipped := append([]byte(nil), signature...)
	flipped[len(flipped)-1] ^= 1
	refused(t, o.Display.FinishOwn(o.ctx, o.key(), flipped), "sign.mismatch")
	o.must(o.Display.FinishOwn(o.ctx, o.key(), signature))
	v := o.look()
	if cf := v.Order.Confirm; cf == nil || cf.Method != "token" || cf.Rank() != signing.OwnKey || !strings.EqualFold(cf.Serial, c.Serial) {
		t.Fatalf("the order was confirmed by %+v", cf)
	}
	refused(t, o.Display.FinishOwn(o.ctx, o.key(), signature), "order.step")
	o.done = append(o.done, "confirm")
	o.to("seal")
	r := o.passed()
	if r.Signatures[0].Kind != "token" || !strings.Contains(r.Signatures[0].Signer, o.customer.Name) {
		t.Errorf("the customer's field is said to be signed by %q, kind %s", r.Signatures[0].Signer, r.Signatures[0].Kind)
	}
	// What the evidence says stands in the signature itself.
	if sum := v.Order.Confirm.Evidence; !strings.Contains(r.Signatures[0].Reason, sum) {
		t.Errorf("the reason %q does not name the evidence %s", r.Signatures[0].Reason, sum)
	}
	o.pdfsig()
}

// pdfsig lets another program judge the finished file.
func (d *desk) pdfsig() {
	d.t.Helper()
	file, err := d.Clerk.Document(d.ctx, d.key())
	d.must(err)
	path := filepath.Join(d.t.TempDir(), "order.pdf")
	d.must(os.WriteFile(path, file, 0o600))
	out, err := exec.Command("pdfsig", "-nocert", path).CombinedOutput()
	if n := strings.Count(string(out), "Signature is Valid"); err != nil || n != 4 || !strings.Contains(string(out), "Signer Certificate Common Name: "+d.customer.Name) {
		d.t.Errorf("pdfsig finds %d valid signatures: %v\n%s", n, err, out)
	}
}

func TestACertificateOfAnotherPersonIsRefusedBeforeAnyPIN(t *testing.T) {
	for name, c := range map[string]struct {
		number func(kiosk.Customer) string
		life   time.Duration
		after  time.Duration
		want   string
	}{
		"another person's": {func(kiosk.Customer) string { return mau.Number }, time.Hour, 0, "key.other_person"},
		"nobody's":         {func(kiosk.Customer) string { return "" }, time.Hour, 0, "key.no_person"},
		"one that ended":   {ownNumber, time.Minute, 2 * time.Minute, "own.dates"},
	} {
		t.Run(name, func(t *testing.T) {
			o := withToken(t, c.number, c.life)
			o.office.clock.Advance(c.after)
			_, err := o.Display.PrepareOwn(o.ctx, o.key(), o.chooses().Chain)
			refused(t, err, c.want)
			if got := o.stored(); got.State != kiosk.Confirming || got.Own.PreparedID != "" {
				t.Errorf("the order is %s, prepared %q", got.State, got.Own.PreparedID)
			}
		})
	}
	t.Run("of a stranger's authority", func(t *testing.T) {
		o := withToken(t, ownNumber, time.Hour)
		o.chooses()
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		o.must(err)
		chain := o.strangers(private.Public())
		_, err = o.Display.PrepareOwn(o.ctx, o.key(), chain)
		refused(t, err, "trust.denied")
		_, err = o.Display.PrepareOwn(o.ctx, o.key(), [][]byte{[]byte("none")})
		refused(t, err, "own.chain")
	})
}

// strangers is a certificate that looks like the customer's, of an authority that nobody here knows.
func (o *owns) strangers(public crypto.PublicKey) [][]byte {
	o.t.Helper()
	root, err := ca.NewRoot(pkix.Name{CommonName: "Nơi cấp lạ"}, o.office.clock, rand.Reader)
	o.must(err)
	chain, err := root.IssueToken(public, o.customer.Name, o.customer.IDNumber, time.Hour)
	o.must(err)
	return ders(chain)
}

func ders(chain []*x509.Certificate) (out [][]byte) {
	for _, c := range chain {
		out = append(out, c.Raw)
	}
	return out
}

func TestWrongPINsAndAPulledTokenCostNothingButTime(t *testing.T) {
	o := withToken(t, ownNumber, time.Hour)
	c := o.chooses()
	digest, err := o.Display.PrepareOwn(o.ctx, o.key(), c.Chain)
	o.must(err)
	for range 2 {
		if _, err := o.agent.Sign(c.Ref, []byte("111111"), digest); !fault.Is(err, "key.pin") {
			t.Fatalf("a wrong PIN is %v", err)
		}
	}
	o.hsm.Pull("khach")
	if _, err := o.agent.Sign(c.Ref, []byte(signtest.PIN), digest); !fault.Is(err, "key.token_gone") {
		t.Fatalf("a pulled token is %v", err)
	}
	if got := o.stored(); got.State != kiosk.Confirming {
		t.Errorf("the order is %s", got.State)
	}
	refused(t, o.Display.FinishOwn(o.ctx, o.key(), []byte("made up")), "sign.mismatch")
	// The customer confirms otherwise; what was prepared is gone.
	prepared := o.stored().Own.PreparedID
	o.must(o.confirm(o.ctx))
	err = o.office.Service.Store.View(o.ctx, func(tx kiosk.Tx) error {
		_, err := tx.Document(prepared)
		return err
	})
	refused(t, err, "store.not_found")
	o.done = append(o.done, "confirm")
	o.to("seal")
	o.passed()
}

func TestWhatWasPreparedForATokenGrowsStale(t *testing.T) {
	o := withToken(t, ownNumber, time.Hour)
	c := o.chooses()
	digest, err := o.Display.PrepareOwn(o.ctx, o.key(), c.Chain)
	o.must(err)
	signature, err := o.agent.Sign(c.Ref, []byte(signtest.PIN), digest)
	o.must(err)
	o.office.clock.Advance(6 * time.Minute)
	refused(t, o.Display.FinishOwn(o.ctx, o.key(), signature), "sign.own_stale")
	again, err := o.Display.PrepareOwn(o.ctx, o.key(), c.Chain)
	o.must(err)
	refused(t, o.Display.FinishOwn(o.ctx, o.key(), signature), "sign.mismatch") // it is over another digest
	signature, err = o.agent.Sign(c.Ref, []byte(signtest.PIN), again)
	o.must(err)
	o.must(o.Display.FinishOwn(o.ctx, o.key(), signature))
	if s := o.stored().State; s != kiosk.Confirmed {
		t.Errorf("the order is %s", s)
	}
}

func TestACustomerWhoseKeyIsInAnHSMIsLedToACodeWithTheReason(t *testing.T) {
	d := ownOffice(t).sit(t)
	d.must(d.office.Service.Store.Update(d.ctx, func(tx kiosk.Tx) error {
		c, err := tx.Customer(d.customer.ID)
		if err != nil {
			return err
		}
		c.Facts[kiosk.DeviceFact] = "hsm"
		return tx.PutCustomer(c)
	}))
	d.to("show")
	for _, o := range d.screen(mirror.Channel).Confirm.Offers {
		if (o.Method == kiosk.ByToken) != (o.Why == "device") {
			t.Errorf("%s is offered with reason %q", o.Method, o.Why)
		}
	}
	refused(t, d.Display.Channel(d.ctx, d.key(), "token"), "confirm.device")
	_, err := d.Display.PrepareOwn(d.ctx, d.key(), [][]byte{d.office.Service.Root.Raw})
	refused(t, err, "own.no_way")
	d.to("confirm")
}

func TestATelephonesAppNeverOffersATokenAndItsAttemptsAreRefused(t *testing.T) {
	o := withToken(t, ownNumber, time.Hour)
	at := kiosk.Actor{User: kiosk.User{Name: "admin"}, Unit: Unit, Counter: o.counter}
	token, err := o.office.Service.Hall.PairMobile(o.ctx, at, Unit, o.counter)
	o.must(err)
	app := &api.Display{Client: o.office.Client()}
	app.SetToken(token)
	o.Display, o.screenToken = app, token
	for _, offer := range o.screen(mirror.Channel).Confirm.Offers {
		if (offer.Method == kiosk.ByToken) != (offer.Why == kiosk.WhyMobile) {
			t.Errorf("%s is offered with reason %q", offer.Method, offer.Why)
		}
	}
	refused(t, app.Channel(o.ctx, o.key(), "token"), "confirm.mobile")
	_, err = app.PrepareOwn(o.ctx, o.key(), [][]byte{o.office.Service.Root.Raw})
	refused(t, err, "confirm.mobile")
	o.must(app.Channel(o.ctx, o.key(), "mail"))
}
