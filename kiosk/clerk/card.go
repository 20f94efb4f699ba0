package clerk

import (
	"context"
	"strings"
	"time"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
	"countersign/kiosk/catalog"
	"countersign/kiosk/idcard"
)

// cardPage is K11: the card beside the form. It starts by itself at a scan; a difference stops the order.
type cardPage struct {
	quiet
	scans int
}

func (p *cardPage) keys() []binding {
	return []binding{
		{show: "1-3", label: "clerk.key.choose", rank: 1, on: when((*cardPage).differs, "")},
		{names: []string{"1"}, label: "clerk.key.follow_card", on: when((*cardPage).differs, ""), do: act((*cardPage).followCard)},
		{names: []string{"2"}, label: "clerk.key.scan_again", on: when((*cardPage).differs, ""), do: act((*cardPage).again)},
		{show: "3", label: "clerk.key.wrong_person", rank: 3, on: when((*cardPage).unsettled, "")},
		{names: []string{"3"}, label: "clerk.key.wrong_person", rank: 3, do: func(a *App, _ tui.Key) tui.Cmd { return a.cancel() }},
		{names: []string{"f5"}, show: "F5", label: "clerk.key.scan_again", rank: 4, do: act((*cardPage).again)},
		{names: []string{"f1"}, show: "F1", label: "clerk.key.why", rank: 5, do: func(a *App, _ tui.Key) tui.Cmd { return a.help() }},
		keyAside().wider(),
		keyReopen(),
		keyLock().wider(),
	}
}

func (p *cardPage) input(a *App, ev tui.Event) tui.Cmd {
	if _, ok := ev.(tui.Scan); ok {
		p.scans++
	}
	return a.scanCard(ev)
}

// differing is the first field in which card and form disagree.
func (p *cardPage) differing(a *App) *idcard.Match {
	if c := a.order().Card; c != nil {
		for i := range c.Matches {
			if c.Matches[i].Verdict == idcard.Differs {
				return &c.Matches[i]
			}
		}
	}
	return nil
}

func (p *cardPage) differs(a *App) bool   { return p.differing(a) != nil }
func (p *cardPage) unsettled(a *App) bool { return p.differing(a) == nil }

// followCard takes the card's value into the form; the customer has to agree and read again.
func (p *cardPage) followCard(a *App) tui.Cmd {
	key, field := a.order().Key, p.differing(a).Field
	return a.openOrder("clerk.wait.reopen", func(ctx context.Context) (kiosk.OrderView, error) { return a.svc.FollowCard(ctx, key, field) })
}

func (p *cardPage) again(a *App) tui.Cmd {
	a.say(waitMark, "clerk.msg.scan_now", nil)
	return nil
}

func (a *App) fieldOfCard(name string) *catalog.Field {
	for _, def := range a.service().Fields() {
		for _, s := range def.Source {
			if s == "card."+name {
				return def
			}
		}
	}
	return nil
}

// cardInHand is the card of the order, or of the visit before there is one.
func (a *App) cardInHand() (*idcard.Card, time.Time, []idcard.Match) {
	if c := a.order().Card; c != nil {
		return &c.Card, c.At, c.Matches
	}
	if a.visit != nil && a.visit.Visit.Card != nil {
		return a.visit.Visit.Card, a.visit.Visit.CardAt, nil
	}
	return nil, time.Time{}, nil
}

// verdict puts the outcome of one comparison into words.
func (a *App) verdict(v idcard.Verdict) (mark, string) {
	switch v {
	case idcard.Same:
		return doneMark, a.t("clerk.card.same", nil)
	case idcard.Differs:
		return "✗", a.t("clerk.card.differs", nil)
	case idcard.New:
		return noteMark, a.t("clerk.card.new", nil)
	}
	return noteMark, a.t("clerk.card.absent", nil)
}

// cardValue writes a field of a card as the form would.
func (a *App) cardValue(name, v string) string {
	switch name {
	case idcard.Number:
		return number(v)
	case idcard.Birth:
		return catalog.FormatDate(v, a.lang)
	case idcard.Sex:
		if s := a.t("idcard.sex."+v, nil); !strings.HasPrefix(s, "‹") {
			return s
		}
	}
	return v
}

func (p *cardPage) hint(a *App) string {
	if a.order().Card == nil {
		return a.t("clerk.hint.card", nil)
	}
	return a.t("clerk.hint.card_stop", nil)
}

func (p *cardPage) alert(a *App) (mark, string) {
	if m := p.differing(a); m != nil {
		return errorMark, a.t("clerk.card.stops", locale.Args{"what": a.t("clerk.card."+m.Field, nil),
			"card": a.cardValue(m.Field, m.Card), "form": a.cardValue(m.Field, m.Form)})
	}
	if c := a.order().Card; c != nil {
		for _, check := range c.Card.Failed() {
			return errorMark, check.Label(a.lang) + ": " + check.Text(a.lang)
		}
	}
	return "", ""
}

func (p *cardPage) draw(a *App, c *tui.Canvas) {
	a.head(c, a.orderTitle("clerk.card.title"))
	a.steps(c)
	o, w, end := a.order(), width(c), bottom(c)
	c.Put(1, 2, a.t("clerk.card.reader", nil), tui.Bold)
	c.PutMax(10, 2, w-40, a.t("clerk.card.reader_ready", nil), tui.Text)
	if o.Card == nil {
		c.Put(3, 5, a.t("clerk.card.none", nil), tui.Text)
		c.PutMax(3, 7, w-4, a.t("clerk.card.how", nil), tui.Muted)
		a.drawPanes(c)
		return
	}
	c.PutRight(w-9, 2, a.t("clerk.card.read_at", locale.Args{"at": a.clock(o.Card.At)}), tui.Muted)
	c.Put(21, 4, a.t("clerk.card.on_form", nil), tui.Bold)
	c.Put(46, 4, a.t("clerk.card.on_card", nil), tui.Bold)
	c.PutMax(73, 4, w-73, a.t("clerk.card.result", nil), tui.Bold)
	y := 5
	for _, m := range o.Card.Matches {
		p.drawMatch(a, c, y, m)
		y++
	}
	y++
	section(c, 1, y, a.t("clerk.card.checks", nil))
	y++
	for _, check := range o.Card.Card.Checks {
		if y >= end-4 {
			break
		}
		m := doneMark
		switch {
		case !check.OK:
			m = "✗"
		case check.Note:
			m = noteMark
		}
		p.drawCheck(c, y, m, check.Label(a.lang), check.Text(a.lang))
		y++
	}
	if y < end-4 {
		p.drawCheck(c, y, noteMark, a.t("clerk.card.source", nil), a.t("clerk.card.level_long", locale.Args{"n": o.Card.Card.Assurance, "need": a.service().Assurance}))
		y++
	}
	p.drawChoices(a, c, max(y+1, end-4))
	a.drawPanes(c)
}

func (p *cardPage) drawCheck(c *tui.Canvas, y int, m mark, label, text string) {
	putMark(c, 3, y, m)
	x := c.PutMax(5, y, 30, label, tui.Muted)
	c.PutMax(max(x+1, 21), y, width(c)-max(x+1, 21), text, tui.Text)
}

func (p *cardPage) drawMatch(a *App, c *tui.Canvas, y int, m idcard.Match) {
	w := width(c)
	n := "-"
	if def := a.fieldOfCard(m.Field); def != nil {
		n = itoa(def.Number)
	}
	mk, words := a.verdict(m.Verdict)
	if m.Verdict == idcard.Differs {
		putMark(c, 1, y, "▸")
	}
	c.Put(4-len(n), y, n, tui.Text)
	c.PutMax(5, y, 15, a.t("clerk.card."+m.Field, nil), tui.Muted)
	form := a.cardValue(m.Field, m.Form)
	if form == "" {
		form = a.t("clerk.check.empty", nil)
	}
	c.PutMax(21, y, 24, form, tui.Text)
	c.PutMax(46, y, min(26, w-46), a.cardValue(m.Field, m.Card), tui.Text)
	c.PutMax(73, y, w-73, string(mk)+" "+words, mk.style())
}

// drawChoices says what stops and what the clerk may do.
func (p *cardPage) drawChoices(a *App, c *tui.Canvas, y int) {
	w := width(c)
	m := p.differing(a)
	if m == nil {
		c.PutMax(1, y, w-2, a.t("clerk.card.stop_checks", nil), tui.Danger)
		c.PutMax(3, y+1, w-4, "3  "+a.t("clerk.key.wrong_person", nil), tui.Text)
		return
	}
	n := 0
	if def := a.fieldOfCard(m.Field); def != nil {
		n = def.Number
	}
	c.PutMax(1, y, w-2, a.t("clerk.card.stop", locale.Args{"n": n}), tui.Danger)
	x := c.PutMax(3, y+1, w-4, "1 "+a.t("clerk.card.choice1", locale.Args{"n": n}), tui.Text)
	x = c.PutMax(max(x+3, 27), y+1, w-x-3, "2 "+a.t("clerk.key.scan_again", nil), tui.Text)
	c.PutMax(max(x+3, 43), y+1, w-x-3, "3 "+a.t("clerk.key.wrong_person", nil), tui.Text)
}
