package demo

import (
	"testing"

	"countersign/kiosk"
)

func TestWhoHasSignedIsAnsweredForEveryPartyAtEveryStage(t *testing.T) {
	d := ownOffice(t).sit(t)
	d.to("show")
	ask := func() map[string]kiosk.SignatureState {
		t.Helper()
		list, err := d.Clerk.Signatures(d.ctx, d.stored().Number)
		d.must(err)
		out := map[string]kiosk.SignatureState{}
		for _, s := range list {
			out[s.Field] = s
		}
		if len(out) != 4 {
			t.Fatalf("answered is %+v", list)
		}
		return out
	}
	for field, s := range ask() {
		if s.Signed || s.Valid || s.Party == "" {
			t.Errorf("before anybody signed, %s is %+v", field, s)
		}
	}
	d.to("confirm")
	got := ask()
	if c := got["customer"]; !c.Signed || !c.Valid || c.Rank != "2/4" || c.Method != "otp_mail" || c.Certificate != "otp" || c.Signer == "" || c.Issuer == "" || c.Time.IsZero() || !c.Proven {
		t.Errorf("the customer's signature is %+v", c)
	}
	if got["clerk"].Signed {
		t.Errorf("the clerk is said to have signed: %+v", got["clerk"])
	}
	d.to("seal")
	for field, s := range ask() {
		if !s.Signed || !s.Valid {
			t.Errorf("of the sealed order, %s is %+v", field, s)
		}
	}
	_, err := d.Clerk.Signatures(d.ctx, "WO-NOWHERE")
	refused(t, err, "order.not_found")
}
