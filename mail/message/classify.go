package message

import (
	"strings"

	m "countersign/mail"
)

// classify says what a mail is. The order is that of certainty: what is said in a standard's form first, what is said
// in a program's own words next, what only looks like it last.
func classify(out *m.Message) {
	if readFeedback(out) {
		out.Kind = m.KindFeedbackReport
		return
	}
	if isReceipt(out) {
		out.Kind = m.KindAutoReply
		out.Auto = append(out.Auto, "receipt")
		out.OriginalID = receiptID(out)
		return
	}
	if readStatus(out) || readOldBounce(out) {
		out.Kind = m.KindBounce
		out.OriginalID = originalID(out)
		return
	}
	answered := automatic(out)
	switch {
	case answered:
		out.Kind = m.KindAutoReply
	case len(out.InReplyTo) > 0 || len(out.References) > 0 || replySubject().MatchString(out.Subject):
		out.Kind = m.KindReply
	default:
		out.Kind = m.KindRequest
	}
}

// find returns the first part of the given type, not looking into enclosed mails.
func find(root *m.Part, kinds ...string) *m.Part {
	var out *m.Part
	root.Walk(func(p *m.Part) bool {
		if out != nil {
			return false
		}
		for _, k := range kinds {
			if p.Type == k {
				out = p
				return false
			}
		}
		return p.Type != "message/rfc822" && p.Type != "message/global"
	})
	return out
}

// statusFields reads blocks of fields as delivery reports have them. Each block is separated by an empty line.
func statusFields(data []byte) [][]m.Field {
	p := &parser{limits: Default()}
	var blocks [][]m.Field
	text := strings.ReplaceAll(lines(string(data)), "\n\n\n", "\n\n")
	for block := range strings.SplitSeq(text, "\n\n") {
		var fields []m.Field
		for l := range strings.SplitSeq(block, "\n") {
			if name, value, ok := splitField([]byte(strings.TrimLeft(l, " \t"))); ok && (l[0] != ' ' && l[0] != '\t') {
				fields = append(fields, m.Field{Name: name, Value: value})
			} else if len(fields) > 0 {
				p.extend(&fields[len(fields)-1], []byte(" "+strings.TrimSpace(l)), "")
			}
		}
		if len(fields) > 0 && len(blocks) < 2000 {
			blocks = append(blocks, fields)
		}
	}
	return blocks
}

// readFeedback reads an abuse report (RFC 5965), and the older ones that are told by their subject.
func readFeedback(out *m.Message) bool {
	part := find(out.Root, "message/feedback-report")
	if part == nil {
		if !strings.HasPrefix(strings.ToLower(out.Subject), "complaint about message from") || len(out.Enclosed) == 0 {
			return false
		}
		out.Feedback = &m.Feedback{Type: "abuse", MessageID: out.Enclosed[0].MessageID}
		if to := out.Enclosed[0].To; len(to) > 0 {
			out.Feedback.Recipient = to[0].Addr
		}
		return true
	}
	out.Feedback = &m.Feedback{Type: "other"}
	for _, block := range statusFields(Content(part)) {
		for _, f := range block {
			switch strings.ToLower(f.Name) {
			case "feedback-type":
				out.Feedback.Type = strings.ToLower(line(f.Value))
			case "original-rcpt-to", "removal-recipient":
				if out.Feedback.Recipient == "" {
					out.Feedback.Recipient = mailbox(strings.Trim(line(f.Value), "<>"))
				}
			}
		}
	}
	out.Feedback.MessageID = originalID(out)
	return true
}

func isReceipt(out *m.Message) bool {
	return find(out.Root, "message/disposition-notification", "message/global-disposition-notification") != nil ||
		out.Root.Type == "multipart/report" && strings.EqualFold(out.Root.Params["report-type"], "disposition-notification")
}

func receiptID(out *m.Message) string {
	if part := find(out.Root, "message/disposition-notification", "message/global-disposition-notification"); part != nil {
		for _, block := range statusFields(Content(part)) {
			for _, f := range block {
				if f.Is("Original-Message-ID") {
					if ids := messageIDs(f.Value); len(ids) > 0 {
						return ids[0]
					}
				}
			}
		}
	}
	return originalID(out)
}

// originalID finds the Message-ID of the mail that a report is about: in its copy, in the copy of its header, or in
// the words of the report.
func originalID(out *m.Message) string {
	p := &parser{limits: Default()}
	if part := find(out.Root, "message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers"); part != nil {
		data := Content(part)
		fields, _ := p.header(trimStart(data), "")
		if id := idOf(fields); id != "" {
			return id
		}
	}
	text := out.Text
	if i := copyMark().FindStringIndex(text); i != nil {
		text = text[i[0]:]
	}
	for l := range strings.SplitSeq(text, "\n") {
		name, value, ok := splitField([]byte(strings.TrimLeft(l, " \t>")))
		if ok && (strings.EqualFold(name, "Message-ID") || strings.EqualFold(name, "Original-Message-ID")) {
			if ids := messageIDs(value); len(ids) > 0 {
				return ids[0]
			}
		}
	}
	if len(out.InReplyTo) > 0 {
		return out.InReplyTo[0]
	}
	if n := len(out.References); n > 0 {
		return out.References[n-1]
	}
	return ""
}

func idOf(fields []m.Field) string {
	for _, f := range fields {
		if f.Is("Message-ID") {
			if ids := messageIDs(f.Value); len(ids) > 0 {
				return ids[0]
			}
		}
	}
	return ""
}
