// Package clerk is the clerk's terminal: the screens on which a walk-in customer's request becomes a signed and sealed
// work order (screens K1 to K18).
//
// App is the root screen. Below it each page is a plain struct with its keys and handler in one file and its drawing
// in another (form.go, form_draw.go). Pages do no I/O: they return commands, whose answers come back on the screen's
// own goroutine and are dropped when the clerk has meanwhile gone elsewhere.
//
// Invariants:
//   - What an order is allowed to do is decided by the service; a page only shows it and asks for it.
//   - A late answer never moves the focus nor touches a cell that the clerk has edited.
//   - A tick stands beside a value only after the service said that it is durable.
//   - Keys that arrive while a page is being opened wait for it and are not lost.
//   - Nothing but what a page compares or enters shows a whole personal number.
//
// Start reading at App, then page (page.go) and the key table (keys.go).
package clerk

import (
	"context"
	"strings"
	"time"

	"countersign/internal/clock"
	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
	"countersign/kiosk/idcard"
)

// Options are what the terminal knows before anybody has signed in. The zero value works.
type Options struct {
	Lang    locale.Lang
	Clock   clock.Clock
	Unit    kiosk.Unit // shown on the lock screen
	Counter string
	// Idle is how long neither side may press a key before both screens are locked; 3 minutes when 0. While the desk
	// waits for the customer the limit is Waiting; 10 minutes when 0.
	Idle, Waiting time.Duration
	// Portraits waits for the next picture from the camera's folder or device. It gives no picture twice, and none
	// that is older than since, when the order began: that would be another customer's. nil: pictures come by no way.
	Portraits func(ctx context.Context, since time.Time) ([]byte, error)
	// Papers lists the newest files of the folder into which papers are scanned, newest first. nil: there is none.
	Papers func(ctx context.Context) ([]Paper, error)
	// Compose is the built-in way of typing Vietnamese; nil leaves it to the terminal.
	Compose tui.Composer
	// Silent switches off the bell that rings when the customer objects or asks for help.
	Silent bool
	// NoPictures shows a portrait's facts in words only.
	NoPictures bool
}

// App is the clerk's terminal. Its methods are called by one goroutine at a time.
type App struct {
	svc  Service
	opt  Options
	lang locale.Lang
	w, h int

	me     SignedIn
	shift  bool // somebody has signed in
	locked bool
	sign   signIn
	pass   int // counts sign-ins and lockings: an answer of an earlier one is dropped

	page     page
	under    page // the page to which help returns
	visit    *kiosk.VisitView
	services []*serviceDef
	links    []kiosk.Link
	kitty    bool             // the terminal shows pictures themselves
	view     *kiosk.OrderView // the order in hand
	saves    saves            // acts on the order that wait for their turn

	seam     kiosk.Seam
	lost     time.Time // since when the service does not answer; zero when it does
	unsaved  int       // saves that waited when the connection came back
	messages []message
	held     hold
	active   time.Time // last key of either side
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
	if opt.Waiting == 0 {
		opt.Waiting = 10 * time.Minute
	}
	a := &App{svc: svc, opt: opt, lang: opt.Lang, locked: true}
	a.sign.begin(a, askPassword)
	a.page = &homePage{}
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
		if !a.isCard(ev.Text) {
			return a.typed(ev.Text)
		}
		return a.input(ev)
	case tui.Paste:
		a.active = a.now()
		return a.input(ev)
	case tui.Tick:
		return tui.Batch(tui.After(second, tui.Tick{}), a.tick())
	case answer:
		if ev.pass != a.pass {
			return nil
		}
		return ev.take()
	case subscribed:
		return a.listen(ev)
	case news:
		return a.hear(ev)
	case tui.Resize:
		a.w, a.h = ev.W, ev.H
	}
	return nil
}

// isCard reports whether a burst of keys came from a reader: it is a card, or what is left of one.
func (a *App) isCard(text string) bool {
	card, err := idcard.ParseOn(text, a.now())
	if err != nil {
		return strings.Contains(text, "|") || strings.Contains(text, "<<")
	}
	return card.Kind != idcard.CCCDNumber && card.Kind != idcard.MST
}

// typed takes a burst that is no card for what it then is: the keys of a quick person at a terminal that was held up,
// with Enter at the end of each line. Nothing that was typed is lost. The seal's four digits are too few for a burst:
// there it was something scanned, and what is scanned never stamps.
func (a *App) typed(text string) tui.Cmd {
	if _, seal := a.page.(*sealPage); seal && !a.locked {
		a.say(noteMark, "clerk.why.no_scan_here", nil)
		return nil
	}
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
	if k.Name == "ctrl+c" {
		a.say(noteMark, "clerk.msg.leave", nil)
		return nil
	}
	if k.Name == "ctrl+r" {
		return nil // internal/tui repaints the terminal by itself.
	}
	if k.Name == "ctrl+l" && a.shift && !a.locked {
		return a.lock()
	}
	if a.tooSmall {
		return nil
	}
	if a.locked {
		return a.sign.key(a, k)
	}
	if a.held.on {
		return a.holdKey(k)
	}
	a.read()
	return a.press(k)
}

// input gives a scan or a pasted text to the page.
func (a *App) input(ev tui.Event) tui.Cmd {
	if a.tooSmall {
		return nil
	}
	if a.locked {
		return a.sign.input(a, ev)
	}
	if a.held.on {
		a.held.queue = append(a.held.queue, ev)
		return nil
	}
	a.read()
	return a.page.input(a, ev)
}

// call runs f outside Handle and takes its outcome in on the screen's goroutine, unless the terminal was locked or
// signed out meanwhile.
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

// onOrder is call for acts on the order in hand: an answer about another order is dropped, an older state of this
// one is not taken over.
func (a *App) onOrder(f func(context.Context) (kiosk.OrderView, error), take func(error) tui.Cmd) tui.Cmd {
	key := a.order().Key
	return call(a, f, func(v kiosk.OrderView, err error) tui.Cmd {
		if a.order().Key != key {
			return nil
		}
		if err == nil {
			a.adopt(v)
		}
		return take(err)
	})
}

// order returns the order in hand; one without a key when there is none.
func (a *App) order() *kiosk.Order {
	if a.view == nil {
		return &kiosk.Order{}
	}
	return &a.view.Order
}

// current is the view of the order in hand; an empty one when there is none.
func (a *App) current() *kiosk.OrderView {
	if a.view == nil {
		return &kiosk.OrderView{}
	}
	return a.view
}

// adopt takes a newer state of the order in hand over.
func (a *App) adopt(v kiosk.OrderView) {
	if a.view != nil && a.view.Order.Key == v.Order.Key && v.Order.Rev < a.view.Order.Rev {
		return
	}
	if v.Service == nil {
		v.Service = a.serviceOf(v.Order.Service)
	}
	a.view = &v
	if v.Seam.ID != "" {
		a.seam = v.Seam
	}
}

// serviceOf returns the definition of a service by its number, nil when it is not known yet.
func (a *App) serviceOf(number string) *serviceDef {
	for _, s := range a.services {
		if s.Number == number {
			return s
		}
	}
	if a.view != nil && a.view.Service != nil && a.view.Service.Number == number {
		return a.view.Service
	}
	return nil
}

func (a *App) now() time.Time { return a.opt.Clock.Now().In(clock.Vietnam) }

// t returns a text of the catalogue in the clerk's language.
func (a *App) t(id string, args locale.Args) string { return locale.Text(a.lang, id, args) }
