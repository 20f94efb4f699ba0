package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"countersign/internal/fault"
	"countersign/internal/job"
	"countersign/kiosk"
	"countersign/kiosk/catalog"
	"countersign/signing/journal"
	"countersign/signing/otp"
)

func goexit() { runtime.Goexit() }

func entry(subject string) journal.Entry {
	return journal.Entry{At: day, Actor: "lan", Role: "clerk", Place: "PA0505/03", Act: "order.put", Subject: subject}
}

func order(key string) *kiosk.Order {
	return &kiosk.Order{
		Key: key, Unit: "PA0505", Counter: "03", Customer: "PA05050000017", Service: "11", Language: "vi",
		State: kiosk.Draft, Created: day, Updated: day,
		Values: catalog.Values{"name": {Text: "Nguyễn Văn Thử"}},
	}
}

func orderFound(t *testing.T, s kiosk.Store) {
	a, b := order("a"), order("b")
	a.Number, a.Document.VerifyCode = "WO-PA0505-20261121-000001", "K7QM-42XD"
	update(t, s, func(tx kiosk.Tx) error { return errors.Join(tx.PutOrder(a), tx.PutOrder(b)) })
	if a.Rev != 1 || b.Rev != 1 {
		t.Errorf("revs %d and %d after the first put", a.Rev, b.Rev)
	}
	view(t, s, func(tx kiosk.Tx) error {
		byKey, err1 := tx.Order("a")
		byNumber, err2 := tx.OrderByNumber("WO-PA0505-20261121-000001")
		byCode, err3 := tx.OrderByVerifyCode("K7QM-42XD")
		if err := errors.Join(err1, err2, err3); err != nil {
			return err
		}
		for _, got := range []*kiosk.Order{byKey, byNumber, byCode} {
			if got.Key != "a" || got.Rev != 1 || got.Values["name"].Text != "Nguyễn Văn Thử" || !got.Created.Equal(day) {
				t.Errorf("got %+v", got)
			}
		}
		_, err := tx.OrderByVerifyCode("K7QM-42XE")
		wantCode(t, err, "store.not_found")
		_, err = tx.OrderByNumber("")
		wantCode(t, err, "store.not_found")
		_, err = tx.OrderByVerifyCode("")
		wantCode(t, err, "store.not_found")
		return nil
	})
	twin := order("c")
	twin.Number = a.Number
	wantCode(t, s.Update(context.Background(), func(tx kiosk.Tx) error { return tx.PutOrder(twin) }), "store.conflict")
	wantCode(t, s.Update(context.Background(), func(tx kiosk.Tx) error { return tx.PutOrder(order("a")) }), "store.conflict")
}

func orderConflict(t *testing.T, s kiosk.Store) {
	update(t, s, func(tx kiosk.Tx) error { return tx.PutOrder(order("a")) })
	var mine, hers *kiosk.Order
	view(t, s, func(tx kiosk.Tx) (err error) {
		mine, err = tx.Order("a")
		return err
	})
	view(t, s, func(tx kiosk.Tx) (err error) {
		hers, err = tx.Order("a")
		return err
	})
	hers.Values["name"] = catalog.Value{Text: "Trần Thị Mẫu"}
	update(t, s, func(tx kiosk.Tx) error { return tx.PutOrder(hers) })
	mine.Values["name"] = catalog.Value{Text: "Lê Thử"}
	err := s.Update(context.Background(), func(tx kiosk.Tx) error { return tx.PutOrder(mine) })
	wantCode(t, err, "store.conflict")
	if fault.KindOf(err) != fault.Conflict || mine.Rev != 1 {
		t.Errorf("kind %s, rev %d", fault.KindOf(err), mine.Rev)
	}
	view(t, s, func(tx kiosk.Tx) error {
		got, err := tx.Order("a")
		if err == nil && (got.Values["name"].Text != "Trần Thị Mẫu" || got.Rev != 2) {
			t.Errorf("stored %q at rev %d", got.Values["name"].Text, got.Rev)
		}
		return err
	})
}

func numbers(t *testing.T, s kiosk.Store) {
	var wait sync.WaitGroup
	var mu sync.Mutex
	seen := map[int]bool{}
	for i := range 40 {
		wait.Go(func() {
			var n int
			err := s.Update(context.Background(), func(tx kiosk.Tx) (err error) {
				if n, err = tx.NextNumber("PA0505", "2026-11-21"); err == nil && i%4 == 3 {
					err = errors.New("given back")
				}
				return err
			})
			if err == nil {
				mu.Lock()
				seen[n] = true
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	for n := 1; n <= 30; n++ {
		if !seen[n] {
			t.Errorf("number %d was not drawn; %d were", n, len(seen))
		}
	}
	update(t, s, func(tx kiosk.Tx) error {
		a, err1 := tx.NextNumber("PA0505", "2026-11-22")
		b, err2 := tx.NextNumber("PA0506", "2026-11-21")
		c, err3 := tx.NextVisit("PA0505", "2026-11-21")
		d, err4 := tx.NextNumber("PA0505", "2026-11-21")
		if a != 1 || b != 1 || c != 1 || d != 31 {
			t.Errorf("drew %d %d %d %d", a, b, c, d)
		}
		return errors.Join(err1, err2, err3, err4)
	})
}

func keys(list []*kiosk.Order) string {
	out := ""
	for _, o := range list {
		out += o.Key + " "
	}
	return out
}

func orderLists(t *testing.T, s kiosk.Store) {
	states := []kiosk.State{kiosk.Draft, kiosk.Closed, kiosk.Confirming, kiosk.Cancelled, kiosk.Sealed}
	update(t, s, func(tx kiosk.Tx) error {
		for i, state := range states {
			o := order(fmt.Sprintf("k%d", i))
			o.State, o.Created = state, day.Add(time.Duration(i)*time.Hour)
			if i < 2 {
				o.Customer = "PA05050000999"
			}
			if i == 4 {
				o.Created = day.Add(-time.Hour)
			}
			if err := tx.PutOrder(o); err != nil {
				return err
			}
		}
		other := order("other")
		other.Unit = "PA0506"
		return tx.PutOrder(other)
	})
	view(t, s, func(tx kiosk.Tx) error {
		open, err1 := tx.OpenOrders("PA0505")
		if keys(open) != "k4 k0 k2 " {
			t.Errorf("open: %s", keys(open))
		}
		if one, err := tx.OpenOrdersOf("PA05050000999"); err != nil || keys(one) != "k0 " {
			t.Errorf("open of one customer: %s, %v", keys(one), err)
		}
		all, err2 := tx.ListOrders("PA0505", day, day.Add(3*time.Hour), 10)
		if keys(all) != "k2 k1 k0 " {
			t.Errorf("created in the time: %s", keys(all))
		}
		two, err3 := tx.ListOrders("PA0505", day.Add(-24*time.Hour), day.Add(24*time.Hour), 2)
		if keys(two) != "k3 k2 " {
			t.Errorf("the two newest: %s", keys(two))
		}
		return errors.Join(err1, err2, err3)
	})
}

func lastOrder(t *testing.T, s kiosk.Store) {
	update(t, s, func(tx kiosk.Tx) error {
		for i, state := range []kiosk.State{kiosk.Closed, kiosk.Sealed, kiosk.Draft, kiosk.Cancelled} {
			o := order(fmt.Sprintf("k%d", i))
			o.State, o.Created = state, day.Add(time.Duration(i)*time.Hour)
			if i == 1 {
				o.Service = "12"
			}
			if err := tx.PutOrder(o); err != nil {
				return err
			}
		}
		return nil
	})
	view(t, s, func(tx kiosk.Tx) error {
		eleven, err1 := tx.LastOrder("PA05050000017", "11")
		anything, err2 := tx.LastOrder("PA05050000017", "")
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if eleven.Key != "k0" || anything.Key != "k1" {
			t.Errorf("last: %s and %s", eleven.Key, anything.Key)
		}
		_, err := tx.LastOrder("PA05050000018", "")
		wantCode(t, err, "store.not_found")
		return nil
	})
}

func visits(t *testing.T, s kiosk.Store) {
	update(t, s, func(tx kiosk.Tx) error {
		for i := 1; i <= 3; i++ {
			v := &kiosk.Visit{Key: fmt.Sprintf("v%d", i), Unit: "PA0505", Day: "2026-11-21", Serial: i, Name: "Lê Thị Thử", Opened: day}
			if err := tx.PutVisit(v); err != nil {
				return err
			}
		}
		return tx.PutVisit(&kiosk.Visit{Key: "v1", Unit: "PA0505", Day: "2026-11-21", Serial: 1, Name: "Lê Thị Mẫu", Orders: []string{"a"}})
	})
	view(t, s, func(tx kiosk.Tx) error {
		v, err := tx.Visit("v1")
		if err != nil {
			return err
		}
		if v.Name != "Lê Thị Mẫu" || len(v.Orders) != 1 {
			t.Errorf("visit %+v", v)
		}
		list, err := tx.VisitsOfDay("PA0505", "2026-11-21")
		if len(list) != 3 || list[0].Key != "v3" || list[2].Key != "v1" {
			t.Errorf("visits: %+v", list)
		}
		_, none := tx.Visit("v9")
		wantCode(t, none, "store.not_found")
		return err
	})
}

func staff(t *testing.T, s kiosk.Store) {
	u := &kiosk.User{Name: "lan", FullName: "Phạm Thị Lan Thử", Unit: "PA0505", Roles: []kiosk.Role{kiosk.RoleClerk}}
	update(t, s, func(tx kiosk.Tx) error {
		return errors.Join(tx.PutUser(u), tx.PutUser(&kiosk.User{Name: "binh"}),
			tx.PutSession(&kiosk.Session{TokenSHA256: "t1", Kind: "clerk", User: "lan", Unit: "PA0505", Counter: "03", Opened: day}),
			tx.PutSession(&kiosk.Session{TokenSHA256: "t2", Kind: "clerk", User: "binh", Unit: "PA0505", Counter: "03", Opened: day.Add(time.Hour)}),
			tx.PutSession(&kiosk.Session{TokenSHA256: "t3", Kind: "display", Unit: "PA0505", Counter: "03", Opened: day.Add(2 * time.Hour)}),
			tx.PutSession(&kiosk.Session{TokenSHA256: "t1", Kind: "clerk", User: "lan", Unit: "PA0505", Counter: "03", Opened: day, Locked: true}))
	})
	stale := *u
	u.Failures = 2
	update(t, s, func(tx kiosk.Tx) error { return tx.PutUser(u) })
	wantCode(t, s.Update(context.Background(), func(tx kiosk.Tx) error { return tx.PutUser(&stale) }), "store.conflict")
	wantCode(t, s.Update(context.Background(), func(tx kiosk.Tx) error { return tx.PutUser(&kiosk.User{Name: "lan"}) }), "store.conflict")
	view(t, s, func(tx kiosk.Tx) error {
		got, err := tx.User("lan")
		if err != nil {
			return err
		}
		if got.Failures != 2 || got.Rev != 2 || !got.Has(kiosk.RoleClerk) {
			t.Errorf("user %+v", got)
		}
		all, err := tx.Users()
		if len(all) != 2 || all[0].Name != "binh" || all[1].Rev != 2 {
			t.Errorf("users %+v", all)
		}
		if err != nil {
			return err
		}
		newest, err := tx.CounterSession("PA0505", "03")
		if err != nil {
			return err
		}
		first, err := tx.Session("t1")
		if err == nil && (newest.TokenSHA256 != "t2" || !first.Locked) {
			t.Errorf("sessions %+v and %+v", newest, first)
		}
		return err
	})
	update(t, s, func(tx kiosk.Tx) error { return errors.Join(tx.DeleteSession("t2"), tx.DeleteSession("t2")) })
	view(t, s, func(tx kiosk.Tx) error {
		_, gone := tx.Session("t2")
		wantCode(t, gone, "store.not_found")
		newest, err := tx.CounterSession("PA0505", "03")
		if err == nil && newest.TokenSHA256 != "t1" {
			t.Errorf("session %+v", newest)
		}
		return err
	})
}

func documents(t *testing.T, s kiosk.Store) {
	big := bytes.Repeat([]byte("%PDF "), 400_000)
	update(t, s, func(tx kiosk.Tx) error {
		return errors.Join(tx.PutDocument("d1", "a", "final", big), tx.PutDocument("d2", "a", "portrait", nil),
			tx.PutDocument("d3", "a", "read", []byte("old")), tx.PutDocument("d3", "a", "read", []byte("new")))
	})
	view(t, s, func(tx kiosk.Tx) error {
		one, err1 := tx.Document("d1")
		two, err2 := tx.Document("d2")
		three, err3 := tx.Document("d3")
		if !bytes.Equal(one, big) || len(two) != 0 || string(three) != "new" {
			t.Errorf("documents of %d, %d bytes, and %q", len(one), len(two), three)
		}
		return errors.Join(err1, err2, err3)
	})
	update(t, s, func(tx kiosk.Tx) error { return errors.Join(tx.DeleteDocument("d1"), tx.DeleteDocument("d9")) })
	view(t, s, func(tx kiosk.Tx) error {
		_, err := tx.Document("d1")
		wantCode(t, err, "store.not_found")
		return nil
	})
}

func challenge(t *testing.T, id, account string, at time.Time) (*otp.Challenge, string) {
	t.Helper()
	c, code, err := otp.Issue(otp.Terms{ID: id, Account: account, Order: "a", Purpose: "test", Channel: otp.Mail, Address: "t***@mau.example",
		Document: sha256.Sum256([]byte("document")), Content: sha256.Sum256([]byte("content"))},
		bytes.Repeat([]byte{7}, 32), bytes.NewReader(bytes.Repeat([]byte{9}, 64)), at)
	if err != nil {
		t.Fatal(err)
	}
	return &c, code
}

func challengeWinner(t *testing.T, s kiosk.Store) {
	c, code := challenge(t, "c1", "PA05050000017", day)
	update(t, s, func(tx kiosk.Tx) error { return tx.PutChallenge(c) })
	var ready, wait sync.WaitGroup
	var won, lost atomic.Int32
	const many = 20
	ready.Add(many)
	for range many {
		wait.Go(func() {
			// Everybody has read the open challenge before anybody writes.
			var read *otp.Challenge
			view(t, s, func(tx kiosk.Tx) (err error) {
				read, err = tx.Challenge("c1")
				return err
			})
			ready.Done()
			ready.Wait()
			if err := read.Check(code, c.Document, bytes.Repeat([]byte{7}, 32), day.Add(time.Minute)); err != nil {
				t.Error(err)
			}
			err := s.Update(context.Background(), func(tx kiosk.Tx) error { return tx.PutChallenge(read) })
			switch {
			case err == nil:
				won.Add(1)
			case fault.Is(err, "store.conflict"):
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if won.Load() != 1 || lost.Load() != many-1 {
		t.Errorf("%d won, %d lost", won.Load(), lost.Load())
	}
	view(t, s, func(tx kiosk.Tx) error {
		got, err := tx.Challenge("c1")
		if err == nil && (got.State != otp.Used || got.Rev != c.Rev+1) {
			t.Errorf("challenge %+v", got)
		}
		return err
	})
}

func challengesOf(t *testing.T, s kiosk.Store) {
	update(t, s, func(tx kiosk.Tx) error {
		for i := range 4 {
			account := "PA05050000017"
			if i == 3 {
				account = "PA05050000018"
			}
			c, _ := challenge(t, fmt.Sprintf("c%d", i), account, day.Add(time.Duration(i)*time.Hour))
			if err := tx.PutChallenge(c); err != nil {
				return err
			}
		}
		return nil
	})
	view(t, s, func(tx kiosk.Tx) error {
		list, err := tx.ChallengesOf("PA05050000017", day.Add(time.Hour))
		if len(list) != 2 || list[0].ID != "c1" || list[1].ID != "c2" {
			t.Errorf("challenges %+v", list)
		}
		_, none := tx.Challenge("c9")
		wantCode(t, none, "store.not_found")
		return err
	})
}

func enqueueOnce(t *testing.T, s kiosk.Store) {
	update(t, s, func(tx kiosk.Tx) error {
		j := job.Job{Key: "handover:a", Kind: "handover", Order: "a", Payload: []byte(`{}`)}
		return errors.Join(tx.Enqueue(j), tx.Enqueue(j))
	})
	update(t, s, func(tx kiosk.Tx) error {
		if err := tx.Enqueue(job.Job{Kind: "handover"}); err == nil {
			t.Error("a job without a key was added")
		}
		return nil
	})
}

// sameCustomer compares without the revision.
func sameCustomer(a, b kiosk.Customer) bool {
	a.Rev, b.Rev = 0, 0
	return reflect.DeepEqual(a, b)
}

func writings(t *testing.T, s kiosk.Store) {
	put := func(print, order string) error {
		return s.Update(context.Background(), func(tx kiosk.Tx) error { return tx.PutWriting(print, order) })
	}
	for range 2 { // the same order may hand the same strokes in again, after a failure in between
		if err := put("a hand", "order 1"); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, put("a hand", "order 2"), "store.conflict")
	if err := put("another hand", "order 2"); err != nil {
		t.Error(err)
	}
	// What was refused left nothing, and what was taken stays.
	wantCode(t, put("another hand", "order 1"), "store.conflict")
}
