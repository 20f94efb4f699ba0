package genuine

import (
	"context"
	"strings"
	"time"

	"countersign/helpdesk"
	"countersign/internal/locale"
	"countersign/mail"
	"countersign/mail/auth"
	"countersign/mail/message"
	"countersign/mail/smime"
)

// FilePolicy is what a mail in a file is held against.
type FilePolicy struct {
	Mailbox string       // the official one
	SMIME   smime.Policy // At is the time of the check
	Own     []string     // our domains
	DNS     auth.Resolver
}

// FileVerdict is the answer for a mail in a file, in the words of `countersign verify`.
type FileVerdict string

// The verdicts.
const (
	FilePassed        FileVerdict = "PASSED"
	FileFailed        FileVerdict = "FAILED"
	FileIndeterminate FileVerdict = "INDETERMINATE"
	FileUnreadable    FileVerdict = "UNREADABLE"
)

// ExitCode is that of `countersign verify`.
func (v FileVerdict) ExitCode() int {
	switch v {
	case FilePassed:
		return 0
	case FileFailed:
		return 1
	case FileIndeterminate:
		return 2
	}
	return 3
}

// FileReport is what `countersign verify --json` prints for a mail: a stable form.
type FileReport struct {
	Verdict   FileVerdict      `json:"verdict"`
	From      string           `json:"from"`
	Official  bool             `json:"official"` // From is the official mailbox, and nothing else
	Signature mail.SMIMEStatus `json:"signature"`
	Signer    string           `json:"signer"`
	Trusted   bool             `json:"trusted"` // the signer's certificate comes from a root that was given
	DKIM      mail.Result      `json:"dkim"`    // unchecked without a name server
	Reasons   []string         `json:"reasons"` // codes; the sentences are in the catalogue under mail.reason
}

// File judges a mail by what it carries. It asks no record, so it can't say whether there is such a ticket, and everybody
// may use it. A signature that holds and no root to trust it by is indeterminate, as is a mail without one from the
// official mailbox: such mail is not ours, but its sender may have been made up by anybody.
func File(ctx context.Context, raw []byte, p FilePolicy) FileReport {
	m := message.Parse(raw, message.Default())
	r := FileReport{Verdict: FileUnreadable, Signature: mail.SMIMENone, DKIM: mail.ResultUnchecked, Reasons: []string{}}
	if m.Kind == mail.KindUnreadable {
		r.Reasons = append(r.Reasons, "unreadable_"+m.Unreadable)
		return r
	}
	s := smime.Inspect(m, p.SMIME)
	r.Signature, r.Signer, r.Trusted = s.Status, s.Signer, s.Trusted
	from, sole := m.Sole()
	r.From = from.Addr
	r.Official = sole && helpdesk.FoldAddress(from.Addr) == helpdesk.FoldAddress(p.Mailbox)
	v := auth.Judge(ctx, m, auth.Policy{Resolver: p.DNS, Own: p.Own}, auth.Envelope{}, s)
	if p.DNS != nil {
		r.DKIM = v.DKIM
	}
	for _, one := range append(s.Reasons, v.Reasons...) {
		if one.Bad {
			r.because(one.Code)
		}
	}
	r.judge(s, p)
	return r
}

func (r *FileReport) because(code string) {
	for _, have := range r.Reasons {
		if have == code {
			return
		}
	}
	r.Reasons = append(r.Reasons, code)
}

// judge weighs what was found: everything that is asked for has to hold.
func (r *FileReport) judge(s mail.SMIME, p FilePolicy) {
	switch {
	case s.Status == mail.SMIMENone && r.Official:
		r.Verdict = FileFailed // each of our mails is signed
	case s.Status == mail.SMIMENone:
		r.Verdict = FileUnreadable // unsigned and not from us: there is nothing to check
	case !r.Official, s.Status == mail.SMIMEInvalid, s.Status == mail.SMIMEPartial, !s.MatchesFrom && s.Status == mail.SMIMEValid:
		r.Verdict = FileFailed
	case s.Status != mail.SMIMEValid, !s.Trusted:
		r.Verdict = FileIndeterminate
	case r.DKIM == mail.ResultTempError:
		r.Verdict = FileIndeterminate
	case p.DNS != nil && r.DKIM != mail.ResultPass:
		r.Verdict = FileFailed
	default:
		r.Verdict = FilePassed
	}
}

// Text is a report for people; what comes from the mail is theirs to make safe for a terminal.
func (r FileReport) Text(l locale.Lang, mailbox string) string {
	var b strings.Builder
	b.WriteString(locale.Text(l, "genuine.mail."+strings.ToLower(string(r.Verdict)), locale.Args{"mailbox": mailbox}) + "\n")
	if r.Verdict == FileUnreadable && r.From == "" {
		return b.String()
	}
	row := func(label, value string) { b.WriteString("  " + locale.Text(l, label, nil) + ": " + value + "\n") }
	signature := locale.Text(l, "mail.smime."+string(r.Signature), nil)
	if r.Signer != "" {
		signature += ": " + r.Signer
	}
	row("genuine.mail.sender", r.From)
	row("genuine.mail.signature", signature)
	row("genuine.mail.dkim", string(r.DKIM))
	for _, code := range r.Reasons {
		b.WriteString("  - " + locale.Text(l, "mail.reason."+code, nil) + "\n")
	}
	b.WriteString(locale.Text(l, "genuine.mail.limit", nil) + "\n")
	return b.String()
}

// Text is a verdict for people: one line a proof, and what to do.
func (v Verdict) Text(l locale.Lang, at func(time.Time) string) string {
	var b strings.Builder
	for _, f := range v.Findings {
		word := either(f.Holds, "✓ "+locale.Text(l, "genuine.holds", nil), "✗ "+locale.Text(l, "genuine.fails", nil))
		b.WriteString(locale.Text(l, "genuine.proof."+string(f.Proof), nil) + ": " + word + ", " +
			locale.Text(l, "genuine."+f.Reason, locale.Args{"mailbox": v.Mailbox}) + "\n")
	}
	if v.Genuine {
		return b.String() + locale.Text(l, "genuine.yes", locale.Args{"at": at(v.At)}) + "\n"
	}
	var missing []string
	for _, p := range v.Missing {
		missing = append(missing, locale.Text(l, "genuine.proof."+string(p), nil))
	}
	return b.String() + locale.Text(l, "genuine.no", locale.Args{"held": len(v.Findings) - len(v.Missing), "missing": strings.Join(missing, ", "),
		"number": v.Number, "mailbox": v.Mailbox}) + "\n"
}
