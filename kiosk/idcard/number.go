package idcard

import (
	"strconv"
	"strings"
	"time"
)

// typed reads a number without anything around it, as a clerk types it or a bar code holds it.
func (r *reading) typed(s string) error {
	r.card.Assurance = 1
	bare := strings.ReplaceAll(s, ".", "")
	switch {
	case digits(bare, 12):
		r.card.Kind = CCCDNumber
		r.personalNumber(bare)
	case isChinese(bare):
		r.card.Kind = CNID
		r.chinese(bare)
	case digits(bare, 10), digits(bare, 13):
		r.card.Kind = MST
		r.taxCode(bare[:10], bare[10:])
	case len(bare) == 14 && bare[10] == '-' && allDigits(bare[:10]) && allDigits(bare[11:]):
		r.card.Kind = MST
		r.taxCode(bare[:10], bare[11:])
	case isInsuranceNumber(bare):
		return healthInsurance()
	default:
		return unrecognised()
	}
	r.note("source", "source_typed", nil)
	return nil
}

// personalNumber checks a Vietnamese personal number (Circular 07/2016/TT-BCA: province 3, century and sex 1, year 2,
// random 6; no check digit) against the birth and sex fields, where the card has them.
func (r *reading) personalNumber(n string) {
	r.set(Number, n)
	if !digits(n, 12) {
		r.check("structure", false, "structure_length", map[string]string{"have": strconv.Itoa(len(n)), "want": "12"})
		return
	}
	code := n[:3]
	name, known := provinces()[code]
	century, sex := 19+int(n[3]-'0')/2, sexOf(int(n[3]-'0'))
	year := strconv.Itoa(century) + n[4:6]
	place := name
	if !known {
		place = "?"
	}
	r.check("structure", true, "structure_cccd", map[string]string{
		"code": code, "name": place, "century": strconv.Itoa(century + 1), "sex": sex, "year": year,
	})
	switch {
	case known:
		r.set(Province, name)
		r.check("province", true, "province", map[string]string{"code": code, "name": name})
	case code >= "100":
		r.note("province", "province_abroad", map[string]string{"code": code})
	default:
		r.check("province", false, "province_unknown", map[string]string{"code": code})
	}
	if r.card.Kind == CCCDNumber {
		r.set(BirthYear, year)
		r.set(Sex, sex)
		if r.after(year) {
			r.check("number_birth", false, "year_future", map[string]string{"year": year})
		}
		return
	}
	birth := r.card.Fields[Birth]
	args := map[string]string{"year": year, "birth": firstYear(birth)}
	switch {
	case birth == "":
		r.check("number_birth", false, "birth_missing", nil)
	case firstYear(birth) != year:
		r.check("number_birth", false, "number_birth_differs", args)
	default:
		r.check("number_birth", true, "number_birth", args)
	}
	args = map[string]string{"digit": n[3:4], "number_sex": sex, "card_sex": r.card.Fields[Sex]}
	switch r.card.Fields[Sex] {
	case sex:
		r.check("number_sex", true, "number_sex", args)
	case "M", "F":
		r.check("number_sex", false, "number_sex_differs", args)
	default:
		r.check("number_sex", false, "sex_missing", nil)
	}
}

// sexOf returns the sex that a digit stands for: even is male in the Vietnamese number.
func sexOf(digit int) string {
	if digit%2 == 0 {
		return "M"
	}
	return "F"
}

// firstYear returns the year of an ISO date, perhaps partial.
func firstYear(iso string) string {
	year, _, _ := strings.Cut(iso, "-")
	return year
}

// isChinese tells whether s has the shape of a Chinese citizen number.
func isChinese(s string) bool {
	return len(s) == 18 && allDigits(s[:17]) && (s[17] == 'X' || allDigits(s[17:]))
}

// chinese checks a citizen number: region 6, birth 8, sequence 3 (odd is male), check character (ISO 7064 MOD 11-2).
func (r *reading) chinese(n string) {
	r.set(Number, n)
	sex := sexOf(int(n[16]-'0') + 1)
	r.set(Sex, sex)
	r.check("structure", true, "structure_cn", map[string]string{"sex": sex})
	if name, ok := regions()[n[:2]]; ok {
		r.set(Region, name)
		r.check("region", true, "region", map[string]string{"code": n[:2], "name": name})
	} else {
		r.check("region", false, "region_unknown", map[string]string{"code": n[:2]})
	}
	birth := n[6:10] + "-" + n[10:12] + "-" + n[12:14]
	if _, err := time.Parse(time.DateOnly, birth); err != nil {
		birth = ""
	}
	r.birthDate(birth)
	r.digit("cn_check", n[17], chineseDigit(n[:17]))
}

// chineseDigit returns the check character of the first 17 digits.
func chineseDigit(n string) byte {
	sum, weight := 0, 1
	for i := len(n) - 1; i >= 0; i-- {
		weight = weight * 2 % 11
		sum += int(n[i]-'0') * weight
	}
	return "10X98765432"[sum%11]
}

// taxCode checks a Vietnamese tax code and its branch number, which is empty for the head office.
func (r *reading) taxCode(n, branch string) {
	number := n
	if branch != "" {
		number += "-" + branch
		r.set(Branch, branch)
	}
	r.set(Number, number)
	r.check("structure", true, "structure_mst", map[string]string{"length": strconv.Itoa(len(n) + len(branch))})
	want, ten := taxDigit(n[:9])
	if ten && n[9] == want {
		r.note("mst_check", "mst_ten", nil)
	} else {
		r.digit("mst_check", n[9], want)
	}
	if branch != "" {
		r.check("mst_branch", branch != "000", "mst_branch", map[string]string{"branch": branch})
	}
}

// taxDigit returns the check digit of the first nine digits, and whether it was 10 before it was written as 0, which
// not every office does.
func taxDigit(n string) (byte, bool) {
	sum := 0
	for i, w := range []int{31, 29, 23, 19, 17, 13, 7, 5, 3} {
		sum += int(n[i]-'0') * w
	}
	cd := 10 - sum%11
	return byte('0' + cd%10), cd == 10
}

// digit notes whether a check character is the one that the others give.
func (r *reading) digit(name string, have, want byte) {
	args := map[string]string{"have": string(rune(have)), "want": string(rune(want))}
	if have == want {
		r.check(name, true, "digit", args)
		return
	}
	r.check(name, false, "digit_differs", args)
}
