package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"time"

	"countersign/internal/clock"
	"countersign/signing"
	"countersign/signing/ca"
	"countersign/signing/pdf"
	"countersign/signing/tsa"
	"countersign/signing/verify"
)

// different is how many documents take turns, so that none is met again before many others.
const different = 64

// signatures measures signing and verifying forms with a seal that is seen. Each act takes another document and gives a
// whole file; what lasts from one to the next is what a seal has: its key, its chain and its drawing.
func signatures(ctx context.Context, b *bench) error {
	all, err := forms(different)
	if err != nil {
		return err
	}
	looks, err := look()
	if err != nil {
		return err
	}
	p, err := newSigners()
	if err != nil {
		return err
	}
	b.say("sign, verify: %d different forms of %d KB by turns, a drawn seal of %d KB in each, one processor", different, len(all[0])>>10, len(looks.Stream)>>10)
	p.looks = looks
	for _, f := range []struct {
		name  string
		by    signer
		stamp tsa.Authority
		limit string
		raw   act
	}{
		{"sign.p256.bb", p.p256, nil, "raw P-256 sign+check", raw(p.p256.key, 1)},
		{"sign.p256.bt", p.p256, p.tsa, "raw P-256 2 signs+2 checks", raw(p.p256.key, 2)},
		{"sign.rsa2048.bb", p.rsa, nil, "raw RSA-2048 sign", signs(p.rsa.key)},
	} {
		if err := b.rate(f.name, p.sign(ctx, all, f.by, f.stamp), f.limit, f.raw); err != nil {
			return err
		}
	}
	for i := range all {
		out, err := p.seal(ctx, pdf.Open(all[i]), 0, p.p256, nil)
		if err != nil {
			return err
		}
		all[i] = out
	}
	if err := b.rate("verify.p256.bb", p.judge(all), "raw P-256 3 checks", checks(p.p256.key.(*ecdsa.PrivateKey), 3)); err != nil {
		return err
	}
	return p.revisions(ctx, b, all)
}

// many is how many seals a document gets that shows whether the cost of one grows with those before it.
const many = 50

// revisions measures sealing one document many times, and verifying it, both by the signature and beside documents with one.
func (p *signers) revisions(ctx context.Context, b *bench, sealed [][]byte) error {
	const signing, verifying = "sign.p256.bb.each_of_50", "verify.p256.bb.each_of_50"
	if !b.wants(signing) && !b.wants(verifying) {
		return nil
	}
	base, err := form(1, many)
	if err != nil {
		return err
	}
	first, err := forms(different)
	if err != nil {
		return err
	}
	document, at, full := pdf.Open(base), 0, []byte(nil)
	next := func() error {
		if at == many {
			full = document.Bytes()
			document, at = pdf.Open(base), 0
		}
		_, err := p.seal(ctx, document, at, p.p256, nil)
		at++
		return err
	}
	for range many + 1 {
		if err := next(); err != nil {
			return err
		}
	}
	b.say("one document with %d seals, of %d KB", many, len(full)>>10)
	if err := b.rate(signing, next, "documents with one seal", p.sign(ctx, first, p.p256, nil)); err != nil {
		return err
	}
	if !b.wants(verifying) {
		return nil
	}
	got, err := rates(p.judge([][]byte{full}), p.judge(sealed))
	if err != nil {
		return fmt.Errorf("%s: %w", verifying, err)
	}
	for i := range got[0] {
		got[0][i] *= many
	}
	b.print(figure{name: verifying, values: got[0], unit: "1/cpu-s", more: true, beside: "documents with one seal", besides: got[1]})
	return nil
}

// signer is a key with its chain.
type signer struct {
	key   crypto.Signer
	chain []*x509.Certificate
	who   *signing.Identity
}

// identified prepares the chain, as the seal service does once for a seal.
func (s *signer) identified() (err error) {
	s.who, err = signing.NewIdentity(s.chain)
	return err
}

// signers are one signer of each kind under one root.
type signers struct {
	now       time.Time
	root      *x509.Certificate
	p256, rsa signer
	tsa       tsa.Authority
	looks     *pdf.Appearance
}

// seal fills one field of a document.
func (p *signers) seal(ctx context.Context, document *pdf.Growing, at int, by signer, stamp tsa.Authority) ([]byte, error) {
	filled, err := by.who.Fill(ctx, document, pdf.Request{Field: field(at), Name: "ĐƠN VỊ THỬ NGHIỆM", Reason: "Xác nhận", At: p.now, Appearance: p.looks}, by.key, stamp)
	return filled.Document, err
}

// sign seals the documents by turns.
func (p *signers) sign(ctx context.Context, documents [][]byte, by signer, stamp tsa.Authority) act {
	i := 0
	return func() error {
		document := documents[i%len(documents)]
		i++
		_, err := p.seal(ctx, pdf.Open(document), 0, by, stamp)
		return err
	}
}

// judge verifies the documents by turns, knowing nothing but the root.
func (p *signers) judge(documents [][]byte) act {
	policy := verify.Policy{Roots: []*x509.Certificate{p.root}, At: p.now.Add(time.Second)}
	i := 0
	return func() error {
		document := documents[i%len(documents)]
		i++
		if r := verify.Verify(document, policy); r.Verdict != verify.Passed {
			return fmt.Errorf("the signed document is %s: %s", r.Verdict, r.Summary.English)
		}
		return nil
	}
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
	if out.tsa, err = tsa.NewLocal(stamper, chain, clock.System{}, rand.Reader); err != nil {
		return out, err
	}
	return out, errors.Join(out.p256.identified(), out.rsa.identified())
}

func p256() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

// signs signs a digest.
func signs(k crypto.Signer) act {
	digest := sha256.Sum256([]byte("document"))
	return func() error {
		_, err := k.Sign(rand.Reader, digest[:], crypto.SHA256)
		return err
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
