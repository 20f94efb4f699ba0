package arch

import (
	"go/ast"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

// catalogue returns the ids of all texts with the area that holds them.
func catalogue(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob(root + "/internal/locale/text/vi/*.toml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no catalogues: %v", err)
	}
	ids := map[string]string{}
	for _, name := range names {
		var texts map[string]string
		if _, err := toml.DecodeFile(name, &texts); err != nil {
			t.Fatal(err)
		}
		for id := range texts {
			ids[id] = filepath.Base(name)
		}
	}
	return ids
}

// words are the string literals of the program.
type words struct {
	whole map[string]bool // in lower case
	parts map[string]bool // those that a + makes longer, in lower case
}

// written collects the literals of the program's Go files, and the plain words of the services' files, which some ids
// are made with.
func written(t *testing.T) words {
	t.Helper()
	w := words{map[string]bool{}, map[string]bool{}}
	add := func(s string) { w.whole[strings.ToLower(s)] = true }
	for _, s := range sources(t).all {
		if s.test {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if sum, ok := n.(*ast.BinaryExpr); ok && sum.Op == token.ADD {
				if text, ok := literal(sum.X); ok {
					w.lengthens(text)
				}
				if inner, ok := sum.X.(*ast.BinaryExpr); ok {
					if text, ok := literal(inner.Y); ok {
						w.lengthens(text)
					}
				}
			}
			if text, ok := literal(n); ok {
				// "@a,b" names texts that are put into another one.
				for part := range strings.SplitSeq(strings.TrimPrefix(text, "@"), ",") {
					add(part)
				}
				// A command's name stands before its arguments: "show ORDER".
				first, _, _ := strings.Cut(text, " ")
				add(first)
			}
			return true
		})
	}
	names, err := filepath.Glob(root + "/services/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range regexp.MustCompile(`[a-z_]+`).FindAllString(string(data), -1) {
			add(word)
		}
	}
	return w
}

// literal returns the text of a string literal.
func literal(n ast.Node) (string, bool) {
	lit, ok := n.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

func (w words) lengthens(text string) { w.parts[strings.ToLower(strings.TrimPrefix(text, "@"))] = true }

// say reports whether the program can come to name the id: as a literal, or as a part and what is put behind it.
func (w words) say(id string) bool {
	if w.whole[id] || strings.Trim(id, "0123456789") == "" {
		return true
	}
	for i := 1; i < len(id); i++ {
		if (id[i-1] == '.' || id[i-1] == '_') && w.parts[id[:i]] && w.say(id[i:]) {
			return true
		}
		if id[i] == '_' && w.whole[id[:i]] && w.whole[id[i:]] {
			return true
		}
	}
	return false
}

func TestEveryTextIsUsed(t *testing.T) {
	ids, w := catalogue(t), written(t)
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		code, isFault := strings.CutPrefix(id, "fault.")
		if !w.say(strings.ToLower(id)) && !(isFault && w.say(strings.ToLower(code))) {
			t.Errorf("%s: nothing says %q", ids[id], id)
		}
	}
}

// TestEveryTextThatIsCalledExists looks at the calls that name a text, and at every literal that can only be a text's
// name because it begins with the name of an area that holds texts alone.
func TestEveryTextThatIsCalledExists(t *testing.T) {
	ids, all := catalogue(t), sources(t)
	for _, s := range all.all {
		if s.test {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if id := s.called(n); id != "" && ids[id] == "" {
				t.Errorf("%s: no catalogue has %q", all.files.Position(n.Pos()), id)
			}
			// Acts in the journal have names of the same form.
			if call, ok := n.(*ast.CallExpr); ok && journals(call) {
				return false
			}
			if text, ok := literal(n); ok && !under(s.dir, "internal/bench", "internal/config") && onlyText.MatchString(text) && !fileName.MatchString(text) {
				for id := range strings.SplitSeq(strings.TrimPrefix(text, "@"), ",") {
					_, plain := ids[id]
					if _, failure := ids["fault."+id]; !plain && !failure {
						t.Errorf("%s: no catalogue has %q or %q", all.files.Position(n.Pos()), id, "fault."+id)
					}
				}
			}
			return true
		})
	}
}

// journals reports whether a call writes an entry into the journal.
func journals(call *ast.CallExpr) bool {
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name == "entry"
	case *ast.Ident:
		return f.Name == "adminEntry"
	}
	return false
}

// onlyText matches names in the areas whose first word means a text and nothing else.
var onlyText = regexp.MustCompile(`^@?(clerk|cli|display|seam|note|evidence|password|objection|right|signer|stamp|keys|verify|workorder|idcard|field|rule|catalog|fault|otp|unlock|service|tsa|sign|vault|store|config)\.[a-z][a-z0-9_.]*[a-z0-9]$`)

// fileName matches names of files, which look like names of texts.
var fileName = regexp.MustCompile(`\.(log|token|key|pem|toml|json|pdf)$`)

// called returns the id that a call, or a comparison with the code of a failure, names by a literal; "" if none.
func (s source) called(n ast.Node) string {
	if cmp, ok := n.(*ast.BinaryExpr); ok {
		call, isCall := cmp.X.(*ast.CallExpr)
		code, isText := literal(cmp.Y)
		if isCall && isText {
			if pkg, name := s.selector(call.Fun); pkg == module+"internal/fault" && name == "CodeOf" {
				return "fault." + code
			}
		}
		return ""
	}
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return ""
	}
	pkg, name := s.selector(call.Fun)
	at, prefix := -1, ""
	switch {
	case pkg == module+"internal/locale" && name == "Text":
		at = 1
	case pkg == module+"internal/fault" && (name == "New" || name == "Is"):
		at, prefix = 1, "fault."
	case pkg == module+"internal/fault" && name == "Wrap":
		at, prefix = 2, "fault."
	}
	if at < 0 || at >= len(call.Args) {
		return ""
	}
	text, ok := literal(call.Args[at])
	if !ok {
		return ""
	}
	return prefix + text
}
