package clerk

import (
	"context"
	"strings"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
	"countersign/kiosk/idcard"
)

// evidencePage is K16: verdict first, then who signed by what rank, then the evidence by question.
type evidencePage struct {
	quiet
	key   string
	ev    *Evidence
	busy  bool
	top   int
	under page
}

func (p *evidencePage) open(a *App) tui.Cmd {
	p.busy = true
	key := p.key
	return call(a, func(ctx context.Context) (Evidence, error) { return a.svc.Evidence(ctx, key) }, func(e Evidence, err error) tui.Cmd {
		p.busy = false
		if err != nil {
			return a.failed(err)
		}
		p.ev = &e
		return nil
	})
}

func (p *evidencePage) keys() []binding {
	return []binding{
		{names: []string{"up"}, show: "▴▾", label: "clerk.key.rows", rank: 5, do: act((*evidencePage).up)},
		{names: []string{"down"}, label: "clerk.key.rows", do: act((*evidencePage).down)},
		{names: []string{"f5"}, show: "F5", label: "clerk.key.verify_again", rank: 2, do: act((*evidencePage).open)},
		{names: []string{"f9"}, show: "F9", label: "clerk.key.similar", rank: 3, on: when((*evidencePage).similarOn, "clerk.why.no_last"), do: act((*evidencePage).similar)},
		{names: []string{"esc"}, show: "Esc", label: "clerk.key.back", rank: 1, do: act((*evidencePage).close)},
		keyLock().wider(),
	}
}

func (p *evidencePage) close(a *App) tui.Cmd {
	if p.under != nil {
		a.page = p.under
		return a.follow()
	}
	return a.home()
}

func (p *evidencePage) up(*App) tui.Cmd {
	p.top = max(p.top-1, 0)
	return nil
}

func (p *evidencePage) down(*App) tui.Cmd {
	p.top++
	return nil
}

func (p *evidencePage) similarOn(*App) bool {
	return p.ev != nil && p.ev.Order.Order.Customer != "" && p.under == nil
}

// similar opens a visit of the same customer and the same service, filled as this order was.
func (p *evidencePage) similar(a *App) tui.Cmd {
	customer, service := p.ev.Order.Order.Customer, p.ev.Order.Order.Service
	return open(a, "clerk.wait.form", func(ctx context.Context) (reopened, error) {
		v, err := a.svc.OpenVisit(ctx, customer, "")
		if err != nil {
			return reopened{}, err
		}
		o, err := a.svc.StartOrder(ctx, v.Visit.Key, service, true)
		return reopened{v, o}, err
	}, a.reopened)
}

func (p *evidencePage) hint(a *App) string {
	if p.busy {
		return "~ " + a.t("clerk.wait.verify", nil)
	}
	if p.ev != nil {
		for _, s := range p.ev.Signatures {
			if s.Rank == "timestamp" {
				return "▪ " + a.t("clerk.evidence.own_time", nil)
			}
		}
	}
	return a.t("clerk.hint.evidence", nil)
}

func (p *evidencePage) seam(a *App) string { return "" }

func (p *evidencePage) draw(a *App, c *tui.Canvas) {
	if p.ev == nil {
		a.head(c, a.t("clerk.evidence.title", nil))
		return
	}
	e, w, end := p.ev, width(c), bottom(c)
	o := &e.Order.Order
	name := o.Confirmee
	a.head(c, strings.Join(nonEmpty(a.t("clerk.evidence.title", nil)+" "+serial(o.Number), name, a.serviceName(o.Service)), "  "))
	m := doneMark
	switch e.Verdict {
	case "FAILED":
		m = "✗"
	case "INDETERMINATE":
		m = noteMark
	}
	c.Put(1, 1, a.t("clerk.evidence.verdict", nil), tui.Bold)
	putMark(c, 12, 1, m)
	x := c.Put(14, 1, a.t("clerk.verdict."+strings.ToLower(e.Verdict), nil), tui.Bold|m.style())
	summary := strings.TrimPrefix(e.Summary[string(a.lang)], a.t("clerk.verdict."+strings.ToLower(e.Verdict), nil))
	c.PutMax(x+2, 1, w-x-12, strings.TrimLeft(summary, ":： "), tui.Text)
	c.PutRight(w-1, 1, a.clock(e.At), tui.Muted)
	c.Put(1, 2, a.t("clerk.hash", nil), tui.Bold)
	x = c.Put(12, 2, e.Order.Hash, tui.Text)
	c.PutMax(x+3, 2, w-x-3, a.t("clerk.evidence.file", locale.Args{"size": a.count(e.Size), "n": e.Revisions}), tui.Muted)

	c.Put(1, 4, a.t("clerk.evidence.who", nil), tui.Bold)
	c.Put(27, 4, a.t("clerk.evidence.rank", nil), tui.Bold)
	c.Put(53, 4, a.t("clerk.evidence.when", nil), tui.Bold)
	c.PutMax(65, 4, w-65, a.t("clerk.evidence.result", nil), tui.Bold)
	y := 5
	for i, s := range e.Signatures {
		p.drawSigner(a, c, y, i+1, s)
		y++
	}
	y++
	section(c, 1, y, a.t("clerk.evidence.evidence", nil))
	y++
	rows := p.rows(a)
	p.top = max(min(p.top, len(rows)-(end-y)), 0)
	for i := p.top; i < len(rows) && y < end; i++ {
		r := rows[i]
		c.PutMax(3, y, 11, r.label, tui.Muted)
		room := w - 15
		if r.when != "" && w > 61 {
			room = 45
		}
		c.PutMax(15, y, room, r.text, tui.Text)
		c.PutMax(61, y, w-61, r.when, tui.Muted)
		c.PutMax(68, y, w-68, r.who, tui.Muted)
		y++
	}
}

func (p *evidencePage) drawSigner(a *App, c *tui.Canvas, y, n int, s EvidenceSigner) {
	c.Put(1, y, itoa(n), tui.Text)
	c.PutMax(3, y, 23, commonName(s.Name), tui.Text)
	rank := s.Rank
	if rank == "" {
		rank = "unknown"
	}
	c.PutMax(27, y, 25, a.t("clerk.rank."+rank, nil), tui.Text)
	c.Put(53, y, a.clock(s.At), tui.Text)
	m, word := doneMark, "clerk.evidence.valid"
	if !s.OK {
		m, word = "✗", "clerk.evidence.invalid"
	}
	putMark(c, 65, y, m)
	c.PutMax(67, y, width(c)-67, a.t(word, nil), m.style())
}

// commonName is the name in a certificate's subject: SERIALNUMBER=…,CN=Ngô Lan Anh,O=….
func commonName(subject string) string {
	for _, part := range strings.FieldsFunc(subject, func(r rune) bool { return r == ',' || r == '+' }) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(part), "CN="); ok {
			return name
		}
	}
	return subject
}

// evidenceRow is the answer to one question.
type evidenceRow struct{ label, text, when, who string }

// rows are the evidence by question: which papers, who judged, what was seen, agreed, confirmed, where it went.
func (p *evidencePage) rows(a *App) []evidenceRow {
	v := &p.ev.Order
	o := &v.Order
	clerk := shortName(o.Clerk.Name)
	customer := a.t("clerk.evidence.customer", nil)
	var out []evidenceRow
	add := func(id, text, when, who string) {
		out = append(out, evidenceRow{a.t("clerk.evidence."+id, nil), text, when, who})
	}
	if o.Card != nil {
		same, of := 0, 0
		for _, m := range o.Card.Matches {
			switch m.Verdict {
			case idcard.Same:
				same, of = same+1, of+1
			case idcard.Differs:
				of++
			}
		}
		add("papers", a.t("clerk.evidence.card", locale.Args{"same": same, "of": of, "level": o.Card.Card.Assurance}), a.minute(o.Card.At), clerk)
	}
	if o.Portrait != nil && !o.Portrait.Judged.IsZero() {
		file := ""
		if len(o.Portrait.Facts.SHA256) >= 8 {
			file = fingerprint(o.Portrait.Facts.SHA256)
		}
		add("person", a.t("clerk.evidence.by_eye", locale.Args{"file": file}), a.minute(o.Portrait.Judged), clerk)
	}
	d := o.Document
	if n := len(d.Pages); n > 0 {
		add("seen", a.t("clerk.evidence.pages", locale.Args{"pages": n, "line": d.Pages[n-1].LastLine, "of": d.Lines}), a.minute(o.Times.Agreed), customer)
	}
	for _, ob := range o.Objections {
		add("objection", a.t("clerk.evidence.objected", locale.Args{"n": fieldNumber(v, ob.Field), "reason": a.reason(ob.Reason)}), a.minute(ob.At), customer)
	}
	if !o.Times.Agreed.IsZero() {
		add("agreed", a.t("clerk.reading.version", locale.Args{"version": d.Agreement}), a.minute(o.Times.Agreed), customer)
	}
	if cf := o.Confirm; cf != nil {
		add("confirmed", a.confirmedHow(cf), a.minute(cf.At), customer)
	}
	if o.HandOver.State != "" {
		_, text := a.handOver(o.HandOver)
		who := ""
		if a.standIn("handover") {
			who = a.t("clerk.stand_in", nil)
		}
		add("handover", strings.TrimSpace(o.HandOver.System+" "+text), a.minute(o.HandOver.At), who)
	}
	if o.Receipt.Medium != "" {
		add("receipt", a.t("clerk.medium."+o.Receipt.Medium, nil), a.minute(o.Receipt.Chosen), "")
	}
	if n := len(v.Entries); n > 0 {
		word := "clerk.evidence.journal_ok"
		if !p.ev.JournalOK {
			word = "clerk.evidence.journal_bad"
		}
		root := p.ev.JournalRoot
		if len(root) >= 8 {
			root = fingerprint(root)
		}
		add("journal", a.t(word, locale.Args{"from": a.count(v.Entries[0]), "to": a.count(v.Entries[n-1]), "root": root}), "", "")
	}
	return out
}

// confirmedHow says by what the customer confirmed, and what it is worth.
func (a *App) confirmedHow(c *kiosk.Confirmation) string {
	args := locale.Args{"rank": c.Rank().String(), "method": a.t("clerk.method."+c.Method, nil), "to": c.Channel, "n": max(c.Tries, 1), "witness": shortName(c.Witness.Name)}
	switch {
	case c.Challenge != "":
		return a.t("clerk.evidence.by_code", args)
	case c.Serial != "":
		args["serial"] = c.Serial
		return a.t("clerk.evidence.by_own", args)
	}
	return a.t("clerk.evidence.by_ink", args)
}

// fieldNumber is the number of a field in an order that is not the one in hand.
func fieldNumber(v *kiosk.OrderView, name string) int {
	if v.Service != nil {
		if f, ok := v.Service.Field(name); ok {
			return f.Number
		}
	}
	return 0
}
