package tuitest

import "strings"

// Shot is what a terminal showed at one moment.
type Shot struct {
	W, H           int
	Cells          []Cell // W×H, row by row
	CaretX, CaretY int    // from 0
	CaretShown     bool
}

// Cell is one cell of a shot.
type Cell struct {
	Text          string // "" is the right half of a wide character
	Fore, Back    string // "#rrggbb", "" is the terminal's own
	Bold, Reverse bool
}

// Row returns the text of a row, without trailing blanks.
func (s Shot) Row(y int) string {
	var b strings.Builder
	for _, c := range s.Cells[y*s.W : (y+1)*s.W] {
		b.WriteString(c.Text)
	}
	return strings.TrimRight(b.String(), " ")
}

// Text returns all rows, each ended by a line break.
func (s Shot) Text() string {
	var b strings.Builder
	for y := range s.H {
		b.WriteString(s.Row(y))
		b.WriteByte('\n')
	}
	return b.String()
}

// Shows reports whether some row holds the text.
func (s Shot) Shows(text string) bool {
	for y := range s.H {
		if strings.Contains(s.Row(y), text) {
			return true
		}
	}
	return false
}

// String draws the screen in a frame, with the caret named below, for messages of failed tests.
func (s Shot) String() string {
	var b strings.Builder
	edge := "+" + strings.Repeat("-", s.W) + "+\n"
	b.WriteString(edge)
	for y := range s.H {
		b.WriteString("|")
		for _, c := range s.Cells[y*s.W : (y+1)*s.W] {
			b.WriteString(c.Text)
		}
		b.WriteString("|\n")
	}
	b.WriteString(edge)
	return b.String()
}
