package display

import (
	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk/mirror"
	"countersign/signing/otp"
)

const colAct = 23 // values on C6

// channelPage asks how the customer wants to get a code.
func (a *App) channelPage(w int) page {
	s := &a.snap
	p := page{title: a.t("display.code.title", nil), steps: true}
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
	if c.Mail != "" {
		choice(&p, w, "1", a.t("display.channel.mail", nil), c.Mail, a.t("display.channel.mail_how", nil))
		p.skip(1)
	}
	how := "display.channel.app_new"
	if c.HasApp {
		how = "display.channel.app_how"
	}
	choice(&p, w, "2", a.t("display.channel.app", nil), a.t(how, nil), "")
	p.skip(3)
	p.para(w, colLabel, a.t("display.code.only_here", nil), tui.Text)
	return p
}

// choice appends a digit with what it chooses, a value and an explanation below it.
func choice(p *page, w int, key, label, value, how string) {
	const at, col = 10, 26
	for i, l := range tui.Wrap(value, w-col) {
		r := text(col, l, tui.Text)
		if i == 0 {
			r = text(colLabel, key, tui.Text|tui.Bold).and(at, label, tui.Text).and(col, l, tui.Text)
		}
		p.add(r)
	}
	if how != "" {
		p.para(w, col, how, tui.Muted)
	}
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
