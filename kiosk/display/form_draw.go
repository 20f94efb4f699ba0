package display

import (
	"fmt"
	"strconv"
	"strings"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk/mirror"
)

// formPage is C2: the rows as on the clerk's form, with the same numbers, and below them what is asked.
func (a *App) formPage(w int) page {
	p := page{title: a.snap.Title, steps: true}
	rows := a.snap.Rows
	if len(rows) == 0 {
		rows = a.rows
	}
	p.skip(1)
	for _, r := range rows {
		p.add(a.formRow(w, r)...)
	}
	p.tail = a.formBox(w)
	return p
}

// formRow draws one field: marks, number, label, value and note. A value that is to be confirmed is never cut.
func (a *App) formRow(w int, r mirror.Row) []row {
	number := r.Sub
	if number == "" {
		number = strconv.Itoa(r.Number)
	}
	st, label := tui.Text, tui.Muted
	first := row{}
	ask := a.asking.phase == askReason && a.asking.number == r.Number
	question := a.snap.Question != nil && a.snap.Question.Number == r.Number && a.asking.phase == notAsking
	if r.Live {
		first = first.and(0, "▸", tui.Accent|tui.Bold)
		label = tui.Accent | tui.Bold
	}
	if ask || question {
		label = tui.Text | tui.Bold
	}
	first.follow = ask || question || r.Live && a.snap.Question == nil && a.asking.phase != askReason
	if r.Objected {
		first = first.and(colObject, "?", tui.Wait|tui.Bold)
	}
	first = first.and(colNumber+1-len(number), number, label)
	first = first.and(colLabel, tui.Cut(r.Label, widthLabel), label)

	wide := w >= design
	room := widthValue
	if !wide {
		room = w - colValue
	}
	values, notes := tui.Wrap(r.Value, room), []string{}
	if n := a.note(r); n != "" {
		notes = tui.Wrap(n, widthNote)
		if !wide {
			notes = tui.Wrap(n, room)
		}
	}
	if !wide { // The note goes below the value.
		out := []row{}
		for i, v := range append(values, notes...) {
			vs := st
			if i >= len(values) {
				vs = noteStyle(r)
			}
			out = append(out, text(colValue, v, vs))
		}
		out[0].spans, out[0].follow = append(first.spans, out[0].spans...), first.follow
		return out
	}
	out := make([]row, max(len(values), len(notes)))
	out[0] = first
	for i := range out {
		if i < len(values) {
			out[i] = out[i].and(colValue, values[i], st)
		}
		if i < len(notes) {
			out[i] = out[i].and(colNote, notes[i], noteStyle(r))
		}
	}
	return out
}

func noteStyle(r mirror.Row) tui.Style {
	if r.Objected || r.Changed {
		return tui.Wait
	}
	return tui.Muted
}

// note says where a value comes from or what is going on with it.
func (a *App) note(r mirror.Row) string {
	if r.Note == "" {
		return ""
	}
	return a.t(r.Note, locale.Args{"arg": r.NoteArg})
}

// formBox is what the customer is asked, in a box above the seam.
func (a *App) formBox(w int) []row {
	switch a.asking.phase {
	case askRow:
		title := a.t("display.ask.row", nil) + "  "
		out := box(w, title+a.asking.typed+strings.Repeat("_", 2-len(a.asking.typed)), tui.Wrap(a.t("display.ask.how", nil), w-4))
		out[0].caretX = 2 + tui.Width(title) + len(a.asking.typed)
		return out
	case askReason:
		return box(w, a.t("display.ask.row", nil)+"  "+a.asking.typed, a.reasons(w-4))
	}
	if q := a.snap.Question; q != nil && (a.stage == mirror.Form || a.stage == mirror.Invite) {
		return box(w, a.t("display.ask.again", locale.Args{"number": fmt.Sprintf("%02d", q.Number)}), tui.Wrap(q.Value, w-4))
	}
	return nil
}

// reasons are the four reasons, on as few lines as they need.
func (a *App) reasons(w int) []string {
	out := []string{""}
	for n := '1'; n <= '4'; n++ {
		word := string(n) + " " + a.t("display.reason."+string(n), nil)
		last := &out[len(out)-1]
		switch {
		case *last == "":
			*last = word
		case tui.Width(*last)+3+tui.Width(word) <= w:
			*last += "   " + word
		default:
			out = append(out, word)
		}
	}
	return out
}

// box draws a frame with a title in its upper edge.
func box(w int, title string, lines []string) []row {
	title = tui.Cut(title, w-6)
	out := []row{text(0, "┌ ", tui.Rule).and(2, title, tui.Text|tui.Bold).
		and(2+tui.Width(title), " "+strings.Repeat("─", max(w-4-tui.Width(title), 0))+"┐", tui.Rule)}
	for _, l := range lines {
		out = append(out, text(0, "│", tui.Rule).and(2, l, tui.Text).and(w-1, "│", tui.Rule))
	}
	return append(out, text(0, "└"+strings.Repeat("─", w-2)+"┘", tui.Rule))
}
