package intake

import (
	"strings"
	"testing"

	"countersign/helpdesk"
)

func TestSecretsAreTakenOutOfATextAndNothingElseIs(t *testing.T) {
	for _, c := range []struct{ text, want, kinds string }{
		{"Mã PIN của em là 12345678, nhờ xem giúp.", "Mã PIN của em là [***], nhờ xem giúp.", "pin"},
		{"ma pin: 123456", "ma pin: [***]", "pin"},
		{"Mật khẩu: Abc@1234", "Mật khẩu: [***]", "password"},
		{"mk đăng nhập DVC là matkhaucuatoi1", "mk đăng nhập DVC là [***]", "password"},
		{"pass=Kho#Bac2026!", "pass=[***]", "password"},
		{"password Xyz!2345 nhé", "password [***] nhé", "password"},
		{"UltraViewer ID 12 345 678 mật khẩu 4321", "UltraViewer ID [***] mật khẩu [***]", "remote password"},
		{"teamviewer: 123 456 789", "teamviewer: [***]", "remote"},
		{"AnyDesk của em 987654321", "AnyDesk của em [***]", "remote"},
		{"Mã OTP em vừa nhận 774411", "Mã OTP em vừa nhận [***]", "otp"},
		{"mã xác thực là 901234.", "mã xác thực là [***].", "otp"},
		{"mật khẩu　：Ab12345", "mật khẩu　：[***]", "password"},
		// what must stay
		{"Em quên mật khẩu đăng nhập, xin cấp lại.", "", ""},
		{"Nhập sai mã PIN 3 lần nên bị khóa.", "", ""},
		{"Token bị khóa PIN. Điện thoại 0900 000 031", "", ""},
		{"Không có mã pin nào cả, ĐVQHNS 1999001", "", ""},
		{"Họ yêu cầu cài UltraViewer để hỗ trợ", "", ""},
		{"Xin hướng dẫn đổi mật khẩu và mã PIN cho đơn vị 1999001", "", ""},
		{"Số hồ sơ 123456, lỗi PIN.", "", ""},
		{"", "", ""},
	} {
		got, masks := Mask(c.text)
		kinds := []string{}
		for _, m := range masks {
			kinds = append(kinds, m.Kind)
			if !strings.HasPrefix(got[m.At:], helpdesk.MaskMark) {
				t.Errorf("%q: no mark stands at %d of %q", c.text, m.At, got)
			}
		}
		want := c.want
		if want == "" {
			want = c.text
		}
		if got != want || strings.Join(kinds, " ") != c.kinds {
			t.Errorf("%q became %q (%s), want %q (%s)", c.text, got, strings.Join(kinds, " "), want, c.kinds)
		}
	}
}

func FuzzMask(f *testing.F) {
	f.Add("mật khẩu: Abc@1234 pin 123 456 789")
	f.Fuzz(func(t *testing.T, text string) {
		out, masks := Mask(text)
		for _, m := range masks {
			if !strings.HasPrefix(out[m.At:], helpdesk.MaskMark) {
				t.Errorf("no mark at %d of %q", m.At, out)
			}
		}
		if len(masks) == 0 && out != text {
			t.Error("a text without secrets was changed")
		}
	})
}

func TestATelephoneNumberIsFoundHoweverItIsWritten(t *testing.T) {
	for text, want := range map[string]string{
		"ĐT: 0900 000 031":            "0900000031",
		"gọi +84 900.000.031 nhé":     "0900000031",
		"84900000031":                 "0900000031",
		"máy bàn 024-6276-4300":       "02462764300",
		"(024) 62764300":              "02462764300",
		"ĐVQHNS 1999001":              "",
		"số tiền 1.500.000.000 đồng":  "",
		"mã 12345678901234":           "",
		"lỗi 00000000000 khi ký":      "",
		"chứng từ 0123456789012345 x": "",
	} {
		if got := Phone(text); got != want {
			t.Errorf("%q has %q, want %q", text, got, want)
		}
	}
}

func TestTheQuotedPartOfAnAnswerIsFound(t *testing.T) {
	for text, want := range map[string]string{
		"Vẫn lỗi ạ.\n\nVào 21/11/2026 lúc 08:02 Hỗ trợ viết:\n> Chào chị": "Vẫn lỗi ạ.\n\n",
		"Vẫn lỗi\n> cũ\n":                            "Vẫn lỗi\n",
		"Still\nOn Sat, 21 Nov 2026, X wrote:\n> a":  "Still\n",
		"Một\n-----Original Message-----\nFrom: x\n": "Một\n",
		"không trích":                                "không trích",
	} {
		if got := text[:split(text)]; got != want {
			t.Errorf("the new part of %q is %q", text, got)
		}
	}
}
