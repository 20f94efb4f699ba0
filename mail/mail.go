// Package mail has the words for a received mail and for what is believed about it: Message, Part, Verdict.
//
// A Message is what one byte string turned out to be; mail/message makes it and never fails. A Verdict is who really
// sent it, with reasons; mail/auth and mail/smime make it. Both hold text of strangers: it is valid UTF-8 in NFC
// without control characters other than line feed and tab, but it is not made safe for a terminal, and not believed.
// Nothing here opens a network connection or knows tickets. Start reading at Message and Verdict.
package mail

import (
	"strings"
	"time"
)

// Kind is what a mail is, before anybody asks what to do with it.
type Kind string

// The kinds of mail. AuthenticityCheck is told by the helpdesk's own words ("XACMINH …"), so helpdesk/intake gives it.
const (
	KindRequest           Kind = "request"
	KindReply             Kind = "reply"
	KindBounce            Kind = "bounce"     // a report of delivery: failed, delayed, or even delivered
	KindAutoReply         Kind = "auto_reply" // a program answered: absence notes, read receipts, challenges
	KindFeedbackReport    Kind = "feedback_report"
	KindAuthenticityCheck Kind = "authenticity_check"
	KindUnreadable        Kind = "unreadable"
)

// Address is one mailbox of a header.
type Address struct {
	Name string // decoded, may lie
	Addr string // local@domain as written; "" when there was no mailbox
}

// Domain returns what stands behind the last @, in lower case without a final dot.
func (a Address) Domain() string {
	i := strings.LastIndexByte(a.Addr, '@')
	if i < 0 {
		return ""
	}
	return strings.ToLower(strings.TrimSuffix(a.Addr[i+1:], "."))
}

// String returns the address for people: Name <local@domain>.
func (a Address) String() string {
	switch {
	case a.Name == "":
		return a.Addr
	case a.Addr == "":
		return a.Name
	}
	return a.Name + " <" + a.Addr + ">"
}

// Field is one header field in the order of the mail.
type Field struct {
	Name  string // as written
	Value string // unfolded, not decoded: bytes of any character set
}

// Is reports whether the field has the given name, in any case.
func (f Field) Is(name string) bool { return strings.EqualFold(f.Name, name) }

// Part is one node of a mail's MIME tree. All byte slices lie in the mail's raw bytes.
type Part struct {
	Type        string            // media type in lower case: text/plain
	Params      map[string]string // of Content-Type, decoded; names in lower case
	Disposition string            // inline, attachment or ""
	Name        string            // the file's name as the sender wrote it, decoded; may hold tricks
	ID          string            // Content-ID without angle brackets
	Encoding    string            // Content-Transfer-Encoding in lower case
	Header      []Field
	Head        []byte  // the header's exact bytes, with the empty line
	Body        []byte  // the body's exact bytes, still encoded, without the line end that belongs to the boundary
	Raw         []byte  // Head and Body
	Parts       []*Part // of multipart/*, or the one mail inside message/rfc822
	Preamble    bool    // visible text stands before the first boundary
}

// Field returns the first field of the given name, unfolded and not decoded.
func (p *Part) Field(name string) string {
	for _, f := range p.Header {
		if f.Is(name) {
			return f.Value
		}
	}
	return ""
}

// Walk calls f for the part and all below it, parents first, until f returns false for a part: what is below that one
// is left out.
func (p *Part) Walk(f func(*Part) bool) {
	if p == nil || !f(p) {
		return
	}
	for _, sub := range p.Parts {
		sub.Walk(f)
	}
}

// Attachment is a file that came with the mail.
type Attachment struct {
	Name   string   // made safe to show and to store under: no path, no control or direction marks, never empty
	Given  string   // the name as the sender wrote it, when it differs from Name
	Type   string   // as the sender calls it, in lower case
	Size   int64    // decoded, in bytes
	SHA256 string   // of the decoded bytes, in hex
	Inline bool     // shown inside the text
	Tricks []string // what is wrong with it: "path", "direction", "control", "double_extension", "type_mismatch", "program"
	Part   *Part    // nil when the file was inside another one (winmail.dat, uuencode)
}

// Bounce is what a report says about one recipient.
type Bounce struct {
	Recipient  string // the address that was tried
	Original   string // the address we wrote to, when the report names another one
	Status     string // enhanced status code: 5.1.1 (RFC 3463)
	Action     string // failed, delayed, delivered, relayed or expanded (RFC 3464 §2.3.3)
	Diagnostic string // the other server's own words
}

// Failed reports whether the mail has not reached the recipient and will not.
func (b Bounce) Failed() bool { return b.Action == "failed" }

// Feedback is an abuse report (RFC 5965).
type Feedback struct {
	Type      string // abuse, fraud, virus, not-spam, auth-failure, other
	Recipient string
	MessageID string // of the mail that was complained about
}

// Defect is something that is wrong with a mail's form. Word is stable and lower case; Where says which part or header.
type Defect struct {
	Word  string
	Where string
}

// Message is what one byte string turned out to be.
type Message struct {
	Kind       Kind
	Unreadable string // why nothing could be read: "empty", "too_big", "no_header", "parser"; "" otherwise

	From       []Address // of every From field; more than one is suspicious
	Sender     []Address
	ReplyTo    []Address
	To         []Address
	Cc         []Address
	ReturnPath *Address // nil when absent; an empty Addr is the null sender <>
	Subject    string
	MessageID  string // without angle brackets
	InReplyTo  []string
	References []string
	Date       time.Time // zero when absent or impossible

	Text   string // what a person reads, made from plain text or HTML
	HTML   bool   // Text was made from HTML
	Cut    bool   // Text was longer than the limit; its last line says so
	Hidden bool   // the HTML holds text that a reader would not have seen; it stands marked in Text
	Links  []Link // where links of HTML lead, when the visible words say another host

	Attachments []Attachment
	Enclosed    []*Message // mails that were attached, as mails

	Bounces    []Bounce
	OriginalID string   // Message-ID of the mail that a bounce or receipt is about
	Auto       []string // why this was sent by a program: "auto_submitted", "precedence", "suppress", "header", "list", "subject", "text", "challenge", "null_sender", "daemon", "receipt"
	Feedback   *Feedback

	Defects []Defect
	Header  []Field // of the outermost mail
	Root    *Part
	Raw     []byte
}

// Link is a link whose words name another host than it leads to.
type Link struct {
	Words  string
	Target string
}

// Automatic reports whether a program sent the mail, so that no program may answer it (RFC 3834 §2).
func (m *Message) Automatic() bool {
	return m.Kind == KindBounce || m.Kind == KindAutoReply || m.Kind == KindFeedbackReport || len(m.Auto) > 0 ||
		m.ReturnPath != nil && m.ReturnPath.Addr == ""
}

// Sole returns the one address of From; ok is false when there is none or more than one.
func (m *Message) Sole() (a Address, ok bool) {
	if len(m.From) != 1 || m.From[0].Addr == "" {
		return Address{}, false
	}
	return m.From[0], true
}

// Flawed reports whether the mail has the defect.
func (m *Message) Flawed(word string) bool {
	for _, d := range m.Defects {
		if d.Word == word {
			return true
		}
	}
	return false
}
