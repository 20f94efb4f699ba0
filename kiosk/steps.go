package kiosk

import (
	"strconv"
	"strings"
	"time"

	"countersign/internal/fault"
)

// Object records that the customer finds a field wrong. The order can't be submitted until the customer closes it;
// once the work order exists, the form is open again and a new work order will have to be read.
func (o *Order) Object(field string, reason int, now time.Time) error {
	if err := o.in(Draft, Invited, Reading, Agreed); err != nil {
		return err
	}
	if reason < 1 || reason > 4 {
		return fault.New(fault.Invalid, "order.objection_reason", nil)
	}
	o.Reopen(now)
	for i := range o.Objections {
		ob := &o.Objections[i]
		if ob.Field == field && ob.Closed.IsZero() {
			ob.Reason, ob.At, ob.Answered = reason, now, time.Time{}
			return nil
		}
	}
	o.Objections = append(o.Objections, Objection{Field: field, Reason: reason, At: now})
	return nil
}

// Answer records that the clerk explained a field which stays as it is; the customer is asked to look again.
func (o *Order) Answer(field string, now time.Time) error {
	ob := o.OpenObjection(field)
	if ob == nil {
		return fault.New(fault.NotFound, "order.no_objection", nil)
	}
	ob.Answered = now
	o.Updated = now
	return nil
}

// Accept records that the customer now finds the field right.
func (o *Order) Accept(field string, now time.Time) error {
	ob := o.OpenObjection(field)
	if ob == nil || ob.Answered.IsZero() {
		return fault.New(fault.NotFound, "order.no_objection", nil)
	}
	ob.Closed = now
	o.Updated = now
	return nil
}

// OpenObjection returns the objection to a field that is not closed, or to any field when field is empty.
func (o *Order) OpenObjection(field string) *Objection {
	for i := range o.Objections {
		ob := &o.Objections[i]
		if ob.Closed.IsZero() && (field == "" || ob.Field == field) {
			return ob
		}
	}
	return nil
}

// Reopen leads back to the form from any step before the customer's signature. The work order that was made is
// void: its digest, its reading and any code for it belong to a text that no longer exists.
func (o *Order) Reopen(now time.Time) {
	if o.in(Invited, Reading, Agreed, Confirming) != nil {
		return
	}
	o.State = Draft
	o.Document = DocumentFacts{VerifyCode: o.Document.VerifyCode}
	o.Way, o.Challenge, o.Pen, o.Own = "", "", nil, nil
	o.Times = Times{}
	if o.Card != nil {
		o.Card.Matches = nil
	}
	o.Updated = now
}

// Invite arms the clerk's submission under a number of the day; it takes effect when the customer agrees.
func (o *Order) Invite(number string, now time.Time) error {
	if err := o.in(Draft, Invited); err != nil {
		return err
	}
	if o.OpenObjection("") != nil {
		return fault.New(fault.Conflict, "order.objection_open", nil)
	}
	o.Number, o.State = number, Invited
	o.Updated = now
	return nil
}

// Generated records the work order that was made when the customer agreed to the form.
func (o *Order) Generated(d DocumentFacts, now time.Time) error {
	if err := o.in(Invited); err != nil {
		return err
	}
	if o.OpenObjection("") != nil {
		return fault.New(fault.Conflict, "order.objection_open", nil)
	}
	o.Document, o.State = d, Reading
	o.Document.Shown, o.Document.Made = 1, now
	o.Document.Pages[0].Shown = now
	o.Times.FormAgreed, o.Updated = now, now
	return nil
}

// ShowPage records that the customer's screen really shows a page of the work order.
func (o *Order) ShowPage(page int, now time.Time) error {
	if err := o.in(Reading); err != nil {
		return err
	}
	d := &o.Document
	if page < 1 || page > len(d.Pages) || page > d.Shown+1 {
		return fault.New(fault.Invalid, "order.page", fault.Args{"page": strconv.Itoa(page)})
	}
	left := &d.Pages[d.Shown-1]
	left.Dwell += now.Sub(lastOf(left.Shown, o.Updated))
	d.Shown, d.Help = page, false
	if d.Pages[page-1].Shown.IsZero() {
		d.Pages[page-1].Shown = now
	}
	o.Updated = now
	return nil
}

func lastOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// AskHelp records that the customer wants the shown page explained.
func (o *Order) AskHelp(now time.Time) error {
	if err := o.in(Reading); err != nil {
		return err
	}
	o.Document.Help, o.Updated = true, now
	return nil
}

// ReadToEnd reports whether every page was shown.
func (o *Order) ReadToEnd() bool {
	if len(o.Document.Pages) == 0 {
		return false
	}
	for _, p := range o.Document.Pages {
		if p.Shown.IsZero() {
			return false
		}
	}
	return true
}

// Agree records the customer's agreement with the whole text that carries the given digest.
func (o *Order) Agree(contentSHA256 string, now time.Time) error {
	if err := o.in(Reading); err != nil {
		return err
	}
	if !o.ReadToEnd() {
		return fault.New(fault.Conflict, "order.not_read", nil)
	}
	if contentSHA256 != o.Document.ContentSHA256 {
		return fault.New(fault.Conflict, "order.changed", nil)
	}
	o.State, o.Times.Agreed, o.Updated = Agreed, now, now
	return nil
}

// TakeCard records a card that was read. One that contradicts the form is recorded too, and stops the order.
func (o *Order) TakeCard(c CardFacts, now time.Time) error {
	if err := o.in(Draft, Invited, Reading, Agreed); err != nil {
		return err
	}
	o.Card, o.Updated = &c, now
	return nil
}

// maxRetakes is how often a customer may ask for another picture.
const maxRetakes = 3

// TakePortrait records a new picture, which waits for the clerk's judgement.
func (o *Order) TakePortrait(p PortraitFacts, now time.Time) error {
	if err := o.in(Agreed); err != nil {
		return err
	}
	if o.Portrait != nil {
		p.Retakes = o.Portrait.Retakes
	}
	o.Portrait, o.Updated = &p, now
	return nil
}

// Retake discards the picture; the customer may ask for that three times, the clerk always.
func (o *Order) Retake(byCustomer bool, now time.Time) error {
	if err := o.in(Agreed); err != nil {
		return err
	}
	if o.Portrait == nil {
		return fault.New(fault.NotFound, "order.no_portrait", nil)
	}
	if byCustomer {
		if o.Portrait.Retakes >= maxRetakes {
			return fault.New(fault.TooMany, "order.retakes", fault.Args{"max": strconv.Itoa(maxRetakes)})
		}
		o.Portrait.Retakes++
	}
	o.Portrait = &PortraitFacts{Retakes: o.Portrait.Retakes}
	o.Updated = now
	return nil
}

// Judge records that the clerk finds the same person before the counter, in the picture and on the card.
func (o *Order) Judge(now time.Time) error {
	if err := o.in(Agreed); err != nil {
		return err
	}
	if o.Portrait == nil || o.Portrait.DocumentID == "" || !o.Portrait.Fit() {
		return fault.New(fault.Conflict, "order.no_portrait", nil)
	}
	if !o.Card.OK() {
		return fault.New(fault.Conflict, "order.card_differs", nil)
	}
	o.Portrait.Judged, o.Updated = now, now
	return nil
}

// Based records the document that is to be signed: the text that was read plus card and portrait.
func (o *Order) Based(id, sha256 string, now time.Time) error {
	if err := o.in(Agreed); err != nil {
		return err
	}
	if !o.Card.OK() || o.Portrait == nil || o.Portrait.Judged.IsZero() {
		return fault.New(fault.Conflict, "order.card_or_portrait", nil)
	}
	o.Document.BaseID, o.Document.BaseSHA256 = id, sha256
	o.State, o.Updated = Confirming, now
	return nil
}

// Challenged records which confirmation by code runs now; an earlier one is dead.
func (o *Order) Challenged(id string, m Method, now time.Time) error {
	if err := o.in(Confirming); err != nil {
		return err
	}
	o.Way, o.Challenge, o.Updated = m, id, now
	return nil
}

// TakePen records that the customer was given the pen.
func (o *Order) TakePen(p Pen, now time.Time) error {
	if err := o.in(Confirming); err != nil {
		return err
	}
	o.Way, o.Challenge, o.Pen, o.Updated = ByInk, "", &p, now
	return nil
}

// TakeOwn records that the customer will sign with a key of their own.
func (o *Order) TakeOwn(m Method, k OwnKey, now time.Time) error {
	if err := o.in(Confirming); err != nil {
		return err
	}
	o.Way, o.Challenge, o.Own, o.Updated = m, "", &k, now
	return nil
}

// Waits records that the customer's telephone was asked.
func (o *Order) Waits(provider string, until, now time.Time) error {
	if err := o.in(Confirming); err != nil {
		return err
	}
	if o.Way != ByRemote || o.Own == nil || o.Own.PreparedID == "" {
		return fault.New(fault.Conflict, "own.no_way", nil)
	}
	o.Own.Provider, o.Own.Until, o.Own.State, o.Own.Failed, o.Updated = provider, until, RemoteWaiting, "", now
	return nil
}

// Wrote records that the customer handed their handwriting in.
func (o *Order) Wrote(strokesID, sha256 string, now time.Time) error {
	if err := o.in(Confirming); err != nil {
		return err
	}
	if o.Way != ByInk || o.Pen == nil || o.Pen.Written() {
		return fault.New(fault.Conflict, "ink.no_pen", nil)
	}
	o.Pen.StrokesID, o.Pen.SHA256, o.Pen.Ended, o.Updated = strokesID, sha256, now, now
	return nil
}

// MayAttest refuses a clerk who can't have seen the customer write.
func (o *Order) MayAttest(counter string) error {
	if err := o.in(Confirming); err != nil {
		return err
	}
	if !o.Pen.Written() {
		return fault.New(fault.Conflict, "ink.unwritten", nil)
	}
	if o.Pen.Counter != counter {
		return fault.New(fault.Forbidden, "ink.elsewhere", fault.Args{"counter": o.Pen.Counter})
	}
	return nil
}

// ConfirmedBy records the customer's signature.
func (o *Order) ConfirmedBy(c Confirmation, now time.Time) error {
	if err := o.in(Confirming); err != nil {
		return err
	}
	if c.SignedID == "" || !o.runs(c) {
		return fault.New(fault.Conflict, "order.challenge", nil)
	}
	o.Confirm, o.State = &c, Confirmed
	o.Times.Confirmed, o.Updated = now, now
	return nil
}

// runs reports whether a confirmation answers what the order asks for now, and not an earlier question.
func (o *Order) runs(c Confirmation) bool {
	if c.Challenge != "" {
		return c.Challenge == o.Challenge
	}
	if c.Method != o.Way.Record() {
		return false
	}
	if o.Way == ByInk {
		return o.Pen.Written() && c.StrokesID == o.Pen.StrokesID
	}
	return o.Own != nil && c.Prepared != "" && c.Prepared == o.Own.PreparedID
}

// MaySeal checks the four digits that the clerk types instead of answering a yes-or-no question.
func (o *Order) MaySeal(lastFour string) error {
	if err := o.in(Confirmed); err != nil {
		return err
	}
	if len(lastFour) != 4 || !strings.HasSuffix(o.Number, lastFour) {
		return fault.New(fault.Invalid, "order.last_four", nil)
	}
	return nil
}

// SealedWith records the finished file; after this only a correcting order changes anything.
func (o *Order) SealedWith(uses []SealUse, finalID, sha256 string, signed []Signed, now time.Time) error {
	if err := o.in(Confirmed); err != nil {
		return err
	}
	o.Seals, o.State = uses, Sealed
	o.Document.FinalID, o.Document.FinalSHA256, o.Document.Signatures = finalID, sha256, signed
	o.HandOver = HandOver{State: "waiting", At: now}
	o.Times.Sealed, o.Updated = now, now
	return nil
}

// ChooseReceipt records the medium; nothing leaves the hall before this. After a failure another medium may be chosen:
// what was delivered stays delivered, what failed and is no longer wanted is forgotten.
func (o *Order) ChooseReceipt(medium string, now time.Time) error {
	if err := o.in(Sealed); err != nil {
		return err
	}
	wanted := map[string][2]bool{"mail": {true, false}, "print": {false, true}, "both": {true, true}, "none": {false, false}}
	want, ok := wanted[medium]
	if !ok {
		return fault.New(fault.Invalid, "order.medium", nil)
	}
	o.Receipt.Mail.choose(want[0], now)
	o.Receipt.Print.choose(want[1], now)
	o.Receipt.Medium, o.Receipt.Chosen, o.Updated = medium, now, now
	return nil
}

// choose sets a way of delivery going, or forgets that it failed.
func (d *Delivery) choose(wanted bool, now time.Time) {
	switch {
	case d.State == "done":
	case wanted:
		*d = Delivery{State: "waiting", At: now}
	default:
		*d = Delivery{}
	}
}

// Rate records the customer's rating, 1 to 5, or 0 when none was given; it can be given once.
func (o *Order) Rate(n int, now time.Time) error {
	if err := o.in(Sealed); err != nil {
		return err
	}
	if o.Receipt.Medium == "" {
		return fault.New(fault.Conflict, "order.medium", nil)
	}
	if n < 0 || n > 5 {
		return fault.New(fault.Invalid, "order.rating", nil)
	}
	o.Rating, o.State = n, Closed
	o.Times.Closed, o.Updated = now, now
	return nil
}

// Cancel stops the order; after the customer's signature and before the seal this voids the signature.
func (o *Order) Cancel(now time.Time) error {
	if err := o.in(Draft, Invited, Reading, Agreed, Confirming, Confirmed); err != nil {
		return err
	}
	o.State, o.Way, o.Challenge, o.Updated = Cancelled, "", "", now
	return nil
}
