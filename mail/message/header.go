package message

import (
	"bytes"
	"strings"

	"countersign/mail"
)

// header reads the fields at the beginning of b and says where the body begins. It takes bare LF, obsolete white space
// before the colon, folds without a space, and a body that begins without an empty line.
func (p *parser) header(b []byte, where string) (fields []mail.Field, body int) {
	for pos := 0; pos < len(b); {
		end, next := lineEnd(b, pos)
		text := b[pos:end]
		switch {
		case len(text) == 0:
			return fields, next
		case text[0] == ' ' || text[0] == '\t':
			if len(bytes.TrimSpace(text)) == 0 && !p.goesOn(b, next) {
				return fields, next
			}
			if len(fields) > 0 {
				p.extend(&fields[len(fields)-1], text, where)
			}
		default:
			name, value, ok := splitField(text)
			switch {
			case ok && len(fields) < p.limits.Fields:
				fields = append(fields, mail.Field{Name: name, Value: p.cutLine(value, where)})
			case ok:
				p.flaw("too_many_fields", where)
			case (bytes.HasPrefix(text, []byte("From ")) || bytes.HasPrefix(text, []byte(">From "))) && len(fields) < 3:
				p.flaw("mbox_line", where)
			case len(fields) > 0 && p.goesOn(b, next):
				p.flaw("bad_fold", where)
				p.extend(&fields[len(fields)-1], append([]byte{' '}, text...), where)
			default:
				p.flaw("no_blank_line", where)
				return fields, pos
			}
		}
		pos = next
	}
	return fields, len(b)
}

func (p *parser) extend(f *mail.Field, text []byte, where string) {
	if len(f.Value)+len(text) > p.limits.HeaderLine {
		p.flaw("long_field", where)
		return
	}
	f.Value += string(bytes.TrimRight(text, "\r"))
}

func (p *parser) cutLine(value, where string) string {
	if len(value) > p.limits.HeaderLine {
		p.flaw("long_field", where)
		return value[:p.limits.HeaderLine]
	}
	return value
}

// goesOn reports whether the header goes on behind a line that is none of its fields: one of the next two lines is a
// field that mails really have.
func (p *parser) goesOn(b []byte, pos int) bool {
	for range 2 {
		if pos >= len(b) {
			return false
		}
		end, next := lineEnd(b, pos)
		if end == pos {
			return false
		}
		if name, _, ok := splitField(b[pos:end]); ok && usual(name) {
			return true
		}
		pos = next
	}
	return false
}

// usual reports whether a name is one that headers of mails have.
func usual(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "from", "to", "cc", "bcc", "subject", "date", "sender", "reply-to", "message-id", "in-reply-to", "references",
		"mime-version", "received", "return-path", "delivered-to", "precedence", "auto-submitted", "dkim-signature",
		"authentication-results", "importance", "organization", "user-agent", "thread-topic", "thread-index", "status":
		return true
	}
	return strings.HasPrefix(name, "content-") || strings.HasPrefix(name, "x-") || strings.HasPrefix(name, "list-") || strings.HasPrefix(name, "arc-") || strings.HasPrefix(name, "resent-")
}

// lineEnd returns where the line at pos ends and where the next one begins.
func lineEnd(b []byte, pos int) (end, next int) {
	i := bytes.IndexByte(b[pos:], '\n')
	if i < 0 {
		end = len(b)
		if end > pos && b[end-1] == '\r' {
			return end - 1, len(b)
		}
		return end, end
	}
	end, next = pos+i, pos+i+1
	if end > pos && b[end-1] == '\r' {
		end--
	}
	return end, next
}

// splitField reads "Name: value".
func splitField(text []byte) (name, value string, ok bool) {
	i := bytes.IndexByte(text, ':')
	if i <= 0 || i > 200 {
		return "", "", false
	}
	head := bytes.TrimRight(text[:i], " \t")
	if len(head) == 0 {
		return "", "", false
	}
	for _, c := range head {
		if c <= ' ' || c >= 0x7f {
			return "", "", false
		}
	}
	return string(head), strings.TrimLeft(string(text[i+1:]), " \t"), true
}

// parameters reads "value; name=value; …" (RFC 2045 §5.1), with continuations and character sets (RFC 2231) and what
// programs write instead: encoded words, 8-bit bytes, unquoted spaces, doubled semicolons.
func (p *parser) parameters(field string) (value string, params map[string]string) {
	value, rest, found := cutOutside(field, ';')
	value = strings.ToLower(strings.TrimSpace(stripComments(value)))
	if i := strings.IndexAny(value, " \t"); i > 0 {
		value = value[:i]
	}
	if !found {
		return value, nil
	}
	raw := map[string]string{}
	params = map[string]string{}
	for n := 0; rest != "" && n < 100; n++ {
		var one string
		one, rest, _ = cutOutside(rest, ';')
		name, v, ok := strings.Cut(one, "=")
		name = strings.ToLower(strings.TrimSpace(stripComments(name)))
		if !ok || name == "" {
			continue
		}
		v = unquote(strings.TrimSpace(v))
		if _, twice := raw[name]; twice {
			p.flaw("parameter_twice", name)
			continue
		}
		raw[name] = v
	}
	for name, v := range raw {
		base, _, extended := strings.Cut(name, "*")
		if !extended {
			if _, better := params[name]; !better {
				params[name] = line(words(v, p.charset))
			}
		} else if s, ok := p.continued(raw, base); ok {
			params[base] = s
		}
	}
	return value, params
}

// continued puts the pieces of an RFC 2231 parameter together: name*, name*0, name*0*, name*1 …
func (p *parser) continued(raw map[string]string, base string) (string, bool) {
	if v, ok := raw[base+"*"]; ok {
		set, data := extended(v)
		s, _ := decode(data, set)
		return line(s), true
	}
	var data []byte
	set := ""
	for i := 0; i < 100; i++ {
		n := base + "*" + itoa(i)
		if v, ok := raw[n+"*"]; ok {
			if i == 0 {
				var piece []byte
				set, piece = extended(v)
				data = append(data, piece...)
			} else {
				data = append(data, percent(v)...)
			}
			continue
		}
		v, ok := raw[n]
		if !ok {
			if i > 0 {
				break
			}
			return "", false
		}
		data = append(data, v...)
	}
	s, _ := decode(data, set)
	if set == "" {
		s = words(s, p.charset)
	}
	return line(s), true
}

func itoa(i int) string {
	if i < 10 {
		return string(rune('0' + i))
	}
	return itoa(i/10) + string(rune('0'+i%10))
}

// extended reads charset'language'percent-encoded.
func extended(v string) (set string, data []byte) {
	parts := strings.SplitN(v, "'", 3)
	if len(parts) != 3 {
		return "", percent(v)
	}
	return parts[0], percent(parts[2])
}

func percent(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0 {
			out = append(out, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return out
}

// cutOutside is strings.Cut that does not see the separator inside quotes.
func cutOutside(s string, sep byte) (before, after string, found bool) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == sep && !quoted:
			return s[:i], s[i+1:], true
		}
	}
	if quoted { // a quote without an end quotes nothing
		return strings.Cut(s, string(sep))
	}
	return s, "", false
}

func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' {
		if len(s) > 1 && s[0] == '\'' && s[len(s)-1] == '\'' && !strings.Contains(s[1:len(s)-1], "'") {
			return s[1 : len(s)-1]
		}
		if i := strings.IndexByte(s, '"'); i == 0 {
			return s[1:]
		}
		return stripComments(s)
	}
	var out strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			out.WriteByte(s[i])
		case s[i] == '"':
			return out.String()
		default:
			out.WriteByte(s[i])
		}
	}
	return out.String()
}

// stripComments takes comments in round brackets out (RFC 5322 §3.2.2).
func stripComments(s string) string {
	if strings.IndexByte(s, '(') < 0 {
		return s
	}
	var out strings.Builder
	depth := 0
	quoted := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s):
			if depth == 0 {
				out.WriteByte(c)
				out.WriteByte(s[i+1])
			}
			i++
		case c == '"' && depth == 0:
			quoted = !quoted
			out.WriteByte(c)
		case c == '(' && !quoted:
			depth++
		case c == ')' && depth > 0 && !quoted:
			depth--
		case depth == 0:
			out.WriteByte(c)
		}
	}
	if depth > 0 { // a bracket without an end is no comment
		return s
	}
	return strings.TrimSpace(out.String())
}
