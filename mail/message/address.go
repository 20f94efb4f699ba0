package message

import (
	"strings"

	"countersign/mail"
)

// maxAddresses is how many addresses of one header are read.
const maxAddresses = 500

// Addresses reads a list of addresses as real mails have it: groups, routes, comments, names that should be quoted and
// are not, missing brackets. Encoded words are decoded after the list is taken apart, so that none can make an address.
func Addresses(value string) []mail.Address { return addresses(value, "") }

func addresses(value, fallback string) []mail.Address {
	var out []mail.Address
	s := scanner{in: value, lastEnd: strings.LastIndexByte(value, ';'), blank: len(strings.TrimRight(value, " \t"))}
	for len(out) < maxAddresses && s.more() {
		out = append(out, s.one(fallback)...)
	}
	return out
}

// scanner takes a list of addresses apart.
type scanner struct {
	in      string
	pos     int
	lastEnd int  // where the last semicolon stands
	blank   int  // where nothing but white space follows
	open    bool // a comment without an end was met; more of them would be looked for in vain, again and again
}

func (s *scanner) more() bool { return s.pos < len(s.in) }

// one reads up to the next comma or semicolon. More than one mailbox in angle brackets gives more than one address.
func (s *scanner) one(fallback string) []mail.Address {
	var name, comment, bare strings.Builder
	var found []mail.Address
	for s.more() {
		switch c := s.in[s.pos]; {
		case c == ',' || c == ';':
			s.pos++
			return finish(found, name.String(), comment.String(), bare.String(), fallback)
		case c == ':' && s.group() && !strings.ContainsAny(bare.String(), "@["):
			// A group's name is no part of its first member.
			s.pos++
			name.Reset()
			bare.Reset()
			comment.Reset()
		case c == '"':
			text, closed := s.quoted()
			if !closed {
				continue
			}
			name.WriteString(text)
			// "local part"@example.org
			if s.more() && s.in[s.pos] == '@' {
				bare.WriteString(`"` + text + `"`)
			} else {
				bare.WriteByte(' ')
			}
		case c == '(' && !s.open:
			if text := s.comment(); comment.Len() == 0 {
				comment.WriteString(text)
			}
			bare.WriteByte(' ')
		case c == '=' && strings.HasPrefix(s.in[s.pos:], "=?") && s.encoded(&name, &bare):
		case c == '<':
			if addr := s.angle(); addr != "" || len(found) == 0 {
				found = append(found, mail.Address{Addr: addr})
			}
			bare.WriteByte(' ')
		default:
			name.WriteByte(c)
			bare.WriteByte(c)
			s.pos++
		}
	}
	return finish(found, name.String(), comment.String(), bare.String(), fallback)
}

// group reports whether the colon here ends a group's name: a list and a semicolon follow.
func (s *scanner) group() bool { return s.lastEnd > s.pos || s.pos+1 >= s.blank }

// quoted reads a quoted string. A quote without an end stands for nothing, and what follows is read as if unquoted.
func (s *scanner) quoted() (string, bool) {
	var out strings.Builder
	for i := s.pos + 1; i < len(s.in); i++ {
		switch c := s.in[i]; {
		case c == '\\' && i+1 < len(s.in):
			i++
			out.WriteByte(s.in[i])
		case c == '"':
			s.pos = i + 1
			return out.String(), true
		default:
			out.WriteByte(c)
		}
	}
	s.pos++
	return "", false
}

// encoded copies an encoded word whole: commas and brackets inside it separate nothing.
func (s *scanner) encoded(name, bare *strings.Builder) bool {
	_, _, n, ok := word(s.in[s.pos:])
	if !ok {
		return false
	}
	text := s.in[s.pos : s.pos+n]
	name.WriteString(text)
	bare.WriteString(strings.NewReplacer(" ", "_", "\t", "_", "@", "=40").Replace(text))
	s.pos += n
	return true
}

func (s *scanner) comment() string {
	depth := 0
	start := s.pos + 1
	for i := s.pos; i < len(s.in); i++ {
		switch s.in[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				s.pos = i + 1
				return s.in[start:i]
			}
		}
	}
	s.open = true
	s.pos++
	return ""
}

// angle reads what stands in angle brackets, without a route (RFC 5322 §4.4).
func (s *scanner) angle() string {
	s.pos++
	start, quoted := s.pos, false
	end := -1
	for i := start; i < len(s.in) && end < 0; i++ {
		switch c := s.in[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == '>' && !quoted:
			end = i
			s.pos = i + 1
		case (c == ',' || c == ';' || c == '<') && !quoted && !strings.HasPrefix(s.in[start:], "@"):
			end = i
			s.pos = i
		}
	}
	if end < 0 {
		end, s.pos = len(s.in), len(s.in)
	}
	inner := s.in[start:end]
	if strings.HasPrefix(inner, "@") {
		if i := strings.LastIndexByte(inner, ':'); i >= 0 {
			inner = inner[i+1:]
		}
	}
	return mailbox(stripComments(inner))
}

// mailbox makes an address of what stands where one belongs.
func mailbox(s string) string {
	s = line(strings.TrimPrefix(strings.TrimSpace(s), "mailto:"))
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		local, domain := strings.TrimSpace(s[:i]), strings.TrimSpace(s[i+1:])
		domain = strings.TrimSuffix(strings.Join(strings.Fields(domain), ""), ".")
		if !strings.HasPrefix(local, `"`) {
			local = strings.Join(strings.Fields(local), "")
		}
		s = local + "@" + domain
	}
	return s
}

func finish(found []mail.Address, name, comment, bare, fallback string) []mail.Address {
	said := func(s string) string { return line(words(collapse(s), fallback)) }
	if len(found) > 0 {
		n := said(name)
		if n == "" {
			n = said(comment)
		}
		found[0].Name = n
		return found
	}
	bare = strings.TrimSpace(bare)
	if bare == "" {
		if n := said(name); n != "" {
			return []mail.Address{{Name: n}}
		}
		return nil
	}
	// A list without brackets: the words with an @ are the addresses, the others the name.
	if strings.Contains(bare, "@") {
		return loose(bare, said(comment), fallback)
	}
	if !strings.ContainsAny(bare, " \t=") {
		return []mail.Address{{Name: said(comment), Addr: line(bare)}}
	}
	return []mail.Address{{Name: said(name)}}
}

func loose(bare, comment, fallback string) []mail.Address {
	// "user @ example.org" is one address.
	if fields := strings.Fields(bare); len(fields) <= 3 && strings.Count(bare, "@") == 1 && (fields[0] == "@" || strings.HasSuffix(fields[0], "@") || len(fields) > 1 && strings.HasPrefix(fields[1], "@")) {
		return []mail.Address{{Name: comment, Addr: mailbox(bare)}}
	}
	if strings.HasPrefix(bare, `"`) {
		return []mail.Address{{Name: comment, Addr: mailbox(bare)}}
	}
	var out []mail.Address
	var name []string
	for _, f := range strings.Fields(bare) {
		if strings.Contains(f, "@") && !strings.HasPrefix(f, "=?") {
			out = append(out, mail.Address{Addr: mailbox(f)})
		} else {
			name = append(name, f)
		}
	}
	if len(out) == 0 {
		return []mail.Address{{Name: line(words(bare, fallback))}}
	}
	if out[0].Name = comment; len(name) > 0 {
		out[0].Name = line(words(strings.Join(name, " "), fallback))
	}
	return out
}

func collapse(s string) string {
	if !strings.ContainsAny(s, "\t\r\n") && !strings.Contains(s, "  ") {
		return strings.TrimSpace(s)
	}
	return strings.Join(strings.Fields(s), " ")
}
