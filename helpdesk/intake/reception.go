package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"time"

	"countersign/helpdesk"
	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/mail/auth"
)

// Reader reads bytes: gate, parser, who sent it, where it belongs. It asks no record and changes nothing; *Inspector is one.
type Reader interface {
	Inspect(ctx context.Context, raw []byte, e auth.Envelope, at time.Time) Inspection
}

// Reception takes mails from durable bytes to their fate.
type Reception struct {
	Store      helpdesk.Store
	Reader     Reader
	Secrets    *helpdesk.Secrets
	Categories *helpdesk.Categories
	Working    helpdesk.Working
	Numbering  helpdesk.Numbering
	Clock      clock.Clock
	Limits     Limits
	Log        *slog.Logger

	// Checks answers who asks whether something is ours; nil leaves every such mail to the agents.
	Checks Checker
	// Queued hears, after the commit, that mails wait to be built and sent. It may be nil and must not block.
	Queued func()
	// Changed hears of every ticket that a mail made or changed, after the commit. It may be nil and must not block.
	Changed func(ticket string)

	mu     sync.Mutex // one Drain at a time
	looked bool       // the first round looks out for a mail that ended the process
}

// Arrive makes mails durable: when it returns, their bytes and records have survived a power cut, in one transaction for
// all of them, and the sources may be told so. It returns how many were not known yet. Mails of one mailbox must come in
// the order of their UIDs: the cursor goes to the last one.
func (r *Reception) Arrive(ctx context.Context, list []helpdesk.Arrival) (fresh int, err error) {
	err = r.Store.Update(ctx, func(tx helpdesk.Tx) error {
		fresh = 0
		last := map[string]helpdesk.Arrival{}
		for _, a := range list {
			_, isNew, err := tx.PutArrival(a)
			if err != nil {
				return err
			}
			if isNew {
				fresh++
			}
			last[a.Mailbox] = a
		}
		for name, a := range last {
			m, err := tx.Mailbox(name)
			if err != nil {
				return err
			}
			if m.UIDValidity != a.UIDValidity || a.UID > m.UID {
				m.UIDValidity, m.UID = a.UIDValidity, a.UID
			}
			m.Good, m.Fault, m.FaultAt = r.Clock.Now(), "", time.Time{}
			if err := tx.PutMailbox(m); err != nil {
				return err
			}
		}
		return nil
	})
	return fresh, err
}

// Batches are bounded by both, so that neither memory nor the counters' wait for the writer grows.
const (
	batchMails = 48
	batchBytes = 4 << 20
)

// waiting is a mail between its bytes and its fate.
type waiting struct {
	in      *helpdesk.Intake
	raw     []byte
	reading Inspection
	digest  digest
	failed  string // why it could not be read
}

// Drain brings every mail that waits to its fate and returns how many it was. Reading the next batch goes on while one is
// written. It may be called again at any time, also after a kill: what has its fate is passed over.
func (r *Reception) Drain(ctx context.Context) (done int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.looked {
		if done, err = r.lookOut(ctx); err != nil {
			return done, err
		}
		r.looked = true
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batches := make(chan []*waiting, 1)
	failed := make(chan error, 1)
	go func() {
		defer close(batches)
		failed <- r.load(ctx, batches)
	}()
	for batch := range batches {
		n, err := r.settleAll(ctx, batch)
		done += n
		if err != nil {
			cancel()
			for range batches {
				// What was read ahead is read again next time.
			}
			return done, err
		}
	}
	return done, <-failed
}

// load reads the waiting mails in the order of their arrival.
func (r *Reception) load(ctx context.Context, out chan<- []*waiting) error {
	for after := int64(0); ; {
		batch, err := r.fetch(ctx, after)
		if err != nil || len(batch) == 0 {
			return err
		}
		after = batch[len(batch)-1].in.ID
		r.readAll(ctx, batch)
		select {
		case out <- batch:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// fetch takes the next mails with their bytes.
func (r *Reception) fetch(ctx context.Context, after int64) (batch []*waiting, err error) {
	err = r.Store.View(ctx, func(tx helpdesk.Tx) error {
		list, err := tx.Pending(after, batchMails)
		if err != nil {
			return err
		}
		bytes := int64(0)
		for _, in := range list {
			if bytes += in.Size; bytes > batchBytes && len(batch) > 0 {
				break
			}
			raw, err := tx.Raw(in.ID)
			w := &waiting{in: in, raw: raw}
			switch {
			case fault.KindOf(err) == fault.NotFound, fault.CodeOf(err) == "vault.record", fault.CodeOf(err) == "vault.key":
				w.failed = "bytes"
			case err != nil:
				return err
			}
			batch = append(batch, w)
		}
		return nil
	})
	return batch, err
}

// readAll reads a batch on all cores.
func (r *Reception) readAll(ctx context.Context, batch []*waiting) {
	var wg sync.WaitGroup
	next := make(chan *waiting)
	for range min(runtime.GOMAXPROCS(0), len(batch)) {
		wg.Go(func() {
			for w := range next {
				r.read(ctx, w)
			}
		})
	}
	for _, w := range batch {
		next <- w
	}
	close(next)
	wg.Wait()
}

// read reads one mail. A reader that panics has met a mail that is kept and shown to people.
func (r *Reception) read(ctx context.Context, w *waiting) {
	if w.failed != "" {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			w.failed = "parser"
			r.Log.Error("a mail could not be read", "arrival", w.in.ID, "panic", fmt.Sprintf("%T", p))
		}
		// The parts of a message lie in these bytes; what is kept of it does not.
		w.raw = nil
	}()
	e := auth.Envelope{From: strings.Trim(w.in.Envelope.From, "<>"), Helo: w.in.Envelope.Hello}
	if ip, err := netip.ParseAddr(w.in.Envelope.Client); err == nil {
		e.IP = ip
	}
	w.reading = r.Reader.Inspect(ctx, w.raw, e, w.in.At)
	if w.reading.Mail == nil {
		w.failed = "parser"
		return
	}
	w.digest = r.digest(w.reading.Mail)
}

// settleAll writes the fates of a batch in one transaction. When one of them can't be written the others are not made to
// wait: each is then tried alone.
func (r *Reception) settleAll(ctx context.Context, batch []*waiting) (int, error) {
	err := r.settle(ctx, batch)
	if err == nil {
		return len(batch), nil
	}
	if ctx.Err() != nil || fault.KindOf(err) == fault.Unavailable {
		return 0, err
	}
	for i, w := range batch {
		err := r.settle(ctx, []*waiting{w})
		if err == nil || fault.Is(err, "store.conflict") {
			continue
		}
		if ctx.Err() != nil || fault.KindOf(err) == fault.Unavailable {
			return i, err
		}
		r.Log.Error("a mail could not be filed", "arrival", w.in.ID, "err", err)
		if err := r.settle(ctx, []*waiting{{in: w.in, failed: "filing"}}); err != nil && !fault.Is(err, "store.conflict") {
			return i, err
		}
	}
	return len(batch), nil
}

// outcome is what a transaction has done that others are told of after it.
type outcome struct {
	queued  bool
	changed []string
}

func (r *Reception) settle(ctx context.Context, batch []*waiting) error {
	var o outcome
	err := r.Store.Update(ctx, func(tx helpdesk.Tx) error {
		o = outcome{}
		for _, w := range batch {
			in := *w.in // the transaction may run twice
			if err := (&filing{r: r, tx: tx, in: &in, w: w, now: r.Clock.Now(), out: &o}).file(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if o.queued && r.Queued != nil {
		r.Queued()
	}
	if r.Changed != nil {
		for _, key := range o.changed {
			r.Changed(key)
		}
	}
	return nil
}

// triesMax is how often a mail is read that was being read when the process ended. Processes also end for other reasons, and
// an innocent mail must not be set aside for those.
const triesMax = 5

// lookOut reads the mails that were in hand when the last process ended one at a time, and counts the try before it. A mail
// that ended the process again and again is set aside for people.
func (r *Reception) lookOut(ctx context.Context) (int, error) {
	batch, err := r.fetch(ctx, 0)
	if err != nil {
		return 0, err
	}
	for i, w := range batch {
		w.in.Tries++
		if err := r.Store.Update(ctx, func(tx helpdesk.Tx) error {
			in := *w.in
			defer func() { w.in.Rev = in.Rev }()
			return tx.PutIntake(&in)
		}); err != nil {
			return i, err
		}
		if w.in.Tries > triesMax {
			w.failed = "crash"
		}
		r.read(ctx, w)
		if _, err := r.settleAll(ctx, []*waiting{w}); err != nil {
			return i, err
		}
	}
	return len(batch), nil
}

// Release lets a held or quarantined mail become a ticket after all, as who says.
func (r *Reception) Release(ctx context.Context, id int64, who string) error {
	err := r.Store.Update(ctx, func(tx helpdesk.Tx) error {
		in, err := tx.Intake(id)
		if err != nil {
			return err
		}
		switch in.Fate {
		case helpdesk.Held, helpdesk.Quarantined, helpdesk.ToAutomatic, helpdesk.Dropped:
		default:
			return fault.New(fault.Conflict, "intake.settled", fault.Args{"fate": "@intake.fate." + string(in.Fate)})
		}
		in.Fate, in.Released, in.Tries = helpdesk.Pending, who, 0
		return tx.PutIntake(in)
	})
	if err != nil {
		return err
	}
	_, err = r.Drain(ctx)
	return err
}

// ReleaseHeld lets held mails in as far as the budgets of the present hour go, oldest first, and returns how many.
func (r *Reception) ReleaseHeld(ctx context.Context, limit int) (int, error) {
	n := 0
	err := r.Store.Update(ctx, func(tx helpdesk.Tx) error {
		n = 0
		held, err := tx.IntakesOf(helpdesk.Held, heldMax)
		if err != nil {
			return err
		}
		for i := len(held) - 1; i >= 0 && n < limit; i-- {
			in := held[i]
			left, err := r.Limits.left(tx, in.Trust.Level.Proven(), in.From.Address, r.Clock.Now())
			if err != nil {
				return err
			}
			if !left {
				continue
			}
			in.Fate = helpdesk.Pending
			if err := tx.PutIntake(in); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err != nil || n == 0 {
		return 0, err
	}
	_, err = r.Drain(ctx)
	return n, err
}

// heldMax is how many held mails one round looks at.
const heldMax = 500

var errNoReader = errors.New("the reception needs a store, a reader, secrets, categories and a clock")

// Check reports what of the reception's parts is missing.
func (r *Reception) Check() error {
	if r.Store == nil || r.Reader == nil || r.Secrets == nil || r.Categories == nil || r.Clock == nil || r.Working.Days == nil {
		return errNoReader
	}
	if r.Log == nil {
		r.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	return nil
}
