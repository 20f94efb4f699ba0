package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"countersign/internal/demo"
	"countersign/internal/service"
)

// The load: so many counters, each serving so many customers one after the other, so many times.
const (
	counters = 50
	each     = 2
	rounds   = 5
)

// orders measures complete orders through the API on the whole machine, by turns with the limit that the machine sets.
func orders(ctx context.Context, b *bench) (err error) {
	defer debug.SetGCPercent(debug.SetGCPercent(service.GCPercent)) // as countersign serve does
	w, err := demo.Build(ctx, filepath.Join(b.dir, "orders"), demo.Choices{Cost: cheap, Counters: counters})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	s, err := walk(ctx, w)
	if err != nil {
		return err
	}
	l, err := newLimit(b.dir, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.file.Close()) }()
	desks, err := openCounters(ctx, w, counters)
	if err != nil {
		return err
	}
	face, err := picture()
	if err != nil {
		return err
	}
	h := &hall{world: w, desks: desks, face: face}
	if _, err := h.round(ctx, 1, &timings{}); err != nil { // warms caches
		return err
	}
	var t timings
	var rate, limit, used, least []float64
	before := h.entries(ctx)
	for range rounds {
		start := cpu()
		took, err := h.round(ctx, each, &t)
		if err != nil {
			return err
		}
		rate = append(rate, counters*each/took.Seconds())
		used = append(used, milliseconds(cpu()-start)/(counters*each))
		l.acts = int(h.entries(ctx)-before) / (len(rate) * counters * each)
		start = cpu()
		if took, err = l.round(ctx, each*2); err != nil {
			return err
		}
		limit = append(limit, counters*each*2/took.Seconds())
		least = append(least, milliseconds(cpu()-start)/(counters*each*2))
	}
	b.say("orders: %d counters, %d processors, Unix socket, B-T, picture 480x640, receipt printed into a folder; clients, mail server and back office run here too", counters, runtime.NumCPU())
	b.say("limit: an order's %d P-256 signs, %d checks, %d key, 1 RSA-2048 sign and check, 2 PDF builds; %d acts in turn, each with a group's fsync", limitSigns, limitChecks, limitKeys, l.acts)
	b.print(figure{name: "orders.complete", values: rate, unit: "1/s", more: true, beside: "orders.limit", besides: limit})
	b.print(figure{name: "orders.limit", values: limit, unit: "1/s", more: true})
	b.print(figure{name: "orders.cpu", values: used, unit: "cpu-ms", beside: "orders.limit", besides: least})
	b.say("step 6, keeping the order, is done inside every act of the others and has no time of its own")
	for i, values := range t.steps {
		if i+1 == 6 {
			continue
		}
		b.print(figure{name: fmt.Sprint("orders.step.", i+1), values: values, unit: "ms"})
	}
	return nil
}

// hall is the simulated hall.
type hall struct {
	world  *demo.World
	desks  []counter
	face   []byte
	served int
}

// round lets every counter serve n customers and returns how long that took.
func (h *hall) round(ctx context.Context, n int, t *timings) (time.Duration, error) {
	people, err := addCustomers(ctx, h.world, h.served, n*len(h.desks))
	if err != nil {
		return 0, err
	}
	h.served += len(people)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	start := time.Now()
	err = together(len(h.desks), func(i int) error {
		for k := range n {
			if err := h.desks[i].serve(ctx, h.world.Inbox, people[i*n+k], h.face, t); err != nil {
				cancel()
				return fmt.Errorf("counter %d: %w", i+1, err)
			}
		}
		return nil
	})
	return time.Since(start), err
}

// entries is the size of the journal: each durable act of a person adds one entry.
func (h *hall) entries(ctx context.Context) int64 {
	r, err := h.world.Service.VerifyJournal(ctx, nil)
	if err != nil {
		return 0
	}
	return r.Size
}

// together runs n workers and returns their errors.
func together(n int, work func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = work(i) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// The cryptography of one order. Signs: the one-off certificate, the customer's, the clerk's and the business seal's
// signature, and four timestamps. Checks: each of these eight before it is released or relied on.
const (
	limitKeys   = 1
	limitSigns  = 8
	limitChecks = 8
)

// limit does an order's unavoidable work and nothing else: raw cryptography, two PDF builds, and as many waits for the
// disk as there are durable acts, where all counters that wait share one fsync.
type limit struct {
	sample sample
	p256   *ecdsa.PrivateKey
	rsa    *rsa.PrivateKey
	acts   int
	file   *os.File

	wait chan chan error
}

func newLimit(dir string, s sample) (*limit, error) {
	p, err := newSigners()
	if err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(dir, "limit"))
	return &limit{sample: s, p256: p.p256.key.(*ecdsa.PrivateKey), rsa: p.rsa.key.(*rsa.PrivateKey), file: f}, err
}

// round does the work of n orders at every counter.
func (l *limit) round(ctx context.Context, n int) (time.Duration, error) {
	l.wait = make(chan chan error)
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.sync()
	}()
	start := time.Now()
	err := together(counters, func(int) error {
		for range n {
			if err := errors.Join(ctx.Err(), l.order()); err != nil {
				return err
			}
		}
		return nil
	})
	took := time.Since(start)
	close(l.wait)
	<-done
	return took, err
}

// order is one order: the waits for the disk with the work between them.
func (l *limit) order() error {
	key := func() error {
		_, err := p256()
		return err
	}
	for _, do := range []act{l.sample.build, l.sample.build, key, raw(l.p256, limitSigns), raw(l.rsa, 1)} {
		if err := do(); err != nil {
			return err
		}
	}
	for range l.acts {
		answer := make(chan error, 1)
		l.wait <- answer
		if err := <-answer; err != nil {
			return err
		}
	}
	return nil
}

// pageSize is what an act appends: four pages of a write-ahead log.
const pageSize = 4 * 4120

// sync writes for whoever waits and lets them share an fsync.
func (l *limit) sync() {
	page := make([]byte, pageSize)
	for first := range l.wait {
		group := []chan error{first}
		for more := true; more; {
			select {
			case next, ok := <-l.wait:
				if more = ok; ok {
					group = append(group, next)
				}
			default:
				more = false
			}
		}
		var err error
		for range group {
			_, failed := l.file.Write(page)
			err = errors.Join(err, failed)
		}
		err = errors.Join(err, l.file.Sync())
		for _, answer := range group {
			answer <- err
		}
	}
}
