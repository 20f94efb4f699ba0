package sealer_test

import (
	"bufio"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"countersign/internal/sealer"
	"countersign/signing/ca"
	"countersign/signing/seal"
)

// The test binary is also the two programs that are killed: TEST_SEALER_PART says which, TEST_SEALER_STOP where it kills
// itself, TEST_SEALER_DIR where things lie.
const (
	envPart = "TEST_SEALER_PART"
	envStop = "TEST_SEALER_STOP"
	envDir  = "TEST_SEALER_DIR"
)

func TestMain(m *testing.M) {
	dir := os.Getenv(envDir)
	var err error
	switch os.Getenv(envPart) {
	case "":
		os.Exit(m.Run())
	case "sealer":
		err = runSealer(dir)
	case "counter":
		err = runCounter(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// stop ends this process as a power cut would, when it is at the place where it has to.
func stop(place string) {
	if os.Getenv(envStop) == place {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

// frail is the sealer's book, keys and holder with the places to be killed at.
type frail struct {
	seal.Book
	seal.Holder
	keys seal.Keys
	used int
}

func (f *frail) Intent(ctx context.Context, uses ...seal.Use) ([]int64, error) {
	stop("before the intent")
	n, err := f.Book.Intent(ctx, uses...)
	stop("after the intent")
	return n, err
}

func (f *frail) Done(ctx context.Context, result [32]byte, at time.Time, uses ...seal.Use) error {
	stop("before done")
	err := f.Book.Done(ctx, result, at, uses...)
	stop("after done")
	return err
}

func (f *frail) Signer(name string) (crypto.Signer, error) {
	f.used++
	stop(fmt.Sprintf("at key %d", f.used))
	return f.keys.Signer(name)
}

func (f *frail) Hold(ctx context.Context, order string, document [32]byte, r seal.Result) error {
	stop("signed, not held")
	err := f.Holder.Hold(ctx, order, document, r)
	stop("held, not returned")
	return err
}

func runSealer(dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, "root.pem"))
	if err != nil {
		return err
	}
	roots, err := ca.Certificates(data)
	if err != nil {
		return err
	}
	f, err := sealer.Start(context.Background(), optionsIn(dir, roots))
	if err != nil {
		return err
	}
	weak := &frail{Book: f.Book, Holder: f.Holder, keys: f.Keys}
	f.Book, f.Holder, f.Keys = weak, weak, weak
	l, err := net.Listen("unix", filepath.Join(dir, "seals.sock"))
	if err != nil {
		return err
	}
	l = sealer.Guard(l, []int{os.Getuid()}, slog.New(slog.DiscardHandler))
	fmt.Println("ready")
	return http.Serve(l, sealer.Handler(f, slog.New(slog.DiscardHandler)))
}

// runCounter has the order sealed and stores it in a file, durably; what it receives it notes.
func runCounter(dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, "order.json"))
	if err != nil {
		return err
	}
	var o seal.Order
	var w wire
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	o = w.order()
	final := filepath.Join(dir, "final.pdf")
	c := sealer.Dial("unix:"+filepath.Join(dir, "seals.sock"), nil)
	c.Kept = func(context.Context, seal.Use) ([32]byte, bool, error) {
		data, err := os.ReadFile(final)
		if errors.Is(err, fs.ErrNotExist) {
			return [32]byte{}, false, nil
		}
		return sha256.Sum256(data), err == nil, err
	}
	c.Waits = func(context.Context, string) (bool, error) {
		_, err := os.Stat(final)
		return errors.Is(err, fs.ErrNotExist), nil
	}
	if _, err := c.Settle(context.Background()); err != nil {
		return err
	}
	if _, err := os.Stat(final); err == nil {
		return nil // sealed, stored and settled
	}
	stop("before asking")
	o.Keep = func(_ context.Context, r seal.Result) error {
		if err := os.WriteFile(filepath.Join(dir, "received-"+hex.EncodeToString(r.SHA256[:])), nil, 0o600); err != nil {
			return err
		}
		stop("received, not stored")
		if err := os.WriteFile(final+".new", r.Document, 0o600); err != nil {
			return err
		}
		if err := os.Rename(final+".new", final); err != nil {
			return err
		}
		stop("stored, not confirmed")
		return nil
	}
	_, err = c.Apply(context.Background(), o)
	stop("confirmed")
	return err
}

// wire is an order as the child reads it.
type wire struct {
	ID, Service, Reason, Location string
	Clerk                         seal.Clerk
	Document                      []byte
	Consent                       seal.Consent
	Seals                         []string
	Asked, Second                 *seal.Approval
}

func (w wire) order() seal.Order {
	return seal.Order{ID: w.ID, Service: w.Service, Clerk: w.Clerk, Document: w.Document, Consent: w.Consent, Seals: w.Seals, Reason: w.Reason,
		Location: w.Location, Asked: w.Asked, Second: w.Second}
}

func part(dir, name, stopAt string) *exec.Cmd {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), envPart+"="+name, envDir+"="+dir, envStop+"="+stopAt)
	c.Stderr = os.Stderr
	return c
}

// startSealer starts the sealer and waits until it listens. stopped ends it if it still runs.
func startSealer(t *testing.T, dir, stopAt string) (stopped func()) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, "seals.sock")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	c := part(dir, "sealer", stopAt)
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("the sealer says %q, %v", line, err)
	}
	return func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	}
}

// played is what one round did.
type played struct{ sealerAt, counterAt string }

// TestAKillOfEitherProcessAtEachStepLeavesOneSealedFileAndABookThatKnowsIt is F16.
func TestAKillOfEitherProcessAtEachStepLeavesOneSealedFileAndABookThatKnowsIt(t *testing.T) {
	h := found(t)
	o := h.order
	data, err := json.Marshal(wire{ID: o.ID, Service: o.Service, Reason: o.Reason, Location: o.Location, Clerk: o.Clerk, Document: o.Document,
		Consent: o.Consent, Seals: o.Seals, Asked: o.Asked, Second: o.Second})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(h.dir, "order.json"), data, 0o600))
	inSealer := []string{"before the intent", "after the intent", "at key 1", "at key 3", "signed, not held", "held, not returned", "before done", "after done"}
	inCounter := []string{"before asking", "received, not stored", "stored, not confirmed", "confirmed"}
	rounds := []played{{}}
	for _, s := range inSealer {
		rounds = append(rounds, played{sealerAt: s})
	}
	for _, c := range inCounter {
		rounds = append(rounds, played{counterAt: c})
	}
	if os.Getenv("TEST_FAULTS") != "" {
		for _, s := range inSealer {
			for _, c := range inCounter {
				rounds = append(rounds, played{s, c})
			}
		}
	}
	for _, r := range rounds {
		t.Run(strings.TrimSpace("sealer "+r.sealerAt+" counter "+r.counterAt), func(t *testing.T) { h.play(t, r) })
	}
}

// play runs both processes with their kills, then again without, and looks at what is left.
func (h *house) play(t *testing.T, r played) {
	dir := t.TempDir()
	must(t, os.CopyFS(dir, os.DirFS(h.dir)))
	for name, mode := range map[string]fs.FileMode{"sealer": 0o700, "sealer/keys": 0o700, "sealer.key": 0o600} {
		must(t, os.Chmod(filepath.Join(dir, name), mode))
	}
	end := startSealer(t, dir, r.sealerAt)
	first := part(dir, "counter", r.counterAt)
	first.Stderr = nil // it may complain: that is what it is for
	err := first.Run()
	if r.counterAt != "" && r.sealerAt == "" {
		var exited *exec.ExitError
		if !errors.As(err, &exited) || exited.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("the counter was not killed: %v", err)
		}
	}
	// The counter comes back before the sealer, where that one lives still.
	if r.sealerAt != "" {
		end()
		end = startSealer(t, dir, "")
	}
	if out, err := part(dir, "counter", "").Output(); err != nil {
		t.Fatalf("the counter's second run: %v %s", err, out)
	}
	end()
	final, err := os.ReadFile(filepath.Join(dir, "final.pdf"))
	must(t, err)
	must(t, seal.Verified(h.world.Roots(), h.world.Clock)(final))
	f, err := sealer.Start(context.Background(), optionsIn(dir, h.world.Roots()))
	must(t, err)
	defer func() { must(t, f.Close()) }()
	open, err := f.Open(context.Background())
	must(t, err)
	uses, err := f.Uses(context.Background(), h.world.Now.Add(-time.Hour), h.world.Now.Add(time.Hour))
	must(t, err)
	states := map[seal.State]int{}
	for _, u := range uses {
		states[u.State]++
		if u.State == seal.Done && u.Result != sha256.Sum256(final) || u.State == seal.Void && u.Reason == "" {
			t.Errorf("%+v", u)
		}
	}
	if len(open) > 0 || states[seal.Done] != 3 || states[seal.Void]%3 != 0 {
		t.Errorf("open %d, book %v", len(open), states)
	}
	received, err := filepath.Glob(filepath.Join(dir, "received-*"))
	must(t, err)
	if len(received) != 1 {
		t.Errorf("%d different sealed documents left the sealer", len(received))
	}
	if _, _, held, err := f.Holder.Held(context.Background(), signedOrder(uses)); held || err != nil {
		t.Errorf("a document is held still: %v", err)
	}
}

func signedOrder(uses []seal.Use) string { return uses[0].Order }
