package clerk

import (
	"context"
	"strings"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
)

// sealPage is K14. The irrevocable act is typed: the fourth right digit of the order's number stamps.
type sealPage struct {
	quiet
	digits  string
	wrong   int
	running bool
}

// maxWrongFour is how often the four digits may be wrong before the page starts over.
const maxWrongFour = 3

func (p *sealPage) keys() []binding {
	return []binding{
		{names: []string{"digit"}, show: "0-9", label: "clerk.key.four", rank: 1, on: when((*sealPage).idle, "clerk.why.sealing"), do: actKey((*sealPage).digit)},
		{names: []string{"backspace", "delete", "ctrl+u"}, label: "clerk.key.delete", do: act((*sealPage).erase)},
		{names: []string{"f11"}, show: "F11", label: "clerk.key.see_order", rank: 3, do: func(a *App, _ tui.Key) tui.Cmd { return a.together() }},
		keyAside(),
		keyHelp().wider(),
		{names: []string{"esc"}, show: "Esc", label: "clerk.key.stop_unsealed", rank: 1, on: when((*sealPage).idle, "clerk.why.sealing"), do: func(a *App, _ tui.Key) tui.Cmd { return a.aside() }},
		keyLock().wider(),
	}
}

func (p *sealPage) idle(*App) bool { return !p.running }

func (p *sealPage) erase(*App) tui.Cmd {
	if n := len(p.digits); n > 0 {
		p.digits = p.digits[:n-1]
	}
	return nil
}

// digit takes one of the four; a pasted or scanned number never comes here.
func (p *sealPage) digit(a *App, k tui.Key) tui.Cmd {
	p.digits += k.Text
	if len(p.digits) < 4 {
		return nil
	}
	four := p.digits
	p.digits = ""
	if !strings.HasSuffix(a.order().Number, four) {
		return p.refused(a)
	}
	p.running = true
	key := a.order().Key
	return a.onOrder(func(ctx context.Context) (kiosk.OrderView, error) { return a.svc.Seal(ctx, key, four) }, func(err error) tui.Cmd {
		p.running = false
		switch {
		case err == nil:
			return a.follow()
		case fault.Is(err, "order.last_four"):
			return p.refused(a)
		}
		return a.failed(err)
	})
}

// refused counts a wrong four; after three the clerk sets the order aside and looks at it again.
func (p *sealPage) refused(a *App) tui.Cmd {
	p.wrong++
	if p.wrong < maxWrongFour {
		a.sayArgs(errorMark, "clerk.msg.wrong_four", locale.Args{"left": maxWrongFour - p.wrong})
		return nil
	}
	p.wrong = 0
	a.say(errorMark, "clerk.msg.wrong_four_out", nil)
	return a.together()
}

func (p *sealPage) hint(a *App) string {
	if p.running {
		return "~ " + a.t("clerk.seal.running", nil)
	}
	for _, s := range a.current().Plan {
		if s.Away {
			return "~ " + a.t("clerk.check.away", locale.Args{"name": s.Name})
		}
	}
	return a.t("clerk.hint.seal", nil)
}

func (p *sealPage) draw(a *App, c *tui.Canvas) {
	a.head(c, a.orderTitle("clerk.seal.title"))
	a.steps(c)
	o, w := a.order(), width(c)
	c.Put(1, 3, a.t("clerk.seal.order", nil), tui.Bold)
	x := c.Put(9, 3, o.Number, tui.Text)
	c.PutMax(max(x+3, 41), 3, w-41, a.serviceName(o.Service), tui.Text)
	c.Put(1, 4, a.t("clerk.hash", nil), tui.Bold)
	c.Put(9, 4, a.current().Hash, tui.Text)
	c.PutMax(41, 4, w-41, a.t("clerk.seal.same", nil), tui.Muted)
	section(c, 1, 6, a.t("clerk.seal.will", nil))
	c.Put(6, 7, a.t("clerk.seal.who", nil), tui.Muted)
	c.Put(38, 7, a.t("clerk.seal.by", nil), tui.Muted)
	c.Put(62, 7, a.t("clerk.seal.until", nil), tui.Muted)
	y := 8
	for i, s := range a.current().Plan {
		p.drawPlan(a, c, y, i+1, s)
		y++
	}
	y++
	grants, uses := p.grants(a)
	if grants != "" {
		c.Put(1, y, a.t("clerk.seal.right", nil), tui.Bold)
		c.PutMax(9, y, w-9, a.t("clerk.seal.may", locale.Args{"clerk": shortName(a.me.Clerk.Name), "service": o.Service, "grant": grants}), tui.Text)
		y++
	}
	if uses != "" {
		c.Put(1, y, a.t("clerk.seal.book", nil), tui.Bold)
		c.PutMax(9, y, w-9, a.t("clerk.seal.uses", locale.Args{"uses": uses}), tui.Text)
		y++
	}
	y = min(y+1, bottom(c)-4)
	putMark(c, 1, y, "▸")
	x = c.Put(3, y, a.t("clerk.seal.type", nil), tui.Text|tui.Bold) + 3
	c.Put(x, y, p.digits+strings.Repeat("_", 4-len(p.digits)), tui.Accent|tui.Bold)
	c.SetCaret(x+len(p.digits), y)
	c.PutMax(1, y+2, w-2, a.t("clerk.seal.no_half", nil), tui.Muted)
	a.drawPanes(c)
}

// drawPlan draws one act: by whom, with what, until when valid.
func (p *sealPage) drawPlan(a *App, c *tui.Canvas, y, n int, s kiosk.SealPlan) {
	m := mark("▫")
	until := a.date(s.Until)
	switch {
	case !s.Done.IsZero():
		m, until = doneMark, a.t("clerk.seal.signed", locale.Args{"at": a.clock(s.Done)})
	case s.Away:
		m, until = waitMark, a.t("clerk.seal.silent", nil)
	case p.running:
		m = waitMark
	case s.Role == "timestamp":
		until = a.t("clerk.seal.automatic", nil)
	}
	putMark(c, 2, y, m)
	c.Put(4, y, itoa(n), tui.Text)
	name := s.Name
	if s.Role == "clerk" {
		name += ", " + a.t("clerk.seal.clerk", nil)
	}
	c.PutMax(6, y, 31, name, tui.Text)
	c.PutMax(38, y, 23, a.by(s), tui.Text)
	c.PutMax(62, y, width(c)-62, until, m.style())
}

// by says with what a signature is made.
func (a *App) by(s kiosk.SealPlan) string {
	switch s.By {
	case "":
		return a.t("clerk.by.chooses", nil)
	case "otp_mail", "otp_app":
		return a.t("clerk.by.otp", nil)
	case "token", "remote":
		return a.t("clerk.by.token", nil)
	case "ink":
		return a.t("clerk.by.ink", nil)
	case "counter_key":
		return a.t("clerk.by.counter_key", locale.Args{"counter": a.counter()})
	case "tsa":
		return a.t("clerk.by.tsa", nil)
	}
	if s.Size > 0 {
		return a.t("clerk.by.seal_round", locale.Args{"mm": s.Size})
	}
	return a.t("clerk.by.seal", nil)
}

// grants is the paper under which the clerk may, and uses the numbers of the seal book that will be used.
func (p *sealPage) grants(a *App) (grants, uses string) {
	var g, u []string
	for _, s := range a.current().Plan {
		if s.Grant != "" && !has(g, s.Grant) {
			g = append(g, s.Grant)
		}
		if s.Use > 0 {
			u = append(u, a.count(s.Use))
		}
	}
	return strings.Join(g, ", "), strings.Join(u, ", ")
}

func has(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
