package signing

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"countersign/signing/ink"
	"countersign/signing/otp"
)

// Rank says how much a confirmation is worth, 4 being the most; it is shown as "2/4".
type Rank int

// The ranks.
const (
	Witnessed   Rank = 1 // handwriting, witnessed by the counter's key
	OneTimeCode Rank = 2 // a one-time code; the key was made by the server for this signature and destroyed
	CounterKey  Rank = 3 // a named person's key that the organisation keeps
	OwnKey      Rank = 4 // the signer's own certificate on a token, card or phone
)

// String returns the rank as it is shown: "2/4".
func (r Rank) String() string { return strconv.Itoa(int(r)) + "/4" }

// Person is who confirmed, and how that was established.
type Person struct {
	Name      string    `json:"name"`
	Document  string    `json:"document"` // kind of identity document: "cccd_qr", "mrz_td1"
	Number    string    `json:"number"`   // masked
	Assurance int       `json:"assurance"`
	JudgedBy  string    `json:"judged_by"` // staff id of who compared the face
	At        time.Time `json:"at"`        // when the document was read
}

// Reading is what the customer did with the text before agreeing.
type Reading struct {
	Agreement string    `json:"agreement"` // version of the terms
	Shown     time.Time `json:"shown"`     // the first line was on the customer's screen
	Finished  time.Time `json:"finished"`  // the last line was
	Agreed    time.Time `json:"agreed"`    // the customer pressed agree
	Lines     int       `json:"lines"`
}

// Proof says what a right code shows.
type Proof string

// The proofs.
const (
	ProvesTransaction Proof = "transaction" // the code was derived from this document
	ProvesPossession  Proof = "possession"  // the code shows the enrolled device only; the challenge row binds it to the document
)

// Code is the course of the one-time code.
type Code struct {
	Challenge string      `json:"challenge"`
	Channel   otp.Channel `json:"channel"`
	Address   string      `json:"address"` // masked
	Purpose   string      `json:"purpose"`
	Amount    int64       `json:"amount"` // đồng
	Proves    Proof       `json:"proves"`
	Tries     int         `json:"tries"` // with the right one
	Issued    time.Time   `json:"issued"`
	Confirmed time.Time   `json:"confirmed"`
}

// Handwriting is the course of a witnessed handwriting. The strokes themselves are kept beside the evidence.
type Handwriting struct {
	SHA256   string     `json:"strokes_sha256"` // of ink.Drawing.Canonical
	Source   ink.Source `json:"source"`
	Strokes  int        `json:"strokes"`
	Points   int        `json:"points"`
	Duration int64      `json:"duration_ms"` // from the first point to the last
	Length   int        `json:"length_mm"`   // on a terminal by its guessed steps
	Began    time.Time  `json:"began"`       // the pad or screen was opened for writing
	Ended    time.Time  `json:"ended"`       // the customer handed the writing in
	Witness  Witness    `json:"witness"`
}

// Witness is the member of staff who watched the customer write.
type Witness struct {
	StaffID      string `json:"staff_id"`
	Name         string `json:"name"`
	Counter      string `json:"counter"`
	Organisation string `json:"organisation"`
	Key          string `json:"key"` // name of the counter's witness key, which begins with WitnessKey
}

// Evidence is the record of one confirmation. Its digest is in the signer's certificate.
type Evidence struct {
	Order    string  `json:"order"`
	Document string  `json:"document_sha256"` // the exact bytes that were confirmed
	Content  string  `json:"content_sha256"`  // the content that was read, order.json in the document
	Rank     Rank    `json:"rank"`
	Person   Person  `json:"person"`
	Reading  Reading `json:"reading"`
	// One of the three says how the confirmation was given.
	Code        Code        `json:"code,omitzero"`
	Handwriting Handwriting `json:"handwriting,omitzero"`
	Own         Own         `json:"own_key,omitzero"`
	Key         string      `json:"key"` // who held the signing key
}

// These say it plainly: neither is the customer's own key.
const (
	serverKey  = "made by the server for this signature, P-256, destroyed after it"
	witnessKey = "kept by the organisation for the counter; the witness signs with it, the customer does not"
)

func newEvidence(c Confirm) Evidence {
	proves := ProvesPossession
	if c.Challenge.Bound() {
		proves = ProvesTransaction
	}
	ch := c.Challenge
	e := Evidence{
		Order: c.Order, Document: hex.EncodeToString(ch.Document[:]), Content: hex.EncodeToString(ch.Content[:]),
		Rank: OneTimeCode, Person: c.Person, Reading: c.Reading, Key: serverKey,
		Code: Code{
			Challenge: ch.ID, Channel: ch.Channel, Address: ch.Address, Purpose: ch.Purpose, Amount: ch.Amount, Proves: proves,
			Tries: otp.Tries - ch.Left + 1, Issued: ch.Issued, Confirmed: ch.Ended,
		},
	}
	e.plain()
	return e
}

func newWitnessed(h Handwritten, f ink.Facts) Evidence {
	w := h.Writing
	strokes := w.Drawing.Digest()
	e := Evidence{
		Order: h.Order, Document: hex.EncodeToString(w.Document[:]), Content: hex.EncodeToString(w.Content[:]),
		Rank: Witnessed, Person: h.Person, Reading: h.Reading, Key: witnessKey,
		Handwriting: Handwriting{
			SHA256: hex.EncodeToString(strokes[:]), Source: w.Drawing.Source, Strokes: f.Strokes, Points: f.Points,
			Duration: f.Duration.Milliseconds(), Length: int(f.Length), Began: w.Began, Ended: w.Ended, Witness: h.Witness,
		},
	}
	e.plain()
	return e
}

// plain writes every time in UTC and without what only this process knows of it.
func (e *Evidence) plain() {
	for _, t := range []*time.Time{
		&e.Person.At, &e.Reading.Shown, &e.Reading.Finished, &e.Reading.Agreed, &e.Code.Issued, &e.Code.Confirmed, &e.Handwriting.Began, &e.Handwriting.Ended, &e.Own.Asked,
	} {
		*t = t.UTC().Round(0)
	}
}

// Canonical returns the evidence's exact bytes: one line of JSON in fixed order, times in UTC.
func (e Evidence) Canonical() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return nil, fmt.Errorf("write the evidence of order %s: %w", e.Order, err)
	}
	return b.Bytes()[:b.Len()-1], nil
}

// Digest returns the SHA-256 of the canonical bytes.
func (e Evidence) Digest() ([32]byte, error) {
	text, err := e.Canonical()
	if err != nil {
		return [32]byte{}, err
	}
	return sha256.Sum256(text), nil
}
