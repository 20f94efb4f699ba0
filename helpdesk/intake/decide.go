package intake

import (
	"strings"

	"countersign/mail"
)

// Action is what the helpdesk does with a mail.
type Action string

// The actions. Those that answer do so only for a proven sender; otherwise the ticket waits without an answer, and the
// reason "unanswered" says so.
const (
	NewTicket         Action = "new_ticket"
	JoinTicket        Action = "join_ticket"        // a message on the ticket that it answers
	ClaimTicket       Action = "claim_ticket"       // a ticket of its own that names another; an agent may join them
	AskCorrection     Action = "ask_correction"     // a ticket, and one answer that shows the right form of the subject
	AskMissing        Action = "ask_missing"        // a ticket that lacks something, and one question for it
	BounceOnTicket    Action = "bounce_on_ticket"   // a report of delivery, noted where our mail was written
	ReportOnTicket    Action = "report_on_ticket"   // a complaint about a mail of ours
	IgnoreAuto        Action = "ignore_auto"        // a program's mail: kept and seen, never answered
	AuthenticityCheck Action = "authenticity_check" // a question whether something is ours
	Quarantine        Action = "quarantine"         // kept in sight of agents until one of them has looked
)

// Decision is the action with its reasons, as stable words.
type Decision struct {
	Action  Action   `json:"action"`
	Reasons []string `json:"reasons"`
}

// Decide says what the helpdesk does with a mail by the mail alone. own are our domains: a Message-ID of ours that a reply
// refers to has one of them. Whether that Message-ID was really given, and to this sender, only the records can tell,
// so a join is still to be confirmed by them.
func Decide(in Inspection, own []string) Decision {
	d := Decision{Reasons: []string{}}
	m, v := in.Mail, in.Verdict
	because := func(words ...string) { d.Reasons = append(d.Reasons, words...) }
	switch m.Kind {
	case mail.KindUnreadable:
		d.Action = Quarantine
		because("unreadable_" + m.Unreadable)
		return d
	case mail.KindBounce:
		d.Action = BounceOnTicket
		because(bounceReason(m))
		return d
	case mail.KindFeedbackReport:
		d.Action = ReportOnTicket
		because("complaint")
		return d
	case mail.KindAutoReply:
		d.Action = IgnoreAuto
		for _, sign := range m.Auto {
			because("auto_" + sign)
		}
		return d
	}
	if v.Level == mail.LevelForged || v.Level == mail.LevelSuspect {
		d.Action = Quarantine
		for _, r := range v.Reasons {
			if r.Bad {
				because(r.Code)
			}
		}
		return d
	}
	if m.Kind == mail.KindAuthenticityCheck {
		d.Action = AuthenticityCheck
		because(answerable(m, v)...)
		return d
	}
	d.person(in, own)
	because(answerable(m, v)...)
	return d
}

// person decides on what people write.
func (d *Decision) person(in Inspection, own []string) {
	m := in.Mail
	if refersToUs(m, own) {
		d.Action = JoinTicket
		if d.Reasons = append(d.Reasons, "refers_to_ours"); !in.Verdict.Level.Proven() {
			d.Action = ClaimTicket
		}
		return
	}
	if len(Serials(m.Subject)) > 0 {
		d.Action = ClaimTicket
		d.Reasons = append(d.Reasons, "names_ticket")
		return
	}
	switch in.Routing.Problem {
	case ProblemMissing, ProblemMalformed, ProblemUnknown:
		d.Action = AskCorrection
		d.Reasons = append(d.Reasons, "subject_"+in.Routing.Problem)
		return
	case ProblemOffice:
		d.Reasons = append(d.Reasons, "subject_office")
	}
	d.Action = NewTicket
	if lacks := Lacks(m); len(lacks) > 0 {
		d.Action = AskMissing
		d.Reasons = append(d.Reasons, lacks...)
	}
}

func bounceReason(m *mail.Message) string {
	for _, b := range m.Bounces {
		if b.Failed() {
			return "bounce_failed"
		}
	}
	if len(m.Bounces) == 0 {
		return "bounce_unclear"
	}
	return "bounce_" + m.Bounces[0].Action
}

// answerable tells why a mail gets no automatic answer (RFC 3834 §2; a forged sender must get none either).
func answerable(m *mail.Message, v mail.Verdict) []string {
	switch {
	case m.Automatic():
		return []string{"unanswered_automatic"}
	case !v.Level.Proven():
		return []string{"unanswered_unproven"}
	}
	return nil
}

func refersToUs(m *mail.Message, own []string) bool {
	for _, id := range append(append([]string{}, m.InReplyTo...), m.References...) {
		_, domain, ok := strings.Cut(id, "@")
		for _, o := range own {
			if ok && (strings.EqualFold(domain, o) || strings.HasSuffix(strings.ToLower(domain), "."+strings.ToLower(o))) {
				return true
			}
		}
	}
	return false
}

var phone = pattern(`(?:\+?84|0)(?:[ .\-]?[0-9]){8,10}`)

// Lacks names what the notice asks for and a first mail does not have: a description, a picture of the error, a way
// to reach the sender.
func Lacks(m *mail.Message) []string {
	var out []string
	if len(strings.Fields(m.Text)) < 8 {
		out = append(out, "lacks_description")
	}
	picture := false
	for _, a := range m.Attachments {
		picture = picture || strings.HasPrefix(a.Type, "image/") || strings.HasPrefix(a.Type, "video/") || a.Type == "application/pdf"
	}
	if !picture {
		out = append(out, "lacks_screenshot")
	}
	if !phone().MatchString(m.Text) {
		out = append(out, "lacks_contact")
	}
	return out
}
