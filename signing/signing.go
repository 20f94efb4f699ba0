// Package signing is the only door to a signature: it refuses before it signs.
//
// A Ceremony turns a customer's confirmation into a signature: by one-time code (Customer), or by handwriting that a member
// of staff witnesses (Witness), which ranks lower and is signed by the counter's key, or by a key of the customer's own (Ask, then Answer). It re-hashes the very bytes to be signed
// and compares them with what was displayed, what was read and what the code was made for or the pen given for; only when everything fits does
// it certify a key for this one signature and sign; the one-off key of a code is destroyed after it. What led to the signature is the Evidence, whose
// digest stands in the certificate, so neither can be exchanged afterwards.
//
// Invariants: what is displayed, what is confirmed and what is signed are the same bytes; no signature leaves before it
// was checked with the public key; a timestamp authority that is away costs a level and never the signature, and the
// result says so. The rank of a confirmation is named, never blurred. Start reading at Ceremony.Customer; seals are in
// signing/seal, the check of finished documents in signing/verify.
package signing

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"math"

	"countersign/signing/cms"
	"countersign/signing/pdf"
	"countersign/signing/pdf/stamp"
	"countersign/signing/tsa"
)

// Level is a PAdES baseline level (EN 319 142-1).
type Level string

// The levels. Fill makes the first two; signing/augment makes the others of them, later.
const (
	BB   Level = "B-B"
	BT   Level = "B-T"   // with a timestamp that proves when the signature existed
	BLT  Level = "B-LT"  // with the proof that no certificate was revoked then
	BLTA Level = "B-LTA" // with a timestamp over all that, which can be renewed for ever
)

// Filled is a document with one more signature.
type Filled struct {
	Document []byte
	Level    Level
	Untimed  error // why there is no timestamp although an authority was given; nil otherwise
}

// Fill signs the empty field that r names, with a timestamp when an authority is given, and checks the signature with the
// certificate's public key before the document is released. The chain is the leaf first; the appearance must fit the field (Fitted).
func Fill(ctx context.Context, document []byte, r pdf.Request, key crypto.Signer, chain []*x509.Certificate, authority tsa.Authority) (Filled, error) {
	prepared, err := pdf.Prepare(document, r)
	if err != nil {
		return Filled{}, err
	}
	out := Filled{Level: BB}
	var stamp func([]byte) ([]byte, error)
	if authority != nil {
		stamp = func(sig []byte) ([]byte, error) {
			token, err := authority.Stamp(ctx, sig)
			if err != nil {
				out.Untimed = err
				return nil, nil
			}
			out.Level = BT
			return token, nil
		}
	}
	digest := prepared.Digest()
	message, err := cms.Sign(digest, key, chain, stamp)
	if err != nil {
		return Filled{}, fmt.Errorf("sign field %q: %w", r.Field, err)
	}
	if err := check(message, digest, chain[0]); err != nil {
		return Filled{}, fmt.Errorf("check the signature of field %q: %w", r.Field, err)
	}
	if err := ctx.Err(); err != nil {
		return Filled{}, fmt.Errorf("sign field %q: %w", r.Field, err)
	}
	if out.Document, err = prepared.Finish(message); err != nil {
		return Filled{}, fmt.Errorf("sign field %q: %w", r.Field, err)
	}
	return out, nil
}

// Fitted brings an appearance to the size of the field that it will stand in, so that no reader stretches a seal. It is
// made smaller where it must be, never larger.
func Fitted(a *pdf.Appearance, field pdf.Field) (*pdf.Appearance, error) {
	rect := field.Object.Value.Get("Rect")
	if rect.Kind != pdf.Array || len(rect.Items) != 4 {
		return nil, fmt.Errorf("fit the appearance of field %q: the field has no place on the page", field.Name)
	}
	var corner [4]float64
	for i, item := range rect.Items {
		corner[i], _ = item.Float()
	}
	width, height := math.Abs(corner[2]-corner[0]), math.Abs(corner[3]-corner[1])
	if width == 0 || height == 0 {
		return nil, fmt.Errorf("fit the appearance of field %q: the field is empty", field.Name)
	}
	out := stamp.Fit(*a, width, height)
	return &out, nil
}

// check reads the signature back as a stranger would.
func check(message []byte, digest [32]byte, leaf *x509.Certificate) error {
	m, err := cms.Parse(message)
	if err != nil {
		return err
	}
	if !m.Canonical || !m.Signer.Equal(leaf) {
		return errors.New("it is not in its only encoding, or another certificate's")
	}
	return m.Verify(digest[:])
}
