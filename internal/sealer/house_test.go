package sealer_test

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/internal/sealer"
	"countersign/signing/ca"
	"countersign/signing/seal"
	"countersign/signing/signtest"
)

var (
	clerk  = seal.Clerk{StaffID: "gdv.lananh", Name: "Ngô Lan Anh", Counter: "Q3"}
	seals  = []string{"counter-3", "business-2", "unit"}
	phrase = []byte("một câu mật khẩu cho con dấu")
)

const manager = "truong.don.vi"

// house is a founded sealer with three seals and two people, and an order that both have signed for.
type house struct {
	world         *signtest.World
	dir           string
	options       sealer.Options
	order         seal.Order
	clerk, second seal.Hand
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func optionsIn(dir string, roots []*x509.Certificate) sealer.Options {
	return sealer.Options{Dir: filepath.Join(dir, "sealer"), KeyFile: filepath.Join(dir, "sealer.key"), Passphrase: phrase, Roots: roots, Clock: clock.System{}}
}

func found(t testing.TB) *house {
	t.Helper()
	w := signtest.New(t)
	h := &house{world: w, dir: t.TempDir()}
	h.options = optionsIn(h.dir, w.Roots())
	ctx := context.Background()
	must(t, os.WriteFile(filepath.Join(h.dir, "root.pem"), ca.PEM(w.Roots()...), 0o600))
	must(t, sealer.Found(ctx, h.options))
	f, err := sealer.Start(ctx, h.options)
	must(t, err)
	from := w.Now.Add(-time.Hour)
	for i, kind := range []seal.Kind{seal.Counter, seal.Business, seal.Unit} {
		s := seal.Seal{ID: seals[i], Name: "ĐIỆN LỰC MẪU", Geometry: "vn-company", Kind: kind, Organisation: "Điện lực Mẫu"}
		request, err := f.Request(ctx, s.ID, false)
		must(t, err)
		s.Chain = certify(t, w, s, request)
		must(t, f.Add(ctx, s, false))
		must(t, f.Grant(ctx, seal.Grant{Seal: s.ID, Clerk: clerk.StaffID, Service: "11", Paper: "118/QĐ", From: from}))
		if kind != seal.Counter {
			must(t, f.Grant(ctx, seal.Grant{Seal: s.ID, Clerk: manager, Service: "*", Paper: "1/QĐ", From: from}))
		}
	}
	for who, hand := range map[string]*seal.Hand{clerk.StaffID: &h.clerk, manager: &h.second} {
		*hand, err = seal.NewHand(who)
		must(t, err)
		must(t, f.Enroll(ctx, seal.Signatory{Staff: who, Public: hand.Public(), Paper: "12/QĐ", From: from}))
	}
	must(t, f.Rule(ctx, seal.Rule{Seal: "unit", Service: "*", From: 1_000_000, Paper: "3/QĐ"}))
	must(t, f.Close())
	h.order = h.signed(t)
	return h
}

// certify issues a seal's certificate for a request.
func certify(t testing.TB, w *signtest.World, s seal.Seal, request []byte) []*x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(request)
	r, err := x509.ParseCertificateRequest(block.Bytes)
	must(t, err)
	must(t, r.CheckSignature())
	var chain []*x509.Certificate
	if s.Kind == seal.Counter {
		chain, err = w.Issuing.IssueClerk(r.PublicKey, ca.Clerk{Name: clerk.Name, StaffID: clerk.StaffID, Organisation: s.Organisation, Counter: "3", Life: 24 * time.Hour})
	} else {
		chain, err = w.Issuing.IssueSeal(r.PublicKey, ca.Seal{Name: s.Name, Organisation: s.Organisation, OrganisationID: "0100100417", Life: 24 * time.Hour})
	}
	must(t, err)
	return chain
}

// signed is what the customer signed, with both people's signatures for the seals.
func (h *house) signed(t testing.TB) seal.Order {
	t.Helper()
	base := signtest.Base(signtest.Content, "one")
	c, err := h.world.Ceremony().Customer(context.Background(), h.world.Confirm(t, base))
	must(t, err)
	evidence, err := c.Evidence.Digest()
	must(t, err)
	o := seal.Order{ID: signtest.Order, Service: "11", Clerk: clerk, Document: c.Document, Seals: seals, Reason: "Xác nhận phiếu", Location: "Bắc Giang",
		Consent: seal.Consent{Base: sha256.Sum256(base), Signed: sha256.Sum256(c.Document), Evidence: evidence}}
	s := seal.Statement{Act: seal.Ask, Order: o.ID, Service: o.Service, Document: o.Consent.Signed, Amount: 1_250_000, Seals: o.Seals, At: clock.System{}.Now().Truncate(time.Second)}
	o.Asked, err = h.clerk.Approve(s)
	must(t, err)
	s.Act, s.Seals = seal.Second, seals[1:]
	o.Second, err = h.second.Approve(s)
	must(t, err)
	return o
}
