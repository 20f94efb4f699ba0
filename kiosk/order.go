package kiosk

import (
	"strconv"
	"time"

	"countersign/internal/fault"
	"countersign/kiosk/catalog"
	"countersign/kiosk/idcard"
	"countersign/kiosk/portrait"
	"countersign/signing/seal"
)

// State is where an order stands between the first field and the receipt.
type State string

// The states, in the order in which a work order passes them.
const (
	Draft      State = "draft"      // step 2: the clerk fills the form, the customer watches
	Invited    State = "invited"    // step 2: the clerk's submission is armed; the customer is asked to agree
	Reading    State = "reading"    // steps 3 and 4: the work order exists; the customer reads it
	Agreed     State = "agreed"     // step 4: read to the end and agreed; card and portrait are due
	Confirming State = "confirming" // step 5: the document to be signed exists; the customer's code is due
	Confirmed  State = "confirmed"  // step 5: the customer's signature exists; the seals are due
	Sealed     State = "sealed"     // steps 6 to 8: stored; hand-over runs, the customer chooses a receipt
	Closed     State = "closed"     // step 8 is done
	Cancelled  State = "cancelled"  // stopped before the seal
)

// Order is one customer's request for one service, from its first field to its receipt.
type Order struct {
	Key      string `json:"key"`    // random; names the order in the API
	Number   string `json:"number"` // WO-PA0505-20261121-000042; empty until the work order is made
	Unit     string `json:"unit"`
	Counter  string `json:"counter"`
	Visit    string `json:"visit"`
	Customer string `json:"customer"` // empty for a person who is new
	Clerk    Person `json:"clerk"`
	Service  string `json:"service"` // number in the catalogue: "11"
	Version  string `json:"version"` // version of the service's definition
	Language string `json:"language"`

	State     State     `json:"state"`
	Aside     bool      `json:"aside"` // set aside: the counter is free for somebody else
	Rev       int64     `json:"rev"`   // counted by the store; a stale one is refused
	Created   time.Time `json:"created"`
	Updated   time.Time `json:"updated"`
	Due       time.Time `json:"due"`
	TermDays  int       `json:"term_days"`
	Confirmee string    `json:"confirmee"` // the customer's name as the form has it, once invited

	Values     catalog.Values   `json:"values"`
	Touched    map[string]Touch `json:"touched"`
	Undone     []Exit           `json:"undone"` // what redo brings back, newest last
	Exits      []Exit           `json:"exits"`  // what undo takes back, newest last
	Objections []Objection      `json:"objections"`

	Document  DocumentFacts  `json:"document"`
	Card      *CardFacts     `json:"card,omitempty"`
	Portrait  *PortraitFacts `json:"portrait,omitempty"`
	Way       Method         `json:"way"`       // in which the customer chose to confirm; empty before
	Challenge string         `json:"challenge"` // the confirmation by code that runs now
	Pen       *Pen           `json:"pen,omitempty"`
	Own       *OwnKey        `json:"own,omitempty"`
	CodeSent  Delivery       `json:"code_sent"` // what became of the message with its code
	Confirm   *Confirmation  `json:"confirm,omitempty"`
	Second    *seal.Approval `json:"second,omitempty"` // another person's word for the seals, where two are needed
	Seals     []SealUse      `json:"seals"`
	HandOver  HandOver       `json:"hand_over"`
	Receipt   Receipt        `json:"receipt"`
	Rating    int            `json:"rating"` // 1 to 5; 0 is none; never shown to the clerk
	Times     Times          `json:"times"`
	// FirstEntry and LastEntry are the numbers of the journal's entries about this order.
	FirstEntry int64 `json:"first_entry"`
	LastEntry  int64 `json:"last_entry"`
}

// Person is a member of staff as an order remembers them.
type Person struct {
	User    string `json:"user"`
	Name    string `json:"name"`
	StaffID string `json:"staff_id"`
	Counter string `json:"counter"`
}

// Touch says who last changed a field, so that a second clerk meets a conflict instead of an overwrite.
type Touch struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// Exit is one field exit: the value before and after it, which undo and redo exchange whole.
type Exit struct {
	Field  string         `json:"field"`
	Before *catalog.Value `json:"before,omitempty"`
	After  *catalog.Value `json:"after,omitempty"`
}

// Objection is the customer's word that a field is not right. Only the customer closes it.
type Objection struct {
	Field    string    `json:"field"`
	Reason   int       `json:"reason"` // 1 spelling, 2 number, 3 change of mind, 4 does not want to give it
	At       time.Time `json:"at"`
	Answered time.Time `json:"answered"` // the clerk has changed the field or explained it
	Closed   time.Time `json:"closed"`   // the customer finds it right now
}

// DocumentFacts name the bytes that the customer reads and the bytes that are signed.
type DocumentFacts struct {
	ContentSHA256 string     `json:"content_sha256"` // of order.json, shown on both screens
	ContentID     string     `json:"content_id"`     // stored order.json, from which every page is drawn
	ReadID        string     `json:"read_id"`        // stored document of step 3
	BaseID        string     `json:"base_id"`        // stored document of step 4, to be signed
	BaseSHA256    string     `json:"base_sha256"`
	FinalID       string     `json:"final_id"` // signed and sealed
	FinalSHA256   string     `json:"final_sha256"`
	VerifyCode    string     `json:"verify_code"`
	Agreement     string     `json:"agreement"` // version that the customer agreed to
	Lines         int        `json:"lines"`
	Pages         []PageRead `json:"pages"`
	Shown         int        `json:"shown"` // page that the customer's screen shows, from 1
	Help          bool       `json:"help"`  // the customer asked for an explanation of this page
	Retain        time.Time  `json:"retain"`
	Made          time.Time  `json:"made"`
	Signatures    []Signed   `json:"signatures"`
	// Untimed tells that a timestamp authority was away: the file waits for the proof of when it was signed.
	Untimed bool      `json:"untimed"`
	SentID  string    `json:"sent_id"` // the file as it was sent, once a raised one has taken its place
	Damaged time.Time `json:"damaged"` // when the stored file was found not to hold any more
}

// PageRead is one page of the reading text: how far it goes and when it was really shown.
type PageRead struct {
	LastLine int           `json:"last_line"`
	Shown    time.Time     `json:"shown"`
	Dwell    time.Duration `json:"dwell"`
}

// Signed is one signature of the finished file, as the verifier saw it before it was stored.
type Signed struct {
	Field string    `json:"field"`
	Name  string    `json:"name"`
	Level string    `json:"level"`
	At    time.Time `json:"at"`
}

// CardFacts are what the identity card said, and how that compares with the form.
type CardFacts struct {
	Card    idcard.Card    `json:"card"`
	Matches []idcard.Match `json:"matches"`
	At      time.Time      `json:"at"`
}

// OK reports whether nothing on the card contradicts itself or the form.
func (c *CardFacts) OK() bool {
	if c == nil || !c.Card.Valid {
		return false
	}
	for _, m := range c.Matches {
		if m.Verdict == "differs" {
			return false
		}
	}
	return true
}

// PortraitFacts are the picture taken at the counter and the clerk's judgement by eye.
type PortraitFacts struct {
	DocumentID string         `json:"document_id"` // the normalised JPEG, stored encrypted
	Facts      portrait.Facts `json:"facts"`
	At         time.Time      `json:"at"`
	Judged     time.Time      `json:"judged"` // the clerk found the same person in three places
	JudgedBy   Person         `json:"judged_by"`
	Retakes    int            `json:"retakes"`
}

// Fit reports whether every figure of the picture is within its limits.
func (p *PortraitFacts) Fit() bool {
	for _, f := range p.Facts.Facts {
		if !f.OK {
			return false
		}
	}
	return len(p.Facts.Facts) > 0
}

// Confirmation is how the customer confirmed, in words that don't blur its rank.
type Confirmation struct {
	Method    string    `json:"method"`  // Method.Record: otp_mail, otp_app, ink
	Channel   string    `json:"channel"` // masked address, or the app
	Challenge string    `json:"challenge"`
	Tries     int       `json:"tries"`
	Asked     time.Time `json:"asked"`
	At        time.Time `json:"at"`
	Evidence  string    `json:"evidence"` // SHA-256 of the evidence record inside the certificate
	Level     string    `json:"level"`    // B-B or B-T
	SignedID  string    `json:"signed_id"`
	// EvidenceID names the stored record whose digest stands in the certificate.
	EvidenceID string `json:"evidence_id"`
	StrokesID  string `json:"strokes_id,omitempty"` // the handwriting
	Witness    Person `json:"witness,omitzero"`     // who saw the customer write
	Serial     string `json:"serial,omitempty"`     // of the customer's own certificate, whose issuer is the channel
	Prepared   string `json:"prepared,omitempty"`   // what was prepared for that certificate's key
}

// SealUse is one line of the seal book that concerns this order.
type SealUse struct {
	Seal   string    `json:"seal"`
	Name   string    `json:"name"`
	Number int64     `json:"number"`
	At     time.Time `json:"at"`
}

// HandOver is how far the business data and the signed file got on their way to the back office.
type HandOver struct {
	State   string    `json:"state"` // "", waiting, done, refused
	System  string    `json:"system"`
	Ack     string    `json:"ack"`
	Tries   int       `json:"tries"`
	LastErr string    `json:"last_err"`
	At      time.Time `json:"at"`
}

// Receipt is the medium that the customer chose and what became of it.
type Receipt struct {
	Medium string    `json:"medium"` // "", mail, print, both, none
	Chosen time.Time `json:"chosen"`
	To     string    `json:"to"` // address for delivery, when the customer corrected it
	// WrongMail is the customer's word that the address shown is not right; the clerk corrects it.
	WrongMail bool     `json:"wrong_mail"`
	Again     int      `json:"again"` // repeats that a person asked for
	Mail      Delivery `json:"mail"`
	Print     Delivery `json:"print"`
}

// Delivery is one way in which a receipt leaves the hall.
type Delivery struct {
	State string    `json:"state"` // "", waiting, done, failed
	Note  string    `json:"note"`  // the server's or the printer's own words, shortened
	At    time.Time `json:"at"`
}

// Times are the moments that the evidence page and the clerk's screen tell.
type Times struct {
	FormAgreed time.Time `json:"form_agreed"`
	Agreed     time.Time `json:"agreed"`
	Confirmed  time.Time `json:"confirmed"`
	Sealed     time.Time `json:"sealed"`
	Closed     time.Time `json:"closed"`
}

// Step returns the step from 2 to 8 at which the order stands.
func (o *Order) Step() int {
	switch o.State {
	case Draft, Invited:
		return 2
	case Reading, Agreed:
		return 4
	case Confirming, Confirmed:
		return 5
	}
	return 8
}

// in refuses an act that the order's state does not allow.
func (o *Order) in(states ...State) error {
	for _, s := range states {
		if o.State == s {
			return nil
		}
	}
	return fault.New(fault.Conflict, "order.step", fault.Args{"step": strconv.Itoa(o.Step()), "state": string(o.State)})
}

// SetField records a field exit. base is the Base of the value that the clerk saw before: when the stored value is
// another one, somebody else was there first and the exit is refused.
func (o *Order) SetField(by, field, base string, v catalog.Value, now time.Time) error {
	if err := o.in(Draft, Invited); err != nil {
		return err
	}
	old, had := o.Values[field]
	if t, ok := o.Touched[field]; ok && t.By != by && old.Base() != base {
		return fault.New(fault.Conflict, "order.field_taken", fault.Args{"by": t.By, "field": field})
	}
	if had && old.Source != "" && old.Text != v.Text {
		v.Edited, v.Old = true, old.Text
		if old.Edited {
			v.Old = old.Old
		}
	}
	exit := Exit{Field: field, After: &v}
	if had {
		exit.Before = &old
	}
	o.Exits = append(o.Exits, exit)
	o.Undone = nil
	o.put(field, &v, by, now)
	return nil
}

// put writes one value, or removes it, and does what every change of content implies: an armed submission is
// disarmed, and an open objection to the field now waits for the customer's second look.
func (o *Order) put(field string, v *catalog.Value, by string, now time.Time) {
	if o.Values == nil {
		o.Values = catalog.Values{}
	}
	if o.Touched == nil {
		o.Touched = map[string]Touch{}
	}
	if v == nil {
		delete(o.Values, field)
	} else {
		o.Values[field] = *v
	}
	o.Touched[field] = Touch{By: by, At: now}
	o.State = Draft
	for i := range o.Objections {
		ob := &o.Objections[i]
		if ob.Field == field && ob.Closed.IsZero() {
			ob.Answered = now
		}
	}
	o.Updated = now
}

// Prefill puts values from named sources into the form. The catalogue has already left out what a person typed;
// undo does not take a source away.
func (o *Order) Prefill(by string, fills []catalog.Fill, now time.Time) {
	for _, f := range fills {
		if !f.Conflict {
			o.put(f.Field, &catalog.Value{Text: f.Value, Source: f.Source, SourceAt: f.At}, by, now)
		}
	}
}

// Undo takes the last field exit back, value and tick together, and returns the field.
func (o *Order) Undo(by string, now time.Time) (string, error) {
	if err := o.in(Draft, Invited); err != nil {
		return "", err
	}
	if len(o.Exits) == 0 {
		return "", fault.New(fault.Invalid, "order.nothing_to_undo", nil)
	}
	last := o.Exits[len(o.Exits)-1]
	o.Exits = o.Exits[:len(o.Exits)-1]
	o.Undone = append(o.Undone, last)
	o.put(last.Field, last.Before, by, now)
	return last.Field, nil
}

// Redo brings back what Undo took, and returns the field.
func (o *Order) Redo(by string, now time.Time) (string, error) {
	if err := o.in(Draft, Invited); err != nil {
		return "", err
	}
	if len(o.Undone) == 0 {
		return "", fault.New(fault.Invalid, "order.nothing_to_redo", nil)
	}
	last := o.Undone[len(o.Undone)-1]
	o.Undone = o.Undone[:len(o.Undone)-1]
	o.Exits = append(o.Exits, last)
	o.put(last.Field, last.After, by, now)
	return last.Field, nil
}
