package clerk

import (
	"context"
	"testing"
	"time"

	"countersign/internal/locale"
	"countersign/kiosk"
	"countersign/kiosk/catalog"
	"countersign/signing/ink"
	"countersign/signing/signtest"
)

// toPen brings the order to where the customer was given the pen.
func (w *world) toPen() {
	w.t.Helper()
	w.toCode()
	w.hall.pad = &kiosk.Pad{Began: w.hall.clock.Now()}
	w.hall.customer(w.t, func(o *kiosk.Order) error {
		return o.TakePen(kiosk.Pen{Counter: "3", Began: w.hall.clock.Now()}, w.hall.clock.Now())
	})
	w.wait("Khách đang viết")
}

// hands lets the customer hand their writing in.
func (w *world) hands() {
	w.t.Helper()
	now := w.hall.clock.Now()
	w.hall.pad = &kiosk.Pad{Began: now, Ended: now, Preview: signtest.Handwriting().Preview(60, 7), Source: ink.Terminal, Strokes: 3, Duration: 2300 * time.Millisecond, Length: 214}
	w.hall.customer(w.t, func(o *kiosk.Order) error { return o.Wrote("s1", "abcd", now) })
	w.wait("Khách đã viết xong")
}

func TestK13ShowsTheHandwritingAtEverySize(t *testing.T) {
	for _, size := range []struct {
		name string
		w, h int
	}{{"80x24", 80, 24}, {"60x20", 60, 20}, {"100x30", 100, 30}, {"132x43", 132, 43}, {"200x50", 200, 50}} {
		t.Run(size.name, func(t *testing.T) {
			w := newWorld(t, locale.Vietnamese, size.w, size.h)
			w.toPen()
			if size.name == "80x24" {
				w.golden("k13-pen")
			}
			w.hands()
			w.golden("k13-ink-" + size.name)
		})
	}
}

func TestOnlyTheClerksOwnKeyAttestsWhatTheCustomerWrote(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.toPen()
	w.play(`key f10
		see "Khách chưa viết chữ ký tay"
		key f1
		see "Hạng 1/4"`)
	w.hands()
	w.play(`see "F10: tôi đã thấy NGUYỄN VĂN THỬ ký"
		type 2
		see "Đã mời khách viết lại"`)
	w.hands()
	w.play(`key enter
		see "F10: tôi đã thấy"
		key f10
		see "ĐÓNG DẤU"
		see "viết tay, chứng kiến"`)
}

func (h *hall) Attest(_ context.Context, key string) (kiosk.OrderView, error) {
	return h.with(key, func(o *kiosk.Order, _ *catalog.Service) error {
		return o.ConfirmedBy(kiosk.Confirmation{Method: "ink", SignedID: "s", StrokesID: o.Pen.StrokesID, At: h.clock.Now()}, h.clock.Now())
	})
}

func (h *hall) Rewrite(_ context.Context, key string) (kiosk.OrderView, error) {
	return h.with(key, func(o *kiosk.Order, _ *catalog.Service) error {
		return o.TakePen(kiosk.Pen{Counter: "3", Began: h.clock.Now()}, h.clock.Now())
	})
}
