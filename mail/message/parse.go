package message

import (
	"bytes"
	"net/mail"
	"strings"
	"time"

	m "countersign/mail"
)

// Parse makes a message of any bytes. It never fails: at worst the kind is unreadable, with the reason. The message
// keeps raw and slices of it, so raw must not be changed afterwards.
func Parse(raw []byte, l Limits) *m.Message {
	if l == (Limits{}) {
		l = Default()
	}
	return parse(raw, l, 0)
}

func parse(raw []byte, l Limits, depth int) (out *m.Message) {
	p := &parser{limits: l}
	out = &m.Message{Raw: raw}
	// The floor: should our own code ever break on a mail, the mail is still there for an agent to see.
	defer func() {
		if recover() != nil {
			out = &m.Message{Kind: m.KindUnreadable, Unreadable: "parser", Raw: raw, Text: floor(raw, l.Text)}
		}
	}()
	body := normalEnds(p, raw)
	if len(body) == 0 {
		out.Kind, out.Unreadable = m.KindUnreadable, "empty"
		return out
	}
	if len(raw) > l.Size {
		p.tooBig(out, body)
		return out
	}
	out.Root = p.root(body, depth)
	p.read(out)
	p.contents(out, depth)
	classify(out)
	if !hasMailField(out.Header) {
		out.Kind, out.Unreadable = m.KindUnreadable, "no_header"
		if strings.TrimSpace(out.Text) == "" || !likeText(out.Text) {
			out.Text = floor(raw, l.Text)
		}
	}
	out.Defects = p.defects
	return out
}

// normalEnds steps over empty lines and byte order marks at the beginning, and gives a mail that has only CR line ends LF ones.
func normalEnds(p *parser, raw []byte) []byte {
	body := raw
	if bytes.HasPrefix(body, []byte("\xef\xbb\xbf")) {
		p.flaw("byte_order_mark", "")
		body = body[3:]
	}
	for len(body) > 0 && (body[0] == '\n' || body[0] == '\r') {
		p.flaw("blank_first_line", "")
		body = body[1:]
	}
	head := body[:min(len(body), 4096)]
	if bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0 {
		p.flaw("bare_cr", "")
		body = bytes.ReplaceAll(body, []byte("\r"), []byte("\n"))
	}
	return body
}

// root reads the outermost part; its body's character set is the guess for headers with 8-bit bytes.
func (p *parser) root(raw []byte, depth int) *m.Part {
	p.parts++
	part := &m.Part{Raw: raw}
	var body int
	part.Header, body = p.header(raw, "header")
	part.Head, part.Body = raw[:body], raw[body:]
	if set := charsetOf(part); set != "" {
		p.charset = set
	}
	p.describe(part, "text/plain")
	p.descend(part, depth)
	return part
}

func charsetOf(part *m.Part) string {
	v := part.Field("Content-Type")
	i := strings.Index(strings.ToLower(v), "charset=")
	if i < 0 {
		return ""
	}
	set, _, _ := strings.Cut(v[i+8:], ";")
	set = strings.ToLower(strings.Trim(strings.TrimSpace(set), `"'`))
	if set == "us-ascii" || set == "utf-8" {
		return ""
	}
	return set
}

// tooBig reads the header of a mail that is beyond the gate, and nothing else.
func (p *parser) tooBig(out *m.Message, raw []byte) {
	head := raw[:min(len(raw), 256<<10)]
	fields, _ := p.header(head, "header")
	out.Root = &m.Part{Type: "application/octet-stream", Params: map[string]string{}, Header: fields, Raw: raw, Body: raw}
	p.read(out)
	out.Kind, out.Unreadable = m.KindUnreadable, "too_big"
	out.Defects = p.defects
}

// read fills in what the header says.
func (p *parser) read(out *m.Message) {
	out.Header = out.Root.Header
	once := map[string]bool{}
	for _, f := range out.Header {
		name := strings.ToLower(f.Name)
		switch name {
		case "from", "sender", "subject", "date", "message-id", "reply-to":
			if once[name] {
				p.flaw("field_twice", name)
			}
		}
		first := !once[name]
		once[name] = true
		p.field(out, name, f.Value, first)
	}
}

func (p *parser) field(out *m.Message, name, value string, first bool) {
	switch name {
	case "from":
		out.From = append(out.From, addresses(value, p.charset)...)
	case "sender":
		out.Sender = append(out.Sender, addresses(value, p.charset)...)
	case "reply-to":
		out.ReplyTo = append(out.ReplyTo, addresses(value, p.charset)...)
	case "to":
		out.To = append(out.To, addresses(value, p.charset)...)
	case "cc":
		out.Cc = append(out.Cc, addresses(value, p.charset)...)
	case "return-path":
		if first {
			a := m.Address{Addr: mailbox(strings.Trim(stripComments(strings.TrimSpace(value)), "<>"))}
			out.ReturnPath = &a
		}
	case "subject":
		if first {
			out.Subject = line(words(value, p.charset))
		}
	case "message-id":
		if ids := messageIDs(value); first && len(ids) > 0 {
			out.MessageID = ids[0]
		}
	case "in-reply-to":
		out.InReplyTo = append(out.InReplyTo, messageIDs(value)...)
	case "references":
		out.References = append(out.References, messageIDs(value)...)
	case "date":
		if first {
			out.Date = date(value)
			if out.Date.IsZero() {
				p.flaw("bad_date", "")
			}
		}
	}
}

// messageIDs reads the ids of a header, with or without angle brackets.
func messageIDs(v string) []string {
	var out []string
	for strings.IndexByte(v, '<') >= 0 && len(out) < 200 {
		_, rest, _ := strings.Cut(v, "<")
		id, after, ok := strings.Cut(rest, ">")
		if id = strings.Join(strings.Fields(line(id)), ""); id != "" {
			out = append(out, id)
		}
		if !ok {
			break
		}
		v = after
	}
	if len(out) == 0 {
		for _, id := range strings.Fields(line(v)) {
			if strings.Contains(id, "@") || !strings.ContainsAny(id, " ") && len(id) > 8 {
				out = append(out, id)
			}
		}
	}
	return out
}

// date reads RFC 5322 dates and the forms of programs that don't know it.
func date(v string) time.Time {
	v = strings.Join(strings.Fields(stripComments(line(v))), " ")
	if t, err := mail.ParseDate(v); err == nil {
		return t
	}
	if i := strings.IndexByte(v, ','); i >= 0 && i < 12 {
		v = strings.TrimSpace(v[i+1:])
	}
	v = strings.Replace(v, "GMT+", "+", 1)
	v = strings.Replace(v, "UTC+", "+", 1)
	for _, form := range []string{
		"2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 MST", "2 Jan 2006 15:04:05 -07:00", "2 Jan 2006 15:04:05", "2 Jan 2006 15:04 -0700", "2 Jan 06 15:04:05 -0700",
		"2 Jan 06 15:04:05 MST", "2 January 2006 15:04:05 -0700", "2-Jan-2006 15:04:05 -0700", "Mon Jan 2 15:04:05 2006", "Mon Jan 2 15:04:05 MST 2006", "Mon Jan 2 15:04:05 -0700 2006",
		"Jan 2 15:04:05 2006", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05", time.RFC3339, "02/01/2006 15:04:05", "2 Jan 2006 15.04.05 -0700", "2 Jan 2006 15:04:05 +07",
	} {
		if t, err := time.Parse(form, v); err == nil && t.Year() > 1970 {
			return t
		}
	}
	return time.Time{}
}

// hasMailField reports whether a header is that of a mail: at least one field that only mails have.
func hasMailField(fields []m.Field) bool {
	for _, f := range fields {
		if usual(f.Name) {
			return true
		}
	}
	return false
}

// floor is the last resort: what can be shown of bytes that are no mail.
func floor(raw []byte, limit int) string {
	head := raw[:min(len(raw), limit, 64<<10)]
	text, _ := decode(head, "")
	if text = lines(text); likeText(text) {
		return text
	}
	return ""
}

// likeText reports whether most of a string is letters that people read.
func likeText(s string) bool {
	good, bad := 0, 0
	for _, r := range s[:min(len(s), 8192)] {
		if r == '\uFFFD' {
			bad++
		} else {
			good++
		}
	}
	return good > 8*bad
}
