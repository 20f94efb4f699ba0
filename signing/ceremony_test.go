package signing_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"countersign/internal/fault"
	"countersign/signing"
	"countersign/signing/ca"
	"countersign/signing/otp"
	"countersign/signing/pdf"
	"countersign/signing/signtest"
	"countersign/signing/tsa"
)

func sign(t testing.TB, w *signtest.World, r signing.Confirm) signing.Signature {
	t.Helper()
	s, err := w.Ceremony().Customer(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestACustomersSignatureIsAcceptedByOthersAndNamesItsEvidence(t *testing.T) {
	w := signtest.New(t)
	base := signtest.Base(signtest.Content, "one")
	r := w.Confirm(t, base)
	s := sign(t, w, r)
	if !bytes.HasPrefix(s.Document, base) || s.Level != signing.BT || s.Untimed != nil {
		t.Errorf("level %s, untimed %v", s.Level, s.Untimed)
	}
	w.Accepted(t, s.Document, 1)

	digest, err := s.Evidence.Digest()
	if err != nil {
		t.Fatal(err)
	}
	mark, ok := ca.ReadMark(s.Certificate)
	if !ok || mark.Kind != ca.KindOTP || mark.TransactionID != signtest.Order || !bytes.Equal(mark.EvidenceSHA256, digest[:]) {
		t.Errorf("the certificate says %+v, want evidence %x", mark, digest)
	}
	text, err := s.Evidence.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	documentDigest := sha256.Sum256(base)
	for _, want := range []string{`"rank":2`, `"tries":1`, `"proves":"transaction"`, `"t***@mau.example"`, fmt.Sprintf("%x", documentDigest), "destroyed", `"2026-06"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the evidence lacks %s:\n%s", want, text)
		}
	}
}

func TestTwoSignaturesNeverShareAKey(t *testing.T) {
	w := signtest.New(t)
	r := w.Confirm(t, signtest.Base(signtest.Content, "one"))
	a, b := sign(t, w, r), sign(t, w, r)
	if a.Certificate.Equal(b.Certificate) || bytes.Equal(a.Certificate.RawSubjectPublicKeyInfo, b.Certificate.RawSubjectPublicKeyInfo) {
		t.Error("two signatures share a key or a certificate")
	}
}

// away is a timestamp authority that does not answer.
type away struct{}

func (away) Stamp(context.Context, []byte) ([]byte, error) { return nil, errors.New("no answer") }

func TestATimestampAuthorityThatIsAwayCostsALevelAndSaysSo(t *testing.T) {
	w := signtest.New(t)
	for _, c := range []struct {
		name      string
		authority tsa.Authority
		level     signing.Level
		untimed   bool
	}{{"none is configured", nil, signing.BB, false}, {"it is away", away{}, signing.BB, true}, {"it answers", w.TSA, signing.BT, false}} {
		t.Run(c.name, func(t *testing.T) {
			ceremony := &signing.Ceremony{Issuer: w.Issuing, Authority: c.authority, Clock: w.Clock}
			s, err := ceremony.Customer(context.Background(), w.Confirm(t, signtest.Base(signtest.Content, "one")))
			if err != nil || s.Level != c.level || (s.Untimed != nil) != c.untimed {
				t.Fatalf("level %s, untimed %v, %v", s.Level, s.Untimed, err)
			}
			w.Accepted(t, s.Document, 1)
		})
	}
}

// missing are the ways in which one precondition fails; each must be refused alone and in company.
var missing = []struct {
	name  string
	spoil func(*signing.Confirm)
	code  string
}{
	{"the document is not the displayed one", func(r *signing.Confirm) { r.Displayed[0] ^= 1 }, "sign.document"},
	{"the code was made for another document", func(r *signing.Confirm) { r.Challenge.Document[31] ^= 1 }, "sign.code"},
	{"the code was made for another order", func(r *signing.Confirm) { r.Challenge.Order += "1" }, "sign.code"},
	{"the content is not what the code was made for", func(r *signing.Confirm) { r.Challenge.Content[5] ^= 1 }, "sign.content"},
	{"no right code was entered", func(r *signing.Confirm) { r.Challenge.State = otp.Open }, "sign.unused"},
	{"the right code is six minutes old", func(r *signing.Confirm) { r.Challenge.Ended = r.Challenge.Ended.Add(-6 * time.Minute) }, "sign.stale"},
	{"the text was not read to its end", func(r *signing.Confirm) { r.Reading.Finished = time.Time{} }, "sign.unread"},
	{"the identity is too weak", func(r *signing.Confirm) { r.Person.Assurance = 1 }, "sign.identity"},
}

func TestOfAllPreconditionsOnlyTheFullSetSigns(t *testing.T) {
	w := signtest.New(t)
	good := w.Confirm(t, signtest.Base(signtest.Content, "one"))
	signed := 0
	for set := range 1 << len(missing) {
		r := good
		codes := map[string]bool{}
		for i, m := range missing {
			if set>>i&1 == 1 {
				m.spoil(&r)
				codes[m.code] = true
			}
		}
		s, err := w.Ceremony().Customer(context.Background(), r)
		switch {
		case set == 0 && err != nil:
			t.Fatal(err)
		case set == 0:
			signed++
		case err == nil || s.Document != nil:
			t.Fatalf("signed although %b of the preconditions fail", set)
		case !codes[fault.CodeOf(err)]:
			t.Fatalf("%b: refused for another reason: %v", set, err)
		}
	}
	if signed != 1 {
		t.Errorf("%d of %d sets signed", signed, 1<<len(missing))
	}
}

func TestEachRefusalHasItsReason(t *testing.T) {
	w := signtest.New(t)
	base := signtest.Base(signtest.Content, "one")
	first := sign(t, w, w.Confirm(t, base))
	appended := append(bytes.Clone(base), "\n% more\n"...)
	other := signtest.Base([]byte(`{"order":"another"}`), "one")
	noField := bytes.Replace(base, []byte("(customer)"), []byte("(custumer)"), 1)
	bare := bytes.Replace(base, []byte("/EmbeddedFiles"), []byte("/EmbeddedFilez"), 1)
	for _, c := range []struct {
		name  string
		base  []byte
		spoil func(*signing.Confirm)
		want  string
	}{
		{"all is well", base, nil, ""},
		{"one bit of the document changed after it was displayed", base, func(r *signing.Confirm) {
			r.Document = bytes.Clone(r.Document)
			r.Document[len(r.Document)/2] ^= 1
		}, "sign.document"},
		{"the document grew", base, func(r *signing.Confirm) { r.Document = appended }, "sign.document"},
		{"the attached content is another", other, nil, "sign.content"},
		{"no content is attached", bare, nil, "sign.content"},
		{"other content was read", base, func(r *signing.Confirm) { r.Content[0] ^= 1; r.Challenge.Content[0] ^= 1 }, "sign.content"},
		{"no order is named", base, func(r *signing.Confirm) { r.Order, r.Challenge.Order = "", "" }, "sign.code"},
		{"the challenge is dead", base, func(r *signing.Confirm) { r.Challenge.State = otp.Dead }, "sign.unused"},
		{"the challenge is void", base, func(r *signing.Confirm) { r.Challenge.State = otp.Void }, "sign.unused"},
		{"the right code lies an hour ahead", base, func(r *signing.Confirm) { r.Challenge.Ended = r.Challenge.Ended.Add(time.Hour) }, "sign.stale"},
		{"agreed after the code was sent", base, func(r *signing.Confirm) { r.Reading.Agreed = r.Challenge.Issued.Add(time.Minute) }, "sign.unread"},
		{"finished before it was shown", base, func(r *signing.Confirm) { r.Reading.Shown = r.Reading.Finished.Add(time.Minute) }, "sign.unread"},
		{"no version of the terms", base, func(r *signing.Confirm) { r.Reading.Agreement = "" }, "sign.unread"},
		{"no lines were shown", base, func(r *signing.Confirm) { r.Reading.Lines = 0 }, "sign.unread"},
		{"nobody is named", base, func(r *signing.Confirm) { r.Person.Name = "" }, "sign.identity"},
		{"no assurance at all, none asked", base, func(r *signing.Confirm) { r.Needed, r.Person.Assurance = 0, 0 }, "sign.identity"},
		{"the customer has signed already", first.Document, nil, "sign.signed"},
		{"there is no customer field", noField, nil, "sign.base"},
		{"it is no PDF", []byte("hello"), nil, "sign.base"},
		{"something stands behind its end", appended, nil, "sign.base"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := w.Confirm(t, c.base)
			if c.spoil != nil {
				c.spoil(&r)
			}
			s, err := w.Ceremony().Customer(context.Background(), r)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !fault.Is(err, c.want) || s.Document != nil {
				t.Fatalf("got %v, want %s", err, c.want)
			}
		})
	}
}

// swapper is an issuer that exchanges the caller's bytes after they were checked and before they are signed.
type swapper struct {
	signing.Issuer
	document []byte
}

func (s swapper) IssueOneOff(pub crypto.PublicKey, r ca.OneOff) ([]*x509.Certificate, error) {
	copy(s.document[len(s.document)/3:], "0123456789")
	return s.Issuer.IssueOneOff(pub, r)
}

func TestBytesExchangedAfterTheCheckAreNotSigned(t *testing.T) {
	w := signtest.New(t)
	base := signtest.Base(signtest.Content, "one")
	r := w.Confirm(t, bytes.Clone(base))
	ceremony := &signing.Ceremony{Issuer: swapper{w.Issuing, r.Document}, Clock: w.Clock}
	s, err := ceremony.Customer(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(r.Document, base) {
		t.Fatal("nothing was exchanged")
	}
	if !bytes.HasPrefix(s.Document, base) {
		t.Error("other bytes were signed than those that were checked")
	}
}

func TestAnAppearanceIsFittedIntoItsField(t *testing.T) {
	w := signtest.New(t)
	r := w.Confirm(t, signtest.Base(signtest.Content, "one"))
	r.Appearance = &pdf.Appearance{Width: 400, Height: 100, Stream: []byte("0 0 400 100 re f")}
	s := sign(t, w, r)
	// Readers scale the box into the field, which is square: so is the box, with the appearance in its middle.
	if !bytes.Contains(s.Document, []byte("/BBox[0 -150 400 250]")) {
		t.Error("the appearance does not have its field's shape")
	}
	w.Accepted(t, s.Document, 1)
}

func TestACeremonyThatIsCalledOffReleasesNothing(t *testing.T) {
	w := signtest.New(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s, err := w.Ceremony().Customer(ctx, w.Confirm(t, signtest.Base(signtest.Content, "one")))
	if !errors.Is(err, context.Canceled) || s.Document != nil {
		t.Errorf("%v", err)
	}
}

func TestFillRefusesAKeyThatIsNotTheCertificates(t *testing.T) {
	w := signtest.New(t)
	a := sign(t, w, w.Confirm(t, signtest.Base(signtest.Content, "one")))
	_, err := signing.Fill(context.Background(), signtest.Base(signtest.Content, "two"),
		pdf.Request{Field: "clerk", At: w.Now}, w.Issuing.Key(), append([]*x509.Certificate{a.Certificate}, w.Issuing.Chain()...), nil)
	if err == nil {
		t.Error("signed with a foreign key")
	}
}

func BenchmarkCustomer(b *testing.B) {
	w := signtest.New(b)
	w.TSA = nil
	r := w.Confirm(b, signtest.Base(signtest.Content, "one"))
	c := &signing.Ceremony{Issuer: w.Issuing, Clock: w.Clock}
	for b.Loop() {
		if _, err := c.Customer(context.Background(), r); err != nil {
			b.Fatal(err)
		}
	}
}
