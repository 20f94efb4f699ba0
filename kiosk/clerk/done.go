package clerk

import (
	"context"
	"strings"
	"time"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
)

// donePage is K15: signed, sealed, stored; hand-over and receipt go on by themselves. It never shows the rating.
type donePage struct {
	mail *tui.Field // the corrected address for the receipt, while it is being typed
}

func (p *donePage) keys() []binding {
	if p.mail != nil {
		return []binding{
			{names: []string{"enter"}, show: "Enter", label: "clerk.key.accept", rank: 1, do: act((*donePage).fixed)},
			{names: []string{"esc"}, show: "Esc", label: "clerk.key.leave", rank: 1, do: act((*donePage).unfix)},
			keyLock(),
		}
	}
	return []binding{
		{names: []string{"enter", "esc"}, show: "Enter", label: "clerk.key.go_home", rank: 1, do: func(a *App, _ tui.Key) tui.Cmd { return a.letGo() }},
		{names: []string{"f6"}, show: "F6", label: "clerk.key.another", rank: 2, do: act((*donePage).another)},
		{names: []string{"f8"}, show: "F8", label: "clerk.key.fix_mail", rank: 3, on: when((*donePage).mayFix, "clerk.why.no_mail"), do: act((*donePage).fix)},
		{names: []string{"f11"}, show: "F11", label: "clerk.key.see_order", rank: 4, do: act((*donePage).see)},
		{names: []string{"f5"}, show: "F5", label: "clerk.key.reprint", rank: 3, on: when((*donePage).mayPrint, "clerk.why.no_print"), do: act((*donePage).reprint)},
		keyHelp().wider(),
		keyLock().wider(),
	}
}

func (p *donePage) typed(a *App, k tui.Key) tui.Cmd {
	if p.mail != nil {
		p.mail.Handle(k)
	}
	return nil
}

// input takes the next customer's card.
func (p *donePage) input(a *App, ev tui.Event) tui.Cmd {
	switch ev := ev.(type) {
	case tui.Scan:
		return tui.Batch(a.letGo(), a.scanVisit("", ev.Text))
	case tui.Paste:
		if p.mail != nil {
			p.mail.Paste(ev.Text)
		}
	}
	return nil
}

// letGo frees the counter and goes home; the customer's screen takes its own time to say goodbye.
func (a *App) letGo() tui.Cmd {
	cmd := a.home()
	return tui.Batch(cmd, do(a, a.svc.Release, func(err error) tui.Cmd {
		if err != nil {
			return a.failed(err)
		}
		return nil
	}))
}

// another starts a further order for the same person: identity, card and picture of this visit are used again.
func (p *donePage) another(a *App) tui.Cmd {
	key := a.order().Visit
	return open(a, "clerk.wait.visit", func(ctx context.Context) (kiosk.VisitView, error) { return a.svc.Visit(ctx, key) },
		func(v kiosk.VisitView) tui.Cmd {
			a.view = nil
			return a.visited(v)
		})
}

func (p *donePage) see(a *App) tui.Cmd {
	return a.turnOver(&evidencePage{key: a.order().Key, under: p})
}

func (p *donePage) mayPrint(a *App) bool {
	m := a.order().Receipt.Medium
	return m == "print" || m == "both"
}

func (p *donePage) reprint(a *App) tui.Cmd {
	key := a.order().Key
	return a.onOrder(func(ctx context.Context) (kiosk.OrderView, error) { return a.svc.Reprint(ctx, key) }, func(err error) tui.Cmd {
		if err != nil {
			return a.failed(err)
		}
		a.say(doneMark, "clerk.msg.reprinted", nil)
		return nil
	})
}

// mayFix reports whether the receipt's address is to be corrected: the customer or the mail server said so.
func (p *donePage) mayFix(a *App) bool {
	r := a.order().Receipt
	return r.WrongMail || r.Mail.State == "failed"
}

func (p *donePage) fix(a *App) tui.Cmd {
	p.mail = &tui.Field{Max: 120, Line: true}
	p.mail.Set(a.order().Receipt.To)
	return nil
}

func (p *donePage) unfix(*App) tui.Cmd {
	p.mail = nil
	return nil
}

// fixed corrects the address for delivery only; the signed order stays as it is.
func (p *donePage) fixed(a *App) tui.Cmd {
	key, to := a.order().Key, p.mail.Value()
	return a.onOrder(func(ctx context.Context) (kiosk.OrderView, error) { return a.svc.FixMail(ctx, key, to) }, func(err error) tui.Cmd {
		if err != nil {
			return a.failed(err)
		}
		p.mail = nil
		a.say(doneMark, "clerk.msg.mail_fixed", nil)
		return nil
	})
}

func (p *donePage) hint(a *App) string { return a.t("clerk.hint.done", nil) }

func (p *donePage) alert(a *App) (mark, string) {
	r := a.order().Receipt
	switch {
	case r.Print.State == "failed":
		return errorMark, a.t("clerk.done.print_failed", locale.Args{"why": r.Print.Note})
	case r.WrongMail:
		return errorMark, a.t("clerk.done.wrong_mail", nil)
	case r.Mail.State == "failed":
		return errorMark, a.t("clerk.done.mail_failed", locale.Args{"why": r.Mail.Note})
	}
	return "", ""
}

func (p *donePage) draw(a *App, c *tui.Canvas) {
	a.head(c, a.orderTitle("clerk.done.title"))
	a.steps(c)
	o, w := a.order(), width(c)
	putMark(c, 1, 3, doneMark)
	x := c.PutMax(3, 3, w-13, a.t("clerk.done.what", locale.Args{"number": o.Number}), tui.Bold)
	c.Put(max(x+2, 57), 3, a.clock(o.Times.Sealed), tui.Text)
	y := 5
	put := func(id, text string, st tui.Style) {
		c.PutMax(3, y, 12, a.t(id, nil), tui.Muted)
		c.PutMax(16, y, w-16, text, st)
		y++
	}
	put("clerk.done.signatures", a.t("clerk.done.valid", locale.Args{"n": p.signatures(a), "at": a.clock(o.Times.Sealed)}), tui.Text)
	if o.Document.Untimed {
		put("clerk.done.stamp", a.t("clerk.done.untimed", nil), tui.Wait)
	}
	journal := ""
	if n := len(a.current().Entries); n > 0 {
		journal = a.count(a.current().Entries[n-1])
	}
	stored := a.t("clerk.done.journalled", nil)
	if journal != "" {
		stored = a.t("clerk.done.encrypted", locale.Args{"entry": journal})
	}
	put("clerk.done.stored", stored, tui.Text)
	m, text := a.handOver(o.HandOver)
	if o.HandOver.System != "" || o.HandOver.State != "" {
		c.PutMax(3, y, 12, a.backOffice(), tui.Muted)
		x := c.PutMax(16, y, w-16, string(m)+" "+text, m.style())
		if a.standIn("handover") {
			c.PutMax(max(x+3, 56), y, w-x-3, a.t("clerk.stand_in", nil), tui.Wait)
		}
		y++
	}
	days, due := a.due()
	put("clerk.done.due", due+", "+a.workingDays(days), tui.Text)
	y++
	section(c, 1, y, a.t("clerk.done.receipt", nil))
	y++
	p.drawReceipt(a, c, y)
	y += 4
	if p.mail != nil {
		putMark(c, 1, y, "▸")
		x := c.Put(3, y, a.t("clerk.done.new_mail", nil), tui.Text)
		p.mail.Draw(c, x+2, y, 40, tui.Text)
	} else if a.current().Elapsed > 0 {
		c.Put(3, y, a.t("clerk.done.time", nil), tui.Bold)
		median := ""
		if a.current().Median > 0 {
			median = a.t("clerk.done.median", locale.Args{"median": shortTime(a.current().Median)})
		}
		c.Put(24, y, a.seconds(a.current().Elapsed), tui.Text)
		c.PutMax(46, y, w-46, median, tui.Muted)
	}
	a.drawPanes(c)
}

func shortTime(d time.Duration) string {
	return itoa(int(d/time.Minute)) + ":" + pad2(int(d/time.Second%60))
}

// signatures counts those in the file, without the timestamp.
func (p *donePage) signatures(a *App) string {
	n := len(a.order().Document.Signatures)
	return itoa(n) + "/" + itoa(n)
}

func (a *App) backOffice() string {
	if s := a.order().HandOver.System; s != "" {
		return s
	}
	return a.service().BackOffice
}

// handOver says how far the business data got.
func (a *App) handOver(h kiosk.HandOver) (mark, string) {
	switch h.State {
	case "done":
		return doneMark, a.t("clerk.handover.done", locale.Args{"ack": h.Ack, "at": a.clock(h.At), "n": max(h.Tries, 1)})
	case "refused":
		return errorMark, a.t("clerk.handover.refused", locale.Args{"why": h.LastErr})
	}
	return waitMark, a.t("clerk.handover.waiting", locale.Args{"at": a.clock(h.At)})
}

// standIn reports whether a connected system is a stand-in, which every screen says.
func (a *App) standIn(name string) bool {
	for _, l := range a.links {
		if l.Name == name {
			return l.StandIn
		}
	}
	return false
}

// drawReceipt tells what the customer chose and what became of it.
func (p *donePage) drawReceipt(a *App, c *tui.Canvas, y int) {
	r, w := a.order().Receipt, width(c)
	row := func(m mark, here bool, what, text, when string) {
		if here {
			putMark(c, 1, y, "▸")
		}
		putMark(c, 3, y, m)
		c.PutMax(5, y, 18, what, tui.Text)
		c.PutMax(24, y, 21, text, tui.Text)
		c.PutMax(46, y, w-46, when, tui.Muted)
		y++
	}
	if r.Medium == "" {
		row(waitMark, true, a.t("clerk.done.chooses", nil), "", a.t("clerk.done.no_choice", nil))
		return
	}
	m, when := a.delivery(r.Mail)
	row(m, false, a.t("clerk.done.mail", nil), p.chosen(a, r.Mail, r.To), when)
	m, when = a.delivery(r.Print)
	row(m, false, a.t("clerk.done.print", nil), p.chosen(a, r.Print, ""), when)
	if a.order().State == kiosk.Closed {
		row(doneMark, false, a.t("clerk.done.rating", nil), a.t("clerk.done.rated", nil), "")
		return
	}
	row(waitMark, true, a.t("clerk.done.rating", nil), a.t("clerk.done.rates", nil), "")
}

func (p *donePage) chosen(a *App, d kiosk.Delivery, to string) string {
	if d.State == "" {
		return a.t("clerk.done.not_chosen", nil)
	}
	if to == "" && a.current().Challenge != nil && a.current().Challenge.Method == "otp_mail" {
		to = a.current().Challenge.To
	}
	return maskMail(to)
}

// maskMail leaves the first letter and the domain of an address.
func maskMail(s string) string {
	name, domain, ok := strings.Cut(s, "@")
	if !ok || name == "" || strings.Contains(name, "*") {
		return s
	}
	return tui.Graphemes(name)[0] + "***@" + domain
}

// delivery says what became of one way of the receipt.
func (a *App) delivery(d kiosk.Delivery) (mark, string) {
	switch d.State {
	case "done":
		return doneMark, a.t("clerk.delivery.done", locale.Args{"at": a.clock(d.At)})
	case "failed":
		return errorMark, d.Note
	case "waiting":
		return waitMark, a.t("clerk.delivery.waiting", nil)
	}
	return " ", ""
}
