package display

import (
	"fmt"
	"image/color"
	"net/url"
	"strings"

	"github.com/boombuler/barcode/qr"

	"countersign/internal/tui"
)

// The widest code that is shown: version 4, 33 modules, with a quiet zone of 4.
const (
	quiet     = 4
	maxModule = 33
	colBeside = 44
)

// qrCells makes a QR code black on white with its quiet zone, two modules a cell. A text too long for a code that fits
// 24 rows is refused.
func qrCells(uri string) ([][]tui.Cell, error) {
	code, err := qr.Encode(uri, qr.L, qr.Unicode)
	if err != nil {
		return nil, fmt.Errorf("make a QR code of %d bytes: %w", len(uri), err)
	}
	n := code.Bounds().Dx()
	if n > maxModule {
		return nil, fmt.Errorf("make a QR code of %d bytes: %d modules do not fit the screen", len(uri), n)
	}
	module := func(x, y int) color.RGBA {
		x, y = x-quiet, y-quiet
		if x >= 0 && y >= 0 && x < n && y < n {
			if r, _, _, _ := code.At(x, y).RGBA(); r == 0 {
				return color.RGBA{A: 255}
			}
		}
		return color.RGBA{R: 255, G: 255, B: 255, A: 255}
	}
	side := n + 2*quiet
	rows := make([][]tui.Cell, (side+1)/2)
	for y := range rows {
		rows[y] = make([]tui.Cell, side)
		for x := range rows[y] {
			rows[y][x] = tui.Cell{Upper: module(x, 2*y), Lower: module(x, 2*y+1)}
		}
	}
	return rows, nil
}

// drawEnrol draws the QR code over the whole height and says beside it what to do; it reports whether there was room.
func (a *App) drawEnrol(c *tui.Canvas) bool {
	cells, err := qrCells(a.snap.Confirm.Enrol)
	if err != nil || len(cells) > a.h-3 {
		return false
	}
	c.Image(0, 0, cells)
	y := 1
	for _, p := range a.enrolWords() {
		for _, l := range tui.Wrap(p.s, a.width()-colBeside) {
			if y < a.h-3 {
				c.Put(colBeside, y, l, p.st)
			}
			y++
		}
		y++
	}
	return true
}

// enrolPage is for a window in which the code has no room, or an address that makes no code.
func (a *App) enrolPage(w int) page {
	p := page{title: a.t("display.code.title", nil), steps: true}
	p.skip(1)
	p.para(w, colLabel, a.t("display.enrol.no_room", nil), tui.Text)
	for _, t := range a.enrolWords() {
		p.skip(1)
		p.para(w, colLabel, t.s, t.st)
	}
	return p
}

// enrolWords are the steps, and the secret in letters when the customer has asked for it.
func (a *App) enrolWords() []span {
	out := []span{{s: a.t("display.enrol.title", nil), st: tui.Bold}}
	for _, id := range []string{"display.enrol.1", "display.enrol.2", "display.enrol.3"} {
		out = append(out, span{s: a.t(id, nil)})
	}
	if a.secret {
		out = append(out, span{s: a.t("display.enrol.secret", nil), st: tui.Muted}, span{s: secretOf(a.snap.Confirm.Enrol), st: tui.Bold})
	}
	return out
}

// secretOf is the secret of an otpauth address in groups of four.
func secretOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	s := u.Query().Get("secret")
	var groups []string
	for len(s) > 4 {
		groups = append(groups, s[:4])
		s = s[4:]
	}
	return strings.Join(append(groups, s), " ")
}
