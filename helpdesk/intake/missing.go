package intake

import (
	"strings"
	"unicode"

	"countersign/helpdesk"
	"countersign/mail"
)

// describedBy is how many words of the customer's own make a description. A greeting, an error's name and a thank-you are
// fewer.
const describedBy = 12

// missing returns what a request lacks of what its category needs, in the order of helpdesk.Needs.
func missing(needs []string, words int, phone string, files []mail.Attachment) []string {
	var out []string
	for _, need := range needs {
		has := true
		switch need {
		case "description":
			has = words >= describedBy
		case "screenshot":
			has = pictured(files)
		case "contact":
			has = phone != ""
		}
		if !has {
			out = append(out, need)
		}
	}
	return out
}

// pictured reports whether a picture or a page came with the mail.
func pictured(files []mail.Attachment) bool {
	for _, f := range files {
		if strings.HasPrefix(f.Type, "image/") || f.Type == "application/pdf" {
			return true
		}
	}
	return false
}

// Phone returns the first telephone number of Viet Nam in a text, as ten or eleven digits with the leading 0; "" when
// there is none. Numbers are written with spaces, points or dashes between groups, and with +84 or 84 for the 0.
func Phone(text string) string {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c != '+' && (c < '0' || c > '9') {
			continue
		}
		if i > 0 && (isDigit(text[i-1]) || text[i-1] == '.' || unicode.IsLetter(rune(text[i-1]))) {
			continue
		}
		digits, end := number(text, i)
		if rest, ok := strings.CutPrefix(digits, "84"); ok && len(rest) >= 9 {
			digits = "0" + rest
		}
		if (len(digits) == 10 || len(digits) == 11) && digits[0] == '0' && digits[1] != '0' {
			return digits
		}
		i = max(i, end-1)
	}
	return ""
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// number reads digits with single separators between them and returns them and where they end.
func number(text string, i int) (string, int) {
	var b strings.Builder
	if text[i] == '+' {
		i++
	}
	for ; i < len(text); i++ {
		switch {
		case isDigit(text[i]):
			b.WriteByte(text[i])
		case separates(text, i):
		default:
			return b.String(), i
		}
	}
	return b.String(), i
}

// separates reports whether a byte stands between two groups of a number: one separator, or a bracket and a space.
func separates(text string, i int) bool {
	if strings.IndexByte(" .-()", text[i]) < 0 || i+1 >= len(text) {
		return false
	}
	next := text[i+1]
	return isDigit(next) || next == '(' || text[i] == ')' && next == ' ' && i+2 < len(text) && isDigit(text[i+2])
}

// split returns the byte at which the quoted part of a text begins: its own first lines of quotation, or a line by which
// mail programs announce one. It is len(text) when nothing is quoted.
func split(text string) int {
	at := 0
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		folded := ""
		if len(trimmed) < 200 {
			folded = helpdesk.Fold(trimmed)
		}
		switch {
		case strings.HasPrefix(trimmed, ">"),
			strings.HasPrefix(trimmed, "-----") && strings.Contains(folded, "original message"),
			strings.HasSuffix(folded, "da viet:"), strings.HasPrefix(folded, "on ") && strings.HasSuffix(folded, "wrote:"),
			strings.HasPrefix(folded, "vao ") && strings.HasSuffix(folded, "viet:"):
			return at
		}
		at += len(line)
	}
	return len(text)
}
