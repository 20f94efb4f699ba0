package verify

import (
	"bytes"
	"crypto/x509"
	"errors"
	"time"

	"countersign/signing/ca"
	"countersign/signing/cms"
)

// maxChecks bounds how many signatures on certificates are checked for a file beside those of chains.
const maxChecks = 2000

// drift is how far a claimed time may lie behind the clock of whoever asks.
const drift = 5 * time.Minute

// judgeTrust finds out when each signature was made, as far as that is proven, and whether its chain held then. The
// timestamps come first, the last of them before all others: what it covers it proves.
func (v *verification) judgeTrust() {
	v.gather()
	for i := len(v.found) - 1; i >= 0; i-- {
		v.judgeToken(v.found[i], v.found[i+1:])
	}
	for i, s := range v.found {
		if s.message != nil && !s.document {
			v.judgeSigner(s, v.found[:i], v.found[i+1:])
		}
	}
}

// judgeToken judges the chain of a timestamp.
func (v *verification) judgeToken(s *found, later []*found) {
	if !s.intact || s.token == nil {
		return
	}
	signer := s.token.Message.Signer
	chain, links, p := v.follow(s.token.Message, s.token.Time, x509.ExtKeyUsageTimeStamping)
	proven, covered := covering(later)
	if p == nil {
		s.authority = chain
		p = v.tokenStatus(s, chain, proven, covered)
	}
	if s.document {
		if len(chain) > 0 {
			links = linksOf(chain)
		}
		s.chain, s.trusted = links, p == nil
		if len(chain) > 0 {
			s.list = v.policy.list(chain[len(chain)-1])
		}
	}
	if s.stamped = p == nil; s.stamped {
		s.proven = s.token.Time
		if signer.NotAfter.Before(v.policy.At) && !(covered && !proven.After(signer.NotAfter)) {
			v.limit(limitTSAExpired)
		}
	} else if s.problem == nil {
		s.problem = p
	}
}

// covering returns the earliest time at which a later timestamp proves that what came before it existed.
func covering(later []*found) (at time.Time, ok bool) {
	for _, l := range later {
		if l.stamped && l.intact && (!ok || l.token.Time.Before(at)) {
			at, ok = l.token.Time, true
		}
	}
	return at, ok
}

// judgeSigner judges the chain of a signature.
func (v *verification) judgeSigner(s *found, earlier, later []*found) {
	at, p := v.moment(s, later)
	chain, links, q := v.follow(s.message, at, x509.ExtKeyUsageAny)
	var r *problem
	if q == nil {
		links = linksOf(chain)
	}
	if q == nil && s.intact {
		s.signers = chain
		r = v.signerStatus(s, chain, links, at, earlier)
	}
	if q == nil {
		s.list = v.policy.list(chain[len(chain)-1])
		if v.policy.Only != "" && s.list != v.policy.Only {
			q = listProblem
		}
	}
	s.chain, s.trusted = links, (q == nil || q == expiredProblem || q == earlyProblem) && (r == nil || r == laterProblem)
	if s.problem != nil || !s.intact {
		return
	}
	switch {
	case q != nil:
		s.problem = q
	case p != nil && (r == nil || r.verdict != Failed):
		s.problem = p
	default:
		s.problem = r
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
		s.proof = s
		return s.token.Time, nil
	}
	signer := s.message.Signer
	for _, l := range later {
		if l.stamped && l.intact && !l.token.Time.After(signer.NotAfter) && (s.proven.IsZero() || l.token.Time.Before(s.proven)) {
			s.proven, s.proof = l.token.Time, l
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
	if !oneOff(signer) && v.policy.At.After(signer.NotAfter) {
		return s.claimed, expiredProblem
	}
	return s.claimed, nil
}

// follow builds the signer's chain to a root of the policy at a time. The chain is the signer first; where there is none,
// the links say by their names why.
func (v *verification) follow(m *cms.Message, at time.Time, usage x509.ExtKeyUsage) ([]*x509.Certificate, []Link, *problem) {
	key := chainKey{string(m.Signer.Raw), usage}
	if chain := v.chains.get(key); chain != nil && validAt(chain, at) {
		return chain, nil, nil
	}
	options := x509.VerifyOptions{
		Roots: v.roots, Intermediates: x509.NewCertPool(),
		CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{usage},
	}
	for _, c := range m.Certificates {
		options.Intermediates.AddCert(c)
	}
	for _, c := range v.spare {
		options.Intermediates.AddCert(c)
	}
	chains, err := m.Signer.Verify(options)
	if err == nil {
		v.chains.put(key, chains[0])
		return chains[0], nil, nil
	}
	links, complete := v.names(m, at)
	return nil, links, v.chainFailure(m, at, err, complete)
}

func validAt(chain []*x509.Certificate, at time.Time) bool {
	for _, c := range chain {
		if at.Before(c.NotBefore) || at.After(c.NotAfter) {
			return false
		}
	}
	return true
}

func linksOf(chain []*x509.Certificate) []Link {
	links := make([]Link, len(chain))
	for i, c := range chain {
		links[i] = Link{Subject: clean(c.Subject.String()), Status: "valid"}
	}
	// Each is issued by the next, the root by itself: their names need not be written again.
	last := len(links) - 1
	for i := range links {
		links[i].Issuer = links[min(i+1, last)].Subject
		if !bytes.Equal(chain[i].RawIssuer, chain[min(i+1, last)].RawSubject) {
			links[i].Issuer = clean(chain[i].Issuer.String())
		}
	}
	links[last].Status = "root"
	return links
}

func link(c *x509.Certificate, status string) Link {
	return Link{Subject: clean(c.Subject.String()), Issuer: clean(c.Issuer.String()), Status: status}
}

// chainFailure names why no chain was found.
func (v *verification) chainFailure(m *cms.Message, at time.Time, err error, complete bool) *problem {
	if v.brokenLink(m) {
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

// brokenLink reports whether an embedded certificate names another as its issuer, by name and key, that did not sign it.
func (v *verification) brokenLink(m *cms.Message) bool {
	for _, c := range m.Certificates {
		named, signed := false, false
		for _, parent := range m.Certificates {
			same := bytes.Equal(c.RawIssuer, parent.RawSubject)
			keys := len(c.AuthorityKeyId) > 0 && len(parent.SubjectKeyId) > 0
			if c == parent || keys && !bytes.Equal(c.AuthorityKeyId, parent.SubjectKeyId) || !keys && !same {
				continue
			}
			if v.checks++; v.checks > maxChecks {
				return false
			}
			err := parent.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
			var insecure x509.InsecureAlgorithmError
			named = true
			signed = signed || err == nil || errors.As(err, &insecure) || errors.Is(err, x509.ErrUnsupportedAlgorithm)
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
		for _, root := range v.anchors {
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

// oneOff reports whether a certificate was made for one signature: its life is over by design when anybody asks.
func oneOff(c *x509.Certificate) bool {
	mark, _ := ca.ReadMark(c)
	return mark.Kind == ca.KindOTP
}
