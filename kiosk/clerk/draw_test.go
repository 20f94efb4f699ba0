package clerk

import (
	"runtime/debug"
	"testing"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
)

// pages are every page of the terminal with an order in hand that has reached it.
func (w *world) pages() map[string]page {
	form := func(change func(f *formPage)) *formPage {
		f := newFormPage(w.app)
		change(f)
		return f
	}
	return map[string]page{
		"home": &homePage{view: day(), pick: 1}, "find": &findPage{found: w.hall.known, shown: "n v thu"}, "pick": newPickPage(),
		"form": form(func(*formPage) {}), "list": form(func(f *formPage) {
			for _, p := range f.cells(w.app) {
				if p.field.List != nil {
					f.at = p
				}
			}
			f.list = &listBox{}
		}),
		"help": form(func(f *formPage) { f.help = true }), "errors": form(func(f *formPage) { f.fixing, f.summary = true, true }),
		"table": form(func(f *formPage) {
			for _, p := range f.cells(w.app) {
				if p.row >= 0 {
					f.at = p
				}
			}
		}),
		"check": &checkPage{}, "reading": &readingPage{}, "together": &togetherPage{page: 1, lines: []string{"một", "hai"}, under: &readingPage{}},
		"card": &cardPage{}, "portrait": &portraitPage{}, "picture": &picturePage{under: &portraitPage{}}, "code": &codePage{}, "seal": &sealPage{digits: "00"},
		"done": &donePage{}, "evidence": &evidencePage{key: "x"}, "health": &healthPage{links: w.hall.links, asked: true}, "keys": &keysPage{of: formKeys()},
	}
}

func TestDrawNeverPanicsAtAnySize(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.toSeal()
	w.at.Send(tui.Key{Name: "f1"})
	for name, p := range w.pages() {
		t.Run(name, func(t *testing.T) {
			w.app.page = p
			for width := 1; width <= 250; width += 7 {
				for height := 1; height <= 80; height += 3 {
					draw(t, w.app, width, height)
				}
			}
			for width := 1; width <= 250; width++ {
				draw(t, w.app, width, 20)
				draw(t, w.app, width, 24)
			}
			for height := 1; height <= 80; height++ {
				draw(t, w.app, 60, height)
				draw(t, w.app, 80, height)
				draw(t, w.app, 132, height)
			}
		})
	}
	w.app.locked = true
	for width := 1; width <= 250; width += 3 {
		for height := 1; height <= 80; height += 3 {
			draw(t, w.app, width, height)
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
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.signIn()
	w.app.view = &kiosk.OrderView{}
	for name, p := range w.pages() {
		w.app.page = p
		for _, size := range [][2]int{{60, 20}, {80, 24}, {132, 43}, {200, 50}} {
			draw(t, w.app, size[0], size[1])
		}
		for _, k := range []string{"up", "down", "enter", "tab", "f1", "f4", "f5", "f7", "f8", "f9", "esc", "pgup", "pgdn", "backspace"} {
			w.app.page = p
			func() {
				defer func() {
					if e := recover(); e != nil {
						t.Errorf("%s: key %s: %v", name, k, e)
					}
				}()
				w.app.Handle(tui.Key{Name: k})
			}()
		}
	}
}

func BenchmarkUpdateView80x24(b *testing.B) { benchmarkForm(b, 80, 24) }

func BenchmarkUpdateView200x50(b *testing.B) { benchmarkForm(b, 200, 50) }

// benchmarkForm types into field 10 of a half-filled form and draws it.
func benchmarkForm(b *testing.B, width, height int) {
	h := newHall(b)
	a := New(h, Options{Clock: h.clock})
	a.me, a.shift, a.locked = kiosk.SignedIn{}, true, false
	visit, err := h.OpenVisit(b.Context(), "PA05050000017", "")
	if err != nil {
		b.Fatal(err)
	}
	v, err := h.StartOrder(b.Context(), visit.Visit.Key, "11", false)
	if err != nil {
		b.Fatal(err)
	}
	a.begin(v)
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
