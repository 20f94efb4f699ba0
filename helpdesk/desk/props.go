package desk

import (
	"context"
	"strings"

	"countersign/helpdesk"
	"countersign/internal/locale"
	"countersign/internal/tui"
)

// priorities in the order in which they are chosen.
var priorities = []string{string(helpdesk.Normal), string(helpdesk.High), string(helpdesk.Urgent)}

// propsPage is D4: what an agent may set on a ticket.
type propsPage struct {
	formPage
	thread *threadPage
}

func newPropsPage(t *threadPage) *propsPage { return &propsPage{thread: t} }

func (p *propsPage) open(a *App) tui.Cmd {
	if p.form.rows != nil {
		return nil
	}
	t := p.thread.sheet.Ticket
	p.form = form{rows: []formRow{
		choiceRow("desk.props.priority", priorities, string(t.Priority), func(n string) string { return a.t("desk.priority."+n, nil) }),
		textRowOf(a, "desk.props.category", "desk.props.category_help", t.Category, 3),
		textRowOf(a, "desk.props.province", "desk.props.province_help", t.Route.Province, 4),
		textRowOf(a, "desk.props.unit", "desk.props.unit_help", t.Unit, 20),
		textRowOf(a, "desk.props.incident", "", t.Incident, 12),
		textRowOf(a, "desk.props.tags", "desk.props.tags_help", strings.Join(t.Tags, ", "), 120),
	}}
	return nil
}

func (p *propsPage) keys() []binding {
	return saveKeys("desk.key.save", p.save, func(a *App) tui.Cmd { return a.turn(p.thread) })
}

// save sends what was changed, and only that.
func (p *propsPage) save(a *App) tui.Cmd {
	t, set := p.thread.sheet.Ticket, helpdesk.Properties{}
	if v := helpdesk.Priority(p.form.chosen(0, priorities)); v != "" && v != t.Priority {
		set.Priority = &v
	}
	for i, one := range []struct {
		was  string
		into **string
	}{{t.Category, &set.Category}, {t.Route.Province, &set.Province}, {t.Unit, &set.Unit}, {t.Incident, &set.Incident}} {
		v := p.form.value(i + 1)
		if i == 0 {
			v = strings.ToUpper(v)
		}
		if v != one.was {
			*one.into = &v
		}
	}
	if v := p.form.value(5); v != strings.Join(t.Tags, ", ") {
		tags := []string{}
		for _, tag := range strings.Split(v, ",") {
			tags = append(tags, strings.TrimSpace(tag))
		}
		set.Tags = &tags
	}
	key := t.Key
	return open(a, func(ctx context.Context) (*helpdesk.Ticket, error) { return a.svc.Set(ctx, key, set) }, func(*helpdesk.Ticket) tui.Cmd {
		a.sayArgs(doneMark, "desk.msg.set", locale.Args{"ticket": key})
		return a.turn(p.thread)
	})
}

func (p *propsPage) seam(a *App) string { return p.thread.seam(a) }
func (p *propsPage) hint(a *App) string { return a.t("desk.hint.props", nil) }

func (p *propsPage) draw(a *App, c *tui.Canvas) {
	t := p.thread.sheet.Ticket
	a.head(c, a.t("desk.title.props", nil)+" "+t.Key, a.left(t))
	y := p.form.draw(a, c, 2) + 1
	for _, f := range [][2]string{{"desk.props.state", a.t("ticket.state."+string(t.State), nil)}, {"desk.props.agent", a.nameOf(t.Agent)},
		{"desk.props.due", a.stamp(t.Due)}, {"desk.props.subject_code", t.Route.Code}} {
		if y < bottom(c) && f[1] != "" {
			fact(c, 5, y, 21, a.t(f[0], nil), f[1])
			y++
		}
	}
}
