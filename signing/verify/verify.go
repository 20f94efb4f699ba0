// Package verify judges signed PDF files: one strict verdict, with reasons.
//
// PASSED means that for every signature the bytes are those that were signed, that the signature covers its whole
// revision, that the hole has its one canonical content, that the chain ends at a root of the policy and that the
// certificate was valid at a proven time; and that later revisions only filled signature fields which stood empty in
// the signed document. One flipped bit anywhere in a file of ours makes it FAILED. Signatures by others are judged by
// what the standards ask: their messages may be encoded otherwise, a later signature may bring its own field, a certified
// document's form may be filled; the limits say where a signature is no PAdES baseline signature. Verify is pure: no
// network, no clock, no files.
//
// A later timestamp proves what it covers, and the document security store (DSS) says what became of the certificates:
// a signature whose certificate was revoked counts only when it is proven to be older. Without a timestamp, a one-off certificate is judged at the claimed time, and the report's limits say so. Start
// reading at Verify; signature.go judges one signature, changes.go what came after it in a document of ours, foreign.go in
// a document of others, trust.go chain and time,
// status.go revocation, level.go the level that was reached and what the next one wants.
package verify

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"countersign/signing/pdf"
	"countersign/signing/revoke"
)

// Policy says whom to trust, and at what time the question is asked.
type Policy struct {
	Roots []*x509.Certificate
	At    time.Time
	// Lists are more roots, by name, so that the report can say in which list a signer's root was.
	Lists []List
	// Only, when it is not empty, names the only list whose roots signers may have; timestamps may have any.
	Only string
	// Material is validation data that was got elsewhere, such as from the authorities just now. It counts beside what
	// the file holds, but for no level.
	Material pdf.Material
	// Status demands that every certificate's revocation status is known. Without it, one about which nobody says
	// anything is accepted, and the report's limits say so.
	Status bool
	// Chains remembers certificate chains from one document to the next; nil remembers nothing.
	Chains *Chains
}

// List is a list of roots with a name: public authorities, the government's, banks, the house's own.
type List struct {
	Name  string
	Roots []*x509.Certificate
}

// Trusted returns the roots of all lists, each once.
func (p Policy) Trusted() []*x509.Certificate {
	roots := slices.Clone(p.Roots)
	for _, l := range p.Lists {
		for _, c := range l.Roots {
			if !slices.ContainsFunc(roots, c.Equal) {
				roots = append(roots, c)
			}
		}
	}
	return roots
}

// list returns the name of the first list that holds a root, "" for none.
func (p Policy) list(root *x509.Certificate) string {
	for _, l := range p.Lists {
		if slices.ContainsFunc(l.Roots, root.Equal) {
			return l.Name
		}
	}
	return ""
}

// problem is a reason why a verdict is not PASSED.
type problem struct {
	code    string
	verdict Verdict
	sub     string
}

// The problems, with verdict and sub-indication of EN 319 102-1 §5.1.3.
var (
	parseProblem       = &problem{"parse", Failed, "FORMAT_FAILURE"}
	orphanProblem      = &problem{"orphan", Failed, "FORMAT_FAILURE"}
	dictionaryProblem  = &problem{"dictionary", Failed, "FORMAT_FAILURE"}
	rangeProblem       = &problem{"range", Failed, "FORMAT_FAILURE"}
	holeProblem        = &problem{"hole", Failed, "FORMAT_FAILURE"}
	cmsProblem         = &problem{"cms", Failed, "FORMAT_FAILURE"}
	encodingProblem    = &problem{"encoding", Failed, "FORMAT_FAILURE"}
	digestProblem      = &problem{"digest", Failed, "HASH_FAILURE"}
	signatureProblem   = &problem{"signature", Failed, "SIG_CRYPTO_FAILURE"}
	certificateProblem = &problem{"certificate", Failed, "SIG_CRYPTO_FAILURE"}
	tokenProblem       = &problem{"token", Failed, "SIG_CRYPTO_FAILURE"}
	earlyProblem       = &problem{"not_yet_valid", Failed, "NOT_YET_VALID"}
	forbiddenProblem   = &problem{"changes", Failed, "FORMAT_FAILURE"}

	subfilterProblem = &problem{"subfilter", Indeterminate, "SIG_CONSTRAINTS_FAILURE"}
	foreignProblem   = &problem{"foreign", Indeterminate, "SIG_CONSTRAINTS_FAILURE"}
	algorithmProblem = &problem{"algorithm", Indeterminate, "CRYPTO_CONSTRAINTS_FAILURE"}
	usageProblem     = &problem{"usage", Indeterminate, "CHAIN_CONSTRAINTS_FAILURE"}
	chainProblem     = &problem{"chain", Indeterminate, "NO_CERTIFICATE_CHAIN_FOUND"}
	expiredProblem   = &problem{"expired", Indeterminate, "OUT_OF_BOUNDS_NO_POE"}
	futureProblem    = &problem{"future", Indeterminate, "OUT_OF_BOUNDS_NO_POE"}
	unknownProblem   = &problem{"unknown_changes", Indeterminate, "GENERIC"}
	grammarProblem   = &problem{"grammar", Indeterminate, "GENERIC"}
	listProblem      = &problem{"other_list", Indeterminate, "CHAIN_CONSTRAINTS_FAILURE"}

	materialProblem  = &problem{"validation_data", Failed, "FORMAT_FAILURE"}
	revokedProblem   = &problem{"revoked", Failed, "REVOKED"}
	withdrawnProblem = &problem{"revoked_no_proof", Indeterminate, "REVOKED_NO_POE"}
	aboveProblem     = &problem{"revoked_authority", Indeterminate, "REVOKED_CA_NO_POE"}
	stampedProblem   = &problem{"revoked_timestamp", Indeterminate, "REVOKED_NO_POE"}
	laterProblem     = &problem{"status_unknown", Indeterminate, "TRY_LATER"}
)

// maxSignatures bounds how many signatures of a file are judged.
const maxSignatures = 256

// The codes of limits.
const (
	limitRevocation = "no_revocation_check"
	limitClaimed    = "claimed_time_only"
	limitTSAExpired = "timestamp_certificate_expired"
	limitMaterial   = "validation_data_unreadable"
	limitBaseline   = "not_baseline"
	limitTimestamp  = "timestamp_not_accepted"
	limitUsage      = "usage_rights_not_checked"
	limitRemoved    = "earlier_signature_removed"
)

// Verify judges a file.
func Verify(data []byte, p Policy) Report { return Examine(data, p).Report }

// Examine judges a file as Verify does, and tells what it takes to raise its level.
func Examine(data []byte, p Policy) Standing {
	sum := sha256.Sum256(data)
	r := Report{
		Integrity: "none", Changes: "none",
		File:       File{SHA256: hex.EncodeToString(sum[:]), Size: len(data)},
		Signatures: []Signature{}, ChangeList: []Change{}, Limits: []string{},
	}
	whole := data
	f, err := pdf.Parse(data)
	if err != nil {
		return Standing{Report: r.unparsed(data, err)}
	}
	data = data[f.Shift:]
	r.File.Revisions = len(f.Revisions)
	last := len(f.Revisions) - 1
	fields, err := f.Fields(last)
	if err != nil {
		return Standing{Report: r.unparsed(data, err)}
	}
	v := newVerification(f, data, p)
	v.before = whole[:f.Shift]
	for _, field := range fields {
		if field.Type == "Sig" && field.Object.Value.Get("V").Kind != pdf.Null {
			v.found = append(v.found, &found{field: field})
		}
	}
	if len(v.found) > maxSignatures {
		return Standing{Report: r.unparsed(data, &pdf.Error{Reason: pdf.TooLarge, Offset: -1, What: fmt.Sprintf("it has more than %d signatures", maxSignatures)})}
	}
	for _, s := range v.found {
		s.problem = v.locate(s)
	}
	dictionaries, err := v.dictionaries()
	if err != nil {
		return Standing{Report: r.unparsed(data, err)}
	}
	if len(v.found) == 0 && dictionaries == 0 && !v.hidden() {
		r.Verdict, r.Problem = NoSignature, "no_signature"
		r.Summary = summarize(r)
		return Standing{Report: r}
	}
	// In the order in which they were made, which need not be that of the fields.
	slices.SortStableFunc(v.found, func(a, b *found) int { return a.revision - b.revision })
	for i, s := range v.found {
		switch {
		case s.problem != nil:
		case i > 0 && v.found[i-1].revision == s.revision:
			s.problem = rangeProblem // of two signatures in one revision, neither can cover the other's hole
		default:
			s.problem = v.check(s)
		}
	}
	if dictionaries != len(v.found) || len(v.found) == 0 {
		v.worse(orphanProblem, "")
	}
	v.judgeGrammar()
	v.judgeTrust()
	v.judgeLevels()
	v.judgeChanges()
	r = v.report(r)
	r.Summary = summarize(r)
	return v.standing(r)
}

// unparsed reports a file that can't be read. One that claims to be signed is FAILED: every file that we sign is
// readable, so it was damaged.
func (r Report) unparsed(data []byte, err error) Report {
	r.Detail = clean(err.Error())
	r.Changes = "unknown"
	var e *pdf.Error
	damaged := !errors.As(err, &e) || e.Reason == pdf.Malformed
	signed := bytes.Contains(data, []byte("/ByteRange")) || bytes.Contains(data, []byte("/ETSI.")) || bytes.Contains(data, []byte("/adbe.pkcs7"))
	if damaged && signed {
		r.Verdict, r.Sub, r.Problem, r.Integrity = parseProblem.verdict, parseProblem.sub, parseProblem.code, "broken"
	} else {
		r.Verdict, r.Problem = Unreadable, "unreadable"
		if !damaged {
			r.Problem = "unsupported"
		}
	}
	r.Summary = summarize(r)
	return r
}

// verification is one run of Verify.
type verification struct {
	file    *pdf.File
	data    []byte
	policy  Policy
	found   []*found
	changes []Change
	unknown bool // a change can't be judged
	problem *problem
	subject string // the field that problem is about
	detail  string
	limits  []string
	house   bool   // one of the signatures was made with a certificate of this product
	before  []byte // what lies before the file's first line
	index   *index
	checks  int // of signatures on certificates, up to maxChecks
	running map[crypto.Hash]running

	anchors []*x509.Certificate // the roots of all lists
	roots   *x509.CertPool
	chains  *Chains
	spare   []*x509.Certificate // the certificates of the document security store
	pool    revoke.Pool         // the statements of the document security store
	origin  []int               // by index in pool, the revision that holds it
	outside revoke.Pool         // the statements of the policy
	blind   bool                // a certificate's status is not known
}

// worse notes a problem unless a graver one was noted before.
func (v *verification) worse(p *problem, field string) {
	if p == nil || v.problem != nil && (v.problem.verdict == Failed || p.verdict != Failed) {
		return
	}
	v.problem, v.subject = p, field
}

func (v *verification) limit(code string) {
	if !slices.Contains(v.limits, code) {
		v.limits = append(v.limits, code)
	}
}

// dictionaries counts the objects that are or hold a signature dictionary, in the file as its last revision shows it
// and in all from the first signed one on. One that no field points to is no signature, but looks like one to a careless
// reader. What an older revision held, the signed document itself has given up.
func (v *verification) dictionaries() (int, error) {
	first := len(v.file.Revisions)
	for _, s := range v.found {
		if s.revision >= 0 {
			first = min(first, s.revision)
		}
	}
	if first == len(v.file.Revisions) {
		first = 0
	}
	rights := v.usageRights()
	count := 0
	for i, r := range v.file.Revisions {
		for _, e := range r.Entries {
			if e.Free || e.Holder != 0 || rights[e.Num] {
				continue
			}
			o, err := v.file.Object(e.Num, i)
			if err != nil {
				return 0, err
			}
			if o.Value.Get("ByteRange").Kind == pdf.Null && o.Value.Get("V").Get("ByteRange").Kind == pdf.Null {
				continue
			}
			held := slices.ContainsFunc(v.found, func(s *found) bool { return s.object == e.Num })
			if i < first && !held {
				v.limit(limitRemoved)
				continue
			}
			count++
		}
	}
	return count, nil
}

// hidden reports whether a signature dictionary stands among bytes that belong to no object: then the way to it was cut.
func (v *verification) hidden() bool {
	for _, r := range v.file.Revisions {
		for _, stray := range r.Stray {
			if bytes.Contains(v.data[stray.Start:stray.End], []byte("/ByteRange")) {
				return true
			}
		}
	}
	return false
}

// usageRights returns the objects that are usage rights signatures: they stand in no field, and are a vendor's word to its
// own reader about features (ISO 32000-1 §12.8.2.3), not about the document.
func (v *verification) usageRights() map[int]bool {
	out := make(map[int]bool)
	for k, r := range v.file.Revisions {
		root, err := v.file.Resolve(r.Trailer.Get("Root"), k)
		if err != nil {
			continue
		}
		perms, err := v.file.Resolve(root.Get("Perms"), k)
		if err != nil {
			continue
		}
		for _, key := range []string{"UR", "UR3"} {
			if ref := perms.Get(key); ref.Kind == pdf.Reference && !slices.ContainsFunc(v.found, func(s *found) bool { return s.object == int(ref.Int) }) {
				out[int(ref.Int)] = true
				v.limit(limitUsage)
			}
		}
	}
	return out
}

// judgeGrammar judges objects of the signed document that break the grammar: readers mend them, each in its own way.
// Those of later revisions are changes.
func (v *verification) judgeGrammar() {
	for k, r := range v.file.Revisions {
		if len(r.Odd) == 0 {
			continue
		}
		v.detail = clean(r.Odd[0].Err.Error())
		if v.house || len(v.found) == 0 || slices.ContainsFunc(v.found, func(s *found) bool { return s.revision < 0 }) {
			v.worse(parseProblem, "")
			return
		}
		if k <= v.found[0].revision {
			v.worse(grammarProblem, "")
			return
		}
	}
}

// report gathers what was found.
func (v *verification) report(r Report) Report {
	r.Integrity, r.Changes, r.Trusted = "intact", "none", len(v.found) > 0
	for _, s := range v.found {
		r.Signatures = append(r.Signatures, s.report(len(v.data)))
		switch {
		case s.intact:
		case !s.unchecked:
			r.Integrity = "broken"
		case r.Integrity == "intact":
			r.Integrity = "none"
		}
		r.Trusted = r.Trusted && s.trusted
		v.worse(s.problem, s.field.Name)
	}
	if len(v.found) == 0 {
		r.Integrity = "broken"
	}
	if len(v.changes) > 0 {
		r.Changes, r.ChangeList = "permitted", v.changes
	}
	for _, c := range v.changes {
		if !c.Permitted {
			r.Changes = "forbidden"
		}
	}
	if v.unknown && r.Changes != "forbidden" {
		r.Changes = "unknown"
	}
	r.Limits = v.limits
	if v.blind {
		r.Limits = append([]string{limitRevocation}, v.limits...)
	}
	if r.Limits == nil {
		r.Limits = []string{}
	}
	r.Verdict = Passed
	if v.problem != nil {
		r.Verdict, r.Sub, r.Problem, r.subject = v.problem.verdict, v.problem.sub, v.problem.code, clean(v.subject)
		r.Detail = v.detail
	}
	return r
}
