package tuitest

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"countersign/internal/tui"
)

// Journey is a list of steps, one a line; blank lines and lines that begin with # are for the reader.
//
//	on display              the following happens at this terminal; the first one is "clerk"
//	type 0900000018         text keys, one after the other; the rest of the line, or a "quoted text"
//	key f10                 one named key; several may follow: key down down enter
//	scan "001090…|…"        a scanner's burst with Enter at its end; not a key
//	paste "text"            a bracketed paste
//	drag 10 9 20 12 30 9    a mouse's button held from one column and row, from 1, through the others; not a key
//	see "KÍNH CHÀO"         wait until some row holds the text
//	see-not "text"          wait until no row holds it
//	caret 28 11             wait until the cursor stands in this column and row, from 1
//	read code "mã (\d{6})"  wait for a row that matches; ${code} is its last group from now on
//	resize 100 30           another size of the terminal
//	shot name               keep the screen under this name
//	count content           the following keys at the clerk's make content (count overhead, count usual)
//
// In a "quoted text" \" \\ \n and \u00e0 are as in Go.
type Journey struct {
	Name  string
	Steps []Step
}

// Step is one line of a journey.
type Step struct {
	Line int
	Verb string
	Text string // what is typed, seen, pressed…
	Name string // of a terminal, shot or variable
	X, Y int
	Path [][2]int
}

// Load reads a journey from a file.
func Load(path string) (Journey, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Journey{}, fmt.Errorf("read journey: %w", err)
	}
	return Parse(path, string(b))
}

// Parse reads a journey.
func Parse(name, text string) (Journey, error) {
	j := Journey{Name: name}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		s, err := parseStep(line)
		if err != nil {
			return j, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
		s.Line = i + 1
		j.Steps = append(j.Steps, s)
	}
	return j, nil
}

func parseStep(line string) (Step, error) {
	verb, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	s := Step{Verb: verb}
	var err error
	switch verb {
	case "type", "scan", "paste", "see", "see-not":
		s.Text, err = unquote(rest)
	case "key":
		s.Text = rest
	case "drag":
		s.Path, err = parsePath(rest)
		return s, err
	case "on", "shot":
		s.Name = rest
	case "count":
		s.Name = rest
		if rest != "content" && rest != "overhead" && rest != "usual" {
			return s, fmt.Errorf("count content, overhead or usual, not %q", rest)
		}
	case "read":
		s.Name, rest, _ = strings.Cut(rest, " ")
		if s.Text, err = unquote(strings.TrimSpace(rest)); err == nil {
			_, err = regexp.Compile(s.Text)
		}
	case "caret", "resize":
		if _, err = fmt.Sscanf(rest, "%d %d", &s.X, &s.Y); err != nil {
			err = fmt.Errorf("%s needs two numbers, not %q", verb, rest)
		}
		return s, err
	default:
		return s, fmt.Errorf("no step is called %q", verb)
	}
	if err == nil && s.Text == "" && s.Name == "" {
		err = fmt.Errorf("%s needs something behind it", verb)
	}
	return s, err
}

// unquote returns the text of "…" as in Go, with a backslash that Go does not know standing for itself, so that
// patterns need no doubling.
func unquote(s string) (string, error) {
	if len(s) < 2 || s[0] != '"' {
		return s, nil
	}
	if s[len(s)-1] != '"' {
		return "", fmt.Errorf("%s lacks its closing quote", s)
	}
	var b strings.Builder
	for in := s[1 : len(s)-1]; in != ""; {
		r, _, tail, err := strconv.UnquoteChar(in, '"')
		if err != nil {
			if in[0] != '\\' {
				return "", fmt.Errorf("%s has a quote inside; write \\\"", s)
			}
			r, tail = '\\', in[1:]
		}
		b.WriteRune(r)
		in = tail
	}
	return b.String(), nil
}

// Count is how many keys were pressed at one terminal: those that make content and all others.
type Count struct{ Content, Overhead int }

// Result is what a journey left behind.
type Result struct {
	Counts map[string]Count
	Shots  map[string]Shot
	Vars   map[string]string
}

// Player plays journeys at named terminals.
type Player struct {
	Terminals map[string]Terminal
	Patience  time.Duration     // how long a step may wait for the screen; 0 means 10 s
	Vars      map[string]string // ${name} in texts
	// Ask fills a variable that is not in Vars, such as a code that was mailed; nil means that there is none.
	Ask func(ctx context.Context, name string) (string, error)
}

// Play plays a journey to its end or to its first step that does not come true.
func (p Player) Play(ctx context.Context, j Journey) (Result, error) {
	r := Result{Counts: map[string]Count{}, Shots: map[string]Shot{}, Vars: map[string]string{}}
	for k, v := range p.Vars {
		r.Vars[k] = v
	}
	at, counting := "clerk", "usual"
	for _, s := range j.Steps {
		switch s.Verb {
		case "on":
			at = s.Name
			continue
		case "count":
			counting = s.Name
			continue
		}
		term, ok := p.Terminals[at]
		if !ok {
			return r, fmt.Errorf("%s:%d: no terminal is called %q", j.Name, s.Line, at)
		}
		var err error
		if s.Text, err = p.expand(ctx, s.Text, r.Vars); err == nil {
			err = p.step(ctx, term, s, &r)
		}
		if err != nil {
			return r, fmt.Errorf("%s:%d: at %s: %w", j.Name, s.Line, at, err)
		}
		r.Counts[at] = r.Counts[at].add(s, counting)
	}
	return r, nil
}

// add counts the keys of a step.
func (c Count) add(s Step, as string) Count {
	n, content := 0, false
	switch s.Verb {
	case "type":
		n, content = len(tui.Graphemes(s.Text)), true
	case "key":
		n = len(strings.Fields(s.Text))
	}
	if as != "usual" {
		content = as == "content"
	}
	if content {
		c.Content += n
	} else {
		c.Overhead += n
	}
	return c
}

var variable = regexp.MustCompile(`\$\{([\w.]+)\}`)

// expand puts variables in.
func (p Player) expand(ctx context.Context, text string, vars map[string]string) (string, error) {
	var failed error
	out := variable.ReplaceAllStringFunc(text, func(m string) string {
		name := m[2 : len(m)-1]
		if v, ok := vars[name]; ok {
			return v
		}
		if p.Ask == nil {
			failed = fmt.Errorf("nothing is known of %s", m)
			return m
		}
		v, err := p.Ask(ctx, name)
		if err != nil {
			failed = fmt.Errorf("ask for %s: %w", m, err)
			return m
		}
		vars[name] = v
		return v
	})
	return out, failed
}

func (p Player) step(ctx context.Context, t Terminal, s Step, r *Result) error {
	switch s.Verb {
	case "type":
		for _, g := range tui.Graphemes(s.Text) {
			if err := t.Type(g); err != nil {
				return err
			}
		}
		return nil
	case "key":
		for _, name := range strings.Fields(s.Text) {
			if err := t.Press(name); err != nil {
				return err
			}
		}
		return nil
	case "scan":
		return t.Scan(s.Text)
	case "paste":
		return t.Paste(s.Text)
	case "drag":
		return t.Drag(s.Path)
	case "resize":
		return t.Resize(s.X, s.Y)
	case "shot":
		shot, err := t.Wait(ctx, func(Shot) bool { return true })
		r.Shots[s.Name] = shot
		return err
	}
	return p.look(ctx, t, s, r)
}

// look waits for what a step expects of the screen.
func (p Player) look(ctx context.Context, t Terminal, s Step, r *Result) error {
	patience := p.Patience
	if patience == 0 {
		patience = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var want string
	var until func(Shot) bool
	switch s.Verb {
	case "see":
		want = fmt.Sprintf("to see %q", s.Text)
		until = func(shot Shot) bool { return shot.Shows(s.Text) }
	case "see-not":
		want = fmt.Sprintf("not to see %q", s.Text)
		until = func(shot Shot) bool { return !shot.Shows(s.Text) }
	case "caret":
		want = fmt.Sprintf("the caret at %d %d", s.X, s.Y)
		until = func(shot Shot) bool { return shot.CaretShown && shot.CaretX == s.X-1 && shot.CaretY == s.Y-1 }
	case "read":
		want = fmt.Sprintf("a row that matches %q", s.Text)
		re, err := regexp.Compile(s.Text)
		if err != nil {
			return err
		}
		until = func(shot Shot) bool {
			for y := range shot.H {
				if m := re.FindStringSubmatch(shot.Row(y)); m != nil {
					r.Vars[s.Name] = m[len(m)-1]
					return true
				}
			}
			return false
		}
	}
	shot, err := t.Wait(ctx, until)
	if err == nil {
		return nil
	}
	caret := "hidden"
	if shot.CaretShown {
		caret = fmt.Sprintf("at %d %d", shot.CaretX+1, shot.CaretY+1)
	}
	return fmt.Errorf("wanted %s: %w; the last frame, caret %s:\n%s", want, err, caret, shot)
}
