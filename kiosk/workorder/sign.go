package workorder

import (
	"strings"

	"countersign/internal/locale"
	"countersign/signing/pdf/page"
)

// Real sizes of the seals' fields: Vietnamese seals have 36 mm, Chinese ones at most 42 mm.
const (
	sealVietnamese = 36 * page.MM
	sealChinese    = 42 * page.MM
)

// Sizes of the fields for personal confirmations, in points.
const (
	customerWide = 186
	clerkWide    = 144 // hardly more than what is written in it, so that the seal covers a third of that
	blockHigh    = 66
)

// FieldSize returns the width and height in points of a signature field, so that its appearance can be made to fit.
func FieldSize(language, field string) (w, h float64) {
	switch field {
	case FieldCustomer:
		return customerWide, blockHigh
	case FieldClerk:
		return clerkWide, blockHigh
	}
	if language == string(locale.Chinese) {
		return sealChinese, sealChinese
	}
	return sealVietnamese, sealVietnamese
}

// signer returns who signs a field; false when the content names signers but not this one.
func (s *sheet) signer(field string) (Signer, bool) {
	for _, g := range s.content.Signers {
		if g.Field == field {
			if g.Role == "" {
				g.Role = s.words.text("role_" + field)
			}
			g.Role, g.Name = nfc(g.Role), nfc(g.Name)
			return g, true
		}
	}
	return Signer{Field: field, Role: s.words.text("role_" + field)}, len(s.content.Signers) == 0
}

// signatures sets the block of signatures and seals, always on one page. At the left the customer; at the right the
// clerk, with the unit's seal over the left third of the clerk's signature (appendix I, II.8); below, the business
// seal, with the codes beside it.
func (s *sheet) signatures() {
	const middleLeft, middleRight = left + 0.22*textWide, left + 0.76*textWide
	_, seal := FieldSize(s.content.Language, FieldUnitSeal)
	zone := seal + 4
	closing := s.fonts.italic(bodySize)
	if s.words.lang == locale.Chinese {
		closing = s.fonts.regular(bodySize) // Chinese type has no italics
	}
	lines := page.Wrap(s.closing, textWide, closing.Measure)
	heads := 16*float64(max(len(s.roleLines(FieldCustomer)), len(s.roleLines(FieldClerk)))) + 12
	names := 16 * float64(max(len(s.nameLines(FieldCustomer)), len(s.nameLines(FieldClerk))))
	s.flushHeading()
	s.y += 8
	s.room(float64(len(lines))*leading + 12 + heads + zone + names + 20 + 16 + seal + 6)
	s.paragraph("", s.closing, closing, left, 0, leading)
	s.y += 12
	s.party(FieldCustomer, middleLeft)
	s.party(FieldClerk, middleRight)

	s.y += heads
	middle := s.y + zone/2
	customer := page.Rect{X: middleLeft - customerWide/2, Y: middle - blockHigh/2, W: customerWide, H: blockHigh}
	clerk := page.Rect{X: middleRight - clerkWide/2, Y: middle - blockHigh/2, W: clerkWide, H: blockHigh}
	unit := page.Rect{X: clerk.X + clerk.W/3 - seal, Y: middle - seal/2, W: seal, H: seal}
	s.y += zone
	s.name(FieldCustomer, middleLeft)
	s.name(FieldClerk, middleRight)

	s.y += names + 14
	business := page.Rect{X: middleLeft - seal/2, Y: s.y + 16, W: seal, H: seal}
	if g, ok := s.signer(FieldBusinessSeal); ok {
		role := s.fonts.bold(11)
		text := strings.ToUpper(g.Role)
		role.Size *= min(1, 0.44*textWide/role.Measure(text))
		s.page.TextCentre(middleLeft, s.y+11, role, text)
	}
	s.codes(left+0.45*textWide, business.Y)
	s.y = business.Y + business.H
	for _, f := range []page.Field{
		{Name: FieldCustomer, Rect: customer}, {Name: FieldClerk, Rect: clerk},
		{Name: FieldBusinessSeal, Rect: business}, {Name: FieldUnitSeal, Rect: unit},
	} {
		if g, ok := s.signer(f.Name); ok && s.evidence != nil {
			f.Label = strings.TrimSuffix(g.Role+": "+g.Name, ": ")
			s.page.Field(f)
		}
	}
}

func (s *sheet) roleLines(field string) []string {
	g, ok := s.signer(field)
	if !ok {
		return nil
	}
	return page.Balance(strings.ToUpper(g.Role), textWide*0.44, s.fonts.bold(bodySize).Measure)
}

func (s *sheet) nameLines(field string) []string {
	g, ok := s.signer(field)
	if !ok || g.Name == "" {
		return nil
	}
	return page.Balance(g.Name, textWide*0.44, s.fonts.bold(bodySize).Measure)
}

// party sets the role above a signature, with the note of how it is given.
func (s *sheet) party(field string, middle float64) {
	y := s.y
	for _, line := range s.roleLines(field) {
		s.page.TextCentre(middle, y+12, s.fonts.bold(bodySize), line)
		y += 16
	}
	if y > s.y {
		s.page.TextCentre(middle, y+10, s.fonts.italic(11), s.words.text("note_"+field))
	}
}

// name sets who signs below the signature.
func (s *sheet) name(field string, middle float64) {
	for i, line := range s.nameLines(field) {
		s.page.TextCentre(middle, s.y+13+16*float64(i), s.fonts.bold(bodySize), line)
	}
}

// codes sets the QR code and what a reader needs to check the document.
func (s *sheet) codes(x, y float64) {
	c, w, f := s.content, s.words, s.fonts
	const size = 26 * page.MM
	tx := x
	if c.VerifyCode != "" {
		s.page.QR(x, y+8, size, c.VerifyCode)
		tx += size + 14
	}
	put := func(text string, st page.Style, lead float64) {
		for _, line := range page.Wrap(text, right-tx, st.Measure) {
			s.page.Text(tx, y+st.Size, st, line)
			y += lead
		}
		y += 3
	}
	y += 5
	if c.VerifyCode != "" {
		put(w.fill("verify_code", "code", nfc(c.VerifyCode)), f.regular(11), 14)
	}
	put(w.text("hash_label"), f.regular(11), 12)
	put(ShortHash(s.digest), f.bold(13), 16)
	put(w.text("hash_note"), f.italic(9.5), 12)
	if c.RetainUntil != "" {
		put(w.fill("retain", "date", nfc(c.RetainUntil)), f.regular(11), 14)
	}
}
