package clerk

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"countersign/internal/locale"
	"countersign/internal/tui"
)

// texts are the clerk's texts of one language.
func texts(t *testing.T, l locale.Lang) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, area := range []string{"clerk", "seam", "hall"} {
		if _, err := toml.DecodeFile(filepath.Join("..", "..", "internal", "locale", "text", string(l), area+".toml"), &out); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

var (
	idInCode    = regexp.MustCompile(`"((?:clerk|seam)\.[a-z0-9_.]*[a-z0-9_])"`)
	placeholder = regexp.MustCompile(`\{\{[^}]*\}\}`)
)

func TestEveryTextThatTheScreensNameExists(t *testing.T) {
	have := texts(t, locale.Vietnamese)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		code, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range idInCode.FindAllStringSubmatch(string(code), -1) {
			found++
			if _, ok := have[m[1]]; !ok {
				t.Errorf("%s names %s, which no catalogue has", name, m[1])
			}
		}
	}
	if found < 300 {
		t.Errorf("only %d texts were looked for", found)
	}
}

func TestEverySentenceOfRow23FitsItsRow(t *testing.T) {
	for _, l := range locale.Langs {
		for id, text := range texts(t, l) {
			_, area, _ := strings.Cut(id, ".")
			area, _, _ = strings.Cut(area, ".")
			if !strings.HasPrefix(id, "clerk.") {
				continue
			}
			if area != "hint" && area != "msg" && area != "why" {
				continue
			}
			// A placeholder stands for about eight cells.
			room := 78 // A message has a sign in front.
			if area == "hint" {
				room = 80
			}
			if n := tui.Width(placeholder.ReplaceAllString(text, "12345678")); n > room {
				t.Errorf("%s %s takes %d cells: %s", l, id, n, text)
			}
		}
	}
}

func TestTheStepLineFitsEightyCells(t *testing.T) {
	for _, l := range locale.Langs {
		n := 0
		for i := 1; i <= 8; i++ {
			n += tui.Width(fmt.Sprintf("x%d %s ", i, locale.Text(l, fmt.Sprintf("clerk.step.%d", i), nil)))
		}
		if n-1 > design {
			t.Errorf("%s: the step line takes %d cells", l, n-1)
		}
	}
}
