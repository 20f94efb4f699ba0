package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const (
	root   = "../.."
	module = "countersign/"
)

// source is one Go file of the repository.
type source struct {
	path  string // from the repository's root, with slashes
	dir   string // the package's folder
	test  bool
	lines int
	ast   *ast.File
	names map[string]string // import path by the name under which the file knows it
}

// imports returns the paths that the file imports.
func (s source) imports() []string {
	out := []string{}
	for _, i := range s.ast.Imports {
		out = append(out, strings.Trim(i.Path.Value, `"`))
	}
	return out
}

// tree is every Go file of the repository, parsed once.
type tree struct {
	files *token.FileSet
	all   []source
}

var parsed = sync.OnceValues(func() (*tree, error) {
	t := &tree{files: token.NewFileSet()}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		s, err := t.read(name)
		t.all = append(t.all, s)
		return err
	})
	return t, err
})

func (t *tree) read(name string) (source, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return source{}, err
	}
	rel, err := filepath.Rel(root, name)
	if err != nil {
		return source{}, err
	}
	rel = filepath.ToSlash(rel)
	s := source{path: rel, dir: path.Dir(rel), test: strings.HasSuffix(rel, "_test.go"), lines: strings.Count(string(data), "\n"), names: map[string]string{}}
	s.ast, err = parser.ParseFile(t.files, rel, data, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return s, err
	}
	for _, i := range s.ast.Imports {
		p := strings.Trim(i.Path.Value, `"`)
		name := path.Base(p)
		if i.Name != nil {
			name = i.Name.Name
		} else if v := path.Base(p); len(v) > 1 && v[0] == 'v' && strings.Trim(v[1:], "0123456789") == "" {
			name = path.Base(path.Dir(p))
		}
		s.names[strings.TrimPrefix(name, "go-")] = p
	}
	return s, nil
}

// sources returns the repository, and fails the test when a file can't be parsed.
func sources(t *testing.T) *tree {
	t.Helper()
	out, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	if len(out.all) < 100 {
		t.Fatalf("only %d Go files were found", len(out.all))
	}
	return out
}

// selector returns the import path and the name of x in "pkg.Name", when pkg is imported by the file.
func (s source) selector(n ast.Node) (pkg, name string) {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	id, ok := sel.X.(*ast.Ident)
	if !ok {
		return "", ""
	}
	return s.names[id.Name], sel.Sel.Name
}

// under reports whether a package's folder is one of the given, or below one that ends in "/".
func under(dir string, places ...string) bool {
	for _, p := range places {
		if dir == strings.TrimSuffix(p, "/") || strings.HasSuffix(p, "/") && strings.HasPrefix(dir, p) {
			return true
		}
	}
	return false
}
