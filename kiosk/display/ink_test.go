package display_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/internal/fault"
	"countersign/internal/tui"
	"countersign/kiosk/display"
	"countersign/kiosk/mirror"
	"countersign/signing/ink"
	"countersign/signing/signtest"
)

// point sends what a mouse does.
func (d *desk) point(act tui.PointerAct, x, y int) {
	d.run(d.app.Handle(tui.Pointer{X: x, Y: y, Act: act}))
}

// writes draws two strokes on the surface, 20 ms from cell to cell.
func (d *desk) writes() {
	for n, from := range []int{10, 34} {
		for i := range 20 {
			act := tui.PointerMove
			if i == 0 {
				act = tui.PointerDown
			}
			d.point(act, from+i, 8+n+[]int{0, 1, 2, 1}[i%4])
			d.now.Advance(20 * time.Millisecond)
		}
		d.point(tui.PointerUp, from+20, 9)
	}
}

func TestACustomerWritesByHandAndHandsItIn(t *testing.T) {
	d := newDesk(t, channel())
	d.shows("Viết tay", "hạng 1/4", "hạng 2/4")
	d.press("3")
	d.asked("channel K1 ink")
	d.hear(pen("open"))
	d.writes()
	d.asked("touch", "touch") // for each stroke once
	d.shows("⠙", "Enter Ký xong", ". Bỏ nét cuối", "* Xóa hết")
	d.press(".")
	d.press(".")
	d.hides("⠙", "Enter Ký xong")
	d.svc.taken()
	d.writes()
	d.svc.taken()
	d.press("enter")
	got := d.svc.taken()
	if len(got) != 1 || !strings.HasPrefix(got[0], "write K1 ") {
		t.Fatalf("the service was asked %q", got)
	}
	drawing, err := ink.Parse([]byte(strings.TrimPrefix(got[0], "write K1 ")))
	if err != nil {
		t.Fatal(err)
	}
	if f := drawing.Facts(); f.Strokes != 2 || f.Points != 40 || f.Duration != 780*time.Millisecond || drawing.Source != ink.Terminal {
		t.Errorf("handed in were %+v from %s", f, drawing.Source)
	}
	d.hear(pen("written"))
	d.shows("xác nhận đã thấy quý khách ký", "* Viết lại")
	d.hides("Enter Ký xong")
	d.writes()
	d.asked() // what was handed in is not drawn on any more
}

func TestOnlyTheSurfaceTakesStrokes(t *testing.T) {
	d := newDesk(t, pen("open"))
	for _, at := range [][2]int{{10, 2}, {10, 22}, {2, 10}, {78, 10}, {500, 500}} {
		d.point(tui.PointerDown, at[0], at[1])
		d.point(tui.PointerMove, at[0], at[1])
	}
	d.hides("Enter Ký xong")
	// A stroke that leaves the surface ends there and goes on as another one.
	d.point(tui.PointerDown, 10, 10)
	d.point(tui.PointerMove, 10, 1)
	d.point(tui.PointerMove, 40, 10)
	d.svc.taken()
	d.press(".")
	d.shows("Enter Ký xong")
	d.press(".")
	d.hides("Enter Ký xong")
	for _, s := range []mirror.Snapshot{channel(), code(), pen("written"), welcome()} {
		d.hear(s)
		d.svc.taken()
		d.point(tui.PointerDown, 10, 10)
		d.asked()
	}
}

func TestScribblesThatAreNoHandwritingStayOnTheScreen(t *testing.T) {
	d := newDesk(t, pen("open"))
	for i := range 30 {
		act := tui.PointerMove
		if i == 0 {
			act = tui.PointerDown
		}
		d.point(act, 10+i, 10)
		d.now.Advance(20 * time.Millisecond)
	}
	d.svc.taken()
	d.press("enter")
	d.asked("touch")
	d.shows("Chỉ có một đường thẳng")
}

func TestStrokesAreForgottenWithTheirQuestionTheirWindowAndTheirOrder(t *testing.T) {
	again := pen("open")
	again.Confirm.SentAt = at.Add(time.Minute)
	for name, gone := range map[string]func(d *desk){
		"the pen is given anew":  func(d *desk) { d.hear(again) },
		"the window is resized":  func(d *desk) { d.size(100, 30) },
		"another order comes":    func(d *desk) { d.hear(welcome()); d.hear(pen("open")) },
		"the connection is lost": func(d *desk) { d.pass(6 * time.Second); d.hear(pen("open")) },
	} {
		d := newDesk(t, pen("open"))
		d.writes()
		d.shows("Enter Ký xong")
		gone(d)
		if strings.Contains(d.plain(), "Enter Ký xong") {
			t.Errorf("%s, and the strokes stay:\n%s", name, d.plain())
		}
	}
	d := newDesk(t, pen("open"))
	d.writes()
	d.hear(pen("open")) // the same state again changes nothing
	d.shows("Enter Ký xong")
	d.svc.fail = fault.New(fault.Conflict, "ink.replayed", nil)
	d.press("enter")
	d.shows("Nét chữ này đã dùng cho phiếu khác")
}

func TestAPadsStrokeFileIsTakenAndHandedInByTheCustomer(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string, when time.Time) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	ticks := make(chan time.Time, 20)
	for range 20 {
		ticks <- at
	}
	pad := display.PadIn(dir, ticks)
	drawing := signtest.Handwriting()
	strokes := string(drawing.Canonical())
	file("old.json", strokes, at.Add(-time.Second))
	file(".half.json", strokes, at.Add(time.Second))
	file("note.txt", strokes, at.Add(time.Second))
	file("new.json", strokes, at.Add(time.Second))
	got, err := pad(t.Context(), at)
	if err != nil || got.Digest() != drawing.Digest() {
		t.Fatalf("the pad gave %v, %v", got.Facts(), err)
	}
	file("broken.json", "{", at.Add(2*time.Second))
	if _, err := pad(t.Context(), at); !fault.Is(err, "ink.file") {
		t.Errorf("a broken file is %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := pad(ctx, at); !errors.Is(err, context.Canceled) {
		t.Errorf("a file was given twice: %v", err)
	}
	if _, err := display.PadIn(filepath.Join(dir, "nowhere"), ticks)(t.Context(), at); !fault.Is(err, "ink.pad") {
		t.Errorf("a missing folder is %v", err)
	}

	asked := 0
	once := func(context.Context, time.Time) (ink.Drawing, error) {
		if asked++; asked > 1 {
			return ink.Drawing{}, context.Canceled // nobody writes on it any more
		}
		return drawing, nil
	}
	d := newDeskWith(t, display.Options{Pad: once}, pen("open"))
	d.shows("Viết lên bảng ký", "Enter Ký xong")
	d.svc.taken()
	d.press("enter")
	d.asked("write K1 " + strokes)
}
