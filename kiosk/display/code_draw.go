package display

import (
	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
	"countersign/kiosk/mirror"
	"countersign/signing/otp"
)

const colAct = 23 // values on C6

// channelPage asks how the customer wants to get a code.
func (a *App) channelPage(w int) page {
	s := &a.snap
	p := page{title: a.t("display.channel.title", nil), steps: true}
	p.skip(1)
	p.para(w, colLabel, a.t("display.channel.what", locale.Args{"order": s.Serial}), tui.Text)
	p.fact(w, colLabel, colAct, a.t("display.code.hash", nil), s.Hash)
	p.skip(1)
	p.para(w, colLabel, a.t("display.channel.ask", nil), tui.Bold)
	p.skip(2)
	c := s.Confirm
	if c == nil {
		return p
	}
	for i, o := range c.Offers {
		a.offerRows(&p, w, digit(i), o)
	}
	p.skip(1)
	p.para(w, colLabel, a.t("display.channel.ranks", nil), tui.Muted)
	p.para(w, colLabel, a.t("display.code.only_here", nil), tui.Text)
	return p
}

// offerRows appends a way to confirm: its digit, what it needs and what it is worth, or why it can't be chosen.
func (a *App) offerRows(p *page, w int, key string, o kiosk.Offer) {
	const at, col, rankWide = 10, 27, 10
	label := a.t("display.channel."+string(o.Method), nil)
	if why := a.whyNot(o); why != "" {
		for i, l := range tui.Wrap(a.t("offer."+why, nil), w-col) {
			r := text(col, l, tui.Muted)
			if i == 0 {
				r = text(at, label, tui.Muted).and(col, l, tui.Muted)
			}
			p.add(r)
		}
		return
	}
	for i, l := range tui.Wrap(a.offerHow(o.Method), w-col-rankWide) {
		r := text(col, l, tui.Muted)
		if i == 0 {
			r = text(colLabel, key, tui.Text|tui.Bold).and(at, label, tui.Text|tui.Bold).and(col, l, tui.Text).
				and(w-rankWide+1, a.t("display.channel.rank", locale.Args{"rank": o.Rank.String()}), tui.Text)
		}
		p.add(r)
	}
}

// offerHow says what a way needs of the customer.
func (a *App) offerHow(m kiosk.Method) string {
	c := a.snap.Confirm
	switch {
	case m == kiosk.ByMail:
		return c.Mail
	case m == kiosk.ByApp && !c.HasApp:
		return a.t("display.channel.app_new", nil)
	}
	return a.t("display.channel."+string(m)+"_how", nil)
}

// codePage is C6: what the code is for, and six cells that show no digit.
func (a *App) codePage(w int) page {
	s := &a.snap
	c := s.Confirm
	p := page{title: a.t("display.code.title", nil), steps: true}
	p.skip(1)
	p.fact(w, colLabel, colAct, a.t("display.code.purpose", nil), c.Purpose)
	p.fact(w, colLabel, colAct, a.t("display.code.amount", nil), c.Amount)
	p.fact(w, colLabel, colAct, a.t("display.code.hash", nil), s.Hash)
	if c.Method != "otp_app" {
		p.para(w, colAct, a.t("display.code.same", nil), tui.Muted)
	}
	p.skip(1)
	a.sentRow(&p, w, c)
	p.skip(2)
	p.add(a.cells())
	p.skip(2)
	if a.open() {
		args := locale.Args{"left": a.left(a.codeLeft()), "try": c.Try, "tries": c.Tries}
		p.para(w, colAct, a.t("display.code.left", args), tui.Text)
	} else {
		p.para(w, colAct, a.t("display.code.over", nil), tui.Text)
	}
	p.skip(2)
	p.para(w, colLabel, a.t("display.code.only_here", nil), tui.Text)
	if c.Method != "otp_app" {
		p.para(w, colLabel, a.t("display.code.no_link", nil), tui.Text)
	}
	return p
}

// sentRow says where the code is to be found.
func (a *App) sentRow(p *page, w int, c *mirror.Confirm) {
	to := c.To
	if to == "" {
		to = c.Mail
	}
	args := locale.Args{"to": to, "at": a.minute(c.SentAt)}
	switch {
	case c.Method == "otp_app":
		p.para(w, colLabel, a.t("display.code.in_app", nil), tui.Text)
	case c.Sent == "failed":
		p.fact(w, colLabel, colAct, "✗ "+a.t("display.code.not_sent", nil), to)
	case c.Sent == "waiting":
		p.fact(w, colLabel, colAct, a.t("display.code.sending", nil), to)
	default:
		p.fact(w, colLabel, colAct, a.t("display.code.sent", nil), a.t("display.code.sent_to", args))
	}
}

// cells are the six places for digits.
func (a *App) cells() row {
	r := text(20, "▸", tui.Accent|tui.Bold)
	for i := range otp.Digits {
		sign := "_"
		if i < len(a.code) {
			sign = "*"
		}
		r = r.and(colAct+3*i, sign, tui.Text|tui.Bold)
	}
	if len(a.code) < otp.Digits && a.open() {
		r.caretX = colAct + 3*len(a.code)
	}
	return r
}

// waitingPage follows the confirmation: the seals are due.
func (a *App) waitingPage(w int) page {
	s := &a.snap
	p := page{title: a.t("display.wait.title", nil), steps: true}
	p.skip(1)
	p.para(w, colLabel, "✓ "+a.t("display.wait.confirmed", locale.Args{"order": s.Serial}), tui.OK)
	p.skip(1)
	p.para(w, colLabel, "~ "+a.t("display.wait.seal", locale.Args{"unit": a.unit()}), tui.Wait)
	p.skip(2)
	p.fact(w, colLabel, colAct, a.t("display.code.hash", nil), s.Hash)
	p.skip(2)
	p.para(w, colLabel, a.t("display.wait.nothing", nil), tui.Text)
	return p
}
