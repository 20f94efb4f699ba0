package catalog

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"countersign/internal/fault"
	"countersign/internal/locale"
)

var (
	customerShape = regexp.MustCompile(`^P[A-Z][A-Z0-9]{2,4}[0-9]{5,9}$`)
	accountShape  = regexp.MustCompile(`^([0-9]{4})\.?([1-4])\.?([0-9]{7})\.?([0-9]{5})$`)
	passportShape = regexp.MustCompile(`^[A-Z][0-9]{7,8}$`)
	chineseShape  = regexp.MustCompile(`^[1-9][0-9]{16}[0-9X]$`)
	mobileCN      = regexp.MustCompile(`^1[3-9][0-9]{9}$`)
	localPart     = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+)*$`)
	domainPart    = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?$`)
)

// codeLength is the number of digits of the codes that have a fixed one.
var codeLength = map[string]int{"budget_unit": 7, "shkb": 4, "treasury_account": 17}

// checksOf are the named checks that a type may have, its default first; "" = may have none.
var checksOf = map[Type][]string{
	TextField: {"", "person_name"},
	IDNumber:  {"cccd", "person_id", "cn_id"},
	Phone:     {"vn", "cn"},
	Code:      {"customer_code", "budget_unit", "treasury_account", "shkb"},
}

// check reads the named check of a field.
func (m *mapping) check(f *Field) string {
	allowed := checksOf[f.Type]
	if !m.has("check") {
		if f.Type == Code {
			m.need("check")
		}
		if len(allowed) > 0 {
			return allowed[0]
		}
		return ""
	}
	return m.word("check", allowed...)
}

func (f *Field) acceptCode(s string, lang locale.Lang) (string, error) {
	s = strings.ToUpper(strings.ReplaceAll(s, " ", ""))
	switch f.Check {
	case "customer_code":
		if len(s) < 11 || len(s) > 13 || !customerShape.MatchString(s) {
			return "", f.fault("field.customer_code", lang, nil)
		}
		if _, ok := f.tables.unitOf(s); !ok {
			return "", f.fault("field.unit_unknown", lang, fault.Args{"code": s[:6]})
		}
	case "treasury_account":
		m := accountShape.FindStringSubmatch(s)
		if m == nil {
			return "", f.fault("field.account", lang, nil)
		}
		s = strings.Join(m[1:], ".")
	default:
		digits, ok := onlyDigits(s)
		if !ok {
			return "", f.fault("field.not_digits", lang, nil)
		}
		if want := codeLength[f.Check]; len(digits) != want {
			return "", f.wrongLength(len(digits), want, lang)
		}
		s = digits
		if f.Check == "shkb" {
			if _, _, ok := f.tables.officeOf(s); !ok {
				return "", f.fault("field.shkb", lang, fault.Args{"code": s})
			}
		}
	}
	return s, nil
}

func (f *Field) acceptID(s string, today time.Time, lang locale.Lang) (string, error) {
	s = strings.ToUpper(strings.ReplaceAll(s, " ", ""))
	if f.Check == "cn_id" {
		return f.acceptChinese(s, today, lang)
	}
	if f.Check == "person_id" && passportShape.MatchString(s) {
		return s, nil
	}
	digits, ok := onlyDigits(s)
	if !ok {
		return "", f.fault("field.not_digits", lang, nil)
	}
	if len(digits) != 12 {
		return "", f.wrongLength(len(digits), 12, lang)
	}
	// Codes from 100 are countries of birth, of which there is no table.
	if _, known := f.tables.provinces[digits[:3]]; !known && digits[0] == '0' {
		return "", f.fault("field.id_province", lang, fault.Args{"code": digits[:3]})
	}
	if year, _, _ := personal(digits); !today.IsZero() && year > dateOf(today).Year() {
		return "", f.fault("field.id_year", lang, fault.Args{"year": strconv.Itoa(year)})
	}
	return digits, nil
}

// personal reads the year of birth and the sex (M or F) from a Vietnamese 12-digit or a Chinese 18-digit number.
func personal(number string) (year int, sex string, ok bool) {
	odd := func(c byte, yes, no string) string {
		if (c-'0')%2 == 1 {
			return yes
		}
		return no
	}
	switch len(number) {
	case 12:
		century := int(number[3] - '0')
		yy, err := strconv.Atoi(number[4:6])
		return 1900 + century/2*100 + yy, odd(number[3], "F", "M"), err == nil
	case 18:
		y, err := strconv.Atoi(number[6:10])
		return y, odd(number[16], "M", "F"), err == nil
	}
	return 0, "", false
}

func (f *Field) acceptChinese(s string, today time.Time, lang locale.Lang) (string, error) {
	if len(s) != 18 {
		return "", f.wrongLength(len(s), 18, lang)
	}
	if !chineseShape.MatchString(s) {
		return "", f.fault("field.not_digits", lang, nil)
	}
	born, err := time.Parse("20060102", s[6:14])
	if err != nil || (!today.IsZero() && born.Format(time.DateOnly) > dateOf(today).Format(time.DateOnly)) {
		return "", f.fault("field.id_birth", lang, nil)
	}
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += int(s[i]-'0') * w
	}
	if "10X98765432"[sum%11] != s[17] {
		return "", f.fault("field.check_digit", lang, nil)
	}
	return s, nil
}

// taxCheck reports whether the tenth digit of a tax code is right. A computed 10 is written 0.
func taxCheck(s string) bool {
	weights := [9]int{31, 29, 23, 19, 17, 13, 7, 5, 3}
	sum := 0
	for i, w := range weights {
		sum += int(s[i]-'0') * w
	}
	return (10-sum%11)%10 == int(s[9]-'0')
}

func (f *Field) acceptTaxCode(s string, today time.Time, lang locale.Lang) (string, error) {
	digits, ok := onlyDigits(s)
	if !ok {
		return "", f.fault("field.not_digits", lang, nil)
	}
	switch len(digits) {
	case 12: // since 2025 a person's own number is the tax code too
		person := *f
		person.Check = "cccd"
		return person.acceptID(digits, today, lang)
	case 10, 13:
	default:
		return "", f.fault("field.taxcode", lang, fault.Args{"got": strconv.Itoa(len(digits))})
	}
	if !taxCheck(digits) {
		return "", f.fault("field.check_digit", lang, nil)
	}
	if len(digits) == 10 {
		return digits, nil
	}
	if digits[10:] == "000" {
		return "", f.fault("field.taxcode_branch", lang, nil)
	}
	return digits[:10] + "-" + digits[10:], nil
}

// fullPhone reports whether a typed mobile number has its last digit; landlines need an exit.
func fullPhone(typed, check string) bool {
	digits, ok := onlyDigits(strings.TrimPrefix(typed, "+"))
	switch {
	case !ok:
		return false
	case check == "cn":
		return mobileCN.MatchString(digits)
	case strings.HasPrefix(typed, "+84"):
		return len(digits) == 11
	}
	return len(digits) == 10 && digits[0] == '0' && strings.ContainsRune("35789", rune(digits[1]))
}

func (f *Field) acceptPhone(s string, lang locale.Lang) (string, error) {
	digits, ok := onlyDigits(strings.NewReplacer("(", "", ")", "").Replace(strings.TrimPrefix(s, "+")))
	if !ok {
		return "", f.fault("field.not_digits", lang, nil)
	}
	if f.Check == "cn" {
		if rest, ok := strings.CutPrefix(digits, "86"); ok && len(digits) == 13 {
			digits = rest
		}
		if !mobileCN.MatchString(digits) {
			return "", f.fault("field.phone", lang, nil)
		}
		return digits, nil
	}
	if rest, ok := strings.CutPrefix(digits, "84"); ok && len(digits) >= 11 {
		digits = "0" + rest
	}
	if len(digits) == 11 {
		// Eleven-digit mobile numbers were moved to ten digits in 2018; old papers still carry them.
		for old, now := range f.tables.moved {
			if rest, ok := strings.CutPrefix(digits, old); ok {
				digits = now + rest
				break
			}
		}
	}
	landline := strings.HasPrefix(digits, "02")
	switch {
	case landline && len(digits) == 11:
		return digits, nil
	case landline:
		return "", f.wrongLength(len(digits), 11, lang)
	case len(digits) != 10:
		return "", f.wrongLength(len(digits), 10, lang)
	}
	for _, prefix := range f.tables.mobiles {
		if strings.HasPrefix(digits, prefix) {
			return digits, nil
		}
	}
	return "", f.fault("field.phone", lang, nil)
}

func (f *Field) acceptEmail(s string, lang locale.Lang) (string, error) {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > 64 || len(s) > 254 {
		return "", f.fault("field.email", lang, nil)
	}
	domain := strings.ToLower(s[at+1:])
	if !localPart.MatchString(s[:at]) || !domainPart.MatchString(domain) {
		return "", f.fault("field.email", lang, nil)
	}
	return s[:at] + "@" + domain, nil
}
