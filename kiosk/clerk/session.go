package clerk

import (
	"context"
	"errors"
	"maps"
	"time"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
)

// hold keeps the keys that were pressed while a page is being opened. They are given to the page once it is there, or
// dropped when it did not come: then they were meant for something else.
type hold struct {
	on    bool
	since time.Time
	label string // catalogue id of what is waited for
	queue []tui.Event
	turn  int // counts holds: the answer to one that was given up is dropped
}

// patience is how long a wait goes on before row 23 speaks of it, and stopping how long before a key may end it.
const (
	patience = 150 * time.Millisecond
	stopping = 3 * time.Second
)

// wait holds the keyboard until release is called with the returned number.
func (a *App) wait(label string) int {
	a.held.turn++
	a.held.on, a.held.since, a.held.label = true, a.now(), label
	return a.held.turn
}

// holdKey keeps a key for the page that is to come; after three seconds F3 and Esc stop waiting.
func (a *App) holdKey(k tui.Key) tui.Cmd {
	if (k.Name == "esc" || k.Name == "f3") && a.now().Sub(a.held.since) >= stopping {
		a.held.on, a.held.queue = false, nil
		a.held.turn++
		a.say(noteMark, "clerk.msg.stopped", nil)
		return nil
	}
	a.held.queue = append(a.held.queue, k)
	return nil
}

// release lets the held keys act. ok tells that the page they were meant for is there.
func (a *App) release(turn int, ok bool) tui.Cmd {
	if turn != a.held.turn || !a.held.on {
		return nil
	}
	a.held.on = false
	if !ok {
		a.held.queue = nil
		return nil
	}
	var cmds []tui.Cmd
	for len(a.held.queue) > 0 && !a.held.on && !a.locked {
		ev := a.held.queue[0]
		a.held.queue = a.held.queue[1:]
		if k, isKey := ev.(tui.Key); isKey {
			cmds = append(cmds, a.press(k))
			continue
		}
		cmds = append(cmds, a.page.input(a, ev))
	}
	return tui.Batch(cmds...)
}

// open runs an act whose answer brings up another page; keys wait for it.
func open[T any](a *App, label string, f func(context.Context) (T, error), then func(T) tui.Cmd) tui.Cmd {
	turn := a.wait(label)
	return call(a, f, func(v T, err error) tui.Cmd {
		if turn != a.held.turn {
			return nil
		}
		if err != nil {
			failed := a.failed(err)
			return tui.Batch(failed, a.release(turn, false))
		}
		cmd := then(v)
		return tui.Batch(cmd, a.release(turn, true))
	})
}

// openOrder is open for acts on the order in hand; the page of the order's new step comes up when it is another one.
func (a *App) openOrder(label string, f func(context.Context) (kiosk.OrderView, error)) tui.Cmd {
	key := a.order().Key
	return open(a, label, f, func(v kiosk.OrderView) tui.Cmd {
		if a.order().Key != key {
			return nil
		}
		a.adopt(v)
		return a.follow()
	})
}

// failed puts a failure on row 23, and acts on those that concern the terminal as a whole.
func (a *App) failed(err error) tui.Cmd {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	switch {
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
	var cmds []tui.Cmd
	if a.shift && !a.locked {
		limit := a.opt.Idle
		if a.waiting() {
			limit = a.opt.Waiting
		}
		if a.now().Sub(a.active) >= limit {
			if a.waiting() && a.view != nil {
				cmds = append(cmds, a.setAside())
			}
			cmds = append(cmds, a.lock())
			return tui.Batch(cmds...)
		}
		if t, ok := a.page.(ticker); ok {
			cmds = append(cmds, t.tick(a))
		}
		if !a.lost.IsZero() {
			cmds = append(cmds, a.nextSave())
		}
	}
	return tui.Batch(cmds...)
}

// waiting reports whether the desk waits for the customer, who may take longer than a clerk.
func (a *App) waiting() bool {
	switch a.page.(type) {
	case *readingPage, *togetherPage, *codePage:
		return true
	case *checkPage:
		return a.order().State == kiosk.Invited
	}
	return false
}

// lock clears both screens. What is being typed stays where it is.
func (a *App) lock() tui.Cmd {
	if !a.shift || a.locked {
		return nil
	}
	a.locked = true
	a.pass++
	a.held = hold{turn: a.held.turn + 1}
	a.saves.cut()
	a.sign.begin(a, askCode)
	return do(a, a.svc.Lock, func(err error) tui.Cmd {
		// The screen is locked whether the service heard of it or not; the service locks by itself when it hears nothing.
		if err != nil && fault.Is(err, "service.lost") {
			a.loseService(a.now())
		}
		return nil
	})
}

// Hangup locks both screens at once: for a lost terminal, whose program is about to end.
func (a *App) Hangup(ctx context.Context) error {
	if !a.shift || a.locked {
		return nil
	}
	a.locked = true
	return a.svc.Lock(ctx)
}

// unlocked goes back to the very cell where the clerk was.
func (a *App) unlocked() tui.Cmd {
	a.locked = false
	a.pass++
	a.active = a.now()
	cmds := []tui.Cmd{a.nextSave()}
	if o, ok := a.page.(opener); ok {
		cmds = append(cmds, o.open(a))
	}
	if a.view != nil {
		cmds = append(cmds, a.refresh())
	}
	return tui.Batch(cmds...)
}

// refresh asks for the order in hand again.
func (a *App) refresh() tui.Cmd {
	key := a.order().Key
	return a.onOrder(func(ctx context.Context) (kiosk.OrderView, error) { return a.svc.Order(ctx, key) },
		func(err error) tui.Cmd {
			if err != nil {
				return a.failed(err)
			}
			return a.follow()
		})
}

// signedIn opens the shift.
func (a *App) signedIn(in SignedIn) tui.Cmd {
	a.me, a.shift, a.locked = in, true, false
	a.pass++
	a.active = a.now()
	if a.stop != nil {
		a.stop()
	}
	if in.Failures > 0 {
		a.sayArgs(noteMark, "clerk.msg.failures", locale.Args{"n": in.Failures, "at": a.stamp(in.FailedAt), "place": in.FailPlace})
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
	cmds := []tui.Cmd{a.subscribe(), a.loadServices()}
	if a.me.NeedsCode {
		a.locked = true
		a.sign.begin(a, askNewCode)
		return tui.Batch(cmds...)
	}
	return tui.Batch(append(cmds, a.start())...)
}

// start brings up the first page of a shift: the order that was in hand, else the home page.
func (a *App) start() tui.Cmd {
	a.locked = false
	cmd := a.home()
	if key := a.me.Order; key != "" {
		a.me.Order = ""
		return tui.Batch(cmd, open(a, "clerk.wait.order",
			func(ctx context.Context) (kiosk.OrderView, error) { return a.svc.Order(ctx, key) }, a.begin))
	}
	return cmd
}

// subscribed and news carry the service's events to the screen's goroutine.
type subscribed struct {
	stop   context.CancelFunc
	events <-chan Update
}

type news struct {
	update Update
	events <-chan Update
	open   bool
}

func (a *App) subscribe() tui.Cmd {
	svc := a.svc
	return func(ctx context.Context) tui.Event {
		ctx, stop := context.WithCancel(ctx)
		return subscribed{stop, svc.Events(ctx)}
	}
}

func (a *App) listen(s subscribed) tui.Cmd {
	a.stop = s.stop
	return next(s.events)
}

// next waits for one event.
func next(events <-chan Update) tui.Cmd {
	return func(ctx context.Context) tui.Event {
		select {
		case u, open := <-events:
			return news{u, events, open}
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
	cmds := []tui.Cmd{next(n.events)}
	if n.update.Lost {
		a.loseService(n.update.At)
		return tui.Batch(cmds...)
	}
	if !a.lost.IsZero() {
		a.found()
		cmds = append(cmds, a.nextSave())
	}
	ev := n.update.Event
	if ev.Active.After(a.active) {
		a.active = ev.Active
	}
	if ev.Locked && !a.locked {
		cmds = append(cmds, a.lock())
	}
	if ev.Seam.ID != "" {
		if ev.Seam.Bell && !a.opt.Silent && !sameSeam(ev.Seam, a.seam) {
			cmds = append(cmds, tui.Bell())
		}
		a.seam = ev.Seam
	}
	if v := ev.Order; v != nil && v.Order.Key == a.order().Key && v.Order.Key != "" {
		cmds = append(cmds, a.changed(*v))
	}
	if ev.Home && !a.locked {
		if h, ok := a.page.(*homePage); ok {
			cmds = append(cmds, h.load(a))
		}
	}
	return tui.Batch(cmds...)
}

// sameSeam reports whether two seams say the same, so that the bell rings once.
func sameSeam(x, y kiosk.Seam) bool {
	return x.ID == y.ID && maps.Equal(x.Args, y.Args) && x.At.Equal(y.At)
}

// changed takes in a state of the order that somebody else's act led to.
func (a *App) changed(v kiosk.OrderView) tui.Cmd {
	before := a.order().State
	asked := a.order().OpenObjection("") != nil
	a.adopt(v)
	if a.locked {
		return nil
	}
	if f, ok := a.page.(*formPage); ok {
		f.news(a)
	}
	o := a.order()
	if ob := o.OpenObjection(""); ob != nil && !asked {
		a.sayArgs(errorMark, "clerk.msg.objection", locale.Args{"n": a.numberOf(ob.Field), "reason": a.reason(ob.Reason)})
	}
	if before != kiosk.Draft && before != kiosk.Invited && o.State == kiosk.Draft {
		a.say(noteMark, "clerk.msg.reopened", nil)
	}
	return a.follow()
}
