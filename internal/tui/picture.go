package tui

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi/kitty"
)

// Image draws a picture whose cells each show two pixels; in terminals of few colours they become shades.
func (c *Canvas) Image(x, y int, cells [][]Cell) {
	for j, row := range cells {
		for i, px := range row {
			if x+i < 0 || x+i >= c.w || y+j < 0 || y+j >= c.h {
				continue
			}
			c.set(x+i, y+j, "▀", 1, Text)
			c.cells[(y+j)*c.w+x+i].paint = paint{
				on: true,
				fg: [3]uint8{px.Upper.R, px.Upper.G, px.Upper.B},
				bg: [3]uint8{px.Lower.R, px.Lower.G, px.Lower.B},
			}
		}
	}
}

// Placeholder fills w×h cells with the picture that Transmit has sent under the same id. Use it only where Kitty
// says that the terminal can.
func (c *Canvas) Placeholder(x, y, w, h int, id uint32) {
	for j := range h {
		for i := range w {
			if x+i < 0 || x+i >= c.w || y+j < 0 || y+j >= c.h {
				continue
			}
			text := string(kitty.Placeholder) + string(kitty.Diacritic(j)) + string(kitty.Diacritic(i))
			c.set(x+i, y+j, text, 1, Text)
			c.cells[(y+j)*c.w+x+i].paint = paint{
				on: true, kitty: true, fg: [3]uint8{uint8(id >> 16), uint8(id >> 8), uint8(id)},
			}
		}
	}
}

// Transmit sends a PNG picture to the terminal, to be shown in cols×rows cells by Placeholder. Only the lower 24 bits
// of id count.
func Transmit(id uint32, png []byte, cols, rows int) Cmd {
	return func(ctx context.Context) Event {
		const chunk = 4096
		data := base64.StdEncoding.EncodeToString(png)
		var b strings.Builder
		head := fmt.Sprintf("a=T,U=1,q=2,f=100,i=%d,c=%d,r=%d,", id&0xffffff, cols, rows)
		for data != "" {
			n := min(chunk, len(data))
			more := 0
			if n < len(data) {
				more = 1
			}
			fmt.Fprintf(&b, "\x1b_G%sm=%d;%s\x1b\\", head, more, data[:n])
			head, data = "q=2,", data[n:]
		}
		sendRaw(ctx, b.String())
		return nil
	}
}

// Forget removes a transmitted picture from the terminal's memory.
func Forget(id uint32) Cmd {
	return func(ctx context.Context) Event {
		sendRaw(ctx, fmt.Sprintf("\x1b_Ga=d,d=I,q=2,i=%d\x1b\\", id&0xffffff))
		return nil
	}
}

// Bell rings the terminal's bell once.
func Bell() Cmd {
	return func(ctx context.Context) Event {
		sendRaw(ctx, "\a")
		return nil
	}
}
