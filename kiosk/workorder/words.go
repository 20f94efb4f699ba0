package workorder

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/locale"
)

// words speaks the document's language. Fixed texts are looked up once; documents are made by the thousand.
type words struct {
	lang     locale.Lang
	fixed    sync.Map // key to text
	patterns sync.Map // key to pattern
}

// mark stands around the names of placeholders in a pattern; no text holds it.
const mark = "\x00"

// pattern is a text taken apart at its placeholders: text, name, text, name, …, text.
type pattern []string

var spoken = sync.OnceValue(func() map[locale.Lang]*words {
	out := make(map[locale.Lang]*words)
	for _, l := range locale.Langs {
		out[l] = &words{lang: l}
	}
	return out
})

func wordsFor(language string) (*words, error) {
	l, err := locale.Parse(language)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "workorder.language", fault.Args{"language": strconv.Quote(language)})
	}
	return spoken()[l], nil
}

// text returns a fixed text.
func (w *words) text(key string) string {
	if s, ok := w.fixed.Load(key); ok {
		return s.(string)
	}
	s := locale.Text(w.lang, "workorder."+key, nil)
	w.fixed.Store(key, s)
	return s
}

// fill returns a text with placeholders: name, value, name, value, …
func (w *words) fill(key string, pairs ...string) string {
	known, ok := w.patterns.Load(key)
	if !ok {
		args := make(locale.Args, len(pairs)/2)
		for i := 0; i+1 < len(pairs); i += 2 {
			args[pairs[i]] = mark + pairs[i] + mark
		}
		known = pattern(strings.Split(locale.Text(w.lang, "workorder."+key, args), mark))
		w.patterns.Store(key, known)
	}
	var b strings.Builder
	for i, part := range known.(pattern) {
		if i%2 == 1 {
			part = value(pairs, part)
		}
		b.WriteString(part)
	}
	return b.String()
}

func value(pairs []string, name string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] == name {
			return pairs[i+1]
		}
	}
	return ""
}

// placeDate writes the place and date line; Decree 30/2020 gives days below 10 and the months 1 and 2 a zero.
func (w *words) placeDate(place string, t time.Time) string {
	t = t.In(clock.Vietnam)
	month := strconv.Itoa(int(t.Month()))
	if t.Month() <= time.February {
		month = "0" + month
	}
	return w.fill("place_date", "place", place, "day", t.Format("02"), "month", month, "year", t.Format("2006"))
}

// moment writes a date and time with its zone; a zero time is a dash.
func (w *words) moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	t = t.In(clock.Vietnam)
	return w.fill("moment", "day", t.Format("02"), "month", t.Format("01"), "year", t.Format("2006"), "time", t.Format("15:04:05"))
}
