package signing_test

import (
	"bytes"
	"strings"
	"testing"

	"countersign/internal/fault"
	"countersign/signing"
	"countersign/signing/ca"
	"countersign/signing/signtest"
	"countersign/signing/verify"
)

func TestATerminalsSignatureIsALowerClassAndSaysSo(t *testing.T) {
	w := signtest.New(t)
	base := signtest.Base(signtest.Content, "one")
	terminal := signing.Witness{Counter: "3", Organisation: "Đơn vị Thử", Key: signing.WitnessKey + "3"}
	r := w.Confirm(t, base)
	s, err := w.Ceremony().Terminal(t.Context(), r, terminal)
	if err != nil {
		t.Fatal(err)
	}
	w.Accepted(t, s.Document, 1)
	digest, err := s.Evidence.Digest()
	if err != nil {
		t.Fatal(err)
	}
	mark, ok := ca.ReadMark(s.Certificate)
	if !ok || mark.Kind != ca.KindTerminal || mark.TransactionID != signtest.Order || !bytes.Equal(mark.EvidenceSHA256, digest[:]) {
		t.Errorf("the certificate says %+v", mark)
	}
	if name := s.Certificate.Subject.String(); strings.Contains(name, r.Person.Name) || !strings.Contains(name, "Terminal") {
		t.Errorf("the certificate names %s", name)
	}
	if s.Evidence.Rank >= signing.OwnKey || s.Evidence.Person.Name != r.Person.Name || s.Evidence.Code.Challenge == "" || !strings.Contains(s.Evidence.Key, "terminal") {
		t.Errorf("the evidence is %+v", s.Evidence)
	}
	report := verify.Verify(s.Document, verify.Policy{Roots: w.Roots(), At: w.Now})
	if report.Verdict != verify.Passed || report.Signatures[0].Kind != "terminal" {
		t.Errorf("%s, %s", report.Verdict, report.Signatures[0].Kind)
	}
	for name, spoil := range map[string]func(*signing.Confirm, *signing.Witness){
		"sign.terminal": func(_ *signing.Confirm, t *signing.Witness) { t.Key = signing.WitnessKey + "4" },
		"sign.unused":   func(c *signing.Confirm, _ *signing.Witness) { c.Challenge.State = "open" },
		"sign.identity": func(c *signing.Confirm, _ *signing.Witness) { c.Person.Assurance = 1 },
	} {
		c, at := w.Confirm(t, base), terminal
		spoil(&c, &at)
		if s, err := w.Ceremony().Terminal(t.Context(), c, at); !fault.Is(err, name) || s.Document != nil {
			t.Errorf("got %v, want %s", err, name)
		}
	}
	seal := terminal
	seal.Key = "seal-dau"
	if _, err := w.Ceremony().Terminal(t.Context(), r, seal); !fault.Is(err, "sign.terminal") {
		t.Errorf("a seal's key signs for a customer: %v", err)
	}
}
