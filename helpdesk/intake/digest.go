package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"countersign/helpdesk"
	"countersign/mail"
)

// digest is what the filing needs of a mail's words. It is made while the mail is read, beside other mails, so that the one
// writer has little left to do.
type digest struct {
	from     helpdesk.Address
	subject  string // masked
	text     string // masked
	quoted   int    // byte of text at which the quoted part begins
	masks    []helpdesk.Mask
	kinds    []string // of secrets that were masked
	terms    []string // by which the message is found
	phone    string
	category helpdesk.Category
	lacks    []string
	identity string // "" when the mail has no Message-ID
}

func (r *Reception) digest(m *mail.Message) digest {
	var d digest
	if a, ok := m.Sole(); ok {
		d.from = helpdesk.Address{Name: a.Name, Address: a.Addr}
	} else if len(m.From) > 0 {
		d.from = helpdesk.Address{Name: m.From[0].Name, Address: m.From[0].Addr}
	}
	text := m.Text
	if len(text) > helpdesk.MaxText {
		text = strings.ToValidUTF8(text[:helpdesk.MaxText], "")
	}
	head := helpdesk.Words(m.Subject)
	body := helpdesk.Words(text)
	var secrets []helpdesk.Mask
	d.subject, secrets = maskWords(m.Subject, head)
	d.text, d.masks = maskWords(text, body)
	if len(secrets) > 0 {
		head = helpdesk.Words(d.subject)
	}
	if len(d.masks) > 0 {
		body = helpdesk.Words(d.text)
	}
	for _, s := range append(secrets, d.masks...) {
		if !slices.Contains(d.kinds, s.Kind) {
			d.kinds = append(d.kinds, s.Kind)
		}
	}
	d.quoted = split(d.text)
	own, _ := slices.BinarySearchFunc(body, d.quoted, func(w helpdesk.Word, at int) int { return w.From - at })
	body = body[:own]
	d.phone = Phone(d.text[:d.quoted])
	d.category = r.Categories.Category(r.Categories.Guess(append(slices.Clone(head), body...)))
	d.lacks = missing(d.category.Needs, len(body), d.phone, m.Attachments)
	names := []string{d.from.Name, d.from.Address}
	for _, a := range m.Attachments {
		names = append(names, a.Name)
	}
	d.terms = helpdesk.TermsOf(append(append(head, body...), helpdesk.Words(strings.Join(names, "\n"))...))
	if m.MessageID != "" {
		d.identity = identity(m)
	}
	return d
}

// identity is what makes a mail with a Message-ID that mail, whatever way its copies went. The Message-ID alone would let
// somebody who knows it keep the honest mail out. Mails without one are told apart by their bytes.
func identity(m *mail.Message) string {
	h := sha256.New()
	for _, part := range []string{m.MessageID, m.OriginalID, m.Subject, m.Date.UTC().Format(time.RFC3339), m.Text} {
		h.Write([]byte(strconv.Itoa(len(part)) + ":"))
		h.Write([]byte(part))
	}
	for _, a := range m.From {
		h.Write([]byte(a.Addr + "\n"))
	}
	for _, a := range m.Attachments {
		h.Write([]byte(a.SHA256 + "\n"))
	}
	return hex.EncodeToString(h.Sum(nil))
}
