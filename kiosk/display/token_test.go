package display_test

import (
	"strings"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/kiosk/display"
	"countersign/kiosk/mirror"
)

// box is an agent that has what a test plugs in.
type box struct {
	plugged []display.Certificate
	err     error
	pins    []string
	refuse  error
}

func (b *box) Certificates() ([]display.Certificate, error) { return b.plugged, b.err }

func (b *box) Sign(_ any, pin []byte, digest [32]byte) ([]byte, error) {
	b.pins = append(b.pins, string(pin))
	return []byte{'s', '0' + digest[0]}, b.refuse
}

func held(holder, pin string) display.Certificate {
	return display.Certificate{Ref: holder, Token: "VNPT-CA", Holder: holder, Issuer: "VNPT Certification Authority", Serial: "5401ABCD", PIN: pin,
		Ends: time.Date(2028, 6, 30, 0, 0, 0, 0, clock.Vietnam), Chain: [][]byte{[]byte(holder)}}
}

// own is the stage at which the customer signs with their own token.
func own() mirror.Snapshot {
	s := channel()
	s.Stage, s.Seam = mirror.Token, seam("seam.counter.no_pin", "clerk", clerk)
	s.Confirm.Method, s.Confirm.Rank, s.Confirm.SentAt, s.Confirm.Purpose = "token", "4/4", at, "ký phiếu 000042, Thay đổi công suất"
	return s
}

func withBox(t testing.TB, b *box) *desk { return newDeskWith(t, display.Options{Agent: b}, own()) }

func TestAnOwnTokenSignsAfterItsPINAndThePINGoesNowhereElse(t *testing.T) {
	b := &box{plugged: []display.Certificate{held("NGUYỄN VĂN THỬ", "ready")}}
	d := withBox(t, b)
	d.asked("prepare K1 NGUYỄN VĂN THỬ")
	d.shows("nơi cấp VNPT Certification Authority, số 5401ABCD, hạn 30/06/2028", "MÃ PIN", "4/4")
	d.press("2", "4", "6", "8", "x", ".", "1", "0")
	d.shows("******_")
	d.svc.taken()
	d.press("enter")
	d.asked("finish K1 s7")
	if strings.Join(b.pins, ",") != "2468"+"10" {
		t.Errorf("the token was given %q", b.pins)
	}
	d.hides("*")
}

func TestAWrongPINIsToldAndCountedByTheTokenAlone(t *testing.T) {
	b := &box{plugged: []display.Certificate{held("NGUYỄN VĂN THỬ", "ready")}}
	d := withBox(t, b)
	for _, c := range []struct{ code, see string }{
		{"key.pin", "Đã có lần nhập sai mã PIN"},
		{"key.pin_last", "Còn đúng một lần thử"},
		{"key.locked", "Token đã khóa"},
	} {
		b.refuse = fault.New(fault.Forbidden, c.code, fault.Args{"token": "01"})
		d.svc.taken()
		d.press("1", "2", "3", "4", "enter")
		d.shows(c.see)
		for _, call := range d.svc.taken() {
			if call != "touch" {
				t.Errorf("after %s the service was asked %q", c.code, call)
			}
		}
	}
	if len(b.pins) != 3 {
		t.Errorf("the token was asked %d times for three PINs", len(b.pins))
	}
	d.hides("Enter Ký")
	d.shows("+ Cách khác")
	d.press("+")
	d.shows("Quý khách muốn xác nhận bằng cách nào?")
}

func TestTheScreenSaysExactlyWhatIsMissing(t *testing.T) {
	d := newDesk(t, own())
	d.shows("Máy này chưa được cài trình điều khiển token.", "--token-module")
	d = newDesk(t, channel())
	d.shows("máy này chưa cài trình điều khiển token")
	d.svc.taken()
	d.press("4")
	d.asked("touch")

	b := &box{}
	d = withBox(t, b)
	d.shows("Chưa thấy token hoặc thẻ nào ở máy này.", "Xin cắm USB token")
	b.plugged = []display.Certificate{held("NGUYỄN VĂN THỬ", "ready"), held("CÔNG TY TNHH MẪU", "ready")}
	d.pass(3 * time.Second)
	d.shows("Quý khách ký bằng chứng thư nào?", "CÔNG TY TNHH MẪU", "1-2 Chọn")
	d.svc.taken()
	d.press("2")
	d.asked("prepare K1 CÔNG TY TNHH MẪU")

	b = &box{err: fault.New(fault.Unavailable, "key.module", fault.Args{"module": "x.so"})}
	d = withBox(t, b)
	d.shows("Trình điều khiển token x.so không dùng được")
}

func TestARefusedCertificateIsNotTriedAgainByItself(t *testing.T) {
	b := &box{plugged: []display.Certificate{held("NGƯỜI KHÁC", "ready")}}
	d := newDeskWith(t, display.Options{Agent: b})
	d.svc.fail = fault.New(fault.Forbidden, "key.other_person", nil)
	d.hear(own())
	d.shows("Chứng thư thuộc người khác", "1 Chọn")
	d.svc.taken()
	d.pass(10 * time.Second)
	for _, call := range d.svc.taken() {
		if strings.HasPrefix(call, "prepare") {
			t.Errorf("the service was asked %q again", call)
		}
	}
}

func TestAPINIsWipedWhenItsOrderOrTheConnectionGoes(t *testing.T) {
	for name, gone := range map[string]func(d *desk){
		"another order comes":    func(d *desk) { d.hear(welcome()); d.hear(own()) },
		"the connection is lost": func(d *desk) { d.pass(6 * time.Second); d.hear(own()) },
		"another way is looked":  func(d *desk) { d.press("+", "-") },
	} {
		d := withBox(t, &box{plugged: []display.Certificate{held("NGUYỄN VĂN THỬ", "ready")}})
		d.press("1", "2", "3")
		d.shows("***_")
		gone(d)
		if strings.Contains(d.plain(), "*_") {
			t.Errorf("%s, and the PIN stays:\n%s", name, d.plain())
		}
	}
}
