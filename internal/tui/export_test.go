package tui

// Frame returns what turns a terminal that shows from, nil being unknown, into one that shows to.
func Frame(from, to *Canvas, t *Theme) []byte { return appendFrame(nil, from, to, t) }

// Lines returns the lines in which two canvases differ.
func Lines(from, to *Canvas) string { return string(appendLines(nil, from, to)) }

// Clone returns a copy that can be drawn on by itself.
func (c *Canvas) Clone() *Canvas {
	d := *c
	d.cells = append([]cell(nil), c.cells...)
	return &d
}
