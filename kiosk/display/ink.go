package display

import (
	"context"
	"errors"
	"time"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk/mirror"
	"countersign/signing/ink"
)

// Pad is a signature pad beside the screen. It waits for strokes that were drawn since a moment, until ctx ends.
type Pad func(ctx context.Context, since time.Time) (ink.Drawing, error)

// writing is the customer's handwriting before it is handed in. It is in no snapshot: only this machine has it.
type writing struct {
	drawing ink.Drawing
	began   time.Time // the first point
	down    bool      // the pen is on the surface

	asked time.Time // the handwriting for which the signature pad was asked
	stop  context.CancelFunc
}

// What a terminal's cell measures, which nobody can ask it: columns are about this far apart, rows twice as far.
const cellStep = 2200

// written reports whether the handwriting was handed in and waits for the clerk.
func (a *App) written() bool { return a.snap.Confirm != nil && a.snap.Confirm.State == "written" }

// drop forgets the strokes, and what the signature pad might still give.
func (a *App) dropStrokes() {
	if a.ink.stop != nil {
		a.ink.stop()
	}
	a.ink = writing{}
}

func (a *App) inkKeys() []binding {
	other := binding{names: []string{"+"}, show: "+", label: "display.key.other_way", do: func(string) tui.Cmd {
		a.choosing = true
		return nil
	}}
	if a.written() {
		return []binding{
			{names: []string{"*"}, show: "*", label: "display.key.rewrite", once: true, do: func(string) tui.Cmd { return a.channel("ink") }},
			other, a.notSigning(),
		}
	}
	var out []binding
	if len(a.ink.drawing.Strokes) > 0 {
		out = []binding{
			{names: []string{"enter"}, show: "Enter", label: "display.key.written", once: true, do: a.handIn},
			{names: []string{"."}, show: ".", label: "display.key.undo_stroke", do: func(string) tui.Cmd {
				n := len(a.ink.drawing.Strokes)
				a.ink.drawing.Strokes, a.ink.down = a.ink.drawing.Strokes[:n-1], false
				return nil
			}},
			{names: []string{"*"}, show: "*", label: "display.key.clear_strokes", do: func(string) tui.Cmd {
				a.ink.drawing.Strokes, a.ink.down = nil, false
				return nil
			}},
		}
	}
	return append(out, other, a.notSigning())
}

// handIn gives the strokes to the service; what can't be handwriting is told without asking it.
func (a *App) handIn(string) tui.Cmd {
	d := a.ink.drawing.Clone()
	if err := d.Facts().Refuse(); err != nil {
		a.notice = notice{mark: errorMark, text: locale.Fault(a.lang(), err), at: a.now()}
		return nil
	}
	a.ink.down = false
	order := a.snap.Order
	return a.decide(func(ctx context.Context) error { return a.svc.Write(ctx, order, d.Canonical()) }, nil)
}

// pointer draws what the mouse, pen or finger does on the surface; outside it nothing is drawn.
func (a *App) pointer(ev tui.Pointer) tui.Cmd {
	if a.stage != mirror.Ink || a.written() || !a.undecided() {
		return nil
	}
	if ev.Act == tui.PointerUp {
		a.ink.down = false
		return nil
	}
	at, columns, rows, on := a.surfaceAt(ev.X, ev.Y)
	if !on {
		a.ink.down = false
		return nil
	}
	now := a.now()
	d := &a.ink.drawing
	if len(d.Strokes) == 0 {
		*d = ink.Drawing{Source: ink.Terminal, Width: columns, Height: 2 * rows, Step: cellStep}
		a.ink.began = now
	}
	at.At = int(max(now.Sub(a.ink.began), 0) / time.Millisecond)
	a.since, a.notice = now, notice{}
	if !a.ink.down {
		a.ink.down = true
		d.Strokes = append(d.Strokes, []ink.Point{at})
		return a.touch()
	}
	last := &d.Strokes[len(d.Strokes)-1]
	if before := (*last)[len(*last)-1]; before.X != at.X || before.Y != at.Y {
		at.At = max(at.At, before.At)
		*last = append(*last, at)
	}
	return nil
}

// surfaceAt finds the point of the surface under a cell of the screen, and how large the surface is in cells.
func (a *App) surfaceAt(x, y int) (p ink.Point, columns, rows int, on bool) {
	v := a.view()
	columns = a.surfaceWide()
	for i, r := range v.visible() {
		if r.surface == 0 {
			continue
		}
		rows++
		if firstRow+i == y && x >= colLabel && x < colLabel+columns {
			p, on = ink.Point{X: x - colLabel, Y: 2 * (r.surface - 1)}, true
		}
	}
	return p, columns, rows, on
}

// padded is what the signature pad gave for a handwriting.
type padded struct {
	asked   time.Time
	drawing ink.Drawing
	err     error
}

// askPad waits for the signature pad while the customer is to write.
func (a *App) askPad() tui.Cmd {
	if a.opt.Pad == nil || a.stage != mirror.Ink || a.written() || a.ink.asked.Equal(a.snap.Confirm.SentAt) {
		return nil
	}
	asked := a.snap.Confirm.SentAt
	since := asked.Add(-a.ahead) // the pad's files have this machine's time
	stopped, stop := context.WithCancel(context.Background())
	a.ink.asked, a.ink.stop = asked, stop
	return func(ctx context.Context) tui.Event {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(stopped, cancel)()
		d, err := a.opt.Pad(ctx, since)
		if stopped.Err() != nil || errors.Is(err, context.Canceled) {
			return nil
		}
		return padded{asked, d, err}
	}
}

// takePad shows what the signature pad gave; the customer still hands it in themselves.
func (a *App) takePad(ev padded) tui.Cmd {
	if a.stage != mirror.Ink || a.written() || !ev.asked.Equal(a.ink.asked) {
		return nil
	}
	if ev.err != nil {
		a.notice = notice{mark: errorMark, text: locale.Fault(a.lang(), ev.err), at: a.now()}
	} else {
		a.ink.drawing, a.ink.down = ev.drawing, false
	}
	a.ink.asked = time.Time{} // the pad may be used again
	a.ink.stop()
	return a.askPad()
}
