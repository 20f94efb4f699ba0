package smime

import (
	"crypto/x509"
	"encoding/asn1"
	"strings"
	"time"

	"countersign/mail"
	"countersign/mail/cms"
	"countersign/mail/message"
)

// emails are the addresses that a certificate names: its alternative names, and only where it has none the subject's.
func emails(c *x509.Certificate) []string {
	if len(c.EmailAddresses) > 0 {
		return c.EmailAddresses
	}
	var out []string
	for _, n := range c.Subject.Names {
		if n.Type.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}) {
			if s, ok := n.Value.(string); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

func signerName(c *x509.Certificate) string {
	if all := emails(c); len(all) > 0 {
		return clean(all[0])
	}
	return clean(c.Subject.CommonName)
}

// clean keeps a certificate's text from doing anything but being read.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// matches reports whether the certificate names the one address in From. A From whose words name another address than
// its mailbox matches nobody: most programs show the words.
func matches(m *mail.Message, c *x509.Certificate) bool {
	from, ok := m.Sole()
	if !ok || c == nil || fromFields(m) != 1 {
		return false
	}
	want, ok := asciiLower(from.Addr)
	if !ok || namesOther(from.Name, want) {
		return false
	}
	for _, e := range emails(c) {
		if have, ok := asciiLower(e); ok && have == want && !strings.ContainsAny(e, "\x00\r\n ") {
			return true
		}
	}
	return false
}

func fromFields(m *mail.Message) int {
	n := 0
	for _, f := range m.Header {
		if f.Is("From") {
			n++
		}
	}
	return n
}

// asciiLower folds letters without the foldings of Unicode, in which other letters become ASCII ones.
func asciiLower(s string) (string, bool) {
	for i := range len(s) {
		if s[i] >= 0x80 || s[i] < 0x20 {
			return "", false
		}
	}
	return strings.ToLower(s), true
}

// namesOther reports whether the words beside an address hold an address that is another one.
func namesOther(name, addr string) bool {
	for _, word := range strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune(" <>()[]\"',;:\u00a0\t", r) }) {
		if i := strings.IndexAny(word, "@＠﹫"); i > 0 && strings.Contains(word[i:], ".") && word != addr {
			return true
		}
	}
	return false
}

// certificate judges whether the signer's certificate may sign mails, and whether its chain is trusted.
func (j *judge) certificate(g *cms.Signer, s *cms.SignedData) {
	c := g.Certificate
	if c.KeyUsage != 0 && c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		j.say(mail.SMIMEInvalid, "smime_key_usage")
		return
	}
	if !mayMail(c) {
		j.say(mail.SMIMEInvalid, "smime_key_usage")
		return
	}
	if j.policy.Revoked != nil && j.policy.Revoked(c) {
		j.say(mail.SMIMEInvalid, "smime_revoked")
		return
	}
	if claimed := j.claimed(g); outside(c, claimed) {
		// It was no good even when the mail says that it was signed.
		j.say(mail.SMIMEInvalid, "smime_expired")
		return
	}
	if outside(c, j.policy.At) {
		j.because("smime_expired_since", true)
		return
	}
	if j.policy.Roots == nil {
		j.because("smime_no_roots", false)
		return
	}
	between := x509.NewCertPool()
	for _, other := range s.Certificates {
		between.AddCert(other)
	}
	_, err := c.Verify(x509.VerifyOptions{Roots: j.policy.Roots, Intermediates: between, CurrentTime: j.policy.At, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}})
	if err != nil {
		j.because("smime_untrusted", true)
		return
	}
	j.out.Trusted = true
	j.because("smime_trusted", false)
}

// claimed is when the mail says that it was signed; anybody can write that, so it can only speak against the signer.
func (j *judge) claimed(g *cms.Signer) time.Time {
	switch {
	case !g.SigningTime.IsZero():
		return g.SigningTime
	case !j.message.Date.IsZero():
		return j.message.Date
	}
	return j.policy.At
}

func outside(c *x509.Certificate, at time.Time) bool {
	return !at.IsZero() && (at.Before(c.NotBefore) || at.After(c.NotAfter))
}

func mayMail(c *x509.Certificate) bool {
	if len(c.ExtKeyUsage) == 0 && len(c.UnknownExtKeyUsage) == 0 {
		return true
	}
	for _, u := range c.ExtKeyUsage {
		if u == x509.ExtKeyUsageEmailProtection || u == x509.ExtKeyUsageAny {
			return true
		}
	}
	return false
}

// headers compares what the signed part says of From and Subject (RFC 9788, RFC 8551 §3.1) with what is shown.
func (j *judge) headers(body *mail.Part) {
	inner := body
	if body.Type == "message/rfc822" && len(body.Parts) == 1 {
		inner = body.Parts[0]
	}
	head := message.Parse(append(append([]byte{}, inner.Head...), '\r', '\n'), message.Limits{})
	if len(head.From) > 0 && !sameSenders(head.From, j.message.From) {
		j.lower("smime_headers_differ")
		return
	}
	if inner.Field("Subject") != "" && head.Subject != j.message.Subject {
		j.lower("smime_headers_differ")
	}
}

func sameSenders(a, b []mail.Address) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !strings.EqualFold(a[i].Addr, b[i].Addr) {
			return false
		}
	}
	return true
}

// nested looks at what lies directly inside the signed part: another signature, or something encrypted.
func (j *judge) nested(body *mail.Part) {
	if body.Type == "message/rfc822" && len(body.Parts) == 1 {
		body = body.Parts[0]
	}
	kind, content := form(body)
	switch kind {
	case encrypted:
		j.because("smime_signed_encrypted", false)
		j.out.Status = mail.SMIMEEncrypted
	case multipartSigned, opaque:
		inner := &judge{message: j.message, policy: j.policy}
		if kind == multipartSigned {
			inner.detached(body)
		} else {
			inner.opaque(body, content)
		}
		if inner.out.Status != mail.SMIMEValid || !strings.EqualFold(inner.out.Signer, j.out.Signer) {
			j.because("smime_nested_other", true)
			j.out.MatchesFrom = false
		}
	}
}
