package job_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/job"
	"countersign/internal/store"
	"countersign/internal/vault"
	"countersign/kiosk"
)

// The runner is tested on the real store, whose claims and fences are half of what it promises.

var sharedVault = sync.OnceValues(func() (*vault.Vault, error) {
	return vault.Create(filepath.Join(shared, "keys"), []byte("synthetic passphrase"))
})

// shared is made by TestMain.
var shared string

var start = time.Date(2026, 11, 21, 9, 0, 0, 0, clock.Vietnam)

type hall struct {
	*testing.T
	store *store.Store
	clock *clock.Set
}

func newHall(t *testing.T) hall {
	t.Helper()
	v, err := sharedVault()
	if err != nil {
		t.Fatal(err)
	}
	c := clock.At(start)
	s, err := store.Open(context.Background(), store.Options{Dir: t.TempDir(), Vault: v, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return hall{t, s, c}
}

func (h hall) add(keys ...string) {
	h.Helper()
	err := h.store.Update(context.Background(), func(tx kiosk.Tx) error {
		for _, key := range keys {
			order, _, _ := strings.Cut(key, "/")
			if err := tx.Enqueue(job.Job{Key: key, Kind: "handover", Order: order, Payload: []byte(key)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		h.Fatal(err)
	}
}

// evenly is randomness without jitter.
type evenly struct{}

func (evenly) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func (h hall) runner(k job.Kind[kiosk.Tx], random io.Reader) *job.Runner[kiosk.Tx] {
	return job.NewRunner(h.store, map[string]job.Kind[kiosk.Tx]{"handover": k},
		job.Options{Clock: h.clock, Rand: random, Failed: func(string, int64, error) {}})
}

func (h hall) waiting() []job.Job {
	h.Helper()
	list, err := h.store.Waiting(context.Background(), 100)
	if err != nil {
		h.Fatal(err)
	}
	return list
}

func TestAJobIsDoneOnceAndItsAnswerIsStoredWithIt(t *testing.T) {
	h := newHall(t)
	h.add("a/1")
	told := 0
	r := h.runner(job.Kind[kiosk.Tx]{
		Handle: func(_ context.Context, j job.Job) job.Outcome {
			told++
			return job.Taken("ACK-" + string(j.Payload))
		},
		Complete: func(tx kiosk.Tx, j job.Job, o job.Outcome) error {
			if j.State != job.Done {
				t.Errorf("completed as %s", j.State)
			}
			return tx.PutDocument("ack", j.Order, "ack", []byte(o.Result.(string)))
		},
	}, evenly{})
	for range 3 {
		r.Step(context.Background())
		h.add("a/1") // the same key again is the same job
	}
	if told != 1 || len(h.waiting()) != 0 {
		t.Errorf("told %d times, %d waiting", told, len(h.waiting()))
	}
	err := h.store.View(context.Background(), func(tx kiosk.Tx) error {
		ack, err := tx.Document("ack")
		if string(ack) != "ACK-a/1" {
			t.Errorf("stored %q", ack)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestFailuresWaitTwiceAsLongEachTimeAndTheEighthIsTheLast(t *testing.T) {
	h := newHall(t)
	h.add("a/1")
	var pauses []time.Duration
	r := h.runner(job.Kind[kiosk.Tx]{
		Handle: func(context.Context, job.Job) job.Outcome { return job.Again(errors.New("500 from the receiver")) },
	}, evenly{})
	for range 8 {
		if n := r.Step(context.Background()); n != 1 {
			t.Fatalf("%d tries at %s", n, h.clock.Now())
		}
		j := h.waiting()[0]
		if j.LastErr != "500 from the receiver" {
			t.Errorf("last error %q", j.LastErr)
		}
		if j.State == job.Dead {
			break
		}
		pause := j.RunAt.Sub(h.clock.Now())
		pauses = append(pauses, pause)
		h.clock.Advance(pause - time.Nanosecond)
		if n := r.Step(context.Background()); n != 0 {
			t.Fatal("it ran too early")
		}
		h.clock.Advance(time.Nanosecond)
	}
	if got := fmt.Sprint(pauses); got != "[15s 30s 1m0s 2m0s 4m0s 8m0s 16m0s]" {
		t.Errorf("pauses %s", got)
	}
	j := h.waiting()[0]
	if j.State != job.Dead || j.Tries != 8 {
		t.Errorf("after eight tries: %+v", j)
	}
	h.clock.Advance(1000 * time.Hour)
	if n := r.Step(context.Background()); n != 0 {
		t.Error("a dead job ran")
	}
}

func TestADeadJobRunsAgainWhenAPersonAsks(t *testing.T) {
	h := newHall(t)
	h.add("a/1")
	refuse := true
	r := h.runner(job.Kind[kiosk.Tx]{
		Handle: func(context.Context, job.Job) job.Outcome {
			if refuse {
				return job.Refused(errors.New("422 unknown customer"))
			}
			return job.Taken(nil)
		},
	}, evenly{})
	r.Step(context.Background())
	dead := h.waiting()[0]
	if dead.State != job.Dead || dead.Tries != 1 {
		t.Fatalf("after a refusal: %+v", dead)
	}
	refuse = false
	if err := h.store.Retry(context.Background(), dead.ID); err != nil {
		t.Fatal(err)
	}
	if n := r.Step(context.Background()); n != 1 || len(h.waiting()) != 0 {
		t.Errorf("%d tries, waiting: %+v", n, h.waiting())
	}
	if err := h.store.Retry(context.Background(), dead.ID); !fault.Is(err, "store.conflict") {
		t.Errorf("a done job asked for again: %v", err)
	}
}

func TestADayWithoutTheReceiverDrainsInOrderByItself(t *testing.T) {
	h := newHall(t)
	for i := range 5 {
		h.add(fmt.Sprintf("a/%d", i), fmt.Sprintf("b/%d", i))
	}
	away := true
	received := map[string][]string{}
	var mu sync.Mutex
	r := h.runner(job.Kind[kiosk.Tx]{
		Workers: 3, Ordered: true,
		Handle: func(_ context.Context, j job.Job) job.Outcome {
			if away {
				return job.Away(errors.New("connection refused"))
			}
			mu.Lock()
			defer mu.Unlock()
			received[j.Order] = append(received[j.Order], j.Key)
			return job.Taken(nil)
		},
	}, nil)
	tries := 0
	for end := start.Add(24 * time.Hour); h.clock.Now().Before(end); h.clock.Advance(5 * time.Second) {
		tries += r.Step(context.Background())
	}
	// Two orders, each with one job at the head, about 8 tries until the pause is an hour, then 22 or so.
	if tries < 40 || tries > 80 {
		t.Errorf("%d tries in the day", tries)
	}
	if list := h.waiting(); len(list) != 10 || list[0].State != job.Waiting {
		t.Errorf("waiting: %+v", list)
	}
	away = false
	for end := h.clock.Now().Add(75 * time.Minute); h.clock.Now().Before(end); h.clock.Advance(5 * time.Second) {
		r.Step(context.Background())
	}
	for _, order := range []string{"a", "b"} {
		if got := strings.Join(received[order], " "); got != fmt.Sprintf("%[1]s/0 %[1]s/1 %[1]s/2 %[1]s/3 %[1]s/4", order) {
			t.Errorf("received %s", got)
		}
	}
	if list := h.waiting(); len(list) != 0 {
		t.Errorf("left: %+v", list)
	}
}

func TestALaterJobOfAnOrderWaitsForADeadOneAndOthersDoNot(t *testing.T) {
	h := newHall(t)
	h.add("a/1", "a/2", "b/1")
	var got []string
	r := h.runner(job.Kind[kiosk.Tx]{
		Ordered: true,
		Handle: func(_ context.Context, j job.Job) job.Outcome {
			got = append(got, j.Key)
			if j.Key == "a/1" && len(got) < 3 {
				return job.Refused(errors.New("422"))
			}
			return job.Taken(nil)
		},
	}, evenly{})
	for range 5 {
		r.Step(context.Background())
		h.clock.Advance(time.Hour)
	}
	if fmt.Sprint(got) != "[a/1 b/1]" {
		t.Errorf("ran %v", got)
	}
	if err := h.store.Retry(context.Background(), h.waiting()[0].ID); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		r.Step(context.Background())
	}
	if fmt.Sprint(got) != "[a/1 b/1 a/1 a/2]" {
		t.Errorf("ran %v", got)
	}
}

func TestAWorkerFrozenPastItsLeaseIsRefusedByTheFence(t *testing.T) {
	h := newHall(t)
	h.add("a/1")
	ctx := context.Background()
	frozen, err := h.store.Claim(ctx, job.Scope{Kind: "handover"}, h.clock.Now(), 2*time.Minute, 1)
	if err != nil || len(frozen) != 1 {
		t.Fatal(frozen, err)
	}
	acks := 0
	complete := func(tx kiosk.Tx, j job.Job, _ job.Outcome) error {
		acks++
		return tx.PutDocument("ack", j.Order, "ack", []byte("by the second"))
	}
	r := h.runner(job.Kind[kiosk.Tx]{
		Handle:   func(context.Context, job.Job) job.Outcome { return job.Taken(nil) },
		Complete: complete,
	}, evenly{})
	if n := r.Step(ctx); n != 0 {
		t.Error("a leased job was claimed again")
	}
	h.clock.Advance(2 * time.Minute)
	if n := r.Step(ctx); n != 1 {
		t.Error("the lease was over and nobody took the job")
	}
	late := frozen[0]
	late.State = job.Done
	err = h.store.Settle(ctx, late, func(tx kiosk.Tx) error { return complete(tx, late, job.Taken(nil)) })
	if !errors.Is(err, job.ErrFenced) || acks != 1 {
		t.Errorf("the frozen worker's end: %v; %d acknowledgements", err, acks)
	}
}

func TestAnAnswerThatCannotBeStoredIsAskedForAgain(t *testing.T) {
	h := newHall(t)
	h.add("a/1")
	told, stored := 0, false
	r := h.runner(job.Kind[kiosk.Tx]{
		Handle: func(context.Context, job.Job) job.Outcome {
			told++
			return job.Taken(nil)
		},
		Complete: func(tx kiosk.Tx, j job.Job, _ job.Outcome) error {
			if told == 1 {
				return errors.New("somebody else changed the order")
			}
			stored = true
			return nil
		},
	}, evenly{})
	r.Step(context.Background())
	if j := h.waiting()[0]; j.State != job.Waiting || !strings.Contains(j.LastErr, "somebody else") {
		t.Errorf("job %+v", j)
	}
	h.clock.Advance(15 * time.Second)
	r.Step(context.Background())
	if told != 2 || !stored || len(h.waiting()) != 0 {
		t.Errorf("told %d times, stored %v", told, stored)
	}
}

func TestAPanickingHandlerIsAFailedTry(t *testing.T) {
	h := newHall(t)
	h.add("a/1")
	r := h.runner(job.Kind[kiosk.Tx]{Handle: func(context.Context, job.Job) job.Outcome { panic("Nguyễn Văn Thử") }}, evenly{})
	r.Step(context.Background())
	if j := h.waiting()[0]; j.State != job.Waiting || strings.Contains(j.LastErr, "Nguyễn") {
		t.Errorf("job %+v", j)
	}
}

func TestAnEnqueuedJobStartsAtOnceAndAShutdownReturnsWhatRuns(t *testing.T) {
	h := newHall(t)
	began, blocked := make(chan string), make(chan struct{})
	r := job.NewRunner(h.store, map[string]job.Kind[kiosk.Tx]{"handover": {
		Workers: 2,
		Handle: func(ctx context.Context, j job.Job) job.Outcome {
			began <- j.Key
			if j.Key == "a/1" {
				return job.Taken(nil)
			}
			<-ctx.Done()
			return job.Away(ctx.Err())
		},
	}}, job.Options{
		Clock: h.clock,
		// A runner that is not woken would sleep here for ever.
		After:  func(time.Duration) <-chan time.Time { return nil },
		Failed: func(_ string, _ int64, err error) { t.Error(err) },
	})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(blocked)
		r.Run(ctx)
	}()
	h.add("a/1")
	if key := <-began; key != "a/1" {
		t.Errorf("began %s", key)
	}
	h.add("b/1")
	if key := <-began; key != "b/1" {
		t.Errorf("began %s", key)
	}
	cancel()
	<-blocked
	list := h.waiting()
	if len(list) != 1 || list[0].Key != "b/1" || list[0].State != job.Waiting || list[0].Tries != 0 || !list[0].RunAt.Equal(start) {
		t.Errorf("after the shutdown: %+v", list)
	}
}

func TestManyWorkersCarryEachJobOutOnce(t *testing.T) {
	h := newHall(t)
	var keys []string
	for i := range 200 {
		keys = append(keys, fmt.Sprintf("o%d/%d", i%20, i))
	}
	h.add(keys...)
	var mu sync.Mutex
	told := map[string]int{}
	kind := job.Kind[kiosk.Tx]{
		Workers: 5, Ordered: true,
		Handle: func(_ context.Context, j job.Job) job.Outcome {
			mu.Lock()
			defer mu.Unlock()
			told[j.Key]++
			return job.Taken(nil)
		},
	}
	var wait sync.WaitGroup
	for range 3 {
		r := h.runner(kind, evenly{})
		wait.Go(func() {
			for len(h.waiting()) > 0 {
				r.Step(context.Background())
			}
		})
	}
	wait.Wait()
	for _, key := range keys {
		if told[key] != 1 {
			t.Errorf("%s was told %d times", key, told[key])
		}
	}
}

func TestTheJitterIsAtMostAFifth(t *testing.T) {
	h := newHall(t)
	h.add("a/1")
	r := h.runner(job.Kind[kiosk.Tx]{
		Handle: func(context.Context, job.Job) job.Outcome { return job.Again(errors.New("500")) },
	}, strings.NewReader("\xff\xff\xff\xff"))
	r.Step(context.Background())
	if pause := h.waiting()[0].RunAt.Sub(start); pause <= 17*time.Second || pause > 18*time.Second {
		t.Errorf("pause %s", pause)
	}
}

// broken is a queue on a disk that has failed.
type broken struct{ *store.Store }

func (broken) Claim(context.Context, job.Scope, time.Time, time.Duration, int) ([]job.Job, error) {
	return nil, fault.New(fault.Unavailable, "store.readonly", nil)
}

func TestAQueueThatFailsIsNotAskedWithoutRest(t *testing.T) {
	h := newHall(t)
	h.add("a/1")
	ctx, cancel := context.WithCancel(context.Background())
	var waits []time.Duration
	r := job.NewRunner(broken{h.store}, map[string]job.Kind[kiosk.Tx]{"handover": {
		Handle: func(context.Context, job.Job) job.Outcome { return job.Taken(nil) },
	}}, job.Options{
		Clock: h.clock,
		After: func(d time.Duration) <-chan time.Time {
			if waits = append(waits, d); len(waits) == 4 {
				cancel()
			}
			now := make(chan time.Time, 1)
			now <- time.Time{}
			return now
		},
		Failed: func(string, int64, error) {},
	})
	r.Run(ctx)
	for _, d := range waits {
		if d != 5*time.Second {
			t.Errorf("waits %s", waits)
		}
	}
}
