package tuitest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"countersign/internal/tui"
	"countersign/internal/tui/tuitest"
)

// counter is a screen that asks a name, then a code, and waits a second before it goes on.
type counter struct {
	name tui.Field
	said string
}

func (s *counter) Init() tui.Cmd { return nil }

func (s *counter) Handle(ev tui.Event) tui.Cmd {
	switch ev := ev.(type) {
	case tui.Key:
		switch ev.Name {
		case "enter":
			s.said = "chờ"
			return tui.Batch(tui.After(time.Second, tui.Tick{}), nil)
		case "f10":
			return tui.Quit()
		}
		s.name.Handle(ev)
	case tui.Tick:
		s.said = "phiếu 000042"
	case tui.Scan:
		s.said = ev.Text
	}
	return nil
}

func (s *counter) Draw(c *tui.Canvas) {
	c.Put(0, 0, s.said, tui.Text)
	s.name.Draw(c, 0, 1, 20, tui.Text)
}

func headless(t *testing.T) *tuitest.Headless {
	t.Helper()
	h, err := tuitest.NewHeadless(&counter{}, 60, 20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func parse(t *testing.T, text string) tuitest.Journey {
	t.Helper()
	j, err := tuitest.Parse("test", text)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestJourneyCountsKeysAndFillsVariables(t *testing.T) {
	clerk, display := headless(t), headless(t)
	p := tuitest.Player{
		Terminals: map[string]tuitest.Terminal{"clerk": clerk, "display": display},
		Vars:      map[string]string{"name": "Thử"},
		Ask:       func(_ context.Context, name string) (string, error) { return "12" + name, nil },
	}
	r, err := p.Play(t.Context(), parse(t, `
type ${name} Văn
key left backspace
count content
key home
count overhead
type 9
count usual
scan "phiếu \"000042\""
see "\"000042\""
read order "^phiếu \"(\d+)\"$"
caret 2 2
on display
type ${otp}${order}
see 12otp000042
shot end`))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.Counts["clerk"], (tuitest.Count{Content: 8, Overhead: 3}); got != want {
		t.Errorf("clerk's keys are %+v, want %+v", got, want)
	}
	if got, want := r.Counts["display"], (tuitest.Count{Content: 11}); got != want {
		t.Errorf("customer's keys are %+v, want %+v", got, want)
	}
	if r.Vars["order"] != "000042" || !r.Shots["end"].Shows("12otp000042") {
		t.Errorf("variables %v, shot %s", r.Vars, r.Shots["end"])
	}
}

func TestFailedStepShowsTheLastFrame(t *testing.T) {
	p := tuitest.Player{Terminals: map[string]tuitest.Terminal{"clerk": headless(t)}, Patience: 10 * time.Millisecond}
	_, err := p.Play(t.Context(), parse(t, "type abc\nsee xyz"))
	if err == nil || !strings.Contains(err.Error(), `test:2: at clerk: wanted to see "xyz"`) || !strings.Contains(err.Error(), "|abc  ") {
		t.Errorf("got %v", err)
	}
}

func TestBadJourneysAreRefusedWithTheirLine(t *testing.T) {
	for text, want := range map[string]string{
		"see":                     "test:1: see needs something",
		"\nsmell roses":           `test:2: no step is called "smell"`,
		"caret 1":                 "test:1: caret needs two numbers",
		"count beans":             "test:1: count content, overhead or usual",
		`see "a`:                  "lacks its closing quote",
		`see "a"b"`:               "quote inside",
		`read x "("`:              "missing closing",
		"on display":              "",
		`type "\u00e0 \"\\ \d x"`: "",
	} {
		_, err := tuitest.Parse("test", text)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestHeldTimeMovesOnlyByHand(t *testing.T) {
	h := headless(t)
	h.HoldTime(time.Unix(0, 0))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := h.Press("enter"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Wait(ctx, func(tuitest.Shot) bool { return h.Waiting() == 1 }); err != nil {
		t.Fatal(err)
	}
	h.Advance(999 * time.Millisecond)
	if h.Waiting() != 1 || !strings.HasPrefix(h.Plain(), "chờ") {
		t.Fatalf("%d waiting: %s", h.Waiting(), h.Plain())
	}
	h.Advance(time.Millisecond)
	if _, err := h.Wait(ctx, func(s tuitest.Shot) bool { return s.Shows("000042") }); err != nil {
		t.Fatal(err)
	}
	if err := h.Press("f10"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Wait(ctx, func(tuitest.Shot) bool { return h.Quit() }); err != nil {
		t.Fatal(err)
	}
}

func TestEmulatorBehavesAsATerminal(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"wide characters take two cells":        {"赵a\x1b[1;2Hx", " xa\n\n"},
		"marks join the letter before":          {"e\u0302\u0323x", "e\u0302\u0323x\n\n"},
		"the last column waits before it wraps": {"12345\x1b[1;1Hx", "x2345\n\n"},
		"what is longer wraps":                  {"123456", "12345\n6\n"},
		"a wide one never straddles":            {"1234赵", "1234\n赵\n"},
		"the page scrolls":                      {"a\r\nb\r\nc", "b\nc\n"},
		"erase to the end of the line":          {"12345\x1b[1;3H\x1b[K", "12\n\n"},
		"erase all":                             {"12345\x1b[2J", "\n\n"},
		"the other screen is another page":      {"ab\x1b[?1049h\x1b[Hcd\x1b[?1049l", "ab\n\n"},
		"strings are swallowed":                 {"a\x1b]0;title\ab\x1b_Gx;y\x1b\\c", "abc\n\n"},
	} {
		e := tuitest.NewEmulator(5, 2)
		for _, b := range []byte(tc.in) { // byte by byte: nothing may depend on how a write is cut
			_, _ = e.Write([]byte{b})
		}
		if got := e.Shot().Text(); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
		if len(e.Unknown()) > 0 {
			t.Errorf("%s: unknown %v", name, e.Unknown())
		}
	}
	e := tuitest.NewEmulator(5, 2)
	_, _ = e.Write([]byte("\x1b[5;9r\x1b[?7h\x01\x1bc"))
	if len(e.Unknown()) != 4 {
		t.Errorf("four strange things should be noticed: %v", e.Unknown())
	}
}
