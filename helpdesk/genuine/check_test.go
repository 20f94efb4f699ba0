package genuine

import (
	"testing"
	"time"

	"countersign/helpdesk"
	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"strings"
)

// called logs a call of ours to the ticket's unit, and registers the unit.
func (w *world) called(serial string) {
	w.t.Helper()
	must(w.t, w.Store.Update(w.t.Context(), func(tx helpdesk.Tx) error {
		t, err := tx.Ticket(serial)
		if err != nil {
			return err
		}
		t.Unit = "1999001"
		if err := tx.PutTicket(t); err != nil {
			return err
		}
		return helpdesk.Put(tx, &helpdesk.Call{Key: "C-000001", Out: true, At: w.clock.Now().Add(-5 * time.Minute), Extension: "88610", Unit: "1999001", Ticket: serial})
	}))
}

func (w *world) claim(c Claim) Verdict {
	w.t.Helper()
	w.clock.Advance(time.Minute) // so that the minute's budget does not matter
	if c.At.IsZero() {
		c.At = w.clock.Now()
	}
	v, err := w.office.Check(w.t.Context(), Asker{Name: "minh", Role: "agent", Place: "desk"}, c)
	must(w.t, err)
	return v
}

func TestOnlyAllThreeProofsTogetherMakeSomebodyGenuine(t *testing.T) {
	w := newWorld(t)
	_, serial, code := w.genuine()
	w.called(serial)
	// The claims are about one moment, however many minutes the clock goes on between them.
	whole := Claim{At: w.clock.Now(), Serial: serial, Unit: "1999001", Mailbox: "Desk@Example.test", Number: "+84 2400000000", Extension: "88610"}
	with := func(change func(*Claim)) Claim {
		c := whole
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		claim   Claim
		reasons [3]string
	}{
		"all three":              {whole, [3]string{Fits, Fits, Fits}},
		"the code, not the unit": {with(func(c *Claim) { c.Unit, c.Code = "", strings.ToLower(code) }), [3]string{Fits, Fits, Fits}},
		"the ticket's code":      {with(func(c *Claim) { c.Unit, c.Code = "", w.office.Secrets.TicketCode(serial) }), [3]string{Fits, Fits, Fits}},
		"a number alone":         {with(func(c *Claim) { c.Unit = "" }), [3]string{NeedsUnit, Fits, NoSuchCall}},
		"an unknown one alone":   {with(func(c *Claim) { c.Unit, c.Serial = "", "SD261121-999999" }), [3]string{NeedsUnit, Fits, NoSuchCall}},
		"another unit":           {with(func(c *Claim) { c.Unit = "1999002" }), [3]string{NoFit, Fits, NoSuchCall}},
		"an unknown ticket":      {with(func(c *Claim) { c.Unit, c.Serial = "1999002", "SD261121-999999" }), [3]string{NoFit, Fits, NoSuchCall}},
		"a look-alike":           {with(func(c *Claim) { c.Mailbox = "desk@examp1e.test" }), [3]string{Fits, OtherBox, Fits}},
		"another number":         {with(func(c *Claim) { c.Number = "0911111111" }), [3]string{Fits, Fits, NoSuchCall}},
		"another extension":      {with(func(c *Claim) { c.Extension = "88611" }), [3]string{Fits, Fits, NoSuchCall}},
		"nothing":                {Claim{}, [3]string{NeedsUnit, OtherBox, NoSuchCall}},
	} {
		v := w.claim(c.claim)
		var got [3]string
		for i, f := range v.Findings {
			got[i] = f.Reason
		}
		if got != c.reasons || v.Genuine != (got == [3]string{Fits, Fits, Fits}) || len(v.Missing) == 0 != v.Genuine {
			t.Errorf("%s: %v, genuine %t, missing %v; want %v", name, got, v.Genuine, v.Missing, c.reasons)
		}
	}
	w.clock.Advance(time.Hour)
	whole.At = time.Time{}
	if v := w.claim(whole); v.Findings[2].Holds {
		t.Error("a call of an hour ago counts for one of now")
	}
}

func TestTheAnswerToAnUnknownNumberIsThatToARightOneWithAWrongUnit(t *testing.T) {
	w := newWorld(t)
	_, serial, _ := w.genuine()
	w.called(serial)
	at := func(time.Time) string { return "" }
	for _, unit := range []string{"", "1999002"} {
		known := w.claim(Claim{Serial: serial, Unit: unit}).Text(locale.Vietnamese, at)
		unknown := w.claim(Claim{Serial: "SD261121-888888", Unit: unit}).Text(locale.Vietnamese, at)
		if known != unknown || !strings.Contains(known, "KHÔNG CÓ CUỘC GỌI NÀY") || !strings.Contains(known, "gác máy") {
			t.Errorf("unit %q:\n%s\n%s", unit, known, unknown)
		}
	}
}

func TestMoreThanTenClaimsAMinuteAtAPlaceReadAsIfNothingFitted(t *testing.T) {
	w := newWorld(t)
	_, serial, _ := w.genuine()
	w.called(serial)
	w.clock.Advance(time.Minute - time.Duration(w.clock.Now().Second())*time.Second)
	for i := range perPlace + 2 {
		v, err := w.office.Check(t.Context(), Asker{Name: "minh", Place: "desk"}, Claim{Serial: serial, Unit: "1999001", At: w.clock.Now()})
		must(t, err)
		if v.Findings[0].Holds != (i < perPlace) {
			t.Errorf("claim %d: %s", i+1, v.Findings[0].Reason)
		}
	}
}

func TestWhatWasAskedIsCountedAndInTheJournal(t *testing.T) {
	w := newWorld(t)
	w.genuine()
	w.claim(Claim{Serial: "SD261121-000001"})
	tm := &helpdesk.Team{Store: w.Store, Numbering: helpdesk.DefaultNumbering, Clock: w.clock, Working: w.Working}
	lead := helpdesk.Actor{Agent: helpdesk.Agent{Name: "lan", Roles: []helpdesk.Role{helpdesk.RoleLead}}}
	w.come(letter(stranger, "", "XACMINH SD261121-000001", plain("x")))
	f, err := tm.Figures(t.Context(), lead, w.clock.Now().Add(-time.Hour), w.clock.Now().In(clock.Vietnam).Add(time.Hour))
	must(t, err)
	if f.Claims != 1 || f.Failed != 1 || f.Questions[NoMatch] != 1 {
		t.Errorf("claims %d, failed %d, questions %v", f.Claims, f.Failed, f.Questions)
	}
	if _, err := tm.Figures(t.Context(), helpdesk.Actor{}, time.Time{}, time.Time{}); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("figures for nobody: %v", err)
	}
}
