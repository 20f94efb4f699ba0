package workorder

import (
	"strings"
	"unicode/utf8"

	"countersign/internal/fault"
	"golang.org/x/text/unicode/norm"
)

// kind says what a block of the document is.
type kind int

const (
	kindTitle kind = iota
	kindSubject
	kindNote // a small centred line below the title
	kindHead
	kindRow
	kindTable
	kindClause // heading of an article
	kindParagraph
	kindClosing
)

// block is a part of the document in reading order. The screen's lines and the printed page are both made from
// the same blocks, so that neither can say what the other does not.
type block struct {
	kind   kind
	number string // row or paragraph number
	label  string
	text   string
	source string
	table  Table
}

// compose lays the content out as blocks, all text in NFC.
func compose(c Content, w *words) []block {
	counter := c.Clerk.Counter
	if bare(counter) {
		counter = w.fill("counter", "number", counter)
	}
	out := []block{
		{kind: kindTitle, text: w.text("title")},
		{kind: kindSubject, text: c.Service.Title},
		{kind: kindNote, text: w.fill("service", "number", c.Service.Number, "code", c.Service.Code, "version", c.Service.Version)},
		{kind: kindNote, text: w.fill("taken_by", "name", c.Clerk.Name, "staff", c.Clerk.StaffID, "counter", counter)},
	}
	if c.Customer != "" {
		out = append(out, block{kind: kindNote, text: w.fill("customer", "name", c.Customer)})
	}
	for _, s := range c.Sections {
		if len(s.Rows)+len(s.Tables) == 0 {
			continue
		}
		out = append(out, block{kind: kindHead, text: s.Title})
		for _, r := range s.Rows {
			out = append(out, block{kind: kindRow, number: r.Number, label: r.Label, text: r.Value, source: r.Source})
		}
		for _, t := range s.Tables {
			out = append(out, block{kind: kindTable, table: t})
		}
	}
	fee, term := c.Fee.Amount, c.Term.Due
	if c.Fee.Words != "" {
		fee = w.fill("fee_value", "amount", c.Fee.Amount, "words", c.Fee.Words)
	}
	if c.Term.Days > 0 {
		term = w.fill("term_value", "days", itoa(c.Term.Days), "due", c.Term.Due)
	}
	out = append(out,
		block{kind: kindHead, text: w.text("fee_and_term")},
		block{kind: kindRow, label: w.text("fee"), text: fee},
		block{kind: kindRow, label: w.text("term"), text: term},
		block{kind: kindHead, text: w.fill("agreement", "title", c.Agreement.Title, "version", c.Agreement.Version)},
	)
	for _, cl := range c.Agreement.Clauses {
		out = append(out, block{kind: kindClause, text: clauseHead(cl, w)})
		for i, p := range cl.Paragraphs {
			number, text := paragraph(cl.Number, i+1, p)
			out = append(out, block{kind: kindParagraph, number: number, text: text})
		}
	}
	out = append(out, block{kind: kindClosing, text: w.fill("closing", "version", c.Agreement.Version)})
	for i := range out {
		out[i].normalise()
	}
	return out
}

// clauseHead writes "Điều 3. Phí" for a bare number and leaves one that has its own words alone.
func clauseHead(c Clause, w *words) string {
	head := c.Number
	if bare(c.Number) {
		head = w.fill("clause", "number", c.Number)
	}
	return strings.TrimSpace(head + " " + c.Title)
}

// paragraph splits a paragraph into its number, given or counted, and its text.
func paragraph(clause string, n int, text string) (string, string) {
	if !bare(clause) {
		return "", text
	}
	if own, rest, ok := strings.Cut(text, " "); ok && strings.HasPrefix(own, clause+".") {
		return strings.TrimSuffix(own, "."), strings.TrimSpace(rest)
	}
	return clause + "." + itoa(n), text
}

// bare reports whether s is a plain number.
func bare(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}

func (b *block) normalise() {
	for _, s := range []*string{&b.number, &b.label, &b.text, &b.source} {
		*s = nfc(*s)
	}
	if b.kind != kindTable {
		return
	}
	columns, rows := make([]string, len(b.table.Columns)), make([][]string, len(b.table.Rows))
	for i, c := range b.table.Columns {
		columns[i] = nfc(c)
	}
	for i, r := range b.table.Rows {
		rows[i] = make([]string, len(columns))
		for j := range columns {
			if j < len(r) {
				rows[i][j] = nfc(r[j])
			}
		}
	}
	b.table = Table{columns, rows}
}

func nfc(s string) string {
	if composed(s) || norm.NFC.IsNormalString(s) {
		return s
	}
	return norm.NFC.String(s)
}

// composed reports, quickly, that a text is certainly in NFC: nothing but Latin letters, the Vietnamese block,
// common punctuation and unified Chinese characters.
func composed(s string) bool {
	for _, r := range s {
		if r >= 0x300 && (r < 0x1EA0 || r > 0x1EF9) && (r < 0x2010 || r > 0x2027) && (r < 0x4E00 || r > 0x9FFF) && r != 0x20AB {
			return false
		}
	}
	return true
}

// check refuses a content that can't be put on paper as it is.
func (c Content) check() error {
	for _, s := range c.Signers {
		switch s.Field {
		case FieldCustomer, FieldClerk, FieldBusinessSeal, FieldUnitSeal:
		default:
			return fault.New(fault.Invalid, "workorder.signer", fault.Args{"field": s.Field})
		}
	}
	for _, s := range c.Sections {
		for _, r := range s.Rows {
			if unreadable(r.Label) || unreadable(r.Value) || unreadable(r.Source) {
				return fault.New(fault.Invalid, "workorder.text", fault.Args{"where": r.Number})
			}
		}
		for _, t := range s.Tables {
			for _, r := range append([][]string{t.Columns}, t.Rows...) {
				if len(r) > len(t.Columns) {
					return fault.New(fault.Invalid, "workorder.text", fault.Args{"where": s.Title})
				}
				for _, cell := range r {
					if unreadable(cell) {
						return fault.New(fault.Invalid, "workorder.text", fault.Args{"where": s.Title})
					}
				}
			}
		}
	}
	return nil
}

// unreadable reports whether a text holds what nobody can see: control characters and broken bytes.
func unreadable(s string) bool {
	for _, r := range s {
		if r < 0x20 && r != '\n' || r >= 0x7F && r < 0xA0 || r == utf8.RuneError {
			return true
		}
	}
	return false
}
