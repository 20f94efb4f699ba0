package clerk

import (
	"testing"
	"time"

	"countersign/internal/locale"
	"countersign/kiosk"
)

// own brings the order to where the customer signs with a key of their own.
func (w *world) own(m kiosk.Method, k kiosk.OwnKey) {
	w.t.Helper()
	k.Asked, k.Issuer, k.Serial, k.PreparedID = w.hall.clock.Now(), "VNPT Certification Authority", "5401ABCD", "p1"
	w.hall.customer(w.t, func(o *kiosk.Order) error { return o.TakeOwn(m, k, w.hall.clock.Now()) })
	w.wait("Khách chọn khóa của mình")
}

func TestK13ShowsTheCourseOfAnOwnKeyAndAsksForNoPIN(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.toCode()
	w.own(kiosk.ByToken, kiosk.OwnKey{Prepared: w.hall.clock.Now()})
	w.golden("k13-token")
	w.own(kiosk.ByRemote, kiosk.OwnKey{Prepared: w.hall.clock.Now(), Provider: "SmartCA (MÔ PHỎNG)", State: kiosk.RemoteWaiting, Until: w.hall.clock.Now().Add(2 * time.Minute)})
	w.wait("SmartCA (MÔ PHỎNG), số 000042")
	w.golden("k13-remote")
	w.own(kiosk.ByRemote, kiosk.OwnKey{Provider: "SmartCA (MÔ PHỎNG)", State: kiosk.RemoteFailed, Failed: "remote.late"})
	w.play(`see "Hết giờ chờ xác nhận"
		key f1
		see "Hạng 4/4"`)
}
