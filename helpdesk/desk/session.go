package desk

import (
	"context"
	"errors"
	"time"

	"countersign/helpdesk"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/tui"
)

// hold keeps the keys that were pressed while a page is being opened. They are given to the page once it is there, or
// dropped when it did not come: then they were meant for something else.
type hold struct {
	on    bool
	since time.Time
	queue []tui.Key
	turn  int // counts holds: the answer to one that was given up is dropped
}

// patience is how long a wait goes on before row 23 speaks of it, and stopping how long before a key may end it.
const (
	patience = 150 * time.Millisecond
	stopping = 3 * time.Second
)

// holdKey keeps a key for the page that is to come; after three seconds F3 and Esc stop waiting.
func (a *App) holdKey(k tui.Key) tui.Cmd {
	if (k.Name == "esc" || k.Name == "f3") && a.now().Sub(a.held.since) >= stopping {
		a.held = hold{turn: a.held.turn + 1}
		a.say(noteMark, "desk.msg.stopped", nil)
		return nil
	}
	a.held.queue = append(a.held.queue, k)
	return nil
}

// release lets the held keys act. ok tells that the page they were meant for is there.
func (a *App) release(ok bool) tui.Cmd {
	a.held.on = false
	if !ok {
		a.held.queue = nil
	}
	var cmds []tui.Cmd
	for len(a.held.queue) > 0 && !a.held.on && !a.locked {
		k := a.held.queue[0]
		a.held.queue = a.held.queue[1:]
		cmds = append(cmds, a.press(k))
	}
	return tui.Batch(cmds...)
}

// open runs an act whose answer brings up another page, or changes this one; keys wait for it.
func open[T any](a *App, f func(context.Context) (T, error), then func(T) tui.Cmd) tui.Cmd {
	a.held.turn++
	a.held.on, a.held.since = true, a.now()
	turn := a.held.turn
	return call(a, f, func(v T, err error) tui.Cmd {
		if turn != a.held.turn {
			return nil
		}
		if err != nil {
			failed := a.failed(err)
			return tui.Batch(failed, a.release(false))
		}
		cmd := then(v)
		return tui.Batch(cmd, a.release(true))
	})
}

// openDone is open for acts that return nothing but an error.
func openDone(a *App, f func(context.Context) error, then func() tui.Cmd) tui.Cmd {
	return open(a, func(ctx context.Context) (struct{}, error) { return struct{}{}, f(ctx) }, func(struct{}) tui.Cmd { return then() })
}

// failed puts a failure on row 23, and acts on those that concern the terminal as a whole.
func (a *App) failed(err error) tui.Cmd {
	switch {
	case errors.Is(err, context.Canceled):
	case fault.Is(err, "service.lost"):
		a.loseService(a.now())
	case fault.KindOf(err) == fault.Unauthenticated && a.shift && !a.locked:
		a.say(errorMark, "", err)
		return a.lock()
	default:
		a.say(errorMark, "", err)
	}
	return nil
}

func (a *App) loseService(at time.Time) {
	if a.lost.IsZero() {
		a.lost = at
	}
}

// tick looks at the clock once a second.
func (a *App) tick() tui.Cmd {
	if !a.shift || a.locked {
		return nil
	}
	if a.now().Sub(a.active) >= a.opt.Idle {
		return a.lock()
	}
	if t, ok := a.page.(ticker); ok {
		return t.tick(a)
	}
	return nil
}

// lock clears the screen. What is being written stays where it is.
func (a *App) lock() tui.Cmd {
	if !a.shift || a.locked {
		return nil
	}
	a.locked = true
	a.pass++
	a.held = hold{turn: a.held.turn + 1}
	a.sign.begin(a, askCode)
	return do(a, a.svc.Lock, func(err error) tui.Cmd {
		// The screen is locked whether the service heard of it or not; the service locks by itself when it hears nothing.
		if err != nil && fault.Is(err, "service.lost") {
			a.loseService(a.now())
		}
		return nil
	})
}

// unlocked goes back to where the agent was.
func (a *App) unlocked() tui.Cmd {
	a.locked = false
	a.pass++
	a.active = a.now()
	a.queue.busy = false
	var again tui.Cmd
	if o, ok := a.page.(opener); ok {
		again = o.open(a)
	}
	return again
}

// signedIn opens the shift.
func (a *App) signedIn(in SignedIn) tui.Cmd {
	if in.User != a.user.User {
		a.drafts, a.queue = map[string]*draft{}, &queuePage{} // Another person's.
	}
	a.user, a.shift, a.locked = in, true, false
	a.pass++
	a.active = a.now()
	if a.stop != nil {
		a.stop()
		a.stop = nil
	}
	if in.Failures > 0 {
		a.sayArgs(noteMark, "desk.msg.failures", locale.Args{"n": in.Failures, "at": a.stamp(in.FailedAt)})
	}
	if in.MustChange {
		a.locked = true
		a.sign.begin(a, askNewPassword)
		return nil // The service answers nothing else until then.
	}
	return a.enter()
}

// enter listens to the service and asks for what the shift still needs.
func (a *App) enter() tui.Cmd {
	a.sign.given = ""
	if a.user.NeedsCode {
		a.locked = true
		a.sign.begin(a, askNewCode)
		return a.subscribe()
	}
	return tui.Batch(a.subscribe(), a.start())
}

// start brings up the first page of a shift.
func (a *App) start() tui.Cmd {
	a.locked = false
	a.queue.busy = false
	return tui.Batch(a.toQueue(), a.loadTeam())
}

// loadTeam asks who belongs to the team; names and extensions on the screens come from it.
func (a *App) loadTeam() tui.Cmd {
	return call(a, a.svc.Agents, func(list []*helpdesk.Agent, err error) tui.Cmd {
		if err != nil {
			return a.failed(err)
		}
		a.team = list
		return nil
	})
}

// subscribed and news carry the service's events to the screen's goroutine.
type subscribed struct {
	stop    context.CancelFunc
	changes <-chan Change
}

type news struct {
	change  Change
	changes <-chan Change
	open    bool
}

func (a *App) subscribe() tui.Cmd {
	svc := a.svc
	return func(ctx context.Context) tui.Event {
		ctx, stop := context.WithCancel(ctx)
		return subscribed{stop, svc.Changes(ctx)}
	}
}

// next waits for one event.
func next(changes <-chan Change) tui.Cmd {
	return func(ctx context.Context) tui.Event {
		select {
		case c, open := <-changes:
			return news{c, changes, open}
		case <-ctx.Done():
			return nil
		}
	}
}

// hear takes in one event of the service.
func (a *App) hear(n news) tui.Cmd {
	if !n.open {
		return nil
	}
	cmds := []tui.Cmd{next(n.changes)}
	if n.change.Lost {
		a.loseService(n.change.At)
		return tui.Batch(cmds...)
	}
	found := !a.lost.IsZero()
	if found {
		a.lost = time.Time{}
		a.say(doneMark, "desk.msg.found", nil)
	}
	if n.change.Beat && !found || a.locked {
		return tui.Batch(cmds...)
	}
	if n.change.Ticket == "" {
		cmds = append(cmds, a.loadTeam())
	}
	if a.page != page(a.queue) {
		cmds = append(cmds, a.queue.load(a))
	}
	if h, ok := a.page.(hearer); ok {
		cmds = append(cmds, h.hear(a, n.change.Ticket))
	}
	return tui.Batch(cmds...)
}
