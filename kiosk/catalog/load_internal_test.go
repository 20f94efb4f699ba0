package catalog

import (
	"strings"
	"testing"
	"testing/fstest"

	"countersign/internal/locale"
	"countersign/services"
)

// FuzzLoad reads one hostile service file with the tables already loaded, so that a round takes no longer than the
// file itself.
func FuzzLoad(f *testing.F) {
	c, err := Load(services.Files, nil)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range c.Services() {
		text, err := services.Files.ReadFile(s.File)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("number: \"61\"\nsections:\n  - fields:\n      - {number: 1, use: capacity}\n")
	f.Add("a: &a [*a]")
	f.Add("? [a]: b")
	f.Fuzz(func(t *testing.T, text string) {
		r := &reader{}
		out := r.services(fstest.MapFS{"x.yaml": {Data: []byte(text)}}, "", c.tables)
		r.references(out)
		if len(out) == 0 && len(r.refusals) == 0 {
			t.Fatal("neither a service nor a refusal")
		}
		for _, e := range r.refusals {
			if text := locale.Fault(locale.Vietnamese, e); strings.ContainsAny(text, "\x1b‹") {
				t.Fatalf("not a sentence: %q", text)
			}
		}
	})
}
