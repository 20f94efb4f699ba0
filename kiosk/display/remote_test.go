package display_test

import (
	"testing"
	"time"

	"countersign/internal/fault"
	"countersign/kiosk/mirror"
)

// phone is the stage at which the customer signs with a key at a provider; waiting says whether their telephone was asked.
func phone(waiting bool, providers ...string) mirror.Snapshot {
	s := channel()
	s.Stage, s.Seam = mirror.Remote, seam("seam.counter.no_pin", "clerk", clerk)
	c := s.Confirm
	c.Method, c.Rank, c.SentAt, c.Purpose, c.Providers = "remote", "4/4", at, "ký phiếu 000042, Thay đổi công suất", providers
	if waiting {
		c.State, c.Provider, c.Until = "waiting", providers[0], at.Add(2*time.Minute)
	}
	return s
}

func TestATelephoneIsAskedOnceAndItsNumberIsOnTheScreen(t *testing.T) {
	d := newDesk(t, phone(false, "SmartCA (MÔ PHỎNG)"))
	d.asked("remote K1 0") // there is only one: nobody has to choose
	d.hear(phone(false, "SmartCA (MÔ PHỎNG)"))
	d.asked()
	d.hear(phone(true, "SmartCA (MÔ PHỎNG)"))
	d.shows("Đang chờ điện thoại của quý khách, SmartCA (MÔ PHỎNG).", "SỐ PHIẾU         000042", "còn 2 phút", "Mã PIN chỉ nhập trên điện thoại")
	d.svc.taken()
	d.press("*")
	d.asked("channel K1 remote")

	d = newDesk(t, phone(false, "SmartCA", "SIM"))
	d.asked()
	d.press("2")
	d.asked("remote K1 1")
	d.press("+")
	d.shows("Quý khách muốn xác nhận bằng cách nào?")
}

func TestARefusedTelephoneLeadsBackToTheChoiceAndSaysWhy(t *testing.T) {
	s := channel()
	s.Confirm.Method, s.Confirm.Failed = "remote", "remote.late"
	d := newDesk(t, phone(true, "SmartCA"), s)
	d.shows("Quý khách muốn xác nhận bằng cách nào?", "! Hết giờ chờ xác nhận ký từ xa.")

	d = newDesk(t)
	d.svc.fail = fault.New(fault.NotFound, "own.remote", fault.Args{"name": "SmartCA"})
	d.hear(phone(false, "SmartCA"))
	d.shows("Không thấy khóa của khách tại nơi ký số từ xa SmartCA", "1 Gửi tới điện thoại")
}
