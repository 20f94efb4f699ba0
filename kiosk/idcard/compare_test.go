package idcard

import (
	"slices"
	"strings"
	"testing"
)

func TestAFormIsHeldAgainstACard(t *testing.T) {
	passport := "P<VNMNGUYEN<<VAN<THU" + strings.Repeat("<", 24) + "C000000178VNM9001022M3001020001090000017<<48"
	foreign := "P<UTOMAU<<THU" + strings.Repeat("<", 31) + "C000000178UTO9001022M3001020<<<<<<<<<<<<<<<8"
	long := thu()
	long.Name = "NGUYỄN PHƯƠNG TRƯỜNG HOÀNG THỬ NGHIỆM"
	tests := []struct {
		name string
		card string
		form map[string]string
		want []Verdict
	}{
		{"the same in every field", thu().QR(), map[string]string{
			Number: "001 090 000 017", Name: "Nguyễn Văn Thử", Birth: "02/01/1990", Sex: "nam", Address: "12 Phố Mẫu,  phường Thử",
		}, []Verdict{Same, Same, Same, Same, Same}},
		{"day and month swapped, no address", thu().QR(), map[string]string{
			Number: "001090000017", Name: "NGUYỄN VĂN THỬ", Birth: "1990-02-01", Sex: "M",
		}, []Verdict{Same, Same, Differs, Same, New}},
		{"another number", thu().QR(), map[string]string{Number: "001090000018"}, []Verdict{Differs, New, New, New, New}},
		{"a name without its diacritics is another name on a QR", thu().QR(), map[string]string{Name: "NGUYEN VAN THU"},
			[]Verdict{New, Differs, New, New, New}},
		{"a decomposed name is the same name", thu().QR(), map[string]string{Name: "nguye\u0302\u0303n va\u0306n thu\u031b\u0309"},
			[]Verdict{New, Same, New, New, New}},
		{"diacritics are folded for a zone", thu().TD1(), map[string]string{Name: "Nguyễn Văn Thử", Address: "12 phố Mẫu"},
			[]Verdict{New, Same, New, New, Absent}},
		{"đ is folded for a zone", func() string { p := thu(); p.Name = "ĐỖ VĂN THỬ"; return p.TD1() }(),
			map[string]string{Name: "Đỗ Văn Thử"}, []Verdict{New, Same, New, New}},
		{"another name in a zone", thu().TD1(), map[string]string{Name: "NGUYỄN VĂN THỨ HAI"}, []Verdict{New, Differs, New, New}},
		{"names in another order in a Vietnamese zone", thu().TD1(), map[string]string{Name: "THỬ NGUYỄN VĂN"},
			[]Verdict{New, Differs, New, New}},
		{"a name that the zone cuts", long.TD1(), map[string]string{Name: long.Name}, []Verdict{New, Same, New, New}},
		{"the personal number of a passport", passport, map[string]string{Number: "001090000017"}, []Verdict{Same, New, New, New}},
		{"the passport's own number", passport, map[string]string{Number: "c00000017"}, []Verdict{Same, New, New, New}},
		{"a foreigner's given name first", foreign, map[string]string{Name: "Thu Mau"}, []Verdict{New, Same, New, New}},
		{"a Chinese number", "110000199001021230", map[string]string{
			Number: "110000199001021230", Name: "赵试", Birth: "1990-01-02", Sex: "男",
		}, []Verdict{Same, Absent, Same, Same}},
		{"only the year on the card", "001090000017||NGUYỄN VĂN THỬ|1990|Nam|12 phố Mẫu|04032021",
			map[string]string{Birth: "02/01/1990"}, []Verdict{New, New, Same, New, New}},
		{"the tone mark on the other vowel", "001090000017||NGUYỄN HÒA|02011990|Nam|12 phố Thúy|04032021",
			map[string]string{Name: "Nguyễn Hoà", Address: "12 phố Thuý"}, []Verdict{New, Same, New, New, Same}},
		{"another tone", "001090000017||NGUYỄN HÒA|02011990|Nam|12 phố Thúy|04032021",
			map[string]string{Name: "Nguyễn Hóa"}, []Verdict{New, Differs, New, New, New}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := ParseOn(tt.card, today)
			if err != nil {
				t.Fatal(err)
			}
			matches := Compare(c, tt.form)
			var got []Verdict
			for _, m := range matches {
				got = append(got, m.Verdict)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %+v, want %v", matches, tt.want)
			}
			if Stops(matches) != slices.Contains(tt.want, Differs) {
				t.Errorf("stops = %v", Stops(matches))
			}
		})
	}
}
