package otp_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	vendor "github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
	"pgregory.net/rapid"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/signing/otp"
)

var (
	server   = []byte("a server secret of thirty-two byt")
	document = sha256.Sum256([]byte("%PDF-1.7 the base document"))
	content  = sha256.Sum256([]byte(`{"order":"000042"}`))
	start    = time.Date(2026, 11, 21, 9, 21, 30, 0, clock.Vietnam)
)

// fixed is a source of randomness for tests that need the same nonce again.
func fixed(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

func terms() otp.Terms {
	return otp.Terms{
		ID: "c1", Account: "PA05050000017", Order: "WO-PA0505-20261121-000042", Purpose: "ký phiếu 000042, tăng công suất lên 7,5 kW",
		Channel: otp.Mail, Address: otp.Mask("thu@mau.example"), Document: document, Content: content, Amount: 150000,
	}
}

func issue(t testing.TB, change func(*otp.Terms)) (otp.Challenge, string) {
	t.Helper()
	terms := terms()
	if change != nil {
		change(&terms)
	}
	c, code, err := otp.Issue(terms, server, fixed(1), start)
	if err != nil {
		t.Fatal(err)
	}
	return c, code
}

// wrong returns a code that is not this one.
func wrong(code string) string {
	last := (code[5]-'0'+1)%10 + '0'
	return code[:5] + string(last)
}

func TestTheRightCodeIsTakenOnce(t *testing.T) {
	c, code := issue(t, nil)
	if !c.Bound() || len(code) != 6 {
		t.Fatalf("code %q, bound %v", code, c.Bound())
	}
	if err := c.Check(code[:3]+" "+code[3:], document, server, start.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if c.State != otp.Used || !c.Ended.Equal(start.Add(time.Minute)) || c.Rev != 2 || c.Left != 5 {
		t.Errorf("after the right code: %+v", c)
	}
	if err := c.Check(code, document, server, start.Add(time.Minute)); !fault.Is(err, "otp.used") {
		t.Errorf("a second time: %v", err)
	}
}

func TestASentCodeIsGoodForItsOwnTransactionOnly(t *testing.T) {
	_, code := issue(t, nil)
	flip := func(d [32]byte) [32]byte { d[31] ^= 1; return d }
	for name, change := range map[string]func(*otp.Terms){
		"document": func(t *otp.Terms) { t.Document = flip(t.Document) },
		"content":  func(t *otp.Terms) { t.Content = flip(t.Content) },
		"amount":   func(t *otp.Terms) { t.Amount++ },
		"order":    func(t *otp.Terms) { t.Order += "1" },
		"purpose":  func(t *otp.Terms) { t.Purpose = "khác" },
		"account":  func(t *otp.Terms) { t.Account = "PA05050000018" },
		"id":       func(t *otp.Terms) { t.ID = "c2" },
		// Parts that run together must not be mistaken for each other.
		"border": func(t *otp.Terms) { t.Account += "W"; t.Order = t.Order[1:] },
	} {
		if _, other := issue(t, change); other == code {
			t.Errorf("another %s, the same code", name)
		}
	}
	c, other, err := otp.Issue(terms(), server, fixed(2), start)
	if err != nil || other == code {
		t.Errorf("another nonce, the same code (%v)", err)
	}
	if err := c.Check(code, document, server, start); !fault.Is(err, "otp.wrong") {
		t.Errorf("the code of another nonce: %v", err)
	}
	if _, same := issue(t, nil); same != code {
		t.Error("the same transaction and nonce have two codes")
	}
}

func TestAChangedDocumentKillsTheCode(t *testing.T) {
	for i := range 32 {
		c, code := issue(t, nil)
		changed := document
		changed[i] ^= 0x10
		if err := c.Check(code, changed, server, start); !fault.Is(err, "otp.changed") {
			t.Fatalf("byte %d: %v", i, err)
		}
		if err := c.Check(code, document, server, start); !fault.Is(err, "otp.void") {
			t.Fatalf("byte %d: the code lives on: %v", i, err)
		}
	}
}

func TestFiveWrongTriesKillTheChallengeForFifteenMinutes(t *testing.T) {
	c, code := issue(t, nil)
	for left := 4; left >= 1; left-- {
		err := c.Check(wrong(code), document, server, start)
		if !fault.Is(err, "otp.wrong") {
			t.Fatal(err)
		}
		var f *fault.Error
		if errors.As(err, &f); f.Args["left"] != fmt.Sprint(left) {
			t.Errorf("left %q, want %d", f.Args["left"], left)
		}
	}
	if err := c.Check("12345", document, server, start); !fault.Is(err, "otp.form") || c.Left != 1 {
		t.Errorf("five digits: %v, %d left", err, c.Left)
	}
	now := start.Add(time.Minute)
	if err := c.Check(wrong(code), document, server, now); !fault.Is(err, "otp.dead") {
		t.Fatal(err)
	}
	if err := c.Check(code, document, server, now); !fault.Is(err, "otp.dead") {
		t.Errorf("the right code after its death: %v", err)
	}
	past := []otp.Challenge{c}
	if err := otp.Allow(past, now.Add(15*time.Minute-time.Second)); !fault.Is(err, "otp.locked") {
		t.Errorf("14:59 later: %v", err)
	} else if text := locale.Fault(locale.Vietnamese, err); !strings.Contains(text, "09:37") {
		t.Errorf("the lock's end is not in %q", text)
	}
	if err := otp.Allow(past, now.Add(15*time.Minute)); err != nil {
		t.Errorf("15 minutes later: %v", err)
	}
}

func TestACodeExpiresAndNoClockRevivesIt(t *testing.T) {
	for _, c := range []struct {
		name string
		at   time.Duration
		want string
	}{
		{"in the last second", 5*time.Minute - time.Second, ""},
		{"at five minutes", 5 * time.Minute, "otp.expired"},
		{"an hour later", time.Hour, "otp.expired"},
		{"five days later", 120 * time.Hour, "otp.expired"},
		{"an hour before it was made", -time.Hour, "otp.expired"},
		{"a small correction of the clock", -10 * time.Second, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ch, code := issue(t, nil)
			err := ch.Check(code, document, server, start.Add(c.at))
			if c.want == "" && err != nil || c.want != "" && !fault.Is(err, c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if c.want != "" {
				if err := ch.Check(code, document, server, start); !fault.Is(err, "otp.expired") {
					t.Errorf("the clock set back revived it: %v", err)
				}
			}
		})
	}
	if _, _, err := otp.Issue(func() otp.Terms { t := terms(); t.Life = 6 * time.Minute; return t }(), server, fixed(1), start); err == nil {
		t.Error("a life of six minutes was allowed")
	}
}

func TestTenChallengesADayAndOneIn30Seconds(t *testing.T) {
	var past []otp.Challenge
	now := start
	for i := range otp.PerDay {
		if err := otp.Allow(past, now); err != nil {
			t.Fatalf("challenge %d: %v", i+1, err)
		}
		c, _, err := otp.Issue(terms(), server, fixed(byte(i)), now)
		if err != nil {
			t.Fatal(err)
		}
		past = append(past, c)
		if err := otp.Allow(past, now.Add(29*time.Second)); i < otp.PerDay-1 && !fault.Is(err, "otp.soon") {
			t.Fatalf("29 seconds after challenge %d: %v", i+1, err)
		}
		now = now.Add(30 * time.Second)
	}
	if err := otp.Allow(past, now.Add(15*time.Hour)); !fault.Is(err, "otp.many") {
		t.Errorf("the eleventh, after midnight: %v", err)
	}
	if err := otp.Allow(past, start.Add(24*time.Hour)); err != nil {
		t.Errorf("a day later: %v", err)
	}
	old := past[0]
	old.Replace(now)
	if err := old.Check("000000", document, server, now); !fault.Is(err, "otp.void") {
		t.Errorf("a replaced challenge: %v", err)
	}
}

func TestTheVectorsOfRFC6238(t *testing.T) {
	secret := []byte("12345678901234567890")
	for _, v := range []struct {
		at   int64
		code string // the last six of the RFC's eight digits
	}{{59, "287082"}, {1111111109, "081804"}, {1111111111, "050471"}, {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}} {
		step, err := otp.Confirm(v.code, secret, 0, time.Unix(v.at, 0))
		if err != nil || step != v.at/30 {
			t.Errorf("at %d: step %d, %v", v.at, step, err)
		}
		if _, err := otp.Confirm(v.code, secret, 0, time.Unix(v.at+30, 0)); !fault.Is(err, "otp.enrol") {
			t.Errorf("at %d, a step later: %v", v.at, err)
		}
	}
}

// enrolled returns a secret and the code that the app shows at now, made by the library rather than by us.
func enrolled(t testing.TB, now time.Time) ([]byte, string) {
	t.Helper()
	secret, err := otp.Enrol(fixed(7))
	if err != nil {
		t.Fatal(err)
	}
	uri, err := otp.URI("PA05050000017", secret)
	if err != nil {
		t.Fatal(err)
	}
	key, err := vendor.NewKeyFromURL(uri)
	if err != nil {
		t.Fatal(err)
	}
	code, err := totp.GenerateCode(key.Secret(), now)
	if err != nil {
		t.Fatal(err)
	}
	return secret, code
}

func TestTheEnrolmentCodeFitsTheScreenAndReadsBack(t *testing.T) {
	secret, err := otp.Enrol(fixed(7))
	if err != nil {
		t.Fatal(err)
	}
	uri, err := otp.URI(strings.Repeat("A", 36), secret)
	if err != nil || len(uri) > 78 {
		t.Fatalf("%d bytes, %v", len(uri), err)
	}
	key, err := vendor.NewKeyFromURL(uri)
	if err != nil {
		t.Fatal(err)
	}
	if key.Type() != "totp" || key.Issuer() != "CS" || len(key.Secret()) != 16 || key.Period() != 30 || key.Digits() != vendor.DigitsSix || key.Algorithm() != vendor.AlgorithmSHA1 {
		t.Errorf("an app would read %s as %v", uri, key)
	}
	for _, bad := range []string{"", strings.Repeat("A", 37), "a b", "a?secret=x", "Ế"} {
		if _, err := otp.URI(bad, secret); err == nil {
			t.Errorf("account %q was taken", bad)
		}
	}
}

func TestAnAppsCodeIsTakenOnceWithinItsDriftAndProvesPossessionOnly(t *testing.T) {
	secret, code := enrolled(t, start)
	step := start.Unix() / 30
	for _, c := range []struct {
		name  string
		at    time.Duration
		last  int64
		drift int
		want  string
	}{
		{"now", 0, 0, 1, ""},
		{"one step late", 30 * time.Second, 0, 1, ""},
		{"one step early", -30 * time.Second, 0, 1, ""},
		{"two steps late", 60 * time.Second, 0, 1, "otp.wrong"},
		{"two steps late, drift two", 60 * time.Second, 0, 2, ""},
		{"one step late, no drift", 30 * time.Second, 0, 0, "otp.wrong"},
		{"the step was used", 0, step, 1, "otp.replayed"},
		{"a later step was used", 0, step + 1, 1, "otp.replayed"},
		{"the step before was used", 0, step - 1, 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ch, sent := issue(t, func(t *otp.Terms) { t.Channel, t.LastStep, t.Drift = otp.App, c.last, c.drift })
			if sent != "" || ch.Bound() {
				t.Fatal("an app's code is neither sent nor bound")
			}
			err := ch.Check(code, document, secret, start.Add(c.at))
			if c.want == "" && (err != nil || ch.LastStep != step) {
				t.Fatalf("%v, last step %d, want %d", err, ch.LastStep, step)
			}
			if c.want != "" && !fault.Is(err, c.want) {
				t.Fatalf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestAnIncompleteChallengeIsNotIssued(t *testing.T) {
	for name, change := range map[string]func(*otp.Terms){
		"no id": func(t *otp.Terms) { t.ID = "" }, "no account": func(t *otp.Terms) { t.Account = "" },
		"no order": func(t *otp.Terms) { t.Order = "" }, "no purpose": func(t *otp.Terms) { t.Purpose = "" },
		"no channel": func(t *otp.Terms) { t.Channel = "pigeon" }, "no document": func(t *otp.Terms) { t.Document = [32]byte{} },
		"no content": func(t *otp.Terms) { t.Content = [32]byte{} }, "a wild drift": func(t *otp.Terms) { t.Drift = 99 },
	} {
		terms := terms()
		change(&terms)
		if _, _, err := otp.Issue(terms, server, fixed(1), start); err == nil {
			t.Errorf("issued with %s", name)
		}
	}
	if _, _, err := otp.Issue(terms(), server[:31], fixed(1), start); err == nil {
		t.Error("issued with a short secret")
	}
}

func TestAddressesAreMasked(t *testing.T) {
	for in, want := range map[string]string{
		"thu@mau.example": "t***@mau.example", "ếch@mau.example": "ế***@mau.example", "0900000018": "09*****018",
		"+84900000018": "+8*******018", "": "***", "@x": "***", "x": "***", "12": "***",
	} {
		if got := otp.Mask(in); got != want {
			t.Errorf("%q is masked as %q, want %q", in, got, want)
		}
	}
	if got := otp.Short([32]byte{0x3f, 0x9a, 0x71, 0xc2, 0x8e, 0x04, 0xd5, 0xb6}); got != "3F9A 71C2 8E04 D5B6" {
		t.Errorf("short digest %q", got)
	}
}

// table is the least that a store must do: a row is written only over the revision that was read, and an app's step only
// over a lower one, both in one transaction.
type table struct {
	mu    sync.Mutex
	rows  map[string]otp.Challenge
	steps map[string]int64 // the last accepted step of each account's app
}

func (s *table) read(id string) otp.Challenge {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rows[id]
}

func (s *table) write(rev int64, c otp.Challenge) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows[c.ID].Rev != rev {
		return false
	}
	if c.Channel == otp.App && c.State == otp.Used {
		if s.steps[c.Account] >= c.LastStep {
			return false
		}
		s.steps[c.Account] = c.LastStep
	}
	s.rows[c.ID] = c
	return true
}

// answer does what the service does with one answer: read, check, write if nobody was first, else again from the start.
func (s *table) answer(id, code string, secret []byte) error {
	for {
		c := s.read(id)
		if c.Channel == otp.App {
			s.mu.Lock()
			c.LastStep = s.steps[c.Account]
			s.mu.Unlock()
		}
		rev := c.Rev
		err := c.Check(code, document, secret, start)
		if c.Rev == rev || s.write(rev, c) {
			return err
		}
	}
}

func TestOfFiftyParallelAnswersExactlyOneWins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		app := rapid.Bool().Draw(t, "app")
		good := rapid.IntRange(1, 50).Draw(t, "right answers")
		// Two challenges of one account: an app's code must not serve both.
		s := &table{rows: map[string]otp.Challenge{}, steps: map[string]int64{}}
		codes := map[string]string{}
		secret := server
		for _, id := range []string{"a", "b"} {
			terms := terms()
			terms.ID = id
			if app {
				terms.Channel, terms.Drift = otp.App, 1
			}
			c, code, err := otp.Issue(terms, server, fixed(id[0]), start)
			if err != nil {
				t.Fatal(err)
			}
			s.rows[id], codes[id] = c, code
		}
		if app {
			raw, err := otp.Enrol(fixed(7))
			if err != nil {
				t.Fatal(err)
			}
			uri, _ := otp.URI("X", raw)
			key, _ := vendor.NewKeyFromURL(uri)
			code, err := totp.GenerateCode(key.Secret(), start)
			if err != nil {
				t.Fatal(err)
			}
			secret, codes["a"], codes["b"] = raw, code, code
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := map[string]int{}
		for i := range 50 {
			wg.Go(func() {
				id := []string{"a", "b"}[i%2]
				code := codes[id]
				if i/2 >= good {
					code = wrong(code)
				}
				if err := s.answer(id, code, secret); err == nil {
					mu.Lock()
					won[id]++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if app && won["a"]+won["b"] > 1 {
			t.Fatalf("one code of an app won %v", won)
		}
		for id, n := range won {
			if n > 1 {
				t.Fatalf("challenge %s was won %d times", id, n)
			}
			if s.rows[id].State != otp.Used {
				t.Fatalf("challenge %s was won and is %s", id, s.rows[id].State)
			}
		}
		if good >= 25 && won["a"]+won["b"] == 0 {
			t.Fatal("only right answers and nobody won")
		}
		for id, c := range s.rows {
			if c.Left < 0 || c.State == otp.Dead && c.Left != 0 || c.State == otp.Open && c.Left == 0 {
				t.Fatalf("challenge %s ended as %+v", id, c)
			}
		}
	})
}

// TestGuessersAreStoppedByTheLimits plays an attacker who asks for every challenge that he may have on 30 days and spends
// every try: at most 10 challenges of 5 tries a day are ever open to him.
func TestGuessersAreStoppedByTheLimits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var past []otp.Challenge
	tries := 0
	for now := start; now.Before(start.Add(30 * 24 * time.Hour)); now = now.Add(time.Minute) {
		if otp.Allow(past, now) != nil {
			continue
		}
		c, code, err := otp.Issue(terms(), server, fixed(byte(tries)), now)
		if err != nil {
			t.Fatal(err)
		}
		for c.State == otp.Open {
			guess := fmt.Sprintf("%06d", random.IntN(1_000_000))
			if guess == code {
				continue // the one lucky draw in a million is no matter of the limits
			}
			tries++
			if err := c.Check(guess, document, server, now); err == nil {
				t.Fatal("a wrong guess was taken")
			}
		}
		past = append(past, c)
		if len(past) > 2*otp.PerDay {
			past = past[1:]
		}
	}
	if most := 31 * otp.PerDay * otp.Tries; tries > most || tries < most/2 {
		t.Errorf("%d tries in 30 days, want at most %d", tries, most)
	}
}

func FuzzCheck(f *testing.F) {
	c, code := issue(f, nil)
	f.Add(code)
	f.Add("")
	f.Add("１２３４５６")
	f.Fuzz(func(t *testing.T, answer string) {
		c := c
		if err := c.Check(answer, document, server, start); (err == nil) != (strings.ReplaceAll(answer, " ", "") == code) {
			t.Errorf("%q: %v", answer, err)
		}
	})
}

func BenchmarkIssueAndCheck(b *testing.B) {
	source := fixed(1)
	for b.Loop() {
		c, code, err := otp.Issue(terms(), server, source, start)
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Check(code, document, server, start); err != nil {
			b.Fatal(err)
		}
	}
}

func TestAUsedCodeDoesNotHoldUpTheNextOrder(t *testing.T) {
	c, code := issue(t, nil)
	if err := c.Check(code, c.Document, server, start.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := otp.Allow([]otp.Challenge{c}, start.Add(2*time.Second)); err != nil {
		t.Errorf("the customer's next order has to wait: %v", err)
	}
}
