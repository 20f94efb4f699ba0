// Package display is the customer's terminal: the screen beside the clerk's on which a customer follows the form,
// reads the work order, agrees, confirms by a code, chooses the receipt and says goodbye (screens C1 to C10).
//
// App is the root screen. It shows what the newest mirror.Snapshot says and adds only what nobody else needs to know:
// how far the rows are scrolled, an objection being typed, the digits of a code. What a stage looks like is a page
// made without side effects (the *_draw.go files); what its keys do is beside the stage's name (form.go, reading.go,
// card.go, code.go, ink.go, token.go, remote.go, receipt.go).
//
// Invariants:
//   - Digits, Enter, + - . * are all the keys there are. No text is ever asked for. A pointer writes on one surface only.
//   - Every act names the order that was on the screen when the key was pressed; answers for another one are dropped.
//   - A code or a PIN that is half typed is wiped when its question, its order or the connection goes. A PIN goes to the
//     token's agent in this process and nowhere else.
//   - What has to be agreed to has to have been on the screen: Enter works at the end of the rows, not before.
//   - Five seconds without news draw the curtain. Nothing of a customer stays after the thanks.
//
// Start reading at App.Handle, then App.hear (hear.go) and the key table (keys.go).
package display

import (
	"context"
	"time"

	"countersign/internal/clock"
	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk/mirror"
	"countersign/signing/ink"
)

// Options are what the terminal knows before the service has said anything. The zero value works.
type Options struct {
	Clock   clock.Clock
	Lang    locale.Lang
	Unit    string // shown until the service tells the unit's name
	Counter string
	// NoPictures shows a portrait in words only.
	NoPictures bool
	Pad        Pad   // nil: there is no signature pad
	Agent      Agent // nil: no token can be used at this screen
}

// How long the screen waits for somebody.
const (
	second      = time.Second
	silence     = 5 * time.Second // without news before the curtain is drawn
	ratingTime  = 30 * time.Second
	thanksTime  = 20 * time.Second
	stoppedTime = 10 * time.Second
	choiceTime  = 2 * time.Minute  // for the receipt; then nothing is sent
	addressTime = 5 * time.Second  // for which the whole address is shown
	noteTime    = 10 * time.Second // for which a note stands; a failure stands until the next key
	patience    = 3 * time.Second  // for which a decision that was taken stands before its key works again
)

// App is the customer's terminal. Its methods are called by one goroutine at a time.
type App struct {
	svc  Service
	opt  Options
	w, h int

	snap   mirror.Snapshot
	have   bool          // a snapshot has come
	heard  time.Time     // when the newest one came, by this machine's clock
	lost   time.Time     // since when there is no news; zero while there is
	ahead  time.Duration // the service's clock minus this machine's
	stage  mirror.Stage  // what is on the screen
	since  time.Time     // last key, or begin of the stage
	acts   acts
	notice notice

	scroll int
	held   bool // scrolled by hand: the rows do not follow the clerk any more

	rows     []mirror.Row // of the order's form, for an objection while reading
	asking   asking
	reported report

	agreeing bool
	turning  bool          // the next page is asked for
	before   []mirror.Line // the end of the page before the one that is shown
	beforeOf int           // the page that before comes before
	picture  picture

	code     []byte
	ink      writing
	own      owning
	phoned   time.Time // the confirmation for which a provider was asked
	enrolled bool      // the QR code was scanned, says the customer
	secret   bool      // the app's secret is shown in letters
	choosing bool      // another way to confirm
	full     time.Time
	stopped  time.Time // until when the goodbye after stopping stands
	cleared  string    // the order whose thanks are over
}

// New returns the customer's terminal behind its curtain.
func New(svc Service, opt Options) *App {
	if opt.Clock == nil {
		opt.Clock = clock.System{}
	}
	if opt.Lang == "" {
		opt.Lang = locale.Vietnamese
	}
	a := &App{svc: svc, opt: opt, stage: mirror.Curtain}
	a.heard, a.since = a.now(), a.now()
	return a
}

// subscribed tells that the news has begun.
type subscribed struct{ news <-chan mirror.Snapshot }

// heard is one piece of news.
type heard struct {
	snap mirror.Snapshot
	news <-chan mirror.Snapshot
}

// Init asks for the news and starts the clock.
func (a *App) Init() tui.Cmd {
	return tui.Batch(func(ctx context.Context) tui.Event { return subscribed{a.svc.Snapshots(ctx)} }, tui.After(second, tui.Tick{}))
}

// listen waits for the next piece of news; it ends with the channel.
func listen(news <-chan mirror.Snapshot) tui.Cmd {
	return func(ctx context.Context) tui.Event {
		select {
		case <-ctx.Done():
			return nil
		case s, ok := <-news:
			if !ok {
				return nil
			}
			return heard{s, news}
		}
	}
}

// Handle takes one event.
func (a *App) Handle(ev tui.Event) tui.Cmd {
	switch ev := ev.(type) {
	case subscribed:
		return listen(ev.news)
	case heard:
		return tui.Batch(a.hear(ev.snap), listen(ev.news))
	case tui.Key:
		return a.key(ev)
	case tui.Scan, tui.Paste:
		return a.touch() // Nothing here is ever scanned or pasted, least of all a code.
	case tui.Pointer:
		return a.pointer(ev)
	case tokens:
		return a.foundTokens(ev)
	case padded:
		return a.takePad(ev)
	case tui.Tick:
		return tui.Batch(tui.After(second, tui.Tick{}), a.tick())
	case answer:
		return a.answered(ev)
	case fetched:
		a.take(ev)
	case tui.Resize:
		a.resize(ev.W, ev.H)
	}
	return nil
}

// resize takes the window's new size in. Strokes belong to the surface on which they were drawn.
func (a *App) resize(w, h int) {
	if (w != a.w || h != a.h) && len(a.ink.drawing.Strokes) > 0 && a.ink.drawing.Source == ink.Terminal && !a.written() {
		a.ink.drawing.Strokes, a.ink.down = nil, false
		a.say(noteMark, "display.msg.resized", nil)
	}
	a.w, a.h = w, h
}

// now is this machine's time; serviceNow the service's, which codes and terms are counted by.
func (a *App) now() time.Time        { return a.opt.Clock.Now().In(clock.Vietnam) }
func (a *App) serviceNow() time.Time { return a.now().Add(a.ahead) }

// lang is the language of this visit.
func (a *App) lang() locale.Lang {
	if l, err := locale.Parse(a.snap.Lang); err == nil {
		return l
	}
	return a.opt.Lang
}

// t returns a text of the catalogue in the customer's language.
func (a *App) t(id string, args locale.Args) string { return locale.Text(a.lang(), id, args) }
