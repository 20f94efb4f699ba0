package demo

import (
	"testing"
	"time"

	"countersign/kiosk"
	"countersign/kiosk/mirror"
	"countersign/signing"
	"countersign/signing/remote"
	"countersign/signing/remote/standin"
)

// rings is a customer who has a telephone with their key behind it, before an order that waits for their confirmation.
func rings(t *testing.T, vary func(*kiosk.Remote)) (*desk, *standin.Phone) {
	t.Helper()
	o := ownOffice(t)
	d := o.sit(t)
	phone, provider, err := o.telephone(d.Person)
	if err != nil {
		t.Fatal(err)
	}
	phone.Clock = o.clock
	provider.Patience = remote.Patience{Whole: time.Minute, Every: 10 * time.Millisecond}
	if vary != nil {
		vary(&provider)
	}
	o.Service.Hall.Remotes = []kiosk.Remote{provider}
	d.to("show")
	d.must(d.Display.Channel(d.ctx, d.key(), "remote"))
	return d, phone
}

func TestACustomersTelephoneSignsAndTheOrderIsSealedAtRankFour(t *testing.T) {
	d, phone := rings(t, nil)
	if s := d.screen(mirror.Remote); len(s.Confirm.Providers) != 1 || s.Confirm.Providers[0] != ProviderName || s.Confirm.Rank != "4/4" {
		t.Fatalf("the screen offers %+v", s.Confirm)
	}
	d.must(d.Display.Remote(d.ctx, d.key(), 0))
	o := d.stored()
	if o.Own.State != kiosk.RemoteWaiting || o.Own.Until.IsZero() || o.State != kiosk.Confirming {
		t.Fatalf("the order waits like %+v", o.Own)
	}
	// The telephone shows the number that both screens show.
	d.must(phone.Ring(d.ctx, o.Serial()))
	if shown := phone.Shown(); len(shown) != 1 || shown[0].Document != o.Serial() {
		t.Errorf("the telephone shows %+v", shown)
	}
	phone.Press(o.Serial(), standin.Approve)
	d.screen(mirror.Waiting)
	if c := d.look().Order.Confirm; c.Method != "remote" || c.Rank() != signing.OwnKey || c.Serial == "" {
		t.Errorf("the order was confirmed by %+v", c)
	}
	d.done = append(d.done, "confirm")
	d.to("seal")
	if r := d.passed(); r.Signatures[0].Kind != "token" {
		t.Errorf("the customer's field is of kind %s", r.Signatures[0].Kind)
	}
	d.pdfsig()
}

func TestARefusalOnTheTelephoneLeadsBackToTheChoiceWithItsReason(t *testing.T) {
	d, phone := rings(t, nil)
	phone.Always(standin.Refuse)
	d.must(d.Display.Remote(d.ctx, d.key(), 0))
	s := d.screen(mirror.Channel)
	if s.Confirm.Failed == "" {
		t.Error("no reason is told")
	}
	if o := d.stored(); o.State != kiosk.Confirming || o.Own.State != kiosk.RemoteFailed {
		t.Errorf("the order is %s, %+v", o.State, o.Own)
	}
	d.to("confirm") // by code
	d.to("seal")
	d.passed()
}

func TestATelephoneThatNobodyAnswersIsGivenUp(t *testing.T) {
	over := make(chan time.Time)
	close(over)
	d, _ := rings(t, func(r *kiosk.Remote) {
		r.Patience.After = func(wait time.Duration) <-chan time.Time {
			if wait == r.Patience.Whole {
				return over
			}
			return nil
		}
	})
	d.must(d.Display.Remote(d.ctx, d.key(), 0))
	if s := d.screen(mirror.Channel); s.Confirm.Failed != "remote.late" {
		t.Errorf("the reason is %q", s.Confirm.Failed)
	}
}

func TestWhatIsApprovedAfterTheCustomerChoseOtherwiseSignsNothing(t *testing.T) {
	d, phone := rings(t, nil)
	d.must(d.Display.Remote(d.ctx, d.key(), 0))
	serial := d.stored().Serial()
	d.must(phone.Ring(d.ctx, serial))
	d.must(d.Display.Channel(d.ctx, d.key(), "ink"))
	phone.Press(serial, standin.Approve)
	d.must(d.writes(hand(6)))
	if o := d.stored(); o.State != kiosk.Confirming || o.Way != kiosk.ByInk || o.Own != nil {
		t.Errorf("the order is %s by %s, %+v", o.State, o.Way, o.Own)
	}
	_, err := d.Clerk.Attest(d.ctx, d.key())
	d.must(err)
	d.done = append(d.done, "confirm")
	d.to("seal")
	if r := d.passed(); r.Signatures[0].Kind != "witness" {
		t.Errorf("the customer's field is of kind %s", r.Signatures[0].Kind)
	}
}

func TestAProviderWithoutAKeyOfTheCustomerSaysSo(t *testing.T) {
	d, phone := rings(t, nil)
	phone.User = "somebody else"
	if err := d.Display.Remote(d.ctx, d.key(), 0); err == nil {
		t.Error("a telephone that is not the customer's was asked")
	}
	if err := d.Display.Remote(d.ctx, d.key(), 3); err == nil {
		t.Error("a provider that is not there was asked")
	}
	if o := d.stored(); o.Own.State != "" || o.Own.PreparedID != "" {
		t.Errorf("something was prepared: %+v", o.Own)
	}
}

func TestAStopOfTheServiceGivesTheTelephoneUpAndSaysSo(t *testing.T) {
	d, phone := rings(t, nil)
	d.must(d.Display.Remote(d.ctx, d.key(), 0))
	d.must(phone.Ring(d.ctx, d.stored().Serial()))
	hall := d.office.Service.Hall
	hall.Close()
	if o := d.stored(); o.Own.State != kiosk.RemoteFailed || o.Own.Failed != "remote.cancelled" {
		t.Errorf("after the stop the order is %+v", o.Own)
	}
	// A crash leaves no time for that; what is found waiting at the next start is given up then.
	d.must(d.office.Service.Store.Update(d.ctx, func(tx kiosk.Tx) error {
		o, err := tx.Order(d.key())
		if err != nil {
			return err
		}
		o.Own.State, o.Own.Failed = kiosk.RemoteWaiting, ""
		return tx.PutOrder(o)
	}))
	d.must(hall.Settle(d.ctx))
	if o := d.stored(); o.Own.State != kiosk.RemoteFailed || o.State != kiosk.Confirming {
		t.Errorf("after the start the order is %s, %+v", o.State, o.Own)
	}
	d.to("confirm")
}
