package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"countersign/internal/api"
	"countersign/internal/fault"
	"countersign/kiosk"
	"countersign/kiosk/idcard"
	"countersign/signing/journal"
	"countersign/signing/seal"
	"countersign/signing/verify"
)

// childVar makes the test binary play the service of a world; its value is where the stand-ins are, which outlive it.
const childVar = "COUNTERSIGN_DEMO_CHILD"

// playChild serves the world in the directory that is the last argument until it is killed.
func playChild(surroundings string) int {
	mail, office, _ := strings.Cut(surroundings, " ")
	w := &World{Dir: os.Args[len(os.Args)-1], done: make(chan struct{})}
	o, err := w.surroundings(Choices{Cost: cheap})
	if err == nil {
		o.Mail.Addr, o.BackOffice.URL = mail, office
		err = w.open(context.Background(), o)
	}
	if err != nil {
		fmt.Println("failed", err)
		return 1
	}
	fmt.Println("ready")
	select {}
}

// life is one run of the service, from start to kill.
type life struct {
	cmd   *exec.Cmd
	ready time.Duration
	ended chan struct{}
}

func (k *killed) start(t *testing.T, patient bool) *life {
	t.Helper()
	l := &life{cmd: exec.Command(os.Args[0], k.w.Dir), ended: make(chan struct{})}
	l.cmd.Env = append(os.Environ(), childVar+"="+k.surroundings)
	l.cmd.Stderr = os.Stderr
	l.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.cmd.Process.Kill() })
	lines := make(chan string, 1)
	go func() {
		defer close(l.ended)
		in := bufio.NewScanner(out)
		for in.Scan() {
			lines <- in.Text()
		}
		_ = l.cmd.Wait()
	}()
	if !patient {
		return l
	}
	select {
	case line := <-lines:
		if line != "ready" {
			t.Fatalf("after a kill the service does not come up: %s", line)
		}
	case <-time.After(patience):
		t.Fatal("after a kill the service does not come up")
	}
	l.ready = time.Since(begin)
	return l
}

func (l *life) kill(t *testing.T) {
	t.Helper()
	if err := l.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	<-l.ended
}

// killed is a world whose service is killed again and again while customers go through it.
type killed struct {
	w            *World // stopped; its stand-ins run on
	surroundings string

	mu     sync.Mutex
	orders []*promise
	acks   chan struct{}
	people []idcard.Person
	next   int
}

// promise is all that was acknowledged of one order.
type promise struct {
	key, number    string
	person         idcard.Person
	mail           string
	state          kiosk.State
	values         map[string]string
	content, final string
	evidence       string
	medium         string
	asked          bool
}

// rank is the place of a state on an order's way.
func rank(s kiosk.State) int {
	return slices.Index([]kiosk.State{kiosk.Draft, kiosk.Invited, kiosk.Reading, kiosk.Agreed, kiosk.Confirming, kiosk.Confirmed, kiosk.Sealed, kiosk.Closed}, s)
}

// keep notes what an answer has promised.
func (p *promise) keep(v kiosk.OrderView) {
	o := v.Order
	p.key, p.state, p.medium = o.Key, o.State, o.Receipt.Medium
	if o.Number != "" {
		p.number = o.Number
	}
	p.content, p.final = o.Document.ContentSHA256, o.Document.FinalSHA256
	if o.Confirm != nil {
		p.evidence = o.Confirm.Evidence
	}
	for name, x := range o.Values {
		p.values[name] = x.Text
	}
}

// broken says what of a promise an order does not keep.
func (p *promise) broken(o kiosk.Order) error {
	switch {
	case rank(o.State) < rank(p.state):
		return fmt.Errorf("it was acknowledged as %s and is %s", p.state, o.State)
	case p.number != "" && o.Number != p.number, p.content != "" && o.Document.ContentSHA256 != p.content, p.final != "" && o.Document.FinalSHA256 != p.final:
		return fmt.Errorf("number, content or file is another than was acknowledged: %s", o.Number)
	case p.evidence != "" && (o.Confirm == nil || o.Confirm.Evidence != p.evidence):
		return errors.New("the customer's confirmation is another than was acknowledged")
	case p.medium != "" && o.Receipt.Medium != p.medium:
		return fmt.Errorf("the receipt is %q, acknowledged was %q", o.Receipt.Medium, p.medium)
	}
	for name, text := range p.values {
		if o.Values[name].Text != text {
			return fmt.Errorf("field %s is lost", name)
		}
	}
	return nil
}

// window is a counter at which journeys are made, through all lives.
type window struct {
	k       *killed
	n       int
	clerk   *api.Clerk
	display *api.Display
	token   string
	screen  string
	now     *promise
}

func (w *window) connect() {
	w.clerk = &api.Clerk{Client: SocketClient(w.k.w.Socket()), Unit: Unit, Counter: fmt.Sprint(w.n)}
	w.clerk.SetToken(w.token)
	w.display = &api.Display{Client: SocketClient(w.k.w.Socket())}
	w.display.SetToken(w.screen)
}

// step does the next act of the order in hand, whatever became of the last one.
func (w *window) step(ctx context.Context) error {
	if w.now == nil {
		return w.begin(ctx)
	}
	v, err := w.clerk.Order(ctx, w.now.key)
	if err != nil {
		return err
	}
	if err := w.now.broken(v.Order); err != nil {
		return fmt.Errorf("order %s: %w", w.now.key, err)
	}
	w.now.keep(v)
	key := w.now.key
	switch o := v.Order; o.State {
	case kiosk.Draft:
		err = w.fill(ctx, v)
	case kiosk.Invited:
		err = w.display.AgreeForm(ctx, key)
	case kiosk.Reading:
		if !o.ReadToEnd() {
			return w.display.ShowPage(ctx, key, o.Document.Shown+1)
		}
		err = w.display.Agree(ctx, key, o.Document.ContentSHA256)
	case kiosk.Agreed:
		if o.Portrait == nil || o.Portrait.DocumentID == "" {
			v, err = w.clerk.Portrait(ctx, key, picture())
		} else {
			v, err = w.clerk.Judge(ctx, key)
		}
	case kiosk.Confirming:
		err = w.confirm(ctx, o)
	case kiosk.Confirmed:
		v, err = w.clerk.Seal(ctx, key, o.Number[len(o.Number)-4:])
	case kiosk.Sealed:
		if o.Receipt.Medium == "" {
			err = w.display.Receipt(ctx, key, "mail")
		} else {
			err = w.display.Rate(ctx, key, 5)
		}
	case kiosk.Closed:
		w.now = nil
		return w.clerk.Release(ctx)
	default:
		return fmt.Errorf("order %s is %s", key, o.State)
	}
	if err != nil {
		return err
	}
	if v.Order.Key == key {
		w.now.keep(v)
	}
	return nil
}

func (w *window) begin(ctx context.Context) error {
	w.k.mu.Lock()
	if w.k.next == len(w.k.people) {
		w.k.mu.Unlock()
		return errNobodyLeft
	}
	p := w.k.people[w.k.next]
	w.k.next++
	w.k.mu.Unlock()
	visit, err := w.clerk.ScanVisit(ctx, "", p.QR())
	if err != nil {
		return err
	}
	v, err := w.clerk.StartOrder(ctx, visit.Visit.Key, "11", false)
	if err != nil {
		return err
	}
	w.now = &promise{person: p, mail: mailOf(p), values: map[string]string{}}
	w.now.keep(v)
	w.k.mu.Lock()
	defer w.k.mu.Unlock()
	w.k.orders = append(w.k.orders, w.now)
	return nil
}

var errNobodyLeft = errors.New("all customers have come")

func (w *window) fill(ctx context.Context, v kiosk.OrderView) error {
	for _, f := range []FieldValue{{"papers_check", "1"}, {"capacity", "7,5"}, {"phases", "1"}, {"papers_state", "1"}, {"notice", "2"}} {
		if v.Order.Values[f.Field].Text != "" && f.Field != "phases" {
			continue
		}
		v, err := w.clerk.SetField(ctx, w.now.key, f.Field, v.Order.Values[f.Field].Text, f.Typed)
		if err != nil {
			return err
		}
		w.now.keep(v)
	}
	if len(v.Order.Values["appliances"].Rows) == 0 {
		if _, err := w.clerk.SetRows(ctx, w.now.key, "appliances", [][]string{{"Bếp từ", "1", "3600", "2"}}); err != nil {
			return err
		}
	}
	_, err := w.clerk.Invite(ctx, w.now.key)
	return err
}

// confirm asks for a code once, however often the service died since, and types the one that came.
func (w *window) confirm(ctx context.Context, o kiosk.Order) error {
	if o.Challenge == "" {
		if w.now.asked {
			return errors.New("the challenge that was acknowledged is lost")
		}
		if err := w.display.Channel(ctx, o.Key, "mail"); err != nil {
			return err
		}
		w.now.asked = true
	}
	// A service that is dead sends nothing: the next life goes on waiting.
	wait, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		for u := range w.clerk.Events(wait) {
			if u.Lost {
				return
			}
		}
	}()
	code, err := w.k.w.Inbox.Code(wait, w.now.mail, 0)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "service.lost", nil)
	}
	return w.display.Code(ctx, o.Key, code)
}

func mailOf(p idcard.Person) string { return "k" + p.Number + "@mau.example" }

// newKilled makes the world, its counters and its customers, and stops its service.
func newKilled(t *testing.T, windows, people int) (*killed, []*window) {
	t.Helper()
	w, err := Build(t.Context(), t.TempDir(), Choices{Cost: cheap, Counters: windows})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{World: w}
	k := &killed{w: w, acks: make(chan struct{}, 1024)}
	err = w.Service.Store.Update(t.Context(), func(tx kiosk.Tx) error {
		for i := range people {
			p := idcard.Person{Number: fmt.Sprintf("001090%06d", 500000+i), Name: "TRẦN VĂN MẪU", Birth: "1990-05-06", Sex: "M", Address: "7 phố Mẫu, Bắc Giang", Issued: "2022-03-04", Expires: "2040-01-01"}
			k.people = append(k.people, p)
			code := fmt.Sprintf("PA0505%07d", 500000+i)
			c := kiosk.Customer{ID: code, Unit: Unit, Kind: "person", Name: p.Name, Birth: p.Birth, Sex: p.Sex, IDNumber: p.Number, Phone: fmt.Sprintf("0911%06d", i), Email: mailOf(p),
				Address: p.Address, FactsAt: time.Now(), Facts: map[string]string{"customer_code": code, "address": p.Address, "capacity": "3.0", "phases": "1", "purpose": "1",
					"households": "2", "area": "urban", "same_open": "no", "overdue": "no"}}
			if err := tx.PutCustomer(&c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var list []*window
	for n := 1; n <= windows; n++ {
		user := fmt.Sprint("quay", n)
		if fmt.Sprint(n) == Counter {
			user = User
		}
		win := &window{k: k, n: n, token: o.openSession(t, user, fmt.Sprint(n))}
		_, win.screen = o.screenAt(t, fmt.Sprint(n))
		list = append(list, win)
	}
	w.stop()
	<-w.done
	if err := w.Service.Close(); err != nil {
		t.Fatal(err)
	}
	k.surroundings = w.Service.Options.Mail.Addr + " " + w.Service.Options.BackOffice.URL
	t.Cleanup(func() {
		for _, s := range w.servers {
			_ = s.Close()
		}
		_ = w.Inbox.Close()
	})
	return k, list
}

// work lets all windows go on until the service is lost or, with finish, until nothing is left to do.
func (k *killed) work(t *testing.T, windows []*window, finish bool) {
	t.Helper()
	var wait sync.WaitGroup
	for _, win := range windows {
		win.connect()
		wait.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			for !finish || win.now != nil {
				err := win.step(ctx)
				switch {
				case err == nil:
					k.acks <- struct{}{}
				case fault.Is(err, "service.lost"), errors.Is(err, errNobodyLeft):
					if finish {
						t.Errorf("order %s can't be finished: %v", win.now.key, err)
					}
					return
				default:
					t.Errorf("counter %d: %v", win.n, err)
					return
				}
			}
		})
	}
	wait.Wait()
}

func TestKilledAtAnyMomentTheServiceLosesNothingAndSignsNothingTwice(t *testing.T) {
	const windows = 3
	k, list := newKilled(t, windows, 40+12*kills())
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 2))
	var ready []time.Duration
	for n := range kills() {
		if n%6 == 5 {
			// In the middle of starting, too.
			l := k.start(t, false)
			<-time.After(time.Duration(dice.Int64N(int64(300 * time.Millisecond))))
			l.kill(t)
		}
		l := k.start(t, true)
		ready = append(ready, l.ready)
		k.keptAll(t)
		left, pause := dice.IntN(40), time.Duration(dice.Int64N(int64(30*time.Millisecond)))
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range left {
				<-k.acks
			}
			<-time.After(pause)
			_ = l.cmd.Process.Kill()
			<-l.ended
		}()
		k.work(t, list, false)
		<-done
		for len(k.acks) > 0 {
			<-k.acks
		}
		if t.Failed() {
			return
		}
	}
	slices.Sort(ready)
	t.Logf("%d kills, %d orders begun; ready again after %v at the median, %v at most", kills(), len(k.orders), ready[len(ready)/2], ready[len(ready)-1])
	l := k.start(t, true)
	stop := k.drain()
	k.work(t, list, true)
	stop()
	k.handedOver(t)
	l.kill(t)
	k.account(t)
}

// drain throws acknowledgements away that nobody counts any more.
func (k *killed) drain() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for {
			select {
			case <-k.acks:
			case <-ctx.Done():
				return
			}
		}
	}()
	return cancel
}

// keptAll wants every promise kept after a restart.
func (k *killed) keptAll(t *testing.T) {
	t.Helper()
	c := &api.Clerk{Client: SocketClient(k.w.Socket()), Unit: Unit, Counter: "kiem"}
	if _, err := c.SignIn(t.Context(), User, Password); err != nil {
		t.Fatal(err)
	}
	for _, p := range k.orders {
		v, err := c.Order(t.Context(), p.key)
		if err == nil {
			err = p.broken(v.Order)
		}
		if err != nil {
			t.Errorf("order %s after a kill: %v", p.key, err)
		}
	}
}

// handedOver waits until the back office has every order.
func (k *killed) handedOver(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := &api.Clerk{Client: SocketClient(k.w.Socket()), Unit: Unit, Counter: "kiem"}
	if _, err := c.SignIn(ctx, User, Password); err != nil {
		t.Fatal(err)
	}
	events := c.Events(ctx)
	for _, p := range k.orders {
		for {
			v, err := c.Resume(ctx, p.key) // so that its changes are told to this counter
			if err != nil {
				t.Fatal(err)
			}
			if v.Order.HandOver.State == "done" && v.Order.Receipt.Mail.State == "done" {
				if got := k.w.BackOffice.Received()[p.number]; got.Ack != v.Order.HandOver.Ack || got.SHA256 != v.Order.Document.FinalSHA256 {
					t.Errorf("order %s: the back office has %s, the order %s", p.number, got.Ack, v.Order.HandOver.Ack)
				}
				break
			}
			select {
			case <-ctx.Done():
				t.Fatalf("order %s never reached the back office: %+v, mail %+v", p.number, v.Order.HandOver, v.Order.Receipt.Mail)
			case <-events:
			}
		}
	}
}

// account opens what the last kill left and counts.
func (k *killed) account(t *testing.T) {
	t.Helper()
	w, err := Reopen(t.Context(), k.w.Dir, Choices{Cost: cheap})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ctx := t.Context()
	uses, err := w.Service.Store.Book().Uses(ctx, time.Now().AddDate(0, 0, -1), time.Now().AddDate(0, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	done := map[string]int{}
	for _, u := range uses {
		if u.State == seal.Done {
			done[u.Order+" "+strconv.Itoa(len(u.Seal))+u.Seal]++
		}
		if u.State == seal.Intended {
			t.Errorf("use %d of seal %s is still open", u.Number, u.Seal)
		}
	}
	for name, n := range done {
		if n != 1 {
			t.Errorf("%s was used %d times", name, n)
		}
	}
	if len(done) != 3*len(k.orders) {
		t.Errorf("%d seals were used on %d orders", len(done), len(k.orders))
	}
	signed := map[string]int{}
	err = w.Service.Store.JournalEntries(ctx, 0, func(_ int64, e journal.Entry) error {
		if e.Act == "confirm.signed" || e.Act == "order.seal" || e.Act == kiosk.JobHandOver+".done" {
			signed[e.Act+" "+e.Subject]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string]bool{}
	for _, p := range k.orders {
		for _, act := range []string{"confirm.signed ", "order.seal ", kiosk.JobHandOver + ".done "} {
			if signed[act+p.number] != 1 {
				t.Errorf("the journal tells %d times of %s%s", signed[act+p.number], act, p.number)
			}
		}
		if numbers[p.number] {
			t.Errorf("two orders have the number %s", p.number)
		}
		numbers[p.number] = true
		k.file(t, w, p)
	}
	if got := k.w.BackOffice.Received(); len(got) != len(k.orders) {
		t.Errorf("the back office has %d orders of %d", len(got), len(k.orders))
	}
	report, err := w.Service.VerifyJournal(ctx, nil)
	if err != nil || !report.OK() {
		t.Errorf("the journal: %v %+v", err, report.Problems)
	}
}

// file wants the finished file of an order to pass, with one signature of each signer.
func (k *killed) file(t *testing.T, w *World, p *promise) {
	t.Helper()
	var data []byte
	err := w.Service.Store.View(t.Context(), func(tx kiosk.Tx) error {
		o, err := tx.Order(p.key)
		if err == nil {
			data, err = tx.Document(o.Document.FinalID)
		}
		return err
	})
	if err != nil {
		t.Errorf("order %s has no file: %v", p.number, err)
		return
	}
	r := verify.Verify(data, verify.Policy{Roots: w.Service.Hall.Roots, At: time.Now()})
	if r.Verdict != verify.Passed || len(r.Signatures) != 4 {
		t.Errorf("order %s is %s with %d signatures: %s", p.number, r.Verdict, len(r.Signatures), r.Summary.English)
	}
}
