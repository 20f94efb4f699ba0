package main

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"path/filepath"

	"countersign/internal/demo"
	"countersign/kiosk"
	"countersign/kiosk/workorder"
	"countersign/signing"
	"countersign/signing/pdf"
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
	sign := func() error {
		_, err := signing.Fill(ctx, s.base, pdf.Request{Field: signing.CustomerField, Name: "NGUYỄN VĂN THỬ", Reason: "Xác nhận", At: p.now}, p.p256.key, p.p256.chain, nil)
		return err
	}
	limit := func() error {
		sha256.Sum256(s.base)
		return raw(p.p256.key, 1)()
	}
	if err := b.rate("sign.p256.bb.order", sign, "sha256 of the same bytes, raw P-256 sign+check", limit); err != nil {
		return err
	}
	signed, err := signing.Fill(ctx, s.base, pdf.Request{Field: signing.CustomerField, Name: "NGUYỄN VĂN THỬ", At: p.now}, p.p256.key, p.p256.chain, nil)
	if err != nil {
		return err
	}
	three := checks(p.p256.key.(*ecdsa.PrivateKey), 3)
	limit = func() error {
		sha256.Sum256(s.base)
		return three()
	}
	return b.rate("verify.p256.bb.order", p.judge([][]byte{signed.Document}), "sha256 of the same bytes, raw P-256 3 checks", limit)
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
