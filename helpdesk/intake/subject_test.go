package intake

import (
	"testing"
	"time"

	"countersign/mail"
	"countersign/services"
)

var today = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

func offices(t testing.TB) *Offices {
	t.Helper()
	o, err := LoadOffices(services.Files)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestASubjectIsReadAsPeopleWriteIt(t *testing.T) {
	o := offices(t)
	for subject, want := range map[string]Routing{
		"[0010#DVC] Không ký được":      {"0010", "0010", "Hà Nội", "DVC", ""},
		"[0010#DVC]":                    {"0010", "0010", "Hà Nội", "DVC", ""},
		"Re: [0010#DVC] x":              {"0010", "0010", "Hà Nội", "DVC", ""},
		"RE[2]: Fwd: TL: [0110#dvc] x":  {"0110", "0110", "Thành phố Hồ Chí Minh", "DVC", ""},
		"回复：【0010#DVC】":                 {"0010", "0010", "Hà Nội", "DVC", ""},
		"［００１０＃ＤＶＣ］ lỗi":                {"0010", "0010", "Hà Nội", "DVC", ""},
		"[ 0010 # DVC ] lỗi":            {"0010", "0010", "Hà Nội", "DVC", ""},
		"[0010#ĐVC]":                    {"0010", "0010", "Hà Nội", "DVC", ""},
		"Chuyển tiếp: lỗi [0060#Dvc]":   {"0060", "0060", "Hải Phòng", "DVC", ""},
		"(0010#DVC) lỗi":                {"0010", "0010", "Hà Nội", "DVC", ""},
		"[0012#DVC] Ba Đình":            {"0012", "0010", "Hà Nội", "DVC", "office"},
		"[0011#DVC]":                    {"0011", "0010", "Hà Nội", "DVC", "office"},
		"[0003#DVC]":                    {"0003", "0003", "Ban giao dịch", "DVC", ""},
		"[1110#DVC]":                    {"1110", "", "", "DVC", "unknown"},
		"[0010#ABC]":                    {"0010", "", "", "ABC", "unknown"},
		"[9999#DVC] gửi lại [0010#DVC]": {"0010", "0010", "Hà Nội", "DVC", ""},
		"0010#DVC lỗi":                  {"0010", "0010", "Hà Nội", "DVC", "malformed"},
		"[0010-DVC] lỗi":                {"0010", "0010", "Hà Nội", "DVC", "malformed"},
		"[DVC#0010]":                    {"0010", "0010", "Hà Nội", "DVC", "malformed"},
		"[SHKB#DVC] lỗi":                {"", "", "", "", "malformed"},
		"[10#DVC] lỗi":                  {"", "", "", "", "malformed"},
		"[#DVC]":                        {"", "", "", "", "malformed"},
		"[0010] lỗi":                    {"", "", "", "", "malformed"},
		"Không ký được":                 {"", "", "", "", "missing"},
		"":                              {"", "", "", "", "missing"},
		"Hóa đơn số 12345 ngày 21/11":   {"", "", "", "", "missing"},
		"Re: SD261121-000001 đã nhận":   {"", "", "", "", "missing"},
		"[0010\u200b#DVC]":              {"0010", "0010", "Hà Nội", "DVC", ""},
	} {
		if got := ParseSubject(subject, o, []string{"DVC"}, today); got != want {
			t.Errorf("%q: %+v, want %+v", subject, got, want)
		}
	}
	// Names are those of the day.
	if got := ParseSubject("[0003#DVC]", o, []string{"DVC"}, time.Date(2021, 12, 28, 0, 0, 0, 0, time.UTC)); got.Name != "Sở Giao dịch" {
		t.Errorf("in 2021: %+v", got)
	}
}

func TestTicketsAreNamedByRealDays(t *testing.T) {
	for text, want := range map[string]string{
		"SD211208-123456": "SD211208-123456", "sd211208 - 123456": "SD211208-123456", "SD211208–1234567": "SD211208-1234567", "ＳＤ211208-123456": "SD211208-123456",
		"SD211308-123456": "", "SD210230-123456": "", "SD211208-12345": "", "XSD211208-123456": "", "SD211208-1234567890": "",
	} {
		got := ""
		if all := Serials(text); len(all) > 0 {
			got = all[0]
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestAQuestionWhetherSomethingIsOursIsUnderstood(t *testing.T) {
	for _, c := range []struct {
		subject, text string
		want          Check
		ok            bool
	}{
		{"XACMINH SD261121-000001 ABCD-EFGH-IJKL-MN23", "", Check{"SD261121-000001", "ABCDEFGHIJKLMN23"}, true},
		{"Re: Xác minh: sd261121-000001 abcd efgh ijkl mn23", "", Check{"SD261121-000001", "ABCDEFGHIJKLMN23"}, true},
		{"[0010#DVC] XACMINH SD261121-000001", "", Check{"SD261121-000001", ""}, true},
		{"hỏi", "Kính gửi,\nXACMINH SD261121-000001 ABCDEFGHIJKLMN23\n", Check{"SD261121-000001", "ABCDEFGHIJKLMN23"}, true},
		{"XACMINH", "", Check{}, false},
		{"XACMINH SD269999-000001", "", Check{}, false},
	} {
		got, ok := AskedCheck(&mail.Message{Subject: c.subject, Text: c.text})
		if got != c.want || ok != c.ok {
			t.Errorf("%q %q: %+v %v", c.subject, c.text, got, ok)
		}
	}
}

func FuzzSubject(f *testing.F) {
	o := offices(f)
	f.Add("[0010#DVC] XACMINH SD261121-000001")
	f.Fuzz(func(t *testing.T, s string) {
		r := ParseSubject(s, o, []string{"DVC"}, today)
		if r.Province != "" && o.rows[r.Province] == nil || r.Problem == "" && r.Province == "" {
			t.Fatalf("%q: %+v", s, r)
		}
		AskedCheck(&mail.Message{Subject: s, Text: s})
	})
}
