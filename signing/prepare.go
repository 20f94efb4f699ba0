package signing

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"

	"countersign/internal/fault"
	"countersign/signing/cms"
	"countersign/signing/pdf"
	"countersign/signing/tsa"
)

// Digest is a SHA-256, in hexadecimal where it is text.
type Digest [sha256.Size]byte

// MarshalText writes it in hexadecimal.
func (d Digest) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(d[:])), nil }

// UnmarshalText reads it in hexadecimal.
func (d *Digest) UnmarshalText(text []byte) error {
	if n, err := hex.Decode(d[:], text); err != nil || n != len(d) || len(text) != 2*len(d) {
		return fmt.Errorf("read a SHA-256: %d characters are none in hexadecimal", len(text))
	}
	return nil
}

// ToBeSigned is a document made ready for one signature whose key is not here yet: with its holder, on a token, at a
// provider. It is plain data, good for JSON and for a restart in between, and holds no lock: whoever finishes first wins.
type ToBeSigned struct {
	Field    string      `json:"field"`
	Digest   Digest      `json:"digest"`   // what the key signs
	Base     Digest      `json:"base"`     // of the document before it
	Prepared Digest      `json:"prepared"` // of the document with the update and an empty hole
	Chain    [][]byte    `json:"chain"`    // in DER, the signer's first
	Pending  pdf.Pending `json:"pending"`
}

// Prepare makes a document ready for the owner of a certificate to sign: an empty field filled but for the signature's
// value. The chain is the leaf first; the appearance must fit the field (Fitted).
func Prepare(document []byte, r pdf.Request, chain []*x509.Certificate) (ToBeSigned, error) {
	prepared, err := pdf.Prepare(document, r)
	if err != nil {
		return ToBeSigned{}, err
	}
	unsigned, err := cms.Prepare(prepared.Digest(), chain)
	if err != nil {
		return ToBeSigned{}, fmt.Errorf("prepare field %q: %w", r.Field, err)
	}
	t := ToBeSigned{Field: r.Field, Digest: unsigned.Digest(), Base: sha256.Sum256(document), Pending: prepared.Pending()}
	t.Prepared = t.whole(document)
	for _, c := range chain {
		t.Chain = append(t.Chain, c.Raw)
	}
	return t, nil
}

// whole is the digest of the document with the update.
func (t *ToBeSigned) whole(document []byte) (out Digest) {
	h := sha256.New()
	h.Write(document)
	h.Write(t.Pending.Update)
	h.Sum(out[:0])
	return out
}

// Finish puts the signature's value (ECDSA in ASN.1, or RSA by PKCS#1 v1.5, over Digest) into the document as it is now,
// with a timestamp when an authority is given. Its faults, after each of which the document is as it was:
//
//	sign.rebase    the document is not the one that was prepared: somebody else signed first. Prepare anew and sign again
//	sign.prepared  what was prepared was altered since
//	sign.mismatch  the certificate's key did not make this signature over these bytes
func Finish(ctx context.Context, document []byte, t ToBeSigned, signature []byte, authority tsa.Authority) (Filled, error) {
	if sha256.Sum256(document) != t.Base {
		return Filled{}, fault.New(fault.Conflict, "sign.rebase", nil)
	}
	chain, err := t.chain()
	if err != nil {
		return Filled{}, altered(err)
	}
	if t.whole(document) != t.Prepared {
		return Filled{}, altered(errors.New("the prepared bytes have another digest"))
	}
	prepared, err := pdf.Resume(document, t.Pending)
	if err != nil {
		return Filled{}, altered(err)
	}
	unsigned, err := cms.Prepare(prepared.Digest(), chain)
	if err != nil {
		return Filled{}, altered(err)
	}
	if unsigned.Digest() != t.Digest {
		return Filled{}, altered(errors.New("the key would have signed another digest"))
	}
	// Before the timestamp: nobody is asked to date what is no signature.
	if err := unsigned.Verify(signature); err != nil {
		return Filled{}, fault.Wrap(err, fault.Conflict, "sign.mismatch", nil)
	}
	out := Filled{Level: BB}
	message, err := unsigned.Finish(signature, out.stamp(ctx, authority))
	if err != nil {
		return Filled{}, fmt.Errorf("finish field %q: %w", t.Field, err)
	}
	err = out.release(ctx, prepared, message, t.Field, chain[0])
	return out, err
}

func (t *ToBeSigned) chain() ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for i, der := range t.Chain {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", i, err)
		}
		out = append(out, c)
	}
	return out, nil
}

func altered(err error) error { return fault.Wrap(err, fault.Internal, "sign.prepared", nil) }
