// Package storetest is the contract of kiosk.Store as tests: every database engine must pass the same suite.
//
// An engine's test calls Run with a function that opens a new, empty store. Start reading at Run.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/kiosk"
)

// Open returns a new, empty store that lives as long as the test.
type Open func(t *testing.T) kiosk.Store

// Run checks the whole contract.
func Run(t *testing.T, open Open) {
	parts := map[string]func(t *testing.T, s kiosk.Store){
		"an order is stored once under its key and found by key, number and verify code": orderFound,
		"an order that somebody else changed is not overwritten":                         orderConflict,
		"numbers are drawn without gaps, each unit, day and series by itself":            numbers,
		"orders are listed by unit, state and time":                                      orderLists,
		"the last finished order of a customer is found":                                 lastOrder,
		"a visit is stored and listed newest first":                                      visits,
		"a customer is found by every number exactly":                                    customerNumbers,
		"a customer is found by the beginnings of the name without diacritics":           customerNames,
		"a customer's new name and number replace the old ones in the search":            customerChanged,
		"a customer that somebody else changed is not overwritten":                       customerConflict,
		"users and sessions are stored":                                                  staff,
		"certificates are found by what the register is asked for":                       certificates,
		"documents come back byte for byte":                                              documents,
		"of parallel answers to one challenge exactly one wins":                          challengeWinner,
		"handwriting that was taken for one order is not taken for another":              writings,
		"challenges of an account are counted":                                           challengesOf,
		"a job is added once under its key":                                              enqueueOnce,
		"an update that fails leaves nothing":                                            failedUpdate,
		"an update that panics leaves nothing and the store works on":                    panickedUpdate,
		"an update that ends its goroutine leaves nothing and the store works on":        exitedUpdate,
		"an update that shares a commit with a failing one is whole":                     sharedCommit,
		"an update whose context has ended does not run":                                 cancelledUpdate,
		"a transaction is of no use after its function":                                  usedAfter,
		"a view sees one picture and can't write":                                        viewOnly,
		"journal entries are numbered without gaps, also after updates that failed":      journalNumbers,
	}
	for name, part := range parts {
		t.Run(name, func(t *testing.T) { part(t, open(t)) })
	}
}

// day is when the tests happen: 2026-11-21 09:00 in Vietnam.
var day = time.Date(2026, 11, 21, 9, 0, 0, 0, clock.Vietnam)

func update(t *testing.T, s kiosk.Store, fn func(kiosk.Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func view(t *testing.T, s kiosk.Store, fn func(kiosk.Tx) error) {
	t.Helper()
	if err := s.View(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if !fault.Is(err, code) {
		t.Errorf("error %v, want %s", err, code)
	}
}

func failedUpdate(t *testing.T, s kiosk.Store) {
	broken := errors.New("no")
	err := s.Update(context.Background(), func(tx kiosk.Tx) error {
		if err := tx.PutOrder(order("a")); err != nil {
			return err
		}
		if _, err := tx.NextNumber("PA0505", "2026-11-21"); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
	nothing(t, s)
}

// nothing checks that order a was not stored and no number drawn, and that the store still takes updates.
func nothing(t *testing.T, s kiosk.Store) {
	t.Helper()
	update(t, s, func(tx kiosk.Tx) error {
		_, err := tx.Order("a")
		wantCode(t, err, "store.not_found")
		n, err := tx.NextNumber("PA0505", "2026-11-21")
		if n != 1 {
			t.Errorf("the next number is %d, want 1", n)
		}
		return err
	})
}

func panickedUpdate(t *testing.T, s kiosk.Store) {
	func() {
		defer func() {
			if p := recover(); p != "dropped" {
				t.Errorf("recovered %v in the caller", p)
			}
		}()
		_ = s.Update(context.Background(), func(tx kiosk.Tx) error {
			if err := tx.PutOrder(order("a")); err != nil {
				return err
			}
			panic("dropped")
		})
	}()
	nothing(t, s)
}

func exitedUpdate(t *testing.T, s kiosk.Store) {
	var wait sync.WaitGroup
	// t.FailNow and its like end the goroutine in the middle of the function; Goexit stands for them.
	wait.Go(func() {
		_ = s.Update(context.Background(), func(tx kiosk.Tx) error {
			if err := tx.PutOrder(order("a")); err != nil {
				return err
			}
			goexit()
			return nil
		})
	})
	wait.Wait()
	nothing(t, s)
}

// sharedCommit holds the writer while others queue up, so that they are sure to share one commit.
func sharedCommit(t *testing.T, s kiosk.Store) {
	const many = 30
	started, release := make(chan struct{}), make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		update(t, s, func(kiosk.Tx) error {
			close(started)
			<-release
			return nil
		})
	})
	<-started
	errs := make([]error, many)
	var queued sync.WaitGroup
	for i := range many {
		queued.Add(1)
		wait.Go(func() {
			queued.Done()
			errs[i] = s.Update(context.Background(), func(tx kiosk.Tx) error {
				if err := tx.PutOrder(order(fmt.Sprintf("o%02d", i))); err != nil {
					return err
				}
				if _, err := tx.Append(entry(fmt.Sprint(i))); err != nil {
					return err
				}
				if i%3 == 0 {
					return fmt.Errorf("update %d gives up", i)
				}
				return nil
			})
		})
	}
	queued.Wait()
	close(release)
	wait.Wait()
	for i, err := range errs {
		if (err != nil) != (i%3 == 0) {
			t.Errorf("update %d: %v", i, err)
		}
	}
	update(t, s, func(tx kiosk.Tx) error {
		for i := range many {
			_, err := tx.Order(fmt.Sprintf("o%02d", i))
			if (err != nil) != (i%3 == 0) {
				t.Errorf("order %d: %v", i, err)
			}
		}
		n, err := tx.Append(entry("last"))
		if n != many*2/3 {
			t.Errorf("the journal's next entry is %d, want %d", n, many*2/3)
		}
		return err
	})
}

func cancelledUpdate(t *testing.T, s kiosk.Store) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := s.Update(ctx, func(tx kiosk.Tx) error {
		t.Error("it ran")
		return tx.PutOrder(order("a"))
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	nothing(t, s)
}

func usedAfter(t *testing.T, s kiosk.Store) {
	var kept kiosk.Tx
	update(t, s, func(tx kiosk.Tx) error {
		kept = tx
		return nil
	})
	if err := kept.PutOrder(order("a")); err == nil {
		t.Error("a finished update wrote")
	}
	view(t, s, func(tx kiosk.Tx) error {
		kept = tx
		return nil
	})
	if _, err := kept.Order("a"); err == nil || fault.Is(err, "store.not_found") {
		t.Errorf("a finished view read: %v", err)
	}
	nothing(t, s)
}

func viewOnly(t *testing.T, s kiosk.Store) {
	update(t, s, func(tx kiosk.Tx) error { return tx.PutOrder(order("a")) })
	view(t, s, func(tx kiosk.Tx) error {
		if err := tx.PutOrder(order("b")); err == nil {
			t.Error("a view wrote an order")
		}
		if _, err := tx.NextNumber("PA0505", "2026-11-21"); err == nil {
			t.Error("a view drew a number")
		}
		if _, err := tx.Append(entry("x")); err == nil {
			t.Error("a view appended to the journal")
		}
		if _, err := tx.Order("a"); err != nil {
			return err
		}
		// The picture was taken by the read above; what is committed now is not in it.
		update(t, s, func(tx kiosk.Tx) error { return tx.PutOrder(order("c")) })
		_, err := tx.Order("c")
		wantCode(t, err, "store.not_found")
		return nil
	})
	view(t, s, func(tx kiosk.Tx) error {
		_, err := tx.Order("c")
		return err
	})
}

func journalNumbers(t *testing.T, s kiosk.Store) {
	for i := range 40 {
		err := s.Update(context.Background(), func(tx kiosk.Tx) error {
			for j := range 1 + i%3 {
				if _, err := tx.Append(entry(fmt.Sprint(i, j))); err != nil {
					return err
				}
			}
			if i%2 == 1 {
				return errors.New("rolled back")
			}
			return nil
		})
		if (err != nil) != (i%2 == 1) {
			t.Fatal(i, err)
		}
	}
	want := int64(0)
	for i := 0; i < 40; i += 2 {
		want += int64(1 + i%3)
	}
	update(t, s, func(tx kiosk.Tx) error {
		n, err := tx.Append(entry("last"))
		if n != want {
			t.Errorf("entry %d, want %d", n, want)
		}
		return err
	})
}
