package desk

import (
	"strings"

	"countersign/internal/locale"
	"countersign/internal/tui"
)

// form is a few fields below each other, for what is no letter: a call, a report, a ticket's properties.
type form struct {
	rows []formRow
	at   int
}

// formRow is one field with its label and what may stand in it.
type formRow struct {
	label string // catalogue id
	help  string // catalogue id, "" for none
	field tui.Field
}

func textRowOf(a *App, label, help, value string, max int) formRow {
	r := formRow{label: label, help: help, field: tui.Field{Max: max, Compose: a.opt.Compose, Line: true}}
	r.field.Set(value)
	return r
}

// choiceRow is a field that a digit fills.
func choiceRow(label string, names []string, value string, words func(string) string) formRow {
	r := formRow{label: label, field: tui.Field{Kind: tui.FieldChoice, Line: true}}
	for i, n := range names {
		key := string(rune('1' + i))
		r.field.Choices = append(r.field.Choices, tui.Choice{Key: key, Label: words(n)})
		if n == value {
			r.field.Set(key)
		}
	}
	return r
}

// value is what stands in a row, chosen is the name that a choice stands for.
func (f *form) value(i int) string { return strings.TrimSpace(f.rows[i].field.Value()) }

func (f *form) chosen(i int, names []string) string {
	if v := f.value(i); len(v) == 1 && int(v[0]-'1') < len(names) {
		return names[v[0]-'1']
	}
	return ""
}

func (f *form) key(k tui.Key) {
	switch k.Name {
	case "enter", "tab", "down":
		f.at = min(f.at+1, len(f.rows)-1)
	case "shift+tab", "up":
		f.at = max(f.at-1, 0)
	default:
		f.rows[f.at].field.Handle(k)
	}
}

func (f *form) pasted(p tui.Paste) { f.rows[f.at].field.Paste(p.Text) }

// draw draws the fields from a row on and returns the row after them.
func (f *form) draw(a *App, c *tui.Canvas, y int) int {
	w := width(c)
	for i := range f.rows {
		r := &f.rows[i]
		if y >= bottom(c) {
			return y
		}
		x := c.Put(3, y, string(rune('1'+i)), tui.Text)
		c.PutMax(x+1, y, 15, a.t(r.label, nil), tui.Muted)
		room := w - 22
		if r.field.Kind == tui.FieldChoice {
			room = 2
		}
		if i == f.at {
			c.Put(1, y, string(focusMark), focusMark.style()|tui.Bold)
			r.field.Draw(c, 21, y, room, tui.Text)
		} else {
			r.field.Show(c, 21, y, room, tui.Text)
		}
		if r.field.Kind == tui.FieldChoice {
			x := c.PutMax(24, y, w-25, r.field.Label(), tui.Text)
			if i == f.at {
				var all []string
				for _, one := range r.field.Choices {
					all = append(all, one.Key+" "+one.Label)
				}
				c.PutMax(x+2, y, w-x-2, strings.Join(all, "  "), tui.Muted)
			}
		}
		y++
	}
	if h := f.rows[f.at].help; h != "" && y < bottom(c) {
		c.PutMax(3, y, w-4, a.t(h, nil), tui.Muted)
		y++
	}
	return y
}

// formPage is the part of a page that has a form in it.
type formPage struct{ form form }

func (p *formPage) typed(_ *App, k tui.Key) tui.Cmd {
	p.form.key(k)
	return nil
}

func (p *formPage) paste(_ *App, t tui.Paste) tui.Cmd {
	p.form.pasted(t)
	return nil
}

// saveKeys are the keys of a page with a form.
func saveKeys(label string, save, back func(*App) tui.Cmd) []binding {
	return []binding{
		{names: []string{"f10"}, show: "F10", label: label, rank: 1, do: func(a *App, _ tui.Key) tui.Cmd { return save(a) }},
		keyHelp(), keyLock(),
		{names: []string{"esc"}, show: "Esc", label: "desk.key.back", rank: 1, do: func(a *App, _ tui.Key) tui.Cmd { return back(a) }},
	}
}

// missing tells which field still needs something, and puts the caret there.
func (f *form) missing(a *App, i int) tui.Cmd {
	f.at = i
	a.sayArgs(errorMark, "desk.why.missing", locale.Args{"label": a.t(f.rows[i].label, nil)})
	return nil
}
