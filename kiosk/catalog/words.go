package catalog

import (
	"strconv"
	"strings"

	"countersign/internal/locale"
)

// FormatMoney writes an amount: 1.500.000 đ, VND 1,500,000, 1,500,000 越南盾.
func FormatMoney(n Money, lang locale.Lang) string {
	return moneyText(strconv.FormatInt(int64(n), 10), lang)
}

// AmountInWords writes an amount in words: một triệu năm trăm nghìn đồng.
func AmountInWords(n Money, lang locale.Lang) string {
	switch lang {
	case locale.English:
		return NumberInWords(strconv.FormatInt(int64(n), 10), lang) + " dong"
	case locale.Chinese:
		return chinese(int64(n), "零壹貳參肆伍陸柒捌玖", "拾佰仟", false) + "越南盾整"
	}
	return NumberInWords(strconv.FormatInt(int64(n), 10), lang) + " đồng"
}

// NumberInWords writes a canonical number in words; digits after the decimal sign are read one by one.
func NumberInWords(canonical string, lang locale.Lang) string {
	minus := strings.HasPrefix(canonical, "-")
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(canonical, "-"), ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return canonical
	}
	var words, point, less string
	var digit func(int64) string
	space := " "
	switch lang {
	case locale.English:
		words, point, less, digit = english(n), "point", "minus", english
	case locale.Chinese:
		plainChinese := func(n int64) string { return chinese(n, "零一二三四五六七八九", "十百千", true) }
		words, point, less, digit, space = plainChinese(n), "點", "負", plainChinese, ""
	default:
		words, point, less, digit = vietnamese(n), "phẩy", "âm", vietnamese
	}
	if fraction != "" {
		words += space + point
		for _, c := range fraction {
			words += space + digit(int64(c-'0'))
		}
	}
	if minus {
		words = less + space + words
	}
	return words
}

var vietnameseDigits = [10]string{"không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"}

// vietnamese reads a number. Above a thousand million it reads the thousand millions first: nghìn tỷ.
func vietnamese(n int64) string {
	if n == 0 {
		return vietnameseDigits[0]
	}
	const billion = 1_000_000_000
	var words []string
	if n >= billion {
		words = append(words, vietnamese(n/billion), "tỷ")
		n %= billion
	}
	for _, part := range []struct {
		size int64
		name string
	}{{1_000_000, "triệu"}, {1_000, "nghìn"}, {1, ""}} {
		if three := n / part.size % 1000; three > 0 {
			words = append(words, vietnameseThree(int(three), len(words) > 0))
			if part.name != "" {
				words = append(words, part.name)
			}
		}
	}
	return strings.Join(words, " ")
}

// vietnameseThree reads three digits; full means that something stands before, so zero hundreds are said.
func vietnameseThree(n int, full bool) string {
	hundreds, tens, ones := n/100, n/10%10, n%10
	var words []string
	if hundreds > 0 || full {
		words = append(words, vietnameseDigits[hundreds], "trăm")
	}
	switch {
	case tens == 1:
		words = append(words, "mười")
	case tens > 1:
		words = append(words, vietnameseDigits[tens], "mươi")
	case ones > 0 && len(words) > 0:
		words = append(words, "linh")
	}
	switch {
	case ones == 0:
	case ones == 1 && tens > 1:
		words = append(words, "mốt")
	case ones == 4 && tens > 1:
		words = append(words, "tư")
	case ones == 5 && tens > 0:
		words = append(words, "lăm")
	default:
		words = append(words, vietnameseDigits[ones])
	}
	return strings.Join(words, " ")
}

var (
	englishSmall = [20]string{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
		"eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"}
	englishTens = [10]string{"", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"}
)

func english(n int64) string {
	switch {
	case n < 20:
		return englishSmall[n]
	case n < 100:
		if n%10 == 0 {
			return englishTens[n/10]
		}
		return englishTens[n/10] + "-" + englishSmall[n%10]
	}
	for _, part := range []struct {
		size int64
		name string
	}{{1_000_000_000_000_000, "quadrillion"}, {1_000_000_000_000, "trillion"}, {1_000_000_000, "billion"},
		{1_000_000, "million"}, {1_000, "thousand"}, {100, "hundred"}} {
		if n >= part.size {
			words := english(n/part.size) + " " + part.name
			if rest := n % part.size; rest > 0 {
				words += " " + english(rest)
			}
			return words
		}
	}
	return ""
}

// chinese reads a number in groups of four digits; short reads 15 as 十五 instead of 一十五.
func chinese(n int64, digits, places string, short bool) string {
	d, p := []rune(digits), []rune(places)
	if n == 0 {
		return string(d[0])
	}
	var b strings.Builder
	zero := false
	for _, part := range []struct {
		size int64
		name string
	}{{1_0000_0000_0000_0000, "京"}, {1_0000_0000_0000, "兆"}, {1_0000_0000, "億"}, {1_0000, "萬"}, {1, ""}} {
		four := n / part.size % 10000
		if four == 0 {
			zero = b.Len() > 0
			continue
		}
		for place := 3; place >= 0; place-- {
			digit := four
			for i := 0; i < place; i++ {
				digit /= 10
			}
			digit %= 10
			if digit == 0 {
				zero = b.Len() > 0
				continue
			}
			if zero {
				b.WriteRune(d[0])
				zero = false
			}
			if !(short && digit == 1 && place == 1 && b.Len() == 0) {
				b.WriteRune(d[digit])
			}
			if place > 0 {
				b.WriteRune(p[place-1])
			}
		}
		// A zero at the end of a group is said only when something follows, at its place.
		zero = false
		if part.size > 1 && n%part.size > 0 && n%part.size < part.size/10 {
			zero = true
		}
		b.WriteString(part.name)
	}
	return b.String()
}
