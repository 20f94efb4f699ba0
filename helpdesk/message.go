package helpdesk

import (
	"strings"
	"time"

	"countersign/mail"
)

// Kind is what a message on a ticket is.
type Kind string

// The kinds of messages.
const (
	FromCustomer Kind = "customer"  // a mail of a participant
	FromUs       Kind = "reply"     // a mail of an agent
	Automatic    Kind = "automatic" // a mail that we sent by ourselves
	AutoReply    Kind = "auto_reply"
	Note         Kind = "note" // internal; never leaves
	BounceNote   Kind = "bounce"
	CallNote     Kind = "call"
	SystemNote   Kind = "system" // merged, split, linked
)

// Trust is how far the sender of a mail is proven, with the reasons that the screens show: KÝ for mail.LevelSigned, MIỀN
// for mail.LevelAligned, ? for mail.LevelUnproven, GIẢ for the two that are worse.
type Trust struct {
	Level   mail.Level `json:"level"`
	Known   bool       `json:"known"` // the address is registered with a unit, or has a ticket on which it was proven
	Reasons []Reason   `json:"reasons"`
}

// Reason is a mail.Reason as it is stored.
type Reason struct {
	Code string            `json:"code"`
	Args map[string]string `json:"args,omitempty"`
	Bad  bool              `json:"bad"`
}

// TrustOf takes a verdict over.
func TrustOf(v mail.Verdict) Trust {
	t := Trust{Level: v.Level}
	for _, r := range v.Reasons {
		t.Reasons = append(t.Reasons, Reason(r))
	}
	return t
}

// Fake reports whether something speaks against the sender.
func (t Trust) Fake() bool { return t.Level == mail.LevelSuspect || t.Level == mail.LevelForged }

// Address is one mailbox.
type Address struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

// Attachment is a file in a mail; its bytes lie in the stored original.
type Attachment struct {
	Name    string `json:"name"`
	Type    string `json:"type"` // as its bytes are, not as the mail says
	Size    int64  `json:"size"`
	SHA256  string `json:"sha256"`
	Blocked string `json:"blocked"` // why it is not opened: "program", "archive", "active"; "" when it may be shown
}

// Mask is a secret that stood in a text and was taken out before the text was stored. The text has MaskMark there.
type Mask struct {
	Kind string `json:"kind"` // pin, password, otp, remote
	At   int    `json:"at"`   // byte at which its mark begins
}

// MaskMark stands in a text where a secret was.
const MaskMark = "[***]"

// Message is one entry of a ticket's thread.
type Message struct {
	Key    string    `json:"key"` // ticket, "/" and the number in the thread with four digits or more
	Rev    int64     `json:"rev"`
	Ticket string    `json:"ticket"`
	Number int       `json:"number"` // 1, 2, ...
	Kind   Kind      `json:"kind"`
	At     time.Time `json:"at"`
	Author string    `json:"author"` // the agent; "" for customers and automatic mails

	From    Address      `json:"from"`
	To      []Address    `json:"to"`
	Subject string       `json:"subject"`
	Text    string       `json:"text"`   // masked; new text first
	Quoted  int          `json:"quoted"` // byte of Text at which the quoted part begins; len(Text) when none does
	Masks   []Mask       `json:"masks"`
	Cut     bool         `json:"cut"` // the text was longer than MaxText
	Files   []Attachment `json:"files"`
	Trust   Trust        `json:"trust"`

	MailID   string  `json:"mail_id"`  // Message-ID without brackets
	Intake   int64   `json:"intake"`   // the mail that it came from; 0 when it is ours
	Outgoing string  `json:"outgoing"` // key of the mail that it became
	Call     string  `json:"call"`
	Origin   string  `json:"origin"` // the ticket from which it was merged or split
	Bounce   *Bounce `json:"bounce,omitempty"`
}

// MaxText is how many bytes of a mail's text a message keeps; the original is whole.
const MaxText = 1 << 20

// Bounce is what a delivery report says about one of our mails.
type Bounce struct {
	Outgoing   string            `json:"outgoing"`
	Recipients []BounceRecipient `json:"recipients"`
}

// BounceRecipient is one receiver of a bounced mail (RFC 3464).
type BounceRecipient struct {
	Address string `json:"address"`
	Status  string `json:"status"` // 5.1.1
	Action  string `json:"action"` // failed, delayed, delivered, relayed, expanded
}

// FoldAddress brings a mail address to the form in which it is compared: trimmed, lower case.
func FoldAddress(a string) string { return strings.ToLower(strings.TrimSpace(a)) }

// OutState is what has become of a mail of ours.
type OutState string

// The states of an outgoing mail.
const (
	Queued  OutState = "queued"
	Built   OutState = "built" // signed, checked, its bytes stored; every further try sends these
	Sent    OutState = "sent"  // the mail server has taken it
	Refused OutState = "refused"
	Bounced OutState = "bounced"
	Stopped OutState = "stopped" // by an agent, before it left
)

// Outgoing is a mail of ours. It is written, with its Message-ID, in the transaction of the act that caused it; its bytes
// are made later, once, and kept.
type Outgoing struct {
	Key     string    `json:"key"`
	Rev     int64     `json:"rev"`
	Ticket  string    `json:"ticket"`
	Message string    `json:"message"` // key of the message that shows it
	Form    Form      `json:"form"`
	State   OutState  `json:"state"`
	Created time.Time `json:"created"`

	To       Address  `json:"to"`
	Author   string   `json:"author"` // the agent; "" for automatic mails
	Subject  string   `json:"subject"`
	Text     string   `json:"text"` // what the agent wrote; automatic mails have none
	Points   []Point  `json:"points"`
	Language string   `json:"language"`
	MailID   string   `json:"mail_id"` // without brackets, 128 random bits
	ReplyTo  string   `json:"reply_to"`
	Parents  []string `json:"parents"` // Message-IDs for In-Reply-To (the last) and References

	SHA256  string    `json:"sha256"` // of the bytes that leave
	SentAt  time.Time `json:"sent_at"`
	Tries   int       `json:"tries"`
	Answer  string    `json:"answer"` // the mail server's last word
	Approve string    `json:"approve"`
}

// MailJob is the kind of the jobs that build and send the desk's mails; their payload is the key of the Outgoing.
const MailJob = "helpdesk_mail"

// Auto reports whether nobody wrote the mail.
func (o *Outgoing) Auto() bool { return o.Author == "" }

// Form is what kind of mail leaves.
type Form string

// The forms. Receipt is the only one that intake sends by itself; its points say what it must tell.
const (
	Receipt   Form = "receipt"   // "we have your request", with points
	Reply     Form = "reply"     // an agent's answer
	Broadcast Form = "broadcast" // about an incident or a notice
	Closing   Form = "closing"   // resolved; asks how it was
	Warning   Form = "warning"   // to a unit about impostors
	Answer    Form = "answer"    // to "is this really yours?"
	Alert     Form = "alert"     // to those who watch over the desk; not about a customer's request
)

// Point is one thing that an automatic mail tells, by a stable name with arguments. Arguments never hold anything that the
// sender wrote.
type Point struct {
	Name string            `json:"name"` // see the Point constants
	Args map[string]string `json:"args,omitempty"`
}

// The points of a receipt.
const (
	PointTicket  = "ticket"  // your request is SD...; args: serial
	PointSubject = "subject" // the subject was not as it should be; args: problem, example
	PointOffice  = "office"  // an office's code was mapped; args: code, province
	PointMissing = "missing" // something is missing; args: what = description, screenshot or contact
	PointSecret  = "secret"  // a secret was sent and masked; args: kind
	PointArticle = "article" // the handbook knows something; args: name, title
	PointClaim   = "claim"   // it names another ticket and was not joined; no args, on purpose
)

// The points of an answer to "is this really yours?", and of an alert.
const (
	PointIssued    = "issued"     // the mail asked about is ours; args: date, role (of who wrote it), serial
	PointNotIssued = "not_issued" // the mail that was forwarded is not; no args
	PointStands    = "stands"     // how the ticket stands; args: state, role (of who works on it), channels
	PointSuspicion = "suspicion"  // somebody passes for us; args: report, channel, wanted, grade, unit, serial
	PointOverdue   = "overdue"    // a ticket is overdue; args: serial, step
)
