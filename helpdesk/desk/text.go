package desk

import (
	"fmt"
	"regexp"
	"strings"

	"countersign/helpdesk"
	"countersign/internal/locale"
	"countersign/internal/tui"
)

// textShown is how much of a message's text one page draws; the original is whole.
const textShown = 64 << 10

// link is anything that a terminal or a person would follow.
var link = regexp.MustCompile(`(?i)(?:[a-z][a-z0-9+.-]*://|www\.|mailto:|tel:|javascript:|data:)[^\s<>"'()\[\]]+`)

// inert writes a text so that nothing in it leads anywhere and every secret that was taken out says what it was.
func (a *App) inert(text string, masks []helpdesk.Mask) string {
	var b strings.Builder
	from := 0
	for _, m := range masks {
		if m.At < from || m.At+len(helpdesk.MaskMark) > len(text) || text[m.At:m.At+len(helpdesk.MaskMark)] != helpdesk.MaskMark {
			continue
		}
		b.WriteString(a.links(text[from:m.At]))
		b.WriteString(a.t("desk.text.masked", locale.Args{"kind": a.secret(m.Kind)}))
		from = m.At + len(helpdesk.MaskMark)
	}
	b.WriteString(a.links(text[min(from, len(text)):]))
	return b.String()
}

func (a *App) secret(kind string) string {
	switch kind {
	case "pin", "password", "otp", "remote":
		return a.t("desk.secret."+kind, nil)
	}
	return a.t("desk.secret.other", nil)
}

func (a *App) links(text string) string {
	return link.ReplaceAllStringFunc(text, func(s string) string {
		plain := strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ':' }), " ")
		plain = strings.ReplaceAll(strings.ReplaceAll(plain, " //", " "), "http", "hxxp")
		return a.t("desk.text.link", locale.Args{"link": plain})
	})
}

// textLine is one row of a message as it is drawn.
type textLine struct {
	text  string
	style tui.Style
}

// body lays a message's text out: the new part, and the quoted part folded into one row unless it was opened.
func (a *App) body(m *helpdesk.Message, w int, quotes bool) (out []textLine) {
	text := m.Text
	cut := m.Cut
	if len(text) > textShown {
		text, cut = strings.ToValidUTF8(text[:textShown], ""), true
	}
	quoted := min(max(m.Quoted, 0), len(text))
	if m.Kind == helpdesk.Note || m.Kind == helpdesk.FromUs {
		quoted = len(text)
	}
	own, old := text[:quoted], text[quoted:]
	var ownMasks, oldMasks []helpdesk.Mask
	for _, k := range m.Masks {
		if k.At < quoted {
			ownMasks = append(ownMasks, k)
		} else {
			oldMasks = append(oldMasks, helpdesk.Mask{Kind: k.Kind, At: k.At - quoted})
		}
	}
	put := func(s string, st tui.Style) {
		for _, l := range tui.Wrap(strings.TrimRight(s, "\r\n "), w) {
			out = append(out, textLine{l, st})
		}
	}
	if strings.TrimSpace(own) != "" {
		put(a.inert(strings.TrimLeft(own, "\r\n"), ownMasks), tui.Text)
	}
	if strings.TrimSpace(old) != "" {
		n := strings.Count(strings.TrimSpace(old), "\n") + 1
		if quotes {
			put(a.inert(old, oldMasks), tui.Muted)
		} else {
			out = append(out, textLine{a.t("desk.text.quote", locale.Args{"n": n}), tui.Muted})
		}
	}
	if cut {
		out = append(out, textLine{"▪ " + a.t("desk.text.cut", nil), tui.Wait})
	}
	for i, f := range m.Files {
		s := fmt.Sprintf("%d  %s  %s", i+1, a.links(f.Name), size(f.Size))
		st := tui.Muted
		if f.Blocked != "" {
			s += "  " + a.t("desk.text.blocked", locale.Args{"why": a.blocked(f.Blocked)})
			st = tui.Danger
		}
		put(a.t("desk.text.file", locale.Args{"file": s}), st)
	}
	return out
}

func (a *App) blocked(why string) string {
	switch why {
	case "program", "archive", "active":
		return a.t("desk.blocked."+why, nil)
	}
	return a.t("desk.blocked.other", nil)
}

func size(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	if n < 1<<20 {
		return fmt.Sprintf("%d KB", n>>10)
	}
	return fmt.Sprintf("%d MB", n>>20)
}
