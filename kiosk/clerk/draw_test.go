package clerk

import (
	"runtime/debug"
	"testing"

	"countersign/internal/tui"
	"countersign/kiosk"
)

// bare is a terminal with a form in hand whose commands nobody runs: it stands still.
func bare(t testing.TB, service string) (*App, *hall) {
	t.Helper()
	h := newHall(t)
	a := New(h, Options{Clock: h.clock, Counter: "3"})
	a.shift, a.locked, a.services = true, false, h.cat.Services()
	visit, err := h.OpenVisit(t.Context(), "PA05050000017", "")
	if err != nil {
		t.Fatal(err)
	}
	a.visit = &visit
	v, err := h.StartOrder(t.Context(), visit.Visit.Key, service, false)
	if err != nil {
		t.Fatal(err)
	}
	a.begin(v)
	return a, h
}

// pages are every page of the terminal.
func pages(a *App, h *hall) map[string]page {
	form := func(change func(f *formPage)) *formPage {
		f := newFormPage(a)
		change(f)
		return f
	}
	return map[string]page{
		"home": &homePage{view: day(), pick: 1}, "find": &findPage{found: h.known, shown: "n v thu"}, "pick": newPickPage(),
		"form": form(func(*formPage) {}), "list": form(func(f *formPage) {
			for _, p := range f.cells(a) {
				if p.field.List != nil {
					f.at = p
				}
			}
			f.list = &listBox{}
		}),
		"help": form(func(f *formPage) { f.help = true }), "errors": form(func(f *formPage) { f.fixing, f.summary = true, true }),
		"table": form(func(f *formPage) {
			for _, p := range f.cells(a) {
				if p.row >= 0 {
					f.at = p
				}
			}
		}),
		"check": &checkPage{}, "reading": &readingPage{}, "together": &togetherPage{page: 1, lines: []string{"một", "hai"}, under: &readingPage{}},
		"card": &cardPage{}, "portrait": &portraitPage{}, "picture": &picturePage{under: &portraitPage{}}, "code": &codePage{}, "seal": &sealPage{digits: "00"},
		"done": &donePage{}, "evidence": &evidencePage{key: "x"}, "health": &healthPage{links: h.links, asked: true}, "keys": &keysPage{of: formKeys()},
	}
}

func TestDrawNeverPanicsAtAnySize(t *testing.T) {
	a, h := bare(t, "11")
	o := h.orders[a.order().Key]
	o.State, o.Number = kiosk.Invited, "WO-PA0505-20261121-000042"
	if err := h.generated(o); err != nil {
		t.Fatal(err)
	}
	o.Portrait = &kiosk.PortraitFacts{DocumentID: "p", At: morning}
	h.ch = &kiosk.ChallengeView{Method: "otp_mail", To: "t***@mau.example", Sent: "done", State: "open"}
	v, err := h.with(o.Key, nil)
	if err != nil {
		t.Fatal(err)
	}
	v.Order.Rev++
	a.adopt(v)
	for name, p := range pages(a, h) {
		t.Run(name, func(t *testing.T) {
			a.page = p
			for width := 1; width <= 250; width += 7 {
				for height := 1; height <= 80; height += 3 {
					draw(t, a, width, height)
				}
			}
			for width := 1; width <= 250; width++ {
				draw(t, a, width, 20)
				draw(t, a, width, 24)
			}
			for height := 1; height <= 80; height++ {
				draw(t, a, 60, height)
				draw(t, a, 80, height)
				draw(t, a, 132, height)
			}
		})
	}
	a.locked = true
	for width := 1; width <= 250; width += 3 {
		for height := 1; height <= 80; height += 3 {
			draw(t, a, width, height)
		}
	}
}

func draw(t *testing.T, a *App, w, h int) {
	t.Helper()
	defer func() {
		if e := recover(); e != nil {
			t.Fatalf("%d x %d: %v\n%s", w, h, e, debug.Stack())
		}
	}()
	a.Draw(tui.NewCanvas(w, h))
}

func TestDrawNeverPanicsWithoutAnOrder(t *testing.T) {
	a, h := bare(t, "11")
	a.view = &kiosk.OrderView{}
	for name, p := range pages(a, h) {
		a.page = p
		for _, size := range [][2]int{{60, 20}, {80, 24}, {132, 43}, {200, 50}} {
			draw(t, a, size[0], size[1])
		}
		for _, k := range []string{"up", "down", "enter", "tab", "f1", "f4", "f5", "f7", "f8", "f9", "esc", "pgup", "pgdn", "backspace"} {
			a.page = p
			func() {
				defer func() {
					if e := recover(); e != nil {
						t.Errorf("%s: key %s: %v", name, k, e)
					}
				}()
				a.Handle(tui.Key{Name: k})
			}()
		}
	}
}

func TestTheCaretStandsBehindWideLetters(t *testing.T) {
	a, _ := bare(t, "51")
	f := newFormPage(a)
	a.page = f
	for _, p := range f.cells(a) {
		if p.field.Type == "text" && !p.field.ReadOnly && p.row < 0 {
			f.at = p
			break
		}
	}
	a.Handle(tui.Key{Name: "ctrl+u"})
	a.Handle(tui.Key{Name: "rune", Text: "赵"})
	a.Handle(tui.Key{Name: "rune", Text: "试"})
	c := tui.NewCanvas(80, 24)
	a.Draw(c)
	if x, _, shown := c.Caret(); !shown || x != colValue+4 {
		t.Errorf("the caret stands at %d (%t), want %d", x, shown, colValue+4)
	}
}

func BenchmarkUpdateView80x24(b *testing.B) { benchmarkForm(b, 80, 24) }

func BenchmarkUpdateView200x50(b *testing.B) { benchmarkForm(b, 200, 50) }

// benchmarkForm types into field 10 of a half-filled form and draws it.
func benchmarkForm(b *testing.B, width, height int) {
	a, _ := bare(b, "11")
	a.Handle(tui.Key{Name: "rune", Text: "1"})
	theme, err := tui.ThemeByName(tui.ThemeNames()[0])
	if err != nil {
		b.Fatal(err)
	}
	c := tui.NewCanvas(width, height)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		a.Handle(tui.Key{Name: "rune", Text: string(rune('1' + i%9))})
		c.Clear()
		a.Draw(c)
		_ = c.Render(theme)
	}
}
