package signing

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"countersign/internal/fault"
	"countersign/signing/pdf"
)

// Owned is everything that must be true before a customer signs with a key of their own. Whether the certificate is the
// customer's, and acceptable, is for the caller to check first: only there is the whole identity number known.
type Owned struct {
	Order     string
	Document  []byte   // the base document, whose customer field is empty
	Displayed [32]byte // SHA-256 of the document as it was made ready for the customer
	Content   [32]byte // SHA-256 of the content that was on both screens and agreed to
	Person    Person
	Needed    int // assurance of identity that the service asks for
	Reading   Reading
	Asked     time.Time           // the customer chose to sign with their own key
	By        string              // where the key is: "token", "remote"
	Chain     []*x509.Certificate // the customer's first

	Reason, Location string // for PDF readers
	Appearance       *pdf.Appearance
}

// Asked is a signature that a customer's own key is to make: plain data, good for a restart in between.
type Asked struct {
	ToBeSigned ToBeSigned `json:"to_be_signed"`
	Evidence   Evidence   `json:"evidence"`
	At         time.Time  `json:"at"`
}

// Ask prepares the customer's field for a key of the customer's own, and refuses with sign.document, sign.content,
// sign.identity, sign.base and sign.signed as Customer does, and with:
//
//	sign.own_unread  the text was not shown, read to its end and agreed to before the customer chose this way
//	sign.own_other   no certificate is given
//
// The evidence's digest stands in the signature's reason, which the signature covers: neither can be exchanged afterwards.
func (c *Ceremony) Ask(r Owned) (Asked, error) {
	now := c.Clock.Now()
	// A copy of our own: what was hashed can't be exchanged before it is prepared.
	r.Document = bytes.Clone(r.Document)
	field, err := r.refuse()
	if err != nil {
		return Asked{}, err
	}
	looks := r.Appearance
	if looks != nil {
		if looks, err = Fitted(looks, field); err != nil {
			return Asked{}, err
		}
	}
	evidence := newOwned(r)
	digest, err := evidence.Digest()
	if err != nil {
		return Asked{}, err
	}
	t, err := Prepare(r.Document, pdf.Request{
		Field: CustomerField, Name: r.Person.Name, Reason: r.Reason + ownEvidence + hex.EncodeToString(digest[:]), Location: r.Location, At: now, Appearance: looks,
	}, r.Chain)
	if err != nil {
		return Asked{}, fmt.Errorf("prepare order %s for the customer's own key: %w", r.Order, err)
	}
	return Asked{ToBeSigned: t, Evidence: evidence, At: now}, nil
}

// ownEvidence stands between the reason of a customer's own signature and the digest of its evidence.
const ownEvidence = "; evidence sha256:"

// Answer puts what the customer's key made into the document. Besides Finish's faults it refuses with sign.own_stale what was
// prepared more than five minutes ago (or, by the clock, later than now).
func (c *Ceremony) Answer(ctx context.Context, document []byte, a Asked, signature []byte) (Signature, error) {
	now := c.Clock.Now()
	if now.Sub(a.At) > fresh || a.At.After(now.Add(slack)) {
		return Signature{}, fault.New(fault.Conflict, "sign.own_stale", nil)
	}
	if len(a.ToBeSigned.Chain) == 0 {
		return Signature{}, altered(errors.New("there is no certificate"))
	}
	leaf, err := x509.ParseCertificate(a.ToBeSigned.Chain[0])
	if err != nil {
		return Signature{}, altered(err)
	}
	filled, err := Finish(ctx, document, a.ToBeSigned, signature, c.Authority)
	if err != nil {
		return Signature{}, err
	}
	return Signature{Filled: filled, Evidence: a.Evidence, Certificate: leaf}, nil
}

func (r *Owned) refuse() (pdf.Field, error) {
	switch digest := sha256.Sum256(r.Document); {
	case !same(digest, r.Displayed):
		return pdf.Field{}, fault.New(fault.Conflict, "sign.document", nil)
	case !r.Reading.before(r.Asked):
		return pdf.Field{}, fault.New(fault.Conflict, "sign.own_unread", nil)
	case len(r.Chain) == 0 || r.By == "" || r.Order == "":
		return pdf.Field{}, fault.New(fault.Invalid, "sign.own_other", nil)
	}
	if err := r.Person.refuse(r.Needed); err != nil {
		return pdf.Field{}, err
	}
	return refuseBase(r.Document, r.Content)
}

// Own is the course of a confirmation by a key of the customer's own.
type Own struct {
	By          string    `json:"by"` // token: the customer had it with them; remote: a provider keeps it for them
	Certificate string    `json:"certificate_sha256"`
	Issuer      string    `json:"issuer"`
	Serial      string    `json:"serial"` // hexadecimal
	Asked       time.Time `json:"asked"`  // the customer chose this way
}

// ownKey says plainly that the key is not ours.
const ownKey = "the customer's own; it never was here"

func newOwned(r Owned) Evidence {
	leaf := r.Chain[0]
	digest := sha256.Sum256(leaf.Raw)
	e := Evidence{
		Order: r.Order, Document: hex.EncodeToString(r.Displayed[:]), Content: hex.EncodeToString(r.Content[:]), Rank: OwnKey,
		Person: r.Person, Reading: r.Reading, Key: ownKey,
		Own: Own{By: r.By, Certificate: hex.EncodeToString(digest[:]), Issuer: leaf.Issuer.CommonName, Serial: strings.ToUpper(leaf.SerialNumber.Text(16)), Asked: r.Asked},
	}
	e.plain()
	return e
}
