// Package mirror is what the customer may see: a typed projection of an order, never a copy of the clerk's screen.
//
// Project builds a Snapshot from an order; fields that the service does not mark visible are not in it. The Hub keeps
// the newest snapshot of each counter and hands it to whoever watches: full state every time, latest wins, a slow
// watcher skips frames and never blocks the counter. Start reading at Project.
package mirror

import (
	"time"

	"countersign/kiosk"
)

// Stage names what the customer's screen shows (screens C1 to C10).
type Stage string

// The stages.
const (
	Curtain Stage = "curtain" // C10: locked or no news; no name, no number
	Welcome Stage = "welcome" // C1
	Visit   Stage = "visit"   // K4's service card, before a form exists
	Form    Stage = "form"    // C2: live mirror of the form
	Invite  Stage = "invite"  // C2 with the question whether all is right
	Reading Stage = "reading" // C3
	Agree   Stage = "agree"   // C4
	Card    Stage = "card"    // C5: card and portrait
	Channel Stage = "channel" // C6: choose how to confirm
	Enrol   Stage = "enrol"   // C6: QR code for the authenticator app
	Code    Stage = "code"    // C6: six digits
	Ink     Stage = "ink"     // C6: handwriting
	Token   Stage = "token"   // C6: the customer's own token
	Remote  Stage = "remote"  // C6: the customer's own key at a provider
	Waiting Stage = "waiting" // confirmed; the seals are due
	Receipt Stage = "receipt" // C7
	Rating  Stage = "rating"  // C8
	Thanks  Stage = "thanks"  // C9
	Stopped Stage = "stopped" // the order was cancelled or set aside
)

// Snapshot is the whole state of one customer's screen.
type Snapshot struct {
	Seq     int64        `json:"seq"`
	Stage   Stage        `json:"stage"`
	Unit    string       `json:"unit"`
	Hotline string       `json:"hotline"`
	Counter string       `json:"counter"`
	Lang    string       `json:"lang"`
	Clerk   string       `json:"clerk"` // name, as the staff card has it
	StaffID string       `json:"staff_id"`
	Now     time.Time    `json:"now"`
	Order   string       `json:"order"`  // key: acts name it, so that a late key hits no other order
	Serial  string       `json:"serial"` // last six digits of the number
	Title   string       `json:"title"`  // "11 Thay đổi công suất"
	Step    int          `json:"step"`
	Hash    string       `json:"hash"` // short form, the same line as on the clerk's screen
	Digest  string       `json:"digest"`
	Seam    kiosk.Seam   `json:"seam"`
	Summary *ServiceCard `json:"summary,omitempty"`

	Rows     []Row     `json:"rows,omitempty"`
	Marked   int       `json:"marked"` // row that the clerk's caret is in
	Question *Question `json:"question,omitempty"`
	Page     *Page     `json:"page,omitempty"`
	Promises []Promise `json:"promises,omitempty"`
	Version  string    `json:"version"` // of the agreement
	CardRows []CardRow `json:"card_rows,omitempty"`
	CardAt   time.Time `json:"card_at"`
	CardBad  bool      `json:"card_bad"`
	Portrait string    `json:"portrait"` // document id; fetched apart
	Retakes  int       `json:"retakes"`  // how often the customer may still ask for another picture
	Retain   time.Time `json:"retain"`
	Confirm  *Confirm  `json:"confirm,omitempty"`
	Delivery *Delivery `json:"delivery,omitempty"`
	Due      time.Time `json:"due"`
	Verify   string    `json:"verify"` // code that finds the order again
	SealedAt time.Time `json:"sealed_at"`
}

// ServiceCard is what is published about the chosen service.
type ServiceCard struct {
	Title  string   `json:"title"`
	Days   int      `json:"days"`
	Fee    string   `json:"fee"`
	Papers []string `json:"papers"`
}

// Row is one visible field, with the number that both screens use.
type Row struct {
	Number   int    `json:"number"`
	Sub      string `json:"sub"` // "14.1" for a table's row
	Field    string `json:"field"`
	Label    string `json:"label"`
	Value    string `json:"value"`
	Note     string `json:"note"` // catalogue id: "note.from_card", "note.changed", ...
	NoteArg  string `json:"note_arg"`
	Live     bool   `json:"live"`     // being typed now
	Objected bool   `json:"objected"` // the customer finds it wrong
	Changed  bool   `json:"changed"`
}

// Question asks the customer to look at an objected field again.
type Question struct {
	Number int    `json:"number"`
	Field  string `json:"field"`
	Value  string `json:"value"`
}

// Page is one page of the work order's own text.
type Page struct {
	Number int    `json:"number"`
	Of     int    `json:"of"`
	Lines  []Line `json:"lines"`
	Last   int    `json:"last"` // number of the last line on this page
	Total  int    `json:"total"`
	End    bool   `json:"end"` // all pages were shown: agreeing is possible
}

// Line is one line of a page.
type Line struct {
	Text string `json:"text"`
	Head bool   `json:"head"`
}

// Promise is one line of the summary before agreeing.
type Promise struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// CardRow is one compared field of the card, masked.
type CardRow struct {
	Field   string `json:"field"`
	Value   string `json:"value"`
	Verdict string `json:"verdict"`
}

// Confirm is the course of the confirmation.
type Confirm struct {
	Method  string        `json:"method"` // otp_mail, otp_app, ink, token, remote; empty before the customer has chosen
	Rank    string        `json:"rank"`   // what the chosen way is worth: "2/4"
	Offers  []kiosk.Offer `json:"offers"`
	Mail    string        `json:"mail"` // masked address when mail is possible
	HasApp  bool          `json:"has_app"`
	Purpose string        `json:"purpose"`
	Amount  string        `json:"amount"`
	To      string        `json:"to"`
	SentAt  time.Time     `json:"sent_at"`
	Sent    string        `json:"sent"`
	Expires time.Time     `json:"expires"`
	Again   time.Time     `json:"again"`
	Try     int           `json:"try"`
	Tries   int           `json:"tries"`
	State   string        `json:"state"` // of the code; of handwriting "open" or "written"
	Enrol   string        `json:"enrol"` // otpauth URI while enrolling, at most 78 bytes

	// Of a key at a provider: who may be asked, who is, and until when; and why it came to nothing before.
	Providers []string  `json:"providers,omitempty"`
	Provider  string    `json:"provider,omitempty"`
	Until     time.Time `json:"until,omitzero"`
	Failed    string    `json:"failed,omitempty"` // code of the fault

	FailedArgs map[string]string `json:"failed_args,omitempty"`
}

// Delivery is the choice of the receipt and what became of it.
type Delivery struct {
	Mail      string `json:"mail"` // masked address; empty when none is known
	MailFull  string `json:"mail_full"`
	Medium    string `json:"medium"`
	MailState string `json:"mail_state"`
	MailNote  string `json:"mail_note"`
	Print     string `json:"print"`
	PrintNote string `json:"print_note"`
}
