package clerk

import (
	"strings"

	"countersign/internal/locale"
	"countersign/internal/tui"
)

// draw is K1. It shows no customer's name and no order's number, and not whether a user exists.
func (s *signIn) draw(a *App, c *tui.Canvas) {
	w, _ := c.Size()
	unit := a.opt.Unit
	if a.me.Unit.Code != "" {
		unit = a.me.Unit
	}
	right := strings.Join(nonEmpty(strings.TrimSpace(unit.Name+" "+unit.Code), a.counterWords(), a.minute(a.now())), "  ")
	c.Put(0, 0, "Countersign", tui.Bold)
	c.PutRight(w-1, 0, tui.Cut(right, w-13), tui.Text)

	title, under := "clerk.lock.title", "clerk.lock.kept"
	switch {
	case s.asks == askNewPassword:
		title, under = "clerk.lock.pass_title", "clerk.lock.pass_why"
	case s.asks == askNewCode:
		title, under = "clerk.lock.new_title", "clerk.lock.new_why"
	case !a.shift:
		title, under = "clerk.lock.start_title", "clerk.lock.start"
	}
	head := a.t(title, nil)
	c.Put((width(c)-tui.Width(head))/2, 4, head, tui.Bold)
	c.PutMax(8, 6, w-8, a.t(under, nil), tui.Text)

	y := 8
	switch s.asks {
	case askPassword:
		s.field(a, c, y, 0, "clerk.lock.user", 30)
		s.field(a, c, y+1, 1, "clerk.lock.password", 30)
		y += 2
	case askCode:
		fact(c, 10, y, 28, a.t("clerk.lock.user", nil), a.me.Clerk.User)
		s.field(a, c, y+1, 0, "clerk.lock.code", codeLength)
		y += 2
	case askNewPassword:
		s.field(a, c, y, 0, "clerk.lock.new_password", 30)
		s.field(a, c, y+1, 1, "clerk.lock.password_again", 30)
		y += 2
	case askNewCode:
		s.field(a, c, y, 0, "clerk.lock.code", codeLength)
		s.field(a, c, y+1, 1, "clerk.lock.code_again", codeLength)
		y += 2
	}
	if a.shift {
		if !a.me.Last.IsZero() {
			fact(c, 10, y, 28, a.t("clerk.lock.last", nil), a.stamp(a.me.Last)+", "+a.place(a.me.LastPlace))
			y++
		}
		if a.me.Failures > 0 {
			fact(c, 10, y, 28, a.t("clerk.lock.failures", nil), a.t("clerk.lock.failed", locale.Args{
				"n": a.me.Failures, "at": a.stamp(a.me.FailedAt), "place": a.place(a.me.FailPlace)}))
			y++
		}
		if n := s.drafts(a); n > 0 {
			fact(c, 10, y, 28, a.t("clerk.lock.drafts", nil), a.t("clerk.lock.drafts_n", locale.Args{"n": n}))
		}
	}
	y = bottom(c) - 4
	for i, id := range []string{"clerk.lock.warn1", "clerk.lock.warn2", "clerk.lock.warn3"} {
		c.PutMax(8, y+i, w-8, a.t(id, nil), tui.Muted)
	}
}

// drafts counts the orders that wait for this clerk.
func (s *signIn) drafts(a *App) int {
	if a.view != nil && a.me.Drafts == 0 {
		return 1
	}
	return a.me.Drafts
}

func (s *signIn) field(a *App, c *tui.Canvas, y, i int, label string, w int) {
	c.Put(10, y, a.t(label, nil), tui.Muted)
	if s.at == i {
		putMark(c, colMark, y, "▸")
		s.fields[i].Draw(c, 28, y, w, tui.Text)
		return
	}
	s.fields[i].Show(c, 28, y, w, tui.Text)
}

func (a *App) counterWords() string {
	if a.counter() == "" {
		return ""
	}
	return a.t("clerk.lock.counter", locale.Args{"counter": a.counter()})
}

// place names the counter of a sign-in.
func (a *App) place(s string) string {
	if s == "" {
		return "-"
	}
	if len(s) <= 3 {
		return a.t("clerk.lock.counter", locale.Args{"counter": s})
	}
	return s
}
