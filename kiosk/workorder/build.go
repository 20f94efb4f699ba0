package workorder

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/signing/pdf/font"
	"countersign/signing/pdf/page"
)

// Build makes the document. Without evidence it is the version to read, without signature fields; with evidence it
// is the document to be signed. Both carry the content as order.json, and both print its hash.
//
// Faults: workorder.language, workorder.glyph, workorder.text, workorder.signer, workorder.qr, workorder.portrait,
// workorder.evidence_other, workorder.evidence_unmasked.
func Build(c Content, e *Evidence, fonts Fonts) ([]byte, error) {
	w, err := wordsFor(c.Language)
	if err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	order, err := c.Canonical()
	if err != nil {
		return nil, err
	}
	digest := Digest(order)
	if e != nil {
		if err := e.check(digest); err != nil {
			return nil, err
		}
	}
	created := c.Created.In(clock.Vietnam)
	doc := page.New(page.Info{
		Title: nfc(w.text("title") + " " + c.OrderID), Author: nfc(c.Unit.Name), Subject: nfc(c.Service.Title),
		Language: c.Language, Created: created,
	})
	doc.Attach(page.Attachment{
		Name: ContentFile, Description: w.text("file_content"), MIME: "application/json", Data: order, Modified: created,
	})
	s := &sheet{flow: &flow{doc: doc, fonts: fonts, words: w}, content: c, evidence: e, digest: digest}
	s.newPage()
	s.header()
	for _, b := range compose(c, w) {
		s.block(b)
	}
	s.signatures()
	if e != nil {
		if err := s.evidencePages(); err != nil {
			return nil, err
		}
	}
	s.margins()
	out, err := doc.Bytes()
	var missing *font.MissingGlyphError
	if errors.As(err, &missing) {
		return nil, glyphFault(err, missing)
	}
	if errors.Is(err, page.ErrQRTooLong) {
		return nil, fault.Wrap(err, fault.Invalid, "workorder.qr", nil)
	}
	return out, err
}

// sheet is one document being laid out.
type sheet struct {
	*flow
	content  Content
	evidence *Evidence
	digest   [32]byte
	closing  string // the sentence that stands above the signatures, on their page
}

// header sets the head of the first page: the unit at the left, the state's name and motto at the right, number,
// place and date. Chinese documents have the unit's name alone.
func (s *sheet) header() {
	c, w, f := s.content, s.words, s.fonts
	number := nfc(w.fill("number", "id", c.OrderID))
	date := nfc(w.placeDate(c.Unit.Place, c.Created))
	if w.lang == locale.Chinese {
		s.centred(nfc(c.Unit.Parent), f.regular(12), 17)
		s.centred(nfc(c.Unit.Name), f.bold(14), 21)
		s.page.Line(left, s.y+2, right, s.y+2, 0.8, page.Color{})
		s.y += 8
		base := s.y + 11
		s.page.Text(left, base, f.regular(11), number)
		s.page.TextRight(right, base, f.regular(11), date)
		s.y += 24
		return
	}
	const leftWide = 0.43 * textWide
	middleLeft, middleRight := left+leftWide/2, (left+leftWide+right)/2
	y := s.y
	leftLines := func(text string, st page.Style) {
		for _, line := range page.Balance(text, leftWide-12, st.Measure) {
			s.page.TextCentre(middleLeft, y+12, st, line)
			y += 16
		}
	}
	if c.Unit.Parent != "" {
		leftLines(strings.ToUpper(nfc(c.Unit.Parent)), f.regular(12))
	}
	leftLines(strings.ToUpper(nfc(c.Unit.Name)), f.bold(12))
	s.page.Line(middleLeft-leftWide/5, y+1.5, middleLeft+leftWide/5, y+1.5, 0.7, page.Color{})
	yRight := s.y
	s.page.TextCentre(middleRight, yRight+12, f.bold(12), w.text("nation"))
	motto := f.bold(13)
	s.page.TextCentre(middleRight, yRight+28, motto, w.text("motto"))
	half := motto.Measure(w.text("motto")) / 2
	s.page.Line(middleRight-half, yRight+33.5, middleRight+half, yRight+33.5, 0.7, page.Color{})
	y = max(y, yRight+32) + 10
	small := f.regular(12)
	if small.Measure(number) > leftWide {
		small.Size = 12 * leftWide / small.Measure(number)
	}
	s.page.TextCentre(middleLeft, y+12, small, number)
	s.page.TextCentre(middleRight, y+12, f.italic(13), date)
	s.y = y + 34
}

func (s *sheet) block(b block) {
	f := s.fonts
	switch b.kind {
	case kindTitle:
		s.centred(b.text, f.bold(15), 21)
	case kindSubject:
		s.centred(b.text, f.bold(14), 19)
		s.y += 2
	case kindNote:
		s.centred(b.text, f.regular(11.5), 15.5)
	case kindHead:
		s.head(b.text, f.bold(bodySize), 12)
	case kindRow:
		s.row(b)
	case kindTable:
		s.room(0)
		s.y += 5
		s.table(b.table, 11.5)
	case kindClause:
		s.head(b.text, f.bold(bodySize), 7)
	case kindParagraph:
		s.paragraph(b.number, b.text, f.regular(bodySize), left, 30, leading)
		s.y += 3
	case kindClosing:
		s.closing = b.text
	}
}

// row sets a field of the form: its number, label, value and where the value came from.
func (s *sheet) row(b block) {
	f := s.fonts
	cells := []cell{
		{text: b.number, style: f.regular(11), width: 30, pad: 2},
		{text: b.label, style: f.regular(12), width: 138, pad: 2},
		{text: b.text, style: f.regular(bodySize), width: textWide - 168, pad: 2},
	}
	if b.number == "" {
		cells[0].width, cells[1].width = 2, 166
	}
	if b.source != "" {
		cells[2].width -= 84
		cells = append(cells, cell{text: b.source, style: f.italic(10), width: 84, pad: 2, right: true})
	}
	s.grid(grid{cells: cells, lead: 16, vpad: 2})
}

// margins adds what stands on every page: its number above (not on the first page), order and hash below.
func (s *sheet) margins() {
	s.flushHeading()
	small := s.fonts.regular(9)
	foot := nfc(s.content.OrderID) + "   " + s.words.fill("content_hash", "hash", ShortHash(s.digest))
	pages := itoa(s.doc.Pages())
	for i := range s.doc.Pages() {
		p := s.doc.Page(i)
		if i > 0 {
			p.TextCentre(page.A4Width/2, 13*page.MM, s.fonts.regular(13), itoa(i+1))
		}
		y := page.A4Height - 13*page.MM
		p.Line(left, y-11, right, y-11, 0.4, hairline)
		p.Text(left, y, small, foot)
		end := s.words.fill("page", "page", itoa(i+1), "pages", pages)
		if s.evidence == nil {
			end = s.words.text("reading_copy") + "   " + end
		}
		p.TextRight(right, y, small, end)
	}
}

// check refuses evidence of another content, and evidence that shows what must be masked.
func (e *Evidence) check(digest [32]byte) error {
	if !strings.EqualFold(e.ContentSHA256, hex.EncodeToString(digest[:])) {
		return fault.New(fault.Conflict, "workorder.evidence_other", nil)
	}
	if exposed(e.Identity.Number) {
		return fault.New(fault.Invalid, "workorder.evidence_unmasked", fault.Args{"what": "identity.number"})
	}
	return nil
}

func hex4(r rune) string { return fmt.Sprintf("%04X", r) }
