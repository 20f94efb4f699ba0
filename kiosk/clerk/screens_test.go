package clerk

import (
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/internal/locale"
	"countersign/kiosk"
)

func TestK1LocksAndOpens(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.golden("k1-start")
	w.play(`type lananh
		key enter
		type sai
		key enter
		see "!"`)
	w.golden("k1-wrong")
	w.play(`type Quay3@BacGiang
		key enter
		see "LƯỢT HÔM NAY"
		key ctrl+l
		see "QUẦY ĐANG KHÓA"`)
	w.golden("k1-locked")
}

func TestK1AsksForAFirstUnlockCode(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.play(`type moi
		key enter
		type Quay3@BacGiang
		key enter
		see "ĐẶT MÃ MỞ KHÓA"
		type 271828
		type 271829
		see "khác nhau"`)
	w.golden("k1-new-code")
	w.play(`type 271828271828
		see "LƯỢT HÔM NAY"`)
}

// day is a home page like the drawing.
func day() *kiosk.HomeView {
	at := func(h, m int) time.Time { return time.Date(2026, 11, 21, h, m, 0, 0, clock.Vietnam) }
	due := func(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, clock.Vietnam) }
	return &kiosk.HomeView{Working: 3, Done: 12,
		Links: []kiosk.Link{{Name: "mail", State: "ok"}, {Name: "handover", Label: "CMIS", State: "ok"}},
		Tasks: []kiosk.Task{
			{Number: 71, Kind: "overdue", Order: "x", Serial: "000017", Service: "22", Since: due(20), Count: 1},
			{Number: 72, Kind: "outbox", System: "CMIS", Count: 2, Since: at(8, 51), Next: at(9, 15)}},
		Visits: []kiosk.VisitRow{
			{Serial: 1, At: at(9, 12), Name: "NGUYỄN VĂN THỬ", Order: "a", Service: "11", State: kiosk.Draft, Step: 2, Due: due(25), Mine: true},
			{Serial: 2, At: at(8, 58), Name: "TRẦN THỊ MẪU", Order: "b", Service: "12", State: kiosk.Draft, Object: true, Step: 2, Due: due(25), Mine: true},
			{Serial: 3, At: at(8, 40), Name: "CTY TNHH MẪU SẢN XUẤT", Order: "c", Service: "11", State: kiosk.Confirmed, Step: 5, Due: due(26), Mine: true},
			{Serial: 4, At: at(8, 21), Name: "LÊ VĂN MẪU", Order: "d", Service: "31", State: kiosk.Closed, Step: 8, Due: due(23)},
			{Serial: 5, At: at(8, 2), Name: "PHẠM THỊ THỬ", Order: "e", Service: "13", State: kiosk.Closed, Step: 8, Due: due(25)},
			{Serial: 6, At: at(7, 49), Name: "赵试", Order: "f", Service: "51", State: kiosk.Closed, Step: 8, Due: due(21)},
			{Serial: 7, At: at(7, 40), Name: "NGÔ VĂN THUẬN", Order: "g", Service: "11", State: kiosk.Cancelled, Step: 8}}}
}

func TestK2ListsWhatWaitsAndTodaysVisits(t *testing.T) {
	for _, size := range []struct {
		name string
		w, h int
	}{{"80x24", 80, 24}, {"60x20", 60, 20}, {"100x30", 100, 30}, {"132x43", 132, 43}, {"200x50", 200, 50}} {
		t.Run(size.name, func(t *testing.T) {
			w := newWorld(t, locale.Vietnamese, size.w, size.h)
			w.hall.home = day()
			w.signIn()
			w.play(`see "TRẦN THỊ MẪU"
				see "22 Chấm dứt"`)
			w.golden("k2-" + size.name)
		})
	}
}

func TestK3FindsByBeginningsOfWords(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.signIn()
	w.play(`type "n v thu"
		see "NGÔ VĂN THUẬN"
		see "3 người"`)
	w.golden("k3-name")
	w.play(`key enter
		see "CHỌN DỊCH VỤ  NGUYỄN VĂN THỬ"`)
}

func TestK4ShowsTheServicesCard(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.signIn()
	w.play(`scan "${qr}"
		see "CẤP ĐIỆN"
		type 1
		see "11 THAY ĐỔI"`)
	w.golden("k4")
}

func TestK5FormAtEverySize(t *testing.T) {
	for _, size := range []struct {
		name string
		w, h int
	}{{"80x24", 80, 24}, {"60x20", 60, 20}, {"100x30", 100, 30}, {"132x43", 132, 43}, {"200x50", 200, 50}} {
		t.Run(size.name, func(t *testing.T) {
			w := newWorld(t, locale.Vietnamese, size.w, size.h)
			w.drawing()
			w.golden("k5-" + size.name)
		})
	}
}

// drawing brings the form to the state in which K5 is drawn: a changed phone, an objection to field 6, and
// field 10 refused and in hand.
func (w *world) drawing() {
	w.t.Helper()
	w.form()
	w.play(`type 1
		key up up up up up
		type 0900000018
		see "  *  5"`)
	w.hall.customer(w.t, func(o *kiosk.Order) error { return o.Object("email", 1, w.hall.clock.Now()) })
	w.play(`see "  ?  6"
		type 75,0
		key enter
		see "75,0 kW"
		key up`)
}

func TestK5InEnglishAndChinese(t *testing.T) {
	for _, lang := range []locale.Lang{locale.English, locale.Chinese} {
		t.Run(string(lang), func(t *testing.T) {
			w := newWorld(t, lang, 80, 24)
			w.form()
			w.play(`type 1
				type 75,0
				key enter
				see "75,0 kW"
				key up`)
			w.golden("k5-" + string(lang))
		})
	}
}

func TestK6K7OpenOverTheForm(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.form()
	w.play(`type 1
		type 75,0
		key enter
		see "75,0 kW"
		key up
		key f4
		see "lọc:"`)
	w.golden("k6")
	w.play(`key esc
		key f1
		see "Nghĩa"`)
	w.golden("k7")
	w.play(`key f1
		see "Hoàn tác"`)
	w.golden("k7-keys")
	w.play(`key esc
		see "PHIẾU 11"
		key f4
		type 2
		see "7,5 kW"
		see-not "lọc:"`)
}

func TestK8ListsErrorsAndLeadsThroughThem(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.form()
	w.play(`type 1
		type 75,0
		key enter
		key f10
		see "CHƯA GỬI ĐƯỢC"`)
	w.golden("k8")
	// One key leads to the error; the exit of the repaired field leads to the next one.
	w.play(`type 1
		type 7,5
		key enter
		see "14.1"
		see-not "75,0"`)
	w.golden("k8-next")
}

func TestK9AtEverySize(t *testing.T) {
	for _, size := range []struct {
		name string
		w, h int
	}{{"80x24", 80, 24}, {"60x20", 60, 20}, {"100x30", 100, 30}, {"132x43", 132, 43}, {"200x50", 200, 50}} {
		t.Run(size.name, func(t *testing.T) {
			w := newWorld(t, locale.Vietnamese, size.w, size.h)
			w.filled()
			w.golden("k9-" + size.name)
		})
	}
}

func TestFromReadingToTheEnd(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.toReading()
	w.tick(12 * time.Second)
	w.wait("12 giây")
	w.golden("k10")
	w.play(`key f11
		see "Điều 1"`)
	w.golden("k10-together")
	w.play(`key esc
		see "CHỜ KHÁCH ĐỌC"`)
}

func TestK11StopsADifference(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.toReading()
	w.hall.customer(t, func(o *kiosk.Order) error {
		for p := range o.Document.Pages {
			if err := o.ShowPage(p+1, w.hall.clock.Now()); err != nil {
				return err
			}
		}
		v := o.Values["birth"]
		v.Text = "1990-01-10"
		o.Values["birth"] = v
		s, _ := w.hall.cat.Service(o.Service)
		w.hall.matched(o, s)
		return o.Agree("3f9a", w.hall.clock.Now())
	})
	w.wait("LỆCH")
	w.golden("k11")
	w.play(`type 1
		see "PHIẾU 11"
		see "01/01/1990"`)
}

func TestK12JudgesAPicture(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.toPortrait()
	w.golden("k12-waiting")
	w.shot <- w.hall.picture
	w.play(`see "Đúng người, nhận ảnh"
		see "▀"`)
	w.golden("k12")
	// A heartbeat of the service leaves the large picture open.
	w.play(`key f11
		see-not "ĐỐI CHIẾU"`)
	w.hall.push(w.hall.newest())
	w.hall.customer(t, func(o *kiosk.Order) error { return nil })
	w.play(`see-not "ĐỐI CHIẾU"
		key esc
		see "ĐỐI CHIẾU"`)
}

func TestK13ShowsTheCourseAndNoCode(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.toCode()
	now := w.hall.clock.Now()
	w.hall.mu.Lock()
	w.hall.ch = &kiosk.ChallengeView{Method: "otp_mail", To: "t***@mau.example", Asked: now, Sent: "done", SentAt: now.Add(time.Second),
		Expires: now.Add(5 * time.Minute), Try: 1, Tries: 5, Digits: 3, State: "open", Again: now.Add(30 * time.Second)}
	for _, o := range w.hall.orders {
		o.Way = kiosk.ByMail
	}
	w.hall.mu.Unlock()
	w.hall.push(w.hall.newest())
	w.wait("3/6 số")
	w.golden("k13")
	w.tick(31 * time.Second)
	w.wait("1 Gửi lại mã")
}

func TestK14ToK16SealAndShow(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.toSeal()
	w.play(`type 00
		see "00__"`)
	w.golden("k14")
	w.play(`type 41
		see "chưa đóng gì. Còn 2 lần"
		see "____"
		type 0042
		see "đã ký, đóng dấu và lưu"`)
	w.hall.customer(t, func(o *kiosk.Order) error {
		if err := o.ChooseReceipt("mail", w.hall.clock.Now()); err != nil {
			return err
		}
		o.Receipt.Mail, o.Receipt.To = kiosk.Delivery{State: "done", At: w.hall.clock.Now()}, "thu@mau.example"
		return nil
	})
	w.wait("máy chủ nhận")
	w.golden("k15")
	w.play(`key f11
		see "XÁC MINH"`)
	w.golden("k16")
	w.play(`key esc
		see "XONG"
		key enter
		see "HÔM NAY"`)
}

func TestK17ListsSystemsWorstFirst(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.hall.links[0].State, w.hall.links[0].Last, w.hall.links[0].Note = "down", morning.Add(-9*time.Minute), "từ chối kết nối"
	w.hall.links[0].Waiting = 2
	w.hall.rows = []kiosk.OutboxRow{{ID: 1, Serial: "000042", Kind: "handover", Since: morning.Add(-9 * time.Minute), Tries: 4, Next: morning.Add(time.Minute), Err: "từ chối kết nối"},
		{ID: 2, Serial: "000041", Kind: "handover", Since: morning.Add(-30 * time.Minute), Tries: 7, Next: morning.Add(4 * time.Minute), Err: "từ chối kết nối"}}
	w.signIn()
	w.play(`type 98
		key enter
		see "NGẮT"
		see "000041"`)
	w.golden("k17")
}

func TestK18SaysThatTheWindowIsSmallAndIgnoresKeys(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.form()
	w.play(`type 1
		resize 58 18
		see "Cửa sổ hơi nhỏ"
		type 9`)
	w.golden("k18")
	w.play(`resize 80 24
		see "_____ kW"`)
}
