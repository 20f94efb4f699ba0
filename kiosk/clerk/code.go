package clerk

import (
	"context"
	"strconv"
	"strings"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
)

// codePage is K13: the course of the customer's confirmation. It shows no code, only how many digits were typed.
type codePage struct {
	quiet
	attesting bool // the clerk's word is on its way
}

func (p *codePage) keys() []binding {
	return []binding{
		{names: []string{"1"}, show: "1", label: "clerk.key.resend", rank: 1, on: when((*codePage).mayResend, "clerk.why.resend"), do: act((*codePage).resend)},
		{names: []string{"2"}, show: "2", label: "clerk.key.rewrite", rank: 2, on: when((*codePage).wrote, ""), do: act((*codePage).rewrite)},
		{names: []string{"3"}, show: "3", label: "clerk.key.fix_address", rank: 3, on: when((*codePage).running, ""), do: func(a *App, _ tui.Key) tui.Cmd { return a.reopen() }},
		keyAside().labelled("clerk.key.aside_next"),
		{names: []string{"f10"}, show: "F10", label: "clerk.key.attest", rank: 1, on: when((*codePage).mayAttest, "clerk.why.unwritten"), do: act((*codePage).attest)},
		{names: []string{"f1"}, show: "F1", label: "clerk.key.rank", rank: 5, do: act((*codePage).rank)},
		{names: []string{"esc"}, show: "Esc", label: "clerk.key.stop_signing", rank: 1, do: func(a *App, _ tui.Key) tui.Cmd { return a.reopen() }},
		keyLock().wider(),
	}
}

func (p *codePage) running(a *App) bool { return a.order().State == kiosk.Confirming }

// mayResend reports whether another code may be sent to the same address now.
func (p *codePage) mayResend(a *App) bool {
	ch := a.current().Challenge
	return ch != nil && ch.Method == "otp_mail" && !ch.Again.IsZero() && !a.now().Before(ch.Again)
}

func (p *codePage) resend(a *App) tui.Cmd {
	key := a.order().Key
	return a.onOrder(func(ctx context.Context) (kiosk.OrderView, error) { return a.svc.Resend(ctx, key) }, func(err error) tui.Cmd {
		if err != nil {
			return a.failed(err)
		}
		a.say(doneMark, "clerk.msg.resent", nil)
		return nil
	})
}

func (p *codePage) rank(a *App) tui.Cmd {
	id := "clerk.msg.ranks"
	if way := a.order().Way; way != "" {
		id = "clerk.msg.rank." + strconv.Itoa(int(way.Rank()))
	}
	a.say(noteMark, id, nil)
	return nil
}

func (p *codePage) hint(a *App) string {
	switch a.order().Way {
	case kiosk.ByInk:
		return a.t("clerk.hint.ink", nil)
	case kiosk.ByToken, kiosk.ByRemote:
		return a.t("clerk.hint.own", nil)
	}
	return a.t("clerk.hint.code", nil)
}

func (p *codePage) alert(a *App) (mark, string) {
	ch := a.current().Challenge
	if ch == nil {
		return "", ""
	}
	switch ch.State {
	case "dead", "expired", "void":
		return errorMark, a.t("clerk.code.dead", locale.Args{"at": a.minute(ch.Again)})
	}
	if ch.Sent == "failed" {
		return errorMark, a.t("clerk.code.mail_failed", locale.Args{"why": ch.SentNote})
	}
	return "", ""
}

func (p *codePage) draw(a *App, c *tui.Canvas) {
	a.head(c, a.orderTitle("clerk.code.title"))
	a.steps(c)
	ch, w, way := a.current().Challenge, width(c), a.order().Way
	method, rank, why := "clerk.code.none", "", "clerk.code.not_chosen"
	if way != "" {
		method, rank, why = "clerk.method."+way.Record(), a.t("clerk.code.rank", locale.Args{"rank": way.Rank().String()}), "clerk.code.chosen"
	}
	for _, o := range a.current().Offers {
		if o.Method == kiosk.ByToken && o.Why == kiosk.WhyDevice && way.Code() {
			why = "offer." + o.Why // nobody chose it freely
		}
	}
	c.Put(1, 3, a.t("clerk.code.how", nil), tui.Bold)
	c.PutMax(17, 3, 28, a.t(method, nil), tui.Text)
	c.PutMax(46, 3, w-46, rank, tui.Muted)
	c.Put(1, 4, a.t("clerk.code.why", nil), tui.Bold)
	c.PutMax(17, 4, w-17, a.t(why, nil), tui.Text)
	c.Put(1, 5, a.t("clerk.hash", nil), tui.Bold)
	c.Put(17, 5, a.current().Hash, tui.Text)
	c.PutMax(46, 5, w-46, a.t("clerk.code.bound", nil), tui.Muted)
	if way != "" && !way.Code() {
		if way == kiosk.ByInk {
			p.drawPad(a, c, 7)
		} else {
			p.drawOwn(a, c, 7)
		}
		a.drawPanes(c)
		return
	}
	y := p.drawCourse(a, c, 7)

	if ch != nil {
		y++
		section(c, 1, y, a.t("clerk.code.trouble", nil))
		y++
		if ch.Method == "otp_mail" {
			note := a.t("clerk.code.choice1_note", nil)
			if !p.mayResend(a) && !ch.Again.IsZero() {
				note = a.t("clerk.code.again_in", locale.Args{"left": a.seconds(ch.Again.Sub(a.now()))})
			}
			p.choice(a, c, y, "1", "clerk.code.choice1", note, p.mayResend(a))
			y++
		}
		p.choice(a, c, y, "2", "clerk.code.choice2", a.t("clerk.code.choice2_note", nil), false)
		p.choice(a, c, y+1, "3", "clerk.code.choice3", a.t("clerk.code.choice3_note", nil), true)
		y += 2
	}
	c.PutMax(1, min(y+1, bottom(c)-1), w-2, a.t("clerk.code.never", nil), tui.Text)
	a.drawPanes(c)
}

func (p *codePage) choice(a *App, c *tui.Canvas, y int, key, label, note string, live bool) {
	st := tui.Muted
	if live {
		st = tui.Text
	}
	c.Put(3, y, key, st|tui.Bold)
	c.PutMax(6, y, 31, a.t(label, nil), st)
	c.PutMax(38, y, width(c)-38, note, tui.Muted)
}

// course returns what draws one step of a confirmation and moves y on to the next: whether the order stands there, what
// happens, when, and what is to be said of it.
func course(c *tui.Canvas, y *int) func(m mark, here bool, what, when, note string) {
	return func(m mark, here bool, what, when, note string) {
		if here {
			putMark(c, 1, *y, "▸")
		}
		putMark(c, 3, *y, m)
		c.PutMax(5, *y, 25, what, tui.Text)
		c.PutMax(30, *y, 10, when, tui.Text)
		c.PutMax(41, *y, width(c)-41, note, tui.Muted)
		*y++
	}
}

// drawCourse draws what has happened and what the customer does now.
func (p *codePage) drawCourse(a *App, c *tui.Canvas, y int) int {
	ch := a.current().Challenge
	put := course(c, &y)
	if a.order().State == kiosk.Agreed {
		put(waitMark, true, a.t("clerk.code.making", nil), "", "")
	}
	if ch == nil {
		put(waitMark, true, a.t("clerk.code.chooses", nil), "", a.t("clerk.code.on_their_screen", nil))
		return y
	}
	put(doneMark, false, a.t("clerk.code.asked", nil), a.clock(ch.Asked), a.t("clerk.code.purpose", locale.Args{"serial": serial(a.order().Number)}))
	if ch.Method == "otp_mail" {
		switch ch.Sent {
		case "done":
			put(doneMark, false, a.t("clerk.code.mail_taken", nil), a.clock(ch.SentAt), ch.To)
		case "failed":
			put("✗", false, a.t("clerk.code.mail_refused", nil), a.clock(ch.SentAt), ch.SentNote)
		default:
			put(waitMark, true, a.t("clerk.code.mail_waits", nil), "", ch.To)
		}
	}
	signed := a.order().State == kiosk.Confirmed
	m := waitMark
	if signed || ch.State == "used" {
		m = doneMark
	}
	left := a.seconds(ch.Expires.Sub(a.now()))
	put(m, m == waitMark, a.t("clerk.code.types", nil), a.t("clerk.code.try", locale.Args{"n": max(ch.Try, 1), "of": ch.Tries}),
		a.t("clerk.code.left", locale.Args{"left": left})+", "+a.t("clerk.code.digits", locale.Args{"n": ch.Digits}))
	put(" ", false, a.t("clerk.code.signature", nil), a.t("clerk.reading.not_yet", nil), "")
	put(" ", false, a.t("clerk.code.destroyed", nil), a.t("clerk.reading.not_yet", nil), "")
	return y
}

func upper(s string) string { return strings.ToUpper(s) }

// drawOwn draws the course of a signature with a key of the customer's own.
func (p *codePage) drawOwn(a *App, c *tui.Canvas, y int) {
	own, w := a.order().Own, width(c)
	if own == nil {
		return
	}
	put := course(c, &y)
	put(doneMark, false, a.t("clerk.own.asked", nil), a.clock(own.Asked), a.t("clerk.code.purpose", locale.Args{"serial": serial(a.order().Number)}))
	switch {
	case own.State == kiosk.RemoteFailed:
		put("✗", true, a.t("clerk.own.failed", nil), "", locale.Fault(a.lang, fault.New(fault.Conflict, own.Failed, own.FailedArgs)))
	case own.PreparedID == "":
		put(waitMark, true, a.t("clerk.own.chooses", nil), "", a.t("clerk.code.on_their_screen", nil))
	default:
		put(doneMark, false, a.t("clerk.own.certificate", nil), a.clock(own.Prepared), a.t("clerk.own.whose", locale.Args{"issuer": own.Issuer, "serial": own.Serial}))
		where := a.t("clerk.code.on_their_screen", nil)
		if own.Provider != "" {
			where = a.t("clerk.own.phone", locale.Args{"provider": own.Provider, "serial": serial(a.order().Number), "left": a.seconds(max(own.Until.Sub(a.now()), 0))})
		}
		put(waitMark, true, a.t("clerk.own.signs", nil), "", where)
	}
	put(" ", false, a.t("clerk.own.signature", nil), a.t("clerk.reading.not_yet", nil), "")
	c.PutMax(1, min(y+1, bottom(c)-1), w-2, a.t("clerk.own.never", nil), tui.Text)
}
