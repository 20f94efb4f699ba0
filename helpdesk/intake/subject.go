// Package intake decides what a received mail becomes: a ticket, a message on one, a report, or a row that an agent
// looks at. Nothing is dropped.
//
// This part of it asks no record and changes nothing: the grammar of subjects (subject.go), the table of offices
// (office.go), what a mail is and who sent it (inspect.go), and what the helpdesk would do with it (decide.go). Start
// reading at Inspector.Inspect.
package intake

import (
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"countersign/mail"
)

// Problems of a subject.
const (
	ProblemMissing   = "missing"   // nothing in it looks like a code
	ProblemMalformed = "malformed" // something does, but not as the notice asks
	ProblemUnknown   = "unknown"   // the form is right, but there is no such office or queue
	ProblemOffice    = "office"    // an office's code instead of its province's: it is mapped, with a warning
)

// Routing is where a subject sends a mail: [SHKB#DVC].
type Routing struct {
	Code     string `json:"code"`     // as the subject had it
	Province string `json:"province"` // the province's code; "" when unknown
	Name     string `json:"name"`     // of the province's treasury
	Queue    string `json:"queue"`
	Problem  string `json:"problem"` // "" or one of the problems
}

// pattern compiles when it is first used.
func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

var (
	// Brackets and number sign come in many widths and shapes; NFKC has made the most of them plain before.
	token = pattern(`[\[【〔〖「『{(<]\s*([0-9]{4})\s*#\s*([A-Z]{2,8})\s*[\]】〕〗」』})>]`)
	// What people write who have read the notice in a hurry.
	almost  = pattern(`(?:^|[^0-9])([0-9]{4})\s*[#\-_/:.|–—]?\s*(DVC)(?:[^A-Z]|$)|(?:^|[^A-Z])(DVC)\s*[#\-_/:.|]\s*([0-9]{4})(?:[^0-9]|$)`)
	attempt = pattern(`[\[【〔「{(<][^\]】〕」})>]{0,40}#[^\]】〕」})>]{0,40}|#\s*DVC|SHKB|[\[【〔「{(<]\s*(?:[0-9]{1,6}|DVC)\s*(?:[\]】〕」})>#]|$)|[0-9]{2,6}\s*#`)

	serial    = pattern(`(?:^|[^A-Z0-9])SD\s*([0-9]{2})([0-9]{2})([0-9]{2})\s*-\s*([0-9]{6,9})(?:[^0-9]|$)`)
	askAgain  = pattern(`XAC\s*-?\s*MINH\s*:?\s*(SD\s*[0-9]{6}\s*-\s*[0-9]{6,9})(?:[\s,;:]+([A-Z2-7]{4}[ -]?[A-Z2-7]{4}[ -]?[A-Z2-7]{4}[ -]?[A-Z2-7]{4}))?`)
	prefixes  = pattern(`^(?:\s*(?:RE|FW|FWD|TL|CT|AW|WG|SV|VS|ANTW|TR|RV|ENC|REF|TRA LOI|CHUYEN TIEP|回复|回覆|答复|答覆|转发|轉寄|轉發|返信|転送)\s*(?:[\[(]\s*[0-9]+\s*[\])])?\s*:)+`)
	dashAlike = strings.NewReplacer("‐", "-", "‑", "-", "–", "-", "—", "-", "−", "-", "﹣", "-", "＃", "#", "♯", "#", "﹟", "#")
)

// plainer folds what people type into what the grammar knows: full-width letters and brackets, diacritics, case.
func plainer(s string) string {
	var out strings.Builder
	for _, r := range norm.NFKD.String(dashAlike.Replace(s)) {
		switch {
		case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r):
		case r == 'đ' || r == 'Đ':
			out.WriteByte('D')
		case unicode.IsSpace(r):
			out.WriteByte(' ')
		default:
			out.WriteRune(unicode.ToUpper(r))
		}
	}
	return out.String()
}

// ParseSubject reads the code in a subject by the offices of that day. Replies and forwards keep it behind their marks.
func ParseSubject(subject string, o *Offices, queues []string, on time.Time) Routing {
	s := plainer(subject)
	s = strings.TrimSpace(strings.TrimPrefix(s, prefixes().FindString(s)))
	var first Routing
	for _, g := range token().FindAllStringSubmatch(s, 5) {
		r := o.route(g[1], g[2], queues, on)
		if r.Problem == "" || r.Problem == ProblemOffice {
			return r
		}
		if first.Code == "" {
			first = r
		}
	}
	if first.Code != "" {
		return first
	}
	if g := almost().FindStringSubmatch(s); g != nil {
		// It is clear what was meant, so the ticket goes the right way; the customer still learns the form.
		r := o.route(g[1]+g[4], g[2]+g[3], queues, on)
		r.Problem = ProblemMalformed
		return r
	}
	if attempt().MatchString(s) {
		return Routing{Problem: ProblemMalformed}
	}
	return Routing{Problem: ProblemMissing}
}

func (o *Offices) route(code, queue string, queues []string, on time.Time) Routing {
	r := Routing{Code: code, Queue: queue}
	known := false
	for _, q := range queues {
		known = known || q == queue
	}
	own := o.name(code, on)
	top := province(code)
	name := o.name(top, on)
	if !known || own == "" || name == "" {
		r.Problem = ProblemUnknown
		return r
	}
	r.Province, r.Name = top, name
	if top != code {
		r.Problem = ProblemOffice
	}
	return r
}

// Serials returns the ticket numbers that a text names, in the form SDyymmdd-xxxxxx, without those of impossible days.
func Serials(text string) []string {
	var out []string
	for _, g := range serial().FindAllStringSubmatch(plainer(text[:min(len(text), 64<<10)]), 20) {
		if _, err := time.Parse("060102", g[1]+g[2]+g[3]); err == nil {
			out = append(out, "SD"+g[1]+g[2]+g[3]+"-"+g[4])
		}
	}
	return out
}

// Check is a customer's question whether something is really ours: XACMINH SDyymmdd-xxxxxx CODE.
type Check struct {
	Serial string
	Code   string // sixteen letters without spaces; "" when none was given
}

// askedIn is how far into its text a mail may ask.
const askedIn = 600

// AskedCheck reads such a question from the subject, or from a line that begins with it near the head of the text. What is
// quoted does not count: the footer of each of our mails names the very words.
func AskedCheck(m *mail.Message) (Check, bool) {
	head := m.Text[:min(len(m.Text), askedIn)]
	lines := []string{plainer(m.Subject)}
	for line := range strings.SplitSeq(head[:split(head)], "\n") {
		if line = strings.TrimSpace(plainer(line)); strings.HasPrefix(line, "XAC") {
			lines = append(lines, line)
		}
	}
	for _, s := range lines {
		g := askAgain().FindStringSubmatch(s)
		if g == nil {
			continue
		}
		if all := Serials(g[1]); len(all) == 1 {
			return Check{Serial: all[0], Code: strings.NewReplacer(" ", "", "-", "").Replace(g[2])}, true
		}
	}
	return Check{}, false
}
