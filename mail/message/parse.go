package message

import "countersign/mail"

// Parse makes a message of any bytes. It never fails: at worst the kind is unreadable, with the reason.
func Parse(raw []byte, l Limits) *mail.Message {
	return &mail.Message{Kind: mail.KindUnreadable, Unreadable: "empty", Raw: raw}
}

// Content returns the decoded bytes of a part: transfer encoding undone, character set not.
func Content(p *mail.Part) []byte { return p.Body }
