package clerk

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/internal/tui/tuitest"
	"countersign/kiosk"
)

var update = flag.Bool("update", false, "write the goldens anew")

// world is a terminal without a terminal before a service in memory.
type world struct {
	t    *testing.T
	hall *hall
	app  *App
	at   *tuitest.Headless
	shot chan []byte // the camera
}

func newWorld(t *testing.T, lang locale.Lang, w, h int) *world {
	t.Helper()
	wd := &world{t: t, hall: newHall(t), shot: make(chan []byte, 1)}
	wd.app = New(wd.hall, Options{Lang: lang, Clock: wd.hall.clock, Counter: "3", Unit: kiosk.Unit{Code: "PA0505", Name: "Điện lực Bắc Giang"},
		Portraits: func(ctx context.Context, _ time.Time) ([]byte, error) {
			select {
			case p := <-wd.shot:
				return p, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}})
	at, err := tuitest.NewHeadless(wd.app, w, h)
	if err != nil {
		t.Fatal(err)
	}
	at.HoldTime(morning)
	wd.at = at
	t.Cleanup(func() { _ = at.Close() })
	return wd
}

// play plays a journey and returns the keys it took.
func (w *world) play(journey string) tuitest.Count {
	w.t.Helper()
	j, err := tuitest.Parse(w.t.Name(), journey)
	if err != nil {
		w.t.Fatal(err)
	}
	p := tuitest.Player{Terminals: map[string]tuitest.Terminal{"clerk": w.at}, Patience: 20 * time.Second, Vars: map[string]string{"qr": thu.QR()}}
	r, err := p.Play(context.Background(), j)
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.at.Plain())
	}
	return r.Counts["clerk"]
}

// signIn opens the shift.
func (w *world) signIn() {
	w.t.Helper()
	w.play("type lananh\nkey enter\ntype Quay3@BacGiang\nkey enter\nsee-not \"" + w.app.t("clerk.lock.start_title", nil) + "\"\nsee \"" +
		w.app.t("clerk.home.visits", nil) + "\"")
}

// tick lets time pass, as the terminal's clock tells it.
func (w *world) tick(d time.Duration) {
	w.hall.clock.Advance(d)
	w.at.Send(tui.Tick{At: w.hall.clock.Now()})
}

// golden compares the screen with the drawing that was kept.
func (w *world) golden(name string) {
	w.t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		// Nothing says that no answer is on its way any more; a third of a second without a change must do.
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		_, _ = w.at.Wait(ctx, func(tuitest.Shot) bool { return false })
		got := w.at.Plain()
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			w.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if _, err := w.at.Wait(ctx, func(tuitest.Shot) bool { return w.at.Plain() == string(want) }); err != nil {
		w.t.Errorf("%s differs (go test -update writes it anew)\n--- have\n%s--- want\n%s", name, w.at.Plain(), want)
	}
}

// form opens service 11 for the known customer, whose card was scanned.
func (w *world) form() {
	w.t.Helper()
	w.signIn()
	w.play(`scan "${qr}"
		see "11"
		type 11
		see "` + w.app.t("clerk.step.2", nil) + `"`)
}

// filled fills service 11 as it is drawn, up to F10 F10.
func (w *world) filled() {
	w.t.Helper()
	w.form()
	w.play(`type 1
		type 7,5
		key enter
		type "Điều hòa"
		key enter
		type 2
		key enter
		type 1200
		key enter
		type 8
		key enter
		type "Bếp từ"
		key enter
		type 2
		key enter
		type 3600
		key enter
		type 2
		key enter enter
		type 12
		key f10
		see "SẼ KÝ"`)
}

// toReading lets the customer agree to the form.
func (w *world) toReading() {
	w.t.Helper()
	w.filled()
	w.play(`key f10
		see "Đã mời"`)
	w.hall.customer(w.t, w.hall.generated)
	w.play(`see "CHỜ KHÁCH ĐỌC"`)
}

// toPortrait lets the customer read to the end and agree.
func (w *world) toPortrait() {
	w.t.Helper()
	w.toReading()
	w.hall.customer(w.t, func(o *kiosk.Order) error {
		for p := range o.Document.Pages {
			if err := o.ShowPage(p+1, w.hall.clock.Now()); err != nil {
				return err
			}
		}
		s, _ := w.hall.cat.Service(o.Service)
		w.hall.matched(o, s)
		return o.Agree("3f9a", w.hall.clock.Now())
	})
	w.play(`see "CHỤP ẢNH"`)
}

func (w *world) toCode() {
	w.t.Helper()
	w.toPortrait()
	w.shot <- w.hall.picture
	w.play(`see "Đúng người, nhận ảnh"
		type 1
		see "CHỜ KHÁCH XÁC NHẬN"`)
}

func (w *world) toSeal() {
	w.t.Helper()
	w.toCode()
	w.hall.customer(w.t, func(o *kiosk.Order) error {
		if err := o.Challenged("c1", kiosk.ByMail, w.hall.clock.Now()); err != nil {
			return err
		}
		return o.ConfirmedBy(kiosk.Confirmation{Method: "otp_mail", Channel: "t***@mau.example", Challenge: "c1", Tries: 1, At: w.hall.clock.Now(), SignedID: "s"}, w.hall.clock.Now())
	})
	w.play(`see "ĐÓNG DẤU"`)
}

// wait waits until the screen holds a text.
func (w *world) wait(text string) {
	w.t.Helper()
	w.play(`see "` + strings.ReplaceAll(text, `"`, `\"`) + `"`)
}

// until waits until something holds, looking again at each event that the screen handles.
func (w *world) until(what string, holds func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if _, err := w.at.Wait(ctx, func(tuitest.Shot) bool { return holds() }); err != nil {
		w.t.Errorf("never came: %s", what)
	}
}

// answered waits until no save is on its way any more: its answer is not only given but heard.
func (w *world) answered() {
	w.t.Helper()
	pass := w.app.pass
	w.until("the answer to every save", func() bool {
		busy := true
		w.at.Send(answer{pass: pass, take: func() tui.Cmd {
			busy = w.app.saves.busy
			return nil
		}})
		return !busy
	})
}
