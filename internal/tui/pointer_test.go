package tui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheTerminalReportsItsPointerOnlyWhileACanvasAsksForIt(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "terminal"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	o := newOutput(f, 60, false)
	theme, err := ThemeByName(ThemeNames()[0])
	if err != nil {
		t.Fatal(err)
	}
	wrote := func() string {
		t.Helper()
		data, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	show := func(pointer bool) {
		c := NewCanvas(10, 2)
		if pointer {
			c.UsePointer()
		}
		o.offer(c, theme)
		o.flush()
	}
	show(false)
	if strings.Contains(wrote(), "1002") {
		t.Error("the mouse was taken from a person who only reads")
	}
	show(true)
	show(true)
	if n := strings.Count(wrote(), "\x1b[?1002h\x1b[?1006h"); n != 1 {
		t.Errorf("the reports were turned on %d times", n)
	}
	show(false)
	if !strings.HasSuffix(wrote(), "\x1b[?1002l\x1b[?1006l") {
		t.Error("the reports stay on")
	}
	show(true)
	if err := o.raw(leave); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(wrote(), "\x1b[?1002l\x1b[?1006l"+leave) {
		t.Error("the terminal was given back with its reports on")
	}
}
