// Package auth says who really sent a mail, as a level with named reasons.
//
// It believes two sources only: the Authentication-Results that our own mail server wrote (named by its authserv-id,
// and standing above every Received field but those of our own servers), or its own checks of DKIM, SPF and DMARC with
// an injected resolver. What the mail says about itself is never proof, it can only speak against the sender. A domain
// counts as proven only when it is aligned with the one address in From. Names, look-alikes and replies that go
// elsewhere lower the level even of a mail whose domain is proven: an impostor's domain can be in perfect order.
// Start reading at Judge.
package auth

import (
	"context"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"countersign/mail"
)

// Policy is what the house knows about itself and about its mail server.
type Policy struct {
	// AuthServID is the name under which our own mail server writes Authentication-Results; that server must remove
	// foreign fields with this name (RFC 8601 §5). Empty: none are believed.
	AuthServID string
	// Hops is how many Received fields our own servers put above those results; 1 for one server.
	Hops int
	// Resolver asks the DNS for our own checks; nil: none are made.
	Resolver Resolver
	// Own are the domains that our staff sends from. Mail from them that is not proven is forged.
	Own []string
	// Known are other domains that impostors would imitate: those of the units we serve.
	Known []string
	// Names are words by which our house and its teams are known, for senders that carry them in their name.
	Names []string
}

// Envelope is what the mail server knew and the mail does not say. The zero value means unknown.
type Envelope struct {
	IP   netip.Addr
	From string // MAIL FROM; "" for the null sender or when unknown
	Helo string
}

// Judge weighs everything. smime is the verdict on the mail's signature, which can prove more than its domain.
func Judge(ctx context.Context, m *mail.Message, p Policy, e Envelope, smime mail.SMIME) mail.Verdict {
	v := mail.Verdict{DKIM: mail.ResultNone, SPF: mail.ResultNone, DMARC: mail.ResultNone, SMIME: smime}
	j := &judge{policy: p, message: m, verdict: &v}
	j.from, j.sole = m.Sole()
	j.domain = normalDomain(j.from.Domain())
	if !j.border() {
		j.own(ctx, e)
	}
	j.suspicions()
	v.Level = j.level()
	return v
}

type judge struct {
	policy  Policy
	message *mail.Message
	verdict *mail.Verdict
	from    mail.Address
	sole    bool
	domain  string // of From, in ASCII
	strict  string // what the domain asks for mail that fails DMARC: none, quarantine, reject
}

func (j *judge) good(code string, args map[string]string) {
	j.verdict.Reasons = append(j.verdict.Reasons, mail.Reason{Code: code, Args: args})
}

func (j *judge) bad(code string, args map[string]string) {
	j.verdict.Reasons = append(j.verdict.Reasons, mail.Reason{Code: code, Args: args, Bad: true})
}

// grave are the reasons that make a sender suspect whatever is proven: they are about whom people take them for.
func grave(code string) bool {
	switch code {
	case "no_from", "several_from", "name_shows_address", "name_is_ours", "look_alike", "mixed_letters", "smime_invalid":
		return true
	}
	return false
}

func (j *judge) level() mail.Level {
	v := j.verdict
	proven := mail.LevelUnproven
	switch {
	case j.sole && v.SMIME.Proves():
		proven = mail.LevelSigned
		j.good("signed", map[string]string{"signer": v.SMIME.Signer})
	case j.sole && v.Domain != "":
		proven = mail.LevelAligned
		j.good("aligned", map[string]string{"domain": v.Domain})
	}
	if j.claimsOurs() && !proven.Proven() {
		j.bad("ours_unproven", map[string]string{"domain": j.domain})
		return mail.LevelForged
	}
	if proven == mail.LevelUnproven && v.DMARC == mail.ResultFail && (j.strict == "reject" || j.strict == "quarantine") {
		j.bad("dmarc_refused", map[string]string{"domain": j.domain})
		return mail.LevelForged
	}
	suspect := false
	for _, r := range v.Reasons {
		if r.Bad && (grave(r.Code) || !proven.Proven()) {
			suspect = true
		}
	}
	if suspect {
		return mail.LevelSuspect
	}
	if proven == mail.LevelUnproven {
		j.good("nothing_proves", nil)
	}
	return proven
}

func (j *judge) claimsOurs() bool {
	for _, a := range j.message.From {
		d := normalDomain(a.Domain())
		for _, own := range j.policy.Own {
			if d != "" && under(d, normalDomain(own)) {
				return true
			}
		}
	}
	return false
}

// under reports whether a domain is the other one or lies below it.
func under(domain, top string) bool {
	return domain == top || strings.HasSuffix(domain, "."+top)
}

// normalDomain gives a domain its ASCII form in lower case; one that has none stays as it is.
func normalDomain(d string) string {
	d = strings.ToLower(strings.TrimSuffix(d, "."))
	if a, err := idna.Lookup.ToASCII(d); err == nil {
		return a
	}
	return d
}

// organisation is the domain that somebody registered: what DMARC calls the organizational domain.
func organisation(d string) string {
	if org, err := publicsuffix.EffectiveTLDPlusOne(d); err == nil {
		return org
	}
	return d
}

// aligned reports whether a proven domain speaks for the domain in From (RFC 7489 §3.1).
func aligned(proven, from string, strict bool) bool {
	proven = normalDomain(proven)
	if proven == "" || from == "" {
		return false
	}
	if strict {
		return proven == from
	}
	return organisation(proven) == organisation(from)
}
