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

// Identity is who signs: a certificate and its issuers, leaf first, prepared once for many signatures. It holds no key.
type Identity struct{ cms *cms.Identity }

// NewIdentity prepares signatures under a chain.
func NewIdentity(chain []*x509.Certificate) (*Identity, error) {
	who, err := cms.NewIdentity(chain)
	if err != nil {
		return nil, err
	}
	return &Identity{who}, nil
}

// Fill signs the empty field that r names, with a timestamp when an authority is given, and checks the signature with the
// certificate's public key before the document is released. The chain is the leaf first; the appearance must fit the field (Fitted).
func Fill(ctx context.Context, document []byte, r pdf.Request, key crypto.Signer, chain []*x509.Certificate, authority tsa.Authority) (Filled, error) {
	who, err := NewIdentity(chain)
	if err != nil {
		return Filled{}, fmt.Errorf("sign field %q: %w", r.Field, err)
	}
	return who.Fill(ctx, pdf.Open(document), r, key, authority)
}

// Fill is the function Fill for a document that gets several signatures and an identity that makes many.
func (i *Identity) Fill(ctx context.Context, document *pdf.Growing, r pdf.Request, key crypto.Signer, authority tsa.Authority) (Filled, error) {
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
	r.Room = i.room(r.Room, authority)
	err := document.Fill(r, func(digest [32]byte) ([]byte, error) {
		message, err := i.cms.Sign(digest, key, stamp)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("sign field %q: %w", r.Field, err)
		}
		return message, nil
	})
	if err != nil {
		return Filled{}, err
	}
	out.Document = document.Bytes()
	return out, nil
}

// room is the space for the message where none was asked for: without a timestamp nothing of another's making comes in,
// so that it is known.
func (i *Identity) room(asked int, authority tsa.Authority) int {
	if asked == 0 && authority == nil {
		return i.cms.Size()
	}
	return asked
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
