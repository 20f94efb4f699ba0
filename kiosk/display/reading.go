package display

import (
	"context"

	"countersign/internal/tui"
	"countersign/kiosk/mirror"
)

// overlap is how many lines of the page before stay in sight.
const overlap = 2

// readingKeys are the keys of C3. Agreeing is reached by + on the last page, when all pages were shown.
func (a *App) readingKeys() []binding {
	p := a.snap.Page
	if p == nil {
		return nil
	}
	var out []binding
	if p.Number < p.Of || p.End {
		out = append(out, binding{names: []string{"+"}, show: "+", label: "display.key.on", do: a.readOn})
	}
	if p.Number > 1 {
		out = append(out, binding{names: []string{"-"}, show: "-", label: "display.key.back", do: func(string) tui.Cmd { return a.turn(p.Number - 1) }})
	}
	return append(out,
		binding{names: []string{"9"}, show: "9", label: "display.key.explain", do: a.explain},
		binding{names: []string{"0"}, show: "0", label: "display.key.wrong", do: a.object})
}

// readOn goes to the next page, from the last one to the question whether to agree.
func (a *App) readOn(string) tui.Cmd {
	p := a.snap.Page
	if p.Number < p.Of {
		return a.turn(p.Number + 1)
	}
	a.agreeing = true
	return nil
}

// turn asks for a page; what is shown is what the service then says.
func (a *App) turn(page int) tui.Cmd {
	if a.turning {
		return nil
	}
	a.turning = true
	order := a.snap.Order
	return a.do(func(ctx context.Context) error { return a.svc.ShowPage(ctx, order, page) }, func(error) { a.turning = false })
}

// turnedTo begins another page at its top, and keeps the end of the page that was left.
func (a *App) turnedTo(old, page *mirror.Page) {
	if page == nil {
		a.before, a.beforeOf = nil, 0
		return
	}
	if old != nil && old.Number == page.Number {
		return
	}
	a.scroll, a.held, a.turning = 0, false, false
	if old != nil && old.Number == page.Number-1 {
		a.before, a.beforeOf = old.Lines[max(len(old.Lines)-overlap, 0):], page.Number
	}
}

// explain calls the clerk to this page.
func (a *App) explain(string) tui.Cmd {
	order := a.snap.Order
	return a.do(func(ctx context.Context) error { return a.svc.Help(ctx, order) }, func(err error) {
		if err == nil {
			a.say(doneMark, "display.msg.explain", nil)
		}
	})
}

// agreeKeys are the keys of C4.
func (a *App) agreeKeys() []binding {
	out := []binding{
		{names: []string{"enter"}, show: "Enter", label: "display.key.agree", do: a.agree, whole: true, once: true},
		{names: []string{"0"}, show: "0", label: "display.key.wrong", do: a.object},
	}
	if a.snap.Stage == mirror.Reading {
		out = append(out, binding{names: []string{"-"}, show: "-", label: "display.key.back", do: func(string) tui.Cmd {
			a.agreeing = false
			return nil
		}})
	}
	return out
}

// agree agrees with the text whose digest is on the screen, and with no other.
func (a *App) agree(string) tui.Cmd {
	order, digest := a.snap.Order, a.snap.Digest
	return a.decide(func(ctx context.Context) error { return a.svc.Agree(ctx, order, digest) }, nil)
}
