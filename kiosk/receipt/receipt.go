// Package receipt makes what leaves the hall about an order: the message with the code, the receipt by mail, the
// receipt on paper, and the business data for the back office.
//
// Nothing here decides anything or sends anything. A message never holds a link, asks for no password, code or PIN, and
// says so. Start reading at Code, Mail, Paper and Data.
package receipt

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"countersign/internal/clock"
	"countersign/internal/locale"
	"countersign/kiosk"
	"countersign/kiosk/catalog"
	"countersign/kiosk/workorder"
	"countersign/mail/message"
	"countersign/signing/pdf/page"
)

// Sender is the organisation as a mail's sender.
type Sender struct {
	Address string // quay@dienluc.example
	Host    string // right side of our Message-IDs
}

func lang(tag string) locale.Lang {
	if l, err := locale.Parse(tag); err == nil {
		return l
	}
	return locale.Vietnamese
}

// Code is the message with a one-time code: what it is for, how much, for which text, until when. It has no link. The
// same code asked for at the same moment is the same message, so that a repeat is known as one.
func Code(s Sender, c kiosk.CodeMail, asked time.Time) ([]byte, error) {
	l := lang(c.Lang)
	text := locale.Text(l, "mail.code", locale.Args{"purpose": c.Purpose, "amount": c.Amount, "hash": c.Hash, "code": c.Code,
		"until": c.Expires.In(clock.Vietnam).Format("15:04:05"), "unit": c.Unit, "hotline": c.Hotline, "order": c.Order})
	return message.Build(message.Mail{From: mail.Address{Name: c.Unit, Address: s.Address}, To: mail.Address{Address: c.To},
		Subject: locale.Text(l, "mail.code_subject", locale.Args{"purpose": c.Purpose}), Date: asked,
		MessageID: "code-" + c.Challenge + "@" + s.Host, Text: text, Auto: true})
}

// Order is a finished order with what a receipt says about it.
type Order struct {
	*kiosk.Order
	Unit    kiosk.Unit
	Service *catalog.Service
	File    []byte // the signed file
}

func (o Order) words(l locale.Lang) locale.Args {
	names := []string{}
	for _, s := range o.Document.Signatures {
		names = append(names, s.Name)
	}
	confirmed := ""
	if c := o.Confirm; c != nil {
		confirmed = locale.Text(l, "receipt.by."+c.Method, locale.Args{"rank": c.Rank().String(), "witness": c.Witness.Name})
	}
	return locale.Args{"confirmed": confirmed, "order": o.Number, "serial": o.Serial(), "service": o.Service.Title.In(l), "customer": o.Confirmee, "unit": o.Unit.Name,
		"sealed": o.Times.Sealed.In(clock.Vietnam).Format("02/01/2006 15:04"), "due": o.Due.In(clock.Vietnam).Format("02/01/2006"), "days": o.TermDays,
		"code": o.Document.VerifyCode, "hash": kiosk.ShortHash(o.Document.ContentSHA256), "hotline": o.Unit.Hotline, "signers": strings.Join(names, ", ")}
}

// Mail is the receipt by mail, with the signed file. again tells a repeat that a person asked for from the first one.
func Mail(s Sender, o Order, to, again string) ([]byte, error) {
	l := lang(o.Language)
	return message.Build(message.Mail{From: mail.Address{Name: o.Unit.Name, Address: s.Address}, To: mail.Address{Address: to},
		Subject: locale.Text(l, "mail.receipt_subject", o.words(l)), Date: o.Receipt.Chosen,
		MessageID: "receipt-" + o.Number + "-" + again + "@" + s.Host, Text: locale.Text(l, "mail.receipt", o.words(l)) + o.note(l), Auto: true,
		Files: []message.File{{Name: o.Number + ".pdf", Type: "application/pdf", Data: o.File}}})
}

// Text is the receipt as plain lines, for a printer that knows nothing else.
func Text(o Order) string {
	l := lang(o.Language)
	return locale.Text(l, "paper.receipt", o.words(l)) + o.note(l)
}

// note says what the file still waits for; nothing for one that is complete.
func (o Order) note(l locale.Lang) string {
	if !o.Document.Untimed {
		return ""
	}
	return "\n" + locale.Text(l, "receipt.untimed", nil) + "\n"
}

// Paper is the receipt as an A5 page with the verify code and its QR code.
func Paper(o Order, fonts workorder.Fonts) ([]byte, error) {
	const width, height, margin = 420, 595, 42
	l := lang(o.Language)
	d := page.New(page.Info{Title: locale.Text(l, "paper.title", o.words(l)), Created: o.Receipt.Chosen})
	p := d.AddPage(width, height)
	head := page.Style{Fonts: fonts.Bold, Size: 14}
	body := page.Style{Fonts: fonts.Regular, Size: 11}
	y := 60.0
	p.TextCentre(width/2, y, page.Style{Fonts: fonts.Bold, Size: 11}, o.Unit.Name)
	y += 30
	p.TextCentre(width/2, y, head, locale.Text(l, "paper.title", o.words(l)))
	y += 28
	for _, line := range strings.Split(Text(o), "\n") {
		for _, part := range page.Wrap(line, width-2*margin, body.Measure) {
			p.Text(margin, y, body, part)
			y += 16
		}
	}
	p.QR((width-110)/2, y+6, 110, o.Document.VerifyCode)
	p.TextCentre(width/2, y+134, head, o.Document.VerifyCode)
	if err := d.Err(); err != nil {
		return nil, fmt.Errorf("print the receipt of %s: %w", o.Number, err)
	}
	return d.Bytes()
}

// Business is what the back office gets beside the file.
type Business struct {
	Type       string            `json:"type"` // work_order
	Version    int               `json:"version"`
	Number     string            `json:"number"`
	Unit       string            `json:"unit"`
	Service    string            `json:"service"` // the organisation's code: TD-CS
	Definition string            `json:"definition"`
	Customer   string            `json:"customer"`
	CreatedAt  time.Time         `json:"created_at"`
	SealedAt   time.Time         `json:"sealed_at"`
	Due        string            `json:"due"`
	Values     map[string]any    `json:"values"`
	File       map[string]string `json:"file"`
	Clerk      string            `json:"clerk"` // staff id
}

// Data is the business data of a finished order, as JSON: the fields that the service's file hands over.
func Data(o Order) ([]byte, error) {
	b := Business{Type: "work_order", Version: 1, Number: o.Number, Unit: o.Order.Unit, Service: o.Service.Code, Definition: o.Version, Customer: o.Customer,
		CreatedAt: o.Created.In(clock.Vietnam), SealedAt: o.Times.Sealed.In(clock.Vietnam), Due: o.Due.In(clock.Vietnam).Format("2006-01-02"),
		Values: map[string]any{}, File: map[string]string{"name": o.Number + ".pdf", "sha256": o.Document.FinalSHA256}, Clerk: o.Clerk.StaffID}
	for _, f := range o.Service.Fields() {
		if !handedOver(o.Service, f) {
			continue
		}
		v, ok := o.Values[f.Name]
		switch {
		case !ok || v.Empty():
		case len(v.Rows) > 0:
			b.Values[f.Name] = v.Rows
		case v.File != nil:
			b.Values[f.Name] = map[string]any{"name": v.File.Name, "sha256": v.File.SHA256, "size": v.File.Size}
		default:
			b.Values[f.Name] = v.Text
			if c, ok := f.Choice(v.Text); ok && c.Value != "" {
				b.Values[f.Name] = c.Value
			}
		}
	}
	return json.MarshalIndent(b, "", "  ")
}

func handedOver(s *catalog.Service, f *catalog.Field) bool {
	if len(s.HandOver) == 0 {
		return f.Printed
	}
	for _, name := range s.HandOver {
		if name == f.Name {
			return true
		}
	}
	return false
}
