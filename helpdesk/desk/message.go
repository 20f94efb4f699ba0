package desk

import (
	"errors"
	"strings"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/tui"
)

// mark begins a message or a row; the colour only repeats it.
type mark string

const (
	errorMark mark = "!"
	waitMark  mark = "~"
	doneMark  mark = "✓"
	failMark  mark = "✗"
	noteMark  mark = "▪"
	focusMark mark = "▸"
	openMark  mark = "▫"
)

// style repeats the meaning of a mark in colour.
func (m mark) style() tui.Style {
	switch m {
	case errorMark, failMark:
		return tui.Danger
	case waitMark, openMark, "?":
		return tui.Wait
	case doneMark:
		return tui.OK
	case focusMark:
		return tui.Accent
	}
	return tui.Text
}

// message is one sentence of row 23. It stays until a key is pressed after it was shown.
type message struct {
	mark mark
	text string
	code string // of a failure, for F1
}

// maxMessages bounds the queue; the oldest go first.
const maxMessages = 9

// say puts a sentence of the catalogue, or that of a failure, on row 23.
func (a *App) say(m mark, id string, err error) {
	if err != nil {
		a.push(message{m, a.sentence(err), fault.CodeOf(err)})
		return
	}
	a.push(message{mark: m, text: a.t(id, nil)})
}

func (a *App) sayArgs(m mark, id string, args locale.Args) {
	a.push(message{mark: m, text: a.t(id, args)})
}

func (a *App) push(msg message) {
	for i, old := range a.messages {
		if old == msg {
			a.messages = append(a.messages[:i:i], a.messages[i+1:]...)
			break
		}
	}
	a.messages = append(a.messages, msg)
	if n := len(a.messages); n > maxMessages {
		a.messages = a.messages[n-maxMessages:]
	}
}

// read takes the message away that the agent saw before pressing a key.
func (a *App) read() {
	if len(a.messages) > 0 {
		a.messages = a.messages[1:]
	}
}

// sentence puts a failure into words. An argument that begins with @ is a list of ids of the catalogue.
func (a *App) sentence(err error) string {
	var f *fault.Error
	if !errors.As(err, &f) {
		return locale.Fault(a.lang, err)
	}
	args := make(fault.Args, len(f.Args))
	for k, v := range f.Args {
		if ids, ok := strings.CutPrefix(v, "@"); ok {
			var words []string
			for _, id := range strings.Split(ids, ",") {
				words = append(words, a.t(id, nil))
			}
			v = strings.Join(words, ", ")
		} else if k == "agent" {
			v = a.nameOf(v)
		}
		args[k] = v
	}
	return locale.Fault(a.lang, fault.New(f.Kind, f.Code, args))
}

// row23 is the one message to show now, most urgent first.
func (a *App) row23() (mark, string) {
	switch {
	case len(a.messages) > 0:
		m := a.messages[0]
		if n := len(a.messages); n > 1 {
			return m.mark, m.text + " " + a.t("desk.msg.more", locale.Args{"n": n - 1})
		}
		return m.mark, m.text
	case !a.lost.IsZero():
		return waitMark, a.t("desk.msg.lost", locale.Args{"at": a.clock(a.lost)})
	case a.held.on && a.now().Sub(a.held.since) >= patience:
		return waitMark, a.t("desk.msg.waiting", locale.Args{"s": int(a.now().Sub(a.held.since) / second)})
	case a.locked:
		return "", a.sign.hint(a)
	}
	if p, ok := a.page.(interface{ alert(*App) (mark, string) }); ok {
		if m, text := p.alert(a); text != "" {
			return m, text
		}
	}
	return "", a.page.hint(a)
}
