package signing

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"strconv"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/signing/ca"
	"countersign/signing/key"
	"countersign/signing/otp"
	"countersign/signing/pdf"
	"countersign/signing/tsa"
)

const (
	// CustomerField is the empty field in the base document that the customer's signature fills.
	CustomerField = "customer"
	// ContentName is the attachment that holds what the customer read.
	ContentName = "order.json"

	// fresh is how long after the right code the signature may still be made: a restart is covered, a later change of
	// mind is not.
	fresh = 5 * time.Minute
	// slack is how far two moments may be out of order, because time servers correct the clock.
	slack = 30 * time.Second
	// oneOffLife is how long a one-off certificate is valid. Its key is gone within the second, so a day does no harm, and
	// readers that judge a certificate by today's clock instead of the timestamp still accept it at the counter.
	oneOffLife = 24 * time.Hour
)

// Issuer certifies keys for one signature; *ca.Authority is one.
type Issuer interface {
	IssueOneOff(pub crypto.PublicKey, r ca.OneOff) ([]*x509.Certificate, error)
	IssueWitness(pub crypto.PublicKey, r ca.Witness) ([]*x509.Certificate, error)
	IssueTerminal(pub crypto.PublicKey, r ca.Terminal) ([]*x509.Certificate, error)
}

// Keys opens the counters' witness keys by name; *key.Store is one.
type Keys interface {
	Signer(name string) (crypto.Signer, error)
}

// Ceremony makes customers' signatures.
type Ceremony struct {
	Issuer    Issuer
	Authority tsa.Authority // nil: signatures have no timestamp (B-B)
	Clock     clock.Clock
	Keys      Keys // nil: nobody can witness handwriting
}

// Confirm is everything that must be true before a customer's signature is made.
type Confirm struct {
	Order     string
	Document  []byte        // the base document, whose customer field is empty
	Displayed [32]byte      // SHA-256 of the document as it was made ready for the customer
	Content   [32]byte      // SHA-256 of the content that was on both screens and agreed to
	Challenge otp.Challenge // as stored, used by a right code
	Person    Person
	Needed    int // assurance of identity that the service asks for
	Reading   Reading

	Reason, Location string          // for PDF readers
	Appearance       *pdf.Appearance // nil leaves the field blank
}

// Signature is what fills the customer's field and what it stands on.
type Signature struct {
	Filled
	Evidence    Evidence
	Certificate *x509.Certificate // made for this signature; a witness's names the witness
}

// Customer signs the customer's field. It refuses, and makes no key, with these faults:
//
//	sign.document  the bytes are not those that were displayed
//	sign.content   the attached content is not what was read, or not what the code was made for
//	sign.code      the code was made for other bytes or another order
//	sign.unused    no right code was entered, or the challenge is dead, void or expired
//	sign.stale     the right code was entered more than five minutes ago (or, by the clock, later than now)
//	sign.unread    the text was not shown, read to its end and agreed to, in this order and before the code was issued
//	sign.identity  nobody is named, or the identity was not established as well as the service asks
//	sign.base      the document can't be read strictly, was changed after it was made, or has no customer field
//	sign.signed    the customer's field is filled already
func (c *Ceremony) Customer(ctx context.Context, r Confirm) (Signature, error) {
	now := c.Clock.Now()
	// A copy of our own: what was hashed can't be exchanged before it is signed.
	r.Document = bytes.Clone(r.Document)
	field, err := r.refuse(now)
	if err != nil {
		return Signature{}, err
	}
	looks := r.Appearance
	if looks != nil {
		if looks, err = Fitted(looks, field); err != nil {
			return Signature{}, err
		}
	}
	evidence := newEvidence(r)
	digest, err := evidence.Digest()
	if err != nil {
		return Signature{}, err
	}
	private, destroy, err := key.OneOff()
	if err != nil {
		return Signature{}, err
	}
	defer destroy()
	chain, err := c.Issuer.IssueOneOff(private.Public(), ca.OneOff{
		Holder: r.Person.Name, HolderID: r.Person.Number, TransactionID: r.Order, EvidenceSHA256: digest, Life: oneOffLife,
	})
	if err != nil {
		return Signature{}, fmt.Errorf("certify the key of order %s: %w", r.Order, err)
	}
	filled, err := Fill(ctx, r.Document, pdf.Request{
		Field: CustomerField, Name: r.Person.Name, Reason: r.Reason, Location: r.Location, At: now, Appearance: looks,
	}, private, chain, c.Authority)
	if err != nil {
		return Signature{}, fmt.Errorf("sign order %s: %w", r.Order, err)
	}
	return Signature{Filled: filled, Evidence: evidence, Certificate: chain[0]}, nil
}

// refuse returns the first reason not to sign, or else the field to be filled.
func (r *Confirm) refuse(now time.Time) (pdf.Field, error) {
	digest := sha256.Sum256(r.Document)
	ch := &r.Challenge
	switch {
	case !same(digest, r.Displayed):
		return pdf.Field{}, fault.New(fault.Conflict, "sign.document", nil)
	case !same(digest, ch.Document) || ch.Order != r.Order || r.Order == "":
		return pdf.Field{}, fault.New(fault.Conflict, "sign.code", nil)
	case !same(r.Content, ch.Content):
		return pdf.Field{}, fault.New(fault.Conflict, "sign.content", nil)
	case ch.State != otp.Used:
		return pdf.Field{}, fault.New(fault.Forbidden, "sign.unused", nil)
	case now.Sub(ch.Ended) > fresh || ch.Ended.After(now.Add(slack)):
		return pdf.Field{}, fault.New(fault.Conflict, "sign.stale", nil)
	case !r.Reading.before(ch.Issued) || ch.Ended.Before(ch.Issued.Add(-slack)):
		return pdf.Field{}, fault.New(fault.Conflict, "sign.unread", nil)
	}
	if err := r.Person.refuse(r.Needed); err != nil {
		return pdf.Field{}, err
	}
	return refuseBase(r.Document, r.Content)
}

// refuse returns why the person's identity does not do for the assurance that is asked for.
func (p Person) refuse(needed int) error {
	needed = max(needed, 1)
	if p.Name == "" || p.Number == "" || p.Assurance < needed {
		return fault.New(fault.Forbidden, "sign.identity", fault.Args{"has": strconv.Itoa(p.Assurance), "needed": strconv.Itoa(needed)})
	}
	return nil
}

// refuseBase looks into the document: one revision, made by us, with the content that was read and an empty field.
func refuseBase(document []byte, read [32]byte) (pdf.Field, error) {
	f, err := pdf.Parse(document)
	if err != nil {
		return pdf.Field{}, fault.Wrap(err, fault.Invalid, "sign.base", nil)
	}
	fields, err := f.Fields(len(f.Revisions) - 1)
	if err != nil {
		return pdf.Field{}, fault.Wrap(err, fault.Invalid, "sign.base", nil)
	}
	var empty pdf.Field
	for _, field := range fields {
		if field.Name != CustomerField || field.Type != "Sig" {
			continue
		}
		if field.Value.Kind != pdf.Null {
			return pdf.Field{}, fault.New(fault.Conflict, "sign.signed", nil)
		}
		empty = field
	}
	if empty.Name == "" || len(f.Revisions) != 1 {
		err := fmt.Errorf("%d revisions, an empty customer field: %t", len(f.Revisions), empty.Name != "")
		return pdf.Field{}, fault.Wrap(err, fault.Invalid, "sign.base", nil)
	}
	content, err := pdf.EmbeddedFile(f, ContentName)
	if errors.Is(err, pdf.ErrNoAttachment) {
		return pdf.Field{}, fault.Wrap(err, fault.Conflict, "sign.content", nil)
	}
	if err != nil {
		return pdf.Field{}, fault.Wrap(err, fault.Invalid, "sign.base", nil)
	}
	if !same(sha256.Sum256(content), read) {
		return pdf.Field{}, fault.New(fault.Conflict, "sign.content", nil)
	}
	return empty, nil
}

// before reports whether the text was shown, read to its end and agreed to, in this order and before
// the code was issued or the pen given.
func (r Reading) before(asked time.Time) bool {
	if r.Agreement == "" || r.Lines < 1 {
		return false
	}
	moments := []time.Time{r.Shown, r.Finished, r.Agreed, asked}
	for i, m := range moments {
		if m.IsZero() || i > 0 && m.Before(moments[i-1].Add(-slack)) {
			return false
		}
	}
	return true
}

func same(a, b [32]byte) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }
