package message

import (
	"bytes"
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	m "countersign/mail"
)

// page is what is left of HTML for people to read: nothing is fetched, run or drawn.
type page struct {
	text   string
	hidden bool
	links  []m.Link
}

// maxHTMLDepth is how many open elements are remembered; style of deeper ones does not hide anything.
const maxHTMLDepth = 500

// reader turns HTML into text token by token.
type reader struct {
	out    strings.Builder
	open   []opened
	skip   int // inside script, style and the like
	quote  int
	pre    int
	hidden bool
	space  bool
	breaks int // line breaks owed before the next word
	links  []m.Link
	href   string
	words  strings.Builder
}

type opened struct {
	tag    atom.Atom
	name   string
	skip   bool
	hidden bool
}

func readHTML(s string) page {
	r := &reader{}
	z := html.NewTokenizer(strings.NewReader(s))
	z.SetMaxBuf(maxHTML)
	for {
		switch z.Next() {
		case html.ErrorToken:
			r.endLink()
			return page{text: strings.TrimSpace(r.out.String()), hidden: r.hidden, links: r.links}
		case html.TextToken:
			r.text(string(z.Text()))
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			r.start(t)
		case html.EndTagToken:
			name, _ := z.TagName()
			r.end(atom.Lookup(name), string(name))
		}
	}
}

// void elements have no end tag.
func void(a atom.Atom) bool {
	switch a {
	case atom.Br, atom.Img, atom.Hr, atom.Meta, atom.Link, atom.Input, atom.Col, atom.Area, atom.Base, atom.Embed, atom.Source, atom.Track, atom.Wbr, atom.Param:
		return true
	}
	return false
}

func (r *reader) start(t html.Token) {
	switch t.DataAtom {
	case atom.Br:
		r.breaks++
		r.space = false
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Table, atom.Blockquote, atom.Pre:
		r.owe(2)
	case atom.Div, atom.Tr, atom.Li, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Dt, atom.Dd, atom.Center, atom.Form, atom.Address:
		r.owe(1)
	case atom.Td, atom.Th:
		r.space = true
	case atom.Hr:
		r.owe(1)
		r.text("----")
		r.owe(1)
	case atom.Img:
		if alt := attr(t, "alt"); alt != "" {
			r.text("[" + alt + "]")
		}
	case atom.A:
		r.endLink()
		r.href = attr(t, "href")
	}
	if t.DataAtom == atom.Li {
		r.text("- ")
	}
	if void(t.DataAtom) || t.Type == html.SelfClosingTagToken {
		return
	}
	o := opened{tag: t.DataAtom, name: t.Data}
	switch t.DataAtom {
	case atom.Script, atom.Style, atom.Head, atom.Title, atom.Noscript, atom.Template, atom.Object, atom.Iframe, atom.Svg, atom.Select, atom.Textarea:
		o.skip = true
		r.skip++
	case atom.Blockquote:
		r.quote++
	case atom.Pre:
		r.pre++
	case atom.Body:
		// A head without an end must not swallow the text.
		r.closeHead()
	}
	if !o.skip {
		o.hidden = concealed(t)
	}
	if len(r.open) < maxHTMLDepth {
		r.open = append(r.open, o)
	} else if o.skip {
		r.skip--
	}
}

func (r *reader) closeHead() {
	for i := len(r.open) - 1; i >= 0; i-- {
		if r.open[i].skip {
			r.skip--
			r.open = append(r.open[:i], r.open[i+1:]...)
		}
	}
}

func (r *reader) end(a atom.Atom, name string) {
	switch a {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Table, atom.Blockquote, atom.Pre:
		r.owe(2)
	case atom.Div, atom.Tr, atom.Li, atom.Section, atom.Dt, atom.Dd, atom.Center, atom.Title:
		r.owe(1)
	case atom.A:
		r.endLink()
	}
	for i := len(r.open) - 1; i >= 0; i-- {
		if r.open[i].tag != a || r.open[i].name != name {
			continue
		}
		for _, o := range r.open[i:] {
			if o.skip {
				r.skip--
			}
			switch o.tag {
			case atom.Blockquote:
				r.quote--
			case atom.Pre:
				r.pre--
			}
		}
		r.open = r.open[:i]
		return
	}
}

func (r *reader) owe(n int) {
	r.space = false
	r.breaks = max(r.breaks, n)
}

func (r *reader) text(s string) {
	if r.skip > 0 {
		return
	}
	for _, o := range r.open {
		if o.hidden {
			if strings.TrimSpace(s) != "" {
				r.conceal(s)
			}
			return
		}
	}
	if r.href != "" {
		r.words.WriteString(s)
	}
	if r.pre > 0 {
		for i, l := range strings.Split(s, "\n") {
			if i > 0 {
				r.breaks++
			}
			if l != "" {
				r.write(l)
			}
		}
		return
	}
	for i, w := range strings.FieldsFunc(s, blank) {
		if i > 0 || blank(rune(s[0])) {
			r.space = true
		}
		r.write(w)
	}
	if s != "" && blank(rune(s[len(s)-1])) {
		r.space = true
	}
}

func blank(c rune) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' }

// conceal shows hidden words between marks, so that an agent sees that there is something the sender did not mean to be
// seen. Mail programs' short previews are hidden too, so it is a remark and no verdict.
func (r *reader) conceal(s string) {
	s = strings.Trim(strings.Join(strings.FieldsFunc(s, blank), " "), "\u200c\u200b\u00ad\u034f\u00a0 ")
	if s == "" {
		return
	}
	r.hidden = true
	r.space = true
	r.write("⟦" + s + "⟧")
	r.space = true
}

func (r *reader) write(w string) {
	if r.out.Len() > 0 {
		for range min(r.breaks, 2) {
			r.out.WriteByte('\n')
		}
	}
	if r.breaks > 0 || r.out.Len() == 0 {
		for range min(r.quote, 10) {
			r.out.WriteString("> ")
		}
	} else if r.space {
		r.out.WriteByte(' ')
	}
	r.breaks, r.space = 0, false
	r.out.WriteString(w)
}

// endLink looks whether a link's words name another host than it leads to.
func (r *reader) endLink() {
	said, target := strings.TrimSpace(r.words.String()), strings.TrimSpace(r.href)
	r.words.Reset()
	r.href = ""
	if target == "" || said == "" || len(r.links) >= 100 {
		return
	}
	there, err := url.Parse(target)
	if err != nil || there.Host == "" {
		return
	}
	named := hostInWords().FindString(strings.ToLower(said))
	if named == "" {
		return
	}
	bare := func(h string) string { return strings.TrimPrefix(strings.ToLower(h), "www.") }
	if host := bare(there.Hostname()); host != bare(named) && !strings.HasSuffix(host, "."+bare(named)) {
		r.links = append(r.links, m.Link{Words: line(said), Target: line(target)})
	}
}

var hostInWords = lazily(`\b(?:[a-z0-9-]+\.)+(?:vn|com|net|org|gov|edu|info|xyz|top|io|cn|tw|asia|online|site)\b`)

func attr(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

var zeroSize = lazily(`(?:^|;)(?:font-size|max-height|height|width|max-width|line-height|opacity):0(?:\.0+)?(?:px|pt|em|%)?(?:;|$)`)

// concealed reports whether an element's own style keeps its text from being seen.
func concealed(t html.Token) bool {
	for _, a := range t.Attr {
		if a.Key == "hidden" {
			return true
		}
		if a.Key != "style" {
			continue
		}
		style := strings.ToLower(strings.Join(strings.FieldsFunc(a.Val, blank), ""))
		style = strings.ReplaceAll(style, "!important", "")
		if strings.Contains(style, "display:none") || strings.Contains(style, "visibility:hidden") || strings.Contains(style, "mso-hide:all") {
			return true
		}
		if zeroSize().MatchString(style) && !strings.Contains(style, "line-height:0") {
			return true
		}
		if strings.Contains(style, "text-indent:-9") || strings.Contains(style, "left:-9") {
			return true
		}
	}
	return false
}

// metaCharset finds the character set that a page declares itself.
func metaCharset(b []byte) string {
	head := bytes.ToLower(b[:min(len(b), 2048)])
	i := bytes.Index(head, []byte("charset="))
	if i < 0 {
		return ""
	}
	rest := bytes.TrimLeft(head[i+8:], `"' `)
	end := bytes.IndexAny(rest, "\"'>; /")
	if end < 0 || end > 40 {
		return ""
	}
	if f, ok := known(string(rest[:end])); !ok || f == nil {
		return ""
	}
	return string(rest[:end])
}
