package message

import (
	"bytes"
	"strings"

	"countersign/mail"
	"countersign/mail/cms"
)

// parser takes one mail apart, within its limits.
type parser struct {
	limits  Limits
	charset string // of the body, for headers with 8-bit bytes
	parts   int    // seen so far
	defects []mail.Defect
}

// maxDefects is how many defects are told; a broken mail has the same one a thousand times.
const maxDefects = 50

func (p *parser) flaw(word, where string) {
	if len(p.defects) < maxDefects {
		d := mail.Defect{Word: word, Where: line(strings.ToValidUTF8(where, ""))}
		for _, have := range p.defects {
			if have == d {
				return
			}
		}
		p.defects = append(p.defects, d)
	}
}

// part reads header and body of one entity. kind is its type when it says none.
func (p *parser) part(raw []byte, kind string, depth int) *mail.Part {
	p.parts++
	part := &mail.Part{Raw: raw}
	where := "part " + itoa(p.parts)
	var body int
	part.Header, body = p.header(raw, where)
	part.Head, part.Body = raw[:body], raw[body:]
	p.describe(part, kind)
	p.descend(part, depth)
	return part
}

// describe fills in what the header says of the body.
func (p *parser) describe(part *mail.Part, kind string) {
	seen := map[string]bool{}
	for _, f := range part.Header {
		if len(f.Name) < 10 || f.Name[0]|0x20 != 'c' {
			continue
		}
		name := strings.ToLower(f.Name)
		if !strings.HasPrefix(name, "content-") {
			continue
		}
		if seen[name] {
			p.flaw("field_twice", name)
			continue
		}
		seen[name] = true
		switch name {
		case "content-type":
			part.Type, part.Params = p.parameters(f.Value)
		case "content-disposition":
			var params map[string]string
			part.Disposition, params = p.parameters(f.Value)
			part.Name = params["filename"]
		case "content-transfer-encoding":
			part.Encoding = strings.ToLower(strings.Trim(stripComments(f.Value), " \t;\"'"))
		case "content-id":
			part.ID = strings.Trim(strings.TrimSpace(f.Value), "<>")
		}
	}
	if part.Name == "" {
		part.Name = part.Params["name"]
	}
	major, minor, ok := strings.Cut(part.Type, "/")
	switch {
	case part.Type == "":
		part.Type = kind
	case part.Type == "text" || ok && major == "text" && minor == "":
		part.Type = "text/plain"
	case !ok || major == "" || minor == "":
		p.flaw("bad_type", part.Type)
		part.Type = "application/octet-stream"
		if part.Name == "" && part.Disposition == "" {
			part.Type = "text/plain"
		}
	}
	if part.Params == nil {
		part.Params = map[string]string{}
	}
}

// descend reads the parts inside a part.
func (p *parser) descend(part *mail.Part, depth int) {
	holds := strings.HasPrefix(part.Type, "multipart/") || part.Type == "message/rfc822" || part.Type == "message/global" || pkcs7(part)
	if !holds {
		return
	}
	if depth >= p.limits.Depth {
		p.flaw("too_deep", part.Type)
		return
	}
	switch {
	case strings.HasPrefix(part.Type, "multipart/"):
		p.multipart(part, depth)
	case pkcs7(part):
		// A signature around its content, or a compressed mail, is opened: who signed is for mail/smime to say.
		if inner, err := cms.Open(Content(part), p.limits.Size); err == nil && len(inner) > 0 {
			part.Parts = []*mail.Part{p.part(inner, "text/plain", depth+1)}
		}
	case part.Disposition == "attachment" && part.Type != "message/rfc822":
	default:
		body := part.Body
		if part.Encoding == "base64" || part.Encoding == "quoted-printable" {
			p.flaw("encoded_mail", part.Type) // RFC 2046 §5.2.1 forbids it; programs do it
			body = Content(part)
		}
		part.Parts = []*mail.Part{p.part(trimStart(body), "text/plain", depth+1)}
	}
}

func pkcs7(part *mail.Part) bool {
	switch part.Type {
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		return true
	}
	return part.Type == "application/octet-stream" && strings.HasSuffix(strings.ToLower(part.Name), ".p7m")
}

func trimStart(b []byte) []byte { return bytes.TrimLeft(b, "\r\n") }

func (p *parser) multipart(part *mail.Part, depth int) {
	boundary := part.Params["boundary"]
	if part.Encoding == "base64" || part.Encoding == "quoted-printable" {
		p.flaw("encoded_multipart", part.Type)
		if boundary == "" || !bytes.Contains(part.Body, []byte("--"+boundary)) {
			part.Body = Content(part)
		}
		part.Encoding = ""
	}
	cuts, closed := delimiters(part.Body, boundary)
	if len(cuts) == 0 {
		if guessed := findBoundary(part.Body); guessed != "" {
			p.flaw("wrong_boundary", part.Type)
			cuts, closed = delimiters(part.Body, guessed)
		}
	}
	if len(cuts) == 0 {
		// Nothing is divided: what is there is one text.
		p.flaw("no_boundary", part.Type)
		p.parts++
		part.Parts = []*mail.Part{{Type: "text/plain", Params: map[string]string{}, Body: part.Body, Raw: part.Body}}
		return
	}
	if !closed {
		p.flaw("unterminated", part.Type)
	}
	part.Preamble = len(bytes.TrimSpace(part.Body[:cuts[0].start])) > 0
	kind := "text/plain"
	if part.Type == "multipart/digest" {
		kind = "message/rfc822"
	}
	for i, c := range cuts {
		if c.last {
			break
		}
		end := len(part.Body)
		if i+1 < len(cuts) {
			end = cuts[i+1].start
		}
		if c.end > end {
			continue
		}
		if p.parts >= p.limits.Parts {
			p.flaw("too_many_parts", part.Type)
			rest := part.Body[c.start:]
			part.Parts = append(part.Parts, &mail.Part{Type: "application/octet-stream", Params: map[string]string{}, Disposition: "attachment", Name: "rest.bin", Body: rest, Raw: rest})
			break
		}
		part.Parts = append(part.Parts, p.part(part.Body[c.end:end], kind, depth+1))
	}
}

// cut is one delimiter: start is where the part before it ends (its line end belongs to the delimiter), end where the
// part behind it begins.
type cut struct {
	start, end int
	last       bool
}

// delimiters finds the lines "--boundary" and "--boundary--".
func delimiters(body []byte, boundary string) (cuts []cut, closed bool) {
	boundary = strings.TrimRight(boundary, " \t")
	if boundary == "" || len(boundary) > 400 {
		return nil, false
	}
	mark := []byte("--" + boundary)
	for pos := 0; pos < len(body); {
		i := bytes.Index(body[pos:], mark)
		if i < 0 {
			break
		}
		at := pos + i
		pos = at + len(mark)
		if at > 0 && body[at-1] != '\n' && body[at-1] != '\r' {
			continue
		}
		end, next := lineEnd(body, at)
		rest := bytes.TrimRight(body[at+len(mark):end], " \t")
		last := bytes.Equal(rest, []byte("--"))
		if len(rest) > 0 && !last {
			continue
		}
		start := at
		if start > 0 && body[start-1] == '\n' {
			start--
		}
		if start > 0 && body[start-1] == '\r' {
			start--
		}
		if n := len(cuts); n > 0 && start < cuts[n-1].end {
			start = cuts[n-1].end // two delimiters with nothing between them
		}
		cuts = append(cuts, cut{start, next, last})
		if last {
			return cuts, true
		}
		pos = next
	}
	return cuts, false
}

// findBoundary guesses the boundary of a body whose header tells none, or another one: a line that begins with "--",
// stands before something like a part's header, and is not a signature mark.
func findBoundary(body []byte) string {
	const near = 64 << 10
	for pos := 0; pos < len(body) && pos < near; {
		end, next := lineEnd(body, pos)
		text := bytes.TrimRight(body[pos:end], " \t")
		if len(text) > 2 && len(text) < 200 && bytes.HasPrefix(text, []byte("--")) && bytes.IndexByte(text, ' ') < 0 && bytes.Trim(text, "-=_*") != nil {
			stop, _ := lineEnd(body, next)
			if name, _, ok := splitField(body[next:stop]); ok && usual(name) {
				return string(text[2:])
			}
		}
		pos = next
	}
	return ""
}

// Content returns the decoded bytes of a part: its transfer encoding undone, its character set not. It may lie in the
// mail's raw bytes, so it must not be written to.
func Content(part *mail.Part) []byte {
	out, _ := content(part)
	return out
}

func content(part *mail.Part) (out []byte, damaged bool) {
	switch part.Encoding {
	case "base64":
		if strings.HasPrefix(part.Type, "text/") && !looksBase64(part.Body) {
			return part.Body, true
		}
		return base64Bytes(part.Body)
	case "quoted-printable", "quotedprintable", "qp":
		return quotedBytes(part.Body)
	case "x-uuencode", "uuencode", "x-uue", "uue":
		if files, _ := uuFiles(string(part.Body)); len(files) > 0 {
			return files[0].data, false
		}
	}
	return part.Body, false
}

// looksBase64 reports whether a text can be base64 at all: some programs declare it and send plain words.
func looksBase64(b []byte) bool {
	if len(b) > 4096 {
		b = b[:4096]
	}
	foreign, gaps := 0, 0
	for i, c := range b {
		switch {
		case c == ' ' && i > 0 && base64Value[b[i-1]] != 255:
			gaps++
		case base64Value[c] == 255 && c != '=' && c != '\r' && c != '\n' && c != ' ':
			foreign++
		}
	}
	// Damage is rare; words have a space after every few letters.
	return foreign*8 <= len(b) && gaps*25 <= len(b)
}
