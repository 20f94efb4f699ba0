package arch

import (
	"bytes"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"countersign/internal/api"
	"countersign/kiosk"
)

// documents returns the text of every Markdown file that people read, by its path from the repository's root.
func documents(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		names, err := filepath.Glob(root + "/" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			rel, err := filepath.Rel(root, name)
			if err != nil {
				t.Fatal(err)
			}
			out[filepath.ToSlash(rel)] = string(data)
		}
	}
	if len(out) < 5 {
		t.Fatalf("only %d documents were found", len(out))
	}
	return out
}

// place matches a path of this repository in backquotes, with the test that is meant there, if one is.
var place = regexp.MustCompile("`((?:cmd|docs|internal|kiosk|mail|migrations|scripts|services|signing|test)/[A-Za-z0-9_./*-]*)`(?:[ ,:]+`((?:Test|Fuzz)[A-Za-z0-9_]+)`)?")

// TestDocumentsNameWhatIsThere keeps documents from telling of files and tests that are gone.
func TestDocumentsNameWhatIsThere(t *testing.T) {
	found := 0
	for doc, text := range documents(t) {
		for _, m := range place.FindAllStringSubmatch(text, -1) {
			found++
			names, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(m[1])))
			if err != nil || len(names) == 0 {
				t.Errorf("%s names %s, which is not there", doc, m[1])
				continue
			}
			if m[2] == "" {
				continue
			}
			if !declares(t, names, m[2]) {
				t.Errorf("%s says that %s has %s, which it has not", doc, m[1], m[2])
			}
		}
	}
	if found < 50 {
		t.Errorf("the documents name only %d places of the repository", found)
	}
}

// declares reports whether one of the files, or a test file of one of the folders, has the test.
func declares(t *testing.T, names []string, test string) bool {
	t.Helper()
	for _, name := range names {
		files := []string{name}
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			files, err = filepath.Glob(filepath.Join(name, "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(data, []byte("func "+test+"(")) {
				return true
			}
		}
	}
	return false
}

var link = regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)

func TestLinksInDocumentsLeadSomewhere(t *testing.T) {
	for doc, text := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, path.Dir(doc), filepath.FromSlash(m[1]))); err != nil {
				t.Errorf("%s links to %s: %v", doc, m[1], err)
			}
		}
	}
}

func TestTheIndexListsEveryDocument(t *testing.T) {
	all := documents(t)
	for doc := range all {
		name, in := strings.CutPrefix(doc, "docs/")
		if in && name != "README.md" && !strings.Contains(all["docs/README.md"], "]("+name+")") {
			t.Errorf("docs/README.md does not list %s", name)
		}
	}
}

// TestEveryPackageIsOnTheMap keeps the map of packages whole.
func TestEveryPackageIsOnTheMap(t *testing.T) {
	text := documents(t)["docs/architecture.md"]
	seen := map[string]bool{}
	for _, s := range sources(t).all {
		if !s.test && !seen[s.dir] && !strings.Contains(text, "`"+s.dir+"`") && !strings.Contains(text, "`"+s.dir+"/`") {
			t.Errorf("docs/architecture.md does not name %s", s.dir)
		}
		seen[s.dir] = true
	}
}

// TestTheDescriptionOfTheAPIIsTheOneCheckedIn compares docs/openapi.json with what the server says of itself. With
// TEST_UPDATE=1 it is written anew; look at the difference, somebody's script may depend on it.
func TestTheDescriptionOfTheAPIIsTheOneCheckedIn(t *testing.T) {
	_, described := api.New(&api.Server{Hall: &kiosk.Hall{}})
	raw, err := described.OpenAPI().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var now bytes.Buffer
	if err := json.Indent(&now, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	now.WriteByte('\n')
	name := filepath.Join(root, "docs", "openapi.json")
	if os.Getenv("TEST_UPDATE") == "1" {
		if err := os.WriteFile(name, now.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, now.Bytes()) {
		t.Error("docs/openapi.json is stale; make golden writes it anew")
	}
}
