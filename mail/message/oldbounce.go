package message

import (
	"strings"

	m "countersign/mail"
)

// Words of mail servers that report in no standard form. They are matched on lower-case text.
var (
	// copyMark is where the copy of our own mail begins; nothing below it is the server's.
	copyMark = lazily(`(?im)^[\s>*|-]*(?:-{2,}\s*)?(?:below this line is a copy of the message|original message (?:follows|text)|` +
		`this is a copy of (?:the|your) message|(?:here is |this is )?a copy of (?:the|your) (?:original )?message|unsent message (?:below|follows)|message text follows|` +
		`(?:the )?(?:text|body|header|headers|contents?) of (?:the|your) (?:original )?(?:message|e?-?mail)|original message|returned message|undelivered message|forwarded message|` +
		`(?:start of )?(?:the )?returned message|your original message|message header|original (?:mail|e-mail) (?:header|follows)|the header of the original|the first \d+ lines|ursprüngliche nachricht|message d'origine|` +
		`以下は(?:元|オリジナル)の?メール|元のメッセージ|原始邮件|原始郵件|thư gốc|nội dung thư gốc)[^\n]{0,80}$|^received: (?:from|by) |^return-path: `)

	failedText = lazily(`(?i)(?:this is the qmail-send program|this is the (?:mail (?:delivery|system)|postfix)|this (?:message|report) was (?:created|generated) automatically by (?:the )?mail|(?:following|these|some) (?:address|recipient|email address)[^\n]{0,40}(?:fail|error|problem|reject|could not|not be|undeliver)|` +
		`permanent fatal errors|delivery problems|transcript of session|did not reach the following recipient|was not delivered to|undeliverable to the following|(?:was|were) undeliverable|unable to deliver|could ?n[o']t be delivered|could ?n[o']t deliver|cannot be delivered|can't be delivered|cannot deliver|not been delivered|wasn't delivered|` +
		`delivery (?:has failed|failed|to the following)|delivery to [^\n]{1,80} (?:has )?failed|failed to deliver|not deliverable|has been (?:rejected|returned|delayed)|was rejected|rejected (?:your|the) message|could not be sent|no such user|user unknown|unknown user|unrouteable address|address rejected|recipient (?:address )?(?:rejected|unknown|not found)|mailbox (?:unavailable|full|not found|is full)|` +
		`message (?:could not|has not|was not|is) (?:be |been )?(?:delivered|delayed)|konnte nicht zugestellt|nicht zugestellt werden|nicht ausgeliefert|n'a pas pu être (?:remis|délivré|distribué)|n'ont pas pu être|non remis|no se (?:ha podido|pudo) entregar|no pudo ser entregado|non è stato possibile|não (?:pôde|foi possível) (?:ser )?entreg|` +
		`配信できません|お届けできません|送信できません|届けることができません|以下の(?:宛先|受信者)|无法(?:投递|送达|发送)|無法(?:投遞|送達|傳送|遞送)|未能(?:送达|投递)|退回|投递失败|收件人(?:邮箱)?(?:地址)?不存在|` +
		`không thể (?:gửi|phát|chuyển|giao)|không (?:gửi|phát|chuyển|giao) được|không tồn tại)`)

	delayText = lazily(`(?i)(?:warning message only|do not need to resend|will (?:continue to|keep|be) (?:try|retr)|will be retried|still (?:being )?(?:retried|trying|undelivered|queued)|has been delayed|is delayed|delivery (?:is )?delayed|not yet been delivered|has not been collected|delayed mail|temporarily (?:deferred|delayed)|message still undelivered|could not send message for past|delivery attempts will continue|no action is required on your part|` +
		`wird (?:weiter|erneut) versucht|verzögert|noch nicht zugestellt|retardée?|sera retentée|配信が遅れ|再送を試み|延迟|延遲|将(?:继续)?重试|sẽ (?:tiếp tục )?(?:thử|gửi) lại|bị (?:trì hoãn|chậm))`)
	gaveUp = lazily(`(?i)(?:gave up|giving up|given up|expired|too long|retry (?:timeout|time(?:d)? out)|no longer|permanent (?:fatal )?error|aufgegeben|abandon|delivery attempts have failed|has been (?:failing|returned)|could not be delivered (?:for|within)[^\n]{0,60}(?:returned|removed)|放弃|放棄)`)

	address = lazily(`[A-Za-z0-9!#$%&'*+/=?^_{|}~.\x60-]{1,64}@(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]{2,}|[A-Za-z0-9._+=-]{1,64}@\[[0-9.]{7,15}\]`)
	contact = lazily(`(?i)(?:\b(?:contact|postmaster|administrator|administratör|e-?mail to|mail to|mailto:|questions|assistance|for help|hilfe|support|message-id|in-reply-to|references:|from:|sender:|von:|de :|reply-to|http|arrival|your message (?:from|of))|liên hệ|联系|聯絡|お問い合わせ)`)
)

// failedSubjects are words of subjects under which mail servers report, in lower case.
var failedSubjects = strings.Split("undeliver|returned mail|mail delivery failed|mail delivery failure|mail delivery problem|mail delivery status|delivery status|delivery notification|delivery failure|delivery failed|delivery report|delivery error|delivery problem|delivery has failed|delivery unsuccessful|failure notice|failure notification|failed delivery|failed mail|"+
	"non-delivery|nondelivery|non delivery|not delivered|could not be delivered|not be delivered|mail system error|unable to deliver|returned to sender|returning message|warning: could not|warning: message|delayed mail|delivery delayed|delivery is delayed|message delayed|delayed 2|bounce|nondeliverable|rejected|user unknown|mail failure|permanent error|message status|could not send|mail error|delivery attempts|mail undelivered|banned file|"+
	"unzustellbar|nicht zustellbar|zustellung|zustellfehler|verzögert|non distribu|non-remis|échec de la remise|échec de remise|échec de la distribution|non remis|remise du message|retourné|no se ha podido entregar|no entregado|entrega fallida|mancata consegna|notifica di mancat|impossibile recapitare|não entregue|não foi entregue|falha na entrega|onbestelbaar|niet bezorgd|недоставлен|не доставлено|"+
	"配信不能|配信エラー|配信失敗|送信エラー|お届けできません|エラーメール|退信|退回|退件|投递失败|投遞失敗|无法投递|無法投遞|无法送达|無法傳送|傳遞失敗|未送达|未傳遞|배달 실패|배달실패|전송 실패|전송실패|반송|"+
	"không gửi được|không thể gửi|không phát được|không chuyển được|không giao được|không thể chuyển|không thể phát|gửi thư thất bại|gửi thất bại|bị trả lại|không đến được|chưa gửi được|thông báo thất bại", "|")

// readOldBounce reads the reports that mail servers write in their own words.
func readOldBounce(out *m.Message) bool {
	named := []string{}
	for _, f := range out.Header {
		if f.Is("X-Failed-Recipients") {
			for _, a := range addresses(f.Value, "") {
				if strings.Contains(a.Addr, "@") {
					named = append(named, a.Addr)
				}
			}
		}
	}
	null := out.ReturnPath != nil && out.ReturnPath.Addr == ""
	server := daemon(out) || null || len(named) > 0 || postmaster(out)
	already := find(out.Root, "message/delivery-status", "message/global-delivery-status") != nil
	title := among(strings.ToLower(out.Subject), failedSubjects)
	if !server && !title && !already {
		return false
	}
	text := out.Text
	if i := copyMark().FindStringIndex(text); i != nil && i[0] > 20 {
		text = text[:i[0]]
	}
	if len(text) > 64<<10 {
		text = text[:64<<10]
	}
	words := failedText().MatchString(text) || delayText().MatchString(text)
	switch {
	case already, len(named) > 0, server && (words || title), words && title && len(out.InReplyTo) == 0 && !replySubject().MatchString(out.Subject) && reported(text):
	default:
		return false
	}
	if awaySubject(out.Subject) && len(named) == 0 && !already {
		return false
	}
	found := pick(out, named, text)
	if len(found) == 0 && !title && !already {
		return false
	}
	out.Bounces = found
	return true
}

// reported reports whether a text begins in the voice of a mail server, for servers that write under a person's name.
func reported(text string) bool {
	head := text[:min(len(text), 1200)]
	return failedText().MatchString(head) && (replyCode().MatchString(head) || enhanced().MatchString(head) || strings.Contains(strings.ToLower(head), "mailer") || address().MatchString(head))
}

func postmaster(out *m.Message) bool {
	for _, a := range out.From {
		local, _, _ := strings.Cut(strings.ToLower(a.Addr), "@")
		if local == "postmaster" || strings.HasPrefix(local, "mail-system") || strings.HasPrefix(local, "bounce") || local == "system" || local == "mmdf" || local == "administrator" || local == "mailadmin" || local == "mail" || local == "root" || local == "smtp" {
			return true
		}
	}
	return false
}

// candidate is an address in a report with the lines that tell why.
type candidate struct {
	addr   string
	weight int
	why    string
}

// pick finds whom a report is about, and why.
func pick(out *m.Message, named []string, text string) []m.Bounce {
	all := candidates(out, text)
	best := 0
	for _, c := range all {
		best = max(best, c.weight)
	}
	waiting := delayText().MatchString(text) || delayText().MatchString(out.Subject)
	if waiting && gaveUp().MatchString(text) && !strings.Contains(strings.ToLower(text), "warning message only") {
		waiting = false
	}
	var list []candidate
	if len(named) > 0 {
		for _, addr := range named {
			c := candidate{addr: addr, why: text}
			for _, have := range all {
				if strings.EqualFold(have.addr, addr) && have.why != "" {
					c.why = have.why
				}
			}
			list = append(list, c)
		}
	} else {
		for _, c := range all {
			if c.weight >= 2 && c.weight >= best-1 || c.weight == best && best == 1 && len(list) == 0 {
				list = append(list, c)
			}
		}
	}
	var found []m.Bounce
	for _, c := range list {
		found = append(found, told(c, text, waiting))
	}
	return found
}

// told makes the record of one recipient.
func told(c candidate, text string, waiting bool) m.Bounce {
	b := m.Bounce{Recipient: c.addr, Action: "failed", Diagnostic: line(c.why[:min(len(c.why), 500)])}
	if waiting {
		b.Action = "delayed"
	}
	for _, where := range []string{c.why, text} {
		if s := enhancedCode(where); s != "" && s[0] != '2' {
			b.Status = s
			break
		}
		if s := derived(where); s != "" {
			b.Status = s
			break
		}
	}
	if b.Status == "" {
		b.Status = guessStatus(c.why + " " + text)
	}
	if waiting && b.Status[0] == '5' {
		b.Status = "4" + b.Status[1:]
	}
	return b
}

// guessStatus makes a status of plain words (RFC 3463 §3).
func guessStatus(text string) string {
	text = strings.ToLower(text)
	for _, known := range []struct{ words, status string }{
		{"user unknown|unknown user|no such user|no mailbox here by that name|not listed in|doesn't have a|does not exist|unknown address|user not found|no such recipient|not found|recipient name is not recognized|mailbox unavailable|invalid recipient|unbekannt|inconnu|不存在|không tồn tại|unrouteable|unknown recipient|doesn't exist|no such mailbox|invalid mailbox", "5.1.1"},
		{"host unknown|name or service not known|couldn't find any host|domain not found|no mx|host not found|unknown host|unknown domain|unrouteable mail domain", "5.1.2"},
		{"over quota|mailbox full|mailbox is full|quota exceeded|disk quota|exceeded storage|mailbox size limit|đầy|已满|已滿|容量", "5.2.2"},
		{"timed out|timeout|too long|expired", "4.4.7"},
		{"disabled|inactive|suspended|deactivated|khóa|停用", "5.2.1"},
		{"message too large|too big|size limit|exceeds the maximum|過大|过大", "5.3.4"},
		{"spam|blocked|blacklist|policy|access denied|not authorized|relaying denied|relay not permitted|refused by", "5.7.1"},
		{"connection refused|no route|unreachable|wasn't able to establish an smtp connection", "4.4.1"},
	} {
		for w := range strings.SplitSeq(known.words, "|") {
			if strings.Contains(text, w) {
				return known.status
			}
		}
	}
	return "5.0.0"
}

// candidates weighs every address of a report: 4 the program's own form of naming a recipient, 3 the only thing on its
// line, 2 beside a reply code, 1 anywhere.
func candidates(out *m.Message, text string) []candidate {
	ours := map[string]bool{}
	for _, a := range append(append(append([]m.Address{}, out.From...), out.To...), out.ReplyTo...) {
		ours[strings.ToLower(a.Addr)] = true
	}
	all := strings.Split(text, "\n")
	var found []candidate
	index := map[string]int{}
	for i, l := range all {
		for _, at := range address().FindAllStringIndex(l, 20) {
			addr := strings.Trim(l[at[0]:at[1]], ".'=")
			addr = strings.TrimPrefix(strings.TrimPrefix(addr, "'"), "rfc822=")
			key := strings.ToLower(addr)
			w := weigh(l, addr, at[0], previous(all, i))
			local, _, _ := strings.Cut(key, "@")
			if ours[key] && w < 4 || local == "postmaster" && w < 3 || local == "mailer-daemon" || len(found) > 500 {
				continue
			}
			if n, have := index[key]; have {
				if w > found[n].weight {
					found[n].weight = w
				}
				if enhancedCode(found[n].why) == "" && derived(found[n].why) == "" {
					found[n].why += "\n" + reasonAt(all, i)
				}
				continue
			}
			index[key] = len(found)
			found = append(found, candidate{addr, w, reasonAt(all, i)})
		}
	}
	return found
}

// previous is the last line before i that is not empty.
func previous(all []string, i int) string {
	for i--; i >= 0; i-- {
		if strings.TrimSpace(all[i]) != "" {
			return all[i]
		}
	}
	return ""
}

var (
	ownForm   = lazily(`(?i)^\s*(?:<[^<>\s]+>\s*(?::|$|\(|\.\.\.)|(?:to|recipient|recipients?:?|rcpt to|failed recipient|final-recipient|original-recipient|an|à|empfänger|destinataire|収信者|收件人|người nhận)\s*[:：]|>>> rcpt to:|rcpt to:|\d{3}[ -]\d\.\d\.\d+ <)`)
	introduce = lazily(`(?i)(?:following|recipient|address|fatal errors|delivery problems|not delivered to|undeliverable to|delivery to|failed|because|zugestellt|empfänger|destinataire|suivant|siguiente|宛先|收件人|người nhận|địa chỉ)[^\n]*[:：.\-]\s*$|-----\s*$`)
)

func weigh(l, addr string, at int, before string) int {
	bare := strings.Trim(strings.TrimSpace(l), "<>()[]\"'*•-,;:. \t")
	switch {
	case contact().MatchString(l) && !ownForm().MatchString(l) && bare != addr:
		return 0
	case ownForm().MatchString(l) && at < 60:
		return 4
	case bare == addr && introduce().MatchString(before):
		return 4
	case bare == addr, strings.HasPrefix(strings.TrimLeft(l, " \t<\"'*-"), addr):
		return 3
	case replyCode().MatchString(l) || enhanced().MatchString(l) || failedText().MatchString(l):
		return 2
	}
	return 1
}

// reasonAt is the line with a recipient and those below it, until something else begins.
func reasonAt(all []string, i int) string {
	end := i + 1
	empty := 0
	for end < len(all) && end < i+12 {
		l := strings.TrimSpace(all[end])
		if l == "" {
			// An empty line ends the reason, unless nothing was said yet.
			if empty++; empty > 1 || end > i+1 {
				break
			}
		} else if address().MatchString(l) && ownForm().MatchString(all[end]) && !strings.HasPrefix(l, ">>>") {
			break
		}
		end++
	}
	return strings.Join(all[i:end], "\n")
}
