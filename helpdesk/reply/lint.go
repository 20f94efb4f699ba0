package reply

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"
	"golang.org/x/text/unicode/norm"

	"countersign/helpdesk"
)

// Kind is what a finding is.
type Kind string

// What genuine staff never write (mission T-F21 to T-F24).
const (
	Link   Kind = "link"   // anything that leads somewhere by a click
	Remote Kind = "remote" // the name of a program that controls a machine from afar
	Asks   Kind = "asks"   // asks for a PIN, a password or a one-time code
)

// Finding is a stretch of a draft that may not leave.
type Finding struct {
	Kind     Kind
	From, To int // bytes of the text
}

// remoteNames are folded, without spaces; a name that is the beginning of a longer one stands for both.
var remoteNames = []string{
	"ultraview", "ultraviewer", "teamviewer", "anydesk", "rustdesk", "supremo", "aeroadmin", "ammyy", "logmein", "remotepc", "screenconnect",
	"splashtop", "getscreen", "quickassist", "dwservice", "iperius", "parsec", "realvnc", "tightvnc", "ultravnc", "chromeremotedesktop",
	"remotedesktop", "todesk", "sunlogin", "向日葵", "向日葵遠程", "遠端桌面", "远程桌面",
}

// secretNames are what is never asked for, as folded words.
var secretNames = [][]string{
	{"mat", "khau"}, {"mat", "ma"}, {"matkhau"}, {"password"}, {"passwd"}, {"passcode"}, {"pass"}, {"pwd"}, {"mk"}, {"pin"}, {"otp"},
	{"ma", "xac", "thuc"}, {"ma", "xac", "nhan"}, {"one", "time", "code"}, {"verification", "code"}, {"khoa", "bi", "mat"},
	{"private", "key"}, {"密", "碼"}, {"密", "码"}, {"口", "令"}, {"驗", "證", "碼"}, {"验", "证", "码"},
}

// askWords ask somebody to hand something over.
var askWords = [][]string{
	{"gui"}, {"cung", "cap"}, {"doc"}, {"cho", "biet"}, {"cho", "em"}, {"cho", "toi"}, {"cho", "minh"}, {"nhan", "lai"}, {"bao", "lai"},
	{"tra", "loi"}, {"chup"}, {"chia", "se"}, {"nhap", "vao", "thu"}, {"send"}, {"give"}, {"tell"}, {"provide"}, {"share"},
	{"reply"}, {"need"}, {"confirm"}, {"what", "is"}, {"let", "me", "know"}, {"给", "我"}, {"給", "我"}, {"提", "供"}, {"發"}, {"发"}, {"告"}, {"回", "覆"}, {"回", "复"},
}

// denials turn a request round when they stand right before it: "không gửi mật khẩu".
var denials = [][]string{
	{"khong"}, {"dung"}, {"never"}, {"not"}, {"dont"}, {"don", "t"}, {"勿"}, {"不"}, {"别"}, {"別"},
}

// denialReach is how many words may stand between a denial and the request that it turns round.
const denialReach = 2

// Lint returns what a draft holds that genuine staff never write, in the order of the text. Mail with a finding is not
// sent; there is nobody who may let it pass. It reads what a person would read: without diacritics and invisible letters,
// full-width letters as plain ones, and names also when their letters stand apart.
func Lint(text string) []Finding {
	words := helpdesk.Words(text)
	out := remotes(text, words)
	out = append(out, links(text)...)
	out = append(out, asks(text, words)...)
	slices.SortFunc(out, func(a, b Finding) int { return a.From - b.From })
	return slices.Compact(out)
}

// remotes finds names of programs in the words run together, where a word begins and a word ends.
func remotes(text string, words []helpdesk.Word) (out []Finding) {
	for i := range words {
		run := ""
		for j := i; j < len(words) && len(run) < 40; j++ {
			run += words[j].Text
			if slices.ContainsFunc(remoteNames, func(name string) bool { return run == name || strings.HasPrefix(run, name) && j == i }) {
				out = append(out, Finding{Remote, words[i].From, words[j].To})
				break
			}
		}
	}
	return out
}

// asks finds requests for secrets, sentence by sentence. A request that a denial turns round right before it is advice.
func asks(text string, words []helpdesk.Word) (out []Finding) {
	for from := 0; from < len(words); {
		to := from + 1
		for to < len(words) && !strings.ContainsAny(text[words[to-1].To:words[to].From], ".!?\n。！？;；") {
			to++
		}
		sentence := words[from:to]
		for i := range sentence {
			if n := startsWith(sentence[i:], secretNames); n > 0 && (begged(sentence[:i]) || requested(text, sentence)) {
				out = append(out, Finding{Asks, sentence[i].From, sentence[i+n-1].To})
			}
		}
		from = to
	}
	return out
}

// begged reports whether "xin" stands right before: "xin lại mật khẩu" asks for it, "xin chị đổi mật khẩu" is polite.
func begged(before []helpdesk.Word) bool {
	for i := len(before) - 1; i >= 0 && i >= len(before)-2; i-- {
		if before[i].Text == "xin" {
			return len(before)-1-i == 0 || before[i+1].Text == "lai" || before[i+1].Text == "ma" || before[i+1].Text == "cai" || before[i+1].Text == "them"
		}
	}
	return false
}

// requested reports whether a sentence holds a request that nothing turns round.
func requested(text string, sentence []helpdesk.Word) bool {
	for i := range sentence {
		if startsWith(sentence[i:], askWords) > 0 && !denied(text, sentence, i) {
			return true
		}
	}
	return false
}

func denied(text string, sentence []helpdesk.Word, at int) bool {
	for i := at - 1; i >= 0 && at-i <= denialReach+1; i-- {
		// A comma ends what the denial denies: "không sao, cho em xin mật khẩu".
		if strings.ContainsAny(text[sentence[i].To:sentence[i+1].From], ",:，：") {
			return false
		}
		if startsWith(sentence[i:], denials) > 0 {
			return true
		}
	}
	return false
}

// startsWith returns how many words the longest phrase has that the words begin with, 0 for none.
func startsWith(words []helpdesk.Word, phrases [][]string) (n int) {
	for _, p := range phrases {
		if len(p) > n && len(p) <= len(words) && slices.EqualFunc(words[:len(p)], p, func(w helpdesk.Word, s string) bool { return w.Text == s }) {
			n = len(p)
		}
	}
	return n
}

// schemes begin a link, also in the forms in which they are hidden from filters.
var schemes = []string{"http:", "https:", "hxxp:", "hxxps:", "ftp:", "file:", "tel:", "sms:", "zalo:", "http//", "https//", "www."}

// links finds everything that a mail program makes clickable, or that a person would copy into a browser.
func links(text string) (out []Finding) {
	for _, t := range tokens(text) {
		plain := strings.ToLower(disguised.Replace(visible(text[t[0]:t[1]])))
		if slices.ContainsFunc(schemes, func(s string) bool { return strings.Contains(plain, s) }) || host(plain) {
			out = append(out, Finding{Link, t[0], t[1]})
		}
	}
	return out
}

// disguised are ways to write a dot that no program recognises and every person does.
var disguised = strings.NewReplacer("[.]", ".", "(.)", ".", "{.}", ".", "[dot]", ".", "(dot)", ".", "。", ".", "．", ".", "[:]", ":", "\\", "/")

// tokens are the stretches of a text between blanks, as bytes from and to.
func tokens(text string) (out [][2]int) {
	from := -1
	for i, r := range text {
		if unicode.IsSpace(r) {
			if from >= 0 {
				out = append(out, [2]int{from, i})
			}
			from = -1
		} else if from < 0 {
			from = i
		}
	}
	if from >= 0 {
		out = append(out, [2]int{from, len(text)})
	}
	return out
}

// visible is what a person sees of a word: compatibility forms made plain, invisible letters gone.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) || r == 0x34F || r == utf8.RuneError {
			return -1
		}
		return r
	}, norm.NFKC.String(s))
}

// fileEndings are top-level domains that are far more often the ending of a file's name.
var fileEndings = []string{"zip", "mov", "md", "py", "sh", "ps", "app"}

// host reports whether a word is, or begins with, the name of a host under a public domain. An address of a mailbox is no
// link.
func host(word string) bool {
	word = strings.Trim(word, `"'()<>[]{},;:!?`)
	name, path, slash := strings.Cut(word, "/")
	name, _, _ = strings.Cut(name, ":")
	if strings.Contains(name, "@") {
		return false
	}
	name = strings.TrimSuffix(name, ".")
	last := name[strings.LastIndexByte(name, '.')+1:]
	if last == name || strings.HasPrefix(name, ".") || strings.Contains(name, "..") {
		return false
	}
	for _, r := range name {
		if r != '.' && r != '-' && !(r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r))) && !slash {
			return false
		}
	}
	suffix, icann := publicsuffix.PublicSuffix(name)
	if !icann || suffix == name || slices.Contains(fileEndings, last) && !slash {
		return slash && path != "" && icann && suffix != name
	}
	return true
}
