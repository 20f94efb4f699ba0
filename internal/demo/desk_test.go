package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"countersign/internal/api"
	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/kiosk"
	"countersign/kiosk/idcard"
	"countersign/kiosk/mirror"
	"countersign/kiosk/portrait"
	"countersign/signing/journal"
	"countersign/signing/verify"
)

// patience is how long a test waits for what must come; it is no figure.
const patience = time.Minute

func TestMain(m *testing.M) {
	if part := os.Getenv(childVar); part != "" {
		os.Exit(playChild(part))
	}
	code := m.Run()
	if err := common.close(); err != nil {
		fmt.Fprintln(os.Stderr, "close the world that the tests share:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// morning is when the tests' own clocks start: a Monday with a working week before it.
func morning() time.Time { return time.Date(2026, 11, 23, 8, 0, 0, 0, clock.Vietnam) }

// lockedBuffer is a log that many goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.b.Bytes())
}

// office is a world whose clock the test moves.
type office struct {
	*World
	clock *clock.Set
	log   *lockedBuffer
}

func newOffice(ctx context.Context, dir string) (*office, error) {
	o := &office{clock: clock.At(morning()), log: &lockedBuffer{}}
	var err error
	o.World, err = Build(ctx, dir, Choices{Cost: cheap, Clock: o.clock, Log: slog.New(slog.NewJSONHandler(o.log, nil))})
	return o, err
}

// ownOffice is an office for one test that stops parts of it.
func ownOffice(t *testing.T) *office {
	t.Helper()
	o, err := newOffice(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

// shared is the office of all tests that leave it as they found it: each sits down at a counter of its own.
type shared struct {
	once   sync.Once
	office *office
	err    error
	dir    string
	seats  int
}

var common shared

func (s *shared) close() error {
	if s.office == nil {
		return nil
	}
	return errors.Join(s.office.Close(), os.RemoveAll(s.dir))
}

func theOffice(t *testing.T) *office {
	t.Helper()
	common.once.Do(func() {
		if common.dir, common.err = os.MkdirTemp("", "countersign-office-"); common.err == nil {
			common.office, common.err = newOffice(context.Background(), common.dir)
		}
	})
	if common.err != nil {
		t.Fatal(common.err)
	}
	return common.office
}

// desk is one counter with its clerk and screen, and one customer who wants more power.
type desk struct {
	*Journey
	t                  *testing.T
	office             *office
	counter            string
	customer           kiosk.Customer
	ctx                context.Context
	done               []string
	token, screenToken string
	last               string // key of the order; a failed part of a journey forgets it
}

// sit opens a new counter for a customer whom the unit knows.
func (o *office) sit(t *testing.T) *desk {
	t.Helper()
	common.seats++
	counter := fmt.Sprint(100 + common.seats)
	if err := o.staff(t.Context(), counter); err != nil {
		t.Fatal(err)
	}
	return o.sitAt(t, counter, o.newCustomer(t, common.seats))
}

func (o *office) sitAt(t *testing.T, counter string, c kiosk.Customer) *desk {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	p := idcard.Person{Number: c.IDNumber, Name: c.Name, Birth: c.Birth, Sex: c.Sex, Address: c.Address, Issued: "2022-03-04", Expires: "2040-01-01"}
	d := &desk{t: t, office: o, counter: counter, customer: c, ctx: ctx, Journey: &Journey{Inbox: o.Inbox, Person: p, Mail: c.Email,
		Service: "11", Picture: picture(), Medium: "mail",
		Values: []FieldValue{{"papers_check", "1"}, {"phone", c.Phone}, {"capacity", "7,5"}, {"phases", "1"}, {"papers_state", "1"}, {"notice", "2"}},
		Rows:   map[string][][]string{"appliances": {{"Điều hòa", "2", "1200", "8"}, {"Bếp từ", "1", "3600", "2"}}}}}
	user := "quay" + counter
	if counter == Counter {
		user = User
	}
	d.Clerk, d.token = o.signInWith(t, user, counter)
	d.Display, d.screenToken = o.screenAt(t, counter)
	return d
}

func (o *office) signIn(t *testing.T, user, counter string) *api.Clerk {
	t.Helper()
	c, _ := o.signInWith(t, user, counter)
	return c
}

// signInWith also returns the session's token.
func (o *office) signInWith(t *testing.T, user, counter string) (*api.Clerk, string) {
	t.Helper()
	c := &api.Clerk{Client: o.Client(), Unit: Unit, Counter: counter}
	token := o.openSession(t, user, counter)
	c.SetToken(token)
	return c, token
}

// screenAt pairs a new customer's screen with a counter.
func (o *office) screenAt(t *testing.T, counter string) (*api.Display, string) {
	t.Helper()
	token, err := o.Service.Hall.PairDisplay(t.Context(), kiosk.Actor{User: kiosk.User{Name: "admin"}, Unit: Unit, Counter: counter}, Unit, counter)
	if err != nil {
		t.Fatal(err)
	}
	d := &api.Display{Client: o.Client()}
	d.SetToken(token)
	return d, token
}

// newCustomer adds an invented customer with a contract.
func (o *office) newCustomer(t *testing.T, n int) kiosk.Customer {
	t.Helper()
	code := fmt.Sprintf("PA0505%07d", 600000+n)
	c := kiosk.Customer{ID: code, Unit: Unit, Kind: "person", Name: "TRẦN VĂN MẪU", Birth: "1990-05-06", Sex: "M", IDNumber: fmt.Sprintf("001090%06d", 5000+n),
		Phone: fmt.Sprintf("09000%05d", 30000+n), Email: fmt.Sprintf("khach%d@mau.example", n), Address: "7 phố Mẫu, phường Thử, Bắc Giang", FactsAt: o.clock.Now(),
		Facts: map[string]string{"customer_code": code, "address": "7 phố Mẫu, phường Thử, Bắc Giang", "capacity": "3.0", "phases": "1", "purpose": "1",
			"households": "2", "area": "urban", "contract": "Sinh hoạt, 1 pha", "debt": "không", "same_open": "no", "overdue": "no"}}
	stored := c
	if err := o.Service.Store.Update(t.Context(), func(tx kiosk.Tx) error { return tx.PutCustomer(&stored) }); err != nil {
		t.Fatal(err)
	}
	return c
}

var picture = sync.OnceValue(func() []byte {
	data, err := portrait.SyntheticJPEG(1990, portrait.Sharp)
	if err != nil {
		panic(err)
	}
	return data
})

// stages are the parts of a journey by name.
func (d *desk) stages() (names []string, parts map[string]func(context.Context) error) {
	return []string{"open", "fill", "agree", "read", "show", "confirm", "seal", "handOver", "receive"}, map[string]func(context.Context) error{
		"open": d.open, "fill": d.fill, "agree": d.agree, "read": d.read, "show": d.show, "confirm": d.confirm, "seal": d.seal, "handOver": d.handOver, "receive": d.receive}
}

// to walks on until a part of the journey is done.
func (d *desk) to(stage string) *desk {
	d.t.Helper()
	names, parts := d.stages()
	for _, name := range names {
		if slices.Contains(d.done, name) {
			continue
		}
		if err := parts[name](d.ctx); err != nil {
			d.t.Fatalf("%s: %v", name, err)
		}
		d.done = append(d.done, name)
		if name == stage {
			return d
		}
	}
	d.t.Fatalf("there is no part %q left", stage)
	return nil
}

func (d *desk) key() string {
	if k := d.Order.Order.Key; k != "" && k != d.last {
		d.last = k
	}
	return d.last
}

// look reads the order as the clerk sees it now.
func (d *desk) look() kiosk.OrderView {
	d.t.Helper()
	v, err := d.Clerk.Order(d.ctx, d.key())
	if err != nil {
		d.t.Fatal(err)
	}
	d.Order = v
	return v
}

// stored reads the order as it is stored.
func (d *desk) stored() *kiosk.Order {
	d.t.Helper()
	var o *kiosk.Order
	err := d.office.Service.Store.View(d.ctx, func(tx kiosk.Tx) error {
		var err error
		o, err = tx.Order(d.key())
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return o
}

// await reads the order after every event of the counter until ok says that it is as it must become.
func (d *desk) await(what string, ok func(kiosk.Order) bool) kiosk.OrderView {
	d.t.Helper()
	ctx, cancel := context.WithCancel(d.ctx)
	defer cancel()
	events := d.Clerk.Events(ctx)
	for {
		if v := d.look(); ok(v.Order) {
			return v
		}
		select {
		case <-ctx.Done():
			d.t.Fatalf("waited in vain for: %s", what)
		case <-events:
		}
	}
}

// screen reads the customer's screen until it is at a stage.
func (d *desk) screen(stage mirror.Stage) mirror.Snapshot {
	d.t.Helper()
	ctx, cancel := context.WithCancel(d.ctx)
	defer cancel()
	for s := range d.Display.Snapshots(ctx) {
		if s.Stage == stage {
			return s
		}
	}
	d.t.Fatalf("the customer's screen never came to %q", stage)
	return mirror.Snapshot{}
}

// askCode asks for a code by mail, a minute after whatever was before, and returns the one that comes.
func (d *desk) askCode() string {
	d.t.Helper()
	d.office.clock.Advance(time.Minute)
	from := d.Inbox.Count()
	d.must(d.Display.Channel(d.ctx, d.key(), "mail"))
	code, err := d.Inbox.Code(d.ctx, d.Mail, from)
	d.must(err)
	// Until the mail is booked as sent, a clock that jumps ahead would let it be sent again.
	d.await("the mail to be booked as sent", func(o kiosk.Order) bool { return o.CodeSent.State == "done" })
	return code
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// refused wants a failure with one code that every language has a sentence for.
func refused(t *testing.T, err error, code string) {
	t.Helper()
	if !fault.Is(err, code) {
		t.Errorf("the answer is %v, want %s", err, code)
		return
	}
	told(t, err)
}

// told wants the sentence for a failure in all three languages, with every placeholder filled.
func told(t *testing.T, err error) {
	t.Helper()
	seen := map[string]bool{}
	for _, l := range locale.Langs {
		s := locale.Fault(l, err)
		if bytes.ContainsAny([]byte(s), "‹›") || bytes.Contains([]byte(s), []byte("<no value>")) || s == "" {
			t.Errorf("%s has no whole sentence for %v: %q", l, err, s)
		}
		seen[s] = true
	}
	if len(seen) != len(locale.Langs) {
		t.Errorf("two languages say the same of %v", err)
	}
}

// passed wants a finished file that a stranger's verification lets pass.
func (d *desk) passed() verify.Report {
	d.t.Helper()
	file, err := d.Clerk.Document(d.ctx, d.key())
	d.must(err)
	r := verify.Verify(file, verify.Policy{Roots: d.office.Service.Hall.Roots, At: d.office.clock.Now()})
	if r.Verdict != verify.Passed {
		d.t.Errorf("the work order is %s: %s", r.Verdict, r.Summary.English)
	}
	return r
}

// acts are the journal's acts about an order.
func (d *desk) acts() []string {
	d.t.Helper()
	o := d.stored()
	var out []string
	err := d.office.Service.Store.JournalEntries(d.ctx, 0, func(_ int64, e journal.Entry) error {
		if e.Subject == o.Number || e.Subject == "draft "+o.Key {
			out = append(out, e.Act)
		}
		return nil
	})
	d.must(err)
	return out
}

// unsigned wants an order on which no signature of any kind was made.
func (d *desk) unsigned() {
	d.t.Helper()
	o := d.stored()
	if o.Confirm != nil || o.Document.FinalID != "" || len(o.Seals) > 0 {
		d.t.Errorf("something was signed: confirmation %+v, final %q, seals %d", o.Confirm, o.Document.FinalID, len(o.Seals))
	}
	if slices.Contains(d.acts(), "confirm.signed") {
		d.t.Error("the journal tells of a signature")
	}
}

// asJSON is what went over the wire.
func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
