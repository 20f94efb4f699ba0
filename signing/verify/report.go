package verify

import (
	"encoding/json"
	"strings"
	"time"
	"unicode"
)

// Verdict is the one word of a report.
type Verdict string

// The verdicts. The first three are those of EN 319 102-1 §5.1.3.
const (
	Passed        Verdict = "PASSED"
	Failed        Verdict = "FAILED"
	Indeterminate Verdict = "INDETERMINATE"
	NoSignature   Verdict = "NO_SIGNATURE"
	Unreadable    Verdict = "UNREADABLE"
)

// ExitCode is what `countersign verify` returns for the verdict.
func (v Verdict) ExitCode() int {
	switch v {
	case Passed:
		return 0
	case Failed:
		return 1
	case Indeterminate:
		return 2
	}
	return 3
}

// Report is the result of a verification. It marshals to the object that `countersign verify --json` prints.
type Report struct {
	Verdict    Verdict     `json:"verdict"`
	Sub        string      `json:"sub"`       // sub-indication of EN 319 102-1, "" when there is none
	Integrity  string      `json:"integrity"` // intact, broken, none
	Changes    string      `json:"changes"`   // none, permitted, forbidden, unknown: after the first signed revision
	Trusted    bool        `json:"trusted"`   // every signer's chain ends at a root of the policy
	Summary    Summary     `json:"summary"`
	File       File        `json:"file"`
	Signatures []Signature `json:"signatures"`
	ChangeList []Change    `json:"change_list"`
	Limits     []string    `json:"limits"` // codes of what was not checked; sentences are in the catalogue

	// Problem is the code of what decided the verdict, "" when it is PASSED; the sentence is in the catalogue.
	Problem string `json:"-"`
	// Detail is where and what, for the operator; "" when there is nothing more to say.
	Detail string `json:"-"`

	subject string // the field that Problem is about
}

// ExitCode is that of the verdict.
func (r Report) ExitCode() int { return r.Verdict.ExitCode() }

// Summary is one sentence in each language.
type Summary struct {
	Vietnamese string `json:"vi"`
	English    string `json:"en"`
	Chinese    string `json:"zh-Hant"`
}

// File is what was verified.
type File struct {
	SHA256    string `json:"sha256"`
	Size      int    `json:"size"`
	Revisions int    `json:"revisions"`
}

// Signature is the finding about one signature.
type Signature struct {
	Field        string    `json:"field"`
	Kind         string    `json:"kind"`   // otp, witness, token, seal, clerk, timestamp, other: by the certificate's ca.Mark
	Signer       string    `json:"signer"` // distinguished name
	Reason       string    `json:"reason"` // as the signer gave it
	ClaimedTime  Moment    `json:"claimed_time"`
	ProvenTime   Moment    `json:"proven_time"`
	Timestamp    Timestamp `json:"timestamp"`
	Algorithm    string    `json:"algorithm"`
	Level        string    `json:"level"`     // B-B, B-T, or "" for what is no PAdES baseline signature
	Integrity    string    `json:"integrity"` // intact, broken, none: an algorithm that is not read keeps it from being checked
	Coverage     string    `json:"coverage"`  // whole_file, whole_revision, other
	Chain        []Link    `json:"chain"`     // from the signer up
	Missing      []string  `json:"missing"`   // codes of what the next level wants
	List         string    `json:"list"`      // the policy's list that holds the chain's root, "" for none
	Problem      string    `json:"-"`         // code, "" when nothing is wrong
	Revision     int       `json:"-"`         // the revision that it ends, from 1
	SignerName   string    `json:"-"`         // common name
	Organisation string    `json:"-"`
}

// Timestamp is the finding about a signature timestamp.
type Timestamp struct {
	Status    string `json:"status"`    // none, valid, untrusted, invalid
	Authority string `json:"authority"` // common name of its certificate
}

// Link is a certificate in a chain.
type Link struct {
	Subject string `json:"subject"`
	Issuer  string `json:"issuer"`
	Status  string `json:"status"` // root, valid, expired, not_yet_valid, untrusted
}

// Change is an object that a revision after the first signed one wrote.
type Change struct {
	Revision  int    `json:"revision"` // from 1
	Object    string `json:"object"`   // number and generation, "" for what is no object
	Class     string `json:"class"`
	Permitted bool   `json:"permitted"`
	Reason    string `json:"reason"` // code; the sentence is in the catalogue
}

// maxText bounds a text that was taken from a file, in characters.
const maxText = 512

// clean makes a text from a file fit for a terminal: control and direction characters become U+FFFD.
func clean(s string) string {
	var b strings.Builder
	count := 0
	for _, r := range s {
		if count++; count > maxText {
			b.WriteRune('…')
			break
		}
		if !unicode.IsPrint(r) {
			r = unicode.ReplacementChar
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Moment is a time that marshals as RFC 3339, and as "" when it is unknown.
type Moment struct{ time.Time }

func (m Moment) MarshalJSON() ([]byte, error) {
	return json.Marshal(m.String())
}

func (m Moment) String() string {
	if m.IsZero() {
		return ""
	}
	return m.Format(time.RFC3339)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (m *Moment) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil || s == "" {
		return err
	}
	t, err := time.Parse(time.RFC3339, s)
	m.Time = t
	return err
}
