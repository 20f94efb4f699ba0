package clerk

import (
	"strconv"
	"strings"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk/catalog"
)

// maxSummary is how many errors K8 lists at once.
const maxSummary = 5

func errorKeys() []binding {
	return []binding{
		{names: []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}, show: "1-9", label: "clerk.key.to_field", rank: 1, do: actKey((*formPage).jump)},
		{names: []string{"enter"}, show: "Enter", label: "clerk.key.first_error", rank: 2, do: act((*formPage).jumpMarked)},
		{names: []string{"f7", "pgup", "up"}, show: "F7 F8", label: "clerk.key.error_around", rank: 3, do: act((*formPage).errorUp)},
		{names: []string{"f8", "pgdn", "down"}, label: "clerk.key.error_after", do: act((*formPage).errorDown)},
		{names: []string{"f10"}, label: "clerk.key.check", do: act((*formPage).check)},
		{names: []string{"f1"}, show: "F1", label: "clerk.key.about_error", rank: 4, do: act((*formPage).helpError)},
		{names: []string{"esc"}, show: "Esc", label: "clerk.key.to_form", rank: 1, do: act((*formPage).closeErrors)},
		keyLock().wider(),
	}
}

// jump goes to the field of an error by its number in the list.
func (f *formPage) jump(a *App, k tui.Key) tui.Cmd { return f.toError(a, int(k.Text[0]-'1')) }

func (f *formPage) jumpMarked(a *App) tui.Cmd { return f.toError(a, f.pick) }

func (f *formPage) toError(a *App, i int) tui.Cmd {
	errs := f.errors(a)
	if i >= len(errs) {
		return nil
	}
	return f.goTo(a, f.cellOf(a, errs[i].field))
}

func (f *formPage) helpError(a *App) tui.Cmd {
	cmd := f.jumpMarked(a)
	f.help = true
	return cmd
}

func (f *formPage) errorUp(*App) tui.Cmd {
	f.pick = max(f.pick-1, 0)
	return nil
}

func (f *formPage) errorDown(a *App) tui.Cmd {
	f.pick = min(f.pick+1, max(len(f.errors(a))-1, 0))
	return nil
}

func (f *formPage) closeErrors(a *App) tui.Cmd {
	f.fixing, f.summary = false, false
	return f.tell(a)
}

// drawErrors draws the summary above the form and returns how many rows it took.
func (f *formPage) drawErrors(a *App, c *tui.Canvas, y int) int {
	errs := f.errors(a)
	w := width(c)
	if len(errs) == 0 {
		return 0
	}
	putMark(c, 1, y, errorMark)
	c.Put(3, y, a.t("clerk.errors.head", locale.Args{"n": len(errs)}), tui.Bold|tui.Danger)
	if f.summary {
		c.PutRight(w-1, y, a.t("clerk.errors.how", nil), tui.Muted)
	}
	f.pick = min(f.pick, len(errs)-1)
	f.marked = errs[f.pick].field
	top := y
	from := 0
	if f.pick >= maxSummary {
		from = f.pick - maxSummary + 1
	}
	for i := from; i < len(errs) && i < from+maxSummary; i++ {
		y++
		e := errs[i]
		if f.summary && i == f.pick {
			putMark(c, colMark, y, "▸")
			if f.summary {
				c.SetCaret(3, y)
			}
		}
		c.Put(3, y, strconv.Itoa(i+1), tui.Bold)
		c.Put(6, y, a.t("clerk.errors.field", locale.Args{"n": pad(e.number)}), tui.Text)
		c.PutMax(13, y, w-13, a.summaryText(e), tui.Text)
	}
	if left := len(errs) - from - maxSummary; left > 0 {
		y++
		c.Put(3, y, a.t("clerk.errors.more", locale.Args{"n": left}), tui.Muted)
	}
	y++
	c.Rule(1, y, w-2)
	return y + 1 - top
}

// summaryText is the sentence of an error without the field's number, which has its own column.
func (a *App) summaryText(p problem) string {
	if p.waits() {
		return a.t("clerk.errors.waits", nil)
	}
	s := a.sentence(p.err)
	prefix := a.t("catalog.prefix", locale.Args{"n": p.number})
	if rest, ok := strings.CutPrefix(s, prefix); ok {
		s = upperFirst(strings.TrimSpace(rest))
	}
	return s
}

func upperFirst(s string) string {
	r := []rune(s)
	if len(r) > 0 {
		return strings.ToUpper(string(r[0])) + string(r[1:])
	}
	return s
}

func pad(n int) string {
	if n < 10 {
		return " " + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// noteOf is what the note column says about a field, and the sign of its state.
func (f *formPage) noteOf(a *App, def *catalog.Field) (mark, string) {
	v := a.value(def.Name)
	p := cell{def, -1, 0}
	if d := f.drafts[def.Name]; d != nil {
		switch {
		case d.by != "":
			return errorMark, "! " + a.t("clerk.note.taken", locale.Args{"by": d.by})
		case d.err != nil:
			return errorMark, "! " + a.short(d.err)
		case !a.lost.IsZero():
			return waitMark, "~ " + a.t("clerk.note.unsaved", nil)
		}
		return waitMark, "~ " + a.t("clerk.note.saving", nil)
	}
	if _, ok := f.coming[def.Name]; ok {
		if !a.lost.IsZero() {
			return waitMark, "~ " + a.t("clerk.note.unsaved", nil)
		}
		return waitMark, "~ " + a.t("clerk.note.saving", nil)
	}
	if ob := a.order().OpenObjection(def.Name); ob != nil {
		if !ob.Answered.IsZero() {
			return "?", "? " + a.t("clerk.note.looks_again", nil)
		}
		return "?", "? " + a.t("clerk.note.objects", locale.Args{"reason": a.reason(ob.Reason)})
	}
	if !v.Empty() || f.fixing {
		if err := f.trouble(a, p); err != nil {
			return errorMark, "! " + a.short(err)
		}
	}
	if err := a.attention(def.Name); err != nil {
		return noteMark, "▪ " + a.short(err)
	}
	switch {
	case v.Empty() && def.ReadOnly:
		return " ", a.t("clerk.note.unknown", nil)
	case v.Empty() && a.required(def):
		return "▫", a.t("clerk.note.required", nil)
	case v.Empty():
		return "▫", a.t("clerk.note.optional", nil)
	case v.Edited:
		return "*", "* " + a.t("clerk.note.was", locale.Args{"old": a.show(def, catalog.Value{Text: v.Old})})
	case v.Source != "" && def.ReadOnly:
		return "◦", "= " + a.t("clerk.note.read_only", locale.Args{"source": a.source(v.Source)})
	case v.Source != "":
		return "◦", "◦ " + a.sourceAt(v)
	}
	return doneMark, "✓ " + a.clock(a.order().Touched[def.Name].At)
}

// sourceAt names where a value came from, with the time at which that source was asked.
func (a *App) sourceAt(v catalog.Value) string {
	s := a.source(v.Source)
	switch {
	case v.SourceAt.IsZero():
		return s
	case strings.HasPrefix(v.Source, "card."):
		return s + " " + a.minute(v.SourceAt)
	}
	if long := s + " " + a.dayMinute(v.SourceAt); tui.Width(long) <= widthNote-2 {
		return long
	}
	return s + " " + a.day(v.SourceAt)
}

// source names where a value came from.
func (a *App) source(s string) string {
	kind, field := s, ""
	if i := strings.IndexAny(s, ".:"); i > 0 {
		kind, field = s[:i], s[i+1:]
	}
	switch kind {
	case "card", "customer", "last", "preset", "list":
		return a.t("clerk.source."+kind, nil)
	case "same", "derive":
		return a.t("clerk.source.same", locale.Args{"n": a.numberOf(field)})
	}
	return strings.ToUpper(kind)
}
