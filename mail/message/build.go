// Package message builds the mails that leave the house.
//
// Headers come only from Build, which refuses line breaks, NUL and control characters in every field, so that no value
// can add a header or end the message (RFC 5322 §2.2, CWE-93). The same Mail gives the same bytes: the Message-ID, the
// date and the boundary come from the caller, so that a repeat after a crash is the same mail.
package message

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
	"unicode"
)

// Mail is one message with a plain text and files.
type Mail struct {
	From      mail.Address
	To        mail.Address
	Subject   string
	Date      time.Time
	MessageID string // without the angle brackets: 1a2b@counter.example
	Text      string
	Files     []File
	Auto      bool // made by a program: Auto-Submitted: auto-generated (RFC 3834 §5)
	Answer    bool // with Auto: made by a program because a mail came, auto-replied
	ReplyTo   string
	Parents   []string // Message-IDs of the thread, without brackets; the last is the mail that is answered
}

// File is an attachment.
type File struct {
	Name string // ASCII
	Type string // application/pdf
	Data []byte
}

// maxHeader is the longest value of a header before folding (RFC 5322 §2.1.1 allows 998 bytes a line).
const maxHeader = 500

// Build returns the message in wire form, with CRLF line ends.
func Build(m Mail) ([]byte, error) {
	if m.MessageID == "" || m.Date.IsZero() || m.From.Address == "" || m.To.Address == "" {
		return nil, errors.New("build a mail: message id, date, sender and receiver are all needed")
	}
	for name, v := range map[string]string{"subject": m.Subject, "message id": m.MessageID, "sender": m.From.Name + m.From.Address, "receiver": m.To.Name + m.To.Address} {
		if err := plain(v); err != nil {
			return nil, fmt.Errorf("build a mail: the %s %w", name, err)
		}
	}
	for _, a := range []string{m.From.Address, m.To.Address} {
		if parsed, err := mail.ParseAddress(a); err != nil || parsed.Address != a {
			return nil, errors.New("build a mail: an address is not one mailbox")
		}
	}
	var b bytes.Buffer
	header := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	header("From", m.From.String())
	header("To", m.To.String())
	header("Subject", mime.BEncoding.Encode("utf-8", m.Subject))
	header("Date", m.Date.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	header("Message-ID", "<"+m.MessageID+">")
	header("MIME-Version", "1.0")
	if err := thread(&b, m); err != nil {
		return nil, err
	}
	if len(m.Files) == 0 {
		if err := writeText(&b, m.Text); err != nil {
			return nil, err
		}
		return b.Bytes(), nil
	}
	return writeParts(&b, m)
}

// maxParents is how many Message-IDs of a thread are named; the first and the last ones are what mail programs need.
const maxParents = 12

// thread writes where the mail belongs and that nobody's program should answer it.
func thread(b *bytes.Buffer, m Mail) error {
	if m.ReplyTo != "" {
		if parsed, err := mail.ParseAddress(m.ReplyTo); err != nil || parsed.Address != m.ReplyTo || plain(m.ReplyTo) != nil {
			return errors.New("build a mail: the address for answers is not one mailbox")
		}
		fmt.Fprintf(b, "Reply-To: <%s>\r\n", m.ReplyTo)
	}
	parents := m.Parents
	if len(parents) > maxParents {
		parents = append([]string{parents[0]}, parents[len(parents)-maxParents+1:]...)
	}
	for _, id := range parents {
		if plain(id) != nil || strings.ContainsAny(id, " <>") || id == "" {
			return errors.New("build a mail: a message id of the thread can't stand in a header")
		}
	}
	if n := len(parents); n > 0 {
		fmt.Fprintf(b, "In-Reply-To: <%s>\r\nReferences: <%s>\r\n", parents[n-1], strings.Join(parents, ">\r\n <"))
	}
	switch {
	case m.Auto && m.Answer:
		b.WriteString("Auto-Submitted: auto-replied\r\nX-Auto-Response-Suppress: All\r\n")
	case m.Auto:
		b.WriteString("Auto-Submitted: auto-generated\r\n")
	}
	return nil
}

// plain refuses what must not stand in a header.
func plain(s string) error {
	if len(s) > maxHeader {
		return fmt.Errorf("has %d bytes, more than %d", len(s), maxHeader)
	}
	for _, r := range s {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return errors.New("holds a control character")
		}
	}
	return nil
}

func writeText(b *bytes.Buffer, text string) error {
	b.WriteString("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
	w := quotedprintable.NewWriter(b)
	if _, err := w.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n"))); err != nil {
		return err
	}
	return w.Close()
}

func writeParts(b *bytes.Buffer, m Mail) ([]byte, error) {
	sum := sha256.Sum256([]byte(m.MessageID))
	boundary := "part-" + hex.EncodeToString(sum[:12])
	fmt.Fprintf(b, "Content-Type: multipart/mixed; boundary=%q\r\n\r\n--%s\r\n", boundary, boundary)
	if err := writeText(b, m.Text); err != nil {
		return nil, err
	}
	for _, f := range m.Files {
		if plain(f.Name) != nil || plain(f.Type) != nil || strings.ContainsAny(f.Name, `"\/`) {
			return nil, errors.New("build a mail: the name or type of a file can't stand in a header")
		}
		fmt.Fprintf(b, "\r\n--%s\r\nContent-Type: %s; name=%q\r\nContent-Disposition: attachment; filename=%q\r\nContent-Transfer-Encoding: base64\r\n\r\n", boundary, f.Type, f.Name, f.Name)
		text := base64.StdEncoding.EncodeToString(f.Data)
		for len(text) > 76 {
			b.WriteString(text[:76] + "\r\n")
			text = text[76:]
		}
		b.WriteString(text)
	}
	fmt.Fprintf(b, "\r\n--%s--\r\n", boundary)
	return b.Bytes(), nil
}
