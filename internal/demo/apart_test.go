package demo

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"countersign/internal/api"
	"countersign/internal/clock"
	"countersign/internal/sealer"
	"countersign/internal/service"
	"countersign/kiosk"
	"countersign/signing/seal"
)

const (
	head   = "truong"
	headID = "9001"
)

// apart is an office whose seals are kept by another process's parts, behind a socket.
type apart struct {
	*office
	keeper *sealer.Office
	socket string
	server *http.Server
}

// openApart builds a world, gives its seals to a sealer, and opens the world again with that one. Two people are needed
// for the unit's seal.
func openApart(t *testing.T) *apart {
	t.Helper()
	ctx, dir := t.Context(), t.TempDir()
	built, err := newOffice(ctx, dir)
	must(t, err)
	s := built.Service
	must(t, s.AddUser(ctx, kiosk.User{Name: head, FullName: "Phạm Văn Trưởng", StaffID: headID, Unit: Unit, Roles: []kiosk.Role{kiosk.RoleSigner, kiosk.RoleClerk}}, Password, Unlock))
	a := &apart{socket: filepath.Join(t.TempDir(), "seals.sock")}
	away := t.TempDir()
	o := sealer.Options{Dir: filepath.Join(away, "sealer"), KeyFile: filepath.Join(away, "key"), Passphrase: []byte("một câu khác cho con dấu"),
		Roots: []*x509.Certificate{s.Root}, Clock: built.clock}
	must(t, sealer.Found(ctx, o))
	a.keeper, err = sealer.Start(ctx, o)
	must(t, err)
	t.Cleanup(func() { must(t, a.keeper.Close()) })
	from := built.clock.Now().AddDate(0, 0, -1)
	for _, n := range []service.NewSeal{
		{Seal: seal.Seal{ID: "quay-3", Kind: seal.Counter, Name: clerk, Line: Counter, Organisation: "Điện lực Bắc Giang"}},
		{Seal: seal.Seal{ID: "nghiep-vu", Kind: seal.Business, Name: "CÔNG TY MẪU", Geometry: "vn-company", Organisation: "Điện lực Bắc Giang"}, OrganisationID: "0199990004"},
		{Seal: seal.Seal{ID: "don-vi", Kind: seal.Unit, Name: "CÔNG TY MẪU", Geometry: "vn-company", Organisation: "Điện lực Bắc Giang"}, OrganisationID: "0199990011"},
	} {
		request, err := a.keeper.Request(ctx, n.ID, false)
		must(t, err)
		n.Chain, err = s.CertifySeal(ctx, n, request)
		must(t, err)
		must(t, a.keeper.Add(ctx, n.Seal, false))
		for _, who := range []string{StaffID, headID} {
			must(t, a.keeper.Grant(ctx, seal.Grant{Seal: n.ID, Clerk: who, Service: "*", Paper: "118/QĐ", From: from}))
		}
	}
	must(t, a.keeper.Rule(ctx, seal.Rule{Seal: "don-vi", Service: "*", From: 0, Paper: "3/QĐ"}))
	must(t, built.Close())
	a.serve(t)
	t.Cleanup(func() { must(t, a.server.Close()) })
	a.office = &office{clock: built.clock, log: built.log}
	a.World, err = Reopen(ctx, dir, Choices{Cost: cheap, Clock: built.clock, Log: slog.New(slog.NewJSONHandler(built.log, nil)), Sealer: sealer.Dial("unix:"+a.socket, nil)})
	must(t, err)
	t.Cleanup(func() { must(t, a.Close()) })
	return a
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// serve lets the sealer listen.
func (a *apart) serve(t *testing.T) {
	t.Helper()
	l, err := net.Listen("unix", a.socket)
	must(t, err)
	a.server = &http.Server{Handler: sealer.Handler(a.keeper, slog.New(slog.DiscardHandler)), ReadHeaderTimeout: time.Minute}
	go func() { _ = a.server.Serve(l) }()
}

// enter signs somebody in by their password, and has their key enrolled.
func (a *apart) enter(t *testing.T, user, counter string) *api.Clerk {
	t.Helper()
	c := &api.Clerk{Client: a.Client(), Unit: Unit, Counter: counter}
	_, err := c.SignIn(t.Context(), user, Password)
	must(t, err)
	staff, public, err := a.Service.OwnKey(t.Context(), user)
	must(t, err)
	must(t, a.keeper.Enroll(t.Context(), seal.Signatory{Staff: staff, Public: public, Paper: "12/QĐ", From: a.clock.Now().Add(-time.Second)}))
	return c
}

// desk brings an order to where only its seals are missing.
func (a *apart) desk(t *testing.T) *desk {
	t.Helper()
	d := a.sitAt(t, Counter, a.newCustomer(t, 1))
	d.Clerk = a.enter(t, User, Counter)
	return d.to("confirm")
}

func (a *apart) booked(t *testing.T) map[seal.State]int {
	t.Helper()
	uses, err := a.keeper.Uses(t.Context(), morning().AddDate(0, 0, -1), morning().AddDate(1, 0, 0))
	must(t, err)
	out := map[seal.State]int{}
	for _, u := range uses {
		out[u.State]++
	}
	return out
}

func TestASealInAnotherProcessNeedsTheSignaturesOfTwoPeopleAndTheReportAgrees(t *testing.T) {
	a := openApart(t)
	d := a.desk(t)
	_, err := d.Clerk.Seal(d.ctx, d.key(), d.lastFour())
	refused(t, err, "seal.second")
	_, err = d.Clerk.ApproveSeals(d.ctx, d.key(), d.lastFour())
	refused(t, err, "order.same_person")
	second := a.enter(t, head, "9")
	_, err = second.ApproveSeals(d.ctx, d.key(), "0000x")
	refused(t, err, "order.last_four")
	_, err = second.ApproveSeals(d.ctx, d.key(), d.lastFour())
	must(t, err)
	a.clock.Advance(time.Hour) // the second person was there before
	d.to("seal")
	if r := d.passed(); len(r.Signatures) != 4 {
		t.Errorf("the work order has %d signatures", len(r.Signatures))
	}
	if b := a.booked(t); b[seal.Done] != 3 || len(b) != 1 {
		t.Errorf("the book has %v", b)
	}
	today := a.clock.Now().In(clock.Vietnam).Format(time.DateOnly)
	r, err := a.Service.SealReport(d.ctx, today)
	if err != nil || !r.OK() || r.Orders != 1 || r.Done != 3 || r.Uses != 3 {
		t.Fatalf("the report is %+v, %v", r, err)
	}
	// Somebody changes the order's record: one use has no order any more, and the order bears one that nobody booked.
	o := d.stored()
	must(t, a.Service.Store.Update(d.ctx, func(tx kiosk.Tx) error {
		o.Seals[2].Number = 77
		return tx.PutOrder(o)
	}))
	r, err = a.Service.SealReport(d.ctx, today)
	if err != nil || r.OK() || len(r.WithoutOrder) != 1 || r.WithoutOrder[0].Seal != "don-vi" || len(r.WithoutSeal) != 1 || r.WithoutSeal[0].Number != 77 {
		t.Errorf("the report is %+v, %v", r, err)
	}
	must(t, a.Service.Store.Update(d.ctx, func(tx kiosk.Tx) error {
		o.Document.FinalSHA256 = o.Document.BaseSHA256
		return tx.PutOrder(o)
	}))
	if r, err = a.Service.SealReport(d.ctx, today); err != nil || len(r.WithoutOrder) != 3 {
		t.Errorf("the report is %+v, %v", r, err)
	}
}

func TestAnOrderWaitsWhileTheSealersProcessIsAway(t *testing.T) {
	a := openApart(t)
	must(t, a.keeper.Rule(t.Context(), seal.Rule{Seal: "don-vi", Service: "*", Paper: "3/QĐ", Ended: true}))
	d := a.desk(t)
	must(t, a.server.Close())
	_, err := d.Clerk.Seal(d.ctx, d.key(), d.lastFour())
	refused(t, err, "seal.away")
	for _, p := range d.look().Plan {
		if !p.Away && p.Role != "customer" {
			t.Errorf("the clerk is not told that %s is away", p.Role)
		}
	}
	links, _, err := d.Clerk.Links(d.ctx)
	must(t, err)
	if i := slices.IndexFunc(links, func(l kiosk.Link) bool { return l.Name == "seal" }); i < 0 || links[i].State != "down" {
		t.Errorf("the links are %+v", links)
	}
	if o := d.stored(); o.State != kiosk.Confirmed || len(o.Seals) > 0 || len(a.booked(t)) > 0 {
		t.Errorf("the order is %s, the book %v", o.State, a.booked(t))
	}
	a.serve(t)
	d.to("seal")
	d.passed()
	if b := a.booked(t); b[seal.Done] != 3 || len(b) != 1 {
		t.Errorf("the book has %v", b)
	}
}

// errStolen is what becomes of a sealed document that must never come.
var errStolen = errors.New("a sealed document left the sealer")

// TestWhoWritesTheCountersDatabaseButHoldsNoKeySealsNothing is T15: the attacker may write every record, opened by the
// vault even, and speaks to the sealer as the counters do; what is missing is what the clerks know.
func TestWhoWritesTheCountersDatabaseButHoldsNoKeySealsNothing(t *testing.T) {
	a := openApart(t)
	must(t, a.keeper.Rule(t.Context(), seal.Rule{Seal: "don-vi", Service: "*", Paper: "3/QĐ", Ended: true}))
	d := a.desk(t)
	write := func(fn func(tx kiosk.Tx) error) { t.Helper(); must(t, a.Service.Store.Update(d.ctx, fn)) }
	try := func(c *api.Clerk, code string) {
		t.Helper()
		_, err := c.Seal(d.ctx, d.key(), d.lastFour())
		refused(t, err, code)
	}
	session := func(counter, token string, key []byte) *api.Clerk {
		t.Helper()
		write(func(tx kiosk.Tx) error {
			return tx.PutSession(&kiosk.Session{TokenSHA256: kiosk.TokenSHA256(token), Kind: "clerk", User: User, Unit: Unit, Counter: counter,
				Opened: a.clock.Now(), Seen: a.clock.Now(), OwnKey: key})
		})
		c := &api.Clerk{Client: a.Client(), Unit: Unit, Counter: counter}
		c.SetToken(token)
		return c
	}
	t.Run("a session is written for the clerk", func(t *testing.T) {
		a.clock.Advance(time.Second) // the clerk's name was not ended before it
		try(session("7", "a token of the attacker's", nil), "key.own")
	})
	t.Run("a session is written with the clerk's locked key", func(t *testing.T) {
		var key []byte
		must(t, a.Service.Store.View(d.ctx, func(tx kiosk.Tx) error {
			u, err := tx.User(User)
			if err == nil {
				key = u.OwnKey
			}
			return err
		}))
		try(session("8", "another token of theirs", key), "key.own")
	})
	t.Run("the clerk's password is replaced", func(t *testing.T) {
		hash, err := cheap.Hash("Khac9@BacGiang", rand.Reader)
		must(t, err)
		write(func(tx kiosk.Tx) error {
			u, err := tx.User(User)
			if err == nil {
				u.Password = hash
				err = tx.PutUser(u)
			}
			return err
		})
		c := &api.Clerk{Client: a.Client(), Unit: Unit, Counter: "6"}
		_, err = c.SignIn(d.ctx, User, "Khac9@BacGiang")
		must(t, err) // the attacker is in, with a new key that nobody has enrolled
		try(c, "seal.unsigned")
	})
	t.Run("the sealer is asked without the counters", func(t *testing.T) {
		signed := d.stored()
		var file []byte
		must(t, a.Service.Store.View(d.ctx, func(tx kiosk.Tx) (err error) {
			file, err = tx.Document(signed.Confirm.SignedID)
			return err
		}))
		own, err := seal.NewHand(StaffID)
		must(t, err)
		order := seal.Order{ID: signed.Number, Service: signed.Service, Clerk: seal.Clerk{StaffID: StaffID, Name: clerk, Counter: Counter}, Document: file,
			Seals: []string{"quay-3", "nghiep-vu", "don-vi"}}
		order.Consent.Signed = sha256.Sum256(file)
		for text, to := range map[string]*[32]byte{signed.Document.BaseSHA256: &order.Consent.Base, signed.Confirm.Evidence: &order.Consent.Evidence} {
			if _, err := hex.Decode(to[:], []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		order.Asked, err = own.Approve(seal.Statement{Act: seal.Ask, Order: order.ID, Service: order.Service, Document: order.Consent.Signed, Seals: order.Seals, At: a.clock.Now()})
		must(t, err)
		order.Keep = func(context.Context, seal.Result) error { return errStolen }
		_, err = a.Service.Options.Sealer.Apply(d.ctx, order)
		refused(t, err, "seal.unsigned")
	})
	if b := a.booked(t); len(b) > 0 {
		t.Errorf("the book has %v", b)
	}
}
