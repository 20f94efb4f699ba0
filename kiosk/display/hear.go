package display

import (
	"context"
	"time"

	"countersign/internal/tui"
	"countersign/kiosk/mirror"
)

// hear takes the newest state in. Its numbering starts anew with the service, so the order of arrival counts.
func (a *App) hear(s mirror.Snapshot) tui.Cmd {
	now := a.now()
	old := a.snap
	a.snap, a.have, a.heard, a.lost = s, true, now, time.Time{}
	a.ahead = 0
	if !s.Now.IsZero() {
		a.ahead = s.Now.Sub(now)
	}
	if s.Order != old.Order || s.Stage == mirror.Curtain {
		a.forget()
	}
	if s.Order != a.cleared {
		a.cleared = ""
	}
	if old.Stage != s.Stage || old.Digest != s.Digest {
		a.agreeing, a.choosing, a.turning = false, false, false
	}
	if len(s.Rows) > 0 {
		a.rows = s.Rows
		a.closeReport()
	}
	if old.Marked != s.Marked {
		a.held = false
	}
	a.turnedTo(old.Page, s.Page)
	if !sameQuestion(old.Confirm, s.Confirm) {
		a.wipe()
		a.dropStrokes()
		a.dropOwn()
		a.enrolled, a.secret, a.choosing = false, false, false
	}
	a.settle()
	if a.acts.about != a.about() {
		a.acts.decided = time.Time{}
	}
	return tui.Batch(a.fetch(), a.askPad(), a.lookForTokens(), a.askOnlyProvider())
}

// forget drops all that belongs to the order or to the connection that has gone.
func (a *App) forget() {
	a.wipe()
	a.dropStrokes()
	a.dropOwn()
	a.forgetActs()
	a.rows, a.asking, a.reported = nil, asking{}, report{}
	a.agreeing, a.turning, a.before, a.beforeOf = false, false, nil, 0
	a.enrolled, a.secret, a.choosing, a.full = false, false, false, time.Time{}
	a.picture = picture{}
	a.notice = notice{}
}

// settle finds the stage and begins it when it is another one than before.
func (a *App) settle() {
	stage := a.shown()
	if stage == a.stage {
		return
	}
	if stage != mirror.Code {
		a.wipe()
	}
	switch stage {
	case mirror.Form, mirror.Invite, mirror.Reading, mirror.Agree:
	default:
		a.asking = asking{} // The form can't be objected to from here.
	}
	a.stage, a.since, a.scroll, a.held = stage, a.now(), 0, false
	a.notice = notice{}
	a.full = time.Time{}
}

// shown is the stage that the screen has to show: the service's, or what the customer has asked for within it.
func (a *App) shown() mirror.Stage {
	if !a.have || !a.lost.IsZero() {
		return mirror.Curtain
	}
	s := &a.snap
	switch s.Stage {
	case mirror.Welcome:
		if !a.stopped.IsZero() {
			return mirror.Stopped
		}
	case mirror.Reading:
		if a.agreeing && s.Page != nil && s.Page.End {
			return mirror.Agree
		}
	case mirror.Channel, mirror.Enrol, mirror.Code, mirror.Ink, mirror.Token, mirror.Remote:
		return a.confirming()
	case mirror.Receipt:
		if chosen(s.Delivery) {
			return mirror.Rating
		}
	case mirror.Thanks:
		if a.cleared != "" && a.cleared == s.Order {
			return mirror.Welcome
		}
	case mirror.Curtain, mirror.Visit, mirror.Form, mirror.Invite, mirror.Agree, mirror.Card, mirror.Waiting, mirror.Rating, mirror.Stopped:
	default:
		return mirror.Curtain // A stage that this program does not know is not shown half.
	}
	return s.Stage
}

// tick looks at the clock: silence, and what goes on by itself.
func (a *App) tick() tui.Cmd {
	now := a.now()
	if a.lost.IsZero() && now.Sub(a.heard) > silence {
		a.lost = a.heard
		a.forget()
		a.settle()
		return nil
	}
	if !a.stopped.IsZero() && now.After(a.stopped) {
		a.stopped = time.Time{}
		a.settle()
	}
	if !a.full.IsZero() && !now.Before(a.full) {
		a.full = time.Time{}
	}
	if a.notice.mark != errorMark && now.Sub(a.notice.at) > noteTime {
		a.notice = notice{}
	}
	waited := now.Sub(a.since)
	order := a.snap.Order
	var run func(context.Context) error
	switch {
	case a.stage == mirror.Receipt && waited >= choiceTime:
		run = func(ctx context.Context) error { return a.svc.Receipt(ctx, order, "none") }
	case a.stage == mirror.Rating && waited >= ratingTime:
		run = func(ctx context.Context) error { return a.svc.Rate(ctx, order, 0) }
	case a.stage == mirror.Thanks && waited >= thanksTime:
		return a.clear()
	}
	if run == nil || !a.undecided() {
		return a.lookForTokens()
	}
	a.since = now
	return a.decide(run, nil)
}

// clear takes the thanks off the screen, whatever the service answers.
func (a *App) clear() tui.Cmd {
	order := a.snap.Order
	a.forget()
	a.cleared = order
	a.settle()
	return a.do(func(ctx context.Context) error { return a.svc.Done(ctx, order) }, func(error) { a.notice = notice{} })
}
