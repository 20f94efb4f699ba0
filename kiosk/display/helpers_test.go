package display_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/internal/tui"
	"countersign/kiosk/display"
	"countersign/kiosk/mirror"
)

// desk is a customer's screen whose commands run at once, one after the other, and whose time is in the test's hands.
type desk struct {
	t    testing.TB
	svc  *recorder
	now  *clock.Set
	app  *display.App
	w    int
	h    int
	last mirror.Snapshot
}

func newDesk(t testing.TB, snaps ...mirror.Snapshot) *desk {
	t.Helper()
	return newDeskWith(t, display.Options{}, snaps...)
}

func newDeskWith(t testing.TB, o display.Options, snaps ...mirror.Snapshot) *desk {
	t.Helper()
	d := &desk{t: t, svc: &recorder{news: make(chan mirror.Snapshot, 1)}, now: clock.At(at), w: 80, h: 24}
	o.Clock, o.Unit, o.Counter = d.now, "Điện lực Bắc Giang", "3"
	d.app = display.New(d.svc, o)
	d.app.Handle(tui.Resize{W: d.w, H: d.h})
	d.run(d.app.Init())
	for _, s := range snaps {
		d.hear(s)
	}
	return d
}

// quiet is a wait that never ends: ticks come from the test alone, news from hear.
func quiet(ctx context.Context, _ time.Duration) (time.Time, error) {
	return time.Time{}, context.Canceled
}

// run carries out a command and all that follow from it. What waits for news gets the piece that is there, or none.
func (d *desk) run(cmd tui.Cmd) {
	if cmd == nil {
		return
	}
	ctx, cancel := context.WithCancel(tui.WithPause(context.Background(), quiet))
	if len(d.svc.news) == 0 {
		cancel()
	}
	defer cancel()
	switch ev := cmd(ctx).(type) {
	case nil:
	case tui.Batched:
		for _, c := range ev {
			d.run(c)
		}
	default:
		d.run(d.app.Handle(ev))
	}
}

// hear delivers a snapshot by way of the channel.
func (d *desk) hear(s mirror.Snapshot) {
	d.svc.news <- s
	d.last = s
	d.run(d.app.Init())
}

func (d *desk) press(keys ...string) {
	for _, k := range keys {
		switch k {
		case "enter", "f1", "esc":
			d.run(d.app.Handle(tui.Key{Name: k}))
		default:
			d.run(d.app.Handle(tui.Key{Name: "rune", Text: k}))
		}
	}
}

// pass lets time go by in ticks of a second.
func (d *desk) pass(t time.Duration) {
	for ; t > 0; t -= time.Second {
		d.now.Advance(time.Second)
		d.run(d.app.Handle(tui.Tick{At: d.now.Now()}))
	}
}

func (d *desk) canvas() *tui.Canvas {
	c := tui.NewCanvas(d.w, d.h)
	d.app.Draw(c)
	return c
}

func (d *desk) plain() string { return d.canvas().Plain() }

func (d *desk) size(w, h int) {
	d.w, d.h = w, h
	d.run(d.app.Handle(tui.Resize{W: w, H: h}))
}

// face is a picture in which the four quarters differ.
func face(t testing.TB) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 60, 80))
	for y := range 80 {
		for x := range 60 {
			img.Set(x, y, color.RGBA{uint8(40 + x*3), uint8(60 + y*2), 90, 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
