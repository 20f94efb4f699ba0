package augment

import (
	"os"
	"testing"
	"time"

	"countersign/internal/locale"
	"countersign/signing/ca"
	"countersign/signing/pdf"
	"countersign/signing/pdf/pdftest"
	"countersign/signing/verify"
)

// kept returns the documents in testdata, which were raised once and for all, and the policy that they pass.
func kept(tb testing.TB) (docs map[string][]byte, p verify.Policy) {
	tb.Helper()
	docs = make(map[string][]byte)
	for _, level := range []string{"B-LT", "B-LTA"} {
		docs[level] = must[[]byte](tb)(os.ReadFile("testdata/" + level + ".pdf"))
	}
	roots, err := ca.Certificates(must[[]byte](tb)(os.ReadFile("testdata/root.pem")))
	if err != nil {
		tb.Fatal(err)
	}
	return docs, verify.Policy{Roots: roots, At: noon.Add(time.Hour)}
}

func TestDocumentsRaisedBeforeStillPass(t *testing.T) {
	docs, p := kept(t)
	for level, doc := range docs {
		for _, at := range []time.Time{noon.Add(time.Hour), noon.Add(18 * 30 * day)} {
			p.At = at
			if s := verify.Examine(doc, p); s.Report.Verdict != verify.Passed || s.Level != level {
				t.Errorf("%s at %v: %s\n%s", level, at, s.Level, verify.Text(s.Report, locale.English))
			}
		}
	}
}

func TestRememberedChainsServeTheirRootsOnly(t *testing.T) {
	w, other := newWorld(t, noon), newWorld(t, noon)
	doc := w.signed(1, w.tsa)
	chains := &verify.Chains{}
	p, q := w.policy(), other.policy()
	p.Chains, q.Chains = chains, chains
	for range 2 {
		if r := verify.Verify(doc, p); r.Verdict != verify.Passed {
			t.Errorf("%s %s", r.Verdict, r.Sub)
		}
		if r := verify.Verify(doc, q); r.Sub != "NO_CERTIFICATE_CHAIN_FOUND" || r.Trusted {
			t.Errorf("with other roots: %s %s", r.Verdict, r.Sub)
		}
	}
	// Nor does a remembered chain outlive its certificates.
	p.At = noon.AddDate(3, 0, 0)
	if r := verify.Verify(w.sign(pdftest.Base("seal"), "seal", w.seal, nil), p); r.Sub != "OUT_OF_BOUNDS_NO_POE" {
		t.Errorf("after the certificate's end: %s %s", r.Verdict, r.Sub)
	}
}

func FuzzVerify(f *testing.F) {
	docs, p := kept(f)
	signed := make(map[string]bool)
	for _, doc := range docs {
		f.Add(doc)
		for _, r := range must[*pdf.File](f)(pdf.Parse(doc)).Revisions {
			signed[string(doc[:r.Span.End])] = true // what it was before it was raised is signed too
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if r := verify.Verify(data, p); r.Verdict == verify.Passed && !signed[string(data)] {
			t.Error("a document that nobody signed passes")
		}
	})
}
