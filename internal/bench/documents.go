package main

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"countersign/internal/clock"
	"countersign/internal/demo"
	"countersign/kiosk"
	"countersign/kiosk/workorder"
	"countersign/signing"
	"countersign/signing/ca"
	"countersign/signing/pdf"
	"countersign/signing/tsa"
	"countersign/signing/verify"
)

// cheap makes passwords cheap: 50 clerks sign in before anything is measured.
var cheap = kiosk.PasswordCost{MemoryKiB: 64, Passes: 1, Threads: 1}

// sample is a real work order of the demonstration, as it was at each step.
type sample struct {
	content  workorder.Content
	evidence workorder.Evidence
	base     []byte // to be signed
	signed   []byte // with the customer's signature
	roots    []*x509.Certificate
	fonts    workorder.Fonts
}

// walk plays one customer's journey and takes the documents that it leaves.
func walk(ctx context.Context, w *demo.World) (sample, error) {
	var s sample
	j, err := w.Capacity(ctx)
	if err != nil {
		return s, err
	}
	if j.Picture, err = picture(); err != nil {
		return s, err
	}
	j.Medium = "none"
	if err := j.Run(ctx); err != nil {
		return s, err
	}
	s.roots, s.fonts = w.Service.Hall.Roots, w.Service.Hall.Fonts
	var content []byte
	err = w.Service.Store.View(ctx, func(tx kiosk.Tx) error {
		o, err := tx.Order(j.Order.Order.Key)
		if err != nil {
			return err
		}
		for id, to := range map[string]*[]byte{o.Document.ContentID: &content, o.Document.BaseID: &s.base,
			o.Confirm.SignedID: &s.signed, o.Portrait.DocumentID: &s.evidence.Portrait} {
			if *to, err = tx.Document(id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(content, &s.content); err != nil {
		return s, err
	}
	f, err := pdf.Parse(s.base)
	if err != nil {
		return s, err
	}
	attached, err := pdf.EmbeddedFile(f, "evidence.json")
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(attached, &s.evidence)
}

// documents measures making, signing and verifying the PDF of a work order.
func documents(ctx context.Context, b *bench) error {
	w, err := demo.Build(ctx, filepath.Join(b.dir, "documents"), demo.Choices{Cost: cheap})
	if err != nil {
		return err
	}
	s, err := walk(ctx, w)
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	b.say("build, sign, verify: a real work order of %d KB, one processor", len(s.base)>>10)
	if err := b.rate("build.pdf", s.build, "deflate+sha256 of the same bytes", s.pack); err != nil {
		return err
	}
	p, err := newSigners()
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name  string
		by    signer
		stamp tsa.Authority
		limit string
		raw   act
	}{
		{"sign.p256.bb", p.p256, nil, "raw P-256 sign+check", raw(p.p256.key, 1)},
		{"sign.p256.bt", p.p256, p.tsa, "raw P-256 2 signs+2 checks", raw(p.p256.key, 2)},
		{"sign.rsa2048.bb", p.rsa, nil, "raw RSA-2048 sign+check", raw(p.rsa.key, 1)},
	} {
		sign := func() error {
			_, err := signing.Fill(ctx, s.base, pdf.Request{Field: signing.CustomerField, Name: "NGUYỄN VĂN THỬ", Reason: "Xác nhận", At: p.now}, f.by.key, f.by.chain, f.stamp)
			return err
		}
		if err := b.rate(f.name, sign, f.limit, f.raw); err != nil {
			return err
		}
	}
	return b.rate("verify.p256.bb", p.verify(ctx, s), "raw P-256 3 checks", checks(p.p256.key.(*ecdsa.PrivateKey), 3))
}

// build makes the document to be signed.
func (s *sample) build() error {
	_, err := workorder.Build(s.content, &s.evidence, s.fonts)
	return err
}

// pack compresses and hashes the document's bytes: less can't be done for a document of this size.
func (s *sample) pack() error {
	var out bytes.Buffer
	z, err := flate.NewWriter(&out, flate.BestSpeed)
	if err != nil {
		return err
	}
	if _, err := z.Write(s.base); err != nil {
		return err
	}
	sha256.Sum256(s.base)
	return z.Close()
}

// signer is a key with its chain.
type signer struct {
	key   crypto.Signer
	chain []*x509.Certificate
}

// signers are one signer of each kind under one root.
type signers struct {
	now       time.Time
	root      *x509.Certificate
	p256, rsa signer
	tsa       tsa.Authority
}

func newSigners() (signers, error) {
	out := signers{now: clock.System{}.Now()}
	root, err := ca.NewRoot(pkix.Name{CommonName: "Bench Root"}, clock.System{}, rand.Reader)
	if err != nil {
		return out, err
	}
	out.root = root.Certificate
	issuing, err := root.NewIssuing(pkix.Name{CommonName: "Bench Issuing"})
	if err != nil {
		return out, err
	}
	const life = 24 * time.Hour
	if out.p256.key, err = p256(); err != nil {
		return out, err
	}
	if out.p256.chain, err = issuing.IssueSeal(out.p256.key.Public(), ca.Seal{Name: "P-256", OrganisationID: "1", Life: life}); err != nil {
		return out, err
	}
	if out.rsa.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return out, err
	}
	if out.rsa.chain, err = issuing.IssueSeal(out.rsa.key.Public(), ca.Seal{Name: "RSA", OrganisationID: "2", Life: life}); err != nil {
		return out, err
	}
	stamper, err := p256()
	if err != nil {
		return out, err
	}
	chain, err := issuing.IssueTimestamp(stamper.Public(), pkix.Name{CommonName: "Bench TSA"}, life)
	if err != nil {
		return out, err
	}
	out.tsa, err = tsa.NewLocal(stamper, chain, clock.System{}, rand.Reader)
	return out, err
}

func p256() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

// verify judges a document with one P-256 signature without a timestamp.
func (p *signers) verify(ctx context.Context, s sample) act {
	filled, err := signing.Fill(ctx, s.base, pdf.Request{Field: signing.CustomerField, Name: "NGUYỄN VĂN THỬ", At: p.now}, p.p256.key, p.p256.chain, nil)
	policy := verify.Policy{Roots: []*x509.Certificate{p.root}, At: p.now.Add(time.Second)}
	return func() error {
		if err != nil {
			return err
		}
		if r := verify.Verify(filled.Document, policy); r.Verdict != verify.Passed {
			return fmt.Errorf("the signed document is %s: %s", r.Verdict, r.Summary.English)
		}
		return nil
	}
}

// raw signs a digest n times and checks each signature with the public key.
func raw(k crypto.Signer, n int) act {
	digest := sha256.Sum256([]byte("document"))
	return func() error {
		for range n {
			sig, err := k.Sign(rand.Reader, digest[:], crypto.SHA256)
			if err != nil {
				return err
			}
			switch public := k.Public().(type) {
			case *ecdsa.PublicKey:
				if !ecdsa.VerifyASN1(public, digest[:], sig) {
					return errors.New("a raw signature does not hold")
				}
			case *rsa.PublicKey:
				if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], sig); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// checks verifies one signature n times.
func checks(k *ecdsa.PrivateKey, n int) act {
	digest := sha256.Sum256([]byte("document"))
	sig, err := ecdsa.SignASN1(rand.Reader, k, digest[:])
	return func() error {
		if err != nil {
			return err
		}
		for range n {
			if !ecdsa.VerifyASN1(&k.PublicKey, digest[:], sig) {
				return errors.New("a raw signature does not hold")
			}
		}
		return nil
	}
}
