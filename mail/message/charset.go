package message

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/unicode/norm"
)

// The upper halves of the two Vietnamese standards that no library here knows: TCVN 5712:1993 (VN2) and VISCII
// (RFC 1456). Windows-1258 is known; its combining marks are composed by NFC as theirs are.
const (
	tcvnUpper = "ÀẢÃÁẠẶẬÈẺẼÉẸỆÌỈĨÍỊÒỎÕÓỌỘỜỞỠỚỢÙỦŨ\u00a0ĂÂÊÔƠƯĐăâêôơưđẶ\u0300\u0309\u0303\u0301\u0323" +
		"àảãáạẲằẳẵắẴẮẦẨẪẤỀặầẩẫấậèỂẻẽéẹềểễếệìỉỄẾỒĩíịòỔỏõóọồổỗốộờởỡớợùỖủũúụừửữứựỳỷỹýỵỐ"
	visciiUpper = "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲÕắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵÝỡư" +
		"àáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ"
)

// known returns the decoder of a declared character set. The second result is false for one that nobody here knows.
func known(label string) (func([]byte) string, bool) {
	label = strings.ToLower(strings.Trim(label, " \t\"'"))
	label, _, _ = strings.Cut(label, "*") // RFC 2231 §5: charset*language
	switch label {
	case "utf-8", "utf8", "us-ascii", "ascii", "unicode-1-1-utf-8", "ansi_x3.4-1968", "646", "iso-646-us", "":
		return nil, true
	case "tcvn", "tcvn5712", "tcvn-5712", "tcvn5712-1", "x-viet-tcvn", "x-viet-tcvn5712", "tcvn3", "x-viet-tcvn3":
		return func(b []byte) string { return byTable(b, tcvnUpper) }, true
	case "viscii", "csviscii", "x-viet-viscii", "viscii1.1-1":
		return func(b []byte) string { return byTable(b, visciiUpper) }, true
	case "utf-7", "unicode-1-1-utf-7", "csunicode11utf7", "x-unicode-2-0-utf-7":
		return fromUTF7, true
	case "iso-2022-kr", "csiso2022kr":
		return fromISO2022KR, true
	}
	var e encoding.Encoding
	switch label {
	case "hz-gb-2312", "hz":
		e = simplifiedchinese.HZGB2312
	case "gb2312", "gb_2312-80", "x-gbk", "gbk", "cp936", "ms936", "windows-936", "euc-cn", "gb18030", "gb-2312", "gb2312-80", "x-euc-cn", "cn-gb":
		e = simplifiedchinese.GB18030
	case "big5-hkscs", "cp950", "ms950", "windows-950", "big5", "cn-big5", "x-x-big5", "big-5":
		e = traditionalchinese.Big5
	case "cp932", "ms932", "windows-932", "sjis", "x-sjis", "shift-jis", "shift_jis", "windows-31j", "ms_kanji":
		e = japanese.ShiftJIS
	case "iso-2022-jp", "iso-2022-jp-1", "iso-2022-jp-2", "iso-2022-jp-3", "iso-2022-jp-2004", "iso-2022-jp-ms", "cp50220", "cp50221", "jis", "csiso2022jp":
		e = japanese.ISO2022JP
	case "cp949", "ms949", "uhc", "ks_c_5601-1987", "ks_c_5601", "euc-kr", "euckr":
		e = korean.EUCKR
	case "cp437", "ibm437", "437":
		e = charmap.CodePage437
	case "cp850", "ibm850", "850":
		e = charmap.CodePage850
	case "cp1258", "windows-1258", "x-cp1258", "windows1258":
		e = charmap.Windows1258
	default:
		if e, _ = charset.Lookup(label); e == nil || e == encoding.Replacement {
			return nil, false
		}
	}
	return func(b []byte) string {
		out, err := e.NewDecoder().Bytes(b)
		if err != nil {
			return ""
		}
		return string(out)
	}, true
}

// decode turns bytes into clean text by the declared character set, and by guessing where none is declared or the
// declared one can't be right. ok is false when it had to guess.
func decode(b []byte, label string) (s string, ok bool) {
	if plainASCII(b) && !shifted(label) {
		return string(b), true
	}
	f, named := known(label)
	switch {
	case named && f == nil:
		if utf8.Valid(b) {
			return norm.NFC.String(string(b)), true
		}
		return norm.NFC.String(guess(b)), false
	case named:
		out := f(b)
		// Chinese and Vietnamese mails often declare a Latin set and are UTF-8 all the same.
		if single(label) && utf8.Valid(b) && asianUTF8(b) {
			return norm.NFC.String(string(b)), false
		}
		if bad := strings.Count(out, "\uFFFD"); out == "" || bad > 2 && bad*10 > len([]rune(out)) {
			if utf8.Valid(b) {
				return norm.NFC.String(string(b)), false
			}
		}
		return norm.NFC.String(out), true
	}
	if utf8.Valid(b) {
		return norm.NFC.String(string(b)), false
	}
	return norm.NFC.String(guess(b)), false
}

func plainASCII(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 || c == 0x1b {
			return false
		}
	}
	return true
}

// shifted reports whether a character set writes other letters in ASCII bytes.
func shifted(label string) bool {
	label = strings.ToLower(label)
	return strings.Contains(label, "2022") || strings.Contains(label, "utf-7") || strings.HasPrefix(label, "hz") || strings.HasPrefix(label, "utf-16") || label == "jis"
}

func single(label string) bool {
	label = strings.ToLower(label)
	return strings.HasPrefix(label, "iso-8859") || strings.HasPrefix(label, "windows-125") || label == "latin1"
}

// asianUTF8 reports whether valid UTF-8 holds letters that nobody writes by accident in a Latin set.
func asianUTF8(b []byte) bool {
	n := 0
	for _, r := range string(b) {
		if r >= 0x1ea0 && r <= 0x1eff || r >= 0x2e80 && r < 0xfffd || r == 'đ' || r == 'ư' || r == 'ơ' {
			n++
		}
	}
	return n > 0
}

func byTable(b []byte, upper string) string {
	table := []rune(upper)
	var out strings.Builder
	for _, c := range b {
		if c < 0x80 {
			out.WriteByte(c)
		} else {
			out.WriteRune(table[c-0x80])
		}
	}
	return out.String()
}

// guess finds the character set of 8-bit text that is not UTF-8: the one under which most of it is words.
func guess(b []byte) string {
	if len(b) > 64<<10 {
		// What the beginning is, the rest is.
		head := guessed(b[:64<<10])
		return head(b)
	}
	return guessed(b)(b)
}

func guessed(b []byte) func([]byte) string {
	if mostlyUTF8(b) {
		return func(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }
	}
	best, top := "windows-1252", 0.0
	for _, label := range []string{"windows-1252", "windows-1258", "tcvn", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr", "windows-1251"} {
		f, _ := known(label)
		s := score(norm.NFC.String(f(b)), label)
		if label == "tcvn" && (sparse(b) || !holds(b, "\xa8\xa9\xaa\xac\xad\xae\xb5\xb6\xb7\xb8\xb9\xc6\xc7\xca\xcb")) ||
			label == "windows-1258" && (sparse(b) || !holds(b, "\xf0\xe3\xf5\xfd\xcc\xec\xde\xd2\xf2")) {
			s /= 2
		}
		if s > top {
			best, top = label, s
		}
	}
	f, _ := known(best)
	return f
}

// holds reports whether b has one of the bytes without which Vietnamese is hardly written: đ, ơ, ư, ă, tone marks.
func holds(b []byte, set string) bool {
	for _, c := range b {
		if c >= 0x80 && strings.IndexByte(set, c) >= 0 {
			return true
		}
	}
	return false
}

// sparse reports whether fewer letters carry marks than Vietnamese has: every fourth does, in German every thirtieth.
func sparse(b []byte) bool {
	high, letters := 0, 0
	for _, c := range b {
		switch {
		case c >= 0x80:
			high++
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			letters++
		}
	}
	return high*6 < letters
}

func mostlyUTF8(b []byte) bool {
	good, bad := 0, 0
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		switch {
		case r == utf8.RuneError && n <= 1:
			bad++
		case n > 1:
			good++
		}
		i += n
	}
	return good > 0 && good >= 4*bad
}

const (
	vietnamese = "ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ"
	// The commonest characters tell a real Chinese text from bytes that happen to decode.
	commonHan = "的一是不了在人有我他這这個们們中来來上大為为和国國地到以说說時时要就出会會可也你对對生能而子那得于著下自之年过過发發后後作里用道行所然家种種事成方多经經" +
		"请請您好问問题題件邮郵号號码碼电電话話公司明天谢謝无無法登录錄录資资料附查收系统統單单位更新密户戶账帳客服务務"
)

// score says how much of a text reads like its character set's language, by the letter that is not ASCII.
func score(s, label string) float64 {
	hits, total := 0.0, 0
	prev := ' '
	for _, r := range s {
		if r < 0x80 {
			prev = r
			continue
		}
		total++
		switch {
		case r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Co, r):
			hits -= 2
		default:
			hits += worth(r, prev, label)
		}
		prev = r
	}
	if total == 0 {
		return 0
	}
	return hits / float64(total)
}

func worth(r, prev rune, label string) float64 {
	lower := unicode.ToLower(r)
	switch label {
	case "windows-1252":
		if unicode.IsLetter(r) && !(unicode.IsUpper(r) && unicode.IsLower(prev)) {
			return 0.55
		}
		return 0.1
	case "windows-1251":
		if unicode.Is(unicode.Cyrillic, r) && !(unicode.IsUpper(r) && unicode.IsLower(prev)) && prev != ' ' {
			return 0.7
		}
		return 0.1
	case "windows-1258", "tcvn":
		if strings.ContainsRune(vietnamese, lower) && !(unicode.IsUpper(r) && unicode.IsLower(prev)) {
			if lower >= 0x1ea0 || lower == 'đ' || lower == 'ơ' || lower == 'ư' || lower == 'ă' {
				return 0.9
			}
			return 0.5
		}
		return -0.3
	case "shift_jis", "euc-jp":
		if r >= 0x3040 && r <= 0x30ff {
			return 1
		}
		if r >= 0xff61 && r <= 0xff9f { // half-width katakana: what other sets' bytes look like
			return -0.2
		}
	case "euc-kr":
		if r >= 0xac00 && r <= 0xd7a3 {
			return 0.8
		}
		return 0.1
	}
	switch {
	case strings.ContainsRune(commonHan, r):
		return 1
	case r >= 0x4e00 && r <= 0x9fff:
		return 0.5
	case r >= 0x3000 && r <= 0x3002 || r >= 0xff00 && r <= 0xff60:
		return 0.8
	}
	return 0
}
