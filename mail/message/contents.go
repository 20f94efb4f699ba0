package message

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	m "countersign/mail"
)

// maxHTML is how much of an HTML part is read; what people write is a hundredth of it.
const maxHTML = 2 << 20

// contents fills in text, attachments and enclosed mails.
func (p *parser) contents(out *m.Message, depth int) {
	c := &collector{parser: p, out: out, depth: depth}
	c.node(out.Root, false)
	out.Text = c.text()
}

// collector walks the tree in the order in which people read it.
type collector struct {
	*parser
	out    *m.Message
	depth  int
	pieces []string
	size   int
	files  int
}

func (c *collector) text() string {
	text := strings.Join(c.pieces, "\n\n")
	if len(text) > c.limits.Text {
		cutAt := c.limits.Text
		for cutAt > 0 && text[cutAt]&0xc0 == 0x80 {
			cutAt--
		}
		c.out.Cut = true
		c.flaw("text_cut", "")
		text = text[:cutAt] + "\n[…]"
	}
	return strings.Trim(text, "\n")
}

func (c *collector) add(text string) {
	if strings.TrimSpace(text) != "" && c.size <= c.limits.Text {
		c.pieces = append(c.pieces, text)
		c.size += len(text)
	}
}

// node takes one part in. inside says that it is a piece of something that is shown as one, such as a web page.
func (c *collector) node(part *m.Part, inside bool) {
	switch {
	case part.Type == "multipart/alternative":
		c.alternative(part)
	case part.Type == "multipart/related":
		c.related(part)
	case part.Type == "multipart/signed":
		c.signed(part)
	case part.Type == "multipart/report":
		c.report(part)
	case part.Type == "multipart/appledouble" && len(part.Parts) == 2:
		c.node(part.Parts[1], inside)
	case strings.HasPrefix(part.Type, "multipart/"):
		if len(part.Parts) == 0 && len(part.Body) > 0 {
			c.attach(part, "multipart.bin")
		}
		for _, sub := range part.Parts {
			c.node(sub, false)
		}
	case pkcs7(part):
		if len(part.Parts) == 1 {
			c.protected(part.Parts[0])
			return
		}
		c.attach(part, "smime.p7m")
	case part.Type == "message/rfc822" || part.Type == "message/global":
		c.enclosed(part)
	case strings.HasPrefix(part.Type, "text/") && !filed(part):
		c.textPart(part)
	case part.Type == "application/ms-tnef" || part.Type == "application/vnd.ms-tnef" || strings.EqualFold(part.Name, "winmail.dat"):
		c.winmail(part)
	default:
		c.attach(part, "")
	}
}

// filed reports whether a text part came as a file.
func filed(part *m.Part) bool {
	switch part.Type {
	case "text/plain", "text/html", "text/enriched", "text/x-amp-html", "text/richtext", "text/rfc822-headers":
		return part.Disposition == "attachment" || part.Name != "" && part.Disposition != "" || part.Name != "" && part.ID != ""
	}
	return true
}

// alternative shows plain text where there is some, else HTML; what else stands there as a file stays one.
func (c *collector) alternative(part *m.Part) {
	var plain, page, other *m.Part
	for _, sub := range part.Parts {
		switch kind := leading(sub); {
		case kind == "text/plain" && plain == nil:
			plain = sub
		case kind == "text/html" && page == nil:
			page = sub
		case strings.HasPrefix(kind, "text/") && other == nil && !filed(sub):
			other = sub
		}
	}
	shown := plain
	if shown != nil && c.blank(shown) {
		shown = nil
	}
	if shown == nil {
		shown = page
	}
	if shown == nil && plain == nil {
		shown = other
	}
	for _, sub := range part.Parts {
		switch {
		case sub == shown:
			c.node(sub, true)
		case sub == plain || sub == page || sub == other:
			c.beside(sub)
		default:
			c.node(sub, true)
		}
	}
}

// leading is the type of what a part shows first.
func leading(part *m.Part) string {
	for range 12 {
		if !strings.HasPrefix(part.Type, "multipart/") || len(part.Parts) == 0 {
			break
		}
		part = part.Parts[0]
	}
	if strings.HasPrefix(part.Type, "text/") && part.Disposition == "attachment" {
		return "file"
	}
	return part.Type
}

func (c *collector) blank(part *m.Part) bool {
	for range 12 {
		if len(part.Parts) == 0 {
			break
		}
		part = part.Parts[0]
	}
	body := Content(part)
	return len(body) < 4096 && strings.TrimSpace(strings.ReplaceAll(string(body), "\u00a0", " ")) == ""
}

// beside takes the files out of a rendition that is not shown.
func (c *collector) beside(part *m.Part) {
	for i, sub := range part.Parts {
		if i == 0 && strings.HasPrefix(part.Type, "multipart/") {
			c.beside(sub)
			continue
		}
		c.node(sub, true)
	}
}

func (c *collector) related(part *m.Part) {
	start := 0
	if id := strings.Trim(part.Params["start"], "<>"); id != "" {
		for i, sub := range part.Parts {
			if sub.ID == id {
				start = i
			}
		}
	}
	if start < len(part.Parts) {
		c.node(part.Parts[start], true)
	}
	for i, sub := range part.Parts {
		if i != start {
			c.node(sub, true)
		}
	}
}

// signed shows what was signed; the signature itself is no attachment, anything else there is.
func (c *collector) signed(part *m.Part) {
	for i, sub := range part.Parts {
		if i == 1 && strings.Contains(sub.Type, "signature") {
			continue
		}
		if i == 0 {
			c.protected(sub)
			continue
		}
		c.node(sub, false)
	}
}

// protected shows what was signed. A whole mail there is this mail with its header (RFC 8551 §3.1), not another one.
func (c *collector) protected(part *m.Part) {
	if part.Type == "message/rfc822" && len(part.Parts) == 1 {
		part = part.Parts[0]
	}
	c.node(part, false)
}

// report shows the words for people of a delivery report. The other parts are read by the bounce reader.
func (c *collector) report(part *m.Part) {
	for i, sub := range part.Parts {
		switch {
		case strings.HasPrefix(sub.Type, "message/") || sub.Type == "text/rfc822-headers":
		case i == 0 || strings.HasPrefix(sub.Type, "multipart/"):
			c.node(sub, false)
		case strings.HasPrefix(sub.Type, "text/") && !filed(sub):
			c.textPart(sub)
		default:
			c.attach(sub, "")
		}
	}
}

func (c *collector) textPart(part *m.Part) {
	data, damaged := content(part)
	if damaged {
		c.flaw("damaged_"+strings.ReplaceAll(part.Encoding, "-", "_"), part.Type)
	}
	if part.Type == "text/html" || part.Type == "text/x-amp-html" {
		c.html(part, data)
		return
	}
	if len(data) > 4*c.limits.Text {
		data = data[:4*c.limits.Text]
		c.out.Cut = true
	}
	text := c.decoded(data, part)
	if files, rest := uuFiles(text); len(files) > 0 {
		text = rest
		for _, f := range files {
			c.unpacked(f)
		}
	}
	if strings.EqualFold(part.Params["format"], "flowed") {
		text = unflow(text, strings.EqualFold(part.Params["delsp"], "yes"))
	}
	c.add(text)
}

func (c *collector) decoded(data []byte, part *m.Part) string {
	set := part.Params["charset"]
	if set == "" {
		// Kana and hanzi in seven bits announce themselves.
		if strings.Contains(string(data[:min(len(data), 2048)]), "\x1b$") {
			set = "iso-2022-jp"
		}
	}
	text, ok := decode(data, set)
	if !ok {
		c.flaw("charset_guessed", set)
	}
	return lines(text)
}

func (c *collector) html(part *m.Part, data []byte) {
	if len(data) > maxHTML {
		data = data[:maxHTML]
		c.out.Cut = true
	}
	if part.Params["charset"] == "" {
		if set := metaCharset(data); set != "" {
			part.Params["charset"] = set
		}
	}
	page := readHTML(c.decoded(data, part))
	c.out.HTML = true
	c.out.Hidden = c.out.Hidden || page.hidden
	c.out.Links = append(c.out.Links, page.links...)
	c.add(page.text)
}

// unflow joins the lines of format=flowed (RFC 3676 §4).
func unflow(text string, delsp bool) string {
	out := make([]byte, 0, len(text))
	open, depth := false, 0
	for l := range strings.SplitSeq(text, "\n") {
		quote := len(l) - len(strings.TrimLeft(l, ">"))
		bare := strings.TrimPrefix(l[quote:], " ")
		if !open || quote != depth || bare == "-- " {
			if len(out) > 0 {
				out = append(out, '\n')
			}
			if quote > 0 {
				out = append(append(out, l[:quote]...), ' ')
			}
		}
		out = append(out, bare...)
		open, depth = strings.HasSuffix(bare, " ") && bare != "-- ", quote
		if open && delsp {
			out = out[:len(out)-1]
		}
	}
	return string(out)
}

// enclosed reads a mail inside the mail and lists it under its name or subject.
func (c *collector) enclosed(part *m.Part) {
	if len(part.Parts) == 0 {
		c.attach(part, "mail.eml")
		return
	}
	inner := parse(part.Parts[0].Raw, c.limits, c.depth+1+nesting(c.out.Root, part))
	c.out.Enclosed = append(c.out.Enclosed, inner)
	name := part.Name
	if name == "" && inner.Subject != "" {
		name = inner.Subject + ".eml"
	}
	data := Content(part)
	c.listed(m.Attachment{Given: name, Type: part.Type, Inline: part.Disposition == "inline", Part: part}, data, "mail.eml")
}

// nesting is how deep a part lies.
func nesting(root, part *m.Part) int {
	if root == part {
		return 0
	}
	for _, sub := range root.Parts {
		if d := nesting(sub, part); d >= 0 {
			return d + 1
		}
	}
	return -1
}

func (c *collector) winmail(part *m.Part) {
	data := Content(part)
	c.listed(m.Attachment{Given: part.Name, Type: part.Type, Part: part}, data, "winmail.dat")
	files, text := tnef(data)
	for _, f := range files {
		c.unpacked(f)
	}
	if len(c.pieces) == 0 {
		c.add(text)
	}
}

func (c *collector) unpacked(f packed) {
	c.listed(m.Attachment{Given: f.name, Type: f.kind}, f.data, "file.bin")
}

func (c *collector) attach(part *m.Part, fallback string) {
	data, damaged := content(part)
	if damaged {
		c.flaw("damaged_"+strings.ReplaceAll(part.Encoding, "-", "_"), part.Type)
	}
	if fallback == "" {
		fallback = fallbackName(part.Type)
	}
	c.listed(m.Attachment{Given: part.Name, Type: part.Type, Inline: part.Disposition == "inline" || part.Disposition == "" && part.ID != "", Part: part}, data, fallback)
}

func (c *collector) listed(a m.Attachment, data []byte, fallback string) {
	if c.files++; c.files > 2*c.limits.Parts {
		return
	}
	a.Name, a.Tricks = safeName(a.Given, fallback)
	if a.Name == a.Given {
		a.Given = ""
	}
	a.Tricks = append(a.Tricks, contentTricks(a.Name, a.Type, data)...)
	a.Size = int64(len(data))
	sum := sha256.Sum256(data)
	a.SHA256 = hex.EncodeToString(sum[:])
	c.out.Attachments = append(c.out.Attachments, a)
}
