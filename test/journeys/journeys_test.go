// Package journeys drives the real program at real terminals: the clerk's and the customer's, in a pseudo terminal and
// in tmux, against the real service. One file a journey, in testdata; the keys at the clerk's keyboard are counted as
// screens are judged by them.
package journeys

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/internal/demo"
	"countersign/internal/tui/tuitest"
	"countersign/kiosk"
	"countersign/kiosk/portrait"
	"countersign/signing"
	"countersign/signing/signtest"
)

// program is the binary under test, built once.
var program string

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) int {
	dir, err := os.MkdirTemp("", "countersign-journeys-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "countersign")
	if out, err := exec.Command("go", "build", "-o", program, "countersign/cmd/countersign").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// stage is a world with its two terminals.
type stage struct {
	world *demo.World
	mails int
}

// drivers are the kinds of terminal on which every journey is played.
var drivers = map[string]func(t *testing.T, name string, w, h int, args ...string) tuitest.Terminal{
	"pty":  startPty,
	"tmux": startTmux,
}

func startPty(t *testing.T, name string, w, h int, args ...string) tuitest.Terminal {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "LANG=C.UTF-8", "TERM=xterm-256color", "COLORTERM=truecolor")
	p, err := tuitest.StartPty(cmd, w, h)
	if err != nil {
		t.Fatalf("start the %s: %v", name, err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func startTmux(t *testing.T, name string, w, h int, args ...string) tuitest.Terminal {
	t.Helper()
	p, err := tuitest.StartTmux(name, strings.Join(append([]string{program}, args...), " "), w, h)
	if err != nil {
		t.Fatalf("start the %s: %v", name, err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// open builds a world and opens both terminals in it; what is extra is for the customer's.
func open(t *testing.T, driver string, w, h int, extra ...string) (*stage, tuitest.Player) {
	t.Helper()
	world, err := demo.Build(t.Context(), t.TempDir(), demo.Choices{Cost: kiosk.PasswordCost{MemoryKiB: 64, Passes: 1, Threads: 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &stage{world: world}
	server := "unix:" + world.Socket()
	start := drivers[driver]
	clerk := []string{"kiosk", "--lang", "vi", "--theme", "dark", "--server", server, "--unit", demo.Unit, "--counter", demo.Counter, "--camera", filepath.Join(world.Dir, "camera")}
	display := append([]string{"display", "--lang", "vi", "--theme", "dark", "--server", server, "--token-file", filepath.Join(world.Dir, "run", "display.token")}, extra...)
	return s, tuitest.Player{Patience: 20 * time.Second, Ask: s.ask,
		Vars:      map[string]string{"user": demo.User, "password": demo.Password, "unlock": demo.Unlock},
		Terminals: map[string]tuitest.Terminal{"clerk": start(t, "clerk", w, h, clerk...), "display": start(t, "display", 80, 24, display...)}}
}

// ask gives a journey what comes from outside the terminals: the mailed code, a scanned card, a picture from the camera.
func (s *stage) ask(ctx context.Context, name string) (string, error) {
	kind, arg, _ := strings.Cut(name, ".")
	switch kind {
	case "card":
		data, err := os.ReadFile(filepath.Join(s.world.Dir, "cards", arg+".txt"))
		return strings.TrimSpace(string(data)), err
	case "picture":
		data, err := portrait.SyntheticJPEG(1990, portrait.Sharp)
		if err != nil {
			return "", err
		}
		return "", os.WriteFile(filepath.Join(s.world.Dir, "camera", arg+".jpg"), data, 0o600)
	case "code":
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		return s.world.Inbox.Code(ctx, strings.ReplaceAll(arg, ".at.", "@"), s.mails)
	}
	return "", fmt.Errorf("nothing is known of %q", name)
}

// play plays one journey file on every kind of terminal and returns the clerk's key counts, which must be equal on all.
func play(t *testing.T, file string, w, h int, before func(*testing.T, *stage), check func(t *testing.T, s *stage, r tuitest.Result)) {
	t.Helper()
	signIn, err := tuitest.Load(filepath.Join("testdata", "sign-in.journey"))
	if err != nil {
		t.Fatal(err)
	}
	j, err := tuitest.Load(filepath.Join("testdata", file+".journey"))
	if err != nil {
		t.Fatal(err)
	}
	for driver := range drivers {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			s, p := open(t, driver, w, h)
			if before != nil {
				before(t, s)
			}
			if _, err := p.Play(t.Context(), signIn); err != nil {
				t.Fatal(err)
			}
			r, err := p.Play(t.Context(), j)
			if err != nil {
				t.Fatal(err)
			}
			check(t, s, r)
		})
	}
}

// finished returns the unit's orders, newest first.
func (s *stage) finished(t *testing.T) []*kiosk.Order {
	t.Helper()
	var out []*kiosk.Order
	err := s.world.Service.Store.View(t.Context(), func(tx kiosk.Tx) error {
		now := s.world.Service.Options.Clock.Now()
		var err error
		out, err = tx.ListOrders(demo.Unit, now.AddDate(0, 0, -1), now.Add(time.Hour), 10)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// fields is how many fields form 01 has.
const fields = 15

func TestANewCustomersTypedFormKeepsTheKeyBudget(t *testing.T) {
	play(t, "new-typed", 80, 24, nil, func(t *testing.T, s *stage, r tuitest.Result) {
		c := r.Counts["clerk"]
		t.Logf("content %d, overhead %d, customer %+v", c.Content, c.Overhead, r.Counts["display"])
		if c.Overhead > fields+5 {
			t.Errorf("%d keys of overhead for a form of %d fields; the budget is %d", c.Overhead, fields, fields+5)
		}
		s.sealed(t)
	})
}

func TestAScannedCardKeepsTheKeyBudget(t *testing.T) {
	play(t, "card", 80, 24, nil, func(t *testing.T, s *stage, r tuitest.Result) {
		c := r.Counts["clerk"]
		t.Logf("content %d, overhead %d, customer %+v", c.Content, c.Overhead, r.Counts["display"])
		if c.Overhead > 14 {
			t.Errorf("%d keys of overhead with a scanned card; the budget is 14", c.Overhead)
		}
		s.sealed(t)
	})
}

func TestAReturningCustomerTakesAtMostTwentyFiveKeys(t *testing.T) {
	play(t, "returning", 80, 24, earlierOrder, func(t *testing.T, s *stage, r tuitest.Result) {
		c := r.Counts["clerk"]
		t.Logf("content %d, overhead %d, customer %+v", c.Content, c.Overhead, r.Counts["display"])
		if all := c.Content + c.Overhead; all > 25 {
			t.Errorf("%d keys for a returning customer; the budget is 25", all)
		}
		s.sealed(t)
	})
}

// TestACustomerSignsByHandWithTheMouse draws on the customer's terminal with what a terminal sends for a mouse.
func TestACustomerSignsByHandWithTheMouse(t *testing.T) {
	play(t, "by-hand", 80, 24, earlierOrder, func(t *testing.T, s *stage, _ tuitest.Result) {
		s.sealed(t)
		if c := s.finished(t)[0].Confirm; c.Method != "ink" || c.Witness.StaffID != demo.StaffID {
			t.Errorf("the order was confirmed by %+v", c)
		}
	})
}

// TestACustomerSignsWithTheirOwnTokenAtTheScreen plugs a token into the machine of the customer's screen. Its module runs in
// a process of its own, which the program starts; a wrong PIN comes first.
func TestACustomerSignsWithTheirOwnTokenAtTheScreen(t *testing.T) {
	hsm := signtest.NewSoftHSM(t)
	s, p := open(t, "pty", 80, 24, "--token-module", signtest.Module)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := s.world.Service.Issuing.IssueToken(private.Public(), "NGUYỄN VĂN THỬ", "001090000017", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	hsm.Plug("thu", private, chain[0])
	earlierOrder(t, s)
	for _, file := range []string{"sign-in", "by-token"} {
		j, err := tuitest.Load(filepath.Join("testdata", file+".journey"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Play(t.Context(), j); err != nil {
			t.Fatal(err)
		}
	}
	s.sealed(t)
	if c := s.finished(t)[0].Confirm; c.Method != "token" || c.Rank() != signing.OwnKey {
		t.Errorf("the order was confirmed by %+v", c)
	}
}

// earlierOrder lets the customer have had the service once, through the same interface as the screens.
func earlierOrder(t *testing.T, s *stage) {
	t.Helper()
	j, err := s.world.Capacity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.mails = s.world.Inbox.Count()
	if err := j.Clerk.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// sealed makes sure that the newest order really went all the way.
func (s *stage) sealed(t *testing.T) {
	t.Helper()
	o := s.finished(t)[0]
	if o.Document.FinalID == "" || o.HandOver.State != "done" || o.Rating != 5 || o.Receipt.Mail.State != "done" {
		t.Errorf("the order is %s, hand-over %s, receipt %+v, rating %d", o.State, o.HandOver.State, o.Receipt, o.Rating)
	}
}

// TestTheScreensOfTheReadmeAreTheProgramsOwn plays what the README's pictures show; make golden draws them anew.
func TestTheScreensOfTheReadmeAreTheProgramsOwn(t *testing.T) {
	play(t, "pictures", 80, 24, nil, func(t *testing.T, _ *stage, r tuitest.Result) {
		for name, title := range map[string]string{"clerk-form": "countersign kiosk", "customer-form": "countersign display"} {
			shot := r.Shots[name]
			for _, must := range []string{"NGUYỄN VĂN THỬ", "thu@mau.example"} {
				if !shot.Shows(must) {
					t.Errorf("%s does not show %q", name, must)
				}
			}
			if os.Getenv("TEST_UPDATE") == "" {
				continue
			}
			if err := os.WriteFile(filepath.Join("..", "..", "docs", "pictures", name+".svg"), tuitest.SVG(shot, title), 0o644); err != nil {
				t.Error(err)
			}
		}
	})
}
