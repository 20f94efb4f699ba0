package mirror

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"countersign/internal/clock"
	"countersign/kiosk"
	"countersign/kiosk/catalog"
)

// hall is a counter whose state the test sets.
type hall struct {
	mu    sync.Mutex
	st    kiosk.Station
	err   error
	views error
	reads int
}

func (h *hall) Station(context.Context, string, string) (kiosk.Station, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reads++
	return h.st, h.err
}

func (h *hall) View(_ context.Context, st kiosk.Station) (kiosk.OrderView, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return kiosk.OrderView{Order: *st.Order}, h.views
}

func (h *hall) set(change func(*hall)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(h)
}

// stage is a hub over one counter with a form in hand, inside a bubble in which nothing runs by itself.
type stage struct {
	*Hub
	t    *testing.T
	hall *hall
	errs int
}

func bubble(t *testing.T, play func(*stage)) {
	t.Helper()
	s, _ := realCatalog(t).Service("11")
	scene := sceneOf(t, s, kiosk.Draft)
	synctest.Test(t, func(t *testing.T) {
		h := &hall{st: kiosk.Station{Unit: scene.Unit, Counter: "3", Clerk: scene.Clerk, Present: true, Lang: "vi", Order: scene.Order, Service: s}}
		b := &stage{t: t, hall: h}
		b.Hub = &Hub{Hall: h, Source: scene.Source, Clock: clock.At(morning), OnErr: func(error) { b.errs++ }}
		play(b)
	})
}

// watch is a customer's screen and how to switch it off.
func (b *stage) watch() (<-chan Snapshot, context.CancelFunc) {
	ctx, cancel := context.WithCancel(b.t.Context())
	return b.Display(ctx, "PA0505", "3", nil), cancel
}

// next is the newest snapshot once everything has come to rest.
func (b *stage) next(ch <-chan Snapshot) Snapshot {
	b.t.Helper()
	synctest.Wait()
	select {
	case s := <-ch:
		return s
	default:
		b.t.Fatal("nothing was published")
		return Snapshot{}
	}
}

func (b *stage) silent(ch <-chan Snapshot) {
	b.t.Helper()
	synctest.Wait()
	select {
	case s := <-ch:
		b.t.Errorf("snapshot %d was published without a reason", s.Seq)
	default:
	}
}

func row(t *testing.T, s Snapshot, field string) Row {
	t.Helper()
	for _, r := range s.Rows {
		if r.Field == field {
			return r
		}
	}
	t.Fatalf("the snapshot has no row %s", field)
	return Row{}
}

func TestAWatcherGetsTheStateAtOnceAndThenEveryChange(t *testing.T) {
	bubble(t, func(b *stage) {
		ch, stop := b.watch()
		defer stop()
		first := b.next(ch)
		if first.Stage != Form || first.Order != b.hall.st.Order.Key {
			t.Errorf("the first snapshot is %s of order %q", first.Stage, first.Order)
		}
		b.silent(ch)
		b.hall.set(func(h *hall) {
			o := *h.st.Order
			o.State = kiosk.Reading
			h.st.Order = &o
		})
		b.OrderChanged(b.hall.st.Order)
		if second := b.next(ch); second.Stage != Reading || second.Seq <= first.Seq {
			t.Errorf("after the change: %s, number %d after %d", second.Stage, second.Seq, first.Seq)
		}
	})
}

func TestTheLatestStateWinsAndASlowWatcherBlocksNobody(t *testing.T) {
	bubble(t, func(b *stage) {
		slow, stopSlow := b.watch()
		quick, stopQuick := b.watch()
		defer stopSlow()
		defer stopQuick()
		for i := range 100 {
			b.Type("PA0505", "3", Typing{Order: b.hall.st.Order.Key, Field: "phone", Text: fmt.Sprint("0", i), Set: true})
			if got := row(t, b.next(quick), "phone"); got.Value != fmt.Sprint("0", i) {
				t.Fatalf("the quick watcher has %q after %d", got.Value, i)
			}
		}
		if got := row(t, b.next(slow), "phone"); got.Value != "099" {
			t.Errorf("the slow watcher has %q, want the newest", got.Value)
		}
		b.silent(slow)
	})
}

func TestTheNewestStateComesAgainWithEveryBeat(t *testing.T) {
	bubble(t, func(b *stage) {
		beat := make(chan time.Time)
		ctx, cancel := context.WithCancel(b.t.Context())
		defer cancel()
		ch := b.Display(ctx, "PA0505", "3", beat)
		last := b.next(ch)
		for range 5 {
			beat <- morning
			got := b.next(ch)
			if got.Stage != last.Stage || got.Seq <= last.Seq {
				t.Errorf("the beat brought %s, number %d after %d", got.Stage, got.Seq, last.Seq)
			}
			last = got
		}
	})
}

func TestWhatIsTypedShowsUntilTheSavedValueReplacesIt(t *testing.T) {
	bubble(t, func(b *stage) {
		ch, stop := b.watch()
		defer stop()
		b.next(ch)
		key := b.hall.st.Order.Key
		b.Type("PA0505", "3", Typing{Order: key, Field: "phone", Text: "09000", Set: true})
		if r := row(t, b.next(ch), "phone"); r.Value != "09000" || !r.Live || r.Note != "note.typing" {
			t.Errorf("while it is typed the row is %+v", r)
		}
		b.hall.set(func(h *hall) {
			o := *h.st.Order
			o.Values = catalog.Values{"phone": {Text: "0900000018"}}
			h.st.Order = &o
		})
		b.OrderChanged(b.hall.st.Order)
		if r := row(t, b.next(ch), "phone"); r.Value != "0900 000 018" || r.Note == "note.typing" {
			t.Errorf("after the exit the row is %+v", r)
		}
	})
}

func TestTypingEndsWithItsOrder(t *testing.T) {
	bubble(t, func(b *stage) {
		ch, stop := b.watch()
		defer stop()
		b.Type("PA0505", "3", Typing{Order: b.hall.st.Order.Key, Field: "phone", Text: "09000", Set: true})
		b.Digits("PA0505", "3", 4)
		b.next(ch)
		b.hall.set(func(h *hall) {
			o := *h.st.Order
			o.Key = "ffffffffffffffffffff"
			h.st.Order = &o
		})
		b.CounterChanged("PA0505", "3")
		if s := b.next(ch); row(t, s, "phone").Value != "" || s.Marked != 0 {
			t.Errorf("the next customer's form shows %+v", row(t, s, "phone"))
		}
	})
}

func TestALockDrawsTheCurtainAtOnce(t *testing.T) {
	bubble(t, func(b *stage) {
		ch, stop := b.watch()
		defer stop()
		b.next(ch)
		b.hall.set(func(h *hall) { h.st.Locked = true })
		b.CounterChanged("PA0505", "3")
		if s := b.next(ch); s.Stage != Curtain || s.Order != "" || len(s.Rows) != 0 || s.Clerk != "" {
			t.Errorf("a locked counter shows %+v", s)
		}
	})
}

func TestACounterThatCannotBeReadShowsTheCurtainAndComesBack(t *testing.T) {
	bubble(t, func(b *stage) {
		ch, stop := b.watch()
		ctx, cancel := context.WithCancel(b.t.Context())
		clerk := b.Clerk(ctx, "PA0505", "3", nil)
		b.next(ch)
		<-clerk
		b.hall.set(func(h *hall) { h.err = errors.New("the disk is gone") })
		b.CounterChanged("PA0505", "3")
		if s := b.next(ch); s.Stage != Curtain || s.Order != "" || b.errs != 1 {
			t.Errorf("the screen shows %s of %q, %d failures were told", s.Stage, s.Order, b.errs)
		}
		select {
		case e := <-clerk:
			t.Errorf("the clerk's screen is told %+v", e)
		default:
		}
		b.hall.set(func(h *hall) { h.err = nil })
		b.CounterChanged("PA0505", "3")
		if s := b.next(ch); s.Stage != Form {
			t.Errorf("afterwards the screen shows %s", s.Stage)
		}
		if e := <-clerk; e.Order == nil {
			t.Error("the clerk's screen has lost the order")
		}
		// With the failure still there the last watcher's end must end the loop, or the bubble reports it.
		b.hall.set(func(h *hall) { h.err = errors.New("again") })
		stop()
		cancel()
	})
}

func TestNothingRunsOnWhenNobodyWatches(t *testing.T) {
	// The bubble fails when a goroutine is left at its end.
	bubble(t, func(b *stage) {
		for range 50 {
			a, stopA := b.watch()
			b.next(a)
			// One leaves and another comes before the loop has seen either.
			stopA()
			c, stopC := b.watch()
			ctx, cancel := context.WithCancel(b.t.Context())
			b.Clerk(ctx, "PA0505", "3", nil)
			b.next(c)
			stopC()
			cancel()
		}
		synctest.Wait()
		before := b.hall.reads
		b.CounterChanged("PA0505", "3")
		synctest.Wait()
		if b.hall.reads != before {
			t.Error("the counter is still read although nobody watches")
		}
	})
}

func TestAClerkIsToldOfTheOrderAndOfTheCustomersKeys(t *testing.T) {
	bubble(t, func(b *stage) {
		ctx, cancel := context.WithCancel(b.t.Context())
		defer cancel()
		ch := b.Clerk(ctx, "PA0505", "3", nil)
		synctest.Wait()
		if e := <-ch; e.Order == nil || e.Order.Order.Key != b.hall.st.Order.Key || !e.Active.IsZero() {
			t.Errorf("the first event is %+v", e)
		}
		b.hall.set(func(h *hall) { h.st.Locked = true })
		b.CounterChanged("PA0505", "3")
		synctest.Wait()
		if e := <-ch; !e.Locked || e.Order != nil {
			t.Errorf("a locked counter's clerk is told %+v", e)
		}
		b.hall.set(func(h *hall) { h.st.Locked = false })
		b.Touch("PA0505", "3")
		synctest.Wait()
		if e := <-ch; !e.Active.Equal(morning) || e.Seam.ID == "" {
			t.Errorf("after a key the event is %+v", e)
		}
		b.hall.set(func(h *hall) { h.views = errors.New("no view") })
		b.CounterChanged("PA0505", "3")
		synctest.Wait()
		select {
		case e := <-ch:
			t.Errorf("an event without the order was sent: %+v", e)
		default:
		}
	})
}

func TestOneCounterHearsNothingOfAnother(t *testing.T) {
	bubble(t, func(b *stage) {
		ctx, cancel := context.WithCancel(b.t.Context())
		defer cancel()
		other := b.Display(ctx, "PA0505", "4", nil)
		b.next(other)
		b.Type("PA0505", "3", Typing{Order: b.hall.st.Order.Key, Field: "phone", Text: "09000", Set: true})
		b.Digits("PA0505", "3", 3)
		b.CounterChanged("PA0505", "3")
		b.CounterChanged("PA0606", "4")
		b.silent(other)
	})
}
