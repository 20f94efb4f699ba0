package verify

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"countersign/internal/locale"
)

func TestASignedDocumentPasses(t *testing.T) {
	w := newWorld(t)
	oneBB := w.sign(t, base(), "customer", w.customer, nil)
	oneBT := w.sign(t, base(), "customer", w.customer, w.stamp)
	two := w.sign(t, oneBT, "clerk", w.clerk, w.stamp)
	three := w.sign(t, two, "seal", w.seal, w.stamp)
	for _, c := range []struct {
		name    string
		doc     []byte
		changes string
		kinds   []string
		level   string
	}{
		{"one signature without timestamp", oneBB, "none", []string{"otp"}, "B-B"},
		{"one signature with timestamp", oneBT, "none", []string{"otp"}, "B-T"},
		{"customer and clerk", two, "permitted", []string{"otp", "clerk"}, "B-T"},
		{"customer, clerk and seal", three, "permitted", []string{"otp", "clerk", "seal"}, "B-T"},
		{"an RSA seal", w.sign(t, base(), "seal", w.rsaSeal, nil), "none", []string{"seal"}, "B-B"},
		{"the customer's own token", w.sign(t, base(), "customer", w.tk, w.stamp), "none", []string{"token"}, "B-T"},
		{"fields filled in another order than they stand", w.sign(t, w.sign(t, base(), "seal", w.seal, nil), "customer", w.customer, w.stamp), "permitted", []string{"seal", "otp"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Verify(c.doc, w.policy())
			if r.Verdict != Passed || r.Sub != "" || r.ExitCode() != 0 {
				t.Fatalf("verdict %s %s, problem %s %s\n%s", r.Verdict, r.Sub, r.Problem, r.Detail, Text(r, locale.English))
			}
			if r.Integrity != "intact" || r.Changes != c.changes || !r.Trusted {
				t.Errorf("integrity %s, changes %s, trusted %v", r.Integrity, r.Changes, r.Trusted)
			}
			var kinds []string
			for i, s := range r.Signatures {
				kinds = append(kinds, s.Kind)
				want := "whole_revision"
				if i == len(r.Signatures)-1 {
					want = "whole_file"
				}
				if s.Coverage != want || s.Integrity != "intact" {
					t.Errorf("%s: coverage %s, integrity %s", s.Field, s.Coverage, s.Integrity)
				}
				if c.level != "" && s.Level != c.level {
					t.Errorf("%s: level %s", s.Field, s.Level)
				}
				if len(s.Chain) != 3 || s.Chain[2].Status != "root" {
					t.Errorf("%s: chain %v", s.Field, s.Chain)
				}
			}
			if !slices.Equal(kinds, c.kinds) {
				t.Errorf("kinds %v, want %v", kinds, c.kinds)
			}
		})
	}
}

func TestTheReportIsTheObjectThatOthersRelyOn(t *testing.T) {
	w := newWorld(t)
	doc := w.sign(t, w.sign(t, base(), "customer", w.customer, w.stamp), "seal", w.seal, nil)
	raw := must[[]byte](t)(json.Marshal(Verify(doc, w.policy())))
	var top map[string]json.RawMessage
	if err := json.Unmarshal(raw, &top); err != nil {
		t.Fatal(err)
	}
	keys := func(raw json.RawMessage) string {
		var m map[string]json.RawMessage
		if err := json.Unmarshal(raw, &m); err != nil {
			var list []map[string]json.RawMessage
			if err := json.Unmarshal(raw, &list); err != nil || len(list) == 0 {
				t.Fatalf("%s is no object and no list of objects", raw)
			}
			m = list[0]
		}
		var out []string
		for k := range m {
			out = append(out, k)
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	var signatures []map[string]json.RawMessage
	if err := json.Unmarshal(top["signatures"], &signatures); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what string
		raw  json.RawMessage
		want string
	}{
		{"report", raw, "change_list changes file integrity limits signatures sub summary trusted verdict"},
		{"summary", top["summary"], "en vi zh-Hant"},
		{"file", top["file"], "revisions sha256 size"},
		{"signatures", top["signatures"], "algorithm chain claimed_time coverage field integrity kind level list missing proven_time reason signer timestamp"},
		{"timestamp", signatures[0]["timestamp"], "authority status"},
		{"chain", signatures[0]["chain"], "issuer status subject"},
		{"change_list", top["change_list"], "class object permitted reason revision"},
	} {
		if got := keys(c.raw); got != c.want {
			t.Errorf("%s has the keys %q, want %q", c.what, got, c.want)
		}
	}
	var back Report
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	s := back.Signatures[0]
	if !s.ClaimedTime.Equal(noon) || !s.ProvenTime.Equal(noon) || s.Timestamp.Status != "valid" || s.Timestamp.Authority != "Test TSA" {
		t.Errorf("times %v %v, timestamp %+v", s.ClaimedTime, s.ProvenTime, s.Timestamp)
	}
	if s.Reason != "Xác nhận (phiếu)" || !strings.Contains(s.Signer, "CN=Nguyễn Văn Ế") || s.Algorithm != "ECDSA P-256 SHA-256" {
		t.Errorf("reason %q, signer %q, algorithm %q", s.Reason, s.Signer, s.Algorithm)
	}
	// The seal has no timestamp of its own and nothing covers it; the customer's signature is proven.
	if s := back.Signatures[1]; !s.ProvenTime.IsZero() || s.Timestamp.Status != "none" || !slices.Equal(s.Missing, []string{"signature_timestamp"}) {
		t.Errorf("seal: proven %v, timestamp %+v, missing %v", s.ProvenTime, s.Timestamp, s.Missing)
	}
}

func TestEveryTextOfAReportIsInTheCatalogue(t *testing.T) {
	w := newWorld(t)
	doc := w.sign(t, w.sign(t, base(), "customer", w.customer, w.stamp), "seal", w.seal, nil)
	bad := slices.Clone(doc)
	bad[100] ^= 1
	for name, r := range map[string]Report{
		"passed": Verify(doc, w.policy()), "untrusted": Verify(doc, Policy{At: noon}), "broken": Verify(bad, w.policy()),
		"unsigned": Verify(base(), w.policy()), "no PDF": Verify([]byte("hello"), w.policy()),
	} {
		for _, l := range locale.Langs {
			text := Text(r, l)
			if strings.Contains(text, "‹") || strings.Contains(text, "<no value>") {
				t.Errorf("%s, %s: a text is missing:\n%s", name, l, text)
			}
			if n := strings.Count(text, "\n"); n > 60 {
				t.Errorf("%s, %s: the page has %d lines", name, l, n)
			}
		}
	}
	for _, p := range allProblems {
		for _, l := range locale.Langs {
			if text := locale.Text(l, "verify.problem."+p.code, nil); strings.HasPrefix(text, "‹") {
				t.Errorf("%s: problem %s has no text", l, p.code)
			}
		}
	}
}

var allProblems = []*problem{
	parseProblem, orphanProblem, dictionaryProblem, rangeProblem, holeProblem, cmsProblem, encodingProblem, digestProblem,
	signatureProblem, certificateProblem, tokenProblem, earlyProblem, forbiddenProblem, subfilterProblem, foreignProblem,
	algorithmProblem, usageProblem, chainProblem, expiredProblem, futureProblem, unknownProblem, grammarProblem, listProblem,
	materialProblem, revokedProblem, withdrawnProblem, aboveProblem, stampedProblem, laterProblem,
}

func TestTimeAndTrustDecide(t *testing.T) {
	w := newWorld(t)
	other := newWorld(t)
	bb := w.sign(t, base(), "customer", w.customer, nil)
	bt := w.sign(t, base(), "customer", w.customer, w.stamp)
	sealBB := w.sign(t, base(), "seal", w.seal, nil)
	later := newWorld(t)
	later.clock.Advance(20 * time.Minute)
	overdue := later.sign(t, base(), "customer", later.customer, nil)
	overdueBT := later.sign(t, base(), "customer", later.customer, later.stamp)
	late := newWorld(t)
	early := late.sign(t, base(), "customer", late.customer, nil)
	late.clock.Advance(2 * time.Minute)
	rescued := late.sign(t, early, "seal", late.seal, late.stamp)
	foreignTSA := w.sign(t, base(), "customer", w.customer, other.stamp)
	year := noon.AddDate(1, 1, 0)
	for _, c := range []struct {
		name    string
		doc     []byte
		policy  Policy
		verdict Verdict
		sub     string
		trusted bool
	}{
		{"another root of the same name is not trusted", bt, other.policy(), Indeterminate, "NO_CERTIFICATE_CHAIN_FOUND", false},
		{"no root at all", bt, Policy{At: noon}, Indeterminate, "NO_CERTIFICATE_CHAIN_FOUND", false},
		{"a one-off signature still counts after its certificate's life by its claimed time", bb, Policy{Roots: w.policy().Roots, At: noon.Add(time.Hour)}, Passed, "", true},
		{"a timestamped signature still counts after a year", bt, Policy{Roots: w.policy().Roots, At: year}, Passed, "", true},
		{"a seal without timestamp counts while its certificate is valid", sealBB, Policy{Roots: w.policy().Roots, At: noon.AddDate(0, 6, 0)}, Passed, "", true},
		{"a seal without timestamp does not outlive its certificate", sealBB, Policy{Roots: w.policy().Roots, At: year}, Indeterminate, "OUT_OF_BOUNDS_NO_POE", true},
		{"a claimed time after the one-off certificate's life", overdue, later.policy(), Indeterminate, "OUT_OF_BOUNDS_NO_POE", true},
		{"a proven time after the one-off certificate's life", overdueBT, later.policy(), Indeterminate, "OUT_OF_BOUNDS_NO_POE", true},
		{"a claimed time in the future", bb, Policy{Roots: w.policy().Roots, At: noon.Add(-time.Hour)}, Indeterminate, "OUT_OF_BOUNDS_NO_POE", true},
		{"a timestamp of an unknown authority", foreignTSA, w.policy(), Indeterminate, "NO_CERTIFICATE_CHAIN_FOUND", true},
		{"a later signature's timestamp proves the earlier one", rescued, late.policy(), Passed, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Verify(c.doc, c.policy)
			if r.Verdict != c.verdict || r.Sub != c.sub || r.Trusted != c.trusted {
				t.Errorf("%s %s trusted %v, want %s %s %v\n%s", r.Verdict, r.Sub, r.Trusted, c.verdict, c.sub, c.trusted, Text(r, locale.English))
			}
			if r.Integrity != "intact" {
				t.Errorf("integrity %s", r.Integrity)
			}
		})
	}
	r := Verify(rescued, late.policy())
	if got := r.Signatures[0].ProvenTime; !got.Equal(noon.Add(2 * time.Minute)) {
		t.Errorf("the earlier signature is proven at %v", got)
	}
	if r := Verify(bb, w.policy()); !slices.Contains(r.Limits, limitClaimed) {
		t.Errorf("limits %v don't say that the time is only claimed", r.Limits)
	}
}

func TestExitCodesFollowTheVerdict(t *testing.T) {
	for v, want := range map[Verdict]int{Passed: 0, Failed: 1, Indeterminate: 2, NoSignature: 3, Unreadable: 3} {
		if got := v.ExitCode(); got != want {
			t.Errorf("%s exits with %d, want %d", v, got, want)
		}
	}
}

func TestWhatIsNotSignedIsCalledSo(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		data []byte
		want Verdict
	}{
		"an unsigned document": {base(), NoSignature},
		"an empty file":        {nil, Unreadable},
		"a text file":          {[]byte("xin chào\n"), Unreadable},
		"a cut-off unsigned":   {base()[:400], Unreadable},
		"a cut-off signed":     {w.sign(t, base(), "customer", w.customer, nil)[:4000], Failed},
	} {
		if r := Verify(c.data, w.policy()); r.Verdict != c.want {
			t.Errorf("%s: %s, want %s", name, r.Verdict, c.want)
		}
	}
}
