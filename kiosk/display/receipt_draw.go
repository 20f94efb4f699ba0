package display

import (
	"countersign/internal/locale"
	"countersign/internal/tui"
)

// receiptPage is C7: nothing is chosen beforehand.
func (a *App) receiptPage(w int) page {
	p := page{title: a.t("display.receipt.title", nil), steps: true}
	p.skip(1)
	p.para(w, colLabel, "✓ "+a.t("display.receipt.sealed", a.orderArgs()), tui.OK)
	p.skip(1)
	p.para(w, colLabel, a.t("display.receipt.ask", nil), tui.Bold)
	p.skip(2)
	d := a.snap.Delivery
	if d == nil {
		return p
	}
	mailLabel, printLabel := a.t("display.receipt.mail", nil), a.t("display.receipt.print", nil)
	switch {
	case d.MailState == failed:
		failure(&p, w, mailLabel, a.t("display.receipt.mail_failed", locale.Args{"to": a.addressShown()}), d.MailNote)
	case d.Mail == "":
		failure(&p, w, mailLabel, a.t("display.receipt.no_mail", nil), "")
	default:
		choice(&p, w, "1", mailLabel, a.addressShown(), a.t("display.receipt.mail_how", nil))
	}
	p.skip(1)
	if d.Print == failed {
		failure(&p, w, printLabel, a.t("display.receipt.print_failed", nil), d.PrintNote)
	} else {
		choice(&p, w, "2", printLabel, a.t("display.receipt.print_how", nil), "")
	}
	p.skip(1)
	if offers(d, "both") {
		choice(&p, w, "3", a.t("display.receipt.both", nil), "", "")
		p.skip(1)
	}
	choice(&p, w, "4", a.t("display.receipt.none", nil), a.t("display.receipt.none_how", nil), "")
	return p
}

// failure appends a medium that can't be had, and why.
func failure(p *page, w int, label, why, note string) {
	const col = 26
	p.add(text(colLabel, "✗", tui.Danger|tui.Bold).and(10, label, tui.Muted))
	last := len(p.rows) - 1
	for i, l := range tui.Wrap(why, w-col) {
		if i == 0 {
			p.rows[last] = p.rows[last].and(col, l, tui.Text)
			continue
		}
		p.add(text(col, l, tui.Text))
	}
	if note != "" {
		p.add(text(col, tui.Cut(note, w-col), tui.Muted))
	}
}

// ratingPage is C8.
func (a *App) ratingPage(w int) page {
	p := page{title: a.t("display.rating.title", nil)}
	p.skip(1)
	for _, l := range a.sentLines() {
		p.para(w, colLabel, l.s, l.st)
	}
	p.skip(1)
	p.para(w, colLabel, a.t("display.rating.ask", nil), tui.Bold)
	p.skip(2)
	for _, n := range []string{"5", "4", "3", "2", "1"} {
		p.add(text(colLabel, n, tui.Text|tui.Bold).and(10, a.t("display.rating."+n, nil), tui.Text))
	}
	p.skip(3)
	p.para(w, colLabel, a.t("display.rating.secret1", nil), tui.Muted)
	p.para(w, colLabel, a.t("display.rating.secret2", nil), tui.Muted)
	return p
}

// sentLines say what became of the receipt.
func (a *App) sentLines() []span {
	d := a.snap.Delivery
	if d == nil {
		return nil
	}
	var out []span
	if d.Medium == "mail" || d.Medium == "both" {
		out = append(out, a.delivery(d.MailState, "display.rating.mailed", "display.rating.mailing", locale.Args{"to": d.Mail}))
	}
	if d.Medium == "print" || d.Medium == "both" {
		out = append(out, a.delivery(d.Print, "display.rating.printed", "display.rating.printing", nil))
	}
	if d.Medium == "none" {
		out = append(out, span{s: "▪ " + a.t("display.rating.nothing", locale.Args{"code": a.snap.Verify})})
	}
	return out
}

func (a *App) delivery(state, done, waiting string, args locale.Args) span {
	if state == "done" {
		return span{s: "✓ " + a.t(done, args), st: tui.OK}
	}
	return span{s: "~ " + a.t(waiting, args), st: tui.Wait}
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
