package display

import (
	"strings"

	"countersign/internal/locale"
	"countersign/internal/tui"
)

// tokenPage is C6 for the customer's own token: what is plugged in, then the PIN.
func (a *App) tokenPage(w int) page {
	s := &a.snap
	p := page{title: a.t("display.token.title", nil), steps: true}
	p.skip(1)
	p.fact(w, colLabel, colAct, a.t("display.token.purpose", nil), s.Confirm.Purpose)
	p.fact(w, colLabel, colAct, a.t("display.code.hash", nil), s.Hash)
	p.fact(w, colLabel, colAct, a.t("display.token.worth", nil), a.t("display.token.rank", locale.Args{"rank": s.Confirm.Rank}))
	p.skip(1)
	o := &a.own
	switch {
	case a.opt.Agent == nil:
		p.para(w, colLabel, a.t("display.token.no_module", nil), tui.Bold)
		p.para(w, colLabel, a.t("display.token.no_module_do", nil), tui.Text)
	case o.chosen != nil:
		a.pinRows(&p, w)
	case len(o.found) > 0:
		p.para(w, colLabel, a.t("display.token.which", nil), tui.Bold)
		p.skip(1)
		for i, c := range o.found[:min(len(o.found), 9)] {
			a.certificateRows(&p, w, string(rune('1'+i)), c)
		}
	case o.looked.IsZero():
		p.para(w, colLabel, "~ "+a.t("display.token.looking", nil), tui.Wait)
	default:
		p.para(w, colLabel, a.t("display.token.none", nil), tui.Bold)
		p.para(w, colLabel, a.t("display.token.none_do", nil), tui.Text)
	}
	p.skip(1)
	p.para(w, colLabel, a.t("display.token.only_here", locale.Args{"clerk": shortName(s.Clerk)}), tui.Text)
	return p
}

// certificateRows tell whose a certificate is, who issued it, under which number and until when it is good.
func (a *App) certificateRows(p *page, w int, key string, c Certificate) {
	const at = 10
	p.add(text(colLabel, key, tui.Text|tui.Bold).and(at, c.Holder, tui.Text|tui.Bold))
	p.para(w, at, a.t("display.token.certificate", locale.Args{"issuer": c.Issuer, "serial": c.Serial, "ends": c.Ends.Format("02/01/2006")}), tui.Muted)
}

// pinRows ask for the PIN of the chosen certificate's token.
func (a *App) pinRows(p *page, w int) {
	o := &a.own
	a.certificateRows(p, w, " ", *o.chosen)
	p.skip(1)
	if !o.ready {
		p.para(w, colLabel, "~ "+a.t("display.token.checking", nil), tui.Wait)
		return
	}
	switch o.chosen.PIN {
	case "locked":
		p.para(w, colLabel, "✗ "+a.t("display.token.locked", nil), tui.Danger)
		return
	case "unset":
		p.para(w, colLabel, "✗ "+a.t("display.token.unset", nil), tui.Danger)
		return
	case "last":
		p.para(w, colLabel, "! "+a.t("display.token.last", nil), tui.Danger)
	case "low":
		p.para(w, colLabel, "! "+a.t("display.token.low", nil), tui.Wait)
	}
	if o.chosen.Pad {
		p.para(w, colLabel, a.t("display.token.on_reader", nil), tui.Text)
		return
	}
	label := a.t("display.token.pin", nil)
	r := text(colLabel, label, tui.Bold).and(20, "▸", tui.Accent|tui.Bold).and(colAct, strings.Repeat("*", len(o.pin))+"_", tui.Text|tui.Bold)
	if !o.signing {
		r.caretX = colAct + len(o.pin)
	}
	p.add(r)
}
