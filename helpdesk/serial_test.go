package helpdesk_test

import (
	"strings"
	"testing"
	"time"

	"countersign/helpdesk"
	"countersign/internal/clock"
)

func TestASerialIsReadAsTheNoticeWritesIt(t *testing.T) {
	for text, want := range map[string]string{
		"SD211208-123456":     "SD211208-123456",
		" sd211208-000001 ":   "SD211208-000001",
		"SD261121-1000000":    "SD261121-1000000",
		"SD261121-999999999":  "SD261121-999999999",
		"SD260229-000001":     "", // no such day
		"SD261301-000001":     "",
		"SD261121-00001":      "", // five digits
		"SD261121-0000001":    "", // seven with a leading zero
		"SD261121-1234567890": "",
		"SD261121-000000":     "",
		"SD261121-12345x":     "",
		"SD26112-000001":      "",
		"261121-000001":       "",
		"SD991231-000001":     "",
		"":                    "",
	} {
		s, err := helpdesk.ParseSerial(text)
		if got := s.String(); err == nil && got != want || (err == nil) != (want != "") {
			t.Errorf("%q is read as %q, %v, want %q", text, got, err, want)
		}
	}
}

func FuzzParseSerial(f *testing.F) {
	f.Add("SD261121-1000000")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := helpdesk.ParseSerial(text)
		if err != nil {
			return
		}
		again, err := helpdesk.ParseSerial(s.String())
		if err != nil || again != s || !strings.EqualFold(s.String(), strings.TrimSpace(text)) {
			t.Errorf("%q is %+v, then %+v, %v", text, s, again, err)
		}
	})
}

func secrets() *helpdesk.Secrets {
	return &helpdesk.Secrets{Keys: []helpdesk.SecretKey{{ID: 'B', Bytes: []byte("new")}, {ID: 'A', Bytes: []byte("old")}}, Address: "hotro@kbnn.example", Host: "kbnn.example"}
}

func TestACheckCodeFitsItsTicketAndNoOther(t *testing.T) {
	s := secrets()
	code := s.TicketCode("SD261121-000001")
	old := (&helpdesk.Secrets{Keys: s.Keys[1:]}).TicketCode("SD261121-000001")
	if len(code) != 16 || code[0] != 'B' || strings.Count(helpdesk.Spaced(code), "-") != 3 {
		t.Errorf("the code is %s", code)
	}
	for given, want := range map[string]bool{
		code: true, helpdesk.Spaced(code): true, strings.ToLower(helpdesk.Spaced(code)): true, old: true,
		"": false, code[:15]: false, code + "A": false, s.TicketCode("SD261121-000002"): false,
		"A" + code[1:]: false,
	} {
		if got := s.CheckTicketCode("SD261121-000001", given); got != want {
			t.Errorf("%q fits: %t", given, got)
		}
	}
	mail := s.MailCode("SD261121-000001", "id", "sum", "A@mau.example")
	if !s.CheckMailCode("SD261121-000001", "id", "sum", "a@mau.example", mail) || s.CheckMailCode("SD261121-000001", "id", "sum", "b@mau.example", mail) ||
		s.CheckTicketCode("SD261121-000001", mail) {
		t.Error("a mail's code fits the wrong mail, receiver or use")
	}
}

func TestAReplyAddressIsOursOnlyWithItsCode(t *testing.T) {
	s := secrets()
	good := s.ReplyAddress("SD261121-000001")
	for address, want := range map[string]bool{
		good: true, strings.ToUpper(good): true,
		strings.Replace(good, "000001", "000002", 1): false, strings.Replace(good, "@kbnn.example", "@evil.example", 1): false,
		"hotro@kbnn.example": false, "hotro+sd261121-000001@kbnn.example": false, "hotro+sd261121-000001.@kbnn.example": false, "": false, "@": false,
	} {
		if key, got := s.ReplyTicket(address); got != want || got && key != "SD261121-000001" {
			t.Errorf("%q leads to %q, %t", address, key, got)
		}
	}
}

func TestWorkingTimeLeavesNightsWeekendsAndHolidaysOut(t *testing.T) {
	w := helpdesk.Working{Days: but(map[string]bool{"2026-11-24": true}), Hours: helpdesk.OfficeHours}
	at := func(day, hour, minute int) time.Time {
		return time.Date(2026, 11, day, hour, minute, 0, 0, clock.Vietnam)
	}
	for _, c := range []struct {
		from time.Time
		d    time.Duration
		want time.Time
	}{
		{at(20, 9, 0), time.Hour, at(20, 10, 0)},
		{at(20, 11, 0), time.Hour, at(20, 14, 0)},
		{at(20, 16, 0), 2 * time.Hour, at(23, 8, 30)},
		{at(21, 3, 0), 4 * time.Hour, at(23, 11, 30)},
		{at(23, 16, 0), 2 * time.Hour, at(25, 8, 30)}, // the 24th is free
		{at(23, 20, 0), time.Minute, at(25, 7, 31)},
	} {
		got := w.Add(c.from, c.d)
		if !got.Equal(c.want) {
			t.Errorf("%s after %s is %s, want %s", c.d, c.from, got, c.want)
		}
		if back := w.Between(c.from, got); back != c.d {
			t.Errorf("between %s and %s are %s, want %s", c.from, got, back, c.d)
		}
		if back := w.Between(got, c.from); back != -c.d {
			t.Errorf("back it is %s", back)
		}
	}
}

type but map[string]bool

func (b but) Works(day time.Time) bool {
	return weekdays{}.Works(day) && !b[day.Format(time.DateOnly)]
}

func TestWordsAreFoldedAndCutWhereTheyEnd(t *testing.T) {
	for text, want := range map[string]string{
		"Không nhận ĐƯỢC usb-token": "khong nhan duoc usb token",
		"ＡＢＣ １２３":                   "abc 123",
		"Ế ệ ố":                     "e e o",
		"客服 abc":                    "客 服 abc",
		"man-hinh_lỗi.png":          "man hinh loi png",
		"ñ Ö ß":                     "n o ß",
		"":                          "",
	} {
		got := []string{}
		for _, w := range helpdesk.Words(text) {
			got = append(got, w.Text)
			if text[w.From:w.To] == "" {
				t.Errorf("%q: a word is nowhere", text)
			}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q has the words %q, want %q", text, s, want)
		}
	}
}

func FuzzWords(f *testing.F) {
	f.Add("Ký số ＡＢ 客")
	f.Fuzz(func(t *testing.T, text string) {
		end := 0
		for _, w := range helpdesk.Words(text) {
			if w.From < end || w.To <= w.From || w.To > len(text) || w.Text == "" {
				t.Fatalf("word %+v in %q", w, text)
			}
			end = w.To
		}
	})
}
