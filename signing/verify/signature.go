package verify

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"slices"
	"time"

	"countersign/signing/ca"
	"countersign/signing/cms"
	"countersign/signing/pdf"
	"countersign/signing/tsa"
)

// found is a filled signature field on its way through the checks.
type found struct {
	field     pdf.Field
	revision  int // the revision that holds and ends with the signature; -1 until that is known
	dict      pdf.Value
	object    int // the number of the object that holds dict
	coverage  string
	message   *cms.Message
	token     *tsa.Token // the signature timestamp, or the document timestamp itself
	document  bool       // it is a document timestamp
	ours      bool       // the signer's certificate was issued by an authority of this product
	loose     bool       // the hole is written as others do, in upper-case digits
	baseline  bool       // it is written as the PAdES baseline wants it
	intact    bool
	unchecked bool // an algorithm that is not read keeps it from being checked; its digest is right
	trusted   bool
	list      string // of the policy, that holds the signer's root
	stamped   bool   // the timestamp and its chain hold
	claimed   time.Time
	proven    time.Time
	chain     []Link
	problem   *problem

	proof     *found              // whose timestamp proves the time: its own, or a later one; nil when it is only claimed
	signers   []*x509.Certificate // the chain of the signer, when it holds
	authority []*x509.Certificate // the chain of the timestamp, when it holds
	evidence  []evidence          // what was found out about each certificate of these chains
	reached   reached
}

// check judges a located signature but for chain and time.
func (v *verification) check(s *found) *problem {
	if t, ok := pdf.ParseDate(s.dict.Get("M").Text()); ok {
		s.claimed = t
	}
	if p := v.cover(s); p != nil {
		return p
	}
	if s.dict.Get("SubFilter").Is("adbe.x509.rsa_sha1") {
		return v.checkBare(s)
	}
	der, p := v.hole(s)
	if p != nil {
		return p
	}
	switch sub := s.dict.Get("SubFilter"); {
	case sub.Is("ETSI.CAdES.detached"), sub.Is("adbe.pkcs7.detached"), sub.Is("adbe.pkcs7.sha1"):
		return v.checkMessage(s, der)
	case sub.Is("ETSI.RFC3161"):
		return v.checkDocumentTimestamp(s, der)
	}
	// An unknown kind may be a known one that was tampered with; then its digest tells.
	if p := v.checkMessage(s, der); p != nil && p != cmsProblem && p.verdict == Failed {
		return p
	}
	s.intact, s.unchecked = false, true
	return subfilterProblem
}

// locate finds the signature dictionary and the revision that wrote it.
func (v *verification) locate(s *found) *problem {
	s.revision, s.coverage = -1, "other"
	last := len(v.file.Revisions) - 1
	s.object, s.dict = s.field.Object.Num, s.field.Object.Value.Get("V")
	if ref := s.dict; ref.Kind == pdf.Reference {
		o, err := v.file.Object(int(ref.Int), last)
		if err != nil || o.Span.End == 0 || o.Gen != int(ref.Gen) {
			return dictionaryProblem
		}
		s.object, s.dict = o.Num, o.Value
	}
	e, revision, ok := v.file.Find(s.object, last)
	if !ok || e.Holder != 0 || s.dict.Kind != pdf.Dict {
		return dictionaryProblem
	}
	if t := s.dict.Get("Type"); t.Kind != pdf.Null && !t.Is("Sig") && !t.Is("DocTimeStamp") {
		return dictionaryProblem
	}
	s.revision = revision
	return nil
}

// cover requires that the byte range is the whole of its revision but for the token of /Contents.
func (v *verification) cover(s *found) *problem {
	items, contents := s.dict.Get("ByteRange").Items, s.dict.Get("Contents")
	if len(items) != 4 || contents.Kind != pdf.String {
		return rangeProblem
	}
	var n [4]int
	for i, item := range items {
		if item.Kind != pdf.Integer || item.Int < 0 || item.Int > int64(len(v.before)+len(v.data)) {
			return rangeProblem
		}
		n[i] = int(item.Int)
	}
	// Where the file's offsets count from its first line, those of the range still count from the first byte.
	n[1] -= len(v.before)
	n[2] -= len(v.before)
	end := n[2] + n[3]
	if n[0] != 0 || n[1] != contents.Start || n[2] != contents.End || end > len(v.data) {
		return rangeProblem
	}
	r := v.file.Revisions[s.revision]
	switch {
	case end == len(v.data) && s.revision == len(v.file.Revisions)-1:
		s.coverage = "whole_file"
	case end >= r.Marker && end <= r.Span.End && s.revision < len(v.file.Revisions)-1:
		s.coverage = "whole_revision"
	default:
		return rangeProblem
	}
	return nil
}

// hole returns the DER in /Contents. Its digits must be of one case and what pads them zeros.
func (v *verification) hole(s *found) ([]byte, *problem) {
	token := s.dict.Get("Contents").Raw
	if token[0] != '<' || len(token)%2 != 0 {
		return nil, holeProblem
	}
	digits := token[1 : len(token)-1]
	var head [5]byte
	if len(digits) < 2*len(head) {
		return nil, holeProblem
	}
	if _, err := hex.Decode(head[:], digits[:2*len(head)]); err != nil {
		return nil, holeProblem
	}
	size, ok := derSize(head[:])
	if head[0] == 0x30 && head[1] == 0x80 {
		size, ok = berSize(digits)
	}
	if !ok || 2*size > len(digits) || !zeros(digits[2*size:]) && !v.file.PaddedBlind(s.object, s.dict.Get("Contents"), size) {
		return nil, holeProblem
	}
	der := make([]byte, size)
	lower, upper := cases(digits[:2*size])
	if _, err := hex.Decode(der, digits[:2*size]); err != nil || lower && upper {
		return nil, holeProblem
	}
	s.loose = upper
	return der, nil
}

// zeros reports whether there is nothing but the digit 0: each byte is the one before it.
func zeros(digits []byte) bool {
	return len(digits) == 0 || digits[0] == '0' && bytes.Equal(digits[1:], digits[:len(digits)-1])
}

// cases reports which letters are among hexadecimal digits. Letters have the bit 0x40, those of lower case 0x20 as well;
// figures have only the latter. Eight bytes are looked at together.
func cases(digits []byte) (lower, upper bool) {
	const letter = 0x4040404040404040
	var low, up uint64
	for ; len(digits) >= 8; digits = digits[8:] {
		eight := binary.LittleEndian.Uint64(digits)
		low |= eight & letter & (eight << 1)
		up |= eight & letter &^ (eight << 1)
	}
	for _, c := range digits {
		low |= uint64(c & 0x40 & (c << 1))
		up |= uint64(c & 0x40 &^ (c << 1))
	}
	return low != 0, up != 0
}

// derSize returns the length of the DER sequence whose first bytes these are.
func derSize(b []byte) (int, bool) {
	if b[0] != 0x30 {
		return 0, false
	}
	size, head := int(b[1]), 2
	if size >= 0x80 {
		count := size - 0x80
		if count < 1 || count > 3 {
			return 0, false
		}
		size, head = 0, 2+count
		for _, c := range b[2:head] {
			size = size<<8 | int(c)
		}
	}
	return head + size, true
}

// berSize returns the length of an element of indefinite length, as many other programs write their messages.
func berSize(digits []byte) (int, bool) {
	all := make([]byte, len(digits)/2)
	if _, err := hex.Decode(all, digits); err != nil {
		return 0, false
	}
	return cms.Element(all)
}

// running is the hash of the file up to a place, so that many signatures don't make many readings of it.
type running struct {
	hash hash.Cloner
	at   int
}

// digest hashes the bytes that the signature covers. Signatures must come in the order of their revisions.
func (v *verification) digest(s *found, h crypto.Hash) []byte {
	contents, items := s.dict.Get("Contents"), s.dict.Get("ByteRange").Items
	if v.running == nil {
		v.running = make(map[crypto.Hash]running)
	}
	r, ok := v.running[h]
	if !ok {
		r.hash = h.New().(hash.Cloner) // every hash of the standard library is one
		r.hash.Write(v.before)
	}
	r.hash.Write(v.data[r.at:contents.Start])
	r.at = contents.Start
	v.running[h] = r
	w, err := r.hash.Clone()
	if err != nil {
		return nil // equals no digest
	}
	w.Write(v.data[contents.End : int(items[2].Int+items[3].Int)-len(v.before)])
	return w.Sum(nil)
}

// sum is the SHA-256 of the whole file.
func (v *verification) sum(data []byte) [32]byte {
	if v != nil {
		if r, ok := v.running[crypto.SHA256]; ok {
			r.hash.Write(v.data[r.at:])
			return [32]byte(r.hash.Sum(nil))
		}
	}
	return sha256.Sum256(data)
}

// checkMessage judges a CMS signature over the document.
func (v *verification) checkMessage(s *found, der []byte) *problem {
	m, err := cms.Parse(der)
	if err != nil && cms.NamesSM(der) {
		s.unchecked = true
		return algorithmProblem
	}
	indirect := s.dict.Get("SubFilter").Is("adbe.pkcs7.sha1")
	if err != nil || (m.Content != nil) != indirect || !m.ContentType.Equal(cms.Data) {
		return cmsProblem
	}
	if m.Signer != nil {
		s.message = m
		_, s.ours = ca.ReadMark(m.Signer)
		v.house = v.house || s.ours
	}
	switch {
	case indirect && !bytes.Equal(v.digest(s, crypto.SHA1), m.Content):
		return digestProblem
	case indirect:
		err = m.VerifyContent()
	case m.Hash == 0:
		err = cms.ErrAlgorithm
	default:
		err = m.Verify(v.digest(s, m.Hash))
	}
	weak := indirect || errors.Is(err, cms.ErrWeak)
	if p := cmsFailure(err); p != nil && !weak {
		if p == algorithmProblem && s.ours {
			return encodingProblem // no certificate of ours was ever used with another algorithm
		}
		s.unchecked = p == algorithmProblem
		return p
	}
	if p := v.checkToken(s); p != nil {
		return p
	}
	strict := m.Canonical && m.Sorted && m.NamesAll() && m.LowS() && !s.loose
	if s.ours && !strict {
		return encodingProblem
	}
	s.intact = true
	return v.checkProfile(s, weak, errors.Is(err, cms.ErrUnnamed))
}

// checkProfile judges an intact signature by what its kind asks.
func (v *verification) checkProfile(s *found, weak, unnamed bool) *problem {
	m := s.message
	mark, marked := ca.ReadMark(m.Signer)
	if marked && (mark.Kind == ca.KindTimestamp || mark.Kind == ca.KindServer || mark.Kind == ca.KindResponder) || !forSigning(m.Signer) {
		return usageProblem
	}
	etsi := s.dict.Get("SubFilter").Is("ETSI.CAdES.detached")
	s.baseline = etsi && !weak && !unnamed
	if !s.baseline || !m.SigningTime.IsZero() { // EN 319 142-1 forbids a second claimed time; libraries write it all the same
		v.limit(limitBaseline)
	}
	switch {
	case weak:
		return algorithmProblem
	case etsi && unnamed:
		return foreignProblem // EN 319 142-1 §6.3 demands that the signing certificate is signed along
	}
	return nil
}

// checkToken judges the signature timestamp but for its chain.
func (v *verification) checkToken(s *found) *problem {
	if s.message.Token == nil {
		return nil
	}
	token, err := tsa.Parse(s.message.Token)
	if err == nil {
		err = token.Verify(s.message.Signature)
	}
	switch {
	case err == nil:
	case errors.Is(err, tsa.ErrUnproven) && !s.ours:
		v.limit(limitTimestamp)
		return nil
	default:
		return tokenProblem
	}
	s.token = token
	if s.ours && !v.tokenStrict(s) {
		return encodingProblem
	}
	return nil
}

// checkBare judges a PKCS #1 signature without a message around it (adbe.x509.rsa_sha1, ISO 32000-1 §12.8.3.2).
func (v *verification) checkBare(s *found) *problem {
	certs, err := v.file.Resolve(s.dict.Get("Cert"), s.revision)
	if err != nil {
		return dictionaryProblem
	}
	list := certs.Items
	if certs.Kind == pdf.String {
		list = []pdf.Value{certs}
	}
	m := &cms.Message{Hash: crypto.SHA1}
	for _, item := range list {
		c, err := x509.ParseCertificate(item.Bytes())
		if err != nil || len(m.Certificates) == 32 {
			return dictionaryProblem
		}
		m.Certificates = append(m.Certificates, c)
	}
	if len(m.Certificates) == 0 {
		return dictionaryProblem
	}
	m.Signer = m.Certificates[0]
	s.message = m
	_, s.ours = ca.ReadMark(m.Signer)
	contents := s.dict.Get("Contents")
	value := contents.Bytes()
	size, ok := cms.Element(value)
	pub, isRSA := m.Signer.PublicKey.(*rsa.PublicKey)
	if s.ours || !ok || value[0] != 0x04 || len(bytes.Trim(value[size:], "\x00")) != 0 {
		return holeProblem
	}
	var sig []byte
	if _, err := asn1.Unmarshal(value[:size], &sig); err != nil {
		return holeProblem
	}
	if !isRSA || pub.Size() < 1024/8 {
		s.unchecked = true
		return algorithmProblem
	}
	if rsa.VerifyPKCS1v15(pub, crypto.SHA1, v.digest(s, crypto.SHA1), sig) != nil {
		return signatureProblem
	}
	s.intact = true
	v.limit(limitBaseline)
	return algorithmProblem
}

// cmsFailure turns what cms.Verify found into a problem; an unnamed certificate is judged later.
func cmsFailure(err error) *problem {
	switch {
	case err == nil, errors.Is(err, cms.ErrUnnamed):
		return nil
	case errors.Is(err, cms.ErrDigest):
		return digestProblem
	case errors.Is(err, cms.ErrCertificate):
		return certificateProblem
	case errors.Is(err, cms.ErrAlgorithm), errors.Is(err, cms.ErrWeak):
		return algorithmProblem
	}
	return signatureProblem
}

// tokenStrict reports whether the timestamp has its one encoding: of our own authority's tokens everything is asked
// that is asked of signatures, of others' that nothing is in them which nobody reads.
func (v *verification) tokenStrict(s *found) bool {
	m := s.token.Message
	if _, ours := ca.ReadMark(m.Signer); ours {
		return m.Canonical && m.Sorted && m.NamesAll() && m.LowS()
	}
	return m.Canonical && (m.NamesAll() || v.known(m))
}

// known reports whether each embedded certificate is the signer's, a root of the policy, or signed by another of them.
func (v *verification) known(m *cms.Message) bool {
	for _, c := range m.Certificates {
		good := c == m.Signer
		for _, parent := range slices.Concat(v.anchors, m.Certificates) {
			if v.checks++; v.checks > maxChecks {
				return false
			}
			good = good || c.Equal(parent) && c != parent || bytes.Equal(c.RawIssuer, parent.RawSubject) && c.CheckSignatureFrom(parent) == nil
		}
		if !good {
			return false
		}
	}
	return true
}

// checkDocumentTimestamp judges a timestamp over the document itself. On a document of ours it is as strict as the rest.
func (v *verification) checkDocumentTimestamp(s *found, der []byte) *problem {
	s.document = true
	t, err := tsa.Parse(der)
	if err != nil {
		if errors.Is(err, tsa.ErrUnproven) && !v.house {
			s.unchecked = true
			return algorithmProblem
		}
		return cmsProblem
	}
	s.message = t.Message
	_, s.ours = ca.ReadMark(t.Message.Signer)
	switch err := t.VerifyDigest(v.digest(s, t.Hash)); {
	case err == nil:
	case !errors.Is(err, tsa.ErrUnproven) || v.house || s.ours:
		return tokenProblem
	case errors.Is(err, cms.ErrAlgorithm):
		s.unchecked = true
		return algorithmProblem
	default:
		s.intact = true
		v.limit(limitTimestamp)
		return usageProblem
	}
	s.token = t
	if (v.house || s.ours) && (!v.tokenStrict(s) || s.loose) {
		return encodingProblem
	}
	s.intact = true
	return nil
}

// forSigning reports whether the certificate's key usage allows signing documents (RFC 5280 §4.2.1.3).
func forSigning(c *x509.Certificate) bool {
	return c.KeyUsage == 0 || c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) != 0
}

// report renders the finding.
func (s *found) report(size int) Signature {
	out := Signature{
		Field: clean(s.field.Name), Kind: "other", Reason: clean(s.dict.Get("Reason").Text()), Integrity: "broken", Coverage: s.coverage,
		ClaimedTime: Moment{s.claimed}, ProvenTime: Moment{s.proven}, Timestamp: Timestamp{Status: "none"},
		Chain: s.chain, Missing: []string{}, Revision: s.revision + 1,
	}
	if s.chain == nil {
		out.Chain = []Link{}
	}
	switch {
	case s.intact:
		out.Integrity = "intact"
	case s.unchecked:
		out.Integrity = "none"
	}
	out.List = s.list
	if s.problem != nil {
		out.Problem = s.problem.code
	}
	if s.message == nil {
		return out
	}
	signer := s.message.Signer
	out.SignerName, out.Algorithm = clean(signer.Subject.CommonName), s.message.Algorithm()
	if len(s.chain) > 0 { // it begins with the signer
		out.Signer = s.chain[0].Subject
	} else {
		out.Signer = clean(signer.Subject.String())
	}
	if len(signer.Subject.Organization) > 0 {
		out.Organisation = clean(signer.Subject.Organization[0])
	}
	if m, ok := ca.ReadMark(signer); ok {
		out.Kind = string(m.Kind)
	}
	if s.document {
		out.Kind = string(ca.KindTimestamp)
	}
	s.level(&out)
	return out
}

// level names the level that the signature reached and what the next one wants.
func (s *found) level(out *Signature) {
	if s.message.Token != nil || s.document {
		out.Timestamp.Status = "invalid"
		if s.token != nil {
			out.Timestamp.Authority = clean(s.token.Message.Signer.Subject.CommonName)
		}
		if s.intact {
			out.Timestamp.Status = "untrusted"
		}
		if s.stamped {
			out.Timestamp.Status = "valid"
		}
	}
	if s.intact && !s.document && s.baseline {
		out.Level, out.Missing = s.reached.level, s.reached.missing
	}
}
