package display

import (
	"strings"

	"countersign/internal/locale"
	"countersign/internal/tui"
)

// A surface has at least so many rows as anybody needs to write, and no more than make it about half as high as wide.
const leastSurface, mostSurface = 4, 17

// surfaceWide is the width of the surface in cells.
func (a *App) surfaceWide() int { return a.width() - 2*colLabel }

// inkPage is C6 for handwriting: a surface as high as there is room for.
func (a *App) inkPage(w int) page {
	s := &a.snap
	p := page{title: a.t("display.ink.title", nil), steps: true}
	p.fact(w, colLabel, colAct, a.t("display.ink.what", nil), a.t("display.ink.order", locale.Args{"order": s.Serial, "title": s.Title}))
	p.fact(w, colLabel, colAct, a.t("display.code.hash", nil), s.Hash)
	how := "display.ink.how"
	switch {
	case a.written():
		how = "display.ink.waits"
	case a.opt.Pad != nil:
		how = "display.ink.how_pad"
	}
	p.para(w, colLabel, a.t(how, locale.Args{"clerk": shortName(s.Clerk)}), tui.Bold)
	var after page
	after.para(w, colLabel, a.t("display.ink.rank", locale.Args{"rank": s.Confirm.Rank}), tui.Muted)
	columns := a.surfaceWide()
	rule := text(colLabel, strings.Repeat("─", columns), tui.Rule)
	p.add(rule)
	high := min(max(a.h-5-len(p.rows)-len(after.rows)-1, leastSurface), mostSurface)
	for i, line := range a.strokes(columns, high) {
		r := text(colLabel, line, tui.Accent)
		r.surface = i + 1
		p.add(r)
	}
	p.add(rule)
	p.add(after.rows...)
	return p
}

// strokes are what was written so far, in braille cells.
func (a *App) strokes(columns, rows int) []string {
	if out := a.ink.drawing.Surface(columns, rows); out != nil {
		return out
	}
	return make([]string, rows) // nothing yet
}
