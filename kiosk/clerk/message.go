package clerk

import (
	"errors"
	"strings"
	"unicode/utf8"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/tui"
)

// mark begins a message; the colour only repeats it.
type mark string

const (
	errorMark mark = "!"
	waitMark  mark = "~"
	doneMark  mark = "✓"
	noteMark  mark = "▪"
)

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
	msg := message{mark: m}
	if err != nil {
		msg.text, msg.code = a.sentence(err), fault.CodeOf(err)
	} else {
		msg.text = a.t(id, nil)
	}
	a.queue(msg)
}

func (a *App) sayArgs(m mark, id string, args locale.Args) {
	a.queue(message{mark: m, text: a.t(id, args)})
}

func (a *App) queue(msg message) {
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

// read takes the message away that the clerk saw before pressing a key.
func (a *App) read() {
	if len(a.messages) > 0 {
		a.messages = a.messages[1:]
	}
}

// sentence puts a failure into words. An argument that begins with @ is itself an id of the catalogue.
func (a *App) sentence(err error) string {
	var f *fault.Error
	if !errors.As(err, &f) {
		return locale.Fault(a.lang, err)
	}
	args := make(fault.Args, len(f.Args))
	for k, v := range f.Args {
		args[k] = a.words(v)
	}
	return locale.Fault(a.lang, fault.New(f.Kind, f.Code, args))
}

// words returns an argument of a failure as people read it: behind @ stand ids of the catalogue, parted by commas.
func (a *App) words(v string) string {
	ids, ok := strings.CutPrefix(v, "@")
	if !ok {
		return v
	}
	var out []string
	for _, id := range strings.Split(ids, ",") {
		out = append(out, a.t(id, nil))
	}
	return strings.Join(out, ", ")
}

// faultArg is one argument of a failure.
func faultArg(err error, name string) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Args[name]
	}
	return ""
}

// short is the form of a failure that fits the note column: the catalogue's, else the beginning of the sentence
// without the field's number, which the row has already.
func (a *App) short(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		args := make(locale.Args, len(f.Args))
		for k, v := range f.Args {
			args[k] = a.words(v)
		}
		if s := a.t("note."+f.Code, args); !strings.HasPrefix(s, "‹") {
			return s
		}
	}
	s := a.sentence(err)
	if i := strings.IndexAny(s, ":："); i > 0 && i < 16 {
		_, n := utf8.DecodeRuneInString(s[i:])
		s = strings.TrimSpace(s[i+n:])
	}
	return s
}

// row23 is the one message to show now, most urgent first.
func (a *App) row23() (mark, string) {
	switch {
	case len(a.messages) > 0:
		m := a.messages[0]
		if n := len(a.messages); n > 1 {
			return m.mark, m.text + " " + a.t("clerk.msg.more", locale.Args{"n": n - 1})
		}
		return m.mark, m.text
	case !a.lost.IsZero():
		return waitMark, a.t("clerk.msg.lost", locale.Args{"at": a.clock(a.lost)})
	case a.held.on && a.now().Sub(a.held.since) >= patience:
		return waitMark, a.t(a.held.label, nil) + " " + a.seconds(a.now().Sub(a.held.since))
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

// style repeats the meaning of a mark in colour.
func (m mark) style() tui.Style {
	switch m {
	case errorMark, "✗":
		return tui.Danger
	case waitMark, "?", "▫":
		return tui.Wait
	case doneMark:
		return tui.OK
	case "◦", "=":
		return tui.Muted
	case "▸":
		return tui.Accent
	}
	return tui.Text
}
