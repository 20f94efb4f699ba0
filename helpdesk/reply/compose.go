package reply

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"countersign/helpdesk"
	"countersign/internal/fault"
	"countersign/internal/locale"
)

// House is what every mail says of us (T-F01): one place, so that all screens and mails say the same.
type House struct {
	Name    string // "Tổ hỗ trợ CNTT, Kho bạc Nhà nước"
	Mailbox string // hotrocntt@vst.gov.vn: the only address that our mails come from
	Hotline string // the switchboard, without an extension
}

// Refuse is Lint as an error, for those who take drafts: reply.lint names the kinds of what was found and the first
// stretch's line.
func Refuse(text string) error {
	found := Lint(text)
	if len(found) == 0 {
		return nil
	}
	var kinds []string
	for _, f := range found {
		id := "reply.lint." + string(f.Kind)
		if !strings.Contains(strings.Join(kinds, ","), id) {
			kinds = append(kinds, id)
		}
	}
	return fault.New(fault.Invalid, "reply.lint", fault.Args{"what": "@" + strings.Join(kinds, ",")})
}

// Text is a composed mail's words.
type Text struct {
	Subject string
	Body    string // with the footer
	Code    string // the check code in the footer, with dashes
}

// Compose writes what a mail says. First is whether it is the first one of ours on the ticket: that one warns of impostors
// (T-F12).
func Compose(h House, s *helpdesk.Secrets, o *helpdesk.Outgoing, author *helpdesk.Agent, first bool) Text {
	l := language(o)
	say := func(id string, args locale.Args) string { return locale.Text(l, id, args) }
	var b strings.Builder
	if o.Form == helpdesk.Receipt || o.Form == helpdesk.Answer || o.Form == helpdesk.Alert {
		b.WriteString(say("reply.greeting."+string(o.Form), nil) + "\n\n")
		for _, p := range points(l, o.Points) {
			b.WriteString(p + "\n\n")
		}
	} else {
		b.WriteString(strings.TrimRight(strings.ReplaceAll(o.Text, "\r\n", "\n"), "\n") + "\n\n")
	}
	if author != nil {
		b.WriteString(say("reply.sign", locale.Args{"name": author.FullName, "extension": author.Extension, "house": h.Name}) + "\n\n")
	} else {
		b.WriteString(h.Name + "\n\n")
	}
	if o.Form == helpdesk.Closing {
		b.WriteString(say("reply.rate", nil) + "\n\n")
	}
	if first && o.Form != helpdesk.Alert || o.Form == helpdesk.Warning {
		b.WriteString(say("reply.warning", nil) + "\n\n")
	}
	words := sha256.Sum256([]byte(b.String()))
	code := helpdesk.Spaced(s.MailCode(o.Ticket, o.MailID, hex.EncodeToString(words[:]), o.To.Address))
	b.WriteString("-- \n" + say("reply.footer", locale.Args{"ticket": o.Ticket, "code": code, "mailbox": h.Mailbox, "hotline": h.Hotline}) + "\n")
	return Text{Subject: subject(l, o), Body: b.String(), Code: code}
}

// TextSHA256 is the digest that a mail's check code stands for: of its words above the footer, as Compose wrote them. A
// mail read back gives the same one.
func TextSHA256(body string) string {
	words, _, _ := strings.Cut(strings.ReplaceAll(body, "\r\n", "\n"), "-- \n")
	sum := sha256.Sum256([]byte(words))
	return hex.EncodeToString(sum[:])
}

func language(o *helpdesk.Outgoing) locale.Lang {
	if l, err := locale.Parse(o.Language); err == nil {
		return l
	}
	return locale.Vietnamese
}

// subject names the ticket first, so that answers to it are found in any mail program. An automatic mail's has no word of
// the sender's.
func subject(l locale.Lang, o *helpdesk.Outgoing) string {
	if o.Auto() || o.Subject == "" {
		return locale.Text(l, "reply.subject."+string(o.Form), locale.Args{"ticket": o.Ticket})
	}
	text := strings.TrimSpace(strings.ReplaceAll(o.Subject, o.Ticket, ""))
	if cut := []rune(text); len(cut) > subjectMax {
		text = string(cut[:subjectMax]) + "…"
	}
	return "[" + o.Ticket + "] " + text
}

const subjectMax = 90

// points are the paragraphs of a receipt. What is missing is asked for in one of them.
func points(l locale.Lang, list []helpdesk.Point) (out []string) {
	var missing []string
	for _, p := range list {
		if p.Name == helpdesk.PointMissing {
			missing = append(missing, "- "+locale.Text(l, "reply.missing."+p.Args["what"], nil))
			continue
		}
		args := locale.Args{}
		for k, v := range p.Args {
			args[k] = v
		}
		switch p.Name {
		case helpdesk.PointSecret:
			args["kind"] = locale.Text(l, "reply.secret."+p.Args["kind"], nil)
		case helpdesk.PointSubject:
			args["problem"] = locale.Text(l, "reply.subject_problem."+p.Args["problem"], nil)
		case helpdesk.PointIssued:
			args["role"] = locale.Text(l, "reply.role."+p.Args["role"], nil)
		case helpdesk.PointStands:
			args["state"] = locale.Text(l, "ticket.state."+p.Args["state"], nil)
			args["role"] = locale.Text(l, "reply.role."+p.Args["role"], nil)
			args["channels"] = each(p.Args["channels"], func(way string) string { return locale.Text(l, "reply.channel."+way, nil) })
		case helpdesk.PointSuspicion:
			args["channel"] = locale.Text(l, "reply.suspicion.channel."+p.Args["channel"], nil)
			args["wanted"] = each(p.Args["wanted"], func(what string) string { return locale.Text(l, "reply.suspicion.wanted."+what, nil) })
			args["grade"] = locale.Text(l, "reply.suspicion.grade."+p.Args["grade"], nil)
		}
		out = append(out, locale.Text(l, "reply.point."+p.Name, args))
	}
	if len(missing) > 0 {
		out = append(out, locale.Text(l, "reply.point.missing", nil)+"\n"+strings.Join(missing, "\n"))
	}
	return out
}

// each puts words that stand with spaces between them through say.
func each(list string, say func(word string) string) string {
	var out []string
	for _, word := range strings.Fields(list) {
		out = append(out, say(word))
	}
	return strings.Join(out, ", ")
}
