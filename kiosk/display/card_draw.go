package display

import (
	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk/idcard"
	"countersign/kiosk/mirror"
)

// cardPage is C5: the card's outcome, masked, and the customer's own picture.
func (a *App) cardPage(w int) page {
	s := &a.snap
	p := page{title: a.t("display.card.title", nil), steps: true}
	p.skip(2)
	card := text(colLabel, a.t("display.card.card", nil), tui.Bold)
	switch {
	case s.CardAt.IsZero():
		p.add(card.and(colFact, a.t("display.card.none", nil), tui.Text))
		p.para(w, colFact, a.t("display.card.give", nil), tui.Text)
	case s.Portrait != "" && !s.CardBad:
		p.add(card.and(colFact, "✓ "+a.t("display.card.read_all", locale.Args{"at": a.seconds(s.CardAt), "n": len(s.CardRows)}), tui.OK))
	default:
		p.add(card.and(colFact, "✓ "+a.t("display.card.read", locale.Args{"at": a.seconds(s.CardAt)}), tui.OK))
		for _, r := range s.CardRows {
			p.add(a.cardRow(w, r)...)
		}
	}
	p.skip(1)
	a.pictureRows(&p, w)
	p.skip(a.cardGap(len(p.rows)))
	p.para(w, colLabel, a.t("display.card.kept", locale.Args{"order": s.Serial, "until": a.date(s.Retain)}), tui.Text)
	if s.Portrait == "" {
		p.para(w, colLabel, a.t("display.card.take_back", nil), tui.Text)
	}
	return p
}

// cardGap keeps the lines about the purpose at their place above the seam.
func (a *App) cardGap(above int) int { return max(15-above, 1) }

// cardRow is one compared field.
func (a *App) cardRow(w int, r mirror.CardRow) []row {
	label := a.t("display.card.field."+known(r.Field), nil)
	verdict, st := a.t("display.card.new", nil), tui.Muted
	switch idcard.Verdict(r.Verdict) {
	case idcard.Same:
		verdict, st = a.t("display.card.same", nil), tui.OK
	case idcard.Differs:
		verdict, st = "✗ "+a.t("display.card.differs", nil), tui.Danger
	case idcard.Absent:
		verdict = a.t("display.card.absent", nil)
	}
	const value, col = 27, 47
	var out []row
	for i, l := range tui.Wrap(r.Value, col-value-1) {
		line := text(value, l, tui.Text)
		if i == 0 {
			line = text(colFact, label, tui.Muted).and(value, l, tui.Text).and(col, tui.Cut(verdict, w-col), st)
		}
		out = append(out, line)
	}
	if idcard.Verdict(r.Verdict) == idcard.Differs {
		out = append(out, text(value, a.t("display.card.looking", nil), tui.Text))
	}
	return out
}

// known maps a card's field to one that has a name here.
func known(field string) string {
	switch field {
	case idcard.Number, idcard.Name, idcard.Birth, idcard.Sex, idcard.Address:
		return field
	}
	return "other"
}

// pictureRows are the picture, or why there is none.
func (a *App) pictureRows(p *page, w int) {
	head := text(colLabel, a.t("display.card.picture", nil), tui.Bold)
	switch {
	case a.snap.Portrait == "":
		p.add(head.and(colFact, a.t("display.card.no_picture", nil), tui.Text))
		p.para(w, colFact, a.t("display.card.look", nil), tui.Text)
		p.para(w, colFact, a.t("display.card.may", nil), tui.Text)
	case len(a.picture.cells) == 0:
		p.add(head.and(colFact, a.t("display.card.taken", nil), tui.Text))
		p.para(w, colFact, a.t("display.card.look_there", nil), tui.Text)
	default:
		for i, line := range a.picture.cells {
			r := row{pic: line, picX: colFact}
			if i == 0 {
				r.spans = head.spans
			}
			p.add(r)
		}
	}
}
