package display

import (
	"context"
	"strconv"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk/mirror"
)

// language is a key of C1.
func (a *App) language(key string, l locale.Lang) binding {
	return binding{names: []string{key}, show: key, label: "display.lang." + string(l), do: func(string) tui.Cmd {
		return a.do(func(ctx context.Context) error { return a.svc.Language(ctx, string(l)) }, nil)
	}}
}

// page is what the stage shows.
func (a *App) page() page {
	w := a.width()
	if a.asking.phase != notAsking {
		return a.formPage(w)
	}
	switch a.stage {
	case mirror.Welcome:
		return a.welcomePage(w)
	case mirror.Visit:
		return a.visitPage(w)
	case mirror.Form, mirror.Invite:
		return a.formPage(w)
	case mirror.Reading:
		return a.readingPage(w)
	case mirror.Agree:
		return a.agreePage(w)
	case mirror.Card:
		return a.cardPage(w)
	case mirror.Channel:
		return a.channelPage(w)
	case mirror.Enrol:
		return a.enrolPage(w)
	case mirror.Code:
		return a.codePage(w)
	case mirror.Ink:
		return a.inkPage(w)
	case mirror.Token:
		return a.tokenPage(w)
	case mirror.Remote:
		return a.remotePage(w)
	case mirror.Waiting:
		return a.waitingPage(w)
	case mirror.Receipt:
		return a.receiptPage(w)
	case mirror.Rating:
		return a.ratingPage(w)
	case mirror.Thanks:
		return a.thanksPage(w)
	case mirror.Stopped:
		return a.stoppedPage(w)
	}
	return a.curtainPage(w)
}

// curtainPage is C10: nothing of anybody.
func (a *App) curtainPage(w int) page {
	p := page{title: a.unit()}
	p.skip(4)
	p.add(text(23, a.t("display.curtain.title", nil), tui.Bold))
	p.skip(1)
	p.para(w, colWelcome, a.t("display.curtain.wait", nil), tui.Text)
	p.skip(1)
	p.para(w, colWelcome, a.t("display.curtain.kept", nil), tui.Text)
	p.para(w, colWelcome, a.t("display.curtain.code", nil), tui.Text)
	return p
}

// welcomePage is C1.
func (a *App) welcomePage(w int) page {
	p := page{title: a.unit()}
	p.skip(2)
	p.add(text(25, a.t("display.welcome.title", nil), tui.Bold))
	p.skip(1)
	if a.snap.Clerk != "" {
		p.para(w, colWelcome, a.t("display.welcome.clerk", locale.Args{"clerk": a.snap.Clerk, "id": a.snap.StaffID}), tui.Text)
	}
	p.skip(3)
	p.para(w, colWelcome, a.t("display.welcome.yours", nil), tui.Text)
	p.skip(1)
	for n := 1; n <= 3; n++ {
		p.numbered(w, colWelcome, "-", a.t("display.welcome."+strconv.Itoa(n), nil))
	}
	p.skip(3)
	p.para(w, colWelcome, a.t("display.welcome.never", nil), tui.Text)
	return p
}

// visitPage shows what is published about the service that was chosen.
func (a *App) visitPage(w int) page {
	p := page{title: a.snap.Title, steps: true}
	s := a.snap.Summary
	if s == nil {
		return p
	}
	p.skip(1)
	p.para(w, colLabel, s.Title, tui.Bold)
	p.skip(1)
	due := a.t("display.visit.days", locale.Args{"n": s.Days})
	if !a.snap.Due.IsZero() {
		due += ": " + a.date(a.snap.Due)
	}
	p.fact(w, colLabel, 22, a.t("display.visit.term", nil), due)
	p.fact(w, colLabel, 22, a.t("display.visit.fee", nil), s.Fee)
	label := a.t("display.visit.papers", nil)
	for _, paper := range s.Papers {
		p.fact(w, colLabel, 22, label, "- "+paper)
		label = ""
	}
	return p
}

// thanksPage is C9: only what the customer takes home.
func (a *App) thanksPage(w int) page {
	s := &a.snap
	p := page{title: a.unit()}
	p.skip(3)
	p.add(text(25, a.t("display.thanks.title", nil), tui.Bold))
	p.skip(1)
	for _, f := range [][2]string{
		{"display.thanks.order", s.Serial}, {"display.thanks.service", withoutNumber(s.Title)}, {"display.thanks.due", a.date(s.Due)},
		{"display.thanks.verify", s.Verify},
	} {
		if f[1] != "" {
			p.fact(w, colWelcome, 25, a.t(f[0], nil), f[1])
		}
	}
	if s.Hotline != "" {
		p.skip(1)
		p.fact(w, colWelcome, 25, a.t("display.thanks.more", nil), a.t("display.thanks.hotline", locale.Args{"hotline": s.Hotline}))
	}
	p.skip(1)
	p.para(w, colWelcome, a.t("display.thanks.papers", nil), tui.Text)
	return p
}

// stoppedPage says that nothing was signed.
func (a *App) stoppedPage(w int) page {
	p := page{title: a.unit()}
	p.skip(4)
	p.add(text(25, a.t("display.stopped.title", nil), tui.Bold))
	p.skip(1)
	for _, id := range []string{"display.stopped.nothing", "display.stopped.again", "display.stopped.card"} {
		p.para(w, colWelcome, a.t(id, nil), tui.Text)
	}
	return p
}

// stop ends the customer's part for now; the order is kept.
func (a *App) stop(string) tui.Cmd {
	order := a.snap.Order
	a.wipe()
	return a.decide(func(ctx context.Context) error { return a.svc.Stop(ctx, order) }, func(err error) {
		if err == nil {
			a.stopped = a.now().Add(stoppedTime)
			a.settle()
		}
	})
}
