package desk

import (
	"fmt"
	"strings"
	"time"

	"countersign/helpdesk"
	"countersign/internal/clock"
	"countersign/internal/locale"
	"countersign/internal/tui"
)

// The formats of the screens. Times are business time and show no zone.

func (a *App) clock(t time.Time) string { return format(t, "15:04:05") }

func (a *App) minute(t time.Time) string { return format(t, "15:04") }

func format(t time.Time, layout string) string {
	if t.IsZero() {
		return ""
	}
	return t.In(clock.Vietnam).Format(layout)
}

// day is the short date of tables: 21/11.
func (a *App) day(t time.Time) string {
	switch a.lang {
	case locale.English:
		return format(t, "2 Jan")
	case locale.Chinese:
		return format(t, "01/02")
	}
	return format(t, "02/01")
}

// stamp is a short date with its time.
func (a *App) stamp(t time.Time) string { return strings.TrimSpace(a.day(t) + " " + a.minute(t)) }

// span is a duration in hours and minutes: 0:38, -0:42.
func span(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	d = d.Truncate(time.Minute)
	return fmt.Sprintf("%s%d:%02d", sign, int(d/time.Hour), int(d/time.Minute)%60)
}

// left is the time left of a ticket's term by the clock, negative when it is overdue; a word while the term stands still.
func (a *App) left(t *helpdesk.Ticket) string {
	switch {
	case t.State.Ended():
		return a.t("desk.left.done", nil)
	case t.Due.IsZero():
		return a.t("desk.left.waits", nil)
	}
	d := t.Due.Sub(a.now())
	if d >= 48*time.Hour || d <= -48*time.Hour {
		return a.t("desk.left.days", locale.Args{"n": int(d / (24 * time.Hour))})
	}
	return span(d)
}

// masked hides all but the last four digits of a phone number.
func masked(phone string) string {
	r := []rune(strings.Join(strings.Fields(phone), ""))
	if len(r) <= 4 {
		return string(r)
	}
	return "******" + string(r[len(r)-4:])
}

// shortName is what people call somebody: the last two words of a Vietnamese name.
func shortName(full string) string {
	w := strings.Fields(full)
	if len(w) > 2 {
		w = w[len(w)-2:]
	}
	return strings.Join(w, " ")
}

// nameOf is what colleagues call a member of the team, by login name.
func (a *App) nameOf(login string) string {
	for _, g := range a.team {
		if g.Name == login && g.FullName != "" {
			return shortName(g.FullName)
		}
	}
	return login
}

// trust is the word of the trust column, and its style.
func (a *App) trust(t helpdesk.Trust) (string, tui.Style) {
	switch t.Level {
	case "signed":
		return a.t("desk.trust.signed", nil), tui.OK
	case "aligned":
		if t.Known {
			return a.t("desk.trust.aligned", nil), tui.OK
		}
		return a.t("desk.trust.aligned", nil), tui.Text
	case "suspect", "forged":
		return a.t("desk.trust.fake", nil), tui.Danger | tui.Bold
	}
	return "?", tui.Wait
}

// colleagues says who else has a ticket open.
func (a *App) colleagues(present []helpdesk.Present) string {
	var out []string
	for _, p := range present {
		if p.Agent == a.me.Name {
			continue
		}
		id := "desk.seam.looks"
		if p.Composing {
			id = "desk.seam.writes"
		}
		out = append(out, a.t(id, locale.Args{"name": a.nameOf(p.Agent), "at": a.minute(p.Since)}))
	}
	if len(out) == 0 {
		return a.t("desk.seam.nobody", nil)
	}
	return strings.Join(out, "   ")
}
