package verify

import (
	"crypto/x509"
	"slices"
	"time"
)

// The PAdES baseline levels (EN 319 142-1 §6), and what the next one wants.
const (
	levelBB   = "B-B"
	levelBT   = "B-T"
	levelBLT  = "B-LT"
	levelBLTA = "B-LTA"

	missingTimestamp = "signature_timestamp"
	missingStatus    = "revocation_data"
	missingArchive   = "document_timestamp"
)

// reached is the level of one signature.
type reached struct {
	level   string
	missing []string
}

// Lack is a certificate whose revocation status the file does not prove.
type Lack struct {
	Certificate, Issuer *x509.Certificate
	Since               time.Time // the moment that a statement about it must reach
}

// Standing is a report with what it takes to raise the level.
type Standing struct {
	Report Report
	// Level is the lowest level of all signatures that are no document timestamps; "" when there is none that reaches
	// one.
	Level string
	// Lacks is what B-LT wants.
	Lacks []Lack
	// Ageing is what must be added besides before a new document timestamp may take over from the last.
	Ageing []Lack
	// Until is when the last document timestamp ceases to prove: its certificate's end. Zero when there is none.
	Until time.Time
	// Apart are the certificates of the chains that the signatures don't carry themselves; roots are not among them.
	Apart []*x509.Certificate
}

// judgeLevels says which level each signature reached. B-T: a timestamp of its own or a later one proves its time. B-LT:
// the file proves the status of every certificate of the signer and of that timestamp. B-LTA: a document timestamp
// covers that proof.
func (v *verification) judgeLevels() {
	for _, s := range v.found {
		if s.document || !s.intact {
			continue
		}
		s.reached = v.reach(s)
	}
}

func (v *verification) reach(s *found) reached {
	if s.proof == nil {
		return reached{levelBB, []string{missingTimestamp}}
	}
	proofs, complete := s.proofs()
	if !complete || s.signers == nil {
		return reached{levelBT, []string{missingStatus}}
	}
	newest := s.proof.revision
	for _, e := range proofs {
		newest = max(newest, e.revision)
	}
	for _, d := range v.found {
		if d.document && d.stamped && d.revision > newest {
			return reached{levelBLTA, []string{}}
		}
	}
	return reached{levelBLT, []string{missingArchive}}
}

// proofs returns what the file holds about the certificates of the signature and of the timestamp that proves its time.
func (s *found) proofs() (all []evidence, complete bool) {
	all = slices.Clone(s.evidence)
	if s.proof != nil && s.proof != s {
		all = append(all, s.proof.evidence...)
	}
	complete = true
	for _, e := range all {
		complete = complete && e.known
	}
	return all, complete
}

// standing gathers what it takes to raise the level.
func (v *verification) standing(r Report) Standing {
	out := Standing{Report: r}
	order := []string{"", levelBB, levelBT, levelBLT, levelBLTA}
	for i, s := range v.found {
		if !s.document {
			if level := s.reached.level; i == 0 || out.Level == "" || slices.Index(order, level) < slices.Index(order, out.Level) {
				out.Level = level
			}
			proofs, _ := s.proofs()
			out.Lacks = lacking(out.Lacks, proofs)
		} else if s.stamped {
			out.Until = s.authority[0].NotAfter
			for _, c := range s.authority {
				if c.NotAfter.Before(out.Until) {
					out.Until = c.NotAfter
				}
			}
		}
		for _, chain := range [][]*x509.Certificate{s.signers, s.authority} {
			out.Apart = v.apart(out.Apart, s, chain)
		}
	}
	for _, s := range v.found {
		out.Ageing = lacking(out.Ageing, s.evidence)
	}
	return out
}

func lacking(list []Lack, proofs []evidence) []Lack {
	for _, e := range proofs {
		if e.strict {
			continue
		}
		i := slices.IndexFunc(list, func(l Lack) bool { return l.Certificate.Equal(e.lack.Certificate) })
		switch {
		case i < 0:
			list = append(list, e.lack)
		case list[i].Since.Before(e.lack.Since):
			list[i].Since = e.lack.Since
		}
	}
	return list
}

// apart adds the certificates of a chain that neither the signature nor the document security store holds.
func (v *verification) apart(list []*x509.Certificate, s *found, chain []*x509.Certificate) []*x509.Certificate {
	if len(chain) == 0 {
		return list
	}
	held := slices.Concat(list, v.spare, s.message.Certificates)
	if s.token != nil {
		held = append(held, s.token.Message.Certificates...)
	}
	for _, c := range chain[:len(chain)-1] {
		if !slices.ContainsFunc(held, c.Equal) {
			list = append(list, c)
		}
	}
	return list
}
