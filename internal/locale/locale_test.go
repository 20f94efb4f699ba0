package locale

import (
	"io/fs"
	"path"
	"regexp"
	"sort"
	"testing"

	"github.com/BurntSushi/toml"
)

var placeholder = regexp.MustCompile(`\{\{\s*\.(\w+)\s*\}\}`)

// keys returns the placeholders of each text of one language, by id.
func keys(t *testing.T, l Lang) map[string][]string {
	t.Helper()
	out := make(map[string][]string)
	err := fs.WalkDir(texts, path.Join("text", string(l)), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		var m map[string]string
		if _, err := toml.DecodeFS(texts, name, &m); err != nil {
			t.Errorf("%s: %v", name, err)
			return nil
		}
		for id, text := range m {
			if _, dup := out[id]; dup {
				t.Errorf("%s: %q is defined twice in %s", name, id, l)
			}
			if text == "" {
				t.Errorf("%s: %q is empty", name, id)
			}
			args := []string{}
			for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
				args = append(args, m[1])
			}
			sort.Strings(args)
			out[id] = args
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryTextExistsInEveryLanguageWithTheSamePlaceholders(t *testing.T) {
	want := keys(t, Vietnamese)
	if len(want) == 0 {
		t.Fatal("no texts")
	}
	for _, l := range Langs[1:] {
		got := keys(t, l)
		for id, args := range want {
			other, ok := got[id]
			if !ok {
				t.Errorf("%s lacks %q", l, id)
				continue
			}
			if !equal(args, other) {
				t.Errorf("%q: placeholders %v in vi, %v in %s", id, args, other, l)
			}
		}
		for id := range got {
			if _, ok := want[id]; !ok {
				t.Errorf("%s has %q, vi has not", l, id)
			}
		}
	}
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
