package display

import (
	"time"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk/mirror"
)

// mark begins a message; the colour only repeats it.
type mark string

const (
	noMark    mark = ""
	errorMark mark = "!"
	waitMark  mark = "~"
	noteMark  mark = "▪"
	doneMark  mark = "✓"
)

func (m mark) style() tui.Style {
	switch m {
	case errorMark:
		return tui.Danger
	case waitMark:
		return tui.Wait
	case doneMark:
		return tui.OK
	}
	return tui.Text
}

// notice is a sentence on row 23 that stays until the next key.
type notice struct {
	mark mark
	text string
	at   time.Time
}

func (a *App) say(m mark, id string, args locale.Args) { a.notice = notice{m, a.t(id, args), a.now()} }

// Draw fills the canvas with the page, the seam, one message and the live keys.
func (a *App) Draw(c *tui.Canvas) {
	a.w, a.h = c.Size()
	if a.small() {
		a.drawSmall(c)
		return
	}
	if a.stage == mirror.Enrol && a.drawEnrol(c) {
		a.drawFoot(c)
		return
	}
	v := a.view()
	c.PutMax(0, 0, a.w-12, v.title, tui.Bold)
	c.PutRight(a.w-1, 0, a.counter(), tui.Text)
	if v.steps {
		a.drawSteps(c)
	}
	y := firstRow
	for _, r := range v.visible() {
		a.drawRow(c, y, r)
		y++
	}
	for i, r := range v.tail {
		a.drawRow(c, a.h-3-len(v.tail)+i, r)
	}
	if a.stage == mirror.Ink && !a.written() {
		c.UsePointer()
	}
	a.drawFoot(c)
}

func (a *App) drawRow(c *tui.Canvas, y int, r row) {
	for _, s := range r.spans {
		c.PutMax(s.x, y, a.width()-s.x, s.s, s.st)
	}
	if len(r.pic) > 0 {
		c.Image(r.picX, y, [][]tui.Cell{r.pic})
	}
	if r.caretX > 0 {
		c.SetCaret(r.caretX, y)
	}
}

func (a *App) counter() string {
	n := a.snap.Counter
	if n == "" {
		n = a.opt.Counter
	}
	if n == "" {
		return ""
	}
	return a.t("display.counter", locale.Args{"n": n})
}

func (a *App) unit() string {
	if a.snap.Unit != "" {
		return a.snap.Unit
	}
	return a.opt.Unit
}

// drawSteps draws row 2, the step line that both screens carry.
func (a *App) drawSteps(c *tui.Canvas) {
	x := 0
	for n := 1; n <= 8; n++ {
		m, st := " ", tui.Muted
		label := a.t("display.step."+string(rune('0'+n)), nil)
		switch {
		case n < a.snap.Step:
			m, st = "✓", tui.OK
		case n == a.snap.Step:
			m, st = "▸", tui.Accent|tui.Bold
		}
		word := m + string(rune('0'+n))
		if a.w >= design || n == a.snap.Step {
			word += " " + label
		}
		x = c.Put(x, 1, word, st) + 1
	}
}

// drawFoot draws the seam, one message and the keys that act now.
func (a *App) drawFoot(c *tui.Canvas) {
	w, h := c.Size()
	c.Fill(0, h-3, w, 1, tui.Band)
	x := c.Put(0, h-3, a.t("display.seam", nil)+"  ", tui.Band|tui.Bold)
	c.PutMax(x, h-3, w-x, a.seam(), tui.Band)

	n := a.row23()
	x = 0
	if n.mark != noMark {
		c.Put(0, h-2, string(n.mark), n.mark.style()|tui.Bold)
		x = 2
	}
	c.PutMax(x, h-2, w-x, n.text, n.mark.style())
	a.drawKeys(c, w, h-1)
}

// drawKeys draws the last row. Where the window is narrow there is less air, and then shorter labels, but every key.
func (a *App) drawKeys(c *tui.Canvas, w, y int) {
	var shows, labels []string
	below := a.view().below
	for _, b := range a.keys() {
		if b.show != "" && !(b.whole && below > 0) {
			shows, labels = append(shows, b.show), append(labels, a.t(b.label, b.args))
		}
	}
	air := 3
	if rowWidth(shows, labels, air) > w {
		air = 2
	}
	for over := rowWidth(shows, labels, air) - w; over > 0; over = rowWidth(shows, labels, air) - w {
		long := 0
		for i, l := range labels {
			if tui.Width(l) > tui.Width(labels[long]) {
				long = i
			}
		}
		if tui.Width(labels[long]) <= 4 {
			break
		}
		labels[long] = tui.Cut(labels[long], max(tui.Width(labels[long])-over, 4))
	}
	x := 0
	for i, s := range shows {
		x = c.Put(x, y, s, tui.Bold)
		x = c.Put(x+1, y, labels[i], tui.Muted) + air
	}
}

func rowWidth(shows, labels []string, air int) int {
	n := -air
	for i, s := range shows {
		n += tui.Width(s) + 1 + tui.Width(labels[i]) + air
	}
	return n
}

// seam says what the clerk does now.
func (a *App) seam() string {
	s := a.snap.Seam
	switch {
	case a.stage == mirror.Curtain:
		return a.t("seam.counter.locked", nil)
	case a.stage == mirror.Agree:
		return a.t("display.seam.agree", locale.Args{"clerk": shortName(a.snap.Clerk)})
	case a.stage == mirror.Welcome && s.ID != "seam.counter.ready", s.ID == "":
		return a.t("seam.counter.ready", locale.Args{"clerk": shortName(a.snap.Clerk)})
	}
	args := make(locale.Args, len(s.Args))
	for k, v := range s.Args {
		args[k] = v
	}
	if full, ok := s.Args["clerk"]; ok {
		args["clerk"] = shortName(full)
	}
	return a.t(s.ID, args)
}

// row23 is the one message: what just happened, what is on its way, or what this stage has to say.
func (a *App) row23() notice {
	if a.notice.text != "" {
		return a.notice
	}
	if a.acts.busy && !a.acts.decided.IsZero() && a.now().Sub(a.acts.decided) >= second {
		return notice{mark: waitMark, text: a.t("display.msg.sending", nil)}
	}
	return a.standing()
}

// standing is what the stage has to say as long as it lasts.
func (a *App) standing() notice {
	plain := func(id string, args locale.Args) notice { return notice{mark: noMark, text: a.t(id, args)} }
	switch a.stage {
	case mirror.Curtain:
		if !a.lost.IsZero() {
			return plain("display.msg.lost", locale.Args{"at": a.seconds(a.lost)})
		}
		return plain("display.msg.curtain", nil)
	case mirror.Welcome:
		return plain("display.msg.welcome", nil)
	case mirror.Visit:
		return plain("display.msg.visit", nil)
	case mirror.Form, mirror.Invite:
		return a.formNotice()
	case mirror.Reading, mirror.Agree:
		return plain("display.msg.hash", locale.Args{"hash": a.snap.Hash})
	case mirror.Card:
		return plain("display.msg.card", nil)
	case mirror.Channel:
		if c := a.snap.Confirm; c != nil && c.Failed != "" {
			return notice{mark: errorMark, text: locale.Fault(a.lang(), fault.New(fault.Conflict, c.Failed, c.FailedArgs))}
		}
		return plain("display.msg.channel", nil)
	case mirror.Enrol:
		return plain("display.msg.enrol", nil)
	case mirror.Code:
		return a.codeNotice()
	case mirror.Token:
		return a.tokenNotice()
	case mirror.Remote:
		return plain("display.msg.remote", nil)
	case mirror.Ink:
		if a.written() {
			return notice{mark: waitMark, text: a.t("display.msg.attest", locale.Args{"clerk": shortName(a.snap.Clerk)})}
		}
		return plain("display.msg.ink", nil)
	case mirror.Waiting:
		return plain("display.msg.waiting", nil)
	case mirror.Receipt:
		return a.receiptNotice()
	case mirror.Rating:
		return plain("display.msg.rating", nil)
	case mirror.Thanks:
		return plain("display.msg.thanks", nil)
	}
	return plain("display.msg.stopped", nil)
}

// small reports a window in which the screens can't be shown.
func (a *App) small() bool { return a.w < minWidth || a.h < minHeight }

// drawSmall is K18 in the customer's words.
func (a *App) drawSmall(c *tui.Canvas) {
	args := locale.Args{"w": a.w, "h": a.h, "minw": minWidth, "minh": minHeight}
	c.PutMax(0, 0, a.w, a.unit(), tui.Bold)
	for i, id := range []string{"display.small.what", "", "display.small.have", "display.small.need", "", "display.small.kept", "display.small.how"} {
		if id != "" {
			c.PutMax(2, 3+i, a.w-3, a.t(id, args), tui.Text)
		}
	}
}
