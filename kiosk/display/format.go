package display

import (
	"fmt"
	"strings"
	"time"

	"countersign/internal/clock"
	"countersign/internal/locale"
)

// The formats of the screens. Times are business time and show no zone.

func (a *App) seconds(t time.Time) string { return stamp(t, "15:04:05") }
func (a *App) minute(t time.Time) string  { return stamp(t, "15:04") }

func (a *App) date(t time.Time) string {
	switch a.lang() {
	case locale.English:
		return stamp(t, "2 Jan 2006")
	case locale.Chinese:
		return stamp(t, "2006年1月2日")
	}
	return stamp(t, "02/01/2006")
}

func stamp(t time.Time, layout string) string {
	if t.IsZero() {
		return ""
	}
	return t.In(clock.Vietnam).Format(layout)
}

// left is a duration as people say it.
func (a *App) left(d time.Duration) string {
	s := int(max(d, 0) / time.Second)
	if s < 60 {
		return a.t("display.seconds", locale.Args{"s": s})
	}
	return a.t("display.minutes", locale.Args{"m": s / 60, "s": fmt.Sprintf("%02d", s%60)})
}

// shortName is what people call the clerk: the last two words of a name of three or more.
func shortName(full string) string {
	w := strings.Fields(full)
	if len(w) > 2 {
		w = w[len(w)-2:]
	}
	return strings.Join(w, " ")
}

// withoutNumber is a service's title without its number.
func withoutNumber(title string) string {
	number, rest, ok := strings.Cut(title, " ")
	if ok && number != "" && strings.Trim(number, "0123456789") == "" {
		return rest
	}
	return title
}
