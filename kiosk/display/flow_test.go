package display_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk/display"
	"countersign/kiosk/mirror"
)

// asked fails the test unless the service was asked exactly this since the last look.
func (d *desk) asked(want ...string) {
	d.t.Helper()
	if got := d.svc.taken(); !slices.Equal(got, want) {
		d.t.Errorf("the service was asked %q, want %q; the screen:\n%s", got, want, d.plain())
	}
}

func (d *desk) shows(want ...string) {
	d.t.Helper()
	frame := d.plain()
	for _, w := range want {
		if !strings.Contains(frame, w) {
			d.t.Errorf("the screen lacks %q:\n%s", w, frame)
		}
	}
}

func (d *desk) hides(bad ...string) {
	d.t.Helper()
	frame := d.plain()
	for _, b := range bad {
		if strings.Contains(frame, b) {
			d.t.Errorf("the screen shows %q:\n%s", b, frame)
		}
	}
}

func TestTheWholeWayFromWelcomeToThanks(t *testing.T) {
	d := newDesk(t, welcome())
	d.press("2")
	d.asked("language en")
	d.hear(form())
	d.press("enter")
	d.asked("touch")
	d.hear(invite())
	d.press("enter")
	d.asked("agree_form K1")
	d.hear(reading(1))
	d.press("+")
	d.asked("page K1 2")
	d.hear(reading(2))
	d.press("enter")
	d.asked("touch")
	d.press("-", "+", "9")
	d.asked("page K1 1", "page K1 3", "help K1")
	d.hear(reading(3))
	d.press("+")
	d.asked("touch")
	d.shows("ĐỒNG Ý VỚI PHIẾU CÔNG VIỆC", "Enter Tôi đồng ý")
	d.press("enter", "enter")
	d.asked("agree K1 3f9a71c2", "touch")
	d.svc.portrait = face(t)
	d.hear(pictured())
	d.asked("portrait K1")
	d.press("0")
	d.asked("retake K1")
	d.hear(channel())
	d.press("1")
	d.asked("channel K1 mail")
	d.hear(code())
	d.press("1", "2", ".", "2", "3", "4", "5", "6")
	d.asked("digits K1 1", "digits K1 2", "digits K1 1", "digits K1 2", "digits K1 3", "digits K1 4", "digits K1 5", "code K1 123456")
	d.hear(waiting())
	d.shows("Đã nhận xác nhận")
	d.hear(receipt())
	d.press("1")
	d.asked("receipt K1 mail")
	d.hear(rating())
	d.press("5")
	d.asked("rate K1 5")
	d.hear(thanks())
	d.shows("7KQ2-M9XA")
	d.press("enter")
	d.asked("done K1")
	d.shows("KÍNH CHÀO QUÝ KHÁCH")
	d.hides("000042", "7KQ2", "Thay đổi")
}

func TestObjectionNamesARowAndAReasonAndOnlyTheCustomerClosesIt(t *testing.T) {
	d := newDesk(t, form())
	d.press("0", "2", "7")
	d.asked("touch", "touch", "touch")
	d.shows("Không có ô 27 ở đây")
	d.press("0", "6", "5", "-")
	d.asked("touch", "touch", "touch", "touch")
	d.hides("Ô số mấy")
	d.press("0", "0", "6", "2")
	d.asked("touch", "touch", "touch", "object K1 email 2")
	d.hear(objected())
	d.shows("Đã báo ô 6 lúc 09:14")
	d.hear(question())
	d.press("0", "1")
	d.asked("touch", "object K1 email 1")
	d.hear(objected())
	d.hear(question())
	d.press("enter")
	d.asked("accept K1 email")
	d.hear(form())
	d.hides("Đã báo ô 6", "Xin xem lại")
}

func TestObjectionWhileReadingUsesTheRowsOfTheForm(t *testing.T) {
	d := newDesk(t, invite(), reading(1))
	d.press("0")
	d.shows("Ô số mấy chưa đúng?", "Công suất đề nghị")
	d.press("1", "0", "2")
	d.asked("touch", "touch", "touch", "object K1 kw 2")

	d = newDesk(t, reading(1)) // A screen that was restarted does not know the rows.
	d.press("0")
	d.asked("help K1")
	d.shows("Xin quý khách chỉ chỗ chưa đúng")
}

func TestSilenceDrawsTheCurtainAndDropsAHalfTypedCode(t *testing.T) {
	d := newDesk(t, code())
	d.press("1", "2", "3")
	d.shows("*  *  *  _  _  _")
	d.svc.taken()
	d.pass(5 * time.Second)
	d.hides("MÀN HÌNH ĐANG ĐƯỢC CHE")
	d.pass(time.Second)
	d.shows("MÀN HÌNH ĐANG ĐƯỢC CHE", "Mất kết nối với quầy từ 09:14:00")
	d.hides("000042", "Thay đổi", "Xác nhận")
	d.press("4", "-")
	d.asked()
	d.hear(code())
	d.shows("▸  _  _  _  _  _  _")
	d.press("4", "5", "6")
	d.asked("digits K1 1", "digits K1 2", "digits K1 3")
}

func TestAHeartbeatKeepsTheScreenOpen(t *testing.T) {
	d := newDesk(t, code())
	d.press("1")
	for range 10 {
		d.pass(2 * time.Second)
		s := code()
		s.Now = s.Now.Add(d.now.Now().Sub(at))
		d.hear(s)
	}
	d.shows("*  _  _  _  _  _", "còn 3 phút 48 giây")
}

func TestALockedCounterAndAnotherOrderDropTheCode(t *testing.T) {
	d := newDesk(t, code())
	d.press("1", "2")
	d.hear(curtain())
	d.hear(code())
	d.shows("▸  _  _  _  _  _  _")
	d.press("1", "2")
	other := code()
	other.Order = "K2"
	d.hear(other)
	d.shows("▸  _  _  _  _  _  _")
	d.press("1", "2")
	again := other
	c := *other.Confirm
	again.Confirm, c.SentAt = &c, c.SentAt.Add(time.Minute)
	d.hear(again)
	d.shows("▸  _  _  _  _  _  _")
}

func TestAWrongCodeEmptiesTheCellsAndSaysHowManyTriesAreLeft(t *testing.T) {
	d := newDesk(t, code())
	d.press("1", "2", "3", "4", "5")
	d.svc.fail = fault.New(fault.Invalid, "otp.wrong", fault.Args{"left": "4"})
	d.press("6")
	d.shows("! Mã chưa đúng. Quý khách còn 4 lần.", "▸  _  _  _  _  _  _")
	d.svc.fail = fault.New(fault.Conflict, "otp.changed", nil)
	d.press("1", "2", "3", "4", "5", "6")
	d.shows("! Phiếu vừa đổi nên mã cũ không dùng được nữa.")
	d.svc.fail = errors.New("out of order")
	d.press("1")
	d.shows("! Có lỗi trong chương trình")
}

func TestACodeIsNeverPastedNorScannedNorShown(t *testing.T) {
	d := newDesk(t, code())
	d.run(d.app.Handle(tui.Paste{Text: "123456"}))
	d.run(d.app.Handle(tui.Scan{Text: "123456"}))
	d.asked("touch", "touch")
	d.press("7", "8", "9")
	d.hides("7  8", "789")
}

func TestASpentCodeTakesNoDigitsAndOffersAnother(t *testing.T) {
	for state, want := range map[string]string{"dead": "Mã bị hủy vì sai 5 lần", "expired": "Mã đã hết hạn", "void": "Phiếu vừa đổi"} {
		s := code()
		s.Confirm.State = state
		d := newDesk(t, s)
		d.shows(want, "* Gửi mã mới", "+ Cách khác")
		d.press("1", "*")
		d.asked("touch", "resend K1")
	}
	d := newDesk(t, code())
	d.press("*")
	d.shows("Gửi lại được sau 22 giây")
	d.asked("touch")
	for range 200 { // The service's own clock runs the code out, heartbeats or not.
		d.pass(2 * time.Second)
		s := code()
		s.Now = s.Now.Add(d.now.Now().Sub(at))
		d.hear(s)
	}
	d.shows("Mã đã hết hạn")
	d.press("+")
	d.shows("Quý khách muốn xác nhận bằng cách nào?")
	d.press("2")
	d.asked("touch", "channel K1 app")
}

func TestEnrollingShowsTheSecretOnlyWhenAsked(t *testing.T) {
	d := newDesk(t, enrol())
	d.hides("JBSW")
	d.press(".")
	d.shows("JBSW Y3DP EHPK 3PXP")
	d.press("enter", "1")
	d.hides("JBSW")
	d.shows("*  _  _  _  _  _")
	d.asked("touch", "touch", "digits K1 1")
	d.press("+")
	d.shows("Quét mã QR")
}

func TestStoppingKeepsTheOrderAndSaysSo(t *testing.T) {
	for _, s := range []mirror.Snapshot{code(), channel(), enrol()} {
		d := newDesk(t, s)
		d.press("-")
		d.asked("stop K1")
		d.hear(welcome())
		d.shows("Quý khách đã dừng. Chưa có gì được ký")
		d.hides("000042")
		d.pass(11 * time.Second)
		d.hear(welcome())
		d.shows("KÍNH CHÀO")
	}
	d := newDesk(t, card())
	d.press("0")
	d.asked("stop K1")
}

func TestPictureCanBeRetakenThreeTimes(t *testing.T) {
	s := pictured()
	s.Retakes = 0
	d := newDesk(t, s)
	d.svc.taken()
	d.press("0")
	d.asked("touch")
	d.shows("Ảnh đã chụp lại đủ 3 lần", "- Tôi muốn dừng")
	d.press("-")
	d.asked("stop K1")
}

func TestALatePictureOfAnotherOrderIsDropped(t *testing.T) {
	d := newDesk(t)
	svc := &late{recorder: d.svc, data: face(t)}
	app := display.New(svc, display.Options{Clock: d.now})
	app.Handle(tui.Resize{W: 80, H: 24})
	d.app = app
	svc.before = func() {
		s := card()
		s.Order = "K2"
		d.hear(s)
	}
	d.hear(pictured())
	d.shows("chưa chụp")
	d.hides("▒")
}

// late is a service during whose answer the screen goes on.
type late struct {
	*recorder
	data   []byte
	before func()
}

func (l *late) Portrait(context.Context, string) ([]byte, error) {
	l.before()
	return l.data, nil
}

func (l *late) Agree(_ context.Context, order, digest string) error {
	l.before()
	return fault.New(fault.Conflict, "order.changed", nil)
}

func TestALateAnswerForAnotherOrderIsNotTold(t *testing.T) {
	d := newDesk(t)
	svc := &late{recorder: d.svc}
	d.app = display.New(svc, display.Options{Clock: d.now})
	d.app.Handle(tui.Resize{W: 80, H: 24})
	svc.before = func() { d.hear(welcome()) }
	d.hear(reading(3))
	d.press("+", "enter")
	d.shows("KÍNH CHÀO")
	d.hides("Phiếu vừa đổi", "vừa thay đổi", "!")
}

func TestANewTextHasToBeReadAnew(t *testing.T) {
	d := newDesk(t, reading(3))
	d.press("+")
	d.shows("ĐỒNG Ý VỚI PHIẾU")
	s := reading(3)
	s.Digest = "another"
	d.hear(s)
	d.shows("ĐỌC PHIẾU CÔNG VIỆC")
	s = reading(3)
	s.Page.End = false
	d.hear(s)
	d.press("+")
	d.hides("ĐỒNG Ý VỚI PHIẾU")
}

func TestNothingIsAgreedToBeforeItWasShown(t *testing.T) {
	d := newDesk(t)
	d.size(60, 20)
	d.hear(invite())
	d.svc.taken()
	d.hides("Enter Đúng hết")
	d.press("enter")
	d.asked("touch")
	d.shows("Xin bấm + để xem hết")
	for range 5 {
		d.press("+")
	}
	d.shows("Enter Đúng hết", "Thiết bị")
	d.svc.taken()
	d.press("enter")
	d.asked("agree_form K1")

	d.hear(reading(2)) // The second page is longer than this window: its end comes before the third page.
	d.press("+")
	d.asked("touch")
	d.shows("4.1 Bảng kê")
	d.press("+")
	d.asked("page K1 3")
}

func TestReceiptShowsTheAddressForFiveSecondsAndOffersWhatIsLeft(t *testing.T) {
	d := newDesk(t, receipt())
	d.hides("thu@mau")
	d.press("9")
	d.shows("thu@mau.example")
	d.pass(5 * time.Second)
	d.hides("thu@mau")
	d.press("0")
	d.asked("touch", "wrong_mail K1")
	d.shows("Đã nhờ nhân viên sửa địa chỉ")
	d.hear(refused())
	d.press("1", "3", "2")
	d.asked("touch", "touch", "receipt K1 print")
	s := refused()
	s.Delivery.Medium = "none"
	d.hear(s)
	d.shows("Hôm nay quý khách được phục vụ thế nào?")
}

func TestWhatNobodyAnswersGoesOnByItself(t *testing.T) {
	for _, c := range []struct {
		snap mirror.Snapshot
		wait time.Duration
		want string
	}{
		{receipt(), 2 * time.Minute, "receipt K1 none"}, {rating(), 30 * time.Second, "rate K1 0"}, {thanks(), 20 * time.Second, "done K1"},
	} {
		d := newDesk(t, c.snap)
		for range int((c.wait - time.Second) / time.Second) {
			d.pass(time.Second)
			d.hear(c.snap)
		}
		d.asked()
		d.pass(time.Second)
		d.asked(c.want)
		d.hear(c.snap)
		d.pass(time.Second)
		d.asked()
	}
}

func TestAnObjectionEndsWithTheStageThatAllowsIt(t *testing.T) {
	d := newDesk(t, invite())
	d.press("0")
	d.hear(card())
	d.hides("Ô số mấy")
	d.shows("THẺ VÀ ẢNH")
}

func TestMessagesFitTheirRowInEveryLanguage(t *testing.T) {
	args := locale.Args{"n": 14, "wait": "4 phút 22 giây", "at": "09:14:05", "number": "06", "value": "7,5 kW", "hash": "3F9A 71C2 8E04 D5B6"}
	for _, lang := range locale.Langs {
		for _, id := range []string{"msg.sending", "msg.lost", "msg.welcome", "msg.visit", "msg.form", "msg.invite", "msg.question", "msg.reported_at", "msg.reported",
			"msg.no_row", "msg.clerk_called", "msg.explain", "msg.hash", "msg.channel", "msg.enrol", "msg.code", "msg.signing", "msg.changed", "msg.dead", "msg.expired",
			"msg.resent", "msg.mail_failed", "msg.receipt", "msg.mail_refused", "msg.printer", "msg.wrong_address", "msg.rating", "why.not_whole", "why.no_retake", "why.too_early"} {
			text := locale.Text(lang, "display."+id, args)
			if w := tui.Width(text); w > 78 {
				t.Errorf("%s %s has %d cells: %s", lang, id, w, text)
			}
		}
	}
}

func TestAnotherStagesNameDrawsTheCurtain(t *testing.T) {
	s := form()
	s.Stage = "something new"
	d := newDesk(t, s)
	d.shows("MÀN HÌNH ĐANG ĐƯỢC CHE")
	d.hides("NGUYỄN")
}

func TestControlCharactersReachNoCell(t *testing.T) {
	s := form()
	s.Rows[2].Value = "A\x1b[31mB\u202eC\nD"
	s.Seam.Args["clerk"] = "\x1b]0;x\a"
	d := newDesk(t, s)
	if frame := strings.ReplaceAll(d.plain(), "\n", ""); strings.ContainsAny(frame, "\x1b\a\u202e") {
		t.Errorf("a control character is on the screen: %q", frame)
	}
}
