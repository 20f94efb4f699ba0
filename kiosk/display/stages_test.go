package display_test

import (
	"context"
	"sync"
	"time"

	"countersign/internal/clock"
	"countersign/kiosk"
	"countersign/kiosk/mirror"
)

// at is the moment of the drawings.
var at = time.Date(2026, 11, 21, 9, 14, 0, 0, clock.Vietnam)

// recorder stands for the service: it keeps what it was asked, and answers as it is told.
type recorder struct {
	mu       sync.Mutex
	calls    []string
	fail     error
	portrait []byte
	news     chan mirror.Snapshot
}

func (r *recorder) note(call string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call)
	return r.fail
}

// taken returns what was asked since the last time.
func (r *recorder) taken() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.calls
	r.calls = nil
	return out
}

func (r *recorder) Snapshots(context.Context) <-chan mirror.Snapshot { return r.news }
func (r *recorder) Language(_ context.Context, lang string) error    { return r.note("language " + lang) }
func (r *recorder) Object(_ context.Context, order, field string, reason int) error {
	return r.note("object " + order + " " + field + " " + string(rune('0'+reason)))
}
func (r *recorder) Accept(_ context.Context, order, field string) error {
	return r.note("accept " + order + " " + field)
}
func (r *recorder) AgreeForm(_ context.Context, order string) error {
	return r.note("agree_form " + order)
}
func (r *recorder) ShowPage(_ context.Context, order string, page int) error {
	return r.note("page " + order + " " + string(rune('0'+page)))
}
func (r *recorder) Help(_ context.Context, order string) error { return r.note("help " + order) }
func (r *recorder) Agree(_ context.Context, order, digest string) error {
	return r.note("agree " + order + " " + digest)
}
func (r *recorder) Retake(_ context.Context, order string) error { return r.note("retake " + order) }
func (r *recorder) Stop(_ context.Context, order string) error   { return r.note("stop " + order) }
func (r *recorder) Portrait(_ context.Context, order string) ([]byte, error) {
	return r.portrait, r.note("portrait " + order)
}
func (r *recorder) Channel(_ context.Context, order, method string) error {
	return r.note("channel " + order + " " + method)
}
func (r *recorder) Digits(_ context.Context, order string, n int) error {
	return r.note("digits " + order + " " + string(rune('0'+n)))
}
func (r *recorder) Code(_ context.Context, order, code string) error {
	return r.note("code " + order + " " + code)
}
func (r *recorder) Write(_ context.Context, order string, strokes []byte) error {
	return r.note("write " + order + " " + string(strokes))
}
func (r *recorder) PrepareOwn(_ context.Context, order string, chain [][]byte) ([32]byte, error) {
	return [32]byte{7}, r.note("prepare " + order + " " + string(chain[0]))
}
func (r *recorder) FinishOwn(_ context.Context, order string, signature []byte) error {
	return r.note("finish " + order + " " + string(signature))
}
func (r *recorder) Remote(_ context.Context, order string, provider int) error {
	return r.note("remote " + order + " " + string(rune('0'+provider)))
}
func (r *recorder) Resend(_ context.Context, order string) error { return r.note("resend " + order) }
func (r *recorder) Receipt(_ context.Context, order, medium string) error {
	return r.note("receipt " + order + " " + medium)
}
func (r *recorder) WrongMail(_ context.Context, order string) error {
	return r.note("wrong_mail " + order)
}
func (r *recorder) Rate(_ context.Context, order string, n int) error {
	return r.note("rate " + order + " " + string(rune('0'+n)))
}
func (r *recorder) Done(_ context.Context, order string) error { return r.note("done " + order) }
func (r *recorder) Touch(context.Context) error                { return r.note("touch") }

func seam(id string, args ...string) kiosk.Seam {
	m := map[string]string{}
	for i := 0; i+1 < len(args); i += 2 {
		m[args[i]] = args[i+1]
	}
	return kiosk.Seam{ID: id, Args: m}
}

// base is what every snapshot of the drawings has.
func base(stage mirror.Stage, step int, s kiosk.Seam) mirror.Snapshot {
	return mirror.Snapshot{
		Seq: 1, Stage: stage, Unit: "Điện lực Bắc Giang", Hotline: "19006769", Counter: "3", Clerk: "Ngô Lan Anh", StaffID: "3017",
		Now: at, Order: "K1", Serial: "000042", Title: "11 Thay đổi công suất", Step: step, Hash: "3F9A 71C2 8E04 D5B6", Digest: "3f9a71c2",
		Seam: s, Due: time.Date(2026, 11, 25, 0, 0, 0, 0, clock.Vietnam), Retain: time.Date(2036, 11, 21, 0, 0, 0, 0, clock.Vietnam),
	}
}

const clerk = "Ngô Lan Anh"

func welcome() mirror.Snapshot {
	s := base(mirror.Welcome, 0, seam("seam.counter.ready", "clerk", clerk))
	s.Order, s.Serial, s.Title, s.Hash, s.Digest = "", "", "", "", ""
	return s
}

func formRows() []mirror.Row {
	card, grid := "từ thẻ của quý khách", "từ hồ sơ điện lực"
	rows := []mirror.Row{
		{Label: "Giấy tờ", Value: "Căn cước, đúng người", Field: "check"},
		{Label: "Số định danh", Value: "001*****0017", NoteArg: card, Field: "id"},
		{Label: "Họ và tên", Value: "NGUYỄN VĂN THỬ", NoteArg: card, Field: "name"},
		{Label: "Ngày sinh", Value: "01/01/1990", NoteArg: card, Field: "birth"},
		{Label: "Điện thoại", Value: "0900 000 018", Note: "note.changed", NoteArg: "..017", Changed: true, Field: "phone"},
		{Label: "Thư điện tử", Value: "thu@mua.example", Field: "email"},
		{Label: "Mã khách hàng", Value: "PA05050000017", NoteArg: grid, Field: "code"},
		{Label: "Địa chỉ dùng điện", Value: "12 phố Mẫu, phường Thử, Bắc Giang", NoteArg: grid, Field: "place"},
		{Label: "Công suất hiện tại", Value: "3,0 kW", NoteArg: grid, Field: "now"},
		{Label: "Công suất đề nghị", Value: "75,0 kW", Note: "note.typing", Live: true, Field: "kw"},
		{Label: "Số pha", Field: "phases"},
		{Label: "Mục đích", Value: "Sinh hoạt", NoteArg: grid, Field: "purpose"},
		{Label: "Số hộ dùng chung", Value: "2", Field: "homes"},
		{Label: "Thiết bị", Value: "Điều hòa 2, bếp từ 1", Field: "devices"},
	}
	for i := range rows {
		rows[i].Number = i + 1
		if rows[i].NoteArg != "" && rows[i].Note == "" {
			rows[i].Note = "note.source"
		}
	}
	return rows
}

func form() mirror.Snapshot {
	s := base(mirror.Form, 2, seam("seam.counter.typing", "clerk", clerk, "number", "10"))
	s.Hash, s.Digest = "", ""
	s.Rows, s.Marked = formRows(), 10
	return s
}

// objected is the form after the customer found row 6 wrong.
func objected() mirror.Snapshot {
	s := form()
	s.Rows[5].Objected, s.Rows[5].Note, s.Rows[5].NoteArg = true, "note.objected", ""
	return s
}

// question asks the customer to look at row 6 again.
func question() mirror.Snapshot {
	s := form()
	s.Rows[5].Value, s.Rows[5].Note = "thu@mau.example", "note.answered"
	s.Question = &mirror.Question{Number: 6, Field: "email", Value: "thu@mau.example"}
	return s
}

func invite() mirror.Snapshot {
	s := base(mirror.Invite, 2, seam("seam.counter.invites", "clerk", clerk))
	s.Hash, s.Digest = "", ""
	s.Rows = formRows()
	s.Rows[9].Value, s.Rows[9].Live, s.Rows[9].Note = "7,5 kW", false, ""
	s.Rows[10].Value = "một pha"
	return s
}

// reading is page n of three; the second is the one of the drawing.
func reading(n int) mirror.Snapshot {
	s := base(mirror.Reading, 4, seam("seam.counter.waits_reading", "clerk", clerk))
	pages := [][]mirror.Line{
		{{Text: "PHIẾU CÔNG VIỆC", Head: true}, {Text: "Số: WO-PA0505-20261121-000042"}, {}, {Text: "Điều 1. Các bên", Head: true}, {Text: "1.1 Khách hàng: NGUYỄN VĂN THỬ."}, {Text: "1.2 Đơn vị: Điện lực Bắc Giang."}},
		{
			{Text: "Điều 2. Công suất và thiết bị", Head: true},
			{Text: "2.1 Công suất đề nghị: 7,5 kW (bảy phẩy năm ki-lô-oát), một pha."},
			{Text: "2.2 Công suất hiện tại: 3,0 kW. Thay công tơ cùng vị trí."},
			{Text: "2.3 Thiết bị: điều hòa 2, bếp từ 1, máy giặt 1, bình nóng lạnh 1."},
			{},
			{Text: "Điều 3. Thời hạn và chi phí", Head: true},
			{Text: "3.1 Điện lực Bắc Giang hoàn thành trong 3 ngày làm việc, chậm nhất"},
			{Text: "    ngày 25/11/2026, với điều kiện khách hàng có mặt khi khảo sát."},
			{Text: "3.2 Phí dịch vụ: 0 đ (không đồng)."},
			{Text: "3.3 Dây dẫn sau áp tô mát do khách hàng chi trả theo báo giá riêng,"},
			{Text: "    chỉ làm khi khách hàng đã đồng ý báo giá."},
			{},
			{Text: "Điều 4. Giấy tờ bổ sung", Head: true},
			{Text: "4.1 Bảng kê thiết bị có chữ ký được bổ sung chậm nhất 25/11/2026."},
		},
		{{Text: "Điều 5. Hiệu lực", Head: true}, {Text: "5.1 Phiếu có hiệu lực khi đủ chữ ký và dấu."}},
	}
	last := []int{52, 66, 104}
	s.Page = &mirror.Page{Number: n, Of: 3, Lines: pages[n-1], Last: last[n-1], Total: 104, End: n == 3}
	s.Version = "2026-06"
	s.Promises = []mirror.Promise{
		{Label: "Việc", Value: "Tăng công suất từ 3,0 kW lên 7,5 kW, một pha"}, {Label: "Nơi", Value: "12 phố Mẫu, phường Thử, Bắc Giang"},
		{Label: "Chi phí", Value: "0 đ (không đồng)"}, {Label: "Xong trước", Value: "25/11/2026"},
		{Label: "Quý khách hứa", Value: "có mặt khi khảo sát 24/11/2026;\nbổ sung bảng kê thiết bị có chữ ký trước 25/11/2026"},
	}
	return s
}

func card() mirror.Snapshot {
	s := base(mirror.Card, 4, seam("seam.counter.compares", "clerk", clerk))
	s.CardAt, s.CardBad = time.Date(2026, 11, 21, 9, 20, 14, 0, clock.Vietnam), true
	s.CardRows = []mirror.CardRow{
		{Field: "number", Value: "001*****0017", Verdict: "match"}, {Field: "name", Value: "NGUYỄN VĂN THỬ", Verdict: "match"},
		{Field: "birth", Value: "**/**/1990", Verdict: "differs"},
	}
	return s
}

// pictured is C5 when the card agrees and the picture was taken.
func pictured() mirror.Snapshot {
	s := card()
	s.CardBad, s.CardRows[2].Verdict = false, "match"
	s.Seam = seam("seam.counter.card", "clerk", clerk)
	s.Portrait, s.Retakes = "P1", 3
	return s
}

func channel() mirror.Snapshot {
	s := base(mirror.Channel, 5, seam("seam.counter.waits_code", "clerk", clerk))
	s.Confirm = &mirror.Confirm{Mail: "t***@mau.example", Amount: "0 đ (không đồng)", Offers: offers()}
	return s
}

// offers are those of a service that takes every way.
func offers() []kiosk.Offer {
	out := make([]kiosk.Offer, len(kiosk.Methods))
	for i, m := range kiosk.Methods {
		out[i] = kiosk.Offer{Method: m, Rank: m.Rank()}
	}
	return out
}

// pen is the stage at which the customer writes by hand.
func pen(state string) mirror.Snapshot {
	s := channel()
	s.Stage, s.Seam = mirror.Ink, seam("seam.counter.watches", "clerk", clerk)
	s.Confirm.Method, s.Confirm.Rank, s.Confirm.SentAt, s.Confirm.State = "ink", "1/4", at, state
	return s
}

func code() mirror.Snapshot {
	s := channel()
	s.Stage = mirror.Code
	sent := time.Date(2026, 11, 21, 9, 21, 30, 0, clock.Vietnam)
	s.Now = sent.Add(52 * time.Second)
	s.Confirm = &mirror.Confirm{Offers: offers(), Method: "otp_mail", Mail: "t***@mau.example", Purpose: "ký phiếu 000042, tăng công suất lên 7,5 kW", Amount: "0 đ (không đồng)",
		To: "t***@mau.example", SentAt: sent, Sent: "done", Expires: sent.Add(5 * time.Minute), Again: s.Now.Add(22 * time.Second), Try: 1, Tries: 5, State: "open"}
	return s
}

const enrolURI = "otpauth://totp/CS:000042?secret=JBSWY3DPEHPK3PXP"

func enrol() mirror.Snapshot {
	s := code()
	s.Confirm.Method, s.Confirm.To, s.Confirm.Sent, s.Confirm.Enrol = "otp_app", "", "", enrolURI
	return s
}

func waiting() mirror.Snapshot {
	return base(mirror.Waiting, 5, seam("seam.counter.sealing", "unit", "Điện lực Bắc Giang"))
}

func receipt() mirror.Snapshot {
	s := base(mirror.Receipt, 8, seam("seam.counter.waits_receipt", "clerk", clerk))
	s.SealedAt, s.Verify = time.Date(2026, 11, 21, 9, 23, 10, 0, clock.Vietnam), "7KQ2-M9XA"
	s.Delivery = &mirror.Delivery{Mail: "t***@mau.example", MailFull: "thu@mau.example"}
	return s
}

func refused() mirror.Snapshot {
	s := receipt()
	s.Delivery.Medium, s.Delivery.MailState, s.Delivery.MailNote = "mail", "failed", "550 no such user"
	return s
}

func rating() mirror.Snapshot {
	s := receipt()
	s.Stage, s.Seam = mirror.Rating, seam("seam.counter.unseen", "clerk", clerk)
	s.Delivery.Medium, s.Delivery.MailState = "mail", "done"
	return s
}

func thanks() mirror.Snapshot {
	s := rating()
	s.Stage, s.Seam = mirror.Thanks, seam("seam.counter.bye", "clerk", clerk)
	return s
}

func curtain() mirror.Snapshot {
	return mirror.Snapshot{Seq: 1, Stage: mirror.Curtain, Unit: "Điện lực Bắc Giang", Counter: "3", Now: at, Seam: seam("seam.counter.locked")}
}

func visit() mirror.Snapshot {
	s := base(mirror.Visit, 1, seam("seam.counter.ready", "clerk", clerk))
	s.Summary = &mirror.ServiceCard{Title: "11 THAY ĐỔI CÔNG SUẤT, LOẠI CÔNG TƠ", Days: 3, Fee: "không, trừ dây sau áp tô mát", Papers: []string{"giấy tờ tùy thân", "bảng kê thiết bị điện"}}
	return s
}

func stopped() mirror.Snapshot {
	return base(mirror.Stopped, 2, seam("seam.counter.ready", "clerk", clerk))
}
