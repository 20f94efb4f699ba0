package service_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"countersign/helpdesk"
	"countersign/internal/service"
	"countersign/mail/fetch"
	"countersign/mail/mailtest"
	"countersign/mail/message"
	"countersign/mail/outbox"
)

const (
	hotline = "desk@example.test"
	sender  = "ketoan@example.test"
)

// house is an installation with a helpdesk between a real Postfix and a real Dovecot.
type house struct {
	*service.Service
	dovecot *mailtest.Dovecot
	stop    func()
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{dovecot: mailtest.StartDovecot(t, hotline, sender, officer)}
	p := mailtest.StartPostfix(t, h.dovecot)
	o := options(t.TempDir())
	o.Desk = service.DeskOptions{Address: hotline, Name: "Tổ hỗ trợ Mẫu", Hotline: "024 0000 0000", AuthServID: "mx.example.test", Domains: []string{"desk.example.test"}, Security: officer,
		Mail: service.MailOptions{Selector: "c1", Server: &outbox.Server{Addr: p.SMTP, TLS: "none", Hello: "desk.example.test", Timeout: 20 * time.Second},
			IMAP: []fetch.IMAP{{Name: "desk", Addr: h.dovecot.IMAP, TLS: "starttls", User: hotline, Config: h.dovecot.TLS(), After: fetch.Flag,
				Secret: func(context.Context) (string, error) { return mailtest.Password, nil }}}}}
	if err := service.Found(t.Context(), o, "Mẫu"); err != nil {
		t.Fatal(err)
	}
	s, err := service.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	h.Service = s
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	h.stop = func() {
		cancel()
		<-done
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(h.stop)
	return h
}

// request is a mail as the border passed it on.
func request(id, to, subject, more string) []byte {
	return fmt.Appendf(nil, "Authentication-Results: mx.example.test; dmarc=pass header.from=example.test; dkim=pass header.d=example.test\r\n"+
		"From: Chị Mẫu <%s>\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s@mau.example>\r\nDate: Sat, 21 Nov 2026 09:00:00 +0700\r\n%sContent-Type: text/plain; charset=utf-8\r\n\r\n"+
		"Máy của đơn vị không nhận USB token khi ký chứng từ, báo lỗi không tìm thấy thiết bị. Mã PIN của em là 123456. Điện thoại 0900 000 031.\r\n", sender, to, subject, id, more)
}

func (h *house) tickets(t *testing.T) (list []*helpdesk.Ticket) {
	t.Helper()
	err := h.Reception.Store.View(t.Context(), func(tx helpdesk.Tx) (err error) {
		list, err = tx.Queue(helpdesk.Queue{}, time.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestASupportMailBecomesATicketAndTheCustomerHearsOfIt(t *testing.T) {
	h := newHouse(t)
	h.dovecot.Deliver(hotline, request("1", hotline, "[0010#DVC] Không nhận USB token", ""))
	files := h.dovecot.Wait(sender, 1)
	raw, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	m := message.Parse(raw, message.Limits{})
	list := h.tickets(t)
	if len(list) != 1 || list[0].Route.Province != "0010" || !strings.Contains(m.Subject, list[0].Key) {
		t.Fatalf("%d tickets, the customer reads %q", len(list), m.Subject)
	}
	if !strings.Contains(m.Text, "mã PIN") || bytes.Contains(raw, []byte("123456")) {
		t.Errorf("the warning about the PIN:\n%s", m.Text)
	}
	if len(m.ReplyTo) != 1 || !strings.HasPrefix(m.ReplyTo[0].Addr, "desk+") {
		t.Fatalf("answers go to %v", m.ReplyTo)
	}
	// The customer answers in their mail program.
	h.dovecot.Deliver(hotline, request("2", m.ReplyTo[0].Addr, "Re: "+m.Subject, "In-Reply-To: <"+m.MessageID+">\r\nReferences: <"+m.MessageID+">\r\n"))
	changed := time.NewTicker(10 * time.Millisecond)
	defer changed.Stop()
	for h.count(t, helpdesk.ToMessage) == 0 {
		<-changed.C
	}
	if list = h.tickets(t); len(list) != 1 || list[0].Key == "" {
		t.Errorf("%d tickets after the answer", len(list))
	}
}

func (h *house) count(t *testing.T, fate helpdesk.Fate) (n int) {
	t.Helper()
	err := h.Reception.Store.View(t.Context(), func(tx helpdesk.Tx) error {
		all, err := tx.Fates(time.Time{})
		n = all[fate]
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
