package signing_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"countersign/internal/fault"
	"countersign/signing"
	"countersign/signing/ca"
	"countersign/signing/key"
	"countersign/signing/pdf"
	"countersign/signing/signtest"
	"countersign/signing/verify"
)

// holder is somebody with a key and a certificate of their own.
func holder(t *testing.T, w *signtest.World, name string) (crypto.Signer, []*x509.Certificate) {
	t.Helper()
	private, _, err := key.OneOff()
	if err != nil {
		t.Fatal(err)
	}
	chain, err := w.Issuing.IssueSeal(private.Public(), ca.Seal{Name: name, Life: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return private, chain
}

func prepared(t *testing.T, w *signtest.World, document []byte, field string, chain []*x509.Certificate) signing.ToBeSigned {
	t.Helper()
	made, err := signing.Prepare(document, pdf.Request{Field: field, Name: "LÊ LAN", At: w.Now}, chain)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// kept is what comes back after it lay in a database.
func kept(t *testing.T, made signing.ToBeSigned) signing.ToBeSigned {
	t.Helper()
	data, err := json.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	var out signing.ToBeSigned
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return out
}

func signed(t *testing.T, private crypto.Signer, made signing.ToBeSigned) []byte {
	t.Helper()
	sig, err := private.Sign(rand.Reader, made.Digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func TestWhatWasPreparedIsFinishedAfterItLayInADatabase(t *testing.T) {
	w := signtest.New(t)
	document := signtest.Base(signtest.Content, "two")
	private, chain := holder(t, w, "LÊ LAN")
	made := kept(t, prepared(t, w, document, "customer", chain))
	filled, err := signing.Finish(t.Context(), document, made, signed(t, private, made), w.TSA)
	if err != nil || filled.Level != signing.BT {
		t.Fatalf("level %s, %v", filled.Level, err)
	}
	w.Accepted(t, filled.Document, 1)
	if r := verify.Verify(filled.Document, verify.Policy{Roots: w.Roots(), At: w.Now}); r.Verdict != verify.Passed {
		t.Errorf("verdict %s: %+v", r.Verdict, r)
	}
}

func TestTheSecondOfTwoSignersIsToldToPrepareAnew(t *testing.T) {
	w := signtest.New(t)
	document := signtest.Base(signtest.Content, "two")
	lan, lans := holder(t, w, "LÊ LAN")
	minh, minhs := holder(t, w, "TRẦN MINH")
	first, second := prepared(t, w, document, "customer", lans), prepared(t, w, document, "clerk", minhs)
	filled, err := signing.Finish(t.Context(), document, first, signed(t, lan, first), w.TSA)
	if err != nil {
		t.Fatal(err)
	}
	late := signed(t, minh, second)
	if out, err := signing.Finish(t.Context(), filled.Document, second, late, w.TSA); !fault.Is(err, "sign.rebase") || out.Document != nil {
		t.Fatalf("the second signer: %v", err)
	}
	second = prepared(t, w, filled.Document, "clerk", minhs)
	if _, err := signing.Finish(t.Context(), filled.Document, second, late, w.TSA); !fault.Is(err, "sign.mismatch") {
		t.Errorf("with the signature over the old version: %v", err)
	}
	both, err := signing.Finish(t.Context(), filled.Document, second, signed(t, minh, second), w.TSA)
	if err != nil {
		t.Fatal(err)
	}
	w.Accepted(t, both.Document, 2)
}

type stamper func(context.Context, []byte) ([]byte, error)

func (s stamper) Stamp(ctx context.Context, sig []byte) ([]byte, error) { return s(ctx, sig) }

func TestNothingIsFinishedThatIsNotWhatWasPrepared(t *testing.T) {
	w := signtest.New(t)
	document := signtest.Base(signtest.Content, "two")
	private, chain := holder(t, w, "LÊ LAN")
	other, others := holder(t, w, "LÊ LAN")
	asked := 0
	stamps := stamper(func(ctx context.Context, sig []byte) ([]byte, error) { asked++; return w.TSA.Stamp(ctx, sig) })
	for name, c := range map[string]struct {
		want string
		harm func(document []byte, made *signing.ToBeSigned, sig []byte) ([]byte, []byte)
	}{
		"a byte of the document": {"sign.rebase", func(d []byte, _ *signing.ToBeSigned, s []byte) ([]byte, []byte) { d[len(d)/2] ^= 1; return d, s }},
		"what is signed for": {"sign.prepared", func(d []byte, m *signing.ToBeSigned, s []byte) ([]byte, []byte) {
			m.Request.Reason = "Đã nhận đủ tiền"
			return d, s
		}},
		"which field": {"sign.prepared", func(d []byte, m *signing.ToBeSigned, s []byte) ([]byte, []byte) {
			m.Request.Field = "clerk"
			return d, s
		}},
		"when": {"sign.prepared", func(d []byte, m *signing.ToBeSigned, s []byte) ([]byte, []byte) {
			m.Request.At = m.Request.At.Add(time.Second)
			return d, s
		}},
		"how it looks": {"sign.prepared", func(d []byte, m *signing.ToBeSigned, s []byte) ([]byte, []byte) {
			m.Request.Appearance = &pdf.Appearance{Width: 102, Height: 102, Stream: []byte("0 0 102 102 re f")}
			return d, s
		}},
		"how much room": {"sign.prepared", func(d []byte, m *signing.ToBeSigned, s []byte) ([]byte, []byte) { m.Request.Room = 0; return d, s }},
		"all of it": {"sign.mismatch", func(d []byte, m *signing.ToBeSigned, s []byte) ([]byte, []byte) {
			*m = prepared(t, w, d, "clerk", chain)
			return d, s
		}},
		"the certificate": {"sign.mismatch", func(d []byte, m *signing.ToBeSigned, s []byte) ([]byte, []byte) {
			m.Chain[0] = others[0].Raw
			return d, s
		}},
		"an issuer's certificate": {"sign.prepared", func(d []byte, m *signing.ToBeSigned, s []byte) ([]byte, []byte) {
			m.Chain = append(m.Chain, others[0].Raw)
			return d, s
		}},
		"all certificates": {"sign.prepared", func(d []byte, m *signing.ToBeSigned, s []byte) ([]byte, []byte) { m.Chain = nil; return d, s }},
		"a certificate that is none": {"sign.prepared", func(d []byte, m *signing.ToBeSigned, s []byte) ([]byte, []byte) {
			m.Chain[0] = []byte("x")
			return d, s
		}},
		"another's signature": {"sign.mismatch", func(d []byte, m *signing.ToBeSigned, _ []byte) ([]byte, []byte) { return d, signed(t, other, *m) }},
		"a bit of the signature": {"sign.mismatch", func(d []byte, _ *signing.ToBeSigned, s []byte) ([]byte, []byte) {
			s[len(s)-1] ^= 1
			return d, s
		}},
		"no signature": {"sign.mismatch", func(d []byte, _ *signing.ToBeSigned, _ []byte) ([]byte, []byte) { return d, nil }},
	} {
		made := kept(t, prepared(t, w, document, "customer", chain))
		d, sig := c.harm(slices.Clone(document), &made, signed(t, private, made))
		if out, err := signing.Finish(t.Context(), d, made, sig, stamps); !fault.Is(err, c.want) || out.Document != nil {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if asked != 0 {
		t.Errorf("the timestamp authority was asked %d times for what is no signature", asked)
	}
}
