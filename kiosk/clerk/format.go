package clerk

import (
	"strconv"
	"strings"
	"time"

	"countersign/internal/clock"
	"countersign/internal/locale"
)

// The formats of the screens. Times are business time and show no zone.

func (a *App) clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(clock.Vietnam).Format("15:04:05")
}

func (a *App) minute(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(clock.Vietnam).Format("15:04")
}

// date is a whole date: 21/11/2026.
func (a *App) date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(clock.Vietnam)
	switch a.lang {
	case locale.English:
		return t.Format("2 Jan 2006")
	case locale.Chinese:
		return t.Format("2006年1月2日")
	}
	return t.Format("02/01/2006")
}

// day is the short date of tables: 21/11.
func (a *App) day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(clock.Vietnam)
	switch a.lang {
	case locale.English:
		return t.Format("2 Jan")
	case locale.Chinese:
		return t.Format("01/02")
	}
	return t.Format("02/01")
}

// stamp is a date with its time.
func (a *App) stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	if a.lang == locale.English {
		return a.date(t) + ", " + a.minute(t)
	}
	return a.date(t) + " " + a.minute(t)
}

// dayMinute is a short date with its time: 21/11 09:12.
func (a *App) dayMinute(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return a.day(t) + " " + a.minute(t)
}

// seconds is a duration in minutes and seconds as people say it.
func (a *App) seconds(d time.Duration) string {
	d = max(d, 0).Truncate(time.Second)
	if d < time.Minute {
		return a.t("clerk.seconds", locale.Args{"s": int(d / time.Second)})
	}
	return a.t("clerk.minutes", locale.Args{"m": int(d / time.Minute), "s": pad2(int(d / time.Second % 60))})
}

func (a *App) minutes(d time.Duration) string {
	return a.t("clerk.minutes_only", locale.Args{"m": int(max(d, 0) / time.Minute)})
}

func pad2(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// count groups a whole number: 214.339.
func (a *App) count(n int64) string {
	s := strconv.FormatInt(n, 10)
	sep := "."
	if a.lang != locale.Vietnamese {
		sep = ","
	}
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + sep + s[i:]
	}
	if neg {
		s = "-" + s
	}
	return s
}

// money is an amount with its words: 0 đ (không đồng).
func (a *App) money(n int64, words string) string {
	s := a.t("clerk.money", locale.Args{"n": a.count(n)})
	if words == "" {
		return s
	}
	if a.lang == locale.Chinese {
		return s + "（" + words + "）"
	}
	return s + " (" + words + ")"
}

// groups writes a hash or a personal number in groups that can be read aloud.
func groups(s string, sizes ...int) string {
	var out []string
	for _, n := range sizes {
		if len(s) <= n {
			break
		}
		out = append(out, s[:n])
		s = s[n:]
	}
	return strings.Join(append(out, s), " ")
}

// number writes a personal number as the form shows it: 001 090 000 017.
func number(s string) string {
	switch len(s) {
	case 12:
		return groups(s, 3, 3, 3)
	case 18:
		return groups(s, 6, 8)
	}
	return s
}

// shortName is what people call the clerk: the last two words of a Vietnamese name.
func shortName(full string) string {
	w := strings.Fields(full)
	if len(w) > 2 {
		w = w[len(w)-2:]
	}
	return strings.Join(w, " ")
}

// serial is the last six digits of an order's number.
func serial(number string) string {
	if len(number) < 6 {
		return ""
	}
	return number[len(number)-6:]
}

// workingDays says how many working days a term has, and how many are left.
func (a *App) workingDays(n int) string { return a.t("clerk.working_days", locale.Args{"n": n}) }
