package store

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"reflect"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/signing/seal"
)

// The store stands in these places of the seal service.
var (
	_ seal.Book     = Book{}
	_ seal.Register = Register{}
	_ seal.Policy   = Register{}
	_ seal.Holder   = Holder{}
)

var morning = time.Date(2026, 11, 21, 9, 0, 0, 0, clock.Vietnam)

func TestOfParallelIntentsForOneOrderExactlyOneGetsThrough(t *testing.T) {
	s := open(t, t.TempDir())
	var wait sync.WaitGroup
	var got atomic.Int32
	for range 20 {
		wait.Go(func() {
			_, err := s.Book().Intent(context.Background(), seal.Use{Seal: "s1", Order: "a", At: morning})
			switch {
			case err == nil:
				got.Add(1)
			case !fault.Is(err, "seal.busy"):
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if got.Load() != 1 {
		t.Errorf("%d got through", got.Load())
	}
}

func TestUsesAreNumberedByYearVoidOnesCounted(t *testing.T) {
	s := open(t, t.TempDir())
	ctx, b := context.Background(), s.Book()
	intend := func(order, id string, at time.Time, want int64) seal.Use {
		t.Helper()
		u := seal.Use{Seal: id, Order: order, Clerk: "PC-0417", Paper: "118/QĐ-PCBG", Document: [32]byte{1}, At: at}
		n, err := b.Intent(ctx, u)
		if err != nil || len(n) != 1 || n[0] != want {
			t.Fatalf("number %d, want %d: %v", n, want, err)
		}
		u.Number = n[0]
		return u
	}
	first := intend("a", "s1", morning, 1)
	if err := b.Failed(ctx, first, "the document was not kept", morning); err != nil {
		t.Fatal(err)
	}
	second := intend("a", "s1", morning, 2)
	intend("a", "s2", morning, 1)
	intend("b", "s1", morning.AddDate(0, 2, 0), 1)
	// Still 2026 in UTC, already 2027 at the counter.
	intend("c", "s1", time.Date(2026, 12, 31, 18, 0, 0, 0, time.UTC), 2)

	if err := b.Done(ctx, [32]byte{7}, morning, second); err != nil {
		t.Fatal(err)
	}
	if err := b.Done(ctx, [32]byte{7}, morning, second); err != nil {
		t.Errorf("done again: %v", err)
	}
	if err := b.Done(ctx, [32]byte{8}, morning, second); !fault.Is(err, "store.conflict") {
		t.Errorf("done with another document: %v", err)
	}
	if err := b.Failed(ctx, second, "", morning); !fault.Is(err, "store.conflict") {
		t.Errorf("voided after it was done: %v", err)
	}
	if _, err := b.Intent(ctx, seal.Use{Seal: "s1", Order: "a", At: morning}); !fault.Is(err, "seal.done") {
		t.Errorf("a second use: %v", err)
	}
	if err := b.Done(ctx, [32]byte{}, morning, seal.Use{Seal: "s1", Order: "a", Number: 9, At: morning}); !fault.Is(err, "store.not_found") {
		t.Errorf("a use that nobody intended: %v", err)
	}
	open, err := b.Open(ctx)
	if err != nil || len(open) != 3 || open[0].Seal != "s2" || open[0].State != seal.Intended || open[0].Document != [32]byte{1} {
		t.Errorf("open: %+v, %v", open, err)
	}
	uses, err := b.Uses(ctx, morning, morning.Add(time.Hour))
	if err != nil || len(uses) != 3 {
		t.Fatalf("uses: %+v, %v", uses, err)
	}
	if u := uses[0]; u.State != seal.Void || u.Reason == "" || u.Number != 1 {
		t.Errorf("the first: %+v", u)
	}
	if u := uses[1]; u.State != seal.Done || u.Result != [32]byte{7} || u.Paper != "118/QĐ-PCBG" {
		t.Errorf("the second: %+v", u)
	}
}

func TestTheUsesOfAnOrderAreWrittenAllOrNone(t *testing.T) {
	s := open(t, t.TempDir())
	ctx, b := context.Background(), s.Book()
	use := func(id, order string) seal.Use { return seal.Use{Seal: id, Order: order, At: morning} }
	if _, err := b.Intent(ctx, use("s2", "a")); err != nil {
		t.Fatal(err)
	}
	if n, err := b.Intent(ctx, use("s1", "a"), use("s2", "a")); !fault.Is(err, "seal.busy") || n != nil {
		t.Errorf("numbers %v although one seal is busy: %v", n, err)
	}
	n, err := b.Intent(ctx, use("s1", "b"), use("s2", "b"))
	if err != nil || len(n) != 2 || n[0] != 1 || n[1] != 2 {
		t.Fatalf("numbers %v: %v", n, err)
	}
	first, second := use("s1", "b"), use("s2", "b")
	first.Number, second.Number = n[0], 9
	if err := b.Done(ctx, [32]byte{7}, morning, first, second); !fault.Is(err, "store.not_found") {
		t.Errorf("done with a use that nobody intended: %v", err)
	}
	if open, err := b.Open(ctx); err != nil || len(open) != 3 {
		t.Errorf("open: %+v, %v", open, err)
	}
}

func TestAnIntentSurvivesTheProcess(t *testing.T) {
	dir := t.TempDir()
	s, err := openQuick(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Book().Intent(context.Background(), seal.Use{Seal: "s1", Order: "a", At: morning}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = openQuick(dir); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if list, err := s.Book().Open(context.Background()); len(list) != 1 || list[0].Number != 1 || err != nil {
		t.Errorf("open: %+v, %v", list, err)
	}
}

func TestSealsKeepTheirCertificatesAndGrantsTheirPaper(t *testing.T) {
	s := open(t, t.TempDir())
	ctx, r := context.Background(), s.Register()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Con dấu thử"}, NotAfter: morning}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	want := seal.Seal{ID: "s1", Name: "ĐIỆN LỰC MẪU THỬ", Kind: seal.Unit, KeyName: "seal-s1", Chain: []*x509.Certificate{cert}}
	if err := r.PutSeal(ctx, want); err != nil {
		t.Fatal(err)
	}
	seals, err := r.Seals(ctx)
	if err != nil || len(seals) != 1 || !reflect.DeepEqual(seals[0].Chain[0].Raw, der) || seals[0].Name != want.Name {
		t.Errorf("seals %+v, %v", seals, err)
	}
	for i := range 2 {
		g := seal.Grant{Seal: "s1", Clerk: "PC-0417", Service: "11", Paper: "118/QĐ-PCBG", From: morning}
		if i == 1 {
			g.Until = morning.Add(time.Hour)
		}
		if err := r.PutGrant(ctx, g); err != nil {
			t.Fatal(err)
		}
		grants, err := r.Grants(ctx)
		if err != nil || len(grants) != 1 || !reflect.DeepEqual(grants[0].Until.IsZero(), i == 0) || grants[0].Paper != g.Paper {
			t.Errorf("%s grants %+v, %v", strconv.Itoa(i), grants, err)
		}
	}
	if r.PutSeal(ctx, seal.Seal{}) == nil || r.PutGrant(ctx, seal.Grant{Seal: "s1"}) == nil {
		t.Error("something without a name was stored")
	}
}
