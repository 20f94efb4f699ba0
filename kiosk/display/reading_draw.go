package display

import (
	"strconv"

	"countersign/internal/locale"
	"countersign/internal/tui"
)

// readingPage is C3: the document's own text, with numbers at every sixth line so that people can point.
func (a *App) readingPage(w int) page {
	p := page{title: a.t("display.read.title", locale.Args{"page": "", "of": ""}), steps: true}
	pg := a.snap.Page
	if pg == nil {
		return p
	}
	p.title = a.t("display.read.title", locale.Args{"page": pg.Number, "of": pg.Of})
	p.skip(1)
	if a.beforeOf == pg.Number {
		for _, l := range a.before {
			for _, s := range tui.Wrap(l.Text, w-colLabel-5) {
				p.add(text(colLabel, s, tui.Muted))
			}
		}
	}
	for i, l := range pg.Lines {
		st := tui.Text
		if l.Head {
			st |= tui.Bold
		}
		number := pg.Last - len(pg.Lines) + 1 + i
		for j, s := range tui.Wrap(l.Text, w-colLabel-5) {
			r := text(colLabel, s, st)
			if j == 0 && number > 0 && number%6 == 0 {
				n := strconv.Itoa(number)
				r = r.and(w-1-len(n), n, tui.Muted)
			}
			p.add(r)
		}
	}
	at := a.t("display.read.line", locale.Args{"line": pg.Last, "lines": pg.Total})
	cells := max(w-4-tui.Width(at), 0)
	p.tail = []row{text(2, bar(cells, pg.Last, pg.Total), tui.Accent).and(4+cells, at, tui.Muted)}
	if a.h > minHeight {
		p.tail = append(p.tail, row{})
	}
	return p
}

// agreePage is C4: what is promised, and what agreeing means.
func (a *App) agreePage(w int) page {
	p := page{title: a.t("display.agree.title", nil), steps: true}
	p.skip(1)
	if pg := a.snap.Page; pg != nil {
		p.para(w, colLabel, a.t("display.agree.read", locale.Args{"n": pg.Of}), tui.Text)
		p.skip(1)
	}
	for _, promise := range a.snap.Promises {
		p.fact(w, colLabel, 22, promise.Label, promise.Value)
	}
	p.skip(1)
	p.para(w, colLabel, a.t("display.agree.means", nil), tui.Bold)
	p.numbered(w, colLabel, "-", a.t("display.agree.1", locale.Args{"version": a.snap.Version}))
	p.numbered(w, colLabel, "-", a.t("display.agree.2", nil))
	p.numbered(w, colLabel, "-", a.t("display.agree.3", nil))
	p.skip(1)
	p.para(w, colLabel, a.t("display.agree.still", nil), tui.Text)
	return p
}
