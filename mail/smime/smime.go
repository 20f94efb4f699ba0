// Package smime says what is true of a mail's S/MIME signature (RFC 8551), and signs our own mails.
//
// Inspect gives one status to the whole mail as people see it. "valid" is given only when the outermost part is the
// signature's, so that every byte of text and every file was signed; a signature over less is "partial", whatever it
// says. Who signed counts only through the address in the certificate: MatchesFrom holds for exactly one From field
// with exactly one address, in ASCII letters, that the certificate names. Names of people prove nothing and are not
// compared. Trusted is for the roots that the caller gives; the package knows none of its own and asks no network.
// Start reading at Inspect.
package smime

import (
	"bytes"
	"crypto/x509"
	"errors"
	"strings"
	"time"

	"countersign/mail"
	"countersign/mail/cms"
	"countersign/mail/message"
)

// Policy is whom to trust, and when.
type Policy struct {
	Roots   *x509.CertPool
	At      time.Time                    // the time of receipt; a certificate must be good then
	Revoked func(*x509.Certificate) bool // what is known of revocation; nil when nothing is
}

// Inspect judges a parsed mail.
func Inspect(m *mail.Message, p Policy) mail.SMIME {
	if m.Root == nil {
		return mail.SMIME{Status: mail.SMIMENone}
	}
	j := &judge{message: m, policy: p}
	j.mail()
	return j.out
}

// judge collects what is true of one mail.
type judge struct {
	message *mail.Message
	policy  Policy
	out     mail.SMIME
}

func (j *judge) say(status mail.SMIMEStatus, code string) {
	j.out.Status = status
	j.because(code, status != mail.SMIMEValid && status != mail.SMIMEEncrypted)
}

func (j *judge) because(code string, bad bool) {
	for _, r := range j.out.Reasons {
		if r.Code == code {
			return
		}
	}
	j.out.Reasons = append(j.out.Reasons, mail.Reason{Code: code, Bad: bad})
}

func (j *judge) mail() {
	j.out.Status = mail.SMIMENone
	root := j.message.Root
	switch kind, content := form(root); kind {
	case multipartSigned:
		j.detached(root)
	case opaque:
		j.opaque(root, content)
	case encrypted:
		j.say(mail.SMIMEEncrypted, "smime_encrypted")
	case unreadable:
		j.say(mail.SMIMEInvalid, "smime_malformed")
	case otherSignature:
		j.because("smime_other", false)
	default:
		j.inside(root)
	}
}

// shape is what a part is to S/MIME.
type shape int

const (
	nothing shape = iota
	multipartSigned
	opaque
	encrypted
	unreadable
	otherSignature
)

// form says what a part is, with the decoded CMS of an opaque one.
func form(p *mail.Part) (shape, []byte) {
	switch p.Type {
	case "multipart/signed":
		protocol := strings.ToLower(p.Params["protocol"])
		if strings.Contains(protocol, "pgp") || len(p.Parts) > 1 && strings.Contains(p.Parts[1].Type, "pgp") {
			return otherSignature, nil
		}
		return multipartSigned, nil
	case "multipart/encrypted":
		return otherSignature, nil
	case "application/pkcs7-mime", "application/x-pkcs7-mime", "application/octet-stream":
		if p.Type == "application/octet-stream" && !strings.HasSuffix(strings.ToLower(p.Name), ".p7m") {
			return nothing, nil
		}
		data := message.Content(p)
		switch cms.KindOf(data) {
		case cms.Signed:
			return opaque, data
		case cms.Encrypted:
			return encrypted, nil
		case cms.Compressed:
			return nothing, nil
		}
		return unreadable, nil
	}
	return nothing, nil
}

// inside looks for signatures below an unsigned root: they cover a part of what is shown, however they look.
func (j *judge) inside(root *mail.Part) {
	enclosed := false
	root.Walk(func(p *mail.Part) bool {
		if j.out.Status != mail.SMIMENone {
			return false
		}
		if p == root {
			return true
		}
		kind, _ := form(p)
		switch kind {
		case multipartSigned, opaque:
			if !enclosed {
				j.part(p)
			}
		case encrypted:
			j.say(mail.SMIMEEncrypted, "smime_encrypted_part")
			return false
		}
		if p.Type == "message/rfc822" || p.Type == "message/global" {
			// A signed mail inside an unsigned one says nothing about the one around it.
			j.enclosed(p)
			return false
		}
		return kind == nothing
	})
}

func (j *judge) enclosed(p *mail.Part) {
	p.Walk(func(sub *mail.Part) bool {
		if kind, _ := form(sub); kind == multipartSigned || kind == opaque {
			j.because("smime_enclosed", true)
			return false
		}
		return true
	})
}

// part judges a signature that covers only a part: it is partial at best, and names nobody as the sender.
func (j *judge) part(p *mail.Part) {
	inner := &judge{message: j.message, policy: j.policy}
	if kind, content := form(p); kind == multipartSigned {
		inner.detached(p)
	} else {
		inner.opaque(p, content)
	}
	j.out = inner.out
	j.out.MatchesFrom = false
	if j.out.Status == mail.SMIMEValid || j.out.Status == mail.SMIMEWeak {
		j.say(mail.SMIMEPartial, "smime_partial")
	}
}

// detached judges multipart/signed (RFC 1847 §2.1).
func (j *judge) detached(p *mail.Part) {
	if len(p.Parts) < 2 || !strings.Contains(p.Parts[1].Type, "pkcs7-signature") {
		j.say(mail.SMIMEInvalid, "smime_no_signature")
		return
	}
	if len(p.Parts) > 2 {
		defer j.lower("smime_extra_part")
	}
	data := message.Content(p.Parts[1])
	signed, err := cms.Parse(data)
	if err != nil {
		j.say(mail.SMIMEInvalid, "smime_malformed")
		return
	}
	content := p.Parts[0].Raw
	if signed.Content != nil && !bytes.Equal(signed.Content, content) && !bytes.Equal(signed.Content, canonical(content)) {
		// It signs something else than what is shown beside it.
		j.name(signed)
		j.say(mail.SMIMEInvalid, "smime_other_content")
		return
	}
	j.signers(signed, content, p.Parts[0])
}

func (j *judge) opaque(p *mail.Part, data []byte) {
	signed, err := cms.Parse(data)
	switch {
	case err != nil:
		j.say(mail.SMIMEInvalid, "smime_malformed")
	case len(signed.Signers) == 0:
		// Certificates alone, or an unsigned wrap.
		j.because("smime_no_signer", len(signed.Content) > 0)
	case signed.Content == nil || !signed.ContentType.Equal(cms.Data) || len(p.Parts) == 0:
		j.name(signed)
		j.say(mail.SMIMEInvalid, "smime_other_content")
	default:
		j.signers(signed, signed.Content, p.Parts[0])
	}
}

// canonical gives line ends the form that is signed (RFC 8551 §3.1.1).
func canonical(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
}

// name records the signer of a signature that does not hold, so that people see whose it claims to be.
func (j *judge) name(s *cms.SignedData) {
	if len(s.Signers) > 0 && s.Signers[0].Certificate != nil {
		j.out.Signer = signerName(s.Signers[0].Certificate)
	}
}

// signers judges all signatures of one message: each of them has to hold.
func (j *judge) signers(s *cms.SignedData, content []byte, body *mail.Part) {
	if len(s.Signers) == 0 {
		j.say(mail.SMIMEInvalid, "smime_no_signer")
		return
	}
	chosen := s.Signers[0]
	for _, g := range s.Signers {
		if err := verify(g, s, content); err != nil {
			j.out.Signer = ""
			if g.Certificate != nil {
				j.out.Signer = signerName(g.Certificate)
			}
			j.failed(err)
			return
		}
		if matches(j.message, g.Certificate) && !matches(j.message, chosen.Certificate) {
			chosen = g
		}
	}
	if len(s.Signers) > 1 {
		j.because("smime_several_signers", false)
	}
	j.out.Status = mail.SMIMEValid
	j.out.Signer = signerName(chosen.Certificate)
	j.out.MatchesFrom = matches(j.message, chosen.Certificate)
	if !j.out.MatchesFrom {
		j.because("smime_not_from", true)
	}
	j.certificate(chosen, s)
	if j.out.Status == mail.SMIMEValid && (chosen.Weak() || chosen.Certificate.SignatureAlgorithm == x509.SHA1WithRSA || chosen.Certificate.SignatureAlgorithm == x509.MD5WithRSA || chosen.Certificate.SignatureAlgorithm == x509.ECDSAWithSHA1) {
		j.say(mail.SMIMEWeak, "smime_weak")
	}
	j.headers(body)
	j.nested(body)
}

// verify checks one signature over the content as it lies there, and with the line ends that were signed.
func verify(g *cms.Signer, s *cms.SignedData, content []byte) error {
	err := g.Verify(content, s.ContentType)
	if errors.Is(err, cms.ErrDigest) || errors.Is(err, cms.ErrSignature) {
		if c := canonical(content); !bytes.Equal(c, content) {
			return g.Verify(c, s.ContentType)
		}
	}
	return err
}

func (j *judge) failed(err error) {
	switch {
	case errors.Is(err, cms.ErrUnsupported):
		j.say(mail.SMIMEUnsupported, "smime_unsupported")
	case errors.Is(err, cms.ErrCertificate):
		j.say(mail.SMIMEInvalid, "smime_no_certificate")
	case errors.Is(err, cms.ErrDigest):
		j.say(mail.SMIMEInvalid, "smime_changed")
	default:
		j.say(mail.SMIMEInvalid, "smime_wrong_signature")
	}
}

// lower turns a signature that holds into a partial one.
func (j *judge) lower(code string) {
	if j.out.Status == mail.SMIMEValid || j.out.Status == mail.SMIMEWeak {
		j.say(mail.SMIMEPartial, code)
		j.out.MatchesFrom = false
	}
}
