package signing

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"countersign/internal/fault"
	"countersign/signing/pdf"
	"countersign/signing/tsa"
)

// Digest is a SHA-256, in hexadecimal where it is text.
type Digest [sha256.Size]byte

// MarshalText writes it in hexadecimal.
func (d Digest) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(d[:])), nil }

// UnmarshalText reads it in hexadecimal.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) != 2*len(d) {
		return fmt.Errorf("read a SHA-256: %d characters are none in hexadecimal", len(text))
	}
	if _, err := hex.Decode(d[:], text); err != nil {
		return fmt.Errorf("read a SHA-256: %w", err)
	}
	return nil
}

// ToBeSigned is one signature whose key is not here yet: with its holder, on a token, at a provider. It is plain data, good
// for JSON and for a restart in between, and holds no lock: whoever finishes first wins. The prepared document itself is
// not in it: the same request on the same document makes the same bytes, and Digest, which covers them, shows that it did.
type ToBeSigned struct {
	Digest  Digest      `json:"digest"` // what the key signs; it stands on the digest of the prepared bytes and the certificate's
	Base    Digest      `json:"base"`   // SHA-256 of the document before it
	Request pdf.Request `json:"request"`
	Chain   [][]byte    `json:"chain"` // in DER, the signer's first
}

// Prepare makes a document ready for the owner of a certificate to sign: an empty field filled but for the signature's
// value. The chain is the leaf first; the appearance must fit the field (Fitted).
func Prepare(document []byte, r pdf.Request, chain []*x509.Certificate) (ToBeSigned, error) {
	if len(chain) == 0 {
		return ToBeSigned{}, fmt.Errorf("prepare field %q: no certificate is given", r.Field)
	}
	if r.Room == 0 {
		r.Room = pdf.DefaultRoom // whether there will be a timestamp is not known yet
	}
	k := &elsewhere{public: chain[0].PublicKey}
	if _, err := Fill(context.Background(), document, r, k, chain, nil); !errors.Is(err, errElsewhere) {
		return ToBeSigned{}, fmt.Errorf("prepare field %q: %w", r.Field, err)
	}
	t := ToBeSigned{Digest: k.digest, Base: sha256.Sum256(document), Request: r}
	for _, c := range chain {
		t.Chain = append(t.Chain, c.Raw)
	}
	return t, nil
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
	var chain []*x509.Certificate
	for i, der := range t.Chain {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return Filled{}, altered(fmt.Errorf("certificate %d: %w", i, err))
		}
		chain = append(chain, c)
	}
	// Without a name for the room, it would depend on the authority.
	if len(chain) == 0 || t.Request.Room == 0 {
		return Filled{}, altered(errors.New("there is no certificate, or no room"))
	}
	k := &elsewhere{public: chain[0].PublicKey, digest: t.Digest, signature: signature}
	// Before the timestamp: nobody is asked to date what is no signature.
	if !k.verifies() {
		return Filled{}, fault.New(fault.Conflict, "sign.mismatch", nil)
	}
	filled, err := Fill(ctx, document, t.Request, k, chain, authority)
	if errors.Is(err, errOther) {
		return Filled{}, altered(err)
	}
	return filled, err
}

func altered(err error) error { return fault.Wrap(err, fault.Internal, "sign.prepared", nil) }

var (
	// errElsewhere says that the key is not here.
	errElsewhere = errors.New("the key is elsewhere")
	// errOther says that the key signed something else than is to be signed.
	errOther = errors.New("the key signed another digest")
)

// elsewhere stands for a key that is not here: asked first, it learns what is to be signed; asked later, it hands out what
// the key made, for that digest only.
type elsewhere struct {
	public    crypto.PublicKey
	digest    Digest
	signature []byte // nil while it is not made
}

func (k *elsewhere) Public() crypto.PublicKey { return k.public }

func (k *elsewhere) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	if len(digest) != len(k.digest) {
		return nil, fmt.Errorf("sign elsewhere: %d bytes are no SHA-256", len(digest))
	}
	if k.signature == nil {
		copy(k.digest[:], digest)
		return nil, errElsewhere
	}
	if subtle.ConstantTimeCompare(digest, k.digest[:]) != 1 {
		return nil, errOther
	}
	return k.signature, nil
}

// verifies reports whether the key made the signature over the digest.
func (k *elsewhere) verifies() bool {
	switch public := k.public.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(public, k.digest[:], k.signature)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, k.digest[:], k.signature) == nil
	}
	return false
}
