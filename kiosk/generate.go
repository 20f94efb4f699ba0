package kiosk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/kiosk/catalog"
	"countersign/kiosk/idcard"
	"countersign/kiosk/workorder"
)

// readingWidth is the width in cells of the text that the customer reads (screen C3).
const readingWidth = 68

// AgreeForm is the customer's agreement with the filled form: the armed submission takes effect, the work order is
// made from exactly these values, and both screens get it back.
func (h *Hall) AgreeForm(ctx context.Context, a Actor, key string) (*Order, error) {
	before, err := h.Order(ctx, a, key)
	if err != nil {
		return nil, err
	}
	if err := before.in(Invited); err != nil {
		return nil, err
	}
	ids, err := h.keys(2)
	if err != nil {
		return nil, err
	}
	verify := before.Document.VerifyCode
	if verify == "" {
		if verify, err = h.verifyCode(); err != nil {
			return nil, err
		}
	}
	now := h.Clock.Now()
	content, s, err := h.content(before, verify, now)
	if err != nil {
		return nil, err
	}
	canonical, err := content.Canonical()
	if err != nil {
		return nil, err
	}
	// The page is drawn outside the transaction: it is the slowest part, and the form can't change unnoticed.
	file, err := workorder.Build(content, nil, h.Fonts)
	if err != nil {
		return nil, err
	}
	digest := workorder.Digest(canonical)
	d := DocumentFacts{ContentID: ids[0], ReadID: ids[1], ContentSHA256: hex.EncodeToString(digest[:]), VerifyCode: verify,
		Agreement: s.Agreement.Version, Retain: s.RetainUntil(now)}
	d.Pages, d.Lines = pagesOf(content)
	return h.change(ctx, a, key, "order.generate", func(tx Tx, o *Order) (facts, error) {
		if o.Rev != before.Rev {
			return nil, fault.New(fault.Conflict, "order.changed", nil)
		}
		if err := h.register(tx, o, s); err != nil {
			return nil, err
		}
		if err := tx.PutDocument(ids[0], o.Key, "content", canonical); err != nil {
			return nil, err
		}
		if err := tx.PutDocument(ids[1], o.Key, "work_order", file); err != nil {
			return nil, err
		}
		return facts{"content": d.ContentSHA256, "agreement": d.Agreement}, o.Generated(d, now)
	})
}

// pagesOf counts the lines and pages of the reading text.
func pagesOf(c workorder.Content) ([]PageRead, int) {
	var pages []PageRead
	lines := c.Lines(readingWidth)
	for i, l := range lines {
		for len(pages) < l.Page {
			pages = append(pages, PageRead{})
		}
		pages[l.Page-1].LastLine = i + 1
	}
	return pages, len(lines)
}

func (h *Hall) keys(n int) ([]string, error) {
	out := make([]string, n)
	for i := range out {
		k, err := h.key()
		if err != nil {
			return nil, err
		}
		out[i] = k
	}
	return out, nil
}

// content puts together what the customer reads: form, agreement, term, fee and who will sign.
func (h *Hall) content(o *Order, verify string, now time.Time) (workorder.Content, *catalog.Service, error) {
	s, err := h.service(o)
	if err != nil {
		return workorder.Content{}, nil, err
	}
	u := h.Units[o.Unit]
	lang := s.Language
	c := workorder.Content{OrderID: o.Number, Language: string(lang), Created: now, Customer: o.Confirmee, VerifyCode: verify,
		RetainUntil: showDate(s.RetainUntil(now), lang)}
	c.Unit.Code, c.Unit.Name, c.Unit.Parent, c.Unit.Place = u.Code, u.Name, u.Parent, u.Place
	c.Service.Number, c.Service.Code, c.Service.Title, c.Service.Version = s.Number, s.Code, s.FullTitle.In(lang), s.Version
	c.Clerk.Name, c.Clerk.StaffID, c.Clerk.Counter = o.Clerk.Name, o.Clerk.StaffID, o.Counter
	for _, sec := range s.Sections {
		part := workorder.Section{Title: sec.Title.In(lang)}
		for _, f := range sec.Fields {
			v, filled := o.Values[f.Name]
			if !f.Printed || !filled || v.Empty() {
				continue
			}
			row := workorder.Row{Number: fmt.Sprint(f.Number), Name: f.Name, Label: f.Label.In(lang), Value: f.Show(v, lang), Source: h.sourceOf(v, lang)}
			if v.File != nil {
				c.Files = append(c.Files, workorder.File{Number: row.Number, Name: v.File.Name, SHA256: v.File.SHA256, Size: int(v.File.Size)})
				row.Value += ", SHA-256 " + ShortHash(v.File.SHA256)
			}
			part.Rows = append(part.Rows, row)
			if f.Type == catalog.Rows {
				part.Tables = append(part.Tables, tableOf(f, v, lang))
			}
		}
		c.Sections = append(c.Sections, part)
	}
	amount := s.Amount(o.Values)
	c.Fee.Amount, c.Fee.Words = catalog.FormatMoney(amount, lang), catalog.AmountInWords(amount, lang)
	c.Term.Days, c.Term.Due = o.TermDays, showDate(o.Due, lang)
	c.Agreement.Title, c.Agreement.Version = s.Agreement.Title.In(lang), s.Agreement.Version
	for _, clause := range s.Clauses(h.context(o), o.Values, lang) {
		c.Agreement.Clauses = append(c.Agreement.Clauses, workorder.Clause{Number: fmt.Sprint(clause.Number), Title: clause.Title, Paragraphs: clause.Paragraphs})
	}
	c.Signers = h.signers(o, s, lang)
	return c, s, nil
}

// context is what the texts of a service may name besides the fields.
func (h *Hall) context(o *Order) catalog.Context {
	from := o.Document.Made
	if from.IsZero() {
		from = h.Clock.Now()
	}
	return catalog.Context{Unit: h.Units[o.Unit].Name, Customer: o.Confirmee, Day: from}
}

// tableOf shows a table's rows, cell by cell.
func tableOf(f *catalog.Field, v catalog.Value, lang locale.Lang) workorder.Table {
	var t workorder.Table
	for _, col := range f.Columns {
		t.Columns = append(t.Columns, col.Label.In(lang))
	}
	for _, row := range v.Rows {
		cells := make([]string, len(f.Columns))
		for i, col := range f.Columns {
			if i < len(row) {
				cells[i] = col.Show(catalog.Value{Text: row[i]}, lang)
			}
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

// signers lists who will sign, in the order of signing, and the empty field that waits for each.
func (h *Hall) signers(o *Order, s *catalog.Service, lang locale.Lang) []workorder.Signer {
	out := []workorder.Signer{
		{Role: locale.Text(lang, "signer.customer", nil), Name: o.Confirmee, Field: "customer"},
		{Role: locale.Text(lang, "signer.clerk", nil), Name: o.Clerk.Name, Field: "clerk"},
	}
	for _, kind := range s.Seals {
		out = append(out, workorder.Signer{Role: locale.Text(lang, "signer."+kind, nil), Name: h.Units[o.Unit].Name, Field: kind + "_seal"})
	}
	return out
}

// sourceOf says where a value came from; a value that a person typed has no source.
func (h *Hall) sourceOf(v catalog.Value, lang locale.Lang) string {
	if v.Source == "" || v.Edited {
		return ""
	}
	return h.Catalog.SourceLabel(v.Source, lang)
}

// register remembers a person who was new, so that the next visit finds them by phone, number or name.
func (h *Hall) register(tx Tx, o *Order, s *catalog.Service) error {
	now := h.Clock.Now()
	c := &Customer{Unit: o.Unit, Kind: "person", Facts: map[string]string{}, FactsAt: now}
	if o.Customer != "" {
		got, err := tx.Customer(o.Customer)
		if err != nil {
			return err
		}
		c = got
	} else {
		key, err := h.key()
		if err != nil {
			return err
		}
		c.ID = "M" + strings.ToUpper(key[:11])
	}
	before := *c
	for name, to := range map[string]*string{"name": &c.Name, "number": &c.IDNumber, "tax_code": &c.TaxCode, "birth": &c.Birth,
		"sex": &c.Sex, "phone": &c.Phone, "email": &c.Email, "address": &c.Address} {
		if text := textFrom(s, o.Values, name); text != "" {
			*to = text
		}
	}
	o.Customer = c.ID
	if same(before, *c) && c.Rev > 0 {
		return nil
	}
	return tx.PutCustomer(c)
}

func same(a, b Customer) bool {
	return a.Name == b.Name && a.IDNumber == b.IDNumber && a.TaxCode == b.TaxCode && a.Birth == b.Birth && a.Sex == b.Sex &&
		a.Phone == b.Phone && a.Email == b.Email && a.Address == b.Address
}

// void deletes the documents of a work order that will not be signed and kills a running code.
func (h *Hall) void(tx Tx, o *Order) error {
	if err := h.endOther(tx, o); err != nil {
		return err
	}
	for _, id := range []string{o.Document.ContentID, o.Document.ReadID, o.Document.BaseID} {
		if id == "" {
			continue
		}
		if err := tx.DeleteDocument(id); err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
	}
	return nil
}

// Reading returns the lines of a page of the work order, as the customer reads it.
func (h *Hall) Reading(ctx context.Context, a Actor, key string, page int) ([]workorder.Line, error) {
	var c workorder.Content
	err := h.Store.View(ctx, func(tx Tx) error {
		o, err := h.load(tx, a, key)
		if err != nil {
			return err
		}
		raw, err := tx.Document(o.Document.ContentID)
		if err != nil {
			return err
		}
		c, err = readable(o, raw)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := []workorder.Line{}
	for _, l := range c.Lines(readingWidth) {
		if l.Page == page {
			out = append(out, l)
		}
	}
	return out, nil
}

// showDate is a date in the form of a language.
func showDate(t time.Time, lang locale.Lang) string {
	t = t.In(clock.Vietnam)
	switch lang {
	case locale.English:
		return t.Format("2 Jan 2006")
	case locale.Chinese:
		return t.Format("2006年1月2日")
	}
	return t.Format("02/01/2006")
}

// cardForm is the part of the form that a card can be compared with, by the card's field names.
func cardForm(s *catalog.Service, v catalog.Values) map[string]string {
	out := map[string]string{}
	for _, name := range []string{idcard.Number, idcard.Name, idcard.Birth, idcard.Sex, idcard.Address} {
		if f := cardField(s, name); f != nil {
			text := v[f.Name].Text
			if c, ok := f.Choice(text); ok && c.Value != "" {
				text = c.Value
			}
			out[name] = text
		}
	}
	return out
}

// cardField is the field that a card's field fills.
func cardField(s *catalog.Service, name string) *catalog.Field {
	for _, f := range s.Fields() {
		for _, source := range f.Source {
			if source == "card."+name {
				return f
			}
		}
	}
	return nil
}

// TakeCard reads a card for an order, and for every other order of the visit. One that is no card is refused; one that
// contradicts the form is recorded and stops the order until somebody settles it.
func (h *Hall) TakeCard(ctx context.Context, a Actor, key, scan string) (*Order, error) {
	card, err := idcard.ParseOn(scan, h.Clock.Now())
	if err != nil {
		return nil, err
	}
	return h.change(ctx, a, key, "card.read", func(tx Tx, o *Order) (facts, error) {
		v, err := tx.Visit(o.Visit)
		if err != nil {
			return nil, err
		}
		v.Card, v.CardAt = &card, h.Clock.Now()
		if err := tx.PutVisit(v); err != nil {
			return nil, err
		}
		if err := h.compare(o, card, v.CardAt); err != nil {
			return nil, err
		}
		if o.State == Draft || o.State == Invited {
			s, err := h.service(o)
			if err != nil {
				return nil, err
			}
			now := h.Clock.Now()
			o.Prefill(a.User.Name, s.Fill(catalog.Facts{Card: factMap(card.Fields, v.CardAt)}, o.Values, now), now)
			if err := h.compare(o, card, v.CardAt); err != nil {
				return nil, err
			}
		}
		sum := sha256.Sum256([]byte(card.RawSHA256 + o.Key))
		return facts{"kind": string(card.Kind), "card": hex.EncodeToString(sum[:8]), "valid": fmt.Sprint(card.Valid), "matches": fmt.Sprint(o.Card.OK())}, nil
	})
}

// compare holds a card against the form.
func (h *Hall) compare(o *Order, card idcard.Card, at time.Time) error {
	s, err := h.service(o)
	if err != nil {
		return err
	}
	return o.TakeCard(CardFacts{Card: card, Matches: idcard.Compare(card, cardForm(s, o.Values)), At: at}, h.Clock.Now())
}

// FollowCard opens the form again and takes a differing field over from the card, by the card's name of it; the
// customer will read anew.
func (h *Hall) FollowCard(ctx context.Context, a Actor, key, name string) (*Order, error) {
	return h.change(ctx, a, key, "card.follow", func(tx Tx, o *Order) (facts, error) {
		s, err := h.service(o)
		if err != nil {
			return nil, err
		}
		f := cardField(s, name)
		if o.Card == nil || f == nil || o.Card.Card.Fields[name] == "" {
			return nil, fault.New(fault.NotFound, "order.no_card", nil)
		}
		if err := h.void(tx, o); err != nil {
			return nil, err
		}
		now := h.Clock.Now()
		o.Reopen(now)
		text := o.Card.Card.Fields[name]
		for _, c := range f.Choices {
			if c.Value == text {
				text = c.Key
			}
		}
		if text, err = f.Accept(text, now, s.Language); err != nil {
			return nil, err
		}
		v := catalog.Value{Text: text, Source: "card." + name, SourceAt: o.Card.At}
		if err := o.SetField(a.User.Name, f.Name, o.Values[f.Name].Text, v, now); err != nil {
			return nil, err
		}
		return facts{"field": f.Name}, h.compare(o, o.Card.Card, o.Card.At)
	})
}
