package verify

import (
	"crypto/x509"
	"slices"
	"time"

	"countersign/signing/pdf"
	"countersign/signing/revoke"
)

func newVerification(f *pdf.File, data []byte, p Policy) *verification {
	v := &verification{file: f, data: data, policy: p, roots: x509.NewCertPool(), anchors: p.Trusted()}
	v.chains = p.Chains.serving(v.anchors)
	for _, c := range v.anchors {
		v.roots.AddCert(c)
	}
	return v
}

// gather reads the validation data of the file and of the policy. What can't be read is left out, and the limits say so:
// nothing that is wrong in it can make a signature better.
func (v *verification) gather() {
	store, err := v.file.DSS(len(v.file.Revisions) - 1)
	if err != nil || store.Unreadable > 0 {
		v.limit(limitMaterial)
	}
	for _, b := range store.Certificates {
		if c, err := x509.ParseCertificate(b.Data); err == nil {
			v.spare = append(v.spare, c)
		} else {
			v.limit(limitMaterial)
		}
	}
	for _, b := range store.OCSPs {
		v.keep(b, v.pool.AddOCSP)
	}
	for _, b := range store.CRLs {
		v.keep(b, v.pool.AddCRL)
	}
	for _, s := range v.found {
		if s.message == nil || s.ours {
			continue
		}
		for _, der := range s.message.OCSPs {
			v.keep(pdf.Blob{Data: der, Revision: s.revision}, v.pool.AddOCSP)
		}
		for _, der := range s.message.CRLs {
			v.keep(pdf.Blob{Data: der, Revision: s.revision}, v.pool.AddCRL)
		}
	}
	for _, der := range v.policy.Material.Certificates {
		if c, err := x509.ParseCertificate(der); err == nil {
			v.spare = append(v.spare, c)
		}
	}
	for _, der := range v.policy.Material.OCSPs {
		v.outside.AddOCSP(der) // an unreadable one says nothing, and the status is missing then
	}
	for _, der := range v.policy.Material.CRLs {
		v.outside.AddCRL(der)
	}
}

func (v *verification) keep(b pdf.Blob, add func([]byte) (int, error)) {
	if _, err := add(b.Data); err != nil {
		v.limit(limitMaterial)
		return
	}
	v.origin = append(v.origin, b.Revision)
}

// evidence is what was found out about one certificate of a chain.
type evidence struct {
	lack     Lack
	known    bool // the file itself holds the proof
	strict   bool // and that was made after the moment in question
	revision int  // where it lies
}

// status asks the file's statements, and the policy's where the file's don't suffice.
func (v *verification) status(s *found, cert, issuer *x509.Certificate, at time.Time) revoke.Status {
	st := v.pool.Status(cert, issuer, at, v.policy.At.Add(drift))
	e := evidence{lack: Lack{Certificate: cert, Issuer: issuer, Since: at}}
	if st.State == revoke.Good || st.State == revoke.Revoked {
		// The proof that was there first: a later one, for a later signature, takes nothing away from it.
		for _, proof := range st.Proofs {
			strict, revision := st.State == revoke.Revoked || cert.IsCA || !proof.This.Before(at), v.origin[proof.Index]
			if !e.known || strict && !e.strict || strict == e.strict && revision < e.revision {
				e.known, e.strict, e.revision = true, strict, revision
			}
		}
	}
	s.evidence = append(s.evidence, e)
	if out := v.outside.Status(cert, issuer, at, v.policy.At.Add(drift)); out.State == revoke.Revoked || !e.known && out.State != revoke.None {
		return out
	}
	return st
}

// tokenStatus asks whether the authority of a timestamp may be believed. When its certificate was revoked, the
// timestamp must be proven to be older, or the key must have been taken out of use without a fault (RFC 3161 §4).
func (v *verification) tokenStatus(s *found, chain []*x509.Certificate, proven time.Time, covered bool) *problem {
	for i, c := range chain[:len(chain)-1] {
		st := v.status(s, c, chain[i+1], s.token.Time)
		switch st.State {
		case revoke.Good:
		case revoke.Revoked:
			older := covered && proven.Before(st.Revoked) || st.Benign() && s.token.Time.Before(st.Revoked)
			if !older && i == 0 {
				return stampedProblem
			}
			if !older {
				return aboveProblem
			}
		default:
			if p := v.unsettled(st, s.document); p != nil {
				return p
			}
		}
	}
	return nil
}

// unsettled judges a certificate whose status is not known at the moment in question. Where nobody says anything the
// policy decides; data that is there but does not reach the moment can't be called a proof. About the authority of a
// document timestamp nothing newer can be in the file, because the timestamp closes it.
func (v *verification) unsettled(st revoke.Status, last bool) *problem {
	v.blind = true
	if v.policy.Status || st.State != revoke.None && !last {
		return laterProblem
	}
	return nil
}

// signerStatus asks whether a certificate of the signer's chain was revoked when the signature was made (EN 319 102-1
// §5.2.6 and §5.5). A signature that is proven to be older than the revocation counts. One that is proven to be younger,
// by an earlier timestamp that it covers, fails; of others nobody knows.
func (v *verification) signerStatus(s *found, chain []*x509.Certificate, links []Link, at time.Time, earlier []*found) *problem {
	if s.proof == nil && !oneOff(chain[0]) {
		at = v.policy.At
	}
	for i, c := range chain[:len(chain)-1] {
		st := v.status(s, c, chain[i+1], at)
		switch st.State {
		case revoke.Good:
			continue
		case revoke.Revoked:
			if s.proof != nil && s.proven.Before(st.Revoked) {
				continue
			}
			links[i].Status = "revoked"
			if i > 0 {
				return aboveProblem
			}
			if !st.Revoked.After(after(chain[0], earlier)) {
				return revokedProblem
			}
			return withdrawnProblem
		}
		if p := v.unsettled(st, false); p != nil {
			return p
		}
	}
	return nil
}

// after returns a time before which the signature can't have been made: it covers the earlier timestamps, and its
// certificate must have been there.
func after(signer *x509.Certificate, earlier []*found) time.Time {
	at := signer.NotBefore
	for _, e := range earlier {
		if e.stamped && e.intact && e.token.Time.After(at) {
			at = e.token.Time
		}
	}
	return at
}

// canonical reports whether a revision that adds validation data is, byte for byte, the one that pdf.AppendMaterial
// makes of what it adds; then no bit of it can have changed but in the data, which is signed by others.
func (v *verification) canonical(k int) bool {
	store, err := v.file.DSS(k)
	if err != nil || store.Unreadable > 0 {
		return false
	}
	added := func(list []pdf.Blob) (out [][]byte) {
		for _, b := range list {
			if b.Revision == k {
				out = append(out, b.Data)
			}
		}
		return out
	}
	start, end := v.file.Revisions[k].Span.Start, v.file.Revisions[k].Span.End
	again, err := pdf.AppendMaterial(v.data[:start], pdf.Material{
		Certificates: added(store.Certificates), OCSPs: added(store.OCSPs), CRLs: added(store.CRLs),
	})
	return err == nil && slices.Equal(again, v.data[:end]) && v.genuine(store, k)
}

// genuine reports whether all validation data that revision k added was signed by who it says: a certificate by one
// of the document, a statement by the issuer of a certificate of the document.
func (v *verification) genuine(store pdf.DSS, k int) bool {
	var all []*x509.Certificate
	all = append(append(all, v.anchors...), v.spare...)
	for _, s := range v.found {
		all = append(append(all, s.signers...), s.authority...)
	}
	for _, b := range store.Certificates {
		c, err := x509.ParseCertificate(b.Data)
		if b.Revision == k && (err != nil || !slices.ContainsFunc(all, func(p *x509.Certificate) bool { return c.CheckSignatureFrom(p) == nil })) {
			return false
		}
	}
	used := make(map[int]bool)
	for _, s := range v.found {
		for _, chain := range [][]*x509.Certificate{s.signers, s.authority} {
			for i := 0; i+1 < len(chain); i++ {
				for _, n := range v.pool.About(chain[i], chain[i+1]) {
					used[n] = true
				}
			}
		}
	}
	for n, revision := range v.origin {
		if revision == k && !used[n] {
			return false
		}
	}
	return len(v.origin) == len(store.OCSPs)+len(store.CRLs)
}
