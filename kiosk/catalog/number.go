package catalog

import (
	"math/big"
	"strconv"
	"strings"

	"countersign/internal/fault"
	"countersign/internal/locale"
)

// maxDigits bounds a number: enough for any amount in đồng, and exact in every arithmetic used here.
const maxDigits = 15

// acceptNumber reads a number as people type it and checks its limits.
func (f *Field) acceptNumber(s string, lang locale.Lang) (string, error) {
	if f.Unit != "" {
		if cut := len(s) - len(f.Unit); cut > 0 && strings.EqualFold(s[cut:], f.Unit) {
			s = strings.TrimSpace(s[:cut])
		}
	}
	canonical, code, args := readNumber(s, f.Decimals, lang)
	if code != "" {
		return "", f.fault(code, lang, args)
	}
	return canonical, f.limits(canonical, !strings.ContainsAny(s, ".,"), lang)
}

// limits checks a canonical number against the field's range. A value over the limit that was typed without a
// decimal sign and is right by a tenth is probably a forgotten sign: the refusal asks.
func (f *Field) limits(canonical string, unsigned bool, lang locale.Lang) error {
	n, _ := new(big.Rat).SetString(canonical)
	if f.Min != "" && compare(n, f.Min) < 0 {
		return f.fault("field.under", lang, fault.Args{"value": f.amount(canonical, lang), "min": f.amount(f.Min, lang)})
	}
	over := f.Max
	switch {
	case f.Below != "" && compare(n, f.Below) >= 0:
		over = f.Below
	case f.Max != "" && compare(n, f.Max) > 0:
	default:
		return nil
	}
	args := fault.Args{"value": f.amount(canonical, lang), "max": f.limit(over, lang), "see": f.See}
	if f.Decimals > 0 && unsigned {
		tenth := new(big.Rat).Quo(n, big.NewRat(10, 1))
		guess := decimal(tenth, f.Decimals)
		if compare(tenth, guess) == 0 && f.within(tenth) {
			args["guess"] = f.amount(guess, lang)
			return f.fault("field.over_guess", lang, args)
		}
	}
	return f.fault("field.over", lang, args)
}

// within reports whether a number is inside the field's range.
func (f *Field) within(n *big.Rat) bool {
	return (f.Min == "" || compare(n, f.Min) >= 0) && (f.Max == "" || compare(n, f.Max) <= 0) &&
		(f.Below == "" || compare(n, f.Below) < 0)
}

// amount writes a canonical number with its unit.
func (f *Field) amount(canonical string, lang locale.Lang) string {
	if f.Type == MoneyType {
		return moneyText(canonical, lang)
	}
	return withUnit(FormatNumber(canonical, f.Decimals, lang), f.Unit)
}

// limit writes a limit with no more decimals than it has: 40 kW, not 40,0 kW.
func (f *Field) limit(canonical string, lang locale.Lang) string {
	if f.Type == MoneyType {
		return moneyText(canonical, lang)
	}
	return withUnit(FormatNumber(canonical, 0, lang), f.Unit)
}

func withUnit(s, unit string) string {
	if unit == "" {
		return s
	}
	return s + " " + unit
}

// readNumber reads a typed number. Both . and , are the decimal sign in a decimal field; repeated or before
// exactly three digits of a whole number they group. What can be read in two ways is refused with both readings.
func readNumber(s string, decimals int, lang locale.Lang) (canonical, code string, args fault.Args) {
	s = strings.ReplaceAll(s, " ", "")
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	count := 0
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			count++
		case c == '.' || c == ',':
		default:
			return "", "field.number", nil
		}
	}
	if count == 0 || count > maxDigits {
		return "", "field.number", nil
	}
	whole, fraction, code := splitNumber(s, decimals)
	if code == "field.ambiguous" {
		// Both readings, as they would be shown: grouped and with a decimal sign.
		grouped := FormatNumber(whole+fraction, 0, lang)
		return "", code, fault.Args{"typed": sign + s, "a": sign + grouped,
			"b": sign + whole + decimalSign(lang) + fraction}
	}
	if code != "" {
		return "", code, nil
	}
	fraction = strings.TrimRight(fraction, "0")
	if len(fraction) > decimals {
		if decimals == 0 {
			return "", "field.whole", nil
		}
		return "", "field.decimals", fault.Args{"want": strconv.Itoa(decimals)}
	}
	if fraction != "" {
		whole += "." + fraction
	}
	canonical, ok := plain(sign + whole)
	if !ok {
		return "", "field.number", nil
	}
	return canonical, "", nil
}

// splitNumber parts the digits before and after the decimal sign and takes grouping out.
func splitNumber(s string, decimals int) (whole, fraction, code string) {
	last := strings.LastIndexAny(s, ".,")
	if last < 0 {
		return s, "", ""
	}
	mark := s[last : last+1]
	other := strings.Trim(".,", mark)
	left, right := s[:last], s[last+1:]
	switch {
	case strings.Contains(left, other):
		// Both marks: the last is the decimal sign and stands once, the other groups.
		if strings.Contains(left, mark) || right == "" {
			return "", "", "field.number"
		}
		whole, ok := ungroup(left, other)
		if !ok {
			return "", "", "field.number"
		}
		return whole, right, ""
	case strings.Contains(left, mark):
		whole, ok := ungroup(s, mark)
		if !ok {
			return "", "", "field.number"
		}
		return whole, "", ""
	case right == "":
		return "", "", "field.number"
	}
	groupable := len(right) == 3 && len(left) >= 1 && len(left) <= 3 && left[0] != '0'
	switch {
	case decimals == 0 && groupable:
		return left + right, "", ""
	case decimals == 0 || (groupable && decimals < 3):
		return left, right, "field.ambiguous"
	case left == "":
		left = "0"
	}
	return left, right, ""
}

// ungroup takes grouping marks out; every group but the first has three digits.
func ungroup(s, mark string) (string, bool) {
	parts := strings.Split(s, mark)
	for i, p := range parts {
		if (i == 0 && (len(p) < 1 || len(p) > 3)) || (i > 0 && len(p) != 3) {
			return "", false
		}
	}
	return strings.Join(parts, ""), true
}

func decimalSign(lang locale.Lang) string {
	if lang == locale.Vietnamese {
		return ","
	}
	return "."
}

// FormatNumber writes a canonical number with grouping and at least the given decimals.
func FormatNumber(canonical string, decimals int, lang locale.Lang) string {
	sign := ""
	if strings.HasPrefix(canonical, "-") {
		sign, canonical = "-", canonical[1:]
	}
	whole, fraction, _ := strings.Cut(canonical, ".")
	for len(fraction) < decimals {
		fraction += "0"
	}
	mark := ","
	if lang == locale.Vietnamese {
		mark = "."
	}
	var b strings.Builder
	b.WriteString(sign)
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(mark)
		}
		b.WriteRune(c)
	}
	if fraction != "" {
		b.WriteString(decimalSign(lang) + fraction)
	}
	return b.String()
}

// moneyText writes an amount of đồng.
func moneyText(canonical string, lang locale.Lang) string {
	n := FormatNumber(canonical, 0, lang)
	switch lang {
	case locale.English:
		return "VND " + n
	case locale.Chinese:
		return n + " 越南盾"
	}
	return n + " đ"
}

// stripMoney takes the currency and the words in brackets off an amount.
func stripMoney(s string) string {
	if i := strings.IndexAny(s, "(（"); i > 0 {
		s = s[:i]
	}
	s = strings.TrimSpace(s)
	for _, word := range []string{"越南盾", "đồng", "VND", "vnd", "đ", "₫"} {
		if rest, ok := strings.CutSuffix(s, word); ok {
			return strings.TrimSpace(rest)
		}
		if rest, ok := strings.CutPrefix(s, word); ok {
			return strings.TrimSpace(rest)
		}
	}
	return s
}
