package display

import (
	"context"
	"time"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
	"countersign/kiosk/mirror"
)

// waitsForPhone reports whether the customer's telephone was asked.
func (a *App) waitsForPhone() bool {
	return a.snap.Confirm != nil && a.snap.Confirm.State == kiosk.RemoteWaiting
}

// askOnlyProvider asks the one provider that there is; with several the customer chooses.
func (a *App) askOnlyProvider() tui.Cmd {
	c := a.snap.Confirm
	if a.stage != mirror.Remote || c.State != "" || len(c.Providers) != 1 || a.phoned.Equal(c.SentAt) {
		return nil
	}
	return a.askPhone(0)
}

// askPhone asks the customer's telephone to sign, by the nth provider.
func (a *App) askPhone(n int) tui.Cmd {
	a.phoned = a.snap.Confirm.SentAt
	order := a.snap.Order
	return a.decide(func(ctx context.Context) error { return a.svc.Remote(ctx, order, n) }, nil)
}

// remoteKeys are the keys of C6 for a key at a provider.
func (a *App) remoteKeys() []binding {
	other := binding{names: []string{"+"}, show: "+", label: "display.key.other_way", do: func(string) tui.Cmd {
		a.choosing = true
		return nil
	}}
	if a.waitsForPhone() {
		return []binding{
			{names: []string{"*"}, show: "*", label: "display.key.stop_waiting", once: true, do: func(string) tui.Cmd { return a.channel(string(kiosk.ByRemote)) }},
			other, a.notSigning(),
		}
	}
	last := byte('0' + min(len(a.snap.Confirm.Providers), 9))
	if last < '1' {
		return []binding{other, a.notSigning()}
	}
	show := "1"
	if last > '1' {
		show += "-" + string(last)
	}
	return []binding{
		{names: digits('1', last), show: show, label: "display.key.ask_phone", once: true, do: func(key string) tui.Cmd { return a.askPhone(int(key[0] - '1')) }},
		other, a.notSigning(),
	}
}

// remotePage is C6 for a key at a provider: the telephone shows the same number of the order as this screen.
func (a *App) remotePage(w int) page {
	s := &a.snap
	c := s.Confirm
	p := page{title: a.t("display.remote.title", nil), steps: true}
	p.skip(1)
	p.fact(w, colLabel, colAct, a.t("display.token.purpose", nil), c.Purpose)
	p.fact(w, colLabel, colAct, a.t("display.code.hash", nil), s.Hash)
	p.fact(w, colLabel, colAct, a.t("display.token.worth", nil), a.t("display.remote.rank", locale.Args{"rank": c.Rank}))
	p.skip(1)
	if !a.waitsForPhone() {
		p.para(w, colLabel, a.t("display.remote.which", nil), tui.Bold)
		p.skip(1)
		for i, name := range c.Providers[:min(len(c.Providers), 9)] {
			p.add(text(colLabel, digit(i), tui.Text|tui.Bold).and(10, name, tui.Text))
		}
		p.skip(1)
		p.para(w, colLabel, a.t("display.remote.only_there", nil), tui.Text)
		return p
	}
	p.para(w, colLabel, "~ "+a.t("display.remote.waits", locale.Args{"provider": c.Provider}), tui.Wait|tui.Bold)
	p.skip(1)
	p.fact(w, colLabel, colAct, a.t("display.remote.number", nil), s.Serial)
	p.para(w, colAct, a.t("display.remote.same", nil), tui.Muted)
	p.skip(1)
	p.para(w, colAct, a.t("display.remote.left", locale.Args{"left": a.left(max(c.Until.Sub(a.serviceNow()), 0).Truncate(time.Second))}), tui.Text)
	p.skip(1)
	p.para(w, colLabel, a.t("display.remote.only_there", nil), tui.Text)
	return p
}
