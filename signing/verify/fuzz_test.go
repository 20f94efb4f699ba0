package verify

import (
	"encoding/json"
	"os"
	"testing"
	"time"
	"unicode"

	"countersign/internal/locale"
	"countersign/signing/ca"
)

// kept returns the documents in testdata, which were signed once and for all, and the policy that they pass.
func kept(tb testing.TB) (docs map[string][]byte, p Policy) {
	tb.Helper()
	docs = make(map[string][]byte)
	for _, name := range []string{"one_bb.pdf", "three_bt.pdf"} {
		docs[name] = must[[]byte](tb)(os.ReadFile("testdata/" + name))
	}
	roots, err := ca.Certificates(must[[]byte](tb)(os.ReadFile("testdata/root.pem")))
	if err != nil {
		tb.Fatal(err)
	}
	return docs, Policy{Roots: roots, At: noon.Add(time.Hour)}
}

func TestDocumentsSignedBeforeStillPass(t *testing.T) {
	docs, p := kept(t)
	for name, doc := range docs {
		if r := Verify(doc, p); r.Verdict != Passed {
			t.Errorf("%s: %s", name, Text(r, locale.English))
		}
	}
}

func FuzzVerify(f *testing.F) {
	docs, p := kept(f)
	signed := make(map[string]bool)
	for _, doc := range docs {
		f.Add(doc)
		signed[string(doc)] = true
	}
	f.Add(base())
	f.Fuzz(func(t *testing.T, data []byte) {
		r := Verify(data, p)
		if r.Verdict == Passed && !signed[string(data)] {
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
