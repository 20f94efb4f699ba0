package verify

import (
	"bytes"
	"crypto/x509"
	"errors"
	"time"

	"countersign/signing/ca"
	"countersign/signing/cms"
)

// drift is how far a claimed time may lie behind the clock of whoever asks.
const drift = 5 * time.Minute

// judgeTrust finds out when each signature was made, as far as that is proven, and whether its chain held then.
func (v *verification) judgeTrust() {
	for _, s := range v.found {
		if !s.intact || s.token == nil {
			continue
		}
		links, p := v.follow(s.token.Message, s.token.Time, x509.ExtKeyUsageTimeStamping)
		if s.document {
			s.chain, s.trusted = links, p == nil
		}
		if s.stamped = p == nil; s.stamped {
			s.proven = s.token.Time
			if s.token.Message.Signer.NotAfter.Before(v.policy.At) {
				v.limit(limitTSAExpired)
			}
		} else if s.problem == nil {
			s.problem = p
		}
	}
	for i, s := range v.found {
		if s.message == nil || s.document {
			continue
		}
		at, p := v.moment(s, v.found[i+1:])
		links, q := v.follow(s.message, at, x509.ExtKeyUsageAny)
		s.chain, s.trusted = links, q == nil || q == expiredProblem || q == earlyProblem
		if s.problem != nil || !s.intact {
			continue
		}
		if s.problem = q; q == nil {
			s.problem = p
		}
	}
}

// moment returns the time at which the signer's certificate must have been valid.
//
// It is the signature's timestamp, else the earliest timestamp of a later signature (which covers this one) if the
// certificate was valid then, else the claimed time. A claimed time proves nothing by itself: besides it, the
// certificate must still be valid when the question is asked, unless it is a one-off certificate, whose life is
// over by design.
func (v *verification) moment(s *found, later []*found) (time.Time, *problem) {
	if s.stamped {
		return s.token.Time, nil
	}
	signer := s.message.Signer
	for _, l := range later {
		if l.stamped && l.intact && !l.token.Time.After(signer.NotAfter) && (s.proven.IsZero() || l.token.Time.Before(s.proven)) {
			s.proven = l.token.Time
		}
	}
	if !s.proven.IsZero() {
		return s.proven, nil
	}
	v.limit(limitClaimed)
	if s.claimed.IsZero() {
		return v.policy.At, nil
	}
	if s.claimed.After(v.policy.At.Add(drift)) {
		return s.claimed, futureProblem
	}
	if mark, _ := ca.ReadMark(signer); mark.Kind != ca.KindOTP && v.policy.At.After(signer.NotAfter) {
		return s.claimed, expiredProblem
	}
	return s.claimed, nil
}

// follow builds the signer's chain to a root of the policy at a time.
func (v *verification) follow(m *cms.Message, at time.Time, usage x509.ExtKeyUsage) ([]Link, *problem) {
	options := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(),
		CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{usage},
	}
	for _, c := range v.policy.Roots {
		options.Roots.AddCert(c)
	}
	for _, c := range m.Certificates {
		options.Intermediates.AddCert(c)
	}
	chains, err := m.Signer.Verify(options)
	if err == nil {
		var links []Link
		for i, c := range chains[0] {
			status := "valid"
			if i == len(chains[0])-1 {
				status = "root"
			}
			links = append(links, link(c, status))
		}
		return links, nil
	}
	links, complete := v.names(m, at)
	return links, v.chainFailure(m, at, err, complete)
}

func link(c *x509.Certificate, status string) Link {
	return Link{Subject: clean(c.Subject.String()), Issuer: clean(c.Issuer.String()), Status: status}
}

// chainFailure names why no chain was found.
func (v *verification) chainFailure(m *cms.Message, at time.Time, err error, complete bool) *problem {
	if brokenLink(m) {
		return certificateProblem
	}
	var invalid x509.CertificateInvalidError
	if !complete {
		return chainProblem
	}
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		if at.Before(invalid.Cert.NotBefore) {
			return earlyProblem
		}
		return expiredProblem
	}
	if errors.As(err, &invalid) {
		return usageProblem
	}
	return chainProblem
}

// brokenLink reports whether an embedded certificate names another as its issuer that did not sign it.
func brokenLink(m *cms.Message) bool {
	for _, c := range m.Certificates {
		named, signed := false, false
		for _, parent := range m.Certificates {
			if c == parent || !bytes.Equal(c.RawIssuer, parent.RawSubject) && (len(c.AuthorityKeyId) == 0 || !bytes.Equal(c.AuthorityKeyId, parent.SubjectKeyId)) {
				continue
			}
			named = true
			signed = signed || c.CheckSignatureFrom(parent) == nil
		}
		if named && !signed {
			return true
		}
	}
	return false
}

// names lists the certificates from the signer up by their names only, for a chain that does not hold; complete
// says whether it reaches a root of the policy.
func (v *verification) names(m *cms.Message, at time.Time) (links []Link, complete bool) {
	for c := m.Signer; c != nil && len(links) <= len(m.Certificates); {
		status := "untrusted"
		if at.After(c.NotAfter) {
			status = "expired"
		} else if at.Before(c.NotBefore) {
			status = "not_yet_valid"
		}
		links = append(links, link(c, status))
		for _, root := range v.policy.Roots {
			if bytes.Equal(root.RawSubject, c.RawIssuer) && c.CheckSignatureFrom(root) == nil {
				return append(links, link(root, "root")), true
			}
		}
		var up *x509.Certificate
		for _, parent := range m.Certificates {
			if parent != c && bytes.Equal(parent.RawSubject, c.RawIssuer) {
				up = parent
			}
		}
		c = up
	}
	return links, false
}
