package workorder

import (
	"encoding/hex"
	"fmt"
	"strings"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/signing/pdf/page"
)

// The portrait's frame: 35 × 46.7 mm, three to four.
const (
	portraitWide = 33 * page.MM
	portraitHigh = portraitWide * 4 / 3
)

// evidencePages sets who the customer is, what was checked and how they agreed, and attaches the same as a file.
func (s *sheet) evidencePages() error {
	e, w, f := s.evidence, s.words, s.fonts
	data, err := e.Canonical()
	if err != nil {
		return err
	}
	s.doc.Attach(page.Attachment{
		Name: EvidenceFile, Description: w.text("file_evidence"), MIME: "application/json", Data: data,
		Modified: s.content.Created.In(clock.Vietnam),
	})
	s.newPage()
	s.centred(w.text("evidence"), f.bold(15), 20)
	s.centred(w.fill("evidence_of", "id", nfc(s.content.OrderID)), f.regular(11.5), 15)
	s.centred(w.fill("content_hash", "hash", ShortHash(s.digest)), f.regular(11.5), 15)
	s.y += 2
	if err := s.identity(); err != nil {
		return err
	}
	if len(e.Identity.Checks) > 0 {
		s.head(w.text("checks"), f.bold(12), 5)
		t := Table{Columns: []string{w.text("check_name"), w.text("check_result"), w.text("check_detail")}}
		for _, c := range e.Identity.Checks {
			result := w.text("check_failed")
			if c.OK {
				result = w.text("check_ok")
			}
			t.Rows = append(t.Rows, []string{nfc(c.Name), result, nfc(c.Detail)})
		}
		s.table(t, 9.5)
	}
	s.readingFacts()
	s.confirmations()
	s.flushHeading()
	return nil
}

// fact is a label with its value on the evidence page; facts without a value are left out. A digest stays on one
// line.
type fact struct {
	label, value string
	digest       bool
}

// facts sets labels and values up to the edge.
func (s *sheet) facts(edge float64, facts []fact) {
	const labelWide = 112
	for _, a := range facts {
		if a.value == "" {
			continue
		}
		value := s.fonts.regular(10.5)
		if wide := edge - left - labelWide - 5; a.digest && value.Measure(a.value) > wide {
			value.Size *= wide / value.Measure(a.value)
		}
		s.grid(grid{lead: 12.4, vpad: 0.9, cells: []cell{
			{text: s.words.text(a.label), style: s.fonts.regular(10.5), width: labelWide, pad: 2},
			{text: nfc(a.value), style: value, width: edge - left - labelWide, pad: 2},
		}})
	}
}

// identity sets the facts of the card with the portrait beside them.
func (s *sheet) identity() error {
	e, w, id := s.evidence, s.words, s.evidence.Identity
	s.head(w.text("identity"), s.fonts.bold(12), 6)
	edge := right
	s.room(portraitHigh + 20)
	start := s.y
	if len(e.Portrait) > 0 {
		if err := e.portraitHolds(); err != nil {
			return err
		}
		img, err := page.JPEG(e.Portrait)
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "workorder.portrait", nil)
		}
		edge = right - portraitWide - 16
		frame := page.Rect{X: right - portraitWide, Y: start + 4, W: portraitWide, H: portraitHigh}
		s.page.Image(within(frame, img), img)
		s.page.Frame(frame, 0.5, hairline)
		s.page.TextCentre(frame.X+frame.W/2, frame.Y+frame.H+11, s.fonts.italic(9.5), w.text("portrait"))
	}
	level := ""
	if id.Assurance > 0 {
		level = w.fill("id_assurance_value", "level", itoa(id.Assurance))
	}
	on := s.page
	s.facts(edge, []fact{
		{label: "id_kind", value: id.Kind}, {label: "id_number", value: id.Number}, {label: "id_name", value: id.Name},
		{label: "id_birth", value: id.Birth}, {label: "id_sex", value: id.Sex}, {label: "id_address", value: id.Address},
		{label: "id_source", value: id.Source}, {label: "id_assurance", value: level},
		{label: "id_read", value: w.moment(id.ReadAt)},
	})
	if s.page == on && len(e.Portrait) > 0 {
		s.y = max(s.y, start+portraitHigh+14)
	}
	if len(e.Portrait) > 0 {
		s.facts(right, []fact{
			{label: "portrait_at", value: w.moment(e.PortraitAt)}, {label: "portrait_judge", value: e.JudgedBy},
			{label: "portrait_hash", value: spaced(e.PortraitSHA256), digest: true},
		})
	}
	return nil
}

// portraitHolds checks that the digest on record is the picture's.
func (e *Evidence) portraitHolds() error {
	sum := Digest(e.Portrait)
	if !strings.EqualFold(e.PortraitSHA256, hex.EncodeToString(sum[:])) {
		return fault.Wrap(fmt.Errorf("portrait's digest differs from the one on record"), fault.Invalid, "workorder.portrait", nil)
	}
	return nil
}

func (s *sheet) readingFacts() {
	e, w := s.evidence, s.words
	s.head(w.text("reading"), s.fonts.bold(12), 5)
	s.facts(right, []fact{
		{label: "read_to_end", value: w.moment(e.ReadToEnd)},
		{label: "read_amount", value: w.fill("read_amount_value", "lines", itoa(e.Lines), "pages", itoa(e.Pages))},
		{label: "agreed", value: w.moment(e.Agreed)},
	})
	if len(e.Objections) == 0 {
		s.y += 2
		s.paragraph("", w.text("objections_none"), s.fonts.regular(10.5), left+2, 0, 14)
		return
	}
	s.y += 4
	t := Table{Columns: []string{
		w.text("objection_field"), w.text("objection_reason"), w.text("objection_outcome"), w.text("objection_at"),
	}}
	for _, o := range e.Objections {
		t.Rows = append(t.Rows, []string{nfc(o.Field), nfc(o.Reason), nfc(o.Outcome), w.moment(o.At)})
	}
	s.table(t, 9.5)
}

func (s *sheet) confirmations() {
	e, w := s.evidence, s.words
	s.head(w.text("confirmation"), s.fonts.bold(12), 5)
	s.facts(right, []fact{
		{label: "confirm_purpose", value: e.Confirmation.Purpose}, {label: "confirm_method", value: w.text("confirm_in_field")},
		{label: "full_hash", value: spaced(hex.EncodeToString(s.digest[:])), digest: true},
	})
	t := Table{Columns: []string{w.text("party"), w.text("party_name"), w.text("party_field")}}
	for _, field := range []string{FieldCustomer, FieldClerk, FieldBusinessSeal, FieldUnitSeal} {
		if g, ok := s.signer(field); ok {
			t.Rows = append(t.Rows, []string{g.Role, g.Name, field})
		}
	}
	s.y += 5
	s.table(t, 9.5)
}

// within returns the largest rectangle with the picture's sides inside frame, in its middle.
func within(frame page.Rect, img *page.Image) page.Rect {
	scale := min(frame.W/float64(img.Width), frame.H/float64(img.Height))
	w, h := scale*float64(img.Width), scale*float64(img.Height)
	return page.Rect{X: frame.X + (frame.W-w)/2, Y: frame.Y + (frame.H-h)/2, W: w, H: h}
}

// spaced writes a hex digest in capitals, in groups of eight, so that it can be read and wrapped.
func spaced(digest string) string {
	var b strings.Builder
	for i, r := range strings.ToUpper(digest) {
		if i > 0 && i%8 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}
