package catalog

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"countersign/internal/fault"
	"countersign/internal/locale"
)

// acceptDate reads a day: 21112026, 2111 (this year), 21/11/2026, 2026-11-21, +3 (working days from today), and
// the forms that FormatDate writes. Chinese puts the year first.
func (f *Field) acceptDate(s string, today time.Time, lang locale.Lang) (string, error) {
	if strings.HasPrefix(s, "+") {
		n, err := strconv.Atoi(s[1:])
		if err != nil || n < 0 || n > 366 || f.tables == nil {
			return "", f.fault("field.date_shape", lang, nil)
		}
		return f.dateLimits(f.tables.calendar.Add(today, n), today, lang)
	}
	y, m, d, ok := readDate(s, dateOf(today).Year(), lang)
	if !ok || y < 1800 || y > 2999 {
		return "", f.fault("field.date_shape", lang, nil)
	}
	day := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if day.Day() != d || int(day.Month()) != m {
		typed := fmt.Sprintf("%02d/%02d/%d", d, m, y)
		if lang == locale.Chinese {
			typed = fmt.Sprintf("%d年%d月%d日", y, m, d)
		}
		return "", f.fault("field.date", lang, fault.Args{"typed": typed})
	}
	return f.dateLimits(dateOf(day), today, lang)
}

// dateLimits checks a day against the field's range.
func (f *Field) dateLimits(day, today time.Time, lang locale.Lang) (string, error) {
	canonical := day.Format(time.DateOnly)
	limit := func(s string) string {
		if s == "today" {
			return dateOf(today).Format(time.DateOnly)
		}
		return s
	}
	if low := limit(f.Min); low != "" && canonical < low {
		return "", f.fault("field.date_early", lang, fault.Args{"limit": FormatDate(low, lang)})
	}
	if high := limit(f.Max); high != "" && canonical > high {
		return "", f.fault("field.date_late", lang, fault.Args{"limit": FormatDate(high, lang)})
	}
	return canonical, nil
}

// readDate parts year, month and day without looking at the calendar.
func readDate(s string, thisYear int, lang locale.Lang) (y, m, d int, ok bool) {
	if t, err := time.Parse("2 Jan 2006", s); err == nil {
		return t.Year(), int(t.Month()), t.Day(), true
	}
	parts := strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune("/.- 年月日", c) })
	if len(parts) == 1 {
		parts = splitDigits(parts[0], lang)
	}
	n := make([]int, len(parts))
	for i, p := range parts {
		v, err := strconv.Atoi(p)
		if err != nil || v < 0 || len(p) > 4 {
			return 0, 0, 0, false
		}
		n[i] = v
	}
	switch {
	case len(parts) == 2 && lang == locale.Chinese:
		return thisYear, n[0], n[1], true
	case len(parts) == 2:
		return thisYear, n[1], n[0], true
	case len(parts) == 3 && len(parts[0]) == 4:
		return n[0], n[1], n[2], len(parts[1]) <= 2 && len(parts[2]) <= 2
	case len(parts) == 3 && len(parts[2]) == 4:
		return n[2], n[1], n[0], len(parts[0]) <= 2 && len(parts[1]) <= 2
	}
	return 0, 0, 0, false
}

// splitDigits parts a day typed without separators.
func splitDigits(s string, lang locale.Lang) []string {
	switch {
	case len(s) == 8 && lang == locale.Chinese:
		return []string{s[:4], s[4:6], s[6:]}
	case len(s) == 8:
		return []string{s[:2], s[2:4], s[4:]}
	case len(s) == 4:
		return []string{s[:2], s[2:]}
	}
	return nil
}

// FormatDate writes a canonical day as the language does: 21/11/2026, 21 Nov 2026, 2026年11月21日.
func FormatDate(canonical string, lang locale.Lang) string {
	t, err := time.Parse(time.DateOnly, canonical)
	if err != nil {
		return canonical
	}
	switch lang {
	case locale.English:
		return t.Format("2 Jan 2006")
	case locale.Chinese:
		return t.Format("2006年1月2日")
	}
	return t.Format("02/01/2006")
}
