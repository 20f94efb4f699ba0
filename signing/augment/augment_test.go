package augment

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"strings"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/signing"
	"countersign/signing/ca"
	"countersign/signing/pdf"
	"countersign/signing/pdf/pdftest"
	"countersign/signing/revoke"
	"countersign/signing/tsa"
	"countersign/signing/verify"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, clock.Vietnam)

const (
	day  = 24 * time.Hour
	year = 365 * day
)

type signer struct {
	key   crypto.Signer
	chain []*x509.Certificate
}

// world is an organisation with a root whose key is offline, an issuing authority with a responder, a timestamp
// authority and three signers.
type world struct {
	testing.TB
	clock                 *clock.Set
	root, issuing         *ca.Authority
	register              *ca.Register
	responder             *ca.Responder
	rootList              []byte
	customer, clerk, seal signer
	tsa                   *tsa.Local
	tsaChain              []*x509.Certificate
}

func must[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	return must[*ecdsa.PrivateKey](tb)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
}

func newWorld(tb testing.TB, at time.Time) *world {
	tb.Helper()
	w := &world{TB: tb, clock: clock.At(at), register: &ca.Register{}}
	w.root = must[*ca.Authority](tb)(ca.NewRoot(pkix.Name{CommonName: "Test root"}, w.clock, rand.Reader))
	w.issuing = must[*ca.Authority](tb)(w.root.NewIssuing(pkix.Name{CommonName: "Test issuing"}))
	w.rootList = must[[]byte](tb)(w.root.RevocationList(nil, year))
	w.responder = ca.NewResponder(w.issuing, w.register, day)
	chain := must[[]*x509.Certificate](tb)
	k := newKey(tb)
	w.customer = signer{k, chain(w.issuing.IssueOneOff(k.Public(), ca.OneOff{Holder: "Nguyễn Văn Ế", HolderID: "0010****0018", TransactionID: "T-1", Life: 10 * time.Minute}))}
	k = newKey(tb)
	w.clerk = signer{k, chain(w.issuing.IssueClerk(k.Public(), ca.Clerk{Name: "Trần Thị B", StaffID: "GDV-07", Counter: "3", Life: year}))}
	k = newKey(tb)
	w.seal = signer{k, chain(w.issuing.IssueSeal(k.Public(), ca.Seal{Name: "Điện lực Ba Đình", OrganisationID: "0100100417", Life: year}))}
	w.newTSA("Test TSA", 2*year)
	return w
}

// newTSA replaces the timestamp authority.
func (w *world) newTSA(name string, life time.Duration) {
	w.Helper()
	k := newKey(w)
	w.tsaChain = must[[]*x509.Certificate](w)(w.issuing.IssueTimestamp(k.Public(), pkix.Name{CommonName: name}, life))
	w.tsa = must[*tsa.Local](w)(tsa.NewLocal(k, w.tsaChain, w.clock, rand.Reader))
}

func (w *world) source() revoke.Source {
	return revoke.InOrder{w.responder, revoke.Lists{DER: [][]byte{w.rootList}, Clock: w.clock}}
}

func (w *world) augmenter() *Augmenter {
	return &Augmenter{Roots: w.roots(), Authority: w.tsa, Status: w.source(), Clock: w.clock}
}

func (w *world) roots() []*x509.Certificate { return []*x509.Certificate{w.root.Certificate} }

func (w *world) policy() verify.Policy { return verify.Policy{Roots: w.roots(), At: w.clock.Now()} }

func (w *world) sign(doc []byte, field string, s signer, authority tsa.Authority) []byte {
	w.Helper()
	f := must[signing.Filled](w)(signing.Fill(context.Background(), doc, pdf.Request{Field: field, Name: s.chain[0].Subject.CommonName, At: w.clock.Now(), Room: 4096,
		Appearance: &pdf.Appearance{Width: 100, Height: 100, Stream: []byte("1 0 0 RG 4 w 10 10 80 80 re S")}}, s.key, s.chain, authority))
	return f.Document
}

// signed returns a document with so many signatures.
func (w *world) signed(count int, authority tsa.Authority) []byte {
	w.Helper()
	doc := pdftest.Base("customer", "clerk", "seal", "seal2")
	for i, s := range []signer{w.customer, w.clerk, w.seal, w.seal}[:count] {
		doc = w.sign(doc, []string{"customer", "clerk", "seal", "seal2"}[i], s, authority)
		w.clock.Advance(2 * time.Second)
	}
	return doc
}

// raised raises a document and requires the level.
func (w *world) raised(doc []byte, to signing.Level) []byte {
	w.Helper()
	r := must[Result](w)(w.augmenter().Raise(context.Background(), doc, to))
	if r.Short != nil || r.Level != to {
		w.Fatalf("raised to %s only: %v", r.Level, r.Short)
	}
	return r.Document
}

func TestADocumentIsRaisedStepByStep(t *testing.T) {
	for _, count := range []int{1, 2, 4} {
		for _, stamped := range []bool{true, false} {
			w := newWorld(t, noon)
			var authority tsa.Authority
			start := signing.BB
			if stamped {
				authority, start = w.tsa, signing.BT
			}
			doc := w.signed(count, authority)
			w.clock.Advance(8 * time.Hour)
			if !stamped {
				w.clock.Advance(-8 * time.Hour)
			}
			for _, to := range []signing.Level{signing.BT, signing.BLT, signing.BLTA} {
				r := must[Result](t)(w.augmenter().Raise(context.Background(), doc, to))
				if r.Short != nil || r.Level != to || !bytes.HasPrefix(r.Document, doc) || r.Before != start {
					t.Fatalf("%d signatures: from %s to %s: %+v", count, r.Before, to, r.Short)
				}
				report := verify.Verify(r.Document, w.policy())
				if report.Verdict != verify.Passed || !report.Trusted || report.Changes == "forbidden" || report.Integrity != "intact" {
					t.Fatalf("%d signatures at %s:\n%s", count, to, verify.Text(report, locale.English))
				}
				for _, s := range report.Signatures {
					if s.Kind != "timestamp" && s.Level != string(to) {
						t.Errorf("%d signatures: %s is at %s, not %s; missing %v", count, s.Field, s.Level, to, s.Missing)
					}
				}
				doc, start = r.Document, to
				w.clock.Advance(time.Second)
			}
			if r := must[Result](t)(w.augmenter().Raise(context.Background(), doc, signing.BLTA)); r.Added != 0 || r.Short != nil {
				t.Errorf("a B-LTA document is raised again: %d revisions, %v", r.Added, r.Short)
			}
		}
	}
}

func TestTheShortWayGivesTheSameLevel(t *testing.T) {
	w := newWorld(t, noon)
	doc := w.raised(w.signed(2, w.tsa), signing.BLTA)
	report := verify.Verify(doc, w.policy())
	if report.Verdict != verify.Passed || len(report.Limits) != 0 {
		t.Errorf("limits %v\n%s", report.Limits, verify.Text(report, locale.English))
	}
	if last := report.Signatures[len(report.Signatures)-1]; last.Kind != "timestamp" || last.Coverage != "whole_file" {
		t.Errorf("the last signature is %+v", last)
	}
}

func TestALongLifeNeedsRenewals(t *testing.T) {
	w := newWorld(t, noon)
	doc := w.raised(w.signed(2, w.tsa), signing.BLTA)
	for n := range 5 {
		w.clock.Advance(year)
		w.newTSA("TSA of a later year", 2*year)
		w.rootList = must[[]byte](t)(w.root.RevocationList(nil, year))
		// The one before ends in a year; ask to renew that early.
		a := w.augmenter()
		a.Renew = year + day
		r := must[Result](t)(a.Raise(context.Background(), doc, signing.BLTA))
		if r.Short != nil || r.Added == 0 {
			t.Fatalf("renewal %d: %d revisions, %v", n+1, r.Added, r.Short)
		}
		doc = r.Document
		report := verify.Verify(doc, w.policy())
		if report.Verdict != verify.Passed || len(report.Limits) > 1 {
			t.Fatalf("after %d years: %v\n%s", n+1, report.Limits, verify.Text(report, locale.English))
		}
		for _, s := range report.Signatures {
			if s.Kind != "timestamp" && s.Level != string(signing.BLTA) {
				t.Errorf("after %d years %s is at %s", n+1, s.Field, s.Level)
			}
		}
	}
	a := w.augmenter()
	if r := must[Result](t)(a.Raise(context.Background(), doc, signing.BLTA)); r.Added != 0 {
		t.Errorf("a fresh timestamp is renewed")
	}
	a.Renew = 10 * year
	if r := must[Result](t)(a.Raise(context.Background(), doc, signing.BLTA)); r.Added != 0 || r.Short != nil {
		t.Errorf("a timestamp is renewed by one that ends no later: %d revisions, %v", r.Added, r.Short)
	}
}

// broken is an authority or source that fails, or answers wrongly.
type broken struct{ err error }

func (b broken) Stamp(context.Context, []byte) ([]byte, error) { return nil, b.err }

func (b broken) Status(context.Context, revoke.Question) (revoke.Answer, error) {
	return revoke.Answer{}, b.err
}

// wrongImprint stamps something else.
type wrongImprint struct{ tsa.Authority }

func (w wrongImprint) Stamp(ctx context.Context, message []byte) ([]byte, error) {
	return w.Authority.Stamp(ctx, append([]byte("x"), message...))
}

// frozen answers with what the responder said at some time.
type frozen struct {
	revoke.Source
	kept map[string]revoke.Answer
}

func (f frozen) Status(ctx context.Context, q revoke.Question) (revoke.Answer, error) {
	key := string(q.Certificate.Raw)
	if a, ok := f.kept[key]; ok {
		return a, nil
	}
	a, err := f.Source.Status(ctx, q)
	if err == nil {
		f.kept[key] = a
	}
	return a, err
}

func TestWhatIsAwayCostsALevelAndNeverTheDocument(t *testing.T) {
	gone := broken{fault.New(fault.Unavailable, "revoke.away", nil)}
	strict := &ca.Register{Strict: true}
	for _, c := range []struct {
		name  string
		spoil func(w *world, a *Augmenter)
		level signing.Level
		code  string
	}{
		{"no status is to be had", func(_ *world, a *Augmenter) { a.Status = gone }, signing.BT, ""},
		{"no source is known", func(_ *world, a *Augmenter) { a.Status = nil }, signing.BT, "augment.no_source"},
		{"the timestamp authority is away", func(_ *world, a *Augmenter) { a.Authority = gone }, signing.BLT, "revoke.away"},
		{"no timestamp authority is known", func(_ *world, a *Augmenter) { a.Authority = nil }, signing.BLT, "augment.no_authority"},
		{"the timestamp is about something else", func(w *world, a *Augmenter) { a.Authority = wrongImprint{w.tsa} }, signing.BLT, ""},
		{"the responder does not know the certificates", func(w *world, a *Augmenter) {
			a.Status = revoke.InOrder{ca.NewResponder(w.issuing, strict, day), revoke.Lists{DER: [][]byte{w.rootList}, Clock: w.clock}}
		}, signing.BT, ""},
		{"the root's list has run out", func(w *world, a *Augmenter) {
			w.rootList = must[[]byte](t)(w.root.RevocationList(nil, time.Second))
			w.clock.Advance(time.Minute)
			a.Status = w.source()
		}, signing.BT, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, noon)
			doc := w.signed(2, w.tsa)
			a := w.augmenter()
			c.spoil(w, a)
			r := must[Result](t)(a.Raise(context.Background(), doc, signing.BLTA))
			if r.Level != c.level || r.Short == nil || !bytes.HasPrefix(r.Document, doc) {
				t.Errorf("level %s, %v", r.Level, r.Short)
			}
			if c.code != "" && !fault.Is(r.Short, c.code) {
				t.Errorf("the reason is %v, not %s", r.Short, c.code)
			}
			if report := verify.Verify(r.Document, w.policy()); report.Verdict != verify.Passed {
				t.Errorf("%s", verify.Text(report, locale.English))
			}
			if r := must[Result](t)(w2(w).Raise(context.Background(), r.Document, signing.BLTA)); r.Short != nil || r.Level != signing.BLTA {
				t.Errorf("later it is raised to %s only: %v", r.Level, r.Short)
			}
		})
	}
}

// w2 is the augmenter when everything is back.
func w2(w *world) *Augmenter {
	w.rootList = must[[]byte](w)(w.root.RevocationList(nil, year))
	return w.augmenter()
}

func TestAWordFromBeforeTheSignatureDoesNotProveIt(t *testing.T) {
	w := newWorld(t, noon)
	a := w.augmenter()
	kept := frozen{w.source(), map[string]revoke.Answer{}}
	for _, q := range []revoke.Question{{Certificate: w.seal.chain[0], Issuer: w.issuing.Certificate}, {Certificate: w.tsaChain[0], Issuer: w.issuing.Certificate}} {
		must[revoke.Answer](t)(kept.Status(context.Background(), q))
	}
	w.clock.Advance(time.Minute)
	doc := w.sign(pdftest.Base("seal"), "seal", w.seal, w.tsa)
	a.Status = kept
	if r := must[Result](t)(a.Raise(context.Background(), doc, signing.BLTA)); r.Level != signing.BT || !strings.Contains(r.Short.Error(), "augment.early") {
		t.Errorf("%s, %v", r.Level, r.Short)
	}
	// A cache knows that, and asks again.
	a.Status = revoke.NewCache(w.source(), w.clock)
	w.clock.Advance(time.Minute)
	if r := must[Result](t)(a.Raise(context.Background(), doc, signing.BLTA)); r.Level != signing.BLTA {
		t.Errorf("%s, %v", r.Level, r.Short)
	}
}

func TestDocumentsThatAreNotInOrderAreRefused(t *testing.T) {
	w := newWorld(t, noon)
	doc := w.signed(1, w.tsa)
	changed := bytes.Replace(doc, []byte("Work"), []byte("Play"), 1)
	other := newWorld(t, noon)
	for name, c := range map[string]struct {
		doc []byte
		a   *Augmenter
	}{
		"unsigned": {pdftest.Base("customer"), w.augmenter()}, "no PDF": {[]byte("hello"), w.augmenter()},
		"changed": {changed, w.augmenter()}, "of others": {doc, other.augmenter()},
	} {
		if r, err := c.a.Raise(context.Background(), c.doc, signing.BLTA); !fault.Is(err, "augment.document") || r.Document != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.augmenter().Raise(context.Background(), doc, "B-X"); !fault.Is(err, "augment.level") {
		t.Errorf("a level that does not exist: %v", err)
	}
}
