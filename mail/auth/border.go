package auth

import (
	"strings"

	"github.com/emersion/go-msgauth/authres"

	"countersign/mail"
)

// border takes the results that our own mail server wrote. It reports false when there are none to believe.
func (j *judge) border() bool {
	if j.policy.AuthServID == "" {
		for _, f := range j.message.Header {
			if f.Is("Authentication-Results") {
				j.good("results_ignored", nil)
				break
			}
		}
		return false
	}
	received, taken, closed := 0, false, false
	for _, f := range j.message.Header {
		if f.Is("Received") {
			received++
			// The results of one server stand together; what comes below another hop came with the mail.
			closed = closed || taken
			continue
		}
		if !f.Is("Authentication-Results") {
			continue
		}
		id, results, err := authres.Parse(f.Value)
		if !strings.EqualFold(strings.TrimSpace(id), j.policy.AuthServID) {
			continue
		}
		if err != nil || closed || received > j.policy.Hops {
			j.bad("results_forged", map[string]string{"server": j.policy.AuthServID})
			continue
		}
		taken = true
		j.take(results, f.Value)
	}
	if taken {
		j.verdict.Source = "border"
	}
	return taken
}

// take uses one field's results; the first result of a method that says more than none counts.
func (j *judge) take(results []authres.Result, raw string) {
	v := j.verdict
	for _, r := range results {
		switch r := r.(type) {
		case *authres.DKIMResult:
			domain := r.Domain
			if domain == "" {
				_, domain, _ = strings.Cut(r.Identifier, "@")
			}
			j.dkim(mail.Result(r.Value), domain)
		case *authres.SPFResult:
			if v.SPF == mail.ResultNone {
				domain := r.From
				if i := strings.LastIndexByte(domain, '@'); i >= 0 {
					domain = domain[i+1:]
				}
				if domain == "" {
					domain = r.Helo
				}
				j.spf(mail.Result(r.Value), domain)
			}
		case *authres.DMARCResult:
			if v.DMARC == mail.ResultNone && (r.From == "" || normalDomain(r.From) == j.domain) {
				v.DMARC = mail.Result(r.Value)
				if v.DMARC == mail.ResultPass && v.Domain == "" && j.domain != "" {
					v.Domain = j.domain
				}
				if v.DMARC == mail.ResultFail {
					// Our server may write the wish of the domain as a comment, as many do.
					j.strict = wish(raw)
					j.bad("dmarc_fail", map[string]string{"domain": j.domain})
				}
			}
		}
	}
}

// dkim takes one signature's result.
func (j *judge) dkim(r mail.Result, domain string) {
	v := j.verdict
	if r != mail.ResultPass {
		if v.DKIM == mail.ResultNone || v.DKIM == mail.ResultUnchecked {
			v.DKIM = r
		}
		return
	}
	v.Signers = append(v.Signers, domain)
	if v.DKIM != mail.ResultPass {
		v.DKIM = mail.ResultPass
	}
	if aligned(domain, j.domain, false) {
		v.Domain = normalDomain(domain)
	}
}

func (j *judge) spf(r mail.Result, domain string) {
	j.verdict.SPF = r
	if r == mail.ResultPass && j.verdict.Domain == "" && aligned(domain, j.domain, false) {
		j.verdict.Domain = normalDomain(domain)
	}
}

// wish reads what a domain asks for from the comment beside a DMARC result: (p=REJECT sp=NONE …).
func wish(field string) string {
	field = strings.ToLower(field)
	for _, w := range []string{"reject", "quarantine"} {
		if strings.Contains(field, "p="+w) || strings.Contains(field, "policy="+w) {
			return w
		}
	}
	return "none"
}
