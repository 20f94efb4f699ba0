package message

import (
	"strings"
	"unicode"
	"unicode/utf8"

	m "countersign/mail"
)

// Subjects by which people's programs answer for them, and by which people themselves do.
var (
	replySubject = lazily(`(?i)^\s*(?:\[[^\]]{0,60}\]\s*)?(?:re|aw|antw|sv|vs|tl|trả lời|tra loi|ref|rif|odp|回复|回覆|答复|答覆|返信|회신)\s*(?:\[\d+\]|\(\d+\))?\s*[:：]`)

	awayText = lazily(`(?i)(?:this is an automat(?:ed|ic) (?:reply|response|message)|i (?:am|will be) (?:currently )?(?:out of the office|on vacation|on annual leave|away from)|` +
		`ich bin (?:derzeit |momentan )?(?:nicht im büro|im urlaub|abwesend)|je suis (?:actuellement )?absent|estoy fuera de la oficina|đây là (?:thư|email|tin nhắn) (?:trả lời )?tự động|hiện (?:tôi )?(?:đang )?(?:vắng mặt|nghỉ phép)|` +
		`这是(?:一封)?自动(?:回复|应答)|此(?:為|为)自動(?:回覆|回复)|自動(?:送信|返信)メール)`)
)

// away are the beginnings of subjects under which programs answer for absent people, in lower case.
var away = strings.Split("automatic reply|automated reply|auto reply|auto-reply|autoreply|auto response|auto-response|automatic response|automated response|auto responder|auto-responder|autoresponder|auto:|"+
	"out of office|out of the office|out-of-office|ooo:|ooo |away from my mail|away from my office|away from my desk|away from the office|on vacation|vacation reply|vacation message|vacation notice|i am away|i am currently away|i am out|i am currently out|i'm away|i'm out|annual leave|"+
	"abwesenheit|automatische antwort|automatische beantwortung|automatisch antwoord|automatic antwort|auto-antwort|abwesend|ich bin nicht im|ich bin außer|nicht im büro|urlaub|"+
	"réponse automatique|reponse automatique|message automatique|absence du bureau|absent du bureau|absente du bureau|je suis absent|en congé|"+
	"respuesta automática|respuesta automatica|fuera de la oficina|resposta automática|fora do escritório|risposta automatica|fuori ufficio|afwezig|autosvar|automatiskt svar|automatisk svar|fraværende|poissa|automaattinen vastaus|odpowiedź automatyczna|automatická odpověď|автоответ|автоматический ответ|"+
	"自动回复|自动答复|自動回覆|自動答覆|自動回信|自動応答|自動返信|外出|不在通知|不在のお知らせ|休假|부재중|자동 회신|자동회신|자동 응답|자동응답|"+
	"trả lời tự động|thư trả lời tự động|phản hồi tự động|tự động trả lời|vắng mặt|nghỉ phép|tra loi tu dong|phan hoi tu dong|thông báo vắng mặt|đi vắng|ngoài văn phòng|thư tự động", "|")

// challenges are words of programs that hold a mail until its sender does something.
var challenges = strings.Split("please confirm your message|please confirm your e-mail|please confirm your email|please confirm this message|confirmation required|confirmation needed|spamarrest|spam arrest|boxbe|verify your message to|verify your email to|verify your e-mail to|sender verification|sender address verification|tmda|antispam uol|challenge-response|challenge response|message is being held|message has been held|email has been held", "|")

func among(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// challenged reports whether a subject has the words of such a program, whole: a check code of ours may hold their letters.
func challenged(subject string) bool {
	s := strings.ToLower(subject)
	part := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	for _, w := range challenges {
		for at, rest := 0, s; ; {
			i := strings.Index(rest, w)
			if i < 0 {
				break
			}
			before, _ := utf8.DecodeLastRuneInString(s[:at+i])
			after, _ := utf8.DecodeRuneInString(rest[i+len(w):])
			if !part(before) && !part(after) {
				return true
			}
			at, rest = at+i+1, rest[i+1:]
		}
	}
	return false
}

// awaySubject reports whether a subject begins as those of absent people's programs do, behind a mark of reply.
func awaySubject(subject string) bool {
	s := strings.ToLower(subject)
	for range 2 {
		s = strings.TrimLeft(s, " \t*-–—!.:[](){}<>【】「」\"'")
		for _, w := range away {
			if strings.HasPrefix(s, w) {
				return true
			}
		}
		rest, ok := strings.CutPrefix(s, "re")
		if !ok {
			break
		}
		s = rest
	}
	return false
}

// automatic says whether a program sent the mail in answer to one, and collects every sign that a program sent it at
// all: those forbid an automatic answer (RFC 3834 §2) even where people wrote the text, as on mailing lists.
func automatic(out *m.Message) bool {
	answered, list, bulk := false, false, false
	sign := func(word string) {
		for _, have := range out.Auto {
			if have == word {
				return
			}
		}
		out.Auto = append(out.Auto, word)
	}
	for _, f := range out.Header {
		value := strings.ToLower(strings.TrimSpace(stripComments(f.Value)))
		value, _, _ = strings.Cut(value, ";")
		value = strings.TrimSpace(value)
		switch strings.ToLower(f.Name) {
		case "auto-submitted":
			if value != "no" && value != "" {
				sign("auto_submitted")
				answered = true
			}
		case "precedence", "x-precedence":
			switch value {
			case "auto_reply", "auto-reply", "junk":
				sign("precedence")
				answered = true
			case "bulk", "list":
				sign("precedence")
				bulk = true
			}
		case "x-auto-response-suppress":
			if value != "" && value != "none" {
				sign("suppress")
				answered = true
			}
		case "x-autoreply", "x-autorespond", "x-auto-reply", "x-autoreply-from", "x-autogenerated", "x-mail-autoreply", "x-vacation", "x-ms-exchange-generated-message-source",
			"x-ms-exchange-inbox-rules-loop", "auto-responded", "x-facebook-notify", "x-cron-env":
			if value != "no" && value != "false" {
				sign("header")
				answered = true
			}
		case "list-id", "list-post", "list-unsubscribe", "list-help", "mailing-list", "x-mailing-list":
			sign("list")
			list = true
		case "x-tmda-fingerprint", "x-spamarrest-confirm", "x-boxbe-verify":
			sign("challenge")
			answered = true
		}
	}
	if awaySubject(out.Subject) {
		sign("subject")
		answered = true
	}
	if challenged(out.Subject) {
		sign("challenge")
		answered = true
	}
	if out.ReturnPath != nil && out.ReturnPath.Addr == "" {
		sign("null_sender")
		answered = true
	}
	if daemon(out) {
		sign("daemon")
		answered = true
	}
	head := out.Text[:min(len(out.Text), 1500)]
	if !answered && (bulk || len(out.InReplyTo) > 0 || len(out.References) > 0) && awayText().MatchString(head) {
		sign("text")
		answered = true
	}
	// Old mailing lists mark what people write to them as bulk, and say nothing else.
	conversation := len(out.InReplyTo) > 0 || len(out.References) > 0 || replySubject().MatchString(out.Subject)
	return answered && !list || bulk && !list && !conversation || answered && out.ReturnPath != nil && out.ReturnPath.Addr == ""
}

// daemon reports whether the sender is a mail server.
func daemon(out *m.Message) bool {
	for _, a := range append(append([]m.Address{}, out.From...), out.Sender...) {
		local, _, _ := strings.Cut(strings.ToLower(a.Addr), "@")
		name := strings.ToLower(a.Name)
		switch local {
		case "mailer-daemon", "mailerdaemon", "mail-daemon", "mdaemon", "maildaemon", "mailer_daemon", "mail.daemon":
			return true
		}
		if strings.HasPrefix(local, "mailer-daemon") || strings.HasPrefix(local, "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e") ||
			strings.Contains(name, "mail delivery s") || strings.Contains(name, "mailer-daemon") || strings.Contains(name, "mail delivery subsystem") || strings.Contains(name, "mail administrator") || strings.Contains(name, "system administrator") || name == "postmaster" {
			return true
		}
	}
	return false
}
