package workorder

import (
	"bytes"
	"encoding/hex"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"testing"
	"time"

	"countersign/internal/clock"
)

// droid is Debian's fonts-droid-fallback.
const droid = "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"

func at(h, m, s int) time.Time { return time.Date(2026, 11, 21, h, m, s, 0, clock.Vietnam) }

// capacityChange is the order that the screens are drawn with; all people are invented.
func capacityChange() Content {
	return Content{
		OrderID: "WO-PA0505-20261121-000042", Language: "vi", Created: at(9, 18, 0),
		Unit:     Unit{Code: "PA0505", Name: "Điện lực Bắc Giang", Parent: "Tổng công ty Điện lực miền Bắc", Place: "Bắc Giang"},
		Service:  Service{Number: "11", Code: "TD-CS", Title: "Thay đổi công suất sử dụng điện", Version: "2026-06"},
		Customer: "NGUYỄN VĂN THỬ",
		Clerk:    Clerk{Name: "Ngô Lan Anh", StaffID: "NV0117", Counter: "quầy 3"},
		Sections: []Section{
			{Title: "A. NGƯỜI YÊU CẦU", Rows: []Row{
				{"1", "papers", "Đối chiếu giấy tờ", "Căn cước, đúng người", ""},
				{"2", "id_number", "Số định danh", "001 090 000 017", "thẻ QR"},
				{"3", "name", "Họ và tên", "NGUYỄN VĂN THỬ", "thẻ QR"},
				{"4", "birth", "Ngày sinh", "01/01/1990", "thẻ QR"},
				{"5", "phone", "Điện thoại", "0900 000 018", "cũ 0900 000 017"},
				{"6", "mail", "Thư điện tử", "thu@mau.example", ""},
			}},
			{Title: "B. ĐIỂM DÙNG ĐIỆN", Rows: []Row{
				{"7", "customer_code", "Mã khách hàng", "PA05050000017", "CMIS"},
				{"8", "place", "Địa chỉ dùng điện", "12 phố Mẫu, phường Thử, Bắc Giang", "CMIS"},
				{"9", "capacity_now", "Công suất hiện tại", "3,0 kW", "CMIS"},
				{"10", "capacity", "Công suất đề nghị", "7,5 kW", ""},
				{"11", "phases", "Số pha", "1 một pha", "danh mục"},
				{"12", "purpose", "Mục đích", "1 Sinh hoạt", "CMIS"},
				{"13", "households", "Số hộ dùng chung", "2", ""},
			}},
			{Title: "C. THIẾT BỊ (ô 14)", Tables: []Table{{
				Columns: []string{"Tên", "Số lượng", "Công suất (W)", "Giờ/ngày", "kWh/tháng"},
				Rows: [][]string{
					{"Điều hòa", "2", "1.200", "8", "576"},
					{"Bếp từ", "1", "3.600", "2", "216"},
					{"Máy giặt", "1", "500", "1", "15"},
					{"Bình nóng lạnh", "1", "2.500", "1", "75"},
				},
			}}},
			{Title: "D. GIẤY TỜ KÈM VÀ THÔNG BÁO", Rows: []Row{
				{"15", "papers_attached", "Giấy tờ kèm", "Bảng kê thiết bị có chữ ký: bổ sung đến 25/11/2026", ""},
				{"16", "notices", "Nhận thông báo", "2 thư điện tử", ""},
			}},
		},
		Agreement: Agreement{Title: "Thỏa thuận thay đổi công suất", Version: "2026-06", Clauses: []Clause{
			{"1", "Việc được yêu cầu", []string{
				"Khách hàng đề nghị Điện lực thay đổi công suất sử dụng điện tại địa chỉ ở ô 8, từ mức ở ô 9 lên mức ở ô 10.",
				"Mục đích sử dụng điện và số hộ dùng chung giữ như ô 12 và ô 13. Khi thay đổi, khách hàng báo cho Điện lực trong ba ngày làm việc.",
			}},
			{"2", "Khảo sát và thi công", []string{
				"Điện lực khảo sát vào ngày đã hẹn. Khách hàng hoặc người được khách hàng ủy quyền có mặt tại nơi dùng điện.",
				"Điện lực thay áp tô mát, công tơ và dây đến công tơ bằng chi phí của Điện lực, theo đúng mức công suất đã thỏa thuận.",
			}},
			{"3", "Thời hạn và chi phí", []string{
				"3.1 Điện lực hoàn thành trong 3 ngày làm việc, chậm nhất ngày 25/11/2026, với điều kiện khách hàng có mặt khi khảo sát.",
				"3.2 Phí dịch vụ: 0 đ (không đồng).",
				"3.3 Dây dẫn sau áp tô mát do khách hàng chi trả theo báo giá riêng, chỉ làm khi khách hàng đã đồng ý báo giá.",
			}},
			{"4", "Giấy tờ bổ sung", []string{
				"Bảng kê thiết bị có chữ ký được bổ sung chậm nhất 25/11/2026.",
				"Quá ngày đó mà chưa đủ giấy tờ, Điện lực báo cho khách hàng và tạm dừng việc cho tới khi nhận đủ.",
			}},
			{"5", "Dữ liệu cá nhân", []string{
				"Thẻ và ảnh của khách hàng chỉ dùng cho phiếu này, được lưu mã hóa đến ngày ghi ở cuối phiếu. Khách hàng được xem, xin sửa và xin bản sao dữ liệu của mình.",
			}},
		}},
		Fee:  Fee{Amount: "0 đ", Words: "không đồng"},
		Term: Term{Days: 3, Due: "25/11/2026"},
		Signers: []Signer{
			{"Khách hàng", "NGUYỄN VĂN THỬ", FieldCustomer},
			{"Người tiếp nhận", "Ngô Lan Anh", FieldClerk},
			{"Dấu nghiệp vụ 2", "Quầy giao dịch Bắc Giang", FieldBusinessSeal},
			{"Dấu Điện lực Bắc Giang", "Điện lực Bắc Giang", FieldUnitSeal},
		},
		VerifyCode: "K7QF-2M9X-84TD", RetainUntil: "21/11/2036",
	}
}

// transfer is a Chinese telecom hall's order, with a name in simplified characters.
func transfer() Content {
	return Content{
		OrderID: "WO-CT0101-20261121-000007", Language: "zh-Hant", Created: at(10, 2, 0),
		Unit:     Unit{Code: "CT0101", Name: "模擬電信第一營業廳", Parent: "模擬電信有限公司", Place: "北京"},
		Service:  Service{Number: "51", Code: "GH", Title: "固定電話過戶", Version: "2026-06"},
		Customer: "赵试",
		Clerk:    Clerk{Name: "林樣", StaffID: "CT0117", Counter: "3號櫃台"},
		Sections: []Section{{Title: "甲、過戶資料", Rows: []Row{
			{"1", "id_number", "身分號碼", "110000 19900102 1230", "證件讀取"},
			{"2", "name", "姓名", "赵试", "證件讀取"},
			{"3", "phone", "電話號碼", "010 0000 0018", "業務系統"},
			{"4", "from", "原機主", "Công ty Mẫu (樣本公司)", "業務系統"},
			{"5", "address", "裝機地址", "北京市樣本區測試路十二號，第三單元四零二室；進線間在一樓東側，施工時請先聯絡物業管理處。", ""},
		}}},
		Agreement: Agreement{Title: "固定電話過戶協議", Version: "2026-06", Clauses: []Clause{
			{"1", "過戶", []string{"原機主與新機主同意，自本工單完成之日起，該號碼的權利與義務由新機主承擔。", "未結清的費用由原機主於過戶前繳清。"}},
			{"2", "個人資料", []string{"客戶的證件與照片僅用於本工單，加密保存至工單所載日期。"}},
		}},
		Fee: Fee{Amount: "0 元", Words: "零元整"}, Term: Term{Days: 1, Due: "2026年11月23日"},
		Signers: []Signer{
			{"客戶", "赵试", FieldCustomer}, {"受理人", "林樣", FieldClerk},
			{"業務專用章", "模擬電信第一營業廳", FieldBusinessSeal}, {"單位公章", "模擬電信有限公司", FieldUnitSeal},
		},
		VerifyCode: "C3HD-77QA-19ZB", RetainUntil: "2036年11月21日",
	}
}

func evidenceFor(t testing.TB, c Content) *Evidence {
	t.Helper()
	b, err := c.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	d := Digest(b)
	portrait := drawnFace(t)
	p := Digest(portrait)
	return &Evidence{
		ContentSHA256: hex.EncodeToString(d[:]),
		Identity: Identity{
			Kind: "Căn cước công dân, mã QR", Number: "001*****0017", Name: c.Customer, Birth: "01/01/1990", Sex: "Nam",
			Address: "12 phố Mẫu, phường Thử, Bắc Giang", Source: "quét QR tại quầy 3", Assurance: 2, ReadAt: at(9, 12, 31),
			Checks: []Check{
				{"Cấu trúc số", true, "001 Hà Nội, thế kỷ 20, nam, sinh 1990"},
				{"Số và ngày sinh", true, "năm 90 khớp 1990"},
				{"Số và giới tính", true, "0 là nam"},
				{"So với phiếu", true, "số, họ tên, ngày sinh, giới tính khớp"},
				{"Nguồn có chữ ký", false, "QR không có chữ ký: chỉ nhận dạng, mức 2/4"},
			},
		},
		Portrait: portrait, PortraitSHA256: hex.EncodeToString(p[:]), PortraitAt: at(9, 21, 7), JudgedBy: "Ngô Lan Anh (NV0117)",
		Agreed: at(9, 20, 2), ReadToEnd: at(9, 19, 48), Lines: 104, Pages: 7,
		Objections: []Objection{{"6 Thư điện tử", "sai chính tả", "đã sửa, khách hàng đồng ý", at(9, 13, 5)}},
		Confirmation: Confirmation{
			Purpose: "ký phiếu 000042, tăng công suất lên 7,5 kW",
		},
	}
}

// drawnFace is an obviously drawn portrait, 300 × 400.
func drawnFace(t testing.TB) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 300, 400))
	in := func(x, y, cx, cy, rx, ry int) bool {
		dx, dy := float64(x-cx)/float64(rx), float64(y-cy)/float64(ry)
		return dx*dx+dy*dy <= 1
	}
	for y := range 400 {
		for x := range 300 {
			c := color.RGBA{176, 200, 216, 255}
			switch {
			case in(x, y, 110, 165, 12, 8), in(x, y, 190, 165, 12, 8):
				c = color.RGBA{40, 30, 30, 255}
			case in(x, y, 150, 245, 36, 10):
				c = color.RGBA{170, 70, 70, 255}
			case in(x, y, 150, 190, 82, 108):
				c = color.RGBA{226, 184, 154, 255}
			case in(x, y, 150, 165, 96, 118):
				c = color.RGBA{60, 44, 36, 255}
			case in(x, y, 150, 430, 140, 130):
				c = color.RGBA{52, 84, 132, 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 85}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func chineseFonts(t testing.TB) Fonts {
	t.Helper()
	data, err := os.ReadFile(droid)
	if err != nil {
		t.Fatalf("the Chinese font of Debian's fonts-droid-fallback is needed: %v", err)
	}
	f, err := NewFonts(data)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func builtinFonts(t testing.TB) Fonts {
	t.Helper()
	f, err := NewFonts()
	if err != nil {
		t.Fatal(err)
	}
	return f
}
