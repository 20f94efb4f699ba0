package tui_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"countersign/internal/tui"
	"countersign/internal/tui/tuitest"
)

// role makes the test binary stand in for a program of ours.
const role = "COUNTERSIGN_TUI_TEST"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "version":
		fmt.Println("countersign test")
	case "form":
		form := &form{field: tui.Field{Compose: composer(os.Getenv("COMPOSE"))}}
		ctx := context.Background()
		if d, err := time.ParseDuration(os.Getenv("LASTS")); err == nil {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, d)
			defer cancel()
		}
		err := tui.Run(ctx, form, tui.Options{Theme: os.Getenv("THEME"), OnHangup: func() {
			if f := os.Getenv("HANGUP"); f != "" {
				_ = os.WriteFile(f, []byte("locked"), 0o600)
			}
		}})
		if err != nil {
			fmt.Println("ended:", strings.SplitN(err.Error(), "\n", 2)[0])
			os.Exit(1)
		}
		fmt.Println("ended well")
	}
}

func composer(name string) tui.Composer {
	switch name {
	case "telex":
		return tui.Telex
	case "vni":
		return tui.VNI
	}
	return nil
}

// form is a page with one field, which also says what happened last.
type form struct {
	field tui.Field
	said  string
	ticks int
}

func (f *form) Init() tui.Cmd { return nil }

func (f *form) Handle(ev tui.Event) tui.Cmd {
	switch ev := ev.(type) {
	case tui.Key:
		if ev.Name != "rune" {
			f.said = "key " + ev.Name
		}
		switch ev.Name {
		case "f10":
			return tui.Quit()
		case "f9":
			panic("planted")
		case "f8":
			return func(context.Context) tui.Event { panic("planted in a command") }
		case "f2":
			return tui.Batch(tui.Bell(), tui.Transmit(7, []byte("picture"), 4, 2), tui.Forget(7))
		case "f6":
			f.ticks = 200
			return tui.After(time.Millisecond/4, tui.Tick{})
		}
		f.field.Handle(ev)
	case tui.Tick:
		if f.ticks--; f.ticks > 0 {
			return tui.After(time.Millisecond/4, tui.Tick{})
		}
		f.said = "ticks are over"
	case tui.Scan:
		f.said = "scan <" + ev.Text + ">"
	case tui.Paste:
		f.said = "paste <" + ev.Text + ">"
		f.field.Paste(ev.Text)
	case tui.Resize:
		f.said = fmt.Sprintf("size %dx%d", ev.W, ev.H)
	}
	return nil
}

func (f *form) Draw(c *tui.Canvas) {
	_, h := c.Size()
	x := c.Put(0, 0, "PHIẾU THỬ", tui.Text|tui.Bold)
	if c.Kitty() {
		c.Put(x+2, 0, "có hình", tui.Muted)
	}
	c.Put(0, 2, "▸", tui.Accent)
	c.Put(2, 2, "Họ tên", tui.Muted)
	f.field.Draw(c, 10, 2, 30, tui.Text|tui.OnRow)
	c.Put(0, 4, f.said, tui.Muted)
	c.Box(2, 6, 30, 3, "khung")
	c.Fill(0, h-3, 80, 1, tui.Band)
	c.Put(0, h-3, "KHÁCH  đang xem", tui.Band)
}

// start runs the test binary as the form in a pseudo terminal.
func start(t *testing.T, env ...string) *tuitest.Pty {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "COLORTERM=truecolor", "LANG=C.UTF-8", "TMUX=", "NO_COLOR=", role+"=form")
	cmd.Env = append(cmd.Env, env...)
	p, err := tuitest.StartPty(cmd, 80, 24)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// play plays a journey at one terminal.
func play(t *testing.T, term tuitest.Terminal, text string) tuitest.Result {
	t.Helper()
	j, err := tuitest.Parse(t.Name(), text)
	if err != nil {
		t.Fatal(err)
	}
	r, err := tuitest.Player{Terminals: map[string]tuitest.Terminal{"clerk": term}}.Play(context.Background(), j)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// within returns a context for waiting in tests.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

const caretJourney = `
see "PHIẾU THỬ"
caret 11 3
type Nguyễn Văn Ế
see "Nguyễn Văn Ế"
caret 23 3
type 赵试過戶
see "Nguyễn Văn Ế赵试過戶"
caret 31 3
key left left backspace
see "Nguyễn Văn Ế赵過戶"
caret 25 3
resize 100 30
see "size 100x30"
caret 25 3
shot end
`

func TestCaretIsInTheRightCellInThreeTerminals(t *testing.T) {
	t.Run("headless", func(t *testing.T) {
		h, err := tuitest.NewHeadless(&form{}, 80, 24)
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		play(t, h, caretJourney)
	})
	t.Run("pty", func(t *testing.T) {
		p := start(t)
		play(t, p, caretJourney)
		p.Ask(func(e *tuitest.Emulator) {
			if u := e.Unknown(); len(u) > 0 {
				t.Errorf("wrote what no terminal need understand: %v", u)
			}
		})
	})
	t.Run("tmux", func(t *testing.T) {
		m, err := tuitest.StartTmux("tui", role+"=form "+os.Args[0], 80, 24)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		play(t, m, caretJourney)
	})
}

func TestDecomposedLettersBecomeOneGrapheme(t *testing.T) {
	p := start(t)
	if _, err := p.Wait(within(t), func(s tuitest.Shot) bool { return s.Shows("PHIẾU") }); err != nil {
		t.Fatal(err)
	}
	// As a keyboard that sends letter and marks one by one, and an input method that sends them together.
	for _, s := range []string{"Vie", "\u0302", "\u0323", "t"} {
		if err := p.Type(s); err != nil {
			t.Fatal(err)
		}
	}
	play(t, p, "see \"Việt\"\ncaret 15 3\nkey backspace backspace\nsee-not \"Việt\"\nsee \"Vi\"\ncaret 13 3")
	// Fake-backspace Telex: backspaces and the corrected letters in one write.
	if err := p.Type("et\x7f\x7fệt"); err != nil {
		t.Fatal(err)
	}
	play(t, p, "see \"Việt\"\ncaret 15 3")
}

func TestScannerBurstIsOneScanAndNoKeys(t *testing.T) {
	const card = `scan "001090000017|012345678|NGUYỄN VĂN THỬ|01011990|Nam|12 phố Mẫu|01012021"
see "scan <001090000017|012345678|NGUYỄN VĂN THỬ|01011990|Nam|12 phố Mẫu|01012021>"
caret 11 3`
	p := start(t)
	play(t, p, "see PHIẾU\n"+card)
	m, err := tuitest.StartTmux("scan", role+"=form "+os.Args[0], 120, 24)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	play(t, m, "see PHIẾU\n"+card)
}

func TestTypedNumberAndEnterAreKeys(t *testing.T) {
	p := start(t)
	play(t, p, "see PHIẾU\ntype 0900000018\nkey enter\nsee \"key enter\"\nsee 0900000018\ncaret 21 3")
}

func TestPasteNeverPressesEnterAndBringsNoSequence(t *testing.T) {
	p := start(t)
	play(t, p, "see PHIẾU\n"+`paste "a\nb\x1b[21~\u202ec"`+"\n"+`see "paste <a b[21~c>"`)
}

func TestEveryKeyAndItsTwinArrive(t *testing.T) {
	keys := map[string]string{
		"enter": "enter", "tab": "tab", "shift+tab": "shift+tab", "up": "up", "down": "down", "home": "home", "end": "end",
		"pgup": "pgup", "pgdn": "pgdn", "f1": "f1", "f2": "f2", "f11": "f11", "f12": "esc", "esc": "esc",
		"ctrl+l": "ctrl+l", "ctrl+r": "ctrl+r", "ctrl+z": "ctrl+z", "ctrl+u": "ctrl+u", "ctrl+d": "ctrl+d", "ctrl+c": "ctrl+c",
		"alt+1": "f1", "alt+=": "f11", "alt+-": "esc", "alt+z": "ctrl+z", "alt+y": "ctrl+y", "alt+q": "alt+q",
	}
	p := start(t)
	play(t, p, "see PHIẾU")
	m, err := tuitest.StartTmux("keys", role+"=form "+os.Args[0], 80, 24)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	play(t, m, "see PHIẾU")
	for press, want := range keys {
		step := "key f5\nsee \"key f5\"\nkey " + press + "\nsee \"key " + want + "\""
		play(t, p, step)
		play(t, m, step)
	}
	play(t, p, "key alt+0")
	if code, err := p.End(within(t)); code != 0 || err != nil {
		t.Errorf("Alt+0 should be F10: code %d, %v", code, err)
	}
}

func TestVietnameseComposer(t *testing.T) {
	for method, typed := range map[string]string{"telex": "Nguyeenx Vawn Thuwr", "vni": "Nguye6n4 Va8n Thu73"} {
		p := start(t, "COMPOSE="+method)
		play(t, p, "see PHIẾU\ntype "+typed+"\nsee \"Nguyễn Văn Thử\"\ncaret 25 3")
	}
}

func TestVersionIsQuiet(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", role+"=version")
	p, err := tuitest.StartPty(cmd, 80, 24)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.End(within(t)); err != nil {
		t.Fatal(err)
	}
	if got := string(p.Raw()); got != "countersign test\r\n" {
		t.Errorf("wrote %q", got)
	}
}

// restored fails unless the terminal is as a shell expects it.
func restored(t *testing.T, p *tuitest.Pty) {
	t.Helper()
	p.Ask(func(e *tuitest.Emulator) {
		if left := e.Modes(); len(left) > 0 {
			t.Errorf("left on: %v", left)
		}
	})
}

func TestTerminalIsRestored(t *testing.T) {
	for name, tc := range map[string]struct {
		act  func(p *tuitest.Pty) error
		code int
		says string
	}{
		"after quitting":           {func(p *tuitest.Pty) error { return p.Press("f10") }, 0, "ended well"},
		"after a panic":            {func(p *tuitest.Pty) error { return p.Press("f9") }, 1, "screen panicked: planted"},
		"after a command's panic":  {func(p *tuitest.Pty) error { return p.Press("f8") }, 1, "command panicked: planted in a command"},
		"after a request to end":   {func(p *tuitest.Pty) error { return p.Signal(syscall.SIGTERM) }, 0, "ended well"},
		"after a hangup by signal": {func(p *tuitest.Pty) error { return p.Signal(syscall.SIGHUP) }, 1, "terminal lost"},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t)
			play(t, p, "see PHIẾU")
			if err := tc.act(p); err != nil {
				t.Fatal(err)
			}
			code, err := p.End(within(t))
			if err != nil || code != tc.code {
				t.Errorf("code %d, want %d (%v)", code, tc.code, err)
			}
			if !bytes.Contains(p.Raw(), []byte(tc.says)) {
				t.Errorf("does not say %q after: %q", tc.says, tail(p.Raw()))
			}
			restored(t, p)
		})
	}
}

func tail(b []byte) string { return string(b[max(0, len(b)-300):]) }

func TestStopSignalIsTheLockKey(t *testing.T) {
	p := start(t)
	play(t, p, "see PHIẾU")
	if err := p.Signal(syscall.SIGTSTP); err != nil {
		t.Fatal(err)
	}
	play(t, p, "see \"key ctrl+l\"\ntype a\nsee a")
}

func TestComingBackFromASuspensionRepaints(t *testing.T) {
	p := start(t)
	play(t, p, "see PHIẾU")
	for _, s := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGCONT} {
		if err := p.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	play(t, p, "see \"key ctrl+r\"\nsee PHIẾU\ntype a\nsee a")
}

func TestEndOfTheContextEndsRun(t *testing.T) {
	p := start(t, "LASTS=50ms")
	code, err := p.End(within(t))
	if err != nil || code != 1 || !bytes.Contains(p.Raw(), []byte("ended: context deadline exceeded")) {
		t.Errorf("code %d, %v: %q", code, err, tail(p.Raw()))
	}
	restored(t, p)
}

func TestPicturesAndBellGoBetweenFrames(t *testing.T) {
	p := start(t)
	play(t, p, "see PHIẾU\nsee-not \"có hình\"")
	if err := p.Send("\x1b_Gi=31;OK\x1b\\"); err != nil {
		t.Fatal(err)
	}
	play(t, p, "see \"có hình\"\nkey f2\nsee \"key f2\"")
	_, err := p.Wait(within(t), func(tuitest.Shot) bool {
		return bytes.Contains(p.Raw(), []byte("\x1b_Ga=T,U=1,q=2,f=100,i=7,c=4,r=2,m=0;cGljdHVyZQ==\x1b\\")) &&
			bytes.Contains(p.Raw(), []byte("\x1b_Ga=d,d=I,q=2,i=7\x1b\\")) && bytes.Contains(p.Raw(), []byte("\a"))
	})
	if err != nil {
		t.Errorf("%v: %q", err, tail(p.Raw()))
	}
}

func TestGoldenForm(t *testing.T) {
	for _, size := range [][2]int{{60, 20}, {80, 24}, {100, 30}, {132, 43}, {200, 50}} {
		f := &form{said: "赵试 đã đọc"}
		f.field.Set("Nguyễn Văn Ế")
		c := tui.NewCanvas(size[0], size[1])
		f.Draw(c)
		tuitest.Golden(t, fmt.Sprintf("form-%dx%d.txt", size[0], size[1]), c.Plain())
	}
}

func TestLostTerminalLocks(t *testing.T) {
	mark := t.TempDir() + "/locked"
	p := start(t, "HANGUP="+mark)
	play(t, p, "see PHIẾU")
	if err := p.Hangup(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.End(within(t)); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(mark); err != nil || string(b) != "locked" {
		t.Errorf("lock was not called: %q, %v", b, err)
	}
}

func TestUnchangedScreenWritesNothing(t *testing.T) {
	p := start(t)
	play(t, p, "see PHIẾU\nkey f5\nsee \"key f5\"")
	frames := func() int { return bytes.Count(p.Raw(), []byte("\x1b[?2026h")) }
	before := frames()
	// The key and the end of two hundred ticks change the screen; the ticks between do not.
	play(t, p, "key f6\nsee \"ticks are over\"")
	if n := frames() - before; n > 2 {
		t.Errorf("%d frames were written, want 2", n)
	}
}

func TestAnySizeOfTerminalIsSafe(t *testing.T) {
	p := start(t)
	play(t, p, "see PHIẾU\ntype ab\nsee ab")
	for _, size := range []string{"1 1", "11 3", "58 18", "250 80", "80 24"} {
		play(t, p, "resize "+size)
	}
	play(t, p, "see \"PHIẾU THỬ\"\nsee \"KHÁCH  đang xem\"\nsee ab\ncaret 13 3")
}

func TestTerminalsOfFewColours(t *testing.T) {
	for name, tc := range map[string]struct {
		env    []string
		allows func(seq string) bool
	}{
		"NO_COLOR keeps bold and reverse": {[]string{"NO_COLOR=1"}, func(s string) bool { return s == "0" || s == "0;1" || s == "0;1;7" || s == "0;7;1" }},
		"sixteen colours":                 {[]string{"TERM=xterm", "COLORTERM="}, func(s string) bool { return !strings.Contains(s, "38;") && !strings.Contains(s, "48;") }},
		"256 colours":                     {[]string{"COLORTERM="}, func(s string) bool { return !strings.Contains(s, "8;2;") }},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, tc.env...)
			play(t, p, "see PHIẾU\ncaret 11 3\ntype a\nsee a\ncaret 12 3")
			seen := 0
			for _, part := range strings.Split(string(p.Raw()), "\x1b[")[1:] {
				if i := strings.IndexFunc(part, func(r rune) bool { return r >= '@' && r <= '~' }); i >= 0 && part[i] == 'm' {
					seen++
					if !tc.allows(part[:i]) {
						t.Errorf("unexpected style %q", part[:i])
					}
				}
			}
			if seen == 0 {
				t.Error("no styles at all")
			}
		})
	}
}

func TestDumbTerminalGetsChangedLinesAndNoSequences(t *testing.T) {
	p := start(t, "TERM=dumb")
	play(t, p, "see \"PHIẾU THỬ\"\ntype abc\nsee \"Họ tên  abc\"\nkey f10")
	if _, err := p.End(within(t)); err != nil {
		t.Fatal(err)
	}
	raw := p.Raw()
	if bytes.ContainsRune(raw, 0x1b) {
		t.Errorf("wrote an escape: %q", raw)
	}
	if bytes.Count(raw, []byte("PHIẾU THỬ\r\n")) != 1 || !bytes.Contains(raw, []byte("Họ tên  abc\r\n")) {
		t.Errorf("lines are missing: %q", raw)
	}
}

func TestWideAmbiguousTerminalGetsASCII(t *testing.T) {
	p := start(t)
	play(t, p, "see ▸")
	// The terminal answers the width probe: đ─✓ took six cells.
	if err := p.Send("\x1b[1;7R"); err != nil {
		t.Fatal(err)
	}
	play(t, p, "see \">\"\nsee \"+ khung ---\"\nsee-not ▸")
}

func TestRunWithoutATerminalSaysSo(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"=form")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "keys.no_terminal") {
		t.Errorf("got %q, %v", out, err)
	}
}

// BenchmarkKeyToFrame measures from the key's byte being written to the terminal until the program's frame is read.
func BenchmarkKeyToFrame(b *testing.B) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "COLORTERM=truecolor", "TMUX=", "NO_COLOR=", role+"=form")
	p, err := tuitest.StartPty(cmd, 200, 50)
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	wait := func(text string) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if s, err := p.Wait(ctx, func(s tuitest.Shot) bool { return s.Row(2) == text }); err != nil {
			b.Fatalf("wanted %q: %v\n%s", text, err, s)
		}
	}
	wait("▸ Họ tên")
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		g := string(rune(0x4e00 + i%20000))
		start := time.Now()
		if err := p.Send("\x15"); err != nil {
			b.Fatal(err)
		}
		wait("▸ Họ tên")
		if i > 0 {
			took = append(took, time.Since(start))
		}
		start = time.Now()
		if err := p.Send(g); err != nil {
			b.Fatal(err)
		}
		wait("▸ Họ tên  " + g)
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(took[len(took)*95/100].Seconds()*1000, "p95-ms")
}

func TestKeyCheckTicksWhatArrives(t *testing.T) {
	h, err := tuitest.NewHeadless(&tui.KeyCheck{}, 80, 24)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	play(t, h, "see \"▫ F10  Ctrl+S  Alt+0\"\nkey ctrl+s\nsee \"✓ F10\"\ntype Ế\nsee U+1EBE\nscan \"001090000017\"\nsee \"scan  001090000017\"\nsee-not \"Mọi phím đều tới\"")
	tuitest.Golden(t, "keycheck.txt", h.Plain())
	play(t, h, `key f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12 enter tab shift+tab up down home end pgup pgdn ctrl+z ctrl+y ctrl+u ctrl+d ctrl+l ctrl+r backspace
see "Mọi phím đều tới."
key ctrl+c`)
	if _, err := h.Wait(within(t), func(tuitest.Shot) bool { return h.Quit() }); err != nil {
		t.Fatal(err)
	}
}
