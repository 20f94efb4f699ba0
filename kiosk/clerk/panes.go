package clerk

import (
	"strconv"
	"strings"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
	"countersign/kiosk/catalog"
)

// The panes of a wide terminal stand to the right of cell 80. They never take the focus.
const (
	paneX      = design + 1
	narrowPane = 100 // from here on: numbers and values of what the customer sees
	widePane   = 132 // from here on: also the card, the picture, the history
	thirdPane  = 200 // from here on: history and totals have a pane of their own
	paneWidth  = 51
)

// drawPanes draws what the customer sees beside the form, and what else there is room for.
func (a *App) drawPanes(c *tui.Canvas) {
	w, _ := c.Size()
	if w < narrowPane || a.view == nil {
		return
	}
	end := bottom(c) - 1
	for y := 1; y < end; y++ {
		c.Put(design, y, "│", tui.Rule)
	}
	if w < widePane {
		a.drawSeen(c, paneX, 1, w-paneX, end, 0)
		return
	}
	y := a.drawSeen(c, paneX+1, 1, paneWidth-2, end, 20)
	y = a.drawObjections(c, paneX+1, y+1, paneWidth-2, end)
	y = a.drawCardPane(c, paneX+1, y+1, paneWidth-2, end)
	y = a.drawPicture(c, paneX+1, y+1, paneWidth-2, end)
	if w < thirdPane {
		y = a.drawHistory(c, paneX+1, y+1, paneWidth-2, end)
		a.drawTotals(c, paneX+1, y+1, paneWidth-2, end)
		return
	}
	x := paneX + paneWidth
	for yy := 1; yy < end; yy++ {
		c.Put(x, yy, "│", tui.Rule)
	}
	y = a.drawHistory(c, x+2, 1, w-x-3, end)
	a.drawTotals(c, x+2, y+1, w-x-3, end)
}

// drawSeen lists the rows of the customer's screen: numbers, values, with labels where there is room for them.
func (a *App) drawSeen(c *tui.Canvas, x, y, w, end, label int) int {
	head := a.t("clerk.pane.seen", nil)
	f, _ := a.formPage()
	if f != nil && f.at.field != nil && label > 0 {
		head = a.t("clerk.pane.seen_at", locale.Args{"n": f.at.field.Number})
	}
	c.PutMax(x, y, w, head, tui.Bold)
	y++
	for _, def := range a.service().Fields() {
		if !def.Visible || y >= end {
			continue
		}
		v := a.value(def.Name)
		text := def.Mask(v, a.lang)
		if def.Type == catalog.Rows {
			text = def.InShort(v, a.lang)
		}
		m := mark(" ")
		if f != nil {
			if f.at.field == def {
				m = "▸"
				switch {
				case f.at.row >= 0 || def.Type == catalog.IDNumber:
				case f.typing:
					text = f.box.Value()
				default:
					if d := f.drafts[def.Name]; d != nil {
						text = d.shown
					}
				}
			}
		}
		if a.order().OpenObjection(def.Name) != nil {
			m = "?"
		}
		putMark(c, x, y, m)
		xx := c.Put(x+1+min(label, 1), y, pad(def.Number), tui.Text) + 1
		if label > 0 {
			c.PutMax(xx, y, label-2, def.Label.In(a.lang), tui.Muted)
			xx = x + label + 5
		}
		note := ""
		if v.Edited && label > 0 {
			note = "  " + a.t("clerk.pane.changed", nil)
		}
		room := x + w - xx
		end := c.PutMax(xx, y, room-tui.Width(note), text, tui.Text)
		c.Put(end, y, note, tui.Muted)
		y++
	}
	return y
}

func (a *App) drawObjections(c *tui.Canvas, x, y, w, end int) int {
	obs := a.order().Objections
	if len(obs) == 0 || y+1 >= end {
		return y - 1
	}
	open := 0
	for _, ob := range obs {
		if ob.Closed.IsZero() {
			open++
		}
	}
	head := a.t("clerk.pane.objections", nil)
	if open > 0 {
		head += "  " + a.t("clerk.pane.objections_open", locale.Args{"n": open})
	}
	c.PutMax(x, y, w, head, tui.Bold)
	for _, ob := range obs {
		y++
		if y >= end {
			return y
		}
		state := "clerk.pane.closed"
		switch {
		case ob.Closed.IsZero() && ob.Answered.IsZero():
			state = "clerk.pane.to_repair"
		case ob.Closed.IsZero():
			state = "clerk.note.looks_again"
		}
		s := a.t("clerk.pane.objection", locale.Args{"at": a.minute(ob.At), "n": a.numberOf(ob.Field), "reason": a.reason(ob.Reason)})
		right := a.t(state, nil)
		c.PutMax(x+2, y, w-4-tui.Width(right), s, tui.Text)
		c.PutRight(x+w-1, y, right, tui.Muted)
	}
	return y + 1
}

// cardLabels are the fields of a card in the order in which people read them.
var cardLabels = []string{"number", "name", "birth", "sex", "address"}

func (a *App) drawCardPane(c *tui.Canvas, x, y, w, end int) int {
	if y+1 >= end {
		return y
	}
	card, at, matches := a.cardInHand()
	if card == nil {
		c.PutMax(x, y, w, a.t("clerk.pane.no_card", nil), tui.Bold)
		return y + 1
	}
	c.PutMax(x, y, w, a.t("clerk.pane.card", locale.Args{"at": a.clock(at)}), tui.Bold)
	c.PutRight(x+w-1, y, a.t("clerk.card.level", locale.Args{"n": card.Assurance}), tui.Muted)
	for _, name := range cardLabels {
		v := card.Fields[name]
		if v == "" {
			continue
		}
		y++
		if y >= end {
			return y
		}
		verdict, m := "", mark("")
		for _, match := range matches {
			if match.Field == name {
				m, verdict = a.verdict(match.Verdict)
			}
		}
		right := strings.TrimSpace(string(m) + " " + verdict)
		c.PutMax(x+2, y, 14, a.t("clerk.card."+name, nil), tui.Muted)
		c.PutMax(x+17, y, w-18-tui.Width(right), a.cardValue(name, v), tui.Text)
		c.PutRight(x+w-1, y, right, m.style())
	}
	return y + 1
}

func (a *App) drawPicture(c *tui.Canvas, x, y, w, end int) int {
	if y >= end {
		return y
	}
	p := a.order().Portrait
	switch {
	case p == nil || p.DocumentID == "":
		c.PutMax(x, y, w, a.t("clerk.pane.no_portrait", nil), tui.Bold)
	case p.Judged.IsZero():
		c.PutMax(x, y, w, a.t("clerk.pane.portrait", locale.Args{"at": a.clock(p.At)}), tui.Bold)
	default:
		c.PutMax(x, y, w, a.t("clerk.pane.judged", locale.Args{"at": a.clock(p.Judged)}), tui.Bold)
	}
	return y + 1
}

func (a *App) drawHistory(c *tui.Canvas, x, y, w, end int) int {
	if y+1 >= end || a.visit == nil || a.visit.Customer == nil {
		return y - 1
	}
	cu := a.visit.Customer
	c.PutMax(x, y, w, a.t("clerk.pane.customer", nil), tui.Bold)
	for _, l := range cu.Last {
		y++
		if y >= end {
			return y
		}
		right := a.stateWords(l.State)
		c.PutMax(x+2, y, w-4-tui.Width(right), a.date(l.At)+" "+a.serviceName(l.Service), tui.Text)
		c.PutRight(x+w-1, y, right, tui.Muted)
	}
	if cu.Debt != "" && y+1 < end {
		y++
		c.PutMax(x+2, y, w-2, a.t("clerk.pane.debt", locale.Args{"debt": cu.Debt}), tui.Text)
	}
	return y + 1
}

func (a *App) drawTotals(c *tui.Canvas, x, y, w, end int) {
	if y+2 >= end {
		return
	}
	f, ok := a.formPage()
	if !ok {
		return
	}
	done, wrong, empty := 0, len(f.errors(a)), 0
	for _, def := range a.service().Fields() {
		v := a.value(def.Name)
		switch {
		case v.Empty() && a.required(def):
			empty++
		case !v.Empty():
			done++
		}
	}
	objections := 0
	for _, ob := range a.order().Objections {
		if ob.Closed.IsZero() {
			objections++
		}
	}
	c.PutMax(x, y, w, a.t("clerk.pane.totals", nil), tui.Bold)
	c.PutMax(x+2, y+1, w-2, a.t("clerk.pane.counts", locale.Args{"done": done, "wrong": max(wrong-empty, 0), "empty": empty, "objections": objections}), tui.Text)
	if y+2 < end {
		_, due := a.due()
		c.PutMax(x+2, y+2, w-2, a.t("clerk.pane.fee", locale.Args{"fee": a.fee(), "due": due}), tui.Text)
	}
}

// due is the term in working days and the day on which it ends.
func (a *App) due() (days int, day string) {
	o := a.order()
	if !o.Due.IsZero() {
		return o.TermDays, a.date(o.Due)
	}
	if len(a.service().Sections) == 0 {
		return 0, ""
	}
	days, at, _ := a.service().Due(o.Values, a.now())
	return days, a.date(at)
}

// fee is the amount with its words.
func (a *App) fee() string {
	if a.view == nil {
		return ""
	}
	return a.money(a.current().Amount, a.current().Words)
}

// serviceName is a service's number and, when it is the one in hand, its title.
func (a *App) serviceName(number string) string {
	if s := a.serviceOf(number); s != nil {
		return number + " " + s.Title.In(a.lang)
	}
	return number
}

// stateWords tells the state of an order in a word.
func (a *App) stateWords(s kiosk.State) string { return a.t("clerk.state."+string(s), nil) }

func itoa(n int) string { return strconv.Itoa(n) }
