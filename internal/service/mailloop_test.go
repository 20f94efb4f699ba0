package service_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"countersign/helpdesk"
	"countersign/helpdesk/intake"
	"countersign/internal/service"
	"countersign/mail/fetch"
	"countersign/mail/mailtest"
)

// counts are what a helpdesk has filed and what it has sent.
func counts(t *testing.T, s *service.Service) (fates map[helpdesk.Fate]int, out map[helpdesk.OutState]int) {
	t.Helper()
	err := s.Reception.Store.View(t.Context(), func(tx helpdesk.Tx) (err error) {
		if fates, err = tx.Fates(time.Time{}); err != nil {
			return err
		}
		out, err = tx.CountOutgoings(time.Time{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return fates, out
}

// until waits for a helpdesk to have filed n mails.
func until(t *testing.T, s *service.Service, n int) map[helpdesk.Fate]int {
	t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		fates, _ := counts(t, s)
		filed := 0
		for fate, some := range fates {
			if fate != helpdesk.Pending {
				filed += some
			}
		}
		if filed >= n {
			return fates
		}
		<-look.C
	}
}

func started(t *testing.T, o service.Options) *service.Service {
	t.Helper()
	if err := service.Found(t.Context(), o, "Mẫu"); err != nil {
		t.Fatal(err)
	}
	s, err := service.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestTwoHelpdesksThatAnswerEachOtherStopAfterOneMailEach(t *testing.T) {
	const north, south = "bac@example.test", "nam@example.test"
	d := mailtest.StartDovecot(t, north, south)
	// The border vouches for every mail, as it would for two houses whose mail is in order.
	rules := filepath.Join(t.TempDir(), "vouch")
	if err := os.WriteFile(rules, []byte("/^Message-ID:/ PREPEND Authentication-Results: mx.example.test; dmarc=pass header.from=example.test\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p := mailtest.StartPostfix(t, d, "header_checks = regexp:"+rules)
	desk := func(address string) *service.Service {
		o := postOptions(t.TempDir(), d.IMAP, p.SMTP)
		o.Desk.Address, o.Desk.Mail.IMAP[0].User, o.Desk.Hops = address, address, 2
		return started(t, o)
	}
	a, b := desk(north), desk(south)
	letter := func(from, to, id string) []byte {
		return fmt.Appendf(nil, "Authentication-Results: mx.example.test; dmarc=pass header.from=example.test\r\nFrom: <%s>\r\nTo: %s\r\nSubject: [0010#DVC] Không ký được\r\n"+
			"Message-ID: <%s@mau.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nMáy không nhận USB token khi ký chứng từ từ sáng nay, xin hỗ trợ.\r\n", from, to, id)
	}
	d.Deliver(north, letter(south, north, "1"))
	d.Deliver(south, letter(north, south, "2"))
	// Each gets that letter and the other's acknowledgement; nothing else is on its way when both have been filed.
	for name, s := range map[string]*service.Service{north: a, south: b} {
		fates := until(t, s, 2)
		_, out := counts(t, s)
		total := 0
		for _, n := range out {
			total += n
		}
		if total != 1 || fates[helpdesk.ToTicket] != 1 {
			t.Errorf("%s has filed %v and sent %v", name, fates, out)
		}
	}
}

func TestForgedMailsCauseNoMail(t *testing.T) {
	n := rounds(100, 10_000)
	for _, limits := range []intake.Limits{intake.DefaultLimits, {Reopen: time.Hour}} {
		d, sink := mailtest.StartDovecot(t, hotline), mailtest.StartRecorder(t)
		o := postOptions(t.TempDir(), d.IMAP, sink.SMTP)
		o.Desk.Limits = limits
		o.Desk.Mail.IMAP[0].After = fetch.Leave
		s := started(t, o)
		begin := time.Now()
		d.Deliver(hotline, forged(n)...)
		fates := until(t, s, n)
		_, out := counts(t, s)
		if mails, _ := sink.Mails(); len(mails) > 0 || len(out) > 0 {
			t.Errorf("%d forged mails caused %v, %d of them left", n, out, len(mails))
		}
		t.Logf("%d forged mails in %v: %v", n, time.Since(begin).Round(time.Millisecond), fates)
	}
}

// forged are mails that say they are of customers or of the house, and whom nobody vouches for.
func forged(n int) (list [][]byte) {
	for i := range n {
		from, head := fmt.Sprintf("Kế Toán <khach%d@example.test>", i), ""
		switch i % 5 {
		case 0:
			head = "Authentication-Results: mx.example.test; dmarc=fail header.from=example.test; spf=fail smtp.mailfrom=example.test\r\n"
		case 1:
			head = "Authentication-Results: mx.other.test; dmarc=pass header.from=example.test\r\n"
		case 2:
			head = "Received: from a by b; Sat, 21 Nov 2026 08:00:00 +0700\r\nAuthentication-Results: mx.example.test; dmarc=pass header.from=example.test\r\n"
		case 3:
			from = "Tổ hỗ trợ Mẫu <" + hotline + ">"
		}
		list = append(list, fmt.Appendf(nil, "%sFrom: %s\r\nReply-To: nan.nhan%d@example.test\r\nTo: %s\r\nSubject: [0010#DVC] Không ký được %d\r\nMessage-ID: <gia%d@mau.example>\r\n"+
			"Content-Type: text/plain; charset=utf-8\r\n\r\nMáy không nhận USB token khi ký chứng từ từ sáng nay, lần thứ %d, xin hỗ trợ.\r\n", head, from, i, hotline, i, i, i))
	}
	return list
}
