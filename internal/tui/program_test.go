package tui

import (
	"os"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
)

// recorder is a screen that keeps what it was given.
type recorder struct{ got []Event }

func (r *recorder) Init() Cmd           { return nil }
func (r *recorder) Handle(ev Event) Cmd { r.got = append(r.got, ev); return nil }
func (r *recorder) Draw(*Canvas)        {}

func TestTooSmallWindowLetsOnlyTheLockThrough(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	theme, err := ThemeByName("dark")
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	m := &program{ctx: t.Context(), root: r, out: newOutput(null, 120, false), theme: theme, canvas: NewCanvas(1, 1)}
	m.Update(tea.WindowSizeMsg{Width: 59, Height: 24})
	m.Update(burst{Key{Name: "rune", Text: "a"}, Key{Name: "f10"}, Scan{Text: "x"}, Paste{Text: "y"}, Key{Name: "ctrl+l"}})
	m.Update(tea.WindowSizeMsg{Width: 60, Height: 20})
	m.Update(burst{Key{Name: "f10"}})
	want := []Event{Resize{59, 24}, Key{Name: "ctrl+l"}, Resize{60, 20}, Key{Name: "f10"}}
	if len(r.got) != len(want) {
		t.Fatalf("got %v, want %v", r.got, want)
	}
	for i := range want {
		if r.got[i] != want[i] {
			t.Errorf("event %d is %v, want %v", i, r.got[i], want[i])
		}
	}
}
