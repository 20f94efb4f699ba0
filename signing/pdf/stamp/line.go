package stamp

import (
	"fmt"
	"time"

	"countersign/internal/clock"
	"countersign/signing/pdf"
	"countersign/signing/pdf/font"
)

// Attachments that are files of their own bear no seal but one line, top right on their first page (Decree 30/2020/ND-CP,
// appendix I, II.8.b): the document's number and sign, and when it was signed, upright in Times's measures, 10 points,
// black.
const (
	attachmentSize = 10
	// Margins of a page by the same appendix, in millimetres: 20 to 25 above, 15 to 20 at the right.
	marginTop, marginRight = 20, 15
)

// Attachment draws the line for a signed attachment, and says where it stands on a first page of the given size in points:
// its left and lower edge.
func Attachment(number string, at time.Time, wide, high float64, others ...*font.Font) (a pdf.Appearance, x, y float64, err error) {
	if number == "" {
		return a, 0, 0, fmt.Errorf("the line on an attachment needs the document's number")
	}
	text := nfc(number) + "; " + at.In(clock.Vietnam).Format("2006-01-02T15:04:05-07:00")
	c := newCanvas(Black, append([]*font.Font{font.Fonts().Serif}, others...))
	w, h := c.measure(text)*attachmentSize, 1.2*attachmentSize
	if w > wide-(marginRight+marginRight)*mm {
		return a, 0, 0, fmt.Errorf("the line on the attachment is %.0f mm long, more than the page has room for", w/mm)
	}
	c.text(text, 0, 0.25*attachmentSize, attachmentSize, 1)
	a, err = c.appearance(w, h)
	return a, wide - marginRight*mm - w, high - marginTop*mm, err
}
