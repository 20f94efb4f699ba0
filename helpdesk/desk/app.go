// Package desk is the support agent's terminal: the queue, a ticket with its thread and its evidence, and the writing of
// answers (screens D1 to D6).
//
// App is the root screen. Below it each page is a plain struct with its keys and handler in one file and its drawing in
// another (queue.go, queue_draw.go). Pages do no I/O: they return commands, whose answers come back on the screen's own
// goroutine and are dropped when the agent has meanwhile gone elsewhere.
//
// Invariants:
//   - What may be done to a ticket is decided by the service; a page only shows it and asks for it.
//   - The list never moves under the hand: changes are told, F5 sorts anew.
//   - Nothing in a mail can be opened from here. Links and files are inert words; every text passes the canvas, which lets
//     no control character and no reordering through.
//   - A draft with a finding of the linter can't be sent; there is no key that lets it pass.
//   - A draft stays in the terminal until it was sent, also over the lock and over a page change.
//
// Start reading at App, then page (page.go) and the key table (keys.go).
package desk

import (
	"context"
	"strings"
	"time"

	"countersign/helpdesk"
	"countersign/internal/clock"
	"countersign/internal/locale"
	"countersign/internal/tui"
)

// Options are what the terminal knows before anybody has signed in. The zero value works.
type Options struct {
	Lang locale.Lang
	// Clock is the terminal's; the system's when nil.
	Clock clock.Clock
	// Idle is how long no key may be pressed before the screen is locked; 3 minutes when 0.
	Idle time.Duration
	// Compose is the built-in way of typing Vietnamese; nil leaves it to the terminal.
	Compose tui.Composer
}

// App is the agent's terminal. Its methods are called by one goroutine at a time.
type App struct {
	svc  Service
	opt  Options
	lang locale.Lang
	w, h int

	user   SignedIn
	me     helpdesk.Agent // as the queue's answer says
	shift  bool           // somebody has signed in
	locked bool
	sign   signIn
	pass   int // counts sign-ins and lockings: an answer of an earlier one is dropped

	page   page
	queue  *queuePage
	team   []*helpdesk.Agent
	drafts map[string]*draft // by ticket

	lost     time.Time // since when the service does not answer; zero when it does
	messages []message
	held     hold
	active   time.Time // last key
	stop     context.CancelFunc
	tooSmall bool
}

// New returns the terminal, locked, asking who signs in.
func New(svc Service, opt Options) *App {
	if opt.Clock == nil {
		opt.Clock = clock.System{}
	}
	if opt.Lang == "" {
		opt.Lang = locale.Vietnamese
	}
	if opt.Idle == 0 {
		opt.Idle = 3 * time.Minute
	}
	a := &App{svc: svc, opt: opt, lang: opt.Lang, locked: true, drafts: map[string]*draft{}, queue: &queuePage{}}
	a.sign.begin(a, askPassword)
	a.page = a.queue
	a.active = a.now()
	return a
}

// second is how often the terminal looks at the clock.
const second = time.Second

// Init starts the clock.
func (a *App) Init() tui.Cmd { return tui.After(second, tui.Tick{}) }

// answer is the outcome of a command, to be taken in on the screen's goroutine.
type answer struct {
	pass int
	take func() tui.Cmd
}

// Handle takes one event.
func (a *App) Handle(ev tui.Event) tui.Cmd {
	switch ev := ev.(type) {
	case tui.Key:
		a.active = a.now()
		return a.key(ev)
	case tui.Scan:
		a.active = a.now()
		return a.typed(ev.Text)
	case tui.Paste:
		a.active = a.now()
		return a.paste(ev)
	case tui.Tick:
		return tui.Batch(tui.After(second, tui.Tick{}), a.tick())
	case answer:
		if ev.pass != a.pass {
			return nil
		}
		return ev.take()
	case subscribed:
		a.stop = ev.stop
		return next(ev.changes)
	case news:
		return a.hear(ev)
	case tui.Resize:
		a.w, a.h = ev.W, ev.H
	}
	return nil
}

// typed takes a burst of keys for what it is here: the keys of a quick person at a terminal that was held up.
func (a *App) typed(text string) tui.Cmd {
	var cmds []tui.Cmd
	for _, line := range strings.Split(text, "\n") {
		for _, g := range tui.Graphemes(line) {
			cmds = append(cmds, a.key(tui.Key{Name: "rune", Text: g}))
		}
		cmds = append(cmds, a.key(tui.Key{Name: "enter"}))
	}
	return tui.Batch(cmds...)
}

// key gives a key to whatever has the focus: the lock, a page that is being opened, the key table, the page.
func (a *App) key(k tui.Key) tui.Cmd {
	switch {
	case k.Name == "ctrl+c":
		a.say(noteMark, "desk.msg.leave", nil)
		return nil
	case k.Name == "ctrl+r":
		return nil // internal/tui repaints the terminal by itself.
	case k.Name == "ctrl+l" && a.shift && !a.locked:
		return a.lock()
	case a.tooSmall:
		return nil
	case a.locked:
		return a.sign.key(a, k)
	case a.held.on:
		return a.holdKey(k)
	}
	a.read()
	return a.press(k)
}

// paste gives a pasted text to the page.
func (a *App) paste(p tui.Paste) tui.Cmd {
	switch {
	case a.tooSmall || a.held.on:
		return nil
	case a.locked:
		a.sign.paste(p)
		return nil
	}
	a.read()
	if t, ok := a.page.(paster); ok {
		return t.paste(a, p)
	}
	return nil
}

// call runs f outside Handle and takes its outcome in on the screen's goroutine, unless the terminal was locked or signed
// out meanwhile.
func call[T any](a *App, f func(context.Context) (T, error), take func(T, error) tui.Cmd) tui.Cmd {
	pass := a.pass
	return func(ctx context.Context) tui.Event {
		v, err := f(ctx)
		return answer{pass: pass, take: func() tui.Cmd { return take(v, err) }}
	}
}

// do is call for acts that return nothing but an error.
func do(a *App, f func(context.Context) error, take func(error) tui.Cmd) tui.Cmd {
	return call(a, func(ctx context.Context) (struct{}, error) { return struct{}{}, f(ctx) },
		func(_ struct{}, err error) tui.Cmd { return take(err) })
}

func (a *App) now() time.Time { return a.opt.Clock.Now().In(clock.Vietnam) }

// t returns a text of the catalogue in the agent's language.
func (a *App) t(id string, args locale.Args) string { return locale.Text(a.lang, id, args) }
