package display

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk/mirror"
	"countersign/kiosk/portrait"
)

// The most cells a picture takes, and the most pixels that are decoded.
const (
	pictureW, pictureH = 60, 40
	maxPixels          = 64 << 20
)

// picture is the portrait as it was fetched; cells are made of it when it is drawn.
type picture struct {
	id    string
	cells [][]tui.Cell
	size  [2]int // for which cells were made
	asked string
}

// fetched is a portrait that has come.
type fetched struct {
	id, order string
	size      [2]int
	cells     [][]tui.Cell
	err       error
}

// cardKeys are the keys of C5: without a picture 0 stops; with one it asks for another.
func (a *App) cardKeys() []binding {
	if a.snap.Portrait == "" {
		return []binding{{names: []string{"0"}, show: "0", label: "display.key.stop", do: a.stop, once: true}}
	}
	stop := binding{names: []string{"-"}, show: "-", label: "display.key.stop", do: a.stop, once: true}
	if a.snap.Retakes <= 0 {
		return []binding{stop, {names: []string{"0"}, do: func(string) tui.Cmd {
			a.say(noteMark, "display.why.no_retake", nil)
			return nil
		}}}
	}
	return []binding{{names: []string{"0"}, show: "0", label: "display.key.retake", args: locale.Args{"n": a.snap.Retakes}, do: a.retake, once: true}, stop}
}

func (a *App) retake(string) tui.Cmd {
	order := a.snap.Order
	return a.decide(func(ctx context.Context) error { return a.svc.Retake(ctx, order) }, nil)
}

// pictureRoom is how many cells there are for the picture.
func (a *App) pictureRoom() [2]int {
	return [2]int{min(max(a.width()-colFact-1, 1), pictureW), min(max(a.h-13, 4), pictureH)}
}

// fetch brings the portrait that the order has now.
func (a *App) fetch() tui.Cmd {
	id, order := a.snap.Portrait, a.snap.Order
	if a.snap.Stage != mirror.Card || id == "" || a.opt.NoPictures {
		a.picture = picture{}
		return nil
	}
	size := a.pictureRoom()
	if a.picture.asked == id || a.picture.id == id && a.picture.size == size {
		return nil
	}
	if a.picture.id != id {
		a.picture = picture{}
	}
	a.picture.asked = id
	return func(ctx context.Context) tui.Event {
		out := fetched{id: id, order: order, size: size}
		data, err := a.svc.Portrait(ctx, order)
		if err == nil {
			out.cells, err = blocks(data, size)
		}
		out.err = err
		return out
	}
}

// take keeps a portrait that came, unless it was replaced meanwhile. One that can't be shown is shown in words.
func (a *App) take(ev fetched) {
	if a.picture.asked != ev.id || a.snap.Order != ev.order || a.snap.Portrait != ev.id {
		return
	}
	a.picture.asked = ""
	a.picture.id, a.picture.size, a.picture.cells = ev.id, ev.size, ev.cells
}

// blocks makes cells of two pixels each.
func blocks(data []byte, size [2]int) ([][]tui.Cell, error) {
	head, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read the portrait: %w", err)
	}
	if head.Width <= 0 || head.Height <= 0 || head.Width > maxPixels/head.Height {
		return nil, fmt.Errorf("read the portrait: %d by %d pixels are too many", head.Width, head.Height)
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read the portrait: %w", err)
	}
	var out [][]tui.Cell
	for _, line := range portrait.Blocks(img, size[0], size[1]) {
		cells := make([]tui.Cell, len(line))
		for i, px := range line {
			cells[i] = tui.Cell{Upper: px.Upper, Lower: px.Lower}
		}
		out = append(out, cells)
	}
	return out, nil
}
