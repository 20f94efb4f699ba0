package tui

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Kind says what a field accepts.
type Kind int

// The kinds of field.
const (
	FieldText      Kind = iota // one line
	FieldDigits                // digits only
	FieldNumber                // digits, decimal sign, minus
	FieldChoice                // one of Choices, by its key
	FieldMultiline             // several lines; Enter makes a new one
	FieldSecret                // one line, shown as asterisks, not composed
)

// Choice is what a choice field offers: the key that picks it and the words beside it.
type Choice struct{ Key, Label string }

// Field is the field that a person types into. The zero Field is an empty one-line text field.
type Field struct {
	Kind     Kind
	Max      int                        // graphemes; 0 means 4,096
	Choices  []Choice                   // for FieldChoice
	Compose  Composer                   // typing Vietnamese without an input method; for text and several lines only
	Line     bool                       // draw the empty part as underscores
	Height   int                        // rows of FieldMultiline, 0 means 3
	Handling func(grapheme string) bool // narrows what may be typed; nil allows all that the kind does

	text   []string // graphemes
	caret  int      // how many graphemes are before it
	scroll int      // the first cell, or row, that is visible
	undo   []state
	redo   []state
	typing bool // the last change was typing, which undo takes back at once
}

type state struct {
	text  []string
	caret int
}

const maxText = 4096

// Value returns what is in the field.
func (f *Field) Value() string { return strings.Join(f.text, "") }

// Set puts a value into the field, with the caret behind it. Undo brings back what was there.
func (f *Field) Set(s string) {
	f.remember(false)
	f.text = f.accept(s)
	f.caret = len(f.text)
}

// Reset empties the field and forgets what was in it.
func (f *Field) Reset() {
	clear(f.text)
	f.text, f.undo, f.redo, f.caret, f.scroll, f.typing = nil, nil, nil, 0, 0, false
}

// Empty reports whether nothing is in the field.
func (f *Field) Empty() bool { return len(f.text) == 0 }

// Full reports whether nothing more can be typed, so that the field may leave by itself: all digits of a digits field
// with a Max are there, or a choice is made.
func (f *Field) Full() bool {
	switch f.Kind {
	case FieldChoice:
		return len(f.text) > 0
	case FieldDigits, FieldSecret:
		return f.Max > 0 && len(f.text) >= f.Max
	}
	return false
}

// Label returns the words of the choice made, "" when none is.
func (f *Field) Label() string {
	for _, c := range f.Choices {
		if c.Key == f.Value() {
			return c.Label
		}
	}
	return ""
}

func (f *Field) limit() int {
	if f.Max > 0 {
		return f.Max
	}
	return maxText
}

// accept returns the graphemes of s that the field takes, as many as it holds.
func (f *Field) accept(s string) []string {
	var out []string
	for i, line := range strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n") {
		if i > 0 {
			if f.Kind == FieldMultiline {
				out = append(out, "\n")
			} else {
				line = " " + line
			}
		}
		for _, g := range Graphemes(line) {
			if f.allows(g) {
				out = append(out, g)
			}
		}
	}
	if f.Kind == FieldChoice && len(out) > 1 && len(f.Choices) > 0 && len(f.Choices[0].Key) == 1 {
		out = out[:1]
	}
	return out[:min(len(out), f.limit())]
}

// allows reports whether a grapheme may be in the field.
func (f *Field) allows(g string) bool {
	if f.Handling != nil && !f.Handling(g) {
		return false
	}
	digit := len(g) == 1 && g[0] >= '0' && g[0] <= '9'
	switch f.Kind {
	case FieldDigits:
		return digit
	case FieldNumber:
		return digit || g == "." || g == "," || g == "-"
	case FieldChoice:
		return slices.ContainsFunc(f.Choices, func(c Choice) bool { return strings.Contains(c.Key, g) })
	}
	return true
}

// Handle types a key into the field and reports whether the value changed. Keys that are not the field's (Enter, Tab,
// function keys, up and down in one line) change nothing. Ctrl+Z takes back typing and reports false when there is
// nothing to take back.
func (f *Field) Handle(k Key) (changed bool) {
	switch k.Name {
	case "rune":
		return f.insert(k.Text)
	case "backspace":
		return f.delete(f.caret-1, f.caret)
	case "delete":
		return f.delete(f.caret, f.caret+1)
	case "ctrl+u":
		return f.delete(0, len(f.text))
	case "ctrl+z":
		return f.Undo()
	case "ctrl+y":
		return f.Redo()
	case "enter":
		if f.Kind == FieldMultiline {
			return f.insert("\n")
		}
	default:
		f.moveCaret(k.Name)
	}
	return false
}

// Paste puts a text in at the caret and reports whether the value changed.
func (f *Field) Paste(s string) (changed bool) {
	in := f.accept(s)
	if room := f.limit() - len(f.text); len(in) > room {
		in = in[:room]
	}
	if len(in) == 0 {
		return false
	}
	f.remember(false)
	f.text = slices.Insert(f.text, f.caret, in...)
	f.caret += len(in)
	return true
}

// insert types one grapheme. A mark joins the letter before it.
func (f *Field) insert(g string) bool {
	if g == "" {
		return false
	}
	if f.Kind == FieldChoice {
		return f.choose(g)
	}
	if r := []rune(g); unicode.Is(unicode.M, r[0]) {
		if f.caret == 0 {
			return false
		}
		joined := Graphemes(norm.NFC.String(f.text[f.caret-1] + g))
		if len(joined) != 1 || !f.allows(joined[0]) {
			return false
		}
		f.remember(true)
		f.text = slices.Clone(f.text)
		f.text[f.caret-1] = joined[0]
		return true
	}
	if g != "\n" && !f.allows(g) {
		return false
	}
	if f.Compose != nil && (f.Kind == FieldText || f.Kind == FieldMultiline) && f.compose(g) {
		return true
	}
	if len(f.text) >= f.limit() {
		return false
	}
	f.remember(true)
	f.text = slices.Insert(slices.Clone(f.text), f.caret, g)
	f.caret++
	return true
}

// choose picks the choice whose key is g, or whose key begins with what was typed.
func (f *Field) choose(g string) bool {
	try := f.Value() + g
	for _, want := range []string{try, g} {
		for _, c := range f.Choices {
			if c.Key == want {
				f.remember(false)
				f.text = Graphemes(want)
				f.caret = len(f.text)
				return true
			}
		}
	}
	return false
}

// compose lets the composer change the word before the caret; false means that g is to be typed as it is.
func (f *Field) compose(g string) bool {
	from := f.caret
	for from > 0 && isLetter(f.text[from-1]) {
		from--
	}
	word, ok := f.Compose(strings.Join(f.text[from:f.caret], ""), g)
	if !ok {
		return false
	}
	now := Graphemes(word)
	if len(f.text)-(f.caret-from)+len(now) > f.limit() {
		return false
	}
	f.remember(true)
	f.text = slices.Concat(f.text[:from], now, f.text[f.caret:])
	f.caret = from + len(now)
	return true
}

func isLetter(g string) bool {
	for _, r := range g {
		return unicode.IsLetter(r)
	}
	return false
}

func (f *Field) delete(from, to int) bool {
	if from < 0 || to > len(f.text) || from >= to {
		return false
	}
	f.remember(to-from == 1)
	f.text = slices.Delete(slices.Clone(f.text), from, to)
	f.caret = from
	return true
}

// moveCaret moves within the field.
func (f *Field) moveCaret(name string) {
	f.typing = false
	switch name {
	case "left":
		f.caret = max(f.caret-1, 0)
	case "right":
		f.caret = min(f.caret+1, len(f.text))
	case "home":
		for f.caret > 0 && f.text[f.caret-1] != "\n" {
			f.caret--
		}
	case "end":
		for f.caret < len(f.text) && f.text[f.caret] != "\n" {
			f.caret++
		}
	case "up", "down":
		if f.Kind == FieldMultiline {
			f.moveLine(name == "down")
		}
	}
}

// moveLine moves the caret to the same place in the line above or below, as lines were typed.
func (f *Field) moveLine(down bool) {
	start := f.caret
	for start > 0 && f.text[start-1] != "\n" {
		start--
	}
	at := f.caret - start
	if down {
		for f.caret < len(f.text) && f.text[f.caret] != "\n" {
			f.caret++
		}
		if f.caret == len(f.text) {
			return
		}
		start = f.caret + 1
	} else {
		if start == 0 {
			f.caret = 0
			return
		}
		start--
		for start > 0 && f.text[start-1] != "\n" {
			start--
		}
	}
	f.caret = start
	for f.caret < start+at && f.caret < len(f.text) && f.text[f.caret] != "\n" {
		f.caret++
	}
}

// remember keeps the state for Undo. A run of typing is one step.
func (f *Field) remember(typing bool) {
	if typing && f.typing && len(f.undo) > 0 {
		return
	}
	const steps = 100
	f.undo = append(f.undo, state{slices.Clone(f.text), f.caret})
	if len(f.undo) > steps {
		f.undo = f.undo[1:]
	}
	f.redo, f.typing = nil, typing
}

// Undo takes back the last change and reports whether there was one.
func (f *Field) Undo() bool { return f.step(&f.undo, &f.redo) }

// Redo makes the change that Undo took back.
func (f *Field) Redo() bool { return f.step(&f.redo, &f.undo) }

func (f *Field) step(from, to *[]state) bool {
	n := len(*from)
	if n == 0 {
		return false
	}
	*to = append(*to, state{f.text, f.caret})
	f.text, f.caret = (*from)[n-1].text, (*from)[n-1].caret
	*from = (*from)[:n-1]
	f.typing = false
	return true
}

// Caret returns how many graphemes stand before the caret, Go puts it behind that many: for screens that draw a text by
// themselves.
func (f *Field) Caret() int { return f.caret }

// Go moves the caret.
func (f *Field) Go(at int) { f.caret, f.typing = min(max(at, 0), len(f.text)), false }
