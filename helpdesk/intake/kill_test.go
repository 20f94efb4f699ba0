package intake

import (
	"bufio"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	crand "crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"countersign/helpdesk"
	"countersign/internal/clock"
	"countersign/internal/store"
)

// childVar makes the test binary play another process; its value is the part.
const childVar = "TEST_DESK_CHILD"

func TestMain(m *testing.M) {
	parts := map[string]func(dir string) error{"intake": intakeChild, "serials": serialChild}
	if play, ok := parts[os.Getenv(childVar)]; ok {
		if err := play(os.Args[len(os.Args)-1]); err != nil {
			fmt.Println("failed", err)
		}
		return
	}
	os.Exit(m.Run())
}

// quickVault stands where opening a key file hundreds of times would take minutes by design. It seals for real.
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
	if _, err := crand.Read(nonce); err != nil {
		return nil, err
	}
	return v.aead().Seal(nonce, nonce, plain, []byte(id)), nil
}

func (v quickVault) Open(id string, sealed []byte) ([]byte, error) {
	return v.aead().Open(nil, sealed[:12], sealed[12:], []byte(id))
}

func (quickVault) Rewrap(_ string, sealed []byte) ([]byte, bool, error) { return sealed, false, nil }
func (quickVault) Fingerprint() string                                  { return "quick" }
func (quickVault) Index(kind, value string) []byte {
	h := hmac.New(sha256.New, []byte("synthetic index key"))
	h.Write([]byte(kind + "\x00" + value))
	return h.Sum(nil)
}

func openQuick(dir string) (*store.Store, *Reception, error) {
	s, err := store.Open(context.Background(), store.Options{Dir: dir, Vault: quickVault{}, Clock: clock.System{}})
	if err != nil {
		return nil, nil, err
	}
	r, err := over(s.Helpdesk(), clock.System{}, "hotro@kbnn.example")
	if err != nil {
		return nil, nil, err
	}
	r.Limits = Limits{Correction: time.Hour}
	return s, r, nil
}

// boxSize is how many mails lie in the mailbox of the child; every third is a reply to the one before it.
const boxSize = 240

func box(uid int) []byte {
	l := letter{from: fmt.Sprintf("user%d@mau.example", uid/3), subject: fmt.Sprintf("[0010#DVC] %d", uid), id: fmt.Sprintf("%d@mau.example", uid),
		level: "aligned", picture: true, text: fmt.Sprintf("%s %d %s", goodText, uid, strings.Repeat("chữ ", 500))}
	if uid%3 == 1 {
		l.refs = fmt.Sprintf("%d@mau.example", uid-1)
	}
	return l.raw()
}

// intakeChild reads the mailbox as a source does: from the cursor on, in batches. It knows nothing of its predecessors.
// Now and then the server has renumbered the box.
func intakeChild(dir string) error {
	s, r, err := openQuick(dir)
	if err != nil {
		return err
	}
	defer s.Close()
	fmt.Println("open")
	ctx := context.Background()
	validity := uint32(os.Getpid()%3 + 1)
	next := 0
	if err := r.Store.View(ctx, func(tx helpdesk.Tx) error {
		m, err := tx.Mailbox("hotro")
		if m.UIDValidity == validity {
			next = int(m.UID)
		}
		return err
	}); err != nil {
		return err
	}
	for next < boxSize {
		var list []helpdesk.Arrival
		for range 1 + rand.IntN(9) {
			if next == boxSize {
				break
			}
			list = append(list, helpdesk.Arrival{Mailbox: "hotro", UIDValidity: validity, UID: uint32(next + 1), Raw: box(next)})
			next++
		}
		if _, err := r.Arrive(ctx, list); err != nil {
			return err
		}
		fmt.Println("arrived", next)
		if rand.IntN(3) == 0 {
			if _, err := r.Drain(ctx); err != nil {
				return err
			}
		}
	}
	if _, err := r.Drain(ctx); err != nil {
		return err
	}
	fmt.Println("done")
	return nil
}

// kill runs a child in a part and kills it after a random while, unless it is done before.
func kill(t *testing.T, part, dir string, most time.Duration) (done bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0], dir)
	cmd.Env = append(os.Environ(), childVar+"="+part)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		switch {
		case lines.Text() == "open":
			timer := time.AfterFunc(time.Duration(rand.Int64N(int64(most))), func() { _ = cmd.Process.Kill() })
			defer timer.Stop()
		case lines.Text() == "done":
			done = true
		case strings.HasPrefix(lines.Text(), "failed"):
			t.Error(lines.Text())
		}
	}
	_ = cmd.Wait() // a killed child has no other end
	return done
}

func TestAfterKillsAtAnyPointEveryMailHasHadItsEffectOnce(t *testing.T) {
	rounds := 12
	if os.Getenv("TEST_FAULTS") != "" {
		rounds = 200
	}
	for kills := 0; kills < rounds; {
		dir := t.TempDir()
		for kills < rounds {
			if kill(t, "intake", dir, 250*time.Millisecond) {
				break
			}
			kills++
		}
		for !kill(t, "intake", dir, time.Hour) {
			if t.Failed() {
				return
			}
		}
		once(t, dir)
	}
}

// once checks that every mail of the box has had its effect exactly once.
func once(t *testing.T, dir string) {
	t.Helper()
	s, r, err := openQuick(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tickets, messages, mails := 0, map[string]int{}, 0
	err = r.Store.View(context.Background(), func(tx helpdesk.Tx) error {
		fates, err := tx.Fates(time.Time{})
		if err != nil {
			return err
		}
		if fates[helpdesk.ToTicket] != boxSize*2/3 || fates[helpdesk.ToMessage] != boxSize/3 || fates[helpdesk.Pending] != 0 {
			t.Errorf("the mails became %v", fates)
		}
		last := ""
		err = tx.TicketsBetween(time.Time{}, time.Now().Add(time.Hour), func(v *helpdesk.Ticket) error {
			tickets++
			last = max(last, v.Key)
			thread, err := tx.Thread(v.Key)
			for _, m := range thread {
				if m.Kind == helpdesk.FromCustomer {
					messages[m.MailID]++
				}
			}
			out, err2 := tx.OutgoingsOf(v.Key)
			mails += len(out)
			if err == nil {
				err = err2
			}
			return err
		})
		_, number, _ := tx.LastSerial("ticket")
		if int(number) != tickets {
			t.Errorf("%d numbers for %d tickets", number, tickets)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if tickets != boxSize*2/3 || len(messages) != boxSize || mails != tickets {
		t.Errorf("%d tickets, %d messages, %d mails leave", tickets, len(messages), mails)
	}
	for id, n := range messages {
		if n != 1 {
			t.Errorf("mail %s is on tickets %d times", id, n)
		}
	}
	t.Logf("%d mails, %d tickets", len(messages), tickets)
}

// serialWorkers draw at the same time; each draws until all have drawn their share, whoever was killed in between.
const serialWorkers = 8

func serialShare() int {
	if os.Getenv("TEST_FAULTS") != "" {
		return 125_001
	}
	return 400
}

// serialChild lets workers make tickets until the day has its number of them.
func serialChild(dir string) error {
	s, r, err := openQuick(dir)
	if err != nil {
		return err
	}
	defer s.Close()
	fmt.Println("open")
	day := time.Date(2026, 11, 21, 9, 0, 0, 0, clock.Vietnam)
	goal := int64(serialWorkers * serialShare())
	var wg sync.WaitGroup
	failures := make(chan error, serialWorkers)
	for range serialWorkers {
		wg.Go(func() {
			for {
				end, err := drawSome(r, day, goal)
				if err != nil {
					failures <- err
				}
				if err != nil || end {
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failures:
		return err
	default:
	}
	fmt.Println("done")
	return nil
}

// drawSome makes a few tickets in one transaction.
func drawSome(r *Reception, day time.Time, goal int64) (end bool, err error) {
	err = r.Store.Update(context.Background(), func(tx helpdesk.Tx) error {
		end = false
		for range 40 {
			if _, last, err := tx.LastSerial("ticket"); err != nil || last >= goal {
				end = true
				return err
			}
			serial, err := r.Numbering.Draw(tx, day)
			if err != nil {
				return err
			}
			if err := tx.PutTicket(&helpdesk.Ticket{Key: r.Numbering.Format(serial), State: helpdesk.Closed, Created: day}); err != nil {
				return err
			}
		}
		return nil
	})
	return end, err
}

func TestSerialsAreDenseAndNeverTwiceThroughKills(t *testing.T) {
	dir, kills := t.TempDir(), 0
	for !kill(t, "serials", dir, 300*time.Millisecond) && kills < 40 {
		kills++
	}
	for !kill(t, "serials", dir, time.Hour) {
		if t.Failed() {
			return
		}
	}
	s, r, err := openQuick(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	goal := serialWorkers * serialShare()
	seen, wide := make([]bool, goal+1), 0
	day := time.Date(2026, 11, 21, 9, 0, 0, 0, clock.Vietnam)
	err = r.Store.View(context.Background(), func(tx helpdesk.Tx) error {
		return tx.TicketsBetween(day, day.Add(time.Second), func(v *helpdesk.Ticket) error {
			n, err := strconv.Atoi(strings.TrimPrefix(v.Key, "SD261121-"))
			if err != nil || n < 1 || n > goal || seen[n] {
				t.Errorf("a ticket is called %s", v.Key)
				return nil
			}
			seen[n] = true
			if len(v.Key) > len("SD261121-000001") {
				wide++
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= goal; n++ {
		if !seen[n] {
			t.Fatalf("number %d is not there", n)
		}
	}
	if wide != max(0, goal-999_999) {
		t.Errorf("%d serials have seven digits", wide)
	}
	t.Logf("%d serials by %d workers, %d kills", goal, serialWorkers, kills)
}
