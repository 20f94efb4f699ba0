package workorder

import "time"

// Evidence is what the counter recorded after the customer agreed. It is printed after the signatures and
// attached as evidence.json; every signature covers it.
type Evidence struct {
	ContentSHA256  string       `json:"content_sha256"` // hex; must be the digest of the content it is built with
	Identity       Identity     `json:"identity"`
	Portrait       []byte       `json:"-"` // JPEG
	PortraitSHA256 string       `json:"portrait_sha256"`
	PortraitAt     time.Time    `json:"portrait_at"`
	JudgedBy       string       `json:"judged_by"` // who compared the person, the portrait and the card by eye
	Agreed         time.Time    `json:"agreed"`
	ReadToEnd      time.Time    `json:"read_to_end"`
	Lines          int          `json:"lines"`
	Pages          int          `json:"pages"`
	Objections     []Objection  `json:"objections"`
	Confirmation   Confirmation `json:"confirmation"`
}

// Identity is who the customer proved to be; Number is masked.
type Identity struct {
	Kind      string    `json:"kind"`
	Number    string    `json:"number"`
	Name      string    `json:"name"`
	Birth     string    `json:"birth"`
	Sex       string    `json:"sex"`
	Address   string    `json:"address"`
	Source    string    `json:"source"`
	Checks    []Check   `json:"checks"`
	Assurance int       `json:"assurance"` // 1 to 4
	ReadAt    time.Time `json:"read_at"`
}

// Check is one named check of the card.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// Objection is what the customer called wrong and how it ended.
type Objection struct {
	Field   string    `json:"field"`
	Reason  string    `json:"reason"`
	Outcome string    `json:"outcome"`
	At      time.Time `json:"at"`
}

// Confirmation is what the customer is about to confirm. By which method they do, and what that is worth, is not known
// when this page is made: it stands in the field that their signature fills and in the certificate's evidence.
type Confirmation struct {
	Purpose string `json:"purpose"`
}

// Canonical returns the evidence's JSON in the same form as the content's: the attachment evidence.json.
func (e Evidence) Canonical() ([]byte, error) { return canonical(e) }

// exposed reports whether a text that must be masked shows a whole number.
func exposed(s string) bool {
	digits := 0
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			if digits++; digits >= 8 {
				return true
			}
		case r == ' ' || r == '.' || r == '-':
		default:
			digits = 0
		}
	}
	return false
}
