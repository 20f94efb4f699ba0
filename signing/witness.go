package signing

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/signing/ca"
	"countersign/signing/ink"
	"countersign/signing/pdf"
	"countersign/signing/pdf/stamp"
)

// witnessLife is how long a witness's certificate is valid. Its key is kept, so a signature counts after that only with
// proof of when it was made; where no authority answered at the counter, the nightly job has this long to get it.
const witnessLife = 90 * 24 * time.Hour

// WitnessKey begins the name of every witness key, so that no seal's key can be opened to witness.
const WitnessKey = "witness-"

// Writing is what a pad or a terminal took, and what stood on the customer's screen while it was open for writing.
type Writing struct {
	Order             string
	Document, Content [32]byte // SHA-256 of the document and of its content that were shown
	Drawing           ink.Drawing
	Began, Ended      time.Time // opened for writing, handed in: by our clock, not the device's
}

// Handwritten is everything that must be true before a customer's handwriting is witnessed.
type Handwritten struct {
	Order     string
	Document  []byte   // the base document, whose customer field is empty
	Displayed [32]byte // SHA-256 of the document as it was made ready for the customer
	Content   [32]byte // SHA-256 of the content that was on both screens and agreed to
	Writing   Writing
	Person    Person
	Needed    int // assurance of identity that the service asks for
	Reading   Reading
	Witness   Witness
	Caption   *pdf.Appearance // what stands under the strokes; nil leaves them alone

	Language locale.Lang // of the reason that PDF readers show
	Location string
}

// Witness fills the customer's field with the customer's handwriting, signed by the counter's witness key in the name of
// the witness: certificate, reason and evidence say that it is not a key of the customer's (rank 1/4). It refuses, and
// opens no key, with sign.document, sign.content, sign.identity, sign.base and sign.signed as Customer does, and with:
//
//	sign.ink_other   the handwriting was given for other bytes or another order
//	sign.ink_stale   it was handed in more than five minutes ago (or, by the clock, later than now)
//	sign.ink_unread  the text was not shown, read to its end and agreed to, in this order and before the pen was given
//	ink.file         the strokes are not within their limits, or took longer than the pad was open
//	ink.empty, ink.straight, ink.instant  the strokes can't be handwriting (ink.Facts.Refuse)
//	sign.witness     nobody is named as witness, or there is no such witness key
func (c *Ceremony) Witness(ctx context.Context, r Handwritten) (Signature, error) {
	now := c.Clock.Now()
	// Copies of our own: what was hashed can't be exchanged before it is signed.
	r.Document, r.Writing.Drawing = bytes.Clone(r.Document), r.Writing.Drawing.Clone()
	document := pdf.Open(r.Document)
	field, err := r.refuse(now, document.SHA256())
	if err != nil {
		return Signature{}, err
	}
	facts := r.Writing.Drawing.Facts()
	if err := facts.Refuse(); err != nil {
		return Signature{}, err
	}
	if c.Keys == nil {
		return Signature{}, fault.New(fault.Forbidden, "sign.witness", nil)
	}
	looks, err := r.Writing.Drawing.Appearance()
	if err != nil {
		return Signature{}, err
	}
	if r.Caption != nil {
		looks = stamp.Stack(looks, *r.Caption)
	}
	fitted, err := Fitted(&looks, field)
	if err != nil {
		return Signature{}, err
	}
	return c.witness(ctx, r, document, newWitnessed(r, facts), fitted, now)
}

// witness opens the counter's key, has it certified for this evidence and signs.
func (c *Ceremony) witness(ctx context.Context, r Handwritten, document *pdf.Growing, evidence Evidence, looks *pdf.Appearance, now time.Time) (Signature, error) {
	digest, err := evidence.Digest()
	if err != nil {
		return Signature{}, err
	}
	private, err := c.Keys.Signer(r.Witness.Key)
	if fault.KindOf(err) == fault.NotFound {
		return Signature{}, fault.Wrap(err, fault.Forbidden, "sign.witness", nil)
	}
	if err != nil {
		return Signature{}, fmt.Errorf("open the witness key of counter %s: %w", r.Witness.Counter, err)
	}
	chain, err := c.Issuer.IssueWitness(private.Public(), ca.Witness{
		Name: r.Witness.Name, StaffID: r.Witness.StaffID, Organisation: r.Witness.Organisation, Counter: r.Witness.Counter,
		TransactionID: r.Order, EvidenceSHA256: digest, Life: witnessLife,
	})
	if err != nil {
		return Signature{}, fmt.Errorf("certify the witness of order %s: %w", r.Order, err)
	}
	reason := locale.Text(r.Language, "sign.witnessed", locale.Args{"customer": r.Person.Name, "witness": r.Witness.Name, "counter": r.Witness.Counter})
	who, err := NewIdentity(chain)
	if err != nil {
		return Signature{}, fmt.Errorf("witness order %s: %w", r.Order, err)
	}
	filled, err := who.Fill(ctx, document, pdf.Request{
		Field: CustomerField, Name: r.Witness.Name, Reason: reason, Location: r.Location, At: now, Appearance: looks,
	}, private, c.Authority)
	if err != nil {
		return Signature{}, fmt.Errorf("witness order %s: %w", r.Order, err)
	}
	return Signature{Filled: filled, Evidence: evidence, Certificate: chain[0]}, nil
}

// refuse returns the first reason not to sign, or else the field to be filled. digest is the document's.
func (r *Handwritten) refuse(now time.Time, digest [32]byte) (pdf.Field, error) {
	w := &r.Writing
	switch {
	case !same(digest, r.Displayed):
		return pdf.Field{}, fault.New(fault.Conflict, "sign.document", nil)
	case !same(digest, w.Document) || w.Order != r.Order || r.Order == "":
		return pdf.Field{}, fault.New(fault.Conflict, "sign.ink_other", nil)
	case !same(r.Content, w.Content):
		return pdf.Field{}, fault.New(fault.Conflict, "sign.content", nil)
	case now.Sub(w.Ended) > fresh || w.Ended.After(now.Add(slack)):
		return pdf.Field{}, fault.New(fault.Conflict, "sign.ink_stale", nil)
	case !r.Reading.before(w.Began) || w.Ended.Before(w.Began.Add(-slack)):
		return pdf.Field{}, fault.New(fault.Conflict, "sign.ink_unread", nil)
	case r.Witness.Name == "" || r.Witness.StaffID == "" || r.Witness.Counter == "" || !strings.HasPrefix(r.Witness.Key, WitnessKey):
		return pdf.Field{}, fault.New(fault.Forbidden, "sign.witness", nil)
	}
	if err := w.refuse(); err != nil {
		return pdf.Field{}, fault.Wrap(err, fault.Invalid, "ink.file", nil)
	}
	if err := r.Person.refuse(r.Needed); err != nil {
		return pdf.Field{}, err
	}
	return refuseBase(r.Document, r.Content)
}

// refuse returns what is wrong with the strokes' form. Strokes that took longer than the pad was open are from elsewhere.
func (w Writing) refuse() error {
	if err := w.Drawing.Valid(); err != nil {
		return err
	}
	if took, open := w.Drawing.Facts().Duration, w.Ended.Sub(w.Began); took > open+slack {
		return fmt.Errorf("drawing: the strokes took %s, the pad was open for %s", took, open)
	}
	return nil
}
