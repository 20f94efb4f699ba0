package tuitest

import (
	"fmt"
	"strconv"
	"strings"

	"countersign/internal/tui"
)

// parsePath reads columns and rows that count from 1.
func parsePath(text string) ([][2]int, error) {
	words := strings.Fields(text)
	if len(words) < 2 || len(words)%2 != 0 {
		return nil, fmt.Errorf("drag needs pairs of a column and a row, not %q", text)
	}
	path := make([][2]int, len(words)/2)
	for i, w := range words {
		n, err := strconv.Atoi(w)
		if err != nil {
			return nil, fmt.Errorf("drag needs numbers, not %q", w)
		}
		path[i/2][i%2] = n - 1
	}
	return path, nil
}

// reports are what a terminal sends of a drag in SGR mouse mode.
func reports(path [][2]int) []string {
	var out []string
	for i, p := range path {
		button := 32
		if i == 0 {
			button = 0
		}
		out = append(out, fmt.Sprintf("\x1b[<%d;%d;%dM", button, p[0]+1, p[1]+1))
	}
	last := path[len(path)-1]
	return append(out, fmt.Sprintf("\x1b[<0;%d;%dm", last[0]+1, last[1]+1))
}

// Drag sends what a terminal reports.
func (p *Pty) Drag(path [][2]int) error {
	for _, report := range reports(path) {
		p.pace.wait(p.name)
		if err := p.Send(report); err != nil {
			return err
		}
		p.pace.pressed("")
	}
	return nil
}

// Drag sends what a terminal reports to the program in the pane.
func (t *Tmux) Drag(path [][2]int) error {
	for _, report := range reports(path) {
		t.pace.wait(t.tty)
		if _, err := t.run("send-keys", "-l", "--", report); err != nil {
			return err
		}
		t.pace.pressed("")
	}
	return nil
}

// Drag hands the events to the screen.
func (s *Headless) Drag(path [][2]int) error {
	for i, p := range path {
		act := tui.PointerMove
		if i == 0 {
			act = tui.PointerDown
		}
		s.Send(tui.Pointer{X: p[0], Y: p[1], Act: act})
	}
	last := path[len(path)-1]
	s.Send(tui.Pointer{X: last[0], Y: last[1], Act: tui.PointerUp})
	return nil
}
