package display

import (
	"context"
	"fmt"
	"time"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk/mirror"
)

// act is one thing that the customer asked for.
type act struct {
	run  func(context.Context) error
	done func(error) // nil: a failure is told, success shows in the next snapshot
}

// acts go out one after the other, in the order of the keys.
type acts struct {
	list []act
	busy bool
	turn int // counts orders and curtains: answers of an earlier turn are dropped

	decided time.Time // when something was decided that may be decided only once
	about   string    // what it was about
}

// answer is the outcome of an act.
type answer struct {
	turn int
	act  act
	err  error
}

// do queues an act.
func (a *App) do(run func(context.Context) error, done func(error)) tui.Cmd {
	a.acts.list = append(a.acts.list, act{run, done})
	return a.next()
}

// decide queues an act that moves the order on; until its outcome shows, no key decides again.
func (a *App) decide(run func(context.Context) error, done func(error)) tui.Cmd {
	a.acts.decided, a.acts.about = a.now(), a.about()
	return a.do(run, done)
}

// about names what a decision is about; when it changes, the next decision is due.
func (a *App) about() string {
	s := &a.snap
	out := fmt.Sprintf("%s %s %s", s.Order, a.stage, s.Digest)
	if s.Question != nil {
		out += " question " + s.Question.Field
	}
	if s.Confirm != nil {
		out += " code " + s.Confirm.SentAt.String()
		if s.Stage == mirror.Ink || s.Stage == mirror.Remote {
			out += " " + s.Confirm.State
		}
	}
	if s.Delivery != nil {
		out += " receipt " + s.Delivery.Medium + s.Delivery.MailState + s.Delivery.Print
	}
	return out + " picture " + s.Portrait
}

// undecided reports whether a decision may be taken now.
func (a *App) undecided() bool {
	q := &a.acts
	if q.decided.IsZero() || q.about != a.about() {
		return true
	}
	return !q.busy && a.now().Sub(q.decided) > patience
}

// next sends the first act that waits.
func (a *App) next() tui.Cmd {
	q := &a.acts
	if q.busy || len(q.list) == 0 {
		return nil
	}
	first, turn := q.list[0], q.turn
	q.list, q.busy = q.list[1:], true
	return func(ctx context.Context) tui.Event { return answer{turn, first, first.run(ctx)} }
}

// answered takes the outcome of an act in, unless the customer or the connection has gone meanwhile.
func (a *App) answered(ev answer) tui.Cmd {
	if ev.turn != a.acts.turn {
		return nil
	}
	a.acts.busy = false
	if ev.err != nil {
		a.acts.decided = time.Time{}
		a.notice = notice{mark: errorMark, text: locale.Fault(a.lang(), ev.err)}
	}
	if ev.act.done != nil {
		ev.act.done(ev.err)
	}
	return a.next()
}

// forgetActs drops what waits and the answers that are still to come.
func (a *App) forgetActs() { a.acts = acts{turn: a.acts.turn + 1} }

// touch tells the service that somebody is there.
func (a *App) touch() tui.Cmd {
	if !a.have || !a.lost.IsZero() {
		return nil
	}
	return func(ctx context.Context) tui.Event {
		_ = a.svc.Touch(ctx) // The next key or the silence tells as much.
		return nil
	}
}
