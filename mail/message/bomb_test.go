package message

import (
	"strings"
	"testing"

	"countersign/mail"
)

// TestHugeAndDeepMailsEnd plays mails whose reading would take minutes or gigabytes if any step were not linear; with
// one such step the test would run into the limit of the test run.
func TestHugeAndDeepMailsEnd(t *testing.T) {
	head := "From: a@b.example\nSubject: x\nMIME-Version: 1.0\n"
	for name, raw := range map[string]string{
		"parts in parts":       head + strings.Repeat("Content-Type: multipart/mixed; boundary=b\n\n--b\n", 10000) + "\nhi",
		"mails in mails":       head + strings.Repeat("Content-Type: message/rfc822\n\n"+head, 10000) + "\nhi",
		"many parts":           head + "Content-Type: multipart/mixed; boundary=x\n\n" + strings.Repeat("--x\n\na\n", 200000) + "--x--",
		"many fields":          head + strings.Repeat("X-A: b\n", 200000) + "\nhi",
		"a long field":         head + "X-A: " + strings.Repeat("b", 5<<20) + "\n\nhi",
		"many folds":           head + "X-A: b\n" + strings.Repeat(" c\n", 200000) + "\nhi",
		"open comments":        "From: " + strings.Repeat("(", 60000) + "\n\nhi",
		"open groups":          "From: " + strings.Repeat(":", 60000) + "\n\nhi",
		"open brackets":        "From: " + strings.Repeat("<", 60000) + "\n\nhi",
		"open words":           "From: " + strings.Repeat("=?a?q?", 10000) + "\n\nhi",
		"flowing lines":        head + "Content-Type: text/plain; format=flowed; delsp=yes\n\n" + strings.Repeat("a \n", 1100000),
		"deep HTML":            head + "Content-Type: text/html\n\n" + strings.Repeat("<div style='display:none'>a", 100000),
		"files without an end": head + "\n" + strings.Repeat("begin 644 a\n", 100000) + strings.Repeat("M\n", 100000) + "end\n",
		"a report on many":     "From: mailer-daemon@x.example\nSubject: failure notice\n\n" + strings.Repeat("<a@b.example>: 550 5.1.1 user unknown\n", 100000),
		"a report of codes":    "From: mailer-daemon@x.example\nSubject: failure notice\n\n" + strings.Repeat("550 ", 1000000),
		"beyond the gate":      head + "\n" + strings.Repeat("x", 26<<20),
	} {
		m := Parse([]byte(raw), Limits{})
		if len(m.From) == 0 && strings.HasPrefix(raw, head) || len(m.Text) > Default().Text+10 || len(m.Attachments) > 2*Default().Parts || len(m.Bounces) > 1000 {
			t.Errorf("%s: %s, %d bytes of text, %d files", name, m.Kind, len(m.Text), len(m.Attachments))
		}
		if (m.Unreadable == "too_big") != (name == "beyond the gate") || m.Kind == mail.KindUnreadable && m.Unreadable != "too_big" {
			t.Errorf("%s: %s %s", name, m.Kind, m.Unreadable)
		}
	}
}
