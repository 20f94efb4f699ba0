package reply

import (
	"strings"
	"unicode"

	"countersign/helpdesk"
)

// Preview is what Write would write. The check code hangs on the Message-ID, which a mail gets when it is queued; signs
// stand for it here.
func (w *Writer) Preview(o *helpdesk.Outgoing, author *helpdesk.Agent, first bool) helpdesk.Preview {
	text := Compose(w.House, w.Secrets, o, author, first)
	blank := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return '*'
		}
		return r
	}, text.Code)
	return helpdesk.Preview{From: w.sender(author) + " <" + w.House.Mailbox + ">", To: o.To.Address, Subject: text.Subject,
		Body: strings.ReplaceAll(text.Body, text.Code, blank)}
}
