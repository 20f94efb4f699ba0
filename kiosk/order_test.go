package kiosk

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"countersign/internal/fault"
	"countersign/kiosk/catalog"
	"countersign/kiosk/idcard"
	"countersign/kiosk/portrait"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func goodCard() CardFacts { return CardFacts{Card: idcard.Card{Valid: true}, At: noon} }

func goodPortrait() PortraitFacts {
	return PortraitFacts{DocumentID: "p", Facts: portrait.Facts{Facts: []portrait.Fact{{OK: true}}}, At: noon}
}

func twoPages() DocumentFacts {
	return DocumentFacts{ContentSHA256: "c1", Pages: []PageRead{{LastLine: 15}, {LastLine: 20}}, Lines: 20}
}

func TestValuesCanBeUndoneAndRedoneWholeWithTheirSource(t *testing.T) {
	o := &Order{State: Draft}
	o.Prefill("an", []catalog.Fill{{Field: "phone", Value: "0900000017", Source: "customer.phone", At: noon}}, noon)
	if err := o.SetField("an", "phone", "0900000017", catalog.Value{Text: "0900000018"}, noon); err != nil {
		t.Fatal(err)
	}
	if v := o.Values["phone"]; !v.Edited || v.Old != "0900000017" {
		t.Errorf("an edited value forgets what it was: %+v", v)
	}
	if field, err := o.Undo("an", noon); err != nil || field != "phone" {
		t.Fatalf("undo: %s, %v", field, err)
	}
	if v := o.Values["phone"]; v.Text != "0900000017" || v.Source != "customer.phone" || v.Edited {
		t.Errorf("undo did not bring the sourced value back: %+v", v)
	}
	if _, err := o.Undo("an", noon); !fault.Is(err, "order.nothing_to_undo") {
		t.Errorf("undo took a source away: %v", err)
	}
	if _, err := o.Redo("an", noon); err != nil || o.Values["phone"].Text != "0900000018" {
		t.Errorf("redo: %v, %+v", err, o.Values["phone"])
	}
}

func TestASecondClerkMeetsAConflictAndNeverOverwrites(t *testing.T) {
	o := &Order{State: Draft}
	if err := o.SetField("an", "phone", "", catalog.Value{Text: "1"}, noon); err != nil {
		t.Fatal(err)
	}
	err := o.SetField("tu", "phone", "", catalog.Value{Text: "2"}, noon)
	if !fault.Is(err, "order.field_taken") || o.Values["phone"].Text != "1" {
		t.Errorf("a stale exit was taken: %v, %+v", err, o.Values["phone"])
	}
	if err := o.SetField("tu", "phone", "1", catalog.Value{Text: "2"}, noon); err != nil {
		t.Errorf("an exit that saw the newest value was refused: %v", err)
	}
}

func TestAnObjectionHoldsTheSubmissionUntilTheCustomerClosesIt(t *testing.T) {
	o := &Order{State: Draft}
	if err := o.Object("email", 1, noon); err != nil {
		t.Fatal(err)
	}
	if err := o.Invite("WO-1", noon); !fault.Is(err, "order.objection_open") {
		t.Fatalf("invited over an objection: %v", err)
	}
	if err := o.Accept("email", noon); !fault.Is(err, "order.no_objection") {
		t.Errorf("closed before the clerk answered: %v", err)
	}
	if err := o.SetField("an", "email", "", catalog.Value{Text: "thu@mau.example"}, noon); err != nil {
		t.Fatal(err)
	}
	if err := o.Invite("WO-1", noon); !fault.Is(err, "order.objection_open") {
		t.Errorf("the clerk's change closed the customer's objection: %v", err)
	}
	if err := o.Accept("email", noon); err != nil {
		t.Fatal(err)
	}
	if err := o.Invite("WO-1", noon); err != nil {
		t.Errorf("a closed objection still holds: %v", err)
	}
}

func TestEveryChangeOfTheFormVoidsWhatWasAgreed(t *testing.T) {
	o := &Order{State: Invited, Number: "WO-1"}
	if err := o.SetField("an", "phone", "", catalog.Value{Text: "1"}, noon); err != nil {
		t.Fatal(err)
	}
	if err := o.Generated(twoPages(), noon); !fault.Is(err, "order.step") {
		t.Fatalf("an edit did not disarm the submission: %v", err)
	}
	o.State = Invited
	if err := o.Generated(twoPages(), noon); err != nil {
		t.Fatal(err)
	}
	if err := o.Object("phone", 2, noon); err != nil {
		t.Fatal(err)
	}
	if o.State != Draft || o.Document.ContentSHA256 != "" || o.ReadToEnd() {
		t.Errorf("an objection left a work order standing: %s %+v", o.State, o.Document)
	}
}

// TestNoOrderOfActsSealsWithoutEveryPrecondition tries acts in every order; whatever sequence leads to a sealed order,
// each thing that a seal stands on has happened to this very text.
func TestNoOrderOfActsSealsWithoutEveryPrecondition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := &Order{State: Draft, Number: "WO-000042"}
		agreedDigest := ""
		acts := map[string]func() error{
			"field":    func() error { return o.SetField("an", "f", o.Values["f"].Text, catalog.Value{Text: "x"}, noon) },
			"object":   func() error { return o.Object("f", 1, noon) },
			"answer":   func() error { return o.Answer("f", noon) },
			"accept":   func() error { return o.Accept("f", noon) },
			"invite":   func() error { return o.Invite("WO-000042", noon) },
			"generate": func() error { return o.Generated(twoPages(), noon) },
			"page1":    func() error { return o.ShowPage(1, noon) },
			"page2":    func() error { return o.ShowPage(2, noon) },
			"agree": func() error {
				err := o.Agree(o.Document.ContentSHA256, noon)
				if err == nil {
					agreedDigest = o.Document.ContentSHA256
				}
				return err
			},
			"card":     func() error { return o.TakeCard(goodCard(), noon) },
			"badcard":  func() error { return o.TakeCard(CardFacts{Card: idcard.Card{Valid: false}}, noon) },
			"portrait": func() error { return o.TakePortrait(goodPortrait(), noon) },
			"retake":   func() error { return o.Retake(true, noon) },
			"judge":    func() error { return o.Judge(noon) },
			"base":     func() error { return o.Based("b", "b1", noon) },
			"ask":      func() error { return o.Challenged("ch", ByMail, noon) },
			"confirm":  func() error { return o.ConfirmedBy(Confirmation{Challenge: "ch", SignedID: "s"}, noon) },
			"seal": func() error {
				if err := o.MaySeal("0042"); err != nil {
					return err
				}
				return o.SealedWith(nil, "f", "f1", nil, noon)
			},
			"reopen": func() error { o.Reopen(noon); return nil },
		}
		names := []string{"field", "object", "answer", "accept", "invite", "generate", "page1", "page2", "agree", "card", "badcard",
			"portrait", "retake", "judge", "base", "ask", "confirm", "seal", "reopen", "invite", "generate", "page2", "agree", "card", "portrait", "judge", "base", "ask", "confirm"}
		for range rapid.IntRange(20, 120).Draw(t, "acts") {
			name := rapid.SampledFrom(names).Draw(t, "act")
			err := acts[name]()
			if o.State != Sealed {
				continue
			}
			if name != "seal" && err == nil {
				t.Fatalf("%s changed a sealed order", name)
			}
			if o.OpenObjection("") != nil || !o.ReadToEnd() || agreedDigest != o.Document.ContentSHA256 || !o.Card.OK() ||
				o.Portrait == nil || o.Portrait.Judged.IsZero() || o.Confirm == nil || o.Confirm.Challenge != o.Challenge {
				t.Fatalf("sealed without a precondition: %+v", o)
			}
		}
	})
}

func TestAPasswordThatLacksAClassIsRefusedWithItsName(t *testing.T) {
	for password, missing := range map[string]string{"Abc@1234": "", "abc@1234": "@password.upper", "ABC@1234": "@password.lower",
		"Abcd1234": "@password.special", "Abc@123": "@password.length", "Abcd@efg": "@password.digit", "": "@password.upper,password.lower,password.digit,password.special,password.length"} {
		err := CheckPassword(password)
		if missing == "" {
			if err != nil {
				t.Errorf("%q: %v", password, err)
			}
			continue
		}
		f, ok := err.(*fault.Error)
		if !ok || f.Code != "password.lacks" || f.Args["missing"] != missing {
			t.Errorf("%q: %v, want %s", password, err, missing)
		}
	}
}

func TestAnUnlockCodeThatIsEasyToGuessIsRefused(t *testing.T) {
	for code, want := range map[string]string{"271828": "", "111111": "unlock.weak", "123456": "unlock.weak", "987654": "unlock.weak", "12345": "unlock.form", "12345a": "unlock.form"} {
		if err := CheckUnlockCode(code); (err == nil) != (want == "") || err != nil && !fault.Is(err, want) {
			t.Errorf("%s: %v, want %q", code, err, want)
		}
	}
}

func TestAHashMatchesItsSecretOnly(t *testing.T) {
	cost := PasswordCost{MemoryKiB: 64, Passes: 1, Threads: 1}
	hash, err := cost.Hash("Abc@1234", zeroes{})
	if err != nil {
		t.Fatal(err)
	}
	if !cost.Matches(hash, "Abc@1234") || cost.Matches(hash, "Abc@1235") || cost.Matches("", "") || cost.Matches("$argon2id$v=19$m=64,t=1,p=1$x$y", "y") {
		t.Error("a hash matches what it must not, or not what it must")
	}
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestMaskedNumbersShowNoMoreThanTheirEnds(t *testing.T) {
	for have, want := range map[string]string{"001090000017": "001*****0017", "1234567": "*******", "": ""} {
		if got := MaskNumber(have); got != want {
			t.Errorf("%q: %q, want %q", have, got, want)
		}
	}
	if got := MaskPhone("0900000017"); got != "******0017" {
		t.Errorf("phone: %q", got)
	}
}
