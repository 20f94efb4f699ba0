package tui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"

	tea "github.com/charmbracelet/bubbletea"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"countersign/internal/fault"
	_ "countersign/internal/tui/quiet" // must be initialised before bubbletea
)

// ErrHangup is what Run returns when the terminal was lost.
var ErrHangup = errors.New("terminal lost")

// Options say where and how Run shows a screen. The zero value is the program's own terminal and the theme
// of COUNTERSIGN_THEME or else the one that suits the terminal's background.
type Options struct {
	Theme  string // "light", "dark", "contrast"; "" or "auto" finds out
	Input  *os.File
	Output *os.File
	FPS    int // frames a second at most; 0 means 240: nothing is animated, so this only bounds floods

	// OnHangup is called once when the terminal is lost or hung up, before Run ends. It must not wait long.
	OnHangup func()
	// Env reads the environment; nil means os.Getenv.
	Env func(string) string
}

func (o Options) complete() Options {
	if o.Input == nil {
		o.Input = os.Stdin
	}
	if o.Output == nil {
		o.Output = os.Stdout
	}
	if o.FPS <= 0 || o.FPS > 1000 {
		o.FPS = 240
	}
	if o.Env == nil {
		o.Env = os.Getenv
	}
	if o.Theme == "" {
		o.Theme = o.Env("COUNTERSIGN_THEME")
	}
	return o
}

// Run shows the screen on the terminal until it quits, the context ends or the terminal is lost. The terminal is
// given back as it was found, also after a panic in a screen, which comes back as an error with its stack.
func Run(ctx context.Context, root Screen, o Options) error {
	o = o.complete()
	in, out := int(o.Input.Fd()), int(o.Output.Fd())
	if !term.IsTerminal(in) || !term.IsTerminal(out) {
		return fault.New(fault.Invalid, "keys.no_terminal", nil)
	}
	auto := o.Theme == "" || o.Theme == "auto"
	if auto {
		o.Theme = ThemeNames()[0]
	}
	theme, err := ThemeByName(o.Theme)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "keys.theme", fault.Args{"name": Cut(o.Theme, 20)})
	}
	w, h, err := term.GetSize(out)
	if err != nil {
		return fmt.Errorf("read size of terminal: %w", err)
	}
	if w == 0 || h == 0 {
		w, h = 80, 24 // A line that does not know its terminal.
	}
	saved, err := term.MakeRaw(in)
	if err != nil {
		return fmt.Errorf("set terminal to raw mode: %w", err)
	}
	defer func() {
		// Answers that are still on their way must not be typed into the shell.
		_ = unix.IoctlSetInt(in, unix.TCFLSH, unix.TCIFLUSH)
		_ = term.Restore(in, saved)
	}()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dumb := o.Env("TERM") == "dumb"
	output := newOutput(o.Output, o.FPS, dumb)
	ctx = context.WithValue(ctx, outputKey{}, output)
	m := &program{
		ctx: ctx, root: root, out: output, theme: theme.In(DepthOf(o.Env)),
		w: w, h: h, canvas: NewCanvas(w, h),
	}
	m.question = question(o.Env, auto)
	if dumb {
		m.question = ""
	}
	return m.run(o)
}

// program is the one bubbletea model; everything else is plain structs below it.
type program struct {
	ctx      context.Context
	root     Screen
	out      *output
	theme    *Theme
	w, h     int
	canvas   *Canvas // the next one to draw on
	ascii    bool
	kitty    bool
	question string // what is asked of the terminal with the first frame

	mu  sync.Mutex // guards err, which commands set too
	err error
}

// run starts everything that lives as long as the program and waits for its end.
func (m *program) run(o Options) error {
	ctx, cancel := context.WithCancel(m.ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()

	options := []tea.ProgramOption{
		tea.WithContext(ctx), tea.WithInput(nil), tea.WithOutput(m.out), tea.WithoutSignalHandler(), tea.WithFPS(1),
	}
	if !m.out.dumb {
		options = append(options, tea.WithAltScreen(), tea.WithReportFocus())
	}
	p := tea.NewProgram(m, options...)
	var once sync.Once
	hangup := func(err error) {
		m.fail(err)
		once.Do(func() {
			if o.OnHangup != nil {
				o.OnHangup()
			}
		})
		p.Send(tea.QuitMsg{})
	}

	all.Go(func() { m.out.paint(ctx) })
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGTSTP, syscall.SIGCONT)
	defer signal.Stop(signals)
	all.Go(func() { m.listen(ctx, signals, p, o, hangup) })
	all.Go(func() {
		err := readKeys(ctx, int(o.Input.Fd()), func(events []Event) { p.Send(burst(events)) })
		if err != nil {
			hangup(fmt.Errorf("%w: %w", ErrHangup, err))
		}
	})
	_, err := p.Run()
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.err != nil:
		return m.err
	case m.ctx.Err() != nil:
		return m.ctx.Err()
	}
	return err
}

// burst is what came from the keyboard at one moment; it is drawn once.
type burst []Event

// listen obeys the system's signals until the context ends.
func (m *program) listen(ctx context.Context, signals <-chan os.Signal, p *tea.Program, o Options, hangup func(error)) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-signals:
			switch s {
			case syscall.SIGHUP:
				hangup(ErrHangup)
			case syscall.SIGTSTP:
				// There is no shell behind a counter: stopping means locking.
				p.Send(burst{Key{Name: "ctrl+l"}})
			case syscall.SIGCONT:
				_, _ = term.MakeRaw(int(o.Input.Fd()))
				p.Send(burst{Key{Name: "ctrl+r"}})
			default:
				p.Send(tea.QuitMsg{})
			}
		}
	}
}

// fail keeps the first failure for Run to return.
func (m *program) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.err = err
	}
}

// Init draws the first frame and starts the screen.
func (m *program) Init() tea.Cmd {
	if m.question != "" {
		_ = m.out.raw(m.question)
	}
	return m.guarded(func() tea.Cmd {
		cmds := []tea.Cmd{m.teaCmd(m.root.Init()), m.handle(Resize{W: m.w, H: m.h})}
		m.draw()
		return tea.Batch(cmds...)
	})
}

// Update hands an event to the screen and draws it. It does no I/O.
func (m *program) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	return m, m.guarded(func() tea.Cmd {
		var cmds []tea.Cmd
		switch msg := msg.(type) {
		case tea.WindowSizeMsg:
			// Paint also when the size is the same: it may have been another for a moment, and cells were lost.
			if !m.out.dumb {
				m.out.distrust()
			}
			if msg.Width != m.w || msg.Height != m.h {
				m.w, m.h = msg.Width, msg.Height
				cmds = append(cmds, m.handle(Resize{W: m.w, H: m.h}))
			}
		case burst:
			for _, ev := range msg {
				cmds = append(cmds, m.input(ev))
			}
		case Quitting:
			return tea.Quit
		case result:
			cmds = append(cmds, m.handle(msg.event))
		default:
			return nil
		}
		m.draw()
		return tea.Batch(cmds...)
	})
}

// View is nothing: the painter has the canvas.
func (m *program) View() string { return "" }

// input handles one event from the terminal.
func (m *program) input(ev Event) tea.Cmd {
	switch ev := ev.(type) {
	case answer:
		m.learn(ev)
		return nil
	case Key:
		if ev.Name == "ctrl+r" {
			m.out.distrust()
		}
	}
	return m.handle(ev)
}

func (m *program) handle(ev Event) tea.Cmd { return m.teaCmd(m.root.Handle(ev)) }

// result is what a command returned.
type result struct{ event Event }

// teaCmd makes a command one of bubbletea's.
func (m *program) teaCmd(cmd Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() (msg tea.Msg) {
		defer func() {
			if r := recover(); r != nil {
				m.fail(fmt.Errorf("command panicked: %v\n%s", r, debug.Stack()))
				msg = tea.QuitMsg{}
			}
		}()
		switch ev := cmd(m.ctx).(type) {
		case nil:
			return nil
		case Quitting:
			return ev
		case Batched:
			batch := make(tea.BatchMsg, len(ev))
			for i, c := range ev {
				batch[i] = m.teaCmd(c)
			}
			return batch
		default:
			return result{ev}
		}
	}
}

// guarded turns a panic in a screen into an orderly end.
func (m *program) guarded(f func() tea.Cmd) (cmd tea.Cmd) {
	defer func() {
		if r := recover(); r != nil {
			m.fail(fmt.Errorf("screen panicked: %v\n%s", r, debug.Stack()))
			cmd = tea.Quit
		}
	}()
	return f()
}

// draw has the screen draw itself and offers the canvas to the painter.
func (m *program) draw() {
	c := m.canvas
	if c.w != m.w || c.h != m.h {
		c = NewCanvas(m.w, m.h)
	}
	c.Clear()
	c.ascii, c.kitty = m.ascii, m.kitty
	m.root.Draw(c)
	m.canvas = m.out.offer(c, m.theme)
}

// learn takes in what the terminal said about itself.
func (m *program) learn(a answer) {
	switch a.kind {
	case "cursor":
		// The three characters of the width probe must have taken three cells.
		m.ascii = a.text != "4"
	case "kitty":
		m.kitty = m.theme.Depth() == TrueColor && strings.HasSuffix(a.text, ";OK")
	case "background":
		if light, ok := isLight(a.text); ok && light && m.theme.Name() == "dark" {
			if t, err := ThemeByName("light"); err == nil {
				m.theme = t.In(m.theme.Depth())
				m.out.distrust()
			}
		}
	}
}
