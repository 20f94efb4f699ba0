package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"countersign/internal/api"
	"countersign/internal/demo"
	"countersign/internal/tui"
	"countersign/internal/tui/tuitest"
	"countersign/kiosk"
	"countersign/kiosk/clerk"
)

// toField opens a form and stands in its field for the mail address, where any text may be typed.
const toField = `
see "MỞ CA LÀM VIỆC"
type ${user}
key tab
type ${password}
key enter
see "HÔM NAY"
scan "${card}"
see "CHỌN DỊCH VỤ"
type 01
see "ĐIỂM DÙNG ĐIỆN"
type 1
type 0900000023
see "Gõ ten@noi.vn"
type zqw
see zqw
`

// marker is what stands in the field before a key is measured; no other text of the screens holds it.
const marker = "zqw"

// How many keys are pressed, and how often a program is started.
const (
	frameKeys   = 500
	displayKeys = 100
	starts      = 21
)

// play brings a clerk's terminal into the field.
func play(ctx context.Context, dir string, terminals map[string]tuitest.Terminal) error {
	card, err := os.ReadFile(filepath.Join(dir, "cards", "mau.txt"))
	if err != nil {
		return err
	}
	j, err := tuitest.Parse("to the field", toField)
	if err != nil {
		return err
	}
	p := tuitest.Player{Terminals: terminals, Patience: 20 * time.Second,
		Vars: map[string]string{"user": demo.User, "password": demo.Password, "card": strings.TrimSpace(string(card))}}
	_, err = p.Play(ctx, j)
	return err
}

// updateView measures what a key costs in the clerk's form without a terminal: handling it and drawing the screen.
func updateView(ctx context.Context, b *bench) error {
	for _, size := range [][2]int{{80, 24}, {200, 50}} {
		name := fmt.Sprintf("kiosk.update_view.%dx%d", size[0], size[1])
		if !b.wants(name) {
			continue
		}
		took, err := b.update(ctx, size[0], size[1])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		b.print(figure{name: name, values: took, unit: "cpu-ms", beside: "goal", besides: []float64{2}})
	}
	return nil
}

func (b *bench) update(ctx context.Context, w, h int) (took []float64, err error) {
	dir := filepath.Join(b.dir, fmt.Sprintf("update%d", w))
	c, err := startWorld(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.end()) }()
	service := &api.Clerk{Client: demo.SocketClient(filepath.Join(dir, "run", "api.sock")), Unit: demo.Unit, Counter: demo.Counter}
	screen, err := tuitest.NewHeadless(clerk.New(service, clerk.Options{Unit: kiosk.Unit{Code: demo.Unit}, Counter: demo.Counter}), w, h)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, screen.Close()) }()
	if err := play(ctx, dir, map[string]tuitest.Terminal{"clerk": screen}); err != nil {
		return nil, err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for i := range frameKeys {
		k := tui.Key{Name: "rune", Text: string(rune('a' + i%20))}
		if i%2 == 1 {
			k = tui.Key{Name: "backspace"}
		}
		start := threadCPU()
		screen.Send(k)
		took = append(took, milliseconds(threadCPU()-start))
	}
	return took, nil
}

// terminals measures the real program in pseudo terminals against a service in another process.
func terminals(ctx context.Context, b *bench) (err error) {
	program := filepath.Join(b.dir, "countersign")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "countersign/cmd/countersign").CombinedOutput(); err != nil {
		return fmt.Errorf("build the program: %w\n%s", err, out)
	}
	if err := b.version(ctx, program); err != nil {
		return err
	}
	dir := filepath.Join(b.dir, "terminals")
	c, err := startWorld(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.end()) }()
	s := &screens{program: program, dir: dir, bench: b}
	if b.wants("kiosk.first_frame") {
		if err := s.firstFrame(ctx); err != nil {
			return fmt.Errorf("kiosk.first_frame: %w", err)
		}
	}
	if b.wants("kiosk.key_to_frame") || b.wants("display.key_to_customer") {
		return s.keys(ctx)
	}
	return nil
}

// version measures how long the program needs to say its version, beside a program that does nothing.
func (b *bench) version(ctx context.Context, program string) error {
	if !b.wants("version.start") {
		return nil
	}
	var took, nothing []float64
	for range starts {
		for _, run := range []struct {
			cmd *exec.Cmd
			to  *[]float64
		}{{exec.CommandContext(ctx, program, "--version"), &took}, {exec.CommandContext(ctx, "true"), &nothing}} {
			start := time.Now()
			if err := run.cmd.Run(); err != nil {
				return fmt.Errorf("version.start: %w", err)
			}
			*run.to = append(*run.to, milliseconds(time.Since(start)))
		}
	}
	b.say("version.start: the goal is 100 ms")
	b.print(figure{name: "version.start", values: took, unit: "ms", beside: "a program that does nothing", besides: nothing})
	return nil
}

// screens are the terminals of one world.
type screens struct {
	program, dir string
	bench        *bench
}

func (s *screens) start(w, h int, args ...string) (*tuitest.Pty, error) {
	args = append(args, "--lang", "vi", "--theme", "dark", "--server", "unix:"+filepath.Join(s.dir, "run", "api.sock"))
	cmd := exec.Command(s.program, args...)
	cmd.Env = append(os.Environ(), "LANG=C.UTF-8", "TERM=xterm-256color", "COLORTERM=truecolor", "TMUX=", "NO_COLOR=")
	return tuitest.StartPty(cmd, w, h)
}

func (s *screens) clerk(w, h int) (*tuitest.Pty, error) {
	return s.start(w, h, "kiosk", "--unit", demo.Unit, "--counter", demo.Counter)
}

// firstFrame measures from the start of the process to the first whole frame.
func (s *screens) firstFrame(ctx context.Context) error {
	var took []float64
	for range starts {
		start := time.Now()
		p, err := s.clerk(80, 24)
		if err != nil {
			return err
		}
		_, err = p.Wait(ctx, func(shot tuitest.Shot) bool { return shot.Shows("MỞ CA LÀM VIỆC") })
		took = append(took, milliseconds(time.Since(start)))
		if err := errors.Join(err, p.Close()); err != nil {
			return err
		}
	}
	s.bench.say("kiosk.first_frame: a new process each time, 80x24; the goal is for the p95")
	s.bench.print(figure{name: "kiosk.first_frame", values: took, unit: "ms", beside: "goal", besides: []float64{150}})
	return nil
}

// keys measures keys in a form: to the clerk's own frame, and to the customer's.
func (s *screens) keys(ctx context.Context) (err error) {
	desk, err := s.clerk(200, 50)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, desk.Close()) }()
	customer, err := s.start(80, 24, "display", "--token-file", filepath.Join(s.dir, "run", "display.token"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, customer.Close()) }()
	if err := play(ctx, s.dir, map[string]tuitest.Terminal{"clerk": desk, "display": customer}); err != nil {
		return err
	}
	s.bench.say("keys: pseudo terminals, clerk 200x50, customer 80x24, service in another process; until the whole frame is read")
	for _, f := range []struct {
		name    string
		watched *tuitest.Pty
		keys    int
		beside  string
		goal    float64
	}{{"kiosk.key_to_frame", desk, frameKeys, "goal (p95 20)", 8}, {"display.key_to_customer", customer, displayKeys, "goal for the p95", 50}} {
		if !s.bench.wants(f.name) {
			continue
		}
		took, err := press(ctx, desk, f.watched, f.keys)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		s.bench.print(figure{name: f.name, values: took, unit: "ms", beside: f.beside, besides: []float64{f.goal}})
	}
	return nil
}

// gap keeps keys apart: a burst would be taken for a scanner's.
const gap = 15 * time.Millisecond

// press types n letters behind the marker, takes each away again, and measures until the watched terminal shows it.
func press(ctx context.Context, typed, watched *tuitest.Pty, n int) ([]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	row := 0
	shows := func(text string) func(tuitest.Shot) bool {
		return func(shot tuitest.Shot) bool { return strings.Contains(shot.Row(row), text) }
	}
	shot, err := watched.Wait(ctx, func(shot tuitest.Shot) bool { return shot.Shows(marker) })
	if err != nil {
		return nil, err
	}
	for !shows(marker)(shot) {
		row++
	}
	var took []float64
	for i := range n {
		letter := string(rune('a' + i%20))
		start := time.Now()
		if err := typed.Send(letter); err != nil {
			return nil, err
		}
		if _, err := watched.Wait(ctx, shows(marker+letter)); err != nil {
			return nil, err
		}
		took = append(took, milliseconds(time.Since(start)))
		<-time.After(gap)
		if err := typed.Send("\x7f"); err != nil {
			return nil, err
		}
		if _, err := watched.Wait(ctx, func(shot tuitest.Shot) bool { return !shows(marker + letter)(shot) }); err != nil {
			return nil, err
		}
		<-time.After(gap)
	}
	return took, nil
}
