package auth

import (
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"countersign/mail"
)

// suspicions looks for what makes people take a sender for somebody else.
func (j *judge) suspicions() {
	switch {
	case len(j.message.From) == 0 || len(j.message.From) == 1 && j.message.From[0].Domain() == "":
		j.bad("no_from", nil)
	case len(j.message.From) > 1:
		j.bad("several_from", nil)
	}
	for _, d := range j.message.Defects {
		if d.Word == "field_twice" && d.Where != "subject" && d.Where != "message-id" && d.Where != "date" {
			j.bad("field_twice", map[string]string{"field": d.Where})
		}
	}
	for _, a := range j.message.From {
		j.name(a)
		j.lookAlike(a)
	}
	j.elsewhere()
	switch j.verdict.SMIME.Status {
	case mail.SMIMEInvalid:
		j.bad("smime_invalid", nil)
	case mail.SMIMEValid:
		if !j.verdict.SMIME.MatchesFrom {
			j.bad("signer_not_from", map[string]string{"signer": j.verdict.SMIME.Signer})
		}
	}
}

// name looks at the words beside an address.
func (j *judge) name(a mail.Address) {
	shown := strings.ToLower(norm.NFKC.String(a.Name))
	for _, word := range strings.FieldsFunc(shown, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`<>()[]"',;:`, r) }) {
		i := strings.IndexByte(word, '@')
		if i > 0 && strings.Contains(word[i:], ".") && word != strings.ToLower(a.Addr) {
			j.bad("name_shows_address", map[string]string{"shown": word, "real": a.Addr})
			return
		}
	}
	if shown == "" || j.ours(a.Domain()) {
		return
	}
	folded := fold(shown)
	for _, n := range append(append([]string{}, j.policy.Names...), j.policy.Own...) {
		if n = fold(strings.ToLower(n)); n != "" && strings.Contains(folded, n) {
			j.bad("name_is_ours", map[string]string{"shown": a.Name, "real": a.Addr})
			return
		}
	}
}

func (j *judge) ours(domain string) bool {
	for _, own := range j.policy.Own {
		if under(normalDomain(domain), normalDomain(own)) {
			return true
		}
	}
	return false
}

// lookAlike compares the sender's domain with ours and those that we know.
func (j *judge) lookAlike(a mail.Address) {
	domain := normalDomain(a.Domain())
	if domain == "" {
		return
	}
	known := append(append([]string{}, j.policy.Own...), j.policy.Known...)
	for _, k := range known {
		if under(domain, normalDomain(k)) {
			return
		}
	}
	for _, k := range known {
		if Imitates(domain, k) {
			j.bad("look_alike", map[string]string{"domain": domain, "like": k})
			return
		}
	}
	if mixedLetters(domain) {
		j.bad("mixed_letters", map[string]string{"domain": domain})
	}
}

// elsewhere compares where answers go with where the mail says it is from.
func (j *judge) elsewhere() {
	if len(j.message.ReplyTo) == 0 || j.domain == "" {
		return
	}
	for _, a := range j.message.ReplyTo {
		if d := normalDomain(a.Domain()); d != "" && organisation(d) != organisation(j.domain) {
			j.bad("answers_elsewhere", map[string]string{"reply_to": a.Addr, "from": j.from.Addr})
			return
		}
	}
}

// lettersAlike are letters of other scripts, and groups of Latin ones, that look like the ones that they map to.
var lettersAlike = strings.NewReplacer(
	"а", "a", "е", "e", "о", "o", "р", "p", "с", "c", "у", "y", "х", "x", "ѕ", "s", "і", "i", "ј", "j", "ԁ", "d", "ԛ", "q", "ԝ", "w", "һ", "h", "ь", "b", "к", "k", "м", "m", "т", "t", "в", "b", "н", "h", "п", "n", "г", "r", "ѵ", "v",
	"α", "a", "ε", "e", "ο", "o", "ρ", "p", "ν", "v", "υ", "u", "ι", "i", "κ", "k", "τ", "t", "χ", "x", "ω", "w", "η", "n", "γ", "y", "σ", "o", "ց", "g", "օ", "o", "ս", "u", "հ", "h", "ո", "n",
	"ı", "i", "ɡ", "g", "ɑ", "a", "ʋ", "v", "ß", "b", "đ", "d", "ł", "l", "ø", "o", "æ", "ae", "œ", "oe",
	"0", "o", "1", "l", "3", "e", "5", "s", "i", "l", "rn", "m", "vv", "w", "cl", "d", "-", "", "_", "",
)

// fold takes diacritics and letter variants away.
func fold(s string) string {
	var out strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(s)) {
		if !unicode.Is(unicode.Mn, r) && !unicode.Is(unicode.Cf, r) {
			out.WriteRune(r)
		}
	}
	return strings.ReplaceAll(out.String(), "đ", "d")
}

// skeleton is what a domain looks like to a hasty eye.
func skeleton(domain string) string {
	if u, err := idna.ToUnicode(domain); err == nil {
		domain = u
	}
	return lettersAlike.Replace(lettersAlike.Replace(fold(domain)))
}

// Imitates reports whether a domain, which is neither the known one nor below it, is made to be taken for it: by
// letters that look alike, by one or two letters changed, by hyphens for dots, or by the known name inside another one.
func Imitates(domain, known string) bool {
	domain, known = normalDomain(domain), normalDomain(known)
	if domain == known || known == "" {
		return false
	}
	a, b := skeleton(domain), skeleton(known)
	if a == b || strings.ReplaceAll(a, ".", "") == strings.ReplaceAll(b, ".", "") {
		return true
	}
	// vst.gov.vn.example.com, vst-gov-vn.example.com, hotro-vst.gov.vn.example
	flat := strings.ReplaceAll(b, ".", "")
	if len(flat) >= 6 && strings.Contains(strings.ReplaceAll(a, ".", ""), flat) {
		return true
	}
	// vst.gov.com for vst.gov.vn
	if i, k := strings.LastIndexByte(a, '.'), strings.LastIndexByte(b, '.'); i >= 6 && k >= 6 && a[:i] == b[:k] {
		return true
	}
	orgA, orgB := skeleton(organisation(domain)), skeleton(organisation(known))
	if orgA == orgB {
		return false // another office of the same organisation
	}
	allowed := 1
	if len(orgB) >= 14 {
		allowed = 2
	}
	nameA, restA, _ := strings.Cut(orgA, ".")
	nameB, restB, _ := strings.Cut(orgB, ".")
	if restA == restB {
		// Under one suffix short names lie close to each other by chance.
		if len(nameB) < 4 {
			return len(nameA) == len(nameB) && transposed(nameA, nameB)
		}
		return distance(nameA, nameB) <= allowed
	}
	// The same name under another ending: vst.com.vn, evn.com for evn.com.vn.
	return nameA == nameB && len(nameB) >= 3 && distance(restA, restB) <= 4 && restA != restB && len(restB) >= 3
}

func transposed(a, b string) bool {
	for i := range len(a) - 1 {
		if a[:i]+a[i+1:i+2]+a[i:i+1]+a[i+2:] == b {
			return true
		}
	}
	return false
}

// distance is how many letters have to change, appear, go or swap with their neighbour (Damerau, bounded input).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 80 || len(y) > 80 {
		return 80
	}
	d := make([][]int, len(x)+1)
	for i := range d {
		d[i] = make([]int, len(y)+1)
		d[i][0] = i
	}
	for k := range d[0] {
		d[0][k] = k
	}
	for i := 1; i <= len(x); i++ {
		for k := 1; k <= len(y); k++ {
			cost := 1
			if x[i-1] == y[k-1] {
				cost = 0
			}
			d[i][k] = min(d[i-1][k]+1, d[i][k-1]+1, d[i-1][k-1]+cost)
			if i > 1 && k > 1 && x[i-1] == y[k-2] && x[i-2] == y[k-1] {
				d[i][k] = min(d[i][k], d[i-2][k-2]+1)
			}
		}
	}
	return d[len(x)][len(y)]
}

// mixedLetters reports whether one label mixes Latin letters with Cyrillic or Greek ones.
func mixedLetters(domain string) bool {
	u, err := idna.ToUnicode(domain)
	if err != nil {
		return strings.Contains(domain, "xn--")
	}
	for label := range strings.SplitSeq(u, ".") {
		latin, other := false, false
		for _, r := range label {
			latin = latin || unicode.Is(unicode.Latin, r)
			other = other || unicode.Is(unicode.Cyrillic, r) || unicode.Is(unicode.Greek, r)
		}
		if latin && other {
			return true
		}
	}
	return false
}
