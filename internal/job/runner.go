package job

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
)

// Queue is where the jobs are kept; T is its transaction.
type Queue[T any] interface {
	// Due returns when the next job of a scope may be claimed; the zero time when there is none.
	Due(ctx context.Context, s Scope) (time.Time, error)
	// Claim takes at most limit due jobs: each is Running until now+lease, with one try and one fence more.
	Claim(ctx context.Context, s Scope, now time.Time, lease time.Duration, limit int) ([]Job, error)
	// Settle writes what became of a claimed job and runs then, which may be nil, in the same transaction. It returns
	// ErrFenced, and does nothing, when the claim no longer holds.
	Settle(ctx context.Context, j Job, then func(T) error) error
	// Enqueued tells that a job was added.
	Enqueued() <-chan struct{}
}

// Outcome is what became of one try. Make it with Taken, Again, Away or Refused.
type Outcome struct {
	Result any   // what Complete is to store: an acknowledgement number, say
	Err    error // nil when the job is done
	away   bool
	final  bool
}

// Taken says that the receiver has taken the job.
func Taken(result any) Outcome { return Outcome{Result: result} }

// Again says that the try failed and another may succeed. The last allowed try makes the job dead.
func Again(err error) Outcome { return Outcome{Err: err} }

// Away says that the receiver could not be reached at all. Such a try kills no job, so that an outage of a day drains by
// itself.
func Away(err error) Outcome { return Outcome{Err: err, away: true} }

// Refused says that the receiver will never take the job as it is. It is dead until a person has mended the cause.
func Refused(err error) Outcome { return Outcome{Err: err, final: true} }

// Kind is how jobs of one kind are carried out.
type Kind[T any] struct {
	// Handle carries the job out. It may be told the same job twice and must make the receiver act once, by j.Key. Its
	// context ends with the lease.
	Handle func(ctx context.Context, j Job) Outcome
	// Complete, when it is set, runs in the transaction that settles the job, after every try; j is the job as it is
	// stored then: Done, Waiting or Dead.
	Complete func(tx T, j Job, o Outcome) error
	Workers  int  // how many run at once; 0 is 1
	Ordered  bool // see Scope
}

// Options of a Runner; the zero value is what the product uses.
type Options struct {
	Clock  clock.Clock                            // nil is the machine's own
	Rand   io.Reader                              // for the jitter; nil is the machine's own
	After  func(d time.Duration) <-chan time.Time // nil is time.After
	First  time.Duration                          // wait after the first failure; 0 is 15 s; then doubling
	Max    time.Duration                          // the longest wait; 0 is 1 h
	Tries  int                                    // after this many a job is dead; 0 is 8
	Lease  time.Duration                          // how long a claim holds; 0 is 2 min
	Failed func(kind string, id int64, err error) // told about each failed try and about failures of the queue; nil logs them
}

func (o Options) filled() Options {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.After == nil {
		o.After = time.After
	}
	if o.First == 0 {
		o.First = 15 * time.Second
	}
	if o.Max == 0 {
		o.Max = time.Hour
	}
	if o.Tries == 0 {
		o.Tries = 8
	}
	if o.Lease == 0 {
		o.Lease = 2 * time.Minute
	}
	if o.Failed == nil {
		o.Failed = func(kind string, id int64, err error) {
			// The text of an error may quote a receiver's words, and those a customer's address.
			slog.Warn("job failed", "kind", kind, "id", id, "code", fault.CodeOf(err))
		}
	}
	return o
}

const (
	idle    = time.Minute     // the longest sleep without looking at the queue, which another process may have changed
	trouble = 5 * time.Second // the sleep after the queue itself has failed
)

// Runner claims and carries out the jobs of a queue.
type Runner[T any] struct {
	queue   Queue[T]
	kinds   map[string]Kind[T]
	options Options
	mu      sync.Mutex     // guards busy
	busy    map[string]int // workers at work, by kind
	workers sync.WaitGroup
	free    chan struct{} // a worker has ended
}

// NewRunner makes a runner for the kinds given; jobs of other kinds stay where they are.
func NewRunner[T any](q Queue[T], kinds map[string]Kind[T], o Options) *Runner[T] {
	return &Runner[T]{queue: q, kinds: kinds, options: o.filled(), busy: map[string]int{}, free: make(chan struct{}, 1)}
}

// Run works until ctx ends, then lets the running tries give up and returns when all have ended. What they could not
// finish goes back to the queue.
func (r *Runner[T]) Run(ctx context.Context) {
	defer r.workers.Wait()
	for ctx.Err() == nil {
		wait := r.dispatch(ctx)
		select {
		case <-ctx.Done():
		case <-r.queue.Enqueued():
		case <-r.free:
		case <-r.options.After(wait):
		}
	}
}

// Step starts what is due now and waits until it has ended; it returns how many tries there were.
func (r *Runner[T]) Step(ctx context.Context) int {
	total := 0
	for name := range r.kinds {
		n, _, _, err := r.start(ctx, name)
		if err != nil {
			r.report(ctx, name, 0, err)
		}
		total += n
	}
	r.workers.Wait()
	return total
}

// dispatch starts what is due and returns how long nothing else will be.
func (r *Runner[T]) dispatch(ctx context.Context) time.Duration {
	wait := idle
	for name, kind := range r.kinds {
		_, claimed, due, err := r.start(ctx, name)
		if err == nil && claimed && r.room(name) > 0 {
			due, err = r.queue.Due(ctx, Scope{name, kind.Ordered})
		}
		if err != nil {
			r.report(ctx, name, 0, err)
			wait = min(wait, trouble)
			continue
		}
		if !due.IsZero() {
			wait = min(wait, max(due.Sub(r.options.Clock.Now()), 0))
		}
	}
	return wait
}

func (r *Runner[T]) report(ctx context.Context, kind string, id int64, err error) {
	if ctx.Err() == nil {
		r.options.Failed(kind, id, err)
	}
}

// room returns how many more workers of a kind may start.
func (r *Runner[T]) room(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return max(r.kinds[name].Workers, 1) - r.busy[name]
}

// start claims as many due jobs of a kind as there are free workers, sets them to work and returns how many. When there
// was nothing to claim it returns when there will be; the zero time when never, or no worker is free.
func (r *Runner[T]) start(ctx context.Context, name string) (n int, claimed bool, due time.Time, err error) {
	room := r.room(name)
	if room == 0 {
		return 0, false, due, nil
	}
	scope, now := Scope{name, r.kinds[name].Ordered}, r.options.Clock.Now()
	// A claim writes to the disk, so it is worth a look first.
	due, err = r.queue.Due(ctx, scope)
	if err != nil || due.IsZero() || due.After(now) {
		return 0, false, due, err
	}
	jobs, err := r.queue.Claim(ctx, scope, now, r.options.Lease, room)
	if err != nil {
		return 0, false, time.Time{}, err
	}
	r.mu.Lock()
	r.busy[name] += len(jobs)
	r.mu.Unlock()
	for _, j := range jobs {
		r.workers.Go(func() { r.work(ctx, name, j) })
	}
	return len(jobs), true, time.Time{}, nil
}

// work carries out one job and settles it.
func (r *Runner[T]) work(ctx context.Context, name string, j Job) {
	defer func() {
		r.mu.Lock()
		r.busy[name]--
		r.mu.Unlock()
		select {
		case r.free <- struct{}{}:
		default:
		}
	}()
	kind := r.kinds[name]
	o := handle(ctx, kind, j, r.options.Lease)
	if o.Err != nil {
		r.report(ctx, name, j.ID, o.Err)
	}
	// The shutdown that stopped the try must not keep its end from being written.
	settling := context.WithoutCancel(ctx)
	var then func(T) error
	after := r.after(ctx, j, o)
	if kind.Complete != nil {
		then = func(tx T) error { return kind.Complete(tx, after, o) }
	}
	err := r.queue.Settle(settling, after, then)
	if err == nil || errors.Is(err, ErrFenced) {
		return
	}
	r.options.Failed(name, j.ID, err)
	// What the receiver did is done, but its answer could not be stored: the next try asks again under the same key.
	if err := r.queue.Settle(settling, r.after(ctx, j, Again(err)), nil); err != nil && !errors.Is(err, ErrFenced) {
		r.options.Failed(name, j.ID, err)
	}
}

// handle turns a handler's panic into a failed try, so that one bad job can't take the others down.
func handle[T any](ctx context.Context, kind Kind[T], j Job, lease time.Duration) (o Outcome) {
	ctx, cancel := context.WithTimeout(ctx, lease)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			// The value may hold anything; its type is enough to look for.
			o = Again(fmt.Errorf("the handler panicked with %T", p))
		}
	}()
	return kind.Handle(ctx, j)
}

// maxErr is how many bytes of an error are kept.
const maxErr = 300

// after returns the job as it stands after a try.
func (r *Runner[T]) after(ctx context.Context, j Job, o Outcome) Job {
	now := r.options.Clock.Now()
	if o.Err == nil {
		j.State, j.LastErr, j.Ended = Done, "", now
		return j
	}
	if ctx.Err() != nil && !o.final {
		// The shutdown cut the try short; it says nothing about the receiver and does not count.
		j.State, j.RunAt, j.Tries = Waiting, now, j.Tries-1
		return j
	}
	j.LastErr = o.Err.Error()
	if len(j.LastErr) > maxErr {
		j.LastErr = strings.ToValidUTF8(j.LastErr[:maxErr], "")
	}
	if o.final || !o.away && j.Tries >= r.options.Tries {
		j.State, j.Ended = Dead, now
		return j
	}
	j.State, j.RunAt = Waiting, now.Add(r.pause(j.Tries))
	return j
}

// pause is how long to wait after the given number of tries: doubling, and up to a fifth more, so that the jobs of an
// outage don't come back all at once.
func (r *Runner[T]) pause(tries int) time.Duration {
	d := r.options.First
	for range tries - 1 {
		if d >= r.options.Max {
			break
		}
		d *= 2
	}
	d = min(d, r.options.Max)
	var b [4]byte
	if _, err := io.ReadFull(r.options.Rand, b[:]); err != nil {
		return d
	}
	return d + time.Duration(float64(d)/5*float64(binary.BigEndian.Uint32(b[:]))/(1<<32))
}
