package verify

import (
	"fmt"
	"strconv"
	"strings"

	"countersign/internal/clock"
	"countersign/internal/locale"
)

// summarize says the report in one sentence a language.
func summarize(r Report) Summary {
	return Summary{
		Vietnamese: sentence(r, locale.Vietnamese),
		English:    sentence(r, locale.English),
		Chinese:    sentence(r, locale.Chinese),
	}
}

func sentence(r Report, l locale.Lang) string {
	args := locale.Args{"count": strconv.Itoa(len(r.Signatures)), "field": r.subject}
	switch r.Verdict {
	case Passed:
		if len(r.Signatures) == 1 {
			return locale.Text(l, "verify.summary.passed_one", args)
		}
		return locale.Text(l, "verify.summary.passed_many", args)
	case Failed, Indeterminate:
		key := "verify.summary.indeterminate"
		if r.Verdict == Failed {
			key = "verify.summary.failed"
		}
		args["problem"] = locale.Text(l, "verify.problem."+r.Problem, nil)
		if r.subject != "" {
			key += "_field"
		}
		return locale.Text(l, key, args)
	}
	return locale.Text(l, "verify.problem."+r.Problem, nil)
}

// Text renders the report as one page for people, the plain sentence first.
func Text(r Report, l locale.Lang) string {
	var b strings.Builder
	line := func(key string, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", locale.Text(l, "verify.label."+key, nil), value)
		}
	}
	fmt.Fprintf(&b, "%s\n\n", sentence(r, l))
	line("verdict", strings.TrimSpace(string(r.Verdict)+" "+r.Sub))
	line("file", locale.Text(l, "verify.file", locale.Args{"size": strconv.Itoa(r.File.Size), "revisions": strconv.Itoa(r.File.Revisions)}))
	line("sha256", r.File.SHA256)
	line("detail", r.Detail)
	for i, s := range r.Signatures {
		fmt.Fprintf(&b, "\n%d. %s\n", i+1, s.Field)
		s.text(l, func(key, value string) {
			if value != "" {
				fmt.Fprintf(&b, "   %s: %s\n", locale.Text(l, "verify.label."+key, nil), value)
			}
		})
	}
	if len(r.ChangeList) > 0 {
		fmt.Fprintf(&b, "\n%s\n", locale.Text(l, "verify.label.changes", nil))
		for _, c := range r.ChangeList {
			mark := "+"
			if !c.Permitted {
				mark = "!"
			}
			fmt.Fprintf(&b, " %s %s\n", mark, locale.Text(l, "verify.change", locale.Args{
				"revision": strconv.Itoa(c.Revision), "object": c.Object, "reason": locale.Text(l, "verify.reason."+c.Reason, nil),
			}))
		}
	}
	if len(r.Limits) > 0 {
		fmt.Fprintf(&b, "\n%s\n", locale.Text(l, "verify.label.limits", nil))
		for _, code := range r.Limits {
			fmt.Fprintf(&b, " - %s\n", locale.Text(l, "verify.limit."+code, nil))
		}
	}
	return b.String()
}

func (s Signature) text(l locale.Lang, line func(key, value string)) {
	when := func(m Moment) string {
		if m.IsZero() {
			return ""
		}
		return m.In(clock.Vietnam).Format("15:04:05 02/01/2006 -07:00")
	}
	finding := "verify.finding.good"
	if s.Problem != "" {
		finding = "verify.problem." + s.Problem
	}
	line("finding", locale.Text(l, finding, nil))
	line("kind", locale.Text(l, "verify.kind."+s.Kind, nil))
	line("signer", s.Signer)
	line("reason", s.Reason)
	line("claimed", when(s.ClaimedTime))
	proven := when(s.ProvenTime)
	if proven != "" && s.Timestamp.Authority != "" {
		proven += " (" + s.Timestamp.Authority + ")"
	}
	line("proven", proven)
	line("algorithm", strings.TrimSpace(s.Algorithm+" "+s.Level))
	line("coverage", locale.Text(l, "verify.coverage."+s.Coverage, nil))
	chain := make([]string, len(s.Chain))
	for i, c := range s.Chain {
		chain[i] = locale.Text(l, "verify.chain."+c.Status, locale.Args{"subject": c.Subject})
	}
	line("chain", strings.Join(chain, " < "))
	line("list", s.List)
	for _, m := range s.Missing {
		line("missing", locale.Text(l, "verify.missing."+m, nil))
	}
}
