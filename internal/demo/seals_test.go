package demo

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"countersign/internal/fault"
	"countersign/internal/service"
	"countersign/kiosk"
	"countersign/signing/pdf"
	"countersign/signing/seal"
)

// uses are the lines of the seal book about an order, by state.
func (d *desk) uses() map[seal.State][]seal.Use {
	d.t.Helper()
	out := map[seal.State][]seal.Use{}
	number := d.stored().Number
	list, err := d.office.Service.Store.Book().Uses(d.ctx, morning(), morning().AddDate(1, 0, 0))
	d.must(err)
	for _, u := range list {
		if u.Order == number {
			out[u.State] = append(out[u.State], u)
		}
	}
	return out
}

func (d *desk) lastFour() string {
	n := d.look().Order.Number
	return n[len(n)-4:]
}

func TestAnOrderWaitsWhileTheSealServiceIsAway(t *testing.T) {
	d := ownOffice(t).sit(t)
	d.to("confirm")
	d.office.Service.Seals.Suspend()
	_, err := d.Clerk.Seal(d.ctx, d.key(), d.lastFour())
	refused(t, err, "seal.away")
	// The revision says nothing here: the code's mail may be noted as delivered at any moment.
	if got := d.stored(); got.State != kiosk.Confirmed || len(got.Seals) > 0 || got.Document.FinalID != "" {
		t.Errorf("the order is %s with %d seals, final %q", got.State, len(got.Seals), got.Document.FinalID)
	}
	if u := d.uses(); len(u) > 0 {
		t.Errorf("the book has %+v", u)
	}
	for _, p := range d.look().Plan {
		if p.Role == "business" && !p.Away {
			t.Error("the clerk is not told that the seal service is away")
		}
	}
	links, _, err := d.Clerk.Links(d.ctx)
	d.must(err)
	if i := slices.IndexFunc(links, func(l kiosk.Link) bool { return l.Name == "seal" }); i < 0 || links[i].State != "down" {
		t.Errorf("the links are %+v", links)
	}
	home, err := d.Clerk.Home(d.ctx)
	d.must(err)
	if i := slices.IndexFunc(home.Tasks, func(x kiosk.Task) bool { return x.Kind == "seal" && x.Order == d.key() }); i < 0 {
		t.Errorf("the order is not among what waits: %+v", home.Tasks)
	}
	d.must(d.Clerk.Aside(d.ctx, d.key())) // the counter serves others meanwhile
	d.office.Service.Seals.Resume()
	d.Order, err = d.Clerk.Resume(d.ctx, d.key())
	d.must(err)
	d.to("seal")
	if r := d.passed(); len(r.Signatures) != 4 {
		t.Errorf("the work order has %d signatures", len(r.Signatures))
	}
	if u := d.uses(); len(u[seal.Done]) != 3 || len(u) != 1 {
		t.Errorf("the book has %+v", u)
	}
}

func TestASealThatGoesAwayInTheMiddleLeavesNothingHalfStamped(t *testing.T) {
	d := ownOffice(t).sit(t)
	d.to("confirm")
	s := d.office.Service.Seals
	look := s.Look
	first := true
	s.Look = func(x seal.Seal, c seal.Clerk, at time.Time) (*pdf.Appearance, error) {
		if x.Kind == seal.Unit && first {
			first = false
			s.Suspend()
		}
		return look(x, c, at)
	}
	_, err := d.Clerk.Seal(d.ctx, d.key(), d.lastFour())
	refused(t, err, "seal.away")
	if got := d.stored(); got.State != kiosk.Confirmed || len(got.Seals) > 0 || got.Document.FinalID != "" {
		t.Errorf("the order is %s with %d seals", got.State, len(got.Seals))
	}
	if u := d.uses(); len(u[seal.Void]) != 3 || len(u) != 1 {
		t.Errorf("the book has %+v", u)
	}
	s.Resume()
	d.to("seal")
	d.passed()
	if u := d.uses(); len(u[seal.Void]) != 3 || len(u[seal.Done]) != 3 {
		t.Errorf("the book has %+v", u)
	}
}

func TestWhoMaySealIsDecidedByTheSealService(t *testing.T) {
	o := theOffice(t)
	d := o.sit(t)
	d.to("confirm")
	t.Run("not with other last digits", func(t *testing.T) {
		for _, typed := range []string{"9999", "", "1", "00" + d.lastFour(), d.look().Order.Number} {
			_, err := d.Clerk.Seal(d.ctx, d.key(), typed)
			refused(t, err, "order.last_four")
		}
	})
	t.Run("not by a clerk without a grant", func(t *testing.T) {
		u := kiosk.User{Name: "khongdau" + d.counter, FullName: "Người Không Dấu", StaffID: "9" + d.counter, Unit: Unit, Roles: []kiosk.Role{kiosk.RoleClerk, kiosk.RoleSigner}}
		d.must(o.Service.AddUser(d.ctx, u, Password, Unlock))
		other := o.signIn(t, u.Name, "x"+d.counter)
		_, err := other.Seal(d.ctx, d.key(), d.lastFour())
		refused(t, err, "seal.none")
		own := service.NewSeal{Seal: seal.Seal{ID: "quay-x" + d.counter, Kind: seal.Counter, Name: u.FullName, Line: "x", Organisation: "Điện lực Bắc Giang"}}
		d.must(o.Service.AddSeal(d.ctx, own))
		for id, services := range map[string]string{own.ID: "*", "dau-nghiep-vu-2": "12", "dau-don-vi": "*"} {
			d.must(o.Service.Grant(d.ctx, seal.Grant{Seal: id, Clerk: u.StaffID, Service: services, Paper: "118/QĐ-PCBG", From: o.clock.Now()}))
		}
		_, err = other.Seal(d.ctx, d.key(), d.lastFour())
		refused(t, err, "seal.grant") // the business seal is granted for another service
	})
	t.Run("not by a clerk who may not seal at all", func(t *testing.T) {
		u := kiosk.User{Name: "chixem" + d.counter, FullName: "Người Chỉ Xem", StaffID: "8" + d.counter, Unit: Unit, Roles: []kiosk.Role{kiosk.RoleClerk}}
		d.must(o.Service.AddUser(d.ctx, u, Password, Unlock))
		_, err := o.signIn(t, u.Name, "y"+d.counter).Seal(d.ctx, d.key(), d.lastFour())
		refused(t, err, "signin.right")
	})
	if u := d.uses(); len(u[seal.Done])+len(u[seal.Intended]) > 0 {
		t.Fatalf("the book has %+v", u)
	}
	t.Run("of twenty at once one seals, and never again", func(t *testing.T) {
		four := d.lastFour()
		var sealed atomic.Int32
		var wait sync.WaitGroup
		for range 20 {
			wait.Go(func() {
				_, err := d.Clerk.Seal(d.ctx, d.key(), four)
				if err == nil {
					sealed.Add(1)
				} else if !fault.Is(err, "seal.busy") && !fault.Is(err, "order.step") {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if sealed.Load() != 1 {
			t.Errorf("%d calls sealed", sealed.Load())
		}
		_, err := d.Clerk.Seal(d.ctx, d.key(), four)
		refused(t, err, "order.step")
		if u := d.uses(); len(u[seal.Done]) != 3 || len(u) != 1 {
			t.Errorf("the book has %+v", u)
		}
		d.passed()
	})
}

func TestAnOrderThatIsStoppedWhileItIsBeingSealedGetsNoSeal(t *testing.T) {
	o := ownOffice(t)
	d := o.sit(t)
	d.to("confirm")
	four := d.lastFour()
	look := o.Service.Seals.Look
	o.Service.Seals.Look = func(s seal.Seal, c seal.Clerk, at time.Time) (*pdf.Appearance, error) {
		if s.Kind == seal.Unit {
			if err := d.Clerk.Cancel(d.ctx, d.key()); err != nil {
				t.Error(err)
			}
		}
		return look(s, c, at)
	}
	_, err := d.Clerk.Seal(d.ctx, d.key(), four)
	refused(t, err, "order.step")
	if got := d.stored(); got.State != kiosk.Cancelled || len(got.Seals) > 0 || got.Document.FinalID != "" {
		t.Errorf("the order is %s with %d seals", got.State, len(got.Seals))
	}
	if u := d.uses(); len(u[seal.Void]) != 3 || len(u) != 1 {
		t.Errorf("the book has %+v", u)
	}
	if got := o.BackOffice.Received(); len(got) > 0 {
		t.Errorf("the back office got %d orders", len(got))
	}
}
