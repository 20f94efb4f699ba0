package reply

import "testing"

func TestWhatGenuineStaffNeverWriteIsFound(t *testing.T) {
	for text, want := range map[string]Kind{
		"Chị cài UltraViewer để em xem giúp":                 Remote,
		"chị mở U l t r a V i e w e r nhé":                   Remote,
		"Xin mở Team Viewer 15":                              Remote,
		"tải ＡｎｙＤｅｓｋ về máy":                                 Remote,
		"Please start Ultra\u200bViewer":                     Remote,
		"請開啟向日葵":                                             Remote,
		"tải tại http://mau.example/drv":                     Link,
		"tải tại hxxps://mau[.]example[.]vn":                 Link,
		"xem www.mau.vn":                                     Link,
		"vào dichvucong.gov.vn để tải":                       Link,
		"vào dichvucong。gov。vn":                              Link,
		"mở tep.zip/taive.com.vn":                            Link,
		"mở zalo.me/0900000031":                              Link,
		"Nhắn qua bit.ly/abc":                                Link,
		"cho em xin mật khẩu đăng nhập máy.":                 Asks,
		"Anh gửi lại mã PIN giúp em":                         Asks,
		"không sao, chị đọc mã OTP cho em":                   Asks,
		"Chị cho em xin ma\u0323\u0302t kha\u0302\u0309u cũ": Asks,
		"Please send me your password":                       Asks,
		"Tell us the PIN of the token":                       Asks,
		"請提供密碼":                                              Asks,
		"Mã xác thực là bao nhiêu ạ, nhắn lại cho em":        Asks,
		"Xin đừng ngại, gửi mật khẩu cho tôi":                Asks,
		"Không cần lo. Gửi mật khẩu cho tôi":                 Asks,
	} {
		got := Lint(text)
		if len(got) == 0 || got[0].Kind != want {
			t.Errorf("%q: %v, want %s", text, got, want)
		}
	}
}

func TestOrdinaryAnswersAreLeftAlone(t *testing.T) {
	for _, text := range []string{
		"Xin chị rút USB token, khởi động lại máy rồi cắm vào cổng phía sau.",
		"Không gửi mật khẩu cho bất kỳ ai. Đừng đọc mã PIN qua điện thoại.",
		"Mật khẩu phải có ít nhất 8 ký tự, cả chữ hoa và số.",
		"Chị đổi mã PIN tại mục Thiết bị rồi thử lại.",
		"Never send your password to anybody. Do not share the PIN.",
		"請勿提供密碼給任何人。",
		"Xin chị chụp màn hình mục Thiết bị và trả lời thư này.",
		"Gửi ảnh man-hinh-loi.png, tệp bao.cao.docx hoặc anh.zip vào thư trả lời.",
		"Vé của chị là SD261121-000001, hạn 10.20 ngày 21.11.2026, tiền 1.234.567 đ.",
		"Viết tới hotrocntt@vst.gov.vn, gọi 02462764300 máy lẻ 88610.",
		"Bản 3.1.2 v.v. và TP.HCM, KBNN Q.1",
		"Xin chị đổi mật khẩu máy tính định kỳ.",
		"Cán bộ không hỏi mật khẩu, căn cước hay mã OTP của chị.",
		"Cục trưởng đã duyệt. Anh chờ đến 11 giờ.",
	} {
		if got := Lint(text); len(got) != 0 {
			t.Errorf("%q: %v %q", text, got, text[got[0].From:got[0].To])
		}
	}
}

func TestAFindingNamesTheStretchThatItMeans(t *testing.T) {
	text := "Dòng một.\nchị cài UltraViewer nhé"
	got := Lint(text)
	if len(got) != 1 || text[got[0].From:got[0].To] != "UltraViewer" {
		t.Errorf("%v", got)
	}
}
