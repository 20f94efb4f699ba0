package portrait

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
)

// Cell is one terminal cell drawn as an upper half-block: two pixels, one above the other.
type Cell struct {
	Upper, Lower color.RGBA
}

// maxCells bounds a preview in each direction.
const maxCells = 500

// Blocks returns the picture as half-block cells: the most rows and columns that keep its shape within w × h cells. It
// is for "is this the right person and is the head inside", not for identification.
func Blocks(img image.Image, w, h int) [][]Cell {
	w, h = min(w, maxCells), min(h, maxCells)
	b := img.Bounds()
	if w < 1 || h < 1 || b.Empty() {
		return nil
	}
	pw, ph := fit(b.Dx(), b.Dy(), w, 2*h)
	small := shrink(flat(img, b), pw, ph)
	pw, ph = small.Rect.Dx(), small.Rect.Dy()
	rows := make([][]Cell, 0, (ph+1)/2)
	for y := 0; y < ph; y += 2 {
		row := make([]Cell, pw)
		for x := range row {
			row[x] = Cell{small.RGBAAt(x, y), small.RGBAAt(x, min(y+1, ph-1))}
		}
		rows = append(rows, row)
	}
	return rows
}

// fit returns the largest size of the shape w × h within maxW × maxH.
func fit(w, h, maxW, maxH int) (int, int) {
	if w*maxH > h*maxW {
		return maxW, max(1, h*maxW/w)
	}
	return max(1, w*maxH/h), maxH
}

// Placement is a picture for a terminal that knows kitty's graphics protocol. Transmit goes to the terminal once,
// outside the frame; Rows are text like any other and survive redrawing and tmux; Delete frees the picture in the
// terminal and must be sent when the customer leaves or the screen is locked.
type Placement struct {
	Transmit []string
	Rows     []string
	Columns  int
	Delete   string
}

const (
	cellWidth, cellHeight = 10, 20 // pixels that a cell is taken to have
	chunkLength           = 4096   // most base64 bytes in one escape sequence
	placeholder           = "\U0010EEEE"
)

// Kitty returns the picture as a virtual placement of at most w × h cells, shown by Unicode placeholders. The id, 1 to
// 0xFFFFFF, names the picture in the terminal and is the placeholders' colour.
func Kitty(img image.Image, id uint32, w, h int) (Placement, error) {
	b := img.Bounds()
	if id == 0 || id > 0xFFFFFF || w < 1 || h < 1 || b.Empty() {
		return Placement{}, fmt.Errorf("place picture %d in %d by %d cells: out of range", id, w, h)
	}
	marks := placeMarks()
	w, h = min(w, len(marks)), min(h, len(marks))
	pw, ph := fit(b.Dx(), b.Dy(), w*cellWidth, h*cellHeight)
	columns, rows := (pw+cellWidth-1)/cellWidth, (ph+cellHeight-1)/cellHeight
	var file bytes.Buffer
	if err := png.Encode(&file, shrink(flat(img, b), pw, ph)); err != nil {
		return Placement{}, fmt.Errorf("encode preview: %w", err)
	}
	p := Placement{Columns: columns, Delete: fmt.Sprintf("\x1b_Ga=d,d=I,i=%d,q=2\x1b\\", id)}
	keys := fmt.Sprintf("a=T,U=1,f=100,t=d,q=2,i=%d,c=%d,r=%d,", id, columns, rows)
	for data := base64.StdEncoding.EncodeToString(file.Bytes()); data != ""; keys = "" {
		n, more := min(len(data), chunkLength), 0
		if n < len(data) {
			more = 1
		}
		p.Transmit = append(p.Transmit, fmt.Sprintf("\x1b_G%sm=%d;%s\x1b\\", keys, more, data[:n]))
		data = data[n:]
	}
	for y := range rows {
		var row strings.Builder
		fmt.Fprintf(&row, "\x1b[38;2;%d;%d;%dm", id>>16, id>>8&255, id&255)
		for x := range columns {
			row.WriteString(placeholder)
			row.WriteRune(marks[y])
			row.WriteRune(marks[x])
		}
		row.WriteString("\x1b[39m")
		p.Rows = append(p.Rows, row.String())
	}
	return p, nil
}

// Tmux wraps an escape sequence so that tmux hands it on to the terminal (its option allow-passthrough must be on).
func Tmux(s string) string {
	return "\x1bPtmux;" + strings.ReplaceAll(s, "\x1b", "\x1b\x1b") + "\x1b\\"
}

// placeMarks returns the combining characters that number rows and columns in a placeholder, in the protocol's order:
// class 230 of Unicode 6.0, without those that compose. The first 129 are wider than any preview needs.
func placeMarks() []rune {
	ranges := [][2]rune{
		{0x305, 0x305}, {0x30D, 0x30E}, {0x310, 0x310}, {0x312, 0x312}, {0x33D, 0x33F}, {0x346, 0x346},
		{0x34A, 0x34C}, {0x350, 0x352}, {0x357, 0x357}, {0x35B, 0x35B}, {0x363, 0x36F}, {0x483, 0x487},
		{0x592, 0x595}, {0x597, 0x599}, {0x59C, 0x5A1}, {0x5A8, 0x5A9}, {0x5AB, 0x5AC}, {0x5AF, 0x5AF},
		{0x5C4, 0x5C4}, {0x610, 0x617}, {0x657, 0x65B}, {0x65D, 0x65E}, {0x6D6, 0x6DC}, {0x6DF, 0x6E2},
		{0x6E4, 0x6E4}, {0x6E7, 0x6E8}, {0x6EB, 0x6EC}, {0x730, 0x730}, {0x732, 0x733}, {0x735, 0x736},
		{0x73A, 0x73A}, {0x73D, 0x73D}, {0x73F, 0x741}, {0x743, 0x743}, {0x745, 0x745}, {0x747, 0x747},
		{0x749, 0x74A}, {0x7EB, 0x7F1}, {0x7F3, 0x7F3}, {0x816, 0x819}, {0x81B, 0x823}, {0x825, 0x827},
		{0x829, 0x82D},
	}
	var out []rune
	for _, r := range ranges {
		for c := r[0]; c <= r[1]; c++ {
			out = append(out, c)
		}
	}
	return out
}
