package catalog_test

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/internal/locale"
	"countersign/kiosk/catalog"
)

// capacityChange is the form of the drawings K5 to K9, without a mistake.
func capacityChange(t testing.TB) (*catalog.Service, catalog.Values) {
	s := service(t, "11")
	rows := field(t, s, "appliances").Compute([][]string{
		{"Điều hòa", "2", "1200", "8"}, {"Bếp từ", "1", "3600", "2"}, {"Máy giặt", "1", "500", "1"}, {"Bình nóng lạnh", "1", "2500", "1"},
	})
	return s, catalog.Values{
		"papers_check": {Text: "1"}, "id_number": {Text: "001090000017"}, "full_name": {Text: "NGUYỄN VĂN THỬ"},
		"birth": {Text: "1990-01-01"}, "phone": {Text: "0900000018"}, "email": {Text: "thu@mau.example"},
		"customer_code": {Text: "PA05050000017"}, "use_address": {Text: "12 phố Mẫu, phường Thử, Bắc Giang"},
		"current": {Text: "3"}, "capacity": {Text: "7.5"}, "phases": {Text: "1"}, "purpose": {Text: "1"},
		"households": {Text: "2"}, "appliances": {Rows: rows}, "papers_state": {Text: "2"}, "notice": {Text: "2"},
	}
}

func TestAWholeFormIsChecked(t *testing.T) {
	s, good := capacityChange(t)
	if p := s.Check(good, today); len(p) != 0 {
		t.Fatalf("the form of the drawing is refused: %v", p)
	}
	cases := []struct {
		name   string
		change func(v catalog.Values)
		want   string
	}{
		{"nothing filled", func(v catalog.Values) {
			for k := range v {
				delete(v, k)
			}
		}, "1 field.choice, 2 field.required, 3 field.required, 4 field.required, 5 field.required, 7 field.required, 8 field.required, 10 field.required, 11 field.choice, 12 field.choice, 14 field.required, 15 field.choice, 16 field.choice"},
		{"over the limit and no phases", func(v catalog.Values) { v["capacity"] = catalog.Value{Text: "75"}; delete(v, "phases") }, "10 field.over_guess, 11 field.choice"},
		{"notices by mail without a mail", func(v catalog.Values) { delete(v, "email") }, "6 field.required"},
		{"no mail needed", func(v catalog.Values) { delete(v, "email"); v["notice"] = catalog.Value{Text: "1"} }, ""},
		{"another year of birth than the number", func(v catalog.Values) { v["birth"] = catalog.Value{Text: "1991-01-01"} }, "4 rule.id_birth"},
		{"the same capacity as before", func(v catalog.Values) { v["current"] = catalog.Value{Text: "7.5"} }, "10 rule.differ"},
		{"a value that went round Accept", func(v catalog.Values) { v["phone"] = catalog.Value{Text: "0900 000 018"} }, "5 field.form"},
		{"a computed cell that was forged", func(v catalog.Values) {
			v["appliances"] = catalog.Value{Rows: [][]string{{"Bếp", "9", "3600", "2", "1"}}}
		}, "14 field.form"},
		{"an empty cell", func(v catalog.Values) {
			v["appliances"] = catalog.Value{Rows: [][]string{{"Bếp", "", "3600", "2", ""}}}
		}, "14 field.required"},
		{"too many rows", func(v catalog.Values) {
			v["appliances"] = catalog.Value{Rows: make([][]string, 21)}
		}, "14 field.rows_many"},
		{"more capacity than appliances is a remark", func(v catalog.Values) { v["capacity"] = catalog.Value{Text: "20"} }, "10 rule.total_least note"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, v := capacityChange(t)
			c.change(v)
			var got []string
			problems := s.Check(v, today)
			for _, p := range problems {
				word := strconv.Itoa(p.Number) + " " + p.Err.Code
				if p.Note {
					word += " note"
				}
				got = append(got, word)
				for _, l := range locale.Langs {
					if text := locale.Fault(l, p.Err); strings.ContainsAny(text, "‹<") {
						t.Errorf("not whole in %s: %s", l, text)
					}
				}
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), c.want)
			}
			if catalog.Stops(problems) != (c.want != "" && !strings.HasSuffix(c.want, "note")) {
				t.Errorf("Stops = %v", catalog.Stops(problems))
			}
		})
	}
}

func TestACellIsNamedByItsRow(t *testing.T) {
	s, v := capacityChange(t)
	v["appliances"] = catalog.Value{Rows: [][]string{{"Bếp", "1", "3600", "2", "216"}, {"Đèn", "x", "10", "2", ""}}}
	p := s.Check(v, today)
	if len(p) == 0 || p[0].Err.Args["n"] != "14.2" || p[0].Err.Args["field"] != "appliances.qty" {
		t.Errorf("got %v", p)
	}
	_, err := field(t, s, "appliances").AcceptCell(2, 3, "25", today, locale.Vietnamese)
	if got := locale.Fault(locale.Vietnamese, err); got != "Ô 14.2: 25 vượt mức 24 của dịch vụ này." {
		t.Errorf("got %q", got)
	}
}

func TestRulesOfTheOtherForms(t *testing.T) {
	treasury := service(t, "41")
	v := catalog.Values{"account": {Text: "9527.2.1999001.00000"}, "unit_code": {Text: "1999002"}}
	if !has(treasury.Check(v, today), "rule.account_unit") {
		t.Error("an account of another unit passes")
	}
	figures := service(t, "42")
	rows := [][]string{{"Dự toán", "1000000"}, {"Tiền gửi", "500000"}}
	v = catalog.Values{"entries": {Rows: rows}, "balance": {Text: "1500000"}, "from_day": {Text: "2026-10-31"}, "to_day": {Text: "2026-10-01"}}
	p := figures.Check(v, today)
	if has(p, "rule.total_equal") || !has(p, "rule.not_before") {
		t.Errorf("got %v", p)
	}
	v["balance"] = catalog.Value{Text: "1500001"}
	if !has(figures.Check(v, today), "rule.total_equal") {
		t.Error("a balance that is not the sum passes")
	}
	if got := field(t, figures, "entries").Show(catalog.Value{Rows: rows}, locale.English); got != "2 rows, VND 1,500,000" {
		t.Errorf("the table reads %q", got)
	}
	number := service(t, "51")
	v = catalog.Values{"id_number": {Text: "110000199001021230"}, "birth": {Text: "1990-01-03"}, "sex": {Text: "2"}, "old_id": {Text: "110000199001021230"}}
	p = number.Check(v, today)
	for _, code := range []string{"rule.id_birth", "rule.differ"} {
		if !has(p, code) {
			t.Errorf("%s is missing in %v", code, p)
		}
	}
	if has(p, "rule.id_sex") != (("110000199001021230"[16]-'0')%2 == 1) {
		t.Errorf("the sex rule is wrong: %v", p)
	}
}

func has(problems []catalog.Problem, code string) bool {
	for _, p := range problems {
		if p.Err.Code == code {
			return true
		}
	}
	return false
}

func TestTablesReckonAndTellInOneLine(t *testing.T) {
	s, v := capacityChange(t)
	f := field(t, s, "appliances")
	if got := v["appliances"].Rows[0][4] + " " + v["appliances"].Rows[1][4]; got != "576 216" {
		t.Errorf("kWh a month are %s, want 576 216", got)
	}
	if got := f.Show(v["appliances"], locale.Vietnamese); got != "4 loại, 9,0 kW, 882 kWh/tháng" {
		t.Errorf("the table reads %q", got)
	}
	if got := f.InShort(v["appliances"], locale.Vietnamese); got != "Điều hòa 2, bếp từ 1, máy giặt 1, bình nóng lạnh 1" {
		t.Errorf("in short %q", got)
	}
	if got := f.ShowCell(v["appliances"].Rows[0], 2, locale.Vietnamese); got != "1.200" {
		t.Errorf("the cell reads %q", got)
	}
}

func TestChoosingAServiceFillsWhatIsKnown(t *testing.T) {
	s := service(t, "11")
	at := time.Date(2026, 11, 21, 9, 12, 0, 0, clock.Vietnam)
	fact := func(v string) catalog.Fact { return catalog.Fact{Value: v, At: at} }
	facts := catalog.Facts{
		Card:     map[string]catalog.Fact{"number": fact("001090000017"), "name": fact("Nguyễn Văn Thử"), "birth": fact("1990-01-01")},
		Customer: map[string]catalog.Fact{"number": fact("001090000099"), "phone": fact("0900000017"), "email": fact("không phải thư")},
		CMIS:     map[string]catalog.Fact{"customer_code": fact("PA05050000017"), "capacity": fact("3.0"), "purpose": fact("SH")},
		Last:     map[string]catalog.Fact{"notice": fact("2"), "phases": fact("1")},
	}
	now := catalog.Apply(nil, s.Fill(facts, nil, today))
	for name, want := range map[string]string{"id_number": "001090000017 card.number", "full_name": "NGUYỄN VĂN THỬ card.name",
		"birth": "1990-01-01 card.birth", "phone": "0900000017 customer.phone", "email": " ", "customer_code": "PA05050000017 cmis.customer_code",
		"current": "3 cmis.capacity", "purpose": "1 cmis.purpose", "notice": "2 last.notice"} {
		if got := now[name].Text + " " + now[name].Source; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if !now["phone"].SourceAt.Equal(at) {
		t.Error("the time of the source is lost")
	}
	c := builtin(t)
	if c.SourceLabel("card.number", locale.Vietnamese) != "thẻ QR" || c.SourceForCustomer("cmis.address", locale.Vietnamese) != "từ hồ sơ điện lực" {
		t.Error("the words for sources are not those of the screens")
	}

	t.Run("an edited value is never overwritten", func(t *testing.T) {
		edited := catalog.Apply(now, nil)
		edited["phone"] = catalog.Value{Text: "0900000018", Source: "customer.phone", Old: "0900000017", Edited: true}
		for _, f := range s.Fill(facts, edited, today) {
			if f.Field == "phone" {
				t.Errorf("phone is offered again: %+v", f)
			}
		}
	})
	t.Run("a card that says otherwise is shown beside what was typed", func(t *testing.T) {
		typed := catalog.Values{"birth": {Text: "1990-01-10"}}
		fills := s.Fill(facts, typed, today)
		found := false
		for _, f := range fills {
			found = found || (f.Field == "birth" && f.Conflict && f.Value == "1990-01-01")
		}
		if !found || catalog.Apply(typed, fills)["birth"].Text != "1990-01-10" {
			t.Errorf("got %+v", fills)
		}
	})
	t.Run("a better source replaces a worse one", func(t *testing.T) {
		old := catalog.Values{"id_number": {Text: "001090000099", Source: "customer.number"}}
		if got := catalog.Apply(old, s.Fill(facts, old, today))["id_number"].Text; got != "001090000017" {
			t.Errorf("the card did not replace the record: %s", got)
		}
	})
}

func TestAListFillsWhatFollowsFromIt(t *testing.T) {
	s := service(t, "11")
	now := catalog.Values{"capacity": {Text: "15"}, "phases": {Text: "1", Source: "list:capacity"}}
	got := s.Derive("capacity", now)
	if len(got) != 1 || got[0].Field != "phases" || got[0].Value != "2" || got[0].Source != "list:capacity" {
		t.Errorf("got %+v", got)
	}
	now["phases"] = catalog.Value{Text: "1", Edited: true}
	if got := s.Derive("capacity", now); len(got) != 0 {
		t.Errorf("an edited value is replaced: %+v", got)
	}
	one := service(t, "01")
	if got := one.Derive("id_number", catalog.Values{"id_number": {Text: "079185000023"}}); len(got) != 1 || got[0].Value != "2" {
		t.Errorf("the sex does not follow from the number: %+v", got)
	}
	if f, ok := one.Same("use_address", catalog.Values{"residence": {Text: "12 phố Mẫu"}}); !ok || f.Value != "12 phố Mẫu" || f.Source != "same:residence" {
		t.Errorf("= copies %+v", f)
	}
	if _, ok := one.Same("phone", catalog.Values{"residence": {Text: "12 phố Mẫu"}}); ok {
		t.Error("= copies into a phone")
	}
}

func TestConditionsAreLookedAtBeforeTheForm(t *testing.T) {
	s := service(t, "11")
	facts := catalog.Facts{CMIS: map[string]catalog.Fact{"contract_state": {Value: "active"}, "overdue": {Value: "yes"}}}
	findings, ok := s.Eligible(facts)
	var states []string
	for _, f := range findings {
		states = append(states, f.State)
	}
	if ok || !reflect.DeepEqual(states, []string{"met", "unknown", "failed"}) {
		t.Errorf("got %v, eligible %v", states, ok)
	}
	if _, ok := service(t, "22").Eligible(facts); !ok {
		t.Error("a debt stops the end of a contract")
	}
}

func TestTermsEndOnTheDayOfTheDrawings(t *testing.T) {
	for _, c := range []struct {
		service string
		values  catalog.Values
		days    int
		due     string
	}{
		{"11", catalog.Values{"capacity": {Text: "7.5"}}, 3, "2026-11-25"},
		{"11", catalog.Values{"capacity": {Text: "15"}}, 7, "2026-12-01"},
		{"11", catalog.Values{"cmis.area": {Text: "rural"}}, 5, "2026-11-27"},
		{"11", catalog.Values{"cmis.area": {Text: "rural"}, "capacity": {Text: "20"}}, 7, "2026-12-01"},
		{"12", nil, 3, "2026-11-25"},
		{"31", nil, 1, "2026-11-23"},
		{"51", nil, 0, "2026-11-21"},
		{"01", nil, 5, "2026-11-27"},
		{"01", catalog.Values{"cmis.area": {Text: "urban"}}, 3, "2026-11-25"},
		{"42", catalog.Values{"agrees": {Text: "2"}}, 5, "2026-11-27"},
	} {
		days, due, _ := service(t, c.service).Due(c.values, today)
		if days != c.days || due.Format(time.DateOnly) != c.due {
			t.Errorf("service %s %v: %d days to %s, want %d to %s", c.service, c.values, days, due.Format(time.DateOnly), c.days, c.due)
		}
	}
}

func TestWorkingDaysGoRoundHolidays(t *testing.T) {
	c := builtin(t).Calendar()
	for _, x := range []struct {
		from string
		days int
		want string
	}{
		{"2026-02-13", 1, "2026-02-23"}, // over Tết
		{"2026-02-12", 3, "2026-02-24"},
		{"2026-02-17", 1, "2026-02-23"}, // received in Tết
		{"2027-02-04", 1, "2027-02-12"},
		{"2026-01-01", 5, "2026-01-09"},
		{"2026-01-09", 1, "2026-01-10"}, // a Saturday worked for Friday the 2nd
		{"2026-08-21", 2, "2026-08-24"}, // Saturday the 22nd is worked
		{"2026-08-28", 1, "2026-09-03"},
		{"2026-04-24", 1, "2026-04-28"},
		{"2026-11-20", 0, "2026-11-20"},
		{"2026-11-22", 0, "2026-11-22"},
		{"2026-12-31", 1, "2027-01-04"},
	} {
		from, _ := time.Parse(time.DateOnly, x.from)
		if got := c.Add(from, x.days).Format(time.DateOnly); got != x.want {
			t.Errorf("%s + %d = %s, want %s", x.from, x.days, got, x.want)
		}
	}
	monday, _ := time.Parse(time.DateOnly, "2026-11-23")
	if c.Between(today, monday.AddDate(0, 0, 2)) != 3 || c.Between(monday, today) != -1 {
		t.Errorf("between: %d and %d", c.Between(today, monday.AddDate(0, 0, 2)), c.Between(monday, today))
	}
	if late := time.Date(2028, 1, 3, 0, 0, 0, 0, clock.Vietnam); c.Covers(late) || !c.Covers(today) {
		t.Error("the calendar does not know what it covers")
	}
	if at := time.Date(2026, 11, 20, 18, 0, 0, 0, time.UTC); c.Add(at, 0).Format(time.DateOnly) != "2026-11-21" {
		t.Error("one o'clock at night in Vietnam counts as the day before")
	}
}

func TestAmountsAreWrittenInWords(t *testing.T) {
	for n, want := range map[catalog.Money]string{
		0: "không đồng", 1: "một đồng", 10: "mười đồng", 11: "mười một đồng", 14: "mười bốn đồng", 15: "mười lăm đồng",
		21: "hai mươi mốt đồng", 24: "hai mươi tư đồng", 25: "hai mươi lăm đồng", 101: "một trăm linh một đồng",
		105: "một trăm linh năm đồng", 110: "một trăm mười đồng", 115: "một trăm mười lăm đồng", 1000: "một nghìn đồng",
		1005: "một nghìn không trăm linh năm đồng", 1500000: "một triệu năm trăm nghìn đồng",
		397764:        "ba trăm chín mươi bảy nghìn bảy trăm sáu mươi tư đồng",
		1000001:       "một triệu không trăm linh một đồng",
		2000050000:    "hai tỷ không trăm năm mươi nghìn đồng",
		1234567891021: "một nghìn hai trăm ba mươi tư tỷ năm trăm sáu mươi bảy triệu tám trăm chín mươi mốt nghìn không trăm hai mươi mốt đồng",
	} {
		if got := catalog.AmountInWords(n, locale.Vietnamese); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	for n, want := range map[catalog.Money]string{0: "zero dong", 1500000: "one million five hundred thousand dong",
		21: "twenty-one dong", 1013: "one thousand thirteen dong"} {
		if got := catalog.AmountInWords(n, locale.English); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	for n, want := range map[catalog.Money]string{0: "零越南盾整", 1500000: "壹佰伍拾萬越南盾整", 100005: "壹拾萬零伍越南盾整",
		1005: "壹仟零伍越南盾整", 1050: "壹仟零伍拾越南盾整", 100005000: "壹億零伍仟越南盾整", 105000: "壹拾萬伍仟越南盾整",
		10000000005: "壹佰億零伍越南盾整", 15: "壹拾伍越南盾整", 20340: "貳萬零參佰肆拾越南盾整"} {
		if got := catalog.AmountInWords(n, locale.Chinese); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	for _, c := range []struct {
		n    string
		l    locale.Lang
		want string
	}{{"7.5", locale.Vietnamese, "bảy phẩy năm"}, {"7.05", locale.English, "seven point zero five"}, {"7.5", locale.Chinese, "七點五"}, {"15", locale.Chinese, "十五"}, {"-2", locale.Vietnamese, "âm hai"}} {
		if got := catalog.NumberInWords(c.n, c.l); got != c.want {
			t.Errorf("%s: %q, want %q", c.n, got, c.want)
		}
	}
}

func TestTheAgreementSaysWhatTheFormSays(t *testing.T) {
	s, v := capacityChange(t)
	ctx := catalog.Context{Unit: "Điện lực Bắc Giang", Customer: "NGUYỄN VĂN THỬ", Day: today}
	var all []string
	for _, c := range s.Clauses(ctx, v, locale.Vietnamese) {
		all = append(all, c.Paragraphs...)
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{
		"Công suất đề nghị: 7,5 kW (bảy phẩy năm ki-lô-oát), một pha.",
		"Điện lực Bắc Giang hoàn thành trong 3 ngày làm việc, chậm nhất ngày 25/11/2026, với điều kiện khách hàng có mặt khi khảo sát.",
		"Phí dịch vụ: 0 đ (không đồng).",
		"Thiết bị: Điều hòa 2, bếp từ 1, máy giặt 1, bình nóng lạnh 1.",
		"lưu mã hóa 10 năm, đến 21/11/2036.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the agreement lacks %q", want)
		}
	}
	move := service(t, "32")
	if got := move.Clauses(ctx, catalog.Values{"new_place": {Text: "cột 12\nngõ 3"}}, locale.Vietnamese)[0].Paragraphs[0]; !strings.Contains(got, "tới: cột 12; ngõ 3.") {
		t.Errorf("a value of two lines reads %q", got)
	}
	for _, s := range builtin(t).Services() {
		for _, l := range locale.Langs {
			for _, c := range s.Clauses(ctx, nil, l) {
				if text := c.Title + strings.Join(c.Paragraphs, ""); strings.ContainsAny(text, "{}‹") {
					t.Errorf("service %s in %s: %s", s.Number, l, text)
				}
			}
			for _, line := range s.Recap(ctx, nil, l) {
				if strings.ContainsAny(line[0]+line[1], "{}‹") || line[1] == "" {
					t.Errorf("service %s in %s: %v", s.Number, l, line)
				}
			}
		}
	}
}
