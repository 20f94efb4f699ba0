package seal_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"math/bits"
	"slices"
	"testing"
	"time"

	"countersign/internal/fault"
	"countersign/signing/seal"
)

const manager = "truong.don.vi"

// staff is the sealer's own knowledge of people and rules.
type staff struct {
	people []seal.Signatory
	rules  []seal.Rule
}

func (s *staff) Signatories(context.Context) ([]seal.Signatory, error) { return s.people, nil }
func (s *staff) Rules(context.Context) ([]seal.Rule, error)            { return s.rules, nil }

// strict is an office in which everybody signs, and two people from 1,000,000 đồng on.
type strict struct {
	*office
	staff         *staff
	clerk, second seal.Hand
}

func hand(t testing.TB, who string) seal.Hand {
	t.Helper()
	h, err := seal.NewHand(who)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func openStrict(t testing.TB) *strict {
	t.Helper()
	o := &strict{office: open(t), clerk: hand(t, clerk.StaffID), second: hand(t, manager)}
	from := o.world.Now.Add(-time.Hour)
	o.staff = &staff{
		people: []seal.Signatory{
			{Staff: clerk.StaffID, Public: o.clerk.Public(), Paper: "12/QĐ", From: from},
			{Staff: manager, Public: o.second.Public(), Paper: "12/QĐ", From: from},
		},
		rules: []seal.Rule{{Seal: "unit", Service: "*", From: 1_000_000, Paper: "3/QĐ"}},
	}
	for _, id := range []string{"business-2", "unit"} {
		o.register.grants = append(o.register.grants, seal.Grant{Seal: id, Clerk: manager, Service: "*", Paper: "1/QĐ", From: from})
	}
	o.Policy, o.Strict = o.staff, true
	return o
}

// statement is what the clerk signs for an order.
func (o *strict) statement(r seal.Order) seal.Statement {
	return seal.Statement{Act: seal.Ask, Order: r.ID, Service: r.Service, Document: r.Consent.Signed, Amount: 1_250_000, Seals: r.Seals, At: o.world.Now}
}

func (o *strict) approve(t testing.TB, h seal.Hand, s seal.Statement) *seal.Approval {
	t.Helper()
	a, err := h.Approve(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// asked is an order that both people have signed for.
func (o *strict) asked(t testing.TB) seal.Order {
	t.Helper()
	r := o.order(t)
	s := o.statement(r)
	r.Asked = o.approve(t, o.clerk, s)
	s.Act, s.Seals = seal.Second, []string{"business-2", "unit"}
	r.Second = o.approve(t, o.second, s)
	return r
}

// six are the preconditions of T15, each with an act that takes it away.
var six = []struct {
	name string
	take func(o *strict, r *seal.Order)
	code string
}{
	{"the customer confirmed this digest", func(o *strict, r *seal.Order) {
		r.Document = bytes.Clone(o.base)
		r.Consent.Signed = sha256.Sum256(r.Document)
	}, "seal.consent"},
	{"the clerk holds the right", func(o *strict, _ *seal.Order) { o.register.grants[2].Clerk = "gdv.khac" }, "seal.grant"},
	{"the seal is for the service", func(o *strict, _ *seal.Order) { o.register.seals[1].Services = []string{"12"} }, "seal.service"},
	{"the seal is valid", func(o *strict, _ *seal.Order) { o.register.seals[0].ValidUntil = o.world.Now }, "seal.expired"},
	{"a second person signed for the sum", func(_ *strict, r *seal.Order) { r.Second = nil }, "seal.second"},
	{"the clerk signed", func(_ *strict, r *seal.Order) { r.Asked = nil }, "seal.unsigned"},
}

func TestOfAllSixtyFourSetsOfPreconditionsOnlyTheFullOneSeals(t *testing.T) {
	o := openStrict(t)
	seals, grants := slices.Clone(o.register.seals), slices.Clone(o.register.grants)
	sealed := 0
	for set := range 1 << len(six) {
		o.register.seals, o.register.grants = slices.Clone(seals), slices.Clone(grants)
		r := o.asked(t)
		codes := map[string]bool{}
		for i, p := range six {
			if set>>i&1 == 0 {
				p.take(o, &r)
				codes[p.code] = true
			}
		}
		opened, written := len(o.keys.opened), len(o.book.uses)
		result, err := o.Apply(context.Background(), r)
		if bits.OnesCount(uint(set)) == len(six) {
			if err != nil {
				t.Fatalf("the full set: %v", err)
			}
			sealed++
			o.world.Accepted(t, result.Document, 4)
			continue
		}
		if err == nil || result.Document != nil || len(o.keys.opened) != opened || len(o.book.uses) != written {
			t.Fatalf("%06b: %v, a key was opened or a use written", set, err)
		}
		if !codes[fault.CodeOf(err)] {
			t.Fatalf("%06b: refused for another reason: %v", set, err)
		}
	}
	if sealed != 1 {
		t.Errorf("%d sets sealed", sealed)
	}
}

func TestASignatureHoldsForOnePersonActDocumentSumAndTime(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, o *strict, r *seal.Order)
		want  string
	}{
		{"another key signs in the clerk's name", func(t *testing.T, o *strict, r *seal.Order) {
			r.Asked = o.approve(t, hand(t, clerk.StaffID), o.statement(*r))
		}, "seal.unsigned"},
		{"the second person's signature stands for the clerk's", func(_ *testing.T, _ *strict, r *seal.Order) {
			r.Asked = &seal.Approval{Staff: clerk.StaffID, At: r.Second.At, Signature: r.Second.Signature}
		}, "seal.unsigned"},
		{"the clerk signed for a lower sum", func(t *testing.T, o *strict, r *seal.Order) {
			s := o.statement(*r)
			s.Amount = 999_999
			r.Asked = o.approve(t, o.clerk, s)
		}, "seal.unsigned"},
		{"the clerk signed for other seals", func(t *testing.T, o *strict, r *seal.Order) {
			s := o.statement(*r)
			s.Seals = all[:2]
			r.Asked = o.approve(t, o.clerk, s)
		}, "seal.unsigned"},
		{"the clerk signed for another document", func(t *testing.T, o *strict, r *seal.Order) {
			s := o.statement(*r)
			s.Document[0] ^= 1
			r.Asked = o.approve(t, o.clerk, s)
		}, "seal.unsigned"},
		{"the clerk signed an hour ago", func(t *testing.T, o *strict, r *seal.Order) {
			s := o.statement(*r)
			s.At = o.world.Now.Add(-time.Hour)
			r.Asked = o.approve(t, o.clerk, s)
		}, "seal.unsigned"},
		{"the clerk signed for tomorrow", func(t *testing.T, o *strict, r *seal.Order) {
			s := o.statement(*r)
			s.At = o.world.Now.Add(24 * time.Hour)
			r.Asked = o.approve(t, o.clerk, s)
		}, "seal.unsigned"},
		{"a moment is put on the signature", func(_ *testing.T, o *strict, r *seal.Order) { r.Asked.At = r.Asked.At.Add(-time.Minute) }, "seal.unsigned"},
		{"the clerk's key was withdrawn", func(_ *testing.T, o *strict, _ *seal.Order) { o.staff.people[0].Until = o.world.Now }, "seal.unsigned"},
		{"nobody's key is enrolled", func(_ *testing.T, o *strict, _ *seal.Order) { o.staff.people = nil }, "seal.unsigned"},
		{"the clerk is the second person too", func(t *testing.T, o *strict, r *seal.Order) {
			s := o.statement(*r)
			s.Act, s.Seals = seal.Second, all[1:]
			r.Second = o.approve(t, o.clerk, s)
		}, "seal.second"},
		{"both people have one key", func(t *testing.T, o *strict, r *seal.Order) {
			o.staff.people[1].Public = o.staff.people[0].Public
			s := o.statement(*r)
			s.Act, s.Seals, s.Staff = seal.Second, all[1:], manager
			r.Second = o.approve(t, o.clerk, s)
			r.Second.Staff = manager
		}, "seal.second"},
		{"the second person may not use the seal", func(_ *testing.T, o *strict, _ *seal.Order) {
			o.register.grants = o.register.grants[:len(o.register.grants)-1]
		}, "seal.second"},
		{"the second person agreed two days ago", func(t *testing.T, o *strict, r *seal.Order) {
			s := o.statement(*r)
			s.Act, s.Seals, s.At = seal.Second, all[1:], o.world.Now.Add(-48*time.Hour)
			r.Second = o.approve(t, o.second, s)
		}, "seal.second"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := openStrict(t)
			r := o.asked(t)
			c.spoil(t, o, &r)
			if _, err := o.Apply(context.Background(), r); !fault.Is(err, c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if len(o.keys.opened) > 0 || len(o.book.uses) > 0 {
				t.Error("a key was opened or a use written")
			}
		})
	}
}

func TestTheSumIsTheDocumentsAndARuleFromZeroAlwaysAsksForTwo(t *testing.T) {
	o := openStrict(t)
	facts, err := seal.FactsOf(o.customer.Document)
	if err != nil || facts.Amount != 1_250_000 || !facts.Priced || facts.Service != "11" {
		t.Fatalf("%+v, %v", facts, err)
	}
	alone := o.asked(t)
	alone.Second = nil
	for from, want := range map[int64]string{0: "seal.second", 1_250_000: "seal.second"} {
		o.staff.rules[0].From = from
		if _, err := o.Apply(context.Background(), alone); !fault.Is(err, want) {
			t.Errorf("from %d: %v", from, err)
		}
	}
	o.staff.rules[0].From = 1_250_001
	if _, err := o.Apply(context.Background(), alone); err != nil {
		t.Errorf("one person below the sum: %v", err)
	}
}

func TestALockedKeyOpensByItsSecretOnlyAndForItsPersonOnly(t *testing.T) {
	h := hand(t, clerk.StaffID)
	cost := seal.Cost{MemoryKiB: 64, Passes: 1, Threads: 1}
	byPassword, err := h.UnderPassword("Quay3@BacGiang", cost)
	if err != nil {
		t.Fatal(err)
	}
	byToken, err := h.UnderToken("a token of a session, random")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		locked        []byte
		staff, secret string
		opens         bool
	}{
		{byPassword, clerk.StaffID, "Quay3@BacGiang", true},
		{byPassword, clerk.StaffID, "Quay3@BacGianG", false},
		{byPassword, manager, "Quay3@BacGiang", false},
		{byToken, clerk.StaffID, "a token of a session, random", true},
		{byToken, clerk.StaffID, "another token of a session", false},
		{byPassword[:20], clerk.StaffID, "Quay3@BacGiang", false},
		{nil, clerk.StaffID, "", false},
	} {
		got, err := seal.OpenHand(c.staff, c.locked, []byte(c.secret))
		if (err == nil) != c.opens || err == nil && !bytes.Equal(got.Public(), h.Public()) || err != nil && !fault.Is(err, "key.own") {
			t.Errorf("%s with %q: %v", c.staff, c.secret, err)
		}
	}
	for i := range byPassword {
		if i == 1 || i == 2 || i == 5 || i == 6 || i == 7 {
			continue // these would only cost more memory or time
		}
		bad := bytes.Clone(byPassword)
		bad[i] ^= 1
		if _, err := seal.OpenHand(clerk.StaffID, bad, []byte("Quay3@BacGiang")); err == nil {
			t.Errorf("byte %d changed, and it opens", i)
		}
	}
}
