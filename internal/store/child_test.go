package store

import (
	"bufio"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/job"
	"countersign/kiosk"
	"countersign/signing/journal"
)

// childVar makes the test binary play another process; its value is the part.
const childVar = "COUNTERSIGN_STORE_CHILD"

func TestMain(m *testing.M) {
	parts := map[string]func(dir string){"write": writeForever, "fsync": writeUntilBroken, "full": fillDisk}
	if play, ok := parts[os.Getenv(childVar)]; ok {
		play(os.Args[len(os.Args)-1])
		return
	}
	os.Exit(m.Run())
}

// child is the test binary in a part, with the data directory as its last argument; before is put in front of it.
func child(t *testing.T, part, dir string, before ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	args := append(before, os.Args[0], dir)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), childVar+"="+part)
	cmd.Stderr = os.Stderr
	return cmd
}

// quickVault stands where opening a key file a hundred times would take a minute by design. It seals for real.
type quickVault struct{}

func (quickVault) aead() cipher.AEAD {
	block, err := aes.NewCipher([]byte("synthetic key of sixteen bytes.."))
	if err != nil {
		panic(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return gcm
}

func (v quickVault) Seal(id string, plain []byte) ([]byte, error) {
	nonce := make([]byte, 12)
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return v.aead().Seal(nonce, nonce, plain, []byte(id)), nil
}

func (v quickVault) Open(id string, sealed []byte) ([]byte, error) {
	return v.aead().Open(nil, sealed[:12], sealed[12:], []byte(id))
}

func (quickVault) Rewrap(_ string, sealed []byte) ([]byte, bool, error) { return sealed, false, nil }

func (quickVault) Index(kind, value string) []byte {
	h := hmac.New(sha256.New, []byte("index"))
	h.Write([]byte(kind + "\x00" + value))
	return h.Sum(nil)
}

func (quickVault) Fingerprint() string { return "0123456789abcdef" }

func openQuick(dir string) (*Store, error) {
	return Open(context.Background(), Options{Dir: dir, Vault: quickVault{}, Clock: clock.System{}})
}

const unit, today = "PA0505", "2026-11-21"

// act is what one counter does in one transaction: a number, an order, a journal entry and a job, all of them or none.
func act(tx kiosk.Tx, key string, size int) error {
	n, err := tx.NextNumber(unit, today)
	if err != nil {
		return err
	}
	now := time.Now()
	o := &kiosk.Order{Key: key, Number: fmt.Sprintf("WO-%06d", n), Unit: unit, State: kiosk.Draft, Created: now}
	if err := tx.PutOrder(o); err != nil {
		return err
	}
	if size > 0 {
		if err := tx.PutDocument("doc-"+key, key, "final", make([]byte, size)); err != nil {
			return err
		}
	}
	if _, err := tx.Append(journal.Entry{At: now, Actor: "lan", Act: "order.put", Subject: key}); err != nil {
		return err
	}
	return tx.Enqueue(job.Job{Key: "handover:" + key, Kind: "handover", Order: key, Payload: []byte("{}")})
}

// intact checks that every acknowledged act is there, that none is there by half, and that the journal verifies. It
// returns how many acts are stored.
func intact(s *Store, acknowledged []string) (int, error) {
	ctx := context.Background()
	stored := map[string]bool{}
	jobs, err := s.Waiting(ctx, 1_000_000)
	if err != nil {
		return 0, err
	}
	queued := map[string]bool{}
	for _, j := range jobs {
		queued[j.Order] = true
	}
	err = s.View(ctx, func(tx kiosk.Tx) error {
		orders, err := tx.OpenOrders(unit)
		if err != nil {
			return err
		}
		numbers := map[string]bool{}
		for _, o := range orders {
			stored[o.Key], numbers[o.Number] = true, true
			if !queued[o.Key] {
				return fmt.Errorf("order %s has no job", o.Key)
			}
		}
		for n := 1; n <= len(orders); n++ {
			if !numbers[fmt.Sprintf("WO-%06d", n)] {
				return fmt.Errorf("number %d of %d is missing", n, len(orders))
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for _, key := range acknowledged {
		if !stored[key] {
			return 0, fmt.Errorf("order %s was acknowledged and is lost", key)
		}
	}
	entries := 0
	if err := s.JournalEntries(ctx, 0, func(_ int64, e journal.Entry) error {
		entries++
		if !stored[e.Subject] {
			return fmt.Errorf("the journal tells of %s, which is not stored", e.Subject)
		}
		return nil
	}); err != nil {
		return 0, err
	}
	if entries != len(stored) || len(jobs) != len(stored) {
		return 0, fmt.Errorf("%d orders, %d entries, %d jobs", len(stored), entries, len(jobs))
	}
	report, err := s.VerifyJournal(ctx, nil, nil)
	if err == nil && !report.OK() {
		err = fmt.Errorf("the journal is wrong: %+v", report.Problems)
	}
	return len(stored), err
}

// say prints one line to the parent at once.
func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// lines reads what a child says until it ends or stop says so.
func lines(t *testing.T, cmd *exec.Cmd, stop func(line string) bool) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(out)
	for in.Scan() {
		if stop(in.Text()) {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			// What was said before the kill is still in the pipe, and counts.
			for in.Scan() {
				stop(in.Text())
			}
		}
	}
	_ = cmd.Wait()
}

// writeForever is the child that will be killed: eight counters write and say each key that was acknowledged.
func writeForever(dir string) {
	s, err := openQuick(dir)
	if err != nil {
		say("failed %v", err)
		return
	}
	say("ready")
	var wait sync.WaitGroup
	for counter := range 8 {
		wait.Go(func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("%d-%d-%d", os.Getpid(), counter, i)
				if err := s.Update(context.Background(), func(tx kiosk.Tx) error { return act(tx, key, 0) }); err != nil {
					say("failed %v", err)
					return
				}
				say("ack %s", key)
			}
		})
	}
	wait.Wait()
}

// writeUntilBroken is the child whose fsync fails after a while: it says what was acknowledged and how it ended.
func writeUntilBroken(dir string) {
	s, err := openQuick(dir)
	if err != nil {
		say("failed %v", err)
		return
	}
	for i := 0; ; i++ {
		key := fmt.Sprintf("%d-%d", os.Getpid(), i)
		err := s.Update(context.Background(), func(tx kiosk.Tx) error { return act(tx, key, 0) })
		if err == nil {
			say("ack %s", key)
			continue
		}
		again := s.Update(context.Background(), func(tx kiosk.Tx) error {
			say("wrote again")
			return nil
		})
		reading := s.View(context.Background(), func(tx kiosk.Tx) error {
			_, err := tx.OpenOrders(unit)
			return err
		})
		say("end %s %s reading: %v", fault.CodeOf(err), fault.CodeOf(again), reading)
		return
	}
}

func acknowledgements(line string, list *[]string) bool {
	key, ok := strings.CutPrefix(line, "ack ")
	if ok {
		*list = append(*list, key)
	}
	return ok
}
