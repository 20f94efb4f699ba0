package seal_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"countersign/internal/fault"
	"countersign/internal/vault"
	"countersign/signing"
	"countersign/signing/ca"
	"countersign/signing/key"
	"countersign/signing/pdf"
	"countersign/signing/seal"
	"countersign/signing/signtest"
)

var clerk = seal.Clerk{StaffID: "gdv.lananh", Name: "Ngô Lan Anh", Counter: "Q3"}

var all = []string{"counter-3", "business-2", "unit"}

// store holds the seals' keys for all tests: making an RSA key and opening a vault take their time.
var store *key.Store

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "seal")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		v, err := vault.Create(filepath.Join(dir, "vault"), []byte("cầu giấy mưa phùn 0042"))
		if err != nil {
			panic(err)
		}
		if store, err = key.New(filepath.Join(dir, "keys"), v); err != nil {
			panic(err)
		}
		for name, kind := range map[string]key.Kind{"counter-3": key.P256, "business-2": key.P256, "unit": key.RSA2048} {
			if _, err := store.Create(name, kind); err != nil {
				panic(err)
			}
		}
		return m.Run()
	}())
}

// office is a seal service with its parts laid open.
type office struct {
	*seal.Local
	world    *signtest.World
	book     *book
	register *register
	keys     *keys
	customer signing.Signature
	base     []byte
}

// keys counts how often a key was opened, and may fail.
type keys struct {
	store  seal.Keys
	mu     sync.Mutex
	opened []string
	fail   map[string]error
	wrong  crypto.Signer // given out instead of the real key, when set
}

func (k *keys) Signer(name string) (crypto.Signer, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.opened = append(k.opened, name)
	if err := k.fail[name]; err != nil {
		return nil, err
	}
	if k.wrong != nil {
		return k.wrong, nil
	}
	return k.store.Signer(name)
}

func open(t testing.TB) *office {
	t.Helper()
	w := signtest.New(t)
	o := &office{world: w, book: &book{}, register: &register{}, keys: &keys{store: store}, base: signtest.Base(signtest.Content, "one")}
	until := w.Now.Add(300 * 24 * time.Hour)
	for _, s := range []seal.Seal{
		{ID: "counter-3", Name: "Quầy 3", Kind: seal.Counter},
		{ID: "business-2", Name: "ĐIỆN LỰC BẮC GIANG", Line: "NGHIỆP VỤ 2", Geometry: "vn-company", Kind: seal.Business},
		{ID: "unit", Name: "ĐIỆN LỰC BẮC GIANG", Geometry: "vn-company", Star: true, Kind: seal.Unit},
	} {
		s.KeyName, s.ValidUntil, s.Organisation = s.ID, until, "Điện lực Bắc Giang"
		private, err := store.Signer(s.ID)
		if err != nil {
			t.Fatal(err)
		}
		if s.Kind == seal.Counter {
			s.Chain, err = w.Issuing.IssueClerk(private.Public(), ca.Clerk{Name: clerk.Name, StaffID: clerk.StaffID, Organisation: s.Organisation, Counter: "3", Life: 24 * 365 * time.Hour})
		} else {
			s.Chain, err = w.Issuing.IssueSeal(private.Public(), ca.Seal{Name: s.Name, Organisation: s.Organisation, OrganisationID: "0100100417", Life: 24 * 365 * time.Hour})
		}
		if err != nil {
			t.Fatal(err)
		}
		o.register.seals = append(o.register.seals, s)
		o.register.grants = append(o.register.grants, seal.Grant{Seal: s.ID, Clerk: clerk.StaffID, Service: "11", Paper: "118/QĐ-PCBG", From: w.Now.Add(-time.Hour)})
	}
	o.Local = &seal.Local{
		Register: o.register, Book: o.book, Keys: o.keys, Clock: w.Clock, Authority: w.TSA,
		Judge: seal.Verified(w.Roots(), w.Clock),
		Look: seal.Drawn(func(c seal.Clerk, at time.Time) []string {
			return []string{"Ký bởi: " + c.Name, "Quầy " + c.Counter, at.Format("02/01/2006 15:04:05")}
		}),
	}
	o.customer = o.sign(t, o.base)
	return o
}

func (o *office) sign(t testing.TB, base []byte) signing.Signature {
	t.Helper()
	s, err := o.world.Ceremony().Customer(context.Background(), o.world.Confirm(t, base))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// order asks for all seals on what the customer signed.
func (o *office) order(t testing.TB) seal.Order {
	t.Helper()
	evidence, err := o.customer.Evidence.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return seal.Order{
		ID: signtest.Order, Service: "11", Clerk: clerk, Document: o.customer.Document, Seals: all, Reason: "Xác nhận phiếu", Location: "Bắc Giang",
		Consent: seal.Consent{Base: sha256.Sum256(o.base), Signed: sha256.Sum256(o.customer.Document), Evidence: evidence},
	}
}

func TestAllSealsAreAppliedInOrderBookedAndAcceptedByOthers(t *testing.T) {
	o := open(t)
	order := o.order(t)
	kept := 0
	order.Keep = func(_ context.Context, r seal.Result) error {
		kept++
		if o.book.states()[seal.Intended] != 3 {
			t.Error("the document was kept before its uses stood in the book")
		}
		return nil
	}
	r, err := o.Apply(context.Background(), order)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(r.Document, order.Document) || r.Level != signing.BT || r.SHA256 != sha256.Sum256(r.Document) || kept != 1 {
		t.Errorf("level %s, kept %d times", r.Level, kept)
	}
	for i, u := range r.Uses {
		if u.Seal != all[i] || u.Number != 1 || u.State != seal.Done || u.Paper != "118/QĐ-PCBG" || u.Result != r.SHA256 || u.Counter != "Q3" {
			t.Errorf("use %d: %+v", i, u)
		}
	}
	f, err := pdf.Parse(r.Document)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Revisions) != 5 {
		t.Errorf("%d revisions, want the base and four signatures", len(f.Revisions))
	}
	o.world.Accepted(t, r.Document, 4)
	if open, err := o.book.Open(context.Background()); err != nil || len(open) != 0 {
		t.Errorf("open uses %v, %v", open, err)
	}
}

// swapper exchanges the caller's bytes when the first key is opened.
type swapper struct {
	seal.Keys
	document []byte
}

func (s swapper) Signer(name string) (crypto.Signer, error) {
	copy(s.document[len(s.document)/3:], "0123456789")
	return s.Keys.Signer(name)
}

func TestBytesExchangedAfterTheCheckAreNotSealed(t *testing.T) {
	o := open(t)
	order := o.order(t)
	order.Document = bytes.Clone(order.Document)
	o.Keys = swapper{o.keys, order.Document}
	r, err := o.Apply(context.Background(), order)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(order.Document, o.customer.Document) {
		t.Fatal("nothing was exchanged")
	}
	if !bytes.HasPrefix(r.Document, o.customer.Document) {
		t.Error("other bytes were sealed than those that were checked")
	}
}

func TestASealIsUsedOnceOnAnOrder(t *testing.T) {
	o := open(t)
	var mu sync.Mutex
	won := 0
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			order := o.order(t)
			_, err := o.Apply(context.Background(), order)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case !fault.Is(err, "seal.busy") && !fault.Is(err, "seal.done"):
				t.Errorf("refused for another reason: %v", err)
			}
		})
	}
	wg.Wait()
	if won != 1 || o.book.states()[seal.Done] != 3 || o.book.states()[seal.Intended] != 0 {
		t.Errorf("%d of 20 sealed, book %v", won, o.book.states())
	}
	if _, err := o.Apply(context.Background(), o.order(t)); !fault.Is(err, "seal.done") {
		t.Errorf("again later: %v", err)
	}
}

// preconditions of sealing; spoiling any of them must stop everything before a key is opened.
var preconditions = []struct {
	name  string
	spoil func(o *office, r *seal.Order)
	code  string
}{
	{"the clerk has the right to the unit's seal", func(o *office, _ *seal.Order) { o.register.grants[2].Clerk = "gdv.khac" }, "seal.grant"},
	{"the right is for this service", func(_ *office, r *seal.Order) { r.Service = "12" }, "seal.grant"},
	{"the seal is valid", func(o *office, _ *seal.Order) { o.register.seals[1].ValidUntil = o.world.Now.Add(-time.Hour) }, "seal.expired"},
	{"the customer signed this document", func(_ *office, r *seal.Order) { r.Consent.Signed[0] ^= 1 }, "seal.consent"},
	{"the customer confirmed this base", func(_ *office, r *seal.Order) { r.Consent.Base[0] ^= 1 }, "seal.consent"},
	{"the customer's certificate is for this order", func(_ *office, r *seal.Order) { r.ID = "WO-PA0505-20261121-000043" }, "seal.consent"},
	{"the evidence is the one in the certificate", func(_ *office, r *seal.Order) { r.Consent.Evidence[0] ^= 1 }, "seal.consent"},
	{"the customer's signature holds", func(o *office, r *seal.Order) {
		r.Document = bytes.Clone(r.Document)
		at := bytes.LastIndex(r.Document, []byte("/Contents<")) + 200
		if r.Document[at] ^= 1; r.Consent.Signed == sha256.Sum256(o.customer.Document) {
			r.Consent.Signed = sha256.Sum256(r.Document)
		}
	}, "seal.consent"},
}

func TestOfAllPreconditionsOnlyTheFullSetSeals(t *testing.T) {
	o := open(t)
	seals, grants := slices.Clone(o.register.seals), slices.Clone(o.register.grants)
	for set := 1; set < 1<<len(preconditions); set++ {
		o.register.seals, o.register.grants = slices.Clone(seals), slices.Clone(grants)
		order := o.order(t)
		codes := map[string]bool{}
		for i, p := range preconditions {
			if set>>i&1 == 1 {
				p.spoil(o, &order)
				codes[p.code] = true
			}
		}
		r, err := o.Apply(context.Background(), order)
		if err == nil || r.Document != nil {
			t.Fatalf("sealed although preconditions %b fail", set)
		}
		if !codes[fault.CodeOf(err)] {
			t.Fatalf("%b: refused for another reason: %v", set, err)
		}
	}
	if len(o.keys.opened) != 0 || len(o.book.uses) != 0 {
		t.Errorf("keys opened: %v, uses written: %d", o.keys.opened, len(o.book.uses))
	}
	o.register.seals, o.register.grants = seals, grants
	if _, err := o.Apply(context.Background(), o.order(t)); err != nil {
		t.Errorf("the full set: %v", err)
	}
}

func TestEachRefusalHasItsReason(t *testing.T) {
	stranger := func(t *testing.T) *signtest.World { return signtest.New(t) }
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, o *office, r *seal.Order)
		want  string
	}{
		{"no seals", func(_ *testing.T, _ *office, r *seal.Order) { r.Seals = nil }, "seal.order"},
		{"a seal before the clerk", func(_ *testing.T, _ *office, r *seal.Order) { r.Seals = []string{"business-2", "counter-3"} }, "seal.order"},
		{"a seal without the clerk", func(_ *testing.T, _ *office, r *seal.Order) { r.Seals = []string{"unit"} }, "seal.order"},
		{"the unit before the business", func(_ *testing.T, _ *office, r *seal.Order) { r.Seals = []string{"counter-3", "unit", "business-2"} }, "seal.order"},
		{"the same seal twice", func(_ *testing.T, _ *office, r *seal.Order) { r.Seals = []string{"counter-3", "unit", "unit"} }, "seal.order"},
		{"an unknown seal", func(_ *testing.T, _ *office, r *seal.Order) { r.Seals = []string{"counter-9"} }, "seal.unknown"},
		{"nobody asks", func(_ *testing.T, _ *office, r *seal.Order) { r.Clerk = seal.Clerk{} }, "seal.order"},
		{"another clerk asks", func(_ *testing.T, _ *office, r *seal.Order) { r.Clerk.StaffID = "gdv.khac" }, "seal.grant"},
		{"the right was withdrawn", func(_ *testing.T, o *office, _ *seal.Order) { o.register.grants[1].Until = o.world.Now }, "seal.grant"},
		{"the right begins tomorrow", func(_ *testing.T, o *office, _ *seal.Order) {
			o.register.grants[1].From = o.world.Now.Add(24 * time.Hour)
		}, "seal.grant"},
		{"no paper gives the right", func(_ *testing.T, o *office, _ *seal.Order) { o.register.grants[0].Paper = "" }, "seal.grant"},
		{"the certificate ran out", func(_ *testing.T, o *office, _ *seal.Order) {
			o.world.Clock.Advance(366 * 24 * time.Hour)
			for i := range o.register.seals {
				o.register.seals[i].ValidUntil = o.world.Now.Add(1000 * 24 * time.Hour)
			}
		}, "seal.expired"},
		{"the customer has not signed", func(_ *testing.T, o *office, r *seal.Order) {
			r.Document = o.base
			r.Consent.Signed = r.Consent.Base
		}, "seal.consent"},
		{"another authority certified the customer", func(t *testing.T, o *office, r *seal.Order) {
			w := stranger(t)
			s, err := w.Ceremony().Customer(context.Background(), w.Confirm(t, o.base))
			if err != nil {
				t.Fatal(err)
			}
			evidence, err := s.Evidence.Digest()
			if err != nil {
				t.Fatal(err)
			}
			r.Document = s.Document
			r.Consent = seal.Consent{Base: r.Consent.Base, Signed: sha256.Sum256(s.Document), Evidence: evidence}
		}, "seal.consent"},
		{"a clerk's key stands in the customer's field", func(t *testing.T, o *office, r *seal.Order) {
			private, err := o.keys.store.Signer("counter-3")
			if err != nil {
				t.Fatal(err)
			}
			f, err := signing.Fill(context.Background(), o.base, pdf.Request{Field: "customer", At: o.world.Now}, private, o.register.seals[0].Chain, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Document, r.Consent.Signed = f.Document, sha256.Sum256(f.Document)
		}, "seal.consent"},
		{"something was added behind the customer's signature", func(t *testing.T, o *office, r *seal.Order) {
			r.Document = append(bytes.Clone(r.Document), '\n')
			r.Consent.Signed = sha256.Sum256(r.Document)
		}, "seal.consent"},
		{"the document has no field for the unit's seal", func(t *testing.T, o *office, r *seal.Order) {
			o.base = bytes.Replace(o.base, []byte("(unit_seal)"), []byte("(other_one)"), 1)
			o.customer = o.sign(t, o.base)
			seals := r.Seals
			*r = o.order(t)
			r.Seals = seals
		}, "seal.field"},
		{"the service is suspended", func(_ *testing.T, o *office, _ *seal.Order) { o.Suspend() }, "seal.away"},
		{"the register is away", func(_ *testing.T, o *office, _ *seal.Order) { o.register.err = errors.New("gone") }, "seal.away"},
		{"the book is away", func(_ *testing.T, o *office, _ *seal.Order) {
			o.book.fail = func(string, seal.Use) error { return errors.New("gone") }
		}, "seal.away"},
		{"the key of the last seal is away", func(_ *testing.T, o *office, _ *seal.Order) {
			o.keys.fail = map[string]error{"unit": errors.New("the token was pulled")}
		}, "seal.away"},
		{"a key is not the certificate's", func(t *testing.T, o *office, _ *seal.Order) {
			wrong, _, err := key.OneOff()
			if err != nil {
				t.Fatal(err)
			}
			o.keys.wrong = wrong
		}, "seal.faulty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := open(t)
			order := o.order(t)
			order.Keep = func(context.Context, seal.Result) error {
				t.Error("a document was kept")
				return nil
			}
			c.spoil(t, o, &order)
			r, err := o.Apply(context.Background(), order)
			if !fault.Is(err, c.want) || r.Document != nil {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			if open, err := o.book.Open(context.Background()); err != nil || len(open) != 0 {
				t.Errorf("uses left open: %v, %v", open, err)
			}
			if s := o.book.states(); s[seal.Done] != 0 {
				t.Errorf("book %v", s)
			}
		})
	}
}

func TestAnOrderThatWaitedIsSealedWhenTheServiceIsBack(t *testing.T) {
	o := open(t)
	o.Suspend()
	if err := o.State(context.Background()); !fault.Is(err, "seal.away") || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("state %v", err)
	}
	if _, err := o.Apply(context.Background(), o.order(t)); !fault.Is(err, "seal.away") {
		t.Fatal(err)
	}
	o.Resume()
	if _, err := o.Apply(context.Background(), o.order(t)); err != nil {
		t.Error(err)
	}
}

func TestAServiceSuspendedWhileSealingReleasesNothing(t *testing.T) {
	o := open(t)
	judge := o.Judge
	o.Judge = func(document []byte) error {
		if o.book.states()[seal.Intended] == 3 {
			o.Suspend()
		}
		return judge(document)
	}
	if _, err := o.Apply(context.Background(), o.order(t)); !fault.Is(err, "seal.away") {
		t.Fatal(err)
	}
	if s := o.book.states(); s[seal.Void] != 3 {
		t.Errorf("book %v", s)
	}
}

func TestNumbersGoOnWithoutGapAndVoidOnesCount(t *testing.T) {
	o := open(t)
	o.keys.fail = map[string]error{"unit": errors.New("away")}
	for range 3 {
		if _, err := o.Apply(context.Background(), o.order(t)); err == nil {
			t.Fatal("sealed without a key")
		}
	}
	o.keys.fail = nil
	r, err := o.Apply(context.Background(), o.order(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range r.Uses {
		if u.Number != 4 {
			t.Errorf("seal %s has number %d, want 4", u.Seal, u.Number)
		}
	}
}

// errCrash stands for the process's end: what would have come after it does not happen.
var errCrash = errors.New("crash")

// TestACrashAtEachPointLeavesEachUseDoneOrVoidAndNeverTwo plays a crash before every act on the book and around the store,
// then a restart with Settle and a second try.
func TestACrashAtEachPointLeavesEachUseDoneOrVoidAndNeverTwo(t *testing.T) {
	o := open(t)
	for crash := 0; ; crash++ {
		b := &book{}
		var stored *[32]byte
		acts, crashed := 0, false
		point := func() error {
			if crashed = crashed || acts == crash; crashed {
				return errCrash
			}
			acts++
			return nil
		}
		b.fail = func(string, seal.Use) error { return point() }
		local := &seal.Local{
			Register: o.register, Book: b, Keys: o.keys, Clock: o.world.Clock, Judge: o.Judge,
			Kept: func(context.Context, seal.Use) ([32]byte, bool, error) {
				if crashed {
					return [32]byte{}, false, errCrash
				}
				if stored == nil {
					return [32]byte{}, false, nil
				}
				return *stored, true, nil
			},
		}
		order := o.order(t)
		order.Keep = func(_ context.Context, r seal.Result) error {
			if err := point(); err != nil {
				return err
			}
			if stored != nil {
				t.Fatalf("crash %d: two sealed documents were kept", crash)
			}
			stored = &r.SHA256
			return point()
		}
		_, err := local.Apply(context.Background(), order)
		if !crashed {
			if err != nil {
				t.Fatal(err)
			}
			if crash < 8 {
				t.Fatalf("only %d points were played", crash)
			}
			return
		}
		b.fail, crashed = nil, false
		crashAt := crash
		acts = -1 << 30
		if _, err := local.Settle(context.Background()); err != nil {
			t.Fatalf("crash %d: %v", crashAt, err)
		}
		if s := b.states(); s[seal.Intended] != 0 || (s[seal.Done] != 0) != (stored != nil) || s[seal.Done] != 0 && s[seal.Void] != 0 {
			t.Fatalf("crash %d: stored %v, book %v", crashAt, stored != nil, s)
		}
		_, err = local.Apply(context.Background(), order)
		if stored == nil || err != nil && !fault.Is(err, "seal.done") {
			t.Fatalf("crash %d, second try: %v", crashAt, err)
		}
		if s := b.states(); s[seal.Done] != 3 || s[seal.Intended] != 0 {
			t.Fatalf("crash %d, second try: book %v", crashAt, s)
		}
		for _, u := range b.uses {
			if u.State == seal.Done && u.Result != *stored {
				t.Fatalf("crash %d: the book names another document than the one kept", crashAt)
			}
		}
	}
}

func TestAStoreThatFailsLeavesNothingOpen(t *testing.T) {
	o := open(t)
	order := o.order(t)
	full := errors.New("the disk is full")
	order.Keep = func(context.Context, seal.Result) error { return full }
	if _, err := o.Apply(context.Background(), order); !errors.Is(err, full) {
		t.Fatal(err)
	}
	if s := o.book.states(); s[seal.Void] != 3 || s[seal.Intended] != 0 {
		t.Errorf("book %v", s)
	}
}

// leaver is a caller who goes away when the first key is opened.
type leaver struct {
	seal.Keys
	leave func()
}

func (l leaver) Signer(name string) (crypto.Signer, error) {
	l.leave()
	return l.Keys.Signer(name)
}

func TestACallerWhoGoesAwayLeavesNothingOpen(t *testing.T) {
	o := open(t)
	ctx, cancel := context.WithCancel(context.Background())
	o.Keys = leaver{o.keys, cancel}
	if _, err := o.Apply(ctx, o.order(t)); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if s := o.book.states(); s[seal.Void] != 3 || s[seal.Intended] != 0 {
		t.Errorf("book %v", s)
	}
}

func TestAClerkSeesOnlyTheSealsOfTheirRights(t *testing.T) {
	o := open(t)
	o.register.grants = append(o.register.grants, seal.Grant{Seal: "unit", Clerk: "truong.don.vi", Service: "*", Paper: "1/QĐ", From: o.world.Now})
	for who, want := range map[string][]string{clerk.StaffID: all, "truong.don.vi": {"unit"}, "gdv.khac": {}} {
		seals, err := o.Seals(context.Background(), seal.Clerk{StaffID: who})
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, s := range seals {
			got = append(got, s.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s sees %v, want %v", who, got, want)
		}
	}
	grants, err := o.Grants(context.Background(), "unit", "11")
	if err != nil || len(grants) != 2 || grants[0].Paper != "118/QĐ-PCBG" {
		t.Errorf("who may use the unit's seal for service 11: %v, %v", grants, err)
	}
	if grants, err := o.Grants(context.Background(), "unit", "12"); err != nil || len(grants) != 1 {
		t.Errorf("who may for service 12: %v, %v", grants, err)
	}
}

func BenchmarkApply(b *testing.B) {
	o := open(b)
	o.Authority, o.Look = nil, nil
	o.register.seals[2].KeyName, o.register.seals[2].Chain = o.register.seals[1].KeyName, o.register.seals[1].Chain
	order := o.order(b)
	for b.Loop() {
		o.book.uses = nil
		if _, err := o.Apply(context.Background(), order); err != nil {
			b.Fatal(err)
		}
	}
}
