package signing_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"countersign/internal/fault"
	"countersign/signing"
	"countersign/signing/signtest"
	"countersign/signing/verify"
)

// owned is a customer with a key of their own before a document in which all is as it must be.
func owned(t *testing.T, w *signtest.World) (signing.Owned, crypto.Signer) {
	t.Helper()
	c := w.Confirm(t, signtest.Base(signtest.Content, "one"))
	private, chain := holder(t, w, c.Person.Name)
	return signing.Owned{Order: c.Order, Document: c.Document, Displayed: c.Displayed, Content: c.Content, Person: c.Person, Needed: c.Needed, Reading: c.Reading,
		Asked: c.Challenge.Issued, By: "token", Chain: chain, Reason: "ký phiếu"}, private
}

func TestAnOwnKeySignsInTwoHalvesAndTheEvidenceIsUnderTheSignature(t *testing.T) {
	w := signtest.New(t)
	ask, private := owned(t, w)
	asked, err := w.Ceremony().Ask(ask)
	if err != nil {
		t.Fatal(err)
	}
	// What waits for the customer is kept as text meanwhile.
	text, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	var kept signing.Asked
	if err := json.Unmarshal(text, &kept); err != nil {
		t.Fatal(err)
	}
	value, err := private.Sign(rand.Reader, kept.ToBeSigned.Digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.Ceremony().Answer(context.Background(), ask.Document, kept, value)
	if err != nil {
		t.Fatal(err)
	}
	record, err := s.Evidence.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(record)
	r := verify.Verify(s.Document, verify.Policy{Roots: w.Roots(), At: w.Now})
	if len(r.Signatures) != 1 || !strings.Contains(r.Signatures[0].Reason, hex.EncodeToString(sum[:])) {
		t.Errorf("the signature's reason does not name the evidence: %+v", r.Signatures)
	}
	if e := s.Evidence; e.Rank != signing.OwnKey || e.Own.By != "token" || e.Own.Serial == "" || e.Code.Challenge != "" {
		t.Errorf("the evidence is %+v", e)
	}
	if !strings.Contains(string(record), `"rank":4`) || !strings.Contains(string(record), "never was here") {
		t.Errorf("the record is %s", record)
	}
}

func TestWhatMustBeTrueBeforeAnOwnKeyIsAsked(t *testing.T) {
	w := signtest.New(t)
	for want, spoil := range map[string]func(*signing.Owned){
		"sign.document":   func(r *signing.Owned) { r.Displayed[0] ^= 1 },
		"sign.content":    func(r *signing.Owned) { r.Content[0] ^= 1 },
		"sign.own_unread": func(r *signing.Owned) { r.Reading.Finished = time.Time{} },
		"sign.own_other":  func(r *signing.Owned) { r.Chain = nil },
		"sign.identity":   func(r *signing.Owned) { r.Person.Assurance = 1 },
	} {
		ask, _ := owned(t, w)
		spoil(&ask)
		if _, err := w.Ceremony().Ask(ask); !fault.Is(err, want) {
			t.Errorf("want %s, got %v", want, err)
		}
	}
	ask, private := owned(t, w)
	asked, err := w.Ceremony().Ask(ask)
	if err != nil {
		t.Fatal(err)
	}
	value, err := private.Sign(rand.Reader, asked.ToBeSigned.Digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]func() (signing.Asked, []byte, []byte){
		"sign.own_stale": func() (signing.Asked, []byte, []byte) {
			old := asked
			old.At = old.At.Add(-6 * time.Minute)
			return old, ask.Document, value
		},
		"sign.rebase":   func() (signing.Asked, []byte, []byte) { return asked, append([]byte{}, ask.Document[1:]...), value },
		"sign.mismatch": func() (signing.Asked, []byte, []byte) { return asked, ask.Document, value[1:] },
	} {
		what, document, signature := c()
		if s, err := w.Ceremony().Answer(context.Background(), document, what, signature); !fault.Is(err, want) || s.Document != nil {
			t.Errorf("want %s, got %v", want, err)
		}
	}
}
