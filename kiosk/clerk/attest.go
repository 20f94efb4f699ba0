package clerk

import (
	"context"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
)

// What K13 shows and does while the customer writes by hand. The clerk's word that they saw it is a key of its own and
// never given for them.

// byHand reports whether the customer chose to write by hand.
func (p *codePage) byHand(a *App) bool { return a.order().Way == kiosk.ByInk }

// mayAttest reports whether there is handwriting for which nothing else is under way.
func (p *codePage) mayAttest(a *App) bool { return p.wrote(a) && !p.attesting }

func (p *codePage) wrote(a *App) bool {
	return p.byHand(a) && p.running(a) && a.order().Pen.Written()
}

func (p *codePage) attest(a *App) tui.Cmd {
	p.attesting = true
	key := a.order().Key
	return a.onOrder(func(ctx context.Context) (kiosk.OrderView, error) { return a.svc.Attest(ctx, key) }, func(err error) tui.Cmd {
		p.attesting = false
		if err != nil {
			return a.failed(err)
		}
		return a.follow()
	})
}

func (p *codePage) rewrite(a *App) tui.Cmd {
	key := a.order().Key
	return a.onOrder(func(ctx context.Context) (kiosk.OrderView, error) { return a.svc.Rewrite(ctx, key) }, func(err error) tui.Cmd {
		if err != nil {
			return a.failed(err)
		}
		a.say(doneMark, "clerk.msg.rewrite", nil)
		return nil
	})
}

// drawPad draws the course of a handwriting and what was written.
func (p *codePage) drawPad(a *App, c *tui.Canvas, y int) {
	w, pad := width(c), a.current().Pad
	put := course(c, &y)
	if pad == nil {
		return
	}
	put(doneMark, false, a.t("clerk.ink.given", nil), a.clock(pad.Began), a.t("clerk.code.purpose", locale.Args{"serial": serial(a.order().Number)}))
	if pad.Ended.IsZero() {
		put(waitMark, true, a.t("clerk.ink.writes", nil), "", a.t("clerk.code.on_their_screen", nil))
		put(" ", false, a.t("clerk.ink.attest", nil), a.t("clerk.reading.not_yet", nil), "")
		c.PutMax(1, min(y+1, bottom(c)-1), w-2, a.t("clerk.ink.watch", nil), tui.Text)
		return
	}
	args := locale.Args{"strokes": pad.Strokes, "length": pad.Length, "time": a.seconds(pad.Duration)}
	put(doneMark, false, a.t("clerk.ink.wrote", nil), a.clock(pad.Ended), a.t("clerk.ink.facts", args))
	m := waitMark
	if a.order().State == kiosk.Confirmed {
		m = doneMark
	}
	put(m, m == waitMark, a.t("clerk.ink.attest", nil), "", a.t("clerk.ink.word", locale.Args{"customer": a.order().Confirmee}))
	y++
	for _, line := range pad.Preview {
		if y < bottom(c)-2 {
			c.PutMax(5, y, w-6, line, tui.Accent)
			y++
		}
	}
	c.PutMax(1, min(y+1, bottom(c)-1), w-2, a.t("clerk.ink.unseen", nil), tui.Text)
}
