package intake

import (
	"slices"
	"strings"
	"unicode/utf8"

	"countersign/helpdesk"
)

// secretWord is a phrase that announces a secret, as folded words.
type secretWord struct {
	words []string
	kind  string // pin, password, otp, remote
}

// secretWords are what customers write before a secret. The longer phrases stand first.
var secretWords = []secretWord{
	{[]string{"mat", "khau"}, "password"},
	{[]string{"mat", "ma"}, "password"},
	{[]string{"password"}, "password"},
	{[]string{"passwd"}, "password"},
	{[]string{"pass"}, "password"},
	{[]string{"pwd"}, "password"},
	{[]string{"matkhau"}, "password"},
	{[]string{"mk"}, "password"},
	{[]string{"pin"}, "pin"},
	{[]string{"otp"}, "otp"},
	{[]string{"ma", "xac", "thuc"}, "otp"},
	{[]string{"ma", "xac", "nhan"}, "otp"},
	{[]string{"ultraviewer"}, "remote"},
	{[]string{"ultraview"}, "remote"},
	{[]string{"ultra", "viewer"}, "remote"},
	{[]string{"ultra", "view"}, "remote"},
	{[]string{"teamviewer"}, "remote"},
	{[]string{"team", "viewer"}, "remote"},
	{[]string{"anydesk"}, "remote"},
	{[]string{"rustdesk"}, "remote"},
}

// between are words that may stand between the announcement and the secret. Any other word ends the search.
var between = strings.Fields(`la is the cua em toi minh anh chi chung thu so ma moi cu hien tai nay do nhu sau dang nhap token usb
	dvc email thu may tinh tai khoan my our your new old login account user id pass password mat khau pin otp code va and ten
	nguoi dung don vi ky cks vua nhan duoc gui cap`)

// reach is how many words after the announcement are looked at.
const reach = 10

// Mask takes secrets out of a text: values of PINs, passwords and one-time codes, and the ids that remote-control programs
// show. Each is replaced by helpdesk.MaskMark. It looks for a phrase that announces a secret and takes what follows it in
// the same sentence and looks like one; so "wrong PIN, locked after 3 tries" stays as it is, and a secret that nothing
// announces is not found.
func Mask(text string) (string, []helpdesk.Mask) {
	return maskWords(text, helpdesk.Words(text))
}

// hidden is a stretch of a text that goes.
type hidden struct {
	from, to int
	kind     string
}

func maskWords(text string, words []helpdesk.Word) (string, []helpdesk.Mask) {
	var found []hidden
	for i := 0; i < len(words); i++ {
		s, ok := announces(words, i)
		if !ok {
			continue
		}
		if h, ok := secretAfter(text, words, i+len(s.words), s.kind); ok {
			found = append(found, h)
		}
	}
	if len(found) == 0 {
		return text, nil
	}
	slices.SortStableFunc(found, func(a, b hidden) int { return a.from - b.from })
	var b strings.Builder
	var masks []helpdesk.Mask
	at := 0
	for _, h := range found {
		if h.from < at {
			continue
		}
		b.WriteString(text[at:h.from])
		masks = append(masks, helpdesk.Mask{Kind: h.kind, At: b.Len()})
		b.WriteString(helpdesk.MaskMark)
		at = h.to
	}
	b.WriteString(text[at:])
	return b.String(), masks
}

func announces(words []helpdesk.Word, i int) (secretWord, bool) {
	for _, s := range secretWords {
		if len(words)-i < len(s.words) {
			continue
		}
		same := true
		for n, w := range s.words {
			same = same && words[i+n].Text == w
		}
		if same {
			return s, true
		}
	}
	return secretWord{}, false
}

// secretAfter looks for the secret that an announcement at word i-1 is about.
func secretAfter(text string, words []helpdesk.Word, i int, kind string) (hidden, bool) {
	end := 0
	if i > 0 {
		end = words[i-1].To
	}
	for n := i; n < len(words) && n < i+reach; n++ {
		gap := text[end:words[n].From]
		if strings.ContainsAny(gap, ".!?;") && !said(gap) || strings.Count(gap, "\n") > 1 {
			return hidden{}, false
		}
		from, to := run(text, words, n)
		value := strings.ReplaceAll(text[from:to], " ", "")
		told := said(gap) || n > i && words[n-1].Text == "la" || n > i && words[n-1].Text == "is"
		if looksSecret(value, kind, told) && (told || !slices.Contains(between, words[n].Text)) {
			return hidden{from, to, kind}, true
		}
		if !slices.Contains(between, words[n].Text) {
			return hidden{}, false
		}
		end = words[n].To
	}
	return hidden{}, false
}

// said reports whether what stands between two words says that a value follows.
func said(gap string) bool { return strings.ContainsAny(gap, ":=：＝") }

// chunk widens a word to everything up to the next space, without the punctuation that ends a sentence.
func chunk(text string, w helpdesk.Word) (from, to int) {
	from, to = w.From, w.To
	for from > 0 && !strings.ContainsRune(" \t\n:=\"'(：＝", rune(text[from-1])) && text[from-1] < utf8.RuneSelf {
		from--
	}
	for to < len(text) && !strings.ContainsRune(" \t\n\"'", rune(text[to])) {
		to++
	}
	for to > w.To && strings.ContainsRune(".,;)!?", rune(text[to-1])) && !strings.ContainsRune("!?", rune(text[to-1])) {
		to--
	}
	return from, to
}

// looksSecret judges one piece without spaces. Told is whether ":" or "là" stands before it: then it need not look odd.
func looksSecret(value, kind string, told bool) bool {
	digits, letters, upper, odd := 0, 0, 0, 0
	for _, r := range value {
		switch {
		case '0' <= r && r <= '9':
			digits++
		case 'a' <= r && r <= 'z':
			letters++
		case 'A' <= r && r <= 'Z':
			letters++
			upper++
		case r >= utf8.RuneSelf:
			letters++
		default:
			odd++
		}
	}
	switch kind {
	case "pin", "otp":
		return digits >= 4 && letters <= digits || told && digits >= 1 && digits+letters >= 4
	case "remote":
		return digits >= 3 && letters == 0 || told && digits >= 1 && digits+letters+odd >= 4
	}
	if told {
		return digits+letters+odd >= 4 && (digits > 0 || odd > 0 || upper > 0 && upper < letters || letters >= 6)
	}
	return digits > 0 && digits+letters+odd >= 4 || odd > 0 && letters >= 3 && digits+letters+odd >= 6
}

// run takes a piece without spaces, and when it is digits the groups of digits that follow it: "123 456 789".
func run(text string, words []helpdesk.Word, n int) (from, to int) {
	from, to = chunk(text, words[n])
	for n++; n < len(words) && digitsOnly(text[from:to]) && digitsOnly(words[n].Text); n++ {
		next, end := chunk(text, words[n])
		if next <= to || strings.Trim(text[to:next], " ") != "" || !digitsOnly(text[next:end]) {
			break
		}
		to = end
	}
	return from, to
}

func digitsOnly(s string) bool { return strings.Trim(s, "0123456789 -.") == "" }
