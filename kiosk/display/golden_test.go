package display_test

import (
	"strings"
	"testing"

	"countersign/internal/tui"
	"countersign/internal/tui/tuitest"
	"countersign/kiosk/display"
	"countersign/kiosk/mirror"
)

// stages are all screens, each reached as a customer reaches it.
func stages() map[string]func(t testing.TB) *desk {
	one := func(s func() mirror.Snapshot) func(testing.TB) *desk {
		return func(t testing.TB) *desk { return newDesk(t, s()) }
	}
	return map[string]func(t testing.TB) *desk{
		"c1-welcome": one(welcome), "visit": one(visit), "c2-live": one(form), "c2-invite": one(invite), "c2-question": one(question),
		"c2-asking": func(t testing.TB) *desk {
			d := newDesk(t, form())
			d.press("0", "0")
			return d
		},
		"c2-reason": func(t testing.TB) *desk {
			d := newDesk(t, form())
			d.press("0", "0", "6", "1")
			d.hear(objected())
			d.press("0", "0", "6")
			return d
		},
		"c2-reported": func(t testing.TB) *desk {
			d := newDesk(t, form())
			d.press("0", "0", "6", "1")
			d.hear(objected())
			return d
		},
		"c3-reading": func(t testing.TB) *desk { return newDesk(t, reading(2)) },
		"c3-overlap": func(t testing.TB) *desk { return newDesk(t, reading(1), reading(2)) },
		"c4-agree": func(t testing.TB) *desk {
			d := newDesk(t, reading(3))
			d.press("+")
			return d
		},
		"c5-card": one(card),
		"c5-picture": func(t testing.TB) *desk {
			d := newDesk(t)
			d.svc.portrait = face(t)
			d.hear(pictured())
			return d
		},
		"c6-channel": one(channel), "c6-enrol": one(enrol),
		"c6-secret": func(t testing.TB) *desk {
			d := newDesk(t, enrol())
			d.press(".")
			return d
		},
		"c6-app": func(t testing.TB) *desk {
			d := newDesk(t, enrol())
			d.press("enter")
			return d
		},
		"c6-code": func(t testing.TB) *desk {
			d := newDesk(t, code())
			d.press("1", "2", "3")
			return d
		},
		"c6-ink": one(func() mirror.Snapshot { return pen("open") }),
		"c6-ink-written": func(t testing.TB) *desk {
			d := newDesk(t, pen("open"))
			d.writes()
			d.press("enter")
			d.hear(pen("written"))
			return d
		},
		"c6-token": func(t testing.TB) *desk {
			d := withBox(t, &box{plugged: []display.Certificate{held("NGUYỄN VĂN THỬ", "last")}})
			d.press("1", "2", "3")
			return d
		},
		"c6-remote":          one(func() mirror.Snapshot { return phone(true, "SmartCA (MÔ PHỎNG)") }),
		"c6-remote-choice":   one(func() mirror.Snapshot { return phone(false, "VNPT SmartCA", "Viettel MySign") }),
		"c6-token-none":      func(t testing.TB) *desk { return withBox(t, &box{}) },
		"c6-token-no-module": one(own),
		"c6-token-two": func(t testing.TB) *desk {
			return withBox(t, &box{plugged: []display.Certificate{held("NGUYỄN VĂN THỬ", "ready"), held("CÔNG TY TNHH MẪU SẢN XUẤT", "ready")}})
		},
		"waiting": one(waiting), "c7-receipt": one(receipt), "c7-refused": one(refused), "c8-rating": one(rating), "c9-thanks": one(thanks),
		"stopped": one(stopped), "c10-locked": one(curtain),
		"c10-lost": func(t testing.TB) *desk {
			d := newDesk(t, form())
			d.pass(6e9)
			return d
		},
	}
}

func TestEveryStageAsDrawn(t *testing.T) {
	for name, reach := range stages() {
		t.Run(name, func(t *testing.T) { tuitest.Golden(t, name+".txt", reach(t).plain()) })
	}
}

func TestOtherLanguages(t *testing.T) {
	for _, lang := range []string{"en", "zh-Hant"} {
		for name, snap := range map[string]mirror.Snapshot{"c1-welcome": welcome(), "c6-code": code(), "c6-channel": channel(), "c6-ink": pen("open"), "c6-remote": phone(true, "SmartCA"), "c6-token": own(), "c7-receipt": receipt(), "c2-invite": invite()} {
			t.Run(lang+" "+name, func(t *testing.T) {
				snap.Lang = lang
				tuitest.Golden(t, name+"-"+lang+".txt", newDesk(t, snap).plain())
			})
		}
	}
}

func TestOtherSizes(t *testing.T) {
	for _, size := range []struct {
		name string
		w, h int
	}{{"60x20", 60, 20}, {"100x30", 100, 30}, {"132x43", 132, 43}, {"200x50", 200, 50}} {
		for name, snap := range map[string]mirror.Snapshot{"c2-live": form(), "c3-reading": reading(2), "c6-channel": channel(), "c6-ink": pen("open"), "c6-remote": phone(true, "SmartCA (MÔ PHỎNG)"), "c6-token": own()} {
			t.Run(size.name+" "+name, func(t *testing.T) {
				d := newDesk(t, snap)
				d.size(size.w, size.h)
				if snap.Stage == mirror.Ink {
					d.writes()
				}
				tuitest.Golden(t, name+"-"+size.name+".txt", d.plain())
			})
		}
	}
}

func TestTooSmallAWindowSaysSoAndTakesNoKey(t *testing.T) {
	d := newDesk(t, invite())
	d.size(58, 18)
	tuitest.Golden(t, "k18-small.txt", d.plain())
	d.svc.taken()
	d.press("enter", "0")
	if got := strings.Join(d.svc.taken(), ","); got != "touch,touch" {
		t.Errorf("asked %s", got)
	}
}

// TestEveryStageInEveryLanguageHasItsWords finds ids that are in no catalogue, and rows that are cut.
func TestEveryStageInEveryLanguageHasItsWords(t *testing.T) {
	for name, reach := range stages() {
		for _, lang := range []string{"vi", "en", "zh-Hant"} {
			d := reach(t)
			d.app.Draw(tui.NewCanvas(80, 24))
			if s := d.last; s.Stage != "" {
				s.Lang = lang
				d.hear(s)
			}
			frame := d.plain()
			if strings.Contains(frame, "‹") {
				t.Errorf("%s in %s lacks a text:\n%s", name, lang, frame)
			}
			for n, row := range strings.Split(frame, "\n") {
				if n != 23 && strings.HasSuffix(row, "..") && !strings.HasSuffix(row, " ..") {
					t.Errorf("%s in %s cuts row %d: %s", name, lang, n+1, row)
				}
			}
		}
	}
}
