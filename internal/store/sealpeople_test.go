package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"testing"

	"countersign/signing/seal"
)

func TestWhatTheSealServiceHoldsSurvivesAndIsForgottenWhenDropped(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ctx := context.Background()
	r := seal.Result{Document: []byte("a sealed document"), Level: "B-T", Uses: []seal.Use{{Number: 3, Seal: "unit", Order: "a", At: morning, State: seal.Intended, Document: [32]byte{1}}}}
	before := [32]byte{7}
	for range 2 {
		if err := s.Holder().Hold(ctx, "a", before, r); err != nil {
			t.Fatal(err)
		}
	}
	got, document, ok, err := s.Holder().Held(ctx, "a")
	if err != nil || !ok || document != before || !bytes.Equal(got.Document, r.Document) || got.SHA256 != sha256.Sum256(r.Document) ||
		len(got.Uses) != 1 || got.Uses[0].Number != 3 || got.Uses[0].Document != r.Uses[0].Document {
		t.Fatalf("%+v, %v, %v", got, ok, err)
	}
	if err := s.Holder().Drop(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	if _, _, ok, err := s.Holder().Held(ctx, "a"); ok || err != nil {
		t.Errorf("still held: %v", err)
	}
}

func TestPeopleAndRulesOfTheSealsAreReplacedByTheirNames(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := context.Background()
	r := s.Register()
	for _, p := range []seal.Signatory{
		{Staff: "3017", Public: []byte("one"), From: morning}, {Staff: "3017", Public: []byte("two"), From: morning},
		{Staff: "3017", Public: []byte("one"), From: morning, Until: morning},
	} {
		if err := r.PutSignatory(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	people, err := r.Signatories(ctx)
	if err != nil || len(people) != 2 || people[0].Until.IsZero() == people[1].Until.IsZero() {
		t.Errorf("%+v, %v", people, err)
	}
	for _, rule := range []seal.Rule{{Seal: "*", Service: "11", From: 5}, {Seal: "*", Service: "11", From: 9}, {Seal: "unit", Service: "*"}} {
		if err := r.PutRule(ctx, rule); err != nil {
			t.Fatal(err)
		}
	}
	rules, err := r.Rules(ctx)
	if err != nil || len(rules) != 2 || rules[0].From != 9 {
		t.Errorf("%+v, %v", rules, err)
	}
}
