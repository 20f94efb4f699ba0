package clerk

import (
	"strings"
	"testing"
	"time"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/kiosk"
)

func TestATickStandsOnlyAfterTheServiceSaved(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.form()
	w.hall.mu.Lock()
	w.hall.lost = true
	w.hall.mu.Unlock()
	// Typing goes on while the service is silent; both fields keep their sign.
	w.play(`type 1
		see "Mất kết nối máy chủ từ 09:14:00"
		see "~ chưa lưu"
		type 7,5
		key enter
		see "7,5 kW"
		key f10
		see "Chưa kiểm tra được khi mất máy chủ"
		key up
		see "Mất kết nối máy chủ từ 09:14:00"`)
	w.golden("lost")
	w.answered() // else the second comes too late to be asked again in this second
	w.hall.mu.Lock()
	w.hall.lost = false
	w.hall.mu.Unlock()
	w.tick(time.Second)
	w.play(`see "✓ 09:14:01"
		see-not "~ chưa lưu"
		see "Đã nối lại, 2 ô vừa lưu"`)
}

func TestARefusedSaveKeepsTheValueWithItsReason(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.form()
	w.play(`type 1
		see "✓ 09:14:00"`)
	w.hall.mu.Lock()
	w.hall.fail = fault.New(fault.Unavailable, "store.full", nil)
	w.hall.mu.Unlock()
	w.play(`type 7,5
		key enter
		see "! 10"
		see "7,5 kW"`)
}

func TestAnotherClerksValueIsAConflictAndNeverSilent(t *testing.T) {
	for _, choice := range []struct{ key, want string }{{"1", "0900 000 018"}, {"2", "0900 000 019"}} {
		w := newWorld(t, locale.Vietnamese, 80, 24)
		w.form()
		w.hall.mu.Lock()
		w.hall.taken = "phone"
		w.hall.mu.Unlock()
		w.play(`type 1
			key up up up up up
			type 0900000018
			see "Tú vừa sửa ô 5. F8 tới ô"
			key f8
			see "Tú vừa sửa ô 5: 0900 000 019. 1 giữ của tôi  2 nhận của Tú"
			type ` + choice.key + `
			see "` + choice.want + `"
			see-not "1 giữ của tôi"
			see-not "~ đang lưu"`)
		v, err := w.hall.with(w.hall.newest(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := number(v.Order.Values["phone"].Text); v.Order.Values["phone"].Text != strings.ReplaceAll(choice.want, " ", "") {
			t.Errorf("choice %s left %s", choice.key, got)
		}
	}
}

func TestUndoTakesBackTypingThenTheLastExit(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.form()
	w.play(`type 1
		see "✓ 09:14:00"
		type 12
		key ctrl+z ctrl+z
		see "_____ kW"
		key ctrl+z
		see "▫  1 Đối chiếu giấy tờ"
		key ctrl+y
		see "✓ 09:14:00"`)
}

func TestTableRowsOpenLeaveAndGo(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
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
		see "576"
		see "▫ 14.2"
		key enter
		see "▸ ▫ 15"
		key up
		see "▸ ▫ 14.2"
		key up up up up
		key ctrl+d
		see-not "576"
		key ctrl+z
		see "576"`)
}

func TestALateAnswerNeverTouchesWhatIsBeingTyped(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.form()
	w.play(`type 1
		see "✓ 09:14:00"
		type 7`)
	// The order as it was before, and another order: neither changes the cell in hand.
	old := kiosk.OrderView{Order: kiosk.Order{Key: w.hall.newest(), Rev: 1, State: kiosk.Draft}}
	w.hall.events <- Update{Event: kiosk.ClerkEvent{Order: &old}}
	other := kiosk.OrderView{Order: kiosk.Order{Key: "other", Rev: 99, State: kiosk.Sealed}}
	w.hall.events <- Update{Event: kiosk.ClerkEvent{Order: &other, Seam: kiosk.Seam{ID: "seam.customer.watching"}}}
	w.play(`see "đang xem phiếu"
		see "▸ ▫ 10 Công suất đề nghị   7"
		see "✓ 09:14:00"`)
}

func TestPasteIsNoExitAndNoDigitShortcut(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.toSeal()
	w.play(`paste "0042"
		see "____"
		scan "000000042"
		see "____"`)
}

func TestTypingIsShownToTheCustomer(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.form()
	w.play(`type 1
		type 7,5
		see "7,5"`)
	w.until("the customer sees what is typed", func() bool {
		w.hall.mu.Lock()
		defer w.hall.mu.Unlock()
		n := len(w.hall.typed)
		return n > 0 && w.hall.typed[n-1] == "capacity=7,5"
	})
}

func TestTheIdleCounterLocksAndComesBackToTheCell(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.form()
	w.play(`type 1
		type 7`)
	w.tick(2 * time.Minute)
	// A key of the customer counts: the slow reader is not curtained.
	w.hall.events <- Update{Event: kiosk.ClerkEvent{Active: w.hall.clock.Now(), Seam: kiosk.Seam{ID: "seam.customer.watching"}}}
	w.wait("đang xem phiếu")
	w.tick(2 * time.Minute)
	w.wait("PHIẾU 11")
	w.tick(time.Minute)
	w.play(`see "QUẦY ĐANG KHÓA"
		see-not "NGUYỄN"
		type 271829
		see "!"
		type 271828
		see "▸ ▫ 10 Công suất đề nghị   7"`)
	w.until("the service was asked to lock once", func() bool {
		w.hall.mu.Lock()
		defer w.hall.mu.Unlock()
		return w.hall.locks == 1
	})
}

func TestWaitingForTheCustomerLocksAfterTenMinutesOnly(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.toReading()
	w.tick(9 * time.Minute)
	w.wait("CHỜ KHÁCH ĐỌC")
	w.tick(time.Minute)
	w.wait("QUẦY ĐANG KHÓA")
	w.until("the order is set aside and still being read", func() bool {
		v, err := w.hall.with(w.hall.newest(), nil)
		return err == nil && v.Order.State == kiosk.Reading && v.Order.Aside
	})
}

func TestKeysPressedWhileAPageOpensAreNotLost(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.signIn()
	// F6, the service and the first fields without looking.
	w.play(`key f6
		type 01
		type 1
		type 001090000017
		see "✓ 09:14:00"
		see "001 090 000 017"`)
}

func TestObjectionLeadsToItsFieldAndBlocks(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.filled()
	w.hall.customer(t, func(o *kiosk.Order) error { return o.Object("email", 1, w.hall.clock.Now()) })
	w.play(`see "Khách thấy ô 6 chưa đúng: sai chính tả"
		key f10
		see "!"
		key f8
		see "▸ ?  6 Thư điện tử"
		key f6
		see "chờ khách xem lại"`)
}

func TestNoListShowsAWholePersonalNumber(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 132, 43)
	w.hall.home = day()
	w.signIn()
	w.play(`see "TRẦN THỊ MẪU"
		type "n v thu"
		see "NGÔ VĂN THUẬN"`)
	if strings.Contains(w.at.Plain(), thu.Number) || strings.Contains(w.at.Plain(), number(thu.Number)) {
		t.Error("the search shows a whole ID number")
	}
}

func TestNothingFromOutsideReachesTheTerminalRaw(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.hall.home = day()
	w.hall.home.Visits[0].Name = "A\x1b[31mB\u202eC"
	w.signIn()
	w.wait("TRẦN THỊ MẪU")
	if s := w.at.Plain(); strings.ContainsAny(s, "\x1b\u202e") || !strings.Contains(s, "A[31mBC") {
		t.Errorf("a name brought control characters to the screen: %q", s)
	}
}
