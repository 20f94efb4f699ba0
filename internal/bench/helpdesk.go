package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"countersign/helpdesk"
	"countersign/helpdesk/intake"
	"countersign/internal/clock"
	"countersign/internal/store"
	"countersign/internal/vault"
	"countersign/kiosk/catalog"
	"countersign/mail/auth"
	"countersign/mail/message"
	"countersign/services"
)

// mailLot is how many mails share the way in; a source under load brings as many at once.
const mailLot = 64

// filing measures the way of a mail from its bytes to a ticket with its receipt queued: 4 KB of text, every fifth with a
// picture of 100 KB, proven by the border, no budgets. Beside it stands reading the same mails alone.
func filing(ctx context.Context, b *bench) error {
	v, err := vault.Create(filepath.Join(b.dir, "mails.key"), []byte("a passphrase for the benchmark"))
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Options{Dir: filepath.Join(b.dir, "mails"), Vault: v})
	if err != nil {
		return err
	}
	return errors.Join(b.intake(ctx, s), b.serials(ctx, s), s.Close())
}

func reception(s *store.Store) (*intake.Reception, error) {
	categories, err := helpdesk.LoadCategories(services.Helpdesk)
	if err != nil {
		return nil, err
	}
	offices, err := intake.LoadOffices(services.Files)
	if err != nil {
		return nil, err
	}
	c, err := catalog.Load(services.Files, nil)
	if err != nil {
		return nil, err
	}
	r := &intake.Reception{Store: s.Helpdesk(), Categories: categories, Numbering: helpdesk.DefaultNumbering, Clock: clock.System{},
		Working: helpdesk.Working{Days: c.Calendar(), Hours: helpdesk.OfficeHours}, Limits: intake.Limits{Correction: time.Hour},
		Secrets: &helpdesk.Secrets{Keys: []helpdesk.SecretKey{{ID: 'A', Bytes: []byte("a key for the benchmark")}}, Address: "hotro@kbnn.example", Host: "kbnn.example", Rand: rand.Reader},
		Reader:  &intake.Inspector{Offices: offices, Queues: []string{"DVC"}, Auth: auth.Policy{AuthServID: "mx.kbnn.example", Hops: 1, Own: []string{"kbnn.example"}}}}
	return r, r.Check()
}

// letter is the mail with this number.
func letter(n int) []byte {
	text := strings.Repeat("không nhận được chứng từ điện tử khi ký số trên trang dịch vụ công ", 55)
	head := fmt.Sprintf("Authentication-Results: mx.kbnn.example; dmarc=pass header.from=customer.example\r\nReceived: from x by mx.kbnn.example; Sat, 21 Nov 2026 09:00:00 +0700\r\n"+
		"From: Khách <user%d@customer.example>\r\nTo: hotro@kbnn.example\r\nSubject: [0010#DVC] %d\r\nMessage-ID: <%d@customer.example>\r\nMIME-Version: 1.0\r\n", n%1000, n, n)
	body := fmt.Sprintf("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%s %d, 0900 000 031\r\n", text, n)
	if n%5 != 0 {
		return []byte(head + body)
	}
	picture := base64.StdEncoding.EncodeToString(append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 100<<10)...))
	return []byte(head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + body +
		"--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=loi.png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + picture + "\r\n--b--\r\n")
}

func (b *bench) intake(ctx context.Context, s *store.Store) error {
	if !b.wants("mail.file") {
		return nil
	}
	r, err := reception(s)
	if err != nil {
		return err
	}
	n := 0
	lot := func() error {
		var list []helpdesk.Arrival
		for range mailLot {
			n++
			list = append(list, helpdesk.Arrival{Mailbox: "hotro", UIDValidity: 1, UID: uint32(n), Raw: letter(n)})
		}
		if _, err := r.Arrive(ctx, list); err != nil {
			return err
		}
		done, err := r.Drain(ctx)
		if err == nil && done != mailLot {
			err = fmt.Errorf("%d of %d mails were filed", done, mailLot)
		}
		return err
	}
	got, err := rates(lot, func() error {
		for i := range mailLot {
			message.Parse(letter(i), message.Default())
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("mail.file: %w", err)
	}
	b.lots("mail.file", mailLot, got, "reading the same mails")
	return nil
}

// serials draws serials alone, a lot to a transaction.
func (b *bench) serials(ctx context.Context, s *store.Store) error {
	if !b.wants("serial.draw") {
		return nil
	}
	draw := func(lot int) act {
		return func() error {
			return s.Helpdesk().Update(ctx, func(tx helpdesk.Tx) error {
				for range lot {
					if _, err := helpdesk.DefaultNumbering.Draw(tx, time.Now()); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	got, err := rates(draw(mailLot), draw(0))
	if err != nil {
		return fmt.Errorf("serial.draw: %w", err)
	}
	b.lots("serial.draw", mailLot, got, "as many empty transactions")
	return nil
}

// lots prints rates of lots as rates of what is in them.
func (b *bench) lots(name string, lot float64, got [][]float64, beside string) {
	for _, values := range got {
		for i := range values {
			values[i] *= lot
		}
	}
	b.print(figure{name: name, values: got[0], unit: "1/cpu-s", more: true, beside: beside, besides: got[1]})
}
