package desk

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"countersign/helpdesk"
	"countersign/helpdesk/reply"
	"countersign/internal/locale"
	"countersign/internal/tui"
)

// draft is what an agent has written on a ticket and not sent yet.
type draft struct {
	text   tui.Field
	canned string // code of the text that it began with
}

// composePage is D3. The receiver is the recorded one and can't be typed; what the linter finds is shown while one writes.
type composePage struct {
	thread *threadPage
	draft  *draft
	rev    int64 // of the ticket as the agent has read it
	seen   int   // messages that the agent has read
	found  []reply.Finding
	of     string // the text that found belongs to
	told   time.Time
	stale  bool // a message came that the agent has not read
	width  int  // of the text as it was drawn
}

// maxDraft is how long an answer may become.
const maxDraft = 20000

func newComposePage(a *App, t *threadPage) *composePage {
	key := t.key()
	d := a.drafts[key]
	if d == nil {
		d = &draft{text: tui.Field{Kind: tui.FieldMultiline, Max: maxDraft, Compose: a.opt.Compose}}
		d.text.Set(a.t("desk.compose.greeting", nil) + "\n\n\n\n" + a.t("desk.compose.close", nil))
		d.text.Go(len(tui.Graphemes(a.t("desk.compose.greeting", nil))) + 2)
		a.drafts[key] = d
	}
	p := &composePage{thread: t, draft: d, rev: t.sheet.Ticket.Rev, seen: len(t.sheet.Thread), width: 70}
	p.lint()
	return p
}

func (p *composePage) open(a *App) tui.Cmd { return tui.Batch(p.tell(a), p.look(a)) }

// tell lets colleagues know that one writes.
func (p *composePage) tell(a *App) tui.Cmd {
	p.told = a.now()
	key := p.thread.key()
	return do(a, func(ctx context.Context) error { return a.svc.Composing(ctx, key, true) }, a.lossy)
}

// tick repeats it, so that the others see it while it lasts.
func (p *composePage) tick(a *App) tui.Cmd {
	if a.now().Sub(p.told) < time.Minute {
		return nil
	}
	return p.tell(a)
}

func (p *composePage) hear(a *App, ticket string) tui.Cmd {
	if ticket != "" && ticket != p.thread.key() {
		return nil
	}
	return p.look(a)
}

// look asks whether a message came meanwhile. Other changes are taken over: they are no reason to stop an answer.
func (p *composePage) look(a *App) tui.Cmd {
	key := p.thread.key()
	return call(a, func(ctx context.Context) (*helpdesk.Sheet, error) { return a.svc.Ticket(ctx, key) }, func(s *helpdesk.Sheet, err error) tui.Cmd {
		if err != nil {
			return a.failed(err)
		}
		p.thread.sheet = s
		if len(s.Thread) > p.seen {
			p.stale = true
		} else {
			p.rev = s.Ticket.Rev
		}
		return nil
	})
}

func (p *composePage) lint() {
	if v := p.draft.text.Value(); v != p.of || p.found == nil {
		p.of, p.found = v, reply.Lint(v)
	}
}

func (p *composePage) keys() []binding {
	found := when((*composePage).hasFinding, "")
	clean := when((*composePage).clean, "")
	return []binding{
		{names: []string{"f8"}, show: "F8", label: "desk.key.next_finding", rank: 2, on: found, do: act((*composePage).nextFinding)},
		{names: []string{"f4"}, show: "F4", label: "desk.key.swap", rank: 2, on: found, do: act((*composePage).swap)},
		{names: []string{"f4"}, show: "F4", label: "desk.key.canned", rank: 3, on: clean, do: act((*composePage).canned)},
		{names: []string{"f10"}, show: "F10", label: "desk.key.preview", rank: 1, on: when((*composePage).clean, "desk.why.findings"), do: act((*composePage).preview)},
		{names: []string{"f7"}, show: "F7", label: "desk.key.read_thread", rank: 4, do: act((*composePage).readThread)},
		{names: []string{"ctrl+z"}, label: "desk.key.undo", do: actKey((*composePage).edit)},
		{names: []string{"ctrl+y"}, label: "desk.key.redo", do: actKey((*composePage).edit)},
		{names: []string{"up"}, label: "desk.key.up", do: func(*App, tui.Key) tui.Cmd { return p.line(-1) }},
		{names: []string{"down"}, label: "desk.key.down", do: func(*App, tui.Key) tui.Cmd { return p.line(1) }},
		keyHelp(), keyLock(),
		{names: []string{"esc"}, show: "Esc", label: "desk.key.keep_draft", rank: 1, do: act((*composePage).leave)},
	}
}

func (p *composePage) hasFinding(*App) bool { return len(p.found) > 0 }
func (p *composePage) clean(*App) bool      { return len(p.found) == 0 }

func (p *composePage) typed(_ *App, k tui.Key) tui.Cmd { return p.edit(nil, k) }

func (p *composePage) edit(_ *App, k tui.Key) tui.Cmd {
	p.draft.text.Handle(k)
	p.lint()
	return nil
}

// paste takes a text over; its line breaks have become blanks.
func (p *composePage) paste(_ *App, t tui.Paste) tui.Cmd {
	p.draft.text.Paste(t.Text)
	p.lint()
	return nil
}

// line moves the caret by rows as they are drawn.
func (p *composePage) line(by int) tui.Cmd {
	rows := layout(p.draft.text.Value(), p.width)
	at, col := place(rows, p.draft.text.Caret())
	to := at + by
	if to < 0 || to >= len(rows) {
		return nil
	}
	p.draft.text.Go(rows[to].from + min(col, len(rows[to].cells)))
	return nil
}

// grapheme is the place in graphemes of a byte of the text.
func grapheme(text string, at int) int {
	n := 0
	for i, line := range strings.Split(text[:min(at, len(text))], "\n") {
		if i > 0 {
			n++
		}
		n += len(tui.Graphemes(line))
	}
	return n
}

// nextFinding puts the caret on the next finding behind it.
func (p *composePage) nextFinding(*App) tui.Cmd {
	for _, f := range p.found {
		if at := grapheme(p.of, f.From); at > p.draft.text.Caret() {
			p.draft.text.Go(at)
			return nil
		}
	}
	p.draft.text.Go(grapheme(p.of, p.found[0].From))
	return nil
}

// here is the finding at the caret, or the next one.
func (p *composePage) here() reply.Finding {
	for _, f := range p.found {
		if grapheme(p.of, f.To) >= p.draft.text.Caret() {
			return f
		}
	}
	return p.found[0]
}

// swap writes what genuine staff write instead of the finding at the caret; a sentence that asks for a secret goes.
func (p *composePage) swap(a *App) tui.Cmd {
	f, instead := p.here(), ""
	if f.Kind == reply.Asks {
		f.From, f.To = sentence(p.of, f.From, f.To)
	} else {
		instead = a.t("desk.swap."+string(f.Kind), nil)
	}
	p.draft.text.Set(p.of[:f.From] + instead + p.of[f.To:])
	p.draft.text.Go(grapheme(p.of, f.From) + len(tui.Graphemes(instead)))
	p.lint()
	return nil
}

// sentence widens a stretch to the sentence around it.
func sentence(text string, from, to int) (int, int) {
	const ends = ".!?\n。！？"
	if i := strings.LastIndexAny(text[:from], ends); i >= 0 {
		_, n := utf8.DecodeRuneInString(text[i:])
		from = i + n
	} else {
		from = 0
	}
	i := strings.IndexAny(text[to:], ends)
	if i < 0 {
		return from, len(text)
	}
	r, n := utf8.DecodeRuneInString(text[to+i:])
	if r == '\n' {
		n = 0 // The line break stays.
	}
	return from, to + i + n
}

func (p *composePage) canned(a *App) tui.Cmd {
	category := p.thread.sheet.Ticket.Category
	return open(a, func(ctx context.Context) ([]*helpdesk.Canned, error) { return a.svc.Canned(ctx, category) }, func(list []*helpdesk.Canned) tui.Cmd {
		var rows []choice
		for _, c := range list {
			rows = append(rows, choice{c.Code, c.Title, a.t("desk.canned.version", locale.Args{"n": c.Version})})
		}
		return a.turn(&choosePage{under: p, title: "desk.title.canned", rows: rows, pick: func(i int) tui.Cmd {
			p.draft.text.Set(list[i].Text)
			p.draft.canned = list[i].Code
			p.lint()
			return nil
		}})
	})
}

// readThread goes back to the messages; the draft stays.
func (p *composePage) readThread(a *App) tui.Cmd {
	p.thread.pick, p.thread.move = p.thread.newest(), true
	return tui.Batch(a.turn(p.thread), p.quietly(a))
}

func (p *composePage) leave(a *App) tui.Cmd { return p.readThread(a) }

// quietly tells colleagues that one no longer writes.
func (p *composePage) quietly(a *App) tui.Cmd {
	key := p.thread.key()
	return do(a, func(ctx context.Context) error { return a.svc.Composing(ctx, key, false) }, a.lossy)
}

func (p *composePage) mail() helpdesk.Draft {
	return helpdesk.Draft{Text: p.draft.text.Value(), Rev: p.rev, Canned: p.draft.canned}
}

// preview shows the mail exactly as it will leave. What came meanwhile is to be read first.
func (p *composePage) preview(a *App) tui.Cmd {
	if p.stale {
		a.say(waitMark, "desk.msg.read_first", nil)
		return p.readThread(a)
	}
	key, d := p.thread.key(), p.mail()
	return open(a, func(ctx context.Context) (helpdesk.Preview, error) { return a.svc.Preview(ctx, key, d) }, func(v helpdesk.Preview) tui.Cmd {
		return a.turn(&previewPage{compose: p, mail: v, turn: 1})
	})
}

// previewPage is the mail that will leave, whole. Its second F10 sends.
type previewPage struct {
	quiet
	compose *composePage
	mail    helpdesk.Preview
	turn    int // whose turn it is then: 1 the customer's, 2 ours, 3 nobody's
	top     int
	page    int
}

func (p *previewPage) keys() []binding {
	return []binding{
		{names: []string{"f10"}, show: "F10", label: "desk.key.send", rank: 1, do: act((*previewPage).send)},
		{names: []string{"1", "2", "3"}, show: "1-3", label: "desk.key.then", rank: 2, do: func(_ *App, k tui.Key) tui.Cmd {
			p.turn = int(k.Text[0] - '0')
			return nil
		}},
		{names: []string{"down", "pgdn"}, show: "▾", label: "desk.key.page_down", rank: 3, do: func(*App, tui.Key) tui.Cmd { p.top += max(1, p.page-1); return nil }},
		{names: []string{"up", "pgup"}, show: "▴", label: "desk.key.page_up", rank: 3, do: func(*App, tui.Key) tui.Cmd { p.top -= max(1, p.page-1); return nil }},
		keyHelp(), keyLock(),
		{names: []string{"esc"}, show: "Esc", label: "desk.key.back", rank: 1, do: func(a *App, _ tui.Key) tui.Cmd {
			return a.turn(p.compose)
		}},
	}
}

func (p *previewPage) hear(a *App, ticket string) tui.Cmd { return p.compose.hear(a, ticket) }
func (p *previewPage) tick(a *App) tui.Cmd                { return p.compose.tick(a) }

func (p *previewPage) send(a *App) tui.Cmd {
	if p.compose.stale {
		a.say(waitMark, "desk.msg.read_first", nil)
		return p.compose.readThread(a)
	}
	key, d := p.compose.thread.key(), p.compose.mail()
	d.Wait, d.Done = p.turn == 1, p.turn == 3
	return open(a, func(ctx context.Context) (*helpdesk.Outgoing, error) { return a.svc.Reply(ctx, key, d) }, func(o *helpdesk.Outgoing) tui.Cmd {
		delete(a.drafts, key)
		a.sayArgs(doneMark, "desk.msg.queued", locale.Args{"to": o.To.Address})
		t := p.compose.thread
		t.pick, t.move = len(t.sheet.Thread), true
		return a.turn(t)
	})
}

// place finds a caret in rows.
func place(rows []textRow, caret int) (row, col int) {
	row = max(0, slices.IndexFunc(rows, func(r textRow) bool { return caret >= r.from && caret <= r.from+len(r.cells) }))
	// At the end of a wrapped row the caret stands at the beginning of the next one.
	if row+1 < len(rows) && rows[row+1].from == caret {
		row++
	}
	return row, caret - rows[row].from
}
