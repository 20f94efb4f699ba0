package arch

import (
	"go/ast"
	"strings"
	"testing"
)

// Limits of what one reader holds in mind, in lines. The tables and texts of a test don't count.
const (
	maxFile     = 600
	maxFunction = 80
)

func TestFilesAndFunctionsStayShort(t *testing.T) {
	all := sources(t)
	for _, s := range all.all {
		if s.lines > maxFile {
			t.Errorf("%s has %d lines, more than %d", s.path, s.lines, maxFile)
		}
		for _, d := range s.ast.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			n := all.span(f)
			if s.test {
				n -= all.tables(f)
			}
			if n > maxFunction {
				t.Errorf("%s: %s has %d lines, more than %d", all.files.Position(f.Pos()), f.Name.Name, n, maxFunction)
			}
		}
	}
}

// span is how many lines something takes.
func (t *tree) span(n ast.Node) int {
	return t.files.Position(n.End()).Line - t.files.Position(n.Pos()).Line + 1
}

// tables is how many lines of a test are the rows of its tables and the texts that it plays or compares with.
func (t *tree) tables(f *ast.FuncDecl) int {
	lines := 0
	ast.Inspect(f, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.CompositeLit, *ast.BasicLit:
			lines += t.span(n) - 1
			return false
		}
		return true
	})
	return lines
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	docs := map[string]string{}
	for _, s := range sources(t).all {
		if s.test {
			continue
		}
		docs[s.dir] += s.ast.Doc.Text()
	}
	for dir, text := range docs {
		if !strings.HasPrefix(text, "Package ") && !strings.HasPrefix(text, "Command ") {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

// TestNoDrawerForEverything: a package's name says what is in it.
func TestNoDrawerForEverything(t *testing.T) {
	for _, s := range sources(t).all {
		switch name := strings.TrimSuffix(s.ast.Name.Name, "_test"); name {
		case "util", "utils", "common", "types", "helper", "helpers", "manager", "misc", "base", "shared":
			t.Errorf("%s: package %s says nothing", s.path, name)
		}
		for _, c := range s.ast.Comments {
			for _, word := range []string{"TODO", "FIXME", "XXX:"} {
				if strings.Contains(c.Text(), word) {
					t.Errorf("%s: a comment says %s", s.path, word)
				}
			}
		}
	}
}

// TestNothingHappensBeforeMain: packages do no work while the program loads.
func TestNothingHappensBeforeMain(t *testing.T) {
	for _, s := range sources(t).all {
		// internal/tui/quiet exists to act before bubbletea asks the terminal.
		if s.test || s.dir == "internal/tui/quiet" {
			continue
		}
		for _, d := range s.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has an init function", s.path)
			}
		}
	}
}
