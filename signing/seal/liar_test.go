package seal_test

import (
	"context"
	"crypto"
	"crypto/sha256"
	"io"
	"testing"

	"countersign/internal/fault"
	"countersign/signing/seal"
)

// liar has the seal's public key and signs something else.
type liar struct{ crypto.Signer }

func (l liar) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	other := sha256.Sum256(digest)
	return l.Signer.Sign(rand, other[:], opts)
}

type liars struct{ seal.Keys }

func (l liars) Signer(name string) (crypto.Signer, error) {
	s, err := l.Keys.Signer(name)
	if name == "unit" {
		return liar{s}, err
	}
	return s, err
}

func TestAKeyThatSignsSomethingElseReleasesNothing(t *testing.T) {
	o := open(t)
	o.Keys = liars{o.keys}
	if r, err := o.Apply(context.Background(), o.order(t)); !fault.Is(err, "seal.faulty") || r.Document != nil {
		t.Fatal(err)
	}
	if s := o.book.states(); s[seal.Void] != 3 || len(s) != 1 {
		t.Errorf("book %v", s)
	}
}
