package auth

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/emersion/go-msgauth/dkim"

	"countersign/mail"
)

// Limits of our own checks: a mail may not make us ask the DNS without end.
const (
	maxSignatures = 5
	maxLookups    = 10 // RFC 7208 §4.6.4
	maxVoid       = 2
)

// own checks DKIM, SPF and DMARC by itself.
func (j *judge) own(ctx context.Context, e Envelope) {
	signed := false
	for _, f := range j.message.Header {
		signed = signed || f.Is("DKIM-Signature")
	}
	if j.policy.Resolver == nil {
		if signed {
			j.verdict.DKIM = mail.ResultUnchecked
		}
		return
	}
	j.verdict.Source = "own"
	if signed {
		j.signatures(ctx)
	}
	spfDomain := ""
	if e.IP.IsValid() {
		var r mail.Result
		r, spfDomain = SPF(ctx, j.policy.Resolver, e)
		j.verdict.SPF = r
	}
	j.dmarc(ctx, spfDomain)
}

// signatures verifies the first few DKIM signatures over the mail as it came.
func (j *judge) signatures(ctx context.Context) {
	raw := j.message.Raw
	if !bytes.Contains(raw[:min(len(raw), 4096)], []byte("\r\n")) {
		raw = bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
	}
	results, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{
		MaxVerifications: maxSignatures,
		LookupTXT: func(name string) ([]string, error) {
			txt, err := j.policy.Resolver.TXT(ctx, name)
			if errors.Is(err, ErrNoRecord) {
				return nil, nil
			}
			return txt, err
		},
	})
	if err != nil && !errors.Is(err, dkim.ErrTooManySignatures) {
		j.verdict.DKIM = mail.ResultPermError
		return
	}
	for _, r := range results {
		switch {
		case r.Err == nil:
			j.dkim(mail.ResultPass, r.Domain)
		case dkim.IsTempFail(r.Err):
			j.dkim(mail.ResultTempError, r.Domain)
		case dkim.IsPermFail(r.Err):
			j.dkim(mail.ResultPermError, r.Domain)
		default:
			j.dkim(mail.ResultFail, r.Domain)
		}
	}
	// What a valid signature proves is settled with the domain's own wish about alignment.
	j.verdict.Domain = ""
}

// record is a domain's DMARC policy (RFC 7489 §6.3).
type record struct {
	policy     string
	strictDKIM bool
	strictSPF  bool
}

// dmarc looks the domain's policy up and aligns what was proven with it.
func (j *judge) dmarc(ctx context.Context, spfDomain string) {
	v := j.verdict
	if !j.sole || j.domain == "" {
		v.DMARC = mail.ResultNone
		return
	}
	rec, result := findPolicy(ctx, j.policy.Resolver, j.domain)
	for _, d := range v.Signers {
		if aligned(d, j.domain, rec.strictDKIM) {
			v.Domain = normalDomain(d)
		}
	}
	if v.Domain == "" && v.SPF == mail.ResultPass && aligned(spfDomain, j.domain, rec.strictSPF) {
		v.Domain = normalDomain(spfDomain)
	}
	switch {
	case result != mail.ResultPass:
		v.DMARC = result
	case v.Domain != "":
		v.DMARC = mail.ResultPass
	case v.DKIM == mail.ResultTempError || v.SPF == mail.ResultTempError:
		v.DMARC = mail.ResultTempError
	default:
		v.DMARC = mail.ResultFail
		j.strict = rec.policy
		j.bad("dmarc_fail", map[string]string{"domain": j.domain})
	}
}

// findPolicy asks for the domain's own record, then for that of its organisation. The result is pass when there is one.
func findPolicy(ctx context.Context, r Resolver, domain string) (record, mail.Result) {
	names := []string{domain}
	if org := organisation(domain); org != domain {
		names = append(names, org)
	}
	for i, name := range names {
		txt, err := r.TXT(ctx, "_dmarc."+name)
		if err != nil && !errors.Is(err, ErrNoRecord) {
			return record{}, mail.ResultTempError
		}
		var found []record
		for _, t := range txt {
			if rec, ok := parsePolicy(t, i > 0); ok {
				found = append(found, rec)
			}
		}
		if len(found) == 1 {
			return found[0], mail.ResultPass
		}
		if len(found) > 1 {
			return record{}, mail.ResultPermError
		}
	}
	return record{}, mail.ResultNone
}

func parsePolicy(txt string, inherited bool) (record, bool) {
	tags := map[string]string{}
	for i, tag := range strings.Split(txt, ";") {
		name, value, ok := strings.Cut(tag, "=")
		if !ok {
			continue
		}
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if i == 0 && (name != "v" || value != "DMARC1") {
			return record{}, false
		}
		tags[name] = strings.ToLower(value)
	}
	if tags["v"] == "" {
		return record{}, false
	}
	rec := record{policy: tags["p"], strictDKIM: tags["adkim"] == "s", strictSPF: tags["aspf"] == "s"}
	if inherited && tags["sp"] != "" {
		rec.policy = tags["sp"]
	}
	switch rec.policy {
	case "none", "quarantine", "reject":
	default:
		rec.policy = "none"
	}
	return rec, true
}
