package clerk

import (
	"path/filepath"
	"strconv"
	"strings"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk/catalog"
)

// listBox is K6: the values that a field may have, to be chosen by a digit. The customer never sees it.
type listBox struct {
	filter tui.Field
	pick   int
	papers []Paper // of a file field
	busy   bool    // the papers are being looked for
}

// listRow is one proposal.
type listRow struct {
	value string // as it is typed into the field
	cells []string
}

func listKeys() []binding {
	return []binding{
		{names: []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}, show: "1-9", label: "clerk.key.choose", rank: 1, do: actKey((*formPage).choose)},
		{names: []string{"enter"}, show: "Enter", label: "clerk.key.accept", rank: 2, do: act((*formPage).chooseMarked)},
		{names: []string{"up"}, label: "clerk.key.row", do: act((*formPage).listUp)},
		{names: []string{"down"}, label: "clerk.key.row", do: act((*formPage).listDown)},
		{show: "a-z", label: "clerk.key.filter", rank: 3},
		{names: []string{"esc", "f4"}, show: "Esc", label: "clerk.key.close_list", rank: 1, do: act((*formPage).closeList)},
		keyLock().wider(),
	}
}

func (f *formPage) hasList(a *App) bool {
	if f.at.field == nil || f.at.column().ReadOnly {
		return false
	}
	c := f.at.column()
	return c.Type == catalog.File && a.opt.Papers != nil || c.List != nil || len(c.Choices) > 0 || c.Type == catalog.YesNo
}

func (f *formPage) openList(a *App) tui.Cmd {
	list := &listBox{filter: tui.Field{Max: 20, Line: true}}
	f.list = list
	if f.at.column().Type != catalog.File {
		return nil
	}
	list.busy = true
	return call(a, a.opt.Papers, func(papers []Paper, err error) tui.Cmd {
		list.busy, list.papers = false, papers
		if err != nil && f.list == list {
			f.list = nil
			return a.failed(err)
		}
		return nil
	})
}

func (f *formPage) closeList(*App) tui.Cmd {
	f.list = nil
	return nil
}

// listRows are the proposals for the cell in hand that the filter lets through, nine at most.
func (f *formPage) listRows(a *App) []listRow {
	if f.at.field == nil || f.list == nil {
		return nil
	}
	def := f.at.column()
	var all []listRow
	switch {
	case def.Type == catalog.File:
		for _, p := range f.list.papers {
			all = append(all, listRow{p.Path, []string{filepath.Base(p.Path), catalog.ShowSize(p.Size, a.lang), a.dayMinute(p.At)}})
		}
	case def.List != nil:
		for _, r := range def.List.Rows {
			cells := []string{def.Show(catalog.Value{Text: r.Value}, a.lang)}
			for _, c := range r.Cells {
				cells = append(cells, c.In(a.lang))
			}
			all = append(all, listRow{rawText(a, def, catalog.Value{Text: r.Value}), cells})
		}
	case def.Type == catalog.YesNo:
		for i, v := range []string{"yes", "no"} {
			all = append(all, listRow{strconv.Itoa(i + 1), []string{def.Show(catalog.Value{Text: v}, a.lang)}})
		}
	default:
		for _, c := range def.Choices {
			all = append(all, listRow{c.Key, []string{c.Label.In(a.lang)}})
		}
	}
	want := strings.Fields(catalog.Fold(f.list.filter.Value()))
	var out []listRow
	for _, r := range all {
		if matchesAll(strings.Fields(catalog.Fold(strings.Join(r.cells, " "))), want) && len(out) < 9 {
			out = append(out, r)
		}
	}
	return out
}

func matchesAll(words, want []string) bool {
	for _, w := range want {
		ok := false
		for _, have := range words {
			ok = ok || strings.HasPrefix(have, w)
		}
		if !ok {
			return false
		}
	}
	return true
}

func (f *formPage) choose(a *App, k tui.Key) tui.Cmd {
	return f.take(a, int(k.Text[0]-'1'))
}

func (f *formPage) chooseMarked(a *App) tui.Cmd { return f.take(a, f.list.pick) }

// take puts a proposal into the field and leaves it.
func (f *formPage) take(a *App, i int) tui.Cmd {
	rows := f.listRows(a)
	if i < 0 || i >= len(rows) {
		return nil
	}
	f.list = nil
	f.typing, f.base = true, a.value(f.at.field.Name).Base()
	f.box = inputFor(a, f.at.column())
	f.box.Set(rows[i].value)
	return f.leave(a, true)
}

func (f *formPage) listUp(*App) tui.Cmd {
	f.list.pick = max(f.list.pick-1, 0)
	return nil
}

func (f *formPage) listDown(a *App) tui.Cmd {
	f.list.pick = min(f.list.pick+1, max(len(f.listRows(a))-1, 0))
	return nil
}

func (l *listBox) typed(_ *App, _ *formPage, k tui.Key) tui.Cmd {
	if l.filter.Handle(k) {
		l.pick = 0
	}
	return nil
}

func (l *listBox) hint(a *App) string {
	f, _ := a.formPage()
	switch file := f.at.field != nil && f.at.column().Type == catalog.File; {
	case l.busy:
		return "~ " + a.t("clerk.wait.papers", nil)
	case file && len(l.papers) == 0:
		return a.t("clerk.hint.no_papers", nil)
	case file && len(f.listRows(a)) > 0:
		return a.t("clerk.hint.papers", nil)
	}
	if len(f.listRows(a)) == 0 {
		return a.t("clerk.hint.list_empty", nil)
	}
	return a.t("clerk.hint.list", nil)
}

// draw opens the list under its field, or over it when the field is low.
func (l *listBox) draw(a *App, c *tui.Canvas, f *formPage, y int) {
	if f.at.field == nil {
		return
	}
	def := f.at.column()
	rows := f.listRows(a)
	w := min(70, width(c)-6)
	h := len(rows) + 2
	columns := def.List != nil && len(def.List.Columns) > 0
	if columns {
		h++
	}
	h = max(min(h, bottom(c)-3), 3)
	top := y + 1
	if top+h > bottom(c) {
		top = max(y-h, 2)
	}
	x := 5
	title := def.Label.In(a.lang)
	if def.List != nil {
		title = def.List.Title.In(a.lang)
	}
	c.Box(x, top, w, h, "F4  "+title)
	filter := " " + a.t("clerk.list.filter", nil) + " "
	fx := x + w - 10 - tui.Width(filter)
	c.Put(fx, top, filter, tui.Muted)
	l.filter.Draw(c, fx+tui.Width(filter), top, 8, tui.Text)
	if def.List != nil && !def.List.ValidFrom.IsZero() {
		foot := " " + a.t("clerk.list.valid", locale.Args{"date": a.date(def.List.ValidFrom)}) + " "
		c.Put(x+w-5-tui.Width(foot), top+h-1, foot, tui.Muted)
	}
	spans := l.spans(a, def, rows, w-8)
	yy := top + 1
	if columns {
		c.Put(x+4, yy, a.t("clerk.list.number", nil), tui.Muted)
		for i, head := range append([]catalog.Text{def.Label}, def.List.Columns...) {
			if i < len(spans) {
				c.PutMax(x+8+spans[i], yy, w-9-spans[i], head.In(a.lang), tui.Muted)
			}
		}
		yy++
	}
	for i, r := range rows {
		if yy >= top+h-1 {
			break
		}
		if i == l.pick {
			c.Fill(x+1, yy, w-2, 1, tui.OnRow)
			putMark(c, x+2, yy, "▸")
		}
		st := tui.Text
		if i == l.pick {
			st |= tui.OnRow
		}
		c.Put(x+4, yy, strconv.Itoa(i+1), st)
		for j, s := range r.cells {
			if j < len(spans) {
				c.PutMax(x+8+spans[j], yy, w-9-spans[j], s, st)
			}
		}
		yy++
	}
}

// spans are the columns of the proposals' cells, wide enough for the widest.
func (l *listBox) spans(a *App, def *catalog.Field, rows []listRow, w int) []int {
	var widths []int
	grow := func(i, n int) {
		for len(widths) <= i {
			widths = append(widths, 0)
		}
		widths[i] = max(widths[i], n)
	}
	if def.List != nil {
		for i, head := range append([]catalog.Text{def.Label}, def.List.Columns...) {
			grow(i, tui.Width(head.In(a.lang)))
		}
	}
	for _, r := range rows {
		for i, s := range r.cells {
			grow(i, tui.Width(s))
		}
	}
	var out []int
	x := 0
	for _, n := range widths {
		if x >= w {
			break
		}
		out = append(out, x)
		x += n + 3
	}
	return out
}
