package clerk

import (
	"context"
	"strings"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
	"countersign/kiosk/catalog"
)

// checkPage is K9: every value that will be printed, once more. F10 invites the customer to agree.
type checkPage struct {
	top, shown int
	number     string // digits typed so far of a row's number
	invited    bool
}

func (p *checkPage) open(a *App) tui.Cmd {
	p.invited = a.order().State == kiosk.Invited
	key := a.order().Key
	return do(a, func(ctx context.Context) error { return a.svc.Typing(ctx, key, "", "") }, func(error) tui.Cmd { return nil })
}

// disarmed notices that the submission stands or fell.
func (p *checkPage) disarmed(a *App) tui.Cmd {
	now := a.order().State == kiosk.Invited
	if p.invited && !now {
		a.say(noteMark, "clerk.msg.disarmed", nil)
	}
	p.invited = now
	return nil
}

func (p *checkPage) keys() []binding {
	return []binding{
		{names: []string{"f10"}, show: "F10", label: "clerk.key.invite", rank: 1, on: when((*checkPage).mayInvite, "clerk.why.invited"), do: act((*checkPage).invite)},
		{names: []string{"digit"}, show: "01-99", label: "clerk.key.change_field", rank: 2, do: actKey((*checkPage).digit)},
		{names: []string{"f11"}, show: "F11", label: "clerk.key.preview", rank: 4, do: func(a *App, _ tui.Key) tui.Cmd { return a.together() }},
		{names: []string{"pgdn", "down"}, label: "clerk.key.page_down", do: act((*checkPage).down)},
		{names: []string{"pgup", "up"}, label: "clerk.key.page_up", do: act((*checkPage).up)},
		{names: []string{"f8"}, show: "F8", label: "clerk.key.objected", rank: 2, on: when((*checkPage).objected, "clerk.why.no_objection"), do: act((*checkPage).toObjection)},
		{names: []string{"esc"}, show: "Esc", label: "clerk.key.to_form", rank: 1, do: act((*checkPage).back)},
		keyAside(),
		keyHelp().wider(),
		keyLock().wider(),
	}
}

func (p *checkPage) typed(*App, tui.Key) tui.Cmd { return nil }

// input takes a scan: the card may be read at any time before it is needed.
func (p *checkPage) input(a *App, ev tui.Event) tui.Cmd {
	if s, ok := ev.(tui.Scan); ok {
		f := newFormPage(a)
		a.page = f
		return f.takeScan(a, s.Text)
	}
	return nil
}

func (p *checkPage) mayInvite(a *App) bool { return a.order().State == kiosk.Draft }

func (p *checkPage) invite(a *App) tui.Cmd {
	if !a.lost.IsZero() {
		a.say(errorMark, "clerk.msg.lost_check", nil)
		return nil
	}
	key := a.order().Key
	return open(a, "clerk.wait.invite", func(ctx context.Context) (kiosk.OrderView, error) { return a.svc.Invite(ctx, key) },
		func(v kiosk.OrderView) tui.Cmd {
			a.adopt(v)
			p.invited = a.order().State == kiosk.Invited
			if v.Order.State == kiosk.Draft {
				return a.toForm(nil, true)
			}
			return a.follow()
		})
}

// toForm goes back to the form: to a field, or to the list of what stops it.
func (a *App) toForm(def *catalog.Field, errors bool) tui.Cmd {
	f := newFormPage(a)
	if def != nil {
		f.at = f.cellOf(a, def)
		f.back = true
	}
	f.fixing, f.summary = errors, errors
	return a.turn(f)
}

func (p *checkPage) back(a *App) tui.Cmd { return a.toForm(nil, false) }

// digit jumps to a field at the second digit; Enter there comes straight back.
func (p *checkPage) digit(a *App, k tui.Key) tui.Cmd {
	p.number += k.Text
	if len(p.number) < 2 {
		return nil
	}
	n := p.number
	p.number = ""
	for _, def := range a.service().Fields() {
		if pad2(def.Number) == n {
			return a.toForm(def, false)
		}
	}
	a.sayArgs(noteMark, "clerk.msg.no_row", locale.Args{"n": n})
	return nil
}

func (p *checkPage) objected(a *App) bool { return a.order().OpenObjection("") != nil }

func (p *checkPage) toObjection(a *App) tui.Cmd {
	if def, ok := a.service().Field(a.order().OpenObjection("").Field); ok {
		return a.toForm(def, false)
	}
	return nil
}

func (p *checkPage) down(a *App) tui.Cmd {
	if n := len(a.service().Fields()); p.top+p.shown < n {
		p.top += max(p.shown-1, 1)
	}
	return nil
}

func (p *checkPage) up(*App) tui.Cmd {
	p.top = max(p.top-max(p.shown-1, 1), 0)
	return nil
}

func (p *checkPage) hint(a *App) string {
	switch {
	case p.number != "":
		return a.t("clerk.hint.check_digit", locale.Args{"n": p.number})
	case a.order().State == kiosk.Invited:
		return "~ " + a.t("clerk.hint.invited", nil)
	}
	if s := p.away(a); s != "" {
		return s
	}
	return a.t("clerk.hint.check", nil)
}

// away names a signer that does not answer, before the customer reads.
func (p *checkPage) away(a *App) string {
	for _, s := range a.current().Plan {
		if s.Away {
			return "~ " + a.t("clerk.check.away", locale.Args{"name": s.Name})
		}
	}
	return ""
}

func (p *checkPage) seam(a *App) string {
	if a.order().State == kiosk.Draft && a.order().OpenObjection("") == nil {
		n := 0
		for _, f := range a.service().Fields() {
			if f.Visible {
				n++
			}
		}
		return a.t("seam.customer.sees_rows", locale.Args{"n": n})
	}
	return ""
}

func (p *checkPage) draw(a *App, c *tui.Canvas) {
	s := a.service()
	a.head(c, strings.Join(nonEmpty(a.t("clerk.check.title", locale.Args{"number": s.Number, "title": s.Title.In(a.lang)}), a.customer()), "  "))
	a.steps(c)
	w, end := width(c), bottom(c)
	if cw, _ := c.Size(); cw > design {
		end--
	}
	fields := s.Fields()
	p.shown = max(end-2-2, 1)
	p.top = max(min(p.top, len(fields)-p.shown), 0)
	y := 2
	for i := p.top; i < len(fields) && i < p.top+p.shown; i++ {
		p.drawField(a, c, y, fields[i])
		y++
	}
	if left := len(fields) - p.top - p.shown; left > 0 {
		c.PutRight(w-1, y-1, " "+a.t("clerk.check.more", locale.Args{"n": left}), tui.Muted)
	}
	days, due := a.due()
	x := c.Put(1, y, a.t("clerk.check.fee", nil), tui.Bold)
	x = c.PutMax(max(x+1, 8), y, w-34, a.fee(), tui.Text)
	x = c.Put(max(x+2, 48), y, a.t("clerk.check.due", nil), tui.Bold)
	c.PutMax(x+2, y, w-x-2, due+", "+a.workingDays(days), tui.Text)
	x = c.Put(1, y+1, a.t("clerk.check.sign", nil), tui.Bold)
	c.PutMax(max(x+1, 8), y+1, w-9, p.signers(a), tui.Text)
	a.drawPanes(c)
}

// signers says who will sign, and by what.
func (p *checkPage) signers(a *App) string {
	var out []string
	for _, s := range a.current().Plan {
		switch s.Role {
		case "customer":
			out = append(out, a.t("clerk.check.by_customer", nil))
		case "business":
			out = append(out, a.t("clerk.seal.business", nil))
		case "unit":
			out = append(out, a.t("clerk.check.seal_of", locale.Args{"name": a.me.Unit.Name}))
		case "timestamp":
		default:
			out = append(out, s.Name)
		}
	}
	return strings.Join(out, ", ")
}

func (p *checkPage) drawField(a *App, c *tui.Canvas, y int, def *catalog.Field) {
	const colText, colSource = 25, 58
	w := width(c)
	v := a.value(def.Name)
	c.Put(2, y, pad2(def.Number), tui.Bold)
	c.PutMax(5, y, 19, def.Label.In(a.lang), tui.Muted)
	text := a.show(def, v)
	if text == "" {
		text = a.t("clerk.check.empty", nil)
	}
	c.PutMax(colText, y, min(colSource-colText, w-colText), text, tui.Text)
	if w < design {
		return
	}
	m, note := p.source(a, def, v)
	c.PutMax(colSource, y, w-colSource, note, m.style())
}

// source is where a value came from: a source, an edit, the clerk's own typing, or the customer's second look.
func (p *checkPage) source(a *App, def *catalog.Field, v catalog.Value) (mark, string) {
	o := a.order()
	if ob := o.OpenObjection(def.Name); ob != nil {
		return "?", "? " + a.t("clerk.note.objects", locale.Args{"reason": a.reason(ob.Reason)})
	}
	for _, ob := range o.Objections {
		if ob.Field == def.Name {
			return doneMark, "✓ " + a.t("clerk.check.agreed", nil)
		}
	}
	if err := a.attention(def.Name); err != nil {
		return noteMark, "▪ " + a.short(err)
	}
	touched := o.Touched[def.Name]
	switch {
	case v.Empty():
		return " ", ""
	case v.Edited:
		return "*", "* " + a.t("clerk.note.was", locale.Args{"old": a.show(def, catalog.Value{Text: v.Old})})
	case v.Source != "":
		return "◦", "◦ " + a.source(v.Source)
	case def.Number == 1 && touched.By == a.me.Clerk.User:
		return " ", shortName(a.me.Clerk.Name) + " " + a.minute(touched.At)
	}
	return doneMark, "✓"
}
