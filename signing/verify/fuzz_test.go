package verify

import (
	"encoding/json"
	"testing"
	"unicode"

	"countersign/internal/locale"
)

func FuzzVerify(f *testing.F) {
	w := newWorld(f)
	one := w.sign(f, base(), "customer", w.customer, w.stamp)
	known := map[string]bool{}
	for _, doc := range [][]byte{base(), one, w.sign(f, one, "seal", w.seal, nil)} {
		f.Add(doc)
		known[string(doc)] = true
	}
	policy := w.policy()
	f.Fuzz(func(t *testing.T, data []byte) {
		r := Verify(data, policy)
		if r.Verdict == Passed && !known[string(data)] {
			t.Error("a document that nobody signed passes")
		}
		if r.Summary.Vietnamese == "" || r.Verdict == "" {
			t.Error("the report says nothing")
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
		for _, c := range Text(r, locale.Vietnamese) {
			if c != '\n' && unicode.IsControl(c) {
				t.Errorf("the text holds the control character %U", c)
			}
		}
	})
}
