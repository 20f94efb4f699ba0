package augment

import (
	"context"
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"countersign/internal/locale"
	"countersign/signing"
	"countersign/signing/ca"
	"countersign/signing/pdf"
	"countersign/signing/pdf/pdftest"
	"countersign/signing/revoke"
	"countersign/signing/tsa"
	"countersign/signing/verify"
)

// told returns validation data about the certificates from the responder and, about the issuing authority, the list.
func (w *world) told(certs ...*x509.Certificate) pdf.Material {
	w.Helper()
	m := pdf.Material{CRLs: [][]byte{w.rootList}}
	for _, c := range certs {
		a := must[revoke.Answer](w)(w.responder.Status(context.Background(), revoke.Question{Certificate: c, Issuer: w.issuing.Certificate}))
		m.OCSPs = append(m.OCSPs, a.OCSP)
	}
	return m
}

func (w *world) with(doc []byte, m pdf.Material) []byte {
	w.Helper()
	return must[[]byte](w)(pdf.AppendMaterial(doc, m))
}

func (w *world) revoke(c *x509.Certificate, reason int) {
	w.register.Revoke(ca.Revocation{Serial: c.SerialNumber, At: w.clock.Now(), Reason: reason})
}

// stampOver puts a document timestamp over a document.
func (w *world) stampOver(doc []byte, field string) []byte {
	w.Helper()
	p := must[*pdf.Prepared](w)(pdf.PrepareTimestamp(doc, field, 4096))
	return must[[]byte](w)(p.Finish(must[[]byte](w)(w.tsa.Stamp(context.Background(), p.Signed()))))
}

func TestRevocationIsJudgedAtTheProvenTime(t *testing.T) {
	one := func(w *world, authority tsa.Authority) []byte {
		return w.sign(pdftest.Base("seal", "clerk"), "seal", w.seal, authority)
	}
	for _, c := range []struct {
		name    string
		make    func(w *world) []byte
		verdict verify.Verdict
		sub     string
	}{
		{"good, asked after the signature", func(w *world) []byte {
			doc := one(w, w.tsa)
			return w.with(doc, w.told(w.seal.chain[0], w.tsaChain[0]))
		}, verify.Passed, ""},
		{"revoked after the timestamp", func(w *world) []byte {
			doc := one(w, w.tsa)
			w.clock.Advance(time.Hour)
			w.revoke(w.seal.chain[0], 1)
			return w.with(doc, w.told(w.seal.chain[0], w.tsaChain[0]))
		}, verify.Passed, ""},
		{"revoked before the timestamp, and nothing says when the signature was made", func(w *world) []byte {
			w.revoke(w.seal.chain[0], 1)
			w.clock.Advance(time.Hour)
			doc := one(w, w.tsa)
			return w.with(doc, w.told(w.seal.chain[0], w.tsaChain[0]))
		}, verify.Indeterminate, "REVOKED_NO_POE"},
		{"revoked before an earlier signature's timestamp, which this one covers", func(w *world) []byte {
			w.revoke(w.clerk.chain[0], 1)
			w.clock.Advance(time.Hour)
			doc := w.sign(one(w, w.tsa), "clerk", w.clerk, w.tsa)
			return w.with(doc, w.told(w.seal.chain[0], w.clerk.chain[0], w.tsaChain[0]))
		}, verify.Failed, "REVOKED"},
		{"revoked after the claimed time, without a timestamp", func(w *world) []byte {
			doc := one(w, nil)
			w.clock.Advance(time.Hour)
			w.revoke(w.seal.chain[0], 1)
			return w.with(doc, w.told(w.seal.chain[0]))
		}, verify.Indeterminate, "REVOKED_NO_POE"},
		{"revoked after a document timestamp, without a timestamp of its own", func(w *world) []byte {
			doc := w.stampOver(one(w, nil), "t")
			w.clock.Advance(time.Hour)
			w.revoke(w.seal.chain[0], 1)
			return w.with(doc, w.told(w.seal.chain[0], w.tsaChain[0]))
		}, verify.Passed, ""},
		{"the timestamp authority's key was compromised", func(w *world) []byte {
			doc := one(w, w.tsa)
			w.clock.Advance(time.Hour)
			w.revoke(w.tsaChain[0], 1)
			return w.with(doc, w.told(w.seal.chain[0], w.tsaChain[0]))
		}, verify.Indeterminate, "REVOKED_NO_POE"},
		{"the timestamp authority was closed in good order", func(w *world) []byte {
			doc := one(w, w.tsa)
			w.clock.Advance(time.Hour)
			w.revoke(w.tsaChain[0], revoke.CessationOfOperation)
			return w.with(doc, w.told(w.seal.chain[0], w.tsaChain[0]))
		}, verify.Passed, ""},
		{"the timestamp authority's key was compromised after another's document timestamp", func(w *world) []byte {
			doc, old := one(w, w.tsa), w.tsaChain[0]
			w.clock.Advance(time.Hour)
			w.newTSA("Second TSA", year)
			doc = w.stampOver(doc, "t")
			w.clock.Advance(time.Hour)
			w.revoke(old, 1)
			return w.with(doc, w.told(w.seal.chain[0], old, w.tsaChain[0]))
		}, verify.Passed, ""},
		{"the issuing authority was revoked before", func(w *world) []byte {
			w.rootList = must[[]byte](t)(w.root.RevocationList([]ca.Revocation{{Serial: w.issuing.Certificate.SerialNumber, At: w.clock.Now(), Reason: 2}}, year))
			w.clock.Advance(time.Hour)
			doc := one(w, nil)
			return w.with(doc, w.told(w.seal.chain[0]))
		}, verify.Indeterminate, "REVOKED_CA_NO_POE"},
		{"the authority does not know the certificate", func(w *world) []byte {
			doc := one(w, w.tsa)
			m := w.told(w.tsaChain[0])
			w.responder = ca.NewResponder(w.issuing, &ca.Register{Strict: true}, day)
			m.OCSPs = append(m.OCSPs, w.told(w.seal.chain[0]).OCSPs...)
			return w.with(doc, m)
		}, verify.Indeterminate, "TRY_LATER"},
		{"the word about it had run out when it was signed", func(w *world) []byte {
			m := w.told(w.seal.chain[0])
			w.clock.Advance(2 * day)
			doc := one(w, w.tsa)
			m.OCSPs = append(m.OCSPs, w.told(w.tsaChain[0]).OCSPs...)
			return w.with(doc, m)
		}, verify.Indeterminate, "TRY_LATER"},
		{"a one-off certificate that is asked about hours after its end", func(w *world) []byte {
			doc := w.sign(pdftest.Base("customer"), "customer", w.customer, w.tsa)
			w.clock.Advance(8 * time.Hour)
			return w.with(doc, w.told(w.customer.chain[0], w.tsaChain[0]))
		}, verify.Passed, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, noon)
			doc := c.make(w)
			w.clock.Advance(time.Second)
			r := verify.Verify(doc, w.policy())
			if r.Verdict != c.verdict || r.Sub != c.sub || r.Integrity != "intact" {
				t.Errorf("%s %s, want %s %s\n%s", r.Verdict, r.Sub, c.verdict, c.sub, verify.Text(r, locale.English))
			}
			// What stands inside the file counts the same when it comes from outside.
			f := must[*pdf.File](t)(pdf.Parse(doc))
			last := len(f.Revisions) - 1
			store := must[pdf.DSS](t)(f.DSS(last))
			p := w.policy()
			for _, b := range store.OCSPs {
				p.Material.OCSPs = append(p.Material.OCSPs, b.Data)
			}
			for _, b := range store.CRLs {
				p.Material.CRLs = append(p.Material.CRLs, b.Data)
			}
			p.Status = true
			if r := verify.Verify(doc[:f.Revisions[last].Span.Start], p); r.Verdict != c.verdict || r.Sub != c.sub {
				t.Errorf("from outside: %s %s, want %s %s\n%s", r.Verdict, r.Sub, c.verdict, c.sub, verify.Text(r, locale.English))
			}
		})
	}
}

func TestWithoutStatusThePolicyDecides(t *testing.T) {
	w := newWorld(t, noon)
	doc := w.signed(1, w.tsa)
	if r := verify.Verify(doc, w.policy()); r.Verdict != verify.Passed || !slices.Contains(r.Limits, "no_revocation_check") {
		t.Errorf("%s, limits %v", r.Verdict, r.Limits)
	}
	p := w.policy()
	p.Status = true
	if r := verify.Verify(doc, p); r.Verdict != verify.Indeterminate || r.Sub != "TRY_LATER" {
		t.Errorf("status demanded: %s %s", r.Verdict, r.Sub)
	}
}

func TestWordsOfOthersProveNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(w *world, m *pdf.Material)
		real bool // the right authority gave it, only not yet
	}{
		{"a responder of another authority of the same name", func(w *world, m *pdf.Material) {
			o := newWorld(w, noon)
			q := must[revoke.Request](w)(revoke.NewRequest(w.seal.chain[0], w.issuing.Certificate, nil))
			m.OCSPs[0] = must[[]byte](w)(q.Answer(revoke.Word{State: revoke.Good, Reason: revoke.NoReason, This: w.clock.Now()}, o.issuing.Key(), o.issuing.Certificate, false))
		}, false},
		{"a seal of the same authority", func(w *world, m *pdf.Material) {
			q := must[revoke.Request](w)(revoke.NewRequest(w.seal.chain[0], w.issuing.Certificate, nil))
			m.OCSPs[0] = must[[]byte](w)(q.Answer(revoke.Word{State: revoke.Good, Reason: revoke.NoReason, This: w.clock.Now()}, w.seal.key, w.seal.chain[0], true))
		}, false},
		{"a word from the future", func(w *world, m *pdf.Material) {
			w.clock.Advance(day)
			m.OCSPs[0] = w.told(w.seal.chain[0]).OCSPs[0]
			w.clock.Advance(-day)
		}, true},
		{"nonsense", func(_ *world, m *pdf.Material) { m.OCSPs[0] = []byte("nonsense") }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, noon)
			doc := w.sign(pdftest.Base("seal"), "seal", w.seal, w.tsa)
			m := w.told(w.seal.chain[0], w.tsaChain[0])
			c.make(w, &m)
			s := verify.Examine(w.stampOver(w.with(doc, m), "t"), w.policy())
			if s.Level != string(signing.BT) || len(s.Lacks) != 1 || !s.Lacks[0].Certificate.Equal(w.seal.chain[0]) {
				t.Errorf("%s, lacks %d\n%s", s.Level, len(s.Lacks), verify.Text(s.Report, locale.English))
			}
			if r := verify.Verify(w.with(doc, m), w.policy()); (r.Verdict == verify.Passed) != c.real {
				t.Error("uncovered validation data that proves nothing passes")
			}
		})
	}
}

func TestADelegatedResponderIsBelieved(t *testing.T) {
	w := newWorld(t, noon)
	k := newKey(t)
	chain := must[[]*x509.Certificate](t)(w.issuing.IssueResponder(k.Public(), w.issuing.Certificate.Subject, day))
	w.responder.Delegate(k, chain[0])
	doc := w.raised(w.signed(2, w.tsa), signing.BLTA)
	if r := verify.Verify(doc, w.policy()); r.Verdict != verify.Passed || len(r.Limits) != 0 {
		t.Errorf("%s\n%s", r.Verdict, verify.Text(r, locale.English))
	}
	// One without the note that nobody need ask about it is not.
	bad := must[[]*x509.Certificate](t)(w.issuing.IssueToken(k.Public(), "not a responder", "1", day))
	w.responder.Delegate(k, bad[0])
	r := must[Result](t)(w.augmenter().Raise(context.Background(), w.signed(1, w.tsa), signing.BLTA))
	if r.Level != signing.BT || r.Short == nil {
		t.Errorf("%s, %v", r.Level, r.Short)
	}
}
