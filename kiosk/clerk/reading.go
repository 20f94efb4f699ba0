package clerk

import (
	"context"
	"strings"
	"time"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
)

// readingPage is K10: the customer reads. It has no focus, so no key can hurt.
type readingPage struct{ quiet }

func (p *readingPage) keys() []binding {
	return []binding{
		{names: []string{"f11"}, show: "F11", label: "clerk.key.together", rank: 1, do: func(a *App, _ tui.Key) tui.Cmd { return a.together() }},
		keyAside().labelled("clerk.key.aside_next"),
		keyReopen(),
		keyHelp().wider(),
		keyLock(),
	}
}

// input takes a scan: the card may be read while the customer reads.
func (p *readingPage) input(a *App, ev tui.Event) tui.Cmd { return a.scanCard(ev) }

func (p *readingPage) hint(a *App) string { return a.t("clerk.hint.reading", nil) }

// aside sets the order in hand aside: the counter is free, nothing is lost.
func (a *App) aside() tui.Cmd {
	key := a.order().Key
	if key == "" {
		return a.home()
	}
	return open(a, "clerk.wait.aside", func(ctx context.Context) (struct{}, error) { return struct{}{}, a.svc.Aside(ctx, key) },
		func(struct{}) tui.Cmd {
			cmd := a.home()
			a.say(doneMark, "clerk.msg.aside", nil)
			return cmd
		})
}

// setAside sets the order aside without anybody asking, when the customer has been silent for long.
func (a *App) setAside() tui.Cmd {
	key := a.order().Key
	a.home()
	return do(a, func(ctx context.Context) error { return a.svc.Aside(ctx, key) }, func(err error) tui.Cmd {
		if err != nil {
			return a.failed(err) // It is still in hand at this counter, and found there.
		}
		return nil
	})
}

// reopen leads back to the form; the customer will have to agree and read again.
func (a *App) reopen() tui.Cmd {
	key := a.order().Key
	return a.openOrder("clerk.wait.reopen", func(ctx context.Context) (kiosk.OrderView, error) { return a.svc.Reopen(ctx, key) })
}

// cancel stops the order.
func (a *App) cancel() tui.Cmd {
	key := a.order().Key
	return open(a, "clerk.wait.cancel", func(ctx context.Context) (struct{}, error) { return struct{}{}, a.svc.Cancel(ctx, key) },
		func(struct{}) tui.Cmd {
			cmd := a.home()
			a.say(noteMark, "clerk.msg.cancelled", nil)
			return cmd
		})
}

// scanCard gives a scan to the order in hand.
func (a *App) scanCard(ev tui.Event) tui.Cmd {
	s, ok := ev.(tui.Scan)
	if !ok {
		return nil
	}
	key := a.order().Key
	return a.onOrder(func(ctx context.Context) (kiosk.OrderView, error) { return a.svc.ScanCard(ctx, key, s.Text) },
		func(err error) tui.Cmd {
			if err != nil {
				return a.failed(err)
			}
			a.say(doneMark, "clerk.msg.card_read", nil)
			return a.follow()
		})
}

func (p *readingPage) draw(a *App, c *tui.Canvas) {
	a.head(c, a.orderTitle("clerk.reading.title"))
	a.steps(c)
	o, w := a.order(), width(c)
	d := o.Document
	c.Put(1, 3, a.t("clerk.reading.order", nil), tui.Bold)
	c.PutMax(19, 3, 31, o.Number, tui.Text)
	c.PutMax(50, 3, w-50, a.t("clerk.reading.made", locale.Args{"at": a.clock(d.Made), "pages": len(d.Pages)}), tui.Muted)
	a.drawHash(c, 4, a.t("clerk.reading.hash_same", nil))

	y := 6
	fields, objections := 0, len(o.Objections)
	for _, f := range a.service().Fields() {
		if f.Visible {
			fields++
		}
	}
	settled := a.t("clerk.reading.no_objections", nil)
	if objections > 0 {
		settled = a.t("clerk.reading.objections", locale.Args{"n": objections})
	}
	p.step(a, c, y, doneMark, a.t("clerk.reading.agreed_form", locale.Args{"n": fields}), a.clock(o.Times.FormAgreed), settled)
	p.step(a, c, y+1, doneMark, a.t("clerk.reading.shown", nil), a.clock(d.Made), a.t("clerk.reading.version", locale.Args{"version": d.Agreement}))
	y += 2
	page, of := d.Shown, len(d.Pages)
	line := 0
	if page >= 1 && page <= of {
		line = d.Pages[page-1].LastLine
	}
	reading, agreed := waitMark, mark(" ")
	if o.ReadToEnd() {
		reading, agreed = doneMark, waitMark
	}
	current := y
	if agreed == waitMark {
		current = y + 1 + of
	}
	putMark(c, 1, current, "▸")
	p.step(a, c, y, reading, a.t("clerk.reading.reads", nil), a.t("clerk.reading.page", locale.Args{"page": page, "of": of}),
		a.t("clerk.reading.line", locale.Args{"line": line, "of": d.Lines}))
	y++
	end := bottom(c)
	for i, r := range d.Pages {
		if y >= end-1 {
			break
		}
		state, dwell := a.t("clerk.reading.not_yet", nil), ""
		st := tui.Muted
		switch {
		case i+1 == page:
			state, dwell, st = a.t("clerk.reading.now", nil), a.seconds(r.Dwell+a.now().Sub(later(r.Shown, o.Updated))), tui.Text
		case !r.Shown.IsZero():
			state, dwell = a.t("clerk.reading.done", nil), a.seconds(r.Dwell)
		}
		c.Put(7, y, a.t("clerk.reading.page_n", locale.Args{"n": i + 1}), st)
		c.Put(16, y, state, st)
		c.Put(23, y, dwell, st)
		y++
	}
	p.step(a, c, y, agreed, a.t("clerk.reading.whole", nil), a.t("clerk.reading.not_yet", nil), "")
	p.drawNext(a, c, y+2)
	a.drawPanes(c)
}

func later(x, y time.Time) time.Time {
	if x.After(y) {
		return x
	}
	return y
}

// step draws one step with its time.
func (p *readingPage) step(_ *App, c *tui.Canvas, y int, m mark, what, when, note string) {
	putMark(c, 3, y, m)
	c.PutMax(5, y, 35, what, tui.Text)
	c.PutMax(41, y, 10, when, tui.Text)
	c.PutMax(52, y, width(c)-52, note, tui.Muted)
}

// drawNext tells what comes by itself after the reading, and what of it is ready.
func (p *readingPage) drawNext(a *App, c *tui.Canvas, y int) {
	o, end := a.order(), bottom(c)
	if y >= end-1 {
		return
	}
	section(c, 3, y, a.t("clerk.reading.next", nil))
	put := func(id, text string) {
		y++
		if y < end {
			fact(c, 5, y, 15, a.t(id, nil), text)
		}
	}
	card := a.t("clerk.reading.no_card", nil)
	if o.Card != nil {
		ok := 0
		for _, check := range o.Card.Card.Checks {
			if check.OK {
				ok++
			}
		}
		card = a.t("clerk.reading.card", locale.Args{"at": a.minute(o.Card.At), "n": ok})
		if !o.Card.OK() {
			card = a.t("clerk.reading.card_differs", locale.Args{"at": a.minute(o.Card.At)})
		}
	}
	put("clerk.reading.next_card", card)
	portrait := a.t("clerk.reading.camera", nil)
	if a.opt.Portraits == nil {
		portrait = a.t("clerk.reading.no_camera", nil)
	}
	put("clerk.reading.next_portrait", portrait)
	put("clerk.reading.next_confirm", a.t("clerk.reading.confirm", nil))
	for _, s := range a.current().Plan {
		if s.Away {
			put("clerk.reading.next_seal", a.t("clerk.reading.seal_away", nil))
			return
		}
	}
	put("clerk.reading.next_seal", a.t("clerk.reading.seal_ready", nil))
}

// drawHash draws the line that both screens carry.
func (a *App) drawHash(c *tui.Canvas, y int, note string) {
	c.Put(1, y, a.t("clerk.hash", nil), tui.Bold)
	c.Put(19, y, a.current().Hash, tui.Text)
	c.PutMax(50, y, width(c)-50, note, tui.Muted)
}

// togetherPage is the text that the customer reads, opened on the clerk's side to read together (F11).
type togetherPage struct {
	quiet
	page  int
	seen  int // the page that the customer had open when this one looked last
	lines []string
	busy  bool
	err   error
	top   int
	shown int
	under page
}

// together opens the page that the customer's screen shows.
func (a *App) together() tui.Cmd {
	return a.turnOver(&togetherPage{page: max(a.order().Document.Shown, 1), seen: a.order().Document.Shown, under: a.page})
}

// turnOver brings up a page that goes back to the one below it.
func (a *App) turnOver(p page) tui.Cmd {
	a.page = p
	if o, ok := p.(opener); ok {
		return o.open(a)
	}
	return nil
}

func (p *togetherPage) open(a *App) tui.Cmd {
	p.busy = true
	key, n := a.order().Key, p.page
	return call(a, func(ctx context.Context) ([]string, error) { return a.svc.Page(ctx, key, n) }, func(lines []string, err error) tui.Cmd {
		if p.page != n {
			return nil
		}
		p.busy, p.lines, p.err = false, lines, err
		if err != nil {
			return a.failed(err)
		}
		return nil
	})
}

func (p *togetherPage) keys() []binding {
	return []binding{
		{names: []string{"+", "pgdn", "down", "enter"}, show: "+", label: "clerk.key.page_next", rank: 2, do: act((*togetherPage).next)},
		{names: []string{"-", "pgup", "up"}, show: "-", label: "clerk.key.page_before", rank: 3, do: act((*togetherPage).before)},
		{names: []string{"esc", "f11"}, show: "Esc", label: "clerk.key.back", rank: 1, do: act((*togetherPage).close)},
		keyLock(),
	}
}

func (p *togetherPage) next(a *App) tui.Cmd {
	if p.top+p.shown < len(p.lines) {
		p.top += max(p.shown-2, 1)
		return nil
	}
	return p.to(a, p.page+1)
}

func (p *togetherPage) before(a *App) tui.Cmd {
	if p.top > 0 {
		p.top = max(p.top-p.shown+2, 0)
		return nil
	}
	return p.to(a, p.page-1)
}

func (p *togetherPage) to(a *App, n int) tui.Cmd {
	if n < 1 || n > max(len(a.order().Document.Pages), 1) || n == p.page {
		return nil
	}
	p.page, p.top = n, 0
	return p.open(a)
}

func (p *togetherPage) close(a *App) tui.Cmd {
	a.page = p.under
	return a.follow()
}

// tick follows the customer to another page.
func (p *togetherPage) tick(a *App) tui.Cmd {
	if shown := a.order().Document.Shown; shown != p.seen {
		p.seen = shown
		return p.to(a, shown)
	}
	return nil
}

func (p *togetherPage) hint(a *App) string { return a.t("clerk.hint.together", nil) }

func (p *togetherPage) draw(a *App, c *tui.Canvas) {
	a.head(c, strings.Join(nonEmpty(a.orderTitle("clerk.together.title"),
		a.t("clerk.reading.page", locale.Args{"page": p.page, "of": max(len(a.order().Document.Pages), 1)})), "  "))
	a.steps(c)
	w := width(c)
	p.shown = bottom(c) - 3
	var rows []string
	for _, l := range p.lines {
		rows = append(rows, tui.Wrap(l, min(w-8, 72))...)
	}
	for i := p.top; i < len(rows) && i < p.top+p.shown; i++ {
		c.Put(6, 3+i-p.top, rows[i], tui.Text)
	}
	if p.busy && len(p.lines) == 0 {
		c.Put(6, 3, "~ "+a.t("clerk.wait.page", nil), tui.Wait)
	}
}
